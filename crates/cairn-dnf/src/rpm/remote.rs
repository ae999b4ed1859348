// SPDX-License-Identifier: MIT OR Apache-2.0
//! Package files on the command line that lie on servers: fetched into a directory that goes with the value. The macro `_urlhelper`
//! names a program for it, as with rpm; without it they are fetched as `dnf` does.

use super::Context;
use super::query::os_text;
use crate::failure::{Failure, complain};
use cairn_host::fetch::{Expected, Fetcher};
use cairn_host::{Input, Invocation, Sink, Tool, paths};
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// What a shell answers where there is no such program.
const NOT_FOUND: i32 = 127;
/// Runs the helper with the file and the URL as its last arguments; a helper that is not there is told by the exit status alone.
const HELPER: &str =
    "command -v ${CAIRN_HELPER%% *} >/dev/null || exit 127; exec $CAIRN_HELPER \"$0\" \"$1\"";
/// What tells programs how servers are reached.
const PROXIES: [&str; 6] =
    ["http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy", "HTTPS_PROXY"];
/// Tries to find a free name.
const TRIES: u32 = 1000;

/// The arguments with local paths in place of URLs; the files go when it is dropped.
#[derive(Debug)]
pub struct Fetched {
    /// The arguments; what could not be fetched keeps its URL.
    pub arguments: Vec<String>,
    /// What could not be fetched, after saying why.
    pub failed: Vec<String>,
    directory: Option<PathBuf>,
}

impl Drop for Fetched {
    fn drop(&mut self) {
        if let Some(directory) = &self.directory
            && let Err(error) = std::fs::remove_dir_all(directory)
        {
            complain(&format!("warning: {}: {}", directory.display(), os_text(&error)));
        }
    }
}

/// Fetches the URLs among the arguments.
pub fn fetch(context: &Context, arguments: &[String]) -> Result<Fetched, Failure> {
    let (arguments, failed) = (arguments.to_vec(), Vec::new());
    let mut fetched = Fetched { arguments, failed, directory: None };
    if !fetched.arguments.iter().any(|argument| is_url(argument)) {
        return Ok(fetched);
    }
    let directory = private_directory(context)?;
    fetched.directory = Some(directory.clone());
    for (number, argument) in fetched.arguments.iter_mut().enumerate() {
        if !is_url(argument) {
            continue;
        }
        let path = directory.join(format!("rpm-tmp.{number}"));
        match fetch_one(context, argument, &path)? {
            None => *argument = path.to_string_lossy().into_owned(),
            Some(reason) => {
                complain(&format!("error: {reason}"));
                fetched.failed.push(argument.clone());
            }
        }
    }
    Ok(fetched)
}

fn is_url(argument: &str) -> bool {
    ["http://", "https://", "ftp://"].iter().any(|scheme| argument.starts_with(scheme))
}

/// Returns a new directory that no other user can write to.
fn private_directory(context: &Context) -> Result<PathBuf, Failure> {
    let base = context.macros.value("_tmppath").map(PathBuf::from);
    let base = base.filter(|base| base.is_dir()).unwrap_or_else(paths::temporary_dir);
    for number in 0..TRIES {
        let path = base.join(format!("rpm-tmp.{}.{number}", std::process::id()));
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => {
                let reason = format!("cannot create `{}`: {}", path.display(), os_text(&error));
                return Err(Failure::new(reason).hint("name another place with `%_tmppath`"));
            }
        }
    }
    Err(Failure::new(format!("{}: no free name for a directory", base.display()))
        .hint("remove what old runs left there"))
}

/// Fetches one; returns why it failed.
fn fetch_one(context: &Context, url: &str, path: &Path) -> Result<Option<String>, Failure> {
    if context.options.verbose > 0 {
        context.printer.data(&format!("Retrieving {url}"));
    }
    let Some(helper) = context.macros.value("_urlhelper").filter(|text| !text.trim().is_empty())
    else {
        let done = Fetcher::new().download(url, path, &Expected::default(), &mut |_| {});
        return Ok(done.err().map(|error| cairn_pkg::repos::error::chain(&error)));
    };
    // The helper is a line of words; the URL must not become one.
    let mut invocation = Invocation::new(Tool::Sh)
        .args(["-c", HELPER])
        .arg(path)
        .arg(url)
        .env("CAIRN_HELPER", &helper)
        .stdin(Input::Inherit)
        .stdout(Sink::Inherit);
    for name in PROXIES {
        if let Some(value) = paths::variable(name) {
            invocation = invocation.env(name, value);
        }
    }
    let status = invocation.run_unchecked()?.status;
    Ok(match status {
        0 => None,
        NOT_FOUND => Some(format!("Could not find url helper: \"{helper}\"")),
        status => {
            let command = format!("{helper} {} {url}", path.display());
            Some(format!("Executing url helper \"{command}\" failed with status {status}"))
        }
    })
}
