// SPDX-License-Identifier: MIT OR Apache-2.0
//! Puts staged files into place and takes old ones away, keeping what undo needs. Everything may be repeated after a crash.

use std::io;

use cairn_host::{HostError, Root};

use super::paths::{Directories, base};
use super::stage::{Expected, set_attributes, staged_name};
use crate::capability;
use crate::error::TransactionError;
use crate::failpoint::FailPoints;
use crate::journal::{Removal, Step, TransactionId};
use crate::scriptlet::chain;
use crate::undo;

/// Changes the tree as the steps of a committed transaction say.
pub(super) struct Placer<'a> {
    /// Where the undo store is.
    pub(super) root: &'a Root,
    /// The same root for the paths of the steps.
    pub(super) live: Root,
    pub(super) id: TransactionId,
    /// Old files go to the undo store.
    pub(super) keeps_undo: bool,
    pub(super) fail_points: &'a FailPoints,
}

impl Placer<'_> {
    /// Puts staged files into place, and brings directories into their state; returns what somebody else prevented.
    pub(super) fn place_files(&self, steps: &[Step]) -> Result<Vec<String>, TransactionError> {
        if self.keeps_undo {
            self.root.mkdir_all(undo::directory(self.id), 0o700)?;
        }
        let directories = Directories::new(&self.live);
        let mut prevented = Vec::new();
        for step in steps {
            prevented.extend(unless_prevented(self.step(step, &directories))?);
        }
        Ok(prevented)
    }

    fn step(&self, step: &Step, directories: &Directories<'_>) -> Result<(), TransactionError> {
        match step {
            Step::MakeDirectory { .. } | Step::PlaceLater { .. } => Ok(()),
            Step::ReplaceDirectory { serial, path, keep_as, .. } => {
                self.replace_by_directory(*serial, path, keep_as.as_deref())
            }
            Step::SetDirectory { path, attributes, .. } => {
                self.fail_points.pass("set directory");
                set_attributes(&self.live, path, Expected::Directory, attributes)
            }
            Step::Place { serial, target, keep_as, .. } => {
                self.place(directories, *serial, target, keep_as.as_deref())
            }
        }
    }

    fn place(
        &self,
        directories: &Directories<'_>,
        serial: u32,
        target: &str,
        keep_as: Option<&str>,
    ) -> Result<(), TransactionError> {
        let staged = staged_name(target, self.id, serial);
        // What was staged lies beside its target.
        let (directory, name) = match directories.of(target) {
            // Then nothing staged is there either.
            Err(TransactionError::Host(error)) if is_missing(&error) => return Ok(()),
            found => found?,
        };
        let staged_base = base(&staged);
        if self.keeps_undo || keep_as.is_some() {
            self.fail_points.pass("place file");
            match directory.rename_no_replace(staged_base, name) {
                Ok(()) => return Ok(()),
                // Something has the name, or the file system cannot do this.
                Err(_) if !directory.exists(staged_base)? => return Ok(()),
                Err(_) => {}
            }
            if directory.exists(name)? {
                self.keep_for_undo(serial, target)?;
                if let Some(keep_as) = keep_as {
                    self.make_way_beside(serial, target, keep_as)?;
                    self.keep_beside(target, keep_as, &format!("{staged}-old"))?;
                }
                self.fail_points.pass("old file kept");
            }
        }
        match directory.rename(staged_base, name) {
            // Placed before a crash.
            Err(error) if error.is_not_found() && !directory.exists(staged_base)? => Ok(()),
            result => Ok(result?),
        }
    }

    /// Puts a staged directory, with what is staged in it, where a file is.
    fn replace_by_directory(
        &self,
        serial: u32,
        path: &str,
        keep_as: Option<&str>,
    ) -> Result<(), TransactionError> {
        let staged = staged_name(path, self.id, serial);
        if !self.live.exists(&staged)? {
            // Placed before a crash.
            return Ok(());
        }
        self.fail_points.pass("replace by directory");
        if self.live.symlink_metadata(path)?.is_some() {
            self.keep_for_undo(serial, path)?;
            if let Some(keep_as) = keep_as {
                self.make_way_beside(serial, path, keep_as)?;
                self.live.rename(path, keep_as)?;
            }
            // The rename does nothing where both are names of one file.
            remove_if_there(&self.live, path)?;
            self.fail_points.pass("file made way");
        }
        Ok(self.live.rename(&staged, path)?)
    }

    /// Gives the present file a second name beside it, replacing what had that name.
    fn keep_beside(
        &self,
        target: &str,
        keep_as: &str,
        temporary: &str,
    ) -> Result<(), TransactionError> {
        remove_if_there(&self.live, temporary)?;
        self.live.hard_link(target, temporary)?;
        self.live.rename(temporary, keep_as)?;
        // Renaming a name onto another name of the same file does nothing.
        remove_if_there(&self.live, temporary)
    }

    /// What has the name that a file is about to be kept under goes to the undo store.
    fn make_way_beside(
        &self,
        serial: u32,
        path: &str,
        keep_as: &str,
    ) -> Result<(), TransactionError> {
        let Some(old) = self.live.symlink_metadata(keep_as)? else { return Ok(()) };
        let file = self.live.symlink_metadata(path)?;
        // After a crash it may be that file already.
        let is_kept = file.is_some_and(|file| file.is_same_file(&old));
        if !self.keeps_undo || is_kept || old.is_dir() {
            return Ok(());
        }
        self.keep(keep_as, &undo::kept_beside_name(self.id, serial))
    }

    fn keep_for_undo(&self, serial: u32, path: &str) -> Result<(), TransactionError> {
        if !self.keeps_undo {
            return Ok(());
        }
        let kept = undo::kept_name(self.id, serial);
        if self.disarm(path, &kept)? {
            return Ok(());
        }
        self.keep(path, &kept)
    }

    /// Gives a file a second name in the undo store, or makes a copy there.
    fn keep(&self, path: &str, kept: &str) -> Result<(), TransactionError> {
        match self.root.hard_link_from(&self.live, path, kept) {
            Ok(()) => Ok(()),
            Err(error) if error.io_kind() == Some(io::ErrorKind::AlreadyExists) => Ok(()),
            Err(error)
                if matches!(
                    error.io_kind(),
                    Some(io::ErrorKind::CrossesDevices | io::ErrorKind::TooManyLinks)
                ) =>
            {
                Ok(undo::copy(&self.live.hold(path)?, self.root, kept)?)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A file that runs with another's rights and has further names, which anybody may have made, loses those rights when the package
    /// gives it up; undo gets a copy that has them. Returns whether it is such a file.
    fn disarm(&self, path: &str, kept: &str) -> Result<bool, TransactionError> {
        let present = self.live.symlink_metadata(path)?;
        if present.is_none_or(|stat| !stat.is_file() || stat.n_links < 2) {
            return Ok(false);
        }
        let file = self.live.hold(path)?;
        let stat = file.stat()?;
        let directory = undo::directory(self.id);
        // Named after the file, so that its other names, and a run after a crash, find it.
        let armed = format!("{directory}/armed-{}-{}", stat.device, stat.inode);
        let capable = file.get_xattr(capability::ATTRIBUTE)?.is_some();
        if !self.root.exists(&armed)? {
            if stat.mode & 0o6000 == 0 && !capable {
                return Ok(false);
            }
            undo::copy(&file, self.root, &armed)?;
        }
        if !self.root.exists(kept)? {
            self.root.hard_link(&armed, kept)?;
        }
        if capable {
            file.remove_xattr(capability::ATTRIBUTE)?;
        }
        file.set_mode(stat.mode & 0o1777)?;
        self.fail_points.pass("rights taken");
        Ok(true)
    }

    /// Removes a file or an empty directory, or puts what was staged for its place there.
    pub(super) fn remove(&self, removal: &Removal) -> Result<(), TransactionError> {
        self.fail_points.pass("remove");
        let Removal { serial, path, keep_as, directory, then_place } = removal;
        if let Some(serial) = then_place {
            return self.place_for_directory(*serial, path);
        }
        let Some(stat) = self.live.symlink_metadata(path)? else { return Ok(()) };
        if directory.is_some() {
            if stat.is_dir() {
                self.remove_empty(path)?;
            }
            return Ok(());
        }
        if stat.is_dir() {
            return Ok(());
        }
        self.keep_for_undo(*serial, path)?;
        match keep_as {
            Some(keep_as) => {
                self.make_way_beside(*serial, path, keep_as)?;
                self.live.rename(path, keep_as)?;
                // Another name of the same file: the rename did nothing.
                remove_if_there(&self.live, path)
            }
            None => Ok(self.live.remove_file(path)?),
        }
    }

    /// Removes a directory that holds nothing; returns whether it did.
    fn remove_empty(&self, path: &str) -> Result<bool, TransactionError> {
        match self.live.remove_dir(path) {
            Err(error)
                if matches!(
                    error.io_kind(),
                    Some(io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::ResourceBusy)
                ) =>
            {
                Ok(false)
            }
            result => Ok(result.map(|()| true)?),
        }
    }

    /// Puts a staged file where a directory is; that stays if it holds something.
    fn place_for_directory(&self, serial: u32, path: &str) -> Result<(), TransactionError> {
        let staged = staged_name(path, self.id, serial);
        if !self.live.exists(&staged)? {
            return Ok(());
        }
        let is_directory = self.live.symlink_metadata(path)?.is_some_and(|stat| stat.is_dir());
        if is_directory && !self.remove_empty(path)? {
            return remove_if_there(&self.live, &staged);
        }
        self.fail_points.pass("directory made way");
        Ok(self.live.rename(&staged, path)?)
    }
}

/// Removes a file; none is fine.
pub(super) fn remove_if_there(root: &Root, path: &str) -> Result<(), TransactionError> {
    match root.remove_file(path) {
        Err(error) if is_absent(&error) => Ok(()),
        result => Ok(result?),
    }
}

/// Tells whether something is not there, or is not what was there when its path was resolved.
pub(super) fn is_absent(error: &HostError) -> bool {
    matches!(error, HostError::Interfered { .. }) || is_missing(error)
}

fn is_missing(error: &HostError) -> bool {
    matches!(error.io_kind(), Some(io::ErrorKind::NotFound | io::ErrorKind::NotADirectory))
}

/// Whoever may write to a directory may prevent what is done there. That is told, and the rest goes on: stopping would let him stop
/// every recovery as well.
pub(super) fn unless_prevented(
    result: Result<(), TransactionError>,
) -> Result<Option<String>, TransactionError> {
    match result {
        Err(TransactionError::Host(error)) if is_absent(&error) => Ok(Some(chain(&error))),
        result => result.map(|()| None),
    }
}
