// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repodata/repomd.xml`: the index of a repository's metadata files.

use std::collections::BTreeSet;

use super::error::{Limits, RepodataError, RepodataProblem};
use super::location::check_location;
use super::write::{attribute, element, escape};
use super::xml::{Element, Token, parse_number, walk};

/// Start of the `<content>` tag that says until when the index may be trusted, in Unix seconds.
pub const VALID_UNTIL: &str = "cairn-valid-until=";

/// Begins the content tag that names the newest key list (`repodata/keys/N.json`); its version follows.
pub const KEY_LIST: &str = "cairn-keys=";

/// The index of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepoMd {
    /// The revision, usually the Unix time of creation; free text.
    pub revision: String,
    /// The metadata files.
    pub records: Vec<RepoMdRecord>,
    /// `<tags><content>`.
    pub content_tags: Vec<String>,
    /// `<tags><distro>`: (`cpeid` or empty, text).
    pub distro_tags: Vec<(String, String)>,
}

/// One metadata file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepoMdRecord {
    /// `primary`, `filelists`, `other`, `group`, `updateinfo`, …
    pub kind: String,
    /// Path below the repository, checked.
    pub location: String,
    /// SHA-256 of the file as it is, lower-case hexadecimal.
    pub checksum: String,
    /// Size of the file, bytes, when stated.
    pub size: Option<u64>,
    /// SHA-256 of the decompressed file, when stated.
    pub open_checksum: Option<String>,
    /// Size of the decompressed file, bytes, when stated.
    pub open_size: Option<u64>,
    /// Unix seconds.
    pub timestamp: u64,
}

impl RepoMd {
    /// Parses `repomd.xml`. Refuses other checksums than SHA-256, unsafe locations, two records of
    /// one kind, and an index without `primary`.
    pub fn parse(bytes: &[u8]) -> Result<Self, RepodataError> {
        let mut parser = Parser::default();
        let names = ("repomd.xml", "repomd");
        let mut last_line = 1;
        walk(bytes, names, &Limits::for_repomd(), &mut |token, line| {
            last_line = line;
            match token {
                Token::Start { depth, element } => parser.start(depth, &element),
                Token::End { depth, name, text } => parser.end(depth, name, text),
            }
        })?;
        if parser.repomd.record("primary").is_none() {
            let problem = RepodataProblem::Missing { element: "data type=\"primary\"" };
            return Err(RepodataError { file: "repomd.xml", line: last_line, problem });
        }
        Ok(parser.repomd)
    }

    /// Returns the record of a kind.
    pub fn record(&self, kind: &str) -> Option<&RepoMdRecord> {
        self.records.iter().find(|record| record.kind == kind)
    }

    /// Returns until when the index may be trusted, in Unix seconds; `None` where it does not say.
    ///
    /// # Errors
    /// It says something that is not a number.
    pub fn valid_until(&self) -> Result<Option<u64>, String> {
        let said = self.content_tags.iter().find_map(|tag| tag.trim().strip_prefix(VALID_UNTIL));
        said.map(|text| text.parse().map_err(|_| format!("{VALID_UNTIL}{text} is not a number")))
            .transpose()
    }

    /// Returns the version of the newest key list of the repository; `None` where it has none.
    ///
    /// # Errors
    /// It says something that is not a number.
    pub fn key_list(&self) -> Result<Option<u32>, String> {
        let said = self.content_tags.iter().find_map(|tag| tag.trim().strip_prefix(KEY_LIST));
        said.map(|text| text.parse().map_err(|_| format!("{KEY_LIST}{text} is not a number")))
            .transpose()
    }

    /// Writes `repomd.xml`.
    pub fn write(&self) -> String {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        out.push_str("<repomd xmlns=\"http://linux.duke.edu/metadata/repo\" xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\">\n");
        element(&mut out, 1, "revision", &self.revision);
        if !self.content_tags.is_empty() || !self.distro_tags.is_empty() {
            out.push_str("  <tags>\n");
            for tag in &self.content_tags {
                element(&mut out, 2, "content", tag);
            }
            for (cpe, text) in &self.distro_tags {
                out.push_str("    <distro");
                if !cpe.is_empty() {
                    attribute(&mut out, "cpeid", cpe);
                }
                out.push('>');
                escape(&mut out, text);
                out.push_str("</distro>\n");
            }
            out.push_str("  </tags>\n");
        }
        for record in &self.records {
            record.write(&mut out);
        }
        out.push_str("</repomd>\n");
        out
    }
}

impl RepoMdRecord {
    fn write(&self, out: &mut String) {
        out.push_str("  <data");
        attribute(out, "type", &self.kind);
        out.push_str(">\n");
        out.push_str(&format!("    <checksum type=\"sha256\">{}</checksum>\n", self.checksum));
        if let Some(checksum) = &self.open_checksum {
            out.push_str(&format!(
                "    <open-checksum type=\"sha256\">{checksum}</open-checksum>\n"
            ));
        }
        out.push_str("    <location");
        attribute(out, "href", &self.location);
        out.push_str("/>\n");
        element(out, 2, "timestamp", &self.timestamp.to_string());
        if let Some(size) = self.size {
            element(out, 2, "size", &size.to_string());
        }
        if let Some(size) = self.open_size {
            element(out, 2, "open-size", &size.to_string());
        }
        out.push_str("  </data>\n");
    }
}

/// Checks a checksum's type and digits and returns it in lower case.
pub(super) fn check_sha256(kind: &str, digits: &str) -> Result<String, RepodataProblem> {
    if kind != "sha256" {
        return Err(RepodataProblem::ChecksumType { found: kind.to_owned() });
    }
    let digits = digits.trim();
    if digits.len() != 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        let found = digits.chars().take(80).collect();
        return Err(RepodataProblem::Checksum { found });
    }
    Ok(digits.to_ascii_lowercase())
}

#[derive(Default)]
struct Parser {
    repomd: RepoMd,
    kinds: BTreeSet<String>,
    record: RepoMdRecord,
    checksum_type: String,
    cpe: String,
}

impl Parser {
    fn start(&mut self, depth: usize, element: &Element<'_>) -> Result<(), RepodataProblem> {
        match (depth, element.name()) {
            (2, "data") => {
                let kind = element.attribute("type")?;
                let kind = kind.ok_or(RepodataProblem::Missing { element: "data type" })?;
                let kind = printable("data type", kind)?;
                if !self.kinds.insert(kind.clone()) {
                    return Err(RepodataProblem::Duplicate { what: kind });
                }
                self.record = RepoMdRecord { kind, ..RepoMdRecord::default() };
            }
            (3, "checksum" | "open-checksum") => {
                self.checksum_type = element.attribute("type")?.unwrap_or_default();
            }
            (3, "location") => {
                let href = element.attribute("href")?.unwrap_or_default();
                check_location(&href)?;
                if let Some(href) = element.attribute("xml:base")? {
                    return Err(RepodataProblem::UnsafeLocation { href });
                }
                self.record.location = href;
            }
            (3, "distro") => {
                self.cpe = printable("cpeid", element.attribute("cpeid")?.unwrap_or_default())?;
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, depth: usize, name: &str, text: &str) -> Result<(), RepodataProblem> {
        let record = &mut self.record;
        match (depth, name) {
            (2, "revision") => {
                self.repomd.revision = printable("revision", text.trim().to_owned())?;
            }
            (3, "content") => {
                self.repomd.content_tags.push(printable("content", text.to_owned())?);
            }
            (3, "distro") => {
                let name = printable("distro", text.to_owned())?;
                self.repomd.distro_tags.push((std::mem::take(&mut self.cpe), name));
            }
            (3, "checksum") => record.checksum = check_sha256(&self.checksum_type, text)?,
            (3, "open-checksum") => {
                record.open_checksum = Some(check_sha256(&self.checksum_type, text)?);
            }
            (3, "timestamp") => record.timestamp = parse_number("timestamp", text)?,
            (3, "size") => record.size = Some(parse_number("size", text)?),
            (3, "open-size") => record.open_size = Some(parse_number("open-size", text)?),
            (2, "data") => {
                if record.location.is_empty() {
                    return Err(RepodataProblem::Missing { element: "location" });
                }
                if record.checksum.is_empty() {
                    return Err(RepodataProblem::Missing { element: "checksum" });
                }
                self.repomd.records.push(std::mem::take(record));
            }
            _ => {}
        }
        Ok(())
    }
}

/// Refuses control characters and what XML cannot write: nothing in an index of files has a use for them.
fn printable(what: &str, text: String) -> Result<String, RepodataProblem> {
    match text.chars().find(|c| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}')) {
        None => Ok(text),
        Some(c) => {
            let message = format!("{what} has the character U+{:04X}", u32::from(c));
            Err(RepodataProblem::Xml { message })
        }
    }
}
