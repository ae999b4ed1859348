// SPDX-License-Identifier: MIT OR Apache-2.0
//! The `apt` kind of upstream: a Debian archive, read through the build host's own mirror.
//!
//! [`mirror`] finds where the archive is served, [`release`] authenticates a suite, [`packages`] reads its index,
//! [`closure`] follows dependencies (for tools trees). Nothing here installs anything.
//!
//! Format: <https://wiki.debian.org/DebianRepository/Format>

pub mod closure;
pub mod mirror;
pub mod packages;
pub mod release;

use thiserror::Error;

/// What can go wrong between the build host and the Debian archive.
#[derive(Debug, Error)]
pub enum AptError {
    /// The host's apt configuration names no Debian archive.
    #[error("no Debian mirror found in the apt configuration of this machine ({searched})")]
    NoMirror {
        /// Files that were read.
        searched: String,
    },
    /// The suite's `InRelease` is not signed by a key of the archive keyring.
    #[error("{suite}: InRelease is not signed by a key of the Debian archive keyring: {reason}")]
    BadSignature {
        /// Suite name.
        suite: String,
        /// Message of the OpenPGP check.
        reason: String,
    },
    /// `Valid-Until` has passed while the lock is being moved.
    #[error("{suite}: Release expired on {valid_until}: the mirror is stale or withholds updates")]
    Expired {
        /// Suite name.
        suite: String,
        /// The date in the Release file.
        valid_until: String,
    },
    /// A field or line does not parse.
    #[error("{file}: {what}")]
    Malformed {
        /// Which file.
        file: String,
        /// What was expected and found.
        what: String,
    },
    /// No suite has the package.
    #[error("package {name} is in none of the suites {suites} ({wanted_by})")]
    UnknownPackage {
        /// Debian binary package name.
        name: String,
        /// The suites searched.
        suites: String,
        /// What asked for it.
        wanted_by: String,
    },
    /// Download trouble.
    #[error(transparent)]
    Fetch(#[from] cairn_host::fetch::FetchError),
}

impl AptError {
    /// What the operator can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoMirror { .. } => Some("name one with `--mirror URL`, the directory that holds `dists/`".into()),
            Self::BadSignature { .. } => Some("use another mirror, or update distro/keys/debian-archive-keyring.gpg if Debian changed its keys".into()),
            Self::Expired { .. } => Some("try another mirror with `--mirror URL`, and check this machine's clock".into()),
            Self::Malformed { .. } => Some("use another mirror with `--mirror URL`, or try again when this one has finished its update".into()),
            Self::UnknownPackage { .. } => Some("correct the name in distro/, or add the suite that has it to distro/distro.toml".into()),
            Self::Fetch(error) => error.hint(),
        }
    }
}
