// SPDX-License-Identifier: MIT OR Apache-2.0
//! Arguments of `do`: options that hold for the arguments behind them, until they are given again.

use super::AdvisoryFilter;
use clap::{ArgMatches, Args, Command, FromArgMatches, ValueEnum};

/// What `do` does with arguments
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MixedAction {
    /// Install
    Install,
    /// Remove
    Remove,
    /// Upgrade
    Upgrade,
    /// Install an older version
    Downgrade,
    /// Install again
    Reinstall,
}

/// What arguments of `do` name
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum MixedKind {
    /// Groups with an @, else packages
    #[default]
    Auto,
    /// Packages
    Package,
    /// Groups or environments, as id=ID or name=NAME
    Group,
}

/// Options of `do`
#[derive(Debug, Args)]
pub struct MixedOptions {
    /// What to do with the arguments that follow (can be repeated)
    #[arg(long, value_name = "ACTION", value_enum)]
    action: Vec<MixedAction>,
    /// What the arguments that follow name (can be repeated)
    #[arg(long = "type", value_name = "TYPE", value_enum)]
    kind: Vec<MixedKind>,
    /// Take the arguments that follow from these repositories only, their dependencies from all (can be repeated)
    #[arg(long, value_name = "REPO")]
    from_repo: Vec<String>,
    /// Take the arguments that follow from these vendors only, their dependencies from all (can be repeated)
    #[arg(long, value_name = "VENDOR")]
    from_vendor: Vec<String>,
    /// The arguments that follow mean only what was installed from these repositories (can be repeated)
    #[arg(long, value_name = "REPO")]
    installed_from_repo: Vec<String>,
    /// Names, globs, NEVRAs, capabilities, files, groups, .rpm files or URLs
    #[arg(value_name = "SPEC")]
    items: Vec<String>,
    /// Remove installed packages that stand in the way
    #[arg(long)]
    pub allowerasing: bool,
    /// Skip what is not in any repository
    #[arg(long)]
    pub skip_unavailable: bool,
    /// Skip what cannot be installed
    #[arg(long)]
    pub skip_broken: bool,
    /// Accept older versions of installed packages to resolve problems (default)
    #[arg(long, conflicts_with = "no_allow_downgrade")]
    pub allow_downgrade: bool,
    /// Keep installed packages from becoming older for the sake of others
    #[arg(long)]
    pub no_allow_downgrade: bool,
    /// Download the packages, change nothing
    #[arg(long)]
    pub downloadonly: bool,
    /// Store the transaction; `dnf offline reboot` carries it out while the system starts
    #[arg(long, conflicts_with_all = ["downloadonly", "store"])]
    pub offline: bool,
    /// Store the transaction in this directory, for `dnf replay`
    #[arg(long, value_name = "DIR", conflicts_with = "downloadonly")]
    pub store: Option<std::path::PathBuf>,
    /// Advisories
    #[command(flatten)]
    pub advisories: AdvisoryFilter,
}

/// Arguments of `do`
#[derive(Debug)]
pub struct MixedArgs {
    /// Options that hold for everything.
    pub options: MixedOptions,
    /// Arguments in order, with what holds for each.
    pub items: Vec<MixedItem>,
}

/// One argument of `do`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MixedItem {
    /// What to do; `None` when no `--action` stands before it.
    pub action: Option<MixedAction>,
    /// What it names.
    pub kind: MixedKind,
    /// Repositories it may come from; all when empty.
    pub from_repo: Vec<String>,
    /// Vendors it may come from; all when empty.
    pub from_vendor: Vec<String>,
    /// Repositories it must have been installed from; all when empty.
    pub installed_from_repo: Vec<String>,
    /// The argument.
    pub text: String,
}

/// A word of the command line that matters for those behind it.
#[derive(Debug)]
enum Step {
    Action(MixedAction),
    Kind(MixedKind),
    FromRepo(Vec<String>),
    FromVendor(Vec<String>),
    InstalledFromRepo(Vec<String>),
    Item(String),
}

impl Args for MixedArgs {
    fn augment_args(command: Command) -> Command {
        MixedOptions::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        MixedOptions::augment_args_for_update(command)
    }
}

impl FromArgMatches for MixedArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let options = MixedOptions::from_arg_matches(matches)?;
        let items = items(steps(matches, &options));
        Ok(Self { options, items })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Returns the words that matter in the order in which they were typed.
fn steps(matches: &ArgMatches, options: &MixedOptions) -> Vec<Step> {
    let mut steps: Vec<(usize, Step)> = Vec::new();
    let mut add = |id: &str, made: Vec<Step>| {
        steps.extend(matches.indices_of(id).into_iter().flatten().zip(made));
    };
    let list = |text: &String| -> Vec<String> {
        text.split(',').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
    };
    add("action", options.action.iter().map(|action| Step::Action(*action)).collect());
    add("kind", options.kind.iter().map(|kind| Step::Kind(*kind)).collect());
    add("from_repo", options.from_repo.iter().map(|t| Step::FromRepo(list(t))).collect());
    add("from_vendor", options.from_vendor.iter().map(|t| Step::FromVendor(list(t))).collect());
    let installed = options.installed_from_repo.iter();
    add("installed_from_repo", installed.map(|t| Step::InstalledFromRepo(list(t))).collect());
    add("items", options.items.iter().map(|text| Step::Item(text.clone())).collect());
    steps.sort_by_key(|(index, _)| *index);
    steps.into_iter().map(|(_, step)| step).collect()
}

/// Returns the arguments with what holds for each.
fn items(steps: Vec<Step>) -> Vec<MixedItem> {
    let mut now = MixedItem {
        action: None,
        kind: MixedKind::Auto,
        from_repo: Vec::new(),
        from_vendor: Vec::new(),
        installed_from_repo: Vec::new(),
        text: String::new(),
    };
    let mut items = Vec::new();
    for step in steps {
        match step {
            Step::Action(action) => now.action = Some(action),
            Step::Kind(kind) => now.kind = kind,
            Step::FromRepo(ids) => now.from_repo = ids,
            Step::FromVendor(vendors) => now.from_vendor = vendors,
            Step::InstalledFromRepo(ids) => now.installed_from_repo = ids,
            Step::Item(text) => items.push(MixedItem { text, ..now.clone() }),
        }
    }
    items
}
