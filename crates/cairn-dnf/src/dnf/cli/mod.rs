// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line of `dnf`: every option and command, in dnf5's spelling. The doc comments are the help texts.

mod manage;
mod mixed;
mod packages;

use clap::{Args, CommandFactory as _, Parser, Subcommand};
pub use manage::*;
pub use mixed::*;
pub use packages::*;

/// Returns the definition of the command line, for man pages, completions and the reference.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Package manager of Cairn Linux
#[derive(Debug, Parser)]
#[command(name = "dnf", version, disable_help_subcommand = true, max_term_width = 100)]
#[command(args_override_self = true)]
#[command(
    after_help = "Exit status: 0 success, 1 error or refused, 2 wrong arguments, 100 `check-upgrade` found upgrades"
)]
pub struct Cli {
    /// Options of every command
    #[command(flatten)]
    pub global: GlobalOptions,
    /// What to do
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options of every command
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalOptions {
    /// Answer yes to all questions
    #[arg(short = 'y', long, global = true)]
    pub assumeyes: bool,
    /// Answer no to all questions, even with --assumeyes
    #[arg(long, global = true)]
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
    /// Value of $releasever_major
    #[arg(long, global = true, value_name = "VERSION")]
    pub releasever_major: Option<String>,
    /// Value of $releasever_minor
    #[arg(long, global = true, value_name = "VERSION")]
    pub releasever_minor: Option<String>,
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
    #[arg(short = 'x', long, alias = "excludepkgs", global = true, value_name = "PACKAGE")]
    pub exclude: Vec<String>,
    /// Accept only the best available version
    #[arg(long, global = true, conflicts_with = "no_best")]
    pub best: bool,
    /// Accept older versions where the best cannot be installed
    #[arg(long, alias = "nobest", global = true)]
    pub no_best: bool,
    /// Accept upgrades from other vendors (default)
    #[arg(long, global = true, conflicts_with = "no_allow_vendor_change")]
    pub allow_vendor_change: bool,
    /// Refuse upgrades from other vendors
    #[arg(long, global = true)]
    pub no_allow_vendor_change: bool,
    /// Leave files out that are marked as documentation
    #[arg(long, alias = "nodocs", global = true)]
    pub no_docs: bool,
    /// Check for newer metadata first
    #[arg(long, global = true)]
    pub refresh: bool,
    /// Use the cache only
    #[arg(short = 'C', long, global = true, conflicts_with = "refresh")]
    pub cacheonly: bool,
    /// Accept unsigned packages and metadata
    #[arg(long, alias = "nogpgcheck", global = true)]
    pub no_gpgchecks: bool,
    /// Accepted: there are no plugins
    #[arg(long, alias = "noplugins", global = true, hide = true)]
    pub no_plugins: bool,
    /// Accepted: there are no plugins
    #[arg(
        long = "enable-plugin",
        alias = "enableplugin",
        global = true,
        hide = true,
        value_name = "PLUGIN"
    )]
    pub enable_plugin: Vec<String>,
    /// Accepted: there are no plugins
    #[arg(
        long = "disable-plugin",
        alias = "disableplugin",
        global = true,
        hide = true,
        value_name = "PLUGIN"
    )]
    pub disable_plugin: Vec<String>,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", value_parser = ["auto", "always", "never"])]
    pub color: Option<String>,
    /// Note for the history
    #[arg(long, global = true, value_name = "TEXT")]
    pub comment: Option<String>,
    /// Show the variables first; without a command, only these
    #[arg(long, global = true)]
    pub dump_variables: bool,
    /// Show the values of dnf.conf first; without a command, only these
    #[arg(long, global = true)]
    pub dump_main_config: bool,
    /// Show the options of these repositories first, ids or globs; without a command, only these (can be repeated)
    #[arg(long, global = true, value_name = "REPO", value_delimiter = ',')]
    pub dump_repo_config: Vec<String>,
    /// Show results only
    #[arg(short = 'q', long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Show more
    #[arg(short = 'v', long, global = true)]
    pub verbose: bool,
}

impl GlobalOptions {
    /// Returns the packages that --exclude names.
    pub fn excludes(&self) -> Vec<String> {
        let mut excludes = Vec::new();
        self.exclude.iter().for_each(|words| cairn_pkg::repos::append(&mut excludes, words));
        excludes
    }

    /// Says whether --exclude drops what the configuration excludes: its first word is empty.
    pub fn clears_excludes(&self) -> bool {
        self.exclude.iter().any(|words| cairn_pkg::repos::begins_anew(words))
    }
}

/// What to do
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Install, remove, upgrade, downgrade and reinstall in one transaction
    Do(MixedArgs),
    /// Install packages
    #[command(visible_alias = "in")]
    Install(InstallArgs),
    /// Upgrade packages
    #[command(visible_aliases = ["update", "up"])]
    Upgrade(UpgradeArgs),
    /// Remove packages
    #[command(visible_alias = "rm")]
    Remove(RemoveArgs),
    /// Install an older version of packages
    #[command(visible_alias = "dg")]
    Downgrade(SpecsArgs),
    /// Install packages again
    #[command(visible_alias = "rei")]
    Reinstall(SpecsArgs),
    /// Remove one package and install another
    Swap(SwapArgs),
    /// Remove dependencies nothing needs any more
    Autoremove(AutoremoveArgs),
    /// Bring packages to the versions of the repositories, newer or older
    #[command(visible_alias = "dsync")]
    DistroSync(DistroSyncArgs),
    /// List packages
    #[command(visible_alias = "ls")]
    List(ListArgs),
    /// Show details of packages
    #[command(visible_alias = "if")]
    Info(ListArgs),
    /// Search names and summaries
    #[command(visible_alias = "se")]
    Search(SearchArgs),
    /// Show change logs of packages
    Changelog(ChangelogArgs),
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
    #[command(visible_alias = "mc")]
    Makecache,
    /// Remove cached data
    Clean(CleanArgs),
    /// List, show, install, upgrade or remove groups
    #[command(visible_alias = "grp")]
    Group {
        /// What to do with groups
        #[command(subcommand)]
        command: GroupCommand,
    },
    /// List, show, install, upgrade or remove environments, which are groups of groups
    Environment {
        /// What to do with environments
        #[command(subcommand)]
        command: EnvironmentCommand,
    },
    /// List, show, undo or repeat past transactions
    History {
        /// What to do with past transactions
        #[command(subcommand)]
        command: HistoryCommand,
    },
    /// Carry out a stored transaction
    Replay(ReplayArgs),
    /// List, show or count advisories
    #[command(visible_alias = "updateinfo")]
    Advisory {
        /// What to show
        #[command(subcommand)]
        command: AdvisoryCommand,
    },
    /// Keep packages at their version
    Versionlock {
        /// What to do with the locks
        #[command(subcommand)]
        command: VersionlockCommand,
    },
    /// Change repositories, options and variables
    ConfigManager {
        /// What to change
        #[command(subcommand)]
        command: ConfigManagerCommand,
    },
    /// Carry out or drop a transaction that was stored with --offline
    Offline {
        /// What to do with the stored transaction
        #[command(subcommand)]
        command: OfflineCommand,
    },
    /// Upgrade to another release while the system starts
    SystemUpgrade {
        /// What to do
        #[command(subcommand)]
        command: SystemUpgradeCommand,
    },
    /// Refused: Cairn has no modules
    #[command(hide = true)]
    Module {
        /// Ignored
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
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
    /// List installed packages that nothing else needs
    Leaves,
    /// Copy repositories into a directory
    Reposync(ReposyncArgs),
    /// Install the debugging symbols of packages
    DebuginfoInstall(SpecsArgs),
    /// Install what building packages needs
    #[command(visible_alias = "build-dep")]
    Builddep(BuilddepArgs),
    /// Print the newest or the older packages of a directory or repository
    Repomanage(RepomanageArgs),
    /// Count packages, groups and repositories
    Status,
    /// Store an upgrade for the next start of the system
    OfflineUpgrade {
        /// What to do
        #[command(subcommand)]
        command: OfflineUpgradeCommand,
    },
    /// Store a distro-sync for the next start of the system
    OfflineDistrosync {
        /// What to do
        #[command(subcommand)]
        command: OfflineDistrosyncCommand,
    },
    /// Tell whether the system, services or processes have to be restarted
    NeedsRestarting(NeedsRestartingArgs),
    /// List requirements that nothing provides
    Repoclosure(RepoclosureArgs),
    /// Finish or undo a transaction that was interrupted
    Recover,
}
