// SPDX-License-Identifier: MIT OR Apache-2.0
//! The file list of a header.

use std::collections::BTreeMap;

use super::Header;
use crate::tag;

/// File type bits of [`FileEntry::mode`], as in `stat(2)`.
pub mod mode {
    /// Mask of the type.
    pub const TYPE: u16 = 0o170_000;
    /// A named pipe.
    pub const FIFO: u16 = 0o010_000;
    /// A character device.
    pub const CHARACTER: u16 = 0o020_000;
    /// A directory.
    pub const DIRECTORY: u16 = 0o040_000;
    /// A block device.
    pub const BLOCK: u16 = 0o060_000;
    /// A regular file.
    pub const REGULAR: u16 = 0o100_000;
    /// A symbolic link.
    pub const SYMLINK: u16 = 0o120_000;
}

/// What `rpm -V` compares, bits of [`FileEntry::verify_flags`]: rpm's `RPMVERIFY_*`, which `%verify(…)` names.
pub mod verify {
    /// Digest of the content.
    pub const DIGEST: u32 = 1 << 0;
    /// Size.
    pub const SIZE: u32 = 1 << 1;
    /// Target of a symbolic link.
    pub const LINK: u32 = 1 << 2;
    /// Owner.
    pub const USER: u32 = 1 << 3;
    /// Group.
    pub const GROUP: u32 = 1 << 4;
    /// Time of the last change.
    pub const MTIME: u32 = 1 << 5;
    /// Type, permission bits and access control list.
    pub const MODE: u32 = 1 << 6;
    /// Number of a device.
    pub const RDEV: u32 = 1 << 7;
    /// Capabilities.
    pub const CAPS: u32 = 1 << 8;
}

/// rpm's file flags: what a file is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileFlags(pub u32);

impl FileFlags {
    /// No flag.
    pub const NONE: Self = Self(0);
    /// `%config`: a changed file is saved, not overwritten.
    pub const CONFIG: Self = Self(1 << 0);
    /// `%doc`.
    pub const DOC: Self = Self(1 << 1);
    /// `%config(missingok)`: the file may be absent.
    pub const MISSINGOK: Self = Self(1 << 3);
    /// `%config(noreplace)`: a changed file stays, the new one becomes `.rpmnew`.
    pub const NOREPLACE: Self = Self(1 << 4);
    /// The specification of a source package.
    pub const SPECFILE: Self = Self(1 << 5);
    /// `%ghost`: owned, not in the payload.
    pub const GHOST: Self = Self(1 << 6);
    /// `%license`.
    pub const LICENSE: Self = Self(1 << 7);
    /// `%readme`.
    pub const README: Self = Self(1 << 8);
    /// `%pubkey`.
    pub const PUBKEY: Self = Self(1 << 11);
    /// `%artifact`: made by the build, not part of the software.
    pub const ARTIFACT: Self = Self(1 << 12);

    /// Says whether all flags of `other` are set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Says whether the file is a configuration file.
    pub fn is_config(self) -> bool {
        self.contains(Self::CONFIG)
    }

    /// Says whether the file is owned without being in the payload.
    pub fn is_ghost(self) -> bool {
        self.contains(Self::GHOST)
    }
}

impl std::ops::BitOr for FileFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// One file of a package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileEntry {
    /// Absolute path in normal form; relative only in source packages.
    pub path: String,
    /// Mode with type bits (see [`mode`]).
    pub mode: u16,
    /// Owner's name.
    pub user: String,
    /// Group's name.
    pub group: String,
    /// Bytes of a regular file, or of a symlink's target.
    pub size: u64,
    /// Modification time, seconds since 1970.
    pub mtime: u32,
    /// Digest of a regular file in hexadecimal (see [`Header::file_digest_algorithm`]), else empty.
    pub digest: String,
    /// Target of a symlink, else empty.
    pub link_target: String,
    /// What the file is for.
    pub flags: FileFlags,
    /// What `rpm -V` compares, `RPMVERIFY_*` bits.
    pub verify_flags: u32,
    /// Device number of a device node.
    pub rdev: u16,
    /// Number shared by the members of a hard link set.
    pub inode: u32,
    /// Number of the file system; hard links share it too.
    pub device: u32,
    /// Capabilities as text (`cap_net_raw=ep`), empty for none.
    pub caps: String,
    /// What IMA checks the file by (`security.ima`), in hexadecimal; empty for none. Only [`crate::package::Package::files`] knows it.
    pub ima_signature: String,
    /// Language of a translated file, empty for none.
    pub lang: String,
    /// ELF class: 1 for 32 bits, 2 for 64 bits, 0 for anything else.
    pub color: u32,
    /// Members of the hard link set, 1 for an ordinary file.
    pub nlink: u32,
    /// State in the database (`FILESTATES`): 0 is normal, 1 replaced, 2 not installed, 3 shared
    /// (net), 4 wrong color; `None` in packages.
    pub state: Option<u8>,
}

impl FileEntry {
    /// Returns the type bits of the mode.
    pub fn kind(&self) -> u16 {
        self.mode & mode::TYPE
    }

    /// Says whether this is a regular file.
    pub fn is_regular(&self) -> bool {
        self.kind() == mode::REGULAR
    }

    /// Says whether this is a directory.
    pub fn is_directory(&self) -> bool {
        self.kind() == mode::DIRECTORY
    }

    /// Says whether this is a symbolic link.
    pub fn is_symlink(&self) -> bool {
        self.kind() == mode::SYMLINK
    }

    /// Says whether the file is owned without being in the payload.
    pub fn is_ghost(&self) -> bool {
        self.flags.is_ghost()
    }

    /// Says whether this is a member of a hard link set with others.
    pub fn is_hard_link(&self) -> bool {
        self.nlink > 1
    }
}

impl Header {
    /// Returns the paths of all files, in the header's order.
    pub fn paths(&self) -> Vec<String> {
        if !self.has(tag::BASENAMES) {
            return self.strings(tag::OLDFILENAMES).into_iter().map(str::to_owned).collect();
        }
        let directories = self.strings(tag::DIRNAMES);
        let indexes = self.u32s(tag::DIRINDEXES);
        let names = self.strings(tag::BASENAMES).into_iter();
        let directory = |index: u32| directories.get(index as usize).copied().unwrap_or_default();
        names.zip(indexes).map(|(name, index)| format!("{}{name}", directory(index))).collect()
    }

    /// Returns the files in the header's order, which is also that of the payload's indexes.
    pub fn files(&self) -> Vec<FileEntry> {
        let mut files: Vec<FileEntry> = self
            .paths()
            .into_iter()
            .map(|path| FileEntry { path, nlink: 1, verify_flags: u32::MAX, ..Default::default() })
            .collect();
        let mut sizes = self.u64s(tag::LONGFILESIZES);
        if sizes.is_empty() {
            sizes = self.u32s(tag::FILESIZES).into_iter().map(u64::from).collect();
        }
        fill(&mut files, sizes, |file, size| file.size = size);
        fill(&mut files, self.u16s(tag::FILEMODES), |file, mode| file.mode = mode);
        fill(&mut files, self.u16s(tag::FILERDEVS), |file, rdev| file.rdev = rdev);
        fill(&mut files, self.u32s(tag::FILEMTIMES), |file, mtime| file.mtime = mtime);
        fill(&mut files, self.u32s(tag::FILEFLAGS), |file, bits| file.flags = FileFlags(bits));
        fill(&mut files, self.u32s(tag::FILEVERIFYFLAGS), |file, bits| file.verify_flags = bits);
        fill(&mut files, self.u32s(tag::FILEINODES), |file, inode| file.inode = inode);
        fill(&mut files, self.u32s(tag::FILEDEVICES), |file, device| file.device = device);
        fill(&mut files, self.u32s(tag::FILECOLORS), |file, color| file.color = color);
        fill(&mut files, self.strings(tag::FILEUSERNAME), |file, text| file.user = text.into());
        fill(&mut files, self.strings(tag::FILEGROUPNAME), |file, text| file.group = text.into());
        fill(&mut files, self.strings(tag::FILEDIGESTS), |file, text| file.digest = text.into());
        fill(&mut files, self.strings(tag::FILELINKTOS), |file, text| {
            file.link_target = text.into();
        });
        fill(&mut files, self.strings(tag::FILELANGS), |file, text| file.lang = text.into());
        fill(&mut files, self.strings(tag::FILECAPS), |file, text| file.caps = text.into());
        let states = self.binary(tag::FILESTATES).unwrap_or_default().to_vec();
        fill(&mut files, states, |file, state| file.state = Some(state));
        count_hard_links(&mut files);
        files
    }

    /// Returns for each file what was made from it: entries of the dependency dictionary, rpm's letter for the kind (`P`, `R`) in the
    /// highest byte and the position in the list of that kind below it.
    pub fn file_dependencies(&self) -> Vec<Vec<u32>> {
        let dictionary = self.u32s(tag::DEPENDSDICT);
        let ranges = self.u32s(tag::FILEDEPENDSX).into_iter().zip(self.u32s(tag::FILEDEPENDSN));
        let entries = |(start, length): (u32, u32)| {
            dictionary.iter().skip(start as usize).take(length as usize).copied().collect()
        };
        ranges.map(entries).collect()
    }

    /// Returns the positions of the files that a Provides, given by its position, was made from.
    pub fn files_that_provide(&self, at: usize) -> Vec<usize> {
        let wanted = u32::from(b'P') << 24 | u32::try_from(at).unwrap_or(u32::MAX) & 0xff_ffff;
        let made = self.file_dependencies().into_iter().enumerate();
        made.filter(|(_, entries)| entries.contains(&wanted)).map(|(at, _)| at).collect()
    }

    /// Returns the color of a package in a transaction: that of the files from which its dependencies were made.
    pub fn dependency_color(&self) -> u32 {
        let colors = self.u32s(tag::FILECOLORS).into_iter().zip(self.file_dependencies());
        colors.filter(|(_, made)| !made.is_empty()).fold(0, |all, (color, _)| all | color)
    }

    /// Returns how many files the package owns.
    pub fn file_count(&self) -> usize {
        self.count(tag::BASENAMES).max(self.count(tag::OLDFILENAMES))
    }

    /// Returns OpenPGP's number of the algorithm of [`FileEntry::digest`]: 8 is SHA-256, and 1
    /// (MD5) is what packages use that do not say.
    pub fn file_digest_algorithm(&self) -> u32 {
        self.u32(tag::FILEDIGESTALGO).unwrap_or(1)
    }
}

fn fill<T>(files: &mut [FileEntry], values: Vec<T>, set: impl Fn(&mut FileEntry, T)) {
    files.iter_mut().zip(values).for_each(|(file, value)| set(file, value));
}

/// Counts the members of each set: regular files in the payload with the same device and inode.
fn count_hard_links(files: &mut [FileEntry]) {
    let is_member = |file: &FileEntry| file.is_regular() && !file.is_ghost() && file.inode != 0;
    let mut counts = BTreeMap::new();
    for file in files.iter().filter(|file| is_member(file)) {
        *counts.entry((file.device, file.inode)).or_insert(0) += 1;
    }
    for file in files.iter_mut().filter(|file| is_member(file)) {
        file.nlink = counts.get(&(file.device, file.inode)).copied().unwrap_or(1);
    }
}
