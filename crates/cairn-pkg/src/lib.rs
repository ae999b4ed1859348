// SPDX-License-Identifier: MIT OR Apache-2.0
//! The package engine: rpm's semantics and rpm's database, with transactions that survive a crash.
//!
//! Map:
//! - [`transaction`]: a list of packages → verified, planned, staged, committed, applied; [`event`]: what it tells meanwhile
//! - [`source`]: source packages, which no database knows
//! - [`recover`]: finishes or takes back an interrupted transaction; [`undo`]: takes a finished one back
//! - [`journal`]: the file that makes both possible
//! - [`rpmdb`]: what is installed; [`verify`]: compares it with the disk (`rpm -V`)
//! - [`scriptlet`], [`triggers`]: what runs, and when
//! - [`repos`]: configuration, repositories and their metadata; [`query`]: all packages as one list; [`resolve`]: arguments → plan
//! - [`state`]: dnf5's own files: reasons, groups, history
//! - [`error`]: why a transaction was refused

pub mod capability;
mod digest;
pub mod error;
pub mod event;
pub mod failpoint;
pub mod journal;
pub mod lua;
pub mod owners;
mod parallel;
pub mod query;
pub mod recover;
pub mod repos;
pub mod resolve;
pub mod rpmdb;
pub mod scriptlet;
pub mod source;
pub mod state;
mod sysusers;
pub mod transaction;
pub mod triggers;
pub mod undo;
pub mod verify;

pub use error::TransactionError;
