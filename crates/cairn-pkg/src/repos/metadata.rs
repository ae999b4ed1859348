// SPDX-License-Identifier: MIT OR Apache-2.0
//! The metadata cache: `var/cache/libdnf5/ID-HASH/{repodata,packages}/`.
//!
//! `repomd.xml` is checked (signature, age of its revision) before anything it names is fetched; every file it names is
//! checked by size and SHA-256 before it gets its name in the cache, and again when it is read.

use super::key_list::{self, TrustedKeys};
use super::mirrors::{self, Mirrors};
use super::network::Network;
use super::packages::{self, Packages};
use super::trust::{self, Seen};
use super::{MainConfig, RepoConfig, RepoError, decompress, error};
use cairn_host::Root;
use cairn_host::fetch::{Expected, FetchError};
use cairn_rpm::evr::Nevra;
use cairn_rpm::repodata::index::{IndexError, IndexedPackage};
use cairn_rpm::repodata::{
    Advisory, Comps, Limits, PackageFiles, RepoMd, RepoMdRecord, RepoPackage, check_location,
    parse_comps, parse_filelists, parse_other, parse_updateinfo,
};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Largest `repomd.xml` and signature accepted, in bytes.
const REPOMD_LIMIT: u64 = 1 << 20;

/// Packages that are read out of an index between giving back its memory.
const READ_AT_ONCE: usize = 2048;

/// Where metadata is kept.
#[derive(Debug, Clone)]
pub struct Cache {
    /// Root that holds it.
    pub root: Root,
    /// Directory of the cache inside the root.
    pub directory: String,
    /// Directory of the newest revisions seen inside the root.
    pub trust_directory: String,
}

/// When the network is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Only what is in the cache.
    CacheOnly,
    /// What is in the cache, unless it is older than `metadata_expire`.
    Normal,
    /// Always asks.
    Refresh,
}

/// Which packages are read when a repository is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All.
    All,
    /// None: [`read_packages`] follows.
    None,
}

/// Everything that loading needs besides the repository.
#[derive(Debug, Clone, Copy)]
pub struct LoadContext<'a> {
    /// `[main]`.
    pub main: &'a MainConfig,
    /// Cache.
    pub cache: &'a Cache,
    /// Root with the key files.
    pub config_root: &'a Root,
    /// Downloads.
    pub network: &'a Network,
    /// When to ask.
    pub freshness: Freshness,
    /// Whether file lists are needed.
    pub filelists: bool,
    /// Which packages are read at once.
    pub extent: Extent,
    /// Seconds since 1970.
    pub now: u64,
}

/// What happens while a repository is loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadEvent {
    /// Metadata of this repository was downloaded: so many bytes.
    Downloaded {
        /// Repository.
        id: String,
        /// Bytes.
        bytes: u64,
    },
    /// A repository was left out; why.
    Skipped {
        /// Repository.
        id: String,
        /// Reason.
        reason: String,
    },
    /// The repository has new keys.
    Keys {
        /// Repository.
        id: String,
        /// Version of its key list.
        version: u32,
        /// Fingerprints of keys that it used once and that do not count any more.
        retired: Vec<String>,
    },
    /// A package of the repository cannot be used; why.
    Package {
        /// Repository.
        id: String,
        /// Reason.
        reason: String,
    },
}

/// A loaded repository.
#[derive(Debug, Clone)]
pub struct Repository {
    /// Its definition.
    pub config: RepoConfig,
    /// Index of its metadata.
    pub repomd: RepoMd,
    /// Base URLs to fetch packages from, best first, without a slash at the end.
    pub base_urls: Vec<String>,
    /// Directory of its cache inside the cache's root.
    pub directory: String,
    /// All packages, not read yet.
    pub indexed: Packages,
    /// The packages that were read, in the order of the metadata.
    pub packages: Vec<RepoPackage>,
    /// Packages of which no more was read, in the order of the metadata.
    pub identities: Vec<Nevra>,
    /// Groups.
    pub comps: Comps,
    /// Whether `packages` have all of their files.
    pub has_filelists: bool,
    /// When the metadata was last known to be fresh, seconds since 1970.
    pub checked: i64,
}

/// Returns the name of a repository's directory in the cache: `ID-` and 16 digits of its first URL's SHA-256.
pub fn cache_name(repository: &RepoConfig) -> String {
    let first = repository
        .metalink
        .as_ref()
        .or(repository.mirrorlist.as_ref())
        .or(repository.baseurl.first());
    let digest = Sha256::digest(first.map(String::as_bytes).unwrap_or_default());
    format!("{}-{}", repository.id, &hex::encode(digest)[..16])
}

/// Returns whether packages of the repository must be signed.
pub fn must_sign_packages(repository: &RepoConfig, main: &MainConfig) -> bool {
    repository.gpgcheck.unwrap_or(main.gpgcheck)
}

/// Returns whether metadata of the repository must be signed.
pub fn must_sign_metadata(repository: &RepoConfig, main: &MainConfig) -> bool {
    repository.repo_gpgcheck.unwrap_or(main.repo_gpgcheck)
}

/// Loads one repository.
///
/// # Errors
/// Whatever makes its metadata unusable.
pub fn load_repository(
    repository: &RepoConfig,
    context: &LoadContext<'_>,
    events: &mut dyn FnMut(LoadEvent),
) -> Result<Repository, RepoError> {
    let directory = format!("{}/{}", context.cache.directory, cache_name(repository));
    let mut session = Session::new(repository, context, directory);
    let index = session.index();
    // Also where the index is refused: they count from now on.
    if let Some(TrustedKeys { list, retired }) = &session.keys {
        events(LoadEvent::Keys {
            id: repository.id.clone(),
            version: list.version(),
            retired: retired.iter().cloned().collect(),
        });
    }
    let (repomd, checked) = index?;
    if repomd.record("modules").is_some() {
        return Err(RepoError::Modular { id: session.id() });
    }
    let Some(record) = repomd.record("primary").cloned() else {
        return Err(session.malformed("repomd.xml names no primary metadata".to_owned()));
    };
    let indexed = session.open_packages(&record)?;
    let index = indexed.index().map_err(|e| session.malformed(e.to_string()))?;
    for reason in index.problems().map(str::to_owned) {
        events(LoadEvent::Package { id: repository.id.clone(), reason });
    }
    let mut loaded = Repository {
        indexed: indexed.clone(),
        config: repository.clone(),
        base_urls: Vec::new(),
        directory: session.directory.clone(),
        packages: Vec::new(),
        identities: Vec::new(),
        comps: Comps::default(),
        has_filelists: false,
        checked,
        repomd,
    };
    session.load_comps(&mut loaded)?;
    if context.extent == Extent::All {
        read_packages(&mut loaded, context, Reading::Everything)?;
    }
    if context.filelists {
        session.load_filelists(&mut loaded)?;
    }
    // A cached repository is used without asking for its mirrors until a package is needed.
    loaded.base_urls =
        session.mirrors.map_or_else(|| repository.baseurl.clone(), |mirrors| mirrors.urls);
    if session.downloaded > 0 {
        events(LoadEvent::Downloaded { id: repository.id.clone(), bytes: session.downloaded });
    }
    Ok(loaded)
}

/// What is read of packages.
#[derive(Debug, Clone, Copy)]
pub enum Reading<'a> {
    /// All of all.
    Everything,
    /// Name, version and architecture of all.
    Identities,
    /// All of those with these numbers, which are sorted.
    These(&'a [u32]),
}

/// Reads packages of a repository that was loaded without them.
///
/// # Errors
/// The index is damaged and cannot be made again.
pub fn read_packages(
    loaded: &mut Repository,
    context: &LoadContext<'_>,
    reading: Reading<'_>,
) -> Result<(), RepoError> {
    if loaded.read(reading).is_ok() {
        return Ok(());
    }
    let repository = loaded.config.clone();
    let mut session = Session::new(&repository, context, loaded.directory.clone());
    let record = loaded.repomd.record("primary").cloned().unwrap_or_default();
    packages::remove(session.root(), &format!("{}/repodata", session.directory), &record)?;
    loaded.indexed = session.open_packages(&record)?;
    loaded.read(reading).map_err(|error| session.malformed(error.to_string()))
}

impl Repository {
    fn read(&mut self, reading: Reading<'_>) -> Result<(), IndexError> {
        let index = self.indexed.index()?;
        (self.packages, self.identities) = (Vec::new(), Vec::new());
        match reading {
            Reading::Everything => {
                self.packages = index.packages().map(IndexedPackage::to_package).collect();
            }
            Reading::Identities => {
                self.identities = index.packages().map(|package| package.nevra()).collect();
            }
            Reading::These(numbers) => {
                self.packages.reserve_exact(numbers.len());
                // What was read to find these, and then what was copied, need not stay in memory.
                for some in numbers.chunks(READ_AT_ONCE) {
                    self.indexed.release();
                    let packages = some.iter().map(|number| index.package(*number).to_package());
                    self.packages.extend(packages);
                }
                self.indexed.release();
            }
        }
        index.check()
    }
}

/// Adds file lists to a repository that was loaded without them.
///
/// # Errors
/// As [`load_repository`].
pub fn add_filelists(
    loaded: &mut Repository,
    context: &LoadContext<'_>,
    events: &mut dyn FnMut(LoadEvent),
) -> Result<(), RepoError> {
    if loaded.has_filelists {
        return Ok(());
    }
    let repository = loaded.config.clone();
    let mut session = Session::new(&repository, context, loaded.directory.clone());
    session.load_filelists(loaded)?;
    if session.downloaded > 0 {
        events(LoadEvent::Downloaded { id: repository.id.clone(), bytes: session.downloaded });
    }
    Ok(())
}

/// Loads the advisories of a loaded repository; none when it has no updateinfo.
///
/// # Errors
/// As [`load_repository`].
pub fn load_advisories(
    loaded: &Repository,
    context: &LoadContext<'_>,
) -> Result<Vec<Advisory>, RepoError> {
    let kinds = ["updateinfo_zst", "updateinfo_xz", "updateinfo"];
    let Some(record) = kinds.iter().find_map(|kind| loaded.repomd.record(kind)) else {
        return Ok(Vec::new());
    };
    let mut session = Session::new(&loaded.config, context, loaded.directory.clone());
    let (text, limit) = session.document(record)?;
    parse_updateinfo(&text, &Limits::for_size(limit))
        .map_err(|error| session.malformed(error.to_string()))
}

/// Loads the change logs of a loaded repository, newest entries first; none when it has no other.xml.
///
/// # Errors
/// As [`load_repository`].
pub fn load_changelogs(
    loaded: &Repository,
    context: &LoadContext<'_>,
    each: &mut dyn FnMut(PackageFiles),
) -> Result<(), RepoError> {
    let Some(record) = loaded.repomd.record("other") else { return Ok(()) };
    let mut session = Session::new(&loaded.config, context, loaded.directory.clone());
    let (text, limit) = session.document(record)?;
    parse_other(text.as_slice(), &Limits::for_size(limit), each)
        .map(|_| ())
        .map_err(|error| session.malformed(error.to_string()))
}

/// Returns the base URLs of a repository, asking its mirror list where it has one.
///
/// # Errors
/// The mirror list cannot be fetched.
pub fn resolve_base_urls(
    repository: &RepoConfig,
    network: &Network,
) -> Result<Vec<String>, RepoError> {
    Ok(mirrors::find(repository, network)?.urls)
}

struct Session<'a> {
    repository: &'a RepoConfig,
    context: &'a LoadContext<'a>,
    directory: String,
    downloaded: u64,
    mirrors: Option<Mirrors>,
    /// The keys, if they were replaced meanwhile.
    keys: Option<TrustedKeys>,
}

impl<'a> Session<'a> {
    fn new(repository: &'a RepoConfig, context: &'a LoadContext<'a>, directory: String) -> Self {
        Self { repository, context, directory, downloaded: 0, mirrors: None, keys: None }
    }

    fn id(&self) -> String {
        self.repository.id.clone()
    }

    fn root(&self) -> &Root {
        &self.context.cache.root
    }

    fn malformed(&self, message: String) -> RepoError {
        RepoError::Metadata { id: self.id(), message }
    }

    fn get(&self, url: &str, limit: u64) -> Result<Vec<u8>, FetchError> {
        self.context.network.get(&self.repository.id, url, limit)
    }

    fn mirrors(&mut self) -> Result<Mirrors, RepoError> {
        if self.mirrors.is_none() {
            self.mirrors = Some(mirrors::find(self.repository, self.context.network)?);
        }
        Ok(self.mirrors.clone().unwrap_or_default())
    }

    /// Returns the checked index and when it was last known to be fresh.
    fn index(&mut self) -> Result<(RepoMd, i64), RepoError> {
        let path = format!("{}/repodata/repomd.xml", self.directory);
        let cached = self.root().metadata(&path)?;
        if let Some(stat) = &cached {
            let expire =
                self.repository.metadata_expire.unwrap_or(self.context.main.metadata_expire);
            let age = self.context.now.saturating_sub(u64::try_from(stat.mtime).unwrap_or(0));
            let is_fresh = match self.context.freshness {
                Freshness::CacheOnly => true,
                Freshness::Refresh => false,
                Freshness::Normal => {
                    expire.is_none_or(|limit| age < limit)
                        && self.root().metadata(self.expired_mark())?.is_none()
                }
            };
            if is_fresh {
                let bytes = self.root().read(&path)?;
                let signature = self.root().read(format!("{path}.asc")).unwrap_or_default();
                // The cache may be older than a stricter configuration.
                if self.check_index_signature(&bytes, &signature).is_ok() {
                    let repomd = self.parse_index(&bytes)?;
                    // Who asks for the cache alone knows that it is old.
                    let is_asked_for = self.context.freshness == Freshness::CacheOnly;
                    if is_asked_for || self.check_expiry(&repomd, None).is_ok() {
                        return Ok((repomd, stat.mtime));
                    }
                }
            }
        }
        if self.context.freshness == Freshness::CacheOnly {
            return Err(RepoError::NotCached { id: self.id() });
        }
        let (bytes, signature) = self.fetch_index()?;
        let repomd = self.parse_index(&bytes)?;
        let name = cache_name(self.repository);
        let cache = self.context.cache;
        let seen = trust::load_seen(&cache.root, &cache.trust_directory, &name)?;
        trust::check_rollback(&self.repository.id, &repomd.revision, seen.as_ref())?;
        self.check_expiry(&repomd, seen.as_ref())?;
        self.store_index(&bytes, &signature)?;
        let expires = repomd.valid_until().is_ok_and(|until| until.is_some());
        let now_seen =
            Seen { revision: repomd.revision.clone(), time: expires.then_some(self.context.now) };
        if seen.as_ref() != Some(&now_seen) {
            trust::store_seen(&cache.root, &cache.trust_directory, &name, &now_seen)?;
        }
        Ok((repomd, i64::try_from(self.context.now).unwrap_or(0)))
    }

    fn check_expiry(&self, repomd: &RepoMd, seen: Option<&Seen>) -> Result<(), RepoError> {
        let until = repomd.valid_until().map_err(|message| self.malformed(message))?;
        trust::check_expiry(&self.repository.id, until, self.context.now, seen)
    }

    fn expired_mark(&self) -> String {
        format!("{}/expired", self.directory)
    }

    fn parse_index(&self, bytes: &[u8]) -> Result<RepoMd, RepoError> {
        let repomd = RepoMd::parse(bytes).map_err(|e| self.malformed(e.to_string()))?;
        for record in &repomd.records {
            if check_location(&record.location).is_err() {
                return Err(RepoError::UnsafeLocation {
                    id: self.id(),
                    location: record.location.clone(),
                });
            }
        }
        Ok(repomd)
    }

    fn check_index_signature(&self, bytes: &[u8], signature: &[u8]) -> Result<(), RepoError> {
        if !must_sign_metadata(self.repository, self.context.main) {
            return Ok(());
        }
        trust::check_signature(self.repository, &self.trusted_keys()?.list, bytes, signature)
    }

    fn trusted_keys(&self) -> Result<TrustedKeys, RepoError> {
        TrustedKeys::load(self.repository, self.trust_place(), self.context.config_root)
    }

    fn trust_place(&self) -> (&'a Root, &'a str) {
        let cache = self.context.cache;
        (&cache.root, &cache.trust_directory)
    }

    /// Checks the signature of an index from a mirror, after following the key lists that it names.
    fn check_fetched(
        &mut self,
        base: &str,
        bytes: &[u8],
        signature: &[u8],
    ) -> Result<(), RepoError> {
        if !must_sign_metadata(self.repository, self.context.main) {
            return Ok(());
        }
        let trusted = self.trusted_keys()?;
        let check = |keys: &TrustedKeys| {
            trust::check_signature(self.repository, &keys.list, bytes, signature)
        };
        let first = check(&trusted);
        // Of an index that nobody trusts yet this is only where to look: every list is verified.
        let newest = RepoMd::parse(bytes).ok().map(|repomd| repomd.key_list()).transpose();
        let newest = newest.map_err(|message| self.malformed(message))?.flatten();
        let Some(newest) = newest.filter(|newest| *newest > trusted.list.version()) else {
            return first;
        };
        let trusted = self.follow_lists(base, trusted, newest, first.is_ok())?;
        let checked = check(&trusted);
        self.keys = Some(trusted);
        checked
    }

    /// Goes on to the newest key list, one by one, and remembers it.
    fn follow_lists(
        &mut self,
        base: &str,
        mut trusted: TrustedKeys,
        newest: u32,
        is_trusted: bool,
    ) -> Result<TrustedKeys, RepoError> {
        let known = trusted.list.version();
        if newest - known > key_list::STEPS_LIMIT {
            let limit = key_list::STEPS_LIMIT;
            return Err(self.malformed(format!("{newest} key lists, limit {limit}")));
        }
        // A system that was made with newer keys has none of the older ones.
        if known == 0 && is_trusted {
            let (bytes, signatures) = self.fetch_list(base, newest)?;
            if let Ok(list) = trusted.list.enter(&bytes, &signatures, newest) {
                trusted.list = list;
            }
        }
        while trusted.list.version() < newest {
            let version = trusted.list.version() + 1;
            let (bytes, signatures) = self.fetch_list(base, version)?;
            let next = trusted.list.follow(&bytes, &signatures);
            let failed = |source| RepoError::KeyList {
                id: self.id(),
                file: key_list::file_of(version),
                source,
            };
            trusted.advance(next.map_err(failed)?);
        }
        trusted.store(self.repository, self.trust_place())?;
        Ok(trusted)
    }

    fn fetch_list(&mut self, base: &str, version: u32) -> Result<(Vec<u8>, Vec<u8>), RepoError> {
        let file = key_list::file_of(version);
        let fetch = |name: &str| {
            self.get(&format!("{base}/{name}"), key_list::SIZE_LIMIT).map_err(|e| {
                let attempts = vec![error::chain(&e)];
                RepoError::Unreachable { id: self.id(), file: name.to_owned(), attempts }
            })
        };
        let (bytes, signatures) = (fetch(&file)?, fetch(&format!("{file}.asc"))?);
        self.downloaded += (bytes.len() + signatures.len()) as u64;
        Ok((bytes, signatures))
    }

    /// Fetches `repomd.xml` and its signature from the first mirror that has good ones.
    fn fetch_index(&mut self) -> Result<(Vec<u8>, Vec<u8>), RepoError> {
        let must_sign = must_sign_metadata(self.repository, self.context.main);
        let mut attempts = Vec::new();
        let mut refused = None;
        let Mirrors { urls, indexes } = self.mirrors()?;
        for base in urls {
            // The index may be replaced between the two downloads: one more try is not an attack.
            for _ in 0..2 {
                let url = format!("{base}/repodata/repomd.xml");
                let bytes = match self.get(&url, REPOMD_LIMIT) {
                    Ok(bytes) => bytes,
                    Err(e) => {
                        attempts.push(error::chain(&e));
                        break;
                    }
                };
                let found = hex::encode(Sha256::digest(&bytes));
                if let Some(expected) = indexes.first().filter(|_| !indexes.contains(&found)) {
                    // A mirror that is behind; the next one may not be.
                    refused = Some(self.other_index(expected.clone(), found));
                    break;
                }
                let mut signature = Vec::new();
                if must_sign {
                    match self.get(&format!("{url}.asc"), REPOMD_LIMIT) {
                        Ok(found) => signature = found,
                        Err(e) if e.is_not_found() => {
                            refused = Some(self.unsigned(&error::chain(&e)));
                            break;
                        }
                        Err(e) => {
                            refused = Some(RepoError::Signature {
                                id: self.id(),
                                message: error::chain(&e),
                                hint: e.hint().or_else(|| {
                                    Some("a signature is small: this is something else, use another mirror".to_owned())
                                }),
                            });
                            break;
                        }
                    }
                }
                match self.check_fetched(&base, &bytes, &signature) {
                    Ok(()) => {
                        self.downloaded += (bytes.len() + signature.len()) as u64;
                        return Ok((bytes, signature));
                    }
                    Err(e) => refused = Some(e),
                }
            }
        }
        Err(refused.unwrap_or(RepoError::Unreachable {
            id: self.id(),
            file: "repodata/repomd.xml".to_owned(),
            attempts,
        }))
    }

    fn other_index(&self, expected: String, found: String) -> RepoError {
        let file = "repodata/repomd.xml".to_owned();
        RepoError::Mismatch { id: self.id(), file, what: "checksum", expected, found }
    }

    fn unsigned(&self, cause: &str) -> RepoError {
        RepoError::Signature {
            id: self.id(),
            message: format!("metadata is not signed ({cause})"),
            hint: Some(format!(
                "use a repository that signs its metadata, or set `repo_gpgcheck=0` in [{}] to accept it as it is",
                self.repository.id
            )),
        }
    }

    fn store_index(&self, bytes: &[u8], signature: &[u8]) -> Result<(), RepoError> {
        let directory = format!("{}/repodata", self.directory);
        self.root().mkdir_all(&directory, 0o755)?;
        let path = format!("{directory}/repomd.xml");
        if signature.is_empty() {
            remove_if_there(self.root(), &format!("{path}.asc"))?;
        } else {
            self.root().write_atomic(format!("{path}.asc"), signature, 0o644)?;
        }
        self.root().write_atomic(&path, bytes, 0o644)?;
        self.root().set_mtime(&path, i64::try_from(self.context.now).unwrap_or(0))?;
        remove_if_there(self.root(), &self.expired_mark())?;
        Ok(())
    }

    /// Returns where the file of a record is in the cache.
    fn record_path(&self, record: &RepoMdRecord) -> String {
        let base = record.location.rsplit('/').next().unwrap_or_default();
        let extension = base.split_once('.').map_or("", |(_, extension)| extension);
        let is_plain = extension.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
        let extension = if is_plain { extension } else { "bin" };
        let name = format!("{}-{}.{extension}", record.checksum, record.kind.replace('/', "_"));
        format!("{}/repodata/{name}", self.directory)
    }

    /// Returns the checked bytes of a record, from the cache or a mirror.
    fn record_bytes(&mut self, record: &RepoMdRecord) -> Result<Vec<u8>, RepoError> {
        let path = self.record_path(record);
        match self.root().read(&path) {
            Ok(bytes) if self.check_record(record, &bytes).is_ok() => return Ok(bytes),
            Ok(_) => {}
            Err(e) if e.is_not_found() => {}
            Err(e) => return Err(e.into()),
        }
        if self.context.freshness == Freshness::CacheOnly {
            return Err(RepoError::NotCached { id: self.id() });
        }
        let mut attempts = Vec::new();
        let mut refused = None;
        for base in self.mirrors()?.urls {
            let url = format!("{base}/{}", record.location);
            match self.get(&url, record.size.unwrap_or(decompress::DEFAULT_LIMIT)) {
                Ok(bytes) => match self.check_record(record, &bytes) {
                    Ok(()) => {
                        self.downloaded += bytes.len() as u64;
                        self.root().mkdir_all(format!("{}/repodata", self.directory), 0o755)?;
                        self.root().write_atomic(&path, &bytes, 0o644)?;
                        return Ok(bytes);
                    }
                    Err(e) => refused = Some(e),
                },
                Err(e) => attempts.push(error::chain(&e)),
            }
        }
        let file = record.location.clone();
        Err(refused.unwrap_or(RepoError::Unreachable { id: self.id(), file, attempts }))
    }

    fn check_record(&self, record: &RepoMdRecord, bytes: &[u8]) -> Result<(), RepoError> {
        let mismatch = |what, expected: String, found: String| RepoError::Mismatch {
            id: self.id(),
            file: record.location.clone(),
            what,
            expected,
            found,
        };
        if let Some(size) = record.size
            && size != bytes.len() as u64
        {
            return Err(mismatch("size", size.to_string(), bytes.len().to_string()));
        }
        let found = hex::encode(Sha256::digest(bytes));
        if found != record.checksum {
            return Err(mismatch("checksum", record.checksum.clone(), found));
        }
        Ok(())
    }

    /// Opens the index of the packages, which is made where it is not in the cache.
    fn open_packages(&mut self, record: &RepoMdRecord) -> Result<Packages, RepoError> {
        let directory = format!("{}/repodata", self.directory);
        if let Some(packages) = packages::open(self.root(), &directory, record) {
            return Ok(packages);
        }
        let path = self.record_path(record);
        if self.root().metadata(&path)?.is_none() {
            drop(self.record_bytes(record)?);
        }
        let made = packages::make(self.root(), &directory, (&path, record))
            .map_err(|e| self.malformed(format!("{}: {e}", record.location)))?;
        if let Some(packages) = made {
            return Ok(packages);
        }
        let bytes = self.record_bytes(record)?;
        packages::make_strictly(self.root(), &directory, (&bytes, record))
            .map_err(|message| self.malformed(message))
    }

    fn load_comps(&mut self, into: &mut Repository) -> Result<(), RepoError> {
        let kinds = ["group_zst", "group_xz", "group_gz", "group"];
        let Some(record) = kinds.iter().find_map(|kind| into.repomd.record(kind)).cloned() else {
            return Ok(());
        };
        let (text, limit) = self.document(&record)?;
        into.comps = parse_comps(&text, &Limits::for_size(limit))
            .map_err(|e| self.malformed(e.to_string()))?;
        Ok(())
    }

    /// Returns the decompressed text of a record and the most bytes it may have.
    fn document(&mut self, record: &RepoMdRecord) -> Result<(Vec<u8>, u64), RepoError> {
        let bytes = self.record_bytes(record)?;
        let limit = decompress::limit(bytes.len() as u64, record.open_size);
        let mut text = Vec::new();
        let read = decompress::open(&bytes, limit)
            .and_then(|mut reader| std::io::Read::read_to_end(&mut reader, &mut text));
        read.map_err(|e| self.malformed(format!("{}: {e}", record.location)))?;
        Ok((text, limit))
    }

    fn load_filelists(&mut self, into: &mut Repository) -> Result<(), RepoError> {
        let Some(record) = into.repomd.record("filelists").cloned() else {
            return Ok(());
        };
        let bytes = self.record_bytes(&record)?;
        let limit = decompress::limit(bytes.len() as u64, record.open_size);
        let reader = decompress::open(&bytes, limit)
            .map_err(|e| self.malformed(format!("{}: {e}", record.location)))?;
        let by_id: BTreeMap<String, usize> = into
            .packages
            .iter()
            .enumerate()
            .map(|(index, package)| (package.pkgid.clone(), index))
            .collect();
        let packages = &mut into.packages;
        parse_filelists(reader, &Limits::for_size(limit), &mut |files| {
            if let Some(package) =
                by_id.get(&files.pkgid).and_then(|index| packages.get_mut(*index))
            {
                package.files = files.files;
            }
        })
        .map_err(|e| self.malformed(e.to_string()))?;
        into.has_filelists = true;
        Ok(())
    }
}

fn remove_if_there(root: &Root, path: &str) -> Result<(), RepoError> {
    match root.remove_file(path) {
        Ok(()) => Ok(()),
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Returns what is known of a package file before it is downloaded.
pub fn expected_package(package: &RepoPackage) -> Expected {
    Expected { sha256: Some(package.pkgid.clone()), size: Some(package.size_package) }
}
