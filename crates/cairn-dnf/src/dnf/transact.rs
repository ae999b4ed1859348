// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a request to a changed system: solve, show, ask, download, run, record. Every changing command ends here.

use super::cli::ResolveOptions;
use super::session::{Loaded, Session};
use super::{comps, display, offline, store, stored, trust};
use crate::failure::{CommandResult, Failure, complain};
use cairn_host::fetch::{Download, Progress as FetchProgress, file_path};
use cairn_pkg::event::Event;
use cairn_pkg::query::sack::Origin;
use cairn_pkg::query::{SackPackage, glob};
use cairn_pkg::repos::CacheOnly;
use cairn_pkg::repos::metadata::resolve_base_urls;
use cairn_pkg::resolve::{GroupChange, Plan, Request, Settings};
use cairn_pkg::state::cookie::rpmdb_cookie;
use cairn_pkg::state::history::{History, HistoryGroup, HistoryItem, HistoryRecord, HistoryState};
use cairn_pkg::transaction::{self, ExtraFile, Ownership, Scriptlets, TransactionOptions};
use cairn_solve::{
    CleanRequirements, Explanation, Job, Options, PackageId, Skipped, Solution, solve,
};
use cairn_ui::{Assume, Problem, Stream, Unit, exit};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Options that decide how a request is solved and carried out.
#[derive(Debug, Clone, Default)]
pub struct Choices {
    /// Options of the command.
    pub resolve: ResolveOptions,
    /// Keep dependencies that nothing needs any more.
    pub keep_unneeded: bool,
    /// Do not install weak dependencies: the request names everything.
    pub without_weak: bool,
    /// Keep what depends on packages that are to be removed.
    pub keep_dependants: bool,
    /// What to say after the plan.
    pub remarks: Vec<String>,
}

/// Returns the settings by which arguments are read.
pub fn settings(session: &Session, options: &ResolveOptions) -> Settings {
    Settings {
        skip_unavailable: options.skip_unavailable || session.configuration.main.skip_unavailable,
        group_package_types: session.configuration.main.group_package_types.clone(),
        multilib_all: session.configuration.main.multilib_all,
        installonly: session.configuration.main.installonlypkgs.clone(),
    }
}

/// Solves a request and carries it out after asking.
pub fn resolve_and_run(
    session: &Session,
    loaded: &Loaded,
    request: Request<'_>,
    choices: &Choices,
) -> CommandResult {
    let plan = if request.problems.is_empty() {
        solve_request(session, loaded, &request, choices)
    } else {
        Err(unresolvable(&request))
    };
    // What stays away is said in any case: it may be the reason of the failure.
    let plan = plan.inspect_err(|_| show_remarks(session, choices))?;
    show_messages(session, &request.messages);
    run_plan(session, loaded, &plan, choices)
}

/// Solves a request.
pub fn solve_request(
    session: &Session,
    loaded: &Loaded,
    request: &Request<'_>,
    choices: &Choices,
) -> Result<Plan, Failure> {
    let mut plan = Plan::default();
    if request.jobs.iter().any(|job| !matches!(job, Job::Lock(_))) {
        let mut options = solver_options(session, loaded, choices);
        options.exact.clone_from(&request.exact);
        let solution = match solve(&loaded.sack.universe, &request.jobs, &options) {
            Ok(solution) => solution,
            Err(_) if skips_broken(session, choices) => {
                without_broken(loaded, &request.jobs, options)
            }
            Err(explanation) => {
                return Err(unsolvable(loaded, &request.jobs, &options, &explanation));
            }
        };
        for skipped in &solution.skipped {
            say_problem(&skipped.explanation.lines);
        }
        plan = Plan::from_solution(&loaded.sack, &solution, &request.from_groups);
    }
    plan.group_changes.clone_from(&request.group_changes);
    let comes =
        |name: &str| plan.inbound().any(|item| loaded.sack.get(item.id).nevra().name == name);
    let joining = request.group_members.iter().filter(|(_, name)| comes(name));
    plan.group_members = joining.cloned().collect();
    plan.promote(&request.marked_user);
    plan.change_reasons(&request.reason_changes);
    Ok(plan)
}

/// Returns how requests are solved.
fn solver_options(session: &Session, loaded: &Loaded, choices: &Choices) -> Options {
    let main = &session.configuration.main;
    let options = &choices.resolve;
    let is_protected = main.protect_running_kernel && session.is_live();
    let running_kernel = is_protected.then(cairn_host::paths::running_kernel);
    Options {
        best: session.is_best(),
        allow_erasing: options.allowerasing,
        remove_dependants: options.allowerasing || !choices.keep_dependants,
        install_weak_deps: main.install_weak_deps && !choices.without_weak,
        installonly_names: main.installonlypkgs.clone(),
        installonly_limit: main.installonly_limit as usize,
        protected: main.protected_packages.clone(),
        running_kernel: running_kernel.filter(|release| !release.is_empty()),
        clean_requirements: if main.clean_requirements_on_remove && !choices.keep_unneeded {
            CleanRequirements::OnRemove
        } else {
            CleanRequirements::Never
        },
        excludes: excludes(session, loaded),
        exclude_from_weak: named(loaded, &main.exclude_from_weak),
        exclude_unmet_weak: main.exclude_from_weak_autodetect,
        allow_downgrade: options.allow_downgrade
            || main.allow_downgrade && !options.no_allow_downgrade,
        allow_vendor_change: main.allow_vendor_change,
        obsoletes: main.obsoletes,
        sync_vendor_change: main.allow_vendor_change,
        ..Options::default()
    }
}

/// Returns what must not be used: what locks keep away and, where they are loaded, source packages, which provide their names.
fn excludes(session: &Session, loaded: &Loaded) -> BTreeSet<PackageId> {
    let mut excludes = loaded.excluded.clone();
    if session.with_sources {
        let is_source = |package: &SackPackage<'_>| package.nevra().arch == "src";
        excludes.extend(loaded.sack.available().filter(is_source).map(|package| package.id));
    }
    excludes
}

/// Returns the available packages with these names, which may be globs.
fn named(loaded: &Loaded, names: &[String]) -> BTreeSet<PackageId> {
    if names.is_empty() {
        return BTreeSet::new();
    }
    let is_named = |package: &SackPackage<'_>| {
        names.iter().any(|name| glob::matches(name, &package.nevra().name))
    };
    loaded.sack.available().filter(is_named).map(|package| package.id).collect()
}

fn skips_broken(session: &Session, choices: &Choices) -> bool {
    choices.resolve.skip_broken || session.configuration.main.skip_broken
}

/// Solves without the jobs that cannot be done, taken in order, and names what is left out.
fn without_broken(loaded: &Loaded, jobs: &[Job], mut options: Options) -> Solution {
    let universe = &loaded.sack.universe;
    let mut kept: Vec<Job> = Vec::new();
    let mut solution = Solution::default();
    let mut left_out = Vec::new();
    for job in jobs {
        kept.push(job.clone());
        // What stands for many packages takes of each the best that can be had.
        options.best &= !matches!(job, Job::Upgrade(_) | Job::DistroSync(_));
        match solve(universe, &kept, &options) {
            Ok(found) => solution = found,
            Err(explanation) => {
                kept.pop();
                match newest_of(loaded, job) {
                    Some(package) => {
                        left_out.push(Skipped { package, explanation });
                    }
                    None => say_problem(&explanation.lines),
                }
            }
        }
    }
    solution.skipped.extend(left_out);
    solution
}

/// Returns the package that a job is about.
fn newest_of(loaded: &Loaded, job: &Job) -> Option<PackageId> {
    let ids = match job {
        Job::Install(ids)
        | Job::Remove(ids)
        | Job::Downgrade(ids)
        | Job::Reinstall(ids)
        | Job::Lock(ids)
        | Job::Upgrade(Some(ids))
        | Job::DistroSync(Some(ids)) => ids.as_slice(),
        Job::Meet(_) | Job::Upgrade(None) | Job::DistroSync(None) | Job::Autoremove => &[],
    };
    ids.iter().copied().max_by_key(|id| &loaded.sack.get(*id).nevra().evr)
}

/// Says why something is left out, in the form of a problem.
fn say_problem(lines: &[String]) {
    for (index, line) in lines.iter().enumerate() {
        complain(&if index == 0 { format!("Problem: {line}") } else { format!("  - {line}") });
    }
}

/// Says why there is no solution, and which options would give one.
fn unsolvable(
    loaded: &Loaded,
    jobs: &[Job],
    options: &Options,
    explanation: &Explanation,
) -> Failure {
    let mut lines = vec!["Failed to resolve the transaction:".to_owned()];
    let mut rest = explanation.lines.iter();
    lines.push(format!("Problem: {}", rest.next().map_or("unknown", String::as_str)));
    lines.extend(rest.map(|line| format!("  - {line}")));
    let helps = |changed: Options| solve(&loaded.sack.universe, jobs, &changed).is_ok();
    let mut advice = Vec::new();
    if !options.allow_erasing && helps(Options { allow_erasing: true, ..options.clone() }) {
        advice.push("  --allowerasing to allow removing of installed packages to resolve problems");
    }
    if options.best && helps(Options { best: false, ..options.clone() }) {
        advice.push("  --no-best to not limit the transaction to the best candidates");
    }
    if jobs.iter().any(|job| !matches!(job, Job::Remove(_) | Job::Autoremove | Job::Lock(_))) {
        advice.push("  --skip-broken to skip uninstallable packages");
    }
    if !advice.is_empty() {
        lines.push("You can try to add to command line:".to_owned());
        lines.extend(advice.into_iter().map(str::to_owned));
    }
    if lines.iter().any(|line| line.contains("protected package")) {
        lines.extend(explanation.hint(options).map(|hint| format!("hint: {hint}")));
    }
    Failure::lines(lines)
}

/// Says what makes a request impossible.
pub fn unresolvable(request: &Request<'_>) -> Failure {
    let mut lines = vec!["Failed to resolve the transaction:".to_owned()];
    lines.extend(request.messages.iter().cloned());
    lines.extend(request.problems.iter().map(|problem| problem.message.clone()));
    if request.problems.iter().any(|problem| problem.is_unavailable) {
        lines.push("You can try to add to command line:".to_owned());
        lines.push("  --skip-unavailable to skip unavailable packages".to_owned());
    }
    Failure::lines(lines)
}

fn show_remarks(session: &Session, choices: &Choices) {
    choices.remarks.iter().for_each(|remark| session.printer.data(remark));
}

fn show_messages(session: &Session, messages: &[String]) {
    for message in messages {
        complain(message);
    }
    if !messages.is_empty() {
        session.printer.info("");
    }
}

/// Shows a plan, asks, and carries it out.
pub fn run_plan(
    session: &Session,
    loaded: &Loaded,
    plan: &Plan,
    choices: &Choices,
) -> CommandResult {
    if plan.is_empty() {
        if !plan.skipped.is_empty() || !plan.conflicting.is_empty() {
            for line in display::transaction_table(plan, &loaded.sack, session.width()) {
                session.printer.data(&line);
            }
            session.printer.data("");
        }
        session.printer.data("Nothing to do.");
        show_remarks(session, choices);
        return Ok(exit::SUCCESS);
    }
    check_flags(session)?;
    let targets = download_targets(session, loaded, plan, choices)?;
    show_plan(session, loaded, plan, &targets);
    show_remarks(session, choices);
    if is_download_only(choices) {
        session.printer.info("The operation will only download packages for the transaction.");
    }
    if let Some(directory) = &choices.resolve.store {
        say_stored(session, directory);
    }
    let is_stored = choices.resolve.offline || choices.resolve.store.is_some();
    if !is_stored && !is_download_only(choices) {
        offline::warn_of_pending(session)?;
    }
    if choices.resolve.offline {
        offline::warn_of_queued(session);
    }
    if !confirmed(session)? {
        complain("Operation aborted by the user.");
        return Err(Failure::silent(exit::DECLINED));
    }
    download(session, &targets.downloads)?;
    if let Some(directory) = &choices.resolve.store {
        store::store_plan(loaded, plan, &targets, directory)?;
    } else if choices.resolve.offline {
        offline::store_plan(session, loaded, plan, &targets)?;
    } else if !is_download_only(choices) {
        return execute(session, loaded, plan, &targets);
    }
    session.printer.info("Complete!");
    Ok(exit::SUCCESS)
}

/// Flags that dnf5 knows; those without a meaning here change nothing.
const FLAGS: [&str; 10] = [
    "noscripts",
    "notriggers",
    "nodocs",
    "test",
    "justdb",
    "nocontexts",
    "nocaps",
    "nocrypto",
    "deploops",
    "noplugins",
];

/// A misspelt flag must not pass silently.
fn check_flags(session: &Session) -> Result<(), Failure> {
    let flags = &session.configuration.main.tsflags;
    match flags.iter().find(|flag| !FLAGS.contains(&flag.as_str())) {
        Some(flag) => Err(Failure::lines(vec![format!("Invalid tsflag: {flag}")])),
        None => Ok(()),
    }
}

fn say_stored(session: &Session, directory: &Path) {
    let shown = directory.display();
    session.printer.info(&format!("The operation will only store the transaction in {shown}"));
    if directory.join(stored::FILE).exists() {
        session.printer.info(&format!(
            "Location \"{shown}\" already contains a stored transaction, it will be overwritten."
        ));
    }
}

fn is_download_only(choices: &Choices) -> bool {
    choices.resolve.downloadonly || choices.resolve.destdir.is_some()
}

fn show_plan(session: &Session, loaded: &Loaded, plan: &Plan, targets: &Targets) {
    let printer = &session.printer;
    for line in display::transaction_table(plan, &loaded.sack, session.width()) {
        printer.data(&line);
    }
    printer.data("");
    for line in display::summary(plan) {
        printer.data(&line);
    }
    printer.data("");
    for line in display::size_lines(plan, &loaded.sack, targets.present) {
        printer.info(&line);
    }
}

/// Asks whether to go on, unless the options have answered.
pub fn confirmed(session: &Session) -> Result<bool, Failure> {
    let main = &session.configuration.main;
    if main.assumeno {
        return Ok(false);
    }
    if main.assumeyes {
        return Ok(true);
    }
    let answer = session.printer.confirm(Stream::Err, "Is this ok", Assume::Ask);
    answer.map_err(|error| Failure::new(format!("cannot read the answer: {error}")))
}

/// Package files of a plan.
#[derive(Debug, Default)]
pub struct Targets {
    /// Host path of every package that comes.
    pub files: BTreeMap<PackageId, PathBuf>,
    /// What is not there yet.
    pub downloads: Vec<Download>,
    /// Bytes that are there already.
    pub present: u64,
}

/// Returns where the package files of a plan are or will be.
fn download_targets(
    session: &Session,
    loaded: &Loaded,
    plan: &Plan,
    choices: &Choices,
) -> Result<Targets, Failure> {
    let ids: Vec<PackageId> = plan.inbound().map(|item| item.id).collect();
    let offline = choices.resolve.offline.then(|| offline::package_directory(session));
    let stored = choices.resolve.store.as_deref().map(store::package_directory);
    let wanted = choices.resolve.destdir.clone();
    let directory = stored.or(wanted).or(offline).or_else(|| configured_directory(session));
    targets_of(session, loaded, &ids, directory.as_deref())
}

/// Returns the directory of `destdir` in the configuration.
pub fn configured_directory(session: &Session) -> Option<PathBuf> {
    let directory = &session.configuration.main.destdir;
    (!directory.is_empty()).then(|| PathBuf::from(directory))
}

/// Returns where package files are or will be: in `directory`, else in a local repository or in the cache.
pub fn targets_of(
    session: &Session,
    loaded: &Loaded,
    ids: &[PackageId],
    directory: Option<&std::path::Path>,
) -> Result<Targets, Failure> {
    let mut targets = Targets::default();
    let mut bases: BTreeMap<usize, String> = BTreeMap::new();
    for id in ids {
        let package = loaded.sack.get(*id);
        match &package.details.origin {
            Origin::Installed(_) => {}
            Origin::File(path) => {
                targets.present += package.details.size_package;
                targets.files.insert(*id, path.clone());
            }
            Origin::Repository(index) => {
                let repository = &loaded.sack.repositories[*index];
                let name = format!("{}.rpm", package.nevra().file_stem());
                let url =
                    package_url(session, loaded, *index, &package.details.location, &mut bases)?;
                let path = match (directory, file_path(&url)) {
                    (Some(directory), _) => directory.join(&name),
                    (None, Some(path)) => path,
                    (None, None) => {
                        let cache = session.cache.root.path_for_display();
                        cache.join(&repository.directory).join("packages").join(&name)
                    }
                };
                let expected = cairn_host::fetch::Expected {
                    sha256: Some(package.details.checksum.clone()),
                    size: Some(package.details.size_package),
                };
                if std::fs::metadata(&path)
                    .is_ok_and(|stat| stat.len() == package.details.size_package)
                {
                    targets.present += package.details.size_package;
                }
                let (dest, way) = (path.clone(), session.network.way(&repository.id));
                targets.downloads.push(Download { url, dest, expected, way });
                targets.files.insert(*id, path);
            }
        }
    }
    Ok(targets)
}

fn package_url(
    session: &Session,
    loaded: &Loaded,
    index: usize,
    location: &str,
    bases: &mut BTreeMap<usize, String>,
) -> Result<String, Failure> {
    if let Some(base) = bases.get(&index) {
        return Ok(format!("{base}/{location}"));
    }
    let repository = &loaded.sack.repositories[index];
    let config =
        session.configuration.repositories.iter().find(|config| config.id == repository.id);
    let urls = match config {
        Some(config) if config.mirrorlist.is_some() || config.metalink.is_some() => {
            resolve_base_urls(config, &session.network)?
        }
        _ => repository.base_urls.clone(),
    };
    let base =
        urls.first().map(|url| cairn_pkg::repos::mirrors::normalized(url)).unwrap_or_default();
    let url = format!("{base}/{location}");
    bases.insert(index, base);
    Ok(url)
}

/// Downloads package files, checked by size and SHA-256.
pub fn download(session: &Session, downloads: &[Download]) -> Result<(), Failure> {
    let missing: Vec<Download> = downloads.to_vec();
    if missing.is_empty() {
        return Ok(());
    }
    if session.options.cacheonly || session.configuration.main.cacheonly == CacheOnly::All {
        let absent = missing.iter().find(|d| !d.dest.exists() && !d.url.starts_with("file://"));
        if let Some(download) = absent {
            let name = download.dest.file_name().unwrap_or_default().to_string_lossy().into_owned();
            return Err(Failure::new(format!("package {name} is not in the cache"))
                .hint("run the command once without --cacheonly"));
        }
    }
    let total = missing.iter().filter_map(|d| d.expected.size).sum();
    let title = if missing.iter().all(Download::is_in_place) {
        "Checking packages"
    } else {
        "Downloading packages"
    };
    let progress = session.printer.progress(title, Some(total), Unit::Bytes);
    let received: Mutex<BTreeMap<usize, u64>> = Mutex::new(BTreeMap::new());
    let parallel = session.configuration.main.max_parallel_downloads as usize;
    let result = session.network.fetcher.download_all(&missing, parallel, &|event| {
        let (index, bytes) = match event {
            FetchProgress::Received { index, received, .. } => (index, received),
            FetchProgress::Finished { index, size } => (index, size),
            FetchProgress::Retrying { index, .. } => (index, 0),
        };
        if let Ok(mut map) = received.lock() {
            map.insert(index, bytes);
            progress.set(map.values().sum());
        }
    });
    progress.finish();
    Ok(result?)
}

fn execute(session: &Session, loaded: &Loaded, plan: &Plan, targets: &Targets) -> CommandResult {
    let check = trust::check_packages(session, loaded, plan, targets)?;
    let state = plan.state_after(&loaded.sack, &loaded.state);
    let items = plan.transaction_items(&loaded.sack, &targets.files);
    let mut options = engine_options(session, &state, check);
    if options.test_only {
        // Nothing changes, so nothing is remembered.
        run_engine(session, items, &options)?;
        session.printer.info("Complete!");
        return Ok(exit::SUCCESS);
    }
    let cookie = current_cookie(session)?;
    let mut history = History::create(&session.root)?;
    let number = history.begin(&history_record(session, loaded, plan, &cookie))?;
    options.extra_files.extend(comps::files(&plan.group_changes));
    let result = if items.is_empty() {
        save_state(session, &state, &options.extra_files).map(|()| None)
    } else {
        run_engine(session, items, &options).map(Some)
    };
    let cookie = current_cookie(session)?;
    let now = i64::try_from(session.now()).unwrap_or(0);
    match result {
        Ok(outcome) => {
            let mut state = state;
            state.rpmdb_cookie.clone_from(&cookie);
            state.save(&session.root)?;
            comps::remove(session, &plan.group_changes)?;
            if let Some(outcome) = &outcome {
                cairn_pkg::undo::link_history(&session.root, outcome.id, number)?;
            }
            let has_failed = outcome.as_ref().is_some_and(|outcome| !outcome.failures.is_empty());
            let ended = if has_failed { HistoryState::Error } else { HistoryState::Ok };
            history.finish(number, now, &cookie, ended)?;
            finish(session, targets, outcome)
        }
        Err(failure) => {
            history.finish(number, now, &cookie, HistoryState::Error)?;
            Err(failure)
        }
    }
}

/// Writes what changes where no package does.
fn save_state(
    session: &Session,
    state: &cairn_pkg::state::SystemState,
    files: &[ExtraFile],
) -> Result<(), Failure> {
    for file in files {
        session.write_file(&file.path, &file.content, file.mode)?;
    }
    Ok(state.save(&session.root)?)
}

fn run_engine(
    session: &Session,
    items: Vec<transaction::TransactionItem>,
    options: &TransactionOptions,
) -> Result<transaction::Outcome, Failure> {
    let total = items.len() as u64;
    let progress = session.printer.progress("Running transaction", Some(total), Unit::Items);
    let mut warnings = Vec::new();
    let result = transaction::run(&session.root, items, options, &mut |event| match event {
        Event::Verifying { package, .. } => progress.message(&format!("verifying {package}")),
        Event::Staging { package, done, .. } => {
            progress.message(&format!("installing {package}"));
            progress.set(done as u64);
        }
        Event::Removing { package } => progress.message(&format!("removing {package}")),
        Event::ScriptletOutput { package, kind, text } => {
            warnings.push(format!(">>> {kind} scriptlet of {package}:\n{}", text.trim_end()));
        }
        Event::Warning(text) => warnings.push(text),
        Event::Policy(text) => warnings.push(format!("warning: {text}")),
        _ => {}
    });
    if result.is_ok() {
        progress.set(total);
    }
    progress.finish();
    for warning in warnings {
        complain(&warning);
    }
    Ok(result?)
}

fn engine_options(
    session: &Session,
    state: &cairn_pkg::state::SystemState,
    check: trust::PackageTrust,
) -> TransactionOptions {
    let flags = &session.configuration.main.tsflags;
    let has = |flag: &str| flags.iter().any(|f| f == flag);
    let mut options =
        TransactionOptions::live(check.keyring, u32::try_from(session.now()).unwrap_or(u32::MAX));
    options.overrides.macros = Some(crate::rpm::macros::for_scriptlets());
    options.trust = check.trust;
    if session.user_id != 0 {
        // An ordinary user can fill a directory of his own, but not run programs in it as root or give files away.
        options.ownership = Ownership::Record;
        options.scriptlets = Scriptlets::Skip;
    }
    if has("noscripts") {
        options.scriptlets = Scriptlets::Skip;
    }
    if has("notriggers") {
        options.overrides.silenced = crate::rpm::options::triggers().map(str::to_owned).collect();
    }
    options.overrides.database_only = has("justdb");
    options.overrides.without_capabilities = has("nocaps");
    options.without_documentation = has("nodocs");
    options.test_only = has("test");
    let files = state.files().into_iter();
    options.extra_files =
        files.map(|(path, content)| ExtraFile { path, content, mode: 0o644 }).collect();
    options
}

fn finish(
    session: &Session,
    targets: &Targets,
    outcome: Option<transaction::Outcome>,
) -> CommandResult {
    let mut code = exit::SUCCESS;
    if let Some(outcome) = outcome {
        for note in &outcome.notes {
            session.printer.info(note);
        }
        for failure in &outcome.failures {
            session.printer.warning(&Problem::new(failure.clone()));
            code = exit::FAILURE;
        }
    }
    if !session.configuration.main.keepcache {
        for download in targets.downloads.iter().filter(|download| !download.is_in_place()) {
            // The cache is only a cache: what cannot be removed now is removed by `dnf clean packages`.
            let _ = std::fs::remove_file(&download.dest);
        }
    }
    session.printer.info("Complete!");
    Ok(code)
}

/// Returns the cookie of the rpm database as it is now.
pub fn current_cookie(session: &Session) -> Result<String, Failure> {
    let Some(db) = session.rpmdb()? else { return Ok(rpmdb_cookie([])) };
    let names = db.names()?;
    Ok(rpmdb_cookie(names.iter().map(|(name, hnum)| (name.as_str(), *hnum as u32))))
}

fn history_record(session: &Session, loaded: &Loaded, plan: &Plan, cookie: &str) -> HistoryRecord {
    let items = plan.history_items(&loaded.sack);
    let groups: Vec<_> = plan.group_changes.iter().map(GroupChange::history).collect();
    record_of(session, cookie, items, groups)
}

/// Returns a record of a transaction that begins now.
pub fn record_of(
    session: &Session,
    cookie: &str,
    items: Vec<HistoryItem>,
    groups: Vec<HistoryGroup>,
) -> HistoryRecord {
    HistoryRecord {
        id: 0,
        begin: i64::try_from(session.now()).unwrap_or(0),
        end: None,
        rpmdb_begin: cookie.to_owned(),
        rpmdb_end: String::new(),
        releasever: session
            .configuration
            .variables
            .get("releasever")
            .unwrap_or_default()
            .to_owned(),
        user_id: session.user_id,
        description: session.command_line.clone(),
        comment: session.options.comment.clone().unwrap_or_default(),
        state: HistoryState::Started,
        n_items: items.len() + groups.len(),
        items,
        groups,
    }
}
