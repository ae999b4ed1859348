// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every file operation of a transaction fails once, and the disk breaks for good from some operation on: the error is told, and the
//! state is the one before or, after recovery, the one after. What SQLite writes by itself fails at a limit on the size of files.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "starts itself as a child and prints a table"
)]

use std::error::Error;
use std::process::{Command, Stdio};

use cairn_host::fault::{Fault, arm, disarm};
use cairn_pkg::TransactionError;
use cairn_pkg::failpoint::FailPoints;
use cairn_pkg::transaction::run;
use cairn_pkg::undo;

use crate::crash::{MANY, child_command, parse, run_child, state_of, with_state};
use crate::random::{RUNS, Random, SCENARIOS, check, number, ready};
use crate::support::{Bench, TIME};

const ERRORS: [(&str, i32); 5] = [
    ("EDQUOT", libc::EDQUOT),
    ("ENOSPC", libc::ENOSPC),
    ("EIO", libc::EIO),
    ("EROFS", libc::EROFS),
    ("EMFILE", libc::EMFILE),
];

/// How many operations are tried per scenario and error without `CAIRN_CRASH_RUNS`.
const TRIED: u64 = 6;

fn carry_out(bench: &Bench, job: &str) -> Result<(), TransactionError> {
    if job == "undo" {
        let id = *undo::list(&bench.root)?.last().unwrap();
        return undo::undo(&bench.root, id, TIME, &FailPoints::none(), &mut |_| ()).map(drop);
    }
    run(&bench.root, parse(job), &with_state(), &mut |_| ()).map(drop)
}

/// Tells whether an error or one of its causes is the one that was injected.
fn names(error: &TransactionError, errno: i32) -> bool {
    let expected = std::io::Error::from_raw_os_error(errno).to_string();
    let mut cause: Option<&dyn Error> = Some(error);
    while let Some(error) = cause {
        if error.to_string().contains(&expected) {
            return true;
        }
        cause = error.source();
    }
    false
}

#[test]
fn operations_fail() {
    let seed = number("CAIRN_CRASH_SEED", 1);
    let tried = number("CAIRN_CRASH_RUNS", TRIED);
    let mut random = Random(seed);
    println!("failing file operations, seed {seed}");
    println!(
        "{:<10}{:<8}{:>12}{:>8}{:>12}{:>12}",
        "", "", "operations", "tried", "as before", "as after"
    );
    let mut all = (0, 0);
    for scenario in SCENARIOS {
        let (bench, job) = ready(scenario);
        let before = state_of(&bench.root);
        arm(Fault::Once(u64::MAX), 0);
        carry_out(&bench, &job).unwrap();
        let operations = disarm();
        let after = state_of(&bench.root);
        for (name, errno) in ERRORS {
            let (mut back, mut forward) = (0, 0);
            for trial in 0..tried.min(operations) {
                let at = if tried >= operations { trial } else { random.below(operations) } + 1;
                let fault = if trial % 2 == 1 { Fault::From(at) } else { Fault::Once(at) };
                let (bench, job) = ready(scenario);
                arm(fault, errno);
                let result = carry_out(&bench, &job);
                disarm();
                let what = format!("{scenario}, {name}, {fault:?} of {operations}, seed {seed}");
                let told = result.as_ref().err().is_none_or(|error| names(error, errno));
                assert!(told, "{what}: {:?}", result.err());
                let through = check(&bench.root, &before, &after, &what);
                match &result {
                    Ok(()) => assert!(through, "{what}: no error and nothing done"),
                    // Told as a failure before the commit: nothing may have been done.
                    Err(error)
                        if scenario != "undo"
                            && !matches!(error, TransactionError::Interrupted(_)) =>
                    {
                        assert!(!through, "{what}: an error and everything done: {error}");
                    }
                    Err(_) => {}
                }
                if through { forward += 1 } else { back += 1 }
            }
            let n = back + forward;
            println!("{scenario:<10}{name:<8}{operations:>12}{n:>8}{back:>12}{forward:>12}");
            all = (all.0 + back, all.1 + forward);
        }
    }
    assert!(all.0 > 0 && all.1 > 0, "{all:?}: both ways must have been seen");
}

/// Starts the child for a job under a limit on the size of files, in blocks of 512 bytes: a write beyond it fails (`EFBIG`). Returns whether it
/// came to its end.
fn run_limited(bench: &Bench, job: &str, blocks: u64) -> bool {
    let child = child_command(bench, job, MANY);
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\"", &blocks.to_string()]);
    limited.arg(child.get_program()).args(child.get_args());
    limited.envs(child.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
}

/// Returns the blocks of the largest file below the root.
fn largest(bench: &Bench) -> u64 {
    let mut directories = vec![bench.path().to_owned()];
    let mut largest = 0;
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let entry = entry.unwrap();
            let stat = entry.metadata().unwrap();
            if stat.is_dir() {
                directories.push(entry.path());
            } else {
                largest = largest.max(stat.len());
            }
        }
    }
    largest.div_ceil(512)
}

#[test]
fn files_reach_a_limit() {
    let seed = number("CAIRN_CRASH_SEED", 1);
    // Each starts a process: as many in all as there are kills at random moments.
    let tried = number("CAIRN_CRASH_RUNS", RUNS).div_ceil(SCENARIOS.len() as u64);
    let mut random = Random(seed);
    println!("a limit on the size of files, seed {seed}");
    println!(
        "{:<10}{:>8}{:>12}{:>16}{:>14}",
        "", "tried", "as before", "failed, after", "no failure"
    );
    let mut all = [0; 3];
    for scenario in SCENARIOS {
        let (bench, job) = ready(scenario);
        let before = state_of(&bench.root);
        assert!(run_child(&bench, &job, MANY));
        let after = state_of(&bench.root);
        let blocks = largest(&bench);
        let mut counts = [0; 3];
        for trial in 0..tried {
            // Spread over all sizes, each anywhere in its part; twice the size, because the log of the database grows beyond it.
            let limit = (blocks * trial + random.below(blocks)) * 2 / tried;
            let (bench, job) = ready(scenario);
            let is_done = run_limited(&bench, &job, limit);
            let what = format!("{scenario}, {limit} of {blocks} blocks, seed {seed}");
            let through = check(&bench.root, &before, &after, &what);
            assert!(through || !is_done, "{what}: no error and nothing done");
            counts[if is_done { 2 } else { usize::from(through) }] += 1;
        }
        let [back, forward, done] = counts;
        println!("{scenario:<10}{tried:>8}{back:>12}{forward:>16}{done:>14}");
        all.iter_mut().zip(counts).for_each(|(all, count)| *all += count);
    }
    assert!(all[0] > 0 && all[1] > 0, "{all:?}: both ways must have been seen");
}
