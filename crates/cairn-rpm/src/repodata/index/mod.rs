// SPDX-License-Identifier: MIT OR Apache-2.0
//! A package index: primary.xml in a form that needs no parsing, so that a command reads only the packages it is about.
//!
//! It is a derived file: made from primary.xml once, named after its checksum, thrown away with it, and made again when it is
//! damaged. Nothing outside of this module knows its layout.

mod builder;
mod fast;
mod format;
mod reader;
mod strings;

pub use builder::IndexBuilder;
pub use fast::{FastOutcome, index_primary};
pub use reader::{IndexedPackage, PackageIndex, StringId};

#[cfg(test)]
mod tests;

/// Why an index cannot be used. It is made again then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// It is not an index, or one of another version.
    #[error("not a package index of this version")]
    Format,
    /// Its parts do not fit together.
    #[error("the package index is damaged")]
    Damaged,
    /// It was made from another file.
    #[error("the package index belongs to other metadata")]
    Source,
    /// More than 32-bit numbers can count.
    #[error("more than the package index can hold")]
    TooLarge,
}

/// A list of dependencies of a package, in the order of primary.xml.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum List {
    /// Provides.
    Provides,
    /// Requires.
    Requires,
    /// Conflicts.
    Conflicts,
    /// Obsoletes.
    Obsoletes,
    /// Suggests.
    Suggests,
    /// Enhances.
    Enhances,
    /// Recommends.
    Recommends,
    /// Supplements.
    Supplements,
}

impl List {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Provides,
        Self::Requires,
        Self::Conflicts,
        Self::Obsoletes,
        Self::Suggests,
        Self::Enhances,
        Self::Recommends,
        Self::Supplements,
    ];
}
