// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writes headers: whole ones for packages, and blobs for the rpm database.

use std::collections::BTreeMap;

use super::Header;
use super::store::Kind;

/// The value of a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Characters; rpm stores `FILESTATES` so.
    Char(Vec<u8>),
    /// 8-bit numbers.
    Int8(Vec<u8>),
    /// 16-bit numbers.
    Int16(Vec<u16>),
    /// 32-bit numbers.
    Int32(Vec<u32>),
    /// 64-bit numbers.
    Int64(Vec<u64>),
    /// One string without NUL.
    String(String),
    /// Bytes.
    Binary(Vec<u8>),
    /// Strings without NUL.
    StringArray(Vec<String>),
    /// One string per locale of `HEADERI18NTABLE`.
    I18nString(Vec<String>),
}

/// Tags with their values, in the order in which they are written.
///
/// Empty arrays and binaries are left out when written: the format has no empty values.
pub type Values = BTreeMap<u32, Value>;

impl Value {
    /// Returns a value of one 32-bit number.
    pub fn number(number: u32) -> Self {
        Self::Int32(vec![number])
    }

    /// Returns a string value.
    pub fn text(text: impl Into<String>) -> Self {
        Self::String(text.into())
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Char(_) => Kind::Char,
            Self::Int8(_) => Kind::Int8,
            Self::Int16(_) => Kind::Int16,
            Self::Int32(_) => Kind::Int32,
            Self::Int64(_) => Kind::Int64,
            Self::String(_) => Kind::String,
            Self::Binary(_) => Kind::Binary,
            Self::StringArray(_) => Kind::StringArray,
            Self::I18nString(_) => Kind::I18nString,
        }
    }

    fn count(&self) -> usize {
        match self {
            Self::Char(values) | Self::Int8(values) | Self::Binary(values) => values.len(),
            Self::Int16(values) => values.len(),
            Self::Int32(values) => values.len(),
            Self::Int64(values) => values.len(),
            Self::String(_) => 1,
            Self::StringArray(values) | Self::I18nString(values) => values.len(),
        }
    }

    fn write(&self, data: &mut Vec<u8>) {
        let text = |data: &mut Vec<u8>, text: &str| {
            data.extend_from_slice(text.as_bytes());
            data.push(0);
        };
        match self {
            Self::Char(values) | Self::Int8(values) | Self::Binary(values) => {
                data.extend_from_slice(values);
            }
            Self::Int16(values) => data.extend(values.iter().flat_map(|n| n.to_be_bytes())),
            Self::Int32(values) => data.extend(values.iter().flat_map(|n| n.to_be_bytes())),
            Self::Int64(values) => data.extend(values.iter().flat_map(|n| n.to_be_bytes())),
            Self::String(value) => text(data, value),
            Self::StringArray(values) | Self::I18nString(values) => {
                for value in values {
                    text(data, value);
                }
            }
        }
    }
}

/// Appends index entries and data of `values`; `data` may already hold the values before them.
fn write_values(values: &Values, index: &mut Vec<u8>, data: &mut Vec<u8>) {
    for (tag, value) in values.iter().filter(|(_, value)| value.count() > 0) {
        let kind = value.kind();
        data.resize(data.len().next_multiple_of(kind.width()), 0);
        write_entry([*tag, kind as u32, data.len() as u32, value.count() as u32], index);
        value.write(data);
    }
}

fn write_entry(words: [u32; 4], index: &mut Vec<u8>) {
    index.extend(words.iter().flat_map(|word| word.to_be_bytes()));
}

fn join(index: &[u8], data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(8 + index.len() + data.len());
    bytes.extend(((index.len() / 16) as u32).to_be_bytes());
    bytes.extend((data.len() as u32).to_be_bytes());
    bytes.extend_from_slice(index);
    bytes.extend_from_slice(data);
    bytes
}

/// Returns a header without magic, all of it one region with the tag `region`.
///
/// `region` is `HEADERIMMUTABLE` or `HEADERSIGNATURES`. Strings must not contain NUL.
pub fn write_region(region: u32, values: &Values) -> Vec<u8> {
    let mut entries = Vec::new();
    let mut data = Vec::new();
    write_values(values, &mut entries, &mut data);
    let n_entries = entries.len() / 16 + 1;
    let binary = Kind::Binary as u32;
    let mut index = Vec::with_capacity(entries.len() + 16);
    write_entry([region, binary, data.len() as u32, 16], &mut index);
    index.extend(entries);
    write_entry([region, binary, (n_entries as i32 * -16) as u32, 16], &mut data);
    join(&index, &data)
}

/// See [`Header::to_rpmdb_blob`].
pub(super) fn database_blob(header: &Header, extra: &Values) -> Vec<u8> {
    let mut values: Values = header
        .entries
        .iter()
        .filter(|entry| !entry.in_region)
        .filter_map(|entry| Some((entry.tag, header.value(entry.tag)?)))
        .collect();
    values.extend(extra.iter().map(|(tag, value)| (*tag, value.clone())));
    let (mut index, mut data) = (Vec::new(), Vec::new());
    if let Some(region) = header.region {
        let count = header.bytes.first_chunk::<4>().map_or(0, |word| u32::from_be_bytes(*word));
        let data_start = 8 + count as usize * 16;
        index.extend_from_slice(&header.bytes[8..8 + region.entries * 16]);
        data.extend_from_slice(&header.bytes[data_start..data_start + region.data]);
    }
    write_values(&values, &mut index, &mut data);
    join(&index, &data)
}
