// SPDX-License-Identifier: MIT OR Apache-2.0
//! The rules of the house that a program can check.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::run::{cargo, checkout, output, say, stage};

/// Which of our crates each crate may depend on (ARCHITECTURE.md, "Map").
const ARROWS: &[(&str, &[&str])] = &[
    ("cairn-rpm", &[]),
    ("cairn-solve", &["cairn-rpm"]),
    ("cairn-host", &[]),
    ("cairn-ui", &[]),
    ("cairn-pkg", &["cairn-rpm", "cairn-solve", "cairn-host"]),
    ("cairn-image", &["cairn-host"]),
    (
        "cairn",
        &[
            "cairn-rpm",
            "cairn-solve",
            "cairn-pkg",
            "cairn-image",
            "cairn-install",
            "cairn-host",
            "cairn-ui",
        ],
    ),
    ("cairn-dnf", &["cairn-pkg", "cairn-solve", "cairn-rpm", "cairn-ui", "cairn-host"]),
    ("cairn-boot", &["cairn-image", "cairn-ui", "cairn-host"]),
    ("cairn-early", &["cairn-host"]),
    (
        "cairn-install",
        &["cairn-pkg", "cairn-solve", "cairn-image", "cairn-rpm", "cairn-ui", "cairn-host"],
    ),
    ("cairn-testkit", &["cairn-host", "cairn-rpm"]),
    ("xtask", &[]),
];

/// The longest Rust file, in lines.
const FILE_LIMIT: usize = 800;
/// The most packages `Cargo.lock` may hold; raise it on purpose.
const LOCK_LIMIT: usize = 420;

/// Runs all checks and reports every finding before failing.
pub(crate) fn run() -> Result<()> {
    stage("rustfmt", &mut cargo(&["fmt", "--all", "--check"]))?;
    let mut findings = Vec::new();
    check_arrows(&mut findings)?;
    check_sources(&mut findings)?;
    check_lock(&mut findings)?;
    check_hosts(&mut findings)?;
    crate::docs::check(&mut findings)?;
    for finding in &findings {
        say(&format!("error: {finding}"));
    }
    if findings.is_empty() {
        say("==> tidy: ok");
        return Ok(());
    }
    bail!("tidy found {} things", findings.len())
}

fn check_arrows(findings: &mut Vec<String>) -> Result<()> {
    let text =
        output(&mut cargo(&["metadata", "--no-deps", "--format-version", "1", "--offline"]))?;
    let metadata: serde_json::Value =
        serde_json::from_str(&text).context("reading cargo metadata")?;
    let arrows: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(allowed) = arrows.get(name) else {
            findings.push(format!(
                "crate {name} has no row in xtask/src/tidy.rs ARROWS and ARCHITECTURE.md"
            ));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let on = dependency["name"].as_str().unwrap_or_default();
            if arrows.contains_key(on)
                && dependency["kind"].as_str() != Some("dev")
                && !allowed.contains(&on)
            {
                findings.push(format!("{name} must not depend on {on}"));
            }
        }
    }
    Ok(())
}

fn check_sources(findings: &mut Vec<String>) -> Result<()> {
    let root = checkout();
    for name in tracked(&root, &["*.rs"])? {
        let Ok(text) = std::fs::read_to_string(root.join(&name)) else { continue };
        let n_lines = text.lines().count();
        if n_lines > FILE_LIMIT {
            findings
                .push(format!("{name}: {n_lines} lines, limit {FILE_LIMIT}: split it by meaning"));
        }
        if !text.starts_with("// SPDX-License-Identifier: ") {
            findings.push(format!("{name}: the first line is not its SPDX licence"));
        }
        if !text.lines().any(|line| line.starts_with("//!")) {
            findings.push(format!("{name}: has no module documentation"));
        }
        for (index, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            // Split so that this list does not find itself.
            let stubs =
                [concat!("todo", "!("), concat!("unimplemented", "!("), concat!("#[igno", "re]")];
            if stubs.iter().any(|stub| code.contains(stub)) {
                findings.push(format!("{name}:{}: stub or ignored test", index + 1));
            }
        }
    }
    Ok(())
}

fn check_lock(findings: &mut Vec<String>) -> Result<()> {
    let text =
        std::fs::read_to_string(checkout().join("Cargo.lock")).context("reading Cargo.lock")?;
    let n_packages = text.lines().filter(|line| *line == "[[package]]").count();
    if n_packages > LOCK_LIMIT {
        findings.push(format!("Cargo.lock holds {n_packages} packages, limit {LOCK_LIMIT}"));
    }
    Ok(())
}

/// No file may name a mirror or registry that this machine happens to use.
fn check_hosts(findings: &mut Vec<String>) -> Result<()> {
    let root = checkout();
    let hosts = configured_hosts();
    for name in tracked(&root, &["*"])? {
        if name == "Cargo.lock" {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(root.join(&name)) else { continue };
        for host in &hosts {
            if text.contains(host.as_str()) {
                findings.push(format!(
                    "{name}: names the host {host}; take it from the machine's configuration"
                ));
            }
        }
    }
    Ok(())
}

/// Returns the host names of the machine's apt configuration.
fn configured_hosts() -> Vec<String> {
    let mut files = vec![Path::new("/etc/apt/sources.list").to_owned()];
    files.extend(
        std::fs::read_dir("/etc/apt/sources.list.d")
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path()),
    );
    let mut hosts: Vec<String> = files
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .flat_map(|text| {
            text.lines()
                .filter(|line| !line.starts_with('#'))
                .flat_map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
                .filter_map(|word| Some(word.split_once("://")?.1.split('/').next()?.to_owned()))
                .collect::<Vec<_>>()
        })
        .collect();
    hosts.sort();
    hosts.dedup();
    hosts
}

/// Returns the files of the checkout that git tracks or would track.
fn tracked(root: &Path, patterns: &[&str]) -> Result<Vec<String>> {
    let mut command = Command::new("git");
    command
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "--"])
        .args(patterns)
        .current_dir(root);
    Ok(output(&mut command)?.lines().map(str::to_owned).collect())
}
