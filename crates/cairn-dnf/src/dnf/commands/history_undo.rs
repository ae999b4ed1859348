// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf history undo|redo|rollback|store` and `dnf replay`.
//!
//! The last three transactions are taken back from the undo store: offline, with the very files. Older ones, and those whose
//! packages have changed since, are taken back with packages from the repositories.

use super::history::one_number;
use super::recover::recover_first;
use crate::dnf::cli::{
    HistoryRedoArgs, HistoryStoreArgs, HistoryUndoArgs, KeepOptions, ReplayArgs,
};
use crate::dnf::session::{Loaded, Needs, Session};
use crate::dnf::store;
use crate::dnf::stored::{self, FILE, Leniency, StoredTransaction, Wishes, carry_out, inverse};
use crate::dnf::transact::{confirmed, current_cookie, record_of};
use crate::dnf::{display, local};
use crate::failure::{CommandResult, Failure, complain};
use cairn_pkg::TransactionError;
use cairn_pkg::failpoint::FailPoints;
use cairn_pkg::query::SackBuilder;
use cairn_pkg::query::sack::Origin;
use cairn_pkg::resolve::{GroupSet, Plan, PlanAction, PlanItem};
use cairn_pkg::state::history::{
    GroupKind, History, HistoryAction, HistoryItem, HistoryRecord, HistoryState,
};
use cairn_pkg::state::{PackageReason, SystemState};
use cairn_pkg::undo;
use cairn_rpm::evr::Nevra;
use cairn_solve::PackageId;
use cairn_ui::{Problem, exit};
use std::collections::{BTreeMap, BTreeSet};

/// Name that packages of the undo store have as their repository where the history does not know it.
const UNDO_STORE: &str = "@undo";

/// Runs `dnf history undo`.
pub fn undo(session: &Session, args: &HistoryUndoArgs) -> CommandResult {
    recover_first(session)?;
    let history = open_history(session)?;
    let record = record(&history, &args.transaction)?;
    if is_from_store(args) && can_restore(session, record.id)? {
        return restore(session, &[record]);
    }
    let mut wishes = inverse(&record.items, &record.groups);
    restore_reasons(&history, record.id, &mut wishes)?;
    drop(history);
    let loaded = session.load(Needs::ALL)?;
    carry_out(session, &loaded, &wishes, &leniency(args))
}

/// Runs `dnf history rollback`.
pub fn rollback(session: &Session, args: &HistoryUndoArgs) -> CommandResult {
    recover_first(session)?;
    let history = open_history(session)?;
    let target = record(&history, &args.transaction)?;
    let mut later = Vec::new();
    for entry in history.list()?.into_iter().filter(|entry| entry.id > target.id) {
        later.extend(history.get(entry.id)?);
    }
    let kept = later.iter().map(|record| undo::of_history(&session.root, record.id));
    let kept: Vec<bool> = kept.map(|id| id.map(|id| id.is_some())).collect::<Result<_, _>>()?;
    let Some(newest) = later.first() else {
        session.printer.data("Nothing to do.");
        return Ok(exit::SUCCESS);
    };
    if is_from_store(args) && kept.iter().all(|kept| *kept) && can_restore(session, newest.id)? {
        return restore(session, &later);
    }
    let wishes = merged(&history, &later)?;
    drop(history);
    let loaded = session.load(Needs::ALL)?;
    carry_out(session, &loaded, &wishes, &leniency(args))
}

/// Runs `dnf history redo`.
pub fn redo(session: &Session, args: &HistoryRedoArgs) -> CommandResult {
    recover_first(session)?;
    let history = open_history(session)?;
    let record = record(&history, &args.transaction)?;
    drop(history);
    let wishes = Wishes { items: record.items, groups: record.groups };
    let loaded = session.load(Needs::ALL)?;
    let leniency = Leniency {
        ignore_extras: true,
        ignore_installed: true,
        skip_unavailable: args.skip_unavailable,
        skip_broken: false,
        skip_absent: true,
        is_replay: false,
        keep: args.keep.clone(),
    };
    carry_out(session, &loaded, &wishes, &leniency)
}

/// Runs `dnf history store`.
pub fn store(session: &Session, args: &HistoryStoreArgs) -> CommandResult {
    let history = open_history(session)?;
    let record = record(&history, args.transaction.as_deref().unwrap_or("last"))?;
    let stored = StoredTransaction::new(&record.items, &record.groups, &|_| None);
    stored::write(&args.output, &stored)?;
    session.printer.info(&format!("Transaction saved to {}.", args.output.display()));
    Ok(exit::SUCCESS)
}

/// Runs `dnf replay`.
pub fn replay(session: &Session, args: &ReplayArgs) -> CommandResult {
    recover_first(session)?;
    let path = args.path.join(FILE);
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(&path)
        .map_err(|error| Failure::new(format!("cannot read `{shown}`: {error}")))?;
    let stored = StoredTransaction::parse(&shown, &text)?;
    let mut files = Vec::new();
    let mut repositories = Vec::new();
    for package in &stored.rpms {
        let Some(path) = &package.package_path else { continue };
        files.push(local::read_package(&args.path.join(path))?);
        repositories.push(package.repo_id.as_str());
    }
    let mut loaded = session.load_stored(Needs::ALL, &files, &repositories)?;
    store::add_definitions(&stored, &args.path, &mut loaded.groups)?;
    let leniency = Leniency {
        ignore_extras: args.ignore_extras,
        ignore_installed: args.ignore_installed,
        skip_unavailable: args.skip_unavailable,
        skip_broken: args.skip_broken,
        skip_absent: false,
        is_replay: true,
        keep: KeepOptions::default(),
    };
    carry_out(session, &loaded, &stored.wishes(&shown)?, &leniency)
}

fn leniency(args: &HistoryUndoArgs) -> Leniency {
    Leniency {
        ignore_extras: args.ignore_extras,
        ignore_installed: args.ignore_installed,
        skip_unavailable: args.skip_unavailable,
        skip_broken: false,
        skip_absent: true,
        is_replay: false,
        keep: args.keep.clone(),
    }
}

/// The undo store brings files back at once; what is only stored is made of packages.
fn is_from_store(args: &HistoryUndoArgs) -> bool {
    !args.from_repositories && !args.keep.is_active()
}

fn open_history(session: &Session) -> Result<History, Failure> {
    History::open(&session.root)?.ok_or_else(no_match)
}

fn no_match() -> Failure {
    Failure::new("No matching transaction ID found, exactly one required.")
        .hint("`dnf history list` shows all of them")
}

fn record(history: &History, spec: &str) -> Result<HistoryRecord, Failure> {
    let number = one_number(spec, &history.list()?)?;
    history.get(number)?.ok_or_else(no_match)
}

/// Tells whether the store can take a transaction back; says why where it has it and cannot.
fn can_restore(session: &Session, number: i64) -> Result<bool, Failure> {
    let Some(id) = undo::of_history(&session.root, number)? else { return Ok(false) };
    match undo::check(&session.root, id) {
        Ok(()) => Ok(true),
        Err(TransactionError::NoUndo { reason, .. }) => {
            let problem = Problem::new(format!("the undo store cannot be used: {reason}"))
                .detail("packages from the repositories are used instead");
            session.printer.warning(&problem);
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

/// What the history knew of a package, by name and architecture, before a transaction.
type Known = BTreeMap<(String, String), HistoryItem>;

/// Returns how each package came last before transaction `id`.
fn known_before(history: &History, id: i64) -> Result<Known, Failure> {
    let mut known = Known::new();
    for entry in history.list()?.into_iter().rev().filter(|entry| entry.id < id) {
        for item in history.get(entry.id)?.map(|record| record.items).unwrap_or_default() {
            let key = (item.nevra.name.clone(), item.nevra.arch.clone());
            match item.action {
                HistoryAction::Remove | HistoryAction::Replaced => {}
                HistoryAction::ReasonChange => {
                    if let Some(known) = known.get_mut(&key) {
                        known.reason = item.reason;
                    }
                }
                _ => {
                    known.insert(key, item);
                }
            }
        }
    }
    Ok(known)
}

/// Gives packages that come back, and reasons that change, the reason they had before transaction `id`.
fn restore_reasons(history: &History, id: i64, wishes: &mut Wishes) -> Result<(), Failure> {
    let is_open = |item: &HistoryItem| {
        matches!(item.action, HistoryAction::Install | HistoryAction::ReasonChange)
    };
    if !wishes.items.iter().any(is_open) {
        return Ok(());
    }
    let known = known_before(history, id)?;
    for item in wishes.items.iter_mut().filter(|item| is_open(item)) {
        let key = (item.nevra.name.clone(), item.nevra.arch.clone());
        if let Some(known) = known.get(&key) {
            item.reason = known.reason;
        } else if item.reason == PackageReason::Clean {
            item.reason = PackageReason::Dependency;
        }
    }
    Ok(())
}

/// Merges the opposites of transactions, newest first, into one.
fn merged(history: &History, records: &[HistoryRecord]) -> Result<Wishes, Failure> {
    // By name and architecture: what was installed before the oldest transaction, and what is after the newest.
    let mut before: BTreeMap<(String, String), Option<HistoryItem>> = BTreeMap::new();
    let mut after: BTreeMap<(String, String), Option<HistoryItem>> = BTreeMap::new();
    let mut wishes = Wishes::default();
    for record in records {
        let mut opposite = inverse(&record.items, &record.groups);
        restore_reasons(history, record.id, &mut opposite)?;
        for item in opposite.items {
            let key = (item.nevra.name.clone(), item.nevra.arch.clone());
            let goes = matches!(item.action, HistoryAction::Remove | HistoryAction::Replaced);
            if item.action == HistoryAction::ReasonChange || item.action == HistoryAction::Reinstall
            {
                wishes.items.push(item);
            } else if goes {
                after.entry(key.clone()).or_insert_with(|| Some(item.clone()));
                before.insert(key, None);
            } else {
                after.entry(key.clone()).or_insert(None);
                before.insert(key, Some(item));
            }
        }
        wishes.groups.extend(opposite.groups);
    }
    for (key, old) in before {
        let new = after.remove(&key).flatten();
        match (old, new) {
            (Some(old), Some(new)) if old.nevra == new.nevra => {}
            (Some(mut old), Some(mut new)) => {
                let is_older = old.nevra.evr < new.nevra.evr;
                old.action =
                    if is_older { HistoryAction::Downgrade } else { HistoryAction::Upgrade };
                new.action = HistoryAction::Replaced;
                wishes.items.extend([old, new]);
            }
            (Some(mut old), None) => {
                old.action = HistoryAction::Install;
                wishes.items.push(old);
            }
            (None, Some(mut new)) => {
                new.action = HistoryAction::Remove;
                wishes.items.push(new);
            }
            (None, None) => {}
        }
    }
    // The net change of a group is its oldest opposite.
    let mut seen = BTreeSet::new();
    wishes.groups.reverse();
    wishes.groups.retain(|group| seen.insert((group.kind, group.id.clone())));
    Ok(wishes)
}

/// Takes transactions back from the undo store, newest first.
fn restore(session: &Session, records: &[HistoryRecord]) -> CommandResult {
    if let [record] = records {
        show_kept(session, record)?;
    } else {
        for record in records {
            show_opposite(session, record);
        }
    }
    session.printer.info("The files come back from the undo store; nothing is downloaded.");
    if !confirmed(session)? {
        complain("Operation aborted by the user.");
        return Err(Failure::silent(exit::DECLINED));
    }
    for record in records {
        restore_one(session, record)?;
    }
    session.printer.info("Complete!");
    Ok(exit::SUCCESS)
}

fn show_kept(session: &Session, record: &HistoryRecord) -> Result<(), Failure> {
    let (loaded, plan) = load_kept(session, record)?;
    let table = display::transaction_table(&plan, &loaded.sack, session.width());
    for line in table.into_iter().chain([String::new()]).chain(display::summary(&plan)) {
        session.printer.data(&line);
    }
    session.printer.data("");
    Ok(())
}

/// Of several transactions each is shown by itself: what a later one removes is not there yet.
fn show_opposite(session: &Session, record: &HistoryRecord) {
    let command = cairn_ui::escape_control(&record.description).into_owned();
    session.printer.data(&format!("Taking back transaction {} ({command}):", record.id));
    for item in inverse(&record.items, &[]).items {
        if item.action != HistoryAction::Replaced {
            session.printer.data(&format!("  {} {}", item.action.as_str(), item.nevra));
        }
    }
    session.printer.data("");
}

fn kept_id(session: &Session, record: &HistoryRecord) -> Result<u64, Failure> {
    undo::of_history(&session.root, record.id)?.ok_or_else(no_match)
}

fn restore_one(session: &Session, record: &HistoryRecord) -> Result<(), Failure> {
    let id = kept_id(session, record)?;
    let (loaded, plan) = load_kept(session, record)?;
    let items = plan.history_items(&loaded.sack);
    let before = session.state()?;
    let opposite = inverse(&[], &record.groups);
    let mut history = History::create(&session.root)?;
    let entry = record_of(session, &current_cookie(session)?, items.clone(), opposite.groups);
    let number = history.begin(&entry)?;
    let now = u32::try_from(session.now()).unwrap_or(u32::MAX);
    let result = undo::undo(&session.root, id, now, &FailPoints::none(), &mut |_| {});
    let cookie = current_cookie(session)?;
    let end = i64::try_from(session.now()).unwrap_or(0);
    match result {
        Ok(outcome) => {
            let mut state = state_after(&before, &session.state()?, &items, record);
            state.rpmdb_cookie.clone_from(&cookie);
            state.save(&session.root)?;
            undo::link_history(&session.root, outcome.id, number)?;
            history.finish(number, end, &cookie, HistoryState::Ok)?;
            outcome.notes.iter().for_each(|note| complain(note));
            Ok(())
        }
        Err(error) => {
            history.finish(number, end, &cookie, HistoryState::Error)?;
            Err(error.into())
        }
    }
}

/// The store brings dnf's own files back as well, but later transactions may have changed them for other packages: those entries
/// stay as they are `now`, the entries of this transaction's packages come from the `old` files.
fn state_after(
    now: &SystemState,
    old: &SystemState,
    items: &[HistoryItem],
    record: &HistoryRecord,
) -> SystemState {
    let mut state = now.clone();
    for item in items {
        let (key, nevra) =
            (format!("{}.{}", item.nevra.name, item.nevra.arch), item.nevra.to_string());
        if matches!(item.action, HistoryAction::Remove | HistoryAction::Replaced) {
            state.nevras.remove(&nevra);
            state.packages.remove(&key);
        }
    }
    for item in items {
        let (key, nevra) =
            (format!("{}.{}", item.nevra.name, item.nevra.arch), item.nevra.to_string());
        if !matches!(item.action, HistoryAction::Remove | HistoryAction::Replaced) {
            copy_entry(&old.packages, &mut state.packages, &key);
            copy_entry(&old.nevras, &mut state.nevras, &nevra);
        }
    }
    for item in record.items.iter().filter(|item| item.action == HistoryAction::ReasonChange) {
        let key = format!("{}.{}", item.nevra.name, item.nevra.arch);
        copy_entry(&old.packages, &mut state.packages, &key);
    }
    for group in &record.groups {
        match group.kind {
            GroupKind::Group => copy_entry(&old.groups, &mut state.groups, &group.id),
            GroupKind::Environment => {
                copy_entry(&old.environments, &mut state.environments, &group.id);
            }
        }
    }
    state
}

fn copy_entry<V: Clone>(from: &BTreeMap<String, V>, to: &mut BTreeMap<String, V>, key: &str) {
    match from.get(key) {
        Some(value) => to.insert(key.to_owned(), value.clone()),
        None => to.remove(key),
    };
}

/// Returns the plan of a kept transaction's undoing; what comes back has the reason and the repository it had.
fn load_kept(session: &Session, record: &HistoryRecord) -> Result<(Loaded, Plan), Failure> {
    let id = kept_id(session, record)?;
    let known = known_before(&open_history(session)?, record.id)?;
    let known = |nevra: &Nevra| known.get(&(nevra.name.clone(), nevra.arch.clone()));
    let state = session.state()?;
    let mut builder = SackBuilder::new();
    if let Some(db) = session.rpmdb()? {
        for package in db.packages()? {
            builder.add_installed(&package, &state);
        }
    }
    let mut coming: Vec<PackageId> = Vec::new();
    let mut going: BTreeSet<u64> = BTreeSet::new();
    for package in undo::packages(&session.root, id)? {
        if package.comes {
            let kept = builder.add_file(std::path::PathBuf::new(), &package.header, 0);
            let before = known(&package.header.nevra());
            builder.set_repository(kept, before.map_or(UNDO_STORE, |item| &item.repository));
            coming.push(kept);
        } else {
            going.insert(package.hnum);
        }
    }
    let sack = builder.build();
    let mut leaving: Vec<PackageId> = sack
        .installed()
        .filter(|p| matches!(p.details.origin, Origin::Installed(hnum) if going.contains(&hnum)))
        .map(|package| package.id)
        .collect();
    let mut plan = Plan::default();
    for id in coming {
        let nevra = sack.get(id).nevra();
        let same = |other: &PackageId| {
            let other = sack.get(*other).nevra();
            other.name == nevra.name && other.arch == nevra.arch
        };
        let replaces: Vec<PackageId> = leaving.iter().copied().filter(same).take(1).collect();
        leaving.retain(|id| !replaces.contains(id));
        let action = match replaces.first().map(|old| sack.get(*old).nevra().evr.cmp(&nevra.evr)) {
            None => PlanAction::Install,
            Some(std::cmp::Ordering::Less) => PlanAction::Upgrade,
            Some(std::cmp::Ordering::Equal) => PlanAction::Reinstall,
            Some(std::cmp::Ordering::Greater) => PlanAction::Downgrade,
        };
        let reason = known(nevra).map_or(PackageReason::User, |item| item.reason);
        plan.items.push(PlanItem { action, id, replaces, reason });
    }
    let removed = leaving.into_iter().map(|id| {
        let reason = sack.get(id).details.reason;
        let reason = if reason.is_wanted() { PackageReason::User } else { PackageReason::Clean };
        PlanItem { action: PlanAction::Remove, id, replaces: Vec::new(), reason }
    });
    plan.items.extend(removed);
    plan.sort(&sack);
    let loaded = Loaded {
        sack,
        groups: GroupSet::new(),
        state,
        files: Vec::new(),
        excluded: BTreeSet::new(),
        frozen: BTreeSet::new(),
        advisories: Vec::new(),
        changelogs: BTreeMap::new(),
    };
    Ok((loaded, plan))
}
