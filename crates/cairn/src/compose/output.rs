// SPDX-License-Identifier: MIT OR Apache-2.0
//! What accompanies an image: checksum, signature and manifest.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use cairn_rpm::package::Package;
use serde::Serialize;

use super::stage::Staged;
use crate::ops::build::Build;
use crate::ops::packages::{Origin, Packages};

/// Returns the file name of an image; the default profile needs no name of its own.
pub fn image_name(build: &Build<'_>, profile: &str, extension: &str) -> String {
    let distro = &build.upstream.distro;
    let profile = if profile == "default" { String::new() } else { format!("-{profile}") };
    format!("{}-linux-{}{profile}-x86_64.{extension}", distro.id, distro.version)
}

/// `IMAGE.manifest.json`.
#[derive(Debug, Serialize)]
struct ImageManifest<'a> {
    image: String,
    sha256: &'a str,
    size: u64,
    source_date: u32,
    toolchain: String,
    packages: Vec<PackageRow<'a>>,
    /// Packages that the image carries as files, for the installer to install.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    repository: Vec<PackageRow<'a>>,
}

/// One package of an image.
#[derive(Debug, Serialize)]
struct PackageRow<'a> {
    nevra: String,
    license: String,
    installed_size: u64,
    rpm_size: u64,
    rpm_sha256: String,
    origin: &'a Origin,
}

/// Writes `.sha256`, `.asc` and `.manifest.json` beside the image; returns all paths, the image first.
///
/// `carried` are the RPM files that lie on the image without being installed.
pub fn publish<'a>(
    build: &Build<'_>,
    packages: &'a Packages,
    staged: &'a Staged,
    carried: &'a [PathBuf],
    image: &Path,
) -> Result<Vec<PathBuf>> {
    build.ctx.printer.info("Signing the image");
    let name = image.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let sha256 = crate::digest::sha256_file(image)
        .with_context(|| format!("reading {}", image.display()))?;
    let size =
        std::fs::metadata(image).with_context(|| format!("reading {}", image.display()))?.len();
    let manifest = ImageManifest {
        image: name.clone(),
        sha256: &sha256,
        size,
        source_date: build.upstream.lock.source_date,
        toolchain: crate::ops::toolchain()?,
        packages: rows(packages, staged.installed.iter().map(|(path, _)| path))?,
        repository: rows(packages, carried.iter())?,
    };
    let checksum = format!("{sha256}  {name}\n");
    let signature =
        build.key.sign_detached_armored(checksum.as_bytes(), build.upstream.lock.source_date)?;
    let root = cairn_host::Root::open(&build.out)?;
    let mut made = vec![image.to_owned()];
    for (suffix, text) in [
        ("sha256", checksum),
        ("sha256.asc", signature),
        ("manifest.json", format!("{}\n", serde_json::to_string_pretty(&manifest)?)),
    ] {
        let file = format!("{name}.{suffix}");
        root.write_atomic(&file, text.as_bytes(), 0o644)?;
        made.push(build.out.join(file));
    }
    Ok(made)
}

fn rows<'a>(
    packages: &'a Packages,
    files: impl Iterator<Item = &'a PathBuf>,
) -> Result<Vec<PackageRow<'a>>> {
    files
        .map(|path| {
            let bytes =
                std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
            let package = Package::parse(&mut bytes.as_slice())?;
            let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let origin =
                packages.origins.get(&file).with_context(|| format!("{file} has no origin"))?;
            Ok(PackageRow {
                nevra: package.header.nevra().to_string(),
                license: package
                    .header
                    .string(cairn_rpm::tag::LICENSE)
                    .unwrap_or_default()
                    .to_owned(),
                installed_size: package.header.installed_size(),
                rpm_size: bytes.len() as u64,
                rpm_sha256: crate::digest::sha256_hex(&bytes),
                origin,
            })
        })
        .collect()
}
