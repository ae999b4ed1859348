// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf history list` and `dnf history info`.

use crate::dnf::cli::HistoryArgs;
use crate::dnf::session::Session;
use crate::dnf::table::{Side, columns, cut, key_values};
use crate::failure::{CommandResult, Failure};
use cairn_pkg::state::history::{GroupKind, History, HistoryRecord};
use cairn_ui::format::{Zone, date_time};
use cairn_ui::{Stream, exit};
use serde_json::json;

/// Width of lists where the output is no terminal.
const LIST_WIDTH: usize = 80;
/// Width of what stands behind the command line in lists.
const BEHIND_COMMAND: usize = " 2026-01-01 00:00:00 Action(s) Altered".len();

/// Runs `dnf history list`.
pub fn list(session: &Session, args: &HistoryArgs) -> CommandResult {
    let Some(history) = History::open(&session.root)? else {
        return if args.json { print_json(session, &json!([])) } else { Ok(exit::SUCCESS) };
    };
    let mut records = history.list()?;
    if !args.specs.is_empty() {
        let wanted = numbers(&args.specs, &records)?;
        records.retain(|record| wanted.contains(&record.id));
    }
    if !args.contains_pkgs.is_empty() {
        let with = with_packages(&history, &args.contains_pkgs)?;
        records.retain(|record| with.contains(&record.id));
    }
    if args.reverse {
        records.reverse();
    }
    if args.json {
        let values: Vec<serde_json::Value> = records.iter().map(list_value).collect();
        return print_json(session, &json!(values));
    }
    if records.is_empty() {
        return Ok(exit::SUCCESS);
    }
    let mut rows = vec![
        ["ID", "Command line", "Date and time", "Action(s)", "Altered"].map(str::to_owned).to_vec(),
    ];
    let id_width = records.iter().map(|record| record.id.to_string().len()).max().unwrap_or(0);
    let before = id_width.max("ID".len()) + 1;
    let total = session.printer.width(Stream::Out).unwrap_or(LIST_WIDTH);
    let width = total.saturating_sub(before + BEHIND_COMMAND).max(20);
    for record in &records {
        rows.push(vec![
            record.id.to_string(),
            cut(&record.description, width),
            date_time(record.begin, Zone::Local),
            String::new(),
            record.n_items.to_string(),
        ]);
    }
    for line in columns(&[Side::Right, Side::Left, Side::Left, Side::Left, Side::Right], &rows) {
        session.printer.data(&line);
    }
    Ok(exit::SUCCESS)
}

/// Runs `dnf history info`.
pub fn info(session: &Session, args: &HistoryArgs) -> CommandResult {
    let Some(history) = History::open(&session.root)? else {
        return no_match(session, args);
    };
    let records = history.list()?;
    let specs = if args.specs.is_empty() { vec!["last".to_owned()] } else { args.specs.clone() };
    let mut wanted = numbers(&specs, &records)?;
    wanted.sort_unstable_by(|a, b| b.cmp(a));
    if !args.contains_pkgs.is_empty() {
        let with = with_packages(&history, &args.contains_pkgs)?;
        wanted.retain(|id| with.contains(id));
    }
    if args.reverse {
        wanted.reverse();
    }
    if wanted.is_empty() {
        return no_match(session, args);
    }
    let users = session.root.read_to_string("etc/passwd").unwrap_or_default();
    let mut values = Vec::new();
    for id in wanted {
        let Some(record) = history.get(id)? else {
            return Err(Failure::new(format!("no transaction {id}"))
                .hint("`dnf history list` shows all of them"));
        };
        if args.json {
            values.push(info_value(&record, &users));
        } else {
            show(session, &record, &users);
        }
    }
    if args.json { print_json(session, &json!(values)) } else { Ok(exit::SUCCESS) }
}

/// Says that no transaction fits.
fn no_match(session: &Session, args: &HistoryArgs) -> CommandResult {
    if args.json {
        return print_json(session, &json!([]));
    }
    let line = "No match found, history info defaults to considering only the last transaction, specify \"1..last\" range to search all \
                transactions.";
    session.printer.data(line);
    Ok(exit::SUCCESS)
}

fn with_packages(history: &History, patterns: &[String]) -> Result<Vec<i64>, Failure> {
    let mut ids = Vec::new();
    for pattern in patterns {
        ids.extend(history.with_package(pattern)?);
    }
    Ok(ids)
}

/// Returns the one transaction that a number or `last` means.
pub fn one_number(spec: &str, records: &[HistoryRecord]) -> Result<i64, Failure> {
    let found = numbers(&[spec.to_owned()], records)?;
    match found.as_slice() {
        [one] if records.iter().any(|record| record.id == *one) => Ok(*one),
        _ => Err(Failure::new("No matching transaction ID found, exactly one required.")
            .hint("`dnf history list` shows all of them")),
    }
}

/// Returns the transactions that numbers, ranges and `last` mean, in the order given.
fn numbers(specs: &[String], records: &[HistoryRecord]) -> Result<Vec<i64>, Failure> {
    let newest = records.iter().map(|record| record.id).max().unwrap_or(0);
    let number = |text: &str, spec: &str| -> Result<i64, Failure> {
        let wrong = || {
            Failure::new(format!(
                "Invalid transaction ID range \"{spec}\", \"ID\" or \"ID..ID\" expected, where ID is \"NUMBER\", \"last\" or \
                 \"last-NUMBER\"."
            ))
        };
        match text.strip_prefix("last") {
            Some("") => Ok(newest),
            Some(rest) => {
                let back = rest.strip_prefix('-').and_then(whole).ok_or_else(wrong)?;
                Ok(newest - back)
            }
            None => whole(text).ok_or_else(wrong),
        }
    };
    let mut found = Vec::new();
    for spec in specs {
        match spec.split_once("..") {
            Some((from, to)) => {
                let (from, to) = (number(from, spec)?, number(to, spec)?);
                found.extend(
                    records
                        .iter()
                        .map(|r| r.id)
                        .filter(|id| (from.min(to)..=from.max(to)).contains(id)),
                );
            }
            None => found.push(number(spec, spec)?),
        }
    }
    found.dedup();
    Ok(found)
}

/// Returns the number that digits, and nothing else, write.
fn whole(digits: &str) -> Option<i64> {
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok())?
}

fn show(session: &Session, record: &HistoryRecord, users: &str) {
    let end = record.end.map_or_else(String::new, |end| date_time(end, Zone::Local));
    let pairs = [
        ("Transaction ID", record.id.to_string()),
        ("Begin time", date_time(record.begin, Zone::Local)),
        ("Begin rpmdb", record.rpmdb_begin.clone()),
        ("End time", end),
        ("End rpmdb", record.rpmdb_end.clone()),
        ("User", user_text(record.user_id, users)),
        ("Status", record.state.as_str().to_owned()),
        ("Releasever", record.releasever.clone()),
        ("Description", record.description.clone()),
        ("Comment", record.comment.clone()),
    ];
    for line in key_values(&pairs) {
        session.printer.data(&line);
    }
    let items = record.items.iter().map(|item| {
        [item.action.as_str(), &item.nevra.with_epoch(), item.reason.as_str(), &item.repository]
            .map(str::to_owned)
    });
    show_altered(session, "Packages", items.collect());
    for (title, kind) in [("Groups", GroupKind::Group), ("Environments", GroupKind::Environment)] {
        let groups = record.groups.iter().filter(|group| group.kind == kind).map(|group| {
            [group.action.as_str(), &group.id, group.reason.as_str(), &group.repository]
                .map(str::to_owned)
        });
        show_altered(session, title, groups.collect());
    }
    session.printer.data("");
}

fn show_altered(session: &Session, title: &str, altered: Vec<[String; 4]>) {
    if altered.is_empty() {
        return;
    }
    session.printer.data(&format!("{title} altered:"));
    let mut rows =
        vec![["  Action", "Package", "Reason", "Repository"].map(str::to_owned).to_vec()];
    for [action, name, reason, repository] in altered {
        rows.push(vec![format!("  {action}"), name, reason, repository]);
    }
    for line in columns(&[Side::Left; 4], &rows) {
        session.printer.data(&line);
    }
}

/// Returns `0 root <root>`: number, full name and login name.
fn user_text(id: u32, passwd: &str) -> String {
    let entry = passwd
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.get(2).is_some_and(|field| field.parse() == Ok(id)));
    match entry {
        Some(fields) => {
            let login = fields.first().copied().unwrap_or_default();
            let full = fields
                .get(4)
                .and_then(|gecos| gecos.split(',').next())
                .filter(|name| !name.is_empty());
            format!("{id} {} <{login}>", full.unwrap_or(login))
        }
        None => id.to_string(),
    }
}

fn list_value(record: &HistoryRecord) -> serde_json::Value {
    json!({
        "id": record.id,
        "command_line": record.description,
        "start_time": record.begin,
        "end_time": record.end,
        "user_id": record.user_id,
        "status": record.state.as_str(),
        "releasever": record.releasever,
        "altered_count": record.n_items,
    })
}

fn info_value(record: &HistoryRecord, users: &str) -> serde_json::Value {
    let packages: Vec<serde_json::Value> = record
        .items
        .iter()
        .map(|item| {
            json!({
                "nevra": item.nevra.with_epoch(),
                "action": item.action.as_str(),
                "reason": item.reason.as_str(),
                "repository": item.repository,
            })
        })
        .collect();
    let groups = |kind: GroupKind| -> Vec<serde_json::Value> {
        let of_kind = record.groups.iter().filter(|group| group.kind == kind);
        of_kind
            .map(|group| {
                json!({
                    "id": group.id,
                    "action": group.action.as_str(),
                    "reason": group.reason.as_str(),
                    "repository": group.repository,
                })
            })
            .collect()
    };
    json!({
        "id": record.id,
        "start_time": record.begin,
        "end_time": record.end,
        "rpmdb_version_begin": record.rpmdb_begin,
        "rpmdb_version_end": record.rpmdb_end,
        "user_id": record.user_id,
        "user_name": user_text(record.user_id, users),
        "status": record.state.as_str(),
        "releasever": record.releasever,
        "description": record.description,
        "comment": record.comment,
        "packages": packages,
        "groups": groups(GroupKind::Group),
        "environments": groups(GroupKind::Environment),
    })
}

fn print_json(session: &Session, value: &serde_json::Value) -> CommandResult {
    session
        .printer
        .json(value)
        .map_err(|error| Failure::new(format!("cannot write JSON: {error}")))?;
    Ok(exit::SUCCESS)
}
