// SPDX-License-Identifier: MIT OR Apache-2.0
//! The test stages.

use anyhow::{Context as _, Result, bail};

use crate::run::{cargo, output, stage};
use crate::{fixtures, fuzz, tidy};

/// Runs tidy, unit and scenario tests, builds the images and boots them; the parsers are fuzzed meanwhile.
pub(crate) fn everything() -> Result<()> {
    fast()?;
    libsolv()?;
    differential(Some("quick"))?;
    let fuzzing = fuzz::Background::start()?;
    vm(Which::Usual)?;
    fuzzing.finish()
}

/// Which tests of images run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// Those of every landing.
    Usual,
    /// The slow ones beside them.
    Matrix,
}

/// Runs what needs no image.
pub(crate) fn fast() -> Result<()> {
    tidy::run()?;
    lint()?;
    let mut tests = if has_nextest() {
        cargo(&["nextest", "run", "--workspace", "--no-fail-fast"])
    } else {
        cargo(&["test", "--workspace", "--lib", "--bins", "--tests"])
    };
    let malformed = tempfile::tempdir().context("creating a directory for malformed files")?;
    stage("tests", fixtures::kept_in(&mut tests, malformed.path()))?;
    fixtures::check(malformed.path())?;
    stage("documentation tests", &mut cargo(&["test", "--quiet", "--doc", "--workspace"]))
}

/// Runs clippy on what ships; tests may be longer and unwrap.
fn lint() -> Result<()> {
    stage("clippy", &mut cargo(&["clippy", "--quiet", "--workspace", "--", "-D", "warnings"]))
}

/// Test targets that need images.
const IMAGE_TESTS: [&str; 4] = ["vm", "mmdebstrap", "images", "install"];

/// Builds the images that the tests need, with the README's own commands.
fn build_images() -> Result<()> {
    for (name, words) in [
        ("build disk", &["disk"][..]),
        ("build disk (minimal)", &["disk", "--profile", "minimal"]),
        ("build disk (previous)", &["disk", "--previous", "--out", "out/previous"]),
        ("build iso", &["iso"]),
    ] {
        stage(name, cargo(&["cairn", "build"]).args(words))?;
    }
    Ok(())
}

/// Builds the images and runs the tests that need them: real rpm and dnf on our repository, and the VMs, one at a time.
pub(crate) fn vm(which: Which) -> Result<()> {
    build_images()?;
    let mut command = cargo(&["test", "-p", "cairn"]);
    for target in IMAGE_TESTS {
        command.args(["--test", target]);
    }
    command.args(["--", "--test-threads", "1", "--nocapture"]);
    if which == Which::Usual {
        command.args(["--skip", "matrix_"]);
    }
    stage("images and VMs", &mut command)
}

/// Measures how long our image takes to start.
pub(crate) fn bench_boot() -> Result<()> {
    stage("build disk", &mut cargo(&["cairn", "build", "disk"]))?;
    let words = ["test", "--quiet", "-p", "cairn", "--test", "boot_benchmark", "--", "--nocapture"];
    stage("benchmark", &mut cargo(&words))
}

/// Measures how long an installation takes.
pub(crate) fn bench_install() -> Result<()> {
    stage("build iso", &mut cargo(&["cairn", "build", "iso"]))?;
    let words =
        ["test", "--quiet", "-p", "cairn", "--test", "install_benchmark", "--", "--nocapture"];
    stage("benchmark", &mut cargo(&words))
}

/// Measures what it costs that a transaction survives a crash.
pub(crate) fn bench_journal() -> Result<()> {
    stage("build disk", &mut cargo(&["cairn", "build", "disk"]))?;
    stage("benchmark", &mut cargo(&["bench", "--quiet", "-p", "cairn", "--bench", "journal"]))
}

/// Measures our package programs beside others, all rows or those whose name has a word.
pub(crate) fn bench_packages(row: Option<&str>) -> Result<()> {
    // What ships is built without increments: they make programs larger and slower.
    let mut build = cargo(&["build", "--release", "-p", "cairn", "-p", "cairn-dnf"]);
    // As `cairn build` builds them: a panic ends the program, so nothing walks up the stack.
    build.env("RUSTFLAGS", "-Cforce-unwind-tables=no");
    build.env("CFLAGS", "-fno-asynchronous-unwind-tables -fno-unwind-tables");
    stage("build the programs", build.env("CARGO_INCREMENTAL", "0"))?;
    let words = ["test", "--quiet", "-p", "cairn", "--test", "package_benchmark"];
    let mut command = cargo(&words);
    command.args(["--", "--nocapture"]);
    if let Some(row) = row {
        command.env("BENCH_ROWS", row);
    }
    stage("benchmark", &mut command)
}

/// Runs libsolv's own test cases, from Debian's source package of it, through our solver.
pub(crate) fn libsolv() -> Result<()> {
    let words = ["test", "--quiet", "-p", "cairn", "--test", "libsolv", "--", "--nocapture"];
    stage("libsolv's cases", &mut cargo(&words))
}

/// Compares our `rpm` and `dnf` with those of Debian trixie and sid on the scenarios of `crates/cairn/tests/differential`.
pub(crate) fn differential(word: Option<&str>) -> Result<()> {
    // One selection of packages for both, so that nothing is built twice.
    let both = ["-p", "cairn", "-p", "cairn-dnf"];
    stage("rpm", cargo(&["build"]).args(both).args(["--bin", "dnf", "--test", "differential"]))?;
    let mut command = cargo(&["test"]);
    command.args(both).args(["--test", "differential", "--", "--nocapture"]);
    if let Some(word) = word {
        command.env("DIFFERENTIAL", word);
    }
    stage("differential", &mut command)
}

/// Kills transactions at every fail point and at random moments, and lets their file operations fail; prints tables.
///
/// With `--power-cut` instead: cuts the power of a guest during transactions on each file system.
pub(crate) fn crash(arguments: &[&str]) -> Result<()> {
    let (power_cut, arguments) = match arguments {
        ["--power-cut", rest @ ..] => (true, rest),
        all => (false, all),
    };
    let mut command = if power_cut {
        stage("build disk", &mut cargo(&["cairn", "build", "disk"]))?;
        cargo(&["test", "-p", "cairn", "--test", "power_cut", "--"])
    } else {
        let mut command = cargo(&["test", "-p", "cairn-pkg", "--test", "engine", "--"]);
        command.args(["crash::", "random::", "faults::", "pairs::", "race::"]);
        command
    };
    command.args(["--nocapture", "--test-threads", "1"]);
    let mut rest = arguments.iter();
    while let Some(option) = rest.next() {
        let variable = match *option {
            "--runs" => "CAIRN_CRASH_RUNS",
            "--seed" => "CAIRN_CRASH_SEED",
            other => bail!(
                "`{other}` is no option of crash (there are: --power-cut first, --runs N, --seed S)"
            ),
        };
        let value = rest.next().with_context(|| format!("{option} needs a number"))?;
        value.parse::<u64>().with_context(|| format!("{option}: `{value}` is not a number"))?;
        command.env(variable, value);
    }
    stage("crash", &mut command)
}

fn has_nextest() -> bool {
    output(&mut cargo(&["nextest", "--version"])).is_ok()
}
