// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the tests of this crate share: a sample package, and taking packages apart and putting them
//! together again with right digests.

use std::io::Cursor;

use sha2::{Digest, Sha256};

use crate::build::{
    BuildOptions, ChangelogEntry, FileKind, FileSpec, PackageSpec, TriggerScope, TriggerSpec,
    build_package,
};
use crate::dependency::Dependency;
use crate::error::Error;
use crate::evr::Evr;
use crate::header::{
    FileFlags, Header, MAGIC, Scriptlet, ScriptletKind, TriggerKind, Value, Values, write_region,
};
use crate::package::{Package, lead, signature_header_bytes};
use crate::signature::SigningKey;
use crate::tag;

/// 2023-11-14.
pub(crate) const KEY_TIME: u32 = 1_700_000_000;
pub(crate) const BUILD_TIME: u32 = 1_700_000_100;

pub(crate) fn key() -> SigningKey {
    SigningKey::generate_from_seed("Test <test@example.org>", KEY_TIME, [1; 32]).unwrap()
}

pub(crate) fn options() -> BuildOptions {
    BuildOptions { zstd_level: 3, ..BuildOptions::new(BUILD_TIME) }
}

pub(crate) fn dependency(text: &str) -> Dependency {
    Dependency::parse(text).unwrap()
}

pub(crate) fn small_spec() -> PackageSpec {
    let mut spec = PackageSpec::new("small", Evr::new(0, "1.0", "1.cn1"), "noarch");
    spec.summary = "Small".into();
    spec.license = "MIT".into();
    spec.files = vec![
        FileSpec::directory("/usr/share/small"),
        FileSpec::regular("/usr/share/small/a", "aaaa\n"),
        FileSpec::symlink("/usr/share/small/link", "a"),
    ];
    spec
}

pub(crate) fn full_spec() -> PackageSpec {
    let mut spec = PackageSpec::new("demo", Evr::new(1, "2.0~rc1", "3.cn1"), "x86_64");
    spec.summary = "A demonstration".into();
    spec.description = "Several\nlines, äöü".into();
    spec.license = "MIT".into();
    spec.url = "https://example.org/".into();
    spec.vendor = "Cairn Linux".into();
    let config = FileFlags::CONFIG | FileFlags::NOREPLACE;
    let mut ping = FileSpec::regular("/usr/bin/demo-ping", vec![7; 10_000]).with_mode(0o4755);
    ping.caps = "cap_net_raw=ep".into();
    let mut log = FileSpec::new("/var/log/demo.log", FileKind::Ghost).with_mode(0o640);
    (log.user, log.group) = ("demo".into(), "adm".into());
    spec.files = vec![
        FileSpec::directory("/usr/share/demo"),
        FileSpec::regular("/etc/demo.conf", "a=1\n").with_flags(config).with_mode(0o600),
        ping,
        FileSpec::regular("/usr/share/demo-x/a", "x"),
        FileSpec::regular("/usr/share/demo/b/c", "deep"),
        FileSpec::regular("/usr/share/demo/d", ""),
        FileSpec::symlink("/usr/bin/demo", "demo-ping"),
        log,
    ];
    spec.provides = vec![dependency("demo-debian = 2.0-3"), dependency("demo = 1:2.0~rc1-3.cn1")];
    spec.requires = vec![dependency("libc.so.6()(64bit)"), dependency("bash >= 5")];
    spec.recommends = vec![dependency("(foo if bar)")];
    let script = |interpreter: &[&str], body: Option<&str>| Scriptlet {
        interpreter: interpreter.iter().map(|&word| word.to_owned()).collect(),
        body: body.map(str::to_owned),
        flags: 0,
    };
    spec.scriptlets = [
        (ScriptletKind::PostInstall, script(&["/sbin/ldconfig"], None)),
        (ScriptletKind::PreUninstall, script(&["/bin/sh", "-e"], Some("echo bye\n"))),
        (ScriptletKind::PreTransaction, script(&["<lua>"], Some("print('hi')"))),
    ]
    .into();
    let trigger = |scope, kind, on: &str, priority| TriggerSpec {
        scope,
        interpreter: "/bin/sh".into(),
        body: Some(format!("echo {on}\n")),
        flags: 0,
        priority,
        conditions: vec![(kind, dependency(on))],
    };
    spec.triggers = vec![
        trigger(TriggerScope::Package, TriggerKind::Install, "other >= 2", 0),
        trigger(TriggerScope::File, TriggerKind::Uninstall, "/usr/bin", 100),
        trigger(TriggerScope::File, TriggerKind::Install, "/usr/lib", 1_000_000),
        trigger(TriggerScope::TransactionFile, TriggerKind::PostUninstall, "/usr/share", 7),
    ];
    let author = "Me <me@example.org> - 2.0".to_owned();
    spec.changelog = vec![ChangelogEntry { time: KEY_TIME, author, text: "- new".into() }];
    spec
}

/// Builds an unsigned package.
pub(crate) fn build(spec: &PackageSpec) -> Vec<u8> {
    build_package(spec, &options(), None).unwrap()
}

pub(crate) fn parse(bytes: &[u8]) -> Result<Package, Error> {
    Package::parse(&mut Cursor::new(bytes))
}

/// A package taken apart; [`Parts::join`] computes digests and sizes anew.
pub(crate) struct Parts {
    pub header: Values,
    pub payload: Vec<u8>,
}

impl Parts {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let package = parse(bytes).unwrap();
        let payload = bytes[package.header_end as usize..].to_vec();
        Self { header: values(&package.header), payload }
    }

    pub(crate) fn join(mut self) -> Vec<u8> {
        let digest = hex::encode(Sha256::digest(&self.payload));
        self.header.insert(tag::PAYLOADDIGEST, Value::StringArray(vec![digest]));
        join_raw(&write_region(tag::HEADERIMMUTABLE, &self.header), &self.payload)
    }
}

/// Puts lead, a signature header with right digests, a header (without magic) and a payload
/// together.
pub(crate) fn join_raw(header: &[u8], payload: &[u8]) -> Vec<u8> {
    let header = [&MAGIC, header].concat();
    let signature = Values::from([
        (tag::SHA256HEADER, Value::text(hex::encode(Sha256::digest(&header)))),
        (tag::signature::SIZE, Value::number((header.len() + payload.len()) as u32)),
    ]);
    [lead("x"), signature_header_bytes(&signature), header, payload.to_vec()].concat()
}

pub(crate) fn values(header: &Header) -> Values {
    header.tags().filter_map(|tag| Some((tag, header.value(tag)?))).collect()
}
