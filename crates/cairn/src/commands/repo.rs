// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cairn repo serve` and `cairn repo index`

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use cairn_rpm::signature::SigningKey;
use cairn_ui::format::{Zone, date_time};
use cairn_ui::{Printer, Problem};
use clap::{Args, Subcommand};

use crate::keys;
use crate::ops::index::{Options, Validity, index};
use crate::ops::key_list;

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
        /// Days after which dnf refuses this metadata, or `never`; index and sign again before
        #[arg(long, value_name = "DAYS", default_value_t)]
        valid_days: Validity,
    },
    /// Add signatures to repodata/repomd.xml
    Sign {
        /// The directory that holds repodata/
        directory: PathBuf,
        /// Armored secret key, mode 0600
        #[arg(long, value_name = "KEY", required = true)]
        sign_with: Vec<PathBuf>,
    },
    /// Replace the keys that may sign: write the next repodata/keys/N.json, or add signatures to it
    ///
    /// Machines follow from list to list. Each must be signed by as many keys as the list before it asks for (the first by a key of
    /// `gpgkey=`), and by as many of its own as it asks for itself. Without --key signatures are added to the newest list, so that
    /// every holder of a key can sign in turn. Index and sign the repository afterwards: its index names the newest list.
    #[command(verbatim_doc_comment)]
    Keys {
        /// The directory that holds repodata/
        directory: PathBuf,
        /// Armored public key that is on the new list
        #[arg(long, value_name = "KEY")]
        key: Vec<PathBuf>,
        /// How many of the new keys must sign
        #[arg(long, value_name = "NUMBER", default_value_t = 1, requires = "key")]
        threshold: usize,
        /// Armored secret key, mode 0600
        #[arg(long, value_name = "KEY", required = true)]
        sign_with: Vec<PathBuf>,
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
                valid: *valid_days,
                now: cairn_host::Clock::system().now_unix(),
            };
            write_index(printer, directory, &options)
        }
        Command::Sign { directory, sign_with } => sign(printer, directory, sign_with),
        Command::Keys { directory, key, threshold, sign_with } => {
            let wanted = key_list::Wanted { keys: key.clone(), threshold: *threshold };
            write_keys(printer, directory, &wanted, sign_with)
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
    let valid = match indexed.valid_until {
        Some(until) => {
            let until = i64::try_from(until).unwrap_or(i64::MAX);
            format!("valid until {} UTC", date_time(until, Zone::Utc))
        }
        None => "without an end of validity".to_owned(),
    };
    printer.info(&format!("Indexed {} packages in {shown}, {valid}", indexed.packages));
    Ok(ExitCode::SUCCESS)
}

/// Reads secret keys that are valid now; returns the time too.
fn secret_keys(paths: &[PathBuf]) -> Result<(Vec<SigningKey>, u32)> {
    let now = cairn_host::Clock::system().now_unix();
    let keys = paths.iter().map(|path| keys::read(path, now)).collect::<Result<_>>()?;
    Ok((keys, u32::try_from(now).unwrap_or(u32::MAX)))
}

fn sign(printer: &Printer, directory: &Path, sign_with: &[PathBuf]) -> Result<ExitCode> {
    let (by, now) = secret_keys(sign_with)?;
    key_list::sign_index(directory, &by, now)
        .with_context(|| format!("signing {}", directory.display()))?;
    printer.info(&format!("Signed {}/repodata/repomd.xml", directory.display()));
    Ok(ExitCode::SUCCESS)
}

fn write_keys(
    printer: &Printer,
    directory: &Path,
    wanted: &key_list::Wanted,
    sign_with: &[PathBuf],
) -> Result<ExitCode> {
    let (by, now) = secret_keys(sign_with)?;
    let status = key_list::write(directory, wanted, &by, now)?;
    let version = status.version;
    let tell = |whose: &str, count: key_list::Count| {
        printer.info(&format!("  {} of {} signatures by {whose}", count.found, count.needed));
    };
    printer.info(&format!("Key list {version} of {}:", directory.display()));
    if let Some(before) = status.before {
        tell(&format!("keys of list {}", version - 1), before);
    }
    tell("its own keys", status.own);
    if status.is_complete() {
        printer.info("Index and sign the repository now, so that its index names this list.");
    } else {
        let problem = Problem::new(format!("key list {version} does not count yet"));
        let hint =
            "let the holders of the missing keys run `cairn repo keys DIRECTORY --sign-with KEY`";
        printer.warning(&problem.hint(hint));
    }
    Ok(ExitCode::SUCCESS)
}
