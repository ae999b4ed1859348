// SPDX-License-Identifier: MIT OR Apache-2.0
//! dnf5's own files: why a package is installed, where it came from, which groups are, and the transaction history.
//!
//! | file in `usr/lib/sysimage/libdnf5/` | holds |
//! |---|---|
//! | `packages.toml` | reason by `name.arch` |
//! | `nevras.toml` | repository by NEVRA |
//! | `groups.toml`, `environments.toml` | installed groups and environments |
//! | `modules.toml` | written empty: modules are not supported, what is there is kept |
//! | `system.toml` | the rpm database's cookie, by which dnf5 notices changes made without it |
//! | `transaction_history.sqlite` | see [`history`] |
//!
//! Version locks are configuration, in `etc/dnf`: see [`versionlock`].
//!
//! The forms are those dnf5 5.4.6 writes (format version 1.0); dnf5 reads what is written here and the other way round.

pub mod cookie;
pub mod history;
mod history_groups;
mod toml_file;
pub mod versionlock;

use cairn_host::{HostError, Root};
use std::collections::{BTreeMap, BTreeSet};

/// Directory of all of these files, inside the root.
pub const STATE_DIRECTORY: &str = "usr/lib/sysimage/libdnf5";

/// Why a package is installed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum PackageReason {
    /// Nothing is known; treated as wanted by the user.
    #[default]
    None,
    /// Something needs it.
    Dependency,
    /// The user asked for it.
    User,
    /// It goes because nothing needs it (only in history).
    Clean,
    /// Something recommends it.
    WeakDependency,
    /// A group brought it.
    Group,
    /// Another program installed it.
    ExternalUser,
}

impl PackageReason {
    /// Returns dnf5's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Dependency => "Dependency",
            Self::User => "User",
            Self::Clean => "Clean",
            Self::WeakDependency => "Weak Dependency",
            Self::Group => "Group",
            Self::ExternalUser => "External User",
        }
    }

    /// Returns the reason with that name in a file of dnf5.
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::None,
            Self::Dependency,
            Self::User,
            Self::Clean,
            Self::WeakDependency,
            Self::Group,
            Self::ExternalUser,
        ]
        .into_iter()
        .find(|reason| reason.as_str() == text)
    }

    /// Returns the number of the history database.
    pub fn number(self) -> i64 {
        match self {
            Self::None => 0,
            Self::Dependency => 1,
            Self::User => 2,
            Self::Clean => 3,
            Self::WeakDependency => 4,
            Self::Group => 5,
            Self::ExternalUser => 6,
        }
    }

    /// Returns whether the package stays although nothing needs it.
    pub fn is_wanted(self) -> bool {
        !matches!(self, Self::Dependency | Self::WeakDependency | Self::Clean)
    }
}

/// One installed group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupState {
    /// The user asked for the group itself.
    pub user_installed: bool,
    /// Types of its packages that were asked for: `mandatory default conditional optional`.
    pub package_types: Vec<String>,
    /// Names of the packages it brought.
    pub packages: Vec<String>,
}

/// All of dnf5's TOML files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SystemState {
    /// Reason by `name.arch`.
    pub packages: BTreeMap<String, PackageReason>,
    /// Repository by NEVRA (without an epoch of 0).
    pub nevras: BTreeMap<String, String>,
    /// Groups by identifier.
    pub groups: BTreeMap<String, GroupState>,
    /// Groups of each environment, by the environment's identifier.
    pub environments: BTreeMap<String, Vec<String>>,
    /// Cookie of the rpm database after the last transaction; empty = never written.
    pub rpmdb_cookie: String,
    /// Whether a file of the state exists.
    pub exists: bool,
}

/// Why the state cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A file cannot be read or written.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A file does not have dnf5's form.
    #[error("/{STATE_DIRECTORY}/{file}: {message}")]
    Malformed {
        /// File name.
        file: &'static str,
        /// What is wrong.
        message: String,
    },
    /// A file has a newer format.
    #[error("/{STATE_DIRECTORY}/{file}: unsupported format version {found:?} (expected \"1.0\")")]
    Version {
        /// File name.
        file: &'static str,
        /// Version in the file.
        found: String,
    },
    /// The history database cannot be used.
    #[error("/{STATE_DIRECTORY}/transaction_history.sqlite: {0}")]
    History(String),
}

impl StateError {
    /// Returns what an operator can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Host(error) => error.hint(),
            Self::Malformed { file, .. } | Self::Version { file, .. } => Some(format!(
                "move /{STATE_DIRECTORY}/{file} away: packages then count as installed by the user"
            )),
            Self::History(_) => Some(format!(
                "move /{STATE_DIRECTORY}/transaction_history.sqlite away: a new history begins"
            )),
        }
    }
}

impl SystemState {
    /// Reads the state; missing files are empty.
    ///
    /// # Errors
    /// A file is not readable or not of dnf5's form.
    pub fn load(root: &Root) -> Result<Self, StateError> {
        toml_file::load(root)
    }

    /// Writes all files, each atomically.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn save(&self, root: &Root) -> Result<(), StateError> {
        toml_file::save(self, root)
    }

    /// Returns every file with its path inside the root and its content, for writing them together with a transaction.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        let files = toml_file::files(self).into_iter().filter(|(name, _)| *name != "modules.toml");
        files.map(|(name, text)| (format!("{STATE_DIRECTORY}/{name}"), text.into_bytes())).collect()
    }

    /// Returns the reason of an installed package; groups count as dnf5 counts them, and what has no entry came by another program.
    pub fn reason(&self, name: &str, arch: &str) -> PackageReason {
        let own = self.packages.get(&format!("{name}.{arch}")).copied();
        own.filter(|own| *own != PackageReason::None).unwrap_or_else(|| {
            let is_member =
                self.groups.values().any(|group| group.packages.iter().any(|of| of == name));
            if is_member { PackageReason::Group } else { PackageReason::ExternalUser }
        })
    }

    /// Sets the reason of a package; groups and "none" have no entry.
    pub fn set_reason(&mut self, name: &str, arch: &str, reason: PackageReason) {
        let key = format!("{name}.{arch}");
        if matches!(reason, PackageReason::None | PackageReason::Group | PackageReason::Clean) {
            self.packages.remove(&key);
        } else {
            self.packages.insert(key, reason);
        }
    }

    /// Returns the names of all packages of installed groups.
    pub fn group_packages(&self) -> BTreeSet<&str> {
        self.groups.values().flat_map(|g| g.packages.iter().map(String::as_str)).collect()
    }
}
