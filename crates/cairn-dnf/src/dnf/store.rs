// SPDX-License-Identifier: MIT OR Apache-2.0
//! The option `--store`: a directory from which `dnf replay` carries a transaction out without any repository. It has dnf5's form:
//! `transaction.json`, the packages in `packages/`, the definitions of groups and environments in `comps/`.

use super::session::Loaded;
use super::stored::{StoredTransaction, write};
use super::transact::Targets;
use crate::failure::Failure;
use cairn_pkg::query::sack::SYSTEM;
use cairn_pkg::resolve::groups::{Environment, Group};
use cairn_pkg::resolve::{GroupChange, GroupSet, Plan};
use cairn_pkg::state::history::{GroupKind, HistoryAction, HistoryGroup};
use cairn_rpm::repodata::{Limits, parse_comps};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Directory of the packages.
const PACKAGES: &str = "packages";
/// Largest definition that is read, in bytes.
const LIMIT: u64 = 4 << 20;

/// Returns where the packages of a stored transaction are.
pub fn package_directory(directory: &Path) -> PathBuf {
    directory.join(PACKAGES)
}

/// Stores a plan whose packages are there.
pub fn store_plan(
    loaded: &Loaded,
    plan: &Plan,
    targets: &Targets,
    directory: &Path,
) -> Result<(), Failure> {
    let mut paths: BTreeMap<String, String> = BTreeMap::new();
    for item in plan.inbound() {
        let Some(file) = targets.files.get(&item.id) else { continue };
        let nevra = loaded.sack.get(item.id).nevra().to_string();
        paths.insert(nevra, keep_package(file, directory)?);
    }
    let groups: Vec<HistoryGroup> = plan.group_changes.iter().map(GroupChange::history).collect();
    let path = |nevra: &cairn_rpm::evr::Nevra| paths.get(&nevra.to_string()).cloned();
    let mut stored = StoredTransaction::new(&plan.history_items(&loaded.sack), &groups, &path);
    for package in stored.rpms.iter_mut().filter(|package| package.package_path.is_some()) {
        package.repo_id = name_of(&package.repo_id);
    }
    for change in &plan.group_changes {
        let list = match change.kind {
            GroupKind::Group => &mut stored.groups,
            GroupKind::Environment => &mut stored.environments,
        };
        let Some(group) = list.iter_mut().find(|group| group.id == change.id) else { continue };
        let file = keep_definition(loaded, change, directory)?;
        match change.kind {
            GroupKind::Group => group.group_path = file,
            GroupKind::Environment => group.environment_path = file,
        }
        if change.action == HistoryAction::Remove {
            group.package_types = group.package_types.as_ref().map(|_| String::new());
        } else {
            group.repo_id = name_of(&group.repo_id);
        }
    }
    write(directory, &stored)
}

/// The repository of what was stored.
fn name_of(repository: &str) -> String {
    if repository == SYSTEM {
        repository.to_owned()
    } else {
        format!("@stored_transaction({repository})")
    }
}

/// Puts a package into the directory, where it is not there yet; returns its name below it.
fn keep_package(file: &Path, directory: &Path) -> Result<String, Failure> {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let place = package_directory(directory).join(&name);
    if !place.exists() {
        let failed = |error: std::io::Error| {
            Failure::new(format!("cannot write `{}`: {error}", place.display()))
        };
        std::fs::create_dir_all(package_directory(directory)).map_err(failed)?;
        std::fs::copy(file, &place).map_err(failed)?;
    }
    Ok(format!("./{PACKAGES}/{name}"))
}

/// Returns where the definition of a group or an environment is, below the directory. Identifiers come from repositories: one that is
/// no file name has no file.
pub fn definition_path(kind: GroupKind, id: &str) -> Option<String> {
    let place = match kind {
        GroupKind::Group => "groups",
        GroupKind::Environment => "environments",
    };
    let is_name = !id.is_empty() && !id.starts_with('.') && !id.contains('/');
    is_name.then(|| format!("./comps/{place}/{id}.xml"))
}

/// Writes the definition of a group or an environment; returns its name below the directory.
pub fn keep_definition(
    loaded: &Loaded,
    change: &GroupChange,
    directory: &Path,
) -> Result<Option<String>, Failure> {
    let known = match change.kind {
        GroupKind::Group => loaded.groups.group(&change.id).map(Group::definition),
        GroupKind::Environment => {
            loaded.groups.environment(&change.id).map(Environment::definition)
        }
    };
    let text = if change.definition.is_empty() { known } else { Some(change.definition.clone()) };
    let (Some(text), Some(name)) = (text, definition_path(change.kind, &change.id)) else {
        return Ok(None);
    };
    let path = directory.join(&name);
    let failed =
        |error: std::io::Error| Failure::new(format!("cannot write `{}`: {error}", path.display()));
    std::fs::create_dir_all(path.parent().unwrap_or(directory)).map_err(failed)?;
    std::fs::write(&path, text).map_err(failed)?;
    Ok(Some(name))
}

/// Adds the groups and environments that a stored transaction brings, as they were defined when it was stored.
pub fn add_definitions(
    stored: &StoredTransaction,
    directory: &Path,
    groups: &mut GroupSet,
) -> Result<(), Failure> {
    let of_groups = stored.groups.iter().map(|group| (group, &group.group_path));
    let of_environments = stored.environments.iter().map(|one| (one, &one.environment_path));
    for (group, path) in of_groups.chain(of_environments) {
        let Some(path) = path.as_ref().filter(|_| group.repo_id != SYSTEM) else { continue };
        let path = directory.join(path);
        let wrong =
            |error: String| Failure::new(format!("cannot read `{}`: {error}", path.display()));
        let bytes = std::fs::read(&path).map_err(|error| wrong(error.to_string()))?;
        let comps = parse_comps(&bytes, &Limits::for_size(LIMIT));
        groups.replace(&group.repo_id, &comps.map_err(|error| wrong(error.to_string()))?);
    }
    Ok(())
}
