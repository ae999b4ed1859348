// SPDX-License-Identifier: MIT OR Apache-2.0
//! One function per parser of untrusted bytes: it may refuse anything, and must neither panic, nor hang, nor take memory that the
//! input does not justify.
//!
//! Where digests would hide the code behind them (packages), the input is a package in parts and the digests are made anew.

mod seeds;

use std::io::Cursor;

use cairn_pkg::repos::key_list::KeyList;
use cairn_rpm::dependency::RichDependency;
use cairn_rpm::evr::{Evr, Nevra};
use cairn_rpm::header::{Header, MAGIC, Value, Values, write_region};
use cairn_rpm::package::Package;
use cairn_rpm::repodata::index::{FastOutcome, IndexBuilder, PackageIndex, index_primary};
use cairn_rpm::repodata::{
    Limits, RepoMd, parse_comps, parse_filelists, parse_other, parse_primary, parse_updateinfo,
};
use cairn_rpm::signature::{Keyring, Verified};
use cairn_rpm::tag;
use sha2::{Digest as _, Sha256};

pub use seeds::seeds;

/// Every target: its name and what it does with an input.
pub const TARGETS: &[(&str, fn(&[u8]))] = &[
    ("package", package),
    ("sealed", sealed),
    ("header", header),
    ("payload", payload),
    ("repomd", repomd),
    ("primary", primary),
    ("index", index),
    ("filelists", filelists),
    ("comps", comps),
    ("repofile", repofile),
    ("key", key),
    ("deb", deb),
    ("overlay", overlay),
    ("lock", lock),
    ("journal", journal),
    ("dependency", dependency),
    ("updateinfo", updateinfo),
    ("mirrors", mirrors),
    ("answers", answers),
    ("release", release),
    ("boot", boot),
];

/// Most bytes of files that are read out of a package; more is only more of the same.
const READ_LIMIT: usize = 16 << 20;

/// A package file as it is.
fn package(data: &[u8]) {
    if let Ok(verified) = Verified::<Package>::accept_unsigned(data) {
        read_files(&verified, data);
    }
    if let Ok(package) = Package::parse(&mut &data[..]) {
        look_at(&package.header);
        read_files(&package, data);
    }
    let _ = Keyring::new().verify_package(data);
}

/// A package whose digests are right whatever it holds: 4 bytes length of the header, header, payload.
fn sealed(data: &[u8]) {
    let Some((length, rest)) = data.split_first_chunk::<4>() else { return };
    let length = (u32::from_be_bytes(*length) as usize).min(rest.len());
    let (header, payload) = rest.split_at(length);
    let header = [&MAGIC, header].concat();
    let size = u32::try_from(header.len() + payload.len()).unwrap_or(u32::MAX);
    let signature = Values::from([
        (tag::SHA256HEADER, Value::text(hex::encode(Sha256::digest(&header)))),
        (tag::signature::SIZE, Value::number(size)),
    ]);
    let mut bytes = seeds::lead();
    bytes.extend(MAGIC);
    bytes.extend(write_region(tag::HEADERSIGNATURES, &signature));
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes.extend(header);
    bytes.extend(payload);
    package(&bytes);
}

/// A main header, from a package (with magic) or from the database.
fn header(data: &[u8]) {
    if let Ok(header) = Header::parse(data) {
        look_at(&header);
        let again = Header::parse(&header.to_rpmdb_blob(&Values::new()));
        assert!(again.is_ok(), "what was read cannot be written and read: {again:?}");
    }
    if let Ok(header) = Header::parse(&[&MAGIC, data].concat()) {
        look_at(&header);
    }
}

/// An uncompressed archive in a package that lists two files.
fn payload(data: &[u8]) {
    let bytes = seeds::small_package();
    let package = Package::parse(&mut &bytes[..]).expect("the package is good");
    let packed = zstd::encode_all(data, 1).expect("memory is enough");
    read_archive(&package, &packed);
}

fn repomd(data: &[u8]) {
    if let Ok(index) = RepoMd::parse(data) {
        let again = RepoMd::parse(index.write().as_bytes());
        assert_eq!(again.as_ref(), Ok(&index), "what was read cannot be written and read");
    }
}

fn primary(data: &[u8]) {
    let _ = parse_primary(Cursor::new(data), &Limits::for_size(1 << 24), &mut |package| {
        let _ = format!("{package:?}");
    });
}

/// primary.xml read fast, which must find what the strict reader finds, or leave the file to it; and an index with any content.
fn index(data: &[u8]) {
    let limits = Limits::for_size(1 << 24);
    let mut builder = IndexBuilder::new(Vec::new()).expect("memory can be written to");
    let outcome = index_primary(data, &limits, &mut builder).expect("memory can be read");
    if outcome == FastOutcome::Complete {
        let bytes = builder.finish([0; 32]).expect("memory can be written to");
        let found = PackageIndex::open(&bytes, &[0; 32]).expect("what was written can be read");
        let found: Vec<_> = found.packages().map(|package| package.to_package()).collect();
        let mut wanted = Vec::new();
        let strict = parse_primary(Cursor::new(data), &limits, &mut |package| wanted.push(package));
        assert!(strict.is_ok_and(|outcome| outcome.problems.is_empty()), "read too easily");
        assert_eq!(found, wanted, "the readers disagree");
    }
    if let Ok(index) = PackageIndex::open(data, &[0; 32]) {
        index.packages().take(100).for_each(|package| drop(package.to_package()));
        let id = index.lookup("a");
        id.into_iter().flat_map(|id| index.provided_by(id)).take(100).for_each(drop);
    }
}

fn filelists(data: &[u8]) {
    let limits = Limits::for_size(1 << 24);
    let _ = parse_filelists(Cursor::new(data), &limits, &mut |files| drop(files));
    let _ = parse_other(Cursor::new(data), &limits, &mut |files| drop(files));
}

fn comps(data: &[u8]) {
    let _ = parse_comps(data, &Limits::for_size(1 << 24));
}

fn repofile(data: &[u8]) {
    use cairn_pkg::repos::{LoadOptions, load_configuration};
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let root = cairn_host::Root::open(directory.path()).expect("it can be opened");
    let options = LoadOptions { arch: "x86_64".into(), ..LoadOptions::default() };
    let mut configuration = load_configuration(&root, &options).expect("an empty root is good");
    let _ = configuration.parse_repository_file("x.repo", data);
}

fn key(data: &[u8]) {
    let mut keyring = Keyring::new();
    let _ = keyring.add(data);
    let _ = keyring.verify_detached(b"data", data);
    let _ = keyring.signers(b"data", data);
    let _ = KeyList::parse(data);
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = keyring.verify_cleartext(text);
    }
}

fn deb(data: &[u8]) {
    let _ = cairn::deb::Deb::parse("x.deb", data);
}

fn overlay(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let files = [("x.toml".to_owned(), text.to_owned())];
    if let Err(error) = cairn::overlay::Overlays::parse(&files) {
        let _ = (error.to_string(), error.hint());
    }
}

fn lock(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = cairn::lock::Lock::parse(text);
}

fn journal(data: &[u8]) {
    let _ = cairn_pkg::journal::parse("x", data);
}

/// Dependencies as written in metadata, spec files and on command lines.
fn dependency(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = (Evr::parse(text), Nevra::parse(text));
    if let Ok(parsed) = RichDependency::parse(text) {
        // Not compared: rpm reads versions with dashes of which nothing says where the release begins once they are written.
        let _ = RichDependency::parse(&parsed.to_string());
    }
}

fn updateinfo(data: &[u8]) {
    let _ = parse_updateinfo(data, &Limits::for_size(1 << 24));
}

fn mirrors(data: &[u8]) {
    let _ = cairn_pkg::repos::mirrors::parse(&String::from_utf8_lossy(data));
}

/// An answer file of the installer; what is good can be written and read again.
fn answers(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match cairn_install::answers::parse("x", text, None) {
        Ok(answers) => {
            let again = cairn_install::answers::parse("x", &answers.to_toml(), None);
            assert!(again.is_ok_and(|again| again.to_toml() == answers.to_toml()));
        }
        Err(error) => drop(error.to_string()),
    }
}

/// Debian's Release file and Packages index: authenticated, and still no reason to stop without a word.
fn release(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = cairn::apt::release::parse_release("x", text);
    let _ = cairn::apt::packages::Index::default().add("x", text);
}

/// What lies on the boot partition, which anybody with the disk can write.
fn boot(data: &[u8]) {
    let _ = cairn_image::boot::Environment::parse(data);
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = cairn_image::boot::BlsEntry::parse("x", text);
    }
}

/// Calls what reads the values of a header.
fn look_at(header: &Header) {
    let _ = (header.nevra().to_string(), header.files(), header.installed_size());
    let _ = (header.provides(), header.requires(), header.conflicts(), header.obsoletes());
    let _ = (header.recommends(), header.suggests(), header.supplements(), header.enhances());
    let tags: Vec<u32> = header.tags().collect();
    for tag in tags {
        let _ = header.value(tag);
    }
}

fn read_files(package: &Package, bytes: &[u8]) {
    let start = usize::try_from(package.header_end).unwrap_or(usize::MAX);
    read_archive(package, bytes.get(start..).unwrap_or_default());
}

fn read_archive(package: &Package, packed: &[u8]) {
    let Ok(mut reader) = package.payload(packed) else { return };
    let mut total = 0;
    while let Ok(Some(mut entry)) = reader.next_entry() {
        let Ok(content) = entry.read_all() else { return };
        total += content.len();
        if total > READ_LIMIT {
            return;
        }
    }
}
