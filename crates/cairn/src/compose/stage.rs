// SPDX-License-Identifier: MIT OR Apache-2.0
//! Installs packages into a staging directory with the package engine, recording owners.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail};
use cairn_host::Root;
use cairn_image::manifest::{Entry, Kind, Manifest};
use cairn_pkg::event::Event;
use cairn_pkg::scriptlet::CollectedScriptlet;
use cairn_pkg::state::{PackageReason, SystemState};
use cairn_pkg::transaction::{
    self, Action, ExtraFile, OwnershipEntry, OwnershipKind, TransactionItem, TransactionOptions,
};
use cairn_rpm::evr::Nevra;
use cairn_rpm::package::Package;
use cairn_solve::{Candidate, Job, Options, PackageId, Universe};
use cairn_ui::Unit;

use crate::ops::build::Build;
use crate::ops::packages::Packages;

/// A populated staging directory.
#[derive(Debug)]
pub struct Staged {
    /// The directory.
    pub root: Root,
    /// Its path on the host.
    pub path: PathBuf,
    /// Owners, modes, capabilities.
    pub manifest: Manifest,
    /// What was installed: RPM file and NEVRA, in name order.
    pub installed: Vec<(PathBuf, Nevra)>,
    /// Scriptlets and triggers that the engine collected, in the order they would have run.
    pub scriptlets: Vec<CollectedScriptlet>,
    /// Kernel versions that want a boot entry.
    pub kernels: Vec<String>,
    /// User and group ids by name, from the staged `/etc/passwd` and `/etc/group`.
    pub ids: Ids,
}

/// Ids by name.
#[derive(Debug, Clone, Default)]
pub struct Ids {
    users: BTreeMap<String, u32>,
    groups: BTreeMap<String, u32>,
}

impl Ids {
    /// Reads the ids of a staged system.
    pub fn load(root: &Root) -> Result<Self> {
        let parse = |text: String| {
            text.lines()
                .filter_map(|line| {
                    let mut fields = line.split(':');
                    let name = fields.next()?.to_owned();
                    let id = fields.nth(1)?.parse().ok()?;
                    Some((name, id))
                })
                .collect()
        };
        Ok(Self {
            users: parse(root.read_to_string("etc/passwd")?),
            groups: parse(root.read_to_string("etc/group")?),
        })
    }

    fn user(&self, name: &str) -> Result<u32> {
        self.users
            .get(name)
            .copied()
            .ok_or_else(|| anyhow!("user `{name}` is not in /etc/passwd of the image"))
    }

    fn group(&self, name: &str) -> Result<u32> {
        self.groups
            .get(name)
            .copied()
            .ok_or_else(|| anyhow!("group `{name}` is not in /etc/group of the image"))
    }
}

/// Solves `names` over `packages` and installs the result into the new directory `path`.
pub fn install(
    build: &Build<'_>,
    packages: &Packages,
    names: &[String],
    path: &Path,
) -> Result<Staged> {
    let candidates = read_candidates(packages)?;
    let chosen = solve(&candidates, names)?;
    let root = Root::create(path)?;
    let items: Vec<TransactionItem> = chosen
        .iter()
        .map(|index| TransactionItem {
            action: Action::Install,
            nevra: candidates[*index].1.nevra.clone(),
            rpm: Some(candidates[*index].0.clone()),
            from_repo: "cairn".into(),
            replaces: Vec::new(),
        })
        .collect();
    let progress = build.ctx.printer.progress(
        &format!("Installing {} packages", items.len()),
        Some(items.len() as u64),
        Unit::Items,
    );
    let mut keyring = cairn_rpm::signature::Keyring::new();
    keyring.add_armored(&build.key.public_armored()?)?;
    let mut options =
        TransactionOptions::compose(Arc::new(keyring), build.upstream.lock.source_date);
    options.extra_files = state_files(&candidates, &chosen, names);
    let outcome = transaction::run(&root, items, &options, &mut |event| {
        if let Event::Staging { .. } = event {
            progress.advance(1);
        }
    })?;
    drop(progress);
    let ids = Ids::load(&root)?;
    let manifest = manifest(&outcome.ownership, &ids)?;
    let installed = chosen
        .iter()
        .map(|index| (candidates[*index].0.clone(), candidates[*index].1.nevra.clone()))
        .collect();
    Ok(Staged {
        root,
        path: path.to_owned(),
        manifest,
        installed,
        scriptlets: outcome.scriptlets,
        kernels: Vec::new(),
        ids,
    })
}

fn manifest(entries: &[OwnershipEntry], ids: &Ids) -> Result<Manifest> {
    let mut manifest = Manifest::new();
    for entry in entries {
        let kind = match entry.kind {
            OwnershipKind::Directory => Kind::Directory,
            OwnershipKind::Symlink => Kind::Symlink,
            OwnershipKind::File => Kind::File,
            OwnershipKind::CharacterDevice | OwnershipKind::BlockDevice | OwnershipKind::Fifo => {
                bail!("/{} is a device or pipe, which no package of ours ships", entry.path)
            }
        };
        let uid = ids.user(&entry.user).with_context(|| format!("owner of /{}", entry.path))?;
        let gid = ids.group(&entry.group).with_context(|| format!("group of /{}", entry.path))?;
        let mut made = Entry::new(kind, entry.mode).owned_by(uid, gid);
        made.caps.clone_from(&entry.caps);
        manifest.insert(&entry.path, made);
    }
    Ok(manifest)
}

/// Returns dnf5's state files: what was asked for, what came along, and from which repository.
fn state_files(
    candidates: &[(PathBuf, Candidate)],
    chosen: &[usize],
    names: &[String],
) -> Vec<ExtraFile> {
    let mut state = SystemState::default();
    for index in chosen {
        let nevra = &candidates[*index].1.nevra;
        let reason = if names.contains(&nevra.name) {
            PackageReason::User
        } else {
            PackageReason::Dependency
        };
        state.set_reason(&nevra.name, &nevra.arch, reason);
        state.nevras.insert(nevra.to_string(), "cairn".to_owned());
    }
    state
        .files()
        .into_iter()
        .map(|(path, content)| ExtraFile { path, content, mode: 0o644 })
        .collect()
}

fn read_candidates(packages: &Packages) -> Result<Vec<(PathBuf, Candidate)>> {
    packages
        .files
        .iter()
        .map(|path| {
            let file =
                std::fs::File::open(path).with_context(|| format!("opening {}", path.display()))?;
            let package = Package::parse(&mut std::io::BufReader::new(file))
                .with_context(|| format!("reading {}", path.display()))?;
            let header = &package.header;
            let candidate = Candidate {
                nevra: header.nevra(),
                repository: 1,
                priority: 99,
                cost: 0,
                provides: header.provides(),
                requires: header.requires(),
                conflicts: header.conflicts(),
                obsoletes: header.obsoletes(),
                recommends: header.recommends(),
                supplements: header.supplements(),
                suggests: header.suggests(),
                enhances: header.enhances(),
                files: header.files().into_iter().map(|file| file.path).collect(),
                vendor: String::new(),
                user_installed: false,
            };
            Ok((path.clone(), candidate))
        })
        .collect()
}

/// Returns the indices of the packages to install, in name order.
fn solve(candidates: &[(PathBuf, Candidate)], names: &[String]) -> Result<Vec<usize>> {
    let universe = Universe {
        candidates: candidates.iter().map(|(_, candidate)| candidate.clone()).collect(),
        repositories: vec!["@System".to_owned(), "cairn".to_owned()],
    };
    let mut jobs = Vec::new();
    for name in names {
        let ids: Vec<PackageId> = universe
            .candidates
            .iter()
            .enumerate()
            .filter(|(_, c)| c.nevra.name == *name)
            .map(|(index, _)| PackageId(index as u32))
            .collect();
        if ids.is_empty() {
            bail!("the profile names `{name}`, which no package of the repository is called");
        }
        jobs.push(Job::Install(ids));
    }
    let options = Options { install_weak_deps: false, ..Options::default() };
    let solution = cairn_solve::solve(&universe, &jobs, &options)
        .map_err(|explanation| anyhow!("the profile cannot be installed: {explanation}"))?;
    let chosen: BTreeSet<usize> =
        solution.actions.iter().map(|action| action.package.0 as usize).collect();
    let mut chosen: Vec<usize> = chosen.into_iter().collect();
    chosen.sort_by(|a, b| candidates[*a].1.nevra.name.cmp(&candidates[*b].1.nevra.name));
    Ok(chosen)
}
