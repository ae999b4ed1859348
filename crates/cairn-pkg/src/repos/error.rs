// SPDX-License-Identifier: MIT OR Apache-2.0
//! The errors of repositories.

use super::ConfigError;
use super::key_list::KeyListError;
use cairn_host::HostError;
use std::error::Error;

/// Why a repository, or its configuration, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RepoError {
    /// A configuration file cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file of the cache cannot be read or written.
    #[error(transparent)]
    Host(#[from] HostError),
    /// Every place that was tried failed; one line each.
    #[error("repository {id}: cannot download {file}: {}", attempts.join("; "))]
    Unreachable {
        /// Repository.
        id: String,
        /// File, relative to the base URL.
        file: String,
        /// `URL: what happened`.
        attempts: Vec<String>,
    },
    /// There is nothing in the cache and the network must not be used.
    #[error("repository {id}: no metadata in the cache")]
    NotCached {
        /// Repository.
        id: String,
    },
    /// Its packages belong to streams of modules, of which only one may be installed: without the rules they must not be offered.
    #[error(
        "repository {id}: modules are not supported (repomd.xml names metadata of kind `modules`)"
    )]
    Modular {
        /// Repository.
        id: String,
    },
    /// Metadata is not of the right form.
    #[error("repository {id}: {message}")]
    Metadata {
        /// Repository.
        id: String,
        /// What is wrong and where.
        message: String,
    },
    /// A file is not the one that `repomd.xml` names.
    #[error("repository {id}: {file}: {what} mismatch (expected {expected}, found {found})")]
    Mismatch {
        /// Repository.
        id: String,
        /// File.
        file: String,
        /// `checksum` or `size`.
        what: &'static str,
        /// Value in `repomd.xml`.
        expected: String,
        /// Value of the file.
        found: String,
    },
    /// `repomd.xml` has no good signature.
    #[error("repository {id}: repomd.xml.asc: {message}")]
    Signature {
        /// Repository.
        id: String,
        /// What is wrong.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// A key cannot be used.
    #[error("repository {id}: key {key}: {message}")]
    Key {
        /// Repository.
        id: String,
        /// Key file as configured.
        key: String,
        /// What is wrong.
        message: String,
    },
    /// The keys of the repository were not replaced as they must be.
    #[error("repository {id}: {file}: {source}")]
    KeyList {
        /// Repository.
        id: String,
        /// The list, relative to the base URL.
        file: String,
        /// What is wrong.
        source: KeyListError,
    },
    /// Metadata is older than what was seen before.
    #[error(
        "repository {id}: metadata is older than what this machine has already trusted ({found} < {seen}): possible rollback"
    )]
    Rollback {
        /// Repository.
        id: String,
        /// Revision that the repository has now.
        found: String,
        /// Newest revision seen.
        seen: String,
    },
    /// The metadata says that it must not be trusted any more.
    #[error(
        "repository {id}: metadata expired {} ago: mirror stale or update withheld",
        span(*seconds)
    )]
    Expired {
        /// Repository.
        id: String,
        /// Since when, seconds.
        seconds: u64,
    },
    /// The clock was set back, so that it cannot tell whether metadata has expired.
    #[error("repository {id}: system clock is {} earlier than when this repository was last seen", span(*seconds))]
    ClockBack {
        /// Repository.
        id: String,
        /// By how much, seconds.
        seconds: u64,
    },
    /// A location in the metadata leads out of the repository.
    #[error("repository {id}: unsafe location {location:?}")]
    UnsafeLocation {
        /// Repository.
        id: String,
        /// Location as written.
        location: String,
    },
}

impl RepoError {
    /// Returns what an operator can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Config(error) => error.hint(),
            Self::Host(error) => error.hint(),
            Self::Unreachable { id, .. } => Some(format!(
                "check the network and the baseurl, or leave the repository out with --disablerepo={id}"
            )),
            Self::Modular { id } => Some(format!(
                "use a repository without modules, or leave this one out with --disablerepo={id}"
            )),
            Self::NotCached { .. } => Some("run the command once without --cacheonly".to_owned()),
            Self::Metadata { .. } | Self::UnsafeLocation { .. } => {
                Some("the repository is damaged or not one: tell its owner".to_owned())
            }
            Self::Mismatch { .. } => Some(
                "the mirror is being updated or serves other files: try again later, or use another mirror".to_owned(),
            ),
            Self::Signature { hint, .. } => hint.clone(),
            Self::Key { .. } => Some("put the key's file there, or correct `gpgkey`".to_owned()),
            Self::KeyList { id, .. } => Some(format!(
                "this machine does not trust the new keys: ask the repository's owner, put the right keys into `gpgkey`, then run `dnf clean trust --repo={id}`"
            )),
            Self::Rollback { id, .. } => Some(format!(
                "the mirror may be stale; if the repository was really reset, run `dnf clean trust --repo={id}`"
            )),
            Self::Expired { .. } => {
                Some("use another mirror, or ask the repository's owner for new metadata".to_owned())
            }
            Self::ClockBack { id, .. } => Some(format!(
                "set the clock; if it was wrong before and is right now, run `dnf clean trust --repo={id}`"
            )),
        }
    }
}

/// Returns a number of seconds in the largest unit that fits: `3 days`.
fn span(seconds: u64) -> String {
    let units = [(86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")];
    let fitting = units.into_iter().find(|(length, _)| seconds >= *length);
    let (length, name) = fitting.unwrap_or((1, "second"));
    let n = seconds / length;
    format!("{n} {name}{}", if n == 1 { "" } else { "s" })
}

/// Returns an error and its causes in one line, joined by `: `.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        // Some texts hold that of their cause already.
        if !text.ends_with(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        source = cause.source();
    }
    text
}
