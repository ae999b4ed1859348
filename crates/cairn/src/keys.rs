// SPDX-License-Identifier: MIT OR Apache-2.0
//! The key that signs packages, metadata and images.
//!
//! `--signing-key FILE` names a real one; without it a development key is made once, outside the repository.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use cairn_rpm::signature::SigningKey;
use thiserror::Error;

use crate::context::Context;

/// User id of development keys.
const DEVELOPMENT_USER: &str = "Cairn Linux development key (made by cairn build on this machine)";

/// Creation time of development keys, 2010-01-01: before anything they sign, whose time stamps are those of upstream.
const DEVELOPMENT_CREATED: u32 = 1_262_304_000;

/// Why a signing key is refused, before anything is built.
#[derive(Debug, Error)]
pub enum KeyError {
    /// Others can read it.
    #[error("signing key {} can be read by others (mode {mode:04o}, expected 0600)", path.display())]
    Readable {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It holds no secret key that may sign.
    #[error("signing key {}: {source}", path.display())]
    Unusable {
        /// The key file.
        path: PathBuf,
        /// What is wrong with it.
        source: cairn_rpm::signature::KeyError,
    },
}

impl KeyError {
    /// What the operator can do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Readable { path, .. } => format!("run `chmod 600 {}`", path.display()),
            Self::Unusable { source: cairn_rpm::signature::KeyError::Unusable(_), .. } => "extend the key's validity, or sign with another key".into(),
            Self::Unusable { .. } => "give the armored secret key (`gpg --export-secret-keys --armor`), without a passphrase".into(),
        })
    }
}

/// Loads the key named, or the development key, which is made on first use.
pub fn load(ctx: &Context, named: Option<&Path>) -> Result<SigningKey> {
    match named {
        Some(path) => read(path, ctx.clock.now_unix()),
        None => development(ctx),
    }
}

/// Reads an armored secret key, which nobody else may read and which must be valid `now` (seconds since 1970).
pub fn read(path: &Path, now: u64) -> Result<SigningKey> {
    let metadata =
        std::fs::metadata(path).with_context(|| format!("reading {}", path.display()))?;
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Readable { path: path.to_owned(), mode }.into());
    }
    let text =
        std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let unusable = |source| KeyError::Unusable { path: path.to_owned(), source };
    let key = SigningKey::from_armored(&text).map_err(unusable)?;
    key.check_time(u32::try_from(now).unwrap_or(u32::MAX)).map_err(unusable)?;
    Ok(key)
}

fn development(ctx: &Context) -> Result<SigningKey> {
    let path = ctx.config.join("development-key.asc");
    if !path.is_file() {
        ctx.printer.info("Making a development signing key");
        let key = SigningKey::generate(DEVELOPMENT_USER, DEVELOPMENT_CREATED)?;
        std::fs::create_dir_all(&ctx.config)
            .with_context(|| format!("creating {}", ctx.config.display()))?;
        let root = cairn_host::Root::open(&ctx.config)?;
        root.write_atomic("development-key.asc", key.to_armored_secret()?.as_bytes(), 0o600)?;
    }
    read(&path, ctx.clock.now_unix())
}
