// SPDX-License-Identifier: MIT OR Apache-2.0
//! Scenarios of `dnf`: what is asked (queries, lists, checks, advisories, repositories) and what is configured.

use crate::dnf_scenario::Scenario;

/// Adds all scenarios.
pub fn all(all: &mut Vec<Scenario>) {
    questions(all);
    more_questions(all);
    repositories(all);
    configuration(all);
}

/// Packages of a repository.
const QUERIED: &str = "\
    aa-1 | Requires: bb | Requires: /opt/cc-file | Requires: dd = 1-1 | Provides: aa-cap = 3 | Conflicts: ee < 2 | Obsoletes: old-aa < 5\n\
    aa-2 | Requires: bb >= 2 | Requires(pre): dd | Requires(post): pp | Suggests: sug | Recommends: rec > 1\n\
    bb-1 | Provides: bcap | Provides: bcap2 = 1.0\n\
    bb-2 | Provides: bcap2 = 2.0 | Provides: bcap3 <= 1.3\n\
    cc-1 | /opt/cc-file | /usr/bin/cc\n\
    dd-1 | Supplements: aa | Enhances: bb\n\
    ee-2 | Epoch: 3 | Requires: (aa-cap if bb) | Conflicts: (aa and zz)\n\
    pp-1.x86_64 | Requires: cc | Vendor: Somebody | URL: http-none | Packager: Me\n\
    sug-1 | Obsoletes: bb = 1\n\
    rec-2 | Recommends: (aa or bb)\n\
";

/// Packages of a repository.
const LISTED: &str = "\
    aa-1 | Requires: bb\n\
    aa-2 | Requires: bb\n\
    bb-1\n\
    bb-2\n\
    cc-1\n\
    dd-1\n\
    dd-2 | Obsoletes: cc\n\
    rich-1 | Requires: (aa with bb) | Recommends: (bb without aa) | Suggests: (aa if bb else cc) | Enhances: (aa unless bb)\n\
    rich2-1 | Requires: (aa-cap >= 1 with aa-cap < 2) | Conflicts: ((aa and bb) or cc)\n\
    acap-1 | Provides: aa-cap = 1.5\n\
    acap-2 | Provides: aa-cap = 3\n\
    scr-1 | Requires(pre): aa | Requires(post): bb | Requires(preun): cc | Requires(postun): dd\n\
";

/// Packages of a repository.
const NEXT: &str = "\
    aa-1 | Requires: bb | Summary: First thing | URL: https-a | /usr/bin/aa-tool\n\
    aa-2 | Requires: bb\n\
    bb-1 | Provides: bcap = 2 | Provides: Shared\n\
    bb-2 | Provides: bcap = 3\n\
    cc-1 | /usr/bin/cc | Obsoletes: old < 3\n\
    old-1\n\
    Big-1.x86_64 | Vendor: V\n\
    lib-search-1 | /usr/lib/searched\n\
    aab-3\n\
";

/// Packages of a repository.
const ADVISED: &str = "\
    aa-3\n\
    dd-1\n\
";

/// Packages of a repository.
const SINGLE: &str = "\
    aa-1 | Requires: bb\n\
    aa-2 | Requires: bb\n\
    bb-1\n\
    bb-2\n\
    cc-1 | Recommends: dd\n\
    dd-1\n\
    dd-2\n\
";

/// Packages of a repository.
const DOTS: &str = "\
    aa-3\n\
    ee-1\n\
";

/// Packages of a repository.
const ONE: &str = "\
    cc-1\n\
";

fn questions(all: &mut Vec<Scenario>) {
    all.push(Scenario::new("asked-names", QUERIED).run(&[
        "repoquery zz",
        "repoquery aa",
        "repoquery aa-1",
        "repoquery aa-1-1",
        "repoquery aa-0:1-1",
        "repoquery aa-0:1-1.noarch",
        "repoquery ee-3:2",
        "repoquery ee-2:2",
        "repoquery ee-2-1",
        "repoquery aa bb-1",
        "repoquery 'aa-0:[12]-1' bb",
        "repoquery 'a{a,x}'",
        "repoquery '{aa,bb}-[2-3]'",
        "repoquery '[^b-z]*'",
        "repoquery '?[!a]'",
        "repoquery '*[-a-f]*-[1-3]'",
        "repoquery 'aa-1*1.noarch'",
        "repoquery 'aa-0:1*noarch'",
        "repoquery 'ee-3:2*1.noarch'",
        "repoquery 'ee-2*1.noarch'",
        "repoquery AA",
        "repoquery aa.noarch",
        "repoquery aa.x86_64",
        "repoquery --arch noarch pp",
        "repoquery --arch zz",
        "repoquery --arch=x86_64,noarch cc pp",
        "repoquery aa-cap",
        "repoquery /usr/bin/cc",
        "repoquery /opt/cc-file",
        "repoquery '/usr/bin/*'",
    ]));
    all.push(Scenario::new("asked-dependencies", QUERIED).run(&[
        "repoquery --requires aa",
        "repoquery --requires aa-1",
        "repoquery --provides bb",
        "repoquery --conflicts aa",
        "repoquery --obsoletes aa",
        "repoquery --requires-pre aa",
        "repoquery --recommends aa",
        "repoquery --suggests aa",
        "repoquery --supplements dd",
        "repoquery --enhances dd",
        "repoquery --requires zz",
        "repoquery --depends aa",
        "repoquery --providers-of=requires --recursive aa",
        "repoquery --providers-of=provides aa",
        "repoquery --providers-of=recommends rec",
        "repoquery --providers-of=conflicts aa",
        "repoquery --providers-of=obsoletes sug",
        "repoquery --providers-of=supplements dd",
        "repoquery --providers-of=requires_pre aa",
        "repoquery --requires --provides aa",
        "repoquery --conflicts ee",
        "repoquery --requires ee",
        "repoquery --recommends rec",
        "repoquery --depends ee",
        "repoquery --requires --tree aa",
        "repoquery --deplist aa",
        "repoquery --resolve aa",
        "repoquery --tree aa",
        "repoquery --recursive aa",
    ]));
    all.push(Scenario::new("asked-dependents", QUERIED).run(&[
        "repoquery --whatrequires bb",
        "repoquery --whatrequires bb-2",
        "repoquery --whatrequires bb-0:2-1.noarch",
        "repoquery --whatrequires bcap2",
        "repoquery --whatrequires 'bb >= 2'",
        "repoquery --whatrequires 'bb = 1'",
        "repoquery --whatrequires bb --recursive",
        "repoquery --exactdeps --whatrequires bb",
        "repoquery --exactdeps --whatrequires aa",
        "repoquery --exactdeps --whatrequires 'b[ab]'",
        "repoquery --whatrequires bb --whatrequires cc",
        "repoquery --whatrequires 'bb, cc'",
        "repoquery --whatrequires aa",
        "repoquery --whatrequires aa-cap",
        "repoquery --whatconflicts ee",
        "repoquery --whatconflicts 'ee = 1'",
        "repoquery --whatconflicts 'ee = 3:2'",
        "repoquery --whatconflicts aa",
        "repoquery --whatconflicts zz",
        "repoquery --whatobsoletes bb",
        "repoquery --whatobsoletes 'bb = 2'",
        "repoquery --whatobsoletes 'old-aa = 4'",
        "repoquery --whatobsoletes 'old-aa > 7'",
        "repoquery --whatobsoletes old-aa,bb",
        "repoquery --whatprovides bcap2",
        "repoquery --whatprovides 'bcap2 = 2'",
        "repoquery --whatprovides 'bcap3 < 1'",
        "repoquery --whatprovides 'bcap3 > 1.3'",
        "repoquery --whatprovides 'bcap* >= 1.2'",
        "repoquery --whatprovides /opt/cc-file",
        "repoquery --whatprovides /usr/bin/cc",
        "repoquery --whatprovides 'bcap2 = 2, aa-cap'",
        "repoquery --whatprovides aa",
        "repoquery --whatrecommends aa",
        "repoquery --whatrecommends rec",
        "repoquery --whatsuggests sug",
        "repoquery --whatsupplements aa",
        "repoquery --whatenhances bb",
        "repoquery --whatdepends bb",
        "repoquery --whatdepends aa",
        "repoquery --exactdeps --whatdepends bb",
        "repoquery --whatrecommends 'rec > 2'",
        "repoquery --whatrequires '/opt/cc-file'",
        "repoquery --file /opt/cc-file",
        "repoquery --file /usr/bin/cc",
        "repoquery --file '/usr/*/cc'",
        "repoquery --whatrequires bb cc",
        "repoquery --whatrequires bb aa-1",
        "repoquery --whatprovides bcap*",
    ]));
    all.push(
        Scenario::new("asked-installed", QUERIED)
            .run(&[
                "install aa",
                "repoquery --installed",
                "repoquery --installed zz",
                "repoquery --userinstalled",
                "repoquery --unneeded",
                "repoquery --extras",
                "repoquery --upgrades",
                "repoquery --duplicates",
                "repoquery --installonly",
                "repoquery --unsatisfied",
                "repoquery --installed --location aa",
                "repoquery --available --installed --qf '%{name}-%{evr} %{repoid} -%{from_repo}- %{reason}\\n'",
                "repoquery --installed --providers-of=requires aa",
                "repoquery --installed --requires-pre aa",
                "repoquery --installed --files cc",
                "repoquery --files cc aa",
                "repoquery --installed --info cc",
                "repoquery --recent",
                "repoquery --recent=2",
                "repoquery --latest-limit=1 aa bb",
                "repoquery --latest-limit=-1 aa bb",
                "repoquery --latest-limit=0",
                "repoquery --changelogs aa",
                "repoquery --srpm",
                "repoquery --location aa",
                "repoquery --info pp",
                "repoquery -i aa-1",
                "repoquery -l cc",
                "repoquery --querytags",
                "repoquery --installed --whatrequires cc",
                "repoquery --security",
                "repoquery --nevra aa",
                "repoquery --nvr aa",
                "repoquery --envra aa",
                "repoquery --source aa",
                "repoquery --sourcerpm aa",
                "repoquery --installed --available aa",
                "repoquery --downgrades",
                "repoquery --obsoletes --installed aa",
                "repoquery -a",
                "repoquery --all aa",
                "repoquery --autoremove",
                "repoquery --disable-modular-filtering aa",
                "repoquery --repo=base aa --available",
                "repoquery --exactdeps aa",
                "repoquery --list cc",
                "repoquery --filelist cc",
                "repoquery --qf %{name} aa",
                "repoquery --queryformat=\"%{NAME} %-10{version}|%5{release}|%{zz}\\n\" aa",
                "repoquery --qf \"%{name}\" aa bb",
            ]),
    );
    all.push(Scenario::new("asked-tags", QUERIED).run(&[
        "repoquery --qf '%{arch}\\n' aa dd ee pp",
        "repoquery --qf '%{buildtime}\\n' aa dd ee pp",
        "repoquery --qf '%{conflicts}\\n' aa dd ee pp",
        "repoquery --qf '%{debug_name}\\n' aa dd ee pp",
        "repoquery --qf '%{description}\\n' aa dd ee pp",
        "repoquery --qf '%{downloadsize}\\n' aa dd ee pp",
        "repoquery --qf '%{enhances}\\n' aa dd ee pp",
        "repoquery --qf '%{epoch}\\n' aa dd ee pp",
        "repoquery --qf '%{evr}\\n' aa dd ee pp",
        "repoquery --qf '%{files}\\n' aa dd ee pp",
        "repoquery --qf '%{from_repo}\\n' aa dd ee pp",
        "repoquery --qf '%{full_nevra}\\n' aa dd ee pp",
        "repoquery --qf '%{group}\\n' aa dd ee pp",
        "repoquery --qf '%{installsize}\\n' aa dd ee pp",
        "repoquery --qf '%{installtime}\\n' aa dd ee pp",
        "repoquery --qf '%{license}\\n' aa dd ee pp",
        "repoquery --qf '%{name}\\n' aa dd ee pp",
        "repoquery --qf '%{obsoletes}\\n' aa dd ee pp",
        "repoquery --qf '%{packager}\\n' aa dd ee pp",
        "repoquery --qf '%{prereq_ignoreinst}\\n' aa dd ee pp",
        "repoquery --qf '%{provides}\\n' aa dd ee pp",
        "repoquery --qf '%{reason}\\n' aa dd ee pp",
        "repoquery --qf '%{recommends}\\n' aa dd ee pp",
        "repoquery --qf '%{release}\\n' aa dd ee pp",
        "repoquery --qf '%{repoid}\\n' aa dd ee pp",
        "repoquery --qf '%{reponame}\\n' aa dd ee pp",
        "repoquery --qf '%{requires_pre}\\n' aa dd ee pp",
        "repoquery --qf '%{source_debug_name}\\n' aa dd ee pp",
        "repoquery --qf '%{source_name}\\n' aa dd ee pp",
        "repoquery --qf '%{sourcerpm}\\n' aa dd ee pp",
        "repoquery --qf '%{suggests}\\n' aa dd ee pp",
        "repoquery --qf '%{summary}\\n' aa dd ee pp",
        "repoquery --qf '%{supplements}\\n' aa dd ee pp",
        "repoquery --qf '%{url}\\n' aa dd ee pp",
        "repoquery --qf '%{vendor}\\n' aa dd ee pp",
        "repoquery --qf '%{version}\\n' aa dd ee pp",
    ]));
}

fn more_questions(all: &mut Vec<Scenario>) {
    all.push(Scenario::new("asked-rich", LISTED).run(&[
        "repoquery --whatrequires aa rich",
        "repoquery --whatrequires aa-cap",
        "repoquery --whatrequires acap",
        "repoquery --whatrequires acap-1",
        "repoquery --whatrequires 'aa-cap = 3'",
        "repoquery --whatrecommends aa",
        "repoquery --whatrecommends bb",
        "repoquery --whatsuggests aa",
        "repoquery --whatsuggests bb",
        "repoquery --whatsuggests cc",
        "repoquery --whatenhances aa",
        "repoquery --whatenhances bb",
        "repoquery --whatconflicts aa",
        "repoquery --whatconflicts bb",
        "repoquery --whatconflicts cc",
        "repoquery --whatdepends bb rich",
        "repoquery --whatdepends cc rich",
        "repoquery --providers-of=requires rich",
        "repoquery --providers-of=recommends rich",
        "repoquery --providers-of=suggests rich",
        "repoquery --providers-of=enhances rich",
        "repoquery --providers-of=requires rich2",
        "repoquery --providers-of=conflicts rich2",
        "repoquery --requires-pre scr",
        "repoquery --requires scr",
        "repoquery --providers-of=requires_pre scr",
        "repoquery --providers-of=requires scr",
        "install --no-best aa-1 bb-1 cc-1 scr",
        "repoquery --installed --requires-pre scr",
        "repoquery --installed --providers-of=requires scr",
        "repoquery --installed --providers-of=requires_pre scr",
        "repoquery --whatrequires dd --installed",
        "repoquery --whatrequires dd",
    ]));
    all.push(Scenario::new("asked-list", NEXT).run(&[
        "list AA",
        "list big",
        "list aa",
        "list aa-1",
        "list --showduplicates aa",
        "list --available",
        "list --available aa zz",
        "list zz",
        "list --installed",
        "list --installed zz",
        "install aa-1 old",
        "list",
        "list aa",
        "list --showduplicates aa",
        "list --showduplicates",
        "list --upgrades",
        "list --updates",
        "list --obsoletes",
        "list --extras",
        "list --recent",
        "list --autoremove",
        "list --installed aa zz",
        "list 'a*'",
        "list '*b'",
        "list --installed --available",
        "list aa bb cc",
        "list bcap",
        "list /usr/bin/cc",
        "list --upgrades bb",
        "list --upgrades zz",
        "list --available old",
        "list --extras zz",
        "ls aa",
        "list --all",
        "list --recent zz",
        "list --autoremove aa",
        "list --obsoletes old",
        "list --obsoletes cc",
        "list --obsoletes zz",
        "list --installed-from-repo=base",
        "list --installed-from-repo=zz",
    ]));
    all.push(Scenario::new("asked-info", NEXT).run(&[
        "info aa",
        "info AA",
        "info aa-1",
        "info --showduplicates aa",
        "info Big",
        "info --available cc",
        "install aa-1 Big",
        "info aa",
        "info",
        "info --installed",
        "info --installed aa",
        "info --upgrades",
        "info --upgrades aa",
        "info --obsoletes",
        "info --extras",
        "info zz",
        "info --installed zz",
        "info aa zz",
        "info --autoremove",
        "info --recent aa",
        "if aa",
        "info cc bb",
        "info --upgrades zz",
        "repoquery --info aa",
        "repoquery --installed --info Big aa",
    ]));
    all.push(Scenario::new("asked-search", NEXT).run(&[
        "search aa",
        "search AA",
        "search first",
        "search a",
        "search aa bb",
        "search test aa",
        "search --all https",
        "search --all test",
        "search zz",
        "search --showduplicates aa",
        "search thing first",
        "search 'a?'",
        "search '*b'",
        "search Big",
        "search big",
        "se aa",
        "search lib search",
        "search searched",
        "search --all searched",
        "search aa zz",
        "search --name aa",
        "search test --all",
        "install aa-1",
        "search aa",
        "search --showduplicates aa",
        "search tes",
        "search test",
    ]));
    all.push(Scenario::new("asked-check", NEXT).run(&[
        "check",
        "install aa-1",
        "check",
        "check",
        "check --dependencies",
        "check --duplicates",
        "check --obsoleted",
        "check --dependencies --duplicates",
        "check --all",
        "check --zz",
        "check aa",
    ]));
    all.push(
        Scenario::new("asked-check-upgrade", NEXT)
            .repository("next", ADVISED)
            .option("enabled=0")
            .run(&[
                "check-upgrade",
                "check-update",
                "install aa-1 bb-1 old",
                "check-upgrade",
                "check-update",
                "check-upgrade aa",
                "check-upgrade zz",
                "check-upgrade aa zz",
                "check-upgrade --security",
                "check-upgrade --changelogs",
                "check-upgrade -q",
                "check-update --exclude=aa",
                "check-upgrade --exclude=*",
                "check-upgrade bb aa",
                "check-upgrade cc",
                "check-upgrade old",
                "check-upgrade 'a*'",
                "check-upgrade --repo=base",
                "check-upgrade --enablerepo=next",
            ]),
    );
    all.push(Scenario::new("asked-history", NEXT).run(&[
        "history info",
        "history last",
        "install aa-1 --comment=hello",
        "history info",
        "remove bb",
        "install cc",
        "history undo",
        "history undo zz",
        "history undo 9",
        "history undo 1..2",
        "history replay",
        "hist list",
    ]));
    all.push(
        Scenario::new("asked-advisory", LISTED)
            .advisory("S-1", "security/Critical", "cve:CVE-1-1", &["aa-2"])
            .advisory("S-2", "security/Low", "cve:CVE-2-2", &["bb-2"])
            .advisory("B-1", "bugfix", "bugzilla:78", &["dd-2", "aa-2"])
            .advisory("E-1", "enhancement", "", &["bb-1"])
            .advisory("N-1", "newpackage", "", &["cc-1"])
            .advisory("X-1", "security/Moderate", "", &["notthere-1"])
            .run(&[
                "advisory list",
                "advisory summary",
                "advisory info",
                "advisory list --all",
                "advisory list --available",
                "advisory list --installed",
                "advisory list --updates",
                "advisory info S-1",
                "advisory list S-1",
                "advisory list zz",
                "install aa-1 bb-1 cc",
                "advisory list",
                "advisory list --all",
                "advisory list --installed",
                "advisory list --available",
                "advisory list --updates",
                "advisory summary",
                "advisory summary --all",
                "advisory summary --installed",
                "advisory list --security",
                "advisory list --bugfix",
                "advisory list --enhancement",
                "advisory list --newpackage",
                "advisory list --with-cve",
                "advisory list --with-bz",
                "advisory list --with-cve --with-bz",
                "advisory info --with-cve",
                "advisory list --contains-pkgs=aa",
                "advisory list --contains-pkgs=zz",
                "advisory list --advisory-severities=critical",
                "advisory list --advisory-severities=low,critical",
                "advisory list --bzs=77",
                "advisory list --cves=CVE-2-2",
                "updateinfo list",
                "updateinfo --list",
                "updateinfo info S-2",
                "updateinfo list security",
                "advisory list --security --bugfix",
                "advisory info B-1 E-1",
                "advisory list 'S*'",
                "advisory list S-1 S-2",
                "advisory info --all",
                "advisory info --installed",
                "advisory list --references",
                "advisory list aa",
                "advisory summary S-1",
                "check-upgrade --security",
                "check-upgrade --bugfix",
                "check-upgrade --newpackage",
                "check-upgrade --enhancement",
                "check-upgrade --advisories=S-1",
                "check-upgrade --advisories=zz",
                "check-upgrade --minimal",
                "check-upgrade --security --minimal",
                "check-upgrade --bzs=77",
                "check-upgrade --cves=zz",
                "check-upgrade --advisory-severities=low",
                "list --upgrades --security",
                "repoquery --security",
                "repoquery --bugfix --installed",
                "repoquery --upgrades --security",
                "repoquery --advisories=S-1",
                "repoquery --cves=CVE-1-1",
                "repoquery --bzs=78",
                "repoquery --enhancement",
                "repoquery --advisory-severities=critical",
                "upgrade",
                "advisory list",
                "advisory list --installed",
                "advisory summary",
                "advisory list --all",
                "advisory info zz",
                "check-upgrade --security",
                "advisory list --with-cve --installed",
            ]),
    );
}

fn repositories(all: &mut Vec<Scenario>) {
    all.push(
        Scenario::new("asked-repolist", NEXT)
            .option("priority=40")
            .option("cost=7")
            .option("metadata_expire=1h")
            .option("excludepkgs=zz*")
            .repository("next", ADVISED)
            .repository("off", ADVISED)
            .option("enabled=0")
            .run(&[
                "repolist",
                "repolist --all",
                "repolist --enabled",
                "repolist --disabled",
                "repolist base",
                "repolist zz",
                "repolist base zz",
                "repolist --all off",
                "repolist off",
                "repo list",
                "repo list --all",
                "repo info base",
                "repo info off",
                "repoinfo",
                "repoinfo --all off",
                "repo info --disabled",
                "repo",
                "repo zz",
                "repolist 'n*'",
                "repo list --all '*f*'",
                "repolist --disablerepo=*",
                "repolist --repo=next",
                "repolist --enablerepo=off",
                "repo info next",
                "repolist -q",
                "repo info zz",
                "repoinfo zz",
                "repolist --enable-repo=zz",
                "repolist --disable-repo=zz",
                "repolist --repo=zz",
                "repolist --repo=base,zz",
                "repoquery --enable-repo=zz aa",
                "repoquery --disable-repo=zz aa",
                "repoquery --repo=zz aa",
                "repoquery --repo='b*' aa",
                "repoquery --repoid=next",
            ]),
    );
    all.push(Scenario::new("asked-dots", SINGLE).repository("set.ext", DOTS).run(&[
        "repoquery",
        "repoquery --setopt=set.ext.excludepkgs=*",
        "repoquery --setopt=set*.excludepkgs=aa",
        "repoquery --setopt=set.excludepkgs=aa",
    ]));
    all.push(
        Scenario::new("asked-repofrompath", SINGLE)
            .repository("next", DOTS)
            .option("enabled=0")
            .run(&[
                "repolist --repofrompath=NEW,THE_PATH",
                "repolist --repofrompath=NEW,THE_PATH --repofrompath=B,C",
                "repolist --repofrompath=NEW,THE_PATH --setopt=NEW.name=Real",
                "repolist --repofrompath=N_${releasever},/x",
                "repolist --repofrompath=base,/x",
                "repolist --disablerepo=* --repofrompath=NEW,/x",
                "repolist --repo=base --repofrompath=NEW,/x",
                "repolist --repofrompath=NEW",
                "repolist --repofrompath=/x/y",
                "repolist --repofrompath=a/b,/x",
                "repoquery --setopt=base.excludepkgs=*",
                "repoquery --setopt=b*.excludepkgs=aa",
            ]),
    );
    all.push(
        Scenario::new("asked-repoinfo", LISTED)
            .option("excludepkgs=aa,bb*")
            .option("includepkgs=cc")
            .option("gpgkey=file:///a file:///b")
            .option("metadata_expire=never")
            .option("priority=1")
            .option("skip_if_unavailable=1")
            .repository("none", ONE)
            .option("enabled=0")
            .option("metadata_expire=-1")
            .option("mirrorlist=file:///nothere")
            .option("excludepkgs=q")
            .run(&[
                "repo info base",
                "repo info --all",
                "repoinfo base --exclude=aa*",
                "repo info none",
                "repo list --all",
                "repolist --all",
            ]),
    );
}

fn configuration(all: &mut Vec<Scenario>) {
    all.push(
        Scenario::new("asked-drop-ins", SINGLE)
            .run(&[
                "$ mkdir -p etc/dnf/libdnf5.conf.d usr/share/dnf5/libdnf.conf.d; printf \"[main]\\nexclude=aa\\n\" > etc/dnf/libdnf5.conf.d/10-a.conf; printf \"[main]\\nexclude=bb\\n\" > usr/share/dnf5/libdnf.conf.d/20-b.conf; printf \"[main]\\nexclude=,cc\\n\" > usr/share/dnf5/libdnf.conf.d/30-c.conf; printf \"[main]\\nexclude=dd\\n\" > etc/dnf/libdnf5.conf.d/40-d.conf",
                "repoquery",
                "$ printf \"[main]\\nexclude=bb\\n\" > etc/dnf/libdnf5.conf.d/30-c.conf",
                "repoquery",
                "$ echo exclude=,cc >> etc/dnf/dnf.conf",
                "repoquery",
                "repoquery --exclude=",
                "repoquery --exclude=,aa",
                "repoquery --exclude=aa --exclude=",
                "repoquery --exclude=aa --exclude=bb,",
                "repoquery --exclude=aa,,bb",
                "repoquery --exclude= --exclude=aa",
                "repoquery --setopt=excludepkgs=,aa",
                "repoquery --setopt=excludepkgs= --setopt=excludepkgs=aa",
                "repoquery --setopt=excludepkgs=aa,,bb",
                "repoquery --setopt=exclude=aa",
                "repoquery --config=/etc/nope.conf",
            ]),
    );
    all.push(
        Scenario::new("asked-overrides", SINGLE)
            .repository("next", DOTS)
            .option("enabled=0")
            .run(&[
                "$ mkdir -p usr/share/dnf5/repos.override.d etc/dnf/repos.override.d etc/dnf/vars; echo ext > etc/dnf/vars/which; echo 0 > etc/dnf/vars/off; echo 1 > etc/dnf/vars/on; printf \"[*]\\nenabled=\\${off}\\n\\n[next\\${nothing}]\\nname=q\\n\\n[ne\\${x}]\\nname=z\\n\" > usr/share/dnf5/repos.override.d/10.repo",
                "repolist",
                "$ printf \"[*]\\nenabled=\\${off}\\n[n\\${e}xt]\\nenabled=\\$on\\n\" > usr/share/dnf5/repos.override.d/10.repo; echo e > etc/dnf/vars/e",
                "repolist",
                "repolist --all",
                "$ printf \"[base]\\nenabled=1\\n\" > etc/dnf/repos.override.d/10.repo",
                "repolist",
                "$ printf \"[b-\\$which]\\nname=\\$which\\nbaseurl=file:///x\\nenabled=0\\n[c-\\${which}]\\nname=\\${which}\\nbaseurl=file:///x\\nenabled=0\\n\" > etc/yum.repos.d/v.repo; mkdir etc/dnf/vars/dir; printf \"\\377x\" > etc/dnf/vars/bad",
                "repolist --all",
                "repolist --all --setvar=which=9",
                "$ printf \"[arch-\\$arch-\\$basearch]\\nname=n\\nenabled=0\\n\" > etc/yum.repos.d/w.repo",
                "repolist --all",
                "repolist --all --setvar=arch=loongarch64",
                "repolist --all --forcearch=aarch64",
                "$ mkdir tmpvars; echo yy > tmpvars/which",
                "--dump-variables",
                "--dump-variables --releasever=8.9",
                "--dump-variables --releasever=8",
            ]),
    );
    all.push(
        Scenario::new("asked-options", LISTED)
            .run(&[
                "--dump-variables",
                "repolist --setopt=base.name=other",
                "repoquery --setopt=base.enabled=0",
                "repoquery --setopt=zz.enabled=0 aa",
                "repoquery --setopt=*.enabled=0 aa",
                "repoquery --setopt=zz=1 aa",
                "repoquery --setopt=base.zz=1 aa",
                "repoquery --setopt=zz aa",
                "repoquery --setopt==1 aa",
                "repoquery --setopt=best= aa",
                "repoquery --setopt=exclude=aa",
                "repoquery --setopt=excludepkgs=aa,bb",
                "repoquery --setopt=base.excludepkgs=aa",
                "repoquery --setopt=includepkgs=aa",
                "repoquery -x aa -x bb",
                "repoquery --exclude=aa,bb",
                "repoquery --exclude='?a'",
                "repoquery --disable-excludes=* --setopt=excludepkgs=aa",
                "repoquery --setopt=disable_excludes=* --setopt=excludepkgs=aa",
                "repoquery --setopt=reposdir=/nothere",
                "repoquery --config=/nothere aa",
                "repoquery -c /nothere aa",
                "repoquery -q aa",
                "-q repoquery aa",
                "repoquery --quiet zz",
                "repoquery --debuglevel=2 aa",
                "repoquery -d 2 aa",
                "repoquery --errorlevel=2 aa",
                "repoquery --color=never aa",
                "repoquery --randomwait=1 aa",
                "repoquery --releasever= aa",
                "repoquery --setvar=x=1 aa",
                "repoquery --setvar=x aa",
                "repoquery --setopt=varsdir=/nothere aa",
                "$ mkdir -p test; printf \"[main]\\nexcludepkgs=aa\\n\" > test/dnf.conf",
                "$ mkdir -p etc/dnf/libdnf5.conf.d usr/share/dnf5/libdnf.conf.d; printf \"[main]\\nexcludepkgs=bb\\n\" > etc/dnf/libdnf5.conf.d/20-x.conf",
                "repoquery",
                "$ printf \"[main]\\nexcludepkgs=cc\\n\" > usr/share/dnf5/libdnf.conf.d/10-x.conf",
                "repoquery",
                "$ mkdir -p etc/dnf/repos.override.d; printf \"[base]\\nname=over\\nexcludepkgs=dd\\n\" > etc/dnf/repos.override.d/50-x.repo",
                "repoquery",
                "repolist",
                "$ printf \"[ba*]\\nname=glob\\n\" > etc/dnf/repos.override.d/60-x.repo",
                "repolist",
            ]),
    );
}
