// SPDX-License-Identifier: MIT OR Apache-2.0
//! Transactions that cannot be done: each says why in one line and leaves the system as it was.
#![allow(clippy::unwrap_used, reason = "a test may stop")]

mod common;

use cairn_host::{Invocation, Sandbox, Tool};
use cairn_rpm::build::{FileSpec, PackageSpec};
use cairn_rpm::dependency::Dependency;
use cairn_rpm::header::{Scriptlet, ScriptletKind};
use common::{Bench, fixtures, package};
use expect_test::expect;

/// A package with one more file.
fn with_file(name: &str, path: &str, content: impl Into<Vec<u8>>) -> PackageSpec {
    let mut spec = package(name, "1.0-1", &[]);
    spec.files.push(FileSpec::regular(path, content));
    spec
}

/// The lines about what went wrong.
fn troubles(text: &str) -> String {
    let starts = ["error: ", "warning: ", "hint: ", "  ", "\t"];
    let lines = text.lines().filter(|line| starts.iter().any(|start| line.starts_with(start)));
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn file_conflicts() {
    let bench = Bench::new(vec![
        with_file("one", "/etc/same", "one\n"),
        with_file("two", "/etc/same", "two\n"),
    ]);
    assert_eq!(bench.rpm("--import ../KEY").code, 0);
    let keys = bench.rpm("-qa").out;
    let both = bench.dnf("install -y one two");
    assert_eq!(bench.rpm("-qa").out, keys, "nothing may be installed");
    assert_eq!(bench.read("etc/same"), None);
    assert_eq!(bench.dnf("install -y one").code, 0);
    let second = bench.dnf("install -y two");
    let by_rpm = bench.rpm("-i two-1.0-1.noarch.rpm");
    assert_eq!(bench.read("etc/same").as_deref(), Some("one\n"));
    assert_eq!(bench.rpm("-q two").code, 1);
    expect![[r#"
        both: exit 1
        error: file conflicts: file /etc/same conflicts between attempted installs of one-1.0-1.noarch and two-1.0-1.noarch
        hint: remove or exclude one of the packages
        second: exit 1
        error: file conflicts: file /etc/same from install of two-1.0-1.noarch conflicts with file from package one-1.0-1.noarch
        hint: remove or exclude one of the packages
        rpm: exit 1
        	file /etc/same from install of two-1.0-1.noarch conflicts with file from package one-1.0-1.noarch
    "#]].assert_eq(&format!(
        "both: exit {}\n{}second: exit {}\n{}rpm: exit {}\n{}",
        both.code,
        troubles(&both.err),
        second.code,
        troubles(&second.err),
        by_rpm.code,
        troubles(&by_rpm.err)
    ));
}

#[test]
fn missing_interpreter() {
    let mut spec = package("x", "1.0-1", &[]);
    spec.scriptlets = [(
        ScriptletKind::PostInstall,
        Scriptlet {
            interpreter: vec!["/usr/bin/perl".to_owned()],
            body: Some("print 1;\n".to_owned()),
            flags: 0,
        },
    )]
    .into();
    let bench = Bench::new(vec![spec]);
    let ran = bench.dnf("install -y x");
    expect![[r#"
        exit 1
        Updating and loading repositories:
         t                                      100% | [SIZE]
        Repositories loaded.
        Failed to resolve the transaction:
        Problem: cannot install x-1.0-1.noarch from repo t
          - nothing provides /usr/bin/perl needed by x-1.0-1.noarch from repo t
        You can try to add to command line:
          --skip-broken to skip uninstallable packages
    "#]]
    .assert_eq(&format!("exit {}\n{}", ran.code, ran.err));
}

/// Runs `dnf` in namespaces of its own after `prepare`, with the host's programs.
fn in_sandbox(bench: &Bench, prepare: &str, arguments: &str) -> (i32, String) {
    let script = format!(
        "set -e; {prepare}; export NO_COLOR=1 TZ=UTC; exec /dnf --installroot=/bench/root --repofrompath=t,file:///bench/repo --setopt=t.gpgkey=file:///bench/KEY --repo=t --releasever=1 {arguments}"
    );
    let sandbox = Sandbox::new("/")
        .bind_read_only(env!("CARGO_BIN_EXE_dnf"), "/dnf")
        .bind(bench.directory.path(), "/bench");
    let output = sandbox.run_unchecked(&Invocation::new(Tool::Sh).args(["-c", &script])).unwrap();
    (output.status, output.stderr_text())
}

/// Masks numbers of bytes, which depend on the size of pages and of the database.
fn masked(text: &str) -> String {
    let word =
        |word: &str| if word.parse::<f64>().is_ok() { "N".to_owned() } else { word.to_owned() };
    let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ");
    text.lines().map(|text| format!("{}\n", line(text))).collect()
}

#[test]
fn full_disk() {
    // Four megabytes that zstd makes small: the download fits, the installation does not.
    let bench = Bench::new(vec![with_file("large", "/usr/share/large/data", vec![7; 4 << 20])]);
    let (code, err) =
        in_sandbox(&bench, "mount -t tmpfs -o size=2m tmpfs /bench/root", "install -y large");
    let err = masked(&err);
    expect![[r#"
        exit 1
        error: needs N MiB on `/`, N MiB free
        hint: free some space there, or remove packages first
    "#]]
    .assert_eq(&format!("exit {code}\n{}", troubles(&err)));
}

#[test]
fn full_disk_while_downloading() {
    let mut noise = Vec::new();
    let mut state = 1_u64;
    while noise.len() < 4 << 20 {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        noise.extend(state.to_be_bytes());
    }
    let bench = Bench::new(vec![with_file("large", "/usr/share/large/data", noise)]);
    let (code, err) = in_sandbox(
        &bench,
        "mount -t tmpfs -o size=2m tmpfs /bench/root",
        "download --destdir=/bench/root/packages large",
    );
    expect![[r#"
        exit 1
        error: cannot write `/bench/root/packages/large-1.0-1.noarch.rpm.part`: No space left on device (os error 28)
        hint: free some space on the file system of `/bench/root/packages/large-1.0-1.noarch.rpm.part`
    "#]].assert_eq(&format!("exit {code}\n{}", troubles(&err)));
}

#[test]
fn read_only_root() {
    let bench = Bench::new(vec![package("x", "1.0-1", &[])]);
    let (code, err) = in_sandbox(
        &bench,
        "mount -t tmpfs -o size=2m tmpfs /bench/root; mount -o remount,ro /bench/root",
        "install -y x",
    );
    expect![[r#"
        exit 1
        error: cannot create directory `/bench/root/var`: Read-only file system (os error 30)
        hint: `/bench/root/var` lies on a read-only file system
    "#]]
    .assert_eq(&format!("exit {code}\n{}", troubles(&err)));
}

#[test]
fn obsoletes_that_make_no_sense() {
    let obsoleting = |name: &str, other: &str| {
        let mut spec = package(name, "1.0-1", &[]);
        spec.obsoletes = vec![Dependency::parse(other).unwrap()];
        spec
    };
    let mut results = Vec::new();
    for _ in 0..2 {
        let bench = Bench::new(vec![
            obsoleting("self", "self"),
            obsoleting("one", "two"),
            obsoleting("two", "one"),
        ]);
        let itself = bench.dnf("install -y self");
        let circle = bench.dnf("install -y one");
        let said = format!("{}{}", itself.err, circle.err);
        fixtures::keep("repositories", "35 obsoletes", &bench.repository(), &said);
        let installed = bench.rpm("-qa").out;
        let names: Vec<&str> =
            installed.lines().filter(|line| !line.starts_with("gpg-pubkey")).collect();
        results.push(format!("exit {}, exit {}: {}", itself.code, circle.code, names.join(" ")));
    }
    assert_eq!(results[0], results[1], "the choice is not deterministic");
    expect!["exit 0, exit 0: self-1.0-1.noarch two-1.0-1.noarch"].assert_eq(&results[0]);
}

#[test]
fn another_package_under_the_same_name() {
    let bench = Bench::new(vec![package("x", "1.0-1", &[])]);
    let other = Bench::new(vec![with_file("x", "/etc/evil", "evil\n")]);
    // The mirror serves a package of the same name and signature, but not the one of the metadata.
    std::fs::copy(
        other.repository().join("x-1.0-1.noarch.rpm"),
        bench.repository().join("x-1.0-1.noarch.rpm"),
    )
    .unwrap();
    let ran = bench.dnf("install -y x");
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("has the wrong s") || ran.err.contains("wrong SHA-256"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("hint: "), "{}", ran.err);
    assert_eq!(bench.read("etc/evil"), None);
}
