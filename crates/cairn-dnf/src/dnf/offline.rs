// SPDX-License-Identifier: MIT OR Apache-2.0
//! Transactions that are carried out while the system starts, in dnf5's form: `usr/lib/sysimage/libdnf5/offline/` holds the stored
//! transaction and its state, `var/lib/dnf/offline/packages/` the packages. `/system-update` makes systemd start
//! `dnf5-offline-transaction.service`, which runs `dnf offline _execute`.

use super::global_options::command_index;
use super::session::{Loaded, Needs, Session};
use super::stored::{self, Leniency, StoredTransaction};
use super::transact::{Targets, current_cookie};
use super::{local, store, trust};
use crate::failure::{CommandResult, Failure};
use cairn_host::{Invocation, Tool};
use cairn_pkg::resolve::Plan;
use cairn_pkg::state::STATE_DIRECTORY;
use cairn_pkg::state::history::{GroupKind, HistoryGroup};
use cairn_ui::{Problem, exit};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What is carried out, inside the root: packages and, which dnf5 looks for in its cache, the definitions of groups.
const CONTENT: &str = "var/lib/dnf/offline";
/// The link that makes systemd start the update target.
const LINK: &str = "system-update";
/// File with the state, in [`directory`].
const STATE: &str = "offline-transaction-state.toml";
/// The service that carries it out.
const SERVICE: &str = "dnf5-offline-transaction.service";
/// Version of the state's format.
const STATE_VERSION: i64 = 2;
/// The verb of an upgrade to another release.
const SYSTEM_UPGRADE: &str = "system-upgrade download";
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
    state_version: i64,
}

fn directory() -> String {
    format!("{STATE_DIRECTORY}/offline")
}

/// Returns where the packages of an offline transaction are.
pub fn package_directory(session: &Session) -> PathBuf {
    content_directory(session).join("packages")
}

fn content_directory(session: &Session) -> PathBuf {
    session.root.path_for_display().join(CONTENT)
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
    for change in &plan.group_changes {
        store::keep_definition(loaded, change, &content_directory(session))?;
    }
    session.root.mkdir_all(directory(), 0o755)?;
    let path = format!("{}/{}", directory(), stored::FILE);
    session.root.write_atomic(path, transaction.text()?.as_bytes(), 0o644)?;
    write_state(session, &state)?;
    session.printer.info(
        "Transaction stored to be performed offline. Run `dnf5 offline reboot` to reboot and run the transaction. To cancel the \
         transaction and delete the downloaded files, use `dnf5 offline clean`.",
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

/// Returns the command of a command line with the command below it, as dnf5 names them.
fn verb(command_line: &str) -> String {
    let words: Vec<String> = command_line.split_whitespace().map(str::to_owned).collect();
    let definition = super::cli::command();
    let Some(place) = command_index(&words, &definition) else { return String::new() };
    let Some(command) = definition.find_subcommand(&words[place]) else {
        return words[place].clone();
    };
    let below = words[place + 1..].iter().find_map(|word| command.find_subcommand(word));
    match (command.get_name(), below) {
        ("offline-upgrade", _) => "upgrade".to_owned(),
        ("offline-distrosync", _) => "distro-sync".to_owned(),
        (name, Some(below)) => format!("{name} {}", below.get_name()),
        (name, None) => name.to_owned(),
    }
}

fn read_state(session: &Session) -> Result<Option<State>, Failure> {
    let path = format!("{}/{STATE}", directory());
    let text = match session.root.read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let file: StateFile = toml::from_str(&text)
        .map_err(|error| unusable(&format!("/{path}: {}", error.message().trim_end())))?;
    if file.state.state_version != STATE_VERSION {
        return Err(unusable("incompatible version of state data"));
    }
    Ok(Some(file.state))
}

fn unusable(what: &str) -> Failure {
    Failure::lines(vec![format!(
        "Error reading state: {what}. Rerun the command you used to initiate the offline transaction, e.g. `dnf5 system-upgrade \
         download [OPTIONS]`."
    )])
}

fn nothing_stored() -> Failure {
    Failure::lines(vec!["No offline transaction is stored.".to_owned()])
}

fn write_state(session: &Session, state: &State) -> Result<(), Failure> {
    let text = toml::to_string(&StateFile { state: state.clone() })
        .map_err(|error| Failure::new(format!("cannot write TOML: {error}")))?;
    let path = format!("{}/{STATE}", directory());
    // With dnf5's empty line at the end.
    Ok(session.root.write_atomic(path, format!("{text}\n").as_bytes(), 0o644)?)
}

/// Says that a plan that is to be stored replaces another.
pub fn warn_of_queued(session: &Session) {
    // What cannot be read is replaced without a word.
    let Ok(Some(state)) = read_state(session) else { return };
    session.printer.info(
        "There is already an offline transaction queued, initiated by the following command:",
    );
    session.printer.info(&format!("\t{}", cairn_ui::escape_control(&state.cmd_line)));
    session
        .printer
        .info("Continuing will cancel the old offline transaction and replace it with this one.");
}

/// Warns that a change makes the stored transaction useless.
pub fn warn_of_pending(session: &Session) -> Result<(), Failure> {
    // What cannot be read cannot be carried out either.
    let Ok(Some(state)) = read_state(session) else { return Ok(()) };
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
    let command = cairn_ui::escape_control(&state.cmd_line).into_owned();
    let lines = if state.status == INCOMPLETE {
        [
            "An offline transaction was started, but it did not finish. Run `dnf5 offline log` for more information. The command that \
             initiated the transaction was:".to_owned(),
            format!("\t{command}"),
            "Run `dnf recover` to finish or take it back, then `dnf5 offline clean`.".to_owned(),
        ]
    } else if state.rpmdb_cookie != current_cookie(session)? {
        [
            "The system has been modified since the offline transaction was prepared. The offline transaction initiated by the following \
             command is no longer valid:".to_owned(),
            format!("  {command}"),
            "To reschedule, run the command above. To clean up, run `dnf5 offline clean`.".to_owned(),
        ]
    } else {
        [
            "An offline transaction was initiated by the following command:".to_owned(),
            format!("\t{command}"),
            "Run `dnf5 offline reboot` to reboot and perform the offline transaction.".to_owned(),
        ]
    };
    lines.iter().for_each(|line| session.printer.data(line));
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
    session.root.remove_all(CONTENT)?;
    Ok(exit::SUCCESS)
}

/// Removes the link and says whether there was one.
fn remove_link(session: &Session) -> Result<bool, Failure> {
    match session.root.remove_file(LINK) {
        Ok(()) => Ok(true),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error.into()),
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
    let Some(mut state) = read_state(session)? else { return Err(nothing_stored()) };
    if state.status != DOWNLOADED && state.status != READY {
        return Err(Failure::new("The stored transaction was started already.")
            .hint("`dnf offline clean` drops it"));
    }
    let command = cairn_ui::escape_control(&state.cmd_line).into_owned();
    if state.rpmdb_cookie != current_cookie(session)? {
        return Err(Failure::lines(vec![format!(
            "The system has been modified since the offline transaction was prepared. To reschedule, run: {command}"
        )]));
    }
    if state.verb == SYSTEM_UPGRADE {
        let release = cairn_ui::escape_control(&state.target_releasever).into_owned();
        session
            .printer
            .data(&format!("The system will now reboot to upgrade to release version {release}."));
    } else {
        session.printer.data(
            "The system will now reboot to perform the offline transaction initiated by the following command:",
        );
        session.printer.data(&format!("\t{command}"));
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
        let why = if session.is_live() {
            format!("{NO_REBOOT} is set")
        } else {
            "Another root".to_owned()
        };
        session.printer.info(&format!("{why}, not rebooting."));
        return Ok(exit::SUCCESS);
    }
    let verb = if how == Shutdown::Reboot { "reboot" } else { "poweroff" };
    Invocation::new(Tool::Systemctl).args(["--message=dnf offline", verb]).run()?;
    Ok(exit::SUCCESS)
}

/// Runs `dnf offline _execute`. Whatever happens, the machine does not come here again by itself.
pub fn execute(session: &Session) -> CommandResult {
    if !remove_link(session)? {
        session.printer.info("Trigger file does not exist. Exiting.");
        return Ok(exit::SUCCESS);
    }
    let Some(mut state) = read_state(session)? else { return Err(nothing_stored()) };
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
    let mut transaction =
        StoredTransaction::parse(&format!("/{path}"), &session.root.read_to_string(&path)?)?;
    let mut files = Vec::new();
    let mut repositories = Vec::new();
    for package in &transaction.rpms {
        let Some(path) = &package.package_path else { continue };
        files.push(local::read_package(std::path::Path::new(path))?);
        repositories.push(package.repo_id.as_str());
    }
    let mut loaded = session.load_stored(Needs::INSTALLED, &files, &repositories)?;
    let content = content_directory(session);
    let kept = |kind: GroupKind, id: &str| {
        store::definition_path(kind, id).filter(|name| content.join(name).exists())
    };
    for group in &mut transaction.groups {
        group.group_path = kept(GroupKind::Group, &group.id);
    }
    for environment in &mut transaction.environments {
        environment.environment_path = kept(GroupKind::Environment, &environment.id);
    }
    store::add_definitions(&transaction, &content, &mut loaded.groups)?;
    stored::carry_out(
        session,
        &loaded,
        &transaction.wishes(&format!("/{path}"))?,
        &Leniency { ignore_installed: true, is_replay: true, ..Leniency::default() },
    )
}
