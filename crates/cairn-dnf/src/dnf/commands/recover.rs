// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf recover`: finishes or takes back a transaction that was interrupted. Every changing command does it first.

use crate::dnf::session::Session;
use crate::dnf::transact::current_cookie;
use crate::failure::{CommandResult, Failure};
use cairn_pkg::recover::Recovered;
use cairn_pkg::state::history::{History, HistoryState};
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
    if let Some(last) = recovered.last() {
        close_history(session, last)?;
    }
    Ok(!recovered.is_empty())
}

/// Gives the transaction that was interrupted its end in the history.
fn close_history(session: &Session, recovered: &Recovered) -> Result<(), Failure> {
    let Some(mut history) = History::open(&session.root)? else { return Ok(()) };
    let state = match recovered {
        Recovered::RolledBack { .. } => HistoryState::Error,
        Recovered::RolledForward { .. } => HistoryState::Ok,
    };
    let newest =
        history.list()?.into_iter().next().filter(|record| record.state == HistoryState::Started);
    if let Some(record) = newest {
        if let Recovered::RolledForward { id, .. } = recovered {
            cairn_pkg::undo::link_history(&session.root, *id, record.id)?;
        }
        let now = i64::try_from(session.now()).unwrap_or(0);
        history.finish(record.id, now, &current_cookie(session)?, state)?;
    }
    Ok(())
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
