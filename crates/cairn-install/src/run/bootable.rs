// SPDX-License-Identifier: MIT OR Apache-2.0
//! What makes the disk start, and the proof that it will: everything is read back from the disk and compared.

use std::collections::BTreeSet;
use std::io::{Read, Seek as _, SeekFrom};

use cairn_host::{HostError, Root, Tool};
use cairn_image::bios::{self, BiosBoot};
use cairn_image::boot::{BootFiles, BootSearch, GrubSettings};
use cairn_image::esp;
use cairn_image::gpt::{Partition, PartitionKind, SECTOR};
use cairn_image::guid::Guid;
use cairn_image::iso::{ANSWERS, installed_marker};
use cairn_pkg::rpmdb::{Access, RpmDb};
use sha2::{Digest, Sha256};

use super::{call, write_disk};
use crate::error::InstallError;
use crate::medium::{BIOS, Medium};
use crate::plan::{ESP, Plan};

/// The installer's entry in the firmware's boot list.
const ENTRY: &str = "Cairn Linux";
/// The file it starts, on the ESP.
const LOADER: &str = "\\EFI\\debian\\shimx64.efi";

/// What was written outside of file systems.
pub(super) struct Embedded {
    bios: Option<(BiosBoot, u64)>,
}

/// Before packages come: what the kernel's own scriptlet (`kernel-install`, `cairn-boot`) needs.
pub(super) fn prepare(plan: &Plan, target: &Root) -> Result<(), InstallError> {
    target.mkdir_all("etc/kernel", 0o755)?;
    target.write_atomic("etc/kernel/cmdline", format!("{}\n", plan.cmdline).as_bytes(), 0o644)?;
    let settings =
        GrubSettings { boot: BootSearch::Uuid(plan.boot_uuid.clone()), ..GrubSettings::default() };
    Ok(boot_files(target)?.write_configuration(&settings)?)
}

fn boot_files(target: &Root) -> Result<BootFiles, InstallError> {
    Ok(BootFiles::new(target.open_root("boot")?, target.open_root("boot/efi")?))
}

/// Writes the boot loaders; returns what was written outside of file systems, and what is worth knowing.
pub(super) fn install(
    plan: &Plan,
    medium: &Medium,
    target: &Root,
) -> Result<(Embedded, Vec<String>), InstallError> {
    let mut notes = Vec::new();
    esp::install(target, &target.open_root("boot/efi")?)?;
    boot_files(target)?.update()?;
    mark_installed(medium, target)?;
    let bios = if plan.target.sector == SECTOR as u32 { Some(embed(plan, medium)?) } else { None };
    if plan.firmware.is_uefi()
        && let Err(error) = enter_in_boot_list(plan)
    {
        // The firmware finds EFI/BOOT/BOOTX64.EFI by itself.
        notes.push(format!("the firmware's boot list was not changed: {}", error.reason()));
    }
    Ok((Embedded { bios }, notes))
}

/// A medium with answers that stays in the machine shall start the new system, not install again.
fn mark_installed(medium: &Medium, target: &Root) -> Result<(), InstallError> {
    if medium.root.exists(ANSWERS)? {
        let marker = installed_marker(&medium.root.read(ANSWERS)?);
        target.write(format!("boot/{marker}"), b"", 0o644)?;
    }
    Ok(())
}

/// Writes GRUB for BIOS: the core image first, then the code that loads it.
fn embed(plan: &Plan, medium: &Medium) -> Result<(BiosBoot, u64), InstallError> {
    let partition = bios_partition(plan)?;
    let boot_image = medium.root.read(format!("{BIOS}/boot.img"))?;
    let core = medium.root.read(format!("{BIOS}/core.img"))?;
    let boot = bios::embed(&boot_image, &core, &partition)?;
    write_disk(&plan.target.path, &[(partition.offset(), &boot.core), (0, &boot.boot_code)])?;
    let offset = partition.offset();
    Ok((boot, offset))
}

fn bios_partition(plan: &Plan) -> Result<Partition, InstallError> {
    let kind = PartitionKind::BiosBoot;
    let planned =
        plan.table.partitions.first().filter(|part| part.kind == kind.type_guid().to_string());
    let missing = || InstallError::Machine("the plan has no BIOS boot partition".to_owned());
    let planned = planned.ok_or_else(missing)?;
    let sectors_per_mib = (1 << 20) / SECTOR;
    let first_lba = planned.start_mib * sectors_per_mib;
    Ok(Partition {
        number: 1,
        kind,
        name: planned.name.clone(),
        guid: planned.guid.parse::<Guid>().map_err(|_| missing())?,
        first_lba,
        last_lba: first_lba + planned.size_mib * sectors_per_mib - 1,
    })
}

/// Enters the system in the firmware's boot list, first. Entries of ours whose partition is gone are removed; no other is touched.
fn enter_in_boot_list(plan: &Plan) -> Result<(), InstallError> {
    let present: BTreeSet<String> =
        call(Tool::Lsblk, &["--noheadings", "--raw", "--output", "PARTUUID"])?
            .lines()
            .map(|line| line.trim().to_lowercase())
            .collect();
    for number in stale_entries(&call(Tool::Efibootmgr, &["--verbose"])?, &present) {
        call(Tool::Efibootmgr, &["--quiet", "--bootnum", &number, "--delete-bootnum"])?;
    }
    let number = ESP.to_string();
    let arguments = [
        "--quiet",
        "--create",
        "--disk",
        &plan.target.path,
        "--part",
        &number,
        "--label",
        ENTRY,
        "--loader",
        LOADER,
    ];
    call(Tool::Efibootmgr, &arguments).map(drop)
}

/// Returns the numbers of entries of ours whose partition does not exist any more.
fn stale_entries(listing: &str, present: &BTreeSet<String>) -> Vec<String> {
    let mut stale = Vec::new();
    for line in listing.lines() {
        let Some(rest) = line.strip_prefix("Boot") else { continue };
        let Some((number, text)) = rest.split_at_checked(4) else { continue };
        // The label ends at a tab.
        let Some((label, path)) = text.trim_start_matches('*').trim_start().split_once('\t') else {
            continue;
        };
        if label != ENTRY {
            continue;
        }
        let partition = path.split("GPT,").nth(1).and_then(|rest| rest.split(',').next());
        if partition.is_some_and(|guid| !present.contains(&guid.to_lowercase())) {
            stale.push(number.to_owned());
        }
    }
    stale
}

/// Reads everything back that starting needs. The file systems were unmounted and mounted again before.
pub(super) fn verify(
    plan: &Plan,
    embedded: Option<&Embedded>,
    target: &Root,
) -> Result<(), InstallError> {
    let mut problems = Vec::new();
    verify_table(plan, &mut problems)?;
    if let Some(Embedded { bios: Some((boot, offset)) }) = embedded {
        verify_bios(plan, boot, *offset, &mut problems)?;
    }
    for (device, uuid) in [
        (plan.partition(ESP), &plan.esp_uuid),
        (plan.partition(crate::plan::BOOT), &plan.boot_uuid),
        (plan.root_device(), &plan.root_uuid),
    ] {
        let found =
            call(Tool::Blkid, &["--probe", "--output", "value", "--match-tag", "UUID", &device])?;
        if found.trim() != uuid {
            problems.push(format!("{device} has the UUID {} (expected {uuid})", found.trim()));
        }
    }
    let boot = boot_files(target)?;
    problems.extend(boot.verify()?.iter().map(ToString::to_string));
    for path in esp::differences(target, &target.open_root("boot/efi")?)? {
        problems.push(format!("`ESP:/{path}` is missing or differs from the package"));
    }
    verify_entries(plan, target, &boot, &mut problems)?;
    if problems.is_empty() { Ok(()) } else { Err(InstallError::NotBootable(problems)) }
}

fn verify_table(plan: &Plan, problems: &mut Vec<String>) -> Result<(), InstallError> {
    let text = call(Tool::Sfdisk, &["--json", &plan.target.path])?;
    let value: serde_json::Value = serde_json::from_str(&text).map_err(|error| {
        InstallError::Machine(format!("sfdisk wrote something else than JSON: {error}"))
    })?;
    let found = value["partitiontable"]["partitions"].as_array().cloned().unwrap_or_default();
    let sectors_per_mib = (1 << 20) / u64::from(plan.target.sector.max(512));
    if found.len() != plan.table.partitions.len() {
        problems.push(format!(
            "the table has {} partitions (expected {})",
            found.len(),
            plan.table.partitions.len()
        ));
    }
    for (planned, found) in plan.table.partitions.iter().zip(&found) {
        let text = |key: &str| found[key].as_str().unwrap_or_default().to_lowercase();
        let number = |key: &str| found[key].as_u64().unwrap_or(0);
        let same = text("uuid") == planned.guid.to_lowercase()
            && text("type") == planned.kind.to_lowercase()
            && number("start") == planned.start_mib * sectors_per_mib
            && number("size") == planned.size_mib * sectors_per_mib;
        if !same {
            problems.push(format!("the partition `{}` is not as planned", planned.name));
        }
    }
    Ok(())
}

fn verify_bios(
    plan: &Plan,
    boot: &BiosBoot,
    offset: u64,
    problems: &mut Vec<String>,
) -> Result<(), InstallError> {
    let path = &plan.target.path;
    let failed = |source| HostError::Io { operation: "read", path: path.into(), source };
    let mut disk = Root::open("/")?.open_read(&path[1..])?;
    for (offset, expected, what) in
        [(0, &boot.boot_code, "the boot code"), (offset, &boot.core, "GRUB for BIOS")]
    {
        let mut found = vec![0; expected.len()];
        disk.seek(SeekFrom::Start(offset)).map_err(failed)?;
        disk.read_exact(&mut found).map_err(failed)?;
        if found != *expected {
            problems.push(format!("{what} on {path} is not what was written"));
        }
    }
    Ok(())
}

/// Every entry starts the planned root with a kernel and an initramfs that are those of an installed package.
fn verify_entries(
    plan: &Plan,
    target: &Root,
    boot: &BootFiles,
    problems: &mut Vec<String>,
) -> Result<(), InstallError> {
    let database = RpmDb::open(target, Access::ReadOnly)?;
    for entry in boot.list()? {
        if !entry.options.contains(&format!("root=UUID={}", plan.root_uuid)) {
            problems.push(format!("the entry `{}` does not name the root file system", entry.id));
        }
        let places = std::iter::once((&entry.linux, "vmlinuz"))
            .chain(entry.initrds.iter().map(|path| (path, "initrd")));
        let mut n_files = 0;
        for (path, name) in places {
            n_files += 1;
            let packaged = format!("/usr/lib/modules/{}/{name}", entry.version);
            let found = hex::encode(Sha256::digest(
                target.read(format!("boot/{}", path.trim_start_matches('/')))?,
            ));
            let expected = packaged_digest(&database, &packaged)?;
            if expected.as_deref() != Some(found.as_str()) {
                problems.push(format!("`/boot{path}` is not `{packaged}` of an installed package"));
            }
        }
        if n_files < 2 {
            problems.push(format!("the entry `{}` has no initramfs", entry.id));
        }
    }
    Ok(())
}

/// Returns the digest that a package records for a file.
fn packaged_digest(database: &RpmDb, path: &str) -> Result<Option<String>, InstallError> {
    for package in database.packages()? {
        if !package.header.name().starts_with("kernel") {
            continue;
        }
        if let Some(file) = package.header.files().into_iter().find(|file| file.path == path) {
            return Ok(Some(file.digest));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_entries_of_ours_without_a_partition_are_stale() {
        let listing = "BootCurrent: 0001\nTimeout: 0 seconds\nBootOrder: 0003,0000\n\
            Boot0000* UiApp\tFvVol(7cb8bdc9)\n\
            Boot0003* Cairn Linux\tHD(2,GPT,AAAA1111-0000-0000-0000-000000000000,0x1000,0x100000)/\\EFI\\debian\\shimx64.efi\n\
            Boot0004* Cairn Linux\tHD(2,GPT,bbbb1111-0000-0000-0000-000000000000,0x1000,0x100000)/\\EFI\\debian\\shimx64.efi\n\
            Boot0005* Cairn Linux 9\tHD(2,GPT,cccc1111-0000-0000-0000-000000000000,0x1000,0x100000)\n\
            Boot0006* debian\tHD(1,GPT,dddd1111-0000-0000-0000-000000000000,0x800,0x100000)\n";
        let present =
            BTreeSet::from(["aaaa1111-0000-0000-0000-000000000000".to_owned(), String::new()]);
        assert_eq!(stale_entries(listing, &present), ["0004"]);
    }
}
