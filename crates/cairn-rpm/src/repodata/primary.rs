// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading primary.xml.

use std::collections::BTreeSet;
use std::io::BufRead;

use super::error::{Limits, PackageProblem, RepodataError, RepodataProblem};
use super::location::check_location;
use super::package::{RepoFile, RepoFileKind, RepoPackage};
use super::repomd::check_sha256;
use super::xml::{Element, Token, walk};
use crate::dependency::{Comparison, Dependency, RichDependency, sense};
use crate::evr::Evr;

const FILE: &str = "primary.xml";

/// What [`parse_primary`] found besides the packages it handed out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrimaryOutcome {
    /// Number of packages in the file, the unusable ones included.
    pub packages: u64,
    /// Packages that were left out, and why.
    pub problems: Vec<PackageProblem>,
}

/// Reads primary.xml (decompressed) and calls `each` for every usable package, in file order.
///
/// A package with an unsafe location, an unreadable dependency, a missing or wrong checksum or a
/// checksum seen before is left out and named in the outcome. A broken file, or one whose number of
/// packages is not the declared one, is an error (after the packages before it were handed out).
pub fn parse_primary<R: BufRead>(
    input: R,
    limits: &Limits,
    each: &mut dyn FnMut(RepoPackage),
) -> Result<PrimaryOutcome, RepodataError> {
    let mut parser = Parser { limits: *limits, ..Parser::default() };
    let mut last_line = 1;
    walk(input, (FILE, "metadata"), limits, &mut |token, line| {
        last_line = line;
        match token {
            Token::Start { depth, element } => parser.start(depth, &element, line),
            Token::End { depth, name, text } => {
                if let Some(package) = parser.end(depth, name, text, line) {
                    each(package);
                }
                Ok(())
            }
        }
    })?;
    let found = parser.outcome.packages;
    match parser.declared {
        Some(declared) if declared != found => {
            let problem = RepodataProblem::Count { declared, found };
            Err(RepodataError { file: FILE, line: last_line, problem })
        }
        _ => Ok(parser.outcome),
    }
}

/// Returns the number of packages that the root element declares, of a document without packages; `None` when it is malformed.
pub(super) fn declared_packages(document: &[u8], limits: &Limits) -> Option<u64> {
    let mut declared = None;
    let walked = walk(document, (FILE, "metadata"), limits, &mut |token, _| {
        match token {
            Token::Start { depth: 1, element } => declared = element.number("packages")?,
            Token::Start { .. } => return Err(RepodataProblem::Missing { element: "package" }),
            Token::End { .. } => {}
        }
        Ok(())
    });
    walked.ok().and(declared)
}

/// Which list of dependencies is open.
#[derive(Clone, Copy)]
enum List {
    Provides,
    Requires,
    Conflicts,
    Obsoletes,
    Recommends,
    Suggests,
    Supplements,
    Enhances,
}

impl List {
    fn from_name(name: &str) -> Option<Self> {
        match name {
            "provides" => Some(Self::Provides),
            "requires" => Some(Self::Requires),
            "conflicts" => Some(Self::Conflicts),
            "obsoletes" => Some(Self::Obsoletes),
            "recommends" => Some(Self::Recommends),
            "suggests" => Some(Self::Suggests),
            "supplements" => Some(Self::Supplements),
            "enhances" => Some(Self::Enhances),
            _ => None,
        }
    }

    fn of(self, package: &mut RepoPackage) -> &mut Vec<Dependency> {
        match self {
            Self::Provides => &mut package.provides,
            Self::Requires => &mut package.requires,
            Self::Conflicts => &mut package.conflicts,
            Self::Obsoletes => &mut package.obsoletes,
            Self::Recommends => &mut package.recommends,
            Self::Suggests => &mut package.suggests,
            Self::Supplements => &mut package.supplements,
            Self::Enhances => &mut package.enhances,
        }
    }
}

#[derive(Default)]
struct Parser {
    limits: Limits,
    declared: Option<u64>,
    outcome: PrimaryOutcome,
    seen: BTreeSet<[u8; 32]>,
    package: RepoPackage,
    problem: Option<(u64, RepodataProblem)>,
    list: Option<List>,
    checksum_type: String,
    file_kind: Option<RepoFileKind>,
}

impl Parser {
    /// Problems inside a package are kept for its end; only those of the whole file are returned.
    fn start(
        &mut self,
        depth: usize,
        element: &Element<'_>,
        line: u64,
    ) -> Result<(), RepodataProblem> {
        match (depth, element.name()) {
            (1, _) => self.declared = element.number("packages")?,
            (2, "package") => {
                self.outcome.packages += 1;
                if self.outcome.packages > self.limits.packages {
                    let limit = self.limits.packages;
                    return Err(RepodataProblem::Limit { what: "packages", limit });
                }
                self.package = RepoPackage::default();
                self.problem = None;
                self.list = None;
                if let Some(found) = element.attribute("type")?.filter(|kind| kind != "rpm") {
                    self.note(line, RepodataProblem::Value { what: "package type", found });
                }
            }
            (3.., _) => {
                if let Err(problem) = self.inside(depth, element) {
                    // A tag that cannot even be split into attributes breaks the file.
                    if let RepodataProblem::Limit { .. } | RepodataProblem::Xml { .. } = problem {
                        return Err(problem);
                    }
                    self.note(line, problem);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn note(&mut self, line: u64, problem: RepodataProblem) {
        self.problem.get_or_insert((line, problem));
    }

    fn inside(&mut self, depth: usize, element: &Element<'_>) -> Result<(), RepodataProblem> {
        let package = &mut self.package;
        match (depth, element.name()) {
            (3, "version") => package.nevra.evr = version(element)?,
            (3, "checksum") => {
                self.checksum_type = element.attribute("type")?.unwrap_or_default();
            }
            (3, "time") => {
                package.time_file = element.number("file")?.unwrap_or(0);
                package.time_build = element.number("build")?.unwrap_or(0);
            }
            (3, "size") => {
                package.size_package = element.number("package")?.unwrap_or(0);
                package.size_installed = element.number("installed")?.unwrap_or(0);
                package.size_archive = element.number("archive")?.unwrap_or(0);
            }
            (3, "location") => {
                package.location = element.attribute("href")?.unwrap_or_default();
                package.base = element.attribute("xml:base")?;
                check_location(&package.location)?;
            }
            (4, "header-range") => {
                package.header_start = element.number("start")?.unwrap_or(0);
                package.header_end = element.number("end")?.unwrap_or(0);
            }
            (4, "file") => self.file_kind = Some(file_kind(element)?),
            (4, name) => self.list = List::from_name(name),
            (5, "entry") => {
                if let Some(list) = self.list {
                    let dependency = entry(element)?;
                    list.of(package).push(dependency);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, depth: usize, name: &str, text: &str, line: u64) -> Option<RepoPackage> {
        let package = &mut self.package;
        let field = match (depth, name) {
            (3, "name") => &mut package.nevra.name,
            (3, "arch") => &mut package.nevra.arch,
            (3, "summary") => &mut package.summary,
            (3, "description") => &mut package.description,
            (3, "packager") => &mut package.packager,
            (3, "url") => &mut package.url,
            (4, "license") => &mut package.license,
            (4, "vendor") => &mut package.vendor,
            (4, "group") => &mut package.group,
            (4, "buildhost") => &mut package.buildhost,
            (4, "sourcerpm") => &mut package.sourcerpm,
            (3, "checksum") => {
                match check_sha256(&self.checksum_type, text) {
                    Ok(checksum) => package.pkgid = checksum,
                    Err(problem) => self.note(line, problem),
                }
                return None;
            }
            (4, "file") => {
                if let Some(kind) = self.file_kind.take() {
                    package.files.push(RepoFile { path: text.to_owned(), kind });
                }
                return None;
            }
            (2, "package") => return self.finish_package(line),
            _ => return None,
        };
        text.clone_into(field);
        None
    }

    fn finish_package(&mut self, line: u64) -> Option<RepoPackage> {
        let package = std::mem::take(&mut self.package);
        if self.problem.is_none() {
            self.problem = self.check(&package).err().map(|problem| (line, problem));
        }
        let Some((line, problem)) = self.problem.take() else { return Some(package) };
        let error = RepodataError { file: FILE, line, problem };
        let package = if package.nevra.name.is_empty() {
            format!("number {}", self.outcome.packages)
        } else {
            package.nevra.to_string()
        };
        self.outcome.problems.push(PackageProblem { package, error });
        None
    }

    fn check(&mut self, package: &RepoPackage) -> Result<(), RepodataProblem> {
        let missing = |element| Err(RepodataProblem::Missing { element });
        if !is_plain_word(&package.nevra.name) {
            return missing("name");
        }
        if !is_plain_word(&package.nevra.arch) {
            return missing("arch");
        }
        if package.nevra.evr.version.is_empty() {
            return missing("version");
        }
        if package.location.is_empty() {
            return missing("location");
        }
        let mut digest = [0; 32];
        if hex::decode_to_slice(&package.pkgid, &mut digest).is_err() {
            return missing("checksum");
        }
        if !self.seen.insert(digest) {
            let what = format!("packages with checksum {}", package.pkgid);
            return Err(RepodataProblem::Duplicate { what });
        }
        Ok(())
    }
}

/// Says whether a name or architecture is usable: not empty, no blanks, slashes or controls.
pub(super) fn is_plain_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '/')
}

pub(super) fn file_kind(element: &Element<'_>) -> Result<RepoFileKind, RepodataProblem> {
    match element.attribute("type")?.as_deref() {
        None | Some("file") => Ok(RepoFileKind::File),
        Some("dir") => Ok(RepoFileKind::Directory),
        Some("ghost") => Ok(RepoFileKind::Ghost),
        Some(other) => Err(RepodataProblem::Value { what: "file type", found: other.to_owned() }),
    }
}

/// Reads `epoch`, `ver` and `rel`.
pub(super) fn version(element: &Element<'_>) -> Result<Evr, RepodataProblem> {
    let mut evr = Evr::default();
    element.for_each_attribute(&mut |key, value| {
        match key {
            "epoch" => evr.epoch = parse_epoch(&value)?,
            "ver" => evr.version = value.into_owned(),
            "rel" => evr.release = value.into_owned(),
            _ => {}
        }
        Ok(())
    })?;
    // The same checks as for versions from anywhere else.
    Evr::parse(&evr.to_string())?;
    Ok(evr)
}

fn parse_epoch(text: &str) -> Result<u32, RepodataProblem> {
    if text.is_empty() {
        return Ok(0);
    }
    text.parse().map_err(|_| RepodataProblem::Number { what: "epoch", found: text.to_owned() })
}

/// Reads an `rpm:entry`.
fn entry(element: &Element<'_>) -> Result<Dependency, RepodataProblem> {
    let mut dependency = Dependency::default();
    let mut comparison = None;
    let mut evr = Evr::default();
    element.for_each_attribute(&mut |key, value| {
        match key {
            "name" => dependency.name = value.into_owned(),
            "flags" => comparison = Some(comparison_from(&value)?),
            "epoch" => evr.epoch = parse_epoch(&value)?,
            "ver" => evr.version = value.into_owned(),
            "rel" => evr.release = value.into_owned(),
            "pre" if value == "1" => dependency.sense |= sense::PREREQ,
            _ => {}
        }
        Ok(())
    })?;
    if dependency.name.is_empty() {
        return Err(RepodataProblem::Missing { element: "entry name" });
    }
    if dependency.is_rich() {
        RichDependency::parse(&dependency.name)?;
    }
    if let Some(comparison) = comparison
        && !evr.version.is_empty()
    {
        dependency.constraint = Some((comparison, evr));
    }
    Ok(dependency)
}

fn comparison_from(flags: &str) -> Result<Comparison, RepodataProblem> {
    match flags {
        "EQ" => Ok(Comparison::Equal),
        "LT" => Ok(Comparison::Less),
        "GT" => Ok(Comparison::Greater),
        "LE" => Ok(Comparison::LessOrEqual),
        "GE" => Ok(Comparison::GreaterOrEqual),
        other => Err(RepodataProblem::Value { what: "entry flags", found: other.to_owned() }),
    }
}
