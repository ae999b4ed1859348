// SPDX-License-Identifier: MIT OR Apache-2.0
//! Malformed and untrusted metadata and repository files: what is said about each, and that nothing changes.
#![allow(clippy::unwrap_used, reason = "a test may stop")]

mod common;

use common::{Bench, Ran, fixtures, masked};
use expect_test::{Expect, expect};
use sha2::Digest as _;

/// What a command said, without progress and with digests masked.
fn said(ran: &Ran) -> String {
    let mut text = format!("exit {}\n", ran.code);
    for line in ran.err.lines().filter(|line| !line.starts_with("Updating and loading")) {
        text.push_str(&masked(line));
        text.push('\n');
    }
    text
}

/// Keeps a malformed repository where it is asked for.
fn keep_repository(bench: &Bench, name: &str, ran: &Ran) {
    fixtures::keep_key("good", &common::key().public_armored().unwrap());
    fixtures::keep("repositories", name, &bench.repository(), &ran.err);
}

/// Writes each `repomd.xml`, signed, and shows what an installation says. The cases are of a row of the table of bad inputs.
fn check_index(row: u32, cases: &[(&str, &dyn Fn(&str) -> Vec<u8>)], expected: Expect) {
    let mut text = String::new();
    for (name, change) in cases {
        let bench = Bench::usual();
        let index = bench.repository().join("repodata/repomd.xml");
        let good = std::fs::read_to_string(&index).unwrap();
        std::fs::write(&index, change(&good)).unwrap();
        bench.sign_index();
        let ran = bench.dnf("install -y bar");
        assert_eq!(bench.rpm("-qa").out, "", "{name}: nothing may be installed");
        keep_repository(&bench, &format!("{row} {name}"), &ran);
        // How well the times in it compress differs from run to run.
        let size = good.split("<size>").nth(1).unwrap().split('<').next().unwrap();
        text.push_str(&format!("{name}: {}", said(&ran).replace(size, "[SIZE]")));
    }
    expected.assert_eq(&text);
}

#[test]
fn index_that_is_no_index() {
    check_index(
        36,
        &[
            ("empty", &|_| Vec::new()),
            ("not XML", &|_| b"nothing of the kind".to_vec()),
            ("HTML", &|_| b"<!DOCTYPE html>\n<html>Not Found</html>\n".to_vec()),
            ("truncated", &|good| good.as_bytes()[..good.len() / 2].to_vec()),
            ("wrong root", &|_| b"<?xml version=\"1.0\"?>\n<metadata/>\n".to_vec()),
            ("UTF-16", &|good| {
                let units = std::iter::once(0xfeff).chain(good.encode_utf16());
                units.flat_map(u16::to_le_bytes).collect()
            }),
            ("without primary", &|good| {
                good.replace("\"primary\"", "\"other-primary\"").into_bytes()
            }),
            ("with modules", &|good| {
                let start = good.find("  <data type=\"other\"").unwrap();
                let end = start + good[start..].find("</data>\n").unwrap() + 8;
                let record = good[start..end].replace("\"other\"", "\"modules\"");
                good.replace("</repomd>", &format!("{record}</repomd>")).into_bytes()
            }),
            ("large", &|good| format!("{good}{}", " ".repeat(2 << 20)).into_bytes()),
        ],
        expect![[r#"
            empty: exit 1
            error: repository t: repomd.xml line 1: not repository metadata (empty file)
            hint: the repository is damaged or not one: tell its owner
            not XML: exit 1
            error: repository t: repomd.xml line 1: not repository metadata (not XML)
            hint: the repository is damaged or not one: tell its owner
            HTML: exit 1
            error: repository t: repomd.xml line 1: not repository metadata (HTML page)
            hint: the repository is damaged or not one: tell its owner
            truncated: exit 1
            error: repository t: repomd.xml line 15: truncated: the file ends inside <open-checksum>
            hint: the repository is damaged or not one: tell its owner
            wrong root: exit 1
            error: repository t: repomd.xml line 2: not repository metadata (root element <metadata>, expected <repomd>)
            hint: the repository is damaged or not one: tell its owner
            UTF-16: exit 1
            error: repository t: repomd.xml line 1: not repository metadata (UTF-16 text)
            hint: the repository is damaged or not one: tell its owner
            without primary: exit 1
            error: repository t: repomd.xml line 34: <data type="primary"> is missing
            hint: the repository is damaged or not one: tell its owner
            with modules: exit 1
            error: repository t: modules are not supported (repomd.xml names metadata of kind `modules`)
            hint: use a repository without modules, or leave this one out with --disablerepo=t
            large: exit 1
            error: repository t: cannot download repodata/repomd.xml: cannot fetch `file://[TMP]/repo/repodata/repomd.xml` (expected at most 1048576 bytes, found more)
            hint: check the network and the baseurl, or leave the repository out with --disablerepo=t
        "#]],
    );
}

#[test]
fn index_that_bursts_or_reaches_out() {
    check_index(
        37,
        &[
            ("entity bomb", &|good| {
                good.replace(
                    "<repomd",
                    "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>\n<repomd",
                )
                .into_bytes()
            }),
            ("external entity", &|good| {
                good.replace("<revision>100", "<revision>&xxe;").into_bytes()
            }),
            ("deep", &|good| {
                good.replace(
                    "</repomd>",
                    &format!("{}{}</repomd>", "<a>".repeat(100_000), "</a>".repeat(100_000)),
                )
                .into_bytes()
            }),
            ("many attributes", &|good| {
                let attributes: String = (0..2000).map(|n| format!(" a{n}=\"\"")).collect();
                good.replace("<revision>", &format!("<revision{attributes}>")).into_bytes()
            }),
        ],
        expect![[r#"
            entity bomb: exit 1
            error: repository t: repomd.xml line 2: DTD not allowed
            hint: the repository is damaged or not one: tell its owner
            external entity: exit 1
            error: repository t: repomd.xml line 3: entity `&xxe;` not allowed
            hint: the repository is damaged or not one: tell its owner
            deep: exit 1
            error: repository t: repomd.xml line 34: more than 16 nested elements
            hint: the repository is damaged or not one: tell its owner
            many attributes: exit 1
            error: repository t: repomd.xml line 3: more than 32 attributes in one element
            hint: the repository is damaged or not one: tell its owner
        "#]],
    );
}

#[test]
fn byte_order_mark_is_read() {
    let bench = Bench::usual();
    let index = bench.repository().join("repodata/repomd.xml");
    let good = std::fs::read_to_string(&index).unwrap();
    std::fs::write(&index, format!("\u{feff}{good}")).unwrap();
    bench.sign_index();
    assert_eq!(bench.dnf("install -y bar").code, 0);
}

/// Replaces the location of the first record.
fn located(good: &str, href: &str) -> Vec<u8> {
    let start = good.find("href=\"").unwrap() + 6;
    let end = start + good[start..].find('"').unwrap();
    format!("{}{href}{}", &good[..start], &good[end..]).into_bytes()
}

#[test]
fn locations() {
    check_index(
        38,
        &[
            ("parent directory", &|good| located(good, "../../x")),
            ("absolute", &|good| located(good, "/etc/x")),
            ("file", &|good| located(good, "file:///etc/x")),
            ("other host", &|good| located(good, "http://other/x")),
            ("escaped", &|good| located(good, "%2e%2e/x")),
            ("backslash", &|good| located(good, "..\\x")),
            ("control", &|good| located(good, "a&#10;b")),
            ("NUL", &|good| located(good, "a&#0;b")),
        ],
        expect![[r#"
            parent directory: exit 1
            error: repository t: repomd.xml line 7: unsafe location "../../x"
            hint: the repository is damaged or not one: tell its owner
            absolute: exit 1
            error: repository t: repomd.xml line 7: unsafe location "/etc/x"
            hint: the repository is damaged or not one: tell its owner
            file: exit 1
            error: repository t: repomd.xml line 7: unsafe location "file:///etc/x"
            hint: the repository is damaged or not one: tell its owner
            other host: exit 1
            error: repository t: repomd.xml line 7: unsafe location "http://other/x"
            hint: the repository is damaged or not one: tell its owner
            escaped: exit 1
            error: repository t: repomd.xml line 7: unsafe location "%2e%2e/x"
            hint: the repository is damaged or not one: tell its owner
            backslash: exit 1
            error: repository t: repomd.xml line 7: unsafe location "..\\x"
            hint: the repository is damaged or not one: tell its owner
            control: exit 1
            error: repository t: repomd.xml line 7: unsafe location "a\nb"
            hint: the repository is damaged or not one: tell its owner
            NUL: exit 1
            error: repository t: repomd.xml line 7: malformed XML: invalid character reference: 0x0 character is not permitted in XML
            hint: the repository is damaged or not one: tell its owner
        "#]],
    );
}

#[test]
fn checksums_of_records() {
    let wrong = "0".repeat(64);
    check_index(
        39,
        &[
            ("wrong", &|good| {
                let start = good.find("<checksum type=\"sha256\">").unwrap() + 24;
                format!("{}{wrong}{}", &good[..start], &good[start + 64..]).into_bytes()
            }),
            ("md5", &|good| {
                good.replace("<checksum type=\"sha256\"", "<checksum type=\"md5\"").into_bytes()
            }),
            ("no digits", &|good| {
                let start = good.find("<checksum type=\"sha256\">").unwrap() + 24;
                format!("{}{}{}", &good[..start], "z".repeat(64), &good[start + 64..]).into_bytes()
            }),
            ("missing", &|good| {
                let start = good.find("<checksum").unwrap();
                let end = good.find("</checksum>").unwrap() + 11;
                format!("{}{}", &good[..start], &good[end..]).into_bytes()
            }),
            ("size", &|good| {
                let start = good.find("<size>").unwrap() + 6;
                format!("{}9{}", &good[..start], &good[start..]).into_bytes()
            }),
            ("open size", &|good| {
                let start = good.find("<open-size>").unwrap() + 11;
                let end = good.find("</open-size>").unwrap();
                format!("{}10{}", &good[..start], &good[end..]).into_bytes()
            }),
            ("two primary", &|good| {
                let start = good.find("  <data type=\"primary\"").unwrap();
                let end = start + good[start..].find("</data>\n").unwrap() + 8;
                good.replace("</repomd>", &format!("{}</repomd>", &good[start..end])).into_bytes()
            }),
        ],
        expect![[r#"
            wrong: exit 1
            error: repository t: repodata/[SHA256]-primary.xml.zst: checksum mismatch (expected [SHA256], found [SHA256])
            hint: the mirror is being updated or serves other files: try again later, or use another mirror
            md5: exit 1
            error: repository t: repomd.xml line 5: checksum type `md5` is not accepted (expected sha256)
            hint: the repository is damaged or not one: tell its owner
            no digits: exit 1
            error: repository t: repomd.xml line 5: `zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz` is no SHA-256 checksum
            hint: the repository is damaged or not one: tell its owner
            missing: exit 1
            error: repository t: repomd.xml line 11: <checksum> is missing
            hint: the repository is damaged or not one: tell its owner
            size: exit 1
            error: repository t: repodata/[SHA256]-primary.xml.zst: size mismatch (expected 9[SIZE], found [SIZE])
            hint: the mirror is being updated or serves other files: try again later, or use another mirror
            open size: exit 1
            error: repository t: primary.xml line 1: reading: expands to more than 10 bytes, which is the limit here
            hint: the repository is damaged or not one: tell its owner
            two primary: exit 1
            error: repository t: repomd.xml line 34: two `primary`
            hint: the repository is damaged or not one: tell its owner
        "#]],
    );
}

/// Replaces the text of `primary.xml` and signs everything again; shows what an installation of `bar` says.
fn with_primary(name: &str, change: impl Fn(&str) -> String) -> String {
    with_primary_and_size(name, change, |size| format!("<open-size>{size}</open-size>"))
}

/// As [`with_primary`], with another statement of its decompressed size.
fn with_primary_and_size(
    name: &str,
    change: impl Fn(&str) -> String,
    open_size: impl Fn(usize) -> String,
) -> String {
    let bench = Bench::usual();
    let directory = bench.repository().join("repodata");
    let path = std::fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_str().unwrap().contains("primary.xml"))
        .unwrap();
    let good =
        String::from_utf8(zstd::decode_all(&std::fs::read(&path).unwrap()[..]).unwrap()).unwrap();
    let changed = change(&good);
    let packed = zstd::encode_all(changed.as_bytes(), 3).unwrap();
    std::fs::write(&path, &packed).unwrap();
    let index = directory.join("repomd.xml");
    let text = std::fs::read_to_string(&index).unwrap();
    let start = text.find("<data type=\"primary\">").unwrap();
    let (before, rest) = text.split_at(start);
    let (record, after) = rest.split_at(rest.find("</data>").unwrap());
    let sha256 = |bytes: &[u8]| hex::encode(sha2::Sha256::digest(bytes));
    let href = record[record.find("href=\"").unwrap() + 6..].split('"').next().unwrap();
    let record = format!(
        "<data type=\"primary\"><checksum type=\"sha256\">{}</checksum><open-checksum type=\"sha256\">{}</open-checksum><location href=\"{href}\"/><timestamp>1</timestamp><size>{}</size>{}",
        sha256(&packed),
        sha256(changed.as_bytes()),
        packed.len(),
        open_size(changed.len())
    );
    std::fs::write(&index, format!("{before}{record}{after}")).unwrap();
    bench.sign_index();
    let ran = bench.dnf("install -y bar");
    keep_repository(&bench, name, &ran);
    let installed = bench.rpm("-qa").out;
    format!("{}installed: {installed}", said(&ran))
}

/// Row 40: metadata that expands a thousand times, with a size that lies and with none.
#[test]
fn bombs() {
    let padded = |good: &str| {
        good.replace("<metadata ", &format!("<!--{}--><metadata ", " ".repeat(8 << 20)))
    };
    let mut text = String::new();
    for (name, size) in [("small size", "<open-size>4096</open-size>"), ("no size", "")] {
        let said = with_primary_and_size(&format!("40 {name}"), padded, |_| size.to_owned());
        text.push_str(&format!("{name}: {}\n", said.trim_end()));
    }
    expect![[r#"
        small size: exit 1
        error: repository t: primary.xml line 1: reading: expands to more than 4096 bytes, which is the limit here
        hint: the repository is damaged or not one: tell its owner
        installed:
        no size: exit 1
        error: repository t: primary.xml line 2: reading: expands to more than 1048576 bytes, which is the limit here
        hint: the repository is damaged or not one: tell its owner
        installed:
    "#]].assert_eq(&text);
}

#[test]
fn primary() {
    let mut text = String::new();
    let mut case = |name: &str, change: &dyn Fn(&str) -> String| {
        text.push_str(&format!(
            "{name}: {}\n",
            with_primary(&format!("44 {name}"), change).trim_end()
        ));
    };
    case("count", &|good| good.replace("packages=\"6\"", "packages=\"7\""));
    case("architecture", &|good| good.replace("<arch>noarch</arch>", "<arch>pdp11</arch>"));
    case("location outside", &|good| {
        good.replace("href=\"bar-1.0-1.noarch.rpm\"", "href=\"../../bar.rpm\"")
    });
    case("size lies", &|good| {
        let start = good.find("<name>bar</name>").unwrap();
        let at = start + good[start..].find("<size package=\"").unwrap() + 15;
        format!("{}9{}", &good[..at], &good[at..])
    });
    case("same checksum twice", &|good| {
        let sums: Vec<&str> = good
            .match_indices("pkgid=\"YES\">")
            .map(|(at, found)| &good[at + found.len()..at + found.len() + 64])
            .collect();
        good.replace(sums[0], sums[1])
    });
    case("bad name", &|good| good.replace("<name>bar</name>", "<name>../bar</name>"));
    case("epoch -1", &|good| good.replacen("epoch=\"0\"", "epoch=\"-1\"", 1));
    case("epoch 99999999999", &|good| good.replacen("epoch=\"0\"", "epoch=\"99999999999\"", 1));
    case("entity", &|good| good.replace("<name>bar</name>", "<name>&bar;</name>"));
    case("truncated", &|good| good[..good.len() - 200].to_owned());
    expect![[r#"
        count: exit 1
        error: repository t: primary.xml line 162: 6 packages found, 7 declared
        hint: the repository is damaged or not one: tell its owner
        installed:
        architecture: exit 1
         t                                      100% | [SIZE]
        Repositories loaded.
        Failed to resolve the transaction:
        No match for argument: bar
        You can try to add to command line:
          --skip-unavailable to skip unavailable packages
        installed:
        location outside: exit 1
        warning: repository t: bar-1.0-1.noarch: primary.xml line 14: unsafe location "../../bar.rpm"
         t                                      100% | [SIZE]
        Repositories loaded.
        Failed to resolve the transaction:
        No match for argument: bar
        You can try to add to command line:
          --skip-unavailable to skip unavailable packages
        installed:
        size lies: exit 1
         t                                      100% | [SIZE]
        Repositories loaded.
        Total size of inbound packages is 90 KiB. Need to download 90 KiB.
        After this operation, 6 B extra will be used (install 6 B, remove 0 B).
        Checking packages (89.9 KiB)
        error: `file://[TMP]/repo/bar-1.0-1.noarch.rpm` has the wrong size (expected 92070 bytes, found 2070)
        hint: the mirror may be in the middle of an update: try again later or use another mirror
        installed:
        same checksum twice: exit 1
        warning: repository t: baz-1.0-1.noarch: primary.xml line 53: two `packages with checksum [SHA256]`
         t                                      100% | [SIZE]
        Repositories loaded.
        Total size of inbound packages is 2 KiB. Need to download 0 B.
        After this operation, 6 B extra will be used (install 6 B, remove 0 B).
        Checking packages (2.0 KiB)
        error: `file://[TMP]/repo/bar-1.0-1.noarch.rpm` has the wrong SHA-256 (expected [SHA256], found [SHA256])
        hint: the mirror may be in the middle of an update: try again later or use another mirror
        installed:
        bad name: exit 1
        warning: repository t: ../bar-1.0-1.noarch: primary.xml line 26: <name> is missing
         t                                      100% | [SIZE]
        Repositories loaded.
        Failed to resolve the transaction:
        No match for argument: bar
        You can try to add to command line:
          --skip-unavailable to skip unavailable packages
        installed:
        epoch -1: exit 1
        warning: repository t: bar-.noarch: primary.xml line 6: epoch `-1` is not a number
         t                                      100% | [SIZE]
        Repositories loaded.
        Failed to resolve the transaction:
        No match for argument: bar
        You can try to add to command line:
          --skip-unavailable to skip unavailable packages
        installed:
        epoch 99999999999: exit 1
        warning: repository t: bar-.noarch: primary.xml line 6: epoch `99999999999` is not a number
         t                                      100% | [SIZE]
        Repositories loaded.
        Failed to resolve the transaction:
        No match for argument: bar
        You can try to add to command line:
          --skip-unavailable to skip unavailable packages
        installed:
        entity: exit 1
        error: repository t: primary.xml line 4: entity `&bar;` not allowed
        hint: the repository is damaged or not one: tell its owner
        installed:
        truncated: exit 1
        error: repository t: primary.xml line 155: truncated: the file ends inside <rpm:sourcerpm>
        hint: the repository is damaged or not one: tell its owner
        installed:
    "#]].assert_eq(&text);
}

#[test]
fn signatures_of_the_index() {
    let mut text = String::new();
    let mut case = |name: &str, asc: &dyn Fn(&Bench) -> Vec<u8>| {
        let bench = Bench::usual();
        let bytes = asc(&bench);
        std::fs::write(bench.repository().join("repodata/repomd.xml.asc"), bytes).unwrap();
        let ran = bench.dnf("install -y bar");
        assert_eq!(bench.rpm("-qa").out, "", "{name}: nothing may be installed");
        keep_repository(&bench, &format!("43 {name}"), &ran);
        text.push_str(&format!("{name}: {}", said(&ran)));
    };
    let sign = |bytes: &[u8]| common::key().sign_detached_armored(bytes, common::TIME).unwrap();
    case("of another index", &|_| sign(b"<repomd/>").into_bytes());
    case("junk", &|_| {
        b"-----BEGIN PGP SIGNATURE-----\n\njunk\n-----END PGP SIGNATURE-----\n".to_vec()
    });
    case("empty", &|_| Vec::new());
    case("HTML", &|_| b"<html>404</html>".to_vec());
    let other = common::key().sign_detached(b"other", common::TIME).unwrap();
    case("5,000 signatures", &|_| other.repeat(5_000));
    case("20,000 signatures", &|_| other.repeat(20_000));
    expect![[r#"
        of another index: exit 1
        error: repository t: repomd.xml.asc: signature of key [KEY] does not match
        hint: the mirror is being updated, or the metadata was changed: try again later
        junk: exit 1
        error: repository t: repomd.xml.asc: not signed
        hint: the mirror is being updated, or the metadata was changed: try again later
        empty: exit 1
        error: repository t: repomd.xml.asc: not signed
        hint: the mirror is being updated, or the metadata was changed: try again later
        HTML: exit 1
        error: repository t: repomd.xml.asc: signature is malformed: IO error: unknown packet header version 111100
        hint: the mirror is being updated, or the metadata was changed: try again later
        5,000 signatures: exit 1
        error: repository t: repomd.xml.asc: more than 32 signatures
        hint: the mirror is being updated, or the metadata was changed: try again later
        20,000 signatures: exit 1
        error: repository t: repomd.xml.asc: cannot fetch `file://[TMP]/repo/repodata/repomd.xml.asc` (expected at most 1048576 bytes, found more)
        hint: a signature is small: this is something else, use another mirror
    "#]].assert_eq(&text);
}

#[test]
fn repository_files() {
    let bench = Bench::usual();
    let directory = bench.root().join("etc/yum.repos.d");
    std::fs::create_dir_all(&directory).unwrap();
    let mut text = String::new();
    let mut case = |name: &str, bytes: &[u8]| {
        std::fs::write(directory.join("x.repo"), bytes).unwrap();
        let ran = bench.plain_dnf("repolist");
        fixtures::keep("configuration", &format!("46 {name}"), &directory.join("x.repo"), &ran.err);
        text.push_str(&format!("{name}: {}", said(&ran)));
    };
    case("no section", b"baseurl=http://h/\n");
    case("key twice", b"[x]\nbaseurl=http://h/\nbaseurl=http://i/\n");
    case("section twice", b"[x]\nbaseurl=http://h/\n[x]\nbaseurl=http://i/\n");
    case("maybe", b"[x]\nbaseurl=http://h/\ngpgcheck=maybe\n");
    case("unknown key", b"[x]\nbaseurl=http://h/\ngpgchek=1\n");
    case("no baseurl", b"[x]\nname=X\n");
    case("undefined variable", b"[x]\nbaseurl=http://h/$undefined\n");
    case("id with a slash", b"[a/b]\nbaseurl=http://h/\n");
    case("id of dots", b"[..]\nbaseurl=http://h/\n");
    case("CRLF, tabs, BOM", b"\xef\xbb\xbf[x]\r\nbaseurl\t=\thttp://h/\r\n");
    case("long line", &[b"[x]\nbaseurl=http://h/".to_vec(), vec![b'a'; 1 << 20]].concat());
    case("no equals sign", b"[x]\nbaseurl http://h/\n");
    case("open section", b"[x\nbaseurl=http://h/\n");
    case("binary", &[0xff, 0xfe, 0, b'[']);
    case("key over http", b"[x]\nbaseurl=http://h/\ngpgkey=http://h/key\n");
    expect![[r#"
        no section: exit 1
        error: /etc/yum.repos.d/x.repo:1:1: key "baseurl" stands before the first [section]
        hint: begin the file with a section, for example `[cairn]`
        key twice: exit 1
        error: /etc/yum.repos.d/x.repo:3:1: baseurl: given twice in [x] (first on line 2)
        hint: keep one of the two lines
        section twice: exit 1
        error: /etc/yum.repos.d/x.repo:3:1: section [x] given twice (first on line 1)
        hint: give each section once, as `[name]` on a line of its own
        maybe: exit 1
        error: /etc/yum.repos.d/x.repo:3: gpgcheck: "maybe" is not yes/no
        hint: write `gpgcheck=1` or `gpgcheck=0`
        unknown key: exit 0
        warning: /etc/yum.repos.d/x.repo:3: unknown key "gpgchek" in [x]
        hint: did you mean `gpgcheck`?
        no baseurl: exit 1
        error: /etc/yum.repos.d/x.repo:1: [x]: no baseurl, mirrorlist or metalink
        hint: add `baseurl=URL`, or `enabled=0`
        undefined variable: exit 1
        error: /etc/yum.repos.d/x.repo:2: baseurl: undefined variable $undefined
        hint: write its value into /etc/dnf/vars/undefined, or give --setvar=undefined=VALUE
        id with a slash: exit 1
        error: /etc/yum.repos.d/x.repo:1: repository id "a/b" has the character '/'
        hint: use letters, digits and - _ . : only
        id of dots: exit 1
        error: /etc/yum.repos.d/x.repo:1: repository id ".." is not allowed
        hint: use letters, digits and - _ . : only
        CRLF, tabs, BOM: exit 0
        long line: exit 1
        error: /etc/yum.repos.d/x.repo:2: line has 1048593 bytes (limit 65536)
        hint: no value is that long: is this a configuration file?
        no equals sign: exit 1
        error: /etc/yum.repos.d/x.repo:2:1: expected `key = value` or `[section]`, found "baseurl http://h/"
        hint: write `key = value`, or start a comment with `#`
        open section: exit 1
        error: /etc/yum.repos.d/x.repo:1:3: section header without `]`
        hint: give each section once, as `[name]` on a line of its own
        binary: exit 1
        error: /etc/yum.repos.d/x.repo:1:1: text is not UTF-8
        hint: save the file as UTF-8
        key over http: exit 1
        error: /etc/yum.repos.d/x.repo:3: gpgkey: "http://h/key" is not a local file (expected file://)
        hint: put the key into /etc/pki/rpm-gpg and name it as file:///etc/pki/rpm-gpg/NAME
    "#]].assert_eq(&text);
}
