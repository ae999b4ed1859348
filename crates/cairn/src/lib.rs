// SPDX-License-Identifier: MIT OR Apache-2.0
//! The build host's program: upstream archive → signed RPMs → images.
//!
//! Start reading at [`ops`]: each operation is one function that reads like a table of contents. [`commands`] turns the
//! command line into those calls and words.
//!
//! | files | module |
//! |---|---|
//! | `distro/distro.toml`, `distro/images/*.toml` | [`distro`] |
//! | `distro/packages/*.toml` | [`overlay`] |
//! | `distro/cairn.lock` | [`lock`] |
//! | cache: `files/` downloads by SHA-256, `tools/` tools trees, `rpms/` re-packaged packages, `keys/` | [`context`] |

pub mod apt;
pub mod commands;
pub mod compose;
pub mod context;
pub mod deb;
pub mod digest;
pub mod distro;
pub mod error;
pub mod fetch;
pub mod keys;
pub mod lock;
pub mod ops;
pub mod overlay;
pub mod repack;
pub mod serve;
pub mod tools;
pub mod vm;
