// SPDX-License-Identifier: MIT OR Apache-2.0
//! The index gives back what primary.xml says; the fast reader agrees with the strict one or leaves the file to it.

use super::*;
use crate::dependency::Dependency;
use crate::evr::{Evr, Nevra};
use crate::repodata::{Limits, RepoFile, RepoFileKind, RepoPackage, parse_primary, write_primary};

const SOURCE: [u8; 32] = [7; 32];

fn dependencies(texts: &[&str]) -> Vec<Dependency> {
    texts.iter().map(|text| Dependency::parse(text).unwrap()).collect()
}

fn package(number: usize) -> RepoPackage {
    let name = format!("package-{number}");
    let file = |path: &str, kind| RepoFile { path: path.to_owned(), kind };
    let mut requires = dependencies(&["libc.so.6()(64bit)", "/usr/bin/sh", "base >= 1:2-3"]);
    requires[1].sense = crate::dependency::sense::PREREQ;
    RepoPackage {
        pkgid: format!("{number:064x}"),
        nevra: Nevra::new(&*name, Evr::new(number as u32 % 3, "1.2~rc1", "4.cn1"), "x86_64"),
        location: format!("packages/{name}.rpm"),
        base: number.is_multiple_of(5).then(|| "file:///elsewhere".to_owned()),
        summary: format!("Package \"{number}\" & <more>"),
        description: if number.is_multiple_of(2) {
            format!("Package \"{number}\" & <more>")
        } else {
            "Two\nlines, with a tab\tand ünïcode".to_owned()
        },
        url: "https://example.org/?a=1&b=2".to_owned(),
        license: "MIT".to_owned(),
        sourcerpm: format!("{name}.src.rpm"),
        packager: "Someone <a@b>".to_owned(),
        time_file: 1_700_000_000 + number as u64,
        time_build: 1_600_000_000,
        size_package: 12345,
        size_installed: 1 << 40,
        size_archive: 3,
        header_start: 4504,
        header_end: 5000,
        provides: dependencies(&[&format!("{name} = 1.2~rc1-4.cn1"), "virtual", "/usr/lib/x"]),
        requires,
        conflicts: dependencies(&["old < 3"]),
        obsoletes: dependencies(&["older <= 1-1"]),
        recommends: dependencies(&["(a or (b >= 2 and c))"]),
        suggests: dependencies(&["nice"]),
        supplements: dependencies(&["(lang and package-0)", "plain"]),
        enhances: dependencies(&["other"]),
        files: vec![
            file("/usr/bin/tool", RepoFileKind::File),
            file("/etc/tool.d", RepoFileKind::Directory),
            file("/etc/tool.d/ghost", RepoFileKind::Ghost),
        ],
        ..RepoPackage::default()
    }
}

/// Indexes a document with the fast reader; `None` when it leaves it to the strict one.
fn fast(document: &[u8]) -> Option<Vec<u8>> {
    let mut builder = IndexBuilder::new(Vec::new()).unwrap();
    let limits = Limits::for_size(document.len() as u64);
    match index_primary(document, &limits, &mut builder).unwrap() {
        FastOutcome::Complete => Some(builder.finish(SOURCE).unwrap()),
        FastOutcome::Unusual => None,
    }
}

/// Reads a document with the strict reader; `None` when it finds anything wrong.
fn strict(document: &[u8]) -> Option<Vec<RepoPackage>> {
    let mut packages = Vec::new();
    let limits = Limits::for_size(document.len() as u64);
    let outcome = parse_primary(document, &limits, &mut |package| packages.push(package)).ok()?;
    outcome.problems.is_empty().then_some(packages)
}

fn read(index: &[u8]) -> Vec<RepoPackage> {
    let index = PackageIndex::open(index, &SOURCE).unwrap();
    let packages = index.packages().map(IndexedPackage::to_package).collect();
    index.check().unwrap();
    packages
}

#[test]
fn every_field_comes_back() {
    // More than one piece, so that their order counts.
    let packages: Vec<RepoPackage> = (0..2000).map(package).collect();
    let document = write_primary(&packages);
    let strict = strict(document.as_bytes()).unwrap();
    assert_eq!(read(&fast(document.as_bytes()).unwrap()), strict);
    let mut builder = IndexBuilder::new(Vec::new()).unwrap();
    strict.iter().for_each(|package| builder.add(package).unwrap());
    assert_eq!(read(&builder.finish(SOURCE).unwrap()), strict);
}

#[test]
fn lookups() {
    let packages: Vec<RepoPackage> = (0..3).map(package).collect();
    let bytes = fast(write_primary(&packages).as_bytes()).unwrap();
    let index = PackageIndex::open(&bytes, &SOURCE).unwrap();
    let ids = |name: &str, of: &dyn Fn(StringId) -> Vec<u32>| {
        index.lookup(name).map(of).unwrap_or_default()
    };
    let provided = |id| index.provided_by(id).collect();
    let obsoleted = |id| index.obsoleted_by(id).collect();
    let supplemented = |id| index.supplemented_by(id).collect();
    assert_eq!(ids("package-1", &provided), [1]);
    assert_eq!(ids("virtual", &provided), [0, 1, 2]);
    assert_eq!(ids("/usr/bin/tool", &provided), [0, 1, 2]);
    assert_eq!(ids("older", &obsoleted), [0, 1, 2]);
    assert_eq!(ids("lang", &supplemented), [0, 1, 2]);
    assert_eq!(ids("plain", &supplemented), [0, 1, 2]);
    assert_eq!(ids("nice", &provided), [0_u32; 0]);
    assert_eq!(index.lookup("absent"), None);
    assert_eq!(index.package(2).summary(), packages[2].summary);
    assert_eq!(index.package(2).nevra(), packages[2].nevra);
    index.check().unwrap();
}

/// Every change of one byte gives the same packages from both readers, or is left to the strict one.
#[test]
fn readers_agree_on_what_the_fast_one_accepts() {
    let document = write_primary(&[package(1)]).into_bytes();
    let mut accepted = 0;
    for position in 0..document.len() {
        for byte in [b'<', b'"', b'&', b'x'] {
            let mut changed = document.clone();
            changed[position] = byte;
            let Some(index) = fast(&changed) else { continue };
            accepted += 1;
            let shown = String::from_utf8_lossy(&changed[position.saturating_sub(40)..=position])
                .into_owned();
            assert_eq!(Some(read(&index)), strict(&changed), "{position}: {shown}");
        }
    }
    assert!(accepted > 300, "only {accepted} are accepted");
}

/// Found by the fuzzer: the strict reader takes a file with a NUL for a binary one.
#[test]
fn nul_is_left_to_the_strict_reader() {
    let document = write_primary(&[package(1)]).replace("<summary>P", "<summary>\0");
    assert_eq!((fast(document.as_bytes()), strict(document.as_bytes())), (None, None));
}

/// Every truncation and every damaged byte of an index is noticed, or does no harm.
#[test]
fn damage_is_noticed() {
    let packages: Vec<RepoPackage> = (0..2).map(package).collect();
    let good = fast(write_primary(&packages).as_bytes()).unwrap();
    for length in 0..good.len() {
        assert!(PackageIndex::open(&good[..length], &SOURCE).is_err(), "{length}");
    }
    for position in 0..good.len() {
        for byte in [0, 1, 0x7f, 0xff] {
            let mut bad = good.clone();
            bad[position] = byte;
            let Ok(index) = PackageIndex::open(&bad, &SOURCE) else { continue };
            index.packages().for_each(|package| drop(package.to_package()));
            for name in ["package-0", "virtual", "older", "absent"] {
                if let Some(id) = index.lookup(name) {
                    let found = index.provided_by(id).chain(index.obsoleted_by(id));
                    found.for_each(|number| drop(index.package(number).nevra()));
                }
            }
        }
    }
    assert_eq!(PackageIndex::open(&good, &[0; 32]).unwrap_err(), IndexError::Source);
}
