// SPDX-License-Identifier: MIT OR Apache-2.0
//! HTTP agents, made at the first use: certificate authorities and proxies come from the machine.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use ureq::config::Config;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::typestate::WithoutBody;
use ureq::{Agent, Proxy, ProxyProtocol, RequestBuilder};

use super::Limits;
use super::error::{FetchError, shown};
use super::forward::{ForwardConnector, ForwardResolver};
use crate::paths::variable;

/// One agent per scheme, because the proxies may differ and only `https` needs certificates.
#[derive(Debug, Default)]
pub(super) struct Agents {
    http: OnceLock<Route>,
    https: OnceLock<Route>,
    /// A proxy that replaces the ones of the environment.
    proxy: Option<String>,
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
    /// Agents that use the proxy `url` for everything.
    pub(super) fn through(url: &str) -> Self {
        Self { proxy: Some(url.to_owned()), ..Self::default() }
    }

    /// Returns a request for `url`, which must begin with `http://` or `https://`.
    pub(super) fn get(
        &self,
        url: &str,
        limits: &Limits,
    ) -> Result<RequestBuilder<WithoutBody>, FetchError> {
        let route = self.route(url, limits)?;
        let Some((agent, proxy)) = &route.forwarded else { return Ok(route.usual.get(url)) };
        if url.parse().is_ok_and(|uri| proxy.is_no_proxy(&uri)) {
            return Ok(route.usual.get(url));
        }
        let request = agent.get(url);
        Ok(match credentials(proxy) {
            Some(basic) => request.header("proxy-authorization", basic),
            None => request,
        })
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
        let authorities = authorities();
        if scheme == "https" && authorities.is_empty() {
            return Err(FetchError::NoAuthorities {
                url: shown(url),
                looked_in: bundle_candidates(),
            });
        }
        let proxy = self.proxy(scheme);
        Ok(slot.get_or_init(|| Route::new(scheme, proxy, authorities, limits)))
    }

    fn proxy(&self, scheme: &str) -> Option<Proxy> {
        match &self.proxy {
            Some(url) => Proxy::new(url).ok(),
            None => environment_proxy(scheme),
        }
    }
}

impl Route {
    fn new(
        scheme: &str,
        proxy: Option<Proxy>,
        authorities: Vec<Certificate<'static>>,
        limits: &Limits,
    ) -> Self {
        match proxy {
            Some(proxy) if scheme == "http" && proxy.protocol() == ProxyProtocol::Http => {
                let config = config(None, authorities, limits);
                let agent = Agent::with_parts(
                    config.clone(),
                    ForwardConnector::default(),
                    ForwardResolver::new(proxy.uri().clone()),
                );
                Self { usual: config.into(), forwarded: Some((agent, proxy)) }
            }
            proxy => Self { usual: config(proxy, authorities, limits).into(), forwarded: None },
        }
    }
}

/// Returns the proxy's user and password as HTTP basic authentication.
fn credentials(proxy: &Proxy) -> Option<String> {
    let plain = format!("{}:{}", proxy.username()?, proxy.password().unwrap_or_default());
    Some(format!("Basic {}", base64(plain.as_bytes())))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let number = chunk
            .iter()
            .chain([0, 0].iter())
            .take(3)
            .fold(0u32, |number, byte| number << 8 | u32::from(*byte));
        for position in 0..4 {
            let digit = DIGITS[(number >> (18 - 6 * position) & 63) as usize];
            text.push(if position <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

fn config(proxy: Option<Proxy>, authorities: Vec<Certificate<'static>>, limits: &Limits) -> Config {
    // An http agent may be redirected to https, so it gets the authorities too.
    let tls = TlsConfig::builder().root_certs(RootCerts::from(authorities)).build();
    Agent::config_builder()
        .tls_config(tls)
        .proxy(proxy)
        .http_status_as_error(false)
        .user_agent(concat!("cairn/", env!("CARGO_PKG_VERSION")))
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

fn bundle_candidates() -> Vec<PathBuf> {
    match variable("SSL_CERT_FILE") {
        Some(path) => vec![path.into()],
        None => BUNDLES.iter().map(PathBuf::from).collect(),
    }
}

/// Reads the first bundle that exists; entries that are not certificates are skipped.
fn authorities() -> Vec<Certificate<'static>> {
    let Some(pem) = bundle_candidates().into_iter().find_map(|path| std::fs::read(path).ok())
    else {
        return Vec::new();
    };
    let certificate = |item| {
        if let Ok(PemItem::Certificate(certificate)) = item { Some(certificate) } else { None }
    };
    parse_pem(&pem).filter_map(certificate).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_base64() {
        for (plain, expected) in [
            ("", ""),
            ("a", "YQ=="),
            ("ab", "YWI="),
            ("abc", "YWJj"),
            ("user:p\u{e4}ss", "dXNlcjpww6Rzcw=="),
        ] {
            assert_eq!(base64(plain.as_bytes()), expected);
        }
    }
}
