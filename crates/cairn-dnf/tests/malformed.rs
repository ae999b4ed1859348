// SPDX-License-Identifier: MIT OR Apache-2.0
//! Malformed and untrusted packages: what `rpm -K`, `rpm -qp` and `rpm -i` say about each, and that nothing is installed.
#![allow(clippy::unwrap_used, reason = "a test may stop")]

mod common;
mod forge;

use cairn_rpm::build::{BuildOptions, FileKind, FileSpec, PackageSpec, build_package};
use cairn_rpm::header::{Value, Values};
use cairn_rpm::tag;
use common::{Bench, TIME, fixtures, masked, package};
use expect_test::{Expect, expect};
use forge::{OtherKey, Parts, archive, good};
use pgp::crypto::hash::HashAlgorithm;
use std::io::Write as _;

/// A bench whose root trusts the usual key.
fn bench() -> Bench {
    let bench = Bench::new(Vec::new());
    fixtures::keep_key("good", &common::key().public_armored().unwrap());
    assert_eq!(bench.rpm("--import ../KEY").code, 0);
    bench
}

/// Shows what the three commands say about a file; where all say the same, once.
fn answers(bench: &Bench, bytes: &[u8]) -> String {
    std::fs::write(bench.repository().join("x.rpm"), bytes).unwrap();
    let before = cairn_tree(bench);
    let said: Vec<String> = ["-K x.rpm", "-qp x.rpm", "-i x.rpm"]
        .iter()
        .map(|arguments| {
            let ran = bench.rpm(arguments);
            let mut lines = Vec::new();
            lines.extend(ran.err.lines().filter(|line| !line.starts_with("hint: ")));
            format!("exit {}: {}", ran.code, lines.join(" / ")).trim_end().to_owned()
        })
        .collect();
    assert!(!said[2].starts_with("exit 0"), "-i: {}", said[2]);
    assert_eq!(cairn_tree(bench), before, "something was left behind");
    assert_eq!(bench.rpm("-q x").out, "package x is not installed\n");
    // rpm's own words are for programs too; `dnf` says what to do.
    let file = bench.repository().join("x.rpm");
    let told = bench.dnf(&format!("install -y {}", file.display())).err;
    assert_eq!(told.matches("hint: ").count(), 1, "no hint: {told}");
    if said[0] == said[1] && said[1] == said[2] {
        return said[0].trim_start_matches("exit 1: error: x.rpm: ").to_owned();
    }
    format!("-K {}\n-qp {}\n-i {}", said[0], said[1], said[2])
}

/// Everything in the root but the database and the engine's own state.
fn cairn_tree(bench: &Bench) -> String {
    fn visit(directory: &std::path::Path, out: &mut Vec<String>) {
        let Ok(entries) = std::fs::read_dir(directory) else { return };
        for entry in entries {
            let path = entry.unwrap().path();
            out.push(path.display().to_string());
            if path.is_dir() && !path.is_symlink() {
                visit(&path, out);
            }
        }
    }
    let mut out = Vec::new();
    visit(&bench.root().join("usr/share"), &mut out);
    visit(&bench.root().join("etc"), &mut out);
    visit(&bench.root().join("tmp"), &mut out);
    out.sort();
    out.join("\n")
}

/// Checks a table of cases; each is named in the text.
fn check(cases: Vec<(&str, Vec<u8>)>, expected: Expect) {
    let bench = bench();
    let mut text = String::new();
    for (name, bytes) in cases {
        let said = answers(&bench, &bytes);
        fixtures::keep("packages", name, &bench.repository().join("x.rpm"), &said);
        text.push_str(&format!("{name}\n"));
        for line in said.lines() {
            text.push_str(&format!("  {}\n", masked(line)));
        }
    }
    expected.assert_eq(&text);
}

fn with(mut bytes: Vec<u8>, at: usize, change: &[u8]) -> Vec<u8> {
    bytes[at..at + change.len()].copy_from_slice(change);
    bytes
}

#[test]
fn leads_and_signature_headers() {
    let bytes = good();
    let parts = Parts::good();
    let signature_end = 96 + parts.signature.len();
    let header_end = signature_end + parts.header.len();
    check(
        vec![
            ("1 empty", Vec::new()),
            ("2 HTML", b"<!DOCTYPE html>\n<html>Not Found</html>\n".to_vec()),
            ("3 lead only", bytes[..96].to_vec()),
            ("4 bad magic", with(bytes.clone(), 0, &[0; 4])),
            ("5 major 9", with(bytes.clone(), 4, &[9])),
            ("5 signature type 0", with(bytes.clone(), 78, &[0, 0])),
            ("6 no header magic", with(bytes.clone(), 96, &[0; 4])),
            ("7 many tags", with(bytes.clone(), 104, &[0xff; 4])),
            ("8 much data", with(bytes.clone(), 108, &[0xff; 4])),
            ("8 256 MiB", with(bytes.clone(), 108, &0x1000_0000_u32.to_be_bytes())),
            ("9 no tags", with(bytes.clone(), 104, &[0; 4])),
            ("10 cut in the lead", bytes[..50].to_vec()),
            ("10 cut in the signature", bytes[..signature_end - 20].to_vec()),
            ("10 cut in the header", bytes[..header_end - 20].to_vec()),
            ("10 cut in the payload", bytes[..bytes.len() - 20].to_vec()),
        ],
        expect![[r#"
            1 empty
              not an RPM: file is empty
            2 HTML
              not an RPM: looks like an HTML page; the server answered an error page
            3 lead only
              truncated in signature header at byte 96 (expected 16 bytes, found 0)
            4 bad magic
              not an RPM: magic 00000000, expected edabeedb
            5 major 9
              unsupported RPM format 9
            5 signature type 0
              unsupported signature type 0
            6 no header magic
              signature header at byte 96: bad magic (expected 8eade801, found 00000000)
            7 many tags
              signature header claims 4294967295 tags, limit 65535
            8 much data
              signature header data 4294967295 bytes, limit 268435455
            8 256 MiB
              signature header data 268435456 bytes, limit 268435455
            9 no tags
              signature header has no tags
            10 cut in the lead
              truncated in lead at byte 0 (expected 96 bytes, found 50)
            10 cut in the signature
              truncated in signature header at byte 96 (expected 396 bytes, found 380)
            10 cut in the header
              truncated in header at byte 496 (expected 1441 bytes, found 1421)
            10 cut in the payload
              -K exit 1: error: x.rpm: truncated in payload at byte 1937 (expected 113 bytes, found 93)
              -qp exit 0:
              -i exit 1: 	package x-1.0-1.noarch does not verify: Payload SHA256 digest: BAD (Expected [SHA256] != [SHA256])
        "#]],
    );
}

#[test]
fn index_entries() {
    let name = |field, value| Parts::good().with_index(tag::NAME, field, value).seal();
    // The last text of the data gets no NUL, and the name begins there.
    let mut unterminated = Parts::good().with_tags(|values| {
        values.insert(tag::PAYLOADSHA3_256ALT, Value::text("last"));
    });
    let end = unterminated.header.len() - 16;
    unterminated.header[end - 1] = b'!';
    let data = u32::from_be_bytes(unterminated.header[12..16].try_into().unwrap());
    check(
        vec![
            ("11 offset", name(2, 0x7fff_ffff)),
            ("11 negative offset", name(2, 0xffff_fff0)),
            ("12 type 99", name(1, 99)),
            ("13 count 0", name(3, 0)),
            ("13 count 2^32-1", name(3, 0xffff_ffff)),
            ("14 no NUL", unterminated.with_index(tag::NAME, 2, data - 16 - 5).seal()),
            ("15 descending", name(2, 40)),
            ("16 region", Parts::good().with_index(tag::HEADERIMMUTABLE, 3, 1).seal()),
            (
                "16 trailer outside",
                Parts::good().with_index(tag::HEADERIMMUTABLE, 2, 1 << 20).seal(),
            ),
            ("17 twice", Parts::good().with_index(tag::VERSION, 0, tag::NAME).seal()),
        ],
        expect![[r#"
            11 offset
              tag NAME(1000): offset 2147483647 outside 673 bytes
            11 negative offset
              tag NAME(1000): offset -16 outside 673 bytes
            12 type 99
              tag NAME(1000): unknown type 99
            13 count 0
              tag NAME(1000): count 0 does not fit
            13 count 2^32-1
              tag NAME(1000): count 4294967295 does not fit
            14 no NUL
              tag NAME(1000): unterminated string
            15 descending
              tags NAME(1000) and VERSION(1001) overlap
            16 region
              immutable region is malformed in the header
            16 trailer outside
              immutable region is malformed in the header
            17 twice
              tag NAME(1000) occurs twice
        "#]],
    );
}

/// A package whose header has other bytes in a place, the rest of what was there being NUL.
fn with_bytes(mut parts: Parts, before: &[u8], after: &[u8]) -> Vec<u8> {
    let at = parts.header.windows(before.len()).position(|window| window == before).unwrap();
    parts.header[at..at + before.len()].fill(0);
    parts.header[at..at + after.len()].copy_from_slice(after);
    parts.seal()
}

/// Gives a package a `%post`.
fn post(body: &str, interpreter: &str) -> impl Fn(&mut Values) {
    move |values| {
        values.insert(tag::POSTIN, Value::text(body));
        values.insert(tag::POSTINPROG, Value::StringArray(vec![interpreter.to_owned()]));
    }
}

/// `rpm` goes on where a scriptlet cannot run, as it always did; `dnf` does not begin.
#[test]
fn a_script_without_its_interpreter() {
    let bench = bench();
    let path = bench.repository().join("x.rpm");
    std::fs::write(&path, Parts::good().with_tags(post("true", "/usr/bin/perl")).seal()).unwrap();
    let ran = bench.dnf(&format!("install -y {}", path.display()));
    fixtures::keep("packages", "34 no interpreter", &path, &ran.err);
    assert_eq!(ran.code, 1);
    let told: Vec<&str> = ran
        .err
        .lines()
        .filter(|line| line.starts_with("error: ") || line.starts_with("hint: "))
        .collect();
    expect![[r#"
        error: x-1.0-1.noarch: %post needs `/usr/bin/perl`, which is not installed by this transaction
        hint: install the package that provides the interpreter together with it"#]].assert_eq(&told.join("\n"));
    assert_eq!(bench.rpm("-q x").out, "package x is not installed\n");
}

#[test]
fn texts_and_lists() {
    let with_tags =
        |change: &dyn Fn(&mut Values)| Parts::good().with_tags(|values| change(values)).seal();
    let named = |name: &str| with_tags(&|values| drop(values.insert(tag::NAME, Value::text(name))));
    let version =
        |text: &str| with_tags(&|values| drop(values.insert(tag::VERSION, Value::text(text))));
    let nested = format!("{}a{}", "(".repeat(10_000), " or b)".repeat(10_000));
    check(
        vec![
            (
                "18 file lists",
                with_tags(&|values| {
                    values.insert(tag::DIRINDEXES, Value::Int32(vec![0]));
                }),
            ),
            (
                "19 directory index",
                with_tags(&|values| {
                    values.insert(tag::DIRINDEXES, Value::Int32(vec![0, 0x7fff_ffff]));
                }),
            ),
            ("28 ../x", named("../x")),
            ("28 -rf", named("-rf")),
            ("28 empty", named("")),
            ("28 control", named("a\u{1b}[31m")),
            ("28 long", named(&"n".repeat(100_000))),
            ("28 not UTF-8", with_bytes(Parts::of(&named("marker-x")), b"marker-x", b"\xff\xfe")),
            ("29 version", version("1-2")),
            ("29 empty version", version("")),
            (
                "33 deep",
                with_tags(&|values| {
                    values.insert(tag::REQUIRENAME, Value::StringArray(vec![nested.clone()]));
                    values.insert(tag::REQUIREVERSION, Value::StringArray(vec![String::new()]));
                    values.insert(tag::REQUIREFLAGS, Value::Int32(vec![0]));
                }),
            ),
            ("34 large script", with_tags(&post(&"x".repeat(11 << 20), "/bin/sh"))),
        ],
        expect![[r#"
            18 file lists
              file lists differ in length: 2 / 1 (tag DIRINDEXES(1116))
            19 directory index
              file 1: directory index 2147483647, 2 directories
            28 ../x
              invalid package name "../x"
            28 -rf
              invalid package name "-rf"
            28 empty
              invalid package name ""
            28 control
              invalid package name "a\x1b[31m"
            28 long
              invalid package name "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn…"
            28 not UTF-8
              invalid package name "\xff\xfe"
            29 version
              invalid version "1-2"
            29 empty version
              invalid version ""
            33 deep
              requires: rich dependency nested deeper than 64
            34 large script
              %post: 11534336 bytes, limit 4194304
        "#]],
    );
}

#[test]
fn digests() {
    let parts = Parts::good();
    let mut header = parts.clone();
    let at = header.header.windows(12).position(|window| window == b"Test package").unwrap();
    header.header[at] ^= 1;
    let mut structure = parts.clone();
    *structure.header.last_mut().unwrap() ^= 1;
    let mut payload = parts.clone();
    *payload.payload.last_mut().unwrap() ^= 1;
    let mut junk = parts.clone();
    junk.payload.extend([0; 4096]);
    check(
        vec![
            ("20 bit of the header", header.join()),
            ("20 bit of its structure", structure.join()),
            ("20 bit of the payload", payload.join()),
            ("21 junk", junk.join()),
        ],
        expect![[r#"
            20 bit of the header
              -K exit 1: error: x.rpm: header digest mismatch: expected [SHA256] .. found [SHA256]
              -qp exit 1: error: x.rpm: Header V4 EdDSA/SHA256 Signature, key ID [ID]: BAD / error: x.rpm: Header SHA256 digest: BAD (Expected [SHA256] != [SHA256]) / error: x.rpm: Header SHA1 digest: BAD (Expected [KEY] != [KEY])
              -i exit 1: error: x.rpm: Header V4 EdDSA/SHA256 Signature, key ID [ID]: BAD / error: x.rpm: Header SHA256 digest: BAD (Expected [SHA256] != [SHA256]) / error: x.rpm: Header SHA1 digest: BAD (Expected [KEY] != [KEY]) / error: x.rpm cannot be installed
            20 bit of its structure
              header digest mismatch: expected [SHA256] .. found [SHA256]
            20 bit of the payload
              -K exit 1: error: x.rpm: payload digest mismatch: expected [SHA256] .. found [SHA256]
              -qp exit 0:
              -i exit 1: 	package x-1.0-1.noarch does not verify: Payload SHA256 digest: BAD (Expected [SHA256] != [SHA256])
            21 junk
              -K exit 1: error: x.rpm: 4096 bytes after the end of the payload
              -qp exit 0:
              -i exit 1: 	package x-1.0-1.noarch does not verify: Payload SHA256 digest: BAD (Expected [SHA256] != [SHA256])
        "#]],
    );
}

#[test]
fn signatures() {
    let spec = package("x", "1.0-1", &[]);
    let options = BuildOptions::new(TIME);
    let parts = Parts::good();
    let weak = OtherKey::weak();
    let rsa = OtherKey::rsa();
    let expired = forge::expired_key();
    let revoked =
        cairn_rpm::signature::SigningKey::from_armored(include_str!("data/revoked-secret.asc"))
            .unwrap();
    let bench = bench();
    for (name, text) in [
        ("weak", weak.public_armored()),
        ("rsa", rsa.public_armored()),
        ("expired", expired.public_armored().unwrap()),
        ("revoked", include_str!("data/revoked.asc").to_owned()),
    ] {
        std::fs::write(bench.path(name), &text).unwrap();
        let ran = bench.rpm(&format!("--import ../{name}"));
        assert_eq!(ran.code, 0, "{name}: {}", ran.err);
        fixtures::keep_key(name, &text);
    }
    let stranger = common::seeded_key("S <s@example.invalid>", 202);
    let mut text = String::new();
    for (name, bytes) in [
        ("unsigned", build_package(&spec, &options, None).unwrap()),
        ("unknown key", build_package(&spec, &options, Some(&stranger)).unwrap()),
        ("expired key", build_package(&spec, &options, Some(&expired)).unwrap()),
        ("revoked key", build_package(&spec, &options, Some(&revoked)).unwrap()),
        (
            "SHA-1",
            parts.seal_with(&[(tag::RSAHEADER, rsa.sign(&parts.header, HashAlgorithm::Sha1))]),
        ),
        ("MD5", parts.seal_with(&[(tag::RSAHEADER, rsa.sign(&parts.header, HashAlgorithm::Md5))])),
        ("MD5 and SHA-1 digests only", parts.seal_as_of_old()),
        (
            "RSA-1024",
            parts.seal_with(&[(tag::RSAHEADER, weak.sign(&parts.header, HashAlgorithm::Sha256))]),
        ),
        ("another package's", {
            let other = Parts::of(&forge::signed(&package("y", "1.0-1", &[])));
            Parts { signature: other.signature, ..parts.clone() }.join()
        }),
    ] {
        std::fs::write(bench.repository().join("x.rpm"), &bytes).unwrap();
        let mut said = String::new();
        for command in ["-K", "-i"] {
            let ran = bench.rpm(&format!("{command} x.rpm"));
            said.push_str(&format!("{name} {command}: exit {}\n", ran.code));
            ran.err.lines().for_each(|line| said.push_str(&format!("  {line}\n")));
        }
        assert_eq!(bench.rpm("-q x").out, "package x is not installed\n");
        let file = bench.repository().join("x.rpm");
        fixtures::keep("packages", &format!("22 {name}"), &file, &said);
        said.lines().for_each(|line| text.push_str(&format!("{}\n", masked(line))));
    }
    expect![[r#"
        unsigned -K: exit 1
        unsigned -i: exit 1
          	package x-1.0-1.noarch does not verify: no signature
        unknown key -K: exit 1
        unknown key -i: exit 1
          warning: x.rpm: Header V4 EdDSA/SHA256 Signature, key ID [ID]: NOKEY
          	package x-1.0-1.noarch does not verify: Header V4 EdDSA/SHA256 Signature, key ID [ID]: NOKEY
        expired key -K: exit 1
          error: x.rpm: key [KEY] expired on 2021-08-03
        expired key -i: exit 1
          error: [TMP]/repo/x.rpm: key [KEY] expired on 2021-08-03
          hint: import the vendor's renewed key, or get a newer package
        revoked key -K: exit 1
          error: x.rpm: key [KEY] is revoked
        revoked key -i: exit 1
          error: [TMP]/repo/x.rpm: key [KEY] is revoked
          hint: do not install this: remove the key, and import the vendor's new one
        SHA-1 -K: exit 1
          error: x.rpm: signature of key [KEY] uses SHA1, which is too weak (expected SHA-256 or better)
        SHA-1 -i: exit 1
          error: [TMP]/repo/x.rpm: signature of key [KEY] uses SHA1, which is too weak (expected SHA-256 or better)
          hint: ask the vendor to sign with SHA-256 or better
        MD5 -K: exit 1
          error: x.rpm: signature of key [KEY] uses MD5, which is too weak (expected SHA-256 or better)
        MD5 -i: exit 1
          error: [TMP]/repo/x.rpm: signature of key [KEY] uses MD5, which is too weak (expected SHA-256 or better)
          hint: ask the vendor to sign with SHA-256 or better
        MD5 and SHA-1 digests only -K: exit 1
          error: x.rpm: header has no SHA-256 digest
        MD5 and SHA-1 digests only -i: exit 1
          	package x-1.0-1.noarch does not verify: no signature
        RSA-1024 -K: exit 1
          error: x.rpm: key [KEY] is RSA-1024, which is too weak (expected RSA-2048 or better, or Ed25519)
        RSA-1024 -i: exit 1
          error: [TMP]/repo/x.rpm: key [KEY] is RSA-1024, which is too weak (expected RSA-2048 or better, or Ed25519)
          hint: ask the vendor for a stronger key
        another package's -K: exit 1
          error: x.rpm: header digest mismatch: expected [SHA256] .. found [SHA256]
        another package's -i: exit 1
          error: x.rpm: Header V4 EdDSA/SHA256 Signature, key ID [ID]: BAD
          error: x.rpm: Header SHA256 digest: BAD (Expected [SHA256] != [SHA256])
          error: x.rpm: Header SHA1 digest: BAD (Expected [KEY] != [KEY])
          error: x.rpm cannot be installed
    "#]].assert_eq(&text);
}

#[test]
fn archives() {
    let file = 0o100_644;
    let directory = 0o040_755;
    let usual: Vec<(&[u8], u32, &[u8])> =
        vec![(b"./usr/share/x", directory, b""), (b"./usr/share/x/file", file, b"1.0-1\n")];
    let with_entry = |name: &[u8]| {
        let mut entries = usual.clone();
        entries.push((name, file, b"evil"));
        Parts::good().with_archive(&archive(&entries)).seal()
    };
    let long = [b"./".to_vec(), vec![b'n'; 5000]].concat();
    let component = [b"./usr/".to_vec(), vec![b'n'; 300]].concat();
    check(
        vec![
            ("23 unlisted", with_entry(b"./etc/shadow")),
            ("24 ..", with_entry(b"../../etc/passwd")),
            ("24 absolute", with_entry(b"/etc/passwd")),
            ("24 a//b", with_entry(b"./usr//share")),
            ("24 NUL", with_entry(b"./usr/a\0b")),
            ("24 long", with_entry(&long)),
            ("24 long component", with_entry(&component)),
            (
                "31 bomb",
                Parts::good()
                    .with_archive(&archive(&[
                        (b"./usr/share/x", directory, b""),
                        (b"./usr/share/x/file", file, &vec![0; 64 << 20]),
                    ]))
                    .seal(),
            ),
            (
                "23 missing file",
                Parts::good().with_archive(&archive(&[(b"./usr/share/x", directory, b"")])).seal(),
            ),
            ("23 no archive", Parts::good().with_archive(b"not an archive").seal()),
        ],
        expect![[r#"
            23 unlisted
              -K exit 0:
              -qp exit 0:
              -i exit 1: error: x-1.0-1.noarch: payload has a file the header does not list: ./etc/shadow
            24 ..
              -K exit 0:
              -qp exit 0:
              -i exit 1: error: x-1.0-1.noarch: unsafe path in package: "../../etc/passwd" (it has a `.` or `..` component)
            24 absolute
              -K exit 0:
              -qp exit 0:
              -i exit 1: error: x-1.0-1.noarch: unsafe path in package: "/etc/passwd" (it is absolute)
            24 a//b
              -K exit 0:
              -qp exit 0:
              -i exit 1: error: x-1.0-1.noarch: unsafe path in package: "./usr//share" (it has an empty component)
            24 NUL
              -K exit 0:
              -qp exit 0:
              -i exit 1: error: x-1.0-1.noarch: unsafe path in package: "./usr/a\x00b" (it has control characters)
            24 long
              -K exit 0:
              -qp exit 0:
              -i exit 1: error: x-1.0-1.noarch: unsafe path in package: "(5003 bytes)" (it is longer than 4095 bytes)
            24 long component
              -K exit 0:
              -qp exit 0:
              -i exit 1: error: x-1.0-1.noarch: unsafe path in package: "./usr/nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn…" (a component is longer than 255 bytes)
            31 bomb
              -K exit 0:
              -qp exit 0:
              -i exit 1: error: x-1.0-1.noarch: payload larger than the 6 bytes declared
            23 missing file
              -K exit 0:
              -qp exit 0:
              -i exit 1: error: x-1.0-1.noarch: payload lacks a file the header lists: /usr/share/x/file
            23 no archive
              -K exit 0:
              -qp exit 0:
              -i exit 1: error: x-1.0-1.noarch: payload archive at byte 0: bad magic "not an"
        "#]],
    );
}

#[test]
fn paths_of_the_header() {
    let spec = |files: Vec<FileSpec>| {
        let mut spec = package("x", "1.0-1", &[]);
        spec.files.extend(files);
        spec
    };
    let through =
        spec(vec![FileSpec::symlink("/usr/x", "/etc"), FileSpec::regular("/usr/y/file", "evil")]);
    let parts = Parts::of(&forge::signed(&through));
    let moved = parts.with_tags(|values| {
        let Some(Value::StringArray(directories)) = values.get_mut(&tag::DIRNAMES) else {
            panic!()
        };
        for directory in directories.iter_mut().filter(|name| *name == "/usr/y/") {
            "/usr/x/".clone_into(directory);
        }
    });
    let outside = Parts::good().with_tags(|values| {
        values.insert(
            tag::DIRNAMES,
            Value::StringArray(vec!["/usr/../../".into(), "/usr/share/x/".into()]),
        );
    });
    let mut ghost = package("x", "1.0-1", &[]);
    ghost.files.push(FileSpec::new("/var/log/x", FileKind::Ghost));
    check(
        vec![("24 header", outside.seal()), ("25 through a link", moved.seal())],
        expect![[r#"
        24 header
          unsafe path in package: "/usr/../../x" (it has a `.` or `..` component)
        25 through a link
          path passes through symlink /usr/x: "/usr/x/file"
    "#]],
    );
}

/// A package with two files that the header calls one, and another payload.
fn linked(first: &str, second: &str, entries: &[(&[u8], u32, &[u8])]) -> Vec<u8> {
    let mut spec = package("x", "1.0-1", &[]);
    spec.files = vec![
        FileSpec::regular("/usr/share/a", first.to_owned()),
        FileSpec::regular("/usr/share/b", second.to_owned()),
    ];
    Parts::of(&forge::signed(&spec))
        .with_archive(&archive(entries))
        .with_tags(|values| {
            values.insert(tag::FILEINODES, Value::Int32(vec![1, 1]));
            values.insert(tag::FILEDEVICES, Value::Int32(vec![1, 1]));
        })
        .seal()
}

/// A package with more names of one file than anybody needs.
fn many_links() -> Vec<u8> {
    let names = (0..2000).map(|n| FileSpec::regular(format!("/usr/share/{n}"), "same\n"));
    let spec = PackageSpec { files: names.collect(), ..package("x", "1.0-1", &[]) };
    let one_inode = |values: &mut Values| {
        values.insert(tag::FILEINODES, Value::Int32(vec![1; 2000]));
        values.insert(tag::FILEDEVICES, Value::Int32(vec![1; 2000]));
    };
    Parts::of(&forge::signed(&spec)).with_tags(one_inode).seal()
}

#[test]
fn hard_links_and_sizes() {
    let file = 0o100_644;
    let both: [(&[u8], u32, &[u8]); 2] =
        [(b"./usr/share/a", file, b"same\n"), (b"./usr/share/b", file, b"same\n")];
    let sizes = |values: &mut Values| {
        values.remove(&tag::FILESIZES);
        values.insert(tag::LONGFILESIZES, Value::Int64(vec![0, 1 << 63]));
    };
    let large = |values: &mut Values| {
        values.remove(&tag::FILESIZES);
        values.insert(tag::LONGFILESIZES, Value::Int64(vec![0, 1 << 62]));
    };
    check(
        vec![
            ("26 one member missing", linked("same\n", "same\n", &both[..1])),
            ("26 members differ", linked("same\n", "another\n", &both)),
            ("26 many links", many_links()),
            ("32 size 2^63", Parts::good().with_tags(sizes).seal()),
            ("32 size 2^62", Parts::good().with_tags(large).seal()),
        ],
        expect![[r#"
            26 one member missing
              -K exit 0:
              -qp exit 0:
              -i exit 1: error: x-1.0-1.noarch: hardlink set incomplete: "/usr/share/b" (expected 2 links, found 1)
            26 members differ
              hardlink set incomplete: "/usr/share/b" is not the same file as the other links
            26 many links
              hardlink set of "/usr/share/0" has 2000 links, limit 1024
            32 size 2^63
              file "/usr/share/x/file": size 9223372036854775808 is out of range
            32 size 2^62
              -K exit 0:
              -qp exit 0:
              -i exit 1: error: needs 4.0 EiB on `/`, [FREE]
        "#]],
    );
}

#[test]
fn compression() {
    let with_payload = |payload: Vec<u8>, compressor: &str| {
        let mut parts = Parts::good();
        parts.payload = payload;
        let digest = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(&parts.payload));
        let good = Parts { payload: Parts::good().payload, ..parts.clone() };
        let changed = good.with_tags(|values| {
            values.insert(tag::PAYLOADDIGEST, Value::StringArray(vec![digest]));
            values.insert(tag::PAYLOADCOMPRESSOR, Value::text(compressor));
        });
        Parts { header: changed.header, ..parts }.seal()
    };
    let payload = Parts::good().payload;
    let half = payload[..payload.len() / 2].to_vec();
    let junk = [&payload[..], b"junk"].concat();
    let archive = zstd::decode_all(&payload[..]).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&archive).unwrap();
    let gzip = gzip.finish().unwrap();
    let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 0);
    xz.write_all(&archive).unwrap();
    let xz = xz.finish().unwrap();
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bzip2.write_all(&archive).unwrap();
    let bzip2 = bzip2.finish().unwrap();
    let cut = |bytes: &[u8]| bytes[..bytes.len() / 2].to_vec();
    // Stream header 12 bytes; block header: size, flags, filter 0x21, one property (40: 4 GiB), its CRC at byte 20.
    let mut dictionary = xz.clone();
    assert_eq!(dictionary[14..16], [0x21, 1]);
    dictionary[16] = 40;
    let mut crc = flate2::Crc::new();
    crc.update(&dictionary[12..20]);
    dictionary[20..24].copy_from_slice(&crc.sum().to_le_bytes());
    // A frame that wants a window of 2 GiB, with one empty last block.
    let window = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 21 << 3, 1, 0, 0];
    check(
        vec![
            ("30 not gzip", with_payload(payload.clone(), "gzip")),
            ("30 not xz", with_payload(payload.clone(), "xz")),
            ("30 not bzip2", with_payload(payload.clone(), "bzip2")),
            ("30 unknown", with_payload(payload.clone(), "lzma2000")),
            ("30 truncated", with_payload(half, "zstd")),
            ("30 truncated gzip", with_payload(cut(&gzip), "gzip")),
            ("30 trailing junk after gzip", with_payload([&gzip[..], b"junk"].concat(), "gzip")),
            ("30 truncated xz", with_payload(cut(&xz), "xz")),
            ("30 xz dictionary", with_payload(dictionary, "xz")),
            ("30 truncated bzip2", with_payload(cut(&bzip2), "bzip2")),
            ("30 trailing junk", with_payload(junk, "zstd")),
            ("30 window", with_payload(window, "zstd")),
        ],
        expect![[r#"
            30 not gzip
              -K exit 0:
              -qp exit 0:
              -i exit 1: error: x-1.0-1.noarch: payload is not gzip: magic 28b5, expected 1f8b
            30 not xz
              -K exit 0:
              -qp exit 0:
              -i exit 1: error: x-1.0-1.noarch: payload is not xz: magic 28b52ffd0068, expected fd377a585a00
            30 not bzip2
              -K exit 0:
              -qp exit 0:
              -i exit 1: error: x-1.0-1.noarch: payload is not bzip2: magic 28b52f, expected 425a68
            30 unknown
              -K exit 0:
              -qp exit 0:
              -i exit 1: error: x-1.0-1.noarch: unsupported payload compression "lzma2000"
            30 truncated
              -K exit 0:
              -qp exit 0:
              -i exit 1: error: x-1.0-1.noarch: payload is damaged: zstd: incomplete frame
            30 truncated gzip
              -K exit 0:
              -qp exit 0:
              -i exit 1: error: x-1.0-1.noarch: payload is damaged: gzip: incomplete deflate stream
            30 trailing junk after gzip
              -K exit 0:
              -qp exit 0:
              -i exit 1: error: x-1.0-1.noarch: 4 bytes after the end of the payload
            30 truncated xz
              -K exit 0:
              -qp exit 0:
              -i exit 1: error: x-1.0-1.noarch: payload is damaged: xz: premature eof
            30 xz dictionary
              -K exit 0:
              -qp exit 0:
              -i exit 1: error: x-1.0-1.noarch: payload is damaged: xz: window over 128 MiB
            30 truncated bzip2
              -K exit 0:
              -qp exit 0:
              -i exit 1: error: x-1.0-1.noarch: payload is damaged: bzip2: decompression not finished but EOF reached
            30 trailing junk
              -K exit 0:
              -qp exit 0:
              -i exit 1: error: x-1.0-1.noarch: 4 bytes after the end of the payload
            30 window
              -K exit 0:
              -qp exit 0:
              -i exit 1: error: x-1.0-1.noarch: zstd window 2 GiB, limit 128 MiB
        "#]],
    );
}

/// Row 27: what gives power comes as the header says, and `dnf` names it where it is unusual.
#[test]
fn privileges_in_unusual_places() {
    let bench = bench();
    let mut spec = package("p", "1.0-1", &[]);
    for (path, mode) in [("/etc/p", 0o4755), ("/usr/bin/p", 0o4755), ("/srv/p", 0o2755)] {
        let mut file = FileSpec::regular(path, "p");
        file.mode = mode;
        spec.files.push(file);
    }
    let mut capable = FileSpec::regular("/srv/c", "c");
    capable.caps = "cap_net_raw=ep".to_owned();
    spec.files.push(capable);
    let path = bench.repository().join("p.rpm");
    std::fs::write(&path, forge::signed(&spec)).unwrap();
    let ran = bench.dnf(&format!("install -y {}", path.display()));
    assert_eq!(ran.code, 0, "{}", ran.err);
    fixtures::keep("packages", "27 privileges in unusual places", &path, &ran.err);
    let warnings: Vec<&str> =
        ran.err.lines().filter(|line| line.starts_with("warning: ")).collect();
    expect![[r#"
        warning: p-1.0-1.noarch: /etc/p is setuid outside directories of programs
        warning: p-1.0-1.noarch: /srv/c is privileged (cap_net_raw=ep) outside directories of programs
        warning: p-1.0-1.noarch: /srv/p is setgid outside directories of programs"#]].assert_eq(&warnings.join("\n"));
    let listed = bench.rpm("-q --qf '[%{FILEMODES:perms} %{FILENAMES}\\n]' p").out;
    expect![[r#"
        -rwsr-xr-x /etc/p
        -rw-r--r-- /srv/c
        -rwxr-sr-x /srv/p
        -rwsr-xr-x /usr/bin/p
        drwxr-xr-x /usr/share/p
        -rw-r--r-- /usr/share/p/file
    "#]]
    .assert_eq(&listed);
    assert_eq!(bench.rpm("-V p").out, "");
}
