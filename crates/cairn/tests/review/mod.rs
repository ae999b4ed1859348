// SPDX-License-Identifier: MIT OR Apache-2.0
//! `distro/differences.toml`: the reviewed differences from Debian's installation.

use std::collections::BTreeSet;
use std::path::Path;

use cairn::overlay::glob::Glob;
use serde::Deserialize;

use crate::reference::Reference;
use crate::tree::Difference;

/// The list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Review {
    only_in_debian: Vec<Packages>,
    left_out: Vec<Packages>,
    difference: Vec<Entry>,
}

/// Packages with the same reason.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Packages {
    names: Vec<String>,
    reason: String,
}

/// Paths that differ in the same way for the same reason.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    kinds: Vec<String>,
    paths: Vec<String>,
    reason: String,
}

/// A glob of an entry, which must be used.
struct Rule<'a> {
    kinds: &'a [String],
    glob: Glob,
    used: BTreeSet<&'static str>,
}

impl Review {
    /// Reads the list.
    pub fn load(path: &Path) -> Self {
        toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    /// Returns one line for each difference without a reason and for each reason without a difference.
    pub fn judge(&self, debian: &Reference, differences: &[Difference]) -> Vec<String> {
        let mut complaints = self.check_reasons();
        let only: BTreeSet<&str> = names(&self.only_in_debian).collect();
        let mut only_used = BTreeSet::new();
        let mut rules = self.rules();
        for difference in differences {
            let mut is_covered = false;
            for rule in &mut rules {
                if rule.kinds.iter().any(|kind| kind == difference.kind)
                    && rule.glob.covers(&difference.path)
                {
                    rule.used.insert(difference.kind);
                    is_covered = true;
                }
            }
            let owners = debian.owners.get(&difference.path);
            if difference.kind == "missing"
                && let Some(owners) = owners
                && owners.iter().all(|owner| only.contains(owner.as_str()))
            {
                only_used.extend(owners.iter().map(String::as_str));
                is_covered = true;
            }
            if !is_covered {
                let owners: Vec<&str> = owners.into_iter().flatten().map(String::as_str).collect();
                complaints.push(format!(
                    "{} {}: {} [{}]",
                    difference.kind,
                    difference.path,
                    difference.values,
                    owners.join(" ")
                ));
            }
        }
        for rule in &rules {
            for kind in rule.kinds.iter().filter(|kind| !rule.used.contains(kind.as_str())) {
                complaints.push(format!("nothing is {kind}: {}", rule.glob.as_str()));
            }
        }
        complaints.extend(
            only.iter()
                .filter(|name| !only_used.contains(**name))
                .map(|name| format!("nothing of {name} is missing")),
        );
        complaints.extend(self.judge_left_out(debian));
        complaints
    }

    /// Compares the dependencies that are not installed on either side with the list.
    fn judge_left_out(&self, debian: &Reference) -> Vec<String> {
        let listed: BTreeSet<&str> = names(&self.left_out).collect();
        let found: BTreeSet<&str> = debian.left_out.iter().map(String::as_str).collect();
        found
            .symmetric_difference(&listed)
            .map(|name| match found.contains(name) {
                true => format!("the dependency {name} is left out without a reason"),
                false => format!("the dependency {name} is not left out"),
            })
            .collect()
    }

    fn rules(&self) -> Vec<Rule<'_>> {
        let mut rules = Vec::new();
        for entry in &self.difference {
            for path in &entry.paths {
                let glob = Glob::parse(path).unwrap_or_else(|error| panic!("{path}: {error}"));
                rules.push(Rule { kinds: &entry.kinds, glob, used: BTreeSet::new() });
            }
        }
        rules
    }

    fn check_reasons(&self) -> Vec<String> {
        let packages = self.only_in_debian.iter().chain(&self.left_out).map(|one| &one.reason);
        packages
            .chain(self.difference.iter().map(|entry| &entry.reason))
            .filter(|reason| reason.len() < 10)
            .map(|reason| format!("`{reason}` is no reason"))
            .collect()
    }
}

fn names(packages: &[Packages]) -> impl Iterator<Item = &str> {
    packages.iter().flat_map(|one| one.names.iter().map(String::as_str))
}
