// SPDX-License-Identifier: MIT OR Apache-2.0
//! All packages a command can see. The solver's [`Universe`] holds what solving needs; [`Details`] the rest, by the same index.

use super::glob;
use crate::repos::metadata::Repository;
use crate::rpmdb::{FileState, Installed};
use crate::state::{PackageReason, SystemState};
use cairn_rpm::dependency::Dependency;
use cairn_rpm::evr::Nevra;
use cairn_rpm::header::{FileEntry, Header};
use cairn_rpm::repodata::RepoPackage;
use cairn_rpm::tag;
use cairn_solve::{Candidate, PackageId, Universe};
use std::path::PathBuf;

/// Name of the installed packages' repository.
pub const SYSTEM: &str = "@System";
/// Name of the repository of packages given as files.
pub const COMMAND_LINE: &str = "@commandline";

/// Name of the repository of packages that the undo store has.
pub const UNDO: &str = "@undo";

/// Number of the repository of package files until all repositories are known.
const FILE_REPOSITORY: u32 = u32::MAX;

/// Where a package is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// In the rpm database, under this number.
    Installed(u64),
    /// In a repository: index in [`Sack::repositories`].
    Repository(usize),
    /// A file of the host.
    File(PathBuf),
}

impl Default for Origin {
    /// A place of no package.
    fn default() -> Self {
        Self::Repository(usize::MAX)
    }
}

/// What solving does not need.
#[derive(Debug, Clone, Default)]
pub struct Details {
    /// Where the package is.
    pub origin: Origin,
    /// Repository it is in: its id, [`SYSTEM`] or [`COMMAND_LINE`].
    pub repository: String,
    /// For installed packages: the repository it came from, when known.
    pub from_repository: String,
    /// For installed packages: why.
    pub reason: PackageReason,
    /// One line.
    pub summary: String,
    /// Text.
    pub description: String,
    /// Home page.
    pub url: String,
    /// Licence.
    pub license: String,
    /// Group.
    pub group: String,
    /// Packager.
    pub packager: String,
    /// Build host.
    pub buildhost: String,
    /// File name of the source package.
    pub sourcerpm: String,
    /// Location in the repository.
    pub location: String,
    /// SHA-256 of the .rpm file; empty for installed packages.
    pub checksum: String,
    /// Bytes of the .rpm file; 0 when unknown.
    pub size_package: u64,
    /// Bytes of the files.
    pub size_installed: u64,
    /// Build, seconds since 1970.
    pub time_build: u64,
    /// When its file came into the repository, seconds since 1970; 0 when not known.
    pub time_file: u64,
    /// Installation, seconds since 1970; 0 when not installed.
    pub time_install: u64,
    /// Cost of its repository.
    pub cost: i32,
}

/// A repository as far as its packages need it.
#[derive(Debug, Clone)]
pub struct SackRepository {
    /// Identifier.
    pub id: String,
    /// Base URLs, best first.
    pub base_urls: Vec<String>,
    /// Directory of its cache inside the cache's root.
    pub directory: String,
    /// Whether its packages must be signed.
    pub must_sign: bool,
}

/// One package of a [`Sack`].
#[derive(Debug, Clone, Copy)]
pub struct SackPackage<'a> {
    /// Its index.
    pub id: PackageId,
    /// What solving needs.
    pub candidate: &'a Candidate,
    /// The rest.
    pub details: &'a Details,
}

impl<'a> SackPackage<'a> {
    /// Returns whether it is installed.
    pub fn is_installed(&self) -> bool {
        matches!(self.details.origin, Origin::Installed(_))
    }

    /// Returns name, EVR and architecture.
    pub fn nevra(&self) -> &'a Nevra {
        &self.candidate.nevra
    }
}

/// All packages.
#[derive(Debug, Default)]
pub struct Sack {
    /// For the solver.
    pub universe: Universe,
    details: Vec<Details>,
    /// Which of the details are a package's: packages of which no more is known share theirs.
    details_of: Vec<u32>,
    /// Sorted by name, then by number.
    by_name: Vec<u32>,
    /// Repositories, by [`Origin::Repository`].
    pub repositories: Vec<SackRepository>,
    /// Packages that excludes and includes keep out.
    filtered: Vec<Nevra>,
    /// Source packages of the repositories, where those are left out.
    sources: Vec<Nevra>,
}

/// Fills a [`Sack`].
#[derive(Debug, Default)]
pub struct SackBuilder {
    sack: Sack,
}

/// Excludes and includes of one place.
#[derive(Debug, Clone, Copy)]
pub struct Filters<'a> {
    /// Globs of what is left out.
    pub exclude: &'a [String],
    /// When not empty: globs of what is let in.
    pub include: &'a [String],
}

impl Filters<'_> {
    /// Says whether a package is let in.
    pub fn lets_in(&self, nevra: &Nevra) -> bool {
        let matches = |pattern: &String| {
            glob::matches(pattern, &nevra.name)
                || super::spec::nevra_matches(pattern, nevra).is_some()
        };
        !self.exclude.iter().any(matches)
            && (self.include.is_empty() || self.include.iter().any(matches))
    }
}

impl SackBuilder {
    /// Returns a builder of an empty sack.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an installed package; keys (`gpg-pubkey`) are left out.
    pub fn add_installed(&mut self, installed: &Installed, state: &SystemState) {
        let header = &installed.header;
        if header.name() == "gpg-pubkey" {
            return;
        }
        let nevra = header.nevra();
        let reason = state.reason(&nevra.name, &nevra.arch);
        let details = Details {
            origin: Origin::Installed(installed.hnum),
            repository: SYSTEM.to_owned(),
            from_repository: state.nevras.get(&nevra.to_string()).cloned().unwrap_or_default(),
            reason,
            time_install: u64::from(header.u32(tag::INSTALLTIME).unwrap_or(0)),
            ..header_details(header)
        };
        // Without a state nothing is known: everything then counts as wanted.
        let candidate =
            Candidate { user_installed: reason.is_wanted(), ..header_candidate(header) };
        self.push(candidate, details);
    }

    /// Adds a package file.
    pub fn add_file(&mut self, path: PathBuf, header: &Header, size: u64) -> PackageId {
        let details = Details {
            origin: Origin::File(path),
            repository: COMMAND_LINE.to_owned(),
            size_package: size,
            ..header_details(header)
        };
        let candidate =
            Candidate { repository: FILE_REPOSITORY, priority: 1, ..header_candidate(header) };
        self.push(candidate, details)
    }

    /// Says which repository a package file is from.
    pub fn set_repository(&mut self, id: PackageId, repository: &str) {
        let details = self.sack.details_of.get(id.0 as usize);
        if let Some(details) = details.and_then(|index| self.sack.details.get_mut(*index as usize))
        {
            repository.clone_into(&mut details.repository);
        }
    }

    /// Adds the packages of a repository that the filters let in and that fit one of `architectures`.
    pub fn add_repository(
        &mut self,
        repository: Repository,
        must_sign: bool,
        architectures: &[&str],
        filters: &[Filters<'_>],
    ) {
        let index = self.sack.repositories.len();
        self.sack.repositories.push(SackRepository {
            id: repository.config.id.clone(),
            base_urls: repository.base_urls,
            directory: repository.directory,
            must_sign,
        });
        let shared = self.sack.details.len() as u32;
        if !repository.identities.is_empty() {
            self.sack.details.push(Details {
                origin: Origin::Repository(index),
                repository: repository.config.id.clone(),
                cost: repository.config.cost,
                ..Details::default()
            });
        }
        self.sack.universe.candidates.reserve(repository.identities.len());
        for nevra in repository.identities {
            if !architectures.contains(&nevra.arch.as_str()) {
                self.note_source(nevra);
                continue;
            }
            if !filters.iter().all(|filter| filter.lets_in(&nevra)) {
                self.sack.filtered.push(nevra);
                continue;
            }
            self.sack.universe.candidates.push(Candidate {
                nevra,
                repository: index as u32 + 1,
                priority: repository.config.priority,
                cost: repository.config.cost,
                ..Candidate::default()
            });
            self.sack.details_of.push(shared);
        }
        for package in repository.packages {
            if !architectures.contains(&package.nevra.arch.as_str()) {
                self.note_source(package.nevra);
                continue;
            }
            if filters.iter().all(|filter| filter.lets_in(&package.nevra)) {
                self.push_repository_package(package, index, &repository.config);
            } else {
                self.sack.filtered.push(package.nevra);
            }
        }
    }

    fn note_source(&mut self, nevra: Nevra) {
        if nevra.arch == "src" {
            self.sack.sources.push(nevra);
        }
    }

    fn push_repository_package(
        &mut self,
        package: RepoPackage,
        index: usize,
        config: &crate::repos::RepoConfig,
    ) {
        let details = Details {
            origin: Origin::Repository(index),
            repository: config.id.clone(),
            from_repository: String::new(),
            reason: PackageReason::None,
            summary: package.summary,
            description: package.description,
            url: package.url,
            license: package.license,
            group: package.group,
            packager: package.packager,
            buildhost: package.buildhost,
            sourcerpm: package.sourcerpm,
            location: package.location,
            checksum: package.pkgid,
            size_package: package.size_package,
            size_installed: package.size_installed,
            time_build: package.time_build,
            time_file: package.time_file,
            time_install: 0,
            cost: config.cost,
        };
        let candidate = Candidate {
            nevra: package.nevra,
            repository: index as u32 + 1,
            priority: config.priority,
            cost: config.cost,
            provides: package.provides,
            requires: package.requires,
            conflicts: package.conflicts,
            obsoletes: package.obsoletes,
            recommends: package.recommends,
            suggests: package.suggests,
            supplements: package.supplements,
            enhances: package.enhances,
            files: package.files.into_iter().map(|file| file.path).collect(),
            vendor: package.vendor,
            user_installed: false,
        };
        self.push(candidate, details);
    }

    fn push(&mut self, candidate: Candidate, details: Details) -> PackageId {
        let id = self.sack.universe.candidates.len() as u32;
        self.sack.universe.candidates.push(candidate);
        self.sack.details_of.push(self.sack.details.len() as u32);
        self.sack.details.push(details);
        PackageId(id)
    }

    /// Returns what was added so far.
    pub fn candidates(&self) -> &[Candidate] {
        &self.sack.universe.candidates
    }

    /// Returns the sack.
    pub fn build(mut self) -> Sack {
        let sack = &mut self.sack;
        let command_line = sack.repositories.len() as u32 + 1;
        for candidate in
            sack.universe.candidates.iter_mut().filter(|c| c.repository == FILE_REPOSITORY)
        {
            candidate.repository = command_line;
        }
        let candidates = &sack.universe.candidates;
        sack.by_name = (0..candidates.len() as u32).collect();
        // Stable, and fast on what is nearly sorted, as metadata is.
        sack.by_name.sort_by(|a, b| {
            let name = |index: u32| candidates[index as usize].nevra.name.as_str();
            name(*a).cmp(name(*b))
        });
        let ids = sack.repositories.iter().map(|repository| repository.id.clone());
        sack.universe.repositories = std::iter::once(SYSTEM.to_owned())
            .chain(ids)
            .chain([COMMAND_LINE.to_owned()])
            .collect();
        self.sack
    }
}

/// Returns what solving needs of a package with that header; `rpmlib()` requirements are left out.
pub fn header_candidate(header: &Header) -> Candidate {
    Candidate {
        nevra: header.nevra(),
        repository: 0,
        priority: 0,
        cost: 0,
        provides: header.provides(),
        requires: header.requires().into_iter().filter(|r| !r.is_rpmlib()).collect(),
        conflicts: header.conflicts(),
        obsoletes: header.obsoletes(),
        recommends: header.recommends(),
        suggests: header.suggests(),
        supplements: header.supplements(),
        enhances: header.enhances(),
        files: header.files().into_iter().filter(is_there).map(|file| file.path).collect(),
        vendor: header.string(tag::VENDOR).unwrap_or_default().to_owned(),
        user_installed: false,
    }
}

/// Tells whether a file was not left out, or overwritten by another package.
fn is_there(file: &FileEntry) -> bool {
    file.state.is_none_or(|state| state == FileState::Normal.as_byte())
}

fn header_details(header: &Header) -> Details {
    let text = |number| header.string(number).unwrap_or_default().to_owned();
    Details {
        origin: Origin::Installed(0),
        repository: String::new(),
        from_repository: String::new(),
        reason: PackageReason::None,
        summary: text(tag::SUMMARY),
        description: text(tag::DESCRIPTION),
        url: text(tag::URL),
        license: text(tag::LICENSE),
        group: text(tag::GROUP),
        packager: text(tag::PACKAGER),
        buildhost: text(tag::BUILDHOST),
        sourcerpm: text(tag::SOURCERPM),
        location: String::new(),
        checksum: String::new(),
        size_package: 0,
        size_installed: header.installed_size(),
        time_build: u64::from(header.u32(tag::BUILDTIME).unwrap_or(0)),
        time_file: 0,
        time_install: 0,
        cost: 1000,
    }
}

impl Sack {
    /// Returns the number of packages.
    pub fn len(&self) -> usize {
        self.universe.candidates.len()
    }

    /// Returns whether there is no package.
    pub fn is_empty(&self) -> bool {
        self.universe.candidates.is_empty()
    }

    /// Returns one package.
    pub fn get(&self, id: PackageId) -> SackPackage<'_> {
        let index = id.0 as usize;
        SackPackage {
            id,
            candidate: &self.universe.candidates[index],
            details: &self.details[self.details_of[index] as usize],
        }
    }

    /// Returns all packages in the order they were added: installed first.
    pub fn iter(&self) -> impl Iterator<Item = SackPackage<'_>> {
        (0..self.len() as u32).map(|index| self.get(PackageId(index)))
    }

    /// Returns the installed packages.
    pub fn installed(&self) -> impl Iterator<Item = SackPackage<'_>> {
        self.iter().filter(SackPackage::is_installed)
    }

    /// Returns the packages that are not installed ones.
    pub fn available(&self) -> impl Iterator<Item = SackPackage<'_>> {
        self.iter().filter(|package| !package.is_installed())
    }

    /// Returns the packages of that name.
    pub fn by_name<'a>(&'a self, name: &'a str) -> impl Iterator<Item = SackPackage<'a>> {
        let name_of = |index: &u32| self.universe.candidates[*index as usize].nevra.name.as_str();
        let start = self.by_name.partition_point(|index| name_of(index) < name);
        let found = self.by_name[start..].iter().take_while(move |index| name_of(index) == name);
        found.map(|index| self.get(PackageId(*index)))
    }

    /// Returns the packages that provide what `wanted` needs, by their Provides and their files.
    pub fn providers<'a>(
        &'a self,
        wanted: &'a Dependency,
    ) -> impl Iterator<Item = SackPackage<'a>> {
        self.iter().filter(move |package| provides(package.candidate, wanted))
    }

    /// Returns whether a spec names a package that excludes or includes keep out.
    pub fn is_filtered(&self, spec: &str) -> bool {
        self.filtered.iter().any(|nevra| super::spec::nevra_matches(spec, nevra).is_some())
    }

    /// Returns whether a spec names a source package that is left out.
    pub fn is_source(&self, spec: &str) -> bool {
        self.sources.iter().any(|nevra| super::spec::nevra_matches(spec, nevra).is_some())
    }

    /// Returns the names of all packages.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let name_of = |index: &u32| self.universe.candidates[*index as usize].nevra.name.as_str();
        let groups = self.by_name.chunk_by(move |a, b| name_of(a) == name_of(b));
        groups.map(move |group| name_of(&group[0]))
    }
}

/// Returns whether a package provides what `wanted` needs.
pub fn provides(candidate: &Candidate, wanted: &Dependency) -> bool {
    candidate.provides.iter().any(|provide| wanted.is_satisfied_by(provide))
        || wanted.is_file() && candidate.files.contains(&wanted.name)
}
