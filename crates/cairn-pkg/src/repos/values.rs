// SPDX-License-Identifier: MIT OR Apache-2.0
//! The values of a configuration as text, by key, as `--dump-main-config` and `--dump-repo-config` show them: booleans are 0 or 1, lists
//! have commas, what was never set has no value.

use std::path::PathBuf;

use cairn_host::fetch::Family;

use super::config::{CacheOnly, MainConfig, RepoConfig};
use super::network::NetworkConfig;

/// A key and its value, `None` where it has none.
pub type KeyValue = (&'static str, Option<String>);

impl MainConfig {
    /// Returns all keys that Cairn reads with their values, by name.
    pub fn values(&self) -> Vec<KeyValue> {
        let limit = self.installonly_limit.to_string();
        let mut values = vec![
            flag("allow_downgrade", self.allow_downgrade),
            flag("allow_vendor_change", self.allow_vendor_change),
            flag("assumeno", self.assumeno),
            flag("assumeyes", self.assumeyes),
            flag("best", self.best),
            ("cachedir", Some(format!("/{}", self.cachedir))),
            ("cacheonly", Some(cache_only(self.cacheonly).to_owned())),
            flag("clean_requirements_on_remove", self.clean_requirements_on_remove),
            flag("defaultyes", self.defaultyes),
            ("destdir", (!self.destdir.is_empty()).then(|| self.destdir.clone())),
            words("disable_excludes", &self.disable_excludes),
            words("exclude_from_weak", &self.exclude_from_weak),
            flag("exclude_from_weak_autodetect", self.exclude_from_weak_autodetect),
            words("excludeenvs", &self.excludeenvs),
            words("excludegroups", &self.excludegroups),
            words("excludepkgs", &self.excludepkgs),
            flag("gpgcheck", self.gpgcheck),
            words("group_package_types", &self.group_package_types),
            words("includepkgs", &self.includepkgs),
            flag("install_weak_deps", self.install_weak_deps),
            ("installonly_limit", Some(limit)),
            words("installonlypkgs", &self.installonlypkgs),
            flag("keepcache", self.keepcache),
            flag("localpkg_gpgcheck", self.localpkg_gpgcheck),
            ("max_parallel_downloads", Some(self.max_parallel_downloads.to_string())),
            ("metadata_expire", Some(seconds(self.metadata_expire))),
            flag("obsoletes", self.obsoletes),
            flag("pkg_gpgcheck", self.gpgcheck),
            flag("protect_running_kernel", self.protect_running_kernel),
            words("protected_packages", &self.protected_packages),
            ("recent", Some(self.recent.to_string())),
            flag("repo_gpgcheck", self.repo_gpgcheck),
            directories("reposdir", &self.reposdir),
            flag("skip_broken", self.skip_broken),
            flag("skip_if_unavailable", self.skip_if_unavailable),
            flag("skip_unavailable", self.skip_unavailable),
            words("tsflags", &self.tsflags),
            directories("varsdir", &self.varsdir),
        ];
        values.extend(network(&self.network));
        values.sort_unstable();
        values
    }
}

impl RepoConfig {
    /// Returns all keys that Cairn reads with their values, by name; what the repository does not say itself is as in `main`.
    pub fn values(&self, main: &MainConfig) -> Vec<KeyValue> {
        let checks_packages = self.gpgcheck.unwrap_or(main.gpgcheck);
        let skips = self.skip_if_unavailable.unwrap_or(main.skip_if_unavailable);
        let expire = self.metadata_expire.unwrap_or(main.metadata_expire);
        let mut values = vec![
            words("baseurl", &self.baseurl),
            ("cost", Some(self.cost.to_string())),
            flag("enabled", self.enabled),
            words("excludepkgs", &self.excludepkgs),
            flag("gpgcheck", checks_packages),
            words("gpgkey", &self.gpgkey),
            words("includepkgs", &self.includepkgs),
            ("metadata_expire", Some(seconds(expire))),
            ("metalink", self.metalink.clone()),
            ("mirrorlist", self.mirrorlist.clone()),
            ("name", Some(self.display_name().to_owned())),
            flag("pkg_gpgcheck", checks_packages),
            ("priority", Some(self.priority.to_string())),
            flag("repo_gpgcheck", self.repo_gpgcheck.unwrap_or(main.repo_gpgcheck)),
            flag("skip_if_unavailable", skips),
        ];
        values.extend(network(&self.network.or(&main.network)));
        values.sort_unstable();
        values
    }
}

fn cache_only(what: CacheOnly) -> &'static str {
    match what {
        CacheOnly::None => "none",
        CacheOnly::Metadata => "metadata",
        CacheOnly::All => "all",
    }
}

/// Passwords are not shown, nor a proxy, whose URL may hold one.
fn network(config: &NetworkConfig) -> Vec<KeyValue> {
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    let limits = config.limits();
    vec![
        (
            "ip_resolve",
            config.ip_resolve.and_then(|family| match family {
                Family::Any => None,
                Family::V4 => Some("ipv4".to_owned()),
                Family::V6 => Some("ipv6".to_owned()),
            }),
        ),
        ("minrate", Some((limits.slowest / limits.window.as_secs().max(1)).to_string())),
        ("proxy_username", config.proxy_username.clone()),
        ("retries", Some(config.retries.unwrap_or(limits.attempts).to_string())),
        ("sslcacert", path(&config.sslcacert)),
        ("sslclientcert", path(&config.sslclientcert)),
        ("sslclientkey", path(&config.sslclientkey)),
        flag("sslverify", config.sslverify.unwrap_or(true)),
        ("timeout", Some(limits.silence.as_secs().to_string())),
        ("user_agent", config.user_agent.clone()),
        ("username", config.username.clone()),
    ]
}

fn flag(key: &'static str, value: bool) -> KeyValue {
    (key, Some(if value { "1" } else { "0" }.to_owned()))
}

fn words(key: &'static str, value: &[String]) -> KeyValue {
    (key, Some(value.join(",")))
}

/// Directories are kept relative to the root and written from it.
fn directories(key: &'static str, value: &[String]) -> KeyValue {
    let value: Vec<String> =
        value.iter().map(|path| format!("/{}", path.trim_start_matches('/'))).collect();
    words(key, &value)
}

/// Never is -1, as in the file.
fn seconds(period: Option<u64>) -> String {
    period.map_or_else(|| "-1".to_owned(), |seconds| seconds.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::config::Position;
    use super::*;

    /// Every value that is shown can be read back under its key.
    #[test]
    fn they_can_be_read_back() {
        let at = Position { file: "test", line: 0 };
        let mut main = MainConfig { metadata_expire: None, ..MainConfig::default() };
        main.excludepkgs = vec!["a".to_owned(), "b*".to_owned()];
        // Lists that are not empty by default are added to.
        let appended = ["installonlypkgs", "protected_packages"];
        let mut read = MainConfig::default();
        for (key, value) in main.values() {
            if !appended.contains(&key) {
                let warning = read.set(key, &value.unwrap_or_default(), at).expect("a valid value");
                assert_eq!(warning, None, "{key}");
            }
        }
        assert_eq!(read.values(), main.values());
        let mut repository = RepoConfig::new("r");
        repository.baseurl = vec!["file:///a/".to_owned()];
        let mut read = RepoConfig::new("r");
        for (key, value) in repository.values(&main) {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                assert_eq!(read.set(key, &value, at).expect("a valid value"), None, "{key}");
            }
        }
        assert_eq!(read.values(&main), repository.values(&main));
    }
}
