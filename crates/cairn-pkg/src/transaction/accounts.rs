// SPDX-License-Identifier: MIT OR Apache-2.0
//! The accounts a transaction brings: `/etc/passwd` and `/etc/group` as files of its packages, and lines for sysusers.
//!
//! All files are written before any of them is in place, so their owners must be known earlier than in rpm, where each package finds
//! the files of those before it. What rpm creates before a package's `%pre` is created before all of them here.

use std::collections::BTreeSet;
use std::io::Read as _;

use cairn_host::Root;

use super::fate::FilePlan;
use super::options::{Ownership, TransactionOptions};
use super::set::{Added, Fate, Set};
use super::stage::open_payload;
use crate::error::TransactionError;
use crate::owners::Owners;
use crate::scriptlet::chain;
use crate::sysusers::{self, AccountFiles};

/// The name by which rpm's options silence the creation of accounts.
pub(crate) const KIND: &str = "%sysusers";
const PASSWD: &str = "etc/passwd";
const GROUP: &str = "etc/group";
const SHADOW: &str = "etc/shadow";
const GSHADOW: &str = "etc/gshadow";
const LINES: &str = "usr/lib/sysusers.d/";
/// Files here count in place of those of the same name in [`LINES`].
const REPLACEMENTS: [&str; 2] = ["run/sysusers.d/", "etc/sysusers.d/"];
/// Account files and sysusers files are not longer than this.
const LIMIT: u64 = 1 << 20;
const SECONDS_OF_A_DAY: u32 = 86_400;

/// The names a transaction's files may have as owners.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    /// Those of the root and those that come.
    pub(crate) owners: Owners,
    /// Lines whose accounts can be written only once the files of the transaction are in place.
    pub(crate) late: Vec<String>,
}

/// Creates the accounts of `user(…)` provides, as rpm does before it runs `%pre`.
pub(crate) fn create_provided(
    root: &Root,
    set: &Set,
    options: &TransactionOptions,
) -> Result<(), TransactionError> {
    let lines = provided_lines(root, set, options)?;
    if lines.is_empty() || brings_account_files(set) {
        Ok(())
    } else {
        create(root, &lines, options.time)
    }
}

/// Finds out who may own the files, and creates what is missing and can be created now. Call it after `%pre`.
pub(crate) fn settle(
    root: &Root,
    set: &Set,
    plan: &FilePlan,
    options: &TransactionOptions,
) -> Result<Accounts, TransactionError> {
    let mut owners = Owners::load(root)?;
    let comes = brings_account_files(set);
    let mut late = if comes { provided_lines(root, set, options)? } else { Vec::new() };
    if late.is_empty() && unknown(set, plan, &owners).is_empty() {
        return Ok(Accounts { owners, late });
    }
    let mut files = read(root)?;
    for added in set.added.iter().filter(|added| wants(added, is_account_file)) {
        for (path, content) in contents(added, is_account_file)? {
            let file = if path == PASSWD { &mut files.passwd } else { &mut files.group };
            *file = content;
        }
    }
    owners = Owners::from_text(&files.passwd, &files.group);
    let missing = unknown(set, plan, &owners);
    let mut lines = Vec::new();
    if !missing.is_empty() && !options.overrides.silenced.contains(KIND) {
        for added in set.added.iter().filter(|added| wants(added, is_sysusers_file)) {
            for (path, content) in contents(added, is_sysusers_file)? {
                if is_replaced(root, &path)? {
                    continue;
                }
                let of_file: Vec<String> = content.lines().map(str::to_owned).collect();
                if !sysusers::names(&of_file).is_disjoint(&missing) {
                    lines.extend(of_file);
                }
            }
        }
    }
    late.extend(lines);
    files.create(&late, 0);
    owners = Owners::from_text(&files.passwd, &files.group);
    if !comes {
        create(root, &std::mem::take(&mut late), options.time)?;
    }
    Ok(Accounts { owners, late })
}

/// Creates the accounts of `lines` in a root's files.
pub(crate) fn create(root: &Root, lines: &[String], time: u32) -> Result<(), TransactionError> {
    let before = read(root)?;
    let mut files = before.clone();
    files.create(lines, time / SECONDS_OF_A_DAY);
    // Groups first: a user without its group would be worse than the reverse.
    write(root, GROUP, &before.group, &files.group, 0o644)?;
    write(root, GSHADOW, &before.gshadow, &files.gshadow, 0o640)?;
    write(root, PASSWD, &before.passwd, &files.passwd, 0o644)?;
    write(root, SHADOW, &before.shadow, &files.shadow, 0o640)
}

fn read(root: &Root) -> Result<AccountFiles, TransactionError> {
    let text = |path: &str| match root.read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.is_not_found() => Ok(String::new()),
        Err(error) => Err(error),
    };
    Ok(AccountFiles {
        passwd: text(PASSWD)?,
        group: text(GROUP)?,
        shadow: text(SHADOW)?,
        gshadow: text(GSHADOW)?,
    })
}

/// Replaces a file by one with the same owner and mode.
fn write(
    root: &Root,
    path: &str,
    before: &str,
    after: &str,
    mode: u32,
) -> Result<(), TransactionError> {
    if before == after {
        return Ok(());
    }
    let stat = root.metadata(path)?;
    root.mkdir_all("etc", 0o755)?;
    root.write_atomic(path, after.as_bytes(), stat.as_ref().map_or(mode, |stat| stat.mode))?;
    if let Some(stat) = stat.filter(|stat| (stat.uid, stat.gid) != (0, 0)) {
        root.set_owner(path, stat.uid, stat.gid)?;
        root.set_mode(path, stat.mode)?;
    }
    Ok(())
}

/// Returns the lines of `user(…)` and `group(…)` provides, without those of files that the administrator replaced.
fn provided_lines(
    root: &Root,
    set: &Set,
    options: &TransactionOptions,
) -> Result<Vec<String>, TransactionError> {
    let mut lines = Vec::new();
    if options.ownership == Ownership::Record
        || options.overrides.database_only
        || options.overrides.silenced.contains(KIND)
    {
        return Ok(lines);
    }
    for added in &set.added {
        let header = &added.package.header;
        for (at, provide) in header.provides().iter().enumerate() {
            let Some(line) = sysusers::provided_line(provide) else { continue };
            let file = header.files_that_provide(at).first().and_then(|at| added.files.get(*at));
            if !file.map_or(Ok(false), |file| is_replaced(root, &file.path))? {
                lines.push(line);
            }
        }
    }
    Ok(lines)
}

/// Tells whether a file of the same name stands in place of a package's sysusers file, as in sysusers.d(5).
fn is_replaced(root: &Root, path: &str) -> Result<bool, TransactionError> {
    let Some(name) = path.trim_start_matches('/').strip_prefix(LINES) else { return Ok(false) };
    for directory in REPLACEMENTS {
        if root.metadata(format!("{directory}{name}"))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_account_file(path: &str) -> bool {
    matches!(path, PASSWD | GROUP)
}

fn is_sysusers_file(path: &str) -> bool {
    path.starts_with(LINES) && path.ends_with(".conf")
}

/// Tells whether a package's payload is going to put a file that fits into place.
fn wants(added: &Added, fits: fn(&str) -> bool) -> bool {
    let mut files = added.files.iter().zip(&added.fates).zip(&added.resolved);
    files.any(|((file, fate), place)| {
        file.is_regular() && matches!(fate, Fate::Create { .. }) && fits(place)
    })
}

fn brings_account_files(set: &Set) -> bool {
    set.added.iter().any(|added| wants(added, is_account_file))
}

/// Returns the files of a payload that fit, as text.
fn contents(
    added: &Added,
    fits: fn(&str) -> bool,
) -> Result<Vec<(String, String)>, TransactionError> {
    let failed =
        |reason: String| TransactionError::Payload { package: added.label.clone(), reason };
    let mut payload = open_payload(added)?;
    let mut left = added
        .resolved
        .iter()
        .zip(&added.files)
        .filter(|(place, file)| fits(place) && file.is_regular())
        .count();
    let mut found = Vec::new();
    while left > 0 {
        let Some(mut entry) = payload.next_entry().map_err(|error| failed(chain(&error)))? else {
            break;
        };
        let (place, file) = (&added.resolved[entry.file_index], &added.files[entry.file_index]);
        if !fits(place) || !file.is_regular() {
            continue;
        }
        left -= 1;
        let mut bytes = Vec::new();
        entry
            .by_ref()
            .take(LIMIT)
            .read_to_end(&mut bytes)
            .map_err(|error| failed(format!("{}: {error}", file.path)))?;
        found.push((place.clone(), String::from_utf8_lossy(&bytes).into_owned()));
    }
    Ok(found)
}

/// Returns the names that own files of the transaction and do not exist.
fn unknown(set: &Set, plan: &FilePlan, owners: &Owners) -> BTreeSet<String> {
    let written = set.added.iter().flat_map(|added| {
        let files = added.files.iter().zip(&added.fates);
        files.filter(|(_, fate)| matches!(fate, Fate::Create { .. } | Fate::Beside { .. }))
    });
    let directories = plan.directories.values().filter_map(|directory| directory.described);
    let directories = directories.map(|(package, file)| &set.added[package].files[file]);
    written
        .map(|(file, _)| file)
        .chain(directories)
        .flat_map(|file| {
            let user = owners.user(&file.user).is_none().then(|| file.user.clone());
            user.into_iter().chain(owners.group(&file.group).is_none().then(|| file.group.clone()))
        })
        .collect()
}
