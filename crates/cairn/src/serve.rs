// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cairn repo serve`: a small HTTP server for the files of one directory, enough for package managers and boot loaders.
//!
//! GET and HEAD, keep-alive, single byte ranges, `ETag` and `Last-Modified` with their conditions (RFC 9110). Paths are resolved by
//! [`Root`], so neither `..` nor a symbolic link leads out of the directory. There are no directory listings and no TLS. This module
//! and the listening socket in it are the one place where `cairn` is asynchronous.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use cairn_host::{HostError, Root, Stat};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};

/// Why serving ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The directory cannot be opened.
    #[error(transparent)]
    Directory(#[from] HostError),
    /// The address cannot be used.
    #[error("cannot listen on `{address}`")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The cause.
        source: io::Error,
    },
    /// The machinery around the socket failed.
    #[error("cannot serve files")]
    Runtime(#[source] io::Error),
}

impl ServeError {
    /// Returns what an operator can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Directory(error) => error.hint(),
            Self::Listen { source, .. } if source.kind() == io::ErrorKind::AddrInUse => Some(
                "another program listens there: choose another port, or port 0 for any free one"
                    .to_owned(),
            ),
            Self::Listen { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Some("ports below 1024 are reserved for root: choose a higher one".to_owned())
            }
            Self::Listen { .. } | Self::Runtime(_) => None,
        }
    }
}

/// Connections that are served at the same time; further ones wait.
const CONNECTION_LIMIT: usize = 256;
/// How long a client may take to send a request's header, idle time between requests included.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long running answers may go on after the signal to stop.
const STOP_GRACE: Duration = Duration::from_secs(5);
/// Bytes that are read and sent at a time.
const CHUNK: usize = 64 * 1024;

type Answer = Response<BoxBody<Bytes, io::Error>>;

/// Serves the files in `dir` until SIGINT or SIGTERM, then lets running answers finish for a moment. `ready` is called with the real
/// address (port 0 means any free one) as soon as connections are accepted.
pub fn serve(
    dir: &Path,
    listen: SocketAddr,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), ServeError> {
    serve_until(dir, listen, ready, stop_signal())
}

fn serve_until(
    dir: &Path,
    listen: SocketAddr,
    ready: impl FnOnce(SocketAddr),
    stop: impl Future<Output = io::Result<()>>,
) -> Result<(), ServeError> {
    let root = Root::open(dir)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(ServeError::Runtime)?;
    runtime.block_on(async {
        let failed = |source| ServeError::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        ready(listener.local_addr().map_err(failed)?);
        accept_until(&root, &listener, stop).await.map_err(ServeError::Runtime)
    })
}

async fn stop_signal() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result,
        _ = terminate.recv() => Ok(()),
    }
}

async fn accept_until(
    root: &Root,
    listener: &TcpListener,
    stop: impl Future<Output = io::Result<()>>,
) -> io::Result<()> {
    let graceful = GracefulShutdown::new();
    let places = std::sync::Arc::new(Semaphore::new(CONNECTION_LIMIT));
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    let mut stop = std::pin::pin!(stop);
    loop {
        // The semaphore is never closed.
        let Ok(place) = std::sync::Arc::clone(&places).acquire_owned().await else { break };
        let stream = tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else {
                    // A client that is gone already, or too many open files: neither is a reason to end.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                };
                stream
            }
            result = &mut stop => {
                result?;
                break;
            }
        };
        let root = root.clone();
        let service = service_fn(move |request| {
            let root = root.clone();
            async move { Ok::<_, std::convert::Infallible>(answer(&root, &request)) }
        });
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // An error is the client's: it broke the connection or the protocol.
            let _ = connection.await;
            drop(place);
        });
    }
    // What is not finished then is cut off.
    let _ = tokio::time::timeout(STOP_GRACE, graceful.shutdown()).await;
    Ok(())
}

fn answer(root: &Root, request: &Request<Incoming>) -> Answer {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return with_headers(
            short(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n"),
            &[(header::ALLOW, "GET, HEAD")],
        );
    }
    let Some(path) = decode_path(request.uri().path()) else {
        return short(StatusCode::BAD_REQUEST, "bad path\n");
    };
    let opened = open_file(root, &path);
    let (file, stat) = match opened {
        Ok(Some(found)) => found,
        Ok(None) => return short(StatusCode::NOT_FOUND, "not found\n"),
        Err(error) if error.io_kind() == Some(io::ErrorKind::PermissionDenied) => {
            return short(StatusCode::FORBIDDEN, "forbidden\n");
        }
        Err(_) => return short(StatusCode::INTERNAL_SERVER_ERROR, "cannot read the file\n"),
    };
    file_answer(request, file, &stat, &path)
}

/// Opens a regular file below the root; a directory stands for its `index.html`.
fn open_file(root: &Root, path: &str) -> Result<Option<(File, Stat)>, HostError> {
    let index = format!("{path}/index.html");
    for candidate in [path, index.as_str()] {
        match root.metadata(candidate)? {
            Some(stat) if stat.is_file() => return Ok(Some((root.open_read(candidate)?, stat))),
            Some(stat) if stat.is_dir() => {}
            _ => return Ok(None),
        }
    }
    Ok(None)
}

fn file_answer(request: &Request<Incoming>, file: File, stat: &Stat, path: &str) -> Answer {
    let etag = format!(
        "\"{:x}-{:x}.{:x}-{:x}\"",
        stat.inode, stat.mtime, stat.mtime_nanoseconds, stat.size
    );
    let modified = http_date(stat.mtime);
    let mut common =
        vec![(header::ETAG, etag.clone()), (header::ACCEPT_RANGES, "bytes".to_owned())];
    common.extend(modified.clone().map(|date| (header::LAST_MODIFIED, date)));
    if is_not_modified(request.headers(), &etag, stat.mtime) {
        return with_headers(empty(StatusCode::NOT_MODIFIED), &common);
    }
    common.push((header::CONTENT_TYPE, content_type(path).to_owned()));
    let Ok(range) = requested_range(request.headers(), stat.size, &etag, modified.as_deref())
    else {
        common.push((header::CONTENT_RANGE, format!("bytes */{}", stat.size)));
        return with_headers(short(StatusCode::RANGE_NOT_SATISFIABLE, "no such range\n"), &common);
    };
    let (status, start, length) = match range {
        None => (StatusCode::OK, 0, stat.size),
        Some((first, last)) => {
            common.push((header::CONTENT_RANGE, format!("bytes {first}-{last}/{}", stat.size)));
            (StatusCode::PARTIAL_CONTENT, first, last - first + 1)
        }
    };
    let mut response = if *request.method() == Method::HEAD {
        empty(status)
    } else {
        streamed(status, file, start, length)
    };
    common.push((header::CONTENT_LENGTH, length.to_string()));
    response = with_headers(response, &common);
    response
}

/// Decodes `%XX`; `None` if the path is not an absolute one, not UTF-8 or holds a NUL byte.
fn decode_path(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut input = path.strip_prefix('/')?.as_bytes();
    while let Some((byte, rest)) = input.split_first() {
        if *byte == b'%' {
            let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            input = &rest[2..];
        } else {
            bytes.push(*byte);
            input = rest;
        }
    }
    String::from_utf8(bytes).ok().filter(|path| !path.contains('\0'))
}

fn is_not_modified(headers: &HeaderMap, etag: &str, mtime: i64) -> bool {
    if let Some(given) = text(headers, &header::IF_NONE_MATCH) {
        // Weak comparison, as RFC 9110 section 13.1.2 asks for.
        return given.trim() == "*"
            || given.split(',').any(|one| one.trim().trim_start_matches("W/") == etag);
    }
    let since = text(headers, &header::IF_MODIFIED_SINCE)
        .and_then(|date| rfc2822::DateTimeParser::new().parse_timestamp(date).ok());
    since.is_some_and(|since| mtime <= since.as_second())
}

struct Unsatisfiable;

/// Returns the first and last byte of a single valid range. Anything else than one range is ignored, as RFC 9110 allows.
fn requested_range(
    headers: &HeaderMap,
    size: u64,
    etag: &str,
    modified: Option<&str>,
) -> Result<Option<(u64, u64)>, Unsatisfiable> {
    if let Some(condition) = text(headers, &header::IF_RANGE)
        && condition != etag
        && Some(condition) != modified
    {
        return Ok(None);
    }
    let range = text(headers, &header::RANGE)
        .and_then(|range| range.strip_prefix("bytes="))
        .filter(|range| !range.contains(','));
    let Some((first, last)) = range.and_then(|range| range.trim().split_once('-')) else {
        return Ok(None);
    };
    let (first, last) = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first > last => return Ok(None),
        (Ok(first), Ok(last)) => (first, last.min(size.saturating_sub(1))),
        (Ok(first), Err(_)) if last.is_empty() => (first, size.saturating_sub(1)),
        (Err(_), Ok(0)) if first.is_empty() => return Err(Unsatisfiable),
        (Err(_), Ok(length)) if first.is_empty() => {
            (size.saturating_sub(length), size.saturating_sub(1))
        }
        _ => return Ok(None),
    };
    if first >= size { Err(Unsatisfiable) } else { Ok(Some((first, last))) }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn http_date(unix: i64) -> Option<String> {
    let timestamp = Timestamp::from_second(unix).ok()?;
    rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&timestamp).ok()
}

fn content_type(path: &str) -> &'static str {
    match Path::new(path).extension().and_then(|extension| extension.to_str()) {
        Some("rpm") => "application/x-rpm",
        Some("xml") => "text/xml",
        Some("json") => "application/json",
        Some("gz") => "application/gzip",
        Some("zst") => "application/zstd",
        Some("xz") => "application/x-xz",
        Some("bz2") => "application/x-bzip2",
        Some("iso") => "application/vnd.efi.iso",
        Some("asc") => "application/pgp-keys",
        Some("sig") => "application/pgp-signature",
        Some("html") => "text/html; charset=utf-8",
        Some("repo" | "txt" | "toml" | "cfg" | "conf" | "sha256") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn short(status: StatusCode, words: &'static str) -> Answer {
    let body =
        Full::new(Bytes::from_static(words.as_bytes())).map_err(|never| match never {}).boxed();
    with_headers(of(status, body), &[(header::CONTENT_TYPE, "text/plain; charset=utf-8")])
}

fn empty(status: StatusCode) -> Answer {
    of(status, Empty::new().map_err(|never| match never {}).boxed())
}

fn of(status: StatusCode, body: BoxBody<Bytes, io::Error>) -> Answer {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

fn with_headers<V: AsRef<str>>(mut response: Answer, headers: &[(HeaderName, V)]) -> Answer {
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(value.as_ref()) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// Starts reading `length` bytes from `start` in a thread that may block, and returns an answer with them.
fn streamed(status: StatusCode, mut file: File, start: u64, length: u64) -> Answer {
    if file.seek(SeekFrom::Start(start)).is_err() {
        return short(StatusCode::INTERNAL_SERVER_ERROR, "cannot read the file\n");
    }
    let (sender, receiver) = mpsc::channel(2);
    tokio::task::spawn_blocking(move || {
        let mut left = length;
        let mut next = |left: u64| -> io::Result<Bytes> {
            let mut chunk = vec![0; usize::try_from(left).unwrap_or(CHUNK).min(CHUNK)];
            file.read_exact(&mut chunk)?;
            Ok(chunk.into())
        };
        while left > 0 {
            let chunk = next(left);
            left = chunk.as_ref().map_or(0, |chunk| left - chunk.len() as u64);
            // An error here means that the client has gone.
            if sender.blocking_send(chunk).is_err() {
                return;
            }
        }
    });
    of(status, Chunks { receiver, left: length }.boxed())
}

/// A body whose chunks come from a thread.
struct Chunks {
    receiver: mpsc::Receiver<io::Result<Bytes>>,
    left: u64,
}

impl Body for Chunks {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.receiver.poll_recv(context).map(|received| {
            let chunk = received?;
            if let Ok(chunk) = &chunk {
                self.left = self.left.saturating_sub(chunk.len() as u64);
            }
            Some(chunk.map(Frame::data))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;

    use super::*;

    /// Serves a small directory while `client` runs; it gets a function that sends a request and returns status, headers and body.
    fn with_server(client: impl FnOnce(SocketAddr) + Send + 'static) {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("secret"), "outside").unwrap();
        let site = dir.path().join("site");
        fs::create_dir_all(site.join("repodata")).unwrap();
        fs::write(site.join("repodata/repomd.xml"), "0123456789").unwrap();
        fs::write(site.join("with space.rpm"), vec![b'x'; 300_000]).unwrap();
        fs::write(site.join("empty.txt"), "").unwrap();
        std::os::unix::fs::symlink("../secret", site.join("leak")).unwrap();
        std::os::unix::fs::symlink("repodata/repomd.xml", site.join("link.xml")).unwrap();
        let file = File::options().append(true).open(site.join("repodata/repomd.xml")).unwrap();
        file.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(1_700_000_000)).unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let mut running = None;
        let ready = |address| {
            running = Some(std::thread::spawn(move || {
                client(address);
                stop.send(()).unwrap();
            }));
        };
        let stopped = async { stopped.await.map_err(io::Error::other) };
        serve_until(&site, "127.0.0.1:0".parse().unwrap(), ready, stopped).unwrap();
        running.unwrap().join().unwrap();
    }

    fn exchange(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.replace('\n', "\r\n").as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }

    /// Returns the status line's number, the wanted header and the body.
    fn check(address: SocketAddr, request: &str, wanted: &str) -> (u16, String, String) {
        let text = exchange(address, &format!("{request}\nHost: x\nConnection: close\n\n"));
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let line = head.lines().find_map(|line| line.strip_prefix(&format!("{wanted}: ")));
        (status, line.unwrap_or_default().to_owned(), body.to_owned())
    }

    #[test]
    fn files_ranges_and_conditions() {
        with_server(|address| {
            let get = |extra: &str, wanted: &str| {
                let (status, header, body) =
                    check(address, &format!("GET /repodata/repomd.xml HTTP/1.1{extra}"), wanted);
                format!("{status} {header} {body}")
            };
            assert_eq!(get("", "content-type"), "200 text/xml 0123456789");
            assert_eq!(get("", "last-modified"), "200 Tue, 14 Nov 2023 22:13:20 GMT 0123456789");
            for (range, expected) in [
                ("0-3", "206 bytes 0-3/10 0123"),
                ("7-", "206 bytes 7-9/10 789"),
                ("-2", "206 bytes 8-9/10 89"),
                ("5-99", "206 bytes 5-9/10 56789"),
                ("-99", "206 bytes 0-9/10 0123456789"),
                ("10-", "416 bytes */10 no such range\n"),
                ("-0", "416 bytes */10 no such range\n"),
                ("3-1", "200  0123456789"),
                ("0-1,4-5", "200  0123456789"),
                ("x-y", "200  0123456789"),
            ] {
                assert_eq!(
                    get(&format!("\nRange: bytes={range}"), "content-range"),
                    expected,
                    "{range}"
                );
            }
            let (_, etag, _) = check(address, "HEAD /repodata/repomd.xml HTTP/1.1", "etag");
            assert_eq!(
                get(&format!("\nIf-None-Match: \"x\", W/{etag}"), "etag"),
                format!("304 {etag} ")
            );
            assert_eq!(get("\nIf-None-Match: \"x\"", "content-length"), "200 10 0123456789");
            assert_eq!(
                get("\nIf-Modified-Since: Tue, 14 Nov 2023 22:13:20 GMT", "content-length"),
                "304  "
            );
            assert_eq!(
                get("\nIf-Modified-Since: Tue, 14 Nov 2023 22:13:19 GMT", "content-length"),
                "200 10 0123456789"
            );
            assert_eq!(
                get(&format!("\nRange: bytes=0-0\nIf-Range: {etag}"), "content-length"),
                "206 1 0"
            );
            assert_eq!(
                get("\nRange: bytes=0-0\nIf-Range: \"old\"", "content-length"),
                "200 10 0123456789"
            );
        });
    }

    #[test]
    fn paths_methods_and_heads() {
        with_server(|address| {
            for (request, expected) in [
                ("GET /nothing", 404),
                ("GET /leak", 404),
                ("GET /../secret", 404),
                ("GET /%2e%2e/secret", 404),
                ("GET /repodata/..%2f..%2fsecret", 404),
                ("GET /repodata", 404),
                ("GET /", 404),
                ("GET /%", 400),
                ("GET /%00", 400),
                ("GET /%ff", 400),
                ("GET /link.xml?query=ignored", 200),
                ("GET /empty.txt", 200),
                ("POST /link.xml", 405),
                ("DELETE /link.xml", 405),
            ] {
                assert_eq!(
                    check(address, &format!("{request} HTTP/1.1"), "allow").0,
                    expected,
                    "{request}"
                );
            }
            let (status, length, body) =
                check(address, "HEAD /with%20space.rpm HTTP/1.1", "content-length");
            assert_eq!((status, length.as_str(), body.as_str()), (200, "300000", ""));
            let (_, kind, body) = check(address, "GET /with%20space.rpm HTTP/1.1", "content-type");
            assert_eq!((kind.as_str(), body.len()), ("application/x-rpm", 300_000));
        });
    }

    #[test]
    fn one_connection_serves_many_requests_and_many_clients_at_once() {
        with_server(|address| {
            let request = "GET /repodata/repomd.xml HTTP/1.1\nHost: x\n\n";
            let last = "GET /empty.txt HTTP/1.1\nHost: x\nConnection: close\n\n";
            let text = exchange(address, &format!("{request}{request}{last}"));
            assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 3);
            let idle: Vec<TcpStream> =
                (0..50).map(|_| TcpStream::connect(address).unwrap()).collect();
            let clients: Vec<_> = (0..8)
                .map(|_| {
                    std::thread::spawn(move || {
                        check(address, "GET /with%20space.rpm HTTP/1.1", "etag").2.len()
                    })
                })
                .collect();
            assert!(clients.into_iter().all(|client| client.join().unwrap() == 300_000));
            drop(idle);
        });
    }

    #[test]
    fn an_address_in_use_has_a_hint() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let error = serve(Path::new("/"), taken.local_addr().unwrap(), |_| {}).unwrap_err();
        assert!(error.to_string().starts_with("cannot listen on `127.0.0.1:"), "{error}");
        assert!(error.hint().is_some());
    }
}
