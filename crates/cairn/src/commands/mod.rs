// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line of `cairn`: arguments in, one operation called, words out.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use cairn_ui::{Color, Printer, Verbosity};
use clap::{CommandFactory as _, Parser, Subcommand};

use crate::context::Context;

mod build;
mod explain;
mod iso;
pub(crate) mod lock;
mod repo;
mod vm;

/// Build, sign, serve and boot Cairn Linux
#[derive(Debug, Parser)]
#[command(name = "cairn", version, disable_help_subcommand = true)]
pub struct Cli {
    /// Directory inside the checkout to work on [default: the current directory]
    #[arg(long, global = true, value_name = "DIR")]
    project: Option<PathBuf>,
    /// Debian mirror to use instead of the one this machine's apt is configured with
    #[arg(long, global = true, value_name = "URL")]
    mirror: Option<String>,
    /// Say less
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Say more (can be repeated)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Lock(lock::Arguments),
    Build(build::Arguments),
    Iso(iso::Arguments),
    Vm(vm::Arguments),
    Repo(repo::Arguments),
    Explain(explain::Arguments),
}

/// Runs `cairn` with the given command line and returns its exit code: 0 done, 1 failed, 2 wrong usage.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    if arguments.get(1).is_some_and(|word| word == "--reference") {
        Printer::new(Verbosity::Normal, Color::Auto)
            .raw(&cairn_ui::docs::markdown(&Cli::command()));
        return ExitCode::SUCCESS;
    }
    let cli = Cli::parse_from(arguments);
    let verbosity = match (cli.quiet, cli.verbose) {
        (true, _) => Verbosity::Quiet,
        (false, 0) => Verbosity::Normal,
        (false, _) => Verbosity::Verbose,
    };
    let printer = Arc::new(Printer::new(verbosity, Color::Auto));
    match run(&printer, cli) {
        Ok(code) => code,
        Err(error) => {
            printer.error(&crate::error::problem(&error));
            ExitCode::FAILURE
        }
    }
}

fn run(printer: &Arc<Printer>, cli: Cli) -> Result<ExitCode> {
    let start = match cli.project {
        Some(project) => project,
        None => cairn_host::paths::current_dir()?,
    };
    // Serving a directory needs no checkout.
    if let Command::Repo(arguments) = &cli.command {
        return repo::run(printer, arguments);
    }
    let ctx = Context::open(Arc::clone(printer), &start, cli.mirror)?;
    match cli.command {
        Command::Lock(arguments) => lock::run(&ctx, &arguments),
        Command::Build(arguments) => build::run(&ctx, &arguments),
        Command::Iso(arguments) => iso::run(&ctx, &arguments),
        Command::Vm(arguments) => vm::run(&ctx, &arguments),
        Command::Explain(arguments) => explain::run(&ctx, &arguments),
        Command::Repo(_) => unreachable!("handled above"),
    }
}
