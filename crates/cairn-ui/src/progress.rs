// SPDX-License-Identifier: MIT OR Apache-2.0
//! Progress of one operation: a bar where standard error is a terminal, lines at each quarter elsewhere.

use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::printer::Stream;
use crate::{Printer, format};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Packages, files, steps.
    Items,
}

/// A running display; dropping it ends it. Callable from several threads.
#[derive(Debug)]
pub struct Progress<'a> {
    printer: &'a Printer,
    bar: Option<ProgressBar>,
    label: String,
    unit: Unit,
    total: AtomicU64,
    position: AtomicU64,
    /// Quarters that were written as a line.
    quarters: AtomicU64,
}

impl<'a> Progress<'a> {
    pub(crate) fn start(
        printer: &'a Printer,
        bars: &MultiProgress,
        label: &str,
        total: Option<u64>,
        unit: Unit,
    ) -> Self {
        let bar = printer.is_terminal(Stream::Err).then(|| {
            let bar = bars.add(total.map_or_else(ProgressBar::no_length, ProgressBar::new));
            bar.set_style(style(unit, total.is_some()));
            bar.set_message(label.to_owned());
            bar
        });
        let progress = Self {
            printer,
            bar,
            label: label.to_owned(),
            unit,
            total: AtomicU64::new(total.unwrap_or(0)),
            position: AtomicU64::new(0),
            quarters: AtomicU64::new(0),
        };
        if progress.bar.is_none() {
            printer.info(&match total {
                Some(total) => format!("{label} ({})", progress.amount(total)),
                None => label.to_owned(),
            });
        }
        progress
    }

    /// Sets how much is done.
    pub fn set(&self, position: u64) {
        self.position.store(position, Ordering::Relaxed);
        match &self.bar {
            Some(bar) => bar.set_position(position),
            None => self.write_quarter(position),
        }
    }

    /// Adds to how much is done.
    pub fn advance(&self, by: u64) {
        let position = self.position.fetch_add(by, Ordering::Relaxed) + by;
        match &self.bar {
            Some(bar) => bar.set_position(position),
            None => self.write_quarter(position),
        }
    }

    /// Sets the total when it becomes known.
    pub fn set_total(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_style(style(self.unit, true));
        }
    }

    /// Names what is being done at the moment; shown on terminals only.
    pub fn message(&self, text: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{}: {}", self.label, crate::escape_control(text)));
        }
    }

    /// Ends the display; the bar disappears.
    pub fn finish(self) {}

    fn write_quarter(&self, position: u64) {
        let total = self.total.load(Ordering::Relaxed);
        if total == 0 {
            return;
        }
        let quarter = (position.min(total) * 4) / total;
        if quarter > 0 && self.quarters.fetch_max(quarter, Ordering::Relaxed) < quarter {
            self.printer.info(&format!(
                "{}: {} % of {}",
                self.label,
                quarter * 25,
                self.amount(total)
            ));
        }
    }

    fn amount(&self, number: u64) -> String {
        match self.unit {
            Unit::Bytes => format::size(number),
            Unit::Items => number.to_string(),
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn style(unit: Unit, has_total: bool) -> ProgressStyle {
    let template = match (unit, has_total) {
        (Unit::Bytes, true) => {
            "{msg:40!} [{bar:25}] {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}"
        }
        (Unit::Bytes, false) => "{msg:40!} {spinner} {binary_bytes} {binary_bytes_per_sec}",
        (Unit::Items, true) => "{msg:40!} [{bar:25}] {pos}/{len}",
        (Unit::Items, false) => "{msg:40!} {spinner} {pos}",
    };
    ProgressStyle::with_template(template)
        .expect("the templates above are valid")
        .progress_chars("=> ")
}

#[cfg(test)]
mod tests {
    use crate::{Printer, Unit, Verbosity};

    #[test]
    fn lines_at_quarters_where_there_is_no_terminal() {
        let (printer, captured) = Printer::captured(Verbosity::Normal, None);
        let progress = printer.progress("Fetching packages", Some(4096), Unit::Bytes);
        for _ in 0..64 {
            progress.advance(64);
        }
        progress.message("not shown");
        progress.finish();
        assert_eq!(
            captured.err(),
            "Fetching packages (4.0 KiB)\nFetching packages: 25 % of 4.0 KiB\nFetching packages: 50 % of 4.0 KiB\n\
             Fetching packages: 75 % of 4.0 KiB\nFetching packages: 100 % of 4.0 KiB\n"
        );
    }

    #[test]
    fn every_template_is_valid() {
        for unit in [Unit::Bytes, Unit::Items] {
            for has_total in [true, false] {
                let _ = super::style(unit, has_total);
            }
        }
    }
}
