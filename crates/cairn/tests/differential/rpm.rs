// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs the scenarios of `rpm` with one of the programs.

use crate::Outcome;
use crate::bench::{Bench, Suite, expand};
use crate::rpm_kept;
use crate::scenario::{Pkg, Scenario, Step};
use crate::tree;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// The kinds of comparison: exit codes, the database as rpm 4.20 and rpm 6 print it, the peer's database as our program prints it
/// and as the peer does, files, the trace of the scriptlets, messages.
pub const KINDS: [&str; 7] = ["exit", "database", "database6", "reading", "tree", "trace", "text"];
/// Those for which rpm 6 is not asked.
pub const QUICK_KINDS: [&str; 6] = ["exit", "database", "reading", "tree", "trace", "text"];
/// How our program prints the peer's database.
pub const READ_BY_US: &str = "read by us";
/// What the roots have before anything is installed: a shell for scriptlets.
const BASE: [&str; 3] = [
    "usr/bin/dash",
    "usr/lib/x86_64-linux-gnu/libc.so.6",
    "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
];
/// Parts of a root that are not compared: what the programs keep for themselves, the shell, and the device that rpm makes where a
/// root has none, when a scriptlet's output goes nowhere.
const SKIPPED: [&str; 8] = [
    "usr/lib/sysimage",
    "var/lib/cairn",
    "var/lib/rpm",
    "trace",
    BASE[0],
    BASE[1],
    BASE[2],
    "dev/null",
];
const MACROS: &str = "--define '_dbpath /usr/lib/sysimage/rpm' --define '_pkgverify_level none' --define '__systemd_sysusers /usr/bin/systemd-sysusers' --nosignature";

/// Who runs the scenarios.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Our program.
    Ours,
    /// rpm 4.20 of trixie.
    Four,
    /// rpm 6 of sid.
    Six,
}

impl Who {
    /// What its part of the bench is called.
    pub fn place(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Four => "rpm4",
            Self::Six => "rpm6",
        }
    }

    fn program(self) -> &'static str {
        if self == Self::Ours { "/work/bin/rpm" } else { "/usr/bin/rpm" }
    }

    fn suite(self) -> Suite {
        if self == Self::Six { Suite::Sid } else { Suite::Trixie }
    }
}

/// Builds the packages of the scenarios.
pub fn prepare(bench: &Bench, scenarios: &[Scenario]) {
    prepare_base(bench);
    let base = base_package();
    let packages = scenarios.iter().flat_map(|scenario| &scenario.packages);
    bench.build(packages.chain([&base]));
    bench.place(&[base], "packages");
    for scenario in scenarios {
        bench.place(&scenario.packages, &format!("packages/{}", scenario.name));
    }
}

pub fn prepare_base(bench: &Bench) {
    let base = bench.path("base");
    if base.exists() {
        return;
    }
    for name in
        ["etc", "usr/bin", "usr/lib", "usr/lib64", "usr/sbin", "var/tmp", "var/lib", "dev", "proc"]
    {
        std::fs::create_dir_all(base.join(name)).unwrap();
    }
    for name in ["bin", "lib", "lib64", "sbin"] {
        std::os::unix::fs::symlink(format!("usr/{name}"), base.join(name)).unwrap();
    }
    for name in BASE {
        let target = base.join(name);
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(bench.trixie_tree().join(name), target).unwrap();
    }
    std::os::unix::fs::symlink("dash", base.join("usr/bin/sh")).unwrap();
    let loader = "ld-linux-x86-64.so.2";
    std::os::unix::fs::symlink(
        format!("../lib/x86_64-linux-gnu/{loader}"),
        base.join("usr/lib64").join(loader),
    )
    .unwrap();
    std::fs::write(base.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n").unwrap();
    std::fs::write(base.join("etc/group"), "root:x:0:\n").unwrap();
}

/// The first package of every root: it provides what scriptlets need.
pub fn base_package() -> Pkg {
    Pkg::new("base", "1").tag("Provides: /bin/sh").tag("Provides: /usr/bin/dash")
}

pub fn rpm(program: &str, root: &str) -> String {
    format!("{program} --root {root} {MACROS}")
}

/// Runs all scenarios with one of the programs; rpm 4.20, and rpm 6 if it is among the judges, read the database. What the peers
/// answer is kept.
pub fn run(
    bench: &Bench,
    scenarios: &[Scenario],
    who: Who,
    judges: &[Suite],
) -> BTreeMap<String, Outcome> {
    if who == Who::Ours {
        return carry_out(bench, &scenarios.iter().collect::<Vec<_>>(), who, judges);
    }
    let base = base_package();
    let place = format!("/work/{}", who.place());
    let key = |scenario: &Scenario| {
        let trees: Vec<String> = judges.iter().map(|suite| bench.tree_name(*suite)).collect();
        let commands = commands(scenario, who, &place);
        let looks = [looks(who.suite()), looks(Suite::Sid), format!("{BASE:?}{SKIPPED:?}")];
        let packages: Vec<_> = scenario.packages.iter().map(|one| bench.package(one)).collect();
        format!("{trees:?}{base:?}{packages:?}{scenario:?}{commands}{looks:?}")
    };
    let kept = rpm_kept::Kept::new(bench.kept(who.place()));
    let unknown: Vec<&Scenario> =
        scenarios.iter().filter(|scenario| !kept.has(&key(scenario))).collect();
    if !unknown.is_empty() {
        println!("{}: {} scenarios are new", who.place(), unknown.len());
        for (name, outcome) in carry_out(bench, &unknown, who, judges) {
            let scenario = unknown.iter().find(|scenario| scenario.name == name).unwrap();
            let root = bench.path(&format!("{}/{name}/root", who.place()));
            kept.store(&key(scenario), &outcome, &root);
        }
    }
    let mut outcomes = BTreeMap::new();
    for scenario in scenarios {
        let root = bench.path(&format!("reading-{}/{}/root", who.place(), scenario.name));
        outcomes.insert(scenario.name.clone(), kept.load(&key(scenario), &root));
    }
    read_by_us(bench, who, &mut outcomes);
    outcomes
}

/// What our program did, with what it reads in the database of the peer.
pub fn and_read(ours: &Outcome, peer: &Outcome) -> Outcome {
    ours.clone().with("reading", peer.part(READ_BY_US).to_owned())
}

/// Has our program print the databases of a peer.
fn read_by_us(bench: &Bench, who: Who, outcomes: &mut BTreeMap<String, Outcome>) {
    let place = format!("reading-{}", who.place());
    let script = look(&rpm("/work/bin/rpm", "$PWD/root"), "");
    std::fs::write(bench.path("read-by-us"), format!("cd $1\n{script}")).unwrap();
    let names: Vec<String> = outcomes.keys().cloned().collect();
    let command = format!("cd /work/{place}; sh ../read-by-us");
    bench.script_for_each(Suite::Trixie, &command, &names);
    for (name, outcome) in outcomes {
        let read = database(bench, &format!("{place}/{name}"), "");
        *outcome = std::mem::take(outcome).with(READ_BY_US, read);
    }
}

/// Runs scenarios with one of the programs.
fn carry_out(
    bench: &Bench,
    scenarios: &[&Scenario],
    who: Who,
    judges: &[Suite],
) -> BTreeMap<String, Outcome> {
    let place = format!("/work/{}", who.place());
    let scripts = bench.path(&format!("scripts-{}", who.place()));
    std::fs::create_dir_all(&scripts).unwrap();
    let base = base_package();
    bench.script(
        who.suite(),
        &format!(
            "mkdir {place}; cp -a /work/base {place}/base; {} -i /work/packages/{}",
            rpm(who.program(), &format!("{place}/base")),
            base.file_name()
        ),
    );
    for scenario in scenarios {
        std::fs::write(scripts.join(&scenario.name), commands(scenario, who, &place)).unwrap();
    }
    let names: Vec<String> = scenarios.iter().map(|one| format!("./{}", one.name)).collect();
    let command = format!("cd /work/scripts-{}; sh", who.place());
    bench.script_for_each(who.suite(), &command, &names);
    for suite in judges {
        std::fs::write(bench.path("look"), format!("cd $1\n{}", looks(*suite))).unwrap();
        bench.script_for_each(*suite, &format!("cd {place}; sh ../look"), &names);
    }
    scenarios
        .iter()
        .map(|scenario| (scenario.name.clone(), outcome(bench, scenario, who)))
        .collect()
}

/// The script with which the rpm of a suite looks at the database of a root.
fn looks(suite: Suite) -> String {
    let suffix = if suite == Suite::Sid { "6" } else { "" };
    look(&rpm("/usr/bin/rpm", "$PWD/root"), suffix)
}

fn look(rpm: &str, suffix: &str) -> String {
    format!(
        "{rpm} -qa --qf {FORMAT} 2>&1 | sort > packages{suffix}\n{rpm} -qa --xml > headers{suffix} 2>&1\n"
    )
}

const FORMAT: &str = "'%{NEVRA} %{INSTALLCOLOR} [%{FILENAMES} %{FILESTATES:fstate},]\\n'";

/// The script that runs one scenario.
fn commands(scenario: &Scenario, who: Who, place: &str) -> String {
    let mut script = String::from("set -f\n");
    let base = format!("{place}/base");
    let place = format!("{place}/{}", scenario.name);
    let root = format!("{place}/root");
    writeln!(script, "mkdir -p {place}; cp -a {base} {root}; cd {root}").unwrap();
    let packages = format!("/work/packages/{}", scenario.name);
    for (number, step) in scenario.steps.iter().enumerate() {
        let command = match step {
            Step::Shell(command) => {
                let command = expand(command, &packages, &scenario.packages);
                writeln!(script, "{command}").unwrap();
                continue;
            }
            Step::Other(command) => {
                let program = Path::new(who.program()).parent().unwrap();
                format!("{}/{command}", program.display())
            }
            Step::Command(arguments) => format!("{} {arguments}", rpm(who.program(), &root)),
        };
        let command = expand(&command, &packages, &scenario.packages);
        writeln!(
            script,
            "{{ {command} </dev/null; }} > ../text.{number} 2>&1; echo {number} $? >> ../exit",
        )
        .unwrap();
    }
    script
}

fn outcome(bench: &Bench, scenario: &Scenario, who: Who) -> Outcome {
    let place = bench.path(&format!("{}/{}", who.place(), scenario.name));
    let read = |name: &str| {
        let bytes = std::fs::read(place.join(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let mut text = String::new();
    for (number, step) in scenario.steps.iter().enumerate() {
        if let Step::Command(arguments) | Step::Other(arguments) = step {
            let output = read(&format!("text.{number}"))
                .replace(&format!("/work/{}/{}/root", who.place(), scenario.name), "ROOT")
                .replace("warning: Unable to reset nice value: Permission denied", "");
            writeln!(text, "$ rpm {arguments}").unwrap();
            timeless(&output).for_each(|line| writeln!(text, "{line}").unwrap());
        }
    }
    let tree = tree::list(&place.join("root"), &SKIPPED);
    let place = format!("{}/{}", who.place(), scenario.name);
    let [database, database6] = ["", "6"].map(|suffix| database(bench, &place, suffix));
    let own = if who == Who::Six { &database6 } else { &database };
    Outcome::new([
        ("exit", read("exit")),
        ("reading", own.clone()),
        ("database", database),
        ("database6", database6),
        ("tree", tree),
        ("trace", read("root/trace")),
        ("text", text),
    ])
}

/// The lines of an output that do not tell when something was installed.
fn timeless(output: &str) -> impl Iterator<Item = &str> {
    let mut after_time = false;
    output.lines().filter_map(move |line| {
        let is_value = std::mem::replace(&mut after_time, false);
        after_time = line.contains("\"Installtime\"") || line.contains("\"Installtid\"");
        let is_time = is_value || after_time || line.starts_with("Install Date:");
        if is_time || line.is_empty() || line.contains("private mounts") {
            return None;
        }
        // `--last`: the name is padded.
        let day = line.get(46..50).unwrap_or_default();
        let days = ["Mon ", "Tue ", "Wed ", "Thu ", "Fri ", "Sat ", "Sun "];
        Some(if days.contains(&day) { &line[..46] } else { line })
    })
}

/// What was printed of the database of a root, without what tells when it was written.
fn database(bench: &Bench, place: &str, suffix: &str) -> String {
    let read = |name: &str| {
        let path = bench.path(&format!("{place}/{name}{suffix}"));
        String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
    };
    let mut text = read("packages");
    let headers = read("headers");
    let mut parts: Vec<String> = headers.split("</rpmHeader>").map(header_lines).collect();
    parts.sort();
    text.extend(parts);
    text
}

/// A header of `--xml`, a line per tag.
fn header_lines(header: &str) -> String {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut tags = header.split("<rpmTag name=\"");
    let before = words(tags.next().unwrap_or_default());
    let mut lines: Vec<String> = Vec::new();
    let mut name = String::new();
    for tag in tags {
        let (tag, values) = tag.split_once("\">").unwrap();
        let values = words(&values.replace("</rpmTag>", ""));
        if ["Name", "Version"].contains(&tag) {
            name.push_str(values.trim_start_matches("<string>").trim_end_matches("</string>"));
            name.push(' ');
        }
        if !["Installtime", "Installtid"].contains(&tag) {
            lines.push(format!("{tag} {values}"));
        }
    }
    lines.sort();
    let mut text = String::new();
    if !["", "<rpmHeader>"].contains(&before.as_str()) {
        writeln!(text, "{before}").unwrap();
    }
    if !name.starts_with("base ") {
        lines.iter().for_each(|line| writeln!(text, "{name}{line}").unwrap());
    }
    text
}
