// SPDX-License-Identifier: MIT OR Apache-2.0
//! Makes a directory of packages a repository, as createrepo_c does: `repodata/` with primary, filelists, other and repomd.xml.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::num::NonZero;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, bail};
use cairn_host::Root;
use cairn_rpm::package::Package;
use cairn_rpm::repodata::{
    ExtraMetadata, KEY_LIST, Limits, RepoMd, RepoPackage, RepodataOptions, VALID_UNTIL,
    build_repodata_with, parse_comps, parse_updateinfo,
};
use sha2::{Digest as _, Sha256};

use crate::ops::key_list;

/// zstd level of the metadata: made often, here.
const METADATA_LEVEL: i32 = 9;
/// Largest groups or advisories file.
const EXTRA_LIMIT: u64 = 256 << 20;
/// Kinds of metadata that are made anew; all others are kept.
const MADE: [&str; 3] = ["primary", "filelists", "other"];
/// Said instead of a number of days.
const FOREVER: &str = "never";

/// What is made besides what the packages say.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// File with groups (comps.xml).
    pub groups: Option<PathBuf>,
    /// File with advisories (updateinfo.xml).
    pub updateinfo: Option<PathBuf>,
    /// The revision; by default the time.
    pub revision: Option<String>,
    /// How long `dnf` may trust the metadata.
    pub valid: Validity,
    /// Now, seconds since 1970.
    pub now: u64,
}

/// How long machines may trust metadata, so that a mirror can withhold updates no longer than that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// This many days.
    Days(NonZero<u32>),
    /// Without an end: for media, and for what nobody signs again.
    Forever,
}

impl Validity {
    /// Returns the last second at which metadata made at `now` may be trusted; both seconds since 1970.
    fn end(self, now: u64) -> Option<u64> {
        match self {
            Self::Days(days) => Some(now + u64::from(days.get()) * 86_400),
            Self::Forever => None,
        }
    }
}

impl Default for Validity {
    /// Two weeks.
    fn default() -> Self {
        Self::Days(const { NonZero::new(14).unwrap() })
    }
}

impl fmt::Display for Validity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Days(days) => days.fmt(formatter),
            Self::Forever => formatter.write_str(FOREVER),
        }
    }
}

impl FromStr for Validity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            FOREVER => Ok(Self::Forever),
            days => days
                .parse()
                .map(Self::Days)
                .map_err(|_| format!("expected a number of days from 1 on, or `{FOREVER}`")),
        }
    }
}

/// What was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Indexed {
    /// Number of packages.
    pub packages: usize,
    /// Whether a signature of the former metadata was removed.
    pub was_signed: bool,
    /// Until when machines trust it, seconds since 1970.
    pub valid_until: Option<u64>,
}

/// Writes `repodata/` of a directory. Groups, advisories, other metadata and the name of the distribution that are there
/// already stay, unless new ones are given.
pub fn index(directory: &Path, options: &Options) -> Result<Indexed> {
    let root = Root::open(directory)?;
    let locations = find_packages(directory)?;
    let packages = describe_all(directory, &locations)?;
    let valid_until = options.valid.end(options.now);
    let mut present = present(&root)?;
    let distro_tags = std::mem::take(&mut present.distro_tags);
    let extras = extras(&root, present, options)?;
    let until = valid_until.map(|until| format!("{VALID_UNTIL}{until}"));
    let keys = key_list::newest(&root)?;
    let keys = (keys > 0).then(|| format!("{KEY_LIST}{keys}"));
    let repodata = RepodataOptions {
        revision: options.revision.clone().unwrap_or_else(|| options.now.to_string()),
        timestamp: options.now,
        zstd_level: METADATA_LEVEL,
        content_tags: until.into_iter().chain(keys).collect(),
        distro_tags,
    };
    let n_packages = packages.len();
    let files =
        build_repodata_with(packages, extras, &repodata).context("compressing the metadata")?;
    root.mkdir_all("repodata", 0o755)?;
    let mut names = BTreeSet::new();
    // repomd.xml is the last: whoever reads meanwhile finds the old files or the new ones.
    for file in files {
        root.write_atomic(&file.path, &file.bytes, 0o644)?;
        names.insert(file.path.trim_start_matches("repodata/").to_owned());
    }
    let was_signed = remove_others(&root, &names)?;
    Ok(Indexed { packages: n_packages, was_signed, valid_until })
}

/// Returns the paths of all packages below a directory, sorted; links are followed.
fn find_packages(directory: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut visited = BTreeSet::new();
    let mut queue = vec![String::new()];
    while let Some(below) = queue.pop() {
        let path = directory.join(&below);
        let failed = || format!("reading {}", path.display());
        let metadata = std::fs::metadata(&path).with_context(failed)?;
        if !visited.insert((metadata.dev(), metadata.ino())) {
            continue;
        }
        for entry in std::fs::read_dir(&path).with_context(failed)? {
            let name = entry.with_context(failed)?.file_name();
            let Some(name) = name.to_str() else {
                bail!("{} has a file name that is not UTF-8: {}", path.display(), name.display());
            };
            let location =
                if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
            // A link that leads nowhere is no package.
            let Ok(metadata) = std::fs::metadata(directory.join(&location)) else { continue };
            if metadata.is_dir() && location != "repodata" {
                queue.push(location);
            } else if metadata.is_file() && name.ends_with(".rpm") {
                found.push(location);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Describes packages on all processors, in order.
fn describe_all(directory: &Path, locations: &[String]) -> Result<Vec<RepoPackage>> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut described = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(location) = locations.get(number) else { return described };
            described.push((number, describe(directory, location)));
        }
    };
    let n_threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let mut described = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..n_threads).map(|_| scope.spawn(work)).collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, Vec<_>>| match thread.join() {
            Ok(described) => described,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        threads.into_iter().flat_map(join).collect::<Vec<_>>()
    });
    described.sort_by_key(|(number, _)| *number);
    described.into_iter().map(|(_, package)| package).collect()
}

fn describe(directory: &Path, location: &str) -> Result<RepoPackage> {
    let path = directory.join(location);
    let failed = || format!("reading {}", path.display());
    let file = File::open(&path).with_context(failed)?;
    let metadata = file.metadata().with_context(failed)?;
    let mut reader = Hashing { inner: file, hash: Sha256::new() };
    let package = {
        let mut buffered = BufReader::with_capacity(64 << 10, &mut reader);
        let package = Package::parse(&mut buffered).with_context(failed)?;
        io::copy(&mut buffered, &mut io::sink()).with_context(failed)?;
        package
    };
    let sha256 = hex::encode(reader.hash.finalize());
    let mut entry = RepoPackage::from_package(&package, location, metadata.len(), &sha256);
    entry.time_file = u64::try_from(metadata.mtime()).unwrap_or(0);
    Ok(entry)
}

/// Hashes what is read.
struct Hashing {
    inner: File,
    hash: Sha256,
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(&buffer[..count]);
        Ok(count)
    }
}

/// Returns the metadata that does not come from packages: what is given, and what is there and not replaced by it.
fn extras(root: &Root, present: RepoMd, options: &Options) -> Result<Vec<ExtraMetadata>> {
    let mut extras = Vec::new();
    if let Some(path) = &options.groups {
        let bytes = read_extra(path)?;
        parse_comps(bytes.as_slice(), &Limits::for_size(EXTRA_LIMIT))
            .with_context(|| format!("reading {}", path.display()))?;
        // Not compressed, which every reader of comps.xml understands.
        extras.push(ExtraMetadata::plain("group", "comps.xml", bytes, options.now));
    }
    if let Some(path) = &options.updateinfo {
        let bytes = read_extra(path)?;
        parse_updateinfo(bytes.as_slice(), &Limits::for_size(EXTRA_LIMIT))
            .with_context(|| format!("reading {}", path.display()))?;
        let name = "updateinfo.xml";
        let extra =
            ExtraMetadata::compressed("updateinfo", name, &bytes, (options.now, METADATA_LEVEL))
                .context("compressing the advisories")?;
        extras.push(extra);
    }
    let given: BTreeSet<String> = extras.iter().map(|extra| kind(&extra.record.kind)).collect();
    extras.extend(
        kept(root, present)?.into_iter().filter(|extra| !given.contains(&kind(&extra.record.kind))),
    );
    Ok(extras)
}

/// Returns the kind of metadata without the form it is stored in: `group` for `group_gz`.
fn kind(stored: &str) -> String {
    stored.split('_').next().unwrap_or_default().to_owned()
}

fn read_extra(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(|| format!("reading {}", path.display()))?;
    file.take(EXTRA_LIMIT)
        .read_to_end(&mut bytes)
        .with_context(|| format!("reading {}", path.display()))?;
    Ok(bytes)
}

/// Reads the index that the directory has.
fn present(root: &Root) -> Result<RepoMd> {
    if !root.exists("repodata/repomd.xml")? {
        return Ok(RepoMd::default());
    }
    let bytes = root.read("repodata/repomd.xml")?;
    RepoMd::parse(&bytes).context("reading the present repodata/repomd.xml")
}

/// Returns the metadata of the present index that is kept.
fn kept(root: &Root, present: RepoMd) -> Result<Vec<ExtraMetadata>> {
    let mut kept = Vec::new();
    for record in present.records {
        if MADE.contains(&kind(&record.kind).as_str()) {
            continue;
        }
        cairn_rpm::repodata::check_location(&record.location)
            .context("reading the present repodata/repomd.xml")?;
        let bytes = root.read(&record.location)?;
        let found = hex::encode(Sha256::digest(&bytes));
        if found != record.checksum {
            bail!(
                "{} is not what repomd.xml says (expected sha256 {}, found {found})",
                record.location,
                record.checksum
            );
        }
        kept.push(ExtraMetadata { record, bytes });
    }
    Ok(kept)
}

/// Removes files of former metadata, and its signature, which does not fit any more; returns whether there was one.
fn remove_others(root: &Root, names: &BTreeSet<String>) -> Result<bool> {
    let mut was_signed = false;
    for name in root.read_dir("repodata")? {
        if names.contains(&name) || name == "repomd.xml.key" {
            continue;
        }
        was_signed |= name == "repomd.xml.asc";
        if root.symlink_metadata(format!("repodata/{name}"))?.is_some_and(|stat| stat.is_file()) {
            root.remove_file(format!("repodata/{name}"))?;
        }
    }
    Ok(was_signed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_rpm::build::{BuildOptions, PackageSpec, build_package};
    use cairn_rpm::evr::Evr;

    /// Writes a package into a directory.
    fn add(directory: &Path, location: &str, name: &str) {
        let mut spec = PackageSpec::new(name, Evr::new(0, "1", "1"), "noarch");
        spec.summary = "A package".to_owned();
        let bytes = build_package(&spec, &BuildOptions::new(1_700_000_000), None).unwrap();
        let path = directory.join(location);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn kinds(directory: &Path) -> Vec<String> {
        let bytes = std::fs::read(directory.join("repodata/repomd.xml")).unwrap();
        RepoMd::parse(&bytes).unwrap().records.into_iter().map(|record| record.kind).collect()
    }

    fn valid_until(directory: &Path) -> Option<u64> {
        let bytes = std::fs::read(directory.join("repodata/repomd.xml")).unwrap();
        RepoMd::parse(&bytes).unwrap().valid_until().unwrap()
    }

    fn locations(directory: &Path) -> Vec<String> {
        let bytes = std::fs::read(directory.join("repodata/repomd.xml")).unwrap();
        let repomd = RepoMd::parse(&bytes).unwrap();
        let primary = directory.join(&repomd.record("primary").unwrap().location);
        let text = zstd::decode_all(File::open(primary).unwrap()).unwrap();
        let mut found = Vec::new();
        let limits = Limits::for_size(text.len() as u64);
        cairn_rpm::repodata::parse_primary(text.as_slice(), &limits, &mut |package| {
            found.push(package.location);
        })
        .unwrap();
        found
    }

    #[test]
    fn packages_below_are_found_and_other_metadata_stays() {
        let place = tempfile::tempdir().unwrap();
        let directory = place.path();
        add(directory, "b.rpm", "b");
        add(directory, "sub/deep/a.rpm", "a");
        std::fs::write(directory.join("sub/notes.txt"), "no package").unwrap();
        // A directory that holds itself ends too.
        std::os::unix::fs::symlink("..", directory.join("sub/up")).unwrap();
        let groups = directory.join("groups.xml");
        std::fs::write(&groups, "<comps><group><id>g</id><name>G</name></group></comps>").unwrap();
        let options = Options { groups: Some(groups), now: 1_700_000_000, ..Options::default() };
        let indexed = index(directory, &options).unwrap();
        let until = 1_700_000_000 + 14 * 86_400;
        let expected = Indexed { packages: 2, was_signed: false, valid_until: Some(until) };
        assert_eq!(indexed, expected);
        assert_eq!(valid_until(directory), Some(until));
        assert_eq!(kinds(directory), ["primary", "filelists", "other", "group"]);
        assert_eq!(locations(directory), ["sub/deep/a.rpm", "b.rpm"]);

        // A second time: one package less, the groups stay, what is stale goes.
        std::fs::remove_file(directory.join("b.rpm")).unwrap();
        std::fs::write(directory.join("repodata/repomd.xml.asc"), "old").unwrap();
        let again = Options { now: 1_700_000_001, valid: Validity::Forever, ..Options::default() };
        let indexed = index(directory, &again).unwrap();
        assert_eq!(indexed, Indexed { packages: 1, was_signed: true, valid_until: None });
        assert_eq!(valid_until(directory), None);
        assert_eq!(kinds(directory), ["primary", "filelists", "other", "group"]);
        assert_eq!(locations(directory), ["sub/deep/a.rpm"]);
        let files = std::fs::read_dir(directory.join("repodata")).unwrap().count();
        assert_eq!(files, 5, "four documents and repomd.xml");
    }

    #[test]
    fn days_of_validity_are_a_number_or_never() {
        assert_eq!("never".parse(), Ok(Validity::Forever));
        assert_eq!("3".parse::<Validity>().unwrap().end(10), Some(10 + 3 * 86_400));
        for wrong in ["0", "-1", "", "two", "1.5", "4294967296", "Never"] {
            assert!(wrong.parse::<Validity>().is_err(), "{wrong}");
        }
        for valid in [Validity::default(), Validity::Forever] {
            assert_eq!(valid.to_string().parse(), Ok(valid));
        }
    }

    #[test]
    fn what_is_no_package_is_named() {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("x.rpm"), "something else").unwrap();
        let error = index(place.path(), &Options::default()).unwrap_err();
        assert!(format!("{error:#}").contains("x.rpm"), "{error:#}");
    }
}
