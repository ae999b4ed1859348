// SPDX-License-Identifier: MIT OR Apache-2.0
//! The payload: a compressed cpio archive of the package's files.
//!
//! [`PayloadReader`] streams it and lets nothing through that the header does not say: every entry
//! must be a listed file of the same kind, size and link target, none may be missing or occur
//! twice, hard link sets must be whole, and nothing may follow. So a caller can create files from
//! the *header's* list and take only their bytes from here.
//!
//! Two archive formats exist: "newc" with names (`./usr/bin/ls`), and rpm's own "stripped" form
//! for packages with files over 4 GiB, whose entries are positions in the header's file list.

mod cpio;
mod decompress;

use std::collections::BTreeMap;
use std::io::{self, Read};

use crate::error::{Error, escape};
use crate::header::{FileEntry, Header, mode};
use crate::tag;
use cpio::CpioHeader;
pub(crate) use cpio::{HEADER_LENGTH as CPIO_HEADER_LENGTH, TRAILER as CPIO_TRAILER};
use decompress::Decompressor;

/// Reads the files of a payload one after the other.
pub struct PayloadReader<R: Read> {
    source: Counted<R>,
    files: Vec<Expected>,
    sets: Vec<LinkSet>,
    by_name: BTreeMap<String, usize>,
    /// Bytes of the current entry that were not read yet, and its padding.
    remaining: u64,
    padding: u64,
    finished: bool,
}

/// What the header says about one file.
struct Expected {
    path: String,
    mode: u16,
    size: u64,
    link_target: String,
    ghost: bool,
    seen: bool,
    /// Its hard link set, if it has one.
    set: Option<usize>,
}

/// A hard link set.
struct LinkSet {
    /// The members in the header's order.
    members: Vec<usize>,
    /// Whether the data came with one of them.
    filled: bool,
}

/// The decompressed archive with the current offset.
struct Counted<R: Read> {
    inner: Decompressor<R>,
    offset: u64,
}

/// One file of the payload. Read its data from here before asking for the next one; what is not
/// read is skipped.
pub struct PayloadEntry<'a, R: Read> {
    /// Position in [`Header::files`].
    pub file_index: usize,
    /// Bytes of data: the file's size, or 0 for all but one member of a hard link set, and for
    /// everything that is no regular file.
    pub size: u64,
    /// The members of the file's hard link set by position, itself included; empty if it has none.
    pub hard_links: Vec<usize>,
    reader: &'a mut PayloadReader<R>,
}

impl<R: Read> std::fmt::Debug for PayloadReader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let offset = self.source.offset;
        f.debug_struct("PayloadReader").field("offset", &offset).finish_non_exhaustive()
    }
}

impl<R: Read> std::fmt::Debug for PayloadEntry<'_, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PayloadEntry")
            .field("file_index", &self.file_index)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl<R: Read> PayloadReader<R> {
    /// Starts reading the payload of the package with this header.
    pub(crate) fn new(header: &Header, reader: R) -> Result<Self, Error> {
        let format = header.string(tag::PAYLOADFORMAT).unwrap_or("cpio");
        if format != "cpio" {
            return Err(Error::PayloadFormat { format: escape(format.as_bytes()) });
        }
        let inner = Decompressor::new(header.string(tag::PAYLOADCOMPRESSOR), reader)?;
        let (files, sets) = expected_files(header.files());
        let by_name = header
            .paths_in_payload()
            .iter()
            .enumerate()
            .map(|(index, path)| (path.trim_start_matches('/').to_owned(), index))
            .collect();
        let source = Counted { inner, offset: 0 };
        Ok(Self { source, files, sets, by_name, remaining: 0, padding: 0, finished: false })
    }

    /// Returns the next file, `None` after the last, when the whole payload was found to be right.
    ///
    /// Only a payload read to its `None` is known to be complete.
    pub fn next_entry(&mut self) -> Result<Option<PayloadEntry<'_, R>>, Error> {
        if self.finished {
            return Ok(None);
        }
        self.skip_rest()?;
        let offset = self.source.offset;
        let Some(header) = CpioHeader::read(&mut self.source)? else {
            self.finish()?;
            return Ok(None);
        };
        let file_index = self.find(&header, offset)?;
        let size = self.check(file_index, &header)?;
        let file = &mut self.files[file_index];
        file.seen = true;
        let set = file.set.and_then(|set| self.sets.get_mut(set));
        let hard_links = set.map_or_else(Vec::new, |set| {
            set.filled |= size > 0;
            set.members.clone()
        });
        self.remaining = size;
        self.padding = size.next_multiple_of(4) - size;
        let size = if file.mode & mode::TYPE == mode::SYMLINK {
            self.check_link_target(file_index)?;
            0
        } else {
            size
        };
        Ok(Some(PayloadEntry { file_index, size, hard_links, reader: self }))
    }

    fn skip_rest(&mut self) -> Result<(), Error> {
        let mut buffer = [0; 8192];
        while self.remaining > 0 {
            self.read_data(&mut buffer)?;
        }
        let padding = std::mem::take(&mut self.padding) as usize;
        self.source.read_all(&mut buffer[..padding])
    }

    fn read_data(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let limit = usize::try_from(self.remaining).unwrap_or(usize::MAX).min(buffer.len());
        if limit == 0 {
            return Ok(0);
        }
        let length = self.source.read_some(&mut buffer[..limit])?;
        self.remaining -= length as u64;
        Ok(length)
    }

    /// Finds the file an entry is for.
    fn find(&self, header: &CpioHeader, offset: u64) -> Result<usize, Error> {
        let index = match header {
            CpioHeader::Stripped { file_index } => {
                let index = *file_index as usize;
                if index >= self.files.len() {
                    let problem = format!("file {index}, the header lists {}", self.files.len());
                    return Err(Error::Cpio { offset, problem });
                }
                index
            }
            CpioHeader::Named { name, .. } => {
                let key = cpio::safe_name(name)?;
                let unlisted = || Error::Unlisted { path: escape(name) };
                *self.by_name.get(key).ok_or_else(unlisted)?
            }
        };
        let file = &self.files[index];
        if file.ghost {
            return Err(Error::Unlisted { path: escape(file.path.as_bytes()) });
        }
        if file.seen {
            return Err(Error::PayloadDuplicate { path: escape(file.path.as_bytes()) });
        }
        Ok(index)
    }

    /// Compares an entry with the header and returns the bytes of data that follow.
    fn check(&self, file_index: usize, header: &CpioHeader) -> Result<u64, Error> {
        let file = &self.files[file_index];
        let path = || escape(file.path.as_bytes());
        let is_regular = file.mode & mode::TYPE == mode::REGULAR;
        let set = file.set.and_then(|set| self.sets.get(set));
        let is_last_link = set.is_none_or(|set| set.members.last() == Some(&file_index));
        let CpioHeader::Named { mode: found_mode, size: found, .. } = *header else {
            let has_data = match file.mode & mode::TYPE {
                mode::REGULAR => is_last_link,
                kind => kind == mode::SYMLINK,
            };
            return Ok(if has_data { file.size } else { 0 });
        };
        let (expected, found_kind) = (file.mode, found_mode & u32::from(mode::TYPE));
        if found_kind != u32::from(expected & mode::TYPE) {
            return Err(Error::PayloadKind { path: path(), expected, found: found_mode });
        }
        let declared = match file.mode & mode::TYPE {
            mode::REGULAR => file.size,
            mode::SYMLINK => file.link_target.len() as u64,
            _ => 0,
        };
        if found > declared {
            return Err(Error::PayloadTooLarge { declared });
        }
        // A hard link set carries its data once, usually with its last member.
        let may_be_empty = is_regular && set.is_some();
        if found < declared && !(may_be_empty && found == 0) {
            return Err(Error::PayloadSize { path: path(), expected: declared, found });
        }
        if found > 0 && set.is_some_and(|set| set.filled) {
            return Err(Error::PayloadDuplicate { path: path() });
        }
        Ok(found)
    }

    fn check_link_target(&mut self, file_index: usize) -> Result<(), Error> {
        // Bounded: `check` compared the length with the header's, which has the target's text.
        let mut found = vec![0; self.remaining as usize];
        self.source.read_all(&mut found)?;
        self.remaining = 0;
        let file = &self.files[file_index];
        if found != file.link_target.as_bytes() {
            let (path, expected) = (escape(file.path.as_bytes()), &file.link_target);
            let expected = escape(expected.as_bytes());
            return Err(Error::PayloadLink { path, expected, found: escape(&found) });
        }
        Ok(())
    }

    /// Checks that every file came and nothing follows.
    fn finish(&mut self) -> Result<(), Error> {
        self.finished = true;
        let missing = |file: &&Expected| !file.ghost && !file.seen;
        if let Some(file) = self.files.iter().find(missing) {
            let path = escape(file.path.as_bytes());
            let Some(set) = file.set.and_then(|set| self.sets.get(set)) else {
                return Err(Error::PayloadMissing { path });
            };
            let found = set.members.iter().filter(|member| self.files[**member].seen).count();
            let (expected, found) = (set.members.len() as u32, found as u32);
            return Err(Error::HardLinks { path, expected, found });
        }
        for set in self.sets.iter().filter(|set| !set.filled) {
            let first = set.members.first().map(|first| &self.files[*first]);
            if let Some(file) = first.filter(|file| file.size > 0) {
                let path = escape(file.path.as_bytes());
                return Err(Error::PayloadSize { path, expected: file.size, found: 0 });
            }
        }
        self.source.finish()
    }
}

impl<R: Read> PayloadEntry<'_, R> {
    /// Reads all of the entry's data; for files that are known to be small.
    pub fn read_all(&mut self) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.copy_to(&mut bytes)?;
        Ok(bytes)
    }

    /// Writes all of the entry's data to `writer`.
    pub fn copy_to(&mut self, writer: &mut impl io::Write) -> Result<(), Error> {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let length = self.reader.read_data(&mut buffer)?;
            if length == 0 {
                return Ok(());
            }
            writer.write_all(&buffer[..length])?;
        }
    }
}

impl<R: Read> Read for PayloadEntry<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read_data(buffer).map_err(io::Error::other)
    }
}

impl<R: Read> Counted<R> {
    /// Reads at least one byte.
    fn read_some(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let length = loop {
            match self.inner.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result.map_err(|error| self.inner.map_error(error))?,
            }
        };
        if length == 0 {
            let problem = "the archive ends early".to_owned();
            return Err(Error::Cpio { offset: self.offset, problem });
        }
        self.offset += length as u64;
        Ok(length)
    }

    fn read_all(&mut self, buffer: &mut [u8]) -> Result<(), Error> {
        let mut done = 0;
        while done < buffer.len() {
            done += self.read_some(&mut buffer[done..])?;
        }
        Ok(())
    }

    /// Reads to the end of the archive, where only padding may follow.
    fn finish(&mut self) -> Result<(), Error> {
        let mut padding = Vec::new();
        let limit = (&mut self.inner).take(1 << 16).read_to_end(&mut padding);
        limit.map_err(|error| self.inner.map_error(error))?;
        // cpio pads archives to blocks of 512 bytes.
        if padding.len() >= 512 || padding.iter().any(|byte| *byte != 0) {
            return Err(Error::Trailing { bytes: padding.len() as u64 });
        }
        let empty = Decompressor::empty();
        match std::mem::replace(&mut self.inner, empty).trailing()? {
            0 => Ok(()),
            bytes => Err(Error::Trailing { bytes }),
        }
    }
}

fn expected_files(files: Vec<FileEntry>) -> (Vec<Expected>, Vec<LinkSet>) {
    let mut positions: BTreeMap<(u32, u32), usize> = BTreeMap::new();
    let mut sets: Vec<LinkSet> = Vec::new();
    let mut set_of = |index: usize, file: &FileEntry| {
        let position = *positions.entry((file.device, file.inode)).or_insert(sets.len());
        match sets.get_mut(position) {
            Some(set) => set.members.push(index),
            None => sets.push(LinkSet { members: vec![index], filled: false }),
        }
        position
    };
    let expected = |(index, file): (usize, FileEntry)| Expected {
        set: file.is_hard_link().then(|| set_of(index, &file)),
        ghost: file.is_ghost(),
        path: file.path,
        mode: file.mode,
        size: file.size,
        link_target: file.link_target,
        seen: false,
    };
    let expected = files.into_iter().enumerate().map(expected).collect();
    (expected, sets)
}

#[cfg(test)]
mod tests;
