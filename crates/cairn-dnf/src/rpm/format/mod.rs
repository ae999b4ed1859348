// SPDX-License-Identifier: MIT OR Apache-2.0
//! rpm's query formats: `%{NAME}`, `%-20{NAME}`, `[%{FILENAMES}\n]`, `%|EPOCH?{%{EPOCH}}:{none}|`, `%{SIZE:humaniec}`.
//!
//! [`Format::parse`] checks the text and every tag in it, [`Format::render`] fills it from one header.
//! Specification: rpm's `docs/manual/queryformat.md`.

mod formatters;
mod tags;

pub use formatters::{date_text, dependency_flags, permissions};

use cairn_rpm::header::Header;
use tags::Column;

/// Nesting of conditions and arrays accepted.
const DEPTH_LIMIT: usize = 32;

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
    Condition { tag: tags::TagId, present: Vec<Item>, missing: Vec<Item> },
}

#[derive(Debug, Clone)]
struct TagItem {
    tag: tags::TagId,
    formatter: Option<String>,
    width: usize,
    left: bool,
    zero: bool,
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
        let characters: Vec<char> = text.chars().collect();
        let mut parser = Parser { characters: &characters, position: 0 };
        let items = parser.items(Until::End, 0)?;
        Ok(Self { items })
    }

    /// Returns the text for one package.
    ///
    /// # Errors
    /// Arrays of different length in one iterator.
    pub fn render(&self, subject: Subject<'_>) -> Result<String, String> {
        let mut out = String::new();
        render_items(&self.items, subject, 0, &mut out)?;
        Ok(out)
    }
}

/// Returns the names of all tags, sorted.
pub fn all_tags() -> Vec<&'static str> {
    tags::all_names()
}

fn render_items(
    items: &[Item],
    subject: Subject<'_>,
    index: usize,
    out: &mut String,
) -> Result<(), String> {
    for item in items {
        match item {
            Item::Text(text) => out.push_str(text),
            Item::Tag(tag) => render_tag(tag, subject, index, out),
            Item::Condition { tag, present, missing } => {
                let branch = if tags::load(*tag, subject).is_some() { present } else { missing };
                render_items(branch, subject, index, out)?;
            }
            Item::Array(inner) => {
                for element in 0..array_length(inner, subject)? {
                    render_items(inner, subject, element, out)?;
                }
            }
        }
    }
    Ok(())
}

fn array_length(items: &[Item], subject: Subject<'_>) -> Result<usize, String> {
    let mut length = 0;
    for item in items {
        let Item::Tag(tag) = item else { continue };
        if tag.just_one || tag.count {
            continue;
        }
        let Some(column) = tags::load(tag.tag, subject) else { continue };
        let count = column.len();
        if length > 1 && count != length {
            return Err("array iterator used with different sized arrays".to_owned());
        }
        length = length.max(count);
    }
    Ok(length)
}

fn render_tag(item: &TagItem, subject: Subject<'_>, index: usize, out: &mut String) {
    let column = tags::load(item.tag, subject);
    let index = if item.just_one { 0 } else { index };
    let text = match column {
        Some(column) if item.count => column.len().to_string(),
        Some(column) => format_element(&column, index, item),
        None if item.formatter.as_deref() == Some("tagname") => item.tag.name().to_owned(),
        None => "(none)".to_owned(),
    };
    let length = text.chars().count();
    let padding = item.width.saturating_sub(length);
    if item.left {
        out.push_str(&text);
        out.extend(std::iter::repeat_n(' ', padding));
    } else {
        let fill = if item.zero { '0' } else { ' ' };
        out.extend(std::iter::repeat_n(fill, padding));
        out.push_str(&text);
    }
}

fn format_element(column: &Column, index: usize, item: &TagItem) -> String {
    match item.formatter.as_deref() {
        None => formatters::plain(column, index),
        Some(name) => formatters::apply(name, column, index, item.tag),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    End,
    Bracket,
    Brace,
}

struct Parser<'a> {
    characters: &'a [char],
    position: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.characters.get(self.position).copied()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek();
        self.position += 1;
        character
    }

    fn items(&mut self, until: Until, depth: usize) -> Result<Vec<Item>, String> {
        if depth > DEPTH_LIMIT {
            return Err("format nested too deeply".to_owned());
        }
        let mut items = Vec::new();
        let mut text = String::new();
        let flush = |text: &mut String, items: &mut Vec<Item>| {
            if !text.is_empty() {
                items.push(Item::Text(std::mem::take(text)));
            }
        };
        loop {
            let Some(character) = self.next() else {
                flush(&mut text, &mut items);
                return match until {
                    Until::End => Ok(items),
                    Until::Bracket => Err("] expected at end of array".to_owned()),
                    Until::Brace => Err("} expected in expression".to_owned()),
                };
            };
            match character {
                '\\' => text.push(self.escape()),
                '%' if self.peek() == Some('%') => {
                    self.next();
                    text.push('%');
                }
                '%' => {
                    flush(&mut text, &mut items);
                    items.push(self.directive(depth)?);
                }
                '[' => {
                    flush(&mut text, &mut items);
                    items.push(Item::Array(self.items(Until::Bracket, depth + 1)?));
                }
                ']' if until == Until::Bracket => {
                    flush(&mut text, &mut items);
                    return Ok(items);
                }
                ']' => return Err("unexpected ]".to_owned()),
                '}' if until == Until::Brace => {
                    flush(&mut text, &mut items);
                    return Ok(items);
                }
                '}' => return Err("unexpected }".to_owned()),
                other => text.push(other),
            }
        }
    }

    fn escape(&mut self) -> char {
        match self.next() {
            Some('a') => '\x07',
            Some('b') => '\x08',
            Some('f') => '\x0c',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('v') => '\x0b',
            Some(other) => other,
            None => '\\',
        }
    }

    fn directive(&mut self, depth: usize) -> Result<Item, String> {
        if self.peek() == Some('|') {
            self.next();
            return self.condition(depth);
        }
        let mut left = false;
        let mut zero = false;
        let mut width = 0_usize;
        while let Some(character) = self.peek() {
            match character {
                '-' => left = true,
                '0' if width == 0 => zero = true,
                '0'..='9' => width = (width * 10 + character as usize - '0' as usize).min(10_000),
                _ => break,
            }
            self.next();
        }
        match self.peek() {
            Some('{') => self.next(),
            Some(_) => return Err("missing { after %".to_owned()),
            None => return Err("missing { after %".to_owned()),
        };
        let mut body = String::new();
        loop {
            match self.next() {
                Some('}') => break,
                Some(character) => body.push(character),
                None => return Err("missing } after %{".to_owned()),
            }
        }
        let (just_one, count) = (body.starts_with('='), body.starts_with('#'));
        let body = if just_one || count { &body[1..] } else { &body[..] };
        let (name, formatter) = match body.split_once(':') {
            Some((name, formatter)) => (name, Some(formatter)),
            None => (body, None),
        };
        if name.is_empty() {
            return Err("empty tag name".to_owned());
        }
        if formatter == Some("") {
            return Err("empty tag format".to_owned());
        }
        if let Some(formatter) = formatter
            && !formatters::NAMES.contains(&formatter)
        {
            return Err(format!("unknown tag format: \"{formatter}\""));
        }
        let tag = tags::TagId::parse(name).ok_or_else(|| format!("unknown tag: \"{name}\""))?;
        Ok(Item::Tag(TagItem {
            tag,
            formatter: formatter.map(str::to_owned),
            width,
            left,
            zero,
            just_one,
            count,
        }))
    }

    fn condition(&mut self, depth: usize) -> Result<Item, String> {
        let mut name = String::new();
        loop {
            match self.next() {
                Some('?') => break,
                Some(character) => name.push(character),
                None => return Err("? expected in expression".to_owned()),
            }
        }
        let tag = tags::TagId::parse(&name).ok_or_else(|| format!("unknown tag: \"{name}\""))?;
        if self.next() != Some('{') {
            return Err("{ expected after ? in expression".to_owned());
        }
        let present = self.items(Until::Brace, depth + 1)?;
        let mut missing = Vec::new();
        if self.peek() == Some(':') {
            self.next();
            // rpm's own aliases write `:` with nothing after it.
            if self.peek() == Some('{') {
                self.next();
                missing = self.items(Until::Brace, depth + 1)?;
            } else if self.peek() != Some('|') {
                return Err("{ expected after : in expression".to_owned());
            }
        }
        if self.next() != Some('|') {
            return Err("| expected at end of expression".to_owned());
        }
        Ok(Item::Condition { tag, present, missing })
    }
}
