// SPDX-License-Identifier: MIT OR Apache-2.0
//! Groups and environments of all repositories, merged by identifier, and what a transaction does to them.

use crate::query::glob;
use crate::query::sack::SYSTEM;
use crate::state::history::{GroupKind, HistoryAction, HistoryGroup};
use crate::state::{GroupState, PackageReason};
use cairn_rpm::repodata::{self, Comps, GroupPackage, GroupPackageKind, write_comps};
use std::collections::BTreeMap;

/// Place in lists of what states none.
const LAST: u32 = u32::MAX;

/// One group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// Identifier.
    pub id: String,
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// Whether it is selected unless the user says otherwise.
    pub is_default: bool,
    /// Whether it is meant for users.
    pub is_visible: bool,
    /// Place in lists.
    pub order: Option<u32>,
    /// Language the group is for.
    pub lang_only: Option<String>,
    /// Repository, of several the last one.
    pub repository: String,
    /// All repositories that have it.
    pub repositories: Vec<String>,
    /// Name and type (`mandatory default optional conditional`) of its packages.
    pub packages: Vec<(String, String)>,
    /// Of conditional packages: what must be installed for them to come, by name.
    pub conditions: BTreeMap<String, String>,
}

/// One environment: a group of groups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// Identifier.
    pub id: String,
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// Place in lists.
    pub order: Option<u32>,
    /// Repository, of several the last one.
    pub repository: String,
    /// All repositories that have it.
    pub repositories: Vec<String>,
    /// Groups that belong to it.
    pub groups: Vec<String>,
    /// Groups that can be left away.
    pub defaults: Vec<String>,
    /// Groups that can be added.
    pub options: Vec<String>,
}

/// What a transaction does to a group or an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupChange {
    /// Which of the two.
    pub kind: GroupKind,
    /// [`HistoryAction::Install`], [`HistoryAction::Upgrade`] or [`HistoryAction::Remove`].
    pub action: HistoryAction,
    /// Identifier.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// [`PackageReason::User`], or [`PackageReason::Dependency`] of a group that an environment brings.
    pub reason: PackageReason,
    /// Repository, `@System` for what goes.
    pub repository: String,
    /// Types and packages of a group afterwards (before, for removals).
    pub state: GroupState,
    /// Groups of an environment afterwards (before, for removals).
    pub groups: Vec<String>,
    /// comps.xml with its definition; empty for removals.
    pub definition: String,
}

impl GroupChange {
    /// Returns the entry for the history.
    pub fn history(&self) -> HistoryGroup {
        let members = match self.kind {
            GroupKind::Group => self.state.packages.clone(),
            GroupKind::Environment => self.groups.clone(),
        };
        HistoryGroup {
            action: self.action,
            kind: self.kind,
            id: self.id.clone(),
            name: self.name.clone(),
            reason: self.reason,
            repository: self.repository.clone(),
            package_types: self.state.package_types.clone(),
            members,
        }
    }
}

/// All groups and environments.
#[derive(Debug, Clone, Default)]
pub struct GroupSet {
    groups: BTreeMap<String, Group>,
    environments: BTreeMap<String, Environment>,
    /// Installed groups as they were defined when they came.
    installed_groups: BTreeMap<String, Group>,
    /// Installed environments as they were defined when they came.
    installed_environments: BTreeMap<String, Environment>,
}

impl GroupSet {
    /// Returns a set without groups.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the groups of a repository. One that is there already gets further members, and the new names and descriptions.
    pub fn add(&mut self, repository: &str, comps: &Comps) {
        for source in &comps.groups {
            let known = self.groups.remove(&source.id).unwrap_or_default();
            self.groups.insert(source.id.clone(), known.merged(repository, source));
        }
        for source in &comps.environments {
            let known = self.environments.remove(&source.id).unwrap_or_default();
            self.environments.insert(source.id.clone(), known.merged(repository, source));
        }
    }

    /// Adds groups in place of those with the same identifiers.
    pub fn replace(&mut self, repository: &str, comps: &Comps) {
        self.groups.retain(|id, _| !comps.groups.iter().any(|new| new.id == *id));
        self.environments.retain(|id, _| !comps.environments.iter().any(|new| new.id == *id));
        self.add(repository, comps);
    }

    /// Takes out the groups and environments whose identifiers match one of these globs.
    pub fn exclude(&mut self, groups: &[String], environments: &[String]) {
        let is_out =
            |globs: &[String], id: &String| globs.iter().any(|glob| glob::matches(glob, id));
        self.groups.retain(|id, _| !is_out(groups, id));
        self.environments.retain(|id, _| !is_out(environments, id));
    }

    /// Adds how installed groups and environments were defined when they came.
    pub fn add_installed(&mut self, comps: &Comps) {
        for source in &comps.groups {
            let group = Group::default().merged(SYSTEM, source);
            self.installed_groups.insert(source.id.clone(), group);
        }
        for source in &comps.environments {
            let environment = Environment::default().merged(SYSTEM, source);
            self.installed_environments.insert(source.id.clone(), environment);
        }
    }

    /// Returns an installed group as it was defined when it came.
    pub fn installed_group(&self, id: &str) -> Option<&Group> {
        self.installed_groups.get(id)
    }

    /// Returns an installed environment as it was defined when it came.
    pub fn installed_environment(&self, id: &str) -> Option<&Environment> {
        self.installed_environments.get(id)
    }

    /// Returns the group with that identifier as the repositories define it.
    pub fn offered_group(&self, id: &str) -> Option<&Group> {
        self.groups.get(id)
    }

    /// Returns the environment with that identifier as the repositories define it.
    pub fn offered_environment(&self, id: &str) -> Option<&Environment> {
        self.environments.get(id)
    }

    /// Returns the groups of repositories that an identifier or a glob of identifiers means.
    pub fn with_id(&self, spec: &str) -> Vec<&Group> {
        self.groups.values().filter(|group| glob::matches(spec, &group.id)).collect()
    }

    /// Returns the environments of repositories that an identifier or a glob of identifiers means.
    pub fn environments_with_id(&self, spec: &str) -> Vec<&Environment> {
        self.environments.values().filter(|one| glob::matches(spec, &one.id)).collect()
    }

    /// Returns the group with that identifier, as repositories define it where they do.
    pub fn group(&self, id: &str) -> Option<&Group> {
        self.groups.get(id).or_else(|| self.installed_groups.get(id))
    }

    /// Returns the environment with that identifier, as repositories define it where they do.
    pub fn environment(&self, id: &str) -> Option<&Environment> {
        self.environments.get(id).or_else(|| self.installed_environments.get(id))
    }

    /// Returns all groups in the order of lists, installed ones as they were defined when they came.
    pub fn all(&self) -> Vec<&Group> {
        let is_offered = |group: &&Group| !self.installed_groups.contains_key(&group.id);
        let offered = self.groups.values().filter(is_offered);
        let mut groups: Vec<&Group> = self.installed_groups.values().chain(offered).collect();
        groups.sort_by_key(|group| (group.order.unwrap_or(LAST), &group.id));
        groups
    }

    /// Returns all environments in the order of lists, installed ones as they were defined when they came.
    pub fn all_environments(&self) -> Vec<&Environment> {
        let is_offered = |one: &&Environment| !self.installed_environments.contains_key(&one.id);
        let offered = self.environments.values().filter(is_offered);
        let mut all: Vec<&Environment> =
            self.installed_environments.values().chain(offered).collect();
        all.sort_by_key(|one| (one.order.unwrap_or(LAST), &one.id));
        all
    }
}

impl Group {
    /// Returns the group with what a repository's definition adds: further members, and its names and descriptions.
    fn merged(self, repository: &str, source: &repodata::Group) -> Self {
        let mut group = Self {
            id: source.id.clone(),
            name: source.name.clone(),
            description: source.description.clone(),
            is_default: source.default,
            is_visible: source.user_visible,
            lang_only: source.lang_only.clone(),
            order: source.display_order,
            repository: repository.to_owned(),
            ..self
        };
        group.repositories.push(repository.to_owned());
        for package in &source.packages {
            let member = (package.name.clone(), kind_name(&package.kind).to_owned());
            if let GroupPackageKind::Conditional(condition) = &package.kind
                && !condition.is_empty()
            {
                group.conditions.insert(package.name.clone(), condition.clone());
            }
            if !group.packages.contains(&member) {
                group.packages.push(member);
            }
        }
        group
    }

    /// Says whether an identifier, a name or a glob means this group.
    pub fn is_meant(&self, spec: &str) -> bool {
        matches(spec, &self.id, &self.name)
    }

    /// Returns the names of the packages of these types.
    pub fn names(&self, types: &[String]) -> Vec<String> {
        let of_types = |(_, kind): &&(String, String)| types.contains(kind);
        let mut names = Vec::new();
        add_new(&mut names, self.packages.iter().filter(of_types).map(|(name, _)| name));
        names
    }

    /// Returns comps.xml with this group only.
    pub fn definition(&self) -> String {
        let packages = self.packages.iter().map(|(name, kind)| GroupPackage {
            name: name.clone(),
            kind: match kind.as_str() {
                "default" => GroupPackageKind::Default,
                "optional" => GroupPackageKind::Optional,
                "conditional" => GroupPackageKind::Conditional(
                    self.conditions.get(name).cloned().unwrap_or_default(),
                ),
                _ => GroupPackageKind::Mandatory,
            },
        });
        let group = repodata::Group {
            id: self.id.clone(),
            name: self.name.clone(),
            description: self.description.clone(),
            default: self.is_default,
            user_visible: self.is_visible,
            display_order: self.order,
            lang_only: self.lang_only.clone(),
            packages: packages.collect(),
        };
        write_comps(&Comps { groups: vec![group], ..Comps::default() })
    }
}

impl Environment {
    /// Returns the environment with what a repository's definition adds: further groups, and its names and descriptions.
    fn merged(self, repository: &str, source: &repodata::Environment) -> Self {
        let mut environment = Self {
            id: source.id.clone(),
            name: source.name.clone(),
            description: source.description.clone(),
            order: source.display_order,
            repository: repository.to_owned(),
            ..self
        };
        environment.repositories.push(repository.to_owned());
        add_new(&mut environment.groups, &source.groups);
        for (id, is_default) in &source.options {
            let list =
                if *is_default { &mut environment.defaults } else { &mut environment.options };
            add_new(list, [id]);
        }
        environment.groups.sort();
        environment.defaults.sort();
        environment.options.sort();
        environment
    }

    /// Returns the groups that come with it unless the user says otherwise.
    pub fn usual_groups(&self) -> Vec<String> {
        let mut groups = self.groups.clone();
        add_new(&mut groups, &self.defaults);
        groups
    }

    /// Says whether an identifier, a name or a glob means this environment.
    pub fn is_meant(&self, spec: &str) -> bool {
        matches(spec, &self.id, &self.name)
    }

    /// Returns comps.xml with this environment only.
    pub fn definition(&self) -> String {
        let with = |is_default| move |id: &String| (id.clone(), is_default);
        let options = self.defaults.iter().map(with(true));
        let environment = repodata::Environment {
            id: self.id.clone(),
            name: self.name.clone(),
            description: self.description.clone(),
            display_order: self.order,
            groups: self.groups.clone(),
            options: options.chain(self.options.iter().map(with(false))).collect(),
        };
        write_comps(&Comps { environments: vec![environment], ..Comps::default() })
    }
}

/// Adds what a list does not have yet.
fn add_new<'a>(list: &mut Vec<String>, more: impl IntoIterator<Item = &'a String>) {
    for one in more {
        if !list.contains(one) {
            list.push(one.clone());
        }
    }
}

fn matches(spec: &str, id: &str, name: &str) -> bool {
    glob::matches_ignoring_case(spec, id) || glob::matches_ignoring_case(spec, name)
}

fn kind_name(kind: &GroupPackageKind) -> &'static str {
    match kind {
        GroupPackageKind::Mandatory => "mandatory",
        GroupPackageKind::Default => "default",
        GroupPackageKind::Optional => "optional",
        GroupPackageKind::Conditional(_) => "conditional",
    }
}
