// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads `dnf.conf`, variables and repository files from a root, and puts options of the command line on top.

use super::config::{Position, check_repo_id};
use super::value::nearest;
use super::{ConfigError, ConfigWarning, MainConfig, RepoConfig, Variables, ini};
use cairn_host::{HostError, Root};
use std::collections::BTreeMap;

/// Where `dnf.conf` is, inside the root.
pub const CONFIG_FILE: &str = "etc/dnf/dnf.conf";

/// One `--setopt`: `key=value` or `repository.key=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetOption {
    /// Repository glob, when one was given.
    pub repository: Option<String>,
    /// Key.
    pub key: String,
    /// Value.
    pub value: String,
}

impl SetOption {
    /// Parses the argument of `--setopt`.
    ///
    /// # Errors
    /// A message when it has no `=`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some((left, value)) = text.split_once('=') else {
            return Err(format!(
                "--setopt {text:?} has no `=` (expected KEY=VALUE or REPO.KEY=VALUE)"
            ));
        };
        let (repository, key) = match left.rsplit_once('.') {
            Some((repository, key)) => (Some(repository.to_owned()), key),
            None => (None, left),
        };
        Ok(Self { repository, key: key.trim().to_owned(), value: value.trim().to_owned() })
    }
}

/// What the command line says about configuration.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// Configuration file of the host instead of the root's `/etc/dnf/dnf.conf`; then it must exist.
    pub config_file: Option<String>,
    /// Options in order.
    pub set_options: Vec<SetOption>,
    /// Value of `$releasever` instead of the system's.
    pub releasever: Option<String>,
    /// rpm architecture of the system, for example `x86_64`.
    pub arch: String,
    /// Further variables.
    pub variables: Vec<(String, String)>,
}

/// Everything the configuration says.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// `[main]`.
    pub main: MainConfig,
    /// Repositories in file order, disabled ones too.
    pub repositories: Vec<RepoConfig>,
    /// Variables.
    pub variables: Variables,
    /// What was not understood.
    pub warnings: Vec<ConfigWarning>,
    /// Which directories are the host's, not the root's.
    pub on_host: OnHost,
    /// Options for repositories, kept for those that are added later.
    repository_options: Vec<SetOption>,
}

/// Directories that the command line names: they are the host's.
#[derive(Debug, Clone, Copy, Default)]
pub struct OnHost {
    /// Those with repository files.
    pub repositories: bool,
    /// Those with variables.
    pub variables: bool,
    /// The cache.
    pub cache: bool,
}

impl OnHost {
    fn note(&mut self, key: &str) {
        match key {
            "reposdir" => self.repositories = true,
            "varsdir" => self.variables = true,
            "cachedir" | "system_cachedir" => self.cache = true,
            _ => {}
        }
    }
}

/// Directories with changes to repositories, the system's last: a file there hides one of the same name.
const OVERRIDE_DIRECTORIES: [&str; 2] =
    ["usr/share/dnf5/repos.override.d", "etc/dnf/repos.override.d"];

/// Directories with parts of the main configuration, the system's last, as above.
const DROP_IN_DIRECTORIES: [&str; 2] = ["usr/share/dnf5/libdnf.conf.d", "etc/dnf/libdnf5.conf.d"];

/// Reads the configuration of `root`.
///
/// # Errors
/// A file that cannot be read or used.
pub fn load_configuration(
    root: &Root,
    options: &LoadOptions,
) -> Result<Configuration, ConfigError> {
    let mut configuration = Configuration {
        main: MainConfig::default(),
        repositories: Vec::new(),
        variables: Variables::new(),
        warnings: Vec::new(),
        on_host: OnHost::default(),
        repository_options: Vec::new(),
    };
    configuration.variables.set("arch", &options.arch);
    configuration.variables.set("basearch", base_architecture(&options.arch));
    if let Some(release) = options.releasever.clone().or_else(|| detect_release(root)) {
        configuration.variables.set("releasever", &release);
    }
    configuration.load_main(root, options)?;
    let on_host = configuration.on_host;
    let place = |is_on_host: bool| if is_on_host { host() } else { Ok(root.clone()) };
    configuration.load_variables(&place(on_host.variables)?)?;
    if let Some(release) = &options.releasever {
        configuration.variables.set("releasever", release);
    }
    for (name, value) in &options.variables {
        configuration.variables.set(name, value);
        if name == "arch" && options.variables.iter().all(|(name, _)| name != "basearch") {
            configuration.variables.set("basearch", base_architecture(value));
        }
    }
    configuration.load_protected(root)?;
    for directory in configuration.main.reposdir.clone() {
        let directory = directory.trim_matches('/');
        configuration.load_repository_directory(&place(on_host.repositories)?, directory)?;
    }
    configuration.load_overrides(root)?;
    configuration.check_options()?;
    Ok(configuration)
}

impl Configuration {
    fn load_main(&mut self, root: &Root, options: &LoadOptions) -> Result<(), ConfigError> {
        let mut files: Vec<(Root, String)> = Vec::new();
        if let Some(path) = &options.config_file {
            files.push(named_file(path)?);
        } else {
            let paths = merged(root, DROP_IN_DIRECTORIES, ".conf")?;
            files.extend(paths.map(|path| (root.clone(), path)));
            if exists(root, CONFIG_FILE)? {
                files.push((root.clone(), CONFIG_FILE.to_owned()));
            }
        }
        for (root, path) in files {
            let shown = format!("/{path}");
            for section in ini::parse(&shown, &read_checked(&root, &path)?)? {
                if section.name == "main" {
                    for entry in section.entries {
                        let at = Position { file: &shown, line: entry.line };
                        self.warnings.extend(self.main.set(&entry.key, &entry.value, at)?);
                    }
                } else {
                    self.add_section(&shown, section)?;
                }
            }
        }
        for option in &options.set_options {
            if option.repository.is_some() {
                self.repository_options.push(option.clone());
            } else {
                self.on_host.note(&option.key);
                let warning = self.main.set(
                    &option.key,
                    &option.value,
                    Position { file: "--setopt", line: 0 },
                )?;
                if let Some(warning) = warning {
                    // A typing mistake on the command line must not pass silently: nothing else would show it.
                    return Err(ConfigError {
                        file: warning.file,
                        line: 0,
                        column: 0,
                        message: warning.message,
                        hint: warning.hint,
                    });
                }
            }
        }
        Ok(())
    }

    fn load_variables(&mut self, root: &Root) -> Result<(), ConfigError> {
        for directory in self.main.varsdir.clone() {
            let directory = directory.trim_matches('/');
            for name in list_directory(root, directory, "")? {
                let path = format!("{directory}/{name}");
                if root.metadata(&path).is_ok_and(|stat| stat.is_some_and(|stat| stat.is_dir())) {
                    continue;
                }
                let bytes = read_checked(root, &path)?;
                let text = String::from_utf8_lossy(&bytes);
                self.variables.set(&name, text.lines().next().unwrap_or_default().trim());
            }
        }
        Ok(())
    }

    fn load_protected(&mut self, root: &Root) -> Result<(), ConfigError> {
        for directory in ["etc/dnf/protected.d", "usr/share/dnf5/protected.d"] {
            for name in list_directory(root, directory, ".conf")? {
                let bytes = read_checked(root, &format!("{directory}/{name}"))?;
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let lines =
                    text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
                self.main.protected_packages.extend(lines.map(str::to_owned));
            }
        }
        Ok(())
    }

    fn load_repository_directory(
        &mut self,
        root: &Root,
        directory: &str,
    ) -> Result<(), ConfigError> {
        for name in list_directory(root, directory, ".repo")? {
            let path = format!("{directory}/{name}");
            self.parse_repository_file(&format!("/{path}"), &read_checked(root, &path)?)?;
        }
        Ok(())
    }

    /// Applies the override files in the order of their names; their sections may be globs.
    fn load_overrides(&mut self, root: &Root) -> Result<(), ConfigError> {
        for path in merged(root, OVERRIDE_DIRECTORIES, ".repo")? {
            let file = format!("/{path}");
            for section in ini::parse(&file, &read_checked(root, &path)?)? {
                self.apply_override(&file, &section)?;
            }
        }
        Ok(())
    }

    fn apply_override(&mut self, file: &str, section: &ini::Section) -> Result<(), ConfigError> {
        let pattern = self.variables.expand(&section.name).unwrap_or(section.name.clone());
        let mut repositories = std::mem::take(&mut self.repositories);
        for repository in &mut repositories {
            if !crate::query::glob::matches(&pattern, &repository.id) {
                continue;
            }
            for entry in &section.entries {
                let at = Position { file, line: entry.line };
                let value = self.variables.expand(&entry.value).unwrap_or(entry.value.clone());
                self.warnings.extend(repository.set(&entry.key, &value, at)?);
            }
            // Options of the command line come last.
            self.apply_options(repository)?;
            repository.check()?;
        }
        self.repositories = repositories;
        Ok(())
    }

    /// Parses one repository file and adds its repositories; `file` is the name used in errors.
    ///
    /// # Errors
    /// The first problem of the file.
    pub fn parse_repository_file(&mut self, file: &str, bytes: &[u8]) -> Result<(), ConfigError> {
        for section in ini::parse(file, bytes)? {
            if section.name == "main" {
                continue;
            }
            self.add_section(file, section)?;
        }
        Ok(())
    }

    fn add_section(&mut self, file: &str, section: ini::Section) -> Result<(), ConfigError> {
        let at = Position { file, line: section.line };
        let id = self.variables.expand(&section.name).unwrap_or(section.name.clone());
        check_repo_id(&id, at)?;
        if let Some(first) = self.repositories.iter().find(|r| r.id == id) {
            return Err(ConfigError {
                file: file.to_owned(),
                line: section.line,
                column: 0,
                message: format!(
                    "repository [{id}] is defined twice (first in {}:{})",
                    first.file, first.line
                ),
                hint: Some("rename one of the two".to_owned()),
            });
        }
        let mut repository =
            RepoConfig { file: file.to_owned(), line: section.line, ..RepoConfig::new(&id) };
        if let Some(entry) = section.entries.iter().find(|e| e.key == "enabled") {
            repository.set("enabled", &entry.value, Position { file, line: entry.line })?;
        }
        for entry in &section.entries {
            let at = Position { file, line: entry.line };
            let value = match self.variables.expand(&entry.value) {
                Ok(value) => value,
                // A disabled repository may need variables that this system does not have.
                Err(_) if !repository.enabled => continue,
                Err(name) => {
                    return Err(ConfigError {
                        file: file.to_owned(),
                        line: entry.line,
                        column: 0,
                        message: format!("{}: undefined variable ${name}", entry.key),
                        hint: Some(format!(
                            "write its value into /etc/dnf/vars/{name}, or give --setvar={name}=VALUE"
                        )),
                    });
                }
            };
            self.warnings.extend(repository.set(&entry.key, &value, at)?);
        }
        self.apply_options(&mut repository)?;
        repository.check()?;
        self.repositories.push(repository);
        Ok(())
    }

    fn apply_options(&self, repository: &mut RepoConfig) -> Result<(), ConfigError> {
        for option in &self.repository_options {
            let pattern = option.repository.as_deref().unwrap_or_default();
            if crate::query::glob::matches(pattern, &repository.id) {
                let warning = repository.set(
                    &option.key,
                    &option.value,
                    Position { file: "--setopt", line: 0 },
                )?;
                if let Some(warning) = warning {
                    return Err(ConfigError {
                        file: warning.file,
                        line: 0,
                        column: 0,
                        message: warning.message,
                        hint: warning.hint,
                    });
                }
            }
        }
        Ok(())
    }

    /// Adds a repository from the command line (`--repofrompath=ID,URL`); its variables are replaced.
    ///
    /// # Errors
    /// The identifier or the URL is not allowed, or the identifier exists.
    pub fn add_repository(&mut self, id: &str, url: &str) -> Result<(), ConfigError> {
        let at = Position { file: "--repofrompath", line: 0 };
        let id = &self.variables.expand(id).unwrap_or_else(|_| id.to_owned());
        check_repo_id(id, at)?;
        let error = |message: String| ConfigError {
            file: "--repofrompath".to_owned(),
            line: 0,
            column: 0,
            message,
            hint: None,
        };
        if self.repositories.iter().any(|r| r.id == *id) {
            return Err(error(format!("repository {id:?} exists already")));
        }
        let url = self
            .variables
            .expand(url)
            .map_err(|name| error(format!("undefined variable ${name}")))?;
        let is_path = !url.contains("://") && !url.starts_with('/');
        let absolute = || std::path::absolute(&url).ok()?.to_str().map(str::to_owned);
        let url = if is_path { absolute().unwrap_or(url) } else { url };
        let mut repository = RepoConfig::new(id);
        repository.set("baseurl", &url, at)?;
        self.apply_options(&mut repository)?;
        self.repositories.push(repository);
        Ok(())
    }

    /// Enables or disables repositories that match a glob.
    ///
    /// # Errors
    /// No repository matches.
    pub fn switch_repositories(
        &mut self,
        pattern: &str,
        enabled: bool,
        option: &str,
    ) -> Result<(), ConfigError> {
        let mut found = false;
        for repository in &mut self.repositories {
            if crate::query::glob::matches(pattern, &repository.id) {
                repository.enabled = enabled;
                found = true;
            }
        }
        if found { Ok(()) } else { Err(self.no_repository(pattern, option)) }
    }

    /// Returns the enabled repositories.
    pub fn enabled(&self) -> impl Iterator<Item = &RepoConfig> {
        self.repositories.iter().filter(|r| r.enabled)
    }

    /// Checks that options for repositories name some.
    ///
    /// # Errors
    /// An option names a repository that does not exist.
    pub fn check_named_repositories(&self) -> Result<(), ConfigError> {
        for option in &self.repository_options {
            let name = option.repository.as_deref().unwrap_or_default();
            let is_pattern = crate::query::glob::is_pattern(name);
            if !is_pattern && !self.repositories.iter().any(|repository| repository.id == name) {
                return Err(self.no_repository(name, "--setopt"));
            }
        }
        Ok(())
    }

    fn no_repository(&self, pattern: &str, option: &str) -> ConfigError {
        let ids: Vec<&str> = self.repositories.iter().map(|r| r.id.as_str()).collect();
        ConfigError {
            file: option.to_owned(),
            line: 0,
            column: 0,
            message: format!("no repository matches {pattern:?}"),
            hint: Some(match nearest(pattern, &ids) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`dnf repolist --all` lists them".to_owned(),
            }),
        }
    }

    fn check_options(&self) -> Result<(), ConfigError> {
        // Options for repositories may name one that --repofrompath adds later: only their form is checked here.
        for option in &self.repository_options {
            let mut probe = RepoConfig::new("probe");
            let found =
                probe.set(&option.key, &option.value, Position { file: "--setopt", line: 0 })?;
            if let Some(warning) = found {
                let ConfigWarning { file, message, hint, .. } = warning;
                return Err(ConfigError { file, line: 0, column: 0, message, hint });
            }
        }
        Ok(())
    }
}

/// Returns the architecture repositories are named by: `i386` for every x86, otherwise the same.
pub fn base_architecture(arch: &str) -> &str {
    match arch {
        "i386" | "i486" | "i586" | "i686" | "athlon" | "geode" => "i386",
        "amd64" | "ia32e" | "x86_64_v2" | "x86_64_v3" | "x86_64_v4" => "x86_64",
        other => other,
    }
}

/// 64-bit x86, best first: each can use what those after it can.
const X86_64: [&str; 4] = ["x86_64_v4", "x86_64_v3", "x86_64_v2", "x86_64"];

/// 32-bit x86, best first.
const X86: [&str; 4] = ["i686", "i586", "i486", "i386"];

/// Returns the architectures whose packages a machine can use, its own first, without `noarch`: libsolv's order.
pub fn compatible_architectures(arch: &str) -> Vec<&str> {
    let family = [X86_64, X86].concat();
    let start = family.iter().position(|other| *other == arch);
    start.map_or_else(|| vec![arch], |start| family[start..].to_vec())
}

/// Says whether rpm knows packages of an architecture.
pub fn is_known_architecture(arch: &str) -> bool {
    let others = [
        "aarch64",
        "alpha",
        "armv5tel",
        "armv6hl",
        "armv6l",
        "armv7hl",
        "armv7hnl",
        "armv7l",
        "athlon",
        "geode",
        "ia64",
        "loongarch64",
        "mips",
        "mips64",
        "mips64el",
        "mipsel",
        "noarch",
        "ppc",
        "ppc64",
        "ppc64le",
        "riscv64",
        "s390",
        "s390x",
        "sparc",
        "sparc64",
    ];
    others.contains(&arch) || X86_64.contains(&arch) || X86.contains(&arch)
}

fn detect_release(root: &Root) -> Option<String> {
    let text = ["etc/os-release", "usr/lib/os-release"]
        .iter()
        .find_map(|path| root.read_to_string(path).ok())?;
    let value = text.lines().find_map(|line| line.strip_prefix("VERSION_ID="))?;
    Some(value.trim().trim_matches(['"', '\'']).to_owned())
}

/// Returns the files of two directories in the order of their names; one of the second directory hides one of the same name.
fn merged(
    root: &Root,
    directories: [&'static str; 2],
    suffix: &str,
) -> Result<impl Iterator<Item = String>, ConfigError> {
    let mut files: BTreeMap<String, &str> = BTreeMap::new();
    for directory in directories {
        for name in list_directory(root, directory, suffix)? {
            files.insert(name, directory);
        }
    }
    Ok(files.into_iter().map(|(name, directory)| format!("{directory}/{name}")))
}

fn list_directory(root: &Root, directory: &str, suffix: &str) -> Result<Vec<String>, ConfigError> {
    if !exists(root, directory)? {
        return Ok(Vec::new());
    }
    let mut names = root.read_dir(directory).map_err(|e| unreadable(directory, &e))?;
    names.retain(|name| name.ends_with(suffix) && !name.starts_with('.'));
    Ok(names)
}

fn read_checked(root: &Root, path: &str) -> Result<Vec<u8>, ConfigError> {
    let error = |message: String, hint: Option<String>| ConfigError {
        file: format!("/{path}"),
        line: 0,
        column: 0,
        message,
        hint,
    };
    if let Ok(Some(stat)) = root.symlink_metadata(path)
        && !stat.is_symlink()
        && stat.mode & 0o002 != 0
    {
        let hint = format!("`chmod o-w /{path}`, after checking what it says");
        return Err(error("file is writable by everyone".to_owned(), Some(hint)));
    }
    root.read(path).map_err(|e| unreadable(path, &e))
}

/// The host's own root.
fn host() -> Result<Root, ConfigError> {
    Root::open("/").map_err(|e| unreadable("", &e))
}

/// Returns where a configuration file of the command line is.
fn named_file(path: &str) -> Result<(Root, String), ConfigError> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.into());
    let inside = absolute.to_string_lossy().trim_start_matches('/').to_owned();
    let root = host()?;
    if exists(&root, &inside)? {
        return Ok((root, inside));
    }
    Err(ConfigError {
        file: path.to_owned(),
        line: 0,
        column: 0,
        message: format!("Configuration file \"{path}\" not found"),
        hint: Some("--config takes a path of the host, also with --installroot".to_owned()),
    })
}

fn exists(root: &Root, path: &str) -> Result<bool, ConfigError> {
    match root.metadata(path) {
        Ok(stat) => Ok(stat.is_some()),
        Err(e) if e.is_not_found() => Ok(false),
        Err(e) => Err(unreadable(path, &e)),
    }
}

fn unreadable(path: &str, error: &HostError) -> ConfigError {
    ConfigError {
        file: format!("/{path}"),
        line: 0,
        column: 0,
        message: crate::repos::error::chain(error),
        hint: error.hint(),
    }
}
