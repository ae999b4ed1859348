// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a medium says about itself: `/cairn/software.json`, written when the medium is built.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Where the description lies on the medium.
pub const PATH: &str = "cairn/software.json";

/// Description of a medium.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Software {
    /// Version of the format: 1.
    pub version: u32,
    /// Product, `Cairn Linux`.
    pub name: String,
    /// Its version.
    pub release: String,
    /// Volume identifier of the medium.
    pub volume_id: String,
    /// Kernel package of installed systems.
    pub kernel: String,
    /// Kernel command line of the live system, which must not leak into installed ones.
    pub live_cmdline: Vec<String>,
    /// MiB of memory that an installation needs.
    pub memory_mib: u64,
    /// MiB of disk that an installation needs.
    pub disk_mib: u64,
    /// Locales of installed systems, each with the packages that bring it.
    pub locales: BTreeMap<String, Vec<String>>,
    /// Keyboard layouts of installed systems, each with the packages that bring it.
    pub keyboards: BTreeMap<String, Vec<String>>,
    /// Time zones.
    pub timezones: Vec<String>,
    /// Profiles by name.
    pub profiles: BTreeMap<String, Profile>,
    /// Roles by name.
    pub roles: BTreeMap<String, Role>,
    /// Packages of the agent of a hypervisor, by what systemd-detect-virt calls it.
    pub guest_agents: BTreeMap<String, Vec<String>>,
}

/// A profile: what every installation begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// One sentence.
    pub summary: String,
    /// Packages.
    pub packages: Vec<String>,
    /// Kernel command line of the installed system.
    pub cmdline: Vec<String>,
}

/// A role: what a machine is for. Also the format of `distro/roles/NAME.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// A few words.
    pub summary: String,
    /// Packages.
    pub packages: Vec<String>,
    /// Units that are enabled.
    #[serde(default)]
    pub units: Vec<String>,
    /// Files that are written: path → content.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
}

impl Software {
    /// Reads a description.
    ///
    /// # Errors
    /// It is damaged, or of a later version.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let software: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if software.version != 1 {
            return Err(format!("version {} is not supported (expected 1)", software.version));
        }
        Ok(software)
    }
}
