// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf list` and `dnf check-upgrade`.

use super::changelog::print_new;
use crate::dnf::advisories::{Reach, upgrades};
use crate::dnf::cli::{CheckUpgradeArgs, ListArgs};
use crate::dnf::session::{Loaded, Needs, Scope, Session};
use crate::dnf::table::{Cells, Side, fitted};
use crate::failure::{CommandResult, Failure, complain};
use cairn_pkg::query::sack::Sack;
use cairn_pkg::query::spec::nevra_matches;
use cairn_pkg::query::{filter, glob};
use cairn_rpm::evr::{Evr, Nevra};
use cairn_solve::PackageId;
use cairn_ui::exit;
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::Range;

/// One block of a list.
#[derive(Debug)]
pub struct Section {
    /// Heading.
    pub heading: &'static str,
    /// Key in JSON.
    pub key: &'static str,
    /// Packages, by name.
    pub ids: Vec<PackageId>,
}

/// Runs `dnf list`.
pub fn list(session: &Session, args: &ListArgs) -> CommandResult {
    let (loaded, sections) = sections(session, args, Scope::Identities)?;
    if args.json {
        return print_json(session, &loaded.sack, &sections);
    }
    if sections.iter().all(|section| section.ids.is_empty()) {
        return nothing(args);
    }
    print_sections(session, &loaded.sack, &sections);
    complain_of_missing(&loaded.sack, &sections, &args.specs);
    // The process ends here: giving back the memory of every package would take as long as reading them.
    std::mem::forget(loaded);
    Ok(exit::SUCCESS)
}

/// Names the arguments that match nothing where others do.
pub fn complain_of_missing(sack: &Sack, sections: &[Section], specs: &[String]) {
    let shown = || sections.iter().flat_map(|section| &section.ids);
    for spec in specs {
        if !shown().any(|id| nevra_matches(spec, sack.get(*id).nevra()).is_some()) {
            complain(&format!("No matches found for \"{spec}\"."));
        }
    }
}

/// Says that there is nothing; an error when something was named.
pub fn nothing(args: &ListArgs) -> CommandResult {
    complain("No matches found.");
    if args.specs.is_empty() { Ok(exit::SUCCESS) } else { Err(Failure::silent(exit::FAILURE)) }
}

/// Loads and selects what `list` and `info` show.
pub fn sections(
    session: &Session,
    args: &ListArgs,
    extent: Scope<'_>,
) -> Result<(Loaded, Vec<Section>), Failure> {
    let which = args.which;
    let needs = if which.installed || which.autoremove { Needs::INSTALLED } else { Needs::ALL };
    // Only lists by something else than names and versions need more than those.
    let is_more = which.obsoletes || which.upgrades || which.recent || which.extras;
    let scope = if is_more { Scope::All } else { extent };
    let loaded = session.load_scope(needs, &[], &[], scope)?;
    let sack = &loaded.sack;
    let matches = |id: &PackageId| {
        let nevra = sack.get(*id).nevra();
        args.specs.is_empty() || args.specs.iter().any(|spec| nevra_matches(spec, nevra).is_some())
    };
    let select =
        |ids: Vec<PackageId>| sorted(sack, ids.into_iter().filter(|id| matches(id)).collect());
    let is_from = |id: &PackageId| {
        let own = &sack.get(*id).details.from_repository;
        args.installed_from_repo.is_empty()
            || args.installed_from_repo.iter().any(|wanted| glob::matches(wanted, own))
    };
    let installed = || select(sack.installed().map(|package| package.id).filter(is_from).collect());
    let section = |heading, key, ids| Section { heading, key, ids };
    let available = |hide_installed: bool| {
        let mut ids: Vec<PackageId> = sack.available().map(|package| package.id).collect();
        if !args.showduplicates {
            ids = filter::latest(sack, &filter::best_priority(sack, &ids), 1);
        }
        if hide_installed {
            let present = installed_versions(sack);
            ids.retain(|id| !is_present(&present, sack.get(*id).nevra()));
        }
        select(ids)
    };
    let sections = if which.installed {
        vec![section("Installed packages", "installed_packages", installed())]
    } else if which.available {
        vec![section("Available packages", "available_packages", available(false))]
    } else if which.extras {
        vec![section("Extra packages", "extra_packages", select(filter::extras(sack)))]
    } else if which.obsoletes {
        let ids = filter::obsoleting(sack).into_iter().map(|(new, _)| new).collect();
        vec![section("Obsoleting packages", "obsoleting_packages", select(ids))]
    } else if which.upgrades {
        vec![section("Available upgrades", "available_upgrades", select(filter::upgrades(sack)))]
    } else if which.recent {
        let ids = filter::recent(sack, session.now());
        let ids = if args.showduplicates { ids } else { filter::latest(sack, &ids, 1) };
        vec![section("Recently added packages", "recent_packages", select(ids))]
    } else if which.autoremove {
        vec![section("Autoremove packages", "autoremove_packages", select(filter::unneeded(sack)))]
    } else {
        vec![
            section("Installed packages", "installed_packages", installed()),
            section("Available packages", "available_packages", available(!args.showduplicates)),
        ]
    };
    Ok((loaded, sections))
}

/// Installed packages by name and architecture.
fn installed_versions(sack: &Sack) -> BTreeMap<(&str, &str), Vec<&Evr>> {
    let mut versions: BTreeMap<(&str, &str), Vec<&Evr>> = BTreeMap::new();
    for package in sack.installed() {
        let Nevra { name, evr, arch } = package.nevra();
        versions.entry((name, arch)).or_default().push(evr);
    }
    versions
}

/// An available package is hidden when its name.arch is installed in the same or a newer version.
fn is_present(installed: &BTreeMap<(&str, &str), Vec<&Evr>>, nevra: &Nevra) -> bool {
    let versions = installed.get(&(nevra.name.as_str(), nevra.arch.as_str()));
    versions.is_some_and(|versions| versions.iter().any(|evr| **evr >= nevra.evr))
}

/// Sorts by name, version and architecture.
pub fn sorted(sack: &Sack, mut ids: Vec<PackageId>) -> Vec<PackageId> {
    ids.sort_by(|a, b| {
        let (a, b) = (sack.get(*a).nevra(), sack.get(*b).nevra());
        (&a.name, &a.evr, &a.arch).cmp(&(&b.name, &b.evr, &b.arch))
    });
    ids.dedup();
    ids
}

fn print_sections(session: &Session, sack: &Sack, sections: &[Section]) {
    // All blocks share their columns.
    let mut text = String::new();
    if let Some(width) = session.width() {
        let rows: Vec<Vec<String>> =
            sections.iter().flat_map(|s| &s.ids).map(|id| row(sack, *id)).collect();
        let sides = [Side::Left, Side::Left, Side::Left];
        let mut lines = fitted(&sides, &rows, Some(width)).into_iter();
        write_sections(sections, &mut text, &mut |rows, text| {
            for line in lines.by_ref().take(rows.len()) {
                text.push_str(&line);
                text.push('\n');
            }
        });
    } else {
        let mut cells = Cells::default();
        for id in sections.iter().flat_map(|section| &section.ids) {
            let Nevra { name, evr, arch } = sack.get(*id).nevra();
            cells.push(&[name, ".", arch]);
            if evr.epoch == 0 && !evr.release.is_empty() {
                // As it is displayed, without the cost of formatting.
                cells.push(&[&evr.version, "-", &evr.release]);
            } else {
                cells.push(&[&evr.to_string()]);
            }
            cells.push(&[repository_of(sack, *id)]);
        }
        write_sections(sections, &mut text, &mut |rows, text| cells.write_rows::<3>(rows, text));
    }
    session.printer.raw(&text);
}

/// Writes each block under its heading; `write_rows` gets the numbers of its rows.
fn write_sections(
    sections: &[Section],
    text: &mut String,
    write_rows: &mut dyn FnMut(Range<usize>, &mut String),
) {
    let mut start = 0;
    for section in sections.iter().filter(|section| !section.ids.is_empty()) {
        if start > 0 {
            text.push('\n');
        }
        text.push_str(section.heading);
        text.push('\n');
        write_rows(start..start + section.ids.len(), text);
        start += section.ids.len();
    }
}

fn row(sack: &Sack, id: PackageId) -> Vec<String> {
    let package = sack.get(id);
    let nevra = package.nevra();
    vec![
        format!("{}.{}", nevra.name, nevra.arch),
        nevra.evr.to_string(),
        repository_of(sack, id).to_owned(),
    ]
}

/// Returns the repository as lists show it: of an installed package the one it came from.
pub fn repository_of(sack: &Sack, id: PackageId) -> &str {
    let details = sack.get(id).details;
    if sack.get(id).is_installed() { &details.from_repository } else { &details.repository }
}

#[derive(Serialize)]
struct JsonPackage {
    name: String,
    arch: String,
    evr: String,
    repository: String,
}

/// Prints sections as JSON in dnf5's form.
pub fn print_json(session: &Session, sack: &Sack, sections: &[Section]) -> CommandResult {
    let mut document: BTreeMap<&str, Vec<JsonPackage>> = BTreeMap::new();
    for section in sections.iter().filter(|section| !section.ids.is_empty()) {
        let packages = section.ids.iter().map(|id| {
            let nevra = sack.get(*id).nevra();
            JsonPackage {
                name: nevra.name.clone(),
                arch: nevra.arch.clone(),
                evr: nevra.evr.to_string(),
                repository: repository_of(sack, *id).to_owned(),
            }
        });
        document.insert(section.key, packages.collect());
    }
    session
        .printer
        .json(&document)
        .map_err(|error| Failure::new(format!("cannot write JSON: {error}")))?;
    Ok(exit::SUCCESS)
}

/// Runs `dnf check-upgrade`.
pub fn check_upgrade(session: &Session, args: &CheckUpgradeArgs) -> CommandResult {
    let by_advisories = args.minimal || args.advisories.is_active();
    let needs = Needs { advisories: by_advisories, changelogs: args.changelogs, ..Needs::ALL };
    let loaded = session.load(needs)?;
    let sack = &loaded.sack;
    let mut ids = if by_advisories {
        let selected = args.advisories.select(&loaded.advisories)?;
        if selected.is_empty() {
            complain("No advisory found matching the specified filters.");
        }
        let reach = if args.minimal { Reach::Lowest } else { Reach::Newest };
        upgrades(&loaded, &selected, reach)
    } else {
        filter::upgrades(sack)
    };
    let is_meant = |id: &PackageId| {
        let nevra = sack.get(*id).nevra();
        let is_named = args.specs.iter().any(|spec| nevra_matches(spec, nevra).is_some());
        !loaded.excluded.contains(id) && (args.specs.is_empty() || is_named)
    };
    ids.retain(is_meant);
    if args.advisories.security && ids.is_empty() && !args.json {
        let others = filter::upgrades(sack).into_iter().filter(is_meant).count();
        if others > 0 {
            let line = format!("No security updates needed, but {others} update(s) available");
            session.printer.data(&line);
        }
    }
    let obsoleting: Vec<PackageId> =
        filter::obsoleting(sack).into_iter().map(|(new, _)| new).collect();
    let found = !ids.is_empty();
    let mut sections =
        vec![Section { heading: "Upgrades", key: "upgrades", ids: sorted(sack, ids) }];
    if args.specs.is_empty() && !by_advisories && !obsoleting.is_empty() {
        sections.push(Section {
            heading: "Obsoleting packages",
            key: "obsoletes",
            ids: sorted(sack, filter::latest(sack, &obsoleting, 1)),
        });
    }
    if args.json {
        print_json(session, sack, &sections)?;
    } else {
        print_sections(session, sack, &sections);
        if args.changelogs {
            print_new(session, &loaded, &sections[0].ids);
        }
    }
    Ok(if found { exit::UPGRADES_AVAILABLE } else { exit::SUCCESS })
}
