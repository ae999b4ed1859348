// SPDX-License-Identifier: MIT OR Apache-2.0
//! Further scenarios of `dnf`: architectures, groups whose packages others need, excludes of what is installed.

use crate::dnf_scenario::Scenario;

/// Adds all scenarios.
pub fn all(all: &mut Vec<Scenario>) {
    architectures(all);
    groups(all);
    excludes(all);
    repositories(all);
    replacements(all);
}

/// Packages of a lesser architecture beside the machine's own.
fn architectures(all: &mut Vec<Scenario>) {
    let both = "x-1.x86_64 | Provides: cap\nx-1.i686 | Provides: cap\nx-2.x86_64 | Provides: cap\nx-2.i686 | Provides: cap\n\
                a-1.x86_64 | Requires: cap\nb-1.i686 | Requires: x = 1";
    let table: [(&str, &str, &[&str]); 12] = [
        ("dependency", both, &["install a"]),
        ("dependency-other", both, &["install b"]),
        ("upgrade-one", both, &["install x-1.i686", "upgrade"]),
        ("upgrade-both", both, &["install x-1.x86_64 x-1.i686", "upgrade"]),
        ("upgrade-named", both, &["install x-1.x86_64 x-1.i686", "upgrade x.i686"]),
        ("remove-one", both, &["install x.x86_64 x.i686", "remove x.i686"]),
        ("remove-both", both, &["install x.x86_64 x.i686", "remove x"]),
        ("add-other", both, &["install x", "install x.i686"]),
        ("downgrade", both, &["install x.x86_64 x.i686", "downgrade x.i686"]),
        ("reinstall", both, &["install x.x86_64 x.i686", "reinstall x"]),
        (
            "wrong",
            both,
            &["install x.x86_64", "upgrade x.i686", "reinstall x.i686", "downgrade x.i686"],
        ),
        ("to-noarch", "x-1.i686\nx-2", &["install x-1", "upgrade"]),
    ];
    for (name, repository, commands) in table {
        all.push(Scenario::new(&format!("arch-{name}"), repository).run(commands));
    }
    all.push(
        Scenario::new(
            "provider-higher-than-name",
            "a-1 | Requires: tool\nb-1 | Provides: tool = 9\ntool-1",
        )
        .run(&["install a"]),
    );
    all.push(
        Scenario::new("arch-all-there", both)
            .conf("multilib_policy=all")
            .run(&["install x-1.x86_64", "install x"]),
    );
    all.push(Scenario::new("arch-forced", both).run(&[
        "install --forcearch=i686 x",
        "repoquery --forcearch=i686",
        "repoquery --forcearch=zz",
    ]));
    all.push(Scenario::new("arch-queries", both).run(&[
        "repoquery",
        "repoquery --latest-limit=1 --qf '%{full_nevra}\\n'",
        "list x",
        "install x.i686",
        "list --installed",
        "list --upgrades",
        "list --available x",
        "info x.i686",
        "provides cap",
        "repoquery --arch=i686",
        "repoquery --whatprovides cap",
        "check-upgrade",
    ]));
}

fn groups(all: &mut Vec<Scenario>) {
    let packages = "m-1 | Requires: r\nd-1\no-1\nr-1\nu-1 | Requires: d\nw-1 | Recommends: d";
    let base = |name: &str| {
        Scenario::new(name, packages)
            .group("g", &["mandatory:m", "default:d", "optional:o"])
            .group("h", &["mandatory:d", "default:o"])
    };
    let table: [(&str, &[&str]); 9] = [
        ("remove-needed", &["group install g", "install u", "group remove g", "autoremove"]),
        ("remove-recommended", &["group install g", "install w", "group remove g"]),
        ("remove-shared", &["group install g h", "group remove g", "group remove h"]),
        ("remove-both", &["group install g h", "group remove g h"]),
        ("upgrade-added", &["group install g", "remove d", "group upgrade g", "group install g"]),
        ("install-two", &["install @g @h"]),
        ("install-with-zz", &["group install g zz"]),
        ("install-with-zz-skipped", &["group install --skip-unavailable g zz"]),
        ("info", &["group info g", "group info zz", "group list --available", "group list g h"]),
    ];
    for (name, commands) in table {
        all.push(base(&format!("group-{name}")).run(commands));
    }
    let changed = |name: &str| {
        Scenario::new(name, packages)
            .group("g", &["mandatory:m", "default:d"])
            .repository("new", "n-1")
            .option("enabled=0")
            .group("g", &["mandatory:m", "default:n"])
    };
    let table: [(&str, &[&str]); 2] = [
        ("new-definition", &["group install g", "group upgrade --repo=new g"]),
        (
            "gone",
            &[
                "group install g",
                "group upgrade --disablerepo=* g",
                "group remove --disablerepo=* g",
            ],
        ),
    ];
    for (name, commands) in table {
        all.push(changed(&format!("group-{name}")).run(commands));
    }
}

fn excludes(all: &mut Vec<Scenario>) {
    let repository = "a-1\na-2\nb-1 | Requires: a\nc-1 | Requires: b";
    let table: [(&str, &[&str]); 7] = [
        ("one", &["install b", "remove --exclude=b b"]),
        ("dependant", &["install b", "remove --exclude=b a"]),
        (
            "upgrade",
            &["install a-1", "upgrade --exclude=a", "upgrade a --exclude=a", "upgrade --exclude=*"],
        ),
        ("reinstall", &["install a-2", "reinstall --exclude=a a"]),
        ("install", &["install a-1", "install --exclude=a a"]),
        ("autoremove", &["install b", "mark dependency b", "autoremove --exclude=a"]),
        ("unneeded", &["install c", "remove --exclude=a c"]),
    ];
    for (name, commands) in table {
        all.push(Scenario::new(&format!("exclude-installed-{name}"), repository).run(commands));
    }
}

fn repositories(all: &mut Vec<Scenario>) {
    let three = |name: &str| {
        Scenario::new(name, "b-1").repository("zeta", "b-1").repository("alpha", "b-1")
    };
    all.push(three("repository-three").run(&["install b"]));
    let four = |name: &str, names: [&str; 3]| {
        let scenario = Scenario::new(name, "b-1");
        names.iter().fold(scenario, |scenario, name| scenario.repository(name, "b-1"))
    };
    all.push(four("repository-four", ["alpha", "zeta", "beta"]).run(&["install b"]));
    all.push(four("repository-four-lower", ["alpha", "ab", "aa"]).run(&["install b"]));
    all.push(three("repository-three-remove").run(&["install --repo=zeta b", "reinstall b"]));
    all.push(
        Scenario::new("repository-hides", "a-1")
            .option("priority=50")
            .repository("other", "a-2\na-3")
            .run(&[
                "install a",
                "upgrade",
                "upgrade a",
                "upgrade a-2",
                "distro-sync",
                "check-upgrade",
                "list --upgrades",
            ]),
    );
}

fn replacements(all: &mut Vec<Scenario>) {
    let repository =
        "a-1 | /usr/bin/tool\na-2 | /usr/bin/tool\nb-1\nc-1 | Requires: a\nd-1 | Requires: a = 1";
    let table: [(&str, &[&str]); 8] = [
        ("swap-newer", &["install a-1", "swap a-1 a"]),
        ("swap-dependant-newer", &["install a-1 c", "swap a b"]),
        ("swap-itself", &["install a-1", "swap a a"]),
        ("swap-provider", &["install c", "swap --allowerasing a b", "check"]),
        ("install-binary", &["install tool", "remove tool"]),
        ("install-path-of-two", &["install /usr/bin/tool", "reinstall /usr/bin/tool"]),
        ("downgrade-dependant", &["install d", "upgrade a", "upgrade --allowerasing a"]),
        (
            "reinstall-two",
            &[
                "install a-1 b",
                "reinstall a b zz",
                "reinstall --skip-unavailable a zz",
                "reinstall '*'",
            ],
        ),
    ];
    for (name, commands) in table {
        all.push(Scenario::new(name, repository).run(commands));
    }
}
