// SPDX-License-Identifier: MIT OR Apache-2.0
//! Scenarios of `dnf` about what it remembers: reasons, groups, history, version locks; and advisories, checks and queries.

use crate::dnf_scenario::Scenario;

/// Adds all scenarios.
pub fn all(all: &mut Vec<Scenario>) {
    reasons(all);
    groups(all);
    advisories(all);
    history(all);
    versionlocks(all);
    questions(all);
}

fn reasons(all: &mut Vec<Scenario>) {
    let repository = "a-1 | Requires: b\na-2\nb-1 | Requires: c\nc-1\nd-1 | Recommends: c";
    let table: [(&str, &[&str]); 13] = [
        ("user", &["install a", "mark user b", "remove a"]),
        ("dependency", &["install a", "mark dependency a", "autoremove"]),
        ("weak", &["install a", "mark weak a", "autoremove"]),
        ("back", &["install a", "mark user c", "mark dependency c", "remove a"]),
        ("nothing", &["install a", "mark user zz"]),
        ("not-installed", &["install a", "mark user d"]),
        ("same", &["install a", "mark user a"]),
        ("glob", &["install a", "mark user '*'", "autoremove"]),
        ("upgrade", &["install a-1", "mark dependency a", "upgrade", "autoremove"]),
        ("reinstall", &["install a", "mark dependency a", "reinstall a", "autoremove"]),
        ("install", &["install a-1", "install b", "upgrade", "autoremove"]),
        ("recommended", &["install d", "autoremove", "remove d"]),
        ("file", &["install a", "mark user /usr/share/b/1.noarch", "remove a"]),
    ];
    for (name, commands) in table {
        all.push(Scenario::new(&format!("mark-{name}"), repository).run(commands));
    }
}

fn groups(all: &mut Vec<Scenario>) {
    let packages = "m-1 | Requires: r\nd-1\no-1\nr-1\nc-1\nz-1\nz-2";
    let base = |name: &str| {
        Scenario::new(name, packages)
            .group("g", &["mandatory:m", "default:d", "optional:o"])
            .group("h", &["default:z", "conditional:c", "mandatory:absent"])
            .environment("e", &["g"], &["h"])
    };
    let table: [(&str, &[&str]); 22] = [
        ("install", &["group install g"]),
        ("install-at", &["install @g"]),
        ("install-optional", &["group install --with-optional g"]),
        ("install-nothing", &["group install zz"]),
        ("install-absent-member", &["group install h"]),
        ("install-name", &["group install 'Group g'"]),
        ("install-glob", &["group install '?'"]),
        ("install-no-packages", &["group install --no-packages g", "group upgrade g"]),
        ("install-again", &["group install g", "group install g"]),
        ("install-member-there", &["install d", "group install g", "group remove g"]),
        ("install-excluded", &["group install --exclude=d g"]),
        ("remove", &["group install g", "group remove g"]),
        ("remove-at", &["group install g", "remove @g"]),
        ("remove-no-packages", &["group install g", "group remove --no-packages g"]),
        ("remove-not-installed", &["group remove g"]),
        ("remove-member", &["group install g", "remove d", "group upgrade g"]),
        ("upgrade", &["install z-1", "group install h", "group upgrade h"]),
        ("upgrade-not-installed", &["group upgrade g"]),
        ("member-wanted", &["group install g", "install d", "group remove g"]),
        ("autoremove", &["group install g", "autoremove"]),
        ("with-package", &["install @g z-1"]),
        (
            "list",
            &[
                "group list",
                "group list zz",
                "group info g",
                "group install g",
                "group list --installed",
            ],
        ),
    ];
    for (name, commands) in table {
        all.push(base(&format!("group-{name}")).run(commands));
    }
    let table: [(&str, &[&str]); 6] = [
        ("install", &["environment install e"]),
        ("install-at", &["install @e"]),
        ("install-optional", &["environment install --with-optional e"]),
        ("remove", &["environment install e", "environment remove e"]),
        ("keeps-group", &["group install g", "environment install e", "environment remove e"]),
        ("upgrade", &["environment install e", "environment upgrade e"]),
    ];
    for (name, commands) in table {
        all.push(base(&format!("environment-{name}")).run(commands));
    }
}

fn advisories(all: &mut Vec<Scenario>) {
    let packages = "a-1\na-2\na-3\nb-1\nb-2\nc-1\nc-2\nd-1\nd-2";
    let base = |name: &str| {
        Scenario::new(name, packages)
            .advisory("SEC-1", "security/Critical", "cve:CVE-2024-1", &["a-2"])
            .advisory("SEC-2", "security/Low", "cve:CVE-2024-2", &["b-2"])
            .advisory("FIX-1", "bugfix", "bugzilla:11", &["c-2"])
            .advisory("NEW-1", "enhancement", "", &["a-3"])
            .run(&["install a-1 b-1 c-1 d-1"])
    };
    let table: [(&str, &[&str]); 17] = [
        ("security", &["upgrade --security"]),
        ("security-minimal", &["upgrade --minimal --security"]),
        ("minimal-alias", &["upgrade-minimal --security"]),
        ("bugfix", &["upgrade --bugfix"]),
        ("enhancement", &["upgrade --enhancement"]),
        ("newpackage", &["upgrade --newpackage"]),
        ("two-kinds", &["upgrade --security --bugfix"]),
        ("id", &["upgrade --advisories=SEC-2"]),
        ("id-minimal", &["upgrade --minimal --advisories=SEC-1"]),
        ("no-id", &["upgrade --advisories=zz"]),
        ("severity", &["upgrade --advisory-severities=critical"]),
        ("cve", &["upgrade --cves=CVE-2024-2"]),
        ("bugzilla", &["upgrade --bzs=11"]),
        ("package", &["upgrade --security a"]),
        ("package-other", &["upgrade --security c"]),
        ("check", &["check-upgrade --security", "upgrade --security", "check-upgrade --security"]),
        ("list", &["advisory list", "advisory info SEC-1", "advisory list zz", "advisory summary"]),
    ];
    for (name, commands) in table {
        all.push(base(&format!("advisory-{name}")).run(commands));
    }
}

fn history(all: &mut Vec<Scenario>) {
    let repository = "a-1 | Requires: b\na-2 | Requires: b\nb-1\nc-1\nc-2 | Obsoletes: d\nd-1";
    let table: [(&str, &[&str]); 14] = [
        ("undo-install", &["install a", "history undo last"]),
        ("undo-remove", &["install a", "remove a", "history undo last"]),
        ("undo-upgrade", &["install a-1", "upgrade", "history undo last"]),
        ("undo-downgrade", &["install a", "downgrade a", "history undo last"]),
        ("undo-reinstall", &["install a", "reinstall a", "history undo last"]),
        ("undo-earlier", &["install a", "install c", "history undo 1"]),
        ("undo-impossible", &["install a", "remove a", "history undo 1"]),
        ("undo-obsoletes", &["install d", "install c", "history undo last"]),
        ("undo-mark", &["install a", "mark dependency a", "history undo last"]),
        ("redo", &["install a", "remove a", "history redo 1"]),
        ("rollback", &["install a-1", "install c", "upgrade", "history rollback 1"]),
        ("undo-nothing", &["history undo last", "install a", "history undo 9"]),
        ("list", &["history list", "install a", "history list", "history info", "history info 9"]),
        ("undo-undo", &["install a", "history undo last", "history undo last"]),
    ];
    for (name, commands) in table {
        all.push(Scenario::new(&format!("history-{name}"), repository).run(commands));
    }
}

fn versionlocks(all: &mut Vec<Scenario>) {
    let repository = "a-1\na-2\na-3\nb-1 | Requires: a >= 2\nc-1\nc-2";
    let old = "install a-1 c-1";
    let table: [(&str, &[&str]); 11] = [
        ("add", &[old, "versionlock add a", "upgrade"]),
        ("add-version", &[old, "versionlock add a-2", "upgrade"]),
        ("delete", &[old, "versionlock add a", "versionlock delete a", "upgrade"]),
        ("clear", &[old, "versionlock add a", "versionlock clear", "upgrade"]),
        ("exclude", &[old, "versionlock exclude a-3", "upgrade"]),
        ("exclude-all", &[old, "versionlock exclude a-2 a-3", "upgrade a"]),
        ("blocks-install", &[old, "versionlock add a", "install b"]),
        ("remove", &[old, "versionlock add a", "remove a"]),
        ("not-installed", &["versionlock add a", "install a-1"]),
        ("nothing", &[old, "versionlock add zz", "versionlock delete zz"]),
        (
            "list",
            &[
                "versionlock list",
                old,
                "versionlock add a",
                "versionlock add a",
                "versionlock list",
            ],
        ),
    ];
    for (name, commands) in table {
        all.push(Scenario::new(&format!("versionlock-{name}"), repository).run(commands));
    }
}

/// Commands that change nothing: what their exit codes say.
fn questions(all: &mut Vec<Scenario>) {
    let repository = "a-1 | Requires: b | Provides: cap\na-2\nb-1 | /usr/bin/b";
    let table: [(&str, &[&str]); 12] = [
        (
            "check",
            &["install a-1", "check", "$ rm -r usr/share/b", "check", "check --dependencies"],
        ),
        (
            "list",
            &[
                "list",
                "list a",
                "list zz",
                "list --installed",
                "install b",
                "list --installed",
                "list --upgrades",
            ],
        ),
        ("info", &["info a", "info zz", "info --installed b"]),
        ("search", &["search test", "search a", "search zz"]),
        ("provides", &["provides cap", "provides /usr/bin/b", "provides zz", "provides 'b = 1'"]),
        (
            "repoquery",
            &[
                "repoquery",
                "repoquery zz",
                "repoquery --whatrequires b",
                "repoquery --zz",
                "repoquery --requires a",
            ],
        ),
        ("leaves", &["install a-1", "leaves"]),
        ("repolist", &["repolist", "repolist --all", "repolist zz", "repoinfo base"]),
        ("makecache", &["makecache", "clean all", "clean metadata", "clean zz", "install -C a"]),
        (
            "usage",
            &[
                "zz",
                "install",
                "--zz",
                "remove",
                "--version",
                "--help",
                "install --help",
                "install --zz a",
            ],
        ),
        (
            "check-upgrade",
            &[
                "check-upgrade",
                "install a-1",
                "check-upgrade",
                "check-upgrade a",
                "check-upgrade b",
                "check-upgrade zz",
            ],
        ),
        (
            "releasever",
            &[
                "install --releasever=9 a",
                "install --forcearch=i686 b",
                "install --setopt=zz=1 b",
                "install --setopt=best=zz b",
            ],
        ),
    ];
    for (name, commands) in table {
        all.push(Scenario::new(&format!("question-{name}"), repository).run(commands));
    }
}
