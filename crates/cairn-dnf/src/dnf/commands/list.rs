// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf list` and `dnf check-upgrade`.

use super::changelog::print_new;
use crate::dnf::advisories::{Reach, upgrades};
use crate::dnf::cli::{CheckUpgradeArgs, ListArgs};
use crate::dnf::display::repository_of;
use crate::dnf::session::{Loaded, Needs, Scope, Session};
use crate::dnf::table::{Side, cell_width, fitted, push_cell};
use crate::failure::{CommandResult, Failure, complain};
use cairn_pkg::query::sack::Sack;
use cairn_pkg::query::spec::nevra_matches_in_any_case as nevra_matches;
use cairn_pkg::query::{filter, glob};
use cairn_rpm::evr::{Evr, Nevra};
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
    /// What packages of it obsolete, shown under them.
    pub obsoleted: BTreeMap<PackageId, Vec<PackageId>>,
}

impl Section {
    /// A block in which nothing is obsoleted.
    pub fn new(heading: &'static str, key: &'static str, ids: Vec<PackageId>) -> Self {
        Self { heading, key, ids, obsoleted: BTreeMap::new() }
    }

    /// The block of packages that obsolete installed ones.
    fn obsoleting(sack: &Sack, key: &'static str, is_meant: &dyn Fn(&PackageId) -> bool) -> Self {
        let mut obsoleted: BTreeMap<PackageId, Vec<PackageId>> = BTreeMap::new();
        for (new, old) in filter::obsoleting(sack) {
            obsoleted.entry(new).or_default().push(old);
        }
        let ids: Vec<PackageId> = obsoleted.keys().copied().filter(is_meant).collect();
        let ids = sorted(sack, filter::latest(sack, &ids, 1));
        Self { heading: "Obsoleting packages", key, ids, obsoleted }
    }

    /// Returns what a package of it obsoletes.
    pub fn obsoleted_by(&self, id: PackageId) -> &[PackageId] {
        self.obsoleted.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Returns what stands above its rows, where so many blocks stand before it.
    fn head(&self, before: usize) -> String {
        format!("{}{}\n", if before > 0 { "\n" } else { "" }, self.heading)
    }

    /// Returns the packages of its rows, each with what stands before its name.
    fn rows(&self) -> impl Iterator<Item = (PackageId, &'static str)> {
        self.ids.iter().flat_map(move |id| {
            let under = self.obsoleted_by(*id).iter().map(|old| (*old, "    "));
            std::iter::once((*id, "")).chain(under)
        })
    }
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
    // What a repository was the source of is installed.
    let only_installed = which.installed || !args.installed_from_repo.is_empty() && !which.any();
    let needs = if only_installed || which.autoremove { Needs::INSTALLED } else { Needs::ALL };
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
    let section = Section::new;
    let available = |hide_installed: bool| {
        let all = sack.available().map(|package| package.id);
        let mut ids: Vec<PackageId> = all.filter(|id| matches(id)).collect();
        if !args.showduplicates {
            ids = filter::latest(sack, &filter::best_priority(sack, &ids), 1);
        }
        if hide_installed {
            let present = installed_versions(sack);
            ids.retain(|id| !is_present(&present, sack.get(*id).nevra()));
        }
        sorted(sack, ids)
    };
    let sections = if only_installed {
        vec![section("Installed packages", "installed_packages", installed())]
    } else if which.available {
        vec![section("Available packages", "available_packages", available(false))]
    } else if which.extras {
        vec![section("Extra packages", "extra_packages", select(filter::extras(sack)))]
    } else if which.obsoletes {
        vec![Section::obsoleting(sack, "obsoleting_packages", &matches)]
    } else if which.upgrades {
        vec![section("Available upgrades", "available_upgrades", select(filter::upgrades(sack)))]
    } else if which.recent {
        let days = u64::from(session.configuration.main.recent);
        let ids = filter::recent(sack, days, session.now());
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
    let Some(width) = session.width() else { return write_sections(session, sack, sections) };
    let rows: Vec<Vec<String>> =
        sections.iter().flat_map(Section::rows).map(|(id, mark)| row(sack, id, mark)).collect();
    let mut lines = fitted(&[Side::Left; 3], &rows, Some(width)).into_iter();
    for (number, section) in sections.iter().filter(|one| !one.ids.is_empty()).enumerate() {
        session.printer.raw(&section.head(number));
        for line in lines.by_ref().take(section.rows().count()) {
            session.printer.data(&line);
        }
    }
}

/// How much is written at once.
const PIECE: usize = 64 << 10;

/// Writes the blocks for another program. They may be all packages of a distribution: nothing is kept but what is written next.
fn write_sections(session: &Session, sack: &Sack, sections: &[Section]) {
    let mut widths = [0; 3];
    for (id, mark) in sections.iter().flat_map(Section::rows) {
        cells(sack, id, mark, &mut |column, parts| {
            widths[column] = cell_width(parts).max(widths[column]);
        });
    }
    let [name, version, _] = widths.map(|width| width + 1);
    let mut text = String::with_capacity(PIECE + 1024);
    for (number, section) in sections.iter().filter(|one| !one.ids.is_empty()).enumerate() {
        text.push_str(&section.head(number));
        for (id, mark) in section.rows() {
            cells(sack, id, mark, &mut |column, parts| {
                push_cell(&mut text, parts, [name, version, 0][column]);
            });
            text.truncate(text.trim_end_matches(' ').len());
            text.push('\n');
            if text.len() > PIECE {
                session.printer.raw(&text);
                text.clear();
            }
        }
    }
    session.printer.raw(&text);
}

/// Passes the cells of a row on, each in parts.
fn cells(sack: &Sack, id: PackageId, mark: &str, take: &mut dyn FnMut(usize, &[&str])) {
    let Nevra { name, evr, arch } = sack.get(id).nevra();
    take(0, &[mark, name, ".", arch]);
    if evr.epoch == 0 && !evr.release.is_empty() {
        // As it is displayed, without the cost of formatting.
        take(1, &[&evr.version, "-", &evr.release]);
    } else {
        take(1, &[&evr.to_string()]);
    }
    take(2, &[repository_of(sack, id)]);
}

fn row(sack: &Sack, id: PackageId, mark: &str) -> Vec<String> {
    let package = sack.get(id);
    let nevra = package.nevra();
    vec![
        format!("{mark}{}.{}", nevra.name, nevra.arch),
        nevra.evr.to_string(),
        repository_of(sack, id).to_owned(),
    ]
}

#[derive(Serialize)]
struct JsonPackage {
    name: String,
    arch: String,
    evr: String,
    repository: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    obsoletes: Vec<JsonPackage>,
}

impl JsonPackage {
    fn of(sack: &Sack, id: PackageId, obsoleted: &[PackageId]) -> Self {
        let nevra = sack.get(id).nevra();
        Self {
            name: nevra.name.clone(),
            arch: nevra.arch.clone(),
            evr: nevra.evr.to_string(),
            repository: repository_of(sack, id).to_owned(),
            obsoletes: obsoleted.iter().map(|old| Self::of(sack, *old, &[])).collect(),
        }
    }
}

/// Prints sections as JSON in dnf5's form.
pub fn print_json(session: &Session, sack: &Sack, sections: &[Section]) -> CommandResult {
    let mut document: BTreeMap<&str, Vec<JsonPackage>> = BTreeMap::new();
    for section in sections.iter().filter(|section| !section.ids.is_empty()) {
        let packages =
            section.ids.iter().map(|id| JsonPackage::of(sack, *id, section.obsoleted_by(*id)));
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
        let selected = args.advisories.select_or_tell(&loaded.advisories)?;
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
    if by_advisories && ids.is_empty() && !args.json {
        let others = filter::upgrades(sack).into_iter().filter(is_meant).count();
        if others > 0 {
            let line = format!("No security updates needed, but {others} update(s) available");
            session.printer.data(&line);
        }
    }
    let found = !ids.is_empty();
    let mut sections = vec![Section::new("Upgrades", "upgrades", sorted(sack, ids))];
    if args.specs.is_empty() && !by_advisories {
        sections.push(Section::obsoleting(sack, "obsoletes", &|_| true));
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
