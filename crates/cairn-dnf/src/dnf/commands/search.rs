// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf search`: packages whose name, summary (and with `--all` description and URL) have every word.

use super::list::sorted;
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
    Name,
    Summary,
    Description,
    Url,
}

/// A field with a word, and how much of it the word is; the order is that of relevance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Match {
    field: Field,
    is_part: bool,
}

impl Match {
    fn text(self) -> String {
        let field = match self.field {
            Field::Name => "name",
            Field::Summary => "summary",
            Field::Description => "description",
            Field::Url => "url",
        };
        format!("{field}{}", if self.is_part { "" } else { " (exact)" })
    }
}

/// Runs `dnf search`.
pub fn search(session: &Session, args: &SearchArgs) -> CommandResult {
    let scope = if args.all { Scope::All } else { Scope::Words(&args.words) };
    let loaded = session.load_scope(Needs::ALL, &[], &[], scope)?;
    let sack = &loaded.sack;
    let all: Vec<PackageId> = sack.iter().map(|package| package.id).collect();
    let searched = if args.showduplicates { all } else { filter::latest(sack, &all, 1) };
    let mut found: BTreeMap<Vec<Match>, Vec<PackageId>> = BTreeMap::new();
    for id in searched {
        if let Some(fields) = matched_fields(sack.get(id), args) {
            found.entry(fields).or_default().push(id);
        }
    }
    if found.is_empty() {
        complain("No matches found.");
        return Ok(exit::SUCCESS);
    }
    for (fields, ids) in found {
        let names: Vec<String> = fields.iter().map(|field| field.text()).collect();
        session.printer.data(&format!("Matched fields: {}", names.join(", ")));
        let mut previous = String::new();
        for id in sorted(sack, ids) {
            let package = sack.get(id);
            let shown = if args.showduplicates {
                package.nevra().with_epoch()
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
fn matched_fields(package: SackPackage<'_>, args: &SearchArgs) -> Option<Vec<Match>> {
    let about = package.details;
    let fields = [
        (!args.summary, Field::Name, &package.nevra().name),
        (!args.name, Field::Summary, &about.summary),
        (args.all, Field::Description, &about.description),
        (args.all, Field::Url, &about.url),
    ];
    let mut matches = Vec::new();
    for word in &args.words {
        let lower = word.to_lowercase();
        let is_pattern = glob::is_pattern(&lower);
        let has = |text: &str| {
            let text = text.to_lowercase();
            if is_pattern { glob::matches(&lower, &text) } else { text.contains(&lower) }
        };
        let before = matches.len();
        for (_, field, text) in fields.iter().filter(|(wanted, _, text)| *wanted && has(text)) {
            // With several words, none is all that was asked for.
            let is_part = *text != word || args.words.len() > 1;
            matches.push(Match { field: *field, is_part });
        }
        if matches.len() == before {
            return None;
        }
    }
    matches.sort_unstable();
    matches.dedup();
    Some(matches)
}
