// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writes the new files beside their targets. Nothing live changes here: after a crash, removing what was staged is enough.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, Permissions};
use std::io::{self, BufReader, Seek as _, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
use std::time::{Duration, UNIX_EPOCH};

use cairn_host::{FileKind, Held, HostError, Root, Stat};
use cairn_rpm::header::{FileEntry, mode};
use cairn_rpm::payload::{PayloadEntry, PayloadReader};

use super::fate::{FilePlan, Replaced, attributes_of};
use super::options::{Ownership, OwnershipEntry, OwnershipKind, TransactionOptions};
use super::paths::{Directories, join, parent};
use super::set::{Added, Fate, Set};
use crate::capability::{self, Capabilities};
use crate::digest::Running;
use crate::error::TransactionError;
use crate::event::Event;
use crate::failpoint::FailPoints;
use crate::journal::{Attributes, Step, TransactionId};
use crate::owners::Owners;
use crate::scriptlet::chain;

/// Read from the package and write to the file in pieces of this size.
const BUFFER: usize = 256 << 10;

/// Returns the name of a staged file beside its target.
pub(crate) fn staged_name(target: &str, id: TransactionId, serial: u32) -> String {
    join(parent(target), &format!(".cairn-{id:08}-{serial}"))
}

/// Where things are staged while a file is still in the place of the directory they go into.
#[derive(Debug, Default)]
pub(crate) struct Detours(BTreeMap<String, String>);

impl Detours {
    pub(crate) fn new(id: TransactionId, steps: &[Step]) -> Self {
        let replaced = steps.iter().filter_map(|step| match step {
            Step::ReplaceDirectory { serial, path, .. } => {
                Some((path.clone(), staged_name(path, id, *serial)))
            }
            _ => None,
        });
        Self(replaced.collect())
    }

    /// Returns the place that stands for a path until the directories are in place.
    pub(crate) fn of<'p>(&self, path: &'p str) -> Cow<'p, str> {
        let mut directory = if self.0.is_empty() { "" } else { path };
        while !directory.is_empty() {
            if let Some(staged) = self.0.get(directory) {
                return Cow::Owned(format!("{staged}{}", &path[directory.len()..]));
            }
            directory = parent(directory);
        }
        Cow::Borrowed(path)
    }

    /// Creates the directories of the steps.
    pub(crate) fn make_directories(
        &self,
        root: &Root,
        steps: &[Step],
        fail_points: &FailPoints,
    ) -> Result<(), TransactionError> {
        for step in steps {
            let (Step::MakeDirectory { path, attributes }
            | Step::ReplaceDirectory { path, attributes, .. }) = step
            else {
                continue;
            };
            fail_points.pass("make directory");
            let place = self.of(path);
            if root.symlink_metadata(&*place)?.is_none() {
                root.mkdir(&*place, 0o700)?;
            }
            set_attributes(root, &place, Expected::Directory, attributes)?;
        }
        Ok(())
    }
}

/// Numbers of staged files, per package and file; and of the removals.
#[derive(Debug, Default)]
pub(crate) struct Serials {
    /// For each package and file the number of its staged file.
    pub(crate) files: Vec<Vec<Option<u32>>>,
    /// The number after the last one used.
    pub(crate) next: u32,
}

impl Serials {
    /// Numbers everything that is staged or removed.
    pub(crate) fn assign(set: &mut Set, plan: &mut FilePlan, options: &TransactionOptions) -> Self {
        let mut serials = Self::default();
        for added in &set.added {
            let files = added.fates.iter().zip(&added.files).map(|(fate, file)| {
                let staged = matches!(fate, Fate::Create { .. } | Fate::Beside { .. })
                    && is_created(file, options);
                staged.then(|| serials.take())
            });
            let files = files.collect();
            serials.files.push(files);
        }
        for removal in set.erased.iter_mut().flat_map(|erased| &mut erased.removals) {
            removal.serial = serials.take();
        }
        let directories = plan.directories.values_mut();
        for replaced in directories.filter_map(|directory| directory.replaces.as_mut()) {
            replaced.serial = serials.take();
        }
        serials
    }

    pub(crate) fn take(&mut self) -> u32 {
        let serial = self.next;
        self.next += 1;
        serial
    }
}

/// Devices cannot be created by ordinary users.
fn is_created(file: &FileEntry, options: &TransactionOptions) -> bool {
    options.ownership == Ownership::Apply || !matches!(file.kind(), mode::CHARACTER | mode::BLOCK)
}

/// Returns the changes of the tree as a plan for the journal.
pub(crate) fn steps(
    root: &Root,
    set: &Set,
    plan: &FilePlan,
    serials: &Serials,
    attributes: &AttributeSource<'_>,
) -> Result<Vec<Step>, TransactionError> {
    let mut steps = Vec::new();
    for (path, directory) in &plan.directories {
        let wanted = match directory.described {
            Some((package, file)) => attributes.of(&set.added[package].files[file]),
            None if directory.exists => continue,
            None => attributes.implied(),
        };
        if let Some(Replaced { serial, keep_as }) = directory.replaces.clone() {
            let (path, attributes) = (path.clone(), wanted);
            steps.push(Step::ReplaceDirectory { serial, path, attributes, keep_as });
            continue;
        }
        match root.symlink_metadata(path)?.filter(Stat::is_dir) {
            None => steps.push(Step::MakeDirectory { path: path.clone(), attributes: wanted }),
            Some(stat) => {
                let old = attributes_of(&stat);
                if old.mode != wanted.mode
                    || wanted.owner.is_some_and(|owner| old.owner != Some(owner))
                {
                    let (path, old) = (path.clone(), Attributes { mtime: None, ..old });
                    steps.push(Step::SetDirectory { path, attributes: wanted, old });
                }
            }
        }
    }
    for (added, serials) in set.added.iter().zip(&serials.files) {
        let files = added.files.iter().zip(&added.fates).zip(&added.resolved);
        for (((file, fate), place), serial) in files.zip(serials) {
            let Some(serial) = *serial else { continue };
            let (target, keep_as) = match fate {
                Fate::Create { keep_as } => (place.clone(), keep_as.clone()),
                Fate::Beside { target } => (target.clone(), None),
                Fate::Directory | Fate::Skip | Fate::NotInstalled(_) => continue,
            };
            let config = (file.flags.is_config() && file.is_regular()).then(|| file.digest.clone());
            steps.push(Step::Place { serial, target, keep_as, config });
        }
    }
    Ok(steps)
}

/// Where owners and modes come from.
#[derive(Debug)]
pub(crate) enum AttributeSource<'a> {
    /// Applied, with names resolved in the root.
    Apply(&'a Owners),
    /// Left to the current user, who must be able to go on working with the files.
    Record,
}

impl AttributeSource<'_> {
    fn of(&self, file: &FileEntry) -> Attributes {
        let permissions = u32::from(file.mode & 0o7777);
        match self {
            Self::Apply(owners) => {
                let resolved = owners.resolve(&file.user, &file.group, permissions);
                let owner = Some((resolved.user, resolved.group));
                Attributes { mode: resolved.mode, owner, mtime: None }
            }
            Self::Record => {
                let own = if file.is_directory() { 0o700 } else { 0o600 };
                Attributes { mode: permissions & 0o777 | own, owner: None, mtime: None }
            }
        }
    }

    fn implied(&self) -> Attributes {
        let owner = matches!(self, Self::Apply(_)).then_some((0, 0));
        Attributes { mode: 0o755, owner, mtime: None }
    }

    /// Returns the owners that are unknown, as messages.
    fn unknown(&self, file: &FileEntry) -> Vec<String> {
        match self {
            Self::Apply(owners) => owners.resolve(&file.user, &file.group, 0).unknown,
            Self::Record => Vec::new(),
        }
    }
}

/// Stages the files of a set.
pub(crate) struct Stager<'a> {
    /// For resolved paths.
    pub(crate) live: Root,
    pub(crate) id: TransactionId,
    pub(crate) serials: &'a Serials,
    pub(crate) attributes: AttributeSource<'a>,
    pub(crate) options: &'a TransactionOptions,
    pub(crate) detours: Detours,
    /// Packages whose owners are looked at again once their accounts may be there.
    pub(crate) owned_later: &'a BTreeSet<usize>,
}

impl Stager<'_> {
    /// Creates the directories of the plan.
    pub(crate) fn make_directories(&self, steps: &[Step]) -> Result<(), TransactionError> {
        self.detours.make_directories(&self.live, steps, &self.options.fail_points)
    }

    /// Unpacks one package. Packages may be unpacked side by side.
    pub(crate) fn unpack(&self, set: &Set, at: usize) -> Result<(), TransactionError> {
        let added = &set.added[at];
        let failed = |error: &dyn std::error::Error| payload_error(added, chain(error));
        let mut payload = open_payload(added)?;
        let mut linked = vec![false; added.files.len()];
        let directories = Directories::new(&self.live);
        while let Some(entry) = payload.next_entry().map_err(|error| failed(&error))? {
            self.unpack_entry((added, at), &directories, entry, &mut linked)?;
        }
        Ok(())
    }

    /// Says which owners of a package's files do not exist.
    pub(crate) fn warn(&self, set: &Set, at: usize, events: &mut dyn FnMut(Event)) {
        let added = &set.added[at];
        for (entry, serial) in added.files.iter().zip(&self.serials.files[at]) {
            if serial.is_some() && !self.owned_later.contains(&at) {
                self.attributes
                    .unknown(entry)
                    .into_iter()
                    .map(Event::Warning)
                    .for_each(&mut *events);
            }
        }
    }

    fn unpack_entry(
        &self,
        (added, at): (&Added, usize),
        directories: &Directories<'_>,
        mut entry: PayloadEntry<'_, BufReader<File>>,
        linked: &mut [bool],
    ) -> Result<(), TransactionError> {
        let index = entry.file_index;
        let file = &added.files[index];
        if file.is_regular() && !entry.hard_links.is_empty() {
            // The data comes with one member of the set; the others become links to it.
            if entry.size != file.size || linked[index] {
                return Ok(());
            }
            let members: Vec<usize> = entry
                .hard_links
                .iter()
                .copied()
                .filter(|member| self.serials.files[at][*member].is_some())
                .collect();
            for member in &entry.hard_links {
                linked[*member] = true;
            }
            let Some((first, others)) = members.split_first() else { return Ok(()) };
            let first_name = self.name(added, at, *first);
            self.write_regular((added, file), directories, &first_name, &mut entry)?;
            for other in others {
                self.options.fail_points.pass("stage link");
                self.live.hard_link(&first_name, self.name(added, at, *other))?;
            }
            return Ok(());
        }
        if self.serials.files[at][index].is_none() {
            return Ok(());
        }
        let name = self.name(added, at, index);
        self.options.fail_points.pass("stage file");
        if file.is_regular() {
            return self.write_regular((added, file), directories, &name, &mut entry);
        }
        let (directory, base) = directories.of(&name)?;
        let make = |kind, rdev| directory.mknod(base, kind, 0o600, rdev);
        match file.kind() {
            mode::SYMLINK => directory.symlink(&file.link_target, base)?,
            mode::FIFO => make(FileKind::Fifo, 0)?,
            mode::CHARACTER => make(FileKind::CharacterDevice, u64::from(file.rdev))?,
            mode::BLOCK => make(FileKind::BlockDevice, u64::from(file.rdev))?,
            _ => {
                return Err(payload_error(
                    added,
                    format!("{}: a file type packages cannot have", file.path),
                ));
            }
        }
        let mut attributes = self.attributes.of(file);
        attributes.mtime = Some(i64::from(file.mtime));
        set_attributes(&directory, base, Expected::Made, &attributes)
    }

    fn name(&self, added: &Added, at: usize, file: usize) -> String {
        let serial = self.serials.files[at][file].unwrap_or_default();
        let beside = staged_name(&added.resolved[file], self.id, serial);
        self.detours.of(&beside).into_owned()
    }

    fn write_regular(
        &self,
        (added, file): (&Added, &FileEntry),
        directories: &Directories<'_>,
        name: &str,
        entry: &mut PayloadEntry<'_, BufReader<File>>,
    ) -> Result<(), TransactionError> {
        let attributes = self.attributes.of(file);
        // Special bits come last: writing and changes of the owner take them away.
        let created = attributes.mode & 0o777;
        let (directory, base) = directories.of(name)?;
        let mut target = Hashing {
            file: directory.create_new(base, created)?,
            hash: Running::like(&file.digest),
        };
        entry
            .copy_to(&mut target)
            .map_err(|error| payload_error(added, format!("{}: {}", file.path, chain(&error))))?;
        let Hashing { file: target, hash } = target;
        if let Some(found) = hash.map(Running::finish)
            && found != file.digest
        {
            let reason =
                format!("{}: digest mismatch: expected {} found {found}", file.path, file.digest);
            return Err(payload_error(added, reason));
        }
        let failed = |source: io::Error| HostError::Io {
            operation: "set the attributes of",
            path: file.path.clone().into(),
            source,
        };
        if let Some((user, group)) = attributes.owner {
            let present = target.metadata().map_err(failed)?;
            if (present.uid(), present.gid()) != (user, group) {
                fchown(&target, Some(user), Some(group)).map_err(failed)?;
            }
            self.set_capabilities(added, file, &target)?;
            set_ima_signature(added, file, &target)?;
            if attributes.mode != created {
                let permissions = Permissions::from_mode(attributes.mode);
                target.set_permissions(permissions).map_err(failed)?;
            }
        }
        target
            .set_modified(UNIX_EPOCH + Duration::from_secs(u64::from(file.mtime)))
            .map_err(failed)?;
        Ok(())
    }

    fn set_capabilities(
        &self,
        added: &Added,
        file: &FileEntry,
        target: &File,
    ) -> Result<(), TransactionError> {
        if file.caps.is_empty() || self.options.overrides.without_capabilities {
            return Ok(());
        }
        let capabilities = Capabilities::parse(&file.caps).ok_or_else(|| {
            payload_error(added, format!("{}: unknown capabilities `{}`", file.path, file.caps))
        })?;
        let target = Held::of(target, &file.path)?;
        Ok(target.set_xattr(capability::ATTRIBUTE, &capabilities.to_attribute())?)
    }
}

/// What IMA checks a file by, as rpm's plugin sets it: not for configuration, which may change, unless it is run; file systems without
/// extended attributes do without.
fn set_ima_signature(
    added: &Added,
    file: &FileEntry,
    target: &File,
) -> Result<(), TransactionError> {
    let may_change = file.flags.is_config() && file.mode & 0o111 == 0;
    let signature = hex::decode(&file.ima_signature)
        .map_err(|error| payload_error(added, format!("{}: IMA signature: {error}", file.path)))?;
    if may_change || signature.iter().all(|byte| *byte == 0) {
        return Ok(());
    }
    match Held::of(target, &file.path)?.set_xattr(IMA_ATTRIBUTE, &signature) {
        Err(HostError::Io { source, .. }) if source.kind() == io::ErrorKind::Unsupported => Ok(()),
        result => Ok(result?),
    }
}

/// Opens the payload of a package that comes.
pub(crate) fn open_payload(
    added: &Added,
) -> Result<PayloadReader<BufReader<File>>, TransactionError> {
    let failed = |error: &dyn std::error::Error| payload_error(added, chain(error));
    let mut file = File::open(&added.path).map_err(|error| failed(&error))?;
    file.seek(SeekFrom::Start(added.package.header_end)).map_err(|error| failed(&error))?;
    added.package.payload(BufReader::with_capacity(BUFFER, file)).map_err(|error| failed(&error))
}

/// Where IMA looks for a file's signature.
const IMA_ATTRIBUTE: &str = "security.ima";

/// Writes to a file and hashes what it writes.
pub(crate) struct Hashing {
    pub(crate) file: File,
    pub(crate) hash: Option<Running>,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.file.write(bytes)?;
        if let Some(hash) = &mut self.hash {
            hash.update(&bytes[..length]);
        }
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// What a file must be for its attributes to be set: anything else was put in its place by somebody who may write to its directory, and
/// would get the rights that belong to the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// A directory.
    Directory,
    /// Made by this program, so that it still belongs to who runs it, or to its owner already.
    Made,
}

impl Expected {
    fn fits(self, stat: &Stat, attributes: &Attributes) -> bool {
        match self {
            Self::Directory => stat.is_dir(),
            Self::Made => {
                let user = rustix::process::geteuid().as_raw();
                stat.uid == user || attributes.owner.is_some_and(|(owner, _)| owner == stat.uid)
            }
        }
    }
}

/// Sets owner, then mode (the first clears bits of the second, and capabilities), then time; what is right already is left alone, because
/// looking is much cheaper than changing.
pub(crate) fn set_attributes(
    root: &Root,
    path: &str,
    expected: Expected,
    attributes: &Attributes,
) -> Result<(), TransactionError> {
    let file = root.hold(path)?;
    let present = file.stat()?;
    if !expected.fits(&present, attributes) {
        let operation = "set the attributes of";
        return Err(HostError::Interfered { operation, path: path.into() }.into());
    }
    let other_owner = attributes.owner.filter(|wanted| (present.uid, present.gid) != *wanted);
    if let Some((user, group)) = other_owner {
        let capabilities =
            if present.is_file() { file.get_xattr(capability::ATTRIBUTE)? } else { None };
        file.set_owner(user, group)?;
        if let Some(capabilities) = capabilities {
            file.set_xattr(capability::ATTRIBUTE, &capabilities)?;
        }
    }
    if !present.is_symlink() && (other_owner.is_some() || present.mode != attributes.mode) {
        file.set_mode(attributes.mode)?;
    }
    if let Some(mtime) = attributes.mtime {
        file.set_mtime(mtime)?;
    }
    Ok(())
}

/// Returns what the files of an image should be, by path.
pub(crate) fn ownership(
    set: &Set,
    plan: &FilePlan,
    options: &TransactionOptions,
) -> Vec<OwnershipEntry> {
    let mut entries = Vec::new();
    for (path, directory) in &plan.directories {
        match directory.described {
            Some((package, file)) => entries.push(entry(&set.added[package].files[file], path)),
            None if directory.exists => {}
            None => entries.push(OwnershipEntry {
                path: path.clone(),
                kind: OwnershipKind::Directory,
                user: "root".to_owned(),
                group: "root".to_owned(),
                mode: 0o755,
                caps: String::new(),
                mtime: options.time,
                rdev: 0,
            }),
        }
    }
    for added in &set.added {
        for ((file, place), fate) in added.files.iter().zip(&added.resolved).zip(&added.fates) {
            match fate {
                Fate::Create { .. } => entries.push(entry(file, place)),
                Fate::Beside { target } => entries.push(entry(file, target)),
                Fate::Directory | Fate::Skip | Fate::NotInstalled(_) => {}
            }
        }
    }
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    entries
}

fn entry(file: &FileEntry, path: &str) -> OwnershipEntry {
    let kind = match file.kind() {
        mode::DIRECTORY => OwnershipKind::Directory,
        mode::SYMLINK => OwnershipKind::Symlink,
        mode::CHARACTER => OwnershipKind::CharacterDevice,
        mode::BLOCK => OwnershipKind::BlockDevice,
        mode::FIFO => OwnershipKind::Fifo,
        _ => OwnershipKind::File,
    };
    OwnershipEntry {
        path: path.to_owned(),
        kind,
        user: file.user.clone(),
        group: file.group.clone(),
        mode: u32::from(file.mode & 0o7777),
        caps: file.caps.clone(),
        mtime: file.mtime,
        rdev: u32::from(file.rdev),
    }
}

fn payload_error(added: &Added, reason: String) -> TransactionError {
    TransactionError::Payload { package: added.label.clone(), reason }
}
