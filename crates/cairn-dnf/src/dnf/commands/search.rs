// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf search`: packages whose name, summary (and with `--all` description and URL) have every word.

use super::list::sorted;
use super::repoquery::full_nevra;
use crate::dnf::cli::SearchArgs;
use crate::dnf::session::{Needs, Scope, Session};
use crate::failure::{CommandResult, complain};
use cairn_pkg::query::{SackPackage, filter, glob};
use cairn_solve::PackageId;
use cairn_ui::{escape_control, exit};
use std::collections::BTreeMap;

/// Where a word was found; the order is that of relevance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Field {
    ExactName,
    Name,
    Summary,
    Description,
    Url,
}

impl Field {
    fn text(self) -> &'static str {
        match self {
            Self::ExactName => "name (exact)",
            Self::Name => "name",
            Self::Summary => "summary",
            Self::Description => "description",
            Self::Url => "url",
        }
    }
}

/// Runs `dnf search`.
pub fn search(session: &Session, args: &SearchArgs) -> CommandResult {
    let scope = if args.all { Scope::All } else { Scope::Words(&args.words) };
    let loaded = session.load_scope(Needs::ALL, &[], &[], scope)?;
    let sack = &loaded.sack;
    let mut found: BTreeMap<Vec<Field>, Vec<PackageId>> = BTreeMap::new();
    for package in sack.iter() {
        if let Some(fields) = matched_fields(package, args) {
            found.entry(fields).or_default().push(package.id);
        }
    }
    if found.is_empty() {
        complain("No matches found.");
        return Ok(exit::SUCCESS);
    }
    for (fields, ids) in found {
        let names: Vec<&str> = fields.iter().map(|field| field.text()).collect();
        session.printer.data(&format!("Matched fields: {}", names.join(", ")));
        let ids = if args.showduplicates { ids } else { filter::latest(sack, &ids, 1) };
        let mut previous = String::new();
        for id in sorted(sack, ids) {
            let package = sack.get(id);
            let shown = if args.showduplicates {
                full_nevra(package)
            } else {
                format!("{}.{}", package.nevra().name, package.nevra().arch)
            };
            if shown != previous {
                session
                    .printer
                    .data(&format!(" {shown}\t{}", escape_control(&package.details.summary)));
            }
            previous = shown;
        }
    }
    Ok(exit::SUCCESS)
}

/// Returns the fields in which the words were found, `None` unless every word was.
fn matched_fields(package: SackPackage<'_>, args: &SearchArgs) -> Option<Vec<Field>> {
    let (words, all) = (&args.words, args.all);
    let (has_names, has_summaries) = (!args.summary, !args.name);
    let name = package.nevra().name.to_lowercase();
    let mut fields = Vec::new();
    for word in words {
        let word = word.to_lowercase();
        let has = |text: &str| {
            let text = text.to_lowercase();
            if glob::is_pattern(&word) { glob::matches(&word, &text) } else { text.contains(&word) }
        };
        let mut of_word = Vec::new();
        if has_names && name == word {
            of_word.push(Field::ExactName);
        } else if has_names && has(&name) {
            of_word.push(Field::Name);
        }
        if has_summaries && has(&package.details.summary) {
            of_word.push(Field::Summary);
        }
        if all {
            if has(&package.details.description) {
                of_word.push(Field::Description);
            }
            if has(&package.details.url) {
                of_word.push(Field::Url);
            }
        }
        if of_word.is_empty() {
            return None;
        }
        fields.extend(of_word);
    }
    if words.len() > 1 {
        // The name is not all that was asked for.
        for field in fields.iter_mut().filter(|field| **field == Field::ExactName) {
            *field = Field::Name;
        }
    }
    fields.sort_unstable();
    fields.dedup();
    Some(fields)
}
