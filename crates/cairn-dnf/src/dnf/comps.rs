// SPDX-License-Identifier: MIT OR Apache-2.0
//! Definitions of installed groups and environments: `usr/lib/sysimage/libdnf5/comps_groups/{groups,environments}/ID.xml`, as dnf5
//! keeps them, so that a group can be shown and removed when no repository has it any more.

use super::session::Session;
use crate::failure::Failure;
use cairn_pkg::resolve::groups::{Environment, Group};
use cairn_pkg::resolve::{GroupChange, GroupSet};
use cairn_pkg::state::history::{GroupKind, HistoryAction};
use cairn_pkg::state::{GroupState, STATE_DIRECTORY, SystemState};
use cairn_pkg::transaction::ExtraFile;
use cairn_rpm::repodata::{self, Comps, GroupPackage, GroupPackageKind, Limits, parse_comps};
use cairn_ui::Problem;

/// Largest definition that is read, in bytes.
const LIMIT: u64 = 4 << 20;

/// Adds the definitions of installed groups and environments. One that is lost is taken from a repository again, as dnf5 does.
pub fn add_installed(
    session: &Session,
    state: &SystemState,
    groups: &mut GroupSet,
) -> Result<(), Failure> {
    for (id, known) in &state.groups {
        let offered = || groups.group(id).map(Group::definition);
        let found = installed(session, (GroupKind::Group, id), &offered)?;
        groups.add_installed(&found.unwrap_or_else(|| without_definition(id, known)));
    }
    for (id, members) in &state.environments {
        let offered = || groups.environment(id).map(Environment::definition);
        let found = installed(session, (GroupKind::Environment, id), &offered)?;
        groups.add_installed(&found.unwrap_or_else(|| environment_without_definition(id, members)));
    }
    Ok(())
}

/// Returns the definition of an installed group or environment: the kept one, else the one that a repository has now.
fn installed(
    session: &Session,
    (kind, id): (GroupKind, &str),
    offered: &dyn Fn() -> Option<String>,
) -> Result<Option<Comps>, Failure> {
    if let Some(found) = read(session, kind, id)? {
        return Ok(Some(found));
    }
    offered().map(|definition| restore(session, kind, id, &definition)).transpose()
}

/// Keeps a definition that was lost, where this may be written, for the time when no repository has it; returns what it says.
fn restore(
    session: &Session,
    kind: GroupKind,
    id: &str,
    definition: &str,
) -> Result<Comps, Failure> {
    if session.user_id == 0
        && let Some(path) = path(kind, id)
        && let Err(error) = session.write_file(&path, definition.as_bytes(), 0o644)
    {
        // Whoever only asks gets an answer on a read-only system as well.
        session.printer.verbose(&format!("cannot write the lost definition again: {error}"));
    }
    parse_comps(definition.as_bytes(), &Limits::for_size(LIMIT))
        .map_err(|error| Failure::new(format!("definition of `{id}`: {error}")))
}

/// Returns what is known of an installed group without its definition.
fn without_definition(id: &str, known: &GroupState) -> Comps {
    let packages = known
        .packages
        .iter()
        .map(|name| GroupPackage { name: name.clone(), kind: GroupPackageKind::Default });
    let group = repodata::Group {
        id: id.to_owned(),
        user_visible: true,
        packages: packages.collect(),
        ..repodata::Group::default()
    };
    Comps { groups: vec![group], ..Comps::default() }
}

/// Returns what is known of an installed environment without its definition.
fn environment_without_definition(id: &str, members: &[String]) -> Comps {
    let environment = repodata::Environment {
        id: id.to_owned(),
        groups: members.to_vec(),
        ..repodata::Environment::default()
    };
    Comps { environments: vec![environment], ..Comps::default() }
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
