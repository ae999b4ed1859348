// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every scenario in `scenarios/*.txt` gives the result written there.
//!
//! `UPDATE_EXPECT=1 cargo test -p cairn-solve` rewrites the results; read the difference.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::path::PathBuf;

#[test]
fn scenarios() {
    let dir = cairn_testkit::package_directory().join("tests/scenarios");
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut n_scenarios = 0;
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        n_scenarios += support::count(&text);
        expect_test::expect_file![&path].assert_eq(&support::run_document(&text));
    }
    assert!(n_scenarios >= 40, "{n_scenarios} scenarios");
}
