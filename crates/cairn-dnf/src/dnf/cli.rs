// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line of `dnf`: every option and command, in dnf5's spelling. The doc comments are the help texts.

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};

/// Returns the definition of the command line, for man pages, completions and the reference.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Package manager of Cairn Linux
#[derive(Debug, Parser)]
#[command(name = "dnf", version, disable_help_subcommand = true, max_term_width = 100)]
#[command(
    after_help = "Exit status: 0 success, 1 error or refused, 2 wrong arguments, 100 `check-upgrade` found upgrades"
)]
pub struct Cli {
    /// Options of every command
    #[command(flatten)]
    pub global: GlobalOptions,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalOptions {
    /// Answer yes to all questions
    #[arg(short = 'y', long, global = true)]
    pub assumeyes: bool,
    /// Answer no to all questions
    #[arg(long, global = true, conflicts_with = "assumeyes")]
    pub assumeno: bool,
    /// Work on the system in this directory
    #[arg(long, global = true, value_name = "DIR")]
    pub installroot: Option<std::path::PathBuf>,
    /// Read configuration and repositories from the host instead of from the installroot
    #[arg(long, global = true)]
    pub use_host_config: bool,
    /// Read this file instead of /etc/dnf/dnf.conf
    #[arg(short = 'c', long, global = true, value_name = "FILE")]
    pub config: Option<String>,
    /// Value of $releasever
    #[arg(long, global = true, value_name = "VERSION")]
    pub releasever: Option<String>,
    /// Architecture of the system, for example x86_64
    #[arg(long, global = true, value_name = "ARCH")]
    pub forcearch: Option<String>,
    /// Set a configuration value (can be repeated)
    #[arg(long, global = true, value_name = "[REPO.]KEY=VALUE")]
    pub setopt: Vec<String>,
    /// Set a variable (can be repeated)
    #[arg(long, global = true, value_name = "NAME=VALUE")]
    pub setvar: Vec<String>,
    /// Use only these repositories, ids or globs (can be repeated)
    #[arg(long, alias = "repoid", global = true, value_name = "REPO", value_delimiter = ',')]
    pub repo: Vec<String>,
    /// Enable these repositories as well (can be repeated)
    #[arg(
        long = "enable-repo",
        alias = "enablerepo",
        global = true,
        value_name = "REPO",
        value_delimiter = ','
    )]
    pub enable_repo: Vec<String>,
    /// Leave these repositories out (can be repeated)
    #[arg(
        long = "disable-repo",
        alias = "disablerepo",
        global = true,
        value_name = "REPO",
        value_delimiter = ','
    )]
    pub disable_repo: Vec<String>,
    /// Add a repository for this command (can be repeated)
    #[arg(long, global = true, value_name = "ID,URL")]
    pub repofrompath: Vec<String>,
    /// Ignore these packages, names or globs (can be repeated)
    #[arg(
        short = 'x',
        long,
        alias = "excludepkgs",
        global = true,
        value_name = "PACKAGE",
        value_delimiter = ','
    )]
    pub exclude: Vec<String>,
    /// Check for newer metadata first
    #[arg(long, global = true)]
    pub refresh: bool,
    /// Use the cache only
    #[arg(short = 'C', long, global = true, conflicts_with = "refresh")]
    pub cacheonly: bool,
    /// Accept unsigned packages and metadata
    #[arg(long, alias = "nogpgcheck", global = true)]
    pub no_gpgchecks: bool,
    /// Note for the history
    #[arg(long, global = true, value_name = "TEXT")]
    pub comment: Option<String>,
    /// Show results only
    #[arg(short = 'q', long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Show more
    #[arg(short = 'v', long, global = true)]
    pub verbose: bool,
}

/// Options of commands that install something
#[derive(Debug, Clone, Default, Args)]
pub struct ResolveOptions {
    /// Remove installed packages that stand in the way
    #[arg(long)]
    pub allowerasing: bool,
    /// Accept only the best available version
    #[arg(long, conflicts_with = "no_best")]
    pub best: bool,
    /// Accept older versions where the best cannot be installed
    #[arg(long, alias = "nobest")]
    pub no_best: bool,
    /// Skip what is not in any repository
    #[arg(long)]
    pub skip_unavailable: bool,
    /// Skip what cannot be installed
    #[arg(long)]
    pub skip_broken: bool,
    /// Download the packages, install nothing
    #[arg(long)]
    pub downloadonly: bool,
}

/// What to do
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Install packages
    Install(InstallArgs),
    /// Upgrade packages
    #[command(visible_aliases = ["update", "up"])]
    Upgrade(UpgradeArgs),
    /// Remove packages
    #[command(visible_alias = "rm", alias = "erase")]
    Remove(RemoveArgs),
    /// Install an older version of packages
    Downgrade(SpecsArgs),
    /// Install packages again
    Reinstall(SpecsArgs),
    /// Remove one package and install another
    Swap(SwapArgs),
    /// Remove dependencies nothing needs any more
    Autoremove(AutoremoveArgs),
    /// Bring packages to the versions of the repositories, newer or older
    #[command(visible_alias = "dsync", alias = "distrosync")]
    DistroSync(UpgradeArgs),
    /// List packages
    #[command(visible_alias = "ls")]
    List(ListArgs),
    /// Show details of packages
    Info(ListArgs),
    /// Search names and summaries
    #[command(visible_alias = "se")]
    Search(SearchArgs),
    /// Find the packages that provide a file or capability
    #[command(visible_aliases = ["whatprovides", "prv"])]
    Provides(ProvidesArgs),
    /// Query packages of the repositories or of the system
    #[command(visible_alias = "rq")]
    Repoquery(Box<RepoqueryArgs>),
    /// List repositories
    Repolist(RepolistArgs),
    /// Show details of repositories
    Repoinfo(RepolistArgs),
    /// List or show repositories
    Repo {
        /// What to show
        #[command(subcommand)]
        command: RepoCommand,
    },
    /// Download and check the metadata of the repositories
    Makecache,
    /// Remove cached data
    Clean(CleanArgs),
    /// List, show, install or remove groups
    #[command(visible_alias = "grp")]
    Group {
        /// What to do with groups
        #[command(subcommand)]
        command: GroupCommand,
    },
    /// List or show past transactions
    History {
        /// What to show
        #[command(subcommand)]
        command: HistoryCommand,
    },
    /// Change why packages are installed
    Mark(MarkArgs),
    /// Check the installed packages for problems
    Check(CheckArgs),
    /// List packages that can be upgraded
    #[command(visible_alias = "check-update")]
    CheckUpgrade(CheckUpgradeArgs),
    /// Download packages
    Download(DownloadArgs),
    /// Finish or undo a transaction that was interrupted
    Recover,
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

/// Arguments of `upgrade` and `distro-sync`
#[derive(Debug, Args)]
pub struct UpgradeArgs {
    /// Names, globs, NEVRAs, @groups or .rpm files; all packages when none is given
    #[arg(value_name = "SPEC")]
    pub specs: Vec<String>,
    /// Options
    #[command(flatten)]
    pub resolve: ResolveOptions,
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

/// Arguments of `repolist` and `repoinfo`
#[derive(Debug, Default, Args)]
pub struct RepolistArgs {
    /// Ids or globs; all when none is given
    #[arg(value_name = "REPO")]
    pub specs: Vec<String>,
    /// Enabled and disabled repositories
    #[arg(long)]
    pub all: bool,
    /// Enabled repositories (default)
    #[arg(long, conflicts_with = "all")]
    pub enabled: bool,
    /// Disabled repositories
    #[arg(long, conflicts_with_all = ["all", "enabled"])]
    pub disabled: bool,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

/// Commands of `repo`
#[derive(Debug, Subcommand)]
pub enum RepoCommand {
    /// List repositories
    List(RepolistArgs),
    /// Show details of repositories
    Info(RepolistArgs),
}

/// Arguments of `clean`
#[derive(Debug, Args)]
pub struct CleanArgs {
    /// What to remove
    #[arg(required = true, value_enum, value_name = "WHAT")]
    pub what: Vec<CleanKind>,
}

/// What `clean` removes
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CleanKind {
    /// Everything in the cache
    All,
    /// Downloaded packages
    Packages,
    /// Metadata
    Metadata,
    /// Nothing but the age of the metadata: it is checked again
    ExpireCache,
    /// What this machine remembers of the newest metadata; allows an older revision once
    Trust,
}

/// Commands of `group`
#[derive(Debug, Subcommand)]
pub enum GroupCommand {
    /// List groups
    List(GroupListArgs),
    /// Show details of groups
    Info(GroupListArgs),
    /// Install groups
    Install(GroupInstallArgs),
    /// Remove groups and the packages they brought
    Remove(GroupRemoveArgs),
}

/// Arguments of `group list` and `group info`
#[derive(Debug, Args)]
pub struct GroupListArgs {
    /// Ids, names or globs; all when none is given
    #[arg(value_name = "GROUP")]
    pub specs: Vec<String>,
    /// Only installed groups
    #[arg(long)]
    pub installed: bool,
    /// Only groups that are not installed
    #[arg(long, conflicts_with = "installed")]
    pub available: bool,
    /// Also groups that are not meant for users
    #[arg(long)]
    pub hidden: bool,
}

/// Arguments of `group install`
#[derive(Debug, Args)]
pub struct GroupInstallArgs {
    /// Ids or names
    #[arg(required = true, value_name = "GROUP")]
    pub specs: Vec<String>,
    /// Install optional packages as well
    #[arg(long)]
    pub with_optional: bool,
    /// Options
    #[command(flatten)]
    pub resolve: ResolveOptions,
}

/// Arguments of `group remove`
#[derive(Debug, Args)]
pub struct GroupRemoveArgs {
    /// Ids or names
    #[arg(required = true, value_name = "GROUP")]
    pub specs: Vec<String>,
}

/// Commands of `history`
#[derive(Debug, Subcommand)]
pub enum HistoryCommand {
    /// List transactions
    List(HistoryArgs),
    /// Show details of transactions
    Info(HistoryArgs),
}

/// Arguments of `history list` and `history info`
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// Numbers, ranges (3..5), last or last-N; all (list) or the last one (info) when none is given
    #[arg(value_name = "TRANSACTION")]
    pub specs: Vec<String>,
    /// Oldest first
    #[arg(long)]
    pub reverse: bool,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `mark`
#[derive(Debug, Args)]
pub struct MarkArgs {
    /// New reason
    #[arg(value_enum, value_name = "REASON")]
    pub reason: MarkReason,
    /// Installed packages
    #[arg(required = true, value_name = "SPEC")]
    pub specs: Vec<String>,
}

/// Reasons that `mark` sets
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MarkReason {
    /// The user wants it
    User,
    /// Something needs it
    Dependency,
    /// Something recommends it
    Weak,
}

/// Arguments of `check`
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Only missing requirements and conflicts
    #[arg(long)]
    pub dependencies: bool,
    /// Only several versions of one package
    #[arg(long)]
    pub duplicates: bool,
    /// Only obsoleted packages
    #[arg(long)]
    pub obsoleted: bool,
}

/// Arguments of `check-upgrade`
#[derive(Debug, Args)]
pub struct CheckUpgradeArgs {
    /// Names, globs or NEVRAs; all packages when none is given
    #[arg(value_name = "SPEC")]
    pub specs: Vec<String>,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `download`
#[derive(Debug, Args)]
pub struct DownloadArgs {
    /// Names, globs or NEVRAs
    #[arg(required = true, value_name = "SPEC")]
    pub specs: Vec<String>,
    /// Put the files here (default: the working directory)
    #[arg(long, value_name = "DIR")]
    pub destdir: Option<std::path::PathBuf>,
    /// Download what they need and is not installed as well
    #[arg(long)]
    pub resolve: bool,
    /// With --resolve: also what is installed
    #[arg(long, requires = "resolve")]
    pub alldeps: bool,
    /// Print URLs, download nothing
    #[arg(long)]
    pub url: bool,
}
