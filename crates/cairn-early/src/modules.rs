// SPDX-License-Identifier: MIT OR Apache-2.0
//! Drivers of disks: what devices ask for by their aliases (`modalias` in sysfs).

use std::collections::BTreeSet;

use anyhow::Result;
use cairn_host::{Root, Tool};

/// Buses on which disks are found, and the beginnings of the aliases of controllers and disks there.
const BUSES: [(&str, &[&str]); 6] = [
    // Class 01: mass storage. Virtio's disks have it, too.
    ("pci", &["bc01"]),
    ("virtio", &["virtio:d00000002v", "virtio:d00000008v"]),
    ("scsi", &["scsi:t-0x00", "scsi:t-0x0e"]),
    // Hyper-V: the bus itself, then its SCSI and IDE controllers (GUIDs of `hv_storvsc`).
    ("acpi", &["acpi:VMBUS", "acpi:MSFT1000"]),
    (
        "vmbus",
        &["vmbus:d96361baa104294db60572e2ffb1dc7f", "vmbus:32264132cb86a2449b5c50d1417354f5"],
    ),
    ("xen", &["xen:vbd"]),
];

/// Aliases that were asked for.
#[derive(Debug, Default)]
pub struct Modules {
    seen: BTreeSet<String>,
}

impl Modules {
    /// Loads the drivers of disks and controllers that have appeared since the last call; false if there were none.
    pub fn load_new(&mut self, root: &Root) -> Result<bool> {
        let mut new = Vec::new();
        for (bus, starts) in BUSES {
            for alias in aliases(root, bus)? {
                if wants(&alias, bus, starts) && self.seen.insert(alias.clone()) {
                    new.push(alias);
                }
            }
        }
        if new.is_empty() {
            return Ok(false);
        }
        // A driver that is built in or missing is no error: the disk is there in the end, or systemd looks for it.
        crate::program(Tool::Modprobe).arg("-qab").args(&new).run_unchecked()?;
        Ok(true)
    }
}

fn wants(alias: &str, bus: &str, starts: &[&str]) -> bool {
    match bus {
        // pci:vVENDORdDEVICEsvSUBVENDORsdSUBDEVICEbcCLASSscSUBCLASSiINTERFACE
        "pci" => starts.iter().any(|class| alias.contains(class)),
        _ => starts.iter().any(|start| alias.starts_with(start)),
    }
}

fn aliases(root: &Root, bus: &str) -> Result<Vec<String>> {
    let directory = format!("sys/bus/{bus}/devices");
    if !root.exists(&directory)? {
        return Ok(Vec::new());
    }
    let mut aliases = Vec::new();
    for device in root.read_dir(&directory)? {
        let path = format!("{directory}/{device}/modalias");
        if root.exists(&path)? {
            aliases.push(root.read_to_string(&path)?.trim().to_owned());
        }
    }
    Ok(aliases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_and_their_controllers_are_wanted_and_nothing_else() {
        let wanted = |bus: &str, alias: &str| {
            let starts = BUSES.iter().find(|row| row.0 == bus).unwrap().1;
            wants(alias, bus, starts)
        };
        assert!(wanted("pci", "pci:v00001AF4d00001001sv00001AF4sd00000002bc01sc00i00"));
        assert!(!wanted("pci", "pci:v00001AF4d00001000sv00001AF4sd00000001bc02sc00i00"));
        assert!(wanted("virtio", "virtio:d00000002v00001AF4"));
        assert!(!wanted("virtio", "virtio:d00000001v00001AF4"));
        assert!(wanted("scsi", "scsi:t-0x00"));
        assert!(!wanted("scsi", "scsi:t-0x05"), "a CD is no root");
    }

    #[test]
    fn devices_are_read_from_sysfs() {
        let dir = tempfile::tempdir().unwrap();
        let device = dir.path().join("sys/bus/virtio/devices/virtio0");
        std::fs::create_dir_all(&device).unwrap();
        std::fs::write(device.join("modalias"), "virtio:d00000002v00001AF4\n").unwrap();
        let root = Root::open(dir.path()).unwrap();
        assert_eq!(aliases(&root, "virtio").unwrap(), ["virtio:d00000002v00001AF4"]);
        assert_eq!(aliases(&root, "vmbus").unwrap(), [""; 0]);
    }
}
