// SPDX-License-Identifier: MIT OR Apache-2.0
//! Source packages: their files go where `rpmbuild` looks for them. They are not recorded in the database, nothing of them runs.

use std::fs::File;
use std::io::{BufReader, Seek as _, SeekFrom};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use cairn_host::{HostError, Root};
use cairn_rpm::header::{FileEntry, FileFlags, Header};
use cairn_rpm::payload::PayloadEntry;
use cairn_rpm::signature::Keyring;

use crate::digest::Running;
use crate::error::TransactionError;
use crate::scriptlet::chain;
use crate::transaction::Trust;
use crate::transaction::set::read_package;
use crate::transaction::stage::Hashing;

/// Where the files of a source package go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// Directory of sources and patches, below the root (`%_sourcedir`).
    pub sources: String,
    /// Directory of the specification (`%_specdir`).
    pub specs: String,
}

/// Returns the position of the specification: the file marked as one, else the one with its ending.
pub fn specification(header: &Header) -> Option<usize> {
    let files = header.files();
    let marked = files.iter().position(|file| file.flags.contains(FileFlags::SPECFILE));
    marked.or_else(|| files.iter().position(|file| file.path.ends_with(".spec")))
}

/// Verifies a source package as `trust` demands and puts its files into their places; what is there under the same names is replaced,
/// once all files are there.
///
/// # Errors
/// The file is no source package, is not trusted, or has something other than plain files.
pub fn install(
    root: &Root,
    path: &Path,
    places: &Places,
    (trust, keyring): (Trust, &Keyring),
) -> Result<(), TransactionError> {
    let package = read_package(path, trust, keyring)?;
    let bad = |reason: String| TransactionError::Package {
        path: path.to_owned(),
        reason,
        hint: Some("build it again with `rpmbuild -bs`".to_owned()),
    };
    if !package.header.is_source() {
        return Err(bad("expected a source package, found a binary one".to_owned()));
    }
    let Some(spec) = specification(&package.header) else {
        return Err(bad("source package has no .spec file".to_owned()));
    };
    let files = package.header.files();
    if let Some(file) = files.iter().find(|file| file.path.contains('/') || !file.is_regular()) {
        return Err(bad(format!("`{}`: not a plain file name of a source package", file.path)));
    }
    let mut source = File::open(path).map_err(|error| bad(error.to_string()))?;
    source.seek(SeekFrom::Start(package.header_end)).map_err(|error| bad(error.to_string()))?;
    let staging = Staging { root, places, files: &files, spec };
    for directory in [&places.sources, &places.specs] {
        root.mkdir_all(directory, 0o755)?;
    }
    let unpack = || -> Result<(), TransactionError> {
        let wrong = |error: cairn_rpm::error::Error| bad(chain(&error));
        let mut payload = package.payload(BufReader::new(source)).map_err(wrong)?;
        while let Some(mut entry) = payload.next_entry().map_err(wrong)? {
            let at = entry.file_index;
            staging.write(at, &mut entry).map_err(|error| match error {
                Wrong::Content(reason) => bad(reason),
                Wrong::Host(error) => error.into(),
            })?;
        }
        Ok(())
    };
    let done = unpack();
    staging.finish(done.is_ok())?;
    done
}

/// Files under temporary names beside their places.
struct Staging<'a> {
    root: &'a Root,
    places: &'a Places,
    files: &'a [FileEntry],
    spec: usize,
}

enum Wrong {
    Content(String),
    Host(HostError),
}

impl From<HostError> for Wrong {
    fn from(error: HostError) -> Self {
        Self::Host(error)
    }
}

impl Staging<'_> {
    fn directory(&self, at: usize) -> &str {
        if at == self.spec { &self.places.specs } else { &self.places.sources }
    }

    fn name(&self, at: usize) -> String {
        format!("{}/.cairn-source-{at}", self.directory(at))
    }

    fn write(&self, at: usize, entry: &mut PayloadEntry<'_, BufReader<File>>) -> Result<(), Wrong> {
        let (file, name) = (&self.files[at], self.name(at));
        if self.root.symlink_metadata(&name)?.is_some() {
            self.root.remove_file(&name)?;
        }
        let created = self.root.create_new(&name, u32::from(file.mode & 0o777))?;
        let mut target = Hashing { file: created, hash: Running::like(&file.digest) };
        entry
            .copy_to(&mut target)
            .map_err(|error| Wrong::Content(format!("{}: {}", file.path, chain(&error))))?;
        if let Some(found) = target.hash.map(Running::finish)
            && found != file.digest
        {
            let expected = &file.digest;
            let reason =
                format!("{}: digest mismatch: expected {expected} found {found}", file.path);
            return Err(Wrong::Content(reason));
        }
        let time = UNIX_EPOCH + Duration::from_secs(u64::from(file.mtime));
        target.file.set_modified(time).map_err(|source| {
            let (operation, path) = ("set the time of", name.into());
            Wrong::Host(HostError::Io { operation, path, source })
        })
    }

    /// Puts all files into place, or takes all away.
    fn finish(&self, is_good: bool) -> Result<(), HostError> {
        for (at, file) in self.files.iter().enumerate() {
            let name = self.name(at);
            if self.root.symlink_metadata(&name)?.is_none() {
                continue;
            }
            if is_good {
                self.root.rename(&name, format!("{}/{}", self.directory(at), file.path))?;
            } else {
                self.root.remove_file(&name)?;
            }
        }
        Ok(())
    }
}
