// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is chosen where dnf5's answer is easily missed; found by `cargo xtask differential dnf/`.

use crate::common::{Bench, package};
use cairn_rpm::dependency::Dependency;

/// What is installed, in order.
fn installed(bench: &Bench) -> String {
    let mut names: Vec<String> =
        bench.rpm("-qa").out.lines().map(|line| line.replace(".noarch", "")).collect();
    names.sort();
    names.join(" ")
}

fn renamed() -> Bench {
    let mut new = package("new", "2-1", &[]);
    new.obsoletes = vec![Dependency::parse("old < 2").unwrap()];
    new.provides = vec![Dependency::parse("old = 2").unwrap()];
    Bench::new(vec![package("old", "1-1", &[]), new])
}

#[test]
fn obsoleted_packages_come_where_they_are_meant() {
    let bench = renamed();
    assert_eq!(bench.dnf("install -y old").code, 0);
    assert_eq!(installed(&bench), "new-2-1");
    let mut bench = renamed();
    bench.add(vec![package("user", "1-1", &["old"])]);
    assert_eq!(bench.dnf("install -y user").code, 0);
    assert_eq!(installed(&bench), "new-2-1 user-1-1");
    let bench = renamed();
    assert_eq!(bench.dnf("install -y old-1-1.noarch").code, 0);
    assert_eq!(installed(&bench), "old-1-1");
    assert_eq!(bench.dnf("upgrade -y --setopt=obsoletes=0").code, 0);
    assert_eq!(installed(&bench), "old-1-1");
    let ran = bench.dnf("upgrade -y new");
    assert_eq!((ran.code, installed(&bench).as_str()), (0, "new-2-1"), "{}", ran.err);
}

#[test]
fn a_test_is_not_remembered() {
    let bench = Bench::usual();
    let ran = bench.dnf("install -y bar --setopt=tsflags=test");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(installed(&bench), "");
    assert!(!bench.dnf("history list").out.contains("install"));
    assert_eq!(bench.dnf("install -y bar").code, 0);
    assert!(bench.dnf("repoquery --installed --qf %{reason}").out.contains("User"));
}

#[test]
fn package_files_upgrade_what_is_there() {
    let bench = Bench::usual();
    let file = bench.repository().join("bar-1.0-1.noarch.rpm").display().to_string();
    let ran = bench.dnf(&format!("upgrade -y --no-gpgchecks {file}"));
    assert_eq!((ran.code, installed(&bench).as_str()), (0, ""), "{}", ran.err);
    assert!(ran.err.contains("available, but not installed"), "{}{}", ran.out, ran.err);
}

#[test]
fn capabilities_are_not_removed() {
    let mut other = package("other", "1-1", &[]);
    other.provides = vec![Dependency::parse("capability").unwrap()];
    let bench = Bench::new(vec![other]);
    assert_eq!(bench.dnf("install -y capability").code, 0);
    let ran = bench.dnf("remove -y capability");
    assert!(ran.err.contains("No packages to remove for argument: capability"), "{}", ran.err);
    assert_eq!(installed(&bench), "other-1-1");
    assert_eq!(bench.dnf("remove -y /usr/share/other/file").code, 0);
    assert_eq!(installed(&bench), "");
}

#[test]
fn repositories_of_the_same_package() {
    let bench = Bench::usual();
    let chosen = |options: &str| {
        let second = format!("--repofrompath=u,file://{}", bench.repository().display());
        let key = bench.path("KEY").display().to_string();
        let ran = bench.dnf(&format!(
            "install --assumeno bar {second} --repo=u --setopt=u.gpgkey=file://{key} {options}"
        ));
        let line = ran.out.lines().chain(ran.err.lines()).find(|line| line.contains(" bar "));
        line.unwrap_or_else(|| panic!("{}{}", ran.out, ran.err))
            .split_whitespace()
            .nth(3)
            .unwrap()
            .to_owned()
    };
    assert_eq!(chosen("--setopt=u.cost=10"), "u");
    assert_eq!(chosen("--setopt=u.cost=2000"), "t");
    assert_eq!(chosen("--setopt=t.cost=2000"), "u");
    assert_eq!(chosen("--setopt=u.priority=200"), "t");
    assert_eq!(chosen("--setopt=t.priority=200"), "u");
}

#[test]
fn excludes_can_be_lifted() {
    let bench = Bench::usual();
    let install = |options: &str| bench.dnf(&format!("install --assumeno bar {options}"));
    let shows = |options: &str| {
        let ran = install(options);
        ran.out.contains(" bar ") || ran.err.contains(" bar ")
    };
    assert!(!shows("--setopt=excludepkgs=bar"));
    assert!(shows("--setopt=excludepkgs=bar --setopt=disable_excludes=main"));
    assert!(shows("--setopt=t.excludepkgs=bar --setopt=disable_excludes=t"));
    assert!(shows("--setopt=t.excludepkgs=bar --setopt=disable_excludes=*"));
    assert!(!shows("--exclude=bar --setopt=disable_excludes=*"));
}
