// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tools trees: Debian's programs unpacked into the cache and run in a user namespace.
//!
//! A tree is named by the digest of its members, so it is made once per lock and shared by all checkouts. Nothing in it is
//! configured and no maintainer script runs; the programs in it work from the unpacked files alone.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use cairn_host::{Root, Sandbox};
use cairn_ui::Unit;

use crate::context::Context;
use crate::deb::{Deb, EntryKind};
use crate::digest::Key;
use crate::fetch;
use crate::lock::{Lock, LockedFile, Use};

/// Raise when the way a tree is unpacked changes.
const TREE_VERSION: u32 = 2;

/// Directories that Debian's usrmerge makes links, as in every tree.
const MERGED: [&str; 4] = ["bin", "sbin", "lib", "lib64"];

/// Makes the tree for `used` if it is not in the cache, and returns a sandbox over it.
pub fn open(ctx: &Context, lock: &Lock, used: Use) -> Result<Sandbox> {
    cairn_host::user_namespaces_available()?;
    let files: Vec<&LockedFile> = lock.used_for(used).collect();
    open_tree(ctx, &files)
}

/// Makes the tree that tests images: its own programs beside those that build them.
pub fn open_test(ctx: &Context, lock: &Lock) -> Result<Sandbox> {
    cairn_host::user_namespaces_available()?;
    let files: Vec<&LockedFile> = lock
        .files
        .iter()
        .filter(|file| file.uses.contains(&Use::Tools) || file.uses.contains(&Use::Test))
        .collect();
    open_tree(ctx, &files)
}

/// Makes the tree that installs Debian's own system for comparison: the programs of the tests, and Debian's package tools.
pub fn open_reference(ctx: &Context, lock: &Lock) -> Result<Sandbox> {
    cairn_host::user_namespaces_available()?;
    let uses = [Use::Tools, Use::Test, Use::Reference];
    let files: Vec<&LockedFile> =
        lock.files.iter().filter(|file| uses.iter().any(|one| file.uses.contains(one))).collect();
    open_tree(ctx, &files)
}

/// Makes a tree of files that no lock names: a peer of a benchmark. They must be in the cache.
pub fn open_files(ctx: &Context, files: &[&LockedFile]) -> Result<Sandbox> {
    cairn_host::user_namespaces_available()?;
    open_tree(ctx, files)
}

fn open_tree(ctx: &Context, files: &[&LockedFile]) -> Result<Sandbox> {
    let tree = ctx.cache_dir("tools")?.join(tree_name(files));
    if !tree.is_dir() {
        unpack_tree(ctx, files, &tree)?;
    }
    Ok(Sandbox::new(tree))
}

fn tree_name(files: &[&LockedFile]) -> String {
    let key = files
        .iter()
        .fold(Key::new("tools tree", TREE_VERSION), |key, file| key.part(file.sha256.as_bytes()));
    key.finish()[..24].to_owned()
}

/// Unpacks all members beside the final name and renames the whole, so that a tree is complete or absent.
fn unpack_tree(ctx: &Context, files: &[&LockedFile], tree: &Path) -> Result<()> {
    let parent = tree.parent().expect("a tree lies in the cache");
    let staging = parent.join(format!(
        ".{}.{}",
        tree.file_name().unwrap_or_default().to_string_lossy(),
        std::process::id()
    ));
    let root = Root::create(&staging)?;
    for name in MERGED {
        root.mkdir_all(format!("usr/{name}"), 0o755)?;
        root.symlink(format!("usr/{name}"), name)?;
    }
    let progress = ctx.printer.progress("Unpacking tools", Some(files.len() as u64), Unit::Items);
    for file in files {
        let path = fetch::cached_path(&ctx.cache, &file.sha256);
        unpack_deb(&root, &path).with_context(|| {
            format!("unpacking {} {} for the tools tree", file.name, file.version)
        })?;
        progress.advance(1);
    }
    drop(progress);
    for name in ["proc", "dev", "sys", "tmp", "run", "var/tmp"] {
        root.mkdir_all(name, 0o755)?;
    }
    match std::fs::rename(&staging, tree) {
        Ok(()) => Ok(()),
        Err(_) if tree.is_dir() => remove_tree(&staging),
        Err(error) => {
            Err(error).with_context(|| format!("moving the tools tree to {}", tree.display()))
        }
    }
}

fn remove_tree(path: &PathBuf) -> Result<()> {
    std::fs::remove_dir_all(path).with_context(|| format!("removing {}", path.display()))
}

/// Writes the files of one .deb below `root`, as the current user. Device nodes are passed over: the sandbox brings its own.
fn unpack_deb(root: &Root, path: &Path) -> Result<()> {
    let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    let deb = Deb::parse(&path.display().to_string(), &bytes)?;
    for entry in &deb.entries {
        let rel = entry.path.trim_start_matches('/');
        if rel.is_empty() {
            continue;
        }
        let mode = u32::from(entry.mode & 0o777) | 0o200;
        match &entry.kind {
            EntryKind::Directory => root.mkdir_all(rel, mode | 0o700)?,
            EntryKind::File(data) => {
                make_room(root, rel)?;
                root.write(rel, data, mode)?;
            }
            EntryKind::Symlink(target) => {
                make_room(root, rel)?;
                root.symlink(target, rel)?;
            }
            EntryKind::HardLink(target) => {
                make_room(root, rel)?;
                root.hard_link(target.trim_start_matches('/'), rel)?;
            }
            EntryKind::Special(_) => {}
        }
    }
    Ok(())
}

/// Makes the parent directories of `rel` and removes what stands in its place (two packages may ship the same path).
fn make_room(root: &Root, rel: &str) -> Result<()> {
    if let Some((parent, _)) = rel.rsplit_once('/') {
        root.mkdir_all(parent, 0o755)?;
    }
    if root.symlink_metadata(rel)?.is_some_and(|stat| !stat.is_dir()) {
        root.remove_file(rel)?;
    }
    Ok(())
}
