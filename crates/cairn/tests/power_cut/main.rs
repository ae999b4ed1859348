// SPDX-License-Identifier: MIT OR Apache-2.0
//! The power is cut during transactions, on every file system that Cairn offers: afterwards the system is before or after, never
//! between, and what `dnf` called done stays done.
//!
//! A guest installs and removes a package in a root on a disk of which QEMU logs every request. From the log come the disks that a power
//! cut leaves behind: the flushed requests and a part of the others. The guest mounts each, lets `dnf recover` run and looks.
//!
//! `cargo xtask crash --power-cut [--runs N] [--seed S]` runs it: N cuts a transaction and file system.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic and print")]

#[path = "../lab/mod.rs"]
#[allow(dead_code, reason = "shared with the tests of disk images")]
mod lab;
mod log;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cairn::vm::Firmware;
use cairn::vm::arguments::WORK_DIR;
use cairn_host::{Invocation, Tool};

use crate::lab::{Guest, Lab, MINUTE};
use crate::log::{Chance, Request};

/// Bytes of the disk under test.
const SIZE: u64 = 1 << 30;
/// Cuts a transaction and file system when nothing else is asked for.
const RUNS: usize = 8;

/// Everything that says which state a root is in: packages, their verification, and all files but logs, caches and the records of dnf
/// and rpm themselves.
const STATE: &str = r"set -e
root=/run/root
rpm --root $root -qa --qf '%{nevra}\n' | sort
rpm --root $root -Va || true
cd $root
find . -xdev \( -path ./usr/lib/sysimage -o -path ./var/lib/dnf -o -path ./var/cache -o -path ./var/log -o -path ./lost+found \) -prune \
  -o -printf '%p %M %u %g %l\n' | sort";

const MOUNT: &str = "mkdir -p /run/root && mount /dev/disk/by-id/virtio-";

#[test]
fn ext4() {
    cut("ext4", "mkfs.ext4 -q -E nodiscard");
}

#[test]
fn xfs() {
    cut("xfs", "mkfs.xfs -q -K");
}

#[test]
fn btrfs() {
    cut("btrfs", "mkfs.btrfs -q -K");
}

fn cut(kind: &str, make: &str) {
    let lab = Lab::open();
    let bench = Bench::boot(&lab, kind);
    let recording = bench.record(make);
    let seed = setting("CAIRN_CRASH_SEED").unwrap_or(7);
    let runs = setting("CAIRN_CRASH_RUNS").map_or(RUNS, |runs| usize::try_from(runs).unwrap());
    let mut chance = Chance(seed);
    let mut tally = [[0; 2]; 2];
    for (index, transaction) in recording.transactions.iter().enumerate() {
        for point in transaction.points(&recording.requests, runs, &mut chance) {
            let found = bench.state_after_cut(&recording.requests, point, &mut chance);
            let which = [&transaction.before, &transaction.after].iter().position(|s| **s == found);
            let Some(which) = which else {
                panic!(
                    "{kind}, seed {seed}, {} cut after request {point}: neither before:\n{}nor after:\n{}",
                    transaction.words,
                    difference(&transaction.before, &found),
                    difference(&transaction.after, &found)
                );
            };
            tally[index][which] += 1;
        }
        println!(
            "{kind}: {} cut {runs} times: {} before, {} after",
            transaction.words, tally[index][0], tally[index][1]
        );
        let last = bench.state_after_cut(&recording.requests, transaction.end, &mut chance);
        let difference = difference(&transaction.after, &last);
        assert!(difference.is_empty(), "{kind}: what dnf called done is undone:\n{difference}");
    }
    bench.guest.power_off();
}

/// The lines that only one of two states has.
fn difference(expected: &str, found: &str) -> String {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<String>>();
    let (expected, found) = (lines(expected), lines(found));
    let missing = expected.difference(&found).map(|line| format!("- {line}\n"));
    missing.chain(found.difference(&expected).map(|line| format!("+ {line}\n"))).collect()
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// A guest with two disks: one whose requests are logged, and one that is given what cuts leave.
struct Bench {
    guest: Guest,
    /// Directory of the disks.
    disks: PathBuf,
}

/// What the guest wrote.
struct Recording {
    requests: Vec<Request>,
    transactions: Vec<Transaction>,
}

struct Transaction {
    words: &'static str,
    /// State before and after.
    before: String,
    after: String,
    /// Requests of the log when it began and when `dnf` had returned.
    start: usize,
    end: usize,
}

impl Transaction {
    /// Moments at which the power is cut: as many in a long stretch without a flush as in a short one, since little happens in long ones.
    fn points(&self, requests: &[Request], runs: usize, chance: &mut Chance) -> Vec<usize> {
        let flushes: Vec<usize> =
            (self.start..self.end).filter(|index| requests[*index].is_flush()).collect();
        assert!(flushes.len() > 3, "{}: the transaction was not made durable", self.words);
        let one = |_| {
            let stretch = chance.below(flushes.len());
            let from = if stretch == 0 { self.start } else { flushes[stretch - 1] };
            from + chance.below(flushes[stretch] - from + 1)
        };
        let mut points: Vec<usize> = (0..runs).map(one).collect();
        points.sort_unstable();
        points
    }
}

impl Bench {
    fn boot(lab: &Lab, kind: &str) -> Self {
        let image = lab.out.join("cairn-linux-0.1-x86_64.raw");
        let mut disks = PathBuf::new();
        let guest =
            Guest::boot_prepared(lab, &image, &format!("power-cut-{kind}"), |spec, _, _| {
                spec.firmware = Firmware::Bios;
                disks = spec.work_dir.join("disks");
                spec.extra_arguments = devices(&disks);
            });
        guest.use_repository(lab);
        guest.check("dnf -y install xfsprogs btrfs-progs", 10 * MINUTE);
        Self { guest, disks }
    }

    /// Makes the file system and a root in it, and runs the transactions.
    fn record(&self, make: &str) -> Recording {
        self.guest.check(&format!("{make} /dev/disk/by-id/virtio-logged"), 5 * MINUTE);
        self.guest.check(&format!("{MOUNT}logged /run/root"), MINUTE);
        self.dnf("install bash coreutils");
        let mut transactions = Vec::new();
        let mut before = self.state();
        for words in ["install nginx", "remove nginx"] {
            let start = log::read(&self.disks.join("log")).len();
            self.dnf(words);
            let end = log::read(&self.disks.join("log")).len();
            let after = self.state();
            assert_ne!(before, after, "{words} changed nothing");
            transactions.push(Transaction {
                words,
                before: std::mem::replace(&mut before, after.clone()),
                after,
                start,
                end,
            });
        }
        self.guest.check("umount /run/root", 5 * MINUTE);
        Recording { requests: log::read_whole(&self.disks.join("log")), transactions }
    }

    fn dnf(&self, words: &str) {
        let command = format!("dnf -y --installroot=/run/root --use-host-config {words}");
        self.guest.check(&command, 20 * MINUTE);
    }

    fn state(&self) -> String {
        self.guest.check(STATE, 5 * MINUTE)
    }

    /// Cuts the power after so many requests, and looks at what is left once `dnf recover` has run.
    fn state_after_cut(&self, requests: &[Request], point: usize, chance: &mut Chance) -> String {
        let flush = requests[..point].iter().rposition(|request| request.is_flush());
        let durable = flush.map_or(0, |flush| flush + 1);
        let (log, disk) = (self.disks.join("log"), self.disks.join("state"));
        clear(&disk);
        log::replay(&log, &requests[..durable], &disk);
        log::replay(&log, log::survivors(&requests[durable..point], chance), &disk);
        self.guest.check(
            &format!("blockdev --flushbufs /dev/disk/by-id/virtio-state && {MOUNT}state /run/root"),
            2 * MINUTE,
        );
        self.guest.check("dnf --installroot=/run/root recover", 5 * MINUTE);
        let state = self.state();
        self.guest.check("umount /run/root", 5 * MINUTE);
        state
    }
}

/// Makes the disks, and returns QEMU's arguments for them: `logged`, whose requests go into `log`, and `state`.
fn devices(disks: &Path) -> Vec<String> {
    std::fs::create_dir_all(disks).unwrap();
    for (name, size) in [("logged", SIZE), ("log", 0), ("state", SIZE)] {
        std::fs::File::create(disks.join(name)).unwrap().set_len(size).unwrap();
    }
    let file = |name: &str, node: &str| {
        format!("driver=file,filename={WORK_DIR}/disks/{name},node-name={node}")
    };
    // What is discarded has no content that a cut could leave. Requests that QEMU has merged into one of more than 1,024 parts are
    // logged without their description.
    let disk = |node: &str| {
        let off = "request-merging=off,discard=off,write-zeroes=off";
        format!("virtio-blk-pci,drive={node},serial={node},{off}")
    };
    let filter = "driver=blklogwrites,node-name=logged,file=below,log=requests";
    let arguments = [
        ("-blockdev", file("logged", "below")),
        ("-blockdev", file("log", "requests")),
        ("-blockdev", filter.to_owned()),
        ("-device", disk("logged")),
        ("-blockdev", file("state", "state")),
        ("-device", disk("state")),
    ];
    arguments.into_iter().flat_map(|(option, value)| [option.to_owned(), value]).collect()
}

/// Makes the disk empty; it stays the file that QEMU has open.
fn clear(disk: &Path) {
    let punch =
        Invocation::new(Tool::Fallocate).args(["--punch-hole", "--offset", "0", "--length"]);
    punch.arg(&SIZE.to_string()).arg(disk).run().unwrap();
}
