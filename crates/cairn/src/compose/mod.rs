// SPDX-License-Identifier: MIT OR Apache-2.0
//! Images: a profile's packages installed by the package engine into a staging directory, made into a bootable disk.
//!
//! Everything runs without privileges: owners and modes are recorded in a manifest, scriptlets are collected and mapped
//! ([`triggers`]), file systems are made from tar streams.

pub mod edit;
pub mod finish;
pub mod initramfs;
pub mod iso;
pub mod output;
pub mod stage;
pub mod triggers;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use cairn_host::Root;
use cairn_image::disk::{self, DiskContent, DiskPlan};
use cairn_image::filesystem::Workshop;
use cairn_image::manifest::{Selection, collect};
use serde::Deserialize;

use crate::context::Context;
use crate::distro::load_toml;
use crate::ops::build::Build;
use crate::ops::packages::Packages;

/// Free space of a new disk image's root file system, in bytes; cloud-init's growpart takes the rest of the real disk.
const SLACK: u64 = 768 << 20;

/// `distro/images/NAME.toml`: what an image installs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Name of the file without `.toml`.
    #[serde(skip)]
    pub name: String,
    /// One sentence.
    pub summary: String,
    /// Profile whose packages come first.
    #[serde(default)]
    pub extends: Option<String>,
    /// Package names, ours.
    pub packages: Vec<String>,
    /// Kernel package of disk images.
    #[serde(default)]
    pub kernel: Option<String>,
    /// Kernel command line of the installed system.
    #[serde(default)]
    pub cmdline: Vec<String>,
}

impl Profile {
    /// Loads a profile with everything it extends.
    pub fn load(distro_dir: &Path, name: &str) -> Result<Self> {
        let path = distro_dir.join("images").join(format!("{name}.toml"));
        let mut profile: Self =
            load_toml(&path).with_context(|| format!("loading the profile `{name}`"))?;
        name.clone_into(&mut profile.name);
        if let Some(base) = &profile.extends {
            let base = Self::load(distro_dir, base)?;
            profile.packages = base.packages.into_iter().chain(profile.packages).collect();
            profile.kernel = profile.kernel.or(base.kernel);
            profile.cmdline = base.cmdline.into_iter().chain(profile.cmdline).collect();
        }
        Ok(profile)
    }

    /// Returns the packages of a disk image: the profile's and its kernel.
    fn with_kernel(&self) -> Vec<String> {
        self.packages.iter().cloned().chain(self.kernel.clone()).collect()
    }
}

/// Composes a disk image of `profile`; returns the files written below the output directory.
pub fn disk(build: &Build<'_>, packages: &Packages, profile: &Profile) -> Result<Vec<PathBuf>> {
    let name = output::image_name(build, &profile.name, "raw");
    let work = WorkDirectory::create(build.ctx, &name)?;
    let mut staged =
        stage::install(build, packages, &profile.with_kernel(), &work.path.join("root"))?;
    triggers::run(build, &mut staged)?;
    let esp = Root::create(work.path.join("esp"))?;
    let scratch = work.path.join("scratch");
    std::fs::create_dir_all(&scratch).with_context(|| format!("creating {}", scratch.display()))?;
    let nodes = collect(
        &staged.root,
        &staged.manifest,
        &Selection::all_but_content_of(&["boot"]),
        build.upstream.lock.source_date,
    )?;
    let plan = DiskPlan::new(
        &format!("{} {}", build.upstream.distro.name, build.upstream.distro.version),
        disk::suggested_bytes(&nodes, SLACK),
    )?;
    finish::configure(build, &mut staged, &plan, profile)?;
    finish::make_bootable(build, &mut staged, &esp, &plan, profile)?;
    build.ctx.printer.info(&format!("Writing {name}"));
    let workshop = Workshop::new(&build.tools, &scratch, build.upstream.lock.source_date);
    let image = build.out.join(&name);
    disk::build(
        &workshop,
        &plan,
        DiskContent { staging: &staged.root, manifest: &staged.manifest, esp: &esp },
        &image,
    )?;
    output::publish(build, packages, &staged, &[], &image)
}

/// A scratch directory of one composition, removed when dropped.
#[derive(Debug)]
pub struct WorkDirectory {
    /// Where it lies, in the cache.
    pub path: PathBuf,
}

impl WorkDirectory {
    /// Creates an empty one.
    pub fn create(ctx: &Context, name: &str) -> Result<Self> {
        let path = ctx.cache_dir("work")?.join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).with_context(|| format!("creating {}", path.display()))?;
        Ok(Self { path })
    }
}

impl Drop for WorkDirectory {
    fn drop(&mut self) {
        // A left-over only takes space; the error that ended the composition is the one to show.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}
