// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cairn iso customize`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::context::Context;
use crate::ops::iso::{self, Customization};

/// Work with installation media
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Put answers onto a copy of a medium: it then installs without questions. This counts as consent to erase the disk they name
    Customize {
        /// The medium; it is not changed
        input: PathBuf,
        /// Answer file (docs/reference/answers.schema.json)
        #[arg(long, value_name = "FILE")]
        answers: PathBuf,
        /// Kernel option for every entry of the boot menu (can be repeated)
        #[arg(long = "kernel-arg", value_name = "ARG", allow_hyphen_values = true)]
        kernel_args: Vec<String>,
        /// Where the customized medium goes
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
}

/// Runs the command.
pub fn run(ctx: &Context, arguments: &Arguments) -> Result<ExitCode> {
    let Command::Customize { input, answers, kernel_args, output } = &arguments.command;
    let customization = Customization {
        input: input.clone(),
        answers: answers.clone(),
        kernel_args: kernel_args.clone(),
        output: output.clone(),
    };
    iso::customize(ctx, &customization)?;
    ctx.printer.data(&output.display().to_string());
    Ok(ExitCode::SUCCESS)
}
