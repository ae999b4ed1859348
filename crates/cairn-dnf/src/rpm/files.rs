// SPDX-License-Identifier: MIT OR Apache-2.0
//! Package files on the command line: patterns that the shell left alone, and manifests, which are lists of package files.

use super::query::{Selected, Unreadable, read_file};
use cairn_pkg::query::glob;
use std::path::{Path, PathBuf};

/// Largest manifest.
const MANIFEST_LIMIT: u64 = 1 << 20;
/// Manifests in manifests.
const DEPTH_LIMIT: usize = 8;
/// Alternatives of one pattern.
const BRACES_LIMIT: usize = 1000;

/// A package file with its path, or why it cannot be read.
pub type Found = Result<(String, Selected), Unreadable>;

/// Reads the package files that arguments mean, in order.
pub fn read_all(arguments: &[String], with_manifests: bool) -> Vec<Found> {
    let mut found = Vec::new();
    for argument in arguments {
        read_into(argument, with_manifests, 0, &mut found);
    }
    found
}

fn read_into(argument: &str, with_manifests: bool, depth: usize, found: &mut Vec<Found>) {
    for path in expand(argument) {
        match read_file(&path) {
            Ok(package) => found.push(Ok((path, package))),
            Err(unreadable) => {
                match manifest(&path).filter(|_| with_manifests && depth < DEPTH_LIMIT) {
                    Some(lines) => {
                        for line in lines {
                            read_into(&line, with_manifests, depth + 1, found);
                        }
                    }
                    None => found.push(Err(unreadable)),
                }
            }
        }
    }
}

/// Returns the words of a manifest; `None` for what is no list of names, such as a page of HTML or a damaged package.
fn manifest(path: &str) -> Option<Vec<String>> {
    let metadata = std::fs::metadata(path).ok()?;
    if !metadata.is_file() || metadata.len() == 0 || metadata.len() > MANIFEST_LIMIT {
        return None;
    }
    let text = std::fs::read_to_string(path).ok()?;
    let is_odd = |c: char| c.is_control() && !c.is_whitespace();
    if text.contains(is_odd) || text.trim_start().starts_with('<') {
        return None;
    }
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    Some(lines.flat_map(str::split_whitespace).map(str::to_owned).collect())
}

/// Returns the files that a pattern means, sorted; the pattern itself where there is none.
pub fn expand(pattern: &str) -> Vec<String> {
    if Path::new(pattern).exists() || !pattern.contains(['*', '?', '[', '{']) {
        return vec![pattern.to_owned()];
    }
    let mut all = Vec::new();
    for alternative in braces(pattern) {
        let found = matching(&alternative);
        // Names in braces need not exist, as in a shell.
        let is_name = alternative != pattern && !glob::is_pattern(&alternative);
        all.extend(if found.is_empty() && is_name { vec![alternative] } else { found });
    }
    if all.is_empty() { vec![pattern.to_owned()] } else { all }
}

/// Writes out `a{b,c}d` as `abd` and `acd`.
fn braces(pattern: &str) -> Vec<String> {
    let mut open = vec![pattern.to_owned()];
    let mut done = Vec::new();
    while let Some(next) = open.pop() {
        // The first ones that have no others inside.
        let parts = next.find('}').and_then(|end| {
            let start = next[..end].rfind('{')?;
            next[start..end].contains(',').then_some((start, end))
        });
        match parts {
            Some((start, end)) if open.len() + done.len() < BRACES_LIMIT => {
                let alternatives = next[start + 1..end].split(',').rev();
                let written = |one: &str| format!("{}{one}{}", &next[..start], &next[end + 1..]);
                open.extend(alternatives.map(written));
            }
            _ => done.push(next),
        }
    }
    done
}

/// Returns the existing files that a pattern means, sorted.
fn matching(pattern: &str) -> Vec<String> {
    let mut found = vec![PathBuf::from(if pattern.starts_with('/') { "/" } else { "" })];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        let mut next = Vec::new();
        for base in &found {
            if !glob::is_pattern(part) {
                next.extend(Some(base.join(part)).filter(|path| path.exists()));
                continue;
            }
            let directory = if base.as_os_str().is_empty() { Path::new(".") } else { base };
            let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
            let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
            let fits = |name: &String| {
                glob::matches(part, name) && (!name.starts_with('.') || part.starts_with('.'))
            };
            next.extend(names.filter(fits).map(|name| base.join(name)));
        }
        next.sort();
        found = next;
    }
    found.into_iter().map(|path| path.to_string_lossy().into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives() {
        assert_eq!(braces("a{b,c}d{1,2}"), ["abd1", "abd2", "acd1", "acd2"]);
        assert_eq!(braces("a{b}"), ["a{b}"]);
        assert_eq!(expand("/nothing/*.rpm"), ["/nothing/*.rpm"]);
        assert_eq!(expand("/nothing/{a,b}.rpm"), ["/nothing/a.rpm", "/nothing/b.rpm"]);
    }

    #[test]
    fn patterns_and_manifests() {
        let directory = tempfile::tempdir().unwrap();
        let base = directory.path().to_str().unwrap();
        for name in ["a-1.rpm", "a-2.rpm", "b-1.rpm"] {
            std::fs::write(directory.path().join(name), "<html>").unwrap();
        }
        assert_eq!(
            expand(&format!("{base}/a-*.rpm")),
            [format!("{base}/a-1.rpm"), format!("{base}/a-2.rpm")]
        );
        let list = format!("{base}/list");
        std::fs::write(&list, "# names\na.rpm b.rpm # two\n\n/c/*.rpm\n").unwrap();
        assert_eq!(manifest(&list).unwrap(), ["a.rpm", "b.rpm", "/c/*.rpm"]);
        assert_eq!(manifest(&format!("{base}/a-1.rpm")), None);
    }
}
