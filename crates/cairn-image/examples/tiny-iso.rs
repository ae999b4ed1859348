// SPDX-License-Identifier: MIT OR Apache-2.0
//! Builds a small bootable ISO whose init prints a marker on the serial line and switches off. For boot tests:
//! `tiny-iso TOOLS_TREE SCRATCH KERNEL BUSYBOX OUTPUT`.

use std::error::Error;
use std::path::PathBuf;

use cairn_host::{Root, Sandbox};
use cairn_image::filesystem::Workshop;
use cairn_image::initramfs;
use cairn_image::iso::{IsoContent, IsoEntry, IsoPlan, build};
use cairn_image::manifest::{Entry, Kind, Manifest};

const SOURCE_DATE: u32 = 1_750_000_000;
const INIT: &str = "#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
echo CAIRN-MARKER $(/bin/busybox cat /proc/cmdline)
/bin/busybox poweroff -f
";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [tools, scratch, kernel, busybox, output] = arguments.as_slice() else {
        return Err("usage: tiny-iso TOOLS_TREE SCRATCH KERNEL BUSYBOX OUTPUT".into());
    };
    let (kernel, busybox) = (std::fs::read(kernel)?, std::fs::read(busybox)?);
    let live = Root::create(scratch.join("live"))?;
    for directory in ["bin", "proc", "etc"] {
        live.mkdir_all(directory, 0o755)?;
    }
    live.write("bin/busybox", &busybox, 0o755)?;
    live.write("init", INIT.as_bytes(), 0o755)?;
    live.write("etc/shadow", b"root:*::\n", 0o600)?;
    let mut manifest = Manifest::new();
    manifest
        .insert("dev/console", Entry { rdev: Some((5, 1)), ..Entry::new(Kind::CharDevice, 0o600) });
    let initrd = initramfs::build(&live, &manifest, SOURCE_DATE, 3)?;
    manifest.insert("etc/shadow", Entry::new(Kind::File, 0o640).owned_by(0, 42));
    manifest.insert(
        "bin/busybox",
        Entry { caps: "cap_net_raw=ep".into(), ..Entry::new(Kind::File, 0o4755) },
    );
    let extra = Root::create(scratch.join("extra"))?;
    extra.mkdir_all("repository/Packages", 0o755)?;
    extra.write(
        "repository/Packages/a-very-long-package-name-1.2.3-4.cn1.x86_64.rpm",
        b"rpm",
        0o644,
    )?;
    let plan = IsoPlan {
        volume_id: "CAIRN".to_owned(),
        seed: "tiny iso".to_owned(),
        timeout_seconds: 1,
        serial_speed: Some(115_200),
        compression_level: 3,
        entries: vec![IsoEntry {
            title: "Tiny".to_owned(),
            id: "tiny".to_owned(),
            options: "console=ttyS0,115200 quiet live.label=CAIRN".to_owned(),
        }],
    };
    let files = Root::create(scratch.join("files"))?;
    let loaders = Root::open(tools)?;
    let workshop = Workshop::new(&Sandbox::new(tools), files.path_for_display(), SOURCE_DATE);
    let content = IsoContent {
        kernel: &kernel,
        initrd: &initrd,
        live: &live,
        manifest: &manifest,
        loaders: &loaders,
        extra: Some(&extra),
    };
    build(&workshop, &plan, content, output)?;
    Ok(())
}
