// SPDX-License-Identifier: MIT OR Apache-2.0
//! dnf5's commands, one module each: success, empty, refusal, JSON.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test may stop")]

#[path = "../common/mod.rs"]
mod common;

mod advisory;
mod choices;
mod config_manager;
mod decisions;
mod groups;
mod history;
mod mixed;
mod offline;
mod options;
mod restarting;
mod selections;
mod sources;
mod versionlock;
