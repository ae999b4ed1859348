// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can be wrong with repository metadata, and the limits it must keep.

use crate::dependency::DependencyError;
use crate::evr::EvrError;

/// Bounds on what a metadata file may contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of (decompressed) XML.
    pub bytes: u64,
    /// Bytes of one tag or one piece of text.
    pub event_bytes: u64,
    /// Nested elements.
    pub depth: usize,
    /// Attributes of one element.
    pub attributes: usize,
    /// Packages in one file.
    pub packages: u64,
}

impl Default for Limits {
    /// Returns limits with room for ten times Fedora's largest repository.
    fn default() -> Self {
        Self {
            bytes: 8 << 30,
            event_bytes: 4 << 20,
            depth: 16,
            attributes: 32,
            packages: 1_000_000,
        }
    }
}

impl Limits {
    /// Returns limits for a file whose size `repomd.xml` states: not a byte more than that.
    pub fn for_size(bytes: u64) -> Self {
        Self { bytes, ..Self::default() }
    }

    /// Returns limits for `repomd.xml` itself: 1 MiB.
    pub fn for_repomd() -> Self {
        Self { bytes: 1 << 20, event_bytes: 1 << 16, ..Self::default() }
    }
}

/// A metadata file that cannot be used, with the place of the problem.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file} line {line}: {problem}")]
pub struct RepodataError {
    /// Which metadata file, for example `primary.xml`.
    pub file: &'static str,
    /// Line of the problem, from 1.
    pub line: u64,
    /// What is wrong.
    pub problem: RepodataProblem,
}

impl RepodataError {
    /// Returns what an operator can do about it, if anything.
    pub fn hint(&self) -> Option<&'static str> {
        match self.problem {
            RepodataProblem::NotMetadata { .. } => Some(
                "check the repository's baseurl; it must be the directory that holds repodata/",
            ),
            RepodataProblem::Truncated { .. } => Some("download the metadata again"),
            RepodataProblem::ChecksumType { .. } => {
                Some("create the repository's metadata again with SHA-256 checksums")
            }
            RepodataProblem::UnsafeLocation { .. } => {
                Some("do not use this repository: its metadata points outside of it")
            }
            _ => None,
        }
    }
}

/// What is wrong with metadata.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RepodataProblem {
    /// The file is something else.
    #[error("not repository metadata ({found})")]
    NotMetadata {
        /// What it looks like.
        found: String,
    },
    /// The file ends too early.
    #[error("truncated: the file ends inside <{element}>")]
    Truncated {
        /// The innermost open element.
        element: String,
    },
    /// A document type declaration, the way to entity bombs and external entities.
    #[error("DTD not allowed")]
    Dtd,
    /// An entity other than XML's five.
    #[error("entity `&{name};` not allowed")]
    Entity {
        /// The entity's name.
        name: String,
    },
    /// A declared encoding other than UTF-8.
    #[error("encoding {found} not allowed (expected UTF-8)")]
    Encoding {
        /// The encoding.
        found: String,
    },
    /// A bound of [`Limits`] is passed.
    #[error("more than {limit} {what}")]
    Limit {
        /// What there is too much of, with its unit.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// The XML is malformed.
    #[error("malformed XML: {message}")]
    Xml {
        /// The parser's message.
        message: String,
    },
    /// The input could not be read or decompressed.
    #[error("reading: {message}")]
    Read {
        /// The reader's message.
        message: String,
    },
    /// An href that leaves the repository.
    #[error("unsafe location \"{}\"", href.escape_debug())]
    UnsafeLocation {
        /// The location as given.
        href: String,
    },
    /// A checksum of another kind than SHA-256.
    #[error("checksum type `{found}` is not accepted (expected sha256)")]
    ChecksumType {
        /// The type as given.
        found: String,
    },
    /// A checksum that is not 64 hexadecimal digits.
    #[error("`{found}` is no SHA-256 checksum")]
    Checksum {
        /// The checksum as given.
        found: String,
    },
    /// Something that must be there is not.
    #[error("<{element}> is missing")]
    Missing {
        /// The element or attribute.
        element: &'static str,
    },
    /// Something is there twice.
    #[error("two `{what}`")]
    Duplicate {
        /// What is there twice.
        what: String,
    },
    /// A number that is none.
    #[error("{what} `{found}` is not a number")]
    Number {
        /// Which value.
        what: &'static str,
        /// The text found.
        found: String,
    },
    /// A value outside its set.
    #[error("{what} `{found}` is not known")]
    Value {
        /// Which value.
        what: &'static str,
        /// The text found.
        found: String,
    },
    /// The declared number of packages is wrong.
    #[error("{found} packages found, {declared} declared")]
    Count {
        /// The number in the root element.
        declared: u64,
        /// The number of packages in the file.
        found: u64,
    },
    /// A dependency that cannot be read.
    #[error(transparent)]
    Dependency(#[from] DependencyError),
    /// A version that cannot be read.
    #[error(transparent)]
    Evr(#[from] EvrError),
}

/// A package that cannot be used although its metadata file as a whole can.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("package {package}: {error}")]
pub struct PackageProblem {
    /// The package's name, or what is known of it.
    pub package: String,
    /// What is wrong and where.
    pub error: RepodataError,
}
