// SPDX-License-Identifier: MIT OR Apache-2.0
//! The one place with `unsafe` code: steps that a child process takes between fork and exec, or a thread of its own, and mapped files.
//!
//! After fork in a program with threads only async-signal-safe code may run, so every string is made before, and the child makes
//! raw system calls only (rustix's linux-raw backend), without allocating. The number of the step that failed goes to the parent
//! through a pipe, because std passes on nothing but the error number.
#![expect(unsafe_code, reason = "CommandExt::pre_exec and mmap are unsafe")]

use std::ffi::CString;
use std::io::{self, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::Arc;

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, StatVfsMountFlags};
use rustix::io::Errno;
use rustix::mount::{
    MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags,
};
use rustix::process::Signal;
use rustix::thread::UnshareFlags;

/// One thing a child does before it becomes the program. Paths are relative to the working directory of that moment.
pub(crate) enum Step {
    /// Leave the namespaces of the parent.
    Unshare(UnshareFlags),
    /// Write into an existing file, in one write.
    WriteFile(CString, Vec<u8>),
    /// Keep mounts below `/` from spreading in either direction.
    MakePrivate,
    /// Take a detached copy of a mounted directory or file, into slot N.
    CloneMount(usize, CString),
    /// Mount a tmpfs (target, options).
    MountTmpfs(CString, CString),
    /// Create a directory (it may exist).
    MakeDir(CString, u32),
    /// Create an empty file.
    MakeFile(CString),
    /// Create a symbolic link (text, path).
    MakeLink(CString, CString),
    /// Attach the copy in slot N to a path.
    Attach(usize, CString),
    /// Attach the copy in slot N to a path if that exists and is no link.
    AttachIfPresent(usize, CString),
    /// Make an attached mount read-only.
    MakeReadOnly(CString),
    /// Change the working directory.
    ChangeDir(CString),
    /// Change the working directory to an open one.
    ChangeDirTo(Arc<OwnedFd>),
    /// Make the working directory, a mount point, the root and detach the old root.
    PivotHere,
    /// Make the working directory the root.
    ChrootHere,
    /// Have the kernel kill this process when the thread that started it ends.
    DieWithParent,
    /// Set the file mode creation mask.
    Umask(u32),
}

impl Step {
    /// Returns words for an error message.
    pub(crate) fn describe(&self) -> String {
        let text = |path: &CString| path.to_string_lossy().into_owned();
        let inside = |path: &CString| format!("/{}", text(path).trim_start_matches('/'));
        match self {
            Self::Unshare(_) => "unshare".to_owned(),
            Self::WriteFile(path, _) => format!("write {}", text(path)),
            Self::MakePrivate => "make mounts private".to_owned(),
            Self::CloneMount(_, path) => format!("take {}", text(path)),
            Self::MountTmpfs(path, _) => format!("mount tmpfs on {}", text(path)),
            Self::MakeDir(path, _) | Self::MakeFile(path) | Self::MakeLink(_, path) => {
                format!("create {}", inside(path))
            }
            Self::Attach(_, path) | Self::AttachIfPresent(_, path) => {
                format!("mount {}", inside(path))
            }
            Self::MakeReadOnly(path) => format!("make {} read-only", inside(path)),
            Self::ChangeDir(path) => format!("change to directory {}", text(path)),
            Self::ChangeDirTo(_) => "change to the root".to_owned(),
            Self::PivotHere => "pivot_root".to_owned(),
            Self::ChrootHere => "chroot".to_owned(),
            Self::DieWithParent => "set the death signal".to_owned(),
            Self::Umask(_) => "set the umask".to_owned(),
        }
    }

    /// Tells whether a refusal here means that namespaces are forbidden.
    pub(crate) fn needs_namespaces(&self) -> bool {
        match self {
            Self::Unshare(_) | Self::MakePrivate => true,
            Self::WriteFile(path, _) => path.as_bytes().starts_with(b"/proc/self/"),
            _ => false,
        }
    }

    fn take(&self, slots: &mut [Option<OwnedFd>]) -> Result<(), Errno> {
        match self {
            Self::Unshare(flags) => unshare(*flags),
            Self::WriteFile(path, bytes) => {
                let fd = rustix::fs::openat(
                    CWD,
                    path.as_c_str(),
                    OFlags::WRONLY | OFlags::CLOEXEC,
                    Mode::empty(),
                )?;
                rustix::io::write(&fd, bytes).map(drop)
            }
            Self::MakePrivate => rustix::mount::mount_change(
                c"/",
                MountPropagationFlags::PRIVATE | MountPropagationFlags::REC,
            ),
            Self::CloneMount(slot, path) => {
                // AT_RECURSIVE also because a user namespace may not take a mount without the ones inherited below it.
                let flags = OpenTreeFlags::OPEN_TREE_CLONE
                    | OpenTreeFlags::OPEN_TREE_CLOEXEC
                    | OpenTreeFlags::AT_RECURSIVE;
                slots[*slot] = Some(rustix::mount::open_tree(CWD, path.as_c_str(), flags)?);
                Ok(())
            }
            Self::MountTmpfs(path, options) => {
                let flags = MountFlags::NOSUID | MountFlags::NODEV;
                rustix::mount::mount(c"tmpfs", path.as_c_str(), c"tmpfs", flags, options.as_c_str())
            }
            Self::MakeDir(path, mode) => {
                match rustix::fs::mkdirat(CWD, path.as_c_str(), Mode::from_raw_mode(*mode)) {
                    Err(Errno::EXIST) => Ok(()),
                    result => result,
                }
            }
            // mknod and not open(O_CREAT): on a read-only file system an existing file is EEXIST here, but EROFS there.
            Self::MakeFile(path) => {
                match rustix::fs::mknodat(
                    CWD,
                    path.as_c_str(),
                    FileType::RegularFile,
                    Mode::from_raw_mode(0o644),
                    0,
                ) {
                    Err(Errno::EXIST) => Ok(()),
                    result => result,
                }
            }
            Self::MakeLink(target, path) => {
                rustix::fs::symlinkat(target.as_c_str(), CWD, path.as_c_str())
            }
            Self::Attach(slot, path) => attach(slots, *slot, path),
            Self::AttachIfPresent(slot, path) => {
                match rustix::fs::statat(CWD, path.as_c_str(), AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(stat) if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink => {
                        attach(slots, *slot, path)
                    }
                    Ok(_) | Err(Errno::NOENT | Errno::NOTDIR) => Ok(()),
                    Err(error) => Err(error),
                }
            }
            Self::MakeReadOnly(path) => make_read_only(path),
            Self::ChangeDir(path) => rustix::process::chdir(path.as_c_str()),
            Self::ChangeDirTo(dir) => rustix::process::fchdir(dir),
            Self::PivotHere => {
                rustix::process::pivot_root(c".", c".")?;
                rustix::mount::unmount(c".", UnmountFlags::DETACH)?;
                rustix::process::chdir(c"/")
            }
            Self::ChrootHere => rustix::process::chroot(c"."),
            Self::DieWithParent => {
                rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
            }
            Self::Umask(mask) => {
                rustix::process::umask(Mode::from_raw_mode(*mask));
                Ok(())
            }
        }
    }
}

/// The parent's view of the steps of one child.
pub(crate) struct Report {
    steps: Arc<Vec<Step>>,
    pipe: std::fs::File,
}

impl Report {
    /// Returns the step at which the child stopped, `None` if it took all of them. Call it after `spawn` has returned an error.
    pub(crate) fn failed_step(&mut self) -> Option<&Step> {
        let mut number = [0u8; 4];
        // The pipe does not block: no number means that no step failed.
        self.pipe.read_exact(&mut number).ok()?;
        self.steps.get(u32::from_le_bytes(number) as usize)
    }
}

/// Places for what the steps keep from one to the next.
pub(crate) fn slots(steps: &[Step]) -> Vec<Option<OwnedFd>> {
    let slot_of = |step: &Step| if let Step::CloneMount(slot, _) = step { slot + 1 } else { 0 };
    let count = steps.iter().map(slot_of).max().unwrap_or(0);
    std::iter::repeat_with(|| None).take(count).collect()
}

/// Takes the steps in this process or thread. Returns the number of the one that failed. Allocates nothing.
pub(crate) fn take_steps(
    steps: &[Step],
    slots: &mut [Option<OwnedFd>],
) -> Result<(), (usize, Errno)> {
    let mut steps = steps.iter().enumerate();
    steps.try_for_each(|(number, step)| step.take(slots).map_err(|error| (number, error)))
}

/// Makes `command` take `steps` in its child process, in order, before the program starts.
pub(crate) fn prepare(command: &mut Command, steps: Vec<Step>) -> io::Result<Report> {
    prepare_with(command, steps, None)
}

/// What a child does instead of becoming a program; returns its exit status.
pub(crate) type Work = Box<dyn FnMut() -> i32 + Send + Sync>;

/// As [`prepare`], but the child does `work` and ends, at the latest after so many seconds.
///
/// The child of a process with threads is a copy with one thread and with every lock as it was. What `work` may rely on, and what it must
/// not do:
/// - allocating is fine: glibc puts its allocator and its stdio streams in order in the child;
/// - std's lock of the environment is at most held for reading, by the forking thread itself, since nothing here sets variables;
/// - locks of this program's other threads (printer, progress) may be held for ever: `work` must not write through them, but to the
///   descriptors 1 and 2; and it shares no lock with those threads (that of the collected output belongs to the parent alone);
/// - a panic would write through such a lock: should it wait for ever, or `work` itself, the alarm ends the child, and with it the
///   parent's wait.
pub(crate) fn prepare_work(
    command: &mut Command,
    steps: Vec<Step>,
    work: (Work, u32),
) -> io::Result<Report> {
    prepare_with(command, steps, Some(work))
}

fn prepare_with(
    command: &mut Command,
    steps: Vec<Step>,
    mut work: Option<(Work, u32)>,
) -> io::Result<Report> {
    let (reader, writer) = rustix::pipe::pipe_with(
        rustix::pipe::PipeFlags::CLOEXEC | rustix::pipe::PipeFlags::NONBLOCK,
    )?;
    let steps = Arc::new(steps);
    let mut slots = slots(&steps);
    let child_steps = Arc::clone(&steps);
    let take_all = move || {
        if let Err((number, error)) = take_steps(&child_steps, &mut slots) {
            // If even this write fails there is nothing more the child could do.
            let _ = rustix::io::write(&writer, &(number as u32).to_le_bytes());
            return Err(error.into());
        }
        if let Some((work, seconds)) = &mut work {
            // SAFETY: alarm has no precondition; its signal ends this child only.
            unsafe { libc::alarm(*seconds) };
            let status = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            end(status.unwrap_or(101));
        }
        Ok(())
    };
    // SAFETY: without `work` the closure runs after fork. It reads memory that was allocated before, makes raw system calls and allocates nothing:
    // all paths are CStrings, the slots have their final length, and io::Error from an errno holds no heap data. For `work` see
    // prepare_work; it ends the child without returning.
    unsafe { command.pre_exec(take_all) };
    Ok(Report { steps, pipe: reader.into() })
}

/// Makes a copy of this process; returns its number, 0 in the copy. For the child of [`prepare_work`], which has one thread.
pub(crate) fn fork() -> io::Result<i32> {
    // SAFETY: the only thread is the one that is copied, so that no lock stays held in the copy.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        pid => Ok(pid),
    }
}

/// Makes the descriptor `fd` a copy of `file`.
pub(crate) fn replace_descriptor(file: &std::fs::File, fd: i32) -> io::Result<()> {
    use std::os::fd::AsRawFd as _;
    // SAFETY: `file` is open; nothing of this program owns `fd`, which is one of the standard ones or a script's.
    match unsafe { libc::dup2(file.as_raw_fd(), fd) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Ends the process at once: what the parent had registered to happen at its own end must not happen here.
fn end(status: i32) -> ! {
    // SAFETY: _exit has no precondition.
    unsafe { libc::_exit(status) }
}

fn unshare(flags: UnshareFlags) -> Result<(), Errno> {
    // SAFETY: no caller unshares the table of descriptors (CLONE_FILES), which is what makes this unsafe; everything else concerns
    // the calling thread alone, or the single-threaded child between fork and exec.
    unsafe { rustix::thread::unshare_unsafe(flags) }
}

fn attach(slots: &[Option<OwnedFd>], slot: usize, path: &CString) -> Result<(), Errno> {
    let Some(tree) = &slots[slot] else { return Err(Errno::BADF) };
    rustix::mount::move_mount(
        tree,
        c"",
        CWD,
        path.as_c_str(),
        MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH,
    )
}

/// A user namespace may not clear the flags that the mount had outside, so they are all given again.
fn make_read_only(path: &CString) -> Result<(), Errno> {
    let present = rustix::fs::statvfs(path.as_c_str())?.f_flag;
    let kept = [
        (StatVfsMountFlags::NOSUID, MountFlags::NOSUID),
        (StatVfsMountFlags::NODEV, MountFlags::NODEV),
        (StatVfsMountFlags::NOEXEC, MountFlags::NOEXEC),
        (StatVfsMountFlags::NOATIME, MountFlags::NOATIME),
        (StatVfsMountFlags::NODIRATIME, MountFlags::NODIRATIME),
        (StatVfsMountFlags::RELATIME, MountFlags::RELATIME),
    ];
    let mut flags = MountFlags::BIND | MountFlags::RDONLY;
    for (have, keep) in kept {
        if present.contains(have) {
            flags |= keep;
        }
    }
    rustix::mount::mount_remount(path.as_c_str(), flags, c"")
}

/// A file's content, mapped for reading. It changes when someone writes into the file, so map only files that are replaced and never
/// written again.
#[derive(Debug)]
pub struct Mapping {
    start: std::ptr::NonNull<u8>,
    length: usize,
}

// SAFETY: the memory is only read, and belongs to the mapping until it is dropped.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps the whole file.
    pub(crate) fn new(file: &std::fs::File) -> io::Result<Self> {
        let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        if length == 0 {
            return Ok(Self { start: std::ptr::NonNull::dangling(), length });
        }
        let (protection, flags) = (rustix::mm::ProtFlags::READ, rustix::mm::MapFlags::SHARED);
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory of ours.
        let start =
            unsafe { rustix::mm::mmap(std::ptr::null_mut(), length, protection, flags, file, 0)? };
        let start = std::ptr::NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start, length })
    }

    /// Gives back the memory of the pages that were read; they are brought in again when they are read again.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn release(&self) -> io::Result<()> {
        if self.length == 0 {
            return Ok(());
        }
        let advice = rustix::mm::Advice::LinuxDontNeed;
        // SAFETY: the range is the mapping, which is shared and only read: dropping its pages changes no content.
        let advised =
            unsafe { rustix::mm::madvise(self.start.as_ptr().cast(), self.length, advice) };
        advised.map_err(io::Error::from)
    }
}

impl std::ops::Deref for Mapping {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the kernel mapped so many readable bytes there, or the length is 0 and the pointer is not null.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if self.length > 0 {
            // SAFETY: it was mapped by `new`, and no reference into it outlives this value.
            let unmapped = unsafe { rustix::mm::munmap(self.start.as_ptr().cast(), self.length) };
            debug_assert!(unmapped.is_ok(), "a mapping can be given back");
        }
    }
}
