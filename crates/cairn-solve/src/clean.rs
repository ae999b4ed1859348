// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is needed by what: dependencies nobody needs any more, and a last check of the solution.

use std::collections::BTreeSet;

use cairn_rpm::dependency::{Dependency, RichDependency};

use crate::engine::Engine;
use crate::goals::{Goals, is_protected};
use crate::index::Index;
use crate::rich;
use crate::types::{CleanRequirements, Explanation, Options};

/// Which dependencies make a package needed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Links {
    /// Requires.
    Strong,
    /// Requires, Recommends and Supplements.
    All,
}

/// Returns the packages of `selected` that `start` needs, directly or not (`start` included).
pub(crate) fn reach(
    engine: &Engine<'_, '_>,
    selected: &BTreeSet<u32>,
    start: BTreeSet<u32>,
    links: Links,
) -> BTreeSet<u32> {
    let index = engine.index;
    let mut reached = BTreeSet::new();
    let mut queue: Vec<u32> = start.into_iter().collect();
    loop {
        while let Some(id) = queue.pop() {
            if !selected.contains(&id) || !reached.insert(id) {
                continue;
            }
            let rules = engine.rules(id);
            let strong = rules.requires.iter().flat_map(|requirement| &requirement.any_of);
            let conditional =
                rules.conditional.iter().flat_map(|conditional| &conditional.clause.any_of);
            queue.extend(strong.chain(conditional).filter(|other| selected.contains(other)));
            if links == Links::All {
                for dependency in &index.candidate(id).recommends {
                    let providers = all_providers(index, dependency);
                    queue.extend(providers.into_iter().filter(|other| selected.contains(other)));
                }
            }
        }
        if links == Links::All {
            let supplements = selected.difference(&reached).copied().filter(|&id| {
                index.candidate(id).supplements.iter().any(|dependency| {
                    dependency_holds(index, dependency, &|other| reached.contains(&other))
                })
            });
            queue.extend(supplements);
        }
        if queue.is_empty() {
            return reached;
        }
    }
}

/// Returns the providers of a dependency, of every part of it when it is rich.
fn all_providers(index: &Index<'_>, dependency: &Dependency) -> Vec<u32> {
    if !dependency.is_rich() {
        return index.providers(dependency);
    }
    let mut found = Vec::new();
    if let Ok(rich) = RichDependency::parse(&dependency.name) {
        rich.for_each_simple(&mut |simple| found.extend(index.providers(simple)));
    }
    found
}

/// Says whether a dependency, rich or not, holds for a set of packages.
pub(crate) fn dependency_holds(
    index: &Index<'_>,
    dependency: &Dependency,
    is_selected: &dyn Fn(u32) -> bool,
) -> bool {
    if !dependency.is_rich() {
        return index.providers(dependency).into_iter().any(is_selected);
    }
    RichDependency::parse(&dependency.name).is_ok_and(|rich| rich::holds(index, &rich, is_selected))
}

/// Says whether what nobody needs any more is to go.
pub(crate) fn is_wanted(goals: &Goals, options: &Options) -> bool {
    goals.autoremove
        || match options.clean_requirements {
            CleanRequirements::Never => false,
            CleanRequirements::OnRemove => !goals.removed.is_empty(),
            CleanRequirements::Always => true,
        }
}

/// Removes from the solution what nobody needs, as the jobs and options say; returns it.
pub(crate) fn clean(
    engine: &Engine<'_, '_>,
    goals: &Goals,
    options: &Options,
    selected: &mut BTreeSet<u32>,
) -> BTreeSet<u32> {
    let index = engine.index;
    if !is_wanted(goals, options) {
        return BTreeSet::new();
    }
    let is_root = |id: u32| {
        !index.is_installed(id)
            || index.candidate(id).user_installed
            || is_protected(index, options, id)
            || goals.locked.contains(&id)
            || goals.roots.iter().any(|root| root.any_of.contains(&id))
    };
    let unneeded = |set: &BTreeSet<u32>| -> BTreeSet<u32> {
        let roots = set.iter().copied().filter(|&id| is_root(id)).collect();
        let needed = reach(engine, set, roots, Links::All);
        set.difference(&needed).copied().collect()
    };
    let mut surplus = unneeded(selected);
    if !goals.autoremove {
        let before = unneeded(&index.installed.iter().copied().collect());
        surplus.retain(|id| !before.contains(id));
        // What remains of the old surplus may need some of the new.
        let kept = selected.intersection(&before).copied().collect();
        let needed = reach(engine, selected, kept, Links::All);
        surplus.retain(|id| !needed.contains(id));
    }
    selected.retain(|id| !surplus.contains(id));
    surplus
}

/// Removes packages whose dependencies do not hold any more, until all hold.
pub(crate) fn remove_broken(engine: &Engine<'_, '_>, selected: &mut BTreeSet<u32>) {
    while let Some(broken) = selected.iter().copied().find(|&id| !holds(engine, selected, id)) {
        selected.remove(&broken);
    }
}

/// Says whether all rules of a package hold in a solution.
fn holds(engine: &Engine<'_, '_>, selected: &BTreeSet<u32>, id: u32) -> bool {
    let rules = engine.rules(id);
    let has_any = |ids: &[u32]| ids.iter().any(|other| selected.contains(other));
    rules.missing.is_empty()
        && rules.requires.iter().all(|requirement| has_any(&requirement.any_of))
        && !rules.conflicts.iter().any(|conflict| selected.contains(&conflict.other))
        && rules.conditional.iter().all(|conditional| {
            has_any(&conditional.clause.any_of)
                || conditional.clause.none_of.iter().any(|set| !has_any(set))
        })
}

/// Checks the finished solution independently of the solver.
pub(crate) fn check(engine: &Engine<'_, '_>, selected: &BTreeSet<u32>) -> Result<(), Explanation> {
    for &id in selected {
        if !holds(engine, selected, id) {
            let what = engine.index.describe(id);
            return Err(Explanation::new(format!(
                "internal error: the solution does not satisfy the dependencies of {what}"
            )));
        }
    }
    Ok(())
}
