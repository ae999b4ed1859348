// SPDX-License-Identifier: MIT OR Apache-2.0
//! RPM headers: a typed store of tags that keeps the bytes it came from.
//!
//! [`Header`] reads the three places where rpm stores headers: the signature header and the main
//! header of a package, and the blobs in the rpm database (the main header's immutable region,
//! followed by tags added at install time). Everything is checked once, when it is read: limits,
//! offsets, types, strings, the region, duplicate tags, and for main headers the package's
//! identity and its file lists. After that the accessors cannot fail.
//!
//! The format is described in rpm's `docs/manual/format_header.md`; limits are rpm's own.

mod check;
mod dependencies;
mod files;
mod relocate;
mod scripts;
mod store;
mod write;

use crate::error::{Error, Section};
use crate::evr::{Evr, Nevra};
use crate::tag;

pub use check::{check_architecture, check_name, check_path, check_version};
pub use files::{FileEntry, FileFlags, mode, verify};
pub use relocate::Relocation;
pub use scripts::{
    DEFAULT_TRIGGER_PRIORITY, Scriptlet, ScriptletKind, Trigger, TriggerCondition, TriggerKind,
    script_flags,
};
pub(crate) use scripts::{FILE_TRIGGERS, TRANSACTION_FILE_TRIGGERS, TRIGGERS};
pub(crate) use store::read_lengths;
pub use store::{DATA_LIMIT, TAGS_LIMIT};
pub use write::{Value, Values, write_region};

use store::{Entry, Kind, Region};

/// The eight bytes before every header in a package file.
pub const MAGIC: [u8; 8] = [0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0];

/// A checked header.
///
/// Two headers are equal when their bytes are.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    /// Tag count, data length, index and data; without [`MAGIC`].
    bytes: Vec<u8>,
    /// The tags in ascending order, regions left out.
    entries: Vec<Entry>,
    /// The region, absent only in headers older than rpm 4.0.
    region: Option<Region>,
}

impl std::fmt::Debug for Header {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Header")
            .field("name", &self.string(tag::NAME))
            .field("tags", &self.entries.len())
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

impl Header {
    /// Reads a main header: one out of a package file (with magic) or a blob of the rpm database.
    ///
    /// `bytes` must be the header and nothing else. Refuses everything a careful installer must
    /// not act on; the errors name the tag. A blob may carry tags after its region; where such a
    /// tag is also in the region, the later one counts, as in rpm.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let (bytes, from_package) = match bytes.strip_prefix(&MAGIC[..]) {
            Some(rest) => (rest, true),
            None => (bytes, false),
        };
        let header = Self::from_store(bytes.to_vec(), Section::Header, from_package)?;
        check::check_main(&header, from_package)?;
        Ok(header)
    }

    /// Reads the main header of a package file from its bytes without magic.
    pub(crate) fn main(bytes: Vec<u8>) -> Result<Self, Error> {
        let header = Self::from_store(bytes, Section::Header, true)?;
        check::check_main(&header, true)?;
        Ok(header)
    }

    /// Reads a signature header from its bytes without magic.
    pub(crate) fn signature(bytes: Vec<u8>) -> Result<Self, Error> {
        Self::from_store(bytes, Section::Signature, true)
    }

    fn from_store(bytes: Vec<u8>, section: Section, exact: bool) -> Result<Self, Error> {
        let (entries, region) = store::parse(&bytes, section, exact)?;
        Ok(Self { bytes, entries, region })
    }

    /// Returns the first header of a list, without magic, by the lengths it gives; it is yet to be parsed.
    ///
    /// # Errors
    /// Its lengths are out of bounds, or the list ends early.
    pub fn split_list(bytes: &[u8]) -> Result<&[u8], Error> {
        let (section, have) = (Section::Header, bytes.len() as u64);
        let need = match bytes.first_chunk::<8>() {
            Some(intro) => {
                let (count, data) = read_lengths(*intro, section)?;
                8 + u64::from(count) * 16 + u64::from(data)
            }
            None => 8,
        };
        let end = usize::try_from(need).unwrap_or(usize::MAX);
        bytes.get(..end).ok_or(Error::Truncated { section, offset: 0, need, have })
    }

    /// Returns the header's bytes (tag count, data length, index, data) without the magic.
    pub fn source_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the immutable region as a header of its own: what an installed package had in its file. All of it where a header has
    /// no region.
    pub fn immutable_bytes(&self) -> Vec<u8> {
        let Some(region) = self.region else { return self.bytes.clone() };
        let (count, index, data) = store::split(&self.bytes);
        if region.entries == count {
            return self.bytes.clone();
        }
        let lengths = [region.entries, region.data].map(|n| (n as u32).to_be_bytes()).concat();
        [&lengths, &index[..region.entries * store::ENTRY], &data[..region.data]].concat()
    }

    /// Returns the header's length in a package file, magic included.
    pub fn file_length(&self) -> u64 {
        self.bytes.len() as u64 + 8
    }

    /// Says whether the tag is there.
    pub fn has(&self, tag: u32) -> bool {
        self.entry(tag).is_some()
    }

    /// Returns the numbers of all tags in ascending order.
    pub fn tags(&self) -> impl Iterator<Item = u32> + '_ {
        self.entries.iter().map(|entry| entry.tag)
    }

    /// Returns a string, or the first of several; `None` if there is none or it is not UTF-8.
    pub fn string(&self, tag: u32) -> Option<&str> {
        let entry = self.entry(tag).filter(|entry| entry.kind.is_text())?;
        let text = self.slice(entry).split(|&byte| byte == 0).next()?;
        std::str::from_utf8(text).ok()
    }

    /// Returns all strings of a tag; empty if there is none.
    ///
    /// Texts for people (changelogs, descriptions) may be in old encodings: they are cut at the
    /// first byte that is not UTF-8. All other texts were checked when the header was read.
    pub fn strings(&self, tag: u32) -> Vec<&str> {
        let Some(entry) = self.entry(tag).filter(|entry| entry.kind.is_text()) else {
            return Vec::new();
        };
        let slice = self.slice(entry);
        let slice = slice.strip_suffix(&[0]).unwrap_or(slice);
        slice.split(|&byte| byte == 0).map(text_prefix).collect()
    }

    /// Returns the 16-bit numbers of a tag; empty if it is missing or of another type.
    pub fn u16s(&self, tag: u32) -> Vec<u16> {
        self.numbers::<2>(tag, Kind::Int16).map(u16::from_be_bytes).collect()
    }

    /// Returns the 32-bit numbers of a tag; empty if it is missing or of another type.
    pub fn u32s(&self, tag: u32) -> Vec<u32> {
        self.numbers::<4>(tag, Kind::Int32).map(u32::from_be_bytes).collect()
    }

    /// Returns the 64-bit numbers of a tag; empty if it is missing or of another type.
    pub fn u64s(&self, tag: u32) -> Vec<u64> {
        self.numbers::<8>(tag, Kind::Int64).map(u64::from_be_bytes).collect()
    }

    /// Returns the first 32-bit number of a tag.
    pub fn u32(&self, tag: u32) -> Option<u32> {
        self.numbers::<4>(tag, Kind::Int32).map(u32::from_be_bytes).next()
    }

    /// Returns the first 64-bit number of a tag.
    pub fn u64(&self, tag: u32) -> Option<u64> {
        self.numbers::<8>(tag, Kind::Int64).map(u64::from_be_bytes).next()
    }

    /// Returns the bytes of a binary tag, or of one with 8-bit numbers.
    pub fn binary(&self, tag: u32) -> Option<&[u8]> {
        let entry = self.entry(tag)?;
        matches!(entry.kind, Kind::Binary | Kind::Int8 | Kind::Char).then(|| self.slice(entry))
    }

    /// Returns a tag with its value, whatever its type.
    ///
    /// Strings that are not UTF-8 are cut as in [`Header::strings`].
    pub fn value(&self, tag: u32) -> Option<Value> {
        let entry = self.entry(tag)?;
        let owned = || self.strings(tag).into_iter().map(str::to_owned).collect();
        Some(match entry.kind {
            Kind::Char => Value::Char(self.slice(entry).to_vec()),
            Kind::Int8 => Value::Int8(self.slice(entry).to_vec()),
            Kind::Int16 => Value::Int16(self.u16s(tag)),
            Kind::Int32 => Value::Int32(self.u32s(tag)),
            Kind::Int64 => Value::Int64(self.u64s(tag)),
            Kind::String => Value::String(self.strings(tag).concat()),
            Kind::Binary => Value::Binary(self.slice(entry).to_vec()),
            Kind::StringArray => Value::StringArray(owned()),
            Kind::I18nString => Value::I18nString(owned()),
        })
    }

    /// Returns the package's name; checked when the header was read.
    pub fn name(&self) -> &str {
        self.string(tag::NAME).unwrap_or_default()
    }

    /// Returns epoch, version and release.
    pub fn evr(&self) -> Evr {
        Evr {
            epoch: self.u32(tag::EPOCH).unwrap_or(0),
            version: self.string(tag::VERSION).unwrap_or_default().to_owned(),
            release: self.string(tag::RELEASE).unwrap_or_default().to_owned(),
        }
    }

    /// Returns the architecture; empty for keys (`gpg-pubkey`) in the database, `src` for source
    /// packages.
    pub fn arch(&self) -> &str {
        if self.is_source() { "src" } else { self.string(tag::ARCH).unwrap_or_default() }
    }

    /// Returns name, EVR and architecture.
    pub fn nevra(&self) -> Nevra {
        Nevra { name: self.name().to_owned(), evr: self.evr(), arch: self.arch().to_owned() }
    }

    /// Says whether this is a source package: it names no source it was built from.
    ///
    /// Keys in the database are not source packages.
    pub fn is_source(&self) -> bool {
        !self.has(tag::SOURCERPM) && self.has(tag::ARCH)
    }

    /// Returns the bytes of all files as installed; hard links count once.
    pub fn installed_size(&self) -> u64 {
        let size = || self.u32(tag::SIZE).map(u64::from);
        self.u64(tag::LONGSIZE).or_else(size).unwrap_or(0)
    }

    /// Returns the database blob of the package: this header's region byte for byte, and `extra`
    /// after it.
    ///
    /// `extra` holds what rpm adds at install time: `INSTALLTIME`, `INSTALLTID`, `FILESTATES`,
    /// `INSTALLCOLOR`, …, and [`crate::package::Package::database_tags`]. Tags a blob had after
    /// its region are kept unless `extra` has them too.
    pub fn to_rpmdb_blob(&self, extra: &Values) -> Vec<u8> {
        write::database_blob(self, extra)
    }

    fn entry(&self, tag: u32) -> Option<&Entry> {
        let index = self.entries.binary_search_by_key(&tag, |entry| entry.tag).ok()?;
        self.entries.get(index)
    }

    fn slice(&self, entry: &Entry) -> &[u8] {
        &self.bytes[entry.start..entry.end]
    }

    fn numbers<const N: usize>(&self, tag: u32, kind: Kind) -> impl Iterator<Item = [u8; N]> + '_ {
        let entry = self.entry(tag).filter(|entry| entry.kind == kind);
        let slice = entry.map_or(&[][..], |entry| self.slice(entry));
        slice.as_chunks::<N>().0.iter().copied()
    }

    /// Returns how many values a tag has; 0 if it is missing.
    fn count(&self, tag: u32) -> usize {
        self.entry(tag).map_or(0, |entry| entry.count as usize)
    }
}

/// Returns the longest part of `bytes`, from its start, that is UTF-8.
fn text_prefix(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests;
