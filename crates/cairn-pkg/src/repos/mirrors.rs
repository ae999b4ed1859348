// SPDX-License-Identifier: MIT OR Apache-2.0
//! Base URLs of a repository: given, or from a mirror list (one URL a line) or a metalink document.

use std::cmp::Reverse;

use super::network::Network;
use super::{RepoConfig, RepoError, error};

/// Largest mirror list accepted, in bytes.
const LIST_LIMIT: u64 = 1 << 20;
/// Mirrors tried at most.
const MIRROR_LIMIT: usize = 32;

/// Where a repository is, and what its index must be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mirrors {
    /// Base URLs, best first, without a slash at the end.
    pub urls: Vec<String>,
    /// SHA-256 of every `repomd.xml` that the metalink allows, in lower case; empty where none says.
    pub indexes: Vec<String>,
}

/// Returns where a repository is.
///
/// # Errors
/// The list cannot be fetched or names no mirror.
pub fn find(repository: &RepoConfig, network: &Network) -> Result<Mirrors, RepoError> {
    let mut urls: Vec<String> = repository.baseurl.iter().map(|url| normalized(url)).collect();
    let mut indexes = Vec::new();
    for list in [&repository.metalink, &repository.mirrorlist] {
        let Some(list) = list else { continue };
        let url = normalized(list);
        let bytes = match network.get(&repository.id, &url, LIST_LIMIT) {
            Ok(bytes) => bytes,
            Err(_) if !urls.is_empty() => continue,
            Err(e) => {
                return Err(RepoError::Unreachable {
                    id: repository.id.clone(),
                    file: "mirror list".to_owned(),
                    attempts: vec![error::chain(&e)],
                });
            }
        };
        let text = String::from_utf8_lossy(&bytes);
        let found = parse(&text);
        urls.extend(found.urls.into_iter().take(MIRROR_LIMIT));
        indexes.extend(found.indexes);
    }
    if urls.is_empty() {
        return Err(RepoError::Metadata {
            id: repository.id.clone(),
            message: "the mirror list names no usable mirror".to_owned(),
        });
    }
    Ok(Mirrors { urls, indexes })
}

/// Makes a path a `file://` URL and removes slashes at the end.
pub fn normalized(url: &str) -> String {
    let url = url.trim_end_matches('/');
    if url.starts_with('/') || url.is_empty() { format!("file://{url}") } else { url.to_owned() }
}

/// Reads what a server sent, a mirror list or a metalink document: both are in use for `mirrorlist`.
pub fn parse(text: &str) -> Mirrors {
    if text.contains("<metalink") {
        return Mirrors { urls: metalink_urls(text), indexes: metalink_digests(text) };
    }
    let lines = text.lines().map(str::trim).filter(|line| is_usable(line));
    let urls = lines.map(|line| line.trim_end_matches('/').to_owned()).collect();
    Mirrors { urls, indexes: Vec::new() }
}

/// Returns all SHA-256 of a document: of the present index, and of those before it, which mirrors may still have
/// (`mm0:alternates`).
fn metalink_digests(text: &str) -> Vec<String> {
    let hashes = text.split("<hash").skip(1).filter_map(|piece| {
        let (attributes, rest) = piece.split_once('>')?;
        let value = rest.split_once("</hash>")?.0.trim().to_ascii_lowercase();
        let is_digest = value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
        (attribute(attributes, "type")? == "sha256" && is_digest).then_some(value)
    });
    hashes.collect()
}

/// Returns the directories of all `<url …>…/repodata/repomd.xml</url>`, by preference.
fn metalink_urls(text: &str) -> Vec<String> {
    let mut found: Vec<(Reverse<i32>, usize, String)> = Vec::new();
    for (index, piece) in text.split("<url").skip(1).enumerate() {
        let Some((attributes, rest)) = piece.split_once('>') else { continue };
        let Some((url, _)) = rest.split_once("</url>") else { continue };
        let url = url.trim().replace("&amp;", "&");
        let Some(base) = url.strip_suffix("/repodata/repomd.xml") else { continue };
        if is_usable(base) {
            let preference: i32 =
                attribute(attributes, "preference").and_then(|p| p.parse().ok()).unwrap_or(0);
            found.push((Reverse(preference), index, base.to_owned()));
        }
    }
    found.sort();
    found.into_iter().map(|(_, _, url)| url).collect()
}

fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let after = attributes.split_once(&format!("{name}=\""))?.1;
    after.split_once('"').map(|(value, _)| value)
}

fn is_usable(url: &str) -> bool {
    url.starts_with("http://") || url.starts_with("https://") || url.starts_with("file:///")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        let list = parse("# c\nhttp://a/x/\n\nftp://b/\nhttps://c");
        assert_eq!(list.urls, ["http://a/x", "https://c"]);
        let metalink = "<metalink><files><file name=\"repomd.xml\"><resources>\
            <url protocol=\"http\" preference=\"90\">http://a/x/repodata/repomd.xml</url>\
            <url protocol=\"rsync\" preference=\"99\">rsync://b/x/repodata/repomd.xml</url>\
            <url protocol=\"https\" preference=\"100\">https://c/x/repodata/repomd.xml</url></resources></file></files></metalink>";
        assert_eq!(parse(metalink).urls, ["https://c/x", "http://a/x"]);
        let lowest = metalink.replace("\"100\"", "\"-2147483648\"");
        assert_eq!(parse(&lowest).urls, ["http://a/x", "https://c/x"]);
        assert_eq!(normalized("/srv/repo/"), "file:///srv/repo");
    }
}
