// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cairn-install`: probes, plans, validates, installs; serves the consoles of the install medium.

mod arguments;

use std::fs::File;
use std::io::{self, BufRead as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use cairn_host::Root;
use cairn_install::InstallError;
use cairn_install::answers::{self, Answers, schema};
use cairn_install::console::{self, Ending, Served};
use cairn_install::medium::Medium;
use cairn_install::plan::{Plan, plan};
use cairn_install::probe::{self, Probe};
use cairn_install::run::{self, RESULT_DIRECTORY, STATE_DIRECTORY};
use cairn_install::software::Software;
use cairn_install::text::{self, Terminal};
use cairn_ui::{Color, Printer, Problem, Verbosity};
use clap::{CommandFactory as _, Parser as _};
use rustix::termios::{LocalModes, OptionalActions, tcdrain, tcgetattr, tcsetattr};

use arguments::{Arguments, Command};

/// The consoles that an unattended installation reports to.
const CONSOLES: [&str; 2] = ["/dev/tty1", "/dev/ttyS0"];

fn main() -> ExitCode {
    let printer = Printer::new(Verbosity::Normal, Color::Auto);
    if std::env::args().nth(1).is_some_and(|word| word == "--reference") {
        printer.raw(&cairn_ui::docs::markdown(&Arguments::command()));
        return ExitCode::SUCCESS;
    }
    let arguments = Arguments::parse();
    let result = match &arguments.command {
        Command::Console => return serve(&mut Broadcast::open()),
        Command::Text => return serve(&mut Broadcast { files: Vec::new() }),
        Command::Probe { json } => show_probe(&printer, *json),
        Command::Plan { answers, probe, software, json } => {
            show_plan(&printer, answers, probe.as_deref(), software.as_deref(), *json)
        }
        Command::Validate { answers, software } => validate(&printer, answers, software.as_deref()),
        Command::Run { answers, plan, confirm, erase } => {
            let consent = match (confirm, erase) {
                (Some(digest), _) => Consent::Plan(digest.as_str()),
                (_, Some(disk)) => Consent::Disk(disk.as_str()),
                _ => Consent::Asked,
            };
            install(&printer, answers, plan.as_deref(), &consent)
        }
        Command::Export => export(&printer),
        Command::Schema => {
            printer.raw(&schema::text());
            Ok(())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            printer.error(&Problem::from_error(&error).hints(error.hint()));
            ExitCode::FAILURE
        }
    }
}

fn read_file(path: &Path) -> Result<String, InstallError> {
    let shown = path.display();
    std::fs::read_to_string(path)
        .map_err(|error| InstallError::Machine(format!("cannot read `{shown}`: {error}")))
}

fn read_answers(path: &Path, medium: Option<&Software>) -> Result<Answers, InstallError> {
    Ok(answers::parse(&path.display().to_string(), &read_file(path)?, medium)?)
}

fn read_software(path: Option<&Path>) -> Result<Software, InstallError> {
    match path {
        Some(path) => Software::parse(read_file(path)?.as_bytes())
            .map_err(|reason| InstallError::Medium(format!("{}: {reason}", path.display()))),
        None => Ok(Medium::open()?.software),
    }
}

fn as_json<T: serde::Serialize>(printer: &Printer, value: &T) -> Result<(), InstallError> {
    printer.json(value).map_err(InstallError::Console)
}

fn show_probe(printer: &Printer, json: bool) -> Result<(), InstallError> {
    let probe = probe::read()?;
    if json {
        return as_json(printer, &probe);
    }
    printer.data(&format!("Machine     {}", probe.model));
    printer.data(&format!("Firmware    {:?}", probe.firmware));
    printer.data(&format!("Hypervisor  {}", probe.hypervisor));
    printer.data(&format!("Memory      {} MiB", probe.memory_bytes >> 20));
    for disk in &probe.disks {
        printer.data(&format!("Disk        {}", disk.describe()));
        for obstacle in &disk.obstacles {
            printer.data(&format!("            not usable: {obstacle}"));
        }
    }
    Ok(())
}

fn show_plan(
    printer: &Printer,
    answers: &Path,
    recorded: Option<&Path>,
    software: Option<&Path>,
    json: bool,
) -> Result<(), InstallError> {
    let software = read_software(software)?;
    let answers = read_answers(answers, Some(&software))?;
    let probe: Probe = match recorded {
        Some(path) => serde_json::from_str(&read_file(path)?)
            .map_err(|error| InstallError::Machine(format!("{}: {error}", path.display())))?,
        None => probe::read()?,
    };
    let made: Plan = plan(&probe, &answers, &software)?;
    if json {
        return as_json(printer, &made);
    }
    printer.raw(&made.text());
    Ok(())
}

fn validate(
    printer: &Printer,
    answers: &Path,
    software: Option<&Path>,
) -> Result<(), InstallError> {
    let software = software.map(|path| read_software(Some(path))).transpose()?;
    read_answers(answers, software.as_ref())?;
    printer.info(&format!("{}: good", answers.display()));
    Ok(())
}

/// How an installation by command is confirmed.
enum Consent<'a> {
    /// By the digest of the plan.
    Plan(&'a str),
    /// By the disk that it erases.
    Disk(&'a str),
    /// By typing.
    Asked,
}

fn install(
    printer: &Printer,
    answers: &Path,
    saved: Option<&Path>,
    consent: &Consent<'_>,
) -> Result<(), InstallError> {
    stay_in_memory();
    let medium = Medium::open()?;
    let answers = read_answers(answers, Some(&medium.software))?;
    let plan = match saved {
        Some(path) => run::plan_again(&read_plan(path)?, &answers, &medium)?,
        None => run::probe_and_plan(&answers, &medium)?,
    };
    match consent {
        Consent::Plan(digest) if plan.is_meant_by(digest) => {}
        Consent::Plan(digest) => {
            let found = plan.digest();
            return Err(InstallError::Changed(format!(
                "the plan's digest is {found} (confirmed was {digest})"
            )));
        }
        Consent::Disk(disk) if *disk == plan.target.path => {}
        Consent::Disk(disk) => {
            return Err(InstallError::Changed(format!(
                "the plan erases {} (confirmed was {disk})",
                plan.target.path
            )));
        }
        Consent::Asked => text::confirm(&mut Stdio, &plan)?,
    }
    let claim = run::claim()?;
    run::run(&claim, &plan, &answers, &medium, &mut |report| {
        printer.info(&console::report_line(&report));
    })?;
    printer.info("cairn-install: complete");
    Ok(())
}

fn read_plan(path: &Path) -> Result<Plan, InstallError> {
    serde_json::from_str(&read_file(path)?)
        .map_err(|error| InstallError::Machine(format!("{}: {error}", path.display())))
}

fn export(printer: &Printer) -> Result<(), InstallError> {
    let root = Root::open("/")?;
    for directory in [STATE_DIRECTORY, RESULT_DIRECTORY] {
        let path = format!("{}/answers.toml", &directory[1..]);
        if root.metadata(&path)?.is_some_and(|stat| stat.is_file()) {
            printer.raw(&root.read_to_string(&path)?);
            return Ok(());
        }
    }
    printer.raw(&Answers::default().to_toml());
    Ok(())
}

/// Serves one console; the last line says how it ended.
fn serve(everyone: &mut Broadcast) -> ExitCode {
    stay_in_memory();
    let Served { ending, claim } = console::serve(&mut Stdio, &mut |line| everyone.say(line));
    if claim.is_none() {
        *everyone = Broadcast { files: Vec::new() };
    }
    let code = tell(ending, everyone);
    everyone.drain();
    // Now the other console may end too.
    drop(claim);
    code
}

fn tell(ending: Ending, listeners: &mut Broadcast) -> ExitCode {
    match ending {
        Ending::Elsewhere => ExitCode::SUCCESS,
        Ending::Complete(action) => {
            listeners.say("cairn-install: complete");
            listeners.drain();
            match console::finish(action) {
                Ok(()) => ExitCode::SUCCESS,
                Err(_) => ExitCode::FAILURE,
            }
        }
        Ending::Failed(error) => {
            if let Some(hint) = error.hint() {
                listeners.say(&format!("hint: {hint}"));
            }
            listeners.say(&format!(
                "The record is in {STATE_DIRECTORY}; restart the machine to try again."
            ));
            listeners.say(&format!("cairn-install: failed: {}", error.reason()));
            ExitCode::FAILURE
        }
    }
}

/// Keeps this program in memory: a medium that is pulled out must not take away what says so.
fn stay_in_memory() {
    // Without the permission to do so it is as it was.
    let _ = rustix::mm::mlockall(rustix::mm::MlockAllFlags::CURRENT);
}

/// Lines to every console there is, or to standard output.
struct Broadcast {
    files: Vec<File>,
}

impl Broadcast {
    fn open() -> Self {
        let open = |path: &&str| File::options().write(true).open(path).ok();
        let mut files: Vec<File> = CONSOLES.iter().filter_map(open).collect();
        // A serial line that does not exist can be opened, but not written to.
        files.retain(|file| {
            let mut file = file;
            file.write_all(b"\r").is_ok()
        });
        Self { files }
    }

    fn say(&mut self, line: &str) {
        if self.files.is_empty() {
            Stdio.say(line);
        }
        for file in &mut self.files {
            // A console that is gone must not stop the installation.
            let _ = file.write_all(format!("{line}\r\n").as_bytes());
        }
    }

    /// Waits until everything was sent: what is left when a line is hung up is lost.
    fn drain(&self) {
        for file in &self.files {
            let _ = tcdrain(file);
        }
    }
}

/// The terminal of this process.
struct Stdio;

impl Terminal for Stdio {
    fn say(&mut self, line: &str) {
        // A console that is gone shows in the next question.
        let _ = writeln!(io::stdout(), "{line}");
    }

    fn ask(&mut self, question: &str) -> io::Result<String> {
        let mut out = io::stdout();
        write!(out, "{question}")?;
        out.flush()?;
        let mut line = String::new();
        if io::stdin().lock().read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }

    fn ask_hidden(&mut self, question: &str) -> io::Result<String> {
        let stdin = io::stdin();
        let Ok(before) = tcgetattr(&stdin) else { return self.ask(question) };
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&stdin, OptionalActions::Flush, &hidden)?;
        let answer = self.ask(question);
        tcsetattr(&stdin, OptionalActions::Now, &before)?;
        self.say("");
        answer
    }
}
