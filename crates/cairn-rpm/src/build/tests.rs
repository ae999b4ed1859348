// SPDX-License-Identifier: MIT OR Apache-2.0
//! Built packages read back as they were specified, by this crate and by the `rpm` crate.

use std::fmt::Write;
use std::io::Cursor;

use expect_test::expect;

use super::*;
use crate::package::Package;
use crate::testing::{BUILD_TIME, build, full_spec, key, options, parse, small_spec};

#[test]
fn header_says_what_the_specification_says() {
    let package = parse(&build(&full_spec())).unwrap();
    let header = &package.header;
    let mut text = format!("{} from {:?}\n", header.nevra(), header.string(tag::SOURCERPM));
    writeln!(text, "installed size {}", header.installed_size()).unwrap();
    for file in header.files() {
        let (mode, path, user, group) = (file.mode, &file.path, &file.user, &file.group);
        let (size, flags, caps, link) = (file.size, file.flags.0, &file.caps, &file.link_target);
        let digest = file.digest.get(..6).unwrap_or("-");
        let rest = format!("{size} {flags:#x} {digest} {caps} {link}");
        writeln!(text, "{mode:o} {user}:{group} {path} {}", rest.trim_end()).unwrap();
    }
    for (kind, list) in [
        ("provides", header.provides()),
        ("requires", header.requires()),
        ("recommends", header.recommends()),
        ("order", header.order_with_requires()),
    ] {
        for dependency in list {
            writeln!(text, "{kind} {dependency} [{:#x}]", dependency.sense).unwrap();
        }
    }
    for kind in ScriptletKind::ALL {
        if let Some(scriptlet) = header.scriptlet(*kind) {
            writeln!(text, "{} {:?} {:?}", kind.name(), scriptlet.interpreter, scriptlet.body)
                .unwrap();
        }
    }
    let triggers = [header.triggers(), header.file_triggers(), header.transaction_file_triggers()];
    for trigger in triggers.into_iter().flatten() {
        let condition = &trigger.conditions[0];
        let (kind, on) = (condition.kind, &condition.dependency);
        let (index, priority, body) = (trigger.index, trigger.priority, &trigger.body);
        writeln!(text, "trigger {index} {priority} {kind:?} {on} {body:?}").unwrap();
    }
    expect![[r#"
        demo-1:2.0~rc1-3.cn1.x86_64 from Some("demo-2.0~rc1-3.cn1.src.rpm")
        installed size 10009
        100600 root:root /etc/demo.conf 4 0x11 fe3209
        120777 root:root /usr/bin/demo 9 0x0 -  demo-ping
        104755 root:root /usr/bin/demo-ping 10000 0x0 24c1c3 cap_net_raw=ep
        40755 root:root /usr/share/demo 0 0x0 -
        100644 root:root /usr/share/demo-x/a 1 0x0 2d7116
        100644 root:root /usr/share/demo/b/c 4 0x0 74611c
        100644 root:root /usr/share/demo/d 0 0x0 e3b0c4
        100640 demo:adm /var/log/demo.log 0 0x40 -
        provides config(demo) = 1:2.0~rc1-3.cn1 [0x10000000]
        provides demo = 1:2.0~rc1-3.cn1 [0x0]
        provides demo(x86-64) = 1:2.0~rc1-3.cn1 [0x0]
        provides demo-debian = 2.0-3 [0x0]
        requires /bin/sh [0x100]
        requires /bin/sh [0x900]
        requires /sbin/ldconfig [0x500]
        requires bash >= 5 [0x0]
        requires config(demo) = 1:2.0~rc1-3.cn1 [0x10000000]
        requires libc.so.6()(64bit) [0x0]
        requires rpmlib(BuiltinLuaScripts) <= 4.2.2-1 [0x1000000]
        requires rpmlib(CompressedFileNames) <= 3.0.4-1 [0x1000000]
        requires rpmlib(FileCaps) <= 4.6.1-1 [0x1000000]
        requires rpmlib(FileDigests) <= 4.6.0-1 [0x1000000]
        requires rpmlib(PayloadFilesHavePrefix) <= 4.0-1 [0x1000000]
        requires rpmlib(PayloadIsZstd) <= 5.4.18-1 [0x1000000]
        requires rpmlib(RichDependencies) <= 4.12.0-1 [0x1000000]
        requires rpmlib(ScriptletInterpreterArgs) <= 4.0.3-1 [0x1000000]
        requires rpmlib(TildeInVersions) <= 4.10.0-1 [0x1000000]
        recommends (foo if bar) [0x0]
        %pretrans ["<lua>"] Some("print('hi')")
        %post ["/sbin/ldconfig"] None
        %preun ["/bin/sh", "-e"] Some("echo bye\n")
        trigger 0 1000000 Install other >= 2 Some("echo other >= 2\n")
        trigger 0 100 Uninstall /usr/bin Some("echo /usr/bin\n")
        trigger 1 1000000 Install /usr/lib Some("echo /usr/lib\n")
        trigger 0 7 PostUninstall /usr/share Some("echo /usr/share\n")
    "#]]
    .assert_eq(&text);
}

#[test]
fn payload_has_the_files() {
    let bytes = build(&full_spec());
    let mut reader = Cursor::new(&bytes);
    let package = Package::parse(&mut reader).unwrap();
    let files = package.header.files();
    let mut payload = package.payload(reader).unwrap();
    let mut text = String::new();
    while let Some(mut entry) = payload.next_entry().unwrap() {
        let (index, size) = (entry.file_index, entry.size);
        let data = entry.read_all().unwrap();
        assert_eq!(data.len() as u64, size);
        if files[index].is_regular() {
            let digest = <sha2::Sha256 as sha2::Digest>::digest(&data);
            assert_eq!(files[index].digest, hex::encode(digest));
        }
        writeln!(text, "{} {size}", files[index].path).unwrap();
    }
    expect![[r"
        /etc/demo.conf 4
        /usr/bin/demo 0
        /usr/bin/demo-ping 10000
        /usr/share/demo 0
        /usr/share/demo-x/a 1
        /usr/share/demo/b/c 4
        /usr/share/demo/d 0
    "]]
    .assert_eq(&text);
}

#[test]
fn same_input_gives_same_bytes_whatever_the_threads() {
    let mut spec = full_spec();
    let noise = (0..3_000_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8);
    spec.files.push(FileSpec::regular("/usr/lib/noise", noise.collect::<Vec<u8>>()));
    let one = build_package(&spec, &options(), Some(&key())).unwrap();
    spec.files.reverse();
    let three = BuildOptions { threads: 3, ..options() };
    assert!(one == build_package(&spec, &three, Some(&key())).unwrap());
    // Far in the future the `rpm` crate would have used the clock instead.
    let late = BuildOptions { source_date: u32::MAX - 1, ..options() };
    let package = parse(&build_package(&small_spec(), &late, None).unwrap()).unwrap();
    assert_eq!(package.header.u32(tag::BUILDTIME), Some(u32::MAX - 1));
}

#[test]
fn files_are_not_newer_than_the_package() {
    let mut spec = small_spec();
    spec.files[1].mtime = 5;
    let files = parse(&build(&spec)).unwrap().header.files();
    let times: Vec<u32> = files.iter().map(|file| file.mtime).collect();
    assert_eq!(times, [BUILD_TIME, 5, BUILD_TIME]);
}

#[test]
fn empty_package_is_a_package() {
    let mut spec = small_spec();
    spec.files.clear();
    let bytes = build(&spec);
    let mut reader = Cursor::new(&bytes);
    let package = Package::parse(&mut reader).unwrap();
    assert_eq!(package.header.file_count(), 0);
    assert!(package.payload(reader).unwrap().next_entry().unwrap().is_none());
}

#[test]
fn bad_specifications_are_refused() {
    let check = |change: &dyn Fn(&mut PackageSpec), expected: &str| {
        let mut spec = small_spec();
        change(&mut spec);
        let error = build_package(&spec, &options(), None).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert!(error.hint().is_some());
    };
    check(&|spec| spec.name = "-rf".into(), "package -rf: invalid package name \"-rf\"");
    check(&|spec| spec.evr.release = String::new(), "package small: invalid version \"\"");
    check(
        &|spec| spec.summary = "a\0b".into(),
        "package small: tag SUMMARY(1004): text with a NUL byte",
    );
    check(
        &|spec| spec.files.push(FileSpec::regular("/usr/share/small/a", "")),
        "package small: the header lists \"/usr/share/small/a\" twice",
    );
    check(
        &|spec| spec.files.push(FileSpec::regular("/usr/share/small/link/x", "")),
        "package small: path passes through symlink /usr/share/small/link: \
         \"/usr/share/small/link/x\"",
    );
    check(
        &|spec| spec.files.push(FileSpec::regular("/usr/../etc/x", "")),
        "package small: unsafe path in package: \"/usr/../etc/x\" (it has a `.` or `..` component)",
    );
}

/// The `rpm` crate is an implementation by others.
#[test]
fn the_rpm_crate_agrees() {
    let bytes = build_package(&full_spec(), &options(), Some(&key())).unwrap();
    let theirs = rpm::Package::parse(&mut bytes.as_slice()).unwrap();
    let armored = key().public_armored().unwrap();
    let verifier = rpm::signature::pgp::Verifier::from_asc(&armored).unwrap();
    theirs.verify_signature(verifier).unwrap();
    theirs.verify_digests().unwrap();
    let ours = parse(&bytes).unwrap().header;
    assert_eq!(theirs.metadata.get_name().unwrap(), ours.name());
    let (entries, files) = (theirs.metadata.get_file_entries().unwrap(), ours.files());
    assert_eq!(entries.len(), files.len());
    for (theirs, ours) in entries.iter().zip(&files) {
        assert_eq!(theirs.path().to_string_lossy(), ours.path);
        assert_eq!(theirs.size() as u64, ours.size);
    }
    assert_eq!(theirs.metadata.get_requires().unwrap().len(), ours.requires().len());
}

/// What the `rpm` crate builds, this crate reads.
#[test]
fn packages_of_the_rpm_crate_are_read() {
    for compression in ["zstd", "gzip", "xz", "none", "version 6"] {
        let config = rpm::BuildConfig::v4().source_date(BUILD_TIME);
        let config = match compression {
            "zstd" => config.compression(rpm::CompressionWithLevel::Zstd(1)),
            "gzip" => config.compression(rpm::CompressionWithLevel::Gzip(1)),
            "xz" => config.compression(rpm::CompressionWithLevel::Xz(1)),
            "none" => config.compression(rpm::CompressionWithLevel::None),
            _ => rpm::BuildConfig::v6().source_date(BUILD_TIME),
        };
        let mut builder = rpm::PackageBuilder::new("theirs", "1", "MIT", "noarch", "x");
        builder.using_config(config);
        builder.with_file_contents("content", rpm::FileOptions::new("/usr/share/x")).unwrap();
        let mut bytes = Vec::new();
        builder.build().unwrap().write(&mut bytes).unwrap();
        let mut reader = Cursor::new(&bytes);
        let package = Package::parse(&mut reader).unwrap();
        let mut payload = package.payload(reader).unwrap();
        let mut entry = payload.next_entry().unwrap().unwrap();
        assert_eq!(entry.read_all().unwrap(), b"content", "{compression}");
        assert!(payload.next_entry().unwrap().is_none());
    }
}
