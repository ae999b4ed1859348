// SPDX-License-Identifier: MIT OR Apache-2.0
//! Trees with the peers: trixie's rpm, dnf 4 and createrepo_c (the tree of the image tests), and sid's dnf 5.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cairn::apt::closure::closure;
use cairn::apt::packages::Index;
use cairn::apt::release::Release;
use cairn::context::Context;
use cairn::lock::LockedFile;
use cairn_rpm::signature::Keyring;

const SID: &str = "sid";
/// What is wanted of sid, with a shell, and Python for the measurement.
const WANTED: [&str; 6] = ["dnf5", "python3-minimal", "dash", "coreutils", "rpm", "libc-bin"];
/// What only configures an installed system.
const SKIPPED: [&str; 5] = ["debconf", "dpkg", "adduser", "init-system-helpers", "systemd"];

/// The keys of Debian's archives.
pub fn keyring(ctx: &Context) -> Keyring {
    let path = ctx.distro_dir().join("keys/debian-archive-keyring.gpg");
    let mut keyring = Keyring::new();
    keyring.add(&std::fs::read(path).unwrap()).unwrap();
    keyring
}

/// Makes the tree of sid in the cache and returns its directory. A tree is kept until the cache is cleared: a mirror of sid moves
/// every few hours, the benchmark need not.
pub fn sid_tree(ctx: &Context) -> PathBuf {
    let mark = ctx.cache_dir("bench").unwrap().join("sid-tree");
    if let Ok(tree) = std::fs::read_to_string(&mark)
        && Path::new(&tree).is_dir()
    {
        return PathBuf::from(tree);
    }
    let archive = ctx.mirror().unwrap().archive(SID).to_owned();
    // A mirror may serve a snapshot: its age does not matter here.
    let release = Release::fetch(&ctx.fetcher, &archive, SID, &keyring(ctx)).unwrap();
    let text = release.fetch_packages(&ctx.fetcher, &archive, "main", "amd64").unwrap();
    let mut index = Index::default();
    index.add(SID, &text).unwrap();
    let skipped: BTreeSet<String> = SKIPPED.map(str::to_owned).into();
    let wanted: Vec<String> = WANTED.map(str::to_owned).into();
    let entries = closure(&index, &wanted, &skipped, SID).unwrap();
    let files: Vec<LockedFile> = entries
        .into_values()
        .map(|entry| LockedFile {
            name: entry.name.clone(),
            version: entry.version.clone(),
            arch: entry.architecture.clone(),
            source: entry.source.clone(),
            suite: SID.to_owned(),
            path: entry.path.clone(),
            size: entry.size,
            sha256: entry.sha256.clone(),
            uses: BTreeSet::new(),
            provides: String::new(),
        })
        .collect();
    let files: Vec<&LockedFile> = files.iter().collect();
    let missing = cairn::fetch::missing(ctx, files.iter().copied());
    assert!(cairn::fetch::download(ctx, &missing).unwrap().is_empty(), "the mirror of sid moved");
    let tree = cairn::tools::open_files(ctx, &files).unwrap().tools_tree().to_owned();
    std::fs::write(mark, tree.to_str().unwrap()).unwrap();
    tree
}
