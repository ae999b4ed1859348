// SPDX-License-Identifier: MIT OR Apache-2.0
//! `rpm -i`, `-U`, `-F`, `--reinstall` and `-e`, over the transaction engine.

use super::Context;
use super::keys::trusted_keys;
use super::options::Mode;
use super::problems::dependency_problems;
use super::query::{self, Selected, by_label, nvra, read_file};
use crate::failure::{CommandResult, Failure, complain};
use cairn_pkg::query::sack::header_candidate;
use cairn_pkg::transaction::{
    self, Action, Outcome, Ownership, Scriptlets, TransactionItem, TransactionOptions, Trust,
};
use cairn_rpm::header::Header;
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
    let files = read_files(context)?;
    let installed = query::all(context.database()?.as_ref(), &[])?;
    let (incoming, problems) = plan(context, mode, files, &installed);
    if !problems.is_empty() {
        if options.hash {
            for label in ["Verifying...", "Preparing..."] {
                context.printer.data(&format!("{label:<38}{}", "#".repeat(40)));
            }
        }
        problems.iter().for_each(|line| complain(&format!("\t{line}")));
        let removed: usize = match mode {
            Mode::Install => 0,
            _ => incoming.iter().map(|package| package.replaces.len()).sum(),
        };
        // As rpm: the number of elements of the transaction.
        return Ok(u8::try_from(incoming.len() + removed).unwrap_or(u8::MAX).max(1));
    }
    if incoming.is_empty() {
        return Ok(exit::SUCCESS);
    }
    if !options.no_deps {
        let gone: BTreeSet<u64> =
            incoming.iter().flat_map(|package| package.replaces.iter().copied()).collect();
        let headers: Vec<&Header> = incoming.iter().map(|package| &package.header).collect();
        check_dependencies(&installed, &headers, &gone)?;
    }
    let items = incoming.iter().map(|package| TransactionItem {
        action: package.action,
        nevra: package.header.nevra(),
        rpm: Some(package.path.clone()),
        from_repo: String::new(),
        replaces: package.replaces.clone(),
    });
    let outcome = run(context, items.collect())?;
    report(context, &outcome);
    Ok(u8::from(!outcome.failures.is_empty()))
}

fn recover(context: &Context) -> Result<(), Failure> {
    for done in cairn_pkg::recover::recover(&context.root, &mut |_| {})? {
        context
            .printer
            .info(&format!("warning: an interrupted transaction was dealt with first: {done:?}"));
    }
    Ok(())
}

fn read_files(context: &Context) -> Result<Vec<(PathBuf, Header)>, Failure> {
    let mut files = Vec::new();
    let mut failed = 0_u8;
    for argument in &context.options.arguments {
        match read_file(argument) {
            Ok(package) => {
                let path =
                    std::path::absolute(argument).unwrap_or_else(|_| PathBuf::from(argument));
                files.push((path, package.header));
            }
            Err(message) => {
                complain(&message);
                failed = failed.saturating_add(1);
            }
        }
    }
    if failed > 0 { Err(Failure::silent(failed)) } else { Ok(files) }
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
            replaces.clone_from(&same);
        } else {
            replaces.extend(same_name.iter().map(|p| p.number));
        }
        if mode == Mode::Freshen && !same_name.iter().any(|p| p.header.evr() < nevra.evr) {
            continue;
        }
        if mode == Mode::Reinstall && same.is_empty() {
            problems.push(format!("package {} is not installed", nvra(&header)));
        }
        if !same.is_empty() {
            action = Action::Reinstall;
            if mode != Mode::Reinstall && !options.replace_packages {
                problems.push(format!("package {} is already installed", nvra(&header)));
            }
        } else if !replaces.is_empty() {
            let newer =
                same_name.iter().find(|p| p.header.evr().cmp(&nevra.evr) == Ordering::Greater);
            action = if newer.is_some() { Action::Downgrade } else { Action::Upgrade };
            if let Some(newer) = newer
                && !options.old_package
            {
                let (new, old) = (nvra(&newer.header), nvra(&header));
                problems.push(format!(
                    "package {new} (which is newer than {old}) is already installed"
                ));
            }
        }
        if mode != Mode::Install {
            replaces.extend(obsoleted(&header, installed));
        }
        replaces.sort_unstable();
        replaces.dedup();
        incoming.push(Incoming { path, header, action, replaces });
    }
    (incoming, problems)
}

/// Returns the installed packages that a new one obsoletes.
fn obsoleted(header: &Header, installed: &[Selected]) -> Vec<u64> {
    let obsoletes = header.obsoletes();
    let is_obsoleted = |package: &&Selected| {
        package.header.name() != header.name()
            && obsoletes
                .iter()
                .any(|o| o.name == package.header.name() && o.matches_evr(&package.header.evr()))
    };
    installed.iter().filter(is_obsoleted).map(|package| package.number).collect()
}

fn check_dependencies(
    installed: &[Selected],
    coming: &[&Header],
    gone: &BTreeSet<u64>,
) -> Result<(), Failure> {
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
    if problems.is_empty() {
        return Ok(());
    }
    let mut lines = vec!["error: Failed dependencies:".to_owned()];
    lines.extend(problems.into_iter().map(|line| format!("\t{line}")));
    Err(Failure::lines(lines))
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
        } else if found.len() > 1 && !options.all_matches {
            complain(&format!("error: \"{label}\" specifies multiple packages:"));
            found.iter().for_each(|package| complain(&format!("  {}", nvra(&package.header))));
            failed = failed.saturating_add(1);
        } else {
            going.extend(found);
        }
    }
    if failed > 0 {
        return Ok(failed);
    }
    let gone: BTreeSet<u64> = going.iter().map(|package| package.number).collect();
    if !options.no_deps {
        let installed = query::all(database.as_ref(), &[])?;
        check_dependencies(&installed, &[], &gone)?;
    }
    drop(database);
    let items = going.iter().map(|package| TransactionItem {
        action: Action::Remove,
        nevra: package.header.nevra(),
        rpm: None,
        from_repo: String::new(),
        replaces: vec![package.number],
    });
    let outcome = run(context, items.collect())?;
    report(context, &outcome);
    Ok(u8::from(!outcome.failures.is_empty()))
}

fn run(context: &Context, items: Vec<TransactionItem>) -> Result<Outcome, Failure> {
    let options = &context.options;
    let keyring = Arc::new(trusted_keys(context)?);
    let time = u32::try_from(context.clock.now_unix()).unwrap_or(u32::MAX);
    let mut engine = TransactionOptions::live(keyring, time);
    if options.no_signature {
        engine.trust = Trust::Digests;
    }
    if !cairn_host::paths::is_root() {
        engine.ownership = Ownership::Record;
        engine.scriptlets = Scriptlets::Skip;
    }
    if options.no_scripts {
        engine.scriptlets = Scriptlets::Skip;
    }
    engine.without_documentation = options.exclude_docs;
    engine.test_only = options.test;
    let mut messages = Vec::new();
    let result = transaction::run(&context.root, items, &engine, &mut |event| match event {
        cairn_pkg::event::Event::ScriptletOutput { text, .. } => {
            messages.push(text.trim_end().to_owned());
        }
        cairn_pkg::event::Event::Warning(text) => messages.push(format!("warning: {text}")),
        _ => {}
    });
    messages.iter().filter(|message| !message.is_empty()).for_each(|message| complain(message));
    Ok(result?)
}

/// Shows what was done: with `-v` names, with `-h` bars; these are always full, since all is committed at once.
fn report(context: &Context, outcome: &Outcome) {
    let options = &context.options;
    for note in &outcome.notes {
        complain(&format!("warning: {note}"));
    }
    for failure in &outcome.failures {
        complain(&format!("warning: {failure}"));
    }
    let bar = |label: &str| {
        if options.hash {
            context.printer.data(&format!("{label:<38}{}", "#".repeat(40)));
        } else if options.verbose > 0 {
            context.printer.data(label);
        }
    };
    let heading = |text: &str| {
        if options.hash || options.verbose > 0 {
            context.printer.data(text);
        }
    };
    if options.hash {
        if !outcome.added.is_empty() {
            bar("Verifying...");
        }
        bar("Preparing...");
    } else if options.verbose > 0 {
        heading("Preparing packages...");
    }
    if options.test {
        return;
    }
    let name =
        |nevra: &cairn_rpm::evr::Nevra| format!("{}-{}", nevra.name, nevra.evr.without_epoch());
    if !outcome.added.is_empty() && options.hash {
        heading("Updating / installing...");
    }
    outcome.added.iter().for_each(|(nevra, _)| bar(&name(nevra)));
    if !outcome.removed.is_empty() && options.hash {
        heading("Cleaning up / removing...");
    }
    outcome.removed.iter().for_each(|(nevra, _)| bar(&name(nevra)));
}
