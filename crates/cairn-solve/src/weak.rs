// SPDX-License-Identifier: MIT OR Apache-2.0
//! Recommended and supplementing packages: they come along where nothing stands against them.

use std::collections::BTreeSet;

use cairn_rpm::dependency::{Dependency, RichDependency};

use crate::clean::dependency_holds;
use crate::engine::{Engine, Origin, Problem, Root};
use crate::goals::Goals;
use crate::index::Index;
use crate::rich;
use crate::types::Options;

/// Adds weak dependencies of packages that are new, and theirs in turn. What is in the solution
/// stays exactly so. Returns the packages that were recommended (not their own dependencies).
pub(crate) fn add_recommended(
    engine: &Engine<'_, '_>,
    goals: &Goals,
    options: &Options,
    selected: &mut BTreeSet<u32>,
) -> BTreeSet<u32> {
    let index = engine.index;
    let excluded = excluded(index, options);
    let mut recommended = BTreeSet::new();
    loop {
        let wishes = wishes(index, &excluded, selected);
        if wishes.is_empty() {
            return recommended;
        }
        let mut forbidden = goals.forbidden.clone();
        forbidden.extend(index.installed.iter().filter(|id| !selected.contains(id)));
        let fixed = selected.iter().map(|&id| Root::hard(vec![id], Origin::Fixed));
        let soft = wishes.iter().map(|any_of| Root::soft(any_of.clone(), Origin::Fixed));
        let problem = Problem { roots: fixed.chain(soft).collect(), forbidden };
        // What is fixed is a solution, and everything else is soft.
        let Ok(found) = engine.solve(&problem) else { return recommended };
        for wish in &wishes {
            recommended.extend(wish.iter().find(|id| found.contains(id)));
        }
        let mut roots = selected.clone();
        roots.extend(&recommended);
        let found = crate::clean::reach(engine, &found, roots, crate::clean::Links::Strong);
        if found == *selected {
            return recommended;
        }
        *selected = found;
    }
}

/// Returns what no weak dependency may bring in.
fn excluded(index: &Index<'_>, options: &Options) -> BTreeSet<u32> {
    let mut excluded: BTreeSet<u32> = options.exclude_from_weak.iter().map(|id| id.0).collect();
    if !options.exclude_unmet_weak {
        return excluded;
    }
    let recommends = index.installed.iter().flat_map(|&id| &index.candidate(id).recommends);
    for dependency in recommends.filter(|dependency| !dependency.is_rich()) {
        let providers = index.providers(dependency);
        if !providers.iter().any(|&id| index.is_installed(id)) {
            excluded.extend(providers);
        }
    }
    excluded
}

/// Returns the unmet weak dependencies of new packages, each as its alternatives.
fn wishes(index: &Index<'_>, excluded: &BTreeSet<u32>, selected: &BTreeSet<u32>) -> Vec<Vec<u32>> {
    let mut wishes = Vec::new();
    for &id in selected.iter().filter(|&&id| !index.is_installed(id)) {
        for dependency in &index.candidate(id).recommends {
            if !is_old(index, id, dependency) {
                wishes.extend(alternatives(index, selected, dependency));
            }
        }
    }
    wishes.extend(supplements(index, selected));
    for any_of in &mut wishes {
        any_of.retain(|id| !excluded.contains(id) && index.preference(*id) >= 0);
    }
    wishes.retain(|any_of| !any_of.is_empty());
    wishes
}

/// Says whether the installed version had the same dependency: a person may have said no to it.
fn is_old(index: &Index<'_>, id: u32, dependency: &Dependency) -> bool {
    index.group(id).iter().any(|&other| {
        index.is_installed(other)
            && index.candidate(other).recommends.iter().any(|old| old.name == dependency.name)
    })
}

/// Returns what would meet a weak dependency; nothing if it is met.
fn alternatives(
    index: &Index<'_>,
    selected: &BTreeSet<u32>,
    dependency: &Dependency,
) -> Vec<Vec<u32>> {
    if dependency_holds(index, dependency, &|id| selected.contains(&id)) {
        return Vec::new();
    }
    let no_favourites = BTreeSet::new();
    if !dependency.is_rich() {
        let providers = rich::allowed_providers(index, dependency);
        return vec![index.sort_alternatives(providers, Some(dependency), &no_favourites)];
    }
    let Ok(parsed) = RichDependency::parse(&dependency.name) else { return Vec::new() };
    let Ok(clauses) = rich::clauses(index, &parsed, false, &no_favourites) else {
        return Vec::new();
    };
    let has_any = |ids: &[u32]| ids.iter().any(|id| selected.contains(id));
    clauses
        .into_iter()
        .filter(|clause| !has_any(&clause.any_of) && clause.none_of.iter().all(|set| has_any(set)))
        .map(|clause| clause.any_of)
        .collect()
}

/// Returns packages that supplement the solution and did not supplement the system before.
fn supplements(index: &Index<'_>, selected: &BTreeSet<u32>) -> Vec<Vec<u32>> {
    let mut found: Vec<Vec<u32>> = Vec::new();
    for group in 0..index.groups.len() as u32 {
        let members = &index.groups[group as usize];
        let has_supplements = members.iter().any(|&id| !index.candidate(id).supplements.is_empty());
        if !has_supplements || members.iter().any(|id| selected.contains(id)) {
            continue;
        }
        if index.is_secondary(members[0]) {
            continue;
        }
        let mut any_of = index.available_of_group(group);
        any_of.retain(|&id| {
            index.candidate(id).supplements.iter().any(|dependency| {
                dependency_holds(index, dependency, &|other| selected.contains(&other))
                    && !dependency_holds(index, dependency, &|other| index.is_installed(other))
            })
        });
        found.push(any_of);
    }
    found.retain(|any_of| !any_of.is_empty());
    found.sort_by_key(|any_of| std::cmp::Reverse(index.preference(any_of[0])));
    found
}
