// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf config-manager`: writes the files that dnf5's writes. What is written is read first as if it were in place, so that no
//! command leaves a configuration that the next one cannot use.

use crate::dnf::cli::{AddrepoArgs, ConfigNamesArgs, ConfigSwitchArgs, ConfigValuesArgs};
use crate::dnf::ini_edit::{self, EmptySection};
use crate::dnf::session::Session;
use crate::failure::{CommandResult, Failure, complain};
use cairn_host::Root;
use cairn_pkg::query::glob;
use cairn_pkg::repos::config::Position;
use cairn_pkg::repos::load::CONFIG_FILE;
use cairn_pkg::repos::{ConfigError, MainConfig, RepoConfig, ini};
use cairn_ui::exit;
use std::collections::BTreeMap;

/// File with the changes to repositories.
const OVERRIDES: &str = "etc/dnf/repos.override.d/99-config_manager.repo";
/// Largest repository file that is fetched, in bytes.
const FILE_LIMIT: u64 = 1 << 20;

/// Runs `dnf config-manager addrepo`.
pub fn addrepo(session: &Session, args: &AddrepoArgs) -> CommandResult {
    let directory = session.configuration.main.reposdir.first().cloned().unwrap_or_default();
    let directory = directory.trim_matches('/').to_owned();
    ensure_directory(&session.config_root, &directory, args.create_missing_dir)?;
    match &args.from_repofile {
        Some(source) => add_file(session, args, &directory, source),
        None => add_one(session, args, &directory),
    }
}

fn add_file(session: &Session, args: &AddrepoArgs, directory: &str, source: &str) -> CommandResult {
    let bytes = if source.contains("://") {
        session.network.fetcher.get(source, FILE_LIMIT)?
    } else {
        std::fs::read(source)
            .map_err(|error| Failure::new(format!("cannot read `{source}`: {error}")))?
    };
    let name = source.rsplit('/').next().unwrap_or_default();
    let path = target(args.save_filename.as_deref().unwrap_or(name), directory)?;
    refuse_existing(session, args, &path)?;
    let sections = ini::parse(source, &bytes)?;
    if sections.is_empty() {
        return Err(Failure::new(format!("{source}: no repository in the file"))
            .hint("a repository begins with a line as `[id]`"));
    }
    let ids: Vec<&str> = sections.iter().map(|section| section.name.as_str()).collect();
    refuse_known_ids(session, &ids, &path)?;
    check_sections(session, source, &sections)?;
    session.config_root.write_atomic(&path, &bytes, 0o644)?;
    Ok(exit::SUCCESS)
}

fn add_one(session: &Session, args: &AddrepoArgs, directory: &str) -> CommandResult {
    let mut options: Vec<(String, String)> = Vec::new();
    for setting in &args.set {
        options.push(split(setting, "--set")?);
    }
    let url = ["baseurl", "mirrorlist", "metalink"].iter().find_map(|key| {
        options.iter().find(|(name, value)| name == key && !value.is_empty()).map(|(_, url)| url)
    });
    let Some(url) = url else {
        return Err(Failure::usage("the new repository has no address")
            .hint("give --from-repofile=FILE, --set=baseurl=URL, --set=mirrorlist=URL or --set=metalink=URL"));
    };
    let id = args.id.clone().unwrap_or_else(|| id_of(url));
    let path = target(args.save_filename.as_deref().unwrap_or(&id), directory)?;
    if !args.add_or_replace {
        refuse_existing(session, args, &path)?;
    }
    refuse_known_ids(session, &[&id], &path)?;
    let mut body = format!("[{id}]\n");
    if !options.iter().any(|(key, _)| key == "name") {
        body.push_str(&format!("name={id} - Created by dnf config-manager\n"));
    }
    if !options.iter().any(|(key, _)| key == "enabled") {
        body.push_str("enabled=1\n");
    }
    for (key, value) in &options {
        body.push_str(&format!("{key}={value}\n"));
    }
    let sections = ini::parse("--set", body.as_bytes())?;
    check_sections(session, "--set", &sections)?;
    refuse_unknown_keys(&sections)?;
    let known =
        if args.add_or_replace { read(&session.config_root, &path)? } else { String::new() };
    let mut text = ini_edit::remove_section(&known, &id);
    if !text.is_empty() && !text.ends_with("\n\n") {
        text.push('\n');
    }
    text.push_str(&body);
    session.config_root.write_atomic(&path, text.as_bytes(), 0o644)?;
    Ok(exit::SUCCESS)
}

fn id_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.trim_matches('/');
    rest.chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':') { c } else { '_' })
        .collect()
}

fn target(name: &str, directory: &str) -> Result<String, Failure> {
    let is_name = !name.is_empty() && !name.starts_with('.') && !name.contains('/');
    if !is_name {
        return Err(Failure::usage(format!("\"{name}\" is no name of a repository file"))
            .hint("give --save-filename=NAME"));
    }
    let suffix = if name.ends_with(".repo") { "" } else { ".repo" };
    Ok(format!("{directory}/{name}{suffix}"))
}

fn refuse_existing(session: &Session, args: &AddrepoArgs, path: &str) -> Result<(), Failure> {
    if args.overwrite || !session.config_root.exists(path)? {
        return Ok(());
    }
    Err(Failure::new(format!("File \"/{path}\" already exists."))
        .hint("add --overwrite to replace it, or --add-or-replace to change one repository in it"))
}

fn refuse_known_ids(session: &Session, ids: &[&str], path: &str) -> Result<(), Failure> {
    for id in ids {
        let same = |r: &&RepoConfig| r.id == *id && r.file.trim_start_matches('/') != path;
        if let Some(known) = session.configuration.repositories.iter().find(same) {
            return Err(Failure::new(format!(
                "A repository with id \"{id}\" already configured in file: {}",
                known.file
            ))
            .hint("give another --id, or change that one with `dnf config-manager setopt`"));
        }
    }
    Ok(())
}

/// Reads the sections as if they were in place.
fn check_sections(session: &Session, file: &str, sections: &[ini::Section]) -> Result<(), Failure> {
    for section in sections {
        let mut configuration = session.configuration.clone();
        configuration.repositories.retain(|repository| repository.id != section.name);
        let mut text = format!("[{}]\n", section.name);
        for entry in &section.entries {
            text.push_str(&format!("{}={}\n", entry.key, entry.value.replace('\n', "\n ")));
        }
        configuration.parse_repository_file(file, text.as_bytes())?;
    }
    Ok(())
}

fn refuse_unknown_keys(sections: &[ini::Section]) -> Result<(), Failure> {
    for section in sections {
        let mut probe = RepoConfig::new(&section.name);
        for entry in &section.entries {
            let at = Position { file: "--set", line: 0 };
            // A value with variables is checked where they are known.
            if let Ok(Some(warning)) = probe.set(&entry.key, &entry.value, at) {
                return Err(unknown(&warning.message, warning.hint));
            }
        }
    }
    Ok(())
}

fn unknown(message: &str, hint: Option<String>) -> Failure {
    let failure = Failure::new(message);
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// An option as `key` or `repository.key`, with its value.
struct Setting {
    repository: Option<String>,
    key: String,
    value: String,
}

impl Setting {
    fn parse(text: &str) -> Result<Self, Failure> {
        let (name, value) = split(text, "setopt")?;
        Ok(Self { value, ..Self::name(&name) })
    }

    fn name(text: &str) -> Self {
        match text.rsplit_once('.') {
            Some((repository, key)) => Self {
                repository: Some(repository.to_owned()),
                key: key.to_owned(),
                value: String::new(),
            },
            None => Self { repository: None, key: text.to_owned(), value: String::new() },
        }
    }
}

fn split(text: &str, what: &str) -> Result<(String, String), Failure> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() && !value.contains('\n') => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err(Failure::usage(format!("{what} {text:?} is not of the form KEY=VALUE"))),
    }
}

/// Refuses a second value for an option of a repository, or of `[main]` where that has no name.
fn set_once(
    seen: &mut BTreeMap<(String, String), String>,
    (repository, key): (&str, &str),
    value: &str,
) -> Result<(), Failure> {
    let before = seen.insert((repository.to_owned(), key.to_owned()), value.to_owned());
    let Some(before) = before.filter(|before| before != value) else { return Ok(()) };
    let of = if repository.is_empty() {
        String::new()
    } else {
        format!(" of the repository \"{repository}\"")
    };
    Err(Failure::new(format!(
        "Sets the \"{key}\" option{of} again with a different value: \"{before}\" != \"{value}\""
    ))
    .hint("give each option once"))
}

/// Runs `dnf config-manager enable` (`value` 1) and `disable` (`value` 0).
pub fn switch(session: &Session, args: &ConfigSwitchArgs, value: u8) -> CommandResult {
    let values = args.repositories.iter().map(|id| format!("{id}.enabled={value}")).collect();
    let args = ConfigValuesArgs { values, create_missing_dir: args.create_missing_dir };
    setopt(session, &args)
}

/// Runs `dnf config-manager setopt`. All settings are checked before the first is written.
pub fn setopt(session: &Session, args: &ConfigValuesArgs) -> CommandResult {
    let root = &session.config_root;
    let mut main = read(root, CONFIG_FILE)?;
    let mut overrides = read(root, OVERRIDES)?;
    let (old_main, old_overrides) = (main.clone(), overrides.clone());
    let mut seen: BTreeMap<(String, String), String> = BTreeMap::new();
    for text in &args.values {
        let setting = Setting::parse(text)?;
        let Setting { key, value, .. } = &setting;
        let at = Position { file: "setopt", line: 0 };
        match &setting.repository {
            None => {
                checked(MainConfig::default().set(key, value, at))?;
                set_once(&mut seen, ("", key), value)?;
                main = ini_edit::set(&main, "main", key, value);
            }
            Some(pattern) => {
                checked(RepoConfig::new("probe").set(key, value, at))?;
                let ids = matching(session, pattern);
                if ids.is_empty() {
                    return Err(Failure::new(format!(
                        "No matching repository to modify: {pattern}"
                    ))
                    .hint("`dnf repolist --all` lists them"));
                }
                for id in ids {
                    set_once(&mut seen, (&id, key), value)?;
                    overrides = ini_edit::set(&overrides, &id, key, value);
                }
            }
        }
    }
    if main != old_main {
        ensure_directory(root, "etc/dnf", args.create_missing_dir)?;
    }
    if overrides != old_overrides {
        ensure_directory(root, "etc/dnf/repos.override.d", args.create_missing_dir)?;
        root.write_atomic(OVERRIDES, overrides.as_bytes(), 0o644)?;
    }
    if main != old_main {
        root.write_atomic(CONFIG_FILE, main.as_bytes(), 0o644)?;
    }
    Ok(exit::SUCCESS)
}

fn checked(
    result: Result<Option<cairn_pkg::repos::ConfigWarning>, ConfigError>,
) -> Result<(), Failure> {
    match result? {
        Some(warning) => Err(unknown(&warning.message, warning.hint)),
        None => Ok(()),
    }
}

fn matching(session: &Session, pattern: &str) -> Vec<String> {
    let ids = session.configuration.repositories.iter().map(|repository| repository.id.clone());
    ids.filter(|id| glob::matches(pattern, id)).collect()
}

/// Runs `dnf config-manager unsetopt`.
pub fn unsetopt(session: &Session, args: &ConfigNamesArgs) -> CommandResult {
    let root = &session.config_root;
    let mut main = read(root, CONFIG_FILE)?;
    let mut overrides = read(root, OVERRIDES)?;
    let (old_main, old_overrides) = (main.clone(), overrides.clone());
    for name in &args.names {
        let setting = Setting::name(name);
        let key = &setting.key;
        match &setting.repository {
            None => match ini_edit::unset(&main, "main", key, EmptySection::Keep) {
                Some(text) => main = text,
                None => complain(&format!(
                    "config-manager: Request to remove main option but it is not present in the config file: {key}"
                )),
            },
            Some(pattern) => {
                let sections = ini::parse(&format!("/{OVERRIDES}"), overrides.as_bytes())?;
                let meant: Vec<&str> = sections
                    .iter()
                    .map(|section| section.name.as_str())
                    .filter(|id| *id == pattern || glob::matches(pattern, id))
                    .collect();
                let mut found = false;
                for id in meant {
                    if let Some(text) = ini_edit::unset(&overrides, id, key, EmptySection::Drop) {
                        overrides = text;
                        found = true;
                    }
                }
                if !found {
                    complain(&format!(
                        "config-manager: Request to remove repository option but it is not present in the overrides: {name}"
                    ));
                }
            }
        }
    }
    if main != old_main {
        root.write_atomic(CONFIG_FILE, main.as_bytes(), 0o644)?;
    }
    if overrides != old_overrides {
        root.write_atomic(OVERRIDES, overrides.as_bytes(), 0o644)?;
    }
    Ok(exit::SUCCESS)
}

/// Runs `dnf config-manager setvar`.
pub fn setvar(session: &Session, args: &ConfigValuesArgs) -> CommandResult {
    let directory = variable_directory(session);
    let mut variables = Vec::new();
    for text in &args.values {
        let (name, value) = split(text, "setvar")?;
        check_variable(&name)?;
        variables.push((name, value));
    }
    ensure_directory(&session.config_root, &directory, args.create_missing_dir)?;
    for (name, value) in variables {
        let path = format!("{directory}/{name}");
        session.config_root.write_atomic(path, format!("{value}\n").as_bytes(), 0o644)?;
    }
    Ok(exit::SUCCESS)
}

/// Runs `dnf config-manager unsetvar`.
pub fn unsetvar(session: &Session, args: &ConfigNamesArgs) -> CommandResult {
    let directory = variable_directory(session);
    args.names.iter().try_for_each(|name| check_variable(name))?;
    for name in &args.names {
        match session.config_root.remove_file(format!("{directory}/{name}")) {
            Ok(()) => {}
            Err(error) if error.is_not_found() => complain(&format!(
                "config-manager: Request to remove variable but it is not present in the vars directory: {name}"
            )),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(exit::SUCCESS)
}

fn variable_directory(session: &Session) -> String {
    let last = session.configuration.main.varsdir.last().cloned().unwrap_or_default();
    last.trim_matches('/').to_owned()
}

fn check_variable(name: &str) -> Result<(), Failure> {
    if matches!(name, "releasever_major" | "releasever_minor") {
        return Err(Failure::usage(format!("the variable {name} is made from releasever"))
            .hint("set releasever"));
    }
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_name {
        return Ok(());
    }
    Err(Failure::usage(format!("{name:?} is no name of a variable"))
        .hint("names have letters, digits and underscores"))
}

fn ensure_directory(root: &Root, directory: &str, create: bool) -> Result<(), Failure> {
    if root.exists(directory)? {
        return Ok(());
    }
    if !create {
        return Err(Failure::new(format!("Directory \"/{directory}\" does not exist."))
            .hint("add --create-missing-dir to make it"));
    }
    Ok(root.mkdir_all(directory, 0o755)?)
}

fn read(root: &Root, path: &str) -> Result<String, Failure> {
    match root.read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.is_not_found() => Ok(String::new()),
        Err(error) => Err(error.into()),
    }
}
