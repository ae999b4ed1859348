// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an image definition changes in a tree after its packages are installed: paths dropped, files and links added.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use cairn_host::Root;

use crate::overlay::glob::Glob;

/// Changes to a staged tree, in the order in which they are made.
#[derive(Debug, Clone, Copy)]
pub struct Edits<'a> {
    /// Globs of paths removed.
    pub drop: &'a [Glob],
    /// Globs that win over `drop`.
    pub keep: &'a [Glob],
    /// Files written, mode 0644: path → content.
    pub files: &'a BTreeMap<String, String>,
    /// Symbolic links made: path → target.
    pub links: &'a BTreeMap<String, String>,
}

impl Edits<'_> {
    /// Makes the changes.
    pub fn apply(&self, root: &Root) -> Result<()> {
        self.prune(root)?;
        for (path, content) in self.files {
            let path = path.trim_start_matches('/');
            make_parent(root, path)?;
            root.write_atomic(path, content.as_bytes(), 0o644)?;
        }
        for (path, target) in self.links {
            let path = path.trim_start_matches('/');
            make_parent(root, path)?;
            if root.symlink_metadata(path)?.is_some() {
                root.remove_file(path)?;
            }
            root.symlink(target, path)?;
        }
        Ok(())
    }

    /// Removes what `drop` covers, then directories left empty by that.
    fn prune(&self, root: &Root) -> Result<()> {
        let mut doomed = Vec::new();
        let mut directories = BTreeSet::new();
        root.walk("", &mut |path, stat| {
            let absolute = format!("/{}", path.display());
            let covered = self.drop.iter().any(|glob| glob.covers(&absolute))
                && !self.keep.iter().any(|glob| glob.covers(&absolute));
            if covered && stat.is_dir() {
                directories.insert(path.to_owned());
            } else if covered {
                doomed.push(path.to_owned());
            }
            Ok(())
        })?;
        for path in &doomed {
            root.remove_file(path)?;
        }
        for path in directories.iter().rev() {
            if root.read_dir(path)?.is_empty() {
                root.remove_dir(path)?;
            }
        }
        Ok(())
    }
}

/// Makes the directory that `path` lies in.
pub fn make_parent(root: &Root, path: &str) -> Result<()> {
    if let Some((parent, _)) = path.trim_start_matches('/').rsplit_once('/') {
        root.mkdir_all(parent, 0o755)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_keeps_writes_and_links() {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::create(directory.path().join("t")).unwrap();
        root.mkdir_all("usr/share/doc/a", 0o755).unwrap();
        root.mkdir_all("usr/share/keep", 0o755).unwrap();
        root.write("usr/share/doc/a/README", b"x", 0o644).unwrap();
        root.write("usr/share/keep/file", b"x", 0o644).unwrap();
        root.write("link", b"x", 0o644).unwrap();
        let edits = Edits {
            drop: &[Glob::parse("/usr/share/**").unwrap()],
            keep: &[Glob::parse("/usr/share/keep/file").unwrap()],
            files: &BTreeMap::from([("/etc/new".to_owned(), "content".to_owned())]),
            links: &BTreeMap::from([("/link".to_owned(), "etc/new".to_owned())]),
        };
        edits.apply(&root).unwrap();
        assert!(!root.exists("usr/share/doc").unwrap());
        assert!(root.exists("usr/share/keep/file").unwrap());
        assert_eq!(root.read_to_string("link").unwrap(), "content");
    }
}
