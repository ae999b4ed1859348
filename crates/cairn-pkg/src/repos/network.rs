// SPDX-License-Identifier: MIT OR Apache-2.0
//! How the servers of a repository are reached: the keys of dnf5.conf(5) that `[main]` and repositories share.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use cairn_host::fetch::{
    Access, ClientIdentity, Credentials, Family, FetchError, Fetcher, Limits, ProxyChoice, Way,
};

use super::RepoConfig;
use super::value::{boolean, number, period};

/// What `[main]` or a repository says; `None` is what the other says, or the default.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct NetworkConfig {
    /// URL of the proxy; empty for none.
    pub proxy: Option<String>,
    /// User of the proxy.
    pub proxy_username: Option<String>,
    /// The proxy user's password.
    pub proxy_password: Option<String>,
    /// User of the servers.
    pub username: Option<String>,
    /// The user's password.
    pub password: Option<String>,
    /// Whether certificates of servers are verified.
    pub sslverify: Option<bool>,
    /// File with the certificate authorities, on the host.
    pub sslcacert: Option<PathBuf>,
    /// File with this machine's certificate, on the host.
    pub sslclientcert: Option<PathBuf>,
    /// File with the certificate's key, on the host.
    pub sslclientkey: Option<PathBuf>,
    /// Seconds until a silent connection is given up.
    pub timeout: Option<u64>,
    /// Least speed, bytes per second.
    pub minrate: Option<u64>,
    /// Attempts for one file.
    pub retries: Option<u32>,
    /// What servers are told to be asked by.
    pub user_agent: Option<String>,
    /// Which addresses are used.
    pub ip_resolve: Option<Family>,
}

impl std::fmt::Debug for NetworkConfig {
    // Names, passwords and proxies are nobody's business.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NetworkConfig")
            .field("sslverify", &self.sslverify)
            .field("sslcacert", &self.sslcacert)
            .field("timeout", &self.timeout)
            .field("minrate", &self.minrate)
            .field("retries", &self.retries)
            .finish_non_exhaustive()
    }
}

/// Ways to the servers of all repositories: what fetches, and by repository how, where not as `[main]` says.
#[derive(Debug, Default)]
pub struct Network {
    /// Its first way is that of `[main]`.
    pub fetcher: Fetcher,
    ways: BTreeMap<String, Way>,
}

impl Network {
    /// Returns the ways that a configuration names.
    ///
    /// # Errors
    /// A proxy's URL cannot be used.
    pub fn new(main: &NetworkConfig, repositories: &[RepoConfig]) -> Result<Self, FetchError> {
        let mut fetcher = Fetcher::with_access(main.access(), main.limits())?;
        let mut ways = BTreeMap::new();
        for repository in repositories {
            let own = repository.network.or(main);
            if own != *main {
                let way = fetcher.add_way(own.access(), own.limits())?;
                ways.insert(repository.id.clone(), way);
            }
        }
        Ok(Self { fetcher, ways })
    }

    /// Returns the way to the servers of a repository.
    pub fn way(&self, repository: &str) -> Way {
        self.ways.get(repository).copied().unwrap_or_default()
    }

    /// Returns what a server of a repository has, at most `limit` bytes.
    ///
    /// # Errors
    /// As [`Fetcher::get`].
    pub fn get(&self, repository: &str, url: &str, limit: u64) -> Result<Vec<u8>, FetchError> {
        self.fetcher.get_by(self.way(repository), url, limit)
    }
}

/// The keys.
pub(super) const KEYS: &[&str] = &[
    "proxy",
    "proxy_username",
    "proxy_password",
    "username",
    "password",
    "sslverify",
    "sslcacert",
    "sslclientcert",
    "sslclientkey",
    "timeout",
    "minrate",
    "retries",
    "user_agent",
    "ip_resolve",
];

impl NetworkConfig {
    /// Sets one key; `false` if it is none of these.
    ///
    /// # Errors
    /// The value is not of the key's form; secrets are not part of the message.
    pub fn set(&mut self, key: &str, value: &str) -> Result<bool, String> {
        let text = || (!value.is_empty()).then(|| value.to_owned());
        let path = || (!value.is_empty()).then(|| PathBuf::from(value));
        match key {
            "proxy" if matches!(value, "" | "_none_") => self.proxy = Some(String::new()),
            "proxy" => {
                let proxy = ProxyChoice::Url(value.to_owned());
                let access = Access { proxy, ..Access::default() };
                // The error itself would show the URL.
                Fetcher::with_access(access, Limits::default()).map_err(|error| match error {
                    FetchError::Url { reason, .. } => reason.to_owned(),
                    other => other.to_string(),
                })?;
                self.proxy = text();
            }
            "proxy_username" => self.proxy_username = text(),
            "proxy_password" => self.proxy_password = text(),
            "username" => self.username = text(),
            "password" => self.password = text(),
            "sslverify" => self.sslverify = Some(boolean(value)?),
            "sslcacert" => self.sslcacert = path(),
            "sslclientcert" => self.sslclientcert = path(),
            "sslclientkey" => self.sslclientkey = path(),
            "timeout" => self.timeout = period(value)?,
            "minrate" => self.minrate = Some(rate(value)?),
            "retries" => self.retries = Some(number(value, 0, 1000)? as u32),
            "user_agent" => self.user_agent = text(),
            "ip_resolve" => {
                self.ip_resolve = Some(match value.to_ascii_lowercase().as_str() {
                    "4" | "ipv4" => Family::V4,
                    "6" | "ipv6" => Family::V6,
                    "" | "whatever" => Family::Any,
                    _ => return Err(format!("{value:?} is not `ipv4`, `ipv6` or `whatever`")),
                });
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Returns this with what it does not say as `main` says it.
    #[must_use]
    pub fn or(&self, main: &Self) -> Self {
        fn either<T: Clone>(own: Option<&T>, main: Option<&T>) -> Option<T> {
            own.or(main).cloned()
        }
        Self {
            proxy: either(self.proxy.as_ref(), main.proxy.as_ref()),
            proxy_username: either(self.proxy_username.as_ref(), main.proxy_username.as_ref()),
            proxy_password: either(self.proxy_password.as_ref(), main.proxy_password.as_ref()),
            username: either(self.username.as_ref(), main.username.as_ref()),
            password: either(self.password.as_ref(), main.password.as_ref()),
            sslverify: self.sslverify.or(main.sslverify),
            sslcacert: either(self.sslcacert.as_ref(), main.sslcacert.as_ref()),
            sslclientcert: either(self.sslclientcert.as_ref(), main.sslclientcert.as_ref()),
            sslclientkey: either(self.sslclientkey.as_ref(), main.sslclientkey.as_ref()),
            timeout: self.timeout.or(main.timeout),
            minrate: self.minrate.or(main.minrate),
            retries: self.retries.or(main.retries),
            user_agent: either(self.user_agent.as_ref(), main.user_agent.as_ref()),
            ip_resolve: self.ip_resolve.or(main.ip_resolve),
        }
    }

    /// Returns how servers are reached.
    pub fn access(&self) -> Access {
        let credentials = |user: &Option<String>, password: &Option<String>| {
            let (user, password) = (user.clone()?, password.clone().unwrap_or_default());
            Some(Credentials { user, password })
        };
        let client = self.sslclientcert.as_ref().map(|certificate| ClientIdentity {
            certificate: certificate.clone(),
            key: self.sslclientkey.as_ref().unwrap_or(certificate).clone(),
        });
        Access {
            proxy: match self.proxy.as_deref() {
                None => ProxyChoice::Environment,
                Some("") => ProxyChoice::None,
                Some(url) => ProxyChoice::Url(url.to_owned()),
            },
            proxy_credentials: credentials(&self.proxy_username, &self.proxy_password),
            credentials: credentials(&self.username, &self.password),
            authorities: self.sslcacert.clone(),
            client,
            unverified: self.sslverify == Some(false),
            user_agent: self.user_agent.clone(),
            family: self.ip_resolve.unwrap_or_default(),
        }
    }

    /// Returns how patient downloads are.
    pub fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        if let Some(seconds) = self.timeout.filter(|seconds| *seconds > 0) {
            limits.connect = Duration::from_secs(seconds);
            limits.silence = limits.connect;
        }
        if let Some(rate) = self.minrate {
            limits.slowest = rate.saturating_mul(limits.window.as_secs());
        }
        if let Some(attempts) = self.retries {
            // 0: as long as it takes.
            limits.attempts = if attempts == 0 { u32::MAX } else { attempts };
        }
        limits
    }
}

/// Reads bytes per second, with `k`, `M` or `G` for powers of 1024 behind them.
fn rate(text: &str) -> Result<u64, String> {
    let units = [('k', 10), ('m', 20), ('g', 30)];
    let unit = units.iter().find_map(|(unit, shift)| {
        Some((text.strip_suffix([*unit, unit.to_ascii_uppercase()])?, *shift))
    });
    let (digits, shift) = unit.unwrap_or((text, 0));
    Ok((number(digits.trim(), 0, 1 << 30)? as u64) << shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(lines: &[(&str, &str)]) -> NetworkConfig {
        let mut config = NetworkConfig::default();
        for (key, value) in lines {
            assert_eq!(config.set(key, value), Ok(true), "{key}");
        }
        config
    }

    #[test]
    fn a_repository_says_otherwise() {
        let main = config(&[
            ("proxy", "http://p:3128"),
            ("username", "main"),
            ("password", "secret"),
            ("timeout", "5"),
            ("retries", "7"),
            ("sslverify", "0"),
        ]);
        let own =
            config(&[("proxy", ""), ("username", "own"), ("minrate", "1k"), ("ip_resolve", "4")]);
        let both = own.or(&main);
        let access = both.access();
        assert_eq!(access.proxy, ProxyChoice::None);
        let credentials = Credentials { user: "own".into(), password: "secret".into() };
        assert_eq!(access.credentials, Some(credentials));
        assert!(access.unverified);
        assert_eq!(access.family, Family::V4);
        let limits = both.limits();
        assert_eq!((limits.silence.as_secs(), limits.attempts, limits.slowest), (5, 7, 60 << 10));
        assert!(!format!("{both:?}").contains("secret"));
        let identity = config(&[("sslclientcert", "/c")]).access().client.unwrap();
        assert_eq!((identity.certificate, identity.key), ("/c".into(), "/c".into()));
    }

    #[test]
    fn wrong_values_are_refused() {
        let mut config = NetworkConfig::default();
        for (key, value, expected) in [
            ("proxy", "socks5://me:secret@h:1", "a proxy is http://HOST:PORT or https://HOST:PORT"),
            ("ip_resolve", "5", "\"5\" is not `ipv4`, `ipv6` or `whatever`"),
        ] {
            assert_eq!(config.set(key, value), Err(expected.to_owned()));
        }
        assert_eq!(config.set("baseurl", "x"), Ok(false));
        assert_eq!(config, NetworkConfig::default());
    }
}
