// SPDX-License-Identifier: MIT OR Apache-2.0
//! Payloads that are not what the header says, and the error of each.

use std::io::{Cursor, Write};

use super::*;
use crate::header::Value;
use crate::package::Package;
use crate::testing::{Parts, build, small_spec};

/// One archive entry.
fn newc(name: &str, mode: u32, data: &[u8]) -> Vec<u8> {
    let fields = [1, mode, 0, 0, 1, 0, data.len() as u32, 0, 0, 0, 0, name.len() as u32 + 1, 0];
    let mut entry = b"070701".to_vec();
    for field in fields {
        write!(entry, "{field:08x}").unwrap();
    }
    entry.extend(name.as_bytes());
    entry.push(0);
    entry.resize(entry.len().next_multiple_of(4), 0);
    entry.extend(data);
    entry.resize(entry.len().next_multiple_of(4), 0);
    entry
}

fn stripped(file_index: u32, data: &[u8]) -> Vec<u8> {
    let mut entry = format!("07070X{file_index:08x}\0\0").into_bytes();
    entry.extend(data);
    entry.resize(entry.len().next_multiple_of(4), 0);
    entry
}

fn trailer() -> Vec<u8> {
    newc("TRAILER!!!", 0, b"")
}

/// The entries of the small sample.
fn directory() -> Vec<u8> {
    newc("./usr/share/small", 0o40_755, b"")
}
fn file() -> Vec<u8> {
    newc("./usr/share/small/a", 0o100_644, b"aaaa\n")
}
fn link() -> Vec<u8> {
    newc("./usr/share/small/link", 0o120_777, b"a")
}

fn zstd(archive: &[u8]) -> Vec<u8> {
    zstd::encode_all(archive, 1).unwrap()
}

/// The small sample with another payload, compressed as `compressor` says.
fn package(compressor: &str, payload: Vec<u8>) -> Vec<u8> {
    package_with(compressor, payload, |_| {})
}

fn package_with(
    compressor: &str,
    payload: Vec<u8>,
    change: impl Fn(&mut crate::header::Values),
) -> Vec<u8> {
    let mut parts = Parts::of(&build(&small_spec()));
    parts.header.insert(tag::PAYLOADCOMPRESSOR, Value::text(compressor));
    change(&mut parts.header);
    parts.payload = payload;
    parts.join()
}

/// Reads a whole package; returns its files with their data.
fn read(bytes: &[u8]) -> Result<Vec<(usize, Vec<u8>)>, Error> {
    let mut reader = Cursor::new(bytes);
    let package = Package::parse(&mut reader)?;
    let mut payload = package.payload(reader)?;
    let mut files = Vec::new();
    while let Some(mut entry) = payload.next_entry()? {
        let data = entry.read_all()?;
        files.push((entry.file_index, data));
    }
    Ok(files)
}

#[track_caller]
fn check(bytes: &[u8], expected: &str) {
    assert_eq!(read(bytes).unwrap_err().to_string(), expected);
}

#[track_caller]
fn check_archive(entries: &[Vec<u8>], expected: &str) {
    check(&package("zstd", zstd(&entries.concat())), expected);
}

#[test]
fn every_compression_is_read() {
    let archive = [directory(), file(), link(), trailer()].concat();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    gzip.write_all(&archive).unwrap();
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::new(6));
    bzip2.write_all(&archive).unwrap();
    let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 6);
    xz.write_all(&archive).unwrap();
    let payloads = [
        ("gzip", gzip.finish().unwrap(), "1f8b"),
        ("bzip2", bzip2.finish().unwrap(), "425a68"),
        ("xz", xz.finish().unwrap(), "fd377a585a00"),
        ("zstd", zstd(&archive), "28b52ffd"),
    ];
    let expected = vec![(0, vec![]), (1, b"aaaa\n".to_vec()), (2, vec![])];
    assert_eq!(read(&package("none", archive.clone())).unwrap(), expected);
    for (compressor, payload, magic) in payloads {
        assert_eq!(read(&package(compressor, payload.clone())).unwrap(), expected, "{compressor}");
        // Junk after the end.
        let mut junk = payload.clone();
        junk.resize(payload.len() + 4096, b'j');
        check(&package(compressor, junk), "4096 bytes after the end of the payload");
        // Cut off.
        let cut = package(compressor, payload[..payload.len() - 12].to_vec());
        let error = read(&cut).unwrap_err();
        let early = matches!(error, Error::Decompress { .. } | Error::Cpio { .. });
        assert!(early, "{compressor}: {error}");
        // Something else.
        let found = hex::encode(&b"junk junk junk"[..magic.len() / 2]);
        let expected = format!("payload is not {compressor}: magic {found}, expected {magic}");
        check(&package(compressor, b"junk junk junk".to_vec()), &expected);
    }
    check(&package("rot13", archive), "unsupported payload compression \"rot13\"");
}

#[test]
fn unnamed_compression_is_found() {
    let archive = [directory(), file(), link(), trailer()].concat();
    let unnamed = |payload| {
        package_with("none", payload, |values| drop(values.remove(&tag::PAYLOADCOMPRESSOR)))
    };
    assert_eq!(read(&unnamed(archive)).unwrap().len(), 3);
}

#[test]
fn memory_bombs_are_refused() {
    // Frame header: no single segment, window descriptor with exponent 21: 2 GiB.
    let frame = b"\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00".to_vec();
    check(&package("zstd", frame), "zstd window 2 GiB, limit 128 MiB");
    // Single segment of 4 GiB.
    let frame = b"\x28\xb5\x2f\xfd\xe0\x00\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00".to_vec();
    check(&package("zstd", frame), "zstd window 4 GiB, limit 128 MiB");
    // An xz stream whose block wants a dictionary of 1.5 GiB (property 39).
    let options = {
        let mut options = liblzma::stream::LzmaOptions::new_preset(0).unwrap();
        options.dict_size(1 << 20);
        options
    };
    let mut filters = liblzma::stream::Filters::new();
    filters.lzma2(&options);
    let check_kind = liblzma::stream::Check::Crc32;
    let stream = liblzma::stream::Stream::new_stream_encoder(&filters, check_kind).unwrap();
    let mut xz = liblzma::write::XzEncoder::new_stream(Vec::new(), stream);
    xz.write_all(&[0; 100]).unwrap();
    let mut xz = xz.finish().unwrap();
    // Stream header 12 bytes; block header: size, flags, filter id 0x21, one property.
    assert_eq!(xz[14..16], [0x21, 1]);
    xz[16] = 39;
    let crc = crc32(&xz[12..20]);
    xz[20..24].copy_from_slice(&crc.to_le_bytes());
    check(&package("xz", xz), "payload is damaged: xz: window over 128 MiB");
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

#[test]
fn names() {
    let entry = |name: &str| newc(name, 0o100_644, b"");
    check_archive(
        &[entry("./etc/shadow"), trailer()],
        "payload has a file the header does not list: ./etc/shadow",
    );
    let dots = "it has a `.` or `..` component";
    for (name, problem) in [
        ("../../etc/passwd", dots),
        ("./../etc/passwd", dots),
        ("/etc/passwd", "it is absolute"),
        ("./a//b", "it has an empty component"),
        ("./a/", "it has an empty component"),
        ("./a\0b", "it has control characters"),
    ] {
        let shown = name.replace('\0', "\\x00");
        let expected = format!("unsafe path in package: \"{shown}\" ({problem})");
        check_archive(&[entry(name), trailer()], &expected);
    }
    check_archive(
        &[entry(&"a".repeat(4097)), trailer()],
        "unsafe path in package: \"(4098 bytes)\" (it is longer than 4095 bytes)",
    );
    check_archive(
        &[entry(&"a".repeat(300)), trailer()],
        &format!(
            "unsafe path in package: \"{}…\" (a component is longer than 255 bytes)",
            "a".repeat(80)
        ),
    );
}

#[test]
fn files_that_differ_from_the_header() {
    let path = "/usr/share/small";
    check_archive(
        &[directory(), trailer()],
        &format!("payload lacks a file the header lists: {path}/a"),
    );
    check_archive(&[directory(), directory()], &format!("payload has \"{path}\" twice"));
    check_archive(
        &[newc("./usr/share/small/a", 0o120_777, b"/etc")],
        &format!("payload file \"{path}/a\" has mode 120777 (expected 100644)"),
    );
    check_archive(
        &[newc("./usr/share/small/link", 0o120_777, b"b")],
        &format!("payload symlink \"{path}/link\" leads to \"b\" (expected \"a\")"),
    );
    check_archive(
        &[newc("./usr/share/small/a", 0o100_644, b"aa")],
        &format!("payload file \"{path}/a\" has 2 bytes (expected 5)"),
    );
    // 1 GiB where 5 bytes are declared: the archive's word is enough, nothing is unpacked.
    let mut bomb = newc("./usr/share/small/a", 0o100_644, b"");
    bomb[54..62].copy_from_slice(b"40000000");
    check_archive(&[bomb], "payload larger than the 5 bytes declared");
    let directory_with_data = newc("./usr/share/small", 0o40_755, b"data");
    check_archive(&[directory_with_data], "payload larger than the 0 bytes declared");
}

#[test]
fn broken_archives() {
    check_archive(&[directory()], "payload archive at byte 128: the archive ends early");
    check_archive(
        &[b"070707 and more".to_vec()],
        "payload archive at byte 0: bad magic \"070707\"",
    );
    let mut odd = directory();
    odd[20] = b'+';
    check_archive(&[odd], "payload archive at byte 0: \"000041+d\" is no hexadecimal number");
    let whole = [directory(), file(), link(), trailer()].concat();
    let mut padded = whole.clone();
    padded.resize(whole.len() + 300, 0);
    assert_eq!(read(&package("zstd", zstd(&padded))).unwrap().len(), 3);
    padded.extend(b"more");
    check(&package("zstd", zstd(&padded)), "304 bytes after the end of the payload");
}

/// Makes `a` and `link` of the sample a hard link set of regular files with five bytes.
fn linked(entries: &[Vec<u8>]) -> Vec<u8> {
    package_with("zstd", zstd(&entries.concat()), |values| {
        values.insert(tag::FILEINODES, Value::Int32(vec![1, 2, 2]));
        values.insert(tag::FILEMODES, Value::Int16(vec![0o40_755, 0o100_644, 0o100_644]));
        values.insert(tag::FILESIZES, Value::Int32(vec![0, 5, 5]));
        let digest = "ab".repeat(32);
        let digests = vec![String::new(), digest.clone(), digest];
        values.insert(tag::FILEDIGESTS, Value::StringArray(digests));
        values.insert(tag::FILELINKTOS, Value::StringArray(vec![String::new(); 3]));
    })
}

#[test]
fn hard_links() {
    let member =
        |name: &str, data: &[u8]| newc(&format!("./usr/share/small/{name}"), 0o100_644, data);
    let data = b"12345";
    let good = linked(&[directory(), member("a", b""), member("link", data), trailer()]);
    assert_eq!(read(&good).unwrap()[2], (2, data.to_vec()));
    let first = linked(&[directory(), member("a", data), member("link", b""), trailer()]);
    assert_eq!(read(&first).unwrap()[1], (1, data.to_vec()));
    let by_index = linked(&[stripped(0, b""), stripped(1, b""), stripped(2, data), trailer()]);
    assert_eq!(read(&by_index).unwrap()[2], (2, data.to_vec()));
    let path = "/usr/share/small";
    check(
        &linked(&[directory(), member("link", data), trailer()]),
        &format!("hardlink set incomplete: \"{path}/a\" (expected 2 links, found 1)"),
    );
    check(
        &linked(&[directory(), member("a", b""), member("link", b""), trailer()]),
        &format!("payload file \"{path}/a\" has 0 bytes (expected 5)"),
    );
    check(
        &linked(&[directory(), member("a", data), member("link", data), trailer()]),
        &format!("payload has \"{path}/link\" twice"),
    );
    check(&linked(&[stripped(7, b"")]), "payload archive at byte 0: file 7, the header lists 3");
}

#[test]
fn data_may_be_skipped_or_read_in_pieces() {
    let bytes = build(&small_spec());
    let mut reader = Cursor::new(&bytes);
    let package = Package::parse(&mut reader).unwrap();
    let mut payload = package.payload(reader).unwrap();
    payload.next_entry().unwrap().unwrap();
    let mut entry = payload.next_entry().unwrap().unwrap();
    let mut two = [0; 2];
    entry.read_exact(&mut two).unwrap();
    assert_eq!(&two, b"aa");
    assert_eq!(payload.next_entry().unwrap().unwrap().file_index, 2);
    assert!(payload.next_entry().unwrap().is_none());
    assert!(payload.next_entry().unwrap().is_none());
}
