// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf list` and `dnf check-upgrade`.

use crate::dnf::advisories::{Reach, upgrades};
use crate::dnf::cli::{CheckUpgradeArgs, ListArgs};
use crate::dnf::session::{Loaded, Needs, Session};
use crate::dnf::table::{Side, fitted};
use crate::failure::{CommandResult, Failure, complain};
use cairn_pkg::query::filter;
use cairn_pkg::query::sack::Sack;
use cairn_pkg::query::spec::nevra_matches;
use cairn_solve::PackageId;
use cairn_ui::exit;
use serde::Serialize;
use std::collections::BTreeMap;

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
    let (loaded, sections) = sections(session, args)?;
    if args.json {
        return print_json(session, &loaded.sack, &sections);
    }
    if sections.iter().all(|section| section.ids.is_empty()) {
        return nothing(args);
    }
    print_sections(session, &loaded.sack, &sections);
    complain_of_missing(&loaded.sack, &sections, &args.specs);
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
pub fn sections(session: &Session, args: &ListArgs) -> Result<(Loaded, Vec<Section>), Failure> {
    let which = args.which;
    let needs = if which.installed || which.autoremove { Needs::INSTALLED } else { Needs::ALL };
    let loaded = session.load(needs)?;
    let sack = &loaded.sack;
    let matches = |id: &PackageId| {
        let nevra = sack.get(*id).nevra();
        args.specs.is_empty() || args.specs.iter().any(|spec| nevra_matches(spec, nevra).is_some())
    };
    let select =
        |ids: Vec<PackageId>| sorted(sack, ids.into_iter().filter(|id| matches(id)).collect());
    let installed = || select(sack.installed().map(|package| package.id).collect());
    let section = |heading, key, ids| Section { heading, key, ids };
    let available = |hide_installed: bool| {
        let mut ids: Vec<PackageId> = sack.available().map(|package| package.id).collect();
        if !args.showduplicates {
            ids = filter::latest(sack, &filter::best_priority(sack, &ids), 1);
        }
        if hide_installed {
            ids.retain(|id| !is_present(sack, *id));
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

/// An available package is hidden when its name.arch is installed in the same or a newer version.
fn is_present(sack: &Sack, id: PackageId) -> bool {
    let nevra = sack.get(id).nevra();
    sack.by_name(&nevra.name).any(|other| {
        let have = other.nevra();
        other.is_installed() && have.arch == nevra.arch && have.evr >= nevra.evr
    })
}

/// Sorts by name, architecture and version.
pub fn sorted(sack: &Sack, mut ids: Vec<PackageId>) -> Vec<PackageId> {
    ids.sort_by(|a, b| {
        let (a, b) = (sack.get(*a).nevra(), sack.get(*b).nevra());
        (&a.name, &a.arch, &a.evr).cmp(&(&b.name, &b.arch, &b.evr))
    });
    ids.dedup();
    ids
}

fn print_sections(session: &Session, sack: &Sack, sections: &[Section]) {
    let rows: Vec<Vec<String>> =
        sections.iter().flat_map(|s| &s.ids).map(|id| row(sack, *id)).collect();
    // All blocks share their columns.
    let sides = [Side::Left, Side::Left, Side::Left];
    let mut lines = fitted(&sides, &rows, session.width()).into_iter();
    let mut is_first = true;
    for section in sections.iter().filter(|section| !section.ids.is_empty()) {
        if !is_first {
            session.printer.data("");
        }
        is_first = false;
        session.printer.data(section.heading);
        for line in lines.by_ref().take(section.ids.len()) {
            session.printer.data(&line);
        }
    }
}

fn row(sack: &Sack, id: PackageId) -> Vec<String> {
    let package = sack.get(id);
    let nevra = package.nevra();
    vec![format!("{}.{}", nevra.name, nevra.arch), nevra.evr.to_string(), repository_of(sack, id)]
}

/// Returns the repository as lists show it: of an installed package the one it came from.
pub fn repository_of(sack: &Sack, id: PackageId) -> String {
    let details = sack.get(id).details;
    if sack.get(id).is_installed() {
        details.from_repository.clone()
    } else {
        details.repository.clone()
    }
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
                repository: repository_of(sack, *id),
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
    let by_advisories = args.advisories.is_active();
    let loaded = session.load(Needs { advisories: by_advisories, ..Needs::ALL })?;
    let sack = &loaded.sack;
    let mut ids = if by_advisories {
        let selected = args.advisories.select(&loaded.advisories)?;
        if selected.is_empty() {
            complain("No advisory found matching the specified filters.");
        }
        upgrades(&loaded, &selected, Reach::Newest)
    } else {
        filter::upgrades(sack)
    };
    ids.retain(|id| !loaded.excluded.contains(id));
    ids.retain(|id| {
        let nevra = sack.get(*id).nevra();
        args.specs.is_empty() || args.specs.iter().any(|spec| nevra_matches(spec, nevra).is_some())
    });
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
    }
    Ok(if found { exit::UPGRADES_AVAILABLE } else { exit::SUCCESS })
}
