// SPDX-License-Identifier: MIT OR Apache-2.0
//! Arguments of the commands that change or query packages.

use clap::Args;

/// Options of commands that install something
#[derive(Debug, Clone, Default, Args)]
pub struct ResolveOptions {
    /// Remove installed packages that stand in the way
    #[arg(long)]
    pub allowerasing: bool,
    /// Take what is named from these repositories only, its dependencies from all (can be repeated)
    #[arg(long, value_name = "REPO", value_delimiter = ',')]
    pub from_repo: Vec<String>,
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

/// Arguments of `remove`
#[derive(Debug, Args)]
pub struct RemoveArgs {
    /// Names, globs, NEVRAs, capabilities, files or @groups
    #[arg(required_unless_present = "oldinstallonly", value_name = "SPEC")]
    pub specs: Vec<String>,
    /// Keep dependencies that nothing needs any more
    #[arg(long)]
    pub no_autoremove: bool,
    /// Remove old install-only packages (kernels) above the limit
    #[arg(long)]
    pub oldinstallonly: bool,
    /// Store the transaction; `dnf offline reboot` carries it out while the system starts
    #[arg(long)]
    pub offline: bool,
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
    /// Packages that came into the repositories in the last seven days
    #[arg(long)]
    pub recent: bool,
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
    /// Show every version
    #[arg(long)]
    pub showduplicates: bool,
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
    #[arg(long, conflicts_with = "available")]
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
    /// Packages that came into the repositories in the last seven days
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
    #[arg(long, value_name = "FILE", value_delimiter = ',')]
    pub file: Vec<String>,
    /// Limit to packages that provide this (can be repeated)
    #[arg(long, value_name = "CAPABILITY", value_delimiter = ',')]
    pub whatprovides: Vec<String>,
    /// Limit to packages that require this (can be repeated)
    #[arg(long, value_name = "CAPABILITY", value_delimiter = ',')]
    pub whatrequires: Vec<String>,
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
    /// What to show instead of the NEVRA
    #[command(flatten)]
    pub show: RepoqueryShow,
    /// Format with %{tag}s; `--querytags` lists them
    #[arg(long = "queryformat", visible_alias = "qf", value_name = "FORMAT")]
    pub queryformat: Option<String>,
    /// List the tags of --queryformat
    #[arg(long)]
    pub querytags: bool,
    /// Show providers of the shown dependencies instead of their text
    #[arg(long, requires = "requires")]
    pub resolve: bool,
    /// With --whatrequires: also what requires those, and so on
    #[arg(long)]
    pub recursive: bool,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
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
