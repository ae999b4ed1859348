// SPDX-License-Identifier: MIT OR Apache-2.0
//! What it costs that a transaction survives a crash: the packages of the default image into an empty root, journaled as `dnf` does it
//! and as images are composed (no journal, no flush, no undo store), in turns, without scriptlets. `cargo xtask bench journal` prints
//! a table: on tmpfs, where a flush costs nothing, and on the disk of `/var/tmp`.
#![expect(clippy::print_stdout, reason = "a measurement prints")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use cairn_host::Root;
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

fn main() -> Result<()> {
    // cargo runs it in the directory of the package.
    let items = items(Path::new("../../out"))?;
    println!("{} packages, medians of {ROUNDS}", items.len());
    println!("| root on | journaled s | not journaled s | ratio |\n|---|---|---|---|");
    for (name, place) in PLACES {
        let (mut with, mut without) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            with.push(install(&items, place, Durability::Journaled)?);
            without.push(install(&items, place, Durability::Scratch)?);
        }
        let (with, without) = (median(with), median(without));
        println!("| {name} | {with:.3} | {without:.3} | {:.2} |", with / without);
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

/// Installs into a new root; the time includes what is flushed, not what is removed afterwards.
fn install(items: &[TransactionItem], place: &str, durability: Durability) -> Result<Duration> {
    let directory = tempfile::tempdir_in(place)?;
    let root = Root::open(directory.path())?;
    let mut options = TransactionOptions::live(Arc::new(Keyring::new()), 1_700_000_000);
    options.trust = Trust::Digests;
    options.scriptlets = Scriptlets::Skip;
    options.durability = durability;
    // What others wrote is not to be flushed here.
    root.syncfs_of("")?;
    let begin = Instant::now();
    transaction::run(&root, items.to_vec(), &options, &mut |_| {})?;
    let taken = begin.elapsed();
    root.syncfs_of("")?;
    Ok(taken)
}
