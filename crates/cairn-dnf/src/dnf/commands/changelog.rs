// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf changelog` and `dnf repoquery --changelogs`: change logs, one for all packages of a source.

use crate::dnf::cli::ChangelogArgs;
use crate::dnf::session::{Loaded, Needs, Session};
use crate::failure::{CommandResult, Failure};
use cairn_pkg::query::{Sack, SackPackage, SpecScope, filter, match_spec};
use cairn_rpm::repodata::Changelog;
use cairn_solve::PackageId;
use cairn_ui::format::{Zone, strftime};
use cairn_ui::{escape_control, exit};
use std::collections::BTreeMap;

/// Runs `dnf changelog`.
pub fn changelog(session: &Session, args: &ChangelogArgs) -> CommandResult {
    let since = args.since.as_deref().map(start_of_day).transpose()?;
    let needs = Needs { changelogs: true, ..Needs::ALL };
    let loaded = session.load(needs)?;
    let sack = &loaded.sack;
    // dnf5 takes 0 as all.
    let count = args.count.filter(|count| *count > 0);
    let heading = match (since, count, args.upgrades) {
        (Some(since), ..) => {
            format!(
                "Listing changelogs since {}",
                strftime(since, Zone::Utc, "%a %b %e %H:%M:%S %Y")
            )
        }
        (None, Some(_), _) => "Listing only latest changelogs".to_owned(),
        (None, None, true) => {
            "Listing only new changelogs since installed version of the package".to_owned()
        }
        (None, None, false) => "Listing all changelogs".to_owned(),
    };
    session.printer.data(&heading);
    let ids = select(sack, args);
    if args.upgrades {
        print_new(session, &loaded, &ids);
        return Ok(exit::SUCCESS);
    }
    print(session, &loaded, &ids, &|_, log| {
        let is_shown = |entry: &&Changelog| {
            since.is_none_or(|since| i64::try_from(entry.time).is_ok_and(|time| time >= since))
        };
        log.iter().filter(is_shown).take(count.unwrap_or(usize::MAX)).cloned().collect()
    });
    Ok(exit::SUCCESS)
}

/// Returns the packages that the arguments mean: with names the latest of each, else all; what is installed only where no repository has it.
fn select(sack: &Sack, args: &ChangelogArgs) -> Vec<PackageId> {
    let mut ids: Vec<PackageId> = if args.upgrades {
        filter::newer(sack)
    } else {
        let is_offered = |package: &SackPackage<'_>| {
            sack.available().any(|other| other.nevra() == package.nevra())
        };
        let installed = sack.installed().filter(|package| !is_offered(package));
        installed.chain(sack.available()).map(|package| package.id).collect()
    };
    if args.specs.is_empty() {
        return ids;
    }
    let wanted: Vec<PackageId> =
        args.specs.iter().flat_map(|spec| match_spec(sack, spec, SpecScope::All).0).collect();
    ids.retain(|id| wanted.contains(id));
    filter::latest(sack, &ids, 1)
}

/// Reads `YYYY-MM-DD` as the seconds since 1970 at which the day begins, UTC.
pub fn start_of_day(text: &str) -> Result<i64, Failure> {
    cairn_ui::format::start_of_day(text).ok_or_else(|| {
        Failure::usage(format!(
            "Invalid date passed: \"{text}\". Dates in \"YYYY-MM-DD\" format are expected."
        ))
    })
}

/// Returns the time of the newest entry of the installed version.
fn newest_installed(loaded: &Loaded, package: SackPackage<'_>) -> Option<u64> {
    let installed = loaded.sack.by_name(&package.nevra().name).filter(SackPackage::is_installed);
    installed.filter_map(|own| log_of(loaded, own).first().map(|entry| entry.time)).max()
}

/// Prints the entries that are newer than the installed versions.
pub fn print_new(session: &Session, loaded: &Loaded, ids: &[PackageId]) {
    print(session, loaded, ids, &|package, log| {
        let newest = newest_installed(loaded, package);
        let is_new = |entry: &&Changelog| newest.is_none_or(|newest| entry.time > newest);
        log.iter().filter(is_new).cloned().collect()
    });
}

fn log_of<'a>(loaded: &'a Loaded, package: SackPackage<'_>) -> &'a [Changelog] {
    let key = if package.is_installed() {
        package.nevra().to_string()
    } else {
        package.details.checksum.clone()
    };
    loaded.changelogs.get(&key).map_or(&[], Vec::as_slice)
}

/// Prints the change logs of packages, those of one source once; `chosen` says which entries.
pub fn print(
    session: &Session,
    loaded: &Loaded,
    ids: &[PackageId],
    chosen: &dyn Fn(SackPackage<'_>, &[Changelog]) -> Vec<Changelog>,
) {
    let mut by_source: BTreeMap<String, Vec<SackPackage<'_>>> = BTreeMap::new();
    for id in ids {
        let package = loaded.sack.get(*id);
        let source = match package.nevra().arch.as_str() {
            "src" => format!("{}.rpm", package.nevra().file_stem()),
            _ => package.details.sourcerpm.clone(),
        };
        by_source.entry(source).or_default().push(package);
    }
    for packages in by_source.values_mut() {
        packages.sort_by(|a, b| a.nevra().cmp(b.nevra()));
        let names: Vec<String> =
            packages.iter().map(|package| package.nevra().to_string()).collect();
        session.printer.data(&format!("Changelogs for {}", names.join(", ")));
        // Repositories name the oldest entry first.
        let mut log = log_of(loaded, packages[0]).to_vec();
        log.sort_by_key(|entry| std::cmp::Reverse(entry.time));
        for entry in chosen(packages[0], &log) {
            let time = i64::try_from(entry.time).unwrap_or(i64::MAX);
            let day = strftime(time, Zone::Local, "%a %b %d %H:%M:%S %Y");
            session.printer.data(&escape_control(&format!("* {day} {}", entry.author)));
            entry.text.lines().for_each(|line| session.printer.data(&escape_control(line)));
            session.printer.data("");
        }
    }
}
