// SPDX-License-Identifier: MIT OR Apache-2.0
//! Databases and journals that a machine lost its power in the middle of, or worse: what is said about each, and that nothing else is lost.
#![allow(clippy::unwrap_used, reason = "a test may stop")]

mod common;

use cairn_pkg::journal::{Begin, Journal, Record};
use common::{Bench, Ran, fixtures};
use expect_test::expect;
use std::path::PathBuf;

/// Installs something, then lets `change` damage a file in the root, which it returns; shows what queries and transactions say about it.
fn with_damage(name: &str, change: impl Fn(&Bench) -> PathBuf) -> String {
    let packages = ["foo", "libfoo", "baz"].map(|name| common::package(name, "1.0-1", &[]));
    let bench = Bench::new(packages.to_vec());
    assert_eq!(bench.rpm("--import ../KEY").code, 0);
    assert_eq!(bench.dnf("install -y foo libfoo").code, 0);
    let damaged = change(&bench);
    let kept = bench.path(&format!("damaged-{}", damaged.file_name().unwrap().display()));
    // What the commands do to it comes later.
    std::fs::copy(damaged, &kept).unwrap();
    let query = bench.rpm("-qa");
    let install = bench.dnf("install -y baz");
    let mut text = format!("-qa {}", troubles(&query));
    let packages = query.out.lines().filter(|line| !line.starts_with("gpg-pubkey-"));
    packages.for_each(|line| text.push_str(&format!("| {line}\n")));
    text.push_str(&format!("install {}", troubles(&install)));
    let installed = bench.root().join("usr/share/baz").exists();
    text.push_str(if installed { "baz is installed\n" } else { "baz is not installed\n" });
    fixtures::keep("machines", name, &kept, &text);
    text
}

/// Exit code and lines about what went wrong; of a random digest only that it is there.
fn troubles(ran: &Ran) -> String {
    let starts = ["error: ", "warning: ", "hint: ", "Took back", "Finished"];
    let mut text = format!("exit {}\n", ran.code);
    for line in ran.err.lines().filter(|line| starts.iter().any(|start| line.starts_with(start))) {
        match line.split_once(", found ") {
            Some((before, digest)) if digest.len() == 13 => {
                text.push_str(&format!("{before}, found [DIGEST])\n"));
            }
            _ => text.push_str(&format!("{line}\n")),
        }
    }
    text
}

fn database(bench: &Bench) -> PathBuf {
    bench.root().join("usr/lib/sysimage/rpm/rpmdb.sqlite")
}

/// The database in one file.
fn without_log(bench: &Bench) {
    for suffix in ["-wal", "-shm"] {
        let path = format!("{}{suffix}", database(bench).display());
        if std::path::Path::new(&path).exists() {
            std::fs::remove_file(path).unwrap();
        }
    }
}

#[test]
fn truncated_database() {
    let text = with_damage("47 truncated database", |bench| {
        without_log(bench);
        let bytes = std::fs::read(database(bench)).unwrap();
        std::fs::write(database(bench), &bytes[..bytes.len() / 2]).unwrap();
        database(bench)
    });
    expect![[r#"
        -qa exit 1
        error: rpmdb: `usr/lib/sysimage/rpm/rpmdb.sqlite` is damaged or not a database: database disk image is malformed
        hint: run `dnf recover`, or `rpm --rebuilddb` to drop what cannot be read; reinstall the packages that are lost
        install exit 1
        error: rpmdb: `usr/lib/sysimage/rpm/rpmdb.sqlite` is damaged or not a database: database disk image is malformed
        hint: run `dnf recover`, or `rpm --rebuilddb` to drop what cannot be read; reinstall the packages that are lost
        baz is not installed
    "#]].assert_eq(&text);
}

#[test]
fn database_that_is_none() {
    let text = with_damage("47 no database", |bench| {
        without_log(bench);
        std::fs::write(database(bench), "this is no database, whatever its name is\n".repeat(100))
            .unwrap();
        database(bench)
    });
    expect![[r#"
        -qa exit 1
        error: rpmdb: `usr/lib/sysimage/rpm/rpmdb.sqlite` is damaged or not a database: file is not a database
        hint: run `dnf recover`, or `rpm --rebuilddb` to drop what cannot be read; reinstall the packages that are lost
        install exit 1
        error: rpmdb: `usr/lib/sysimage/rpm/rpmdb.sqlite` is damaged or not a database: file is not a database
        hint: run `dnf recover`, or `rpm --rebuilddb` to drop what cannot be read; reinstall the packages that are lost
        baz is not installed
    "#]].assert_eq(&text);
}

/// Writes other bytes, of the same length, wherever the database has some.
fn replace_in_database(bench: &Bench, before: &[u8], after: &[u8]) -> PathBuf {
    let path = database(bench);
    let mut bytes = std::fs::read(&path).unwrap();
    // Old pages may hold a copy.
    let found: Vec<usize> =
        (0..bytes.len() - before.len()).filter(|at| bytes[*at..].starts_with(before)).collect();
    found.into_iter().for_each(|at| bytes[at..at + before.len()].copy_from_slice(after));
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn database_of_another_schema() {
    let text = with_damage("47 wrong schema", |bench| {
        without_log(bench);
        replace_in_database(bench, b"'Packages'", b"'Packagez'")
    });
    expect![[r#"
        -qa exit 1
        error: rpmdb: `usr/lib/sysimage/rpm/rpmdb.sqlite` is damaged or not a database: malformed database schema (Packages)
        hint: run `dnf recover`, or `rpm --rebuilddb` to drop what cannot be read; reinstall the packages that are lost
        install exit 1
        error: rpmdb: `usr/lib/sysimage/rpm/rpmdb.sqlite` is damaged or not a database: malformed database schema (Packages)
        hint: run `dnf recover`, or `rpm --rebuilddb` to drop what cannot be read; reinstall the packages that are lost
        baz is not installed
    "#]].assert_eq(&text);
}

#[test]
fn damaged_row_of_the_database() {
    // The summary of a package loses its end.
    let text = with_damage("47 damaged row", |bench| {
        replace_in_database(bench, b"Test package foo\0", b"Test package foo!")
    });
    expect![[r#"
        -qa exit 0
        error: rpmdb: row 3 unreadable: tags SUMMARY(1004) and DESCRIPTION(1005) overlap
        hint: run `dnf recover`, or `rpm --rebuilddb` to drop what cannot be read; reinstall the packages that are lost
        | libfoo-1.0-1.noarch
        install exit 0
        warning: rpmdb: row 3 unreadable: tags SUMMARY(1004) and DESCRIPTION(1005) overlap
        hint: run `dnf recover`, or `rpm --rebuilddb` to drop what cannot be read; reinstall the packages that are lost
        baz is installed
    "#]].assert_eq(&text);
}

/// Leaves a journal behind, as a power cut would, with the given records after the first; `change` damages its bytes.
fn with_journal(
    name: &str,
    records: &[Record],
    before: Option<&str>,
    change: impl Fn(&mut Vec<u8>),
) -> String {
    with_damage(&format!("48 {name}"), |bench| {
        let root = cairn_host::Root::open(bench.root()).unwrap();
        let db = cairn_pkg::rpmdb::RpmDb::open(&root, cairn_pkg::rpmdb::Access::ReadOnly).unwrap();
        let before = before.map_or_else(|| db.fingerprint().unwrap(), str::to_owned);
        let begin = Begin {
            id: 900,
            time: common::TIME,
            before,
            summary: vec!["x".into()],
            undoes: None,
            database: cairn_pkg::rpmdb::DIRECTORY.to_owned(),
        };
        root.mkdir_all(cairn_pkg::journal::DIRECTORY, 0o700).unwrap();
        let mut journal = Journal::create(&root, &begin).unwrap();
        for record in records {
            journal.append(record).unwrap();
        }
        journal.flush().unwrap();
        let path = bench.root().join("var/lib/cairn/journal/00000900.journal");
        let mut bytes = std::fs::read(&path).unwrap();
        change(&mut bytes);
        std::fs::write(&path, bytes).unwrap();
        path
    })
}

#[test]
fn journals() {
    let committed = [Record::Steps(Vec::new()), Record::Commit];
    let mut text = String::new();
    let mut case = |name: &str, before: Option<&str>, change: &dyn Fn(&mut Vec<u8>)| {
        let said = with_journal(name, &committed, before, change);
        text.push_str(&format!("{name}: {said}\n"));
    };
    case("torn at the end", None, &|bytes| bytes.truncate(bytes.len() - 3));
    case("damaged in the middle", None, &|bytes| bytes[30] ^= 1);
    case("of the future", None, &|bytes| bytes[8] = 9);
    case("no journal", None, &|bytes| *bytes = b"something else".to_vec());
    case("of another root", Some("another"), &|_| {});
    case("empty", None, &Vec::clear);
    expect![[r#"
        torn at the end: -qa exit 0
        | libfoo-1.0-1.noarch
        | foo-1.0-1.noarch
        install exit 0
        Took back transaction 900, which was interrupted before anything had changed:
        baz is installed

        damaged in the middle: -qa exit 0
        | libfoo-1.0-1.noarch
        | foo-1.0-1.noarch
        install exit 1
        error: journal `00000900.journal`: record at byte 12 is damaged, but intact records follow it
        hint: nothing was changed; check the disk, keep a copy of `/var/lib/cairn/journal`, compare with `rpm -Va`, then move the journal away
        baz is not installed

        of the future: -qa exit 0
        | libfoo-1.0-1.noarch
        | foo-1.0-1.noarch
        install exit 1
        error: journal `00000900.journal`: format 9 (expected 1)
        hint: a newer version of this program wrote it: install that version and run `dnf recover`
        baz is not installed

        no journal: -qa exit 0
        | libfoo-1.0-1.noarch
        | foo-1.0-1.noarch
        install exit 1
        error: journal `00000900.journal`: not a journal (expected `CAIRNJNL`)
        hint: nothing was changed; check the disk, keep a copy of `/var/lib/cairn/journal`, compare with `rpm -Va`, then move the journal away
        baz is not installed

        of another root: -qa exit 0
        | libfoo-1.0-1.noarch
        | foo-1.0-1.noarch
        install exit 1
        error: journal `00000900.journal` belongs to another package database (expected another, found [DIGEST])
        hint: nothing was changed; if the database was rebuilt or restored since, check with `rpm -Va` and move the journal away from `/var/lib/cairn/journal`
        baz is not installed

        empty: -qa exit 0
        | libfoo-1.0-1.noarch
        | foo-1.0-1.noarch
        install exit 0
        baz is installed

    "#]].assert_eq(&text);
}
