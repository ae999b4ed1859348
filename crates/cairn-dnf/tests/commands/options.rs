// SPDX-License-Identifier: MIT OR Apache-2.0
//! Options of every command, and dnf 4's spellings.

use crate::common::{Bench, package};
use expect_test::expect;

#[test]
fn old_spellings_say_so() {
    let bench = Bench::usual();
    assert_eq!(bench.dnf("install -y foo-1.0").code, 0);
    expect![[r#"
        exit 0
        --- out
        Installed packages
        foo.noarch    1.0-1 t
        libfoo.noarch 1.0-1 t
        --- err
        hint: dnf5 spells `list installed` as `list --installed`
    "#]]
    .assert_eq(&bench.dnf("list installed").quiet());
    expect![[r#"
        exit 0
        --- out
        foo-0:1.0-1.noarch
        --- err
        hint: dnf5 spells `history userinstalled` as `repoquery --userinstalled`
    "#]]
    .assert_eq(&bench.dnf("history userinstalled").quiet());
    expect![[r#"
        exit 0
        --- out
        Package Arch   Version Repository      Size
        Removing:
         foo    noarch 0:1.0-1 t            6.0   B
        Removing unused dependencies:
         libfoo noarch 0:1.0-1 t            6.0   B

        Transaction Summary:
         Removing:           2 packages

        --- err
        hint: dnf5 spells `erase` as `remove`
        Complete!
    "#]]
    .assert_eq(&bench.dnf("erase -y foo").quiet());
    assert_eq!(bench.dnf("groupinstall -y tools").code, 0);
    assert_eq!(bench.dnf("whatprovides foo --enablerepo=t").code, 0);
    let file = bench.repository().join("bar-1.0-1.noarch.rpm");
    assert_eq!(bench.dnf(&format!("localinstall -y {}", file.display())).code, 0);
    assert_eq!(bench.dnf("-q list installed").err, "");
}

#[test]
fn modules_and_unknown_architectures_are_refused() {
    let bench = Bench::usual();
    expect![[r#"
        exit 1
        --- err
        error: modules are not supported
        hint: packages of all streams have names of their own: `dnf search NAME` finds them
    "#]]
    .assert_eq(&bench.dnf("module list --all").quiet());
    expect![[r#"
        exit 2
        --- err
        error: --forcearch=nosuch: unknown architecture
        hint: write for example --forcearch=aarch64
    "#]]
    .assert_eq(&bench.dnf("list --forcearch=nosuch").quiet());
}

#[test]
fn excludes_explain_themselves() {
    let bench = Bench::usual();
    expect![[r#"
        exit 1
        --- err
        Failed to resolve the transaction:
        Argument 'bar' matches only excluded packages.
    "#]]
    .assert_eq(&bench.dnf("install -y bar -x bar").quiet());
    expect![[r#"
        exit 1
        --- err
        Failed to resolve the transaction:
        Problem: cannot install foo-2.0-1.noarch from repo t
          - nothing provides libfoo needed by foo-2.0-1.noarch from repo t
        You can try to add to command line:
          --skip-broken to skip uninstallable packages
    "#]]
    .assert_eq(&bench.dnf("install -y foo -x 'lib*'").quiet());
}

#[test]
fn broken_and_unavailable() {
    let bench = Bench::usual();
    expect![[r#"
        exit 1
        --- err
        Failed to resolve the transaction:
        Problem: cannot install broken-1.0-1.noarch from repo t
          - nothing provides nonexistent >= 3 needed by broken-1.0-1.noarch from repo t
        You can try to add to command line:
          --skip-broken to skip uninstallable packages
    "#]]
    .assert_eq(&bench.dnf("install -y broken").quiet());
    expect![[r#"
        exit 0
        --- out
        Package Arch   Version Repository      Size
        Installing:
         bar    noarch 0:1.0-1 t            6.0   B
        Skipping packages with broken dependencies:
         broken noarch 1.0-1   t            6.0   B

        Transaction Summary:
         Installing:         1 package
         Skipping:           1 package

        --- err
        Problem: cannot install broken-1.0-1.noarch from repo t
          - nothing provides nonexistent >= 3 needed by broken-1.0-1.noarch from repo t
        Complete!
    "#]]
    .assert_eq(&bench.dnf("install -y broken bar --skip-broken").quiet());
    assert_eq!(bench.rpm("-qa").out, "bar-1.0-1.noarch\n");
    expect![[r#"
        exit 1
        --- err
        Failed to resolve the transaction:
        Problem: cannot install baz-1.0-1.noarch from repo t
          - problem with installed package bar-1.0-1.noarch
          - package baz-1.0-1.noarch from repo t conflicts with bar provided by bar-1.0-1.noarch from @System
          - package baz-1.0-1.noarch from repo t conflicts with bar provided by bar-1.0-1.noarch from repo t
        You can try to add to command line:
          --allowerasing to allow removing of installed packages to resolve problems
          --skip-broken to skip uninstallable packages
    "#]].assert_eq(&bench.dnf("install -y baz").quiet());
    assert_eq!(bench.dnf("install -y baz --allowerasing").code, 0);
    expect![[r#"
        exit 0
        --- out
        Package Arch   Version Repository      Size
        Installing:
         libfoo noarch 0:1.0-1 t            6.0   B

        Transaction Summary:
         Installing:         1 package

        --- err
        No match for argument: nothing
        Complete!
    "#]]
    .assert_eq(&bench.dnf("install -y nothing libfoo --skip-unavailable").quiet());
}

#[test]
fn best_and_no_best() {
    let mut bench = Bench::usual();
    assert_eq!(bench.dnf("install -y foo-1.0").code, 0);
    bench.add(vec![package("foo", "3.0-1", &["nothing-provides-this"])]);
    expect![[r#"
        exit 1
        --- err
        Failed to resolve the transaction:
        Problem: cannot install the best update candidate for package foo-1.0-1.noarch
          - nothing provides nothing-provides-this needed by foo-3.0-1.noarch from repo t
        You can try to add to command line:
          --no-best to not limit the transaction to the best candidates
          --skip-broken to skip uninstallable packages
    "#]]
    .assert_eq(&bench.dnf("upgrade -y foo --refresh").quiet());
    let ran = bench.dnf("--no-best upgrade -y");
    assert_eq!(ran.code, 0, "{}", ran.text());
    assert_eq!(bench.rpm("-q foo").out, "foo-2.0-1.noarch\n");
    assert_eq!(bench.dnf("upgrade --nobest -y").code, 0);
}

#[test]
fn from_one_repository() {
    let bench = Bench::usual();
    let second = format!(
        "--repofrompath u,file://{} --setopt u.gpgkey=file://{} --repo u",
        bench.repository().display(),
        bench.path("KEY").display()
    );
    for repository in ["t", "u"] {
        let ran = bench.dnf(&format!("{second} install -y foo-1.0 --from-repo={repository}"));
        assert_eq!(ran.code, 0, "{}", ran.text());
        let line = ran.out.lines().find(|line| line.starts_with(" foo ")).unwrap().to_owned();
        assert!(line.contains(&format!("0:1.0-1 {repository} ")), "{line}");
        let ran = bench.dnf(&format!("{second} upgrade -y foo --from-repo={repository}"));
        assert!(ran.out.contains(&format!("0:2.0-1 {repository} ")), "{}", ran.text());
        assert_eq!(bench.dnf("remove -y foo").code, 0);
    }
    expect![[r#"
        exit 2
        --- err
        error: --from-repo: no repository matches "x"
        hint: did you mean `t`?
    "#]]
    .assert_eq(&bench.dnf(&format!("{second} install -y foo --from-repo=x")).quiet());
}

#[test]
fn downloads() {
    let bench = Bench::usual();
    let to = bench.path("to");
    let names = || {
        let mut names: Vec<String> = std::fs::read_dir(&to)
            .map(|entries| {
                entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
            })
            .unwrap_or_default();
        names.sort();
        names.join(" ")
    };
    assert_eq!(bench.dnf(&format!("install -y foo-1.0 --destdir {}", to.display())).code, 0);
    assert_eq!(names(), "foo-1.0-1.noarch.rpm libfoo-1.0-1.noarch.rpm");
    assert_eq!(bench.rpm("-qa").out, "");
    let ran = bench.dnf("install -y bar --downloadonly");
    assert_eq!(ran.code, 0, "{}", ran.text());
    assert_eq!(bench.rpm("-qa").out, "");
    assert_eq!(bench.dnf("-C install -y bar").code, 0, "from the cache");
    assert_eq!(
        bench.dnf("download foo --url").quiet(),
        "exit 0\n--- out\nfile://[TMP]/repo/foo-2.0-1.noarch.rpm\n"
    );
    assert_eq!(
        bench.dnf("download foo --url --allmirrors").out,
        "file://[TMP]/repo/foo-2.0-1.noarch.rpm\n"
    );
    assert_eq!(bench.dnf("download foo --url --urlprotocol=https").out, "");
    expect![[r#"
        exit 1
        --- err
        No package "nothing" available; You might want to use --skip-unavailable option.
    "#]]
    .assert_eq(&bench.dnf("download nothing").quiet());
    assert_eq!(bench.dnf("download nothing foo --url --skip-unavailable").code, 0);
    assert_eq!(bench.dnf("download foo --arch=x86_64").code, 1);
    assert_eq!(bench.dnf(&format!("download foo --resolve --destdir {}", to.display())).code, 0);
    assert!(names().contains("foo-2.0-1.noarch.rpm"), "{}", names());
}

#[test]
fn clean() {
    let bench = Bench::usual();
    assert_eq!(bench.dnf("makecache").code, 0);
    assert_eq!(
        bench.dnf("clean dbcache").quiet(),
        "exit 0\n--- out\nRemoved 0 files, 0 directories (total of 0 B). 0 errors occurred.\n"
    );
    assert_eq!(bench.dnf("clean expire-cache packages").code, 0);
    assert!(bench.dnf("clean all").out.starts_with("Removed "));
    expect![[r#"
        exit 2
        --- err
        error: invalid value 'nothing' for '<WHAT>...'
        hint: `dnf --help` lists commands, `dnf COMMAND --help` its arguments
    "#]]
    .assert_eq(&bench.dnf("clean nothing").quiet());
    assert_eq!(bench.dnf("-C list").code, 1);
}

#[test]
fn a_comment_is_kept() {
    let bench = Bench::usual();
    assert_eq!(bench.dnf("install -y bar --comment 'ticket 7'").code, 0);
    assert!(bench.dnf("history info last").out.contains("Comment        : ticket 7"));
}

#[test]
fn options_of_every_command_add_up_in_order() {
    let bench = Bench::usual();
    let shown = |arguments: &str| bench.dnf(arguments).out;
    assert_eq!(shown("-x foo repoquery -x 'lib*,ba*'"), "broken-0:1.0-1.noarch\n");
    let two = format!("--repofrompath=u,file://{} repoquery bar", bench.repository().display());
    let two = format!("{two} --qf '%{{repoid}} ' --setopt=u.gpgcheck=0 --setopt=u.repo_gpgcheck=0");
    assert_eq!(shown(&format!("{two} --repo=u")), "t u ", "both --repo");
    assert_eq!(shown(&format!("{two} --enable-repo=u --disable-repo=t")), "u ");
    let excludes = "--setopt=excludepkgs=bar repoquery --setopt=excludepkgs=,broken";
    // An empty first word, or nothing at all, begins anew.
    assert!(shown(excludes).contains("bar") && !shown(excludes).contains("broken"));
    assert!(shown("--setopt=excludepkgs=bar repoquery --setopt=excludepkgs=").contains("bar"));
    assert_eq!(bench.dnf("-y --releasever=2 install bar -y --releasever=3").code, 0);
    assert!(shown("history info last").contains("Releasever     : 3"));
    assert_eq!(bench.dnf("--best upgrade --no-best").code, 2, "as when they stand side by side");
}
