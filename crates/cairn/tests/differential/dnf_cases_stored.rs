// SPDX-License-Identifier: MIT OR Apache-2.0
//! Scenarios of `dnf` about stored transactions and downloads, and about what is chosen among several packages.

use crate::dnf_cases_actions::push;
use crate::dnf_scenario::Scenario;

/// Adds all scenarios.
pub fn all(all: &mut Vec<Scenario>) {
    stored(all);
    replayed(all);
    downloads(all);
    choices(all);
    scripts(all);
}

const CHAIN: &str = "top-1 | Requires: mid | Recommends: soft\nmid-1 | Requires: low\nlow-1\nsoft-1\n\
                     top-2 | Requires: mid, low = 2\nlow-2\nother-1 | Requires: low\nbroken-1 | Requires: zz";

/// `--store`.
fn stored(all: &mut Vec<Scenario>) {
    let make = |name: &str| {
        Scenario::new(&format!("store-{name}"), CHAIN)
            .group("g", &["mandatory:other", "default:top"])
            .environment("e", &["g"], &[])
    };
    let table: [(&str, &[&str]); _] = [
        ("install", &["install top-1 --store ./t", "replay ./t"]),
        ("without-repositories", &["install top-1 --store ./t", "replay --disable-repo=* ./t"]),
        ("remove", &["install top-1", "remove top --store ./t", "replay ./t"]),
        ("upgrade", &["install top-1", "upgrade --store ./t", "replay ./t"]),
        ("reinstall", &["install top-1", "reinstall mid --store ./t", "replay ./t"]),
        ("group", &["install @g --store ./t", "replay ./t"]),
        ("group-remove", &["install @g", "remove @g --store ./t", "replay ./t"]),
        ("environment", &["install @e --store ./t", "replay ./t"]),
        ("twice", &["install low --store ./t", "install top --store ./t"]),
        ("kept", &["install top-1 --store ./t", "install top-1 --setopt=keepcache=0"]),
        ("mark", &["install top-1", "mark user mid --store ./t", "replay ./t", "replay ./t"]),
    ];
    push(all, make, &table);
}

/// `replay` of what somebody wrote.
fn replayed(all: &mut Vec<Scenario>) {
    let item = |action: &str, nevra: &str, reason: &str| {
        let repository = if ["Replaced", "Remove"].contains(&action) { "@System" } else { "base" };
        format!(
            "{{\"action\":\"{action}\",\"nevra\":\"{nevra}\",\"reason\":\"{reason}\",\"repo_id\":\"{repository}\"}}"
        )
    };
    let write = |content: &str| format!("$ mkdir -p t; echo '{{{content}}}' > t/transaction.json");
    let rpms =
        |items: &[String]| write(&format!("\"rpms\":[{}],\"version\":\"1.0\"", items.join(",")));
    let make = |name: &str| {
        Scenario::new(&format!("replay-{name}"), CHAIN)
            .group("g", &["mandatory:other", "default:top"])
            .run(&["install top-1"])
    };
    let up =
        [item("Upgrade", "top-2-1.noarch", "User"), item("Replaced", "top-1-1.noarch", "User")];
    let table: Vec<(&str, String)> = vec![
        ("install", rpms(&[item("Install", "other-1-1.noarch", "User")])),
        ("install-reason", rpms(&[item("Install", "other-1-1.noarch", "Dependency")])),
        ("install-there", rpms(&[item("Install", "low-2-1.noarch", "User")])),
        ("install-same", rpms(&[item("Install", "low-1-1.noarch", "Dependency")])),
        ("install-unknown", rpms(&[item("Install", "zz-1-1.noarch", "User")])),
        ("install-version", rpms(&[item("Install", "top-9-1.noarch", "User")])),
        ("install-epoch", rpms(&[item("Install", "other-0:1-1.noarch", "User")])),
        ("upgrade-alone", rpms(&[item("Upgrade", "low-2-1.noarch", "User")])),
        (
            "upgrade",
            rpms(&[
                item("Upgrade", "low-2-1.noarch", "User"),
                item("Replaced", "low-1-1.noarch", "User"),
            ]),
        ),
        ("upgrade-extra", rpms(&up)),
        (
            "upgrade-unknown",
            rpms(&[
                item("Upgrade", "zz-2-1.noarch", "User"),
                item("Replaced", "zz-1-1.noarch", "User"),
            ]),
        ),
        (
            "reinstall",
            rpms(&[
                item("Reinstall", "top-1-1.noarch", "User"),
                item("Replaced", "top-1-1.noarch", "User"),
            ]),
        ),
        ("remove", rpms(&[item("Remove", "top-1-1.noarch", "User")])),
        ("remove-needed", rpms(&[item("Remove", "low-1-1.noarch", "User")])),
        ("remove-unknown", rpms(&[item("Remove", "zz-1-1.noarch", "User")])),
        ("remove-absent", rpms(&[item("Remove", "other-1-1.noarch", "User")])),
        ("reason", rpms(&[item("Reason Change", "top-1-1.noarch", "Dependency")])),
        ("reason-absent", rpms(&[item("Reason Change", "other-1-1.noarch", "Dependency")])),
        ("broken", rpms(&[item("Install", "broken-1-1.noarch", "User")])),
        (
            "group",
            write(&format!(
                "\"groups\":[{{\"action\":\"Install\",\"id\":\"g\",\"package_types\":\"mandatory\",\"reason\":\"User\"}}],\"rpms\":[{}],\"version\":\"1.0\"",
                item("Install", "other-1-1.noarch", "Group")
            )),
        ),
        (
            "group-unknown",
            write(
                "\"groups\":[{\"action\":\"Install\",\"id\":\"zz\",\"package_types\":\"mandatory\",\"reason\":\"User\"}],\"version\":\"1.0\"",
            ),
        ),
        (
            "group-remove-absent",
            write(
                "\"groups\":[{\"action\":\"Remove\",\"id\":\"g\",\"package_types\":\"mandatory\",\"reason\":\"User\"}],\"version\":\"1.0\"",
            ),
        ),
        (
            "group-upgrade-absent",
            write(
                "\"groups\":[{\"action\":\"Upgrade\",\"id\":\"g\",\"package_types\":\"mandatory\",\"reason\":\"User\"}],\"version\":\"1.0\"",
            ),
        ),
        ("no-version", write("\"rpms\":[]")),
        ("number-version", write("\"version\":1")),
        ("major", write("\"version\":\"5.0\"")),
        ("major-word", write("\"version\":\"a.1\"")),
        ("minor-word", write("\"version\":\"1.a\"")),
        ("minor-higher", write("\"rpms\":[],\"version\":\"1.7\"")),
        ("rpms-word", write("\"rpms\":\"hi\",\"version\":\"1.0\"")),
        (
            "no-action",
            write(
                "\"rpms\":[{\"nevra\":\"low-2-1.noarch\",\"reason\":\"User\",\"repo_id\":\"base\"}],\"version\":\"1.0\"",
            ),
        ),
        (
            "no-nevra",
            write(
                "\"rpms\":[{\"action\":\"Install\",\"reason\":\"User\",\"repo_id\":\"base\"}],\"version\":\"1.0\"",
            ),
        ),
        (
            "no-reason",
            write(
                "\"rpms\":[{\"action\":\"Install\",\"nevra\":\"low-2-1.noarch\",\"repo_id\":\"base\"}],\"version\":\"1.0\"",
            ),
        ),
        (
            "no-repository",
            write(
                "\"rpms\":[{\"action\":\"Install\",\"nevra\":\"other-1-1.noarch\",\"reason\":\"User\"}],\"version\":\"1.0\"",
            ),
        ),
        ("wrong-action", rpms(&[item("Fixit", "low-2-1.noarch", "User")])),
        ("wrong-reason", rpms(&[item("Install", "low-2-1.noarch", "dumb")])),
        ("wrong-nevra", rpms(&[item("Install", "wakaka", "User")])),
        ("small-reason", rpms(&[item("Install", "other-1-1.noarch", "user")])),
        ("comma", write("\"rpms\":[],\"version\":\"1.0\",")),
        ("nothing", write("\"version\":\"1.0\"")),
    ];
    for (name, content) in table {
        all.push(make(name).run(&[&content, "replay ./t"]));
    }
    let table: [(&str, String, &str); _] = [
        ("extra-ignored", rpms(&up), "replay --ignore-extras ./t"),
        (
            "unknown-skipped",
            rpms(&[item("Install", "zz-1-1.noarch", "User")]),
            "replay --skip-unavailable ./t",
        ),
        (
            "absent-ignored",
            rpms(&[item("Remove", "other-1-1.noarch", "User")]),
            "replay --ignore-installed ./t",
        ),
        (
            "broken-skipped",
            rpms(&[item("Install", "broken-1-1.noarch", "User")]),
            "replay --skip-broken ./t",
        ),
        (
            "same-ignored",
            rpms(&[item("Install", "low-1-1.noarch", "Dependency")]),
            "replay --ignore-installed ./t",
        ),
        ("no-directory", "$ true".to_owned(), "replay zz"),
    ];
    for (name, content, command) in table {
        all.push(make(name).run(&[&content, command]));
    }
}

fn downloads(all: &mut Vec<Scenario>) {
    let make = |name: &str| {
        Scenario::new(&format!("download-only-{name}"), "a-1 | Requires: b\na-2 | Requires: b\nb-1")
            .group("g", &["mandatory:a"])
    };
    let table: [(&str, &[&str]); _] = [
        (
            "install",
            &["install --downloadonly a-1", "install a-1", "upgrade --downloadonly", "upgrade"],
        ),
        ("reinstall", &["install a", "reinstall --downloadonly a", "reinstall a"]),
        ("downgrade", &["install a", "downgrade --downloadonly a", "downgrade a"]),
        ("group", &["group install --downloadonly g", "group install g"]),
        ("directory", &["install a --setopt=destdir=$PWD/d --downloadonly"]),
        ("directory-installed", &["install a --setopt=destdir=$PWD/d"]),
        ("directory-kept", &["install a --setopt=destdir=$PWD/d --setopt=keepcache=1"]),
        ("nothing", &["install a", "install --downloadonly a", "remove a --setopt=tsflags=test"]),
        ("sync", &["install a-1", "distro-sync --downloadonly", "distro-sync"]),
    ];
    push(all, make, &table);
}

/// What is chosen among several: priorities, best, vendors, protected packages.
fn choices(all: &mut Vec<Scenario>) {
    let ranked = |name: &str| {
        Scenario::new(&format!("ranked-{name}"), "g-1 | Requires: gc = 1\ngc-1\nl-1")
            .option("priority=90")
            .repository("updates", "g-2 | Requires: gc = 2\ngc-2\nl-2")
    };
    let table: [(&str, &[&str]); _] = [
        ("first", &["install g --setopt=best=0"]),
        ("first-broken", &["install g --setopt=best=0 -x gc-0:1-1.noarch"]),
        ("first-broken-best", &["install g -x gc-0:1-1.noarch"]),
        ("named", &["install g-2", "upgrade g-2", "install --from-repo=updates l"]),
        ("file", &["install /usr/share/l/2.noarch", "install /usr/share/l/1.noarch"]),
        ("excluded", &["install g -x gc-0:2-1.noarch -x g-0:1-1.noarch --no-best"]),
        ("both", &["install g --setopt=updates.priority=50"]),
    ];
    push(all, ranked, &table);
    let vendors = |name: &str| {
        Scenario::new(
            &format!("vendor-{name}"),
            "a-1 | Vendor: One\na-2 | Vendor: Two\na-3 | Vendor: One\nb-1 | Vendor: One | Requires: a >= 2\nc-1 | Vendor: One\nc-2 | Vendor: Two",
        )
        .conf("allow_vendor_change=0")
    };
    let table: [(&str, &[&str]); _] = [
        ("install-version", &["install a-1", "install a-2"]),
        ("upgrade-named", &["install c-1", "upgrade c", "upgrade c-2"]),
        ("sync", &["install c-1", "distro-sync", "distro-sync c"]),
        ("downgrade", &["install a-3", "downgrade a", "downgrade a-1"]),
        ("needed", &["install c-1 a-1", "install b"]),
        ("from", &["install a-1", "upgrade --from-vendor=Two a", "install --from-vendor=Two c"]),
        ("from-nothing", &["install --from-vendor=zz a"]),
        ("allowed", &["install c-1", "upgrade --setopt=allow_vendor_change=1"]),
    ];
    push(all, vendors, &table);
    let chain = |name: &str| {
        Scenario::new(
            &format!("protected-{name}"),
            "top-1 | Requires: mid\nmid-1 | Requires: bot\nmid-2 | Requires: bot\nbot-1\nx-1 | Conflicts: mid\ny-2 | Obsoletes: mid",
        )
        .run(&["install top --exclude=y"])
    };
    let protect = "--setopt=protected_packages=mid";
    let table: [(&str, &[&str]); _] = [
        ("above", &["remove top"]),
        ("itself", &["remove mid"]),
        ("below", &["remove bot"]),
        ("autoremove", &["remove --no-autoremove top", "autoremove"]),
        ("chain", &["mark dependency top", "autoremove"]),
        ("conflict", &["install x --exclude=y", "install x --exclude=y --allowerasing"]),
        ("obsoleted", &["install y", "upgrade"]),
        ("downgrade", &["downgrade mid --exclude=y", "upgrade --exclude=y"]),
        ("swap", &["swap mid x --exclude=y --allowerasing"]),
    ];
    for (name, commands) in table {
        let commands: Vec<String> = commands.iter().map(|one| format!("{one} {protect}")).collect();
        let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
        all.push(chain(name).run(&commands));
    }
    let fixed = |name: &str| {
        Scenario::new(
            &format!("fixed-{name}"),
            "a-1\nb-2 | Obsoletes: a < 2\nd-1\nd-2 | Requires: k = 2\nd-3 | Requires: k = 2\nk-1\nk-2\nk-3\nn-1\nn-2\nv-1\nv-2\nv-3",
        )
        .advisory("OBS-1", "security/Low", "cve:CVE-1", &["b-2"])
        .advisory("SEC-2", "security/Important", "cve:CVE-2", &["d-2", "k-2"])
        .advisory("SEC-3", "security/Moderate", "cve:CVE-3", &["v-2"])
    };
    let table: [(&str, &[&str]); _] = [
        ("obsoleter", &["install --setopt=obsoletes=0 a-1", "upgrade --security"]),
        ("no-best", &["install d-1 k-1", "upgrade --security --no-best"]),
        ("both", &["install d-1 k-1 n-1", "upgrade --security"]),
        ("minimal", &["install d-1 k-1 n-1 v-1", "upgrade --minimal --security"]),
        ("minimal-all", &["install d-1 k-1 n-1 v-1", "upgrade --minimal"]),
        ("nothing", &["install n-1", "upgrade --security", "upgrade --bugfix n"]),
        (
            "install",
            &["install n --security", "install k --advisories=SEC-2", "install v --security"],
        ),
        ("severities", &["install k-1 v-1", "upgrade --advisory-severities=important,moderate"]),
        (
            "two",
            &[
                "install k-1 v-1",
                "upgrade --advisories=SEC-2 --cves=CVE-3",
                "upgrade --advisories=SEC-2,zz",
            ],
        ),
    ];
    push(all, fixed, &table);
}

/// What a transaction's flags keep rpm from.
fn scripts(all: &mut Vec<Scenario>) {
    let make = |name: &str| {
        Scenario::new(
            &format!("flags-{name}"),
            "a-1 | %post -p <lua>: print('post') | %preun -p <lua>: error('no')\nb-1 | %pre -p <lua>: error('no')\n\
             c-1 | %posttrans -p <lua>: error('no')\nd-1 | %postun -p <lua>: error('no')\ne-1 | %pretrans -p <lua>: error('no')\n\
             t-1 | %triggerin -p <lua> -- d: print('seen')",
        )
    };
    let table: [(&str, &[&str]); _] = [
        ("no-scripts", &["install a", "remove a", "remove a --setopt=tsflags=noscripts"]),
        ("failing-pre", &["install b", "install b d", "install b --setopt=tsflags=noscripts"]),
        ("failing-posttrans", &["install c"]),
        ("failing-postun", &["install d", "remove d"]),
        ("failing-pretrans", &["install e"]),
        ("just-database", &["install a --setopt=tsflags=justdb"]),
        ("triggers", &["install t", "install d --setopt=tsflags=notriggers", "reinstall d"]),
        (
            "several",
            &[
                "install a --setopt=tsflags=nodocs,noscripts",
                "remove a --setopt=tsflags=noscripts,test",
            ],
        ),
        ("unknown", &["install d --setopt=tsflags=zz"]),
    ];
    push(all, make, &table);
}
