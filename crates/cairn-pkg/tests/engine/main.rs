// SPDX-License-Identifier: MIT OR Apache-2.0
//! The transaction engine on small packages built for the purpose, in temporary roots.

mod crash;
mod files;
mod install;
mod scripts;
mod support;
mod undo;
