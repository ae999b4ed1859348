// SPDX-License-Identifier: MIT OR Apache-2.0
//! Scenarios about files, scripts and accounts that the tables of `rpm_cases` do not make.

use crate::scenario::{Pkg, Scenario};

/// The head of an ELF file, as `printf` writes it: class (1 or 2) and machine decide its color.
const ELF64: &str = r"\177ELF\002\001\001\000\000\000\000\000\000\000\000\000\001\000\076\000\001\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\100\000\000\000\000\000\000\000\000\000\000\000";
const ELF32: &str = r"\177ELF\001\001\001\000\000\000\000\000\000\000\000\000\001\000\003\000\001\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\064\000\000\000\000\000\000\000\000\000\000\000";

pub fn all(all: &mut Vec<Scenario>) {
    crate::rpm_features::features(all);
    kinds_of_files_change(all);
    colors(all);
    options(all);
    capabilities(all);
    several_triggers(all);
    failing_triggers(all);
    failing_scripts(all);
    accounts(all);
    dependencies(all);
}

/// A file becomes another kind of file.
fn kinds_of_files_change(all: &mut Vec<Scenario>) {
    let with = |version: &str, kind: &str| {
        let package = Pkg::new("a", version);
        match kind {
            "ghost" => package.ghost("/etc/a.conf", ""),
            "ghostconfig" => package.ghost("/etc/a.conf", "%config"),
            "config" => package.file("/etc/a.conf", "%config", version),
            "noreplace" => package.file("/etc/a.conf", "%config(noreplace)", version),
            "missingok" => package.file("/etc/a.conf", "%missingok", version),
            "doc" => package.file("/etc/a.conf", "%doc", version),
            "directory" => package.directory("/etc/a.conf", ""),
            "mode" => package.file("/etc/a.conf", "%attr(600,root,root)", version),
            _ => package.file("/etc/a.conf", "", version),
        }
    };
    let changes = [
        ("plain", "config"),
        ("plain", "noreplace"),
        ("config", "plain"),
        ("config", "noreplace"),
        ("noreplace", "plain"),
        ("noreplace", "config"),
        ("ghost", "plain"),
        ("ghost", "noreplace"),
        ("plain", "ghost"),
        ("config", "ghost"),
        ("noreplace", "ghostconfig"),
        ("ghostconfig", "noreplace"),
        ("missingok", "plain"),
        ("plain", "missingok"),
        ("plain", "mode"),
        ("doc", "config"),
        ("plain", "directory"),
        ("config", "directory"),
    ];
    for (from, to) in changes {
        for (edit, command) in
            [("same", "true"), ("edited", "echo mine > etc/a.conf"), ("gone", "rm -f etc/a.conf")]
        {
            all.push(
                Scenario::new(
                    format!("kind-{from}-{to}-{edit}"),
                    &[with("1", from), with("2", to)],
                )
                .rpm("-i @a-1")
                .shell(command)
                .rpm("-U @a-2")
                .rpm("-V a")
                .rpm("-U --oldpackage @a-1")
                .rpm("-e a"),
            );
        }
    }
    let three = ["1", "2", "3"].map(|version| with(version, "noreplace"));
    all.push(
        Scenario::new("kind-noreplace-twice", &three)
            .rpm("-i @a-1")
            .shell("echo mine > etc/a.conf")
            .rpm("-U @a-2")
            .rpm("-U @a-3")
            .rpm("-V a")
            .rpm("-e a"),
    );
}

/// Files of two architectures.
fn colors(all: &mut Vec<Scenario>) {
    let package = |version: &str, arch: &str| {
        let elf = if arch == "x86_64" { ELF64 } else { ELF32 };
        let made = |path: &str| {
            format!("printf '{elf}' > %{{buildroot}}{path}; chmod 755 %{{buildroot}}{path}")
        };
        let own = format!("/usr/lib/{arch}/own");
        Pkg::new("o", version)
            .built_for(arch)
            .made("/usr/share/o/elf", "%attr(755,root,root)", &made("/usr/share/o/elf"))
            .file("/usr/share/o/text", "", version)
            .made(&own, "%attr(755,root,root)", &made(&own))
            .traced("%post")
            .traced("%postun")
    };
    let named = |version: &str, arch: &str| {
        let mut package = package(version, arch);
        package.name = if arch == "x86_64" { "o-64" } else { "o-32" }.to_owned();
        package
    };
    let both = [named("1", "x86_64"), named("1", "i686"), named("2", "x86_64"), named("2", "i686")];
    let scenarios: [(&str, &[&str]); 7] = [
        ("together", &["-i @o-64-1 @o-32-1", "-V o-64 o-32", "-e o-64", "-V o-32"]),
        ("small-first", &["-i @o-32-1", "-i @o-64-1", "-V o-64 o-32", "-e o-32", "-V o-64"]),
        ("large-first", &["-i @o-64-1", "-i @o-32-1", "-V o-64 o-32", "-e o-64"]),
        ("upgrade", &["-i @o-64-1 @o-32-1", "-U @o-64-2 @o-32-2", "-V o-64 o-32", "-e o-64 o-32"]),
        ("one-upgrade", &["-i @o-64-1 @o-32-1", "-U @o-32-2", "-V o-64 o-32"]),
        ("prefer-32", &["-i --define '_prefer_color 1' @o-64-1 @o-32-1", "-V o-64 o-32"]),
        ("none", &["-i --define '_transaction_color 0' @o-64-1 @o-32-1", "-q o-64 o-32"]),
    ];
    for (name, commands) in scenarios {
        let scenario = Scenario::new(format!("color-{name}"), &both);
        let scenario = commands.iter().fold(scenario, |scenario, command| scenario.rpm(*command));
        all.push(scenario.rpm("-qas").rpm("-qa --filecolor"));
    }
}

fn options(all: &mut Vec<Scenario>) {
    let package = |version: &str| {
        Pkg::new("a", version)
            .file("/usr/share/a/doc", "%doc", version)
            .file("/usr/share/a/de", "%lang(de)", version)
            .file("/usr/share/a/fr", "%lang(fr)", version)
            .file("/usr/share/a/file", "", version)
            .file("/etc/a.conf", "%config(noreplace)", version)
            .traced("%pre")
            .traced("%post")
            .traced("%preun")
            .traced("%postun")
            .traced("%triggerin -- b")
    };
    let packages = [package("1"), package("2"), Pkg::new("b", "1"), Pkg::new("b", "2")];
    let scenarios: [(&str, &[&str]); 30] = [
        ("docs-later", &["-i --excludedocs @a-1", "-U @a-2", "-V a"]),
        ("docs-before", &["-i @a-1", "-U --excludedocs @a-2", "-qs a"]),
        (
            "langs",
            &[
                "-i --define '_install_langs de' @a-1",
                "-U --define '_install_langs fr' @a-2",
                "-qs a",
            ],
        ),
        ("langs-all", &["-i --define '_install_langs all' @a-1", "-qs a"]),
        (
            "shared",
            &["-i @a-1", "-U --define '_netsharedpath /usr/share/a' @a-2", "-qs a", "-Vv a"],
        ),
        (
            "shared-two",
            &["-i --define '_netsharedpath /usr/share/a/de:/etc' @a-1", "-qs a", "-e a"],
        ),
        ("shared-erase", &["-i @a-1", "-e --define '_netsharedpath /usr/share/a' a"]),
        ("excluded-twice", &["-i --excludepath /etc --excludepath /usr/share/a/de @a-1", "-qs a"]),
        ("excluded-upgrade", &["-i @a-1", "-U --excludepath /etc @a-2", "-V a"]),
        ("justdb-upgrade", &["-i @a-1", "-U --justdb @a-2", "-V a", "-e a"]),
        ("justdb-erase", &["-i @a-1", "-e --justdb a", "-q a"]),
        ("justdb-install", &["-i --justdb @a-1", "-V a", "-i --replacepkgs @a-1", "-V a"]),
        ("noscripts", &["-i --noscripts @a-1", "-U --noscripts @a-2", "-e --noscripts a"]),
        ("notriggers", &["-i @a-1", "-i --notriggers @b-1", "-U --notriggerin @b-2"]),
        ("nopre-nopost", &["-i --nopre --nopost @a-1", "-e --nopreun --nopostun a"]),
        ("freshen-old", &["-i @a-2", "-F @a-1", "-F --oldpackage @a-1", "-q a"]),
        ("freshen-some", &["-i @a-1", "-F @a-2 @b-2", "-qa"]),
        ("old-upgrade", &["-i @a-2", "-U --oldpackage @a-1", "-V a"]),
        ("force-old", &["-i @a-2", "-U --force @a-1", "-q a"]),
        ("force-same", &["-i @a-1", "-U --force @a-1", "-i --force @a-1", "-q a"]),
        ("force-second", &["-i @a-1", "-i --force @a-2", "-q a", "-e a-1", "-V a"]),
        ("allmatches", &["-i @b-1", "-i @b-2", "-e b", "-e --allmatches b", "-q b"]),
        ("allmatches-test", &["-i @b-1", "-i @b-2", "-e --allmatches --test b", "-q b"]),
        ("erase-twice", &["-i @b-1", "-e b b-1", "-q b"]),
        ("erase-missing-one", &["-i @b-1", "-e b missing", "-q b"]),
        ("same-file-twice", &["-i @b-1 @b-1", "-q b"]),
        ("upgrade-nothing", &["-U @b-1", "-U @b-1", "-U --replacepkgs @b-1", "-Uv @b-2"]),
        ("reinstall-other", &["--reinstall @b-1", "-i @b-1", "--reinstall @b-2", "-q b"]),
        ("hash-upgrade", &["-ivh @a-1 @b-1", "-Uvh @a-2 @b-2", "-evh a b"]),
        ("test-upgrade", &["-i @a-1", "-U --test @a-2", "-Uvh --test @a-2", "-q a"]),
    ];
    for (name, commands) in scenarios {
        let scenario = Scenario::new(format!("options-{name}"), &packages);
        all.push(commands.iter().fold(scenario, |scenario, command| scenario.rpm(*command)));
    }
}

fn capabilities(all: &mut Vec<Scenario>) {
    let package = |version: &str, caps: &str| {
        Pkg::new("c", version).file("/usr/share/c", &format!("%caps({caps})"), version)
    };
    let packages = [
        package("1", "cap_net_raw=p"),
        package("2", "cap_net_raw,cap_net_admin=ep"),
        package("3", "="),
    ];
    all.push(
        Scenario::new("capabilities-queries", &packages)
            .rpm("-qp --filecaps @c-1 @c-2 @c-3")
            .rpm("-qp --qf '[%{FILENAMES}|%{FILECAPS}\\n]' @c-2"),
    );
    all.push(
        Scenario::new("capabilities-none", &packages)
            .rpm("-i --nocaps @c-1")
            .rpm("-U --nocaps @c-2"),
    );
    all.push(
        Scenario::new("capabilities-set", &packages)
            .rpm("-i @c-1")
            .rpm("-V c")
            .rpm("-U @c-2")
            .rpm("-V c"),
    );
}

/// Several triggers on one target, by priority.
fn several_triggers(all: &mut Vec<Scenario>) {
    for kind in [
        "filetriggerin",
        "transfiletriggerin",
        "filetriggerun",
        "transfiletriggerun",
        "filetriggerpostun",
        "transfiletriggerpostun",
    ] {
        let watcher = |name: &str, priority: &str| {
            Pkg::new(name, "1").section(
                &format!("%{kind} {priority} -- /usr/lib/x /usr/lib/y"),
                &format!("echo {name} {kind} $1 $2 >> /trace\nwhile read path; do echo \"  $path\" >> /trace; done"),
            )
        };
        let target = |version: &str| {
            let package = Pkg::new("b", version)
                .file("/usr/lib/x/one", "", version)
                .file(&format!("/usr/lib/y/{version}"), "", version)
                .file("/usr/lib/xx/other", "", "x");
            package.traced("%post").traced("%postun").traced("%posttrans")
        };
        let packages = [
            watcher("v", "-P 100"),
            watcher("w", ""),
            watcher("u", "-P 5000000"),
            target("1"),
            target("2"),
        ];
        all.push(
            Scenario::new(format!("several-{kind}"), &packages)
                .rpm("-i @v-1")
                .rpm("-i @w-1")
                .rpm("-i @u-1")
                .rpm("-i @b-1")
                .rpm("-U @b-2")
                .rpm("-e b"),
        );
        let lua = Pkg::new("l", "1").section(
            &format!("%{kind} -p <lua> -- /usr/lib/x"),
            "local f = io.open('/trace', 'a') f:write('lua ', tostring(arg[2]), '\\n')\nlocal p = rpm.next_file()\nwhile p do f:write('  ', p, '\\n') p = rpm.next_file() end f:close()",
        );
        all.push(
            Scenario::new(format!("lua-{kind}"), &[lua, target("1"), target("2")])
                .rpm("-i @l-1")
                .rpm("-i @b-1")
                .rpm("-U @b-2")
                .rpm("-e b"),
        );
    }
    let watcher = |version: &str, on: &str| {
        Pkg::new("w", version)
            .traced(&format!("%triggerin -- {on}"))
            .traced(&format!("%triggerun -- {on}"))
            .traced(&format!("%triggerpostun -- {on}"))
    };
    for (name, on) in [
        ("provide", "cap"),
        ("provide-version", "cap >= 2"),
        ("list", "b c"),
        ("epoch", "b > 1:0"),
        ("release", "b = 1-1"),
    ] {
        let b = |version: &str| Pkg::new("b", version).tag(format!("Provides: cap = {version}"));
        let packages = [watcher("1", on), b("1"), b("2"), Pkg::new("c", "1")];
        all.push(
            Scenario::new(format!("trigger-on-{name}"), &packages)
                .rpm("-i @w-1")
                .rpm("-i @b-1")
                .rpm("-U @b-2")
                .rpm("-i @c-1")
                .rpm("-e c b")
                .rpm("-e w"),
        );
    }
}

fn failing_triggers(all: &mut Vec<Scenario>) {
    let kinds = [
        "%triggerprein -- b",
        "%triggerin -- b",
        "%triggerun -- b",
        "%triggerpostun -- b",
        "%filetriggerin -- /usr/lib/x",
        "%filetriggerun -- /usr/lib/x",
        "%filetriggerpostun -- /usr/lib/x",
        "%transfiletriggerin -- /usr/lib/x",
        "%transfiletriggerun -- /usr/lib/x",
        "%transfiletriggerpostun -- /usr/lib/x",
    ];
    for kind in kinds {
        let short = kind.split_whitespace().next().unwrap().trim_start_matches('%');
        let watcher =
            Pkg::new("w", "1").section(kind, &format!("echo {short} $1 $2 >> /trace; exit 4"));
        let target = |version: &str| {
            Pkg::new("b", version)
                .file("/usr/lib/x/f", "", version)
                .traced("%post")
                .traced("%postun")
        };
        all.push(
            Scenario::new(format!("failing-{short}"), &[watcher, target("1"), target("2")])
                .rpm("-i @w-1")
                .rpm("-i @b-1")
                .rpm("-q b")
                .rpm("-U @b-2")
                .rpm("-q b")
                .rpm("-e b")
                .rpm("-q b"),
        );
    }
}

fn failing_scripts(all: &mut Vec<Scenario>) {
    let ways = [
        ("killed", "", "kill -9 $$"),
        ("status", "", "exit 200"),
        ("absent", " -p /usr/bin/nothing", "true"),
        ("lua", " -p <lua>", "error('broken')"),
        ("lua-nothing", " -p <lua>", "local x = nil\nx.y = 1"),
        ("empty", "", ""),
        ("ignored", "", "false || :"),
        ("last-false", "", "false"),
    ];
    for (name, options, body) in ways {
        for section in ["%pre", "%post", "%preun", "%postun", "%posttrans", "%verifyscript"] {
            let short = section.trim_start_matches('%');
            let package = Pkg::new("a", "1")
                .file("/usr/share/a", "", "1")
                .section(&format!("{section}{options}"), body);
            all.push(
                Scenario::new(format!("fails-{name}-{short}"), &[package])
                    .rpm("-i --nodeps @a-1")
                    .rpm("-q a")
                    .rpm("-V --nodeps a")
                    .rpm("-e --nodeps a")
                    .rpm("-q a"),
            );
        }
    }
}

/// Lines of sysusers.d. The files that are made along are another question: what is in the accounts is compared.
fn accounts(all: &mut Vec<Scenario>) {
    let lines = [
        ("user", "u au 610"),
        ("user-home", "u au 610 - /var/au"),
        ("user-comment", "u au 610 \"A user\" /var/au /bin/sh"),
        ("user-locked", "u! au 610"),
        ("user-group", "g ag 612\nu au 610:612"),
        ("user-group-name", "g ag 612\nu au 610:ag"),
        ("group", "g ag 612"),
        ("member", "g ag 612\nu au 610\nm au ag"),
        ("comment", "# nothing\n\nu au 610"),
        ("shell", "u au 610 - - /bin/false"),
        ("known", "u root 0\ng root 0"),
    ];
    for (name, line) in lines {
        let package = Pkg::new("a", "1").file("/usr/lib/sysusers.d/a.conf", "", line).file(
            "/usr/share/a",
            "",
            "1",
        );
        all.push(
            Scenario::new(format!("sysusers-{name}"), &[package])
                .shell(": > etc/shadow; : > etc/gshadow; chmod 600 etc/shadow etc/gshadow")
                .rpm("-qp --provides @a-1")
                .rpm("-qp --requires @a-1")
                .rpm("-i --nodeps --define '_tmppath /tmp' @a-1")
                .shell("rm -f etc/.pwd.lock etc/passwd- etc/group- etc/shadow- etc/gshadow- etc/shadow etc/gshadow")
                .rpm("-V --nodeps a"),
        );
    }
}

fn dependencies(all: &mut Vec<Scenario>) {
    let cases: [(&str, &[&str], &[&str]); 21] = [
        ("epoch", &["Requires: b >= 1:0"], &[]),
        ("epoch-there", &["Requires: b >= 1:0"], &["Epoch: 1"]),
        ("release", &["Requires: b = 1-1"], &[]),
        ("release-other", &["Requires: b = 1-2"], &[]),
        ("release-less", &["Requires: b < 1-2"], &[]),
        ("unversioned-provide", &["Requires: cap >= 1"], &["Provides: cap"]),
        ("provide-range", &["Requires: cap = 1.5"], &["Provides: cap = 1.5-3"]),
        ("tilde", &["Requires: cap >= 2"], &["Provides: cap = 2~rc1"]),
        ("caret", &["Requires: cap > 2"], &["Provides: cap = 2^git1"]),
        ("directory", &["Requires: /usr/share/bdir"], &[]),
        ("provided-file", &["Requires: /opt/thing"], &["Provides: /opt/thing"]),
        ("config", &["Requires: config(b) = 1-1"], &["Provides: config(b) = 1-1"]),
        ("arch", &["Requires: b(x86-64)"], &[]),
        ("conflict-self", &["Conflicts: a"], &[]),
        ("conflict-range", &["Conflicts: b < 1-1"], &[]),
        ("conflict-file", &["Conflicts: /usr/share/bfile"], &[]),
        ("obsoletes-self", &["Obsoletes: a < 1"], &[]),
        (
            "weak-only",
            &["Recommends: nothing", "Suggests: nothing", "Supplements: b", "Enhances: b"],
            &[],
        ),
        ("rich-and", &["Requires: (b and c)"], &[]),
        ("rich-nested", &["Requires: ((b or c) and (x if y))"], &[]),
        ("rich-conflict", &["Conflicts: (b unless c)"], &[]),
    ];
    for (name, tags, others) in cases {
        let one = tags.iter().fold(Pkg::new("a", "1"), |package, tag| package.tag(*tag));
        let other =
            Pkg::new("b", "1").file("/usr/share/bfile", "", "b").directory("/usr/share/bdir", "");
        let other = others.iter().fold(other, |package, tag| package.tag(*tag));
        all.push(
            Scenario::new(format!("depends-{name}"), &[one, other, Pkg::new("c", "1")])
                .rpm("-i @a-1")
                .rpm("-i @a-1 @b-1")
                .rpm("-i --test --nodeps @c-1")
                .rpm("-q --whatrequires b")
                .rpm("-e b")
                .rpm("-e a b"),
        );
    }
}
