// SPDX-License-Identifier: MIT OR Apache-2.0
//! Finds the Debian mirror that this machine is configured to use.
//!
//! Reads `/etc/apt/sources.list`, `sources.list.d/*.list` (one-line style) and `*.sources` (deb822 style), see
//! sources.list(5). Only the *address* comes from the host; suites and components are our definition's.

use std::path::Path;

use super::AptError;

/// Where the two archives of Debian are served. Neither URL ends with a slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// The main archive: the directory that holds `dists/trixie`.
    pub main: String,
    /// The security archive: the directory that holds `dists/trixie-security`.
    pub security: String,
}

impl Mirror {
    /// Returns the mirror for a URL given by the operator.
    ///
    /// The security archive is taken to lie beside the main one, as `debian-security` beside `debian`.
    pub fn from_url(url: &str) -> Self {
        let main = url.trim_end_matches('/').to_owned();
        let security = match main.strip_suffix("/debian") {
            Some(base) => format!("{base}/debian-security"),
            None => format!("{main}-security"),
        };
        Self { main, security }
    }

    /// Returns the archive that serves `suite`.
    pub fn archive(&self, suite: &str) -> &str {
        if suite.ends_with("-security") { &self.security } else { &self.main }
    }
}

/// One archive line of the host's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Source {
    uri: String,
    suites: Vec<String>,
}

/// Parses one-line style sources.
fn parse_list(text: &str) -> Vec<Source> {
    text.lines()
        .filter_map(|line| {
            let line = line.split('#').next().unwrap_or_default().trim();
            let rest = line.strip_prefix("deb ")?.trim_start();
            let rest = match rest.strip_prefix('[') {
                Some(options) => options.split_once(']')?.1,
                None => rest,
            };
            let mut words = rest.split_whitespace();
            let uri = words.next()?.to_owned();
            let suite = words.next()?.to_owned();
            Some(Source { uri, suites: vec![suite] })
        })
        .collect()
}

/// Parses deb822 style sources.
fn parse_sources(text: &str) -> Vec<Source> {
    super::packages::paragraphs(text)
        .filter(|paragraph| {
            paragraph.get("Types").is_none_or(|types| types.split_whitespace().any(|t| t == "deb"))
        })
        .filter(|paragraph| !matches!(paragraph.get("Enabled"), Some("no" | "false" | "0")))
        .flat_map(|paragraph| {
            let suites: Vec<String> = paragraph
                .get("Suites")
                .unwrap_or_default()
                .split_whitespace()
                .map(str::to_owned)
                .collect();
            let uris: Vec<String> = paragraph
                .get("URIs")
                .unwrap_or_default()
                .split_whitespace()
                .map(str::to_owned)
                .collect();
            uris.into_iter().map(move |uri| Source { uri, suites: suites.clone() })
        })
        .collect()
}

/// Debian's suite names: a mirror is Debian's when it serves one of them.
const DEBIAN_SUITES: &[&str] = &[
    "stable",
    "testing",
    "unstable",
    "oldstable",
    "sid",
    "bookworm",
    "trixie",
    "forky",
    "duke",
    "bullseye",
];

fn is_debian(source: &Source) -> bool {
    source.uri.starts_with("http")
        && source.suites.iter().any(|suite| {
            DEBIAN_SUITES.contains(&suite.split(['-', '/']).next().unwrap_or_default())
        })
}

/// Chooses the mirror from parsed configuration files, given as (name, text).
pub fn choose(files: &[(String, String)]) -> Result<Mirror, AptError> {
    let sources: Vec<Source> =
        files
            .iter()
            .flat_map(|(name, text)| {
                if name.ends_with(".sources") { parse_sources(text) } else { parse_list(text) }
            })
            .filter(is_debian)
            .collect();
    let is_security = |source: &&Source| {
        source.uri.trim_end_matches('/').ends_with("-security")
            || source.suites.iter().any(|s| s.ends_with("-security"))
    };
    let main =
        sources.iter().find(|source| !is_security(source)).ok_or_else(|| AptError::NoMirror {
            searched: files.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", "),
        })?;
    let mut mirror = Mirror::from_url(&main.uri);
    if let Some(security) = sources.iter().find(is_security) {
        security.uri.trim_end_matches('/').clone_into(&mut mirror.security);
    }
    Ok(mirror)
}

/// Reads the apt configuration below `etc_apt` (normally `/etc/apt`) and chooses the mirror.
pub fn discover(etc_apt: &Path) -> Result<Mirror, AptError> {
    let mut files = Vec::new();
    let mut read = |path: std::path::PathBuf| {
        if let Ok(text) = std::fs::read_to_string(&path) {
            files.push((path.display().to_string(), text));
        }
    };
    read(etc_apt.join("sources.list"));
    let mut parts: Vec<_> = std::fs::read_dir(etc_apt.join("sources.list.d"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    parts.sort();
    for path in parts {
        if path.extension().is_some_and(|extension| extension == "list" || extension == "sources") {
            read(path);
        }
    }
    choose(&files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, text: &str) -> (String, String) {
        (name.to_owned(), text.to_owned())
    }

    #[test]
    fn one_line_and_deb822_give_the_same_mirror() {
        let list = file(
            "sources.list",
            "# c\ndeb [arch=amd64 signed-by=/k] http://mirror.test/debian bookworm main\ndeb http://sec.test/debian-security/ bookworm-security main\n",
        );
        let sources = file(
            "debian.sources",
            "Types: deb\n# comment\nURIs: http://mirror.test/debian/\nSuites: bookworm bookworm-updates\nComponents: main\n\nTypes: deb\nURIs: http://sec.test/debian-security\nSuites: bookworm-security\n",
        );
        let expected = Mirror {
            main: "http://mirror.test/debian".into(),
            security: "http://sec.test/debian-security".into(),
        };
        assert_eq!(choose(&[list]).unwrap(), expected);
        assert_eq!(choose(&[sources]).unwrap(), expected);
    }

    #[test]
    fn foreign_archives_are_not_taken_for_debian() {
        let error = choose(&[
            file("node.list", "deb https://node.test/x nodistro main\n"),
            file(
                "disabled.sources",
                "Types: deb\nEnabled: no\nURIs: http://m.test/debian\nSuites: trixie\n",
            ),
        ])
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "no Debian mirror found in the apt configuration of this machine (node.list, disabled.sources)"
        );
        assert!(error.hint().unwrap().contains("--mirror"));
    }

    #[test]
    fn security_lies_beside_a_given_mirror() {
        let mirror = Mirror::from_url("http://m.test/debian/");
        assert_eq!(mirror.archive("trixie-security"), "http://m.test/debian-security");
        assert_eq!(mirror.archive("trixie-updates"), "http://m.test/debian");
    }
}
