// SPDX-License-Identifier: MIT OR Apache-2.0
//! The content-addressed cache of downloads: `files/ab/abcd…` by SHA-256.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::{Context as _, Result};
use cairn_host::fetch::{Download, Expected, FetchError, Progress, Way};
use cairn_ui::Unit;

use crate::context::Context;
use crate::lock::LockedFile;

/// How many downloads run at once.
const PARALLEL: usize = 6;

/// Returns where a file with this digest lies, or would lie, in the cache.
pub fn cached_path(cache: &Path, sha256: &str) -> PathBuf {
    cache.join("files").join(&sha256[..2.min(sha256.len())]).join(sha256)
}

/// Returns the files that are not in the cache yet. A cached file counts when its size is right: its digest was checked
/// when it was put there, and is checked again by whoever reads it.
pub fn missing<'a>(
    ctx: &Context,
    files: impl Iterator<Item = &'a LockedFile>,
) -> Vec<&'a LockedFile> {
    files
        .filter(|file| {
            std::fs::metadata(cached_path(&ctx.cache, &file.sha256))
                .map_or(true, |found| found.len() != file.size)
        })
        .collect()
}

/// A locked file that the mirror no longer has.
#[derive(Debug, thiserror::Error)]
#[error("the mirror no longer has {} {} ({})", .0.name, .0.version, .0.path)]
pub struct Vanished(pub LockedFile);

/// Downloads the given files into the cache, several at once, with progress.
///
/// Returns the files that the mirror has dropped (HTTP 404 or 410); every other failure is an error.
pub fn download(ctx: &Context, files: &[&LockedFile]) -> Result<Vec<LockedFile>> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let mirror = ctx.mirror()?;
    let mut downloads = Vec::new();
    for file in files {
        let dest = cached_path(&ctx.cache, &file.sha256);
        let directory = dest.parent().expect("a cached path has a parent");
        std::fs::create_dir_all(directory)
            .with_context(|| format!("creating {}", directory.display()))?;
        let url = format!("{}/{}", mirror.archive(&file.suite), file.path);
        downloads.push(Download {
            url,
            dest,
            expected: Expected { sha256: Some(file.sha256.clone()), size: Some(file.size) },
            way: Way::default(),
        });
    }
    let total: u64 = files.iter().map(|file| file.size).sum();
    let progress = ctx.printer.progress(
        &format!("Downloading {} packages", files.len()),
        Some(total),
        Unit::Bytes,
    );
    let received = Mutex::new(vec![0_u64; files.len()]);
    let result = ctx.fetcher.download_all(&downloads, PARALLEL, &|event| {
        let (index, now) = match event {
            Progress::Received { index, received, .. } => (index, received),
            Progress::Finished { index, size } => (index, size),
            Progress::Retrying { .. } => return,
        };
        if let Ok(mut received) = received.lock() {
            progress.advance(now.saturating_sub(received[index]));
            received[index] = now.max(received[index]);
        }
    });
    drop(progress);
    match result {
        Ok(()) => Ok(Vec::new()),
        Err(error) if error.is_not_found() => find_vanished(ctx, files, &downloads, error),
        Err(error) => Err(error.into()),
    }
}

/// Returns every file that is not in the cache and that the mirror answers 404 for; there is at least one.
fn find_vanished(
    ctx: &Context,
    files: &[&LockedFile],
    downloads: &[Download],
    first: FetchError,
) -> Result<Vec<LockedFile>> {
    let mut vanished = Vec::new();
    for (file, download) in files.iter().zip(downloads) {
        match ctx.fetcher.download(&download.url, &download.dest, &download.expected, &mut |_| {}) {
            Ok(()) => {}
            Err(error) if error.is_not_found() => vanished.push((*file).clone()),
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("downloading {} {}", file.name, file.version));
            }
        }
    }
    if vanished.is_empty() { Err(first.into()) } else { Ok(vanished) }
}
