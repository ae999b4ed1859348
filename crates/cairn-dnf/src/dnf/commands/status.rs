// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf status`: how many packages, groups and repositories there are.

use crate::dnf::session::{Needs, Session};
use crate::failure::CommandResult;
use cairn_pkg::state::PackageReason;
use cairn_pkg::state::history::History;
use cairn_ui::exit;
use cairn_ui::format::{Zone, date_time};

/// Runs `dnf status`.
pub fn status(session: &Session) -> CommandResult {
    let loaded = session.load(Needs::ALL)?;
    let sack = &loaded.sack;
    let state = &loaded.state;
    let n_installed = sack.installed().count();
    let n_available = sack.available().count();
    let is_user = |reason: PackageReason| {
        matches!(reason, PackageReason::User | PackageReason::ExternalUser | PackageReason::Group)
    };
    let n_user = sack.installed().filter(|package| is_user(package.details.reason)).count();
    let size: u64 = sack.installed().map(|package| package.details.size_installed).sum();
    let (n_groups, n_group_offers) = (state.groups.len(), loaded.groups.all().len());
    let (n_environments, n_environment_offers) =
        (state.environments.len(), loaded.groups.all_environments().len());
    let n_repositories = session.configuration.enabled().count();
    let rows = [
        ("Groups", (n_groups + n_group_offers).to_string()),
        ("  installed", n_groups.to_string()),
        ("  available", n_group_offers.to_string()),
        ("Environments", (n_environments + n_environment_offers).to_string()),
        ("  installed", n_environments.to_string()),
        ("  available", n_environment_offers.to_string()),
        ("Packages", (n_installed + n_available).to_string()),
        ("  installed", n_installed.to_string()),
        ("  available", n_available.to_string()),
        ("  user-installed", n_user.to_string()),
        ("Installed Size", crate::dnf::table::size_short(size)),
        ("Enabled Repositories", n_repositories.to_string()),
    ];
    let last = History::open(&session.root)?.map(|history| history.newest()).transpose()?.flatten();
    let last = last.map(|record| ("Last Transaction", date_time(record.begin, Zone::Local)));
    for (label, value) in rows.into_iter().chain(last) {
        session.printer.data(&format!("{label:<21}: {value}"));
    }
    Ok(exit::SUCCESS)
}
