// SPDX-License-Identifier: MIT OR Apache-2.0
//! The definition of the operating system: `distro/distro.toml` and `distro/images/*.toml`.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::overlay::parse_error;

/// `distro/distro.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distro {
    /// Product name, `Cairn Linux`.
    pub name: String,
    /// `ID` of os-release.
    pub id: String,
    /// Product version.
    pub version: String,
    /// Where packages come from.
    pub upstream: Upstream,
    /// Tools trees.
    pub tools: Tools,
}

/// Where upstream's packages come from.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// Kind of upstream; `apt` is the one that exists.
    pub kind: UpstreamKind,
    /// Suites, in any order: the newest version of all of them is taken.
    pub suites: Vec<String>,
    /// Components, `main`.
    pub components: Vec<String>,
    /// Debian architecture.
    pub architecture: String,
    /// Keyring below `distro/`.
    pub keyring: String,
    /// Overlay keys whose second-newest match is locked too, to test upgrades with.
    #[serde(default)]
    pub previous: BTreeSet<String>,
}

/// Kinds of upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UpstreamKind {
    /// A Debian archive.
    Apt,
}

/// The tools trees: Debian packages by name; their closures are locked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tools {
    /// Programs that build images.
    pub packages: Vec<String>,
    /// Packages never followed in a closure.
    pub skip: BTreeSet<String>,
    /// Programs that test images.
    pub test: TestTools,
    /// What Debian's own installation of our packages needs beside them, to compare ours with.
    pub reference: ReferenceTools,
    /// What makes an initramfs in that installation, to compare how long both take to start.
    #[serde(default)]
    pub benchmark: ReferenceTools,
}

/// The tools tree of the tests.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestTools {
    /// Debian package names.
    pub packages: Vec<String>,
}

/// What the reference tree of the tests is made from, beside the packages of the profile.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferenceTools {
    /// Debian package names.
    pub packages: Vec<String>,
    /// Packages never followed in their closure.
    pub skip: BTreeSet<String>,
}

impl Distro {
    /// Loads the definition below `distro_dir`.
    pub fn load(distro_dir: &Path) -> Result<Self> {
        load_toml(&distro_dir.join("distro.toml"))
    }
}

/// Reads one TOML file of the definition; errors name file, line and column.
pub fn load_toml<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let name = path.display().to_string();
    Ok(toml::from_str(&text).map_err(|error| parse_error(&name, &text, &error))?)
}
