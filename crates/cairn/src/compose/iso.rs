// SPDX-License-Identifier: MIT OR Apache-2.0
//! The installation medium: a live system with the installer, and the repository that it installs from.
//!
//! `distro/images/live.toml` says what the live system holds and what the boot menu offers. On the medium:
//! `/live/root.img` (the live system), `/repo` (the signed repository), `/cairn/software.json` (profiles and roles).

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use cairn_host::Root;
use cairn_image::filesystem::Workshop;
use cairn_image::iso::{self, IsoContent, IsoEntry, IsoPlan};
use serde::Deserialize;

use super::edit::Edits;
use super::stage::Staged;
use super::{WorkDirectory, finish, output, stage, triggers};
use crate::distro::load_toml;
use crate::ops::build::Build;
use crate::ops::packages::Packages;
use crate::ops::repository;
use crate::overlay::glob::Glob;

/// `distro/images/live.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Live {
    /// One sentence.
    pub summary: String,
    /// Packages of the live system.
    pub packages: Vec<String>,
    /// Kernel package of the live system and of the machines it installs.
    pub kernel: String,
    /// Packages that the medium does not offer, by name.
    #[serde(default)]
    pub not_offered: Vec<String>,
    /// Kernel command line of every menu entry.
    pub cmdline: Vec<String>,
    /// Seconds the menu waits.
    pub timeout: u32,
    /// zstd level of the live system.
    pub level: u32,
    /// The boot menu; the first entry is the default.
    pub entry: Vec<MenuEntry>,
    /// Globs of files removed from the live system.
    pub drop: Vec<Glob>,
    /// Globs that win over `drop`.
    #[serde(default)]
    pub keep: Vec<Glob>,
    /// Files written into the live system: path → content.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Symbolic links made in the live system: path → target.
    #[serde(default)]
    pub links: BTreeMap<String, String>,
}

/// One entry of the boot menu.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MenuEntry {
    /// GRUB's identifier.
    pub id: String,
    /// Text in the menu.
    pub title: String,
    /// Kernel options beside those of every entry.
    pub options: Vec<String>,
}

/// Composes the installation medium; returns the files written below the output directory.
pub fn compose(build: &Build<'_>, packages: &Packages) -> Result<Vec<PathBuf>> {
    let live: Live = load_toml(&build.ctx.distro_dir().join("images/live.toml"))?;
    let name = output::image_name(build, "default", "iso");
    let work = WorkDirectory::create(build.ctx, &name)?;
    let mut staged = stage_live(build, packages, &live, &work)?;
    let boot = BootPair::take(&staged)?;
    let Live { drop, keep, files, links, .. } = &live;
    Edits { drop, keep, files, links }.apply(&staged.root)?;
    finish::seal(build, &mut staged)?;
    let offered = offered(packages, &live);
    let medium = Root::create(work.path.join("medium"))?;
    repository::write(build, &offered, &work.path.join("medium/repo"))?;
    let scratch = work.path.join("scratch");
    std::fs::create_dir_all(&scratch).with_context(|| format!("creating {}", scratch.display()))?;
    build.ctx.printer.info(&format!("Writing {name}"));
    let image = build.out.join(&name);
    iso::build(
        &Workshop::new(&build.tools, &scratch, build.upstream.lock.source_date),
        &plan(build, &live),
        IsoContent {
            kernel: &boot.kernel,
            initrd: &boot.initrd,
            live: &staged.root,
            manifest: &staged.manifest,
            loaders: &staged.root,
            extra: Some(&medium),
        },
        &image,
    )?;
    output::publish(build, packages, &staged, &offered.files, &image)
}

fn stage_live(
    build: &Build<'_>,
    packages: &Packages,
    live: &Live,
    work: &WorkDirectory,
) -> Result<Staged> {
    let names: Vec<String> = live.packages.iter().cloned().chain([live.kernel.clone()]).collect();
    let mut staged = stage::install(build, packages, &names, &work.path.join("root"))?;
    triggers::run(build, &mut staged)?;
    Ok(staged)
}

/// Kernel and initramfs of the live system: they lie on the medium, where GRUB reads them, and not in the live root.
struct BootPair {
    kernel: Vec<u8>,
    initrd: Vec<u8>,
}

impl BootPair {
    fn take(staged: &Staged) -> Result<Self> {
        let [version] = staged.kernels.as_slice() else {
            bail!(
                "the live system needs exactly one kernel; its packages bring {}",
                staged.kernels.len()
            );
        };
        let directory = format!("usr/lib/modules/{version}");
        let take = |name: &str| -> Result<Vec<u8>> {
            let path = format!("{directory}/{name}");
            let bytes = staged.root.read(&path).with_context(|| format!("reading {path}"))?;
            staged.root.remove_file(&path)?;
            Ok(bytes)
        };
        Ok(Self { kernel: take("vmlinuz")?, initrd: take("initrd")? })
    }
}

/// Returns the packages that lie on the medium.
fn offered(packages: &Packages, live: &Live) -> Packages {
    let withheld = |path: &PathBuf| {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        // NAME-VERSION-RELEASE.ARCH.rpm
        let name = file.rsplitn(3, '-').nth(2).unwrap_or_default();
        live.not_offered.iter().any(|other| other == name)
    };
    Packages {
        files: packages.files.iter().filter(|path| !withheld(path)).cloned().collect(),
        origins: packages.origins.clone(),
    }
}

fn plan(build: &Build<'_>, live: &Live) -> IsoPlan {
    let distro = &build.upstream.distro;
    let volume_id = format!("{}_{}", distro.id, distro.version.replace('.', "_")).to_uppercase();
    let medium = format!("rd.systemd.mount-extra=LABEL={volume_id}:/run/cairn/medium:iso9660:ro");
    let entries = live
        .entry
        .iter()
        .map(|entry| {
            let words: Vec<&str> = std::iter::once(medium.as_str())
                .chain(live.cmdline.iter().chain(&entry.options).map(String::as_str))
                .collect();
            IsoEntry { id: entry.id.clone(), title: entry.title.clone(), options: words.join(" ") }
        })
        .collect();
    IsoPlan {
        seed: format!("{} {} {}", distro.name, distro.version, build.upstream.lock.source_date),
        volume_id,
        timeout_seconds: live.timeout,
        serial_speed: Some(115_200),
        compression_level: live.level,
        entries,
    }
}
