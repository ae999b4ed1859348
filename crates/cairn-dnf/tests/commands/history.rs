// SPDX-License-Identifier: MIT OR Apache-2.0
//! `history undo|redo|rollback|store`, `replay`.

use crate::common::{Bench, package, snapshot};
use cairn_pkg::state::history::{History, HistoryRecord, HistoryState};
use expect_test::expect;

/// Runs without any repository: what works then works offline.
fn offline(bench: &Bench, arguments: &str) -> String {
    let ran = bench.plain_dnf(arguments);
    let err: String = ran.err.lines().map(|line| format!("{line}\n")).collect();
    format!("exit {}\n{}{err}", ran.code, ran.out)
}

fn ok(bench: &Bench, arguments: &str) {
    let ran = bench.dnf(arguments);
    assert_eq!(ran.code, 0, "{arguments}: {}", ran.text());
}

#[test]
fn the_last_three_are_taken_back_offline_bit_for_bit() {
    let bench = Bench::usual();
    ok(&bench, "install -y bar");
    let bar = snapshot(&bench);
    ok(&bench, "install -y foo-1.0");
    let foo = snapshot(&bench);
    ok(&bench, "upgrade -y foo");
    let upgraded = snapshot(&bench);
    ok(&bench, "remove -y foo");

    bench.empty_repository();
    std::fs::remove_dir_all(bench.root().join("var/cache")).unwrap();
    expect![[r#"
        exit 0
        Package Arch   Version Repository      Size
        Installing:
         foo    noarch 0:2.0-1 t            6.0   B
        Installing dependencies:
         libfoo noarch 0:1.0-1 t            6.0   B

        Transaction Summary:
         Installing:         2 packages

        The files come back from the undo store; nothing is downloaded.
        Complete!
    "#]]
    .assert_eq(&offline(&bench, "history undo last -y"));
    assert_eq!(snapshot(&bench), upgraded);
    expect![[r#"
        exit 0
        Package          Arch   Version Repository      Size
        Downgrading:
         foo             noarch 0:1.0-1 t            6.0   B
           replacing foo noarch 0:2.0-1 t            6.0   B

        Transaction Summary:
         Replacing:          1 package
         Downgrading:        1 package

        The files come back from the undo store; nothing is downloaded.
        Complete!
    "#]]
    .assert_eq(&offline(&bench, "history undo 3 -y"));
    assert_eq!(snapshot(&bench), foo);
    assert!(offline(&bench, "history undo 2 -y").starts_with("exit 0\n"));
    assert_eq!(snapshot(&bench), bar);
    // The first is too old for the store.
    let refused = offline(&bench, "history undo 1 -y");
    assert!(refused.starts_with("exit "), "{refused}");
    expect![[r#"
        exit 0
        Transaction ID : 8
        Begin time     : [TIME]
        Begin rpmdb    : [SHA]
        End time       : [TIME]
        End rpmdb      : [SHA]
        User           : USER
        Status         : Ok
        Releasever     : 
        Description    : dnf --installroot=[TMP]/root history undo 1 -y
        Comment        : 
        Packages altered:
          Action Package            Reason Repository
          Remove bar-0:1.0-1.noarch User   @System

    "#]]
    .assert_eq(
        &crate::common::without_times(&offline(&bench, "history info last"))
            .replace("[TIME]             ", "[TIME]")
            .replace("User           : 0", "User           : USER"),
    );
}

#[test]
fn later_transactions_keep_their_reasons() {
    let bench = Bench::usual();
    ok(&bench, "install -y foo-1.0");
    ok(&bench, "install -y baz");
    assert!(offline(&bench, "history undo 1 -y").starts_with("exit 0\n"));
    assert_eq!(bench.rpm("-qa").out, "baz-1.0-1.noarch\n");
    expect![[r#"
        version = "1.0"

        [packages]
        "baz.noarch" = {reason = "User"}
    "#]]
    .assert_eq(&bench.read("usr/lib/sysimage/libdnf5/packages.toml").unwrap());
    expect![[r#"
        version = "1.0"

        [nevras]
        "baz-1.0-1.noarch" = {from_repo = "t"}
    "#]]
    .assert_eq(&bench.read("usr/lib/sysimage/libdnf5/nevras.toml").unwrap());
}

#[test]
fn undo_with_packages_from_repositories() {
    let bench = Bench::usual();
    ok(&bench, "install -y foo-1.0");
    ok(&bench, "upgrade -y foo");
    expect![[r#"
        exit 0
        --- out
        Package          Arch   Version Repository      Size
        Removing:
         bar             noarch 0:1.0-1 t            6.0   B
        Downgrading:
         foo             noarch 0:1.0-1 t            6.0   B
           replacing foo noarch 0:2.0-1 t            6.0   B

        Transaction Summary:
         Replacing:          1 package
         Downgrading:        1 package
         Removing:           1 package

        --- err
        Complete!
    "#]]
    .assert_eq(&bench.dnf("history undo last -y --from-repositories").quiet());
    assert_eq!(bench.rpm("-q foo").out, "foo-1.0-1.noarch\n");
    // What has changed since is refused, unless told otherwise.
    ok(&bench, "upgrade -y foo");
    expect![[r#"
        exit 1
        --- err
        Failed to resolve the transaction:
        Cannot perform Remove action because 'foo-1.0-1.noarch' is not installed.
    "#]]
    .assert_eq(&bench.dnf("history undo 1 -y --from-repositories").quiet());
    ok(&bench, "mark -y dependency foo");
    expect![[r#"
        exit 0
        --- out
        Package               Arch   Version Repository      Size
        Changing reason:
         foo                  noarch 0:2.0-1 @System      6.0   B
           Dependency -> User

        Transaction Summary:
         Changing reason:    1 package

        --- err
        Complete!
    "#]]
    .assert_eq(&bench.dnf("history undo last -y").quiet());
}

#[test]
fn redo() {
    let bench = Bench::usual();
    ok(&bench, "install -y foo-1.0");
    ok(&bench, "remove -y foo");
    expect![[r#"
        exit 0
        --- out
        Package Arch   Version Repository      Size
        Installing:
         foo    noarch 0:1.0-1 t            6.0   B
        Installing dependencies:
         libfoo noarch 0:1.0-1 t            6.0   B

        Transaction Summary:
         Installing:         2 packages

        --- err
        Complete!
    "#]]
    .assert_eq(&bench.dnf("history redo 1 -y").quiet());
    expect![[r#"
        exit 0
        --- out
        Nothing to do.
        --- err
        Package "foo-1.0-1.noarch" is already installed.
        Package "libfoo-1.0-1.noarch" is already installed.
    "#]]
    .assert_eq(&bench.dnf("history redo 1 -y").quiet());
}

#[test]
fn rollback() {
    let bench = Bench::usual();
    ok(&bench, "install -y bar");
    let bar = snapshot(&bench);
    ok(&bench, "install -y foo-1.0");
    ok(&bench, "upgrade -y foo");
    expect![[r#"
        exit 0
        Taking back transaction 3 (dnf --installroot=[TMP]/root --repofrompath=t,file://[TMP]/repo --setopt=t.gpgkey=file://[TMP]/KEY --repo=t --releasever=1 upgrade -y foo):
          Downgrade foo-1.0-1.noarch

        Taking back transaction 2 (dnf --installroot=[TMP]/root --repofrompath=t,file://[TMP]/repo --setopt=t.gpgkey=file://[TMP]/KEY --repo=t --releasever=1 install -y foo-1.0):
          Remove foo-1.0-1.noarch
          Remove libfoo-1.0-1.noarch

        The files come back from the undo store; nothing is downloaded.
        Complete!
    "#]]
    .assert_eq(&offline(&bench, "history rollback 1 -y"));
    assert_eq!(snapshot(&bench), bar);
    assert_eq!(bench.dnf("history rollback last -y").out, "Nothing to do.\n");
    // More than the store keeps: one transaction with packages of the repositories.
    for arguments in ["install -y foo-1.0", "upgrade -y foo", "remove -y foo", "install -y libfoo"]
    {
        ok(&bench, arguments);
    }
    expect![[r#"
        exit 0
        --- out
        Package Arch   Version Repository      Size
        Removing:
         libfoo noarch 0:1.0-1 t            6.0   B

        Transaction Summary:
         Removing:           1 package

        --- err
        Complete!
    "#]]
    .assert_eq(&bench.dnf("history rollback 1 -y --ignore-extras").quiet());
    assert_eq!(bench.rpm("-qa").out, "bar-1.0-1.noarch\n");
}

#[test]
fn refusals() {
    let mut bench = Bench::usual();
    expect![[r#"
        exit 1
        --- err
        error: No matching transaction ID found, exactly one required.
        hint: `dnf history list` shows all of them
    "#]]
    .assert_eq(&bench.dnf("history undo last -y").quiet());
    ok(&bench, "install -y bar");
    expect![[r#"
        exit 1
        --- err
        error: No matching transaction ID found, exactly one required.
        hint: `dnf history list` shows all of them
    "#]]
    .assert_eq(&bench.dnf("history undo 99 -y").quiet());
    expect![[r#"
        exit 1
        --- err
        error: Invalid transaction ID range "nothing", "ID" or "ID..ID" expected, where ID is "NUMBER", "last" or "last-NUMBER".
    "#]]
    .assert_eq(&bench.dnf("history undo nothing").quiet());
    expect![[r#"
        exit 1
        --- out
        Package Arch   Version Repository      Size
        Removing:
         bar    noarch 0:1.0-1 t            6.0   B

        Transaction Summary:
         Removing:           1 package

        --- err
        The files come back from the undo store; nothing is downloaded.
        Operation aborted by the user.
    "#]]
    .assert_eq(&bench.dnf("history undo 1..2 --assumeno").quiet());
    assert_eq!(bench.dnf("history undo last --assumeno").code, 1);
    assert_eq!(bench.rpm("-q bar").out, "bar-1.0-1.noarch\n");
    // Changed by hand since: the old version is in the repository no more.
    bench.add(vec![package("bar", "1.1-1", &[])]);
    ok(&bench, "upgrade -y bar --refresh");
    expect![[r#"
        exit 1
        --- err
        warning: the undo store cannot be used: bar-1.0-1.noarch has been changed since
          packages from the repositories are used instead
        Failed to resolve the transaction:
        Cannot perform Remove action because 'bar-1.0-1.noarch' is not installed.
    "#]]
    .assert_eq(&bench.dnf("history undo 1 -y").quiet());
}

#[test]
fn store_and_replay() {
    let bench = Bench::usual();
    ok(&bench, "install -y foo-1.0");
    let stored = bench.path("stored");
    expect![[r#"
        exit 0
        --- err
        Transaction saved to [TMP]/stored.
    "#]]
    .assert_eq(&bench.dnf(&format!("history store -o {}", stored.display())).quiet());
    expect![[r#"
        {
          "rpms":[
            {
              "nevra":"foo-1.0-1.noarch",
              "action":"Install",
              "reason":"User",
              "repo_id":"t"
            },
            {
              "nevra":"libfoo-1.0-1.noarch",
              "action":"Install",
              "reason":"Dependency",
              "repo_id":"t"
            }
          ],
          "version":"1.0"
        }
    "#]]
    .assert_eq(&format!("{}\n", std::fs::read_to_string(stored.join("transaction.json")).unwrap()));
    ok(&bench, "remove -y foo");
    let replay = format!("replay -y {}", stored.display());
    expect![[r#"
        exit 0
        --- out
        Package Arch   Version Repository      Size
        Installing:
         foo    noarch 0:1.0-1 t            6.0   B
        Installing dependencies:
         libfoo noarch 0:1.0-1 t            6.0   B

        Transaction Summary:
         Installing:         2 packages

        --- err
        Complete!
    "#]]
    .assert_eq(&bench.dnf(&replay).quiet());
    assert_eq!(bench.rpm("-q foo").out, "foo-1.0-1.noarch\n");
    // The option --store, with a package file.
    let planned = bench.path("planned");
    let file = bench.repository().join("bar-1.0-1.noarch.rpm");
    ok(&bench, &format!("install -y {} --store {}", file.display(), planned.display()));
    assert_eq!(bench.rpm("-q bar").code, 1);
    ok(&bench, &format!("replay -y {}", planned.display()));
    assert_eq!(bench.rpm("-q bar").out, "bar-1.0-1.noarch\n");
    std::fs::write(planned.join("transaction.json"), "{\"version\": \"9\"}").unwrap();
    expect![[r#"
        exit 1
        --- err
        error: [TMP]/planned/transaction.json: unsupported format version "9" (expected "1.0")
        hint: `dnf history store` and the option --store write such files
    "#]]
    .assert_eq(&bench.dnf(&format!("replay -y {}", planned.display())).quiet());
    expect![[r#"
        exit 1
        --- err
        error: cannot read `/nothing/transaction.json`: No such file or directory (os error 2)
    "#]]
    .assert_eq(&bench.dnf("replay -y /nothing").quiet());
}

#[test]
fn with_packages_and_groups() {
    let bench = Bench::usual();
    ok(&bench, "group install -y tools");
    ok(&bench, "remove -y bar");
    let list = |arguments: &str| {
        bench
            .dnf(arguments)
            .out
            .lines()
            .skip(1)
            .map(|line| line.trim_start()[..1].to_owned())
            .collect::<String>()
    };
    assert_eq!(list("history list"), "21");
    assert_eq!(list("history list --reverse"), "12");
    assert_eq!(list("history list --contains-pkgs=fo*"), "1");
    let info: serde_json::Value =
        serde_json::from_str(&bench.dnf("history info 1 --json").out).unwrap();
    expect![[r#"
        [
          {
            "action": "Install",
            "id": "tools",
            "reason": "User",
            "repository": "t"
          }
        ]"#]]
    .assert_eq(&serde_json::to_string_pretty(&info[0]["groups"]).unwrap());
    // A group goes with its transaction.
    assert!(offline(&bench, "history undo last -y").starts_with("exit 0\n"));
    assert!(offline(&bench, "history undo 1 -y").starts_with("exit 0\n"));
    assert_eq!(
        bench.read("usr/lib/sysimage/libdnf5/groups.toml").unwrap(),
        "version = \"1.0\"\n\n[groups]\n"
    );
}

/// The power goes after the last file is in place and before the history knows: `recover` tells it.
#[test]
fn the_history_learns_what_was_cut_off() {
    let bench = Bench::usual();
    ok(&bench, "install -y bar");
    let before = snapshot(&bench);
    ok(&bench, "install -y foo-1.0");
    let root = cairn_host::Root::open(bench.root()).unwrap();
    let mut history = History::open(&root).unwrap().unwrap();
    let mut cut = |rpmdb_begin: fn(&HistoryRecord) -> &str| {
        let last = history.list().unwrap().remove(0);
        let rpmdb_begin = rpmdb_begin(&last).to_owned();
        history.begin(&HistoryRecord { rpmdb_begin, ..last }).unwrap();
    };
    // As the records are when a transaction was carried out and that was all.
    cut(|last| &last.rpmdb_begin);
    let undo = cairn_pkg::undo::list(&root).unwrap().pop().unwrap();
    let path = |name: &str| format!("var/lib/cairn/undo/{undo:08}/{name}");
    root.rename(path("history"), path(".cairn-new.1.1")).unwrap();
    assert_eq!(offline(&bench, "recover"), "exit 0\nNo interrupted transaction.\n");
    assert!(!root.exists(path(".cairn-new.1.1")).unwrap());
    // As they are when it had not begun.
    cut(|last| &last.rpmdb_end);
    ok(&bench, "recover");
    let states = || -> Vec<HistoryState> {
        let history = History::open(&root).unwrap().unwrap();
        history.list().unwrap().iter().map(|record| record.state).collect()
    };
    assert_eq!(
        states(),
        [HistoryState::Error, HistoryState::Ok, HistoryState::Ok, HistoryState::Ok]
    );
    bench.empty_repository();
    ok(&bench, "history undo 3 -y");
    assert_eq!(snapshot(&bench), before);
}

#[test]
fn opposites_can_be_stored() {
    let bench = Bench::usual();
    ok(&bench, "install -y foo-1.0");
    ok(&bench, "upgrade -y foo");
    let stored = bench.path("stored");
    ok(&bench, &format!("history undo last -y --store={}", stored.display()));
    assert!(bench.rpm("-q foo").out.contains("foo-2.0-1"), "only stored");
    ok(&bench, &format!("replay -y {}", stored.display()));
    assert!(bench.rpm("-q foo").out.contains("foo-1.0-1"));
    ok(&bench, "history redo 2 -y --offline");
    assert!(bench.dnf("offline status").out.contains("history redo 2 -y --offline"));
    ok(&bench, "offline clean");
    let marked = bench.path("marked");
    ok(&bench, &format!("mark -y --store {} dependency foo", marked.display()));
    assert!(bench.dnf("repoquery --userinstalled").out.contains("foo"), "only stored");
    ok(&bench, &format!("replay -y {}", marked.display()));
    assert!(!bench.dnf("repoquery --userinstalled").out.contains("foo"));
    ok(&bench, "mark user foo -y --offline");
    ok(&bench, "offline clean");
    assert_eq!(bench.dnf("history undo last --offline --store=x").code, 2);
}
