// SPDX-License-Identifier: MIT OR Apache-2.0
//! Requests that name capabilities as packages do: what building a package requires and conflicts with. Rich dependencies are decided
//! by what is installed, alternatives by their order.

use super::request::{Problem, Request};
use crate::query::filter::is_met;
use crate::query::sack::SackPackage;
use cairn_rpm::dependency::{Dependency, RichDependency};
use cairn_solve::{Candidate, Job, PackageId};
use std::collections::BTreeSet;

impl Request<'_> {
    /// Adds the installation of what meets a requirement, unless something installed does. The requirements of rpm itself are left out.
    pub fn require(&mut self, wanted: &Dependency) {
        if wanted.is_rpmlib() || self.is_met(wanted) {
            return;
        }
        let jobs = match RichDependency::parse(&wanted.name) {
            Ok(rich) if wanted.is_rich() => self.jobs_for(&rich),
            _ => self.jobs_for(&RichDependency::Simple(wanted.clone())),
        };
        match jobs {
            Some(jobs) => self.jobs.extend(jobs),
            None => self.no_match(&wanted.to_string()),
        }
    }

    /// Adds the removal of what is installed and provides a capability.
    pub fn forbid(&mut self, unwanted: &Dependency) {
        let installed = self.sack.providers(unwanted).filter(SackPackage::is_installed);
        let ids: Vec<PackageId> = installed.map(|package| package.id).collect();
        if unwanted.is_rich() {
            let message = format!("Rich conflict '{unwanted}' cannot be resolved.");
            self.problems.push(Problem { message, is_unavailable: false });
        } else if !ids.is_empty() {
            self.jobs.push(Job::Remove(ids));
        }
    }

    fn is_met(&self, wanted: &Dependency) -> bool {
        let installed: Vec<&Candidate> = self.sack.installed().map(|p| p.candidate).collect();
        is_met(wanted, &installed)
    }

    fn is_rich_met(&self, rich: &RichDependency) -> bool {
        match rich {
            RichDependency::Simple(wanted) => self.is_met(wanted),
            _ => self.is_met(&Dependency::new(rich.to_string())),
        }
    }

    /// Returns the jobs that meet a requirement, none when it is met already; `None` when nothing available provides it.
    fn jobs_for(&self, rich: &RichDependency) -> Option<Vec<Job>> {
        if self.is_rich_met(rich) {
            return Some(Vec::new());
        }
        match rich {
            RichDependency::And(members) => {
                let jobs: Option<Vec<Vec<Job>>> =
                    members.iter().map(|member| self.jobs_for(member)).collect();
                jobs.map(|jobs| jobs.into_iter().flatten().collect())
            }
            RichDependency::Or(members) => members.iter().find_map(|member| self.jobs_for(member)),
            RichDependency::If { requirement, condition, otherwise } => {
                self.jobs_if(condition, Some(requirement), otherwise.as_deref())
            }
            RichDependency::Unless { requirement, condition, otherwise } => {
                self.jobs_if(condition, otherwise.as_deref(), Some(requirement))
            }
            RichDependency::Simple(_) | RichDependency::With(_) | RichDependency::Without(..) => {
                let ids: Vec<PackageId> = self.offered(rich).into_iter().collect();
                (!ids.is_empty()).then(|| vec![Job::Install(ids)])
            }
        }
    }

    fn jobs_if(
        &self,
        condition: &RichDependency,
        then: Option<&RichDependency>,
        otherwise: Option<&RichDependency>,
    ) -> Option<Vec<Job>> {
        let branch = if self.is_rich_met(condition) { then } else { otherwise };
        branch.map_or_else(|| Some(Vec::new()), |branch| self.jobs_for(branch))
    }

    /// Returns the available packages, no source packages, that one by one meet a requirement.
    fn offered(&self, rich: &RichDependency) -> BTreeSet<PackageId> {
        let is_usable = |package: &SackPackage<'_>| {
            !package.is_installed()
                && package.nevra().arch != "src"
                && !self.excluded.contains(&package.id)
                && !self.is_limited(package.id)
        };
        match rich {
            RichDependency::Simple(wanted) => {
                self.sack.providers(wanted).filter(is_usable).map(|package| package.id).collect()
            }
            RichDependency::With(members) => {
                let mut members = members.iter().map(|member| self.offered(member));
                let first = members.next().unwrap_or_default();
                members.fold(first, |all, more| all.intersection(&more).copied().collect())
            }
            RichDependency::Without(wanted, unwanted) => {
                let unwanted = self.offered(unwanted);
                self.offered(wanted).difference(&unwanted).copied().collect()
            }
            RichDependency::And(members) | RichDependency::Or(members) => {
                members.iter().flat_map(|member| self.offered(member)).collect()
            }
            RichDependency::If { requirement, .. } | RichDependency::Unless { requirement, .. } => {
                self.offered(requirement)
            }
        }
    }
}
