// SPDX-License-Identifier: MIT OR Apache-2.0
//! Accounts from lines as in sysusers.d(5): the four account files before → the four files after. Pure.
//!
//! Packages carry such lines in `/usr/lib/sysusers.d` and, built by rpm ≥ 4.19, in provides such as `user(named) = BASE64`. rpm runs
//! `systemd-sysusers` for the latter before it unpacks the package; here the same choices are made without a program, so that an empty
//! root can get them too. Numbers are chosen as systemd does: the highest free one below 1000, the same for user and group.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use cairn_rpm::dependency::Dependency;

/// The numbers that are given out where no `r` line says otherwise.
const RANGE: (u32, u32) = (1, 999);
/// What an account without a shell gets.
const NO_LOGIN: &str = "/usr/sbin/nologin";

/// The account files of a root as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AccountFiles {
    pub(crate) passwd: String,
    pub(crate) group: String,
    pub(crate) shadow: String,
    pub(crate) gshadow: String,
}

/// What a line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    User {
        name: String,
        id: Option<u32>,
        group: Option<String>,
        about: String,
        home: String,
        shell: String,
        /// Nobody can log in, by no means.
        is_locked: bool,
    },
    Group {
        name: String,
        id: Option<u32>,
    },
    Member {
        user: String,
        group: String,
    },
    /// Numbers that may be given out.
    Range {
        low: u32,
        high: u32,
    },
}

/// Returns the line that a provide such as `user(named) = BASE64` holds; `None` for any other.
pub(crate) fn provided_line(provide: &Dependency) -> Option<String> {
    let is_account =
        ["user(", "group(", "groupmember("].iter().any(|start| provide.name.starts_with(start));
    let (_, evr) = provide.constraint.as_ref().filter(|_| is_account)?;
    let bytes = BASE64_STANDARD.decode(evr.to_string()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    Some(text.trim_end_matches('\0').trim().to_owned())
}

/// Returns the names of users and groups that lines create.
pub(crate) fn names(lines: &[String]) -> BTreeSet<String> {
    lines
        .iter()
        .filter_map(|line| parse(line))
        .flat_map(|entry| match entry {
            Entry::User { name, .. } | Entry::Group { name, .. } => vec![name],
            Entry::Member { user, group } => vec![user, group],
            Entry::Range { .. } => Vec::new(),
        })
        .collect()
}

impl AccountFiles {
    /// Creates what the lines ask for and is missing; `day` (since 1970) is recorded as the last change of the password. Lines that
    /// cannot be read are left out, as by systemd.
    pub(crate) fn create(&mut self, lines: &[String], day: u32) {
        let entries: Vec<Entry> = lines.iter().filter_map(|line| parse(line)).collect();
        let pool = pool(&entries);
        // Groups first, since users name them.
        for entry in &entries {
            if let Entry::Group { name, id } = entry {
                self.add_group(name, *id, &pool);
            }
        }
        for entry in &entries {
            if let Entry::User { .. } = entry {
                self.add_user(entry, &pool, day);
            }
        }
        for entry in &entries {
            if let Entry::Member { user, group } = entry {
                self.add_group(group, None, &pool);
                let plain = parse(&format!("u {user} -"));
                plain.into_iter().for_each(|entry| self.add_user(&entry, &pool, day));
                add_member(&mut self.group, group, user);
                add_member(&mut self.gshadow, group, user);
            }
        }
    }

    fn add_group(&mut self, name: &str, wanted: Option<u32>, pool: &[u32]) -> u32 {
        if let Some(known) = number_of(&self.group, name) {
            return known;
        }
        let own = number_of(&self.passwd, name);
        let is_free = |id: u32| {
            !has_number(&self.group, id) && (own == Some(id) || !has_number(&self.passwd, id))
        };
        let id = wanted
            .or(own)
            .filter(|id| is_free(*id))
            .or_else(|| pool.iter().copied().find(|id| is_free(*id)));
        let id = id.unwrap_or(RANGE.1);
        append(&mut self.group, &format!("{name}:x:{id}:"));
        append(&mut self.gshadow, &format!("{name}:!*::"));
        id
    }

    fn add_user(&mut self, entry: &Entry, pool: &[u32], day: u32) {
        let Entry::User { name, id, group, about, home, shell, is_locked } = entry else { return };
        if number_of(&self.passwd, name).is_some() {
            return;
        }
        let gid = match group {
            Some(group) => match group.parse() {
                Ok(number) => number,
                Err(_) => self.add_group(group, None, pool),
            },
            None => self.add_group(name, *id, pool),
        };
        let own = number_of(&self.group, name);
        let is_free = |id: u32| {
            !has_number(&self.passwd, id) && (own == Some(id) || !has_number(&self.group, id))
        };
        // An explicit number may be that of another group: only another user stands in its way.
        let explicit = id.filter(|id| !has_number(&self.passwd, *id));
        let uid = explicit.or(own.filter(|id| is_free(*id)));
        let uid = uid.or_else(|| pool.iter().copied().find(|id| is_free(*id))).unwrap_or(RANGE.1);
        let home = if home.is_empty() { "/" } else { home };
        let shell = if shell.is_empty() { NO_LOGIN } else { shell };
        append(&mut self.passwd, &format!("{name}:x:{uid}:{gid}:{about}:{home}:{shell}"));
        // Expired on the second day of 1970.
        let expires = if *is_locked { "1" } else { "" };
        append(&mut self.shadow, &format!("{name}:!*:{day}:::::{expires}:"));
    }
}

/// Returns the numbers that may be given out, in the order in which they are tried.
fn pool(entries: &[Entry]) -> Vec<u32> {
    let mut ranges: Vec<(u32, u32)> = entries
        .iter()
        .filter_map(
            |entry| if let Entry::Range { low, high } = entry { Some((*low, *high)) } else { None },
        )
        .collect();
    if ranges.is_empty() {
        ranges.push(RANGE);
    }
    let numbers: BTreeSet<u32> = ranges.into_iter().flat_map(|(low, high)| low..=high).collect();
    numbers.into_iter().rev().collect()
}

/// Reads one line; `None` for comments and what makes no sense.
fn parse(line: &str) -> Option<Entry> {
    let words = words(line);
    let word = |at: usize| words.get(at).map_or("", |word| if word == "-" { "" } else { word });
    if word(0) == "r" {
        let (low, high) = word(2).split_once('-').unwrap_or((word(2), word(2)));
        let (low, high): (u32, u32) = (low.parse().ok()?, high.parse().ok()?);
        return u16::try_from(high).is_ok().then_some(Entry::Range { low, high });
    }
    let name = word(1).to_owned();
    if !is_name(&name) {
        return None;
    }
    match word(0) {
        "u" | "u!" => {
            let (id, group) = match word(2).split_once(':') {
                Some((id, group)) => (id, Some(group.to_owned())),
                None => (word(2), None),
            };
            let (about, home, shell) = (word(3).to_owned(), word(4).to_owned(), word(5).to_owned());
            let sound = [&about, &home, &shell].iter().all(|field| !field.contains([':', '\n']));
            let (id, is_locked) = (id.parse().ok(), word(0) == "u!");
            sound.then_some(Entry::User { name, id, group, about, home, shell, is_locked })
        }
        "g" => Some(Entry::Group { name, id: word(2).parse().ok() }),
        "m" => is_name(word(2)).then(|| Entry::Member { user: name, group: word(2).to_owned() }),
        _ => None,
    }
}

fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let starts = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    starts && name.len() < 32 && name.bytes().all(fits)
}

/// Splits a line at blanks outside of quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for character in line.trim().chars() {
        match quote {
            Some(open) if character == open => quote = None,
            None if character == '"' || character == '\'' => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            None if character.is_whitespace() => words.extend(word.take()),
            Some(_) | None => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}

fn number_of(file: &str, name: &str) -> Option<u32> {
    let line = file.lines().find(|line| line.split(':').next() == Some(name))?;
    line.split(':').nth(2)?.parse().ok()
}

fn has_number(file: &str, id: u32) -> bool {
    let number = |line: &str| line.split(':').nth(2)?.parse::<u32>().ok();
    file.lines().any(|line| number(line) == Some(id))
}

/// Adds a line, before those that include NIS (`+`), unless its name is there.
fn append(file: &mut String, line: &str) {
    let name = line.split(':').next();
    if file.lines().any(|known| known.split(':').next() == name) {
        return;
    }
    if !file.is_empty() && !file.ends_with('\n') {
        file.push('\n');
    }
    let mut at = 0;
    for known in file.split_inclusive('\n') {
        if known.starts_with('+') {
            break;
        }
        at += known.len();
    }
    file.insert_str(at, &format!("{line}\n"));
}

/// Adds a user to the last field of a group's line.
fn add_member(file: &mut String, group: &str, user: &str) {
    let lines = file.lines().map(|line| {
        let (name, members) = (line.split(':').next(), line.rsplit(':').next().unwrap_or_default());
        if name != Some(group) || members.split(',').any(|member| member == user) {
            return format!("{line}\n");
        }
        let comma = if members.is_empty() { "" } else { "," };
        format!("{line}{comma}{user}\n")
    });
    *file = lines.collect();
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(passwd: &str, group: &str, lines: &[&str], expected: Expect) {
        let mut files = AccountFiles {
            passwd: passwd.to_owned(),
            group: group.to_owned(),
            ..AccountFiles::default()
        };
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        files.create(&lines, 19_000);
        let AccountFiles { passwd, group, shadow, gshadow } = &files;
        expected.assert_eq(&format!("{passwd}--\n{group}--\n{shadow}--\n{gshadow}"));
        let before = files.clone();
        files.create(&lines, 19_001);
        assert_eq!(files, before, "a second time changes nothing");
    }

    /// As systemd-sysusers 252 does.
    #[test]
    fn users_and_groups() {
        check(
            "root:x:0:0:root:/root:/bin/sh\nused:x:999:5::/:/bin/sh\n",
            "root:x:0:\nadm:x:998:\n",
            &[
                "# comment",
                "u named - \"Name Server\" /var/named",
                "u fixed 310 - - /bin/sh",
                "u taken 999",
                "u! other -:adm",
                "g only 420",
                "m fixed only",
                "m named only",
                "u bad:name -",
                "r - 500-600",
            ],
            expect![[r#"
                root:x:0:0:root:/root:/bin/sh
                used:x:999:5::/:/bin/sh
                named:x:600:600:Name Server:/var/named:/usr/sbin/nologin
                fixed:x:310:310::/:/bin/sh
                taken:x:599:599::/:/usr/sbin/nologin
                other:x:598:998::/:/usr/sbin/nologin
                --
                root:x:0:
                adm:x:998:
                only:x:420:fixed,named
                named:x:600:
                fixed:x:310:
                taken:x:599:
                --
                named:!*:19000::::::
                fixed:!*:19000::::::
                taken:!*:19000::::::
                other:!*:19000:::::1:
                --
                only:!*::fixed,named
                named:!*::
                fixed:!*::
                taken:!*::
            "#]],
        );
    }

    #[test]
    fn an_existing_group_gives_its_number() {
        check(
            "",
            "web:x:33:\n+::0:\n",
            &["u web -"],
            expect![[r#"
            web:x:33:33::/:/usr/sbin/nologin
            --
            web:x:33:
            +::0:
            --
            web:!*:19000::::::
            --
        "#]],
        );
    }

    #[test]
    fn provides_hold_lines() {
        let provide = Dependency::parse("user(a) = dSBhIC0AAA==").unwrap();
        assert_eq!(provided_line(&provide).as_deref(), Some("u a -"));
        assert_eq!(provided_line(&Dependency::parse("user(root)").unwrap()), None);
        assert_eq!(provided_line(&Dependency::parse("b = dSBhIC0AAA==").unwrap()), None);
    }
}
