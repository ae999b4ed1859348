// SPDX-License-Identifier: MIT OR Apache-2.0
//! A whole `repodata/` directory, as bytes.

use sha2::{Digest, Sha256};

use super::comps::{Comps, write_comps};
use super::package::RepoPackage;
use super::repomd::{RepoMd, RepoMdRecord};
use super::write::{write_filelists, write_other, write_primary};

/// How [`build_repodata`] writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepodataOptions {
    /// The revision in repomd.xml; a number that only grows, for example the build's Unix time.
    pub revision: String,
    /// Time stamp of the records, Unix seconds.
    pub timestamp: u64,
    /// zstd level of the metadata files, 1 to 19.
    pub zstd_level: i32,
    /// `<tags><content>` of repomd.xml.
    pub content_tags: Vec<String>,
    /// `<tags><distro>` of repomd.xml: (CPE, text).
    pub distro_tags: Vec<(String, String)>,
}

/// A file to write below the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltFile {
    /// Path below the repository, `repodata/…`.
    pub path: String,
    /// Content.
    pub bytes: Vec<u8>,
}

/// Builds `repodata/`: primary, filelists, other, group when there are any, and repomd.xml last.
///
/// Packages are sorted by NEVRA and location, so their order does not matter. Signing
/// `repodata/repomd.xml` is the caller's work. Fails only when zstd does.
pub fn build_repodata(
    packages: &[RepoPackage],
    comps: Option<&Comps>,
    options: &RepodataOptions,
) -> std::io::Result<Vec<BuiltFile>> {
    let mut packages = packages.to_vec();
    packages
        .sort_by(|a, b| (&a.nevra, &a.location, &a.pkgid).cmp(&(&b.nevra, &b.location, &b.pkgid)));
    let documents = [
        ("primary", "primary.xml", write_primary(&packages)),
        ("filelists", "filelists.xml", write_filelists(&packages)),
        ("other", "other.xml", write_other(&packages)),
    ];
    let mut repomd = RepoMd {
        revision: options.revision.clone(),
        content_tags: options.content_tags.clone(),
        distro_tags: options.distro_tags.clone(),
        records: Vec::new(),
    };
    let mut files = Vec::new();
    for (kind, name, document) in documents {
        let bytes = zstd::bulk::compress(document.as_bytes(), options.zstd_level)?;
        let mut record = record(kind, &format!("{name}.zst"), &bytes, options);
        record.open_checksum = Some(hex::encode(Sha256::digest(document.as_bytes())));
        record.open_size = Some(document.len() as u64);
        files.push(BuiltFile { path: record.location.clone(), bytes });
        repomd.records.push(record);
    }
    if let Some(comps) = comps {
        // Not compressed, which every reader of comps.xml understands.
        let bytes = write_comps(comps).into_bytes();
        let record = record("group", "comps.xml", &bytes, options);
        files.push(BuiltFile { path: record.location.clone(), bytes });
        repomd.records.push(record);
    }
    let bytes = repomd.write().into_bytes();
    files.push(BuiltFile { path: "repodata/repomd.xml".to_owned(), bytes });
    Ok(files)
}

fn record(kind: &str, name: &str, bytes: &[u8], options: &RepodataOptions) -> RepoMdRecord {
    let checksum = hex::encode(Sha256::digest(bytes));
    RepoMdRecord {
        kind: kind.to_owned(),
        location: format!("repodata/{checksum}-{name}"),
        checksum,
        size: Some(bytes.len() as u64),
        open_checksum: None,
        open_size: None,
        timestamp: options.timestamp,
    }
}
