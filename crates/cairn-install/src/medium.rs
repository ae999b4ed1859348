// SPDX-License-Identifier: MIT OR Apache-2.0
//! The install medium: its description, its repository and the files for starting from BIOS.

use cairn_host::Root;

use crate::error::InstallError;
use crate::probe::MEDIUM;
use crate::software::{self, Software};

/// The key of the repository, in the live system as in installed ones.
pub const KEY: &str = "etc/pki/rpm-gpg/RPM-GPG-KEY-cairn";
/// GRUB for BIOS on the medium: `boot.img` and `core.img`.
pub const BIOS: &str = "cairn/bios";

/// An opened medium.
#[derive(Debug, Clone)]
pub struct Medium {
    /// Its files.
    pub root: Root,
    /// Its description.
    pub software: Software,
    /// The armored key its packages are signed with. It comes from the live system, not from the repository.
    pub key: String,
}

impl Medium {
    /// Opens the medium that the live system was started from.
    ///
    /// # Errors
    /// It is not there or not a medium of ours.
    pub fn open() -> Result<Self, InstallError> {
        let live = Root::open("/")?;
        if !live.exists(format!("{}/{}", &MEDIUM[1..], software::PATH))? {
            return Err(InstallError::Medium(format!("there is none at {MEDIUM}")));
        }
        let root = Root::open(MEDIUM)?;
        let software = Software::parse(&root.read(software::PATH)?)
            .map_err(|reason| InstallError::Medium(format!("/{}: {reason}", software::PATH)))?;
        Ok(Self { root, software, key: live.read_to_string(KEY)? })
    }
}
