// SPDX-License-Identifier: MIT OR Apache-2.0
//! Arguments of the commands that change or query packages.

use clap::Args;

/// Options of commands that install something
#[derive(Debug, Clone, Default, Args)]
pub struct ResolveOptions {
    /// Remove installed packages that stand in the way
    #[arg(long)]
    pub allowerasing: bool,
    /// Accept older versions of installed packages to resolve problems (default)
    #[arg(long, conflicts_with = "no_allow_downgrade")]
    pub allow_downgrade: bool,
    /// Keep installed packages from becoming older for the sake of others
    #[arg(long)]
    pub no_allow_downgrade: bool,
    /// Take what is named from these repositories only, its dependencies from all (can be repeated)
    #[arg(long, value_name = "REPO", value_delimiter = ',')]
    pub from_repo: Vec<String>,
    /// Take what is named from these vendors only, names or globs, its dependencies from all (can be repeated)
    #[arg(long, value_name = "VENDOR", value_delimiter = ',')]
    pub from_vendor: Vec<String>,
    /// Change only what was installed from these repositories (can be repeated)
    #[arg(long, value_name = "REPO", value_delimiter = ',')]
    pub installed_from_repo: Vec<String>,
    /// Skip what is not in any repository
    #[arg(long)]
    pub skip_unavailable: bool,
    /// Skip what cannot be installed
    #[arg(long)]
    pub skip_broken: bool,
    /// Download the packages, install nothing
    #[arg(long)]
    pub downloadonly: bool,
    /// Download the packages into this directory, install nothing
    #[arg(long, value_name = "DIR")]
    pub destdir: Option<std::path::PathBuf>,
    /// Store the transaction; `dnf offline reboot` carries it out while the system starts
    #[arg(long, conflicts_with_all = ["downloadonly", "destdir", "store"])]
    pub offline: bool,
    /// Store the transaction in this directory, for `dnf replay`
    #[arg(long, value_name = "DIR", conflicts_with_all = ["downloadonly", "destdir"])]
    pub store: Option<std::path::PathBuf>,
}

/// Arguments of `install`
#[derive(Debug, Args)]
pub struct InstallArgs {
    /// Names, globs, NEVRAs, capabilities, files, @groups, .rpm files or URLs
    #[arg(required = true, value_name = "SPEC")]
    pub specs: Vec<String>,
    /// Advisories
    #[command(flatten)]
    pub advisories: AdvisoryFilter,
    /// Options
    #[command(flatten)]
    pub resolve: ResolveOptions,
}

/// Arguments of `upgrade`
#[derive(Debug, Default, Args)]
pub struct UpgradeArgs {
    /// Names, globs, NEVRAs, @groups or .rpm files; all packages when none is given
    #[arg(value_name = "SPEC")]
    pub specs: Vec<String>,
    /// Upgrade to the lowest versions that fix an advisory
    #[arg(long)]
    pub minimal: bool,
    /// Advisories
    #[command(flatten)]
    pub advisories: AdvisoryFilter,
    /// Options
    #[command(flatten)]
    pub resolve: ResolveOptions,
}

/// Arguments of `distro-sync`
#[derive(Debug, Default, Args)]
pub struct DistroSyncArgs {
    /// Names, globs or NEVRAs; all packages when none is given
    #[arg(value_name = "SPEC")]
    pub specs: Vec<String>,
    /// Options
    #[command(flatten)]
    pub resolve: ResolveOptions,
}

/// Which advisories count
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Advisories")]
pub struct AdvisoryFilter {
    /// Advisories with these names (can be repeated)
    #[arg(long, visible_alias = "advisory", value_name = "ADVISORY", value_delimiter = ',')]
    pub advisories: Vec<String>,
    /// Security advisories
    #[arg(long)]
    pub security: bool,
    /// Bug fix advisories
    #[arg(long)]
    pub bugfix: bool,
    /// Enhancement advisories
    #[arg(long)]
    pub enhancement: bool,
    /// New package advisories
    #[arg(long)]
    pub newpackage: bool,
    /// Advisories of these severities: critical, important, moderate, low or none (can be repeated)
    #[arg(long, aliases = ["secseverity", "sec-severity"], value_name = "SEVERITY", value_delimiter = ',')]
    pub advisory_severities: Vec<String>,
    /// Advisories that fix these Bugzilla numbers (can be repeated)
    #[arg(long, visible_alias = "bz", value_name = "NUMBER", value_delimiter = ',')]
    pub bzs: Vec<String>,
    /// Advisories that fix these CVEs (can be repeated)
    #[arg(long, visible_alias = "cve", value_name = "CVE", value_delimiter = ',')]
    pub cves: Vec<String>,
}

/// Arguments of `downgrade` and `reinstall`
#[derive(Debug, Args)]
pub struct SpecsArgs {
    /// Names, globs, NEVRAs or .rpm files
    #[arg(required = true, value_name = "SPEC")]
    pub specs: Vec<String>,
    /// Options
    #[command(flatten)]
    pub resolve: ResolveOptions,
}

/// Arguments of `builddep`
#[derive(Debug, Args)]
pub struct BuilddepArgs {
    /// Spec files, source packages as files or URLs, or packages of the repositories
    #[arg(required = true, value_name = "SPEC")]
    pub specs: Vec<String>,
    /// All arguments are spec files, whatever their names
    #[arg(long, conflicts_with = "srpm")]
    pub spec: bool,
    /// All arguments are source packages, whatever their names
    #[arg(long)]
    pub srpm: bool,
    /// Define a macro while spec files are read (can be repeated)
    #[arg(short = 'D', long, value_name = "MACRO EXPR")]
    pub define: Vec<String>,
    /// Enable a build condition while spec files are read (can be repeated)
    #[arg(long, value_name = "CONDITION")]
    pub with: Vec<String>,
    /// Disable a build condition while spec files are read (can be repeated)
    #[arg(long, value_name = "CONDITION")]
    pub without: Vec<String>,
    /// Options
    #[command(flatten)]
    pub resolve: ResolveOptions,
}

/// Arguments of `repomanage`
#[derive(Debug, Args)]
pub struct RepomanageArgs {
    /// Directory with packages, or directory or URL with repodata/
    #[arg(value_name = "PATH")]
    pub path: String,
    /// Print all packages but the newest of each name and architecture
    #[arg(short = 'o', long, conflicts_with = "new")]
    pub old: bool,
    /// Print the newest packages of each name and architecture (default)
    #[arg(short = 'n', long)]
    pub new: bool,
    /// How many versions are the newest
    #[arg(short = 'k', long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub keep: u32,
    /// Separate them by blanks instead of line ends
    #[arg(short = 's', long)]
    pub space: bool,
}

/// Arguments of `remove`
#[derive(Debug, Args)]
pub struct RemoveArgs {
    /// Names, globs, NEVRAs, capabilities, files or @groups
    #[arg(required_unless_present_any = ["oldinstallonly", "duplicates"], value_name = "SPEC")]
    pub specs: Vec<String>,
    /// Keep dependencies that nothing needs any more
    #[arg(long, visible_alias = "noautoremove")]
    pub no_autoremove: bool,
    /// Remove old install-only packages (kernels) above the limit
    #[arg(long)]
    pub oldinstallonly: bool,
    /// How many versions of each stay (default: installonly_limit)
    #[arg(long, value_name = "N", requires = "oldinstallonly", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// Remove all but the newest version of packages that are installed twice, and install that again
    #[arg(long, conflicts_with = "oldinstallonly")]
    pub duplicates: bool,
    /// Remove only what was installed from these repositories (can be repeated)
    #[arg(long, value_name = "REPO", value_delimiter = ',')]
    pub installed_from_repo: Vec<String>,
    /// When it is carried out
    #[command(flatten)]
    pub keep: KeepOptions,
}

/// Options of commands that install nothing
#[derive(Debug, Clone, Default, Args)]
pub struct KeepOptions {
    /// Store the transaction; `dnf offline reboot` carries it out while the system starts
    #[arg(long, conflicts_with = "store")]
    pub offline: bool,
    /// Store the transaction in this directory, for `dnf replay`
    #[arg(long, value_name = "DIR")]
    pub store: Option<std::path::PathBuf>,
}

impl KeepOptions {
    /// Returns whether the transaction is only stored.
    pub fn is_active(&self) -> bool {
        self.offline || self.store.is_some()
    }

    /// Returns them as options of a command that installs.
    pub fn resolve(&self) -> ResolveOptions {
        ResolveOptions {
            offline: self.offline,
            store: self.store.clone(),
            ..ResolveOptions::default()
        }
    }
}

/// Arguments of `swap`
#[derive(Debug, Args)]
pub struct SwapArgs {
    /// Package to remove
    #[arg(value_name = "REMOVE")]
    pub remove: String,
    /// Package to install
    #[arg(value_name = "INSTALL")]
    pub install: String,
    /// Options
    #[command(flatten)]
    pub resolve: ResolveOptions,
}

/// Arguments of `autoremove`
#[derive(Debug, Args)]
pub struct AutoremoveArgs {
    /// Only these packages
    #[arg(value_name = "SPEC")]
    pub specs: Vec<String>,
    /// When it is carried out
    #[command(flatten)]
    pub keep: KeepOptions,
}

/// Arguments of `list` and `info`
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Names, globs or NEVRAs; all packages when none is given
    #[arg(value_name = "SPEC")]
    pub specs: Vec<String>,
    /// Which packages
    #[command(flatten)]
    pub which: ListSelection,
    /// Only what was installed from these repositories (can be repeated)
    #[arg(long, value_name = "REPO", value_delimiter = ',')]
    pub installed_from_repo: Vec<String>,
    /// Show every version
    #[arg(long)]
    pub showduplicates: bool,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

/// Which packages `list` and `info` show
#[derive(Debug, Clone, Copy, Args)]
#[group(multiple = false)]
pub struct ListSelection {
    /// Installed packages
    #[arg(long)]
    pub installed: bool,
    /// Packages of the repositories
    #[arg(long)]
    pub available: bool,
    /// Installed packages that no repository has
    #[arg(long)]
    pub extras: bool,
    /// Packages that obsolete installed ones
    #[arg(long)]
    pub obsoletes: bool,
    /// Versions newer than the installed ones
    #[arg(long, alias = "updates")]
    pub upgrades: bool,
    /// Installed packages nothing needs any more
    #[arg(long)]
    pub autoremove: bool,
    /// Packages that were built in the last days, seven unless dnf.conf says otherwise
    #[arg(long)]
    pub recent: bool,
}

impl ListSelection {
    /// Returns whether one of them is given.
    pub fn any(&self) -> bool {
        self.installed
            || self.available
            || self.extras
            || self.obsoletes
            || self.upgrades
            || self.autoremove
            || self.recent
    }
}

/// Arguments of `search`
#[derive(Debug, Args)]
pub struct SearchArgs {
    /// Words, all of which must match
    #[arg(required = true, value_name = "WORD")]
    pub words: Vec<String>,
    /// Search descriptions and URLs as well
    #[arg(long)]
    pub all: bool,
    /// Search names only
    #[arg(long, conflicts_with_all = ["all", "summary"])]
    pub name: bool,
    /// Search summaries only
    #[arg(long, conflicts_with = "all")]
    pub summary: bool,
    /// Show every version
    #[arg(long)]
    pub showduplicates: bool,
}

/// Arguments of `changelog`
#[derive(Debug, Args)]
pub struct ChangelogArgs {
    /// Names, globs or NEVRAs; all packages when none is given
    #[arg(value_name = "SPEC")]
    pub specs: Vec<String>,
    /// Only entries since this day
    #[arg(long, value_name = "YYYY-MM-DD", conflicts_with_all = ["count", "upgrades"])]
    pub since: Option<String>,
    /// At most this many entries of each package
    #[arg(long, value_name = "N", conflicts_with = "upgrades")]
    pub count: Option<usize>,
    /// Only entries that are newer than the installed version
    #[arg(long)]
    pub upgrades: bool,
}

/// Arguments of `provides`
#[derive(Debug, Args)]
pub struct ProvidesArgs {
    /// Files, capabilities or globs
    #[arg(required = true, value_name = "SPEC")]
    pub specs: Vec<String>,
}

/// Arguments of `repoquery`
#[derive(Debug, Default, Args)]
pub struct RepoqueryArgs {
    /// Names, globs, NEVRAs, capabilities or files; all packages when none is given
    #[arg(value_name = "SPEC")]
    pub specs: Vec<String>,
    /// Packages of the repositories (default)
    #[arg(long)]
    pub available: bool,
    /// Installed packages
    #[arg(long)]
    pub installed: bool,
    /// Installed packages that the user asked for
    #[arg(long)]
    pub userinstalled: bool,
    /// Installed packages that no repository has
    #[arg(long)]
    pub extras: bool,
    /// Versions newer than the installed ones
    #[arg(long)]
    pub upgrades: bool,
    /// Installed packages nothing needs any more
    #[arg(long)]
    pub unneeded: bool,
    /// Installed packages that nothing else needs
    #[arg(long)]
    pub leaves: bool,
    /// Packages that are installed side by side
    #[arg(long)]
    pub installonly: bool,
    /// Installed packages of which there are several versions
    #[arg(long)]
    pub duplicates: bool,
    /// Packages that were built in the last days, seven unless dnf.conf says otherwise
    #[arg(long)]
    pub recent: bool,
    /// Packages of advisories
    #[command(flatten)]
    pub advisories: AdvisoryFilter,
    /// Limit to the N latest versions of each name.arch; negative: all but these
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "1", allow_negative_numbers = true, require_equals = true)]
    pub latest_limit: Option<i64>,
    /// Limit to these architectures (can be repeated)
    #[arg(long, value_name = "ARCH", value_delimiter = ',')]
    pub arch: Vec<String>,
    /// Limit to packages with this file (can be repeated)
    #[arg(short = 'f', long, value_name = "FILE", value_delimiter = ',')]
    pub file: Vec<String>,
    /// Limit to packages that provide this (can be repeated)
    #[arg(long, value_name = "CAPABILITY", value_delimiter = ',')]
    pub whatprovides: Vec<String>,
    /// Limit to packages that require this (can be repeated)
    #[arg(long, value_name = "CAPABILITY", value_delimiter = ',')]
    pub whatrequires: Vec<String>,
    /// With --whatrequires and --whatdepends: only what names the capability itself, not what it is provided by
    #[arg(long)]
    pub exactdeps: bool,
    /// Limit to packages that require, recommend, suggest, supplement or enhance this
    #[arg(long, value_name = "CAPABILITY", value_delimiter = ',')]
    pub whatdepends: Vec<String>,
    /// Limit to packages that recommend this
    #[arg(long, value_name = "CAPABILITY", value_delimiter = ',')]
    pub whatrecommends: Vec<String>,
    /// Limit to packages that suggest this
    #[arg(long, value_name = "CAPABILITY", value_delimiter = ',')]
    pub whatsuggests: Vec<String>,
    /// Limit to packages that supplement this
    #[arg(long, value_name = "CAPABILITY", value_delimiter = ',')]
    pub whatsupplements: Vec<String>,
    /// Limit to packages that enhance this
    #[arg(long, value_name = "CAPABILITY", value_delimiter = ',')]
    pub whatenhances: Vec<String>,
    /// Limit to packages that conflict with this
    #[arg(long, value_name = "CAPABILITY", value_delimiter = ',')]
    pub whatconflicts: Vec<String>,
    /// Limit to packages that obsolete this
    #[arg(long, value_name = "CAPABILITY", value_delimiter = ',')]
    pub whatobsoletes: Vec<String>,
    /// Show change logs
    #[arg(long, conflicts_with = "show")]
    pub changelogs: bool,
    /// What to show instead of the NEVRA
    #[command(flatten)]
    pub show: RepoqueryShow,
    /// Format with %{tag}s; `--querytags` lists them
    #[arg(long = "queryformat", visible_alias = "qf", value_name = "FORMAT")]
    pub queryformat: Option<String>,
    /// List the tags of --queryformat
    #[arg(long)]
    pub querytags: bool,
    /// Show what provides these dependencies of the packages instead of the packages
    #[arg(long, value_name = "ATTRIBUTE", value_enum)]
    pub providers_of: Option<ProvidersOf>,
    /// Show the source packages of the packages instead of the packages
    #[arg(long)]
    pub srpm: bool,
    /// Accepted: Cairn has no modules
    #[arg(long, hide = true)]
    pub disable_modular_filtering: bool,
    /// Limit to packages that were installed from these repositories (can be repeated)
    #[arg(long, value_name = "REPO", value_delimiter = ',')]
    pub installed_from_repo: Vec<String>,
    /// Show providers of the shown dependencies instead of their text
    #[arg(long, requires = "requires")]
    pub resolve: bool,
    /// With --whatrequires: also what requires those, and so on; with --providers-of=requires: also what provides what those require
    #[arg(long)]
    pub recursive: bool,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

/// Dependencies whose providers `repoquery --providers-of` shows
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ProvidersOf {
    /// Conflicts
    Conflicts,
    /// Requirements and weak dependencies
    Depends,
    /// Enhances
    Enhances,
    /// Obsoletes
    Obsoletes,
    /// Provides
    Provides,
    /// Recommendations
    Recommends,
    /// Requirements
    Requires,
    /// Requirements of scripts
    #[value(name = "requires_pre", alias = "requires-pre")]
    RequiresPre,
    /// Suggestions
    Suggests,
    /// Supplements
    Supplements,
}

/// What `repoquery` shows of each package
#[derive(Debug, Clone, Copy, Default, Args)]
#[group(id = "show", multiple = false)]
pub struct RepoqueryShow {
    /// Details
    #[arg(short = 'i', long)]
    pub info: bool,
    /// Files
    #[arg(short = 'l', long = "files", visible_alias = "list")]
    pub files: bool,
    /// Name of the source package
    #[arg(short = 's', long)]
    pub sourcerpm: bool,
    /// Location in the repository
    #[arg(long)]
    pub location: bool,
    /// Requirements and weak dependencies
    #[arg(long)]
    pub depends: bool,
    /// Requirements
    #[arg(long)]
    pub requires: bool,
    /// Requirements of scripts
    #[arg(long)]
    pub requires_pre: bool,
    /// Capabilities
    #[arg(long)]
    pub provides: bool,
    /// Conflicts
    #[arg(long)]
    pub conflicts: bool,
    /// Obsoletes
    #[arg(long)]
    pub obsoletes: bool,
    /// Recommendations
    #[arg(long)]
    pub recommends: bool,
    /// Suggestions
    #[arg(long)]
    pub suggests: bool,
    /// Supplements
    #[arg(long)]
    pub supplements: bool,
    /// Enhances
    #[arg(long)]
    pub enhances: bool,
}
