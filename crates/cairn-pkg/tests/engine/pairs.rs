// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random transactions, each taken back: files and database are bit for bit what they were (goal A5 of the threat model).

use std::fmt::Write as _;

use cairn_host::Root;
use cairn_pkg::error::TransactionError;
use cairn_pkg::failpoint::FailPoints;
use cairn_pkg::rpmdb::{Access, RpmDb};
use cairn_pkg::transaction::{Action, TransactionItem};
use cairn_pkg::undo;
use cairn_rpm::build::{FileSpec, PackageSpec};
use sha2::{Digest as _, Sha256};

use crate::random::{Random, number};
use crate::support::{
    Bench, TIME, check_clean, config, file, noreplace, packages, removal, snapshot, spec,
};

/// How many pairs there are without `CAIRN_CRASH_RUNS`.
const PAIRS: u64 = 40;
const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// The same package for the same name and version, in another shape for each.
fn package(name: &str, version: u64) -> PackageSpec {
    let seed = name.bytes().fold(version, |sum, byte| sum * 31 + u64::from(byte));
    let mut random = Random(seed);
    let mut files =
        vec![FileSpec::directory(format!("/opt/{name}")), FileSpec::directory("/opt/shared")];
    for at in 0..6 {
        let path = format!("/opt/{name}/{at}");
        let content = "x".repeat(random.below(3000) as usize);
        match random.below(7) {
            0 => files.push(FileSpec::symlink(path, format!("elsewhere-{version}"))),
            1 => {
                files.push(FileSpec::directory(path.clone()));
                files.push(file(&format!("{path}/below"), &content));
            }
            2 => {
                let mut tool = file(&path, &content);
                tool.mode = 0o4755;
                files.push(tool);
            }
            3 | 4 => files.push(file(&path, &content)),
            _ => {}
        }
    }
    files.push(file(&format!("/opt/shared/{name}-{}", random.below(2)), name));
    let settings = format!("/etc/{name}.conf");
    let content = format!("{}", random.below(2));
    match random.below(3) {
        0 => files.push(config(&settings, &content)),
        1 => files.push(noreplace(&settings, &content)),
        _ => {}
    }
    spec(name, &format!("{version}-1"), &files)
}

/// A transaction about one to three packages.
fn items(bench: &Bench, random: &mut Random) -> Vec<TransactionItem> {
    let installed: Vec<String> = packages(&bench.root).into_values().collect();
    let mut left = NAMES.to_vec();
    let count = 1 + random.below(3);
    let mut items = Vec::new();
    for _ in 0..count {
        let name = left.remove(random.below(left.len() as u64) as usize);
        let version = 1 + random.below(4);
        let present = installed.iter().find(|nevra| nevra.starts_with(&format!("{name}-")));
        let Some(present) = present else {
            items.push(bench.item(Action::Install, &package(name, version)));
            continue;
        };
        let number = present.split('-').nth(1).unwrap().parse::<u64>().unwrap();
        let action = match version.cmp(&number) {
            std::cmp::Ordering::Less => Action::Downgrade,
            std::cmp::Ordering::Equal => Action::Reinstall,
            std::cmp::Ordering::Greater => Action::Upgrade,
        };
        if random.below(3) == 0 {
            items.push(removal(present));
        } else {
            items.push(bench.item(action, &package(name, version)));
        }
    }
    items
}

/// Files with content and times, and the rows of the database byte for byte.
fn state(root: &Root) -> String {
    let mut text = snapshot(root);
    for place in ["opt", "etc"] {
        if !root.exists(place).unwrap() {
            continue;
        }
        root.walk(place, &mut |path, stat| {
            if !stat.is_dir() {
                writeln!(text, "{} {} {}", path.display(), stat.mtime, stat.uid).unwrap();
            }
            Ok(())
        })
        .unwrap();
    }
    if RpmDb::exists(root).unwrap() {
        let db = RpmDb::open(root, Access::ReadOnly).unwrap();
        for hnum in packages(root).into_keys() {
            let blob = db.blob(hnum).unwrap().unwrap();
            writeln!(text, "{hnum} {}", hex::encode(Sha256::digest(blob))).unwrap();
        }
    }
    text
}

#[test]
fn random_transactions_are_taken_back() {
    let seed = number("CAIRN_CRASH_SEED", 1);
    let mut random = Random(seed);
    let bench = Bench::new();
    // The database's parent stays.
    bench.root.mkdir("usr", 0o755).unwrap();
    let (mut pair, mut taken_back) = (0, 0);
    while taken_back < number("CAIRN_CRASH_RUNS", PAIRS) {
        pair += 1;
        // Somebody edits a file now and then.
        let edited = format!("etc/{}.conf", NAMES[random.below(6) as usize]);
        if random.below(3) == 0 && bench.root.exists(&edited).unwrap() {
            bench.write(&edited, &format!("edited {pair}"));
        }
        let before = state(&bench.root);
        let items = items(&bench, &mut random);
        let what = format!("pair {pair} of seed {seed}: {items:?}");
        let id = match bench.run(items.clone()) {
            Ok(outcome) => outcome.id,
            // Links do not become directories, as with rpm.
            Err(TransactionError::ThroughLink { .. } | TransactionError::FileConflicts { .. }) => {
                assert_eq!(state(&bench.root), before, "{what}");
                continue;
            }
            Err(error) => panic!("{what}: {error}"),
        };
        taken_back += 1;
        let after = state(&bench.root);
        assert_ne!(before, after, "{what}");
        undo::undo(&bench.root, id, TIME, &FailPoints::none(), &mut |_| ())
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        check_clean(&bench.root);
        assert_eq!(state(&bench.root), before, "{what}");
        // And again, to go on from there.
        bench.run(items).unwrap();
    }
}
