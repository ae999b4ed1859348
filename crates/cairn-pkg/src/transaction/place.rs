// SPDX-License-Identifier: MIT OR Apache-2.0
//! Puts staged files into place and takes old ones away, keeping what undo needs. Everything may be repeated after a crash.

use std::io;

use cairn_host::{HostError, Root};

use super::paths::{Directories, base};
use super::stage::{set_attributes, staged_name};
use crate::capability;
use crate::error::TransactionError;
use crate::failpoint::FailPoints;
use crate::journal::{Removal, Step, TransactionId};
use crate::undo;

/// Changes the tree as the steps of a committed transaction say.
pub(super) struct Placer<'a> {
    pub(super) root: &'a Root,
    pub(super) id: TransactionId,
    /// Old files go to the undo store.
    pub(super) keeps_undo: bool,
    pub(super) fail_points: &'a FailPoints,
}

impl Placer<'_> {
    /// Puts staged files into place, and brings directories into their state.
    pub(super) fn place_files(&self, steps: &[Step]) -> Result<(), TransactionError> {
        if self.keeps_undo {
            self.root.mkdir_all(undo::directory(self.id), 0o700)?;
        }
        let directories = Directories::new(self.root);
        for step in steps {
            match step {
                Step::MakeDirectory { .. } | Step::PlaceLater { .. } => {}
                Step::ReplaceDirectory { serial, path, keep_as, .. } => {
                    self.replace_by_directory(*serial, path, keep_as.as_deref())?;
                }
                Step::SetDirectory { path, attributes, .. } => {
                    self.fail_points.pass("set directory");
                    set_attributes(self.root, path, attributes)?;
                }
                Step::Place { serial, target, keep_as, .. } => {
                    self.place(&directories, *serial, target, keep_as.as_deref())?;
                }
            }
        }
        Ok(())
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
            Err(TransactionError::Host(error)) if is_absent(&error) => return Ok(()),
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
        if !self.root.exists(&staged)? {
            // Placed before a crash.
            return Ok(());
        }
        self.fail_points.pass("replace by directory");
        if self.root.symlink_metadata(path)?.is_some() {
            self.keep_for_undo(serial, path)?;
            if let Some(keep_as) = keep_as {
                self.root.rename(path, keep_as)?;
            }
            // The rename does nothing where both are names of one file.
            remove_if_there(self.root, path)?;
            self.fail_points.pass("file made way");
        }
        Ok(self.root.rename(&staged, path)?)
    }

    /// Gives the present file a second name beside it, replacing what had that name.
    fn keep_beside(
        &self,
        target: &str,
        keep_as: &str,
        temporary: &str,
    ) -> Result<(), TransactionError> {
        remove_if_there(self.root, temporary)?;
        self.root.hard_link(target, temporary)?;
        self.root.rename(temporary, keep_as)?;
        // Renaming a name onto another name of the same file does nothing.
        remove_if_there(self.root, temporary)
    }

    fn keep_for_undo(&self, serial: u32, path: &str) -> Result<(), TransactionError> {
        if !self.keeps_undo {
            return Ok(());
        }
        let kept = undo::kept_name(self.id, serial);
        if self.disarm(path, &kept)? {
            return Ok(());
        }
        match self.root.hard_link(path, &kept) {
            Ok(()) => Ok(()),
            Err(error) if error.io_kind() == Some(io::ErrorKind::AlreadyExists) => Ok(()),
            Err(error)
                if matches!(
                    error.io_kind(),
                    Some(io::ErrorKind::CrossesDevices | io::ErrorKind::TooManyLinks)
                ) =>
            {
                Ok(undo::copy(self.root, path, &kept)?)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A file that runs with another's rights and has further names, which anybody may have made, loses those rights when the package
    /// gives it up; undo gets a copy that has them. Returns whether it is such a file.
    fn disarm(&self, path: &str, kept: &str) -> Result<bool, TransactionError> {
        let Some(stat) = self.root.symlink_metadata(path)? else { return Ok(false) };
        if !stat.is_file() || stat.n_links < 2 {
            return Ok(false);
        }
        let directory = undo::directory(self.id);
        // Named after the file, so that its other names, and a run after a crash, find it.
        let armed = format!("{directory}/armed-{}-{}", stat.device, stat.inode);
        let capable = self.root.get_xattr(path, capability::ATTRIBUTE)?.is_some();
        if !self.root.exists(&armed)? {
            if stat.mode & 0o6000 == 0 && !capable {
                return Ok(false);
            }
            undo::copy(self.root, path, &armed)?;
        }
        if !self.root.exists(kept)? {
            self.root.hard_link(&armed, kept)?;
        }
        if capable {
            self.root.remove_xattr(path, capability::ATTRIBUTE)?;
        }
        self.root.set_mode(path, stat.mode & 0o1777)?;
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
        let Some(stat) = self.root.symlink_metadata(path)? else { return Ok(()) };
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
                self.root.rename(path, keep_as)?;
                // Another name of the same file: the rename did nothing.
                remove_if_there(self.root, path)
            }
            None => Ok(self.root.remove_file(path)?),
        }
    }

    /// Removes a directory that holds nothing; returns whether it did.
    fn remove_empty(&self, path: &str) -> Result<bool, TransactionError> {
        match self.root.remove_dir(path) {
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
        if !self.root.exists(&staged)? {
            return Ok(());
        }
        let is_directory = self.root.symlink_metadata(path)?.is_some_and(|stat| stat.is_dir());
        if is_directory && !self.remove_empty(path)? {
            return remove_if_there(self.root, &staged);
        }
        self.fail_points.pass("directory made way");
        Ok(self.root.rename(&staged, path)?)
    }
}

/// Removes a file; none is fine.
pub(super) fn remove_if_there(root: &Root, path: &str) -> Result<(), TransactionError> {
    match root.remove_file(path) {
        Err(error) if is_absent(&error) => Ok(()),
        result => Ok(result?),
    }
}

fn is_absent(error: &HostError) -> bool {
    matches!(error.io_kind(), Some(io::ErrorKind::NotFound | io::ErrorKind::NotADirectory))
}
