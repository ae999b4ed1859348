// SPDX-License-Identifier: MIT OR Apache-2.0
//! The arguments of the changing commands as solver jobs. Nothing is printed: messages and problems are collected.

use super::group_request::GroupPackages;
use super::groups::{GroupChange, GroupSet};
use crate::query::sack::{Sack, SackPackage};
use crate::query::spec::NevraForm;
use crate::query::{MatchKind, SpecScope, filter, glob, match_spec};
use crate::state::SystemState;
use cairn_rpm::evr::Nevra;
use cairn_solve::{Job, PackageId};
use std::collections::{BTreeMap, BTreeSet};

/// Choices that change what arguments mean.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Arguments without a match are messages, not problems.
    pub skip_unavailable: bool,
    /// Types of group packages that are installed.
    pub group_package_types: Vec<String>,
}

/// Something that makes a request impossible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What, in dnf5's words.
    pub message: String,
    /// Whether `--skip-unavailable` would help.
    pub is_unavailable: bool,
}

/// Jobs, and what was found on the way.
#[derive(Debug)]
pub struct Request<'a> {
    pub(super) sack: &'a Sack,
    pub(super) groups: &'a GroupSet,
    pub(super) state: &'a SystemState,
    pub(super) settings: Settings,
    /// Available packages that version locks keep away.
    pub(super) excluded: BTreeSet<PackageId>,
    /// Available packages that arguments do not mean, though dependencies may.
    limited: BTreeSet<PackageId>,
    /// For the solver.
    pub jobs: Vec<Job>,
    /// For the user, in order.
    pub messages: Vec<String>,
    /// What makes the request impossible.
    pub problems: Vec<Problem>,
    /// Installed packages the user has named: they are wanted from now on.
    pub marked_user: BTreeSet<PackageId>,
    /// Packages that groups bring or take away.
    pub from_groups: BTreeSet<String>,
    /// Packages that were named by more than their name: what obsoletes them is not meant.
    pub exact: BTreeSet<PackageId>,
    /// Groups and environments that change.
    pub group_changes: Vec<GroupChange>,
}

impl<'a> Request<'a> {
    /// Returns an empty request.
    pub fn new(
        sack: &'a Sack,
        groups: &'a GroupSet,
        state: &'a SystemState,
        settings: Settings,
    ) -> Self {
        Self {
            sack,
            groups,
            state,
            settings,
            excluded: BTreeSet::new(),
            limited: BTreeSet::new(),
            jobs: Vec::new(),
            messages: Vec::new(),
            problems: Vec::new(),
            marked_user: BTreeSet::new(),
            from_groups: BTreeSet::new(),
            exact: BTreeSet::new(),
            group_changes: Vec::new(),
        }
    }

    /// Keeps these available packages away: they match nothing.
    pub fn exclude(&mut self, ids: &BTreeSet<PackageId>) {
        self.excluded.extend(ids);
    }

    /// Returns the types of group packages that are installed by default.
    pub fn group_package_types(&self) -> &[String] {
        &self.settings.group_package_types
    }

    /// Arguments do not mean these available packages (`--from-repo`).
    pub fn limit(&mut self, ids: impl Iterator<Item = PackageId>) {
        self.limited.extend(ids);
    }

    /// Arguments mean only installed packages that came from these repositories (`--installed-from-repo`); without any, all.
    pub fn limit_installed(&mut self, repositories: &[String]) {
        if repositories.is_empty() {
            return;
        }
        let is_other = |package: &SackPackage<'_>| {
            let own = &package.details.from_repository;
            !repositories.iter().any(|wanted| glob::matches(wanted, own))
        };
        let others = self.sack.installed().filter(is_other).map(|package| package.id);
        self.limited.extend(others);
    }

    /// Arguments mean everything again.
    pub fn lift_limits(&mut self) {
        self.limited.clear();
    }

    pub(super) fn is_limited(&self, id: PackageId) -> bool {
        self.limited.contains(&id)
    }

    /// Returns all installed packages when `--installed-from-repo` leaves some out.
    fn limited_installed(&mut self) -> Option<Vec<PackageId>> {
        let all = self.sack.installed().map(|package| package.id);
        let (out, meant): (Vec<_>, Vec<_>) = all.partition(|id| self.limited.contains(id));
        if meant.is_empty() && !out.is_empty() {
            let message = "Packages for argument '*' available, but not installed.".to_owned();
            self.problems.push(Problem { message, is_unavailable: false });
        }
        (!out.is_empty()).then_some(meant)
    }

    /// Returns the installed packages that a spec means.
    fn meant_installed(&self, spec: &str) -> Vec<PackageId> {
        let (mut ids, kind) = match_spec(self.sack, spec, SpecScope::Installed);
        // Whoever names a capability may not know all that has it.
        ids.retain(|_| kind != MatchKind::Provide);
        ids.retain(|id| !self.limited.contains(id));
        ids
    }

    /// Returns the available packages that a spec means.
    fn meant(&self, spec: &str) -> (Vec<PackageId>, MatchKind) {
        let (mut ids, kind) = match_spec(self.sack, spec, SpecScope::Available);
        ids.retain(|id| !self.limited.contains(id));
        (ids, kind)
    }

    /// Returns what is kept away.
    pub fn excluded(&self) -> &BTreeSet<PackageId> {
        &self.excluded
    }

    /// Returns the available packages of a spec, or says which excludes keep them away.
    fn available(&mut self, spec: &str) -> Option<(Vec<PackageId>, MatchKind)> {
        let (mut available, kind) = self.meant(spec);
        if available.is_empty() && self.sack.is_filtered(spec) {
            let message = format!("Argument '{spec}' matches only excluded packages.");
            self.problems.push(Problem { message, is_unavailable: false });
            return None;
        }
        if available.is_empty() && self.sack.is_source(spec) {
            let message = format!("Argument '{spec}' matches only source packages.");
            if self.settings.skip_unavailable {
                self.messages.push(message);
            } else {
                self.problems.push(Problem { message, is_unavailable: false });
            }
            return None;
        }
        let found = available.len();
        available.retain(|id| !self.excluded.contains(id));
        if found > 0 && available.is_empty() {
            let message =
                format!("Argument '{spec}' matches only packages excluded by versionlock.");
            self.problems.push(Problem { message, is_unavailable: false });
            return None;
        }
        Some((available, kind))
    }

    pub(super) fn unavailable(&mut self, message: String) {
        if self.settings.skip_unavailable {
            self.messages.push(message);
        } else {
            self.problems.push(Problem { message, is_unavailable: true });
        }
    }

    pub(super) fn no_match(&mut self, spec: &str) {
        self.unavailable(format!("No match for argument: {spec}"));
    }

    /// Adds `install SPEC`.
    pub fn install(&mut self, spec: &str) {
        if let Some(group) = spec.strip_prefix('@') {
            self.install_group_or_environment(group);
            return;
        }
        let (installed, installed_kind) = match_spec(self.sack, spec, SpecScope::Installed);
        let (available, kind) = if installed.is_empty() {
            let Some(found) = self.available(spec) else { return };
            found
        } else {
            let (mut available, kind) = self.meant(spec);
            available.retain(|id| !self.excluded.contains(id));
            (available, kind)
        };
        let is_limited_out = available.is_empty() && !self.limited.is_empty() && {
            let (unlimited, _) = match_spec(self.sack, spec, SpecScope::Available);
            unlimited.iter().any(|id| self.limited.contains(id))
        };
        if available.is_empty() && (installed.is_empty() || is_limited_out) {
            self.no_match(spec);
            return;
        }
        if !matches!(kind, MatchKind::Nevra(NevraForm::Name)) {
            self.exact.extend(&available);
        }
        if matches!(kind, MatchKind::Provide | MatchKind::File) {
            self.install_one_of(spec, &available, &installed);
            return;
        }
        // Where the installed ones match only as providers and the available ones by name, the name counts.
        let same_kind = available.is_empty()
            || std::mem::discriminant(&kind) == std::mem::discriminant(&installed_kind);
        let installed = if same_kind { installed } else { Vec::new() };
        for (name, ids) in self.by_name(&available) {
            let here: Vec<PackageId> =
                installed.iter().copied().filter(|id| self.name_of(*id) == name).collect();
            self.install_named(&ids, &here);
        }
        let offered: BTreeSet<String> =
            available.iter().map(|id| self.name_of(*id).to_owned()).collect();
        for id in installed {
            if !offered.contains(self.name_of(id)) {
                self.say_installed(id);
            }
        }
    }

    /// One name: an upgrade where it is installed, an installation where it is not.
    fn install_named(&mut self, available: &[PackageId], installed: &[PackageId]) {
        let sack = self.sack;
        // A version that was named exactly and is not installed is installed beside or instead of another.
        let other_versions: Vec<PackageId> = sack
            .by_name(self.name_of(available[0]))
            .filter(SackPackage::is_installed)
            .map(|p| p.id)
            .collect();
        if installed.is_empty() {
            if let Some(same) = other_versions.iter().find(|id| self.is_same_nevra(**id, available))
            {
                self.say_installed(*same);
            } else {
                self.jobs.push(Job::Install(available.to_vec()));
            }
            return;
        }
        for id in installed {
            self.say_installed(*id);
        }
        let is_newer = |id: &PackageId| {
            let offered = sack.get(*id);
            installed.iter().all(|have| {
                let have = sack.get(*have);
                offered.nevra().evr > have.nevra().evr
            })
        };
        if available.iter().any(is_newer) {
            let mut all = available.to_vec();
            all.extend_from_slice(installed);
            all.sort_unstable();
            self.jobs.push(Job::Install(all));
        }
    }

    fn is_same_nevra(&self, id: PackageId, others: &[PackageId]) -> bool {
        let nevra = self.sack.get(id).nevra().clone();
        others.iter().any(|other| *self.sack.get(*other).nevra() == nevra)
    }

    fn install_one_of(&mut self, _spec: &str, available: &[PackageId], installed: &[PackageId]) {
        if let Some(id) = installed.first() {
            self.say_installed(*id);
            return;
        }
        self.jobs.push(Job::Install(available.to_vec()));
    }

    fn say_installed(&mut self, id: PackageId) {
        let nevra = self.sack.get(id).nevra().to_string();
        self.messages.push(format!("Package \"{nevra}\" is already installed."));
        self.marked_user.insert(id);
    }

    /// Adds `remove SPEC`.
    pub fn remove(&mut self, spec: &str) {
        if let Some(group) = spec.strip_prefix('@') {
            self.remove_environment(group, GroupPackages::Change);
            return;
        }
        let installed = self.meant_installed(spec);
        if installed.is_empty() {
            self.messages.push(format!("No packages to remove for argument: {spec}"));
            return;
        }
        self.jobs.push(Job::Remove(installed));
    }

    /// Adds `upgrade SPEC`.
    pub fn upgrade(&mut self, spec: &str) {
        if let Some(group) = spec.strip_prefix('@') {
            self.upgrade_environment(group);
            return;
        }
        let replacing = self.replacing(spec);
        if !replacing.is_empty() {
            self.jobs.push(Job::Upgrade(Some(replacing)));
            return;
        }
        if let Some(ids) = self.installed_or_problem(spec) {
            let (available, _) = self.meant(spec);
            let mut targets = available;
            targets.retain(|id| ids.iter().any(|have| self.name_of(*have) == self.name_of(*id)));
            targets.retain(|id| !self.excluded.contains(id));
            // With the installed ones and all others of their names the solver may choose, without them only these.
            if self.limited.is_empty() {
                targets.extend(ids);
            }
            targets.sort_unstable();
            if !targets.is_empty() {
                self.jobs.push(Job::Upgrade(Some(targets)));
            }
        }
    }

    /// Returns the packages of a spec that obsolete installed ones, where none of the same name is installed.
    fn replacing(&self, spec: &str) -> Vec<PackageId> {
        if !self.meant_installed(spec).is_empty() {
            return Vec::new();
        }
        let (mut meant, kind) = self.meant(spec);
        if !matches!(kind, MatchKind::Nevra(_)) {
            return Vec::new();
        }
        let obsoleting = filter::obsoleting(self.sack);
        meant.retain(|id| {
            !self.excluded.contains(id) && obsoleting.iter().any(|(new, _)| new == id)
        });
        meant
    }

    /// Adds the upgrade of installed packages to one of these available ones.
    pub fn upgrade_to(&mut self, ids: &[PackageId]) {
        for (_, ids) in self.by_name(ids) {
            self.jobs.push(Job::Upgrade(Some(ids)));
        }
    }

    /// Adds `upgrade` of everything.
    pub fn upgrade_all(&mut self) {
        let meant = self.limited_installed();
        self.jobs.push(Job::Upgrade(meant));
    }

    /// Adds `distro-sync`.
    pub fn distro_sync(&mut self, specs: &[String]) {
        if specs.is_empty() {
            let meant = self.limited_installed();
            self.jobs.push(Job::DistroSync(meant));
        }
        for spec in specs {
            if let Some(ids) = self.installed_or_problem(spec) {
                self.jobs.push(Job::DistroSync(Some(ids)));
            }
        }
    }

    /// Adds `autoremove`.
    pub fn autoremove(&mut self) {
        self.jobs.push(Job::Autoremove);
    }

    /// Adds `downgrade SPEC`.
    pub fn downgrade(&mut self, spec: &str) {
        let Some(installed) = self.installed_or_problem(spec) else { return };
        let (mut available, _) = self.meant(spec);
        available.retain(|id| !self.excluded.contains(id));
        for id in installed {
            let have = self.sack.get(id);
            let (name, arch, evr) =
                (have.nevra().name.clone(), have.nevra().arch.clone(), have.nevra().evr.clone());
            let mut lower: Vec<PackageId> = available
                .iter()
                .copied()
                .filter(|other| {
                    let other = self.sack.get(*other);
                    other.nevra().name == name && other.nevra().evr < evr
                })
                .collect();
            if lower.is_empty() {
                self.messages.push(format!(
                    "The lowest available version of the \"{name}.{arch}\" package is already installed, cannot downgrade it."
                ));
                continue;
            }
            // The next lower version, as dnf does.
            let best = lower.iter().map(|id| self.sack.get(*id).nevra().evr.clone()).max();
            lower.retain(|id| Some(&self.sack.get(*id).nevra().evr) == best.as_ref());
            lower.push(id);
            lower.sort_unstable();
            self.jobs.push(Job::Downgrade(lower));
        }
    }

    /// Adds `reinstall SPEC`.
    pub fn reinstall(&mut self, spec: &str) {
        let Some(installed) = self.installed_or_problem(spec) else { return };
        for id in installed {
            let nevra = self.sack.get(id).nevra().clone();
            if self.sack.by_name(&nevra.name).any(|p| !p.is_installed() && *p.nevra() == nevra) {
                self.jobs.push(Job::Reinstall(vec![id]));
                continue;
            }
            let message = format!(
                "Installed packages for argument '{spec}' are not available in repositories in the same version, \
                 available versions: {}, cannot reinstall.",
                self.versions_of(&nevra.name)
            );
            self.problems.push(Problem { message, is_unavailable: false });
        }
    }

    fn versions_of(&self, name: &str) -> String {
        let mut versions: Vec<String> = self
            .sack
            .by_name(name)
            .filter(|p| !p.is_installed())
            .map(|p| p.nevra().evr.to_string())
            .collect();
        versions.dedup();
        if versions.is_empty() { "none".to_owned() } else { versions.join(", ") }
    }

    /// Returns the installed packages a spec means, or records why there are none.
    fn installed_or_problem(&mut self, spec: &str) -> Option<Vec<PackageId>> {
        let (all, _) = match_spec(self.sack, spec, SpecScope::All);
        if all.is_empty() {
            self.no_match(spec);
            return None;
        }
        let names: BTreeSet<&str> = all.iter().map(|id| self.name_of(*id)).collect();
        let installed: Vec<PackageId> = self
            .sack
            .installed()
            .filter(|package| names.contains(package.nevra().name.as_str()))
            .map(|package| package.id)
            .filter(|id| !self.limited.contains(id))
            .collect();
        if installed.is_empty() {
            let message = format!("Packages for argument '{spec}' available, but not installed.");
            self.problems.push(Problem { message, is_unavailable: false });
            return None;
        }
        Some(installed)
    }

    /// Adds the installation of exactly this package, newer or older than what is installed, as `history redo` needs it.
    pub fn install_exactly(&mut self, nevra: &Nevra) -> bool {
        let ids: Vec<PackageId> = self
            .sack
            .by_name(&nevra.name)
            .filter(|package| !package.is_installed() && package.nevra() == nevra)
            .map(|package| package.id)
            .filter(|id| !self.excluded.contains(id))
            .collect();
        let is_available = !ids.is_empty();
        if is_available {
            self.jobs.push(Job::Install(ids));
        }
        is_available
    }

    fn name_of(&self, id: PackageId) -> &'a str {
        let sack: &'a Sack = self.sack;
        &sack.universe.candidates[id.0 as usize].nevra.name
    }

    fn by_name(&self, ids: &[PackageId]) -> BTreeMap<&'a str, Vec<PackageId>> {
        let mut grouped: BTreeMap<&str, Vec<PackageId>> = BTreeMap::new();
        for id in ids {
            grouped.entry(self.name_of(*id)).or_default().push(*id);
        }
        grouped
    }
}
