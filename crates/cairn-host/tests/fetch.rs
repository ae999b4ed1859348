// SPDX-License-Identifier: MIT OR Apache-2.0
//! `fetch` against a scripted server on the loopback interface: one answer per connection, the requests are recorded.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use cairn_host::fetch::{
    Access, ClientIdentity, Credentials, Download, Expected, FetchError, Fetcher, Limits, Progress,
    ProxyChoice, Way,
};

/// What the server does with one connection.
#[derive(Clone)]
enum Answer {
    /// Sends these bytes and closes.
    Send(Vec<u8>),
    /// Sends these bytes and then one byte every few milliseconds for ever.
    Drip(Vec<u8>),
    /// Sends these bytes and keeps silent.
    Hang(Vec<u8>),
}

/// Headers that are recorded.
const TOLD: [&str; 3] = ["range", "authorization", "proxy-authorization"];

struct Server {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let head: Vec<String> = BufReader::new(stream.try_clone().unwrap())
                    .lines()
                    .map_while(Result::ok)
                    .take_while(|line| !line.is_empty())
                    .collect();
                let told = head.iter().filter_map(|line| {
                    let (name, value) = line.split_once(": ")?;
                    let name = name.to_lowercase();
                    TOLD.contains(&name.as_str()).then(|| format!(" {name}: {value}"))
                });
                let request = format!("{}{}", head[0], told.collect::<String>());
                seen.lock().unwrap().push(request);
                // The client may go away at any time: that is what some of the tests are about.
                match answer {
                    Answer::Send(bytes) => drop(stream.write_all(&bytes)),
                    Answer::Drip(bytes) => {
                        let _ = stream.write_all(&bytes);
                        while stream.write_all(b"x").is_ok() {
                            thread::sleep(Duration::from_millis(5));
                        }
                    }
                    Answer::Hang(bytes) => {
                        let _ = stream.write_all(&bytes);
                        let _ = std::io::Read::read(&mut stream, &mut [0; 1]);
                    }
                }
            }
        });
        Self { url, requests }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn ok(body: &str) -> Answer {
    Answer::Send(
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
        .into_bytes(),
    )
}

fn raw(text: &str) -> Answer {
    Answer::Send(text.as_bytes().to_vec())
}

fn limits() -> Limits {
    Limits {
        pause: Duration::from_millis(1),
        silence: Duration::from_millis(300),
        window: Duration::from_millis(200),
        slowest: 10_000,
        ..Limits::default()
    }
}

fn fetcher() -> Fetcher {
    Fetcher::with_limits(limits())
}

fn expected(body: &str) -> Expected {
    use sha2::Digest as _;
    Expected {
        size: Some(body.len() as u64),
        sha256: Some(hex::encode(sha2::Sha256::digest(body))),
    }
}

/// Downloads from a server with these answers and returns the result as text: content or error, then the requests.
fn check(dest: &Path, expected: &Expected, answers: Vec<Answer>) -> (String, Vec<String>) {
    let server = Server::start(answers);
    let result = fetcher().download(&format!("{}/f", server.url), dest, expected, &mut |_| {});
    let text = match result {
        Ok(()) => fs::read_to_string(dest).unwrap(),
        Err(error) => error.to_string().replace(&server.url, "URL"),
    };
    (text, server.requests())
}

#[test]
fn downloads_verifies_and_keeps_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let dest = dir.path().join("a/b/file");
    let (text, requests) = check(&dest, &expected("hello"), vec![ok("hello")]);
    assert_eq!((text.as_str(), requests.len()), ("hello", 1));
    let (text, requests) = check(&dest, &expected("hello"), vec![]);
    assert_eq!(
        (text.as_str(), requests.len()),
        ("hello", 0),
        "a verified file is not fetched again"
    );
    assert!(!dir.path().join("a/b/file.part").exists());
    let (text, _) = check(&dest, &expected("other"), vec![ok("other")]);
    assert_eq!(text, "other", "a file with another digest is replaced");
}

#[test]
fn continues_an_interrupted_download() {
    let dir = tempfile::tempdir().unwrap();
    let dest = dir.path().join("file");
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234";
    let rest = "HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\nContent-Range: bytes 5-9/10\r\nConnection: close\r\n\r\n56789";
    let (text, requests) = check(&dest, &expected("0123456789"), vec![raw(cut), raw(rest)]);
    assert_eq!(text, "0123456789");
    assert_eq!(requests, ["GET /f HTTP/1.1", "GET /f HTTP/1.1 range: bytes=5-"]);
}

#[test]
fn starts_again_where_ranges_are_not_supported_or_the_part_was_of_another_file() {
    let dir = tempfile::tempdir().unwrap();
    for (part, answers, n_requests) in [
        ("012", vec![ok("0123456789")], 1),
        (
            "012",
            vec![
                raw("HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n"),
                ok("0123456789"),
            ],
            2,
        ),
        (
            "xxxxx",
            vec![
                raw(
                    "HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\nContent-Range: bytes 5-9/10\r\nConnection: close\r\n\r\n56789",
                ),
                ok("0123456789"),
            ],
            2,
        ),
        ("longer than the file", vec![ok("0123456789")], 1),
        ("0123456789", vec![], 0),
    ] {
        let dest = dir.path().join("file");
        let _ = fs::remove_file(&dest);
        fs::write(dir.path().join("file.part"), part).unwrap();
        let (text, requests) = check(&dest, &expected("0123456789"), answers);
        assert_eq!((text.as_str(), requests.len()), ("0123456789", n_requests), "part {part:?}");
    }
}

#[test]
fn wrong_content_is_named_and_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let dest = dir.path().join("file");
    let (text, _) = check(&dest, &expected("hello"), vec![ok("hullo"); 3]);
    assert_eq!(
        text,
        "`URL/f` has the wrong SHA-256 (expected 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824, found \
         6cea9d7e55d8a7a1bb6a5b6ae9cb21a82b9a61e40d1a2d3c1f5a6b0d31a6c5a0, after 3 tries)"
            .replace("6cea9d7e55d8a7a1bb6a5b6ae9cb21a82b9a61e40d1a2d3c1f5a6b0d31a6c5a0", &expected("hullo").sha256.unwrap())
    );
    let (text, _) = check(&dest, &expected("hello"), vec![ok("longer than hello"); 3]);
    assert_eq!(text, "`URL/f` has the wrong size (expected 5 bytes, found 17, after 3 tries)");
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nhel\r\n3\r\nlo!\r\n0\r\n\r\n";
    let (text, _) = check(&dest, &expected("hello"), vec![raw(chunked); 3]);
    assert_eq!(text, "`URL/f` has the wrong size (expected 5 bytes, found 6, after 3 tries)");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn statuses_redirects_and_retries() {
    let dir = tempfile::tempdir().unwrap();
    let dest = dir.path().join("file");
    let status = |line: &str| {
        raw(&format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
    };
    let (text, requests) = check(&dest, &Expected::default(), vec![status("404 Not Found")]);
    assert_eq!(
        (text.as_str(), requests.len()),
        ("cannot fetch `URL/f` (expected HTTP status 200, found 404)", 1)
    );
    let (text, requests) = check(
        &dest,
        &Expected::default(),
        vec![status("503 Busy"), status("500 Oops"), ok("fine")],
    );
    assert_eq!((text.as_str(), requests.len()), ("fine", 3));
    let redirect =
        raw("HTTP/1.1 302 Found\r\nLocation: /g\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let (text, requests) = check(&dest, &Expected::default(), vec![redirect.clone(), ok("there")]);
    assert_eq!((text.as_str(), requests[1].as_str()), ("there", "GET /g HTTP/1.1"));
    let server = Server::start(vec![redirect; 40]);
    let error = fetcher().get(&format!("{}/f", server.url), 10).unwrap_err();
    assert!(matches!(error, FetchError::Network { attempts: 1, .. }), "{error}");
    assert_eq!(server.requests().len(), 11, "10 redirects and no second attempt");
}

#[test]
fn endless_silent_and_dripping_bodies_end() {
    let head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
    let server = Server::start(vec![
        ok(&"x".repeat(1000)),
        Answer::Drip([head.clone(), vec![b'y'; 5000]].concat()),
    ]);
    for _ in 0..2 {
        let error = fetcher().get(&server.url, 999).unwrap_err();
        assert!(matches!(error, FetchError::TooLarge { limit: 999, .. }), "{error}");
    }
    let server = Server::start(vec![Answer::Drip(head.clone()); 3]);
    let error = fetcher().get(&server.url, 1 << 20).unwrap_err();
    assert!(matches!(error, FetchError::TooSlow { attempts: 3, expected: 10_000, .. }), "{error}");
    let server = Server::start(vec![Answer::Hang(head); 3]);
    let error = fetcher().get(&server.url, 1 << 20).unwrap_err();
    assert!(matches!(error, FetchError::Network { attempts: 3, .. }), "{error}");
    assert!(error.hint().is_some());
}

#[test]
fn bad_urls_and_files() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("src"), "local").unwrap();
    let url = format!("file://{}/src", dir.path().display());
    assert_eq!(fetcher().get(&url, 5).unwrap(), b"local");
    assert!(matches!(fetcher().get(&url, 4), Err(FetchError::TooLarge { .. })));
    assert!(fetcher().get("file:///no/such", 4).unwrap_err().is_not_found());
    fetcher().download(&url, &dir.path().join("dest"), &expected("local"), &mut |_| {}).unwrap();
    assert_eq!(fs::read_to_string(dir.path().join("dest")).unwrap(), "local");
    let error = fetcher().get("ftp://me:secret@host/x", 1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot fetch `ftp://host/x`: only http, https and file URLs are supported"
    );
}

#[test]
fn many_at_once_with_progress_and_the_first_error() {
    let dir = tempfile::tempdir().unwrap();
    let list = |servers: &[Server]| -> Vec<Download> {
        let one = |(index, server): (usize, &Server)| Download {
            url: format!("{}/{index}", server.url),
            dest: dir.path().join(index.to_string()),
            expected: expected("body"),
            way: Way::default(),
        };
        servers.iter().enumerate().map(one).collect()
    };
    let servers: Vec<Server> = (0..6).map(|_| Server::start(vec![ok("body")])).collect();
    let finished = Mutex::new(Vec::new());
    fetcher()
        .download_all(&list(&servers), 3, &|event| {
            if let Progress::Finished { index, size } = event {
                finished.lock().unwrap().push((index, size));
            }
        })
        .unwrap();
    let mut finished = finished.into_inner().unwrap();
    finished.sort_unstable();
    assert_eq!(finished, (0..6).map(|index| (index, 4)).collect::<Vec<_>>());

    fs::remove_file(dir.path().join("1")).unwrap();
    let servers = [
        Server::start(vec![]),
        Server::start(vec![raw("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")]),
    ];
    let error = fetcher().download_all(&list(&servers), 4, &|_| {}).unwrap_err();
    assert_eq!(error.status(), Some(404));
}

#[test]
fn plain_http_through_a_proxy_names_the_whole_url() {
    let server = Server::start(vec![ok("one"), ok("two")]);
    let proxy = ProxyChoice::Url(server.url.replace("http://", "http://me:secret@"));
    let access = Access { proxy, ..Access::default() };
    assert!(!format!("{access:?}").contains("secret"));
    let proxied = Fetcher::with_access(access, limits()).unwrap();
    assert_eq!(proxied.get("http://mirror.invalid/debian/Release?x=1", 10).unwrap(), b"one");
    assert_eq!(proxied.get("http://mirror.invalid:8080/", 10).unwrap(), b"two");
    assert_eq!(
        server.requests(),
        [
            "GET http://mirror.invalid/debian/Release?x=1 HTTP/1.1 proxy-authorization: Basic bWU6c2VjcmV0",
            "GET http://mirror.invalid:8080/ HTTP/1.1 proxy-authorization: Basic bWU6c2VjcmV0"
        ]
    );
}

#[test]
fn servers_are_told_who_asks_and_others_are_not() {
    let other = Server::start(vec![ok("two")]);
    let moved = format!(
        "HTTP/1.1 302 Moved\r\nLocation: {}/x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        other.url
    );
    let server = Server::start(vec![ok("one"), raw(&moved)]);
    let credentials = Credentials { user: "me".into(), password: "secret".into() };
    let access =
        Access { proxy: ProxyChoice::None, credentials: Some(credentials), ..Access::default() };
    assert!(!format!("{access:?}").contains("secret"));
    let fetcher = Fetcher::with_access(access, limits()).unwrap();
    assert_eq!(fetcher.get(&format!("{}/a", server.url), 10).unwrap(), b"one");
    assert_eq!(fetcher.get(&format!("{}/b", server.url), 10).unwrap(), b"two");
    assert_eq!(
        server.requests(),
        [
            "GET /a HTTP/1.1 authorization: Basic bWU6c2VjcmV0",
            "GET /b HTTP/1.1 authorization: Basic bWU6c2VjcmV0"
        ]
    );
    assert_eq!(other.requests(), ["GET /x HTTP/1.1"]);
}

#[test]
fn ways_that_cannot_be_used_are_named() {
    let with = |access| Fetcher::with_access(access, limits());
    let proxy = ProxyChoice::Url("socks5://me:secret@host:1".into());
    let error = with(Access { proxy, ..Access::default() }).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot fetch `socks5://host:1`: a proxy is http://HOST:PORT or https://HOST:PORT"
    );
    let directory = tempfile::tempdir().unwrap();
    let (absent, empty) = (directory.path().join("absent"), directory.path().join("empty.pem"));
    fs::write(&empty, "").unwrap();
    let server = Server::start(vec![]);
    let url = server.url.replace("http://", "https://");
    let authorities = Some(absent.clone());
    let fetcher = with(Access { authorities, ..Access::default() }).unwrap();
    let error = fetcher.get(&url, 10).unwrap_err().to_string();
    assert_eq!(
        error,
        format!("cannot fetch `{url}`: no certificate authorities in `{}`", absent.display())
    );
    let client = Some(ClientIdentity { certificate: empty.clone(), key: absent });
    let fetcher = with(Access { client, unverified: true, ..Access::default() }).unwrap();
    let error = fetcher.get(&url, 10).unwrap_err().to_string();
    assert_eq!(error, format!("cannot use `{}`", empty.display()));
}
