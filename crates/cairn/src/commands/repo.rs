// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cairn repo serve` and `cairn repo index`

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use cairn_ui::{Printer, Problem};
use clap::{Args, Subcommand};

use crate::ops::index::{Options, index};

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
    /// Write repodata/ of a directory of packages, as createrepo_c does
    Index {
        /// The directory; packages below it count too
        directory: PathBuf,
        /// Groups, instead of those that the directory has
        #[arg(long, value_name = "COMPS.XML")]
        groups: Option<PathBuf>,
        /// Advisories, instead of those that the directory has
        #[arg(long, value_name = "UPDATEINFO.XML")]
        updateinfo: Option<PathBuf>,
        /// Revision in repomd.xml, which must only grow; by default the time
        #[arg(long, value_name = "NUMBER")]
        revision: Option<u64>,
        /// Days after which dnf refuses this metadata; index and sign again before
        #[arg(long, value_name = "DAYS")]
        valid_days: Option<u32>,
    },
}

/// Runs the command.
pub fn run(printer: &Printer, arguments: &Arguments) -> Result<ExitCode> {
    match &arguments.command {
        Command::Serve { directory, listen } => serve(printer, directory, *listen),
        Command::Index { directory, groups, updateinfo, revision, valid_days } => {
            let options = Options {
                groups: groups.clone(),
                updateinfo: updateinfo.clone(),
                revision: revision.map(|revision| revision.to_string()),
                valid_days: *valid_days,
                now: cairn_host::Clock::system().now_unix(),
            };
            write_index(printer, directory, &options)
        }
    }
}

fn serve(printer: &Printer, directory: &Path, listen: SocketAddr) -> Result<ExitCode> {
    crate::serve::serve(directory, listen, |address| {
        printer.info(&format!("Serving {} on http://{address}/", directory.display()));
    })
    .with_context(|| format!("serving {} on {listen}", directory.display()))?;
    Ok(ExitCode::SUCCESS)
}

fn write_index(printer: &Printer, directory: &Path, options: &Options) -> Result<ExitCode> {
    let shown = directory.display();
    let indexed = index(directory, options).with_context(|| format!("indexing {shown}"))?;
    if indexed.was_signed {
        let problem = Problem::new("the signature of the former metadata was removed");
        let hint = "sign repodata/repomd.xml again, or its users will refuse the repository";
        printer.warning(&problem.hint(hint));
    }
    printer.info(&format!("Indexed {} packages in {shown}", indexed.packages));
    Ok(ExitCode::SUCCESS)
}
