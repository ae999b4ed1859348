// SPDX-License-Identifier: MIT OR Apache-2.0
//! The place of the comparison: the trees of trixie and of sid, our program, and the packages, which their rpmbuild makes.

use crate::scenario::Pkg;
use cairn::context::Context;
use cairn::lock::Use;
use cairn::ops::upstream::{self, Generation, Vanishing};
use cairn_host::{Invocation, Sandbox, Tool};
use sha2::{Digest as _, Sha256};
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How many scenarios run at a time.
const WORKERS: usize = 4;
/// How packages are built; what it makes is kept in the cache.
const BUILD: &str = "spec=$1\n\
    export SOURCE_DATE_EPOCH=1700000000\n\
    rpmbuild -bb --define '_tmppath /tmp' --define '_dbpath /tmp/db' --quiet --define \"_topdir /work/build/${spec%.spec}\" --define '_build_id_links none' \
    --define '__os_install_post %{nil}' --define 'debug_package %{nil}' --define '_buildhost test' \
    --define '_unpackaged_files_terminate_build 0' --define '_binary_payload w1.gzdio' \
    --define 'clamp_mtime_to_source_date_epoch 1' --define 'use_source_date_epoch_as_buildtime 1' \
    --target $(cat ${spec%.spec}.target) $spec > $spec.log 2>&1 || cat $spec.log $spec\n";

/// In which tree a script runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suite {
    /// rpm 4.20, dnf 4, rpmbuild, createrepo_c.
    Trixie,
    /// rpm 6, dnf 5.
    Sid,
    /// rpm 4.18.
    Bookworm,
}

/// See the module.
pub struct Bench {
    /// In memory: databases are synced to their disk after each change.
    directory: tempfile::TempDir,
    context: Context,
    trixie: Sandbox,
    /// Made when it is first asked for.
    sid: OnceCell<Sandbox>,
    bookworm: OnceCell<Sandbox>,
    built: PathBuf,
}

impl Bench {
    pub fn open() -> Self {
        let printer =
            Arc::new(cairn_ui::Printer::new(cairn_ui::Verbosity::Quiet, cairn_ui::Color::Never));
        let ctx = Context::open(printer, &cairn_testkit::package_directory(), None).unwrap();
        let uses = [Use::Tools, Use::Test];
        let upstream =
            upstream::open(&ctx, &uses, Vanishing::MoveForward, Generation::Current).unwrap();
        let trixie = cairn::tools::open_test(&ctx, &upstream.lock).unwrap();
        let tree = trixie.tools_tree().file_name().unwrap();
        let built = ctx.cache_dir("differential").unwrap().join(tree);
        std::fs::create_dir_all(&built).unwrap();
        let mut directory = tempfile::tempdir_in("/dev/shm").unwrap();
        if std::env::var_os("DIFFERENTIAL_KEEP").is_some() {
            directory.disable_cleanup(true);
            println!("kept: {}", directory.path().display());
        }
        let bench = Self {
            directory,
            context: ctx,
            trixie,
            sid: OnceCell::new(),
            bookworm: OnceCell::new(),
            built,
        };
        bench.take_program();
        bench
    }

    /// Our program under all of its names in /work/bin.
    fn take_program(&self) {
        std::fs::create_dir(self.path("bin")).unwrap();
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("debug/dnf");
        std::fs::copy(&program, self.path("bin/dnf")).unwrap_or_else(|error| {
            panic!("{}: {error}: run `cargo xtask differential`", program.display())
        });
        for name in ["rpm", "rpm2cpio", "rpm2archive", "rpmkeys", "rpmquery", "rpmverify", "rpmdb"]
        {
            std::os::unix::fs::symlink("dnf", self.path(&format!("bin/{name}"))).unwrap();
        }
    }

    /// Where a path below `/work` really is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Where the tree of trixie is.
    pub fn trixie_tree(&self) -> &Path {
        self.trixie.tools_tree()
    }

    fn sandbox(&self, suite: Suite) -> &Sandbox {
        let made = |tree: fn(&Context) -> PathBuf| Sandbox::new(tree(&self.context));
        match suite {
            Suite::Trixie => &self.trixie,
            Suite::Sid => self.sid.get_or_init(|| made(crate::peers::sid_tree)),
            Suite::Bookworm => self.bookworm.get_or_init(|| made(crate::peers::bookworm_tree)),
        }
    }

    /// What tells the tree of one of the suites from all others.
    pub fn tree_name(&self, suite: Suite) -> String {
        self.sandbox(suite).tools_tree().file_name().unwrap().to_string_lossy().into_owned()
    }

    /// Runs a script in one of the trees, with the bench at /work; returns what it wrote.
    pub fn script(&self, suite: Suite, script: &str) -> String {
        let name = self.path("script");
        std::fs::write(name, script).unwrap();
        let sandbox = self.sandbox(suite).clone().bind(self.directory.path(), "/work");
        let invocation = Invocation::new(Tool::Sh)
            .arg("/work/script")
            .env("TZ", "UTC")
            .env("LC_ALL", "C.UTF-8")
            .env("HOME", "/tmp")
            .time_limit(Duration::from_secs(3600));
        let output = sandbox.run_unchecked(&invocation).unwrap();
        assert!(output.success(), "{}{}", output.stdout_text(), output.stderr_text());
        output.stdout_text()
    }

    /// Runs a command for each of the names, a few at a time; returns what it wrote.
    pub fn script_for_each(&self, suite: Suite, command: &str, names: &[String]) -> String {
        let mut script = String::new();
        for worker in 0..WORKERS.min(names.len()) {
            script.push_str("(\n");
            let part = names.iter().skip(worker).step_by(WORKERS);
            part.for_each(|name| writeln!(script, "({command} {name})").unwrap());
            script.push_str(") &\n");
        }
        self.script(suite, &format!("{script}wait\n"))
    }

    /// The package file of a description, built once for all runs.
    pub fn package(&self, package: &Pkg) -> PathBuf {
        self.built.join(key(package)).join(package.file_name())
    }

    /// A directory of the cache that lasts as long as the tree of trixie.
    pub fn kept(&self, name: &str) -> PathBuf {
        let directory = self.built.join(name);
        std::fs::create_dir_all(&directory).unwrap();
        directory
    }

    /// Builds the packages that the cache does not have.
    pub fn build<'a>(&self, packages: impl Iterator<Item = &'a Pkg>) {
        let missing = packages.filter(|package| !self.package(package).is_file());
        let missing: BTreeMap<String, &Pkg> =
            missing.map(|package| (key(package), package)).collect();
        std::fs::create_dir_all(self.path("specs")).unwrap();
        for (key, package) in &missing {
            std::fs::write(self.path(&format!("specs/{key}.spec")), package.spec()).unwrap();
            std::fs::write(self.path(&format!("specs/{key}.build")), how_to_build(package))
                .unwrap();
            let target = match package.arch() {
                "noarch" | "src" => "x86_64",
                other => other,
            };
            std::fs::write(self.path(&format!("specs/{key}.target")), target).unwrap();
        }
        std::fs::write(self.path("specs/one"), "sh ./${1%.spec}.build $1\n").unwrap();
        for (suite, is_v6) in [(Suite::Trixie, false), (Suite::Sid, true)] {
            let built = missing.iter().filter(|(_, package)| package.is_v6() == is_v6);
            let names: Vec<String> = built.map(|(key, _)| format!("{key}.spec")).collect();
            if !names.is_empty() {
                let failed = self.script_for_each(suite, "cd /work/specs; sh ./one", &names);
                assert!(failed.is_empty(), "rpmbuild: {failed}");
            }
        }
        for (key, package) in &missing {
            let name = package.file_name();
            let place = match package.arch() {
                "src" => "SRPMS".to_owned(),
                arch => format!("RPMS/{arch}"),
            };
            let built = self.path(&format!("build/{key}/{place}/{name}"));
            let kept = self.built.join(key);
            let staging = self.built.join(format!(".{key}.{}", std::process::id()));
            std::fs::create_dir_all(&staging).unwrap();
            std::fs::copy(&built, staging.join(&name)).unwrap();
            // Another run may have been faster: its package is the same.
            if std::fs::rename(&staging, &kept).is_err() {
                std::fs::remove_dir_all(&staging).unwrap();
            }
        }
    }

    /// Copies packages into a directory of the bench.
    pub fn place(&self, packages: &[Pkg], directory: &str) {
        let directory = self.path(directory);
        std::fs::create_dir_all(&directory).unwrap();
        for package in packages {
            std::fs::copy(self.package(package), directory.join(package.file_name())).unwrap();
        }
    }
}

fn key(package: &Pkg) -> String {
    digest(&format!("{}{}{}", how_to_build(package), package.file_name(), package.spec()))
}

/// The script that builds a package from its spec file.
fn how_to_build(package: &Pkg) -> String {
    if package.arch() == "src" {
        BUILD.replace("rpmbuild -bb", "rpmbuild -bs")
    } else {
        BUILD.to_owned()
    }
}

/// A short name for a text.
pub fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))[..16].to_owned()
}

/// Replaces `@a-1` by the path of that package file; `@a` is a group.
pub fn expand(arguments: &str, directory: &str, packages: &[Pkg]) -> String {
    let words = arguments.split(' ').map(|word| match word.strip_prefix('@') {
        Some(label) if label.contains('-') => {
            let package = packages.iter().find(|package| package.label() == label);
            let package = package.unwrap_or_else(|| panic!("{directory}: no package {label}"));
            format!("{directory}/{}", package.file_name())
        }
        _ => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}
