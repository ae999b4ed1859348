// SPDX-License-Identifier: MIT OR Apache-2.0
//! Packages: chosen from the medium's signed repository, every one read and checked, then installed by the same engine as `dnf`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cairn_host::{Clock, Root};
use cairn_pkg::event::{Event, Phase};
use cairn_pkg::query::{Sack, SackBuilder};
use cairn_pkg::repos::metadata::{Cache, Extent, Freshness, LoadContext, load_repository};
use cairn_pkg::repos::{MainConfig, Network, RepoConfig};
use cairn_pkg::resolve;
use cairn_pkg::state::SystemState;
use cairn_pkg::transaction::{self, Durability, ExtraFile, TransactionOptions};
use cairn_rpm::signature::Keyring;
use cairn_solve::{Job, Options, PackageId};
use sha2::{Digest, Sha256};

use super::{Listener, Report, record};
use crate::error::InstallError;
use crate::medium::{KEY, Medium};
use crate::plan::{Plan, ROOT};
use crate::probe::MEDIUM;

/// Directory of the repository on the medium.
const REPOSITORY: &str = "repo";
/// Its name in the installed system.
const NAME: &str = "cairn";

/// Packages that were chosen.
pub(super) struct Prepared {
    sack: Sack,
    plan: resolve::Plan,
    keyring: Arc<Keyring>,
}

/// Reads the repository of the medium, whose metadata must be signed, and chooses packages.
pub(super) fn prepare(plan: &Plan, medium: &Medium) -> Result<Prepared, InstallError> {
    let sack = load(medium)?;
    let mut keyring = Keyring::new();
    keyring.add_armored(&medium.key).map_err(|error| {
        InstallError::Medium(format!("the key /{KEY} of the live system: {error}"))
    })?;
    let chosen = solve(&sack, &plan.packages)?;
    let size = chosen.size(&sack);
    let partition = plan.table.partitions.get(ROOT - 1).map_or(0, |part| part.size_mib);
    let available_mib = partition - partition / 16;
    // Journal, package database, boot loader and the first logs.
    let needed_mib = (size.installed >> 20) + 256;
    if needed_mib > available_mib {
        return Err(InstallError::NoSpace { needed_mib, available_mib });
    }
    Ok(Prepared { sack, plan: chosen, keyring: Arc::new(keyring) })
}

fn load(medium: &Medium) -> Result<Sack, InstallError> {
    let state = record::state_root()?;
    let mut repository = RepoConfig::new(NAME);
    repository.baseurl = vec![format!("file://{MEDIUM}/{REPOSITORY}")];
    repository.gpgkey = vec![format!("file:///{KEY}")];
    (repository.gpgcheck, repository.repo_gpgcheck) = (Some(true), Some(true));
    // What an earlier try left behind would only be compared with.
    state.remove_all("cache")?;
    let cache =
        Cache { root: state, directory: "cache".into(), trust_directory: "cache/trust".into() };
    let loaded = load_repository(
        &repository,
        &LoadContext {
            main: &MainConfig::default(),
            cache: &cache,
            config_root: &Root::open("/")?,
            network: &Network::default(),
            freshness: Freshness::Refresh,
            filelists: false,
            extent: Extent::All,
            now: Clock::system().now_unix(),
        },
        &mut |_| {},
    )?;
    if loaded.packages.is_empty() {
        return Err(InstallError::Medium(format!(
            "/{REPOSITORY} of {} is empty",
            medium.software.volume_id
        )));
    }
    let mut builder = SackBuilder::new();
    builder.add_repository(loaded, true, &[std::env::consts::ARCH, "noarch"], &[]);
    Ok(builder.build())
}

fn solve(sack: &Sack, names: &[String]) -> Result<resolve::Plan, InstallError> {
    let mut jobs = Vec::new();
    for name in names {
        let ids: Vec<PackageId> = sack.by_name(name).map(|package| package.id).collect();
        if ids.is_empty() {
            return Err(InstallError::Unsolvable(vec![format!(
                "the medium has no package `{name}`"
            )]));
        }
        jobs.push(Job::Install(ids));
    }
    // As in images: what a package only recommends is the administrator's choice.
    let options = Options { install_weak_deps: false, ..Options::default() };
    let solution = cairn_solve::solve(&sack.universe, &jobs, &options)
        .map_err(|explanation| InstallError::Unsolvable(explanation.lines))?;
    Ok(resolve::Plan::from_solution(sack, &solution, &BTreeSet::new()))
}

impl Prepared {
    /// Returns the packages that come, each with its file below the repository.
    fn files(&self) -> impl Iterator<Item = (PackageId, &str)> {
        let location = |id| self.sack.get(id).details.location.as_str();
        self.plan.inbound().map(move |item| (item.id, location(item.id)))
    }
}

/// Reads every package of the medium, whether it will be installed now or later: its size and SHA-256 must be those of the signed
/// metadata. Nothing has been written to the disk yet. (Each package's own signature is the package engine's to check.)
pub(super) fn verify(
    prepared: &Prepared,
    medium: &Medium,
    listener: Listener<'_>,
) -> Result<(), InstallError> {
    let repository = medium.root.open_root(REPOSITORY)?;
    let mut files: Vec<_> = prepared.sack.available().map(|package| package.details).collect();
    // As they lie on the medium, which may be a CD.
    files.sort_by(|one, other| one.location.cmp(&other.location));
    let total: u64 = files.iter().map(|file| file.size_package).sum();
    let mut done = 0;
    let mut shown = 0;
    for file in files {
        verify_one(&repository, &file.location, (file.size_package, &file.checksum)).map_err(
            |reason| InstallError::Package {
                file: format!("/{REPOSITORY}/{}", file.location),
                reason,
            },
        )?;
        done += file.size_package;
        let percent = (done * 100 / total.max(1)) as u8;
        if percent >= shown + 10 {
            shown = percent;
            listener(Report::Progress { percent, text: file.location.clone() });
        }
    }
    Ok(())
}

fn verify_one(
    repository: &Root,
    location: &str,
    (size, checksum): (u64, &str),
) -> Result<(), String> {
    let io = |error: std::io::Error| format!("it cannot be read: {error}");
    let mut file = repository.open_read(location).map_err(|error| error.to_string())?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    let mut found = 0;
    loop {
        let n_bytes = file.read(&mut buffer).map_err(io)?;
        if n_bytes == 0 {
            break;
        }
        found += n_bytes as u64;
        hash.update(&buffer[..n_bytes]);
    }
    if found != size {
        return Err(format!("expected {size} bytes, found {found}"));
    }
    let digest = hex::encode(hash.finalize());
    if digest != checksum {
        return Err(format!("expected the digest {checksum}, found {digest}"));
    }
    Ok(())
}

/// Installs the packages; returns what is worth knowing.
pub(super) fn install(
    prepared: Prepared,
    medium: &Medium,
    target: &Root,
    listener: Listener<'_>,
) -> Result<Vec<String>, InstallError> {
    let repository = medium.root.path_for_display().join(REPOSITORY);
    let files: BTreeMap<PackageId, PathBuf> = prepared
        .files()
        .map(|(id, location)| (id, Path::new(&repository).join(location)))
        .collect();
    let items = prepared.plan.transaction_items(&prepared.sack, &files);
    let state = prepared.plan.state_after(&prepared.sack, &SystemState::default());
    let now = u32::try_from(Clock::system().now_unix()).unwrap_or(u32::MAX);
    let mut options = TransactionOptions::live(Arc::clone(&prepared.keyring), now);
    // A disk that was cut off here is installed anew; the flush comes once, at the end.
    options.durability = Durability::Scratch;
    options.extra_files = state
        .files()
        .into_iter()
        .map(|(path, content)| ExtraFile { path, content, mode: 0o644 })
        .collect();
    let mut shown = 0;
    let (mut warnings, mut output) = (Vec::new(), Vec::new());
    let outcome = transaction::run(target, items, &options, &mut |event| match event {
        Event::Staging { package, done, total } => {
            let percent = (done * 100 / total.max(1)) as u8;
            if percent >= shown + 10 {
                shown = percent;
                listener(Report::Progress { percent, text: package });
            }
        }
        Event::Phase(phase) => {
            if let Some(text) = phase_text(phase) {
                listener(Report::Note(text.to_owned()));
            }
        }
        Event::ScriptletOutput { package, kind, text } => {
            output.push(format!("{kind} of {package}: {}", text.trim()));
        }
        Event::Warning(text) => warnings.push(text),
        _ => {}
    })?;
    if !outcome.failures.is_empty() {
        let mut failures = outcome.failures;
        failures.extend(output);
        return Err(InstallError::Scriptlets(failures));
    }
    warnings.extend(outcome.notes);
    Ok(warnings)
}

/// Returns what a phase does, where it takes long enough to be told.
fn phase_text(phase: Phase) -> Option<&'static str> {
    match phase {
        Phase::Verify => Some("checking the packages once more"),
        Phase::Stage => Some("writing files"),
        Phase::Apply => Some("putting them into place"),
        Phase::After => Some("running scriptlets"),
        Phase::Recover | Phase::Plan | Phase::Before => None,
    }
}
