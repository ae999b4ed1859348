// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf do`: several actions in one transaction.

use super::change::{add_file, limit, limit_to_advisories, needs_for, request};
use super::recover::recover_first;
use crate::dnf::cli::{MixedAction, MixedArgs, MixedItem, MixedKind, MixedOptions, ResolveOptions};
use crate::dnf::local::split_specs;
use crate::dnf::session::{Loaded, Needs, Session};
use crate::dnf::transact::{Choices, resolve_and_run};
use crate::failure::{CommandResult, Failure};
use cairn_pkg::resolve::{GroupSet, Request};
use cairn_solve::PackageId;

/// Runs `dnf do`.
pub fn mixed(session: &Session, args: &MixedArgs) -> CommandResult {
    if let Some(item) = args.items.iter().find(|item| item.action.is_none()) {
        return Err(Failure::usage(format!("no --action before `{}`", item.text))
            .hint("write --action=install, remove, upgrade, downgrade or reinstall first"));
    }
    recover_first(session)?;
    let mut files = Vec::new();
    let mut names = Vec::new();
    let mut is_file = Vec::new();
    for item in &args.items {
        let (found, rest) = split_specs(session, std::slice::from_ref(&item.text))?;
        is_file.push(!found.is_empty());
        files.extend(found);
        names.extend(rest);
    }
    let advisories = &args.options.advisories;
    let needs = Needs { advisories: advisories.is_active(), ..needs_for(&names) };
    let loaded = session.load_with_files(needs, &files)?;
    let resolve = resolve_options(&args.options);
    let mut request = request(session, &loaded, &resolve);
    let mut files = loaded.files.iter().copied();
    for (item, is_file) in args.items.iter().zip(is_file) {
        request.lift_limits();
        if advisories.is_active() && changes_versions(item) {
            limit_to_advisories(&mut request, &loaded, advisories)?;
        }
        limit((session, &mut request), &loaded, &limits_of(item));
        let file = if is_file { files.next() } else { None };
        match file {
            Some(id) => add_package_file(&mut request, &loaded, (item, id)),
            None => add(&mut request, &loaded.groups, item)?,
        }
    }
    // What depends on something that goes stays, unless --allowerasing says otherwise.
    let choices = Choices { resolve, keep_dependants: true, ..Choices::default() };
    resolve_and_run(session, &loaded, request, &choices)
}

/// Advisories limit what is installed or upgraded.
fn changes_versions(item: &MixedItem) -> bool {
    matches!(item.action, Some(MixedAction::Install | MixedAction::Upgrade))
}

fn resolve_options(options: &MixedOptions) -> ResolveOptions {
    ResolveOptions {
        allowerasing: options.allowerasing,
        skip_unavailable: options.skip_unavailable,
        skip_broken: options.skip_broken,
        allow_downgrade: options.allow_downgrade,
        no_allow_downgrade: options.no_allow_downgrade,
        downloadonly: options.downloadonly,
        offline: options.offline,
        store: options.store.clone(),
        ..ResolveOptions::default()
    }
}

/// Returns what holds for one argument as options of a command of its own.
fn limits_of(item: &MixedItem) -> ResolveOptions {
    ResolveOptions {
        from_repo: item.from_repo.clone(),
        from_vendor: item.from_vendor.clone(),
        installed_from_repo: item.installed_from_repo.clone(),
        ..ResolveOptions::default()
    }
}

fn add_package_file(
    request: &mut Request<'_>,
    loaded: &Loaded,
    (item, id): (&MixedItem, PackageId),
) {
    let nevra = loaded.sack.get(id).nevra().to_string();
    match item.action {
        Some(MixedAction::Downgrade) => request.downgrade(&nevra),
        Some(MixedAction::Reinstall) => request.reinstall(&nevra),
        Some(MixedAction::Remove) => request.remove(&nevra),
        Some(MixedAction::Install | MixedAction::Upgrade) | None => add_file(request, loaded, id),
    }
}

fn add(request: &mut Request<'_>, groups: &GroupSet, item: &MixedItem) -> Result<(), Failure> {
    let text = item.text.as_str();
    let group = match item.kind {
        MixedKind::Auto => text.strip_prefix('@'),
        MixedKind::Package => None,
        MixedKind::Group => Some(group_id(groups, text)?),
    };
    match (item.action, group) {
        (Some(MixedAction::Install) | None, Some(group)) => {
            request.install_group_or_environment(group);
        }
        (Some(MixedAction::Remove), Some(group)) => {
            request.remove_group_or_environment(group);
        }
        (Some(MixedAction::Upgrade), Some(group)) => request.upgrade_group_or_environment(group),
        (Some(MixedAction::Downgrade | MixedAction::Reinstall), Some(_)) => {
            return Err(Failure::usage(format!("`{text}` is a group, which has no versions"))
                .hint("only install, remove and upgrade are for groups"));
        }
        (Some(MixedAction::Install) | None, None) => request.install(text),
        (Some(MixedAction::Remove), None) => request.remove(text),
        (Some(MixedAction::Upgrade), None) => request.upgrade(text),
        (Some(MixedAction::Downgrade), None) => request.downgrade(text),
        (Some(MixedAction::Reinstall), None) => request.reinstall(text),
    }
    Ok(())
}

/// Returns the id of the group or environment that an argument names; a name that none has stands for itself and is told as missing.
fn group_id<'a>(groups: &'a GroupSet, text: &'a str) -> Result<&'a str, Failure> {
    if let Some(id) = text.strip_prefix("id=") {
        return Ok(id);
    }
    let name = text.strip_prefix("name=").ok_or_else(|| {
        Failure::new(format!("Invalid Environment/Group specification: {text}"))
            .hint("write id=ID or name=NAME")
    })?;
    let mut ids = groups.all().into_iter().map(|group| (group.name.as_str(), group.id.as_str()));
    let environments = groups.all_environments().into_iter();
    let mut environments = environments.map(|one| (one.name.as_str(), one.id.as_str()));
    let has_name = |one: &(&str, &str)| one.0 == name;
    let found = environments.find(has_name).or_else(|| ids.find(has_name));
    Ok(found.map_or(name, |(_, id)| id))
}
