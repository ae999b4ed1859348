// SPDX-License-Identifier: MIT OR Apache-2.0
//! Macros of this machine: what is built in, the files of the administrator and the user, and the command line.

use super::options::Options;
use cairn_pkg::query::glob;
use cairn_rpm::macros::Macros;
use std::path::{Path, PathBuf};

/// Where macros are, in rpm's order; later ones count.
pub const PATH: &str = "/usr/lib/rpm/macros.d/macros.*:/etc/rpm/macros.*:/etc/rpm/macros:~/.config/rpm/macros:~/.rpmmacros";

/// Returns what is built in, the macros of the usual files or of `--macros` and `--load`, and `--define` and `--undefine` of the
/// command line.
pub fn of(options: &Options) -> Macros {
    let mut macros = Macros::built_in().with_lua(cairn_pkg::lua::expand);
    let path = options.macro_path.as_deref().unwrap_or(PATH);
    let files = path.split(':').flat_map(files).chain(options.loads.iter().map(PathBuf::from));
    files.filter_map(|file| std::fs::read_to_string(file).ok()).for_each(|text| macros.read(&text));
    for (name, body) in &options.defines {
        match body {
            Some(body) => macros.define(name, body),
            None => macros.undefine(name),
        }
    }
    macros
}

/// Returns the files that a pattern in the last part of a path means.
fn files(pattern: &str) -> Vec<PathBuf> {
    let home = || cairn_host::paths::variable("HOME");
    let pattern = match pattern.strip_prefix("~/") {
        Some(rest) => home().map(|home| format!("{home}/{rest}")).unwrap_or_default(),
        None => pattern.to_owned(),
    };
    let Some((directory, name)) = pattern.rsplit_once('/').filter(|(_, n)| glob::is_pattern(n))
    else {
        return vec![PathBuf::from(pattern)];
    };
    let entries = std::fs::read_dir(Path::new(directory)).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .filter(|entry| glob::matches(name, &entry.file_name().to_string_lossy()))
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}
