// SPDX-License-Identifier: MIT OR Apache-2.0
//! The cases: files of `test/testcases` in Debian's source package of libsolv, newest suite, fetched through this machine's mirror.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;

use cairn::apt::packages::{Paragraph, compare_debian_versions, paragraphs};
use cairn::apt::release::Release;
use cairn::context::Context;
use cairn::lock::LockedFile;
use cairn_rpm::signature::Keyring;
use cairn_ui::{Color, Printer, Verbosity};

const SUITE: &str = "sid";
const PACKAGE: &str = "libsolv";

/// The files of the cases by name (`lock/best.t`), and the version of libsolv.
pub struct Source {
    pub version: String,
    pub files: BTreeMap<String, String>,
}

/// Returns the cases: those in the cache, else the newest ones of the mirror. The choice is kept until the cache is cleared.
pub fn open() -> Source {
    let printer = Arc::new(Printer::new(Verbosity::Quiet, Color::Never));
    let project = &cairn_testkit::package_directory();
    let ctx = Context::open(printer, project, None).unwrap();
    let mark = ctx.cache_dir("libsolv").unwrap().join("source");
    if let Ok(text) = std::fs::read_to_string(&mark)
        && let Some((version, digest)) = text.trim().split_once(' ')
    {
        let archive = cairn::fetch::cached_path(&ctx.cache, digest);
        if archive.is_file() {
            return Source { version: version.to_owned(), files: unpack(&archive, digest) };
        }
    }
    let file = fetch(&ctx);
    let archive = cairn::fetch::cached_path(&ctx.cache, &file.sha256);
    let files = unpack(&archive, &file.sha256);
    std::fs::write(mark, format!("{} {}\n", file.version, file.sha256)).unwrap();
    Source { version: file.version, files }
}

/// Downloads the upstream archive of the newest version into the cache, checked against the signed index.
fn fetch(ctx: &Context) -> LockedFile {
    let mut keyring = Keyring::new();
    let keys = ctx.distro_dir().join("keys/debian-archive-keyring.gpg");
    keyring.add(&std::fs::read(keys).unwrap()).unwrap();
    let archive = ctx.mirror().unwrap().archive(SUITE).to_owned();
    let release = Release::fetch(&ctx.fetcher, &archive, SUITE, &keyring).unwrap();
    let text = release.fetch_sources(&ctx.fetcher, &archive, "main").unwrap();
    let file = paragraphs(&text)
        .filter(|paragraph| paragraph.get("Package") == Some(PACKAGE))
        .map(|paragraph| upstream_archive(&paragraph))
        .max_by(|a, b| compare_debian_versions(&a.version, &b.version))
        .unwrap_or_else(|| panic!("{SUITE} has no source package {PACKAGE}"));
    let missing = cairn::fetch::missing(ctx, std::iter::once(&file));
    assert!(cairn::fetch::download(ctx, &missing).unwrap().is_empty(), "the mirror moved");
    file
}

/// Reads the `.orig.tar.gz` of a paragraph of `Sources`.
fn upstream_archive(paragraph: &Paragraph<'_>) -> LockedFile {
    let checksums = paragraph.get("Checksums-Sha256").unwrap();
    let line = checksums.lines().find(|line| line.ends_with(".orig.tar.gz")).unwrap();
    let [digest, size, name] = line.split_whitespace().collect::<Vec<_>>()[..] else {
        panic!("`{line}` is not `digest size name`")
    };
    LockedFile {
        name: PACKAGE.to_owned(),
        version: paragraph.get("Version").unwrap().to_owned(),
        arch: "source".to_owned(),
        source: PACKAGE.to_owned(),
        suite: SUITE.to_owned(),
        path: format!("{}/{name}", paragraph.get("Directory").unwrap()),
        size: size.parse().unwrap(),
        sha256: digest.to_owned(),
        uses: BTreeSet::new(),
        provides: String::new(),
    }
}

fn unpack(archive: &PathBuf, digest: &str) -> BTreeMap<String, String> {
    let bytes = std::fs::read(archive).unwrap();
    assert_eq!(cairn::digest::sha256_hex(&bytes), digest, "{}", archive.display());
    let mut files = BTreeMap::new();
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(bytes.as_slice()));
    for entry in tar.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().display().to_string();
        let Some((_, name)) = path.split_once("/test/testcases/") else { continue };
        if entry.header().entry_type().is_file() {
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            files.insert(name.to_owned(), text);
        }
    }
    files
}
