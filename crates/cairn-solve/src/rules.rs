// SPDX-License-Identifier: MIT OR Apache-2.0
//! The dependencies of one package as rules over packages.

use std::collections::BTreeSet;

use cairn_rpm::dependency::{Dependency, RichDependency};

use crate::index::Index;
use crate::rich::{self, Clause};

/// What must hold when a package is installed.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// One of these packages must be installed; the sets are not empty (see `missing`).
    pub(crate) requires: Vec<Requirement>,
    /// Requirements no allowed package satisfies (text of the dependency).
    pub(crate) missing: Vec<String>,
    /// Packages that must not be installed.
    pub(crate) conflicts: Vec<Conflict>,
    /// Requirements that only hold under a condition (rich dependencies).
    pub(crate) conditional: Vec<Conditional>,
}

/// One of `any_of`, in order of preference.
#[derive(Debug)]
pub(crate) struct Requirement {
    pub(crate) any_of: Vec<u32>,
    pub(crate) text: String,
}

/// Not together with `other`.
#[derive(Debug)]
pub(crate) struct Conflict {
    pub(crate) other: u32,
    pub(crate) kind: ConflictKind,
    pub(crate) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConflictKind {
    Conflicts,
    Obsoletes,
    Requires,
}

#[derive(Debug)]
pub(crate) struct Conditional {
    pub(crate) clause: Clause,
    pub(crate) kind: ConflictKind,
    pub(crate) text: String,
}

impl Rules {
    /// Works out the rules of a package.
    pub(crate) fn of(index: &Index<'_>, id: u32) -> Self {
        let candidate = index.candidate(id);
        let mut rules = Self::default();
        let favoured = favoured(index, id);
        let mut builder = Builder { index, id, favoured, rules: &mut rules };
        for dependency in &candidate.requires {
            if !dependency.is_rpmlib() {
                builder.require(dependency);
            }
        }
        for dependency in &candidate.conflicts {
            builder.conflict(dependency);
        }
        for dependency in &candidate.obsoletes {
            builder.obsolete(dependency);
        }
        rules
    }
}

/// Returns the packages that this one suggests or recommends, and those that enhance it: they win between alternatives.
fn favoured(index: &Index<'_>, id: u32) -> BTreeSet<u32> {
    let candidate = index.candidate(id);
    candidate
        .recommends
        .iter()
        .chain(&candidate.suggests)
        .filter(|dependency| !dependency.is_rich())
        .flat_map(|dependency| index.providers(dependency))
        .chain(index.enhancers(id))
        .collect()
}

struct Builder<'a, 'u> {
    index: &'a Index<'u>,
    id: u32,
    favoured: BTreeSet<u32>,
    rules: &'a mut Rules,
}

impl Builder<'_, '_> {
    fn require(&mut self, dependency: &Dependency) {
        let text = || dependency.to_string();
        if !dependency.is_rich() {
            let providers = rich::allowed_providers(self.index, dependency);
            if providers.contains(&self.id) || self.is_already_broken(&providers) {
                return;
            }
            if providers.is_empty() {
                self.rules.missing.push(text());
                return;
            }
            let any_of = self.index.sort_alternatives(providers, Some(dependency), &self.favoured);
            self.rules.requires.push(Requirement { any_of, text: text() });
            return;
        }
        let parsed = RichDependency::parse(&dependency.name).ok();
        if let Some(parsed) = &parsed
            && self.index.is_installed(self.id)
            && !rich::holds(self.index, parsed, &|id| self.index.is_installed(id))
        {
            return;
        }
        let clauses = parsed
            .and_then(|parsed| rich::clauses(self.index, &parsed, false, &self.favoured).ok());
        let Some(clauses) = clauses else {
            self.rules.missing.push(text());
            return;
        };
        for mut clause in clauses {
            // With the package itself installed, "nothing of the set" is false.
            clause.none_of.retain(|set| !set.contains(&self.id));
            self.add_clause(clause, &text(), ConflictKind::Requires);
        }
    }

    fn conflict(&mut self, dependency: &Dependency) {
        if !dependency.is_rich() {
            for other in rich::allowed_providers(self.index, dependency) {
                self.add_conflict(other, ConflictKind::Conflicts, &dependency.to_string());
            }
            return;
        }
        let Ok(parsed) = RichDependency::parse(&dependency.name) else { return };
        if self.index.is_installed(self.id)
            && rich::holds(self.index, &parsed, &|id| self.index.is_installed(id))
        {
            return;
        }
        // A conflict too complex to express would have to make the package uninstallable.
        let Ok(clauses) = rich::clauses(self.index, &parsed, true, &self.favoured) else {
            self.rules.missing.push(format!("conflict {dependency}"));
            return;
        };
        for mut clause in clauses {
            for set in &mut clause.none_of {
                // A package never conflicts with itself.
                set.retain(|&other| other != self.id);
            }
            self.add_clause(clause, &dependency.to_string(), ConflictKind::Conflicts);
        }
    }

    fn obsolete(&mut self, dependency: &Dependency) {
        let own_group = self.index.group_of[self.id as usize];
        let others: Vec<u32> = self
            .index
            .named(&dependency.name)
            .filter(|&other| self.index.group_of[other as usize] != own_group)
            .filter(|&other| self.index.is_allowed[other as usize])
            .filter(|&other| dependency.matches_evr(&self.index.candidate(other).nevra.evr))
            .collect();
        for other in others {
            self.add_conflict(other, ConflictKind::Obsoletes, &dependency.to_string());
        }
    }

    fn add_clause(&mut self, clause: Clause, text: &str, kind: ConflictKind) {
        let is_satisfied =
            clause.any_of.contains(&self.id) || clause.none_of.iter().any(Vec::is_empty);
        if is_satisfied {
            return;
        }
        let text = text.to_owned();
        match (clause.any_of.is_empty(), &clause.none_of[..]) {
            (true, []) => self.rules.missing.push(text),
            (false, []) => {
                self.rules.requires.push(Requirement { any_of: clause.any_of, text });
            }
            (true, [set]) => {
                for &other in set {
                    self.add_conflict(other, kind, &text);
                }
            }
            _ => self.rules.conditional.push(Conditional { clause, kind, text }),
        }
    }

    fn add_conflict(&mut self, other: u32, kind: ConflictKind, text: &str) {
        let is_old_trouble = self.index.is_installed(self.id) && self.index.is_installed(other);
        let is_exclusive = self.index.group_of[other as usize]
            == self.index.group_of[self.id as usize]
            && !self.index.is_installonly(other);
        if other != self.id && !is_old_trouble && !is_exclusive {
            self.rules.conflicts.push(Conflict { other, kind, text: text.to_owned() });
        }
    }

    /// Says whether this is an installed package whose requirement is not met now: nothing gets
    /// worse by leaving it so, and nothing could be done on a broken system otherwise.
    fn is_already_broken(&self, providers: &[u32]) -> bool {
        self.index.is_installed(self.id)
            && !providers.iter().any(|&provider| self.index.is_installed(provider))
    }
}
