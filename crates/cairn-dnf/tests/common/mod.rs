// SPDX-License-Identifier: MIT OR Apache-2.0
//! Small packages, a repository made of them, an empty root, and the real binary run on them.
#![allow(dead_code, reason = "each test program uses its own part")]
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    missing_docs,
    reason = "tests run the binary and may stop"
)]

pub mod fixtures;

use cairn_rpm::build::{BuildOptions, FileSpec, PackageSpec, build_package};
use cairn_rpm::dependency::Dependency;
use cairn_rpm::evr::Evr;
use cairn_rpm::package::Package;
use cairn_rpm::repodata::{
    Comps, Group, GroupPackage, GroupPackageKind, RepoMd, RepoMdRecord, RepoPackage,
    RepodataOptions, build_repodata,
};
use cairn_rpm::signature::SigningKey;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use tempfile::TempDir;

/// Time of all test data: 2024-01-01 00:00:00 UTC.
pub const TIME: u32 = 1_704_067_200;

/// The key of the test repository, always the same; making it takes a while, so it is made once.
pub fn key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| seeded_key("Test <test@example.invalid>", 201))
}

/// The key of a seed.
pub fn seeded_key(user_id: &str, seed: u8) -> SigningKey {
    SigningKey::generate_from_seed(user_id, TIME, [seed; 32]).unwrap()
}

/// A package with one file, `/usr/share/NAME/file`, that holds its version.
pub fn package(name: &str, version: &str, requires: &[&str]) -> PackageSpec {
    let mut spec = PackageSpec::new(name, Evr::parse(version).unwrap(), "noarch");
    spec.summary = format!("Test package {name}");
    spec.description = format!("The {name} package.");
    spec.license = "MIT".to_owned();
    spec.url = format!("https://example.invalid/{name}");
    spec.source_package = format!("{name}-{version}.src.rpm");
    spec.requires = requires.iter().map(|text| Dependency::parse(text).unwrap()).collect();
    spec.files = vec![
        FileSpec::directory(format!("/usr/share/{name}")),
        FileSpec::regular(format!("/usr/share/{name}/file"), format!("{version}\n")),
    ];
    spec
}

/// A repository, a root and what came of commands.
pub struct Bench {
    pub directory: TempDir,
    packages: Vec<PackageSpec>,
    revision: u32,
    comps: Comps,
    updateinfo: Option<String>,
}

/// What a command wrote and how it ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// Exit code, standard output and standard error in one text.
    pub fn text(&self) -> String {
        let mut text = format!("exit {}\n", self.code);
        if !self.out.is_empty() {
            text.push_str(&format!("--- out\n{}", self.out));
        }
        if !self.err.is_empty() {
            text.push_str(&format!("--- err\n{}", self.err));
        }
        text
    }
}

impl Bench {
    /// A bench with these packages in its repository, signed.
    pub fn new(packages: Vec<PackageSpec>) -> Self {
        let directory = TempDir::new().unwrap();
        let mut bench =
            Self { directory, packages, revision: 100, comps: comps(), updateinfo: None };
        std::fs::create_dir_all(bench.root()).unwrap();
        std::fs::write(bench.path("KEY"), key().public_armored().unwrap()).unwrap();
        bench.publish();
        bench
    }

    /// The usual small world.
    pub fn usual() -> Self {
        let mut new_foo = package("foo", "2.0-1", &["libfoo"]);
        new_foo.recommends = vec![Dependency::parse("bar").unwrap()];
        let mut baz = package("baz", "1.0-1", &[]);
        baz.conflicts = vec![Dependency::parse("bar").unwrap()];
        Self::new(vec![
            package("libfoo", "1.0-1", &[]),
            package("foo", "1.0-1", &["libfoo"]),
            new_foo,
            package("bar", "1.0-1", &[]),
            baz,
            package("broken", "1.0-1", &["nonexistent >= 3"]),
        ])
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn root(&self) -> PathBuf {
        self.path("root")
    }

    pub fn repository(&self) -> PathBuf {
        self.path("repo")
    }

    /// Adds packages and publishes the repository again under the next revision.
    pub fn add(&mut self, packages: Vec<PackageSpec>) {
        self.packages.extend(packages);
        self.revision += 1;
        self.publish();
    }

    /// Publishes again with these groups.
    pub fn set_comps(&mut self, comps: Comps) {
        self.comps = comps;
        self.revision += 1;
        self.publish();
    }

    /// Publishes again with this updateinfo.xml.
    pub fn set_updateinfo(&mut self, text: &str) {
        self.updateinfo = Some(text.to_owned());
        self.revision += 1;
        self.publish();
    }

    /// Publishes again under this revision.
    pub fn publish_as(&mut self, revision: u32) {
        self.revision = revision;
        self.publish();
    }

    fn publish(&mut self) {
        let repository = self.repository();
        std::fs::create_dir_all(repository.join("repodata")).unwrap();
        let options = BuildOptions::new(TIME);
        let mut entries = Vec::new();
        for spec in &self.packages {
            let name = format!("{}-{}.{}.rpm", spec.name, spec.evr.without_epoch(), spec.arch);
            let path = repository.join(&name);
            if !path.exists() {
                std::fs::write(&path, build_package(spec, &options, Some(key())).unwrap()).unwrap();
            }
            let bytes = std::fs::read(&path).unwrap();
            let parsed = Package::parse(&mut &bytes[..]).unwrap();
            entries.push(RepoPackage::from_package(
                &parsed,
                &name,
                bytes.len() as u64,
                &sha256(&path),
            ));
        }
        let options = RepodataOptions {
            revision: self.revision.to_string(),
            timestamp: u64::from(TIME),
            zstd_level: 3,
            content_tags: Vec::new(),
            distro_tags: Vec::new(),
        };
        for file in build_repodata(&entries, Some(&self.comps), &options).unwrap() {
            std::fs::write(repository.join(&file.path), &file.bytes).unwrap();
        }
        if let Some(text) = &self.updateinfo {
            self.add_record("updateinfo", text);
        }
        self.sign_index();
    }

    fn add_record(&self, kind: &str, text: &str) {
        let index = self.repository().join("repodata/repomd.xml");
        let mut repomd = RepoMd::parse(&std::fs::read(&index).unwrap()).unwrap();
        let path = self.repository().join(format!("repodata/{kind}.xml"));
        std::fs::write(&path, text).unwrap();
        repomd.records.push(RepoMdRecord {
            kind: kind.to_owned(),
            location: format!("repodata/{kind}.xml"),
            checksum: sha256(&path),
            size: Some(text.len() as u64),
            timestamp: u64::from(TIME),
            ..RepoMdRecord::default()
        });
        std::fs::write(&index, repomd.write()).unwrap();
    }

    /// Signs `repomd.xml` as it is.
    pub fn sign_index(&self) {
        let index = self.repository().join("repodata/repomd.xml");
        let signature = key().sign_detached_armored(&std::fs::read(&index).unwrap(), TIME).unwrap();
        std::fs::write(index.with_extension("xml.asc"), signature).unwrap();
    }

    /// Runs `dnf` on the root with the signed repository `t`.
    pub fn dnf(&self, arguments: &str) -> Ran {
        let repository = self.repository();
        let mut command = Command::new(env!("CARGO_BIN_EXE_dnf"));
        command.arg0("dnf");
        command.arg(format!("--installroot={}", self.root().display()));
        command.arg(format!("--repofrompath=t,file://{}", repository.display()));
        command.arg(format!("--setopt=t.gpgkey=file://{}", self.path("KEY").display()));
        command.args(["--repo=t", "--releasever=1"]);
        command.args(words(arguments));
        self.run(command)
    }

    /// Runs `dnf` with the root's own configuration.
    pub fn plain_dnf(&self, arguments: &str) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dnf"));
        command
            .arg0("dnf")
            .arg(format!("--installroot={}", self.root().display()))
            .args(words(arguments));
        self.run(command)
    }

    /// Runs `rpm` on the root.
    pub fn rpm(&self, arguments: &str) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dnf"));
        command.arg0("rpm").arg(format!("--root={}", self.root().display()));
        command.args(words(arguments));
        command.current_dir(self.repository());
        self.run(command)
    }

    /// As [`Bench::rpm`], with a file as standard input.
    pub fn rpm_reading(&self, arguments: &str, input: &std::path::Path) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dnf"));
        command.arg0("rpm").arg(format!("--root={}", self.root().display()));
        command.args(words(arguments)).stdin(std::fs::File::open(input).unwrap());
        self.run(command)
    }

    /// As [`Bench::rpm`], for output that is no text.
    pub fn rpm_bytes(&self, arguments: &str) -> Vec<u8> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dnf"));
        command.arg0("rpm").arg(format!("--root={}", self.root().display()));
        let output = command.args(words(arguments)).output().unwrap();
        assert!(output.status.success(), "{}", self.filtered(&output.stderr));
        output.stdout
    }

    fn run(&self, mut command: Command) -> Ran {
        let output = command.env("TZ", "UTC").env("NO_COLOR", "1").output().unwrap();
        Ran {
            code: output.status.code().unwrap_or(-1),
            out: self.filtered(&output.stdout),
            err: self.filtered(&output.stderr),
        }
    }

    /// Replaces the temporary directory.
    pub fn filtered(&self, bytes: &[u8]) -> String {
        let text = String::from_utf8_lossy(bytes);
        let text = text.replace(self.directory.path().to_str().unwrap(), "[TMP]");
        // What was downloaded includes a signature, whose length varies.
        let without_size = |line: &str| match line.split_once("100% |") {
            Some((before, _)) => format!("{before}100% | [SIZE]\n"),
            None => line.to_owned(),
        };
        text.split_inclusive('\n').map(without_size).collect()
    }

    /// Takes all files out of the repository: what works now works offline.
    pub fn empty_repository(&self) {
        std::fs::remove_dir_all(self.repository()).unwrap();
        std::fs::create_dir(self.repository()).unwrap();
    }

    /// Content of a file of the root.
    pub fn read(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.root().join(path)).ok()
    }
}

/// The usual groups: one.
pub fn comps() -> Comps {
    let member = |name: &str, kind| GroupPackage { name: name.to_owned(), kind };
    let group = Group {
        id: "tools".to_owned(),
        name: "Tools".to_owned(),
        description: "Some tools".to_owned(),
        default: false,
        user_visible: true,
        display_order: None,
        lang_only: None,
        packages: vec![
            member("foo", GroupPackageKind::Mandatory),
            member("bar", GroupPackageKind::Optional),
        ],
    };
    Comps { groups: vec![group], environments: Vec::new(), categories: Vec::new() }
}

fn sha256(path: &Path) -> String {
    use sha2::{Digest as _, Sha256};
    Sha256::digest(std::fs::read(path).unwrap()).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Ran {
    /// The text without what every command says about repositories and packages on their way.
    pub fn quiet(self) -> String {
        let is_noise = |line: &&str| {
            line.starts_with("Updating and loading")
                || line.starts_with("Repositories loaded")
                || line.starts_with(" t  ")
                || line.starts_with("Total size of inbound")
                || line.starts_with("After this operation")
                || line.starts_with("Downloading packages")
                || line.starts_with("Checking packages")
                || line.starts_with("Running transaction")
        };
        let lines = self.err.lines().filter(|line| !is_noise(line) && !line.is_empty());
        let err: String = lines.map(|line| format!("{line}\n")).collect();
        Self { err, ..self }.text()
    }
}

/// Every file of a root with its mode, owner and content, and the installed packages; caches, journals and history left out.
pub fn snapshot(bench: &Bench) -> String {
    let mut lines = Vec::new();
    walk(&bench.root(), &bench.root(), &mut lines);
    lines.sort();
    let format = "%{nevra} %{installtime} %{installtid}\\n";
    format!("{}\n{}", lines.join("\n"), bench.rpm(&format!("-qa --qf '{format}'")).out)
}

fn walk(root: &Path, directory: &Path, lines: &mut Vec<String>) {
    use std::os::unix::fs::MetadataExt as _;
    let skipped = ["var/cache", "var/lib/cairn", "usr/lib/sysimage/rpm", "var/lib/dnf"];
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        if skipped.contains(&name.as_str()) || name.contains("transaction_history") {
            continue;
        }
        let stat = std::fs::symlink_metadata(&path).unwrap();
        let content = if stat.is_file() { sha256(&path) } else { String::new() };
        // Directories of dnf's own get new times whenever something in them is written.
        let time = if stat.is_file() && !name.contains("sysimage") { stat.mtime() } else { 0 };
        lines.push(format!(
            "{name} {:o} {} {} {time} {content}",
            stat.mode(),
            stat.uid(),
            stat.gid()
        ));
        if stat.is_dir() {
            walk(root, &path, lines);
        }
    }
}

/// Splits at blanks; `'…'` keeps a part together.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in line.split('\'').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// Replaces dates and times of the form `2026-11-22 23:10:36` and cookies.
pub fn without_times(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", mask(line))).collect()
}

fn mask(line: &str) -> String {
    let bytes = line.as_bytes();
    let pattern = b"dddd-dd-dd dd:dd:dd";
    let mut out = String::new();
    let mut index = 0;
    while index < bytes.len() {
        let window = &bytes[index..bytes.len().min(index + pattern.len())];
        let is_time = window.len() == pattern.len()
            && window
                .iter()
                .zip(pattern)
                .all(|(b, p)| if *p == b'd' { b.is_ascii_digit() } else { b == p });
        let hex = bytes[index..].iter().take_while(|b| b.is_ascii_hexdigit()).count();
        if is_time {
            out.push_str("[TIME]             ");
            index += pattern.len();
        } else if hex == 64 {
            out.push_str("[SHA]");
            index += 64;
        } else {
            let character = line[index..].chars().next().unwrap();
            out.push(character);
            index += character.len_utf8();
        }
    }
    out
}

/// Masks digests, fingerprints, key ids and free space.
pub fn masked(line: &str) -> String {
    if let Some((before, _)) = line.split_once(" on `/`, ") {
        return format!("{before} on `/`, [FREE]");
    }
    let mut out = String::new();
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let n_hex = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        let (shown, length) = match n_hex {
            8 if out.ends_with("key ID ") => ("[ID]", 8),
            64 => ("[SHA256]", 64),
            40 => ("[KEY]", 40),
            0 => (&rest[..c.len_utf8()], c.len_utf8()),
            n => (&rest[..n], n),
        };
        out.push_str(shown);
        rest = &rest[length..];
    }
    out
}
