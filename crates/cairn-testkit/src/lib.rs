// SPDX-License-Identifier: MIT OR Apache-2.0
//! Shared by tests, never shipped: running a program and showing what it did as text ([`Session`]), replacing what differs from run to
//! run ([`Filters`]), listing a directory as text ([`tree_text`]), reading the command lines of the guide
//! ([`guide_commands`]), knowing the checkout ([`package_directory`]). Machines are booted with `cairn::vm`.

mod filters;
mod guide;
mod session;
mod tree;

pub use filters::Filters;
pub use guide::{GuideCommand, guide_commands};
pub use session::Session;
pub use tree::tree_text;

/// Returns the directory of the package whose test runs, as cargo says it now.
///
/// `env!` would say where it was compiled: in a target directory that several checkouts share that may have been another one.
///
/// # Panics
/// The test was not started by cargo or nextest.
pub fn package_directory() -> std::path::PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo starts the tests").into()
}
