// SPDX-License-Identifier: MIT OR Apache-2.0
//! One package as repository metadata describes it.

use serde::{Deserialize, Serialize};

use crate::dependency::Dependency;
use crate::evr::Nevra;

/// A package in a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepoPackage {
    /// SHA-256 of the whole .rpm file, 64 lower-case hexadecimal digits.
    pub pkgid: String,
    /// Name, EVR and architecture.
    pub nevra: Nevra,
    /// Path of the .rpm file below the repository (checked by [`super::check_location`]).
    pub location: String,
    /// `xml:base`: another base URL for `location`. `None` nearly always; not to be trusted.
    pub base: Option<String>,
    /// One-line summary.
    pub summary: String,
    /// Description.
    pub description: String,
    /// Home page.
    pub url: String,
    /// Licence expression.
    pub license: String,
    /// Vendor.
    pub vendor: String,
    /// rpm's old package group.
    pub group: String,
    /// Host the package was built on.
    pub buildhost: String,
    /// File name of the source package.
    pub sourcerpm: String,
    /// Packager.
    pub packager: String,
    /// Modification time of the .rpm file, Unix seconds.
    pub time_file: u64,
    /// Build time, Unix seconds.
    pub time_build: u64,
    /// Size of the .rpm file, bytes.
    pub size_package: u64,
    /// Size of the installed files, bytes.
    pub size_installed: u64,
    /// Size of the uncompressed payload, bytes.
    pub size_archive: u64,
    /// Offset of the main header in the .rpm file.
    pub header_start: u64,
    /// Offset of the first byte after the main header.
    pub header_end: u64,
    /// Provides, without the package's files.
    pub provides: Vec<Dependency>,
    /// Requires, without `rpmlib(…)`.
    pub requires: Vec<Dependency>,
    /// Conflicts.
    pub conflicts: Vec<Dependency>,
    /// Obsoletes.
    pub obsoletes: Vec<Dependency>,
    /// Recommends.
    pub recommends: Vec<Dependency>,
    /// Suggests.
    pub suggests: Vec<Dependency>,
    /// Supplements.
    pub supplements: Vec<Dependency>,
    /// Enhances.
    pub enhances: Vec<Dependency>,
    /// Files. From primary.xml only those of [`is_primary_path`]; filelists.xml has all.
    pub files: Vec<RepoFile>,
    /// Change log, newest first. Only in other.xml.
    pub changelogs: Vec<Changelog>,
}

/// A file in a package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RepoFile {
    /// Absolute path.
    pub path: String,
    /// File, directory or ghost.
    pub kind: RepoFileKind,
}

/// What a [`RepoFile`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RepoFileKind {
    /// A file, symbolic link or device.
    File,
    /// A directory.
    Directory,
    /// A file that is not in the payload.
    Ghost,
}

impl RepoFileKind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Directory => "dir",
            Self::Ghost => "ghost",
        }
    }
}

/// An entry of a change log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changelog {
    /// Author, as rpm stores it: name, address and often the version.
    pub author: String,
    /// Unix seconds.
    pub time: u64,
    /// The text.
    pub text: String,
}

/// Says whether primary.xml lists the file: what createrepo puts there, so that most file
/// dependencies resolve without filelists.xml.
pub fn is_primary_path(path: &str) -> bool {
    path.starts_with("/etc/") || path.contains("bin/") || path == "/usr/lib/sendmail"
}
