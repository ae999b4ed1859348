// SPDX-License-Identifier: MIT OR Apache-2.0
//! The test stages.

use anyhow::Result;

use crate::run::{cargo, output, stage};
use crate::tidy;

/// Runs tidy, unit and scenario tests, and builds the repository and the disk image.
///
/// The tests of [`vm`] are not part of it yet: they have not passed as a whole once.
pub(crate) fn everything() -> Result<()> {
    fast()?;
    build_images()
}

/// Runs what needs no image.
pub(crate) fn fast() -> Result<()> {
    tidy::run()?;
    if has_nextest() {
        stage("tests", &mut cargo(&["nextest", "run", "--workspace", "--no-fail-fast"]))?;
    } else {
        stage("tests", &mut cargo(&["test", "--workspace", "--lib", "--bins", "--tests"]))?;
    }
    stage("documentation tests", &mut cargo(&["test", "--quiet", "--doc", "--workspace"]))
}

/// Builds the images that the later stages test, with the README's own command.
fn build_images() -> Result<()> {
    stage("build disk", &mut cargo(&["cairn", "build", "disk"]))
}

/// Runs the tests that need an image: real rpm and dnf on our repository, and the VMs, one at a time.
pub(crate) fn vm(matrix: bool) -> Result<()> {
    let mut command = cargo(&[
        "test",
        "--release",
        "-p",
        "cairn",
        "--features",
        "image-tests",
        "--test",
        "images",
        "--",
        "--test-threads",
        "1",
        "--nocapture",
    ]);
    if matrix {
        command.arg("--include-ignored");
    }
    stage("images and VMs", &mut command)
}

/// Compares our `rpm` with Debian's on the scenarios of `crates/cairn/tests/differential`.
pub(crate) fn differential(word: Option<&str>) -> Result<()> {
    stage("rpm", &mut cargo(&["build", "-p", "cairn-dnf", "--bins"]))?;
    let mut command = cargo(&[
        "test",
        "-p",
        "cairn",
        "--features",
        "differential-tests",
        "--test",
        "differential",
        "--",
        "--nocapture",
    ]);
    if let Some(word) = word {
        command.env("DIFFERENTIAL", word);
    }
    stage("differential", &mut command)
}

fn has_nextest() -> bool {
    output(&mut cargo(&["nextest", "--version"])).is_ok()
}
