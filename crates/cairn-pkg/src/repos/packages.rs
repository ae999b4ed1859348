// SPDX-License-Identifier: MIT OR Apache-2.0
//! The package index of a repository in the cache: `repodata/SHA256-packages.index`, named after the primary.xml that it is made of.
//!
//! primary.xml is read whole, and checked, only to make the index; afterwards a command maps it and reads the packages it is about.

use super::decompress;
use cairn_host::{Mapping, Root};
use cairn_rpm::repodata::index::{
    FastOutcome, IndexBuilder, IndexError, PackageIndex, index_primary,
};
use cairn_rpm::repodata::{Limits, RepoMdRecord, parse_primary};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// How the names of indexes end.
const SUFFIX: &str = "-packages.index";

/// All packages of a repository, not read yet.
#[derive(Debug, Clone)]
pub struct Packages {
    bytes: Arc<Bytes>,
    source: [u8; 32],
}

#[derive(Debug)]
enum Bytes {
    Mapped(Mapping),
    /// Where the cache could not be written to.
    Memory(Vec<u8>),
}

impl std::ops::Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(mapping) => mapping,
            Self::Memory(bytes) => bytes,
        }
    }
}

impl Packages {
    /// Returns the index.
    ///
    /// # Errors
    /// Never where the value came from [`open`] or [`make`], which have checked it.
    pub fn index(&self) -> Result<PackageIndex<'_>, IndexError> {
        PackageIndex::open(&self.bytes, &self.source)
    }

    /// Gives back the memory of what was read so far.
    pub fn release(&self) {
        if let Bytes::Mapped(mapping) = &*self.bytes {
            // Where the kernel refuses, it only takes more memory.
            let _ = mapping.release();
        }
    }
}

/// Returns the name of the index of a record in `repodata/`.
fn name(record: &RepoMdRecord) -> String {
    format!("{}{SUFFIX}", record.checksum)
}

fn source(record: &RepoMdRecord) -> [u8; 32] {
    let mut source = [0; 32];
    // The checksum was checked when repomd.xml was read; another one fits no file.
    let _ = hex::decode_to_slice(&record.checksum, &mut source);
    source
}

/// Opens the index of a record in a `repodata/` directory; `None` when there is none that can be used.
pub fn open(root: &Root, directory: &str, record: &RepoMdRecord) -> Option<Packages> {
    let mapping = root.map(format!("{directory}/{}", name(record))).ok()?;
    checked(Bytes::Mapped(mapping), source(record))
}

fn checked(bytes: Bytes, source: [u8; 32]) -> Option<Packages> {
    PackageIndex::open(&bytes, &source).ok()?;
    Some(Packages { bytes: Arc::new(bytes), source })
}

/// Removes the index of a record: it is made again when it is wanted.
pub fn remove(root: &Root, directory: &str, record: &RepoMdRecord) -> cairn_host::Result<()> {
    match root.remove_file(format!("{directory}/{}", name(record))) {
        Err(error) if !error.is_not_found() => Err(error),
        _ => Ok(()),
    }
}

/// Makes the index from the cached file of a record on all processors. `None` when that file is not what the record says, or is
/// written in an unusual way, or cannot be read: then [`make_strictly`] says why.
pub fn make(
    root: &Root,
    directory: &str,
    (file, record): (&str, &RepoMdRecord),
) -> io::Result<Option<Packages>> {
    let Ok(file) = root.open_read(file) else { return Ok(None) };
    let size = file.metadata()?.len();
    if record.size.is_some_and(|expected| expected != size) {
        return Ok(None);
    }
    let limit = decompress::limit(size, record.open_size);
    store(root, directory, record, &|builder| {
        let hashing = Hashing::new(&file);
        let reader = BufReader::with_capacity(1 << 16, hashing.clone());
        let limits = Limits::for_size(limit);
        let outcome = decompress::open_stream(reader, limit)
            .and_then(|reader| index_primary(reader, &limits, builder));
        Ok(matches!(outcome, Ok(FastOutcome::Complete)) && hashing.finish()? == source(record))
    })
}

/// Makes the index from the checked bytes of a record.
///
/// # Errors
/// The metadata is malformed (the message says how), or the index cannot be written.
pub fn make_strictly(
    root: &Root,
    directory: &str,
    (bytes, record): (&[u8], &RepoMdRecord),
) -> Result<Packages, String> {
    let limit = decompress::limit(bytes.len() as u64, record.open_size);
    let limits = Limits::for_size(limit);
    let malformed = Mutex::new(None);
    let stored = store(root, directory, record, &|builder| {
        let reader = decompress::open(bytes, limit)?;
        let mut failed = Ok(());
        let parsed = parse_primary(reader, &limits, &mut |package| {
            if failed.is_ok() {
                failed = builder.add(&package);
            }
        });
        failed?;
        match parsed {
            Ok(outcome) => {
                for problem in outcome.problems {
                    builder.problem(&format!("{}: {}", problem.package, problem.error));
                }
                Ok(true)
            }
            Err(error) => {
                *malformed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
                Ok(false)
            }
        }
    });
    let malformed = malformed.into_inner().unwrap_or_else(PoisonError::into_inner);
    match (malformed, stored) {
        (Some(message), _) => Err(message),
        (None, Ok(Some(packages))) => Ok(packages),
        (None, Ok(None)) => Err("the package index cannot be made".to_owned()),
        (None, Err(error)) => Err(format!("{}: {error}", record.location)),
    }
}

/// What fills an index: `false` when it is of no use.
type Fill<'a> = &'a dyn Fn(&mut IndexBuilder<Box<dyn Write>>) -> io::Result<bool>;

/// Writes an index into the cache, or keeps it in memory where that cannot be written to.
fn store(
    root: &Root,
    directory: &str,
    record: &RepoMdRecord,
    fill: Fill<'_>,
) -> io::Result<Option<Packages>> {
    let temporary = format!("{directory}/.{}.{}", name(record), std::process::id());
    let Ok(file) = root.create_new(&temporary, 0o644) else {
        return in_memory(record, fill);
    };
    let written = fill_file(file, source(record), fill);
    if matches!(written, Ok(true)) {
        let renamed = root.rename(&temporary, format!("{directory}/{}", name(record)));
        renamed.map_err(io::Error::other)?;
        remove_others(root, directory, record).map_err(io::Error::other)?;
        return Ok(open(root, directory, record));
    }
    root.remove_file(&temporary).map_err(io::Error::other)?;
    match written {
        Ok(_) => Ok(None),
        // A full file system must not stop what only reads.
        Err(_) => in_memory(record, fill),
    }
}

fn fill_file(file: File, source: [u8; 32], fill: Fill<'_>) -> io::Result<bool> {
    let out: Box<dyn Write> = Box::new(BufWriter::with_capacity(1 << 18, file));
    let mut builder = IndexBuilder::new(out)?;
    if !fill(&mut builder)? {
        return Ok(false);
    }
    builder.finish(source)?.flush()?;
    Ok(true)
}

/// A buffer that stays reachable while it is written.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn in_memory(record: &RepoMdRecord, fill: Fill<'_>) -> io::Result<Option<Packages>> {
    let shared = Shared::default();
    let mut builder = IndexBuilder::new(Box::new(shared.clone()) as Box<dyn Write>)?;
    if !fill(&mut builder)? {
        return Ok(None);
    }
    builder.finish(source(record))?;
    let bytes = std::mem::take(&mut *shared.0.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(checked(Bytes::Memory(bytes), source(record)))
}

/// Removes the indexes of other metadata: they are large, and made again should it come back.
fn remove_others(root: &Root, directory: &str, record: &RepoMdRecord) -> cairn_host::Result<()> {
    let own = name(record);
    for other in root.read_dir(directory)? {
        if other.ends_with(SUFFIX) && other != own {
            root.remove_file(format!("{directory}/{other}"))?;
        }
    }
    Ok(())
}

/// Reads a file and hashes what is read.
#[derive(Clone)]
struct Hashing<'a> {
    file: &'a File,
    digest: Arc<Mutex<Sha256>>,
}

impl<'a> Hashing<'a> {
    fn new(file: &'a File) -> Self {
        Self { file, digest: Arc::default() }
    }

    /// Reads what is left and returns the digest of the whole.
    fn finish(mut self) -> io::Result<[u8; 32]> {
        io::copy(&mut self, &mut io::sink())?;
        let digest = self.digest.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(digest.finalize().into())
    }
}

impl Read for Hashing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.digest.lock().unwrap_or_else(PoisonError::into_inner).update(&buffer[..count]);
        Ok(count)
    }
}
