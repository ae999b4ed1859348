// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writes the payload: a cpio archive, compressed and hashed as it is made.

use std::io::{self, Write};

use sha2::{Digest, Sha256};

use super::{BuildOptions, FileKind, FileSpec};
use crate::payload::{CPIO_HEADER_LENGTH, CPIO_TRAILER};

/// A finished payload.
pub(super) struct Archive {
    /// The compressed bytes.
    pub bytes: Vec<u8>,
    /// SHA-256 of `bytes`, hexadecimal.
    pub digest: String,
    /// SHA-256 of the archive before compression, hexadecimal.
    pub uncompressed_digest: String,
    /// Bytes of the archive before compression.
    pub size: u64,
    /// SHA-256 of each regular file in the payload, empty for others.
    pub file_digests: Vec<String>,
    /// Whether sizes need 64 bits, for which rpm has another archive format.
    pub large: bool,
}

/// Hashes and counts what passes through.
struct Hashing<W> {
    inner: W,
    hasher: Sha256,
    size: u64,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..length]);
        self.size += length as u64;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Writes the payload of `files`, which must be in the order of the header.
pub(super) fn write_payload(files: &[&FileSpec], options: &BuildOptions) -> io::Result<Archive> {
    let total: u64 = files.iter().map(|file| file.size()).sum();
    let large = total > u64::from(u32::MAX);
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), options.zstd_level)?;
    // From one worker on, the result does not depend on how many there are; without, it differs.
    encoder.multithread(options.threads.max(1))?;
    let mut archive = Hashing { inner: encoder, hasher: Sha256::new(), size: 0 };
    let mut file_digests = Vec::with_capacity(files.len());
    for (index, file) in files.iter().enumerate() {
        let data = match &file.kind {
            _ if file.is_ghost() => &[][..],
            FileKind::Regular(bytes) => bytes,
            FileKind::Symlink(target) => target.as_bytes(),
            FileKind::Directory | FileKind::Ghost => &[],
        };
        let has_digest = matches!(file.kind, FileKind::Regular(_)) && !file.is_ghost();
        file_digests.push(if has_digest {
            hex::encode(Sha256::digest(data))
        } else {
            String::new()
        });
        if file.is_ghost() {
            continue;
        }
        if large {
            write!(archive, "07070X{index:08x}\0\0")?;
        } else {
            let mtime = file.mtime.min(options.source_date);
            let name = format!(".{}", file.path);
            write_newc(&mut archive, &name, index as u32 + 1, file.full_mode(), mtime, data.len())?;
        }
        archive.write_all(data)?;
        pad(&mut archive, data.len())?;
    }
    write_newc(&mut archive, CPIO_TRAILER, 0, 0, 0, 0)?;
    let (uncompressed_digest, size) = (hex::encode(archive.hasher.finalize()), archive.size);
    let bytes = archive.inner.finish()?;
    let digest = hex::encode(Sha256::digest(&bytes));
    Ok(Archive { bytes, digest, uncompressed_digest, size, file_digests, large })
}

fn write_newc(
    archive: &mut impl Write,
    name: &str,
    inode: u32,
    mode: u16,
    mtime: u32,
    size: usize,
) -> io::Result<()> {
    let name_length = name.len() + 1;
    // Magic; inode, mode, uid, gid, links, time, size; device and special device; name; checksum.
    write!(archive, "070701{inode:08x}{mode:08x}{0:08x}{0:08x}{1:08x}", 0, 1)?;
    write!(
        archive,
        "{mtime:08x}{size:08x}{0:08x}{0:08x}{0:08x}{0:08x}{name_length:08x}{0:08x}",
        0
    )?;
    write!(archive, "{name}\0")?;
    pad(archive, CPIO_HEADER_LENGTH + name_length)
}

fn pad(archive: &mut impl Write, length: usize) -> io::Result<()> {
    archive.write_all(&[0; 3][..length.next_multiple_of(4) - length])
}
