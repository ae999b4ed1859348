// SPDX-License-Identifier: MIT OR Apache-2.0
//! Source packages, change logs, copies of repositories.

use crate::common::{Bench, TIME, package};
use cairn_rpm::build::{ChangelogEntry, PackageSpec};
use expect_test::expect;

const DAY: u32 = 86_400;

fn logged(mut spec: PackageSpec, entries: &[(u32, &str)]) -> PackageSpec {
    spec.changelog = entries
        .iter()
        .map(|(time, text)| ChangelogEntry {
            time: *time,
            author: "Some One <one@example.invalid>".to_owned(),
            text: (*text).to_owned(),
        })
        .collect();
    spec
}

fn bench() -> Bench {
    let old = [(TIME, "- first")];
    let new = [(TIME + 10 * DAY, "- second\n- more"), (TIME, "- first")];
    let mut libs = logged(package("a-libs", "2.0-1", &[]), &new);
    libs.source_package = "a-2.0-1.src.rpm".to_owned();
    let mut source = package("a", "2.0-1", &["gcc"]);
    source.arch = "src".to_owned();
    Bench::new(vec![
        logged(package("a", "1.0-1", &[]), &old),
        logged(package("a", "2.0-1", &["a-libs"]), &new),
        libs,
        source,
        package("a-debuginfo", "2.0-1", &[]),
        package("a-debugsource", "2.0-1", &[]),
        package("b", "1.0-1", &["(a or c)"]),
    ])
}

#[test]
fn change_logs() {
    let bench = bench();
    assert_eq!(bench.dnf("install -y a-1.0").code, 0);
    expect![[r#"
        exit 0
        --- out
        Listing only latest changelogs
        Changelogs for a-libs-2.0-1.noarch
        * Thu Jan 11 00:00:00 2024 Some One <one@example.invalid>
        - second
        - more

    "#]]
    .assert_eq(&bench.dnf("changelog --count=1 a-libs").quiet());
    expect![[r#"
        exit 0
        --- out
        Listing only new changelogs since installed version of the package
        Changelogs for a-2.0-1.noarch
        * Thu Jan 11 00:00:00 2024 Some One <one@example.invalid>
        - second
        - more

    "#]]
    .assert_eq(&bench.dnf("changelog --upgrades").quiet());
    let since = bench.dnf("changelog --since=2024-01-05 a-libs b").out;
    assert!(since.starts_with("Listing changelogs since Fri Jan  5 00:00:00 2024\n"), "{since}");
    assert!(since.contains("- second") && !since.contains("- first"), "{since}");
    assert!(since.ends_with("Changelogs for b-1.0-1.noarch\n"), "{since}");
    assert_eq!(bench.dnf("changelog --since=yesterday").code, 2);
    assert_eq!(
        bench.dnf("repoquery --installed --changelogs").out,
        "Changelogs for a-1.0-1.noarch\n* Mon Jan 01 00:00:00 2024 Some One <one@example.invalid>\n- first\n\n"
    );
}

#[test]
fn sources_are_shown_and_not_installed() {
    let bench = bench();
    assert_eq!(bench.dnf("repoquery a").out, "a-0:1.0-1.noarch\na-0:2.0-1.noarch\na-0:2.0-1.src\n");
    assert_eq!(bench.dnf("repoquery --srpm a-libs").out, "a-0:2.0-1.src\n");
    assert!(bench.dnf("list --available").out.contains("a.src "));
    let ran = bench.dnf("install -y a");
    assert!(ran.out.contains("\n a      noarch 0:2.0-1"), "{}", ran.text());
    assert_eq!(
        bench.dnf("download --url --srpm a-libs").out,
        "file://[TMP]/repo/a-2.0-1.src.rpm\n"
    );
    assert_eq!(
        bench.dnf("download --url --debuginfo a").out,
        "file://[TMP]/repo/a-debuginfo-2.0-1.noarch.rpm\n"
    );
    assert_eq!(bench.dnf("debuginfo-install -y a").code, 0);
    assert!(bench.rpm("-qa").out.contains("a-debuginfo-2.0-1.noarch"));
    assert!(bench.rpm("-qa").out.contains("a-debugsource-2.0-1.noarch"));
    assert_eq!(bench.dnf("remove -y a-debuginfo").code, 0);
    assert_eq!(bench.dnf("debuginfo-install -y a-debuginfo").code, 0);
    assert!(bench.rpm("-qa").out.contains("a-debuginfo-2.0-1.noarch"), "itself");
    let ran = bench.dnf("debuginfo-install -y b");
    assert!(
        ran.code == 0 && ran.err.contains("from the argument 'b': b-0:1.0-1.noarch"),
        "{}",
        ran.err
    );
    assert!(!bench.dnf("list --upgrades").out.contains("src"));
}

#[test]
fn providers_and_dependents() {
    let bench = bench();
    assert_eq!(bench.dnf("repoquery --providers-of=requires a").out, "a-libs-0:2.0-1.noarch\n");
    assert_eq!(
        bench.dnf("repoquery --providers-of=requires --recursive b").out,
        "a-0:2.0-1.noarch\na-libs-0:2.0-1.noarch\n"
    );
    assert_eq!(bench.dnf("repoquery --whatrequires a-libs --exactdeps").out, "a-0:2.0-1.noarch\n");
    assert!(bench.dnf("repoquery --depends a").out.contains("a-libs\ngcc\n"));
}

#[test]
fn copies_of_repositories() {
    let bench = bench();
    let to = bench.path("copy");
    let list = |directory: &std::path::Path| {
        let mut names: Vec<String> = std::fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names.join(" ")
    };
    let urls = bench.dnf("reposync --urls --newest-only --arch=noarch").out;
    assert_eq!(urls.lines().count(), 5, "{urls}");
    let ran = bench.dnf(&format!("reposync -p {} --download-metadata", to.display()));
    assert_eq!(ran.code, 0, "{}", ran.text());
    assert_eq!(
        list(&to.join("t")),
        "a-1.0-1.noarch.rpm a-2.0-1.noarch.rpm a-2.0-1.src.rpm a-debuginfo-2.0-1.noarch.rpm \
         a-debugsource-2.0-1.noarch.rpm a-libs-2.0-1.noarch.rpm b-1.0-1.noarch.rpm repodata"
    );
    let copy =
        format!("--repofrompath=u,file://{} --repo=u --no-gpgchecks", to.join("t").display());
    assert_eq!(bench.dnf(&format!("{copy} repoquery b")).out, "b-0:1.0-1.noarch\n");
    std::fs::write(to.join("t/old-1-1.noarch.rpm"), "").unwrap();
    assert_eq!(bench.dnf(&format!("reposync -p {} --delete -n", to.display())).code, 0);
    assert!(!list(&to.join("t")).contains("old") && !list(&to.join("t")).contains("a-1.0"));
}

#[test]
fn numbers() {
    let bench = bench();
    assert_eq!(bench.dnf("install -y b").code, 0);
    let out = bench.dnf("status").out;
    assert!(out.contains("  user-installed     : 1\n"), "{out}");
    assert!(out.contains("Enabled Repositories : 1\n"), "{out}");
    let variables = bench.dnf("--dump-variables repo list").out;
    assert!(variables.starts_with("======== Variables: ========\narch = x86_64\n"), "{variables}");
}

#[test]
fn upgrades_with_their_change_logs() {
    let bench = bench();
    assert_eq!(bench.dnf("install -y a-1.0").code, 0);
    expect![[r#"
        exit 100
        --- out
        Upgrades
        a.noarch 2.0-1 t
        Changelogs for a-2.0-1.noarch
        * Thu Jan 11 00:00:00 2024 Some One <one@example.invalid>
        - second
        - more

    "#]]
    .assert_eq(&bench.dnf("check-upgrade --changelogs").quiet());
    assert_eq!(bench.dnf("check-upgrade --minimal").code, 0, "there are no advisories");
}

#[test]
fn only_source_packages() {
    let bench = bench();
    expect![[r#"
        exit 1
        --- err
        Failed to resolve the transaction:
        Argument 'a.src' matches only source packages.
    "#]]
    .assert_eq(&bench.dnf("install -y a.src").quiet());
    assert_eq!(bench.dnf("install -y a.src --skip-unavailable").out, "Nothing to do.\n");
    assert!(!bench.dnf("info a-2.0-1.src").out.contains("Source"));
    let shown = bench.dnf("search a --name --showduplicates").out;
    let versions =
        " a-0:1.0-1.noarch\tTest package a\n a-0:2.0-1.noarch\tTest package a\n a-0:2.0-1.src\t";
    assert!(shown.contains(versions), "{shown}");
}
