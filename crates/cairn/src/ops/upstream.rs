// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the definition to verified upstream files in the cache.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::context::Context;
use crate::distro::Distro;
use crate::fetch::{self, Vanished};
use crate::lock::{Lock, LockedFile, Use};
use crate::ops::lock::{self, Change, Movement};
use crate::overlay::Overlays;

/// The definition with everything it names in the cache.
#[derive(Debug)]
pub struct Upstream {
    /// `distro/distro.toml`.
    pub distro: Distro,
    /// `distro/packages`.
    pub overlays: Overlays,
    /// `distro/cairn.lock`, possibly moved forward.
    pub lock: Lock,
    /// What moved because the mirror had dropped it.
    pub moved: Vec<Change>,
    /// Which state of the distribution is built.
    pub generation: Generation,
}

/// Which state of the distribution is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// The one of the lock.
    Current,
    /// The one before it, to test upgrades from: locked predecessors ([`Use::Previous`]) in place of what followed them, our own
    /// packages with a lower release.
    Previous,
}

impl Upstream {
    /// Returns the files that the operating system is made from.
    pub fn os_files(&self) -> Vec<&LockedFile> {
        let current = self.lock.used_for(Use::Os);
        if self.generation == Generation::Current {
            return current.collect();
        }
        let previous: Vec<&LockedFile> = self.lock.used_for(Use::Previous).collect();
        let key = |file: &LockedFile| self.overlays.overlay_for(&file.name).key.clone();
        let replaced: BTreeSet<String> = previous.iter().map(|file| key(file)).collect();
        current.filter(|file| !replaced.contains(&key(file))).chain(previous).collect()
    }

    /// Returns the release of one of our own packages.
    pub fn own_release(&self, release: &str) -> String {
        match self.generation {
            Generation::Current => release.to_owned(),
            Generation::Previous => format!("0.{release}"),
        }
    }
}

/// Whether a build may move lock entries that the mirror has dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vanishing {
    /// Move them forward inside their suites and rewrite the lock.
    MoveForward,
    /// Stop (`--locked`).
    Stop,
}

/// Loads the definition and brings every file of `uses` into the cache.
pub fn open(
    ctx: &Context,
    uses: &[Use],
    vanishing: Vanishing,
    generation: Generation,
) -> Result<Upstream> {
    let distro = Distro::load(&ctx.distro_dir())?;
    let overlays =
        Overlays::load(&ctx.distro_dir().join("packages"), &ctx.distro_dir().join("files"))?;
    let mut upstream = Upstream {
        lock: current_lock(ctx, &distro, &overlays)?,
        distro,
        overlays,
        moved: Vec::new(),
        generation,
    };
    // Two rounds: what vanished moves forward once; if that vanishes too, the mirror is broken.
    for _ in 0..2 {
        let files = wanted(&upstream.lock, uses);
        let vanished = fetch::download(ctx, &fetch::missing(ctx, files.into_iter()))?;
        if vanished.is_empty() {
            return Ok(upstream);
        }
        if vanishing == Vanishing::Stop {
            bail!(Vanished(vanished[0].clone()));
        }
        move_forward(ctx, &mut upstream, &vanished)?;
    }
    bail!("the mirror lists packages that it does not serve")
}

/// Returns the lock on disk, completed for packages that the definition newly names.
fn current_lock(ctx: &Context, distro: &Distro, overlays: &Overlays) -> Result<Lock> {
    let known = lock::load(ctx)?;
    if let Some(known) = &known
        && lock::covers(known, distro, overlays)
    {
        return Ok(known.clone());
    }
    let completed = lock::relock(ctx, distro, overlays, known.as_ref(), &Movement::Nothing)?;
    lock::store(ctx, &completed)?;
    Ok(completed)
}

fn wanted<'a>(lock: &'a Lock, uses: &[Use]) -> Vec<&'a LockedFile> {
    lock.files.iter().filter(|file| uses.iter().any(|one| file.uses.contains(one))).collect()
}

fn move_forward(ctx: &Context, upstream: &mut Upstream, vanished: &[LockedFile]) -> Result<()> {
    let names: BTreeSet<String> = vanished.iter().map(|file| file.name.clone()).collect();
    let movement = Movement::Named(names);
    let moved =
        lock::relock(ctx, &upstream.distro, &upstream.overlays, Some(&upstream.lock), &movement)?;
    upstream.moved.extend(lock::changes(Some(&upstream.lock), &moved));
    lock::store(ctx, &moved)?;
    upstream.lock = moved;
    Ok(())
}
