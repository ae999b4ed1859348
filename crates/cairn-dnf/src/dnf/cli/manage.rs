// SPDX-License-Identifier: MIT OR Apache-2.0
//! Arguments of the commands that manage groups, history, configuration and what else there is.

use super::{AdvisoryFilter, DistroSyncArgs, KeepOptions, ResolveOptions, UpgradeArgs};
use clap::{Args, Subcommand, ValueEnum};

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
    /// What is made from the metadata: nothing here, so that dnf's spelling works
    Dbcache,
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
    /// Bring groups to their present definition and upgrade their packages
    Upgrade(GroupUpgradeArgs),
    /// Remove groups and the packages they brought
    Remove(GroupRemoveArgs),
}

/// Commands of `environment`
#[derive(Debug, Subcommand)]
pub enum EnvironmentCommand {
    /// List environments
    List(EnvironmentListArgs),
    /// Show details of environments
    Info(EnvironmentListArgs),
    /// Install environments with their groups
    Install(GroupInstallArgs),
    /// Bring environments and their groups to their present definition
    Upgrade(GroupUpgradeArgs),
    /// Remove environments, their groups and the packages those brought
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
    /// Only groups with these packages, names or globs (can be repeated)
    #[arg(long, value_name = "PACKAGE", value_delimiter = ',')]
    pub contains_pkgs: Vec<String>,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `environment list` and `environment info`
#[derive(Debug, Args)]
pub struct EnvironmentListArgs {
    /// Ids, names or globs; all when none is given
    #[arg(value_name = "ENVIRONMENT")]
    pub specs: Vec<String>,
    /// Only installed environments
    #[arg(long)]
    pub installed: bool,
    /// Only environments that are not installed
    #[arg(long, conflicts_with = "installed")]
    pub available: bool,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `group install` and `environment install`
#[derive(Debug, Args)]
pub struct GroupInstallArgs {
    /// Ids or names
    #[arg(required = true, value_name = "GROUP")]
    pub specs: Vec<String>,
    /// Install optional packages as well
    #[arg(long)]
    pub with_optional: bool,
    /// Only note the groups as installed
    #[arg(long)]
    pub no_packages: bool,
    /// Options
    #[command(flatten)]
    pub resolve: ResolveOptions,
}

/// Arguments of `group upgrade` and `environment upgrade`
#[derive(Debug, Args)]
pub struct GroupUpgradeArgs {
    /// Ids or names
    #[arg(required = true, value_name = "GROUP")]
    pub specs: Vec<String>,
    /// Options
    #[command(flatten)]
    pub resolve: ResolveOptions,
}

/// Arguments of `group remove` and `environment remove`
#[derive(Debug, Args)]
pub struct GroupRemoveArgs {
    /// Ids or names
    #[arg(required = true, value_name = "GROUP")]
    pub specs: Vec<String>,
    /// Keep the packages
    #[arg(long)]
    pub no_packages: bool,
    /// When it is carried out
    #[command(flatten)]
    pub keep: KeepOptions,
}

/// Commands of `history`
#[derive(Debug, Subcommand)]
pub enum HistoryCommand {
    /// List transactions
    List(HistoryArgs),
    /// Show details of transactions
    Info(HistoryArgs),
    /// Take a transaction back
    Undo(HistoryUndoArgs),
    /// Do a transaction again
    Redo(HistoryRedoArgs),
    /// Take back everything after a transaction
    Rollback(HistoryUndoArgs),
    /// Store a transaction in a directory, for `dnf replay`
    Store(HistoryStoreArgs),
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
    /// Only transactions with these packages, names or globs (can be repeated)
    #[arg(long, value_name = "PACKAGE", value_delimiter = ',')]
    pub contains_pkgs: Vec<String>,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `history undo` and `history rollback`
#[derive(Debug, Args)]
pub struct HistoryUndoArgs {
    /// Number, last or last-N
    #[arg(value_name = "TRANSACTION")]
    pub transaction: String,
    /// Accept that further packages change
    #[arg(long)]
    pub ignore_extras: bool,
    /// Accept that packages are installed in other versions, or not any more
    #[arg(long)]
    pub ignore_installed: bool,
    /// Skip what is not in any repository
    #[arg(long)]
    pub skip_unavailable: bool,
    /// Take the old packages from repositories even where they were kept
    #[arg(long)]
    pub from_repositories: bool,
    /// When it is carried out; packages then come from repositories
    #[command(flatten)]
    pub keep: KeepOptions,
}

/// Arguments of `history redo`
#[derive(Debug, Args)]
pub struct HistoryRedoArgs {
    /// Number, last or last-N
    #[arg(value_name = "TRANSACTION")]
    pub transaction: String,
    /// Skip what is not in any repository
    #[arg(long)]
    pub skip_unavailable: bool,
    /// When it is carried out
    #[command(flatten)]
    pub keep: KeepOptions,
}

/// Arguments of `history store`
#[derive(Debug, Args)]
pub struct HistoryStoreArgs {
    /// Number, last or last-N; the last one when none is given
    #[arg(value_name = "TRANSACTION")]
    pub transaction: Option<String>,
    /// Directory
    #[arg(short = 'o', long, value_name = "DIR", default_value = "./transaction")]
    pub output: std::path::PathBuf,
}

/// Arguments of `replay`
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Directory of the stored transaction
    #[arg(value_name = "DIR")]
    pub path: std::path::PathBuf,
    /// Accept that further packages change
    #[arg(long)]
    pub ignore_extras: bool,
    /// Accept that packages are installed already, in other versions, or not any more
    #[arg(long)]
    pub ignore_installed: bool,
    /// Skip what is not in any repository
    #[arg(long)]
    pub skip_unavailable: bool,
    /// Skip what cannot be installed
    #[arg(long)]
    pub skip_broken: bool,
}

/// Arguments of `mark`
#[derive(Debug, Args)]
pub struct MarkArgs {
    /// Skip what is not installed
    #[arg(long, global = true)]
    pub skip_unavailable: bool,
    /// Store the transaction; `dnf offline reboot` carries it out while the system starts
    #[arg(long, global = true, conflicts_with = "store")]
    pub offline: bool,
    /// Store the transaction in this directory, for `dnf replay`
    #[arg(long, global = true, value_name = "DIR")]
    pub store: Option<std::path::PathBuf>,
    /// New reason
    #[command(subcommand)]
    pub reason: MarkCommand,
}

/// Reasons that `mark` sets
#[derive(Debug, Subcommand)]
pub enum MarkCommand {
    /// The user wants the packages
    User(MarkSpecs),
    /// Something needs the packages
    Dependency(MarkSpecs),
    /// Something recommends the packages
    Weak(MarkSpecs),
    /// A group brought the packages
    Group(MarkGroupArgs),
}

/// Arguments of `mark user`, `mark dependency` and `mark weak`
#[derive(Debug, Args)]
pub struct MarkSpecs {
    /// Installed packages
    #[arg(required = true, value_name = "SPEC")]
    pub specs: Vec<String>,
}

/// Arguments of `mark group`
#[derive(Debug, Args)]
pub struct MarkGroupArgs {
    /// Identifier of an installed group
    #[arg(value_name = "GROUP")]
    pub group: String,
    /// Packages
    #[command(flatten)]
    pub packages: MarkSpecs,
}

/// Commands of `advisory`
#[derive(Debug, Subcommand)]
pub enum AdvisoryCommand {
    /// List advisories and their packages
    List(AdvisoryArgs),
    /// Show details of advisories
    Info(AdvisoryArgs),
    /// Count advisories by type and severity
    Summary(AdvisoryArgs),
}

/// Arguments of `advisory list`, `advisory info` and `advisory summary`
#[derive(Debug, Args)]
pub struct AdvisoryArgs {
    /// Names of advisories; all when none is given
    #[arg(value_name = "ADVISORY")]
    pub names: Vec<String>,
    /// Which advisories
    #[command(flatten)]
    pub scope: AdvisoryScope,
    /// Only advisories with these installed packages, names or globs (can be repeated)
    #[arg(long, value_name = "PACKAGE", value_delimiter = ',')]
    pub contains_pkgs: Vec<String>,
    /// Which advisories
    #[command(flatten)]
    pub filter: AdvisoryFilter,
    /// Only advisories that name a Bugzilla number
    #[arg(long)]
    pub with_bz: bool,
    /// Only advisories that name a CVE
    #[arg(long)]
    pub with_cve: bool,
    /// Write JSON (not with `summary`)
    #[arg(long)]
    pub json: bool,
}

/// Which versions the advisories of `advisory` are about
#[derive(Debug, Clone, Copy, Default, Args)]
#[group(multiple = false)]
pub struct AdvisoryScope {
    /// Any version of installed packages
    #[arg(long)]
    pub all: bool,
    /// Versions newer than the installed ones (default)
    #[arg(long)]
    pub available: bool,
    /// Versions up to the installed ones
    #[arg(long)]
    pub installed: bool,
    /// Versions newer than the installed ones that can be upgraded to
    #[arg(long)]
    pub updates: bool,
}

/// Commands of `versionlock`
#[derive(Debug, Subcommand)]
pub enum VersionlockCommand {
    /// Keep packages at their installed version, or at those available
    Add(VersionlockArgs),
    /// Keep versions of packages away
    Exclude(VersionlockArgs),
    /// Remove the locks of packages
    Delete(VersionlockArgs),
    /// Remove all locks
    Clear,
    /// List the locks
    List,
}

/// Arguments of `versionlock add`, `versionlock exclude` and `versionlock delete`
#[derive(Debug, Args)]
pub struct VersionlockArgs {
    /// Names, globs or NEVRAs
    #[arg(required = true, value_name = "SPEC")]
    pub specs: Vec<String>,
}

/// Commands of `config-manager`
#[derive(Debug, Subcommand)]
pub enum ConfigManagerCommand {
    /// Add a repository, or a file of repositories
    Addrepo(AddrepoArgs),
    /// Set options of dnf.conf or of repositories
    Setopt(ConfigValuesArgs),
    /// Remove options that `setopt` has set
    Unsetopt(ConfigNamesArgs),
    /// Set variables
    #[command(visible_alias = "addvar")]
    Setvar(ConfigValuesArgs),
    /// Remove variables
    Unsetvar(ConfigNamesArgs),
    /// Enable repositories
    Enable(ConfigSwitchArgs),
    /// Disable repositories
    Disable(ConfigSwitchArgs),
}

/// Arguments of `config-manager enable` and `config-manager disable`
#[derive(Debug, Args)]
pub struct ConfigSwitchArgs {
    /// Ids or globs
    #[arg(required = true, value_name = "REPO")]
    pub repositories: Vec<String>,
    /// Make directories that do not exist
    #[arg(long)]
    pub create_missing_dir: bool,
}

/// Arguments of `config-manager addrepo`
#[derive(Debug, Default, Args)]
pub struct AddrepoArgs {
    /// Take the definitions from this file or URL
    #[arg(long, value_name = "FILE", conflicts_with_all = ["id", "set", "add_or_replace"])]
    pub from_repofile: Option<String>,
    /// Identifier of the new repository (default: made from the URL)
    #[arg(long, value_name = "REPO")]
    pub id: Option<String>,
    /// Option of the new repository, at least baseurl, mirrorlist or metalink (can be repeated)
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Add to the file, or replace the repository in it
    #[arg(long)]
    pub add_or_replace: bool,
    /// Make directories that do not exist
    #[arg(long)]
    pub create_missing_dir: bool,
    /// Replace the file
    #[arg(long)]
    pub overwrite: bool,
    /// Name of the file (default: the identifier)
    #[arg(long, value_name = "NAME")]
    pub save_filename: Option<String>,
}

/// Arguments of `config-manager setopt` and `config-manager setvar`
#[derive(Debug, Args)]
pub struct ConfigValuesArgs {
    /// Names and values; `REPO.KEY=VALUE` for repositories, ids or globs
    #[arg(required = true, value_name = "KEY=VALUE")]
    pub values: Vec<String>,
    /// Make directories that do not exist
    #[arg(long)]
    pub create_missing_dir: bool,
}

/// Arguments of `config-manager unsetopt` and `config-manager unsetvar`
#[derive(Debug, Args)]
pub struct ConfigNamesArgs {
    /// Names; `REPO.KEY` for repositories, ids or globs
    #[arg(required = true, value_name = "KEY")]
    pub names: Vec<String>,
}

/// Commands of `offline`
#[derive(Debug, Subcommand)]
pub enum OfflineCommand {
    /// Restart and carry out the stored transaction
    Reboot(OfflineRebootArgs),
    /// Show the stored transaction
    Status,
    /// Show what past offline transactions wrote into the journal of the system
    Log(OfflineLogArgs),
    /// Drop the stored transaction and its packages
    Clean,
    /// Carry out the stored transaction (the service runs it)
    #[command(name = "_execute", hide = true)]
    Execute,
}

/// Arguments of `offline log`
#[derive(Debug, Args)]
pub struct OfflineLogArgs {
    /// Which transaction; without it they are listed. Negative numbers count from the last one
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub number: Option<i64>,
}

/// Arguments of `offline reboot`
#[derive(Debug, Args)]
pub struct OfflineRebootArgs {
    /// Power off after the transaction instead of restarting
    #[arg(long)]
    pub poweroff: bool,
}

/// Commands of `offline-upgrade`
#[derive(Debug, Subcommand)]
pub enum OfflineUpgradeCommand {
    /// Download and store an upgrade
    Download(Box<UpgradeArgs>),
    /// Restart and carry it out
    Reboot(OfflineRebootArgs),
    /// Show the stored transaction
    Status,
    /// Show what past ones wrote into the journal of the system
    Log(OfflineLogArgs),
    /// Drop the stored transaction and its packages
    Clean,
}

/// Commands of `offline-distrosync`
#[derive(Debug, Subcommand)]
pub enum OfflineDistrosyncCommand {
    /// Download and store a distro-sync
    Download(DistroSyncArgs),
    /// Restart and carry it out
    Reboot(OfflineRebootArgs),
    /// Show the stored transaction
    Status,
    /// Show what past ones wrote into the journal of the system
    Log(OfflineLogArgs),
    /// Drop the stored transaction and its packages
    Clean,
}

/// Arguments of `reposync`
#[derive(Debug, Args)]
pub struct ReposyncArgs {
    /// Limit to these architectures (can be repeated)
    #[arg(short = 'a', long, value_name = "ARCH", value_delimiter = ',')]
    pub arch: Vec<String>,
    /// Download source packages
    #[arg(long, visible_alias = "source")]
    pub srpm: bool,
    /// Download the newest version of each package only
    #[arg(short = 'n', long)]
    pub newest_only: bool,
    /// Put the packages into the directory itself, not into one named after the repository
    #[arg(long)]
    pub norepopath: bool,
    /// Remove packages that the repository does not have
    #[arg(long)]
    pub delete: bool,
    /// Remove packages that no installed key has signed
    #[arg(long)]
    pub gpgcheck: bool,
    /// Print URLs, download nothing
    #[arg(short = 'u', long)]
    pub urls: bool,
    /// Download the metadata as well
    #[arg(long)]
    pub download_metadata: bool,
    /// Only packages that were built on this day or later
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub min_buildtime: Option<String>,
    /// Directory (default: the working directory)
    #[arg(short = 'p', long, visible_alias = "download-path", value_name = "DIR")]
    pub destdir: Option<std::path::PathBuf>,
    /// Directory for the metadata (default: that of the packages)
    #[arg(long, value_name = "DIR")]
    pub metadata_path: Option<std::path::PathBuf>,
}

/// Commands of `system-upgrade`
#[derive(Debug, Subcommand)]
pub enum SystemUpgradeCommand {
    /// Download and store the upgrade to the release of --releasever
    Download(SystemUpgradeArgs),
    /// Restart and carry out the upgrade
    Reboot(OfflineRebootArgs),
    /// Show the stored upgrade
    Status,
    /// Show what past upgrades wrote into the journal of the system
    Log(OfflineLogArgs),
    /// Drop the stored upgrade and its packages
    Clean,
}

/// Arguments of `system-upgrade download`
#[derive(Debug, Args)]
pub struct SystemUpgradeArgs {
    /// Keep packages of which the new release has only older versions
    #[arg(long)]
    pub no_downgrade: bool,
    /// Remove installed packages that stand in the way
    #[arg(long)]
    pub allowerasing: bool,
}

/// Arguments of `needs-restarting`
#[derive(Debug, Args)]
pub struct NeedsRestartingArgs {
    /// Tell whether the system has to be restarted (default)
    #[arg(short = 'r', long)]
    pub reboothint: bool,
    /// List services that use files of before an upgrade
    #[arg(short = 's', long)]
    pub services: bool,
    /// List processes that use files of before an upgrade
    #[arg(short = 'p', long)]
    pub processes: bool,
    /// With --processes: leave processes of services out
    #[arg(short = 'e', long, requires = "processes")]
    pub exclude_services: bool,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `repoclosure`
#[derive(Debug, Args)]
pub struct RepoclosureArgs {
    /// Check only these packages, names, globs or NEVRAs
    #[arg(value_name = "SPEC")]
    pub specs: Vec<String>,
    /// Check only packages of these repositories (can be repeated)
    #[arg(long, value_name = "REPO", value_delimiter = ',')]
    pub check: Vec<String>,
    /// Check only packages of these architectures (can be repeated)
    #[arg(long, value_name = "ARCH", value_delimiter = ',')]
    pub arch: Vec<String>,
    /// Use only the newest packages
    #[arg(long)]
    pub newest: bool,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
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
    /// Only the lowest versions that fix an advisory
    #[arg(long)]
    pub minimal: bool,
    /// Show the change log entries that are new as well
    #[arg(long)]
    pub changelogs: bool,
    /// Only upgrades of these advisories
    #[command(flatten)]
    pub advisories: AdvisoryFilter,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

/// What `download` takes instead of the package
#[derive(Debug, Clone, Copy, Default, Args)]
#[group(multiple = false)]
pub struct DownloadInstead {
    /// The source package; enables the source repositories
    #[arg(long, visible_alias = "source")]
    pub srpm: bool,
    /// The package with the debugging symbols
    #[arg(long)]
    pub debuginfo: bool,
    /// The package with the sources for debugging
    #[arg(long)]
    pub debugsource: bool,
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
    #[arg(long)]
    pub alldeps: bool,
    /// Limit to these architectures (can be repeated)
    #[arg(long, value_name = "ARCH", value_delimiter = ',')]
    pub arch: Vec<String>,
    /// Take what is named from these repositories only (can be repeated)
    #[arg(long, value_name = "REPO", value_delimiter = ',')]
    pub from_repo: Vec<String>,
    /// Take what is named from these vendors only (can be repeated)
    #[arg(long, value_name = "VENDOR", value_delimiter = ',')]
    pub from_vendor: Vec<String>,
    /// Which package of the same source
    #[command(flatten)]
    pub instead: DownloadInstead,
    /// Skip what is not in any repository
    #[arg(long)]
    pub skip_unavailable: bool,
    /// Print URLs, download nothing
    #[arg(long)]
    pub url: bool,
    /// With --url: only of these protocols (can be repeated)
    #[arg(long, value_name = "PROTOCOL", value_delimiter = ',', requires = "url")]
    pub urlprotocol: Vec<String>,
    /// With --url: of all mirrors
    #[arg(long, requires = "url")]
    pub allmirrors: bool,
}
