// SPDX-License-Identifier: MIT OR Apache-2.0
//! Is there room for the new files on each file system? Asked before anything is written.

use std::collections::BTreeMap;

use cairn_host::Root;

use super::fate::FilePlan;
use super::paths::parent;
use super::set::{Fate, Set};
use crate::error::TransactionError;

/// Files take whole blocks; larger blocks are rare.
const BLOCK: u64 = 4096;
/// Room for journal, database and the unforeseen.
const RESERVE: u64 = 4 << 20;

#[derive(Default)]
struct Need {
    /// The shortest path on that file system that was met.
    place: String,
    bytes: u64,
    inodes: u64,
}

/// Compares what the transaction writes with what is free, per file system.
pub(crate) fn check(root: &Root, set: &Set, plan: &FilePlan) -> Result<(), TransactionError> {
    let mut devices: BTreeMap<String, (u64, String)> = BTreeMap::new();
    let mut needs: BTreeMap<u64, Need> = BTreeMap::new();
    let mut add = |directory: &str, bytes: u64| -> Result<(), TransactionError> {
        let (device, existing) = device_of(root, directory, &mut devices)?;
        let need = needs
            .entry(device)
            .or_insert_with(|| Need { place: existing.clone(), ..Need::default() });
        if existing.len() < need.place.len() {
            need.place = existing;
        }
        need.bytes =
            need.bytes.saturating_add(bytes.checked_next_multiple_of(BLOCK).unwrap_or(u64::MAX));
        need.inodes += 1;
        Ok(())
    };
    for (path, directory) in &plan.directories {
        if !directory.exists {
            add(parent(path), BLOCK)?;
        }
    }
    for added in &set.added {
        for ((file, path), fate) in added.files.iter().zip(&added.resolved).zip(&added.fates) {
            if matches!(fate, Fate::Create { .. } | Fate::Beside { .. }) {
                let size =
                    if file.is_regular() { file.size / u64::from(file.nlink.max(1)) } else { 0 };
                add(parent(path), size)?;
            }
        }
    }
    for need in needs.into_values() {
        let (bytes, inodes) = root.free_space(&need.place)?;
        let mount = mount_point(root, &need.place)?;
        let wanted = need.bytes.saturating_add(RESERVE);
        if wanted > bytes {
            return Err(TransactionError::NoSpace {
                mount,
                needed: wanted,
                free: bytes,
                unit: "bytes",
            });
        }
        if need.inodes > inodes {
            return Err(TransactionError::NoSpace {
                mount,
                needed: need.inodes,
                free: inodes,
                unit: "inodes",
            });
        }
    }
    Ok(())
}

/// Returns the file system of a directory that may not exist yet, and the nearest directory that does.
fn device_of(
    root: &Root,
    directory: &str,
    devices: &mut BTreeMap<String, (u64, String)>,
) -> Result<(u64, String), TransactionError> {
    if let Some(known) = devices.get(directory) {
        return Ok(known.clone());
    }
    let found = if directory.is_empty()
        || root.symlink_metadata(directory)?.is_some_and(|stat| stat.is_dir())
    {
        (root.device(directory)?, directory.to_owned())
    } else {
        device_of(root, parent(directory), devices)?
    };
    devices.insert(directory.to_owned(), found.clone());
    Ok(found)
}

/// Returns the top directory of the file system that holds `place`, as an absolute path.
fn mount_point(root: &Root, place: &str) -> Result<String, TransactionError> {
    let device = root.device(place)?;
    let mut top = place;
    while !top.is_empty() && root.device(parent(top))? == device {
        top = parent(top);
    }
    Ok(format!("/{top}"))
}
