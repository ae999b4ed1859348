// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tags and texts of the plain kind of XML that metadata is written in.

use std::borrow::Cow;

/// A place in a piece's text.
pub(super) struct Tokens<'a> {
    rest: &'a str,
}

/// A tag.
pub(super) enum Tag<'a> {
    /// `<name attributes>` or, closed, `<name attributes/>`.
    Open { name: &'a str, attributes: &'a str, is_closed: bool },
    /// `</name>`.
    Close(&'a str),
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// Takes the text up to the next tag, as written.
    pub(super) fn text(&mut self) -> &'a str {
        let end = memchr(b'<', self.rest.as_bytes()).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        text
    }

    /// Takes blanks and the tag after them. `None` at the end and for everything else.
    pub(super) fn tag(&mut self) -> Option<Tag<'a>> {
        let blanks = self.rest.bytes().take_while(|byte| matches!(byte, b' ' | b'\n')).count();
        let inner = self.rest[blanks..].strip_prefix('<')?;
        let end = memchr(b'>', inner.as_bytes())?;
        let (tag, rest) = (&inner[..end], &inner[end + 1..]);
        self.rest = rest;
        if let Some(name) = tag.strip_prefix('/') {
            return Some(Tag::Close(name));
        }
        let (tag, is_closed) = match tag.strip_suffix('/') {
            Some(tag) => (tag, true),
            None => (tag, false),
        };
        let (name, attributes) = match memchr(b' ', tag.as_bytes()) {
            Some(space) => (&tag[..space], &tag[space..]),
            None => (tag, ""),
        };
        let is_name =
            name.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b':' | b'-'));
        (is_name && !name.is_empty()).then_some(Tag::Open { name, attributes, is_closed })
    }

    /// Takes the text of an element that was opened, and its end.
    pub(super) fn leaf(&mut self, name: &str) -> Option<Cow<'a, str>> {
        let text = self.text();
        match self.tag()? {
            Tag::Close(closed) if closed == name => unescape(text),
            _ => None,
        }
    }

    /// Says whether nothing but blanks is left.
    pub(super) fn is_end(&self) -> bool {
        self.rest.trim_ascii().is_empty()
    }
}

/// Takes the next attribute from the front: name and value. `None` when there is none, or when it is unusual; the rest then is not
/// blank.
pub(super) fn attribute<'a>(attributes: &mut &'a str) -> Option<(&'a str, Cow<'a, str>)> {
    let inner = attributes.strip_prefix(' ')?;
    let equals = memchr(b'=', inner.as_bytes())?;
    let (name, rest) = inner.split_at(equals);
    let rest = rest.strip_prefix("=\"")?;
    let end = memchr(b'"', rest.as_bytes())?;
    let value = &rest[..end];
    *attributes = &rest[end + 1..];
    if is_plain(value, b' ') {
        return Some((name, Cow::Borrowed(value)));
    }
    // Blanks would be normalised.
    if value.bytes().any(|byte| matches!(byte, b'<' | b'\t' | b'\n')) {
        *attributes = inner;
        return None;
    }
    let value = unescape(value);
    if value.is_none() {
        *attributes = inner;
    }
    Some((name, value?))
}

/// Says whether all bytes are at least `least` and none begins a tag or a reference. Looks at every byte, which is faster than
/// stopping early.
fn is_plain(text: &str, least: u8) -> bool {
    let special = |byte| u8::from(byte < least) | u8::from(byte == b'<') | u8::from(byte == b'&');
    text.bytes().fold(0, |found, byte| found | special(byte)) == 0
}

/// Replaces XML's five entities. `None` for other references and for line ends that would be normalised.
fn unescape(text: &str) -> Option<Cow<'_, str>> {
    // Of the control characters a line feed and a tab are usual in texts.
    if is_plain(text, b'\r' + 1) || !text.bytes().any(|byte| matches!(byte, b'&' | b'\r')) {
        return Some(Cow::Borrowed(text));
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.bytes().position(|byte| matches!(byte, b'&' | b'\r')) {
        out.push_str(&rest[..next]);
        let here = &rest[next..];
        let (entity, character) = ENTITIES.iter().find(|(entity, _)| here.starts_with(entity))?;
        out.push(*character);
        rest = &here[entity.len()..];
    }
    out.push_str(rest);
    Some(Cow::Owned(out))
}

const ENTITIES: [(&str, char); 5] =
    [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>'), ("&quot;", '"'), ("&apos;", '\'')];

/// Returns the first place of a byte.
fn memchr(byte: u8, bytes: &[u8]) -> Option<usize> {
    memchr::memchr(byte, bytes)
}
