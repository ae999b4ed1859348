// SPDX-License-Identifier: MIT OR Apache-2.0
//! deb822 paragraphs and the `Packages` index of a suite.

use std::collections::BTreeMap;

use super::AptError;

/// One deb822 paragraph: field names as written, continuation lines joined with newlines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paragraph<'a> {
    fields: Vec<(&'a str, std::borrow::Cow<'a, str>)>,
}

impl Paragraph<'_> {
    /// Returns a field's value; names compare without case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_ref())
    }
}

/// Splits `text` into paragraphs. Comment lines are passed over.
pub fn paragraphs(text: &str) -> impl Iterator<Item = Paragraph<'_>> {
    let mut lines = text.lines().peekable();
    std::iter::from_fn(move || {
        let mut paragraph = Paragraph::default();
        for line in lines.by_ref() {
            if line.trim().is_empty() {
                if paragraph.fields.is_empty() {
                    continue;
                }
                return Some(paragraph);
            }
            if line.starts_with('#') {
                continue;
            }
            if line.starts_with([' ', '\t']) {
                if let Some((_, value)) = paragraph.fields.last_mut() {
                    let value = value.to_mut();
                    value.push('\n');
                    value.push_str(line.trim());
                }
            } else if let Some((name, value)) = line.split_once(':') {
                paragraph.fields.push((name, value.trim().into()));
            }
        }
        (!paragraph.fields.is_empty()).then_some(paragraph)
    })
}

/// What the lock and the tools closure need to know of one binary package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexEntry {
    /// Binary package name.
    pub name: String,
    /// Debian version.
    pub version: String,
    /// Debian architecture (`amd64` or `all`).
    pub architecture: String,
    /// Source package name.
    pub source: String,
    /// Path below the archive root.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
    /// SHA-256, lower-case hex.
    pub sha256: String,
    /// `Depends` and `Pre-Depends`, joined.
    pub depends: String,
    /// `Provides`.
    pub provides: String,
    /// The suite the entry was read from.
    pub suite: String,
}

/// Binary packages by name, newest version of all suites read.
#[derive(Debug, Default)]
pub struct Index {
    newest: BTreeMap<String, IndexEntry>,
    providers: BTreeMap<String, Vec<String>>,
}

impl Index {
    /// Adds the entries of one suite's `Packages` file. A newer version replaces an older one.
    pub fn add(&mut self, suite: &str, text: &str) -> Result<(), AptError> {
        for paragraph in paragraphs(text) {
            let entry = read_entry(suite, &paragraph)?;
            for provided in split_dependencies(&entry.provides).flatten() {
                let names = self.providers.entry(provided.name.to_owned()).or_default();
                if !names.contains(&entry.name) {
                    names.push(entry.name.clone());
                }
            }
            match self.newest.get(&entry.name) {
                Some(known) if compare_debian_versions(&known.version, &entry.version).is_ge() => {}
                _ => {
                    self.newest.insert(entry.name.clone(), entry);
                }
            }
        }
        Ok(())
    }

    /// Returns the newest entry called `name`.
    pub fn get(&self, name: &str) -> Option<&IndexEntry> {
        self.newest.get(name)
    }

    /// Returns the names of packages that provide the virtual package `name`, in index order.
    pub fn providers(&self, name: &str) -> &[String] {
        self.providers.get(name).map_or(&[], Vec::as_slice)
    }

    /// Returns all entries in name order.
    pub fn iter(&self) -> impl Iterator<Item = &IndexEntry> {
        self.newest.values()
    }
}

fn read_entry(suite: &str, paragraph: &Paragraph<'_>) -> Result<IndexEntry, AptError> {
    let name = paragraph.get("Package").unwrap_or_default().to_owned();
    let required = |field: &str| {
        paragraph.get(field).map(str::to_owned).ok_or_else(|| AptError::Malformed {
            file: format!("{suite} Packages"),
            what: format!("package `{name}` has no {field} field"),
        })
    };
    let size = required("Size")?;
    let depends = [paragraph.get("Pre-Depends"), paragraph.get("Depends")]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ");
    Ok(IndexEntry {
        version: required("Version")?,
        architecture: required("Architecture")?,
        source: paragraph
            .get("Source")
            .unwrap_or(&name)
            .split(' ')
            .next()
            .unwrap_or_default()
            .to_owned(),
        path: required("Filename")?,
        size: size.parse().map_err(|_| AptError::Malformed {
            file: format!("{suite} Packages"),
            what: format!("size of {name} is `{size}`"),
        })?,
        sha256: required("SHA256")?,
        depends,
        provides: paragraph.get("Provides").unwrap_or_default().to_owned(),
        suite: suite.to_owned(),
        name,
    })
}

/// One alternative of a Debian dependency, without its version restriction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alternative<'a> {
    /// Package or virtual package name, without an architecture qualifier.
    pub name: &'a str,
}

/// Splits a dependency field into its conjuncts, each a list of alternatives.
pub fn split_dependencies(field: &str) -> impl Iterator<Item = Vec<Alternative<'_>>> {
    field.split(',').map(str::trim).filter(|part| !part.is_empty()).map(|part| {
        part.split('|')
            .map(|alternative| {
                let name =
                    alternative.trim().split([' ', '(', '[', '<']).next().unwrap_or_default();
                Alternative { name: name.split(':').next().unwrap_or_default() }
            })
            .collect()
    })
}

/// Compares two Debian versions (deb-version(7)): epoch, upstream version, revision.
pub fn compare_debian_versions(a: &str, b: &str) -> std::cmp::Ordering {
    fn split(version: &str) -> (u64, &str, &str) {
        let (epoch, rest) = version.split_once(':').unwrap_or(("0", version));
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        (epoch.parse().unwrap_or(0), upstream, revision)
    }
    let (a_epoch, a_upstream, a_revision) = split(a);
    let (b_epoch, b_upstream, b_revision) = split(b);
    a_epoch
        .cmp(&b_epoch)
        .then_with(|| compare_part(a_upstream, b_upstream))
        .then_with(|| compare_part(a_revision, b_revision))
}

/// Compares one part: alternating runs of non-digits (letters before others, `~` before the end) and digits.
fn compare_part(mut a: &str, mut b: &str) -> std::cmp::Ordering {
    fn rank(character: Option<char>) -> i32 {
        match character {
            Some('~') => -1,
            None => 0,
            Some(c) if c.is_ascii_digit() => 0,
            Some(c) if c.is_ascii_alphabetic() => c as i32,
            Some(c) => c as i32 + 256,
        }
    }
    while !a.is_empty() || !b.is_empty() {
        loop {
            let (x, y) = (a.chars().next(), b.chars().next());
            let done = |c: Option<char>| c.is_none_or(|c| c.is_ascii_digit());
            if done(x) && done(y) {
                break;
            }
            let order = rank(x).cmp(&rank(y));
            if order.is_ne() {
                return order;
            }
            a = &a[x.map_or(0, char::len_utf8)..];
            b = &b[y.map_or(0, char::len_utf8)..];
        }
        let digits = |s: &str| s.find(|c: char| !c.is_ascii_digit()).unwrap_or(s.len());
        let (a_digits, b_digits) = (digits(a), digits(b));
        let (x, y) = (a[..a_digits].trim_start_matches('0'), b[..b_digits].trim_start_matches('0'));
        let order = x.len().cmp(&y.len()).then_with(|| x.cmp(y));
        if order.is_ne() {
            return order;
        }
        a = &a[a_digits..];
        b = &b[b_digits..];
    }
    std::cmp::Ordering::Equal
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cmp::Ordering;

    #[test]
    fn debian_versions_order_as_dpkg_orders_them() {
        for (a, b, expected) in [
            ("1.0", "1.0", Ordering::Equal),
            ("1.0~rc1", "1.0", Ordering::Less),
            ("1.0-1", "1.0-1+b2", Ordering::Less),
            ("2:1.0", "10.0", Ordering::Greater),
            ("1.0a", "1.0+", Ordering::Less),
            ("6.12.117-1", "6.12.107-1", Ordering::Greater),
            ("257.13-1~deb13u1", "257.13-1", Ordering::Less),
            ("1.001", "1.1", Ordering::Equal),
            ("1.0-1", "1.0", Ordering::Greater),
        ] {
            assert_eq!(compare_debian_versions(a, b), expected, "{a} ? {b}");
            assert_eq!(compare_debian_versions(b, a), expected.reverse(), "{b} ? {a}");
        }
    }

    #[test]
    fn the_newest_of_all_suites_wins() {
        let mut index = Index::default();
        let entry = |version: &str| {
            format!(
                "Package: a\nVersion: {version}\nArchitecture: amd64\nFilename: pool/a_{version}.deb\nSize: 3\nSHA256: 00\nProvides: v (= 1), w\nDepends: libc6 (>= 2.4), x | y:any\n\n"
            )
        };
        index.add("trixie-security", &entry("1.0-2")).unwrap();
        index.add("trixie", &entry("1.0-1")).unwrap();
        let found = index.get("a").unwrap();
        assert_eq!((found.version.as_str(), found.suite.as_str()), ("1.0-2", "trixie-security"));
        assert_eq!(index.providers("w"), ["a"]);
        let names: Vec<Vec<&str>> = split_dependencies(&found.depends)
            .map(|group| group.iter().map(|a| a.name).collect())
            .collect();
        assert_eq!(names, [vec!["libc6"], vec!["x", "y"]]);
    }

    #[test]
    fn continuation_lines_and_comments() {
        let all: Vec<_> = paragraphs("A: 1\n two\n# no\nB:x\n\n\nA: 3\n").collect();
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].get("a"), Some("1\ntwo"));
        assert_eq!(all[1].get("A"), Some("3"));
    }
}
