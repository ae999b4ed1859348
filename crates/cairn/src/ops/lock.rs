// SPDX-License-Identifier: MIT OR Apache-2.0
//! Making and moving `distro/cairn.lock`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail};
use cairn_rpm::signature::Keyring;

use crate::apt::AptError;
use crate::apt::closure::closure;
use crate::apt::packages::{Index, IndexEntry, compare_debian_versions};
use crate::apt::release::Release;
use crate::context::Context;
use crate::distro::Distro;
use crate::lock::{LOCK_VERSION, Lock, LockedFile, Use};
use crate::overlay::Overlays;

/// Which entries may move to what the mirror has now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Movement {
    /// None: only packages that are new in the definition are added, others dropped.
    Nothing,
    /// These packages only (binary or source package names).
    Named(BTreeSet<String>),
    /// Everything.
    All,
}

/// One line of the difference between two locks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Package name.
    pub name: String,
    /// Version before; `None` when added.
    pub old: Option<String>,
    /// Version after; `None` when dropped.
    pub new: Option<String>,
}

/// Makes the lock that `distro` and the packages of `overlays` need, starting from `previous`.
pub fn relock(
    ctx: &Context,
    distro: &Distro,
    overlays: &Overlays,
    previous: Option<&Lock>,
    movement: &Movement,
) -> Result<Lock> {
    let (index, source_date) = fetch_index(ctx, distro)?;
    let (kept, keys) = keep_patterns(distro, overlays, previous, movement);
    let wanted = wanted_entries(distro, overlays, &keys, &index)?;
    let mut lock = merge(&wanted, previous, movement, source_date);
    lock.files.extend(kept);
    lock.files.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    Ok(lock)
}

/// Splits the keys into patterns whose locked matches stay as they are, returned as locked files, and what is looked up anew.
///
/// A kernel's name holds its version, so the newest match of a pattern is another package; without this, it would move with every lock.
fn keep_patterns(
    distro: &Distro,
    overlays: &Overlays,
    previous: Option<&Lock>,
    movement: &Movement,
) -> (Vec<LockedFile>, Vec<String>) {
    let mut kept = Vec::new();
    let mut looked_up = Vec::new();
    for key in overlays.keys() {
        let locked: Vec<&LockedFile> = previous
            .into_iter()
            .flat_map(|lock| &lock.files)
            .filter(|file| key.contains('*') && matches_pattern(key, &file.name))
            .collect();
        let has = |used: Use| locked.iter().any(|file| file.uses.contains(&used));
        let complete =
            has(Use::Os) && (has(Use::Previous) || !distro.upstream.previous.contains(key));
        if complete && !locked.iter().any(|file| may_move(movement, &file.name, &file.source)) {
            kept.extend(locked.into_iter().cloned());
        } else {
            looked_up.push(key.to_owned());
        }
    }
    (kept, looked_up)
}

fn may_move(movement: &Movement, name: &str, source: &str) -> bool {
    match movement {
        Movement::Nothing => false,
        Movement::All => true,
        Movement::Named(names) => names.contains(name) || names.contains(source),
    }
}

/// Returns whether `lock` already holds everything that the definition names, and nothing needs to be asked of a mirror.
pub fn covers(lock: &Lock, distro: &Distro, overlays: &Overlays) -> bool {
    let has = |name: &str, used: Use| match name.split_once('*') {
        Some((before, after)) => lock
            .used_for(used)
            .any(|file| file.name.starts_with(before) && file.name.ends_with(after)),
        None => lock.find(name, used).is_some(),
    };
    overlays.keys().all(|name| has(name, Use::Os))
        && distro.tools.packages.iter().all(|name| has(name, Use::Tools))
        && distro.tools.test.packages.iter().all(|name| has(name, Use::Test))
        && distro.tools.reference.packages.iter().all(|name| has(name, Use::Reference))
        && distro.tools.benchmark.packages.iter().all(|name| has(name, Use::Benchmark))
}

/// Loads the lock of the checkout; `None` when there is none yet.
pub fn load(ctx: &Context) -> Result<Option<Lock>> {
    let path = lock_path(ctx);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(Lock::parse(&text)?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
    }
}

/// Writes the lock of the checkout in one step.
pub fn store(ctx: &Context, lock: &Lock) -> Result<()> {
    let root = cairn_host::Root::open(ctx.distro_dir())?;
    root.write_atomic("cairn.lock", lock.to_text().as_bytes(), 0o644)
        .context("writing distro/cairn.lock")
}

fn lock_path(ctx: &Context) -> std::path::PathBuf {
    ctx.distro_dir().join("cairn.lock")
}

/// Fetches and authenticates every suite. Returns the joined index and the date of the newest Release file.
fn fetch_index(ctx: &Context, distro: &Distro) -> Result<(Index, u32)> {
    let mirror = ctx.mirror()?;
    let keyring_path = ctx.distro_dir().join(&distro.upstream.keyring);
    let keyring_bytes = std::fs::read(&keyring_path)
        .with_context(|| format!("reading {}", keyring_path.display()))?;
    let mut keyring = Keyring::new();
    keyring.add(&keyring_bytes).with_context(|| format!("reading {}", keyring_path.display()))?;
    let mut index = Index::default();
    let mut newest = 0;
    for suite in &distro.upstream.suites {
        ctx.printer.info(&format!("Reading {suite}"));
        let archive = mirror.archive(suite);
        let release = Release::fetch(&ctx.fetcher, archive, suite, &keyring)?;
        release.check_valid(i64::try_from(ctx.clock.now_unix()).unwrap_or(i64::MAX))?;
        newest = newest.max(release.date);
        for component in &distro.upstream.components {
            let text = release.fetch_packages(
                &ctx.fetcher,
                archive,
                component,
                &distro.upstream.architecture,
            )?;
            index.add(suite, &text)?;
        }
    }
    Ok((index, u32::try_from(newest).context("the Release date lies outside 1970–2106")?))
}

/// Returns every entry the definition needs now, with its uses.
fn wanted_entries(
    distro: &Distro,
    overlays: &Overlays,
    os_packages: &[String],
    index: &Index,
) -> Result<BTreeMap<String, (IndexEntry, BTreeSet<Use>)>> {
    let suites = distro.upstream.suites.join(", ");
    let mut wanted: BTreeMap<String, (IndexEntry, BTreeSet<Use>)> = BTreeMap::new();
    let mut add = |entry: &IndexEntry, used: Use| {
        wanted
            .entry(entry.name.clone())
            .or_insert_with(|| (entry.clone(), BTreeSet::new()))
            .1
            .insert(used);
    };
    for key in os_packages {
        let mut matches = matching(index, key);
        let Some(newest) = matches.pop() else {
            let snapshot = index.iter().map(|entry| entry.name.clone()).collect();
            overlays.select(&snapshot)?;
            bail!(AptError::UnknownPackage {
                name: key.clone(),
                suites,
                wanted_by: "named in distro/packages".into(),
            });
        };
        add(newest, Use::Os);
        if distro.upstream.previous.contains(key)
            && let Some(older) = matches.pop()
        {
            add(older, Use::Previous);
        }
    }
    let tools = &distro.tools;
    for (list, skip, used) in [
        (&tools.packages, &tools.skip, Use::Tools),
        (&tools.test.packages, &tools.skip, Use::Test),
        (&tools.reference.packages, &tools.reference.skip, Use::Reference),
        (&tools.benchmark.packages, &tools.benchmark.skip, Use::Benchmark),
    ] {
        for entry in closure(index, list, skip, &suites)?.into_values() {
            add(entry, used);
        }
    }
    Ok(wanted)
}

/// Returns the packages that `key` (a name, or a pattern with one star that stands for digits and dots) matches, oldest first.
fn matching<'a>(index: &'a Index, key: &str) -> Vec<&'a IndexEntry> {
    if !key.contains('*') {
        return index.get(key).into_iter().collect();
    }
    let mut found: Vec<&IndexEntry> =
        index.iter().filter(|entry| matches_pattern(key, &entry.name)).collect();
    found.sort_by(|a, b| compare_debian_versions(&a.version, &b.version));
    found
}

fn matches_pattern(key: &str, name: &str) -> bool {
    let Some((before, after)) = key.split_once('*') else { return key == name };
    name.strip_prefix(before)
        .and_then(|rest| rest.strip_suffix(after))
        .is_some_and(|star| star.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
}

fn merge(
    wanted: &BTreeMap<String, (IndexEntry, BTreeSet<Use>)>,
    previous: Option<&Lock>,
    movement: &Movement,
    source_date: u32,
) -> Lock {
    let mut moved = previous.is_none();
    let mut files = Vec::new();
    for (name, (entry, uses)) in wanted {
        let known = previous.and_then(|lock| lock.files.iter().find(|file| file.name == *name));
        let file = match known {
            Some(known) if !may_move(movement, name, &entry.source) => {
                LockedFile { uses: uses.clone(), ..known.clone() }
            }
            _ => locked(entry, uses.clone()),
        };
        // What only tests use does not date what is built.
        let is_built_from =
            !file.uses.is_subset(&[Use::Test, Use::Reference, Use::Benchmark].into());
        moved |= is_built_from && known.map(|known| &known.sha256) != Some(&file.sha256);
        files.push(file);
    }
    let source_date =
        if moved { source_date } else { previous.map_or(source_date, |lock| lock.source_date) };
    Lock { version: LOCK_VERSION, source_date, files }
}

fn locked(entry: &IndexEntry, uses: BTreeSet<Use>) -> LockedFile {
    LockedFile {
        name: entry.name.clone(),
        version: entry.version.clone(),
        arch: entry.architecture.clone(),
        source: entry.source.clone(),
        suite: entry.suite.clone(),
        path: entry.path.clone(),
        size: entry.size,
        sha256: entry.sha256.clone(),
        provides: if uses.contains(&Use::Os) { entry.provides.clone() } else { String::new() },
        uses,
    }
}

/// Returns what differs between two locks, in name order.
pub fn changes(old: Option<&Lock>, new: &Lock) -> Vec<Change> {
    let versions = |lock: &Lock| {
        lock.files
            .iter()
            .map(|file| (file.name.clone(), file.version.clone()))
            .collect::<BTreeMap<_, _>>()
    };
    let (old, new) = (old.map(versions).unwrap_or_default(), versions(new));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| Change {
            name: name.clone(),
            old: old.get(name).cloned(),
            new: new.get(name).cloned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(entries: &[(&str, &str)]) -> Index {
        let mut index = Index::default();
        for (name, version) in entries {
            index.add("s", &format!("Package: {name}\nSource: src-{name}\nVersion: {version}\nArchitecture: all\nFilename: p\nSize: 1\nSHA256: {version}\n")).unwrap();
        }
        index
    }

    fn wanted(entries: &[(&str, &str)]) -> BTreeMap<String, (IndexEntry, BTreeSet<Use>)> {
        index(entries)
            .iter()
            .map(|entry| (entry.name.clone(), (entry.clone(), BTreeSet::from([Use::Os]))))
            .collect()
    }

    #[test]
    fn patterns_take_the_newest_kernel_and_no_other_flavour() {
        let index = index(&[
            ("linux-image-6.12.9+deb13-amd64", "6.12.9-1"),
            ("linux-image-6.12.107+deb13-amd64", "6.12.107-1"),
            ("linux-image-6.12.107+deb13-rt-amd64", "6.12.107-1"),
        ]);
        let names: Vec<&str> = matching(&index, "linux-image-6.12.*+deb13-amd64")
            .into_iter()
            .map(|e| e.name.as_str())
            .collect();
        assert_eq!(names, ["linux-image-6.12.9+deb13-amd64", "linux-image-6.12.107+deb13-amd64"]);
    }

    #[test]
    fn a_locked_kernel_stays_until_it_is_named() {
        let key = "linux-image-6.12.*-amd64".to_owned();
        let distro: Distro = toml::from_str(
            "name = 'n'\nid = 'i'\nversion = '1'\n[upstream]\nkind = 'apt'\nsuites = []\ncomponents = []\narchitecture = 'amd64'\nkeyring = ''\n[tools]\npackages = []\nskip = []\n[tools.test]\npackages = []\n[tools.reference]\npackages = []\nskip = []\n",
        )
        .unwrap();
        let lock = merge(&wanted(&[("linux-image-6.12.9-amd64", "1")]), None, &Movement::All, 1);
        let overlays =
            Overlays::parse(&[("k.toml".into(), format!("[package.\"{key}\"]\n"))]).unwrap();
        let keep = |m: &Movement| keep_patterns(&distro, &overlays, Some(&lock), m);
        assert_eq!(keep(&Movement::Nothing), (lock.files.clone(), vec![]));
        assert_eq!(
            keep(&Movement::Named(["src-linux-image-6.12.9-amd64".to_owned()].into())),
            (vec![], vec![key.clone()])
        );
    }

    #[test]
    fn only_what_is_named_moves() {
        let old = merge(&wanted(&[("a", "1"), ("b", "1")]), None, &Movement::All, 10);
        let kept = merge(&wanted(&[("a", "2"), ("b", "2")]), Some(&old), &Movement::Nothing, 20);
        assert_eq!(kept, old);
        let moved = merge(
            &wanted(&[("a", "2"), ("b", "2"), ("c", "1")]),
            Some(&old),
            &Movement::Named(["src-b".to_owned()].into()),
            20,
        );
        assert_eq!(moved.source_date, 20);
        let lines: Vec<String> = changes(Some(&old), &moved)
            .iter()
            .map(|c| format!("{} {:?} {:?}", c.name, c.old, c.new))
            .collect();
        assert_eq!(lines, ["b Some(\"1\") Some(\"2\")", "c None Some(\"1\")"]);
    }
}
