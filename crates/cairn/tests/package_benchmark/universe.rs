// SPDX-License-Identifier: MIT OR Apache-2.0
//! The large input: every package of Debian trixie's main archive, described as rpm-md. Only the metadata; no package is fetched.

use std::collections::BTreeSet;
use std::path::PathBuf;

use cairn::apt::packages::{Paragraph, paragraphs};
use cairn::apt::release::Release;
use cairn::context::Context;
use cairn::repack::dependencies::{
    self, Atom, NameFilter, PackageSet, debian_evr, our_evr, parse_relations, translate,
};
use cairn_rpm::dependency::Dependency;
use cairn_rpm::evr::Nevra;
use cairn_rpm::repodata::{RepoPackage, RepodataOptions, build_repodata};

/// Raise when the conversion changes.
const VERSION: u32 = 1;
const SUITE: &str = "trixie";

/// Makes the repository in the cache unless it is there; returns its directory.
pub fn open(ctx: &Context) -> PathBuf {
    let archive = ctx.mirror().unwrap().archive(SUITE).to_owned();
    let release =
        Release::fetch(&ctx.fetcher, &archive, SUITE, &super::peers::keyring(ctx)).unwrap();
    let name = format!("trixie-{}-{VERSION}", release.date);
    let directory = ctx.cache_dir("bench").unwrap().join(name);
    if directory.join("repodata/repomd.xml").is_file() {
        return directory;
    }
    let text = release.fetch_packages(&ctx.fetcher, &archive, "main", "amd64").unwrap();
    let packages = convert(&text);
    let options = RepodataOptions {
        revision: release.date.to_string(),
        timestamp: release.date as u64,
        zstd_level: 10,
        content_tags: Vec::new(),
        distro_tags: Vec::new(),
    };
    std::fs::create_dir_all(directory.join("repodata")).unwrap();
    for file in build_repodata(&packages, None, &options).unwrap() {
        std::fs::write(directory.join(file.path), file.bytes).unwrap();
    }
    directory
}

fn convert(text: &str) -> Vec<RepoPackage> {
    let set = names(text);
    let mut seen = BTreeSet::new();
    let packages = paragraphs(text).filter_map(|paragraph| package(&paragraph, &set));
    packages.filter(|package| seen.insert(package.pkgid.clone())).collect()
}

fn names(text: &str) -> PackageSet {
    let mut set = PackageSet::default();
    for paragraph in paragraphs(text) {
        let name = paragraph.get("Package").unwrap_or_default().to_owned();
        let provided = parse_relations(paragraph.get("Provides").unwrap_or_default()).unwrap();
        set.virtual_names.extend(provided.into_iter().flatten().map(|atom| atom.name));
        set.names.insert(name.clone(), name);
    }
    set
}

fn package(paragraph: &Paragraph<'_>, set: &PackageSet) -> Option<RepoPackage> {
    let field = |name| paragraph.get(name).unwrap_or_default();
    let number = |name| field(name).parse::<u64>().unwrap_or(0);
    let name = field("Package").to_owned();
    let arch = if field("Architecture") == "all" { "noarch" } else { "x86_64" };
    let evr = our_evr(field("Version"));
    let mut provides = vec![Dependency::parse(&format!("{name} = {evr}")).unwrap()];
    let own = dependencies::provides(&name, field("Version"), field("Provides")).unwrap();
    provides.extend(own.iter().map(|text| Dependency::parse(text).unwrap()));
    let depends = [field("Pre-Depends"), field("Depends")].join(",");
    let description = field("Description").to_owned();
    let source = field("Source").split(' ').next().filter(|source| !source.is_empty());
    Some(RepoPackage {
        pkgid: field("SHA256").to_owned(),
        sourcerpm: format!("{}-{}.src.rpm", source.unwrap_or(&name), debian_evr(field("Version"))),
        nevra: Nevra { name: name.clone(), evr, arch: arch.to_owned() },
        location: field("Filename").to_owned(),
        summary: description.clone(),
        description,
        url: field("Homepage").to_owned(),
        license: "Debian".to_owned(),
        packager: field("Maintainer").to_owned(),
        group: field("Section").to_owned(),
        size_package: number("Size"),
        size_installed: number("Installed-Size") * 1024,
        provides,
        requires: relations(&depends, set),
        recommends: relations(field("Recommends"), set),
        conflicts: conflicts(&name, &[field("Conflicts"), field("Breaks")].join(","), set),
        ..RepoPackage::default()
    })
}

fn relations(field: &str, set: &PackageSet) -> Vec<Dependency> {
    let filter = NameFilter::default();
    let groups = parse_relations(field).unwrap();
    let translated = groups.iter().filter_map(|group| translate(group, set, &filter).rpm);
    let mut found: Vec<Dependency> =
        translated.map(|text| Dependency::parse(&text).unwrap()).collect();
    found.dedup();
    found
}

/// In RPM an unversioned Provides meets every version that a conflict names, in Debian none: such conflicts are left out.
fn conflicts(name: &str, field: &str, set: &PackageSet) -> Vec<Dependency> {
    let applies = |atom: &Atom| {
        atom.name != name
            && atom.architecture.is_none()
            && (atom.constraint.is_none() || !set.virtual_names.contains(&atom.name))
    };
    let atoms = parse_relations(field).unwrap().into_iter().flatten().filter(applies);
    atoms.map(|atom| Dependency::parse(&atom.to_rpm()).unwrap()).collect()
}
