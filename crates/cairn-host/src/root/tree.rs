// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whole directories below a [`Root`]: listing, walking, removing.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, Dir, Mode, OFlags};
use rustix::io::Errno;

use super::attributes::to_stat;
use super::{Root, Stat};
use crate::{HostError, Result};

impl Root {
    /// Removes a file or a directory with everything below it; nothing happens if it does not exist. Links are removed, never
    /// followed. Refuses (`ErrorKind::CrossesDevices`) to go down into another mounted file system, so that a forgotten bind mount survives.
    /// For the root itself (`""`) only the content is removed.
    pub fn remove_all(&self, rel: impl AsRef<Path>) -> Result<()> {
        let rel = rel.as_ref();
        let Some(stat) = self.symlink_metadata(rel)? else { return Ok(()) };
        let failed = |source: Errno| HostError::io("remove", self.display(rel), source);
        let (parent, name) = self.parent(rel, "remove")?;
        if !stat.is_dir() {
            return rustix::fs::unlinkat(&parent, name, AtFlags::empty()).map_err(failed);
        }
        let dir = open_dir(&parent, name).map_err(failed)?;
        remove_content(dir, stat.device, 0).map_err(failed)?;
        if name == "." {
            Ok(())
        } else {
            rustix::fs::unlinkat(&parent, name, AtFlags::REMOVEDIR).map_err(failed)
        }
    }

    /// Calls `visit` for everything below the directory `rel` in sorted depth-first order, a directory before its content. The path
    /// given is relative to the root (not to `rel`). Links are reported, not followed; `rel` itself is not reported.
    pub fn walk(
        &self,
        rel: impl AsRef<Path>,
        visit: &mut dyn FnMut(&Path, &Stat) -> Result<()>,
    ) -> Result<()> {
        let rel = super::relative(rel.as_ref());
        for name in self.raw_names(rel)? {
            let path: PathBuf = rel.join(OsStr::from_bytes(&name));
            // The entry may have vanished since the directory was read.
            let Some(stat) = self.symlink_metadata(&path)? else { continue };
            visit(&path, &stat)?;
            if stat.is_dir() {
                self.walk(&path, visit)?;
            }
        }
        Ok(())
    }

    pub(super) fn raw_names(&self, rel: &Path) -> Result<Vec<Vec<u8>>> {
        let fd =
            self.resolve(rel, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty(), "read directory")?;
        names_of(&fd).map_err(|source| HostError::io("read directory", self.display(rel), source))
    }
}

/// Deep enough for any real tree; keeps the recursion from overflowing the stack.
const DEPTH_LIMIT: usize = 512;

fn remove_content(dir: OwnedFd, device: u64, depth: usize) -> std::result::Result<(), Errno> {
    if depth > DEPTH_LIMIT {
        return Err(Errno::LOOP);
    }
    // A directory without write permission for its owner cannot be emptied by an ordinary user.
    let own = rustix::fs::fstat(&dir)?;
    if own.st_mode & 0o300 != 0o300 {
        rustix::fs::fchmod(&dir, Mode::from_raw_mode(own.st_mode | 0o700))?;
    }
    for name in names_of(&dir)? {
        let name = OsStr::from_bytes(&name);
        let stat = to_stat(&rustix::fs::statat(&dir, name, AtFlags::SYMLINK_NOFOLLOW)?);
        if !stat.is_dir() {
            rustix::fs::unlinkat(&dir, name, AtFlags::empty())?;
            continue;
        }
        if stat.device != device {
            return Err(Errno::XDEV);
        }
        remove_content(open_dir(&dir, name)?, device, depth + 1)?;
        rustix::fs::unlinkat(&dir, name, AtFlags::REMOVEDIR)?;
    }
    Ok(())
}

fn open_dir(parent: impl AsFd + Copy, name: &OsStr) -> std::result::Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(parent, name, flags, Mode::empty()) {
        Err(Errno::ACCESS) => {
            rustix::fs::chmodat(parent, name, Mode::RWXU, AtFlags::empty())?;
            rustix::fs::openat(parent, name, flags, Mode::empty())
        }
        result => result,
    }
}

fn names_of(dir: &OwnedFd) -> std::result::Result<Vec<Vec<u8>>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(name.to_vec());
        }
    }
    names.sort();
    Ok(names)
}
