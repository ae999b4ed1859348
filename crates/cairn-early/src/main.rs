// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cairn-early`: the first process of the initramfs.
//!
//! In a virtual machine whose root is a plain partition with ext4 or xfs it finds, checks and mounts that and starts the system: all
//! that nearly every cloud image needs, in a small part of the time that an initramfs with a service manager takes. In every other
//! case, and whenever anything is not as expected, it becomes the systemd of the initramfs, which knows everything else: LVM, RAID,
//! LUKS, passphrases, devices that come late, questions to a person. Until the root is entered nothing is done that systemd would mind.

mod cmdline;
mod devices;
mod modules;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use cairn_host::{Invocation, Root, Tool, early};
use cmdline::{Decision, PlainRoot};
use devices::Search;
use modules::Modules;

/// The service manager of the initramfs, for everything else.
const SYSTEMD: &str = "/usr/lib/systemd/systemd";
/// Where the root file system is mounted before it is entered.
const SYSROOT: &str = "/sysroot";
/// What is started in it.
const INIT: &str = "/sbin/init";
/// The kernel gives its first process no search path.
const SEARCH_PATH: &str = "/usr/sbin:/usr/bin";
/// How long a disk may take to appear before systemd waits for it.
const PATIENCE: Duration = Duration::from_secs(3);

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let (program, reason) = match enter_root() {
        Ok(()) => (INIT, None),
        Err(reason) => (SYSTEMD, Some(reason)),
    };
    if let Some(reason) = reason {
        // Without a log there is nobody to tell.
        let _ = early::log(&format!("cairn-early: systemd finds the root: {reason:#}"));
    }
    let error = early::become_program(Path::new(program), &arguments);
    let _ = early::log(&format!("cairn-early: {error}"));
    ExitCode::FAILURE
}

/// Finds, checks, mounts and enters the root file system. An error is the reason why systemd has to.
fn enter_root() -> Result<()> {
    early::mount_api_file_systems()?;
    let root = Root::open("/")?;
    if !is_virtual_machine(&root)? {
        bail!("this is not a virtual machine");
    }
    let plain = match cmdline::decide(&root.read_to_string("proc/cmdline")?) {
        Decision::Plain(plain) => plain,
        Decision::Systemd(reason) => bail!("{reason}"),
    };
    let found = find(&root, &plain)?;
    check(&found)?;
    root.mkdir_all("sysroot", 0o755)?;
    let place = Path::new(SYSROOT);
    early::mount_device(Path::new(&found.node), place, &found.kind, plain.is_read_only)?;
    if let Err(reason) = expect_plain_system(place) {
        early::unmount_at(place)?;
        return Err(reason);
    }
    early::switch_root(place)?;
    Ok(())
}

/// Tells whether a hypervisor says that it is there (CPUID leaf 1, ECX bit 31, which Linux lists as a flag).
fn is_virtual_machine(root: &Root) -> Result<bool> {
    let info = root.read_to_string("proc/cpuinfo")?;
    let flags = info.lines().find(|line| line.starts_with("flags")).unwrap_or_default();
    Ok(flags.split_whitespace().any(|flag| flag == "hypervisor"))
}

/// Loads the drivers of disks and waits until the root is among them.
fn find(root: &Root, plain: &PlainRoot) -> Result<devices::Device> {
    let events = early::DeviceEvents::listen()?;
    let begin = Instant::now();
    let mut modules = Modules::default();
    loop {
        while modules.load_new(root)? {}
        let listed = program(Tool::Blkid)
            .args(["-c", "/dev/null", "-o", "export"])
            .run_unchecked()
            .context("looking for file systems")?;
        match devices::search(&listed.stdout_text(), plain) {
            Search::Found(device) => return Ok(device),
            Search::Elsewhere(reason) => bail!("{reason}"),
            Search::NotYet => {}
        }
        let left = PATIENCE.saturating_sub(begin.elapsed());
        if left.is_zero() || !events.wait(left)? {
            bail!("no disk has {plain}");
        }
    }
}

/// Checks the file system as systemd-fsck(8) would; only what is then good is mounted.
fn check(device: &devices::Device) -> Result<()> {
    if device.kind != "ext4" {
        return Ok(());
    }
    let output = program(Tool::E2fsck).args(["-p", &device.node]).run_unchecked()?;
    // Bit 0: errors corrected.
    match output.status {
        0 => Ok(()),
        1 => {
            early::log(&format!("cairn-early: {}", output.stdout_text().trim()))?;
            Ok(())
        }
        status => bail!("e2fsck of {} ended with status {status}", device.node),
    }
}

/// Makes sure that the tree needs nothing else mounted before it starts.
fn expect_plain_system(place: &Path) -> Result<()> {
    let tree = Root::open(place)?;
    for path in ["etc/os-release", "sbin/init", "proc", "sys", "dev", "run"] {
        if !tree.exists(path)? {
            bail!("the root has no /{path}");
        }
    }
    let fstab = tree.read_to_string("etc/fstab")?;
    if let Some(line) = cmdline::early_mount(&fstab) {
        bail!("/etc/fstab of the root wants before anything starts: {line}");
    }
    Ok(())
}

fn program(tool: Tool) -> Invocation {
    Invocation::new(tool).env("PATH", SEARCH_PATH)
}
