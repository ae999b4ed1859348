// SPDX-License-Identifier: MIT OR Apache-2.0
//! The install medium: its description, its repository and the files for starting from BIOS.

use std::io::{Read as _, Seek as _, SeekFrom};

use cairn_host::Root;

use crate::error::InstallError;
use crate::probe::MEDIUM;
use crate::software::{self, Software};

/// The key of the repository, in the live system as in installed ones.
pub const KEY: &str = "etc/pki/rpm-gpg/RPM-GPG-KEY-cairn";
/// GRUB for BIOS on the medium: `boot.img` and `core.img`.
pub const BIOS: &str = "cairn/bios";

/// An opened medium.
#[derive(Debug, Clone)]
pub struct Medium {
    /// Its files.
    pub root: Root,
    /// Its description.
    pub software: Software,
    /// The armored key its packages are signed with. It comes from the live system, not from the repository.
    pub key: String,
}

impl Medium {
    /// Opens the medium that the live system was started from.
    ///
    /// # Errors
    /// It is not there or not a medium of ours.
    pub fn open() -> Result<Self, InstallError> {
        let live = Root::open("/")?;
        if !live.exists(format!("{}/{}", &MEDIUM[1..], software::PATH))? {
            return Err(InstallError::Medium(format!("there is none at {MEDIUM}")));
        }
        let root = Root::open(MEDIUM)?;
        let software = Software::parse(&root.read(software::PATH)?)
            .map_err(|reason| InstallError::Medium(format!("/{}: {reason}", software::PATH)))?;
        Ok(Self { root, software, key: live.read_to_string(KEY)? })
    }

    /// Tells whether the medium was taken out, or its drive. What the kernel remembers of it proves nothing, so its device is read.
    pub fn is_gone(&self) -> bool {
        let readable = || -> Option<()> {
            let mounts = Root::open("/").ok()?.read_to_string("proc/self/mountinfo").ok()?;
            let device = mounts.lines().rev().find_map(|line| source_of(line, MEDIUM))?;
            let mut device =
                Root::open("/").ok()?.open_read(device.trim_start_matches('/')).ok()?;
            let size = device.seek(SeekFrom::End(0)).ok()?;
            // The middle holds packages or the live system; the file system's own blocks are remembered for the whole device.
            device.seek(SeekFrom::Start(size / 2)).ok()?;
            device.read_exact(&mut [0; 512]).ok()
        };
        readable().is_none()
    }
}

/// Returns the device that a line of mountinfo (proc_pid_mountinfo(5)) mounts at `place`.
fn source_of<'a>(line: &'a str, place: &str) -> Option<&'a str> {
    let (before, after) = line.split_once(" - ")?;
    (before.split(' ').nth(4)? == place).then(|| after.split(' ').nth(1))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_device_of_a_mount_is_found() {
        let line =
            "36 35 11:0 / /run/cairn/medium ro,relatime shared:1 - iso9660 /dev/sr0 ro,nojoliet";
        assert_eq!(source_of(line, MEDIUM), Some("/dev/sr0"));
        assert_eq!(source_of(line, "/run/cairn"), None);
        assert_eq!(source_of("nonsense", MEDIUM), None);
    }
}
