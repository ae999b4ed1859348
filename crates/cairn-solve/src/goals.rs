// SPDX-License-Identifier: MIT OR Apache-2.0
//! Jobs and installed packages as root clauses.

use std::collections::{BTreeMap, BTreeSet};

use cairn_rpm::dependency::{Dependency, RichDependency};

use crate::engine::{Origin, Root};
use crate::index::Index;
use crate::rich::{self, Clause};
use crate::types::{Candidate, Explanation, Job, Options, PackageId};

/// What the jobs ask for.
#[derive(Debug, Default)]
pub(crate) struct Goals {
    /// Clauses of jobs, in the order of the jobs.
    pub(crate) roots: Vec<Root>,
    /// Better versions to try for when [`Options::best`] is off, and further obsoleters.
    pub(crate) wishes: Vec<Wish>,
    /// Installed packages that must go or be replaced.
    pub(crate) forbidden: BTreeSet<u32>,
    /// Installed packages that a job removes by name.
    pub(crate) removed: BTreeSet<u32>,
    /// Installed packages and where they should go, best first (without themselves).
    pub(crate) updates: BTreeMap<u32, Vec<u32>>,
    /// Installed packages to leave exactly as they are.
    pub(crate) locked: BTreeSet<u32>,
    /// Remove everything nobody needs.
    pub(crate) autoremove: bool,
}

/// One of these is wanted, not required.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) any_of: Vec<u32>,
    pub(crate) is_reported: bool,
}

impl Goals {
    /// Reads the jobs. Narrows what the index allows (duplicates of installed packages, and
    /// everything available when the jobs only remove).
    pub(crate) fn collect(
        index: &mut Index<'_>,
        jobs: &[Job],
        options: &Options,
    ) -> Result<Self, Explanation> {
        check_ids(index, jobs)?;
        narrow(index, jobs);
        restrict_replacements(index, jobs, options);
        let mut goals = Self::default();
        let locks =
            jobs.iter().filter_map(|job| if let Job::Lock(ids) = job { Some(ids) } else { None });
        goals.locked = locks.flat_map(|ids| raw(ids)).collect();
        goals.locked.retain(|&id| index.is_installed(id));
        for job in jobs {
            let mut reader = Reader { index, options, goals: &mut goals };
            match job {
                Job::Install(ids) => reader.install(&raw(ids))?,
                Job::Meet(dependency) => reader.meet(dependency)?,
                Job::Remove(ids) => reader.remove(&raw(ids))?,
                Job::Upgrade(None) => reader.upgrade_all(),
                Job::Upgrade(Some(ids)) => reader.upgrade_some(&raw(ids)),
                Job::Downgrade(ids) => reader.downgrade(&raw(ids))?,
                Job::Reinstall(ids) => reader.reinstall(&raw(ids))?,
                Job::DistroSync(ids) => reader.distro_sync(ids.as_deref().map(raw)),
                Job::Autoremove => reader.goals.autoremove = true,
                Job::Lock(_) => {}
            }
        }
        Ok(goals)
    }

    /// Returns the clauses that keep installed packages, those of the protected ones first.
    pub(crate) fn keeps(&self, index: &Index<'_>, options: &Options, is_soft: bool) -> Vec<Root> {
        let mut protected = Vec::new();
        let mut others = Vec::new();
        for &id in &index.installed {
            let is_protected = is_protected(index, options, id);
            if self.removed.contains(&id) && !is_protected {
                continue;
            }
            if is_running_kernel(index, options, id) {
                protected.push(Root::hard(vec![id], Origin::RunningKernel(id)));
            } else if self.locked.contains(&id) {
                protected.push(Root::hard(vec![id], Origin::Keep(id)));
            } else if is_protected {
                let any_of = self.versions(index, id, false);
                protected.push(Root::hard(any_of, Origin::Protected(id)));
            } else if !(self.forbidden.contains(&id) && self.updates.contains_key(&id)) {
                let any_of = self.versions(index, id, true);
                let root = Root::hard(any_of, Origin::Keep(id));
                others.push(Root { is_soft, ..root });
            }
        }
        protected.extend(others);
        protected
    }

    /// Returns what may stand in for an installed package, in order of preference.
    fn versions(&self, index: &Index<'_>, id: u32, with_obsoleters: bool) -> Vec<u32> {
        let mut any_of = self.updates.get(&id).cloned().unwrap_or_default();
        let push = |any_of: &mut Vec<u32>, other: u32| {
            if !any_of.contains(&other) {
                any_of.push(other);
            }
        };
        push(&mut any_of, id);
        if index.is_installonly(id) {
            return any_of;
        }
        let available = index.available_of_group(index.group_of[id as usize]);
        let evr = &index.candidate(id).nevra.evr;
        let is_older = |other: &u32| index.candidate(*other).nevra.evr < *evr;
        for other in available.iter().copied().filter(|other| !is_older(other)) {
            push(&mut any_of, other);
        }
        if with_obsoleters {
            let obsoleters = index.sort_alternatives(index.obsoleters(id), None, &BTreeSet::new());
            for other in obsoleters {
                push(&mut any_of, other);
            }
        }
        for other in available.iter().copied().filter(is_older) {
            push(&mut any_of, other);
        }
        any_of
    }
}

/// Says whether a package must stay: named in the options, or the running kernel.
pub(crate) fn is_protected(index: &Index<'_>, options: &Options, id: u32) -> bool {
    options.protected.contains(&index.candidate(id).nevra.name)
        || is_running_kernel(index, options, id)
}

/// Says whether an installed package is (part of) the running kernel.
pub(crate) fn is_running_kernel(index: &Index<'_>, options: &Options, id: u32) -> bool {
    let Some(release) = &options.running_kernel else { return false };
    let candidate = index.candidate(id);
    if !candidate.is_installed() || !index.is_installonly(id) {
        return false;
    }
    owns_kernel(candidate, release)
}

/// Says whether a package is (part of) the kernel whose release (`uname -r`) this is: by its version, by its provide
/// `kernel-uname-r`, or by a file in the directory of the kernel's modules.
pub fn owns_kernel(candidate: &Candidate, release: &str) -> bool {
    let nevra = &candidate.nevra;
    let modules = format!("/lib/modules/{release}");
    format!("{}.{}", nevra.evr.without_epoch(), nevra.arch) == release
        || nevra.to_string() == release
        || candidate
            .provides
            .iter()
            .any(|provide| provide.name == "kernel-uname-r" && provide.evr_text() == release)
        || candidate.files.iter().any(|file| {
            let file = file.strip_prefix("/usr").unwrap_or(file);
            let rest = file.strip_prefix(&modules);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
}

fn raw(ids: &[PackageId]) -> Vec<u32> {
    ids.iter().map(|id| id.0).collect()
}

fn check_ids(index: &Index<'_>, jobs: &[Job]) -> Result<(), Explanation> {
    let n_packages = index.universe.candidates.len();
    for job in jobs {
        let (Job::Install(ids)
        | Job::Remove(ids)
        | Job::Upgrade(Some(ids))
        | Job::Downgrade(ids)
        | Job::Reinstall(ids)
        | Job::DistroSync(Some(ids))
        | Job::Lock(ids)) = job
        else {
            continue;
        };
        if let Some(id) = ids.iter().find(|id| id.0 as usize >= n_packages) {
            return Err(Explanation::new(format!("package number {} does not exist", id.0)));
        }
    }
    Ok(())
}

fn narrow(index: &mut Index<'_>, jobs: &[Job]) {
    let only_removes =
        jobs.iter().all(|job| matches!(job, Job::Remove(_) | Job::Autoremove | Job::Lock(_)));
    let reinstalled: BTreeSet<u32> = jobs
        .iter()
        .filter_map(|job| if let Job::Reinstall(ids) = job { Some(raw(ids)) } else { None })
        .flatten()
        .map(|id| index.group_of[id as usize])
        .collect();
    forbid_inferior(index, jobs);
    forbid_removed(index, jobs);
    for group in 0..index.groups.len() {
        let members = index.groups[group].clone();
        let n_installed = members.iter().filter(|&&id| index.is_installed(id)).count();
        if n_installed > 1 {
            // Duplicates on a damaged system: let them be.
            index.installonly[group] = true;
        }
        let keeps_duplicates = !index.installonly[group] || reinstalled.contains(&(group as u32));
        let mut seen: Vec<u32> = Vec::new();
        let mut ranked = members;
        ranked.sort_by(|&a, &b| index.rank(a, b));
        for id in ranked {
            let nevra = &index.candidate(id).nevra;
            let is_duplicate = seen.iter().any(|&other| index.candidate(other).nevra == *nevra);
            let is_available = !index.is_installed(id);
            if is_available && (only_removes || (is_duplicate && !keeps_duplicates)) {
                index.is_allowed[id as usize] = false;
            }
            if index.is_allowed[id as usize] {
                seen.push(id);
            }
        }
    }
}

/// Forbids that what a job removes comes back in any version, but for a job that asks for it.
fn forbid_removed(index: &mut Index<'_>, jobs: &[Job]) {
    let ids_of = |ids: &[PackageId]| raw(ids).into_iter();
    let removed =
        jobs.iter().filter_map(|job| if let Job::Remove(ids) = job { Some(ids) } else { None });
    let removed: Vec<u32> = removed.flat_map(|ids| ids_of(ids)).collect();
    let wanted = jobs.iter().filter_map(|job| match job {
        Job::Install(ids) | Job::Reinstall(ids) => Some(ids),
        _ => None,
    });
    let wanted: BTreeSet<u32> = wanted.flat_map(|ids| ids_of(ids)).collect();
    for id in removed.into_iter().filter(|id| !wanted.contains(id)) {
        for other in index.group(id).to_vec() {
            if !index.is_installed(other) && !wanted.contains(&other) {
                index.is_allowed[other as usize] = false;
            }
        }
    }
}

/// Forbids packages of lesser architectures, but those of names a job is about.
fn forbid_inferior(index: &mut Index<'_>, jobs: &[Job]) {
    let mut named = BTreeSet::new();
    for job in jobs {
        let (Job::Install(ids) | Job::Downgrade(ids) | Job::Reinstall(ids)) = job else { continue };
        let names: BTreeSet<&str> =
            ids.iter().map(|id| index.candidate(id.0).nevra.name.as_str()).collect();
        if names.len() == 1 {
            named.extend(names);
        }
    }
    let candidates = 0..index.universe.candidates.len() as u32;
    let is_refused = |&id: &u32| {
        index.is_inferior(id) && !named.contains(index.candidate(id).nevra.name.as_str())
    };
    let inferior: Vec<u32> = candidates.filter(is_refused).collect();
    for id in inferior {
        index.is_allowed[id as usize] = false;
        index.inferior.insert(id);
    }
}

/// Forbids versions of installed packages that the options do not allow: older ones, those of other vendors. What a job names is allowed.
fn restrict_replacements(index: &mut Index<'_>, jobs: &[Job], options: &Options) {
    if options.allow_downgrade && options.allow_vendor_change {
        return;
    }
    // A sync may go down, and to other vendors where it may.
    let is_sync = jobs.contains(&Job::DistroSync(None));
    if is_sync && options.sync_vendor_change {
        return;
    }
    let mut named = BTreeSet::new();
    let mut downgraded = BTreeSet::new();
    let mut synced = BTreeSet::new();
    for job in jobs {
        match job {
            Job::Install(ids) => named.extend(raw(ids)),
            // Without what is installed a list names exactly what may come.
            Job::Upgrade(Some(ids)) if ids.iter().all(|id| !index.is_installed(id.0)) => {
                named.extend(raw(ids));
            }
            Job::Downgrade(ids) => downgraded.extend(groups_of(index, &raw(ids))),
            Job::DistroSync(Some(ids)) if options.sync_vendor_change => {
                downgraded.extend(groups_of(index, &raw(ids)));
            }
            Job::DistroSync(Some(ids)) => synced.extend(groups_of(index, &raw(ids))),
            Job::Meet(_)
            | Job::Remove(_)
            | Job::Upgrade(_)
            | Job::Reinstall(_)
            | Job::DistroSync(None)
            | Job::Autoremove
            | Job::Lock(_) => {}
        }
    }
    for id in index.installed.clone() {
        let group = index.group_of[id as usize];
        if index.is_installonly(id) || downgraded.contains(&group) {
            continue;
        }
        let keeps_version = !options.allow_downgrade && !is_sync && !synced.contains(&group);
        for other in index.group(id).to_vec() {
            let (old, new) = (index.candidate(id), index.candidate(other));
            let is_refused = (!options.allow_vendor_change && old.vendor != new.vendor)
                || (keeps_version && new.nevra.evr < old.nevra.evr);
            if is_refused && !new.is_installed() && !named.contains(&other) {
                index.is_allowed[other as usize] = false;
                index.refused.insert(other);
            }
        }
    }
}

struct Reader<'a, 'u> {
    index: &'a Index<'u>,
    options: &'a Options,
    goals: &'a mut Goals,
}

impl Reader<'_, '_> {
    fn install(&mut self, ids: &[u32]) -> Result<(), Explanation> {
        let index = self.index;
        if ids.is_empty() {
            return Err(Explanation::new("nothing matches what is to be installed"));
        }
        let mut by_group: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for &id in ids.iter().filter(|&&id| index.is_allowed[id as usize]) {
            by_group.entry(index.group_of[id as usize]).or_default().push(id);
        }
        if by_group.is_empty() {
            let what = index.describe(ids[0]);
            let line = format!("package {what} is filtered out by exclude filtering");
            return Err(Explanation::new(line));
        }
        let mut best = Vec::new();
        let mut all = Vec::new();
        for members in by_group.values() {
            let top = self.top(members);
            let obsoleters = self.stand_ins(top);
            best.extend(if obsoleters.is_empty() { vec![top] } else { self.tops(&obsoleters) });
            all.extend(obsoleters);
            all.extend(members);
        }
        if !best.iter().any(|&id| index.is_installed(id)) {
            index.retain_best_architecture(&mut best);
        }
        all.sort_unstable();
        all.dedup();
        let mut any_of = index.sort_alternatives(best, None, &BTreeSet::new());
        if !self.options.best {
            let rest = index.sort_alternatives(all, None, &BTreeSet::new());
            let has_installed = rest.iter().any(|&id| index.is_installed(id));
            if has_installed {
                any_of = rest;
            } else {
                any_of.extend(rest);
                let mut seen = BTreeSet::new();
                any_of.retain(|&id| seen.insert(id));
                let any_of = vec![any_of[0]];
                self.goals.wishes.push(Wish { any_of, is_reported: true });
            }
        }
        for &id in &any_of {
            self.note_update(id);
        }
        self.goals.roots.push(Root::hard(any_of, Origin::Job));
        Ok(())
    }

    /// What provides the dependency comes, where its conditions hold.
    fn meet(&mut self, dependency: &Dependency) -> Result<(), Explanation> {
        let rich = if dependency.is_rich() {
            RichDependency::parse(&dependency.name)
        } else {
            Ok(RichDependency::Simple(dependency.clone()))
        };
        let clauses = rich
            .ok()
            .and_then(|rich| rich::clauses(self.index, &rich, false, &BTreeSet::new()).ok());
        let clauses = clauses
            .filter(|clauses| {
                clauses.iter().all(|one| !one.any_of.is_empty() || !one.none_of.is_empty())
            })
            .ok_or_else(|| Explanation::new(format!("nothing provides {dependency}")))?;
        for Clause { any_of, none_of } in clauses {
            // What is there already need not come in another version.
            let here: Vec<u32> =
                any_of.iter().copied().filter(|&id| self.index.is_installed(id)).collect();
            let any_of = if here.is_empty() { any_of } else { here };
            self.goals.roots.push(Root { none_of, ..Root::hard(any_of, Origin::Job) });
        }
        Ok(())
    }

    /// Returns what obsoletes a package that is to be installed, where it comes instead.
    fn stand_ins(&self, id: u32) -> Vec<u32> {
        if self.options.obsoletes && !self.options.exact.contains(&PackageId(id)) {
            self.index.obsoleters(id)
        } else {
            Vec::new()
        }
    }

    /// Makes an installed package prefer what a job wants in its place.
    fn note_update(&mut self, id: u32) {
        let index = self.index;
        if index.is_installed(id) || index.is_installonly(id) {
            return;
        }
        let replaced: Vec<u32> =
            index.group(id).iter().copied().filter(|&other| index.is_installed(other)).collect();
        for other in replaced {
            let targets = self.goals.updates.entry(other).or_default();
            if !targets.contains(&id) {
                targets.push(id);
            }
        }
    }

    /// Returns the best of packages of one group: the best available one if it is newer than what
    /// is installed, else the installed one.
    fn top(&self, members: &[u32]) -> u32 {
        let index = self.index;
        let mut ranked = members.to_vec();
        ranked.sort_by(|&a, &b| index.rank(a, b));
        let installed = ranked.iter().copied().find(|&id| index.is_installed(id));
        let available = ranked.iter().copied().find(|&id| !index.is_installed(id));
        match (installed, available) {
            (Some(installed), Some(available)) => {
                let evr = |id| &index.candidate(id).nevra.evr;
                if evr(available) > evr(installed) { available } else { installed }
            }
            _ => ranked[0],
        }
    }

    /// Returns the best package of each group.
    fn tops(&self, ids: &[u32]) -> Vec<u32> {
        let mut by_group: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for &id in ids {
            by_group.entry(self.index.group_of[id as usize]).or_default().push(id);
        }
        let tops = by_group.values().map(|members| self.top(members)).collect();
        self.index.sort_alternatives(tops, None, &BTreeSet::new())
    }

    fn remove(&mut self, ids: &[u32]) -> Result<(), Explanation> {
        let installed: Vec<u32> =
            ids.iter().copied().filter(|&id| self.index.is_installed(id)).collect();
        if installed.is_empty() {
            return Err(Explanation::new("nothing that is to be removed is installed"));
        }
        self.goals.forbidden.extend(&installed);
        self.goals.removed.extend(installed);
        Ok(())
    }

    fn upgrade_all(&mut self) {
        for id in self.index.installed.clone() {
            self.upgrade(id, None);
        }
    }

    fn upgrade_some(&mut self, ids: &[u32]) {
        for group in groups_of(self.index, ids) {
            let installed = installed_of(self.index, group);
            if installed.is_empty() && self.options.obsoletes {
                for id in self.obsoleted_by(group, ids) {
                    self.upgrade(id, Some(ids));
                }
            }
            let listed = listed_of(self.index, group, ids);
            for id in installed {
                self.upgrade(id, listed.as_deref());
            }
        }
    }

    /// Returns the installed packages that packages of a list and a group obsolete.
    fn obsoleted_by(&self, group: u32, ids: &[u32]) -> Vec<u32> {
        let index = self.index;
        let members: Vec<u32> =
            ids.iter().copied().filter(|&id| index.group_of[id as usize] == group).collect();
        let is_obsoleted = |old: &u32| members.iter().any(|&id| index.obsoletes(id, *old));
        index.installed.iter().copied().filter(is_obsoleted).collect()
    }

    /// Notes the best update of an installed package, among `listed` if given.
    fn upgrade(&mut self, id: u32, listed: Option<&[u32]>) {
        let index = self.index;
        let group = index.group_of[id as usize];
        let evr = &index.candidate(id).nevra.evr;
        let mut newer = index.available_of_group(group);
        newer.retain(|other| listed.is_none_or(|listed| listed.contains(other)));
        // A repository of higher priority hides the newer versions of others.
        let best = newer.iter().map(|&other| index.candidate(other).priority).min();
        newer.retain(|&other| {
            let candidate = index.candidate(other);
            Some(candidate.priority) == best && candidate.nevra.evr > *evr
        });
        if index.is_installonly(id) {
            self.upgrade_installonly(id, &newer);
            return;
        }
        self.update(id, newer, listed);
    }

    /// A newer version comes beside the newest installed one.
    fn upgrade_installonly(&mut self, id: u32, newer: &[u32]) {
        let index = self.index;
        let evr = &index.candidate(id).nevra.evr;
        let is_newest = index
            .group(id)
            .iter()
            .filter(|&&other| index.is_installed(other))
            .all(|&other| index.candidate(other).nevra.evr <= *evr);
        let vendor = &index.candidate(id).vendor;
        let may_come = |other: &&u32| {
            self.options.allow_vendor_change || index.candidate(**other).vendor == *vendor
        };
        let newer: Vec<u32> = newer.iter().filter(may_come).copied().collect();
        let n_wanted = if self.options.best { 1 } else { newer.len() };
        if is_newest && !newer.is_empty() {
            self.want(id, newer[..n_wanted].to_vec());
        }
    }

    /// Notes where an installed package should go: `targets` of its own name, best first, or what
    /// obsoletes it (and is `listed`, if there is a list).
    fn update(&mut self, id: u32, targets: Vec<u32>, listed: Option<&[u32]>) {
        let index = self.index;
        if self.goals.locked.contains(&id) {
            return;
        }
        let mut obsoleters = if self.options.obsoletes { index.obsoleters(id) } else { Vec::new() };
        obsoleters.retain(|other| listed.is_none_or(|listed| listed.contains(other)));
        let is_obsolete =
            |target: u32| obsoleters.iter().any(|&obsoleter| index.obsoletes(obsoleter, target));
        let mut best: Vec<Vec<u32>> = Vec::new();
        let mut all = targets.clone();
        if let Some(&first) = targets.first()
            && !is_obsolete(first)
        {
            best.push(vec![first]);
        }
        let tops = self.tops(&obsoleters);
        if best.is_empty() {
            all.splice(0..0, tops.iter().copied());
        } else {
            all.extend(&tops);
        }
        best.extend(tops.into_iter().map(|top| vec![top]));
        let Some(first) = best.first().map(|any_of| any_of[0]) else { return };
        best.retain(|any_of| any_of[0] == first || index.share_obsoletes(first, any_of[0], id));
        self.goals.updates.entry(id).or_default().extend(all);
        let mut best = best.into_iter();
        if let Some(first) = best.next() {
            self.want(id, first);
        }
        // Further packages that obsolete it with the same words come along if they can: it was split.
        self.goals.wishes.extend(best.map(|any_of| Wish { any_of, is_reported: false }));
    }

    fn want(&mut self, id: u32, any_of: Vec<u32>) {
        if self.options.best {
            self.goals.roots.push(Root::hard(any_of, Origin::BestUpdate(id)));
        } else {
            self.goals.wishes.push(Wish { any_of, is_reported: true });
        }
    }

    fn downgrade(&mut self, ids: &[u32]) -> Result<(), Explanation> {
        let index = self.index;
        for group in groups_of(index, ids) {
            let listed = listed_of(index, group, ids);
            let Some(&id) = installed_of(index, group).last() else {
                let what = index.describe(index.groups[group as usize][0]);
                return Err(Explanation::new(format!("package {what} is not installed")));
            };
            let evr = &index.candidate(id).nevra.evr;
            let mut lower = index.available_of_group(group);
            lower.retain(|other| {
                index.candidate(*other).nevra.evr < *evr
                    && listed.as_ref().is_none_or(|listed| listed.contains(other))
            });
            if lower.is_empty() {
                let line = format!("no lower version of {} is available", index.describe(id));
                return Err(Explanation::new(line));
            }
            if self.options.best {
                lower.truncate(1);
            }
            if index.is_installonly(id) {
                // It comes beside the others.
                self.goals.roots.push(Root::hard(lower, Origin::Job));
            } else {
                self.replace(id, lower);
            }
        }
        Ok(())
    }

    fn reinstall(&mut self, ids: &[u32]) -> Result<(), Explanation> {
        let index = self.index;
        for &id in ids.iter().filter(|&&id| index.is_installed(id)) {
            let nevra = &index.candidate(id).nevra;
            let group = index.group_of[id as usize];
            let listed = listed_of(index, group, ids);
            let mut same = index.available_of_group(group);
            same.retain(|other| {
                index.candidate(*other).nevra == *nevra
                    && listed.as_ref().is_none_or(|listed| listed.contains(other))
            });
            if same.is_empty() {
                let line = format!("installed package {nevra} is not available in any repository");
                return Err(Explanation::new(line));
            }
            self.replace(id, same);
        }
        Ok(())
    }

    /// Puts one of `any_of` in the place of an installed package.
    fn replace(&mut self, id: u32, any_of: Vec<u32>) {
        self.goals.forbidden.insert(id);
        self.goals.updates.insert(id, any_of.clone());
        self.goals.roots.push(Root::hard(any_of, Origin::Job));
    }

    fn distro_sync(&mut self, ids: Option<Vec<u32>>) {
        let index = self.index;
        let groups = ids.as_ref().map(|ids| groups_of(index, ids));
        if let (Some(groups), Some(ids)) = (&groups, &ids) {
            let absent = groups.iter().filter(|&&group| installed_of(index, group).is_empty());
            for id in absent.flat_map(|&group| self.obsoleted_by(group, ids)).collect::<Vec<_>>() {
                self.update(id, Vec::new(), Some(ids));
            }
        }
        for id in index.installed.clone() {
            let group = index.group_of[id as usize];
            if groups.as_ref().is_some_and(|groups| !groups.contains(&group)) {
                continue;
            }
            let listed = ids.as_ref().and_then(|ids| listed_of(index, group, ids));
            let mut targets = index.available_of_group(group);
            targets.retain(|other| listed.as_ref().is_none_or(|listed| listed.contains(other)));
            if index.is_installonly(id) {
                let evr = &index.candidate(id).nevra.evr;
                targets.retain(|&other| index.candidate(other).nevra.evr > *evr);
                self.upgrade_installonly(id, &targets);
                continue;
            }
            let is_synced = targets
                .first()
                .is_none_or(|&best| index.candidate(best).nevra == index.candidate(id).nevra);
            let targets = if is_synced { Vec::new() } else { targets };
            if !self.options.best && !targets.is_empty() && !self.goals.locked.contains(&id) {
                // Not the best, but one of them; what is there already need not come again.
                let same = |other: u32| index.candidate(other).nevra == index.candidate(id).nevra;
                let mut any_of: Vec<u32> =
                    targets.iter().map(|&other| if same(other) { id } else { other }).collect();
                any_of.extend(index.obsoleters(id));
                self.goals.roots.push(Root::hard(any_of, Origin::BestUpdate(id)));
            }
            self.update(id, targets, listed.as_deref());
        }
    }
}

fn groups_of(index: &Index<'_>, ids: &[u32]) -> BTreeSet<u32> {
    ids.iter().map(|&id| index.group_of[id as usize]).collect()
}

/// Returns the installed packages of a group, lowest version first.
fn installed_of(index: &Index<'_>, group: u32) -> Vec<u32> {
    let members = index.groups[group as usize].iter();
    let mut found: Vec<u32> = members.copied().filter(|&id| index.is_installed(id)).collect();
    found.sort_by(|&a, &b| index.candidate(a).nevra.evr.cmp(&index.candidate(b).nevra.evr));
    found
}

/// Returns the available packages of a group that are in a list; `None` when the list does not
/// choose between them: it has none of them, or all and the installed one too.
fn listed_of(index: &Index<'_>, group: u32, ids: &[u32]) -> Option<Vec<u32>> {
    let available = index.available_of_group(group);
    let listed: Vec<u32> = available.iter().copied().filter(|id| ids.contains(id)).collect();
    let has_installed = installed_of(index, group).iter().any(|id| ids.contains(id));
    let is_whole = has_installed && listed.len() == available.len();
    (!listed.is_empty() && !is_whole).then_some(listed)
}
