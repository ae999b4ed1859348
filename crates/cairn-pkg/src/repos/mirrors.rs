// SPDX-License-Identifier: MIT OR Apache-2.0
//! Base URLs of a repository: given, or from a mirror list (one URL a line) or a metalink document.

use std::cmp::Reverse;

use super::{RepoConfig, RepoError, error};
use cairn_host::fetch::Fetcher;

/// Largest mirror list accepted, in bytes.
const LIST_LIMIT: u64 = 1 << 20;
/// Mirrors tried at most.
const MIRROR_LIMIT: usize = 32;

/// Returns the base URLs, best first, without a slash at the end.
///
/// # Errors
/// The list cannot be fetched or names no mirror.
pub fn base_urls(repository: &RepoConfig, fetcher: &Fetcher) -> Result<Vec<String>, RepoError> {
    let mut urls: Vec<String> = repository.baseurl.iter().map(|url| normalized(url)).collect();
    for (list, parse) in [
        (&repository.metalink, parse_metalink as fn(&str) -> Vec<String>),
        (&repository.mirrorlist, parse as fn(&str) -> Vec<String>),
    ] {
        let Some(list) = list else { continue };
        let url = normalized(list);
        let bytes = match fetcher.get(&url, LIST_LIMIT) {
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
        urls.extend(parse(&text).into_iter().take(MIRROR_LIMIT));
    }
    if urls.is_empty() {
        return Err(RepoError::Metadata {
            id: repository.id.clone(),
            message: "the mirror list names no usable mirror".to_owned(),
        });
    }
    Ok(urls)
}

/// Makes a path a `file://` URL and removes slashes at the end.
pub fn normalized(url: &str) -> String {
    let url = url.trim_end_matches('/');
    if url.starts_with('/') || url.is_empty() { format!("file://{url}") } else { url.to_owned() }
}

/// Reads what a server sent for `mirrorlist`, best URL first; it may be a metalink document: both are in use.
pub fn parse(text: &str) -> Vec<String> {
    if text.contains("<metalink") {
        return parse_metalink(text);
    }
    let lines = text.lines().map(str::trim).filter(|line| is_usable(line));
    lines.map(|line| line.trim_end_matches('/').to_owned()).collect()
}

/// Returns the directories of all `<url …>…/repodata/repomd.xml</url>`, by preference.
fn parse_metalink(text: &str) -> Vec<String> {
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
        assert_eq!(parse("# c\nhttp://a/x/\n\nftp://b/\nhttps://c"), ["http://a/x", "https://c"]);
        let metalink = "<metalink><files><file name=\"repomd.xml\"><resources>\
            <url protocol=\"http\" preference=\"90\">http://a/x/repodata/repomd.xml</url>\
            <url protocol=\"rsync\" preference=\"99\">rsync://b/x/repodata/repomd.xml</url>\
            <url protocol=\"https\" preference=\"100\">https://c/x/repodata/repomd.xml</url></resources></file></files></metalink>";
        assert_eq!(parse(metalink), ["https://c/x", "http://a/x"]);
        let lowest = metalink.replace("\"100\"", "\"-2147483648\"");
        assert_eq!(parse(&lowest), ["http://a/x", "https://c/x"]);
        assert_eq!(normalized("/srv/repo/"), "file:///srv/repo");
    }
}
