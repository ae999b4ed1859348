// SPDX-License-Identifier: MIT OR Apache-2.0
//! Dependencies: `name`, `name >= evr`, and rich ones such as `(a or b if c)`.
//!
//! The overlap rule is `rpmdsCompare` of rpm 4.20 (lib/rpmds.c, lib/rpmver.c): a missing epoch is 0,
//! a missing release matches any release if the other side says `=`, a side without a version
//! matches every version. The rich grammar is rpm's
//! (<https://rpm-software-management.github.io/rpm/manual/boolean_dependencies.html>).

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::evr::{Evr, EvrError, compare_versions};

/// How deep rich dependencies may be nested.
pub const RICH_DEPTH_LIMIT: usize = 64;

/// Bits of rpm's dependency flags (`RPMSENSE_…`).
pub mod sense {
    /// The constraint includes lower versions.
    pub const LESS: u32 = 1 << 1;
    /// The constraint includes higher versions.
    pub const GREATER: u32 = 1 << 2;
    /// The constraint includes the version itself.
    pub const EQUAL: u32 = 1 << 3;
    /// The bits that say how versions are compared.
    pub const COMPARISON: u32 = LESS | GREATER | EQUAL;
    /// Needed before the package itself (legacy `PreReq`).
    pub const PREREQ: u32 = 1 << 6;
    /// Needed before the transaction (`%pretrans`).
    pub const PRETRANS: u32 = 1 << 7;
    /// Needed by the interpreter of a scriptlet.
    pub const INTERP: u32 = 1 << 8;
    /// Needed by `%pre`.
    pub const SCRIPT_PRE: u32 = 1 << 9;
    /// Needed by `%post`.
    pub const SCRIPT_POST: u32 = 1 << 10;
    /// Needed by `%preun`.
    pub const SCRIPT_PREUN: u32 = 1 << 11;
    /// Needed by `%postun`.
    pub const SCRIPT_POSTUN: u32 = 1 << 12;
    /// Needed by `%verify`.
    pub const SCRIPT_VERIFY: u32 = 1 << 13;
    /// Found by a dependency generator, provided side.
    pub const FIND_PROVIDES: u32 = 1 << 15;
    /// Found by a dependency generator, required side.
    pub const FIND_REQUIRES: u32 = 1 << 14;
    /// `%triggerin`.
    pub const TRIGGERIN: u32 = 1 << 16;
    /// `%triggerun`.
    pub const TRIGGERUN: u32 = 1 << 17;
    /// `%triggerpostun`.
    pub const TRIGGERPOSTUN: u32 = 1 << 18;
    /// The dependency may be missing.
    pub const MISSINGOK: u32 = 1 << 19;
    /// A feature of rpm itself, `rpmlib(…)`.
    pub const RPMLIB: u32 = 1 << 24;
    /// `%triggerprein`.
    pub const TRIGGERPREIN: u32 = 1 << 25;
    /// Only orders, requires nothing (`OrderWithRequires` with `meta`).
    pub const META: u32 = 1 << 29;
}

/// The operator of a version constraint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Comparison {
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
}

impl Comparison {
    /// Returns rpm's sense bits for this operator.
    pub fn bits(self) -> u32 {
        match self {
            Self::Less => sense::LESS,
            Self::LessOrEqual => sense::LESS | sense::EQUAL,
            Self::Equal => sense::EQUAL,
            Self::GreaterOrEqual => sense::GREATER | sense::EQUAL,
            Self::Greater => sense::GREATER,
        }
    }

    /// Reads the operator out of rpm's sense bits; `None` when they state no comparison (none, or
    /// the contradictory `<>`).
    pub fn from_bits(bits: u32) -> Option<Self> {
        const LESS_EQUAL: u32 = sense::LESS | sense::EQUAL;
        const GREATER_EQUAL: u32 = sense::GREATER | sense::EQUAL;
        match bits & sense::COMPARISON {
            sense::LESS => Some(Self::Less),
            LESS_EQUAL => Some(Self::LessOrEqual),
            sense::EQUAL => Some(Self::Equal),
            GREATER_EQUAL => Some(Self::GreaterOrEqual),
            sense::GREATER => Some(Self::Greater),
            _ => None,
        }
    }

    /// Returns the operator as written in spec files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Equal => "=",
            Self::GreaterOrEqual => ">=",
            Self::Greater => ">",
        }
    }

    /// Reads an operator as written in spec files (also `==`, `=<`, `=>`).
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "<" => Some(Self::Less),
            "<=" | "=<" => Some(Self::LessOrEqual),
            "=" | "==" => Some(Self::Equal),
            ">=" | "=>" => Some(Self::GreaterOrEqual),
            ">" => Some(Self::Greater),
            _ => None,
        }
    }
}

/// One dependency: a Requires, Provides, Conflicts, … entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Dependency {
    /// The capability's name, an absolute path, or a whole rich dependency in parentheses.
    pub name: String,
    /// The version constraint, `None` for "any version".
    pub constraint: Option<(Comparison, Evr)>,
    /// rpm's sense bits other than the comparison (see [`sense`]).
    pub sense: u32,
}

impl Dependency {
    /// Returns a dependency without a version.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), constraint: None, sense: 0 }
    }

    /// Returns a dependency with a version.
    pub fn versioned(name: impl Into<String>, comparison: Comparison, evr: Evr) -> Self {
        Self { name: name.into(), constraint: Some((comparison, evr)), sense: 0 }
    }

    /// Puts a dependency together from the three values in a package header.
    ///
    /// `flags` are rpm's raw bits. An empty `evr`, or flags without a comparison, mean "any
    /// version". Refuses versions that [`Evr::parse`] refuses.
    pub fn from_header(name: &str, flags: u32, evr: &str) -> Result<Self, DependencyError> {
        let constraint = match Comparison::from_bits(flags) {
            Some(comparison) if !evr.is_empty() => {
                let evr = Evr::parse(evr)
                    .map_err(|source| DependencyError::Evr { text: name.to_owned(), source })?;
                Some((comparison, evr))
            }
            _ => None,
        };
        Ok(Self { name: name.to_owned(), constraint, sense: flags & !sense::COMPARISON })
    }

    /// Returns rpm's raw flags: [`Dependency::sense`] and the bits of the comparison.
    pub fn flags(&self) -> u32 {
        let comparison = self.constraint.as_ref().map_or(0, |(comparison, _)| comparison.bits());
        (self.sense & !sense::COMPARISON) | comparison
    }

    /// Returns the version as a package header stores it, empty for "any".
    pub fn evr_text(&self) -> String {
        self.constraint.as_ref().map(|(_, evr)| evr.to_string()).unwrap_or_default()
    }

    /// Parses `name`, `name OP evr` or a rich dependency, whose syntax is checked.
    pub fn parse(text: &str) -> Result<Self, DependencyError> {
        let text = text.trim();
        if text.starts_with('(') {
            RichDependency::parse(text)?;
            return Ok(Self::new(text));
        }
        let mut words = text.split_ascii_whitespace();
        let syntax = |problem| DependencyError::Syntax { text: text.to_owned(), problem };
        let name = words.next().ok_or_else(|| syntax("it is empty"))?;
        check_name(name).map_err(syntax)?;
        let Some(operator) = words.next() else { return Ok(Self::new(name)) };
        let comparison =
            Comparison::parse(operator).ok_or_else(|| syntax("the operator is unknown"))?;
        let evr = words.next().ok_or_else(|| syntax("the version is missing"))?;
        if words.next().is_some() {
            return Err(syntax("there is text after the version"));
        }
        let evr = Evr::parse(evr)
            .map_err(|source| DependencyError::Evr { text: text.to_owned(), source })?;
        Ok(Self::versioned(name, comparison, evr))
    }

    /// Says whether the name is a rich dependency (see [`RichDependency::parse`]).
    pub fn is_rich(&self) -> bool {
        self.name.starts_with('(')
    }

    /// Says whether this is a feature of rpm itself, `rpmlib(…)`, which no package provides.
    pub fn is_rpmlib(&self) -> bool {
        self.name.starts_with("rpmlib(")
    }

    /// Says whether this names a file (`/usr/bin/sh`).
    pub fn is_file(&self) -> bool {
        self.name.starts_with('/')
    }

    /// Says whether `provide` satisfies this dependency: same name and overlapping version ranges.
    ///
    /// Rich dependencies are never satisfied here; evaluate [`RichDependency`] instead.
    pub fn is_satisfied_by(&self, provide: &Dependency) -> bool {
        self.name == provide.name && overlaps(self.constraint.as_ref(), provide.constraint.as_ref())
    }

    /// Says whether a package of this EVR meets the version constraint (the name is not compared).
    ///
    /// This is the test for Obsoletes, which look at package names only.
    pub fn matches_evr(&self, evr: &Evr) -> bool {
        match &self.constraint {
            None => true,
            Some((comparison, wanted)) => {
                ranges_overlap((*comparison, wanted), (Comparison::Equal, evr))
            }
        }
    }
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some((comparison, evr)) = &self.constraint {
            write!(f, " {} {evr}", comparison.as_str())?;
        }
        Ok(())
    }
}

/// Says whether two version ranges have a version in common; `None` is every version.
pub fn overlaps(a: Option<&(Comparison, Evr)>, b: Option<&(Comparison, Evr)>) -> bool {
    match (a, b) {
        (Some((a, a_evr)), Some((b, b_evr))) => ranges_overlap((*a, a_evr), (*b, b_evr)),
        _ => true,
    }
}

/// `rpmverOverlap` of rpm 4.20.
fn ranges_overlap((a, a_evr): (Comparison, &Evr), (b, b_evr): (Comparison, &Evr)) -> bool {
    let (a, b) = (a.bits(), b.bits());
    let mut order = a_evr.epoch.cmp(&b_evr.epoch);
    if order == Ordering::Equal {
        order = compare_versions(&a_evr.version, &b_evr.version);
    }
    if order == Ordering::Equal {
        match (a_evr.release.is_empty(), b_evr.release.is_empty()) {
            (false, false) => order = compare_versions(&a_evr.release, &b_evr.release),
            (false, true) if b & sense::EQUAL != 0 => return true,
            (true, false) if a & sense::EQUAL != 0 => return true,
            _ => {}
        }
    }
    match order {
        Ordering::Less => a & sense::GREATER != 0 || b & sense::LESS != 0,
        Ordering::Greater => a & sense::LESS != 0 || b & sense::GREATER != 0,
        Ordering::Equal => a & b & sense::COMPARISON != 0,
    }
}

/// A parsed rich (boolean) dependency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RichDependency {
    /// A plain capability.
    Simple(Dependency),
    /// All of them.
    And(Vec<RichDependency>),
    /// At least one of them.
    Or(Vec<RichDependency>),
    /// `(requirement if condition [else otherwise])`.
    If {
        /// What is required when the condition holds.
        requirement: Box<RichDependency>,
        /// The condition.
        condition: Box<RichDependency>,
        /// What is required when it does not hold.
        otherwise: Option<Box<RichDependency>>,
    },
    /// `(requirement unless condition [else otherwise])`, for Conflicts.
    Unless {
        /// What is required when the condition does not hold.
        requirement: Box<RichDependency>,
        /// The condition.
        condition: Box<RichDependency>,
        /// What is required when it holds.
        otherwise: Option<Box<RichDependency>>,
    },
    /// One single package that satisfies all of them.
    With(Vec<RichDependency>),
    /// One single package that satisfies the first and not the second.
    Without(Box<RichDependency>, Box<RichDependency>),
}

impl RichDependency {
    /// Parses a rich dependency, or a plain one into [`RichDependency::Simple`].
    ///
    /// Refuses nesting deeper than [`RICH_DEPTH_LIMIT`].
    pub fn parse(text: &str) -> Result<Self, DependencyError> {
        let text = text.trim();
        if !text.starts_with('(') {
            return Dependency::parse(text).map(Self::Simple);
        }
        let mut parser = Parser { text, position: 0, depth: 0 };
        let parsed = parser.parenthesised()?;
        parser.skip_space();
        if parser.position != text.len() {
            return Err(parser.error("there is text after the closing parenthesis"));
        }
        Ok(parsed)
    }

    /// Calls `visit` for every plain capability in it, in the order written.
    pub fn for_each_simple<'a>(&'a self, visit: &mut dyn FnMut(&'a Dependency)) {
        match self {
            Self::Simple(dependency) => visit(dependency),
            Self::And(parts) | Self::Or(parts) | Self::With(parts) => {
                for part in parts {
                    part.for_each_simple(visit);
                }
            }
            Self::If { requirement, condition, otherwise }
            | Self::Unless { requirement, condition, otherwise } => {
                requirement.for_each_simple(visit);
                condition.for_each_simple(visit);
                if let Some(otherwise) = otherwise {
                    otherwise.for_each_simple(visit);
                }
            }
            Self::Without(first, second) => {
                first.for_each_simple(visit);
                second.for_each_simple(visit);
            }
        }
    }
}

impl fmt::Display for RichDependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn chain(
            f: &mut fmt::Formatter<'_>,
            parts: &[RichDependency],
            operator: &str,
        ) -> fmt::Result {
            f.write_str("(")?;
            for (i, part) in parts.iter().enumerate() {
                if i > 0 {
                    write!(f, " {operator} ")?;
                }
                write!(f, "{part}")?;
            }
            f.write_str(")")
        }
        match self {
            Self::Simple(dependency) => write!(f, "{dependency}"),
            Self::And(parts) => chain(f, parts, "and"),
            Self::Or(parts) => chain(f, parts, "or"),
            Self::With(parts) => chain(f, parts, "with"),
            Self::Without(first, second) => write!(f, "({first} without {second})"),
            Self::If { requirement, condition, otherwise }
            | Self::Unless { requirement, condition, otherwise } => {
                let operator = if matches!(self, Self::If { .. }) { "if" } else { "unless" };
                write!(f, "({requirement} {operator} {condition}")?;
                if let Some(otherwise) = otherwise {
                    write!(f, " else {otherwise}")?;
                }
                f.write_str(")")
            }
        }
    }
}

/// Says what is wrong with a capability's name, if anything.
fn check_name(name: &str) -> Result<(), &'static str> {
    let mut depth = 0i32;
    for c in name.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            c if c.is_control() => return Err("it has a control character"),
            _ => {}
        }
        if depth < 0 {
            break;
        }
    }
    if depth == 0 { Ok(()) } else { Err("its parentheses do not match") }
}

/// Recursive descent over a rich dependency; `position` is a byte offset into `text`.
struct Parser<'a> {
    text: &'a str,
    position: usize,
    depth: usize,
}

impl Parser<'_> {
    fn error(&self, problem: &'static str) -> DependencyError {
        DependencyError::Rich { text: shorten(self.text), offset: self.position, problem }
    }

    fn rest(&self) -> &str {
        &self.text[self.position..]
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.position += rest.len() - rest.trim_start_matches([' ', '\t', '\n']).len();
    }

    /// Parses `( … )` with the opening parenthesis at the position.
    fn parenthesised(&mut self) -> Result<RichDependency, DependencyError> {
        self.depth += 1;
        if self.depth > RICH_DEPTH_LIMIT {
            return Err(DependencyError::TooDeep);
        }
        self.position += 1;
        let first = self.operand()?;
        self.skip_space();
        let parsed = if self.rest().starts_with(')') { first } else { self.chain(first)? };
        self.skip_space();
        if !self.rest().starts_with(')') {
            return Err(self.error("a `)` is missing"));
        }
        self.position += 1;
        self.depth -= 1;
        Ok(parsed)
    }

    /// Parses `OP operand…` after the first operand.
    fn chain(&mut self, first: RichDependency) -> Result<RichDependency, DependencyError> {
        let operator = self.word()?;
        let second = self.operand()?;
        match operator.as_str() {
            "and" | "or" | "with" => {
                let mut parts = vec![first, second];
                while self.at_word() {
                    if self.word()? != operator {
                        return Err(self.error("mixed operators need parentheses"));
                    }
                    parts.push(self.operand()?);
                }
                Ok(match operator.as_str() {
                    "and" => RichDependency::And(parts),
                    "or" => RichDependency::Or(parts),
                    _ => RichDependency::With(parts),
                })
            }
            "without" => Ok(RichDependency::Without(Box::new(first), Box::new(second))),
            "if" | "unless" => {
                let (requirement, condition) = (Box::new(first), Box::new(second));
                let mut otherwise = None;
                if self.at_word() {
                    if self.word()? != "else" {
                        return Err(self.error("only `else` may follow the condition"));
                    }
                    otherwise = Some(Box::new(self.operand()?));
                }
                Ok(if operator == "if" {
                    RichDependency::If { requirement, condition, otherwise }
                } else {
                    RichDependency::Unless { requirement, condition, otherwise }
                })
            }
            _ => Err(self.error("the operator is unknown")),
        }
    }

    fn at_word(&mut self) -> bool {
        self.skip_space();
        !self.rest().is_empty() && !self.rest().starts_with(')')
    }

    fn word(&mut self) -> Result<String, DependencyError> {
        self.skip_space();
        let end = self.rest().find([' ', '\t', '\n', '(', ')']).unwrap_or(self.rest().len());
        if end == 0 {
            return Err(self.error("an operator is missing"));
        }
        let word = self.rest()[..end].to_owned();
        self.position += end;
        Ok(word)
    }

    fn operand(&mut self) -> Result<RichDependency, DependencyError> {
        self.skip_space();
        if self.rest().starts_with('(') {
            return self.parenthesised();
        }
        let name = self.token();
        if name.is_empty() {
            return Err(self.error("a name is missing"));
        }
        if let Err(problem) = check_name(&name) {
            return Err(self.error(problem));
        }
        let before = self.position;
        self.skip_space();
        let operator = self.token();
        let Some(comparison) = Comparison::parse(&operator) else {
            self.position = before;
            return Ok(RichDependency::Simple(Dependency::new(name)));
        };
        self.skip_space();
        let evr = self.token();
        let evr = Evr::parse(&evr)
            .map_err(|source| DependencyError::Evr { text: shorten(self.text), source })?;
        Ok(RichDependency::Simple(Dependency::versioned(name, comparison, evr)))
    }

    /// Takes everything up to white space or an unmatched `)`: names may contain parentheses.
    fn token(&mut self) -> String {
        let mut depth = 0;
        let rest = self.rest();
        let end = rest.find(|c: char| match c {
            '(' => {
                depth += 1;
                false
            }
            ')' => {
                depth -= 1;
                depth < 0
            }
            c => c.is_ascii_whitespace(),
        });
        let token = rest[..end.unwrap_or(rest.len())].to_owned();
        self.position += token.len();
        token
    }
}

fn shorten(text: &str) -> String {
    const LIMIT: usize = 120;
    if text.chars().count() <= LIMIT {
        return text.to_owned();
    }
    text.chars().take(LIMIT).chain("…".chars()).collect()
}

/// Why a text is no dependency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DependencyError {
    /// Rich dependencies nested too deep.
    #[error("rich dependency nested deeper than {RICH_DEPTH_LIMIT}")]
    TooDeep,
    /// A rich dependency that breaks the grammar.
    #[error("rich dependency `{text}`: {problem} (at byte {offset})")]
    Rich {
        /// The dependency, shortened.
        text: String,
        /// Byte offset of the problem.
        offset: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// A plain dependency that breaks the grammar.
    #[error("dependency `{}`: {problem}", text.escape_debug())]
    Syntax {
        /// The dependency.
        text: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// A version that cannot be read.
    #[error("dependency `{text}`: {source}")]
    Evr {
        /// The dependency.
        text: String,
        /// What is wrong with the version.
        source: EvrError,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dependency(text: &str) -> Dependency {
        Dependency::parse(text).unwrap()
    }

    #[test]
    fn overlap_is_rpms() {
        for (require, provide, expected) in [
            ("a", "a", true),
            ("a", "b", false),
            ("a", "a = 1", true),
            ("a >= 2", "a", true),
            ("a = 1", "a = 1-1", true),
            ("a = 1-1", "a = 1", true),
            ("a = 1-1", "a = 1-2", false),
            ("a > 2.41", "a = 2.41-12", false),
            ("a >= 2.41", "a = 2.41-12", true),
            ("a <= 2.41", "a = 2.41-12", true),
            ("a < 2.41", "a = 2.41-12", false),
            ("a < 2.41-13", "a = 2.41-12", true),
            ("a >= 1", "a = 1:0.5-1", true),
            ("a < 2", "a = 1:0.5-1", false),
            ("a = 0:1-1", "a = 1-1", true),
            ("a > 1", "a < 2", true),
            ("a > 2", "a < 1", false),
            ("a < 1", "a < 2", true),
            ("a > 1-1", "a > 1", true),
            ("a >= 1-5", "a = 1", true),
            ("a > 1-5", "a = 1", true),
            ("a < 1~rc1", "a = 1~beta", true),
        ] {
            let (require, provide) = (dependency(require), dependency(provide));
            assert_eq!(require.is_satisfied_by(&provide), expected, "{require} by {provide}");
            assert_eq!(provide.is_satisfied_by(&require), expected, "{provide} by {require}");
        }
    }

    #[test]
    fn obsoletes_compare_the_evr_only() {
        let evr = Evr::parse("2-1").unwrap();
        assert!(dependency("x < 3").matches_evr(&evr));
        assert!(dependency("x").matches_evr(&evr));
        assert!(!dependency("x < 2").matches_evr(&evr));
    }

    #[test]
    fn plain_round_trip() {
        for text in ["a", "a >= 1:2-3", "libfoo.so.1()(64bit)", "/usr/bin/sh", "perl(A::B) < 2"] {
            assert_eq!(dependency(text).to_string(), text);
        }
        for bad in ["", "a >=", "a ~ 1", "a = 1 2", "a(b", "a)", "a >= 1:"] {
            assert!(Dependency::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn header_flags_round_trip() {
        let flags = sense::GREATER | sense::EQUAL | sense::SCRIPT_PRE;
        let dependency = Dependency::from_header("a", flags, "1-2").unwrap();
        assert_eq!(dependency.to_string(), "a >= 1-2");
        assert_eq!(dependency.flags(), flags);
        assert_eq!(dependency.sense, sense::SCRIPT_PRE);
        assert_eq!(Dependency::from_header("a", flags, "").unwrap().to_string(), "a");
    }

    #[test]
    fn rich_round_trip() {
        for text in [
            "(a and b and c)",
            "(a or (b and c >= 1-2))",
            "(a if b)",
            "(a >= 1 if b else (c or d))",
            "(a unless b else c)",
            "(a(x86-64) with libb.so()(64bit) with c < 2)",
            "(a without b)",
            "((a if b) or c)",
            "(gcc with (g++ or clang))",
        ] {
            assert_eq!(RichDependency::parse(text).unwrap().to_string(), text);
            assert!(dependency(text).is_rich());
        }
        assert_eq!(RichDependency::parse("( a\tor  b )").unwrap().to_string(), "(a or b)");
        assert_eq!(RichDependency::parse("((a))").unwrap().to_string(), "a");
    }

    #[test]
    fn rich_errors() {
        for (text, message) in [
            (
                "(a or b and c)",
                "rich dependency `(a or b and c)`: mixed operators need parentheses (at byte 11)",
            ),
            ("(a or", "rich dependency `(a or`: a name is missing (at byte 5)"),
            ("(a or b", "rich dependency `(a or b`: a `)` is missing (at byte 7)"),
            ("()", "rich dependency `()`: a name is missing (at byte 1)"),
            ("(a xor b)", "rich dependency `(a xor b)`: the operator is unknown (at byte 8)"),
            (
                "(a or b) c",
                "rich dependency `(a or b) c`: there is text after the closing parenthesis (at byte 9)",
            ),
            (
                "(a if b or c)",
                "rich dependency `(a if b or c)`: only `else` may follow the condition (at byte 10)",
            ),
        ] {
            assert_eq!(RichDependency::parse(text).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn rich_depth_is_limited() {
        let nested = |n| format!("{}a{}", "(".repeat(n), ")".repeat(n));
        assert!(RichDependency::parse(&nested(64)).is_ok());
        for n in [65, 10_000] {
            let error = RichDependency::parse(&nested(n)).unwrap_err();
            assert_eq!(error.to_string(), "rich dependency nested deeper than 64");
        }
        let unbalanced = "(".repeat(10_000);
        assert_eq!(Dependency::parse(&unbalanced), Err(DependencyError::TooDeep));
    }

    proptest::proptest! {
        #[test]
        fn parsers_never_panic(text in "[()a-z <>=.:\\-é~^]{0,60}") {
            let _ = Dependency::parse(&text);
            let _ = RichDependency::parse(&format!("({text})"));
            let _ = crate::evr::Nevra::parse(&text);
        }

        #[test]
        fn version_order_is_antisymmetric(a in "[0-9a-c.~^é]{0,8}", b in "[0-9a-c.~^é]{0,8}") {
            proptest::prop_assert_eq!(compare_versions(&a, &b), compare_versions(&b, &a).reverse());
        }
    }
}
