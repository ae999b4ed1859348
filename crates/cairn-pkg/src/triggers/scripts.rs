// SPDX-License-Identifier: MIT OR Apache-2.0
//! What sets a trigger off, and the trigger as a scriptlet.

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
