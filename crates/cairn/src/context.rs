// SPDX-License-Identifier: MIT OR Apache-2.0
//! What every operation is given: where things are and how to reach the outside.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use cairn_host::Clock;
use cairn_host::fetch::Fetcher;
use cairn_ui::Printer;

use crate::apt::mirror::Mirror;

/// The surroundings of an operation; built once in `main` and passed down.
#[derive(Debug)]
pub struct Context {
    /// Words to the operator.
    pub printer: Arc<Printer>,
    /// The checkout: the directory that holds `distro/distro.toml`.
    pub project: PathBuf,
    /// `$XDG_CACHE_HOME/cairn`.
    pub cache: PathBuf,
    /// `$XDG_CONFIG_HOME/cairn`: the development signing key.
    pub config: PathBuf,
    /// The wall clock (used where a lock moves and for progress, never in artefacts).
    pub clock: Clock,
    /// HTTP client.
    pub fetcher: Fetcher,
    /// Configuration of this machine's apt, which names the mirror.
    pub apt_config: PathBuf,
    /// The mirror the operator named, if any.
    pub mirror_override: Option<String>,
}

impl Context {
    /// Finds the checkout from `start` upwards and opens the caches.
    pub fn open(
        printer: Arc<Printer>,
        start: &Path,
        mirror_override: Option<String>,
    ) -> Result<Self> {
        let Some(project) =
            start.ancestors().find(|directory| directory.join("distro/distro.toml").is_file())
        else {
            bail!(
                "{} is not inside a Cairn checkout (no distro/distro.toml above it)",
                start.display()
            );
        };
        Ok(Self {
            printer,
            project: project.to_owned(),
            cache: cairn_host::paths::cache_dir()?,
            config: cairn_host::paths::config_dir()?,
            clock: Clock::system(),
            fetcher: Fetcher::new(),
            apt_config: PathBuf::from("/etc/apt"),
            mirror_override,
        })
    }

    /// Returns `distro/` of the checkout.
    pub fn distro_dir(&self) -> PathBuf {
        self.project.join("distro")
    }

    /// Returns the mirror: the one named, else the one this machine's apt is configured with.
    pub fn mirror(&self) -> Result<Mirror> {
        match &self.mirror_override {
            Some(url) => Ok(Mirror::from_url(url)),
            None => Ok(crate::apt::mirror::discover(&self.apt_config)?),
        }
    }

    /// Returns (and creates) a directory below the cache.
    pub fn cache_dir(&self, name: &str) -> Result<PathBuf> {
        let path = self.cache.join(name);
        std::fs::create_dir_all(&path).with_context(|| format!("creating {}", path.display()))?;
        Ok(path)
    }
}
