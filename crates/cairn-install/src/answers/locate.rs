// SPDX-License-Identifier: MIT OR Apache-2.0
//! From keys and byte offsets to lines and columns.

use std::fmt;

use toml::de::{DeTable, DeValue};

/// One thing that is wrong with an answer file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line, from 1; 0 where the file as a whole is meant.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// What is wrong. Never holds a secret.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

/// Everything that is wrong with an answer file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct AnswersError {
    /// Name of the file.
    pub file: String,
    /// At least one, in the order of lines.
    pub problems: Vec<Problem>,
}

impl fmt::Display for AnswersError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let end = if index + 1 == self.problems.len() { "" } else { "\n" };
            if problem.line == 0 {
                write!(f, "{}: {}{end}", self.file, problem.message)?;
            } else {
                let Problem { line, column, message, .. } = problem;
                write!(f, "{}:{line}:{column}: {message}{end}", self.file)?;
            }
        }
        Ok(())
    }
}

impl AnswersError {
    /// Returns what to write instead, of the first problem that knows it.
    pub fn hint(&self) -> Option<String> {
        self.problems.iter().find_map(|problem| problem.hint.clone())
    }

    pub(super) fn of_file(file: &str, message: String) -> Self {
        let problem = Problem { line: 0, column: 0, message, hint: None };
        Self { file: file.to_owned(), problems: vec![problem] }
    }
}

/// A problem and the key it is about: `user.0.name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub key: String,
    pub message: String,
    pub hint: Option<String>,
}

/// Makes the error of a file that is no TOML, or whose keys or types are wrong.
pub(super) fn of_toml(file: &str, text: &str, error: &toml::de::Error) -> AnswersError {
    let offset = error.span().map_or(0, |span| span.start);
    let (line, column) = position(text, offset);
    let source = text.lines().nth(line - 1).unwrap_or_default();
    let mut message = error.message().lines().next().unwrap_or_default().to_owned();
    let mut hint = None;
    if let Some((unknown, known)) = unknown_name(error.message()) {
        let names: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        let what = if message.starts_with("unknown variant") { "value" } else { "key" };
        message = format!("unknown {what} `{unknown}`");
        hint = Some(match nearest(unknown, &names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known are {}", names.join(", ")),
        });
    } else if message.contains("key with no value") {
        hint = Some(
            "an answer file is TOML, `key = value`: kickstart, YAML and preseed files are not read"
                .to_owned(),
        );
    } else if source.trim_start().starts_with("password") {
        // serde shows the value that has the wrong type.
        "the value is not a text in quotation marks (it is not shown)".clone_into(&mut message);
    }
    AnswersError { file: file.to_owned(), problems: vec![Problem { line, column, message, hint }] }
}

/// Finds tables that are written as something else: serde would take a list for one, by position.
pub(super) fn wrong_tables(file: &str, text: &str) -> Option<AnswersError> {
    let table = DeTable::parse(text).ok()?;
    let mut found = Vec::new();
    for (key, value) in table.get_ref() {
        let name = key.get_ref().as_ref();
        let tables: Vec<_> = match (name, value.get_ref()) {
            ("user", DeValue::Array(users)) => users.iter().collect(),
            _ => vec![value],
        };
        let is_known = ["system", "user", "storage", "software", "finish"].contains(&name);
        for wrong in tables.into_iter().filter(|one| is_known && !one.get_ref().is_table()) {
            let (line, column) = position(text, wrong.span().start);
            let (message, hint) = if name == "user" {
                ("`user` holds something else than tables".to_owned(), "[[user]]".to_owned())
            } else {
                (format!("`{name}` is not a table"), format!("[{name}]"))
            };
            let hint = Some(format!("write `{hint}`, then its keys"));
            found.push(Problem { line, column, message, hint });
        }
        if let DeValue::Table(storage) = value.get_ref()
            && name == "storage"
            && let Some(disk) = storage.get("disk").filter(|disk| !disk.get_ref().is_table())
        {
            let (line, column) = position(text, disk.span().start);
            let message = "`disk` is not a selector".to_owned();
            let hint = Some("write it like `disk = { serial = \"…\" }`".to_owned());
            found.push(Problem { line, column, message, hint });
        }
    }
    (!found.is_empty()).then(|| AnswersError { file: file.to_owned(), problems: found })
}

/// Splits serde's "unknown field `x`, expected one of `a`, `b`".
fn unknown_name(message: &str) -> Option<(&str, &str)> {
    let rest = message
        .strip_prefix("unknown field `")
        .or_else(|| message.strip_prefix("unknown variant `"))?;
    let (name, known) = rest.split_once("`, ")?;
    Some((name, known))
}

/// Returns the name that was probably meant.
pub(super) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 3)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Gives problems their lines. Without a text, messages name the key.
pub(super) fn place(file: &str, text: &str, found: Vec<Found>) -> AnswersError {
    let table = DeTable::parse(text).ok();
    let mut problems: Vec<Problem> = found
        .into_iter()
        .map(|found| {
            let Found { key, message, hint } = found;
            if text.is_empty() {
                let message = format!("{key}: {message}");
                return Problem { line: 0, column: 0, message, hint };
            }
            let offset = table.as_ref().map_or(0, |table| offset_of(table.get_ref(), &key));
            let (line, column) = position(text, offset);
            Problem { line, column, message, hint }
        })
        .collect();
    problems.sort_by_key(|problem| (problem.line, problem.column));
    AnswersError { file: file.to_owned(), problems }
}

/// Returns the offset of the value at `key`, or of the closest table around it.
fn offset_of(table: &DeTable<'_>, key: &str) -> usize {
    let mut offset = 0;
    let mut value: Option<&DeValue<'_>> = None;
    for part in key.split('.') {
        let next = match (value, part.parse::<usize>()) {
            (None, _) => table.get(part),
            (Some(DeValue::Array(array)), Ok(index)) => array.get(index),
            (Some(DeValue::Table(table)), _) => table.get(part),
            _ => None,
        };
        let Some(next) = next else { break };
        offset = next.span().start;
        value = Some(next.get_ref());
    }
    offset
}

/// Returns line and column of a byte offset, both from 1.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(offset.min(text.len()))];
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |index| index + 1);
    (line, before[start..].chars().count() + 1)
}
