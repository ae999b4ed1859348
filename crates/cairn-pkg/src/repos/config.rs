// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf.conf` and repository definitions: the typed values behind the keys.
//!
//! Differences from dnf5, on purpose: `gpgcheck`, `repo_gpgcheck` and `localpkg_gpgcheck` are on unless a file or an
//! option turns them off, and an unknown key is a warning with the nearest known one.

use super::network::{self, NetworkConfig};
use super::value::{boolean, list, nearest, number, period};
use super::{ConfigError, ConfigWarning};

/// What `[main]` of `dnf.conf` and `--setopt` say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MainConfig {
    /// Packages must be signed (default of every repository).
    pub gpgcheck: bool,
    /// `repomd.xml` must be signed (default of every repository).
    pub repo_gpgcheck: bool,
    /// Packages named as local files or URLs must be signed.
    pub localpkg_gpgcheck: bool,
    /// Only the best available version will do.
    pub best: bool,
    /// Weak dependencies are installed.
    pub install_weak_deps: bool,
    /// Dependencies nothing needs any more go with a removed package.
    pub clean_requirements_on_remove: bool,
    /// Packages may be replaced by older ones to make a request possible.
    pub allow_downgrade: bool,
    /// Upgrades may come from another vendor.
    pub allow_vendor_change: bool,
    /// Names or globs of packages that no weak dependency brings in.
    pub exclude_from_weak: Vec<String>,
    /// Nor what installed packages recommend and have not got.
    pub exclude_from_weak_autodetect: bool,
    /// Obsoletes are followed by upgrade and install.
    pub obsoletes: bool,
    /// Names or provides that are installed beside each other.
    pub installonlypkgs: Vec<String>,
    /// How many of one install-only package are kept; 0 = all.
    pub installonly_limit: u32,
    /// Packages that are never removed.
    pub protected_packages: Vec<String>,
    /// The package of the running kernel is never removed.
    pub protect_running_kernel: bool,
    /// Globs of packages that are not considered.
    pub excludepkgs: Vec<String>,
    /// When not empty: only these are considered.
    pub includepkgs: Vec<String>,
    /// Globs of identifiers of groups that are not considered.
    pub excludegroups: Vec<String>,
    /// Globs of identifiers of environments that are not considered.
    pub excludeenvs: Vec<String>,
    /// A repository that cannot be loaded is left out (default of every repository).
    pub skip_if_unavailable: bool,
    /// Arguments without a match are skipped.
    pub skip_unavailable: bool,
    /// Uninstallable packages are skipped.
    pub skip_broken: bool,
    /// Age in seconds after which metadata is checked again; `None` = never.
    pub metadata_expire: Option<u64>,
    /// Downloaded packages stay in the cache.
    pub keepcache: bool,
    /// Directories with `*.repo` files, inside the root.
    pub reposdir: Vec<String>,
    /// Directories with variables, inside the root.
    pub varsdir: Vec<String>,
    /// Cache directory, inside the root.
    pub cachedir: String,
    /// Host directory into which packages are downloaded instead; empty = the cache.
    pub destdir: String,
    /// Every question is answered with yes.
    pub assumeyes: bool,
    /// Every question is answered with no.
    pub assumeno: bool,
    /// An empty answer means yes.
    pub defaultyes: bool,
    /// Transaction flags: `noscripts`, `nodocs`, `justdb`, `test`, …
    pub tsflags: Vec<String>,
    /// `install NAME` takes the packages of all architectures (`multilib_policy=all`), not of the machine's own only.
    pub multilib_all: bool,
    /// Package types taken from a group: `mandatory default conditional optional`.
    pub group_package_types: Vec<String>,
    /// For how many days a package is recent.
    pub recent: u32,
    /// Downloads at one time.
    pub max_parallel_downloads: u32,
    /// What is not downloaded.
    pub cacheonly: CacheOnly,
    /// Whose excludes and includes do not count: ids of repositories, `main`, or `*`.
    pub disable_excludes: Vec<String>,
    /// How servers are reached.
    pub network: NetworkConfig,
}

/// What is taken from the cache only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CacheOnly {
    /// Nothing.
    #[default]
    None,
    /// Metadata.
    Metadata,
    /// Metadata and packages.
    All,
}

impl Default for MainConfig {
    fn default() -> Self {
        let words = |items: &[&str]| items.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        Self {
            gpgcheck: true,
            repo_gpgcheck: true,
            localpkg_gpgcheck: true,
            best: true,
            install_weak_deps: true,
            clean_requirements_on_remove: true,
            allow_downgrade: true,
            allow_vendor_change: true,
            exclude_from_weak: Vec::new(),
            exclude_from_weak_autodetect: true,
            obsoletes: true,
            installonlypkgs: words(&[
                "kernel",
                "kernel-PAE",
                "installonlypkg(kernel)",
                "installonlypkg(kernel-module)",
                "installonlypkg(vm)",
                "multiversion(kernel)",
            ]),
            installonly_limit: 3,
            protected_packages: words(&["dnf", "dnf5"]),
            protect_running_kernel: true,
            excludepkgs: Vec::new(),
            includepkgs: Vec::new(),
            excludegroups: Vec::new(),
            excludeenvs: Vec::new(),
            skip_if_unavailable: false,
            skip_unavailable: false,
            skip_broken: false,
            metadata_expire: Some(172_800),
            keepcache: false,
            reposdir: words(&["etc/yum.repos.d", "etc/distro.repos.d", "usr/share/dnf5/repos.d"]),
            varsdir: words(&["usr/share/dnf5/vars.d", "etc/dnf/vars"]),
            cachedir: "var/cache/libdnf5".to_owned(),
            destdir: String::new(),
            assumeyes: false,
            assumeno: false,
            defaultyes: false,
            tsflags: Vec::new(),
            multilib_all: false,
            group_package_types: words(&["mandatory", "default", "conditional"]),
            recent: 7,
            max_parallel_downloads: 3,
            cacheonly: CacheOnly::None,
            disable_excludes: Vec::new(),
            network: NetworkConfig::default(),
        }
    }
}

/// One `[id]` of a repository file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoConfig {
    /// Identifier: the section's name.
    pub id: String,
    /// Name for people; the id when not given.
    pub name: String,
    /// File it comes from, and the line of its header; empty for `--repofrompath`.
    pub file: String,
    /// Line of its header.
    pub line: usize,
    /// URLs of the directory that holds `repodata/`, in order of preference.
    pub baseurl: Vec<String>,
    /// URL of a list of base URLs.
    pub mirrorlist: Option<String>,
    /// URL of a metalink document.
    pub metalink: Option<String>,
    /// Whether commands use it.
    pub enabled: bool,
    /// Packages must be signed; `None` = as in `dnf.conf`.
    pub gpgcheck: Option<bool>,
    /// `repomd.xml` must be signed; `None` = as in `dnf.conf`.
    pub repo_gpgcheck: Option<bool>,
    /// `file://` URLs of the keys that may sign.
    pub gpgkey: Vec<String>,
    /// Smaller is preferred, default 99.
    pub priority: i32,
    /// Smaller is preferred among equal packages, default 1000.
    pub cost: i32,
    /// Globs of packages that are not considered.
    pub excludepkgs: Vec<String>,
    /// When not empty: only these are considered.
    pub includepkgs: Vec<String>,
    /// It is left out when it cannot be loaded; `None` = as in `dnf.conf`.
    pub skip_if_unavailable: Option<bool>,
    /// Age in seconds after which metadata is checked again; outer `None` = as in `dnf.conf`, inner = never.
    pub metadata_expire: Option<Option<u64>>,
    /// How its servers are reached, where not as in `dnf.conf`.
    pub network: NetworkConfig,
}

impl RepoConfig {
    /// Returns a repository with default values.
    pub fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: String::new(),
            file: String::new(),
            line: 0,
            baseurl: Vec::new(),
            mirrorlist: None,
            metalink: None,
            enabled: true,
            gpgcheck: None,
            repo_gpgcheck: None,
            gpgkey: Vec::new(),
            priority: 99,
            cost: 1000,
            excludepkgs: Vec::new(),
            includepkgs: Vec::new(),
            skip_if_unavailable: None,
            metadata_expire: None,
            network: NetworkConfig::default(),
        }
    }

    /// Returns the name for people.
    pub fn display_name(&self) -> &str {
        if self.name.is_empty() { &self.id } else { &self.name }
    }
}

/// Keys dnf5 knows and Cairn reads in `[main]`.
const MAIN_KEYS: &[&str] = &[
    "gpgcheck",
    "pkg_gpgcheck",
    "repo_gpgcheck",
    "localpkg_gpgcheck",
    "best",
    "install_weak_deps",
    "clean_requirements_on_remove",
    "allow_downgrade",
    "allow_vendor_change",
    "exclude_from_weak",
    "exclude_from_weak_autodetect",
    "obsoletes",
    "installonlypkgs",
    "installonly_limit",
    "protected_packages",
    "protect_running_kernel",
    "excludepkgs",
    "exclude",
    "includepkgs",
    "excludegroups",
    "excludeenvs",
    "disable_excludes",
    "skip_if_unavailable",
    "skip_unavailable",
    "skip_broken",
    "strict",
    "metadata_expire",
    "keepcache",
    "reposdir",
    "varsdir",
    "cachedir",
    "system_cachedir",
    "destdir",
    "assumeyes",
    "assumeno",
    "defaultyes",
    "tsflags",
    "multilib_policy",
    "group_package_types",
    "recent",
    "max_parallel_downloads",
    "cacheonly",
];

/// Keys dnf knows that have no meaning here: accepted without a word.
const IGNORED_KEYS: &[&str] = &[
    "arch",
    "autocheck_running_kernel",
    "bandwidth",
    "basearch",
    "build_cache",
    "bugtracker_url",
    "check_config_file_age",
    "color",
    "comment",
    "countme",
    "debug_solver",
    "debuglevel",
    "deltarpm",
    "deltarpm_percentage",
    "diskspacecheck",
    "enablegroups",
    "errorlevel",
    "exit_on_lock",
    "failovermethod",
    "fastestmirror",
    "gpgkey_dns_verification",
    "history_list_view",
    "history_record",
    "history_record_packages",
    "http_caching",
    "ignorearch",
    "installroot",
    "log_compress",
    "log_level",
    "log_rotate",
    "log_size",
    "logdir",
    "logfilelevel",
    "max_downloads_per_mirror",
    "mdpolicy",
    "metadata_timer_sync",
    "mirrorlist_expire",
    "module_hotfixes",
    "module_obsoletes",
    "module_platform_id",
    "module_stream_switch",
    "optional_metadata_types",
    "persistdir",
    "pkg_gpgcheck_policy",
    "pluginconfpath",
    "pluginpath",
    "plugins",
    "proxy_auth_method",
    "releasever",
    "repository",
    "reset_nice",
    "rpmverbosity",
    "sslverifystatus",
    "throttle",
    "transaction_history_dir",
    "type",
    "ui_repoid_vendor_match",
    "upgrade_group_objects_upgrade",
    "usr_drift_protected_paths",
    "zchunk",
];

/// Smallest and largest priority of a repository, as of dnf5's numbers.
const PRIORITIES: (i64, i64) = (i32::MIN as i64, i32::MAX as i64);

/// Keys of a repository.
const REPO_KEYS: &[&str] = &[
    "name",
    "baseurl",
    "mirrorlist",
    "metalink",
    "enabled",
    "gpgcheck",
    "pkg_gpgcheck",
    "repo_gpgcheck",
    "gpgkey",
    "priority",
    "cost",
    "excludepkgs",
    "exclude",
    "includepkgs",
    "skip_if_unavailable",
    "metadata_expire",
];

/// Where a key was set.
#[derive(Debug, Clone, Copy)]
pub struct Position<'a> {
    /// File, or the name of the option.
    pub file: &'a str,
    /// Line, 0 when it has none.
    pub line: usize,
}

impl Position<'_> {
    fn error(self, message: String, hint: Option<String>) -> ConfigError {
        ConfigError { file: self.file.to_owned(), line: self.line, column: 0, message, hint }
    }
}

impl MainConfig {
    /// Sets one key.
    ///
    /// # Errors
    /// The value is not of the key's form. An unknown key is a warning, not an error.
    pub fn set(
        &mut self,
        key: &str,
        value: &str,
        at: Position<'_>,
    ) -> Result<Option<ConfigWarning>, ConfigError> {
        let wrong = |message: String| {
            at.error(
                format!("{key}: {message}"),
                Some(format!("`man dnf5.conf` lists the values of {key}")),
            )
        };
        let flag = || {
            boolean(value).map_err(|message| {
                at.error(format!("{key}: {message}"), Some(format!("write `{key}=1` or `{key}=0`")))
            })
        };
        match key {
            "gpgcheck" | "pkg_gpgcheck" => self.gpgcheck = flag()?,
            "repo_gpgcheck" => self.repo_gpgcheck = flag()?,
            "localpkg_gpgcheck" => self.localpkg_gpgcheck = flag()?,
            "best" => self.best = flag()?,
            "install_weak_deps" => self.install_weak_deps = flag()?,
            "clean_requirements_on_remove" => self.clean_requirements_on_remove = flag()?,
            "allow_downgrade" => self.allow_downgrade = flag()?,
            "allow_vendor_change" => self.allow_vendor_change = flag()?,
            "exclude_from_weak" => append(&mut self.exclude_from_weak, value),
            "exclude_from_weak_autodetect" => self.exclude_from_weak_autodetect = flag()?,
            "obsoletes" => self.obsoletes = flag()?,
            "skip_if_unavailable" => self.skip_if_unavailable = flag()?,
            "skip_unavailable" => self.skip_unavailable = flag()?,
            "skip_broken" => self.skip_broken = flag()?,
            "strict" => {
                let is_lenient = !flag()?;
                self.skip_unavailable = is_lenient;
                self.skip_broken = is_lenient;
            }
            "keepcache" => self.keepcache = flag()?,
            "assumeyes" => self.assumeyes = flag()?,
            "assumeno" => self.assumeno = flag()?,
            "defaultyes" => self.defaultyes = flag()?,
            "installonlypkgs" => append(&mut self.installonlypkgs, value),
            "protect_running_kernel" => self.protect_running_kernel = flag()?,
            "protected_packages" => append(&mut self.protected_packages, value),
            "excludepkgs" | "exclude" => append(&mut self.excludepkgs, value),
            "includepkgs" => append(&mut self.includepkgs, value),
            "excludegroups" => append(&mut self.excludegroups, value),
            "excludeenvs" => append(&mut self.excludeenvs, value),
            "disable_excludes" => append(&mut self.disable_excludes, value),
            "tsflags" => append(&mut self.tsflags, value),
            "multilib_policy" => {
                self.multilib_all = match value {
                    "all" => true,
                    "best" => false,
                    _ => return Err(wrong(format!("{value:?} is neither `best` nor `all`"))),
                };
            }
            "reposdir" => self.reposdir = list(value),
            "varsdir" => self.varsdir = list(value),
            "group_package_types" => self.group_package_types = list(value),
            "cachedir" | "system_cachedir" => {
                value.trim_matches('/').clone_into(&mut self.cachedir);
            }
            "destdir" => value.clone_into(&mut self.destdir),
            "installonly_limit" if value == "<off>" => self.installonly_limit = 0,
            "installonly_limit" => {
                self.installonly_limit = number(value, 0, 1000).map_err(wrong)? as u32;
            }
            "recent" => self.recent = number(value, 0, 100_000).map_err(wrong)? as u32,
            "max_parallel_downloads" => {
                self.max_parallel_downloads = number(value, 1, 20).map_err(wrong)? as u32;
            }
            "metadata_expire" => self.metadata_expire = period(value).map_err(wrong)?,
            "cacheonly" => {
                self.cacheonly = match value {
                    "none" | "0" | "false" => CacheOnly::None,
                    "metadata" => CacheOnly::Metadata,
                    "all" | "1" | "true" => CacheOnly::All,
                    _ => return Err(wrong(format!("{value:?} is not none, metadata or all"))),
                };
            }
            _ if self.network.set(key, value).map_err(wrong)? => {}
            _ => return Ok(unknown(key, MAIN_KEYS, at, "[main]")),
        }
        Ok(None)
    }
}

impl RepoConfig {
    /// Sets one key; `value` has its variables replaced already.
    ///
    /// # Errors
    /// The value is not of the key's form, or not allowed. An unknown key is a warning, not an error.
    pub fn set(
        &mut self,
        key: &str,
        value: &str,
        at: Position<'_>,
    ) -> Result<Option<ConfigWarning>, ConfigError> {
        let wrong = |message: String| {
            at.error(
                format!("{key}: {message}"),
                Some(format!("`man dnf5.conf` lists the values of {key}")),
            )
        };
        let flag = || {
            boolean(value).map_err(|message| {
                at.error(format!("{key}: {message}"), Some(format!("write `{key}=1` or `{key}=0`")))
            })
        };
        match key {
            "name" => value.clone_into(&mut self.name),
            "baseurl" => self.baseurl = checked_urls(key, value, at)?,
            "mirrorlist" => self.mirrorlist = checked_urls(key, value, at)?.into_iter().next(),
            "metalink" => self.metalink = checked_urls(key, value, at)?.into_iter().next(),
            "enabled" => self.enabled = flag()?,
            "gpgcheck" | "pkg_gpgcheck" => self.gpgcheck = Some(flag()?),
            "repo_gpgcheck" => self.repo_gpgcheck = Some(flag()?),
            "gpgkey" => self.gpgkey = checked_keys(value, at)?,
            "priority" => {
                self.priority = number(value, PRIORITIES.0, PRIORITIES.1).map_err(wrong)? as i32;
            }
            "cost" => self.cost = number(value, 0, 1_000_000).map_err(wrong)? as i32,
            "excludepkgs" | "exclude" => append(&mut self.excludepkgs, value),
            "includepkgs" => append(&mut self.includepkgs, value),
            "skip_if_unavailable" => self.skip_if_unavailable = Some(flag()?),
            "metadata_expire" => self.metadata_expire = Some(period(value).map_err(wrong)?),
            _ if self.network.set(key, value).map_err(wrong)? => {}
            _ => return Ok(unknown(key, REPO_KEYS, at, &format!("[{}]", self.id))),
        }
        Ok(None)
    }

    /// Checks what only the whole section shows.
    ///
    /// # Errors
    /// An enabled repository names no place to load from.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.enabled
            && self.baseurl.is_empty()
            && self.mirrorlist.is_none()
            && self.metalink.is_none()
        {
            let at = Position { file: &self.file, line: self.line };
            let hint = "add `baseurl=URL`, or `enabled=0`".to_owned();
            return Err(
                at.error(format!("[{}]: no baseurl, mirrorlist or metalink", self.id), Some(hint))
            );
        }
        Ok(())
    }
}

/// Checks a repository identifier: it becomes a directory name.
///
/// # Errors
/// Naming the first character that is not allowed.
pub fn check_repo_id(id: &str, at: Position<'_>) -> Result<(), ConfigError> {
    let allowed =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '@' | '+');
    let hint = Some("use letters, digits and - _ . : only".to_owned());
    if let Some(bad) = id.chars().find(|c| !allowed(*c)) {
        return Err(at.error(format!("repository id {id:?} has the character {bad:?}"), hint));
    }
    if id.is_empty()
        || id.len() > 200
        || id.starts_with('.')
        || id.starts_with('-')
        || id.contains("..")
    {
        return Err(at.error(format!("repository id {id:?} is not allowed"), hint));
    }
    Ok(())
}

/// Says whether a list begins anew: its first word is empty (`,a` or nothing at all).
pub fn begins_anew(value: &str) -> bool {
    let value = value.trim_start();
    value.is_empty() || value.starts_with(',')
}

/// Appends words to a list; where they begin anew, what was there before goes.
pub fn append(into: &mut Vec<String>, value: &str) {
    if begins_anew(value) {
        into.clear();
    }
    into.extend(list(value));
}

fn unknown(key: &str, known: &[&str], at: Position<'_>, section: &str) -> Option<ConfigWarning> {
    if IGNORED_KEYS.contains(&key) || MAIN_KEYS.contains(&key) && section != "[main]" {
        return None;
    }
    let all: Vec<&str> = known.iter().chain(network::KEYS).chain(IGNORED_KEYS).copied().collect();
    Some(ConfigWarning {
        file: at.file.to_owned(),
        line: at.line,
        message: format!("unknown key {key:?} in {section}"),
        hint: nearest(key, &all).map(|near| format!("did you mean `{near}`?")),
    })
}

fn checked_urls(key: &str, value: &str, at: Position<'_>) -> Result<Vec<String>, ConfigError> {
    let urls = list(value);
    for url in &urls {
        let scheme = url.split_once("://").map(|(scheme, _)| scheme);
        if !(matches!(scheme, Some("http" | "https" | "file")) || url.starts_with('/')) {
            let hint = Some("use http://, https:// or file://".to_owned());
            return Err(at.error(format!("{key}: {url:?} is not a URL that can be read"), hint));
        }
    }
    Ok(urls)
}

fn checked_keys(value: &str, at: Position<'_>) -> Result<Vec<String>, ConfigError> {
    let urls = list(value);
    for url in &urls {
        if !(url.starts_with("file:///") || url.starts_with('/')) {
            let hint =
                "put the key into /etc/pki/rpm-gpg and name it as file:///etc/pki/rpm-gpg/NAME"
                    .to_owned();
            return Err(at.error(
                format!("gpgkey: {url:?} is not a local file (expected file://)"),
                Some(hint),
            ));
        }
    }
    Ok(urls)
}
