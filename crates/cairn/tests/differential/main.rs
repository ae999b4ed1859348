// SPDX-License-Identifier: MIT OR Apache-2.0
//! Our `rpm` and `dnf` against Debian's, on some hundred small scenarios each (`cargo xtask differential`).
//!
//! Every scenario is a list of packages, built by Debian's rpmbuild, and of commands. All programs run them, each in a root of its
//! own. What they leave must agree: exit codes, plans, the database as real programs read it, the file tree, the trace of the
//! scriptlets, rpm's messages. `known-rpm.txt` and `known-dnf.txt` list the differences that are wanted, with their reasons; they must
//! not list what does not differ. The first peers are rpm of trixie and dnf 5 of sid; rpm of sid and dnf 4 of trixie judge what they
//! and the first peer agree on.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, missing_docs, reason = "tests may stop")]

mod bench;
mod dnf;
mod dnf_cases;
mod dnf_cases_actions;
mod dnf_cases_config;
mod dnf_cases_groups;
mod dnf_cases_more;
mod dnf_cases_plugins;
mod dnf_cases_questions;
mod dnf_cases_state;
mod dnf_cases_stored;
mod dnf_scenario;
mod exchange;
mod known;
#[path = "../peers/mod.rs"]
mod peers;
mod rpm;
mod rpm_asking;
mod rpm_cases;
mod rpm_failing;
mod rpm_features;
mod rpm_kept;
mod rpm_more;
mod rpm_order;
mod rpm_quick;
mod scenario;
mod tree;
mod verdict;

use bench::{Bench, Suite};
use known::Known;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;
use verdict::{Table, Verdict};

/// What came of one scenario, by kind.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Outcome {
    parts: BTreeMap<String, String>,
}

impl Outcome {
    pub fn new<const N: usize>(parts: [(&'static str, String); N]) -> Self {
        Self { parts: parts.map(|(kind, text)| (kind.to_owned(), text)).into() }
    }

    /// The same with another part.
    pub fn with(mut self, kind: &str, text: String) -> Self {
        self.parts.insert(kind.to_owned(), text);
        self
    }

    pub fn part(&self, kind: &str) -> &str {
        self.parts.get(kind).map_or("", String::as_str)
    }
}

#[test]
fn our_programs_agree_with_debians() {
    let bench = Bench::open();
    let mut table = Table::default();
    if wanted().as_deref() == Some(rpm_quick::WORD) {
        compare_rpm_quickly(&bench, &rpm_quick::choose(rpm_cases::all()), &mut table);
        println!("{table}");
        exchange::check(&bench, &[Suite::Trixie]);
        return table.check();
    }
    let rpm_scenarios = chosen(rpm_cases::all(), |scenario| format!("rpm/{}", scenario.name));
    let dnf_scenarios = chosen(dnf_cases::all(), |scenario| format!("dnf/{}", scenario.name));
    if !rpm_scenarios.is_empty() {
        compare_rpm(&bench, &rpm_scenarios, &mut table);
    }
    if !dnf_scenarios.is_empty() {
        compare_dnf(&bench, &dnf_scenarios, &mut table);
    }
    println!("{table}");
    if wanted().is_none_or(|wanted| wanted.contains(exchange::WORD)) {
        exchange::check(&bench, &[Suite::Bookworm, Suite::Trixie, Suite::Sid]);
    }
    table.check();
}

/// The scenarios whose names, `rpm/NAME` or `dnf/NAME`, have one of the wanted words.
fn chosen<T>(mut scenarios: Vec<T>, name: impl Fn(&T) -> String) -> Vec<T> {
    let names: BTreeSet<String> = scenarios.iter().map(&name).collect();
    assert_eq!(names.len(), scenarios.len(), "two scenarios have one name");
    if let Some(wanted) = wanted() {
        scenarios.retain(|scenario| wanted.split(',').any(|word| name(scenario).contains(word)));
    }
    scenarios
}

fn wanted() -> Option<String> {
    std::env::var("DIFFERENTIAL").ok()
}

/// Tells how long a part took.
fn timed<T>(name: &str, part: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = part();
    println!("{name}: {:.0} s", started.elapsed().as_secs_f64());
    result
}

fn compare_rpm(bench: &Bench, scenarios: &[scenario::Scenario], table: &mut Table) {
    timed("packages of rpm's scenarios", || rpm::prepare(bench, scenarios));
    let judges = [Suite::Trixie, Suite::Sid];
    let [ours, four, six] = [rpm::Who::Ours, rpm::Who::Four, rpm::Who::Six]
        .map(|who| timed(who.place(), || rpm::run(bench, scenarios, who, &judges)));
    let known = Known::read("known-rpm.txt", include_str!("known-rpm.txt"), &rpm::KINDS);
    let mut first = Verdict::new("rpm", "rpm 4.20 (trixie)", &known);
    let mut second = Verdict::new("rpm", "rpm 6 (sid)", &known);
    for scenario in scenarios {
        let name = &scenario.name;
        let [four, six] = [&four[name], &six[name]];
        if scenario.is_v6() {
            second.judge(name, &rpm::KINDS, six, &rpm::and_read(&ours[name], six));
            continue;
        }
        first.judge(name, &rpm::KINDS, four, &rpm::and_read(&ours[name], four));
        let ours = rpm::and_read(&ours[name], six);
        second.judge_where_agreed(name, &rpm::KINDS, [four, six], &ours);
    }
    table.add([first, second]);
    table.check_known(&known);
}

/// Without the tree of sid.
fn compare_rpm_quickly(bench: &Bench, scenarios: &[scenario::Scenario], table: &mut Table) {
    timed("packages of rpm's scenarios", || rpm::prepare(bench, scenarios));
    let [ours, four] = [rpm::Who::Ours, rpm::Who::Four]
        .map(|who| timed(who.place(), || rpm::run(bench, scenarios, who, &[Suite::Trixie])));
    let known = Known::read("known-rpm.txt", include_str!("known-rpm.txt"), &rpm::KINDS);
    let mut first = Verdict::new("rpm", "rpm 4.20 (trixie)", &known);
    for name in scenarios.iter().map(|scenario| &scenario.name) {
        let ours = rpm::and_read(&ours[name], &four[name]);
        first.judge(name, &rpm::QUICK_KINDS, &four[name], &ours);
    }
    table.add([first]);
}

fn compare_dnf(bench: &Bench, scenarios: &[dnf_scenario::Scenario], table: &mut Table) {
    timed("packages of dnf's scenarios", || dnf::prepare(bench, scenarios));
    let run = |who: dnf::Who| timed(who.place(), || dnf::run(bench, scenarios, who));
    let (ours, five) = (run(dnf::Who::Ours), run(dnf::Who::Five));
    // Agreement about nothing is none: commands succeed, and those that install do.
    let succeeds = |scenario: &&dnf_scenario::Scenario| {
        five[&scenario.name].part("exit").lines().any(|line| line.ends_with(" 0"))
    };
    let alters = |scenario: &&&dnf_scenario::Scenario| {
        five[&scenario.name].part("plan").contains("Transaction ID")
    };
    let succeeding = scenarios.iter().filter(succeeds).count();
    let installing: Vec<_> = scenarios.iter().filter(|scenario| scenario.installs()).collect();
    let altering = installing.iter().filter(alters).count();
    assert!(
        succeeding * 2 > scenarios.len() && altering * 2 >= installing.len(),
        "dnf 5 does next to nothing: the bench is broken"
    );
    let kinds = [&dnf::KINDS[..], &[dnf::PACKAGES]].concat();
    let known = Known::read("known-dnf.txt", include_str!("known-dnf.txt"), &kinds);
    let mut first = Verdict::new("dnf", "dnf 5 (sid)", &known);
    let mut second = Verdict::new("dnf", "dnf 4 (trixie)", &known);
    for name in scenarios.iter().map(|scenario| &scenario.name) {
        first.judge(name, &dnf::KINDS, &five[name], &ours[name]);
    }
    for (name, four) in &run(dnf::Who::Four) {
        second.judge_where_agreed(name, &[dnf::PACKAGES], [&five[name], four], &ours[name]);
    }
    table.add([first, second]);
    table.check_known(&known);
}
