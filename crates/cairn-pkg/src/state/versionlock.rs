// SPDX-License-Identifier: MIT OR Apache-2.0
//! dnf5's version locks: `etc/dnf/versionlock.toml`, format version 1.0.
//!
//! An entry names packages (a glob) and conditions. Of a package that entries name, only versions that meet all conditions of
//! at least one of them may come; what is installed stays.

use crate::query::glob;
use cairn_host::{HostError, Root};
use cairn_rpm::evr::{Evr, Nevra};
use std::cmp::Ordering;
use std::fmt::Write as _;
use toml::{Table, Value};

/// The file, inside the root.
pub const FILE: &str = "etc/dnf/versionlock.toml";

/// All locks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionLocks {
    /// Entries in file order.
    pub entries: Vec<LockEntry>,
}

/// One entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockEntry {
    /// Name or glob.
    pub name: String,
    /// For people.
    pub comment: String,
    /// All of them must hold.
    pub conditions: Vec<Condition>,
}

/// One condition on a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// What is compared.
    pub key: ConditionKey,
    /// How.
    pub comparator: Comparator,
    /// With what.
    pub value: String,
}

/// What a condition compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConditionKey {
    /// Epoch.
    Epoch,
    /// Epoch, version and release.
    Evr,
    /// Architecture.
    Arch,
}

/// How a condition compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparator {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `=`
    Equal,
    /// `>=`
    GreaterOrEqual,
    /// `>`
    Greater,
    /// `!=`
    NotEqual,
}

/// Why the locks cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum VersionLockError {
    /// The file cannot be read or written.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The file is not of the form.
    #[error("/{FILE}: {0}")]
    Malformed(String),
}

impl VersionLockError {
    /// Returns what an operator can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Host(error) => error.hint(),
            Self::Malformed(_) => {
                Some("correct the file, or start anew with `dnf versionlock clear`".to_owned())
            }
        }
    }
}

impl ConditionKey {
    /// Returns the word of the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Epoch => "epoch",
            Self::Evr => "evr",
            Self::Arch => "arch",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Epoch, Self::Evr, Self::Arch].into_iter().find(|key| key.as_str() == text)
    }
}

impl Comparator {
    /// Returns the sign.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Equal => "=",
            Self::GreaterOrEqual => ">=",
            Self::Greater => ">",
            Self::NotEqual => "!=",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [
            Self::Less,
            Self::LessOrEqual,
            Self::Equal,
            Self::GreaterOrEqual,
            Self::Greater,
            Self::NotEqual,
        ]
        .into_iter()
        .find(|comparator| comparator.as_str() == text)
    }

    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Equal => order.is_eq(),
            Self::GreaterOrEqual => order.is_ge(),
            Self::Greater => order.is_gt(),
            Self::NotEqual => order.is_ne(),
        }
    }
}

impl Condition {
    fn holds(&self, nevra: &Nevra) -> bool {
        let order = match self.key {
            ConditionKey::Arch => nevra.arch.cmp(&self.value),
            ConditionKey::Epoch => self
                .value
                .parse::<u32>()
                .map_or(Ordering::Less, |epoch| nevra.evr.epoch.cmp(&epoch)),
            // Parsed when the file was read.
            ConditionKey::Evr => {
                Evr::parse(&self.value).map_or(Ordering::Less, |evr| nevra.evr.cmp(&evr))
            }
        };
        self.comparator.holds(order)
    }
}

impl LockEntry {
    /// Returns the lines by which dnf5 shows an entry.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.comment.lines().map(|line| format!("# {line}")).collect();
        lines.push(format!("Package name: {}", self.name));
        lines.extend(self.conditions.iter().map(|condition| {
            let (key, sign) = (condition.key.as_str(), condition.comparator.as_str());
            format!("{key} {sign} {}", condition.value)
        }));
        lines
    }
}

impl VersionLocks {
    /// Reads the locks; without the file there are none.
    ///
    /// # Errors
    /// The file is not readable or not of the form.
    pub fn load(root: &Root) -> Result<Self, VersionLockError> {
        match root.read_to_string(FILE) {
            Ok(text) => Self::parse(&text).map_err(VersionLockError::Malformed),
            Err(error) if error.is_not_found() => Ok(Self::default()),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes the locks.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, root: &Root) -> Result<(), VersionLockError> {
        root.mkdir_all("etc/dnf", 0o755)?;
        Ok(root.write_atomic(FILE, self.text().as_bytes(), 0o644)?)
    }

    /// Returns whether a version of a package may come.
    pub fn allow(&self, nevra: &Nevra) -> bool {
        !self.name(nevra) || self.keep(nevra)
    }

    /// Returns whether it is this version of a package that an entry keeps. What obsoletes it may not come, unless it is kept as well.
    pub fn keep(&self, nevra: &Nevra) -> bool {
        let holds =
            |entry: &LockEntry| entry.conditions.iter().all(|condition| condition.holds(nevra));
        self.of(nevra).any(holds)
    }

    /// Returns whether an entry is about a package, in whatever version.
    fn name(&self, nevra: &Nevra) -> bool {
        self.of(nevra).next().is_some()
    }

    fn of(&self, nevra: &Nevra) -> impl Iterator<Item = &LockEntry> {
        self.entries.iter().filter(|entry| glob::matches(&entry.name, &nevra.name))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let document: Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error.span().map_or(0, |span| text[..span.start].matches('\n').count() + 1);
            format!("line {line}: {}", error.message())
        })?;
        let version = document.get("version").and_then(Value::as_str).unwrap_or_default();
        // An empty file locks nothing.
        if version != "1.0" && !document.is_empty() {
            return Err(format!("unsupported format version {version:?} (expected \"1.0\")"));
        }
        let mut entries = Vec::new();
        let packages = document.get("packages").and_then(Value::as_array);
        for (index, value) in packages.into_iter().flatten().enumerate() {
            entries.push(entry(value).map_err(|what| format!("package {}: {what}", index + 1))?);
        }
        Ok(Self { entries })
    }

    /// The file, byte for byte as dnf5 writes it.
    fn text(&self) -> String {
        if self.entries.is_empty() {
            return "packages = []\nversion = \"1.0\"\n\n".to_owned();
        }
        let quoted = |text: &str| Value::String(text.to_owned()).to_string();
        let mut out = "version = \"1.0\"\n".to_owned();
        for entry in &self.entries {
            let _ = write!(out, "\n[[packages]]\nname = {}\n", quoted(&entry.name));
            if !entry.comment.is_empty() {
                let _ = writeln!(out, "comment = {}", quoted(&entry.comment));
            }
            for condition in &entry.conditions {
                let _ = write!(
                    out,
                    "\n[[packages.conditions]]\nkey = \"{}\"\ncomparator = \"{}\"\nvalue = {}\n",
                    condition.key.as_str(),
                    condition.comparator.as_str(),
                    quoted(&condition.value)
                );
            }
        }
        out.push('\n');
        out
    }
}

fn entry(value: &Value) -> Result<LockEntry, String> {
    let text = |value: &Value, key: &str| {
        value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let name = text(value, "name");
    if name.is_empty() {
        return Err("no name".to_owned());
    }
    let mut conditions = Vec::new();
    let list = value.get("conditions").and_then(Value::as_array);
    for condition in list.into_iter().flatten() {
        let (key, comparator) = (text(condition, "key"), text(condition, "comparator"));
        let value = text(condition, "value");
        let key = ConditionKey::parse(&key)
            .ok_or_else(|| format!("unknown key {key:?} (expected epoch, evr or arch)"))?;
        let comparator = Comparator::parse(&comparator).ok_or_else(|| {
            format!("unknown comparator {comparator:?} (expected <, <=, =, >=, > or !=)")
        })?;
        let is_valid = match key {
            ConditionKey::Evr => Evr::parse(&value).is_ok(),
            ConditionKey::Epoch => value.parse::<u32>().is_ok(),
            ConditionKey::Arch => !value.is_empty(),
        };
        if !is_valid {
            return Err(format!("{} has the value {value:?}", key.as_str()));
        }
        conditions.push(Condition { key, comparator, value });
    }
    if conditions.is_empty() {
        return Err("no conditions".to_owned());
    }
    Ok(LockEntry { name, comment: text(value, "comment"), conditions })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(comparator: Comparator, value: &str) -> Condition {
        Condition { key: ConditionKey::Evr, comparator, value: value.to_owned() }
    }

    fn entry_of(name: &str, conditions: Vec<Condition>) -> LockEntry {
        LockEntry { name: name.to_owned(), comment: "why".to_owned(), conditions }
    }

    #[test]
    fn allows() {
        let locks = VersionLocks {
            entries: vec![
                entry_of("bash", vec![condition(Comparator::Equal, "5.2-1")]),
                entry_of(
                    "acpi",
                    vec![
                        condition(Comparator::Less, "4"),
                        condition(Comparator::GreaterOrEqual, "3"),
                    ],
                ),
                entry_of("bash", vec![condition(Comparator::Equal, "0:5.3-1")]),
                entry_of("*nvidia*", vec![condition(Comparator::NotEqual, "3:570-1")]),
            ],
        };
        let table = [
            ("bash-5.2-1.x86_64", true),
            ("bash-5.3-1.x86_64", true),
            ("bash-5.4-1.x86_64", false),
            ("acpi-3.9-1.noarch", true),
            ("acpi-4.0-1.noarch", false),
            ("kmod-nvidia-3:570-1.noarch", false),
            ("kmod-nvidia-3:571-1.noarch", true),
            ("other-1-1.noarch", true),
        ];
        for (nevra, expected) in table {
            assert_eq!(locks.allow(&Nevra::parse(nevra).unwrap()), expected, "{nevra}");
        }
    }

    #[test]
    fn round_trip_and_refusals() {
        let locks = VersionLocks {
            entries: vec![entry_of("foo", vec![condition(Comparator::Equal, "1.0-1")])],
        };
        assert_eq!(
            locks.text(),
            "version = \"1.0\"\n\n[[packages]]\nname = \"foo\"\ncomment = \"why\"\n\n[[packages.conditions]]\n\
             key = \"evr\"\ncomparator = \"=\"\nvalue = \"1.0-1\"\n\n"
        );
        assert_eq!(VersionLocks::default().text(), "packages = []\nversion = \"1.0\"\n\n");
        assert_eq!(VersionLocks::parse("# nothing\n").unwrap(), VersionLocks::default());
        assert_eq!(VersionLocks::parse(&locks.text()).unwrap(), locks);
        assert_eq!(locks.entries[0].lines(), ["# why", "Package name: foo", "evr = 1.0-1"]);
        let refusal = |text: &str| VersionLocks::parse(text).unwrap_err();
        assert!(refusal("version = \"2.0\"").contains("unsupported format version"));
        assert!(refusal("version = [").starts_with("line 1: "));
        assert!(refusal("version = \"1.0\"\n[[packages]]\n").contains("no name"));
        let text = locks.text().replace("\"=\"", "\"~\"");
        assert!(refusal(&text).contains("unknown comparator"), "{}", refusal(&text));
        assert!(
            refusal("version = \"1.0\"\n[[packages]]\nname = \"a\"\n").contains("no conditions")
        );
    }
}
