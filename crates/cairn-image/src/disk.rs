// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whole disks: a plan (layout, labels, identifiers) first, then a sparse raw image that boots under BIOS and UEFI.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use cairn_host::Root;
use rustix::fs::SeekFrom;

use crate::bios::{self, BiosBoot};
use crate::boot::BootSearch;
use crate::error::ImageError;
use crate::filesystem::{Ext4, Fat, Workshop};
use crate::gpt::{DiskLayout, LayoutError, MIB, Partition, PartitionKind, default_partitions};
use crate::guid::Guid;
use crate::manifest::{Manifest, Node, NodeKind, Selection};

/// Size of a disk image unless its content needs more: first boot enlarges the root partition to the real disk.
pub const DEFAULT_BYTES: u64 = 4096 * MIB;

/// Everything about a disk that is decided before its content exists: a plain value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskPlan {
    /// Where the partitions lie.
    pub layout: DiskLayout,
    /// Label of the root file system.
    pub root_label: String,
    /// UUID of the root file system.
    pub root_uuid: Guid,
    /// Label of the `/boot` file system.
    pub boot_label: String,
    /// UUID of the `/boot` file system.
    pub boot_uuid: Guid,
    /// Label of the ESP.
    pub esp_label: String,
    /// Volume serial number of the ESP.
    pub esp_serial: u32,
}

/// What goes onto a disk.
#[derive(Debug, Clone, Copy)]
pub struct DiskContent<'a> {
    /// Staging directory: `boot` in it becomes the `/boot` file system, the rest the root file system.
    pub staging: &'a Root,
    /// Owners, modes, devices and capabilities of the staging directory.
    pub manifest: &'a Manifest,
    /// Content of the ESP.
    pub esp: &'a Root,
}

impl DiskPlan {
    /// Plans a disk with Cairn's default partitions. All identifiers follow from `seed`.
    pub fn new(seed: &str, total_bytes: u64) -> Result<Self, LayoutError> {
        Ok(Self {
            layout: DiskLayout::plan(seed, total_bytes, &default_partitions())?,
            root_label: "cairn-root".to_owned(),
            root_uuid: Guid::derive(seed, "root file system"),
            boot_label: "cairn-boot".to_owned(),
            boot_uuid: Guid::derive(seed, "boot file system"),
            esp_label: "CAIRN-ESP".to_owned(),
            esp_serial: Guid::derive(seed, "esp file system").to_serial(),
        })
    }

    /// Returns how GRUB finds this disk's `/boot`.
    pub fn boot_search(&self) -> BootSearch {
        BootSearch::Uuid(self.boot_uuid.to_string())
    }

    /// Returns the lines of `/etc/fstab` for this disk.
    pub fn fstab(&self) -> String {
        format!(
            "UUID={}  /          ext4  defaults            0 1\n\
             UUID={}  /boot      ext4  defaults,nodev,nosuid,noexec  0 2\n\
             UUID={}  /boot/efi  vfat  umask=0077,nodev,nosuid,noexec,shortname=winnt  0 2\n",
            self.root_uuid,
            self.boot_uuid,
            Fat::uuid_text(self.esp_serial)
        )
    }

    fn partition(&self, kind: PartitionKind) -> Result<&Partition, ImageError> {
        self.layout.find(kind).ok_or(ImageError::NoPartition(kind.name()))
    }
}

impl fmt::Display for DiskPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.layout)?;
        writeln!(f, "esp   vfat {} {}", self.esp_label, Fat::uuid_text(self.esp_serial))?;
        writeln!(f, "boot  ext4 {} {}", self.boot_label, self.boot_uuid)?;
        writeln!(f, "root  ext4 {} {}", self.root_label, self.root_uuid)
    }
}

/// Returns the disk size that holds `nodes` (of the root file system) and `slack` free bytes beside the other partitions,
/// at least [`DEFAULT_BYTES`], in whole MiB.
pub fn suggested_bytes(nodes: &[Node], slack: u64) -> u64 {
    let content: u64 = nodes
        .iter()
        .map(|node| match node.kind {
            NodeKind::File { size } => size.next_multiple_of(4096) + 256,
            NodeKind::Directory => 4096 + 256,
            _ => 256,
        })
        .sum();
    // Inode tables take 1/64 of the space, the journal up to 128 MiB; 1/16 and 192 MiB leave room for the rest.
    let root = content + slack + (content + slack) / 16 + 192 * MIB;
    (root + (1 + 512 + 1024 + 2) * MIB).next_multiple_of(MIB).max(DEFAULT_BYTES)
}

/// Builds the disk `plan` describes as a sparse raw image at `output`.
///
/// The image appears under its name only when it is complete. Programs run in the workshop's sandbox, whose scratch
/// directory needs as much space as the content twice.
pub fn build(
    workshop: &Workshop,
    plan: &DiskPlan,
    content: DiskContent<'_>,
    output: &Path,
) -> Result<(), ImageError> {
    let DiskContent { staging, manifest, esp } = content;
    let (esp_partition, boot_partition) =
        (plan.partition(PartitionKind::Esp)?, plan.partition(PartitionKind::Boot)?);
    let (root_partition, bios_partition) =
        (plan.partition(PartitionKind::Root)?, plan.partition(PartitionKind::BiosBoot)?);
    let fat =
        Fat { label: plan.esp_label.clone(), serial: plan.esp_serial, size: esp_partition.size() };
    let boot = ext4(&plan.boot_label, plan.boot_uuid, boot_partition);
    let root = ext4(&plan.root_label, plan.root_uuid, root_partition);
    let images = [
        (esp_partition, workshop.make_fat("esp", &fat, esp)?),
        (
            boot_partition,
            workshop.make_ext4("boot", &boot, (staging, manifest, &Selection::subtree("boot")))?,
        ),
        (
            root_partition,
            workshop.make_ext4(
                "root",
                &root,
                (staging, manifest, &Selection::all_but_content_of(&["boot"])),
            )?,
        ),
    ];
    let bios = bios::make(workshop, (esp_partition, plan.esp_serial), bios_partition)?;
    assemble(&plan.layout, &images, Some((bios_partition, &bios)), output)?;
    for (_, image) in &images {
        std::fs::remove_file(image).map_err(ImageError::io("remove", image))?;
    }
    Ok(())
}

/// Writes partition table, partition images and GRUB for BIOS to a new sparse file at `output`.
pub fn assemble(
    layout: &DiskLayout,
    images: &[(&Partition, PathBuf)],
    bios: Option<(&Partition, &BiosBoot)>,
    output: &Path,
) -> Result<(), ImageError> {
    let mut partial = output.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let disk = File::create(&partial).map_err(ImageError::io("create", &partial))?;
    let write = |offset, bytes: &[u8]| {
        disk.write_all_at(bytes, offset).map_err(ImageError::io("write", &partial))
    };
    disk.set_len(layout.total_bytes).map_err(ImageError::io("enlarge", &partial))?;
    for (offset, bytes) in layout.table_blocks() {
        write(offset, &bytes)?;
    }
    if let Some((partition, bios)) = bios {
        write(0, &bios.boot_code)?;
        write(partition.offset(), &bios.core)?;
    }
    for (partition, image) in images {
        copy_image(image, partition, &disk, &partial)?;
    }
    disk.sync_all().map_err(ImageError::io("write", &partial))?;
    std::fs::rename(&partial, output).map_err(ImageError::io("rename", &partial))
}

fn ext4(label: &str, uuid: Guid, partition: &Partition) -> Ext4 {
    Ext4 { label: label.to_owned(), uuid, size: partition.size(), reserved_percent: 1 }
}

/// Copies the parts of an image that hold anything but zeros.
fn copy_image(
    image: &Path,
    partition: &Partition,
    disk: &File,
    disk_path: &Path,
) -> Result<(), ImageError> {
    let mut source = File::open(image).map_err(ImageError::io("open", image))?;
    let size = source.metadata().map_err(ImageError::io("look at", image))?.len();
    if size > partition.size() {
        let partition_name = partition.name.clone();
        return Err(ImageError::PartitionTooSmall {
            partition: partition_name,
            needed: size,
            available: partition.size(),
        });
    }
    let mut buffer = vec![0; 1 << 16];
    let mut position = 0;
    loop {
        match rustix::fs::seek(&source, SeekFrom::Data(position)) {
            Ok(data) => position = data,
            Err(rustix::io::Errno::NXIO) => return Ok(()),
            Err(error) => return Err(ImageError::io("seek in", image)(error.into())),
        }
        // Data begins at a file system block, so reads stay aligned; most holes are found again after one buffer.
        let n_bytes = source.read(&mut buffer).map_err(ImageError::io("read", image))?;
        if n_bytes == 0 {
            return Ok(());
        }
        for (index, block) in buffer[..n_bytes].chunks(4096).enumerate() {
            if block.iter().any(|byte| *byte != 0) {
                let offset = partition.offset() + position + index as u64 * 4096;
                disk.write_all_at(block, offset).map_err(ImageError::io("write", disk_path))?;
            }
        }
        position += n_bytes as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpt::{PartitionRequest, Size};

    #[test]
    fn a_plan_as_text() {
        let plan = DiskPlan::new("cairn 0.1", DEFAULT_BYTES).unwrap();
        expect_test::expect![[r#"
            GPT 423f65dd-f39d-84bc-a700-147aa73d2154 4096 MiB
             #  name       start MiB   size MiB  guid
             1  bios-boot          1          1  ced9b68c-8598-88e0-9e92-24b78cda18f9
             2  esp                2        512  fc74885a-d68f-8285-946c-7b559271e276
             3  boot             514       1024  e5e38d03-488a-817b-9893-39591f6d66db
             4  root            1538       2557  f14bea6a-18d9-8fd7-aadd-9b55dc36d0cd
            esp   vfat CAIRN-ESP 5CDE-D4CE
            boot  ext4 cairn-boot 1b56cd13-b5f8-8e5f-8d3a-9d01daa86d9b
            root  ext4 cairn-root c63c6b08-b195-848a-aaa5-0b45b955c315
        "#]]
        .assert_eq(&plan.to_string());
        expect_test::expect![[r#"
            UUID=c63c6b08-b195-848a-aaa5-0b45b955c315  /          ext4  defaults            0 1
            UUID=1b56cd13-b5f8-8e5f-8d3a-9d01daa86d9b  /boot      ext4  defaults,nodev,nosuid,noexec  0 2
            UUID=5CDE-D4CE  /boot/efi  vfat  umask=0077,nodev,nosuid,noexec,shortname=winnt  0 2
        "#]].assert_eq(&plan.fstab());
    }

    #[test]
    fn images_land_in_their_partitions_and_holes_stay_holes() {
        let directory = tempfile::tempdir().unwrap();
        let requests = [
            PartitionRequest { kind: PartitionKind::BiosBoot, size: Size::Bytes(MIB) },
            PartitionRequest { kind: PartitionKind::Root, size: Size::Rest },
        ];
        let layout = DiskLayout::plan("seed", 64 * MIB, &requests).unwrap();
        let image = directory.path().join("root.ext4");
        let file = File::create(&image).unwrap();
        file.set_len(40 * MIB).unwrap();
        file.write_all_at(b"start", 0).unwrap();
        file.write_all_at(b"middle", 17 * MIB + 5).unwrap();
        file.write_all_at(b"end", 40 * MIB - 3).unwrap();
        let bios = BiosBoot { boot_code: vec![0xeb; 440], core: vec![0xcd; 512] };
        let output = directory.path().join("disk.raw");
        let root = &layout.partitions[1];
        assemble(&layout, &[(root, image)], Some((&layout.partitions[0], &bios)), &output).unwrap();
        let disk = std::fs::read(&output).unwrap();
        assert_eq!(disk.len() as u64, 64 * MIB);
        let at =
            |offset: u64, text: &[u8]| &disk[offset as usize..offset as usize + text.len()] == text;
        assert!(
            at(0, &[0xeb; 440])
                && at(510, &[0x55, 0xaa])
                && at(512, b"EFI PART")
                && at(MIB, &[0xcd; 512])
        );
        let start = root.offset();
        assert!(
            at(start, b"start")
                && at(start + 17 * MIB + 5, b"middle")
                && at(start + 40 * MIB - 3, b"end")
        );
        let blocks = std::os::unix::fs::MetadataExt::blocks(&std::fs::metadata(&output).unwrap());
        assert!(blocks * 512 < MIB, "{blocks} blocks");
        assert!(!directory.path().join("disk.raw.partial").exists());
    }

    #[test]
    fn an_image_that_does_not_fit_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let requests = [PartitionRequest { kind: PartitionKind::Root, size: Size::Bytes(MIB) }];
        let layout = DiskLayout::plan("seed", 8 * MIB, &requests).unwrap();
        let image = directory.path().join("big");
        File::create(&image).unwrap().set_len(2 * MIB).unwrap();
        let output = directory.path().join("disk.raw");
        let error =
            assemble(&layout, &[(&layout.partitions[0], image)], None, &output).unwrap_err();
        assert_eq!(
            error.to_string(),
            "partition `root` is too small (expected at least 2097152 bytes, found 1048576)"
        );
        assert!(!output.exists());
    }

    #[test]
    fn size_grows_with_the_content() {
        assert_eq!(suggested_bytes(&[], 0), DEFAULT_BYTES);
        let node = Node {
            path: "x".into(),
            kind: NodeKind::File { size: 4096 * MIB },
            mode: 0,
            uid: 0,
            gid: 0,
            mtime: 0,
            xattrs: std::collections::BTreeMap::new(),
        };
        assert!(suggested_bytes(&[node], 512 * MIB) > (4096 + 512 + 1539) * MIB);
    }
}
