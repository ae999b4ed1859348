// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stored transactions in dnf5's form: a directory with `transaction.json`, and the request that carries one out again. `replay`,
//! `history redo`, `history undo` and `offline` share it.

use super::session::{Loaded, Session};
use super::transact::{Choices, run_plan, settings, solve_request};
use crate::dnf::cli::{KeepOptions, ResolveOptions};
use crate::failure::{CommandResult, Failure, complain};
use cairn_pkg::query::sack::{Origin, SYSTEM};
use cairn_pkg::resolve::{GroupPackages, Plan, PlanAction, PlanItem, Request};
use cairn_pkg::state::PackageReason;
use cairn_pkg::state::history::{GroupKind, HistoryAction, HistoryGroup, HistoryItem};
use cairn_rpm::evr::Nevra;
use cairn_solve::{Job, PackageId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Name of the file.
pub const FILE: &str = "transaction.json";
/// Version of the format.
const VERSION: &str = "1.0";

/// A stored transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredTransaction {
    /// Packages.
    #[serde(default)]
    pub rpms: Vec<StoredPackage>,
    /// Groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<StoredGroup>,
    /// Environments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<StoredGroup>,
    /// Version of the format.
    pub version: String,
}

/// One package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredPackage {
    /// `name-[epoch:]version-release.arch`.
    pub nevra: String,
    /// `Install`, `Upgrade`, …
    pub action: String,
    /// `User`, `Dependency`, …
    pub reason: String,
    /// Repository.
    pub repo_id: String,
    /// Package file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package_path: Option<String>,
}

/// One group or environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredGroup {
    /// Identifier.
    pub id: String,
    /// `Install`, `Upgrade` or `Remove`.
    pub action: String,
    /// `User` or `Dependency`.
    #[serde(default)]
    pub reason: String,
    /// Repository.
    #[serde(default)]
    pub repo_id: String,
    /// Types of the packages, separated by commas.
    #[serde(default)]
    pub package_types: String,
}

/// What a transaction is to do again.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// Packages.
    pub items: Vec<HistoryItem>,
    /// Groups and environments.
    pub groups: Vec<HistoryGroup>,
}

/// How strict carrying out again is.
#[derive(Debug, Clone, Default)]
pub struct Leniency {
    /// Other packages may change too.
    pub ignore_extras: bool,
    /// Packages may be installed in other versions, or not any more.
    pub ignore_installed: bool,
    /// What is in no repository is left out.
    pub skip_unavailable: bool,
    /// What cannot be installed is left out.
    pub skip_broken: bool,
    /// What is to be removed and is not there any more, in no version, is left out.
    pub skip_absent: bool,
    /// When it is carried out.
    pub keep: KeepOptions,
}

impl StoredTransaction {
    /// Makes the stored form of history entries; `path` gives the package file of what comes.
    pub fn new(
        items: &[HistoryItem],
        groups: &[HistoryGroup],
        path: &dyn Fn(&Nevra) -> Option<String>,
    ) -> Self {
        let comes = |action| {
            !matches!(
                action,
                HistoryAction::Remove | HistoryAction::Replaced | HistoryAction::ReasonChange
            )
        };
        let rpms = items.iter().map(|item| StoredPackage {
            nevra: item.nevra.to_string(),
            action: item.action.as_str().to_owned(),
            reason: item.reason.as_str().to_owned(),
            repo_id: item.repository.clone(),
            package_path: comes(item.action).then(|| path(&item.nevra)).flatten(),
        });
        let stored = |kind: GroupKind| {
            let of_kind = groups.iter().filter(move |group| group.kind == kind);
            of_kind.map(|group| StoredGroup {
                id: group.id.clone(),
                action: group.action.as_str().to_owned(),
                reason: group.reason.as_str().to_owned(),
                repo_id: group.repository.clone(),
                package_types: group.package_types.join(","),
            })
        };
        Self {
            rpms: rpms.collect(),
            groups: stored(GroupKind::Group).collect(),
            environments: stored(GroupKind::Environment).collect(),
            version: VERSION.to_owned(),
        }
    }

    /// Reads the form; `file` is the name used in errors.
    pub fn parse(file: &str, text: &str) -> Result<Self, Failure> {
        let malformed = |what: String| {
            Failure::new(format!("{file}: {what}"))
                .hint("`dnf history store` and the option --store write such files")
        };
        let stored: Self =
            serde_json::from_str(text).map_err(|error| malformed(error.to_string()))?;
        if stored.version.split('.').next() != Some("1") {
            return Err(malformed(format!(
                "unsupported format version {:?} (expected \"{VERSION}\")",
                stored.version
            )));
        }
        Ok(stored)
    }

    /// Returns the text of the file.
    pub fn text(&self) -> Result<String, Failure> {
        serde_json::to_string_pretty(self)
            .map(|text| format!("{text}\n"))
            .map_err(|error| Failure::new(format!("cannot write JSON: {error}")))
    }

    /// Returns what is to be done; `file` is the name used in errors.
    pub fn wishes(&self, file: &str) -> Result<Wishes, Failure> {
        let wrong = |what: &str, text: &str| Failure::new(format!("{file}: {what} {text:?}"));
        let action =
            |text: &str| HistoryAction::parse(text).ok_or_else(|| wrong("unknown action", text));
        let reason = |text: &str| {
            if text.is_empty() {
                return Ok(PackageReason::User);
            }
            PackageReason::parse(text).ok_or_else(|| wrong("unknown reason", text))
        };
        let mut wishes = Wishes::default();
        for package in &self.rpms {
            wishes.items.push(HistoryItem {
                action: action(&package.action)?,
                nevra: Nevra::parse(&package.nevra)
                    .map_err(|_| wrong("malformed package", &package.nevra))?,
                reason: reason(&package.reason)?,
                repository: package.repo_id.clone(),
            });
        }
        for (kind, groups) in
            [(GroupKind::Group, &self.groups), (GroupKind::Environment, &self.environments)]
        {
            for group in groups {
                let types = group.package_types.split([',', ' ']).filter(|kind| !kind.is_empty());
                wishes.groups.push(HistoryGroup {
                    action: action(&group.action)?,
                    kind,
                    id: group.id.clone(),
                    name: group.id.clone(),
                    reason: reason(&group.reason)?,
                    repository: group.repo_id.clone(),
                    package_types: types.map(str::to_owned).collect(),
                    members: Vec::new(),
                });
            }
        }
        Ok(wishes)
    }
}

/// Stores a plan in a directory; packages that are files are named by their paths.
pub fn store_plan(
    session: &Session,
    loaded: &Loaded,
    plan: &Plan,
    directory: &Path,
) -> Result<(), Failure> {
    let paths: BTreeMap<String, String> = plan
        .inbound()
        .filter_map(|item| match &loaded.sack.get(item.id).details.origin {
            Origin::File(path) => {
                let nevra = loaded.sack.get(item.id).nevra().to_string();
                Some((nevra, path.display().to_string()))
            }
            _ => None,
        })
        .collect();
    let groups: Vec<HistoryGroup> =
        plan.group_changes.iter().map(cairn_pkg::resolve::GroupChange::history).collect();
    let stored = StoredTransaction::new(&plan.history_items(&loaded.sack), &groups, &|nevra| {
        paths.get(&nevra.to_string()).cloned()
    });
    write(directory, &stored)?;
    session.printer.info(&format!("Transaction saved to {}.", directory.display()));
    Ok(())
}

/// Writes the file of a stored transaction, and its directory where it does not exist.
pub fn write(directory: &Path, stored: &StoredTransaction) -> Result<(), Failure> {
    let path = directory.join(FILE);
    let failed =
        |error: std::io::Error| Failure::new(format!("cannot write `{}`: {error}", path.display()));
    if path.exists() {
        return Err(Failure::new(format!("`{}` exists already", path.display()))
            .hint("remove it, or give another directory"));
    }
    std::fs::create_dir_all(directory).map_err(failed)?;
    std::fs::write(&path, stored.text()?).map_err(failed)
}

/// Carries wishes out: exactly these packages, unless told to be lenient.
pub fn carry_out(
    session: &Session,
    loaded: &Loaded,
    wishes: &Wishes,
    leniency: &Leniency,
) -> CommandResult {
    let resolve = ResolveOptions {
        allowerasing: true,
        skip_unavailable: leniency.skip_unavailable,
        skip_broken: leniency.skip_broken,
        ..leniency.keep.resolve()
    };
    let choices =
        Choices { resolve, keep_unneeded: true, without_weak: true, ..Choices::default() };
    let plan = plan_wishes(session, loaded, wishes, leniency, &choices)?;
    run_plan(session, loaded, &plan, &choices)
}

fn plan_wishes(
    session: &Session,
    loaded: &Loaded,
    wishes: &Wishes,
    leniency: &Leniency,
    choices: &Choices,
) -> Result<Plan, Failure> {
    let sack = &loaded.sack;
    let settings = settings(session, &choices.resolve);
    let mut request = Request::new(sack, &loaded.groups, &loaded.state, settings);
    request.exclude(&loaded.excluded);
    let mut replay = Replay { loaded, request, leniency, errors: Vec::new(), notes: Vec::new() };
    let mut reason_changes = Vec::new();
    for item in &wishes.items {
        replay.add(item, &mut reason_changes);
    }
    for group in &wishes.groups {
        replay.add_group(group);
    }
    let Replay { request, mut errors, mut notes, .. } = replay;
    if !errors.is_empty() {
        return Err(refused(errors));
    }
    let mut plan = solve_request(session, loaded, &request, choices)?;
    notes.extend(request.messages.iter().cloned());
    plan.items.extend(reason_changes);
    check_extras(loaded, &plan, wishes, &mut errors);
    if !leniency.ignore_extras && !errors.is_empty() {
        errors.push("You can try to add to command line:".to_owned());
        errors.push("  --ignore-extras to allow extra packages in the transaction".to_owned());
        return Err(refused(errors));
    }
    notes.extend(errors);
    for item in &mut plan.items {
        let nevra = sack.get(item.id).nevra();
        let wish = wishes.items.iter().find(|wish| {
            wish.nevra == *nevra
                && !matches!(wish.action, HistoryAction::Remove | HistoryAction::Replaced)
        });
        if let Some(wish) = wish.filter(|_| item.action != PlanAction::Remove) {
            item.reason = wish.reason;
        }
    }
    plan.sort(sack);
    notes.iter().for_each(|note| complain(note));
    Ok(plan)
}

fn refused(mut lines: Vec<String>) -> Failure {
    lines.insert(0, "Failed to resolve the transaction:".to_owned());
    Failure::lines(lines)
}

fn check_extras(loaded: &Loaded, plan: &Plan, wishes: &Wishes, errors: &mut Vec<String>) {
    let of_groups = |nevra: &Nevra| {
        wishes.groups.iter().any(|group| group.members.contains(&nevra.name))
            || !wishes.groups.is_empty() && wishes.items.is_empty()
    };
    for item in &plan.items {
        let nevra = loaded.sack.get(item.id).nevra();
        if !wishes.items.iter().any(|wish| wish.nevra == *nevra) && !of_groups(nevra) {
            errors.push(format!(
                "Extra package '{nevra}' (with action '{}') which is not present in the stored transaction was pulled into the transaction.",
                item.action.as_str()
            ));
        }
    }
}

struct Replay<'a> {
    loaded: &'a Loaded,
    request: Request<'a>,
    leniency: &'a Leniency,
    errors: Vec<String>,
    notes: Vec<String>,
}

impl Replay<'_> {
    fn add(&mut self, item: &HistoryItem, reason_changes: &mut Vec<PlanItem>) {
        let nevra = &item.nevra;
        let exact = self.installed(|other| other == nevra);
        match item.action {
            HistoryAction::Replaced => {}
            HistoryAction::Remove => match exact {
                Some(id) => self.request.jobs.push(Job::Remove(vec![id])),
                None if self.leniency.skip_absent && !self.is_present(nevra) => {
                    self.notes.push(format!("Package \"{nevra}\" is not installed any more."));
                }
                None => self.mismatch(format!(
                    "Cannot perform {} action because '{nevra}' is not installed.",
                    item.action.as_str()
                )),
            },
            HistoryAction::ReasonChange => match exact {
                Some(id) => reason_changes.push(PlanItem {
                    action: PlanAction::ReasonChange,
                    id,
                    replaces: Vec::new(),
                    reason: item.reason,
                }),
                None => self.mismatch(format!(
                    "Cannot perform {} action because '{nevra}' is not installed.",
                    item.action.as_str()
                )),
            },
            HistoryAction::Reinstall => match exact {
                Some(id) => self.request.jobs.push(Job::Reinstall(vec![id])),
                None => self.mismatch(format!(
                    "Cannot perform {} action because '{nevra}' is not installed.",
                    item.action.as_str()
                )),
            },
            HistoryAction::Install | HistoryAction::Upgrade | HistoryAction::Downgrade => {
                self.add_inbound(item, exact);
            }
        }
    }

    fn add_inbound(&mut self, item: &HistoryItem, exact: Option<PackageId>) {
        let nevra = &item.nevra;
        if exact.is_some() {
            self.notes.push(format!("Package \"{nevra}\" is already installed."));
            return;
        }
        let other = self.installed(|other| other.name == nevra.name && other.arch == nevra.arch);
        if let Some(other) = other.filter(|_| item.action == HistoryAction::Install) {
            let is_beside = self
                .loaded
                .sack
                .get(other)
                .candidate
                .provides
                .iter()
                .any(|provide| provide.name.starts_with("installonlypkg("));
            if !is_beside {
                self.mismatch(format!(
                    "Cannot perform {} action because '{nevra}' is installed in a different version: '{}'.",
                    item.action.as_str(),
                    self.loaded.sack.get(other).nevra()
                ));
            }
        }
        if !self.request.install_exactly(nevra) {
            let message = format!(
                "Cannot perform {} action because package '{nevra}' is not available.",
                item.action.as_str()
            );
            if self.leniency.skip_unavailable {
                self.notes.push(message);
            } else {
                self.errors.push(message);
            }
        }
    }

    fn add_group(&mut self, group: &HistoryGroup) {
        match (group.kind, group.action) {
            (GroupKind::Group, HistoryAction::Remove) => {
                self.request.remove_group(std::slice::from_ref(&group.id), GroupPackages::Keep);
            }
            (GroupKind::Environment, HistoryAction::Remove) => {
                self.request.remove_environment(&group.id, GroupPackages::Keep);
            }
            (GroupKind::Group, HistoryAction::Install) => {
                self.request.install_group_for(&group.id, &group.package_types, group.reason);
            }
            (GroupKind::Environment, HistoryAction::Install) => {
                let types = self.request.group_package_types().to_vec();
                self.request.install_environment(&group.id, &types, GroupPackages::Change);
            }
            (_, action) => self.notes.push(format!(
                "Group {} cannot be reverted, however associated package actions will be. (Group id: '{}') .",
                action.as_str().to_lowercase(),
                group.id
            )),
        }
    }

    fn is_present(&self, nevra: &Nevra) -> bool {
        self.installed(|other| other.name == nevra.name && other.arch == nevra.arch).is_some()
    }

    fn installed(&self, test: impl Fn(&Nevra) -> bool) -> Option<PackageId> {
        self.loaded.sack.installed().find(|package| test(package.nevra())).map(|package| package.id)
    }

    fn mismatch(&mut self, message: String) {
        if self.leniency.ignore_installed {
            self.notes.push(message);
        } else {
            self.errors.push(message);
        }
    }
}

/// Returns the opposite of a transaction; what it replaced has its reason in the record.
pub fn inverse(items: &[HistoryItem], groups: &[HistoryGroup]) -> Wishes {
    let mut wishes = Wishes::default();
    let comes_back = |item: &HistoryItem, action| HistoryItem { action, ..item.clone() };
    for item in items {
        let same = |other: &&HistoryItem| {
            other.nevra.name == item.nevra.name
                && other.nevra.arch == item.nevra.arch
                && other.action != HistoryAction::Replaced
        };
        let action = match item.action {
            HistoryAction::Install => HistoryAction::Remove,
            HistoryAction::Remove => HistoryAction::Install,
            HistoryAction::Upgrade | HistoryAction::Downgrade => HistoryAction::Replaced,
            HistoryAction::Replaced => match items.iter().find(same).map(|other| other.action) {
                Some(HistoryAction::Upgrade) => HistoryAction::Downgrade,
                Some(HistoryAction::Downgrade) => HistoryAction::Upgrade,
                Some(HistoryAction::Reinstall) => continue,
                _ => HistoryAction::Install,
            },
            HistoryAction::Reinstall => HistoryAction::Reinstall,
            HistoryAction::ReasonChange => HistoryAction::ReasonChange,
        };
        wishes.items.push(comes_back(item, action));
    }
    for group in groups {
        let action = match group.action {
            HistoryAction::Install => HistoryAction::Remove,
            HistoryAction::Remove => HistoryAction::Install,
            other => other,
        };
        let repository =
            if action == HistoryAction::Remove { SYSTEM.to_owned() } else { String::new() };
        wishes.groups.push(HistoryGroup { action, repository, ..group.clone() });
    }
    wishes
}
