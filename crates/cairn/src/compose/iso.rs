// SPDX-License-Identifier: MIT OR Apache-2.0
//! The installation medium: a live system with the installer, and the repository that it installs from.
//!
//! `distro/images/live.toml` says what the live system holds and what the boot menu offers. On the medium:
//! `/live/root.img` (the live system), `/repo` (the signed repository), `/cairn/software.json` (profiles and roles).

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use cairn_host::Root;
use cairn_image::bios;
use cairn_image::filesystem::Workshop;
use cairn_image::iso::{self, IsoContent, IsoEntry, IsoPlan};
use cairn_install::medium::BIOS;
use cairn_install::software::{self, Role, Software};
use cairn_rpm::package::Package;
use serde::Deserialize;

use super::edit::Edits;
use super::stage::Staged;
use super::{Profile, WorkDirectory, finish, output, stage, triggers};
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
    /// What the installer knows of the medium.
    pub installer: Installer,
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

/// What the installer knows of the medium beside profiles, roles and packages.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Installer {
    /// MiB of memory that an installation needs.
    pub memory_mib: u64,
    /// MiB of disk that an installation needs.
    pub disk_mib: u64,
    /// Packages of the agent of a hypervisor, by what systemd-detect-virt calls it.
    pub guest_agents: BTreeMap<String, Vec<String>>,
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
    let offered = offered(packages, &live);
    let software = describe(build, &live, &staged, &offered)?;
    let Live { drop, keep, files, links, .. } = &live;
    Edits { drop, keep, files, links }.apply(&staged.root)?;
    finish::seal(build, &mut staged)?;
    let medium = Root::create(work.path.join("medium"))?;
    repository::write(build, &offered, &work.path.join("medium/repo"))?;
    let scratch = work.path.join("scratch");
    std::fs::create_dir_all(&scratch).with_context(|| format!("creating {}", scratch.display()))?;
    build.ctx.printer.info(&format!("Writing {name}"));
    let image = build.out.join(&name);
    let workshop = Workshop::new(&build.tools, &scratch, build.upstream.lock.source_date);
    write_for_installer(&workshop, &medium, &software)?;
    iso::build(
        &workshop,
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

/// The number of the ESP in the installer's partition table.
const ESP_NUMBER: u32 = cairn_install::plan::ESP as u32;

/// Returns what the installer reads about the medium.
fn describe(
    build: &Build<'_>,
    live: &Live,
    staged: &Staged,
    offered: &Packages,
) -> Result<Software> {
    let distro = &build.upstream.distro;
    let directory = build.ctx.distro_dir();
    let mut profiles = BTreeMap::new();
    for name in ["default", "minimal"] {
        let Profile { summary, packages, cmdline, .. } = Profile::load(&directory, name)?;
        profiles.insert(name.to_owned(), software::Profile { summary, packages, cmdline });
    }
    let mut roles = BTreeMap::new();
    let listing = Root::open(directory.join("roles"))?;
    for file in listing.read_dir("")? {
        if let Some(name) = file.strip_suffix(".toml") {
            let role: Role = load_toml(&directory.join("roles").join(&file))?;
            roles.insert(name.to_owned(), role);
        }
    }
    let plan = plan(build, live);
    let live_cmdline: BTreeSet<String> =
        plan.entries.iter().flat_map(|entry| entry.options.split(' ').map(str::to_owned)).collect();
    let Installer { memory_mib, disk_mib, guest_agents } = live.installer.clone();
    Ok(Software {
        version: 1,
        name: distro.name.clone(),
        release: distro.version.clone(),
        volume_id: plan.volume_id.clone(),
        kernel: live.kernel.clone(),
        live_cmdline: live_cmdline.into_iter().collect(),
        memory_mib,
        disk_mib,
        locales: locales(offered)?,
        keyboards: keyboards(offered)?,
        timezones: time_zones(&staged.root)?,
        profiles,
        roles,
        guest_agents,
    })
}

/// Returns the locales that packages bring, each with its package; `C.UTF-8` is part of the C library.
fn locales(offered: &Packages) -> Result<BTreeMap<String, Vec<String>>> {
    let mut found = BTreeMap::from([("C.UTF-8".to_owned(), Vec::new())]);
    for (package, path) in offered_files(offered, |name| name.starts_with("glibc-langpack-"))? {
        if let Some(name) = path
            .strip_prefix("/usr/lib/locale/")
            .and_then(|rest| rest.strip_suffix(".utf8/LC_CTYPE"))
        {
            found.insert(format!("{name}.UTF-8"), vec![package]);
        }
    }
    Ok(found)
}

/// Returns the keyboard layouts that loadkeys finds; `us` is built into the kernel.
fn keyboards(offered: &Packages) -> Result<BTreeMap<String, Vec<String>>> {
    let mut found = BTreeMap::new();
    for (_, path) in offered_files(offered, |name| name == "kbd-misc")? {
        if let Some(name) = path.rsplit('/').next().and_then(|name| name.strip_suffix(".kmap.gz")) {
            found.insert(name.to_owned(), vec!["kbd".to_owned()]);
        }
    }
    found.insert("us".to_owned(), Vec::new());
    Ok(found)
}

/// Returns the files of offered packages, each with the name of its package.
fn offered_files(
    offered: &Packages,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for path in offered.files.iter().filter(|path| is_wanted(package_name(path))) {
        let shown = || format!("reading {}", path.display());
        let mut file = BufReader::new(File::open(path).with_context(shown)?);
        let package = Package::parse(&mut file).with_context(shown)?;
        let files = package.header.files().into_iter();
        found.extend(files.map(|file| (package_name(path).to_owned(), file.path)));
    }
    Ok(found)
}

/// Returns NAME of a file `NAME-VERSION-RELEASE.ARCH.rpm`.
fn package_name(path: &Path) -> &str {
    let file = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    file.rsplitn(3, '-').nth(2).unwrap_or_default()
}

/// Returns the names of the time zones that tzdata has: what its own index names, and the links.
fn time_zones(root: &Root) -> Result<Vec<String>> {
    const DIRECTORY: &str = "usr/share/zoneinfo";
    let mut names = Vec::new();
    root.walk(DIRECTORY, &mut |path, stat| {
        let name = path.strip_prefix(DIRECTORY).unwrap_or(path).to_string_lossy().into_owned();
        // Zones begin with a capital letter; the index files and the copies in right/ and posix/ do not.
        if !stat.is_dir() && name.starts_with(|c: char| c.is_ascii_uppercase()) {
            names.push(name);
        }
        Ok(())
    })?;
    names.sort();
    Ok(names)
}

/// Writes what only the installer reads: the description of the medium, and GRUB for BIOS.
fn write_for_installer(workshop: &Workshop, medium: &Root, software: &Software) -> Result<()> {
    let (boot_image, core) = bios::make_portable(workshop, ESP_NUMBER)?;
    medium.mkdir_all(BIOS, 0o755)?;
    medium.write(format!("{BIOS}/boot.img"), &boot_image, 0o644)?;
    medium.write(format!("{BIOS}/core.img"), &core, 0o644)?;
    let text = serde_json::to_string_pretty(software)? + "\n";
    medium.write(software::PATH, text.as_bytes(), 0o644)?;
    Ok(())
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
    let withheld =
        |path: &PathBuf| live.not_offered.iter().any(|other| other == package_name(path));
    Packages {
        files: packages.files.iter().filter(|path| !withheld(path)).cloned().collect(),
        origins: packages.origins.clone(),
    }
}

fn plan(build: &Build<'_>, live: &Live) -> IsoPlan {
    let distro = &build.upstream.distro;
    let volume_id = format!("{}_{}", distro.id, distro.version.replace('.', "_")).to_uppercase();
    let medium = format!(
        "rd.systemd.mount-extra=LABEL={volume_id}:/run/cairn/medium:iso9660:ro,x-systemd.device-timeout=5min"
    );
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
