// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf repoclosure`: requirements of the repositories' packages that nothing in them provides.

use crate::dnf::cli::RepoclosureArgs;
use crate::dnf::session::{Needs, Session};
use crate::failure::{CommandResult, Failure, complain};
use cairn_pkg::query::filter;
use cairn_pkg::query::providers::ProviderIndex;
use cairn_pkg::query::spec::nevra_matches;
use cairn_pkg::query::{Sack, SackPackage, glob};
use cairn_solve::PackageId;
use cairn_ui::exit;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Runs `dnf repoclosure`.
pub fn repoclosure(session: &Session, args: &RepoclosureArgs) -> CommandResult {
    let loaded = session.load(Needs { filelists: true, ..Needs::AVAILABLE })?;
    let sack = &loaded.sack;
    let mut ids: Vec<_> = sack.available().map(|package| package.id).collect();
    if args.newest {
        ids = newest_of_each(sack, &ids);
    }
    let missing: Vec<&String> = args
        .specs
        .iter()
        .filter(|spec| !ids.iter().any(|id| nevra_matches(spec, sack.get(*id).nevra()).is_some()))
        .collect();
    if !missing.is_empty() {
        let mut lines: Vec<String> =
            missing.iter().map(|spec| format!("No match for argument \"{spec}\".")).collect();
        lines.push("Failed to resolve package specifications.".to_owned());
        return Err(Failure::lines(lines));
    }
    // What only an older version provides is nothing that could be installed where the best is wanted.
    let providers = if session.is_best() { filter::latest(sack, &ids, 1) } else { ids.clone() };
    let universe: Vec<_> = providers.iter().map(|id| sack.get(*id).candidate).collect();
    let index = ProviderIndex::new(&universe);
    let is_checked = |package: &SackPackage<'_>| {
        let (nevra, repository) = (package.nevra(), &package.details.repository);
        let by_spec = args.specs.is_empty()
            || args.specs.iter().any(|spec| nevra_matches(spec, nevra).is_some());
        let by_repository = args.check.is_empty()
            || args.check.iter().any(|check| glob::matches(check, repository));
        by_spec && by_repository && (args.arch.is_empty() || args.arch.contains(&nevra.arch))
    };
    let mut broken: Vec<(String, String, Vec<String>)> = Vec::new();
    for package in ids.iter().map(|id| sack.get(*id)).filter(is_checked) {
        let open = package.candidate.requires.iter();
        let open: Vec<String> = open
            .filter(|wanted| !wanted.is_rpmlib() && !index.is_met(wanted))
            .map(ToString::to_string)
            .collect();
        if !open.is_empty() {
            let repository = package.details.repository.clone();
            broken.push((package.nevra().to_string(), repository, open));
        }
    }
    broken.sort();
    report(session, args, &broken)
}

/// Returns the newest packages of each repository.
fn newest_of_each(sack: &Sack, ids: &[PackageId]) -> Vec<PackageId> {
    let mut by_repository: BTreeMap<&str, Vec<PackageId>> = BTreeMap::new();
    for id in ids {
        by_repository.entry(&sack.get(*id).details.repository).or_default().push(*id);
    }
    by_repository.values().flat_map(|ids| filter::latest(sack, ids, 1)).collect()
}

fn report(
    session: &Session,
    args: &RepoclosureArgs,
    broken: &[(String, String, Vec<String>)],
) -> CommandResult {
    if args.json {
        let values: Vec<Value> = broken
            .iter()
            .map(|(package, repository, open)| {
                json!({"package": package, "repo": repository, "unresolved_dependencies": open})
            })
            .collect();
        let written = session.printer.json(&values);
        written.map_err(|error| Failure::new(format!("cannot write JSON: {error}")))?;
    }
    if broken.is_empty() {
        return Ok(exit::SUCCESS);
    }
    if !args.json {
        for (package, repository, open) in broken {
            session.printer.data(&format!("package: {package} from {repository}"));
            session.printer.data(&format!("  unresolved deps ({}):", open.len()));
            open.iter().for_each(|line| session.printer.data(&format!("    {line}")));
        }
        let count: usize = broken.iter().map(|(_, _, open)| open.len()).sum();
        complain(&format!(
            "Error: Repoclosure ended with unresolved dependencies ({count}) across {} packages.",
            broken.len()
        ));
    }
    Err(Failure::silent(exit::FAILURE))
}
