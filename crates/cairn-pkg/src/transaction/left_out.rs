// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files that are left out on request: documentation, languages, paths, other architectures. rpm's rules.

use std::collections::BTreeMap;

use cairn_rpm::header::{FileEntry, FileFlags};

use super::options::TransactionOptions;
use super::paths::parent;
use crate::rpmdb::FileState;

/// Tells whether a file lies in a directory given by its absolute path, or is it.
pub(super) fn is_below(entry: &FileEntry, directory: &str) -> bool {
    let directory = directory.trim_end_matches('/');
    let rest = entry.path.strip_prefix(directory);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Decides which files of a package are left out; a directory goes with the last of its files.
pub(super) fn left_out_files(
    files: &[FileEntry],
    options: &TransactionOptions,
) -> Vec<Option<FileState>> {
    let mut states: Vec<_> = files.iter().map(|file| left_out(file, options)).collect();
    if states.iter().all(Option::is_none) {
        return states;
    }
    // How many files stay in a directory, and whether one does not.
    let mut directories: BTreeMap<&str, (usize, bool)> = BTreeMap::new();
    for (file, state) in files.iter().zip(&states) {
        let (stay, is_emptied) = directories.entry(parent(&file.path)).or_default();
        *stay += usize::from(state.is_none());
        *is_emptied |= state.is_some();
    }
    let listed = files.iter().enumerate().filter(|(_, file)| file.is_directory());
    let listed: BTreeMap<&str, usize> = listed.map(|(at, file)| (file.path.as_str(), at)).collect();
    let inner_first: Vec<&str> = directories.keys().rev().copied().collect();
    for directory in inner_first {
        let is_empty = matches!(directories.get(directory), Some((0, true)));
        let Some(at) = listed.get(directory).filter(|at| is_empty && states[**at].is_none()) else {
            continue;
        };
        states[*at] = Some(FileState::NotInstalled);
        let (stay, is_emptied) = directories.entry(parent(directory)).or_default();
        *stay = stay.saturating_sub(1);
        *is_emptied = true;
    }
    states
}

/// Tells whether a file is left out because of what it is or where it lies, and the state that says so.
fn left_out(entry: &FileEntry, options: &TransactionOptions) -> Option<FileState> {
    let overrides = &options.overrides;
    let below = |directory: &String| is_below(entry, directory);
    if overrides.exclude_paths.iter().any(below) {
        return Some(FileState::NotInstalled);
    }
    let machine = overrides.colors.transaction;
    if machine != 0 && entry.color != 0 && entry.color & machine == 0 {
        return Some(FileState::WrongColor);
    }
    if overrides.shared_paths.iter().any(below) {
        return Some(FileState::NetShared);
    }
    // Licences come along always.
    if entry.flags.contains(FileFlags::LICENSE) {
        return None;
    }
    let wanted_language = entry.lang.is_empty()
        || overrides.languages.is_empty()
        || entry.lang.split('|').any(|lang| overrides.languages.iter().any(|one| one == lang));
    let unwanted_kind = [
        (options.without_documentation, FileFlags::DOC),
        (overrides.without_artifacts, FileFlags::ARTIFACT),
        (overrides.without_configuration, FileFlags::CONFIG),
    ]
    .into_iter()
    .any(|(without, flag)| without && entry.flags.contains(flag));
    (!wanted_language || unwanted_kind).then_some(FileState::NotInstalled)
}
