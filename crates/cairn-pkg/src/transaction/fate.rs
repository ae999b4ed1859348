// SPDX-License-Identifier: MIT OR Apache-2.0
//! What happens to each file: created, kept, saved, removed; and whether packages disagree about one. rpm's rules.

use std::collections::{BTreeMap, BTreeSet};

use cairn_host::{FileKind, Root, Stat};
use cairn_rpm::header::{FileEntry, FileFlags, Header, ScriptletKind, mode};

use super::compare::{Verdict, compare, differ};
use super::left_out::{is_below, left_out_files};
use super::options::{Colors, Overrides, Ownership, Scriptlets, TransactionOptions};
use super::order::Element;
use super::paths::{Paths, join, parent};
use super::set::{Fate, Set};
use crate::digest::{Digested, file_digest};
use crate::error::TransactionError;
use crate::journal::{Attributes, Removal};
use crate::rpmdb::{FileState, RpmDb, with_file_states};

/// A directory that must exist after the transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Directory {
    /// Who describes it: (package, file); `None`: only implied by a path.
    pub(crate) described: Option<(usize, usize)>,
    /// It exists already.
    pub(crate) exists: bool,
    /// A file is in its place and goes.
    pub(crate) replaces: Option<Replaced>,
}

impl Directory {
    /// A directory that no package describes.
    pub(crate) fn implied(exists: bool) -> Self {
        Self { described: None, exists, replaces: None }
    }
}

/// A file that makes way for a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Replaced {
    /// Number of the staged directory; 0 until it is given one.
    pub(crate) serial: u32,
    /// The file keeps this name beside it (`….rpmsave`).
    pub(crate) keep_as: Option<String>,
}

/// The row of a package that stays, some of whose files are overwritten.
#[derive(Debug)]
pub(crate) struct ChangedRow {
    pub(crate) hnum: u64,
    pub(crate) old: Vec<u8>,
    pub(crate) new: Vec<u8>,
}

/// The decisions that are not in the packages themselves.
#[derive(Debug, Default)]
pub(crate) struct FilePlan {
    /// Directories by path, parents first.
    pub(crate) directories: BTreeMap<String, Directory>,
    /// Rows of packages that stay.
    pub(crate) changed_rows: Vec<ChangedRow>,
    /// Messages about configuration files.
    pub(crate) notes: Vec<String>,
}

impl FilePlan {
    /// Turns the plan into one that changes the database only.
    pub(crate) fn leave_files_alone(&mut self, set: &mut Set) {
        *self = Self { changed_rows: std::mem::take(&mut self.changed_rows), ..Self::default() };
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
    for added in &mut set.added {
        added.left_out = left_out_files(&added.files, options);
    }
    let trusted = (options.ownership == Ownership::Apply).then_some(0);
    let mut paths = Paths::new(root, trusted);
    resolve(set, &mut paths)?;
    let owners = Owners::new(db, set);
    let mut planner = Planner {
        root,
        options,
        overrides: &options.overrides,
        paths,
        owners,
        plan: FilePlan::default(),
        coming: coming(set),
        going: going(set),
    };
    planner.check_conflicts(set)?;
    for at in 0..set.added.len() {
        planner.plan_added(set, at)?;
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
    let directories = set.added.iter().flat_map(|added| &added.files);
    let directories = directories.filter(|file| file.is_directory() && !file.is_ghost());
    paths.add_directories(directories.map(|file| file.path.as_str()))?;
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
            // What is left out neither conflicts with anything nor keeps anything.
            if added.left_out[file].is_some() {
                continue;
            }
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
    packages: BTreeMap<u64, Known>,
}

/// An installed package that was looked at.
#[derive(Default)]
struct Known {
    label: String,
    files: Vec<FileEntry>,
    header: Option<Header>,
}

/// An owner of a place among the packages that stay.
struct Owner {
    hnum: u64,
    label: String,
    /// The position of its entry.
    at: usize,
    file: FileEntry,
}

impl<'a> Owners<'a> {
    fn new(db: Option<&'a RpmDb>, set: &Set) -> Self {
        let erased: BTreeSet<u64> = set.erased.iter().map(|erased| erased.hnum).collect();
        Self { db, erased, packages: BTreeMap::new() }
    }

    /// Returns the owners of a place among the packages that stay, also of files that were overwritten.
    fn of(&mut self, place: &str, paths: &mut Paths<'_>) -> Result<Vec<Owner>, TransactionError> {
        let Some(db) = self.db else { return Ok(Vec::new()) };
        let base = place.rsplit_once('/').map_or(place, |(_, base)| base);
        let mut owners = Vec::new();
        for (hnum, at) in db.by_basename(base)? {
            if self.erased.contains(&hnum) {
                continue;
            }
            let Known { label, files, .. } = self.packages.entry(hnum).or_insert_with(|| {
                // A damaged row owns nothing we could know of.
                let package = db.package(hnum).ok().flatten();
                let package = package.map(|package| Known {
                    label: package.header.nevra().to_string(),
                    files: package.header.files(),
                    header: Some(package.header),
                });
                package.unwrap_or_default()
            });
            let was_installed =
                |file: &&FileEntry| file.state != Some(FileState::NotInstalled.as_byte());
            let Some(file) = files.get(at).filter(was_installed) else { continue };
            if file.path.strip_prefix('/') == Some(place)
                || paths.resolve(&file.path, None, label)? == place
            {
                owners.push(Owner { hnum, label: label.clone(), at, file: file.clone() });
            }
        }
        Ok(owners)
    }

    /// Returns the entries of those whose file is there.
    fn present(
        &mut self,
        place: &str,
        paths: &mut Paths<'_>,
    ) -> Result<Vec<FileEntry>, TransactionError> {
        let owners = self.of(place, paths)?.into_iter().map(|owner| owner.file);
        Ok(owners.filter(is_present).collect())
    }

    /// Returns the rows that say that files were overwritten.
    fn changed_rows(&self, overwritten: BTreeMap<u64, Vec<(usize, FileState)>>) -> Vec<ChangedRow> {
        let changed = |(hnum, states): (u64, Vec<(usize, FileState)>)| {
            let old = self.packages.get(&hnum)?.header.as_ref()?.source_bytes().to_vec();
            let new = with_file_states(&old, &states).filter(|new| *new != old)?;
            Some(ChangedRow { hnum, old, new })
        };
        overwritten.into_iter().filter_map(changed).collect()
    }
}

struct Planner<'a> {
    root: &'a Root,
    options: &'a TransactionOptions,
    overrides: &'a Overrides,
    paths: Paths<'a>,
    owners: Owners<'a>,
    plan: FilePlan,
    coming: BTreeMap<String, Vec<(usize, usize)>>,
    going: BTreeMap<String, (usize, usize)>,
}

impl Planner<'_> {
    /// Finds the files that packages disagree about, and the rows of staying packages that are overwritten.
    fn check_conflicts(&mut self, set: &Set) -> Result<(), TransactionError> {
        let mut conflicts = Vec::new();
        let mut overwritten: BTreeMap<u64, Vec<(usize, FileState)>> = BTreeMap::new();
        for (place, files) in &self.coming {
            conflicts.extend(conflicts_among(set, files, self.overrides.colors));
            for (at, file) in files {
                let (added, entry) = (&set.added[*at], &set.added[*at].files[*file]);
                let conflict = |owner: &str| {
                    let (path, label) = (&entry.path, &added.label);
                    format!(
                        "file {path} from install of {label} conflicts with file from package {owner}"
                    )
                };
                if let Some((erased, old)) = self.going.get(place)
                    && !may_be_mended(set, *at, self.options)
                    && is_stuck(&self.paths, place, entry, &set.erased[*erased].files[*old])?
                {
                    conflicts.push(conflict(&set.erased[*erased].label));
                }
                // Directories are shared; what is no directory yet has another owner.
                if entry.is_directory() && self.paths.stat(place)?.is_none_or(|disk| disk.is_dir())
                {
                    continue;
                }
                for owner in self.owners.of(place, &mut self.paths)? {
                    let state = match compare(entry, &owner.file, self.overrides.colors) {
                        Verdict::Same | Verdict::Second => continue,
                        Verdict::First => FileState::WrongColor,
                        Verdict::Conflict => {
                            conflicts.push(conflict(&owner.label));
                            FileState::Replaced
                        }
                    };
                    if !(entry.flags | owner.file.flags).is_config() {
                        overwritten.entry(owner.hnum).or_default().push((owner.at, state));
                    }
                }
            }
        }
        if !conflicts.is_empty() && !self.overrides.replace_files {
            return Err(TransactionError::FileConflicts { conflicts });
        }
        self.plan.changed_rows = self.owners.changed_rows(overwritten);
        Ok(())
    }

    fn plan_added(&mut self, set: &mut Set, at: usize) -> Result<(), TransactionError> {
        for file in 0..set.added[at].files.len() {
            let added = &set.added[at];
            let (entry, place) = (&added.files[file], &added.resolved[file]);
            let fate = if let Some(state) = added.left_out[file] {
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
        let colors = self.overrides.colors;
        if entry.color & colors.transaction == 0 {
            return Ok(false);
        }
        let loses = |other: &FileEntry| compare(entry, other, colors) == Verdict::Second;
        let others = self.coming.get(place).map_or(&[][..], Vec::as_slice);
        if others.iter().any(|(other, file)| loses(&set.added[*other].files[*file])) {
            return Ok(true);
        }
        let owners = self.owners.of(place, &mut self.paths)?;
        Ok(owners.iter().any(|owner| loses(&owner.file)))
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
            Some(stat) => {
                let Some(replaces) = self.replaced(set, (at, file), &stat)? else {
                    if may_be_mended(set, at, self.options) {
                        return Ok(());
                    }
                    return Err(kind_changed(&added.label, &place, stat.kind, "directory"));
                };
                let described = Some((at, file));
                let directory = Directory { described, exists: false, replaces: Some(replaces) };
                self.plan.directories.insert(place, directory);
                return Ok(());
            }
        };
        let directory = Directory { described: Some((at, file)), exists, replaces: None };
        self.plan.directories.insert(place, directory);
        Ok(())
    }

    /// Decides about a file in the place of a directory that comes; `None` where no package has it: it is not ours to remove.
    fn replaced(
        &mut self,
        set: &Set,
        (at, file): (usize, usize),
        disk: &Stat,
    ) -> Result<Option<Replaced>, TransactionError> {
        let (entry, place) = (&set.added[at].files[file], &set.added[at].resolved[file]);
        let Some(old) = self.former(set, place)? else { return Ok(None) };
        let is_kept = old.flags.is_config()
            && matches!(self.decide_config(place, disk, &old, entry)?, Decision::Conflict);
        let keep_as = is_kept.then(|| format!("{place}.rpmsave"));
        if let Some(keep_as) = &keep_as {
            self.plan.notes.push(format!("/{place} saved as /{keep_as}"));
        }
        Ok(Some(Replaced { serial: 0, keep_as }))
    }

    /// Returns the entry of the package that has what lies in a place: one that goes, else one that stays.
    fn former(&mut self, set: &Set, place: &str) -> Result<Option<FileEntry>, TransactionError> {
        if let Some((erased, file)) = self.going.get(place) {
            return Ok(Some(set.erased[*erased].files[*file].clone()));
        }
        Ok(self.owners.present(place, &mut self.paths)?.into_iter().next())
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
            Some(_) if may_be_mended(set, at, self.options) => return Ok(()),
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
        self.plan.directories.insert(directory.to_owned(), Directory::implied(exists));
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
            if may_be_mended(set, at, self.options) {
                return Ok(Fate::Skip);
            }
            return Err(kind_changed(&added.label, place, disk.kind, kind_name(entry)));
        }
        let old = self.former(set, place)?;
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
        let (is_new, is_old, is_unchanged) = match old_kind {
            mode::REGULAR => {
                let is = |digest: &str| -> Result<bool, TransactionError> {
                    let is_text = disk_kind == mode::REGULAR;
                    Ok(is_text && self.digest(place, digest)?.is(digest))
                };
                let is_new = new_kind == mode::REGULAR && is(&new.digest)?;
                (is_new, !is_new && is(&old.digest)?, old.digest == new.digest)
            }
            mode::SYMLINK => {
                let target = match disk_kind {
                    mode::SYMLINK => Some(self.root.read_link(place)?),
                    _ => None,
                };
                let is = |link: &str| {
                    target.as_ref().is_some_and(|target| target.to_string_lossy() == link)
                };
                let is_new = new_kind == mode::SYMLINK && is(&new.link_target);
                (is_new, is(&old.link_target), old.link_target == new.link_target)
            }
            // Nobody edits anything else.
            _ => return Ok(Decision::Replace),
        };
        Ok(if is_new || is_old {
            Decision::Replace
        } else if new.flags.is_config() && old_kind == new_kind && is_unchanged {
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
                // What the administrator made of a %ghost configuration file is not the package's.
                let is_own = entry.is_ghost() && entry.flags.is_config() && !entry.is_directory();
                if !is_present(entry)
                    || is_own
                    || self.overrides.shared_paths.iter().any(|path| is_below(entry, path))
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
                if !self.owners.present(place, &mut self.paths)?.is_empty() {
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
                let (path, then_place) = (place.clone(), None);
                own.push(Removal { serial: 0, path, keep_as, directory, then_place });
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
        if !entry.flags.is_config() || entry.is_ghost() {
            return Ok(false);
        }
        Ok(match entry.kind() {
            mode::REGULAR => {
                !disk.is_file() || !self.digest(place, &entry.digest)?.is(&entry.digest)
            }
            mode::SYMLINK => {
                !disk.is_symlink()
                    || self.root.read_link(place)?.to_string_lossy() != entry.link_target
            }
            _ => false,
        })
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

/// Tells whether a package's `%pretrans`, which has still to run, may move out of the way what is in the place of its files.
fn may_be_mended(set: &Set, at: usize, options: &TransactionOptions) -> bool {
    let kind = ScriptletKind::PreTransaction;
    options.scriptlets == Scriptlets::Run
        && !set.pretrans_ran
        && !options.overrides.silenced.contains(kind.name())
        && set.added[at].package.header.scriptlet(kind).is_some()
}

/// Tells whether what a package that goes has in a place cannot become what one that comes has there: a directory may hold what
/// is nobody's, a link to one lead to it. It can if it is that already, or gone.
fn is_stuck(
    paths: &Paths<'_>,
    place: &str,
    new: &FileEntry,
    old: &FileEntry,
) -> Result<bool, TransactionError> {
    let is_of_directory = old.is_directory() && !new.is_directory();
    let is_of_link = old.is_symlink() && new.is_directory();
    let is_hard = is_of_directory || is_of_link && paths.leads_to_directory(place)?;
    if !is_hard || !differ(new, old) {
        return Ok(false);
    }
    Ok(paths.stat(place)?.is_some_and(|disk| type_bits(disk.kind) != new.kind()))
}

/// Says which files of one place that come cannot all be right.
fn conflicts_among(set: &Set, files: &[(usize, usize)], colors: Colors) -> Vec<String> {
    let (first, first_file) = files[0];
    let entry = &set.added[first].files[first_file];
    let mut conflicts = Vec::new();
    for (other, other_file) in &files[1..] {
        let other_entry = &set.added[*other].files[*other_file];
        if compare(entry, other_entry, colors) == Verdict::Conflict {
            let mut both = [&set.added[first], &set.added[*other]];
            both.sort_by_key(|added| added.asked);
            let [one, two] = both.map(|added| &added.label);
            let path = &other_entry.path;
            conflicts.push(format!(
                "file {path} conflicts between attempted installs of {one} and {two}"
            ));
        }
    }
    conflicts
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
