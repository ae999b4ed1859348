// SPDX-License-Identifier: MIT OR Apache-2.0
//! `leaves`, `repoclosure`, `check`, `autoremove`, `distro-sync`, `swap`, and queries of dnf5.

use crate::common::{Bench, package};
use cairn_rpm::dependency::Dependency;
use expect_test::expect;

#[test]
fn leaves() {
    let bench = Bench::new(vec![
        package("libfoo", "1.0-1", &[]),
        package("foo", "1.0-1", &["libfoo"]),
        package("ring-a", "1.0-1", &["ring-b"]),
        package("ring-b", "1.0-1", &["ring-a"]),
    ]);
    assert_eq!(bench.dnf("leaves").quiet(), "exit 0\n");
    assert_eq!(bench.dnf("install -y foo ring-a").code, 0);
    expect![[r#"
        exit 0
        --- out
        - foo-0:1.0-1.noarch
        - ring-a-0:1.0-1.noarch
          ring-b-0:1.0-1.noarch
    "#]]
    .assert_eq(&bench.dnf("leaves").quiet());
}

#[test]
fn repoclosure() {
    let bench = Bench::usual();
    expect![[r#"
        exit 1
        --- out
        package: broken-1.0-1.noarch from t
          unresolved deps (1):
            nonexistent >= 3
        --- err
        Error: Repoclosure ended with unresolved dependencies (1) across 1 packages.
    "#]]
    .assert_eq(&bench.dnf("repoclosure").quiet());
    expect![[r#"
        exit 1
        --- out
        [
          {
            "package": "broken-1.0-1.noarch",
            "repo": "t",
            "unresolved_dependencies": [
              "nonexistent >= 3"
            ]
          }
        ]
    "#]]
    .assert_eq(&bench.dnf("repoclosure --json").quiet());
    assert_eq!(bench.dnf("repoclosure foo").quiet(), "exit 0\n");
    assert_eq!(bench.dnf("repoclosure --json foo").quiet(), "exit 0\n--- out\n[]\n");
    assert_eq!(bench.dnf("repoclosure --check=other").code, 0);
}

#[test]
fn check() {
    let bench = Bench::usual();
    assert_eq!(bench.dnf("check").quiet(), "exit 0\n");
    assert_eq!(bench.dnf("install -y foo").code, 0);
    assert_eq!(bench.rpm("-e --nodeps libfoo").code, 0);
    expect![[r#"
        exit 1
        --- out
        foo-0:2.0-1.noarch
         missing require "libfoo"
        --- err
        Check discovered 1 problem(s) in 1 package(s)
    "#]]
    .assert_eq(&bench.dnf("check").quiet());
    assert_eq!(bench.dnf("check --duplicates").code, 0);
}

#[test]
fn syncs_and_swaps() {
    let mut other = package("other", "1.0-1", &[]);
    other.provides.push(Dependency::parse("thing").unwrap());
    let bench = Bench::new(vec![package("a", "1.0-1", &[]), package("a", "2.0-1", &[]), other]);
    assert_eq!(bench.dnf("install -y a").code, 0);
    assert_eq!(bench.dnf("distro-sync -y").out, "Nothing to do.\n");
    assert_eq!(bench.dnf("downgrade -y a").code, 0);
    expect![[r#"
        exit 0
        --- out
        Nothing to do.
        --- err
        The lowest available version of the "a.noarch" package is already installed, cannot downgrade it.
    "#]].assert_eq(&bench.dnf("downgrade -y a").quiet());
    assert_eq!(bench.dnf("dsync -y a").code, 0);
    assert_eq!(bench.rpm("-q a").out, "a-2.0-1.noarch\n");
    expect![[r#"
        exit 1
        --- out
        Package Arch   Version Repository      Size
        Installing:
         other  noarch 0:1.0-1 t            6.0   B

        Transaction Summary:
         Installing:         1 package

        --- err
        No packages to remove for argument: nothing
        Operation aborted by the user.
    "#]]
    .assert_eq(&bench.dnf("swap -y nothing other --assumeno").quiet());
    expect![[r#"
        exit 1
        --- err
        Failed to resolve the transaction:
        No match for argument: nothing
        You can try to add to command line:
          --skip-unavailable to skip unavailable packages
    "#]]
    .assert_eq(&bench.dnf("swap -y a nothing").quiet());
    assert_eq!(bench.dnf("swap -y a thing").code, 0);
    assert_eq!(bench.rpm("-qa").out, "other-1.0-1.noarch\n");
    expect![[r#"
        exit 1
        --- err
        Failed to resolve the transaction:
        Packages for argument 'a' available, but not installed.
    "#]]
    .assert_eq(&bench.dnf("reinstall -y a").quiet());
    assert_eq!(bench.dnf("autoremove -y").out, "Nothing to do.\n");
}

#[test]
fn queries() {
    let bench = Bench::usual();
    assert_eq!(bench.dnf("list --recent").quiet(), "exit 0\n--- err\nNo matches found.\n");
    assert_eq!(bench.dnf("repoquery --recent").out, "");
    assert_eq!(bench.dnf("repoquery --duplicates").out, "");
}
