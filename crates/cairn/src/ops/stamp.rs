// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether a build would make again what is already there.
//!
//! A stamp names everything that a build is made from (this program, the definition with its lock, the sources of our own
//! packages, the signing key, the toolchain, what was asked for) by one digest, and what came of it by size and time. Where both still
//! hold, there is nothing to build.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use cairn_host::Root;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::digest::{Key, sha256_file, sha256_hex};
use crate::keys;
use crate::ops::build::Settings;

/// Raise when the meaning of a stamp changes.
const STAMP_VERSION: u32 = 1;

/// What of the checkout a build reads.
const SOURCES: [&str; 4] = ["distro", "crates", "Cargo.toml", "Cargo.lock"];

/// The record of one finished build.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    /// Digest of all inputs.
    inputs: String,
    /// What the build reported as made.
    made: Vec<PathBuf>,
    /// What was written beside that.
    beside: Vec<PathBuf>,
    /// Every file of both.
    files: Vec<FileState>,
}

/// What tells that a file was not touched since.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct FileState {
    path: PathBuf,
    size: u64,
    mtime: (i64, i64),
    inode: u64,
}

/// The stamp of one build command with one output directory.
#[derive(Debug)]
pub struct Stamp {
    path: PathBuf,
    inputs: String,
}

impl Stamp {
    /// Computes the digest of everything that `what` would be built from.
    pub fn of(ctx: &Context, settings: &Settings, what: &str) -> Result<Self> {
        let key = keys::load(ctx, settings.signing_key.as_deref())?;
        let program = std::env::current_exe().context("finding this program")?;
        let toolchain = super::toolchain()?;
        let mut inputs = Key::new("build", STAMP_VERSION)
            .part(what.as_bytes())
            .part(format!("{:?}", settings.generation).as_bytes())
            .part(key.public_armored()?.as_bytes())
            .part(toolchain.as_bytes())
            .part(sha256_file(&program).context("reading this program")?.as_bytes());
        for source in SOURCES {
            inputs = inputs.part(tree_digest(&ctx.project.join(source))?.as_bytes());
        }
        let name = sha256_hex(format!("{what} {}", settings.out.display()).as_bytes());
        let path = ctx.cache_dir("stamps")?.join(format!("{name}.json"));
        Ok(Self { path, inputs: inputs.finish() })
    }

    /// Returns what is already made, if the inputs are the same and nobody touched the results.
    ///
    /// A stamp that cannot be read is none.
    pub fn up_to_date(&self) -> Option<Vec<PathBuf>> {
        let text = std::fs::read_to_string(&self.path).ok()?;
        let record: Record = serde_json::from_str(&text).ok()?;
        let now = states(record.made.iter().chain(&record.beside)).ok()?;
        (record.inputs == self.inputs && record.files == now).then_some(record.made)
    }

    /// Records that `made`, and `beside` it, came of the inputs.
    ///
    /// The inputs are those of the beginning: what changed during the build is built by the next.
    pub fn record(&self, made: &[PathBuf], beside: &[PathBuf]) -> Result<()> {
        let record = Record {
            inputs: self.inputs.clone(),
            made: made.to_vec(),
            beside: beside.to_vec(),
            files: states(made.iter().chain(beside))?,
        };
        let directory = self.path.parent().unwrap_or(Path::new("."));
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = serde_json::to_string(&record)?;
        Ok(Root::open(directory)?.write_atomic(name, text.as_bytes(), 0o644)?)
    }
}

/// Digest of a file, or of the names and contents of all files below a directory.
fn tree_digest(path: &Path) -> Result<String> {
    let mut key = Key::new("tree", STAMP_VERSION);
    for file in files_below(path)? {
        key =
            key.part(file.strip_prefix(path).unwrap_or(&file).as_os_str().as_encoded_bytes()).part(
                sha256_file(&file)
                    .with_context(|| format!("reading {}", file.display()))?
                    .as_bytes(),
            );
    }
    Ok(key.finish())
}

fn states<'a>(made: impl Iterator<Item = &'a PathBuf>) -> Result<Vec<FileState>> {
    let mut states = Vec::new();
    for path in made {
        for path in files_below(path)? {
            let metadata = std::fs::symlink_metadata(&path)
                .with_context(|| format!("reading {}", path.display()))?;
            states.push(FileState {
                size: metadata.len(),
                mtime: (metadata.mtime(), metadata.mtime_nsec()),
                inode: metadata.ino(),
                path,
            });
        }
    }
    Ok(states)
}

/// Returns the path itself, or all files below it in name order.
fn files_below(path: &Path) -> Result<Vec<PathBuf>> {
    let metadata =
        std::fs::symlink_metadata(path).with_context(|| format!("reading {}", path.display()))?;
    if !metadata.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path).with_context(|| format!("reading {}", path.display()))? {
        names.push(entry.with_context(|| format!("reading {}", path.display()))?.path());
    }
    names.sort();
    let mut files = Vec::new();
    for name in names {
        files.extend(files_below(&name)?);
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(directory: &Path, inputs: &str) -> Stamp {
        Stamp { path: directory.join("stamp.json"), inputs: inputs.to_owned() }
    }

    #[test]
    fn results_hold_until_inputs_or_files_change() {
        let directory = tempfile::tempdir().unwrap();
        let made = vec![directory.path().join("out")];
        std::fs::create_dir(&made[0]).unwrap();
        std::fs::write(made[0].join("a"), "1").unwrap();
        assert_eq!(stamp(directory.path(), "x").up_to_date(), None);
        stamp(directory.path(), "x").record(&made, &[]).unwrap();
        assert_eq!(stamp(directory.path(), "x").up_to_date(), Some(made.clone()));
        assert_eq!(stamp(directory.path(), "y").up_to_date(), None);
        std::fs::write(made[0].join("a"), "22").unwrap();
        assert_eq!(stamp(directory.path(), "x").up_to_date(), None);
        stamp(directory.path(), "x").record(&made, &[]).unwrap();
        std::fs::remove_file(made[0].join("a")).unwrap();
        assert_eq!(stamp(directory.path(), "x").up_to_date(), None);
    }

    #[test]
    fn every_file_and_name_of_a_tree_counts() {
        let directory = tempfile::tempdir().unwrap();
        let tree = directory.path();
        std::fs::create_dir(tree.join("d")).unwrap();
        std::fs::write(tree.join("d/a"), "1").unwrap();
        let first = tree_digest(tree).unwrap();
        std::fs::write(tree.join("d/a"), "2").unwrap();
        let second = tree_digest(tree).unwrap();
        std::fs::rename(tree.join("d/a"), tree.join("d/b")).unwrap();
        let third = tree_digest(tree).unwrap();
        assert!(first != second && second != third);
    }
}
