// SPDX-License-Identifier: MIT OR Apache-2.0
//! The binary form: index and data, bounds and the immutable region.
//!
//! A header is `tags: u32, length: u32`, then 16 bytes per tag (`tag, type, offset, count`, all
//! big endian), then `length` bytes of data. The first tag of a modern header is the *region*: its
//! value, 16 bytes at the end of the region's data, has the form of an index entry whose negative
//! offset tells how many tags belong to the region.

use crate::error::{Error, Section};
use crate::tag;

/// Most tags a header may have.
pub const TAGS_LIMIT: u32 = 0xffff;
/// Most bytes of data a header may have.
pub const DATA_LIMIT: u32 = 0x0fff_ffff;

/// Bytes of an index entry, and of a region's trailer.
pub(super) const ENTRY: usize = 16;

/// A tag's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Char = 1,
    Int8 = 2,
    Int16 = 3,
    Int32 = 4,
    Int64 = 5,
    String = 6,
    Binary = 7,
    StringArray = 8,
    I18nString = 9,
}

impl Kind {
    fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            1 => Self::Char,
            2 => Self::Int8,
            3 => Self::Int16,
            4 => Self::Int32,
            5 => Self::Int64,
            6 => Self::String,
            7 => Self::Binary,
            8 => Self::StringArray,
            9 => Self::I18nString,
            _ => return None,
        })
    }

    /// Returns bytes per value and the alignment of the first.
    pub(super) fn width(self) -> usize {
        match self {
            Self::Int16 => 2,
            Self::Int32 => 4,
            Self::Int64 => 8,
            _ => 1,
        }
    }

    pub(super) fn is_text(self) -> bool {
        matches!(self, Self::String | Self::StringArray | Self::I18nString)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Char => "char",
            Self::Int8 => "8-bit number",
            Self::Int16 => "16-bit number",
            Self::Int32 => "32-bit number",
            Self::Int64 => "64-bit number",
            Self::String => "string",
            Self::Binary => "binary",
            Self::StringArray => "string array",
            Self::I18nString => "translated string",
        }
    }
}

/// A tag whose value is known to lie in the header's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub tag: u32,
    pub kind: Kind,
    pub count: u32,
    /// First byte of the value in the header's bytes.
    pub start: usize,
    /// First byte after it.
    pub end: usize,
    /// Whether the tag is part of the region.
    pub in_region: bool,
}

/// The immutable region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Region {
    /// Index entries in it, its own included.
    pub entries: usize,
    /// Bytes of its data, trailer included.
    pub data: usize,
}

/// An index entry as stored.
#[derive(Clone, Copy)]
struct Raw {
    tag: u32,
    kind: u32,
    offset: i32,
    count: u32,
}

impl Raw {
    fn read(bytes: &[u8; ENTRY]) -> Self {
        let word =
            |i: usize| u32::from_be_bytes([bytes[i], bytes[i + 1], bytes[i + 2], bytes[i + 3]]);
        Self { tag: word(0), kind: word(4), offset: word(8) as i32, count: word(12) }
    }

    fn is_region(self) -> bool {
        matches!(self.tag, tag::HEADERIMAGE | tag::HEADERSIGNATURES | tag::HEADERIMMUTABLE)
    }
}

/// Returns the number of tags and the bytes of data, from the first eight bytes of a header.
pub(crate) fn read_lengths(intro: [u8; 8], section: Section) -> Result<(u32, u32), Error> {
    let word = |i: usize| u32::from_be_bytes([intro[i], intro[i + 1], intro[i + 2], intro[i + 3]]);
    let (count, bytes) = (word(0), word(4));
    if count == 0 {
        return Err(Error::NoTags { section });
    }
    if count > TAGS_LIMIT {
        return Err(Error::TooManyTags { section, count });
    }
    if bytes > DATA_LIMIT {
        return Err(Error::TooMuchData { section, bytes });
    }
    Ok((count, bytes))
}

/// Takes the bytes of a checked header apart: number of index entries, index, data.
pub(super) fn split(bytes: &[u8]) -> (usize, &[u8], &[u8]) {
    let count = bytes.first_chunk().map_or(0, |number| u32::from_be_bytes(*number)) as usize;
    let (index, data) = bytes[8..].split_at(count * ENTRY);
    (count, index, data)
}

/// Checks index and data and returns the tags in ascending order.
///
/// `exact` demands that the region covers the whole header, as it does in package files.
pub(super) fn parse(
    bytes: &[u8],
    section: Section,
    exact: bool,
) -> Result<(Vec<Entry>, Option<Region>), Error> {
    let found = bytes.len() as u64;
    let Some(&intro) = bytes.first_chunk::<8>() else {
        return Err(Error::Length { section, expected: 8, found });
    };
    let (count, length) = read_lengths(intro, section)?;
    let expected = 8 + u64::from(count) * ENTRY as u64 + u64::from(length);
    if found != expected {
        return Err(Error::Length { section, expected, found });
    }
    let data_start = 8 + count as usize * ENTRY;
    let index = bytes[8..data_start].as_chunks::<ENTRY>().0;
    let raws: Vec<Raw> = index.iter().map(Raw::read).collect();
    let region = read_region(&raws, &bytes[data_start..], section)?;
    if exact
        && let Some(region) = region
        && (region.entries != raws.len() || region.data != length as usize)
    {
        return Err(Error::Region { section });
    }
    let entries = read_entries(&raws, bytes, data_start, region)?;
    Ok((sort(entries)?, region))
}

fn read_region(raws: &[Raw], data: &[u8], section: Section) -> Result<Option<Region>, Error> {
    let malformed = Error::Region { section };
    let Some(&first) = raws.first().filter(|raw| raw.is_region()) else {
        // Signature headers always had a region; main headers got it with rpm 4.0.
        return if section == Section::Signature { Err(malformed) } else { Ok(None) };
    };
    let wanted = match section {
        Section::Signature => tag::HEADERSIGNATURES,
        _ => tag::HEADERIMMUTABLE,
    };
    let Ok(trailer_start) = usize::try_from(first.offset) else { return Err(malformed) };
    let trailer = trailer_start.checked_add(ENTRY).and_then(|end| data.get(trailer_start..end));
    let Some(trailer) = trailer.and_then(|slice| slice.first_chunk::<ENTRY>()) else {
        return Err(malformed);
    };
    let trailer = Raw::read(trailer);
    // Some old signature headers end in a HEADERIMAGE trailer; rpm accepts it, so does this.
    let trailer_tag_fits =
        trailer.tag == wanted || (section == Section::Signature && trailer.tag == tag::HEADERIMAGE);
    let size = i64::from(trailer.offset).checked_neg().unwrap_or(0);
    let entries = usize::try_from(size).unwrap_or(0) / ENTRY;
    let is_binary = |raw: Raw| raw.kind == Kind::Binary as u32 && raw.count == ENTRY as u32;
    if first.tag != wanted
        || !trailer_tag_fits
        || !is_binary(first)
        || !is_binary(trailer)
        || size % ENTRY as i64 != 0
        || entries == 0
        || entries > raws.len()
    {
        return Err(malformed);
    }
    Ok(Some(Region { entries, data: trailer_start + ENTRY }))
}

fn read_entries(
    raws: &[Raw],
    bytes: &[u8],
    data_start: usize,
    region: Option<Region>,
) -> Result<Vec<Entry>, Error> {
    let data = &bytes[data_start..];
    let n_region = region.map_or(0, |region| region.entries);
    let mut entries: Vec<Entry> = Vec::with_capacity(raws.len());
    let mut previous_tag = 0;
    let mut previous_end = 0;
    for (position, raw) in raws.iter().enumerate().skip(usize::from(region.is_some())) {
        let in_region = position < n_region;
        if position == n_region
            && let Some(region) = region
        {
            (previous_tag, previous_end) = (tag::HEADERIMMUTABLE, region.data);
        }
        // The trailer is no room for values of the region.
        let limit = match region {
            Some(region) if in_region => region.data - ENTRY,
            _ => data.len(),
        };
        let (kind, start, end) = read_entry(*raw, data, limit)?;
        if start < previous_end {
            return Err(Error::Overlap { first: previous_tag, second: raw.tag });
        }
        // Strings are measured only now, so that overlapping ones cannot cost quadratic time.
        let end = if kind.is_text() { text_end(*raw, &data[..limit], start)? } else { end };
        (previous_tag, previous_end) = (raw.tag, end);
        let (start, end) = (data_start + start, data_start + end);
        entries.push(Entry { tag: raw.tag, kind, count: raw.count, start, end, in_region });
    }
    Ok(entries)
}

/// Checks one entry on its own; returns type, start and (for numbers and bytes) end.
fn read_entry(raw: Raw, data: &[u8], limit: usize) -> Result<(Kind, usize, usize), Error> {
    let Raw { tag, kind, offset, count } = raw;
    if raw.is_region() || tag < tag::HEADERI18NTABLE {
        return Err(Error::TagReserved { tag });
    }
    let kind = Kind::from_number(kind).ok_or(Error::TagType { tag, kind })?;
    let outside = Error::TagOffset { tag, offset, bytes: data.len() };
    let Ok(start) = usize::try_from(offset) else { return Err(outside) };
    if start >= limit {
        return Err(outside);
    }
    let alignment = kind.width();
    if !start.is_multiple_of(alignment) {
        return Err(Error::TagAlignment { tag, offset, alignment });
    }
    let room = limit - start;
    let fits = (count as usize).checked_mul(alignment).is_some_and(|bytes| bytes <= room);
    if count == 0 || !fits || (kind == Kind::String && count != 1) {
        return Err(Error::TagCount { tag, count });
    }
    Ok((kind, start, start + count as usize * alignment))
}

/// Returns the first byte after the NULs of `count` strings.
fn text_end(raw: Raw, data: &[u8], start: usize) -> Result<usize, Error> {
    let mut end = start;
    for _ in 0..raw.count {
        let Some(length) = data[end..].iter().position(|&byte| byte == 0) else {
            return Err(Error::Unterminated { tag: raw.tag });
        };
        end += length + 1;
    }
    Ok(end)
}

/// Sorts by tag; of a tag in the region and one after it, the latter stays.
fn sort(mut entries: Vec<Entry>) -> Result<Vec<Entry>, Error> {
    entries.sort_by_key(|entry| (entry.tag, entry.in_region));
    let mut sorted: Vec<Entry> = Vec::with_capacity(entries.len());
    for entry in entries {
        match sorted.last() {
            Some(last) if last.tag == entry.tag && last.in_region == entry.in_region => {
                return Err(Error::Duplicate { tag: entry.tag });
            }
            Some(last) if last.tag == entry.tag => {}
            _ => sorted.push(entry),
        }
    }
    Ok(sorted)
}
