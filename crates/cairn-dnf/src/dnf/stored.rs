// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stored transactions in dnf5's form: a directory with `transaction.json`, and the request that carries one out again. `replay`,
//! `history redo`, `history undo` and `offline` share it.

use super::session::{Loaded, Session};
use super::transact::{Choices, run_plan, settings, solve_request};
use crate::dnf::cli::{KeepOptions, ResolveOptions};
use crate::failure::{CommandResult, Failure, complain};
use cairn_pkg::query::sack::SYSTEM;
use cairn_pkg::resolve::{GroupPackages, Plan, PlanAction, PlanItem, Request};
use cairn_pkg::state::PackageReason;
use cairn_pkg::state::history::{GroupKind, HistoryAction, HistoryGroup, HistoryItem};
use cairn_rpm::evr::Nevra;
use cairn_solve::{Job, PackageId};
use serde::{Deserialize, Serialize};
use serde_json::ser::{Formatter, PrettyFormatter};
use std::io::{self, Write};
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
    #[serde(default)]
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
    /// `User` or `Dependency`; environments have none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// File with the definition of a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_path: Option<String>,
    /// File with the definition of an environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment_path: Option<String>,
    /// Repository.
    #[serde(default)]
    pub repo_id: String,
    /// Types of a group's packages, separated by commas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package_types: Option<String>,
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
    /// What somebody stored is carried out: what is done already is a mistake too, and groups are upgraded.
    pub is_replay: bool,
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
            of_kind.map(move |group| {
                let is_group = kind == GroupKind::Group;
                let reason = if is_group { group.reason.as_str() } else { "" };
                StoredGroup {
                    id: group.id.clone(),
                    action: group.action.as_str().to_owned(),
                    reason: reason.to_owned(),
                    group_path: None,
                    environment_path: None,
                    repo_id: group.repository.clone(),
                    package_types: is_group.then(|| group.package_types.join(", ")),
                }
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
        let stored: Self = serde_json::from_str(&without_last_commas(text))
            .map_err(|error| malformed(error.to_string()))?;
        let (major, minor) = stored.version.split_once('.').unwrap_or((&stored.version, "0"));
        if major != "1" || minor.parse::<u32>().is_err() {
            return Err(malformed(format!(
                "unsupported format version {:?} (expected \"{VERSION}\")",
                stored.version
            )));
        }
        Ok(stored)
    }

    /// Returns the text of the file.
    pub fn text(&self) -> Result<String, Failure> {
        let mut bytes = Vec::new();
        let formatter = PlainJson(PrettyFormatter::new());
        let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
        let failed = |error: String| Failure::new(format!("cannot write JSON: {error}"));
        self.serialize(&mut serializer).map_err(|error| failed(error.to_string()))?;
        String::from_utf8(bytes).map_err(|error| failed(error.to_string()))
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
                let types = group.package_types.as_deref().unwrap_or_default();
                let types = types.split([',', ' ']).filter(|kind| !kind.is_empty());
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

/// Writes the file of a stored transaction, and its directory where it does not exist.
pub fn write(directory: &Path, stored: &StoredTransaction) -> Result<(), Failure> {
    let path = directory.join(FILE);
    let failed =
        |error: std::io::Error| Failure::new(format!("cannot write `{}`: {error}", path.display()));
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
    errors.extend(request.problems.iter().map(|problem| problem.message.clone()));
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
        let goes = item.action == PlanAction::Remove;
        let wish = wishes.items.iter().find(|wish| {
            wish.nevra == *nevra
                && wish.action != HistoryAction::Replaced
                && (wish.action == HistoryAction::Remove) == goes
        });
        if let Some(wish) = wish.filter(|_| !goes || leniency.is_replay) {
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
            HistoryAction::Replaced => {
                if self.leniency.is_replay && exact.is_none() {
                    self.not_installed(item);
                }
            }
            HistoryAction::Remove => match exact {
                Some(id) => self.request.jobs.push(Job::Remove(vec![id])),
                None if self.leniency.skip_absent && !self.is_present(nevra) => {
                    self.notes.push(format!("Package \"{nevra}\" is not installed any more."));
                }
                None => self.not_installed(item),
            },
            HistoryAction::ReasonChange => match exact {
                Some(id) if self.loaded.sack.get(id).details.reason == item.reason => {
                    self.notes.push(format!(
                        "Package \"{nevra}\" is already installed with reason \"{}\".",
                        item.reason.as_str()
                    ));
                }
                Some(id) => reason_changes.push(PlanItem {
                    action: PlanAction::ReasonChange,
                    id,
                    replaces: Vec::new(),
                    reason: item.reason,
                }),
                None => self.not_installed(item),
            },
            HistoryAction::Reinstall => match exact {
                Some(id) => self.request.jobs.push(Job::Reinstall(vec![id])),
                None => self.not_installed(item),
            },
            HistoryAction::Install | HistoryAction::Upgrade | HistoryAction::Downgrade => {
                self.add_inbound(item, exact);
            }
        }
    }

    fn not_installed(&mut self, item: &HistoryItem) {
        self.mismatch(format!(
            "Cannot perform {} action because '{}' is not installed.",
            item.action.as_str(),
            item.nevra
        ));
    }

    fn add_inbound(&mut self, item: &HistoryItem, exact: Option<PackageId>) {
        let nevra = &item.nevra;
        if exact.is_some() {
            let message = format!("Package \"{nevra}\" is already installed.");
            if self.leniency.is_replay && item.action == HistoryAction::Install {
                self.mismatch(message);
            } else {
                self.notes.push(message);
            }
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
        if self.leniency.is_replay && group.action != HistoryAction::Install {
            let (is_there, what) = match group.kind {
                GroupKind::Group => (self.loaded.state.groups.contains_key(&group.id), "Group"),
                GroupKind::Environment => {
                    (self.loaded.state.environments.contains_key(&group.id), "Environment")
                }
            };
            if !is_there {
                let (action, id) = (group.action.as_str(), &group.id);
                self.mismatch(format!(
                    "Cannot perform {action} action for {what} '{id}' because it is not installed."
                ));
                return;
            }
        }
        match (group.kind, group.action) {
            (GroupKind::Group, HistoryAction::Upgrade) if self.leniency.is_replay => {
                self.request.upgrade_group(&group.id);
            }
            (GroupKind::Group, HistoryAction::ReasonChange) => {
                self.request.change_group_reason(&group.id, group.reason);
            }
            (GroupKind::Environment, HistoryAction::Upgrade) if self.leniency.is_replay => {
                self.request.upgrade_environment(&group.id);
            }
            (GroupKind::Group, HistoryAction::Remove) => {
                self.request.remove_group_for(&group.id, group.reason);
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

/// JSON as dnf5's library writes it: no blank behind a colon, slashes escaped.
struct PlainJson(PrettyFormatter<'static>);

impl Formatter for PlainJson {
    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b":")
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        text: &str,
    ) -> io::Result<()> {
        writer.write_all(text.replace('/', "\\/").as_bytes())
    }
}

/// Leaves out commas before the end of a list or an object, which dnf5 takes.
fn without_last_commas(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let (mut is_text, mut is_escaped) = (false, false);
    for (at, letter) in text.char_indices() {
        let next = || text[at + 1..].trim_start().chars().next();
        if letter == ',' && !is_text && matches!(next(), Some('}' | ']')) {
            continue;
        }
        if letter == '"' && !is_escaped {
            is_text = !is_text;
        }
        is_escaped = letter == '\\' && !is_escaped;
        kept.push(letter);
    }
    kept
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
        let reason = match action {
            HistoryAction::ReasonChange => group_reason_before(group.reason),
            _ => group.reason,
        };
        wishes.groups.push(HistoryGroup { action, repository, reason, ..group.clone() });
    }
    wishes
}

/// Returns the reason that a group had before it got this one: there are two.
pub fn group_reason_before(now: PackageReason) -> PackageReason {
    if now == PackageReason::User { PackageReason::Dependency } else { PackageReason::User }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_dnf5_writes_and_takes() {
        let text = r#"{"rpms":[{"action":"Remove","nevra":"a-1-1.noarch","reason":"User",},],"version":"1.0",}"#;
        let stored = StoredTransaction::parse("t", text).expect("commas at the end are taken");
        let written = stored.text().expect("it can be written");
        assert!(
            written.starts_with("{\n  \"rpms\":[\n    {\n      \"nevra\":\"a-1-1.noarch\","),
            "{written}"
        );
        assert_eq!(StoredTransaction::parse("t", &written).expect("it can be read again"), stored);
        assert_eq!(without_last_commas(r#"["a,]", "b\",}" , ]"#), r#"["a,]", "b\",}"  ]"#);
        for version in ["2.0", "1.a", "a.1"] {
            let text = format!("{{\"version\":\"{version}\"}}");
            assert!(StoredTransaction::parse("t", &text).is_err(), "{version}");
        }
    }
}
