// SPDX-License-Identifier: MIT OR Apache-2.0
//! The initramfs of each kernel: an image of its own, made from our packages and shipped as a package, with the index of the
//! kernel's modules (depmod(8)).
//!
//! `distro/images/initrd.toml` says what it holds. Nothing is generated on an installed system.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use cairn_host::{Invocation, Root, Tool};
use cairn_image::modules::ModuleIndex;
use cairn_rpm::build::{FileSpec, PackageSpec};
use cairn_rpm::dependency::Dependency;
use cairn_rpm::evr::Nevra;
use cairn_rpm::header::{Scriptlet, ScriptletKind};
use cairn_rpm::package::Package;
use serde::Deserialize;

use super::edit::{Edits, make_parent};
use super::{WorkDirectory, stage};
use crate::digest::Key;
use crate::distro::load_toml;
use crate::ops::build::Build;
use crate::ops::packages::{self, Origin, Packages};
use crate::overlay::glob::Glob;

/// Raise when the way an initramfs is made changes.
const INITRAMFS_VERSION: u32 = 2;

/// kernel-install's plugin that makes the index of a kernel's modules where it is not right.
const DEPMOD: &str = "/usr/lib/kernel/install.d/50-depmod.install";

/// `distro/images/initrd.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// One sentence.
    pub summary: String,
    /// Packages installed into it.
    pub packages: Vec<String>,
    /// Globs of files removed afterwards.
    pub drop: Vec<Glob>,
    /// Globs that win over `drop`.
    #[serde(default)]
    pub keep: Vec<Glob>,
    /// Files written into it: path → content.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Symbolic links made in it: path → target.
    #[serde(default)]
    pub links: BTreeMap<String, String>,
    /// zstd level.
    pub level: i32,
    /// Modules by kernel package: names, or directories ending in `/`.
    pub modules: BTreeMap<String, Vec<String>>,
}

/// A kernel of the repository.
struct Kernel {
    nevra: Nevra,
    version: String,
    /// The kernel package, and the package with the rest of its modules where there is one.
    rpms: Vec<PathBuf>,
    modules: Vec<String>,
}

/// Builds one `NAME-initramfs` package for each kernel that the definition names.
pub fn build(build: &Build<'_>, packages: &mut Packages) -> Result<()> {
    let path = build.ctx.distro_dir().join("images/initrd.toml");
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let definition: Definition = load_toml(&path)?;
    let kernels = find_kernels(&definition, packages)?;
    let inputs = packages
        .files
        .iter()
        .fold(Key::new("initramfs", INITRAMFS_VERSION).part(text.as_bytes()), |key, file| {
            key.part(file.display().to_string().as_bytes())
        });
    let inputs = inputs
        .part(build.key.public_armored()?.as_bytes())
        .part(&build.upstream.lock.source_date.to_le_bytes());
    for kernel in kernels {
        let key = inputs.clone().part(kernel.nevra.to_string().as_bytes()).finish();
        let files = packages::cached(build, &key, || {
            build.ctx.printer.info(&format!("Making the initramfs of {}", kernel.nevra));
            let content = make(build, packages, &definition, &kernel)?;
            packages::sign_all(
                build,
                &[spec(build, &kernel, content)?],
                build.upstream.lock.source_date,
            )
        })?;
        packages.add(
            files,
            &Origin {
                kind: "workspace",
                purl: format!(
                    "pkg:rpm/cairn/{}-initramfs@{}",
                    kernel.nevra.name, kernel.nevra.evr.version
                ),
                upstream_sha256: String::new(),
            },
        );
    }
    Ok(())
}

fn find_kernels(definition: &Definition, packages: &Packages) -> Result<Vec<Kernel>> {
    let mut kernels = Vec::new();
    for (name, modules) in &definition.modules {
        let before = kernels.len();
        for path in packages.files.iter().filter(|path| file_starts_with(path, &format!("{name}-")))
        {
            let file =
                std::fs::File::open(path).with_context(|| format!("opening {}", path.display()))?;
            let header = Package::parse(&mut std::io::BufReader::new(file))
                .with_context(|| format!("reading {}", path.display()))?
                .header;
            let nevra = header.nevra();
            if nevra.name != *name {
                continue;
            }
            let kernel_files = header.files();
            let version = kernel_files
                .iter()
                .find_map(|file| {
                    file.path.strip_prefix("/usr/lib/modules/")?.strip_suffix("/vmlinuz")
                })
                .with_context(|| format!("{nevra} has no /usr/lib/modules/VERSION/vmlinuz"))?
                .to_owned();
            let rest = format!(
                "{}-modules-{}-{}.",
                name.trim_end_matches("-core"),
                nevra.evr.version,
                nevra.evr.release
            );
            let rpms = packages
                .files
                .iter()
                .filter(|other| *other == path || file_starts_with(other, &rest))
                .cloned()
                .collect();
            kernels.push(Kernel { nevra, version, rpms, modules: modules.clone() });
        }
        if kernels.len() == before {
            bail!(
                "distro/images/initrd.toml names the kernel package `{name}`, which is not in the repository"
            );
        }
    }
    Ok(kernels)
}

fn file_starts_with(path: &std::path::Path, prefix: &str) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix))
}

/// What is made for a kernel.
struct Made {
    initrd: Vec<u8>,
    /// Files beside the modules: name → content.
    index: BTreeMap<String, Vec<u8>>,
}

/// Composes the tree, adds the modules and packs it.
fn make(
    build: &Build<'_>,
    packages: &Packages,
    definition: &Definition,
    kernel: &Kernel,
) -> Result<Made> {
    let work = WorkDirectory::create(build.ctx, &format!("initramfs-{}", kernel.nevra))?;
    let mut staged =
        stage::install(build, packages, &definition.packages, &work.path.join("root"))?;
    super::triggers::run(build, &mut staged)?;
    let Definition { drop, keep, files, links, .. } = definition;
    Edits { drop, keep, files, links }.apply(&staged.root)?;
    let index = add_modules(build, &staged.root, &work, kernel)?;
    let initrd = cairn_image::initramfs::build(
        &staged.root,
        &staged.manifest,
        build.upstream.lock.source_date,
        definition.level,
    )
    .context("packing the initramfs")?;
    Ok(Made { initrd, index })
}

/// Copies the modules that the definition names, and what they need, from the kernel's packages, and indexes them. Returns the
/// index of all modules of the packages.
fn add_modules(
    build: &Build<'_>,
    root: &Root,
    work: &WorkDirectory,
    kernel: &Kernel,
) -> Result<BTreeMap<String, Vec<u8>>> {
    let source_path = work.path.join("kernel");
    let source = Root::create(&source_path)?;
    for rpm in &kernel.rpms {
        unpack_modules(rpm, &source)?;
    }
    let directory = format!("usr/lib/modules/{}", kernel.version);
    let sandbox = build
        .tools
        .clone()
        .bind(&source_path, "/work/kernel")
        .bind(work.path.join("root"), "/work/target");
    // depmod wants /lib/modules.
    source.symlink("usr/lib", "lib")?;
    let brought = names(&source, &directory)?;
    sandbox.run(&Invocation::new(Tool::Depmod).args(["-b", "/work/kernel", &kernel.version]))?;
    let read = |name: &str| -> Result<String> {
        let path = format!("{directory}/{name}");
        Ok(if source.exists(&path)? { source.read_to_string(&path)? } else { String::new() })
    };
    let index = ModuleIndex::parse(
        &read("modules.dep")?,
        &read("modules.builtin")?,
        &read("modules.softdep")?,
    );
    let wanted: Vec<&str> = kernel.modules.iter().map(String::as_str).collect();
    let closure = index.closure(&wanted);
    if !closure.missing.is_empty() {
        bail!(
            "distro/images/initrd.toml: {} has no module {}",
            kernel.nevra,
            closure.missing.join(", ")
        );
    }
    let metadata =
        ["modules.builtin", "modules.builtin.modinfo", "modules.order"].map(str::to_owned);
    for file in closure.files.iter().chain(&metadata) {
        let path = format!("{directory}/{file}");
        if source.exists(&path)? {
            make_parent(root, &path)?;
            root.write(&path, &source.read(&path)?, 0o644)?;
        }
    }
    sandbox.run(&Invocation::new(Tool::Depmod).args(["-b", "/work/target", &kernel.version]))?;
    let made = names(&source, &directory)?.into_iter().filter(|name| !brought.contains(name));
    made.map(|name| {
        let content = source.read(format!("{directory}/{name}"))?;
        Ok((name, content))
    })
    .collect()
}

fn names(root: &Root, directory: &str) -> Result<BTreeSet<String>> {
    Ok(root.read_dir(directory)?.into_iter().collect())
}

fn unpack_modules(rpm: &std::path::Path, root: &Root) -> Result<()> {
    let file = std::fs::File::open(rpm).with_context(|| format!("opening {}", rpm.display()))?;
    let mut reader = std::io::BufReader::new(file);
    let package =
        Package::parse(&mut reader).with_context(|| format!("reading {}", rpm.display()))?;
    let files = package.header.files();
    let mut payload = package.payload(reader)?;
    while let Some(mut entry) = payload.next_entry()? {
        let path = files[entry.file_index].path.trim_start_matches('/').to_owned();
        if path.starts_with("usr/lib/modules/")
            && !path.ends_with("/vmlinuz")
            && files[entry.file_index].is_regular()
        {
            make_parent(root, &path)?;
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut bytes)?;
            root.write(&path, &bytes, 0o644)?;
        }
    }
    Ok(())
}

fn spec(build: &Build<'_>, kernel: &Kernel, made: Made) -> Result<PackageSpec> {
    let nevra = &kernel.nevra;
    let mut spec = PackageSpec::new(
        format!("{}-initramfs", nevra.name),
        nevra.evr.clone(),
        nevra.arch.clone(),
    );
    spec.summary = format!("Initial RAM file system of {}", nevra.name);
    spec.description =
        "Made from the packages of the repository; finds and mounts the root file system.".into();
    spec.license = "GPL-2.0-or-later AND LGPL-2.1-or-later AND MIT".into();
    spec.vendor.clone_from(&build.upstream.distro.name);
    spec.provides = vec![
        Dependency::parse(&format!("{}-initrd = {}", nevra.name, nevra.evr))?,
        Dependency::parse("installonlypkg(kernel)")?,
    ];
    // Whoever adds modules of another package has all of them indexed again.
    let index = made.index.into_iter().map(|(name, content)| (name, content, true));
    let files = index.chain([("initrd".to_owned(), made.initrd, false)]);
    spec.files = files
        .map(|(name, content, is_rewritten)| {
            let file =
                FileSpec::regular(format!("/usr/lib/modules/{}/{name}", kernel.version), content);
            if is_rewritten { file.rewritten() } else { file }
        })
        .collect();
    // For modules of other packages that were there before.
    let body = format!("{DEPMOD} add {}", kernel.version);
    let scriptlet =
        Scriptlet { interpreter: vec!["/bin/sh".to_owned()], body: Some(body), flags: 0 };
    spec.scriptlets.insert(ScriptletKind::PostTransaction, scriptlet);
    Ok(spec)
}
