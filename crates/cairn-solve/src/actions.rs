// SPDX-License-Identifier: MIT OR Apache-2.0
//! The difference between what is installed and what was solved.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use crate::goals::Goals;
use crate::index::Index;
use crate::types::{Action, ActionKind, PackageId, Reason};

/// How packages got into, or out of, the solution.
pub(crate) struct Kinds<'a> {
    /// What was selected before weak dependencies.
    pub(crate) strong: &'a BTreeSet<u32>,
    /// What was recommended.
    pub(crate) recommended: &'a BTreeSet<u32>,
    /// What was removed because nothing needs it.
    pub(crate) cleaned: &'a BTreeSet<u32>,
    /// Whether what nobody needs goes at all.
    pub(crate) cleans: bool,
}

/// Returns the actions, removals first, each part sorted by name.
pub(crate) fn actions(
    index: &Index<'_>,
    goals: &Goals,
    selected: &BTreeSet<u32>,
    kinds: &Kinds<'_>,
) -> Vec<Action> {
    let gone: Vec<u32> =
        index.installed.iter().copied().filter(|id| !selected.contains(id)).collect();
    let mut replaced = BTreeSet::new();
    let mut obsoleted = BTreeSet::new();
    let mut actions = Vec::new();
    for &id in selected.iter().filter(|&&id| !index.is_installed(id)) {
        let mut replaces = Vec::new();
        for &old in &gone {
            if index.group_of[old as usize] == index.group_of[id as usize] {
                let nevra = |id| &index.candidate(id).nevra;
                if !index.is_installonly(id) || nevra(old) == nevra(id) {
                    replaces.push(old);
                    replaced.insert(old);
                }
            } else if index.obsoletes(id, old) {
                replaces.push(old);
                obsoleted.insert(old);
            }
        }
        actions.push(Action {
            package: PackageId(id),
            kind: incoming_kind(index, id, &replaces),
            reason: incoming_reason(index, goals, kinds, id, &replaces),
            replaces: replaces.into_iter().map(PackageId).collect(),
        });
    }
    for old in gone.into_iter().filter(|old| !replaced.contains(old)) {
        let (kind, reason) = if obsoleted.contains(&old) {
            (ActionKind::Obsoleted, Reason::Dependency)
        } else if goals.removed.contains(&old) || index.is_installonly(old) {
            (ActionKind::Remove, Reason::User)
        } else if kinds.cleaned.contains(&old) {
            // Where a person asks for just that, it is no by-product.
            let reason = if goals.autoremove { Reason::User } else { Reason::Clean };
            (ActionKind::Remove, reason)
        } else if kinds.cleans && !index.candidate(old).user_installed {
            // It needed what goes, and nothing needs it.
            (ActionKind::Remove, Reason::Clean)
        } else {
            (ActionKind::Remove, Reason::Dependency)
        };
        actions.push(Action { package: PackageId(old), kind, replaces: Vec::new(), reason });
    }
    let is_incoming =
        |action: &Action| !matches!(action.kind, ActionKind::Remove | ActionKind::Obsoleted);
    actions.sort_by(|a, b| {
        let nevra = |action: &Action| &index.candidate(action.package.0).nevra;
        is_incoming(a)
            .cmp(&is_incoming(b))
            .then_with(|| nevra(a).cmp(nevra(b)))
            .then_with(|| a.package.cmp(&b.package))
    });
    actions
}

fn incoming_kind(index: &Index<'_>, id: u32, replaces: &[u32]) -> ActionKind {
    let own_group = index.group_of[id as usize];
    let nevra = &index.candidate(id).nevra;
    let old = replaces.iter().find(|&&old| index.group_of[old as usize] == own_group);
    let Some(&old) = old else { return ActionKind::Install };
    let old = &index.candidate(old).nevra;
    match nevra.evr.cmp(&old.evr) {
        Ordering::Equal if nevra.arch == old.arch => ActionKind::Reinstall,
        // The same version for another architecture counts as newer.
        Ordering::Greater | Ordering::Equal => ActionKind::Upgrade,
        Ordering::Less => ActionKind::Downgrade,
    }
}

fn incoming_reason(
    index: &Index<'_>,
    goals: &Goals,
    kinds: &Kinds<'_>,
    id: u32,
    replaces: &[u32],
) -> Reason {
    let is_job = goals
        .roots
        .iter()
        .any(|root| root.origin == crate::engine::Origin::Job && root.any_of.contains(&id));
    let is_new = replaces.is_empty();
    if replaces.iter().any(|&old| index.candidate(old).user_installed) || (is_job && is_new) {
        return Reason::User;
    }
    let is_installed_kernel = index.is_installonly(id)
        && index
            .group(id)
            .iter()
            .any(|&old| index.is_installed(old) && index.candidate(old).user_installed);
    if is_installed_kernel {
        return Reason::User;
    }
    if is_new && !kinds.strong.contains(&id) && kinds.recommended.contains(&id) {
        return Reason::WeakDependency;
    }
    Reason::Dependency
}
