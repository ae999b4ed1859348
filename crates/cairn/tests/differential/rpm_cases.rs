// SPDX-License-Identifier: MIT OR Apache-2.0
//! All scenarios. Most come from tables: each way a file can change with each way an administrator can have changed it, each
//! scriptlet with each operation, and so on.

use crate::rpm_features::FILE_TRIGGERS;
use crate::scenario::{Pkg, Scenario};

/// Returns all scenarios.
pub fn all() -> Vec<Scenario> {
    let mut all = Vec::new();
    configuration(&mut all);
    scriptlets(&mut all);
    crate::rpm_failing::failures(&mut all);
    crate::rpm_failing::accounts(&mut all);
    triggers(&mut all);
    file_triggers(&mut all);
    dependencies(&mut all);
    file_conflicts(&mut all);
    replacing(&mut all);
    options(&mut all);
    payloads(&mut all);
    lua(&mut all);
    queries(&mut all);
    verification(&mut all);
    crate::rpm_order::order(&mut all);
    crate::rpm_more::all(&mut all);
    crate::rpm_asking::all(&mut all);
    all
}

fn configuration(all: &mut Vec<Scenario>) {
    let kinds = [
        ("plain", ""),
        ("config", "%config"),
        ("noreplace", "%config(noreplace)"),
        ("missingok", "%config(missingok)"),
        ("both", "%config(noreplace,missingok)"),
    ];
    let edits = [
        ("same", "true"),
        ("edited", "echo mine > etc/a.conf"),
        ("removed", "rm etc/a.conf"),
        ("equal", "echo two > etc/a.conf"),
        ("link", "rm etc/a.conf; ln -s elsewhere etc/a.conf"),
    ];
    for (kind, attributes) in kinds {
        let one = Pkg::new("a", "1").file("/etc/a.conf", attributes, "one");
        let upgrades = [
            ("changed", Pkg::new("a", "2").file("/etc/a.conf", attributes, "two")),
            ("unchanged", Pkg::new("a", "2").file("/etc/a.conf", attributes, "one")),
            ("gone", Pkg::new("a", "2").file("/etc/b.conf", attributes, "two")),
            ("linked", Pkg::new("a", "2").link("/etc/a.conf", "b.conf")),
        ];
        for (edit, command) in edits {
            for (change, two) in &upgrades {
                let name = format!("config-{kind}-{edit}-{change}");
                all.push(
                    Scenario::new(name, &[one.clone(), two.clone()])
                        .rpm("-i @a-1")
                        .shell(command)
                        .rpm("-U @a-2"),
                );
            }
            let base =
                || Scenario::new("", std::slice::from_ref(&one)).rpm("-i @a-1").shell(command);
            let named = |name: &str, scenario: Scenario| Scenario {
                name: format!("config-{kind}-{edit}-{name}"),
                ..scenario
            };
            all.push(named("erase", base().rpm("-V a").rpm("-e a")));
        }
        all.push(
            Scenario::new(format!("config-{kind}-unowned"), std::slice::from_ref(&one))
                .shell("echo mine > etc/a.conf")
                .rpm("-i @a-1"),
        );
    }
    let ghost = Pkg::new("g", "1").ghost("/etc/ghost", "").directory("/var/lib/g", "");
    all.push(
        Scenario::new("ghost-absent", std::slice::from_ref(&ghost))
            .rpm("-i @g-1")
            .rpm("-V g")
            .rpm("-e g"),
    );
    all.push(
        Scenario::new("ghost-present", &[ghost])
            .rpm("-i @g-1")
            .shell("echo x > etc/ghost; echo y > var/lib/g/left")
            .rpm("-V g")
            .rpm("-e g"),
    );
}

const SECTIONS: [&str; 8] = [
    "%pretrans",
    "%pre",
    "%post",
    "%preun",
    "%postun",
    "%posttrans",
    "%preuntrans",
    "%postuntrans",
];

fn with_scripts(name: &str, version: &str) -> Pkg {
    let package = Pkg::new(name, version).file(&format!("/usr/share/{name}"), "", version);
    SECTIONS.iter().fold(package, |package, section| package.traced(section))
}

fn scriptlets(all: &mut Vec<Scenario>) {
    let (one, two) = (with_scripts("a", "1"), with_scripts("a", "2"));
    let both = [one.clone(), two.clone()];
    let operations: [(&str, &[&str]); 8] = [
        ("install", &["-i @a-1"]),
        ("erase", &["-i @a-1", "-e a"]),
        ("upgrade", &["-i @a-1", "-U @a-2"]),
        ("downgrade", &["-i @a-2", "-U --oldpackage @a-1"]),
        ("reinstall", &["-i @a-1", "--reinstall @a-1"]),
        ("replacepkgs", &["-i @a-1", "-U --replacepkgs @a-1"]),
        ("again", &["-i @a-1", "-i --replacepkgs @a-1"]),
        ("side-by-side", &["-i @a-1", "-i --replacefiles @a-2", "-e a-1"]),
    ];
    for (name, commands) in operations {
        let scenario = Scenario::new(format!("scripts-{name}"), &both);
        all.push(commands.iter().fold(scenario, |scenario, command| scenario.rpm(*command)));
    }
    for section in SECTIONS {
        let name = section.trim_start_matches('%');
        let failing = |version: &str| {
            Pkg::new("a", version)
                .file("/usr/share/a", "", version)
                .section(section, &format!("echo {name} {version} $1 >> /trace; exit 3"))
        };
        let packages = [failing("1"), failing("2")];
        all.push(Scenario::new(format!("failing-{name}-install"), &packages).rpm("-i @a-1"));
        all.push(
            Scenario::new(format!("failing-{name}-upgrade"), &packages)
                .rpm("-i --noscripts @a-1")
                .rpm("-U @a-2"),
        );
        all.push(
            Scenario::new(format!("failing-{name}-erase"), &packages)
                .rpm("-i --noscripts @a-1")
                .rpm("-e a"),
        );
        let option = format!("--no{name}");
        if !name.ends_with("untrans") {
            all.push(
                Scenario::new(format!("silent-{name}"), &both)
                    .rpm(format!("-i {option} @a-1"))
                    .rpm(format!("-U {option} @a-2"))
                    .rpm(format!("-e {option} a")),
            );
        }
    }
    all.push(
        Scenario::new("silent-all", &both)
            .rpm("-i --noscripts @a-1")
            .rpm("-U --noscripts @a-2")
            .rpm("-e --noscripts a"),
    );
    let order = |name: &str, requires: &str| with_scripts(name, "1").tag(requires);
    all.push(
        Scenario::new("scripts-two-packages", &[order("a", "Requires: b"), with_scripts("b", "1")])
            .rpm("-i @a-1 @b-1")
            .rpm("-e a b"),
    );
    all.push(
        Scenario::new(
            "scripts-loop",
            &[order("a", "Requires(post): b"), order("b", "Requires: a")],
        )
        .rpm("-i @a-1 @b-1")
        .rpm("-e a b"),
    );
    all.push(
        Scenario::new(
            "scripts-chain",
            &[order("a", "Requires: b"), order("b", "Requires(pre): c"), with_scripts("c", "1")],
        )
        .rpm("-i @a-1 @b-1 @c-1")
        .rpm("-e a b c"),
    );
    let interpreter =
        Pkg::new("a", "1").section("%post -p /usr/bin/dash", "echo dash $1 >> /trace");
    all.push(Scenario::new("scripts-interpreter", &[interpreter]).rpm("-i --nodeps @a-1"));
    let output = Pkg::new("a", "1").section("%post", "echo out; echo err >&2");
    all.push(Scenario::new("scripts-output", &[output]).rpm("-i @a-1"));
}

fn triggers(all: &mut Vec<Scenario>) {
    let kinds = ["%triggerprein", "%triggerin", "%triggerun", "%triggerpostun"];
    let targets = [("any", "b"), ("old", "b < 2"), ("new", "b >= 2"), ("two", "b, c")];
    for kind in kinds {
        let short = kind.trim_start_matches('%');
        for (name, target) in targets {
            let watcher = Pkg::new("w", "1")
                .file("/usr/share/w", "", "w")
                .traced(&format!("{kind} -- {target}"));
            let packages = [watcher, with_scripts("b", "1"), with_scripts("b", "2")];
            all.push(
                Scenario::new(format!("{short}-{name}-before"), &packages)
                    .rpm("-i @w-1")
                    .rpm("-i @b-1")
                    .rpm("-U @b-2")
                    .rpm("-e b"),
            );
            all.push(
                Scenario::new(format!("{short}-{name}-after"), &packages)
                    .rpm("-i @b-1")
                    .rpm("-i @w-1")
                    .rpm("-e w"),
            );
        }
    }
    let all_kinds = |version: &str| {
        kinds.iter().fold(with_scripts("w", version), |package, kind| {
            package.traced(&format!("{kind} -- b"))
        })
    };
    let packages = [all_kinds("1"), all_kinds("2"), with_scripts("b", "1"), with_scripts("b", "2")];
    all.push(
        Scenario::new("triggers-together", &packages)
            .rpm("-i @w-1 @b-1")
            .rpm("-U @w-2 @b-2")
            .rpm("-e w b"),
    );
    all.push(
        Scenario::new("triggers-silent", &packages)
            .rpm("-i @w-1")
            .rpm("-i --notriggers @b-1")
            .rpm("-e --notriggers b"),
    );
    all.push(
        Scenario::new("triggers-watcher-upgrade", &packages).rpm("-i @w-1 @b-1").rpm("-U @w-2"),
    );
}

fn file_triggers(all: &mut Vec<Scenario>) {
    let target = |version: &str| {
        let package = with_scripts("b", version).file("/usr/lib/x/one", "", "1").file(
            "/usr/lib/x/two",
            "",
            version,
        );
        if version == "1" { package.file("/usr/lib/x/old", "", "o") } else { package }
    };
    for kind in FILE_TRIGGERS {
        let short = kind.trim_start_matches('%');
        for (name, option) in [("plain", ""), ("low", "-P 100 "), ("high", "-P 2000000 ")] {
            let watcher = Pkg::new("w", "1")
                .file("/usr/share/w", "", "w")
                .traced_files(&format!("{kind} {option}-- /usr/lib/x"));
            let packages = [watcher, target("1"), target("2")];
            all.push(
                Scenario::new(format!("{short}-{name}-before"), &packages)
                    .rpm("-i @w-1")
                    .rpm("-i @b-1")
                    .rpm("-U @b-2")
                    .rpm("-e b"),
            );
            all.push(
                Scenario::new(format!("{short}-{name}-after"), &packages)
                    .rpm("-i @b-1")
                    .rpm("-i @w-1")
                    .rpm("-e w"),
            );
            all.push(
                Scenario::new(format!("{short}-{name}-together"), &packages)
                    .rpm("-i @w-1 @b-1")
                    .rpm("-e w b"),
            );
        }
    }
    let own = with_scripts("w", "1").file("/usr/lib/x/own", "", "o");
    let own = FILE_TRIGGERS
        .iter()
        .fold(own, |package, kind| package.traced_files(&format!("{kind} -- /usr/lib/x")));
    all.push(
        Scenario::new("filetriggers-own", &[own])
            .rpm("-i @w-1")
            .rpm("--reinstall @w-1")
            .rpm("-e w"),
    );
}

fn dependencies(all: &mut Vec<Scenario>) {
    let requirements = [
        "b",
        "b = 1",
        "b >= 1",
        "b > 1",
        "b < 2",
        "cap",
        "cap >= 2",
        "/usr/share/b",
        "/usr/share/missing",
        "(b and c)",
        "(b or c)",
        "(b if c)",
        "(c if b else a)",
        "b(noarch)",
        "(cap with b)",
    ];
    for (number, requirement) in requirements.iter().enumerate() {
        let one = Pkg::new("a", "1").tag(format!("Requires: {requirement}"));
        let other = Pkg::new("b", "1").file("/usr/share/b", "", "b").tag("Provides: cap = 2");
        all.push(
            Scenario::new(format!("requires-{number}"), &[one, other])
                .rpm("-i @a-1")
                .rpm("-i @b-1")
                .rpm("-i @a-1")
                .rpm("-e b")
                .rpm("-e --nodeps b")
                .rpm("-V a")
                .rpm("-e a"),
        );
    }
    for kind in ["pre", "post", "preun", "postun", "pretrans", "posttrans", "meta", "interp"] {
        let one = Pkg::new("a", "1").tag(format!("Requires({kind}): b"));
        all.push(
            Scenario::new(format!("requires-{kind}"), &[one, Pkg::new("b", "1")])
                .rpm("-i @a-1")
                .rpm("-i @b-1 @a-1")
                .rpm("-q --whatrequires b")
                .rpm("-e b")
                .rpm("-V a"),
        );
    }
    let conflicts = ["b", "b < 2", "b > 1", "cap", "(b and a)"];
    for (number, conflict) in conflicts.iter().enumerate() {
        let one = Pkg::new("a", "1").tag(format!("Conflicts: {conflict}"));
        let other = Pkg::new("b", "1").tag("Provides: cap");
        let packages = [one, other];
        all.push(
            Scenario::new(format!("conflicts-{number}-new"), &packages)
                .rpm("-i @b-1")
                .rpm("-i @a-1")
                .rpm("-i --nodeps @a-1"),
        );
        all.push(
            Scenario::new(format!("conflicts-{number}-old"), &packages)
                .rpm("-i @a-1")
                .rpm("-i @b-1"),
        );
        all.push(Scenario::new(format!("conflicts-{number}-both"), &packages).rpm("-i @a-1 @b-1"));
    }
    let feature = Pkg::new("a", "1").tag("Requires: rpmlib(Nothing) = 1");
    all.push(Scenario::new("requires-unknown-feature", &[feature]).rpm("-i @a-1"));
    let upgrade =
        [Pkg::new("a", "1").tag("Requires: b = 1"), Pkg::new("b", "1"), Pkg::new("b", "2")];
    all.push(
        Scenario::new("requires-breaks-on-upgrade", &upgrade).rpm("-i @a-1 @b-1").rpm("-U @b-2"),
    );
}

fn file_conflicts(all: &mut Vec<Scenario>) {
    let shapes = [
        ("file", Pkg::new("x", "1").file("/usr/share/x", "", "one")),
        ("equal", Pkg::new("x", "1").file("/usr/share/x", "", "two")),
        ("mode", Pkg::new("x", "1").file("/usr/share/x", "%attr(600,root,root)", "two")),
        ("link", Pkg::new("x", "1").link("/usr/share/x", "one")),
        ("directory", Pkg::new("x", "1").directory("/usr/share/x", "")),
        ("ghost", Pkg::new("x", "1").ghost("/usr/share/x", "")),
        ("config", Pkg::new("x", "1").file("/usr/share/x", "%config", "one")),
    ];
    let other = Pkg::new("y", "1").file("/usr/share/x", "", "two");
    for (name, one) in shapes {
        let packages = [one, other.clone()];
        all.push(
            Scenario::new(format!("files-{name}-first"), &packages)
                .rpm("-i @x-1")
                .rpm("-i @y-1")
                .rpm("-e x"),
        );
        all.push(
            Scenario::new(format!("files-{name}-second"), &packages)
                .rpm("-i @y-1")
                .rpm("-i @x-1")
                .rpm("-e y"),
        );
        all.push(Scenario::new(format!("files-{name}-together"), &packages).rpm("-i @x-1 @y-1"));
        if matches!(name, "file" | "mode" | "config") {
            all.push(
                Scenario::new(format!("files-{name}-replaced"), &packages)
                    .rpm("-i @x-1")
                    .rpm("-i --replacefiles @y-1")
                    .rpm("-V x")
                    .rpm("-e x"),
            );
        }
    }
    let shared =
        |name: &str| Pkg::new(name, "1").file("/usr/share/s", "", "s").directory("/usr/lib/d", "");
    all.push(
        Scenario::new("files-shared", &[shared("x"), shared("y")])
            .rpm("-i @x-1 @y-1")
            .rpm("-e x")
            .rpm("-qf /usr/share/s")
            .rpm("-e y"),
    );
}

fn replacing(all: &mut Vec<Scenario>) {
    let old = |version: &str| with_scripts("old", version);
    for (name, tag) in [("any", "old"), ("below", "old < 2"), ("above", "old > 2")] {
        let new = with_scripts("new", "1").tag(format!("Obsoletes: {tag}"));
        let packages = [old("1"), new];
        all.push(
            Scenario::new(format!("obsoletes-{name}-upgrade"), &packages)
                .rpm("-i @old-1")
                .rpm("-U @new-1"),
        );
        all.push(
            Scenario::new(format!("obsoletes-{name}-install"), &packages)
                .rpm("-i @old-1")
                .rpm("-i @new-1"),
        );
        all.push(
            Scenario::new(format!("obsoletes-{name}-after"), &packages)
                .rpm("-i @new-1")
                .rpm("-i @old-1"),
        );
    }
    let versions = [
        Pkg::new("a", "1"),
        Pkg::new("a", "2"),
        Pkg::new("a", "1~rc"),
        Pkg::new("a", "3").tag("Epoch: 1"),
    ];
    all.push(
        Scenario::new("versions-old", &versions)
            .rpm("-i @a-2")
            .rpm("-U @a-1")
            .rpm("-U @a-1~rc")
            .rpm("-U @a-3")
            .rpm("-q a"),
    );
    all.push(
        Scenario::new("versions-epoch", &versions)
            .rpm("-i @a-3")
            .rpm("-U @a-2")
            .rpm("-Uvh @a-2")
            .rpm("-q --qf %{EVR}\\\\n a"),
    );
    all.push(
        Scenario::new("versions-same", &versions)
            .rpm("-i @a-1")
            .rpm("-i @a-1")
            .rpm("-U @a-1")
            .rpm("-F @a-1"),
    );
    all.push(
        Scenario::new("versions-freshen", &versions)
            .rpm("-F @a-1")
            .rpm("-i @a-1")
            .rpm("-F @a-2")
            .rpm("-q a"),
    );
    all.push(
        Scenario::new("versions-both", &versions)
            .rpm("-i @a-1")
            .rpm("-i @a-2")
            .rpm("-q a")
            .rpm("-e a")
            .rpm("-e --allmatches a"),
    );
    all.push(Scenario::new("versions-two-at-once", &versions).rpm("-U @a-1 @a-2").rpm("-q a"));
    let directory = Pkg::new("d", "1").directory("/usr/lib/d", "").file("/usr/lib/d/f", "", "f");
    let moved = Pkg::new("d", "2").file("/usr/lib/e", "", "f");
    all.push(
        Scenario::new("directory-goes", &[directory.clone(), moved.clone()])
            .rpm("-i @d-1")
            .rpm("-U @d-2"),
    );
    all.push(
        Scenario::new("directory-stays", &[directory, moved])
            .rpm("-i @d-1")
            .shell("echo mine > usr/lib/d/mine")
            .rpm("-U @d-2"),
    );
}

fn options(all: &mut Vec<Scenario>) {
    let package = || {
        with_scripts("a", "1")
            .file("/usr/share/doc/a/README", "%doc", "doc")
            .file("/usr/share/licenses/a", "%license", "license")
            .file("/usr/lib/a/b/c", "", "c")
            .file("/usr/lib/ab", "", "ab")
            .file("/usr/share/de", "%lang(de)", "de")
            .file("/usr/share/art", "%artifact", "art")
            .file("/etc/a.conf", "%config", "conf")
    };
    let simple = [
        "--test",
        "--justdb",
        "--nodeps",
        "--force",
        "--excludedocs",
        "--includedocs",
        "--noorder",
        "--ignoresize",
        "--ignorearch",
        "--ignoreos",
        "--excludepath /usr/lib/a",
        "--excludepath /usr",
        "--excludeartifacts",
        "--excludeconfigs",
        "--nocaps",
        "--noplugins",
        "--allfiles",
        "-v",
        "-vh",
        "--percent",
        "--quiet",
        "--noverify",
        "--nodigest",
        "--define '_install_langs fr'",
        "--define '_install_langs de:fr'",
        "--define '_netsharedpath /usr/lib/a'",
        "--define '_excludedocs 1'",
        "--nosuch",
        "--relocate /usr=/opt",
        "--prefix /opt",
        "--allmatches",
    ];
    for (number, option) in simple.iter().enumerate() {
        all.push(
            Scenario::new(format!("option-{number}"), &[package()])
                .rpm(format!("-i {option} @a-1"))
                .rpm("-qs a")
                .rpm("-V a"),
        );
    }
    for (number, option) in [
        "--test",
        "--justdb",
        "--nodeps",
        "-v",
        "-vh",
        "--noscripts",
        "--nopreun",
        "--replacepkgs",
        "--excludedocs",
    ]
    .iter()
    .enumerate()
    {
        all.push(
            Scenario::new(format!("erase-option-{number}"), &[package()])
                .rpm("-i @a-1")
                .rpm(format!("-e {option} a"))
                .rpm("-q a"),
        );
    }
    let other = |arch: &str| Pkg::new("o", "1").built_for(arch);
    all.push(
        Scenario::new("other-architecture", &[other("aarch64")])
            .rpm("-i @o-1")
            .rpm("-i --ignorearch @o-1"),
    );
    all.push(Scenario::new("old-architecture", &[other("i686")]).rpm("-i @o-1"));
    all.push(
        Scenario::new("nothing-given", &[package()])
            .rpm("-i")
            .rpm("-e")
            .rpm("-q")
            .rpm("-V")
            .rpm("-U missing.rpm")
            .rpm("-e missing"),
    );
}

fn payloads(all: &mut Vec<Scenario>) {
    let package = |codec: &str| {
        Pkg::new("p", "1")
            .tag(format!("%define _binary_payload {codec}"))
            .file("/usr/share/p/one", "", "one")
            .made(
                "/usr/share/p/two",
                "",
                "ln %{buildroot}/usr/share/p/one %{buildroot}/usr/share/p/two",
            )
            .made(
                "/usr/share/p/three",
                "",
                "ln %{buildroot}/usr/share/p/one %{buildroot}/usr/share/p/three",
            )
            .made(
                "/usr/share/p/empty",
                "%attr(4755,root,root)",
                ": > %{buildroot}/usr/share/p/empty",
            )
            .link("/usr/share/p/link", "one")
            .directory("/usr/share/p/sticky", "%attr(1777,root,root)")
    };
    for codec in ["w9.gzdio", "w9.bzdio", "w6.xzdio", "w6.lzdio", "w3.zstdio", "w.ufdio"] {
        let name = codec.replace('.', "-");
        all.push(
            Scenario::new(format!("payload-{name}"), &[package(codec)])
                .rpm("-i @p-1")
                .rpm("-V p")
                .rpm("-qlv p")
                .rpm("-K @p-1"),
        );
    }
    all.push(
        Scenario::new("hardlinks-partly", &[package("w1.gzdio")])
            .rpm("-i --excludepath /usr/share/p/one @p-1")
            .rpm("-V p"),
    );
}

fn lua(all: &mut Vec<Scenario>) {
    let bodies = [
        (
            "arguments",
            "local f = io.open('/trace', 'a') f:write(#arg, ' ', arg[1], ' ', arg[2], '\\n') f:close()",
        ),
        (
            "posix",
            "posix.mkdir('/usr/lib/l') posix.chmod('/usr/lib/l', 'rwx------') posix.symlink('x', '/usr/lib/l/s')",
        ),
        ("execute", "rpm.execute('/bin/sh', '-c', 'echo executed >> /trace')"),
        ("error", "error('no')"),
        (
            "version",
            "local f = io.open('/trace', 'a') f:write(rpm.vercmp('1', '2'), rpm.expand('%{_bindir}')) f:close()",
        ),
        ("rename", "os.rename('/etc/passwd', '/etc/passwd.old')"),
    ];
    for (name, body) in bodies {
        for section in ["%pretrans", "%pre", "%post", "%postun"] {
            let short = section.trim_start_matches('%');
            let package = Pkg::new("l", "1")
                .file("/usr/share/l", "", "l")
                .section(&format!("{section} -p <lua>"), body);
            all.push(
                Scenario::new(format!("lua-{name}-{short}"), &[package]).rpm("-i @l-1").rpm("-e l"),
            );
        }
    }
}

fn queries(all: &mut Vec<Scenario>) {
    let package = Pkg::new("q", "1")
        .tag("Epoch: 3")
        .tag("URL: https://example.invalid/")
        .tag("Provides: cap = 2")
        .tag("Requires: (x if y)")
        .tag("Recommends: r")
        .tag("Suggests: s < 3")
        .tag("Supplements: t")
        .tag("Enhances: u")
        .tag("Conflicts: v")
        .tag("Obsoletes: w < 1")
        .file("/usr/share/q", "", "q")
        .file("/usr/share/doc/q", "%doc", "doc")
        .file("/etc/q.conf", "%config(noreplace)", "conf")
        .ghost("/var/ghost", "")
        .traced("%pre")
        .traced("%post")
        .traced("%triggerin -- z > 1")
        .traced_files("%filetriggerin -- /usr/x")
        .section("%changelog", "* Mon Jan 02 2023 Some One <some@one.invalid> - 1-1\n- entry");
    let queries = [
        "",
        "-i",
        "-l",
        "-lv",
        "-s",
        "-d",
        "-c",
        "-L",
        "--dump",
        "--requires",
        "-Rv",
        "--provides",
        "--conflicts",
        "--obsoletes",
        "--recommends",
        "--suggests",
        "--supplements",
        "--enhances",
        "--scripts",
        "--triggers",
        "--filetriggers",
        "--changelog",
        "--changes",
        "--filesbypkg",
        "--fileclass",
        "--filecaps",
        "--filecolor",
        "--fileprovide",
        "--filerequire",
        "--qf [%{FILENAMES}\\\\n]",
        "--qf '%{NEVRA}|%{EPOCHNUM}\\n'",
        "--qf '%-10{NAME}|%10{NAME}|\\n'",
        "--qf %{NOSUCH}",
        "--noghost -l",
        "--noconfig -l",
    ];
    for (number, query) in queries.iter().enumerate() {
        all.push(
            Scenario::new(format!("query-{number}"), std::slice::from_ref(&package))
                .rpm(format!("-qp {query} @q-1"))
                .rpm("-i --nodeps --noscripts @q-1")
                .rpm(format!("-q {query} q")),
        );
    }
    let selectors = [
        "q",
        "q-1",
        "q-1-1",
        "q-1-1.noarch",
        "q.noarch",
        "q-3:1-1",
        "nothing",
        "-a",
        "-a q*",
        "-a name=q",
        "-a epoch=3",
        "-a nosuch=1",
        "-f /usr/share/q",
        "-f /usr",
        "-f /nothing",
        "--path /nothing",
        "-g Test",
        "-g None",
        "--whatprovides cap",
        "--whatprovides /usr/share/q",
        "--whatrequires x",
        "--whatrequires nothing",
        "--whatrecommends r",
        "--whatsuggests s",
        "--whatsupplements t",
        "--whatenhances u",
        "--whatconflicts v",
        "--whatobsoletes w",
        "--triggeredby z",
        "--pkgid 0",
        "--hdrid 0",
        "--tid x",
        "--querybynumber 1",
        "--querybynumber 9",
        "-a -f x",
    ];
    for (number, selector) in selectors.iter().enumerate() {
        all.push(
            Scenario::new(format!("select-{number}"), std::slice::from_ref(&package))
                .rpm("-i --nodeps --noscripts @q-1")
                .rpm(format!("-q {selector}")),
        );
    }
}

fn verification(all: &mut Vec<Scenario>) {
    let package = Pkg::new("v", "1")
        .file("/usr/share/v", "", "v")
        .file("/etc/v.conf", "%config", "conf")
        .link("/usr/share/link", "v")
        .directory("/usr/lib/v", "")
        .section("%verifyscript", "test -f /good");
    let changes = [
        "true",
        "echo w > usr/share/v",
        "echo longer > usr/share/v",
        "rm usr/share/v",
        "chmod 600 usr/share/v",
        "touch -d @1 usr/share/v",
        "rm usr/share/link; ln -s w usr/share/link",
        "rm -r usr/lib/v",
        "rm -r usr/lib/v; echo f > usr/lib/v",
        "echo mine > etc/v.conf",
        "rm usr/share/v; ln -s x usr/share/v",
        "rm usr/share/v; mkdir usr/share/v",
    ];
    for (number, change) in changes.iter().enumerate() {
        all.push(
            Scenario::new(format!("verify-{number}"), std::slice::from_ref(&package))
                .rpm("-i @v-1")
                .shell(*change)
                .rpm("-V v")
                .rpm("-Vv v")
                .rpm("-V --nofiledigest --nomtime v")
                .rpm("-V --nofiles v")
                .rpm("-V --noscripts v")
                .shell(": > good")
                .rpm("-Va"),
        );
    }
}
