// SPDX-License-Identifier: MIT OR Apache-2.0
//! Selections of packages that `list`, `repoquery` and `check` share.

use super::glob;
use super::providers::{ProviderIndex, components};
use super::sack::{Sack, SackPackage, provides};
use cairn_rpm::dependency::{Dependency, RichDependency};
use cairn_solve::{Candidate, PackageId};
use std::collections::{BTreeMap, BTreeSet};

/// Kinds of dependencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DependencyKind {
    /// Provides.
    Provides,
    /// Requires.
    Requires,
    /// Conflicts.
    Conflicts,
    /// Obsoletes.
    Obsoletes,
    /// Recommends.
    Recommends,
    /// Suggests.
    Suggests,
    /// Supplements.
    Supplements,
    /// Enhances.
    Enhances,
}

impl DependencyKind {
    /// Those that make a package want another one.
    pub const DEPENDS: [Self; 5] =
        [Self::Requires, Self::Recommends, Self::Suggests, Self::Supplements, Self::Enhances];

    /// Returns the list of a package.
    pub fn of(self, candidate: &Candidate) -> &[Dependency] {
        match self {
            Self::Provides => &candidate.provides,
            Self::Requires => &candidate.requires,
            Self::Conflicts => &candidate.conflicts,
            Self::Obsoletes => &candidate.obsoletes,
            Self::Recommends => &candidate.recommends,
            Self::Suggests => &candidate.suggests,
            Self::Supplements => &candidate.supplements,
            Self::Enhances => &candidate.enhances,
        }
    }
}

/// Returns the packages sorted by name and architecture; nearly no work where they come so from the metadata.
fn by_name_and_arch(sack: &Sack, ids: &[PackageId]) -> Vec<PackageId> {
    let mut sorted = ids.to_vec();
    sorted.sort_by(|a, b| name_and_arch(sack, *a).cmp(&name_and_arch(sack, *b)));
    sorted
}

fn name_and_arch(sack: &Sack, id: PackageId) -> (&str, &str) {
    let nevra = sack.get(id).nevra();
    (&nevra.name, &nevra.arch)
}

/// Keeps the packages, in their order, that `choose` keeps of those of each name and architecture.
fn keep_of_each(
    sack: &Sack,
    ids: &[PackageId],
    choose: &dyn Fn(&mut Vec<PackageId>),
) -> Vec<PackageId> {
    let sorted = by_name_and_arch(sack, ids);
    let mut kept = Vec::with_capacity(ids.len());
    let mut members = Vec::new();
    for group in sorted.chunk_by(|a, b| name_and_arch(sack, *a) == name_and_arch(sack, *b)) {
        members.clear();
        members.extend_from_slice(group);
        choose(&mut members);
        kept.append(&mut members);
    }
    if kept.len() == ids.len() {
        return ids.to_vec();
    }
    kept.sort_unstable();
    ids.iter().copied().filter(|id| kept.binary_search(id).is_ok()).collect()
}

/// Keeps the `limit` highest versions of each name and architecture; a negative limit drops them instead.
pub fn latest(sack: &Sack, ids: &[PackageId], limit: i64) -> Vec<PackageId> {
    let evr = |id: &PackageId| &sack.get(*id).nevra().evr;
    let count = usize::try_from(limit.unsigned_abs()).unwrap_or(usize::MAX);
    keep_of_each(sack, ids, &|members| {
        if members.len() == 1 && limit > 0 {
            return;
        }
        let mut evrs: Vec<_> = members.iter().map(evr).collect();
        evrs.sort_unstable_by(|a, b| b.cmp(a));
        evrs.dedup();
        evrs.truncate(count);
        members.retain(|id| evrs.contains(&evr(id)) == (limit >= 0));
    })
}

/// Returns the available packages that are newer than the installed ones of their name, latest only.
pub fn upgrades(sack: &Sack) -> Vec<PackageId> {
    latest(sack, &best_priority(sack, &newer(sack)), 1)
}

/// Returns all available packages that are newer than the installed ones of their name; a repository of higher priority hides those of
/// others.
pub fn newer(sack: &Sack) -> Vec<PackageId> {
    let newer = |package: &SackPackage<'_>| {
        let installed: Vec<_> = sack
            .by_name(&package.nevra().name)
            .filter(|other| {
                other.is_installed() && arch_fits(&other.nevra().arch, &package.nevra().arch)
            })
            .collect();
        let is_hidden = || {
            sack.by_name(&package.nevra().name).any(|other| {
                !other.is_installed()
                    && other.nevra().arch == package.nevra().arch
                    && other.candidate.priority < package.candidate.priority
            })
        };
        !installed.is_empty()
            && installed.iter().all(|other| other.nevra().evr < package.nevra().evr)
            && !is_hidden()
    };
    sack.available().filter(newer).map(|package| package.id).collect()
}

/// Keeps, for each name and architecture, the packages of the best priority.
pub fn best_priority(sack: &Sack, ids: &[PackageId]) -> Vec<PackageId> {
    let priority = |id: &PackageId| sack.get(*id).candidate.priority;
    let first = ids.first().map(priority);
    if ids.iter().all(|id| Some(priority(id)) == first) {
        return ids.to_vec();
    }
    keep_of_each(sack, ids, &|members| {
        let best = members.iter().map(priority).min();
        members.retain(|id| Some(priority(id)) == best);
    })
}

fn arch_fits(a: &str, b: &str) -> bool {
    a == b || a == "noarch" || b == "noarch"
}

/// Returns the available source packages that these packages were built from.
pub fn sources_of(sack: &Sack, ids: &[PackageId]) -> Vec<PackageId> {
    let files: BTreeSet<&str> =
        ids.iter().map(|id| sack.get(*id).details.sourcerpm.as_str()).collect();
    let is_source = |package: &SackPackage<'_>| {
        package.nevra().arch == "src"
            && files.contains(format!("{}.rpm", package.nevra().file_stem()).as_str())
    };
    sack.available().filter(is_source).map(|package| package.id).collect()
}

/// Returns the installed packages that no repository has.
pub fn extras(sack: &Sack) -> Vec<PackageId> {
    let is_extra = |package: &SackPackage<'_>| {
        !sack
            .by_name(&package.nevra().name)
            .any(|other| !other.is_installed() && other.nevra() == package.nevra())
    };
    sack.installed().filter(is_extra).map(|package| package.id).collect()
}

/// Returns the available packages that obsolete installed ones, with what they obsolete.
pub fn obsoleting(sack: &Sack) -> Vec<(PackageId, PackageId)> {
    let mut pairs = Vec::new();
    for package in sack.available() {
        for obsolete in &package.candidate.obsoletes {
            for old in sack.by_name(&obsolete.name) {
                // A package may obsolete older ones of its own name.
                let is_other = old.nevra() != package.nevra();
                if old.is_installed() && is_other && obsolete.matches_evr(&old.nevra().evr) {
                    pairs.push((package.id, old.id));
                }
            }
        }
    }
    pairs
}

/// Returns the packages whose dependencies of this kind need one of `wanted` or something the named packages provide.
///
/// `wanted` may be a capability, a file or a glob.
pub fn depending_on(
    sack: &Sack,
    kind: DependencyKind,
    wanted: &[String],
    scope: &[PackageId],
) -> Vec<PackageId> {
    depending(sack, kind, wanted, (scope, Depth::Provided))
}

/// Returns the packages of `scope` with a dependency on a capability that is named; what packages of the name provide does not count.
pub fn naming(
    sack: &Sack,
    kind: DependencyKind,
    wanted: &[String],
    scope: &[PackageId],
) -> Vec<PackageId> {
    depending(sack, kind, wanted, (scope, Depth::Named))
}

/// What a capability stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// Itself.
    Named,
    /// Everything that the packages with the name provide, too.
    Provided,
}

fn depending(
    sack: &Sack,
    kind: DependencyKind,
    wanted: &[String],
    (scope, depth): (&[PackageId], Depth),
) -> Vec<PackageId> {
    let mut targets: Vec<Dependency> = Vec::new();
    let mut files: BTreeSet<&str> = BTreeSet::new();
    let mut patterns: Vec<&str> = Vec::new();
    for text in wanted {
        let packages = match depth {
            Depth::Named => Vec::new(),
            Depth::Provided => super::match_spec(sack, text, super::SpecScope::All).0,
        };
        let by_nevra = packages
            .iter()
            .filter(|id| super::spec::nevra_matches(text, sack.get(**id).nevra()).is_some());
        for id in by_nevra {
            let candidate = sack.get(*id).candidate;
            targets.extend(candidate.provides.iter().cloned());
            files.extend(candidate.files.iter().map(String::as_str));
        }
        if glob::is_pattern(text) {
            patterns.push(text);
        } else if let Ok(dependency) = Dependency::parse(text) {
            targets.push(dependency);
        }
    }
    let hits = |dependency: &Dependency| {
        targets
            .iter()
            .any(|target| dependency.is_satisfied_by(target) || target.is_satisfied_by(dependency))
            || files.contains(dependency.name.as_str())
            || patterns.iter().any(|pattern| glob::matches(pattern, &dependency.name))
    };
    let matches =
        |id: &PackageId| kind.of(sack.get(*id).candidate).iter().any(|d| any_member(d, &hits));
    scope.iter().copied().filter(matches).collect()
}

/// Calls `test` for a dependency, or for each member of a rich one that it can be met by: neither conditions nor what is left out.
fn any_member(dependency: &Dependency, test: &dyn Fn(&Dependency) -> bool) -> bool {
    if !dependency.is_rich() {
        return test(dependency);
    }
    RichDependency::parse(&dependency.name).is_ok_and(|rich| any_rich_member(&rich, test))
}

fn any_rich_member(rich: &RichDependency, test: &dyn Fn(&Dependency) -> bool) -> bool {
    match rich {
        RichDependency::Simple(dependency) => test(dependency),
        RichDependency::With(members) if is_range(members) => {
            members.iter().all(|member| any_rich_member(member, test))
        }
        RichDependency::And(members)
        | RichDependency::Or(members)
        | RichDependency::With(members) => {
            members.iter().any(|member| any_rich_member(member, test))
        }
        RichDependency::Without(wanted, _) => any_rich_member(wanted, test),
        RichDependency::If { requirement, otherwise, .. }
        | RichDependency::Unless { requirement, otherwise, .. } => {
            any_rich_member(requirement, test)
                || otherwise.as_ref().is_some_and(|other| any_rich_member(other, test))
        }
    }
}

/// Says whether the members limit the version of one capability: `(a >= 1 with a < 2)`.
fn is_range(members: &[RichDependency]) -> bool {
    let name = |member: &RichDependency| match member {
        RichDependency::Simple(dependency) => Some(dependency.name.clone()),
        _ => None,
    };
    let first = members.first().and_then(name);
    first.is_some() && members.iter().all(|member| name(member) == first)
}

/// Returns the packages that can meet a dependency; of a rich one, what its parts can be met by.
pub fn providers(sack: &Sack, dependency: &Dependency) -> BTreeSet<PackageId> {
    if !dependency.is_rich() {
        return sack.providers(dependency).map(|package| package.id).collect();
    }
    let rich = RichDependency::parse(&dependency.name);
    rich.map(|rich| rich_providers(sack, &rich)).unwrap_or_default()
}

fn rich_providers(sack: &Sack, rich: &RichDependency) -> BTreeSet<PackageId> {
    let of = |rich: &RichDependency| rich_providers(sack, rich);
    match rich {
        RichDependency::Simple(dependency) => providers(sack, dependency),
        RichDependency::And(members) | RichDependency::Or(members) => {
            members.iter().flat_map(of).collect()
        }
        RichDependency::With(members) => {
            let both = |a: BTreeSet<PackageId>, b| a.intersection(&b).copied().collect();
            members.iter().map(of).reduce(both).unwrap_or_default()
        }
        RichDependency::Without(wanted, unwanted) => {
            of(wanted).difference(&of(unwanted)).copied().collect()
        }
        RichDependency::If { requirement, otherwise, .. }
        | RichDependency::Unless { requirement, otherwise, .. } => {
            let other = otherwise.as_deref().map(of).unwrap_or_default();
            of(requirement).union(&other).copied().collect()
        }
    }
}

/// Returns whether a dependency holds among `packages`; rich ones are evaluated.
pub fn is_met(dependency: &Dependency, packages: &[&Candidate]) -> bool {
    if !dependency.is_rich() {
        return packages.iter().any(|candidate| provides(candidate, dependency));
    }
    RichDependency::parse(&dependency.name).is_ok_and(|rich| is_rich_met(&rich, packages))
}

fn is_rich_met(rich: &RichDependency, packages: &[&Candidate]) -> bool {
    match rich {
        RichDependency::Simple(dependency) => {
            packages.iter().any(|candidate| provides(candidate, dependency))
        }
        RichDependency::And(members) => members.iter().all(|member| is_rich_met(member, packages)),
        RichDependency::Or(members) => members.iter().any(|member| is_rich_met(member, packages)),
        RichDependency::With(members) => packages
            .iter()
            .any(|candidate| members.iter().all(|member| is_rich_met(member, &[candidate]))),
        RichDependency::Without(wanted, unwanted) => packages.iter().any(|candidate| {
            is_rich_met(wanted, &[candidate]) && !is_rich_met(unwanted, &[candidate])
        }),
        RichDependency::If { requirement, condition, otherwise } => {
            if is_rich_met(condition, packages) {
                is_rich_met(requirement, packages)
            } else {
                otherwise.as_ref().is_none_or(|other| is_rich_met(other, packages))
            }
        }
        RichDependency::Unless { requirement, condition, otherwise } => {
            // Only for what does not go together: "A unless B" is there with A and without B.
            if is_rich_met(condition, packages) {
                otherwise.as_ref().is_some_and(|other| is_rich_met(other, packages))
            } else {
                is_rich_met(requirement, packages)
            }
        }
    }
}

/// Returns the installed packages that were not asked for and that nothing wanted needs, directly or through others.
pub fn unneeded(sack: &Sack) -> Vec<PackageId> {
    let installed: Vec<SackPackage<'_>> = sack.installed().collect();
    let candidates: Vec<&Candidate> = installed.iter().map(|package| package.candidate).collect();
    let edges = ProviderIndex::new(&candidates).edges();
    let mut needed = vec![false; installed.len()];
    let mut queue: Vec<usize> =
        (0..installed.len()).filter(|index| installed[*index].details.reason.is_wanted()).collect();
    while let Some(index) = queue.pop() {
        if !std::mem::replace(&mut needed[index], true) {
            queue.extend(&edges[index]);
        }
    }
    let open = installed.iter().zip(needed).filter(|(_, needed)| !needed);
    open.map(|(package, _)| package.id).collect()
}

/// Returns those of some installed packages that others require: neither themselves nor dependencies that only they need.
pub fn required_elsewhere(sack: &Sack, ids: &[PackageId]) -> BTreeSet<PackageId> {
    let installed: Vec<SackPackage<'_>> = sack.installed().collect();
    let candidates: Vec<&Candidate> = installed.iter().map(|package| package.candidate).collect();
    let index = ProviderIndex::new(&candidates);
    let mut requiring: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); installed.len()];
    for (from, candidate) in candidates.iter().enumerate() {
        let needed = candidate.requires.iter().flat_map(|wanted| index.all_providers(wanted));
        needed.filter(|to| *to != from).for_each(|to| {
            requiring[to].insert(from);
        });
    }
    let mut going: BTreeSet<usize> =
        (0..installed.len()).filter(|at| ids.contains(&installed[*at].id)).collect();
    loop {
        let is_left_alone = |at: &usize| {
            !installed[*at].details.reason.is_wanted()
                && !requiring[*at].is_empty()
                && requiring[*at].is_subset(&going)
        };
        let more: Vec<usize> =
            (0..installed.len()).filter(|at| !going.contains(at)).filter(is_left_alone).collect();
        if more.is_empty() {
            break;
        }
        going.extend(more);
    }
    let is_required =
        |at: &usize| ids.contains(&installed[*at].id) && !requiring[*at].is_subset(&going);
    going.iter().copied().filter(is_required).map(|at| installed[at].id).collect()
}

/// Returns the groups of installed packages that need each other and that no package outside of the group requires or recommends.
pub fn leaf_groups(sack: &Sack) -> Vec<Vec<PackageId>> {
    let installed: Vec<SackPackage<'_>> = sack.installed().collect();
    let candidates: Vec<&Candidate> = installed.iter().map(|package| package.candidate).collect();
    let edges = ProviderIndex::new(&candidates).edges();
    let mut groups = components(&edges);
    let mut group_of = vec![0; installed.len()];
    for (number, group) in groups.iter().enumerate() {
        for index in group {
            group_of[*index] = number;
        }
    }
    let mut is_needed = vec![false; groups.len()];
    for (from, targets) in edges.iter().enumerate() {
        for to in targets.iter().filter(|to| group_of[**to] != group_of[from]) {
            is_needed[group_of[*to]] = true;
        }
    }
    let mut number = 0;
    groups.retain(|_| {
        number += 1;
        !is_needed[number - 1]
    });
    groups
        .into_iter()
        .map(|group| group.into_iter().map(|index| installed[index].id).collect())
        .collect()
}

/// Returns the packages of all [`leaf_groups`].
pub fn leaves(sack: &Sack) -> Vec<PackageId> {
    leaf_groups(sack).into_iter().flatten().collect()
}

/// Returns the installed packages of which there are several versions, those of `installonly` names and provides left out.
pub fn duplicates(sack: &Sack, installonly: &[String]) -> Vec<PackageId> {
    let mut by_name: BTreeMap<(&str, &str), Vec<PackageId>> = BTreeMap::new();
    for package in sack.installed().filter(|package| !package.candidate.is_installonly(installonly))
    {
        let nevra = package.nevra();
        by_name.entry((&nevra.name, &nevra.arch)).or_default().push(package.id);
    }
    by_name.into_values().filter(|ids| ids.len() > 1).flatten().collect()
}

/// Returns the available packages that were built in the last days before `now`.
pub fn recent(sack: &Sack, days: u64, now: u64) -> Vec<PackageId> {
    let built = sack.available().filter(|package| is_recent(*package, days, now));
    built.map(|package| package.id).collect()
}

/// Says whether a package was built in the last days before `now`.
pub fn is_recent(package: SackPackage<'_>, days: u64, now: u64) -> bool {
    package.details.time_build.saturating_add(days.saturating_mul(86_400)) > now
}
