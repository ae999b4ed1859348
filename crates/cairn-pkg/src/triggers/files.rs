// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which files set a file trigger off, in which order: as rpm's `lib/rpmtriggers.c` finds them, prefix by prefix.

use std::borrow::Cow;

use cairn_rpm::header::{FileEntry, Header, Trigger, TriggerKind};

use crate::rpmdb::FileState;
use crate::transaction::set::{Added, Erased, Fate};

/// A package of the database, for triggers that look there.
pub(super) struct Owner<'a> {
    pub(super) name: &'a str,
    paths: Vec<Cow<'a, str>>,
}

impl<'a> Owner<'a> {
    pub(super) fn added(added: &'a Added) -> Self {
        let files = added.files.iter().zip(&added.fates).filter(|(_, fate)| match fate {
            Fate::NotInstalled(state) => *state == FileState::NetShared,
            Fate::Create { .. } | Fate::Beside { .. } | Fate::Directory | Fate::Skip => true,
        });
        let paths = files.map(|(file, _)| Cow::Borrowed(file.path.as_str())).collect();
        Self { name: &added.nevra.name, paths }
    }

    pub(super) fn erased(erased: &'a Erased) -> Self {
        let files = erased.files.iter().filter(|file| is_installed(file.state));
        let paths = files.map(|file| Cow::Borrowed(file.path.as_str())).collect();
        Self { name: &erased.nevra.name, paths }
    }

    pub(super) fn installed(header: &'a Header) -> Self {
        let files = header.files().into_iter().filter(|file| is_installed(file.state));
        let paths = files.map(|FileEntry { path, .. }| Cow::Owned(path)).collect();
        Self { name: header.name(), paths }
    }

    /// Whether a directory that the package has something in begins so: rpm finds packages by these only.
    fn is_found_by(&self, prefix: &str) -> bool {
        let directory =
            |path: &str| path.rfind('/').is_some_and(|end| path[..=end].starts_with(prefix));
        self.paths.iter().any(|path| directory(path))
    }
}

/// rpm's `RPMFILE_IS_INSTALLED`.
fn is_installed(state: Option<u8>) -> bool {
    let there = [FileState::Normal, FileState::NetShared].map(FileState::as_byte);
    state.is_none_or(|state| there.contains(&state))
}

/// Returns the paths of one package that a trigger matches.
pub(super) fn matching(trigger: &Trigger, kind: TriggerKind, paths: &[&str]) -> Vec<String> {
    let fitting = |prefix| paths.iter().filter(move |path| path.starts_with(prefix));
    prefixes(trigger, kind).flat_map(fitting).map(|path| (*path).to_owned()).collect()
}

/// Returns what a trigger matches in the database: a package's name and the path.
pub(super) fn matching_owned<'a>(
    trigger: &Trigger,
    kind: TriggerKind,
    owners: &'a [Owner<'a>],
) -> Vec<(&'a str, String)> {
    let mut found = Vec::new();
    for prefix in prefixes(trigger, kind) {
        for owner in owners.iter().filter(|owner| owner.is_found_by(prefix)) {
            let paths = owner.paths.iter().filter(|path| path.starts_with(prefix));
            found.extend(paths.map(|path| (owner.name, path.to_string())));
        }
    }
    found
}

fn prefixes(trigger: &Trigger, kind: TriggerKind) -> impl Iterator<Item = &str> {
    trigger.conditions_of(kind).map(|condition| condition.dependency.name.as_str())
}
