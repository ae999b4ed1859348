// SPDX-License-Identifier: MIT OR Apache-2.0
//! Options that narrow what arguments mean or what may change.

use crate::common::{Bench, package};
use cairn_rpm::build::PackageSpec;
use cairn_rpm::dependency::Dependency;

fn of(vendor: &str, mut spec: PackageSpec) -> PackageSpec {
    spec.vendor = vendor.to_owned();
    spec
}

fn names(bench: &Bench) -> String {
    let mut names: Vec<String> = bench.rpm("-qa").out.lines().map(str::to_owned).collect();
    names.sort();
    names.join(" ")
}

#[test]
fn vendors() {
    let mut bench = Bench::new(vec![of("Here", package("a", "1.0-1", &[]))]);
    assert_eq!(bench.dnf("install -y a").code, 0);
    bench.add(vec![
        of("Here", package("a", "2.0-1", &[])),
        of("There", package("a", "3.0-1", &[])),
        of("There", package("b", "1.0-1", &[])),
    ]);
    let ran = bench.dnf("--refresh --no-allow-vendor-change upgrade -y");
    assert_eq!(ran.code, 0, "{}", ran.text());
    assert_eq!(names(&bench), "a-2.0-1.noarch");
    assert_eq!(bench.dnf("--setopt=allow_vendor_change=0 upgrade -y").code, 0);
    assert_eq!(names(&bench), "a-2.0-1.noarch");
    assert_eq!(
        bench.dnf("--no-allow-vendor-change distro-sync -y").out,
        "Nothing to do.\nSkipping 1 package due to vendor change restriction: \"Here\" -> \"There\".\n"
    );
    assert_eq!(bench.dnf("--no-allow-vendor-change install -y a-3.0").code, 1);
    assert_eq!(names(&bench), "a-2.0-1.noarch");
    assert_eq!(
        bench.dnf("install -y a --from-vendor=Nobody").code,
        1,
        "installed, but not of that vendor"
    );
    assert_eq!(bench.dnf("install -y b --from-vendor=H*").code, 1);
    assert_eq!(bench.dnf("install -y b --from-vendor=There").code, 0);
    let skipped = "Nothing to do.\nSkipping 1 package due to vendor change restriction: \"Here\" -> \"There\".\n";
    assert_eq!(bench.dnf("--no-allow-vendor-change upgrade -y a").out, skipped);
    let ran = bench.dnf("--no-allow-vendor-change upgrade -y a --from-vendor=There");
    assert_eq!(names(&bench), "a-3.0-1.noarch b-1.0-1.noarch", "{}", ran.text());
    assert_eq!(bench.dnf("--no-allow-vendor-change downgrade -y a --from-vendor=Here").code, 0);
    assert_eq!(bench.dnf("upgrade -y").code, 0);
    assert_eq!(names(&bench), "a-3.0-1.noarch b-1.0-1.noarch");
}

#[test]
fn older_versions_for_the_sake_of_others() {
    let bench = Bench::new(vec![
        package("lib", "1.0-1", &[]),
        package("lib", "2.0-1", &[]),
        package("app", "1.0-1", &["lib = 1.0-1"]),
    ]);
    assert_eq!(bench.dnf("install -y lib").code, 0);
    let ran = bench.dnf("install -y app --no-allow-downgrade");
    assert_eq!(ran.code, 1, "{}", ran.text());
    assert!(ran.err.contains("is an older version"), "{}", ran.err);
    assert_eq!(bench.dnf("--setopt=allow_downgrade=0 install -y app").code, 1);
    assert_eq!(bench.dnf("--setopt=allow_downgrade=0 install -y app --allow-downgrade").code, 0);
    assert_eq!(names(&bench), "app-1.0-1.noarch lib-1.0-1.noarch");
}

#[test]
fn what_was_installed_from_a_repository() {
    let mut bench = Bench::usual();
    assert_eq!(bench.dnf("install -y foo-1.0").code, 0);
    bench.add(vec![package("libfoo", "2.0-1", &[])]);
    assert_eq!(bench.dnf("list --installed --installed-from-repo=other").code, 0);
    assert!(!bench.dnf("list --installed --installed-from-repo=other").out.contains("foo"));
    assert!(bench.dnf("list --installed --installed-from-repo=t").out.contains("foo.noarch"));
    assert_eq!(
        bench.dnf("repoquery --installed-from-repo=t").out,
        "foo-0:1.0-1.noarch\nlibfoo-0:1.0-1.noarch\n"
    );
    let ran = bench.dnf("--refresh upgrade -y --installed-from-repo=other");
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("Packages for argument '*' available, but not installed."),
        "{}",
        ran.err
    );
    let ran = bench.dnf("remove -y foo --installed-from-repo=other");
    assert!(ran.err.contains("No packages to remove for argument: foo"), "{}", ran.text());
    assert_eq!(bench.dnf("remove -y foo --installed-from-repo=t").code, 0);
    assert_eq!(names(&bench), "");
}

#[test]
fn weak_dependencies_left_out() {
    let mut other = package("other", "1.0-1", &[]);
    other.recommends = vec![Dependency::parse("bar").unwrap()];
    let mut bench = Bench::usual();
    assert_eq!(bench.dnf("--setopt=exclude_from_weak=ba* install -y foo").code, 0);
    assert_eq!(names(&bench), "foo-2.0-1.noarch libfoo-1.0-1.noarch");
    bench.add(vec![other]);
    assert_eq!(bench.dnf("--refresh install -y other").code, 0);
    assert_eq!(names(&bench), "foo-2.0-1.noarch libfoo-1.0-1.noarch other-1.0-1.noarch");
    assert_eq!(bench.dnf("remove -y other").code, 0);
    assert_eq!(bench.dnf("--setopt=exclude_from_weak_autodetect=0 install -y other").code, 0);
    assert!(names(&bench).contains("bar-1.0-1"), "{}", names(&bench));
}

#[test]
fn search_in_one_field() {
    let bench = Bench::usual();
    assert!(
        bench.dnf("search foo --name").out.contains("Matched fields: name (exact)\n foo.noarch")
    );
    assert!(bench.dnf("search Test --name").err.contains("No matches found."));
    assert!(bench.dnf("search foo --summary").out.contains("Matched fields: summary\n foo.noarch"));
    assert_eq!(bench.dnf("search foo --name --summary").code, 2);
    let globbed = bench.dnf("search 'f*'").out;
    assert!(globbed.contains(" foo.noarch") && !globbed.contains("libfoo"), "whole: {globbed}");
}

#[test]
fn removals_can_be_stored() {
    let bench = Bench::usual();
    assert_eq!(bench.dnf("install -y foo-1.0 bar").code, 0);
    let stored = bench.path("stored");
    let ran = bench.dnf(&format!("remove -y bar --store={}", stored.display()));
    assert_eq!(ran.code, 0, "{}", ran.text());
    assert!(names(&bench).contains("bar"));
    assert_eq!(bench.dnf(&format!("replay -y {}", stored.display())).code, 0);
    assert_eq!(names(&bench), "foo-1.0-1.noarch libfoo-1.0-1.noarch");
    assert_eq!(bench.dnf("autoremove -y --offline").code, 0);
    assert_eq!(bench.dnf("offline log").out, "No logs were found.\n");
    assert!(bench.dnf("remove -y --duplicates").err.contains("No duplicated packages found"));
}
