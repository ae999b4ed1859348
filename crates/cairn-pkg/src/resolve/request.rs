// SPDX-License-Identifier: MIT OR Apache-2.0
//! The arguments of the changing commands as solver jobs. Nothing is printed: messages and problems are collected.

use super::group_request::GroupPackages;
use super::groups::{GroupChange, GroupSet};
use crate::query::sack::{Sack, SackPackage};
use crate::query::spec::NevraForm;
use crate::query::{MatchKind, SpecScope, filter, glob, match_argument, match_spec};
use crate::state::{PackageReason, SystemState};
use cairn_rpm::dependency::{Dependency, RichDependency};
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
    /// A name means its packages of all architectures.
    pub multilib_all: bool,
    /// Names and capabilities of packages several versions of which are installed.
    pub installonly: Vec<String>,
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
    /// Installed packages that must stay as they are.
    frozen: BTreeSet<PackageId>,
    /// Groups that go, with or without their packages.
    pub(super) going_groups: Vec<(String, GroupPackages)>,
    /// Place of the job that removes the packages of groups that go.
    pub(super) member_removal: Option<usize>,
    /// For the solver.
    pub jobs: Vec<Job>,
    /// For the user, in order.
    pub messages: Vec<String>,
    /// What makes the request impossible.
    pub problems: Vec<Problem>,
    /// Packages the user has named, installed ones and new ones: they are wanted from now on.
    pub marked_user: BTreeSet<PackageId>,
    /// Packages that groups bring or take away.
    pub from_groups: BTreeSet<String>,
    /// Packages that were named by more than their name: what obsoletes them is not meant.
    pub exact: BTreeSet<PackageId>,
    /// Groups and environments that change.
    pub group_changes: Vec<GroupChange>,
    /// Packages of groups that are installed already, by the group's identifier: those that come become members.
    pub group_members: Vec<(String, String)>,
    /// Installed packages that are there for another reason from now on.
    pub reason_changes: BTreeMap<PackageId, PackageReason>,
}

/// What an argument means.
struct Meant {
    /// Installed packages of the same names and architectures, lowest versions first.
    installed: Vec<PackageId>,
    /// Those of them that the argument names.
    matched: Vec<PackageId>,
    /// Available packages that it names.
    available: Vec<PackageId>,
    /// Something of the same names is installed, perhaps for another architecture.
    is_elsewhere: bool,
}

/// Returns an argument as a rich dependency, `(a if b)`, where it is one.
fn rich_dependency(spec: &str) -> Option<Dependency> {
    if !spec.starts_with('(') {
        return None;
    }
    Dependency::parse(spec).ok().filter(|dependency| {
        dependency.is_rich() && RichDependency::parse(&dependency.name).is_ok()
    })
}

fn not_installed(spec: &str) -> String {
    format!("Packages for argument '{spec}' available, but not installed.")
}

fn only_excluded(spec: &str) -> String {
    format!("Argument '{spec}' matches only excluded packages.")
}

fn other_architecture(spec: &str) -> String {
    format!("Packages for argument '{spec}' available, but installed for a different architecture.")
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
            frozen: BTreeSet::new(),
            going_groups: Vec::new(),
            member_removal: None,
            jobs: Vec::new(),
            messages: Vec::new(),
            problems: Vec::new(),
            marked_user: BTreeSet::new(),
            from_groups: BTreeSet::new(),
            exact: BTreeSet::new(),
            group_changes: Vec::new(),
            group_members: Vec::new(),
            reason_changes: BTreeMap::new(),
        }
    }

    /// Keeps these available packages away: they match nothing.
    pub fn exclude(&mut self, ids: &BTreeSet<PackageId>) {
        self.excluded.extend(ids);
    }

    /// Keeps these installed packages as they are (`--exclude`): no argument means them.
    pub fn freeze(&mut self, ids: &BTreeSet<PackageId>) {
        self.frozen.extend(ids);
        if !ids.is_empty() {
            self.jobs.push(Job::Lock(ids.iter().copied().collect()));
        }
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
        ids.retain(|id| !self.limited.contains(id) && !self.frozen.contains(id));
        ids
    }

    /// Returns the available packages that a spec means.
    fn meant(&self, spec: &str) -> (Vec<PackageId>, MatchKind) {
        let (mut ids, kind) = match_argument(self.sack, spec, SpecScope::Available);
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
            self.impossible(only_excluded(spec));
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
        if let Some(rich) = rich_dependency(spec) {
            self.jobs.push(Job::Meet(rich));
            return;
        }
        if self.is_frozen_out(spec) {
            return;
        }
        let (installed, installed_kind) = match_argument(self.sack, spec, SpecScope::Installed);
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
            for arch in self.wanted_architectures(&ids) {
                let of_arch = |ids: &[PackageId]| -> Vec<PackageId> {
                    let mut ids = ids.to_vec();
                    ids.retain(|id| self.is_of_arch(*id, arch));
                    ids
                };
                self.install_named(&of_arch(&ids), &of_arch(&here));
            }
        }
        let offered: BTreeSet<String> =
            available.iter().map(|id| self.name_of(*id).to_owned()).collect();
        for id in installed {
            if !offered.contains(self.name_of(id)) {
                self.say_installed(id);
            }
        }
    }

    /// Returns the architectures of which each gets a package, `None` for any of them.
    fn wanted_architectures(&self, ids: &[PackageId]) -> Vec<Option<&'a str>> {
        let sack: &'a Sack = self.sack;
        let arch_of = |id: &PackageId| sack.universe.candidate(*id).nevra.arch.as_str();
        let mut all: BTreeSet<&str> = ids.iter().map(arch_of).collect();
        all.remove("noarch");
        if !self.settings.multilib_all || all.len() < 2 {
            return vec![None];
        }
        all.into_iter().map(Some).collect()
    }

    fn is_of_arch(&self, id: PackageId, arch: Option<&str>) -> bool {
        let own = self.sack.get(id).nevra().arch.as_str();
        arch.is_none_or(|arch| own == arch || own == "noarch")
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
                self.install_any(available);
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
        let is_beside = |id: &PackageId| self.is_installonly(*id);
        if let Some(id) = installed.first().filter(|_| !available.iter().any(is_beside)) {
            self.say_installed(*id);
            return;
        }
        self.install_any(available);
    }

    fn install_any(&mut self, available: &[PackageId]) {
        self.marked_user.extend(available);
        self.jobs.push(Job::Install(available.to_vec()));
    }

    /// Says whether a package is installed beside other versions of it.
    fn is_installonly(&self, id: PackageId) -> bool {
        self.sack.get(id).candidate.is_installonly(&self.settings.installonly)
    }

    fn say_installed(&mut self, id: PackageId) {
        let nevra = self.sack.get(id).nevra().to_string();
        self.messages.push(format!("Package \"{nevra}\" is already installed."));
        self.marked_user.insert(id);
        if self.sack.get(id).details.reason == PackageReason::ExternalUser {
            // Another program brought it; now somebody has asked for it.
            self.reason_changes.insert(id, PackageReason::User);
        }
    }

    /// Adds `remove SPEC`.
    pub fn remove(&mut self, spec: &str) {
        if let Some(group) = spec.strip_prefix('@') {
            self.remove_group_or_environment(group);
            return;
        }
        let installed = self.meant_installed(spec);
        let (all, _) = match_spec(self.sack, spec, SpecScope::Installed);
        if installed.is_empty() && all.iter().any(|id| self.frozen.contains(id)) {
            self.messages.push(only_excluded(spec));
            return;
        }
        if installed.is_empty() {
            self.messages.push(format!("No packages to remove for argument: {spec}"));
            return;
        }
        self.jobs.push(Job::Remove(installed));
    }

    /// Adds `upgrade SPEC`.
    pub fn upgrade(&mut self, spec: &str) {
        if let Some(group) = spec.strip_prefix('@') {
            self.upgrade_group_or_environment(group);
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
            let Some(ids) = self.installed_or_problem(spec) else { continue };
            let ids = if self.limited.is_empty() { ids } else { self.limited_targets(spec, &ids) };
            if !ids.is_empty() {
                self.jobs.push(Job::DistroSync(Some(ids)));
            }
        }
    }

    /// Returns the available packages of installed names that a spec means under limits; all installed ones where no repository is named.
    fn limited_targets(&self, spec: &str, installed: &[PackageId]) -> Vec<PackageId> {
        if self.sack.available().all(|package| !self.limited.contains(&package.id)) {
            return installed.to_vec();
        }
        let (mut targets, _) = self.meant(spec);
        targets.retain(|id| {
            !self.excluded.contains(id)
                && installed.iter().any(|have| self.name_of(*have) == self.name_of(*id))
        });
        targets
    }

    /// Adds `autoremove`.
    pub fn autoremove(&mut self) {
        self.jobs.push(Job::Autoremove);
    }

    /// Adds `downgrade SPEC`: of what is installed, the highest lower version that the argument means.
    pub fn downgrade(&mut self, spec: &str) {
        let Some(meant) = self.installed_meant(spec) else { return };
        let mut seen = BTreeSet::new();
        for id in meant.installed.into_iter().rev() {
            let have = self.sack.get(id).nevra();
            if !seen.insert((&have.name, &have.arch)) {
                continue;
            }
            let is_lower = |other: &PackageId| {
                let other = self.sack.get(*other).nevra();
                other.name == have.name && other.arch == have.arch && other.evr < have.evr
            };
            let mut lower = meant.available.clone();
            lower.retain(is_lower);
            if lower.is_empty() {
                self.messages.push(format!(
                    "The lowest available version of the \"{}.{}\" package is already installed, cannot downgrade it.",
                    have.name, have.arch
                ));
                continue;
            }
            lower.push(id);
            lower.sort_unstable();
            self.jobs.push(Job::Downgrade(lower));
        }
    }

    /// Adds `reinstall SPEC`: what is installed and is available in the same version, of several versions the highest; where the
    /// repository that it came from has it, from there.
    pub fn reinstall(&mut self, spec: &str) {
        let Some(meant) = self.meant_or_problem(spec) else { return };
        let sack = self.sack;
        let nevra = |id: &PackageId| sack.get(*id).nevra();
        let is_available = |id: &&PackageId| meant.available.iter().any(|o| nevra(o) == nevra(id));
        let mut highest: BTreeMap<(&str, &str), PackageId> = BTreeMap::new();
        for id in meant.matched.iter().filter(is_available) {
            let package = sack.get(*id).candidate;
            let best = highest.entry((&package.nevra.name, &package.nevra.arch)).or_insert(*id);
            if nevra(id).evr > nevra(best).evr {
                *best = *id;
            }
        }
        if highest.is_empty() {
            self.not_reinstallable(spec, &meant);
        }
        let jobs = highest.into_values().map(|id| {
            let own = sack.get(id).details.from_repository.as_str();
            let mut same = meant.available.clone();
            same.retain(|other| nevra(other) == nevra(&id));
            let is_from_own = |other: &PackageId| sack.get(*other).details.repository == own;
            if same.iter().any(is_from_own) {
                same.retain(is_from_own);
            }
            same.push(id);
            same.sort_unstable();
            Job::Reinstall(same)
        });
        self.jobs.extend(jobs);
    }

    /// Says why nothing of an argument can be reinstalled.
    fn not_reinstallable(&mut self, spec: &str, meant: &Meant) {
        let sack = self.sack;
        let nevra = |id: &PackageId| sack.get(*id).nevra();
        let has = |fits: &dyn Fn(&Nevra, &Nevra) -> bool| {
            let pairs =
                meant.available.iter().flat_map(|a| meant.matched.iter().map(move |i| (a, i)));
            pairs
                .into_iter()
                .any(|(a, i)| nevra(a).name == nevra(i).name && fits(nevra(a), nevra(i)))
        };
        let message = if meant.matched.is_empty() {
            not_installed(spec)
        } else if meant.available.is_empty() {
            format!("Packages for argument '{spec}' installed, but not available.")
        } else if has(&|available, installed| available.arch == installed.arch) {
            let names: BTreeSet<&str> = meant.matched.iter().map(|id| self.name_of(*id)).collect();
            let versions: Vec<String> =
                names.into_iter().map(|name| self.versions_of(name)).collect();
            format!(
                "Installed packages for argument '{spec}' are not available in repositories in the same version, \
                 available versions: {}, cannot reinstall.",
                versions.join(", ")
            )
        } else if has(&|_, _| true) {
            other_architecture(spec)
        } else {
            not_installed(spec)
        };
        self.impossible(message);
    }

    /// A problem, or with `--skip-unavailable` a message.
    pub fn impossible(&mut self, message: String) {
        if self.settings.skip_unavailable {
            self.messages.push(message);
        } else {
            self.problems.push(Problem { message, is_unavailable: false });
        }
    }

    /// Records that only excluded packages match, where that is so.
    fn is_frozen_out(&mut self, spec: &str) -> bool {
        if self.frozen.is_empty() {
            return false;
        }
        let (all, _) = match_argument(self.sack, spec, SpecScope::All);
        let is_out = !all.is_empty() && all.iter().all(|id| self.frozen.contains(id));
        if is_out {
            self.impossible(only_excluded(spec));
        }
        is_out
    }

    /// Returns what an argument means where something of its names and architectures is installed, else records why not.
    fn installed_meant(&mut self, spec: &str) -> Option<Meant> {
        let meant = self.meant_or_problem(spec)?;
        if meant.installed.is_empty() {
            self.not_here(spec, meant.is_elsewhere);
            return None;
        }
        Some(meant)
    }

    /// Records that nothing an argument means is installed, though perhaps for another architecture.
    fn not_here(&mut self, spec: &str, is_elsewhere: bool) {
        self.impossible(if is_elsewhere { other_architecture(spec) } else { not_installed(spec) });
    }

    /// Returns what an argument means, or records that it means nothing.
    fn meant_or_problem(&mut self, spec: &str) -> Option<Meant> {
        if self.is_frozen_out(spec) {
            return None;
        }
        let (mut all, _) = match_argument(self.sack, spec, SpecScope::All);
        all.retain(|id| !self.limited.contains(id) && !self.excluded.contains(id));
        if all.is_empty() {
            self.no_match(spec);
            return None;
        }
        let sack = self.sack;
        let nevra = |id: &PackageId| sack.get(*id).nevra();
        let (matched, available): (Vec<_>, Vec<_>) =
            all.iter().copied().partition(|id| sack.get(*id).is_installed());
        let names: BTreeSet<&str> = all.iter().map(|id| nevra(id).name.as_str()).collect();
        let pairs: BTreeSet<(&str, &str)> =
            all.iter().map(|id| (nevra(id).name.as_str(), nevra(id).arch.as_str())).collect();
        let of_name: Vec<SackPackage<'_>> = sack
            .installed()
            .filter(|package| names.contains(package.nevra().name.as_str()))
            .filter(|package| !self.limited.contains(&package.id))
            .collect();
        let fits = |package: &&SackPackage<'_>| {
            let nevra = package.nevra();
            pairs.contains(&(nevra.name.as_str(), nevra.arch.as_str()))
        };
        let mut installed: Vec<PackageId> = of_name.iter().filter(fits).map(|p| p.id).collect();
        installed.sort_by(|a, b| nevra(a).cmp(nevra(b)));
        let is_elsewhere = !of_name.is_empty();
        Some(Meant { installed, matched, available, is_elsewhere })
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

    /// Returns the installed packages of the names and architectures a spec means, or records why there are none.
    fn installed_or_problem(&mut self, spec: &str) -> Option<Vec<PackageId>> {
        if self.is_frozen_out(spec) {
            return None;
        }
        let sack = self.sack;
        let (all, _) = match_argument(sack, spec, SpecScope::All);
        if all.is_empty() {
            self.no_match(spec);
            return None;
        }
        let nevra = |id: &PackageId| sack.get(*id).nevra();
        let names: BTreeSet<&str> = all.iter().map(|id| self.name_of(*id)).collect();
        let of_names: Vec<PackageId> = sack
            .installed()
            .filter(|package| names.contains(package.nevra().name.as_str()))
            .map(|package| package.id)
            .filter(|id| !self.limited.contains(id))
            .collect();
        let fits = |have: &&PackageId| {
            all.iter().any(|meant| {
                let (have, meant) = (nevra(have), nevra(meant));
                have.name == meant.name
                    && (have.arch == meant.arch || have.arch == "noarch" || meant.arch == "noarch")
            })
        };
        let installed: Vec<PackageId> = of_names.iter().filter(fits).copied().collect();
        if installed.is_empty() {
            self.not_here(spec, !of_names.is_empty());
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
