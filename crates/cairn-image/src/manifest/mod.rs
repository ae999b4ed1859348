// SPDX-License-Identifier: MIT OR Apache-2.0
//! The ownership manifest: owners, modes, devices and capabilities that an unprivileged staging directory cannot hold.
//!
//! The package engine and the composer record them here; [`collect`] joins manifest and staging directory into a
//! sorted list of [`Node`]s, from which [`write_tar`] (and the initramfs writer) make deterministic archives.

mod capability;
mod tar;
mod walk;

use std::collections::BTreeMap;

use cairn_host::HostError;
use serde::{Deserialize, Serialize};

pub use capability::{CapabilityError, encode_capabilities};
pub use tar::TarWriter;
pub use walk::{Selection, collect, write_tar};

/// Name of the extended attribute that holds file capabilities.
pub const CAPABILITY_ATTRIBUTE: &str = "security.capability";

/// What a manifest entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Regular file; its content is in the staging directory.
    File,
    /// Directory.
    Directory,
    /// Symbolic link; its target is in the staging directory.
    Symlink,
    /// Character device, made from the manifest alone.
    CharDevice,
    /// Block device, made from the manifest alone.
    BlockDevice,
    /// Named pipe, made from the manifest alone.
    Fifo,
}

/// Owner, mode and the rest of one path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// Permission bits, setuid, setgid and sticky bit (0o7777).
    pub mode: u32,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// File capabilities in the text form of `cap_from_text(3)`; empty for none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub caps: String,
    /// Modification time in seconds since 1970; `None` takes the staging directory's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtime: Option<u32>,
    /// Major and minor number of a device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rdev: Option<(u32, u32)>,
    /// Further extended attributes by full name (`user.…`, `trusted.…`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub xattrs: BTreeMap<String, Vec<u8>>,
}

impl Entry {
    /// Returns an entry of `kind` with `mode`, owned by root.
    pub fn new(kind: Kind, mode: u32) -> Self {
        Self {
            kind,
            mode,
            uid: 0,
            gid: 0,
            caps: String::new(),
            mtime: None,
            rdev: None,
            xattrs: BTreeMap::new(),
        }
    }

    /// Returns the entry with another owner and group.
    pub fn owned_by(mut self, uid: u32, gid: u32) -> Self {
        (self.uid, self.gid) = (uid, gid);
        self
    }
}

/// Entries by path: relative, without leading `/` or `./`; the root directory itself is `""`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Manifest {
    entries: BTreeMap<String, Entry>,
}

impl Manifest {
    /// Returns an empty manifest: everything is owned by 0:0 with the mode it has on disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records `entry` for `path` (absolute or relative; later entries replace earlier ones).
    pub fn insert(&mut self, path: &str, entry: Entry) {
        self.entries.insert(relative(path), entry);
    }

    /// Forgets `path`.
    pub fn remove(&mut self, path: &str) -> Option<Entry> {
        self.entries.remove(&relative(path))
    }

    /// Returns the entry of `path`.
    pub fn get(&self, path: &str) -> Option<&Entry> {
        self.entries.get(&relative(path))
    }

    /// Returns all entries, sorted by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(path, entry)| (path.as_str(), entry))
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether nothing is recorded.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Returns `path` without leading and doubled slashes and without `.` components.
pub(crate) fn relative(path: &str) -> String {
    path.split('/').filter(|part| !part.is_empty() && *part != ".").collect::<Vec<_>>().join("/")
}

/// One object of an archive, complete but for a file's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Relative path; `""` is the root directory.
    pub path: String,
    /// What it is.
    pub kind: NodeKind,
    /// Permission bits (0o7777).
    pub mode: u32,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Modification time, seconds since 1970.
    pub mtime: u32,
    /// Extended attributes by full name.
    pub xattrs: BTreeMap<String, Vec<u8>>,
}

/// Kind of a [`Node`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeKind {
    /// Regular file of `size` bytes.
    File {
        /// Bytes of content.
        size: u64,
    },
    /// A further name of a file that came earlier in the list.
    HardLink {
        /// Path of the first name.
        target: String,
    },
    /// Directory.
    Directory,
    /// Symbolic link.
    Symlink {
        /// Where it points.
        target: String,
    },
    /// Character device with major and minor number.
    CharDevice(u32, u32),
    /// Block device with major and minor number.
    BlockDevice(u32, u32),
    /// Named pipe.
    Fifo,
}

/// Why an archive could not be made from manifest and staging directory.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Reading the staging directory went wrong.
    #[error(transparent)]
    Host(#[from] HostError),
    /// Capabilities that cannot be stored.
    #[error("cannot store the capabilities of `/{path}`")]
    Capability {
        /// Path of the file.
        path: String,
        /// What is wrong with them.
        source: CapabilityError,
    },
    /// Manifest and staging directory disagree.
    #[error("`/{path}` is recorded as {recorded} but the staging directory holds {found}")]
    KindMismatch {
        /// Path in question.
        path: String,
        /// Kind in the manifest.
        recorded: &'static str,
        /// Kind on disk.
        found: &'static str,
    },
    /// A device entry without numbers.
    #[error("`/{path}` is a device without major and minor number")]
    NoDeviceNumber {
        /// Path in question.
        path: String,
    },
    /// Something that no archive of ours holds (a socket, an unknown type).
    #[error("`/{path}` is neither file, directory, link, device nor pipe (mode {mode:o})")]
    UnknownKind {
        /// Path in question.
        path: String,
        /// Mode with type bits.
        mode: u32,
    },
    /// Reading a file's content or writing the archive went wrong.
    #[error("cannot archive `/{path}`")]
    Io {
        /// Path of the object being written.
        path: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file's length differs from the one found when the directory was read.
    #[error("`/{path}` changed while it was read (expected {expected} bytes, found {found})")]
    Changed {
        /// Path in question.
        path: String,
        /// Bytes announced.
        expected: u64,
        /// Bytes read.
        found: u64,
    },
}

impl ManifestError {
    /// Returns what an operator can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Capability { .. } => {
                Some("write file capabilities as in `cap_net_raw=ep`".to_owned())
            }
            Self::Changed { .. } => {
                Some("let nothing else write to the staging directory during a build".to_owned())
            }
            Self::Host(error) => error.hint(),
            _ => None,
        }
    }
}
