// SPDX-License-Identifier: MIT OR Apache-2.0
//! The undo store: what the last transactions replaced and removed, as hard links in `var/lib/cairn/undo/ID/`, with the
//! transaction's journal. [`undo`] takes one of them back, as a transaction of its own: without network and without old packages.
//!
//! Side effects of scriptlets are not taken back; the scriptlets that ran are returned as notes.

use std::collections::BTreeSet;
use std::io;

use cairn_host::{Held, HostError, Root, Stat};
use cairn_rpm::header::Header;

use crate::capability;
use crate::digest::{Digested, file_digest};
use crate::error::TransactionError;
use crate::event::Event;
use crate::failpoint::FailPoints;
use crate::journal::{
    self, AfterStep, Attributes, Begin, Content, Journal, PackageRow, Progress, Record, Removal,
    Side, Step, TransactionId,
};
use crate::recover;
use crate::rpmdb::{Access, RpmDb};
use crate::transaction::apply::{Applier, interrupted, roll_back, sync_places};
use crate::transaction::fate::attributes_of;
use crate::transaction::stage::{Detours, staged_name};
use crate::transaction::{Durability, Outcome, Ownership, Scriptlets, next_id};

/// Directory of the store below a root.
pub const DIRECTORY: &str = "var/lib/cairn/undo";
/// Transactions that are kept.
pub const KEPT: usize = 3;

pub(crate) const JOURNAL: &str = "journal";
/// Holds the number of the transaction in dnf's history.
const HISTORY: &str = "history";

/// Returns the directory of one transaction.
pub(crate) fn directory(id: TransactionId) -> String {
    format!("{DIRECTORY}/{id:08}")
}

/// Returns the name under which a file is kept.
pub(crate) fn kept_name(id: TransactionId, serial: u32) -> String {
    format!("{DIRECTORY}/{id:08}/{serial}")
}

/// Returns the name under which that is kept which had the name beside it (`….rpmsave`).
pub(crate) fn kept_beside_name(id: TransactionId, serial: u32) -> String {
    format!("{}-beside", kept_name(id, serial))
}

/// Returns the numbers of the transactions that can be undone, oldest first.
pub fn list(root: &Root) -> Result<Vec<TransactionId>, HostError> {
    if !root.exists(DIRECTORY)? {
        return Ok(Vec::new());
    }
    let mut ids = Vec::new();
    for name in root.read_dir(DIRECTORY)? {
        if let Ok(id) = name.parse()
            && root.exists(format!("{DIRECTORY}/{name}/{JOURNAL}"))?
        {
            ids.push(id);
        }
    }
    ids.sort_unstable();
    Ok(ids)
}

/// Notes which entry of dnf's history a transaction is; without a store of it nothing happens.
pub fn link_history(root: &Root, id: TransactionId, number: i64) -> Result<(), HostError> {
    let directory = directory(id);
    if !root.exists(&directory)? {
        return Ok(());
    }
    // A program may have been stopped just here before.
    recover::sweep_directory(root, &directory)?;
    root.write_atomic(format!("{directory}/{HISTORY}"), number.to_string().as_bytes(), 0o600)
}

/// Returns the newest transaction, if dnf's history has not been told of it.
pub fn newest_without_history(root: &Root) -> Result<Option<TransactionId>, HostError> {
    let Some(id) = list(root)?.pop() else { return Ok(None) };
    let is_linked = root.exists(format!("{}/{HISTORY}", directory(id)))?;
    Ok((!is_linked).then_some(id))
}

/// Returns the transaction that an entry of dnf's history is, while the store has it.
pub fn of_history(root: &Root, number: i64) -> Result<Option<TransactionId>, HostError> {
    for id in list(root)?.into_iter().rev() {
        match root.read_to_string(format!("{}/{HISTORY}", directory(id))) {
            Ok(text) if text.trim().parse() == Ok(number) => return Ok(Some(id)),
            Ok(_) => {}
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// A package that [`undo`] brings back or takes away.
#[derive(Debug, Clone)]
pub struct UndoPackage {
    /// Its row in the database.
    pub hnum: u64,
    /// Its header.
    pub header: Header,
    /// Whether it comes back.
    pub comes: bool,
}

/// Returns the packages that undoing a transaction changes.
pub fn packages(root: &Root, id: TransactionId) -> Result<Vec<UndoPackage>, TransactionError> {
    let content = kept_content(root, id)?;
    let mut packages = Vec::new();
    for package in content.packages.iter().filter(|row| !content.only_changes(row.hnum)) {
        let header = Header::parse(&package.blob)
            .map_err(|error| TransactionError::NoUndo { id, reason: error.to_string() })?;
        packages.push(UndoPackage {
            hnum: package.hnum,
            header,
            comes: package.side == Side::Erased,
        });
    }
    Ok(packages)
}

/// Checks that a transaction can be undone now.
pub fn check(root: &Root, id: TransactionId) -> Result<(), TransactionError> {
    let content = kept_content(root, id)?;
    let db = RpmDb::open_in(root, &content.begin.database, Access::ReadOnly)?;
    check_packages(&db, id, &content)
}

fn kept_content(root: &Root, id: TransactionId) -> Result<Content, TransactionError> {
    let kept = root.exists(format!("{}/{JOURNAL}", directory(id)))?;
    let content = if kept { journal::read(root, &directory(id), JOURNAL)? } else { None };
    content.ok_or_else(|| TransactionError::NoUndo {
        id,
        reason: format!("only the last {KEPT} transactions are kept"),
    })
}

/// Removes all but the newest [`KEPT`] transactions.
pub(crate) fn prune(root: &Root) -> Result<(), HostError> {
    let ids = list(root)?;
    for id in ids.iter().take(ids.len().saturating_sub(KEPT)) {
        root.remove_all(directory(*id))?;
    }
    Ok(())
}

/// Copies a file with its attributes, for stores on another file system.
pub(crate) fn copy(from: &Held, root: &Root, to: &str) -> Result<(), HostError> {
    let stat = from.stat()?;
    if stat.is_symlink() {
        root.symlink(from.read_link()?, to)?;
        root.set_owner(to, stat.uid, stat.gid)?;
        return root.set_mtime(to, stat.mtime);
    }
    if !stat.is_file() {
        return Ok(());
    }
    let partial = format!("{to}.part");
    match root.remove_file(&partial) {
        Err(error) if !error.is_not_found() => return Err(error),
        _ => {}
    }
    let mut source = from.open_read()?;
    let mut target = root.create_new(&partial, 0o600)?;
    io::copy(&mut source, &mut target).map_err(|source| HostError::Io {
        operation: "copy",
        path: to.into(),
        source,
    })?;
    let target = Held::of(&target, &partial)?;
    target.set_owner(stat.uid, stat.gid)?;
    if let Some(value) = from.get_xattr(capability::ATTRIBUTE)? {
        target.set_xattr(capability::ATTRIBUTE, &value)?;
    }
    target.set_mode(stat.mode)?;
    target.set_mtime(stat.mtime)?;
    root.rename(&partial, to)
}

/// Takes a transaction back. Later transactions must not have changed its packages.
pub fn undo(
    root: &Root,
    id: TransactionId,
    time: u32,
    fail_points: &FailPoints,
    events: &mut dyn FnMut(Event),
) -> Result<Outcome, TransactionError> {
    let _lock = recover::lock(root)?;
    recover::recover_locked(root, events)?;
    let name = id.to_string();
    let content = kept_content(root, id)?;
    let db = RpmDb::open_in(root, &content.begin.database, Access::ReadOnly)?;
    check_packages(&db, id, &content)?;
    let begin = Begin {
        id: next_id(root)?,
        time,
        before: db.fingerprint()?,
        summary: content.begin.summary.iter().map(|line| format!("undo {name}: {line}")).collect(),
        undoes: Some(id),
        database: content.begin.database.clone(),
    };
    drop(db);
    let mut reversal = Reversal {
        root,
        old: &content,
        old_id: id,
        new_id: begin.id,
        steps: Vec::new(),
        links: Vec::new(),
        removals: Vec::new(),
        serial: 0,
        notes: Vec::new(),
        configs: BTreeSet::new(),
    };
    reversal.plan()?;
    let Reversal { steps, links, removals, notes, .. } = reversal;
    let packages = content.packages.iter().map(|package| PackageRow {
        side: if package.side == Side::Added { Side::Erased } else { Side::Added },
        ..package.clone()
    });
    let after = vec![AfterStep::Remove { package: format!("transaction {id}"), removals }];
    let new = Content {
        begin,
        steps,
        packages: packages.collect(),
        after,
        progress: Progress::default(),
        length: 0,
    };
    let mut outcome = carry_out(root, new, &links, fail_points, events)?;
    outcome.notes = notes;
    Ok(outcome)
}

/// The database must still say what the transaction left.
fn check_packages(
    db: &RpmDb,
    id: TransactionId,
    content: &Content,
) -> Result<(), TransactionError> {
    let rows = content.rows_after();
    for package in &content.packages {
        let present = db.blob(package.hnum)?;
        if present.as_ref() != rows.get(&package.hnum).copied().flatten() {
            let label = Header::parse(&package.blob)
                .map(|header| header.nevra().to_string())
                .unwrap_or_default();
            return Err(TransactionError::NoUndo {
                id,
                reason: format!("{label} has been changed since"),
            });
        }
    }
    Ok(())
}

fn carry_out(
    root: &Root,
    content: Content,
    links: &[(String, String)],
    fail_points: &FailPoints,
    events: &mut dyn FnMut(Event),
) -> Result<Outcome, TransactionError> {
    let id = content.begin.id;
    let mut journal = Journal::create(root, &content.begin)?;
    journal.append(&Record::Steps(content.steps.clone()))?;
    for package in &content.packages {
        journal.append(&Record::Package(package.clone()))?;
    }
    journal.append(&Record::After(content.after.clone()))?;
    journal.flush()?;
    fail_points.pass("undo planned");
    let staged = stage(root, &content, links, fail_points)
        .and_then(|()| sync_places(root, &content.steps, &content.after));
    if let Err(error) = staged {
        roll_back(root, id, &content.steps, fail_points)?;
        root.remove_file(format!("{}/{}", journal::DIRECTORY, journal::file_name(id)))?;
        return Err(error);
    }
    journal.append(&Record::Commit)?;
    journal.flush()?;
    fail_points.pass("undo committed");
    if let Some(undone) = content.begin.undoes {
        // Its files are staged. Used up, it would only push an older transaction out of the store.
        root.remove_all(directory(undone)).map_err(|error| interrupted(error.into()))?;
    }
    let mut outcome = Outcome { id, ..Outcome::default() };
    for package in content.packages.iter().filter(|row| !content.only_changes(row.hnum)) {
        if let Ok(header) = Header::parse(&package.blob) {
            let list =
                if package.side == Side::Added { &mut outcome.added } else { &mut outcome.removed };
            list.push((header.nevra(), package.hnum));
        }
    }
    let mut applier = Applier {
        root,
        content,
        journal: Some(journal),
        scriptlets: Scriptlets::Skip,
        ownership: Ownership::Apply,
        durability: Durability::Journaled,
        fail_points,
        events,
        failures: Vec::new(),
    };
    applier.run().map_err(interrupted)?;
    Ok(outcome)
}

fn stage(
    root: &Root,
    content: &Content,
    links: &[(String, String)],
    fail_points: &FailPoints,
) -> Result<(), TransactionError> {
    let live = root.without_links();
    let detours = Detours::new(content.begin.id, &content.steps);
    detours.make_directories(&live, &content.steps, fail_points)?;
    for (kept, staged) in links {
        fail_points.pass("undo stage");
        let staged = detours.of(staged);
        match live.hard_link_from(root, kept, &*staged) {
            Err(error) if error.io_kind() == Some(io::ErrorKind::CrossesDevices) => {
                copy(&root.hold(kept)?, &live, &staged)?;
            }
            result => result?,
        }
    }
    Ok(())
}

/// Works out the opposite of a transaction.
struct Reversal<'a> {
    root: &'a Root,
    old: &'a Content,
    old_id: TransactionId,
    new_id: TransactionId,
    steps: Vec<Step>,
    /// Kept files and the names they are staged under.
    links: Vec<(String, String)>,
    removals: Vec<Removal>,
    serial: u32,
    notes: Vec<String>,
    /// Configuration files of the packages that came or went.
    configs: BTreeSet<String>,
}

impl Reversal<'_> {
    fn plan(&mut self) -> Result<(), TransactionError> {
        self.configs = self.config_paths();
        let old = self.old;
        // Directories that were removed come back first, parents before what is in them.
        let removals: Vec<&Removal> = old
            .after
            .iter()
            .filter_map(|step| {
                if let AfterStep::Remove { removals, .. } = step { Some(removals) } else { None }
            })
            .flatten()
            .collect();
        let mut directories: Vec<(&String, &Attributes)> = removals
            .iter()
            .filter_map(|removal| Some((&removal.path, removal.directory.as_ref()?)))
            .collect();
        directories.sort_by_key(|(path, _)| *path);
        for (path, attributes) in directories {
            self.bring_directory(path, attributes)?;
        }
        for removal in removals.iter().filter(|removal| removal.directory.is_none()) {
            self.put_back(removal.serial, &removal.path, removal.keep_as.as_deref())?;
        }
        for step in &old.steps {
            match step {
                Step::Place { serial, target, keep_as, config } => {
                    if self.is_changed(target, config.as_deref())? {
                        self.notes.push(format!("/{target} was changed since and stays"));
                    } else if self.root.exists(kept_name(self.old_id, *serial))? {
                        self.put_back(*serial, target, keep_as.as_deref())?;
                    } else {
                        self.take_away(target.clone(), None)?;
                    }
                }
                Step::SetDirectory { path, attributes, old } => {
                    self.steps.push(Step::SetDirectory {
                        path: path.clone(),
                        attributes: old.clone(),
                        old: attributes.clone(),
                    });
                }
                // Files make way for directories and back where the directories are dealt with.
                Step::MakeDirectory { .. }
                | Step::ReplaceDirectory { .. }
                | Step::PlaceLater { .. } => {}
            }
        }
        for step in old.steps.iter().rev() {
            match step {
                Step::MakeDirectory { path, .. } => {
                    if let Some(stat) = self.root.symlink_metadata(path)? {
                        self.take_away(path.clone(), Some(attributes_of(&stat)))?;
                    }
                }
                Step::ReplaceDirectory { serial, path, keep_as, .. } => {
                    self.put_back_for_directory(*serial, path, keep_as.as_deref())?;
                }
                _ => {}
            }
        }
        let ran = old.after.iter().filter_map(|step| {
            if let AfterStep::Scriptlet(scriptlet) = step { Some(scriptlet) } else { None }
        });
        self.notes.extend(ran.map(|scriptlet| {
            format!("{} of {} ran; what it did stays", scriptlet.kind, scriptlet.package)
        }));
        Ok(())
    }

    /// Plans a directory that was removed; where a file is now, that makes way again.
    fn bring_directory(
        &mut self,
        path: &str,
        attributes: &Attributes,
    ) -> Result<(), TransactionError> {
        let (path, attributes) = (path.to_owned(), attributes.clone());
        match self.root.symlink_metadata(&path)? {
            Some(stat) if stat.is_dir() => {}
            Some(_) => {
                let serial = self.serial;
                self.serial += 1;
                let keep_as = None;
                self.steps.push(Step::ReplaceDirectory { serial, path, attributes, keep_as });
            }
            None => self.steps.push(Step::MakeDirectory { path, attributes }),
        }
        Ok(())
    }

    /// Plans the removal of a directory that took a file's place, and the file's return.
    fn put_back_for_directory(
        &mut self,
        serial: u32,
        path: &str,
        keep_as: Option<&str>,
    ) -> Result<(), TransactionError> {
        let kept = kept_name(self.old_id, serial);
        let Some(file) = self.root.symlink_metadata(&kept)? else { return Ok(()) };
        let Some(stat) = self.root.symlink_metadata(path)?.filter(Stat::is_dir) else {
            return Ok(());
        };
        self.take_away_copy(serial, keep_as, &file)?;
        let serial = self.serial;
        self.serial += 2;
        self.steps.push(Step::PlaceLater { serial, target: path.to_owned() });
        self.links.push((kept, staged_name(path, self.new_id, serial)));
        self.removals.push(Removal {
            serial: serial + 1,
            path: path.to_owned(),
            keep_as: None,
            directory: Some(attributes_of(&stat)),
            then_place: Some(serial),
        });
        Ok(())
    }

    /// Takes away the second name that a file got beside its place, unless it was changed since; what had the name before comes back.
    fn take_away_copy(
        &mut self,
        serial: u32,
        keep_as: Option<&str>,
        file: &Stat,
    ) -> Result<(), TransactionError> {
        let Some(keep_as) = keep_as else { return Ok(()) };
        if !self.is_same(serial, file, keep_as)? {
            return Ok(());
        }
        let before = kept_beside_name(self.old_id, serial);
        if !self.root.exists(&before)? {
            return self.take_away(keep_as.to_owned(), None);
        }
        let serial = self.serial;
        self.serial += 1;
        let target = keep_as.to_owned();
        self.links.push((before, staged_name(&target, self.new_id, serial)));
        self.steps.push(Step::Place { serial, target, keep_as: None, config: None });
        Ok(())
    }

    /// Tells whether a path is still the file that was kept, or what a store on another file system has a copy of.
    fn is_same(&self, serial: u32, kept: &Stat, path: &str) -> Result<bool, TransactionError> {
        let Some(found) = self.root.symlink_metadata(path)? else { return Ok(false) };
        if found.is_same_file(kept) {
            return Ok(true);
        }
        let looks = |stat: &Stat| (stat.kind, stat.size, stat.mtime, stat.mode, stat.uid, stat.gid);
        Ok(found.device != kept.device
            && looks(&found) == looks(kept)
            && (!kept.is_file()
                || self.digest(path)? == self.digest(&kept_name(self.old_id, serial))?))
    }

    fn put_back(
        &mut self,
        serial: u32,
        target: &str,
        keep_as: Option<&str>,
    ) -> Result<(), TransactionError> {
        let kept = kept_name(self.old_id, serial);
        let Some(stat) = self.root.symlink_metadata(&kept)? else { return Ok(()) };
        self.take_away_copy(serial, keep_as, &stat)?;
        let serial = self.serial;
        self.serial += 1;
        let config = if stat.is_file() && self.configs.contains(target) {
            self.digest(&kept)?
        } else {
            None
        };
        self.steps.push(Step::Place { serial, target: target.to_owned(), keep_as: None, config });
        self.links.push((kept, staged_name(target, self.new_id, serial)));
        Ok(())
    }

    fn take_away(
        &mut self,
        path: String,
        directory: Option<Attributes>,
    ) -> Result<(), TransactionError> {
        if self.root.exists(&path)? {
            let (serial, keep_as, then_place) = (self.serial, None, None);
            self.removals.push(Removal { serial, path, keep_as, directory, then_place });
            self.serial += 1;
        }
        Ok(())
    }

    fn config_paths(&self) -> BTreeSet<String> {
        let headers =
            self.old.packages.iter().filter_map(|package| Header::parse(&package.blob).ok());
        let files = headers.flat_map(|header| header.files()).filter(|file| file.flags.is_config());
        files.map(|file| file.path.trim_start_matches('/').to_owned()).collect()
    }

    fn is_changed(&self, target: &str, config: Option<&str>) -> Result<bool, TransactionError> {
        let Some(digest) = config else { return Ok(false) };
        Ok(self.root.exists(target)? && !file_digest(self.root, target, digest)?.is(digest))
    }

    fn digest(&self, path: &str) -> Result<Option<String>, TransactionError> {
        // The length of an SHA-256 asks for one.
        Ok(match file_digest(self.root, path, &"0".repeat(64))? {
            Digested::Known(digest) => Some(digest),
            Digested::Unknown => None,
        })
    }
}
