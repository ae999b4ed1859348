// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf versionlock`.

use crate::dnf::cli::VersionlockArgs;
use crate::dnf::session::{Needs, Session};
use crate::failure::{CommandResult, Failure, complain};
use cairn_pkg::query::sack::Sack;
use cairn_pkg::query::spec::nevra_matches;
use cairn_pkg::query::{MatchKind, SpecScope, glob, match_spec};
use cairn_pkg::state::versionlock::{Comparator, Condition, ConditionKey, LockEntry, VersionLocks};
use cairn_rpm::evr::Evr;
use cairn_solve::PackageId;
use cairn_ui::exit;
use cairn_ui::format::{Zone, date_time};
use std::collections::{BTreeMap, BTreeSet};

/// Runs `dnf versionlock list`.
pub fn list(session: &Session) -> CommandResult {
    let locks = VersionLocks::load(&session.config_root)?;
    for (index, entry) in locks.entries.iter().enumerate() {
        if index > 0 {
            session.printer.data("");
        }
        show(session, entry);
    }
    Ok(exit::SUCCESS)
}

fn show(session: &Session, entry: &LockEntry) {
    for line in entry.lines() {
        session.printer.data(&cairn_ui::escape_control(&line));
    }
}

/// Runs `dnf versionlock add`: each version of a package that matches is an entry; installed ones count first.
pub fn add(session: &Session, args: &VersionlockArgs) -> CommandResult {
    let loaded = session.load(Needs::ALL)?;
    let mut locks = VersionLocks::load(&session.config_root)?;
    let mut changed = false;
    for spec in &args.specs {
        let mut found = matching(&loaded.sack, spec, SpecScope::Available);
        found.extend(matching(&loaded.sack, spec, SpecScope::Installed));
        if found.is_empty() {
            complain(&format!("No package found for \"{spec}\"."));
        }
        let is_known = !found.is_empty();
        let mut is_new = false;
        for (name, versions) in found {
            for evr in versions {
                let new = entry(session, "add", &name, Comparator::Equal, &evr);
                let same = |known: &LockEntry| {
                    (&known.name, &known.conditions) == (&new.name, &new.conditions)
                };
                if locks.entries.iter().any(same) {
                    continue;
                }
                session.printer.data(&format!("Adding versionlock on \"{name} = {evr}\"."));
                locks.entries.push(new);
                is_new = true;
            }
        }
        if is_known && !is_new {
            complain(&format!("Package \"{spec}\" is already locked."));
        }
        changed |= is_new;
    }
    save(session, &locks, changed)
}

/// Runs `dnf versionlock exclude`.
pub fn exclude(session: &Session, args: &VersionlockArgs) -> CommandResult {
    let loaded = session.load(Needs::ALL)?;
    let mut locks = VersionLocks::load(&session.config_root)?;
    let mut changed = false;
    for spec in &args.specs {
        let found = matching(&loaded.sack, spec, SpecScope::Available);
        if found.is_empty() {
            complain(&format!("No package found for \"{spec}\"."));
        }
        let is_known = !found.is_empty();
        let mut is_new = false;
        for (name, versions) in found {
            for evr in versions {
                is_new |= exclude_version(session, &mut locks, &name, &evr);
            }
        }
        if is_known && !is_new {
            complain(&format!("Package \"{spec}\" is already excluded."));
        }
        changed |= is_new;
    }
    save(session, &locks, changed)
}

/// Adds one excluded version and says whether it is new. Entries are alternatives, so a second version joins the entry of the first.
fn exclude_version(session: &Session, locks: &mut VersionLocks, name: &str, evr: &Evr) -> bool {
    let new = entry(session, "exclude", name, Comparator::NotEqual, evr);
    let only_excludes = |entry: &&mut LockEntry| {
        entry.name == name
            && entry.conditions.iter().all(|condition| condition.comparator == Comparator::NotEqual)
    };
    if let Some(known) = locks.entries.iter_mut().find(only_excludes) {
        if new.conditions.iter().all(|condition| known.conditions.contains(condition)) {
            return false;
        }
        known.conditions.extend(new.conditions);
    } else {
        locks.entries.push(new);
    }
    session.printer.data(&format!("Adding versionlock exclude on \"{name} = {evr}\"."));
    true
}

/// Runs `dnf versionlock delete`: by name or glob, or by a version.
pub fn delete(session: &Session, args: &VersionlockArgs) -> CommandResult {
    let mut locks = VersionLocks::load(&session.config_root)?;
    let mut gone: Vec<LockEntry> = Vec::new();
    for spec in &args.specs {
        gone.extend(locks.entries.extract_if(.., |entry| means(spec, entry)));
    }
    for entry in &gone {
        session.printer.data("Deleting versionlock entry:");
        show(session, entry);
    }
    save(session, &locks, !gone.is_empty())
}

fn means(spec: &str, entry: &LockEntry) -> bool {
    let by_version = |condition: &Condition| {
        let Ok(evr) = Evr::parse(&condition.value) else { return false };
        let nevra = cairn_rpm::evr::Nevra::new(entry.name.clone(), evr, "noarch");
        condition.key == ConditionKey::Evr && nevra_matches(spec, &nevra).is_some()
    };
    spec == entry.name
        || glob::matches(spec, &entry.name)
        || entry.conditions.iter().any(by_version)
}

/// Runs `dnf versionlock clear`.
pub fn clear(session: &Session) -> CommandResult {
    // Not read first: a file that cannot be read is what this is for.
    save(session, &VersionLocks::default(), true)
}

fn save(session: &Session, locks: &VersionLocks, changed: bool) -> CommandResult {
    if changed {
        locks.save(&session.config_root).map_err(Failure::from)?;
    }
    Ok(exit::SUCCESS)
}

/// Returns the versions that a spec means as a name or NEVRA, by name.
fn matching(sack: &Sack, spec: &str, scope: SpecScope) -> BTreeMap<String, BTreeSet<Evr>> {
    let (ids, kind) = match_spec(sack, spec, scope);
    let ids: Vec<PackageId> = if matches!(kind, MatchKind::Nevra(_)) { ids } else { Vec::new() };
    let mut found: BTreeMap<String, BTreeSet<Evr>> = BTreeMap::new();
    for id in ids {
        let nevra = sack.get(id).nevra();
        found.entry(nevra.name.clone()).or_default().insert(nevra.evr.clone());
    }
    found
}

fn entry(session: &Session, sub: &str, name: &str, comparator: Comparator, evr: &Evr) -> LockEntry {
    let time = date_time(i64::try_from(session.now()).unwrap_or(0), Zone::Local);
    let condition = Condition { key: ConditionKey::Evr, comparator, value: evr.to_string() };
    LockEntry {
        name: name.to_owned(),
        comment: format!("Added by 'versionlock {sub}' command on {time}"),
        conditions: vec![condition],
    }
}
