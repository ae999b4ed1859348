// SPDX-License-Identifier: MIT OR Apache-2.0
//! `rpm -i`, `-U`, `-F`, `--reinstall` and `-e`, over the transaction engine.

use super::Context;
use super::files;
use super::keyring;
use super::options::Mode;
use super::problems::{self, dependency_problems};
use super::query::{self, Selected, by_label};
use super::remote;
use super::report::Report;
use super::source;
use super::trust::{self, HeaderChecks};
use crate::failure::{CommandResult, Failure, complain};
use cairn_pkg::TransactionError;
use cairn_pkg::query::sack::header_candidate;
use cairn_pkg::transaction::{
    self, Action, Colors, Outcome, Overrides, Ownership, Scriptlets, TransactionItem,
    TransactionOptions, Trust,
};
use cairn_rpm::header::{Header, Relocation};
use cairn_rpm::tag;
use cairn_solve::Candidate;
use cairn_ui::exit;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

/// A package file that is to be installed.
struct Incoming {
    path: PathBuf,
    header: Header,
    action: Action,
    replaces: Vec<u64>,
}

/// Runs `rpm -i`, `-U`, `-F` and `--reinstall`.
pub fn install(context: &Context, mode: Mode) -> CommandResult {
    let options = &context.options;
    if options.arguments.is_empty() {
        complain("rpm: no packages given for install");
        return Ok(exit::FAILURE);
    }
    recover(context)?;
    let fetched = remote::fetch(context, &options.arguments)?;
    for url in &fetched.failed {
        complain(&format!("error: skipping {url} - transfer failed"));
    }
    if !fetched.failed.is_empty() {
        return Ok(u8::try_from(fetched.failed.len()).unwrap_or(u8::MAX));
    }
    let (sources, files): (Vec<_>, Vec<_>) = read_files(context, &fetched.arguments)?
        .into_iter()
        .partition(|(_, header)| header.is_source());
    let code = if files.is_empty() { exit::SUCCESS } else { install_binary(context, mode, files)? };
    let sources = if mode == Mode::Freshen { Vec::new() } else { sources };
    Ok(code.saturating_add(source::install(context, &sources)?))
}

/// Installs what is not a source package.
fn install_binary(
    context: &Context,
    mode: Mode,
    mut files: Vec<(PathBuf, Header)>,
) -> CommandResult {
    let options = &context.options;
    let installed = query::all(context.database()?.as_ref(), &[])?;
    if mode != Mode::Install {
        files = without_redundant(files, options.verbose > 0);
    }
    let mut seen = BTreeSet::new();
    files.retain(|(_, header)| seen.insert(header.nevra().to_string()));
    let (incoming, problems) = plan(context, mode, files, &installed);
    if incoming.is_empty() {
        return Ok(exit::SUCCESS);
    }
    // As in rpm, what goes wrong counts as the number of elements of the transaction.
    let removed: usize = match mode {
        Mode::Install => 0,
        _ => incoming.iter().map(|package| package.replaces.len()).sum(),
    };
    let failed = u8::try_from(incoming.len() + removed).unwrap_or(u8::MAX).max(1);
    if !options.has("nodeps") {
        let gone: BTreeSet<u64> =
            incoming.iter().flat_map(|package| package.replaces.iter().copied()).collect();
        let headers: Vec<&Header> = incoming.iter().map(|package| &package.header).collect();
        check_dependencies(&installed, &headers, &gone, failed)?;
    }
    let mut report = Report::new(context);
    report.prepare(true);
    if !problems.is_empty() {
        problems.iter().for_each(|line| complain(&format!("\t{line}")));
        return Ok(failed);
    }
    refuse_by_flags(context, &incoming, failed)?;
    let items = incoming.iter().map(|package| TransactionItem {
        action: package.action,
        nevra: package.header.nevra(),
        rpm: Some(package.path.clone()),
        from_repo: String::new(),
        replaces: package.replaces.clone(),
    });
    let outcome = run(context, items.collect(), &mut report, failed)?;
    report.end(&outcome);
    Ok(exit_code(&outcome, u8::try_from(incoming.len()).unwrap_or(u8::MAX)))
}

/// The engine does not know `%_pkgverify_flags`: what they leave of a package may prove too little.
fn refuse_by_flags(context: &Context, incoming: &[Incoming], failed: u8) -> Result<(), Failure> {
    if !trust::leaves_out(context) || demanded_trust(context) == Trust::Nothing {
        return Ok(());
    }
    let keyring = keyring::trusted(context)?;
    let mut lines = Vec::new();
    for package in incoming {
        lines.extend(trust::refusal(context, &keyring, &package.path)?.unwrap_or_default());
    }
    if lines.is_empty() { Ok(()) } else { Err(Failure { code: failed, ..Failure::lines(lines) }) }
}

/// rpm's: as many packages as were asked for if one of them did not come or go.
fn exit_code(outcome: &Outcome, asked: u8) -> u8 {
    let stays = outcome.failures.iter().any(|failure| failure.starts_with("%preun("));
    if outcome.failed.is_empty() && !stays { exit::SUCCESS } else { asked }
}

fn recover(context: &Context) -> Result<(), Failure> {
    for done in cairn_pkg::recover::recover(&context.root, &mut |_| {})? {
        context
            .printer
            .info(&format!("warning: an interrupted transaction was dealt with first: {done:?}"));
    }
    Ok(())
}

fn read_files(context: &Context, arguments: &[String]) -> Result<Vec<(PathBuf, Header)>, Failure> {
    let mut files = Vec::new();
    let mut failed = 0_u8;
    let manifests = !context.options.has("nomanifest");
    let mut checks = HeaderChecks::new(context, "_vsflags_install");
    for found in files::read_all(arguments, manifests) {
        match found {
            Err(unreadable) if !manifests && unreadable.is_foreign => {
                complain(&format!("error: {} cannot be installed", unreadable.path));
                failed = failed.saturating_add(1);
            }
            Ok((_, package))
                if context.options.prefix.is_some()
                    && !package.header.is_source()
                    && package.header.prefixes().len() != 1 =>
            {
                let name = package.header.name();
                complain(&format!("error: package {name} is not relocatable"));
                failed = failed.saturating_add(1);
            }
            Ok((path, package)) if !checks.pass(&path, &package)? => {
                complain(&format!("error: {path} cannot be installed"));
                failed = failed.saturating_add(1);
            }
            Ok((path, package)) => {
                let path = std::path::absolute(&path).unwrap_or_else(|_| PathBuf::from(path));
                files.push((path, package.header));
            }
            Err(unreadable) => {
                complain(&unreadable.message);
                failed = failed.saturating_add(1);
            }
        }
    }
    if failed > 0 { Err(Failure::silent(failed)) } else { Ok(files) }
}

/// Of several versions of one package the newest counts, and what another one obsoletes does not.
fn without_redundant(files: Vec<(PathBuf, Header)>, is_verbose: bool) -> Vec<(PathBuf, Header)> {
    let mut kept: Vec<(PathBuf, Header)> = Vec::new();
    for (path, header) in files {
        let nevra = header.nevra();
        let is_same = |other: &Header| {
            let known = other.nevra();
            known.name == nevra.name && known.arch == nevra.arch
        };
        let rival = kept.iter().position(|(_, other)| {
            is_same(other) || obsoletes(&header, other) || obsoletes(other, &header)
        });
        let Some(at) = rival else {
            kept.push((path, header));
            continue;
        };
        let known = &kept[at].1;
        let is_newer = is_same(known) && known.nevra().evr < nevra.evr;
        let outcome = if is_newer || !is_same(known) && obsoletes(&header, known) {
            "replacing with"
        } else {
            "skipping"
        };
        if is_verbose {
            let known = known.nevra();
            complain(&format!("warning: package {known} was already added, {outcome} {nevra}"));
        }
        if outcome != "skipping" {
            kept[at] = (path, header);
        }
    }
    kept
}

fn obsoletes(new: &Header, old: &Header) -> bool {
    new.name() != old.name()
        && new.obsoletes().iter().any(|o| o.name == old.name() && o.matches_evr(&old.evr()))
}

/// Decides what happens with each file; the second list is rpm's problem lines.
fn plan(
    context: &Context,
    mode: Mode,
    files: Vec<(PathBuf, Header)>,
    installed: &[Selected],
) -> (Vec<Incoming>, Vec<String>) {
    let options = &context.options;
    let mut incoming = Vec::new();
    let mut problems = Vec::new();
    for (path, header) in files {
        let nevra = header.nevra();
        let same_name: Vec<&Selected> =
            installed.iter().filter(|p| p.header.name() == nevra.name).collect();
        let same: Vec<u64> =
            same_name.iter().filter(|p| p.header.nevra() == nevra).map(|p| p.number).collect();
        let mut replaces: Vec<u64> = Vec::new();
        let mut action = Action::Install;
        if mode == Mode::Install {
            if options.has("replacepkgs") {
                replaces.clone_from(&same);
            }
        } else if mode == Mode::Reinstall {
            replaces.clone_from(&same);
        } else {
            replaces.extend(
                same_name
                    .iter()
                    .filter(|p| is_replaced(&header, &p.header, colors(context).transaction))
                    .map(|p| p.number),
            );
        }
        let may_freshen = |p: &Selected| match p.header.evr().cmp(&nevra.evr) {
            Ordering::Less => true,
            Ordering::Greater => options.has("oldpackage"),
            Ordering::Equal => false,
        };
        if mode == Mode::Freshen && !same_name.iter().any(|p| may_freshen(p)) {
            continue;
        }
        problems.extend(foreign(context, &header));
        problems.extend(not_movable(context, &header));
        if !same.is_empty() {
            action = Action::Reinstall;
            if mode != Mode::Reinstall && !options.has("replacepkgs") {
                problems.push(format!("package {nevra} is already installed"));
            }
        } else if !replaces.is_empty() {
            let newer = same_name.iter().find(|p| {
                replaces.contains(&p.number) && p.header.evr().cmp(&nevra.evr) == Ordering::Greater
            });
            action = if newer.is_some() { Action::Downgrade } else { Action::Upgrade };
            if let Some(newer) = newer
                && !options.has("oldpackage")
            {
                let new = newer.header.nevra();
                problems.push(format!(
                    "package {new} (which is newer than {nevra}) is already installed"
                ));
            }
        }
        if !matches!(mode, Mode::Install | Mode::Reinstall) {
            replaces.extend(obsoleted(&header, installed));
        }
        replaces.sort_unstable();
        replaces.dedup();
        incoming.push(Incoming { path, header, action, replaces });
    }
    (incoming, problems)
}

/// Packages of two architectures with ELF files of their own live side by side; all others replace each other.
fn is_replaced(new: &Header, old: &Header, colors: u32) -> bool {
    let color =
        |header: &Header| header.files().iter().fold(0, |color, file| color | file.color & colors);
    let (new, old) = (color(new), color(old));
    new == 0 || old == 0 || new & old != 0
}

/// Packages for other machines.
fn foreign(context: &Context, header: &Header) -> Vec<String> {
    let options = &context.options;
    let nevra = header.nevra();
    let mut problems = Vec::new();
    if !options.has("ignorearch") && !problems::runs_here(&nevra.arch) {
        problems.push(format!("package {nevra} is intended for a different architecture"));
    }
    let system = header.string(tag::OS).unwrap_or("linux");
    if !options.has("ignoreos") && !system.eq_ignore_ascii_case("linux") {
        problems.push(format!("package {nevra} is intended for a different operating system"));
    }
    problems
}

/// Paths that a package does not let be moved.
fn not_movable(context: &Context, header: &Header) -> Vec<String> {
    if context.options.has("badreloc") {
        return Vec::new();
    }
    let prefixes = header.prefixes();
    let relocations = relocations(context);
    let refused = relocations.iter().filter(|moved| !prefixes.contains(&moved.old.as_str()));
    let nevra = header.nevra();
    refused
        .map(|moved| format!("path {} in package {nevra} is not relocatable", moved.old))
        .collect()
}

/// Where files go in place of what packages say.
fn relocations(context: &Context) -> Vec<Relocation> {
    let pairs = context.options.relocations.iter().filter_map(|text| text.split_once('='));
    pairs.map(|(old, new)| Relocation::new(old, new)).collect()
}

/// Returns the installed packages that a new one obsoletes.
fn obsoleted(header: &Header, installed: &[Selected]) -> Vec<u64> {
    let is_obsoleted = |package: &&Selected| obsoletes(header, &package.header);
    installed.iter().filter(is_obsoleted).map(|package| package.number).collect()
}

fn check_dependencies(
    installed: &[Selected],
    coming: &[&Header],
    gone: &BTreeSet<u64>,
    failed: u8,
) -> Result<(), Failure> {
    let mut lines = vec!["error: Failed dependencies:".to_owned()];
    lines.extend(
        coming
            .iter()
            .flat_map(|header| problems::unknown_features(header))
            .map(|line| format!("\t{line}")),
    );
    let candidates: Vec<(u64, Candidate)> = installed
        .iter()
        .map(|package| (package.number, header_candidate(&package.header)))
        .collect();
    let coming: Vec<Candidate> = coming.iter().map(|header| header_candidate(header)).collect();
    let pick = |wanted: bool| -> Vec<&Candidate> {
        candidates
            .iter()
            .filter(|(number, _)| gone.contains(number) == wanted)
            .map(|(_, candidate)| candidate)
            .collect()
    };
    let problems =
        dependency_problems(&pick(false), &coming.iter().collect::<Vec<_>>(), &pick(true));
    lines.extend(problems.into_iter().map(|line| format!("\t{line}")));
    if lines.len() == 1 {
        return Ok(());
    }
    Err(Failure { code: failed, ..Failure::lines(lines) })
}

/// Runs `rpm -e`.
pub fn erase(context: &Context) -> CommandResult {
    let options = &context.options;
    if options.arguments.is_empty() {
        complain("rpm: no packages given for erase");
        return Ok(exit::FAILURE);
    }
    recover(context)?;
    let database = context.database()?;
    let mut going: Vec<Selected> = Vec::new();
    let mut failed = 0_u8;
    for label in &options.arguments {
        let found = by_label(database.as_ref(), label)?;
        if found.is_empty() {
            complain(&format!("error: package {label} is not installed"));
            failed = failed.saturating_add(1);
        } else if found.len() > 1 && !options.has("allmatches") {
            complain(&format!("error: \"{label}\" specifies multiple packages:"));
            found.iter().for_each(|package| complain(&format!("  {}", package.header.nevra())));
            failed = failed.saturating_add(1);
        } else {
            going.extend(
                found
                    .into_iter()
                    .filter(|new| going.iter().all(|known| known.number != new.number))
                    .collect::<Vec<_>>(),
            );
        }
    }
    if failed > 0 {
        return Ok(failed);
    }
    let gone: BTreeSet<u64> = going.iter().map(|package| package.number).collect();
    let elements = u8::try_from(going.len()).unwrap_or(u8::MAX);
    if !options.has("nodeps") {
        let installed = query::all(database.as_ref(), &[])?;
        check_dependencies(&installed, &[], &gone, elements)?;
    }
    drop(database);
    let items = going.iter().map(|package| TransactionItem {
        action: Action::Remove,
        nevra: package.header.nevra(),
        rpm: None,
        from_repo: String::new(),
        replaces: vec![package.number],
    });
    let mut report = Report::new(context);
    report.prepare(false);
    let outcome = run(context, items.collect(), &mut report, elements)?;
    report.end(&outcome);
    Ok(exit_code(&outcome, elements))
}

fn run(
    context: &Context,
    items: Vec<TransactionItem>,
    report: &mut Report<'_>,
    failed: u8,
) -> Result<Outcome, Failure> {
    let options = &context.options;
    let keyring = Arc::new(keyring::trusted(context)?);
    let time = time(context);
    let mut engine = TransactionOptions::live(keyring, time);
    let macros = &context.macros;
    engine.trust = demanded_trust(context);
    if !cairn_host::paths::is_root() {
        engine.ownership = Ownership::Record;
        engine.scriptlets = Scriptlets::Skip;
    }
    if options.has("justdb") {
        engine.scriptlets = Scriptlets::Skip;
    }
    engine.database.clone_from(&context.database_directory);
    engine.overrides = overrides(context);
    let by_macro = macros.value("_excludedocs").is_some_and(|value| value.trim() == "1");
    engine.without_documentation =
        options.has("excludedocs") || by_macro && !options.has("includedocs");
    engine.test_only = options.has("test");
    match transaction::run(&context.root, items, &engine, &mut |event| report.event(&event)) {
        Ok(outcome) => Ok(outcome),
        Err(TransactionError::FileConflicts { conflicts }) => {
            let lines = conflicts.into_iter().map(|line| format!("\t{line}")).collect();
            Err(Failure { code: failed, ..Failure::lines(lines) })
        }
        Err(TransactionError::Package { path, reason, hint }) => {
            let error = TransactionError::Package { path: path.clone(), reason, hint };
            match trust::refusal(context, &engine.keyring, &path)? {
                Some(lines) => {
                    // rpm's words do not tell all of it.
                    trust::advise(&error.to_string());
                    Err(Failure { code: failed, ..Failure::lines(lines) })
                }
                None => Err(error.into()),
            }
        }
        Err(error) => Err(error.into()),
    }
}

/// What package files must prove.
pub fn demanded_trust(context: &Context) -> Trust {
    let options = &context.options;
    // rpm's own switch for systems that install unsigned packages.
    let level = context.macros.value("_pkgverify_level").unwrap_or_default();
    if options.has("noverify") {
        return Trust::Nothing;
    }
    match (options.has("nosignature"), options.has("nodigest"), level.trim()) {
        (true, true, _) | (_, _, "none") => Trust::Nothing,
        (true, ..) | (_, _, "digest") => Trust::OldDigests,
        _ => Trust::Signature,
    }
}

/// The time of the transaction.
fn time(context: &Context) -> u32 {
    given_time().unwrap_or_else(|| u32::try_from(context.clock.now_unix()).unwrap_or(u32::MAX))
}

/// The time that builds of images may set.
fn given_time() -> Option<u32> {
    cairn_host::paths::variable("SOURCE_DATE_EPOCH").and_then(|text| text.parse().ok())
}

/// Which of two architectures' files are installed.
fn colors(context: &Context) -> Colors {
    let usual = Colors::default();
    let number = |name: &str, usual: u32| {
        let value = context.macros.value(name);
        value.and_then(|value| value.trim().parse().ok()).unwrap_or(usual)
    };
    Colors {
        transaction: number("_transaction_color", usual.transaction),
        preferred: number("_prefer_color", usual.preferred),
    }
}

/// What the command line and rpm's configuration change.
fn overrides(context: &Context) -> Overrides {
    let options = &context.options;
    let macros = &context.macros;
    let list = |name: &str, separator: char| -> Vec<String> {
        let value = macros.value(name).unwrap_or_default();
        let parts = value.split(separator).map(str::trim).filter(|part| !part.is_empty());
        parts.map(str::to_owned).collect()
    };
    let mut languages = list("_install_langs", ':');
    if languages.iter().any(|language| language == "all") {
        languages.clear();
    }
    Overrides {
        silenced: options.silenced.kinds.iter().map(|kind| (*kind).to_owned()).collect(),
        replace_files: options.has("replacefiles"),
        database_only: options.has("justdb"),
        exclude_paths: options.exclude_paths.clone(),
        relocations: relocations(context),
        prefix: options.prefix.clone(),
        shared_paths: list("_netsharedpath", ':'),
        languages,
        without_artifacts: options.has("excludeartifacts"),
        without_configuration: options.has("excludeconfigs"),
        without_capabilities: options.has("nocaps"),
        restore_missing: options.has("allfiles"),
        ignore_space: options.has("ignoresize"),
        keep_order: options.has("noorder"),
        replace_quietly: options.mode == Some(Mode::Install),
        leave_out_failed: true,
        macros: Some(macros.clone()),
        colors: colors(context),
        without_database: options.has("nodb"),
        time_advances: given_time().is_some(),
    }
}
