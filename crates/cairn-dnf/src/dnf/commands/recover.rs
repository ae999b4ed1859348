// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf recover`: finishes or takes back a transaction that was interrupted. Every changing command does it first.

use crate::dnf::session::Session;
use crate::dnf::transact::current_cookie;
use crate::failure::{CommandResult, Failure};
use cairn_pkg::recover::Recovered;
use cairn_pkg::state::history::{History, HistoryState};
use cairn_pkg::undo;
use cairn_ui::{Problem, exit};

/// Runs `dnf recover`.
pub fn recover(session: &Session) -> CommandResult {
    if !recover_first(session)? {
        session.printer.info("No interrupted transaction.");
    }
    Ok(exit::SUCCESS)
}

/// Recovers before a changing command; returns whether there was something to recover.
pub fn recover_first(session: &Session) -> Result<bool, Failure> {
    let recovered = cairn_pkg::recover::recover(&session.root, &mut |_| {})?;
    for one in &recovered {
        show(session, one);
    }
    close_history(session, recovered.last())?;
    Ok(!recovered.is_empty())
}

/// Gives the transaction that was interrupted its end in the history; also one that was cut off after the last file was in place and
/// before the history knew.
fn close_history(session: &Session, recovered: Option<&Recovered>) -> Result<(), Failure> {
    let root = &session.root;
    let Some(mut history) = History::open(root)? else { return Ok(()) };
    let Some(record) = history.newest()?.filter(|record| record.state == HistoryState::Started)
    else {
        return Ok(());
    };
    let cookie = current_cookie(session)?;
    let (state, undoable) = match recovered {
        Some(Recovered::RolledForward { id, .. }) => (HistoryState::Ok, Some(*id)),
        Some(Recovered::RolledBack { .. }) => (HistoryState::Error, None),
        None if record.rpmdb_begin == cookie => (HistoryState::Error, None),
        None => (HistoryState::Ok, undo::newest_without_history(root)?),
    };
    if let Some(id) = undoable {
        undo::link_history(root, id, record.id)?;
    }
    let now = i64::try_from(session.now()).unwrap_or(0);
    Ok(history.finish(record.id, now, &cookie, state)?)
}

fn show(session: &Session, recovered: &Recovered) {
    let printer = &session.printer;
    match recovered {
        Recovered::RolledBack { id, summary } => {
            printer.info(&format!(
                "Took back transaction {id}, which was interrupted before anything had changed:"
            ));
            summary.iter().for_each(|line| printer.info(&format!("  {line}")));
        }
        Recovered::RolledForward { id, summary, rerun, failures } => {
            printer.info(&format!("Finished transaction {id}, which was interrupted:"));
            summary.iter().for_each(|line| printer.info(&format!("  {line}")));
            rerun.iter().for_each(|line| printer.info(&format!("  run again: {line}")));
            for failure in failures {
                printer.warning(&Problem::new(failure.clone()));
            }
        }
    }
}
