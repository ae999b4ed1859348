// SPDX-License-Identifier: MIT OR Apache-2.0
//! One module per command: arguments → operation → words.

mod advisory;
mod builddep;
mod change;
mod changelog;
mod check;
mod clean;
mod config_manager;
mod download;
mod dump;
mod environment;
mod group;
mod history;
mod history_undo;
mod info;
mod leaves;
mod list;
mod mark;
mod mixed;
mod needs_restarting;
mod provides;
mod queryformat;
mod recover;
mod repoclosure;
mod repolist;
mod repomanage;
mod repoquery;
mod reposync;
mod search;
mod status;
mod versionlock;

use super::cli::{
    AdvisoryCommand, Cli, Command, ConfigManagerCommand, EnvironmentCommand, GroupCommand,
    HistoryCommand, OfflineCommand, OfflineDistrosyncCommand, OfflineRebootArgs,
    OfflineUpgradeCommand, RepoCommand, ResolveOptions, SystemUpgradeCommand, VersionlockCommand,
};
use super::offline::{self, Shutdown};
use super::session::Session;
use crate::failure::{CommandResult, Failure};
use cairn_ui::exit;
use change::Extent;

/// Runs the command that was given; without one, only shows what the `--dump-…` options ask for.
pub fn run(cli: Cli, arguments: &[String]) -> CommandResult {
    let Some(command) = cli.command else {
        if !dump::is_wanted(&cli.global) {
            return Err(Failure::usage("missing command")
                .hint("`dnf --help` lists commands, `dnf COMMAND --help` its arguments"));
        }
        dump::dump(&Session::open(cli.global, arguments)?);
        return Ok(exit::SUCCESS);
    };
    if let Command::Repoquery(query) = &command
        && query.querytags
    {
        return repoquery::querytags();
    }
    let mut session = Session::open(cli.global, arguments)?;
    if wants_sources(&command) {
        session.enable_sources();
    }
    session.with_sources |= shows_sources(&command);
    session.enable_named(&from_repositories(&command))?;
    dump::dump(&session);
    dispatch(&session, command)
}

/// Says whether a command uses the source repositories of the enabled ones.
fn wants_sources(command: &Command) -> bool {
    match command {
        Command::Repoquery(query) => query.srpm,
        Command::Download(args) => args.instead.srpm,
        Command::Reposync(args) => args.srpm,
        Command::Builddep(_) => true,
        _ => false,
    }
}

/// Returns the repositories that `--from-repo` names.
fn from_repositories(command: &Command) -> Vec<&str> {
    let resolve = match command {
        Command::OfflineUpgrade { command: OfflineUpgradeCommand::Download(args) } => &args.resolve,
        Command::Install(args) => &args.resolve,
        Command::Upgrade(args) => &args.resolve,
        Command::Downgrade(args) | Command::Reinstall(args) | Command::DebuginfoInstall(args) => {
            &args.resolve
        }
        Command::Swap(args) => &args.resolve,
        Command::DistroSync(args)
        | Command::OfflineDistrosync { command: OfflineDistrosyncCommand::Download(args) } => {
            &args.resolve
        }
        Command::Builddep(args) => &args.resolve,
        Command::Group { command: GroupCommand::Install(args) }
        | Command::Environment { command: EnvironmentCommand::Install(args) } => &args.resolve,
        Command::Group { command: GroupCommand::Upgrade(args) }
        | Command::Environment { command: EnvironmentCommand::Upgrade(args) } => &args.resolve,
        Command::Download(args) => return args.from_repo.iter().map(String::as_str).collect(),
        Command::Do(args) => {
            return args.items.iter().flat_map(|i| &i.from_repo).map(String::as_str).collect();
        }
        _ => return Vec::new(),
    };
    resolve.from_repo.iter().map(String::as_str).collect()
}

fn dispatch(session: &Session, command: Command) -> CommandResult {
    match command {
        Command::Do(args) => mixed::mixed(session, &args),
        Command::Install(args) => change::install(session, &args),
        Command::Upgrade(args) => change::upgrade(session, &args),
        Command::Remove(args) => change::remove(session, &args),
        Command::Downgrade(args) => change::downgrade(session, &args),
        Command::Reinstall(args) => change::reinstall(session, &args),
        Command::Swap(args) => change::swap(session, &args),
        Command::Autoremove(args) => change::autoremove(session, &args),
        Command::DistroSync(args) => change::distro_sync(session, &args),
        Command::List(args) => list::list(session, &args),
        Command::Info(args) => info::info(session, &args),
        Command::Search(args) => search::search(session, &args),
        Command::Changelog(args) => changelog::changelog(session, &args),
        Command::Provides(args) => provides::provides(session, &args),
        Command::Repoquery(args) => repoquery::repoquery(session, &args),
        Command::Repolist(args) | Command::Repo { command: RepoCommand::List(args) } => {
            repolist::list(session, &args)
        }
        Command::Repoinfo(args) | Command::Repo { command: RepoCommand::Info(args) } => {
            repolist::info(session, &args)
        }
        Command::Makecache => makecache(session),
        Command::Clean(args) => clean::clean(session, &args),
        Command::Group { command } => run_group(session, command),
        Command::Environment { command } => run_environment(session, command),
        Command::History { command } => run_history(session, command),
        Command::Replay(args) => history_undo::replay(session, &args),
        Command::Advisory { command } => match command {
            AdvisoryCommand::List(args) => advisory::list(session, &args),
            AdvisoryCommand::Info(args) => advisory::info(session, &args),
            AdvisoryCommand::Summary(args) => advisory::summary(session, &args),
        },
        Command::Versionlock { command } => match command {
            VersionlockCommand::Add(args) => versionlock::add(session, &args),
            VersionlockCommand::Exclude(args) => versionlock::exclude(session, &args),
            VersionlockCommand::Delete(args) => versionlock::delete(session, &args),
            VersionlockCommand::Clear => versionlock::clear(session),
            VersionlockCommand::List => versionlock::list(session),
        },
        Command::ConfigManager { command } => match command {
            ConfigManagerCommand::Addrepo(args) => config_manager::addrepo(session, &args),
            ConfigManagerCommand::Setopt(args) => config_manager::setopt(session, &args),
            ConfigManagerCommand::Unsetopt(args) => config_manager::unsetopt(session, &args),
            ConfigManagerCommand::Setvar(args) => config_manager::setvar(session, &args),
            ConfigManagerCommand::Unsetvar(args) => config_manager::unsetvar(session, &args),
            ConfigManagerCommand::Enable(args) => config_manager::switch(session, &args, 1),
            ConfigManagerCommand::Disable(args) => config_manager::switch(session, &args, 0),
        },
        Command::Offline { command } => match command {
            OfflineCommand::Reboot(args) => offline::reboot(session, shutdown(&args)),
            OfflineCommand::Status => offline::status(session),
            OfflineCommand::Log(args) => offline::log(session, args.number),
            OfflineCommand::Clean => offline::clean(session),
            OfflineCommand::Execute => offline::execute(session),
        },
        Command::SystemUpgrade { command } => run_system_upgrade(session, command),
        Command::Module { .. } => Err(Failure::new("modules are not supported")
            .hint("packages of all streams have names of their own: `dnf search NAME` finds them")),
        Command::Leaves => leaves::leaves(session),
        Command::Reposync(args) => reposync::reposync(session, &args),
        Command::DebuginfoInstall(args) => change::debuginfo_install(session, &args),
        Command::Builddep(args) => builddep::builddep(session, &args),
        Command::Repomanage(args) => repomanage::repomanage(session, &args),
        Command::Status => status::status(session),
        Command::OfflineUpgrade { command } => run_offline_upgrade(session, command),
        Command::OfflineDistrosync { command } => run_offline_distrosync(session, command),
        Command::NeedsRestarting(args) => needs_restarting::needs_restarting(session, &args),
        Command::Repoclosure(args) => repoclosure::repoclosure(session, &args),
        Command::Mark(args) => mark::mark(session, &args),
        Command::Check(args) => check::check(session, &args),
        Command::CheckUpgrade(args) => list::check_upgrade(session, &args),
        Command::Download(args) => download::download(session, &args),
        Command::Recover => recover::recover(session),
    }
}

/// Says whether a command shows source packages that lie in the repositories, as dnf5 does.
fn shows_sources(command: &Command) -> bool {
    match command {
        Command::Repoquery(query) => !query.upgrades && !query.extras,
        Command::List(args) | Command::Info(args) => {
            !(args.which.upgrades || args.which.obsoletes || args.which.extras)
        }
        Command::Changelog(args) => !args.upgrades,
        Command::Search(_) | Command::Status | Command::Download(_) | Command::Reposync(_) => true,
        _ => false,
    }
}

fn run_offline_upgrade(session: &Session, command: OfflineUpgradeCommand) -> CommandResult {
    match command {
        OfflineUpgradeCommand::Download(mut args) => {
            args.resolve.offline = true;
            change::upgrade(session, &args)
        }
        OfflineUpgradeCommand::Reboot(args) => offline::reboot(session, shutdown(&args)),
        OfflineUpgradeCommand::Status => offline::status(session),
        OfflineUpgradeCommand::Log(args) => offline::log(session, args.number),
        OfflineUpgradeCommand::Clean => offline::clean(session),
    }
}

fn run_offline_distrosync(session: &Session, command: OfflineDistrosyncCommand) -> CommandResult {
    match command {
        OfflineDistrosyncCommand::Download(mut args) => {
            args.resolve.offline = true;
            change::distro_sync(session, &args)
        }
        OfflineDistrosyncCommand::Reboot(args) => offline::reboot(session, shutdown(&args)),
        OfflineDistrosyncCommand::Status => offline::status(session),
        OfflineDistrosyncCommand::Log(args) => offline::log(session, args.number),
        OfflineDistrosyncCommand::Clean => offline::clean(session),
    }
}

fn run_group(session: &Session, command: GroupCommand) -> CommandResult {
    match command {
        GroupCommand::List(args) => group::list(session, &args),
        GroupCommand::Info(args) => group::info(session, &args),
        GroupCommand::Install(args) => group::install(session, &args),
        GroupCommand::Upgrade(args) => group::upgrade(session, &args),
        GroupCommand::Remove(args) => group::remove(session, &args),
    }
}

fn run_environment(session: &Session, command: EnvironmentCommand) -> CommandResult {
    match command {
        EnvironmentCommand::List(args) => environment::list(session, &args),
        EnvironmentCommand::Info(args) => environment::info(session, &args),
        EnvironmentCommand::Install(args) => environment::install(session, &args),
        EnvironmentCommand::Upgrade(args) => environment::upgrade(session, &args),
        EnvironmentCommand::Remove(args) => environment::remove(session, &args),
    }
}

fn run_history(session: &Session, command: HistoryCommand) -> CommandResult {
    match command {
        HistoryCommand::List(args) => history::list(session, &args),
        HistoryCommand::Info(args) => history::info(session, &args),
        HistoryCommand::Undo(args) => history_undo::undo(session, &args),
        HistoryCommand::Redo(args) => history_undo::redo(session, &args),
        HistoryCommand::Rollback(args) => history_undo::rollback(session, &args),
        HistoryCommand::Store(args) => history_undo::store(session, &args),
    }
}

fn run_system_upgrade(session: &Session, command: SystemUpgradeCommand) -> CommandResult {
    let args = match command {
        SystemUpgradeCommand::Reboot(args) => return offline::reboot(session, shutdown(&args)),
        SystemUpgradeCommand::Status => return offline::status(session),
        SystemUpgradeCommand::Log(args) => return offline::log(session, args.number),
        SystemUpgradeCommand::Clean => return offline::clean(session),
        SystemUpgradeCommand::Download(args) => args,
    };
    if session.options.releasever.is_none() {
        return Err(Failure::usage("`system-upgrade download` needs the release to upgrade to")
            .hint("add --releasever=VERSION"));
    }
    let resolve = ResolveOptions {
        allowerasing: args.allowerasing,
        offline: true,
        ..ResolveOptions::default()
    };
    let extent = if args.no_downgrade { Extent::Upgrade } else { Extent::Sync };
    change::system_upgrade(session, extent, &resolve)
}

fn shutdown(args: &OfflineRebootArgs) -> Shutdown {
    if args.poweroff { Shutdown::PowerOff } else { Shutdown::Reboot }
}

/// Says where no enabled repository was found.
fn no_repositories(session: &Session) -> String {
    let root = session.config_root.path_for_display();
    let named = |directory: &String| {
        let directory = directory.trim_start_matches('/');
        let is_on_host = session.configuration.on_host.repositories;
        let root = if is_on_host { std::path::Path::new("/") } else { root };
        format!("\"{}\"", root.join(directory).display())
    };
    let directories: Vec<String> = session.configuration.main.reposdir.iter().map(named).collect();
    format!("There are no enabled repositories in {}.", directories.join(", "))
}

fn makecache(session: &Session) -> CommandResult {
    if session.configuration.enabled().next().is_none() {
        session.printer.data(&no_repositories(session));
    }
    session.load_repositories()?;
    session.printer.data("Metadata cache created.");
    Ok(exit::SUCCESS)
}
