// SPDX-License-Identifier: MIT OR Apache-2.0
//! Processes killed at random moments, and file operations that fail, in transactions, undo and recovery (`cargo xtask crash`).
//!
//! `CAIRN_CRASH_RUNS` (kills; and how many of the failing operations are tried) and `CAIRN_CRASH_SEED` choose; each run prints a table.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "starts itself as a child and prints a table"
)]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use cairn_host::Root;
use cairn_pkg::recover::recover;

use crate::crash::{MANY, child_command, describe, prepare, run_child, state_of};
use crate::support::{Bench, check_clean};

pub(crate) const SCENARIOS: [&str; 4] = ["install", "upgrade", "remove", "undo"];

/// How many kills there are without `CAIRN_CRASH_RUNS`.
pub(crate) const RUNS: u64 = 24;

/// Returns what is asked for by the environment.
pub(crate) fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// SplitMix64: the same numbers for the same seed everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (value ^ (value >> 31)) % limit.max(1)
    }
}

/// A root in the state before a scenario, and the job of the child that carries it out.
pub(crate) fn ready(scenario: &str) -> (Bench, String) {
    if scenario != "undo" {
        let (bench, items) = prepare(scenario);
        return (bench, describe(&items));
    }
    let (bench, items) = prepare("upgrade");
    assert!(run_child(&bench, &describe(&items), MANY));
    (bench, "undo".to_owned())
}

/// What must hold after any interruption; returns whether the transaction came through.
pub(crate) fn check(root: &Root, before: &str, after: &str, what: &str) -> bool {
    let recovered = recover(root, &mut |_| ()).unwrap();
    let found = state_of(root);
    assert!(
        found == before || found == after,
        "{what}: {recovered:?}\nfound:\n{found}\nbefore:\n{before}\nafter:\n{after}"
    );
    check_clean(root);
    found == after
}

/// Starts a child and kills it after a while; returns whether it was killed.
fn kill_after(bench: &Bench, job: &str, delay: Duration) -> bool {
    let mut child = child_command(bench, job, MANY).spawn().unwrap();
    // The moment is what this is about, nothing is waited for.
    std::thread::sleep(delay);
    child.kill().unwrap();
    !child.wait().unwrap().success()
}

#[test]
fn kills_at_random_moments() {
    let seed = number("CAIRN_CRASH_SEED", 1);
    let mut random = Random(seed);
    let runs = number("CAIRN_CRASH_RUNS", RUNS);
    let mut table: BTreeMap<&str, [u64; 4]> = BTreeMap::new();
    let mut ends: BTreeMap<&str, (String, String, Duration)> = BTreeMap::new();
    for scenario in SCENARIOS {
        let (bench, job) = ready(scenario);
        let before = state_of(&bench.root);
        let start = Instant::now();
        assert!(run_child(&bench, &job, MANY));
        ends.insert(scenario, (before, state_of(&bench.root), start.elapsed()));
    }
    for run in 0..runs {
        let scenario = SCENARIOS[(run % 4) as usize];
        let (before, after, whole) = &ends[scenario];
        let (bench, job) = ready(scenario);
        let mut moment = || Duration::from_micros(random.below(whole.as_micros() as u64));
        let killed = kill_after(&bench, &job, moment());
        let row = table.entry(scenario).or_default();
        // Recovery is killed as well, every other time.
        if killed && run % 8 < 4 && kill_after(&bench, "recover", moment()) {
            row[3] += 1;
        }
        let what = format!("{scenario}, run {run} of seed {seed}");
        let through = check(&bench.root, before, after, &what);
        match (killed, through) {
            (false, through) => {
                assert!(through, "{what}: ended by itself and did nothing");
                row[2] += 1;
            }
            (true, true) => row[1] += 1,
            (true, false) => row[0] += 1,
        }
    }
    println!("kills at random moments, seed {seed}");
    println!(
        "{:<10}{:>12}{:>12}{:>12}{:>18}",
        "", "taken back", "finished", "was over", "recovery killed"
    );
    for (scenario, [back, forward, over, recovery]) in &table {
        println!("{scenario:<10}{back:>12}{forward:>12}{over:>12}{recovery:>18}");
    }
    assert_eq!(table.values().map(|row| row[0] + row[1] + row[2]).sum::<u64>(), runs);
}
