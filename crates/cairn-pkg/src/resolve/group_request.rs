// SPDX-License-Identifier: MIT OR Apache-2.0
//! Groups and environments as solver jobs and [`GroupChange`]s.

use super::groups::{Environment, Group, GroupChange};
use super::request::{Problem, Request};
use crate::query::filter;
use crate::query::sack::{SYSTEM, SackPackage};
use crate::state::history::{GroupKind, HistoryAction};
use crate::state::{GroupState, PackageReason};
use cairn_rpm::dependency::Dependency;
use cairn_solve::{Job, PackageId};
use std::collections::BTreeSet;

/// Which packages of groups a request touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupPackages {
    /// They come and go with the group.
    Change,
    /// None: only the group itself.
    Keep,
}

/// Returns the repository that dnf5 records: of several the last, in an upgrade the first.
fn recorded(action: HistoryAction, last: &str, all: &[String]) -> String {
    let first = all.first().filter(|_| action == HistoryAction::Upgrade);
    first.map_or(last, String::as_str).to_owned()
}

impl Request<'_> {
    /// Adds `install @SPEC`: environments and groups of that name; after `^` only environments.
    pub fn install_group_or_environment(&mut self, spec: &str) {
        let types = self.settings.group_package_types.clone();
        if let Some(spec) = spec.strip_prefix('^') {
            self.install_environment(spec, &types, GroupPackages::Change);
            return;
        }
        let has_environment = !self.groups.environments_with_id(spec).is_empty();
        if has_environment {
            self.install_environment(spec, &types, GroupPackages::Change);
        }
        if !has_environment || !self.offered_groups(spec).is_empty() {
            self.install_group(spec, &types, GroupPackages::Change);
        }
    }

    /// Returns the groups of repositories that an identifier or a glob means.
    fn offered_groups(&self, spec: &str) -> Vec<Group> {
        let found = self.groups.with_id(spec).into_iter();
        found.filter(|group| group.repository != SYSTEM).cloned().collect()
    }

    /// Adds `group install`, of an environment where no group has that name; `types` are the kinds of packages wanted.
    pub fn install_group(&mut self, spec: &str, types: &[String], packages: GroupPackages) {
        let groups = self.offered_groups(spec);
        if groups.is_empty() && !self.groups.environments_with_id(spec).is_empty() {
            self.install_environment(spec, types, packages);
            return;
        }
        if groups.is_empty() {
            self.no_match(spec);
        }
        for group in groups {
            self.add_group(&group, types, packages, PackageReason::User);
        }
    }

    /// Adds one group for a reason, as `history` needs it.
    pub fn install_group_for(&mut self, id: &str, types: &[String], reason: PackageReason) {
        match self.groups.group(id).cloned() {
            Some(group) => self.add_group(&group, types, GroupPackages::Change, reason),
            None => self.no_match(id),
        }
    }

    fn is_changing(&self, kind: GroupKind, id: &str) -> bool {
        self.group_changes.iter().any(|change| change.kind == kind && change.id == id)
    }

    /// Adds `environment install`; optional groups come too where `types` have `optional`.
    pub fn install_environment(&mut self, spec: &str, types: &[String], packages: GroupPackages) {
        let environments: Vec<Environment> =
            self.groups.environments_with_id(spec).into_iter().cloned().collect();
        if environments.is_empty() {
            self.install_group(spec, types, packages);
            return;
        }
        for environment in environments {
            let mut groups = environment.groups.clone();
            if types.iter().any(|kind| kind == "optional") {
                groups.extend(environment.options.iter().cloned());
            }
            for id in groups.iter().filter(|id| self.groups.group(id).is_none()) {
                self.messages.push(format!("No match for group from environment: {id}"));
            }
            groups.retain(|id| self.groups.group(id).is_some());
            for id in &groups {
                if let Some(group) = self.groups.group(id).cloned() {
                    self.add_group(&group, types, packages, PackageReason::Dependency);
                }
            }
            if self.state.environments.get(&environment.id) == Some(&groups) {
                self.messages.push(format!(
                    "Environmental group \"{}\" is already installed.",
                    environment.id
                ));
                continue;
            }
            let action = if self.state.environments.contains_key(&environment.id) {
                HistoryAction::Upgrade
            } else {
                HistoryAction::Install
            };
            self.change_environment(&environment, action, groups);
        }
    }

    fn change_environment(
        &mut self,
        from: &Environment,
        action: HistoryAction,
        groups: Vec<String>,
    ) {
        self.group_changes.push(GroupChange {
            kind: GroupKind::Environment,
            action,
            id: from.id.clone(),
            name: from.name.clone(),
            reason: PackageReason::User,
            repository: recorded(action, &from.repository, &from.repositories),
            state: GroupState::default(),
            groups,
            definition: from.definition(),
        });
    }

    fn add_group(
        &mut self,
        group: &Group,
        types: &[String],
        packages: GroupPackages,
        reason: PackageReason,
    ) {
        if self.is_changing(GroupKind::Group, &group.id) {
            return;
        }
        let known = self.state.groups.get(&group.id);
        let mut state = GroupState {
            user_installed: reason == PackageReason::User
                || known.is_some_and(|known| known.user_installed),
            package_types: types.to_vec(),
            packages: group.names(types),
        };
        if packages == GroupPackages::Keep {
            let sack = self.sack;
            state.packages.retain(|name| sack.by_name(name).any(|p| p.is_installed()));
        }
        if known == Some(&state) {
            self.messages.push(format!("Group \"{}\" is already installed.", group.id));
        }
        if packages == GroupPackages::Change {
            for member in group.packages.iter().filter(|(_, kind)| types.contains(kind)) {
                self.install_group_package(group, member);
            }
        }
        if known != Some(&state) {
            let action =
                if known.is_some() { HistoryAction::Upgrade } else { HistoryAction::Install };
            self.change_group(group, action, state, reason);
        }
    }

    fn change_group(
        &mut self,
        from: &Group,
        action: HistoryAction,
        state: GroupState,
        reason: PackageReason,
    ) {
        self.group_changes.push(GroupChange {
            kind: GroupKind::Group,
            action,
            id: from.id.clone(),
            name: from.name.clone(),
            reason,
            repository: recorded(action, &from.repository, &from.repositories),
            state,
            groups: Vec::new(),
            definition: from.definition(),
        });
    }

    fn install_group_package(&mut self, group: &Group, (name, kind): &(String, String)) {
        let sack = self.sack;
        let is_known = sack.by_name(name).any(|package| !self.excluded.contains(&package.id));
        if kind == "conditional"
            && is_known
            && let Some(condition) = group.conditions.get(name)
        {
            self.from_groups.insert(name.clone());
            let rich = format!("({name} if {condition})");
            if let Ok(wanted) = Dependency::parse(&rich) {
                self.jobs.push(Job::Meet(wanted));
            }
            return;
        }
        let available: Vec<PackageId> = sack
            .by_name(name)
            .map(|package| package.id)
            .filter(|id| !self.excluded.contains(id))
            .collect();
        if let Some(installed) = sack.by_name(name).find(SackPackage::is_installed) {
            self.messages.push(format!("Package \"{}\" is already installed.", installed.nevra()));
            let is_newer = |id: &PackageId| sack.get(*id).nevra().evr > installed.nevra().evr;
            if available.iter().any(is_newer) {
                self.jobs.push(Job::Install(available));
            }
            return;
        }
        if !available.is_empty() {
            self.from_groups.insert(name.clone());
            self.jobs.push(Job::Install(available));
            return;
        }
        // Groups name what other editions of a distribution have.
        self.messages.push(format!("No match for group package: {name}"));
    }

    /// Adds `group remove` of all groups that the arguments mean: what only they share goes.
    pub fn remove_group(&mut self, specs: &[String], packages: GroupPackages) {
        let mut all: Vec<String> = Vec::new();
        for spec in specs {
            let ids = self.installed_groups(spec);
            if ids.is_empty() && !self.installed_environments(spec).is_empty() {
                self.remove_environment(spec, packages);
                continue;
            }
            if ids.is_empty() {
                self.messages.push(format!("No groups to remove for argument: {spec}"));
            }
            let new: Vec<String> = ids.into_iter().filter(|id| !all.contains(id)).collect();
            all.extend(new);
        }
        self.remove_groups(&all, packages);
    }

    /// Adds `remove @SPEC`: environments and groups of that name; after `^` only environments.
    pub fn remove_group_or_environment(&mut self, spec: &str) {
        let packages = GroupPackages::Change;
        let (spec, is_environment, is_group) = self.meaning(spec);
        if is_environment {
            self.remove_environment(spec, packages);
        }
        if is_group {
            self.remove_group(&[spec.to_owned()], packages);
        }
    }

    /// Adds `environment remove`.
    pub fn remove_environment(&mut self, spec: &str, packages: GroupPackages) {
        let found = self.installed_environments(spec);
        if found.is_empty() {
            self.remove_group(&[spec.to_owned()], packages);
        }
        for id in &found {
            let groups = self.state.environments[id].clone();
            let is_elsewhere = |group: &String| {
                let mut others =
                    self.state.environments.iter().filter(|(other, _)| !found.contains(other));
                others.any(|(_, members)| members.contains(group))
            };
            let going: Vec<String> = groups
                .iter()
                .filter(|group| {
                    self.state.groups.get(*group).is_some_and(|state| !state.user_installed)
                        && !is_elsewhere(group)
                })
                .cloned()
                .collect();
            self.remove_groups(&going, packages);
            let name = self.groups.environment(id).map_or_else(|| id.clone(), |e| e.name.clone());
            self.group_changes.push(GroupChange {
                kind: GroupKind::Environment,
                action: HistoryAction::Remove,
                id: id.clone(),
                name,
                reason: PackageReason::User,
                repository: SYSTEM.to_owned(),
                state: GroupState::default(),
                groups,
                definition: String::new(),
            });
        }
    }

    fn remove_groups(&mut self, ids: &[String], packages: GroupPackages) {
        let mut candidates = Vec::new();
        for id in ids {
            if self.is_changing(GroupKind::Group, id) {
                continue;
            }
            let Some(state) = self.state.groups.get(id) else { continue };
            let others: BTreeSet<&String> = self
                .state
                .groups
                .iter()
                .filter(|(other, _)| !ids.contains(other))
                .flat_map(|(_, group)| &group.packages)
                .collect();
            for name in &state.packages {
                if packages == GroupPackages::Change && !others.contains(name) {
                    candidates.extend(self.brought_by_groups(name));
                }
            }
            let reason =
                if state.user_installed { PackageReason::User } else { PackageReason::Dependency };
            self.group_changes.push(GroupChange {
                kind: GroupKind::Group,
                action: HistoryAction::Remove,
                id: id.clone(),
                name: self.groups.group(id).map_or_else(|| id.clone(), |group| group.name.clone()),
                reason,
                repository: SYSTEM.to_owned(),
                state: state.clone(),
                groups: Vec::new(),
                definition: String::new(),
            });
        }
        self.remove_group_packages(&candidates);
    }

    /// Returns the installed packages of a name that no user has asked for.
    fn brought_by_groups(&self, name: &str) -> Vec<PackageId> {
        let is_of_group = |package: &SackPackage<'_>| {
            package.is_installed()
                && !matches!(
                    package.details.reason,
                    PackageReason::User | PackageReason::ExternalUser
                )
        };
        self.sack.by_name(name).filter(is_of_group).map(|package| package.id).collect()
    }

    /// Removes packages that no group wants any more; what others need stays, as a dependency.
    fn remove_group_packages(&mut self, candidates: &[PackageId]) {
        let needed = filter::required_elsewhere(self.sack, candidates);
        let (kept, removed): (Vec<PackageId>, Vec<PackageId>) =
            candidates.iter().partition(|id| needed.contains(id));
        self.reason_changes.extend(kept.into_iter().map(|id| (id, PackageReason::Dependency)));
        self.from_groups.extend(removed.iter().map(|id| self.sack.get(*id).nevra().name.clone()));
        if !removed.is_empty() {
            self.jobs.push(Job::Remove(removed));
        }
    }

    /// Adds `group upgrade`: the group as it is defined now, with new versions of its packages.
    pub fn upgrade_group(&mut self, spec: &str) {
        let ids = self.installed_groups(spec);
        if ids.is_empty() && !self.installed_environments(spec).is_empty() {
            self.upgrade_environment(spec);
            return;
        }
        if ids.is_empty() {
            self.no_match(spec);
        }
        for id in ids {
            let defined = self.groups.group(&id).filter(|group| group.repository != SYSTEM);
            let Some(group) = defined.cloned() else {
                self.messages.push(format!("Group \"{id}\" is in no repository."));
                continue;
            };
            let state = self.state.groups[&id].clone();
            let names = group.names(&state.package_types);
            let known = self.groups.installed_members(&id).unwrap_or(&state.packages).to_vec();
            let is_new = |(name, kind): &&(String, String)| {
                state.package_types.contains(kind) && !known.contains(name)
            };
            for member in group.packages.iter().filter(is_new) {
                self.install_group_package(&group, member);
            }
            // What has left the group stays as it is.
            let is_member = |name: &&String| group.packages.iter().any(|(other, _)| other == *name);
            for name in state.packages.iter().filter(is_member) {
                let ids: Vec<PackageId> = self.sack.by_name(name).map(|p| p.id).collect();
                if ids.iter().any(|id| self.sack.get(*id).is_installed()) {
                    self.jobs.push(Job::Upgrade(Some(ids)));
                }
            }
            let reason =
                if state.user_installed { PackageReason::User } else { PackageReason::Dependency };
            let state = GroupState { packages: names, ..state };
            self.change_group(&group, HistoryAction::Upgrade, state, reason);
        }
    }

    /// Adds `upgrade @SPEC`: environments and groups of that name; after `^` only environments.
    pub fn upgrade_group_or_environment(&mut self, spec: &str) {
        let (spec, is_environment, is_group) = self.meaning(spec);
        if is_environment {
            self.upgrade_environment(spec);
        }
        if is_group {
            self.upgrade_group(spec);
        }
    }

    /// Says whether `@SPEC` means installed environments, and groups; what means neither is looked for among the groups.
    fn meaning<'s>(&self, spec: &'s str) -> (&'s str, bool, bool) {
        if let Some(spec) = spec.strip_prefix('^') {
            return (spec, true, false);
        }
        let is_environment = !self.installed_environments(spec).is_empty();
        (spec, is_environment, !is_environment || !self.installed_groups(spec).is_empty())
    }

    /// Adds `environment upgrade`: its groups, and those that are new in it.
    pub fn upgrade_environment(&mut self, spec: &str) {
        let ids = self.installed_environments(spec);
        if ids.is_empty() {
            self.upgrade_group(spec);
        }
        for id in ids {
            let Some(environment) = self.groups.environment(&id).cloned() else {
                self.messages.push(format!("Environment \"{id}\" is in no repository."));
                continue;
            };
            let types = self.settings.group_package_types.clone();
            let mut groups = environment.groups.clone();
            groups.retain(|group| self.groups.group(group).is_some());
            for group in &groups {
                if self.state.groups.contains_key(group) {
                    self.upgrade_group(group);
                } else if let Some(group) = self.groups.group(group).cloned() {
                    self.add_group(
                        &group,
                        &types,
                        GroupPackages::Change,
                        PackageReason::Dependency,
                    );
                }
            }
            self.change_environment(&environment, HistoryAction::Upgrade, groups);
        }
    }

    /// Adds a package to an installed group, for `mark group`; a problem when the group is not installed.
    pub fn check_group(&mut self, id: &str) -> bool {
        let is_installed = self.state.groups.contains_key(id);
        if !is_installed {
            let message = format!("Group state for \"{id}\" not found.");
            self.problems.push(Problem { message, is_unavailable: false });
        }
        is_installed
    }

    fn installed_groups(&self, spec: &str) -> Vec<String> {
        let is_meant = |id: &&String| crate::query::glob::matches(spec, id);
        self.state.groups.keys().filter(is_meant).cloned().collect()
    }

    fn installed_environments(&self, spec: &str) -> Vec<String> {
        let is_meant = |id: &&String| crate::query::glob::matches(spec, id);
        self.state.environments.keys().filter(is_meant).cloned().collect()
    }
}
