// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every RPM of the repository: re-packaged, native, from the workspace, and the initramfs packages.
//!
//! Each upstream package is re-packaged once per content: the cache key covers the .deb, its overlay, the set of packages it is
//! resolved against, and the signing key.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, anyhow};
use cairn_rpm::build::{BuildOptions, PackageSpec, build_package};
use cairn_ui::Unit;

use crate::apt::packages::split_dependencies;
use crate::deb::Deb;
use crate::digest::Key;
use crate::fetch;
use crate::lock::{LockedFile, Use};
use crate::ops::build::Build;
use crate::ops::upstream::Upstream;
use crate::repack::{self, PackageSet};

/// Raise when re-packaging changes what it makes.
const REPACK_VERSION: u32 = 6;
/// zstd level of payloads: the time goes into decompressing .debs, and modules are compressed already.
const ZSTD_LEVEL: i32 = 9;

/// The RPM files of one build.
#[derive(Debug, Default)]
pub struct Packages {
    /// Paths in the cache, sorted by file name.
    pub files: Vec<PathBuf>,
    /// Where each package comes from, by RPM file name.
    pub origins: BTreeMap<String, Origin>,
}

/// Where a package comes from.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Origin {
    /// `debian`, `native` or `workspace`.
    pub kind: &'static str,
    /// Package URL.
    pub purl: String,
    /// SHA-256 of the upstream file; empty for our own.
    pub upstream_sha256: String,
}

impl Packages {
    pub(crate) fn add(&mut self, files: Vec<PathBuf>, origin: &Origin) {
        for file in files {
            self.origins.insert(file_name(&file), origin.clone());
            self.files.push(file);
        }
        self.files.sort_by_key(|path| file_name(path));
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Builds, or takes from the cache, every package.
pub fn build(build: &Build<'_>) -> Result<Packages> {
    let mut packages = Packages::default();
    repack_upstream(build, &mut packages)?;
    build_natives(build, &mut packages)?;
    crate::ops::workspace::build(build, &mut packages)?;
    crate::compose::initramfs::build(build, &mut packages)?;
    Ok(packages)
}

/// Returns the set that dependencies are translated against: our names of all packages, and what they provide.
pub fn package_set(build: &Build<'_>) -> PackageSet {
    package_set_of(&build.upstream)
}

/// As [`package_set`], for a definition that is not being built.
pub fn package_set_of(upstream: &Upstream) -> PackageSet {
    let overlays = &upstream.overlays;
    let mut set = PackageSet::default();
    // Of both generations, so that packages that are the same in both are re-packaged once.
    let files = upstream.lock.used_for(Use::Os).chain(upstream.lock.used_for(Use::Previous));
    for file in files {
        set.names.insert(file.name.clone(), overlays.overlay_for(&file.name).our_name());
        for group in split_dependencies(&file.provides) {
            set.virtual_names.extend(group.iter().map(|alternative| alternative.name.to_owned()));
        }
    }
    set
}

/// What is the same for all upstream packages of a build.
struct Repacking<'a> {
    build: &'a Build<'a>,
    set: PackageSet,
    set_digest: String,
    key_digest: String,
}

fn repack_upstream(build: &Build<'_>, packages: &mut Packages) -> Result<()> {
    let set = package_set(build);
    let set_digest = crate::digest::sha256_hex(format!("{set:?}").as_bytes());
    let key_digest = crate::digest::sha256_hex(build.key.public_armored()?.as_bytes());
    let repacking = Repacking { build, set, set_digest, key_digest };
    let files = build.upstream.os_files();
    let progress =
        build.ctx.printer.progress("Re-packaging", Some(files.len() as u64), Unit::Items);
    let results = in_parallel(&files, |file| {
        let made = repack_one(&repacking, file)
            .with_context(|| format!("re-packaging {} {}", file.name, file.version));
        progress.advance(1);
        made
    });
    drop(progress);
    let mut failed: Vec<(&str, anyhow::Error)> = Vec::new();
    for (file, result) in files.iter().zip(results) {
        let origin =
            Origin { kind: "debian", purl: purl(file), upstream_sha256: file.sha256.clone() };
        match result {
            Ok(made) => packages.add(made, &origin),
            Err(error) => failed.push((&file.name, error)),
        }
    }
    stop_on_failures(build, failed)
}

/// Ends the build with the first failure; the others are named, so that one run shows all that is to be done.
fn stop_on_failures(build: &Build<'_>, failed: Vec<(&str, anyhow::Error)>) -> Result<()> {
    let mut failed = failed.into_iter();
    let Some((_, first)) = failed.next() else { return Ok(()) };
    for (_, other) in failed {
        build.ctx.printer.error(&crate::error::problem(&other));
    }
    Err(first)
}

/// Runs `work` on all items with one thread per processor; results come back in the order of the items.
fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::new());
    let n_threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..n_threads {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { break };
                    let result = work(item);
                    results
                        .lock()
                        .expect("no worker panics while it holds the lock")
                        .push((index, result));
                }
            });
        }
    });
    let mut results = results.into_inner().expect("all workers have ended");
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

fn purl(file: &LockedFile) -> String {
    format!("pkg:deb/debian/{}@{}?arch={}", file.name, file.version.replace('+', "%2B"), file.arch)
}

fn repack_one(repacking: &Repacking<'_>, file: &LockedFile) -> Result<Vec<PathBuf>> {
    let build = repacking.build;
    let overlay = build.upstream.overlays.overlay_for(&file.name);
    let key = Key::new("repack", REPACK_VERSION)
        .part(file.sha256.as_bytes())
        .part(overlay.fingerprint().as_bytes())
        .part(repacking.set_digest.as_bytes())
        .part(repacking.key_digest.as_bytes());
    cached(build, &key.finish(), || {
        let path = fetch::cached_path(&build.ctx.cache, &file.sha256);
        let bytes = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        let found = crate::digest::sha256_hex(&bytes);
        if found != file.sha256 {
            std::fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
            return Err(anyhow!(
                "the cached file is damaged (expected sha256 {}, found {found}); it was removed, run the command again",
                file.sha256
            ));
        }
        let deb = Deb::parse(&file.path, &bytes)?;
        // The package's own age, not the lock's: a moved lock leaves unmoved packages as they are.
        let source_date = deb
            .entries
            .iter()
            .map(|entry| entry.mtime)
            .max()
            .and_then(|newest| u32::try_from(newest).ok())
            .unwrap_or(0);
        let options = options(build, source_date);
        let mut repacked = repack::repack(&deb, &overlay, &repacking.set, &options)?;
        drop(deb);
        crate::ops::python::byte_compile(build, &mut repacked)?;
        sign_all(build, &repacked.packages, source_date)
    })
}

fn options(build: &Build<'_>, source_date: u32) -> repack::RepackOptions {
    repack::RepackOptions { source_date, vendor: build.upstream.distro.name.clone() }
}

fn build_natives(build: &Build<'_>, packages: &mut Packages) -> Result<()> {
    let set = package_set(build);
    let source_date = build.upstream.lock.source_date;
    for (name, native) in build.upstream.overlays.natives() {
        let mut native = native.clone();
        native.release = build.upstream.own_release(&native.release);
        let overlay = build.upstream.overlays.overlay_for(name);
        let repacked = repack::native(name, &native, &overlay, &set, &options(build, source_date))
            .with_context(|| format!("packaging {name}"))?;
        let files = store(build, &repacked.packages, source_date)?;
        let origin = Origin {
            kind: "native",
            purl: format!("pkg:rpm/cairn/{name}@{}", native.version),
            upstream_sha256: String::new(),
        };
        packages.add(files, &origin);
    }
    Ok(())
}

/// Builds and signs our own packages, once per content.
pub(crate) fn store(
    build: &Build<'_>,
    specs: &[PackageSpec],
    source_date: u32,
) -> Result<Vec<PathBuf>> {
    let public = build.key.public_armored()?;
    let key = specs.iter().fold(
        Key::new("spec", REPACK_VERSION).part(public.as_bytes()).part(&source_date.to_le_bytes()),
        |key, spec| key.part(format!("{spec:?}").as_bytes()),
    );
    cached(build, &key.finish(), || sign_all(build, specs, source_date))
}

pub(crate) fn sign_all(
    build: &Build<'_>,
    specs: &[PackageSpec],
    source_date: u32,
) -> Result<Vec<(String, Vec<u8>)>> {
    let options = BuildOptions {
        zstd_level: ZSTD_LEVEL,
        build_host: "cairn".into(),
        ..BuildOptions::new(source_date)
    };
    specs
        .iter()
        .map(|spec| {
            let bytes = build_package(spec, &options, Some(&build.key))
                .with_context(|| format!("building {}", spec.name))?;
            Ok((
                format!(
                    "{}-{}-{}.{}.rpm",
                    spec.name, spec.evr.version, spec.evr.release, spec.arch
                ),
                bytes,
            ))
        })
        .collect()
}

/// Returns the files of the cache entry `key`, making them with `make` when there is none. An entry appears whole or not at all.
pub(crate) fn cached(
    build: &Build<'_>,
    key: &str,
    make: impl FnOnce() -> Result<Vec<(String, Vec<u8>)>>,
) -> Result<Vec<PathBuf>> {
    let directory = build.ctx.cache_dir("rpms")?.join(key);
    if !directory.is_dir() {
        let staging = directory.with_extension(format!("{}.new", std::process::id()));
        std::fs::create_dir_all(&staging)
            .with_context(|| format!("creating {}", staging.display()))?;
        for (name, bytes) in make()? {
            let path = staging.join(name);
            std::fs::write(&path, bytes).with_context(|| format!("writing {}", path.display()))?;
        }
        match std::fs::rename(&staging, &directory) {
            Ok(()) => {}
            Err(_) if directory.is_dir() => std::fs::remove_dir_all(&staging)
                .with_context(|| format!("removing {}", staging.display()))?,
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("moving {} into the cache", staging.display()));
            }
        }
    }
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in
        std::fs::read_dir(&directory).with_context(|| format!("reading {}", directory.display()))?
    {
        files.push(entry?.path());
    }
    files.sort();
    Ok(files)
}
