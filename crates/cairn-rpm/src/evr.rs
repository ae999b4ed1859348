// SPDX-License-Identifier: MIT OR Apache-2.0
//! Versions: `[epoch:]version[-release]` and whole package names.
//!
//! The order is rpm's (`rpmvercmp`, then the release in the same way); the comparison of one
//! version string with another is done by the `rpm-version` crate. How a *dependency* compares
//! versions (a missing release matches any) is in [`crate::dependency`].

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Compares two version strings, or two release strings, as rpm does (`rpmvercmp`).
pub fn compare_versions(a: &str, b: &str) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    rpm_version::Evr::new("", a, "").cmp(&rpm_version::Evr::new("", b, ""))
}

/// Epoch, version and release.
///
/// Equality and order are rpm's: `10.0001` equals `10.1`. Use [`fmt::Display`] where the spelling
/// matters. An empty `release` means "not given" and sorts first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Evr {
    /// The epoch; a missing epoch is 0.
    pub epoch: u32,
    /// The version, never empty after [`Evr::parse`].
    pub version: String,
    /// The release, empty when not given.
    pub release: String,
}

impl Evr {
    /// Puts an EVR together from its parts, unchecked.
    pub fn new(epoch: u32, version: impl Into<String>, release: impl Into<String>) -> Self {
        Self { epoch, version: version.into(), release: release.into() }
    }

    /// Parses `[epoch:]version[-release]`.
    ///
    /// The release starts after the last `-`. Refuses an empty version, an epoch that is no
    /// 32-bit number, and white space or control characters.
    pub fn parse(text: &str) -> Result<Self, EvrError> {
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(EvrError::Characters { text: text.to_owned() });
        }
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (epoch, rest) = if text.as_bytes().get(digits) == Some(&b':') {
            let epoch = &text[..digits];
            let number = if epoch.is_empty() { Ok(0) } else { epoch.parse() };
            let number = number.map_err(|_| EvrError::Epoch { text: text.to_owned() })?;
            (number, &text[digits + 1..])
        } else {
            (0, text)
        };
        let (version, release) = rest.rsplit_once('-').unwrap_or((rest, ""));
        if version.is_empty() {
            return Err(EvrError::NoVersion { text: text.to_owned() });
        }
        Ok(Self::new(epoch, version, release))
    }

    /// Returns `epoch:version-release` with the epoch always written.
    pub fn with_epoch(&self) -> String {
        if self.epoch == 0 { format!("0:{self}") } else { self.to_string() }
    }

    /// Returns `version-release` without the epoch, as in the name of an .rpm file.
    pub fn without_epoch(&self) -> String {
        if self.release.is_empty() {
            self.version.clone()
        } else {
            format!("{}-{}", self.version, self.release)
        }
    }
}

impl fmt::Display for Evr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.epoch != 0 {
            write!(f, "{}:", self.epoch)?;
        }
        f.write_str(&self.version)?;
        if !self.release.is_empty() {
            write!(f, "-{}", self.release)?;
        }
        Ok(())
    }
}

impl FromStr for Evr {
    type Err = EvrError;

    fn from_str(text: &str) -> Result<Self, EvrError> {
        Self::parse(text)
    }
}

impl Ord for Evr {
    fn cmp(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| compare_versions(&self.version, &other.version))
            .then_with(|| compare_versions(&self.release, &other.release))
    }
}

impl PartialOrd for Evr {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Evr {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Evr {}

/// Name, EVR and architecture of a package: what identifies it in a system or a repository.
///
/// Sorted by name (bytes), then EVR (rpm's order), then architecture.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Nevra {
    /// The package's name, for example `glibc`.
    pub name: String,
    /// Epoch, version and release.
    pub evr: Evr,
    /// The architecture, for example `x86_64`, `noarch` or `src`.
    pub arch: String,
}

impl Nevra {
    /// Puts a NEVRA together from its parts, unchecked.
    pub fn new(name: impl Into<String>, evr: Evr, arch: impl Into<String>) -> Self {
        Self { name: name.into(), evr, arch: arch.into() }
    }

    /// Returns it with the epoch, even one of 0: `name-epoch:version-release.arch`.
    pub fn with_epoch(&self) -> String {
        format!("{}-{}.{}", self.name, self.evr.with_epoch(), self.arch)
    }

    /// Parses `name-[epoch:]version-release.arch`; also accepts rpm's old `epoch:name-…` form and
    /// the file name `….rpm`.
    pub fn parse(text: &str) -> Result<Self, EvrError> {
        let incomplete = || EvrError::Nevra { text: text.to_owned() };
        let stem = text.strip_suffix(".rpm").unwrap_or(text);
        let (rest, arch) = stem.rsplit_once('.').ok_or_else(incomplete)?;
        let (rest, release) = rest.rsplit_once('-').ok_or_else(incomplete)?;
        let (mut name, version) = rest.rsplit_once('-').ok_or_else(incomplete)?;
        let mut evr = Evr::parse(&format!("{version}-{release}"))?;
        if let Some((epoch, bare)) = name.split_once(':')
            && !version.contains(':')
            && let Ok(epoch) = epoch.parse()
        {
            evr.epoch = epoch;
            name = bare;
        }
        let unsafe_character = |c: char| c == '/' || c.is_whitespace() || c.is_control();
        if text.chars().any(unsafe_character) {
            return Err(EvrError::Characters { text: text.to_owned() });
        }
        if name.is_empty() || arch.is_empty() || arch.contains(['-', ':']) || release.is_empty() {
            return Err(incomplete());
        }
        Ok(Self::new(name, evr, arch))
    }

    /// Returns `name-version-release.arch`, the stem of the package's file name (no epoch).
    pub fn file_stem(&self) -> String {
        format!("{}-{}.{}", self.name, self.evr.without_epoch(), self.arch)
    }
}

impl fmt::Display for Nevra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}.{}", self.name, self.evr, self.arch)
    }
}

impl FromStr for Nevra {
    type Err = EvrError;

    fn from_str(text: &str) -> Result<Self, EvrError> {
        Self::parse(text)
    }
}

/// Why a text is no version or package name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvrError {
    /// The version part is empty.
    #[error("`{text}` has no version")]
    NoVersion {
        /// The text as given.
        text: String,
    },
    /// The epoch does not fit 32 bits.
    #[error("`{text}` has an epoch over {}", u32::MAX)]
    Epoch {
        /// The text as given.
        text: String,
    },
    /// White space, a control character or (in a package name) a slash.
    #[error("`{}` has a character that is not allowed in a version", text.escape_debug())]
    Characters {
        /// The text as given.
        text: String,
    },
    /// Not of the form name-version-release.arch.
    #[error("`{text}` is not of the form name-[epoch:]version-release.arch")]
    Nevra {
        /// The text as given.
        text: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_rpms_own_table() {
        let mut rows = 0;
        for line in include_str!("../tests/data/rpmvercmp.tsv").lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            let [a, b, expected] = fields[..] else { panic!("bad row {line:?}") };
            let expected = expected.parse::<i32>().unwrap().cmp(&0);
            assert_eq!(compare_versions(a, b), expected, "{a} <=> {b}");
            assert_eq!(compare_versions(b, a), expected.reverse(), "{b} <=> {a}");
            rows += 1;
        }
        assert!(rows > 80);
    }

    #[test]
    fn parses_and_prints() {
        for (text, printed) in [
            ("1:2-3", "1:2-3"),
            ("0:2-3", "2-3"),
            (":2", "2"),
            ("2.41-12+deb13u1", "2.41-12+deb13u1"),
            ("1.0-2-3", "1.0-2-3"),
            ("a:b-1", "a:b-1"),
        ] {
            assert_eq!(Evr::parse(text).unwrap().to_string(), printed);
        }
        assert_eq!(Evr::parse("0:2-3").unwrap().with_epoch(), "0:2-3");
        for bad in ["", "-1", "1:", "4294967296:1", "1 2", "1\n"] {
            assert!(Evr::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn nevra_round_trip() {
        for (text, printed) in [
            ("bash-0:5.2-1.x86_64", "bash-5.2-1.x86_64"),
            ("1:gtk+-devel-2-3.noarch", "gtk+-devel-1:2-3.noarch"),
            ("a-b-2:1~rc-1.2.i686.rpm", "a-b-2:1~rc-1.2.i686"),
        ] {
            let nevra = Nevra::parse(text).unwrap();
            assert_eq!(nevra.to_string(), printed);
            assert_eq!(Nevra::parse(printed).unwrap(), nevra);
        }
        for bad in ["bash", "bash-5.2-1", "-1-1.noarch", "a/b-1-1.noarch", "a-1-1.", "a-1-.x"] {
            assert!(Nevra::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn epoch_wins_and_release_breaks_ties() {
        let parse = |text| Evr::parse(text).unwrap();
        assert!(parse("1:1-1") > parse("2-1"));
        assert!(parse("1-2") > parse("1-1"));
        assert!(parse("1-10") > parse("1-9"));
        assert_eq!(parse("1.0-1"), parse("0:1_0-1"));
    }
}
