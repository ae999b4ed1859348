// SPDX-License-Identifier: MIT OR Apache-2.0
//! The form in which the rpmdb keeps a package: its header byte for byte, followed by entries that rpm adds at installation
//! ("dribbles"): the verified digests and signatures of the package file, install time and file states.

use cairn_rpm::header::Header;
use cairn_rpm::tag;

use super::RpmDbError;

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

/// `RPM_*_TYPE` numbers used here.
mod kind {
    pub const CHAR: u32 = 1;
    pub const INT32: u32 = 4;
    pub const INT64: u32 = 5;
    pub const STRING: u32 = 6;
    pub const BIN: u32 = 7;
    pub const STRING_ARRAY: u32 = 8;
}

/// Signature header tags (their own numbering) and the tags they get in the database.
const SIGNATURE_NUMBERS: [(u32, u32); 2] = [(1000, 257), (1007, tag::ARCHIVESIZE)];
const SIGNATURE_LONG_NUMBERS: [(u32, u32); 2] = [(270, 270), (271, 271)];
const SIGNATURE_BINARIES: [(u32, u32); 5] =
    [(1002, 259), (1004, tag::SIGMD5), (1005, 262), (267, 267), (268, 268)];
const SIGNATURE_TEXTS: [(u32, u32); 2] = [(269, tag::SHA1HEADER), (273, tag::SHA256HEADER)];
/// x86_64 systems have both colours; rpm records what the transaction allowed.
const INSTALL_COLOR: u32 = 3;

struct Entry {
    tag: u32,
    kind: u32,
    count: u32,
    data: Vec<u8>,
}

/// Builds the database form of a package from its main header and signature header.
///
/// Nothing of the signature header but digests and signatures gets in; the caller has verified them.
pub fn installed_blob(
    header: &Header,
    signature: &Header,
    record: &InstallRecord,
) -> Result<Vec<u8>, RpmDbError> {
    let mut entries = signature_entries(signature);
    entries.push(number(tag::INSTALLTIME, record.install_time));
    if !record.file_states.is_empty() {
        let data: Vec<u8> = record.file_states.iter().map(|state| state.as_byte()).collect();
        entries.push(Entry {
            tag: tag::FILESTATES,
            kind: kind::CHAR,
            count: data.len() as u32,
            data,
        });
    }
    // Where relocatable packages were installed: the header of one that was moved says it already.
    let prefixes = header.strings(tag::PREFIXES);
    if !prefixes.is_empty() && !header.has(tag::INSTPREFIXES) {
        let data = prefixes.iter().flat_map(|prefix| [prefix.as_bytes(), &[0]].concat()).collect();
        let count = prefixes.len() as u32;
        entries.push(Entry { tag: tag::INSTPREFIXES, kind: kind::STRING_ARRAY, count, data });
    }
    entries.push(number(tag::INSTALLCOLOR, INSTALL_COLOR));
    entries.push(number(tag::INSTALLTID, record.transaction_id));
    entries.sort_by_key(|entry| entry.tag);
    append(header.source_bytes(), &entries)
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

fn number(tag: u32, value: u32) -> Entry {
    Entry { tag, kind: kind::INT32, count: 1, data: value.to_be_bytes().to_vec() }
}

fn signature_entries(signature: &Header) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (from, to) in SIGNATURE_NUMBERS {
        entries.extend(signature.u32s(from).first().map(|value| number(to, *value)));
    }
    for (from, to) in SIGNATURE_LONG_NUMBERS {
        let value = signature.u64s(from).first().copied();
        entries.extend(value.map(|value| Entry {
            tag: to,
            kind: kind::INT64,
            count: 1,
            data: value.to_be_bytes().to_vec(),
        }));
    }
    for (from, to) in SIGNATURE_BINARIES {
        let value = signature.binary(from);
        entries.extend(value.map(|bytes| Entry {
            tag: to,
            kind: kind::BIN,
            count: bytes.len() as u32,
            data: bytes.to_vec(),
        }));
    }
    for (from, to) in SIGNATURE_TEXTS {
        let value = signature.string(from);
        entries.extend(value.map(|value| {
            let mut data = value.as_bytes().to_vec();
            data.push(0);
            Entry { tag: to, kind: kind::STRING, count: 1, data }
        }));
    }
    entries
}

/// Appends entries to a header image (`il`, `dl`, index, data) and leaves its immutable region untouched.
fn append(image: &[u8], entries: &[Entry]) -> Result<Vec<u8>, RpmDbError> {
    let word = |at: usize| {
        image.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes)
    };
    let (Some(index_length), Some(data_length)) = (word(0), word(4)) else {
        return Err(RpmDbError::BadHeader { length: image.len() });
    };
    let data_start = 8 + index_length as usize * 16;
    let Some((index, data)) =
        image.get(8..data_start).zip(image.get(data_start..data_start + data_length as usize))
    else {
        return Err(RpmDbError::BadHeader { length: image.len() });
    };
    let mut new_index = index.to_vec();
    let mut new_data = data.to_vec();
    for entry in entries {
        let alignment = match entry.kind {
            kind::INT32 => 4,
            kind::INT64 => 8,
            _ => 1,
        };
        new_data.resize(new_data.len().next_multiple_of(alignment), 0);
        for field in [entry.tag, entry.kind, new_data.len() as u32, entry.count] {
            new_index.extend_from_slice(&field.to_be_bytes());
        }
        new_data.extend_from_slice(&entry.data);
    }
    let mut blob = Vec::with_capacity(8 + new_index.len() + new_data.len());
    blob.extend_from_slice(&((new_index.len() / 16) as u32).to_be_bytes());
    blob.extend_from_slice(&(new_data.len() as u32).to_be_bytes());
    blob.extend_from_slice(&new_index);
    blob.extend_from_slice(&new_data);
    Ok(blob)
}
