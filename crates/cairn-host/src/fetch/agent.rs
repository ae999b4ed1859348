// SPDX-License-Identifier: MIT OR Apache-2.0
//! HTTP agents, made at the first use: certificate authorities and proxies come from the machine.

use std::io;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ureq::config::{Config, IpFamily};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};
use ureq::typestate::WithoutBody;
use ureq::{Agent, Proxy, ProxyProtocol, RequestBuilder};

use super::Limits;
use super::access::{Access, ClientIdentity, Credentials, Family, ProxyChoice};
use super::error::{FetchError, shown};
use super::forward::{ForwardConnector, ForwardResolver};
use crate::paths::variable;

/// One agent per scheme, because the proxies may differ and only `https` needs certificates.
#[derive(Debug, Default)]
pub(super) struct Agents {
    http: OnceLock<Route>,
    https: OnceLock<Route>,
    access: Access,
}

/// The ways to a server.
#[derive(Debug)]
struct Route {
    /// Without proxy, or with one that is used with CONNECT.
    usual: Agent,
    /// Through a proxy that gets whole URLs, for `http`.
    forwarded: Option<(Agent, Proxy)>,
}

/// Where distributions keep the bundle.
const BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

impl Agents {
    pub(super) fn new(access: Access) -> Self {
        Self { access, ..Self::default() }
    }

    /// Returns a request for `url`, which must begin with `http://` or `https://`.
    pub(super) fn get(
        &self,
        url: &str,
        limits: &Limits,
    ) -> Result<RequestBuilder<WithoutBody>, FetchError> {
        let route = self.route(url, limits)?;
        let is_direct = |proxy: &Proxy| url.parse().is_ok_and(|uri| proxy.is_no_proxy(&uri));
        let mut request = match &route.forwarded {
            Some((agent, proxy)) if !is_direct(proxy) => {
                let request = agent.get(url);
                match of_proxy(proxy) {
                    Some(credentials) => request.header("proxy-authorization", basic(&credentials)),
                    None => request,
                }
            }
            _ => route.usual.get(url),
        };
        if let Some(credentials) = &self.access.credentials {
            request = request.header("authorization", basic(credentials));
        }
        Ok(request)
    }

    fn route(&self, url: &str, limits: &Limits) -> Result<&Route, FetchError> {
        let (slot, scheme) =
            match url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase()).as_deref() {
                Some("http") => (&self.http, "http"),
                Some("https") => (&self.https, "https"),
                _ => {
                    return Err(FetchError::Url {
                        url: shown(url),
                        reason: "only http, https and file URLs are supported",
                    });
                }
            };
        if let Some(route) = slot.get() {
            return Ok(route);
        }
        let tls = self.tls(url, scheme)?;
        let proxy = self.proxy(scheme)?;
        let config = |proxy| self.config(proxy, tls.clone(), limits);
        Ok(slot.get_or_init(|| Route::new(scheme, proxy, &config)))
    }

    fn proxy(&self, scheme: &str) -> Result<Option<Proxy>, FetchError> {
        let found = match &self.access.proxy {
            ProxyChoice::Environment => environment_proxy(scheme),
            ProxyChoice::None => None,
            ProxyChoice::Url(url) => Some(parse_proxy(url)?),
        };
        let (Some(proxy), Some(credentials)) = (&found, &self.access.proxy_credentials) else {
            return Ok(found);
        };
        let builder = Proxy::builder(proxy.protocol()).host(proxy.host()).port(proxy.port());
        let builder = builder.username(&credentials.user).password(&credentials.password);
        Ok(builder.build().ok())
    }

    fn tls(&self, url: &str, scheme: &str) -> Result<TlsConfig, FetchError> {
        let candidates = match &self.access.authorities {
            Some(path) => vec![path.clone()],
            None => bundle_candidates(),
        };
        let authorities = authorities(&candidates);
        if scheme == "https" && authorities.is_empty() && !self.access.unverified {
            return Err(FetchError::NoAuthorities { url: shown(url), looked_in: candidates });
        }
        let client = self.access.client.as_ref().map(client_certificate).transpose()?;
        Ok(TlsConfig::builder()
            // An http agent may be redirected to https, so it gets the authorities too.
            .root_certs(RootCerts::from(authorities))
            .client_cert(client)
            .disable_verification(self.access.unverified)
            .build())
    }

    fn config(&self, proxy: Option<Proxy>, tls: TlsConfig, limits: &Limits) -> Config {
        let own_name = concat!("cairn/", env!("CARGO_PKG_VERSION"));
        Agent::config_builder()
            .tls_config(tls)
            .proxy(proxy)
            .ip_family(match self.access.family {
                Family::Any => IpFamily::Any,
                Family::V4 => IpFamily::Ipv4Only,
                Family::V6 => IpFamily::Ipv6Only,
            })
            .http_status_as_error(false)
            .user_agent(self.access.user_agent.as_deref().unwrap_or(own_name))
            .accept_encoding("identity")
            .max_redirects(limits.redirects)
            .timeout_resolve(Some(limits.connect))
            .timeout_connect(Some(limits.connect))
            .timeout_recv_response(Some(limits.connect))
            .timeout_per_read(Some(limits.silence))
            .timeout_per_write(Some(limits.silence))
            .max_idle_age(Duration::from_secs(10))
            .build()
    }
}

impl Route {
    fn new(scheme: &str, proxy: Option<Proxy>, config: &dyn Fn(Option<Proxy>) -> Config) -> Self {
        match proxy {
            Some(proxy) if scheme == "http" && proxy.protocol() == ProxyProtocol::Http => {
                let agent = Agent::with_parts(
                    config(None),
                    ForwardConnector::default(),
                    ForwardResolver::new(proxy.uri().clone()),
                );
                Self { usual: config(None).into(), forwarded: Some((agent, proxy)) }
            }
            proxy => Self { usual: config(proxy).into(), forwarded: None },
        }
    }
}

/// Reads a proxy's URL; only `http` and `https` proxies can be used.
pub(super) fn parse_proxy(url: &str) -> Result<Proxy, FetchError> {
    let usable =
        |proxy: &Proxy| matches!(proxy.protocol(), ProxyProtocol::Http | ProxyProtocol::Https);
    let reason = "a proxy is http://HOST:PORT or https://HOST:PORT";
    Proxy::new(url).ok().filter(usable).ok_or_else(|| FetchError::Url { url: shown(url), reason })
}

/// Returns the proxy's user and password.
fn of_proxy(proxy: &Proxy) -> Option<Credentials> {
    let password = proxy.password().unwrap_or_default().to_owned();
    Some(Credentials { user: proxy.username()?.to_owned(), password })
}

/// HTTP basic authentication (RFC 7617).
fn basic(Credentials { user, password }: &Credentials) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

fn client_certificate(identity: &ClientIdentity) -> Result<ClientCert, FetchError> {
    let read =
        |path: &PathBuf| std::fs::read(path).map_err(|cause| FetchError::file("read", path, cause));
    let chain = certificates(&read(&identity.certificate)?);
    let bad = |path: &PathBuf, what: &str| {
        let cause = io::Error::new(io::ErrorKind::InvalidData, format!("it holds no {what} (PEM)"));
        FetchError::file("use", path, cause)
    };
    if chain.is_empty() {
        return Err(bad(&identity.certificate, "certificate"));
    }
    let key = PrivateKey::from_pem(&read(&identity.key)?)
        .map_err(|_| bad(&identity.key, "private key"))?;
    Ok(ClientCert::new_with_certs(&chain, key))
}

fn bundle_candidates() -> Vec<PathBuf> {
    match variable("SSL_CERT_FILE") {
        Some(path) => vec![path.into()],
        None => BUNDLES.iter().map(PathBuf::from).collect(),
    }
}

/// Reads the first bundle that exists; entries that are not certificates are skipped.
fn authorities(candidates: &[PathBuf]) -> Vec<Certificate<'static>> {
    let pem = candidates.iter().find_map(|path| std::fs::read(path).ok());
    pem.map(|pem| certificates(&pem)).unwrap_or_default()
}

fn certificates(pem: &[u8]) -> Vec<Certificate<'static>> {
    let certificate = |item| {
        if let Ok(PemItem::Certificate(certificate)) = item { Some(certificate) } else { None }
    };
    parse_pem(pem).filter_map(certificate).collect()
}

fn environment_proxy(scheme: &str) -> Option<Proxy> {
    let either_case = |name: &str| variable(name).or_else(|| variable(&name.to_ascii_uppercase()));
    // HTTP_PROXY in capitals is what a CGI server sets from a request header: only the small form counts.
    let of_scheme =
        if scheme == "http" { variable("http_proxy") } else { either_case("https_proxy") };
    let parsed = Proxy::new(&of_scheme.or_else(|| either_case("all_proxy"))?).ok()?;
    let Some(exceptions) = either_case("no_proxy") else { return Some(parsed) };
    let mut builder = Proxy::builder(parsed.protocol()).host(parsed.host()).port(parsed.port());
    if let Some(user) = parsed.username() {
        builder = builder.username(user);
    }
    if let Some(password) = parsed.password() {
        builder = builder.password(password);
    }
    for exception in exceptions.split(',').map(str::trim).filter(|exception| !exception.is_empty())
    {
        builder = builder.no_proxy(exception);
    }
    builder.build().ok()
}
