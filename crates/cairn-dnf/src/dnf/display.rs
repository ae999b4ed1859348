// SPDX-License-Identifier: MIT OR Apache-2.0
//! The transaction as dnf5 shows it: the table, the summary, the sizes.

use super::stored::group_reason_before;
use super::table::{Side, fitted, size_rounded, size_text};
use cairn_pkg::query::{Sack, SackPackage};
use cairn_pkg::resolve::{GroupChange, Plan, PlanAction, PlanItem};
use cairn_pkg::state::PackageReason;
use cairn_pkg::state::history::{GroupKind, HistoryAction};
use cairn_solve::PackageId;
use std::collections::BTreeSet;

/// Where an installed package came from when that is not known, as dnf5 writes it.
const UNKNOWN_REPOSITORY: &str = "<unknown>";

/// Returns the repository as lists show it: of an installed package the one it came from.
pub fn repository_of(sack: &Sack, id: PackageId) -> &str {
    let details = sack.get(id).details;
    match (sack.get(id).is_installed(), details.from_repository.as_str()) {
        (false, _) => &details.repository,
        (true, "") => UNKNOWN_REPOSITORY,
        (true, from) => from,
    }
}

/// Returns the lines of the table, fitted into `width`.
pub fn transaction_table(plan: &Plan, sack: &Sack, width: Option<usize>) -> Vec<String> {
    let mut rows: Vec<Vec<String>> = vec![
        ["Package", "Arch  ", "Version", "Repository", "     Size"].map(str::to_owned).to_vec(),
    ];
    // A heading stands above its packages, outside of the columns.
    let mut headings: Vec<(usize, &str)> = Vec::new();
    let mut items: Vec<&PlanItem> = plan.items.iter().collect();
    items.sort_by_key(|item| (section_order(item), sack.get(item.id).nevra().to_string()));
    let mut current = "";
    for item in items {
        let heading = section(item);
        if heading != current {
            headings.push((rows.len(), heading));
            current = heading;
        }
        rows.push(package_row(sack, item, " "));
        if item.action == PlanAction::ReasonChange {
            let old = sack.get(item.id).details.reason.as_str();
            rows.push(vec![format!("   {old} -> {}", item.reason.as_str())]);
        }
        let mut replaced = item.replaces.clone();
        replaced.sort_by_key(|id| {
            let (new, old) = (sack.get(item.id).nevra(), sack.get(*id).nevra());
            (new.name != old.name, old.name.clone(), std::cmp::Reverse(old.evr.clone()))
        });
        for id in &replaced {
            let replaced = PlanItem { id: *id, ..(*item).clone() };
            rows.push(package_row(sack, &replaced, "   replacing "));
        }
    }
    add_groups(plan, &mut rows, &mut headings);
    add_left_out(plan, sack, &mut rows, &mut headings);
    let sides = [Side::Left, Side::Left, Side::Left, Side::Left, Side::Right];
    let mut lines = Vec::new();
    for (index, line) in fitted(&sides, &rows, width).into_iter().enumerate() {
        if let Some((_, heading)) = headings.iter().find(|(row, _)| *row == index) {
            lines.push(format!("{heading}:"));
        }
        lines.push(line);
    }
    lines
}

/// Adds the groups and then the environments, under a heading for each action and reason, in dnf5's order.
fn add_groups(plan: &Plan, rows: &mut Vec<Vec<String>>, headings: &mut Vec<(usize, &'static str)>) {
    let place = |change: &GroupChange| {
        (change.kind, group_order(change.action), change.reason != PackageReason::User)
    };
    let mut changes: Vec<&GroupChange> = plan.group_changes.iter().collect();
    changes.sort_by(|a, b| (place(a), &b.id).cmp(&(place(b), &a.id)));
    let mut current = None;
    for change in changes {
        if current != Some(place(change)) {
            headings.push((rows.len(), group_section(change)));
            current = Some(place(change));
        }
        let name = if change.name.is_empty() { "<name-unset>" } else { &change.name };
        rows.push(vec![format!(" {name}")]);
        if change.action == HistoryAction::ReasonChange {
            let old = group_reason_before(change.reason).as_str();
            rows.push(vec![format!("   {old} -> {}", change.reason.as_str())]);
        }
    }
}

fn group_section(change: &GroupChange) -> &'static str {
    let is_wanted = change.reason == PackageReason::User;
    match (change.kind, change.action) {
        (GroupKind::Group, HistoryAction::ReasonChange) => "Changing reason of installed groups",
        (GroupKind::Group, HistoryAction::Remove) => "Removing groups",
        (GroupKind::Group, HistoryAction::Upgrade) => "Upgrading groups",
        (GroupKind::Group, _) if is_wanted => "Installing groups",
        (GroupKind::Group, _) => "Installing groups dependencies",
        (GroupKind::Environment, HistoryAction::Remove) => "Removing environmental groups",
        (GroupKind::Environment, HistoryAction::Upgrade) => "Upgrading environmental groups",
        (GroupKind::Environment, _) => "Installing environmental groups",
    }
}

/// dnf5 shows what changes its reason first, then what goes, then what changes, then what comes.
fn group_order(action: HistoryAction) -> u8 {
    match action {
        HistoryAction::ReasonChange => 0,
        HistoryAction::Remove => 1,
        HistoryAction::Upgrade => 2,
        _ => 3,
    }
}

fn package_row(sack: &Sack, item: &PlanItem, indent: &str) -> Vec<String> {
    let package = sack.get(item.id);
    let nevra = package.nevra();
    let repository = if package.is_installed() && item.action != PlanAction::ReasonChange {
        repository_of(sack, item.id)
    } else {
        package.details.repository.as_str()
    };
    cells(package, indent, nevra.evr.with_epoch(), repository)
}

fn cells(package: SackPackage<'_>, indent: &str, evr: String, repository: &str) -> Vec<String> {
    let nevra = package.nevra();
    vec![
        format!("{indent}{}", nevra.name),
        nevra.arch.clone(),
        evr,
        repository.to_owned(),
        size_text(package.details.size_installed),
    ]
}

fn add_left_out(
    plan: &Plan,
    sack: &Sack,
    rows: &mut Vec<Vec<String>>,
    headings: &mut Vec<(usize, &str)>,
) {
    let left_out = [
        ("Skipping packages with conflicts", &plan.conflicting),
        ("Skipping packages with broken dependencies", &plan.skipped),
    ];
    for (heading, ids) in left_out.into_iter().filter(|(_, ids)| !ids.is_empty()) {
        headings.push((rows.len(), heading));
        let mut ids: Vec<PackageId> = ids.iter().copied().collect();
        ids.sort_by(|a, b| sack.get(*a).nevra().cmp(sack.get(*b).nevra()));
        rows.extend(ids.into_iter().map(|id| {
            let package = sack.get(id);
            cells(package, " ", package.nevra().evr.to_string(), &package.details.repository)
        }));
    }
}

fn section(item: &PlanItem) -> &'static str {
    match (item.action, item.reason) {
        (PlanAction::Install, PackageReason::Dependency) => "Installing dependencies",
        (PlanAction::Install, PackageReason::WeakDependency) => "Installing weak dependencies",
        (PlanAction::Install, PackageReason::Group) => "Installing group/module packages",
        (PlanAction::Install, _) => "Installing",
        (PlanAction::Upgrade, _) => "Upgrading",
        (PlanAction::Downgrade, _) => "Downgrading",
        (PlanAction::Reinstall, _) => "Reinstalling",
        (PlanAction::Remove, PackageReason::Dependency) => "Removing dependent packages",
        (PlanAction::Remove, PackageReason::Clean) => "Removing unused dependencies",
        (PlanAction::Remove, _) => "Removing",
        (PlanAction::ReasonChange, _) => "Changing reason",
    }
}

/// dnf5 shows what goes first, then what changes, then what comes.
fn section_order(item: &PlanItem) -> (u8, u8) {
    let action = match item.action {
        PlanAction::ReasonChange => 0,
        PlanAction::Remove => 1,
        PlanAction::Reinstall => 2,
        PlanAction::Downgrade => 3,
        PlanAction::Upgrade => 4,
        PlanAction::Install => 5,
    };
    let reason = match (item.action, item.reason) {
        (PlanAction::Install, PackageReason::Group) => 1,
        (PlanAction::Install | PlanAction::Remove, PackageReason::Dependency) => 2,
        (PlanAction::Install, PackageReason::WeakDependency)
        | (PlanAction::Remove, PackageReason::Clean) => 3,
        _ => 0,
    };
    (action, reason)
}

/// Returns the lines below the table.
pub fn summary(plan: &Plan) -> Vec<String> {
    let count = |action: PlanAction| plan.items.iter().filter(|item| item.action == action).count();
    // Several packages may obsolete one.
    let replaced: BTreeSet<PackageId> =
        plan.items.iter().flat_map(|item| item.replaces.iter().copied()).collect();
    let counts = [
        ("Installing", count(PlanAction::Install)),
        ("Reinstalling", count(PlanAction::Reinstall)),
        ("Upgrading", count(PlanAction::Upgrade)),
        ("Replacing", replaced.len()),
        ("Downgrading", count(PlanAction::Downgrade)),
        ("Removing", count(PlanAction::Remove)),
        ("Changing reason", count(PlanAction::ReasonChange)),
        ("Skipping", plan.skipped.len() + plan.conflicting.len()),
    ];
    let mut lines = vec!["Transaction Summary:".to_owned()];
    for (word, number) in counts.into_iter().filter(|(_, number)| *number > 0) {
        let noun = if number == 1 { "package" } else { "packages" };
        lines.push(format!(" {:<17}{number:>4} {noun}", format!("{word}:")));
    }
    lines
}

/// Returns the lines about sizes; `present` bytes need no download.
pub fn size_lines(plan: &Plan, sack: &Sack, present: u64) -> Vec<String> {
    let size = plan.size(sack);
    let mut lines = Vec::new();
    if size.inbound > 0 {
        lines.push(format!(
            "Total size of inbound packages is {}. Need to download {}.",
            size_rounded(size.inbound),
            size_rounded(size.inbound.saturating_sub(present))
        ));
    }
    let detail = format!(
        "(install {}, remove {})",
        size_rounded(size.installed),
        size_rounded(size.removed)
    );
    if size.installed >= size.removed {
        let extra = size_rounded(size.installed - size.removed);
        lines.push(format!("After this operation, {extra} extra will be used {detail}."));
    } else {
        let freed = size_rounded(size.removed - size.installed);
        lines.push(format!("After this operation, {freed} will be freed {detail}."));
    }
    lines
}
