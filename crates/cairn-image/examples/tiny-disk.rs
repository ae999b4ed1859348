// SPDX-License-Identifier: MIT OR Apache-2.0
//! Builds a small bootable disk whose init prints a marker on the serial line and switches off. For boot tests:
//! `tiny-disk TOOLS_TREE SCRATCH KERNEL BUSYBOX OUTPUT`.
//!
//! Two entries are made, `6.1.1` (the default) and `6.1.2` (on trial); init prints `CAIRN-MARKER` and the kernel's
//! command line, which holds `cairn.entry=VERSION`.

use std::error::Error;
use std::path::PathBuf;

use cairn_host::{Root, Sandbox};
use cairn_image::boot::{BootFiles, GrubSettings, NewEntry, Trial};
use cairn_image::disk::{DEFAULT_BYTES, DiskContent, DiskPlan, build};
use cairn_image::filesystem::Workshop;
use cairn_image::manifest::{Entry, Kind, Manifest};
use cairn_image::{esp, initramfs};

const SOURCE_DATE: u32 = 1_750_000_000;
const INIT: &str = "#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
echo CAIRN-MARKER $(/bin/busybox cat /proc/cmdline)
/bin/busybox poweroff -f
";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [tools, scratch, kernel, busybox, output] = arguments.as_slice() else {
        return Err("usage: tiny-disk TOOLS_TREE SCRATCH KERNEL BUSYBOX OUTPUT".into());
    };
    let (kernel, busybox) = (std::fs::read(kernel)?, std::fs::read(busybox)?);
    let initrd = make_initrd(&Root::create(scratch.join("initramfs"))?, &busybox)?;
    let plan = DiskPlan::new("tiny disk", DEFAULT_BYTES)?;
    let staging = Root::create(scratch.join("staging"))?;
    let manifest = fill_staging(&staging, &plan)?;
    let esp_root = Root::create(scratch.join("esp"))?;
    esp::install(&Root::open(tools)?, &esp_root)?;
    let boot = BootFiles::new(staging.open_root("boot")?, esp_root.clone());
    boot.write_configuration(&GrubSettings {
        boot: plan.boot_search(),
        ..GrubSettings::default()
    })?;
    for version in ["6.1.1", "6.1.2"] {
        let options = format!("console=ttyS0,115200 quiet x=\"a b\" cairn.entry={version}");
        boot.add(&NewEntry {
            version,
            title: "Tiny",
            options: &options,
            kernel: &kernel,
            initrd: Some(&initrd),
            machine_id: None,
            trial: Trial::Required,
        })?;
    }
    let files = Root::create(scratch.join("files"))?;
    let workshop = Workshop::new(&Sandbox::new(tools), files.path_for_display(), SOURCE_DATE);
    build(
        &workshop,
        &plan,
        DiskContent { staging: &staging, manifest: &manifest, esp: &esp_root },
        output,
    )?;
    std::fs::write(output.with_extension("txt"), plan.to_string())?;
    Ok(())
}

fn make_initrd(root: &Root, busybox: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    for directory in ["bin", "proc", "dev"] {
        root.mkdir_all(directory, 0o755)?;
    }
    root.write("bin/busybox", busybox, 0o755)?;
    root.write("init", INIT.as_bytes(), 0o755)?;
    let mut manifest = Manifest::new();
    manifest
        .insert("dev/console", Entry { rdev: Some((5, 1)), ..Entry::new(Kind::CharDevice, 0o600) });
    Ok(initramfs::build(root, &manifest, SOURCE_DATE, 3)?)
}

/// A root file system with one of everything that is hard to store.
fn fill_staging(staging: &Root, plan: &DiskPlan) -> Result<Manifest, Box<dyn Error>> {
    for directory in ["boot/efi", "etc", "usr/bin", "dev", "var/tmp"] {
        staging.mkdir_all(directory, 0o755)?;
    }
    staging.write("etc/fstab", plan.fstab().as_bytes(), 0o644)?;
    staging.write("etc/shadow", b"root:*::0:99999:7:::\n", 0o600)?;
    staging.write("usr/bin/ping", b"ping", 0o755)?;
    staging.write("usr/bin/su", b"su", 0o755)?;
    if !staging.exists("usr/bin/ping6")? {
        staging.hard_link("usr/bin/ping", "usr/bin/ping6")?;
        staging.symlink("usr/bin", "bin")?;
    }
    let mut manifest = Manifest::new();
    manifest.insert("etc/shadow", Entry::new(Kind::File, 0o640).owned_by(0, 42));
    manifest.insert("usr/bin/su", Entry::new(Kind::File, 0o4755));
    manifest.insert("var/tmp", Entry::new(Kind::Directory, 0o1777));
    for path in ["usr/bin/ping", "usr/bin/ping6"] {
        manifest.insert(
            path,
            Entry { caps: "cap_net_raw=ep".to_owned(), ..Entry::new(Kind::File, 0o755) },
        );
    }
    manifest
        .insert("dev/null", Entry { rdev: Some((1, 3)), ..Entry::new(Kind::CharDevice, 0o666) });
    Ok(manifest)
}
