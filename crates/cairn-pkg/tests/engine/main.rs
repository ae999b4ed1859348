// SPDX-License-Identifier: MIT OR Apache-2.0
//! The transaction engine on small packages built for the purpose, in temporary roots.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod crash;
mod faults;
mod files;
mod install;
mod pairs;
mod race;
mod random;
mod scripts;
mod support;
mod undo;
