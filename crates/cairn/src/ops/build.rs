// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cairn build`: from the lock to a repository and to images.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::commands::lock::print_changes;
use crate::compose::{self, Profile};
use crate::context::Context;
use crate::keys;
use crate::lock::Use;
use crate::ops::packages::{self, Packages};
use crate::ops::repository;
use crate::ops::stamp::Stamp;
use crate::ops::upstream::{self, Generation, Upstream, Vanishing};
use crate::tools;

/// Directory of the package repository below the output directory.
const REPOSITORY: &str = "repo";

/// What the operator decided.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Never move lock entries.
    pub locked: bool,
    /// Where results go.
    pub out: PathBuf,
    /// Key file to sign with.
    pub signing_key: Option<PathBuf>,
    /// Which state of the distribution to build.
    pub generation: Generation,
}

/// Everything a build works with, opened and checked before the first long step.
#[derive(Debug)]
pub struct Build<'a> {
    /// Surroundings.
    pub ctx: &'a Context,
    /// Definition, lock and files.
    pub upstream: Upstream,
    /// Signs packages, metadata and images.
    pub key: cairn_rpm::signature::SigningKey,
    /// Programs that make file systems and images.
    pub tools: cairn_host::Sandbox,
    /// Where results go.
    pub out: PathBuf,
}

impl<'a> Build<'a> {
    /// Opens everything: what is wrong with key, output directory, namespaces or mirror is said before anything is built.
    pub fn open(ctx: &'a Context, settings: &Settings) -> Result<Self> {
        cairn_host::user_namespaces_available()?;
        let key = keys::load(ctx, settings.signing_key.as_deref())?;
        prepare_out(&settings.out)?;
        let vanishing = if settings.locked { Vanishing::Stop } else { Vanishing::MoveForward };
        let uses: &[Use] = match settings.generation {
            Generation::Current => &[Use::Os, Use::Tools],
            Generation::Previous => &[Use::Os, Use::Tools, Use::Previous],
        };
        let upstream = upstream::open(ctx, uses, vanishing, settings.generation)?;
        print_changes(ctx, &upstream.moved);
        let tools = tools::open(ctx, &upstream.lock, Use::Tools)?;
        Ok(Self { ctx, upstream, key, tools, out: settings.out.clone() })
    }
}

/// Builds the package repository: `OUT/repo`.
pub fn repo(ctx: &Context, settings: &Settings) -> Result<Vec<PathBuf>> {
    unless_up_to_date(ctx, settings, "repo", |build| {
        let packages = packages::build(build)?;
        Ok(vec![write_repository(build, &packages)?])
    })
}

/// Builds the repository and a disk image of one profile.
pub fn disk(ctx: &Context, settings: &Settings, profile: &str) -> Result<Vec<PathBuf>> {
    let profile = Profile::load(&ctx.distro_dir(), profile)?;
    unless_up_to_date(ctx, settings, &format!("disk {}", profile.name), |build| {
        let packages = packages::build(build)?;
        write_repository(build, &packages)?;
        compose::disk(build, &packages, &profile)
    })
}

/// Builds the repository and the installation medium.
pub fn iso(ctx: &Context, settings: &Settings) -> Result<Vec<PathBuf>> {
    unless_up_to_date(ctx, settings, "iso", |build| {
        let packages = packages::build(build)?;
        write_repository(build, &packages)?;
        compose::iso::compose(build, &packages)
    })
}

/// Returns what an earlier build of the same inputs made, or builds.
fn unless_up_to_date(
    ctx: &Context,
    settings: &Settings,
    what: &str,
    make: impl FnOnce(&Build<'_>) -> Result<Vec<PathBuf>>,
) -> Result<Vec<PathBuf>> {
    let stamp = Stamp::of(ctx, settings, what)?;
    if let Some(made) = stamp.up_to_date() {
        ctx.printer.info("Nothing has changed since the last build");
        return Ok(made);
    }
    let build = Build::open(ctx, settings)?;
    let made = make(&build)?;
    stamp.record(&made, &[settings.out.join(REPOSITORY)])?;
    Ok(made)
}

fn write_repository(build: &Build<'_>, packages: &Packages) -> Result<PathBuf> {
    let directory = build.out.join(REPOSITORY);
    repository::write(build, packages, &directory)?;
    Ok(directory)
}

/// Makes the output directory and proves that it can be written.
fn prepare_out(out: &PathBuf) -> Result<()> {
    std::fs::create_dir_all(out)
        .with_context(|| format!("creating the output directory {}", out.display()))?;
    let root = cairn_host::Root::open(out)?;
    let probe = format!(".cairn-write-test-{}", std::process::id());
    root.write(&probe, b"", 0o600)
        .with_context(|| format!("writing to the output directory {}", out.display()))?;
    root.remove_file(&probe)?;
    Ok(())
}
