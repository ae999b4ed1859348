// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a transaction is asked to do, how, and what comes out of it: plain values.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use cairn_rpm::evr::Nevra;
use cairn_rpm::header::{Header, Relocation};
use cairn_rpm::macros::Macros;
use cairn_rpm::signature::Keyring;
use serde::{Deserialize, Serialize};

use crate::failpoint::FailPoints;
use crate::journal::TransactionId;
use crate::scriptlet::CollectedScriptlet;

/// What happens to a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Action {
    /// It comes beside whatever is installed.
    Install,
    /// It comes in place of older ones.
    Upgrade,
    /// It comes in place of newer ones.
    Downgrade,
    /// It comes in place of itself.
    Reinstall,
    /// It goes.
    Remove,
    /// It goes because another package of the transaction obsoletes it.
    Obsoleted,
}

impl Action {
    /// Tells whether a package file is installed.
    pub fn adds(self) -> bool {
        !matches!(self, Self::Remove | Self::Obsoleted)
    }
}

/// One package of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionItem {
    /// What happens to it.
    pub action: Action,
    /// Which package.
    pub nevra: Nevra,
    /// Host path of its package file; needed where the action adds.
    pub rpm: Option<PathBuf>,
    /// Id of the repository it comes from, for history; the engine does not look at it.
    pub from_repo: String,
    /// Rows of the database that go: the packages it replaces or obsoletes, or the one that is removed. Where empty, upgrades,
    /// downgrades and reinstalls replace what is installed under the same name and architecture, and removals take `nevra`.
    pub replaces: Vec<u64>,
}

/// Who owns the files that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// Owners, modes, capabilities and devices are applied: the process is root.
    Apply,
    /// Files are written as the current user, readable and writable for it; what they should be is returned as
    /// [`OwnershipEntry`]s. For image composition.
    Record,
}

/// What happens to scriptlets and triggers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scriptlets {
    /// They run in the root.
    Run,
    /// They do not run; [`Outcome::scriptlets`] lists what would have run, in order.
    Collect,
    /// They are left out.
    Skip,
}

/// What a package file must prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// A valid signature by a key of the keyring, and intact digests.
    Signature,
    /// Intact digests only. For packages that were signed by nobody or verified by other means.
    Digests,
    /// Digests of any kind, MD5 and SHA-1 too (`rpm` at the verification level `digest`).
    OldDigests,
    /// Nothing (`rpm --nodigest --nosignature`, or at the level `none`).
    Nothing,
}

/// What must survive a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Everything: journal, flushes, undo store. For live systems.
    Journaled,
    /// Nothing: the root is thrown away after a crash. No journal, no flush, no undo. For image composition.
    Scratch,
}

/// A file outside of packages that changes together with them, atomically (for example the state files of dnf).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtraFile {
    /// Its path below the root.
    pub path: String,
    /// Its new content.
    pub content: Vec<u8>,
    /// Its permission bits.
    pub mode: u32,
}

/// How ELF files of several architectures share a place: 1 stands for 32 bits, 2 for 64, as in the packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colors {
    /// What this machine runs (`_transaction_color`); 0: such files conflict like all others.
    pub transaction: u32,
    /// What is installed where both are there (`_prefer_color`).
    pub preferred: u32,
}

impl Default for Colors {
    fn default() -> Self {
        Self { transaction: 3, preferred: 2 }
    }
}

/// What an operator wants done differently from what the packages say; nothing by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Kinds of scriptlets and triggers that do not run: `%pre`, `%triggerin`, …
    pub silenced: BTreeSet<String>,
    /// Files of other packages are overwritten.
    pub replace_files: bool,
    /// Only the database changes, no file is touched.
    pub database_only: bool,
    /// Absolute paths that are left out, with everything below them.
    pub exclude_paths: Vec<String>,
    /// Where files go in place of what the packages say, for every package that has them (`--relocate`).
    pub relocations: Vec<Relocation>,
    /// Where the first prefix of every package goes (`--prefix`).
    pub prefix: Option<String>,
    /// Absolute paths that lie on shared file systems and are left alone, with everything below them (`_netsharedpath`).
    pub shared_paths: Vec<String>,
    /// Languages whose translations are installed (`_install_langs`); empty for all.
    pub languages: Vec<String>,
    /// Leave out files that the build made (`%artifact`).
    pub without_artifacts: bool,
    /// Leave out configuration files.
    pub without_configuration: bool,
    /// Do not set file capabilities.
    pub without_capabilities: bool,
    /// Install again what the operator removed although it may be missing (`%config(missingok)`).
    pub restore_missing: bool,
    /// Do not look at free space.
    pub ignore_space: bool,
    /// Keep the packages in the given order.
    pub keep_order: bool,
    /// Nothing of what is replaced runs: `rpm -i --replacepkgs` stores a package again without removing the former one.
    pub replace_quietly: bool,
    /// Which ELF files are installed where two architectures have the same one.
    pub colors: Colors,
    /// Nothing is recorded in the database: `rpm --nodb`.
    pub without_database: bool,
    /// Each package is recorded as installed a second after the one before it, as rpm does where the time is given to it.
    pub time_advances: bool,
    /// Macros for scriptlets that ask for it (`%post -e`); `None`: those that are built in.
    pub macros: Option<Macros>,
    /// A package whose `%pre` or the like fails is left out and the others go on, as rpm does; otherwise nothing happens.
    pub leave_out_failed: bool,
}

impl Overrides {
    /// Returns where the files of a package go in place of what it says.
    pub fn relocations_of(&self, header: &Header) -> Vec<Relocation> {
        let mut relocations = self.relocations.clone();
        if let (Some(new), Some(old)) = (&self.prefix, header.prefixes().first()) {
            relocations.push(Relocation::new(old, new));
        }
        relocations
    }
}

/// How a transaction runs.
#[derive(Debug)]
pub struct TransactionOptions {
    /// Who owns the files.
    pub ownership: Ownership,
    /// What happens to scriptlets.
    pub scriptlets: Scriptlets,
    /// What must survive a crash.
    pub durability: Durability,
    /// What package files must prove.
    pub trust: Trust,
    /// Keys that packages may be signed with.
    pub keyring: Arc<Keyring>,
    /// Time recorded as the installation time, seconds since 1970.
    pub time: u32,
    /// Directory of the rpm database below the root, usually [`DIRECTORY`](crate::rpmdb::DIRECTORY).
    pub database: String,
    /// Files that change with the packages.
    pub extra_files: Vec<ExtraFile>,
    /// Leave out documentation (`%doc`), as `tsflags=nodocs` does.
    pub without_documentation: bool,
    /// Prepare everything and stop before anything changes; conflicts, space and order are still checked.
    pub test_only: bool,
    /// What is done differently from what the packages say.
    pub overrides: Overrides,
    /// Where tests end the process.
    pub fail_points: FailPoints,
}

impl TransactionOptions {
    /// For a live system: everything applied, run, journaled and verified.
    pub fn live(keyring: Arc<Keyring>, time: u32) -> Self {
        Self {
            ownership: Ownership::Apply,
            scriptlets: Scriptlets::Run,
            durability: Durability::Journaled,
            trust: Trust::Signature,
            keyring,
            time,
            database: crate::rpmdb::DIRECTORY.to_owned(),
            extra_files: Vec::new(),
            without_documentation: false,
            test_only: false,
            overrides: Overrides::default(),
            fail_points: FailPoints::none(),
        }
    }

    /// For composing an image as an ordinary user: owners recorded, scriptlets collected, nothing flushed.
    pub fn compose(keyring: Arc<Keyring>, time: u32) -> Self {
        Self {
            ownership: Ownership::Record,
            scriptlets: Scriptlets::Collect,
            durability: Durability::Scratch,
            ..Self::live(keyring, time)
        }
    }
}

/// Type of a recorded file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum OwnershipKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A character device; not created on disk.
    CharacterDevice,
    /// A block device; not created on disk.
    BlockDevice,
    /// A named pipe.
    Fifo,
}

/// What a file of an image should be; see [`Ownership::Record`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnershipEntry {
    /// Path below the root, without a leading slash and without symbolic links in it.
    pub path: String,
    /// Type.
    pub kind: OwnershipKind,
    /// Owner by name.
    pub user: String,
    /// Group by name.
    pub group: String,
    /// Permission bits, 0o7777.
    pub mode: u32,
    /// Capabilities as in the package: `cap_net_raw=ep`; empty for none.
    pub caps: String,
    /// Modification time, seconds since 1970.
    pub mtime: u32,
    /// Device number (16 bits, as in packages) of devices.
    pub rdev: u32,
}

/// What a transaction did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Its number; 0 without a journal.
    pub id: TransactionId,
    /// Packages that were added: (NEVRA, row), in the order of installation.
    pub added: Vec<(Nevra, u64)>,
    /// Packages that were removed: (NEVRA, former row).
    pub removed: Vec<(Nevra, u64)>,
    /// What files should be, by path; only with [`Ownership::Record`].
    pub ownership: Vec<OwnershipEntry>,
    /// What would have run, in order; only with [`Scriptlets::Collect`].
    pub scriptlets: Vec<CollectedScriptlet>,
    /// What failed without stopping the transaction (`%post` and the like).
    pub failures: Vec<String>,
    /// Packages that did not come or go because a scriptlet failed; only with [`Overrides::leave_out_failed`].
    pub failed: Vec<String>,
    /// Configuration files kept or saved under another name, as messages.
    pub notes: Vec<String>,
}
