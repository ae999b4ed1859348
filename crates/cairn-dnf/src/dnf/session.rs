// SPDX-License-Identifier: MIT OR Apache-2.0
//! What every command of `dnf` works with: the roots, the configuration, the cache, and the loaded packages.

use super::cli::GlobalOptions;
use crate::failure::Failure;
use cairn_host::{Clock, Root};
use cairn_pkg::query::sack::{Filters, header_candidate};
use cairn_pkg::query::selection::{self, Closure, Links};
use cairn_pkg::query::{Sack, SackBuilder, SackPackage};
use cairn_pkg::repos::metadata::{
    self, Cache, Extent, Freshness, LoadContext, LoadEvent, Reading, Repository, load_repository,
    must_sign_packages,
};
use cairn_pkg::repos::trust::TRUST_DIRECTORY;
use cairn_pkg::repos::{
    CacheOnly, Configuration, LoadOptions, Network, RepoConfig, SetOption,
    compatible_architectures, is_known_architecture, load_configuration,
};
use cairn_pkg::resolve::GroupSet;
use cairn_pkg::rpmdb::{self, RpmDb};
use cairn_pkg::state::SystemState;
use cairn_pkg::state::versionlock::VersionLocks;
use cairn_rpm::evr::Nevra;
use cairn_rpm::header::Header;
use cairn_rpm::repodata::index::PackageIndex;
use cairn_rpm::repodata::{Advisory, Changelog, is_primary_path};
use cairn_solve::PackageId;
use cairn_ui::{Color, Printer, Problem, Verbosity};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// One run of `dnf`.
#[derive(Debug)]
pub struct Session {
    /// Terminal.
    pub printer: Printer,
    /// Options of every command.
    pub options: GlobalOptions,
    /// System that is looked at or changed.
    pub root: Root,
    /// System the configuration and keys are of.
    pub config_root: Root,
    /// Configuration with the options on top.
    pub configuration: Configuration,
    /// Metadata and package cache.
    pub cache: Cache,
    /// Downloads.
    pub network: Network,
    /// Clock.
    pub clock: Clock,
    /// User that runs the command.
    pub user_id: u32,
    /// Command line, for the history.
    pub command_line: String,
    /// Source packages are loaded as well.
    pub with_sources: bool,
}

/// Which packages a command needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// Installed packages.
    pub installed: bool,
    /// Packages of the enabled repositories.
    pub available: bool,
    /// All files of the available ones.
    pub filelists: bool,
    /// Advisories of the repositories.
    pub advisories: bool,
    /// Change logs of the packages.
    pub changelogs: bool,
}

/// Which of the available packages a command reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope<'a> {
    /// All.
    All,
    /// Name, version and architecture of all.
    Identities,
    /// What the arguments mean and everything that may come or go with it.
    Change(&'a [String]),
    /// Those whose name or summary has these words, in all their versions.
    Words(&'a [String]),
    /// Those that provide one of these names.
    Providers(&'a [String]),
}

impl Needs {
    /// Installed packages only.
    pub const INSTALLED: Self = Self {
        installed: true,
        available: false,
        filelists: false,
        advisories: false,
        changelogs: false,
    };
    /// Available packages only.
    pub const AVAILABLE: Self = Self { installed: false, available: true, ..Self::INSTALLED };
    /// Both.
    pub const ALL: Self = Self { available: true, ..Self::INSTALLED };
    /// Both, with advisories.
    pub const ADVISORIES: Self = Self { advisories: true, ..Self::ALL };
}

/// Loaded packages.
#[derive(Debug)]
pub struct Loaded {
    /// Packages.
    pub sack: Sack,
    /// Groups of the repositories.
    pub groups: GroupSet,
    /// dnf5's state.
    pub state: SystemState,
    /// Packages given as files, in the order given.
    pub files: Vec<PackageId>,
    /// Available packages that version locks keep away, and package files that excludes name.
    pub excluded: BTreeSet<PackageId>,
    /// Installed packages that excludes keep as they are.
    pub frozen: BTreeSet<PackageId>,
    /// Advisories, in the order of the repositories.
    pub advisories: Vec<Advisory>,
    /// Change logs by the checksum of the package (available ones) or by NEVRA (installed ones), newest entries first.
    pub changelogs: BTreeMap<String, Vec<Changelog>>,
}

impl Session {
    /// Opens the roots and reads the configuration.
    pub fn open(options: GlobalOptions, arguments: &[String]) -> Result<Self, Failure> {
        let color = match options.color.as_deref() {
            Some("always") => Color::Always,
            Some("never") => Color::Never,
            _ => Color::Auto,
        };
        let printer = Printer::new(verbosity(&options), color);
        match Self::open_with(&options, arguments) {
            Ok((root, config_root, configuration, cache, user_id)) => {
                let main = &configuration.main.network;
                let network = Network::new(main, &configuration.repositories)?;
                let session = Self {
                    printer,
                    options,
                    root,
                    config_root,
                    configuration,
                    cache,
                    network,
                    clock: Clock::system(),
                    user_id,
                    command_line: arguments.join(" "),
                    with_sources: false,
                };
                session.show_warnings();
                Ok(session)
            }
            Err(failure) => Err(failure),
        }
    }

    fn open_with(
        options: &GlobalOptions,
        _arguments: &[String],
    ) -> Result<(Root, Root, Configuration, Cache, u32), Failure> {
        let root_path = options.installroot.clone().unwrap_or_else(|| PathBuf::from("/"));
        if !root_path.is_absolute() {
            let hint = format!(
                "write --installroot={}",
                std::path::absolute(&root_path).unwrap_or_default().display()
            );
            return Err(Failure::usage("--installroot must be an absolute path").hint(hint));
        }
        check_architecture(options)?;
        let root = Root::create(&root_path)?;
        let config_root = if options.use_host_config { Root::open("/")? } else { root.clone() };
        let mut configuration =
            load_configuration(&config_root, &load_options(options)?).map_err(|error| {
                if error.is_of_command_line() { as_usage(error) } else { error.into() }
            })?;
        apply_repository_options(&mut configuration, options)?;
        apply_main_options(&mut configuration, options);
        let user_id = std::fs::metadata("/proc/self").map_or(0, |stat| stat.uid());
        let is_system = root_path == Path::new("/");
        let cache = open_cache(&root, &configuration, user_id, is_system)?;
        Ok((root, config_root, configuration, cache, user_id))
    }

    fn show_warnings(&self) {
        for warning in &self.configuration.warnings {
            self.printer.warning(&Problem::new(warning.to_string()).hints(warning.hint.clone()));
        }
    }

    /// Writes a file of the root, and the directory it is in where that does not exist.
    pub fn write_file(&self, path: &str, content: &[u8], mode: u32) -> cairn_host::Result<()> {
        if let Some((directory, _)) = path.rsplit_once('/') {
            self.root.mkdir_all(directory, 0o755)?;
        }
        self.root.write_atomic(path, content, mode)
    }

    /// Returns the width of the terminal; `None` when the output goes elsewhere.
    pub fn width(&self) -> Option<usize> {
        self.printer.width(cairn_ui::Stream::Out)
    }

    /// Returns whether only the best version of a package will do.
    pub fn is_best(&self) -> bool {
        !self.options.no_best && (self.options.best || self.configuration.main.best)
    }

    /// Returns the seconds since 1970.
    pub fn now(&self) -> u64 {
        self.clock.now_unix()
    }

    /// Returns whether the system the process runs on is changed.
    pub fn is_live(&self) -> bool {
        self.root.path_for_display() == Path::new("/")
    }

    /// Returns the architectures of packages that can be installed.
    pub fn architectures(&self) -> Vec<&str> {
        let arch = self.configuration.variables.get("arch").unwrap_or("x86_64");
        let mut architectures = compatible_architectures(arch);
        architectures.push("noarch");
        if self.with_sources {
            architectures.push("src");
        }
        architectures
    }

    /// Loads source packages as well, and enables the source repositories of those that are enabled: `NAME-source` of `NAME`.
    pub fn enable_sources(&mut self) {
        self.with_sources = true;
        let ids: Vec<String> =
            self.configuration.enabled().map(|config| format!("{}-source", config.id)).collect();
        for config in &mut self.configuration.repositories {
            config.enabled |= ids.contains(&config.id);
        }
    }

    /// Enables repositories that an option names, ids or globs.
    pub fn enable_named(&mut self, patterns: &[&str]) -> Result<(), Failure> {
        for pattern in patterns {
            let switched = self.configuration.switch_repositories(pattern, true, "--from-repo");
            switched.map_err(as_usage)?;
        }
        Ok(())
    }

    /// Returns dnf5's state; without its files everything is empty.
    pub fn state(&self) -> Result<SystemState, Failure> {
        Ok(SystemState::load(&self.root)?)
    }

    /// Opens the rpm database for reading; `None` when there is none yet.
    pub fn rpmdb(&self) -> Result<Option<RpmDb>, Failure> {
        if !RpmDb::exists(&self.root)? {
            return Ok(None);
        }
        Ok(Some(RpmDb::open(&self.root, rpmdb::Access::ReadOnly)?))
    }

    /// Loads what a command needs.
    pub fn load(&self, needs: Needs) -> Result<Loaded, Failure> {
        self.load_with_files(needs, &[])
    }

    /// Loads what a command needs and the given package files.
    pub fn load_with_files(
        &self,
        needs: Needs,
        files: &[(PathBuf, Header, u64)],
    ) -> Result<Loaded, Failure> {
        self.load_stored(needs, files, &[])
    }

    /// Loads what a command needs, of the available packages only those that a change of what `specs` mean can lead to.
    pub fn load_for_change(
        &self,
        needs: Needs,
        files: &[(PathBuf, Header, u64)],
        specs: &[String],
    ) -> Result<Loaded, Failure> {
        // What a rich dependency means is seen only among all packages.
        let is_rich = specs.iter().any(|spec| spec.starts_with('('));
        let scope = if is_rich { Scope::All } else { Scope::Change(specs) };
        self.load_scope(needs, files, &[], scope)
    }

    /// Loads what a command needs and package files of these repositories.
    pub fn load_stored(
        &self,
        needs: Needs,
        files: &[(PathBuf, Header, u64)],
        repositories: &[&str],
    ) -> Result<Loaded, Failure> {
        self.load_scope(needs, files, repositories, Scope::All)
    }

    /// Loads what a command needs and package files, of the available packages only those in a scope.
    pub fn load_scope(
        &self,
        needs: Needs,
        files: &[(PathBuf, Header, u64)],
        repositories: &[&str],
        scope: Scope<'_>,
    ) -> Result<Loaded, Failure> {
        let state = self.state()?;
        let mut builder = SackBuilder::new();
        let mut changelogs = BTreeMap::new();
        let mut wants_files = needs.filelists;
        if needs.installed
            && let Some(db) = self.rpmdb()?
        {
            let (packages, damage) = db.packages_and_damage()?;
            for error in damage {
                self.printer.warning(&Problem::new(error.to_string()).hints(error.hint()));
            }
            for package in &packages {
                wants_files |= needs_filelists(package.header.requires().iter());
                builder.add_installed(package, &state);
                if needs.changelogs {
                    let log = cairn_rpm::repodata::header_changelogs(&package.header);
                    changelogs.insert(package.header.nevra().to_string(), log);
                }
            }
        }
        let mut groups = GroupSet::new();
        let mut advisories = Vec::new();
        if needs.available {
            // What installed packages need counts only where they may change.
            let is_change = matches!(scope, Scope::All | Scope::Change(_));
            let wants_files = wants_files && needs.installed && is_change || needs.filelists;
            let mut loaded = self.load_repositories()?;
            // Of equal packages dnf5 takes that of the repository whose name comes last.
            loaded.sort_by(|a, b| b.config.id.cmp(&a.config.id));
            self.read_packages(&mut loaded, wants_files, &builder, files, scope)?;
            // The last one's names count, as in dnf5.
            for repository in loaded.iter().rev() {
                groups.add(&repository.config.id, &repository.comps);
            }
            for repository in loaded {
                if needs.advisories {
                    let context = self.load_context(false);
                    advisories.extend(metadata::load_advisories(&repository, &context)?);
                }
                if needs.changelogs {
                    metadata::load_changelogs(&repository, &self.load_context(false), &mut |of| {
                        changelogs.insert(of.pkgid, of.changelogs);
                    })?;
                }
                self.add_repository(&mut builder, repository);
            }
        }
        if self.counts_excludes("main") {
            let main = &self.configuration.main;
            groups.exclude(&main.excludegroups, &main.excludeenvs);
        }
        let files: Vec<PackageId> = files
            .iter()
            .map(|(path, header, size)| builder.add_file(path.clone(), header, *size))
            .collect();
        for (id, repository) in files.iter().zip(repositories) {
            builder.set_repository(*id, repository);
        }
        super::comps::add_installed(self, &state, &mut groups)?;
        let sack = builder.build();
        let excludes = self.options.excludes();
        let filters = self.common_filters(&excludes);
        let lets_in = |nevra: &Nevra| filters.iter().all(|filter| filter.lets_in(nevra));
        let is_named = |nevra: &Nevra| {
            filters.iter().any(|filter| !Filters { include: &[], ..*filter }.lets_in(nevra))
        };
        let mut excluded = self.locked_out(&sack)?;
        excluded.extend(files.iter().filter(|id| !lets_in(sack.get(**id).nevra())));
        let named = sack.installed().filter(|package| is_named(package.nevra()));
        let frozen = named.map(|package| package.id).collect();
        Ok(Loaded { sack, groups, state, files, excluded, frozen, advisories, changelogs })
    }

    /// Reads the packages of loaded repositories that are in the scope, with their file lists where something needs them.
    fn read_packages(
        &self,
        repositories: &mut [Repository],
        wants_files: bool,
        installed: &SackBuilder,
        files: &[(PathBuf, Header, u64)],
        scope: Scope<'_>,
    ) -> Result<(), Failure> {
        let context = self.load_context(wants_files);
        if !wants_files {
            if scope == Scope::Identities {
                for repository in repositories {
                    metadata::read_packages(repository, &context, Reading::Identities)?;
                }
                return Ok(());
            }
            if let Some(chosen) = self.choose(repositories, installed, files, scope) {
                for (repository, numbers) in repositories.iter_mut().zip(chosen) {
                    metadata::read_packages(repository, &context, Reading::These(&numbers))?;
                }
                return Ok(());
            }
        }
        for repository in repositories {
            metadata::read_packages(repository, &context, Reading::Everything)?;
            let wants_files = wants_files
                || repository.packages.iter().any(|p| needs_filelists(p.requires.iter()));
            if wants_files {
                let context = self.load_context(true);
                metadata::add_filelists(repository, &context, &mut |event| self.show(event))?;
            }
        }
        Ok(())
    }

    /// Returns the numbers of the packages in the scope, by repository; `None` when that is all.
    fn choose(
        &self,
        repositories: &[Repository],
        installed: &SackBuilder,
        files: &[(PathBuf, Header, u64)],
        scope: Scope<'_>,
    ) -> Option<Vec<Vec<u32>>> {
        let indexes: Result<Vec<PackageIndex<'_>>, _> =
            repositories.iter().map(|repository| repository.indexed.index()).collect();
        let indexes = indexes.ok()?;
        let is_weak = self.configuration.main.install_weak_deps;
        match scope {
            Scope::All | Scope::Identities => None,
            Scope::Words(words) => Some(selection::with_words(&indexes, words)),
            Scope::Providers(names) => {
                Some(indexes.iter().map(|index| selection::with_names(index, names)).collect())
            }
            Scope::Change(specs) => {
                let links = if is_weak { Links::All } else { Links::Strong };
                let mut closure = Closure::new(&indexes, links);
                if !specs.iter().all(|spec| closure.add_spec(spec)) {
                    return None;
                }
                installed.candidates().iter().for_each(|package| closure.add_package(package));
                for (_, header, _) in files {
                    closure.add_package(&header_candidate(header));
                }
                closure.finish()
            }
        }
    }

    /// Returns the available packages that version locks keep away.
    fn locked_out(&self, sack: &Sack) -> Result<BTreeSet<PackageId>, Failure> {
        let locks = VersionLocks::load(&self.config_root)?;
        if locks.entries.is_empty() {
            return Ok(BTreeSet::new());
        }
        let kept: Vec<SackPackage<'_>> =
            sack.iter().filter(|package| locks.keep(package.nevra())).collect();
        let replaces_kept = |package: &SackPackage<'_>| {
            let obsoletes = &package.candidate.obsoletes;
            let is_meant = |nevra: &Nevra| {
                obsoletes.iter().any(|one| one.name == nevra.name && one.matches_evr(&nevra.evr))
            };
            !locks.keep(package.nevra()) && kept.iter().any(|one| is_meant(one.nevra()))
        };
        let kept_away = sack
            .available()
            .filter(|package| !locks.allow(package.nevra()) || replaces_kept(package));
        Ok(kept_away.map(|package| package.id).collect())
    }

    /// Says whether the excludes of `main` or of a repository count.
    fn counts_excludes(&self, of: &str) -> bool {
        let disabled = &self.configuration.main.disable_excludes;
        !disabled.iter().any(|other| other == "*" || other == of)
    }

    fn add_repository(&self, builder: &mut SackBuilder, repository: Repository) {
        let main = &self.configuration.main;
        let config = repository.config.clone();
        let must_sign = must_sign_packages(&config, main) && !self.options.no_gpgchecks;
        let excludes = self.options.excludes();
        let filters = self.filters(&config, &excludes);
        builder.add_repository(repository, must_sign, &self.architectures(), &filters);
    }

    /// Returns the excludes and includes that hold for a repository; `excludes` are those of the command line.
    pub fn filters<'a>(
        &'a self,
        config: &'a RepoConfig,
        excludes: &'a [String],
    ) -> Vec<Filters<'a>> {
        let mut filters = self.common_filters(excludes);
        if self.counts_excludes(&config.id) {
            filters.push(Filters { exclude: &config.excludepkgs, include: &config.includepkgs });
        }
        filters
    }

    /// Returns the excludes and includes that hold for all packages, also those of no repository.
    fn common_filters<'a>(&'a self, excludes: &'a [String]) -> Vec<Filters<'a>> {
        let main = &self.configuration.main;
        let mut filters = vec![Filters { exclude: excludes, include: &[] }];
        if self.counts_excludes("main") {
            filters.push(Filters { exclude: &main.excludepkgs, include: &main.includepkgs });
        }
        filters
    }

    /// Returns what loading a repository needs.
    pub fn load_context(&self, filelists: bool) -> LoadContext<'_> {
        let is_cached_only = self.configuration.main.cacheonly != CacheOnly::None;
        let freshness = if self.options.cacheonly || is_cached_only {
            Freshness::CacheOnly
        } else if self.options.refresh {
            Freshness::Refresh
        } else {
            Freshness::Normal
        };
        LoadContext {
            main: &self.configuration.main,
            cache: &self.cache,
            config_root: &self.config_root,
            network: &self.network,
            freshness,
            filelists,
            extent: Extent::All,
            now: self.now(),
        }
    }

    /// Loads the enabled repositories without their packages, those of `skip_if_unavailable` only if they can be loaded.
    pub fn load_repositories(&self) -> Result<Vec<Repository>, Failure> {
        self.printer.info("Updating and loading repositories:");
        let context = LoadContext { extent: Extent::None, ..self.load_context(false) };
        let mut loaded = Vec::new();
        for repository in self.configuration.enabled() {
            match load_repository(repository, &context, &mut |event| self.show(event)) {
                Ok(found) => loaded.push(found),
                Err(error) => {
                    let skip = repository
                        .skip_if_unavailable
                        .unwrap_or(self.configuration.main.skip_if_unavailable);
                    if !skip {
                        return Err(error.into());
                    }
                    let problem = Problem::from_error(&error).hints(error.hint());
                    self.printer.warning(&problem);
                }
            }
        }
        self.printer.info("Repositories loaded.");
        Ok(loaded)
    }

    /// Says what happens while a repository is loaded.
    pub fn show(&self, event: LoadEvent) {
        match event {
            LoadEvent::Downloaded { id, bytes } => {
                let size = super::table::size_text(bytes);
                self.printer.info(&format!(" {id:<38} 100% | {size:>10}"));
            }
            LoadEvent::Skipped { id, reason } => {
                self.printer
                    .warning(&Problem::new(format!("repository {id} is left out: {reason}")));
            }
            LoadEvent::Keys { id, version, retired } => {
                let mut text = format!("repository {id} has new keys: list {version}");
                if !retired.is_empty() {
                    text.push_str(&format!("; no longer trusted: {}", retired.join(", ")));
                }
                self.printer.warning(&Problem::new(text));
            }
            LoadEvent::Package { id, reason } => {
                self.printer.warning(&Problem::new(format!("repository {id}: {reason}")));
            }
        }
    }
}

fn verbosity(options: &GlobalOptions) -> Verbosity {
    match (options.quiet, options.verbose) {
        (true, _) => Verbosity::Quiet,
        (false, true) => Verbosity::Verbose,
        (false, false) => Verbosity::Normal,
    }
}

/// Fails where nobody knows an architecture.
fn check_architecture(options: &GlobalOptions) -> Result<(), Failure> {
    match options.forcearch.as_deref() {
        Some(arch) if !is_known_architecture(arch) => {
            Err(Failure::usage(format!("--forcearch={arch}: unknown architecture"))
                .hint("write for example --forcearch=aarch64"))
        }
        _ => Ok(()),
    }
}

/// How the names of environment variables begin that set variables of the configuration.
const VARIABLE_PREFIX: &str = "DNF_VAR_";

fn load_options(options: &GlobalOptions) -> Result<LoadOptions, Failure> {
    let mut set_options = Vec::new();
    for text in &options.setopt {
        set_options.push(SetOption::parse(text).map_err(Failure::usage)?);
    }
    let mut variables = cairn_host::paths::variables(VARIABLE_PREFIX);
    for (name, value) in [
        ("releasever_major", &options.releasever_major),
        ("releasever_minor", &options.releasever_minor),
    ] {
        variables.extend(value.iter().map(|value| (name.to_owned(), value.clone())));
    }
    for text in &options.setvar {
        let Some((name, value)) = text.split_once('=') else {
            return Err(Failure::usage(format!(
                "--setvar {text:?} has no `=` (expected NAME=VALUE)"
            )));
        };
        variables.push((name.to_owned(), value.to_owned()));
    }
    Ok(LoadOptions {
        config_file: options.config.clone(),
        set_options,
        releasever: options.releasever.clone(),
        arch: options.forcearch.clone().unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
        variables,
    })
}

/// A mistake of the command line.
fn as_usage(error: cairn_pkg::repos::ConfigError) -> Failure {
    Failure { code: cairn_ui::exit::USAGE, ..Failure::from(error) }
}

fn apply_repository_options(
    configuration: &mut Configuration,
    options: &GlobalOptions,
) -> Result<(), Failure> {
    let mut added = Vec::new();
    for text in &options.repofrompath {
        let Some((id, url)) = text.split_once(',') else {
            return Err(Failure::usage(format!(
                "--repofrompath {text:?} has no `,` (expected ID,URL)"
            )));
        };
        configuration.add_repository(id, url)?;
        added.extend(configuration.repositories.last().map(|repository| repository.id.clone()));
    }
    configuration.check_named_repositories().map_err(as_usage)?;
    if !options.repo.is_empty() {
        for repository in &mut configuration.repositories {
            repository.enabled = false;
        }
        for pattern in &options.repo {
            configuration.switch_repositories(pattern, true, "--repo").map_err(as_usage)?;
        }
    }
    for pattern in &options.enable_repo {
        configuration.switch_repositories(pattern, true, "--enable-repo").map_err(as_usage)?;
    }
    for pattern in &options.disable_repo {
        configuration.switch_repositories(pattern, false, "--disable-repo").map_err(as_usage)?;
    }
    // Whoever names the address of a repository wants it: `--disable-repo=*` is about the others.
    let is_named = |id: &String| options.disable_repo.contains(id);
    for repository in &mut configuration.repositories {
        let is_wanted = options.repo.is_empty() && !is_named(&repository.id);
        repository.enabled |= is_wanted && added.contains(&repository.id);
    }
    Ok(())
}

fn apply_main_options(configuration: &mut Configuration, options: &GlobalOptions) {
    let main = &mut configuration.main;
    if options.clears_excludes() {
        main.excludepkgs.clear();
    }
    main.assumeyes |= options.assumeyes;
    main.assumeno |= options.assumeno;
    if options.assumeyes && !options.assumeno {
        main.assumeno = false;
    }
    main.allow_vendor_change &= !options.no_allow_vendor_change;
    main.allow_vendor_change |= options.allow_vendor_change;
    if options.no_docs && !main.tsflags.iter().any(|flag| flag == "nodocs") {
        main.tsflags.push("nodocs".to_owned());
    }
    if options.no_gpgchecks {
        main.gpgcheck = false;
        main.repo_gpgcheck = false;
        main.localpkg_gpgcheck = false;
        for repository in &mut configuration.repositories {
            repository.gpgcheck = Some(false);
            repository.repo_gpgcheck = Some(false);
        }
    }
}

/// An ordinary user who looks at the system has a cache of his own.
fn open_cache(
    root: &Root,
    configuration: &Configuration,
    user_id: u32,
    is_system: bool,
) -> Result<Cache, Failure> {
    if user_id == 0 || !is_system {
        let root = if configuration.on_host.cache { Root::create("/")? } else { root.clone() };
        return Ok(Cache {
            root,
            directory: configuration.main.cachedir.clone(),
            trust_directory: TRUST_DIRECTORY.to_owned(),
        });
    }
    let directory = cairn_host::paths::cache_dir()?.join("dnf");
    let root = Root::create(directory)?;
    Ok(Cache { root, directory: "libdnf5".to_owned(), trust_directory: "trust".to_owned() })
}

fn needs_filelists<'a>(
    mut requires: impl Iterator<Item = &'a cairn_rpm::dependency::Dependency>,
) -> bool {
    requires.any(|dependency| dependency.is_file() && !is_primary_path(&dependency.name))
}
