// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cairn explain`

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::context::Context;

/// Show where a package comes from, what its overlay does to each file, and why it requires what it requires
#[derive(Debug, Args)]
pub struct Arguments {
    /// Our name or Debian's name of a package
    package: String,
}

/// Runs the command.
pub fn run(ctx: &Context, arguments: &Arguments) -> Result<ExitCode> {
    for line in crate::ops::explain::explain(ctx, &arguments.package)? {
        ctx.printer.data(&line);
    }
    Ok(ExitCode::SUCCESS)
}
