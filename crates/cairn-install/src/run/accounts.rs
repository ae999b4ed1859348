// SPDX-License-Identifier: MIT OR Apache-2.0
//! Accounts: pure edits of `passwd`, `shadow`, `group`, `gshadow`, `subuid` and `subgid`, as `useradd` makes them.

use std::collections::BTreeSet;

use crate::answers::{Sudo, User};

/// First id of people, and first and number of subordinate ids, as in `/etc/login.defs`.
const FIRST_ID: u32 = 1000;
const FIRST_SUBORDINATE: u32 = 100_000;
const SUBORDINATES: u32 = 65_536;
/// The group whose members may use sudo.
const ADMINISTRATORS: &str = "wheel";

/// The six files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// `/etc/passwd`
    pub passwd: String,
    /// `/etc/shadow`
    pub shadow: String,
    /// `/etc/group`
    pub group: String,
    /// `/etc/gshadow`
    pub gshadow: String,
    /// `/etc/subuid`
    pub subuid: String,
    /// `/etc/subgid`
    pub subgid: String,
}

/// An account that was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// Its name.
    pub name: String,
    /// Its user and group id.
    pub id: u32,
}

/// Adds accounts; `day` is the date of their passwords in days since 1970.
///
/// # Errors
/// A name or id is taken by an account of the system.
pub fn add(files: &mut Files, users: &[User], day: u64) -> Result<Vec<Added>, String> {
    let mut added = Vec::new();
    for user in users {
        let taken_ids = ids(&files.passwd).chain(ids(&files.group)).collect::<BTreeSet<u32>>();
        let wanted: BTreeSet<u32> = users.iter().filter_map(|other| other.uid).collect();
        if names(&files.passwd).chain(names(&files.group)).any(|name| name == user.name) {
            return Err(format!("the name `{}` is taken by an account of the system", user.name));
        }
        let free = |id: &u32| !taken_ids.contains(id) && !wanted.contains(id);
        let id = match user.uid {
            Some(id) if taken_ids.contains(&id) => return Err(format!("the id {id} is taken")),
            Some(id) => id,
            None => (FIRST_ID..=60_000).find(free).ok_or("there is no free id")?,
        };
        let name = &user.name;
        files.passwd += &format!("{name}:x:{id}:{id}::/home/{name}:/bin/bash\n");
        let hash = user.password_hash.as_ref().map_or("!", |hash| hash.reveal());
        files.shadow += &format!("{name}:{hash}:{day}:0:99999:7:::\n");
        files.group += &format!("{name}:x:{id}:\n");
        files.gshadow += &format!("{name}:!::\n");
        for text in [&mut files.subuid, &mut files.subgid] {
            let first = text
                .lines()
                .filter_map(|line| {
                    let mut fields = line.split(':').skip(1).map(str::parse::<u32>);
                    Some(fields.next()?.ok()? + fields.next()?.ok()?)
                })
                .max()
                .unwrap_or(FIRST_SUBORDINATE);
            *text += &format!("{name}:{first}:{SUBORDINATES}\n");
        }
        if user.sudo.is_some() {
            files.group = with_member(&files.group, ADMINISTRATORS, name);
            files.gshadow = with_member(&files.gshadow, ADMINISTRATORS, name);
        }
        added.push(Added { name: name.clone(), id });
    }
    Ok(added)
}

/// Returns the text of a file in `/etc/sudoers.d` for users that need no password; nothing where there are none.
pub fn sudoers(users: &[User]) -> Option<String> {
    let lines = users
        .iter()
        .filter(|user| user.sudo == Some(Sudo::Nopasswd))
        .fold(String::new(), |text, user| text + &user.name + "  ALL=(ALL:ALL) NOPASSWD: ALL\n");
    (!lines.is_empty()).then(|| format!("# Written by cairn-install.\n{lines}"))
}

fn names(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.split(':').next())
}

fn ids(text: &str) -> impl Iterator<Item = u32> {
    text.lines().filter_map(|line| line.split(':').nth(2)?.parse().ok())
}

fn with_member(text: &str, group: &str, member: &str) -> String {
    let mut made = String::new();
    for line in text.lines() {
        made += line;
        if line.split(':').next() == Some(group) {
            if !line.ends_with(':') {
                made.push(',');
            }
            made += member;
        }
        made.push('\n');
    }
    made
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::answers::PasswordHash;

    fn user(name: &str, uid: Option<u32>, sudo: Option<Sudo>) -> User {
        User { name: name.into(), uid, ssh_authorized_keys: Vec::new(), sudo, password_hash: None }
    }

    #[test]
    fn accounts_as_useradd_makes_them() {
        let mut files = Files {
            passwd: "root:x:0:0:Super User:/root:/bin/bash\n".into(),
            shadow: "root:!*::0:99999:7:::\n".into(),
            group: "root:x:0:\nwheel:x:10:\n".into(),
            gshadow: "root:!::\nwheel:!::\n".into(),
            ..Files::default()
        };
        let mut users = [
            user("admin", None, Some(Sudo::Nopasswd)),
            user("ops", Some(1000), Some(Sudo::Password)),
            user("guest", None, None),
        ];
        users[1].password_hash = Some(PasswordHash::new("$6$salt$hash"));
        let added = add(&mut files, &users, 20_000).unwrap();
        assert_eq!(added.iter().map(|one| one.id).collect::<Vec<_>>(), [1001, 1000, 1002]);
        expect![[r#"
            root:x:0:0:Super User:/root:/bin/bash
            admin:x:1001:1001::/home/admin:/bin/bash
            ops:x:1000:1000::/home/ops:/bin/bash
            guest:x:1002:1002::/home/guest:/bin/bash
            --
            root:!*::0:99999:7:::
            admin:!:20000:0:99999:7:::
            ops:$6$salt$hash:20000:0:99999:7:::
            guest:!:20000:0:99999:7:::
            --
            root:x:0:
            wheel:x:10:admin,ops
            admin:x:1001:
            ops:x:1000:
            guest:x:1002:
            --
            root:!::
            wheel:!::admin,ops
            admin:!::
            ops:!::
            guest:!::
            --
            admin:100000:65536
            ops:165536:65536
            guest:231072:65536
        "#]]
        .assert_eq(&format!(
            "{}--\n{}--\n{}--\n{}--\n{}",
            files.passwd, files.shadow, files.group, files.gshadow, files.subuid
        ));
        assert_eq!(files.subuid, files.subgid);
        assert_eq!(
            sudoers(&users).as_deref(),
            Some("# Written by cairn-install.\nadmin  ALL=(ALL:ALL) NOPASSWD: ALL\n")
        );
        assert_eq!(sudoers(&users[2..]), None);
        let error = add(&mut files, &[user("wheel", None, None)], 1).unwrap_err();
        assert_eq!(error, "the name `wheel` is taken by an account of the system");
        assert_eq!(
            add(&mut files, &[user("x", Some(1000), None)], 1).unwrap_err(),
            "the id 1000 is taken"
        );
    }
}
