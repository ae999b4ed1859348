// SPDX-License-Identifier: MIT OR Apache-2.0
//! Overlays: how each Debian package becomes ours, as data (`distro/packages/*.toml`).
//!
//! [`schema`] is the shape of the files (described in `docs/reference/overlays.md`), [`load`] reads and checks them,
//! [`suggest`] finds what a misspelt key was meant to be. [`crate::repack`] carries them out.

pub mod glob;
pub mod load;
pub mod schema;
pub mod suggest;

pub(crate) use load::parse_error;
pub use load::{Overlay, OverlayError, Overlays, Place};
