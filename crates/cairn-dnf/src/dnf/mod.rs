// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf`: dnf5's command line over the package engine.

pub mod advisories;
pub mod aliases;
pub mod cli;
pub mod commands;
pub mod comps;
pub mod display;
pub mod global_options;
pub mod ini_edit;
pub mod local;
pub mod offline;
pub mod old_spellings;
pub mod session;
pub mod store;
pub mod stored;
pub mod table;
pub mod transact;
pub mod trust;

use crate::failure::Failure;
use cairn_ui::{Color, Printer, Verbosity, exit};
use clap::FromArgMatches as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use cli::Cli;
use std::process::ExitCode;

/// Runs `dnf` with the arguments of the process, the program's name first.
pub fn run(arguments: &[String]) -> ExitCode {
    let aliases = aliases::Aliases::load();
    let definition = aliases.describe(cli::command());
    let arguments = aliases.translate(arguments, &definition);
    let (arguments, notes) = old_spellings::translate(&arguments, &definition);
    let ordered = global_options::to_front(&arguments, &definition);
    let matches = definition.try_get_matches_from(ordered);
    let cli = match matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let printer = Printer::new(Verbosity::Normal, Color::Auto);
    for problem in aliases.problems {
        printer.warning(&cairn_ui::Problem::new(problem));
    }
    if !cli.global.quiet {
        notes.iter().for_each(|note| printer.info(&format!("hint: {note}")));
    }
    let result = commands::run(cli, &arguments);
    let code = match result {
        Ok(code) => code,
        Err(failure) => {
            failure.show(&printer);
            failure.code
        }
    };
    match printer.finish() {
        Ok(()) => exit::code(code),
        Err(_) => exit::code(exit::FAILURE),
    }
}

/// Shows what clap found, in the project's form.
fn usage(error: &clap::Error) -> ExitCode {
    let printer = Printer::new(Verbosity::Normal, Color::Auto);
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            printer.raw(&error.to_string());
            return exit::code(exit::SUCCESS);
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            let rendered = error.to_string();
            let usage = rendered.lines().find_map(|line| line.strip_prefix("Usage: "));
            let command = usage
                .unwrap_or("dnf")
                .split([' '])
                .take_while(|word| !word.starts_with(['[', '<']));
            let command: Vec<&str> = command.collect();
            Failure::usage("Missing command.")
                .hint(format!("`{} --help` lists them", command.join(" ")))
                .show(&printer);
            return exit::code(exit::USAGE);
        }
        _ => {}
    }
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        // clap puts the likeliest last.
        Some(ContextValue::Strings(texts)) => texts.last().cloned(),
        _ => None,
    };
    let rendered = error.to_string();
    let first =
        rendered.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    let failure = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let word = text(ContextKind::InvalidSubcommand).unwrap_or_default();
            Failure::usage(format!("unknown command \"{word}\""))
        }
        ErrorKind::UnknownArgument => {
            let word = text(ContextKind::InvalidArg).unwrap_or_default();
            Failure::usage(format!("unknown argument \"{word}\""))
        }
        ErrorKind::MissingRequiredArgument => {
            let word = text(ContextKind::InvalidArg).unwrap_or_default();
            Failure::usage(format!("missing argument {word}"))
        }
        _ => Failure::usage(first),
    };
    let near = text(ContextKind::SuggestedSubcommand).or_else(|| text(ContextKind::SuggestedArg));
    let hint = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`dnf --help` lists commands, `dnf COMMAND --help` its arguments".to_owned(),
    };
    failure.hint(hint).show(&printer);
    exit::code(exit::USAGE)
}
