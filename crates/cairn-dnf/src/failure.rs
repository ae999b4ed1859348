// SPDX-License-Identifier: MIT OR Apache-2.0
//! What ends a command before its goal: a problem with hints, lines in dnf5's or rpm's own form, or only an exit code.

use cairn_ui::{Color, Printer, Problem, Verbosity, exit};

/// The end of a command.
#[derive(Debug)]
pub struct Failure {
    /// Exit code.
    pub code: u8,
    /// What is shown.
    pub text: FailureText,
}

/// What a [`Failure`] shows.
#[derive(Debug)]
pub enum FailureText {
    /// `error: …` with details and hints.
    Problem(Problem),
    /// Lines for standard error, as they are.
    Lines(Vec<String>),
    /// Nothing: everything was said.
    Nothing,
}

/// Result of a command: its exit code.
pub type CommandResult = Result<u8, Failure>;

impl Failure {
    /// A problem with exit code 1.
    pub fn new(message: impl Into<String>) -> Self {
        Self { code: exit::FAILURE, text: FailureText::Problem(Problem::new(message)) }
    }

    /// A problem of the command line, exit code 2.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { code: exit::USAGE, ..Self::new(message) }
    }

    /// Lines, exit code 1.
    pub fn lines(lines: Vec<String>) -> Self {
        Self { code: exit::FAILURE, text: FailureText::Lines(lines) }
    }

    /// Only an exit code.
    pub fn silent(code: u8) -> Self {
        Self { code, text: FailureText::Nothing }
    }

    /// Adds a hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        if let FailureText::Problem(problem) = self.text {
            self.text = FailureText::Problem(problem.hint(hint));
        }
        self
    }

    /// Adds a detail line.
    pub fn detail(mut self, line: impl Into<String>) -> Self {
        if let FailureText::Problem(problem) = self.text {
            self.text = FailureText::Problem(problem.detail(line));
        }
        self
    }

    /// Shows it.
    pub fn show(&self, printer: &Printer) {
        match &self.text {
            FailureText::Problem(problem) => printer.error(problem),
            FailureText::Lines(lines) => {
                for line in lines {
                    complain(line);
                }
            }
            FailureText::Nothing => {}
        }
    }

    fn from_error(error: &(dyn std::error::Error + 'static), hint: Option<String>) -> Self {
        let problem = Problem::from_error(error).hints(hint);
        Self { code: exit::FAILURE, text: FailureText::Problem(problem) }
    }
}

/// Writes a line to standard error even when quiet.
pub fn complain(line: &str) {
    Printer::new(Verbosity::Normal, Color::Auto).info(line);
}

macro_rules! from_errors {
    ($($error:ty),* $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                let hint = error.hint().map(|hint| hint.to_string());
                Self::from_error(&error, hint)
            }
        })*
    };
}

from_errors!(
    cairn_pkg::repos::RepoError,
    cairn_pkg::repos::ConfigError,
    cairn_pkg::state::StateError,
    cairn_pkg::state::versionlock::VersionLockError,
    cairn_pkg::rpmdb::RpmDbError,
    cairn_pkg::TransactionError,
    cairn_host::HostError,
    cairn_host::fetch::FetchError,
);
