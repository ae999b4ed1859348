// SPDX-License-Identifier: MIT OR Apache-2.0
//! Transactions that are carried out while the system starts, in dnf5's form: `usr/lib/sysimage/libdnf5/offline/` holds the stored
//! transaction and its state, `var/lib/dnf/offline/packages/` the packages. `/system-update` makes systemd start
//! `dnf5-offline-transaction.service`, which runs `dnf offline _execute`.

use super::global_options::command_index;
use super::session::{Loaded, Needs, Session};
use super::stored::{self, Leniency, StoredTransaction};
use super::transact::{Targets, current_cookie};
use super::{local, trust};
use crate::failure::{CommandResult, Failure};
use cairn_host::{Invocation, Tool};
use cairn_pkg::resolve::Plan;
use cairn_pkg::state::STATE_DIRECTORY;
use cairn_pkg::state::history::HistoryGroup;
use cairn_ui::{Problem, exit};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Packages, inside the root.
const PACKAGES: &str = "var/lib/dnf/offline/packages";
/// The link that makes systemd start the update target.
const LINK: &str = "system-update";
/// File with the state, in [`directory`].
const STATE: &str = "offline-transaction-state.toml";
/// The service that carries it out.
const SERVICE: &str = "dnf5-offline-transaction.service";
/// Version of the state's format.
const STATE_VERSION: u32 = 2;
/// Keeps the machine from restarting, for tests and careful people; dnf5's name.
const NO_REBOOT: &str = "DNF_SYSTEM_UPGRADE_NO_REBOOT";

/// How far an offline transaction is; dnf5's words.
const DOWNLOADED: &str = "download-complete";
const READY: &str = "ready";
const INCOMPLETE: &str = "transaction-incomplete";

/// The state file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct StateFile {
    #[serde(rename = "offline-transaction-state")]
    state: State,
}

/// dnf5's state of an offline transaction.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct State {
    rpmdb_cookie: String,
    module_platform_id: String,
    poweroff_after: bool,
    verb: String,
    system_releasever: String,
    target_releasever: String,
    cachedir: String,
    status: String,
    cmd_line: String,
    state_version: u32,
}

fn directory() -> String {
    format!("{STATE_DIRECTORY}/offline")
}

/// Returns where the packages of an offline transaction are.
pub fn package_directory(session: &Session) -> PathBuf {
    session.root.path_for_display().join(PACKAGES)
}

/// Stores a plan whose packages have been downloaded.
pub fn store_plan(
    session: &Session,
    loaded: &Loaded,
    plan: &Plan,
    targets: &Targets,
) -> Result<(), Failure> {
    verify(session, loaded, plan, targets)?;
    let path = |nevra: &cairn_rpm::evr::Nevra| {
        let item = plan.inbound().find(|item| loaded.sack.get(item.id).nevra() == nevra)?;
        Some(targets.files.get(&item.id)?.display().to_string())
    };
    let groups: Vec<HistoryGroup> =
        plan.group_changes.iter().map(cairn_pkg::resolve::GroupChange::history).collect();
    let transaction = StoredTransaction::new(&plan.history_items(&loaded.sack), &groups, &path);
    let release = session.configuration.variables.get("releasever").unwrap_or_default();
    let state = State {
        rpmdb_cookie: current_cookie(session)?,
        verb: verb(&session.command_line),
        target_releasever: release.to_owned(),
        cachedir: session.configuration.main.cachedir.clone(),
        status: DOWNLOADED.to_owned(),
        cmd_line: session.command_line.clone(),
        state_version: STATE_VERSION,
        ..State::default()
    };
    session.root.mkdir_all(directory(), 0o755)?;
    let path = format!("{}/{}", directory(), stored::FILE);
    session.root.write_atomic(path, transaction.text()?.as_bytes(), 0o644)?;
    write_state(session, &state)?;
    session.printer.info(
        "Transaction stored to be performed offline. Run `dnf offline reboot` to reboot and run the transaction. To cancel the \
         transaction and delete the downloaded files, use `dnf offline clean`.",
    );
    Ok(())
}

/// What would be refused while the system starts is refused now.
fn verify(
    session: &Session,
    loaded: &Loaded,
    plan: &Plan,
    targets: &Targets,
) -> Result<(), Failure> {
    let check = trust::check_packages(session, loaded, plan, targets)?;
    if check.trust == cairn_pkg::transaction::Trust::Digests {
        return Ok(());
    }
    for item in plan.inbound() {
        let Some(path) = targets.files.get(&item.id) else { continue };
        let bytes = std::fs::read(path)
            .map_err(|error| Failure::new(format!("cannot read `{}`: {error}", path.display())))?;
        check.keyring.verify_package(&bytes).map_err(|error| {
            let nevra = loaded.sack.get(item.id).nevra();
            Failure::new(format!("{nevra}: {error}"))
                .hint(error.hint().unwrap_or("use a package that is signed by a trusted key"))
        })?;
    }
    Ok(())
}

/// Returns the command of a command line.
fn verb(command_line: &str) -> String {
    let words: Vec<String> = command_line.split_whitespace().map(str::to_owned).collect();
    let place = command_index(&words, &super::cli::command());
    place.map(|index| words[index].clone()).unwrap_or_default()
}

fn read_state(session: &Session) -> Result<Option<State>, Failure> {
    let path = format!("{}/{STATE}", directory());
    let text = match session.root.read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let file: StateFile = toml::from_str(&text).map_err(|error| {
        Failure::new(format!("/{path}: {}", error.message()))
            .hint("`dnf offline clean` drops the stored transaction")
    })?;
    if file.state.state_version > STATE_VERSION {
        return Err(Failure::new(format!(
            "/{path}: unsupported format version {} (expected {STATE_VERSION})",
            file.state.state_version
        ))
        .hint("`dnf offline clean` drops the stored transaction"));
    }
    Ok(Some(file.state))
}

fn write_state(session: &Session, state: &State) -> Result<(), Failure> {
    let text = toml::to_string(&StateFile { state: state.clone() })
        .map_err(|error| Failure::new(format!("cannot write TOML: {error}")))?;
    let path = format!("{}/{STATE}", directory());
    Ok(session.root.write_atomic(path, text.as_bytes(), 0o644)?)
}

/// Warns that a change makes the stored transaction useless.
pub fn warn_of_pending(session: &Session) -> Result<(), Failure> {
    let Some(state) = read_state(session)? else { return Ok(()) };
    let is_pending = state.status == DOWNLOADED || state.status == READY;
    if is_pending && state.rpmdb_cookie == current_cookie(session)? {
        let command = cairn_ui::escape_control(&state.cmd_line).into_owned();
        let problem = Problem::new("the stored offline transaction will not fit any more")
            .hint(format!("store it again afterwards: {command}"));
        session.printer.warning(&problem);
    }
    Ok(())
}

/// Runs `dnf offline status`.
pub fn status(session: &Session) -> CommandResult {
    let Some(state) = read_state(session)? else {
        session.printer.data("No offline transaction is stored.");
        return Ok(exit::SUCCESS);
    };
    let lines: [&str; 3] = match state.status.as_str() {
        INCOMPLETE => [
            "The last offline transaction was started and did not finish. It was initiated by the following command:",
            &state.cmd_line,
            "Run `dnf recover` to finish or take it back, then `dnf offline clean`.",
        ],
        _ => [
            "An offline transaction was initiated by the following command:",
            &state.cmd_line,
            "Run `dnf offline reboot` to reboot and perform the offline transaction.",
        ],
    };
    session.printer.data(lines[0]);
    session.printer.data(&format!("\t{}", cairn_ui::escape_control(lines[1])));
    session.printer.data(lines[2]);
    Ok(exit::SUCCESS)
}

/// Runs `dnf offline log`: what the journal of the system has of the service's runs, by start of the machine.
pub fn log(session: &Session, number: Option<i64>) -> CommandResult {
    let journal = |arguments: &[&str]| -> Result<String, Failure> {
        let mut invocation = Invocation::new(Tool::Journalctl);
        if !session.is_live() {
            let root = format!("--root={}", session.root.path_for_display().display());
            invocation = invocation.args([root]);
        }
        let unit = format!("--unit={SERVICE}");
        let output = invocation.args(["--quiet", &unit]).args(arguments).run_unchecked()?;
        Ok(output.stdout_text())
    };
    let mut boots: Vec<(String, i64)> = Vec::new();
    for line in journal(&["--output=json", "--output-fields=_BOOT_ID"])?.lines() {
        let entry: serde_json::Value = serde_json::from_str(line)
            .map_err(|error| Failure::new(format!("journalctl: {error} in `{line}`")))?;
        let text = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
        let boot = text("_BOOT_ID");
        let seconds = text("__REALTIME_TIMESTAMP").parse::<i64>().unwrap_or_default() / 1_000_000;
        if !boots.iter().any(|(known, _)| *known == boot) {
            boots.push((boot, seconds));
        }
    }
    if boots.is_empty() {
        session.printer.data("No logs were found.");
        return Ok(exit::SUCCESS);
    }
    let Some(number) = number else {
        session.printer.data("The following boots appear to contain offline transaction logs:");
        for (i, (boot, seconds)) in boots.iter().enumerate() {
            let time = cairn_ui::format::date_time(*seconds, cairn_ui::format::Zone::Local);
            session.printer.data(&format!("{} / {boot}: {time}", i + 1));
        }
        return Ok(exit::SUCCESS);
    };
    let n_boots = boots.len() as i64;
    let at = if number < 0 { number + n_boots } else { number - 1 };
    let chosen = usize::try_from(at).ok().and_then(|at| boots.get(at));
    let Some((boot, _)) = chosen else {
        return Err(Failure::new(format!("Cannot find boot with number {number}"))
            .hint("`dnf offline log` lists the numbers"));
    };
    session.printer.raw(&journal(&[&format!("--boot={boot}")])?);
    Ok(exit::SUCCESS)
}

/// Runs `dnf offline clean`.
pub fn clean(session: &Session) -> CommandResult {
    remove_link(session)?;
    session.root.remove_all(directory())?;
    session.root.remove_all(PACKAGES)?;
    Ok(exit::SUCCESS)
}

fn remove_link(session: &Session) -> Result<(), Failure> {
    match session.root.remove_file(LINK) {
        Err(error) if !error.is_not_found() => Err(error.into()),
        _ => Ok(()),
    }
}

/// Which way the machine goes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// It starts again.
    Reboot,
    /// It stays off.
    PowerOff,
}

/// Runs `dnf offline reboot`; `after` is what follows the transaction.
pub fn reboot(session: &Session, after: Shutdown) -> CommandResult {
    let Some(mut state) = read_state(session)? else {
        return Err(Failure::new("No offline transaction is stored.")
            .hint("the option --offline of `install`, `upgrade`, … stores one"));
    };
    if state.status != DOWNLOADED && state.status != READY {
        return Err(Failure::new("The stored transaction was started already.")
            .hint("`dnf offline clean` drops it"));
    }
    if state.rpmdb_cookie != current_cookie(session)? {
        return Err(Failure::new(
            "The system has been modified since the offline transaction was prepared.",
        )
        .hint(format!("store it again: {}", cairn_ui::escape_control(&state.cmd_line))));
    }
    state.status = READY.to_owned();
    state.poweroff_after = after == Shutdown::PowerOff;
    write_state(session, &state)?;
    remove_link(session)?;
    session.root.symlink(format!("/{}", directory()), LINK)?;
    go_down(session, Shutdown::Reboot)
}

fn go_down(session: &Session, how: Shutdown) -> CommandResult {
    if !session.is_live() || cairn_host::paths::variable(NO_REBOOT).is_some() {
        session.printer.info("Reboot turned off, not rebooting.");
        return Ok(exit::SUCCESS);
    }
    let verb = if how == Shutdown::Reboot { "reboot" } else { "poweroff" };
    Invocation::new(Tool::Systemctl).args(["--message=dnf offline", verb]).run()?;
    Ok(exit::SUCCESS)
}

/// Runs `dnf offline _execute`. Whatever happens, the machine does not come here again by itself.
pub fn execute(session: &Session) -> CommandResult {
    remove_link(session)?;
    let Some(mut state) = read_state(session)? else {
        return Err(Failure::new("No offline transaction is stored."));
    };
    if state.status != READY {
        return Err(Failure::new(format!(
            "The stored transaction is not ready ({}).",
            state.status
        ))
        .hint("`dnf offline reboot` makes it ready"));
    }
    state.status = INCOMPLETE.to_owned();
    write_state(session, &state)?;
    let outcome = carry_out(session, &state);
    let code = match &outcome {
        Ok(code) => *code,
        Err(failure) => {
            failure.show(&session.printer);
            failure.code
        }
    };
    if outcome.is_ok() {
        clean(session)?;
    }
    let after =
        if state.poweroff_after && outcome.is_ok() { Shutdown::PowerOff } else { Shutdown::Reboot };
    go_down(session, after)?;
    Ok(code)
}

fn carry_out(session: &Session, state: &State) -> CommandResult {
    if current_cookie(session)? != state.rpmdb_cookie {
        return Err(Failure::new(
            "The installed packages have changed since the transaction was stored.",
        )
        .hint("store it again"));
    }
    let path = format!("{}/{}", directory(), stored::FILE);
    let transaction =
        StoredTransaction::parse(&format!("/{path}"), &session.root.read_to_string(&path)?)?;
    let mut files = Vec::new();
    let mut repositories = Vec::new();
    for package in &transaction.rpms {
        let Some(path) = &package.package_path else { continue };
        files.push(local::read_package(std::path::Path::new(path))?);
        repositories.push(package.repo_id.as_str());
    }
    let loaded = session.load_stored(Needs::INSTALLED, &files, &repositories)?;
    stored::carry_out(
        session,
        &loaded,
        &transaction.wishes(&format!("/{path}"))?,
        &Leniency { ignore_installed: true, ..Leniency::default() },
    )
}
