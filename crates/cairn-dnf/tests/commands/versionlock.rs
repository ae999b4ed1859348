// SPDX-License-Identifier: MIT OR Apache-2.0
//! `versionlock`.

use crate::common::{Bench, without_times};
use expect_test::expect;

fn file(bench: &Bench) -> String {
    without_times(&bench.read("etc/dnf/versionlock.toml").unwrap())
        .replace("[TIME]             ", "[TIME]")
}

#[test]
fn locks_hold() {
    let bench = Bench::usual();
    assert_eq!(bench.dnf("install -y foo-1.0").code, 0);
    assert_eq!(bench.dnf("versionlock list").quiet(), "exit 0\n");
    expect![[r#"
        exit 0
        --- out
        Adding versionlock on "foo = 1.0-1".
    "#]]
    .assert_eq(&bench.dnf("versionlock add foo").quiet());
    expect![[r#"
        exit 0
        --- err
        Package "foo" is already locked.
        No package found for "nothing".
    "#]]
    .assert_eq(&bench.dnf("versionlock add foo nothing").quiet());
    expect![[r#"
        version = "1.0"

        [[packages]]
        name = "foo"
        comment = "Added by 'versionlock add' command on [TIME]"

        [[packages.conditions]]
        key = "evr"
        comparator = "="
        value = "1.0-1"

    "#]]
    .assert_eq(&file(&bench));
    expect![[r#"
        exit 0
        --- out
        Nothing to do.
    "#]]
    .assert_eq(&bench.dnf("upgrade -y").quiet());
    expect![[r#"
        exit 0
        --- out
        Nothing to do.
    "#]]
    .assert_eq(&bench.dnf("upgrade -y foo").quiet());
    expect![[r#"
        exit 1
        --- err
        Failed to resolve the transaction:
        Argument 'foo-2.0' matches only packages excluded by versionlock.
    "#]]
    .assert_eq(&bench.dnf("install -y foo-2.0").quiet());
    assert_eq!(bench.dnf("check-upgrade").code, 0);
    assert_eq!(bench.dnf("reinstall -y foo").code, 0);
    assert_eq!(bench.dnf("versionlock delete 'f*'").code, 0);
    assert_eq!(bench.dnf("versionlock delete foo").quiet(), "exit 0\n");
    assert_eq!(bench.dnf("check-upgrade").code, 100);
}

#[test]
fn excludes_and_bad_files() {
    let bench = Bench::usual();
    expect![[r#"
        exit 0
        --- out
        Adding versionlock exclude on "foo = 2.0-1".
    "#]]
    .assert_eq(&bench.dnf("versionlock exclude foo-2.0").quiet());
    expect![[r#"
        version = "1.0"

        [[packages]]
        name = "foo"
        comment = "Added by 'versionlock exclude' command on [TIME]"

        [[packages.conditions]]
        key = "evr"
        comparator = "!="
        value = "2.0-1"

    "#]]
    .assert_eq(&file(&bench));
    assert_eq!(bench.dnf("install -y foo").code, 0);
    assert_eq!(bench.rpm("-q foo").out, "foo-1.0-1.noarch\n");
    assert_eq!(bench.dnf("upgrade -y").out, "Nothing to do.\n");
    std::fs::write(
        bench.root().join("etc/dnf/versionlock.toml"),
        "version = \"1.0\"\n[[packages]]\n",
    )
    .unwrap();
    expect![[r#"
        exit 1
        --- err
        error: /etc/dnf/versionlock.toml: package 1: no name
        hint: correct the file, or start anew with `dnf versionlock clear`
    "#]]
    .assert_eq(&bench.dnf("upgrade -y").quiet());
    assert_eq!(bench.dnf("versionlock clear").quiet(), "exit 0\n");
    assert_eq!(bench.dnf("upgrade -y").code, 0);
    assert_eq!(bench.rpm("-q foo").out, "foo-2.0-1.noarch\n");
}
