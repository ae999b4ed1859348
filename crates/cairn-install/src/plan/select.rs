// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which disk is meant. None is ever chosen by itself where there are two.

use super::PlanError;
use crate::answers::{DiskSelector, parse_size};
use crate::probe::Disk;

/// Returns the disks that can be installed to.
pub fn candidates(disks: &[Disk]) -> Vec<&Disk> {
    disks.iter().filter(|disk| disk.obstacles.is_empty()).collect()
}

/// Returns the one disk that a selector means; without a selector, the only candidate.
///
/// # Errors
/// None, several, or one that cannot be used.
pub fn select<'a>(
    disks: &'a [Disk],
    selector: Option<&DiskSelector>,
) -> Result<&'a Disk, PlanError> {
    let Some(selector) = selector else {
        let found = candidates(disks);
        return match found.as_slice() {
            [disk] => Ok(disk),
            [] => Err(PlanError::NoDisk { found: disks.iter().map(with_obstacles).collect() }),
            several => Err(PlanError::SeveralDisks {
                count: several.len(),
                found: several.iter().map(|disk| disk.describe()).collect(),
            }),
        };
    };
    let matching: Vec<&Disk> = disks.iter().filter(|disk| matches(disk, selector)).collect();
    // The install medium and disks in use are no candidates, unless a selector means nothing else.
    let usable: Vec<&Disk> =
        matching.iter().copied().filter(|disk| disk.obstacles.is_empty()).collect();
    match (matching.as_slice(), usable.as_slice()) {
        (_, [disk]) => Ok(disk),
        ([], _) => Err(PlanError::NoMatch {
            selector: selector.to_string(),
            found: disks.iter().map(with_obstacles).collect(),
        }),
        ([disk], []) => {
            Err(PlanError::Unusable { disk: disk.path.clone(), reasons: disk.obstacles.clone() })
        }
        (several, _) => Err(PlanError::ManyMatches {
            selector: selector.to_string(),
            found: several.iter().map(|disk| with_obstacles(disk)).collect(),
        }),
    }
}

fn matches(disk: &Disk, selector: &DiskSelector) -> bool {
    let DiskSelector { path, serial, wwn, model, min_size } = selector;
    let same = |wanted: &Option<String>, found: &str| {
        wanted.as_ref().is_none_or(|wanted| wanted.trim() == found)
    };
    path.as_ref().is_none_or(|path| *path == disk.path || disk.links.contains(path))
        && same(serial, &disk.serial)
        && same(wwn, &disk.wwn)
        && same(model, &disk.model)
        && min_size
            .as_ref()
            .is_none_or(|size| parse_size(size).is_ok_and(|bytes| disk.size >= bytes))
}

fn with_obstacles(disk: &Disk) -> String {
    if disk.obstacles.is_empty() {
        return disk.describe();
    }
    format!("{}: {}", disk.describe(), disk.obstacles.join("; "))
}
