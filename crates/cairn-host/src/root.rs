// SPDX-License-Identifier: MIT OR Apache-2.0
//! A directory handle. Every path is relative to it and resolved by the kernel with `openat2(RESOLVE_IN_ROOT)`: symbolic links,
//! absolute or with `..`, never lead out of it, as if the process had called chroot.
//!
//! A path may begin with `/` (it then means the root directory itself, as in a package's file list). Unless a function says
//! otherwise, the last component is *not* followed if it is a symbolic link, while the ones before it are.

mod attributes;
mod tree;

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, FlockOperation, Mode, OFlags, RenameFlags, ResolveFlags};
use rustix::io::Errno;

pub use self::attributes::{FileKind, Held, Stat};
use crate::{HostError, Mapping, Result};

/// A directory below which files are read and written; see the module text.
///
/// Cloning is cheap and shares the descriptor.
#[derive(Debug, Clone)]
pub struct Root {
    fd: Arc<OwnedFd>,
    path: PathBuf,
    links: Links,
}

/// What becomes of symbolic links among the directories of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Links {
    /// They are followed inside the root.
    Follow,
    /// They are an error.
    Refuse,
}

/// An exclusive advisory lock on a file; released on drop.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Keeps the names of temporary files apart within one process.
static TEMPORARY_SERIAL: AtomicU64 = AtomicU64::new(0);

impl Root {
    /// How the names of the files begin that [`Root::write_atomic`] writes first; a program that is killed leaves one behind.
    pub const TEMPORARY_PREFIX: &str = ".cairn-new.";

    /// Opens an existing directory of the host as a root. `path` may be relative to the working directory.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(CWD, path, flags, Mode::empty())
            .map_err(|source| HostError::io("open directory", path, source))?;
        let path =
            std::path::absolute(path).map_err(|source| HostError::io("find", path, source))?;
        Ok(Self { fd: Arc::new(fd), path, links: Links::Follow })
    }

    /// Creates a directory of the host (with its parents, mode 0755) unless it exists, and opens it as a root.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        std::fs::create_dir_all(path)
            .map_err(|source| HostError::io("create directory", path, source))?;
        Self::open(path)
    }

    /// Returns the same root for paths whose directories were resolved before: should one of them be a symbolic link after all, that is
    /// [`HostError::Interfered`], so that nobody who may write to a directory on the way leads the caller elsewhere meanwhile.
    pub fn without_links(&self) -> Self {
        Self { links: Links::Refuse, ..self.clone() }
    }

    /// Returns the absolute host path of the root directory, for messages and for binding it into a
    /// [`Sandbox`](crate::Sandbox). Never join a package's path to it in order to open a file.
    pub fn path_for_display(&self) -> &Path {
        &self.path
    }

    /// Opens a directory below this root as a root of its own: links in it then end at `rel`.
    pub fn open_root(&self, rel: impl AsRef<Path>) -> Result<Self> {
        let rel = rel.as_ref();
        let fd =
            self.resolve(rel, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty(), "open directory")?;
        Ok(Self { fd: Arc::new(fd), path: self.display(rel), links: self.links })
    }

    /// Opens a file for reading; a link is followed inside the root.
    pub fn open_read(&self, rel: impl AsRef<Path>) -> Result<File> {
        // NONBLOCK: opening a FIFO must not hang; it has no effect on regular files.
        Ok(self
            .resolve(
                rel.as_ref(),
                OFlags::RDONLY | OFlags::NOCTTY | OFlags::NONBLOCK,
                Mode::empty(),
                "open",
            )?
            .into())
    }

    /// Opens an existing file for reading and writing; a link is followed inside the root.
    pub fn open_read_write(&self, rel: impl AsRef<Path>) -> Result<File> {
        Ok(self.resolve(rel.as_ref(), OFlags::RDWR | OFlags::NOCTTY, Mode::empty(), "open")?.into())
    }

    /// Opens a file for appending and creates it with `mode` where it does not exist; a link is followed inside the root.
    pub fn open_append(&self, rel: impl AsRef<Path>, mode: u32) -> Result<File> {
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NOCTTY;
        Ok(self.resolve(rel.as_ref(), flags, Mode::from_raw_mode(mode), "open")?.into())
    }

    /// Creates a file, readable and writable through the result, with exactly `mode` (the umask does not apply). Fails if anything
    /// with that name exists.
    pub fn create_new(&self, rel: impl AsRef<Path>, mode: u32) -> Result<File> {
        let rel = rel.as_ref();
        let (parent, name) = self.parent(rel, "create")?;
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let failed = |source| HostError::io("create", self.display(rel), source);
        let wanted = Mode::from_raw_mode(mode);
        let fd = rustix::fs::openat(&parent, name, flags, wanted).map_err(failed)?;
        // Looking is cheaper than changing, and the umask seldom takes anything away.
        let given = rustix::fs::fstat(&fd).map_err(failed)?.st_mode;
        if Mode::from_raw_mode(given) != wanted {
            rustix::fs::fchmod(&fd, wanted).map_err(failed)?;
        }
        Ok(fd.into())
    }

    /// Reads a whole file; a link is followed inside the root.
    pub fn read(&self, rel: impl AsRef<Path>) -> Result<Vec<u8>> {
        let rel = rel.as_ref();
        let mut bytes = Vec::new();
        self.open_read(rel)?
            .read_to_end(&mut bytes)
            .map_err(|source| HostError::io("read", self.display(rel), source))?;
        Ok(bytes)
    }

    /// Maps a whole file for reading; a link is followed inside the root. Only for files that are replaced and never written again:
    /// see [`Mapping`].
    pub fn map(&self, rel: impl AsRef<Path>) -> Result<Mapping> {
        let rel = rel.as_ref();
        Mapping::new(&self.open_read(rel)?)
            .map_err(|source| HostError::io("map", self.display(rel), source))
    }

    /// Reads a whole file that must be UTF-8; a link is followed inside the root.
    pub fn read_to_string(&self, rel: impl AsRef<Path>) -> Result<String> {
        let rel = rel.as_ref();
        let failed = |source| HostError::io("read", self.display(rel), source);
        String::from_utf8(self.read(rel)?)
            .map_err(|cause| failed(io::Error::new(io::ErrorKind::InvalidData, cause)))
    }

    /// Replaces or creates a file so that after a crash either the old or the new content is there: temporary file beside it,
    /// fsync, rename, fsync of the directory. A link of that name is replaced, not followed.
    pub fn write_atomic(&self, rel: impl AsRef<Path>, bytes: &[u8], mode: u32) -> Result<()> {
        let rel = rel.as_ref();
        self.write_beside(rel, bytes, mode, Durability::Fsync)
    }

    /// Like [`Root::write_atomic`] without any fsync: for staging trees that are thrown away after a crash.
    pub fn write(&self, rel: impl AsRef<Path>, bytes: &[u8], mode: u32) -> Result<()> {
        self.write_beside(rel.as_ref(), bytes, mode, Durability::None)
    }

    /// Tells whether something with that name exists; a dangling link counts as existing.
    pub fn exists(&self, rel: impl AsRef<Path>) -> Result<bool> {
        Ok(self.symlink_metadata(rel)?.is_some())
    }

    /// Returns the target text of a symbolic link.
    pub fn read_link(&self, rel: impl AsRef<Path>) -> Result<PathBuf> {
        let rel = rel.as_ref();
        let (parent, name) = self.parent(rel, "read link")?;
        let target = rustix::fs::readlinkat(&parent, name, Vec::new())
            .map_err(|source| HostError::io("read link", self.display(rel), source))?;
        Ok(OsStr::from_bytes(target.as_bytes()).into())
    }

    /// Returns the names in a directory, sorted by bytes, without `.` and `..`. A link to a directory is followed inside the root.
    pub fn read_dir(&self, rel: impl AsRef<Path>) -> Result<Vec<String>> {
        let rel = rel.as_ref();
        let names = self.raw_names(rel)?;
        let to_text = |name: Vec<u8>| {
            String::from_utf8(name).map_err(|bad| HostError::NotUtf8 {
                path: self.display(rel),
                name: bad.as_bytes().escape_ascii().to_string(),
            })
        };
        names.into_iter().map(to_text).collect()
    }

    /// Creates a directory with exactly `mode`; its parent must exist.
    pub fn mkdir(&self, rel: impl AsRef<Path>, mode: u32) -> Result<()> {
        let rel = rel.as_ref();
        let (parent, name) = self.parent(rel, "create directory")?;
        let failed = |source| HostError::io("create directory", self.display(rel), source);
        rustix::fs::mkdirat(&parent, name, Mode::RWXU).map_err(failed)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let created = rustix::fs::openat(&parent, name, flags, Mode::empty()).map_err(failed)?;
        rustix::fs::fchmod(&created, Mode::from_raw_mode(mode)).map_err(failed)
    }

    /// Creates a directory and its missing parents, each with `mode`. Links to directories on the way are followed inside the root;
    /// existing directories keep their mode.
    pub fn mkdir_all(&self, rel: impl AsRef<Path>, mode: u32) -> Result<()> {
        let rel = rel.as_ref();
        if self
            .resolve(rel, OFlags::PATH | OFlags::DIRECTORY, Mode::empty(), "create directory")
            .is_ok()
        {
            return Ok(());
        }
        if let Some(parent) = relative(rel).parent().filter(|parent| !parent.as_os_str().is_empty())
        {
            self.mkdir_all(parent, mode)?;
        }
        match self.mkdir(rel, mode) {
            // Something of that name exists: fine if it is a directory by now, an error that says so if not.
            Err(error) if error.io_kind() == Some(io::ErrorKind::AlreadyExists) => self
                .resolve(rel, OFlags::PATH | OFlags::DIRECTORY, Mode::empty(), "create directory")
                .map(drop),
            result => result,
        }
    }

    /// Creates a symbolic link at `rel` whose text is `target`, taken as it is.
    pub fn symlink(&self, target: impl AsRef<Path>, rel: impl AsRef<Path>) -> Result<()> {
        let rel = rel.as_ref();
        let (parent, name) = self.parent(rel, "create link")?;
        rustix::fs::symlinkat(target.as_ref(), &parent, name)
            .map_err(|source| HostError::io("create link", self.display(rel), source))
    }

    /// Makes `new` another name of the file `existing`.
    pub fn hard_link(&self, existing: impl AsRef<Path>, new: impl AsRef<Path>) -> Result<()> {
        self.hard_link_from(self, existing, new)
    }

    /// Makes `new` another name of the file `existing` of another root.
    pub fn hard_link_from(
        &self,
        other: &Self,
        existing: impl AsRef<Path>,
        new: impl AsRef<Path>,
    ) -> Result<()> {
        let (existing, new) = (existing.as_ref(), new.as_ref());
        let (from, from_name) = other.parent(existing, "link")?;
        let (to, to_name) = self.parent(new, "link")?;
        rustix::fs::linkat(&from, from_name, &to, to_name, AtFlags::empty())
            .map_err(|source| HostError::io("create hard link", self.display(new), source))
    }

    /// Renames; an existing file at `to` is replaced.
    pub fn rename(&self, from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<()> {
        self.rename_with(from.as_ref(), to.as_ref(), RenameFlags::empty())
    }

    /// Renames; fails if `to` exists.
    pub fn rename_no_replace(&self, from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<()> {
        self.rename_with(from.as_ref(), to.as_ref(), RenameFlags::NOREPLACE)
    }

    /// Swaps two existing names atomically.
    pub fn exchange(&self, one: impl AsRef<Path>, other: impl AsRef<Path>) -> Result<()> {
        self.rename_with(one.as_ref(), other.as_ref(), RenameFlags::EXCHANGE)
    }

    /// Removes anything but a directory.
    pub fn remove_file(&self, rel: impl AsRef<Path>) -> Result<()> {
        self.unlink(rel.as_ref(), AtFlags::empty())
    }

    /// Removes an empty directory.
    pub fn remove_dir(&self, rel: impl AsRef<Path>) -> Result<()> {
        self.unlink(rel.as_ref(), AtFlags::REMOVEDIR)
    }

    /// Flushes a file's content and metadata to the disk.
    pub fn fsync(&self, rel: impl AsRef<Path>) -> Result<()> {
        let rel = rel.as_ref();
        let file = self.open_read(rel)?;
        rustix::fs::fsync(&file).map_err(|source| HostError::io("flush", self.display(rel), source))
    }

    /// Flushes a directory's entries to the disk.
    pub fn fsync_dir(&self, rel: impl AsRef<Path>) -> Result<()> {
        let rel = rel.as_ref();
        let dir =
            self.resolve(rel, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty(), "open directory")?;
        rustix::fs::fsync(&dir)
            .map_err(|source| HostError::io("flush directory", self.display(rel), source))
    }

    /// Flushes the whole file system that holds the root directory.
    pub fn syncfs(&self) -> Result<()> {
        self.syncfs_of("")
    }

    /// Flushes the whole file system that holds the directory `rel`.
    pub fn syncfs_of(&self, rel: impl AsRef<Path>) -> Result<()> {
        let rel = rel.as_ref();
        let dir =
            self.resolve(rel, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty(), "open directory")?;
        rustix::fs::syncfs(&dir)
            .map_err(|source| HostError::io("flush the file system of", self.display(rel), source))
    }

    /// Takes an exclusive lock on a file (created with mode 0644 where missing) and waits for it as long as it takes.
    pub fn lock_file(&self, rel: impl AsRef<Path>) -> Result<Lock> {
        let rel = rel.as_ref();
        let file = self.open_append(rel, 0o644)?;
        rustix::io::retry_on_intr(|| rustix::fs::flock(&file, FlockOperation::LockExclusive))
            .map_err(|source| HostError::io("lock", self.display(rel), source))?;
        Ok(Lock { _file: file })
    }

    /// Takes an exclusive lock on a file (created with mode 0644 where missing); `None` if another process or handle holds it.
    pub fn try_lock_file(&self, rel: impl AsRef<Path>) -> Result<Option<Lock>> {
        let rel = rel.as_ref();
        let file = self.open_append(rel, 0o644)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Lock { _file: file })),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(source) => Err(HostError::io("lock", self.display(rel), source)),
        }
    }

    pub(crate) fn fd(&self) -> &OwnedFd {
        &self.fd
    }

    fn display(&self, rel: &Path) -> PathBuf {
        let rel = relative(rel);
        if rel.as_os_str().is_empty() { self.path.clone() } else { self.path.join(rel) }
    }

    /// Opens `rel` inside the root; the empty path is the root itself.
    fn resolve(
        &self,
        rel: &Path,
        flags: OFlags,
        mode: Mode,
        operation: &'static str,
    ) -> Result<OwnedFd> {
        #[cfg(feature = "faults")]
        crate::fault::pass(operation, &self.display(rel))?;
        let path = relative(rel);
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let how = match self.links {
            Links::Follow => ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS,
            Links::Refuse => ResolveFlags::IN_ROOT | ResolveFlags::NO_SYMLINKS,
        };
        loop {
            match rustix::fs::openat2(&*self.fd, path, flags | OFlags::CLOEXEC, mode, how) {
                Ok(fd) => return Ok(fd),
                // EAGAIN: a rename elsewhere made the kernel unsure about a `..`; it says to try again.
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(Errno::LOOP) if self.links == Links::Refuse => {
                    return Err(HostError::Interfered { operation, path: self.display(rel) });
                }
                Err(source) => return Err(HostError::io(operation, self.display(rel), source)),
            }
        }
    }

    /// Opens the directory that holds `rel` and returns it with the last component; the root itself is (root, ".").
    fn parent<'a>(&self, rel: &'a Path, operation: &'static str) -> Result<(Parent, &'a OsStr)> {
        let path = relative(rel);
        let (dir, name) = match (path.parent(), path.file_name()) {
            (Some(dir), Some(name)) => (dir, name),
            _ if path.as_os_str().is_empty() || path == Path::new(".") => {
                (Path::new(""), OsStr::new("."))
            }
            _ => return Err(HostError::BadPath { root: self.path.clone(), path: rel.into() }),
        };
        if dir.as_os_str().is_empty() {
            // It is open already.
            return Ok((Parent::Root(Arc::clone(&self.fd)), name));
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        Ok((Parent::Below(self.resolve(dir, flags, Mode::empty(), operation)?), name))
    }

    fn rename_with(&self, from: &Path, to: &Path, flags: RenameFlags) -> Result<()> {
        let (from_dir, from_name) = self.parent(from, "rename")?;
        let (to_dir, to_name) = self.parent(to, "rename")?;
        let result = if flags.is_empty() {
            rustix::fs::renameat(&from_dir, from_name, &to_dir, to_name)
        } else {
            rustix::fs::renameat_with(&from_dir, from_name, &to_dir, to_name, flags)
        };
        result.map_err(|source| HostError::io("rename to", self.display(to), source))
    }

    fn unlink(&self, rel: &Path, flags: AtFlags) -> Result<()> {
        let (parent, name) = self.parent(rel, "remove")?;
        rustix::fs::unlinkat(&parent, name, flags)
            .map_err(|source| HostError::io("remove", self.display(rel), source))
    }

    fn write_beside(
        &self,
        rel: &Path,
        bytes: &[u8],
        mode: u32,
        durability: Durability,
    ) -> Result<()> {
        let (parent, name) = self.parent(rel, "write")?;
        let failed = |source: io::Error| HostError::io("write", self.display(rel), source);
        let serial = TEMPORARY_SERIAL.fetch_add(1, Ordering::Relaxed);
        let temporary = format!("{}{}.{serial}", Self::TEMPORARY_PREFIX, std::process::id());
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&parent, temporary.as_str(), flags, Mode::RUSR | Mode::WUSR)
            .map_err(|source| failed(source.into()))?;
        let mut file = File::from(fd);
        let filled = (|| {
            file.write_all(bytes)?;
            rustix::fs::fchmod(&file, Mode::from_raw_mode(mode))?;
            if durability == Durability::Fsync {
                file.sync_all()?;
            }
            Ok(rustix::fs::renameat(&parent, temporary.as_str(), &parent, name)?)
        })();
        if let Err(source) = filled {
            // The first error is the one to report; a left-over temporary file does no harm.
            let _ = rustix::fs::unlinkat(&parent, temporary.as_str(), AtFlags::empty());
            return Err(failed(source));
        }
        match durability {
            Durability::None => Ok(()),
            Durability::Fsync => self.fsync_dir(relative(rel).parent().unwrap_or(Path::new(""))),
        }
    }
}

/// The directory that holds something.
enum Parent {
    Root(Arc<OwnedFd>),
    Below(OwnedFd),
}

impl AsFd for Parent {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Root(fd) => fd.as_fd(),
            Self::Below(fd) => fd.as_fd(),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Durability {
    Fsync,
    None,
}

/// Strips leading slashes: `/usr/bin` in a root is `usr/bin` below it.
fn relative(rel: &Path) -> &Path {
    let bytes = rel.as_os_str().as_bytes();
    let start = bytes.iter().position(|byte| *byte != b'/').unwrap_or(bytes.len());
    Path::new(OsStr::from_bytes(&bytes[start..]))
}
