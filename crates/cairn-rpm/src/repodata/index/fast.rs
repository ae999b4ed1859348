// SPDX-License-Identifier: MIT OR Apache-2.0
//! From primary.xml to an index, on all processors.
//!
//! The file is cut at the ends of packages, the pieces are read side by side and joined in order. The reader here takes only what
//! createrepo_c and we write: no comments, no declarations, every element where it always is. Anything else, and anything wrong, is
//! left to [`parse_primary`](crate::repodata::parse_primary), which reads all XML and says what is wrong where: the result is then
//! [`FastOutcome::Unusual`] and worth nothing. So both readers agree on everything that this one accepts.

mod piece;
mod tokens;

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::num::NonZero;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

use memchr::memmem;

use super::IndexBuilder;
use crate::repodata::error::Limits;
use crate::repodata::primary::declared_packages;
use piece::Piece;

/// What came of reading fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FastOutcome {
    /// The builder has all packages.
    Complete,
    /// The file must be read by [`parse_primary`](crate::repodata::parse_primary), into another builder.
    Unusual,
}

/// Bytes of a piece, but for the package it ends in.
const PIECE: usize = 256 << 10;
/// Largest piece: a package with more is unusual.
const PIECE_LIMIT: usize = 4 << 20;
/// What ends a package, and a piece.
const END: &[u8] = b"</package>";
/// What ends the file.
const TAIL: &str = "</metadata>";
/// Most threads that read pieces.
const READERS: usize = 4;

/// Reads primary.xml (decompressed) into an index.
///
/// # Errors
/// `input` cannot be read or `builder` cannot write. A malformed file is no error here.
pub fn index_primary<W: Write>(
    input: impl Read + Send,
    limits: &Limits,
    builder: &mut IndexBuilder<W>,
) -> io::Result<FastOutcome> {
    let n_readers = std::thread::available_parallelism().map_or(1, NonZero::get).min(READERS);
    std::thread::scope(|scope| {
        let (to_readers, pieces) = sync_channel::<(usize, Vec<u8>)>(n_readers);
        let (to_builder, read) = sync_channel::<(usize, Option<Piece>)>(n_readers);
        let pieces = std::sync::Arc::new(Mutex::new(pieces));
        for _ in 0..n_readers {
            let (pieces, to_builder) = (pieces.clone(), to_builder.clone());
            scope.spawn(move || read_pieces(&pieces, &to_builder));
        }
        // Only the readers keep these: their ends are what stops the others.
        drop((pieces, to_builder));
        let cutter = scope.spawn(move || cut(input, &to_readers));
        let joined = join(&read, builder);
        // Ends the threads that still have something to hand on.
        drop(read);
        let frame = match cutter.join() {
            Ok(frame) => frame?,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        Ok(match (joined?, frame) {
            (true, Some(frame)) if is_frame_good(&frame, limits, builder) => FastOutcome::Complete,
            _ => FastOutcome::Unusual,
        })
    })
}

/// What is before the first package and after the last.
struct Frame {
    head: Vec<u8>,
    tail: Vec<u8>,
}

/// Cuts the input into pieces. `None` when it is not shaped as expected, or when nobody wants the pieces any more.
fn cut(
    mut input: impl Read,
    to_readers: &SyncSender<(usize, Vec<u8>)>,
) -> io::Result<Option<Frame>> {
    let mut buffer: Vec<u8> = Vec::with_capacity(PIECE * 2);
    let mut head = None;
    for number in 0.. {
        let before = buffer.len();
        let wanted = PIECE.max(buffer.len());
        input.by_ref().take(wanted as u64).read_to_end(&mut buffer)?;
        let is_end = buffer.len() < before + wanted;
        if head.is_none() {
            // Where no package starts early, there is none or it is not this kind of file.
            let Some(start) = memmem::find(&buffer, b"<package ") else { return Ok(None) };
            let rest = buffer.split_off(start);
            head = Some(std::mem::replace(&mut buffer, rest));
        }
        let Some(last) = memmem::rfind(&buffer, END) else {
            if is_end || buffer.len() > PIECE_LIMIT {
                return Ok(None);
            }
            continue;
        };
        let mut rest = Vec::with_capacity(PIECE * 2);
        rest.extend_from_slice(&buffer[last + END.len()..]);
        buffer.truncate(last + END.len());
        let piece = std::mem::replace(&mut buffer, rest);
        if piece.len() > PIECE_LIMIT || to_readers.send((number, piece)).is_err() {
            return Ok(None);
        }
        if is_end {
            return Ok(head.map(|head| Frame { head, tail: buffer }));
        }
    }
    Ok(None)
}

fn read_pieces(
    pieces: &Mutex<Receiver<(usize, Vec<u8>)>>,
    to_builder: &SyncSender<(usize, Option<Piece>)>,
) {
    loop {
        let next = pieces.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, bytes)) = next else { return };
        if to_builder.send((number, Piece::read(bytes))).is_err() {
            return;
        }
    }
}

/// Adds the pieces in their order; `false` at the first that is unusual.
fn join<W: Write>(
    read: &Receiver<(usize, Option<Piece>)>,
    builder: &mut IndexBuilder<W>,
) -> io::Result<bool> {
    let mut early = BTreeMap::new();
    let mut next = 0;
    for (number, piece) in read {
        early.insert(number, piece);
        while let Some(piece) = early.remove(&next) {
            let Some(piece) = piece else { return Ok(false) };
            piece.add_to(builder)?;
            next += 1;
        }
    }
    Ok(true)
}

/// Says whether everything around the packages is as it must be, and their number.
fn is_frame_good<W: Write>(frame: &Frame, limits: &Limits, builder: &mut IndexBuilder<W>) -> bool {
    let tail = std::str::from_utf8(&frame.tail).is_ok_and(|tail| tail.trim() == TAIL);
    let head = [frame.head.as_slice(), TAIL.as_bytes()].concat();
    let declared = declared_packages(&head, limits);
    let found = builder.len() as u64;
    tail && declared == Some(found) && found <= limits.packages && !builder.has_duplicates()
}
