// SPDX-License-Identifier: MIT OR Apache-2.0
//! Re-packaging from end to end: a small `.deb` and an overlay in, a listing out.

use std::fmt::Write as _;

use cairn_rpm::build::FileKind;
use expect_test::{Expect, expect};

use super::fixture::Fixture;
use super::*;
use crate::overlay::Overlays;

const OPTIONS: u32 = 1_700_000_000;

fn options() -> RepackOptions {
    RepackOptions { source_date: OPTIONS, vendor: "Cairn".into() }
}

fn set() -> PackageSet {
    let names = ["libc6", "bash", "demo", "base-doc"].map(|name| {
        (name.to_owned(), if name == "libc6" { "glibc".into() } else { name.to_owned() })
    });
    PackageSet { names: names.into(), ..PackageSet::default() }
}

fn overlays(text: &str) -> Overlays {
    Overlays::parse(&[("_defaults.toml".to_owned(), text.to_owned())]).unwrap()
}

fn run(fixture: Fixture, text: &str) -> Result<Repacked, RepackError> {
    let deb = Deb::parse("demo.deb", &fixture.build()).unwrap();
    let overlays = overlays(text);
    repack(&deb, &overlays.overlay_for(deb.name()), &set(), &options())
}

fn listing(repacked: &Repacked) -> String {
    let mut text = String::new();
    for package in &repacked.packages {
        writeln!(
            text,
            "{}-{}.{} ({}) [{}] {}",
            package.name,
            package.evr,
            package.arch,
            package.license,
            package.source_package,
            package.summary
        )
        .unwrap();
        for file in &package.files {
            let kind = match &file.kind {
                FileKind::Regular(bytes) => format!("{} bytes", bytes.len()),
                FileKind::Directory => "directory".into(),
                FileKind::Symlink(target) => format!("-> {target}"),
                FileKind::Ghost => "ghost".into(),
            };
            let _ = write!(
                text,
                "  {:04o} {}:{} {} {kind}",
                file.mode, file.user, file.group, file.path
            );
            let flags = spec::flag_names(file);
            let _ = writeln!(
                text,
                "{}{}",
                if flags.is_empty() { String::new() } else { format!(" [{flags}]") },
                if file.caps.is_empty() { String::new() } else { format!(" {}", file.caps) }
            );
        }
        for (kind, list) in [
            ("requires", &package.requires),
            ("provides", &package.provides),
            ("conflicts", &package.conflicts),
            ("obsoletes", &package.obsoletes),
        ] {
            for dependency in list {
                writeln!(text, "  {kind} {dependency}").unwrap();
            }
        }
    }
    text
}

fn check(fixture: Fixture, overlay: &str, expected: Expect) -> Repacked {
    let repacked = run(fixture, overlay).unwrap();
    expected.assert_eq(&listing(&repacked));
    repacked
}

fn check_error(fixture: Fixture, overlay: &str, expected: Expect) {
    let error = run(fixture, overlay).map(|_| ()).unwrap_err();
    expected.assert_eq(&format!("error: {error}\nhint: {}\n{}", error.hint(), error.details()));
}

fn demo() -> Fixture {
    Fixture::new("demo", "1:2.0-3+b1", "Source: demo-src\nDepends: libc6 (>= 2.38), debconf (>= 0.5) | debconf-2.0, absent-a | bash\nProvides: demo-api (= 2)\nBreaks: old (<< 2)\n")
        .control_file("conffiles", "/etc/demo.conf\n/etc/init.d/demo\n")
        .directory("/")
        .directory("/etc/")
        .directory("/etc/init.d/")
        .file("/etc/init.d/demo", 0o755, b"#!/bin/sh\n")
        .file("/etc/demo.conf", 0o644, b"a=1\n")
        .directory("/lib/")
        .directory("/lib/demo/")
        .file("/lib/demo/helper", 0o755, b"#!/usr/bin/env bash\n")
        .symlink("/lib/demo/link", "../../etc/demo.conf")
        .file("/usr/bin/demo", 0o755, b"#!/bin/sh\n")
        .hard_link("/usr/bin/demo2", "./usr/bin/demo")
        .file("/usr/bin/shadow-demo", 0o2755, b"#!/usr/bin/perl\n")
        .file("/usr/bin/scrub", 0o755, b"x")
        .file("/usr/share/demo/default.conf", 0o644, b"b=2\n")
        .file("/usr/share/doc/demo/copyright", 0o644, b"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nCopyright: me\nLicense: Expat\n")
        .file("/usr/share/doc/demo/README", 0o644, b"read me\n")
        .directory("/usr/share/man/")
        .file("/usr/share/man/man1/demo.1.gz", 0o644, b"")
}

const DEFAULTS: &str = "[defaults]\ndrop = [\"/usr/share/man/**\", \"/usr/share/doc/**\", \"/etc/init.d\"]\ndrop-requires = [\"debconf\"]\nshared-directories = [\"/etc\", \"/usr/lib\"]\n";

#[test]
fn defaults_only() {
    let repacked = check(
        demo(),
        DEFAULTS,
        expect![[r"
        demo-1:2.0-3+b1.cn1.x86_64 (MIT) [demo-src-2.0-3+b1.cn1.src.rpm] a test
          0644 root:root /etc/demo.conf 4 bytes [config noreplace]
          0755 root:root /usr/bin/demo 10 bytes
          0777 root:root /usr/bin/demo2 -> demo
          0755 root:root /usr/bin/scrub 1 bytes
          2755 root:shadow /usr/bin/shadow-demo 16 bytes
          0755 root:root /usr/lib/demo directory
          0755 root:root /usr/lib/demo/helper 20 bytes
          0777 root:root /usr/lib/demo/link -> ../../../etc/demo.conf
          0644 root:root /usr/share/demo/default.conf 4 bytes
          0644 root:root /usr/share/licenses/demo/copyright 114 bytes [license]
          requires /bin/sh
          requires /usr/bin/bash
          requires bash
          requires libc6 >= 2.38
          provides demo = 1:2.0-3+b1
          provides demo-api = 2
    "]],
    );
    let purl = &repacked.explanation.purl;
    assert_eq!(purl, "pkg:deb/debian/demo@1:2.0-3%2Bb1?arch=amd64");
    let rows: Vec<String> = repacked
        .explanation
        .files
        .iter()
        .map(|row| {
            format!(
                "{} => {} ({})\n",
                row.source.as_deref().unwrap_or("-"),
                row.path.as_deref().unwrap_or("-"),
                row.reason
            )
        })
        .collect();
    expect![[r"
        /etc => - (shared directory: owned by filesystem)
        /etc/init.d => - (dropped by the defaults: `/etc/init.d`)
        /etc/init.d/demo => - (dropped by the defaults: `/etc/init.d`)
        /etc/demo.conf => /etc/demo.conf (kept)
        /lib => - (shared directory: owned by filesystem)
        /lib/demo => /usr/lib/demo (kept (usrmerge))
        /lib/demo/helper => /usr/lib/demo/helper (kept (usrmerge))
        /lib/demo/link => /usr/lib/demo/link (kept (usrmerge))
        /usr/bin/demo => /usr/bin/demo (kept)
        /usr/bin/shadow-demo => /usr/bin/shadow-demo (kept)
        /usr/bin/scrub => /usr/bin/scrub (kept)
        /usr/share/demo/default.conf => /usr/share/demo/default.conf (kept)
        /usr/share/doc/demo/copyright => /usr/share/licenses/demo/copyright (the copyright file: %license)
        /usr/share/doc/demo/README => - (dropped by the defaults: `/usr/share/doc/**`)
        /usr/share/man => - (empty after the drops)
        /usr/share/man/man1/demo.1.gz => - (dropped by the defaults: `/usr/share/man/**`)
        /usr/bin/demo2 => /usr/bin/demo2 (hard link: symbolic link to /usr/bin/demo)
    "]].assert_eq(&rows.concat());
    let rows: Vec<String> = repacked
        .explanation
        .dependencies
        .iter()
        .map(|row| {
            format!(
                "{} {} {}: {}\n",
                if row.kept { "+" } else { "-" },
                row.kind,
                row.text,
                row.reason
            )
        })
        .collect();
    expect![[r"
        + Requires libc6 >= 2.38: Debian's dependency
        - Requires debconf (>= 0.5) | debconf-2.0: left out by the defaults: debconf
        + Requires bash: the only alternative in the package set
        + Provides demo = 1:2.0-3+b1: Debian's name or Provides
        + Provides demo-api = 2: Debian's name or Provides
        - Conflicts old (<< 2): Debian's Conflicts and Breaks are left out: RPM matches them against unversioned Provides
        + Requires /bin/sh: interpreter of a script
        + Requires /usr/bin/bash: interpreter of a script
        - Requires /usr/bin/perl: interpreter of a script, from a package that is not in the set
    "]].assert_eq(&rows.concat());
}

#[test]
fn everything_an_overlay_can_say() {
    let overlay = format!(
        "{DEFAULTS}
[package.demo]
name = \"demo-ng\"
summary = \"Demo %{{version}}\"
license = \"MIT\"
keep = [\"/usr/share/doc/demo/README\"]
drop = [\"/usr/bin/demo2\", \"/usr/nothing\"]
config = [\"/etc/demo/*\"]
not-config = [\"/etc/demo.conf\"]
move = {{ \"/usr/share/demo/default.conf\" = \"/etc/demo/default.conf\", \"/usr/lib/demo\" = \"/usr/libexec/demo\" }}
requires = [\"filesystem >= 1\"]
provides = [\"demo-ng-abi = %{{evr}}\"]
obsoletes = [\"demo-old < 2\"]
keep-conflicts = [\"old\"]
drop-requires = [\"/usr/bin/bash\"]
[package.demo.permissions]
\"/usr/bin/demo\" = {{ mode = \"0750\", group = \"wheel\", caps = \"cap_net_raw=ep\" }}
[[package.demo.file]]
path = \"/etc/demo/conf.d\"
kind = \"dir\"
not-verified = [\"mode\", \"group\"]
[[package.demo.file]]
path = \"/etc/demo/name\"
content = \"%{{name}} was %{{debian-name}}\\n\"
mode = \"0600\"
[[package.demo.file]]
path = \"/usr/bin/d\"
kind = \"symlink\"
target = \"demo\"
[[package.demo.file]]
path = \"/var/log/demo.log\"
kind = \"ghost\"
[package.demo.scriptlets]
post = \"echo %{{version}}\"
[package.demo.scriptlets.units]
post = \"demo.service demo.socket\"
postun = \"demo.service\"
[[package.demo.file-trigger]]
kind = \"transaction-in\"
paths = [\"/usr/lib/demo\"]
script = \"demo --reload\"
[[package.demo.subpackage]]
name = \"demo-scrub\"
files = [\"/usr/bin/scrub\"]
summary = \"Scrub\"
take-requires = [\"bash\"]
"
    );
    let repacked = check(
        demo(),
        &overlay,
        expect![[r"
        demo-ng-1:2.0-3+b1.cn1.x86_64 (MIT) [demo-src-2.0-3+b1.cn1.src.rpm] Demo 2.0
          0644 root:root /etc/demo.conf 4 bytes
          0755 root:root /etc/demo/conf.d directory [not verified: 0x50]
          0644 root:root /etc/demo/default.conf 4 bytes [config noreplace]
          0600 root:root /etc/demo/name 17 bytes [config noreplace]
          0777 root:root /usr/bin/d -> demo
          0750 root:wheel /usr/bin/demo 10 bytes cap_net_raw=ep
          2755 root:shadow /usr/bin/shadow-demo 16 bytes
          0755 root:root /usr/libexec/demo directory
          0755 root:root /usr/libexec/demo/helper 20 bytes
          0777 root:root /usr/libexec/demo/link -> ../../../etc/demo.conf
          0644 root:root /usr/share/doc/demo/README 8 bytes
          0644 root:root /usr/share/licenses/demo-ng/copyright 114 bytes [license]
          0644 root:root /var/log/demo.log ghost [ghost]
          requires /bin/sh
          requires filesystem >= 1
          requires libc6 >= 2.38
          provides demo = 1:2.0-3+b1
          provides demo-api = 2
          provides demo-ng-abi = 1:2.0-3+b1.cn1
          conflicts old < 2
          obsoletes demo-old < 2
        demo-scrub-1:2.0-3+b1.cn1.x86_64 (MIT) [demo-src-2.0-3+b1.cn1.src.rpm] Scrub
          0755 root:root /usr/bin/scrub 1 bytes
          requires bash
          requires demo-ng = 1:2.0-3+b1.cn1
    "]],
    );
    let main = &repacked.packages[0];
    let scriptlets: Vec<String> = main
        .scriptlets
        .iter()
        .map(|(kind, script)| format!("{}\n{}\n", kind.name(), script.body.as_ref().unwrap()))
        .collect();
    expect![[r#"
        %post
        echo 2.0
        [ $1 -gt 1 ] || echo demo.service demo.socket 2> /dev/null >> /var/lib/rpm-state/systemd-update-helper/new-units || [ ! -x /usr/lib/systemd/systemd-update-helper ] || /usr/lib/systemd/systemd-update-helper post $1 demo.service demo.socket
        %postun
        [ ! -x /usr/lib/systemd/systemd-update-helper ] || /usr/lib/systemd/systemd-update-helper postun $1 demo.service
    "#]]
    .assert_eq(&scriptlets.concat());
    assert_eq!(main.order_with_requires[0].to_string(), "systemd");
    assert_eq!(
        (main.triggers[0].scope, main.triggers[0].priority),
        (cairn_rpm::build::TriggerScope::TransactionFile, 1_000_000)
    );
    assert_eq!(main.triggers[0].conditions[0].1.name, "/usr/lib/demo");
    assert_eq!(
        main.extra_tags.get(&cairn_rpm::tag::VCS),
        Some(&cairn_rpm::header::Value::text("pkg:deb/debian/demo@1:2.0-3%2Bb1?arch=amd64"))
    );
    assert!(
        repacked
            .packages
            .iter()
            .all(|package| package.files.iter().all(|file| file.mtime == OPTIONS))
    );
    assert_eq!(repacked.explanation.warnings, ["`/usr/nothing` matches no file of demo"]);
}

#[test]
fn scripts_that_nobody_accounts_for() {
    let fixture = demo().control_file("postinst", "#!/bin/sh\nset -e\n# Automatically added by dh_x/1\nx\n# End automatically added section\nmkdir /var/demo\n");
    check_error(
        fixture,
        DEFAULTS,
        expect![[r#"
        error: package demo: the maintainer script postinst is not accounted for (expected an account in distro/packages, found none)
        hint: read them, reproduce what matters, then write under `[package.demo.maintainer-scripts]`: postinst = { sha256 = "76aed5b9e67a7b61", reason = "…" }
          postinst (debhelper's blocks left out):
            mkdir /var/demo
    "#]],
    );
}

#[test]
fn rules_that_do_not_fit() {
    let table = [
        (
            "move = { \"/usr/bin/gone\" = \"/usr/bin/x\" }",
            expect![[r"
            error: package demo: `move` of /usr/bin/gone: the .deb has no such file (or a `drop` takes it)
            hint: correct _defaults.toml:1:10; `cairn explain` shows every file and dependency
        "]],
        ),
        (
            "permissions = { \"/usr/bin/gone\" = { mode = \"0755\" } }",
            expect![[r"
            error: package demo: `permissions` of `/usr/bin/gone`: no file has that path
            hint: correct _defaults.toml:1:10; `cairn explain` shows every file and dependency
        "]],
        ),
        (
            "file = [{ path = \"/etc/demo.conf\", content = \"\" }]",
            expect![[r"
            error: package demo: added file /etc/demo.conf is in the .deb already (expected `replace = true`, `drop` or another path)
            hint: correct _defaults.toml:1:10; `cairn explain` shows every file and dependency
        "]],
        ),
        (
            "file = [{ path = \"/etc/none\", content = \"\", replace = true }]",
            expect![[r"
            error: package demo: added file /etc/none replaces nothing (expected a file of the .deb there)
            hint: correct _defaults.toml:1:10; `cairn explain` shows every file and dependency
        "]],
        ),
        (
            "subpackage = [{ name = \"x\", files = [\"/gone\"] }]",
            expect![[r"
            error: package demo: `/gone` of subpackage x matches no file
            hint: correct _defaults.toml:1:10; `cairn explain` shows every file and dependency
        "]],
        ),
        (
            "move = { \"/usr/bin/scrub\" = \"/usr/bin/demo\" }",
            expect![[r"
            error: package demo: two files of the .deb become /usr/bin/demo
            hint: correct _defaults.toml:1:10; `cairn explain` shows every file and dependency
        "]],
        ),
        (
            "requires = [\"a >> 1\"]",
            expect![[r"
            error: package demo: requires `a >> 1`: dependency `a >> 1`: the operator is unknown
            hint: correct _defaults.toml:1:10; `cairn explain` shows every file and dependency
        "]],
        ),
        (
            "provides = [\"%{*}\"]",
            expect![[r"
            error: package demo: placeholder `%{*}` has no value here
            hint: correct _defaults.toml:1:10; `cairn explain` shows every file and dependency
        "]],
        ),
    ];
    for (line, expected) in table {
        check_error(demo(), &format!("[package.demo]\n{line}\n{DEFAULTS}"), expected);
    }
    let device = demo().entry("/dev/demo", tar::EntryType::Block, 0o600, b"", "");
    check_error(
        device,
        DEFAULTS,
        expect![[r"
        error: package demo: /dev/demo is a block device (expected a file, directory or link)
        hint: correct distro/packages; `cairn explain` shows every file and dependency
    "]],
    );
}

#[test]
fn copies_of_hard_links_and_linked_copyright() {
    let fixture = Fixture::new("demo", "1", "")
        .file("/usr/bin/a", 0o755, b"text")
        .hard_link("/usr/bin/b", "./usr/bin/a")
        .symlink("/usr/share/doc/demo", "libc6");
    check(
        fixture,
        "[package.demo]\nhard-links = \"copy\"\n",
        expect![[r"
        demo-1-0.cn1.x86_64 (LicenseRef-Debian-demo) [demo-1-0.cn1.src.rpm] a test
          0755 root:root /usr/bin/a 4 bytes
          0644 root:root /usr/bin/b 4 bytes
          0777 root:root /usr/share/licenses/demo -> glibc
          provides demo = 1
    "]],
    );
}

#[test]
fn copies_of_symbolic_links() {
    let fixture = Fixture::new("demo", "1", "")
        .file("/usr/lib/demo/a/x", 0o600, b"text")
        .symlink("/usr/lib/demo/b/x", "../a/x")
        .symlink("/usr/lib/demo/b/y", "../elsewhere");
    check(
        fixture,
        "[package.demo]\nsymlinks = \"copy\"\ndrop = [\"/usr/lib/demo/a/**\"]\n",
        expect![[r"
            demo-1-0.cn1.x86_64 (LicenseRef-Debian-demo) [demo-1-0.cn1.src.rpm] a test
              0600 root:root /usr/lib/demo/b/x 4 bytes
              0777 root:root /usr/lib/demo/b/y -> ../elsewhere
              provides demo = 1
        "]],
    );
}

#[test]
fn packages_of_ours() {
    let overlays = overlays(
        "[native.filesystem]\nversion = \"0.1\"\nlicense = \"MIT\"\nsummary = \"Directories\"\nfile = [{ path = \"/usr\", kind = \"dir\" }, { path = \"/bin\", kind = \"symlink\", target = \"usr/bin\" }]\n",
    );
    let (name, package) = overlays.natives().next().unwrap();
    let repacked = native(name, package, &overlays.overlay_for(name), &set(), &options()).unwrap();
    expect![[r"
        filesystem-0.1-1.noarch (MIT) [filesystem-0.1-1.src.rpm] Directories
          0777 root:root /bin -> usr/bin
          0755 root:root /usr directory
    "]]
    .assert_eq(&listing(&repacked));
}
