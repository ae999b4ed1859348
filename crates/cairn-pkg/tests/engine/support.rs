// SPDX-License-Identifier: MIT OR Apache-2.0
//! Builds packages, runs transactions, and writes down what a root looks like.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use cairn_host::{FileKind as DiskKind, Root};
use cairn_pkg::error::TransactionError;
use cairn_pkg::rpmdb::{Access, RpmDb};
use cairn_pkg::transaction::{
    Action, Durability, Outcome, Ownership, Scriptlets, TransactionItem, TransactionOptions, Trust,
    run,
};
use cairn_rpm::build::{BuildOptions, FileSpec, PackageSpec, build_package};
use cairn_rpm::dependency::Dependency;
use cairn_rpm::evr::{Evr, Nevra};
use cairn_rpm::header::{FileFlags, Scriptlet, ScriptletKind};
use cairn_rpm::signature::Keyring;
use sha2::{Digest as _, Sha256};

pub(crate) const TIME: u32 = 1_700_000_000;

/// A temporary directory with a root and a place for packages.
pub(crate) struct Bench {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) root: Root,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::create(dir.path().join("root")).unwrap();
        Self { dir, root }
    }

    /// Builds a package and returns the item that installs it.
    pub(crate) fn item(&self, action: Action, spec: &PackageSpec) -> TransactionItem {
        let nevra = Nevra::new(&spec.name, spec.evr.clone(), &spec.arch);
        let path = self.dir.path().join(format!("{}.rpm", nevra.file_stem()));
        let options = BuildOptions { zstd_level: 1, ..BuildOptions::new(TIME) };
        std::fs::write(&path, build_package(spec, &options, None).unwrap()).unwrap();
        TransactionItem {
            action,
            nevra,
            rpm: Some(path),
            from_repo: "test".to_owned(),
            replaces: Vec::new(),
        }
    }

    pub(crate) fn install(&self, specs: &[PackageSpec]) -> Result<Outcome, TransactionError> {
        self.run(specs.iter().map(|spec| self.item(Action::Install, spec)).collect())
    }

    pub(crate) fn upgrade(&self, specs: &[PackageSpec]) -> Result<Outcome, TransactionError> {
        self.run(specs.iter().map(|spec| self.item(Action::Upgrade, spec)).collect())
    }

    pub(crate) fn run(&self, items: Vec<TransactionItem>) -> Result<Outcome, TransactionError> {
        run(&self.root, items, &options(), &mut |_| ())
    }

    pub(crate) fn write(&self, path: &str, content: &str) {
        self.root.write(path, content.as_bytes(), 0o644).unwrap();
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("root")
    }
}

/// Journaled, as the current user, without scriptlets.
pub(crate) fn options() -> TransactionOptions {
    TransactionOptions {
        ownership: Ownership::Record,
        scriptlets: Scriptlets::Skip,
        durability: Durability::Journaled,
        trust: Trust::Digests,
        ..TransactionOptions::live(Arc::new(Keyring::new()), TIME)
    }
}

pub(crate) fn removal(nevra: &str) -> TransactionItem {
    let nevra = Nevra::parse(nevra).unwrap();
    TransactionItem {
        action: Action::Remove,
        nevra,
        rpm: None,
        from_repo: String::new(),
        replaces: Vec::new(),
    }
}

pub(crate) fn spec(name: &str, evr: &str, files: &[FileSpec]) -> PackageSpec {
    let mut spec = PackageSpec::new(name, Evr::parse(evr).unwrap(), "noarch");
    "a test package".clone_into(&mut spec.summary);
    "MIT".clone_into(&mut spec.license);
    spec.source_package = format!("{name}-{evr}.src.rpm");
    spec.files = files.iter().map(|file| FileSpec { mtime: TIME, ..file.clone() }).collect();
    spec
}

pub(crate) fn file(path: &str, content: &str) -> FileSpec {
    FileSpec::regular(path, content)
}

pub(crate) fn config(path: &str, content: &str) -> FileSpec {
    FileSpec::regular(path, content).with_flags(FileFlags::CONFIG)
}

pub(crate) fn noreplace(path: &str, content: &str) -> FileSpec {
    FileSpec::regular(path, content).with_flags(FileFlags::CONFIG | FileFlags::NOREPLACE)
}

pub(crate) fn requires(mut spec: PackageSpec, requirement: &str) -> PackageSpec {
    spec.requires.push(Dependency::parse(requirement).unwrap());
    spec
}

pub(crate) fn script(mut spec: PackageSpec, kind: ScriptletKind, body: &str) -> PackageSpec {
    let scriptlet = Scriptlet {
        interpreter: vec!["/bin/sh".to_owned()],
        body: Some(body.to_owned()),
        flags: 0,
    };
    spec.scriptlets.insert(kind, scriptlet);
    spec
}

/// Writes down every file outside of the engine's own directories, and the packages.
pub(crate) fn snapshot(root: &Root) -> String {
    let mut text = String::new();
    root.walk("", &mut |path, stat| {
        let path = path.to_str().unwrap();
        let own = ["var/lib/cairn", "usr/lib/sysimage"].iter().any(|own| path.starts_with(own));
        if own || ["var", "var/lib", "usr/lib"].contains(&path) {
            return Ok(());
        }
        match stat.kind {
            DiskKind::Directory => writeln!(text, "{path}/ {:o}", stat.mode),
            DiskKind::Symlink => writeln!(text, "{path} -> {}", root.read_link(path)?.display()),
            _ => {
                let content = root.read(path)?;
                let shown = String::from_utf8(content.clone())
                    .unwrap_or_else(|_| hex::encode(Sha256::digest(&content)));
                writeln!(text, "{path} {:o} {:?}", stat.mode, shown)
            }
        }
        .unwrap();
        Ok(())
    })
    .unwrap();
    for (hnum, nevra) in packages(root) {
        writeln!(text, "[{hnum}] {nevra}").unwrap();
    }
    text
}

pub(crate) fn packages(root: &Root) -> BTreeMap<u64, String> {
    if !RpmDb::exists(root).unwrap() {
        return BTreeMap::new();
    }
    let db = RpmDb::open(root, Access::ReadOnly).unwrap();
    db.packages()
        .unwrap()
        .into_iter()
        .map(|package| (package.hnum, package.header.nevra().to_string()))
        .collect()
}

/// Checks what must hold after every transaction and every recovery.
pub(crate) fn check_clean(root: &Root) {
    let mut left = Vec::new();
    root.walk("", &mut |path, _| {
        let path = path.to_str().unwrap();
        // A kill inside `Root::write_atomic` leaves its temporary file; the next who takes the lock removes it.
        let staged = path.contains(".cairn-") && !path.contains(Root::TEMPORARY_PREFIX);
        if staged || path.ends_with(".journal") {
            left.push(path.to_owned());
        }
        Ok(())
    })
    .unwrap();
    assert_eq!(left, Vec::<String>::new(), "left over");
    if RpmDb::exists(root).unwrap() {
        let db = RpmDb::open(root, Access::ReadOnly).unwrap();
        assert_eq!(db.check().unwrap(), Vec::<String>::new(), "rpmdb");
    }
}
