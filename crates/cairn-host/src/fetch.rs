// SPDX-License-Identifier: MIT OR Apache-2.0
//! Downloads: `http`, `https` and `file` URLs, blocking, with limits on everything a server could draw out.
//!
//! A download goes to `NAME.part` beside its destination, is continued from there after an interruption (HTTP range requests), is
//! hashed while it streams and gets its final name only when size and SHA-256 are right. The proxy comes from `http_proxy`,
//! `https_proxy`, `all_proxy` and `no_proxy`, the certificate authorities from `SSL_CERT_FILE` or the
//! machine's bundle; [`Access`] says otherwise.

mod access;
mod agent;
mod error;
mod forward;
mod transfer;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

pub use self::access::{Access, ClientIdentity, Credentials, Family, ProxyChoice};
use self::agent::Agents;
pub use self::error::FetchError;
use self::transfer::Transfer;
pub use self::transfer::file_path;

/// What a file must be like. `None` is not checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// Size in bytes.
    pub size: Option<u64>,
    /// SHA-256 in lower-case hexadecimal digits.
    pub sha256: Option<String>,
}

/// One file to be fetched by [`Fetcher::download_all`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// Where from.
    pub url: String,
    /// Where to; missing parent directories are created. Where the URL is the `file:` URL of this path, the file is only checked.
    pub dest: PathBuf,
    /// What it must be like.
    pub expected: Expected,
    /// How its server is reached.
    pub way: Way,
}

/// One of a fetcher's ways to servers, see [`Fetcher::add_way`]; its first by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Way(usize);

impl Download {
    /// Tells whether the file is used where it lies.
    pub fn is_in_place(&self) -> bool {
        transfer::is_in_place(&self.url, &self.dest)
    }
}

/// What happens during a download. `index` counts in the list given to [`Fetcher::download_all`] and is 0 for a single one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Bytes arrived.
    Received {
        /// Which download.
        index: usize,
        /// Bytes that are there now, with those of an earlier interrupted run.
        received: u64,
        /// Bytes there will be, if known.
        total: Option<u64>,
    },
    /// The attempt failed; another one follows.
    Retrying {
        /// Which download.
        index: usize,
        /// Number of the attempt that failed, from 1.
        attempt: u32,
    },
    /// The file is complete and verified (or was already there).
    Finished {
        /// Which download.
        index: usize,
        /// Its size in bytes.
        size: u64,
    },
}

/// Longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// How patient a fetcher is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Attempts for one URL.
    pub attempts: u32,
    /// Pause before the second attempt; it doubles with each further one.
    pub pause: Duration,
    /// Longest wait for a connection, and again for the response's header.
    pub connect: Duration,
    /// Longest silence while a body is read.
    pub silence: Duration,
    /// Time over which a body must bring at least [`Limits::slowest`] bytes.
    pub window: Duration,
    /// Least number of bytes per window.
    pub slowest: u64,
    /// Most redirects that are followed.
    pub redirects: u32,
}

impl Default for Limits {
    /// 3 attempts, 30 seconds for a connection or silence, 60 KiB per minute, 10 redirects.
    fn default() -> Self {
        Self {
            attempts: 3,
            pause: Duration::from_secs(1),
            connect: Duration::from_secs(30),
            silence: Duration::from_secs(30),
            window: Duration::from_mins(1),
            slowest: 60 * 1024,
            redirects: 10,
        }
    }
}

/// Fetches files; cheap to share between threads.
#[derive(Debug)]
pub struct Fetcher {
    /// The first one always exists.
    ways: Vec<(Agents, Limits)>,
}

impl Default for Fetcher {
    fn default() -> Self {
        Self::new()
    }
}

impl Fetcher {
    /// A fetcher with the default limits. Reads nothing yet: proxy and certificates are looked up at the first use.
    pub fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    /// A fetcher with other limits.
    pub fn with_limits(limits: Limits) -> Self {
        Self { ways: vec![(Agents::default(), limits)] }
    }

    /// A fetcher whose first way is this one.
    ///
    /// # Errors
    /// The proxy's URL cannot be used.
    pub fn with_access(access: Access, limits: Limits) -> Result<Self, FetchError> {
        let mut fetcher = Self { ways: Vec::new() };
        fetcher.add_way(access, limits)?;
        Ok(fetcher)
    }

    /// Adds a further way to servers.
    ///
    /// # Errors
    /// The proxy's URL cannot be used.
    pub fn add_way(&mut self, access: Access, limits: Limits) -> Result<Way, FetchError> {
        if let ProxyChoice::Url(url) = &access.proxy {
            agent::parse_proxy(url)?;
        }
        self.ways.push((Agents::new(access), limits));
        Ok(Way(self.ways.len() - 1))
    }

    fn transfer<'a>(&'a self, way: Way, url: &'a str, cancel: &'a AtomicBool) -> Transfer<'a> {
        // A way of another fetcher is none of ours.
        let (agents, limits) = self.ways.get(way.0).unwrap_or(&self.ways[0]);
        Transfer { agents, limits, url, cancel }
    }

    /// Returns a whole body of at most `limit` bytes; more is an error, whatever the server announced.
    pub fn get(&self, url: &str, limit: u64) -> Result<Vec<u8>, FetchError> {
        self.get_by(Way::default(), url, limit)
    }

    /// As [`Fetcher::get`], by one of several ways.
    pub fn get_by(&self, way: Way, url: &str, limit: u64) -> Result<Vec<u8>, FetchError> {
        let cancel = AtomicBool::new(false);
        let transfer = self.transfer(way, url, &cancel);
        with_attempts(&transfer, &mut |_| {}, &mut || transfer.get(limit))
    }

    /// Fetches `url` to the file `dest` (its directory is created). A file that is there already and has the expected size and
    /// digest is kept. Without an expected digest an interrupted download starts again from the beginning.
    pub fn download(
        &self,
        url: &str,
        dest: &Path,
        expected: &Expected,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), FetchError> {
        let cancel = AtomicBool::new(false);
        let transfer = self.transfer(Way::default(), url, &cancel);
        download_one(&transfer, dest, expected, &mut |event| progress(event))
    }

    /// Fetches all of `downloads`, up to `parallel` at a time. The first error stops the others (their parts stay for the next run)
    /// and is returned. `progress` is called from several threads.
    pub fn download_all(
        &self,
        downloads: &[Download],
        parallel: usize,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<(), FetchError> {
        let next = AtomicUsize::new(0);
        let cancel = AtomicBool::new(false);
        let first_error = Mutex::new(None);
        thread::scope(|scope| {
            for _ in 0..parallel.clamp(1, downloads.len().max(1)) {
                scope.spawn(|| {
                    while !cancel.load(Ordering::Relaxed) {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(download) = downloads.get(index) else { break };
                        let transfer = self.transfer(download.way, &download.url, &cancel);
                        let result = download_one(
                            &transfer,
                            &download.dest,
                            &download.expected,
                            &mut |event| {
                                progress(event.with_index(index));
                            },
                        );
                        if let Err(error) = result {
                            // The transfers that are cancelled because of the first error must not hide it.
                            cancel.store(true, Ordering::Relaxed);
                            if let Ok(mut slot) = first_error.lock() {
                                slot.get_or_insert(error);
                            }
                        }
                    }
                });
            }
        });
        first_error.into_inner().ok().flatten().map_or(Ok(()), Err)
    }
}

fn download_one(
    transfer: &Transfer<'_>,
    dest: &Path,
    expected: &Expected,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), FetchError> {
    if let Some(size) = transfer::verified_size(dest, expected)? {
        progress(Progress::Finished { index: 0, size });
        return Ok(());
    }
    if transfer::is_in_place(transfer.url, dest) {
        return Err(transfer.wrong_in_place(dest, expected));
    }
    if let Some(dir) = dest.parent() {
        std::fs::create_dir_all(dir)
            .map_err(|source| FetchError::file("create directory", dir, source))?;
    }
    let progress = std::cell::RefCell::new(progress);
    let size = with_attempts(
        transfer,
        &mut |attempt| progress.borrow_mut()(Progress::Retrying { index: 0, attempt }),
        &mut || {
            transfer.download(dest, expected, &mut |received, total| {
                progress.borrow_mut()(Progress::Received { index: 0, received, total });
            })
        },
    )?;
    progress.borrow_mut()(Progress::Finished { index: 0, size });
    Ok(())
}

/// Repeats `work` while its error may go away by itself; the error says how often it was tried.
fn with_attempts<T>(
    transfer: &Transfer<'_>,
    retrying: &mut dyn FnMut(u32),
    work: &mut dyn FnMut() -> Result<T, FetchError>,
) -> Result<T, FetchError> {
    let mut pause = transfer.limits.pause;
    let mut attempt = 1;
    loop {
        match work() {
            Err(error) if attempt < transfer.limits.attempts && error.may_pass() => {
                retrying(attempt);
                thread::sleep(pause);
                pause = (pause * 2).min(LONGEST_PAUSE);
                attempt += 1;
            }
            Err(error) => return Err(error.after(attempt)),
            Ok(value) => return Ok(value),
        }
    }
}

impl Progress {
    fn with_index(self, index: usize) -> Self {
        match self {
            Self::Received { received, total, .. } => Self::Received { index, received, total },
            Self::Retrying { attempt, .. } => Self::Retrying { index, attempt },
            Self::Finished { size, .. } => Self::Finished { index, size },
        }
    }
}
