// SPDX-License-Identifier: MIT OR Apache-2.0
//! The installer: one engine, thin front ends.
//!
//! - [`answers`]: what somebody wants, from a file or from questions; [`probe`]: what the machine is; [`software`]: what the medium
//!   offers; [`plan`]: the three together, a plain value that is shown and confirmed
//! - [`run`]: carries a plan out, step by step, and reads back that the result starts
//! - [`text`]: questions on a console or serial line; [`console`]: what a console does when the medium was started
//!
//! Nothing is written to any disk before a plan is confirmed. Passwords exist as crypt hashes only.

#![cfg_attr(
    test,
    allow(clippy::needless_raw_string_hashes, reason = "expect-test writes its texts that way")
)]

pub mod answers;
pub mod console;
mod crypt;
pub mod error;
pub mod medium;
pub mod plan;
pub mod probe;
pub mod run;
pub mod software;
pub mod text;

pub use error::InstallError;
