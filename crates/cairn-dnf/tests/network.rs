// SPDX-License-Identifier: MIT OR Apache-2.0
//! How servers are reached: credentials, proxies and patience as the configuration says, for each repository.
#![allow(clippy::unwrap_used, reason = "a test may stop")]

mod common;

use common::{Bench, Ran};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;

/// `me:secret`
const BASIC: &str = "Basic bWU6c2VjcmV0";

/// Serves the files of a directory on the loopback interface to those who say who they are, in `header`; also as a proxy.
fn serve(directory: PathBuf, header: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            let target = head[0].split(' ').nth(1).unwrap();
            let path = target.strip_prefix("http://repository.invalid").unwrap_or(target);
            let is_known = head.iter().any(|line| {
                line.split_once(": ").is_some_and(|(name, value)| {
                    name.eq_ignore_ascii_case(header) && value == BASIC
                })
            });
            let (status, body) = match std::fs::read(directory.join(path.trim_start_matches('/'))) {
                _ if !is_known => ("401 Unauthorized", Vec::new()),
                Ok(body) => ("200 OK", body),
                Err(_) => ("404 Not Found", Vec::new()),
            };
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            // Who asks may have gone.
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
        }
    });
    address
}

/// Runs `dnf` on the repository `t` at a URL, with lines of its section.
fn run(bench: &Bench, url: &str, lines: &str, command: &str) -> Ran {
    let repos = bench.root().join("etc/yum.repos.d");
    std::fs::create_dir_all(&repos).unwrap();
    let key = bench.path("KEY");
    let section =
        format!("[t]\nbaseurl={url}\ngpgkey=file://{}\nretries=1\n{lines}", key.display());
    std::fs::write(repos.join("t.repo"), section).unwrap();
    let ran = bench.plain_dnf(&format!("--releasever=1 --refresh {command}"));
    assert!(!ran.err.contains("secret") && !ran.out.contains("secret"), "{}{}", ran.out, ran.err);
    ran
}

#[test]
fn a_server_that_wants_to_know_who_asks() {
    let bench = Bench::usual();
    let url = format!("http://{}", serve(bench.repository(), "authorization"));
    let ran = run(&bench, &url, "", "makecache");
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("(expected HTTP status 200, found 401)"), "{}", ran.err);
    let ran = run(&bench, &url, "username=me\npassword=wrong-secret\n", "makecache");
    assert_eq!(ran.code, 1);
    let ran = run(&bench, &url, "username=me\npassword=secret\n", "install -y bar");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(bench.rpm("-q bar").code, 0);
}

#[test]
fn a_proxy_that_wants_to_know_who_asks() {
    let bench = Bench::usual();
    let proxy = serve(bench.repository(), "proxy-authorization");
    let url = "http://repository.invalid";
    let ran = run(&bench, url, &format!("proxy=http://{proxy}\n"), "makecache");
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("found 401"), "{}", ran.err);
    let lines = format!("proxy=http://{proxy}\nproxy_username=me\nproxy_password=secret\n");
    let ran = run(&bench, url, &lines, "install -y bar");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(bench.rpm("-q bar").code, 0);
}

#[test]
fn wrong_ways_are_named() {
    let bench = Bench::usual();
    let ran = run(&bench, "http://127.0.0.1:1", "proxy=socks5://me:secret@h:1\n", "makecache");
    assert_eq!(ran.code, 1);
    let expected = "t.repo:5: proxy: a proxy is http://HOST:PORT or https://HOST:PORT";
    assert!(ran.err.contains(expected), "{}", ran.err);
    let ran = run(&bench, "https://127.0.0.1:1", "sslcacert=/nowhere.pem\n", "makecache");
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("no certificate authorities in `/nowhere.pem`"), "{}", ran.err);
}
