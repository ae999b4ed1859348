// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a console of the live system does: carry out answers that came with the medium or on a volume, or ask.

use cairn_host::{Invocation, Root, Tool};

use crate::answers::{self, Answers, FinishAction};
use crate::error::InstallError;
use crate::medium::Medium;
use crate::plan::{Plan, plan};
use crate::probe::{self, Probe};
use crate::run::{self, Claim, Report, STATE_DIRECTORY};
use crate::text::{self, Terminal};

/// Where `cairn iso customize` puts the answers on the medium.
pub const EMBEDDED: &str = cairn_image::iso::ANSWERS;
/// Label of a volume whose `answers.toml` is used.
pub const LABEL: &str = "CAIRN-ANSWERS";
/// Kernel option that makes the volume's answers count as confirmed.
pub const AUTO: &str = "cairn.auto";

/// Where answers came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// From the medium: whoever put them there has consented.
    Medium,
    /// From a volume, with the kernel option that stands for consent.
    VolumeConfirmed,
    /// From a volume: somebody has to confirm.
    Volume,
}

/// Answers that were found, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where.
    pub source: Source,
    /// Name for messages.
    pub file: String,
    /// Content.
    pub text: String,
}

/// Looks for answers: on the medium, then on a volume.
///
/// # Errors
/// There are some that cannot be read.
pub fn find(medium: &Medium, cmdline: &[String]) -> Result<Option<Found>, InstallError> {
    if medium.root.exists(EMBEDDED)? {
        let text = read_bounded(&medium.root, EMBEDDED)?;
        return Ok(Some(Found {
            source: Source::Medium,
            file: format!("{EMBEDDED} on the medium"),
            text,
        }));
    }
    Invocation::new(Tool::Udevadm).args(["settle", "--timeout=60"]).run_unchecked()?;
    let device = format!("/dev/disk/by-label/{LABEL}");
    if !Root::open("/")?.exists(&device[1..])? {
        return Ok(None);
    }
    let place = format!("{STATE_DIRECTORY}/answers");
    Root::create(STATE_DIRECTORY)?.mkdir_all("answers", 0o700)?;
    Invocation::new(Tool::Mount).args(["-o", "ro,nodev,nosuid,noexec", &device, &place]).run()?;
    let text = Root::open(&place)
        .map_err(InstallError::from)
        .and_then(|root| read_bounded(&root, "answers.toml"));
    Invocation::new(Tool::Umount).arg(&place).run()?;
    let source = if cmdline.iter().any(|word| word == AUTO) {
        Source::VolumeConfirmed
    } else {
        Source::Volume
    };
    Ok(Some(Found { source, file: format!("answers.toml on {LABEL}"), text: text? }))
}

fn read_bounded(root: &Root, path: &str) -> Result<String, InstallError> {
    let size = root.metadata(path)?.map_or(0, |stat| stat.size);
    if size > answers::SIZE_LIMIT as u64 {
        return Err(InstallError::Machine(format!(
            "{path} is too large (expected at most 1 MiB, found {size} bytes)"
        )));
    }
    Ok(root.read_to_string(path)?)
}

/// How a console's work ended.
#[derive(Debug)]
pub enum Ending {
    /// The system is installed.
    Complete(FinishAction),
    /// It was installed, or failed, on another console, which said so.
    Elsewhere,
    /// It failed.
    Failed(InstallError),
}

/// Serves one console until the installation ends. `everyone` writes a line to all consoles.
pub fn serve(terminal: &mut dyn Terminal, everyone: &mut dyn FnMut(&str)) -> Ending {
    match work(terminal, everyone) {
        Ok(ending) => ending,
        Err(error) => Ending::Failed(error),
    }
}

fn work(
    terminal: &mut dyn Terminal,
    everyone: &mut dyn FnMut(&str),
) -> Result<Ending, InstallError> {
    let machine = Machine { medium: Medium::open()?, probe: probe::read()? };
    let found = find(&machine.medium, &machine.probe.cmdline)?;
    match found {
        Some(found) if found.source != Source::Volume => {
            // One console does it; the other waits and says nothing.
            let Ok(claim) = run::claim() else {
                drop(run::wait_for_claim()?);
                return Ok(Ending::Elsewhere);
            };
            if !run::first_attempt(&claim)? {
                return Ok(Ending::Elsewhere);
            }
            // Held until this process ends: the other console's unit hangs its line up when it ends, and the last words of this one
            // would be lost on it.
            let claim: &'static Claim = Box::leak(Box::new(claim));
            everyone(&format!("Installing with {}", found.file));
            let answers = machine.parse(&found)?;
            let plan = machine.plan(&answers)?;
            for line in plan.text().lines() {
                everyone(line);
            }
            machine.install(claim, &plan, &answers, everyone)
        }
        Some(found) => {
            terminal.say(&format!("There are answers: {}", found.file));
            let answers = machine.parse(&found)?;
            let plan = machine.plan(&answers)?;
            text::confirm(terminal, &plan)?;
            machine.install(&run::claim()?, &plan, &answers, everyone)
        }
        None => machine.ask(terminal, everyone),
    }
}

struct Machine {
    medium: Medium,
    probe: Probe,
}

impl Machine {
    fn parse(&self, found: &Found) -> Result<Answers, InstallError> {
        Ok(answers::parse(&found.file, &found.text, Some(&self.medium.software))?)
    }

    fn plan(&self, answers: &Answers) -> Result<Plan, InstallError> {
        Ok(plan(&self.probe, answers, &self.medium.software)?)
    }

    fn ask(
        &self,
        terminal: &mut dyn Terminal,
        everyone: &mut dyn FnMut(&str),
    ) -> Result<Ending, InstallError> {
        terminal.ask("Press Enter to begin. ").map_err(InstallError::Console)?;
        loop {
            let random = read_random()?;
            let answers = text::ask(terminal, &self.probe, &self.medium.software, &random)?;
            answers::check_values(&answers, Some(&self.medium.software))?;
            let plan = self.plan(&answers)?;
            let copy = answers.without_secrets().to_toml();
            Root::create(STATE_DIRECTORY)?.write("answers.toml", copy.as_bytes(), 0o600)?;
            match text::confirm(terminal, &plan) {
                Ok(()) => return self.install(&run::claim()?, &plan, &answers, everyone),
                Err(InstallError::NotConfirmed) => {
                    terminal.say("Not confirmed: once more from the start.\n");
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn install(
        &self,
        claim: &Claim,
        plan: &Plan,
        answers: &Answers,
        everyone: &mut dyn FnMut(&str),
    ) -> Result<Ending, InstallError> {
        run::run(claim, plan, answers, &self.medium, &mut |report| {
            everyone(&report_line(&report));
        })?;
        Ok(Ending::Complete(answers.finish.action))
    }
}

/// Returns a report as a line.
pub fn report_line(report: &Report) -> String {
    match report {
        Report::Step { number, total, text } => format!("[{number}/{total}] {text}"),
        Report::Progress { percent, text } => format!("        {percent:>3} %  {text}"),
        Report::Note(text) => format!("        {text}"),
    }
}

fn read_random() -> Result<Vec<u8>, InstallError> {
    use std::io::Read as _;
    let mut bytes = vec![0; 16];
    let mut file = Root::open("/")?.open_read("dev/urandom")?;
    file.read_exact(&mut bytes).map_err(InstallError::Console)?;
    Ok(bytes)
}

/// Switches the machine off or restarts it.
///
/// # Errors
/// systemd cannot be asked.
pub fn finish(action: FinishAction) -> Result<(), InstallError> {
    let word = match action {
        FinishAction::Poweroff => "poweroff",
        FinishAction::Reboot => "reboot",
    };
    Invocation::new(Tool::Systemctl).arg(word).run()?;
    Ok(())
}
