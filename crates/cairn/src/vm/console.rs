// SPDX-License-Identifier: MIT OR Apache-2.0
//! The serial console: what the guest wrote, as bytes in a log file and as plain text to search in.

use std::fs::File;
use std::io::{Read, Write as _};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Text of a stream that a thread reads.
#[derive(Debug, Clone, Default)]
pub(super) struct Console {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    text: String,
    ended: bool,
}

/// What [`Console::wait_for`] found.
pub(super) enum Found {
    /// Marker number N; the search goes on behind it next time.
    Marker(usize),
    /// The stream ended first.
    Ended,
    /// The time is over.
    TimedOut,
}

impl Console {
    /// Reads `stream` to its end in a thread and copies the bytes to `log`.
    pub(super) fn follow(
        stream: impl Read + Send + 'static,
        log: Option<File>,
    ) -> (Self, JoinHandle<()>) {
        let console = Self::default();
        let shared = Arc::clone(&console.shared);
        let thread = thread::spawn(move || shared.copy(stream, log));
        (console, thread)
    }

    /// Returns the text so far, without escape sequences.
    pub(super) fn text(&self) -> String {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner).text.clone()
    }

    /// Returns the last lines.
    pub(super) fn tail(&self, n_lines: usize) -> String {
        let text = self.text();
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(n_lines)..].join("\n")
    }

    /// Waits for one of `markers` in the text from byte `*from` on, and moves `*from` behind the one that comes first.
    pub(super) fn wait_for(&self, markers: &[&str], from: &mut usize, limit: Duration) -> Found {
        let deadline = Instant::now() + limit;
        let mut state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let rest = state.text.get(*from..).unwrap_or_default();
            let first = |(index, marker): (usize, &&str)| rest.find(marker).map(|at| (at, index));
            if let Some((at, index)) = markers.iter().enumerate().filter_map(first).min() {
                *from += at + markers[index].len();
                return Found::Marker(index);
            }
            if state.ended {
                return Found::Ended;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Found::TimedOut;
            }
            state = self
                .shared
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

impl Shared {
    fn copy(&self, mut stream: impl Read, mut log: Option<File>) {
        let mut filter = Filter::default();
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            if let Some(file) = &mut log {
                // A full disk must not stop the guest; the text in memory is complete.
                let _ = file.write_all(&buffer[..length]);
            }
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            filter.feed(&buffer[..length], &mut state.text);
            drop(state);
            self.changed.notify_all();
        }
        self.state.lock().unwrap_or_else(PoisonError::into_inner).ended = true;
        self.changed.notify_all();
    }
}

/// Removes escape sequences and carriage returns from a console's output, so that markers can be found in it.
pub fn plain_text(bytes: &[u8]) -> String {
    let mut text = String::new();
    Filter::default().feed(bytes, &mut text);
    text
}

/// Keeps its place in a sequence from one piece of output to the next.
#[derive(Debug, Default)]
struct Filter {
    state: Escape,
    /// Bytes of an unfinished UTF-8 character.
    partial: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy)]
enum Escape {
    #[default]
    Text,
    /// After ESC.
    Start,
    /// In `ESC [ … letter`.
    Control,
    /// In `ESC ] … BEL` (or `ESC \`).
    String,
    /// After an intermediate byte: one more follows.
    Last,
}

impl Filter {
    fn feed(&mut self, bytes: &[u8], text: &mut String) {
        for &byte in bytes {
            self.state = match (self.state, byte) {
                (Escape::Text | Escape::String, 0x1b) => Escape::Start,
                (Escape::Text, b'\r' | 0) => Escape::Text,
                (Escape::Text, _) => {
                    self.partial.push(byte);
                    Escape::Text
                }
                (Escape::Start, b'[') => Escape::Control,
                (Escape::Start, b']' | b'P' | b'X' | b'^' | b'_') => Escape::String,
                (Escape::Start, b'(' | b')' | b'#' | b'%') => Escape::Last,
                (Escape::Control, 0x40..=0x7e)
                | (Escape::String, 0x07)
                | (Escape::Start | Escape::Last, _) => Escape::Text,
                (Escape::Control, _) => Escape::Control,
                (Escape::String, _) => Escape::String,
            };
        }
        // All but an unfinished character at the end.
        let complete = match std::str::from_utf8(&self.partial) {
            Ok(all) => all.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => self.partial.len(),
        };
        text.push_str(&String::from_utf8_lossy(&self.partial[..complete]));
        self.partial.drain(..complete);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_are_removed_wherever_they_are_cut() {
        let raw = "\x1b[2J\x1b[1;1H[\x1b[0;32m  OK  \x1b[0m] Grüße\r\n\x1b]0;title\x07\x1b(Blogin: \x1bP1$r\x1b\\".as_bytes();
        assert_eq!(plain_text(raw), "[  OK  ] Grüße\nlogin: ");
        for cut in 0..raw.len() {
            let mut filter = Filter::default();
            let mut text = String::new();
            filter.feed(&raw[..cut], &mut text);
            filter.feed(&raw[cut..], &mut text);
            assert_eq!(text, plain_text(raw), "cut at {cut}");
        }
    }

    #[test]
    fn markers_are_found_in_order() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let (console, thread) = Console::follow(reader, None);
        writer.write_all(b"one\x1b[0m two one").unwrap();
        let mut from = 0;
        let mut wait =
            |markers: &[&str]| match console.wait_for(markers, &mut from, Duration::from_secs(5)) {
                Found::Marker(index) => markers[index].to_owned(),
                Found::Ended => "ended".to_owned(),
                Found::TimedOut => "timed out".to_owned(),
            };
        assert_eq!(wait(&["two", "one"]), "one");
        assert_eq!(wait(&["one", "two"]), "two");
        assert_eq!(wait(&["one"]), "one");
        drop(writer);
        assert_eq!(wait(&["one"]), "ended");
        thread.join().unwrap();
        assert_eq!(console.tail(1), "one two one");
    }
}
