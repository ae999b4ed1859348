// SPDX-License-Identifier: MIT OR Apache-2.0
//! One database, two programs in turn: what Debian's rpm makes of ours and ours of its is what it makes of its own.

use crate::bench::{Bench, Suite};
use crate::rpm;
use crate::scenario::Pkg;
use std::fmt::Write as _;

/// What `cargo xtask differential` calls it.
pub const WORD: &str = "exchange";

const QUERIES: [&str; 4] = [
    "--verifydb",
    "-qa --qf '%{NAME} %{EVR} %{INSTALLCOLOR} [%{FILENAMES} %{FILESTATES:fstate},]\\n'",
    "-q --whatrequires cap",
    "-qf /usr/share/a/one /usr/share/b/two",
];
/// What the two do by turns; the queries follow each of them, by the other one.
const STEPS: [&str; 9] = [
    "-i base a-1 b-1",
    "-U a-2",
    "-e b",
    "--rebuilddb",
    "-i b-1",
    "-V a b",
    "-U --oldpackage a-1",
    "--rebuilddb",
    "-e a b",
];

/// Asserts it for rpm of these suites.
pub fn check(bench: &Bench, suites: &[Suite]) {
    let packages = packages();
    rpm::prepare_base(bench);
    bench.build(packages.iter());
    bench.place(&packages, "packages/exchange");
    let (ours, mut number) = ("/work/bin/rpm", 0);
    for suite in suites {
        let theirs = ("/usr/bin/rpm", *suite);
        let ours = (ours, Suite::Trixie);
        let mut run = |programs| {
            number += 1;
            by_turns(bench, &format!("exchange-{number}"), programs)
        };
        let alone = run([theirs, theirs]);
        for programs in [[ours, theirs], [theirs, ours]] {
            let found = run(programs);
            let differing = found.lines().zip(alone.lines()).find(|(found, alone)| found != alone);
            assert!(found == alone, "{programs:?}: (found, rpm alone) = {differing:?}\n{found}");
        }
        println!(
            "rpm of {suite:?} and ours, by turns on one database: {} steps agree",
            STEPS.len()
        );
    }
}

fn packages() -> [Pkg; 4] {
    let a = |version: &str| {
        Pkg::new("a", version).tag("Provides: cap").file("/usr/share/a/one", "", version).file(
            "/etc/a.conf",
            "%config(noreplace)",
            "a",
        )
    };
    let b = Pkg::new("b", "1").tag("Requires: cap").file("/usr/share/b/two", "", "two");
    [a("1"), a("2"), b, rpm::base_package()]
}

/// Returns what both said and did.
fn by_turns(bench: &Bench, place: &str, programs: [(&str, Suite); 2]) -> String {
    let mut said = String::new();
    bench.script(
        Suite::Trixie,
        &format!("mkdir /work/{place}; cp -a /work/base /work/{place}/root"),
    );
    for (turn, step) in STEPS.iter().enumerate() {
        let (acting, asking) = (programs[turn % 2], programs[(turn + 1) % 2]);
        write!(said, "$ rpm {step}\n{}", one(bench, place, acting, step)).unwrap();
        for query in QUERIES {
            write!(said, "$ rpm {query}\n{}", one(bench, place, asking, query)).unwrap();
        }
    }
    said
}

/// Runs one command; packages stand for their files.
fn one(bench: &Bench, place: &str, (program, suite): (&str, Suite), words: &str) -> String {
    let packages = packages();
    let file = |word: &str| {
        let named = packages
            .iter()
            .find(|package| word == "base" && package.name == word || package.label() == word);
        named.map_or(word.to_owned(), |package| {
            format!("/work/packages/exchange/{}", package.file_name())
        })
    };
    let installs = ["-i ", "-U "].iter().any(|option| words.starts_with(option));
    let words = if installs {
        words.split(' ').map(file).collect::<Vec<_>>().join(" ")
    } else {
        words.to_owned()
    };
    let command = rpm::rpm(program, &format!("/work/{place}/root"));
    let said = bench.script(suite, &format!("{command} {words} 2>&1; echo exit $?\n"));
    // Debian's advice to use alien, and what its plugin cannot do here.
    let is_noise = |line: &&str| line.starts_with("rpm: ") || line.contains("private mounts");
    let lines = said.lines().filter(|line| !is_noise(line));
    lines.map(|line| format!("{line}\n")).collect()
}
