// SPDX-License-Identifier: MIT OR Apache-2.0
//! The layout of an index file. Numbers are 32-bit little-endian unless a field says otherwise.
//!
//! ```text
//! magic                8 bytes
//! texts                per package: what only a chosen package needs, variable length
//! strings              all names, versions and paths, each once, end to end
//! string ends          u32 per string: where it ends in `strings`
//! string table         open-addressing hash table of string numbers (0 is free, else number + 1)
//! versions             per EVR: epoch, string of the version, string of the release
//! packages             fixed records, see `record`
//! dependencies         per dependency: string of the name, rpm's flags, EVR (number + 1; 0 is none)
//! files                u32 per file: string of the path, kind in the two highest bits
//! provider starts      u32 per string and one more: where its providers start in `providers`
//! providers            u32 per entry: a package that has the string as name, Provides or file
//! obsoleters           pairs (string, package), sorted
//! supplementers        pairs (string, package), sorted; every name inside a rich dependency counts
//! problems             text, one line per package that was left out
//! footer               see `Footer`
//! footer offset        u64
//! ```

use super::IndexError;

/// The first bytes; the digits are the version of the layout.
pub(super) const MAGIC: &[u8; 8] = b"CAIRNX01";
/// Size of the number at the end of the file that says where the footer is.
pub(super) const TAIL: usize = 8;
/// Bytes of one dependency.
pub(super) const DEPENDENCY: usize = 12;
/// Bytes of one EVR.
pub(super) const VERSION: usize = 12;
/// Bits of a file entry that are the string.
pub(super) const FILE_STRING: u32 = (1 << 30) - 1;

/// Numbers of the fields of a package's record, each 4 bytes.
pub(super) mod record {
    /// String of the name.
    pub(in super::super) const NAME: usize = 0;
    /// String of the architecture.
    pub(in super::super) const ARCH: usize = 1;
    /// EVR.
    pub(in super::super) const VERSION: usize = 2;
    /// Start in the texts.
    pub(in super::super) const TEXT: usize = 3;
    /// Start of the first list of dependencies; the others follow, and the end of the last.
    pub(in super::super) const LISTS: usize = 4;
    /// Start and end of the files.
    pub(in super::super) const FILES: usize = 13;
    /// Bytes of a record.
    pub(in super::super) const SIZE: usize = 15 * 4;
}

/// Sections, in file order after the magic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Section {
    Texts,
    Strings,
    StringEnds,
    StringTable,
    Versions,
    Packages,
    Dependencies,
    Files,
    ProviderStarts,
    Providers,
    Obsoleters,
    Supplementers,
    Problems,
}

/// Number of sections.
pub(super) const SECTIONS: usize = 13;

/// What stands at the end of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Footer {
    /// SHA-256 of the metadata file it was made from.
    pub(super) source: [u8; 32],
    /// Where each section ends, from the start of the file.
    pub(super) ends: [u64; SECTIONS],
}

/// Bytes of a footer.
const FOOTER: usize = 32 + SECTIONS * 8 + 4;

impl Footer {
    /// Returns its bytes: source, ends, and a checksum over both.
    pub(super) fn write(&self) -> Vec<u8> {
        let mut bytes = self.source.to_vec();
        for end in self.ends {
            bytes.extend(end.to_le_bytes());
        }
        let check = hash(&bytes);
        bytes.extend(check.to_le_bytes());
        bytes
    }

    /// Reads it from the end of a whole file and checks that the sections lie in order inside the file.
    pub(super) fn read(file: &[u8]) -> Result<Self, IndexError> {
        let body = file.strip_prefix(MAGIC).ok_or(IndexError::Format)?;
        let (_, tail) = body.split_last_chunk::<TAIL>().ok_or(IndexError::Damaged)?;
        let offset = usize::try_from(u64::from_le_bytes(*tail)).map_err(|_| IndexError::Damaged)?;
        let bytes = file.get(offset..file.len() - TAIL).ok_or(IndexError::Damaged)?;
        if bytes.len() != FOOTER {
            return Err(IndexError::Damaged);
        }
        let (body, check) = bytes.split_last_chunk::<4>().ok_or(IndexError::Damaged)?;
        let (source, numbers) = body.split_first_chunk::<32>().ok_or(IndexError::Damaged)?;
        if u32::from_le_bytes(*check) != hash(body) {
            return Err(IndexError::Damaged);
        }
        let mut ends = [0; SECTIONS];
        let mut before = MAGIC.len() as u64;
        for (end, number) in ends.iter_mut().zip(numbers.as_chunks::<8>().0) {
            *end = u64::from_le_bytes(*number);
            if *end < before || *end > offset as u64 {
                return Err(IndexError::Damaged);
            }
            before = *end;
        }
        Ok(Self { source: *source, ends })
    }
}

/// The hash of the string table: it is stored, so it must never change without the magic.
pub(super) fn hash(bytes: &[u8]) -> u32 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let fold = |state: u64, word: u64| {
        let product = u128::from(state ^ word) * u128::from(FACTOR);
        (product as u64) ^ (product >> 64) as u64
    };
    let (words, rest) = bytes.as_chunks::<8>();
    let mut state = bytes.len() as u64 ^ FACTOR;
    for word in words {
        state = fold(state, u64::from_le_bytes(*word));
    }
    if !rest.is_empty() {
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        state = fold(state, u64::from_le_bytes(last));
    }
    let state = fold(state, FACTOR);
    (state ^ (state >> 32)) as u32
}

/// Appends a number, 7 bits a byte, lowest first.
pub(super) fn push_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Takes a number from the front.
pub(super) fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Takes so many bytes from the front.
pub(super) fn take<'a>(bytes: &mut &'a [u8], length: u64) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
    *bytes = rest;
    Some(taken)
}
