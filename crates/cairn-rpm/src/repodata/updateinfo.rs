// SPDX-License-Identifier: MIT OR Apache-2.0
//! updateinfo.xml: advisories, which say why packages changed (security, bug fix, …).

use super::error::{Limits, RepodataError, RepodataProblem};
use super::xml::{Element, Token, parse_number, walk};
use crate::evr::{Evr, Nevra};

/// One advisory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Advisory {
    /// Identifier, for example `CN-2026:17`.
    pub id: String,
    /// One line.
    pub title: String,
    /// `security`, `bugfix`, `enhancement`, `newpackage` or something else.
    pub kind: String,
    /// `Critical`, `Important`, `Moderate`, `Low`, or empty.
    pub severity: String,
    /// `final`, `testing`, …
    pub status: String,
    /// Who issued it.
    pub vendor: String,
    /// When it was issued or last updated, seconds since 1970; 0 when not stated.
    pub issued: u64,
    /// Text.
    pub description: String,
    /// Further text.
    pub message: String,
    /// Copyright of the text.
    pub rights: String,
    /// Where to read more.
    pub references: Vec<AdvisoryReference>,
    /// Packages that fix it.
    pub packages: Vec<AdvisoryPackage>,
}

/// A pointer of an advisory to a bug or a vulnerability.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdvisoryReference {
    /// Identifier, for example `CVE-2026-1234`.
    pub id: String,
    /// `cve`, `bugzilla`, `self`, …
    pub kind: String,
    /// One line.
    pub title: String,
    /// Address.
    pub url: String,
}

/// A package of an advisory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdvisoryPackage {
    /// Name, EVR and architecture.
    pub nevra: Nevra,
    /// The system should be restarted after it was installed.
    pub needs_reboot: bool,
}

impl Advisory {
    /// Returns the references of a kind, for example the CVEs.
    pub fn references_of<'a>(
        &'a self,
        kind: &'a str,
    ) -> impl Iterator<Item = &'a AdvisoryReference> {
        self.references.iter().filter(move |reference| reference.kind == kind)
    }
}

/// Parses updateinfo.xml (decompressed).
pub fn parse_updateinfo(bytes: &[u8], limits: &Limits) -> Result<Vec<Advisory>, RepodataError> {
    let mut parser = Parser { limit: limits.packages, ..Parser::default() };
    walk(bytes, ("updateinfo.xml", "updates"), limits, &mut |token, _| match token {
        Token::Start { depth, element } => parser.start(depth, &element),
        Token::End { depth, name, text } => parser.end(depth, name, text.trim()),
    })?;
    Ok(parser.advisories)
}

#[derive(Default)]
struct Parser {
    advisories: Vec<Advisory>,
    advisory: Advisory,
    package: AdvisoryPackage,
    updated: u64,
    count: u64,
    limit: u64,
}

impl Parser {
    fn start(&mut self, depth: usize, element: &Element<'_>) -> Result<(), RepodataProblem> {
        let text = |name| element.attribute(name).map(Option::unwrap_or_default);
        match (depth, element.name()) {
            (2, "update") => {
                self.advisory = Advisory {
                    kind: text("type")?,
                    status: text("status")?,
                    vendor: text("from")?,
                    ..Advisory::default()
                };
                self.updated = 0;
            }
            (3, "issued") => self.advisory.issued = date(&text("date")?)?,
            (3, "updated") => self.updated = date(&text("date")?)?,
            (4, "reference") => {
                self.count()?;
                self.advisory.references.push(AdvisoryReference {
                    id: text("id")?,
                    kind: text("type")?,
                    title: text("title")?,
                    url: text("href")?,
                });
            }
            (5, "package") => {
                self.count()?;
                let epoch = element.number("epoch")?.unwrap_or(0);
                let epoch = u32::try_from(epoch).map_err(|_| RepodataProblem::Value {
                    what: "epoch",
                    found: epoch.to_string(),
                })?;
                let evr = Evr::new(epoch, text("version")?, text("release")?);
                let nevra = Nevra::new(text("name")?, evr, text("arch")?);
                self.package = AdvisoryPackage { nevra, needs_reboot: false };
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, depth: usize, name: &str, text: &str) -> Result<(), RepodataProblem> {
        let advisory = &mut self.advisory;
        match (depth, name) {
            (3, "id") => text.clone_into(&mut advisory.id),
            (3, "title") => text.clone_into(&mut advisory.title),
            (3, "severity") => text.clone_into(&mut advisory.severity),
            (3, "description") => text.clone_into(&mut advisory.description),
            (3, "message") => text.clone_into(&mut advisory.message),
            (3, "rights") => text.clone_into(&mut advisory.rights),
            (6, "reboot_suggested") => {
                self.package.needs_reboot = !matches!(text, "False" | "false" | "0");
            }
            (5, "package") => {
                if self.package.nevra.name.is_empty() {
                    return Err(RepodataProblem::Missing { element: "package name" });
                }
                advisory.packages.push(std::mem::take(&mut self.package));
            }
            (2, "update") => {
                if advisory.id.is_empty() {
                    return Err(RepodataProblem::Missing { element: "id" });
                }
                if self.updated > 0 {
                    advisory.issued = self.updated;
                }
                self.count()?;
                self.advisories.push(std::mem::take(&mut self.advisory));
            }
            _ => {}
        }
        Ok(())
    }

    /// Advisories, references and packages count against the limit of packages.
    fn count(&mut self) -> Result<(), RepodataProblem> {
        self.count += 1;
        if self.count > self.limit {
            return Err(RepodataProblem::Limit {
                what: "advisories and their packages",
                limit: self.limit,
            });
        }
        Ok(())
    }
}

/// Reads `2024-01-02 03:04:05` or `2024-01-02` (UTC), or seconds since 1970.
fn date(text: &str) -> Result<u64, RepodataProblem> {
    if text.is_empty() {
        return Ok(0);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return parse_number("date", text);
    }
    let wrong = || RepodataProblem::Value { what: "date", found: text.to_owned() };
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    let mut next = || numbers.next().map(|part| part.parse::<u64>().map_err(|_| wrong()));
    let mut required = || next().unwrap_or_else(|| Err(wrong()));
    let (year, month, day) = (required()?, required()?, required()?);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return Err(wrong());
    }
    let mut clock = [0; 3];
    for slot in &mut clock {
        *slot = match next() {
            Some(number) => number?,
            None => 0,
        };
    }
    let [hour, minute, second] = clock;
    if hour > 23 || minute > 59 || second > 60 {
        return Err(wrong());
    }
    Ok(days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

/// Counts the days of the Gregorian calendar.
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    // A year that begins in March has its leap day at the end.
    let shifted = if month > 2 { year } else { year - 1 };
    let leap_days = shifted / 4 - shifted / 100 + shifted / 400;
    let month_index = (month + 9) % 12;
    let day_of_year = (153 * month_index + 2) / 5 + day - 1;
    // 719,468 days lie between March 1 of the year 0 and 1970.
    (365 * shifted + leap_days + day_of_year).saturating_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = r#"<?xml version="1.0"?><updates>
      <update from="sec@example.invalid" status="final" type="security" version="1">
        <id>CN-2024:1</id><title>foo security update</title>
        <issued date="2024-01-02 03:04:05"/><updated date="2024-01-03"/>
        <rights>CC</rights><severity>Important</severity><description>Fixes
a hole.</description>
        <references><reference href="https://example.invalid/1" id="CVE-2024-1" type="cve" title="t"/></references>
        <pkglist><collection short="CN"><name>Cairn</name>
          <package name="foo" version="1.5" release="1" epoch="2" arch="noarch" src="foo.src.rpm">
            <filename>foo.rpm</filename><reboot_suggested>True</reboot_suggested></package>
        </collection></pkglist></update></updates>"#;

    #[test]
    fn reads() {
        let advisories = parse_updateinfo(SAMPLE.as_bytes(), &Limits::default()).unwrap();
        let [advisory] = advisories.as_slice() else { panic!("{advisories:?}") };
        assert_eq!(
            (advisory.id.as_str(), advisory.kind.as_str(), advisory.severity.as_str()),
            ("CN-2024:1", "security", "Important")
        );
        assert_eq!(advisory.issued, 1_704_240_000);
        assert_eq!(advisory.description, "Fixes\na hole.");
        assert_eq!(advisory.references_of("cve").next().unwrap().id, "CVE-2024-1");
        assert_eq!(advisory.packages[0].nevra.to_string(), "foo-2:1.5-1.noarch");
        assert!(advisory.packages[0].needs_reboot);
    }

    #[test]
    fn refuses() {
        let refusal = |text: &str| {
            parse_updateinfo(text.as_bytes(), &Limits::default()).unwrap_err().to_string()
        };
        assert!(refusal("<updates><update/></updates>").contains("id"));
        assert!(refusal(&SAMPLE.replace("2024-01-03", "yesterday")).contains("date"));
        assert!(refusal(&SAMPLE.replace("epoch=\"2\"", "epoch=\"99999999999\"")).contains("epoch"));
        assert!(refusal(&SAMPLE[..SAMPLE.len() - 30]).contains("truncated"));
        let limits = Limits { packages: 2, ..Limits::default() };
        let error = parse_updateinfo(SAMPLE.as_bytes(), &limits).unwrap_err().to_string();
        assert!(error.contains("more than 2"), "{error}");
    }

    #[test]
    fn days() {
        assert_eq!(date("1970-01-01").unwrap(), 0);
        assert_eq!(date("2000-02-29 00:00:01").unwrap(), 951_782_401);
        assert_eq!(date("2024-12-31").unwrap(), 1_735_603_200);
        assert_eq!(date("1704067200").unwrap(), 1_704_067_200);
        assert!(date("2024-13-01").is_err());
    }
}
