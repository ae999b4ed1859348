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
        let about = About::of(session, repository, loaded.as_ref());
        if args.json {
            values.push(about.value());
            continue;
        }
        for line in key_values(&about.pairs()) {
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

/// What is shown of a repository.
struct About<'a> {
    repository: &'a RepoConfig,
    /// Its file, as it is named from the host.
    file: String,
    /// Seconds after which its metadata is checked again; `None` = never.
    expire: Option<u64>,
    skips: bool,
    checks_metadata: bool,
    checks_packages: bool,
    loaded: Option<&'a Repository>,
    /// How many of its packages excludes and includes let in.
    n_available: usize,
    /// Bytes of all its packages.
    size: u64,
    /// When its newest file was made, seconds since 1970.
    updated: u64,
}

impl<'a> About<'a> {
    fn of(session: &Session, repository: &'a RepoConfig, loaded: Option<&'a Repository>) -> Self {
        let main = &session.configuration.main;
        let excludes = session.options.excludes();
        let filters = session.filters(repository, &excludes);
        let packages = || loaded.iter().flat_map(|loaded| &loaded.packages);
        let lets_in = |nevra| filters.iter().all(|filter| filter.lets_in(nevra));
        let records = loaded.iter().flat_map(|loaded| &loaded.repomd.records);
        Self {
            repository,
            file: file(session, repository),
            expire: repository.metadata_expire.unwrap_or(main.metadata_expire),
            skips: repository.skip_if_unavailable.unwrap_or(main.skip_if_unavailable),
            checks_metadata: must_sign_metadata(repository, main),
            checks_packages: must_sign_packages(repository, main),
            loaded,
            n_available: packages().filter(|package| lets_in(&package.nevra)).count(),
            size: packages().map(|package| package.size_package).sum(),
            updated: records.map(|record| record.timestamp).max().unwrap_or(0),
        }
    }

    fn pairs(&self) -> Vec<(&'static str, String)> {
        let repository = self.repository;
        let mut pairs = vec![
            ("Repo ID", repository.id.clone()),
            ("Name", repository.display_name().to_owned()),
            ("Status", status(repository).to_owned()),
            ("Priority", repository.priority.to_string()),
            ("Cost", repository.cost.to_string()),
            ("Type", "available".to_owned()),
        ];
        let mut add_list = |key, list: &[String]| {
            if !list.is_empty() {
                pairs.push((key, list.join(" ")));
            }
        };
        add_list("Exclude packages", &repository.excludepkgs);
        add_list("Include packages", &repository.includepkgs);
        pairs.push(("Metadata expire", self.expire_text()));
        pairs.push(("Skip if unavailable", self.skips.to_string()));
        if !self.file.is_empty() {
            pairs.push(("Config file", self.file.clone()));
        }
        pairs.push(("URLs", String::new()));
        pairs.push(("  Base URL", repository.baseurl.join(" ")));
        let lists =
            [("  Mirrorlist", &repository.mirrorlist), ("  Metalink", &repository.metalink)];
        pairs.extend(lists.into_iter().filter_map(|(key, url)| Some((key, url.clone()?))));
        pairs.push(("OpenPGP", String::new()));
        if !repository.gpgkey.is_empty() {
            pairs.push(("  Keys", repository.gpgkey.join(" ")));
        }
        pairs.push(("  Verify repodata", self.checks_metadata.to_string()));
        pairs.push(("  Verify packages", self.checks_packages.to_string()));
        if let Some(loaded) = self.loaded {
            pairs.push(("Repodata info", String::new()));
            pairs.push(("  Available packages", self.n_available.to_string()));
            pairs.push(("  Total packages", loaded.packages.len().to_string()));
            pairs.push(("  Size", size_text(self.size)));
            pairs.push(("  Revision", loaded.repomd.revision.clone()));
            let updated = i64::try_from(self.updated).unwrap_or(0);
            pairs.push(("  Updated", date_time(updated, Zone::Local)));
        }
        pairs
    }

    fn expire_text(&self) -> String {
        let expire = match self.expire {
            Some(seconds) => format!("{seconds} seconds"),
            None => "Never".to_owned(),
        };
        let last = match self.loaded {
            Some(loaded) => date_time(loaded.checked, Zone::Local),
            None => "unknown".to_owned(),
        };
        format!("{expire} (last: {last})")
    }

    /// The same with dnf5's keys.
    fn value(&self) -> serde_json::Value {
        let repository = self.repository;
        let expire = self.expire.and_then(|seconds| i64::try_from(seconds).ok());
        let repomd = self.loaded.map(|loaded| &loaded.repomd);
        let distro: Vec<&String> =
            repomd.iter().flat_map(|repomd| &repomd.distro_tags).map(|(_, text)| text).collect();
        json!({
            "id": repository.id,
            "name": repository.display_name(),
            "is_enabled": repository.enabled,
            "priority": repository.priority,
            "cost": repository.cost,
            "type": "available",
            "exclude_pkgs": repository.excludepkgs,
            "include_pkgs": repository.includepkgs,
            "timestamp": self.loaded.map_or(-1, |loaded| loaded.checked),
            "metadata_expire": expire.unwrap_or(-1),
            "skip_if_unavailable": self.skips,
            "repo_file_path": self.file,
            "base_url": repository.baseurl,
            "metalink": repository.metalink.as_deref().unwrap_or_default(),
            "mirrorlist": repository.mirrorlist.as_deref().unwrap_or_default(),
            "gpg_key": repository.gpgkey,
            "repo_gpgcheck": self.checks_metadata,
            "pkg_gpgcheck": self.checks_packages,
            "available_pkgs": self.n_available,
            "pkgs": self.loaded.map_or(0, |loaded| loaded.packages.len()),
            "size": self.size,
            "content_tags": repomd.map(|repomd| repomd.content_tags.as_slice()).unwrap_or_default(),
            "distro_tags": distro,
            "revision": repomd.map(|repomd| repomd.revision.as_str()).unwrap_or_default(),
            "max_timestamp": self.updated,
        })
    }
}

/// Returns the file that a repository is written in, as the host names it.
fn file(session: &Session, repository: &RepoConfig) -> String {
    if repository.file.is_empty() || session.configuration.on_host.repositories {
        return repository.file.clone();
    }
    let root = session.config_root.path_for_display();
    root.join(repository.file.trim_start_matches('/')).display().to_string()
}
