// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long our image takes to the login prompt, against Debian's installation of the same packages with Debian's own initramfs.
//!
//! A measurement, not a test of anything: `cargo xtask bench boot` prints it. Both systems get the same machine, their kernel directly
//! from QEMU (no firmware, no boot loader), the same kernel options, and are started in turns. Debian's is a server
//! that could be used: its file systems are listed and writable, it has an EFI system partition and asks for an address.

#[expect(dead_code, reason = "shared with the tests of disk images")]
mod lab;
#[expect(dead_code, reason = "shared with the comparison of files")]
mod reference;
#[expect(dead_code, reason = "shared with the comparison of files")]
mod tree;

use std::path::{Path, PathBuf};
use std::time::Instant;

use cairn::compose::WorkDirectory;
use cairn::lock::Use;
use cairn::ops::upstream::{self, Generation, Vanishing};
use cairn::vm::{DiskFormat, Firmware, Vm, VmSpec};
use cairn_host::{Invocation, Tool};
use lab::{Lab, MINUTE};
use reference::Purpose;

/// How often each system is started.
const ROUNDS: usize = 3;
/// Where the files of this benchmark appear in the tools tree.
const INSIDE: &str = "/bench";

/// What is started.
struct System {
    name: &'static str,
    disk: PathBuf,
    root: String,
    kernel: PathBuf,
    initrd: PathBuf,
    seconds: Vec<f64>,
}

#[test]
fn boot_to_the_login_prompt() {
    let lab = Lab::open();
    let work = WorkDirectory::create(&lab.ctx, "bench-boot").unwrap();
    let mut systems = [ours(&lab, &work.path), debian(&lab, &work.path)];
    for round in 0..ROUNDS {
        for system in &mut systems {
            let seconds = start(&lab, system, &work.path);
            println!("round {}: {} {seconds:.1} s", round + 1, system.name);
            system.seconds.push(seconds);
        }
    }
    let [ours, debian] = systems.each_ref().map(|system| median(&system.seconds));
    println!("median: Cairn {ours:.1} s, Debian {debian:.1} s, ratio {:.2}", ours / debian);
}

/// Our default image, its kernel and initramfs taken from the `/boot` partition.
fn ours(lab: &Lab, work: &Path) -> System {
    let disk = lab.out.join("cairn-linux-0.1-x86_64.raw");
    let version = lab.upstream_kernel().version;
    // 1 MiB, BIOS boot, ESP: where `/boot` lies (DESIGN, "Images").
    let boot = work.join("boot.ext4");
    run(
        lab,
        work,
        Tool::Sh,
        &[
            "-c",
            &format!("dd if=/image of={INSIDE}/boot.ext4 bs=1M skip=514 count=1024 status=none"),
        ],
        Some(&disk),
    );
    let take = |name: &str| {
        let source = format!("/cairn/{version}/{name}");
        run(
            lab,
            work,
            Tool::Debugfs,
            &[
                "-R",
                &format!("dump {source} {INSIDE}/cairn-{name}"),
                &format!("{INSIDE}/boot.ext4"),
            ],
            None,
        );
        work.join(format!("cairn-{name}"))
    };
    let (kernel, initrd) = (take("linux"), take("initrd"));
    let entry = run(
        lab,
        work,
        Tool::Debugfs,
        &[
            "-R",
            &format!("cat /loader/entries/cairn-{version}.conf"),
            &format!("{INSIDE}/boot.ext4"),
        ],
        None,
    );
    let root: Vec<&str> = entry
        .split_whitespace()
        .filter(|word| word.starts_with("root=") || ["ro", "rw"].contains(word))
        .collect();
    std::fs::remove_file(boot).unwrap();
    System { name: "Cairn", disk, root: root.join(" "), kernel, initrd, seconds: Vec::new() }
}

/// Debian's installation of the same packages.
fn debian(lab: &Lab, work: &Path) -> System {
    let uses = [Use::Os, Use::Tools, Use::Test, Use::Reference, Use::Benchmark];
    let upstream = upstream::open(&lab.ctx, &uses, Vanishing::Stop, Generation::Current).unwrap();
    reference::make_tar(&lab.ctx, &upstream, &reference::names(&lab.ctx), Purpose::Boot, work);
    let version = lab.upstream_kernel().version;
    // An EFI system partition of the size of ours and the root file system, as Debian's installer lays a disk out.
    let script = format!(
        "set -e; cd {INSIDE}; tar -xf tree.tar ./boot; mv boot/vmlinuz-{version} debian-linux; mv boot/initrd.img-{version} debian-initrd; \
         truncate -s 2561M debian.raw; \
         printf 'label: gpt\nstart=1MiB, size=512MiB, type=uefi\nstart=513MiB, size=2047MiB, type=linux\n' | sfdisk -q debian.raw; \
         truncate -s 512M esp; mkfs.vfat -n DEBIAN-ESP esp >/dev/null; dd if=esp of=debian.raw bs=1M seek=1 conv=notrunc,sparse status=none; rm esp; \
         mke2fs -q -F -t ext4 -L debian-root -E offset=537919488 -d tree.tar debian.raw 2047M; rm tree.tar"
    );
    run(lab, work, Tool::Sh, &["-c", &script], None);
    System {
        name: "Debian",
        disk: work.join("debian.raw"),
        root: "root=LABEL=debian-root ro".to_owned(),
        kernel: work.join("debian-linux"),
        initrd: work.join("debian-initrd"),
        seconds: Vec::new(),
    }
}

/// Starts the system and returns the seconds until its login prompt.
fn start(lab: &Lab, system: &System, work: &Path) -> f64 {
    let mut spec = VmSpec::of_image(
        &system.disk,
        DiskFormat::Raw,
        work.join(format!("machine-{}", system.name)),
    );
    spec.firmware = Firmware::Bios;
    std::fs::create_dir_all(&spec.work_dir).unwrap();
    for (file, name) in [(&system.kernel, "kernel"), (&system.initrd, "initrd")] {
        std::fs::copy(file, spec.work_dir.join(name)).unwrap();
    }
    let options = format!("{} console=ttyS0,115200 no_timer_check", system.root);
    let inside = |name: &str| format!("{}/{name}", cairn::vm::arguments::WORK_DIR);
    spec.extra_arguments =
        ["-kernel", &inside("kernel"), "-initrd", &inside("initrd"), "-append", &options]
            .map(str::to_owned)
            .to_vec();
    let begin = Instant::now();
    let mut vm = Vm::start(&spec, &lab.tools).unwrap();
    vm.wait_for("login:", 10 * MINUTE)
        .unwrap_or_else(|error| panic!("{}: {error}\n{}", system.name, vm.console_text()));
    begin.elapsed().as_secs_f64()
}

/// Runs a program of the tools tree with the benchmark's directory, and an image at `/image`; returns its standard output.
fn run(lab: &Lab, work: &Path, tool: Tool, arguments: &[&str], image: Option<&Path>) -> String {
    let mut sandbox =
        cairn::tools::open_reference(&lab.ctx, &lab.upstream.lock).unwrap().bind(work, INSIDE);
    if let Some(image) = image {
        sandbox = sandbox.bind_read_only(image, "/image");
    }
    sandbox.run(&Invocation::new(tool).args(arguments)).unwrap().stdout_text()
}

fn median(seconds: &[f64]) -> f64 {
    let mut sorted = seconds.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
