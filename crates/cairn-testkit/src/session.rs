// SPDX-License-Identifier: MIT OR Apache-2.0
//! Command lines of a program under test: command in, exit status, standard output and standard error out, as one text.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use crate::Filters;

/// How to run the program; its environment is empty but for `PATH`, `HOME`, `TERM=dumb`, `LC_ALL=C.UTF-8`, `TZ=UTC` and what is set.
#[derive(Debug, Clone)]
pub struct Session {
    program: PathBuf,
    cwd: PathBuf,
    env: Vec<(String, String)>,
    filters: Filters,
}

impl Session {
    /// Runs `program` (an absolute path, `env!("CARGO_BIN_EXE_…")`) in the directory `cwd`, which is shown as `[TMP]` and is `HOME`.
    pub fn new(program: impl AsRef<Path>, cwd: impl AsRef<Path>) -> Self {
        let cwd = cwd.as_ref().to_owned();
        let filters = Filters::new().literal(cwd.to_string_lossy(), "[TMP]");
        Self { program: program.as_ref().to_owned(), cwd, env: Vec::new(), filters }
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// Replaces `text` in what is shown.
    pub fn filter(mut self, text: impl Into<String>, replacement: &str) -> Self {
        self.filters = self.filters.literal(text, replacement);
        self
    }

    /// Runs the program with `args` and nothing to read, and returns what it did:
    ///
    /// ```text
    /// exit: 1
    /// ----- stdout -----
    /// ----- stderr -----
    /// error: …
    /// ```
    pub fn run<I: IntoIterator<Item: AsRef<OsStr>>>(&self, args: I) -> Result<String> {
        let mut command = Command::new(&self.program);
        command.args(args).current_dir(&self.cwd).stdin(Stdio::null()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
            .env("HOME", &self.cwd)
            .env("TERM", "dumb")
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC");
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        let output =
            command.output().with_context(|| format!("running `{}`", self.program.display()))?;
        let status =
            output.status.code().map_or_else(|| "signal".to_owned(), |code| code.to_string());
        let text = format!(
            "exit: {status}\n----- stdout -----\n{}----- stderr -----\n{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(self.filters.apply(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::Session;

    #[test]
    fn shows_status_and_both_streams() {
        let session = Session::new("/bin/sh", "/tmp").env("X", "y");
        let text = session.run(["-c", "echo $X $HOME $CARGO; echo oops >&2; exit 3"]).unwrap();
        assert_eq!(text, "exit: 3\n----- stdout -----\ny [TMP]\n----- stderr -----\noops\n");
    }
}
