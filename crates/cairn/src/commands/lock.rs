// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cairn lock`

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::context::Context;
use crate::distro::Distro;
use crate::ops::lock::{self, Change, Movement};
use crate::overlay::Overlays;

/// Pin every upstream file in distro/cairn.lock
///
/// Without --update only what the definition newly names is added, and what it no longer names is dropped.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Move to what the mirror has now: everything, or only these packages (binary or source names)
    #[arg(long, num_args = 0.., value_name = "NAME")]
    update: Option<Vec<String>>,
}

/// Runs the command.
pub fn run(ctx: &Context, arguments: &Arguments) -> Result<ExitCode> {
    let distro = Distro::load(&ctx.distro_dir())?;
    let overlays =
        Overlays::load(&ctx.distro_dir().join("packages"), &ctx.distro_dir().join("files"))?;
    let movement = match &arguments.update {
        None => Movement::Nothing,
        Some(names) if names.is_empty() => Movement::All,
        Some(names) => Movement::Named(names.iter().cloned().collect()),
    };
    let old = lock::load(ctx)?;
    let new = lock::relock(ctx, &distro, &overlays, old.as_ref(), &movement)?;
    lock::store(ctx, &new)?;
    print_changes(ctx, &lock::changes(old.as_ref(), &new));
    Ok(ExitCode::SUCCESS)
}

/// Prints one line a change: `name old → new`.
pub fn print_changes(ctx: &Context, changes: &[Change]) {
    for change in changes {
        let word = |version: &Option<String>| version.clone().unwrap_or_else(|| "-".to_owned());
        ctx.printer.data(&format!("{} {} → {}", change.name, word(&change.old), word(&change.new)));
    }
    if !changes.is_empty() {
        ctx.printer.info(&format!("distro/cairn.lock: {} changes", changes.len()));
    }
}
