// SPDX-License-Identifier: MIT OR Apache-2.0
//! What blkid(8) prints, and the root among it. Pure.

use std::collections::BTreeMap;

use crate::cmdline::PlainRoot;

/// A block device with a root file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Path of its node.
    pub node: String,
    /// Type of its file system: `ext4` or `xfs`.
    pub kind: String,
}

/// Where the root is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Search {
    /// Here.
    Found(Device),
    /// Not on a plain partition, for this reason.
    Elsewhere(String),
    /// On no disk that is there.
    NotYet,
}

/// Signatures of devices that hold others: the root may be inside, or this may be half of it.
const CONTAINERS: [&str; 5] =
    ["LVM2_member", "crypto_LUKS", "linux_raid_member", "ddf_raid_member", "isw_raid_member"];

/// Looks for the root in the output of `blkid -o export`: blocks of `NAME=VALUE`, an empty line between devices.
pub fn search(export: &str, root: &PlainRoot) -> Search {
    let devices: Vec<BTreeMap<&str, &str>> = export
        .split("\n\n")
        .map(|block| block.lines().filter_map(|line| line.split_once('=')).collect())
        .collect();
    let kind =
        |device: &BTreeMap<&str, &str>| device.get("TYPE").copied().unwrap_or_default().to_owned();
    if let Some(container) =
        devices.iter().map(kind).find(|kind| CONTAINERS.contains(&kind.as_str()))
    {
        return Search::Elsewhere(format!("there is a device of type {container}"));
    }
    let mut matching =
        devices.iter().filter(|device| device.get(root.tag.as_str()) == Some(&root.value.as_str()));
    let Some(device) = matching.next() else { return Search::NotYet };
    if matching.next().is_some() {
        return Search::Elsewhere(format!("several devices have {root}"));
    }
    let kind = kind(device);
    match device.get("DEVNAME") {
        Some(node) if ["ext4", "xfs"].contains(&kind.as_str()) => {
            Search::Found(Device { node: (*node).to_owned(), kind })
        }
        _ => Search::Elsewhere(format!("{root} is of type `{kind}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As util-linux 2.41 prints it.
    const EXPORT: &str = "DEVNAME=/dev/vda2\nLABEL_FATBOOT=CAIRN-ESP\nLABEL=CAIRN-ESP\nUUID=2D4D-1A80\nBLOCK_SIZE=512\nTYPE=vfat\n\
        PARTLABEL=esp\nPARTUUID=1\n\nDEVNAME=/dev/vda4\nLABEL=cairn-root\nUUID=68473e1b\nBLOCK_SIZE=4096\nTYPE=ext4\nPARTLABEL=root\n\
        PARTUUID=2\n\nDEVNAME=/dev/vda1\nPARTLABEL=bios-boot\nPARTUUID=3\n";

    fn root(tag: &str, value: &str) -> PlainRoot {
        PlainRoot { tag: tag.to_owned(), value: value.to_owned(), is_read_only: false }
    }

    #[test]
    fn the_root_is_found_by_each_tag() {
        let found = Search::Found(Device { node: "/dev/vda4".to_owned(), kind: "ext4".to_owned() });
        for (tag, value) in [
            ("UUID", "68473e1b"),
            ("LABEL", "cairn-root"),
            ("PARTUUID", "2"),
            ("PARTLABEL", "root"),
        ] {
            assert_eq!(search(EXPORT, &root(tag, value)), found, "{tag}");
        }
        assert_eq!(search(EXPORT, &root("UUID", "68473e1")), Search::NotYet);
        assert_eq!(search("", &root("UUID", "68473e1b")), Search::NotYet);
    }

    #[test]
    fn other_kinds_doubles_and_containers_are_left_to_systemd() {
        let elsewhere = |export: &str, root: &PlainRoot| match search(export, root) {
            Search::Elsewhere(reason) => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            elsewhere(EXPORT, &root("UUID", "2D4D-1A80")),
            "UUID=2D4D-1A80 is of type `vfat`"
        );
        assert_eq!(elsewhere(EXPORT, &root("PARTUUID", "3")), "PARTUUID=3 is of type ``");
        let twice = format!("{EXPORT}\nDEVNAME=/dev/vdb4\nUUID=68473e1b\nTYPE=ext4\n");
        assert_eq!(
            elsewhere(&twice, &root("UUID", "68473e1b")),
            "several devices have UUID=68473e1b"
        );
        // The end of a mirror with metadata 1.0 looks like the file system itself to whoever does not know.
        let raid = format!("{EXPORT}\nDEVNAME=/dev/vdb1\nUUID=9\nTYPE=linux_raid_member\n");
        assert_eq!(
            elsewhere(&raid, &root("UUID", "68473e1b")),
            "there is a device of type linux_raid_member"
        );
    }
}
