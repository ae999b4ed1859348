// SPDX-License-Identifier: MIT OR Apache-2.0
//! All scenarios of `dnf`. Each is one line of thought: a repository, and the commands of an administrator.

use crate::dnf_scenario::Scenario;

/// Returns all scenarios.
pub fn all() -> Vec<Scenario> {
    let mut all = Vec::new();
    arguments(&mut all);
    dependencies(&mut all);
    weak_dependencies(&mut all);
    rich_dependencies(&mut all);
    removal(&mut all);
    upgrades(&mut all);
    older_versions(&mut all);
    replacements(&mut all);
    policies(&mut all);
    excludes(&mut all);
    repositories(&mut all);
    crate::dnf_cases_state::all(&mut all);
    crate::dnf_cases_more::all(&mut all);
    crate::dnf_cases_questions::all(&mut all);
    crate::dnf_cases_actions::all(&mut all);
    crate::dnf_cases_groups::all(&mut all);
    crate::dnf_cases_stored::all(&mut all);
    crate::dnf_cases_config::all(&mut all);
    crate::dnf_cases_plugins::all(&mut all);
    all
}

/// What `install` understands as an argument.
fn arguments(all: &mut Vec<Scenario>) {
    let repository = "
        a-1 | Provides: cap = 1 | /usr/bin/tool
        a-2 | Provides: cap = 2 | /usr/bin/tool
        ab-1
        b-1 | Epoch: 1 | Requires: a
        x-1.x86_64
        x-1.i686
        y-1.i686";
    let table = [
        ("name", "a"),
        ("version", "a-1"),
        ("release", "a-1-1"),
        ("nevra", "a-1-1.noarch"),
        ("arch", "a.noarch"),
        ("wrong-arch", "a.x86_64"),
        ("zero-epoch", "a-0:1-1"),
        ("epoch", "b-1:1-1"),
        ("no-epoch", "b-1-1"),
        ("wrong-epoch", "b-2:1-1"),
        ("glob", "a*"),
        ("question-mark", "a?"),
        ("class", "[ab]"),
        ("version-glob", "a-1*"),
        ("all", "*"),
        ("no-glob", "zz*"),
        ("file", "/usr/bin/tool"),
        ("no-file", "/usr/bin/nothing"),
        ("file-glob", "/usr/bin/t*"),
        ("provide", "cap"),
        ("old-provide", "'cap = 1'"),
        ("provide-range", "'cap > 1'"),
        ("no-provide", "'cap > 2'"),
        ("name-range", "'a < 2'"),
        ("nothing", "zz"),
        ("some", "zz a"),
        ("some-skipped", "--skip-unavailable zz a"),
        ("nothing-skipped", "--skip-unavailable zz"),
        ("two", "a b"),
        ("both-versions", "a-1 a-2"),
        ("both-arches", "x.x86_64 x.i686"),
        ("multilib", "x"),
        ("other-arch", "y"),
        ("upper-case", "A"),
        ("empty", "''"),
    ];
    for (name, words) in table {
        all.push(
            Scenario::new(&format!("install-{name}"), repository)
                .run(&[&format!("install {words}")]),
        );
    }
    let again = |name: &str| Scenario::new(name, repository);
    all.push(again("install-again").run(&["install a", "install a"]));
    all.push(again("install-newer-there").run(&["install a-1", "install a"]));
    all.push(again("install-older").run(&["install a", "install a-1"]));
    all.push(
        again("install-older-forbidden").run(&["install a", "install --no-allow-downgrade a-1"]),
    );
    all.push(again("install-dependency-again").run(&["install b", "install a", "remove b"]));
    all.push(again("install-multilib-best").conf("multilib_policy=best").run(&["install x"]));
    all.push(again("install-multilib-all").conf("multilib_policy=all").run(&["install x"]));
    all.push(again("install-assumeno").run(&["install --assumeno a"]));
    all.push(again("install-downloadonly").run(&["install --downloadonly a", "install a"]));
    all.push(again("install-test").run(&["install --setopt=tsflags=test a"]));
    let local = |name: &str| {
        Scenario::new(name, "b-1\nb-2")
            .files("a-1 | Requires: b\na-2 | Requires: b = 1\na-3 | Requires: zz")
    };
    all.push(local("file-install").run(&["install @a-1"]));
    all.push(local("file-install-both").run(&["install @a-1 @a-2"]));
    all.push(local("file-upgrade").run(&["install @a-1", "upgrade @a-2"]));
    all.push(local("file-upgrade-not-installed").run(&["upgrade @a-2"]));
    all.push(local("file-downgrade").run(&["install @a-2", "downgrade @a-1"]));
    all.push(local("file-install-older").run(&["install @a-2", "install @a-1"]));
    all.push(local("file-reinstall").run(&["install @a-1", "reinstall @a-1"]));
    all.push(local("file-unmet").run(&["install @a-3"]));
    all.push(local("file-absent").run(&["install /work/nothing-1-1.noarch.rpm"]));
    all.push(local("file-with-name").run(&["install @a-2 b"]));
}

/// Requirements that are met, cannot be met, or exclude each other.
fn dependencies(all: &mut Vec<Scenario>) {
    let table: [(&str, &str, &[&str]); 22] = [
        ("chain", "a-1 | Requires: b\nb-1 | Requires: c\nc-1", &["install a"]),
        (
            "diamond",
            "a-1 | Requires: b, c\nb-1 | Requires: d\nc-1 | Requires: d >= 2\nd-1\nd-2",
            &["install a"],
        ),
        ("loop", "a-1 | Requires: b\nb-1 | Requires: a", &["install a", "remove b"]),
        ("missing", "a-1 | Requires: zz", &["install a"]),
        ("missing-skipped", "a-1 | Requires: zz\nb-1", &["install --skip-broken a b"]),
        ("missing-deep", "a-1 | Requires: b\nb-1 | Requires: zz", &["install a"]),
        ("older-works", "a-1\na-2 | Requires: zz", &["install a"]),
        ("older-works-nobest", "a-1\na-2 | Requires: zz", &["install --no-best a"]),
        ("older-dependency", "a-1 | Requires: b\nb-1\nb-2 | Requires: zz", &["install a"]),
        ("file", "a-1 | Requires: /usr/bin/b\nb-1 | /usr/bin/b", &["install a", "remove b"]),
        (
            "two-providers",
            "a-1 | Requires: cap\nb-1 | Provides: cap\nc-1 | Provides: cap",
            &["install a"],
        ),
        ("provider-by-name", "a-1 | Requires: cap\nb-1 | Provides: cap\ncap-1", &["install a"]),
        (
            "provider-newer",
            "a-1 | Requires: cap\nb-1 | Provides: cap = 1\nc-1 | Provides: cap = 2",
            &["install a"],
        ),
        (
            "provider-prefix",
            "a-1 | Requires: cap\nb-1 | Provides: cap\na-cap-1 | Provides: cap",
            &["install a"],
        ),
        (
            "provider-few-needs",
            "a-1 | Requires: cap\nb-1 | Provides: cap | Requires: d\nc-1 | Provides: cap\nd-1",
            &["install a"],
        ),
        (
            "provider-installed",
            "a-1 | Requires: cap\nb-1 | Provides: cap\nc-1 | Provides: cap",
            &["install c", "install a"],
        ),
        (
            "provider-wanted",
            "a-1 | Requires: cap\nb-1 | Provides: cap\nc-1 | Provides: cap",
            &["install a c"],
        ),
        ("upgrades-dependency", "a-1 | Requires: b >= 2\nb-1\nb-2", &["install b-1", "install a"]),
        (
            "downgrades-dependency",
            "a-1 | Requires: b = 1\nb-1\nb-2",
            &["install b", "install a", "install --allowerasing a"],
        ),
        (
            "conflict",
            "a-1 | Conflicts: b\nb-1",
            &["install b", "install a", "install --allowerasing a"],
        ),
        ("conflict-together", "a-1 | Conflicts: b\nb-1", &["install a b"]),
        (
            "conflict-provider",
            "a-1 | Requires: cap | Conflicts: b\nb-1 | Provides: cap\nc-1 | Provides: cap",
            &["install a"],
        ),
    ];
    push(all, "requires", &table);
    let files = "a-1 | /usr/share/same\nb-1 | %post -p <lua>: print('x')\nb-2 | /usr/share/same";
    all.push(
        Scenario::new(
            "file-conflict",
            "a-1 | /etc/s | Requires: b\nb-1\nc-1 | %pre -p <lua>: error('no')",
        )
        .run(&["install a", "install c"]),
    );
    all.push(
        Scenario::new("failing-post", "a-1 | %post -p <lua>: error('no')\nb-1 | Requires: a")
            .run(&["install b"]),
    );
    all.push(
        Scenario::new("failing-preun", "a-1 | %preun -p <lua>: error('no')")
            .run(&["install a", "remove a"]),
    );
    all.push(Scenario::new("output-of-post", files).run(&["install b-1", "install a"]));
}

fn push(all: &mut Vec<Scenario>, prefix: &str, table: &[(&str, &str, &[&str])]) {
    let make = |(name, repository, commands): &(&str, &str, &[&str])| {
        Scenario::new(&format!("{prefix}-{name}"), repository).run(commands)
    };
    all.extend(table.iter().map(make));
}

fn weak_dependencies(all: &mut Vec<Scenario>) {
    let both =
        "a-1 | Recommends: b | Suggests: c\nb-1\nc-1\nd-1 | Supplements: a\ne-1 | Enhances: a";
    let late = "a-1\na-2 | Recommends: b\nb-1\nc-1 | Supplements: a";
    let table: [(&str, &str, &[&str]); 15] = [
        ("both", both, &["install a"]),
        ("off", both, &["install --setopt=install_weak_deps=0 a"]),
        ("excluded", both, &["install --exclude=b a"]),
        ("removed-with", both, &["install a", "remove a"]),
        ("removed-alone", both, &["install a", "remove b", "autoremove"]),
        ("not-again", late, &["install a-1", "remove c", "upgrade"]),
        ("new-in-upgrade", late, &["install a-1", "upgrade"]),
        ("impossible", "a-1 | Recommends: b\nb-1 | Requires: zz", &["install a"]),
        (
            "conflicting",
            "a-1 | Recommends: b\nb-1 | Conflicts: c\nc-1",
            &["install c", "install a"],
        ),
        (
            "chain",
            "a-1 | Recommends: b\nb-1 | Recommends: c\nc-1 | Requires: d\nd-1",
            &["install a"],
        ),
        (
            "choice",
            "a-1 | Recommends: cap\nb-1 | Provides: cap\nc-1 | Provides: cap",
            &["install a"],
        ),
        (
            "suggests-decides",
            "a-1 | Requires: cap | Suggests: c\nb-1 | Provides: cap\nc-1 | Provides: cap",
            &["install a"],
        ),
        (
            "recommends-decides",
            "a-1 | Requires: cap | Recommends: c\nb-1 | Provides: cap\nc-1 | Provides: cap",
            &["install a"],
        ),
        ("two-supplement", "a-1\nb-1\nc-1 | Supplements: (a and b)", &["install a", "install b"]),
        ("version", "a-1 | Recommends: b >= 2\nb-1\nb-2", &["install b-1", "install a"]),
    ];
    push(all, "weak", &table);
}

fn rich_dependencies(all: &mut Vec<Scenario>) {
    let others = "b-1 | Provides: f = 1\nc-1 | Provides: f = 2\nd-1";
    let table = [
        ("and", "(b and c)", ""),
        ("or", "(b or c)", ""),
        ("or-missing", "(zz or c)", ""),
        ("if", "(b if c)", ""),
        ("if-there", "(b if c)", "c"),
        ("if-else", "(b if c else d)", ""),
        ("unless", "(b or (c unless d))", ""),
        ("with", "(f with f >= 2)", ""),
        ("without", "(f without c)", ""),
        ("nested", "((b and c) or d)", ""),
    ];
    for (name, requirement, before) in table {
        let repository = format!("a-1 | Requires: {requirement}\n{others}");
        let scenario = Scenario::new(&format!("rich-{name}"), &repository);
        let scenario = if before.is_empty() { scenario } else { scenario.run(&["install c"]) };
        all.push(scenario.run(&["install a", "install c", "remove b"]));
    }
    let table: [(&str, &str, &[&str]); 2] = [
        ("conflict", "a-1 | Conflicts: (b and c)\nb-1\nc-1", &["install a b", "install c"]),
        ("recommends", "a-1 | Recommends: (b if c)\nb-1\nc-1", &["install a", "install c"]),
    ];
    push(all, "rich", &table);
}

fn removal(all: &mut Vec<Scenario>) {
    let repository = "
        a-1 | Requires: b
        b-1 | Requires: c | /usr/bin/b | Provides: cap
        c-1
        d-1 | Requires: c
        e-1 | Requires: (f or g)
        f-1
        g-1";
    let table: [(&str, &str, &[&str]); 18] = [
        ("unneeded", repository, &["install a", "remove a"]),
        ("still-needed", repository, &["install a d", "remove a"]),
        ("wanted-too", repository, &["install a b", "remove a"]),
        ("dependants", repository, &["install a", "remove c"]),
        ("middle", repository, &["install a d", "remove b"]),
        ("no-autoremove", repository, &["install a", "remove --no-autoremove a", "autoremove"]),
        (
            "setting",
            repository,
            &["install a", "remove --setopt=clean_requirements_on_remove=0 a", "autoremove"],
        ),
        ("file", repository, &["install a", "remove /usr/bin/b"]),
        ("provide", repository, &["install a", "remove cap"]),
        ("glob", repository, &["install a d", "remove [ad]"]),
        ("all", repository, &["install a d", "remove '*'"]),
        ("nevra", repository, &["install a", "remove a-1-1.noarch"]),
        ("wrong-version", repository, &["install a", "remove a-2"]),
        ("nothing", repository, &["install a", "remove zz"]),
        ("some", repository, &["install a", "remove zz a"]),
        ("available", repository, &["install a", "remove d"]),
        ("assumeno", repository, &["install a", "remove --assumeno a"]),
        ("either", repository, &["install e g", "remove f", "autoremove"]),
    ];
    push(all, "remove", &table);
    let protected = |name: &str| Scenario::new(name, repository).conf("protected_packages=b");
    all.push(protected("remove-protected").run(&["install a", "remove b"]));
    all.push(protected("remove-protected-by-dependency").run(&["install a", "remove c"]));
    all.push(protected("remove-around-protected").run(&["install a", "remove a", "autoremove"]));
    all.push(protected("remove-protected-file").run(&[
        "install a",
        "$ mkdir -p etc/dnf/protected.d; echo c > etc/dnf/protected.d/x.conf",
        "remove c",
    ]));
}

fn upgrades(all: &mut Vec<Scenario>) {
    let pair = "a-1 | Requires: b\na-2 | Requires: b >= 2\nb-1\nb-2\nc-1\nc-2 | Requires: zz\nd-1\nd-2\nd-3";
    let old = "install a-1 b-1 c-1 d-1";
    let table: [(&str, &str, &[&str]); 26] = [
        ("all", pair, &[old, "upgrade"]),
        ("all-best", pair, &[old, "upgrade --best"]),
        ("all-nobest", pair, &[old, "upgrade --no-best"]),
        ("one", pair, &[old, "upgrade a"]),
        ("dependency", pair, &[old, "upgrade b"]),
        ("blocked", pair, &[old, "upgrade c"]),
        ("blocked-nobest", pair, &[old, "upgrade --no-best c"]),
        ("blocked-skipped", pair, &[old, "upgrade --skip-broken c d"]),
        ("to-version", pair, &[old, "upgrade d-2"]),
        ("to-older", pair, &[old, "upgrade d-3", "upgrade d-2"]),
        ("glob", pair, &[old, "upgrade '[bd]*'"]),
        ("nothing", pair, &[old, "upgrade zz"]),
        ("not-installed", pair, &["install d-1", "upgrade a"]),
        ("some", pair, &[old, "upgrade zz d"]),
        ("exclude", pair, &[old, "upgrade --exclude=d"]),
        ("minimal", pair, &[old, "upgrade --minimal"]),
        ("check", pair, &[old, "check-upgrade", "upgrade --no-best", "check-upgrade d"]),
        ("update-alias", pair, &[old, "update d"]),
        ("keeps-reason", pair, &["install a-1", "upgrade", "remove a"]),
        ("new-need", "a-1\na-2 | Requires: n\nn-1", &["install a-1", "upgrade", "remove a"]),
        ("dropped-need", "a-1 | Requires: n\na-2\nn-1", &["install a-1", "upgrade", "autoremove"]),
        (
            "held-by-need",
            "a-1 | Requires: b = 1\nb-1\nb-2",
            &["install a", "upgrade", "upgrade b", "upgrade --allowerasing b"],
        ),
        (
            "new-conflict",
            "a-1\na-2 | Conflicts: b\nb-1",
            &["install a-1 b", "upgrade", "upgrade --allowerasing"],
        ),
        ("to-arch", "a-1\na-2.x86_64", &["install a-1", "upgrade"]),
        ("from-arch", "a-1.x86_64\na-2", &["install a-1", "upgrade"]),
        ("other-arch", "a-1.i686\na-2.x86_64\na-2.i686", &["install a-1", "upgrade"]),
    ];
    push(all, "upgrade", &table);
    let vendors = "a-1 | Vendor: One\na-2 | Vendor: Two\na-3 | Vendor: One";
    all.push(
        Scenario::new("upgrade-vendor", "a-1 | Vendor: One\na-2 | Vendor: Two")
            .conf("allow_vendor_change=0")
            .run(&["install a-1", "upgrade"]),
    );
    all.push(Scenario::new("upgrade-vendor-back", vendors).conf("allow_vendor_change=0").run(&[
        "install a-1",
        "upgrade a-2",
        "upgrade",
    ]));
    all.push(Scenario::new("upgrade-vendor-allowed", vendors).run(&["install a-1", "upgrade a-2"]));
}

/// Downgrade, reinstall, distro-sync.
fn older_versions(all: &mut Vec<Scenario>) {
    let three = "a-1\na-2\na-3\nb-1\nb-2 | Requires: a >= 2";
    let table: [(&str, &str, &[&str]); 15] = [
        ("downgrade", three, &["install a", "downgrade a"]),
        ("downgrade-twice", three, &["install a", "downgrade a", "downgrade a", "downgrade a"]),
        ("downgrade-to", three, &["install a", "downgrade a-1"]),
        (
            "downgrade-needed",
            three,
            &["install a b", "downgrade a-1", "downgrade --allowerasing a-1"],
        ),
        ("downgrade-both", three, &["install a b", "downgrade a-1 b-1"]),
        ("downgrade-not-installed", three, &["install a", "downgrade b"]),
        ("downgrade-nothing", three, &["install a", "downgrade zz"]),
        ("downgrade-glob", three, &["install a b", "downgrade '*'"]),
        ("reinstall", three, &["install a-2", "reinstall a"]),
        ("reinstall-glob", three, &["install a b", "reinstall '*'"]),
        ("reinstall-not-installed", three, &["install a", "reinstall b"]),
        ("reinstall-nothing", three, &["install a", "reinstall zz"]),
        ("reinstall-version", three, &["install a-2", "reinstall a-2", "reinstall a-3"]),
        (
            "reinstall-dependency",
            "a-1 | Requires: b\nb-1",
            &["install a", "reinstall b", "remove a"],
        ),
        (
            "reinstall-changed",
            three,
            &["install a-2", "$ echo mine > usr/share/a/2.noarch", "reinstall a"],
        ),
    ];
    for (name, repository, commands) in table {
        all.push(Scenario::new(name, repository).run(commands));
    }
    let gone = || {
        Scenario::new("x", "a-1 | Requires: b\nb-1\nc-1")
            .repository("new", "a-3 | Requires: d\na-2 | Requires: d\nd-1\nb-2\nz-1")
    };
    let named = |name: &str, scenario: Scenario| Scenario { name: name.to_owned(), ..scenario };
    all.push(named("sync-down", gone().run(&["install a c", "distro-sync --disablerepo=new"])));
    all.push(named("sync-one", gone().run(&["install a b c", "distro-sync --disablerepo=new b"])));
    all.push(named("sync-up", gone().run(&["install a-1 b-1", "distro-sync"])));
    all.push(named("sync-gone", gone().run(&["install a c z", "distro-sync --disablerepo=new"])));
    all.push(named("sync-nothing", gone().run(&["install a", "distro-sync zz"])));
    all.push(named("sync-same", gone().run(&["install a", "distro-sync"])));
    all.push(named("reinstall-gone", gone().run(&["install z", "reinstall --disablerepo=new z"])));
}

/// Obsoletes and swap.
fn replacements(all: &mut Vec<Scenario>) {
    let renamed = "a-1\nb-2 | Obsoletes: a < 2 | Provides: a = 2\nc-1 | Requires: a";
    let table: [(&str, &str, &[&str]); 20] = [
        ("obsoletes-upgrade", renamed, &["install --setopt=obsoletes=0 a-1", "upgrade"]),
        ("obsoletes-upgrade-name", renamed, &["install --setopt=obsoletes=0 a-1", "upgrade a"]),
        ("obsoletes-upgrade-new-name", renamed, &["install --setopt=obsoletes=0 a-1", "upgrade b"]),
        ("obsoletes-install-old", renamed, &["install a"]),
        ("obsoletes-install-old-nevra", renamed, &["install a-1-1.noarch"]),
        ("obsoletes-install-new", renamed, &["install --setopt=obsoletes=0 a-1", "install b"]),
        (
            "obsoletes-off",
            renamed,
            &["install --setopt=obsoletes=0 a-1", "upgrade --setopt=obsoletes=0"],
        ),
        ("obsoletes-dependency", renamed, &["install c"]),
        (
            "obsoletes-dependency-upgrade",
            renamed,
            &["install --setopt=obsoletes=0 a-1 c", "upgrade", "remove c"],
        ),
        (
            "obsoletes-reason",
            "a-1\nb-1 | Obsoletes: a\nc-1 | Requires: (a or b)",
            &["install --setopt=obsoletes=0 c a", "mark dependency a", "upgrade", "remove c"],
        ),
        ("obsoletes-sync", renamed, &["install --setopt=obsoletes=0 a-1", "distro-sync"]),
        (
            "obsoletes-split",
            "a-1\na-2\nb-2 | Obsoletes: a < 2\nc-2 | Obsoletes: a < 2",
            &["install a-1", "upgrade"],
        ),
        (
            "obsoletes-merge",
            "a-1\nb-1\nc-2 | Obsoletes: a < 2, b < 2",
            &["install --setopt=obsoletes=0 a b", "upgrade"],
        ),
        (
            "obsoletes-two",
            "a-1\nb-1 | Obsoletes: a\nc-1 | Obsoletes: a",
            &["install --setopt=obsoletes=0 a", "upgrade"],
        ),
        (
            "obsoletes-breaks",
            "a-1\nb-1 | Obsoletes: a\nc-1 | Requires: a",
            &["install --setopt=obsoletes=0 a c", "upgrade", "upgrade --allowerasing"],
        ),
        ("swap", "a-1 | Conflicts: b\nb-1", &["install a", "swap a b"]),
        (
            "swap-needs",
            "a-1 | Requires: d\nb-1 | Requires: e\nd-1\ne-1",
            &["install a", "swap a b"],
        ),
        (
            "swap-needed",
            "a-1 | Provides: cap\nb-1 | Provides: cap\nc-1 | Requires: cap",
            &["install a c", "swap a b"],
        ),
        ("swap-nothing", "a-1\nb-1", &["install a", "swap zz b", "swap a zz"]),
        (
            "swap-dependant",
            "a-1\nb-1\nc-1 | Requires: a",
            &["install c", "swap a b", "swap --allowerasing a b"],
        ),
    ];
    for (name, repository, commands) in table {
        all.push(Scenario::new(name, repository).run(commands));
    }
}

/// Settings that decide what is chosen.
fn policies(all: &mut Vec<Scenario>) {
    let broken = "a-1\na-2 | Requires: zz\nb-1";
    let with = |name: &str, setting: &str| Scenario::new(name, broken).conf(setting);
    all.push(with("best-on", "best=1").run(&["install a", "install a-1", "upgrade a"]));
    all.push(with("best-off", "best=0").run(&["install a", "upgrade"]));
    all.push(with("best-off-by-option", "best=1").run(&["install --setopt=best=0 a"]));
    all.push(with("skip-unavailable-on", "skip_unavailable=1").run(&["install zz b"]));
    all.push(with("skip-broken-on", "skip_broken=1").run(&["install a b"]));
    let kernels = "kernel-1\nkernel-2\nkernel-3\nkernel-4\nmodule-1 | Requires: kernel = 1";
    let kernel = |name: &str, limit: u32| {
        Scenario::new(name, kernels)
            .conf("installonlypkgs=kernel")
            .conf(&format!("installonly_limit={limit}"))
    };
    all.push(kernel("installonly-limit", 2).run(&[
        "install kernel-1",
        "install kernel-2",
        "upgrade",
        "upgrade",
    ]));
    all.push(kernel("installonly-limit-three", 3).run(&[
        "install kernel-1",
        "install kernel-2",
        "install kernel-3",
        "install kernel-4",
    ]));
    all.push(kernel("installonly-no-limit", 0).run(&[
        "install kernel-1",
        "install kernel-2",
        "install kernel-3",
        "upgrade",
    ]));
    all.push(kernel("installonly-needed", 2).run(&[
        "install kernel-1 module",
        "install kernel-2",
        "install kernel-3",
    ]));
    all.push(kernel("installonly-remove", 3).run(&[
        "install kernel-1",
        "install kernel-2",
        "remove kernel-1",
        "remove kernel",
    ]));
    all.push(kernel("installonly-older", 3).run(&["install kernel", "install kernel-2"]));
    all.push(kernel("installonly-together", 2).run(&["install kernel-1 kernel-2 kernel-3"]));
    all.push(kernel("installonly-sync", 2).run(&["install kernel-1", "distro-sync"]));
    all.push(kernel("installonly-reinstall", 3).run(&[
        "install kernel-1",
        "install kernel-2",
        "reinstall kernel-1",
    ]));
    all.push(kernel("installonly-downgrade", 3).run(&["install kernel-3", "downgrade kernel"]));
}

fn excludes(all: &mut Vec<Scenario>) {
    let repository = "a-1\na-2\nb-1 | Requires: a\nc-1 | Requires: a >= 2";
    let plain = |name: &str| Scenario::new(name, repository);
    all.push(plain("exclude-option").run(&["install --exclude=a b"]));
    all.push(
        plain("exclude-version").run(&["install --exclude=a-2* b", "install --exclude=a-2* c"]),
    );
    all.push(plain("exclude-short").run(&["install -x a-2-1 a"]));
    all.push(plain("exclude-glob").run(&["install --exclude=* b"]));
    all.push(plain("exclude-conf").conf("excludepkgs=a-2*").run(&[
        "install a",
        "upgrade",
        "install --setopt=disable_excludes=* a",
    ]));
    all.push(plain("exclude-repository").option("excludepkgs=a").run(&["install a", "install b"]));
    all.push(plain("include-repository").option("includepkgs=a").run(&["install a", "install b"]));
    all.push(plain("include-conf").conf("includepkgs=a-1*, b").run(&["install b", "install c"]));
    all.push(plain("exclude-installed").run(&[
        "install b",
        "remove --exclude=a b",
        "remove --exclude=b b",
    ]));
    all.push(plain("exclude-upgrade").run(&["install a-1 b", "upgrade --exclude=a", "upgrade"]));
}

fn repositories(all: &mut Vec<Scenario>) {
    let two = |name: &str| {
        Scenario::new(name, "a-1\nb-1").repository("other", "a-2\nb-1\nc-1 | Requires: a")
    };
    all.push(two("repository-newest").run(&["install a"]));
    all.push(two("repository-only").run(&[
        "install --repo=base a",
        "upgrade --repo=base",
        "upgrade",
    ]));
    all.push(two("repository-disable").run(&["install --disablerepo=other a c", "install c"]));
    all.push(
        two("repository-disabled")
            .option("enabled=0")
            .run(&["install a", "install --enablerepo=other c"]),
    );
    all.push(two("repository-unknown").run(&[
        "install --repo=zz a",
        "install --disablerepo=zz a",
        "install --enablerepo=zz a",
    ]));
    all.push(two("repository-same-version").run(&["install b"]));
    all.push(two("repository-from").run(&["install --from-repo=base a", "upgrade"]));
    let ranked = |name: &str, option: &str| {
        Scenario::new(name, "a-1\nb-1")
            .option(option)
            .repository("other", "a-2\nb-1\nc-1 | Requires: a >= 2")
    };
    all.push(ranked("priority-older", "priority=10").run(&["install a", "upgrade", "install c"]));
    all.push(ranked("priority-same-version", "priority=10").run(&["install b"]));
    all.push(ranked("priority-explicit", "priority=10").run(&["install a-2", "distro-sync"]));
    all.push(ranked("priority-low", "priority=200").run(&["install a b"]));
    all.push(ranked("cost-same-version", "cost=10").run(&["install b"]));
    all.push(ranked("cost-high", "cost=2000").run(&["install b"]));
    let absent = |name: &str, skip: &str| {
        Scenario::new(name, "a-1").repository("other", "b-1").option(skip).run(&[
            "$ sed -i 's,/other$,/absent,' etc/yum.repos.d/test.repo",
            "install a",
            "install b",
        ])
    };
    all.push(absent("repository-absent", "skip_if_unavailable=0"));
    all.push(absent("repository-absent-skipped", "skip_if_unavailable=1"));
}
