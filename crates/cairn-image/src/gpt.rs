// SPDX-License-Identifier: MIT OR Apache-2.0
//! Disk layouts as plain values, and the GUID partition table that stores them (UEFI 2.10, section 5).
//!
//! A [`DiskLayout`] is planned first, can be printed and compared, and only then written with
//! [`DiskLayout::table_blocks`]. Sectors are 512 bytes; partitions are aligned to 1 MiB.

use std::fmt;

use crc32fast::hash as crc32;

use crate::guid::Guid;

/// Bytes in one sector (logical block).
pub const SECTOR: u64 = 512;
/// Bytes in one mebibyte; every partition starts and ends on a multiple of it.
pub const MIB: u64 = 1024 * 1024;

const ENTRY_COUNT: u32 = 128;
const ENTRY_SIZE: u32 = 128;
const TABLE_SECTORS: u64 = (ENTRY_COUNT as u64 * ENTRY_SIZE as u64) / SECTOR;
const FIRST_USABLE: u64 = 2 + TABLE_SECTORS;

/// What a partition is for; decides its type GUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartitionKind {
    /// Holds GRUB's core image for BIOS machines; no file system.
    BiosBoot,
    /// EFI system partition (FAT).
    Esp,
    /// `/boot`, the "extended boot loader partition" of the Boot Loader Specification.
    Boot,
    /// x86-64 root file system.
    Root,
    /// Any Linux data.
    Linux,
    /// Swap space.
    Swap,
    /// LVM physical volume.
    Lvm,
    /// Member of a Linux software RAID.
    Raid,
    /// LUKS container.
    Luks,
}

impl PartitionKind {
    /// Returns the partition type GUID.
    pub fn type_guid(self) -> Guid {
        let text = match self {
            Self::BiosBoot => "21686148-6449-6e6f-744e-656564454649",
            Self::Esp => "c12a7328-f81f-11d2-ba4b-00a0c93ec93b",
            Self::Boot => "bc13c2ff-59e6-4262-a352-b275fd6f7172",
            Self::Root => "4f68bce3-e8cd-4db1-96e7-fbcaf984b709",
            Self::Linux => "0fc63daf-8483-4772-8e79-3d69d8477de4",
            Self::Swap => "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f",
            Self::Lvm => "e6d6d379-f507-44c2-a23c-238f2a3df928",
            Self::Raid => "a19d880f-05fc-4d3b-a006-743f0f84911e",
            Self::Luks => "ca7d7ccb-63ed-4c53-861c-1742536059cc",
        };
        text.parse().expect("the table above holds well-formed GUIDs")
    }

    /// Returns the GPT partition name.
    pub fn name(self) -> &'static str {
        match self {
            Self::BiosBoot => "bios-boot",
            Self::Esp => "esp",
            Self::Boot => "boot",
            Self::Root => "root",
            Self::Linux => "linux",
            Self::Swap => "swap",
            Self::Lvm => "lvm",
            Self::Raid => "raid",
            Self::Luks => "luks",
        }
    }
}

/// One partition of a layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// Number in the table, from 1.
    pub number: u32,
    /// What it is for.
    pub kind: PartitionKind,
    /// GPT partition name, at most 36 UTF-16 units.
    pub name: String,
    /// Unique partition GUID.
    pub guid: Guid,
    /// First sector.
    pub first_lba: u64,
    /// Last sector, inclusive.
    pub last_lba: u64,
}

impl Partition {
    /// Returns the offset of the first byte on the disk.
    pub fn offset(&self) -> u64 {
        self.first_lba * SECTOR
    }

    /// Returns the size in bytes.
    pub fn size(&self) -> u64 {
        (self.last_lba - self.first_lba + 1) * SECTOR
    }
}

/// Size of a requested partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// This many bytes, rounded up to whole MiB.
    Bytes(u64),
    /// All that is left; only for the last partition.
    Rest,
}

/// A partition asked for when planning a layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionRequest {
    /// What it is for.
    pub kind: PartitionKind,
    /// How large it shall be.
    pub size: Size,
}

/// Where everything lies on a disk: a plain value that can be printed, compared and then written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskLayout {
    /// Size of the whole disk in bytes, a multiple of 512.
    pub total_bytes: u64,
    /// GUID of the disk.
    pub disk_guid: Guid,
    /// The partitions, by number.
    pub partitions: Vec<Partition>,
}

/// A layout that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// The partitions need more room than the disk has.
    #[error("the disk is too small (expected at least {needed} MiB, found {available} MiB)")]
    TooSmall {
        /// MiB needed for partitions and tables.
        needed: u64,
        /// MiB of the disk.
        available: u64,
    },
    /// [`Size::Rest`] was asked for a partition that is not the last.
    #[error("partition {number} (`{name}`) takes the rest of the disk but is not the last one")]
    RestNotLast {
        /// Partition number.
        number: u32,
        /// Partition name.
        name: String,
    },
    /// More partitions than a table holds.
    #[error("too many partitions (expected at most 128, found {0})")]
    TooMany(usize),
}

impl LayoutError {
    /// Returns what an operator can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::TooSmall { needed, .. } => {
                Some(format!("give the disk a size of {needed} MiB or more"))
            }
            Self::RestNotLast { .. } => Some("give every partition but the last a size".to_owned()),
            Self::TooMany(_) => None,
        }
    }
}

/// Returns Cairn's default partitions: 1 MiB BIOS boot, 512 MiB ESP, 1 GiB `/boot`, root in the rest.
pub fn default_partitions() -> Vec<PartitionRequest> {
    [
        (PartitionKind::BiosBoot, Size::Bytes(MIB)),
        (PartitionKind::Esp, Size::Bytes(512 * MIB)),
        (PartitionKind::Boot, Size::Bytes(1024 * MIB)),
        (PartitionKind::Root, Size::Rest),
    ]
    .map(|(kind, size)| PartitionRequest { kind, size })
    .into()
}

impl DiskLayout {
    /// Plans a layout for a disk of `total_bytes` (rounded down to whole sectors).
    ///
    /// GUIDs follow from `seed`, the partition number and its kind. The first MiB and the last stay free for the tables.
    pub fn plan(
        seed: &str,
        total_bytes: u64,
        requests: &[PartitionRequest],
    ) -> Result<Self, LayoutError> {
        if requests.len() > ENTRY_COUNT as usize {
            return Err(LayoutError::TooMany(requests.len()));
        }
        let total_bytes = total_bytes / SECTOR * SECTOR;
        let limit = (total_bytes.saturating_sub((TABLE_SECTORS + 1) * SECTOR)) / MIB;
        let mut next = 1;
        let mut partitions = Vec::new();
        let mut needed = 2;
        for (index, request) in requests.iter().enumerate() {
            let number = index as u32 + 1;
            let mib = match request.size {
                Size::Bytes(bytes) => bytes.div_ceil(MIB).max(1),
                Size::Rest if index + 1 < requests.len() => {
                    return Err(LayoutError::RestNotLast {
                        number,
                        name: request.kind.name().to_owned(),
                    });
                }
                Size::Rest => limit.saturating_sub(next).max(1),
            };
            needed += mib;
            let guid = Guid::derive(seed, &format!("partition {number} {}", request.kind.name()));
            partitions.push(Partition {
                number,
                kind: request.kind,
                name: request.kind.name().to_owned(),
                guid,
                first_lba: next * MIB / SECTOR,
                last_lba: (next + mib) * MIB / SECTOR - 1,
            });
            next += mib;
        }
        if next > limit {
            return Err(LayoutError::TooSmall { needed, available: total_bytes / MIB });
        }
        Ok(Self { total_bytes, disk_guid: Guid::derive(seed, "disk"), partitions })
    }

    /// Returns the first partition of `kind`.
    pub fn find(&self, kind: PartitionKind) -> Option<&Partition> {
        self.partitions.iter().find(|partition| partition.kind == kind)
    }

    /// Returns the protective MBR, both headers and both tables as (byte offset, bytes) pairs to be written to the disk.
    pub fn table_blocks(&self) -> Vec<(u64, Vec<u8>)> {
        let last = self.total_bytes / SECTOR - 1;
        let entries = self.entries();
        let entries_crc = crc32(&entries);
        let backup_table = last - TABLE_SECTORS;
        let header =
            |own, other, table| self.header(HeaderPlace { own, other, table }, last, entries_crc);
        vec![
            (0, protective_mbr(last)),
            (SECTOR, header(1, last, 2)),
            (2 * SECTOR, entries.clone()),
            (backup_table * SECTOR, entries),
            (last * SECTOR, header(last, 1, backup_table)),
        ]
    }

    fn entries(&self) -> Vec<u8> {
        let mut bytes = vec![0; (ENTRY_COUNT * ENTRY_SIZE) as usize];
        for partition in &self.partitions {
            let start = (partition.number as usize - 1) * ENTRY_SIZE as usize;
            let entry = &mut bytes[start..start + ENTRY_SIZE as usize];
            entry[0..16].copy_from_slice(&partition.kind.type_guid().to_disk_bytes());
            entry[16..32].copy_from_slice(&partition.guid.to_disk_bytes());
            entry[32..40].copy_from_slice(&partition.first_lba.to_le_bytes());
            entry[40..48].copy_from_slice(&partition.last_lba.to_le_bytes());
            for (index, unit) in partition.name.encode_utf16().take(36).enumerate() {
                entry[56 + index * 2..58 + index * 2].copy_from_slice(&unit.to_le_bytes());
            }
        }
        bytes
    }

    fn header(&self, place: HeaderPlace, last: u64, entries_crc: u32) -> Vec<u8> {
        let mut bytes = vec![0; SECTOR as usize];
        bytes[0..8].copy_from_slice(b"EFI PART");
        bytes[8..12].copy_from_slice(&0x0001_0000_u32.to_le_bytes());
        bytes[12..16].copy_from_slice(&92_u32.to_le_bytes());
        bytes[24..32].copy_from_slice(&place.own.to_le_bytes());
        bytes[32..40].copy_from_slice(&place.other.to_le_bytes());
        bytes[40..48].copy_from_slice(&FIRST_USABLE.to_le_bytes());
        bytes[48..56].copy_from_slice(&(last - TABLE_SECTORS - 1).to_le_bytes());
        bytes[56..72].copy_from_slice(&self.disk_guid.to_disk_bytes());
        bytes[72..80].copy_from_slice(&place.table.to_le_bytes());
        bytes[80..84].copy_from_slice(&ENTRY_COUNT.to_le_bytes());
        bytes[84..88].copy_from_slice(&ENTRY_SIZE.to_le_bytes());
        bytes[88..92].copy_from_slice(&entries_crc.to_le_bytes());
        let crc = crc32(&bytes[..92]);
        bytes[16..20].copy_from_slice(&crc.to_le_bytes());
        bytes
    }
}

struct HeaderPlace {
    own: u64,
    other: u64,
    table: u64,
}

fn protective_mbr(last: u64) -> Vec<u8> {
    let mut bytes = vec![0; SECTOR as usize];
    let entry = &mut bytes[446..462];
    entry[1..4].copy_from_slice(&[0x00, 0x02, 0x00]);
    entry[4] = 0xee;
    entry[5..8].copy_from_slice(&[0xff, 0xff, 0xff]);
    entry[8..12].copy_from_slice(&1_u32.to_le_bytes());
    entry[12..16].copy_from_slice(&u32::try_from(last).unwrap_or(u32::MAX).to_le_bytes());
    bytes[510..512].copy_from_slice(&[0x55, 0xaa]);
    bytes
}

impl fmt::Display for DiskLayout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "GPT {} {} MiB", self.disk_guid, self.total_bytes / MIB)?;
        writeln!(f, "{:>2}  {:<9}  {:>9}  {:>9}  guid", "#", "name", "start MiB", "size MiB")?;
        for partition in &self.partitions {
            writeln!(
                f,
                "{:>2}  {:<9}  {:>9}  {:>9}  {}",
                partition.number,
                partition.name,
                partition.offset() / MIB,
                partition.size() / MIB,
                partition.guid
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use expect_test::expect;

    use super::*;

    fn write(layout: &DiskLayout) -> Vec<u8> {
        let mut disk = vec![0; layout.total_bytes as usize];
        for (offset, bytes) in layout.table_blocks() {
            disk[offset as usize..offset as usize + bytes.len()].copy_from_slice(&bytes);
        }
        disk
    }

    #[test]
    fn default_layout_as_a_table() {
        let layout = DiskLayout::plan("cairn 0.1", 4096 * MIB, &default_partitions()).unwrap();
        expect![[r#"
            GPT 423f65dd-f39d-84bc-a700-147aa73d2154 4096 MiB
             #  name       start MiB   size MiB  guid
             1  bios-boot          1          1  ced9b68c-8598-88e0-9e92-24b78cda18f9
             2  esp                2        512  fc74885a-d68f-8285-946c-7b559271e276
             3  boot             514       1024  e5e38d03-488a-817b-9893-39591f6d66db
             4  root            1538       2557  f14bea6a-18d9-8fd7-aadd-9b55dc36d0cd
        "#]]
        .assert_eq(&layout.to_string());
    }

    #[test]
    fn another_implementation_reads_both_tables() {
        let requests = [
            PartitionRequest { kind: PartitionKind::BiosBoot, size: Size::Bytes(MIB) },
            PartitionRequest { kind: PartitionKind::Esp, size: Size::Bytes(3 * MIB - 5) },
            PartitionRequest { kind: PartitionKind::Root, size: Size::Rest },
        ];
        let layout = DiskLayout::plan("seed", 16 * MIB + 700, &requests).unwrap();
        let mut disk = write(&layout);
        for damaged in [false, true] {
            if damaged {
                disk[SECTOR as usize..2 * SECTOR as usize].fill(0);
            }
            let gpt = gptman::GPT::read_from(&mut Cursor::new(&disk), SECTOR).unwrap();
            assert_eq!(gpt.header.disk_guid, layout.disk_guid.to_disk_bytes());
            assert_eq!(gpt.header.first_usable_lba, 34);
            assert_eq!(gpt.header.last_usable_lba, layout.total_bytes / SECTOR - 34);
            for partition in &layout.partitions {
                let read = &gpt[partition.number];
                assert_eq!(read.partition_name.as_str(), partition.name);
                assert_eq!(
                    (read.starting_lba, read.ending_lba),
                    (partition.first_lba, partition.last_lba)
                );
                assert_eq!(read.partition_type_guid, partition.kind.type_guid().to_disk_bytes());
                assert_eq!(read.unique_partition_guid, partition.guid.to_disk_bytes());
            }
            assert!(gpt[4].is_unused());
        }
        assert_eq!(layout.partitions[2].size(), 10 * MIB);
        assert_eq!(disk[450], 0xee);
    }

    #[test]
    fn impossible_layouts_are_refused() {
        let error = DiskLayout::plan("s", 1024 * MIB, &default_partitions()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the disk is too small (expected at least 1540 MiB, found 1024 MiB)"
        );
        assert!(DiskLayout::plan("s", 1540 * MIB, &default_partitions()).is_ok());
        let rest = PartitionRequest { kind: PartitionKind::Root, size: Size::Rest };
        let error = DiskLayout::plan("s", 64 * MIB, &[rest.clone(), rest]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "partition 1 (`root`) takes the rest of the disk but is not the last one"
        );
    }
}
