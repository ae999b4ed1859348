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

/// Writes all packages into one document.
type WriteDocument = fn(&[RepoPackage]) -> String;

/// A metadata file that does not come from packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtraMetadata {
    /// How repomd.xml names it.
    pub record: RepoMdRecord,
    /// Its content as it is stored.
    pub bytes: Vec<u8>,
}

impl ExtraMetadata {
    /// A file that is stored as it is; `timestamp` in Unix seconds.
    pub fn plain(kind: &str, name: &str, bytes: Vec<u8>, timestamp: u64) -> Self {
        Self { record: record(kind, name, &bytes, timestamp), bytes }
    }

    /// A file that is stored compressed with zstd, at a time in Unix seconds and a level. Fails only when zstd does.
    pub fn compressed(
        kind: &str,
        name: &str,
        document: &[u8],
        (timestamp, level): (u64, i32),
    ) -> std::io::Result<Self> {
        let bytes = zstd::bulk::compress(document, level)?;
        let mut record = record(kind, &format!("{name}.zst"), &bytes, timestamp);
        record.open_checksum = Some(hex::encode(Sha256::digest(document)));
        record.open_size = Some(document.len() as u64);
        Ok(Self { record, bytes })
    }
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
    let group = comps.map(|comps| {
        // Not compressed, which every reader of comps.xml understands.
        let bytes = write_comps(&comps.described()).into_bytes();
        ExtraMetadata::plain("group", "comps.xml", bytes, options.timestamp)
    });
    build_repodata_with(packages.to_vec(), group.into_iter().collect(), options)
}

/// As [`build_repodata`], with any further metadata. The documents are written side by side.
pub fn build_repodata_with(
    mut packages: Vec<RepoPackage>,
    extras: Vec<ExtraMetadata>,
    options: &RepodataOptions,
) -> std::io::Result<Vec<BuiltFile>> {
    packages
        .sort_by(|a, b| (&a.nevra, &a.location, &a.pkgid).cmp(&(&b.nevra, &b.location, &b.pkgid)));
    let documents: [(&str, WriteDocument); 3] =
        [("primary", write_primary), ("filelists", write_filelists), ("other", write_other)];
    let packages = packages.as_slice();
    let made = std::thread::scope(|scope| {
        let threads = documents.map(|(kind, write)| {
            scope.spawn(move || {
                let how = (options.timestamp, options.zstd_level);
                let document = write(packages);
                ExtraMetadata::compressed(kind, &format!("{kind}.xml"), document.as_bytes(), how)
            })
        });
        threads.map(|thread| match thread.join() {
            Ok(made) => made,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    });
    let mut repomd = RepoMd {
        revision: options.revision.clone(),
        content_tags: options.content_tags.clone(),
        distro_tags: options.distro_tags.clone(),
        records: Vec::new(),
    };
    let mut files = Vec::new();
    for file in made.into_iter().chain(extras.into_iter().map(Ok)) {
        let ExtraMetadata { record, bytes } = file?;
        files.push(BuiltFile { path: record.location.clone(), bytes });
        repomd.records.push(record);
    }
    let bytes = repomd.write().into_bytes();
    files.push(BuiltFile { path: "repodata/repomd.xml".to_owned(), bytes });
    Ok(files)
}

fn record(kind: &str, name: &str, bytes: &[u8], timestamp: u64) -> RepoMdRecord {
    let checksum = hex::encode(Sha256::digest(bytes));
    RepoMdRecord {
        kind: kind.to_owned(),
        location: format!("repodata/{checksum}-{name}"),
        checksum,
        size: Some(bytes.len() as u64),
        open_checksum: None,
        open_size: None,
        timestamp,
    }
}
