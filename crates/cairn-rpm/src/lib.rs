// SPDX-License-Identifier: MIT OR Apache-2.0
//! RPM packages, headers, signatures, dependencies and repository metadata, without any I/O.
//!
//! Map:
//! - [`package`]: package files; [`header`]: their tags; [`payload`]: their files; [`tag`]: numbers
//! - [`signature`]: keys, signatures, and [`signature::Verified`] packages
//! - [`build`]: new packages
//! - [`evr`], [`dependency`]: versions and what packages say about each other
//! - [`repodata`]: rpm-md repository metadata
//! - [`macros`]: rpm's macros, as far as queries and scriptlets need them
//! - [`error`]: why a package was refused
//!
//! Everything read here comes from strangers: lengths are bounded, nothing is trusted that was not
//! checked, and no function reads a clock, a file or the environment.
#![forbid(unsafe_code)]

pub mod build;
pub mod dependency;
pub mod error;
pub mod evr;
pub mod header;
pub mod macros;
pub mod package;
pub mod payload;
pub mod repodata;
pub mod signature;
pub mod tag;
#[cfg(test)]
mod testing;
