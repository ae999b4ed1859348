// SPDX-License-Identifier: MIT OR Apache-2.0
//! The form in which the rpmdb keeps a package: its header byte for byte, followed by entries that rpm adds at installation
//! ("dribbles"): the verified digests and signatures of the package file, install time and file states.

use cairn_rpm::header::Value;
use cairn_rpm::package::Package;
use cairn_rpm::tag;

/// What installation adds to a header.
#[derive(Clone, Debug)]
pub struct InstallRecord {
    /// Time of installation, seconds since 1970.
    pub install_time: u32,
    /// Number of the transaction (rpm uses its start time); equal for all packages of one transaction.
    pub transaction_id: u32,
    /// One state per file of the header.
    pub file_states: Vec<FileState>,
}

/// What became of a file of an installed package (rpm's `RPMFILE_STATE_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileState {
    /// Installed.
    Normal,
    /// Overwritten by another package.
    Replaced,
    /// Not installed on request (documentation, languages).
    NotInstalled,
    /// Not installed: it lies on a file system that others share.
    NetShared,
    /// Not installed: another package has the file for the preferred architecture.
    WrongColor,
}

impl FileState {
    /// Returns rpm's number for it.
    pub fn as_byte(self) -> u8 {
        match self {
            Self::Normal => 0,
            Self::Replaced => 1,
            Self::NotInstalled => 2,
            Self::NetShared => 3,
            Self::WrongColor => 4,
        }
    }
}

/// x86_64 systems have both colours; rpm records what the transaction allowed.
const INSTALL_COLOR: u32 = 3;

/// Builds the database form of a package.
///
/// Of its signature header only sizes, digests and signatures get in; the caller has verified them.
pub fn installed_blob(package: &Package, record: &InstallRecord) -> Vec<u8> {
    let header = &package.header;
    let mut added = package.database_tags();
    added.insert(tag::INSTALLTIME, Value::number(record.install_time));
    if !record.file_states.is_empty() {
        let states = record.file_states.iter().map(|state| state.as_byte()).collect();
        added.insert(tag::FILESTATES, Value::Char(states));
    }
    // Where relocatable packages were installed: the header of one that was moved says it already.
    let prefixes = header.strings(tag::PREFIXES);
    if !prefixes.is_empty() && !header.has(tag::INSTPREFIXES) {
        let prefixes = prefixes.into_iter().map(str::to_owned).collect();
        added.insert(tag::INSTPREFIXES, Value::StringArray(prefixes));
    }
    added.insert(tag::INSTALLCOLOR, Value::number(INSTALL_COLOR));
    added.insert(tag::INSTALLTID, Value::number(record.transaction_id));
    header.to_rpmdb_blob(&added)
}

/// Returns a package's row with other file states; `None` if it records none for such files.
pub fn with_file_states(blob: &[u8], states: &[(usize, FileState)]) -> Option<Vec<u8>> {
    let word = |at: usize| {
        let bytes = blob.get(at..at.checked_add(4)?)?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?) as usize)
    };
    let n_entries = word(0)?;
    let data = n_entries.checked_mul(16)?.checked_add(8)?;
    let entry = (0..n_entries).map(|at| 8 + 16 * at);
    let entry = entry.into_iter().find(|at| word(*at) == Some(tag::FILESTATES as usize))?;
    let (offset, count) = (word(entry + 8)?, word(entry + 12)?);
    let mut changed = blob.to_vec();
    for (file, state) in states {
        if *file >= count {
            return None;
        }
        *changed.get_mut(data.checked_add(offset)?.checked_add(*file)?)? = state.as_byte();
    }
    Some(changed)
}
