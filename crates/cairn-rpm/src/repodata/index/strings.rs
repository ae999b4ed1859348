// SPDX-License-Identifier: MIT OR Apache-2.0
//! Strings that are kept once and then have a number.

use super::IndexError;
use super::format::hash;

/// A set of strings while an index is made.
#[derive(Debug)]
pub(super) struct Strings {
    pub(super) bytes: Vec<u8>,
    pub(super) ends: Vec<u32>,
    /// Number + 1; 0 is free. The length is a power of two.
    pub(super) table: Vec<u32>,
    hashes: Vec<u32>,
}

impl Default for Strings {
    fn default() -> Self {
        Self { bytes: Vec::new(), ends: Vec::new(), table: vec![0; 1 << 10], hashes: Vec::new() }
    }
}

impl Strings {
    /// Returns the number of a string that has this [`hash`].
    pub(super) fn number(&mut self, text: &str, hash: u32) -> Result<u32, IndexError> {
        let mask = self.table.len() - 1;
        let mut slot = hash as usize & mask;
        while let Some(number) = self.table[slot].checked_sub(1) {
            if self.hashes[number as usize] == hash && self.get(number) == text.as_bytes() {
                return Ok(number);
            }
            slot = (slot + 1) & mask;
        }
        let number = self.ends.len() as u32;
        self.bytes.extend_from_slice(text.as_bytes());
        let end = u32::try_from(self.bytes.len()).map_err(|_| IndexError::TooLarge)?;
        if number >= super::format::FILE_STRING {
            return Err(IndexError::TooLarge);
        }
        self.ends.push(end);
        self.hashes.push(hash);
        self.table[slot] = number + 1;
        if self.ends.len() * 8 > self.table.len() * 5 {
            self.grow();
        }
        Ok(number)
    }

    /// As [`Strings::number`], for a string whose hash is not known yet.
    pub(super) fn intern(&mut self, text: &str) -> Result<u32, IndexError> {
        self.number(text, hash(text.as_bytes()))
    }

    pub(super) fn get(&self, number: u32) -> &[u8] {
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before as usize]);
        &self.bytes[start as usize..self.ends[number as usize] as usize]
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    fn grow(&mut self) {
        let mask = self.table.len() * 2 - 1;
        self.table.clear();
        self.table.resize(mask + 1, 0);
        for (number, hash) in (1..).zip(&self.hashes) {
            let mut slot = *hash as usize & mask;
            while self.table[slot] != 0 {
                slot = (slot + 1) & mask;
            }
            self.table[slot] = number;
        }
    }
}
