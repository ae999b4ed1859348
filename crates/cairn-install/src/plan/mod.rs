// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a machine, answers and a medium to what will be done: a plain value that is shown, confirmed by its digest, and then
//! carried out as it is. Nothing here touches the machine.

mod action;
#[cfg(test)]
pub mod fixtures;
mod select;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use cairn_image::gpt::{DiskLayout, MIB, Partition, PartitionKind, PartitionRequest, Size};
use cairn_image::guid::Guid;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use action::Action;
pub use select::{candidates, select};

use crate::answers::{Answers, Filesystem, Layout};
use crate::probe::disks::size_text;
use crate::probe::{Disk, Firmware, Probe};
use crate::software::Software;

/// Kernel options of the live system that the installed one keeps when somebody added them: what the machine needs, nothing of
/// the installer.
const KEPT_OPTIONS: [&str; 16] = [
    "console",
    "earlycon",
    "no_timer_check",
    "noapic",
    "nolapic",
    "acpi",
    "pci",
    "pcie_aspm",
    "iommu",
    "intel_iommu",
    "amd_iommu",
    "mitigations",
    "nosmt",
    "clocksource",
    "tsc",
    "libata.force",
];

/// Why there can be no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The machine has no usable disk.
    #[error("there is no disk to install to{}", list(found))]
    NoDisk {
        /// All disks, with what speaks against each.
        found: Vec<String>,
    },
    /// Several disks could be meant.
    #[error("{count} disks could be meant, and none is chosen by itself{}", list(found))]
    SeveralDisks {
        /// How many.
        count: usize,
        /// The candidates.
        found: Vec<String>,
    },
    /// No disk matches the selector.
    #[error("no disk matches {selector}{}", list(found))]
    NoMatch {
        /// The selector.
        selector: String,
        /// All disks.
        found: Vec<String>,
    },
    /// Several disks match the selector.
    #[error("{} disks match {selector}{}", found.len(), list(found))]
    ManyMatches {
        /// The selector.
        selector: String,
        /// Those that match.
        found: Vec<String>,
    },
    /// The chosen disk cannot be used.
    #[error("{disk} cannot be used: {}", reasons.join("; "))]
    Unusable {
        /// The disk.
        disk: String,
        /// Why.
        reasons: Vec<String>,
    },
    /// The disk is too small.
    #[error("{disk} is too small (expected at least {needed_mib} MiB, found {found_mib} MiB)")]
    TooSmall {
        /// The disk.
        disk: String,
        /// MiB needed.
        needed_mib: u64,
        /// MiB it has.
        found_mib: u64,
    },
    /// The machine has too little memory.
    #[error(
        "the machine has too little memory (expected at least {needed_mib} MiB, found {found_mib} MiB)"
    )]
    TooLittleMemory {
        /// MiB needed.
        needed_mib: u64,
        /// MiB it has.
        found_mib: u64,
    },
    /// A BIOS cannot start from such a disk.
    #[error("{disk} has sectors of {sector} bytes, from which a BIOS cannot start (expected 512)")]
    SectorSize {
        /// The disk.
        disk: String,
        /// Bytes of its sectors.
        sector: u32,
    },
    /// The answers name something that the medium does not have.
    #[error("the medium has no {what} `{name}`")]
    NotOnMedium {
        /// `profile` or `role`.
        what: &'static str,
        /// Its name.
        name: String,
    },
}

impl PlanError {
    /// Returns what an operator can do about it.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::SeveralDisks { .. } | Self::ManyMatches { .. } => {
                "name one in `[storage]`, for example `disk = { serial = \"…\" }`"
            }
            Self::NoMatch { .. } => "compare the selector with the list",
            Self::TooLittleMemory { .. } => {
                "give the machine more memory, at least for the installation"
            }
            Self::SectorSize { .. } => "start the machine with UEFI",
            Self::Unusable { .. } => "choose another disk, or free this one first",
            Self::TooSmall { .. } => "choose a larger disk",
            Self::NoDisk { .. } | Self::NotOnMedium { .. } => return None,
        };
        Some(text.to_owned())
    }
}

fn list(found: &[String]) -> String {
    found.iter().fold(String::new(), |text, line| text + "\n  " + line)
}

/// What will be done to a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The random text that all identifiers follow from: with it, the same machine and answers give the same plan again.
    pub identity: String,
    /// The disk.
    pub target: Target,
    /// What starts the machine.
    pub firmware: Firmware,
    /// Partition table.
    pub table: Table,
    /// Where the root file system lies.
    pub layout: Layout,
    /// Root file system.
    pub filesystem: Filesystem,
    /// Volume group, with [`Layout::Lvm`].
    pub volume_group: Option<String>,
    /// Volume serial number of the ESP, as in `UUID=`.
    pub esp_uuid: String,
    /// UUID of `/boot`.
    pub boot_uuid: String,
    /// UUID of `/`.
    pub root_uuid: String,
    /// Packages that are asked for.
    pub packages: Vec<String>,
    /// Units that are enabled beside the presets.
    pub units: Vec<String>,
    /// Kernel command line of the installed system.
    pub cmdline: String,
    /// Everything that is done, in order.
    pub actions: Vec<Action>,
    /// SHA-256 of the answers, secrets included, so that the digest of the plan covers them.
    pub answers_digest: String,
}

/// The disk that is installed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Device node.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
    /// Bytes of a logical sector.
    pub sector: u32,
    /// Model.
    pub model: String,
    /// Serial number.
    pub serial: String,
    /// What lies on it and will be gone.
    pub content: String,
    /// Volume groups to take down first.
    pub volume_groups: Vec<String>,
    /// RAIDs to take down first.
    pub arrays: Vec<String>,
}

/// A partition table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// GUID of the disk.
    pub guid: String,
    /// The partitions, by number.
    pub partitions: Vec<PlannedPartition>,
}

/// A partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedPartition {
    /// Name in the table.
    pub name: String,
    /// Type GUID.
    pub kind: String,
    /// Unique GUID.
    pub guid: String,
    /// MiB before it.
    pub start_mib: u64,
    /// Size in MiB.
    pub size_mib: u64,
}

/// Digits of its digest that a plan shows.
const SHOWN_DIGITS: usize = 16;

/// Number of the ESP.
pub const ESP: usize = 2;
/// Number of `/boot`.
pub const BOOT: usize = 3;
/// Number of the root partition or physical volume.
pub const ROOT: usize = 4;

impl Plan {
    /// Returns the device node of a partition of the target.
    pub fn partition(&self, number: usize) -> String {
        partition_node(&self.target.path, number)
    }

    /// Returns the device node of the root file system.
    pub fn root_device(&self) -> String {
        match &self.volume_group {
            Some(group) => format!("/dev/{group}/root"),
            None => self.partition(ROOT),
        }
    }

    /// Returns SHA-256 of the plan: what was shown is what is done.
    pub fn digest(&self) -> String {
        // A plain value of texts and numbers can be written as JSON.
        hex::encode(Sha256::digest(serde_json::to_vec(self).unwrap_or_default()))
    }

    /// Tells whether somebody means this plan: by its digest as it is shown, or more digits of it.
    pub fn is_meant_by(&self, digest: &str) -> bool {
        digest.len() >= SHOWN_DIGITS && self.digest().starts_with(&digest.to_ascii_lowercase())
    }

    /// Returns `/etc/fstab`; `medium` is the volume identifier of a medium that stays in use as repository.
    pub fn fstab(&self, medium: Option<&str>) -> String {
        let check = u8::from(self.filesystem == Filesystem::Ext4);
        let mut text = format!(
            "UUID={}  /  {}  defaults  0 {check}\n\
             UUID={}  /boot  ext4  defaults,nodev,nosuid,noexec  0 2\n\
             UUID={}  /boot/efi  vfat  umask=0077,nodev,nosuid,noexec,shortname=winnt  0 2\n",
            self.root_uuid,
            self.filesystem.name(),
            self.boot_uuid,
            self.esp_uuid
        );
        if let Some(label) = medium {
            text += &format!(
                "# The install medium, from which packages come: mounted while it is used, no error without it.\n\
                 LABEL={label}  /run/cairn/medium  iso9660  ro,nofail,nodev,nosuid,noauto,x-systemd.automount,\
                 x-systemd.idle-timeout=60,x-systemd.device-timeout=10  0 0\n"
            );
        }
        text
    }

    /// Returns the plan for people, at most 79 columns wide where names allow.
    pub fn text(&self) -> String {
        let target = &self.target;
        let mut text =
            format!("Disk      {}  {}  {}\n", target.path, size_text(target.size), target.model);
        if !target.serial.is_empty() {
            let _ = writeln!(text, "Serial    {}", target.serial);
        }
        let _ = writeln!(text, "Holds now {}", target.content);
        for (index, action) in self.actions.iter().enumerate() {
            let _ = writeln!(text, "{:>3}. {}", index + 1, action.text());
            if let Some(destroyed) = action.destroys() {
                let _ = writeln!(text, "     ERASES {destroyed}");
            }
        }
        let _ = writeln!(text, "Plan      {}", &self.digest()[..SHOWN_DIGITS]);
        text
    }
}

/// Returns the node of a partition: `/dev/sda1`, `/dev/nvme0n1p1`.
pub fn partition_node(disk: &str, number: usize) -> String {
    let infix = if disk.ends_with(|c: char| c.is_ascii_digit()) { "p" } else { "" };
    format!("{disk}{infix}{number}")
}

/// Plans an installation.
///
/// # Errors
/// The machine or the medium does not fit the answers.
pub fn plan(probe: &Probe, answers: &Answers, medium: &Software) -> Result<Plan, PlanError> {
    let found_mib = probe.memory_bytes / MIB;
    // The kernel keeps a part of what the machine has for itself.
    if found_mib + found_mib / 8 < medium.memory_mib {
        return Err(PlanError::TooLittleMemory { needed_mib: medium.memory_mib, found_mib });
    }
    let disk = select(&probe.disks, answers.storage.disk.as_ref())?;
    if disk.size / MIB < medium.disk_mib {
        return Err(PlanError::TooSmall {
            disk: disk.path.clone(),
            needed_mib: medium.disk_mib,
            found_mib: disk.size / MIB,
        });
    }
    if probe.firmware == Firmware::Bios && disk.sector != 512 {
        return Err(PlanError::SectorSize { disk: disk.path.clone(), sector: disk.sector });
    }
    let table = table(probe, answers, disk)?;
    let seed = &probe.identity;
    let root_uuid = Guid::derive(seed, "root file system").to_string();
    let serial = Guid::derive(seed, "esp file system").to_serial();
    let volume_group =
        (answers.storage.layout == Layout::Lvm).then(|| free_group_name(&probe.disks, disk));
    let (packages, units) = software(probe, answers, medium)?;
    let mut plan = Plan {
        identity: probe.identity.clone(),
        target: target(disk),
        firmware: probe.firmware,
        table,
        layout: answers.storage.layout,
        filesystem: answers.storage.filesystem,
        volume_group,
        esp_uuid: format!("{:04X}-{:04X}", serial >> 16, serial & 0xffff),
        boot_uuid: Guid::derive(seed, "boot file system").to_string(),
        cmdline: command_line(probe, answers, medium, &root_uuid),
        root_uuid,
        packages,
        units,
        actions: Vec::new(),
        answers_digest: hex::encode(Sha256::digest(answers.to_toml())),
    };
    plan.actions = action::actions(&plan, answers, medium);
    Ok(plan)
}

fn target(disk: &Disk) -> Target {
    Target {
        path: disk.path.clone(),
        size: disk.size,
        sector: disk.sector,
        model: disk.model.clone(),
        serial: disk.serial.clone(),
        content: disk.content_text(),
        volume_groups: disk.volume_groups.clone(),
        arrays: disk.arrays.clone(),
    }
}

fn table(probe: &Probe, answers: &Answers, disk: &Disk) -> Result<Table, PlanError> {
    let last = match answers.storage.layout {
        Layout::Plain => PartitionKind::Root,
        Layout::Lvm => PartitionKind::Lvm,
    };
    let request = |kind, size| PartitionRequest { kind, size };
    let requests = [
        request(PartitionKind::BiosBoot, Size::Bytes(MIB)),
        request(PartitionKind::Esp, Size::Bytes(512 * MIB)),
        request(PartitionKind::Boot, Size::Bytes(1024 * MIB)),
        request(last, Size::Rest),
    ];
    let layout = DiskLayout::plan(&probe.identity, disk.size, &requests).map_err(|_| {
        PlanError::TooSmall {
            disk: disk.path.clone(),
            needed_mib: 1540,
            found_mib: disk.size / MIB,
        }
    })?;
    let partition = |partition: &Partition| PlannedPartition {
        name: partition.name.clone(),
        kind: partition.kind.type_guid().to_string(),
        guid: partition.guid.to_string(),
        start_mib: partition.offset() / MIB,
        size_mib: partition.size() / MIB,
    };
    Ok(Table {
        guid: layout.disk_guid.to_string(),
        partitions: layout.partitions.iter().map(partition).collect(),
    })
}

/// Returns a name that no volume group on another disk has.
fn free_group_name(disks: &[Disk], target: &Disk) -> String {
    let taken = |name: &str| {
        let others = disks.iter().filter(|disk| disk.path != target.path);
        others.flat_map(|disk| &disk.volume_groups).any(|group| group == name)
    };
    let mut name = "cairn".to_owned();
    let mut number = 1;
    while taken(&name) {
        number += 1;
        name = format!("cairn{number}");
    }
    name
}

/// Returns the packages that are asked for, sorted, and the units of the roles.
fn software(
    probe: &Probe,
    answers: &Answers,
    medium: &Software,
) -> Result<(Vec<String>, Vec<String>), PlanError> {
    let wanted = &answers.software;
    let Some(profile) = medium.profiles.get(&wanted.profile) else {
        return Err(PlanError::NotOnMedium { what: "profile", name: wanted.profile.clone() });
    };
    let mut packages = profile.packages.clone();
    packages.push(medium.kernel.clone());
    packages.extend(wanted.packages.iter().cloned());
    let mut units = Vec::new();
    for name in &wanted.roles {
        let Some(role) = medium.roles.get(name) else {
            return Err(PlanError::NotOnMedium { what: "role", name: name.clone() });
        };
        packages.extend(role.packages.iter().cloned());
        units.extend(role.units.iter().cloned());
    }
    let system = &answers.system;
    let places = [medium.locales.get(&system.locale), medium.keyboards.get(&system.keyboard)];
    packages.extend(places.into_iter().flatten().flatten().cloned());
    packages.extend(medium.guest_agents.get(&probe.hypervisor).into_iter().flatten().cloned());
    if answers.storage.layout == Layout::Lvm {
        packages.push("lvm2".to_owned());
    }
    if answers.storage.filesystem == Filesystem::Xfs {
        packages.push("xfsprogs".to_owned());
    }
    if probe.firmware.is_uefi() {
        packages.push("efibootmgr".to_owned());
    }
    for list in [&mut packages, &mut units] {
        list.sort();
        list.dedup();
    }
    Ok((packages, units))
}

/// Returns the kernel command line of the installed system. Of the installer's only those options are kept that are on a list and
/// that somebody added to those of the medium.
fn command_line(probe: &Probe, answers: &Answers, medium: &Software, root_uuid: &str) -> String {
    let mut words = vec![format!("root=UUID={root_uuid}"), "rw".to_owned()];
    if let Some(profile) = medium.profiles.get(&answers.software.profile) {
        words.extend(profile.cmdline.iter().cloned());
    }
    for word in &probe.cmdline {
        let name = word.split('=').next().unwrap_or_default();
        if KEPT_OPTIONS.contains(&name)
            && !medium.live_cmdline.contains(word)
            && !words.contains(word)
        {
            words.push(word.clone());
        }
    }
    words.join(" ")
}
