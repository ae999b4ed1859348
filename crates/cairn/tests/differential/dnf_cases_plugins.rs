// SPDX-License-Identifier: MIT OR Apache-2.0
//! Scenarios of the commands around `dnf`'s transactions: offline transactions, copies of repositories, symbols, needs of builds and
//! what asks about them.

use crate::dnf_scenario::Scenario;

/// Adds all scenarios.
pub fn all(all: &mut Vec<Scenario>) {
    offline(all);
    system_upgrade(all);
    closures(all);
    copies(all);
    managed(all);
    leaves(all);
    downloads(all);
    debugging(all);
    building(all);
    logs(all);
    restarts(all);
}

/// Starts no machine anew, and keeps what was stored.
const NO_REBOOT: &str = "$ export DNF_SYSTEM_UPGRADE_NO_REBOOT=1";
/// Shows the offline state without what differs by its nature.
const STATE: &str = "$ (cd usr/lib/sysimage/libdnf5/offline && ls && while read -r line; do case $line in cmd_line*|cachedir*|*cookie*) ;; *) echo \"$line\";; esac; done < offline-transaction-state.toml) >> state";

/// Shows what is stored, without the place of the root.
const STORED: &str = "$ (cd usr/lib/sysimage/libdnf5/offline && find . -type f | sort && cat transaction.json) | sed \"s|$PWD||\" >> stored";

fn offline(all: &mut Vec<Scenario>) {
    let repository = "a-1 | Requires: b\na-2 | Requires: b\nb-1\nc-1\nc-2";
    let execute = "offline _execute";
    let table: [(&str, &[&str]); 16] = [
        ("install", &["install --offline a", STATE, "offline status", execute]),
        ("twice", &["install --offline a", "install --offline c", STATE]),
        ("clean", &["install --offline a", "offline clean", STATE, "offline status", execute]),
        ("nothing", &["offline status", "offline clean", "offline reboot", execute]),
        ("nothing-to-do", &["install a", "install --offline a", "offline status"]),
        ("upgrade", &["install a-1", "upgrade --offline", STATE, "upgrade", "offline status"]),
        ("remove", &["install a", "remove --offline a", STATE, "offline status"]),
        ("changed", &["install --offline a", "install c", "offline status", "offline reboot"]),
        (
            "distro-sync",
            &["install a-1", "offline-distrosync download", STATE, "offline-distrosync status"],
        ),
        (
            "upgrade-command",
            &["install a-1", "offline-upgrade download", STATE, "offline-upgrade status"],
        ),
        (
            "nothing-upgraded",
            &["offline-upgrade download", "offline-distrosync download", "offline-upgrade reboot"],
        ),
        ("bare", &["offline", "offline zz", "offline-upgrade", "system-upgrade"]),
        ("group", &["group install --offline g", STATE, "offline status"]),
        ("stored", &["install --offline a", STORED]),
        ("group-stored", &["group install --offline g", STORED]),
        ("environment-stored", &["install --offline @e", STORED]),
    ];
    for (name, commands) in table {
        let scenario = Scenario::new(&format!("offline-{name}"), repository);
        let scenario =
            scenario.group("g", &["mandatory:a", "default:c"]).environment("e", &["g"], &[]);
        all.push(scenario.run(&[NO_REBOOT]).run(commands));
    }
    let wrong = |name: &str, state: &str| {
        let scenario = Scenario::new(&format!("offline-{name}"), repository);
        let file = "usr/lib/sysimage/libdnf5/offline/offline-transaction-state.toml";
        let change = format!("$ printf '{state}' > {file}");
        let then =
            ["offline status", "offline reboot", execute, "install c", "install --offline a"];
        scenario.run(&[NO_REBOOT, "install --offline a", &change]).run(&then)
    };
    all.push(wrong(
        "version",
        "[offline-transaction-state]\\nstatus = \"download-complete\"\\nstate_version = -1\\n",
    ));
    all.push(wrong("broken-state", "=\\n"));
    let advisory = |name: &str, words: &str| {
        Scenario::new(&format!("offline-upgrade-{name}"), "a-1\na-2\na-3\nb-1\nb-2\nc-1\nc-2")
            .advisory("SEC-1", "security/Critical", "cve:CVE-2024-1", &["a-2"])
            .advisory("FIX-1", "bugfix", "bugzilla:11", &["c-2"])
            .run(&["install a-1 b-1 c-1", &format!("offline-upgrade download {words}")])
    };
    all.push(advisory("security", "--security"));
    all.push(advisory("advisory", "--advisories=FIX-1"));
    all.push(advisory("advisory-word", "--advisory FIX-1"));
    all.push(advisory("bz", "--bz=11"));
    all.push(advisory("cve", "--cve=CVE-2024-1"));
    all.push(advisory("bugfix", "--bugfix"));
    all.push(advisory("severity", "--advisory-severities=Critical"));
    all.push(advisory("minimal", "--minimal --security"));
    all.push(carried_out());
}

/// What is carried out while the system starts: one scenario, since dnf5's trigger is the machine's and not the root's.
fn carried_out() -> Scenario {
    let packages = "a-1 | Requires: b\na-2 | Requires: b\nb-1\nc-1\nc-2\nd-2\ng-1\nh-1";
    let scenario = Scenario::new("offline-carried-out", packages)
        .group("g", &["mandatory:g", "default:h"])
        .files("f-1 | Requires: c")
        .repository("next", "a-3 | Requires: b\nc-3\nd-1\ng-2\nnew-1")
        .option("enabled=0")
        .group("g", &["mandatory:g", "default:new"])
        .run(&[NO_REBOOT]);
    let stored = [
        "install --offline a-1",
        "upgrade --offline",
        "downgrade --offline a",
        "reinstall --offline a",
        "swap --offline a c-1",
        "install --offline @f-1",
        "group install --offline g",
        "offline-upgrade download",
        "install --offline d",
        "system-upgrade download --releasever=2 --repo=next",
        "remove --offline a c",
    ];
    let scenario = stored.iter().fold(scenario, |scenario, command| {
        scenario.run(&[command, "offline reboot", "offline _execute", STATE, "offline status"])
    });
    scenario.run(&[
        "remove --offline d",
        "offline reboot --poweroff",
        STATE,
        "offline status",
        "$ rm usr/lib/sysimage/libdnf5/offline/transaction.json",
        "offline _execute",
        "offline status",
        "offline reboot",
    ])
}

fn system_upgrade(all: &mut Vec<Scenario>) {
    let upgrade = |name: &str| {
        Scenario::new(&format!("system-upgrade-{name}"), "a-1\nb-2\nboth-1\ng-1\nh-1")
            .group("g", &["mandatory:g"])
            .group("empty", &[])
            .environment("e", &["g"], &[])
            .repository("next", "a-2\nb-1\nboth-2\ng-2\nh-2\nnew-1")
            .option("enabled=0")
            .group("g", &["mandatory:g", "default:new"])
            .group("empty", &[])
            .group("more", &["mandatory:h"])
            .environment("e", &["g", "more"], &[])
            .run(&[NO_REBOOT, "install a b both"])
    };
    let download = "system-upgrade download --releasever=2 --repo=next";
    let status = "system-upgrade status";
    all.push(upgrade("plain").run(&[download, STATE, status]));
    all.push(upgrade("no-downgrade").run(&[&format!("{download} --no-downgrade"), STATE]));
    all.push(
        upgrade("nothing")
            .run(&["system-upgrade download --releasever=2", "system-upgrade reboot"]),
    );
    all.push(upgrade("clean").run(&[download, "system-upgrade clean", status]));
    all.push(upgrade("group").run(&["group install g", download]));
    all.push(upgrade("group-gone").run(&["group install g", "remove g", download]));
    all.push(upgrade("group-excluded").run(&["group install --exclude=g g", download]));
    all.push(upgrade("group-empty").run(&["group install empty", download]));
    all.push(upgrade("environment").run(&["environment install e", download]));
    all.push(upgrade("environment-gone").run(&["environment install e", "remove g", download]));
    all.push(upgrade("no-command").run(&["system-upgrade", "system-upgrade zz"]));
}

fn closures(all: &mut Vec<Scenario>) {
    let scenario = |name: &str| {
        Scenario::new(
            &format!("closure-{name}"),
            "lib-1 | Provides: core = 1\nlib-2 | Provides: core = 2\nu-1.x86_64 | Requires: core = 1\nu-2.x86_64 | Requires: core = 2",
        )
        .repository(
            "side",
            "lib-3 | Provides: core = 3\nu-3 | Requires: rest, more\nu-4.x86_64 | Requires: core = 3\nw-1 | Requires: rest > 2",
        )
    };
    let table: [(&str, &str); 12] = [
        ("plain", ""),
        ("package", "w"),
        ("package-version", "u-3"),
        ("glob", "'u*'"),
        ("absent", "zz w"),
        ("arch", "--arch=x86_64"),
        ("arch-noarch", "--arch=noarch"),
        ("check", "--check=base"),
        ("check-side", "--check side"),
        ("newest", "--newest"),
        ("best", "--best"),
        ("newest-best", "--newest --best"),
    ];
    for (name, words) in table {
        let scenario = scenario(name).conf("best=0");
        all.push(scenario.run(&[&format!("repoclosure {words}")]));
    }
}

fn copies(all: &mut Vec<Scenario>) {
    let list = "$ ls -R copy > list; rm -r copy";
    let run = |name: &str, commands: &[&str]| {
        Scenario::new(&format!("reposync-{name}"), "a-1\na-2\nb-1.x86_64\nb-1.src\nc-1.i686")
            .group("g", &["mandatory:a"])
            .repository("other", "z-1")
            .run(commands)
            .run(&["$ mkdir -p copy", list])
    };
    let sync = "reposync --destdir=copy";
    all.push(run("plain", &[sync]));
    all.push(run("download-path", &["reposync --download-path=copy"]));
    all.push(run("short", &["reposync -p copy"]));
    all.push(run("one", &[&format!("{sync} --repo=base")]));
    all.push(run("newest", &[&format!("{sync} --newest-only")]));
    all.push(run("newest-short", &[&format!("{sync} -n --repo=base")]));
    all.push(run("arch", &[&format!("{sync} --arch=x86_64,noarch"), &format!("{sync}2 -a i686")]));
    all.push(run("source", &[&format!("{sync} --source")]));
    all.push(run("srpm", &[&format!("{sync} --srpm --arch=i686")]));
    all.push(run("metadata", &[&format!("{sync} --download-metadata")]));
    all.push(run(
        "metadata-path",
        &[&format!("{sync} --download-metadata --metadata-path=copy/md")],
    ));
    all.push(run("comps", &[&format!("{sync} --downloadcomps")]));
    all.push(run(
        "norepopath",
        &[&format!("{sync} --norepopath"), &format!("{sync} --norepopath --repo=base")],
    ));
    all.push(run(
        "urls",
        &["reposync --urls --repo=other", "reposync -u --repo=base --download-metadata --arch=src"],
    ));
    all.push(run("exclude", &[&format!("{sync} --setopt=excludepkgs=a")]));
    all.push(run("include", &[&format!("{sync} --setopt=includepkgs=a")]));
    all.push(run("again", &[sync, sync]));
    all.push(run(
        "delete",
        &[
            sync,
            "$ cp copy/base/a-1-1.noarch.rpm copy/base/old.rpm; touch copy/base/mine",
            &format!("{sync} --delete"),
        ],
    ));
    all.push(run("safe-write", &[&format!("{sync} --safe-write-path=copy")]));
    all.push(run("gpgcheck", &[&format!("{sync} --gpgcheck --repo=base")]));
    all.push(run("absent", &[&format!("{sync} --repo=zz")]));
}

fn managed(all: &mut Vec<Scenario>) {
    let scenario = |name: &str| {
        let scenario = Scenario::new(&format!("repomanage-{name}"), "q-1");
        scenario
            .files("a-1\na-2\na-3\nb-1.x86_64\nb-2.x86_64\nb-1.i686\nc-1")
            .run(&["$ mkdir -p r/x r/y"])
            .run(&["$ cp @a-1 @a-2 r/x; cp @a-3 @b-1 @b-2 r; cp @c-1 r/y"])
    };
    let table: [(&str, &[&str]); 8] = [
        ("new", &["repomanage --new r", "repomanage r", "repomanage $PWD/r/"]),
        ("old", &["repomanage --old r", "repomanage -o r"]),
        ("space", &["repomanage --new --space r", "repomanage -s -o r"]),
        ("keep", &["repomanage --new --keep 2 r", "repomanage --old -k 2 r"]),
        ("both", &["repomanage --old --new r"]),
        (
            "duplicate",
            &["$ cp r/a-3-1.noarch.rpm r/y", "repomanage --new r", "repomanage --old --keep 2 r"],
        ),
        ("empty", &["$ mkdir e", "repomanage e", "repomanage --old e"]),
        ("bare", &["repomanage"]),
    ];
    for (name, commands) in table {
        all.push(scenario(name).run(commands));
    }
}

fn leaves(all: &mut Vec<Scenario>) {
    let repository = "a-1 | Requires: b | Recommends: w\nb-1 | Requires: c\nc-1 | Requires: b\nw-1\nd-1 | Requires: e\ne-1 | Requires: d\nr-1 | Requires: (x or y)\nx-1\ny-1\nep-1 | Epoch: 2";
    let table: [(&str, &[&str]); 6] = [
        ("plain", &["install a", "leaves"]),
        ("loop", &["install d", "leaves"]),
        ("loop-needed", &["install b a", "leaves", "remove --no-autoremove a", "leaves"]),
        ("nothing", &["leaves"]),
        ("epoch", &["install ep", "leaves"]),
        ("without-weak", &["install --setopt=install_weak_deps=0 a", "install w", "leaves"]),
    ];
    for (name, commands) in table {
        all.push(Scenario::new(&format!("leaves-{name}"), repository).run(commands));
    }
}

fn downloads(all: &mut Vec<Scenario>) {
    let list = "$ ls *.rpm dl/*.rpm dl/*/*.rpm >> list; rm -rf *.rpm dl";
    let repository = "a-1.x86_64 | Requires: b | Recommends: w\na-2.x86_64 | Requires: b | Recommends: w\na-2.i686 | Requires: b\na-2.src | BuildRequires: t\nb-1\nw-1\nt-1\nn-1 | Requires: zz\na-debuginfo-2.x86_64\na-debugsource-2.x86_64";
    let run = |name: &str, commands: &[&str]| {
        let scenario = Scenario::new(&format!("download-{name}"), repository);
        scenario.repository("other", "b-1\nb-2").option("priority=100").run(commands).run(&[list])
    };
    let table: [(&str, &[&str]); 24] = [
        ("plain", &["download a"]),
        ("version", &["download a-1"]),
        ("two", &["download a b"]),
        ("two-versions", &["download a-1 a-2"]),
        ("glob", &["download '*'"]),
        ("absent", &["download zz"]),
        ("some-absent", &["download zz a"]),
        ("skip-absent", &["download --skip-unavailable zz a"]),
        ("destdir", &["download --destdir=dl/deep a"]),
        ("resolve", &["download --resolve a.x86_64"]),
        ("resolve-source", &["download --resolve a.src"]),
        (
            "resolve-installed",
            &[
                "install b",
                "download --resolve a.x86_64",
                list,
                "download --resolve --alldeps a.x86_64",
            ],
        ),
        ("resolve-strong", &["download --resolve --setopt=install_weak_deps=0 a.x86_64"]),
        ("resolve-unmet", &["download --resolve n"]),
        ("resolve-excluded", &["download --resolve --exclude=b a.x86_64"]),
        ("alldeps", &["download --alldeps a"]),
        ("arch", &["download --arch=i686 a"]),
        ("source", &["download --source a", list, "download --srpm a-2.x86_64"]),
        ("debuginfo", &["download --debuginfo a"]),
        ("debugsource", &["download --debugsource a"]),
        ("debuginfo-absent", &["download --debuginfo b"]),
        (
            "url",
            &["download --url a b", "download --url --urlprotocol=http a", "download --urls a"],
        ),
        ("priority", &["download b", "download --from-repo=other b"]),
        ("bare", &["download"]),
    ];
    for (name, commands) in table {
        all.push(run(name, commands));
    }
    let only: [(&str, &[&str]); 2] = [
        ("downloadonly", &["install --downloadonly w", "install w", "upgrade --downloadonly"]),
        ("downloadonly-upgrade", &["install a-1", "upgrade --downloadonly a", "upgrade a"]),
    ];
    for (name, commands) in only {
        all.push(run(name, commands));
    }
}

fn debugging(all: &mut Vec<Scenario>) {
    let source = |version: u8, name: &str| {
        let label = format!("{name}-{version}.x86_64");
        format!(
            "{label}\n{name}-sub-{version}.x86_64\n{name}-debuginfo-{version}.x86_64 | Recommends: {name}-debugsource = {version}-1\n{name}-debugsource-{version}.x86_64\n"
        )
    };
    let repository = [
        source(1, "f"),
        source(2, "f"),
        "bare-1.x86_64\ng-1.x86_64\ng-2.x86_64\ng-debuginfo-1.x86_64\ng-debugsource-1.x86_64\ng-3.x86_64\ng-debuginfo-3.x86_64\n".to_owned(),
        "m-1.x86_64\nm-1.i686\nm-debuginfo-1.x86_64\nm-debuginfo-1.i686\nm-debugsource-1.x86_64\nm-debugsource-1.i686".to_owned(),
    ]
    .concat();
    let table: [(&str, &[&str]); 16] = [
        ("plain", &["debuginfo-install f"]),
        ("absent", &["debuginfo-install zz"]),
        ("none", &["debuginfo-install bare"]),
        ("installed", &["install f-1", "debuginfo-install f"]),
        ("named-itself", &["install f-1", "debuginfo-install f-debugsource"]),
        ("named-info", &["debuginfo-install f-debuginfo"]),
        ("other-version", &["install f-2", "debuginfo-install f-1"]),
        ("version-without", &["install g-2", "debuginfo-install g"]),
        ("upgraded", &["install g-1", "debuginfo-install g", "upgrade g", "debuginfo-install g"]),
        ("both-arches", &["install m.x86_64 m.i686", "debuginfo-install m"]),
        ("other-arch", &["install m.i686", "debuginfo-install m"]),
        ("glob", &["install f-1 g-2", "debuginfo-install f 'g*' bare"]),
        (
            "source-only",
            &["install --setopt=install_weak_deps=0 f-debuginfo", "debuginfo-install f"],
        ),
        ("some", &["debuginfo-install f zz", "debuginfo-install --skip-unavailable f zz"]),
        ("again", &["debuginfo-install f", "debuginfo-install f"]),
        ("provide", &["debuginfo-install /usr/share/f/1.x86_64"]),
    ];
    for (name, commands) in table {
        all.push(Scenario::new(&format!("debuginfo-{name}"), &repository).run(commands));
    }
}

fn building(all: &mut Vec<Scenario>) {
    let repository = "t-1\nt-2\nlib-1 | /etc/lib.conf\nrec-1 | Recommends: bad\nbad-1\ns-1.src | BuildRequires: t, lib\nu-1.src | BuildRequires: zz, lib\nk-1.src | BuildRequires: rec | BuildConflicts: bad\nglob-1.src | BuildRequires: p(x*)\npg-1 | Provides: p(x*)";
    let spec = |lines: &str| {
        format!(
            "$ printf 'Name: x\\nVersion: 1\\nRelease: 1\\nSummary: x\\nLicense: MIT\\n{lines}\\n%%description\\nx\\n' > x.spec"
        )
    };
    let run = |name: &str, lines: &str, commands: &[&str]| {
        let scenario = Scenario::new(&format!("builddep-{name}"), repository);
        scenario
            .files("w-1.src | BuildRequires: t = 1\nn-1.src | BuildRequires: zz, lib")
            .run(&[&spec(lines)])
            .run(commands)
    };
    let table: [(&str, &str, &[&str]); 20] = [
        ("spec", "BuildRequires: t", &["builddep x.spec", "builddep x.spec"]),
        ("spec-path", "BuildRequires: t", &["builddep $PWD/x.spec"]),
        ("spec-file", "BuildRequires: /etc/lib.conf", &["builddep x.spec"]),
        ("spec-rich", "BuildRequires: (t and lib)", &["builddep x.spec"]),
        ("spec-version", "BuildRequires: t = 1", &["builddep x.spec"]),
        (
            "spec-absent",
            "BuildRequires: t = 15",
            &["builddep x.spec", "builddep --skip-unavailable x.spec"],
        ),
        ("spec-nothing", "", &["builddep x.spec"]),
        ("spec-source", "Source0: nothing.tar.gz", &["builddep x.spec"]),
        ("spec-missing", "", &["builddep nothing.spec"]),
        ("spec-conflict", "BuildRequires: rec\\nBuildConflicts: bad", &["builddep x.spec"]),
        ("spec-conflict-installed", "BuildConflicts: bad", &["install bad", "builddep x.spec"]),
        (
            "spec-define",
            "BuildRequires: %%{?dep}%%{!?dep:lib}",
            &["builddep -D 'dep t' x.spec", "builddep x.spec"],
        ),
        (
            "spec-with",
            "%%bcond_with foo\\n%%if %%{with foo}\\nBuildRequires: t\\n%%endif",
            &["builddep x.spec", "builddep --with foo x.spec"],
        ),
        (
            "spec-without",
            "%%bcond_without foo\\n%%if %%{without foo}\\nBuildRequires: t\\n%%endif",
            &["builddep x.spec", "builddep --without=foo x.spec"],
        ),
        ("source", "", &["builddep s", "builddep u", "builddep --skip-unavailable u"]),
        ("source-conflict", "", &["install bad", "builddep k"]),
        ("source-glob", "", &["builddep glob"]),
        ("source-absent", "", &["builddep zz", "builddep t"]),
        ("source-file", "", &["builddep @w-1", "builddep -D 'a b' @w-1"]),
        ("source-file-absent", "", &["builddep @n-1", "builddep --skip-unavailable @n-1"]),
    ];
    for (name, lines, commands) in table {
        all.push(run(name, lines, commands));
    }
}

fn logs(all: &mut Vec<Scenario>) {
    let log = |version: u8| {
        let entries: Vec<String> = (1..=version)
            .rev()
            .map(|at| {
                format!("* Mon May 0{at} 2023 A B <a@x.invalid> - {at}-1\n- version {at}\n- more")
            })
            .collect();
        format!("%changelog: {}", entries.join("\n\n").replace('\n', "¶"))
    };
    let repository = format!("a-1 | {}\na-2 | {}\nb-1\nc-1 | {}", log(1), log(2), log(1));
    let table: [(&str, &[&str]); 7] = [
        ("plain", &["changelog a", "changelog b", "changelog"]),
        ("since", &["changelog --since=2023-05-02 a", "changelog a --since 2023-01-01"]),
        ("since-wrong", &["changelog --since=ABC a", "changelog --since=2023-13-01 a"]),
        ("count", &["changelog --count=1 a", "changelog --count=0 a"]),
        ("upgrades", &["install a-1", "changelog --upgrades", "changelog --upgrades a c"]),
        ("absent", &["changelog zz", "changelog zz a"]),
        ("both", &["changelog --count=1 --upgrades a", "changelog --since=2023-05-01 --count=1 a"]),
    ];
    for (name, commands) in table {
        all.push(Scenario::new(&format!("changelog-{name}"), &repository).run(commands));
    }
}

fn restarts(all: &mut Vec<Scenario>) {
    let repository = "kernel-1.x86_64\nkernel-2.x86_64\nglibc-1.x86_64\nglibc-2.x86_64\na-1\na-2\nself-1 | Provides: installonlypkg(zz)";
    let run = |name: &str, commands: &[&str]| {
        Scenario::new(&format!("restarting-{name}"), repository)
            .advisory("R-1", "enhancement", "", &["a-2"])
            .run(commands)
    };
    all.push(run(
        "nothing",
        &["needs-restarting", "needs-restarting -r", "needs-restarting --reboothint"],
    ));
    all.push(run("ordinary", &["install a", "needs-restarting"]));
    all.push(run("core", &["install a glibc kernel", "needs-restarting"]));
    all.push(run("json", &["install a glibc kernel", "needs-restarting --json"]));
}
