// SPDX-License-Identifier: MIT OR Apache-2.0
//! One module per command: arguments → operation → words.

mod change;
mod check;
mod clean;
mod download;
mod group;
mod history;
mod info;
mod list;
mod mark;
mod provides;
mod queryformat;
mod recover;
mod repolist;
mod repoquery;
mod search;

use super::cli::{Cli, Command, GroupCommand, HistoryCommand, RepoCommand};
use super::session::Session;
use crate::failure::CommandResult;
use cairn_ui::exit;

/// Runs the command that was given.
pub fn run(cli: Cli, arguments: &[String]) -> CommandResult {
    if let Command::Repoquery(query) = &cli.command
        && query.querytags
    {
        return repoquery::querytags();
    }
    let session = Session::open(cli.global, arguments)?;
    match cli.command {
        Command::Install(args) => change::install(&session, &args),
        Command::Upgrade(args) => change::upgrade(&session, &args),
        Command::Remove(args) => change::remove(&session, &args),
        Command::Downgrade(args) => change::downgrade(&session, &args),
        Command::Reinstall(args) => change::reinstall(&session, &args),
        Command::Swap(args) => change::swap(&session, &args),
        Command::Autoremove(args) => change::autoremove(&session, &args),
        Command::DistroSync(args) => change::distro_sync(&session, &args),
        Command::List(args) => list::list(&session, &args),
        Command::Info(args) => info::info(&session, &args),
        Command::Search(args) => search::search(&session, &args),
        Command::Provides(args) => provides::provides(&session, &args),
        Command::Repoquery(args) => repoquery::repoquery(&session, &args),
        Command::Repolist(args) | Command::Repo { command: RepoCommand::List(args) } => {
            repolist::list(&session, &args)
        }
        Command::Repoinfo(args) | Command::Repo { command: RepoCommand::Info(args) } => {
            repolist::info(&session, &args)
        }
        Command::Makecache => makecache(&session),
        Command::Clean(args) => clean::clean(&session, &args),
        Command::Group { command } => match command {
            GroupCommand::List(args) => group::list(&session, &args),
            GroupCommand::Info(args) => group::info(&session, &args),
            GroupCommand::Install(args) => group::install(&session, &args),
            GroupCommand::Remove(args) => group::remove(&session, &args),
        },
        Command::History { command } => match command {
            HistoryCommand::List(args) => history::list(&session, &args),
            HistoryCommand::Info(args) => history::info(&session, &args),
        },
        Command::Mark(args) => mark::mark(&session, &args),
        Command::Check(args) => check::check(&session, &args),
        Command::CheckUpgrade(args) => list::check_upgrade(&session, &args),
        Command::Download(args) => download::download(&session, &args),
        Command::Recover => recover::recover(&session),
    }
}

fn makecache(session: &Session) -> CommandResult {
    session.load_repositories(true)?;
    session.printer.info("Metadata cache created.");
    Ok(exit::SUCCESS)
}
