// SPDX-License-Identifier: MIT OR Apache-2.0
//! Repository metadata ("rpm-md"): `repomd.xml`, primary, filelists, other and comps.
//!
//! Readers are streaming and bounded ([`Limits`]) and refuse what `docs` lists as bad input: DTDs,
//! other checksums than SHA-256, locations outside the repository, wrong counts. Writers give the
//! same bytes for the same packages and are readable by libsolv, so by dnf and zypper. This module
//! works on decompressed XML; only [`build_repodata`] compresses, and nothing here does I/O.

mod build;
mod comps;
mod error;
mod filelists;
mod from_package;
pub mod index;
mod location;
mod package;
mod primary;
mod repomd;
mod updateinfo;
mod write;
mod xml;

pub use build::{BuiltFile, ExtraMetadata, RepodataOptions, build_repodata, build_repodata_with};
pub use comps::{
    Category, Comps, Environment, Group, GroupPackage, GroupPackageKind, parse_comps, write_comps,
};
pub use error::{Limits, PackageProblem, RepodataError, RepodataProblem};
pub use filelists::{PackageFiles, parse_filelists, parse_other};
pub use from_package::header_changelogs;
pub use location::check_location;
pub use package::{Changelog, RepoFile, RepoFileKind, RepoPackage, is_primary_path};
pub use primary::{PrimaryOutcome, parse_primary};
pub use repomd::{KEY_LIST, RepoMd, RepoMdRecord, VALID_UNTIL};
pub use updateinfo::{Advisory, AdvisoryPackage, AdvisoryReference, parse_updateinfo};
pub use write::{write_filelists, write_other, write_primary};

#[cfg(test)]
mod tests;
