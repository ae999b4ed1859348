// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why an image could not be built.

use std::io;
use std::path::PathBuf;

use cairn_host::HostError;

use crate::boot::BootError;
use crate::gpt::LayoutError;
use crate::manifest::ManifestError;

/// Why an image could not be built.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// A file or program of the host.
    #[error(transparent)]
    Host(#[from] HostError),
    /// Staging directory or manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The partitions do not fit.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// Boot entries or boot loader.
    #[error(transparent)]
    Boot(#[from] BootError),
    /// An image file could not be written.
    #[error("cannot {operation} `{}`", path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// Path of the image.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file of GRUB for BIOS is not what it should be.
    #[error("GRUB's `{file}` is not usable: {reason}")]
    GrubImage {
        /// File name.
        file: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A file system image is larger than its partition.
    #[error(
        "partition `{partition}` is too small (expected at least {needed} bytes, found {available})"
    )]
    PartitionTooSmall {
        /// Partition name.
        partition: String,
        /// Bytes of the image.
        needed: u64,
        /// Bytes of the partition.
        available: u64,
    },
    /// The layout lacks a partition that an image needs.
    #[error("the layout has no partition `{0}`")]
    NoPartition(&'static str),
    /// A label that the file system cannot hold.
    #[error(
        "invalid volume label `{label}` (expected at most {limit} characters of A-Z, a-z, 0-9, `-`, `_` and `.`)"
    )]
    InvalidLabel {
        /// The label.
        label: String,
        /// Most characters.
        limit: usize,
    },
    /// A volume identifier that ISO 9660 cannot hold.
    #[error(
        "invalid ISO volume identifier `{0}` (expected 1 to 32 characters of A-Z, 0-9 and `_`)"
    )]
    InvalidVolumeId(String),
}

impl ImageError {
    /// Returns what an operator can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Host(error) => error.hint(),
            Self::Manifest(error) => error.hint(),
            Self::Layout(error) => error.hint(),
            Self::Boot(error) => error.hint(),
            Self::PartitionTooSmall { .. } => Some("give the image a larger size".to_owned()),
            Self::GrubImage { .. } => {
                Some("the tools tree needs Debian's package `grub-pc-bin`".to_owned())
            }
            Self::Io { .. }
            | Self::NoPartition(_)
            | Self::InvalidLabel { .. }
            | Self::InvalidVolumeId(_) => None,
        }
    }

    pub(crate) fn io(
        operation: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { operation, path, source }
    }
}
