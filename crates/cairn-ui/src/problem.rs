// SPDX-License-Identifier: MIT OR Apache-2.0
//! An error or warning as a person reads it: one line with the causes joined, optional details, hints.

use std::error::Error;

use crate::escape_control;

/// What is to be shown about an error.
///
/// ```
/// let problem = cairn_ui::Problem::new("no package `foo` (expected a name, found nothing)").hint("try `dnf search foo`");
/// assert_eq!(problem.render("error"), "error: no package `foo` (expected a name, found nothing)\nhint: try `dnf search foo`\n");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    message: String,
    details: Vec<String>,
    hints: Vec<String>,
}

impl Problem {
    /// A problem in one sentence, without a full stop.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), details: Vec::new(), hints: Vec::new() }
    }

    /// Joins an error and its causes with `: `. A cause that its error already ends with is not repeated.
    pub fn from_error(error: &(dyn Error + 'static)) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            if !message.ends_with(&text) {
                message.push_str(": ");
                message.push_str(&text);
            }
            source = cause.source();
        }
        Self::new(message)
    }

    /// Adds a line below the message, for example one line of a solver's explanation.
    pub fn detail(mut self, line: impl Into<String>) -> Self {
        self.details.push(line.into());
        self
    }

    /// Adds lines below the message.
    pub fn details<I: IntoIterator<Item: Into<String>>>(mut self, lines: I) -> Self {
        self.details.extend(lines.into_iter().map(Into::into));
        self
    }

    /// Adds something the person can do, without a full stop. The same hint appears once.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        let hint = hint.into();
        if !self.hints.contains(&hint) {
            self.hints.push(hint);
        }
        self
    }

    /// Adds hints, for example those that `hint()` of several errors returned.
    pub fn hints<I: IntoIterator<Item: Into<String>>>(self, hints: I) -> Self {
        hints.into_iter().fold(self, Self::hint)
    }

    /// Returns the text without colour, lines ending in a line break; `kind` is `error` or `warning`.
    pub fn render(&self, kind: &str) -> String {
        self.render_with(kind, "hint")
    }

    /// Like [`Problem::render`] with labels that may hold colour sequences.
    pub(crate) fn render_with(&self, kind: &str, hint_label: &str) -> String {
        let mut text = format!("{kind}: {}\n", escape_control(&self.message));
        for line in &self.details {
            text.push_str(&format!("  {}\n", escape_control(line)));
        }
        for hint in &self.hints {
            text.push_str(&format!("{hint_label}: {}\n", escape_control(hint)));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::fmt;
    use std::io;

    use super::*;

    #[derive(Debug)]
    struct Wrapper(&'static str, io::Error);

    impl fmt::Display for Wrapper {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Wrapper {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.1)
        }
    }

    #[test]
    fn causes_are_joined_once_and_controls_escaped() {
        let check = |outer, inner: &str, expected: &str| {
            let text = Problem::from_error(&Wrapper(outer, io::Error::other(inner.to_owned())))
                .render("error");
            assert_eq!(text, expected);
        };
        check("cannot read `x`", "no space\x1b[0m", "error: cannot read `x`: no space\\u{1b}[0m\n");
        check("cannot read `x`: gone", "gone", "error: cannot read `x`: gone\n");
    }

    #[test]
    fn hints_appear_once_after_the_details() {
        let problem = Problem::new("cannot install `a`")
            .details(["a needs b", "b is not there"])
            .hints(["try c", "try c"]);
        assert_eq!(
            problem.render("error"),
            "error: cannot install `a`\n  a needs b\n  b is not there\nhint: try c\n"
        );
    }
}
