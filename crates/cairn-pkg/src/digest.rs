// SPDX-License-Identifier: MIT OR Apache-2.0
//! Digests of files on disk, in the algorithm a package uses.

use std::io::Read as _;

use cairn_host::{HostError, Root};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// The digest of a file, where the algorithm is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Digested {
    /// In hexadecimal.
    Known(String),
    /// The file is no regular file, or the algorithm is not one we know.
    Unknown,
}

impl Digested {
    pub(crate) fn is(&self, expected: &str) -> bool {
        matches!(self, Self::Known(digest) if digest == expected)
    }
}

/// Computes a file's digest in the algorithm of `like`, recognised by its length.
pub(crate) fn file_digest(root: &Root, path: &str, like: &str) -> Result<Digested, HostError> {
    let Some(mut hash) = Running::like(like) else { return Ok(Digested::Unknown) };
    let mut file = root.open_read(path)?;
    let mut buffer = vec![0; 128 << 10];
    loop {
        let length = file.read(&mut buffer).map_err(|source| HostError::Io {
            operation: "read",
            path: path.into(),
            source,
        })?;
        if length == 0 {
            return Ok(Digested::Known(hash.finish()));
        }
        hash.update(&buffer[..length]);
    }
}

/// A digest that is fed piece by piece, in the algorithm of an expected value.
pub(crate) enum Running {
    Md5(md5::Md5),
    Sha1(sha1::Sha1),
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

impl Running {
    /// Starts one for an expected digest; `None` for algorithms we do not compute.
    pub(crate) fn like(expected: &str) -> Option<Self> {
        match expected.len() {
            32 => Some(Self::Md5(md5::Md5::new())),
            40 => Some(Self::Sha1(sha1::Sha1::new())),
            64 => Some(Self::Sha256(Sha256::new())),
            96 => Some(Self::Sha384(Sha384::new())),
            128 => Some(Self::Sha512(Sha512::new())),
            _ => None,
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(hash) => hash.update(bytes),
            Self::Sha1(hash) => hash.update(bytes),
            Self::Sha256(hash) => hash.update(bytes),
            Self::Sha384(hash) => hash.update(bytes),
            Self::Sha512(hash) => hash.update(bytes),
        }
    }

    pub(crate) fn finish(self) -> String {
        match self {
            Self::Md5(hash) => hex::encode(hash.finalize()),
            Self::Sha1(hash) => hex::encode(hash.finalize()),
            Self::Sha256(hash) => hex::encode(hash.finalize()),
            Self::Sha384(hash) => hex::encode(hash.finalize()),
            Self::Sha512(hash) => hex::encode(hash.finalize()),
        }
    }
}
