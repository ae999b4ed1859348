// SPDX-License-Identifier: MIT OR Apache-2.0
//! User and group names of a root: its own `etc/passwd` and `etc/group`, never the host's.

use std::collections::BTreeMap;

use cairn_host::{HostError, Root};

const SETUID: u32 = 0o4000;
const SETGID: u32 = 0o2000;

/// Names and numbers of a root's users and groups.
#[derive(Clone, Debug, Default)]
pub struct Owners {
    users: BTreeMap<String, u32>,
    groups: BTreeMap<String, u32>,
}

impl Owners {
    /// Reads a root's files; a missing file has no entries.
    pub fn load(root: &Root) -> Result<Self, HostError> {
        Ok(Self { users: read(root, "etc/passwd")?, groups: read(root, "etc/group")? })
    }

    /// Takes what the two files say.
    pub(crate) fn from_text(passwd: &str, group: &str) -> Self {
        Self { users: entries(passwd), groups: entries(group) }
    }

    /// Returns a user's number. `root` is always 0.
    pub fn user(&self, name: &str) -> Option<u32> {
        if name == "root" { Some(0) } else { self.users.get(name).copied() }
    }

    /// Returns a group's number. `root` is always 0.
    pub fn group(&self, name: &str) -> Option<u32> {
        if name == "root" { Some(0) } else { self.groups.get(name).copied() }
    }

    /// Returns the name of a user number.
    pub fn user_name(&self, id: u32) -> Option<&str> {
        if id == 0 { Some("root") } else { name_of(&self.users, id) }
    }

    /// Returns the name of a group number.
    pub fn group_name(&self, id: u32) -> Option<&str> {
        if id == 0 { Some("root") } else { name_of(&self.groups, id) }
    }
}

/// Owner and permission bits a file gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// User number.
    pub user: u32,
    /// Group number.
    pub group: u32,
    /// Permission bits, 0o7777.
    pub mode: u32,
    /// Names that do not exist, as messages in rpm's words.
    pub unknown: Vec<String>,
}

impl Owners {
    /// Resolves a file's names. As in rpm, root stands in for a name that does not exist, and then nothing runs with its rights.
    pub fn resolve(&self, user: &str, group: &str, mode: u32) -> Resolved {
        let mut resolved = Resolved { user: 0, group: 0, mode, unknown: Vec::new() };
        if let Some(id) = self.user(user) {
            resolved.user = id;
        } else {
            resolved.mode &= !SETUID;
            resolved.unknown.push(format!("user {user} does not exist - using root"));
        }
        if let Some(id) = self.group(group) {
            resolved.group = id;
        } else {
            resolved.mode &= !SETGID;
            resolved.unknown.push(format!("group {group} does not exist - using root"));
        }
        resolved
    }
}

fn name_of(names: &BTreeMap<String, u32>, id: u32) -> Option<&str> {
    names.iter().find(|(_, number)| **number == id).map(|(name, _)| name.as_str())
}

/// Reads `name:x:number:…` lines.
fn read(root: &Root, path: &str) -> Result<BTreeMap<String, u32>, HostError> {
    let bytes = match root.read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.is_not_found() => return Ok(BTreeMap::new()),
        Err(error) => return Err(error),
    };
    Ok(entries(&String::from_utf8_lossy(&bytes)))
}

fn entries(text: &str) -> BTreeMap<String, u32> {
    let entry = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        Some((name, fields.nth(1)?.parse().ok()?))
    };
    text.lines().filter_map(entry).collect()
}
