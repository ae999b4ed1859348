// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a transaction tells its caller while it runs. The library prints nothing itself.

/// A step of a running transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A phase of the whole transaction begins.
    Phase(Phase),
    /// A package is being verified; `done` of `total` are finished.
    Verifying {
        /// The package.
        package: String,
        /// Packages finished.
        done: usize,
        /// Packages in all.
        total: usize,
    },
    /// A package's files are being written beside their targets.
    Staging {
        /// The package.
        package: String,
        /// Packages finished.
        done: usize,
        /// Packages in all.
        total: usize,
    },
    /// A package's files are being removed.
    Removing {
        /// The package.
        package: String,
    },
    /// A scriptlet or trigger starts.
    ScriptletStarted {
        /// The package it belongs to.
        package: String,
        /// Its kind, as rpm writes it: `%post`.
        kind: String,
    },
    /// What a scriptlet wrote to its output.
    ScriptletOutput {
        /// The package it belongs to.
        package: String,
        /// Its kind.
        kind: String,
        /// The text.
        text: String,
    },
    /// A scriptlet failed on which its package depends.
    ScriptletFailed {
        /// The package it belongs to.
        package: String,
        /// Its kind.
        kind: String,
        /// How it ended.
        ending: String,
    },
    /// A package does not come or go because a scriptlet failed.
    LeftOut {
        /// The package.
        package: String,
        /// It was to be installed, not removed.
        installs: bool,
        /// Nothing of its own failed after its turn came.
        skipped: bool,
    },
    /// Something the operator should know.
    Warning(String),
    /// A file that comes gives power in an unusual place; rpm has no such message.
    Policy(String),
}

/// The phases of a transaction, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// An interrupted transaction is being finished or undone.
    Recover,
    /// Signatures and digests are being checked.
    Verify,
    /// Files, conflicts, space and order are being worked out.
    Plan,
    /// Scriptlets that run before anything changes.
    Before,
    /// New files are being written beside their targets.
    Stage,
    /// The point of no return has been passed; files are put in place, and the package database is changed.
    Apply,
    /// Scriptlets and removals.
    After,
}
