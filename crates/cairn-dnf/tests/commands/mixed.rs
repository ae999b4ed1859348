// SPDX-License-Identifier: MIT OR Apache-2.0
//! `do`, `builddep` and `repomanage`.

use crate::common::{Bench, package};
use cairn_rpm::build::PackageSpec;
use cairn_rpm::dependency::Dependency;
use expect_test::expect;

fn names(bench: &Bench) -> String {
    let mut names: Vec<String> = bench.rpm("-qa").out.lines().map(str::to_owned).collect();
    names.sort();
    names.join(" ")
}

#[test]
fn several_actions_at_once() {
    let bench = Bench::usual();
    assert_eq!(bench.dnf("install -y foo-1.0 bar").code, 0);
    expect![[r#"
        exit 0
        --- out
        Package          Arch   Version Repository      Size
        Removing:
         bar             noarch 0:1.0-1 t            6.0   B
        Upgrading:
         foo             noarch 0:2.0-1 t            6.0   B
           replacing foo noarch 0:1.0-1 t            6.0   B
        Installing:
         baz             noarch 0:1.0-1 t            6.0   B

        Transaction Summary:
         Installing:         1 package
         Upgrading:          1 package
         Replacing:          1 package
         Removing:           1 package

        --- err
        Complete!
    "#]]
    .assert_eq(
        &bench.dnf("do -y --action=install baz --action upgrade foo --action=remove bar").quiet(),
    );
    assert_eq!(names(&bench), "baz-1.0-1.noarch foo-2.0-1.noarch libfoo-1.0-1.noarch");
    let file = bench.repository().join("foo-1.0-1.noarch.rpm");
    let downgrade = format!("do -y --action=downgrade {} --action=reinstall baz", file.display());
    let ran = bench.dnf(&downgrade);
    assert_eq!(ran.code, 0, "{}", ran.text());
    assert!(ran.out.contains("Reinstalling:\n baz"), "{}", ran.out);
    assert!(names(&bench).contains("foo-1.0-1"), "{}", names(&bench));
}

#[test]
fn options_hold_for_what_follows() {
    let bench = Bench::usual();
    let second = format!("--repofrompath=u,file://{}", bench.repository().display());
    let second =
        format!("{second} --setopt=u.gpgkey=file://{} --repo=u", bench.path("KEY").display());
    let items = "--action=install --from-repo=u bar --from-repo=t libfoo";
    let ran = bench.dnf(&format!("{second} do -y {items}"));
    assert!(ran.out.contains(" bar    noarch 0:1.0-1 u "), "{}", ran.text());
    assert!(ran.out.contains(" libfoo noarch 0:1.0-1 t "), "{}", ran.text());
    let remove = "do -y --action=remove --installed-from-repo=u '*'";
    assert_eq!(bench.dnf(remove).code, 0);
    assert_eq!(names(&bench), "libfoo-1.0-1.noarch");
    assert_eq!(bench.dnf("do -y --action=install --type=group name=Tools").code, 0);
    assert!(bench.dnf("group list --installed").out.contains("tools"));
    assert_eq!(bench.dnf("do -y --action=remove @tools --type=package libfoo").code, 0);
    assert_eq!(names(&bench), "");
}

#[test]
fn refusals_of_do() {
    let bench = Bench::usual();
    expect![[r#"
        exit 2
        --- err
        error: no --action before `foo`
        hint: write --action=install, remove, upgrade, downgrade or reinstall first
    "#]]
    .assert_eq(&bench.dnf("do foo --action=install").quiet());
    expect![[r#"
        exit 1
        --- err
        error: Invalid Environment/Group specification: tools
        hint: write id=ID or name=NAME
    "#]]
    .assert_eq(&bench.dnf("do --action=install --type=group tools").quiet());
    assert_eq!(bench.dnf("do --action=frob foo").code, 2);
    assert_eq!(bench.dnf("do --action=downgrade --type=group id=tools").code, 2);
    assert_eq!(bench.dnf("do --action=install").out, "Nothing to do.\n");
    let ran = bench.dnf("do -y --action=install nothing bar --skip-unavailable");
    assert_eq!(ran.code, 0, "{}", ran.text());
    assert_eq!(names(&bench), "bar-1.0-1.noarch");
}

fn source(name: &str, requires: &[&str]) -> PackageSpec {
    let mut spec = package(name, "1.0-1", requires);
    spec.arch = "src".to_owned();
    spec
}

fn builds() -> Bench {
    let mut unwanted = source("picky", &["bar"]);
    unwanted.conflicts = vec![Dependency::parse("baz").unwrap()];
    let mut careful = source("careful", &["weak"]);
    careful.conflicts = vec![Dependency::parse("baz").unwrap()];
    let mut weak = package("weak", "1.0-1", &[]);
    weak.recommends = vec![Dependency::parse("baz").unwrap()];
    let mut built = package("app-libs", "1.0-1", &[]);
    built.source_package = "app-1.0-1.src.rpm".to_owned();
    let mut newer = package("new", "1.0-1", &[]);
    newer.obsoletes = vec![Dependency::parse("old < 2").unwrap()];
    Bench::new(vec![
        package("bar", "1.0-1", &["libbar"]),
        package("libbar", "1.0-1", &[]),
        package("baz", "1.0-1", &[]),
        package("tool", "1.0-1", &[]),
        package("tool", "2.0-1", &[]),
        package("old", "1.0-1", &[]),
        newer,
        built,
        source("app", &["bar", "tool >= 2", "(missing or baz)", "(missing if nothing)"]),
        source("broken", &["missing >= 3"]),
        source("stale", &["old"]),
        unwanted,
        careful,
        weak,
    ])
}

#[test]
fn what_building_needs() {
    let bench = builds();
    expect![[r#"
        exit 0
        --- out
        Package Arch   Version Repository      Size
        Installing:
         bar    noarch 0:1.0-1 t            6.0   B
         baz    noarch 0:1.0-1 t            6.0   B
         tool   noarch 0:2.0-1 t            6.0   B
        Installing dependencies:
         libbar noarch 0:1.0-1 t            6.0   B

        Transaction Summary:
         Installing:         4 packages

        --- err
        Complete!
    "#]]
    .assert_eq(&bench.dnf("builddep -y app-libs").quiet());
    let file = bench.repository().join("app-1.0-1.src.rpm");
    assert_eq!(bench.dnf(&format!("build-dep {}", file.display())).out, "Nothing to do.\n");
    expect![[r#"
        exit 0
        --- out
        Package Arch   Version Repository      Size
        Removing:
         baz    noarch 0:1.0-1 t            6.0   B

        Transaction Summary:
         Removing:           1 package

        --- err
        Complete!
    "#]]
    .assert_eq(&bench.dnf("builddep -y picky").quiet());
    // What conflicts does not come as a weak dependency either.
    assert_eq!(bench.dnf("builddep -y careful").code, 0);
    assert!(
        names(&bench).contains("weak-1.0") && !names(&bench).contains("baz"),
        "{}",
        names(&bench)
    );
    let ran = bench.dnf(&format!("builddep -D 'a 1' {}", file.display()));
    assert!(
        ran.err.contains("Warning: -D/--define/--with/--without arguments have no effect"),
        "{}",
        ran.err
    );
}

#[test]
fn what_building_cannot_have() {
    let bench = builds();
    expect![[r#"
        exit 1
        --- err
        No package matched "nothing".
        Failed to parse some inputs.
    "#]]
    .assert_eq(&bench.dnf("builddep -y nothing").quiet());
    expect![[r#"
        exit 1
        --- err
        Failed to resolve the transaction:
        No match for argument: missing >= 3
        You can try to add to command line:
          --skip-unavailable to skip unavailable packages
    "#]]
    .assert_eq(&bench.dnf("builddep -y broken").quiet());
    assert_eq!(bench.dnf("builddep -y broken --skip-unavailable").code, 0);
    assert_eq!(bench.dnf("install -y new").code, 0);
    let ran = bench.dnf("builddep -y stale");
    assert_eq!((ran.code, names(&bench).as_str()), (1, "new-1.0-1.noarch"), "{}", ran.text());
    assert_eq!(bench.dnf("builddep --spec --srpm x").code, 2);
    assert_eq!(bench.dnf("builddep --srpm /nothing").code, 1);
}

/// Spec files are rpm's own to read; where its program is missing, that is said.
#[test]
fn spec_files() {
    let bench = builds();
    let spec = bench.path("x.spec");
    let text = "Name: x\nVersion: 1\nRelease: 1\nSummary: x\nLicense: MIT\nBuildRequires: %{need}\n\
                %{?_with_more:BuildRequires: baz}\n%description\nx\n";
    std::fs::write(&spec, text).unwrap();
    let ran = bench.dnf(&format!("builddep -y -D 'need tool >= 1' {}", spec.display()));
    let has_rpmspec = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join("rpmspec").exists()));
    if has_rpmspec {
        assert_eq!(names(&bench), "tool-2.0-1.noarch", "{}", ran.text());
        let ran = bench.dnf(&format!("builddep -y -D 'need tool' --with=more {}", spec.display()));
        assert_eq!(names(&bench), "baz-1.0-1.noarch tool-2.0-1.noarch", "{}", ran.text());
        let ran = bench.dnf("builddep /nothing.spec");
        let lines: Vec<&str> = ran.err.lines().collect();
        let expected = [
            "error: Unable to open /nothing.spec: No such file or directory",
            "Failed to parse spec file \"/nothing.spec\".",
            "Failed to parse some inputs.",
        ];
        assert_eq!(lines, expected);
    } else {
        assert!(ran.code == 1 && ran.err.contains("rpmspec"), "{}", ran.text());
    }
}

#[test]
fn newest_and_older_packages_of_directories() {
    let bench = Bench::usual();
    let repository = bench.repository();
    let list = |arguments: &str| {
        bench.dnf(&format!("repomanage {arguments} {}", repository.display())).out
    };
    assert_eq!(list("--old"), "[TMP]/repo/foo-1.0-1.noarch.rpm\n");
    assert_eq!(list("-o -s"), "[TMP]/repo/foo-1.0-1.noarch.rpm ");
    assert_eq!(list("-o -k 2"), "");
    let newest = list("");
    assert_eq!(newest.lines().count(), 5, "{newest}");
    std::fs::remove_dir_all(repository.join("repodata")).unwrap();
    std::fs::create_dir(repository.join("a")).unwrap();
    let copy = repository.join("a/foo-2.0-1.noarch.rpm");
    std::fs::copy(repository.join("foo-2.0-1.noarch.rpm"), &copy).unwrap();
    let with_copy = list("");
    assert!(
        with_copy.starts_with("[TMP]/repo/a/foo-2.0") && with_copy.ends_with(&newest),
        "by path"
    );
    std::fs::remove_file(&copy).unwrap();
    assert_eq!(list("--new"), newest, "files instead of metadata");
    assert_eq!(list("--old"), "[TMP]/repo/foo-1.0-1.noarch.rpm\n");
    assert_eq!(bench.dnf("repomanage --old --new /").code, 2);
    assert_eq!(bench.dnf("repomanage /nothing").code, 1);
}
