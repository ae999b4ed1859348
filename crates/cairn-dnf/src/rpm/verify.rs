// SPDX-License-Identifier: MIT OR Apache-2.0
//! `rpm -V`: installed packages against the disk, and their dependencies.

use super::Context;
use super::options::Source;
use super::problems::unmet_requirements;
use super::query::{self, Selected, nvra};
use crate::failure::{CommandResult, Failure, complain};
use cairn_pkg::query::sack::header_candidate;
use cairn_pkg::verify::{FileVerdict, Finding, verify_package};
use cairn_solve::Candidate;
use cairn_ui::exit;

/// Column letters in their order.
const COLUMNS: &str = "SM5DLUGTP";

/// Runs `rpm -V`.
pub fn run(context: &Context, name: &str) -> CommandResult {
    let options = &context.options;
    if options.arguments.is_empty() && options.source != Source::All {
        complain(&format!("{name}: no arguments given for verify"));
        return Ok(exit::FAILURE);
    }
    let mut failed = false;
    let mut selected: Vec<Selected> = Vec::new();
    query::select(context, &mut |found| match found {
        Ok(package) => selected.push(package),
        Err(()) => failed = true,
    })?;
    let installed: Vec<Candidate> = if options.no_deps {
        Vec::new()
    } else {
        query::all(context.database()?.as_ref(), &[])?
            .iter()
            .map(|p| header_candidate(&p.header))
            .collect()
    };
    let everything: Vec<&Candidate> = installed.iter().collect();
    for package in &selected {
        if package.header.name() == "gpg-pubkey" {
            continue;
        }
        if !options.no_deps {
            failed |= show_unmet(context, package, &everything);
        }
        if !options.no_files {
            failed |= show_files(context, package)?;
        }
    }
    Ok(u8::from(failed))
}

fn show_unmet(context: &Context, package: &Selected, installed: &[&Candidate]) -> bool {
    let unmet = unmet_requirements(&header_candidate(&package.header), installed);
    if unmet.is_empty() {
        return false;
    }
    let name = nvra(&package.header);
    context.printer.data(&format!("Unsatisfied dependencies for {name}:"));
    for wanted in unmet {
        context.printer.data(&format!("\t{wanted} is needed by (installed) {name}"));
    }
    true
}

fn show_files(context: &Context, package: &Selected) -> Result<bool, Failure> {
    let mut failed = false;
    let verdicts = verify_package(&context.root, &package.header)?;
    if context.options.verbose == 0 {
        for verdict in &verdicts {
            if let Some(line) = line(verdict, &context.options.skip_checks) {
                context.printer.data(&line);
                failed = true;
            }
        }
        return Ok(failed);
    }
    for file in package.header.files() {
        let found = verdicts.iter().find(|verdict| verdict.path == file.path);
        match found.and_then(|verdict| line(verdict, &context.options.skip_checks)) {
            Some(line) => {
                context.printer.data(&line);
                failed = true;
            }
            None => context.printer.data(&format!(".........  {} {}", attribute(&file), file.path)),
        }
    }
    Ok(failed)
}

fn attribute(file: &cairn_rpm::header::FileEntry) -> char {
    use cairn_rpm::header::FileFlags as F;
    let letters =
        [(F::CONFIG, 'c'), (F::DOC, 'd'), (F::GHOST, 'g'), (F::LICENSE, 'l'), (F::README, 'r')];
    letters
        .into_iter()
        .find(|(flag, _)| file.flags.contains(*flag))
        .map_or(' ', |(_, letter)| letter)
}

/// Returns rpm's line, `None` when only skipped checks failed.
fn line(verdict: &FileVerdict, skip: &[char]) -> Option<String> {
    let attribute = verdict.attribute.unwrap_or(' ');
    let columns = match &verdict.finding {
        Finding::Missing => return Some(format!("missing   {attribute} {}", verdict.path)),
        Finding::Unreadable(why) => {
            return Some(format!("missing   {attribute} {} ({why})", verdict.path));
        }
        Finding::Changed(columns) => columns,
    };
    let masked: String = columns
        .chars()
        .zip(COLUMNS.chars())
        .map(|(shown, letter)| if skip.contains(&letter) { '.' } else { shown })
        .collect();
    masked.contains(|c| c != '.').then(|| format!("{masked}  {attribute} {}", verdict.path))
}
