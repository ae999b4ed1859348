// SPDX-License-Identifier: MIT OR Apache-2.0
//! Macros of this machine: what is built in, `/etc/rpm/macros*`, and the command line.

use super::options::Options;
use cairn_rpm::macros::Macros;

/// Returns what is built in, the administrator's files, and `--define` and `--undefine` of the command line.
pub fn of(options: &Options) -> Macros {
    let mut macros = Macros::built_in();
    configuration().iter().for_each(|text| macros.read(text));
    for (name, body) in &options.defines {
        match body {
            Some(body) => macros.define(name, body),
            None => macros.undefine(name),
        }
    }
    macros
}

/// The administrator's files in rpm's order.
fn configuration() -> Vec<String> {
    let mut paths: Vec<std::path::PathBuf> = std::fs::read_dir("/etc/rpm")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("macros."))
        })
        .collect();
    paths.sort();
    paths.push("/etc/rpm/macros".into());
    paths.iter().filter_map(|path| std::fs::read_to_string(path).ok()).collect()
}
