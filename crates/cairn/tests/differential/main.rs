// SPDX-License-Identifier: MIT OR Apache-2.0
//! Our `rpm` against Debian's, on a few hundred small scenarios (`cargo xtask differential`).
//!
//! Every scenario is a list of packages, built by Debian's rpmbuild, and of commands. Both programs run them, each in a root of its
//! own; then exit codes, messages, the database as both programs read it, the file tree and the trace of the scriptlets must agree.
//! `known.txt` lists the differences that are wanted, with their reasons; it must not list what does not differ.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, missing_docs, reason = "tests may stop")]

mod bench;
mod failing;
mod generate;
mod scenario;

use bench::Bench;
use std::collections::{BTreeMap, BTreeSet};

/// The kinds of comparison.
const KINDS: [&str; 5] = ["exit", "database", "tree", "trace", "text"];

#[test]
fn rpm_agrees_with_debians() {
    let mut scenarios = generate::all();
    if let Ok(wanted) = std::env::var("DIFFERENTIAL") {
        scenarios.retain(|scenario| wanted.split(',').any(|word| scenario.name.contains(word)));
    }
    let names: BTreeSet<&str> = scenarios.iter().map(|scenario| scenario.name.as_str()).collect();
    assert_eq!(names.len(), scenarios.len(), "two scenarios have one name");
    let bench = Bench::new(&scenarios);
    let theirs = bench.run(&scenarios, "theirs");
    let ours = bench.run(&scenarios, "ours");
    let known = Known::read();
    let mut used = BTreeSet::new();
    let mut findings = Vec::new();
    let mut differences: BTreeMap<&str, usize> = BTreeMap::new();
    for scenario in &scenarios {
        let (theirs, ours) = (&theirs[&scenario.name], &ours[&scenario.name]);
        for kind in KINDS {
            let (their, our) = (theirs.part(kind), ours.part(kind));
            if their == our {
                continue;
            }
            *differences.entry(kind).or_default() += 1;
            match known.find(&scenario.name, kind) {
                Some(line) => {
                    used.insert(line);
                }
                None => {
                    let lines = diff(&their, &our);
                    findings.push(format!("== {}: {kind}\n{lines}", scenario.name));
                }
            }
        }
    }
    println!("{} scenarios, differences by kind: {differences:?}", scenarios.len());
    if std::env::var("DIFFERENTIAL").is_err() {
        for line in known.lines.iter().filter(|line| !used.contains(&line.number)) {
            findings.push(format!(
                "known.txt:{}: `{} {}` does not differ any more",
                line.number, line.scenario, line.kind
            ));
        }
    }
    assert!(findings.is_empty(), "{} findings\n{}", findings.len(), findings.join("\n"));
}

/// Lines of the one that the other does not have, and the reverse.
fn diff(theirs: &str, ours: &str) -> String {
    let (their, our): (Vec<&str>, Vec<&str>) = (theirs.lines().collect(), ours.lines().collect());
    let mut text = String::new();
    for line in their.iter().filter(|line| !our.contains(line)) {
        text.push_str(&format!("  rpm : {line}\n"));
    }
    for line in our.iter().filter(|line| !their.contains(line)) {
        text.push_str(&format!("  ours: {line}\n"));
    }
    if text.is_empty() {
        text = format!("  rpm : {}\n  ours: {}\n", their.join(" | "), our.join(" | "));
    }
    text
}

/// `known.txt`: scenario (`*` at its end for any), kind, reason.
struct Known {
    lines: Vec<KnownLine>,
}

struct KnownLine {
    number: usize,
    scenario: String,
    kind: String,
}

impl Known {
    fn read() -> Self {
        let lines = include_str!("known.txt").lines().enumerate();
        let lines = lines.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
        let parse = |(at, line): (usize, &str)| {
            let mut words = line.split_whitespace();
            let (scenario, kind) = (words.next().unwrap(), words.next().unwrap());
            assert!(KINDS.contains(&kind), "known.txt:{}: unknown kind {kind}", at + 1);
            assert!(words.next().is_some(), "known.txt:{}: gives no reason", at + 1);
            KnownLine { number: at + 1, scenario: scenario.to_owned(), kind: kind.to_owned() }
        };
        Self { lines: lines.map(parse).collect() }
    }

    fn find(&self, scenario: &str, kind: &str) -> Option<usize> {
        let fits = |line: &&KnownLine| {
            line.kind == kind
                && match line.scenario.strip_suffix('*') {
                    Some(start) => scenario.starts_with(start),
                    None => scenario == line.scenario,
                }
        };
        self.lines.iter().find(fits).map(|line| line.number)
    }
}
