// SPDX-License-Identifier: MIT OR Apache-2.0
//! rpm's query formats: `%{NAME}`, `%-20{NAME}`, `[%{FILENAMES}\n]`, `%|EPOCH?{%{EPOCH}}:{none}|`, `%{SIZE:humaniec}`.
//!
//! [`Format::parse`] checks the text and every tag in it, [`Format::render`] fills it from one header.
//! Specification: rpm's `docs/manual/queryformat.md`; texts compared with rpm 4.20.

mod formatters;
mod openpgp;
mod parse;
mod tags;

pub use formatters::{date_text, dependency_flags, permissions};
pub use openpgp::signature_label;
pub use tags::{TagId, texts};

use cairn_rpm::header::Header;
use std::collections::BTreeMap;
use tags::Column;

/// A package to be formatted.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Header.
    pub header: &'a Header,
    /// Signature header, for package files.
    pub signature: Option<&'a Header>,
    /// Number in the rpm database; 0 for package files.
    pub number: u64,
    /// Whether `-v` was given (tag `VERBOSE`).
    pub verbose: bool,
}

/// A parsed query format.
#[derive(Debug, Clone)]
pub struct Format {
    items: Vec<Item>,
}

#[derive(Debug, Clone)]
enum Item {
    Text(String),
    Tag(TagItem),
    Array(Vec<Item>),
    /// An unknown tag is one the package does not have.
    Condition {
        tag: Option<TagId>,
        present: Vec<Item>,
        missing: Vec<Item>,
    },
}

#[derive(Debug, Clone)]
struct TagItem {
    /// `None`: `*`, every tag of the package in turn.
    tag: Option<TagId>,
    formatter: Option<&'static str>,
    width: usize,
    left: bool,
    /// `%{=TAG}`: always the first element.
    just_one: bool,
    /// `%{#TAG}`: number of elements.
    count: bool,
}

impl Format {
    /// Parses a format.
    ///
    /// # Errors
    /// rpm's message, without its `incorrect format: ` in front.
    pub fn parse(text: &str) -> Result<Self, String> {
        Ok(Self { items: parse::parse(text)? })
    }

    /// Returns the text for one package.
    ///
    /// # Errors
    /// Arrays of different length in one iterator.
    pub fn render(&self, subject: Subject<'_>) -> Result<String, String> {
        let mut renderer =
            Renderer { subject, columns: BTreeMap::new(), current: None, out: String::new() };
        renderer.whole(&self.items)?;
        Ok(renderer.out)
    }
}

/// Tags of rpm 6, which are understood, but which rpm 4.20 does not list.
const NEWER: &[&str] = &[
    "BUILDOPTION",
    "BUILDSYSTEM",
    "FILEMIMEINDEX",
    "FILEMIMES",
    "MIMEDICT",
    "OPENPGP",
    "PACKAGEDIGESTALGOS",
    "PACKAGEDIGESTS",
    "PAYLOADSHA256",
    "PAYLOADSHA256ALGO",
    "PAYLOADSHA256ALT",
    "PAYLOADSHA3_256",
    "PAYLOADSHA3_256ALT",
    "PAYLOADSHA512",
    "PAYLOADSHA512ALT",
    "PAYLOADSIZE",
    "PAYLOADSIZEALT",
    "RPMFORMAT",
    "SHA3_256HEADER",
    "SOURCENEVR",
];

/// Returns the names of the tags that `--querytags` lists, sorted.
pub fn all_tags() -> Vec<&'static str> {
    let mut names = tags::all_names();
    names.retain(|name| !NEWER.contains(name));
    names
}

struct Renderer<'a> {
    subject: Subject<'a>,
    /// What was looked up, since arrays ask for each tag once per element.
    columns: BTreeMap<TagId, Option<Column>>,
    /// What `*` means at present.
    current: Option<TagId>,
    out: String,
}

impl Renderer<'_> {
    fn whole(&mut self, items: &[Item]) -> Result<(), String> {
        let first = match items.first() {
            Some(Item::Array(inner)) => inner.first(),
            other => other,
        };
        let Some(Item::Tag(TagItem { tag: None, formatter, .. })) = first else {
            return self.items(items, 0);
        };
        let (open, close) = match formatter {
            Some("xml") => ("<rpmHeader>\n", "</rpmHeader>\n"),
            Some("json") => ("{\n", "}\n"),
            _ => ("", ""),
        };
        self.out.push_str(open);
        for tag in tags::stored_tags(self.subject) {
            self.current = Some(tag);
            self.items(items, 0)?;
        }
        // JSON has no comma after its last member.
        if *formatter == Some("json") && self.out.ends_with(",\n") {
            self.out.truncate(self.out.len() - 2);
            self.out.push('\n');
        }
        self.out.push_str(close);
        Ok(())
    }

    fn column(&mut self, tag: TagId) -> Option<&Column> {
        let subject = self.subject;
        self.columns.entry(tag).or_insert_with(|| tags::load(tag, subject)).as_ref()
    }

    fn items(&mut self, items: &[Item], index: usize) -> Result<(), String> {
        for item in items {
            match item {
                Item::Text(text) => self.out.push_str(text),
                Item::Tag(tag) => self.tag(tag, index),
                Item::Condition { tag, present, missing } => {
                    let is_there = tag.is_some_and(|tag| self.column(tag).is_some());
                    self.items(if is_there { present } else { missing }, index)?;
                }
                Item::Array(inner) => self.array(inner)?,
            }
        }
        Ok(())
    }

    fn array(&mut self, items: &[Item]) -> Result<(), String> {
        let length = self.array_length(items)?;
        let whole = match items.first() {
            Some(Item::Tag(TagItem { tag: None, formatter, .. })) => *formatter,
            _ => None,
        };
        let name = self.current.map(TagId::display_name).unwrap_or_default();
        match whole {
            Some("xml") => {
                self.out.push_str(&format!("  <rpmTag name=\"{name}\">\n"));
                for element in 0..length {
                    self.items(items, element)?;
                }
                self.out.push_str("  </rpmTag>\n");
            }
            Some("json") => {
                self.out.push_str(&format!("    \"{name}\": "));
                self.out.push_str(if length > 1 { "[\n" } else { "" });
                for element in 0..length {
                    self.out.push('\t');
                    self.items(items, element)?;
                    let comma = if element + 1 < length { "," } else { "" };
                    self.out.push_str(&format!("{comma}{}", if length > 1 { "\n" } else { "" }));
                }
                self.out.push_str(if length > 1 { "    ],\n" } else { ",\n" });
            }
            _ => {
                for element in 0..length {
                    self.items(items, element)?;
                }
            }
        }
        Ok(())
    }

    fn array_length(&mut self, items: &[Item]) -> Result<usize, String> {
        let mut length = None;
        for item in items {
            let Item::Tag(tag) = item else { continue };
            if tag.just_one {
                continue;
            }
            let Some(id) = tag.tag.or(self.current) else { continue };
            let Some(column) = self.column(id) else { continue };
            let count = column.len();
            if length.is_some_and(|known| known != count && known != 0) {
                return Err("array iterator used with different sized arrays".to_owned());
            }
            length = Some(count);
        }
        Ok(length.unwrap_or(0))
    }

    fn tag(&mut self, item: &TagItem, index: usize) {
        let Some(id) = item.tag.or(self.current) else { return };
        let index = if item.just_one { 0 } else { index };
        let text = match self.column(id) {
            Some(column) if item.count => column.len().to_string(),
            Some(column) => match item.formatter {
                None => formatters::plain(column, index),
                Some(name) => formatters::apply(name, column, index, id),
            },
            None => "(none)".to_owned(),
        };
        let padding = item.width.saturating_sub(text.chars().count());
        let blanks = std::iter::repeat_n(' ', padding);
        if item.left {
            self.out.push_str(&text);
            self.out.extend(blanks);
        } else {
            self.out.extend(blanks);
            self.out.push_str(&text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages() {
        let table = [
            ("%{NAME", "missing } after %{"),
            ("%", "missing { after %"),
            ("%x{NAME}", "invalid field width"),
            ("%.2{NAME}", "invalid field width"),
            ("%{}", "empty tag name"),
            ("%{NAME:}", "empty tag format"),
            ("%{NOSUCH}", "unknown tag: \"NOSUCH\""),
            ("%{NAME:nosuch}", "unknown tag: \"NAME\""),
            ("[%{NAME}", "] expected at end of array"),
            ("%{NAME}]", "unexpected ]"),
            ("%{NAME}}", "unexpected }"),
            ("%|EPOCH", "? expected in expression"),
            ("%|EPOCH?x", "{ expected after ? in expression"),
            ("%|EPOCH?{a}:x|", "{ expected after : in expression"),
            ("%|EPOCH?{a}", "| expected at end of expression"),
        ];
        for (text, message) in table {
            assert_eq!(Format::parse(text).unwrap_err(), message, "{text}");
        }
        for text in ["%|NOSUCH?{a}:{b}|", "%|EPOCH?{}:|", "[%{*:xml}\\n]", "%%"] {
            Format::parse(text).unwrap();
        }
    }
}
