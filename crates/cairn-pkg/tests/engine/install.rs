// SPDX-License-Identifier: MIT OR Apache-2.0
//! Installing, upgrading and removing, as far as files and database are concerned.

use cairn_pkg::rpmdb::{Access, RpmDb};
use cairn_pkg::transaction::{Action, Durability, ExtraFile, Scriptlets, TransactionOptions, run};
use cairn_pkg::verify::verify_packages;
use cairn_rpm::build::FileSpec;
use cairn_rpm::dependency::Dependency;
use expect_test::expect;

use crate::support::{
    Bench, check_clean, file, options, packages, removal, requires, snapshot, spec,
};

#[test]
fn install_upgrade_remove() {
    let bench = Bench::new();
    let first = spec(
        "alpha",
        "1.0-1",
        &[
            FileSpec::directory("/usr/share/alpha"),
            file("/usr/share/alpha/data", "one"),
            file("/usr/share/alpha/gone", "gone"),
            FileSpec::symlink("/usr/share/alpha/link", "data"),
            file("/usr/bin/alpha", "#!/bin/sh\n").with_mode(0o755),
        ],
    );
    let outcome = bench.install(&[first]).unwrap();
    expect![[r#"
        usr/ 755
        usr/bin/ 755
        usr/bin/alpha 755 "\#!/bin/sh\n"
        usr/share/ 755
        usr/share/alpha/ 755
        usr/share/alpha/data 644 "one"
        usr/share/alpha/gone 644 "gone"
        usr/share/alpha/link -> data
        [1] alpha-1.0-1.noarch
    "#]]
    .assert_eq(&snapshot(&bench.root).replace("\"#!", "\"\\#!"));
    let paths: Vec<&str> = outcome.ownership.iter().map(|entry| entry.path.as_str()).collect();
    assert!(paths.contains(&"usr/share/alpha/link") && paths.contains(&"usr/bin"), "{paths:?}");
    check_clean(&bench.root);

    let second = spec(
        "alpha",
        "2.0-1",
        &[
            FileSpec::directory("/usr/share/alpha"),
            file("/usr/share/alpha/data", "two"),
            file("/usr/share/alpha/new/x", "x"),
        ],
    );
    bench.upgrade(&[second]).unwrap();
    expect![[r#"
        usr/ 755
        usr/bin/ 755
        usr/share/ 755
        usr/share/alpha/ 755
        usr/share/alpha/data 644 "two"
        usr/share/alpha/new/ 755
        usr/share/alpha/new/x 644 "x"
        [2] alpha-2.0-1.noarch
    "#]]
    .assert_eq(&snapshot(&bench.root));
    check_clean(&bench.root);

    bench.run(vec![removal("alpha-2.0-1.noarch")]).unwrap();
    // Directories that no package describes stay.
    expect![[r"
        usr/ 755
        usr/bin/ 755
        usr/share/ 755
        usr/share/alpha/ 755
        usr/share/alpha/new/ 755
    "]]
    .assert_eq(&snapshot(&bench.root));
    check_clean(&bench.root);
}

#[test]
fn requirements_decide_the_order() {
    let bench = Bench::new();
    let c = requires(spec("c", "1-1", &[file("/c", "c")]), "b");
    let b = requires(spec("b", "1-1", &[file("/b", "b")]), "a");
    let a = spec("a", "1-1", &[file("/a", "a")]);
    let outcome = bench.install(&[c, b, a]).unwrap();
    let order: Vec<&str> = outcome.added.iter().map(|(nevra, _)| nevra.name.as_str()).collect();
    assert_eq!(order, ["a", "b", "c"]);
}

#[test]
fn loops_keep_scriptlet_requirements_in_order() {
    let bench = Bench::new();
    // x needs y for its %pre, y needs x only to run.
    let mut x = spec("x", "1-1", &[]);
    let mut hard = Dependency::parse("y").unwrap();
    hard.sense |= cairn_rpm::dependency::sense::SCRIPT_PRE;
    x.requires.push(hard);
    let y = requires(spec("y", "1-1", &[]), "x");
    let outcome = bench.install(&[x, y]).unwrap();
    let order: Vec<&str> = outcome.added.iter().map(|(nevra, _)| nevra.name.as_str()).collect();
    assert_eq!(order, ["y", "x"]);
}

#[test]
fn an_obsoleted_package_goes() {
    let bench = Bench::new();
    bench
        .install(&[spec(
            "old",
            "1-1",
            &[file("/usr/lib/old", "old"), file("/usr/lib/shared", "s")],
        )])
        .unwrap();
    let mut item = bench.item(
        Action::Install,
        &spec("new", "1-1", &[file("/usr/lib/new", "new"), file("/usr/lib/shared", "t")]),
    );
    item.replaces = vec![1];
    bench.run(vec![item]).unwrap();
    assert_eq!(packages(&bench.root).into_values().collect::<Vec<_>>(), ["new-1-1.noarch"]);
    assert!(!bench.root.exists("usr/lib/old").unwrap());
    assert_eq!(bench.root.read_to_string("usr/lib/shared").unwrap(), "t");
}

#[test]
fn links_of_the_filesystem_package_are_followed() {
    let bench = Bench::new();
    let filesystem = spec(
        "filesystem",
        "1-1",
        &[FileSpec::directory("/usr/bin"), FileSpec::symlink("/bin", "usr/bin")],
    );
    let shell = spec("dash", "1-1", &[file("/bin/sh", "sh").with_mode(0o755)]);
    bench.install(&[shell, filesystem]).unwrap();
    assert_eq!(bench.root.read_to_string("usr/bin/sh").unwrap(), "sh");
    assert!(bench.root.symlink_metadata("bin").unwrap().unwrap().is_symlink());
    check_clean(&bench.root);
}

#[test]
fn extra_files_change_with_the_packages() {
    let bench = Bench::new();
    let options = TransactionOptions {
        extra_files: vec![ExtraFile {
            path: "usr/lib/state/packages.toml".to_owned(),
            content: b"state".to_vec(),
            mode: 0o644,
        }],
        ..options()
    };
    let item = bench.item(Action::Install, &spec("a", "1-1", &[file("/a", "a")]));
    run(&bench.root, vec![item], &options, &mut |_| ()).unwrap();
    assert_eq!(bench.root.read_to_string("usr/lib/state/packages.toml").unwrap(), "state");
    check_clean(&bench.root);
}

#[test]
fn scratch_transactions_leave_no_journal() {
    let bench = Bench::new();
    let options = TransactionOptions {
        durability: Durability::Scratch,
        scriptlets: Scriptlets::Collect,
        ..options()
    };
    let item = bench.item(Action::Install, &spec("a", "1-1", &[file("/etc/a", "a")]));
    run(&bench.root, vec![item], &options, &mut |_| ()).unwrap();
    assert!(!bench.root.exists("var/lib/cairn").unwrap());
    assert_eq!(packages(&bench.root).len(), 1);
}

#[test]
fn two_transactions_at_once_are_refused() {
    let bench = Bench::new();
    bench.root.mkdir_all("var/lib/cairn", 0o755).unwrap();
    let _lock = bench.root.lock_file("var/lib/cairn/lock").unwrap();
    let error = bench.install(&[spec("a", "1-1", &[])]).unwrap_err();
    assert_eq!(error.to_string(), "another package transaction is running on this system");
}

#[test]
fn a_test_changes_nothing() {
    let bench = Bench::new();
    let options = TransactionOptions { test_only: true, ..options() };
    let item = bench.item(Action::Install, &spec("a", "1-1", &[file("/a", "a")]));
    run(&bench.root, vec![item], &options, &mut |_| ()).unwrap();
    assert_eq!(snapshot(&bench.root), "");
}

#[test]
fn a_damaged_row_costs_one_package() {
    let bench = Bench::new();
    bench.install(&[spec("a", "1-1", &[]), spec("b", "1-1", &[]), spec("c", "1-1", &[])]).unwrap();
    let connection =
        rusqlite::Connection::open(bench.path().join("usr/lib/sysimage/rpm/rpmdb.sqlite")).unwrap();
    connection.execute("UPDATE Packages SET blob = x'0102' WHERE hnum = 2", []).unwrap();
    drop(connection);
    let db = RpmDb::open(&bench.root, Access::ReadOnly).unwrap();
    let (packages, damage) = db.packages_and_damage().unwrap();
    let names: Vec<&str> = packages.iter().map(|package| package.header.name()).collect();
    assert_eq!(names, ["c", "a"]);
    assert!(damage[0].to_string().starts_with("rpmdb: row 2 unreadable"), "{}", damage[0]);
}

#[test]
fn lookups() {
    let bench = Bench::new();
    let mut a = spec("a", "1-1", &[file("/usr/bin/tool", "x"), file("/opt/tool", "y")]);
    a.provides.push(Dependency::parse("virtual = 2").unwrap());
    bench.install(&[a, requires(spec("b", "1-1", &[]), "(virtual or other)")]).unwrap();
    let db = RpmDb::open(&bench.root, Access::ReadOnly).unwrap();
    let names = |found: Vec<cairn_pkg::rpmdb::Installed>| {
        found.iter().map(|one| one.header.name().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(db.by_name("a").unwrap()), ["a"]);
    assert_eq!(names(db.by_provide("virtual").unwrap()), ["a"]);
    assert_eq!(names(db.by_require("virtual").unwrap()), ["b"]);
    assert_eq!(names(db.by_file("/opt/tool").unwrap()), ["a"]);
    assert_eq!(names(db.by_file("/usr/tool").unwrap()), Vec::<String>::new());
}

#[test]
fn verification_writes_rpms_columns() {
    let bench = Bench::new();
    bench
        .install(&[spec(
            "a",
            "1-1",
            &[
                file("/etc/a", "a"),
                file("/etc/b", "b"),
                file("/etc/c", "c"),
                FileSpec::symlink("/etc/l", "a"),
                file("/etc/m", "m"),
                file("/opt/d/f", "f"),
            ],
        )])
        .unwrap();
    bench.root.remove_file("opt/d/f").unwrap();
    bench.root.remove_dir("opt/d").unwrap();
    bench.write("opt/d", "a file");
    bench.write("etc/a", "changed");
    bench.root.set_mode("etc/b", 0o600).unwrap();
    bench.root.set_xattr("etc/c", "system.posix_acl_access", &list_with_one_more_reader()).unwrap();
    bench.root.remove_file("etc/l").unwrap();
    bench.root.symlink("b", "etc/l").unwrap();
    bench.root.remove_file("etc/m").unwrap();
    let db = RpmDb::open(&bench.root, Access::ReadOnly).unwrap();
    let package = db.by_name("a").unwrap().remove(0);
    let verdicts = verify_packages(&bench.root, &[&package.header]).unwrap().remove(0);
    // The current user may not be root: owners are left out.
    let lines: Vec<String> =
        verdicts.iter().map(ToString::to_string).map(|line| line.replacen("UG", "..", 1)).collect();
    expect![[r"
        S.5....T.    /etc/a
        .M.......    /etc/b
        .M.......    /etc/c
        ....L....    /etc/l
        missing     /etc/m
        missing     /opt/d/f (Not a directory)"]]
    .assert_eq(&lines.join("\n"));
}

/// An access control list as `acl(5)` and Linux's `posix_acl_xattr.h` have it: 0644, and user 1 may read.
fn list_with_one_more_reader() -> Vec<u8> {
    const NOBODY: u32 = u32::MAX;
    let mut list = 2_u32.to_le_bytes().to_vec();
    for (tag, rights, id) in [
        (0x01_u16, 6_u16, NOBODY),
        (0x02, 4, 1),
        (0x04, 4, NOBODY),
        (0x10, 4, NOBODY),
        (0x20, 4, NOBODY),
    ] {
        list.extend(tag.to_le_bytes());
        list.extend(rights.to_le_bytes());
        list.extend(id.to_le_bytes());
    }
    list
}

#[test]
fn what_a_killed_program_left_beside_a_file_is_removed() {
    let bench = Bench::new();
    let left = ["etc/.cairn-new.7.0", "usr/lib/sysimage/libdnf5/.cairn-new.7.1"];
    for path in left {
        bench.root.mkdir_all(path.rsplit_once('/').unwrap().0, 0o755).unwrap();
        bench.write(path, "half");
    }
    bench.install(&[spec("one", "1-1", &[file("/usr/share/one", "1")])]).unwrap();
    for path in left {
        assert!(!bench.path().join(path).exists(), "{path}");
    }
}
