// SPDX-License-Identifier: MIT OR Apache-2.0
//! Groups and environments of all repositories, merged by identifier.

use crate::query::glob;
use cairn_rpm::repodata::{Comps, GroupPackageKind};
use std::collections::BTreeMap;

/// One group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// Identifier.
    pub id: String,
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// Whether it is meant for users.
    pub is_visible: bool,
    /// Place in lists.
    pub order: u32,
    /// Repository.
    pub repository: String,
    /// Name and type (`mandatory default optional conditional`) of its packages.
    pub packages: Vec<(String, String)>,
}

/// All groups.
#[derive(Debug, Clone, Default)]
pub struct GroupSet {
    groups: BTreeMap<String, Group>,
    environments: BTreeMap<String, Vec<String>>,
}

impl GroupSet {
    /// Returns a set without groups.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the groups of a repository; packages of a group that is there already are added to it.
    pub fn add(&mut self, repository: &str, comps: &Comps) {
        for source in &comps.groups {
            let group = self.groups.entry(source.id.clone()).or_insert_with(|| Group {
                id: source.id.clone(),
                name: source.name.clone(),
                description: source.description.clone(),
                is_visible: source.user_visible,
                order: source.display_order.unwrap_or(1024),
                repository: repository.to_owned(),
                packages: Vec::new(),
            });
            for package in &source.packages {
                let kind = kind_name(&package.kind);
                if !group.packages.iter().any(|(name, _)| *name == package.name) {
                    group.packages.push((package.name.clone(), kind.to_owned()));
                }
            }
        }
        for environment in &comps.environments {
            self.environments
                .entry(environment.id.clone())
                .or_insert_with(|| environment.groups.clone());
        }
    }

    /// Returns the groups that an identifier, a name, a glob or an environment means.
    pub fn find(&self, spec: &str) -> Vec<&Group> {
        if let Some(members) = self.environments.get(spec) {
            return members.iter().filter_map(|id| self.groups.get(id)).collect();
        }
        self.groups
            .values()
            .filter(|group| {
                glob::matches(spec, &group.id) || glob::matches_ignoring_case(spec, &group.name)
            })
            .collect()
    }

    /// Returns all groups in the order of lists.
    pub fn all(&self) -> Vec<&Group> {
        let mut groups: Vec<&Group> = self.groups.values().collect();
        groups.sort_by(|a, b| (a.order, &a.id).cmp(&(b.order, &b.id)));
        groups
    }
}

fn kind_name(kind: &GroupPackageKind) -> &'static str {
    match kind {
        GroupPackageKind::Mandatory => "mandatory",
        GroupPackageKind::Default => "default",
        GroupPackageKind::Optional => "optional",
        GroupPackageKind::Conditional(_) => "conditional",
    }
}
