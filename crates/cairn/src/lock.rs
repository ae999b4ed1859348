// SPDX-License-Identifier: MIT OR Apache-2.0
//! `distro/cairn.lock`: every upstream file of a build with version, size and SHA-256.
//!
//! TOML with one package a line, so that a moved version is a one-line difference.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::overlay::{OverlayError, parse_error};

/// The lock format this program reads and writes.
pub const LOCK_VERSION: u32 = 1;

/// What a locked file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Use {
    /// Re-packaged into the operating system.
    Os,
    /// Part of the tools tree that builds images.
    Tools,
    /// Part of the tools tree that tests images.
    Test,
    /// An older kernel or package, kept to test upgrades.
    Previous,
    /// Part of Debian's own system, which the tests install to compare ours with.
    Reference,
    /// Makes the initramfs of that system, whose start is measured against ours.
    Benchmark,
}

impl Use {
    fn word(self) -> &'static str {
        match self {
            Self::Os => "os",
            Self::Tools => "tools",
            Self::Test => "test",
            Self::Previous => "previous",
            Self::Reference => "reference",
            Self::Benchmark => "benchmark",
        }
    }
}

/// One upstream file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedFile {
    /// Debian binary package name.
    pub name: String,
    /// Debian version.
    pub version: String,
    /// Debian architecture.
    pub arch: String,
    /// Debian source package name.
    pub source: String,
    /// Suite it was found in.
    pub suite: String,
    /// Path below the archive root.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
    /// SHA-256, lower-case hex.
    pub sha256: String,
    /// What it is used for.
    pub uses: BTreeSet<Use>,
    /// Debian's `Provides`, so that dependencies can be translated before any package is read.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub provides: String,
}

/// The lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// Format version.
    pub version: u32,
    /// Seconds since 1970 of the newest Release file: the time stamp of everything built from this lock.
    pub source_date: u32,
    /// All files, in (name, version) order.
    #[serde(rename = "file")]
    pub files: Vec<LockedFile>,
}

/// Why a lock cannot be used.
#[derive(Debug, Error)]
pub enum LockError {
    /// The text is not a lock.
    #[error(transparent)]
    Syntax(OverlayError),
    /// Written by a newer program.
    #[error("distro/cairn.lock has format {found}, this program reads {LOCK_VERSION}")]
    Version {
        /// The version in the file.
        found: u32,
    },
}

impl LockError {
    /// What the operator can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Syntax(_) => "restore it with `git checkout distro/cairn.lock`, or remove it and run `cairn lock`".into(),
            Self::Version { .. } => "use the program of the checkout that made the lock".into(),
        }
    }
}

impl Lock {
    /// Parses the text of a lock file.
    pub fn parse(text: &str) -> Result<Self, LockError> {
        let lock: Self = toml::from_str(text)
            .map_err(|error| LockError::Syntax(parse_error("distro/cairn.lock", text, &error)))?;
        if lock.version != LOCK_VERSION {
            return Err(LockError::Version { found: lock.version });
        }
        Ok(lock)
    }

    /// Returns the lock as text; parsing it gives the same lock.
    pub fn to_text(&self) -> String {
        let mut text = String::from(
            "# Made by `cairn lock`. Every upstream file of a build; do not edit by hand.\n",
        );
        let _ = writeln!(
            text,
            "version = {}\nsource_date = {}\nfile = [",
            self.version, self.source_date
        );
        for file in &self.files {
            let uses: Vec<String> =
                file.uses.iter().map(|one| format!("\"{}\"", one.word())).collect();
            let _ = write!(
                text,
                "  {{ name = \"{}\", version = \"{}\", arch = \"{}\", source = \"{}\", suite = \"{}\", path = \"{}\", size = {}, sha256 = \"{}\", uses = [{}]",
                file.name,
                file.version,
                file.arch,
                file.source,
                file.suite,
                file.path,
                file.size,
                file.sha256,
                uses.join(", ")
            );
            if !file.provides.is_empty() {
                let _ = write!(text, ", provides = \"{}\"", file.provides);
            }
            text.push_str(" },\n");
        }
        text.push_str("]\n");
        text
    }

    /// Returns the files used for `wanted`, in name order.
    pub fn used_for(&self, wanted: Use) -> impl Iterator<Item = &LockedFile> {
        self.files.iter().filter(move |file| file.uses.contains(&wanted))
    }

    /// Returns the newest locked file called `name` with the given use.
    pub fn find(&self, name: &str, wanted: Use) -> Option<&LockedFile> {
        self.used_for(wanted).find(|file| file.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_survives_writing_and_reading() {
        let lock = Lock {
            version: LOCK_VERSION,
            source_date: 7,
            files: vec![LockedFile {
                name: "a".into(),
                version: "1:2~3-4+b1".into(),
                arch: "all".into(),
                source: "s".into(),
                suite: "trixie".into(),
                path: "pool/a.deb".into(),
                size: 9,
                sha256: "00".into(),
                uses: [Use::Os, Use::Tools].into(),
                provides: "v (= 1)".into(),
            }],
        };
        assert_eq!(Lock::parse(&lock.to_text()).unwrap(), lock);
    }

    #[test]
    fn foreign_and_newer_locks_are_refused() {
        assert_eq!(
            Lock::parse("version = 2\nsource_date = 1\nfile = []").unwrap_err().to_string(),
            "distro/cairn.lock has format 2, this program reads 1"
        );
        assert!(
            Lock::parse("version = 1\nsource_date = 1\nfiles = []")
                .unwrap_err()
                .to_string()
                .contains("unknown field `files`")
        );
    }
}
