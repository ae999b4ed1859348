// SPDX-License-Identifier: MIT OR Apache-2.0
//! The packages of a transaction, read and verified: what comes and what goes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use cairn_rpm::evr::Nevra;
use cairn_rpm::header::{FileEntry, Header};
use cairn_rpm::package::Package;
use cairn_rpm::signature::{Keyring, PayloadCheck, Unread, Verified};

use super::options::{Action, Overrides, TransactionItem, TransactionOptions, Trust};
use super::policy;
use crate::error::TransactionError;
use crate::event::Event;
use crate::journal::Removal;
use crate::parallel;
use crate::rpmdb::{FileState, Installed, RpmDb};
use crate::scriptlet::chain;
use crate::triggers::Side;

/// A package that comes.
#[derive(Debug)]
pub(crate) struct Added {
    pub(crate) nevra: Nevra,
    pub(crate) label: String,
    pub(crate) path: PathBuf,
    pub(crate) package: Package,
    pub(crate) files: Vec<FileEntry>,
    /// Where each file lies, relative to the root and without links.
    pub(crate) resolved: Vec<String>,
    /// Which files are left out on request, and the state that says why.
    pub(crate) left_out: Vec<Option<FileState>>,
    /// What happens to each file.
    pub(crate) fates: Vec<Fate>,
    /// Its row in the database.
    pub(crate) hnum: u64,
    /// Its position in the request.
    pub(crate) asked: usize,
}

/// A package that goes.
#[derive(Debug)]
pub(crate) struct Erased {
    pub(crate) nevra: Nevra,
    pub(crate) label: String,
    pub(crate) header: Header,
    pub(crate) hnum: u64,
    pub(crate) files: Vec<FileEntry>,
    pub(crate) resolved: Vec<String>,
    /// Position of the package that replaces it, `None` for plain removals.
    pub(crate) replaced_by: Option<usize>,
    pub(crate) removals: Vec<Removal>,
}

/// What happens to a file of a package that comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is written; the file that is there is kept under the given name.
    Create { keep_as: Option<String> },
    /// It is written under another name (`….rpmnew`).
    Beside { target: String },
    /// It is a directory.
    Directory,
    /// Nothing is written: it is a ghost, another package of the transaction writes it, or the present one stays.
    Skip,
    /// It is left out on request; the state says why.
    NotInstalled(FileState),
}

/// Packages that do not come or go because a scriptlet failed, and whether it was one of another package or of the whole transaction.
pub(crate) type LeftOut = BTreeMap<Side, bool>;

/// All packages of a transaction.
#[derive(Debug, Default)]
pub(crate) struct Set {
    pub(crate) added: Vec<Added>,
    pub(crate) erased: Vec<Erased>,
    /// `%pretrans` ran already: what is in the place of a file now stays there.
    pub(crate) pretrans_ran: bool,
}

/// Payloads that are still to be verified: that takes long and may be done beside planning.
#[derive(Debug, Default)]
pub(crate) struct Payloads(Vec<(PathBuf, PayloadCheck)>);

impl Payloads {
    /// Verifies them.
    pub(crate) fn check(&self) -> Result<(), TransactionError> {
        let check = |at: usize| {
            let (path, check) = &self.0[at];
            let mut file = File::open(path).map_err(|error| bad_package(path, &error, None))?;
            check.run(&mut file).map_err(|error| bad_package(path, &error, error.hint()))
        };
        parallel::in_order(self.0.len(), &check, &mut |_, checked| checked)
    }
}

impl Set {
    /// Reads all packages and verifies their headers; nothing may change before their payloads are verified too.
    pub(crate) fn load(
        db: Option<&RpmDb>,
        items: Vec<TransactionItem>,
        options: &TransactionOptions,
        events: &mut dyn FnMut(Event),
    ) -> Result<(Self, Payloads), TransactionError> {
        let mut set = Self::default();
        let mut payloads = Payloads::default();
        // In the order of the request: removals keep it where nothing else decides.
        let mut erased: Vec<(u64, Option<usize>)> = Vec::new();
        let mut named = BTreeSet::new();
        let mut wanted = Vec::new();
        for item in items {
            let replaced_by = item.action.adds().then_some(wanted.len());
            for hnum in replaced_rows(db, &item)? {
                // A package both removed and replaced counts as replaced.
                match erased.iter_mut().find(|(known, _)| *known == hnum) {
                    Some((_, known)) => *known = known.or(replaced_by),
                    None => erased.push((hnum, replaced_by)),
                }
            }
            if !item.action.adds() {
                continue;
            }
            let label = item.nevra.to_string();
            if !named.insert(label.clone()) {
                return Err(TransactionError::Twice { package: label });
            }
            let Some(path) = item.rpm else {
                return Err(TransactionError::NoFile { package: label });
            };
            wanted.push((label, path, item.nevra));
        }
        let total = wanted.len();
        let read = |at: usize| read_header(&wanted[at].1, options.trust, &options.keyring);
        parallel::in_order(total, &read, &mut |at, package| {
            let (label, path, nevra) = &wanted[at];
            events(Event::Verifying { package: label.clone(), done: at, total });
            let (package, payload) = package?;
            payloads.0.extend(payload.map(|check| (path.clone(), check)));
            set.add(package, (label, path, nevra), &options.overrides)?;
            let unusual = set.added.last().map(|added| policy::unusual(label, &added.files));
            unusual.into_iter().flatten().map(Event::Policy).for_each(&mut *events);
            Ok::<(), TransactionError>(())
        })?;
        let next = db.map_or(Ok(1), RpmDb::next_number)?;
        for (hnum, replaced_by) in erased {
            let package = db.map(|db| db.package(hnum)).transpose()?.flatten();
            let package = package
                .ok_or_else(|| TransactionError::NotInstalled { package: format!("row {hnum}") })?;
            set.erased.push(Erased::new(package, replaced_by));
        }
        set.number(next);
        Ok((set, payloads))
    }

    fn add(
        &mut self,
        mut package: Package,
        (label, path, expected): (&str, &Path, &Nevra),
        overrides: &Overrides,
    ) -> Result<(), TransactionError> {
        let found = package.header.nevra();
        if found != *expected {
            return Err(TransactionError::WrongPackage {
                path: path.to_owned(),
                expected: label.to_owned(),
                found: found.to_string(),
            });
        }
        let moved = package.header.relocated(&overrides.relocations_of(&package.header));
        let moved = moved.map_err(|error| TransactionError::Package {
            path: path.to_owned(),
            reason: chain(&error),
            hint: error.hint().map(str::to_owned),
        })?;
        package.header = moved.unwrap_or(package.header);
        let files = package.files();
        self.added.push(Added {
            asked: self.added.len(),
            nevra: found,
            label: label.to_owned(),
            path: path.to_owned(),
            package,
            left_out: vec![None; files.len()],
            fates: vec![Fate::Skip; files.len()],
            files,
            resolved: Vec::new(),
            hnum: 0,
        });
        Ok(())
    }

    /// Returns the rest, with nothing planned yet.
    pub(crate) fn without(self, left_out: &LeftOut) -> Self {
        let mut set = Self::default();
        let mut positions = BTreeMap::new();
        for (at, mut added) in self.added.into_iter().enumerate() {
            if !left_out.contains_key(&Side::Added(at)) {
                positions.insert(at, set.added.len());
                added.fates.fill(Fate::Skip);
                added.resolved.clear();
                set.added.push(added);
            }
        }
        for (at, mut erased) in self.erased.into_iter().enumerate() {
            if !left_out.contains_key(&Side::Erased(at)) {
                erased.replaced_by =
                    erased.replaced_by.and_then(|added| positions.get(&added).copied());
                erased.resolved.clear();
                erased.removals.clear();
                set.erased.push(erased);
            }
        }
        set
    }

    /// Tells whether nothing comes and nothing goes.
    pub(crate) fn is_empty(&self) -> bool {
        self.added.is_empty() && self.erased.is_empty()
    }

    /// Gives the packages that come their rows, in the present order.
    pub(crate) fn number(&mut self, first: u64) {
        for (hnum, added) in (first..).zip(&mut self.added) {
            added.hnum = hnum;
        }
    }

    /// Returns one line per package, for history and journal.
    pub(crate) fn summary(&self) -> Vec<String> {
        let added = self.added.iter().map(|added| format!("+ {}", added.label));
        added.chain(self.erased.iter().map(|erased| format!("- {}", erased.label))).collect()
    }
}

impl Erased {
    pub(crate) fn new(package: Installed, replaced_by: Option<usize>) -> Self {
        let Installed { hnum, header } = package;
        let nevra = header.nevra();
        Self {
            label: nevra.to_string(),
            nevra,
            files: header.files(),
            header,
            hnum,
            resolved: Vec::new(),
            replaced_by,
            removals: Vec::new(),
        }
    }
}

/// Finds the rows that go because of an item.
fn replaced_rows(db: Option<&RpmDb>, item: &TransactionItem) -> Result<Vec<u64>, TransactionError> {
    if !item.replaces.is_empty() || item.action == Action::Install {
        return Ok(item.replaces.clone());
    }
    let mut rows = Vec::new();
    for installed in db.map_or(Ok(Vec::new()), |db| db.by_name(&item.nevra.name))? {
        let nevra = installed.header.nevra();
        let meant =
            if item.action.adds() { nevra.arch == item.nevra.arch } else { nevra == item.nevra };
        if meant {
            rows.push(installed.hnum);
        }
    }
    if rows.is_empty() && !item.action.adds() {
        return Err(TransactionError::NotInstalled { package: item.nevra.to_string() });
    }
    Ok(rows)
}

/// Reads a package file that proves what `trust` demands.
pub(crate) fn read_package(
    path: &Path,
    trust: Trust,
    keyring: &Keyring,
) -> Result<Package, TransactionError> {
    let (package, payload) = read_header(path, trust, keyring)?;
    Payloads(payload.into_iter().map(|check| (path.to_owned(), check)).collect()).check()?;
    Ok(package)
}

/// Reads a package up to its payload; returns what that must still pass.
fn read_header(
    path: &Path,
    trust: Trust,
    keyring: &Keyring,
) -> Result<(Package, Option<PayloadCheck>), TransactionError> {
    let unreadable = |error: io::Error| bad_package(path, &error, None);
    let mut file = File::open(path).map_err(unreadable)?;
    let unread = match trust {
        Trust::Signature => keyring.verify_header_from(&mut file),
        Trust::Digests => Unread::accept_unsigned(&mut file),
        Trust::OldDigests | Trust::Nothing => {
            let whole = if trust == Trust::OldDigests {
                Verified::<Package>::accept_old_digests(&std::fs::read(path).map_err(unreadable)?)
            } else {
                Verified::<Package>::accept_unverified_from(&mut file)
            };
            let whole = whole.map_err(|error| bad_package(path, &error, error.hint()))?;
            return Ok((whole.into_inner(), None));
        }
    };
    let unread = unread.map_err(|error| bad_package(path, &error, error.hint()))?;
    let (package, payload) = unread.into_parts();
    Ok((package, Some(payload)))
}

fn bad_package(path: &Path, error: &dyn std::error::Error, hint: Option<&str>) -> TransactionError {
    let hint = hint.map(str::to_owned);
    TransactionError::Package { path: path.to_owned(), reason: chain(error), hint }
}
