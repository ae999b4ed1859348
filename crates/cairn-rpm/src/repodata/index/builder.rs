// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writing an index, package by package.

use std::io::{self, Write};

use super::format::{Footer, MAGIC, SECTIONS, hash, push_number};
use super::strings::Strings;
use super::{IndexError, List};
use crate::dependency::{Dependency, RichDependency};
use crate::repodata::{RepoFileKind, RepoPackage};

/// Makes an index. Texts are written at once, everything else at the end.
#[derive(Debug)]
pub struct IndexBuilder<W: Write> {
    out: W,
    written: u64,
    strings: Strings,
    versions: Versions,
    packages: Vec<u8>,
    n_packages: u32,
    dependencies: Vec<u8>,
    files: Vec<u32>,
    files_start: u32,
    /// (string, package), in package order.
    provided: Vec<(u32, u32)>,
    obsoleted: Vec<(u32, u32)>,
    supplemented: Vec<(u32, u32)>,
    problems: String,
    /// Of each package's checksum the halves, one over the other.
    digests: Vec<[u8; 16]>,
    text: Vec<u8>,
}

/// One package without its lists.
#[derive(Debug)]
pub(super) struct PackageFields<'a> {
    pub(super) name: &'a str,
    pub(super) arch: &'a str,
    pub(super) version: VersionFields<'a>,
    pub(super) pkgid: [u8; 32],
    pub(super) summary: &'a str,
    pub(super) description: &'a str,
    pub(super) url: &'a str,
    pub(super) location: &'a str,
    pub(super) sourcerpm: &'a str,
    pub(super) base: Option<&'a str>,
    /// License, vendor, group, build host, packager: few different ones.
    pub(super) words: [&'a str; 5],
    /// Time of the file, of the build; sizes of the package, of the files, of the archive; start and end of the header.
    pub(super) numbers: [u64; 7],
}

/// A version.
#[derive(Debug, Clone, Copy)]
pub(super) struct VersionFields<'a> {
    pub(super) epoch: u32,
    pub(super) version: &'a str,
    pub(super) release: &'a str,
}

impl<W: Write> IndexBuilder<W> {
    /// Starts an index.
    ///
    /// # Errors
    /// Writing fails.
    pub fn new(mut out: W) -> io::Result<Self> {
        out.write_all(MAGIC)?;
        Ok(Self {
            out,
            written: MAGIC.len() as u64,
            strings: Strings::default(),
            versions: Versions::default(),
            packages: Vec::new(),
            n_packages: 0,
            dependencies: Vec::new(),
            files: Vec::new(),
            files_start: 0,
            provided: Vec::new(),
            obsoleted: Vec::new(),
            supplemented: Vec::new(),
            problems: String::new(),
            digests: Vec::new(),
            text: Vec::new(),
        })
    }

    /// Adds a package.
    ///
    /// # Errors
    /// Writing fails, or there is more than an index can hold.
    pub fn add(&mut self, package: &RepoPackage) -> io::Result<()> {
        let evr = &package.nevra.evr;
        let mut pkgid = [0; 32];
        hex::decode_to_slice(&package.pkgid, &mut pkgid)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let lists = [
            &package.provides,
            &package.requires,
            &package.conflicts,
            &package.obsoletes,
            &package.suggests,
            &package.enhances,
            &package.recommends,
            &package.supplements,
        ];
        self.start(&PackageFields {
            name: &package.nevra.name,
            arch: &package.nevra.arch,
            version: VersionFields {
                epoch: evr.epoch,
                version: &evr.version,
                release: &evr.release,
            },
            pkgid,
            summary: &package.summary,
            description: &package.description,
            url: &package.url,
            location: &package.location,
            sourcerpm: &package.sourcerpm,
            base: package.base.as_deref(),
            words: [
                &package.license,
                &package.vendor,
                &package.group,
                &package.buildhost,
                &package.packager,
            ],
            numbers: [
                package.time_file,
                package.time_build,
                package.size_package,
                package.size_installed,
                package.size_archive,
                package.header_start,
                package.header_end,
            ],
        })?;
        for (list, dependencies) in List::ALL.into_iter().zip(lists) {
            self.start_list();
            for dependency in dependencies {
                self.add_dependency(list, dependency)?;
            }
        }
        self.start_list();
        for file in &package.files {
            self.file(&file.path, hash(file.path.as_bytes()), file.kind)?;
        }
        self.end()
    }

    fn add_dependency(&mut self, list: List, dependency: &Dependency) -> io::Result<()> {
        let version = dependency.constraint.as_ref().map(|(_, evr)| VersionFields {
            epoch: evr.epoch,
            version: &evr.version,
            release: &evr.release,
        });
        let name_hash = hash(dependency.name.as_bytes());
        self.dependency(list, (&dependency.name, name_hash), dependency.flags(), version)
    }

    /// Adds a line about a package that was left out; shown at every load.
    pub fn problem(&mut self, line: &str) {
        self.problems.push_str(&line.replace('\n', " "));
        self.problems.push('\n');
    }

    /// Returns the number of packages so far.
    pub fn len(&self) -> usize {
        self.n_packages as usize
    }

    /// Returns whether there is no package yet.
    pub fn is_empty(&self) -> bool {
        self.n_packages == 0
    }

    /// Returns whether two packages may have the same checksum.
    pub(super) fn has_duplicates(&mut self) -> bool {
        self.digests.sort_unstable();
        self.digests.windows(2).any(|pair| pair[0] == pair[1])
    }

    /// Starts a package; [`Self::start_list`] nine times with the dependencies between, the files, and [`Self::end`] follow.
    pub(super) fn start(&mut self, fields: &PackageFields<'_>) -> io::Result<()> {
        let name = self.strings.intern(fields.name).map_err(too_large)?;
        let arch = self.strings.intern(fields.arch).map_err(too_large)?;
        let version = self.versions.number(&mut self.strings, fields.version)?;
        let text = u32::try_from(self.written - MAGIC.len() as u64)
            .map_err(|_| too_large(IndexError::TooLarge))?;
        self.provided.push((name, self.n_packages));
        self.digests.push(std::array::from_fn(|i| fields.pkgid[i] ^ fields.pkgid[i + 16]));
        for number in [name, arch, version, text] {
            self.packages.extend(number.to_le_bytes());
        }
        self.write_text(fields)
    }

    fn write_text(&mut self, fields: &PackageFields<'_>) -> io::Result<()> {
        let text = &mut self.text;
        text.clear();
        push_text(text, fields.summary);
        // Many repositories have no other description.
        if fields.description == fields.summary {
            push_number(text, 0);
        } else {
            push_number(text, fields.description.len() as u64 + 1);
            text.extend_from_slice(fields.description.as_bytes());
        }
        for part in [fields.url, fields.location, fields.sourcerpm] {
            push_text(text, part);
        }
        match fields.base {
            None => push_number(text, 0),
            Some(base) => {
                push_number(text, base.len() as u64 + 1);
                text.extend_from_slice(base.as_bytes());
            }
        }
        for word in fields.words {
            let number = self.strings.intern(word).map_err(too_large)?;
            push_number(text, u64::from(number));
        }
        for number in fields.numbers {
            push_number(text, number);
        }
        text.extend_from_slice(&fields.pkgid);
        self.written += text.len() as u64;
        self.out.write_all(text)
    }

    /// Starts the next list of dependencies, or ends the last.
    pub(super) fn start_list(&mut self) {
        let position = (self.dependencies.len() / super::format::DEPENDENCY) as u32;
        self.packages.extend(position.to_le_bytes());
    }

    /// Adds a dependency to the open list; its name comes with its hash.
    pub(super) fn dependency(
        &mut self,
        list: List,
        (name, name_hash): (&str, u32),
        flags: u32,
        version: Option<VersionFields<'_>>,
    ) -> io::Result<()> {
        let string = self.strings.number(name, name_hash).map_err(too_large)?;
        let version = match version {
            Some(version) => self.versions.number(&mut self.strings, version)? + 1,
            None => 0,
        };
        for number in [string, flags, version] {
            self.dependencies.extend(number.to_le_bytes());
        }
        match list {
            List::Provides => self.provide(string),
            List::Obsoletes => self.obsoleted.push((string, self.n_packages)),
            List::Supplements => self.supplement(name, string)?,
            _ => {}
        }
        Ok(())
    }

    fn provide(&mut self, string: u32) {
        // Packages provide their own name, often more than once.
        if self.provided.last() != Some(&(string, self.n_packages)) {
            self.provided.push((string, self.n_packages));
        }
    }

    fn supplement(&mut self, name: &str, string: u32) -> io::Result<()> {
        let Ok(rich) = RichDependency::parse(name) else {
            self.supplemented.push((string, self.n_packages));
            return Ok(());
        };
        let mut names = Vec::new();
        rich.for_each_simple(&mut |simple| names.push(simple.name.clone()));
        for name in names {
            let string = self.strings.intern(&name).map_err(too_large)?;
            self.supplemented.push((string, self.n_packages));
        }
        Ok(())
    }

    /// Adds a file; its path comes with its hash.
    pub(super) fn file(&mut self, path: &str, hash: u32, kind: RepoFileKind) -> io::Result<()> {
        let string = self.strings.number(path, hash).map_err(too_large)?;
        let kind = match kind {
            RepoFileKind::File => 0,
            RepoFileKind::Directory => 1,
            RepoFileKind::Ghost => 2,
        };
        self.files.push(string | kind << 30);
        self.provided.push((string, self.n_packages));
        Ok(())
    }

    /// Ends a package.
    pub(super) fn end(&mut self) -> io::Result<()> {
        let after = self.files.len() as u32;
        for number in [self.files_start, after] {
            self.packages.extend(number.to_le_bytes());
        }
        self.files_start = after;
        self.n_packages += 1;
        if self.dependencies.len() as u64 > u64::from(u32::MAX) {
            return Err(too_large(IndexError::TooLarge));
        }
        Ok(())
    }

    /// Writes the rest; `source` is the SHA-256 of the metadata file. Returns what was written to.
    ///
    /// # Errors
    /// Writing fails.
    pub fn finish(mut self, source: [u8; 32]) -> io::Result<W> {
        let (starts, providers) = self.providers();
        let obsoleters = pairs(&mut self.obsoleted);
        let supplementers = pairs(&mut self.supplemented);
        let sections: [Part<'_>; SECTIONS - 1] = [
            Part::Bytes(&self.strings.bytes),
            Part::Numbers(&self.strings.ends),
            Part::Numbers(&self.strings.table),
            Part::Numbers(&self.versions.fields),
            Part::Bytes(&self.packages),
            Part::Bytes(&self.dependencies),
            Part::Numbers(&self.files),
            Part::Numbers(&starts),
            Part::Numbers(&providers),
            Part::Numbers(&obsoleters),
            Part::Numbers(&supplementers),
            Part::Bytes(self.problems.as_bytes()),
        ];
        let mut ends = [self.written; SECTIONS];
        for (number, part) in (1..).zip(sections) {
            ends[number] = ends[number - 1] + part.write(&mut self.out)?;
        }
        self.out.write_all(&Footer { source, ends }.write())?;
        self.out.write_all(&ends[SECTIONS - 1].to_le_bytes())?;
        Ok(self.out)
    }

    /// Returns where each string's providers start, and all providers: a counting sort of what was provided.
    fn providers(&mut self) -> (Vec<u32>, Vec<u32>) {
        let mut starts = vec![0_u32; self.strings.len() + 1];
        for (string, _) in &self.provided {
            starts[*string as usize] += 1;
        }
        let mut total = 0;
        for start in &mut starts {
            let count = *start;
            *start = total;
            total += count;
        }
        let mut providers = vec![0; total as usize];
        let mut next = starts.clone();
        for (string, package) in std::mem::take(&mut self.provided) {
            let slot = &mut next[string as usize];
            providers[*slot as usize] = package;
            *slot += 1;
        }
        (starts, providers)
    }
}

/// A section.
enum Part<'a> {
    Bytes(&'a [u8]),
    Numbers(&'a [u32]),
}

impl Part<'_> {
    /// Writes it and returns its length.
    fn write(&self, out: &mut impl Write) -> io::Result<u64> {
        match self {
            Self::Bytes(bytes) => {
                out.write_all(bytes)?;
                Ok(bytes.len() as u64)
            }
            Self::Numbers(numbers) => {
                let mut bytes = Vec::with_capacity(4 * 4096);
                for some in numbers.chunks(4096) {
                    bytes.clear();
                    some.iter().for_each(|number| bytes.extend(number.to_le_bytes()));
                    out.write_all(&bytes)?;
                }
                Ok(numbers.len() as u64 * 4)
            }
        }
    }
}

/// Sorts pairs and puts them end to end, each once.
fn pairs(pairs: &mut Vec<(u32, u32)>) -> Vec<u32> {
    pairs.sort_unstable();
    pairs.dedup();
    pairs.iter().flat_map(|(string, package)| [*string, *package]).collect()
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    push_number(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn too_large(error: IndexError) -> io::Error {
    io::Error::other(error)
}

/// EVRs that are kept once and then have a number.
#[derive(Debug, Default)]
struct Versions {
    /// Three per EVR.
    fields: Vec<u32>,
    table: Vec<u32>,
    /// The one asked for before: lists repeat the package's own.
    last: Option<(String, String, [u32; 3], u32)>,
}

impl Versions {
    fn number(&mut self, strings: &mut Strings, wanted: VersionFields<'_>) -> io::Result<u32> {
        if let Some((version, release, [epoch, ..], number)) = &self.last
            && *epoch == wanted.epoch
            && version == wanted.version
            && release == wanted.release
        {
            return Ok(*number);
        }
        let version = strings.intern(wanted.version).map_err(too_large)?;
        let release = strings.intern(wanted.release).map_err(too_large)?;
        let fields = [wanted.epoch, version, release];
        let number = self.intern(fields);
        let (version, release) = (wanted.version.to_owned(), wanted.release.to_owned());
        self.last = Some((version, release, fields, number));
        Ok(number)
    }

    fn intern(&mut self, fields: [u32; 3]) -> u32 {
        if self.fields.len() * 2 >= self.table.len() * 3 {
            self.grow();
        }
        let mask = self.table.len() - 1;
        let mut slot = Self::slot(fields) & mask;
        while let Some(number) = self.table[slot].checked_sub(1) {
            let start = number as usize * 3;
            if self.fields[start..start + 3] == fields {
                return number;
            }
            slot = (slot + 1) & mask;
        }
        self.fields.extend(fields);
        let number = self.fields.len() as u32 / 3 - 1;
        self.table[slot] = number + 1;
        number
    }

    fn slot([epoch, version, release]: [u32; 3]) -> usize {
        let mixed = (u64::from(version) << 32 | u64::from(release)) ^ (u64::from(epoch) << 17);
        (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize
    }

    fn grow(&mut self) {
        let size = (self.table.len() * 2).max(1 << 10);
        self.table.clear();
        self.table.resize(size, 0);
        for (number, fields) in (1..).zip(self.fields.as_chunks::<3>().0) {
            let mut slot = Self::slot(*fields) & (size - 1);
            while self.table[slot] != 0 {
                slot = (slot + 1) & (size - 1);
            }
            self.table[slot] = number;
        }
    }
}
