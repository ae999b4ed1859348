// SPDX-License-Identifier: MIT OR Apache-2.0
//! `rpm -V`: installed packages against the disk, and their dependencies.

use super::Context;
use super::options::Source;
use super::problems::unmet_requirements;
use super::query::{self, Selected};
use crate::failure::{CommandResult, Failure, complain};
use cairn_host::Root;
use cairn_pkg::event::Event;
use cairn_pkg::query::sack::header_candidate;
use cairn_pkg::rpmdb::RpmDb;
use cairn_pkg::scriptlet::{self, LUA_FAILED, NO_INTERPRETER};
use cairn_pkg::verify::{FileVerdict, Finding, attribute, may_miss, missing, verify_packages};
use cairn_rpm::header::{FileEntry, FileFlags, Header};
use cairn_solve::Candidate;
use cairn_ui::exit;

/// Column letters in their order.
const COLUMNS: &str = "SM5DLUGTP";

/// Packages whose files are compared side by side before anything is said of them.
const AT_ONCE: usize = 32;

/// Runs `rpm -V`. As in rpm, the exit code is the sum of those of the arguments: 1 where it means no package, else that of the last
/// package with something wrong, the number of its unmet requirements, or 1.
pub fn run(context: &Context, name: &str) -> CommandResult {
    let options = &context.options;
    if options.arguments.is_empty() && options.source != Source::All {
        complain(&format!("{name}: no arguments given for verify"));
        return Ok(exit::FAILURE);
    }
    let database = context.database()?;
    let installed: Vec<Candidate> = if options.has("nodeps") {
        Vec::new()
    } else {
        query::all(database.as_ref(), &[])?.iter().map(|p| header_candidate(&p.header)).collect()
    };
    let everything: Vec<&Candidate> = installed.iter().collect();
    let together = matches!(options.source, Source::All | Source::Package);
    let size = if together { options.arguments.len().max(1) } else { 1 };
    let mut parts: Vec<&[String]> = options.arguments.chunks(size).collect();
    if parts.is_empty() {
        parts.push(&[]);
    }
    let mut sum = exit::SUCCESS;
    for arguments in parts {
        let mut code = exit::SUCCESS;
        let mut selected: Vec<Selected> = Vec::new();
        query::select_by(context, arguments, &mut |found| match found {
            Ok(package) => selected.push(package),
            Err(()) => code = exit::FAILURE,
        })?;
        selected.retain(|package| package.header.name() != "gpg-pubkey");
        for some in selected.chunks(AT_ONCE) {
            let verdicts = verdicts(context, some)?;
            for (package, verdicts) in some.iter().zip(&verdicts) {
                let found = verify(context, (package, verdicts), &everything, database.as_ref())?;
                code = if found == exit::SUCCESS { code } else { found };
            }
        }
        sum = sum.saturating_add(code);
    }
    Ok(sum)
}

/// Compares the files of packages with the disk.
fn verdicts(context: &Context, packages: &[Selected]) -> Result<Vec<Vec<FileVerdict>>, Failure> {
    if context.options.has("nofiles") {
        return Ok(vec![Vec::new(); packages.len()]);
    }
    let headers: Vec<&Header> = packages.iter().map(|package| &package.header).collect();
    Ok(verify_packages(&context.root, &headers)?)
}

/// Verifies one package, whose files were compared; returns its exit code.
fn verify(
    context: &Context,
    (package, verdicts): (&Selected, &[FileVerdict]),
    installed: &[&Candidate],
    database: Option<&RpmDb>,
) -> Result<u8, Failure> {
    let options = &context.options;
    let mut found = exit::SUCCESS;
    if !options.has("nodeps") {
        found = show_unmet(context, package, installed);
    }
    if !options.has("nofiles") && show_files(context, (package, verdicts), database)? {
        found = exit::FAILURE;
    }
    if !options.has("noscripts") && !run_script(context, package, database)? {
        found = exit::FAILURE;
    }
    Ok(found)
}

/// Runs `%verify`; returns whether it is content.
fn run_script(
    context: &Context,
    package: &Selected,
    database: Option<&RpmDb>,
) -> Result<bool, Failure> {
    let mut output = String::new();
    let named = database.map(|db| db.numbers_by_name(package.header.name())).transpose()?;
    let count = i32::try_from(named.map_or(0, |numbers| numbers.len())).unwrap_or(i32::MAX);
    let failure = scriptlet::run_verify(&context.root, &package.header, count, &mut |event| {
        if let Event::ScriptletOutput { text, .. } = event {
            output.push_str(&text);
        }
    });
    if failure.as_deref() == Some(LUA_FAILED) || output.starts_with(NO_INTERPRETER) {
        // What the script wrote is the message.
        complain(output.trim_end());
    } else if context.options.verbose > 0 {
        context.printer.raw(&output);
    }
    if let Some(failure) = failure.as_ref().filter(|failure| failure.as_str() != LUA_FAILED) {
        complain(&format!("error: %verify({}) {failure}", package.header.nevra()));
    }
    Ok(failure.is_none())
}

fn show_unmet(context: &Context, package: &Selected, installed: &[&Candidate]) -> u8 {
    let unmet = unmet_requirements(&header_candidate(&package.header), installed, true);
    if unmet.is_empty() {
        return exit::SUCCESS;
    }
    let name = package.header.nevra();
    context.printer.data(&format!("Unsatisfied dependencies for {name}:"));
    for wanted in &unmet {
        context.printer.data(&format!("\t{wanted} is needed by (installed) {name}"));
    }
    u8::try_from(unmet.len()).unwrap_or(u8::MAX)
}

fn show_files(
    context: &Context,
    (package, verdicts): (&Selected, &[FileVerdict]),
    database: Option<&RpmDb>,
) -> Result<bool, Failure> {
    let mut failed = false;
    let options = &context.options;
    for file in package.header.files() {
        let unwanted = [
            (options.files.no_ghost, FileFlags::GHOST),
            (options.files.no_config, FileFlags::CONFIG),
            (options.files.no_artifact, FileFlags::ARTIFACT),
        ];
        let restricts = [
            (options.files.configuration, FileFlags::CONFIG),
            (options.files.documentation, FileFlags::DOC),
            (options.files.licenses, FileFlags::LICENSE),
            (options.files.artifacts, FileFlags::ARTIFACT),
        ];
        let only = restricts.iter().any(|(only, _)| *only);
        if unwanted.iter().any(|(without, flag)| *without && file.flags.contains(*flag))
            || only && !restricts.iter().any(|(wanted, flag)| *wanted && file.flags.contains(*flag))
        {
            continue;
        }
        let found = verdicts.iter().find(|verdict| verdict.path == file.path);
        let mut skip = options.skip_checks.clone();
        if found.is_some_and(is_touched) && is_shared(database, &file)? {
            skip.push('T');
        }
        // Package files have no states.
        let is_verbose = options.verbose > 0;
        let state =
            if package.number == 0 { String::new() } else { unusual_state(&file, is_verbose) };
        if let Some(line) = found.and_then(|verdict| line(verdict, &skip)) {
            context.printer.data(&format!("{line}{state}"));
            failed = true;
            continue;
        }
        if !is_verbose && state.is_empty() {
            continue;
        }
        let missed = missed(&context.root, &file)?;
        if is_verbose || missed.is_none() {
            context.printer.data(&format!("{}{state}", missed.as_ref().unwrap_or(&good(&file))));
        }
    }
    Ok(failed)
}

/// Returns the verdict on a file that may miss and does, which only `-v` shows.
fn missed(root: &Root, file: &FileEntry) -> Result<Option<FileVerdict>, Failure> {
    if !may_miss(file) || root.symlink_metadata(&file.path)?.is_some() {
        return Ok(None);
    }
    Ok(Some(FileVerdict { finding: missing(root, &file.path)?, ..good(file) }))
}

/// Returns the verdict on a file without fault.
fn good(file: &FileEntry) -> FileVerdict {
    FileVerdict {
        attribute: attribute(file),
        path: file.path.clone(),
        finding: Finding::Changed(".".repeat(COLUMNS.len())),
    }
}

/// Tells whether the time of a file differs.
fn is_touched(verdict: &FileVerdict) -> bool {
    matches!(&verdict.finding, Finding::Changed(columns) if columns.contains('T'))
}

/// Tells whether several packages have a file: its time is that of one of them.
fn is_shared(database: Option<&RpmDb>, file: &FileEntry) -> Result<bool, Failure> {
    Ok(database.map(|db| db.by_file(&file.path)).transpose()?.is_some_and(|all| all.len() > 1))
}

/// Returns ` (replaced)`, with `-v` also ` (not installed)` and the like, nothing for a file that was installed.
fn unusual_state(file: &FileEntry, is_verbose: bool) -> String {
    match file.state {
        None | Some(0) => String::new(),
        Some(2..=4) if !is_verbose => String::new(),
        Some(_) => format!(" ({})", query::state_text(file)),
    }
}

/// Returns rpm's line, `None` when only skipped checks failed.
fn line(verdict: &FileVerdict, skip: &[char]) -> Option<String> {
    let attribute = verdict.attribute.unwrap_or(' ');
    let Finding::Changed(columns) = &verdict.finding else { return Some(verdict.to_string()) };
    let masked: String = columns
        .chars()
        .zip(COLUMNS.chars())
        .map(|(shown, letter)| if skip.contains(&letter) { '.' } else { shown })
        .collect();
    masked.contains(|c| c != '.').then(|| format!("{masked}  {attribute} {}", verdict.path))
}
