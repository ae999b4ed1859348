// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who provides what, which packages exclude each other, and which one is preferred.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use cairn_rpm::dependency::{Comparison, Dependency, RichDependency, overlaps};
use cairn_rpm::evr::Evr;

use crate::types::{Candidate, Options, Universe};

/// Lookups over a universe. Package numbers are plain `u32` inside this crate.
pub(crate) struct Index<'u> {
    pub(crate) universe: &'u Universe,
    /// Packages of one group (same name, exchangeable architecture) exclude each other.
    pub(crate) group_of: Vec<u32>,
    /// The packages of each group.
    pub(crate) groups: Vec<Vec<u32>>,
    /// Groups whose packages may be installed side by side.
    pub(crate) installonly: Vec<bool>,
    /// Packages that may be in a solution.
    pub(crate) is_allowed: Vec<bool>,
    /// Packages that are not allowed because the options keep versions or vendors of what is installed.
    pub(crate) refused: BTreeSet<u32>,
    /// Packages that are not allowed because of their architecture.
    pub(crate) inferior: BTreeSet<u32>,
    /// Installed packages, ascending.
    pub(crate) installed: Vec<u32>,
    /// (hash of a provided name, package, index of the provide or `SELF`), sorted.
    provides: Vec<(u64, u32, u32)>,
    /// (hash of the canonical path, package), only for paths some dependency names, sorted.
    files: Vec<(u64, u32)>,
    /// (hash of the name, package), sorted.
    names: Vec<(u64, u32)>,
    /// (hash of the name, package, index among its Enhances and Supplements), sorted.
    enhancers: Vec<(u64, u32, u32)>,
    /// Preferences that are not 0.
    preferences: BTreeMap<u32, i32>,
    /// (package, index of its Obsoletes) by hash of the obsoleted name, sorted.
    obsoleters: Vec<(u64, u32, u32)>,
}

/// Index of the provide every package has: its own name and EVR.
const SELF: u32 = u32::MAX;

/// FNV-1a: a fixed hash, so that nothing depends on a random seed. Collisions are checked for.
pub(crate) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Returns the path after /usr-merge: `/bin/sh` and `/usr/bin/sh` are one file.
fn canonical_path(path: &str) -> std::borrow::Cow<'_, str> {
    let is_merged = ["/bin/", "/sbin/", "/lib/", "/lib64/"].iter().any(|dir| path.starts_with(dir));
    if is_merged { format!("/usr{path}").into() } else { path.into() }
}

impl<'u> Index<'u> {
    pub(crate) fn new(universe: &'u Universe, options: &Options) -> Self {
        let candidates = &universe.candidates;
        let (group_of, groups) = make_groups(candidates);
        let mut index = Self {
            universe,
            is_allowed: vec![true; candidates.len()],
            refused: BTreeSet::new(),
            inferior: BTreeSet::new(),
            installonly: vec![false; groups.len()],
            installed: Vec::new(),
            group_of,
            groups,
            provides: Vec::new(),
            files: Vec::new(),
            names: Vec::new(),
            obsoleters: Vec::new(),
            enhancers: Vec::new(),
            preferences: options.preferences.iter().map(|(id, &number)| (id.0, number)).collect(),
        };
        for (id, candidate) in (0u32..).zip(candidates) {
            if candidate.is_installed() {
                index.installed.push(id);
            }
            let name = hash(&candidate.nevra.name);
            index.names.push((name, id));
            index.provides.push((name, id, SELF));
            for (i, provide) in (0u32..).zip(&candidate.provides) {
                let hash = if provide.is_file() {
                    hash(&canonical_path(&provide.name))
                } else {
                    hash(&provide.name)
                };
                index.provides.push((hash, id, i));
            }
            for (i, obsolete) in (0u32..).zip(&candidate.obsoletes) {
                index.obsoleters.push((hash(&obsolete.name), id, i));
            }
            for (i, enhanced) in (0u32..).zip(enhanced(candidate)) {
                index.enhancers.push((hash(&enhanced.name), id, i));
            }
        }
        index.provides.sort_unstable();
        index.names.sort_unstable();
        index.obsoleters.sort_unstable();
        index.enhancers.sort_unstable();
        index.index_files();
        index.mark_installonly(options);
        for id in &options.excludes {
            let is_available =
                candidates.get(id.0 as usize).is_some_and(|candidate| !candidate.is_installed());
            if is_available {
                index.is_allowed[id.0 as usize] = false;
            }
        }
        index
    }

    fn index_files(&mut self) {
        let mut wanted = Vec::new();
        for candidate in &self.universe.candidates {
            let lists = [
                &candidate.requires,
                &candidate.conflicts,
                &candidate.recommends,
                &candidate.supplements,
                &candidate.suggests,
            ];
            for dependency in lists.into_iter().flatten() {
                if dependency.is_file() {
                    wanted.push(hash(&canonical_path(&dependency.name)));
                } else if dependency.is_rich()
                    && dependency.name.contains('/')
                    && let Ok(rich) = RichDependency::parse(&dependency.name)
                {
                    rich.for_each_simple(&mut |simple| {
                        wanted.push(hash(&canonical_path(&simple.name)));
                    });
                }
            }
        }
        wanted.sort_unstable();
        wanted.dedup();
        if wanted.is_empty() {
            return;
        }
        for (id, candidate) in (0u32..).zip(&self.universe.candidates) {
            for path in &candidate.files {
                let hash = hash(&canonical_path(path));
                if wanted.binary_search(&hash).is_ok() {
                    self.files.push((hash, id));
                }
            }
        }
        self.files.sort_unstable();
        self.files.dedup();
    }

    fn mark_installonly(&mut self, options: &Options) {
        for name in &options.installonly_names {
            for id in self.providers(&Dependency::new(name.as_str())) {
                self.installonly[self.group_of[id as usize] as usize] = true;
            }
        }
    }

    pub(crate) fn candidate(&self, id: u32) -> &'u Candidate {
        &self.universe.candidates[id as usize]
    }

    pub(crate) fn is_installed(&self, id: u32) -> bool {
        self.candidate(id).is_installed()
    }

    pub(crate) fn is_installonly(&self, id: u32) -> bool {
        self.installonly[self.group_of[id as usize] as usize]
    }

    pub(crate) fn group(&self, id: u32) -> &[u32] {
        &self.groups[self.group_of[id as usize] as usize]
    }

    /// Returns all packages (allowed or not) that satisfy a plain dependency, ascending.
    pub(crate) fn providers(&self, dependency: &Dependency) -> Vec<u32> {
        let mut found = Vec::new();
        let is_file = dependency.is_file();
        let path = canonical_path(&dependency.name);
        let key = if is_file { hash(&path) } else { hash(&dependency.name) };
        let start = self.provides.partition_point(|entry| entry.0 < key);
        for &(_, id, i) in self.provides[start..].iter().take_while(|entry| entry.0 == key) {
            if found.last() != Some(&id) && self.provide_matches(id, i, dependency) {
                found.push(id);
            }
        }
        if is_file {
            let start = self.files.partition_point(|entry| entry.0 < key);
            for &(_, id) in self.files[start..].iter().take_while(|entry| entry.0 == key) {
                let has_file =
                    || self.candidate(id).files.iter().any(|file| canonical_path(file) == path);
                if dependency.constraint.is_none() && has_file() {
                    found.push(id);
                }
            }
            found.sort_unstable();
            found.dedup();
        }
        found
    }

    fn provide_matches(&self, id: u32, i: u32, dependency: &Dependency) -> bool {
        let candidate = self.candidate(id);
        if i == SELF {
            return candidate.nevra.name == dependency.name
                && dependency.matches_evr(&candidate.nevra.evr);
        }
        let provide = &candidate.provides[i as usize];
        let is_same_name = provide.name == dependency.name
            || (provide.is_file()
                && canonical_path(&provide.name) == canonical_path(&dependency.name));
        is_same_name && overlaps(dependency.constraint.as_ref(), provide.constraint.as_ref())
    }

    /// Returns the highest EVR under which a package provides a name; `<= 2` is higher than `< 2`.
    fn provided_evr(&self, id: u32, name: &str) -> Option<(&'u Evr, bool)> {
        let candidate = self.candidate(id);
        let own = (candidate.nevra.name == name).then_some((&candidate.nevra.evr, true));
        candidate
            .provides
            .iter()
            .filter(|provide| provide.name == name)
            .filter_map(|provide| {
                let (comparison, evr) = provide.constraint.as_ref()?;
                Some((evr, *comparison != Comparison::Less))
            })
            .chain(own)
            .max()
    }

    /// Returns all packages of a name.
    pub(crate) fn named(&self, name: &str) -> impl Iterator<Item = u32> + '_ {
        let key = hash(name);
        let start = self.names.partition_point(|entry| entry.0 < key);
        let name = name.to_owned();
        self.names[start..]
            .iter()
            .take_while(move |entry| entry.0 == key)
            .map(|entry| entry.1)
            .filter(move |&id| self.candidate(id).nevra.name == name)
    }

    /// Returns the packages (allowed, not of the same group) that obsolete a package.
    pub(crate) fn obsoleters(&self, id: u32) -> Vec<u32> {
        let nevra = &self.candidate(id).nevra;
        let key = hash(&nevra.name);
        let start = self.obsoleters.partition_point(|entry| entry.0 < key);
        let mut found: Vec<u32> = self.obsoleters[start..]
            .iter()
            .take_while(|entry| entry.0 == key)
            .filter(|&&(_, by, i)| {
                let obsolete = &self.candidate(by).obsoletes[i as usize];
                self.is_allowed[by as usize]
                    && self.group_of[by as usize] != self.group_of[id as usize]
                    && obsolete.name == nevra.name
                    && obsolete.matches_evr(&nevra.evr)
            })
            .map(|entry| entry.1)
            .collect();
        found.dedup();
        found
    }

    /// Returns the packages that enhance or supplement a package, by its name or a provide of it.
    pub(crate) fn enhancers(&self, id: u32) -> BTreeSet<u32> {
        let candidate = self.candidate(id);
        let names = candidate.provides.iter().map(|provide| provide.name.as_str());
        let mut found = BTreeSet::new();
        for name in names.chain([candidate.nevra.name.as_str()]) {
            let key = hash(name);
            let start = self.enhancers.partition_point(|entry| entry.0 < key);
            let entries = self.enhancers[start..].iter().take_while(|entry| entry.0 == key);
            found.extend(
                entries
                    .filter(|&&(_, by, i)| {
                        let dependency = enhanced(self.candidate(by)).nth(i as usize);
                        dependency.is_some_and(|dependency| {
                            !dependency.is_rich() && self.providers(dependency).contains(&id)
                        })
                    })
                    .map(|entry| entry.1),
            );
        }
        found
    }

    /// Returns a package's place between alternatives; the higher wins.
    pub(crate) fn preference(&self, id: u32) -> i32 {
        self.preferences.get(&id).copied().unwrap_or_default()
    }

    /// Says whether a package is of an architecture that only lives beside the native one, and the native one has the name too.
    pub(crate) fn is_secondary(&self, id: u32) -> bool {
        let candidate = self.candidate(id);
        is_secondary(candidate)
            && self.named(&candidate.nevra.name).any(|other| !is_secondary(self.candidate(other)))
    }

    /// Says whether a package is of an architecture that only comes where it is asked for (libsolv's "inferior architecture"): an allowed
    /// available package of the name is native, and none of the lesser architecture is installed.
    pub(crate) fn is_inferior(&self, id: u32) -> bool {
        let candidate = self.candidate(id);
        let is_native = |&other: &u32| {
            let other_candidate = self.candidate(other);
            self.is_allowed[other as usize]
                && !other_candidate.is_installed()
                && is_native(other_candidate)
        };
        is_secondary(candidate)
            && !self.group(id).iter().any(|&other| self.is_installed(other))
            && self.named(&candidate.nevra.name).any(|other| is_native(&other))
    }

    /// Leaves out packages of a lesser architecture where others are native.
    pub(crate) fn retain_best_architecture(&self, ids: &mut Vec<u32>) {
        if ids.iter().any(|&id| is_native(self.candidate(id))) {
            ids.retain(|&id| !is_secondary(self.candidate(id)));
        }
    }

    /// Says whether `by` obsoletes `id`.
    pub(crate) fn obsoletes(&self, by: u32, id: u32) -> bool {
        let nevra = &self.candidate(id).nevra;
        self.group_of[by as usize] != self.group_of[id as usize]
            && self
                .candidate(by)
                .obsoletes
                .iter()
                .any(|obsolete| obsolete.name == nevra.name && obsolete.matches_evr(&nevra.evr))
    }

    /// Says whether two packages obsolete an installed one by the same dependency.
    pub(crate) fn share_obsoletes(&self, a: u32, b: u32, installed: u32) -> bool {
        let nevra = &self.candidate(installed).nevra;
        let fits = |obsolete: &&Dependency| {
            obsolete.name == nevra.name && obsolete.matches_evr(&nevra.evr)
        };
        let mut obsoletes = self.candidate(a).obsoletes.iter().filter(fits);
        obsoletes.any(|obsolete| self.candidate(b).obsoletes.contains(obsolete))
    }

    /// Order of preference between packages of one group, best first: installed ones, then
    /// repository priority, version, native architecture, cost, repository, number.
    pub(crate) fn rank(&self, a: u32, b: u32) -> Ordering {
        let (left, right) = (self.candidate(a), self.candidate(b));
        // The priority of an installed package's repository says nothing.
        let priority = |candidate: &Candidate| {
            if candidate.is_installed() { i32::MIN } else { candidate.priority }
        };
        let by_installed = right.is_installed().cmp(&left.is_installed());
        by_installed
            .then_with(|| self.preference(b).cmp(&self.preference(a)))
            .then_with(|| priority(left).cmp(&priority(right)))
            .then_with(|| right.nevra.evr.cmp(&left.nevra.evr))
            .then_with(|| (left.nevra.arch == "noarch").cmp(&(right.nevra.arch == "noarch")))
            .then_with(|| left.cost.cmp(&right.cost))
            .then_with(|| left.repository.cmp(&right.repository))
            .then_with(|| a.cmp(&b))
    }

    /// Returns the allowed packages of a group that are available, best first.
    pub(crate) fn available_of_group(&self, group: u32) -> Vec<u32> {
        let mut found: Vec<u32> = self.groups[group as usize]
            .iter()
            .copied()
            .filter(|&id| self.is_allowed[id as usize] && !self.is_installed(id))
            .collect();
        found.sort_by(|&a, &b| self.rank(a, b));
        found
    }

    /// Says whether this would replace a lower installed version, or something installed that it
    /// obsoletes.
    pub(crate) fn is_update(&self, id: u32) -> bool {
        let candidate = self.candidate(id);
        if candidate.is_installed() || self.is_installonly(id) {
            return false;
        }
        let is_older = |other: u32| self.candidate(other).nevra.evr < candidate.nevra.evr;
        self.group(id).iter().any(|&other| self.is_installed(other) && is_older(other))
            || candidate.obsoletes.iter().any(|obsolete| {
                self.named(&obsolete.name).any(|other| {
                    self.is_installed(other)
                        && obsolete.matches_evr(&self.candidate(other).nevra.evr)
                })
            })
    }

    /// Says whether a newer version of an available package is available.
    fn is_outdated(&self, id: u32) -> bool {
        let evr = &self.candidate(id).nevra.evr;
        !self.is_installed(id)
            && self.group(id).iter().any(|&other| {
                self.is_allowed[other as usize] && self.candidate(other).nevra.evr > *evr
            })
    }

    /// Sorts alternatives: groups with an installed package, then by preference, then those with an update of one, those that no other one
    /// obsoletes, then groups in `favoured`, then repository priority, the native architecture, what is
    /// not outdated, the version provided, and the name; inside a group the installed package, then [`Index::rank`].
    pub(crate) fn sort_alternatives(
        &self,
        ids: Vec<u32>,
        dependency: Option<&Dependency>,
        favoured: &BTreeSet<u32>,
    ) -> Vec<u32> {
        if ids.len() < 2 {
            return ids;
        }
        let mut by_group: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for id in ids {
            by_group.entry(self.group_of[id as usize]).or_default().push(id);
        }
        let mut groups: Vec<Vec<u32>> = by_group.into_values().collect();
        for group in &mut groups {
            group.sort_by(|&a, &b| self.rank(a, b));
        }
        let name = dependency.map(|dependency| dependency.name.as_str());
        let heads: Vec<u32> = groups.iter().map(|group| group[0]).collect();
        // Few packages obsolete anything.
        let obsoleting = heads.iter().filter(|&&id| !self.candidate(id).obsoletes.is_empty());
        let obsoleting: Vec<u32> = obsoleting.copied().collect();
        let is_replaced = |id: &u32| obsoleting.iter().any(|&other| self.obsoletes(other, *id));
        let replaced: BTreeSet<u32> = heads.iter().copied().filter(is_replaced).collect();
        let provided = |id: u32| name.and_then(|name| self.provided_evr(id, name));
        // Versions decide only where all have one.
        let are_versioned = heads.iter().all(|&id| provided(id).is_some());
        groups.sort_by(|a, b| {
            let (a, b) = (a[0], b[0]);
            let (left, right) = (self.candidate(a), self.candidate(b));
            let is_favoured = |id: u32| favoured.contains(&id);
            let provided = |id: u32| if are_versioned { provided(id) } else { None };
            right
                .is_installed()
                .cmp(&left.is_installed())
                .then_with(|| self.preference(b).cmp(&self.preference(a)))
                .then_with(|| self.is_update(b).cmp(&self.is_update(a)))
                .then_with(|| replaced.contains(&a).cmp(&replaced.contains(&b)))
                .then_with(|| is_favoured(b).cmp(&is_favoured(a)))
                .then_with(|| left.priority.cmp(&right.priority))
                .then_with(|| is_secondary(left).cmp(&is_secondary(right)))
                .then_with(|| self.is_outdated(a).cmp(&self.is_outdated(b)))
                .then_with(|| provided(b).cmp(&provided(a)))
                .then_with(|| left.nevra.name.cmp(&right.nevra.name))
                .then_with(|| a.cmp(&b))
        });
        groups.into_iter().flatten().collect()
    }

    /// Returns `name-evr.arch from repo NAME`, or `… from @System`.
    pub(crate) fn describe(&self, id: u32) -> String {
        let candidate = self.candidate(id);
        let repository = self.universe.repository_name(candidate.repository);
        if candidate.is_installed() {
            format!("{} from {repository}", candidate.nevra)
        } else {
            format!("{} from repo {repository}", candidate.nevra)
        }
    }
}

/// Returns what a package enhances or supplements.
fn enhanced(candidate: &Candidate) -> impl Iterator<Item = &Dependency> {
    candidate.enhances.iter().chain(&candidate.supplements)
}

fn is_secondary(candidate: &Candidate) -> bool {
    let arch = candidate.nevra.arch.as_bytes();
    arch.len() == 4 && arch[0] == b'i' && arch.ends_with(b"86")
}

/// Says whether a package is of the machine's own architecture.
fn is_native(candidate: &Candidate) -> bool {
    candidate.nevra.arch != "noarch" && !is_secondary(candidate)
}

/// Groups packages by name; 32-bit x86 packages live beside the 64-bit ones, and are replaced by those of no architecture.
fn make_groups(candidates: &[Candidate]) -> (Vec<u32>, Vec<Vec<u32>>) {
    let mut keys: Vec<(&str, bool, u32)> = (0u32..)
        .zip(candidates)
        .map(|(id, candidate)| (candidate.nevra.name.as_str(), is_secondary(candidate), id))
        .collect();
    if keys.iter().any(|key| key.1) {
        let native = candidates.iter().filter(|candidate| is_native(candidate));
        let native: BTreeSet<&str> =
            native.map(|candidate| candidate.nevra.name.as_str()).collect();
        keys.iter_mut().for_each(|key| key.1 &= native.contains(key.0));
    }
    keys.sort_unstable();
    let mut group_of = vec![0; candidates.len()];
    let mut groups: Vec<Vec<u32>> = Vec::new();
    let mut last = None;
    for (name, is_secondary, id) in keys {
        if last != Some((name, is_secondary)) {
            groups.push(Vec::new());
            last = Some((name, is_secondary));
        }
        let number = groups.len() - 1;
        groups[number].push(id);
        group_of[id as usize] = number as u32;
    }
    (group_of, groups)
}
