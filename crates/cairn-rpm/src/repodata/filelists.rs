// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading filelists.xml and other.xml.

use std::io::BufRead;

use super::error::{Limits, RepodataError, RepodataProblem};
use super::package::{Changelog, RepoFile, RepoFileKind};
use super::primary::{file_kind, version};
use super::repomd::check_sha256;
use super::xml::{Element, Token, walk};
use crate::evr::Nevra;

/// What filelists.xml or other.xml says about one package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackageFiles {
    /// SHA-256 of the .rpm file: which package of primary.xml this is.
    pub pkgid: String,
    /// Name, EVR and architecture.
    pub nevra: Nevra,
    /// All files (filelists.xml), in file order.
    pub files: Vec<RepoFile>,
    /// Change log (other.xml).
    pub changelogs: Vec<Changelog>,
}

/// Reads filelists.xml (decompressed), calls `each` for every package and returns their number.
pub fn parse_filelists<R: BufRead>(
    input: R,
    limits: &Limits,
    each: &mut dyn FnMut(PackageFiles),
) -> Result<u64, RepodataError> {
    parse(input, ("filelists.xml", "filelists"), limits, each)
}

/// Reads other.xml (decompressed), calls `each` for every package and returns their number.
pub fn parse_other<R: BufRead>(
    input: R,
    limits: &Limits,
    each: &mut dyn FnMut(PackageFiles),
) -> Result<u64, RepodataError> {
    parse(input, ("other.xml", "otherdata"), limits, each)
}

fn parse<R: BufRead>(
    input: R,
    names: (&'static str, &'static str),
    limits: &Limits,
    each: &mut dyn FnMut(PackageFiles),
) -> Result<u64, RepodataError> {
    let mut parser = Parser { limits: *limits, ..Parser::default() };
    let mut last_line = 1;
    walk(input, names, limits, &mut |token, line| {
        last_line = line;
        match token {
            Token::Start { depth, element } => parser.start(depth, &element),
            Token::End { depth, name, text } => {
                match (depth, name) {
                    (2, "package") => each(std::mem::take(&mut parser.package)),
                    (3, "file") => {
                        let path = text.to_owned();
                        parser.package.files.push(RepoFile { path, kind: parser.kind });
                    }
                    (3, "changelog") => {
                        text.clone_into(&mut parser.changelog.text);
                        parser.package.changelogs.push(parser.changelog.clone());
                    }
                    _ => {}
                }
                Ok(())
            }
        }
    })?;
    match parser.declared {
        Some(declared) if declared != parser.packages => {
            let problem = RepodataProblem::Count { declared, found: parser.packages };
            Err(RepodataError { file: names.0, line: last_line, problem })
        }
        _ => Ok(parser.packages),
    }
}

struct Parser {
    limits: Limits,
    declared: Option<u64>,
    packages: u64,
    package: PackageFiles,
    kind: RepoFileKind,
    changelog: Changelog,
}

impl Default for Parser {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            declared: None,
            packages: 0,
            package: PackageFiles::default(),
            kind: RepoFileKind::File,
            changelog: Changelog { author: String::new(), time: 0, text: String::new() },
        }
    }
}

impl Parser {
    fn start(&mut self, depth: usize, element: &Element<'_>) -> Result<(), RepodataProblem> {
        match (depth, element.name()) {
            (1, _) => self.declared = element.number("packages")?,
            (2, "package") => {
                self.packages += 1;
                if self.packages > self.limits.packages {
                    let limit = self.limits.packages;
                    return Err(RepodataProblem::Limit { what: "packages", limit });
                }
                let pkgid = element.attribute("pkgid")?.unwrap_or_default();
                self.package.pkgid = check_sha256("sha256", &pkgid)?;
                self.package.nevra.name = element.attribute("name")?.unwrap_or_default();
                self.package.nevra.arch = element.attribute("arch")?.unwrap_or_default();
            }
            (3, "version") => self.package.nevra.evr = version(element)?,
            (3, "file") => self.kind = file_kind(element)?,
            (3, "changelog") => {
                self.changelog.author = element.attribute("author")?.unwrap_or_default();
                self.changelog.time = element.number("date")?.unwrap_or(0);
            }
            _ => {}
        }
        Ok(())
    }
}
