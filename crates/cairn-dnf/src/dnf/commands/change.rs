// SPDX-License-Identifier: MIT OR Apache-2.0
//! The commands that change the system: `install`, `remove`, `upgrade`, `downgrade`, `reinstall`, `swap`, `autoremove`,
//! `distro-sync`.

use super::recover::recover_first;
use crate::dnf::advisories::{Reach, upgrades};
use crate::dnf::cli::{
    AdvisoryFilter, AutoremoveArgs, DistroSyncArgs, InstallArgs, RemoveArgs, ResolveOptions,
    SpecsArgs, SwapArgs, UpgradeArgs,
};
use crate::dnf::local::split_specs;
use crate::dnf::session::{Loaded, Needs, Session};
use crate::dnf::transact::{Choices, resolve_and_run, settings};
use crate::failure::{CommandResult, Failure};
use cairn_pkg::query::{Origin, Sack, SackPackage, SpecScope, filter, glob, match_spec};
use cairn_pkg::resolve::Request;
use cairn_solve::{Job, PackageId};
use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};

fn choices(resolve: &ResolveOptions) -> Choices {
    Choices { resolve: resolve.clone(), ..Choices::default() }
}

/// A file or glob argument can only be answered with all file lists.
pub fn needs_for(specs: &[String]) -> Needs {
    let filelists = specs.iter().any(|spec| {
        (spec.starts_with('/') || spec.starts_with("*/"))
            && !cairn_rpm::repodata::is_primary_path(spec)
    });
    Needs { filelists, ..Needs::ALL }
}

/// Runs `dnf install`.
pub fn install(session: &Session, args: &InstallArgs) -> CommandResult {
    recover_first(session)?;
    let (files, specs) = split_specs(session, &args.specs)?;
    let needs = Needs { advisories: args.advisories.is_active(), ..needs_for(&specs) };
    let loaded = session.load_for_change(needs, &files, &specs)?;
    let mut request = request(session, &loaded, &args.resolve);
    if args.advisories.is_active() {
        limit_to_advisories(&mut request, &loaded, &args.advisories)?;
    }
    add_files(&mut request, &loaded);
    for spec in &specs {
        request.install(spec);
    }
    // What comes beside other versions takes no place.
    let beside = &session.configuration.main.installonlypkgs;
    let remarks = vendor_remarks(session, &loaded, &specs, beside);
    resolve_and_run(session, &loaded, request, &Choices { remarks, ..choices(&args.resolve) })
}

/// Runs `dnf upgrade`.
pub fn upgrade(session: &Session, args: &UpgradeArgs) -> CommandResult {
    recover_first(session)?;
    let (files, specs) = split_specs(session, &args.specs)?;
    let by_advisories = args.minimal || args.advisories.is_active();
    let needs = Needs { advisories: by_advisories, ..needs_for(&specs) };
    let loaded = session.load_for_change(needs, &files, &specs)?;
    let mut request = request(session, &loaded, &args.resolve);
    if by_advisories {
        add_advisories(&loaded, args, &mut request, &specs)?;
    } else {
        if args.specs.is_empty() {
            request.upgrade_all();
        }
        for spec in &specs {
            request.upgrade(spec);
        }
    }
    let obsoleting = LazyCell::new(|| filter::obsoleting(&loaded.sack));
    for id in &loaded.files {
        let nevra = loaded.sack.get(*id).nevra();
        let mut same = loaded.sack.by_name(&nevra.name);
        let replaces = || obsoleting.iter().any(|(new, _)| new == id);
        if same.any(|package| package.is_installed()) || replaces() {
            add_file(&mut request, &loaded, *id);
        } else {
            let message = format!("Packages for argument '{nevra}' available, but not installed.");
            request.messages.push(message);
        }
    }
    let remarks = vendor_remarks(session, &loaded, &specs, &[]);
    resolve_and_run(session, &loaded, request, &Choices { remarks, ..choices(&args.resolve) })
}

/// Says how many upgrades stay away because only other vendors have them. Packages named `beside` do not count.
fn vendor_remarks(
    session: &Session,
    loaded: &Loaded,
    specs: &[String],
    beside: &[String],
) -> Vec<String> {
    if session.configuration.main.allow_vendor_change {
        return Vec::new();
    }
    let sack = &loaded.sack;
    let mut newer = if specs.is_empty() {
        filter::newer(sack)
    } else {
        let meant = specs.iter().flat_map(|spec| match_spec(sack, spec, SpecScope::Available).0);
        let is_newer = |id: &PackageId| {
            let new = sack.get(*id).nevra();
            let mut same = sack.by_name(&new.name).filter(SackPackage::is_installed);
            same.any(|old| old.nevra().arch == new.arch && old.nevra().evr < new.evr)
        };
        meant.filter(is_newer).collect()
    };
    newer.retain(|id| !sack.get(*id).candidate.is_installonly(beside));
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for old in sack.installed() {
        let offered = newer.iter().map(|id| sack.get(*id)).filter(|new| {
            (&new.nevra().name, &new.nevra().arch) == (&old.nevra().name, &old.nevra().arch)
        });
        let own = &old.candidate.vendor;
        let other = offered.max_by(|a, b| a.nevra().evr.cmp(&b.nevra().evr));
        let has_own = |id: &PackageId| {
            let new = sack.get(*id);
            new.nevra().name == old.nevra().name && new.candidate.vendor == *own
        };
        if let Some(other) = other.filter(|_| !newer.iter().any(has_own)) {
            *counts.entry((own, &other.candidate.vendor)).or_default() += 1;
        }
    }
    let line = |((from, to), count): ((&str, &str), usize)| {
        let packages = if count == 1 { "package" } else { "packages" };
        let (from, to) = (named_vendor(from), named_vendor(to));
        format!(
            "Skipping {count} {packages} due to vendor change restriction: \"{from}\" -> \"{to}\"."
        )
    };
    counts.into_iter().map(line).collect()
}

fn named_vendor(vendor: &str) -> &str {
    if vendor.is_empty() { "(none)" } else { vendor }
}

/// Adds the upgrades that advisories ask for, limited to what the arguments name.
fn add_advisories(
    loaded: &Loaded,
    args: &UpgradeArgs,
    request: &mut Request<'_>,
    specs: &[String],
) -> Result<(), Failure> {
    let selected = args.advisories.select(&loaded.advisories)?;
    let reach = if args.minimal { Reach::Lowest } else { Reach::Newest };
    let mut ids = upgrades(loaded, &selected, reach);
    if !specs.is_empty() {
        let mut named: BTreeSet<&str> = BTreeSet::new();
        for spec in specs {
            let (found, _) = match_spec(&loaded.sack, spec, SpecScope::Installed);
            if found.is_empty() {
                request.upgrade(spec);
            }
            let is_named = |id: &PackageId| {
                let name = &loaded.sack.get(*id).nevra().name;
                found.iter().any(|other| loaded.sack.get(*other).nevra().name == *name)
            };
            if !found.is_empty() && !ids.iter().any(is_named) {
                let message = format!("No match for argument '{spec}' in selected advisories");
                request.impossible(message);
            }
            named.extend(found.iter().map(|id| loaded.sack.get(*id).nevra().name.as_str()));
        }
        ids.retain(|id| named.contains(loaded.sack.get(*id).nevra().name.as_str()));
    }
    if selected.is_empty() {
        request.messages.push("No advisory found matching the specified filters.".to_owned());
    }
    if ids.is_empty() {
        request.messages.push("No match in selected advisories".to_owned());
    }
    request.upgrade_to(&ids);
    Ok(())
}

/// Runs `dnf distro-sync`.
pub fn distro_sync(session: &Session, args: &DistroSyncArgs) -> CommandResult {
    recover_first(session)?;
    let loaded = session.load_for_change(needs_for(&args.specs), &[], &args.specs)?;
    let mut request = request(session, &loaded, &args.resolve);
    request.distro_sync(&args.specs);
    let remarks = vendor_remarks(session, &loaded, &args.specs, &[]);
    resolve_and_run(session, &loaded, request, &Choices { remarks, ..choices(&args.resolve) })
}

/// What a new release does to the installed packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Bring them to its versions, newer or older.
    Sync,
    /// Only to newer ones.
    Upgrade,
}

/// Runs `dnf system-upgrade download`: packages, and groups and environments to their present definitions.
pub fn system_upgrade(
    session: &Session,
    extent: Extent,
    resolve: &ResolveOptions,
) -> CommandResult {
    recover_first(session)?;
    let loaded = session.load(Needs::ALL)?;
    let mut request = request(session, &loaded, resolve);
    match extent {
        Extent::Sync => request.distro_sync(&[]),
        Extent::Upgrade => request.upgrade_all(),
    }
    let environments = loaded.state.environments.keys();
    for id in environments.filter(|id| loaded.groups.environment(id).is_some()) {
        request.upgrade_environment(id);
    }
    for id in loaded.state.groups.keys().filter(|id| loaded.groups.group(id).is_some()) {
        if !request.group_changes.iter().any(|change| change.id == *id) {
            request.upgrade_group(id);
        }
    }
    resolve_and_run(session, &loaded, request, &choices(resolve))
}

/// Runs `dnf downgrade`.
pub fn downgrade(session: &Session, args: &SpecsArgs) -> CommandResult {
    recover_first(session)?;
    let (files, specs) = split_specs(session, &args.specs)?;
    let loaded = session.load_for_change(needs_for(&specs), &files, &specs)?;
    let mut request = request(session, &loaded, &args.resolve);
    for id in &loaded.files {
        request.downgrade(&loaded.sack.get(*id).nevra().to_string());
    }
    for spec in &specs {
        request.downgrade(spec);
    }
    resolve_and_run(session, &loaded, request, &choices(&args.resolve))
}

/// Runs `dnf reinstall`.
pub fn reinstall(session: &Session, args: &SpecsArgs) -> CommandResult {
    recover_first(session)?;
    let (files, specs) = split_specs(session, &args.specs)?;
    let loaded = session.load_for_change(needs_for(&specs), &files, &specs)?;
    let mut request = request(session, &loaded, &args.resolve);
    for id in &loaded.files {
        request.reinstall(&loaded.sack.get(*id).nevra().to_string());
    }
    for spec in &specs {
        request.reinstall(spec);
    }
    resolve_and_run(session, &loaded, request, &choices(&args.resolve))
}

/// Runs `dnf debuginfo-install`: the debugging symbols and their sources of what is installed, else of the newest version there is.
pub fn debuginfo_install(session: &Session, args: &SpecsArgs) -> CommandResult {
    recover_first(session)?;
    let loaded = session.load(Needs::ALL)?;
    let sack = &loaded.sack;
    let mut request = request(session, &loaded, &args.resolve);
    for spec in &args.specs {
        let ids = with_symbols(sack, spec);
        if ids.is_empty() {
            request.install(spec);
        }
        let mut missing: [Vec<String>; 2] = [Vec::new(), Vec::new()];
        for id in ids {
            let package = sack.get(id);
            let nevra = package.nevra();
            if is_for_debugging(&nevra.name) {
                request.install(spec);
                continue;
            }
            let source = package.details.sourcerpm.rsplitn(3, '-').nth(2).unwrap_or_default();
            for (kind, missing) in ["debuginfo", "debugsource"].iter().zip(&mut missing) {
                let of = |name: &str| format!("{name}-{kind}-{}.{}", nevra.evr, nevra.arch);
                let names = [of(&nevra.name), of(source)];
                let exists = |name: &&String| !match_spec(sack, name, SpecScope::All).0.is_empty();
                match names.iter().find(exists) {
                    Some(name) => request.install(name),
                    None => missing.push(nevra.with_epoch()),
                }
            }
        }
        for (kind, missing) in ["debuginfo", "debugsource"].iter().zip(missing) {
            if !missing.is_empty() {
                request.messages.push(format!(
                    "Could not find {kind} package for the following packages resolved from the argument '{spec}': {}",
                    missing.join(", ")
                ));
            }
        }
    }
    resolve_and_run(session, &loaded, request, &choices(&args.resolve))
}

/// Returns the packages whose debugging symbols a spec means: of each name the newest installed version, else the newest there is. A
/// glob means packages, not the symbols of other ones.
fn with_symbols(sack: &Sack, spec: &str) -> Vec<PackageId> {
    let installed = filter::latest(sack, &match_spec(sack, spec, SpecScope::Installed).0, 1);
    let name = |id: &PackageId| sack.get(*id).nevra().name.as_str();
    let known: BTreeSet<&str> = installed.iter().map(name).collect();
    let mut others = match_spec(sack, spec, SpecScope::Available).0;
    others.retain(|id| !known.contains(name(id)));
    let mut ids = installed;
    ids.extend(filter::latest(sack, &others, 1));
    if spec.contains(['*', '?', '[']) && !spec.contains("-debug") {
        ids.retain(|id| !is_for_debugging(name(id)));
    }
    ids.sort_by(|a, b| sack.get(*a).nevra().cmp(sack.get(*b).nevra()));
    ids
}

fn is_for_debugging(name: &str) -> bool {
    name.ends_with("-debuginfo") || name.ends_with("-debugsource")
}

/// Runs `dnf remove`.
pub fn remove(session: &Session, args: &RemoveArgs) -> CommandResult {
    recover_first(session)?;
    let loaded = session.load(if args.duplicates { Needs::ALL } else { Needs::INSTALLED })?;
    let mut request = request(session, &loaded, &ResolveOptions::default());
    request.limit_installed(&args.installed_from_repo);
    for spec in &args.specs {
        request.remove(spec);
    }
    if args.duplicates {
        remove_duplicates(session, &loaded, &mut request);
    }
    if args.oldinstallonly {
        let limit = args.limit.unwrap_or(session.configuration.main.installonly_limit);
        let old = old_installonly(session, &loaded, limit as usize);
        if !old.is_empty() {
            request.jobs.push(Job::Remove(old));
        }
    }
    let choices = Choices {
        resolve: args.keep.resolve(),
        keep_unneeded: args.no_autoremove,
        ..Choices::default()
    };
    resolve_and_run(session, &loaded, request, &choices)
}

/// Runs `dnf swap`.
pub fn swap(session: &Session, args: &SwapArgs) -> CommandResult {
    recover_first(session)?;
    let (files, specs) = split_specs(session, std::slice::from_ref(&args.install))?;
    let loaded = session.load_for_change(needs_for(&specs), &files, &specs)?;
    let mut request = request(session, &loaded, &args.resolve);
    request.remove(&args.remove);
    add_files(&mut request, &loaded);
    for spec in &specs {
        request.install(spec);
    }
    let choices = Choices { keep_dependants: true, ..choices(&args.resolve) };
    resolve_and_run(session, &loaded, request, &choices)
}

/// Runs `dnf autoremove`.
pub fn autoremove(session: &Session, args: &AutoremoveArgs) -> CommandResult {
    recover_first(session)?;
    let loaded = session.load(Needs::INSTALLED)?;
    let mut request = request(session, &loaded, &ResolveOptions::default());
    if args.specs.is_empty() {
        request.autoremove();
    }
    let unneeded = filter::unneeded(&loaded.sack);
    for spec in &args.specs {
        let (mut ids, _) = match_spec(&loaded.sack, spec, SpecScope::Installed);
        ids.retain(|id| unneeded.contains(id));
        if ids.is_empty() {
            request.messages.push(format!("No packages to remove for argument: {spec}"));
        } else {
            request.jobs.push(Job::Remove(ids));
        }
    }
    resolve_and_run(session, &loaded, request, &choices(&args.keep.resolve()))
}

/// Returns an empty request over what was loaded.
pub fn request<'a>(session: &Session, loaded: &'a Loaded, options: &ResolveOptions) -> Request<'a> {
    let settings = settings(session, options);
    let mut request = Request::new(&loaded.sack, &loaded.groups, &loaded.state, settings);
    request.exclude(&loaded.excluded);
    request.freeze(&loaded.frozen);
    limit((session, &mut request), loaded, options);
    request
}

/// Arguments mean only packages of these advisories.
pub fn limit_to_advisories(
    request: &mut Request<'_>,
    loaded: &Loaded,
    advisories: &AdvisoryFilter,
) -> Result<(), Failure> {
    let selected = advisories.select(&loaded.advisories)?;
    let named: BTreeSet<_> =
        selected.iter().flat_map(|advisory| &advisory.packages).map(|p| &p.nevra).collect();
    let is_other = |package: &SackPackage<'_>| !named.contains(package.nevra());
    request.limit(loaded.sack.available().filter(is_other).map(|package| package.id));
    Ok(())
}

/// Arguments mean only what `--from-repo`, `--from-vendor` and `--installed-from-repo` let through.
pub fn limit(
    (session, request): (&Session, &mut Request<'_>),
    loaded: &Loaded,
    options: &ResolveOptions,
) {
    if !options.from_repo.is_empty() {
        let is_other = |package: &SackPackage<'_>| {
            matches!(package.details.origin, Origin::Repository(_))
                && !options
                    .from_repo
                    .iter()
                    .any(|repo| glob::matches(repo, &package.details.repository))
        };
        request.limit(loaded.sack.available().filter(is_other).map(|package| package.id));
    }
    if !options.from_vendor.is_empty() {
        let is_other = |package: &SackPackage<'_>| {
            let vendor = &package.candidate.vendor;
            !options.from_vendor.iter().any(|wanted| glob::matches(wanted.trim(), vendor))
        };
        request.limit(loaded.sack.available().filter(is_other).map(|package| package.id));
    }
    if options.from_vendor.is_empty() && !session.configuration.main.allow_vendor_change {
        let beside = &session.configuration.main.installonlypkgs;
        // What comes beside other versions takes no place.
        let takes_place = |new: &SackPackage<'_>| {
            !new.candidate.is_installonly(beside) && is_of_other_vendor(loaded, *new)
        };
        let other_vendors = loaded.sack.available().filter(takes_place);
        request.limit(other_vendors.map(|package| package.id));
    }
    request.limit_installed(&options.installed_from_repo);
}

/// Says whether a package would take the place of one of another vendor.
fn is_of_other_vendor(loaded: &Loaded, new: SackPackage<'_>) -> bool {
    let mut installed = loaded.sack.by_name(&new.nevra().name).filter(SackPackage::is_installed);
    installed.any(|old| old.candidate.vendor != new.candidate.vendor)
}

/// Adds the package files that were given.
fn add_files(request: &mut Request<'_>, loaded: &Loaded) {
    loaded.files.iter().for_each(|id| add_file(request, loaded, *id));
}

/// A package file is installed as it is: the same NEVRA again is only a message.
pub fn add_file(request: &mut Request<'_>, loaded: &Loaded, id: PackageId) {
    let nevra = loaded.sack.get(id).nevra();
    let mut same = loaded.sack.by_name(&nevra.name);
    if same.any(|package| package.is_installed() && package.nevra() == nevra) {
        request.messages.push(format!("Package \"{nevra}\" is already installed."));
    } else {
        request.jobs.push(Job::Install(vec![id]));
    }
}

/// Adds the removal of all but the newest version of what is installed twice, and the installation of that again.
fn remove_duplicates(session: &Session, loaded: &Loaded, request: &mut Request<'_>) {
    let sack = &loaded.sack;
    let mut ids = filter::duplicates(sack, &session.configuration.main.installonlypkgs);
    ids.sort_by(|a, b| sack.get(*b).nevra().evr.cmp(&sack.get(*a).nevra().evr));
    let mut newest: BTreeMap<(&str, &str), PackageId> = BTreeMap::new();
    let mut older = Vec::new();
    for id in ids {
        let nevra = &sack.get(id).candidate.nevra;
        if newest.contains_key(&(nevra.name.as_str(), nevra.arch.as_str())) {
            older.push(id);
        } else {
            newest.insert((&nevra.name, &nevra.arch), id);
        }
    }
    if older.is_empty() {
        request.messages.push("No duplicated packages found for removal.".to_owned());
        return;
    }
    for id in newest.into_values() {
        let nevra = sack.get(id).nevra();
        if sack.available().any(|package| package.nevra() == nevra) {
            request.jobs.push(Job::Reinstall(vec![id]));
        } else {
            request.messages.push(format!(
                "Installed packages for argument '{nevra}' are not available in repositories in the same version, cannot reinstall."
            ));
        }
    }
    request.jobs.push(Job::Remove(older));
}

/// Returns the install-only packages above the limit, oldest first, without the running kernel.
fn old_installonly(session: &Session, loaded: &Loaded, limit: usize) -> Vec<PackageId> {
    let names = &session.configuration.main.installonlypkgs;
    let running = session.is_live().then(cairn_host::paths::running_kernel).unwrap_or_default();
    let mut by_name: BTreeMap<&str, Vec<PackageId>> = BTreeMap::new();
    for package in loaded.sack.installed().filter(|package| package.candidate.is_installonly(names))
    {
        by_name.entry(&package.candidate.nevra.name).or_default().push(package.id);
    }
    let mut old = Vec::new();
    for ids in by_name.values_mut() {
        ids.sort_by(|a, b| loaded.sack.get(*b).nevra().evr.cmp(&loaded.sack.get(*a).nevra().evr));
        let is_running = |id: &PackageId| {
            !running.is_empty()
                && cairn_solve::owns_kernel(loaded.sack.get(*id).candidate, &running)
        };
        if limit > 0 {
            old.extend(ids.iter().skip(limit).copied().filter(|id| !is_running(id)));
        }
    }
    old
}

/// Runs a request that other commands have made.
pub fn run_request(
    session: &Session,
    loaded: &Loaded,
    request: Request<'_>,
    resolve: &ResolveOptions,
) -> Result<u8, Failure> {
    resolve_and_run(session, loaded, request, &choices(resolve))
}
