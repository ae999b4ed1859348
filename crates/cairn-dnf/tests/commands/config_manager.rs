// SPDX-License-Identifier: MIT OR Apache-2.0
//! `config-manager`.

use crate::common::Bench;
use expect_test::expect;

fn bench() -> Bench {
    let bench = Bench::usual();
    std::fs::create_dir_all(bench.root().join("etc/yum.repos.d")).unwrap();
    std::fs::create_dir_all(bench.root().join("etc/dnf")).unwrap();
    std::fs::write(bench.root().join("etc/dnf/dnf.conf"), "# mine\n[main]\nbest=1\n").unwrap();
    bench
}

#[test]
fn addrepo() {
    let bench = bench();
    let url = format!("file://{}", bench.repository().display());
    let add = format!(
        "config-manager addrepo --id=one --set=baseurl={url} --set=gpgkey=file://{}",
        bench.path("KEY").display()
    );
    assert_eq!(bench.plain_dnf(&add).quiet(), "exit 0\n");
    let read = |name: &str| {
        bench.filtered(bench.read(&format!("etc/yum.repos.d/{name}")).unwrap().as_bytes())
    };
    expect![[r#"
        [one]
        name=one - Created by dnf5 config-manager
        enabled=1
        baseurl=file://[TMP]/repo
        gpgkey=file://[TMP]/KEY
    "#]]
    .assert_eq(&read("one.repo"));
    assert!(bench.plain_dnf("list bar").out.contains("bar.noarch"), "the repository works");
    expect![[r#"
        exit 1
        --- err
        error: File "[TMP]/root/etc/yum.repos.d/one.repo" already exists and configures repositories with IDs "one". Add "--add-or-replace" or "--overwrite".
    "#]]
    .assert_eq(&bench.plain_dnf(&add).quiet());
    assert_eq!(bench.plain_dnf(&format!("{add} --overwrite")).code, 0);
    let second = format!(
        "config-manager addrepo --id=two --save-filename=one --add-or-replace --set=baseurl={url} --set=enabled=0"
    );
    assert_eq!(bench.plain_dnf(&second).code, 0);
    expect![[r#"
        [one]
        name=one - Created by dnf5 config-manager
        enabled=1
        baseurl=file://[TMP]/repo
        gpgkey=file://[TMP]/KEY
        [two]
        name=two - Created by dnf5 config-manager
        enabled=0
        baseurl=file://[TMP]/repo
    "#]]
    .assert_eq(&read("one.repo"));
    assert_eq!(bench.plain_dnf(&second).code, 0, "replaced");
    expect![[r#"
        exit 1
        --- err
        error: A repository with id "two" already configured in file: [TMP]/root/etc/yum.repos.d/one.repo
        hint: give another --id, or change that one with `dnf config-manager setopt`
    "#]]
    .assert_eq(
        &bench
            .plain_dnf(&format!(
                "config-manager addrepo --id=two --save-filename=three --set=baseurl={url}"
            ))
            .quiet(),
    );
    expect![[r#"
        exit 2
        --- err
        error: One of --from-repofile=<URL>, --set=baseurl=<URL>, --set=mirrorlist=<URL>, --set=metalink=<URL> must be set to a non-empty URL
    "#]].assert_eq(&bench.plain_dnf("config-manager addrepo --id=x --set=name=a").quiet());
    expect![[r#"
        exit 1
        --- err
        error: Cannot set repository option "baseurl=nonsense": "nonsense" is not a URL that can be read
        hint: use http://, https:// or file://
    "#]]
    .assert_eq(&bench.plain_dnf("config-manager addrepo --id=x --set=baseurl=nonsense").quiet());
    expect![[r#"
        exit 1
        --- err
        error: Cannot set repository option "priorty=1": Option "priorty" not found
        hint: did you mean `priority`?
    "#]]
    .assert_eq(
        &bench
            .plain_dnf(&format!(
                "config-manager addrepo --id=x --set=baseurl={url} --set=priorty=1"
            ))
            .quiet(),
    );
    expect![[r#"
        exit 1
        --- err
        error: "../x" is no name of a repository file
        hint: give --save-filename=NAME
    "#]]
    .assert_eq(
        &bench
            .plain_dnf(&format!(
                "config-manager addrepo --id=x --save-filename=../x --set=baseurl={url}"
            ))
            .quiet(),
    );
    assert_eq!(
        bench.plain_dnf("config-manager addrepo --set=baseurl=https://example.invalid/a/b/").code,
        0
    );
    expect![[r#"
        [example.invalid_a_b_]
        name=example.invalid_a_b_ - Created by dnf5 config-manager
        enabled=1
        baseurl=https://example.invalid/a/b/
    "#]]
    .assert_eq(&read("example.invalid_a_b_.repo"));
}

#[test]
fn addrepo_from_a_file() {
    let bench = bench();
    let file = bench.path("extra.repo");
    std::fs::write(&file, "[extra]\nname=Extra\nbaseurl=https://example.invalid/x\nenabled=0\n")
        .unwrap();
    let add = format!("config-manager addrepo --from-repofile={}", file.display());
    assert_eq!(bench.plain_dnf(&add).code, 0);
    assert!(bench.plain_dnf("repolist --all").out.contains("extra"));
    expect![[r#"
        exit 1
        --- err
        error: File "[TMP]/root/etc/yum.repos.d/extra.repo" already exists and configures repositories with IDs "extra". Add "--overwrite" to overwrite.
    "#]]
    .assert_eq(&bench.plain_dnf(&add).quiet());
    std::fs::write(&file, "[extra]\nname\n").unwrap();
    expect![[r#"
        exit 1
        --- err
        error: [TMP]/extra.repo:2:1: expected `key = value` or `[section]`, found "name"
        hint: write `key = value`, or start a comment with `#`
    "#]]
    .assert_eq(&bench.plain_dnf(&format!("{add} --save-filename=other")).quiet());
    // dnf 4's spelling.
    std::fs::write(&file, "[more]\nbaseurl=https://example.invalid/x\nenabled=0\n").unwrap();
    let ran = bench.plain_dnf(&format!("config-manager --add-repo {} --overwrite", file.display()));
    assert_eq!(ran.code, 1, "{}", ran.text());
    assert!(ran.err.contains("hint: dnf5 spells"), "{}", ran.err);
}

#[test]
fn options_and_variables() {
    let bench = bench();
    std::fs::write(
        bench.root().join("etc/yum.repos.d/a.repo"),
        "[ab]\nbaseurl=file:///x\n[ac]\nbaseurl=file:///y\n",
    )
    .unwrap();
    expect![[r#"
        exit 1
        --- err
        error: Directory "[TMP]/root/etc/dnf/repos.override.d" does not exist. Add "--create-missing-dir" to create missing directories.
    "#]]
    .assert_eq(&bench.plain_dnf("config-manager setopt ab.enabled=0 keepcache=1").quiet());
    assert_eq!(bench.plain_dnf("config-manager setopt --create-missing-dir 'a*.enabled=0' ab.priority=5 keepcache=1").code, 0);
    let overrides = "etc/dnf/repos.override.d/99-config_manager.repo";
    expect![[r#"
        # mine
        [main]
        best=1
        keepcache=1
        # Generated by libdnf5.
        # Do not modify this file manually, use dnf5 config-manager instead.
        [ab]
        enabled=0
        priority=5
        [ac]
        enabled=0
    "#]]
    .assert_eq(&(bench.read("etc/dnf/dnf.conf").unwrap() + &bench.read(overrides).unwrap()));
    assert_eq!(bench.plain_dnf("repolist --disabled").out.lines().count(), 3);
    expect![[r#"
        exit 1
        --- err
        error: No matching repository to modify: nope
        hint: `dnf repolist --all` lists them
    "#]]
    .assert_eq(&bench.plain_dnf("config-manager setopt nope.priority=5").quiet());
    expect![[r#"
        exit 1
        --- err
        error: Cannot set option: "keepcach=1": Option "keepcach" not found
        hint: did you mean `keepcache`?
    "#]]
    .assert_eq(&bench.plain_dnf("config-manager setopt keepcach=1").quiet());
    expect![[r#"
        exit 1
        --- err
        error: Cannot set option: "keepcache=maybe": Invalid boolean value "maybe"
        hint: write `keepcache=1` or `keepcache=0`
    "#]]
    .assert_eq(&bench.plain_dnf("config-manager setopt keepcache=maybe").quiet());
    assert_eq!(bench.plain_dnf("config-manager unsetopt 'a*.enabled' keepcache").code, 0);
    expect![[r#"
        # mine
        [main]
        best=1
        # Generated by libdnf5.
        # Do not modify this file manually, use dnf5 config-manager instead.
        [ab]
        priority=5
    "#]]
    .assert_eq(&(bench.read("etc/dnf/dnf.conf").unwrap() + &bench.read(overrides).unwrap()));
    expect![[r#"
        exit 0
        --- err
        config-manager: Request to remove main option but it is not present in the config file: keepcache
        config-manager: Request to remove repository option but repoid is not present in the overrides: ab
    "#]]
        .assert_eq(&bench.plain_dnf("config-manager unsetopt ab.enabled keepcache").quiet());
    expect![[r#"
        exit 1
        --- err
        error: Directory "[TMP]/root/etc/dnf/vars" does not exist. Add "--create-missing-dir" to create missing directories.
    "#]]
    .assert_eq(&bench.plain_dnf("config-manager setvar one=1").quiet());
    assert_eq!(bench.plain_dnf("config-manager addvar --create-missing-dir one=1 two=2").code, 0);
    assert_eq!(bench.read("etc/dnf/vars/two").unwrap(), "2");
    expect![[r#"
        exit 0
        --- err
        config-manager: Request to remove variable but it is not present in the vars directory: nope
    "#]]
    .assert_eq(&bench.plain_dnf("config-manager unsetvar two nope").quiet());
    assert!(bench.read("etc/dnf/vars/two").is_none());
    expect![[r#"
        exit 2
        --- err
        error: the variable releasever_major is made from releasever
        hint: set releasever
    "#]]
    .assert_eq(&bench.plain_dnf("config-manager setvar releasever_major=2").quiet());
    assert_eq!(bench.plain_dnf("config-manager --set-disabled ab").code, 0);
    assert!(bench.read(overrides).unwrap().contains("enabled=0"));
}

#[test]
fn values_are_shown() {
    let bench = Bench::usual();
    let ran =
        bench.dnf("--setopt=best=0 --setopt=t.priority=7 --dump-main-config --dump-repo-config=t*");
    assert_eq!(ran.code, 0, "{}", ran.text());
    assert!(ran.out.starts_with("======== Main configuration: ========\n"), "{}", ran.out);
    assert!(ran.out.contains("\nbest = 0\n") && ran.out.contains("\ntsflags = \n"), "{}", ran.out);
    assert!(
        ran.out.contains("======== \"t\" repository configuration: ========\nbaseurl = file://")
    );
    assert!(
        ran.out.contains("\nmetalink\n") && ran.out.contains("\npriority = 7\n"),
        "{}",
        ran.out
    );
    assert_eq!(bench.dnf("--dump-repo-config=nothing").out, "");
    assert!(
        bench.dnf("--dump-main-config repolist").out.ends_with("repo id repo name\nt       t\n")
    );
}

#[test]
fn repositories_are_switched() {
    let bench = Bench::usual();
    let file = "etc/yum.repos.d/f.repo";
    std::fs::create_dir_all(bench.root().join("etc/yum.repos.d")).unwrap();
    std::fs::write(bench.root().join(file), "[f]\nbaseurl=file:///f\nenabled=0\n").unwrap();
    let listed = |option: &str| bench.plain_dnf(&format!("repolist {option}")).out;
    assert!(listed("--disabled").contains("f       f"));
    let ran = bench.plain_dnf("config-manager enable f");
    assert_eq!(ran.code, 1, "{}", ran.text());
    assert_eq!(bench.plain_dnf("config-manager enable f --create-missing-dir").code, 0);
    assert!(listed("--enabled").contains("f       f"));
    assert_eq!(bench.plain_dnf("config-manager disable 'f*'").code, 0);
    assert!(listed("--disabled").contains("f       f"));
    let twice = bench.plain_dnf("config-manager setopt f.priority=7 'f*.priority=8'");
    assert_eq!(twice.code, 1);
    let expected = "Sets the \"priority\" option of the repository \"f\" again with a different value: \"7\" != \"8\"";
    assert!(twice.err.contains(expected), "{}", twice.err);
    assert_eq!(bench.plain_dnf("config-manager setopt f.priority=7 f.priority=7").code, 0);
    let ran = bench.plain_dnf("config-manager enable nothing");
    assert!(ran.code == 1 && ran.err.contains("No matching repository to modify: nothing"));
}
