// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who provides what among a list of packages, and what follows: unmet requirements, packages nothing needs.

use super::sack::provides;
use cairn_rpm::dependency::{Dependency, RichDependency};
use cairn_solve::Candidate;
use std::collections::{BTreeMap, BTreeSet};

/// Finds the providers of dependencies quickly; packages are named by their place in the list.
#[derive(Debug)]
pub struct ProviderIndex<'a> {
    candidates: &'a [&'a Candidate],
    by_name: BTreeMap<&'a str, Vec<usize>>,
    /// Only files that some package of the list wants.
    by_file: BTreeMap<&'a str, Vec<usize>>,
}

impl<'a> ProviderIndex<'a> {
    /// Returns the index of a list.
    pub fn new(candidates: &'a [&'a Candidate]) -> Self {
        let mut wanted: BTreeSet<String> = BTreeSet::new();
        for candidate in candidates {
            for dependency in dependencies(candidate).chain(&candidate.conflicts) {
                for_each_member(dependency, &mut |member| {
                    if member.is_file() {
                        wanted.insert(member.name.clone());
                    }
                });
            }
        }
        let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let mut by_file: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, candidate) in candidates.iter().enumerate() {
            for provide in &candidate.provides {
                let list = by_name.entry(&provide.name).or_default();
                if list.last() != Some(&index) {
                    list.push(index);
                }
            }
            for file in candidate.files.iter().filter(|file| wanted.contains(*file)) {
                by_file.entry(file).or_default().push(index);
            }
        }
        Self { candidates, by_name, by_file }
    }

    /// Returns the places of the packages that provide what a plain dependency needs.
    pub fn providers(&self, wanted: &Dependency) -> Vec<usize> {
        let named = self.by_name.get(wanted.name.as_str()).into_iter().flatten();
        let with_file = self.by_file.get(wanted.name.as_str()).into_iter().flatten();
        let mut found: Vec<usize> = named
            .chain(with_file)
            .copied()
            .filter(|index| provides(self.candidates[*index], wanted))
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Returns the places of the packages that any member of a dependency means.
    pub fn all_providers(&self, wanted: &Dependency) -> Vec<usize> {
        let mut found = Vec::new();
        for_each_member(wanted, &mut |member| found.extend(self.providers(member)));
        found
    }

    /// Returns whether a dependency holds; rich ones are evaluated.
    pub fn is_met(&self, wanted: &Dependency) -> bool {
        if !wanted.is_rich() {
            return !self.providers(wanted).is_empty();
        }
        RichDependency::parse(&wanted.name).is_ok_and(|rich| self.is_rich_met(&rich))
    }

    fn is_rich_met(&self, rich: &RichDependency) -> bool {
        match rich {
            RichDependency::Simple(wanted) => !self.providers(wanted).is_empty(),
            RichDependency::And(members) => members.iter().all(|member| self.is_rich_met(member)),
            RichDependency::Or(members) => members.iter().any(|member| self.is_rich_met(member)),
            RichDependency::With(_) | RichDependency::Without(..) => {
                !self.rich_providers(rich).is_empty()
            }
            RichDependency::If { requirement, condition, otherwise } => {
                if self.is_rich_met(condition) {
                    self.is_rich_met(requirement)
                } else {
                    otherwise.as_ref().is_none_or(|other| self.is_rich_met(other))
                }
            }
            RichDependency::Unless { requirement, condition, otherwise } => {
                if self.is_rich_met(condition) {
                    otherwise.as_ref().is_none_or(|other| self.is_rich_met(other))
                } else {
                    self.is_rich_met(requirement)
                }
            }
        }
    }

    /// Returns the single packages that meet `with` and `without`.
    fn rich_providers(&self, rich: &RichDependency) -> BTreeSet<usize> {
        match rich {
            RichDependency::Simple(wanted) => self.providers(wanted).into_iter().collect(),
            RichDependency::With(members) => {
                let mut sets = members.iter().map(|member| self.rich_providers(member));
                let first = sets.next().unwrap_or_default();
                sets.fold(first, |all, set| all.intersection(&set).copied().collect())
            }
            RichDependency::Without(wanted, unwanted) => {
                let unwanted = self.rich_providers(unwanted);
                self.rich_providers(wanted).difference(&unwanted).copied().collect()
            }
            RichDependency::Or(members) => {
                members.iter().flat_map(|member| self.rich_providers(member)).collect()
            }
            RichDependency::And(_) | RichDependency::If { .. } | RichDependency::Unless { .. } => {
                BTreeSet::new()
            }
        }
    }

    /// Returns, for each package, the places of those it requires or recommends.
    pub fn edges(&self) -> Vec<Vec<usize>> {
        let of = |(index, candidate): (usize, &&Candidate)| {
            let mut needed: Vec<usize> =
                dependencies(candidate).flat_map(|wanted| self.all_providers(wanted)).collect();
            needed.sort_unstable();
            needed.dedup();
            needed.retain(|other| *other != index);
            needed
        };
        self.candidates.iter().enumerate().map(of).collect()
    }
}

fn dependencies(candidate: &Candidate) -> impl Iterator<Item = &Dependency> {
    candidate.requires.iter().chain(&candidate.recommends)
}

fn for_each_member(dependency: &Dependency, visit: &mut dyn FnMut(&Dependency)) {
    if !dependency.is_rich() {
        return visit(dependency);
    }
    if let Ok(rich) = RichDependency::parse(&dependency.name) {
        rich.for_each_simple(visit);
    }
}

/// Returns the groups of nodes that reach each other; a node alone is a group.
pub fn components(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut reversed: Vec<Vec<usize>> = vec![Vec::new(); edges.len()];
    for (from, targets) in edges.iter().enumerate() {
        for to in targets {
            reversed[*to].push(from);
        }
    }
    // Kosaraju: nodes by the time they are finished, then what reaches them.
    let mut finished = Vec::with_capacity(edges.len());
    let mut seen = vec![false; edges.len()];
    for start in 0..edges.len() {
        visit(start, edges, &mut seen, &mut finished);
    }
    let mut seen = vec![false; edges.len()];
    let mut groups = Vec::new();
    for start in finished.into_iter().rev() {
        let mut group = Vec::new();
        visit(start, &reversed, &mut seen, &mut group);
        if !group.is_empty() {
            group.sort_unstable();
            groups.push(group);
        }
    }
    groups
}

/// Depth first, with a stack of its own; nodes are added to `order` when everything behind them is done.
fn visit(start: usize, edges: &[Vec<usize>], seen: &mut [bool], order: &mut Vec<usize>) {
    if std::mem::replace(&mut seen[start], true) {
        return;
    }
    let mut stack = vec![(start, 0)];
    while let Some((node, next)) = stack.pop() {
        let Some(to) = edges[node].get(next) else {
            order.push(node);
            continue;
        };
        stack.push((node, next + 1));
        if !std::mem::replace(&mut seen[*to], true) {
            stack.push((*to, 0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_nodes() {
        let edges = [vec![1], vec![2], vec![1, 3], vec![], vec![4]];
        let mut groups = components(&edges);
        groups.sort();
        assert_eq!(groups, [vec![0], vec![1, 2], vec![3], vec![4]]);
        assert!(components(&[]).is_empty());
    }

    #[test]
    fn meets() {
        let package = |provides: &[&str], requires: &[&str]| Candidate {
            provides: provides.iter().map(|text| Dependency::parse(text).unwrap()).collect(),
            requires: requires.iter().map(|text| Dependency::parse(text).unwrap()).collect(),
            files: vec!["/bin/sh".to_owned()],
            ..Candidate::default()
        };
        let (a, b) = (package(&["a = 1", "x"], &["/bin/sh"]), package(&["b = 2", "x"], &["a"]));
        let list = [&a, &b];
        let index = ProviderIndex::new(&list);
        let met = |text: &str| index.is_met(&Dependency::parse(text).unwrap());
        let table = [
            ("a", true),
            ("a > 1", false),
            ("/bin/sh", true),
            ("(a and b)", true),
            ("(a and c)", false),
            ("(c or b)", true),
            ("(x without a)", true),
            ("(a without x)", false),
            ("(a with x)", true),
            ("(c if d)", true),
            ("(c if a)", false),
        ];
        for (text, expected) in table {
            assert_eq!(met(text), expected, "{text}");
        }
        assert_eq!(index.edges(), [vec![1], vec![0]]);
    }
}
