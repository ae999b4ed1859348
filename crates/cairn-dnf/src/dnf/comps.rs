// SPDX-License-Identifier: MIT OR Apache-2.0
//! Definitions of installed groups and environments: `usr/lib/sysimage/libdnf5/comps_groups/{groups,environments}/ID.xml`, as dnf5
//! keeps them, so that a group can be shown and removed when no repository has it any more.

use super::session::Session;
use crate::failure::Failure;
use cairn_pkg::query::sack::SYSTEM;
use cairn_pkg::resolve::{GroupChange, GroupSet};
use cairn_pkg::state::history::{GroupKind, HistoryAction};
use cairn_pkg::state::{GroupState, STATE_DIRECTORY, SystemState};
use cairn_pkg::transaction::ExtraFile;
use cairn_rpm::repodata::{Comps, Group, GroupPackage, GroupPackageKind, Limits, parse_comps};
use cairn_ui::Problem;

/// Largest definition that is read, in bytes.
const LIMIT: u64 = 4 << 20;

/// Adds the definitions of installed groups, as groups where no repository has them.
pub fn add_installed(
    session: &Session,
    state: &SystemState,
    groups: &mut GroupSet,
) -> Result<(), Failure> {
    let mut absent = Comps::default();
    for (id, known) in &state.groups {
        let Some(found) = read(session, GroupKind::Group, id)? else {
            if groups.group(id).is_none() {
                absent.groups.push(without_definition(id, known));
            }
            continue;
        };
        groups.add_installed(&found);
        if groups.group(id).is_none() {
            absent.groups.extend(found.groups);
        }
    }
    for id in state.environments.keys().filter(|id| groups.environment(id).is_none()) {
        let Some(found) = read(session, GroupKind::Environment, id)? else { continue };
        absent.environments.extend(found.environments);
    }
    groups.add(SYSTEM, &absent);
    Ok(())
}

/// Returns what is known of an installed group without its definition.
fn without_definition(id: &str, known: &GroupState) -> Group {
    let packages = known
        .packages
        .iter()
        .map(|name| GroupPackage { name: name.clone(), kind: GroupPackageKind::Default });
    Group {
        id: id.to_owned(),
        user_visible: true,
        packages: packages.collect(),
        ..Group::default()
    }
}

/// Reads the definition of an installed group or environment; `None` where there is none that can be read.
fn read(session: &Session, kind: GroupKind, id: &str) -> Result<Option<Comps>, Failure> {
    let Some(path) = path(kind, id) else { return Ok(None) };
    let bytes = match session.root.read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    match parse_comps(&bytes, &Limits::for_size(LIMIT)) {
        Ok(found) => Ok(Some(found)),
        Err(error) => {
            // Only names for people are lost, and what was in the group.
            session.printer.warning(&Problem::new(format!("/{path}: {error}")));
            Ok(None)
        }
    }
}

/// Returns the files that come with these changes.
pub fn files(changes: &[GroupChange]) -> Vec<ExtraFile> {
    let comes = changes.iter().filter(|change| !change.definition.is_empty());
    let file = |change: &GroupChange| {
        let content = change.definition.clone().into_bytes();
        Some(ExtraFile { path: path(change.kind, &change.id)?, content, mode: 0o644 })
    };
    comes.filter_map(file).collect()
}

/// Removes the files of groups that have gone.
pub fn remove(session: &Session, changes: &[GroupChange]) -> Result<(), Failure> {
    for change in changes.iter().filter(|change| change.action == HistoryAction::Remove) {
        let Some(path) = path(change.kind, &change.id) else { continue };
        match session.root.remove_file(path) {
            Err(error) if !error.is_not_found() => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

/// Identifiers come from repositories: one that is no file name has no file.
fn path(kind: GroupKind, id: &str) -> Option<String> {
    let directory = match kind {
        GroupKind::Group => "groups",
        GroupKind::Environment => "environments",
    };
    let is_name =
        !id.is_empty() && id.len() < 200 && !id.starts_with('.') && !id.contains(['/', '\0']);
    is_name.then(|| format!("{STATE_DIRECTORY}/comps_groups/{directory}/{id}.xml"))
}
