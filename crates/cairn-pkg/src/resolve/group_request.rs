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
        if !has_environment || !self.groups.with_id(spec).is_empty() {
            self.install_group(spec, &types, GroupPackages::Change);
        }
    }

    /// Adds `group install`, of an environment where no group has that name; `types` are the kinds of packages wanted.
    pub fn install_group(&mut self, spec: &str, types: &[String], packages: GroupPackages) {
        let groups: Vec<Group> = self.groups.with_id(spec).into_iter().cloned().collect();
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

    /// Gives an installed group another reason, as `history` needs it.
    pub fn change_group_reason(&mut self, id: &str, reason: PackageReason) {
        let Some(state) = self.state.groups.get(id) else {
            self.messages.push(format!("Group state for \"{id}\" not found."));
            return;
        };
        let user_installed = reason == PackageReason::User;
        if state.user_installed == user_installed || self.is_changing(GroupKind::Group, id) {
            return;
        }
        self.group_changes.push(GroupChange {
            kind: GroupKind::Group,
            action: HistoryAction::ReasonChange,
            id: id.to_owned(),
            name: self.groups.group(id).map_or_else(|| id.to_owned(), |group| group.name.clone()),
            reason,
            repository: SYSTEM.to_owned(),
            state: GroupState { user_installed, ..state.clone() },
            groups: Vec::new(),
            definition: String::new(),
        });
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
            // Optional groups come along, but are no part of the environment: they stay when it goes.
            let groups = environment.usual_groups();
            let is_complete = types.iter().any(|kind| kind == "optional");
            let options = environment.options.iter().filter(|_| is_complete);
            for id in groups.iter().chain(options) {
                self.install_environment_group(id, types, packages);
            }
            if self.state.environments.contains_key(&environment.id) {
                let id = &environment.id;
                self.messages.push(format!("Environmental group \"{id}\" is already installed."));
            } else {
                self.change_environment(&environment, HistoryAction::Install, groups);
            }
        }
    }

    /// Adds a group that an environment brings.
    fn install_environment_group(&mut self, id: &str, types: &[String], packages: GroupPackages) {
        match self.groups.offered_group(id).cloned() {
            Some(group) => self.add_group(&group, types, packages, PackageReason::Dependency),
            None => self.messages.push(format!("No match for group from environment: {id}")),
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
            self.weaken(&group.id, reason);
            return;
        }
        let known = self.state.groups.get(&group.id);
        match known {
            Some(known) if known.user_installed || reason != PackageReason::User => {
                self.messages.push(format!("Group \"{}\" is already installed.", group.id));
            }
            _ => {
                let action = match known {
                    Some(_) => HistoryAction::ReasonChange,
                    None => HistoryAction::Install,
                };
                let state = self.state_of(group, types, packages, reason);
                self.change_group(group, action, state, reason);
            }
        }
        if packages == GroupPackages::Change {
            for member in group.packages.iter().filter(|(_, kind)| types.contains(kind)) {
                self.install_group_package(group, member);
            }
            if known.is_some() {
                let names = group.names(types).into_iter();
                self.group_members.extend(names.map(|name| (group.id.clone(), name)));
            }
        }
    }

    /// A group that is asked for together with an environment that brings it belongs to the environment.
    fn weaken(&mut self, id: &str, reason: PackageReason) {
        let is_meant = |change: &&mut GroupChange| {
            change.kind == GroupKind::Group
                && change.action == HistoryAction::Install
                && change.id == id
                && reason == PackageReason::Dependency
        };
        if let Some(change) = self.group_changes.iter_mut().find(is_meant) {
            change.reason = reason;
            change.state.user_installed = false;
        }
    }

    /// Returns the state of a group that comes.
    fn state_of(
        &self,
        group: &Group,
        types: &[String],
        packages: GroupPackages,
        reason: PackageReason,
    ) -> GroupState {
        let mut names = group.names(types);
        if packages == GroupPackages::Keep {
            names.retain(|name| self.sack.by_name(name).any(|package| package.is_installed()));
        }
        GroupState {
            user_installed: reason == PackageReason::User,
            package_types: types.to_vec(),
            packages: names,
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
        let mut environments = Vec::new();
        for spec in specs {
            let ids = self.installed_groups(spec);
            if ids.is_empty() && !self.installed_environments(spec).is_empty() {
                environments.push(spec);
            } else if ids.is_empty() {
                self.messages.push(format!("No groups to remove for argument: {spec}"));
            }
            self.remove_groups(&ids, packages, PackageReason::User);
        }
        for spec in environments {
            self.remove_environment(spec, packages);
        }
    }

    /// Adds the removal of one group for a reason, without its packages, as `history` needs it.
    pub fn remove_group_for(&mut self, id: &str, reason: PackageReason) {
        if !self.state.groups.contains_key(id) {
            self.messages.push(format!("No groups to remove for argument: {id}"));
        }
        self.remove_groups(&[id.to_owned()], GroupPackages::Keep, reason);
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
            let goes = |other: &String| {
                found.contains(other) || self.is_changing(GroupKind::Environment, other)
            };
            let is_elsewhere = |group: &String| {
                let mut others = self.state.environments.iter().filter(|(other, _)| !goes(other));
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
            self.remove_groups(&going, packages, PackageReason::Dependency);
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

    fn remove_groups(&mut self, ids: &[String], packages: GroupPackages, reason: PackageReason) {
        for id in ids {
            if self.is_changing(GroupKind::Group, id) {
                continue;
            }
            let Some(state) = self.state.groups.get(id) else { continue };
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
            self.going_groups.push((id.clone(), packages));
        }
        self.remove_members();
    }

    /// Removes the packages that only groups which go have brought; what others need stays, as a dependency.
    fn remove_members(&mut self) {
        let candidates = self.members_to_remove();
        let needed = filter::required_elsewhere(self.sack, &candidates);
        let (kept, removed): (Vec<PackageId>, Vec<PackageId>) =
            candidates.iter().partition(|id| needed.contains(id));
        // Each group that goes may set free what the ones before had to leave.
        self.reason_changes.retain(|id, _| !removed.contains(id));
        self.reason_changes.extend(kept.into_iter().map(|id| (id, PackageReason::Dependency)));
        self.from_groups.extend(removed.iter().map(|id| self.sack.get(*id).nevra().name.clone()));
        if removed.is_empty() {
            return;
        }
        let job = Job::Remove(removed);
        if let Some(known) = self.member_removal.and_then(|place| self.jobs.get_mut(place)) {
            *known = job;
        } else {
            self.member_removal = Some(self.jobs.len());
            self.jobs.push(job);
        }
    }

    /// Returns the packages that groups which go have brought, and no group that stays.
    fn members_to_remove(&self) -> Vec<PackageId> {
        let goes = |id: &String| self.going_groups.iter().any(|(other, _)| other == id);
        let staying = self.state.groups.iter().filter(|(id, _)| !goes(id));
        let stays: BTreeSet<&String> = staying.flat_map(|(_, group)| &group.packages).collect();
        let with_packages =
            self.going_groups.iter().filter(|(_, packages)| *packages == GroupPackages::Change);
        let names: BTreeSet<&String> = with_packages
            .filter_map(|(id, _)| self.state.groups.get(id))
            .flat_map(|group| &group.packages)
            .filter(|name| !stays.contains(name))
            .collect();
        names.into_iter().flat_map(|name| self.brought_by_groups(name)).collect()
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
            if self.is_changing(GroupKind::Group, &id) {
                continue;
            }
            let Some(group) = self.groups.offered_group(&id).cloned() else {
                self.messages.push(format!("Group \"{id}\" is in no repository."));
                continue;
            };
            let state = self.state.groups[&id].clone();
            let names = group.names(&state.package_types);
            let old = self.groups.installed_group(&id);
            let is_known = |name: &String| match old {
                Some(old) => old.packages.iter().any(|(other, _)| other == name),
                None => state.packages.contains(name),
            };
            let is_new = |(name, kind): &&(String, String)| {
                state.package_types.contains(kind) && !is_known(name)
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

    /// Adds `environment upgrade`: its groups that are installed, and those that are new in it. One that was removed stays away.
    pub fn upgrade_environment(&mut self, spec: &str) {
        let ids = self.installed_environments(spec);
        if ids.is_empty() {
            self.upgrade_group(spec);
        }
        for id in ids {
            let Some(environment) = self.groups.offered_environment(&id).cloned() else {
                self.messages.push(format!("Environment \"{id}\" is in no repository."));
                continue;
            };
            let (old_groups, old_options) = match self.groups.installed_environment(&id) {
                Some(old) => (old.usual_groups(), old.options.clone()),
                None => (self.state.environments[&id].clone(), Vec::new()),
            };
            let types = self.settings.group_package_types.clone();
            let groups = environment.usual_groups();
            for group in &groups {
                if !old_groups.contains(group) {
                    self.install_environment_group(group, &types, GroupPackages::Change);
                } else if self.state.groups.contains_key(group) {
                    self.upgrade_group(group);
                }
            }
            for group in &environment.options {
                let is_old = old_groups.contains(group) || old_options.contains(group);
                if is_old && self.state.groups.contains_key(group) {
                    self.upgrade_group(group);
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
