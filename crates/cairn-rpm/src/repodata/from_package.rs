// SPDX-License-Identifier: MIT OR Apache-2.0
//! Repository metadata out of a package file.

use super::package::{Changelog, RepoFile, RepoFileKind, RepoPackage, is_primary_path};
use crate::dependency::Dependency;
use crate::header::Header;
use crate::package::Package;
use crate::tag;
use std::collections::BTreeSet;

/// Change log entries kept, as createrepo does.
const CHANGELOG_LIMIT: usize = 10;

impl RepoPackage {
    /// Describes a package file for a repository.
    ///
    /// `location` is its path below the repository, `size` its length in bytes and `sha256` its
    /// digest (lower-case hexadecimal). The file's time is set to the build time, so that the
    /// result depends on the package alone. `rpmlib(…)` requirements and repeated dependencies are
    /// left out, and those on files of primary.xml that the package has itself; files keep the header's order.
    pub fn from_package(package: &Package, location: &str, size: u64, sha256: &str) -> Self {
        let header = &package.header;
        let text = |tag| header.string(tag).unwrap_or_default().to_owned();
        let build_time = header.u32(tag::BUILDTIME).map_or(0, u64::from);
        let files = files(package);
        let mut nevra = header.nevra();
        if header.is_source() {
            "src".clone_into(&mut nevra.arch);
        }
        Self {
            pkgid: sha256.to_owned(),
            nevra,
            location: location.to_owned(),
            base: None,
            summary: text(tag::SUMMARY),
            description: text(tag::DESCRIPTION),
            url: text(tag::URL),
            license: text(tag::LICENSE),
            vendor: text(tag::VENDOR),
            group: text(tag::GROUP),
            buildhost: text(tag::BUILDHOST),
            sourcerpm: text(tag::SOURCERPM),
            packager: text(tag::PACKAGER),
            time_file: build_time,
            time_build: build_time,
            size_package: size,
            size_installed: header.installed_size(),
            size_archive: archive_size(package),
            header_start: package.header_start,
            header_end: package.header_end,
            provides: distinct(header.provides()),
            requires: requires(package, &files),
            conflicts: distinct(header.conflicts()),
            obsoletes: distinct(header.obsoletes()),
            recommends: distinct(header.recommends()),
            suggests: distinct(header.suggests()),
            supplements: distinct(header.supplements()),
            enhances: distinct(header.enhances()),
            files,
            changelogs: header_changelogs(&package.header),
        }
    }
}

fn archive_size(package: &Package) -> u64 {
    let signature = &package.signature_header;
    signature
        .u64(tag::LONGARCHIVESIZE)
        .or_else(|| signature.u32(tag::signature::PAYLOADSIZE).map(u64::from))
        .or_else(|| package.header.u32(tag::ARCHIVESIZE).map(u64::from))
        .unwrap_or(0)
}

/// Drops repetitions; the first one stays and takes over the others' sense bits.
fn distinct(dependencies: Vec<Dependency>) -> Vec<Dependency> {
    let mut kept: Vec<Dependency> = Vec::with_capacity(dependencies.len());
    let mut places = std::collections::BTreeMap::new();
    for dependency in dependencies {
        let key = dependency.to_string();
        if let Some(&place) = places.get(&key) {
            let first: &mut Dependency = &mut kept[place];
            first.sense |= dependency.sense;
        } else {
            places.insert(key, kept.len());
            kept.push(dependency);
        }
    }
    kept
}

fn requires(package: &Package, files: &[RepoFile]) -> Vec<Dependency> {
    let mut requires = package.header.requires();
    requires.retain(|dependency| !dependency.is_rpmlib());
    // As createrepo_c, without the files of primary.xml that the package has itself.
    if requires.iter().any(|dependency| is_primary_path(&dependency.name)) {
        let own: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
        requires.retain(|dependency| {
            !(is_primary_path(&dependency.name) && own.contains(dependency.name.as_str()))
        });
    }
    distinct(requires)
}

fn files(package: &Package) -> Vec<RepoFile> {
    package
        .header
        .files()
        .into_iter()
        .map(|file| {
            let kind = if file.is_directory() {
                RepoFileKind::Directory
            } else if file.is_ghost() {
                RepoFileKind::Ghost
            } else {
                RepoFileKind::File
            };
            RepoFile { path: file.path, kind }
        })
        .collect()
}

/// Returns the change log of a header, newest entries first, no more than repository metadata has.
pub fn header_changelogs(header: &Header) -> Vec<Changelog> {
    let times = header.u32s(tag::CHANGELOGTIME).into_iter();
    let authors = header.strings(tag::CHANGELOGNAME);
    let texts = header.strings(tag::CHANGELOGTEXT);
    times
        .zip(authors)
        .zip(texts)
        .take(CHANGELOG_LIMIT)
        .map(|((time, author), text)| Changelog {
            author: author.to_owned(),
            time: u64::from(time),
            text: text.to_owned(),
        })
        .collect()
}
