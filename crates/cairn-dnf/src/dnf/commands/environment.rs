// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf environment list|info|install|upgrade|remove`.

use super::change::{request, run_request};
use super::group::{WIDTH, packages, print_json, say_nothing, show_list, types};
use super::recover::recover_first;
use crate::dnf::cli::{EnvironmentListArgs, GroupInstallArgs, GroupRemoveArgs, GroupUpgradeArgs};
use crate::dnf::session::{Loaded, Needs, Session};
use crate::dnf::table::wide_key_values;
use crate::failure::CommandResult;
use cairn_pkg::resolve::groups::Environment;
use cairn_ui::exit;
use serde_json::{Value, json};

/// Runs `dnf environment list`.
pub fn list(session: &Session, args: &EnvironmentListArgs) -> CommandResult {
    let loaded = session.load(Needs::AVAILABLE)?;
    let environments = selected(&loaded, args);
    if args.json {
        let value = |one: &&Environment| json!({"id": one.id, "name": one.name, "installed": is_installed(&loaded, one)});
        return print_json(session, &environments.iter().map(value).collect::<Vec<Value>>());
    }
    if environments.is_empty() {
        say_nothing(&loaded);
        return Ok(exit::SUCCESS);
    }
    let rows = environments
        .iter()
        .map(|one| (one.id.as_str(), one.name.as_str(), is_installed(&loaded, one)));
    show_list(session, rows);
    Ok(exit::SUCCESS)
}

/// Runs `dnf environment info`.
pub fn info(session: &Session, args: &EnvironmentListArgs) -> CommandResult {
    let loaded = session.load(Needs::AVAILABLE)?;
    let environments = selected(&loaded, args);
    if args.json {
        let value = |one: &&Environment| {
            json!({
                "id": one.id,
                "name": one.name,
                "description": one.description,
                "order": one.order,
                "installed": is_installed(&loaded, one),
                "repositories": one.repositories,
                "required_groups": one.groups,
                "default_groups": one.defaults,
                "optional_groups": one.options,
            })
        };
        return print_json(session, &environments.iter().map(value).collect::<Vec<Value>>());
    }
    if environments.is_empty() {
        say_nothing(&loaded);
        return Ok(exit::SUCCESS);
    }
    for one in environments {
        let mut pairs = vec![
            ("Id", one.id.clone()),
            ("Name", one.name.clone()),
            ("Description", one.description.clone()),
            ("Order", one.order.map_or_else(String::new, |order| order.to_string())),
            ("Installed", if is_installed(&loaded, one) { "True" } else { "False" }.to_owned()),
            ("Repositories", one.repositories.join(", ")),
        ];
        let lists = [
            ("Required groups", &one.groups),
            ("Default groups", &one.defaults),
            ("Optional groups", &one.options),
        ];
        for (title, ids) in lists {
            if !ids.is_empty() {
                pairs.push((title, ids.join("\n")));
            }
        }
        for line in wide_key_values(&pairs, WIDTH) {
            session.printer.data(&line);
        }
        session.printer.data("");
    }
    Ok(exit::SUCCESS)
}

/// Runs `dnf environment install`.
pub fn install(session: &Session, args: &GroupInstallArgs) -> CommandResult {
    recover_first(session)?;
    let loaded = session.load(Needs::ALL)?;
    let mut request = request(session, &loaded, &args.resolve);
    let types = types(&request, args);
    for spec in &args.specs {
        request.install_environment(spec, &types, packages(args.no_packages));
    }
    run_request(session, &loaded, request, &args.resolve)
}

/// Runs `dnf environment upgrade`.
pub fn upgrade(session: &Session, args: &GroupUpgradeArgs) -> CommandResult {
    recover_first(session)?;
    let loaded = session.load(Needs::ALL)?;
    let mut request = request(session, &loaded, &args.resolve);
    for spec in &args.specs {
        request.upgrade_environment(spec);
    }
    run_request(session, &loaded, request, &args.resolve)
}

/// Runs `dnf environment remove`.
pub fn remove(session: &Session, args: &GroupRemoveArgs) -> CommandResult {
    recover_first(session)?;
    let loaded = session.load(Needs::INSTALLED)?;
    let options = args.keep.resolve();
    let mut request = request(session, &loaded, &options);
    for spec in &args.specs {
        request.remove_environment(spec, packages(args.no_packages));
    }
    run_request(session, &loaded, request, &options)
}

fn is_installed(loaded: &Loaded, environment: &Environment) -> bool {
    loaded.state.environments.contains_key(&environment.id)
}

fn selected<'a>(loaded: &'a Loaded, args: &EnvironmentListArgs) -> Vec<&'a Environment> {
    let mut environments = loaded.groups.all_environments();
    environments.retain(|one| {
        let is_installed = is_installed(loaded, one);
        let by_state = (!args.installed || is_installed) && (!args.available || !is_installed);
        by_state && (args.specs.is_empty() || args.specs.iter().any(|spec| one.is_meant(spec)))
    });
    environments
}
