// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cairn repo serve`

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use cairn_ui::Printer;
use clap::{Args, Subcommand};

/// Work with package repositories
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a directory over HTTP, until interrupted
    Serve {
        /// The directory that holds repodata/
        directory: PathBuf,
        /// Address and port to listen on
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
        listen: SocketAddr,
    },
}

/// Runs the command.
pub fn run(printer: &Printer, arguments: &Arguments) -> Result<ExitCode> {
    let Command::Serve { directory, listen } = &arguments.command;
    crate::serve::serve(directory, *listen, |address| {
        printer.info(&format!("Serving {} on http://{address}/", directory.display()));
    })
    .with_context(|| format!("serving {} on {listen}", directory.display()))?;
    Ok(ExitCode::SUCCESS)
}
