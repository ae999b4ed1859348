// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a transaction was refused or failed, and what a person can do about it.

use std::path::PathBuf;

use cairn_host::HostError;

use crate::journal::JournalError;
use crate::rpmdb::RpmDbError;

/// What stopped a transaction. Unless a variant says otherwise, nothing has been changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransactionError {
    /// A package file is damaged, unsigned or not trusted.
    #[error("{}: {reason}", path.display())]
    Package {
        /// The package file.
        path: PathBuf,
        /// What is wrong, with expected and found values.
        reason: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// A package file is not the package that was planned.
    #[error("{}: expected {expected}, found {found}", path.display())]
    WrongPackage {
        /// The package file.
        path: PathBuf,
        /// The planned package.
        expected: String,
        /// The package in the file.
        found: String,
    },
    /// A planned package has no package file.
    #[error("{package}: no package file was given for it")]
    NoFile {
        /// The package.
        package: String,
    },
    /// A package to be removed or replaced is not installed.
    #[error("{package}: not installed")]
    NotInstalled {
        /// The package or row.
        package: String,
    },
    /// The same package is named twice.
    #[error("{package}: named twice in one transaction")]
    Twice {
        /// The package.
        package: String,
    },
    /// A payload path would leave its place through a link.
    #[error("{package}: `{path}`: path passes through symlink `{link}`")]
    ThroughLink {
        /// The package.
        package: String,
        /// The payload path.
        path: String,
        /// The link.
        link: String,
    },
    /// Two packages want different files under one name.
    #[error("file conflicts: {}", list(conflicts))]
    FileConflicts {
        /// One line per conflict.
        conflicts: Vec<String>,
    },
    /// A directory cannot be replaced by something else, or the reverse.
    #[error("{package}: `{path}` is a {found} on disk, the package has a {expected}")]
    KindChanged {
        /// The package.
        package: String,
        /// The path.
        path: String,
        /// What is there.
        found: &'static str,
        /// What the package has.
        expected: &'static str,
    },
    /// A file system is too small.
    #[error("needs {} on `{mount}`, {} free", amount(*needed, unit), amount(*free, unit))]
    NoSpace {
        /// Where.
        mount: String,
        /// How much is needed.
        needed: u64,
        /// How much there is.
        free: u64,
        /// "bytes" or "inodes".
        unit: &'static str,
    },
    /// The payload of a package does not agree with its header.
    #[error("{package}: {reason}")]
    Payload {
        /// The package.
        package: String,
        /// How.
        reason: String,
    },
    /// A scriptlet's interpreter is missing.
    #[error("{package}: {kind} needs `{interpreter}`, which is not installed by this transaction")]
    NoInterpreter {
        /// The package.
        package: String,
        /// `%post` and the like.
        kind: String,
        /// The interpreter.
        interpreter: String,
    },
    /// A scriptlet that must succeed failed. No file has been changed, but earlier scriptlets of the transaction have run.
    #[error("{package}: {kind} {ending}; nothing was installed or removed")]
    Scriptlet {
        /// The package.
        package: String,
        /// `%pre` and the like.
        kind: String,
        /// How it ended.
        ending: String,
    },
    /// An interrupted transaction must be dealt with first.
    #[error("an interrupted transaction is pending: {journal}")]
    Pending {
        /// Its journal.
        journal: String,
    },
    /// Another program changes packages.
    #[error("another package transaction is running on this system")]
    Busy,
    /// A transaction cannot be taken back.
    #[error("transaction {id} cannot be undone: {reason}")]
    NoUndo {
        /// The transaction.
        id: u64,
        /// Why.
        reason: String,
    },
    /// Putting files in place failed after the commit: the journal stays, `recover` goes on.
    #[error("interrupted after the point of no return")]
    Interrupted(#[source] Box<TransactionError>),
    /// The package database failed.
    #[error(transparent)]
    RpmDb(#[from] RpmDbError),
    /// The journal failed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A file operation failed.
    #[error(transparent)]
    Host(#[from] HostError),
}

/// Returns bytes in the binary unit that a person would use, and other units as they are.
fn amount(number: u64, unit: &str) -> String {
    if unit != "bytes" {
        return format!("{number} {unit}");
    }
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let index = (0..units.len()).rev().find(|index| number >> (index * 10) > 0).unwrap_or(0);
    if index == 0 {
        return format!("{number} bytes");
    }
    // One decimal, in whole numbers so that no size is too large.
    let tenths = u128::from(number) * 10 / (1_u128 << (index * 10));
    format!("{}.{} {}", tenths / 10, tenths % 10, units[index])
}

impl TransactionError {
    /// Returns what an operator can do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Package { hint, .. } => return hint.clone(),
            Self::RpmDb(error) => return error.hint(),
            Self::Journal(error) => return error.hint(),
            Self::Host(error) => return error.hint(),
            Self::WrongPackage { .. } => "refresh the metadata of the repository and try again",
            Self::NoFile { .. } | Self::Twice { .. } => return None,
            Self::NotInstalled { .. } => "look with `rpm -qa`",
            Self::ThroughLink { .. } => {
                "the package is built wrongly: report it to whoever built it"
            }
            Self::FileConflicts { .. } => "remove or exclude one of the packages",
            Self::KindChanged { .. } => "move what is there out of the way, then try again",
            Self::NoSpace { .. } => "free some space there, or remove packages first",
            Self::Payload { .. } => {
                "download the package again; if the error stays, it is built wrongly"
            }
            Self::NoInterpreter { .. } => {
                "install the package that provides the interpreter together with it"
            }
            Self::Scriptlet { .. } => {
                "the scriptlet's output tells the cause; see also the journal of the system"
            }
            Self::Pending { .. } | Self::Interrupted(_) => "run `dnf recover`",
            Self::Busy => "wait for the other dnf to end",
            Self::NoUndo { .. } => "see `dnf history list` for what can be undone",
        };
        Some(hint.to_owned())
    }
}

fn list(conflicts: &[String]) -> String {
    const SHOWN: usize = 10;
    let mut text = conflicts.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("; ");
    if conflicts.len() > SHOWN {
        text.push_str(&format!("; and {} more", conflicts.len() - SHOWN));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::amount;

    #[test]
    fn amounts() {
        for (number, unit, expected) in [
            (0, "bytes", "0 bytes"),
            (1023, "bytes", "1023 bytes"),
            (1536, "bytes", "1.5 KiB"),
            (3 << 30, "bytes", "3.0 GiB"),
            (u64::MAX, "bytes", "15.9 EiB"),
            (7, "inodes", "7 inodes"),
        ] {
            assert_eq!(amount(number, unit), expected);
        }
    }
}
