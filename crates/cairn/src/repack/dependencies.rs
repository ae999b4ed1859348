// SPDX-License-Identifier: MIT OR Apache-2.0
//! Debian's versions and relations in RPM's terms (deb-version(7), deb-control(5); rpm-dependencies(7)).
//!
//! Requirements stay in Debian's name space: each RPM provides its Debian name at Debian's exact version.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use cairn_rpm::evr::Evr;

use crate::overlay::glob::Glob;

/// What is added to Debian's revision to make our release.
const DISTRIBUTION_TAG: &str = ".cn1";

/// The Debian packages that the repository will hold.
#[derive(Debug, Clone, Default)]
pub struct PackageSet {
    /// Our name by Debian name.
    pub names: BTreeMap<String, String>,
    /// Names that those packages provide (Debian's `Provides` and the overlays').
    pub virtual_names: BTreeSet<String>,
}

impl PackageSet {
    /// Returns whether something in the set bears or provides the Debian name.
    pub fn contains(&self, name: &str) -> bool {
        self.names.contains_key(name) || self.virtual_names.contains(name)
    }
}

/// One package name with its conditions, `name:arch (op version) [arches]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Atom {
    /// Debian name.
    pub name: String,
    /// Operator as written and version.
    pub constraint: Option<(Operator, String)>,
    /// `any`, an architecture, or nothing.
    pub architecture: Option<String>,
}

/// Debian's version operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `<<`
    Earlier,
    /// `<=`
    EarlierOrEqual,
    /// `=`
    Equal,
    /// `>=`
    LaterOrEqual,
    /// `>>`
    Later,
}

/// What became of one Debian relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translated {
    /// As Debian writes it.
    pub debian: String,
    /// As RPM writes it; `None` if it is left out.
    pub rpm: Option<String>,
    /// Why.
    pub reason: String,
}

/// Names and globs that are left out of requirements.
#[derive(Debug, Default)]
pub struct NameFilter {
    names: BTreeMap<String, String>,
    globs: Vec<(Glob, String)>,
}

impl NameFilter {
    /// Adds `patterns`; `rule` is what an explanation says about a match.
    pub fn add(&mut self, patterns: &[String], rule: &str) -> Result<(), String> {
        for pattern in patterns {
            if pattern.contains('*') {
                self.globs.push((Glob::parse(pattern)?, rule.to_owned()));
            } else {
                self.names.insert(pattern.clone(), rule.to_owned());
            }
        }
        Ok(())
    }

    /// Returns the rule by which `name` is left out.
    pub fn rule(&self, name: &str) -> Option<&str> {
        let by_name = self.names.get(name).map(String::as_str);
        by_name.or_else(|| {
            self.globs.iter().find(|(glob, _)| glob.matches(name)).map(|(_, rule)| rule.as_str())
        })
    }
}

/// Returns a Debian version as an EVR: the last hyphen ends the version, a native version has no release.
/// Further hyphens, which RPM does not allow, become underscores; both compare as separators.
pub fn debian_evr(version: &str) -> Evr {
    let (epoch, rest) = match version.split_once(':') {
        Some((epoch, rest)) => (epoch.trim().parse().unwrap_or(0), rest),
        None => (0, version),
    };
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
    Evr::new(epoch, upstream.replace(['-', ':'], "_"), revision)
}

/// Returns the EVR of our package: Debian's revision (`0` for native packages) and our tag.
pub fn our_evr(version: &str) -> Evr {
    let evr = debian_evr(version);
    let revision = if evr.release.is_empty() { "0" } else { evr.release.as_str() };
    Evr::new(evr.epoch, evr.version.clone(), format!("{revision}{DISTRIBUTION_TAG}"))
}

/// Splits a relation field into groups of alternatives.
pub fn parse_relations(field: &str) -> Result<Vec<Vec<Atom>>, String> {
    let groups = field.split(',').map(str::trim).filter(|group| !group.is_empty());
    groups.map(|group| group.split('|').map(parse_atom).collect()).collect()
}

fn parse_atom(text: &str) -> Result<Atom, String> {
    let malformed = || format!("relation `{}` (expected such as `name (>= version)`)", text.trim());
    let rest = text.trim();
    let end = rest.find(['(', '[', '<', ' ', '\n', '\t']).unwrap_or(rest.len());
    let (name, mut rest) = (rest[..end].trim(), rest[end..].trim());
    let (name, mut architecture) = match name.split_once(':') {
        Some((name, architecture)) => (name, Some(architecture.to_owned())),
        None => (name, None),
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || "+-._".contains(c);
    if name.is_empty() || !name.chars().all(is_name) {
        return Err(malformed());
    }
    let mut constraint = None;
    if let Some(inner) = rest.strip_prefix('(') {
        let (inside, after) = inner.split_once(')').ok_or_else(malformed)?;
        constraint = Some(parse_constraint(inside).ok_or_else(malformed)?);
        rest = after.trim();
    }
    if let Some(inner) = rest.strip_prefix('[') {
        let (inside, after) = inner.split_once(']').ok_or_else(malformed)?;
        if !inside.split_whitespace().any(|arch| {
            arch == "amd64" || arch.ends_with("any") || arch.starts_with('!') && arch != "!amd64"
        }) {
            architecture = Some(inside.to_owned());
        }
        rest = after.trim();
    }
    if rest.is_empty() {
        Ok(Atom { name: name.to_owned(), constraint, architecture })
    } else {
        Err(malformed())
    }
}

fn parse_constraint(inside: &str) -> Option<(Operator, String)> {
    let inside = inside.trim();
    // `<` and `>` are obsolete spellings of `<=` and `>=`.
    let operators = [
        ("<<", Operator::Earlier),
        ("<=", Operator::EarlierOrEqual),
        (">=", Operator::LaterOrEqual),
        (">>", Operator::Later),
        ("=", Operator::Equal),
        ("<", Operator::EarlierOrEqual),
        (">", Operator::LaterOrEqual),
    ];
    let (operator, version) = operators
        .iter()
        .find_map(|(text, operator)| Some((*operator, inside.strip_prefix(text)?.trim())))?;
    let is_version = !version.is_empty()
        && version.chars().all(|c| c.is_ascii_alphanumeric() || "+-._~:".contains(c));
    is_version.then(|| (operator, version.to_owned()))
}

impl Atom {
    /// Returns the atom in RPM's syntax.
    ///
    /// Debian compares a version without a revision as revision nothing, which is lower than any; RPM then compares the versions
    /// alone. So `>> 2.41`, true for Debian's 2.41-12, must be `>= 2.41`.
    pub fn to_rpm(&self) -> String {
        let Some((operator, version)) = &self.constraint else { return self.name.clone() };
        let evr = debian_evr(version);
        let sign = match operator {
            Operator::Earlier => "<",
            Operator::EarlierOrEqual => "<=",
            Operator::Equal => "=",
            Operator::Later if !evr.release.is_empty() => ">",
            Operator::LaterOrEqual | Operator::Later => ">=",
        };
        format!("{} {sign} {evr}", self.name)
    }

    fn is_for_amd64(&self) -> bool {
        self.architecture
            .as_deref()
            .is_none_or(|architecture| matches!(architecture, "any" | "amd64" | "native"))
    }
}

/// Returns the group as Debian writes it.
pub fn debian_text(group: &[Atom]) -> String {
    let mut text = String::new();
    for (index, atom) in group.iter().enumerate() {
        text.push_str(if index == 0 { "" } else { " | " });
        text.push_str(&atom.name);
        if let Some(architecture) = &atom.architecture {
            let _ = write!(text, ":{architecture}");
        }
        if let Some((operator, version)) = &atom.constraint {
            let sign = match operator {
                Operator::Earlier => "<<",
                Operator::EarlierOrEqual => "<=",
                Operator::Equal => "=",
                Operator::LaterOrEqual => ">=",
                Operator::Later => ">>",
            };
            let _ = write!(text, " ({sign} {version})");
        }
    }
    text
}

/// Translates one group of alternatives of Depends or Pre-Depends.
pub fn translate(group: &[Atom], set: &PackageSet, filter: &NameFilter) -> Translated {
    let debian = debian_text(group);
    let left_out = |reason: String| Translated { debian: debian.clone(), rpm: None, reason };
    let rule = group
        .iter()
        .find_map(|atom| filter.rule(&atom.name).map(|rule| format!("{rule}: {}", atom.name)));
    let candidates: Vec<&Atom> = group
        .iter()
        .filter(|atom| atom.is_for_amd64() && filter.rule(&atom.name).is_none())
        .collect();
    let present: Vec<&Atom> =
        candidates.iter().copied().filter(|atom| set.contains(&atom.name)).collect();
    let kept = match (present.as_slice(), rule) {
        ([], Some(rule)) => return left_out(rule),
        ([], None) => {
            let Some(first) = candidates.first() else {
                return left_out("for another architecture".into());
            };
            return Translated {
                rpm: Some(first.to_rpm()),
                debian: debian.clone(),
                reason: "not in the package set".into(),
            };
        }
        (present, _) => present,
    };
    let (rpm, reason) = match kept {
        [only] if group.len() > 1 => (only.to_rpm(), "the only alternative in the package set"),
        [only] => (only.to_rpm(), "Debian's dependency"),
        several => {
            let alternatives: Vec<String> = several.iter().map(|atom| atom.to_rpm()).collect();
            (format!("({})", alternatives.join(" or ")), "Debian's alternatives in the package set")
        }
    };
    Translated { debian, rpm: Some(rpm), reason: reason.to_owned() }
}

/// Returns RPM Provides for the Debian name and Debian's `Provides` field.
pub fn provides(name: &str, version: &str, field: &str) -> Result<Vec<String>, String> {
    let mut provides = vec![format!("{name} = {}", debian_evr(version))];
    for group in parse_relations(field)? {
        provides.extend(
            group
                .iter()
                .filter(|atom| atom.name != name || atom.constraint.is_some())
                .map(Atom::to_rpm),
        );
    }
    Ok(provides)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn versions() {
        let table = [
            ("2.41-12+deb13u1", "2.41-12+deb13u1", "2.41-12+deb13u1.cn1"),
            ("1:10.0p1-7", "1:10.0p1-7", "1:10.0p1-7.cn1"),
            ("13.8+deb13u1", "13.8+deb13u1", "13.8+deb13u1-0.cn1"),
            ("1.2-beta-3", "1.2_beta-3", "1.2_beta-3.cn1"),
            ("6.12~rc1-1~exp1", "6.12~rc1-1~exp1", "6.12~rc1-1~exp1.cn1"),
        ];
        for (debian, exact, ours) in table {
            assert_eq!(
                (debian_evr(debian).to_string(), our_evr(debian).to_string()),
                (exact.to_owned(), ours.to_owned())
            );
        }
        assert!(our_evr("2.41-12+deb13u1") > our_evr("2.41-12"));
        assert!(our_evr("2.41-12+deb13u2") > our_evr("2.41-12+deb13u1"));
        assert!(our_evr("2.41-12") > our_evr("2.41~rc1-12"));
    }

    #[test]
    fn translations() {
        let set = PackageSet {
            names: ["libc6", "mawk", "gawk", "python3", "passwd"]
                .map(|name| (name.to_owned(), name.to_owned()))
                .into(),
            virtual_names: ["awk".to_owned()].into(),
        };
        let mut filter = NameFilter::default();
        filter.add(&["debconf".into(), "debconf-2.0".into(), "perl*".into()], "defaults").unwrap();
        let field = "libc6 (>= 2.38), debconf (>= 0.5) | debconf-2.0, mawk | gawk | original-awk, libfoo1 (= 1:2.0-1), python3:any (<< 3.14), libc6 (>> 2.41), \
            libc6 (>> 2.41-1), adduser | passwd, libx:i386, perl-base, awk, libc6 (<< 2.42) [amd64], libc6 [armhf]";
        let mut report = String::new();
        for group in parse_relations(field).unwrap() {
            let translated = translate(&group, &set, &filter);
            let _ = writeln!(
                report,
                "{} => {} ({})",
                translated.debian,
                translated.rpm.as_deref().unwrap_or("-"),
                translated.reason
            );
        }
        expect![[r"
            libc6 (>= 2.38) => libc6 >= 2.38 (Debian's dependency)
            debconf (>= 0.5) | debconf-2.0 => - (defaults: debconf)
            mawk | gawk | original-awk => (mawk or gawk) (Debian's alternatives in the package set)
            libfoo1 (= 1:2.0-1) => libfoo1 = 1:2.0-1 (not in the package set)
            python3:any (<< 3.14) => python3 < 3.14 (Debian's dependency)
            libc6 (>> 2.41) => libc6 >= 2.41 (Debian's dependency)
            libc6 (>> 2.41-1) => libc6 > 2.41-1 (Debian's dependency)
            adduser | passwd => passwd (the only alternative in the package set)
            libx:i386 => - (for another architecture)
            perl-base => - (defaults: perl-base)
            awk => awk (Debian's dependency)
            libc6 (<< 2.42) => libc6 < 2.42 (Debian's dependency)
            libc6:armhf => - (for another architecture)
        "]]
        .assert_eq(&report);
    }

    #[test]
    fn own_provides() {
        assert_eq!(
            provides("libssl3t64", "3.5.1-1", "libssl3 (= 3.5.1-1), libssl").unwrap(),
            ["libssl3t64 = 3.5.1-1", "libssl3 = 3.5.1-1", "libssl"]
        );
        assert_eq!(provides("bash", "5.2.37-2+b5", "").unwrap(), ["bash = 5.2.37-2+b5"]);
    }

    #[test]
    fn malformed_relations() {
        for text in ["a (>= ", "a (~ 1)", "a (>= 1) b", "(>= 1)", "a b"] {
            assert!(parse_relations(text).is_err(), "{text}");
        }
    }
}
