// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf group list|info|install|upgrade|remove`.

use super::change::{request, run_request};
use super::recover::recover_first;
use crate::dnf::cli::{GroupInstallArgs, GroupListArgs, GroupRemoveArgs, GroupUpgradeArgs};
use crate::dnf::session::{Loaded, Needs, Session};
use crate::dnf::table::{Side, fitted, wide_key_values};
use crate::failure::{CommandResult, Failure, complain};
use cairn_pkg::query::glob;
use cairn_pkg::resolve::groups::Group;
use cairn_pkg::resolve::{GroupPackages, Request};
use cairn_ui::exit;
use serde_json::{Value, json};

/// Types of packages and their titles, in the order they are shown.
const KINDS: [(&str, &str); 4] = [
    ("mandatory", "Mandatory packages"),
    ("default", "Default packages"),
    ("optional", "Optional packages"),
    ("conditional", "Conditional packages"),
];

/// Least width of keys in details and of identifiers in lists, as in dnf5.
pub const WIDTH: usize = 20;

/// Shows a list of groups or environments: identifiers, names, whether they are installed.
pub fn show_list<'a>(session: &Session, all: impl Iterator<Item = (&'a str, &'a str, bool)>) {
    let mut rows = vec![["ID", "Name", "Installed"].map(str::to_owned).to_vec()];
    rows.extend(all.map(|(id, name, is_installed)| {
        vec![id.to_owned(), name.to_owned(), yes_or_no(is_installed).to_owned()]
    }));
    let ids = rows.iter().skip(1).map(|row| row[0].chars().count());
    // As dnf5's library of tables: a column that its heading makes wider needs no width of its own.
    if ids.max().is_some_and(|widest| widest > rows[0][0].len()) {
        rows[0][0] = format!("{:<WIDTH$}", rows[0][0]);
    }
    for line in fitted(&[Side::Left, Side::Left, Side::Right], &rows, session.width()) {
        session.printer.data(&line);
    }
}

/// Runs `dnf group list`.
pub fn list(session: &Session, args: &GroupListArgs) -> CommandResult {
    let loaded = session.load(Needs::AVAILABLE)?;
    let groups = selected(&loaded, args);
    if args.json {
        let values: Vec<Value> = groups
            .iter()
            .map(|group| {
                json!({
                    "id": group.id,
                    "name": group.name,
                    "installed": is_installed(&loaded, group),
                })
            })
            .collect();
        return print_json(session, &values);
    }
    if groups.is_empty() {
        say_nothing(&loaded);
        return Ok(exit::SUCCESS);
    }
    let count = groups.len();
    let installed = groups.iter().filter(|group| is_installed(&loaded, group)).count();
    let rows = groups
        .iter()
        .map(|group| (group.id.as_str(), group.name.as_str(), is_installed(&loaded, group)));
    show_list(session, rows);
    session
        .printer
        .data(&format!("Groups: {count} ({installed} installed, {} available)", count - installed));
    Ok(exit::SUCCESS)
}

/// Runs `dnf group info`.
pub fn info(session: &Session, args: &GroupListArgs) -> CommandResult {
    let loaded = session.load(Needs::AVAILABLE)?;
    let groups = selected(&loaded, args);
    if args.json {
        let values: Vec<Value> = groups.iter().map(|group| info_value(&loaded, group)).collect();
        return print_json(session, &values);
    }
    if groups.is_empty() {
        say_nothing(&loaded);
        return Ok(exit::SUCCESS);
    }
    for group in groups {
        let mut pairs = vec![
            ("Id", group.id.clone()),
            ("Name", group.name.clone()),
            ("Description", group.description.clone()),
            ("Installed", yes_or_no(is_installed(&loaded, group)).to_owned()),
            ("Order", group.order.map_or_else(String::new, |order| order.to_string())),
            ("Langonly", group.lang_only.clone().unwrap_or_default()),
            ("Uservisible", yes_or_no(group.is_visible).to_owned()),
            ("Repositories", group.repositories.join(", ")),
        ];
        for (kind, title) in KINDS {
            let mut names = group.names(&[kind.to_owned()]);
            names.sort();
            if !names.is_empty() {
                pairs.push((title, names.join("\n")));
            }
        }
        for line in wide_key_values(&pairs, WIDTH) {
            session.printer.data(&line);
        }
        session.printer.data("");
    }
    Ok(exit::SUCCESS)
}

fn info_value(loaded: &Loaded, group: &Group) -> Value {
    let mut value = json!({
        "id": group.id,
        "name": group.name,
        "description": group.description,
        "installed": is_installed(loaded, group),
        "order": group.order,
        "langonly": group.lang_only,
        "uservisible": group.is_visible,
        "repositories": group.repositories,
    });
    for (kind, _) in KINDS {
        value[format!("{kind}_packages")] = json!(group.names(&[kind.to_owned()]));
    }
    value
}

/// Returns the types of packages to install.
pub fn types(request: &Request<'_>, args: &GroupInstallArgs) -> Vec<String> {
    let mut types = request.group_package_types().to_vec();
    if args.with_optional && !types.iter().any(|kind| kind == "optional") {
        types.push("optional".to_owned());
    }
    types
}

/// Returns whether packages change with the groups.
pub fn packages(no_packages: bool) -> GroupPackages {
    if no_packages { GroupPackages::Keep } else { GroupPackages::Change }
}

/// Runs `dnf group install`.
pub fn install(session: &Session, args: &GroupInstallArgs) -> CommandResult {
    recover_first(session)?;
    let loaded = session.load(Needs::ALL)?;
    let mut request = request(session, &loaded, &args.resolve);
    let types = types(&request, args);
    for spec in &args.specs {
        request.install_group(spec, &types, packages(args.no_packages));
    }
    run_request(session, &loaded, request, &args.resolve)
}

/// Runs `dnf group upgrade`.
pub fn upgrade(session: &Session, args: &GroupUpgradeArgs) -> CommandResult {
    recover_first(session)?;
    let loaded = session.load(Needs::ALL)?;
    let mut request = request(session, &loaded, &args.resolve);
    for spec in &args.specs {
        request.upgrade_group(spec);
    }
    run_request(session, &loaded, request, &args.resolve)
}

/// Runs `dnf group remove`.
pub fn remove(session: &Session, args: &GroupRemoveArgs) -> CommandResult {
    recover_first(session)?;
    // Removing needs no repository: names of what is installed are enough.
    let loaded = session.load(Needs::INSTALLED)?;
    let options = args.keep.resolve();
    let mut request = request(session, &loaded, &options);
    request.remove_group(&args.specs, packages(args.no_packages));
    run_request(session, &loaded, request, &options)
}

fn is_installed(loaded: &Loaded, group: &Group) -> bool {
    loaded.state.groups.contains_key(&group.id)
}

/// dnf5's word for a truth.
pub fn yes_or_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

fn selected<'a>(loaded: &'a Loaded, args: &GroupListArgs) -> Vec<&'a Group> {
    let mut groups = loaded.groups.all();
    groups.retain(|group| {
        let is_installed = is_installed(loaded, group);
        let by_spec = args.specs.is_empty() || args.specs.iter().any(|spec| group.is_meant(spec));
        let by_state = (!args.installed || is_installed) && (!args.available || !is_installed);
        let by_visibility = group.is_visible || args.hidden || !args.specs.is_empty();
        let has =
            |pattern: &String| group.packages.iter().any(|(name, _)| glob::matches(pattern, name));
        let by_packages = args.contains_pkgs.is_empty() || args.contains_pkgs.iter().any(has);
        by_spec && by_state && by_visibility && by_packages
    });
    groups
}

/// Says that nothing matches.
pub fn say_nothing(loaded: &Loaded) {
    if loaded.sack.repositories.is_empty() {
        complain("No matches found: no repositories are enabled.");
    } else if loaded.groups.all().is_empty() {
        complain("No matches found: no groups exist.");
    } else {
        complain("No matches found.");
    }
}

/// Writes values as JSON.
pub fn print_json(session: &Session, values: &[Value]) -> CommandResult {
    let written = session.printer.json(&values);
    written.map_err(|error| Failure::new(format!("cannot write JSON: {error}")))?;
    Ok(exit::SUCCESS)
}
