// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading an index: nothing is parsed before it is asked for.
//!
//! The parts of a damaged index may point anywhere. Whatever does not fit reads as empty and is remembered; a reader that has got
//! all it wants calls [`PackageIndex::check`].

use std::cell::Cell;

use super::format::{
    DEPENDENCY, FILE_STRING, Footer, SECTIONS, Section, VERSION, hash, record, take, take_number,
};
use super::{IndexError, List};
use crate::dependency::{Comparison, Dependency, sense};
use crate::evr::{Evr, Nevra};
use crate::repodata::{RepoFile, RepoFileKind, RepoPackage};

/// The number of a name, version or path in one index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StringId(pub u32);

/// An open index.
#[derive(Debug)]
pub struct PackageIndex<'a> {
    sections: [&'a [u8]; SECTIONS],
    is_damaged: Cell<bool>,
}

/// One package of an index.
#[derive(Debug, Clone, Copy)]
pub struct IndexedPackage<'i, 'a> {
    index: &'i PackageIndex<'a>,
    record: &'a [u8],
}

impl<'a> PackageIndex<'a> {
    /// Opens the index in `file`; `source` is the SHA-256 of the metadata that it must be made from.
    ///
    /// # Errors
    /// It is none, or not of that metadata.
    pub fn open(file: &'a [u8], source: &[u8; 32]) -> Result<Self, IndexError> {
        let footer = Footer::read(file)?;
        if footer.source != *source {
            return Err(IndexError::Source);
        }
        let mut sections = [&file[..0]; SECTIONS];
        let mut start = super::format::MAGIC.len();
        for (section, end) in sections.iter_mut().zip(footer.ends) {
            let end = usize::try_from(end).map_err(|_| IndexError::Damaged)?;
            *section = file.get(start..end).ok_or(IndexError::Damaged)?;
            start = end;
        }
        let index = Self { sections, is_damaged: Cell::new(false) };
        let n_strings = index.section(Section::StringEnds).len() / 4;
        let is_whole = index.section(Section::Packages).len().is_multiple_of(record::SIZE)
            && index.section(Section::ProviderStarts).len() == (n_strings + 1) * 4
            && (index.section(Section::StringTable).len() / 4).is_power_of_two();
        if is_whole { Ok(index) } else { Err(IndexError::Damaged) }
    }

    /// Returns whether everything that was read so far was in its place.
    ///
    /// # Errors
    /// Something was not.
    pub fn check(&self) -> Result<(), IndexError> {
        if self.is_damaged.get() { Err(IndexError::Damaged) } else { Ok(()) }
    }

    /// Returns the number of packages.
    pub fn len(&self) -> usize {
        self.section(Section::Packages).len() / record::SIZE
    }

    /// Returns whether there is no package.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the number of strings: every [`StringId`] is below.
    pub fn n_strings(&self) -> usize {
        self.section(Section::StringEnds).len() / 4
    }

    /// Returns a package by its number.
    pub fn package(&self, number: u32) -> IndexedPackage<'_, 'a> {
        let start = number as usize * record::SIZE;
        let record = self.part(Section::Packages, start, record::SIZE);
        IndexedPackage { index: self, record }
    }

    /// Returns all packages.
    pub fn packages(&self) -> impl Iterator<Item = IndexedPackage<'_, 'a>> {
        (0..self.len() as u32).map(|number| self.package(number))
    }

    /// Returns the lines about packages that were left out.
    pub fn problems(&self) -> impl Iterator<Item = &'a str> {
        std::str::from_utf8(self.section(Section::Problems)).unwrap_or_default().lines()
    }

    /// Returns the text of a string.
    pub fn string(&self, id: StringId) -> &'a str {
        let ends = |number: u32| self.number(Section::StringEnds, number as usize);
        let start = id.0.checked_sub(1).map_or(0, ends) as usize;
        let end = ends(id.0) as usize;
        let bytes = self.section(Section::Strings).get(start..end);
        match bytes.map(std::str::from_utf8) {
            Some(Ok(text)) => text,
            _ => self.damaged(""),
        }
    }

    /// Looks a string up.
    pub fn lookup(&self, text: &str) -> Option<StringId> {
        let size = self.section(Section::StringTable).len() / 4;
        let mut slot = hash(text.as_bytes()) as usize & (size - 1);
        for _ in 0..size {
            let number = self.number(Section::StringTable, slot).checked_sub(1)?;
            if self.string(StringId(number)) == text {
                return Some(StringId(number));
            }
            slot = (slot + 1) & (size - 1);
        }
        self.damaged(None)
    }

    /// Returns the packages that have a string as their name, among their Provides, or as a file that primary.xml lists.
    pub fn provided_by(&self, string: StringId) -> impl Iterator<Item = u32> {
        let start = self.number(Section::ProviderStarts, string.0 as usize) as usize;
        let end = self.number(Section::ProviderStarts, string.0 as usize + 1) as usize;
        let bytes = self.section(Section::Providers).get(start * 4..end * 4);
        let bytes = bytes.unwrap_or_else(|| self.damaged(&[]));
        bytes.as_chunks::<4>().0.iter().map(|number| u32::from_le_bytes(*number))
    }

    /// Returns the packages that obsolete a name.
    pub fn obsoleted_by(&self, string: StringId) -> impl Iterator<Item = u32> {
        self.pairs(Section::Obsoleters, string)
    }

    /// Returns the packages that supplement a name, alone or in a rich dependency.
    pub fn supplemented_by(&self, string: StringId) -> impl Iterator<Item = u32> {
        self.pairs(Section::Supplementers, string)
    }

    fn pairs(&self, section: Section, string: StringId) -> impl Iterator<Item = u32> {
        let pairs = self.section(section).as_chunks::<8>().0;
        let split = |pair: &[u8; 8]| {
            let pair = u64::from_le_bytes(*pair);
            (pair as u32, (pair >> 32) as u32)
        };
        let start = pairs.partition_point(|pair| split(pair).0 < string.0);
        let found = pairs[start..].iter().map(split).take_while(move |pair| pair.0 == string.0);
        found.map(|pair| pair.1)
    }

    fn section(&self, section: Section) -> &'a [u8] {
        self.sections[section as usize]
    }

    fn part(&self, section: Section, start: usize, length: usize) -> &'a [u8] {
        let part = self.section(section).get(start..start.saturating_add(length));
        part.unwrap_or_else(|| self.damaged(&[]))
    }

    fn number(&self, section: Section, position: usize) -> u32 {
        read(self.part(section, position * 4, 4), 0).unwrap_or_else(|| self.damaged(0))
    }

    fn damaged<T>(&self, instead: T) -> T {
        self.is_damaged.set(true);
        instead
    }

    fn evr(&self, number: u32) -> (u32, &'a str, &'a str) {
        let bytes = self.part(Section::Versions, number as usize * VERSION, VERSION);
        match (read(bytes, 0), read(bytes, 1), read(bytes, 2)) {
            (Some(epoch), Some(version), Some(release)) => {
                (epoch, self.string(StringId(version)), self.string(StringId(release)))
            }
            _ => self.damaged((0, "", "")),
        }
    }

    fn owned_evr(&self, number: u32) -> Evr {
        let (epoch, version, release) = self.evr(number);
        Evr::new(epoch, version, release)
    }
}

/// Reads the number at a position counted in numbers.
fn read(bytes: &[u8], position: usize) -> Option<u32> {
    bytes.as_chunks::<4>().0.get(position).map(|number| u32::from_le_bytes(*number))
}

impl<'a> IndexedPackage<'_, 'a> {
    fn field(&self, field: usize) -> u32 {
        read(self.record, field).unwrap_or_else(|| self.index.damaged(0))
    }

    /// Returns the string of the name.
    pub fn name_id(&self) -> StringId {
        StringId(self.field(record::NAME))
    }

    /// Returns the name.
    pub fn name(&self) -> &'a str {
        self.index.string(self.name_id())
    }

    /// Returns the architecture.
    pub fn arch(&self) -> &'a str {
        self.index.string(StringId(self.field(record::ARCH)))
    }

    /// Returns name, EVR and architecture.
    pub fn nevra(&self) -> Nevra {
        let evr = self.index.owned_evr(self.field(record::VERSION));
        Nevra { name: self.name().to_owned(), evr, arch: self.arch().to_owned() }
    }

    /// Returns the summary.
    pub fn summary(&self) -> &'a str {
        let mut bytes = self.text();
        self.take_text(&mut bytes)
    }

    /// Returns the names in a list of dependencies.
    pub fn names(&self, list: List) -> impl Iterator<Item = StringId> {
        let entries = self.entries(list).as_chunks::<DEPENDENCY>().0;
        entries.iter().map(|entry| StringId(read(entry, 0).unwrap_or_default()))
    }

    /// Returns a list of dependencies.
    pub fn dependencies(&self, list: List) -> Vec<Dependency> {
        let entries = self.entries(list).as_chunks::<DEPENDENCY>().0;
        entries.iter().map(|entry| self.dependency(entry)).collect()
    }

    /// Returns the files that primary.xml lists.
    pub fn file_ids(&self) -> impl Iterator<Item = StringId> {
        self.file_entries().map(|entry| StringId(entry & FILE_STRING))
    }

    /// Returns all that is known of the package.
    pub fn to_package(self) -> RepoPackage {
        let mut package = self.without_lists();
        package.provides = self.dependencies(List::Provides);
        package.requires = self.dependencies(List::Requires);
        package.conflicts = self.dependencies(List::Conflicts);
        package.obsoletes = self.dependencies(List::Obsoletes);
        package.suggests = self.dependencies(List::Suggests);
        package.enhances = self.dependencies(List::Enhances);
        package.recommends = self.dependencies(List::Recommends);
        package.supplements = self.dependencies(List::Supplements);
        package.files = self.file_entries().map(|entry| self.file(entry)).collect();
        package
    }

    /// Returns all but dependencies and files.
    pub fn without_lists(self) -> RepoPackage {
        let mut bytes = self.text();
        let bytes = &mut bytes;
        let summary = self.take_text(bytes).to_owned();
        let description = self.take_optional(bytes).map_or_else(|| summary.clone(), str::to_owned);
        let mut text = || self.take_text(bytes).to_owned();
        let (url, location, sourcerpm) = (text(), text(), text());
        let base = self.take_optional(bytes).map(str::to_owned);
        let mut word = || {
            let id = StringId(u32::try_from(self.take_number(bytes)).unwrap_or(u32::MAX));
            self.index.string(id).to_owned()
        };
        let (license, vendor, group, buildhost, packager) =
            (word(), word(), word(), word(), word());
        let mut number = || self.take_number(bytes);
        RepoPackage {
            nevra: self.nevra(),
            location,
            base,
            summary,
            description,
            url,
            license,
            vendor,
            group,
            buildhost,
            sourcerpm,
            packager,
            time_file: number(),
            time_build: number(),
            size_package: number(),
            size_installed: number(),
            size_archive: number(),
            header_start: number(),
            header_end: number(),
            pkgid: hex::encode(take(bytes, 32).unwrap_or_else(|| self.index.damaged(&[]))),
            ..RepoPackage::default()
        }
    }

    fn text(&self) -> &'a [u8] {
        let texts = self.index.section(Section::Texts);
        let start = self.field(record::TEXT) as usize;
        texts.get(start..).unwrap_or_else(|| self.index.damaged(&[]))
    }

    fn take_number(&self, bytes: &mut &'a [u8]) -> u64 {
        take_number(bytes).unwrap_or_else(|| self.index.damaged(0))
    }

    fn take_text(&self, bytes: &mut &'a [u8]) -> &'a str {
        let length = self.take_number(bytes);
        match take(bytes, length).map(std::str::from_utf8) {
            Some(Ok(text)) => text,
            _ => self.index.damaged(""),
        }
    }

    /// Takes a text whose length counts one more; 0 is none.
    fn take_optional(&self, bytes: &mut &'a [u8]) -> Option<&'a str> {
        let length = self.take_number(bytes).checked_sub(1)?;
        match take(bytes, length).map(std::str::from_utf8) {
            Some(Ok(text)) => Some(text),
            _ => self.index.damaged(None),
        }
    }

    fn entries(&self, list: List) -> &'a [u8] {
        let field = record::LISTS + list as usize;
        let (start, end) = (self.field(field) as usize, self.field(field + 1) as usize);
        let bytes = self.index.section(Section::Dependencies);
        bytes.get(start * DEPENDENCY..end * DEPENDENCY).unwrap_or_else(|| self.index.damaged(&[]))
    }

    fn dependency(&self, entry: &[u8]) -> Dependency {
        let at = |position| read(entry, position).unwrap_or_default();
        let (name, flags, version) = (at(0), at(1), at(2));
        let name = self.index.string(StringId(name)).to_owned();
        let constraint = version.checked_sub(1).and_then(|version| {
            Some((Comparison::from_bits(flags)?, self.index.owned_evr(version)))
        });
        Dependency { name, constraint, sense: flags & !sense::COMPARISON }
    }

    fn file_entries(&self) -> impl Iterator<Item = u32> {
        let start = self.field(record::FILES) as usize;
        let end = self.field(record::FILES + 1) as usize;
        let bytes = self.index.section(Section::Files).get(start * 4..end * 4);
        let bytes = bytes.unwrap_or_else(|| self.index.damaged(&[]));
        bytes.as_chunks::<4>().0.iter().map(|number| u32::from_le_bytes(*number))
    }

    fn file(&self, entry: u32) -> RepoFile {
        let kind = match entry >> 30 {
            0 => RepoFileKind::File,
            1 => RepoFileKind::Directory,
            _ => RepoFileKind::Ghost,
        };
        RepoFile { path: self.index.string(StringId(entry & FILE_STRING)).to_owned(), kind }
    }
}
