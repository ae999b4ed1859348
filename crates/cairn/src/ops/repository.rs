// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writes a signed RPM repository directory from finished packages.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result};
use cairn_host::Root;
use cairn_rpm::package::Package;
use cairn_rpm::repodata::{
    Comps, Group, GroupPackage, GroupPackageKind, RepoPackage, RepodataOptions, build_repodata,
};
use serde::Deserialize;

use crate::distro::load_toml;
use crate::ops::build::Build;
use crate::ops::packages::Packages;

/// zstd level of the metadata: it is read far more often than written.
const METADATA_LEVEL: i32 = 19;

/// `distro/groups.toml`: the comps groups.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Groups {
    #[serde(default)]
    group: Vec<GroupDefinition>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupDefinition {
    id: String,
    name: String,
    description: String,
    packages: Vec<String>,
    #[serde(default)]
    optional: Vec<String>,
}

/// Makes `directory` a repository of exactly these packages. Metadata is replaced after the packages are there.
pub fn write(build: &Build<'_>, packages: &Packages, directory: &Path) -> Result<()> {
    build.ctx.printer.info(&format!("Writing the repository {}", directory.display()));
    let root = Root::create(directory)?;
    root.mkdir_all("packages", 0o755)?;
    root.mkdir_all("repodata", 0o755)?;
    let mut described = Vec::new();
    let mut names = BTreeSet::new();
    for path in &packages.files {
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let location = format!("packages/{file}");
        described.push(describe(build, path, &location)?);
        place(path, &directory.join(&location))?;
        names.insert(file);
    }
    remove_others(&root, "packages", &names)?;
    let options = RepodataOptions {
        revision: build.upstream.lock.source_date.to_string(),
        timestamp: u64::from(build.upstream.lock.source_date),
        zstd_level: METADATA_LEVEL,
        content_tags: Vec::new(),
        distro_tags: vec![(
            format!("cpe:/o:cairn:cairn:{}", build.upstream.distro.version),
            format!("{} {}", build.upstream.distro.name, build.upstream.distro.version),
        )],
    };
    let comps = load_comps(build)?;
    let metadata =
        build_repodata(&described, Some(&comps), &options).context("compressing the metadata")?;
    write_metadata(build, &root, &metadata)
}

/// Returns the repository entry of one RPM; parsed once per file and kept beside it in the cache.
fn describe(_build: &Build<'_>, path: &Path, location: &str) -> Result<RepoPackage> {
    let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    let package = Package::parse(&mut bytes.as_slice())
        .with_context(|| format!("reading {}", path.display()))?;
    let sha256 = crate::digest::sha256_hex(&bytes);
    Ok(RepoPackage::from_package(&package, location, bytes.len() as u64, &sha256))
}

/// Hard-links the package from the cache, or copies it where the cache lies on another file system.
fn place(from: &Path, to: &Path) -> Result<()> {
    if let (Ok(a), Ok(b)) = (std::fs::metadata(from), std::fs::metadata(to)) {
        use std::os::unix::fs::MetadataExt as _;
        if (a.dev(), a.ino()) == (b.dev(), b.ino()) {
            return Ok(());
        }
        std::fs::remove_file(to).with_context(|| format!("replacing {}", to.display()))?;
    }
    if std::fs::hard_link(from, to).is_err() {
        std::fs::copy(from, to)
            .with_context(|| format!("copying {} to {}", from.display(), to.display()))?;
    }
    Ok(())
}

fn remove_others(root: &Root, directory: &str, wanted: &BTreeSet<String>) -> Result<()> {
    for name in root.read_dir(directory)? {
        if !wanted.contains(&name) {
            root.remove_file(format!("{directory}/{name}"))?;
        }
    }
    Ok(())
}

fn write_metadata(
    build: &Build<'_>,
    root: &Root,
    files: &[cairn_rpm::repodata::BuiltFile],
) -> Result<()> {
    let mut names = BTreeSet::from(["repomd.xml.asc".to_owned(), "repomd.xml.key".to_owned()]);
    for file in files {
        replace(root, &file.path, &file.bytes)?;
        names.insert(file.path.trim_start_matches("repodata/").to_owned());
        if file.path == "repodata/repomd.xml" {
            let signature =
                build.key.sign_detached_armored(&file.bytes, build.upstream.lock.source_date)?;
            replace(root, "repodata/repomd.xml.asc", signature.as_bytes())?;
            replace(root, "repodata/repomd.xml.key", build.key.public_armored()?.as_bytes())?;
        }
    }
    remove_others(root, "repodata", &names)
}

/// Writes a file unless it has that content already: what did not change keeps its time.
fn replace(root: &Root, path: &str, bytes: &[u8]) -> Result<()> {
    if root.exists(path)? && root.read(path)? == bytes {
        return Ok(());
    }
    Ok(root.write_atomic(path, bytes, 0o644)?)
}

fn load_comps(build: &Build<'_>) -> Result<Comps> {
    let groups: Groups = load_toml(&build.ctx.distro_dir().join("groups.toml"))?;
    let member = |name: &String, kind| GroupPackage { name: name.clone(), kind };
    let groups = groups
        .group
        .iter()
        .map(|group| Group {
            id: group.id.clone(),
            name: group.name.clone(),
            description: group.description.clone(),
            default: false,
            user_visible: true,
            display_order: None,
            lang_only: None,
            packages: group
                .packages
                .iter()
                .map(|name| member(name, GroupPackageKind::Mandatory))
                .chain(group.optional.iter().map(|name| member(name, GroupPackageKind::Optional)))
                .collect(),
        })
        .collect();
    Ok(Comps { groups, environments: Vec::new(), categories: Vec::new() })
}
