// SPDX-License-Identifier: MIT OR Apache-2.0
//! The one place that decides what is written where: silent or verbose, standard output or standard error, colour or none.

use std::io::{self, BufRead, IsTerminal as _, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indicatif::{MultiProgress, ProgressDrawTarget};
use serde::Serialize;

use crate::{Problem, Progress, Table, Unit};

/// How much is shown. Data and errors always are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Data, warnings and errors only.
    Quiet,
    /// What a person wants to know.
    Normal,
    /// Also what helps to find a cause.
    Verbose,
}

/// When colour is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    /// On terminals, unless `NO_COLOR` is set or `TERM` is `dumb`.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Standard output or standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output: data.
    Out,
    /// Standard error: all else.
    Err,
}

/// What a colour means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Errors and things that go away.
    Bad,
    /// Warnings and things that change.
    Warning,
    /// Success and things that come.
    Good,
    /// Hints and names.
    Note,
    /// Headings.
    Strong,
    /// Less important text.
    Dim,
}

/// How a question is answered without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assume {
    /// It is asked.
    Ask,
    /// `-y`: yes.
    Yes,
    /// `--assumeno`: no.
    No,
}

/// Writes to the terminal; see the crate's text. Shared freely between threads.
#[derive(Debug)]
pub struct Printer {
    verbosity: Verbosity,
    out: Target,
    err: Target,
    bars: MultiProgress,
    failed: Mutex<Option<io::Error>>,
}

/// What a captured printer has written, for tests.
#[derive(Debug, Clone, Default)]
pub struct Captured {
    out: Arc<Mutex<Vec<u8>>>,
    err: Arc<Mutex<Vec<u8>>>,
}

impl Captured {
    /// Returns what went to standard output.
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&locked(&self.out)).into_owned()
    }

    /// Returns what went to standard error.
    pub fn err(&self) -> String {
        String::from_utf8_lossy(&locked(&self.err)).into_owned()
    }
}

#[derive(Debug)]
struct Target {
    sink: Sink,
    terminal: bool,
    color: bool,
    width: Option<usize>,
}

#[derive(Debug)]
enum Sink {
    Out,
    Err,
    Buffer(Arc<Mutex<Vec<u8>>>),
}

impl Printer {
    /// A printer for the process's standard output and standard error.
    pub fn new(verbosity: Verbosity, color: Color) -> Self {
        let allowed = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
        };
        let target = |sink, terminal: bool, term: console::Term| Target {
            sink,
            terminal,
            color: allowed && (terminal || color == Color::Always),
            width: if terminal {
                term.size_checked().map(|(_, columns)| usize::from(columns))
            } else {
                None
            },
        };
        let err_is_terminal = io::stderr().is_terminal();
        let show_bars = err_is_terminal && verbosity > Verbosity::Quiet;
        Self {
            verbosity,
            out: target(Sink::Out, io::stdout().is_terminal(), console::Term::stdout()),
            err: target(Sink::Err, err_is_terminal, console::Term::stderr()),
            bars: MultiProgress::with_draw_target(if show_bars {
                ProgressDrawTarget::stderr()
            } else {
                ProgressDrawTarget::hidden()
            }),
            failed: Mutex::new(None),
        }
    }

    /// A printer into memory, without colour, as wide as `width` or (`None`) as if it wrote to a file.
    pub fn captured(verbosity: Verbosity, width: Option<usize>) -> (Self, Captured) {
        let captured = Captured::default();
        let target = |buffer: &Arc<_>| Target {
            sink: Sink::Buffer(Arc::clone(buffer)),
            terminal: false,
            color: false,
            width,
        };
        let printer = Self {
            verbosity,
            out: target(&captured.out),
            err: target(&captured.err),
            bars: MultiProgress::with_draw_target(ProgressDrawTarget::hidden()),
            failed: Mutex::new(None),
        };
        (printer, captured)
    }

    /// Returns how much is shown.
    pub fn verbosity(&self) -> Verbosity {
        self.verbosity
    }

    /// Returns the width of the terminal in columns, `None` if the stream is not a terminal.
    pub fn width(&self, stream: Stream) -> Option<usize> {
        self.target(stream).width
    }

    /// Tells whether the stream is a terminal.
    pub fn is_terminal(&self, stream: Stream) -> bool {
        self.target(stream).terminal
    }

    /// Writes one line of data to standard output, also when quiet. Escape untrusted text first
    /// ([`escape_control`](crate::escape_control)).
    pub fn data(&self, line: &str) {
        self.write(Stream::Out, &format!("{line}\n"));
    }

    /// Writes text to standard output as it is, without a line break at its end, also when quiet.
    pub fn raw(&self, text: &str) {
        self.write(Stream::Out, text);
    }

    /// Writes a line for the person to standard error, unless quiet.
    pub fn info(&self, line: &str) {
        if self.verbosity >= Verbosity::Normal {
            self.write(Stream::Err, &format!("{line}\n"));
        }
    }

    /// Writes a line to standard error if verbose.
    pub fn verbose(&self, line: &str) {
        if self.verbosity >= Verbosity::Verbose {
            self.write(Stream::Err, &format!("{line}\n"));
        }
    }

    /// Writes what is being done to standard error, unless quiet: a verb in a column of 12, then its object.
    pub fn status(&self, verb: &str, object: &str) {
        let verb = self.paint(Stream::Err, Tone::Good, &format!("{verb:>12}"));
        self.info(&format!("{verb} {}", crate::escape_control(object)));
    }

    /// Writes `warning: …` with its hints to standard error, also when quiet.
    pub fn warning(&self, problem: &Problem) {
        self.problem("warning", Tone::Warning, problem);
    }

    /// Writes `error: …` with its hints to standard error, also when quiet.
    pub fn error(&self, problem: &Problem) {
        self.problem("error", Tone::Bad, problem);
    }

    /// Writes a value as indented JSON and a line break to standard output, also when quiet.
    pub fn json<T: Serialize>(&self, value: &T) -> io::Result<()> {
        let text = serde_json::to_string_pretty(value).map_err(io::Error::other)?;
        self.data(&text);
        Ok(())
    }

    /// Writes a table to standard output, fitted to the terminal's width.
    pub fn table(&self, table: &Table) {
        self.raw(&table.render(self.out.width));
    }

    /// Returns `text` in the colour of `tone`, or unchanged if `stream` has no colour.
    pub fn paint(&self, stream: Stream, tone: Tone, text: &str) -> String {
        if !self.target(stream).color {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Bad => "1;31",
            Tone::Warning => "1;33",
            Tone::Good => "1;32",
            Tone::Note => "36",
            Tone::Strong => "1",
            Tone::Dim => "2",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    /// Asks a yes/no question on `stream` and reads the answer from standard input. Only `y` and `yes` mean yes; an empty line or the
    /// end of the input means no, anything else asks again. With [`Assume::Yes`] or [`Assume::No`] the question and that answer are
    /// shown, and nothing is read.
    pub fn confirm(&self, stream: Stream, question: &str, assume: Assume) -> io::Result<bool> {
        self.confirm_from(&mut io::stdin().lock(), stream, question, assume)
    }

    /// Like [`Printer::confirm`] with the answers from `input`.
    pub fn confirm_from(
        &self,
        input: &mut dyn BufRead,
        stream: Stream,
        question: &str,
        assume: Assume,
    ) -> io::Result<bool> {
        loop {
            self.write(stream, &format!("{question} [y/N]: "));
            let given = match assume {
                Assume::Yes => Some(true),
                Assume::No => Some(false),
                Assume::Ask => None,
            };
            if let Some(answer) = given {
                self.write(stream, if answer { "y\n" } else { "N\n" });
                return Ok(answer);
            }
            let mut line = String::new();
            if input.read_line(&mut line)? == 0 {
                self.write(stream, "\n");
                return Ok(false);
            }
            match line.trim().to_lowercase().as_str() {
                "y" | "yes" => return Ok(true),
                "" | "n" | "no" => return Ok(false),
                _ => {}
            }
        }
    }

    /// Starts a progress display on standard error: a bar on a terminal, plain lines elsewhere, nothing when quiet.
    pub fn progress(&self, label: &str, total: Option<u64>, unit: Unit) -> Progress<'_> {
        Progress::start(self, &self.bars, label, total, unit)
    }

    /// Flushes and returns the first error of writing to standard output, if there was one. A closed pipe (`| head`) is no error.
    pub fn finish(&self) -> io::Result<()> {
        if matches!(self.out.sink, Sink::Out) {
            self.note(io::stdout().flush());
        }
        locked(&self.failed).take().map_or(Ok(()), Err)
    }

    fn problem(&self, kind: &str, tone: Tone, problem: &Problem) {
        let kind = self.paint(Stream::Err, tone, kind);
        let hint = self.paint(Stream::Err, Tone::Note, "hint");
        self.write(Stream::Err, &problem.render_with(&kind, &hint));
    }

    fn target(&self, stream: Stream) -> &Target {
        match stream {
            Stream::Out => &self.out,
            Stream::Err => &self.err,
        }
    }

    fn write(&self, stream: Stream, text: &str) {
        let bytes = text.as_bytes();
        // A progress bar must not be torn: it goes away for the moment of writing.
        let result = self.bars.suspend(|| match &self.target(stream).sink {
            Sink::Out => {
                let mut out = io::stdout().lock();
                out.write_all(bytes)
                    .and_then(|()| if self.out.terminal { out.flush() } else { Ok(()) })
            }
            Sink::Err => io::stderr().lock().write_all(bytes),
            Sink::Buffer(buffer) => locked(buffer).write_all(bytes),
        });
        if stream == Stream::Out {
            self.note(result);
        }
    }

    fn note(&self, result: io::Result<()>) {
        if let Err(error) = result
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            locked(&self.failed).get_or_insert(error);
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbosity_and_streams() {
        for (verbosity, expected_err) in [
            (Verbosity::Quiet, "warning: w\n"),
            (Verbosity::Normal, "info\n    Fetching x\\n\nwarning: w\n"),
            (Verbosity::Verbose, "info\nmore\n    Fetching x\\n\nwarning: w\n"),
        ] {
            let (printer, captured) = Printer::captured(verbosity, None);
            printer.data("data");
            printer.info("info");
            printer.verbose("more");
            printer.status("Fetching", "x\n");
            printer.warning(&Problem::new("w"));
            printer.finish().unwrap();
            assert_eq!(
                (captured.out().as_str(), captured.err().as_str()),
                ("data\n", expected_err)
            );
        }
    }

    #[test]
    fn confirmation() {
        for (input, assume, answer, shown) in [
            ("y\n", Assume::Ask, true, "ok? [y/N]: "),
            ("YES\n", Assume::Ask, true, "ok? [y/N]: "),
            ("\n", Assume::Ask, false, "ok? [y/N]: "),
            ("", Assume::Ask, false, "ok? [y/N]: \n"),
            ("what\nn\n", Assume::Ask, false, "ok? [y/N]: ok? [y/N]: "),
            ("", Assume::Yes, true, "ok? [y/N]: y\n"),
            ("y\n", Assume::No, false, "ok? [y/N]: N\n"),
        ] {
            let (printer, captured) = Printer::captured(Verbosity::Normal, None);
            let found =
                printer.confirm_from(&mut input.as_bytes(), Stream::Out, "ok?", assume).unwrap();
            assert_eq!((found, captured.out().as_str()), (answer, shown), "{input:?}");
        }
    }

    #[test]
    fn json_is_indented_data() {
        let (printer, captured) = Printer::captured(Verbosity::Quiet, None);
        printer.json(&[1, 2]).unwrap();
        assert_eq!(captured.out(), "[\n  1,\n  2\n]\n");
    }
}
