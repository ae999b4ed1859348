// SPDX-License-Identifier: MIT OR Apache-2.0
//! Questions on a console or a serial line: plain lines that fit 80 columns, no cursor movement. Enter takes the value in brackets.

#[cfg(test)]
mod tests;

use std::io;

use crate::answers::{
    Answers, DiskSelector, Filesystem, Layout, Sudo, User, check_host_name, check_known,
    check_ssh_key, check_user_name,
};
use crate::crypt;
use crate::error::InstallError;
use crate::plan::{Plan, candidates};
use crate::probe::{Disk, Probe};
use crate::software::Software;

/// Lines out, lines in.
pub trait Terminal {
    /// Writes a line.
    fn say(&mut self, line: &str);
    /// Writes a question and reads the line that answers it, without its end.
    ///
    /// # Errors
    /// The terminal was closed.
    fn ask(&mut self, question: &str) -> io::Result<String>;
    /// As [`Terminal::ask`], without showing what is typed.
    ///
    /// # Errors
    /// The terminal was closed.
    fn ask_hidden(&mut self, question: &str) -> io::Result<String>;
}

/// Layouts as they are offered.
const LAYOUTS: [(&str, Layout, Filesystem); 4] = [
    ("plain partitions, ext4", Layout::Plain, Filesystem::Ext4),
    ("plain partitions, XFS", Layout::Plain, Filesystem::Xfs),
    ("LVM, ext4", Layout::Lvm, Filesystem::Ext4),
    ("LVM, XFS", Layout::Lvm, Filesystem::Xfs),
];

/// Asks for everything that has no default; `random` salts a password.
///
/// # Errors
/// The console was closed, or there is no disk to choose.
pub fn ask(
    terminal: &mut dyn Terminal,
    probe: &Probe,
    medium: &Software,
    random: &[u8],
) -> Result<Answers, InstallError> {
    let mut questions = Questions { terminal };
    let mut answers = Answers::default();
    questions.say(&format!("{} {}: installation", medium.name, medium.release));
    questions.say("Enter takes the value in [brackets]. Nothing is changed before you type `yes`.");
    questions.say("");
    let disk = questions.disk(&probe.disks)?;
    answers.storage.disk = Some(selector(disk));
    let (layout, filesystem) = questions.layout()?;
    (answers.storage.layout, answers.storage.filesystem) = (layout, filesystem);
    answers.users = vec![questions.user(random)?];
    answers.system.hostname =
        questions.valid("Host name", &answers.system.hostname, check_host_name)?;
    answers.software.profile = questions.profile(medium, &answers.software.profile)?;
    answers.software.roles = questions.roles(medium)?;
    Ok(answers)
}

/// Waits until somebody is there, and asks for the keyboard layout in the same breath: Enter begins, with the default. `load` puts
/// another layout to use.
///
/// # Errors
/// The console was closed.
pub fn begin(
    terminal: &mut dyn Terminal,
    medium: &Software,
    load: &mut dyn FnMut(&str) -> Result<(), String>,
) -> Result<String, InstallError> {
    const DEFAULT: &str = "us";
    let known: Vec<String> = medium.keyboards.keys().cloned().collect();
    loop {
        let answer = terminal
            .ask(&format!("Press Enter to begin, or type a keyboard layout [{DEFAULT}]: "))
            .map_err(InstallError::Console)?;
        let answer = answer.trim();
        if answer.is_empty() {
            return Ok(DEFAULT.to_owned());
        }
        let checked = check_known("keyboard layout", answer, &known)
            .map_err(|(message, hint)| {
                hint.map_or(message.clone(), |hint| format!("{message}; {hint}"))
            })
            .and_then(|()| load(answer));
        match checked {
            Ok(()) => return Ok(answer.to_owned()),
            Err(reason) => terminal.say(&format!("  {reason}")),
        }
    }
}

/// Shows a plan and asks for `yes`.
///
/// # Errors
/// The console was closed, or the answer was another: [`InstallError::NotConfirmed`].
pub fn confirm(terminal: &mut dyn Terminal, plan: &Plan) -> Result<(), InstallError> {
    terminal.say("");
    for line in plan.text().lines() {
        terminal.say(line);
    }
    terminal.say("");
    let question = format!("Type yes to ERASE {} and install: ", plan.target.path);
    let answer = terminal.ask(&question).map_err(InstallError::Console)?;
    if answer.trim() == "yes" { Ok(()) } else { Err(InstallError::NotConfirmed) }
}

/// The node of a disk may be another at the next start: its serial number stays.
fn selector(disk: &Disk) -> DiskSelector {
    let mut selector = DiskSelector { path: Some(disk.path.clone()), ..DiskSelector::default() };
    if !disk.serial.is_empty() {
        selector.serial = Some(disk.serial.clone());
    }
    selector
}

struct Questions<'a> {
    terminal: &'a mut dyn Terminal,
}

impl Questions<'_> {
    fn say(&mut self, line: &str) {
        self.terminal.say(line);
    }

    fn line(&mut self, question: &str) -> Result<String, InstallError> {
        Ok(self.terminal.ask(question).map_err(InstallError::Console)?.trim().to_owned())
    }

    /// Asks until the answer is one that can be; empty is the default.
    fn valid(
        &mut self,
        name: &str,
        default: &str,
        check: impl Fn(&str) -> Result<(), String>,
    ) -> Result<String, InstallError> {
        loop {
            let answer = self.line(&format!("{name} [{default}]: "))?;
            let answer = if answer.is_empty() { default.to_owned() } else { answer };
            match check(&answer) {
                Ok(()) => return Ok(answer),
                Err(reason) => self.say(&format!("  {reason}")),
            }
        }
    }

    /// Asks for a number from 1 to `count`; without a default until one is given.
    fn number(
        &mut self,
        name: &str,
        count: usize,
        default: Option<usize>,
    ) -> Result<usize, InstallError> {
        let shown =
            default.map_or_else(|| format!(" (1 to {count})"), |number| format!(" [{number}]"));
        loop {
            let answer = self.line(&format!("{name}{shown}: "))?;
            let number = if answer.is_empty() { default } else { answer.parse().ok() };
            match number {
                Some(number) if (1..=count).contains(&number) => return Ok(number),
                _ => self.say(&format!("  type a number from 1 to {count}")),
            }
        }
    }

    fn disk<'a>(&mut self, disks: &'a [Disk]) -> Result<&'a Disk, InstallError> {
        let usable = candidates(disks);
        if usable.is_empty() {
            return Err(crate::plan::select(disks, None).err().map_or_else(
                || InstallError::Machine("there is no disk to install to".to_owned()),
                InstallError::from,
            ));
        }
        for (index, disk) in usable.iter().enumerate() {
            self.say(&format!("  {}  {}", index + 1, disk.describe()));
        }
        for disk in disks.iter().filter(|disk| !disk.obstacles.is_empty()) {
            self.say(&format!("  -  {}: {}", disk.path, disk.obstacles.join("; ")));
        }
        // No disk is chosen by itself where there are two.
        let default = (usable.len() == 1).then_some(1);
        let number = self.number("Disk", usable.len(), default)?;
        Ok(usable[number - 1])
    }

    fn layout(&mut self) -> Result<(Layout, Filesystem), InstallError> {
        self.say("");
        for (index, (text, _, _)) in LAYOUTS.iter().enumerate() {
            self.say(&format!("  {}  {text}", index + 1));
        }
        let number = self.number("Layout", LAYOUTS.len(), Some(1))?;
        let (_, layout, filesystem) = LAYOUTS[number - 1];
        Ok((layout, filesystem))
    }

    fn user(&mut self, random: &[u8]) -> Result<User, InstallError> {
        self.say("");
        let name = self.valid("Administrator", "admin", check_user_name)?;
        let key = loop {
            let key = self.line("SSH public key (empty: set a password instead): ")?;
            if key.is_empty() {
                break None;
            }
            match check_ssh_key(&key) {
                Ok(()) => break Some(key),
                Err(reason) => self.say(&format!("  {reason}")),
            }
        };
        let mut user = User {
            name,
            uid: None,
            ssh_authorized_keys: Vec::new(),
            sudo: Some(Sudo::Nopasswd),
            password_hash: None,
        };
        if let Some(key) = key {
            user.ssh_authorized_keys.push(key);
        } else {
            user.password_hash = Some(crypt::hash(&self.password()?, random));
            user.sudo = Some(Sudo::Password);
        }
        Ok(user)
    }

    fn password(&mut self) -> Result<String, InstallError> {
        loop {
            let first = self
                .terminal
                .ask_hidden("Password (not shown): ")
                .map_err(InstallError::Console)?;
            if first.chars().count() < 8 {
                self.say("  type at least 8 characters");
                continue;
            }
            let again = self.terminal.ask_hidden("Once more: ").map_err(InstallError::Console)?;
            if first == again {
                return Ok(first);
            }
            self.say("  the two are not the same");
        }
    }

    fn profile(&mut self, medium: &Software, default: &str) -> Result<String, InstallError> {
        self.say("");
        for (name, profile) in &medium.profiles {
            self.say(&format!("  {name}: {}", profile.summary));
        }
        let known = |name: &str| {
            if medium.profiles.contains_key(name) {
                Ok(())
            } else {
                Err("type one of the names above".to_owned())
            }
        };
        self.valid("Profile", default, known)
    }

    fn roles(&mut self, medium: &Software) -> Result<Vec<String>, InstallError> {
        for (name, role) in &medium.roles {
            self.say(&format!("  {name}: {}", role.summary));
        }
        loop {
            let answer = self.line("Roles, separated by spaces [none]: ")?;
            let words = answer.split([' ', ',']).filter(|word| !word.is_empty() && *word != "none");
            let roles: Vec<String> = words.map(str::to_owned).collect();
            match roles.iter().find(|role| !medium.roles.contains_key(*role)) {
                None => return Ok(roles),
                Some(unknown) => self.say(&format!("  there is no role `{unknown}`")),
            }
        }
    }
}
