// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long an installation takes, against the least that could be done: the same partitions and file systems made, and the files
//! unpacked by `zstd -dc | tar x`, in the same machine, from the same live system.
//!
//! A measurement, not a test of anything: `cargo xtask bench install` prints it. The archive is made from what was installed before
//! and lies on a second disk; both are measured by the machine's own clock, from the first write to the disk or before it to the end of
//! unmounting.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement may panic and prints")]

#[expect(dead_code, reason = "shared with the tests of disk images")]
mod lab;
#[expect(dead_code, reason = "shared with the tests of installations")]
mod machine;

use std::time::Instant;

use cairn::vm::{Bus, Disk, DiskAccess, DiskFormat, Firmware};
use lab::{Lab, MINUTE};
use machine::{LIMIT, Machine, Shell};

/// What the installation says within the step that installs packages.
const PHASES: [&str; 4] = [
    "checking the packages once more",
    "writing files",
    "putting them into place",
    "running scriptlets",
];
/// How often the baseline is measured.
const ROUNDS: usize = 2;

#[test]
fn install_against_mkfs_and_tar() {
    let lab = Lab::open();
    let mut machine = Machine::new(&lab, "bench-install", Firmware::Bios, Bus::VirtioBlk);
    let archive = machine.work.path.join("archive.raw");
    std::fs::File::create(&archive).unwrap().set_len(2 << 30).unwrap();
    let iso = machine.customize(&machine.answers("[storage]\ndisk = { serial = \"disk0\" }\n"));
    let ours = installation(&machine, &iso);
    machine.spec.disks.push(Disk {
        path: archive,
        format: DiskFormat::Raw,
        bus: Bus::VirtioBlk,
        access: DiskAccess::Write,
    });
    let baseline = baseline(&machine);
    println!(
        "install {ours:.1} s, mkfs + zstd | tar {baseline:.1} s, ratio {:.2}",
        ours / baseline
    );
}

/// Installs; returns the seconds from the first step to the last word.
fn installation(machine: &Machine<'_>, iso: &std::path::Path) -> f64 {
    let mut vm = machine.start(&machine.with_medium(iso, Bus::Cdrom));
    machine.wait(&mut vm, &["[1/12] "], LIMIT);
    let mut begin = Instant::now();
    let start = begin;
    // What each step took helps to find the slow one; the longest tells its phases.
    let (mut number, mut label) = (1, "step 1".to_owned());
    loop {
        let next = format!("[{}/12] ", number + 1);
        let words = [&[next.as_str(), "cairn-install: complete"], &PHASES[..]].concat();
        let found = machine.wait(&mut vm, &words, LIMIT);
        println!("  {label}: {:.1} s", begin.elapsed().as_secs_f64());
        begin = Instant::now();
        match found {
            0 => {
                number += 1;
                label = format!("step {number}");
            }
            1 => break,
            phase => label = format!("step {number}, {}", words[phase]),
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    vm.wait_for_end(5 * MINUTE).unwrap();
    seconds
}

/// Packs what was installed, then unpacks it onto the disk made anew; returns the seconds of the latter.
fn baseline(machine: &Machine<'_>) -> f64 {
    let mut spec = machine.spec.clone();
    let (format, bus, access) = (DiskFormat::Raw, Bus::Cdrom, DiskAccess::ReadOnly);
    // First, because the disk starts by itself now.
    spec.disks.insert(0, Disk { path: machine.iso(), format, bus, access });
    let vm = machine.start(&spec);
    let mut shell = Shell::rescue(machine, vm);
    shell.run(
        "mkdir -p /mnt /run/pack && mke2fs -q -F -t ext4 /dev/vdb && mount /dev/vdb /run/pack",
    );
    shell.run("mount -o ro /dev/vda4 /mnt && mount -o ro /dev/vda3 /mnt/boot && mount -o ro /dev/vda2 /mnt/boot/efi");
    shell.run("tar -C /mnt --xattrs -c . | zstd -q -3 -o /run/pack/tree.tar.zst && umount -R /mnt");
    shell.run("sfdisk -d /dev/vda > /run/pack/table");
    let mut seconds = Vec::new();
    for _ in 0..ROUNDS {
        shell.run("sync; echo 3 > /proc/sys/vm/drop_caches");
        let begin = Instant::now();
        shell.run(
            "wipefs -qaf /dev/vda && sfdisk -q --wipe always --wipe-partitions always /dev/vda < /run/pack/table && udevadm settle && \
             mkfs.vfat -F 32 /dev/vda2 && mke2fs -q -F -t ext4 /dev/vda3 && mke2fs -q -F -t ext4 /dev/vda4 && \
             mount /dev/vda4 /mnt && mkdir -p /mnt/boot && mount /dev/vda3 /mnt/boot && mkdir -p /mnt/boot/efi && mount /dev/vda2 /mnt/boot/efi",
        );
        shell.run("zstd -dc /run/pack/tree.tar.zst | tar -C /mnt --xattrs --no-same-owner -x; umount -R /mnt");
        let taken = begin.elapsed().as_secs_f64();
        println!("  baseline: {taken:.1} s");
        seconds.push(taken);
    }
    seconds.iter().copied().fold(f64::INFINITY, f64::min)
}
