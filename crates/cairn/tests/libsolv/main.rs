// SPDX-License-Identifier: MIT OR Apache-2.0
//! Our solver on libsolv's own test cases, which are fetched from Debian's source package of it (`cargo xtask test` runs this).
//!
//! A case passes when every transaction in it is what we compute; where libsolv reports problems we must find no solution. What asks for
//! libsolv's internals, or for policy that dnf does not have, is listed with its reason in docs/libsolv-cases.md: a case that neither
//! passes nor is listed fails the test, and so does one that is listed and passes.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, missing_docs, reason = "tests may stop")]

mod judge;
mod source;
mod testcase;

use std::collections::BTreeMap;

const LIST: &str = include_str!("../../../../docs/libsolv-cases.md");

#[test]
fn libsolv_cases() {
    let source = source::open();
    let skipped = skipped();
    let mut findings = Vec::new();
    let (mut n_cases, mut n_passed) = (0, 0);
    for name in source.files.keys().filter(|name| name.ends_with(".t")) {
        n_cases += 1;
        let case = testcase::read(&source.files, name);
        match (judge::judge(&case), skipped.get(name.as_str())) {
            (Ok(()), None) => n_passed += 1,
            (Ok(()), Some(_)) => findings.push(format!("{name}: passes, but is listed")),
            (Err(_), Some(_)) => {}
            (Err(why), None) => findings.push(format!("{name}: {why}")),
        }
    }
    for name in skipped.keys().filter(|name| !source.files.contains_key(**name)) {
        findings.push(format!("{name}: is listed, but libsolv has no such case"));
    }
    println!(
        "libsolv {}: {n_cases} cases, {n_passed} pass, {} are skipped with a reason, {} fail",
        source.version,
        skipped.len(),
        findings.len()
    );
    assert!(findings.is_empty(), "docs/libsolv-cases.md\n{}", findings.join("\n"));
    assert!(n_passed >= 70, "only {n_passed} cases pass");
}

/// Reads the table: case, reason.
fn skipped() -> BTreeMap<&'static str, &'static str> {
    let rows = LIST.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| {
        let (case, rest) = row.split_once("` | ").unwrap();
        let reason = rest.trim_end_matches([' ', '|']);
        assert!(!reason.is_empty(), "{case}: no reason");
        (case, reason)
    })
    .collect()
}
