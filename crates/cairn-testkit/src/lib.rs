// SPDX-License-Identifier: MIT OR Apache-2.0
//! Shared by tests, never shipped: running a program and showing what it did as text ([`Session`]), replacing what differs from run to
//! run ([`Filters`]), listing a directory as text ([`tree_text`]), reading the command lines of the guide
//! ([`guide_commands`]). Machines are booted with `cairn::vm`.

mod filters;
mod guide;
mod session;
mod tree;

pub use filters::Filters;
pub use guide::{GuideCommand, guide_commands};
pub use session::Session;
pub use tree::tree_text;
