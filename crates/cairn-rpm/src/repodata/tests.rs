// SPDX-License-Identifier: MIT OR Apache-2.0
//! Round trips, and the bad inputs of rows 33, 36-40 and 44.

use expect_test::{Expect, expect};

use super::*;
use crate::dependency::{Dependency, sense};
use crate::evr::Nevra;

fn package(name: &str) -> RepoPackage {
    let dependencies = |texts: &[&str]| -> Vec<Dependency> {
        texts.iter().map(|text| Dependency::parse(text).unwrap()).collect()
    };
    let mut package = RepoPackage {
        pkgid: hex::encode([name.len() as u8; 32]),
        nevra: Nevra::parse(&format!("{name}-1:2-3.x86_64")).unwrap(),
        location: format!("Packages/{name}-2-3.x86_64.rpm"),
        summary: "a < b & \"c\"".to_owned(),
        description: "two\nlines, é".to_owned(),
        license: "MIT".to_owned(),
        time_build: 1,
        size_package: 2,
        header_start: 4504,
        header_end: 9000,
        provides: dependencies(&["b = 1:2-3", "b(x86-64) = 1:2-3", "lib.so.1()(64bit)"]),
        requires: dependencies(&["/bin/sh", "c >= 1", "(d if e)"]),
        conflicts: dependencies(&["f < 2-1"]),
        obsoletes: dependencies(&["g <= 9"]),
        recommends: dependencies(&["h"]),
        supplements: dependencies(&["(i and j)"]),
        ..RepoPackage::default()
    };
    package.requires[0].sense = sense::PREREQ;
    for (path, kind) in [
        ("/etc/b.conf", RepoFileKind::File),
        ("/usr/bin/b", RepoFileKind::File),
        ("/usr/share/b", RepoFileKind::Directory),
        ("/var/log/b", RepoFileKind::Ghost),
    ] {
        package.files.push(RepoFile { path: path.to_owned(), kind });
    }
    let author = "A <a@example.org> - 2-3".to_owned();
    package.changelogs.push(Changelog { author, time: 5, text: "- <new>".to_owned() });
    package
}

fn read_primary(xml: &str) -> (Vec<RepoPackage>, PrimaryOutcome) {
    let mut packages = Vec::new();
    let outcome =
        parse_primary(xml.as_bytes(), &Limits::default(), &mut |package| packages.push(package));
    (packages, outcome.unwrap())
}

#[test]
fn primary_round_trip() {
    let packages = [package("b"), package("bb")];
    let xml = write_primary(&packages);
    let (read, outcome) = read_primary(&xml);
    assert_eq!(outcome, PrimaryOutcome { packages: 2, problems: Vec::new() });
    let mut expected = packages.to_vec();
    for package in &mut expected {
        package.files.retain(|file| is_primary_path(&file.path));
        package.changelogs.clear();
    }
    assert_eq!(read, expected);
    assert_eq!(write_primary(&read), xml);
}

#[test]
fn primary_text() {
    let xml = write_primary(&[package("b")]);
    let start = xml.find("<format>").unwrap();
    expect![[r#"
        <format>
            <rpm:license>MIT</rpm:license>
            <rpm:vendor/>
            <rpm:group/>
            <rpm:buildhost/>
            <rpm:sourcerpm/>
            <rpm:header-range start="4504" end="9000"/>
            <rpm:provides>
              <rpm:entry name="b" flags="EQ" epoch="1" ver="2" rel="3"/>
              <rpm:entry name="b(x86-64)" flags="EQ" epoch="1" ver="2" rel="3"/>
              <rpm:entry name="lib.so.1()(64bit)"/>
            </rpm:provides>
            <rpm:requires>
              <rpm:entry name="/bin/sh" pre="1"/>
              <rpm:entry name="c" flags="GE" epoch="0" ver="1"/>
              <rpm:entry name="(d if e)"/>
            </rpm:requires>
            <rpm:conflicts>
              <rpm:entry name="f" flags="LT" epoch="0" ver="2" rel="1"/>
            </rpm:conflicts>
            <rpm:obsoletes>
              <rpm:entry name="g" flags="LE" epoch="0" ver="9"/>
            </rpm:obsoletes>
            <rpm:recommends>
              <rpm:entry name="h"/>
            </rpm:recommends>
            <rpm:supplements>
              <rpm:entry name="(i and j)"/>
            </rpm:supplements>
            <file>/etc/b.conf</file>
            <file>/usr/bin/b</file>
          </format>
        </package>
        </metadata>
    "#]]
    .assert_eq(&xml[start..]);
}

#[test]
fn filelists_and_other_round_trip() {
    let packages = [package("b"), package("bb")];
    let mut read = Vec::new();
    let mut collect = |files| read.push(files);
    let filelists = write_filelists(&packages);
    let other = write_other(&packages);
    let limits = Limits::default();
    assert_eq!(parse_filelists(filelists.as_bytes(), &limits, &mut collect), Ok(2));
    assert_eq!(parse_other(other.as_bytes(), &limits, &mut collect), Ok(2));
    for (files, package) in read.iter().zip(&packages) {
        assert_eq!((&files.pkgid, &files.nevra), (&package.pkgid, &package.nevra));
        assert_eq!(files.files, package.files);
    }
    for (files, package) in read[2..].iter().zip(&packages) {
        assert_eq!(files.changelogs, package.changelogs);
    }
}

#[test]
fn built_repodata_is_complete_and_does_not_depend_on_order() {
    let options = RepodataOptions {
        revision: "7".to_owned(),
        timestamp: 7,
        zstd_level: 3,
        content_tags: vec!["binary-x86_64".to_owned()],
        distro_tags: vec![("cpe:/o:cairn:0.1".to_owned(), "Cairn".to_owned())],
    };
    let built =
        build_repodata(&[package("b"), package("a")], Some(&Comps::default()), &options).unwrap();
    let again =
        build_repodata(&[package("a"), package("b")], Some(&Comps::default()), &options).unwrap();
    assert_eq!(built, again);
    let repomd = RepoMd::parse(&built.last().unwrap().bytes).unwrap();
    assert_eq!(repomd.write().as_bytes(), built.last().unwrap().bytes);
    let kinds: Vec<&str> = repomd.records.iter().map(|record| record.kind.as_str()).collect();
    assert_eq!(kinds, ["primary", "filelists", "other", "group"]);
    for (record, file) in repomd.records.iter().zip(&built) {
        assert_eq!(record.location, file.path);
        assert_eq!(record.size, Some(file.bytes.len() as u64));
        if record.kind != "group" {
            let open = zstd::stream::decode_all(&file.bytes[..]).unwrap();
            assert_eq!(record.open_size, Some(open.len() as u64));
        }
    }
}

#[test]
fn comps_round_trip() {
    let xml = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE-less comment: fine -->"#;
    assert!(parse_comps(xml.as_bytes(), &Limits::default()).is_err());
    let xml = "<?xml version=\"1.0\"?><comps><group><id>core</id><name>Core</name>\
        <name xml:lang=\"de\">Kern</name><description>d</description><default>true</default>\
        <uservisible>false</uservisible><display_order>3</display_order><packagelist>\
        <packagereq type=\"mandatory\">bash</packagereq><packagereq>glibc</packagereq>\
        <packagereq type=\"default\">less</packagereq>\
        <packagereq type=\"conditional\" requires=\"x\">y</packagereq></packagelist></group>\
        <environment><id>server</id><name>Server</name><description>s</description><grouplist>\
        <groupid>core</groupid></grouplist><optionlist><groupid default=\"true\">web</groupid>\
        <groupid>db</groupid></optionlist></environment><category><id>c</id><name>C</name>\
        <description>c</description><grouplist><groupid>core</groupid></grouplist></category></comps>";
    let comps = parse_comps(xml.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(comps.groups[0].name, "Core");
    assert_eq!(comps.groups[0].packages.len(), 4);
    assert!(comps.groups[0].default && !comps.groups[0].user_visible);
    let options = [("web".to_owned(), true), ("db".to_owned(), false)];
    assert_eq!(comps.environments[0].options, options);
    let read = |text: String| parse_comps(text.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(read(write_comps(&comps)), comps);
    let mut bare = comps.clone();
    bare.groups[0].description.clear();
    assert_eq!(read(write_comps(&bare)), bare);
    assert_eq!(bare.described().groups[0].description, "Core");
    assert_eq!(comps.described(), comps);
}

fn check_repomd(bytes: &[u8], expect: Expect) {
    let error = RepoMd::parse(bytes).unwrap_err();
    expect.assert_eq(&error.to_string());
}

#[test]
fn files_that_are_no_metadata() {
    check_repomd(b"", expect!["repomd.xml line 1: not repository metadata (empty file)"]);
    check_repomd(b"404 not found", expect!["repomd.xml line 1: not repository metadata (not XML)"]);
    check_repomd(
        b"\n<!DOCTYPE HTML><html>",
        expect!["repomd.xml line 1: not repository metadata (HTML page)"],
    );
    check_repomd(
        b"<HTML><body>",
        expect!["repomd.xml line 1: not repository metadata (HTML page)"],
    );
    check_repomd(
        b"\xff\xfe<\0?\0",
        expect!["repomd.xml line 1: not repository metadata (UTF-16 text)"],
    );
    check_repomd(
        b"\x1f\x8b\x08xyz",
        expect!["repomd.xml line 1: not repository metadata (still compressed)"],
    );
    check_repomd(
        b"<metadata/>",
        expect![
            "repomd.xml line 1: not repository metadata (root element <metadata>, expected <repomd>)"
        ],
    );
    check_repomd(
        b"<repomd>\n<revision>1</rev",
        expect!["repomd.xml line 2: truncated: the file ends inside <revision>"],
    );
    check_repomd(
        b"<repomd>\n\n  <data type=\"primary\">\n",
        expect!["repomd.xml line 4: truncated: the file ends inside <data>"],
    );
    check_repomd(b"<repomd/>", expect![[r#"repomd.xml line 1: <data type="primary"> is missing"#]]);
    check_repomd(
        b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><repomd/>",
        expect!["repomd.xml line 1: encoding ISO-8859-1 not allowed (expected UTF-8)"],
    );
}

fn many_attributes(count: u32) -> String {
    let all: Vec<String> = (0..count).map(|i| format!(" a{i}=\"\"")).collect();
    all.concat()
}

#[test]
fn bombs() {
    let bomb = "<?xml version=\"1.0\"?>\n<!DOCTYPE r [<!ENTITY a \"b\">]>\n<repomd>&a;</repomd>";
    check_repomd(bomb.as_bytes(), expect!["repomd.xml line 2: DTD not allowed"]);
    check_repomd(
        b"<repomd>&xxe;</repomd>",
        expect!["repomd.xml line 1: entity `&xxe;` not allowed"],
    );
    check_repomd(
        "<repomd>".repeat(100_000).as_bytes(),
        expect!["repomd.xml line 1: more than 16 nested elements"],
    );
    let attributes = many_attributes(1000);
    check_repomd(
        format!("<repomd><data{attributes}/></repomd>").as_bytes(),
        expect!["repomd.xml line 1: more than 32 attributes in one element"],
    );
    let attributes = many_attributes(100_000);
    check_repomd(
        format!("<repomd><data{attributes}/></repomd>").as_bytes(),
        expect!["repomd.xml line 1: more than 32 attributes in one element"],
    );
    check_repomd(
        format!("<repomd>{}</repomd>", "<a/>".repeat(300_000)).as_bytes(),
        expect!["repomd.xml line 1: more than 1048576 bytes"],
    );
    let limits = Limits::for_size(10_000);
    let endless = std::io::BufReader::new(std::io::repeat(b' '));
    let error = parse_primary(endless, &limits, &mut |_| ()).unwrap_err();
    expect!["primary.xml line 1: more than 10000 bytes"].assert_eq(&error.to_string());
}

fn record(location: &str, checksum: &str) -> String {
    format!(
        "<repomd><data type=\"primary\"><location href=\"{location}\"/>{checksum}</data></repomd>"
    )
}

#[test]
fn bad_records() {
    let sha256 = format!("<checksum type=\"sha256\">{}</checksum>", "A".repeat(64));
    let good = RepoMd::parse(record("repodata/p.xml", &sha256).as_bytes()).unwrap();
    assert_eq!(good.records[0].checksum, "a".repeat(64));
    for href in ["../../x", "/etc/x", "file:///x", "http://other/x", "a\\b"] {
        let error = RepoMd::parse(record(href, &sha256).as_bytes()).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("repomd.xml line 1: unsafe location \"{}\"", href.escape_debug())
        );
    }
    assert!(RepoMd::parse(record("a&#0;b", &sha256).as_bytes()).is_err());
    check_repomd(
        record("a", "<checksum type=\"md5\">00</checksum>").as_bytes(),
        expect!["repomd.xml line 1: checksum type `md5` is not accepted (expected sha256)"],
    );
    check_repomd(
        record("a", "<checksum type=\"sha256\">00</checksum>").as_bytes(),
        expect!["repomd.xml line 1: `00` is no SHA-256 checksum"],
    );
    check_repomd(record("a", "").as_bytes(), expect!["repomd.xml line 1: <checksum> is missing"]);
    check_repomd(
        record("a", &format!("{sha256}<size>x</size>")).as_bytes(),
        expect!["repomd.xml line 1: size `x` is not a number"],
    );
    check_repomd(
        record("a", &sha256).replace("\"primary\"", "\"pri&#12;mary\"").as_bytes(),
        expect!["repomd.xml line 1: malformed XML: data type has the character U+000C"],
    );
    let twice = record("a", &format!("{sha256}</data><data type=\"primary\">"));
    check_repomd(twice.as_bytes(), expect!["repomd.xml line 1: two `primary`"]);
}

#[test]
fn wrong_count_is_an_error() {
    let xml = write_primary(&[package("b")]).replace("packages=\"1\"", "packages=\"5\"");
    let error = parse_primary(xml.as_bytes(), &Limits::default(), &mut |_| ()).unwrap_err();
    expect!["primary.xml line 49: 1 packages found, 5 declared"].assert_eq(&error.to_string());
}

#[test]
fn a_bad_package_is_named_and_left_out() {
    let mut bad = [(); 6].map(|()| package("bad"));
    for (i, package) in bad.iter_mut().enumerate() {
        package.pkgid = hex::encode([i as u8 + 100; 32]);
    }
    bad[0].location = "../x.rpm".to_owned();
    bad[1].pkgid = "00".to_owned();
    bad[2].requires[0].name = "(".repeat(10_000);
    bad[3].nevra.evr.version = String::new();
    bad[4].nevra.arch = "x86 64".to_owned();
    bad[5].pkgid = package("b").pkgid;
    let mut packages = vec![package("b")];
    packages.extend(bad);
    packages.push(package("bb"));
    let xml = write_primary(&packages).replace("type=\"file\"", "");
    let (read, outcome) = read_primary(&xml);
    let names: Vec<&str> = read.iter().map(|package| package.nevra.name.as_str()).collect();
    assert_eq!(names, ["b", "bb"]);
    assert_eq!(outcome.packages, 8);
    let problems: Vec<String> = outcome.problems.iter().map(ToString::to_string).collect();
    expect![[r#"
        package bad-1:2-3.x86_64: primary.xml line 61: unsafe location "../x.rpm"
        package bad-1:2-3.x86_64: primary.xml line 99: `00` is no SHA-256 checksum
        package bad-1:2-3.x86_64: primary.xml line 167: rich dependency nested deeper than 64
        package bad-.x86_64: primary.xml line 190: `1:-3` has no version
        package bad-1:2-3.x86 64: primary.xml line 278: <arch> is missing
        package bad-1:2-3.x86_64: primary.xml line 324: two `packages with checksum 0101010101010101010101010101010101010101010101010101010101010101`"#]]
    .assert_eq(&problems.join("\n"));
}

#[test]
fn a_built_package_is_described() {
    let mut spec = crate::testing::full_spec();
    for own in ["/usr/bin/own", "/usr/share/own"] {
        spec.files.push(crate::build::FileSpec::regular(own, "own\n"));
        spec.requires.push(crate::dependency::Dependency::parse(own).unwrap());
    }
    let bytes = crate::build::build_package(
        &spec,
        &crate::testing::options(),
        Some(&crate::testing::key()),
    )
    .unwrap();
    let package = crate::package::Package::parse(&mut &bytes[..]).unwrap();
    let described = RepoPackage::from_package(&package, "demo.rpm", bytes.len() as u64, "00");
    assert_eq!(described.nevra, package.header.nevra());
    assert_eq!(described.header_start, package.header_start);
    let provided: Vec<String> = described.provides.iter().map(ToString::to_string).collect();
    assert!(provided.contains(&"demo = 1:2.0~rc1-3.cn1".to_owned()), "{provided:?}");
    assert!(described.requires.iter().all(|dependency| !dependency.is_rpmlib()));
    // As createrepo_c 1.2: the file is in primary.xml, the other is not.
    let requires = |name| described.requires.iter().any(|dependency| dependency.name == name);
    assert_eq!((requires("/usr/bin/own"), requires("/usr/share/own")), (false, true));
    assert_eq!(described.files.len(), package.header.file_count());
    let range = described.header_start as usize..described.header_end as usize;
    assert_eq!(bytes[range][..3], [0x8e, 0xad, 0xe8]);
}
