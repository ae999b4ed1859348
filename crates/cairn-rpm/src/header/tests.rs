// SPDX-License-Identifier: MIT OR Apache-2.0
//! Malformed headers and the error of each, and headers through the database and back.

use proptest::prelude::*;

use super::*;
use crate::dependency::Dependency;
use crate::package::Package;
use crate::testing::{Parts, build, full_spec, join_raw, parse, small_spec, values};

/// Asserts the error of reading `bytes` as a package.
#[track_caller]
fn check(bytes: &[u8], expected: &str) {
    let error = parse(bytes).unwrap_err();
    assert_eq!(error.to_string(), expected);
    assert!(error.hint().is_some() || matches!(error, Error::Empty));
}

fn word(bytes: &mut [u8], offset: usize, value: u32) {
    bytes[offset..offset + 4].copy_from_slice(&value.to_be_bytes());
}

/// The sample with four bytes at `offset` replaced.
fn with_word(offset: usize, value: u32) -> Vec<u8> {
    let mut bytes = build(&small_spec());
    word(&mut bytes, offset, value);
    bytes
}

#[test]
fn files_that_are_no_packages() {
    let sample = build(&small_spec());
    check(b"", "not an RPM: file is empty");
    let html = "not an RPM: looks like an HTML page; the server answered an error page";
    check(b"\n<!DOCTYPE html><html>404 Not Found", html);
    check(b"<HTML><body>", html);
    check(&[0; 200], "not an RPM: magic 00000000, expected edabeedb");
    check(b"PK", "not an RPM: magic 504b, expected edabeedb");
    check(&sample[..50], "truncated in lead at byte 0 (expected 96 bytes, found 50)");
    let lead_only = "truncated in signature header at byte 96 (expected 16 bytes, found 0)";
    check(&sample[..96], lead_only);
    check(&with_word(4, 0x0900_0000), "unsupported RPM format 9");
    check(&with_word(76, 0x0001_0000), "unsupported signature type 0");
}

#[test]
fn signature_headers() {
    let bad_magic = "signature header at byte 96: bad magic (expected 8eade801, found 00000000)";
    check(&with_word(96, 0), bad_magic);
    let count = "signature header claims 4294967295 tags, limit 65535";
    check(&with_word(104, u32::MAX), count);
    check(&with_word(104, 0), "signature header has no tags");
    let data = "signature header data 268435456 bytes, limit 268435455";
    check(&with_word(108, 0x1000_0000), data);
    let data = "signature header data 4294967295 bytes, limit 268435455";
    check(&with_word(108, u32::MAX), data);
    // 200 MB are claimed; no more is read than there is.
    let error = parse(&with_word(108, 0x0c00_0000)).unwrap_err();
    assert!(matches!(error, Error::Truncated { section: Section::Signature, .. }), "{error}");
    // The region's type.
    check(&with_word(116, 8), "immutable region is malformed in the signature header");
    // An offset of the first tag outside the data.
    let offset = "tag SHA1HEADER(269): offset -1 outside";
    let error = parse(&with_word(136, u32::MAX)).unwrap_err().to_string();
    assert!(error.starts_with(offset), "{error}");
}

#[test]
fn truncated_anywhere_is_an_error() {
    let sample = build(&full_spec());
    let end = parse(&sample).unwrap().header_end as usize;
    for length in (0..end).step_by(7) {
        let error = parse(&sample[..length]).unwrap_err();
        assert!(matches!(error, Error::Empty | Error::Truncated { .. } | Error::LeadMagic { .. }));
    }
    let start = parse(&sample).unwrap().header_start;
    let message = parse(&sample[..start as usize + 100]).unwrap_err().to_string();
    let expected = format!("truncated in header at byte {start} (expected ");
    assert!(message.starts_with(&expected) && message.ends_with(" bytes, found 100)"), "{message}");
}

/// Changes the raw header (tag count, length, index, data) of the sample.
fn raw(change: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let sample = build(&small_spec());
    let package = parse(&sample).unwrap();
    let mut header = package.header.source_bytes().to_vec();
    change(&mut header);
    join_raw(&header, &sample[package.header_end as usize..])
}

/// Returns the position of a tag's index entry in the raw header.
fn position(header: &[u8], tag: u32) -> usize {
    let index = header[8..].as_chunks::<16>().0;
    8 + 16 * index.iter().position(|entry| entry[..4] == tag.to_be_bytes()).unwrap()
}

#[test]
fn index_entries() {
    let length = {
        let sample = parse(&build(&small_spec())).unwrap();
        let bytes = sample.header.source_bytes();
        u32::from_be_bytes([bytes[4], bytes[5], bytes[6], bytes[7]])
    };
    // Field 0 is the tag, 1 its type, 2 the offset, 3 the count.
    let set = |tag: u32, field: usize, value: u32| {
        raw(move |header| {
            let entry = position(header, tag);
            word(header, entry + 4 * field, value);
        })
    };
    check(
        &set(tag::NAME, 2, 0x7fff_ffff),
        &format!("tag NAME(1000): offset 2147483647 outside {length} bytes"),
    );
    check(
        &set(tag::NAME, 2, -5i32 as u32),
        &format!("tag NAME(1000): offset -5 outside {length} bytes"),
    );
    check(&set(tag::NAME, 1, 99), "tag NAME(1000): unknown type 99");
    check(&set(tag::NAME, 1, 0), "tag NAME(1000): unknown type 0");
    check(&set(tag::NAME, 3, 0), "tag NAME(1000): count 0 does not fit");
    check(&set(tag::NAME, 3, u32::MAX), "tag NAME(1000): count 4294967295 does not fit");
    check(&set(tag::FILEMODES, 3, u32::MAX), "tag FILEMODES(1030): count 4294967295 does not fit");
    check(&set(tag::VERSION, 2, 2), "tags NAME(1000) and VERSION(1001) overlap");
    check(&set(tag::VERSION, 0, tag::NAME), "tag NAME(1000) occurs twice");
    check(&set(tag::VERSION, 0, 5), "tag TAG(5): the number is reserved");
    check(&set(tag::NAME, 0, tag::DISTRIBUTION), "tag NAME(1000) is missing");
    check(&set(tag::ARCH, 1, 8), "tag ARCH(1022): type string array (expected string)");
    let aligned = parse(&set(tag::BUILDTIME, 2, 13)).unwrap_err();
    assert!(matches!(aligned, Error::TagAlignment { alignment: 4, .. }), "{aligned}");
    let region = "immutable region is malformed in the header";
    check(&set(tag::HEADERIMMUTABLE, 3, 1), region);
    check(&set(tag::HEADERIMMUTABLE, 2, length), region);
    check(&set(tag::HEADERIMMUTABLE, 2, u32::MAX), region);
    // The trailer claims one tag less, and many more.
    for offset in [-16i32, -16 * 70_000, 16, i32::MIN, 0, -17] {
        check(
            &raw(|header| {
                let end = header.len();
                word(header, end - 8, offset as u32);
            }),
            region,
        );
    }
}

#[test]
fn unterminated_string() {
    // The last tag of the region is followed by its trailer, which is no part of a string.
    let header = [(tag::NAME, Value::text("n"))].into();
    let mut bytes = write_region(tag::HEADERIMMUTABLE, &header);
    let data = 8 + 2 * 16;
    bytes[data + 1] = b'x';
    check(&join_raw(&bytes, b""), "tag NAME(1000): unterminated string");
}

/// Changes tags of the full sample, digests made right.
#[track_caller]
fn changed(change: impl Fn(&mut Values), expected: &str) {
    let mut parts = Parts::of(&build(&full_spec()));
    change(&mut parts.header);
    check(&parts.join(), expected);
}

fn strings(values: &mut Values, tag: u32) -> &mut Vec<String> {
    match values.get_mut(&tag) {
        Some(Value::StringArray(strings)) => strings,
        other => panic!("{other:?}"),
    }
}

fn numbers(values: &mut Values, tag: u32) -> &mut Vec<u32> {
    match values.get_mut(&tag) {
        Some(Value::Int32(numbers)) => numbers,
        other => panic!("{other:?}"),
    }
}

#[test]
fn file_lists() {
    changed(
        |values| strings(values, tag::BASENAMES).push("more".into()),
        "file lists differ in length: 9 / 8 (tag DIRINDEXES(1116))",
    );
    changed(
        |values| strings(values, tag::FILEUSERNAME).truncate(3),
        "file lists differ in length: 8 / 3 (tag FILEUSERNAME(1039))",
    );
    changed(
        |values| drop(values.remove(&tag::FILESIZES)),
        "file lists differ in length: 8 / 0 (tag FILESIZES(1028))",
    );
    changed(
        |values| numbers(values, tag::DIRINDEXES)[1] = 0x7fff_ffff,
        "file 1: directory index 2147483647, 7 directories",
    );
    changed(
        |values| strings(values, tag::BASENAMES)[0] = "../../passwd".into(),
        "unsafe path in package: \"/etc/../../passwd\" (it has a `.` or `..` component)",
    );
    changed(
        |values| strings(values, tag::DIRNAMES)[0] = "etc/".into(),
        "unsafe path in package: \"etc/demo.conf\" (it is not absolute)",
    );
    changed(
        |values| strings(values, tag::DIRNAMES)[0] = "/etc//".into(),
        "unsafe path in package: \"/etc//demo.conf\" (it has an empty component)",
    );
    changed(
        |values| strings(values, tag::BASENAMES)[0] = "a\u{1b}[2J".into(),
        "unsafe path in package: \"/etc/a\\x1b[2J\" (it has control characters)",
    );
    changed(
        |values| strings(values, tag::BASENAMES)[0] = "x".repeat(256),
        &format!(
            "unsafe path in package: \"/etc/{}…\" (a component is longer than 255 bytes)",
            "x".repeat(75)
        ),
    );
    changed(
        |values| strings(values, tag::DIRNAMES)[0] = format!("/{}", "d/".repeat(2100)),
        &format!("unsafe path in package: \"{}…\" (it is longer than 4095 bytes)", "/d".repeat(40)),
    );
    // /usr/bin/demo is a symlink.
    changed(
        |values| strings(values, tag::DIRNAMES)[0] = "/usr/bin/demo/".into(),
        "path passes through symlink /usr/bin/demo: \"/usr/bin/demo/demo.conf\"",
    );
    changed(
        |values| {
            strings(values, tag::DIRNAMES)[0] = "/usr/bin/".into();
            strings(values, tag::BASENAMES)[0] = "demo".into();
        },
        "the header lists \"/usr/bin/demo\" twice",
    );
    changed(
        |values| drop(values.insert(tag::FILEMODES, Value::Int16(vec![0o140_644; 8]))),
        "file \"/etc/demo.conf\": mode 140644 is no kind of file a package can carry",
    );
    changed(
        |values| numbers(values, tag::FILEINODES).fill(7),
        "hardlink set incomplete: \"/usr/bin/demo-ping\" is not the same file as the other links",
    );
    changed(
        |values| drop(values.insert(tag::LONGFILESIZES, Value::Int64(vec![1 << 63; 8]))),
        "file \"/etc/demo.conf\": size 9223372036854775808 is out of range",
    );
}

#[test]
fn enormous_hard_link_set() {
    let mut spec = small_spec();
    let file = |n: usize| crate::build::FileSpec::regular(format!("/f/{n:05}"), "");
    spec.files = (0..70_000).map(file).collect();
    let mut parts = Parts::of(&build(&spec));
    numbers(&mut parts.header, tag::FILEINODES).fill(7);
    let expected = "hardlink set of \"/f/00000\" has 70000 links, limit 1024";
    check(&parts.join(), expected);
}

#[test]
fn identities() {
    for (name, shown) in [
        ("../x", "../x"),
        ("-rf", "-rf"),
        ("", ""),
        ("a b", "a b"),
        ("a\nb", "a\\x0ab"),
        ("ü", "\\xc3\\xbc"),
    ] {
        let expected = format!("invalid package name \"{shown}\"");
        changed(|values| drop(values.insert(tag::NAME, Value::text(name))), &expected);
    }
    let long = "n".repeat(100_000);
    let expected = format!("invalid package name \"{}…\"", "n".repeat(80));
    changed(|values| drop(values.insert(tag::NAME, Value::text(&long))), &expected);
    let not_utf8 = raw(|header| {
        let entry = position(header, tag::NAME);
        let offset = u32::from_be_bytes([0, 0, header[entry + 10], header[entry + 11]]) as usize;
        let count = u32::from_be_bytes([header[0], header[1], header[2], header[3]]) as usize;
        let start = 8 + count * 16 + offset;
        header[start..start + 5].copy_from_slice(b"\xff\xfe\xff\xfe\xff");
    });
    check(&not_utf8, "invalid package name \"\\xff\\xfe\\xff\\xfe\\xff\"");
    let version = "invalid version \"1-2\"";
    changed(|values| drop(values.insert(tag::VERSION, Value::text("1-2"))), version);
    changed(|values| drop(values.insert(tag::RELEASE, Value::text(""))), "invalid version \"\"");
    changed(
        |values| drop(values.insert(tag::EPOCH, Value::text("-1"))),
        "tag EPOCH(1003): type string (expected 32-bit number)",
    );
    changed(
        |values| drop(values.insert(tag::ARCH, Value::text("x86/64"))),
        "invalid architecture \"x86/64\"",
    );
}

#[test]
fn dependencies_and_scripts() {
    let nested = format!("{}a{}", "(".repeat(10_000), ")".repeat(10_000));
    changed(
        |values| strings(values, tag::RECOMMENDNAME)[0] = nested.clone(),
        "recommends: rich dependency nested deeper than 64",
    );
    changed(
        |values| numbers(values, tag::REQUIREFLAGS).truncate(1),
        "lists differ in length: 15 / 1 (tag REQUIREFLAGS(1048))",
    );
    changed(
        |values| numbers(values, tag::FILETRIGGERINDEX)[0] = 9,
        "%filetrigger: script index 9, 2 scripts",
    );
    changed(
        |values| drop(values.insert(tag::POSTIN, Value::text("x".repeat(10 << 20)))),
        "%post: 10485760 bytes, limit 4194304",
    );
}

#[test]
fn writing_what_was_read_gives_the_same_bytes() {
    let header = parse(&build(&full_spec())).unwrap().header;
    let written = write_region(tag::HEADERIMMUTABLE, &values(&header));
    assert_eq!(written, header.source_bytes());
    let with_magic = [&MAGIC, header.source_bytes()].concat();
    assert_eq!(Header::parse(&with_magic).unwrap(), header);
}

#[test]
fn database_blobs() {
    let package: Package = parse(&build(&full_spec())).unwrap();
    let mut extra = package.database_tags();
    assert_eq!(
        extra.keys().map(|tag| tag::label(*tag)).collect::<Vec<_>>(),
        [
            "SIGSIZE(257)",
            "SIGMD5(261)",
            "SHA1HEADER(269)",
            "SHA256HEADER(273)",
            "ARCHIVESIZE(1046)"
        ]
    );
    extra.insert(tag::INSTALLTIME, Value::number(5));
    extra.insert(tag::FILESTATES, Value::Char(vec![0; 8]));
    let blob = package.header.to_rpmdb_blob(&extra);
    let read = Header::parse(&blob).unwrap();
    assert_eq!(read.immutable_bytes(), package.header.source_bytes());
    assert_eq!(read.nevra(), package.header.nevra());
    assert_eq!(read.u32(tag::INSTALLTIME), Some(5));
    assert_eq!(read.files()[0].state, Some(0));
    assert_eq!(read.to_rpmdb_blob(&Values::new()), blob);
    // A later install time replaces the earlier one, and the region stays as it was.
    let again = read.to_rpmdb_blob(&[(tag::INSTALLTIME, Value::number(6))].into());
    let again = Header::parse(&again).unwrap();
    assert_eq!(again.u32(tag::INSTALLTIME), Some(6));
    assert_eq!(again.binary(tag::SIGMD5), read.binary(tag::SIGMD5));
    let again = again.to_rpmdb_blob(&[(tag::INSTALLTIME, Value::number(5))].into());
    assert_eq!(again, blob);
}

#[test]
fn old_file_names() {
    let mut header = Values::from([
        (tag::NAME, Value::text("old")),
        (tag::VERSION, Value::text("1")),
        (tag::RELEASE, Value::text("1")),
        (tag::ARCH, Value::text("i386")),
        (tag::SOURCERPM, Value::text("old-1-1.src.rpm")),
        (tag::OLDFILENAMES, Value::StringArray(vec!["/bin/a".into(), "/bin/b".into()])),
        (tag::FILEMODES, Value::Int16(vec![0o100_755, 0o120_777])),
    ]);
    for tag in [tag::FILESIZES, tag::FILEMTIMES, tag::FILEFLAGS] {
        header.insert(tag, Value::Int32(vec![1, 2]));
    }
    for tag in [tag::FILEUSERNAME, tag::FILEGROUPNAME, tag::FILEDIGESTS, tag::FILELINKTOS] {
        header.insert(tag, Value::StringArray(vec!["x".into(), "y".into()]));
    }
    let header = Header::parse(&write_region(tag::HEADERIMMUTABLE, &header)).unwrap();
    let files = header.files();
    assert_eq!((files[1].path.as_str(), files[1].size), ("/bin/b", 2));
    assert!(files[1].is_symlink());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Reading never panics, and what is read can be looked at.
    #[test]
    fn changed_bytes_never_panic(changes in prop::collection::vec((0usize..1 << 16, any::<u8>()), 1..6)) {
        let mut bytes = build(&small_spec());
        for (offset, byte) in changes {
            let offset = 96 + offset % (bytes.len() - 96);
            bytes[offset] = byte;
        }
        let mut reader = std::io::Cursor::new(&bytes);
        if let Ok(package) = Package::parse(&mut reader) {
            package.header.files();
            package.header.file_triggers();
            let _requires: Vec<Dependency> = package.header.requires();
            if let Ok(mut payload) = package.payload(reader) {
                while let Ok(Some(mut entry)) = payload.next_entry() {
                    if entry.read_all().is_err() {
                        break;
                    }
                }
            }
        }
    }
}
