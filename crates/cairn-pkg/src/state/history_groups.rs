// SPDX-License-Identifier: MIT OR Apache-2.0
//! Groups and environments in dnf5's transaction history.

use super::StateError;
use super::history::{GroupKind, HistoryAction, HistoryGroup, intern, reason_from_number};
use rusqlite::{Connection, params};

/// Bits of `pkg_types`.
const TYPES: [(&str, i64); 4] =
    [("conditional", 1), ("default", 2), ("mandatory", 4), ("optional", 8)];
/// `pkg_type` and `group_type` of members: which of them is not known any more.
const MEMBER_TYPE: i64 = 4;

pub(super) fn insert(
    connection: &Connection,
    transaction: i64,
    group: &HistoryGroup,
) -> Result<(), StateError> {
    let repository = intern(connection, "repo", "repoid", &group.repository)?;
    let bits: i64 = TYPES
        .iter()
        .filter(|(name, _)| group.package_types.iter().any(|kind| kind == name))
        .map(|(_, bit)| bit)
        .sum();
    connection.execute("INSERT INTO item DEFAULT VALUES", [])?;
    let item = connection.last_insert_rowid();
    let (table, column) = match group.kind {
        GroupKind::Group => ("comps_group", "groupid"),
        GroupKind::Environment => ("comps_environment", "environmentid"),
    };
    connection.execute(
        &format!(
            "INSERT INTO {table}(item_id, {column}, name, translated_name, pkg_types) VALUES (?1, ?2, ?3, ?3, ?4)"
        ),
        params![item, group.id, group.name, bits],
    )?;
    for member in &group.members {
        match group.kind {
            GroupKind::Group => {
                let name = intern(connection, "pkg_name", "name", member)?;
                connection.execute(
                    "INSERT OR IGNORE INTO comps_group_package(group_id, name_id, installed, pkg_type) VALUES (?1, ?2, 1, ?3)",
                    params![item, name, MEMBER_TYPE],
                )?;
            }
            GroupKind::Environment => {
                connection.execute(
                    "INSERT OR IGNORE INTO comps_environment_group(environment_id, groupid, installed, group_type) VALUES (?1, ?2, 1, ?3)",
                    params![item, member, MEMBER_TYPE],
                )?;
            }
        }
    }
    connection.execute(
        "INSERT INTO trans_item(trans_id, item_id, repo_id, action_id, reason_id, state_id) VALUES (?1, ?2, ?3, ?4, ?5, 1)",
        params![transaction, item, repository, group.action.number(), group.reason.number()],
    )?;
    Ok(())
}

pub(super) fn read(
    connection: &Connection,
    transaction: i64,
) -> Result<Vec<HistoryGroup>, StateError> {
    let mut groups = Vec::new();
    for (kind, sql, members) in [
        (
            GroupKind::Group,
            "SELECT g.item_id, g.groupid, g.name, g.pkg_types, i.action_id, i.reason_id, coalesce(p.repoid, '')
             FROM trans_item i JOIN comps_group g ON g.item_id = i.item_id LEFT JOIN repo p ON p.id = i.repo_id
             WHERE i.trans_id = ?1 ORDER BY i.id",
            "SELECT n.name FROM comps_group_package m JOIN pkg_name n ON n.id = m.name_id
             WHERE m.group_id = ?1 AND m.installed = 1 ORDER BY m.id",
        ),
        (
            GroupKind::Environment,
            "SELECT g.item_id, g.environmentid, g.name, g.pkg_types, i.action_id, i.reason_id, coalesce(p.repoid, '')
             FROM trans_item i JOIN comps_environment g ON g.item_id = i.item_id LEFT JOIN repo p ON p.id = i.repo_id
             WHERE i.trans_id = ?1 ORDER BY i.id",
            "SELECT groupid FROM comps_environment_group WHERE environment_id = ?1 AND installed = 1 ORDER BY id",
        ),
    ] {
        let mut statement = connection.prepare(sql)?;
        let rows = statement.query_map([transaction], |row| {
            let bits: i64 = row.get(3)?;
            let types = TYPES.iter().rev().filter(|(_, bit)| bits & bit != 0);
            let group = HistoryGroup {
                action: HistoryAction::from_number(row.get(4)?),
                kind,
                id: row.get(1)?,
                name: row.get(2)?,
                reason: reason_from_number(row.get(5)?),
                repository: row.get(6)?,
                package_types: types.map(|(name, _)| (*name).to_owned()).collect(),
                members: Vec::new(),
            };
            Ok((row.get::<_, i64>(0)?, group))
        })?;
        for row in rows {
            let (item, mut group) = row?;
            let mut statement = connection.prepare(members)?;
            let names = statement.query_map([item], |row| row.get(0))?;
            group.members = names.collect::<Result<Vec<String>, _>>()?;
            groups.push(group);
        }
    }
    Ok(groups)
}
