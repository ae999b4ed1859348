// SPDX-License-Identifier: MIT OR Apache-2.0
//! Somebody who may write to a directory swaps what is in it with symbolic links while packages change (goal A10 of the threat model).

use std::os::unix::fs::{MetadataExt as _, lchown};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use cairn_host::Root;
use cairn_pkg::event::{Event, Phase};
use cairn_pkg::recover::recover;
use cairn_pkg::transaction::{Action, Ownership, TransactionItem, TransactionOptions, run};
use cairn_rpm::build::FileSpec;

use crate::random::number;
use crate::support::{Bench, file, options, removal, spec};

/// How often the directory is swapped without `CAIRN_CRASH_RUNS`.
const SWAPS: u64 = 10_000;
/// Transactions that are at least tried meanwhile.
const TRIED: u64 = 200;
/// An ordinary user.
const ATTACKER: u32 = 1000;

/// What the attacker would like to have changed: everything `stat` tells, and the content.
fn victims(bench: &Bench) -> String {
    let mut text = String::new();
    for place in ["root/victim", "outside"] {
        let directory = bench.dir.path().join(place);
        let mut names: Vec<_> =
            std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.push(directory);
        names.sort();
        for path in names {
            let stat = std::fs::symlink_metadata(&path).unwrap();
            let content = std::fs::read(&path).unwrap_or_default();
            let (owner, mode, time) = (stat.uid(), stat.mode(), stat.ctime_nsec());
            text.push_str(&format!("{} {owner} {mode:o} {time} {content:?}\n", path.display()));
        }
    }
    text
}

/// Swaps `dir` with the links until told to stop; returns with the directory in its place, where it still exists.
fn attack(place: &Path, stop: &AtomicBool, swaps: &AtomicU64) {
    let place = Root::open(place).unwrap();
    let targets = ["/victim", "../../victim", "../../../outside", "/srv/app/../../victim"];
    for target in targets.iter().cycle() {
        // What the engine did meanwhile may make any of these fail.
        let _ = place.remove_file("link");
        let _ = place.symlink(target, "link");
        let link = place.path_for_display().join("link");
        let _ = lchown(link, Some(ATTACKER), Some(ATTACKER));
        if place.exchange("dir", "link").is_ok() {
            std::hint::spin_loop();
            let _ = place.exchange("dir", "link");
            swaps.fetch_add(1, Ordering::Relaxed);
        }
        if stop.load(Ordering::Relaxed) {
            return;
        }
    }
}

/// The package of a version: what can be done to files and directories.
fn package(version: u64) -> cairn_rpm::build::PackageSpec {
    let mut setuid = file("/srv/app/dir/tool", &format!("{version}"));
    setuid.mode = 0o4755;
    let mut directory = FileSpec::directory("/srv/app/dir");
    directory.mode = if version % 2 == 0 { 0o711 } else { 0o755 };
    let files = [
        directory,
        file("/srv/app/dir/passwd", &format!("{version}")),
        setuid,
        FileSpec::symlink("/srv/app/dir/link", format!("{version}")),
        crate::support::config("/srv/app/dir/config", &format!("{version}")),
    ];
    spec("app", &format!("{version}-1"), &files)
}

#[test]
fn links_that_come_and_go() {
    // Only root has files of several users.
    if !cairn_host::paths::is_root() {
        return;
    }
    let bench = Bench::new();
    for place in ["root/victim", "outside", "root/srv/app/dir"] {
        std::fs::create_dir_all(bench.dir.path().join(place)).unwrap();
    }
    for place in ["root/victim", "outside"] {
        for name in ["passwd", "tool", "config", "link"] {
            std::fs::write(bench.dir.path().join(place).join(name), "mine").unwrap();
        }
    }
    lchown(bench.path().join("srv/app"), Some(ATTACKER), Some(ATTACKER)).unwrap();
    let before = victims(&bench);
    let options = TransactionOptions { ownership: Ownership::Apply, ..options() };
    let wanted = number("CAIRN_CRASH_RUNS", SWAPS / 100) * 100;
    let (stop, swaps) = (AtomicBool::new(false), AtomicU64::new(0));
    let (mut through, mut refused) = (0, 0);
    let place = bench.path().join("srv/app");
    std::thread::scope(|scope| {
        let attacker = scope.spawn(|| attack(&place, &stop, &swaps));
        let stopped = Stopped(&stop);
        let mut version = 0;
        while (through + refused < TRIED || swaps.load(Ordering::Relaxed) < wanted)
            && !attacker.is_finished()
        {
            let installed = crate::support::packages(&bench.root).into_values().next();
            version += 1;
            let item: TransactionItem = match &installed {
                Some(nevra) if version % 5 == 0 => removal(nevra),
                Some(_) => bench.item(Action::Upgrade, &package(version)),
                None => bench.item(Action::Install, &package(version)),
            };
            match run(&bench.root, vec![item], &options, &mut |_| ()) {
                Ok(_) => through += 1,
                Err(_) => refused += 1,
            }
            recover(&bench.root, &mut |_| ()).unwrap();
            assert_eq!(victims(&bench), before, "after version {version}");
        }
        drop(stopped);
        attacker.join().unwrap();
    });
    println!(
        "{} swaps; {through} transactions came through, {refused} did not",
        swaps.into_inner()
    );
    // Once it is quiet everything can be put right.
    let nevra = crate::support::packages(&bench.root).into_values().next();
    if let Some(nevra) = nevra {
        run(&bench.root, vec![removal(&nevra)], &options, &mut |_| ()).unwrap();
    }
    let item = bench.item(Action::Install, &package(1_000_000));
    run(&bench.root, vec![item], &options, &mut |_| ()).unwrap();
    assert_eq!(bench.root.read("srv/app/dir/passwd").unwrap(), b"1000000");
}

/// Stops the attacker, also where a check fails.
struct Stopped<'a>(&'a AtomicBool);

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The directory is replaced right after the commit: what cannot be done there is told, and the victim is left alone.
#[test]
fn what_is_prevented_is_told() {
    let bench = Bench::new();
    for place in ["victim", "srv/app/dir"] {
        bench.root.mkdir_all(place, 0o755).unwrap();
    }
    bench.write("victim/file", "mine");
    let packages = [
        spec("app", "1-1", &[file("/srv/app/dir/file", "1")]),
        spec("app", "2-1", &[file("/srv/app/dir/file", "2")]),
    ];
    let swapped = |items: Vec<TransactionItem>| {
        let mut warnings = Vec::new();
        run(&bench.root, items, &options(), &mut |event| match event {
            Event::Phase(Phase::Apply) => {
                bench.root.rename("srv/app/dir", "srv/app/aside").unwrap();
                bench.root.symlink("/victim", "srv/app/dir").unwrap();
            }
            Event::Warning(text) => warnings.push(text),
            _ => {}
        })
        .unwrap();
        assert_eq!(bench.root.read("victim/file").unwrap(), b"mine");
        assert_eq!(bench.root.read_dir("victim").unwrap(), ["file"]);
        bench.root.remove_file("srv/app/dir").unwrap();
        bench.root.rename("srv/app/aside", "srv/app/dir").unwrap();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].ends_with("somebody has put something else in its place"));
    };
    bench.install(&packages[..1]).unwrap();
    swapped(vec![bench.item(Action::Upgrade, &packages[1])]);
    swapped(vec![removal("app-2-1.noarch")]);
}
