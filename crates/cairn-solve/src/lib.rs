// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which packages to install, replace and remove: dnf's policy over the SAT solver `resolvo`.
//!
//! [`solve`] takes a [`Universe`] (all installed and available packages), [`Job`]s and [`Options`]
//! and returns a [`Solution`] or an [`Explanation`] in words. It is a pure function: the same input
//! gives the same output, nothing is read or written.
//!
//! How it works, module by module:
//! - `index`: who provides what (capabilities, files, names), and the order of preference;
//! - `rich`, `rules`: a package's dependencies as clauses over packages;
//! - `engine`: runs `resolvo` over the clauses (the only module that knows that crate);
//! - `goals`: jobs and installed packages as root clauses;
//! - `stages`: the sequence of runs that makes it dnf's policy: keep what is installed, erase as
//!   little as possible, best versions, install-only limit, weak dependencies, cleaning;
//! - `weak`, `clean`: recommended packages, packages nobody needs any more;
//! - `actions`: the difference between installed and solved;
//! - `explain`: why there is no solution.
//!
//! Dependencies that are already broken among installed packages are ignored, as libsolv does.
//! Not supported: modules, more than one native architecture.
#![forbid(unsafe_code)]

mod actions;
mod clean;
mod engine;
mod explain;
mod goals;
mod index;
mod rich;
mod rules;
mod stages;
mod types;
mod weak;

pub use goals::owns_kernel;
pub use stages::solve;
pub use types::{
    Action, ActionKind, Candidate, CleanRequirements, Explanation, Job, Options, PackageId, Reason,
    SYSTEM_REPOSITORY, Skipped, Solution, Universe,
};
