// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a console of the live system does: carry out answers that came with the medium or on a volume, or ask.

use cairn_host::{Invocation, Root, Tool};
use rustix::system::RebootCommand;

use crate::answers::{self, Answers, FinishAction};
use crate::error::InstallError;
use crate::medium::Medium;
use crate::plan::{Plan, plan};
use crate::probe::{self, Probe};
use crate::run::{self, Claim, Report, STATE_DIRECTORY};
use crate::text::{self, Terminal};

/// Where `cairn iso customize` puts the answers on the medium.
pub const EMBEDDED: &str = cairn_image::iso::ANSWERS;
/// Label of a volume, or name of a partition, whose `answers.toml` is used.
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
    let Some(text) = read_volume()? else { return Ok(None) };
    let source = if cmdline.iter().any(|word| word == AUTO) {
        Source::VolumeConfirmed
    } else {
        Source::Volume
    };
    Ok(Some(Found { source, file: format!("answers.toml on {LABEL}"), text }))
}

/// Reads `answers.toml` of the volume, where there is one. Nothing is written to it, not even its journal.
fn read_volume() -> Result<Option<String>, InstallError> {
    let live = Root::open("/")?;
    let mut device = None;
    // FAT has no room for so long a label: there the partition has it.
    for place in ["by-label", "by-partlabel"] {
        let path = format!("/dev/disk/{place}/{LABEL}");
        if device.is_none() && live.exists(&path[1..])? {
            device = Some(path);
        }
    }
    let Some(device) = device else { return Ok(None) };
    let state = Root::create(STATE_DIRECTORY)?;
    // The other console looks too, and would unmount it.
    let _turn = state.lock_file("volume.lock")?;
    state.mkdir_all("answers", 0o700)?;
    let place = format!("{STATE_DIRECTORY}/answers");
    let kind = Invocation::new(Tool::Blkid)
        .args(["--probe", "--output", "value", "--match-tag", "TYPE", &device])
        .run()?
        .stdout_text();
    let options = match kind.trim() {
        "ext3" | "ext4" => "ro,noload,nodev,nosuid,noexec",
        "xfs" => "ro,norecovery,nodev,nosuid,noexec",
        _ => "ro,nodev,nosuid,noexec",
    };
    Invocation::new(Tool::Mount).args(["-o", options, &device, &place]).run()?;
    let text = Root::open(&place)
        .map_err(InstallError::from)
        .and_then(|root| read_bounded(&root, "answers.toml"));
    Invocation::new(Tool::Umount).arg(&place).run()?;
    text.map(Some)
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

/// What became of serving one console.
#[derive(Debug)]
pub struct Served {
    /// How it ended.
    pub ending: Ending,
    /// The right to install, where this console had it: its last words are for all consoles, those of others for their own only.
    ///
    /// To be held until they are written: the other console's process waits for it, and the end of that process hangs its line up.
    pub claim: Option<Claim>,
}

/// Serves one console until the installation ends. `everyone` writes a line to all consoles.
pub fn serve(terminal: &mut dyn Terminal, everyone: &mut dyn FnMut(&str)) -> Served {
    let mut claim = None;
    let mut consoles = Consoles { own: terminal, everyone };
    let ending = work(&mut consoles, &mut claim).unwrap_or_else(Ending::Failed);
    Served { ending, claim }
}

/// Who is spoken to.
struct Consoles<'a> {
    own: &'a mut dyn Terminal,
    everyone: &'a mut dyn FnMut(&str),
}

fn work(consoles: &mut Consoles<'_>, claim: &mut Option<Claim>) -> Result<Ending, InstallError> {
    let machine = Machine { medium: Medium::open()?, probe: probe::read()? };
    match find(&machine.medium, &machine.probe.cmdline)? {
        Some(found) if found.source != Source::Volume => {
            machine.install_unattended(&found, consoles.everyone, claim)
        }
        Some(found) => machine.offer(&found, consoles, claim),
        None => machine.ask(consoles, claim),
    }
}

struct Machine {
    medium: Medium,
    probe: Probe,
}

impl Machine {
    /// Carries out answers that somebody consented to: one console does it, the other waits and says nothing.
    fn install_unattended(
        &self,
        found: &Found,
        everyone: &mut dyn FnMut(&str),
        claim: &mut Option<Claim>,
    ) -> Result<Ending, InstallError> {
        let Some(claim) = take_or_wait(claim, &mut |_| {})? else { return Ok(Ending::Elsewhere) };
        if !run::first_attempt(claim)? {
            return Ok(Ending::Elsewhere);
        }
        everyone(&format!("Installing with {}", found.file));
        let answers = self.parse(found)?;
        let plan = self.plan(&answers)?;
        for line in plan.text().lines() {
            everyone(line);
        }
        self.install(claim, &plan, &answers, everyone)
    }

    /// Shows what answers from a volume would do and asks; without a yes come the questions.
    fn offer(
        &self,
        found: &Found,
        consoles: &mut Consoles<'_>,
        claim: &mut Option<Claim>,
    ) -> Result<Ending, InstallError> {
        consoles.own.say(&format!("There are answers: {}", found.file));
        let answers = self.parse(found)?;
        let plan = self.plan(&answers)?;
        match text::confirm(consoles.own, &plan) {
            Ok(()) => self.install_confirmed(&plan, &answers, consoles, claim),
            Err(InstallError::NotConfirmed) => {
                consoles.own.say("Not confirmed: without these answers come the questions.\n");
                self.ask(consoles, claim)
            }
            Err(error) => Err(error),
        }
    }

    fn ask(
        &self,
        consoles: &mut Consoles<'_>,
        claim: &mut Option<Claim>,
    ) -> Result<Ending, InstallError> {
        let keyboard = text::begin(consoles.own, &self.medium.software, &mut load_keyboard)?;
        // The right to install is taken when the plan is confirmed: who looks at the questions keeps nobody from installing.
        if take_or_wait(claim, &mut |line| consoles.own.say(line))?.is_none() {
            return Ok(Ending::Elsewhere);
        }
        *claim = None;
        loop {
            let random = read_random()?;
            let mut answers = text::ask(consoles.own, &self.probe, &self.medium.software, &random)?;
            answers.system.keyboard.clone_from(&keyboard);
            answers::check_values(&answers, Some(&self.medium.software))?;
            let plan = self.plan(&answers)?;
            let copy = answers.without_secrets().to_toml();
            Root::create(STATE_DIRECTORY)?.write("answers.toml", copy.as_bytes(), 0o600)?;
            match text::confirm(consoles.own, &plan) {
                Ok(()) => {
                    return self.install_confirmed(&plan, &answers, consoles, claim);
                }
                Err(InstallError::NotConfirmed) => {
                    consoles.own.say("Not confirmed: once more from the start.\n");
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn install_confirmed(
        &self,
        plan: &Plan,
        answers: &Answers,
        consoles: &mut Consoles<'_>,
        claim: &mut Option<Claim>,
    ) -> Result<Ending, InstallError> {
        match take_or_wait(claim, &mut |line| consoles.own.say(line))? {
            Some(claim) => self.install(claim, plan, answers, consoles.everyone),
            None => Ok(Ending::Elsewhere),
        }
    }

    fn parse(&self, found: &Found) -> Result<Answers, InstallError> {
        Ok(answers::parse(&found.file, &found.text, Some(&self.medium.software))?)
    }

    fn plan(&self, answers: &Answers) -> Result<Plan, InstallError> {
        Ok(plan(&self.probe, answers, &self.medium.software)?)
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

/// Takes the right to install into `claim`. Where another console has it: waits until that one is done, and returns nothing.
fn take_or_wait<'a>(
    claim: &'a mut Option<Claim>,
    say: &mut dyn FnMut(&str),
) -> Result<Option<&'a Claim>, InstallError> {
    match run::claim() {
        Ok(taken) => Ok(Some(claim.insert(taken))),
        Err(InstallError::Busy) => {
            say("Another console installs; what it does is shown here too.");
            drop(run::wait_for_claim()?);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Puts a keyboard layout to use on the screen's console; a serial line has the keyboard of whoever sits at its other end.
fn load_keyboard(name: &str) -> Result<(), String> {
    let arguments = ["--quiet", "--unicode", "--console=/dev/tty0", name];
    match Invocation::new(Tool::Loadkeys).args(arguments).run() {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("the layout cannot be loaded: {error}")),
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
/// Neither systemd nor the kernel can be asked.
pub fn finish(action: FinishAction) -> Result<(), InstallError> {
    let (word, command) = match action {
        FinishAction::Poweroff => ("poweroff", RebootCommand::PowerOff),
        FinishAction::Reboot => ("reboot", RebootCommand::Restart),
    };
    if Medium::open().is_ok_and(|medium| !medium.is_gone())
        && Invocation::new(Tool::Systemctl).arg(word).run().is_ok()
    {
        return Ok(());
    }
    // Whoever pulled the medium out took systemd's programs away. The new system is unmounted and flushed already.
    rustix::system::reboot(command).map_err(|error| InstallError::Console(error.into()))
}
