// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs the scenarios of `dnf` with one of the programs; what it left is read by sid's rpm and dnf 5.

use crate::Outcome;
use crate::bench::{Bench, Suite, digest, expand};
use crate::dnf_scenario::{Repository, Scenario};
use crate::scenario::Step;
use crate::tree;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

/// The kinds of comparison: exit codes, what stands on standard output, the transactions of the history, packages with states and
/// reasons as the real programs print them, groups, files.
pub const KINDS: [&str; 6] = ["exit", "text", "plan", "database", "groups", "tree"];
/// What is compared with dnf 4: the names of the packages.
pub const PACKAGES: &str = "packages";
/// Parts of a root that are not compared: what the programs keep for themselves.
const SKIPPED: [&str; 8] = [
    "run",
    "usr/lib/sysimage",
    "var/lib/cairn",
    "var/lib/rpm",
    "var/lib/dnf",
    "var/cache",
    "var/log",
    "var/tmp",
];
/// The macros of everyone in these runs: the database where ours is; packages need no signatures.
const MACROS: &str = "%_dbpath /usr/lib/sysimage/rpm\n%_pkgverify_level none\n";
/// What every dnf.conf says.
const CONFIGURATION: &str = "[main]\ngpgcheck=0\npkg_gpgcheck=0\nlocalpkg_gpgcheck=0\n";
/// Looks at the roots with sid's programs.
const JUDGE: &str = r#"cd "$1"
dnf5="/usr/bin/dnf5 --installroot=$PWD/root --releasever=1"
rpm="/usr/bin/rpm --root $PWD/root"
$rpm -qa | sort > packages 2>&1
{ $rpm -qa --qf '%{NEVRA} %{INSTALLCOLOR} [%{FILENAMES} %{FILESTATES:fstate},]\n' | sort
  $dnf5 repoquery --installed --qf '%{full_nevra} %{reason} %{from_repo}\n' | sort; } > database 2>&1
$dnf5 history info 1..last > plan 2>&1
if [ -e comps ]; then
  { $dnf5 group list --installed; $dnf5 environment list --installed; } > groups 2> groups.log
fi
"#;

/// Who runs the scenarios.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Our program.
    Ours,
    /// dnf 5 of sid.
    Five,
    /// dnf 4 of trixie.
    Four,
}

impl Who {
    /// What its part of the bench is called.
    pub fn place(self) -> &'static str {
        match self {
            Self::Ours => "our-dnf",
            Self::Five => "dnf5",
            Self::Four => "dnf4",
        }
    }

    fn program(self) -> &'static str {
        match self {
            Self::Ours => "/work/bin/dnf",
            Self::Five => "/usr/bin/dnf5",
            Self::Four => "/usr/bin/dnf",
        }
    }

    fn suite(self) -> Suite {
        if self == Self::Four { Suite::Trixie } else { Suite::Sid }
    }
}

/// Builds the packages and the repositories of the scenarios.
pub fn prepare(bench: &Bench, scenarios: &[Scenario]) {
    bench.build(scenarios.iter().flat_map(Scenario::packages));
    std::fs::create_dir_all(bench.path("home")).unwrap();
    std::fs::write(bench.path("home/.rpmmacros"), MACROS).unwrap();
    std::fs::write(bench.path("judge"), JUDGE).unwrap();
    let mut names = BTreeSet::new();
    for scenario in scenarios {
        bench.place(&scenario.files, &format!("files/{}", scenario.name));
        for repository in &scenario.repositories {
            let name = place_of(repository);
            // Many scenarios have the same repository.
            if names.insert(format!("/work/{name}")) {
                bench.place(&repository.packages, &name);
                write_metadata(bench, repository, &name);
            }
        }
    }
    std::fs::write(
        bench.path("index"),
        "cd \"$1\"\ngroups=; [ -e comps.xml ] && groups='-g comps.xml'\n\
         { createrepo_c --quiet $groups . && { [ ! -e updateinfo.xml ] || modifyrepo_c updateinfo.xml repodata; }; } > log 2>&1 || cat log\n",
    )
    .unwrap();
    let names: Vec<String> = names.into_iter().collect();
    let failed = bench.script_for_each(Suite::Trixie, "sh /work/index", &names);
    assert!(failed.is_empty(), "createrepo_c: {failed}");
}

/// Where a repository is, named by what it holds.
fn place_of(repository: &Repository) -> String {
    let Repository { name, packages, comps, advisories, .. } = repository;
    let key = digest(&format!("{packages:?}{comps}{advisories}"));
    format!("repositories/{key}/{name}")
}

fn write_metadata(bench: &Bench, repository: &Repository, name: &str) {
    let write = |file: &str, element: &str, content: &str| {
        if !content.is_empty() {
            let text = format!("<?xml version=\"1.0\"?>\n<{element}>\n{content}</{element}>\n");
            std::fs::write(bench.path(name).join(file), text).unwrap();
        }
    };
    write("comps.xml", "comps", &repository.comps);
    write("updateinfo.xml", "updates", &repository.advisories);
}

/// Runs all scenarios with one of the programs.
pub fn run(bench: &Bench, scenarios: &[Scenario], who: Who) -> BTreeMap<String, Outcome> {
    if who == Who::Four {
        return dnf4(bench, scenarios);
    }
    let scenarios: Vec<&Scenario> = scenarios.iter().collect();
    let names = carry_out(bench, &scenarios, who);
    let command = format!("export HOME=/work/home; cd /work/{}; sh ../judge", who.place());
    bench.script_for_each(Suite::Sid, &command, &names);
    names.into_iter().map(|name| (name.clone(), outcome(bench, &name, who))).collect()
}

/// Runs the commands of the scenarios; returns their names.
fn carry_out(bench: &Bench, scenarios: &[&Scenario], who: Who) -> Vec<String> {
    let scripts = bench.path(&format!("scripts-{}", who.place()));
    std::fs::create_dir_all(&scripts).unwrap();
    for scenario in scenarios {
        make_root(bench, scenario, who);
        std::fs::write(scripts.join(&scenario.name), commands(scenario, who)).unwrap();
    }
    let command = format!("export HOME=/work/home; cd /work/scripts-{}; sh", who.place());
    let (alone, others): (Vec<&Scenario>, Vec<&Scenario>) =
        scenarios.iter().partition(|scenario| uses_trigger(scenario));
    let name = |scenario: &&Scenario| scenario.name.clone();
    bench.script_for_each(who.suite(), &command, &others.iter().map(name).collect::<Vec<_>>());
    let one_by_one: String =
        alone.iter().map(|scenario| format!("({command} {})\n", scenario.name)).collect();
    bench.script(who.suite(), &one_by_one);
    scenarios.iter().map(name).collect()
}

/// Whether it may make or remove the link that has a stored transaction carried out, which in dnf5 is the machine's and not the root's.
fn uses_trigger(scenario: &Scenario) -> bool {
    let uses = |word: &str| word.contains("offline") || word.contains("system-upgrade");
    scenario.steps.iter().any(|step| matches!(step, Step::Command(command) if uses(command)))
}

/// What dnf 4 installs. It takes longer than all others together, so its answers are kept in the cache, by scenario.
fn dnf4(bench: &Bench, scenarios: &[Scenario]) -> BTreeMap<String, Outcome> {
    let scenarios = scenarios.iter().filter(|scenario| for_dnf4(scenario).is_some());
    let answer = |scenario: &Scenario| {
        let key = format!("{CONFIGURATION}{MACROS}{scenario:?}{}", commands(scenario, Who::Four));
        bench.kept("dnf4").join(digest(&key))
    };
    let unknown = scenarios.clone().filter(|scenario| !answer(scenario).is_file());
    for part in unknown.collect::<Vec<_>>().chunks(40) {
        for (name, scenario) in carry_out(bench, part, Who::Four).iter().zip(part) {
            let printed = bench.path(&format!("{}/{name}/{PACKAGES}", Who::Four.place()));
            std::fs::copy(printed, answer(scenario)).unwrap();
        }
    }
    let outcome = |scenario: &Scenario| {
        let packages = std::fs::read_to_string(answer(scenario)).unwrap();
        (scenario.name.clone(), Outcome::new([(PACKAGES, packages)]))
    };
    scenarios.map(outcome).collect()
}

/// A root with nothing but configuration.
fn make_root(bench: &Bench, scenario: &Scenario, who: Who) {
    let place = bench.path(&format!("{}/{}", who.place(), scenario.name));
    let etc = place.join("root/etc");
    std::fs::create_dir_all(etc.join("dnf")).unwrap();
    std::fs::create_dir_all(etc.join("yum.repos.d")).unwrap();
    let mut text = CONFIGURATION.to_owned();
    scenario.configuration.iter().for_each(|line| writeln!(text, "{line}").unwrap());
    std::fs::write(etc.join("dnf/dnf.conf"), text).unwrap();
    let mut text = String::new();
    for repository in &scenario.repositories {
        let Repository { name, options, comps, .. } = repository;
        writeln!(
            text,
            "[{name}]\nname={name}\nbaseurl=file:///work/{}\nrepo_gpgcheck=0",
            place_of(repository)
        )
        .unwrap();
        options.iter().for_each(|line| writeln!(text, "{line}").unwrap());
        if !comps.is_empty() {
            std::fs::write(place.join("comps"), "").unwrap();
        }
    }
    std::fs::write(etc.join("yum.repos.d/test.repo"), text).unwrap();
}

/// The commands as dnf 4 spells them, or `None` where it does not have all of them.
fn for_dnf4(scenario: &Scenario) -> Option<Vec<String>> {
    let commands = scenario.steps.iter().filter_map(|step| match step {
        Step::Command(command) => Some(command),
        Step::Shell(_) | Step::Other(_) => None,
    });
    commands.map(|command| dnf4_command(command)).collect()
}

fn dnf4_command(command: &str) -> Option<String> {
    let new = [
        "versionlock",
        "--skip-unavailable",
        "--no-autoremove",
        "weak",
        "environment",
        "mark group",
        "leaves",
        "--no-allow-downgrade",
        "--allow-downgrade",
        "--severities",
        "--advisory-severities",
        "--use-host-config",
        "--with-optional",
        "--no-packages",
        "upgrade --minimal",
        "check-upgrade",
        "do ",
        "replay",
        "--store",
        "excludegroups",
        "excludeenvs",
        "--from-vendor",
        "--advisory-severities",
        "FiLe:",
        "config-manager",
        "offline",
        "system-upgrade",
        "repoclosure",
        "reposync",
        "repomanage",
        "download",
        "debuginfo-install",
        "builddep",
        "changelog",
        "needs-restarting",
        "--destdir",
    ];
    if new.iter().any(|word| command.contains(word)) {
        return None;
    }
    let command =
        command.replace("mark user", "mark install").replace("mark dependency", "mark remove");
    Some(command.replace("--advisories=", "--advisory=").replace("--exclude=", "--exclude "))
}

/// The script that runs one scenario.
fn commands(scenario: &Scenario, who: Who) -> String {
    let root = format!("/work/{}/{}/root", who.place(), scenario.name);
    let files = format!("/work/files/{}", scenario.name);
    let mut script = format!("set -f; cd {root}\n");
    for (number, step) in scenario.steps.iter().enumerate() {
        let command = match step {
            Step::Shell(command) | Step::Other(command) => {
                let command = expand(command, &files, &scenario.files);
                writeln!(script, "set +f; {command}; set -f").unwrap();
                continue;
            }
            Step::Command(command) if who == Who::Four => dnf4_command(command).unwrap(),
            Step::Command(command) => command.clone(),
        };
        let answer = if command.contains("--assumeno") { "" } else { "-y" };
        writeln!(
            script,
            "{{ {} --installroot={root} --releasever=1 {answer} {} </dev/null; }} > ../text.{number} 2> ../err.{number}; echo {number} $? >> ../exit",
            who.program(),
            expand(&command, &files, &scenario.files)
        )
        .unwrap();
    }
    if who == Who::Four {
        writeln!(script, "rpm --root {root} -qa | sort > ../{PACKAGES} 2>&1").unwrap();
    }
    script
}

fn outcome(bench: &Bench, name: &str, who: Who) -> Outcome {
    let place = bench.path(&format!("{}/{name}", who.place()));
    let read = |name: &str| {
        let bytes = std::fs::read(place.join(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).replace(&format!("/work/{}/", who.place()), "/work/")
    };
    Outcome::new([
        ("exit", read("exit")),
        ("text", texts(&place)),
        ("plan", altered(&read("plan"))),
        ("database", read("database")),
        ("groups", read("groups")),
        ("tree", without_times(&tree::list(&place.join("root"), &SKIPPED))),
        (PACKAGES, read("packages")),
    ])
}

/// What the commands wrote to standard output, without moments and without the names of roots.
fn texts(place: &Path) -> String {
    let mut text = String::new();
    for number in 0..100 {
        let Ok(bytes) = std::fs::read(place.join(format!("text.{number}"))) else { continue };
        let printed = String::from_utf8_lossy(&bytes);
        for line in printed.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
            writeln!(text, "{number} {}", without_moments(line)).unwrap();
        }
    }
    let text = ["our-dnf", "dnf5"]
        .iter()
        .fold(text, |text, who| text.replace(&format!("/work/{who}/"), "/work/"));
    [Who::Ours, Who::Five].iter().fold(text, |text, who| text.replace(who.program(), "dnf"))
}

/// A line with `TIME` for every `2026-01-01 00:00:00`.
fn without_moments(line: &str) -> String {
    let digits = |text: &[u8], form: &[u8]| {
        text.len() >= form.len()
            && text.iter().zip(form).all(|(byte, form)| match form {
                b'0' => byte.is_ascii_digit(),
                other => byte == other,
            })
    };
    let bytes = line.as_bytes();
    let mut text = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let form = b"0000-00-00 00:00:00";
        if digits(&bytes[at..], form) {
            text.extend(b"TIME");
            at += form.len();
        } else {
            text.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// The tree without the moments that version locks name.
fn without_times(tree: &str) -> String {
    let mut parts = tree.split("' command on ");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str("' command on TIME");
        text.push_str(part.get("2026-01-01 00:00:00".len()..).unwrap_or_default());
    }
    text
}

/// What `history info` tells of each transaction, the last one first: the result, and without order what was done.
fn altered(history: &str) -> String {
    let mut text = String::new();
    for transaction in history.split("\n\n") {
        // Not the rpmdb's checksums: they tell the order in which packages came.
        let heads = ["Transaction ID", "Status", "Releasever"];
        let head = |line: &&str| heads.iter().any(|head| line.starts_with(head));
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut items: Vec<String> =
            transaction.lines().filter(|line| line.starts_with("  ")).map(words).collect();
        items.sort();
        let heads = transaction.lines().filter(head).map(words);
        heads.chain(items).for_each(|line| writeln!(text, "{line}").unwrap());
    }
    text
}
