// SPDX-License-Identifier: MIT OR Apache-2.0
//! SHA-256 in the forms the build needs: of bytes, of files, and of several inputs as a cache key.

use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

/// Returns the SHA-256 of `bytes` in lower-case hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Returns the SHA-256 of a file's content in lower-case hex.
pub fn sha256_file(path: &Path) -> std::io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n_read = file.read(&mut buffer)?;
        if n_read == 0 {
            return Ok(hex::encode(hasher.finalize()));
        }
        hasher.update(&buffer[..n_read]);
    }
}

/// A cache key: a digest over labelled parts, each preceded by its length so that parts cannot run together.
#[derive(Debug, Clone, Default)]
pub struct Key(Sha256);

impl Key {
    /// Starts a key for one kind of artefact; change `version` when the way it is made changes.
    pub fn new(kind: &str, version: u32) -> Self {
        Self::default().part(kind.as_bytes()).part(&version.to_le_bytes())
    }

    /// Adds one part.
    pub fn part(mut self, bytes: &[u8]) -> Self {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    /// Returns the key in hex.
    pub fn finish(self) -> String {
        hex::encode(self.0.finalize())
    }
}
