// SPDX-License-Identifier: MIT OR Apache-2.0
//! The answer file, version 1: everything the installer wants to know, as TOML.
//!
//! [`parse`] refuses unknown keys with line, column and the nearest name; [`check`](mod@check) refuses values that cannot be, all of them at
//! once. Passwords exist only as crypt hashes, which no message shows.

mod check;
mod locate;
pub mod schema;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

pub(crate) use check::check_known;
pub use check::{check_host_name, check_ssh_key, check_user_name, parse_size};
pub use locate::{AnswersError, Problem};

use crate::software::Software as Medium;

/// Largest answer file accepted, in bytes.
pub const SIZE_LIMIT: usize = 1 << 20;

/// An answer file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// Version of the format: 1.
    pub version: u32,
    /// Names and places.
    #[serde(default)]
    pub system: System,
    /// Accounts.
    #[serde(default, rename = "user")]
    pub users: Vec<User>,
    /// Where to.
    #[serde(default)]
    pub storage: Storage,
    /// What.
    #[serde(default)]
    pub software: SoftwareAnswers,
    /// What comes after.
    #[serde(default)]
    pub finish: Finish,
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            version: 1,
            system: System::default(),
            users: Vec::new(),
            storage: Storage::default(),
            software: SoftwareAnswers::default(),
            finish: Finish::default(),
        }
    }
}

/// `[system]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct System {
    /// Host name, with or without a domain.
    pub hostname: String,
    /// Name below `/usr/share/zoneinfo`.
    pub timezone: String,
    /// `LANG` of the installed system.
    pub locale: String,
    /// Keyboard layout of the console.
    pub keyboard: String,
}

impl Default for System {
    fn default() -> Self {
        Self {
            hostname: "cairn".to_owned(),
            timezone: "UTC".to_owned(),
            locale: "C.UTF-8".to_owned(),
            keyboard: "us".to_owned(),
        }
    }
}

/// One `[[user]]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Login name.
    pub name: String,
    /// User id; the next free one from 1000 where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// Public keys that may log in.
    #[serde(default)]
    pub ssh_authorized_keys: Vec<String>,
    /// Whether and how the user may become root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sudo: Option<Sudo>,
    /// crypt(5) hash of the password; without it no password works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_hash: Option<PasswordHash>,
}

/// How a user becomes root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sudo {
    /// Without a password.
    Nopasswd,
    /// With the password.
    Password,
}

/// A crypt(5) hash. Neither `Debug` nor any message shows it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Wraps a hash; [`check`](mod@check) says whether it is one.
    pub fn new(hash: impl Into<String>) -> Self {
        Self(hash.into())
    }

    /// Returns the hash, for `/etc/shadow`.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// `[storage]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Storage {
    /// Which disk; without it there must be exactly one candidate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<DiskSelector>,
    /// Partitions or logical volumes.
    pub layout: Layout,
    /// File system of `/`.
    pub filesystem: Filesystem,
}

/// What must be true of the disk; everything given must be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DiskSelector {
    /// Device node, or a link below `/dev/disk`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Serial number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// World wide name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wwn: Option<String>,
    /// Model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Smallest size, for example `20GiB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_size: Option<String>,
}

impl fmt::Display for DiskSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            ("path", &self.path),
            ("serial", &self.serial),
            ("wwn", &self.wwn),
            ("model", &self.model),
            ("min_size", &self.min_size),
        ];
        let shown: Vec<String> = parts
            .iter()
            .filter_map(|(key, value)| value.as_ref().map(|value| format!("{key} = {value:?}")))
            .collect();
        write!(f, "{{ {} }}", shown.join(", "))
    }
}

/// Where the root file system lies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// In a partition.
    #[default]
    Plain,
    /// In a logical volume.
    Lvm,
}

/// A root file system.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Filesystem {
    /// ext4
    #[default]
    Ext4,
    /// XFS
    Xfs,
}

impl Filesystem {
    /// Returns the name that mount(8) knows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ext4 => "ext4",
            Self::Xfs => "xfs",
        }
    }
}

/// `[software]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SoftwareAnswers {
    /// Name of a profile of the medium.
    pub profile: String,
    /// Names of roles of the medium.
    pub roles: Vec<String>,
    /// Further packages.
    pub packages: Vec<String>,
    /// URL of the repository that the installed system uses; empty: the medium.
    pub repository: String,
}

impl Default for SoftwareAnswers {
    fn default() -> Self {
        Self {
            profile: "default".to_owned(),
            roles: Vec::new(),
            packages: Vec::new(),
            repository: String::new(),
        }
    }
}

/// `[finish]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Finish {
    /// What happens after the installation.
    pub action: FinishAction,
}

/// What happens after the installation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FinishAction {
    /// The machine is switched off.
    #[default]
    Poweroff,
    /// The machine restarts.
    Reboot,
}

impl Answers {
    /// Returns the answers without password hashes, for copies and exports.
    pub fn without_secrets(&self) -> Self {
        let mut copy = self.clone();
        for user in &mut copy.users {
            user.password_hash = None;
        }
        copy
    }

    /// Returns the answers as the text of an answer file.
    pub fn to_toml(&self) -> String {
        // Every field is a string, number, list or table: nothing that TOML cannot hold.
        toml::to_string(self).unwrap_or_default()
    }
}

/// Reads an answer file and checks it, against what a medium offers where one is given.
///
/// # Errors
/// Everything that is wrong with it: one thing where it is no answer file, all things where values cannot be.
pub fn parse(file: &str, text: &str, medium: Option<&Medium>) -> Result<Answers, AnswersError> {
    if text.len() > SIZE_LIMIT {
        let message =
            format!("the file is too large (expected at most 1 MiB, found {} bytes)", text.len());
        return Err(AnswersError::of_file(file, message));
    }
    if let Some(error) = locate::wrong_tables(file, text) {
        return Err(error);
    }
    let answers: Answers =
        toml::from_str(text).map_err(|error| locate::of_toml(file, text, &error))?;
    let found = check::check(&answers, medium);
    if found.is_empty() {
        return Ok(answers);
    }
    Err(locate::place(file, text, found))
}

/// Checks answers that come from no file; messages then name keys instead of lines.
///
/// # Errors
/// Everything that is wrong with them.
pub fn check_values(answers: &Answers, medium: Option<&Medium>) -> Result<(), AnswersError> {
    let found = check::check(answers, medium);
    if found.is_empty() { Ok(()) } else { Err(locate::place("answers", "", found)) }
}
