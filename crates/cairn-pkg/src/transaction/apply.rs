// SPDX-License-Identifier: MIT OR Apache-2.0
//! What happens after the commit: files into place, database, scriptlets, removals. Every step may be repeated, so a crash anywhere
//! is mended by running it all again; this is what recovery does.

use std::collections::BTreeSet;
use std::io;

use cairn_host::{HostError, Root};

use super::accounts;
use super::options::{Durability, Ownership, Scriptlets};
use super::paths::{Directories, base, parent};
use super::stage::{set_attributes, staged_name};
use crate::error::TransactionError;
use crate::event::{Event, Phase};
use crate::failpoint::FailPoints;
use crate::journal::{
    self, AfterStep, Attributes, Content, Journal, JournalError, Record, Removal, Side, Step,
};
use crate::owners::Owners;
use crate::rpmdb::{Access, RpmDb};
use crate::scriptlet::chain;
use crate::undo;

const CAPABILITIES: &str = "security.capability";

/// Carries out a committed transaction.
pub(crate) struct Applier<'a> {
    pub(crate) root: &'a Root,
    pub(crate) content: Content,
    /// Absent for scratch transactions.
    pub(crate) journal: Option<Journal>,
    pub(crate) scriptlets: Scriptlets,
    pub(crate) ownership: Ownership,
    pub(crate) durability: Durability,
    pub(crate) fail_points: &'a FailPoints,
    pub(crate) events: &'a mut dyn FnMut(Event),
    /// What failed without stopping.
    pub(crate) failures: Vec<String>,
}

impl Applier<'_> {
    /// Does everything that is not done yet and files the journal away.
    pub(crate) fn run(&mut self) -> Result<(), TransactionError> {
        if !self.content.progress.applied {
            (self.events)(Event::Phase(Phase::Apply));
            self.place_files()?;
            self.sync()?;
            self.record(&Record::Applied, true)?;
        }
        self.fail_points.pass("files placed");
        if !self.content.progress.stored {
            (self.events)(Event::Phase(Phase::Store));
            self.store()?;
            self.fail_points.pass("database changed");
            self.record(&Record::Stored, true)?;
        }
        (self.events)(Event::Phase(Phase::After));
        self.after()?;
        self.sync()?;
        if self.journal.is_some() {
            self.record(&Record::Done, true)?;
            self.fail_points.pass("done");
            file_away(self.root, self.content.begin.id)?;
            self.fail_points.pass("filed away");
            // The transaction is over: what is kept too long is no reason to call it failed.
            if let Err(error) = undo::prune(self.root) {
                let text = format!("old transactions stay in the undo store: {}", chain(&error));
                (self.events)(Event::Warning(text));
            }
        }
        Ok(())
    }

    fn record(&mut self, record: &Record, flush: bool) -> Result<(), TransactionError> {
        if let Some(journal) = &mut self.journal {
            journal.append(record)?;
            if flush {
                journal.flush()?;
            }
        }
        Ok(())
    }

    fn keeps_undo(&self) -> bool {
        self.durability == Durability::Journaled
    }

    fn place_files(&mut self) -> Result<(), TransactionError> {
        if self.keeps_undo() {
            self.root.mkdir_all(undo::directory(self.content.begin.id), 0o700)?;
        }
        let directories = Directories::new(self.root);
        for step in &self.content.steps {
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
        let staged = staged_name(target, self.content.begin.id, serial);
        // What was staged lies beside its target.
        let (directory, name) = match directories.of(target) {
            // Then nothing staged is there either.
            Err(TransactionError::Host(error)) if is_absent(&error) => return Ok(()),
            found => found?,
        };
        let staged_base = base(&staged);
        if self.keeps_undo() || keep_as.is_some() {
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
        let staged = staged_name(path, self.content.begin.id, serial);
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
        if !self.keeps_undo() {
            return Ok(());
        }
        let kept = undo::kept_name(self.content.begin.id, serial);
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
        let directory = undo::directory(self.content.begin.id);
        // Named after the file, so that its other names, and a run after a crash, find it.
        let armed = format!("{directory}/armed-{}-{}", stat.device, stat.inode);
        let capable = self.root.get_xattr(path, CAPABILITIES)?.is_some();
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
            self.root.remove_xattr(path, CAPABILITIES)?;
        }
        self.root.set_mode(path, stat.mode & 0o1777)?;
        self.fail_points.pass("rights taken");
        Ok(true)
    }

    /// One SQLite transaction for the whole set.
    fn store(&mut self) -> Result<(), TransactionError> {
        let access =
            if self.durability == Durability::Journaled { Access::Create } else { Access::Scratch };
        let mut db = RpmDb::open_in(self.root, &self.content.begin.database, access)?;
        let packages = &self.content.packages;
        db.write(|writer| -> Result<(), TransactionError> {
            for package in packages.iter().filter(|package| package.side == Side::Erased) {
                writer.remove(package.hnum)?;
            }
            for package in packages.iter().filter(|package| package.side == Side::Added) {
                writer.insert(Some(package.hnum), &package.blob)?;
            }
            self.fail_points.pass("before database commit");
            Ok(())
        })?;
        Ok(db.close()?)
    }

    fn after(&mut self) -> Result<(), TransactionError> {
        let finished: BTreeSet<u32> =
            self.content.progress.finished.iter().map(|(index, _)| *index).collect();
        let steps = std::mem::take(&mut self.content.after);
        for (index, step) in (0..).zip(&steps) {
            if finished.contains(&index) {
                continue;
            }
            self.record(&Record::Started(index), false)?;
            self.fail_points.pass("step started");
            let failure = self.after_step(step)?;
            self.record(&Record::Finished(index, failure.clone()), false)?;
            self.failures.extend(failure);
            self.fail_points.pass("step finished");
        }
        self.content.after = steps;
        Ok(())
    }

    /// Does one step; returns how it failed if that does not matter for the rest.
    fn after_step(&mut self, step: &AfterStep) -> Result<Option<String>, TransactionError> {
        match step {
            AfterStep::Scriptlet(scriptlet) => match self.scriptlets {
                Scriptlets::Run => {
                    let failure = scriptlet.run(self.root, self.events);
                    let failure = failure.map(|failure| {
                        // rpm's words.
                        format!("{}({}) {failure}", scriptlet.kind, scriptlet.package)
                    });
                    if let Some(failure) = &failure {
                        (self.events)(Event::Warning(failure.clone()));
                    }
                    Ok(failure)
                }
                Scriptlets::Collect | Scriptlets::Skip => Ok(None),
            },
            AfterStep::Remove { package, removals } => {
                (self.events)(Event::Removing { package: package.clone() });
                for removal in removals {
                    self.remove(removal)?;
                }
                Ok(None)
            }
            AfterStep::Accounts { lines, time } => {
                accounts::create(self.root, lines, *time)?;
                Ok(None)
            }
            AfterStep::Own(files) => {
                if self.ownership == Ownership::Apply {
                    self.own(files)?;
                }
                Ok(None)
            }
        }
    }

    fn own(&mut self, files: &[(String, u32, String, String)]) -> Result<(), TransactionError> {
        let owners = Owners::load(self.root)?;
        for (path, mode, user, group) in files {
            let resolved = owners.resolve(user, group, *mode);
            resolved.unknown.into_iter().map(Event::Warning).for_each(&mut *self.events);
            let (owner, mode) = ((resolved.user, resolved.group), resolved.mode);
            let Some(stat) = self.root.symlink_metadata(path)? else { continue };
            if (stat.uid, stat.gid) == owner && stat.mode == mode {
                continue;
            }
            // The change of owner takes the capabilities away.
            let capabilities =
                if stat.is_file() { self.root.get_xattr(path, CAPABILITIES)? } else { None };
            let attributes = Attributes { mode, owner: Some(owner), mtime: None };
            set_attributes(self.root, path, &attributes)?;
            if let Some(capabilities) = capabilities {
                self.root.set_xattr(path, CAPABILITIES, &capabilities)?;
            }
        }
        Ok(())
    }

    fn remove(&self, removal: &Removal) -> Result<(), TransactionError> {
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
        let staged = staged_name(path, self.content.begin.id, serial);
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

    /// Flushes every file system the transaction wrote to, once.
    pub(crate) fn sync(&self) -> Result<(), TransactionError> {
        if self.durability == Durability::Scratch {
            return Ok(());
        }
        sync_places(self.root, &self.content.steps, &self.content.after)
    }
}

/// Flushes every file system that the steps touch, once.
pub(crate) fn sync_places(
    root: &Root,
    steps: &[Step],
    after: &[AfterStep],
) -> Result<(), TransactionError> {
    let of_step = |step: &Step| match step {
        Step::MakeDirectory { path, .. } | Step::SetDirectory { path, .. } => path.clone(),
        Step::ReplaceDirectory { path: target, .. }
        | Step::PlaceLater { target, .. }
        | Step::Place { target, .. } => parent(target).to_owned(),
    };
    let mut directories: BTreeSet<String> = steps.iter().map(of_step).collect();
    for step in after {
        if let AfterStep::Remove { removals, .. } = step {
            directories.extend(removals.iter().map(|removal| parent(&removal.path).to_owned()));
        }
    }
    directories.insert(String::new());
    let mut devices = BTreeSet::new();
    for directory in &directories {
        // Removed meanwhile: its parents are in the list or on the root's file system.
        if root.symlink_metadata(directory)?.is_some_and(|stat| stat.is_dir())
            && devices.insert(root.device(directory)?)
        {
            root.syncfs_of(directory)?;
        }
    }
    Ok(())
}

/// Removes what was staged and created before the commit. Idempotent.
pub(crate) fn roll_back(
    root: &Root,
    id: journal::TransactionId,
    steps: &[Step],
    fail_points: &FailPoints,
) -> Result<(), TransactionError> {
    for step in steps {
        match step {
            Step::Place { serial, target, .. } | Step::PlaceLater { serial, target } => {
                fail_points.pass("remove staged file");
                remove_if_there(root, &staged_name(target, id, *serial))?;
            }
            Step::ReplaceDirectory { serial, path, .. } => {
                fail_points.pass("remove staged directory");
                root.remove_all(staged_name(path, id, *serial))?;
            }
            Step::MakeDirectory { .. } | Step::SetDirectory { .. } => {}
        }
    }
    for step in steps.iter().rev() {
        if let Step::MakeDirectory { path, .. } = step {
            match root.remove_dir(path) {
                Ok(()) => {}
                Err(error)
                    if matches!(
                        error.io_kind(),
                        Some(
                            io::ErrorKind::NotFound
                                | io::ErrorKind::DirectoryNotEmpty
                                | io::ErrorKind::NotADirectory
                        )
                    ) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

/// Moves a finished journal into the undo store, where it describes what can be taken back.
pub(crate) fn file_away(root: &Root, id: journal::TransactionId) -> Result<(), TransactionError> {
    let from = format!("{}/{}", journal::DIRECTORY, journal::file_name(id));
    let directory = undo::directory(id);
    root.mkdir_all(&directory, 0o700)?;
    root.rename(from, format!("{directory}/{}", undo::JOURNAL))?;
    root.fsync_dir(journal::DIRECTORY)?;
    Ok(root.fsync_dir(&directory)?)
}

fn remove_if_there(root: &Root, path: &str) -> Result<(), TransactionError> {
    match root.remove_file(path) {
        Err(error) if is_absent(&error) => Ok(()),
        result => Ok(result?),
    }
}

fn is_absent(error: &HostError) -> bool {
    matches!(error.io_kind(), Some(io::ErrorKind::NotFound | io::ErrorKind::NotADirectory))
}

/// Reports a failure after the commit as such.
pub(crate) fn interrupted(error: TransactionError) -> TransactionError {
    TransactionError::Interrupted(Box::new(error))
}

/// A journal that names another database than the one found.
pub(crate) fn other_root(name: &str, expected: &str, found: &str) -> TransactionError {
    let (name, expected, found) = (name.to_owned(), short(expected), short(found));
    JournalError::OtherRoot { name, expected, found }.into()
}

fn short(fingerprint: &str) -> String {
    fingerprint.chars().take(12).collect()
}
