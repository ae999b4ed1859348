// SPDX-License-Identifier: MIT OR Apache-2.0
//! What sets a trigger off, and the trigger as a scriptlet.

use std::collections::BTreeSet;

use cairn_rpm::dependency::Dependency;
use cairn_rpm::header::{Trigger, TriggerKind};

use super::Member;
use crate::scriptlet::CollectedScriptlet;

/// Tells whether a package is the target of a trigger: by its name, not by what else it provides, and a version that it provides
/// under that name.
pub(super) fn sets_off(member: &Member, condition: &Dependency) -> bool {
    let mut provides = member.provides.iter().filter(|provide| provide.name == condition.name);
    member.name == condition.name
        && (condition.matches_evr(&member.evr)
            || provides.any(|provide| condition.is_satisfied_by(provide)))
}

/// Returns the files a file trigger of that kind matches, in order and once each.
pub(super) fn matching<'f>(
    trigger: &Trigger,
    kind: TriggerKind,
    files: impl Iterator<Item = &'f str>,
) -> Vec<String> {
    let prefixes: Vec<&str> =
        trigger.conditions_of(kind).map(|condition| condition.dependency.name.as_str()).collect();
    if prefixes.is_empty() {
        return Vec::new();
    }
    let mut seen = BTreeSet::new();
    let wanted = files.filter(|file| {
        prefixes.iter().any(|prefix| file.starts_with(prefix)) && seen.insert(*file)
    });
    wanted.map(str::to_owned).collect()
}

/// As [`matching`], but a file that two packages have occurs twice: rpm asks package by package.
pub(super) fn matching_all<'f>(
    trigger: &Trigger,
    kind: TriggerKind,
    files: &'f [(String, String)],
) -> Vec<&'f (String, String)> {
    let conditions = || trigger.conditions_of(kind);
    let fits = |(_, path): &&(String, String)| {
        conditions().any(|condition| path.starts_with(condition.dependency.name.as_str()))
    };
    files.iter().filter(fits).collect()
}

pub(super) fn file_trigger_name(kind: TriggerKind, transaction: bool) -> &'static str {
    match (kind, transaction) {
        (TriggerKind::PreInstall | TriggerKind::Install, false) => "%filetriggerin",
        (TriggerKind::Uninstall, false) => "%filetriggerun",
        (TriggerKind::PostUninstall, false) => "%filetriggerpostun",
        (TriggerKind::PreInstall | TriggerKind::Install, true) => "%transfiletriggerin",
        (TriggerKind::Uninstall, true) => "%transfiletriggerun",
        (TriggerKind::PostUninstall, true) => "%transfiletriggerpostun",
    }
}

pub(super) fn package_trigger(
    member: &Member,
    trigger: &Trigger,
    kind: TriggerKind,
    args: [i32; 2],
) -> CollectedScriptlet {
    let name = match kind {
        TriggerKind::PreInstall => "%triggerprein",
        TriggerKind::Install => "%triggerin",
        TriggerKind::Uninstall => "%triggerun",
        TriggerKind::PostUninstall => "%triggerpostun",
    };
    file_trigger(member, trigger, name, args.to_vec(), Vec::new())
}

pub(super) fn file_trigger(
    member: &Member,
    trigger: &Trigger,
    kind: &str,
    args: Vec<i32>,
    stdin: Vec<String>,
) -> CollectedScriptlet {
    CollectedScriptlet {
        package: member.label.clone(),
        kind: kind.to_owned(),
        interpreter: trigger.interpreter.clone(),
        body: trigger.body.clone(),
        args,
        stdin,
        env: member.env.clone(),
    }
}
