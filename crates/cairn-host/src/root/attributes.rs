// SPDX-License-Identifier: MIT OR Apache-2.0
//! Metadata of files below a [`Root`]: owner, mode, times, extended attributes, device numbers, space.

use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fd::OwnedFd;
use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT, Uid, XattrFlags,
};
use rustix::io::Errno;

use super::Root;
use crate::{HostError, Result};

/// The type of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// A regular file.
    Regular,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A character device.
    CharacterDevice,
    /// A block device.
    BlockDevice,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// Anything else.
    Other,
}

/// What `lstat` tells about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Type of the file.
    pub kind: FileKind,
    /// Permission bits with setuid, setgid and sticky (0o7777), without the type.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Size in bytes.
    pub size: u64,
    /// Time of the last change of the content, seconds since 1970.
    pub mtime: i64,
    /// Its nanoseconds.
    pub mtime_nanoseconds: u32,
    /// Device number of a device file.
    pub rdev: u64,
    /// File system that holds the file.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
    /// Number of hard links.
    pub n_links: u64,
}

impl Stat {
    /// Tells whether it is a directory (not a link to one).
    pub fn is_dir(&self) -> bool {
        self.kind == FileKind::Directory
    }

    /// Tells whether it is a regular file.
    pub fn is_file(&self) -> bool {
        self.kind == FileKind::Regular
    }

    /// Tells whether both are of the same file, under one name or two.
    pub fn is_same_file(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }

    /// Tells whether it is a symbolic link.
    pub fn is_symlink(&self) -> bool {
        self.kind == FileKind::Symlink
    }
}

impl Root {
    /// Returns the metadata of `rel` itself (a link is not followed), `None` if it or a directory before it does not exist.
    pub fn symlink_metadata(&self, rel: impl AsRef<Path>) -> Result<Option<Stat>> {
        let rel = rel.as_ref();
        let stat = self.parent(rel, "look at").and_then(|(parent, name)| {
            let stat = rustix::fs::statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW);
            stat.map_err(|source| HostError::io("look at", self.display(rel), source))
        });
        absent_as_none(stat.map(|stat| to_stat(&stat)))
    }

    /// Returns the metadata of what `rel` leads to (links are followed inside the root), `None` if there is nothing.
    pub fn metadata(&self, rel: impl AsRef<Path>) -> Result<Option<Stat>> {
        let rel = rel.as_ref();
        let stat = self.resolve(rel, OFlags::PATH, Mode::empty(), "look at").and_then(|fd| {
            rustix::fs::fstat(&fd)
                .map_err(|source| HostError::io("look at", self.display(rel), source))
        });
        absent_as_none(stat.map(|stat| to_stat(&stat)))
    }

    /// Opens the file itself, not what it may link to: whatever comes under its name meanwhile, this one is looked at and changed.
    pub fn hold(&self, rel: impl AsRef<Path>) -> Result<Held> {
        self.hold_for(rel.as_ref(), "open")
    }

    /// Sets the permission bits (0o7777). Links have none of their own: for a link nothing happens.
    pub fn set_mode(&self, rel: impl AsRef<Path>, mode: u32) -> Result<()> {
        let held = self.hold_for(rel.as_ref(), "set the mode of")?;
        if held.stat()?.is_symlink() { Ok(()) } else { held.set_mode(mode) }
    }

    /// Sets owner and group; of the link itself if it is one. Clears setuid and setgid bits: call [`Root::set_mode`] afterwards.
    pub fn set_owner(&self, rel: impl AsRef<Path>, uid: u32, gid: u32) -> Result<()> {
        self.hold_for(rel.as_ref(), "set the owner of")?.set_owner(uid, gid)
    }

    /// Sets the modification time in seconds since 1970; of the link itself if it is one. The access time stays.
    pub fn set_mtime(&self, rel: impl AsRef<Path>, unix: i64) -> Result<()> {
        self.hold_for(rel.as_ref(), "set the time of")?.set_mtime(unix)
    }

    /// Sets an extended attribute, for example `security.capability`.
    pub fn set_xattr(&self, rel: impl AsRef<Path>, name: &str, value: &[u8]) -> Result<()> {
        self.hold_for(rel.as_ref(), "set an attribute of")?.set_xattr(name, value)
    }

    /// Returns an extended attribute, `None` if the file has none of that name or the file system none at all.
    pub fn get_xattr(&self, rel: impl AsRef<Path>, name: &str) -> Result<Option<Vec<u8>>> {
        self.hold_for(rel.as_ref(), "read an attribute of")?.get_xattr(name)
    }

    /// Returns the names of the extended attributes, none where the file system has none at all.
    pub fn xattr_names(&self, rel: impl AsRef<Path>) -> Result<Vec<String>> {
        self.hold_for(rel.as_ref(), "list the attributes of")?.xattr_names()
    }

    /// Removes an extended attribute; nothing happens if there is none.
    pub fn remove_xattr(&self, rel: impl AsRef<Path>, name: &str) -> Result<()> {
        self.hold_for(rel.as_ref(), "remove an attribute of")?.remove_xattr(name)
    }

    /// Creates a device, FIFO or socket. `rdev` is a device number as in [`Stat::rdev`] and ignored for FIFOs and sockets.
    pub fn mknod(&self, rel: impl AsRef<Path>, kind: FileKind, mode: u32, rdev: u64) -> Result<()> {
        let rel = rel.as_ref();
        let file_type = match kind {
            FileKind::Regular => FileType::RegularFile,
            FileKind::CharacterDevice => FileType::CharacterDevice,
            FileKind::BlockDevice => FileType::BlockDevice,
            FileKind::Fifo => FileType::Fifo,
            FileKind::Socket => FileType::Socket,
            FileKind::Directory | FileKind::Symlink | FileKind::Other => {
                return Err(HostError::BadPath { root: self.path.clone(), path: rel.into() });
            }
        };
        let (parent, name) = self.parent(rel, "create node")?;
        rustix::fs::mknodat(&parent, name, file_type, Mode::RUSR | Mode::WUSR, rdev)
            .map_err(|source| HostError::io("create node", self.display(rel), source))?;
        self.set_mode(rel, mode)
    }

    /// Returns (free bytes, free inodes) for an ordinary user on the file system that holds `rel`.
    ///
    /// A file system without a fixed number of inodes (btrfs) reports `u64::MAX` inodes.
    pub fn free_space(&self, rel: impl AsRef<Path>) -> Result<(u64, u64)> {
        let rel = rel.as_ref();
        let fd = self.resolve(rel, OFlags::PATH, Mode::empty(), "look at")?;
        let space = rustix::fs::fstatvfs(&fd)
            .map_err(|source| HostError::io("look at", self.display(rel), source))?;
        let inodes = if space.f_files == 0 { u64::MAX } else { space.f_favail };
        Ok((space.f_bavail.saturating_mul(space.f_frsize), inodes))
    }

    /// Returns the number of the file system (st_dev) that holds what `rel` leads to.
    pub fn device(&self, rel: impl AsRef<Path>) -> Result<u64> {
        let rel = rel.as_ref();
        let fd = self.resolve(rel, OFlags::PATH, Mode::empty(), "look at")?;
        Ok(rustix::fs::fstat(&fd)
            .map_err(|source| HostError::io("look at", self.display(rel), source))?
            .st_dev)
    }

    fn hold_for(&self, rel: &Path, operation: &'static str) -> Result<Held> {
        let (parent, name) = self.parent(rel, operation)?;
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&parent, name, flags, Mode::empty())
            .map_err(|source| HostError::io(operation, self.display(rel), source))?;
        Ok(Held { fd, path: self.display(rel) })
    }
}

/// One file, whatever its name leads to by now. Needs `/proc`.
#[derive(Debug)]
pub struct Held {
    fd: OwnedFd,
    path: PathBuf,
}

impl Held {
    /// Holds a file that is open; `path` is for messages.
    pub fn of(file: &File, path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let fd = rustix::io::fcntl_dupfd_cloexec(file, 0)
            .map_err(|source| HostError::io("open", &path, source))?;
        Ok(Self { fd, path })
    }

    /// Returns its metadata.
    pub fn stat(&self) -> Result<Stat> {
        let stat = rustix::fs::fstat(&self.fd).map_err(|source| self.failed("look at", source))?;
        Ok(to_stat(&stat))
    }

    /// Opens it for reading; it must be a regular file.
    pub fn open_read(&self) -> Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = rustix::fs::open(self.handle(), flags, Mode::empty())
            .map_err(|source| self.failed("open", source))?;
        Ok(fd.into())
    }

    /// Returns the text of a symbolic link.
    pub fn read_link(&self) -> Result<PathBuf> {
        let target = rustix::fs::readlinkat(&self.fd, "", Vec::new())
            .map_err(|source| self.failed("read link", source))?;
        Ok(OsStr::from_bytes(target.as_bytes()).into())
    }

    /// Sets owner and group. Clears setuid and setgid bits.
    pub fn set_owner(&self, uid: u32, gid: u32) -> Result<()> {
        let (uid, gid) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
        rustix::fs::chownat(&self.fd, "", uid, gid, AtFlags::EMPTY_PATH)
            .map_err(|source| self.failed("set the owner of", source))
    }

    /// Sets the permission bits (0o7777); it must not be a link.
    pub fn set_mode(&self, mode: u32) -> Result<()> {
        rustix::fs::chmod(self.handle(), Mode::from_raw_mode(mode))
            .map_err(|source| self.failed("set the mode of", source))
    }

    /// Sets the modification time in seconds since 1970. The access time stays.
    pub fn set_mtime(&self, unix: i64) -> Result<()> {
        let times = Timestamps {
            last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
            last_modification: Timespec { tv_sec: unix, tv_nsec: 0 },
        };
        rustix::fs::utimensat(&self.fd, "", &times, AtFlags::EMPTY_PATH)
            .map_err(|source| self.failed("set the time of", source))
    }

    /// As [`Root::set_xattr`].
    pub fn set_xattr(&self, name: &str, value: &[u8]) -> Result<()> {
        rustix::fs::setxattr(self.handle(), name, value, XattrFlags::empty())
            .map_err(|source| self.failed("set an attribute of", source))
    }

    /// As [`Root::get_xattr`].
    pub fn get_xattr(&self, name: &str) -> Result<Option<Vec<u8>>> {
        // 64 KiB is the kernel's limit for a value.
        let mut value = vec![0; 65536];
        match rustix::fs::getxattr(self.handle(), name, &mut value[..]) {
            Ok(length) => {
                value.truncate(length);
                Ok(Some(value))
            }
            Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(None),
            Err(source) => Err(self.failed("read an attribute of", source)),
        }
    }

    /// As [`Root::xattr_names`].
    pub fn xattr_names(&self) -> Result<Vec<String>> {
        // Nearly all files have none or few; 64 KiB is the kernel's limit.
        let mut names = vec![0; 256];
        let mut listed = rustix::fs::listxattr(self.handle().as_str(), &mut names[..]);
        if listed == Err(Errno::RANGE) {
            names.resize(65536, 0);
            listed = rustix::fs::listxattr(self.handle().as_str(), &mut names[..]);
        }
        match listed {
            Ok(length) => {
                let names =
                    names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty());
                Ok(names.map(|name| String::from_utf8_lossy(name).into_owned()).collect())
            }
            Err(Errno::OPNOTSUPP) => Ok(Vec::new()),
            Err(source) => Err(self.failed("list the attributes of", source)),
        }
    }

    /// As [`Root::remove_xattr`].
    pub fn remove_xattr(&self, name: &str) -> Result<()> {
        match rustix::fs::removexattr(self.handle(), name) {
            Ok(()) | Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(()),
            Err(source) => Err(self.failed("remove an attribute of", source)),
        }
    }

    /// A path that leads to exactly this file, for calls that take no descriptor of this kind.
    fn handle(&self) -> String {
        format!("/proc/self/fd/{}", self.fd.as_raw_fd())
    }

    fn failed(&self, operation: &'static str, source: Errno) -> HostError {
        HostError::io(operation, &self.path, source)
    }
}

pub(super) fn to_stat(stat: &rustix::fs::Stat) -> Stat {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => FileKind::Regular,
        FileType::Directory => FileKind::Directory,
        FileType::Symlink => FileKind::Symlink,
        FileType::CharacterDevice => FileKind::CharacterDevice,
        FileType::BlockDevice => FileKind::BlockDevice,
        FileType::Fifo => FileKind::Fifo,
        FileType::Socket => FileKind::Socket,
        FileType::Unknown => FileKind::Other,
    };
    Stat {
        kind,
        mode: stat.st_mode & 0o7777,
        uid: stat.st_uid,
        gid: stat.st_gid,
        size: stat.st_size as u64,
        mtime: stat.st_mtime,
        mtime_nanoseconds: stat.st_mtime_nsec as u32,
        rdev: stat.st_rdev,
        device: stat.st_dev,
        inode: stat.st_ino,
        n_links: stat.st_nlink,
    }
}

fn absent_as_none(result: Result<Stat>) -> Result<Option<Stat>> {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    match result {
        Ok(stat) => Ok(Some(stat)),
        Err(error) if matches!(error.io_kind(), Some(NotFound | NotADirectory)) => Ok(None),
        Err(error) => Err(error),
    }
}
