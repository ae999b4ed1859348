// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why boot entries could not be read or changed.

use cairn_host::HostError;

/// Why boot entries could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// A file could not be read or written.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A version that cannot be part of a file name and a GRUB identifier.
    #[error(
        "invalid kernel version `{0}` (expected letters, digits and `._+~-`, not beginning with a dot or a dash)"
    )]
    InvalidVersion(String),
    /// A kernel option that GRUB cannot pass on unchanged.
    #[error("kernel options hold {character:?}, which GRUB cannot pass on unchanged: `{options}`")]
    InvalidOptions {
        /// The options as given.
        options: String,
        /// The first character in question.
        character: char,
    },
    /// An entry file that is not one.
    #[error("`/loader/entries/{id}.conf` {reason}")]
    InvalidEntry {
        /// File name without `.conf`.
        id: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The environment block is not one.
    #[error("GRUB environment block is damaged: {0}")]
    InvalidEnvironment(String),
    /// The environment block has no room for another variable.
    #[error("GRUB environment block is full (expected at most 1024 bytes, found {0})")]
    EnvironmentFull(usize),
    /// There is no such entry.
    #[error("no boot entry for `{0}`")]
    UnknownEntry(String),
    /// The entry is the only one.
    #[error("`{0}` is the only boot entry")]
    LastEntry(String),
    /// A boot loader file is missing.
    #[error("boot loader file `{0}` is missing")]
    MissingLoader(String),
}

impl BootError {
    /// Returns what an operator can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Host(error) => error.hint(),
            Self::InvalidOptions { .. } => {
                Some("write values with blanks in double quotes, without `\\` and `'`".to_owned())
            }
            Self::InvalidEntry { id, .. } => Some(format!(
                "repair or remove `/boot/loader/entries/{id}.conf`, then run `cairn-boot update`"
            )),
            Self::InvalidEnvironment(_) => {
                Some("`cairn-boot update` writes a new block".to_owned())
            }
            Self::UnknownEntry(_) => Some("`cairn-boot list` shows what there is".to_owned()),
            Self::LastEntry(_) => Some(
                "add another kernel first: without an entry the machine cannot boot".to_owned(),
            ),
            Self::MissingLoader(_) => {
                Some("install the packages `shim-x64` and `grub2-efi-x64`".to_owned())
            }
            Self::InvalidVersion(_) | Self::EnvironmentFull(_) => None,
        }
    }
}
