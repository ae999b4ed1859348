// SPDX-License-Identifier: MIT OR Apache-2.0
//! rpm's own dependency check: no solver, only "is needed by" and "conflicts with".

use cairn_pkg::query::filter::is_met;
use cairn_pkg::query::sack::provides;
use cairn_rpm::dependency::{Dependency, sense};
use cairn_rpm::evr::Evr;
use cairn_rpm::header::Header;
use cairn_solve::Candidate;

/// Requirements that matter while a package is installed, and not afterwards: `Requires(pre)`, `(post)`, `(pretrans)`, `(posttrans)`.
const INSTALL_ONLY: u32 = sense::SCRIPT_PRE | sense::SCRIPT_POST | sense::PRETRANS | (1 << 5);
/// Requirements that matter again at its removal.
const ERASE_ONLY: u32 = sense::SCRIPT_PREUN | sense::SCRIPT_POSTUN | (1 << 20) | (1 << 21);

/// Returns the requirements of a package that none of `installed` meets, each once. With `is_installed` those that only its
/// installation had do not count.
pub fn unmet_requirements(
    candidate: &Candidate,
    installed: &[&Candidate],
    is_installed: bool,
) -> Vec<Dependency> {
    let mut unmet: Vec<Dependency> = Vec::new();
    for wanted in &candidate.requires {
        let is_past = wanted.sense & INSTALL_ONLY != 0 && wanted.sense & ERASE_ONLY == 0;
        if is_installed && is_past {
            continue;
        }
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
    let before: Vec<&Candidate> = staying.iter().chain(going).copied().collect();
    let hits = |conflict: &Dependency, others: &[&Candidate], candidate: &Candidate| {
        if conflict.is_rich() {
            return is_met(conflict, &after);
        }
        // A package does not conflict with itself, but with another of its name.
        others.iter().any(|other| !std::ptr::eq(*other, candidate) && provides(other, conflict))
    };
    let mut lines = Vec::new();
    for candidate in coming {
        for obsolete in staying
            .iter()
            .flat_map(|other| other.obsoletes.iter().map(move |obsolete| (obsolete, other)))
        {
            let (obsolete, other) = obsolete;
            let hit = obsolete.name == candidate.nevra.name
                && obsolete.matches_evr(&candidate.nevra.evr)
                && other.nevra.name != candidate.nevra.name;
            if hit {
                lines.push(format!("{obsolete} is obsoleted by (installed) {}", shown(other)));
            }
        }
        for wanted in unmet_requirements(candidate, &after, false) {
            lines.push(format!("{wanted} is needed by {}", shown(candidate)));
        }
        // What %pretrans needs must be there before the transaction.
        let early = candidate.requires.iter().filter(|wanted| wanted.sense & sense::PRETRANS != 0);
        for wanted in early {
            if is_met(wanted, &after) && !is_met(wanted, &before) {
                lines.push(format!("{wanted} is needed by {}", shown(candidate)));
            }
        }
        for conflict in &candidate.conflicts {
            if hits(conflict, &after, candidate) {
                lines.push(format!("{conflict} conflicts with {}", shown(candidate)));
            }
        }
        for obsolete in &candidate.obsoletes {
            let is_hit = |other: &&&Candidate| {
                obsolete.name == other.nevra.name
                    && obsolete.matches_evr(&other.nevra.evr)
                    && other.nevra.name != candidate.nevra.name
            };
            if staying.iter().any(|other| is_hit(&other)) {
                lines.push(format!("{obsolete} is obsoleted by {}", shown(candidate)));
            }
        }
    }
    for candidate in staying {
        // What was broken before is not this transaction's doing.
        for wanted in unmet_requirements(candidate, &after, true) {
            if is_met(&wanted, &before) {
                lines.push(format!("{wanted} is needed by (installed) {}", shown(candidate)));
            }
        }
        for conflict in &candidate.conflicts {
            let was = conflict.is_rich() && is_met(conflict, &before);
            if !was && hits(conflict, coming, candidate) {
                lines.push(format!("{conflict} conflicts with (installed) {}", shown(candidate)));
            }
        }
    }
    lines
}

fn shown(candidate: &Candidate) -> String {
    candidate.nevra.to_string()
}

/// Features of rpm that packages may ask for with `rpmlib(…)`, and since which version rpm has them.
const FEATURES: &[(&str, &str)] = &[
    ("BuiltinLuaScripts", "4.2.2-1"),
    ("CaretInVersions", "4.15.0-1"),
    ("CompressedFileNames", "3.0.4-1"),
    ("ConcurrentAccess", "4.1-1"),
    ("ExplicitPackageProvide", "4.0-1"),
    ("FileCaps", "4.6.1-1"),
    ("FileDigests", "4.6.0-1"),
    ("HeaderLoadSortsTags", "4.0.1-1"),
    ("LargeFiles", "4.12.0-1"),
    ("PartialHardlinkSets", "4.0.4-1"),
    ("PayloadFilesHavePrefix", "4.0-1"),
    ("PayloadIsBzip2", "3.0.5-1"),
    ("PayloadIsLzma", "4.4.2-1"),
    ("PayloadIsXz", "5.2-1"),
    ("PayloadIsZstd", "5.4.18-1"),
    ("RichDependencies", "4.12.0-1"),
    ("ScriptletExpansion", "4.9.0-1"),
    ("ScriptletInterpreterArgs", "4.0.3-1"),
    ("TildeInVersions", "4.10.0-1"),
    ("VersionedDependencies", "3.0.3-1"),
];

/// Returns the features as `rpm --showrc` lists them.
pub fn features() -> impl Iterator<Item = String> {
    FEATURES.iter().map(|(name, version)| format!("rpmlib({name}) = {version}"))
}

/// Returns rpm's problem lines for the features a package needs that are not there.
pub fn unknown_features(header: &Header) -> Vec<String> {
    let is_known = |wanted: &Dependency| {
        FEATURES.iter().any(|(name, version)| {
            Evr::parse(version).is_ok_and(|evr| {
                wanted.name == format!("rpmlib({name})") && wanted.matches_evr(&evr)
            })
        })
    };
    let unknown =
        header.requires().into_iter().filter(cairn_rpm::dependency::Dependency::is_rpmlib);
    unknown
        .filter(|wanted| !is_known(wanted))
        .map(|wanted| format!("{wanted} is needed by {}", header.nevra()))
        .collect()
}

/// Tells whether packages of that architecture run on this machine.
pub fn runs_here(arch: &str) -> bool {
    let compatible: &[&str] = match std::env::consts::ARCH {
        "x86_64" => &[
            "x86_64_v4",
            "x86_64_v3",
            "x86_64_v2",
            "x86_64",
            "amd64",
            "em64t",
            "athlon",
            "i686",
            "i586",
            "i486",
            "i386",
            "fat",
        ],
        "aarch64" => &["aarch64"],
        _ => &[],
    };
    // Keys in the database have none.
    arch.is_empty()
        || arch == "noarch"
        || arch == std::env::consts::ARCH
        || compatible.contains(&arch)
}
