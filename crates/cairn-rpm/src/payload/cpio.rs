// SPDX-License-Identifier: MIT OR Apache-2.0
//! Entries of the archive.

use std::io::Read;

use super::Counted;
use crate::error::{Error, escape};

/// Bytes of a newc header.
pub(crate) const HEADER_LENGTH: usize = 110;
/// Name of the last entry.
pub(crate) const TRAILER: &str = "TRAILER!!!";

/// Most bytes of a name with its NUL.
const NAME_LIMIT: u64 = 4096 + 1;

/// The header of one entry.
pub(super) enum CpioHeader {
    /// "newc": with a name, a mode and a size.
    Named { name: Vec<u8>, mode: u32, size: u64 },
    /// rpm's own: the position of the file in the package's header.
    Stripped { file_index: u32 },
}

impl CpioHeader {
    /// Reads a header; `None` for the trailer.
    pub(super) fn read<R: Read>(source: &mut Counted<R>) -> Result<Option<Self>, Error> {
        let offset = source.offset;
        let mut magic = [0; 6];
        source.read_all(&mut magic)?;
        if &magic == b"07070X" {
            let mut rest = [0; 10];
            source.read_all(&mut rest)?;
            return Ok(Some(Self::Stripped { file_index: hex_field(&rest[..8], offset)? }));
        }
        if &magic != b"070701" && &magic != b"070702" {
            return Err(Error::Cpio {
                offset,
                problem: format!("bad magic \"{}\"", escape(&magic)),
            });
        }
        let mut fields = [0; HEADER_LENGTH - 6];
        source.read_all(&mut fields)?;
        let field = |position: usize| hex_field(&fields[position * 8..position * 8 + 8], offset);
        let (mode, size, name_length) = (field(1)?, u64::from(field(6)?), field(11)?);
        let name = read_name(source, offset, name_length)?;
        if name == TRAILER.as_bytes() {
            return Ok(None);
        }
        Ok(Some(Self::Named { name, mode, size }))
    }
}

fn read_name<R: Read>(source: &mut Counted<R>, offset: u64, length: u32) -> Result<Vec<u8>, Error> {
    if length < 2 {
        return Err(Error::Cpio { offset, problem: "an entry has no name".into() });
    }
    if u64::from(length) > NAME_LIMIT {
        let problem = "it is longer than 4095 bytes";
        return Err(Error::UnsafePath { path: format!("({length} bytes)"), problem });
    }
    // Header and name together are padded to four bytes.
    let padded = (HEADER_LENGTH + length as usize).next_multiple_of(4) - HEADER_LENGTH;
    let mut name = vec![0; padded];
    source.read_all(&mut name)?;
    name.truncate(length as usize);
    if name.pop() != Some(0) {
        return Err(Error::Cpio { offset, problem: "a name does not end in NUL".into() });
    }
    Ok(name)
}

fn hex_field(bytes: &[u8], offset: u64) -> Result<u32, Error> {
    let text = std::str::from_utf8(bytes).ok();
    let text = text.filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()));
    text.and_then(|text| u32::from_str_radix(text, 16).ok()).ok_or_else(|| {
        let problem = format!("\"{}\" is no hexadecimal number", escape(bytes));
        Error::Cpio { offset, problem }
    })
}

/// Checks a name and returns it without its `./`: `usr/bin/ls`, empty for the root directory.
pub(super) fn safe_name(name: &[u8]) -> Result<&str, Error> {
    let unsafe_path = |problem| Error::UnsafePath { path: escape(name), problem };
    if name.contains(&0) {
        return Err(unsafe_path("it has control characters"));
    }
    let text = std::str::from_utf8(name).map_err(|_| unsafe_path("it is not UTF-8"))?;
    if text.starts_with('/') {
        return Err(unsafe_path("it is absolute"));
    }
    let relative = if text == "." { "" } else { text.strip_prefix("./").unwrap_or(text) };
    match crate::header::check_path(&format!("/{relative}")) {
        Ok(()) => Ok(relative),
        Err(Error::UnsafePath { problem, .. }) => Err(unsafe_path(problem)),
        Err(error) => Err(error),
    }
}
