// SPDX-License-Identifier: MIT OR Apache-2.0
//! Trees with the peers: trixie's rpm, dnf 4 and createrepo_c (the tree of the image tests), sid's dnf 5, and rpm of bookworm.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cairn::apt::closure::closure;
use cairn::apt::packages::Index;
use cairn::apt::release::Release;
use cairn::context::Context;
use cairn::lock::LockedFile;
use cairn_rpm::signature::Keyring;

/// What only configures an installed system.
const SKIPPED: [&str; 5] = ["debconf", "dpkg", "adduser", "init-system-helpers", "systemd"];

/// The keys of Debian's archives.
pub fn keyring(ctx: &Context) -> Keyring {
    let path = ctx.distro_dir().join("keys/debian-archive-keyring.gpg");
    let mut keyring = Keyring::new();
    keyring.add(&std::fs::read(path).unwrap()).unwrap();
    keyring
}

/// Makes the tree of sid, with a shell, and Python for the measurement.
pub fn sid_tree(ctx: &Context) -> PathBuf {
    tree(ctx, "sid", &["dnf5", "python3-minimal", "dash", "coreutils", "rpm", "libc-bin"])
}

/// Makes the tree of bookworm, with a shell.
pub fn bookworm_tree(ctx: &Context) -> PathBuf {
    tree(ctx, "bookworm", &["dash", "coreutils", "rpm", "libc-bin"])
}

/// Makes a tree in the cache and returns its directory. It is kept until the cache is cleared: a mirror of sid moves every few hours,
/// the peers need not.
fn tree(ctx: &Context, suite: &str, wanted: &[&str]) -> PathBuf {
    let mark = ctx.cache_dir("bench").unwrap().join(format!("{suite}-tree"));
    if let Ok(tree) = std::fs::read_to_string(&mark)
        && Path::new(&tree).is_dir()
    {
        return PathBuf::from(tree);
    }
    let archive = ctx.mirror().unwrap().archive(suite).to_owned();
    // A mirror may serve a snapshot: its age does not matter here.
    let release = Release::fetch(&ctx.fetcher, &archive, suite, &keyring(ctx)).unwrap();
    let text = release.fetch_packages(&ctx.fetcher, &archive, "main", "amd64").unwrap();
    let mut index = Index::default();
    index.add(suite, &text).unwrap();
    let skipped: BTreeSet<String> = SKIPPED.map(str::to_owned).into();
    let wanted: Vec<String> = wanted.iter().map(|name| (*name).to_owned()).collect();
    let entries = closure(&index, &wanted, &skipped, suite).unwrap();
    let files: Vec<LockedFile> = entries
        .into_values()
        .map(|entry| LockedFile {
            name: entry.name.clone(),
            version: entry.version.clone(),
            arch: entry.architecture.clone(),
            source: entry.source.clone(),
            suite: suite.to_owned(),
            path: entry.path.clone(),
            size: entry.size,
            sha256: entry.sha256.clone(),
            uses: BTreeSet::new(),
            provides: String::new(),
        })
        .collect();
    let files: Vec<&LockedFile> = files.iter().collect();
    let missing = cairn::fetch::missing(ctx, files.iter().copied());
    let vanished = cairn::fetch::download(ctx, &missing).unwrap();
    assert!(vanished.is_empty(), "the mirror of {suite} moved");
    let tree = cairn::tools::open_files(ctx, &files).unwrap().tools_tree().to_owned();
    std::fs::write(mark, tree.to_str().unwrap()).unwrap();
    tree
}
