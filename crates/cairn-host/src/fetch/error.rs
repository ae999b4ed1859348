// SPDX-License-Identifier: MIT OR Apache-2.0
//! Errors of downloads. User information in a URL (`user:password@`) is never shown.

use std::io;
use std::path::{Path, PathBuf};

/// Why a file could not be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The URL cannot be used.
    #[error("cannot fetch `{url}`: {reason}")]
    Url {
        /// The URL.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The server answered with an error.
    #[error("cannot fetch `{url}` (expected HTTP status 200, found {status}{})", tries(*attempts))]
    Status {
        /// The URL.
        url: String,
        /// HTTP status.
        status: u16,
        /// Number of attempts.
        attempts: u32,
    },
    /// The connection could not be made or broke.
    #[error("cannot fetch `{url}`{}", tries_alone(*attempts))]
    Network {
        /// The URL.
        url: String,
        /// Number of attempts.
        attempts: u32,
        /// The cause.
        source: Box<ureq::Error>,
    },
    /// The body arrives too slowly.
    #[error("cannot fetch `{url}` (expected at least {expected} bytes in {seconds} seconds, found {found}{})", tries(*attempts))]
    TooSlow {
        /// The URL.
        url: String,
        /// Least number of bytes per window.
        expected: u64,
        /// Bytes that came.
        found: u64,
        /// Length of the window.
        seconds: u64,
        /// Number of attempts.
        attempts: u32,
    },
    /// The body is larger than the caller allows.
    #[error("cannot fetch `{url}` (expected at most {limit} bytes, found more)")]
    TooLarge {
        /// The URL.
        url: String,
        /// The limit.
        limit: u64,
    },
    /// The size is wrong.
    #[error("`{url}` has the wrong size (expected {expected} bytes, found {found}{})", tries(*attempts))]
    Size {
        /// The URL.
        url: String,
        /// What was to be expected.
        expected: u64,
        /// What the server announced or sent.
        found: u64,
        /// Number of attempts.
        attempts: u32,
    },
    /// The digest is wrong.
    #[error("`{url}` has the wrong SHA-256 (expected {expected}, found {found}{})", tries(*attempts))]
    Digest {
        /// The URL.
        url: String,
        /// What was to be expected.
        expected: String,
        /// What came.
        found: String,
        /// Number of attempts.
        attempts: u32,
    },
    /// Another download failed, so this one was stopped.
    #[error("fetching `{url}` was stopped")]
    Cancelled {
        /// The URL.
        url: String,
    },
    /// No bundle of certificate authorities was found, or it holds none.
    #[error("cannot fetch `{url}`: no certificate authorities in {}", looked_in.iter().map(|path| format!("`{}`", path.display())).collect::<Vec<_>>().join(", "))]
    NoAuthorities {
        /// The URL.
        url: String,
        /// Where they were looked for.
        looked_in: Vec<PathBuf>,
    },
    /// A local file operation failed.
    #[error("cannot {operation} `{}`", path.display())]
    File {
        /// What was tried.
        operation: &'static str,
        /// The local path.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

impl FetchError {
    pub(super) fn file(operation: &'static str, path: &Path, source: io::Error) -> Self {
        Self::File { operation, path: path.to_owned(), source }
    }

    pub(super) fn network(url: &str, source: ureq::Error) -> Self {
        Self::Network { url: shown(url), attempts: 1, source: Box::new(source) }
    }

    /// Returns what an operator can do about it, as one sentence without a full stop.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Status { status: 401 | 403, .. } => Some("the server wants other credentials or refuses this address".to_owned()),
            Self::Status { status: 404 | 410, .. } => {
                Some("the file is not there any more: refresh the metadata (`--refresh`) or use another mirror".to_owned())
            }
            Self::Status { .. } | Self::TooSlow { .. } => Some("try again later or use another mirror".to_owned()),
            Self::Network { source, .. } => Some(network_hint(source)),
            Self::Size { .. } | Self::Digest { .. } => {
                Some("the mirror may be in the middle of an update: try again later or use another mirror".to_owned())
            }
            Self::NoAuthorities { .. } => {
                Some("install the package `ca-certificates`, or name a bundle in the environment variable `SSL_CERT_FILE`".to_owned())
            }
            Self::File { source, path, .. } if source.kind() == io::ErrorKind::StorageFull => {
                Some(format!("free some space on the file system of `{}`", path.display()))
            }
            Self::Url { .. } | Self::TooLarge { .. } | Self::Cancelled { .. } | Self::File { .. } => None,
        }
    }

    /// Returns the HTTP status if that was the problem.
    pub fn status(&self) -> Option<u16> {
        if let Self::Status { status, .. } = self { Some(*status) } else { None }
    }

    /// Tells whether the file does not exist at the source (HTTP 404 or 410, or no such local file).
    pub fn is_not_found(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(status, 404 | 410),
            Self::File { source, .. } => source.kind() == io::ErrorKind::NotFound,
            _ => false,
        }
    }

    /// Tells whether another attempt may succeed.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..=599),
            Self::Network { source, .. } => !matches!(
                **source,
                ureq::Error::BadUri(_)
                    | ureq::Error::TooManyRedirects
                    | ureq::Error::RedirectFailed
                    | ureq::Error::Rustls(_)
            ),
            Self::TooSlow { .. } | Self::Size { .. } | Self::Digest { .. } => true,
            Self::Url { .. }
            | Self::TooLarge { .. }
            | Self::Cancelled { .. }
            | Self::NoAuthorities { .. }
            | Self::File { .. } => false,
        }
    }

    pub(super) fn after(mut self, n_attempts: u32) -> Self {
        if let Self::Status { attempts, .. }
        | Self::Network { attempts, .. }
        | Self::TooSlow { attempts, .. }
        | Self::Size { attempts, .. }
        | Self::Digest { attempts, .. } = &mut self
        {
            *attempts = n_attempts;
        }
        self
    }
}

/// Returns the URL without user information.
pub(super) fn shown(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{host}{path}"),
        None => url.to_owned(),
    }
}

fn network_hint(source: &ureq::Error) -> String {
    match source {
        ureq::Error::HostNotFound => "check the name of the server and this machine's DNS configuration".to_owned(),
        ureq::Error::Rustls(_) | ureq::Error::Tls(_) => {
            "the server's certificate is not trusted: check the clock, and name your own authorities in `SSL_CERT_FILE`".to_owned()
        }
        ureq::Error::InvalidProxyUrl | ureq::Error::ConnectProxyFailed(_) => "check the proxy settings in the environment".to_owned(),
        _ => "check the network connection and the proxy settings, or use another mirror".to_owned(),
    }
}

fn tries(attempts: u32) -> String {
    if attempts > 1 { format!(", after {attempts} tries") } else { String::new() }
}

fn tries_alone(attempts: u32) -> String {
    if attempts > 1 { format!(" (after {attempts} tries)") } else { String::new() }
}
