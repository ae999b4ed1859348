// SPDX-License-Identifier: MIT OR Apache-2.0
//! The two command lines of the package engine: [`dnf`] with dnf5's options and texts, [`rpm`] with rpm's.
//!
//! | module | is |
//! |---|---|
//! | [`dnf`] | options, one module per command, tables, the transaction dialogue |
//! | [`rpm`] | option parser of rpm's own kind, queries and query formats, verification, installing, keys |
//! | [`keys`] | `gpg-pubkey` packages: the keys both trust |
//! | [`failure`] | what ends a command: texts and exit code |

pub mod dnf;
pub mod failure;
pub mod keys;
pub mod rpm;
