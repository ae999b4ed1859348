// SPDX-License-Identifier: MIT OR Apache-2.0
//! Macros of this machine: what is built in, the files of the administrator and the user, and the command line.

use super::files;
use super::format::{Format, Subject};
use super::options::Options;
use cairn_rpm::macros::Macros;

/// Where macros are, in rpm's order; later ones count.
pub const PATH: &str = "/usr/lib/rpm/macros.d/macros.*:/etc/rpm/macros.*:/etc/rpm/macros:~/.config/rpm/macros:~/.rpmmacros";

/// Returns what is built in, the macros of the usual files or of `--macros` and `--load`, and `--define` and `--undefine` of the
/// command line.
pub fn of(options: &Options) -> Macros {
    let mut macros = for_scriptlets();
    if let Some(home) = cairn_host::paths::variable("HOME") {
        macros.define("_topdir", &format!("{}/rpmbuild", home.replace('%', "%%")));
    }
    let path = options.macro_path.as_deref().unwrap_or(PATH);
    let files = path.split(':').flat_map(entry).chain(options.loads.iter().cloned());
    files.filter_map(|file| std::fs::read_to_string(file).ok()).for_each(|text| macros.read(&text));
    for (name, body) in &options.defines {
        match body {
            Some(body) => macros.define(name, body),
            None => macros.undefine(name),
        }
    }
    macros
}

/// Returns what is built in, able to run Lua and to fill in what scriptlets ask for.
pub fn for_scriptlets() -> Macros {
    Macros::built_in().with_lua(cairn_pkg::lua::expand).with_format(|header, text| {
        let subject = Subject { header, signature: None, number: 0, verbose: false };
        Format::parse(text).and_then(|format| format.render(subject))
    })
}

/// Returns the files that one entry of the path means; `~` is the user's directory.
fn entry(pattern: &str) -> Vec<String> {
    match pattern.strip_prefix("~/") {
        Some(rest) => cairn_host::paths::variable("HOME")
            .map(|home| files::expand(&format!("{home}/{rest}")))
            .unwrap_or_default(),
        None => files::expand(pattern),
    }
}
