// SPDX-License-Identifier: MIT OR Apache-2.0
//! How servers are reached: proxy, credentials, certificates.

use std::path::PathBuf;

/// How servers are reached. By default as the environment and the machine say, without credentials.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// Through what.
    pub proxy: ProxyChoice,
    /// Who the proxy is told to be asking; in place of a user in the proxy's URL.
    pub proxy_credentials: Option<Credentials>,
    /// Who servers are told to be asking (HTTP basic authentication). Not sent on to where a server redirects.
    pub credentials: Option<Credentials>,
    /// A bundle of certificate authorities (PEM) in place of the machine's.
    pub authorities: Option<PathBuf>,
    /// What this side shows of itself.
    pub client: Option<ClientIdentity>,
    /// Accept every certificate.
    pub unverified: bool,
    /// What servers are told to be asked by; `cairn/VERSION` by default.
    pub user_agent: Option<String>,
    /// Which addresses are used.
    pub family: Family,
}

/// The proxy to be used.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum ProxyChoice {
    /// What `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy` say.
    #[default]
    Environment,
    /// None, whatever the environment says.
    None,
    /// This one: `http://[USER:PASSWORD@]HOST:PORT`.
    Url(String),
}

impl std::fmt::Debug for ProxyChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Environment => f.write_str("Environment"),
            Self::None => f.write_str("None"),
            // It may hold a password.
            Self::Url(url) => f.debug_tuple("Url").field(&super::error::shown(url)).finish(),
        }
    }
}

/// A user and the password, which `Debug` does not show.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// Name of the user.
    pub user: String,
    /// The password.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}

/// A certificate and its key (PEM); one file may hold both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientIdentity {
    /// File with the certificate and those that signed it.
    pub certificate: PathBuf,
    /// File with the private key.
    pub key: PathBuf,
}

/// Addresses of servers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Family {
    /// All.
    #[default]
    Any,
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}
