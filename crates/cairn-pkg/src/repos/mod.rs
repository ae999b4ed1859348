// SPDX-License-Identifier: MIT OR Apache-2.0
//! Repositories: `dnf.conf`, `*.repo` files, variables, the metadata cache and trust in metadata.
//!
//! | module | is |
//! |---|---|
//! | [`ini`] | the file format, with positions |
//! | [`config`] | typed keys of `[main]` and of a repository |
//! | [`values`] | the same keys as text |
//! | [`variables`] | `$releasever` and friends |
//! | [`load`] | reads all of it from a root |
//! | [`metadata`] | downloads, verifies and caches `repodata/` |
//! | [`packages`] | the packages of a repository, indexed |
//! | [`key_list`] | which keys may sign, and how they are replaced |
//! | [`trust`] | signature of `repomd.xml`, and the newest revision seen |
//! | [`mirrors`] | base URLs, given or from a mirror list |
//! | [`network`] | proxies, credentials, certificates, patience |

pub mod config;
pub mod decompress;
pub mod error;
pub mod ini;
pub mod key_list;
pub mod load;
pub mod metadata;
pub mod mirrors;
pub mod network;
pub mod packages;
pub mod trust;
pub mod value;
pub mod values;
pub mod variables;

pub use config::{CacheOnly, MainConfig, RepoConfig, append, begins_anew};
pub use error::RepoError;
pub use load::{
    Configuration, LoadOptions, OnHost, SetOption, compatible_architectures, is_known_architecture,
    load_configuration,
};
pub use network::{Network, NetworkConfig};
pub use variables::Variables;

/// A configuration file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// File as shown to people, or the option that set the value.
    pub file: String,
    /// Line counted from 1; 0 = none.
    pub line: usize,
    /// Column in bytes counted from 1; 0 = the whole line.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if self.column > 0 {
            write!(f, ":{}", self.column)?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for ConfigError {}

impl ConfigError {
    /// Says whether an option of the command line is to blame.
    pub fn is_of_command_line(&self) -> bool {
        self.file.starts_with("--")
    }

    /// Returns what an operator can do.
    pub fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}

/// Something in a configuration file that is not used, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigWarning {
    /// File as shown to people.
    pub file: String,
    /// Line counted from 1; 0 = none.
    pub line: usize,
    /// What is odd.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl std::fmt::Display for ConfigWarning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.line > 0 {
            write!(f, "{}:{}: {}", self.file, self.line, self.message)
        } else {
            write!(f, "{}: {}", self.file, self.message)
        }
    }
}
