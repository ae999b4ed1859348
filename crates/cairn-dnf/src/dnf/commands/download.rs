// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf download`: package files without installing them.

use crate::dnf::cli::{DownloadArgs, DownloadInstead, ResolveOptions};
use crate::dnf::session::{Loaded, Needs, Session};
use crate::dnf::table::size_text;
use crate::dnf::transact::{
    self, Choices, Targets, configured_directory, settings, solve_request, targets_of,
};
use crate::failure::{CommandResult, Failure, complain};
use cairn_host::fetch::Download;
use cairn_pkg::query::{Sack, SackPackage, SpecScope, filter, glob, match_spec};
use cairn_pkg::repos::metadata::resolve_base_urls;
use cairn_pkg::resolve::Request;
use cairn_solve::{Job, PackageId};
use cairn_ui::exit;

/// Runs `dnf download`.
pub fn download(session: &Session, args: &DownloadArgs) -> CommandResult {
    if args.alldeps && !args.resolve {
        return Err(Failure::usage("Option \"--alldeps\" should be used with \"--resolve\"."));
    }
    let needs = if args.resolve && !args.alldeps { Needs::ALL } else { Needs::AVAILABLE };
    let loaded = session.load(needs)?;
    let ids = select(session, &loaded, args)?;
    let directory = match args.destdir.clone().or_else(|| configured_directory(session)) {
        Some(directory) => directory,
        None => cairn_host::paths::current_dir()?,
    };
    let targets = targets_of(session, &loaded, &ids, Some(&directory))?;
    if args.url {
        return print_urls(session, &loaded, &ids, &targets, args);
    }
    session.printer.data("Downloading Packages:");
    fetch(session, &loaded, &ids, &targets.downloads)?;
    Ok(exit::SUCCESS)
}

/// Downloads packages and shows each of them as dnf5's progress does at its end.
pub fn fetch(
    session: &Session,
    loaded: &Loaded,
    ids: &[PackageId],
    downloads: &[Download],
) -> Result<(), Failure> {
    let was_there = |download: &Download| {
        let size = std::fs::metadata(&download.dest).map(|stat| stat.len()).ok();
        size.is_some() && size == download.expected.size
    };
    let were_there: Vec<bool> = downloads.iter().map(was_there).collect();
    transact::download(session, downloads)?;
    for (id, was_there) in ids.iter().zip(were_there) {
        let package = loaded.sack.get(*id);
        let size = if was_there { 0 } else { package.details.size_package };
        let name = package.nevra().with_epoch();
        session
            .printer
            .info(&format!(" {name:<38.38} 100% |   0.0   B/s | {:>9} |  00m00s", size_text(size)));
        if was_there {
            session.printer.info(">>> Already downloaded");
        }
    }
    Ok(())
}

/// Prints where the packages are, of the first or of all mirrors.
fn print_urls(
    session: &Session,
    loaded: &Loaded,
    ids: &[PackageId],
    targets: &Targets,
    args: &DownloadArgs,
) -> CommandResult {
    let is_wanted = |url: &str| {
        let protocol = url.split("://").next().unwrap_or_default();
        args.urlprotocol.is_empty() || args.urlprotocol.iter().any(|wanted| wanted == protocol)
    };
    if !args.allmirrors {
        for download in targets.downloads.iter().filter(|download| is_wanted(&download.url)) {
            session.printer.data(&download.url);
        }
        return Ok(exit::SUCCESS);
    }
    for details in ids.iter().map(|id| loaded.sack.get(*id).details) {
        let configs = &session.configuration.repositories;
        let Some(config) = configs.iter().find(|config| config.id == details.repository) else {
            continue;
        };
        let bases = resolve_base_urls(config, &session.network)?;
        let urls = bases.iter().map(|base| format!("{base}/{}", details.location));
        let urls: Vec<String> = urls.filter(|url| is_wanted(url)).collect();
        session.printer.data(&urls.join(" "));
    }
    Ok(exit::SUCCESS)
}

/// Says whether the options let a package count.
fn is_meant(package: SackPackage<'_>, args: &DownloadArgs) -> bool {
    let fits = |list: &[String], text: &str| {
        list.is_empty() || list.iter().any(|wanted| glob::matches(wanted.trim(), text))
    };
    (args.arch.is_empty() || args.arch.contains(&package.nevra().arch))
        && fits(&args.from_repo, &package.details.repository)
        && fits(&args.from_vendor, &package.candidate.vendor)
}

/// Returns the source or debugging packages of packages, if those are wanted.
fn instead(sack: &Sack, ids: Vec<PackageId>, which: DownloadInstead) -> Vec<PackageId> {
    if !(which.srpm || which.debuginfo || which.debugsource) {
        return ids;
    }
    if which.srpm {
        let sources = |id: PackageId| match sack.get(id).nevra().arch.as_str() {
            "src" => vec![id],
            _ => filter::sources_of(sack, &[id]),
        };
        return ids.into_iter().flat_map(sources).collect();
    }
    let names = |id: &PackageId| {
        let package = sack.get(*id);
        let nevra = package.nevra();
        let source = package.details.sourcerpm.strip_suffix(".src.rpm").unwrap_or_default();
        let source = source.rsplitn(3, '-').nth(2).unwrap_or(&nevra.name);
        if which.debuginfo {
            // That of the package itself or that of all packages of its source.
            vec![format!("{}-debuginfo", nevra.name), format!("{source}-debuginfo")]
        } else {
            vec![format!("{source}-debugsource")]
        }
    };
    let mut found = Vec::new();
    for id in &ids {
        let package = sack.get(*id);
        let is_of_same = |name: &str, other: &SackPackage<'_>| {
            other.nevra().name == name
                && other.nevra().evr == package.nevra().evr
                && other.nevra().arch == package.nevra().arch
        };
        let of = |name: &String| {
            let others = sack.available().filter(|other| is_of_same(name, other));
            others.map(|other| other.id).collect::<Vec<_>>()
        };
        let names = names(id);
        found.extend(names.iter().map(of).find(|ids| !ids.is_empty()).unwrap_or_default());
    }
    found
}

fn select(
    session: &Session,
    loaded: &Loaded,
    args: &DownloadArgs,
) -> Result<Vec<PackageId>, Failure> {
    let sack = &loaded.sack;
    let mut ids = Vec::new();
    for spec in &args.specs {
        let (found, _) = match_spec(sack, spec, SpecScope::Available);
        let found: Vec<PackageId> =
            found.into_iter().filter(|id| is_meant(sack.get(*id), args)).collect();
        let found = instead(sack, found, args.instead);
        if found.is_empty() && args.skip_unavailable {
            complain(&format!("No package \"{spec}\" available."));
        } else if found.is_empty() {
            return Err(Failure::lines(vec![format!(
                "No package \"{spec}\" available; You might want to use --skip-unavailable option."
            )]));
        }
        ids.extend(filter::latest(sack, &filter::best_priority(sack, &found), 1));
    }
    once(sack, &mut ids);
    if !args.resolve {
        return Ok(ids);
    }
    let options = ResolveOptions::default();
    let mut request =
        Request::new(sack, &loaded.groups, &loaded.state, settings(session, &options));
    // Of source packages, what building them requires.
    let (sources, packages): (Vec<PackageId>, Vec<PackageId>) =
        ids.iter().partition(|id| sack.get(**id).nevra().arch == "src");
    request.jobs.extend(packages.iter().map(|id| Job::Install(vec![*id])));
    for wanted in sources.iter().flat_map(|id| &sack.get(*id).candidate.requires) {
        request.require(wanted);
    }
    if !request.problems.is_empty() {
        return Err(transact::unresolvable(&request));
    }
    let choices = Choices { resolve: options, keep_unneeded: true, ..Choices::default() };
    let plan = solve_request(session, loaded, &request, &choices)?;
    ids.extend(plan.inbound().map(|item| item.id));
    once(sack, &mut ids);
    Ok(ids)
}

/// Sorts packages by name and version; what several repositories have stays once.
pub fn once(sack: &Sack, ids: &mut Vec<PackageId>) {
    ids.sort_by(|a, b| (sack.get(*a).nevra(), a).cmp(&(sack.get(*b).nevra(), b)));
    ids.dedup_by(|a, b| sack.get(*a).nevra() == sack.get(*b).nevra());
}
