// SPDX-License-Identifier: MIT OR Apache-2.0
//! The system that is worked on: where its files are and what it says about itself.

use std::path::{Path, PathBuf};

use cairn_host::{Lock, Root};
use cairn_image::boot::BootFiles;

use crate::arguments::Arguments;
use crate::failure::Failure;

/// A system, running or in a directory.
#[derive(Debug)]
pub struct System {
    /// Its root directory.
    pub root: Root,
    /// Its EFI system partition.
    pub esp: Root,
    /// Its boot entries.
    pub boot: BootFiles,
    runs: bool,
    _lock: Option<Lock>,
}

const LOCK: &str = "run/cairn-boot.lock";

impl System {
    /// Opens the system the command line names and locks it against a second `cairn-boot`.
    pub fn open(arguments: &Arguments) -> Result<Self, Failure> {
        let root = Root::open(&arguments.root)?;
        let runs = arguments.root == Path::new("/");
        let boot = root.open_root("boot")?;
        let esp = match &arguments.esp {
            Some(path) => Root::open(path)?,
            None if root.metadata("boot/efi")?.is_none() => {
                let hint =
                    "mount the EFI system partition there, or name its directory with `--esp`";
                return Err(Failure::new("`/boot/efi` does not exist", hint));
            }
            None => root.open_root("boot/efi")?,
        };
        if runs && arguments.esp.is_none() && esp.device("")? == boot.device("")? {
            let hint = "mount the EFI system partition there, or name its directory with `--esp`";
            return Err(Failure::new("`/boot/efi` is not mounted", hint));
        }
        let lock = if root.exists("run")? { Some(root.lock_file(LOCK)?) } else { None };
        Ok(Self { boot: BootFiles::new(boot, esp.clone()), root, esp, runs, _lock: lock })
    }

    /// Returns the version of the running kernel; `None` for a system in a directory.
    pub fn running_version(&self) -> Result<Option<String>, Failure> {
        if !self.runs {
            return Ok(None);
        }
        Ok(Some(self.root.read_to_string("proc/sys/kernel/osrelease")?.trim().to_owned()))
    }

    /// Returns the `NAME` in os-release.
    pub fn title(&self) -> Result<String, Failure> {
        for path in ["etc/os-release", "usr/lib/os-release"] {
            if self.root.metadata(path)?.is_none() {
                continue;
            }
            let text = self.root.read_to_string(path)?;
            if let Some(value) = text.lines().find_map(|line| line.strip_prefix("NAME=")) {
                return Ok(value.trim().trim_matches(['"', '\'']).to_owned());
            }
        }
        Ok("Linux".to_owned())
    }

    /// Returns the kernel command line for new entries: `/etc/kernel/cmdline`, `/usr/lib/kernel/cmdline`, or what the
    /// running kernel was started with.
    pub fn kernel_options(&self) -> Result<String, Failure> {
        for path in ["etc/kernel/cmdline", "usr/lib/kernel/cmdline"] {
            if self.root.metadata(path)?.is_some() {
                return Ok(options_of_file(&self.root.read_to_string(path)?));
            }
        }
        if !self.runs {
            let hint = "write the kernel command line (`root=UUID=… ro`) to that file, or give it with `--options`";
            return Err(Failure::new("`/etc/kernel/cmdline` does not exist", hint));
        }
        Ok(options_of_running(&self.root.read_to_string("proc/cmdline")?))
    }

    /// Returns where a file named on the command line is below the root.
    pub fn path(&self, path: &Path) -> PathBuf {
        if self.runs {
            std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
        } else {
            path.to_owned()
        }
    }
}

/// Joins the lines of a `cmdline` file, without comments.
fn options_of_file(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

/// Drops what the boot loader added.
fn options_of_running(text: &str) -> String {
    let added = |word: &&str| !word.starts_with("BOOT_IMAGE=") && !word.starts_with("initrd=");
    text.split_whitespace().filter(added).collect::<Vec<_>>().join(" ")
}
