// SPDX-License-Identifier: MIT OR Apache-2.0
//! Packages, installed and available, as one list that can be searched: the [`Sack`].

pub mod filter;
pub mod glob;
pub mod providers;
pub mod sack;
pub mod selection;
pub mod spec;

pub use sack::{Details, Origin, Sack, SackBuilder, SackPackage};
pub use spec::{MatchKind, SpecScope, match_argument, match_question, match_spec};
