// SPDX-License-Identifier: MIT OR Apache-2.0
//! The packages of one piece of primary.xml.

use std::borrow::Cow;
use std::io::{self, Write};

use super::super::builder::{PackageFields, VersionFields};
use super::super::format::hash;
use super::super::{IndexBuilder, List};
use super::tokens::{Tag, Tokens, attribute};
use crate::dependency::{Comparison, RichDependency, sense};
use crate::repodata::RepoFileKind;
use crate::repodata::location::check_location;
use crate::repodata::primary::is_plain_word;

/// A text: where it is in the piece.
#[derive(Clone, Copy, Default)]
struct Span {
    start: u32,
    length: u32,
}

/// A text with its hash, for the index's table of strings.
#[derive(Clone, Copy, Default)]
struct Hashed {
    span: Span,
    hash: u32,
}

#[derive(Clone, Copy, Default)]
struct Version {
    epoch: u32,
    version: Span,
    release: Span,
}

#[derive(Clone, Copy)]
struct Entry {
    list: List,
    name: Hashed,
    flags: u32,
    version: Option<Version>,
}

#[derive(Clone, Default)]
struct Package {
    seen: u32,
    name: Span,
    arch: Span,
    version: Version,
    pkgid: [u8; 32],
    summary: Span,
    description: Span,
    url: Span,
    location: Span,
    base: Option<Span>,
    sourcerpm: Span,
    words: [Span; 5],
    numbers: [u64; 7],
    /// Where its entries and files end.
    ends: (usize, usize),
}

/// The packages of a piece, with the text they are in.
pub(super) struct Piece {
    text: String,
    packages: Vec<Package>,
    entries: Vec<Entry>,
    files: Vec<(Hashed, RepoFileKind)>,
}

impl Piece {
    /// Reads whole packages; `None` when anything is unusual.
    pub(super) fn read(bytes: Vec<u8>) -> Option<Self> {
        // The strict reader takes such a file for something else.
        if memchr::memchr(0, &bytes).is_some() {
            return None;
        }
        let mut text = String::from_utf8(bytes).ok()?;
        let mut reader = Reader {
            text: &text,
            tokens: Tokens::new(&text),
            unescaped: String::new(),
            packages: Vec::new(),
            entries: Vec::with_capacity(text.len() / 128),
            files: Vec::new(),
        };
        while !reader.tokens.is_end() {
            reader.package()?;
        }
        let Reader { unescaped, packages, entries, files, .. } = reader;
        text.push_str(&unescaped);
        Some(Self { text, packages, entries, files })
    }

    fn text(&self, span: Span) -> &str {
        let start = span.start as usize;
        &self.text[start..start + span.length as usize]
    }

    fn version(&self, version: Version) -> VersionFields<'_> {
        VersionFields {
            epoch: version.epoch,
            version: self.text(version.version),
            release: self.text(version.release),
        }
    }

    /// Adds the packages to an index.
    pub(super) fn add_to<W: Write>(&self, builder: &mut IndexBuilder<W>) -> io::Result<()> {
        let (mut entry, mut file) = (0, 0);
        for package in &self.packages {
            builder.start(&PackageFields {
                name: self.text(package.name),
                arch: self.text(package.arch),
                version: self.version(package.version),
                pkgid: package.pkgid,
                summary: self.text(package.summary),
                description: self.text(package.description),
                url: self.text(package.url),
                location: self.text(package.location),
                sourcerpm: self.text(package.sourcerpm),
                base: package.base.map(|base| self.text(base)),
                words: package.words.map(|word| self.text(word)),
                numbers: package.numbers,
            })?;
            let (end, files_end) = package.ends;
            let mut entries = self.entries[entry..end].iter().peekable();
            for list in List::ALL {
                builder.start_list();
                while let Some(entry) = entries.next_if(|entry| entry.list == list) {
                    let name = (self.text(entry.name.span), entry.name.hash);
                    let version = entry.version.map(|version| self.version(version));
                    builder.dependency(list, name, entry.flags, version)?;
                }
            }
            builder.start_list();
            for (path, kind) in &self.files[file..files_end] {
                builder.file(self.text(path.span), path.hash, *kind)?;
            }
            builder.end()?;
            (entry, file) = package.ends;
        }
        Ok(())
    }
}

struct Reader<'a> {
    text: &'a str,
    tokens: Tokens<'a>,
    /// Texts that are not in the piece as they are; their spans start after it.
    unescaped: String,
    packages: Vec<Package>,
    entries: Vec<Entry>,
    files: Vec<(Hashed, RepoFileKind)>,
}

impl<'a> Reader<'a> {
    /// Returns where a text is: in the piece, or behind it when it had to be unescaped.
    fn span(&mut self, text: &str) -> Span {
        let is_inside = self.text.as_bytes().as_ptr_range().contains(&text.as_ptr());
        let start = if is_inside {
            text.as_ptr().addr() - self.text.as_ptr().addr()
        } else {
            self.unescaped.push_str(text);
            self.text.len() + self.unescaped.len() - text.len()
        };
        Span { start: start as u32, length: text.len() as u32 }
    }

    fn hashed(&mut self, text: &str) -> Hashed {
        Hashed { span: self.span(text), hash: hash(text.as_bytes()) }
    }

    fn package(&mut self) -> Option<()> {
        let Tag::Open { name: "package", attributes: " type=\"rpm\"", is_closed: false } =
            self.tokens.tag()?
        else {
            return None;
        };
        let mut package = Package::default();
        let first = self.entries.len();
        loop {
            match self.tokens.tag()? {
                Tag::Close("package") => break,
                Tag::Close(_) => return None,
                Tag::Open { name, attributes, is_closed } => {
                    self.element(&mut package, name, attributes, is_closed)?;
                }
            }
        }
        let is_complete = package.seen & REQUIRED == REQUIRED;
        // Stable: the order inside a list stays.
        self.entries[first..].sort_by_key(|entry| entry.list);
        package.ends = (self.entries.len(), self.files.len());
        self.packages.push(package);
        is_complete.then_some(())
    }

    /// Reads a child of `<package>`.
    fn element(
        &mut self,
        package: &mut Package,
        name: &'a str,
        attributes: &'a str,
        is_closed: bool,
    ) -> Option<()> {
        let number = ELEMENTS.iter().position(|element| *element == name)?;
        let bit = 1 << number;
        if package.seen & bit != 0 {
            return None;
        }
        package.seen |= bit;
        match name {
            "version" => package.version = self.own_version(attributes, is_closed)?,
            "time" => {
                let names = [("file", 0), ("build", 1)];
                numbers(attributes, is_closed, &names, &mut package.numbers)?;
            }
            "size" => {
                let names = [("package", 2), ("installed", 3), ("archive", 4)];
                numbers(attributes, is_closed, &names, &mut package.numbers)?;
            }
            "location" => self.location(package, attributes, is_closed)?,
            "checksum" => {
                if attributes != " type=\"sha256\" pkgid=\"YES\"" || is_closed {
                    return None;
                }
                let digits = self.tokens.leaf(name)?;
                hex::decode_to_slice(digits.as_bytes(), &mut package.pkgid).ok()?;
            }
            "format" if attributes.is_empty() && !is_closed => self.format(package)?,
            "format" => return None,
            _ => {
                let text = self.leaf(name, attributes, is_closed)?;
                let is_word = !matches!(name, "name" | "arch") || is_plain_word(&text);
                let span = self.span(&text);
                *match name {
                    "name" => &mut package.name,
                    "arch" => &mut package.arch,
                    "summary" => &mut package.summary,
                    "description" => &mut package.description,
                    "packager" => &mut package.words[4],
                    _ => &mut package.url,
                } = span;
                is_word.then_some(())?;
            }
        }
        Some(())
    }

    /// Reads an element that has only text.
    fn leaf(&mut self, name: &str, attributes: &str, is_closed: bool) -> Option<Cow<'a, str>> {
        if !attributes.is_empty() {
            return None;
        }
        if is_closed { Some(Cow::Borrowed(&self.text[..0])) } else { self.tokens.leaf(name) }
    }

    fn own_version(&mut self, mut attributes: &'a str, is_closed: bool) -> Option<Version> {
        let mut version = Version::default();
        let mut seen = 0;
        while let Some((name, value)) = attribute(&mut attributes) {
            let is_plain = |text: &str| {
                text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':' && byte != b'-')
            };
            once(&mut seen, self.version_attribute(&mut version, name, &value)?)?;
            is_plain(&value).then_some(())?;
        }
        (attributes.is_empty() && is_closed && version.version.length > 0).then_some(version)
    }

    /// Takes an attribute of a version; returns its bit.
    fn version_attribute(&mut self, version: &mut Version, name: &str, value: &str) -> Option<u32> {
        Some(match name {
            "epoch" => {
                version.epoch = plain_number(value)?.try_into().ok()?;
                1
            }
            "ver" => {
                version.version = self.span(value);
                2
            }
            "rel" => {
                version.release = self.span(value);
                4
            }
            _ => return None,
        })
    }

    fn location(
        &mut self,
        package: &mut Package,
        mut attributes: &'a str,
        is_closed: bool,
    ) -> Option<()> {
        let mut seen = 0;
        while let Some((name, value)) = attribute(&mut attributes) {
            let bit = match name {
                "href" => {
                    check_location(&value).ok()?;
                    package.location = self.span(&value);
                    1
                }
                "xml:base" => {
                    package.base = Some(self.span(&value));
                    2
                }
                _ => return None,
            };
            once(&mut seen, bit)?;
        }
        (attributes.is_empty() && is_closed && seen & 1 != 0).then_some(())
    }

    fn format(&mut self, package: &mut Package) -> Option<()> {
        loop {
            let (name, attributes, is_closed) = match self.tokens.tag()? {
                Tag::Close("format") => return Some(()),
                Tag::Close(_) => return None,
                Tag::Open { name, attributes, is_closed } => (name, attributes, is_closed),
            };
            if let Some(list) = list_of(name) {
                if !attributes.is_empty() {
                    return None;
                }
                if !is_closed {
                    self.list(name, list)?;
                }
                continue;
            }
            match name {
                "file" => self.file(attributes, is_closed)?,
                "rpm:header-range" => {
                    let names = [("start", 5), ("end", 6)];
                    numbers(attributes, is_closed, &names, &mut package.numbers)?;
                }
                _ => {
                    let text = self.leaf(name, attributes, is_closed)?;
                    let span = self.span(&text);
                    *match name {
                        "rpm:license" => &mut package.words[0],
                        "rpm:vendor" => &mut package.words[1],
                        "rpm:group" => &mut package.words[2],
                        "rpm:buildhost" => &mut package.words[3],
                        "rpm:sourcerpm" => &mut package.sourcerpm,
                        _ => return None,
                    } = span;
                }
            }
        }
    }

    fn file(&mut self, attributes: &str, is_closed: bool) -> Option<()> {
        let kind = match attributes {
            "" => RepoFileKind::File,
            " type=\"dir\"" => RepoFileKind::Directory,
            " type=\"ghost\"" => RepoFileKind::Ghost,
            _ => return None,
        };
        let path = self.leaf("file", "", is_closed)?;
        let path = self.hashed(&path);
        self.files.push((path, kind));
        Some(())
    }

    fn list(&mut self, name: &str, list: List) -> Option<()> {
        loop {
            match self.tokens.tag()? {
                Tag::Close(closed) => return (closed == name).then_some(()),
                Tag::Open { name: "rpm:entry", attributes, is_closed: true } => {
                    let entry = self.entry(list, attributes)?;
                    self.entries.push(entry);
                }
                Tag::Open { .. } => return None,
            }
        }
    }

    fn entry(&mut self, list: List, mut attributes: &'a str) -> Option<Entry> {
        let mut entry = Entry { list, name: Hashed::default(), flags: 0, version: None };
        let mut version = Version::default();
        let mut comparison = 0;
        let mut seen = 0;
        while let Some((name, value)) = attribute(&mut attributes) {
            let bit = match name {
                "name" => {
                    if value.starts_with('(') {
                        RichDependency::parse(&value).ok()?;
                    }
                    entry.name = self.hashed(&value);
                    8
                }
                "flags" => {
                    comparison = comparison_bits(&value)?;
                    16
                }
                "pre" => {
                    entry.flags |= if value == "1" { sense::PREREQ } else { 0 };
                    32
                }
                _ => self.version_attribute(&mut version, name, &value)?,
            };
            once(&mut seen, bit)?;
        }
        if comparison != 0 && version.version.length > 0 {
            entry.flags |= comparison;
            entry.version = Some(version);
        }
        (attributes.is_empty() && entry.name.span.length > 0).then_some(entry)
    }
}

/// The children of `<package>`.
const ELEMENTS: [&str; 12] = [
    "name",
    "arch",
    "version",
    "checksum",
    "location",
    "summary",
    "description",
    "packager",
    "url",
    "time",
    "size",
    "format",
];
/// The bits of those that must be there.
const REQUIRED: u32 = 0b1_1111;

fn once(seen: &mut u32, bit: u32) -> Option<()> {
    let is_first = *seen & bit == 0;
    *seen |= bit;
    is_first.then_some(())
}

fn list_of(name: &str) -> Option<List> {
    Some(match name {
        "rpm:provides" => List::Provides,
        "rpm:requires" => List::Requires,
        "rpm:conflicts" => List::Conflicts,
        "rpm:obsoletes" => List::Obsoletes,
        "rpm:suggests" => List::Suggests,
        "rpm:enhances" => List::Enhances,
        "rpm:recommends" => List::Recommends,
        "rpm:supplements" => List::Supplements,
        _ => return None,
    })
}

fn comparison_bits(flags: &str) -> Option<u32> {
    let comparison = match flags {
        "EQ" => Comparison::Equal,
        "LT" => Comparison::Less,
        "GT" => Comparison::Greater,
        "LE" => Comparison::LessOrEqual,
        "GE" => Comparison::GreaterOrEqual,
        _ => return None,
    };
    Some(comparison.bits())
}

/// Reads the attributes of a closed element into their places.
fn numbers(
    mut attributes: &str,
    is_closed: bool,
    names: &[(&str, usize)],
    into: &mut [u64; 7],
) -> Option<()> {
    let mut seen = 0;
    while let Some((name, value)) = attribute(&mut attributes) {
        let (_, place) = names.iter().find(|(known, _)| *known == name)?;
        once(&mut seen, 1 << place)?;
        into[*place] = plain_number(&value)?;
    }
    (attributes.is_empty() && is_closed).then_some(())
}

fn plain_number(text: &str) -> Option<u64> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| text.parse().ok()).flatten()
}
