// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether the files that two packages have in one place can both be right.

use cairn_rpm::header::{FileEntry, mode};

use super::options::Colors;

/// What holds of two files for one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// They are the same.
    Same,
    /// The first one's architecture is preferred.
    First,
    /// The second one's is.
    Second,
    /// Both cannot be right.
    Conflict,
}

pub(super) fn compare(one: &FileEntry, other: &FileEntry, colors: Colors) -> Verdict {
    if !differ(one, other) {
        return Verdict::Same;
    }
    let (first, second) = (one.color & colors.transaction, other.color & colors.transaction);
    if first == 0 || second == 0 || first == second {
        Verdict::Conflict
    } else if first & colors.preferred != 0 {
        Verdict::First
    } else if second & colors.preferred != 0 {
        Verdict::Second
    } else {
        Verdict::Conflict
    }
}

/// Tells whether two packages' entries for one place cannot both be right (rpm's `rpmfilesCompare`).
pub(super) fn differ(one: &FileEntry, other: &FileEntry) -> bool {
    if one.is_ghost() || other.is_ghost() {
        return false;
    }
    if one.mode != other.mode && !(one.is_symlink() && other.is_symlink()) {
        return true;
    }
    let same_owner = one.user == other.user && one.group == other.group;
    match one.kind() {
        mode::SYMLINK => !same_owner || one.link_target != other.link_target,
        mode::REGULAR => !same_owner || one.size != other.size || one.digest != other.digest,
        mode::CHARACTER | mode::BLOCK => one.rdev != other.rdev,
        _ => false,
    }
}
