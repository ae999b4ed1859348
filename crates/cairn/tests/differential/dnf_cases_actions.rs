// SPDX-License-Identifier: MIT OR Apache-2.0
//! Further scenarios of `dnf` about what changes the system: `do`, files,
//! install-only packages that need each other, what the solver leaves out.

use crate::dnf_scenario::Scenario;

/// Adds all scenarios.
pub fn all(all: &mut Vec<Scenario>) {
    excluded_from_weak(all);
    foreign_packages(all);
    obsoletes(all);
    rich_requests(all);
    files(all);
    kernels(all);
    left_out(all);
    marks(all);
    actions_together(all);
    chosen_repositories(all);
    replacements(all);
}

/// Adds a table of scenarios.
pub fn push(all: &mut Vec<Scenario>, make: impl Fn(&str) -> Scenario, table: &[(&str, &[&str])]) {
    all.extend(table.iter().map(|(name, commands)| make(name).run(commands)));
}

fn excluded_from_weak(all: &mut Vec<Scenario>) {
    let plain = "a-1 | Recommends: r\na-2 | Recommends: (r >= 1 if a)\nc-2 | Recommends: r\nr-1\nr-2\n\
                 b-1\nb-2\ns-1 | Supplements: b\nd-1\nd-2\nsv-2 | Supplements: d >= 2\n\
                 e-1 | Recommends: (r if b)\ne-2 | Recommends: (r >= 2 if b)\no-1\np-2 | Obsoletes: o < 2";
    let make = |name: &str| Scenario::new(&format!("exclude-weak-{name}"), plain);
    let auto = "--setopt=exclude_from_weak_autodetect=1";
    let with = |command: &str| format!("{command} {auto}");
    let own = |commands: &[&str]| commands.iter().map(|one| with(one)).collect::<Vec<_>>();
    let table: [(&str, &[&str]); _] = [
        ("named", &["install a-1 --setopt=exclude_from_weak=r", "upgrade a", "install r"]),
        ("glob", &["install a-1 --setopt=exclude_from_weak=r*"]),
        (
            "wanted",
            &["install a-1 --setopt=exclude_from_weak=r", "install r --setopt=exclude_from_weak=r"],
        ),
        ("supplements", &["install b-1 --setopt=exclude_from_weak=s", "upgrade b"]),
        ("new-version", &["install d-1 --setopt=exclude_from_weak=sv", "upgrade d"]),
        ("by-another", &["install a-1 --setopt=exclude_from_weak=r", "install a c"]),
        ("condition", &["install e-1", "install b", "upgrade e"]),
        ("obsoletes", &["install --setopt=obsoletes=0 o", "upgrade --setopt=exclude_from_weak=p"]),
    ];
    for (name, commands) in table {
        let commands = own(commands);
        let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
        all.push(make(name).run(&commands));
    }
    all.push(make("not-detected").run(&[
        "install a-1 --setopt=exclude_from_weak=r",
        "upgrade a --setopt=exclude_from_weak_autodetect=0",
    ]));
}

/// Packages that rpm installed, of which dnf knows nothing.
fn foreign_packages(all: &mut Vec<Scenario>) {
    let make = |name: &str| {
        Scenario::new(
            &format!("foreign-{name}"),
            "a-1\na-2\na-3\nb-1\nc-2 | Obsoletes: b < 2\nkernel-1\nkernel-2\nd-1 | Requires: a",
        )
        .files("a-2\nb-1\nkernel-1\nkernel-2")
        .conf("installonlypkgs=kernel")
    };
    let rpm = |name: &str, package: &str| {
        format!("$ rpm --root $PWD -i --nodeps /work/files/foreign-{name}/{package}-1.noarch.rpm")
    };
    let table: [(&str, &str, &[&str]); _] = [
        ("downgrade", "a-2", &["downgrade a"]),
        ("upgrade", "a-2", &["upgrade a", "autoremove"]),
        ("reinstall", "a-2", &["reinstall a"]),
        ("install", "a-2", &["install a-2", "install a-2"]),
        ("install-newest", "a-2", &["install a"]),
        ("mark", "a-2", &["mark user a", "mark dependency a", "autoremove"]),
        ("needed", "a-2", &["install d", "remove d", "autoremove"]),
        ("obsoleted", "b-1", &["upgrade --best"]),
        ("obsoleted-no-best", "b-1", &["upgrade --no-best"]),
        ("obsoleted-marked", "b-1", &["mark dependency b", "upgrade --best"]),
        ("obsoleted-named", "b-1", &["upgrade --best c"]),
        ("obsoleted-installed", "b-1", &["install --best c"]),
        ("obsoleted-installed-no-best", "b-1", &["install --no-best c"]),
        ("obsoleted-marked-installed", "b-1", &["mark dependency b", "install c"]),
        ("obsoleted-marked-no-best", "b-1", &["mark dependency b", "upgrade --no-best"]),
        ("kernel", "kernel-1", &["upgrade --best", "autoremove"]),
        ("kernel-no-best", "kernel-1", &["upgrade --no-best", "autoremove"]),
        ("kernel-removed", "kernel-2", &["install kernel-1", "remove kernel-2", "autoremove"]),
        ("group", "a-2", &["remove a"]),
        ("sync", "a-2", &["distro-sync"]),
    ];
    for (name, package, commands) in table {
        all.push(make(name).run(&[&rpm(name, package)]).run(commands));
    }
    all.push(
        Scenario::new("foreign-removed", "a-1 | Requires: b, c\nb-1 | Requires: c\nc-1").run(&[
            "install a b",
            "$ rpm --root $PWD -e a b c",
            "install a",
            "remove a",
        ]),
    );
}

fn obsoletes(all: &mut Vec<Scenario>) {
    let make = |name: &str| {
        Scenario::new(
            &format!("obsoletes-{name}"),
            "a-1\na-3\nao-1 | Provides: a = 2 | Obsoletes: a < 2, e < 2\nap-1 | Provides: a = 4\n\
             b-1\nb-2\nbo-1 | Provides: b = 2 | Obsoletes: b\n\
             c-1\nd-1\nd-2 | Obsoletes: c < 2\ne-1\ne-3\nf-1\nfo-3 | Obsoletes: f\nfz-3 | Obsoletes: f",
        )
        .group("g", &["mandatory:c", "mandatory:d"])
        .files("ao-1 | Provides: a = 2 | Obsoletes: a < 2, e < 2")
    };
    let table: [(&str, &[&str]); _] = [
        ("newer-there", &["install e"]),
        ("of-two", &["install f"]),
        ("of-two-upgrade", &["install f-1", "upgrade"]),
        ("not-there", &["upgrade ao", "install b-1", "upgrade ao"]),
        ("named-new", &["install e-1", "upgrade ao"]),
        ("file", &["install e-1", "upgrade @ao-1"]),
        ("higher", &["install a-1", "upgrade"]),
        ("old-name", &["install b"]),
        ("all", &["install b-1", "upgrade", "autoremove"]),
        ("glob", &["install b-1", "upgrade b-2*"]),
        ("version", &["install b-1", "upgrade b-2"]),
        ("group", &["group install g"]),
        ("group-off", &["group install g --setopt=obsoletes=0"]),
        ("sync-two", &["install b-1 e-1", "distro-sync"]),
        ("sync-one", &["install b-1", "distro-sync b"]),
        ("downgrade", &["install d-2", "downgrade d", "install c", "upgrade d"]),
    ];
    push(all, make, &table);
}

/// Rich dependencies as arguments, and conditions that come and go.
fn rich_requests(all: &mut Vec<Scenario>) {
    let make = |name: &str| {
        Scenario::new(
            &format!("rich-request-{name}"),
            "milk-1 | Conflicts: water\nflour-1\noat-1\nwater-1\ncream-1\ndill-1\nsoy-1\n\
             p-1 | Requires: (milk if (flour or oat))\nq-1 | Requires: (milk or soy) | Recommends: milk\n\
             s-1 | Requires: (water and (cream if dill))\nt-1 | Requires: (flour and ((milk or cream) if dill))",
        )
    };
    let table: [(&str, &[&str]); _] = [
        ("condition-not-met", &["install '(milk if flour)'"]),
        ("condition-met", &["install flour", "install '(milk if flour)'"]),
        ("condition-together", &["install '(milk if flour)' flour"]),
        ("or", &["install '(zz or milk)'"]),
        ("and", &["install '(milk and flour)'"]),
        ("remove", &["install milk", "remove '(milk if flour)'"]),
        ("nothing", &["install '(zz and yy)'"]),
        ("gradually", &["install p oat", "remove oat", "remove milk"]),
        ("either", &["install oat", "install p"]),
        ("recommended", &["install q"]),
        ("recommended-too", &["install soy", "install q"]),
        ("nested", &["install dill", "install s"]),
        ("nested-not-met", &["install s", "install dill"]),
        ("conflict", &["install dill water", "install t"]),
    ];
    push(all, make, &table);
}

/// Packages given as files, in all forms.
fn files(all: &mut Vec<Scenario>) {
    let make = |name: &str| {
        Scenario::new(&format!("path-{name}"), "b-1\nb-2\nd-1 | Conflicts: a")
            .files("a-1 | Requires: b\na-2 | Requires: b = 1\nc-1\nc-2 | Requires: zz")
    };
    let here = |name: &str, file: &str| format!("/work/files/path-{name}/{file}");
    let table: [(&str, &str, &[&str]); _] = [
        ("wildcards", "install", &["a-*-1.noarch.rpm"]),
        ("braces", "install", &["{a-1,c-1}-1*.rpm"]),
        ("wildcards-nothing", "install", &["zz*.rpm"]),
        ("twice", "install", &["c-1-1.noarch.rpm", "c-1-1.noarch.rpm"]),
        ("unmet-skipped", "install --skip-broken", &["c-2-1.noarch.rpm"]),
        ("unmet-best", "install --best", &["c-1-1.noarch.rpm", "c-2-1.noarch.rpm"]),
        ("excluded", "install --exclude=c", &["c-1-1.noarch.rpm"]),
        ("included", "install --setopt=base.includepkgs=b", &["c-1-1.noarch.rpm"]),
        ("included-all", "install --setopt=includepkgs=b", &["c-1-1.noarch.rpm"]),
        ("excluded-all", "install --setopt=excludepkgs=c", &["c-1-1.noarch.rpm"]),
        ("no-repositories", "install --disable-repo=*", &["c-1-1.noarch.rpm"]),
        ("needs-repository", "install --disable-repo=*", &["a-1-1.noarch.rpm"]),
        ("remove", "remove", &["c-1-1.noarch.rpm"]),
        ("sync", "distro-sync", &["c-1-1.noarch.rpm"]),
        ("do", "do --action=install", &["c-1-1.noarch.rpm"]),
        ("missing", "install", &["none.rpm"]),
    ];
    for (name, command, files) in table {
        let files: Vec<String> = files.iter().map(|file| here(name, file)).collect();
        all.push(make(name).run(&[&format!("{command} {}", files.join(" "))]));
    }
    let table: [(&str, &[&str]); _] = [
        ("relative", &["install ../../../files/path-relative/c-1-1.noarch.rpm"]),
        ("url", &["install file:///work/files/path-url/c-1-1.noarch.rpm"]),
        ("url-case", &["install FiLe:///work/files/path-url-case/c-1-1.noarch.rpm"]),
        ("missing-name", &["install none.rpm", "install --skip-unavailable none.rpm b"]),
        ("no-package", &["$ echo no > etc/no.rpm", "install etc/no.rpm"]),
        ("swap", &["install b", "swap b @c-1"]),
        ("swap-missing", &["swap b @c-1"]),
        ("again", &["install @c-1", "install @c-1", "upgrade @c-1", "downgrade @c-1"]),
        ("erasing", &["install d", "install @a-1", "install --allowerasing @a-1"]),
    ];
    push(all, make, &table);
}

/// Install-only packages that belong together.
fn kernels(all: &mut Vec<Scenario>) {
    let packages: String = (1..=4)
        .map(|version| {
            format!(
                "kernel-{version} | Requires: core = {version}, modules = {version}\n\
                 core-{version} | Provides: core-uname-r = {version} | Provides: installonlypkg(core)\n\
                 modules-{version} | Requires: core-uname-r = {version}\n"
            )
        })
        .collect();
    let make = |limit: u32| {
        let packages = packages.clone();
        move |name: &str| {
            Scenario::new(&format!("kernels-{name}"), &packages)
                .conf("installonlypkgs=kernel, core, modules")
                .conf(&format!("installonly_limit={limit}"))
        }
    };
    let table: [(&str, &[&str]); _] = [
        ("two", &["install kernel-1", "install kernel-2", "upgrade"]),
        ("two-by-capability", &["install kernel-1", "install kernel-2", "install core-uname-r"]),
        ("two-remove", &["install kernel-1", "install kernel-2", "remove core-1", "autoremove"]),
        ("two-older", &["install kernel-3", "install kernel-4", "install kernel-1"]),
    ];
    push(all, make(2), &table);
    let table: [(&str, &[&str]); _] = [
        (
            "three-by-capability",
            &["install kernel-1", "install kernel-2", "install kernel-3", "install core-uname-r"],
        ),
        ("three-downgrade", &["install kernel-4", "downgrade kernel", "downgrade core"]),
        ("three-glob", &["install kernel-1", "install 'kernel*'", "remove 'core*'"]),
        ("three-names", &["install kernel-1 kernel-2", "remove kernel-1 kernel-2", "autoremove"]),
    ];
    push(all, make(3), &table);
    let provided = |name: &str| {
        Scenario::new(&format!("kernels-{name}"), &packages)
            .conf("installonlypkgs=installonlypkg(core)")
            .conf("installonly_limit=2")
    };
    let table: [(&str, &[&str]); _] = [
        ("provided", &["install core-1", "install core-2", "upgrade core"]),
        ("provided-one", &["install core-1", "upgrade"]),
    ];
    push(all, provided, &table);
    let named = |list: &'static str| {
        move |name: &str| {
            let scenario = Scenario::new(
                &format!("kernels-listed-{name}"),
                "a-1\na-2\na-3\nb-1\nb-2\nk-1 | Provides: installonlypkg(kernel)\nk-2 | Provides: installonlypkg(kernel)",
            );
            if list.is_empty() { scenario } else { scenario.conf(list) }
                .run(&["install a-1 b-1 k-1"])
        }
    };
    push(all, named(""), &[("default", &["install a-2 k"])]);
    let table: [(&str, &[&str]); _] = [
        ("added", &["install a-2 b k"]),
        ("two", &["install a-2 a-3 b k"]),
        ("older", &["install a-3", "upgrade a-2"]),
    ];
    push(all, named("installonlypkgs=a"), &table);
    push(all, named("installonlypkgs=,a"), &[("cleared", &["install a-2 b-2 k"])]);
    let vendors = |name: &str| {
        Scenario::new(
            &format!("kernels-vendor-{name}"),
            "k-1 | Vendor: One\nk-2 | Vendor: Two\nw-1 | Vendor: One\nw-2 | Vendor: Two\nn-1\nn-2 | Vendor: Two\nh-1 | Vendor: One\nh-2 | Vendor: One",
        )
        .conf("allow_vendor_change=0")
        .conf("installonlypkgs=k")
    };
    let table: [(&str, &[&str]); _] = [
        ("all", &["install w-1 k-1", "upgrade"]),
        ("version", &["install k-1", "install k-2"]),
        ("named", &["install k-1", "upgrade k"]),
        ("partly", &["install w-1 h-1", "upgrade"]),
        ("sync", &["install w-1 h-1", "distro-sync"]),
        ("none", &["install n-1", "upgrade n"]),
        ("option", &["install w-1 h-1", "upgrade --allow-vendor-change"]),
    ];
    push(all, vendors, &table);
    all.push(
        Scenario::new("kernels-limit-one", "kernel-1\nkernel-2")
            .conf("installonlypkgs=kernel")
            .conf("installonly_limit=1")
            .run(&["install kernel-1", "upgrade"]),
    );
}

/// Options that leave something out, and what cannot be left out.
fn left_out(all: &mut Vec<Scenario>) {
    let make = |name: &str| {
        Scenario::new(
            &format!("left-out-{name}"),
            "a-1\na-2 | Requires: zz\nb-1 | Requires: c\nc-1\nd-1 | Requires: yy\ne-1 | Conflicts: f\nf-1\n\
             g-1\ng-2 | Requires: c >= 2\nh-1 | Requires: g >= 2",
        )
    };
    let table: [(&str, &[&str]); _] = [
        ("strict", &["install --exclude=c b --setopt=strict=1"]),
        ("strict-off", &["install --exclude=c b --setopt=strict=0 --setopt=best=0"]),
        ("strict-off-best", &["install --exclude=c b --setopt=strict=0 --setopt=best=1"]),
        ("strict-off-some", &["install --exclude=c b c f zz --setopt=strict=0"]),
        ("broken-best", &["install --exclude=c b --skip-broken --setopt=best=1"]),
        ("broken-some", &["install --skip-broken b d f"]),
        ("broken-older", &["install --skip-broken a"]),
        ("broken-older-no-best", &["install --skip-broken --no-best a d"]),
        ("broken-conflict", &["install f", "install --skip-broken e"]),
        ("broken-conflict-together", &["install --skip-broken e f"]),
        (
            "unavailable-broken",
            &["install zz d", "install zz d --skip-unavailable", "install zz d --skip-broken"],
        ),
        ("unavailable-no-best", &["install zz a", "install zz a --no-best"]),
        (
            "unavailable-all",
            &["install zz --skip-unavailable", "remove zz", "upgrade zz --skip-unavailable"],
        ),
        ("conflict-erasing", &["install f", "install zz e", "install e --allowerasing"]),
        (
            "upgrade-some",
            &["install a-1", "upgrade --skip-unavailable zz a b", "upgrade --no-best a"],
        ),
        (
            "downgrade-some",
            &["install c", "downgrade c zz b", "downgrade --skip-unavailable c zz b"],
        ),
        ("remove-some", &["install c f", "remove c zz", "remove zz yy"]),
        ("reinstall-some", &["install c", "reinstall c b", "reinstall --skip-unavailable c b zz"]),
        ("sync-best", &["install a-1", "distro-sync", "distro-sync --no-best"]),
        (
            "sync-excluded",
            &["install a-1", "distro-sync --exclude=a-2* --best", "upgrade --exclude=a-2* --best"],
        ),
        (
            "dependency-of-wanted",
            &["install g-1", "install h", "install h --no-best", "install h --skip-broken"],
        ),
        ("reinstall-broken", &["install f", "reinstall --skip-broken f e"]),
        (
            "advisory",
            &["install c --advisories=zz", "install 'c*' --advisories=zz", "upgrade --security"],
        ),
        ("glob", &["install '[ab]' --skip-broken", "install '[ab]' --no-best"]),
        (
            "swap",
            &["install f", "swap f d", "swap f d --skip-broken", "swap f zz --skip-unavailable"],
        ),
        ("excluded-all", &["install c --exclude=c", "install c --exclude=c --skip-unavailable"]),
    ];
    push(all, make, &table);
}

fn marks(all: &mut Vec<Scenario>) {
    let make = |name: &str| {
        Scenario::new(&format!("mark-more-{name}"), "a-1 | Requires: c\nb-1 | Requires: c\nc-1")
            .group("g", &["mandatory:a"])
    };
    let table: [(&str, &[&str]); _] = [
        ("group", &["install a", "group install g", "mark group g a", "mark group g a"]),
        ("group-unknown", &["install a", "mark group zz a", "group install g", "mark group g zz"]),
        ("group-back", &["group install g", "mark user a", "mark group g a"]),
        ("skipped", &["install a", "mark --skip-unavailable dependency a zz"]),
        ("some", &["install a", "mark dependency a zz"]),
        ("weak-of-dependency", &["install a", "mark weak c", "remove a"]),
        ("shared", &["install a b", "mark dependency b", "autoremove"]),
        ("stored", &["install a", "mark user c --store=./t"]),
        ("same", &["install a", "mark user a", "mark weak a", "mark weak a"]),
    ];
    push(all, make, &table);
}

/// `dnf do`.
fn actions_together(all: &mut Vec<Scenario>) {
    let make = |name: &str| {
        Scenario::new(
            &format!("do-{name}"),
            "a-1 | Requires: d\nb-1\nc-1\nd-1\nw-1\nw-2 | Obsoletes: x\nx-1",
        )
        .group("g", &["mandatory:b"])
        .repository("one", "a-2 | Requires: d\nc-2\nd-2\nn-1")
        .option("enabled=0")
        .repository("two", "a-3 | Requires: d\nb-2\nc-2\nn-2\nm-1 | Provides: cap")
        .option("enabled=0")
        .run(&["do --action=install a b", "do --action=install c --enable-repo=one,two"])
    };
    let more = "--enable-repo=one,two";
    let table: [(&str, &str); _] = [
        ("upgrade", "--action=upgrade --installed-from-repo=base a"),
        ("upgrade-glob", "--action=upgrade --installed-from-repo=base '*'"),
        ("upgrade-none", "--action=upgrade --installed-from-repo=one 'a*'"),
        ("upgrade-from", "--action=upgrade --installed-from-repo=base --from-repo=one '*'"),
        ("upgrade-all", "--action=upgrade '*'"),
        ("downgrade", "--action=downgrade --installed-from-repo=one,two '*'"),
        ("reinstall", "--action=reinstall --installed-from-repo=base a"),
        ("reinstall-list", "--action=reinstall --installed-from-repo=base,one '*'"),
        ("reinstall-globs", "--action=reinstall --installed-from-repo=b??e '*'"),
        ("remove", "--action=remove --installed-from-repo=base b"),
        ("remove-all", "--action=remove --installed-from-repo=base '*'"),
        ("remove-needed", "--action=remove d"),
        (
            "several",
            "--action=reinstall --installed-from-repo=base a --action=install n --action=remove b",
        ),
        ("several-reset", "--action=upgrade --installed-from-repo=base '*' --action=install n"),
        ("from-kept", "--action=upgrade --from-repo=one a --action=install m"),
        (
            "from-skipped",
            "--skip-unavailable --action=upgrade --from-repo=one a --action=install m",
        ),
        ("capability", "--action=install cap"),
        ("group", "--action=install @g --action=remove a"),
        ("nothing", "--action=install zz"),
        ("wrong", "--action=zz a"),
        ("without", "a"),
        ("opposite", "--action=install n --action=remove n"),
    ];
    for (name, arguments) in table {
        all.push(make(name).run(&[&format!("do {more} {arguments}")]));
    }
}

/// `distro-sync`, `upgrade` and `downgrade` with `--from-repo` and `--installed-from-repo`.
fn chosen_repositories(all: &mut Vec<Scenario>) {
    let make = |name: &str| {
        Scenario::new(&format!("chosen-repo-{name}"), "a-1 | Requires: d\nb-1\nd-1\nw-1")
            .repository("one", "a-2 | Requires: d, e\nb-2\ne-1\nc-1")
            .option("enabled=0")
            .repository(
                "two",
                "a-3 | Requires: d >= 2\nd-2\nb-3\nc-2\nx-1 | Obsoletes: w\ny-1 | Obsoletes: w",
            )
            .option("enabled=0")
            .run(&["install a b w", "install c --enable-repo=one,two"])
    };
    let table: [(&str, &str); _] = [
        ("sync", "distro-sync --installed-from-repo=base"),
        ("sync-all", "distro-sync --installed-from-repo=base '*'"),
        ("sync-to", "distro-sync --installed-from-repo=base --from-repo=one '*'"),
        ("sync-down", "distro-sync --installed-from-repo=two --from-repo=one '*'"),
        ("sync-two", "distro-sync --installed-from-repo=base,two --from-repo=one '*'"),
        ("sync-named", "distro-sync --from-repo=one a"),
        ("upgrade", "upgrade --installed-from-repo=base"),
        ("upgrade-from", "upgrade --from-repo=one"),
        ("upgrade-from-named", "upgrade --from-repo=one a"),
        ("upgrade-both", "upgrade --installed-from-repo=base --from-repo=one '*'"),
        ("downgrade", "downgrade --from-repo=one c"),
        ("downgrade-installed", "downgrade --installed-from-repo=two '*'"),
        ("reinstall", "reinstall --installed-from-repo=base '*'"),
        ("remove", "remove --installed-from-repo=two '*'"),
        ("install", "install --from-repo=one e c"),
        ("swap", "swap --from-repo=two w x"),
    ];
    for (name, command) in table {
        all.push(make(name).run(&[&format!("{command} --enable-repo=one,two")]));
    }
}

fn replacements(all: &mut Vec<Scenario>) {
    let make = |name: &str| {
        Scenario::new(
            &format!("swap-more-{name}"),
            "a-1\na-devel-1\na-extra-1\nb-1 | Requires: c\nb-extra-1\nc-1 | Recommends: d\nd-1\nx-1 | Conflicts: a",
        )
        .group("g", &["mandatory:a", "default:a-extra"])
        .group("h", &["mandatory:b", "default:b-extra"])
    };
    let table: [(&str, &[&str]); _] = [
        ("plain", &["install a a-devel", "swap a b"]),
        ("wildcards", &["install a a-devel a-extra", "swap 'a*' 'b*'"]),
        ("groups", &["group install g", "install a-devel", "swap @g @h"]),
        ("group-at", &["group install g", "swap @g b"]),
        ("conflict", &["install a", "swap a x"]),
        ("absent", &["swap a b", "install b", "swap a b"]),
    ];
    push(all, make, &table);
    let epoch = |name: &str| {
        Scenario::new(&format!("epoch-{name}"), "a-1")
            .option("enabled=0")
            .repository("one", "a-1 | Epoch: 1")
            .option("enabled=0")
    };
    let table: [(&str, &[&str]); _] = [
        ("upgrade", &["install --enable-repo=base a", "upgrade --enable-repo=one a"]),
        ("downgrade", &["install --enable-repo=one a", "downgrade --enable-repo=base a"]),
        ("sync", &["install --enable-repo=one a", "distro-sync --enable-repo=base"]),
    ];
    push(all, epoch, &table);
    let two = |name: &str| {
        Scenario::new(&format!("reinstall-from-{name}"), "a-1 | Requires: b\nb-1")
            .repository("other", "b-1")
            .option("enabled=0")
    };
    let table: [(&str, &[&str]); _] = [
        ("other", &["install a", "reinstall --enable-repo=other b"]),
        ("only-other", &["install a", "reinstall --repo=other b", "reinstall --repo=other a"]),
        ("named", &["install a", "reinstall --enable-repo=other --from-repo=other b"]),
    ];
    push(all, two, &table);
}
