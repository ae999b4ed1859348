// SPDX-License-Identifier: MIT OR Apache-2.0
//! Scriptlets as plain values, and running one of them in a root.

use std::time::Duration;

use cairn_host::{HostError, Root, chroot};
use cairn_rpm::header::{Header, Scriptlet, ScriptletKind};
use serde::{Deserialize, Serialize};

use crate::event::Event;

/// Time after which a scriptlet is killed.
pub const TIME_LIMIT: Duration = Duration::from_mins(30);
/// rpm's name of its embedded interpreter.
pub const LUA: &str = "<lua>";

/// Variable with the first place of a package that may be moved, and with a number behind it each of them.
pub(crate) const PREFIX_VARIABLE: &str = "RPM_INSTALL_PREFIX";

/// How a Lua scriptlet ends that failed by an error of its own; the error itself is in its output.
pub const LUA_FAILED: &str = "lua script failed";

/// A scriptlet or trigger with everything needed to run it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectedScriptlet {
    /// The package it belongs to, as NEVRA.
    pub package: String,
    /// Its kind as rpm writes it: `%post`, `%transfiletriggerin`.
    pub kind: String,
    /// Interpreter and its own arguments: `["/bin/sh"]`, `["<lua>"]`.
    pub interpreter: Vec<String>,
    /// The script; `None` runs the interpreter alone.
    pub body: Option<String>,
    /// `$1` and, for triggers, `$2`.
    pub args: Vec<i32>,
    /// Paths a file trigger reads, one per line; empty for others.
    pub stdin: Vec<String>,
    /// Installation prefixes or other environment, in order.
    pub env: Vec<(String, String)>,
}

/// How the output of a scriptlet begins whose interpreter is not there; rpm's words.
pub const NO_INTERPRETER: &str = "error: failed to exec scriptlet interpreter";

impl CollectedScriptlet {
    /// Tells whether it needs rpm's embedded Lua interpreter.
    pub fn is_lua(&self) -> bool {
        self.interpreter.first().is_some_and(|program| program == LUA)
    }

    /// Runs it. Output goes to `events`. Returns how it failed, `None` on success.
    pub(crate) fn run(
        &self,
        runner: &mut chroot::Runner,
        events: &mut dyn FnMut(Event),
    ) -> Option<String> {
        events(Event::ScriptletStarted { package: self.package.clone(), kind: self.kind.clone() });
        if self.is_lua() {
            return self.ended(crate::lua::run(self, runner.root()), events);
        }
        // As in rpm, a program without a script gets no arguments: `-p /sbin/ldconfig` runs `ldconfig`, not `ldconfig 1`.
        let args: Vec<String> = match self.body {
            Some(_) => self.args.iter().map(ToString::to_string).collect(),
            None => Vec::new(),
        };
        let mut stdin = String::new();
        for path in &self.stdin {
            stdin.push_str(path);
            stdin.push('\n');
        }
        let request = chroot::Scriptlet {
            interpreter: &self.interpreter,
            body: self.body.as_deref(),
            args: &args,
            env: &self.env,
            stdin: stdin.as_bytes(),
            time_limit: TIME_LIMIT,
        };
        self.ended(runner.run(&request), events)
    }

    /// Passes output on and says how it failed.
    fn ended(
        &self,
        result: Result<chroot::ScriptletOutput, HostError>,
        events: &mut dyn FnMut(Event),
    ) -> Option<String> {
        match result {
            Ok(output) => {
                if !output.text.is_empty() {
                    let (package, kind) = (self.package.clone(), self.kind.clone());
                    events(Event::ScriptletOutput { package, kind, text: output.text });
                }
                match output.ending {
                    chroot::Ending::Exited(0) => None,
                    // What was wrong has been written.
                    chroot::Ending::Exited(1) if self.is_lua() => Some(LUA_FAILED.to_owned()),
                    chroot::Ending::Exited(status) => {
                        Some(format!("scriptlet failed, exit status {status}"))
                    }
                    chroot::Ending::Killed(signal) => {
                        Some(format!("scriptlet failed, signal {signal}"))
                    }
                    chroot::Ending::TimedOut => Some(format!(
                        "took longer than {} minutes and was stopped",
                        TIME_LIMIT.as_secs() / 60
                    )),
                }
            }
            Err(HostError::NotFound { .. }) => {
                let (package, kind) = (self.package.clone(), self.kind.clone());
                let program = self.interpreter.first().map_or("", String::as_str);
                let text = format!("{NO_INTERPRETER} {program}: No such file or directory\n");
                events(Event::ScriptletOutput { package, kind, text });
                Some("scriptlet failed, exit status 127".to_owned())
            }
            Err(error) => Some(format!("could not be run: {}", chain(&error))),
        }
    }
}

/// Returns what scriptlets are told about the places a package was moved to.
pub(crate) fn prefix_environment(header: &Header) -> Vec<(String, String)> {
    let prefixes = header.install_prefixes();
    let first = prefixes.first().map(|first| (PREFIX_VARIABLE.to_owned(), (*first).to_owned()));
    let numbered = prefixes
        .iter()
        .enumerate()
        .map(|(at, prefix)| (format!("{PREFIX_VARIABLE}{at}"), (*prefix).to_owned()));
    first.into_iter().chain(numbered).collect()
}

/// Runs the `%verify` scriptlet of a package, if it has one, with the number of packages of that name that are installed. Returns
/// how it failed, `None` on success.
pub fn run_verify(
    root: &Root,
    header: &Header,
    installed: i32,
    events: &mut dyn FnMut(Event),
) -> Option<String> {
    let Scriptlet { interpreter, body, .. } = header.scriptlet(ScriptletKind::Verify)?;
    let scriptlet = CollectedScriptlet {
        package: header.nevra().to_string(),
        kind: ScriptletKind::Verify.name().to_owned(),
        interpreter,
        body,
        args: vec![installed],
        stdin: Vec::new(),
        env: prefix_environment(header),
    };
    scriptlet.run(&mut chroot::Runner::new(root), events)
}

/// Writes an error and its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(&format!(": {next}"));
        cause = next.source();
    }
    text
}
