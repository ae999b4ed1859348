// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the paths of packages really lie: the same file under every name it can be reached by.
//!
//! A path's directories are resolved through the links on disk and those that the transaction itself brings (`/bin` of the
//! filesystem package), so that `/bin/sh` and `/usr/bin/sh` are one file. A path through a link of its own package is refused: the
//! package could write anywhere. Results contain no links, so later operations cannot be led astray.

use std::cell::RefCell;
use std::collections::BTreeMap;

use cairn_host::{Root, Stat};

use super::super::error::TransactionError;

/// Top-level links that merge `/bin` and the like into `/usr`; a package may use its own.
const MERGED: [&str; 6] = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"];
/// As in the kernel.
const LINK_LIMIT: usize = 40;

#[derive(Clone, Debug)]
struct Link {
    target: String,
    /// The package of the transaction that brings it.
    package: Option<usize>,
}

/// Resolves package paths; remembers what it has looked up.
pub(crate) struct Paths<'a> {
    root: &'a Root,
    /// Links the transaction brings, by their resolved path.
    coming: BTreeMap<String, Link>,
    on_disk: BTreeMap<String, Option<Link>>,
    directories: BTreeMap<String, (String, Vec<(usize, String)>)>,
    /// What was looked at on disk. Nothing changes there while a transaction is planned.
    looked_at: RefCell<BTreeMap<String, Option<Stat>>>,
    /// User ids whose links are followed.
    trusted: Option<u32>,
}

impl<'a> Paths<'a> {
    /// Starts without links of the transaction. With `trusted`, links on disk must belong to root or that user.
    pub(crate) fn new(root: &'a Root, trusted: Option<u32>) -> Self {
        Self {
            root,
            coming: BTreeMap::new(),
            on_disk: BTreeMap::new(),
            directories: BTreeMap::new(),
            looked_at: RefCell::default(),
            trusted,
        }
    }

    /// Tells it about the links that come: (package, path, target).
    pub(crate) fn add_links<'l>(
        &mut self,
        links: impl Iterator<Item = (usize, &'l str, &'l str)>,
    ) -> Result<(), TransactionError> {
        let mut links: Vec<_> = links.collect();
        links.sort_by_key(|(package, path, _)| (path.matches('/').count(), *path, *package));
        for (package, path, target) in links {
            let (directory, name) = split(path);
            let (resolved, _) = self.directory(directory)?;
            let key = join(&resolved, name);
            // What is a directory on disk stays one; that the link cannot replace it is reported when files are planned.
            if !self.stat(&key)?.is_some_and(|stat| stat.is_dir()) {
                self.coming
                    .entry(key)
                    .or_insert(Link { target: target.to_owned(), package: Some(package) });
                self.directories.clear();
            }
        }
        Ok(())
    }

    /// Tells it about the directories that come: one in the place of a link that leads to none is not entered through it.
    pub(crate) fn add_directories<'d>(
        &mut self,
        directories: impl Iterator<Item = &'d str>,
    ) -> Result<(), TransactionError> {
        let mut directories: Vec<_> = directories.collect();
        directories.sort_by_key(|path| path.matches('/').count());
        for path in directories {
            let (directory, name) = split(path);
            let (resolved, _) = self.directory(directory)?;
            let key = join(&resolved, name);
            if !self.coming.contains_key(&key)
                && self.stat(&key)?.is_some_and(|stat| stat.is_symlink())
                && !self.leads_to_directory(&key)?
            {
                self.on_disk.insert(key, None);
                self.directories.clear();
            }
        }
        Ok(())
    }

    /// Tells whether a path is a directory or a link to one.
    pub(crate) fn leads_to_directory(&self, resolved: &str) -> Result<bool, TransactionError> {
        Ok(self.root.metadata(resolved)?.is_some_and(|target| target.is_dir()))
    }

    /// Returns where a package's path lies, relative to the root.
    pub(crate) fn resolve(
        &mut self,
        path: &str,
        package: Option<usize>,
        label: &str,
    ) -> Result<String, TransactionError> {
        let (directory, name) = split(path);
        let (resolved, through) = self.directory(directory)?;
        if let Some(package) = package
            && let Some((_, link)) = through
                .iter()
                .find(|(owner, link)| *owner == package && !MERGED.contains(&link.as_str()))
        {
            let (package, path, link) = (label.to_owned(), path.to_owned(), format!("/{link}"));
            return Err(TransactionError::ThroughLink { package, path, link });
        }
        Ok(join(&resolved, name))
    }

    /// Returns the metadata of a resolved path.
    pub(crate) fn stat(&self, resolved: &str) -> Result<Option<Stat>, TransactionError> {
        if let Some(known) = self.looked_at.borrow().get(resolved) {
            return Ok(*known);
        }
        // Below what does not exist, or is no directory yet, there is nothing: one look answers for a whole new tree.
        let directory = parent(resolved);
        let is_absent =
            !directory.is_empty() && self.stat(directory)?.is_none_or(|above| !above.is_dir());
        let stat = if is_absent { None } else { self.root.symlink_metadata(resolved)? };
        self.looked_at.borrow_mut().insert(resolved.to_owned(), stat);
        Ok(stat)
    }

    /// Resolves a directory; returns its path and the transaction's links passed: (package, link).
    fn directory(
        &mut self,
        path: &str,
    ) -> Result<(String, Vec<(usize, String)>), TransactionError> {
        if let Some(known) = self.directories.get(path) {
            return Ok(known.clone());
        }
        let mut todo: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let mut resolved = String::new();
        let mut through = Vec::new();
        let mut n_links = 0;
        while let Some(component) = todo.pop() {
            match component.as_str() {
                "" | "." => continue,
                ".." => {
                    resolved.truncate(resolved.rfind('/').unwrap_or(0));
                    continue;
                }
                _ => {}
            }
            let candidate = join(&resolved, &component);
            let Some(link) = self.link(&candidate)? else {
                resolved = candidate;
                continue;
            };
            n_links += 1;
            if n_links > LINK_LIMIT {
                return Err(TransactionError::ThroughLink {
                    package: "this transaction".to_owned(),
                    path: path.to_owned(),
                    link: format!("/{candidate} (a loop)"),
                });
            }
            through.extend(link.package.map(|package| (package, candidate)));
            if link.target.starts_with('/') {
                resolved.clear();
            }
            todo.extend(link.target.split('/').rev().map(str::to_owned));
        }
        self.directories.insert(path.to_owned(), (resolved.clone(), through.clone()));
        Ok((resolved, through))
    }

    fn link(&mut self, candidate: &str) -> Result<Option<Link>, TransactionError> {
        if let Some(link) = self.coming.get(candidate) {
            return Ok(Some(link.clone()));
        }
        if let Some(known) = self.on_disk.get(candidate) {
            return Ok(known.clone());
        }
        let link = match self.stat(candidate)? {
            Some(stat) if stat.is_symlink() => {
                if self.trusted.is_some_and(|user| stat.uid != 0 && stat.uid != user) {
                    return Err(TransactionError::ThroughLink {
                        package: "this transaction".to_owned(),
                        path: format!("/{candidate}"),
                        link: format!("/{candidate} (owned by user {})", stat.uid),
                    });
                }
                let target = self.root.read_link(candidate)?.to_string_lossy().into_owned();
                Some(Link { target, package: None })
            }
            _ => None,
        };
        self.on_disk.insert(candidate.to_owned(), link.clone());
        Ok(link)
    }
}

/// Splits an absolute or relative path into directory and last component.
fn split(path: &str) -> (&str, &str) {
    let path = path.trim_end_matches('/');
    path.rsplit_once('/').unwrap_or(("", path))
}

pub(crate) fn join(directory: &str, name: &str) -> String {
    match (directory.is_empty(), name.is_empty()) {
        (true, _) => name.to_owned(),
        (_, true) => directory.to_owned(),
        _ => format!("{directory}/{name}"),
    }
}

/// Returns the directory of a resolved path.
pub(crate) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// Returns the last component of a resolved path.
pub(crate) fn base(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, base)| base)
}

/// Opens the directories of resolved paths, one at a time: the files of a directory come one after another.
///
/// Only while nothing else changes the tree: the open directory stays the same one even if it is moved.
pub(crate) struct Directories<'a> {
    root: &'a Root,
    last: RefCell<Option<(String, Root)>>,
}

impl<'a> Directories<'a> {
    pub(crate) fn new(root: &'a Root) -> Self {
        Self { root, last: RefCell::new(None) }
    }

    /// Returns the directory of a path, and the path in it.
    pub(crate) fn of<'p>(&self, path: &'p str) -> Result<(Root, &'p str), TransactionError> {
        let (directory, name) = split(path);
        if directory.is_empty() {
            return Ok((self.root.clone(), name));
        }
        if let Some((known, root)) = &*self.last.borrow()
            && known == directory
        {
            return Ok((root.clone(), name));
        }
        let root = self.root.open_root(directory)?;
        *self.last.borrow_mut() = Some((directory.to_owned(), root.clone()));
        Ok((root, name))
    }
}
