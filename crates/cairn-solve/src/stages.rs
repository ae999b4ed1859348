// SPDX-License-Identifier: MIT OR Apache-2.0
//! The sequence of solver runs that makes a solution dnf's.

use std::collections::BTreeSet;

use crate::actions;
use crate::clean;
use crate::engine::{Engine, Fact, Origin, Problem, Root};
use crate::explain;
use crate::goals::{Goals, is_protected};
use crate::index::Index;
use crate::types::{Explanation, Job, Options, PackageId, Skipped, Solution, Universe};
use crate::weak;

/// Most attempts to bring back packages that a solution removes.
const RESTORE_LIMIT: usize = 200;

/// Finds what to do so that all jobs are done and all dependencies hold.
///
/// Jobs are taken together. The result has every dependency satisfied that is not already broken
/// on the system, and changes no more than the jobs and the policy need. The same input gives the
/// same result.
///
/// # Errors
/// When there is no solution under the options: the lines say why.
pub fn solve(
    universe: &Universe,
    jobs: &[Job],
    options: &Options,
) -> Result<Solution, Explanation> {
    let mut index = Index::new(universe, options);
    let goals = Goals::collect(&mut index, jobs, options)?;
    let engine = Engine::new(&index);
    let mut state = State::start(&engine, &goals, options)?;
    state.restore_installed();
    let skipped = state.grant_wishes();
    if options.focus_new {
        state.take_best_for_new();
    }
    state.prefer_updates();
    state.settle_versions();
    state.drop_unneeded_newcomers();
    state.limit_installonly()?;
    let strong = state.selected.clone();
    let mut recommended = BTreeSet::new();
    if options.install_weak_deps {
        recommended = weak::add_recommended(&engine, &goals, options, &mut state.selected);
    }
    let cleaned = clean::clean(&engine, &goals, options, &mut state.selected);
    clean::check(&engine, &state.selected)?;
    let kinds = actions::Kinds {
        strong: &strong,
        recommended: &recommended,
        cleaned: &cleaned,
        cleans: clean::is_wanted(&goals, options),
    };
    let actions = actions::actions(&index, &goals, &state.selected, &kinds);
    Ok(Solution { actions, skipped })
}

/// The solution so far, and what it must keep.
struct State<'e, 'i, 'u> {
    engine: &'e Engine<'i, 'u>,
    goals: &'e Goals,
    options: &'e Options,
    problem: Problem,
    selected: BTreeSet<u32>,
}

impl<'e, 'i, 'u> State<'e, 'i, 'u> {
    /// Solves jobs and "keep what is installed"; then, where allowed, without the latter.
    fn start(
        engine: &'e Engine<'i, 'u>,
        goals: &'e Goals,
        options: &'e Options,
    ) -> Result<Self, Explanation> {
        let attempt = |is_soft: bool| {
            let mut roots = goals.roots.clone();
            roots.extend(goals.keeps(engine.index, options, is_soft));
            let problem = Problem { roots, forbidden: goals.forbidden.clone() };
            let outcome = engine.solve(&problem);
            (problem, outcome)
        };
        let must_erase = !goals.removed.is_empty() && options.remove_dependants;
        let (mut problem, mut outcome) = attempt(must_erase);
        if outcome.is_err() && options.allow_erasing && !must_erase {
            (problem, outcome) = attempt(true);
        }
        match outcome {
            Ok(selected) => Ok(Self { engine, goals, options, problem, selected }),
            Err(facts) => Err(explain::explain(engine, &problem, &facts)),
        }
    }

    /// Tries to add a clause. On failure nothing changes.
    fn try_add(&mut self, root: Root) -> Result<(), Vec<Fact>> {
        let is_met = root.any_of.iter().any(|id| self.selected.contains(id));
        self.problem.roots.push(root);
        if is_met {
            return Ok(());
        }
        match self.engine.solve(&self.problem) {
            Ok(selected) => {
                self.selected = selected;
                Ok(())
            }
            Err(facts) => {
                self.problem.roots.pop();
                Err(facts)
            }
        }
    }

    /// Brings back what was removed without need.
    fn restore_installed(&mut self) {
        let soft: Vec<Root> =
            self.problem.roots.iter().filter(|root| root.is_soft).cloned().collect();
        let lost = |root: &Root, selected: &BTreeSet<u32>| {
            !root.any_of.iter().any(|id| selected.contains(id))
        };
        for root in soft.iter().filter(|root| !lost(root, &self.selected)) {
            self.problem.roots.push(Root::hard(root.any_of.clone(), root.origin));
        }
        // A run removes what it must; each further one would only bring back a mistake of the
        // search, and in a large removal there are none.
        let lost: Vec<Root> = soft.into_iter().filter(|root| lost(root, &self.selected)).collect();
        let doomed = self.doomed(&lost);
        let hopeful =
            lost.into_iter().filter(|root| !root.any_of.iter().all(|id| doomed.contains(id)));
        for root in hopeful.take(RESTORE_LIMIT) {
            let _ = self.try_add(Root::hard(root.any_of, root.origin));
        }
    }

    /// Returns what cannot come back for sure: what is forbidden, and of the lost packages those that conflict with something that
    /// must come or need something that cannot come back.
    fn doomed(&self, lost: &[Root]) -> BTreeSet<u32> {
        let mut doomed = self.problem.forbidden.clone();
        let hard = self.problem.roots.iter().filter(|root| !root.is_soft);
        let fixed: BTreeSet<u32> =
            hard.filter(|root| root.any_of.len() == 1).map(|root| root.any_of[0]).collect();
        for &id in &fixed {
            doomed.extend(self.engine.rules(id).conflicts.iter().map(|conflict| conflict.other));
        }
        loop {
            let before = doomed.len();
            for &id in lost.iter().flat_map(|root| &root.any_of) {
                let rules = self.engine.rules(id);
                let is_doomed = !rules.missing.is_empty()
                    || rules.conflicts.iter().any(|conflict| fixed.contains(&conflict.other))
                    || rules.requires.iter().any(|requirement| {
                        requirement.any_of.iter().all(|other| doomed.contains(other))
                    });
                if is_doomed {
                    doomed.insert(id);
                }
            }
            if doomed.len() == before {
                return doomed;
            }
        }
    }

    /// Tries what is wanted but not required, and returns what could not be had.
    fn grant_wishes(&mut self) -> Vec<Skipped> {
        let mut skipped = Vec::new();
        for wish in &self.goals.wishes {
            let Err(facts) = self.try_add(Root::hard(wish.any_of.clone(), Origin::Fixed)) else {
                continue;
            };
            if wish.is_reported {
                let mut problem = self.problem.clone();
                problem.roots.push(Root::hard(wish.any_of.clone(), Origin::Job));
                let explanation = explain::explain(self.engine, &problem, &facts);
                skipped.push(Skipped { package: PackageId(wish.any_of[0]), explanation });
            }
        }
        skipped
    }

    /// Where a requirement of a new package is met by a new package, tries its best version.
    fn take_best_for_new(&mut self) {
        let index = self.engine.index;
        let mut tried = BTreeSet::new();
        loop {
            let is_new = |id: &u32| !index.is_installed(*id);
            let next = self.selected.iter().filter(|id| is_new(id)).find_map(|&id| {
                self.engine.rules(id).requires.iter().find_map(|requirement| {
                    let best = requirement.any_of[0];
                    let is_other_version = |other: &u32| {
                        self.selected.contains(other)
                            && *other != best
                            && index.group_of[*other as usize] == index.group_of[best as usize]
                    };
                    let is_candidate = !index.is_installonly(best)
                        && !tried.contains(&best)
                        && requirement.any_of.iter().all(is_new)
                        && !self.selected.contains(&best)
                        && requirement.any_of.iter().any(is_other_version);
                    is_candidate.then_some(best)
                })
            });
            let Some(best) = next else { return };
            tried.insert(best);
            let _ = self.try_add(Root::hard(vec![best], Origin::Fixed));
        }
    }

    /// Where a new package came only to meet a requirement, tries to meet it by the update of an
    /// installed one instead (libsolv's "choice rules").
    fn prefer_updates(&mut self) {
        let index = self.engine.index;
        let is_asked_for = |id: u32| {
            self.goals.roots.iter().any(|root| root.any_of.contains(&id))
                || self.goals.wishes.iter().any(|wish| wish.any_of.contains(&id))
        };
        let mut attempts: Vec<(u32, Vec<u32>, Vec<u32>)> = Vec::new();
        for &id in &self.selected {
            for requirement in &self.engine.rules(id).requires {
                let taken: Vec<u32> = requirement
                    .any_of
                    .iter()
                    .copied()
                    .filter(|other| self.selected.contains(other))
                    .collect();
                let is_new = |other: &u32| {
                    !index.is_installed(*other) && !index.is_update(*other) && !is_asked_for(*other)
                };
                if !taken.iter().all(is_new) {
                    continue;
                }
                let mut updates = requirement.any_of.clone();
                updates.retain(|&other| index.is_update(other));
                if updates.is_empty() && index.is_installed(id) && !index.is_installonly(id) {
                    updates = index.available_of_group(index.group_of[id as usize]);
                    updates.retain(|&other| index.is_update(other));
                }
                if !updates.is_empty() {
                    attempts.push((id, taken, updates));
                }
            }
        }
        for (id, taken, updates) in attempts {
            let has_taken =
                |selected: &BTreeSet<u32>| taken.iter().any(|other| selected.contains(other));
            if !self.selected.contains(&id) || !has_taken(&self.selected) {
                continue;
            }
            let before = (self.selected.clone(), self.problem.roots.len());
            let is_done = self.try_add(Root::hard(updates, Origin::Fixed)).is_ok();
            if is_done && has_taken(&self.selected) {
                // The new package is needed nevertheless.
                self.selected = before.0;
                self.problem.roots.truncate(before.1);
            }
        }
    }

    /// Takes back changes of installed packages that nothing asked for.
    fn settle_versions(&mut self) {
        let index = self.engine.index;
        let changed: Vec<u32> = index
            .installed
            .iter()
            .copied()
            .filter(|id| {
                !self.selected.contains(id)
                    && !self.goals.forbidden.contains(id)
                    && !self.goals.updates.contains_key(id)
            })
            .collect();
        if changed.is_empty() {
            return;
        }
        for &id in index.installed.iter().filter(|id| self.selected.contains(id)) {
            self.problem.roots.push(Root::hard(vec![id], Origin::Fixed));
        }
        for id in changed {
            let _ = self.try_add(Root::hard(vec![id], Origin::Keep(id)));
        }
    }

    /// Drops new packages that the search left behind: nothing in the solution needs them.
    fn drop_unneeded_newcomers(&mut self) {
        let index = self.engine.index;
        let mut start: BTreeSet<u32> =
            self.selected.iter().copied().filter(|&id| index.is_installed(id)).collect();
        for root in self.problem.roots.iter().filter(|root| !root.is_soft) {
            start.extend(root.any_of.iter().find(|id| self.selected.contains(id)));
        }
        let needed = clean::reach(self.engine, &self.selected, start, clean::Links::Strong);
        self.selected = needed;
    }

    /// Removes the oldest versions of install-only packages that got a new one.
    fn limit_installonly(&mut self) -> Result<(), Explanation> {
        let index = self.engine.index;
        let limit = self.options.installonly_limit;
        if limit == 0 {
            return Ok(());
        }
        for group in (0..index.groups.len()).filter(|&group| index.installonly[group]) {
            let mut members: Vec<u32> = index.groups[group]
                .iter()
                .copied()
                .filter(|id| self.selected.contains(id))
                .collect();
            members.sort_by(|&a, &b| index.candidate(a).nevra.cmp(&index.candidate(b).nevra));
            let n_new = members.iter().filter(|&&id| !index.is_installed(id)).count();
            if n_new > limit {
                let name = &index.candidate(members[0]).nevra.name;
                let line = format!(
                    "conflicting requests: of {n_new} new packages {name} only {limit} can be kept (installonly_limit)"
                );
                return Err(Explanation::new(line));
            }
            let mut surplus = members.len().saturating_sub(limit);
            for id in members {
                let is_removable = index.is_installed(id)
                    && !is_protected(index, self.options, id)
                    && !self.goals.locked.contains(&id);
                if n_new > 0 && surplus > 0 && is_removable && self.remove_with_dependents(id) {
                    surplus -= 1;
                }
            }
        }
        Ok(())
    }

    /// Removes an installed package and those that need it, unless something among them must stay.
    fn remove_with_dependents(&mut self, id: u32) -> bool {
        let index = self.engine.index;
        let mut rest = self.selected.clone();
        rest.remove(&id);
        clean::remove_broken(self.engine, &mut rest);
        let is_fine = self.selected.difference(&rest).all(|&gone| {
            index.is_installed(gone)
                && !is_protected(index, self.options, gone)
                && !self.goals.locked.contains(&gone)
        });
        if is_fine {
            self.selected = rest;
        }
        is_fine
    }
}
