// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf info`, and the block of details that `repoquery --info` shows as well.

use super::list::{complain_of_missing, nothing, print_json, sections};
use crate::dnf::cli::ListArgs;
use crate::dnf::display::repository_of;
use crate::dnf::session::{Scope, Session};
use crate::dnf::table::{key_values, size_text};
use crate::failure::CommandResult;
use cairn_pkg::query::{Sack, SackPackage};
use cairn_solve::PackageId;
use cairn_ui::exit;

/// Runs `dnf info`.
pub fn info(session: &Session, args: &ListArgs) -> CommandResult {
    let (loaded, sections) = sections(session, args, Scope::All)?;
    if args.json {
        return print_json(session, &loaded.sack, &sections);
    }
    if sections.iter().all(|section| section.ids.is_empty()) {
        return nothing(args);
    }
    let mut is_first = true;
    for section in sections.iter().filter(|section| !section.ids.is_empty()) {
        if !is_first {
            session.printer.data("");
        }
        session.printer.data(section.heading);
        for (index, id) in section.ids.iter().enumerate() {
            if index > 0 {
                session.printer.data("");
            }
            let obsoleted = section.obsoleted_by(*id);
            for line in details(&loaded.sack, loaded.sack.get(*id), obsoleted) {
                session.printer.data(&line);
            }
        }
        is_first = false;
    }
    complain_of_missing(&loaded.sack, &sections, &args.specs);
    Ok(exit::SUCCESS)
}

/// Returns the vendor; of an installed package without one, what dnf5 shows for it.
fn vendor(package: SackPackage<'_>) -> String {
    let vendor = &package.candidate.vendor;
    let is_unknown = vendor.is_empty() && package.is_installed();
    if is_unknown { "<NULL>".to_owned() } else { vendor.clone() }
}

/// Returns the lines about one package; of one that obsoletes installed ones, also which.
pub fn details(sack: &Sack, package: SackPackage<'_>, obsoleted: &[PackageId]) -> Vec<String> {
    let (nevra, about) = (package.nevra(), package.details);
    let installed = package.is_installed();
    let mut pairs = vec![
        ("Name", nevra.name.clone()),
        ("Epoch", nevra.evr.epoch.to_string()),
        ("Version", nevra.evr.version.clone()),
        ("Release", nevra.evr.release.clone()),
        ("Architecture", nevra.arch.clone()),
    ];
    if !obsoleted.is_empty() {
        let names: Vec<String> =
            obsoleted.iter().map(|old| sack.get(*old).nevra().with_epoch()).collect();
        pairs.push(("Obsoletes", names.join("\n")));
    }
    if !installed {
        pairs.push(("Download size", size_text(about.size_package)));
    }
    pairs.push(("Installed size", size_text(about.size_installed)));
    if nevra.arch != "src" {
        pairs.push(("Source", about.sourcerpm.clone()));
    }
    if installed {
        pairs.push(("From repository", repository_of(sack, package.id).to_owned()));
    } else {
        pairs.push(("Repository", about.repository.clone()));
    }
    pairs.extend([
        ("Summary", about.summary.clone()),
        ("URL", about.url.clone()),
        ("License", about.license.clone()),
        ("Description", about.description.trim_end().to_owned()),
        ("Vendor", vendor(package)),
    ]);
    key_values(&pairs)
}
