// SPDX-License-Identifier: MIT OR Apache-2.0
//! The operations, one file each. They compute, fetch and write; words are left to [`crate::commands`].

pub mod build;
pub mod explain;
pub mod lock;
pub mod packages;
pub mod python;
pub mod repository;
pub mod upstream;
pub mod vm;
pub mod workspace;
