// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where a program of ours keeps its files for the current user, after the XDG base directory specification, and the reading of
//! single environment variables.

use std::env;
use std::path::PathBuf;

use crate::{HostError, Result};

/// Returns `$XDG_CACHE_HOME/cairn`, or `~/.cache/cairn`. The directory need not exist.
pub fn cache_dir() -> Result<PathBuf> {
    xdg_dir("XDG_CACHE_HOME", ".cache")
}

/// Returns `$XDG_CONFIG_HOME/cairn`, or `~/.config/cairn`. The directory need not exist.
pub fn config_dir() -> Result<PathBuf> {
    xdg_dir("XDG_CONFIG_HOME", ".config")
}

/// Returns the value of an environment variable, `None` if it is unset, empty or not valid UTF-8.
///
/// Meant for `main` and for tests; libraries take values as arguments.
pub fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Returns the environment variables whose names begin so, without that beginning, in the order of their names; what is not valid UTF-8
/// is left out. Meant for `main`, as [`variable`].
pub fn variables(prefix: &str) -> Vec<(String, String)> {
    let named = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        let name = name.into_string().ok()?.strip_prefix(prefix)?.to_owned();
        Some((name, value.into_string().ok()?))
    };
    let mut found: Vec<_> = env::vars_os().filter_map(named).collect();
    found.sort();
    found
}

/// Returns the directory for temporary files: `$TMPDIR`, or `/tmp`.
pub fn temporary_dir() -> PathBuf {
    env::temp_dir()
}

/// Returns the current working directory.
pub fn current_dir() -> Result<PathBuf> {
    env::current_dir().map_err(|source| HostError::io("find", ".", source))
}

/// Tells whether the process runs with the rights of root (effective user id 0).
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Returns the release of the running kernel, as `uname -r` prints it.
pub fn running_kernel() -> String {
    rustix::system::uname().release().to_string_lossy().into_owned()
}

fn xdg_dir(name: &'static str, below_home: &str) -> Result<PathBuf> {
    // The specification says that relative values are invalid and must be ignored.
    if let Some(dir) = env::var_os(name).map(PathBuf::from).filter(|dir| dir.is_absolute()) {
        return Ok(dir.join("cairn"));
    }
    let home = env::var_os("HOME").map(PathBuf::from).filter(|dir| dir.is_absolute());
    home.map(|dir| dir.join(below_home).join("cairn"))
        .ok_or(HostError::Environment { name: "HOME" })
}
