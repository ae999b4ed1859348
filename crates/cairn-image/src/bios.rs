// SPDX-License-Identifier: MIT OR Apache-2.0
//! GRUB for BIOS machines: `boot.img` in the master boot record, `core.img` in the BIOS boot partition.
//!
//! The offsets are those of GRUB 2.12: `include/grub/i386/pc/boot.h`, `grub-core/boot/i386/pc/diskboot.S` and
//! `util/setup.c`. The modules come from Debian's `grub-pc-bin` in the tools tree; no other file of GRUB is needed on
//! the disk.

use crate::error::ImageError;
use crate::filesystem::{Fat, Workshop};
use crate::gpt::{Partition, SECTOR};

/// Modules built into the core image of disks.
const MODULES: [&str; 28] = [
    "biosdisk",
    "part_gpt",
    "part_msdos",
    "fat",
    "ext2",
    "search",
    "search_fs_uuid",
    "search_label",
    "search_fs_file",
    "normal",
    "configfile",
    "linux",
    "loadenv",
    "test",
    "echo",
    "serial",
    "terminal",
    "sleep",
    "regexp",
    "reboot",
    "halt",
    "boot",
    "minicmd",
    "ls",
    "cat",
    "true",
    "all_video",
    "keystatus",
];

const KERNEL_SECTOR: usize = 0x5c;
const BOOT_DRIVE: usize = 0x64;
const DRIVE_CHECK: usize = 0x66;
/// The last block list entry of `diskboot.img`: start (8 bytes), length (2), segment (2).
const BLOCK_LIST: usize = 0x1f4;
const CORE_SEGMENT: u16 = 0x820;
/// End of the boot code; disk signature and partition table follow.
const CODE_END: usize = 440;

/// GRUB's two pieces, addressed to each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BiosBoot {
    /// First 440 bytes of the disk.
    pub boot_code: Vec<u8>,
    /// Content of the BIOS boot partition, from its first sector.
    pub core: Vec<u8>,
}

/// Makes GRUB for a disk whose ESP has the given volume serial number and partition number.
pub fn make(
    workshop: &Workshop,
    esp: (&Partition, u32),
    bios_partition: &Partition,
) -> Result<BiosBoot, ImageError> {
    let (esp_partition, serial) = esp;
    let prefix = format!("(,gpt{})/EFI/debian", esp_partition.number);
    let core = workshop.make_grub_image("i386-pc", (&prefix, &early_config(serial)), &MODULES)?;
    let boot_image = workshop.tools()?.read("usr/lib/grub/i386-pc/boot.img")?;
    embed(&boot_image, &core, bios_partition)
}

/// Makes GRUB for disks that are partitioned later: `boot.img` and `core.img`, to be joined by [`embed`]. The ESP must be the
/// partition of that number on the disk GRUB is started from.
pub fn make_portable(
    workshop: &Workshop,
    esp_number: u32,
) -> Result<(Vec<u8>, Vec<u8>), ImageError> {
    let prefix = format!("(,gpt{esp_number})/EFI/debian");
    let early = "# The prefix names the partition on the disk GRUB was started from.\n";
    let core = workshop.make_grub_image("i386-pc", (&prefix, early), &MODULES)?;
    Ok((workshop.tools()?.read("usr/lib/grub/i386-pc/boot.img")?, core))
}

/// Returns the configuration that is built into the core image: find the ESP, and the static configuration on it.
///
/// The partition GRUB was started beside comes first, so that a second disk with the same image does no harm.
fn early_config(esp_serial: u32) -> String {
    format!(
        "search.fs_uuid {} root $root\nset prefix=($root)/EFI/debian\n",
        Fat::uuid_text(esp_serial)
    )
}

/// Addresses `boot.img` and `core.img` to each other for a core image at the start of `partition`.
pub fn embed(
    boot_image: &[u8],
    core: &[u8],
    partition: &Partition,
) -> Result<BiosBoot, ImageError> {
    let unusable = |file, reason: &str| ImageError::GrubImage { file, reason: reason.to_owned() };
    if boot_image.len() != SECTOR as usize || boot_image[510..] != [0x55, 0xaa] {
        return Err(unusable("boot.img", "expected 512 bytes that end in 55 aa"));
    }
    let n_sectors = core.len().div_ceil(SECTOR as usize);
    let Ok(rest) = u16::try_from(n_sectors.saturating_sub(1)) else {
        return Err(unusable("core.img", "it has more than 65536 sectors"));
    };
    if rest == 0 {
        return Err(unusable("core.img", "it is shorter than two sectors"));
    }
    if n_sectors as u64 * SECTOR > partition.size() {
        return Err(ImageError::PartitionTooSmall {
            partition: partition.name.clone(),
            needed: n_sectors as u64 * SECTOR,
            available: partition.size(),
        });
    }
    let mut boot_code = boot_image[..CODE_END].to_vec();
    boot_code[KERNEL_SECTOR..KERNEL_SECTOR + 8].copy_from_slice(&partition.first_lba.to_le_bytes());
    boot_code[BOOT_DRIVE] = 0xff;
    // As GRUB's own setup does on hard disks: some BIOSes pass a wrong drive number, so the check is switched on.
    boot_code[DRIVE_CHECK..DRIVE_CHECK + 2].copy_from_slice(&[0x90, 0x90]);
    let mut core = core.to_vec();
    core.resize(n_sectors * SECTOR as usize, 0);
    core[BLOCK_LIST..BLOCK_LIST + 8].copy_from_slice(&(partition.first_lba + 1).to_le_bytes());
    core[BLOCK_LIST + 8..BLOCK_LIST + 10].copy_from_slice(&rest.to_le_bytes());
    core[BLOCK_LIST + 10..BLOCK_LIST + 12].copy_from_slice(&CORE_SEGMENT.to_le_bytes());
    Ok(BiosBoot { boot_code, core })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpt::{DiskLayout, MIB, PartitionKind, PartitionRequest, Size};

    fn partition() -> Partition {
        let requests = [PartitionRequest { kind: PartitionKind::BiosBoot, size: Size::Bytes(MIB) }];
        DiskLayout::plan("seed", 8 * MIB, &requests).unwrap().partitions.remove(0)
    }

    fn boot_image() -> Vec<u8> {
        let mut bytes = vec![0xcc; 512];
        bytes[510..].copy_from_slice(&[0x55, 0xaa]);
        bytes
    }

    #[test]
    fn pieces_point_at_each_other() {
        let boot = embed(&boot_image(), &vec![0xdd; 1025], &partition()).unwrap();
        assert_eq!(boot.boot_code.len(), 440);
        assert_eq!(boot.boot_code[0x5c..0x68], [0, 8, 0, 0, 0, 0, 0, 0, 0xff, 0xcc, 0x90, 0x90]);
        assert_eq!(boot.core.len(), 3 * 512);
        assert_eq!(boot.core[0x1f4..0x200], [1, 8, 0, 0, 0, 0, 0, 0, 2, 0, 0x20, 8]);
        assert_eq!(boot.core[1024..1027], [0xdd, 0, 0]);
    }

    #[test]
    fn unusable_images_are_refused() {
        assert!(matches!(
            embed(&[0; 512], &[0; 1024], &partition()),
            Err(ImageError::GrubImage { .. })
        ));
        assert!(matches!(
            embed(&boot_image(), &[0; 512], &partition()),
            Err(ImageError::GrubImage { .. })
        ));
        let error = embed(&boot_image(), &vec![0; MIB as usize + 1], &partition()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "partition `bios-boot` is too small (expected at least 1049088 bytes, found 1048576)"
        );
    }
}
