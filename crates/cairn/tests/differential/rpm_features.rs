// SPDX-License-Identifier: MIT OR Apache-2.0
//! Scenarios of what few administrators do and all expect to work: relocation, source packages, lists of headers.

use crate::scenario::{Pkg, Scenario};

/// The kinds of file triggers.
pub const FILE_TRIGGERS: [&str; 6] = [
    "%filetriggerin",
    "%filetriggerun",
    "%filetriggerpostun",
    "%transfiletriggerin",
    "%transfiletriggerun",
    "%transfiletriggerpostun",
];

/// All of them.
pub fn features(all: &mut Vec<Scenario>) {
    relocation(all);
    sources(all);
    lists(all);
    scripts(all);
    own_triggers(all);
    files_of_two(all);
    format_6(all);
}

/// Scriptlets that are filled in when they run.
fn scripts(all: &mut Vec<Scenario>) {
    let files = |pkg: Pkg| pkg.file("/usr/share/a/one", "", "1").file("/usr/share/a/two", "", "2");
    for (name, section, body) in [
        (
            "format",
            "%post -q",
            "echo %%{NAME}-%%{VERSION} '[%%{FILENAMES} %%{FILESIZES},]' %%{nosuch:x} >> /trace",
        ),
        (
            "format-good",
            "%post -q",
            "echo %%{NAME}-%%{VERSION} '[%%{BASENAMES} %%{FILEMODES:perms},]' >> /trace",
        ),
        ("format-tag", "%post -q", "echo %%{NAME} %%{NOSUCHTAG} >> /trace"),
        ("expanded", "%post -e", "echo %%{_bindir} %%{nosuch} >> /trace"),
        ("both", "%post -e -q", "echo %%%%{NAME} %%{_bindir} >> /trace"),
        ("trigger", "%triggerin -q -- a", "echo %%{NAME} >> /trace"),
        (
            "lua",
            "%post -q -p <lua>",
            "local f = io.open('/trace', 'a') f:write('%%{NAME}\\n') f:close()",
        ),
    ] {
        let package = files(Pkg::new("a", "1")).section(section, body);
        all.push(
            Scenario::new(format!("script-{name}"), std::slice::from_ref(&package))
                .rpm("-i @a-1")
                .rpm("-q --scripts --triggers a"),
        );
    }
}

/// `--relocate`, `--prefix` and what scriptlets are told of them.
fn relocation(all: &mut Vec<Scenario>) {
    let telling = |pkg: Pkg| {
        let told = "echo $RPM_INSTALL_PREFIX $RPM_INSTALL_PREFIX0 $RPM_INSTALL_PREFIX1 >> /trace";
        pkg.section("%pre", told).section("%post", told).section("%preun", told).section(
            "%posttrans -p <lua>",
            "local f = io.open('/trace', 'a') for _, p in ipairs(RPM_INSTALL_PREFIX) do f:write(p, '\\n') end f:close()",
        )
    };
    let one = |version: &str| {
        telling(Pkg::new("a", version))
            .tag("Prefix: /opt/a")
            .directory("/opt/a", "")
            .file("/opt/a/bin/run", "", version)
            .file("/opt/a/etc/a.conf", "%config(noreplace)", version)
            .link("/opt/a/link", "bin/run")
    };
    let two = telling(Pkg::new("b", "1"))
        .tag("Prefix: /opt/b")
        .tag("Prefix: /srv/b")
        .file("/opt/b/x", "", "x")
        .file("/srv/b/y", "", "y");
    let fixed = Pkg::new("f", "1").file("/usr/share/f", "", "f");
    let packages = [one("1"), one("2"), two, fixed];
    let queries = ["-q --qf '%{INSTPREFIXES}|%{ORIGBASENAMES}\\n' a b f", "-ql a b f", "-V a b f"];
    for (name, commands) in [
        ("none", &["-i @a-1 @b-1"][..]),
        ("prefix", &["-i --prefix /new/place @a-1"]),
        ("prefix-of-two", &["-i --prefix /new @b-1"]),
        ("prefix-of-none", &["-i --prefix /new @f-1"]),
        ("one", &["-i --relocate /opt/a=/srv @a-1"]),
        ("second", &["-i --relocate /srv/b=/srv/c/d @b-1"]),
        ("both", &["-i --relocate /opt/b=/o --relocate /srv/b/=/s/ @b-1"]),
        ("inner", &["-i --badreloc --relocate /opt/a/etc=/etc/a @a-1"]),
        ("file", &["-i --badreloc --relocate /usr/share/f=/usr/lib/g @f-1"]),
        ("refused", &["-i --relocate /usr=/opt @f-1"]),
        ("upgrade", &["-i --prefix /new @a-1", "-U --prefix /newer @a-2"]),
        ("upgrade-back", &["-i --prefix /new @a-1", "-U @a-2"]),
        ("erase", &["-i --prefix /new @a-1", "-e a"]),
        ("justdb", &["-i --justdb --prefix /new @a-1"]),
        ("test", &["-i --test --prefix /new @a-1"]),
        ("excluded", &["-i --excludepath /opt/a/etc @a-1"]),
    ] {
        let scenario = Scenario::new(format!("relocation-{name}"), &packages);
        let scenario = commands.iter().fold(scenario, |scenario, command| scenario.rpm(*command));
        all.push(queries.iter().fold(scenario, |scenario, query| scenario.rpm(*query)));
    }
}

/// Packages with triggers on themselves.
fn own_triggers(all: &mut Vec<Scenario>) {
    for kind in ["%triggerprein", "%triggerin", "%triggerun", "%triggerpostun"] {
        let package = |version: &str| Pkg::new("w", version).traced(&format!("{kind} -- w"));
        let name = kind.trim_start_matches('%');
        all.push(
            Scenario::new(format!("{name}-on-itself"), &[package("1"), package("2")])
                .rpm("-i @w-1")
                .rpm("-U @w-2")
                .rpm("-e w"),
        );
    }
}

/// File triggers set off by several packages: they get the files prefix by prefix, in the order of the database.
fn files_of_two(all: &mut Vec<Scenario>) {
    let watched = |name: &str| {
        let place = |directory: &str| format!("/usr/lib/{directory}/{name}");
        let shared = "/usr/lib/x/shared";
        Pkg::new(name, "1")
            .file(&place("x"), "", name)
            .file(&place("y"), "", name)
            .file(shared, "", "")
    };
    for kind in FILE_TRIGGERS {
        let watcher = Pkg::new("w", "1")
            .traced_files(&format!("{kind} -- /usr/lib/y /usr/lib/x /usr/lib/x/s"));
        let packages = [watcher, watched("a"), watched("b")];
        let start = |name: &str| {
            let name = format!("{}-of-two-{name}", kind.trim_start_matches('%'));
            Scenario::new(name, &packages).rpm("-i @w-1")
        };
        all.push(start("together").rpm("-i @a-1 @b-1").rpm("-e a b"));
        all.push(start("turned").rpm("-i @b-1").rpm("-i @a-1").rpm("-e a b"));
    }
}

/// Packages in the format of rpm 6: other digests, no sizes in 32 bits.
fn format_6(all: &mut Vec<Scenario>) {
    let package = |version: &str| {
        Pkg::new("a", version)
            .of_format_6()
            .tag("Requires(post): /bin/sh")
            .file("/usr/share/a/one", "", version)
            .file("/etc/a.conf", "%config(noreplace)", version)
            .link("/usr/share/a/link", "one")
            .traced("%post")
            .traced("%preun")
    };
    let packages = [package("1"), package("2")];
    let queries = [
        "-q --qf '%{RPMFORMAT}|%{SIGSIZE}|%{SHA1HEADER}|%{SHA256HEADER}|%{SHA3_256HEADER}|[%{OPENPGP}]|%{LONGSIZE}\n' a",
        "-q --qf '[%{PAYLOADSHA256}|%{PAYLOADSHA3_256}|%{PAYLOADSHA512}\n]' a",
        "-q --qf '[%{FILENAMES} %{FILEDIGESTS} %{LONGFILESIZES} %{FILEMIMES}\n]' a",
        "-q --requires --provides a",
        "-V a",
    ];
    for (name, commands) in [
        ("install", &["-K @a-1", "-Kv @a-1", "-qpl @a-1", "-i @a-1"][..]),
        ("upgrade", &["-i @a-1", "-U @a-2"]),
        ("erase", &["-i @a-1", "-e a"]),
    ] {
        let scenario = Scenario::new(format!("v6-{name}"), &packages);
        let scenario = commands.iter().fold(scenario, |scenario, command| scenario.rpm(*command));
        all.push(queries.iter().fold(scenario, |scenario, query| scenario.rpm(*query)));
    }
}

/// Source packages: where their files go, and what queries tell of them.
fn sources(all: &mut Vec<Scenario>) {
    let built = "mkdir -p /tmp/$$/src; cd /tmp/$$/src; echo one > one; echo two > two.patch; printf 'Name: s\\nVersion: 2\\nRelease: 3\\nSummary: s\\nLicense: MIT\\nSource0: one\\nPatch0: two.patch\\nBuildRequires: gcc\\n%%description\\ns\\n%%files\\n' > s.spec; chmod 640 two.patch; touch -d @1000000000 *; cd - >/dev/null; rpmbuild -bs -D \"_sourcedir /tmp/$$/src\" -D '_srcrpmdir .' --quiet /tmp/$$/src/s.spec >/dev/null 2>&1; mv s-2-3.src.rpm var/tmp/; rm -r /tmp/$$";
    let gone = "rm -f var/tmp/s-2-3.src.rpm";
    let package = "var/tmp/s-2-3.src.rpm";
    let other = Pkg::new("a", "1").file("/usr/share/a", "", "a");
    for (name, commands) in [
        ("install", &["-i --define '_topdir /build' SRC"][..]),
        ("upgrade", &["-U --define '_topdir /build' SRC"]),
        ("freshen", &["-F --define '_topdir /build' SRC"]),
        ("test", &["-i --test --define '_topdir /build' SRC"]),
        ("twice", &["-i --define '_topdir /build' SRC", "-i --define '_topdir /build' SRC"]),
        ("named", &["-i --define '_topdir /build/%{name}-%{version}' SRC"]),
        ("apart", &["-i --define '_sourcedir /one' --define '_specdir /two' SRC"]),
        ("with-binary", &["-U --define '_topdir /build' SRC @a-1", "-q s a"]),
        (
            "query",
            &[
                "-qp SRC",
                "-qpl SRC",
                "-qpR SRC",
                "-qp --qf '%{SOURCEPACKAGE} %{SOURCERPM} %{NVR} %{ARCH}\\n' SRC",
            ],
        ),
    ] {
        let scenario =
            Scenario::new(format!("source-{name}"), std::slice::from_ref(&other)).shell(built);
        let scenario = commands
            .iter()
            .fold(scenario, |scenario, command| scenario.rpm(command.replace("SRC", package)));
        all.push(scenario.shell(gone));
    }
}

/// The database as a list of headers, and numbered anew.
fn lists(all: &mut Vec<Scenario>) {
    let packages = ["a", "b", "c"]
        .map(|name| Pkg::new(name, "1").file(&format!("/usr/share/{name}"), "", name));
    let below = Pkg::new("d", "1").directory("/usr/lib/d", "").file("/usr/lib/d/e/f", "", "f");
    for (name, command) in [
        ("file", "rm -r usr/lib/d; : > usr/lib/d"),
        ("link", "rm -r usr/lib/d; ln -s nothing usr/lib/d"),
        ("loop", "rm -r usr/lib/d/e; ln -s e usr/lib/d/e"),
    ] {
        all.push(
            Scenario::new(format!("verify-below-a-{name}"), std::slice::from_ref(&below))
                .rpm("-i @d-1")
                .shell(command)
                .rpm("-V d")
                .rpm("-Vv d"),
        );
    }
    let numbers = "-qa --qf '%{NEVRA} %{DBINSTANCE}\\n'";
    all.push(
        Scenario::new("list-rebuilt", &packages)
            .rpm("-i @a-1 @b-1 @c-1")
            .rpm("-e a")
            .rpm("--rebuilddb")
            .rpm(format!("{numbers} | sort"))
            .rpm("-i @a-1")
            .rpm(format!("{numbers} | sort")),
    );
}
