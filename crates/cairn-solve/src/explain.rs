// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why there is no solution, in words.

use cairn_rpm::dependency::Dependency;

use crate::engine::{Engine, Fact, Origin, Problem};
use crate::rules::ConflictKind;
use crate::types::{Explanation, PackageId};
use std::collections::BTreeSet;

/// Turns a proof that there is no solution into lines: what cannot be done, then why.
pub(crate) fn explain(engine: &Engine<'_, '_>, problem: &Problem, facts: &[Fact]) -> Explanation {
    let explainer = Explainer { engine, problem };
    let mut heads = Vec::new();
    let mut lines = Vec::new();
    let mut dependants = BTreeSet::new();
    let mut conflicting = BTreeSet::new();
    for fact in facts {
        match fact {
            Fact::Root(root) => heads.push((explainer.weight(*root), explainer.root(*root))),
            Fact::Requires(id, any_of) => {
                lines.extend(explainer.requires(*id, any_of));
                dependants.extend(explainer.packages(&[*id]).into_iter().map(PackageId));
            }
            Fact::Conflicts(a, b) => {
                lines.extend(explainer.conflicts(*a, *b));
                conflicting.extend(explainer.packages(&[*a, *b]).into_iter().map(PackageId));
            }
            Fact::Exclusive(a, b) => {
                lines.extend(explainer.exclusive(*a, *b));
                conflicting.extend(explainer.packages(&[*a, *b]).into_iter().map(PackageId));
            }
            Fact::Forbidden(id) => {
                let what = engine.index.describe(*id);
                lines.push(format!("package {what} is to be removed"));
            }
        }
    }
    heads.sort();
    let mut all: Vec<String> = heads.into_iter().map(|(_, line)| line).collect();
    all.extend(lines);
    let mut seen = BTreeSet::new();
    all.retain(|line| seen.insert(line.clone()));
    if all.is_empty() {
        all.push("there is no solution".to_owned());
    }
    Explanation { lines: all, dependants, conflicting }
}

struct Explainer<'a, 'i, 'u> {
    engine: &'a Engine<'i, 'u>,
    problem: &'a Problem,
}

impl Explainer<'_, '_, '_> {
    /// Order of the first lines: what the user protects, then what he asked for, then the rest.
    fn weight(&self, root: usize) -> u8 {
        match self.problem.roots[root].origin {
            Origin::Protected(_) | Origin::RunningKernel(_) => 0,
            Origin::Job => 1,
            Origin::BestUpdate(_) => 2,
            Origin::Keep(_) => 3,
            Origin::Fixed => 4,
        }
    }

    fn root(&self, root: usize) -> String {
        let index = self.engine.index;
        let root = &self.problem.roots[root];
        match root.origin {
            Origin::Protected(id) => {
                let name = &index.candidate(id).nevra.name;
                format!("the operation would remove the protected package {name}")
            }
            Origin::RunningKernel(id) => {
                let nevra = &index.candidate(id).nevra;
                format!("the operation would remove the running kernel {nevra}")
            }
            Origin::BestUpdate(id) => {
                let nevra = &index.candidate(id).nevra;
                format!("cannot install the best update candidate for package {nevra}")
            }
            Origin::Keep(id) => {
                format!("problem with installed package {}", index.candidate(id).nevra)
            }
            Origin::Job | Origin::Fixed => {
                let packages: Vec<u32> = self.packages(&root.any_of);
                if let [id] = packages[..] {
                    return format!("cannot install {}", index.describe(id));
                }
                let names: Vec<String> = packages
                    .iter()
                    .take(5)
                    .map(|&id| index.candidate(id).nevra.to_string())
                    .collect();
                let more = if packages.len() > 5 { ", …" } else { "" };
                format!("cannot install any of {}{more}", names.join(", "))
            }
        }
    }

    /// Leaves out helpers.
    fn packages(&self, ids: &[u32]) -> Vec<u32> {
        let n_packages = self.engine.index.universe.candidates.len() as u32;
        ids.iter().copied().filter(|&id| id < n_packages).collect()
    }

    fn is_package(&self, id: u32) -> bool {
        !self.packages(&[id]).is_empty()
    }

    fn requires(&self, id: u32, any_of: &[u32]) -> Vec<String> {
        let index = self.engine.index;
        if !self.is_package(id) {
            return Vec::new();
        }
        let what = index.describe(id);
        let rules = self.engine.rules(id);
        if any_of.is_empty() {
            let mut lines = Vec::new();
            for text in &rules.missing {
                lines.push(format!("nothing provides {text} needed by {what}"));
                lines.extend(self.excluded_providers(text));
            }
            return lines;
        }
        let plain = rules.requires.iter().find(|requirement| requirement.any_of == any_of);
        let (text, kind) = if let Some(requirement) = plain {
            (&requirement.text, ConflictKind::Requires)
        } else {
            let packages = self.packages(any_of);
            let conditional = rules.conditional.iter().find(|rule| rule.clause.any_of == packages);
            let Some(conditional) = conditional else { return Vec::new() };
            (&conditional.text, conditional.kind)
        };
        vec![match kind {
            ConflictKind::Conflicts => format!("package {what} conflicts with {text}"),
            ConflictKind::Requires | ConflictKind::Obsoletes => format!(
                "package {what} requires {text}, but none of the providers can be installed"
            ),
        }]
    }

    fn excluded_providers(&self, text: &str) -> Vec<String> {
        let index = self.engine.index;
        let Ok(dependency) = Dependency::parse(text) else { return Vec::new() };
        if dependency.is_rich() {
            return Vec::new();
        }
        index
            .providers(&dependency)
            .into_iter()
            .filter(|&id| !index.is_allowed[id as usize])
            .map(|id| {
                let what = index.describe(id);
                if index.inferior.contains(&id) {
                    format!("package {what} has inferior architecture")
                } else if index.refused.contains(&id) {
                    format!("package {what} is an older version or of another vendor than what is installed")
                } else {
                    format!("package {what} is filtered out by exclude filtering")
                }
            })
            .collect()
    }

    fn conflicts(&self, a: u32, b: u32) -> Option<String> {
        if !self.is_package(a) || !self.is_package(b) {
            return None;
        }
        let index = self.engine.index;
        let rule = self.engine.rules(a).conflicts.iter().find(|conflict| conflict.other == b)?;
        let (a, b, text) = (index.describe(a), index.describe(b), &rule.text);
        Some(match rule.kind {
            ConflictKind::Conflicts => {
                format!("package {a} conflicts with {text} provided by {b}")
            }
            ConflictKind::Obsoletes => format!("package {a} obsoletes {text} provided by {b}"),
            ConflictKind::Requires => format!("package {a} requires {text}, which excludes {b}"),
        })
    }

    fn exclusive(&self, a: u32, b: u32) -> Option<String> {
        if !self.is_package(a) || !self.is_package(b) {
            return None;
        }
        let index = self.engine.index;
        Some(format!("cannot install both {} and {}", index.describe(a), index.describe(b)))
    }
}
