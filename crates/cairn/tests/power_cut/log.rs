// SPDX-License-Identifier: MIT OR Apache-2.0
//! The log that QEMU's `blklogwrites` filter keeps of a disk, and the disks that a power cut can leave behind.
//!
//! The format is that of the kernel's dm-log-writes: a superblock, then for each request a sector with its description, then its data.
//! What was written before the last flush is on the disk after a cut; of what was written since, any part.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

const MAGIC: u64 = 0x006a_7366_7773_6872;
const SECTOR: u64 = 512;
const FLUSH: u64 = 1;
const FUA: u64 = 2;
const DISCARD: u64 = 4;

/// One request.
#[derive(Clone, Copy)]
pub struct Request {
    /// Byte on the disk.
    offset: u64,
    length: usize,
    /// Where its data begin in the log.
    data: u64,
    flags: u64,
}

impl Request {
    pub fn is_flush(self) -> bool {
        self.flags & FLUSH != 0
    }
}

/// Reads what the log holds so far.
pub fn read(path: &Path) -> Vec<Request> {
    let mut log = File::open(path).unwrap();
    let mut sector = [0; SECTOR as usize];
    log.read_exact(&mut sector).unwrap();
    assert_eq!(number(&sector, 0), MAGIC, "{} is no log", path.display());
    let mut requests = Vec::new();
    let mut position = SECTOR;
    loop {
        log.seek(SeekFrom::Start(position)).unwrap();
        match log.read_exact(&mut sector) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return requests,
            Err(error) => panic!("{}: {error}", path.display()),
        }
        let (flags, length) = (number(&sector, 2), number(&sector, 1) * SECTOR);
        if sector.iter().all(|byte| *byte == 0) {
            return requests;
        }
        let data = position + SECTOR;
        assert_eq!(flags & DISCARD, 0, "the disk was to offer no discarding");
        requests.push(Request {
            offset: number(&sector, 0) * SECTOR,
            length: usize::try_from(length).unwrap(),
            data,
            flags,
        });
        position = data + length;
    }
}

/// Reads the log of a disk that is not used any more.
pub fn read_whole(path: &Path) -> Vec<Request> {
    let requests = read(path);
    let end = requests.last().map_or(SECTOR, |last| last.data + last.length as u64);
    let written = std::fs::metadata(path).unwrap().len();
    assert_eq!(end, written, "the log has a hole after {} requests", requests.len());
    requests
}

fn number(sector: &[u8], index: usize) -> u64 {
    u64::from_le_bytes(sector[index * 8..index * 8 + 8].try_into().unwrap())
}

/// Writes requests to a disk in their order.
pub fn replay<'a>(log: &Path, requests: impl IntoIterator<Item = &'a Request>, disk: &Path) {
    let log = File::open(log).unwrap();
    let disk = File::options().write(true).open(disk).unwrap();
    for request in requests {
        let mut data = vec![0; request.length];
        log.read_exact_at(&mut data, request.data).unwrap();
        disk.write_all_at(&data, request.offset).unwrap();
    }
}

/// Of the requests since the last flush those that reach the disk: all that ask for it, and of the others what chance wills.
pub fn survivors<'a>(
    volatile: &'a [Request],
    chance: &'a mut Chance,
) -> impl Iterator<Item = &'a Request> {
    volatile.iter().filter(|request| request.flags & FUA != 0 || chance.below(2) == 0)
}

/// Numbers that look random and are the same for a seed (SplitMix64).
pub struct Chance(pub u64);

impl Chance {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).unwrap()
    }
}
