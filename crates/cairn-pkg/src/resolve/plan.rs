// SPDX-License-Identifier: MIT OR Apache-2.0
//! The plan of a transaction: a value that is shown, confirmed and then carried out as it is.

use super::groups::GroupChange;
use crate::query::sack::{Origin, SYSTEM, Sack, SackPackage};
use crate::state::history::{GroupKind, HistoryAction, HistoryItem};
use crate::state::{PackageReason, SystemState};
use crate::transaction::{Action, TransactionItem};
use cairn_solve::{ActionKind, PackageId, Reason, Skipped, Solution};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// What happens to a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PlanAction {
    /// New.
    Install,
    /// Newer than what it replaces.
    Upgrade,
    /// Older than what it replaces.
    Downgrade,
    /// The same again.
    Reinstall,
    /// Goes.
    Remove,
    /// Only its reason changes.
    ReasonChange,
}

impl PlanAction {
    /// Returns dnf5's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Install => "Install",
            Self::Upgrade => "Upgrade",
            Self::Downgrade => "Downgrade",
            Self::Reinstall => "Reinstall",
            Self::Remove => "Remove",
            Self::ReasonChange => "Reason Change",
        }
    }
}

/// One package of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanItem {
    /// What happens.
    pub action: PlanAction,
    /// Package.
    pub id: PackageId,
    /// Installed packages whose place it takes.
    pub replaces: Vec<PackageId>,
    /// Why; for removals [`PackageReason::Clean`] where nothing needs it, [`PackageReason::Dependency`] where it needs
    /// something that goes.
    pub reason: PackageReason,
}

/// What a transaction will do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Packages, by action, reason and name.
    pub items: Vec<PlanItem>,
    /// Packages that are left out because of what they need.
    pub skipped: BTreeSet<PackageId>,
    /// Packages that are left out because of what they cannot be beside.
    pub conflicting: BTreeSet<PackageId>,
    /// Groups and environments that change.
    pub group_changes: Vec<GroupChange>,
    /// Packages that become members of an installed group: name by the group's identifier.
    pub group_members: Vec<(String, String)>,
}

/// What a plan costs, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PlanSize {
    /// Package files, those that are there already included.
    pub inbound: u64,
    /// Files that come.
    pub installed: u64,
    /// Files that go.
    pub removed: u64,
}

impl Plan {
    /// Makes the plan of a solution. `from_groups` are the names that groups bring.
    pub fn from_solution(sack: &Sack, solution: &Solution, from_groups: &BTreeSet<String>) -> Self {
        let mut items: Vec<PlanItem> = Vec::new();
        let replaced: BTreeSet<PackageId> =
            solution.actions.iter().flat_map(|action| action.replaces.iter().copied()).collect();
        for action in &solution.actions {
            let kind = match action.kind {
                ActionKind::Install => PlanAction::Install,
                ActionKind::Upgrade => PlanAction::Upgrade,
                ActionKind::Downgrade => PlanAction::Downgrade,
                ActionKind::Reinstall => PlanAction::Reinstall,
                ActionKind::Remove => PlanAction::Remove,
                // What is replaced or obsoleted is named by the package that takes its place.
                ActionKind::Obsoleted => continue,
            };
            if kind == PlanAction::Remove && replaced.contains(&action.package) {
                continue;
            }
            let reason =
                reason_of(sack, action.package, action.reason, &action.replaces, kind, from_groups);
            items.push(PlanItem {
                action: kind,
                id: action.package,
                replaces: action.replaces.clone(),
                reason,
            });
        }
        let mut plan = Self { items, ..Self::default() };
        plan.sort(sack);
        plan.leave_out(sack, &solution.skipped);
        plan
    }

    /// Notes what was wanted and does not come, with what it would have brought.
    fn leave_out(&mut self, sack: &Sack, skipped: &[Skipped]) {
        let comes: BTreeSet<PackageId> = self.inbound().map(|item| item.id).collect();
        let is_there = |id: &PackageId| {
            let nevra = sack.get(*id).nevra();
            sack.by_name(&nevra.name).any(|other| other.is_installed() && other.nevra() == nevra)
        };
        let stays_away = |id: &&PackageId| !comes.contains(id) && !is_there(id);
        for Skipped { package, explanation } in skipped {
            let conflicting = explanation.conflicting.iter().filter(stays_away);
            self.conflicting.extend(conflicting);
            self.skipped.extend(explanation.dependants.iter().filter(stays_away));
            if !self.conflicting.contains(package) {
                self.skipped.insert(*package);
            }
        }
    }

    /// Makes what the user named, and what replaces it, wanted by the user.
    pub fn promote(&mut self, named: &BTreeSet<PackageId>) {
        for item in &mut self.items {
            let obsoletes = item.action == PlanAction::Install && !item.replaces.is_empty();
            let is_wanted =
                obsoletes && named.contains(&item.id) && item.reason != PackageReason::Group;
            let replaces_wanted = item.replaces.iter().any(|id| named.contains(id))
                && strength(item.reason) < strength(PackageReason::Group);
            if is_wanted || replaces_wanted {
                item.reason = PackageReason::User;
            }
        }
    }

    /// Gives packages another reason, before others take their places.
    pub fn change_reasons(&mut self, changes: &BTreeMap<PackageId, PackageReason>) {
        for (&id, &reason) in changes {
            if !self.items.iter().any(|item| item.id == id) {
                let action = PlanAction::ReasonChange;
                self.items.push(PlanItem { action, id, replaces: Vec::new(), reason });
            }
        }
    }

    /// Brings the items into their fixed order.
    pub fn sort(&mut self, sack: &Sack) {
        self.items.sort_by_cached_key(|item| {
            (item.action, item.reason, sack.get(item.id).nevra().to_string())
        });
    }

    /// Returns whether nothing would happen.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.group_changes.is_empty()
    }

    /// Returns the items whose packages come.
    pub fn inbound(&self) -> impl Iterator<Item = &PlanItem> {
        self.items
            .iter()
            .filter(|item| !matches!(item.action, PlanAction::Remove | PlanAction::ReasonChange))
    }

    /// Returns what the plan costs.
    pub fn size(&self, sack: &Sack) -> PlanSize {
        let mut size = PlanSize::default();
        for item in &self.items {
            let details = sack.get(item.id).details;
            match item.action {
                PlanAction::Remove => size.removed += details.size_installed,
                PlanAction::ReasonChange => {}
                PlanAction::Install
                | PlanAction::Upgrade
                | PlanAction::Downgrade
                | PlanAction::Reinstall => {
                    size.inbound += details.size_package;
                    size.installed += details.size_installed;
                    size.removed += item
                        .replaces
                        .iter()
                        .map(|id| sack.get(*id).details.size_installed)
                        .sum::<u64>();
                }
            }
        }
        size
    }

    /// Returns the engine's items; `files` are the package files of what comes.
    pub fn transaction_items(
        &self,
        sack: &Sack,
        files: &BTreeMap<PackageId, PathBuf>,
    ) -> Vec<TransactionItem> {
        let number = |id: &PackageId| match sack.get(*id).details.origin {
            Origin::Installed(number) => Some(number),
            Origin::Repository(_) | Origin::File(_) => None,
        };
        let items = self.items.iter().filter_map(|item| {
            let package = sack.get(item.id);
            let action = match item.action {
                PlanAction::Install => Action::Install,
                PlanAction::Upgrade => Action::Upgrade,
                PlanAction::Downgrade => Action::Downgrade,
                PlanAction::Reinstall => Action::Reinstall,
                PlanAction::Remove => Action::Remove,
                PlanAction::ReasonChange => return None,
            };
            let replaces = if action == Action::Remove {
                number(&item.id).into_iter().collect()
            } else {
                item.replaces.iter().filter_map(number).collect()
            };
            Some(TransactionItem {
                action,
                nevra: package.nevra().clone(),
                rpm: files.get(&item.id).cloned(),
                from_repo: package.details.repository.clone(),
                replaces,
            })
        });
        items.collect()
    }

    /// Returns the state as it is after the plan.
    pub fn state_after(&self, sack: &Sack, state: &SystemState) -> SystemState {
        let mut after = state.clone();
        let removed = self.items.iter().filter(|item| item.action == PlanAction::Remove);
        let gone: BTreeSet<PackageId> = removed
            .map(|item| item.id)
            .chain(self.items.iter().flat_map(|item| item.replaces.iter().copied()))
            .collect();
        let stays = |name: &str, arch: &str| {
            let mut others = sack.by_name(name).filter(SackPackage::is_installed);
            others.any(|other| other.nevra().arch == arch && !gone.contains(&other.id))
        };
        let forget = |after: &mut SystemState, id: PackageId| {
            let nevra = sack.get(id).nevra();
            after.nevras.remove(&nevra.to_string());
            // Versions that are installed beside each other share the reason.
            if !stays(&nevra.name, &nevra.arch) {
                after.packages.remove(&format!("{}.{}", nevra.name, nevra.arch));
            }
        };
        for item in &self.items {
            if item.action == PlanAction::Remove {
                forget(&mut after, item.id);
            }
            for id in &item.replaces {
                forget(&mut after, *id);
            }
        }
        // What takes the place of a package has a reason of its own.
        let (changes, others): (Vec<_>, Vec<_>) =
            self.items.iter().partition(|item| item.action == PlanAction::ReasonChange);
        for item in changes.into_iter().chain(others) {
            let package = sack.get(item.id);
            let nevra = package.nevra();
            match item.action {
                PlanAction::Remove => {}
                PlanAction::ReasonChange => after.set_reason(&nevra.name, &nevra.arch, item.reason),
                PlanAction::Install
                | PlanAction::Upgrade
                | PlanAction::Downgrade
                | PlanAction::Reinstall => {
                    after.set_reason(&nevra.name, &nevra.arch, item.reason);
                    after.nevras.insert(nevra.to_string(), package.details.repository.clone());
                }
            }
        }
        for (id, name) in &self.group_members {
            if let Some(group) = after.groups.get_mut(id)
                && !group.packages.contains(name)
            {
                group.packages.push(name.clone());
            }
        }
        for change in &self.group_changes {
            let goes = change.action == HistoryAction::Remove;
            match change.kind {
                GroupKind::Group if goes => {
                    after.groups.remove(&change.id);
                }
                GroupKind::Group => {
                    after.groups.insert(change.id.clone(), change.state.clone());
                }
                GroupKind::Environment if goes => {
                    after.environments.remove(&change.id);
                }
                GroupKind::Environment => {
                    after.environments.insert(change.id.clone(), change.groups.clone());
                }
            }
        }
        after
    }

    /// Returns the items for the history, as dnf5 records them.
    pub fn history_items(&self, sack: &Sack) -> Vec<HistoryItem> {
        let mut items = Vec::new();
        let mut gone = BTreeSet::new();
        for item in &self.items {
            let package = sack.get(item.id);
            let action = match item.action {
                PlanAction::Install => HistoryAction::Install,
                PlanAction::Upgrade => HistoryAction::Upgrade,
                PlanAction::Downgrade => HistoryAction::Downgrade,
                PlanAction::Reinstall => HistoryAction::Reinstall,
                PlanAction::Remove => HistoryAction::Remove,
                PlanAction::ReasonChange => HistoryAction::ReasonChange,
            };
            items.push(HistoryItem {
                action,
                nevra: package.nevra().clone(),
                reason: item.reason,
                repository: package.details.repository.clone(),
            });
            for id in &item.replaces {
                if gone.insert(*id) {
                    let old = sack.get(*id);
                    items.push(HistoryItem {
                        action: HistoryAction::Replaced,
                        nevra: old.nevra().clone(),
                        reason: old.details.reason,
                        repository: SYSTEM.to_owned(),
                    });
                }
            }
        }
        items.sort_by_cached_key(|item| (item.action, item.nevra.to_string()));
        items
    }
}

fn reason_of(
    sack: &Sack,
    id: PackageId,
    solved: Reason,
    replaces: &[PackageId],
    kind: PlanAction,
    from_groups: &BTreeSet<String>,
) -> PackageReason {
    let name = &sack.get(id).nevra().name;
    let solved = match solved {
        Reason::User
            if matches!(kind, PlanAction::Install | PlanAction::Remove)
                && from_groups.contains(name) =>
        {
            PackageReason::Group
        }
        Reason::User => PackageReason::User,
        Reason::Dependency => PackageReason::Dependency,
        Reason::WeakDependency => PackageReason::WeakDependency,
        Reason::Group => PackageReason::Group,
        Reason::Clean => PackageReason::Clean,
        Reason::External => PackageReason::ExternalUser,
    };
    if kind == PlanAction::Remove {
        return solved;
    }
    // A package inherits from those it replaces, or, installed beside them, shares a reason with those of its name; being wanted by the
    // user wins.
    let reason = |package: SackPackage<'_>| package.details.reason;
    let inherited: Vec<PackageReason> = if replaces.is_empty() {
        let nevra = sack.get(id).nevra();
        let is_beside =
            |other: &SackPackage<'_>| other.is_installed() && other.nevra().arch == nevra.arch;
        sack.by_name(&nevra.name).filter(is_beside).map(reason).collect()
    } else {
        replaces.iter().map(|old| reason(sack.get(*old))).collect()
    };
    let strongest = inherited.into_iter().max_by_key(|reason| strength(*reason));
    let Some(strongest) = strongest.filter(|old| strength(*old) > 0) else { return solved };
    let is_wanted_more = replaces.is_empty()
        && strength(solved) > strength(strongest)
        && strongest != PackageReason::ExternalUser;
    if is_wanted_more { solved } else { strongest }
}

fn strength(reason: PackageReason) -> u32 {
    match reason {
        PackageReason::None | PackageReason::Clean => 0,
        PackageReason::WeakDependency => 1,
        PackageReason::Dependency => 2,
        PackageReason::Group => 3,
        PackageReason::ExternalUser => 4,
        PackageReason::User => 5,
    }
}
