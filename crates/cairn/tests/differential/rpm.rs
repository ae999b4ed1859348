// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs the scenarios of `rpm` with one of the programs.

use crate::Outcome;
use crate::bench::{Bench, Suite, expand};
use crate::scenario::{Pkg, Scenario, Step};
use crate::tree;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The kinds of comparison.
pub const KINDS: [&str; 6] = ["exit", "database", "database6", "tree", "trace", "text"];
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

fn prepare_base(bench: &Bench) {
    let base = bench.path("base");
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
fn base_package() -> Pkg {
    Pkg::new("base", "1").tag("Provides: /bin/sh").tag("Provides: /usr/bin/dash")
}

fn rpm(program: &str, root: &str) -> String {
    format!("{program} --root {root} {MACROS}")
}

/// Runs all scenarios with one of the programs.
pub fn run(bench: &Bench, scenarios: &[Scenario], who: Who) -> BTreeMap<String, Outcome> {
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
    if who != Who::Six {
        let command = format!("cd {place}; sh ../database6");
        let script = format!(
            "cd $1; {} -qa --qf {FORMAT} 2>&1 | sort > database6\n",
            rpm("/usr/bin/rpm", "$PWD/root")
        );
        std::fs::write(bench.path("database6"), script).unwrap();
        bench.script_for_each(Suite::Sid, &command, &names);
    }
    scenarios
        .iter()
        .map(|scenario| (scenario.name.clone(), outcome(bench, scenario, who)))
        .collect()
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
        match step {
            Step::Shell(command) => writeln!(script, "{command}").unwrap(),
            Step::Command(arguments) => {
                let arguments = expand(arguments, &packages, &scenario.packages);
                let rpm = rpm(who.program(), &root);
                writeln!(
                    script,
                    "{{ {rpm} {arguments} </dev/null; }} > ../text.{number} 2>&1; echo {number} $? >> ../exit",
                )
                .unwrap();
            }
        }
    }
    let judge = rpm("/usr/bin/rpm", &root);
    let our = rpm("/work/bin/rpm", &root);
    writeln!(
        script,
        "{{ {judge} -qa --qf {FORMAT} | sort; {our} -qa | sort; }} > ../database 2>&1"
    )
    .unwrap();
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
        if let Step::Command(arguments) = step {
            let output = read(&format!("text.{number}"))
                .replace(&format!("/work/{}/{}/root", who.place(), scenario.name), "ROOT")
                .replace("warning: Unable to reset nice value: Permission denied", "");
            let lines =
                output.lines().filter(|line| !line.contains("private mounts") && !line.is_empty());
            writeln!(text, "$ rpm {arguments}").unwrap();
            lines.for_each(|line| writeln!(text, "{line}").unwrap());
        }
    }
    let tree = tree::list(&place.join("root"), &SKIPPED);
    Outcome::new([
        ("exit", read("exit")),
        ("database", read("database")),
        ("database6", read("database6")),
        ("tree", tree),
        ("trace", read("root/trace")),
        ("text", text),
    ])
}
