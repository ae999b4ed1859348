// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask fuzz TARGET [SECONDS]`: builds the fuzzer with coverage instrumentation on the stable toolchain, and runs one target.
//!
//! What it finds lies in `fuzz/artifacts/TARGET`; inputs that reach new code are kept in `fuzz/corpus/TARGET`. Neither is tracked: a
//! finding becomes a test beside the parser.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::run::{cargo, checkout, output, stage};

/// The target triple must be named: without it, build scripts are instrumented too and do not link.
const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// Inline counters and comparisons, as cargo-fuzz asks for them, without a sanitizer.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing -Ccodegen-units=1";

/// Seconds without an argument.
const SECONDS: &str = "60";

/// Runs one target, or all of them in turn for `all`.
pub(crate) fn run(target: &str, seconds: Option<&str>) -> Result<()> {
    let seconds = seconds.unwrap_or(SECONDS);
    if seconds.parse::<u32>().is_err() {
        bail!("`{seconds}` is not a number of seconds");
    }
    let directory = checkout().join("fuzz");
    let built = directory.join("target").join(TRIPLE).join("release");
    let mut build = cargo(&["build", "--release", "--target", TRIPLE]);
    build.current_dir(&directory).env("RUSTFLAGS", FLAGS).env("CARGO_TARGET_DIR", "target");
    stage("build the fuzzer", &mut build)?;
    let names = output(Command::new(built.join("fuzz")).env_remove("CAIRN_FUZZ_TARGET"))?;
    let chosen: Vec<&str> =
        names.lines().filter(|name| target == "all" || *name == target).collect();
    if chosen.is_empty() {
        bail!(
            "no target is called `{target}` (there are: all, {})",
            names.trim().replace('\n', ", ")
        );
    }
    chosen.into_iter().try_for_each(|name| run_one(&directory, &built, name, seconds))
}

fn run_one(directory: &Path, built: &Path, name: &str, seconds: &str) -> Result<()> {
    let corpus = directory.join("corpus").join(name);
    let artifacts = directory.join("artifacts").join(name);
    for path in [&corpus, &artifacts] {
        std::fs::create_dir_all(path).with_context(|| format!("creating {}", path.display()))?;
    }
    let mut seeds = Command::new(built.join("fuzz"));
    output(seeds.env("CAIRN_FUZZ_TARGET", name).env("CAIRN_FUZZ_SEEDS", &corpus))?;
    let mut fuzz = Command::new(built.join("fuzz"));
    fuzz.env("CAIRN_FUZZ_TARGET", name)
        .arg(&corpus)
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .args(["-timeout=10", "-rss_limit_mb=576", "-max_len=65536", "-print_final_stats=1"]);
    stage(&format!("fuzz {name}"), &mut fuzz)
}
