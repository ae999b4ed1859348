// SPDX-License-Identifier: MIT OR Apache-2.0
//! What `rpm -ivh` shows while it works. Since all packages become visible at once, a bar is full as soon as it is drawn.

use super::Context;
use super::options::Mode;
use crate::failure::complain;
use cairn_pkg::event::{Event, Phase};
use cairn_pkg::scriptlet::LUA_FAILED;
use cairn_pkg::transaction::Outcome;

/// The display of one transaction.
#[derive(Debug)]
pub struct Report<'a> {
    context: &'a Context,
    hash: bool,
    percent: bool,
    verbose: bool,
    installs: bool,
    shows_removals: bool,
    cleaning: bool,
}

impl<'a> Report<'a> {
    /// Starts the display of a transaction.
    pub fn new(context: &'a Context) -> Self {
        let options = &context.options;
        Self {
            context,
            hash: options.has("hash"),
            percent: options.has("percent"),
            verbose: options.verbose > 0 && !options.has("quiet"),
            installs: true,
            // With -i nothing goes: what is there already is only stored again.
            shows_removals: options.mode != Some(Mode::Install),
            cleaning: false,
        }
    }

    /// Shows what happens before anything changes.
    pub fn prepare(&mut self, installs: bool) {
        self.installs = installs;
        let level = self.context.macros.value("_pkgverify_level");
        let installs = installs && level.as_deref() != Some("none");
        if self.hash {
            if installs {
                self.bar("Verifying...");
            }
            self.bar("Preparing...");
        } else if self.percent {
            (0..=u8::from(installs)).for_each(|_| self.line("%% 0.000000"));
        } else if self.verbose {
            if installs {
                self.line("Verifying packages...");
            }
            self.line("Preparing packages...");
        }
    }

    /// Shows an event of the engine.
    pub fn event(&mut self, event: &Event) {
        match event {
            Event::Phase(Phase::Stage) if self.hash && self.installs => {
                self.line("Updating / installing...");
            }
            Event::Staging { package, .. } => self.package(package),
            Event::Removing { package } if self.shows_removals => {
                if self.hash && !std::mem::replace(&mut self.cleaning, true) {
                    self.line("Cleaning up / removing...");
                }
                self.package(package);
            }
            Event::ScriptletOutput { text, .. } if !text.is_empty() => {
                self.context.printer.raw(text);
            }
            Event::ScriptletFailed { package, kind, ending } if ending != LUA_FAILED => {
                // rpm's own word for this kind.
                let kind = if kind == "%pre" { "%prein" } else { kind };
                complain(&format!("error: {kind}({package}) {ending}"));
            }
            Event::LeftOut { package, installs, skipped } => {
                let what = if *installs { "install" } else { "erase" };
                let how = if *skipped { "skipped" } else { "failed" };
                complain(&format!("error: {package}: {what} {how}"));
            }
            Event::Warning(text) if text.ends_with(LUA_FAILED) => {}
            Event::Warning(text) => complain(&format!("warning: {text}")),
            Event::Policy(text) if self.verbose => complain(&format!("warning: {text}")),
            _ => {}
        }
    }

    /// Shows how it ended.
    pub fn end(&mut self, outcome: &Outcome) {
        outcome.notes.iter().for_each(|note| complain(&format!("warning: {note}")));
    }

    fn package(&mut self, label: &str) {
        if self.hash {
            let name = label.rsplit_once('.').map_or(label, |(name, _)| name);
            self.bar(name);
        } else if self.percent {
            self.line("%% 0.000000");
            self.line("%% 100.000000");
        } else if self.verbose {
            self.line(label);
        }
    }

    fn bar(&self, label: &str) {
        self.line(&format!("{label:<38}{}", "#".repeat(40)));
    }

    fn line(&self, text: &str) {
        self.context.printer.data(text);
    }
}
