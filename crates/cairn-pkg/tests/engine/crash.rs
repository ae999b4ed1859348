// SPDX-License-Identifier: MIT OR Apache-2.0
//! A process is ended at every fail point of a transaction; afterwards the root must be exactly as before or exactly as after.
//!
//! The process is a child: this test binary, called again with the fail point in its environment. It ends by `abort`, without
//! running destructors or flushing anything.
#![allow(clippy::disallowed_methods, reason = "the test starts itself as a child process")]

use std::process::{Command, Stdio};

use cairn_host::Root;
use cairn_pkg::failpoint::FailPoints;
use cairn_pkg::journal;
use cairn_pkg::recover::{Recovered, recover, recover_with};
use cairn_pkg::transaction::{Action, ExtraFile, TransactionItem, TransactionOptions, run};
use cairn_pkg::undo;
use cairn_rpm::build::{FileSpec, PackageSpec};

use crate::support::{
    Bench, TIME, check_clean, config, file, noreplace, options, removal, snapshot, spec,
};

/// No transaction here passes more points.
pub(crate) const MANY: u64 = 2000;

fn old_packages() -> Vec<PackageSpec> {
    vec![
        spec(
            "alpha",
            "1-1",
            &[
                FileSpec::directory("/usr/share/alpha"),
                file("/usr/share/alpha/data", "one"),
                file("/usr/share/alpha/gone", "gone"),
                file("/usr/share/alpha/turned", "a file"),
                FileSpec::symlink("/usr/share/alpha/link", "data"),
                config("/etc/alpha.conf", "old"),
            ],
        ),
        spec(
            "beta",
            "1-1",
            &[file("/usr/bin/beta", "beta").with_mode(0o755), noreplace("/etc/beta.conf", "old")],
        ),
        spec(
            "gamma",
            "1-1",
            &[
                FileSpec::directory("/srv/gamma"),
                file("/srv/gamma/x", "x"),
                config("/etc/gamma.conf", "old"),
            ],
        ),
    ]
}

fn new_packages() -> Vec<PackageSpec> {
    vec![
        spec(
            "alpha",
            "2-1",
            &[
                FileSpec::directory("/usr/share/alpha"),
                file("/usr/share/alpha/data", "two"),
                FileSpec::symlink("/usr/share/alpha/link", "new/file"),
                FileSpec::directory("/usr/share/alpha/new"),
                file("/usr/share/alpha/new/file", "new"),
                FileSpec::directory("/usr/share/alpha/turned"),
                FileSpec::directory("/usr/share/alpha/turned/into"),
                file("/usr/share/alpha/turned/into/file", "a directory"),
                config("/etc/alpha.conf", "new"),
            ],
        ),
        spec(
            "beta",
            "2-1",
            &[file("/usr/bin/beta", "beta 2").with_mode(0o755), noreplace("/etc/beta.conf", "new")],
        ),
        spec(
            "gamma",
            "2-1",
            &[
                FileSpec::directory("/srv/gamma"),
                file("/srv/gamma/y", "y"),
                config("/etc/gamma.conf", "old"),
            ],
        ),
    ]
}

/// As dnf runs transactions: its own state changes with the packages.
pub(crate) fn with_state() -> TransactionOptions {
    let state = ExtraFile { path: STATE.to_owned(), content: b"state after".to_vec(), mode: 0o644 };
    TransactionOptions { extra_files: vec![state], ..options() }
}

/// Everything that a transaction changes, as text.
pub(crate) fn state_of(root: &Root) -> String {
    let state = root.read_to_string(STATE).unwrap_or_else(|_| "no state".to_owned());
    format!("{}{state}", snapshot(root))
}

const STATE: &str = "usr/lib/sysimage/libdnf5/packages.toml";

/// Brings a fresh root to the state before the scenario and returns the transaction.
pub(crate) fn prepare(scenario: &str) -> (Bench, Vec<TransactionItem>) {
    let bench = Bench::new();
    if scenario == "install" {
        let items = old_packages().iter().map(|spec| bench.item(Action::Install, spec)).collect();
        return (bench, items);
    }
    bench.install(&old_packages()).unwrap();
    bench.write("etc/alpha.conf", "mine");
    bench.write("etc/beta.conf", "mine");
    bench.write("srv/gamma/of-admin", "keep");
    let items = match scenario {
        "upgrade" => new_packages().iter().map(|spec| bench.item(Action::Upgrade, spec)).collect(),
        _ => ["alpha", "beta", "gamma"]
            .iter()
            .map(|name| removal(&format!("{name}-1-1.noarch")))
            .collect(),
    };
    (bench, items)
}

pub(crate) fn describe(items: &[TransactionItem]) -> String {
    let path = |item: &TransactionItem| {
        item.rpm.as_ref().map(|path| path.display().to_string()).unwrap_or_default()
    };
    items
        .iter()
        .map(|item| format!("{:?}|{}|{}", item.action, item.nevra, path(item)))
        .collect::<Vec<_>>()
        .join("\n")
}

pub(crate) fn parse(text: &str) -> Vec<TransactionItem> {
    let item = |line: &str| {
        let mut parts = line.split('|');
        let action = match parts.next().unwrap() {
            "Install" => Action::Install,
            "Upgrade" => Action::Upgrade,
            _ => Action::Remove,
        };
        let nevra = parts.next().unwrap();
        let rpm = parts.next().filter(|path| !path.is_empty()).map(Into::into);
        TransactionItem { action, rpm, ..removal(nevra) }
    };
    text.lines().map(item).collect()
}

/// This binary's [`child`] for a root, ready to start.
pub(crate) fn child_command(bench: &Bench, job: &str, point: u64) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "crash::child", "--test-threads=1"])
        .env("CAIRN_CRASH_ROOT", bench.path())
        .env("CAIRN_CRASH_JOB", job)
        .env("CAIRN_CRASH_POINT", point.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Runs this binary's [`child`] in a root. Returns whether it came to its end.
pub(crate) fn run_child(bench: &Bench, job: &str, point: u64) -> bool {
    let status = child_command(bench, job, point).status().unwrap();
    if let Some(code) = status.code() {
        assert_eq!(code, 0, "the child failed instead of being killed at point {point}");
    }
    status.success()
}

/// Does nothing unless it is called by [`run_child`].
#[test]
fn child() {
    let Ok(root) = std::env::var("CAIRN_CRASH_ROOT") else { return };
    let root = Root::open(root).unwrap();
    let job = std::env::var("CAIRN_CRASH_JOB").unwrap();
    let point: u64 = std::env::var("CAIRN_CRASH_POINT").unwrap().parse().unwrap();
    let fail_points = FailPoints::at(point, |_| std::process::abort());
    match job.as_str() {
        "recover" => drop(recover_with(&root, &fail_points, &mut |_| ()).unwrap()),
        "undo" => {
            let id = *undo::list(&root).unwrap().last().unwrap();
            undo::undo(&root, id, TIME, &fail_points, &mut |_| ()).unwrap();
        }
        items => {
            let options = TransactionOptions { fail_points, ..with_state() };
            run(&root, parse(items), &options, &mut |_| ()).unwrap();
        }
    }
}

/// Ends the child at every point and checks the state after recovery.
fn survive_everywhere(scenario: &str) {
    let (bench, items) = prepare(scenario);
    let before = state_of(&bench.root);
    assert!(run_child(&bench, &describe(&items), MANY));
    let after = state_of(&bench.root);
    assert_ne!(before, after);
    let (mut back, mut forward) = (0, 0);
    for point in 1..MANY {
        let (bench, items) = prepare(scenario);
        let ended = run_child(&bench, &describe(&items), point);
        if point % 5 == 0 && !ended {
            // Recovery is killed too, each time a little later, until one run comes through.
            let through = (1..MANY).find(|point| run_child(&bench, "recover", *point));
            assert!(through.is_some(), "recovery never ends");
        }
        let recovered = recover(&bench.root, &mut |_| ()).unwrap();
        let found = state_of(&bench.root);
        assert!(
            found == before || found == after,
            "{scenario}, point {point}: {recovered:?}\n{found}"
        );
        check_clean(&bench.root);
        assert_eq!(recover(&bench.root, &mut |_| ()).unwrap(), [], "recovery is done once");
        if ended {
            assert_eq!(found, after);
            assert!(back >= 3 && forward >= 3, "{scenario}: {back} taken back, {forward} finished");
            return;
        }
        if found == before { back += 1 } else { forward += 1 }
    }
    panic!("{scenario} passes more than {MANY} points");
}

#[test]
fn install_survives_everywhere() {
    survive_everywhere("install");
}

#[test]
fn upgrade_survives_everywhere() {
    survive_everywhere("upgrade");
}

#[test]
fn removal_survives_everywhere() {
    survive_everywhere("remove");
}

#[test]
fn undo_survives_everywhere() {
    let start = || {
        let (bench, items) = prepare("upgrade");
        let before = snapshot(&bench.root);
        bench.run(items).unwrap();
        (bench, before)
    };
    for point in 1..MANY {
        let (bench, before) = start();
        let after = snapshot(&bench.root);
        let ended = run_child(&bench, "undo", point);
        recover(&bench.root, &mut |_| ()).unwrap();
        let found = snapshot(&bench.root);
        assert!(
            found == before || found == after,
            "point {point}:\n{found}\nbefore:\n{before}\nafter:\n{after}"
        );
        check_clean(&bench.root);
        if ended {
            assert_eq!(found, before);
            return;
        }
    }
}

/// A root in which an upgrade was ended right after its commit, and the journal's bytes.
fn committed() -> (Bench, Vec<u8>, String) {
    let (bench, items) = prepare("upgrade");
    let items = describe(&items);
    for point in 1..MANY {
        assert!(!run_child(&bench, &items, point), "never committed");
        let names = journal::list(&bench.root).unwrap();
        let name = names.first().unwrap().clone();
        let content = journal::read(&bench.root, journal::DIRECTORY, &name).unwrap();
        if content.is_some_and(|content| content.progress.committed) {
            let bytes = bench.root.read(format!("{}/{name}", journal::DIRECTORY)).unwrap();
            return (bench, bytes, name);
        }
        recover(&bench.root, &mut |_| ()).unwrap();
    }
    panic!("never committed");
}

#[test]
fn damaged_journals() {
    let (bench, bytes, name) = committed();
    let path = format!("{}/{name}", journal::DIRECTORY);
    let put = |bytes: &[u8]| bench.root.write(&path, bytes, 0o600).unwrap();
    let before = snapshot(&bench.root);
    let refuse = |bytes: &[u8], expected: &str| {
        put(bytes);
        let error = recover(&bench.root, &mut |_| ()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(snapshot(&bench.root), before);
    };
    let mut middle = bytes.clone();
    middle[60] ^= 1;
    refuse(&middle, "damaged, but intact records follow it");
    let mut version = bytes.clone();
    version[8] = 9;
    refuse(&version, "format 9 (expected 1)");
    refuse(b"something else entirely", "not a journal");

    // Another system's journal.
    let other = Bench::new();
    other.install(&[spec("other", "1-1", &[])]).unwrap();
    other.root.write(&path, &bytes, 0o600).unwrap();
    let error = recover(&other.root, &mut |_| ()).unwrap_err().to_string();
    assert!(error.contains("belongs to another package database"), "{error}");

    // A torn last record is dropped: here it is the commit, so everything is taken back.
    put(&bytes[..bytes.len() - 3]);
    let recovered = recover(&bench.root, &mut |_| ()).unwrap();
    assert!(matches!(recovered[..], [Recovered::RolledBack { .. }]), "{recovered:?}");
    check_clean(&bench.root);
}
