// SPDX-License-Identifier: MIT OR Apache-2.0
//! What happens to each file: created, kept, saved, removed; and whether packages disagree about one. rpm's rules.

use std::collections::{BTreeMap, BTreeSet};

use cairn_host::{FileKind, Root, Stat};
use cairn_rpm::header::{FileEntry, FileFlags, mode};

use super::options::{Overrides, Ownership, TransactionOptions};
use super::order::Element;
use super::paths::{Paths, join, parent};
use super::set::{Fate, Set};
use crate::digest::{Digested, file_digest};
use crate::error::TransactionError;
use crate::journal::{Attributes, Removal};
use crate::rpmdb::{FileState, RpmDb};

/// A directory that must exist after the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Directory {
    /// Who describes it: (package, file); `None`: only implied by a path.
    pub(crate) described: Option<(usize, usize)>,
    /// It exists already.
    pub(crate) exists: bool,
}

/// The decisions that are not in the packages themselves.
#[derive(Debug, Default)]
pub(crate) struct FilePlan {
    /// Directories by path, parents first.
    pub(crate) directories: BTreeMap<String, Directory>,
    /// Messages about configuration files.
    pub(crate) notes: Vec<String>,
}

impl FilePlan {
    /// Turns the plan into one that changes the database only.
    pub(crate) fn leave_files_alone(&mut self, set: &mut Set) {
        *self = Self::default();
        for fate in set.added.iter_mut().flat_map(|added| &mut added.fates) {
            if !matches!(fate, Fate::NotInstalled(_)) {
                *fate = Fate::Skip;
            }
        }
        set.erased.iter_mut().for_each(|erased| erased.removals.clear());
    }
}

/// Plans all files of the set in the given order.
pub(crate) fn plan(
    root: &Root,
    db: Option<&RpmDb>,
    set: &mut Set,
    order: &[Element],
    options: &TransactionOptions,
) -> Result<FilePlan, TransactionError> {
    let trusted = (options.ownership == Ownership::Apply).then_some(0);
    let mut paths = Paths::new(root, trusted);
    resolve(set, &mut paths)?;
    let owners = Owners::new(db, set);
    let mut planner = Planner {
        root,
        overrides: &options.overrides,
        paths,
        owners,
        plan: FilePlan::default(),
        coming: coming(set),
        going: going(set),
    };
    if !options.overrides.replace_files {
        planner.check_conflicts(set)?;
    }
    for at in 0..set.added.len() {
        planner.plan_added(set, at, options)?;
    }
    planner.plan_removals(set, order)?;
    Ok(planner.plan)
}

fn resolve(set: &mut Set, paths: &mut Paths<'_>) -> Result<(), TransactionError> {
    let links = set.added.iter().enumerate().flat_map(|(at, added)| {
        let links = added.files.iter().filter(|file| file.is_symlink() && !file.is_ghost());
        links.map(move |file| (at, file.path.as_str(), file.link_target.as_str()))
    });
    paths.add_links(links)?;
    for (at, added) in set.added.iter_mut().enumerate() {
        let resolved =
            added.files.iter().map(|file| paths.resolve(&file.path, Some(at), &added.label));
        added.resolved = resolved.collect::<Result<_, _>>()?;
    }
    for erased in &mut set.erased {
        let resolved =
            erased.files.iter().map(|file| paths.resolve(&file.path, None, &erased.label));
        erased.resolved = resolved.collect::<Result<_, _>>()?;
    }
    Ok(())
}

/// All files that come, by place: (package, file).
fn coming(set: &Set) -> BTreeMap<String, Vec<(usize, usize)>> {
    let mut coming: BTreeMap<String, Vec<(usize, usize)>> = BTreeMap::new();
    for (at, added) in set.added.iter().enumerate() {
        for (file, path) in added.resolved.iter().enumerate() {
            coming.entry(path.clone()).or_default().push((at, file));
        }
    }
    coming
}

/// All installed files that go, by place: (package, file).
fn going(set: &Set) -> BTreeMap<String, (usize, usize)> {
    let mut going = BTreeMap::new();
    for (at, erased) in set.erased.iter().enumerate() {
        for (file, path) in erased.resolved.iter().enumerate() {
            if is_present(&erased.files[file]) {
                going.insert(path.clone(), (at, file));
            }
        }
    }
    going
}

/// Tells whether the database says the file was installed.
fn is_present(file: &FileEntry) -> bool {
    file.state.is_none_or(|state| state == FileState::Normal.as_byte())
}

/// Files of installed packages that stay.
struct Owners<'a> {
    db: Option<&'a RpmDb>,
    erased: BTreeSet<u64>,
    packages: BTreeMap<u64, (String, Vec<FileEntry>)>,
}

impl<'a> Owners<'a> {
    fn new(db: Option<&'a RpmDb>, set: &Set) -> Self {
        let erased: BTreeSet<u64> = set.erased.iter().map(|erased| erased.hnum).collect();
        Self { db, erased, packages: BTreeMap::new() }
    }

    /// Returns the owners of a place among the packages that stay: (package, its entry).
    fn of(
        &mut self,
        place: &str,
        paths: &mut Paths<'_>,
    ) -> Result<Vec<(String, FileEntry)>, TransactionError> {
        let Some(db) = self.db else { return Ok(Vec::new()) };
        let base = place.rsplit_once('/').map_or(place, |(_, base)| base);
        let mut owners = Vec::new();
        for (hnum, at) in db.by_basename(base)? {
            if self.erased.contains(&hnum) {
                continue;
            }
            let (label, files) = self.packages.entry(hnum).or_insert_with(|| {
                // A damaged row owns nothing we could know of.
                let package = db.package(hnum).ok().flatten();
                let package = package
                    .map(|package| (package.header.nevra().to_string(), package.header.files()));
                package.unwrap_or_default()
            });
            let Some(file) = files.get(at).filter(|file| is_present(file)) else { continue };
            if file.path.strip_prefix('/') == Some(place)
                || paths.resolve(&file.path, None, label)? == place
            {
                owners.push((label.clone(), file.clone()));
            }
        }
        Ok(owners)
    }
}

struct Planner<'a> {
    root: &'a Root,
    overrides: &'a Overrides,
    paths: Paths<'a>,
    owners: Owners<'a>,
    plan: FilePlan,
    coming: BTreeMap<String, Vec<(usize, usize)>>,
    going: BTreeMap<String, (usize, usize)>,
}

impl Planner<'_> {
    fn check_conflicts(&mut self, set: &Set) -> Result<(), TransactionError> {
        let mut conflicts = Vec::new();
        for (place, files) in &self.coming {
            let (first, first_file) = files[0];
            let entry = &set.added[first].files[first_file];
            for (other, other_file) in &files[1..] {
                if differ(entry, &set.added[*other].files[*other_file]) {
                    let mut both = [&set.added[first], &set.added[*other]];
                    both.sort_by_key(|added| added.asked);
                    let [one, two] = both.map(|added| &added.label);
                    conflicts.push(format!(
                        "file /{place} conflicts between attempted installs of {one} and {two}"
                    ));
                }
            }
            // Directories are shared; what is no directory yet has another owner.
            if entry.is_directory() && self.paths.stat(place)?.is_none_or(|disk| disk.is_dir()) {
                continue;
            }
            for (owner, installed) in self.owners.of(place, &mut self.paths)? {
                if differ(entry, &installed) {
                    let label = &set.added[first].label;
                    conflicts.push(format!("file /{place} from install of {label} conflicts with file from package {owner}"));
                }
            }
        }
        if conflicts.is_empty() {
            Ok(())
        } else {
            Err(TransactionError::FileConflicts { conflicts })
        }
    }

    fn plan_added(
        &mut self,
        set: &mut Set,
        at: usize,
        options: &TransactionOptions,
    ) -> Result<(), TransactionError> {
        for file in 0..set.added[at].files.len() {
            let added = &set.added[at];
            let (entry, place) = (&added.files[file], &added.resolved[file]);
            let fate = if let Some(state) = left_out(entry, options) {
                Fate::NotInstalled(state)
            } else if entry.is_ghost() {
                Fate::Skip
            } else if self.has_wrong_color(set, at, file)? {
                Fate::NotInstalled(FileState::WrongColor)
            } else if entry.is_directory() {
                self.plan_directory(set, at, file)?;
                Fate::Directory
            } else if self.is_written_before(set, at, place) {
                Fate::Skip
            } else {
                self.plan_parents(set, at, place)?;
                self.plan_file(set, at, file)?
            };
            set.added[at].fates[file] = fate;
        }
        Ok(())
    }

    /// Tells whether another package has the same file for the preferred architecture: of ELF files the 64 bit one is installed.
    fn has_wrong_color(
        &mut self,
        set: &Set,
        at: usize,
        file: usize,
    ) -> Result<bool, TransactionError> {
        let (entry, place) = (&set.added[at].files[file], &set.added[at].resolved[file]);
        if entry.color == 0 || entry.color & PREFERRED_COLOR != 0 {
            return Ok(false);
        }
        let is_preferred = |other: &FileEntry| other.color & PREFERRED_COLOR != 0;
        let others = self.coming.get(place).map_or(&[][..], Vec::as_slice);
        if others.iter().any(|(other, file)| is_preferred(&set.added[*other].files[*file])) {
            return Ok(true);
        }
        let owners = self.owners.of(place, &mut self.paths)?;
        Ok(owners.iter().any(|(_, other)| is_preferred(other)))
    }

    /// Tells whether an earlier package of the transaction writes the same file.
    fn is_written_before(&self, set: &Set, at: usize, place: &str) -> bool {
        let others = self.coming.get(place).map_or(&[][..], Vec::as_slice);
        others.iter().any(|(other, file)| {
            *other < at
                && matches!(
                    set.added[*other].fates[*file],
                    Fate::Create { .. } | Fate::Beside { .. }
                )
        })
    }

    fn plan_directory(
        &mut self,
        set: &Set,
        at: usize,
        file: usize,
    ) -> Result<(), TransactionError> {
        let added = &set.added[at];
        let place = added.resolved[file].clone();
        self.plan_parents(set, at, &place)?;
        if self.plan.directories.get(&place).is_some_and(|directory| directory.described.is_some())
        {
            return Ok(());
        }
        let exists = match self.paths.stat(&place)? {
            None => false,
            Some(stat) if stat.is_dir() => true,
            // A link to a directory in place of the directory stays, as with rpm.
            Some(stat)
                if stat.is_symlink()
                    && self.root.metadata(&place)?.is_some_and(|target| target.is_dir()) =>
            {
                return Ok(());
            }
            Some(stat) => return Err(kind_changed(&added.label, &place, stat.kind, "directory")),
        };
        self.plan.directories.insert(place, Directory { described: Some((at, file)), exists });
        Ok(())
    }

    /// Makes sure that the directories above a place will exist.
    fn plan_parents(&mut self, set: &Set, at: usize, place: &str) -> Result<(), TransactionError> {
        let directory = parent(place);
        if directory.is_empty() || self.plan.directories.contains_key(directory) {
            return Ok(());
        }
        self.plan_parents(set, at, directory)?;
        let exists = match self.paths.stat(directory)? {
            None => false,
            Some(stat) if stat.is_dir() => true,
            Some(stat) => {
                return Err(kind_changed(&set.added[at].label, directory, stat.kind, "directory"));
            }
        };
        if let Some(files) = self.coming.get(directory)
            && let Some((other, _)) = files.iter().find(|(other, file)| {
                let entry = &set.added[*other].files[*file];
                !entry.is_directory() && !entry.is_ghost()
            })
        {
            let (package, path) = (set.added[*other].label.clone(), format!("/{directory}"));
            return Err(TransactionError::KindChanged {
                package,
                path,
                found: "directory of this transaction",
                expected: "file",
            });
        }
        // An existing directory needs no plan; it is noted so that it is looked at once.
        self.plan.directories.insert(directory.to_owned(), Directory { described: None, exists });
        Ok(())
    }

    fn plan_file(&mut self, set: &Set, at: usize, file: usize) -> Result<Fate, TransactionError> {
        let added = &set.added[at];
        let (entry, place) = (&added.files[file], &added.resolved[file]);
        let Some(disk) = self.paths.stat(place)? else {
            let may_be_missing = entry.flags.contains(FileFlags::MISSINGOK)
                && self.going.contains_key(place)
                && !self.overrides.restore_missing;
            return Ok(if may_be_missing { Fate::Skip } else { Fate::Create { keep_as: None } });
        };
        if disk.is_dir() {
            return Err(kind_changed(&added.label, place, disk.kind, kind_name(entry)));
        }
        let old = match self.going.get(place) {
            Some((erased, file)) => Some(set.erased[*erased].files[*file].clone()),
            None => {
                self.owners.of(place, &mut self.paths)?.into_iter().next().map(|(_, file)| file)
            }
        };
        let decision = match &old {
            Some(old) if (old.flags | entry.flags).is_config() => {
                self.decide_config(place, &disk, old, entry)?
            }
            None if entry.flags.is_config() => self.decide_unowned(place, &disk, entry)?,
            Some(_) | None => Decision::Replace,
        };
        let noreplace = entry.flags.contains(FileFlags::NOREPLACE);
        Ok(match decision {
            Decision::Replace => Fate::Create { keep_as: None },
            Decision::Keep => Fate::Skip,
            Decision::Conflict if noreplace => {
                let target = format!("{place}.rpmnew");
                self.plan.notes.push(format!("/{place} created as /{target}"));
                Fate::Beside { target }
            }
            Decision::Conflict => {
                let keep_as =
                    format!("{place}.{}", if old.is_some() { "rpmsave" } else { "rpmorig" });
                self.plan.notes.push(format!("/{place} saved as /{keep_as}"));
                Fate::Create { keep_as: Some(keep_as) }
            }
        })
    }

    /// rpm's decision for a configuration file that another package, or the older one, has too.
    fn decide_config(
        &self,
        place: &str,
        disk: &Stat,
        old: &FileEntry,
        new: &FileEntry,
    ) -> Result<Decision, TransactionError> {
        let (disk_kind, old_kind, new_kind) = (type_bits(disk.kind), old.kind(), new.kind());
        let plain = |kind: u16| kind == mode::REGULAR || kind == mode::SYMLINK;
        if (disk_kind != new_kind && !plain(old_kind))
            || (new_kind != old_kind && disk_kind != old_kind)
        {
            return Ok(Decision::Conflict);
        }
        if old_kind != new_kind && old_kind == mode::REGULAR && disk_kind == mode::REGULAR {
            // The administrator's text is kept also where something else than a text takes its place.
            let unchanged = self.digest(place, &old.digest)?.is(&old.digest);
            return Ok(if unchanged { Decision::Replace } else { Decision::Conflict });
        }
        if old_kind != new_kind || !plain(old_kind) {
            return Ok(Decision::Replace);
        }
        let (on_disk, old, new) = if old_kind == mode::REGULAR {
            let on_disk = if disk_kind == mode::REGULAR {
                self.digest(place, &old.digest)?
            } else {
                Digested::Unknown
            };
            // Digests of different algorithms cannot be compared: take the file as changed.
            let same_as_new = match (&on_disk, old.digest.len() == new.digest.len()) {
                (Digested::Known(_), false) => self.digest(place, &new.digest)?.is(&new.digest),
                (known, _) => known.is(&new.digest),
            };
            if same_as_new {
                return Ok(Decision::Replace);
            }
            (on_disk, old.digest.as_str(), new.digest.as_str())
        } else {
            let target = if disk_kind == mode::SYMLINK {
                Digested::Known(self.root.read_link(place)?.to_string_lossy().into_owned())
            } else {
                Digested::Unknown
            };
            (target, old.link_target.as_str(), new.link_target.as_str())
        };
        Ok(if on_disk.is(old) || on_disk.is(new) {
            Decision::Replace
        } else if old == new {
            Decision::Keep
        } else {
            Decision::Conflict
        })
    }

    /// rpm's decision for a configuration file that no package owned so far.
    fn decide_unowned(
        &self,
        place: &str,
        disk: &Stat,
        new: &FileEntry,
    ) -> Result<Decision, TransactionError> {
        if type_bits(disk.kind) != new.kind() {
            return Ok(Decision::Conflict);
        }
        let same = match new.kind() {
            mode::REGULAR => self.digest(place, &new.digest)?.is(&new.digest),
            mode::SYMLINK => {
                self.root.read_link(place)?.to_string_lossy() == new.link_target.as_str()
            }
            _ => true,
        };
        Ok(if same { Decision::Replace } else { Decision::Conflict })
    }

    fn digest(&self, place: &str, like: &str) -> Result<Digested, TransactionError> {
        Ok(file_digest(self.root, place, like)?)
    }

    fn plan_removals(&mut self, set: &mut Set, order: &[Element]) -> Result<(), TransactionError> {
        let going: BTreeSet<&str> = self.going.keys().map(String::as_str).collect();
        let mut claimed = BTreeSet::new();
        let mut removals = BTreeMap::new();
        // A file of several packages goes with the last of them.
        for at in order
            .iter()
            .rev()
            .filter_map(|element| if let Element::Erase(at) = element { Some(*at) } else { None })
        {
            let erased = &set.erased[at];
            let mut own = Vec::new();
            // Backwards, so that a directory comes after what is in it.
            let mut files: Vec<usize> = (0..erased.files.len()).collect();
            files.sort_by(|a, b| erased.resolved[*b].cmp(&erased.resolved[*a]));
            for file in files {
                let (entry, place) = (&erased.files[file], &erased.resolved[file]);
                if !is_present(entry)
                    || self.coming.contains_key(place)
                    || !claimed.insert(place.clone())
                {
                    continue;
                }
                let Some(disk) = self.paths.stat(place)? else {
                    if !entry.is_ghost() && !entry.flags.contains(FileFlags::MISSINGOK) {
                        self.plan.notes.push(format!(
                            "file /{place}: remove failed: No such file or directory"
                        ));
                    }
                    continue;
                };
                if disk.is_dir() != entry.is_directory() {
                    continue;
                }
                if disk.is_dir() && !will_be_empty(self.root, place, &going, &self.coming)? {
                    continue;
                }
                if !self.owners.of(place, &mut self.paths)?.is_empty() {
                    continue;
                }
                let directory = disk.is_dir().then(|| attributes_of(&disk));
                let keep_as = if self.is_changed_config(place, &disk, entry)? {
                    let keep_as = format!("{place}.rpmsave");
                    self.plan.notes.push(format!("/{place} saved as /{keep_as}"));
                    Some(keep_as)
                } else {
                    None
                };
                own.push(Removal { serial: 0, path: place.clone(), keep_as, directory });
            }
            removals.insert(at, own);
        }
        for (at, own) in removals {
            set.erased[at].removals = own;
        }
        Ok(())
    }

    fn is_changed_config(
        &self,
        place: &str,
        disk: &Stat,
        entry: &FileEntry,
    ) -> Result<bool, TransactionError> {
        if !entry.flags.is_config() || entry.is_ghost() || !entry.is_regular() {
            return Ok(false);
        }
        Ok(!disk.is_file() || !self.digest(place, &entry.digest)?.is(&entry.digest))
    }
}

enum Decision {
    /// The new file replaces the present one.
    Replace,
    /// The present one stays, nothing else is written.
    Keep,
    /// Both are kept, one under another name.
    Conflict,
}

/// Tells whether a directory holds nothing but what goes (and stays gone).
fn will_be_empty(
    root: &Root,
    place: &str,
    going: &BTreeSet<&str>,
    coming: &BTreeMap<String, Vec<(usize, usize)>>,
) -> Result<bool, TransactionError> {
    let gone = |name: &String| {
        let path = join(place, name);
        going.contains(path.as_str()) && !coming.contains_key(&path)
    };
    let below = format!("{place}/");
    let something_comes =
        coming.range(below.clone()..).next().is_some_and(|(path, _)| path.starts_with(&below));
    Ok(!something_comes && root.read_dir(place)?.iter().all(gone))
}

/// The colour of 64 bit ELF files.
const PREFERRED_COLOR: u32 = 2;

/// Tells whether a file is left out because of what it is or where it lies, and the state that says so.
fn left_out(entry: &FileEntry, options: &TransactionOptions) -> Option<FileState> {
    let overrides = &options.overrides;
    let below = |directory: &String| {
        let directory = directory.trim_end_matches('/');
        entry
            .path
            .strip_prefix(directory)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if overrides.shared_paths.iter().any(below) {
        return Some(FileState::NetShared);
    }
    if overrides.exclude_paths.iter().any(below) {
        return Some(FileState::NotInstalled);
    }
    let wanted_language = entry.lang.is_empty()
        || overrides.languages.is_empty()
        || entry.lang.split('|').any(|lang| overrides.languages.iter().any(|one| one == lang));
    let unwanted_kind = [
        (options.without_documentation, FileFlags::DOC),
        (overrides.without_artifacts, FileFlags::ARTIFACT),
        (overrides.without_configuration, FileFlags::CONFIG),
    ]
    .into_iter()
    .any(|(without, flag)| without && entry.flags.contains(flag) && !entry.is_directory());
    (!wanted_language || unwanted_kind).then_some(FileState::NotInstalled)
}

/// Tells whether two packages' entries for one place cannot both be right (rpm's `rpmfilesCompare`).
fn differ(one: &FileEntry, other: &FileEntry) -> bool {
    if one.is_ghost() || other.is_ghost() {
        return false;
    }
    // Of two architectures' files one is chosen (see `has_wrong_color`).
    if one.color != 0 && other.color != 0 && one.color != other.color {
        return false;
    }
    if one.mode != other.mode && !(one.is_symlink() && other.is_symlink()) {
        return true;
    }
    let same_owner = one.user == other.user && one.group == other.group;
    match one.kind() {
        mode::SYMLINK => !same_owner || one.link_target != other.link_target,
        mode::REGULAR => !same_owner || one.size != other.size || one.digest != other.digest,
        mode::CHARACTER | mode::BLOCK => one.rdev != other.rdev,
        _ => false,
    }
}

pub(crate) fn attributes_of(stat: &Stat) -> Attributes {
    Attributes { mode: stat.mode, owner: Some((stat.uid, stat.gid)), mtime: Some(stat.mtime) }
}

fn type_bits(kind: FileKind) -> u16 {
    match kind {
        FileKind::Regular => mode::REGULAR,
        FileKind::Directory => mode::DIRECTORY,
        FileKind::Symlink => mode::SYMLINK,
        FileKind::CharacterDevice => mode::CHARACTER,
        FileKind::BlockDevice => mode::BLOCK,
        FileKind::Fifo => mode::FIFO,
        FileKind::Socket | FileKind::Other => 0o140_000,
    }
}

fn kind_name(entry: &FileEntry) -> &'static str {
    match entry.kind() {
        mode::DIRECTORY => "directory",
        mode::SYMLINK => "symbolic link",
        mode::REGULAR => "file",
        _ => "special file",
    }
}

fn kind_changed(
    package: &str,
    place: &str,
    found: FileKind,
    expected: &'static str,
) -> TransactionError {
    let found = match found {
        FileKind::Directory => "directory",
        FileKind::Symlink => "symbolic link",
        FileKind::Regular => "file",
        _ => "special file",
    };
    TransactionError::KindChanged {
        package: package.to_owned(),
        path: format!("/{place}"),
        found,
        expected,
    }
}
