// SPDX-License-Identifier: MIT OR Apache-2.0
//! Adds, removes, blesses, lists and checks boot entries.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{Read, Write};

use cairn_host::{HostError, Root};
use sha2::{Digest, Sha256};

use super::grub::{NEXT, SAVED, TRIAL, TRIES_LEFT};
use super::{
    BlsEntry, BootError, Environment, GrubSettings, MENU_LIMIT, TRIES, configuration, snippet,
};

/// The static GRUB configuration on the ESP.
pub const CONFIGURATION_PATH: &str = "EFI/debian/grub.cfg";
/// The GRUB environment block on the ESP.
pub const ENVIRONMENT_PATH: &str = "EFI/debian/grubenv";

const ENTRIES: &str = "loader/entries";
const SNIPPETS: &str = "loader/cairn";
const KERNELS: &str = "cairn";
const DIGESTS: &str = "SHA256SUMS";

/// Whether a new entry must prove itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trial {
    /// It is tried [`TRIES`] times; without a blessing the previous entry is booted again.
    Required,
    /// It becomes the default at once.
    Skipped,
}

/// What [`BootFiles::add`] makes an entry from.
#[derive(Debug, Clone)]
pub struct NewEntry<'a> {
    /// Kernel version as `uname -r` prints it.
    pub version: &'a str,
    /// Menu text in front of the version: `Cairn Linux`.
    pub title: &'a str,
    /// Kernel command line.
    pub options: &'a str,
    /// Content of the kernel image.
    pub kernel: &'a [u8],
    /// Content of the initial RAM disk.
    pub initrd: Option<&'a [u8]>,
    /// Machine identifier to record in the entry.
    pub machine_id: Option<&'a str>,
    /// Whether it must prove itself.
    pub trial: Trial,
}

/// The `/boot` file system and the ESP of one installation.
#[derive(Debug, Clone)]
pub struct BootFiles {
    boot: Root,
    esp: Root,
}

/// Where an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryState {
    /// An ordinary entry.
    Ready,
    /// Booted by default, known (or on the first entry: assumed) to work.
    Default,
    /// Will be tried this many times more.
    OnTrial(u32),
    /// Was tried and never blessed.
    Failed,
}

impl fmt::Display for EntryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("ready"),
            Self::Default => f.write_str("default"),
            Self::OnTrial(tries) => write!(f, "on trial ({tries} tries left)"),
            Self::Failed => f.write_str("failed"),
        }
    }
}

/// An entry and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryStatus {
    /// The entry.
    pub entry: BlsEntry,
    /// Where it stands.
    pub state: EntryState,
}

/// Something that [`BootFiles::verify`] found wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// A file that is needed is not there.
    Missing {
        /// Path with `/boot/` or `ESP:/` in front.
        path: String,
    },
    /// A kernel or initrd differs from the one that was added.
    Changed {
        /// Path inside `/boot`.
        path: String,
    },
    /// A file has no recorded digest, so it cannot be checked.
    Unrecorded {
        /// Path inside `/boot`.
        path: String,
    },
    /// The snippets are not those that the entries give.
    StaleSnippets,
    /// An entry file cannot be read.
    BadEntry(String),
    /// The environment block cannot be read.
    BadEnvironment(String),
    /// The environment block names an entry that does not exist.
    DanglingDefault {
        /// Name of the variable.
        variable: String,
        /// Its value.
        id: String,
    },
    /// There is no entry at all.
    NoEntries,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { path } => write!(f, "`{path}` is missing"),
            Self::Changed { path } => write!(f, "`{path}` differs from the file that was added"),
            Self::Unrecorded { path } => write!(f, "`{path}` has no recorded digest"),
            Self::StaleSnippets => f.write_str("the GRUB snippets do not match the boot entries"),
            Self::BadEntry(text) | Self::BadEnvironment(text) => f.write_str(text),
            Self::DanglingDefault { variable, id } => {
                write!(f, "`{variable}` names `{id}`, which does not exist")
            }
            Self::NoEntries => f.write_str("there is no boot entry"),
        }
    }
}

/// Returns the identifier of the entry for a kernel version.
pub fn entry_id(version: &str) -> String {
    format!("cairn-{version}")
}

impl BootFiles {
    /// Returns the boot files below the given file systems, both already mounted.
    pub fn new(boot: Root, esp: Root) -> Self {
        Self { boot, esp }
    }

    /// Copies kernel and initrd, writes the entry and its snippet, and puts it on trial or makes it the default.
    ///
    /// The first entry is never on trial: there is nothing to go back to. Adding a version again replaces its files; the
    /// default entry keeps being the default then.
    pub fn add(&self, new: &NewEntry<'_>) -> Result<BlsEntry, BootError> {
        check_version(new.version)?;
        let directory = format!("{KERNELS}/{}", new.version);
        let id = entry_id(new.version);
        let entry = BlsEntry {
            id: id.clone(),
            title: format!("{} ({})", new.title, new.version),
            version: new.version.to_owned(),
            machine_id: new.machine_id.map(str::to_owned),
            sort_key: Some("cairn".to_owned()),
            linux: format!("/{directory}/linux"),
            initrds: new.initrd.iter().map(|_| format!("/{directory}/initrd")).collect(),
            options: new.options.trim().to_owned(),
            others: Vec::new(),
        };
        // Options that GRUB cannot take are refused before anything is written.
        snippet(&entry)?;
        let is_new = !self.boot.exists(entry_path(&id))?;
        if let Err(error) = self.write_kernel(&directory, new) {
            if is_new {
                self.boot.remove_all(&directory)?;
            }
            return Err(error);
        }
        self.boot.mkdir_all(ENTRIES, 0o755)?;
        self.boot.write_atomic(entry_path(&id), entry.to_text().as_bytes(), 0o644)?;
        self.derive_snippets()?;
        self.enter_default(&id, new.trial)?;
        Ok(entry)
    }

    /// Removes the entry of a kernel version with its files. The last entry stays: an error.
    ///
    /// If it was the default, the newest remaining entry becomes it.
    pub fn remove(&self, version: &str) -> Result<(), BootError> {
        check_version(version)?;
        let id = entry_id(version);
        if !self.boot.exists(entry_path(&id))? {
            return Err(BootError::UnknownEntry(version.to_owned()));
        }
        let others: Vec<BlsEntry> =
            self.list()?.into_iter().filter(|entry| entry.id != id).collect();
        let Some(newest) = others.first() else { return Err(BootError::LastEntry(id)) };
        let mut environment = self.environment()?.unwrap_or_default();
        if environment.get(TRIAL) == Some(&id) {
            environment.unset(TRIAL);
            environment.unset(TRIES_LEFT);
        }
        if environment.get(NEXT) == Some(&id) {
            environment.unset(NEXT);
        }
        if environment.get(SAVED).is_none_or(|saved| saved == id) {
            let trial = environment.get(TRIAL).map(str::to_owned);
            let proven =
                others.iter().find(|entry| Some(&entry.id) != trial.as_ref()).unwrap_or(newest);
            environment.set(SAVED, &proven.id);
        }
        self.write_environment(&environment)?;
        self.boot.remove_file(entry_path(&id))?;
        self.derive_snippets()?;
        self.boot.remove_all(format!("{KERNELS}/{version}"))?;
        Ok(())
    }

    /// Returns all entries of ours in menu order (newest first). A damaged entry file is an error.
    pub fn list(&self) -> Result<Vec<BlsEntry>, BootError> {
        let mut entries = Vec::new();
        for id in self.entry_ids()? {
            entries.push(BlsEntry::parse(&id, &self.boot.read_to_string(entry_path(&id))?)?);
        }
        entries.sort_by(BlsEntry::menu_order);
        Ok(entries)
    }

    /// Returns all entries with their states, in menu order.
    pub fn status(&self) -> Result<Vec<EntryStatus>, BootError> {
        let environment = self.environment()?.unwrap_or_default();
        let entries = self.list()?;
        let saved =
            environment.get(SAVED).filter(|saved| entries.iter().any(|entry| entry.id == *saved));
        let default = saved.or(entries.first().map(|entry| entry.id.as_str())).map(str::to_owned);
        let tries = environment.get(TRIES_LEFT).and_then(|text| text.parse().ok()).unwrap_or(0);
        let state = |entry: &BlsEntry| match () {
            () if environment.get(TRIAL) == Some(&entry.id) && tries > 0 => {
                EntryState::OnTrial(tries)
            }
            () if environment.get(TRIAL) == Some(&entry.id) => EntryState::Failed,
            () if default.as_ref() == Some(&entry.id) => EntryState::Default,
            () => EntryState::Ready,
        };
        Ok(entries.into_iter().map(|entry| EntryStatus { state: state(&entry), entry }).collect())
    }

    /// Makes the entry of the running kernel the default and ends its trial. Returns whether anything changed.
    ///
    /// A trial of another entry goes on: the running kernel may be the fallback.
    pub fn bless(&self, running_version: &str) -> Result<bool, BootError> {
        let id = entry_id(running_version);
        if !self.boot.exists(entry_path(&id))? {
            return Err(BootError::UnknownEntry(running_version.to_owned()));
        }
        let before = self.environment()?.unwrap_or_default();
        let mut environment = before.clone();
        if environment.get(TRIAL) == Some(&id) {
            environment.set(SAVED, &id);
            environment.unset(TRIAL);
            environment.unset(TRIES_LEFT);
        } else if environment.get(SAVED).is_none() {
            environment.set(SAVED, &id);
        }
        if environment == before {
            return Ok(false);
        }
        self.write_environment(&environment)?;
        Ok(true)
    }

    /// Makes an entry the default without a trial, whatever it was before.
    pub fn set_default(&self, version: &str) -> Result<(), BootError> {
        self.must_exist(version)?;
        self.enter_default(&entry_id(version), Trial::Skipped)
    }

    /// Boots an entry once, at the next boot only.
    pub fn set_next(&self, version: &str) -> Result<(), BootError> {
        self.must_exist(version)?;
        let mut environment = self.environment()?.unwrap_or_default();
        environment.set(NEXT, &entry_id(version));
        self.write_environment(&environment)
    }

    /// Writes the snippets that the entries give, removes all others, and repairs a missing or damaged environment block.
    ///
    /// Returns whether the environment block had to be written anew.
    pub fn update(&self) -> Result<bool, BootError> {
        self.derive_snippets()?;
        match self.environment() {
            Ok(Some(_)) => Ok(false),
            Ok(None) | Err(BootError::InvalidEnvironment(_)) => {
                let mut environment = Environment::default();
                if let Some(newest) = self.list()?.first() {
                    environment.set(SAVED, &newest.id);
                }
                self.write_environment(&environment)?;
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }

    /// Writes the static GRUB configuration, and an empty environment block where there is none.
    pub fn write_configuration(&self, settings: &GrubSettings) -> Result<(), BootError> {
        self.esp.mkdir_all("EFI/debian", 0o755)?;
        self.esp.write_atomic(CONFIGURATION_PATH, configuration(settings).as_bytes(), 0o644)?;
        if !self.esp.exists(ENVIRONMENT_PATH)? {
            self.write_environment(&Environment::default())?;
        }
        Ok(())
    }

    /// Checks that everything needed to boot is there and unchanged. An empty result means all is well.
    pub fn verify(&self) -> Result<Vec<Problem>, BootError> {
        let mut problems = Vec::new();
        let mut entries = Vec::new();
        for id in self.entry_ids()? {
            match BlsEntry::parse(&id, &self.boot.read_to_string(entry_path(&id))?) {
                Ok(entry) => entries.push(entry),
                Err(error) => problems.push(Problem::BadEntry(error.to_string())),
            }
        }
        entries.sort_by(BlsEntry::menu_order);
        if entries.is_empty() {
            problems.push(Problem::NoEntries);
        }
        for entry in &entries {
            self.verify_files(entry, &mut problems)?;
        }
        self.verify_snippets(&entries, &mut problems)?;
        self.verify_esp(&entries, &mut problems)?;
        Ok(problems)
    }

    /// Returns the environment block; `None` if there is none.
    pub fn environment(&self) -> Result<Option<Environment>, BootError> {
        if !self.esp.exists(ENVIRONMENT_PATH)? {
            return Ok(None);
        }
        Environment::parse(&self.esp.read(ENVIRONMENT_PATH)?).map(Some)
    }

    fn must_exist(&self, version: &str) -> Result<(), BootError> {
        if check_version(version).is_ok() && self.boot.exists(entry_path(&entry_id(version)))? {
            return Ok(());
        }
        Err(BootError::UnknownEntry(version.to_owned()))
    }

    fn write_kernel(&self, directory: &str, new: &NewEntry<'_>) -> Result<(), BootError> {
        self.boot.mkdir_all(directory, 0o755)?;
        let mut digests = String::new();
        for (name, content) in [("initrd", new.initrd), ("linux", Some(new.kernel))] {
            let Some(content) = content else { continue };
            self.boot.write_atomic(format!("{directory}/{name}"), content, 0o644)?;
            digests += &format!("{}  {name}\n", hex::encode(Sha256::digest(content)));
        }
        Ok(self.boot.write_atomic(format!("{directory}/{DIGESTS}"), digests.as_bytes(), 0o644)?)
    }

    fn enter_default(&self, id: &str, trial: Trial) -> Result<(), BootError> {
        let mut environment = match self.environment() {
            Err(BootError::InvalidEnvironment(_)) => Environment::default(),
            environment => environment?.unwrap_or_default(),
        };
        let fallback = environment.get(SAVED).map(str::to_owned);
        let has_fallback = match &fallback {
            Some(saved) => saved != id && self.boot.exists(entry_path(saved))?,
            None => false,
        };
        if trial == Trial::Required && has_fallback {
            environment.set(TRIAL, id);
            environment.set(TRIES_LEFT, &TRIES.to_string());
        } else {
            environment.set(SAVED, id);
            if environment.get(TRIAL) == Some(id) || trial == Trial::Skipped {
                environment.unset(TRIAL);
                environment.unset(TRIES_LEFT);
            }
        }
        self.write_environment(&environment)
    }

    /// Overwrites the block in place where it exists, as GRUB does: on FAT that is safer than a rename.
    fn write_environment(&self, environment: &Environment) -> Result<(), BootError> {
        let bytes = environment.to_bytes()?;
        let right_size = self
            .esp
            .symlink_metadata(ENVIRONMENT_PATH)?
            .is_some_and(|stat| stat.size == bytes.len() as u64);
        if !right_size {
            self.esp.mkdir_all("EFI/debian", 0o755)?;
            return Ok(self.esp.write_atomic(ENVIRONMENT_PATH, &bytes, 0o644)?);
        }
        let failed = |source| HostError::Io {
            operation: "write",
            path: self.esp.path_for_display().join(ENVIRONMENT_PATH),
            source,
        };
        let mut file = self.esp.open_read_write(ENVIRONMENT_PATH)?;
        file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(failed)?;
        Ok(())
    }

    fn entry_ids(&self) -> Result<Vec<String>, BootError> {
        if !self.boot.exists(ENTRIES)? {
            return Ok(Vec::new());
        }
        let names = self.boot.read_dir(ENTRIES)?;
        let ids = names.iter().filter_map(|name| name.strip_suffix(".conf"));
        // Entries of others (systemd-boot's `efi` entries, say) are left alone.
        Ok(ids.filter(|id| id.starts_with("cairn-")).map(str::to_owned).collect())
    }

    fn derive_snippets(&self) -> Result<(), BootError> {
        let snippets = snippets(&self.list()?)?;
        self.boot.mkdir_all(SNIPPETS, 0o755)?;
        for (name, text) in &snippets {
            self.boot.write_atomic(format!("{SNIPPETS}/{name}"), text.as_bytes(), 0o644)?;
        }
        for name in self.boot.read_dir(SNIPPETS)? {
            if !snippets.iter().any(|(wanted, _)| *wanted == name) {
                self.boot.remove_all(format!("{SNIPPETS}/{name}"))?;
            }
        }
        Ok(())
    }

    fn verify_files(&self, entry: &BlsEntry, problems: &mut Vec<Problem>) -> Result<(), BootError> {
        for path in std::iter::once(&entry.linux).chain(&entry.initrds) {
            let shown = format!("/boot{path}");
            if !self.boot.exists(path)? {
                problems.push(Problem::Missing { path: shown });
                continue;
            }
            let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
            let recorded = self.recorded_digest(directory, name)?;
            match recorded {
                None => problems.push(Problem::Unrecorded { path: shown }),
                Some(digest) if digest != self.digest(path)? => {
                    problems.push(Problem::Changed { path: shown });
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    fn verify_snippets(
        &self,
        entries: &[BlsEntry],
        problems: &mut Vec<Problem>,
    ) -> Result<(), BootError> {
        let wanted = match snippets(entries) {
            Ok(wanted) => wanted,
            Err(error) => {
                problems.push(Problem::BadEntry(error.to_string()));
                return Ok(());
            }
        };
        let mut found = Vec::new();
        if self.boot.exists(SNIPPETS)? {
            for name in self.boot.read_dir(SNIPPETS)? {
                let text = self.boot.read_to_string(format!("{SNIPPETS}/{name}"))?;
                found.push((name, text));
            }
        }
        if found != wanted {
            problems.push(Problem::StaleSnippets);
        }
        Ok(())
    }

    fn verify_esp(
        &self,
        entries: &[BlsEntry],
        problems: &mut Vec<Problem>,
    ) -> Result<(), BootError> {
        if !self.esp.exists(CONFIGURATION_PATH)? {
            problems.push(Problem::Missing { path: format!("ESP:/{CONFIGURATION_PATH}") });
        }
        let environment = match self.environment() {
            Ok(Some(environment)) => environment,
            Ok(None) => {
                problems.push(Problem::Missing { path: format!("ESP:/{ENVIRONMENT_PATH}") });
                return Ok(());
            }
            Err(error @ BootError::InvalidEnvironment(_)) => {
                problems.push(Problem::BadEnvironment(error.to_string()));
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let ids: BTreeSet<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
        for variable in [SAVED, TRIAL, NEXT] {
            if let Some(id) = environment.get(variable)
                && !ids.contains(id)
            {
                problems.push(Problem::DanglingDefault {
                    variable: variable.to_owned(),
                    id: id.to_owned(),
                });
            }
        }
        Ok(())
    }

    fn recorded_digest(&self, directory: &str, name: &str) -> Result<Option<String>, BootError> {
        let path = format!("{directory}/{DIGESTS}");
        if !self.boot.exists(&path)? {
            return Ok(None);
        }
        let text = self.boot.read_to_string(&path)?;
        let digest =
            text.lines().filter_map(|line| line.split_once("  ")).find(|(_, file)| *file == name);
        Ok(digest.map(|(digest, _)| digest.to_owned()))
    }

    fn digest(&self, path: &str) -> Result<String, BootError> {
        let failed = |source| HostError::Io {
            operation: "read",
            path: self.boot.path_for_display().join(path.trim_start_matches('/')),
            source,
        };
        let mut file = self.boot.open_read(path)?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            let n_bytes = file.read(&mut buffer).map_err(failed)?;
            if n_bytes == 0 {
                return Ok(hex::encode(hash.finalize()));
            }
            hash.update(&buffer[..n_bytes]);
        }
    }
}

/// Returns file names and texts of the snippets for entries in menu order.
fn snippets(entries: &[BlsEntry]) -> Result<Vec<(String, String)>, BootError> {
    let numbered = entries.iter().take(MENU_LIMIT).enumerate();
    numbered
        .map(|(number, entry)| Ok((format!("{number:02}-{}.cfg", entry.id), snippet(entry)?)))
        .collect()
}

fn entry_path(id: &str) -> String {
    format!("{ENTRIES}/{id}.conf")
}

fn check_version(version: &str) -> Result<(), BootError> {
    let allowed =
        |character: char| character.is_ascii_alphanumeric() || "._+~-".contains(character);
    if version.is_empty()
        || version.len() > 128
        || version.starts_with(['.', '-'])
        || !version.chars().all(allowed)
    {
        return Err(BootError::InvalidVersion(version.to_owned()));
    }
    Ok(())
}
