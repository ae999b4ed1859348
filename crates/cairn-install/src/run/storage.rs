// SPDX-License-Identifier: MIT OR Apache-2.0
//! Disks: taken down, partitioned, formatted, mounted.

use cairn_host::{Input, Invocation, Root, Tool};

use super::{TARGET, call, stub, write_disk};
use crate::error::InstallError;
use crate::plan::{BOOT, ESP, Plan};

/// Takes everything on the disk out of use and removes all signatures, the innermost first.
pub(super) fn tear_down(plan: &Plan) -> Result<(), InstallError> {
    for group in &plan.target.volume_groups {
        call(Tool::Lvm, &["vgchange", "--activate", "n", group])?;
        call(Tool::Lvm, &["vgremove", "--force", "--force", "--yes", group])?;
    }
    for array in &plan.target.arrays {
        call(Tool::Mdadm, &["--stop", array])?;
    }
    let disk = &plan.target.path;
    let nodes = call(Tool::Lsblk, &["--noheadings", "--raw", "--output", "PATH,TYPE", disk])?;
    let parts = nodes.lines().filter_map(|line| line.strip_suffix(" part"));
    for node in parts.chain([disk.as_str()]) {
        call(Tool::Wipefs, &["--all", "--force", node])?;
    }
    settle()
}

/// Writes the partition table.
pub(super) fn partition(plan: &Plan) -> Result<(), InstallError> {
    let mut script = format!("label: gpt\nlabel-id: {}\n", plan.table.guid);
    for part in &plan.table.partitions {
        script += &format!(
            "start={}MiB, size={}MiB, type={}, uuid={}, name=\"{}\"\n",
            part.start_mib, part.size_mib, part.kind, part.guid, part.name
        );
    }
    Invocation::new(Tool::Sfdisk)
        .args(["--quiet", "--wipe", "always", "--wipe-partitions", "always", &plan.target.path])
        .stdin(Input::Bytes(script.into_bytes()))
        .run()?;
    if plan.target.sector == 512 {
        write_disk(&plan.target.path, &[(0, &stub::boot_code())])?;
    }
    settle()
}

/// Makes a volume group with one volume that takes all of it.
pub(super) fn make_volumes(device: &str, group: &str) -> Result<(), InstallError> {
    call(Tool::Lvm, &["pvcreate", "--yes", "--force", "--force", device])?;
    call(Tool::Lvm, &["vgcreate", "--yes", group, device])?;
    let size = [
        "lvcreate",
        "--yes",
        "--wipesignatures",
        "y",
        "--extents",
        "100%FREE",
        "--name",
        "root",
        group,
    ];
    call(Tool::Lvm, &size)?;
    settle()
}

/// Makes one file system.
pub(super) fn format(
    device: &str,
    kind: &str,
    uuid: &str,
    place: &str,
) -> Result<(), InstallError> {
    match kind {
        "vfat" => {
            let serial = uuid.replace('-', "");
            call(Tool::MkfsFat, &["-F", "32", "-n", "CAIRN-ESP", "-i", &serial, device])?;
        }
        "ext4" => {
            let label = if place == "/" { "cairn-root" } else { "cairn-boot" };
            call(Tool::Mke2fs, &["-q", "-F", "-t", "ext4", "-U", uuid, "-L", label, device])?;
        }
        "xfs" => {
            let id = format!("uuid={uuid}");
            call(Tool::MkfsXfs, &["-q", "-f", "-m", &id, "-L", "cairn-root", device])?;
        }
        other => return Err(InstallError::Machine(format!("no program makes `{other}`"))),
    }
    settle()
}

/// Mounts the new file systems at [`TARGET`].
pub(super) fn mount(plan: &Plan) -> Result<(), InstallError> {
    let root = Root::create(TARGET)?;
    call(Tool::Mount, &["-t", plan.filesystem.name(), &plan.root_device(), TARGET])?;
    drop(root);
    let root = Root::open(TARGET)?;
    root.mkdir_all("boot", 0o755)?;
    call(Tool::Mount, &["-t", "ext4", &plan.partition(BOOT), &format!("{TARGET}/boot")])?;
    Root::open(TARGET)?.mkdir_all("boot/efi", 0o700)?;
    let esp = format!("{TARGET}/boot/efi");
    call(
        Tool::Mount,
        &["-t", "vfat", "-o", "umask=0077,shortname=winnt", &plan.partition(ESP), &esp],
    )?;
    Ok(())
}

/// Mounts them again to look only.
pub(super) fn mount_read_only(plan: &Plan) -> Result<(), InstallError> {
    for (device, kind, place) in [
        (plan.root_device(), plan.filesystem.name(), ""),
        (plan.partition(BOOT), "ext4", "/boot"),
        (plan.partition(ESP), "vfat", "/boot/efi"),
    ] {
        call(Tool::Mount, &["-t", kind, "-o", "ro", &device, &format!("{TARGET}{place}")])?;
    }
    Ok(())
}

/// Unmounts the new file systems, where they are mounted.
pub(super) fn unmount() -> Result<(), InstallError> {
    let mounted = Invocation::new(Tool::Findmnt)
        .args(["--noheadings", "--output", "TARGET", "--mountpoint", TARGET])
        .run_unchecked()?;
    if mounted.success() {
        call(Tool::Umount, &["--recursive", TARGET])?;
    }
    Ok(())
}

/// Drops what the kernel remembers of the disk, so that reading shows what is on it.
pub(super) fn forget_cached(plan: &Plan) -> Result<(), InstallError> {
    call(Tool::Blockdev, &["--flushbufs", &plan.root_device()])?;
    call(Tool::Blockdev, &["--flushbufs", &plan.target.path])?;
    Ok(())
}

fn settle() -> Result<(), InstallError> {
    call(Tool::Udevadm, &["settle", "--timeout=60"]).map(drop)
}
