// SPDX-License-Identifier: MIT OR Apache-2.0
//! The malformed files that our tests judge, for whoever wants to try them on another program.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::run::{cargo, say, stage};

/// Tells the tests where they leave the files they judge.
const WANTED: &str = "CAIRN_FIXTURES";
/// The tests that have such files.
const TESTS: [&str; 5] = ["malformed", "metadata", "damage", "trust", "refusals"];
/// Rows of the table of bad inputs that are about packages, repositories, configurations and what is on a machine.
const ROWS: std::ops::RangeInclusive<u32> = 1..=48;
/// Rows that no file shows: what servers do.
const WITHOUT_FILES: [u32; 1] = [45];

/// Writes them into a directory that is empty or made now, and prints how many of them there are.
///
/// # Errors
/// The directory has something in it, a test failed, or a row has no file.
pub(crate) fn write(directory: &Path) -> Result<()> {
    let directory = std::path::absolute(directory)
        .with_context(|| format!("finding {}", directory.display()))?;
    std::fs::create_dir_all(&directory)
        .with_context(|| format!("creating {}", directory.display()))?;
    let is_empty = names(&directory)?.is_empty();
    ensure!(is_empty, "{} is not empty: name a new directory", directory.display());
    let mut command = cargo(&["test", "--quiet", "-p", "cairn-dnf"]);
    for test in TESTS {
        command.args(["--test", test]);
    }
    stage("fixtures", kept_in(&mut command, &directory))?;
    let count = check(&directory)?;
    say(&format!("{count} malformed files in {}", directory.display()));
    Ok(())
}

/// Lets the tests that a command runs leave their files in a directory.
pub(crate) fn kept_in<'a>(command: &'a mut Command, directory: &Path) -> &'a mut Command {
    command.env(WANTED, directory)
}

/// Returns how many files there are, those that say what is said about another one left out.
///
/// # Errors
/// A row has none.
pub(crate) fn check(directory: &Path) -> Result<usize> {
    let mut rows = BTreeSet::new();
    let mut count = 0;
    for kind in names(directory)?.iter().filter(|kind| *kind != "keys") {
        let names = names(&directory.join(kind))?;
        let cases = names.iter().filter(|name| !name.ends_with(".txt"));
        count += cases.clone().count();
        rows.extend(cases.filter_map(|name| name.split(['-', '.']).next()?.parse::<u32>().ok()));
    }
    let missing: Vec<u32> =
        ROWS.filter(|row| !rows.contains(row) && !WITHOUT_FILES.contains(row)).collect();
    ensure!(missing.is_empty(), "rows without a malformed file: {missing:?}");
    Ok(count)
}

fn names(directory: &Path) -> Result<Vec<String>> {
    let read = || -> std::io::Result<Vec<String>> {
        std::fs::read_dir(directory)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect()
    };
    read().with_context(|| format!("reading {}", directory.display()))
}
