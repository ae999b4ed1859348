// SPDX-License-Identifier: MIT OR Apache-2.0
//! The files of a root as text.

use std::fmt::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// One line per file, without those at or below `skipped`: type, mode, and content or target.
pub fn list(root: &Path, skipped: &[&str]) -> String {
    let mut text = String::new();
    add(root, Path::new(""), skipped, &mut text);
    text
}

fn add(root: &Path, below: &Path, skipped: &[&str], text: &mut String) {
    let mut names: Vec<PathBuf> = std::fs::read_dir(root.join(below))
        .unwrap_or_else(|error| panic!("{}: {error}", root.join(below).display()))
        .map(|entry| below.join(entry.unwrap().file_name()))
        .collect();
    names.sort();
    for name in names {
        if skipped.iter().any(|own| Path::new(own) == name) {
            continue;
        }
        let path = root.join(&name);
        let metadata = std::fs::symlink_metadata(&path).unwrap();
        let owner = match (metadata.uid(), metadata.gid()) {
            (0, 0) => String::new(),
            (user, group) => format!("{user}:{group} "),
        };
        let mode = format!("{owner}{:o}", metadata.permissions().mode() & 0o7777);
        let shown = name.display();
        if metadata.is_symlink() {
            let target = std::fs::read_link(&path).unwrap();
            writeln!(text, "{shown} -> {}", target.display()).unwrap();
        } else if metadata.is_dir() {
            writeln!(text, "{shown}/ {mode}").unwrap();
            add(root, &name, skipped, text);
        } else {
            let content = std::fs::read(&path).unwrap_or_default();
            let content = String::from_utf8_lossy(&content).replace('\n', "\\n");
            // Elsewhere our undo store has links to what was replaced.
            let links = if name.starts_with("usr/share/p") { metadata.nlink() } else { 1 };
            writeln!(text, "{shown} {mode} {links} `{content}`").unwrap();
        }
    }
}
