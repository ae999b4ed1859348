// SPDX-License-Identifier: MIT OR Apache-2.0
//! The changing commands from end to end: packages, repository, root, database, state and history.
#![allow(clippy::unwrap_used, reason = "a test may stop")]

mod common;

use common::{Bench, package, without_times};
use expect_test::expect;

#[test]
fn install_upgrade_remove() {
    let bench = Bench::usual();
    let ran = bench.dnf("install -y foo-1.0");
    expect![[r"
        exit 0
        --- out
        Package Arch   Version Repository      Size
        Installing:
         foo    noarch 0:1.0-1 t            6.0   B
        Installing dependencies:
         libfoo noarch 0:1.0-1 t            6.0   B

        Transaction Summary:
         Installing:         2 packages

    "]]
    .assert_eq(&format!("exit {}\n--- out\n{}", ran.code, ran.out));
    assert!(ran.err.ends_with("Complete!\n"), "{}", ran.err);
    assert_eq!(bench.read("usr/share/foo/file").as_deref(), Some("1.0-1\n"));
    expect![[r#"
        version = "1.0"

        [packages]
        "foo.noarch" = {reason = "User"}
        "libfoo.noarch" = {reason = "Dependency"}
    "#]]
    .assert_eq(&bench.read("usr/lib/sysimage/libdnf5/packages.toml").unwrap());

    let ran = bench.dnf("upgrade -y");
    expect![[r"
        Package          Arch   Version Repository      Size
        Upgrading:
         foo             noarch 0:2.0-1 t            6.0   B
           replacing foo noarch 0:1.0-1 t            6.0   B
        Installing weak dependencies:
         bar             noarch 0:1.0-1 t            6.0   B

        Transaction Summary:
         Installing:         1 package
         Upgrading:          1 package
         Replacing:          1 package

    "]]
    .assert_eq(&ran.out);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(bench.read("usr/share/foo/file").as_deref(), Some("2.0-1\n"));

    let ran = bench.dnf("remove -y foo");
    expect![[r"
        Package Arch   Version Repository      Size
        Removing:
         foo    noarch 0:2.0-1 t            6.0   B
        Removing unused dependencies:
         bar    noarch 0:1.0-1 t            6.0   B
         libfoo noarch 0:1.0-1 t            6.0   B

        Transaction Summary:
         Removing:           3 packages

    "]]
    .assert_eq(&ran.out);
    assert_eq!(bench.read("usr/share/foo/file"), None);
    assert_eq!(bench.rpm("-qa").out, "");

    expect![[r#"
        ID Command line                            Date and time       Action(s) Altered
         3 [TMP]                                  [TIME]                              3
         2 [TMP]                                  [TIME]                              3
         1 [TMP]                                  [TIME]                              2
    "#]]
    .assert_eq(&history(&bench));
    expect![[r"
        Transaction ID : 2
        Begin time     : [TIME]             
        Begin rpmdb    : [SHA]
        End time       : [TIME]             
        End rpmdb      : [SHA]
        User           : USER
        Status         : Ok
        Releasever     : 1
        Description    : COMMAND
        Comment        : 
        Packages altered:
          Action   Package            Reason          Repository
          Install  bar-0:1.0-1.noarch Weak Dependency t
          Upgrade  foo-0:2.0-1.noarch User            t
          Replaced foo-0:1.0-1.noarch User            @System

    "]]
    .assert_eq(&info(&bench, "2"));
}

/// The list with the command lines, which name the temporary directory, taken out.
fn history(bench: &Bench) -> String {
    let text = without_times(&bench.dnf("history list").out);
    let mut lines = text.lines();
    let mut out = format!("{}\n", lines.next().unwrap());
    for line in lines {
        let (id, rest) = (&line[..3], &line[line.find("[TIME]").unwrap()..]);
        out.push_str(&format!("{id}[TMP]                                  {rest}\n"));
    }
    out
}

fn info(bench: &Bench, id: &str) -> String {
    let text = without_times(&bench.dnf(&format!("history info {id}")).out);
    let mask = |line: &str| match line.split_once(" : ") {
        Some((key, _)) if key.trim() == "User" => format!("{key} : USER\n"),
        Some((key, _)) if key.trim() == "Description" => format!("{key} : COMMAND\n"),
        _ => format!("{line}\n"),
    };
    text.lines().map(mask).collect()
}

#[test]
fn refusals() {
    let bench = Bench::usual();
    let stderr = |command: &str| {
        let ran = bench.dnf(command);
        let lines = ran.err.lines().filter(|l| {
            !l.starts_with("Updating and loading") && !l.starts_with("Repositories loaded")
        });
        let lines: String =
            lines.filter(|l| !l.starts_with(" t  ")).map(|l| format!("{l}\n")).collect();
        format!("exit {}\n{}{lines}", ran.code, ran.out)
    };
    expect![[r"
        exit 1
        Failed to resolve the transaction:
        No match for argument: nothing
        You can try to add to command line:
          --skip-unavailable to skip unavailable packages
    "]]
    .assert_eq(&stderr("install -y nothing"));
    assert!(stderr("install -y broken").contains("nonexistent >= 3"));
    expect![[r"
        exit 0
        Nothing to do.
        No packages to remove for argument: nothing

    "]]
    .assert_eq(&stderr("remove -y nothing"));
    expect![[r"
        exit 1
        Failed to resolve the transaction:
        Packages for argument 'bar' available, but not installed.
    "]]
    .assert_eq(&stderr("upgrade -y bar"));
    assert_eq!(bench.rpm("-qa").out, "");
    assert!(!bench.root().join("usr/share").exists());
}

#[test]
fn declined_changes_nothing() {
    let bench = Bench::usual();
    let ran = bench.dnf("install --assumeno bar");
    assert_eq!(ran.code, 1);
    assert!(ran.err.ends_with("Operation aborted by the user.\n"), "{}", ran.err);
    assert_eq!(bench.rpm("-qa").out, "");
}

#[test]
fn downgrade_reinstall_mark_autoremove() {
    let bench = Bench::usual();
    assert_eq!(bench.dnf("install -y foo").code, 0);
    let ran = bench.dnf("downgrade -y foo");
    assert_eq!(ran.code, 0, "{}", ran.text());
    assert_eq!(bench.rpm("-q foo").out, "foo-1.0-1.noarch\n");
    let ran = bench.dnf("reinstall -y foo");
    assert_eq!(ran.code, 0, "{}", ran.text());
    let ran = bench.dnf("mark -y dependency foo");
    assert_eq!(ran.code, 0, "{}", ran.text());
    let ran = bench.dnf("autoremove -y");
    assert_eq!(ran.code, 0, "{}", ran.text());
    assert_eq!(bench.rpm("-qa").out, "");
}

#[test]
fn groups() {
    let bench = Bench::usual();
    expect![[r#"
        ID                   Name  Installed
        tools                Tools        no
        Groups: 1 (0 installed, 1 available)
    "#]]
    .assert_eq(&bench.dnf("group list").out);
    let ran = bench.dnf("group install -y tools");
    assert_eq!(ran.code, 0, "{}", ran.text());
    expect![[r#"
        version = "1.0"

        [groups]
        [groups.tools]
        package_types = ["mandatory", "default", "conditional"]
        packages = ["foo"]
        userinstalled = true
    "#]]
    .assert_eq(&bench.read("usr/lib/sysimage/libdnf5/groups.toml").unwrap());
    assert_eq!(
        bench.dnf("repoquery --installed --qf '%{name} %{reason}\\n' foo").out,
        "foo Group\n"
    );
    let ran = bench.dnf("group remove -y tools");
    assert_eq!(ran.code, 0, "{}", ran.text());
    assert_eq!(bench.rpm("-qa").out, "");
}

#[test]
fn local_files_and_swap() {
    let bench = Bench::usual();
    let file = bench.repository().join("bar-1.0-1.noarch.rpm");
    let ran = bench.dnf(&format!("install -y {}", file.display()));
    assert_eq!(ran.code, 0, "{}", ran.text());
    let ran = bench.dnf("swap -y bar baz");
    assert_eq!(ran.code, 0, "{}", ran.text());
    assert_eq!(bench.rpm("-qa").out, "baz-1.0-1.noarch\n");
    let ran = bench.dnf("install -y ./nothere.rpm");
    expect![[r"
        error: cannot open `[TMP]/repo/nothere.rpm`: No such file or directory (os error 2)
    "]]
    .assert_eq(
        &ran.err
            .replace(&format!("{}/", std::env::current_dir().unwrap().display()), "[TMP]/repo/"),
    );
}

#[test]
fn upgrade_to_a_new_revision() {
    let mut bench = Bench::usual();
    assert_eq!(bench.dnf("install -y bar").code, 0);
    bench.add(vec![package("bar", "1.1-1", &[])]);
    assert_eq!(bench.dnf("check-upgrade").code, 0, "the cache is still fresh");
    let ran = bench.dnf("check-upgrade --refresh");
    assert_eq!((ran.code, ran.out.as_str()), (100, "Upgrades\nbar.noarch 1.1-1 t\n"));
    assert_eq!(bench.dnf("upgrade -y").code, 0);
    assert_eq!(bench.rpm("-q bar").out, "bar-1.1-1.noarch\n");
}

/// `rpm --exportdb` and `--importdb`, and what is no list of headers.
#[test]
fn the_database_as_a_list() {
    let bench = Bench::usual();
    assert_eq!(bench.dnf("install -y foo-1.0").code, 0);
    let list = bench.path("list");
    let mut bytes = bench.rpm_bytes("--exportdb");
    std::fs::write(&list, &bytes).unwrap();
    let again = bench.rpm_reading("--dbpath /other --importdb", &list);
    assert_eq!(again.text(), "exit 0\n");
    let format = "-qa --qf '%{NEVRA} %{INSTALLTIME}\\n'";
    assert_eq!(bench.rpm(&format!("--dbpath /other {format}")).out, bench.rpm(format).out);
    bytes.truncate(bytes.len() - 1);
    std::fs::write(&list, bytes).unwrap();
    let short = bench.rpm_reading("--dbpath /third --importdb", &list);
    assert_eq!(short.code, 1);
    assert!(short.err.contains("standard input: header 2: truncated"), "{}", short.err);
    assert_eq!(bench.rpm("--dbpath /third -qa").out, "", "nothing was imported");
}

/// `--relocate` and `--prefix`: packages say what may be moved.
#[test]
fn packages_that_cannot_be_moved() {
    let bench = Bench::usual();
    assert_eq!(bench.rpm("--import ../KEY").code, 0);
    for (option, error) in [
        ("--relocate /usr=/opt", "\tpath /usr in package foo-1.0-1.noarch is not relocatable\n"),
        ("--prefix /opt", "error: package foo is not relocatable\n"),
    ] {
        let ran = bench.rpm(&format!("-i --nodeps {option} foo-1.0-1.noarch.rpm"));
        assert_eq!((ran.code, ran.err.as_str()), (1, error), "{option}");
    }
    let ran = bench.rpm("-i --nodeps --badreloc --relocate /usr=/opt foo-1.0-1.noarch.rpm");
    assert_eq!(ran.text(), "exit 0\n");
    assert_eq!(bench.read("opt/share/foo/file").as_deref(), Some("1.0-1\n"));
    assert_eq!(bench.rpm("-q --qf '%{ORIGBASENAMES}' foo").code, 0);
    assert_eq!(bench.rpm("-ql foo").out.lines().last(), Some("/opt/share/foo/file"));
    assert_eq!(bench.rpm("-V --nodeps foo").text(), "exit 0\n");
    assert_eq!(bench.rpm("-e foo").code, 0);
    assert_eq!(bench.read("opt/share/foo/file"), None);
}
