// SPDX-License-Identifier: MIT OR Apache-2.0
//! One step of an installation, and what it destroys.

use serde::{Deserialize, Serialize};

use super::{BOOT, ESP, Plan, ROOT};
use crate::answers::{Answers, Layout};
use crate::probe::disks::size_text;
use crate::software::Software;

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "action")]
pub enum Action {
    /// The packages are read from the medium and checked.
    Verify {
        /// Names that are asked for.
        names: usize,
    },
    /// What lies on the disk is taken out of use and its signatures are removed.
    TearDown {
        /// The disk.
        disk: String,
        /// What it holds.
        content: String,
    },
    /// The disk gets a new partition table.
    Partition {
        /// The disk.
        disk: String,
        /// The partitions, for people.
        partitions: Vec<String>,
    },
    /// A volume group with one logical volume is made.
    Volumes {
        /// The physical volume.
        device: String,
        /// The group.
        group: String,
    },
    /// A file system is made.
    Format {
        /// The device.
        device: String,
        /// Its kind.
        kind: String,
        /// Its UUID.
        uuid: String,
        /// Where it is mounted in the installed system.
        place: String,
    },
    /// The file systems are mounted.
    Mount,
    /// Packages are installed.
    Packages {
        /// Profile.
        profile: String,
        /// Roles.
        roles: Vec<String>,
        /// Names that are asked for.
        names: usize,
    },
    /// Names, places, accounts, repository.
    Configure {
        /// Host name.
        hostname: String,
        /// Accounts.
        users: Vec<String>,
        /// Repository of the installed system.
        repository: String,
    },
    /// Boot loader, boot entry, boot list.
    BootLoader {
        /// Whether the firmware's boot list gets an entry.
        firmware_entry: bool,
    },
    /// Everything that starting needs is read back and compared.
    ReadBack,
    /// The file systems are unmounted.
    Unmount,
}

impl Action {
    /// Returns the step in one line.
    pub fn text(&self) -> String {
        match self {
            Self::Verify { names } => {
                format!("Check every package on the medium, and choose {names} with what they need")
            }
            Self::TearDown { disk, .. } => format!("Take everything on {disk} out of use"),
            Self::Partition { disk, partitions } => {
                format!("Partition {disk}: {}", partitions.join(", "))
            }
            Self::Volumes { device, group } => {
                format!("Make the volume group `{group}` on {device}, with one volume `root`")
            }
            Self::Format { device, kind, place, .. } => {
                format!("Make {kind} on {device} for {place}")
            }
            Self::Mount => "Mount the new file systems".to_owned(),
            Self::Packages { profile, roles, .. } if roles.is_empty() => {
                format!("Install the profile `{profile}`")
            }
            Self::Packages { profile, roles, .. } => {
                format!("Install the profile `{profile}` with the roles {}", roles.join(", "))
            }
            Self::Configure { hostname, users, .. } => {
                format!("Set up the host `{hostname}` for {}", users.join(", "))
            }
            Self::BootLoader { firmware_entry: true } => {
                "Make it start under BIOS and UEFI, and enter it in the firmware's boot list"
                    .to_owned()
            }
            Self::BootLoader { firmware_entry: false } => {
                "Make it start under BIOS and UEFI".to_owned()
            }
            Self::ReadBack => "Read back everything that starting needs".to_owned(),
            Self::Unmount => "Unmount".to_owned(),
        }
    }

    /// Returns what is gone after the step; nothing for most.
    pub fn destroys(&self) -> Option<String> {
        match self {
            Self::TearDown { disk, content } => Some(format!("everything on {disk}: {content}")),
            _ => None,
        }
    }
}

/// Returns all steps in order.
pub(super) fn actions(plan: &Plan, answers: &Answers, medium: &Software) -> Vec<Action> {
    let disk = plan.target.path.clone();
    let names = plan.packages.len();
    let partitions = &plan.table.partitions;
    let mut actions = vec![
        Action::Verify { names },
        Action::TearDown { disk: disk.clone(), content: plan.target.content.clone() },
        Action::Partition {
            disk,
            partitions: partitions
                .iter()
                .map(|one| format!("{} {}", one.name, size_text(one.size_mib << 20)))
                .collect(),
        },
    ];
    if let (Layout::Lvm, Some(group)) = (plan.layout, &plan.volume_group) {
        actions.push(Action::Volumes { device: plan.partition(ROOT), group: group.clone() });
    }
    for (device, kind, uuid, place) in [
        (plan.partition(ESP), "vfat", &plan.esp_uuid, "/boot/efi"),
        (plan.partition(BOOT), "ext4", &plan.boot_uuid, "/boot"),
        (plan.root_device(), plan.filesystem.name(), &plan.root_uuid, "/"),
    ] {
        let (kind, uuid, place) = (kind.to_owned(), uuid.clone(), place.to_owned());
        actions.push(Action::Format { device, kind, uuid, place });
    }
    let repository = if answers.software.repository.is_empty() {
        format!("the medium {}", medium.volume_id)
    } else {
        answers.software.repository.clone()
    };
    actions.extend([
        Action::Mount,
        Action::Packages {
            profile: answers.software.profile.clone(),
            roles: answers.software.roles.clone(),
            names,
        },
        Action::Configure {
            hostname: answers.system.hostname.clone(),
            users: answers.users.iter().map(|user| user.name.clone()).collect(),
            repository,
        },
        Action::BootLoader { firmware_entry: plan.firmware.is_uefi() },
        Action::ReadBack,
        Action::Unmount,
    ]);
    actions
}
