// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf group list|info|install|remove`.

use super::change::run_request;
use super::recover::recover_first;
use crate::dnf::cli::{GroupInstallArgs, GroupListArgs, GroupRemoveArgs, ResolveOptions};
use crate::dnf::session::{Loaded, Needs, Session};
use crate::dnf::table::{Side, columns, key_values};
use crate::dnf::transact::settings;
use crate::failure::{CommandResult, Failure, complain};
use cairn_pkg::resolve::Request;
use cairn_pkg::resolve::groups::Group;
use cairn_ui::exit;

/// Runs `dnf group list`.
pub fn list(session: &Session, args: &GroupListArgs) -> CommandResult {
    let loaded = session.load(Needs::AVAILABLE)?;
    let groups = selected(&loaded, args);
    if groups.is_empty() {
        return nothing(&loaded, args);
    }
    let mut rows = vec![["ID", "Name", "Installed"].map(str::to_owned).to_vec()];
    for group in groups {
        let installed = if loaded.state.groups.contains_key(&group.id) { "yes" } else { "no" };
        rows.push(vec![group.id.clone(), group.name.clone(), installed.to_owned()]);
    }
    for line in columns(&[Side::Left, Side::Left, Side::Right], &rows) {
        session.printer.data(&line);
    }
    Ok(exit::SUCCESS)
}

/// Runs `dnf group info`.
pub fn info(session: &Session, args: &GroupListArgs) -> CommandResult {
    let loaded = session.load(Needs::AVAILABLE)?;
    let groups = selected(&loaded, args);
    if groups.is_empty() {
        return nothing(&loaded, args);
    }
    for group in groups {
        let of = |kind: &str| {
            let names =
                group.packages.iter().filter(|(_, k)| k == kind).map(|(name, _)| name.as_str());
            names.collect::<Vec<_>>().join("\n")
        };
        let installed = if loaded.state.groups.contains_key(&group.id) { "yes" } else { "no" };
        let mut pairs = vec![
            ("Id", group.id.clone()),
            ("Name", group.name.clone()),
            ("Description", group.description.clone()),
            ("Installed", installed.to_owned()),
            ("Order", group.order.to_string()),
            ("Repositories", group.repository.clone()),
        ];
        for (title, kind) in [
            ("Mandatory packages", "mandatory"),
            ("Default packages", "default"),
            ("Conditional packages", "conditional"),
            ("Optional packages", "optional"),
        ] {
            let names = of(kind);
            if !names.is_empty() {
                pairs.push((title, names));
            }
        }
        for line in key_values(&pairs) {
            session.printer.data(&line);
        }
        session.printer.data("");
    }
    Ok(exit::SUCCESS)
}

/// Runs `dnf group install`.
pub fn install(session: &Session, args: &GroupInstallArgs) -> CommandResult {
    recover_first(session)?;
    let loaded = session.load(Needs::ALL)?;
    let settings = settings(session, &args.resolve);
    let mut types = settings.group_package_types.clone();
    if args.with_optional && !types.iter().any(|kind| kind == "optional") {
        types.push("optional".to_owned());
    }
    let mut request = Request::new(&loaded.sack, &loaded.groups, &loaded.state, settings);
    for spec in &args.specs {
        request.install_group(spec, &types);
    }
    run_request(session, &loaded, request, &args.resolve)
}

/// Runs `dnf group remove`.
pub fn remove(session: &Session, args: &GroupRemoveArgs) -> CommandResult {
    recover_first(session)?;
    let loaded = session.load(Needs::ALL)?;
    let options = ResolveOptions::default();
    let mut request =
        Request::new(&loaded.sack, &loaded.groups, &loaded.state, settings(session, &options));
    for spec in &args.specs {
        request.remove_group(spec);
    }
    run_request(session, &loaded, request, &options)
}

fn selected<'a>(loaded: &'a Loaded, args: &GroupListArgs) -> Vec<&'a Group> {
    let mut groups = loaded.groups.all();
    groups.retain(|group| {
        let is_installed = loaded.state.groups.contains_key(&group.id);
        let by_spec = args.specs.is_empty()
            || args
                .specs
                .iter()
                .any(|spec| loaded.groups.find(spec).iter().any(|found| found.id == group.id));
        let by_state = (!args.installed || is_installed) && (!args.available || !is_installed);
        let by_visibility =
            group.is_visible || args.hidden || is_installed || !args.specs.is_empty();
        by_spec && by_state && by_visibility
    });
    groups
}

fn nothing(loaded: &Loaded, args: &GroupListArgs) -> CommandResult {
    if loaded.groups.all().is_empty() {
        complain("No matches found: no groups exist.");
    } else {
        complain("No matches found.");
    }
    if args.specs.is_empty() { Ok(exit::SUCCESS) } else { Err(Failure::silent(exit::FAILURE)) }
}
