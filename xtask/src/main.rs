// SPDX-License-Identifier: MIT OR Apache-2.0
//! Developer commands: `cargo xtask tidy|test|ci|vm|libsolv|differential|crash|fixtures|fuzz|bench|docs|help`.
//!
//! Needs nothing but cargo. Everything a test run brings besides (tools trees, package downloads) is fetched by the
//! `cairn` program itself into the cache.

use std::path::Path;
use std::process::ExitCode;

mod docs;
mod fixtures;
mod fuzz;
mod run;
mod test;
mod tidy;

const HELP: &str = "\
cargo xtask COMMAND

  tidy          check formatting, crate arrows, file sizes, licence lines, stubs, generated docs
  test          everything that must pass before a landing: tidy, clippy, unit, scenario, peer and VM tests
  test --fast   the same without images and VMs
  ci            what .ci/run calls: the same as `test`
  vm [--matrix] only what needs images: builds them, judges and boots them (with --matrix also the slow tests)
  fixtures DIRECTORY     write the malformed packages, repositories, configurations, databases and journals that the tests judge,
                and what our programs say about each
  fuzz TARGET [SECONDS]  look for inputs that break a parser (`all`: every parser in turn)
  fuzz corpus   store the inputs that reach new code in fuzz/corpus
  bench boot    time to the login prompt against Debian's installation of the same packages
  bench install time of an installation against mkfs and `zstd | tar` of the same files in the same machine
  bench journal what a transaction's journal and flushes cost
  bench packages [ROW]  our dnf, rpm and `cairn repo index` against dnf 5, dnf 4, rpm and createrepo_c (as root; docs/benchmarks.md)
  libsolv       our solver on libsolv's own test cases (docs/libsolv-cases.md)
  differential  our rpm and dnf against rpm 4.20 and dnf 4 (trixie), rpm 6 and dnf 5 (sid) on scenarios built for all (with a WORD
                only those whose names, rpm/… or dnf/…, have it; `quick`: some fifty of rpm's, which `test` runs too)
  crash [--runs N] [--seed S]  kill transactions, undo and recovery at every fail point and at N random moments, and let
                N file operations of each fail: the state must be the one before or the one after; take N random transactions back,
                bit for bit; and let somebody swap directories with links meanwhile
  crash --power-cut [--runs N] [--seed S]  cut a guest's power N times in each of two transactions on ext4, xfs and btrfs
  docs          regenerate the command reference in docs/reference
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["tidy"] => tidy::run(),
        ["test" | "ci"] => test::everything(),
        ["test", "--fast"] => test::fast(),
        ["vm"] => test::vm(test::Which::Usual),
        ["vm", "--matrix"] => test::vm(test::Which::Matrix),
        ["bench", "boot"] => test::bench_boot(),
        ["bench", "install"] => test::bench_install(),
        ["bench", "journal"] => test::bench_journal(),
        ["bench", "packages"] => test::bench_packages(None),
        ["bench", "packages", row] => test::bench_packages(Some(row)),
        ["libsolv"] => test::libsolv(),
        ["differential"] => test::differential(None),
        ["differential", word] => test::differential(Some(word)),
        ["crash", rest @ ..] => test::crash(rest),
        ["docs"] => docs::regenerate(),
        ["fixtures", directory] => fixtures::write(Path::new(directory)),
        ["fuzz", "corpus"] => fuzz::store_corpus(),
        ["fuzz", target] => fuzz::run(target, None),
        ["fuzz", target, seconds] => fuzz::run(target, Some(seconds)),
        _ => {
            run::say(HELP);
            return if matches!(words.as_slice(), ["help" | "--help" | "-h"]) {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            };
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            run::say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
