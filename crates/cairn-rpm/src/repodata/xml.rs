// SPDX-License-Identifier: MIT OR Apache-2.0
//! A bounded walk over an XML document: no DTD, no entities but XML's own, limits on everything.

use std::borrow::Cow;
use std::io::{self, BufRead, Read};

use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;

use super::error::{Limits, RepodataError, RepodataProblem};

/// What [`walk`] reports; `depth` of the root element is 1.
pub(super) enum Token<'a> {
    /// An element opens.
    Start { depth: usize, element: Element<'a> },
    /// An element closes; `text` is what stood between this tag and the one before it.
    End { depth: usize, name: &'a str, text: &'a str },
}

/// Called with the name and value of each attribute.
pub(super) type AttributeVisitor<'v> =
    &'v mut dyn FnMut(&str, Cow<'_, str>) -> Result<(), RepodataProblem>;

/// An opening tag.
pub(super) struct Element<'a> {
    start: &'a BytesStart<'a>,
    attribute_limit: usize,
}

impl Element<'_> {
    /// Returns the element's name without its namespace prefix.
    pub(super) fn name(&self) -> &str {
        local(self.start.name().0)
    }

    /// Returns the value of an attribute.
    pub(super) fn attribute(&self, name: &str) -> Result<Option<String>, RepodataProblem> {
        let mut found = None;
        self.for_each_attribute(&mut |key, value| {
            if key == name {
                found = Some(value.into_owned());
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Returns the value of an attribute that is a number.
    pub(super) fn number(&self, name: &'static str) -> Result<Option<u64>, RepodataProblem> {
        self.attribute(name)?.map(|text| parse_number(name, &text)).transpose()
    }

    /// Calls `visit` for every attribute with its name (prefix kept) and value.
    pub(super) fn for_each_attribute(
        &self,
        visit: AttributeVisitor<'_>,
    ) -> Result<(), RepodataProblem> {
        for (count, attribute) in self.start.attributes().enumerate() {
            if count >= self.attribute_limit {
                let limit = self.attribute_limit as u64;
                return Err(RepodataProblem::Limit { what: "attributes in one element", limit });
            }
            let attribute = attribute.map_err(malformed)?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(malformed)?;
            visit(attribute.key.0, value)?;
        }
        Ok(())
    }
}

/// Reads a decimal number, blanks around it allowed.
pub(super) fn parse_number(what: &'static str, text: &str) -> Result<u64, RepodataProblem> {
    let trimmed = text.trim();
    // Old createrepo writes time stamps with a fraction.
    let whole = trimmed.split_once('.').map_or(trimmed, |(whole, _)| whole);
    whole.parse().map_err(|_| RepodataProblem::Number { what, found: text.to_owned() })
}

/// Walks over `input` and calls `visit` for every tag. `root` is the expected root element.
pub(super) fn walk<R: BufRead>(
    input: R,
    (file, root): (&'static str, &'static str),
    limits: &Limits,
    visit: &mut dyn FnMut(Token<'_>, u64) -> Result<(), RepodataProblem>,
) -> Result<(), RepodataError> {
    let mut bounded = Bounded { inner: input, used: 0, event: 0, line: 1, limits: *limits };
    if let Err(problem) = sniff(&mut bounded) {
        return Err(RepodataError { file, line: 1, problem });
    }
    let mut reader = Reader::from_reader(bounded);
    let config = reader.config_mut();
    config.expand_empty_elements = true;
    let mut walker =
        Walker { depth: 0, seen_root: false, root, limits: *limits, text: String::new() };
    let mut buffer = Vec::new();
    let mut open = String::new();
    loop {
        buffer.clear();
        reader.get_mut().event = 0;
        // The line where the event starts: that is where a person looks.
        let line = reader.get_ref().line;
        let outcome = match reader.read_event_into(&mut buffer) {
            Ok(Event::Eof) => walker.finish(&open),
            Ok(event) => {
                if let Event::Start(start) = &event {
                    open.clear();
                    open.push_str(start.name().0);
                }
                let position = reader.get_ref().line;
                match walker.event(&event, position, visit) {
                    Ok(()) => continue,
                    Err(problem) => Err(problem),
                }
            }
            Err(error) => Err(reading(error, walker.depth, &open)),
        };
        return outcome.map_err(|problem| RepodataError { file, line, problem });
    }
}

struct Walker {
    depth: usize,
    seen_root: bool,
    root: &'static str,
    limits: Limits,
    text: String,
}

impl Walker {
    fn event(
        &mut self,
        event: &Event<'_>,
        line: u64,
        visit: &mut dyn FnMut(Token<'_>, u64) -> Result<(), RepodataProblem>,
    ) -> Result<(), RepodataProblem> {
        match event {
            Event::Start(start) => self.start(start, line, visit),
            Event::End(end) => {
                let depth = self.depth;
                self.depth = depth.saturating_sub(1);
                let name = local(end.name().0);
                visit(Token::End { depth, name, text: &self.text }, line)?;
                self.text.clear();
                Ok(())
            }
            Event::Text(text) => self.push_text(&text.xml10_content()),
            Event::CData(data) => self.push_text(&data.xml10_content()),
            Event::GeneralRef(reference) => {
                let c = resolve(reference)?;
                self.push_text(c.encode_utf8(&mut [0; 4]))
            }
            Event::DocType(_) => Err(RepodataProblem::Dtd),
            Event::Decl(declaration) => match declaration.encoding() {
                Some(Ok(encoding)) if !encoding.eq_ignore_ascii_case("utf-8") => {
                    Err(RepodataProblem::Encoding { found: encoding.into_owned() })
                }
                Some(Err(error)) => Err(malformed(error)),
                _ => Ok(()),
            },
            Event::Comment(_) | Event::PI(_) | Event::Empty(_) | Event::Eof => Ok(()),
        }
    }

    fn start(
        &mut self,
        start: &BytesStart<'_>,
        line: u64,
        visit: &mut dyn FnMut(Token<'_>, u64) -> Result<(), RepodataProblem>,
    ) -> Result<(), RepodataProblem> {
        self.text.clear();
        self.depth += 1;
        if self.depth > self.limits.depth {
            let limit = self.limits.depth as u64;
            return Err(RepodataProblem::Limit { what: "nested elements", limit });
        }
        self.check_attributes(start)?;
        let element = Element { start, attribute_limit: self.limits.attributes };
        if self.depth == 1 && (self.seen_root || element.name() != self.root) {
            let found = format!("root element <{}>, expected <{}>", element.name(), self.root);
            return Err(RepodataProblem::NotMetadata { found });
        }
        self.seen_root = true;
        visit(Token::Start { depth: self.depth, element }, line)
    }

    /// Refuses an element with too many attributes, whether anybody looks at them or not.
    fn check_attributes(&self, start: &BytesStart<'_>) -> Result<(), RepodataProblem> {
        let limit = self.limits.attributes;
        // An attribute takes at least the five bytes of ` a=""`: most elements need no counting.
        let may_have_more = start.len() > limit * 5;
        if may_have_more && start.attributes().with_checks(false).nth(limit).is_some() {
            let limit = limit as u64;
            return Err(RepodataProblem::Limit { what: "attributes in one element", limit });
        }
        Ok(())
    }

    fn push_text(&mut self, text: &str) -> Result<(), RepodataProblem> {
        if self.depth == 0 && !text.trim().is_empty() {
            return Err(RepodataProblem::NotMetadata { found: "text outside XML".to_owned() });
        }
        self.text.push_str(text);
        if self.text.len() as u64 > self.limits.event_bytes {
            let limit = self.limits.event_bytes;
            return Err(RepodataProblem::Limit { what: "bytes in one element", limit });
        }
        Ok(())
    }

    fn finish(&self, open: &str) -> Result<(), RepodataProblem> {
        if self.depth > 0 {
            return Err(RepodataProblem::Truncated { element: open.to_owned() });
        }
        if !self.seen_root {
            return Err(RepodataProblem::NotMetadata { found: "no element".to_owned() });
        }
        Ok(())
    }
}

fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

fn resolve(reference: &BytesRef<'_>) -> Result<char, RepodataProblem> {
    if let Some(c) = reference.resolve_char_ref().map_err(malformed)? {
        return Ok(c);
    }
    match reference.as_ref() {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        name => Err(RepodataProblem::Entity { name: name.chars().take(40).collect() }),
    }
}

fn malformed(error: impl std::fmt::Display) -> RepodataProblem {
    RepodataProblem::Xml { message: error.to_string() }
}

fn reading(error: quick_xml::Error, depth: usize, open: &str) -> RepodataProblem {
    match error {
        quick_xml::Error::Io(error) => {
            if let Some(limit) = error.get_ref().and_then(|inner| inner.downcast_ref::<OverLimit>())
            {
                return RepodataProblem::Limit { what: limit.what, limit: limit.limit };
            }
            RepodataProblem::Read { message: error.to_string() }
        }
        quick_xml::Error::Syntax(_) if depth > 0 => {
            RepodataProblem::Truncated { element: open.to_owned() }
        }
        other => malformed(other),
    }
}

/// Says early what a document is when it is clearly not XML metadata.
fn sniff<R: BufRead>(input: &mut Bounded<R>) -> Result<(), RepodataProblem> {
    let not = |found: &str| Err(RepodataProblem::NotMetadata { found: found.to_owned() });
    let head = input.fill_buf().map_err(|error| reading(error.into(), 0, ""))?;
    if head.is_empty() {
        return not("empty file");
    }
    if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) || head.contains(&0) {
        return not(if head[0] >= 0xfe { "UTF-16 text" } else { "binary file" });
    }
    let is_compressed = [&[0x1f, 0x8b][..], &[0x28, 0xb5, 0x2f, 0xfd], b"\xfd7zXZ", b"BZh"]
        .iter()
        .any(|magic| head.starts_with(magic));
    if is_compressed {
        return not("still compressed");
    }
    let head = head.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(head);
    let text = String::from_utf8_lossy(&head[..head.len().min(512)]).trim_start().to_lowercase();
    if text.starts_with("<html") || text.starts_with("<!doctype html") {
        return not("HTML page");
    }
    if !text.starts_with('<') && !text.is_empty() {
        return not("not XML");
    }
    Ok(())
}

/// A reader that stops at the limits and counts lines.
struct Bounded<R> {
    inner: R,
    used: u64,
    event: u64,
    line: u64,
    limits: Limits,
}

#[derive(Debug, thiserror::Error)]
#[error("more than {limit} {what}")]
struct OverLimit {
    what: &'static str,
    limit: u64,
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let n = available.len().min(out.len());
        out[..n].copy_from_slice(&available[..n]);
        self.consume(n);
        Ok(n)
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let Limits { bytes, event_bytes, .. } = self.limits;
        if self.event > event_bytes {
            let what = "bytes in one tag or text";
            return Err(io::Error::other(OverLimit { what, limit: event_bytes }));
        }
        let available = self.inner.fill_buf()?;
        // One byte over the limit is enough to know; the rest is never looked at.
        let left = usize::try_from(bytes - self.used).unwrap_or(usize::MAX);
        if left == 0 && !available.is_empty() {
            return Err(io::Error::other(OverLimit { what: "bytes", limit: bytes }));
        }
        Ok(&available[..available.len().min(left)])
    }

    #[expect(clippy::naive_bytecount, reason = "not worth a dependency")]
    fn consume(&mut self, amount: usize) {
        if let Ok(available) = self.inner.fill_buf() {
            let lines = available[..amount].iter().filter(|byte| **byte == b'\n').count();
            self.line += lines as u64;
        }
        self.used += amount as u64;
        self.event += amount as u64;
        self.inner.consume(amount);
    }
}
