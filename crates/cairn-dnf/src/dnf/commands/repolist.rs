// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf repolist` and `dnf repoinfo`.

use crate::dnf::cli::RepolistArgs;
use crate::dnf::session::Session;
use crate::dnf::table::{Side, columns, key_values, size_text};
use crate::failure::{CommandResult, Failure, complain};
use cairn_pkg::query::glob;
use cairn_pkg::repos::RepoConfig;
use cairn_pkg::repos::metadata::{
    LoadEvent, Repository, load_repository, must_sign_metadata, must_sign_packages,
};
use cairn_ui::exit;
use cairn_ui::format::{Zone, date_time};
use serde_json::json;

/// Runs `dnf repolist`.
pub fn list(session: &Session, args: &RepolistArgs) -> CommandResult {
    let repositories = selected(session, args);
    if args.json {
        let values: Vec<serde_json::Value> = repositories
            .iter()
            .map(|r| json!({"id": r.id, "name": r.display_name(), "is_enabled": r.enabled}))
            .collect();
        return print_json(session, &values);
    }
    if repositories.is_empty() {
        say_nothing(session);
        return Ok(exit::SUCCESS);
    }
    let with_status = args.all;
    let mut head = vec!["repo id".to_owned(), "repo name".to_owned()];
    if with_status {
        head.push("status".to_owned());
    }
    let mut rows = vec![head];
    for repository in &repositories {
        let mut row = vec![repository.id.clone(), repository.display_name().to_owned()];
        if with_status {
            row.push(status(repository).to_owned());
        }
        rows.push(row);
    }
    for line in columns(&[Side::Left, Side::Left, Side::Right], &rows) {
        session.printer.data(&line);
    }
    Ok(exit::SUCCESS)
}

/// Runs `dnf repoinfo`.
pub fn info(session: &Session, args: &RepolistArgs) -> CommandResult {
    let repositories = selected(session, args);
    if repositories.is_empty() && !args.json {
        say_nothing(session);
    }
    let context = session.load_context(false);
    let mut values = Vec::new();
    for repository in &repositories {
        let loaded = if repository.enabled {
            Some(load_repository(repository, &context, &mut |_: LoadEvent| {})?)
        } else {
            None
        };
        let pairs = describe(session, repository, loaded.as_ref());
        if args.json {
            let object: serde_json::Map<String, serde_json::Value> = pairs
                .iter()
                .map(|(key, value)| (key.trim().to_lowercase().replace(' ', "_"), json!(value)))
                .collect();
            values.push(serde_json::Value::Object(object));
            continue;
        }
        for line in key_values(&pairs) {
            session.printer.data(&line);
        }
        session.printer.data("");
    }
    if args.json { print_json(session, &values) } else { Ok(exit::SUCCESS) }
}

fn say_nothing(session: &Session) {
    complain(if session.configuration.repositories.is_empty() {
        "No repositories available"
    } else {
        "No matches found."
    });
}

fn print_json(session: &Session, values: &[serde_json::Value]) -> CommandResult {
    session
        .printer
        .json(&values)
        .map_err(|error| Failure::new(format!("cannot write JSON: {error}")))?;
    Ok(exit::SUCCESS)
}

fn selected<'a>(session: &'a Session, args: &RepolistArgs) -> Vec<&'a RepoConfig> {
    let wanted = |repository: &&RepoConfig| {
        let by_status = args.all || repository.enabled != args.disabled;
        let by_name = args.specs.is_empty()
            || args.specs.iter().any(|spec| {
                glob::matches(spec, &repository.id)
                    || glob::matches_ignoring_case(spec, repository.display_name())
            });
        by_status && by_name
    };
    let mut repositories: Vec<&RepoConfig> =
        session.configuration.repositories.iter().filter(wanted).collect();
    repositories.sort_by(|a, b| a.id.cmp(&b.id));
    repositories
}

fn status(repository: &RepoConfig) -> &'static str {
    if repository.enabled { "enabled" } else { "disabled" }
}

fn describe<'a>(
    session: &Session,
    repository: &RepoConfig,
    loaded: Option<&Repository>,
) -> Vec<(&'a str, String)> {
    let main = &session.configuration.main;
    let expire = match repository.metadata_expire.unwrap_or(main.metadata_expire) {
        Some(seconds) => format!("{seconds} seconds"),
        None => "never".to_owned(),
    };
    let last = match loaded {
        Some(loaded) => format!(" (last: {})", date_time(loaded.checked, Zone::Local)),
        None => String::new(),
    };
    let skip = repository.skip_if_unavailable.unwrap_or(main.skip_if_unavailable);
    let mut pairs = vec![
        ("Repo ID", repository.id.clone()),
        ("Name", repository.display_name().to_owned()),
        ("Status", status(repository).to_owned()),
        ("Priority", repository.priority.to_string()),
        ("Cost", repository.cost.to_string()),
        ("Type", "available".to_owned()),
        ("Metadata expire", format!("{expire}{last}")),
        ("Skip if unavailable", skip.to_string()),
    ];
    if !repository.file.is_empty() {
        pairs.push(("Config file", repository.file.clone()));
    }
    pairs.push(("URLs", String::new()));
    pairs.push(("  Base URL", repository.baseurl.join("\n")));
    if let Some(url) = &repository.mirrorlist {
        pairs.push(("  Mirrorlist", url.clone()));
    }
    if let Some(url) = &repository.metalink {
        pairs.push(("  Metalink", url.clone()));
    }
    pairs.push(("OpenPGP", String::new()));
    if !repository.gpgkey.is_empty() {
        pairs.push(("  Keys", repository.gpgkey.join("\n")));
    }
    pairs.push(("  Verify repodata", must_sign_metadata(repository, main).to_string()));
    pairs.push(("  Verify packages", must_sign_packages(repository, main).to_string()));
    if let Some(loaded) = loaded {
        let size: u64 = loaded.packages.iter().map(|package| package.size_package).sum();
        let updated =
            loaded.repomd.records.iter().map(|record| record.timestamp).max().unwrap_or(0);
        pairs.push(("Repodata info", String::new()));
        pairs.push(("  Available packages", loaded.packages.len().to_string()));
        pairs.push(("  Total packages", loaded.packages.len().to_string()));
        pairs.push(("  Size", size_text(size)));
        pairs.push(("  Revision", loaded.repomd.revision.clone()));
        pairs.push(("  Updated", date_time(i64::try_from(updated).unwrap_or(0), Zone::Local)));
    }
    pairs
}
