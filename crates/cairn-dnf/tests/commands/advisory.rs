// SPDX-License-Identifier: MIT OR Apache-2.0
//! `advisory`, and the options of `upgrade`, `check-upgrade` and `repoquery` that mean advisories.

use crate::common::{Bench, package};
use expect_test::expect;

fn update(id: &str, kind: &str, severity: &str, package: (&str, &str)) -> String {
    format!(
        "<update from=\"security@example.invalid\" status=\"final\" type=\"{kind}\" version=\"1\"><id>{id}</id>\
         <title>{id} for {}</title><issued date=\"2024-01-02 03:04:05\"/><severity>{severity}</severity>\
         <description>Fixes\nit.</description><references><reference href=\"https://example.invalid/{id}\" \
         id=\"CVE-{id}\" type=\"cve\" title=\"a hole\"/><reference href=\"https://example.invalid/b\" id=\"12\" \
         type=\"bugzilla\" title=\"a bug\"/></references><pkglist><collection short=\"c\"><name>C</name>\
         <package name=\"{}\" version=\"{}\" release=\"1\" epoch=\"0\" arch=\"noarch\" src=\"s\"><filename>f</filename>\
         <reboot_suggested>True</reboot_suggested></package></collection></pkglist></update>",
        package.0, package.0, package.1
    )
}

fn bench() -> Bench {
    let mut bench = Bench::new(vec![
        package("foo", "1.0-1", &[]),
        package("foo", "1.5-1", &[]),
        package("foo", "2.0-1", &[]),
        package("bar", "1.0-1", &[]),
        package("bar", "1.1-1", &[]),
        package("baz", "1.0-1", &[]),
        package("baz", "1.1-1", &[]),
    ]);
    let updates = [
        update("A-1", "security", "Important", ("foo", "1.5")),
        update("A-2", "bugfix", "", ("bar", "1.1")),
        update("A-3", "security", "Low", ("absent", "1")),
    ];
    bench.set_updateinfo(&format!("<updates>{}</updates>", updates.concat()));
    assert_eq!(bench.dnf("install -y foo-1.0 bar-1.0 baz-1.0").code, 0);
    bench
}

#[test]
fn list_info_summary() {
    let bench = bench();
    expect![[r#"
        exit 0
        --- out
        Name Type     Severity           Package              Issued
        A-1  security Important foo-1.5-1.noarch 2024-01-02 03:04:05
        A-2  bugfix   None      bar-1.1-1.noarch 2024-01-02 03:04:05
    "#]]
    .assert_eq(&bench.dnf("advisory list").quiet());
    expect![[r#"
        exit 0
        --- out
        CVE     Type     Severity           Package              Issued
        CVE-A-1 security Important foo-1.5-1.noarch 2024-01-02 03:04:05
        --- err
        hint: dnf5 spells `updateinfo list security` as `updateinfo list --security`
    "#]]
    .assert_eq(&bench.dnf("updateinfo list security --with-cve").quiet());
    expect![[r#"
        exit 0
        --- out
        Name        : A-1
        Title       : A-1 for foo
        Severity    : Important
        Type        : security
        Status      : final
        Vendor      : security@example.invalid
        Issued      : 2024-01-02 03:04:05
        Description : Fixes
                    : it.
        Message     : 
        Rights      : 
        Reference   : 
          Title     : a hole
          Id        : CVE-A-1
          Type      : cve
          Url       : https://example.invalid/A-1
        Reference   : 
          Title     : a bug
          Id        : 12
          Type      : bugzilla
          Url       : https://example.invalid/b
        Collection  : 
          Packages  : foo-1.5-1.noarch

    "#]]
    .assert_eq(&bench.dnf("advisory info A-1").quiet());
    expect![[r#"
        exit 0
        --- out
        Available advisory information summary:
        Security    : 1
          Critical  : 0
          Important : 1
          Moderate  : 0
          Low       : 0
          Other     : 0
        Bugfix      : 1
        Enhancement : 0
        Other       : 0
    "#]]
    .assert_eq(&bench.dnf("advisory summary").quiet());
    expect![[r#"
        exit 0
        --- err
        No matches found.
    "#]]
    .assert_eq(&bench.dnf("advisory list --installed").quiet());
    expect![[r#"
        exit 0
        --- err
        No advisory found matching the requested name: "nothing"
    "#]]
    .assert_eq(&bench.dnf("advisory list nothing").quiet());
    assert_eq!(bench.dnf("advisory list --contains-pkgs=b*").out.lines().count(), 2);
}

#[test]
fn json() {
    let bench = bench();
    expect![[r#"
        exit 0
        --- out
        [
          {
            "buildtime": 1704164645,
            "name": "A-1",
            "nevra": "foo-1.5-1.noarch",
            "severity": "Important",
            "type": "security"
          }
        ]
    "#]]
    .assert_eq(&bench.dnf("advisory list --json --security").quiet());
    expect![[r#"
        exit 0
        --- out
        [
          {
            "advisory_buildtime": 1704164645,
            "advisory_name": "A-2",
            "advisory_severity": "None",
            "advisory_type": "bugfix",
            "nevra": "bar-1.1-1.noarch",
            "references": [
              {
                "reference_id": "CVE-A-2",
                "reference_type": "cve"
              }
            ]
          }
        ]
    "#]]
    .assert_eq(&bench.dnf("advisory list --json --bugfix --with-cve").quiet());
    expect![[r#"
        exit 0
        --- out
        [
          {
            "Description": "Fixes\nit.",
            "Issued": 1704164645,
            "Message": "",
            "Name": "A-1",
            "Rights": "",
            "Severity": "Important",
            "Status": "final",
            "Title": "A-1 for foo",
            "Type": "security",
            "Vendor": "security@example.invalid",
            "collections": {
              "packages": [
                "foo-1.5-1.noarch"
              ]
            },
            "references": [
              {
                "Id": "CVE-A-1",
                "Title": "a hole",
                "Type": "cve",
                "Url": "https://example.invalid/A-1"
              },
              {
                "Id": "12",
                "Title": "a bug",
                "Type": "bugzilla",
                "Url": "https://example.invalid/b"
              }
            ]
          }
        ]
    "#]]
    .assert_eq(&bench.dnf("advisory info --json A-1").quiet());
    assert_eq!(bench.dnf("advisory list --json --installed").out, "[]\n");
    assert_eq!(bench.dnf("advisory summary --json").code, 2);
}

/// The packages that an upgrade would bring.
fn plan(bench: &Bench, arguments: &str) -> String {
    let ran = bench.dnf(&format!("upgrade --assumeno {arguments}"));
    let lines = ran.out.lines().filter(|line| line.starts_with(' ') && line.contains("noarch 0:"));
    let lines = lines.filter(|line| !line.contains("replacing"));
    lines
        .map(|line| line.split_whitespace().step_by(2).take(2).collect::<Vec<_>>().join("-"))
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn upgrades_by_advisory() {
    let bench = bench();
    let table = [
        ("", "bar-0:1.1-1 baz-0:1.1-1 foo-0:2.0-1"),
        ("--security", "foo-0:2.0-1"),
        ("--bugfix", "bar-0:1.1-1"),
        ("--security --bugfix", "bar-0:1.1-1 foo-0:2.0-1"),
        ("--minimal", "bar-0:1.1-1 foo-0:1.5-1"),
        ("--minimal --security", "foo-0:1.5-1"),
        ("--advisory=A-2", "bar-0:1.1-1"),
        ("--advisories=A-1,A-2", "bar-0:1.1-1 foo-0:2.0-1"),
        ("--cve=CVE-A-1", "foo-0:2.0-1"),
        ("--bz=12", "bar-0:1.1-1 foo-0:2.0-1"),
        ("--advisory-severities=important", "foo-0:2.0-1"),
        ("--security foo", "foo-0:2.0-1"),
        ("--security bar", ""),
        ("--enhancement", ""),
    ];
    for (arguments, expected) in table {
        assert_eq!(plan(&bench, arguments), expected, "{arguments}");
    }
    expect![[r#"
        exit 0
        --- out
        Nothing to do.
        --- err
        No advisory found matching the specified filters.
        No match in selected advisories
    "#]]
    .assert_eq(&bench.dnf("upgrade -y --enhancement").quiet());
    expect![[r#"
        exit 1
        --- err
        No advisory found matching the requested name: "A-9"
    "#]]
    .assert_eq(&bench.dnf("upgrade -y --advisory=A-9").quiet());
    expect![[r#"
        exit 1
        --- err
        No advisory found fixing the CVE ID: "CVE-9"
    "#]]
    .assert_eq(&bench.dnf("upgrade -y --cve=CVE-9").quiet());
    expect![[r#"
        exit 2
        --- err
        error: unknown severity "huge"
        hint: severities are critical, important, moderate, low and none
    "#]]
    .assert_eq(&bench.dnf("upgrade -y --advisory-severities=huge").quiet());
    expect![[r#"
        exit 100
        --- out
        Upgrades
        foo.noarch 2.0-1 t
    "#]]
    .assert_eq(&bench.dnf("check-upgrade --security").quiet());
    assert_eq!(bench.dnf("check-upgrade --enhancement").code, 0);
    assert_eq!(bench.dnf("repoquery --security").out, "foo-0:1.5-1.noarch\nfoo-0:2.0-1.noarch\n");
    assert_eq!(bench.dnf("upgrade -y --security").code, 0);
    assert_eq!(bench.rpm("-q foo bar").out, "foo-2.0-1.noarch\nbar-1.0-1.noarch\n");
}

#[test]
fn malformed_updateinfo() {
    let mut bench = bench();
    bench.set_updateinfo("<updates><update><id>x</id>");
    expect![[r#"
        exit 1
        --- err
        error: repository t: updateinfo.xml line 1: truncated: the file ends inside <id>
        hint: the repository is damaged or not one: tell its owner
    "#]]
    .assert_eq(&bench.dnf("advisory list --refresh").quiet());
    assert_eq!(bench.dnf("list --refresh").code, 0, "nothing else needs advisories");
}
