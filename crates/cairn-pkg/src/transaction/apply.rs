// SPDX-License-Identifier: MIT OR Apache-2.0
//! What happens after the commit: files into place, database, scriptlets, removals. Every step may be repeated, so a crash anywhere
//! is mended by running it all again; this is what recovery does.

use std::collections::BTreeSet;
use std::io;

use cairn_host::{Root, chroot};

use super::accounts;
use super::options::{Durability, Ownership, Scriptlets};
use super::paths::parent;
use super::place::{Placer, is_absent, remove_if_there, unless_prevented};
use super::stage::{Expected, set_attributes, staged_name};
use crate::error::TransactionError;
use crate::event::{Event, Phase};
use crate::failpoint::FailPoints;
use crate::journal::{
    self, AfterStep, Attributes, Content, Journal, JournalError, Progress, Record, Side, Step,
};
use crate::owners::Owners;
use crate::parallel;
use crate::rpmdb::{Access, RpmDb};
use crate::scriptlet::chain;
use crate::undo;

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
        self.place_and_store()?;
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

    /// Puts files into place and changes the database, side by side: neither needs the other, both may be repeated.
    fn place_and_store(&mut self) -> Result<(), TransactionError> {
        let Progress { applied, stored, .. } = self.content.progress;
        if applied && stored {
            return Ok(());
        }
        (self.events)(Event::Phase(Phase::Apply));
        let Self { root, content, durability, fail_points, .. } = &*self;
        let placer = self.placer();
        let place = || if applied { Ok(Vec::new()) } else { placer.place_files(&content.steps) };
        let store = || if stored { Ok(()) } else { store(root, content, *durability, fail_points) };
        let (placed, stored) = parallel::both(place, store);
        let prevented = placed?;
        stored?;
        let failure = self.told(prevented);
        self.failures.extend(failure);
        self.sync()?;
        self.fail_points.pass("files placed");
        self.record(&Record::Applied, false)?;
        self.record(&Record::Stored, true)
    }

    fn placer(&self) -> Placer<'_> {
        Placer {
            root: self.root,
            live: self.root.without_links(),
            id: self.content.begin.id,
            keeps_undo: self.durability == Durability::Journaled,
            fail_points: self.fail_points,
        }
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

    fn after(&mut self) -> Result<(), TransactionError> {
        let finished: BTreeSet<u32> =
            self.content.progress.finished.iter().map(|(index, _)| *index).collect();
        let steps = std::mem::take(&mut self.content.after);
        let mut runner = chroot::Runner::new(self.root);
        for (index, step) in (0..).zip(&steps) {
            if finished.contains(&index) {
                continue;
            }
            self.record(&Record::Started(index), false)?;
            self.fail_points.pass("step started");
            let failure = self.after_step(step, &mut runner)?;
            self.record(&Record::Finished(index, failure.clone()), false)?;
            self.failures.extend(failure);
            self.fail_points.pass("step finished");
        }
        self.content.after = steps;
        Ok(())
    }

    /// Does one step; returns how it failed if that does not matter for the rest.
    fn after_step(
        &mut self,
        step: &AfterStep,
        runner: &mut chroot::Runner,
    ) -> Result<Option<String>, TransactionError> {
        match step {
            AfterStep::Scriptlet(scriptlet) => match self.scriptlets {
                Scriptlets::Run => {
                    let failure = scriptlet.run(runner, self.events);
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
                let placer = self.placer();
                let mut prevented = Vec::new();
                for removal in removals {
                    prevented.extend(unless_prevented(placer.remove(removal))?);
                }
                Ok(self.told(prevented))
            }
            AfterStep::Accounts { lines, time } => {
                accounts::create(self.root, lines, *time)?;
                Ok(None)
            }
            AfterStep::Own(files) => {
                let applies = self.ownership == Ownership::Apply;
                let prevented = if applies { self.own(files)? } else { Vec::new() };
                Ok(self.told(prevented))
            }
        }
    }

    /// Tells what somebody prevented; returns it as one text.
    fn told(&mut self, prevented: Vec<String>) -> Option<String> {
        for failure in &prevented {
            (self.events)(Event::Warning(failure.clone()));
        }
        (!prevented.is_empty()).then(|| prevented.join("; "))
    }

    /// Gives files to owners who were not there before; returns what somebody prevented.
    fn own(
        &mut self,
        files: &[(String, u32, String, String)],
    ) -> Result<Vec<String>, TransactionError> {
        let mut prevented = Vec::new();
        let owners = Owners::load(self.root)?;
        let live = self.root.without_links();
        for (path, mode, user, group) in files {
            let resolved = owners.resolve(user, group, *mode);
            resolved.unknown.into_iter().map(Event::Warning).for_each(&mut *self.events);
            let owner = (resolved.user, resolved.group);
            prevented.extend(unless_prevented(own_file(&live, path, owner, resolved.mode))?);
        }
        Ok(prevented)
    }

    /// Flushes every file system the transaction wrote to, once.
    pub(crate) fn sync(&self) -> Result<(), TransactionError> {
        if self.durability == Durability::Scratch {
            return Ok(());
        }
        sync_places(self.root, &self.content.steps, &self.content.after)
    }
}

/// Gives a file that a transaction has placed, and that is still there, to its owner.
fn own_file(live: &Root, path: &str, owner: (u32, u32), mode: u32) -> Result<(), TransactionError> {
    let Some(stat) = live.symlink_metadata(path)? else { return Ok(()) };
    if (stat.uid, stat.gid) == owner && stat.mode == mode {
        return Ok(());
    }
    let expected = if stat.is_dir() { Expected::Directory } else { Expected::Made };
    let attributes = Attributes { mode, owner: Some(owner), mtime: None };
    set_attributes(live, path, expected, &attributes)
}

/// Changes the database, in one SQLite transaction for the whole set.
fn store(
    root: &Root,
    content: &Content,
    durability: Durability,
    fail_points: &FailPoints,
) -> Result<(), TransactionError> {
    let access = if durability == Durability::Journaled { Access::Create } else { Access::Scratch };
    let mut db = RpmDb::open_in(root, &content.begin.database, access)?;
    db.write(|writer| -> Result<(), TransactionError> {
        for package in content.packages.iter().filter(|package| package.side == Side::Erased) {
            writer.remove(package.hnum)?;
        }
        for package in content.packages.iter().filter(|package| package.side == Side::Added) {
            writer.insert(Some(package.hnum), &package.blob)?;
        }
        fail_points.pass("before database commit");
        Ok(())
    })?;
    db.close()?;
    fail_points.pass("database changed");
    Ok(())
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
    let live = root.without_links();
    let mut devices = BTreeSet::new();
    for directory in &directories {
        match live.open_root(directory) {
            Ok(opened) if devices.insert(opened.device("")?) => opened.syncfs()?,
            Ok(_) => {}
            // Removed meanwhile: its parents are in the list or on the root's file system.
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(error.into()),
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
    let root = &root.without_links();
    for step in steps {
        match step {
            Step::Place { serial, target, .. } | Step::PlaceLater { serial, target } => {
                fail_points.pass("remove staged file");
                remove_if_there(root, &staged_name(target, id, *serial))?;
            }
            Step::ReplaceDirectory { serial, path, .. } => {
                fail_points.pass("remove staged directory");
                match root.remove_all(staged_name(path, id, *serial)) {
                    Err(error) if is_absent(&error) => {}
                    result => result?,
                }
            }
            Step::MakeDirectory { .. } | Step::SetDirectory { .. } => {}
        }
    }
    for step in steps.iter().rev() {
        if let Step::MakeDirectory { path, .. } = step {
            match root.remove_dir(path) {
                Err(error)
                    if is_absent(&error)
                        || error.io_kind() == Some(io::ErrorKind::DirectoryNotEmpty) => {}
                result => result?,
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
