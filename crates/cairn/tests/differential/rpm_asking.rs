// SPDX-License-Identifier: MIT OR Apache-2.0
//! Scenarios that change nothing: queries, verification, checks of package files, the other programs, wrong command lines.

use crate::scenario::{Pkg, Scenario};

pub fn all(all: &mut Vec<Scenario>) {
    formats(all);
    tags(all);
    selections(all);
    lists(all);
    verification(all);
    package_files(all);
    command_lines(all);
}

fn package() -> Pkg {
    Pkg::new("q", "1")
        .tag("Epoch: 3")
        .tag("URL: https://example.invalid/")
        .tag("Vendor: Someone")
        .tag("Packager: Nobody <no@body.invalid>")
        .tag("Provides: cap = 2")
        .tag("Requires(pre): /bin/sh")
        .tag("Requires: n >= 2")
        .tag("Requires(post,postun): m")
        .tag("Recommends: r")
        .tag("Suggests: s < 3")
        .tag("Conflicts: v")
        .tag("Obsoletes: w < 1")
        .tag("OrderWithRequires: o")
        .file("/usr/share/q", "", "text <&> \"quoted\"")
        .file("/usr/share/doc/q", "%doc", "doc")
        .file("/usr/share/licenses/q", "%license", "license")
        .file("/etc/q.conf", "%config(noreplace)", "conf")
        .file("/usr/share/readme", "%readme", "readme")
        .file("/usr/share/suid", "%attr(4755,root,root)", "x")
        .link("/usr/share/link", "q")
        .directory("/usr/lib/q", "%attr(1777,root,root)")
        .ghost("/var/ghost", "%attr(600,root,root)")
        .traced("%pre")
        .section("%post -p /bin/sh", "true")
        .section("%preun -p <lua>", "print(1)")
        .section("%verifyscript", "true")
        .traced("%triggerin -- z > 1, y")
        .section("%triggerun -p <lua> -- x", "print(2)")
        .traced_files("%filetriggerin -- /usr/x /usr/y")
        .traced_files("%transfiletriggerpostun -P 7 -- /usr/z")
        .section("%changelog", "* Tue Jan 03 2023 Some One <some@one.invalid> - 1-1\n- second\n- more\n\n* Mon Jan 02 2023 Some One <some@one.invalid> - 0-1\n- first")
}

/// A query of the package file and of the installed package.
fn ask(all: &mut Vec<Scenario>, name: String, query: &str) {
    all.push(
        Scenario::new(name, &[package()])
            .rpm(format!("-qp {query} @q-1"))
            .rpm("-i --nodeps --noscripts --notriggers @q-1")
            .rpm(format!("-q {query} q")),
    );
}

fn formats(all: &mut Vec<Scenario>) {
    let formats = [
        r"'%{BUILDTIME:date}|%{BUILDTIME:day}|%{BUILDTIME:hex}|%{BUILDTIME:octal}\n'",
        r"'[%{FILEMODES:perms} %{FILEMODES:octal} %{FILENAMES}\n]'",
        r"'[%{FILEFLAGS:fflags}|%{FILENAMES}|%{FILEVERIFYFLAGS:vflags}\n]'",
        r"'[%{REQUIREFLAGS:depflags}|%{REQUIREFLAGS:deptype}|%{REQUIRENAME}|%{REQUIREVERSION}\n]'",
        r"'[%{=NAME} %{FILENAMES} %{FILESIZES}\n]'",
        r"'[%{REQUIRENEVRS}\n]'",
        r"'[%{PROVIDENEVRS}|%{RECOMMENDNEVRS}|]\n'",
        r"'%{NAME:arraysize} %{FILENAMES:arraysize} %{CHANGELOGTEXT:arraysize}\n'",
        r"'%{SIZE:humansi} %{SIZE:humaniec} %{SIZE}\n'",
        r"'%{NAME:shescape} %{NAME:string} %{NAME:xml} %{NAME:json}\n'",
        r"'[%{FILEDIGESTS:shescape}\n]'",
        r"'%{SIGMD5}|%{SIGMD5:base64}|%{SIGMD5:armor}\n'",
        r"'%|EPOCH?{yes %{EPOCH}}:{no}| %|VENDOR?{%{VENDOR}}:{none}| %|DISTRIBUTION?{d}|\n'",
        r"'%|NOSUCH?{a}:{b}|\n'",
        r"'%{NAME} 100%% \t|\x41|\n'",
        r"'%5{NAME}|%-5{NAME}|%05{EPOCH}|%.1{URL}|\n'",
        r"'%{INSTALLPREFIX}'",
        r"'%{#NAME} %{#FILENAMES}\n'",
        r"'%{NAME:tagname} %{NAME:tagnum} %{RPMTAG_NAME}\n'",
        r"'%{name} %{Name} %{nvr} %{nvra} %{evr} %{nevr} %{nevra}\n'",
        r"'[%{TRIGGERCONDS}|%{TRIGGERTYPE}|%{TRIGGERSCRIPTS}\n]'",
        r"'[%{FILETRIGGERCONDS}|%{FILETRIGGERTYPE}|%{TRANSFILETRIGGERTYPE}\n]'",
        r"'[%{FILESTATES:fstate}|%{FILENAMES}|%{FILELINKTOS}|%{FILECLASS}\n]'",
        r"'[* %{CHANGELOGTIME:day} %{CHANGELOGNAME}\n%{CHANGELOGTEXT}\n\n]'",
        r"'%{PREIN}|%{PREINPROG}|%{POSTINPROG}|%{PREUNPROG}|%{PREINFLAGS:hex}\n'",
        r"'%{NAME'",
        r"'[%{NAME}'",
        r"'%{NAME}]'",
        r"'%|NAME?{a'",
        r"'%{NAME:nosuch}\n'",
        r"'%{}'",
        r"'%x'",
        r"'[%{NAME} %{FILENAMES}\n]'",
        r"'[%{REQUIRENAME} %{FILENAMES}\n]'",
        r"'%{REQUIRENAME} %{FILENAMES}\n'",
        r"'%{EPOCH:date} %{NAME:date} %{NAME:perms}\n'",
        r"'%{SUMMARY:expand}%{ARCHIVESIZE}|%{LONGSIZE}\n'",
    ];
    for (number, format) in formats.iter().enumerate() {
        ask(all, format!("format-{number}"), &format!("--qf {format}"));
    }
}

/// Every tag that a binary package can have, a few at a time.
fn tags(all: &mut Vec<Scenario>) {
    let tags = "ARCH ARCHIVESIZE ARCHSUFFIX BASENAMES BUGURL BUILDARCHS BUILDHOST BUILDTIME C CHANGELOGNAME CHANGELOGTEXT CHANGELOGTIME \
        CLASSDICT CONFLICTFLAGS CONFLICTNAME CONFLICTNEVRS CONFLICTS CONFLICTVERSION DEPENDSDICT DESCRIPTION DIRINDEXES DIRNAMES DISTRIBUTION \
        DISTTAG DISTURL DSAHEADER ENCODING ENHANCENAME ENHANCENEVRS ENHANCES EPOCH EPOCHNUM EVR FILECAPS FILECLASS FILECOLORS \
        FILECONTEXTS FILEDEPENDSN FILEDEPENDSX FILEDEVICES FILEDIGESTALGO FILEDIGESTS FILEFLAGS FILEGROUPNAME FILEINODES FILELANGS \
        FILELINKTOS FILEMD5S FILEMODES FILEMTIMES FILENAMES FILENLINKS FILEPROVIDE FILERDEVS FILEREQUIRE FILESIGNATURES FILESIZES \
        FILESTATES FILETRIGGERCONDS FILETRIGGERFLAGS FILETRIGGERINDEX FILETRIGGERNAME FILETRIGGERPRIORITIES FILETRIGGERSCRIPTFLAGS \
        FILETRIGGERSCRIPTPROG FILETRIGGERSCRIPTS FILETRIGGERTYPE FILETRIGGERVERSION FILEUSERNAME FILEVERIFYFLAGS FSCONTEXTS GROUP \
        HDRID HEADERCOLOR HEADERI18NTABLE HEADERIMMUTABLE INSTALLCOLOR INSTFILENAMES INSTPREFIXES LICENSE \
        LONGARCHIVESIZE LONGFILESIZES LONGSIZE N NAME NEVR NEVRA NVR NVRA O OBSOLETEFLAGS OBSOLETENAME OBSOLETENEVRS OBSOLETES \
        OBSOLETEVERSION OPTFLAGS ORDERFLAGS ORDERNAME ORDERVERSION ORIGBASENAMES ORIGDIRNAMES OS P PACKAGER PAYLOADCOMPRESSOR \
        PAYLOADDIGEST PAYLOADDIGESTALGO PAYLOADFLAGS PAYLOADFORMAT PKGID PLATFORM POLICIES POSTIN POSTINFLAGS POSTINPROG \
        POSTTRANS POSTTRANSPROG POSTUN PREFIXES PREIN PREINFLAGS PREINPROG PRETRANS PREUN PREUNPROG PROVIDEFLAGS PROVIDENAME \
        PROVIDENEVRS PROVIDES PROVIDEVERSION R RECOMMENDFLAGS RECOMMENDNAME RECOMMENDNEVRS RECOMMENDS RECOMMENDVERSION RELEASE \
        REQUIREFLAGS REQUIRENAME REQUIRENEVRS REQUIRES REQUIREVERSION RPMVERSION RSAHEADER SHA1HEADER SHA256HEADER SIGGPG SIGMD5 \
        SIGPGP SIGSIZE SIZE SOURCE SOURCEPKGID SOURCERPM SUGGESTFLAGS SUGGESTNAME SUGGESTNEVRS SUGGESTS SUMMARY SUPPLEMENTNAME \
        TRANSFILETRIGGERCONDS TRANSFILETRIGGERNAME TRANSFILETRIGGERPRIORITIES TRANSFILETRIGGERTYPE TRIGGERCONDS TRIGGERFLAGS \
        TRIGGERINDEX TRIGGERNAME TRIGGERSCRIPTFLAGS TRIGGERSCRIPTPROG TRIGGERSCRIPTS TRIGGERTYPE TRIGGERVERSION URL V VENDOR VERBOSE \
        VERIFYSCRIPT VERIFYSCRIPTFLAGS VERIFYSCRIPTPROG VERSION VCS XPM MODULARITYLABEL UPSTREAMRELEASES TRANSLATIONURL";
    let tags: Vec<&str> = tags.split_whitespace().collect();
    for (number, part) in tags.chunks(12).enumerate() {
        let format: String = part.iter().map(|tag| format!("{tag}=[%{{{tag}}},]\\n")).collect();
        ask(all, format!("tags-{number}"), &format!("--qf '{format}'"));
    }
}

fn selections(all: &mut Vec<Scenario>) {
    let packages = [
        package(),
        Pkg::new("n", "2").tag("Requires: cap").tag("Provides: thing = 4").file(
            "/usr/share/n",
            "",
            "n",
        ),
        Pkg::new("n", "3").tag("Requires: cap > 1").tag("Provides: thing = 5"),
        Pkg::new("m", "1").tag("Requires: (n or q)").tag("Requires: /usr/share/q").file(
            "/usr/share/sub/deep/m",
            "",
            "m",
        ),
    ];
    let selections = [
        "n",
        "n-2",
        "n-2-1.noarch",
        "n*",
        "-a n* m",
        "-a --last",
        "--last n",
        "-a --dupes",
        "-a version=3",
        "-a name=n version=2",
        "--whatprovides thing",
        "--whatprovides 'thing = 4'",
        "--whatprovides 'thing > 4'",
        "--whatrequires cap",
        "--whatrequires 'cap = 1'",
        "--whatrequires q",
        "--whatrequires /usr/share/q",
        "--whatrequires n",
        "--whatprovides /usr/share/q",
        "--whatprovides n q",
        "--whatconflicts v",
        "--whatobsoletes w",
        "--whatrecommends r",
        "--whatsuggests s",
        "--triggeredby z",
        "--triggeredby y",
        "-f /usr/share/q /usr/share/n",
        "-f /usr/share/sub",
        "-f /etc/q.conf",
        "-f etc/q.conf",
        "-f /usr/share/../share/q",
        "-f /bin",
        "-l m n",
        "-ql nothing n",
        "--queryformat '%{NAME}\\n' -a",
        "-qc -a",
        "-qd q m",
        "-q --noglob n*",
        "-a --nosuch",
        "-a --whatrequires q",
        "--filesbypkg m q",
        "-qf /usr/share/q -l",
        "-qi m",
        "-R m n-3",
        "--provides n",
        "--changes q",
        "--scripts m q",
        "-ap",
        "-af /usr",
    ];
    for (number, selection) in selections.iter().enumerate() {
        all.push(
            Scenario::new(format!("asking-{number}"), &packages)
                .rpm("-i --nodeps --noscripts --notriggers @q-1 @n-2 @m-1")
                .rpm("-i --nodeps @n-3")
                // Where nothing else decides, the order is that of the rows.
                .rpm(format!("-q {selection} 2>&1 | sort")),
        );
    }
}

fn lists(all: &mut Vec<Scenario>) {
    let lists = [
        "-i",
        "-iv",
        "-l",
        "-lv",
        "-s",
        "-d",
        "-c",
        "-L",
        "-A",
        "--dump",
        "-R",
        "-Rv",
        "--requires",
        "-P",
        "--provides",
        "--conflicts",
        "--obsoletes",
        "--recommends",
        "--suggests",
        "--scripts",
        "--triggers",
        "--filetriggers",
        "--triggerscripts",
        "--changelog",
        "--changes",
        "--filesbypkg",
        "--fileclass",
        "--filecolor",
        "--fileprovide",
        "--filerequire",
        "--filecaps",
        "--xml",
        "--json",
        "-lc",
        "-ld",
        "-cd",
        "-l --noghost",
        "-l --noconfig",
        "-l --noartifact",
        "-sv",
        "--dump -c",
        "-i -l",
        "--docfiles --dump",
        "--qf '%{NAME}\\n' -l",
        "-l --scripts",
    ];
    for (number, list) in lists.iter().enumerate() {
        all.push(
            Scenario::new(format!("list-{number}"), &[package()])
                .rpm(format!("-qp {list} @q-1"))
                .rpm("-i --nodeps --noscripts --notriggers @q-1")
                .rpm(format!("-q {list} q")),
        );
    }
}

fn verification(all: &mut Vec<Scenario>) {
    let package = package()
        .file("/usr/share/lax", "%verify(not md5 size mtime)", "lax")
        .file("/usr/share/only", "%verify(mode)", "only")
        .file("/usr/share/may", "%missingok", "may");
    let changes = [
        ("lax", "echo longer text > usr/share/lax; echo longer text > usr/share/only"),
        (
            "modes",
            "chmod 640 usr/share/lax usr/share/only usr/share/q usr/share/suid; chmod 755 usr/lib/q",
        ),
        (
            "gone",
            "rm usr/share/may usr/share/doc/q usr/share/licenses/q etc/q.conf usr/share/readme usr/share/link",
        ),
        ("ghost", "echo ghost > var/ghost; chmod 644 var/ghost"),
        ("times", "touch -d @5 usr/share/q etc/q.conf usr/share/doc/q usr/share/lax"),
        (
            "kinds",
            "rm usr/share/q usr/share/link; ln -s x usr/share/q; echo f > usr/share/link; rmdir usr/lib/q; ln -s ../share usr/lib/q",
        ),
        ("parent", "rm -r usr/share; echo file > usr/share"),
    ];
    let options = [
        "q",
        "-v q",
        "--nofiledigest q",
        "--nosize q",
        "--nomode q",
        "--nomtime q",
        "--nolinkto q",
        "--nouser --nogroup --nordev --nocaps q",
        "--nodeps q",
        "--noscripts --nodeps q",
        "--nofiles q",
        "--noconfig --nodeps q",
        "--noghost -v --nodeps q",
        "-c --nodeps q",
        "-d --nodeps q",
        "-a --nodeps",
        "-f /usr/share/q --nodeps",
        "-g Test --nodeps",
        "--whatprovides cap --nodeps",
        "nothing",
        "--nosuch q",
    ];
    for (name, change) in changes {
        let scenario = Scenario::new(format!("verifying-{name}"), std::slice::from_ref(&package))
            .rpm("-i --nodeps --noscripts --notriggers @q-1")
            .shell(change);
        all.push(
            options.iter().fold(scenario, |scenario, option| scenario.rpm(format!("-V {option}"))),
        );
    }
}

fn package_files(all: &mut Vec<Scenario>) {
    let damages = [
        ("good", "cp @q-1 x.rpm"),
        (
            "payload",
            "cp @q-1 x.rpm; size=$(stat -c %s x.rpm); printf XXXX | dd of=x.rpm bs=1 seek=$((size - 20)) conv=notrunc 2> dd.log; rm dd.log",
        ),
        (
            "header",
            "cp @q-1 x.rpm; printf XXXX | dd of=x.rpm bs=1 seek=2000 conv=notrunc 2> dd.log; rm dd.log",
        ),
        ("short", "head -c 3000 @q-1 > x.rpm"),
        ("lead", "head -c 50 @q-1 > x.rpm"),
        ("empty", ": > x.rpm"),
        ("text", "echo this is no package > x.rpm"),
        ("directory", "mkdir x.rpm"),
        ("absent", "true"),
    ];
    for (name, damage) in damages {
        all.push(
            Scenario::new(format!("file-{name}"), &[package()])
                .shell(damage)
                .rpm("-K x.rpm")
                .rpm("-Kv x.rpm")
                .rpm("-K --nodigest x.rpm")
                .rpm("-qp x.rpm")
                .rpm("-i --nodeps --test x.rpm")
                .rpm("-U --nodeps --noscripts --notriggers x.rpm")
                .rpm("-q q")
                .other("rpmkeys -K x.rpm"),
        );
    }
    all.push(
        Scenario::new("file-unpack", &[package()])
            .shell("exec 5> x.cpio")
            .other("rpm2cpio @q-1 >&5")
            .other("rpm2cpio missing.rpm")
            .shell("exec 5> x.tar")
            .other("rpm2archive -n @q-1 >&5")
            .shell("tar tf x.tar > names; rm x.tar")
            .other("rpm2archive missing.rpm")
            .other("rpmquery -p @q-1")
            .other("rpmquery -lp @q-1")
            .other("rpmkeys")
            .other("rpmkeys --root $PWD --dbpath /usr/lib/sysimage/rpm --list")
            .other("rpmdb")
            .other("rpmverify"),
    );
}

fn command_lines(all: &mut Vec<Scenario>) {
    let lines = [
        "-q",
        "-V",
        "-i",
        "-U",
        "-F",
        "-e",
        "-K",
        "--import",
        "-qp",
        "-qf",
        "-q -i -U",
        "-i -e b",
        "-e -U b",
        "-q --test b",
        "-i --allmatches @b-1",
        "-e --replacefiles b",
        "-e --replacepkgs b",
        "-e --excludedocs b",
        "-e --oldpackage b",
        "-e --ignoresize b",
        "-e --prefix /x b",
        "-q --force b",
        "-V --force b",
        "-q --hash b",
        "-e --percent b",
        "-q --nodeps b",
        "-q --justdb b",
        "-i --includedocs --excludedocs @b-1",
        "-i --prefix x @b-1",
        "-i --relocate /a @b-1",
        "-i --excludepath x @b-1",
        "-i -p @b-1",
        "-i -l @b-1",
        "-qpf @b-1",
        "-qaf @b-1",
        "-qag b",
        "--nosuch",
        "-q --nosuch b",
        "-Z",
        "-i --define x @b-1",
        "-E %{name",
        "-E %{_bindir}:%{nosuch}",
        "--eval '%{?x:y}%{!?x:z}'",
        "--version",
        "--querytags --nosuch",
        "-q --qf",
        "-q --root relative b",
        "-qa --dbpath relative",
        "-q --root /nonexistent b",
        "-i @b-1 --root",
        "-q b c d",
        "-qp missing.rpm",
        "-i missing.rpm",
        "-i missing.rpm @b-1",
        "-e missing",
        "-V missing",
        "--initdb",
        "--rebuilddb",
        "--verifydb",
        "--initdb x",
        "-i --nosignature --nodigest @b-1",
        "--reinstall @b-1",
        "--restore b",
        "--setperms b",
        "--setugids b",
        "--test",
        "b",
        "-vq b",
        "-qv b",
        "--quiet -q b",
        "-q --quiet missing",
        "-e --test b",
        "-i --noscripts --nopre @b-1",
        "-e --notriggers --notriggerun b",
        "-i --nosuch @b-1",
    ];
    for (number, line) in lines.iter().enumerate() {
        all.push(
            Scenario::new(
                format!("line-{number}"),
                &[Pkg::new("b", "1").file("/usr/share/b", "", "b")],
            )
            .rpm(*line)
            .rpm("-qa"),
        );
    }
}
