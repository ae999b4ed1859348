// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf check`: problems among the installed packages.

use crate::dnf::cli::CheckArgs;
use crate::dnf::session::{Needs, Session};
use crate::failure::{CommandResult, Failure, complain};
use cairn_pkg::query::providers::ProviderIndex;
use cairn_pkg::query::sack::Sack;
use cairn_solve::Candidate;
use cairn_ui::exit;
use std::collections::BTreeMap;

/// Runs `dnf check`.
pub fn check(session: &Session, args: &CheckArgs) -> CommandResult {
    let loaded = session.load(Needs::INSTALLED)?;
    let all = !(args.dependencies || args.duplicates || args.obsoleted);
    let installed: Vec<&Candidate> =
        loaded.sack.installed().map(|package| package.candidate).collect();
    let mut problems: BTreeMap<String, Vec<String>> = BTreeMap::new();
    if all || args.dependencies {
        check_dependencies(&installed, &mut problems);
    }
    if all || args.obsoleted {
        check_obsoleted(&installed, &mut problems);
    }
    if all || args.duplicates {
        check_duplicates(session, &loaded.sack, &mut problems);
    }
    if problems.is_empty() {
        return Ok(exit::SUCCESS);
    }
    let count: usize = problems.values().map(Vec::len).sum();
    for (nevra, lines) in &problems {
        session.printer.data(nevra);
        for line in lines {
            session.printer.data(&format!(" {line}"));
        }
    }
    complain(&format!("Check discovered {count} problem(s) in {} package(s)", problems.len()));
    Err(Failure::silent(exit::FAILURE))
}

fn check_dependencies(installed: &[&Candidate], problems: &mut BTreeMap<String, Vec<String>>) {
    let index = ProviderIndex::new(installed);
    for candidate in installed {
        for wanted in &candidate.requires {
            if !wanted.is_rpmlib() && !index.is_met(wanted) {
                let line = format!("missing require \"{wanted}\"");
                problems.entry(candidate.nevra.with_epoch()).or_default().push(line);
            }
        }
        for conflict in &candidate.conflicts {
            for other in index.all_providers(conflict).into_iter().map(|place| installed[place]) {
                if other.nevra != candidate.nevra {
                    let other = other.nevra.with_epoch();
                    let line = format!("installed conflict \"{conflict}\" provided by \"{other}\"");
                    problems.entry(candidate.nevra.with_epoch()).or_default().push(line);
                }
            }
        }
    }
}

fn check_duplicates(session: &Session, sack: &Sack, problems: &mut BTreeMap<String, Vec<String>>) {
    let names = &session.configuration.main.installonlypkgs;
    let mut by_name: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for package in sack.installed() {
        let candidate = package.candidate;
        if !candidate.is_installonly(names) {
            let key = (candidate.nevra.name.as_str(), candidate.nevra.arch.as_str());
            by_name.entry(key).or_default().push(candidate.nevra.with_epoch());
        }
    }
    for mut nevras in by_name.into_values().filter(|nevras| nevras.len() > 1) {
        nevras.sort();
        for nevra in &nevras {
            let others = nevras.iter().filter(|other| *other != nevra);
            let lines = others.map(|other| format!("duplicate with \"{other}\""));
            problems.entry(nevra.clone()).or_default().extend(lines);
        }
    }
}

fn check_obsoleted(installed: &[&Candidate], problems: &mut BTreeMap<String, Vec<String>>) {
    for candidate in installed {
        for obsolete in &candidate.obsoletes {
            for other in installed {
                let is_other = other.nevra != candidate.nevra;
                if is_other
                    && other.nevra.name == obsolete.name
                    && obsolete.matches_evr(&other.nevra.evr)
                {
                    let line = format!(
                        "obsoleted by \"{obsolete}\" from \"{}\"",
                        candidate.nevra.with_epoch()
                    );
                    problems.entry(other.nevra.with_epoch()).or_default().push(line);
                }
            }
        }
    }
}
