// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf`'s and `rpm`'s commands that only look.
#![allow(clippy::unwrap_used, reason = "a test may stop")]

mod common;

use common::{Bench, Ran};
use expect_test::{Expect, expect};

fn check(ran: Ran, expected: Expect) {
    let quiet = |line: &&str| {
        !line.starts_with("Updating and loading") && !line.starts_with("Repositories loaded")
    };
    let err: String = ran
        .err
        .lines()
        .filter(quiet)
        .filter(|l| !l.starts_with(" t  "))
        .map(|l| format!("{l}\n"))
        .collect();
    expected.assert_eq(&Ran { err, ..ran }.text());
}

#[test]
fn dnf_lists() {
    let bench = Bench::usual();
    assert_eq!(bench.dnf("install -y foo-1.0").code, 0);
    check(
        bench.dnf("list"),
        expect![[r"
        exit 0
        --- out
        Installed packages
        foo.noarch    1.0-1 t
        libfoo.noarch 1.0-1 t

        Available packages
        bar.noarch    1.0-1 t
        baz.noarch    1.0-1 t
        broken.noarch 1.0-1 t
        foo.noarch    2.0-1 t
    "]],
    );
    check(
        bench.dnf("list nothing"),
        expect![[r"
        exit 1
        --- err
        No matches found.
    "]],
    );
    check(
        bench.dnf("list --upgrades"),
        expect![[r"
        exit 0
        --- out
        Available upgrades
        foo.noarch 2.0-1 t
    "]],
    );
    check(
        bench.dnf("list installed --json 'lib*'"),
        expect![[r#"
            exit 0
            --- out
            {
              "installed_packages": [
                {
                  "name": "libfoo",
                  "arch": "noarch",
                  "evr": "1.0-1",
                  "repository": "t"
                }
              ]
            }
            --- err
            hint: dnf5 spells `list installed` as `list --installed`
        "#]],
    );
    check(
        bench.dnf("info --installed foo"),
        expect![[r"
        exit 0
        --- out
        Installed packages
        Name            : foo
        Epoch           : 0
        Version         : 1.0
        Release         : 1
        Architecture    : noarch
        Installed size  : 6.0   B
        Source          : foo-1.0-1.src.rpm
        From repository : t
        Summary         : Test package foo
        URL             : https://example.invalid/foo
        License         : MIT
        Description     : The foo package.
        Vendor          : <NULL>
    "]],
    );
    check(
        bench.dnf("check"),
        expect![[r"
        exit 0
    "]],
    );
}

#[test]
fn dnf_searches() {
    let bench = Bench::usual();
    check(
        bench.dnf("search foo"),
        expect![[r"
        exit 0
        --- out
        Matched fields: name (exact), summary
         foo.noarch	Test package foo
        Matched fields: name, summary
         libfoo.noarch	Test package libfoo
    "]],
    );
    check(
        bench.dnf("provides /usr/share/bar/file"),
        expect![[r"
        exit 0
        --- out
        bar-1.0-1.noarch : Test package bar
        Repo         : t
        Matched From : 
        Filename     : /usr/share/bar/file

    "]],
    );
    check(
        bench.dnf("provides nothing"),
        expect![[r#"
        exit 1
        --- err
        No matches found.
        If searching for a file, try specifying the full path or using a wildcard prefix ("*/") at the beginning.
    "#]],
    );
}

#[test]
fn dnf_repoquery() {
    let bench = Bench::usual();
    check(
        bench.dnf("repoquery"),
        expect![[r"
        exit 0
        --- out
        bar-0:1.0-1.noarch
        baz-0:1.0-1.noarch
        broken-0:1.0-1.noarch
        foo-0:1.0-1.noarch
        foo-0:2.0-1.noarch
        libfoo-0:1.0-1.noarch
    "]],
    );
    check(
        bench.dnf("repoquery --latest-limit=1 foo"),
        expect![[r"
        exit 0
        --- out
        foo-0:2.0-1.noarch
    "]],
    );
    check(
        bench.dnf("repoquery --whatrequires libfoo"),
        expect![[r"
        exit 0
        --- out
        foo-0:1.0-1.noarch
        foo-0:2.0-1.noarch
    "]],
    );
    check(
        bench.dnf("repoquery --qf '%{name}-%{version} %-6{repoid}|\\n' foo"),
        expect![[r"
        exit 0
        --- out
        foo-1.0 t     |
        foo-2.0 t     |
    "]],
    );
    check(
        bench.dnf("repoquery -l bar"),
        expect![[r"
        exit 0
        --- out
        /usr/share/bar
        /usr/share/bar/file
    "]],
    );
    check(
        bench.dnf("repoquery --requires foo"),
        expect![[r"
        exit 0
        --- out
        libfoo
    "]],
    );
    check(
        bench.dnf("repolist"),
        expect![[r"
        exit 0
        --- out
        repo id repo name
        t       t
    "]],
    );
}

#[test]
fn rpm_queries() {
    let bench = Bench::usual();
    assert_eq!(bench.dnf("install -y foo").code, 0);
    check(
        bench.rpm("-q foo nothing"),
        expect![[r"
        exit 1
        --- out
        foo-2.0-1.noarch
        package nothing is not installed
    "]],
    );
    check(
        bench.rpm("-ql foo"),
        expect![[r"
        exit 0
        --- out
        /usr/share/foo
        /usr/share/foo/file
    "]],
    );
    check(
        bench.rpm("-qf /usr/share/foo/file"),
        expect![[r"
        exit 0
        --- out
        foo-2.0-1.noarch
    "]],
    );
    check(
        bench.rpm("-qf /etc/nothing"),
        expect![[r"
        exit 1
        --- err
        error: file /etc/nothing: No such file or directory
    "]],
    );
    check(
        bench.rpm("-q --whatrequires libfoo"),
        expect![[r"
        exit 0
        --- out
        foo-2.0-1.noarch
    "]],
    );
    check(
        bench.rpm("-q --whatprovides nothing"),
        expect![[r"
        exit 1
        --- out
        no package provides nothing
    "]],
    );
    check(
        bench.rpm(
            "-qa --qf '%-8{NAME}|%6{VERSION}|%{EPOCH}|[%{FILENAMES} %{FILEMODES:perms};]\\n' foo",
        ),
        expect![[r"
        exit 0
        --- out
        foo     |   2.0|(none)|/usr/share/foo drwxr-xr-x;/usr/share/foo/file -rw-r--r--;
    "]],
    );
    check(
        bench.rpm("-qp --nosignature --provides bar-1.0-1.noarch.rpm"),
        expect![[r"
        exit 0
        --- out
        bar = 1.0-1
    "]],
    );
    check(
        bench.rpm("-q --qf '%{NOTHING}' foo"),
        expect![[r#"
            exit 0
            --- err
            error: incorrect format: unknown tag: "NOTHING"
        "#]],
    );
    check(
        bench.rpm("--bogus"),
        expect![[r"
        exit 1
        --- err
        rpm: --bogus: unknown option
    "]],
    );
    check(
        bench.rpm("-q"),
        expect![[r"
        exit 1
        --- err
        rpm: no arguments given for query
    "]],
    );
}

#[test]
fn rpm_verifies_installs_and_erases() {
    let bench = Bench::usual();
    check(
        bench.rpm("-i --nosignature foo-1.0-1.noarch.rpm"),
        expect![[r"
        exit 1
        --- err
        error: Failed dependencies:
        	libfoo is needed by foo-1.0-1.noarch
    "]],
    );
    let ran = bench.rpm(&format!("--import {}", bench.path("KEY").display()));
    assert_eq!(ran.code, 0, "{}", ran.text());
    check(
        bench.rpm("-ivh foo-1.0-1.noarch.rpm libfoo-1.0-1.noarch.rpm"),
        expect![[r"
        exit 0
        --- out
        Verifying...                          ########################################
        Preparing...                          ########################################
        Updating / installing...
        libfoo-1.0-1                          ########################################
        foo-1.0-1                             ########################################
    "]],
    );
    check(
        bench.rpm("-i foo-1.0-1.noarch.rpm"),
        expect![[r"
        exit 1
        --- err
        	package foo-1.0-1.noarch is already installed
    "]],
    );
    check(
        bench.rpm("-U foo-2.0-1.noarch.rpm"),
        expect![[r"
        exit 0
    "]],
    );
    check(
        bench.rpm("-U foo-1.0-1.noarch.rpm"),
        expect![[r"
        exit 2
        --- err
        	package foo-2.0-1.noarch (which is newer than foo-1.0-1.noarch) is already installed
    "]],
    );
    check(
        bench.rpm("-e libfoo"),
        expect![[r"
        exit 1
        --- err
        error: Failed dependencies:
        	libfoo is needed by (installed) foo-2.0-1.noarch
    "]],
    );
    std::fs::write(bench.root().join("usr/share/foo/file"), "changed content\n").unwrap();
    check(
        bench.rpm("-V foo --nouser --nogroup"),
        expect![[r"
        exit 1
        --- out
        S.5....T.    /usr/share/foo/file
    "]],
    );
    check(
        bench.rpm("-e foo libfoo"),
        expect![[r"
        exit 0
    "]],
    );
    let keys = bench.rpm("-qa");
    assert!(keys.out.starts_with("gpg-pubkey-") && keys.out.lines().count() == 1, "{}", keys.out);
    check(
        bench.rpm("-K bar-1.0-1.noarch.rpm"),
        expect![[r"
        exit 0
        --- out
        bar-1.0-1.noarch.rpm: digests signatures OK
    "]],
    );
    check(
        bench.rpm("--verifydb"),
        expect![[r"
        exit 0
    "]],
    );
    check(
        bench.rpm("--rebuilddb"),
        expect![[r"
        exit 0
    "]],
    );
    assert_eq!(bench.rpm("-qa").out, keys.out);
}

/// Packages on servers, by a helper that is a program of the administrator's.
#[test]
fn package_files_by_a_helper() {
    let bench = Bench::usual();
    let helper = bench.path("helper");
    let script = format!(
        "[ $2 = https://example.invalid/foo.rpm ] || exit 7; cp {}/foo-2.0-1.noarch.rpm $1\n",
        bench.repository().display()
    );
    std::fs::write(&helper, script).unwrap();
    let with = |helper: &str, command: &str| {
        let ran = bench
            .rpm(&format!("--define '_tmppath /tmp' --define '_urlhelper {helper}' {command}"));
        let lines = ran.err.lines().map(|line| line.split(" /tmp/").next().unwrap().to_owned());
        (ran.code, ran.out.clone(), lines.collect::<Vec<_>>())
    };
    let sh = format!("sh {}", helper.display());
    let (code, out, _) = with(&sh, "-qp --nosignature https://example.invalid/foo.rpm");
    assert_eq!((code, out.as_str()), (0, "foo-2.0-1.noarch\n"));
    let (code, _, err) = with(&sh, "-qp https://example.invalid/bar.rpm");
    assert_eq!(code, 1);
    assert_eq!(err[0], "error: Executing url helper \"sh [TMP]/helper");
    assert_eq!(
        err[1],
        "error: open of https://example.invalid/bar.rpm failed: No such file or directory"
    );
    let (code, _, err) = with("/not/there", "-i https://example.invalid/foo.rpm");
    assert_eq!(code, 1);
    let expected = [
        "error: Could not find url helper: \"/not/there\"",
        "error: skipping https://example.invalid/foo.rpm - transfer failed",
    ];
    assert_eq!(err, expected);
}
