// SPDX-License-Identifier: MIT OR Apache-2.0
//! The malformed files that the tests judge, kept with what is said about each where `cargo xtask fixtures` asks for them.
//!
//! A case's name begins with its row in the table of bad inputs.

use std::path::{Path, PathBuf};

/// Names the directory that wants the files.
const WANTED: &str = "CAIRN_FIXTURES";

/// Keeps a file, or a directory with all that is in it, as `KIND/NAME` and what was said about it as `KIND/NAME.txt`.
pub fn keep(kind: &str, name: &str, from: &Path, said: &str) {
    let Some(place) = place(kind) else { return };
    let slug = slug(name);
    match from.extension().and_then(|extension| extension.to_str()) {
        Some(extension) if from.is_file() => copy(from, &place.join(format!("{slug}.{extension}"))),
        _ => copy(from, &place.join(&slug)),
    }
    std::fs::write(place.join(format!("{slug}.txt")), said).unwrap();
}

/// Keeps a public key that signed some of the files.
pub fn keep_key(name: &str, armored: &str) {
    let Some(place) = place("keys") else { return };
    std::fs::write(place.join(format!("{name}.asc")), armored).unwrap();
}

/// Returns the directory of a kind; `None` where nobody wants the files.
fn place(kind: &str) -> Option<PathBuf> {
    let place = PathBuf::from(std::env::var_os(WANTED)?).join(kind);
    std::fs::create_dir_all(&place).unwrap();
    Some(place)
}

/// `7 many tags` is `07-many-tags`.
fn slug(name: &str) -> String {
    let (row, rest) = name.split_once(' ').unwrap_or((name, ""));
    let row: u32 = row.parse().unwrap_or_else(|_| panic!("`{name}` does not begin with a row"));
    let mut slug = format!("{row:02}");
    for word in rest.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        slug.push('-');
        slug.push_str(&word.to_ascii_lowercase());
    }
    slug
}

fn copy(from: &Path, to: &Path) {
    if !from.is_dir() {
        std::fs::copy(from, to).unwrap();
        return;
    }
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        copy(&entry.path(), &to.join(entry.file_name()));
    }
}
