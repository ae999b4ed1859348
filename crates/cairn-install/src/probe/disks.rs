// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the JSON of `lsblk` to disks, with what lies on each and why it may not be used.

use serde::{Deserialize, Serialize};

use crate::console::LABEL;

/// A whole disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// Device node.
    pub path: String,
    /// Links below `/dev/disk` that lead to it.
    #[serde(default)]
    pub links: Vec<String>,
    /// Size in bytes.
    pub size: u64,
    /// Bytes of a logical sector.
    pub sector: u32,
    /// Maker and model.
    pub model: String,
    /// Serial number; empty where it has none.
    pub serial: String,
    /// World wide name; empty where it has none.
    pub wwn: String,
    /// `virtio`, `nvme`, `sata`, `usb` …
    pub transport: String,
    /// What lies on it, for people; empty: nothing.
    pub content: Vec<String>,
    /// Volume groups, of which it holds a part.
    pub volume_groups: Vec<String>,
    /// Nodes of software RAIDs, of which it holds a part.
    pub arrays: Vec<String>,
    /// Why it cannot be used; empty: it can.
    pub obstacles: Vec<String>,
}

impl Disk {
    /// Returns the disk for a list: node, size, model, serial number and content.
    pub fn describe(&self) -> String {
        let mut text = format!("{}  {}", self.path, size_text(self.size));
        for part in [&self.model, &self.transport] {
            if !part.is_empty() {
                text += &format!("  {part}");
            }
        }
        if !self.serial.is_empty() {
            text += &format!("  serial {}", self.serial);
        }
        text + &format!("  ({})", self.content_text())
    }

    /// Returns what lies on it in a few words.
    pub fn content_text(&self) -> String {
        if self.content.is_empty() { "empty".to_owned() } else { self.content.join(", ") }
    }
}

/// Returns a size in GiB or MiB.
pub fn size_text(bytes: u64) -> String {
    if bytes >= 10 << 30 || bytes.is_multiple_of(1 << 30) && bytes > 0 {
        format!("{} GiB", bytes >> 30)
    } else {
        format!("{} MiB", bytes >> 20)
    }
}

/// One device in the output of `lsblk --json --bytes --tree`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Device {
    /// Device node.
    pub path: String,
    /// Size in bytes.
    #[serde(default)]
    pub size: Option<u64>,
    /// `disk`, `part`, `lvm`, `raid1`, `crypt`, `rom`, `loop`.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// Write-protected.
    #[serde(default)]
    pub ro: bool,
    /// File system or member type.
    #[serde(default)]
    pub fstype: Option<String>,
    /// Label of the file system.
    #[serde(default)]
    pub label: Option<String>,
    /// Name of the partition.
    #[serde(default)]
    pub partlabel: Option<String>,
    /// Where it is mounted.
    #[serde(default)]
    pub mountpoints: Vec<Option<String>>,
    /// Model.
    #[serde(default)]
    pub model: Option<String>,
    /// Serial number.
    #[serde(default)]
    pub serial: Option<String>,
    /// World wide name.
    #[serde(default)]
    pub wwn: Option<String>,
    /// Transport.
    #[serde(default)]
    pub tran: Option<String>,
    /// Bytes of a logical sector.
    #[serde(rename = "log-sec", default)]
    pub sector: Option<u32>,
    /// Type of the partition table.
    #[serde(default)]
    pub pttype: Option<String>,
    /// What is made of it.
    #[serde(default)]
    pub children: Vec<Device>,
}

/// Columns that [`Device`] reads.
pub const COLUMNS: &str =
    "PATH,SIZE,TYPE,RO,FSTYPE,LABEL,PARTLABEL,MOUNTPOINTS,MODEL,SERIAL,WWN,TRAN,LOG-SEC,PTTYPE";

/// The whole output of `lsblk`.
#[derive(Debug, Clone, Deserialize)]
struct Listing {
    blockdevices: Vec<Device>,
}

/// A physical volume and its group.
pub type Membership = (String, String);

/// Reads the output of `lsblk --json --bytes --tree`. `volumes` are the physical volumes with their groups.
///
/// # Errors
/// The text is not what lsblk writes.
pub fn parse(text: &str, volumes: &[Membership]) -> Result<Vec<Disk>, String> {
    let listing: Listing = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let all = &listing.blockdevices;
    let disks = all
        .iter()
        .filter(|device| device.kind == "disk" && device.size.unwrap_or(0) > 0)
        // Memory and floppies are no places for a system.
        .filter(|device| {
            !["/dev/zram", "/dev/ram", "/dev/fd"].iter().any(|start| device.path.starts_with(start))
        });
    Ok(disks.map(|device| disk(device, all, volumes)).collect())
}

fn disk(device: &Device, all: &[Device], volumes: &[Membership]) -> Disk {
    let text = |value: &Option<String>| value.as_deref().unwrap_or_default().trim().to_owned();
    let mut disk = Disk {
        path: device.path.clone(),
        links: Vec::new(),
        size: device.size.unwrap_or(0),
        sector: device.sector.unwrap_or(512),
        model: text(&device.model),
        serial: text(&device.serial),
        wwn: text(&device.wwn),
        transport: text(&device.tran),
        content: Vec::new(),
        volume_groups: Vec::new(),
        arrays: Vec::new(),
        obstacles: Vec::new(),
    };
    if device.ro {
        disk.obstacles.push("it is write-protected".to_owned());
    }
    look(device, device, all, volumes, &mut disk);
    if disk.content.is_empty() && device.pttype.is_some() {
        disk.content.push("an empty partition table".to_owned());
    }
    // A stick that an ISO was written to shows it twice.
    disk.content.dedup();
    for list in [&mut disk.volume_groups, &mut disk.arrays, &mut disk.obstacles] {
        list.sort();
        list.dedup();
    }
    disk
}

fn look(device: &Device, whole: &Device, all: &[Device], volumes: &[Membership], disk: &mut Disk) {
    if let Some(kind) = &device.fstype {
        let label = device.label.as_ref().map(|label| format!(" `{label}`")).unwrap_or_default();
        disk.content.push(match kind.as_str() {
            "LVM2_member" => "part of LVM".to_owned(),
            "linux_raid_member" => "part of a RAID".to_owned(),
            "crypto_LUKS" => "LUKS".to_owned(),
            other => format!("{other}{label}"),
        });
        if kind.ends_with("mpath_member") {
            disk.obstacles.push("it is a path of a multipath device".to_owned());
        }
        if kind == "zfs_member" {
            disk.obstacles.push("it belongs to a ZFS pool".to_owned());
        }
    } else if device.kind == "part" && device.children.is_empty() {
        disk.content.push(format!("a partition of {}", size_text(device.size.unwrap_or(0))));
    }
    if [&device.label, &device.partlabel].into_iter().flatten().any(|label| label == LABEL) {
        disk.obstacles.push(format!("it holds the answers (`{LABEL}`)"));
    }
    for place in device.mountpoints.iter().flatten() {
        disk.obstacles.push(match place.as_str() {
            place if place.starts_with("/run/cairn/medium") => {
                "it is the install medium".to_owned()
            }
            "[SWAP]" => "it is in use as swap space".to_owned(),
            place => format!("{} is mounted at {place}", device.path),
        });
    }
    if let Some((_, group)) = volumes.iter().find(|(node, _)| *node == device.path)
        && !group.is_empty()
    {
        disk.volume_groups.push(group.clone());
        let elsewhere =
            volumes.iter().filter(|(_, other)| other == group).any(|(node, _)| !holds(whole, node));
        if elsewhere {
            disk.obstacles.push(format!("the volume group `{group}` has parts on other disks"));
        }
    }
    for child in &device.children {
        if child.kind.starts_with("raid") {
            disk.arrays.push(child.path.clone());
            let elsewhere =
                all.iter().any(|other| other.path != whole.path && holds(other, &child.path));
            if elsewhere {
                disk.obstacles.push(format!("the RAID {} has members on other disks", child.path));
            }
        }
        look(child, whole, all, volumes, disk);
    }
}

/// Tells whether a node is a device or made of it.
fn holds(device: &Device, node: &str) -> bool {
    device.path == node || device.children.iter().any(|child| holds(child, node))
}
