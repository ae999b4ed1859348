// SPDX-License-Identifier: MIT OR Apache-2.0
//! `--dump-variables`, `--dump-main-config` and `--dump-repo-config`: what the configuration is, after files and options.

use crate::dnf::cli::GlobalOptions;
use crate::dnf::session::Session;
use cairn_pkg::query::glob;
use cairn_pkg::repos::values::KeyValue;
use cairn_ui::escape_control;

/// Says whether one of the options is given.
pub fn is_wanted(options: &GlobalOptions) -> bool {
    options.dump_variables || options.dump_main_config || !options.dump_repo_config.is_empty()
}

/// Shows what the options ask for.
pub fn dump(session: &Session) {
    let configuration = &session.configuration;
    if session.options.dump_variables {
        let is_there =
            |(name, value): &(&str, &str)| *name != "releasever_minor" || !value.is_empty();
        let values = configuration.variables.iter().filter(is_there);
        show(session, "Variables:", values.map(|(name, value)| (name, Some(value))));
    }
    if session.options.dump_main_config {
        show(session, "Main configuration:", borrowed(&configuration.main.values()));
    }
    let wanted = &session.options.dump_repo_config;
    for repository in &configuration.repositories {
        if wanted.iter().any(|pattern| glob::matches(pattern, &repository.id)) {
            let title = format!("\"{}\" repository configuration:", repository.id);
            show(session, &title, borrowed(&repository.values(&configuration.main)));
        }
    }
}

fn borrowed(values: &[KeyValue]) -> impl Iterator<Item = (&str, Option<&str>)> {
    values.iter().map(|(key, value)| (*key, value.as_deref()))
}

fn show<'a>(
    session: &Session,
    title: &str,
    values: impl Iterator<Item = (&'a str, Option<&'a str>)>,
) {
    session.printer.data(&format!("======== {title} ========"));
    for (key, value) in values {
        let line = value.map_or_else(|| key.to_owned(), |value| format!("{key} = {value}"));
        session.printer.data(&escape_control(&line));
    }
}
