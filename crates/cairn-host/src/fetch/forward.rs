// SPDX-License-Identifier: MIT OR Apache-2.0
//! Plain `http` through a proxy, the way proxies expect it: the request goes to the proxy with the whole URL in its first line
//! (RFC 9112 section 3.2.2). ureq knows only CONNECT, which most proxies refuse for ports other than 443.

use ureq::http::{Uri, uri::Scheme};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, DefaultConnector, Either, NextTimeout, TcpConnector,
    Transport,
};
use ureq::{Error, config::Config};

/// Resolves the proxy instead of the server, whose name may be unknown here.
#[derive(Debug)]
pub(super) struct ForwardResolver {
    proxy: Uri,
    inner: DefaultResolver,
}

impl ForwardResolver {
    pub(super) fn new(proxy: Uri) -> Self {
        Self { proxy, inner: DefaultResolver::default() }
    }
}

impl Resolver for ForwardResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let uri = if uri.scheme() == Some(&Scheme::HTTP) { &self.proxy } else { uri };
        self.inner.resolve(uri, config, timeout)
    }
}

/// Connects to what the resolver found; `http` connections rewrite their requests. A redirect to `https` connects as usual.
#[derive(Debug, Default)]
pub(super) struct ForwardConnector {
    inner: DefaultConnector,
}

impl Connector<()> for ForwardConnector {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<()>,
    ) -> Result<Option<Self::Out>, Error> {
        if details.uri.scheme() != Some(&Scheme::HTTP) {
            return self.inner.connect(details, chained);
        }
        let prefix = format!(
            "http://{}",
            details.uri.authority().map_or("", |authority| authority.as_str())
        );
        let connected = Connector::<()>::connect(&TcpConnector::default(), details, None)?;
        Ok(connected.map(|inner: Either<(), _>| Box::new(Forwarded { inner, prefix }) as Self::Out))
    }
}

/// Inserts scheme and authority into each request line.
#[derive(Debug)]
struct Forwarded<T> {
    inner: T,
    prefix: String,
}

impl<T: Transport> Transport for Forwarded<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        const METHOD: &[u8] = b"GET ";
        let output = self.inner.buffers().output();
        // The head of a request is written at once, and only GET requests (which have no body) are made.
        if !output[..amount].starts_with(b"GET /") {
            return self.inner.transmit_output(amount, timeout);
        }
        let end = amount + self.prefix.len();
        if end > output.len() {
            return Err(Error::Other("the request does not fit into the buffer".into()));
        }
        output.copy_within(METHOD.len()..amount, METHOD.len() + self.prefix.len());
        output[METHOD.len()..METHOD.len() + self.prefix.len()]
            .copy_from_slice(self.prefix.as_bytes());
        self.inner.transmit_output(end, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }
}
