// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads the text of a query format.

use super::tags::TagId;
use super::{Item, TagItem, formatters};

/// Nesting of conditions and arrays accepted.
const DEPTH_LIMIT: usize = 32;
/// Widest field accepted.
const WIDTH_LIMIT: usize = 10_000;

/// Parses a format; the error is rpm's message.
pub(super) fn parse(text: &str) -> Result<Vec<Item>, String> {
    let characters: Vec<char> = text.chars().collect();
    Parser { characters: &characters, position: 0 }.items(Until::End, 0)
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
                '\\' => text.push(self.escape()?),
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

    fn escape(&mut self) -> Result<char, String> {
        Ok(match self.next() {
            Some('a') => '\x07',
            Some('b') => '\x08',
            Some('f') => '\x0c',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('v') => '\x0b',
            Some(other) => other,
            None => return Err("escaped char expected after \\".to_owned()),
        })
    }

    fn directive(&mut self, depth: usize) -> Result<Item, String> {
        if self.peek() == Some('|') {
            self.next();
            return self.condition(depth);
        }
        let mut field = String::new();
        loop {
            match self.next() {
                Some('{') => break,
                Some(character) if character == '-' || character.is_ascii_digit() => {
                    field.push(character);
                }
                Some(_) => return Err("invalid field width".to_owned()),
                None => return Err("missing { after %".to_owned()),
            }
        }
        let (left, digits) = match field.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, field.as_str()),
        };
        let width = match digits {
            "" => 0,
            digits => digits
                .bytes()
                .all(|byte| byte.is_ascii_digit())
                .then(|| digits.parse().unwrap_or(WIDTH_LIMIT).min(WIDTH_LIMIT))
                .ok_or("invalid field width")?,
        };
        let mut body = String::new();
        loop {
            match self.next() {
                Some('}') => break,
                Some(character) => body.push(character),
                None => return Err("missing } after %{".to_owned()),
            }
        }
        tag_item(&body, width, left).map(Item::Tag)
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
        Ok(Item::Condition { tag: TagId::parse(&name), present, missing })
    }
}

fn tag_item(body: &str, width: usize, left: bool) -> Result<TagItem, String> {
    let (just_one, count) = (body.starts_with('='), body.starts_with('#'));
    let body = if just_one || count { &body[1..] } else { body };
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
    let unknown = || format!("unknown tag: \"{name}\"");
    // rpm complains about the tag also where it does not know the formatter.
    let formatter = formatter
        .map(|wanted| {
            formatters::NAMES.iter().find(|known| **known == wanted).copied().ok_or_else(unknown)
        })
        .transpose()?;
    let tag = if name == "*" { None } else { Some(TagId::parse(name).ok_or_else(unknown)?) };
    Ok(TagItem { tag, formatter, width, left, just_one, count })
}
