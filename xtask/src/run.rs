// SPDX-License-Identifier: MIT OR Apache-2.0
//! Running cargo and talking to the developer.

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// Returns the root of the checkout, as cargo says it now: a target directory that several checkouts share may hold a program which
/// another one built.
pub(crate) fn checkout() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    package.parent().expect("xtask lies below the checkout").to_owned()
}

/// Prints one line to the developer.
#[expect(clippy::print_stderr, reason = "xtask talks to developers only")]
pub(crate) fn say(line: &str) {
    eprintln!("{line}");
}

/// Returns a cargo command in the checkout.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(checkout());
    // What cargo told us about ourselves is not for the cargo below: build scripts of dependencies (`ring`) look at these and
    // everything above them would be built again.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs a stage, announcing it and how long it took.
pub(crate) fn stage(name: &str, command: &mut Command) -> Result<()> {
    say(&format!("==> {name}"));
    let start = Instant::now();
    let status = command.status().with_context(|| format!("starting {command:?}"))?;
    let seconds = start.elapsed().as_secs();
    if !status.success() {
        bail!("stage `{name}` failed after {seconds} s: {command:?} ended with {status}");
    }
    say(&format!("==> {name}: ok, {seconds} s"));
    Ok(())
}

/// Returns a command's standard output as text.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("starting {command:?}"))?;
    if !output.status.success() {
        bail!(
            "{command:?} ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    String::from_utf8(output.stdout).with_context(|| format!("reading what {command:?} printed"))
}
