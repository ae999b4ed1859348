// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which advisories the options of a command mean, and which packages they are about.

use super::cli::AdvisoryFilter;
use super::session::Loaded;
use crate::failure::{Failure, FailureText, complain};
use cairn_pkg::query::filter;
use cairn_rpm::repodata::Advisory;
use cairn_solve::PackageId;
use cairn_ui::exit;
use std::collections::BTreeSet;

impl AdvisoryFilter {
    /// Returns whether an option limits the advisories.
    pub fn is_active(&self) -> bool {
        self.security
            || self.bugfix
            || self.enhancement
            || self.newpackage
            || ![&self.advisories, &self.advisory_severities, &self.bzs, &self.cves]
                .iter()
                .all(|list| list.is_empty())
    }

    /// Returns whether one of the options means an advisory.
    fn matches(&self, advisory: &Advisory) -> bool {
        let kinds = [
            (self.security, "security"),
            (self.bugfix, "bugfix"),
            (self.enhancement, "enhancement"),
            (self.newpackage, "newpackage"),
        ];
        let severity = if advisory.severity.is_empty() { "none" } else { &advisory.severity };
        kinds.iter().any(|(wanted, kind)| *wanted && advisory.kind == *kind)
            || self.advisories.contains(&advisory.id)
            || self.advisory_severities.iter().any(|wanted| wanted.eq_ignore_ascii_case(severity))
            || self.bzs.iter().any(|id| advisory.references_of("bugzilla").any(|r| r.id == *id))
            || self.cves.iter().any(|id| advisory.references_of("cve").any(|r| r.id == *id))
    }

    /// As [`Self::select`] for commands that only ask: what was named and does not exist is said, and no error.
    pub fn select_or_tell<'a>(
        &self,
        advisories: &'a [Advisory],
    ) -> Result<Vec<&'a Advisory>, Failure> {
        match self.select(advisories) {
            Err(Failure { code: exit::FAILURE, text: FailureText::Lines(lines) }) => {
                lines.iter().for_each(|line| complain(line));
                Ok(Vec::new())
            }
            other => other,
        }
    }

    /// Returns the advisories that the options mean, all without options; an error for what was named and does not exist.
    pub fn select<'a>(&self, advisories: &'a [Advisory]) -> Result<Vec<&'a Advisory>, Failure> {
        for severity in &self.advisory_severities {
            let known = ["critical", "important", "moderate", "low", "none"];
            if !known.contains(&severity.to_lowercase().as_str()) {
                return Err(Failure::usage(format!("unknown severity \"{severity}\""))
                    .hint("severities are critical, important, moderate, low and none"));
            }
        }
        let missing = |message: String| Failure::lines(vec![message]);
        let is_there = |name: &String| advisories.iter().any(|advisory| advisory.id == *name);
        // One of them is enough.
        if let Some(name) = self.advisories.first()
            && !self.advisories.iter().any(is_there)
        {
            return Err(missing(format!(
                "No advisory found matching the requested name: \"{name}\""
            )));
        }
        for (ids, kind, what) in
            [(&self.bzs, "bugzilla", "Bugzilla ID"), (&self.cves, "cve", "CVE ID")]
        {
            for id in ids {
                let fixes = |advisory: &Advisory| advisory.references_of(kind).any(|r| r.id == *id);
                if !advisories.iter().any(fixes) {
                    return Err(missing(format!("No advisory found fixing the {what}: \"{id}\"")));
                }
            }
        }
        let all = !self.is_active();
        Ok(advisories.iter().filter(|advisory| all || self.matches(advisory)).collect())
    }
}

/// How far an upgrade for advisories goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// To the newest version.
    Newest,
    /// To the lowest version that fixes.
    Lowest,
}

/// Returns the upgrades that advisories ask for: versions of installed packages that are at least those of the advisories.
pub fn upgrades(loaded: &Loaded, advisories: &[&Advisory], reach: Reach) -> Vec<PackageId> {
    let sack = &loaded.sack;
    let mut found: Vec<PackageId> = Vec::new();
    let obsoleting: BTreeSet<PackageId> =
        filter::obsoleting(sack).into_iter().map(|(new, _)| new).collect();
    for fixed in advisories.iter().flat_map(|advisory| &advisory.packages) {
        let exact = sack.by_name(&fixed.nevra.name).filter(|p| *p.nevra() == fixed.nevra);
        found.extend(exact.map(|package| package.id).filter(|id| obsoleting.contains(id)));
        let same = |name: &str, arch: &str| name == fixed.nevra.name && arch == fixed.nevra.arch;
        let installed = sack
            .by_name(&fixed.nevra.name)
            .filter(|p| p.is_installed() && same(&p.nevra().name, &p.nevra().arch))
            .map(|package| &package.nevra().evr)
            .max();
        if installed.is_none_or(|have| *have >= fixed.nevra.evr) {
            continue;
        }
        let fixing = sack.by_name(&fixed.nevra.name).filter(|package| {
            !package.is_installed()
                && same(&package.nevra().name, &package.nevra().arch)
                && package.nevra().evr >= fixed.nevra.evr
                && !loaded.excluded.contains(&package.id)
        });
        let ids: Vec<PackageId> = fixing.map(|package| package.id).collect();
        found.extend(match reach {
            Reach::Newest => filter::latest(sack, &ids, 1),
            Reach::Lowest => {
                let lowest = ids.iter().map(|id| &sack.get(*id).nevra().evr).min();
                ids.iter()
                    .copied()
                    .filter(|id| Some(&sack.get(*id).nevra().evr) == lowest)
                    .collect()
            }
        });
    }
    found.sort_unstable();
    found.dedup();
    // Several advisories of one package: the highest of their versions fixes all of them.
    filter::latest(sack, &filter::best_priority(sack, &found), 1)
}
