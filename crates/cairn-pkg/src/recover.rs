// SPDX-License-Identifier: MIT OR Apache-2.0
//! Finishes or takes back an interrupted transaction: before its commit, what was staged is removed; after it, the rest is done.
//!
//! Call [`recover`] at boot and at the start of every program that reads or changes packages. Killed while it runs, it goes on the
//! next time.

use std::time::Duration;

use cairn_host::{HostError, Lock, Root};

use crate::error::TransactionError;
use crate::event::{Event, Phase};
use crate::failpoint::FailPoints;
use crate::journal::{self, Content, Journal, TransactionId};
use crate::rpmdb::{Access, RpmDb, fingerprint_of};
use crate::state::STATE_DIRECTORY;
use crate::transaction::apply::{Applier, file_away, interrupted, other_root, roll_back};
use crate::transaction::{Durability, Ownership, Scriptlets};
use crate::undo;

const LOCK: &str = "var/lib/cairn/lock";
const LOCK_ATTEMPTS: u32 = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// What was done about an interrupted transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recovered {
    /// Nothing had changed yet; what was prepared is gone.
    RolledBack {
        /// The transaction.
        id: TransactionId,
        /// What it was about to do, one line per package.
        summary: Vec<String>,
    },
    /// The rest was done.
    RolledForward {
        /// The transaction.
        id: TransactionId,
        /// What it did, one line per package.
        summary: Vec<String>,
        /// Scriptlets that were running at the interruption and have been run again.
        rerun: Vec<String>,
        /// What failed.
        failures: Vec<String>,
    },
}

/// Tells whether a transaction was interrupted; cheap.
pub fn is_pending(root: &Root) -> Result<bool, TransactionError> {
    Ok(!journal::list(root)?.is_empty())
}

/// Finishes or takes back interrupted transactions; returns what was done, oldest first, empty in the normal case.
pub fn recover(
    root: &Root,
    events: &mut dyn FnMut(Event),
) -> Result<Vec<Recovered>, TransactionError> {
    recover_with(root, &FailPoints::none(), events)
}

/// As [`recover`], with fail points for tests.
pub fn recover_with(
    root: &Root,
    fail_points: &FailPoints,
    events: &mut dyn FnMut(Event),
) -> Result<Vec<Recovered>, TransactionError> {
    if !is_pending(root)? {
        return Ok(Vec::new());
    }
    let _lock = lock(root)?;
    run(root, fail_points, events)
}

/// As [`recover`], for callers that hold the lock.
pub(crate) fn recover_locked(
    root: &Root,
    events: &mut dyn FnMut(Event),
) -> Result<Vec<Recovered>, TransactionError> {
    run(root, &FailPoints::none(), events)
}

/// Takes the lock of all package changes in a root.
///
/// Tries for a second: a process that another thread is just starting holds a copy of the lock until it executes its program.
pub(crate) fn lock(root: &Root) -> Result<Lock, TransactionError> {
    root.mkdir_all(journal::DIRECTORY, 0o755)?;
    for _ in 0..LOCK_ATTEMPTS {
        if let Some(lock) = root.try_lock_file(LOCK)? {
            sweep(root)?;
            return Ok(lock);
        }
        std::thread::sleep(LOCK_PAUSE);
    }
    Err(TransactionError::Busy)
}

/// Removes what a program that was killed while it replaced a file left beside it. Nobody else writes here while the lock is held.
fn sweep(root: &Root) -> Result<(), TransactionError> {
    for directory in ["etc", "usr/lib/sysimage/rpm", STATE_DIRECTORY, "var/lib/cairn"] {
        if root.exists(directory)? {
            sweep_directory(root, directory)?;
        }
    }
    Ok(())
}

/// Does the same in one directory.
pub(crate) fn sweep_directory(root: &Root, directory: &str) -> Result<(), HostError> {
    for name in root.read_dir(directory)? {
        if name.starts_with(Root::TEMPORARY_PREFIX) {
            root.remove_file(format!("{directory}/{name}"))?;
        }
    }
    Ok(())
}

fn run(
    root: &Root,
    fail_points: &FailPoints,
    events: &mut dyn FnMut(Event),
) -> Result<Vec<Recovered>, TransactionError> {
    let mut recovered = Vec::new();
    for name in journal::list(root)? {
        events(Event::Phase(Phase::Recover));
        recovered.extend(recover_one(root, &name, fail_points, events)?);
    }
    Ok(recovered)
}

fn recover_one(
    root: &Root,
    name: &str,
    fail_points: &FailPoints,
    events: &mut dyn FnMut(Event),
) -> Result<Option<Recovered>, TransactionError> {
    let path = format!("{}/{name}", journal::DIRECTORY);
    let Some(content) = journal::read(root, journal::DIRECTORY, name)? else {
        // Not even its first record was written: nothing was done under it.
        root.remove_file(path)?;
        return Ok(None);
    };
    let (id, summary) = (content.begin.id, content.begin.summary.clone());
    if !content.progress.committed {
        roll_back(root, id, &content.steps, fail_points)?;
        fail_points.pass("rolled back");
        root.remove_file(path)?;
        root.fsync_dir(journal::DIRECTORY)?;
        return Ok(Some(Recovered::RolledBack { id, summary }));
    }
    if content.progress.done {
        file_away(root, id)?;
        undo::prune(root)?;
        return Ok(None);
    }
    if !content.progress.stored {
        check_database(root, name, &content)?;
    }
    let rerun = interrupted_steps(&content);
    let journal = Journal::resume(root, name, content.length)?;
    let mut applier = Applier {
        root,
        content,
        journal: Some(journal),
        scriptlets: Scriptlets::Run,
        ownership: Ownership::Apply,
        durability: Durability::Journaled,
        fail_points,
        events,
        failures: Vec::new(),
    };
    applier.run().map_err(interrupted)?;
    Ok(Some(Recovered::RolledForward { id, summary, rerun, failures: applier.failures }))
}

/// The database must be the one the transaction was planned for, before or after its change.
fn check_database(root: &Root, name: &str, content: &Content) -> Result<(), TransactionError> {
    let expected = &content.begin.before;
    let directory = &content.begin.database;
    if !RpmDb::exists_in(root, directory)? {
        let empty = fingerprint_of(std::iter::empty());
        return if *expected == empty { Ok(()) } else { Err(other_root(name, expected, &empty)) };
    }
    let db = RpmDb::open_in(root, directory, Access::Create)?;
    let found = db.fingerprint()?;
    if found == *expected {
        return Ok(());
    }
    // Without packages the database does not change, so that it must be the one before.
    if content.packages.is_empty() {
        return Err(other_root(name, expected, &found));
    }
    for (hnum, expected_row) in content.rows_after() {
        if db.blob(hnum)?.as_ref() != expected_row {
            return Err(other_root(name, expected, &found));
        }
    }
    Ok(())
}

/// Returns the scriptlets that had begun and not ended.
fn interrupted_steps(content: &Content) -> Vec<String> {
    let finished = |index: u32| content.progress.finished.iter().any(|(done, _)| *done == index);
    let open = content.progress.started.iter().filter(|index| !finished(**index));
    let step = |index: &u32| match content.after.get(*index as usize) {
        Some(journal::AfterStep::Scriptlet(scriptlet)) => {
            Some(format!("{} of {}", scriptlet.kind, scriptlet.package))
        }
        _ => None,
    };
    open.filter_map(step).collect()
}
