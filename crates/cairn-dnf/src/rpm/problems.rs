// SPDX-License-Identifier: MIT OR Apache-2.0
//! rpm's own dependency check: no solver, only "is needed by" and "conflicts with".

use cairn_pkg::query::filter::is_met;
use cairn_pkg::query::sack::provides;
use cairn_rpm::dependency::Dependency;
use cairn_solve::Candidate;

/// Returns the requirements of a package that none of `installed` meets, each once.
pub fn unmet_requirements(candidate: &Candidate, installed: &[&Candidate]) -> Vec<Dependency> {
    let mut unmet: Vec<Dependency> = Vec::new();
    for wanted in &candidate.requires {
        let known = unmet.iter().any(|other| other.to_string() == wanted.to_string());
        if !known && !wanted.is_rpmlib() && !is_met(wanted, installed) {
            unmet.push(wanted.clone());
        }
    }
    unmet
}

/// Returns rpm's problem lines for a system that has `staying` and gets `coming`, when `going` goes.
pub fn dependency_problems(
    staying: &[&Candidate],
    coming: &[&Candidate],
    going: &[&Candidate],
) -> Vec<String> {
    let after: Vec<&Candidate> = staying.iter().chain(coming).copied().collect();
    let mut lines = Vec::new();
    for candidate in coming {
        for wanted in unmet_requirements(candidate, &after) {
            lines.push(format!("{wanted} is needed by {}", shown(candidate)));
        }
        for conflict in &candidate.conflicts {
            if after.iter().any(|other| other.nevra != candidate.nevra && provides(other, conflict))
            {
                lines.push(format!("{conflict} conflicts with {}", shown(candidate)));
            }
        }
    }
    let before: Vec<&Candidate> = staying.iter().chain(going).copied().collect();
    for candidate in staying {
        // What was broken before is not this transaction's doing.
        for wanted in unmet_requirements(candidate, &after) {
            if is_met(&wanted, &before) {
                lines.push(format!("{wanted} is needed by (installed) {}", shown(candidate)));
            }
        }
        for conflict in &candidate.conflicts {
            if coming
                .iter()
                .any(|other| other.nevra.name != candidate.nevra.name && provides(other, conflict))
            {
                lines.push(format!("{conflict} conflicts with (installed) {}", shown(candidate)));
            }
        }
    }
    lines
}

fn shown(candidate: &Candidate) -> String {
    let nevra = &candidate.nevra;
    format!("{}-{}.{}", nevra.name, nevra.evr.without_epoch(), nevra.arch)
}
