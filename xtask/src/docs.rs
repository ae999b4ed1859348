// SPDX-License-Identifier: MIT OR Apache-2.0
//! The generated command reference: `docs/reference/cairn.md` (the one of `dnf` is a snapshot in `crates/cairn-dnf/tests`).
//!
//! Each program prints its own reference from the definitions that also make `--help`, so the pages cannot drift.

use anyhow::{Context, Result};

use crate::run::{cargo, checkout, output, say};

/// Program, its package, and the page it prints with the hidden argument `--reference`.
const PAGES: &[(&str, &str)] = &[("cairn", "cairn"), ("cairn-install", "cairn-install")];

/// Rewrites the pages.
pub(crate) fn regenerate() -> Result<()> {
    for (program, package) in PAGES {
        let path = checkout().join(format!("docs/reference/{program}.md"));
        std::fs::write(&path, page(program, package)?)
            .with_context(|| format!("writing {}", path.display()))?;
        say(&format!("wrote {}", path.display()));
    }
    Ok(())
}

/// Adds a finding for each page that differs from what its program prints now.
pub(crate) fn check(findings: &mut Vec<String>) -> Result<()> {
    for (program, package) in PAGES {
        let path = checkout().join(format!("docs/reference/{program}.md"));
        let known = std::fs::read_to_string(&path).unwrap_or_default();
        if known != page(program, package)? {
            findings.push(format!(
                "docs/reference/{program}.md is not what `{program}` says: run `cargo xtask docs`"
            ));
        }
    }
    Ok(())
}

fn page(program: &str, package: &str) -> Result<String> {
    output(&mut cargo(&["run", "--quiet", "-p", package, "--bin", program, "--", "--reference"]))
}
