// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf leaves`.

use super::list::sorted;
use crate::dnf::session::{Needs, Session};
use crate::failure::CommandResult;
use cairn_pkg::query::filter;
use cairn_ui::exit;

/// Runs `dnf leaves`: groups of packages that need only each other are one leaf, its first package behind a dash.
pub fn leaves(session: &Session) -> CommandResult {
    let loaded = session.load(Needs::INSTALLED)?;
    let sack = &loaded.sack;
    let mut groups = filter::leaf_groups(sack);
    for group in &mut groups {
        *group = sorted(sack, std::mem::take(group));
    }
    groups.sort_by_key(|group| group.first().map(|id| sack.get(*id).nevra().to_string()));
    for group in groups {
        for (index, id) in group.into_iter().enumerate() {
            let nevra = sack.get(id).nevra();
            let dash = if index == 0 { '-' } else { ' ' };
            session.printer.data(&format!("{dash} {}", nevra.with_epoch()));
        }
    }
    Ok(exit::SUCCESS)
}
