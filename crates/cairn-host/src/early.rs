// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the first process of an initramfs does to the machine: API file systems, device events, mounting the root file system and
//! moving into it.

use std::ffi::{CString, OsString};
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_move, unmount};
use rustix::net::netlink::{self, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recv, socket_with};

use crate::{HostError, Result};

/// What every process expects, in the order of mounting: place, type, flags, options (systemd's `mount-setup.c` has the same).
const API: [(&str, &str, MountFlags, &str); 4] = [
    ("/proc", "proc", PLAIN.union(MountFlags::NOEXEC), ""),
    ("/sys", "sysfs", PLAIN.union(MountFlags::NOEXEC), ""),
    ("/dev", "devtmpfs", MountFlags::NOSUID, "mode=0755"),
    ("/run", "tmpfs", PLAIN, "mode=0755"),
];
const PLAIN: MountFlags = MountFlags::NOSUID.union(MountFlags::NODEV);

/// Mounts `/proc`, `/sys`, `/dev` and `/run`. A kernel that did so itself is no error.
pub fn mount_api_file_systems() -> Result<()> {
    for (place, kind, flags, options) in API {
        match mount_at(kind, Path::new(place), kind, flags, options) {
            Err(HostError::Io { source, .. }) if source.kind() == io::ErrorKind::ResourceBusy => {}
            result => result?,
        }
    }
    Ok(())
}

/// Mounts the file system of a block device.
pub fn mount_device(device: &Path, place: &Path, kind: &str, is_read_only: bool) -> Result<()> {
    let flags = if is_read_only { MountFlags::RDONLY } else { MountFlags::empty() };
    mount_at(&device.to_string_lossy(), place, kind, flags, "")
}

/// Unmounts a file system.
pub fn unmount_at(place: &Path) -> Result<()> {
    unmount(place, UnmountFlags::empty()).map_err(failed("unmount", place))
}

fn mount_at(
    source: &str,
    place: &Path,
    kind: &str,
    flags: MountFlags,
    options: &str,
) -> Result<()> {
    let options = CString::new(options).unwrap_or_default();
    mount(source, place, kind, flags, options.as_c_str()).map_err(failed("mount", place))
}

/// The kernel's messages about devices that come and go (netlink(7), `NETLINK_KOBJECT_UEVENT`).
#[derive(Debug)]
pub struct DeviceEvents(OwnedFd);

impl DeviceEvents {
    /// Starts to listen: what happens from now on is not missed.
    pub fn listen() -> Result<Self> {
        let place = Path::new("the kernel's device events");
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(
            AddressFamily::NETLINK,
            SocketType::DGRAM,
            flags,
            Some(netlink::KOBJECT_UEVENT),
        )
        .map_err(failed("listen to", place))?;
        // Group 1: the kernel's own messages; 2 would be udev's.
        bind(&socket, &SocketAddrNetlink::new(0, 1)).map_err(failed("listen to", place))?;
        Ok(Self(socket))
    }

    /// Waits for at least one message and takes all that are there; false if none came in time.
    pub fn wait(&self, limit: Duration) -> Result<bool> {
        let place = Path::new("the kernel's device events");
        let limit = Timespec {
            tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(limit.subsec_nanos()),
        };
        let mut polled = [PollFd::new(&self.0, PollFlags::IN)];
        let n_ready = poll(&mut polled, Some(&limit)).map_err(failed("wait for", place))?;
        let mut message = [0_u8; 8192];
        // Lost messages (ENOBUFS) are events too: whoever waits looks again at everything.
        while recv(&self.0, &mut message[..], RecvFlags::empty()).is_ok() {}
        Ok(n_ready > 0)
    }
}

/// Writes a line to the kernel's log.
pub fn log(line: &str) -> Result<()> {
    let path = Path::new("/dev/kmsg");
    let open = std::fs::OpenOptions::new().write(true).open(path);
    open.and_then(|mut file| file.write_all(line.as_bytes())).map_err(io_failed("write to", path))
}

/// Makes the file system at `place` the root of this process: the API file systems move along, the memory of the initramfs is freed.
/// Works like switch_root(8).
pub fn switch_root(place: &Path) -> Result<()> {
    for (api, ..) in API.iter().rev() {
        let target = place.join(api.trim_start_matches('/'));
        mount_move(*api, &target).map_err(failed("move a mount to", &target))?;
    }
    std::env::set_current_dir(place).map_err(io_failed("enter", place))?;
    let initramfs = Path::new("/");
    let device = std::fs::metadata(initramfs).map_err(io_failed("look at", initramfs))?.dev();
    remove_below(initramfs, device);
    mount_move(".", "/").map_err(failed("move to the root", place))?;
    rustix::process::chroot(".").map_err(failed("make the root", place))?;
    std::env::set_current_dir("/").map_err(io_failed("enter", place))
}

/// Removes files on one device. What cannot be removed costs memory only, so nothing is reported.
fn remove_below(directory: &Path, device: u64) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let Ok(metadata) = std::fs::symlink_metadata(&path) else { continue };
        if metadata.dev() != device {
            continue;
        }
        if metadata.is_dir() {
            remove_below(&path, device);
            let _ = std::fs::remove_dir(&path);
        } else {
            let _ = std::fs::remove_file(&path);
        }
    }
}

/// Becomes another program, with the process id and environment of this one; returns only if that fails.
pub fn become_program(program: &Path, arguments: &[OsString]) -> HostError {
    let error = std::process::Command::new(program).args(arguments).exec();
    HostError::Io { operation: "start", path: program.to_owned(), source: error }
}

fn failed(operation: &'static str, path: &Path) -> impl FnOnce(rustix::io::Errno) -> HostError {
    let convert = io_failed(operation, path);
    move |errno| convert(errno.into())
}

fn io_failed(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> HostError {
    let path = path.to_owned();
    move |source| HostError::Io { operation, path, source }
}
