// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf repoquery`: select packages, then show something of each.

use super::info::details;
use super::list::sorted;
use super::queryformat::{self, Around, dependency_lines, depends_lines, requirement_lines};
use crate::dnf::cli::{ProvidersOf, RepoqueryArgs};
use crate::dnf::session::{Loaded, Needs, Session};
use crate::failure::{CommandResult, Failure};
use cairn_pkg::query::filter::{self, DependencyKind, depending_on};
use cairn_pkg::query::sack::{Origin, Sack};
use cairn_pkg::query::{SackPackage, glob, match_question};
use cairn_pkg::repos::mirrors::normalized;
use cairn_pkg::state::PackageReason;
use cairn_rpm::dependency::Dependency;
use cairn_rpm::evr::Nevra;
use cairn_solve::PackageId;
use cairn_ui::{Color, Printer, Verbosity, exit};
use std::collections::BTreeSet;

/// Lists the tags of `--queryformat`.
pub fn querytags() -> CommandResult {
    let printer = Printer::new(Verbosity::Normal, Color::Never);
    for tag in queryformat::TAGS {
        printer.data(tag);
    }
    Ok(exit::SUCCESS)
}

/// Runs `dnf repoquery`.
pub fn repoquery(session: &Session, args: &RepoqueryArgs) -> CommandResult {
    check_usage(args)?;
    let loaded = session.load(needs(args))?;
    let mut ids = select(session, &loaded, args);
    if args.advisories.is_active() {
        let selected = args.advisories.select_or_tell(&loaded.advisories)?;
        // Whatever is newer has the fix as well.
        let has_fix = |nevra: &Nevra| {
            selected.iter().flat_map(|advisory| &advisory.packages).any(|fixed| {
                fixed.nevra.name == nevra.name
                    && fixed.nevra.arch == nevra.arch
                    && fixed.nevra.evr <= nevra.evr
            })
        };
        ids.retain(|id| has_fix(loaded.sack.get(*id).nevra()));
    }
    if let Some(attribute) = args.providers_of {
        ids = providers_of(&loaded.sack, ids, attribute, args);
    }
    if args.srpm {
        ids = sorted(&loaded.sack, filter::sources_of(&loaded.sack, &ids));
    }
    if args.changelogs {
        super::changelog::print(session, &loaded, &ids, &|_, log| log.to_vec());
        return Ok(exit::SUCCESS);
    }
    show(session, &loaded.sack, &ids, args)?;
    Ok(exit::SUCCESS)
}

/// Refuses options that say nothing without another one.
fn check_usage(args: &RepoqueryArgs) -> Result<(), Failure> {
    let requires = !args.whatrequires.is_empty();
    if args.recursive && !requires && args.providers_of != Some(ProvidersOf::Requires) {
        return Err(Failure::usage("--recursive says nothing here")
            .hint("it goes with --whatrequires or --providers-of=requires"));
    }
    if args.exactdeps && !requires && args.whatdepends.is_empty() {
        return Err(Failure::usage("--exactdeps says nothing here")
            .hint("it goes with --whatrequires or --whatdepends"));
    }
    Ok(())
}

fn wants_installed(args: &RepoqueryArgs) -> bool {
    args.installed
        || args.userinstalled
        || args.extras
        || args.unneeded
        || args.leaves
        || args.duplicates
        || !args.installed_from_repo.is_empty() && !args.available
        || args.installonly && !args.available
}

fn needs(args: &RepoqueryArgs) -> Needs {
    let wants_files = args.show.files
        || !args.file.is_empty()
        || args.queryformat.as_deref().is_some_and(|format| format.contains("{files}"))
        || args
            .specs
            .iter()
            .chain(&args.whatprovides)
            .any(|spec| spec.starts_with('/') || spec.starts_with("*/"));
    let installed = wants_installed(args) || args.upgrades;
    let available = !wants_installed(args)
        || args.available
        || args.extras
        || args.resolve
        || args.srpm
        || args.providers_of.is_some();
    let advisories = args.advisories.is_active();
    Needs {
        installed,
        available: available || advisories,
        filelists: wants_files && available,
        advisories,
        changelogs: args.changelogs,
    }
}

fn select(session: &Session, loaded: &Loaded, args: &RepoqueryArgs) -> Vec<PackageId> {
    let sack = &loaded.sack;
    let mut ids: Vec<PackageId> = if args.upgrades {
        filter::newer(sack)
    } else if args.extras {
        filter::extras(sack)
    } else if args.unneeded {
        filter::unneeded(sack)
    } else if args.leaves {
        filter::leaves(sack)
    } else if args.duplicates {
        filter::duplicates(sack, &session.configuration.main.installonlypkgs)
    } else if args.installed && args.available {
        sack.iter().map(|package| package.id).collect()
    } else if wants_installed(args) {
        sack.installed().map(|package| package.id).collect()
    } else {
        sack.available().map(|package| package.id).collect()
    };
    if args.recent {
        let days = u64::from(session.configuration.main.recent);
        ids.retain(|id| filter::is_recent(sack.get(*id), days, session.now()));
    }
    if !args.installed_from_repo.is_empty() {
        ids.retain(|id| {
            let own = &sack.get(*id).details.from_repository;
            args.installed_from_repo.iter().any(|wanted| glob::matches(wanted, own))
        });
    }
    if args.userinstalled {
        let is_user = |id: &PackageId| {
            matches!(
                sack.get(*id).details.reason,
                PackageReason::User
                    | PackageReason::ExternalUser
                    | PackageReason::Group
                    | PackageReason::None
            )
        };
        ids.retain(is_user);
    }
    if args.installonly {
        let names = &session.configuration.main.installonlypkgs;
        ids.retain(|id| sack.get(*id).candidate.is_installonly(names));
    }
    select_specs(sack, &mut ids, args);
    if !args.arch.is_empty() {
        ids.retain(|id| {
            args.arch.iter().any(|arch| glob::matches(arch, &sack.get(*id).nevra().arch))
        });
    }
    select_dependencies(sack, &mut ids, args);
    if let Some(limit) = args.latest_limit.filter(|limit| *limit != 0) {
        ids = filter::latest(sack, &ids, limit);
    }
    sorted(sack, ids)
}

fn select_specs(sack: &Sack, ids: &mut Vec<PackageId>, args: &RepoqueryArgs) {
    if !args.specs.is_empty() {
        // What is only provided is a matter of --whatprovides.
        let named = |spec: &String| match_question(sack, spec);
        let wanted: BTreeSet<PackageId> = args.specs.iter().flat_map(named).collect();
        ids.retain(|id| wanted.contains(id));
    }
    if !args.file.is_empty() {
        let has = |file: &String| args.file.iter().any(|pattern| glob::matches(pattern, file));
        ids.retain(|id| sack.get(*id).candidate.files.iter().any(has));
    }
    if !args.whatprovides.is_empty() {
        let everything = |package: &SackPackage<'_>| package.nevra().arch != "src";
        let wanted: BTreeSet<PackageId> = args
            .whatprovides
            .iter()
            .flat_map(|spec| {
                let mut found = cairn_pkg::query::spec::match_provides(sack, spec, &everything);
                found.extend(cairn_pkg::query::spec::match_files(sack, spec, &everything));
                found
            })
            .collect();
        ids.retain(|id| wanted.contains(id));
    }
}

fn select_dependencies(sack: &Sack, ids: &mut Vec<PackageId>, args: &RepoqueryArgs) {
    use DependencyKind as K;
    let filters = [
        (&args.whatrequires, K::Requires),
        (&args.whatrecommends, K::Recommends),
        (&args.whatsuggests, K::Suggests),
        (&args.whatsupplements, K::Supplements),
        (&args.whatenhances, K::Enhances),
        (&args.whatconflicts, K::Conflicts),
        (&args.whatobsoletes, K::Obsoletes),
    ];
    let scope = ids.clone();
    for (wanted, kind) in filters {
        if wanted.is_empty() {
            continue;
        }
        let mut found: BTreeSet<PackageId> =
            dependents(args)(sack, kind, wanted, &scope).into_iter().collect();
        let is_recursive = args.recursive && kind == K::Requires;
        loop {
            if !is_recursive {
                break;
            }
            let names: Vec<String> =
                found.iter().map(|id| sack.get(*id).nevra().to_string()).collect();
            let more = depending_on(sack, kind, &names, &scope);
            let before = found.len();
            found.extend(more);
            if found.len() == before {
                break;
            }
        }
        ids.retain(|id| found.contains(id));
    }
    if !args.whatdepends.is_empty() {
        let found: BTreeSet<PackageId> = K::DEPENDS
            .into_iter()
            .flat_map(|kind| dependents(args)(sack, kind, &args.whatdepends, &scope))
            .collect();
        ids.retain(|id| found.contains(id));
    }
}

/// Returns how packages that depend on a capability are found.
fn dependents(
    args: &RepoqueryArgs,
) -> fn(&Sack, DependencyKind, &[String], &[PackageId]) -> Vec<PackageId> {
    if args.exactdeps { filter::naming } else { depending_on }
}

/// Returns what provides an attribute of packages.
fn providers_of(
    sack: &Sack,
    ids: Vec<PackageId>,
    attribute: ProvidersOf,
    args: &RepoqueryArgs,
) -> Vec<PackageId> {
    let mut found = BTreeSet::new();
    let mut next = ids;
    while !next.is_empty() {
        let dependencies: Vec<_> = next.iter().flat_map(|id| attribute.of(sack.get(*id))).collect();
        let providers: BTreeSet<PackageId> = dependencies
            .iter()
            .flat_map(|dependency| filter::providers(sack, dependency))
            .filter(|id| wants_installed(args) == sack.get(*id).is_installed())
            .filter(|id| sack.get(*id).nevra().arch != "src")
            .collect();
        let latest = filter::latest(sack, &providers.into_iter().collect::<Vec<_>>(), 1);
        let providers: BTreeSet<PackageId> = latest.into_iter().collect();
        let is_recursive = args.recursive && attribute == ProvidersOf::Requires;
        next = providers.difference(&found).copied().filter(|_| is_recursive).collect();
        found.extend(providers);
    }
    sorted(sack, found.into_iter().collect())
}

impl ProvidersOf {
    /// Returns the dependencies of a package.
    fn of(self, package: SackPackage<'_>) -> Vec<&Dependency> {
        use DependencyKind as K;
        let kinds: &[K] = match self {
            Self::Conflicts => &[K::Conflicts],
            Self::Depends => &K::DEPENDS,
            Self::Enhances => &[K::Enhances],
            Self::Obsoletes => &[K::Obsoletes],
            Self::Provides => &[K::Provides],
            Self::Recommends => &[K::Recommends],
            Self::Requires | Self::RequiresPre => &[K::Requires],
            Self::Suggests => &[K::Suggests],
            Self::Supplements => &[K::Supplements],
        };
        let is_wanted = |dependency: &&Dependency| match self {
            Self::RequiresPre => queryformat::is_of_scripts(dependency),
            Self::Depends => !queryformat::is_of_scripts(dependency),
            _ => true,
        };
        kinds.iter().flat_map(|kind| kind.of(package.candidate)).filter(is_wanted).collect()
    }
}

fn show(
    session: &Session,
    sack: &Sack,
    ids: &[PackageId],
    args: &RepoqueryArgs,
) -> Result<(), Failure> {
    use DependencyKind as K;
    let printer = &session.printer;
    if args.json {
        let section = super::list::Section::new("", "packages", ids.to_vec());
        super::list::print_json(session, sack, &[section])?;
        return Ok(());
    }
    if let Some(format) = &args.queryformat {
        // dnf5 ends each package's text as the format does: `\n` is the caller's business.
        let texts: BTreeSet<String> = ids
            .iter()
            .map(|id| sack.get(*id))
            .map(|package| {
                let location = &location(sack, package);
                queryformat::render(format, package, Around { sack, location })
            })
            .collect();
        texts.iter().for_each(|text| printer.raw(text));
        return Ok(());
    }
    let show = args.show;
    if show.info {
        for id in ids {
            for line in details(sack, sack.get(*id), &[]) {
                printer.data(&line);
            }
            printer.data("");
        }
        return Ok(());
    }
    let kinds = [
        (show.requires, K::Requires),
        (show.provides, K::Provides),
        (show.conflicts, K::Conflicts),
        (show.obsoletes, K::Obsoletes),
        (show.recommends, K::Recommends),
        (show.suggests, K::Suggests),
        (show.supplements, K::Supplements),
        (show.enhances, K::Enhances),
    ];
    let kind = kinds.into_iter().find(|(wanted, _)| *wanted).map(|(_, kind)| kind);
    let mut lines: BTreeSet<String> = BTreeSet::new();
    for id in ids {
        let package = sack.get(*id);
        match kind {
            Some(K::Requires) if args.resolve => lines.extend(resolved(sack, package)),
            Some(kind) => lines.extend(dependency_lines(package, kind)),
            None if show.depends => lines.extend(depends_lines(package)),
            None if show.requires_pre => lines.extend(requirement_lines(package, true)),
            None if show.files => lines.extend(package.candidate.files.iter().cloned()),
            None if show.sourcerpm => drop(lines.insert(package.details.sourcerpm.clone())),
            None if show.location => drop(lines.insert(location(sack, package))),
            None => drop(lines.insert(package.nevra().with_epoch())),
        }
    }
    for line in lines {
        printer.data(&cairn_ui::escape_control(&line));
    }
    Ok(())
}

/// Returns the address of a package file; without the repository's address where that is known only to a mirror list.
fn location(sack: &Sack, package: SackPackage<'_>) -> String {
    let base = match package.details.origin {
        Origin::Repository(index) => sack.repositories[index].base_urls.first(),
        Origin::Installed(_) | Origin::File(_) => None,
    };
    let location = &package.details.location;
    base.map_or_else(|| location.clone(), |base| format!("{}/{location}", normalized(base)))
}

/// Returns the packages that provide what a package requires.
fn resolved(sack: &Sack, package: SackPackage<'_>) -> Vec<String> {
    let wants = package.candidate.requires.iter();
    let providers = |wanted| sack.providers(wanted).map(|package| package.nevra().with_epoch());
    wants.flat_map(|wanted| providers(wanted).collect::<Vec<_>>()).collect()
}
