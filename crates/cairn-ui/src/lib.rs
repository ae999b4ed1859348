// SPDX-License-Identifier: MIT OR Apache-2.0
//! The terminal: the only crate that writes to standard output and standard error.
//!
//! A [`Printer`] decides what is shown (quiet, normal, verbose), where (data to standard output, all else to standard error) and how
//! (colour on terminals only, and never as the only signal). [`Problem`] renders errors with their causes and hints, [`Table`] fits
//! columns into the width, [`format`] writes sizes and dates, [`docs`] generates man pages, completions and the reference, [`exit`]
//! names the exit codes.

pub mod docs;
mod escape;
pub mod exit;
pub mod format;
mod printer;
mod problem;
mod progress;
mod table;

pub use escape::escape_control;
pub use printer::{Assume, Captured, Color, Printer, Stream, Tone, Verbosity};
pub use problem::Problem;
pub use progress::{Progress, Unit};
pub use table::{Align, Column, Overflow, Table};
