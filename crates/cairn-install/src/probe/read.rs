// SPDX-License-Identifier: MIT OR Apache-2.0
//! Looks at the machine this process runs on. Nothing is written anywhere.

use cairn_host::{Invocation, Root, Tool};

use super::disks::{self, COLUMNS, Membership};
use super::{Disk, Firmware, Probe};
use crate::error::InstallError;

/// Where the live system has its medium.
pub const MEDIUM: &str = "/run/cairn/medium";

/// The variable in which firmware says that it enforces signatures.
const SECURE_BOOT: &str =
    "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";

/// Looks at the machine.
///
/// # Errors
/// A program or file of the live system cannot be used.
pub fn read() -> Result<Probe, InstallError> {
    let root = Root::open("/")?;
    let text = |path: &str| -> Result<String, InstallError> {
        Ok(if root.exists(path)? {
            root.read_to_string(path)?.trim().to_owned()
        } else {
            String::new()
        })
    };
    let firmware = if !root.exists("sys/firmware/efi")? {
        Firmware::Bios
    } else if root.exists(SECURE_BOOT)? && root.read(SECURE_BOOT)?.get(4) == Some(&1) {
        Firmware::UefiSecureBoot
    } else {
        Firmware::Uefi
    };
    let memory = text("proc/meminfo")?;
    let kib = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    // Ends with status 1 where it says `none`.
    let hypervisor = Invocation::new(Tool::SystemdDetectVirt).arg("--vm").run_unchecked()?;
    let model = format!(
        "{} {}",
        text("sys/class/dmi/id/sys_vendor")?,
        text("sys/class/dmi/id/product_name")?
    );
    Ok(Probe {
        firmware,
        memory_bytes: kib.unwrap_or(0) * 1024,
        hypervisor: hypervisor.stdout_text().trim().to_owned(),
        model: model.trim().to_owned(),
        cmdline: text("proc/cmdline")?.split_whitespace().map(str::to_owned).collect(),
        disks: read_disks(&root)?,
        identity: text("proc/sys/kernel/random/uuid")?,
    })
}

fn read_disks(root: &Root) -> Result<Vec<Disk>, InstallError> {
    // Serial numbers and links are udev's work. One that takes too long is left out.
    Invocation::new(Tool::Udevadm).args(["settle", "--timeout=60"]).run_unchecked()?;
    let listing = Invocation::new(Tool::Lsblk)
        .args(["--json", "--bytes", "--tree", "--output", COLUMNS])
        .run()?
        .stdout_text();
    let volumes = Invocation::new(Tool::Lvm)
        .args(["pvs", "--noheadings", "--separator", " ", "-o", "pv_name,vg_name"])
        .run()?
        .stdout_text();
    let volumes: Vec<Membership> = volumes
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?.to_owned(), words.next().unwrap_or_default().to_owned()))
        })
        .collect();
    let mut found = disks::parse(&listing, &volumes).map_err(|reason| {
        InstallError::Machine(format!("lsblk wrote something else than expected: {reason}"))
    })?;
    for disk in &mut found {
        // Where udev has no rule, the kernel may know.
        let path = format!("sys/class/block/{}/serial", disk.path.trim_start_matches("/dev/"));
        if disk.serial.is_empty() && root.exists(&path)? {
            root.read_to_string(&path)?.trim().clone_into(&mut disk.serial);
        }
    }
    for (link, node) in links(root)? {
        if let Some(disk) = found.iter_mut().find(|disk| disk.path == node) {
            disk.links.push(link);
        }
    }
    mark_medium(&mut found)?;
    Ok(found)
}

/// Returns the links below `/dev/disk` with the nodes they lead to.
fn links(root: &Root) -> Result<Vec<(String, String)>, InstallError> {
    let mut found = Vec::new();
    for directory in ["dev/disk/by-id", "dev/disk/by-path"] {
        if !root.exists(directory)? {
            continue;
        }
        for name in root.read_dir(directory)? {
            let link = format!("{directory}/{name}");
            // systemd keeps directories there too.
            if !root.symlink_metadata(&link)?.is_some_and(|stat| stat.is_symlink()) {
                continue;
            }
            let target = root.read_link(&link)?;
            if let Some(node) = target.file_name() {
                found.push((format!("/{link}"), format!("/dev/{}", node.to_string_lossy())));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The medium is mounted from its whole disk or from a partition; lsblk names the mount only on one of them.
fn mark_medium(disks: &mut [Disk]) -> Result<(), InstallError> {
    let source = Invocation::new(Tool::Findmnt)
        .args(["--noheadings", "--output", "SOURCE", MEDIUM])
        .run_unchecked()?
        .stdout_text();
    let source = source.trim();
    for disk in disks {
        let rest = source.strip_prefix(disk.path.as_str());
        let is_part = rest
            .is_some_and(|rest| rest.trim_start_matches('p').chars().all(|c| c.is_ascii_digit()));
        let reason = "it is the install medium".to_owned();
        if is_part && !disk.obstacles.contains(&reason) {
            disk.obstacles.push(reason);
        }
    }
    Ok(())
}
