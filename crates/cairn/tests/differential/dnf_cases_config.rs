// SPDX-License-Identifier: MIT OR Apache-2.0
//! Scenarios of what changes `dnf`'s configuration: `config-manager` and version locks. Files that a command writes are compared byte
//! by byte, as parts of the tree.

use crate::dnf_scenario::Scenario;

/// Adds all scenarios.
pub fn all(all: &mut Vec<Scenario>) {
    locks(all);
    lock_files(all);
    added_repositories(all);
    set_options(all);
    removed_options(all);
    variables(all);
}

fn locks(all: &mut Vec<Scenario>) {
    let repository = "a-1\na-2\na-3\nab-1\nab-2\nb-1 | Requires: a >= 2\nc-1\nc-2";
    let old = "install a-1 c-1";
    let table: [(&str, &[&str]); 13] = [
        ("add-two", &[old, "versionlock add a c", "versionlock list", "upgrade"]),
        ("add-some", &[old, "versionlock add a", "versionlock add c a zz", "versionlock list"]),
        ("add-glob", &[old, "versionlock add 'a*'", "versionlock list", "check-upgrade"]),
        ("add-offered", &["versionlock add ab", "versionlock list", "install ab"]),
        ("add-nevra", &[old, "versionlock add a-2-1.noarch", "versionlock list", "upgrade"]),
        (
            "exclude-two",
            &["versionlock exclude a-3", "versionlock exclude a-3 c-2", "versionlock list"],
        ),
        ("exclude-name", &["versionlock exclude c", "versionlock list", "install c"]),
        (
            "exclude-locked",
            &[old, "versionlock add a", "versionlock exclude a", "versionlock list"],
        ),
        (
            "add-excluded",
            &[old, "versionlock exclude a-3", "versionlock add a", "versionlock list"],
        ),
        (
            "delete-two",
            &[old, "versionlock add a c", "versionlock delete c a zz", "versionlock list"],
        ),
        ("delete-nothing", &["versionlock delete zz", "versionlock clear"]),
        ("quiet", &[old, "-q versionlock add a", "-q versionlock list"]),
        (
            "questions",
            &[
                old,
                "versionlock add a",
                "check-upgrade",
                "list --showduplicates a",
                "repoquery a",
                "distro-sync",
                "reinstall a",
                "remove a",
                "install b",
            ],
        ),
    ];
    for (name, commands) in table {
        all.push(Scenario::new(&format!("lock-{name}"), repository).run(commands));
    }
}

/// One lock as dnf's file has it; conditions as `evr >= 1`.
fn lock(name: &str, conditions: &[&str]) -> String {
    let condition = |condition: &&str| {
        let words: Vec<&str> = condition.split(' ').collect();
        format!(
            "[[packages.conditions]]\\nkey = \"{}\"\\ncomparator = \"{}\"\\nvalue = \"{}\"\\n",
            words[0], words[1], words[2]
        )
    };
    let conditions: String = conditions.iter().map(condition).collect();
    format!("[[packages]]\\nname = \"{name}\"\\n{conditions}")
}

fn lock_files(all: &mut Vec<Scenario>) {
    let repository =
        "a-1\na-2\na-3\nb-1\nb-2 | Obsoletes: old < 2\nold-1\nnew-1 | Obsoletes: old < 2";
    let file = |locks: &[String]| {
        format!("$ printf 'version = \"1.0\"\\n{}' > etc/dnf/versionlock.toml", locks.concat())
    };
    let run = |name: &str, locks: &[String], commands: &[&str]| {
        let scenario = Scenario::new(&format!("lockfile-{name}"), repository);
        scenario.run(&[&file(locks)]).run(commands)
    };
    all.push(run("between", &[lock("a", &["evr >= 1", "evr < 3"])], &["install a"]));
    all.push(run("release", &[lock("a", &["evr = 2"])], &["install a"]));
    all.push(run("epoch", &[lock("a", &["evr = 0:2-1"])], &["versionlock list", "install a"]));
    all.push(run("arch", &[lock("a", &["arch = x86_64"])], &["install a"]));
    all.push(run("absent", &[lock("a", &["evr = 9-1"])], &["install a", "install a-1", "list a"]));
    all.push(run("other", &[lock("a", &["evr = 2-1"])], &["install --disablerepo=* a"]));
    all.push(run("installed-other", &[], &["install a-1"]).run(&[
        &file(&[lock("a", &["evr = 9-1"])]),
        "upgrade",
        "remove a",
    ]));
    all.push(run("upgrade-to", &[], &["install a-1"]).run(&[
        &file(&[lock("a", &["evr = 2-1"])]),
        "upgrade a",
        "upgrade",
    ]));
    let kept = lock("old", &["evr = 1-1"]);
    all.push(run(
        "obsoleted",
        std::slice::from_ref(&kept),
        &["install old", "upgrade old", "upgrade"],
    ));
    all.push(run(
        "obsoleted-by-upgrade",
        std::slice::from_ref(&kept),
        &["install old b-1", "upgrade b"],
    ));
    all.push(run("obsoleter-locked", &[kept, lock("new", &["evr = 1-1"])], &["install new"]));
    let table = [("empty", "")];
    for (name, text) in table {
        let scenario = Scenario::new(&format!("lockfile-{name}"), repository);
        all.push(scenario.run(&[
            &format!("$ printf '{text}' > etc/dnf/versionlock.toml"),
            "versionlock list",
            "install a",
            "versionlock add b",
            "versionlock clear",
        ]));
    }
}

fn added_repositories(all: &mut Vec<Scenario>) {
    let url = "--set=baseurl=http://x.invalid/os/";
    let add = |words: &str| format!("config-manager addrepo {words}");
    let table = [
        ("url", url.to_owned()),
        ("url-odd", "'--set=baseurl=https://x.invalid:8080/a%20b/~c/?d=e&f'".to_owned()),
        ("two-urls", "--set=baseurl=http://x.invalid/a,http://y.invalid/b".to_owned()),
        ("mirrors", "--set=mirrorlist=http://x.invalid/list".to_owned()),
        ("metalink", "--set=metalink=http://x.invalid/link".to_owned()),
        ("id", format!("--id=own {url}")),
        ("bad-id", format!("--id=o/wn {url}")),
        ("name", format!("--id=own --set=name=mine --set=enabled=0 {url}")),
        ("options", format!("{url} --set=gpgcheck=1 --set=metadata_expire=7d")),
        ("same-twice", format!("{url} --set=gpgcheck=1 --set=cost=9 --set=gpgcheck=1")),
        ("different", format!("{url} --set=gpgcheck=1 --set=gpgcheck=0")),
        ("unknown", format!("{url} --set=nothing=1")),
        ("no-boolean", format!("{url} --set=gpgcheck=XX")),
        ("no-number", format!("{url} --set=cost=XX")),
        ("no-url", "--id=own --set=cost=9".to_owned()),
        ("empty-url", "--id=own --set=baseurl=".to_owned()),
        ("nothing", String::new()),
        ("no-key", format!("{url} --set==1")),
        ("no-value", format!("{url} --set=cost")),
        ("file-name", format!("--save-filename=own.repo {url}")),
        ("file-word", format!("--save-filename=own {url}")),
        ("file-exists", format!("--id=test {url}")),
        ("id-exists", format!("--id=base {url}")),
        ("replace", format!("--id=base --save-filename=test --overwrite {url}")),
        ("beside", format!("--id=own --save-filename=test --add-or-replace {url}")),
        ("in-place", format!("--id=base --save-filename=test.repo --add-or-replace {url}")),
        ("absent-file", "--from-repofile=/work/nothing.repo".to_owned()),
    ];
    for (name, words) in table {
        let scenario = Scenario::new(&format!("addrepo-{name}"), "a-1");
        all.push(scenario.run(&[&add(&words), "repolist --all"]));
    }
    let prepared: [(&str, &str, &str); 9] = [
        ("no-directory", "rm -r etc/yum.repos.d", url),
        (
            "made-directory",
            "rm -r etc/yum.repos.d",
            "--create-missing-dir --set=baseurl=http://x.invalid/",
        ),
        ("directory-is-file", "rm -r etc/yum.repos.d; touch etc/yum.repos.d", url),
        ("directory-dangles", "rm -r etc/yum.repos.d; ln -s /nothing etc/yum.repos.d", url),
        (
            "file-two",
            "printf '[o]\\nname=o\\nbaseurl=http://x.invalid/\\n[p]\\nname=p\\nbaseurl=http://x.invalid/\\n' > etc/yum.repos.d/test.repo",
            "--id=test --set=baseurl=http://x.invalid/",
        ),
        (
            "comments-stay",
            "printf '# head\\n[o]\\n# why\\nname=o\\nbaseurl=http://x.invalid/\\n\\n\\n[p]\\nname = p\\nbaseurl=http://x.invalid/\\n' > etc/yum.repos.d/o.repo",
            "--id=o --add-or-replace --set=baseurl=http://y.invalid/",
        ),
        (
            "comments-stay-beside",
            "printf '# head\\n[o]\\n# why\\nname=o\\nbaseurl=http://x.invalid/\\n# tail\\n' > etc/yum.repos.d/o.repo",
            "--id=q --save-filename=o --add-or-replace --set=baseurl=http://y.invalid/",
        ),
        ("varied", "touch x", "--id=own-$basearch --set=baseurl=http://x.invalid/$basearch/"),
        (
            "empty-file",
            "touch etc/yum.repos.d/own.repo",
            "--id=own --set=baseurl=http://x.invalid/",
        ),
    ];
    for (name, prepare, words) in prepared {
        let scenario = Scenario::new(&format!("addrepo-{name}"), "a-1");
        all.push(scenario.run(&[&format!("$ {prepare}"), &add(words)]));
    }
    let given = "printf '# head\\n[o]\\nname=o\\nenabled=0\\nbaseurl=http://x.invalid/\\n'";
    let files: [(&str, &str, &str); 9] = [
        ("repofile", "tmp/o.repo", "--from-repofile=$PWD/tmp/o.repo"),
        ("repofile-word", "tmp/o", "--from-repofile=$PWD/tmp/o"),
        ("repofile-url", "tmp/o.repo", "--from-repofile=file://$PWD/tmp/o.repo"),
        ("repofile-name", "tmp/o.repo", "--from-repofile=$PWD/tmp/o.repo --save-filename=n"),
        ("repofile-exists", "tmp/test.repo", "--from-repofile=$PWD/tmp/test.repo"),
        ("repofile-overwrites", "tmp/test.repo", "--overwrite --from-repofile=$PWD/tmp/test.repo"),
        ("repofile-id", "tmp/o.repo", "--id=n --from-repofile=$PWD/tmp/o.repo"),
        ("repofile-add", "tmp/o.repo", "--add-or-replace --from-repofile=$PWD/tmp/o.repo"),
        ("repofile-query", "tmp/o.repo?x=1", "--from-repofile=file://$PWD/tmp/o.repo?x=1"),
    ];
    for (name, path, words) in files {
        let scenario = Scenario::new(&format!("addrepo-{name}"), "a-1");
        all.push(scenario.run(&[
            &format!("$ mkdir -p tmp; {given} > '{path}'"),
            &add(words),
            "repolist --all",
        ]));
    }
    let scenario = Scenario::new("addrepo-repofile-empty", "a-1");
    all.push(
        scenario.run(&["$ mkdir tmp; touch tmp/o.repo", &add("--from-repofile=$PWD/tmp/o.repo")]),
    );
    let scenario = Scenario::new("addrepo-repofile-known-id", "a-1");
    all.push(scenario.run(&[
        "$ mkdir tmp; printf '[base]\\nname=o\\nbaseurl=http://x.invalid/\\n' > tmp/o.repo",
        &add("--from-repofile=$PWD/tmp/o.repo"),
    ]));
}

fn set_options(all: &mut Vec<Scenario>) {
    let scenario = |name: &str| {
        let scenario = Scenario::new(&format!("setopt-{name}"), "a-1");
        scenario.repository("other", "b-1").option("enabled=0").repository("third", "c-1")
    };
    let table: [(&str, &[&str]); 29] = [
        ("main", &["skip_unavailable=1"]),
        ("main-twice", &["skip_unavailable=1 best=0 skip_unavailable=1"]),
        ("main-different", &["skip_unavailable=1 best=0 skip_unavailable=0"]),
        ("main-change", &["gpgcheck=1"]),
        ("main-unknown", &["nothing=1"]),
        ("main-no-boolean", &["best=XX"]),
        ("main-no-number", &["max_parallel_downloads=XX"]),
        ("main-list", &["excludepkgs=a,b excludepkgs=c"]),
        ("main-empty", &["excludepkgs="]),
        ("no-value", &["best"]),
        ("no-key", &["=1"]),
        ("no-repository", &[".best=1"]),
        ("repository", &["base.skip_if_unavailable=1"]),
        ("repository-twice", &["base.cost=5 base.priority=50 base.cost=5"]),
        ("repository-different", &["base.cost=5 base.priority=50 base.cost=6"]),
        ("repository-unknown", &["base.nothing=1"]),
        ("repository-no-boolean", &["base.gpgcheck=XX"]),
        ("repository-absent", &["zz.cost=5"]),
        ("glob", &["'?the*.cost=5'"]),
        ("glob-all", &["'*.cost=5'"]),
        ("glob-different", &["'*.cost=5' base.priority=50 other.cost=6"]),
        ("glob-absent", &["'z*z.cost=5'"]),
        ("both", &["best=0 base.cost=5"]),
        ("both-wrong", &["best=0 zz.cost=5"]),
        ("in-order", &["third.cost=5 base.priority=9 base.cost=4"]),
        ("again", &["base.cost=5", "base.cost=6 other.enabled=1"]),
        ("enable", &["other.enabled=1", "base.enabled=0"]),
        ("dotted", &["base.x.cost=5"]),
        ("none", &[""]),
    ];
    for (name, settings) in table {
        let commands: Vec<String> =
            settings.iter().map(|words| format!("config-manager setopt {words}")).collect();
        let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
        let scenario = scenario(name).run(&["$ mkdir -p etc/dnf/repos.override.d"]);
        all.push(scenario.run(&commands).run(&["repolist --all"]));
    }
    let prepared: [(&str, &str, &str); 8] = [
        ("no-directory", "touch x", "setopt base.cost=5"),
        ("made-directory", "touch x", "setopt --create-missing-dir base.cost=5"),
        ("directory-is-file", "touch etc/dnf/repos.override.d", "setopt base.cost=5"),
        ("directory-dangles", "ln -s /nothing etc/dnf/repos.override.d", "setopt base.cost=5"),
        ("no-dnf-conf", "rm etc/dnf/dnf.conf", "setopt best=0"),
        ("no-dnf-directory", "rm -r etc/dnf", "setopt best=0"),
        (
            "comments-main",
            "printf '# head\\n\\n[main]\\n# why\\nbest = 1\\n\\n[own]\\nbaseurl=file:///x\\nenabled=0\\n' > etc/dnf/dnf.conf",
            "setopt best=0 keepcache=1",
        ),
        (
            "comments-overrides",
            "mkdir etc/dnf/repos.override.d; printf '# mine\\n[base]\\n# why\\ncost = 5\\n' > etc/dnf/repos.override.d/99-config_manager.repo",
            "setopt base.priority=4 third.cost=1",
        ),
    ];
    for (name, prepare, command) in prepared {
        let command = format!("config-manager {command}");
        all.push(scenario(name).run(&[&format!("$ {prepare}"), &command]));
    }
    let table: [(&str, &[&str]); 5] = [
        ("enable-command", &["enable other", "disable base"]),
        ("enable-glob", &["disable '*'", "enable 'b*' other"]),
        ("enable-absent", &["enable zz", "disable base zz"]),
        ("enable-list", &["enable other,base"]),
        ("bare", &[""]),
    ];
    for (name, commands) in table {
        let commands: Vec<String> =
            commands.iter().map(|words| format!("config-manager {words}")).collect();
        let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
        let scenario = scenario(name).run(&["$ mkdir -p etc/dnf/repos.override.d"]);
        all.push(scenario.run(&commands).run(&["repolist --all"]));
    }
}

fn removed_options(all: &mut Vec<Scenario>) {
    let overrides = "$ mkdir etc/dnf/repos.override.d; printf '[base]\\nenabled=0\\ncost=40\\nstrange=1\\npriority=7\\n[other]\\nenabled=1\\ncost=50\\n[gone]\\ncost=60\\n' > etc/dnf/repos.override.d/99-config_manager.repo";
    let main =
        "$ printf '[main]\\n# why\\nbest=1\\nstrange=1\\nskip_unavailable=1\\n' > etc/dnf/dnf.conf";
    let table = [
        ("main", "best"),
        ("main-unknown", "best strange"),
        ("main-absent", "best installroot"),
        ("main-unknown-absent", "nothing"),
        ("main-all", "best skip_unavailable"),
        ("repository", "base.cost"),
        ("glob", "'*.cost'"),
        ("unknown", "base.strange base.cost"),
        ("unknown-absent", "base.nothing"),
        ("absent-repository", "zz.cost base.cost"),
        ("absent-option", "base.proxy base.cost"),
        ("whole", "base.enabled base.cost base.priority base.strange"),
        ("everything", "'*.enabled' '*.cost' '*.priority' '*.strange'"),
        ("gone", "gone.cost"),
        ("dotted", "base.x.cost"),
        ("none", ""),
    ];
    for (name, words) in table {
        let scenario = Scenario::new(&format!("unsetopt-{name}"), "a-1");
        let command = format!("config-manager unsetopt {words}");
        all.push(scenario.repository("other", "b-1").run(&[overrides, main, &command]));
    }
    for (name, words) in [("no-file", "best"), ("no-overrides", "base.cost")] {
        let scenario = Scenario::new(&format!("unsetopt-{name}"), "a-1");
        all.push(
            scenario.run(&["$ rm etc/dnf/dnf.conf", &format!("config-manager unsetopt {words}")]),
        );
    }
}

fn variables(all: &mut Vec<Scenario>) {
    let table: [(&str, &str, &[&str]); 16] = [
        ("set", "mkdir etc/dnf/vars", &["setvar one=1 two=2"]),
        ("twice", "mkdir etc/dnf/vars", &["setvar one=1 two=2 one=1"]),
        ("different", "mkdir etc/dnf/vars", &["setvar one=1 two=2 one=3"]),
        ("no-directory", "touch x", &["setvar one=1"]),
        ("made-directory", "touch x", &["setvar --create-missing-dir one=1"]),
        ("directory-is-file", "touch etc/dnf/vars", &["setvar one=1"]),
        ("directory-dangles", "ln -s /nothing etc/dnf/vars", &["setvar one=1"]),
        ("change", "mkdir etc/dnf/vars; echo 0 > etc/dnf/vars/one", &["setvar one=1"]),
        ("empty", "mkdir etc/dnf/vars", &["setvar one="]),
        ("bad-name", "mkdir etc/dnf/vars", &["setvar o-ne=1"]),
        ("path", "mkdir etc/dnf/vars", &["setvar ../one=1"]),
        ("read-only", "mkdir etc/dnf/vars", &["setvar releasever_major=1", "setvar basearch=1"]),
        ("no-value", "mkdir etc/dnf/vars", &["setvar one"]),
        ("equals", "mkdir etc/dnf/vars", &["setvar one=a=b"]),
        (
            "unset",
            "mkdir etc/dnf/vars; echo 1 > etc/dnf/vars/one; echo 2 > etc/dnf/vars/two",
            &["unsetvar one three", "unsetvar ../dnf.conf"],
        ),
        ("unset-nothing", "touch x", &["unsetvar one"]),
    ];
    for (name, prepare, commands) in table {
        let commands: Vec<String> =
            commands.iter().map(|words| format!("config-manager {words}")).collect();
        let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
        let scenario = Scenario::new(&format!("variable-{name}"), "a-1");
        all.push(scenario.run(&[&format!("$ {prepare}")]).run(&commands));
    }
}
