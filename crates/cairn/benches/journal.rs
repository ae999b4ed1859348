// SPDX-License-Identifier: MIT OR Apache-2.0
//! What it costs that a transaction survives a crash: the packages of the default image into an empty root, journaled as `dnf` does it
//! and as images are composed (no journal, no flush, no undo store), in turns, without scriptlets; and how long recovery takes after a
//! crash right behind the commit, when all is still to be done. `cargo xtask bench journal` prints a table: on tmpfs, where a flush costs
//! nothing, and on the disk of `/var/tmp`.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement prints, and starts itself to end in the middle"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use cairn_host::Root;
use cairn_pkg::event::{Event, Phase};
use cairn_pkg::recover::Recovered;
use cairn_pkg::transaction::{
    self, Action, Durability, Scriptlets, TransactionItem, TransactionOptions, Trust,
};
use cairn_rpm::evr::Nevra;
use cairn_rpm::package::Package;
use cairn_rpm::signature::Keyring;

/// How often each is measured.
const ROUNDS: usize = 5;
/// Where the roots are made.
const PLACES: [(&str, &str); 2] = [("tmpfs", "/dev/shm"), ("disk", "/var/tmp")];

/// Names the root in which this program ends in the middle of a transaction.
const CRASH_IN: &str = "CAIRN_CRASH_IN";

fn main() -> Result<()> {
    // cargo runs it in the directory of the package.
    let items = items(Path::new("../../out"))?;
    if let Some(root) = std::env::var_os(CRASH_IN) {
        return crash(&items, Path::new(&root));
    }
    println!("{} packages, medians of {ROUNDS}", items.len());
    println!(
        "| root on | journaled s | not journaled s | ratio | recovery s |\n|---|---|---|---|---|"
    );
    for (name, place) in PLACES {
        let (mut with, mut without, mut recovery) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            with.push(install(&items, place, Durability::Journaled)?);
            without.push(install(&items, place, Durability::Scratch)?);
            recovery.push(recover(place)?);
        }
        let (with, without, recovery) = (median(with), median(without), median(recovery));
        println!("| {name} | {with:.3} | {without:.3} | {:.2} | {recovery:.3} |", with / without);
    }
    Ok(())
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
}

/// The packages of the default image, from the repository that was built with it.
fn items(out: &Path) -> Result<Vec<TransactionItem>> {
    let manifests = std::fs::read_dir(out)?.filter_map(|entry| Some(entry.ok()?.path()));
    let is_default = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with("-x86_64.raw.manifest.json") && !name.contains("minimal")
    };
    let manifest = manifests.filter(is_default).max().context("no image in out/")?;
    let manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(manifest)?)?;
    let wanted: Vec<&str> = manifest["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|package| package["nevra"].as_str())
        .collect();
    let mut items = Vec::new();
    for entry in std::fs::read_dir(out.join("repo/packages"))? {
        let path = entry?.path();
        let file = std::fs::File::open(&path)?;
        let nevra = Package::parse(&mut std::io::BufReader::new(file))?.header.nevra();
        if wanted.contains(&nevra.to_string().as_str()) {
            items.push(item(nevra, path));
        }
    }
    Ok(items)
}

fn item(nevra: Nevra, path: PathBuf) -> TransactionItem {
    let (action, rpm) = (Action::Install, Some(path));
    TransactionItem { action, nevra, rpm, from_repo: "repo".to_owned(), replaces: Vec::new() }
}

fn options(durability: Durability) -> TransactionOptions {
    let mut options = TransactionOptions::live(Arc::new(Keyring::new()), 1_700_000_000);
    options.trust = Trust::Digests;
    options.scriptlets = Scriptlets::Skip;
    options.durability = durability;
    options
}

/// Ends this process as a power cut would, once the transaction is committed and before anything of it is in place.
fn crash(items: &[TransactionItem], root: &Path) -> Result<()> {
    let root = Root::open(root)?;
    transaction::run(&root, items.to_vec(), &options(Durability::Journaled), &mut |event| {
        if matches!(event, Event::Phase(Phase::Apply)) {
            std::process::exit(0);
        }
    })?;
    bail!("the transaction came to its end")
}

/// Recovers a root after such a crash.
fn recover(place: &str) -> Result<Duration> {
    let directory = tempfile::tempdir_in(place)?;
    let mut child = std::process::Command::new(std::env::current_exe()?);
    let status = child.env(CRASH_IN, directory.path()).status()?;
    ensure!(status.success(), "the transaction did not come to its commit: {status}");
    let root = Root::open(directory.path())?;
    root.syncfs_of("")?;
    let begin = Instant::now();
    let recovered = cairn_pkg::recover::recover(&root, &mut |_| {})?;
    let taken = begin.elapsed();
    ensure!(matches!(recovered[..], [Recovered::RolledForward { .. }]), "found {recovered:?}");
    Ok(taken)
}

/// Installs into a new root; the time includes what is flushed, not what is removed afterwards.
fn install(items: &[TransactionItem], place: &str, durability: Durability) -> Result<Duration> {
    let directory = tempfile::tempdir_in(place)?;
    let root = Root::open(directory.path())?;
    // What others wrote is not to be flushed here.
    root.syncfs_of("")?;
    let begin = Instant::now();
    transaction::run(&root, items.to_vec(), &options(durability), &mut |_| {})?;
    let taken = begin.elapsed();
    root.syncfs_of("")?;
    Ok(taken)
}
