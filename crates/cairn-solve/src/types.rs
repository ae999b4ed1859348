// SPDX-License-Identifier: MIT OR Apache-2.0
//! What goes into [`crate::solve`] and what comes out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use cairn_rpm::dependency::Dependency;
use cairn_rpm::evr::Nevra;

/// The repository number of installed packages.
pub const SYSTEM_REPOSITORY: u32 = 0;

/// A package in a [`Universe`]: the index of its [`Candidate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackageId(pub u32);

/// An installed or available package.
#[derive(Clone, Debug, Default)]
pub struct Candidate {
    /// Name, EVR and architecture.
    pub nevra: Nevra,
    /// Number of its repository; [`SYSTEM_REPOSITORY`] for installed packages.
    pub repository: u32,
    /// Priority of its repository, as in .repo files: lower wins, dnf's default is 99.
    pub priority: i32,
    /// Cost of its repository: among equal packages the lower wins, dnf's default is 1000.
    pub cost: i32,
    /// Provides; `name = evr` need not be listed.
    pub provides: Vec<Dependency>,
    /// Requires.
    pub requires: Vec<Dependency>,
    /// Conflicts.
    pub conflicts: Vec<Dependency>,
    /// Obsoletes (by package name).
    pub obsoletes: Vec<Dependency>,
    /// Recommends.
    pub recommends: Vec<Dependency>,
    /// Supplements.
    pub supplements: Vec<Dependency>,
    /// Suggests: only a preference between alternatives.
    pub suggests: Vec<Dependency>,
    /// Enhances: only a preference between alternatives.
    pub enhances: Vec<Dependency>,
    /// Absolute paths of its files (all, or those metadata lists).
    pub files: Vec<String>,
    /// Vendor.
    pub vendor: String,
    /// Installed because a person asked for it (installed packages only).
    pub user_installed: bool,
}

impl Candidate {
    /// Says whether this is an installed package.
    pub fn is_installed(&self) -> bool {
        self.repository == SYSTEM_REPOSITORY
    }

    /// Says whether several versions of it may be installed: it has or provides one of these names.
    pub fn is_installonly(&self, names: &[String]) -> bool {
        names.contains(&self.nevra.name)
            || self.provides.iter().any(|provide| names.contains(&provide.name))
    }
}

/// All packages the solver may choose from.
#[derive(Clone, Debug, Default)]
pub struct Universe {
    /// The packages; a [`PackageId`] is an index into this.
    pub candidates: Vec<Candidate>,
    /// Names of the repositories for messages, by number; may be left empty.
    pub repositories: Vec<String>,
}

impl Universe {
    /// Returns the candidate of an id. Panics when the id is of another universe.
    pub fn candidate(&self, id: PackageId) -> &Candidate {
        &self.candidates[id.0 as usize]
    }

    /// Returns a repository's name for messages: `@System`, `cairn`, ….
    pub fn repository_name(&self, repository: u32) -> String {
        match self.repositories.get(repository as usize) {
            Some(name) if !name.is_empty() => name.clone(),
            _ if repository == SYSTEM_REPOSITORY => "@System".to_owned(),
            _ => format!("number {repository}"),
        }
    }
}

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Job {
    /// Install any one of these (all candidates that match what the user wrote, installed ones
    /// included). Packages that obsolete one of them count as matching too. When one is installed
    /// it is upgraded to the best of them ([`Options::best`]) or left alone.
    Install(Vec<PackageId>),
    /// Meet this dependency, which may be rich: of `(a if b)` nothing comes where `b` is not there.
    Meet(Dependency),
    /// Remove all of these installed packages, and (see [`Options::remove_dependants`]) what depends on them.
    Remove(Vec<PackageId>),
    /// Upgrade installed packages, all (`None`) or those of these names. Available packages
    /// in the list restrict the choice to those, unless all of a name are listed, the installed one
    /// too. Never downgrades; honours Obsoletes.
    Upgrade(Option<Vec<PackageId>>),
    /// Replace the installed packages of these names by the highest lower version. Available
    /// packages in the list restrict the versions.
    Downgrade(Vec<PackageId>),
    /// Install these installed packages again, from a repository that has the same NEVRA. Available packages in the list restrict
    /// the choice.
    Reinstall(Vec<PackageId>),
    /// Bring installed packages, all (`None`) or those of these names, to the best available
    /// version, up or down. Packages in no repository stay.
    DistroSync(Option<Vec<PackageId>>),
    /// Remove packages that were installed as dependencies and that nothing needs any more.
    Autoremove,
    /// Keep these installed packages exactly as they are.
    Lock(Vec<PackageId>),
}

/// How to solve. [`Options::default`] is dnf5's default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Fail rather than take another version than the best.
    pub best: bool,
    /// Installed packages may be removed to make a job possible.
    pub allow_erasing: bool,
    /// [`Job::Remove`] takes along what depends on it.
    pub remove_dependants: bool,
    /// Install recommended and supplementing packages.
    pub install_weak_deps: bool,
    /// Names (or provided names) of packages several versions of which are kept, like kernels.
    pub installonly_names: Vec<String>,
    /// How many versions of an install-only package are kept; 0 is no limit.
    pub installonly_limit: usize,
    /// Names of packages that must stay installed.
    pub protected: Vec<String>,
    /// The running kernel, as in `uname -r`: its package is never removed.
    pub running_kernel: Option<String>,
    /// When dependencies go that only a changed package needed.
    pub clean_requirements: CleanRequirements,
    /// Available packages that must not be used.
    pub excludes: BTreeSet<PackageId>,
    /// Packages that no weak dependency brings in.
    pub exclude_from_weak: BTreeSet<PackageId>,
    /// Providers of what installed packages recommend, and have not got, are no weak dependencies either.
    pub exclude_unmet_weak: bool,
    /// What is installed may be replaced by an older version to make a job possible.
    pub allow_downgrade: bool,
    /// An upgrade may come from another vendor.
    pub allow_vendor_change: bool,
    /// So may what [`Job::DistroSync`] brings.
    pub sync_vendor_change: bool,
    /// What obsoletes a package comes in its place, when that is installed or upgraded.
    pub obsoletes: bool,
    /// Packages whose version a person named: nothing comes in their place.
    pub exact: BTreeSet<PackageId>,
    /// What a new package requires comes in its best version, even where that upgrades something installed.
    pub focus_new: bool,
    /// Between alternatives the higher number wins (0 is that of all others); what is below 0 is no weak dependency.
    pub preferences: BTreeMap<PackageId, i32>,
}

/// When dependencies are removed that were installed as such and that nothing needs after a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CleanRequirements {
    /// Only by [`Job::Autoremove`].
    Never,
    /// With what [`Job::Remove`] removes.
    OnRemove,
    /// With every change.
    Always,
}

impl Default for Options {
    fn default() -> Self {
        let installonly = ["kernel", "kernel-core", "kernel-modules", "kernel-modules-core"];
        Self {
            best: true,
            allow_erasing: false,
            remove_dependants: true,
            install_weak_deps: true,
            installonly_names: installonly
                .into_iter()
                .chain(["kernel-modules-extra", "kernel-devel", "installonlypkg(kernel)"])
                .map(str::to_owned)
                .collect(),
            installonly_limit: 3,
            protected: Vec::new(),
            running_kernel: None,
            clean_requirements: CleanRequirements::OnRemove,
            excludes: BTreeSet::new(),
            exclude_from_weak: BTreeSet::new(),
            exclude_unmet_weak: true,
            allow_downgrade: true,
            allow_vendor_change: true,
            sync_vendor_change: true,
            obsoletes: true,
            exact: BTreeSet::new(),
            focus_new: true,
            preferences: BTreeMap::new(),
        }
    }
}

/// What to do to the system, sorted: removals first, then the rest, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Solution {
    /// The changes. Empty when there is nothing to do.
    pub actions: Vec<Action>,
    /// What was wanted but left out because [`Options::best`] is off.
    pub skipped: Vec<Skipped>,
}

/// One change.
///
/// A new version has one action, with the old one in `replaces`. An obsoleted package stands in
/// its obsoleter's `replaces` and has its own action of kind [`ActionKind::Obsoleted`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// The package that comes, or (for [`ActionKind::Remove`] and [`ActionKind::Obsoleted`]) goes.
    pub package: PackageId,
    /// What happens.
    pub kind: ActionKind,
    /// Installed packages this one takes the place of.
    pub replaces: Vec<PackageId>,
    /// Why.
    pub reason: Reason,
}

/// What happens to a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ActionKind {
    /// Removed.
    Remove,
    /// Removed because a package in this solution obsoletes it.
    Obsoleted,
    /// Installed; perhaps in place of packages it obsoletes.
    Install,
    /// Installed in place of a lower version.
    Upgrade,
    /// Installed in place of a higher version.
    Downgrade,
    /// Installed in place of itself.
    Reinstall,
}

/// Why a package comes or goes. For incoming packages this is what dnf records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A job asked for it.
    User,
    /// Another package needs it; or (going) it needed a package that goes.
    Dependency,
    /// Another package recommends it.
    WeakDependency,
    /// It belongs to a group. The solver never says so; the caller knows.
    Group,
    /// Nothing needs it any more, or there are too many versions of it.
    Clean,
    /// It came from outside. The solver never says so.
    External,
}

/// Something that was wanted and left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The package that was not taken.
    pub package: PackageId,
    /// Why.
    pub explanation: Explanation,
}

/// Why there is no solution, in lines for people: the first says what, the others why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    /// The lines, lower case, without full stops.
    pub lines: Vec<String>,
    /// Packages that need something that cannot be had.
    pub dependants: BTreeSet<PackageId>,
    /// Packages that cannot be there beside another.
    pub conflicting: BTreeSet<PackageId>,
}

impl Explanation {
    pub(crate) fn new(line: impl Into<String>) -> Self {
        Self { lines: vec![line.into()], ..Self::default() }
    }

    /// Returns what to try next, if something is likely to help.
    pub fn hint(&self, options: &Options) -> Option<&'static str> {
        let is_protected = self.lines.iter().any(|line| line.contains("protected package"));
        if is_protected {
            return Some(
                "protected packages are listed in protected_packages and /etc/dnf/protected.d",
            );
        }
        match (options.allow_erasing, options.best) {
            (false, true) => Some(
                "add `--allowerasing` to replace conflicting packages, or `--nobest` to use other versions",
            ),
            (false, false) => Some("add `--allowerasing` to replace conflicting packages"),
            (true, true) => Some("add `--nobest` to use other than the best versions"),
            (true, false) => None,
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, line) in self.lines.iter().enumerate() {
            if i > 0 {
                f.write_str("\n  - ")?;
            }
            f.write_str(line)?;
        }
        Ok(())
    }
}

impl std::error::Error for Explanation {}
