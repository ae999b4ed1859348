// SPDX-License-Identifier: MIT OR Apache-2.0
//! The INI dialect of `dnf.conf` and `*.repo` files: sections, `key = value`, continuation lines, `#` and `;` comments.
//!
//! The parser is strict where dnf's is silent: a key before the first section, a key given twice and a line that is
//! neither are errors with their position. It does not know any key; [`super::config`] does.

use super::ConfigError;

/// Longest line accepted, in bytes.
pub const MAX_LINE: usize = 65_536;
/// Largest file accepted, in bytes.
pub const MAX_FILE: usize = 4 << 20;

/// One `[section]` with its entries in file order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Text between the brackets.
    pub name: String,
    /// Line of the header, counted from 1.
    pub line: usize,
    /// Entries in file order; keys are unique.
    pub entries: Vec<Entry>,
}

/// One `key = value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Key as written, without surrounding blanks.
    pub key: String,
    /// Value; continuation lines are joined with `\n`.
    pub value: String,
    /// Line of the key, counted from 1.
    pub line: usize,
}

/// Parses `bytes`; `file` is the name used in errors.
///
/// A byte order mark, CR LF line ends and tabs are accepted.
///
/// # Errors
/// The first problem, with line and column.
pub fn parse(file: &str, bytes: &[u8]) -> Result<Vec<Section>, ConfigError> {
    let error = |line: usize, problem: Problem| ConfigError {
        file: file.to_owned(),
        line,
        column: problem.column,
        message: problem.message,
        hint: problem.hint.map(str::to_owned),
    };
    if bytes.len() > MAX_FILE {
        let message = format!("file has {} bytes (limit {MAX_FILE})", bytes.len());
        let hint = Some("no configuration is that long: is this a configuration file?");
        return Err(error(1, Problem { column: 0, message, hint }));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut sections: Vec<Section> = Vec::new();
    for (index, raw) in bytes.split(|b| *b == b'\n').enumerate() {
        let line = index + 1;
        decode_line(raw)
            .and_then(|text| parse_line(text, line, &mut sections))
            .map_err(|problem| error(line, problem))?;
    }
    Ok(sections)
}

/// What is wrong with a line.
struct Problem {
    column: usize,
    message: String,
    hint: Option<&'static str>,
}

/// Checks the bytes of a line and returns its text without the line end.
fn decode_line(raw: &[u8]) -> Result<&str, Problem> {
    if raw.len() > MAX_LINE {
        let message = format!("line has {} bytes (limit {MAX_LINE})", raw.len());
        return Err(Problem {
            column: 0,
            message,
            hint: Some("no value is that long: is this a configuration file?"),
        });
    }
    let text = std::str::from_utf8(raw).map_err(|e| Problem {
        column: e.valid_up_to() + 1,
        message: "text is not UTF-8".to_owned(),
        hint: Some("save the file as UTF-8"),
    })?;
    let text = text.strip_suffix('\r').unwrap_or(text);
    match text.find(|c: char| c.is_control() && c != '\t') {
        Some(index) => Err(Problem {
            column: index + 1,
            message: "control character in the line".to_owned(),
            hint: None,
        }),
        None => Ok(text),
    }
}

fn parse_line(text: &str, line: usize, sections: &mut Vec<Section>) -> Result<(), Problem> {
    let problem = |column, message: String, hint| Problem { column, message, hint };
    let trimmed = text.trim();
    if trimmed.is_empty() || trimmed.starts_with('#') || trimmed.starts_with(';') {
        return Ok(());
    }
    let indent = text.len() - text.trim_start().len();
    if indent > 0 {
        let Some(entry) = sections.last_mut().and_then(|s| s.entries.last_mut()) else {
            return Err(problem(
                indent + 1,
                "continuation line without a key before it".to_owned(),
                Some("begin the line in its first column"),
            ));
        };
        entry.value.push('\n');
        entry.value.push_str(trimmed);
        return Ok(());
    }
    if let Some(rest) = trimmed.strip_prefix('[') {
        let section = section_header(rest, line, sections).map_err(|(column, m)| {
            problem(column, m, Some("give each section once, as `[name]` on a line of its own"))
        })?;
        sections.push(section);
        return Ok(());
    }
    let Some((key, value)) = trimmed.split_once('=') else {
        let message =
            format!("expected `key = value` or `[section]`, found {:?}", shorten(trimmed));
        return Err(problem(1, message, Some("write `key = value`, or start a comment with `#`")));
    };
    let key = key.trim();
    if key.is_empty() {
        return Err(problem(1, "key before `=` is empty".to_owned(), Some("write `key = value`")));
    }
    let Some(section) = sections.last_mut() else {
        let hint = Some("begin the file with a section, for example `[cairn]`");
        return Err(problem(1, format!("key {key:?} stands before the first [section]"), hint));
    };
    if let Some(first) = section.entries.iter().find(|e| e.key == key) {
        let message =
            format!("{key}: given twice in [{}] (first on line {})", section.name, first.line);
        return Err(problem(1, message, Some("keep one of the two lines")));
    }
    section.entries.push(Entry { key: key.to_owned(), value: value.trim().to_owned(), line });
    Ok(())
}

fn section_header(rest: &str, line: usize, before: &[Section]) -> Result<Section, (usize, String)> {
    let Some((name, after)) = rest.split_once(']') else {
        return Err((rest.len() + 2, "section header without `]`".to_owned()));
    };
    let after = after.trim();
    if !(after.is_empty() || after.starts_with('#') || after.starts_with(';')) {
        return Err((
            name.len() + 3,
            format!("unexpected text after section header: {:?}", shorten(after)),
        ));
    }
    let name = name.trim();
    if name.is_empty() {
        return Err((2, "section name is empty".to_owned()));
    }
    if let Some(first) = before.iter().find(|s| s.name == name) {
        return Err((1, format!("section [{name}] given twice (first on line {})", first.line)));
    }
    Ok(Section { name: name.to_owned(), line, entries: Vec::new() })
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= 40 {
        text.to_owned()
    } else {
        text.chars().take(39).chain(['…']).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(text: &[u8], expected: Expect) {
        let shown = match parse("x.repo", text) {
            Ok(sections) => {
                let mut out = String::new();
                for s in sections {
                    out.push_str(&format!("[{}] @{}\n", s.name, s.line));
                    for e in s.entries {
                        out.push_str(&format!("  {} = {:?} @{}\n", e.key, e.value, e.line));
                    }
                }
                out
            }
            Err(e) => format!("error: {e}\n"),
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn accepts_dnf_files() {
        check(
            b"\xef\xbb\xbf# c\r\n[cairn]\r\nname=Cairn\t\r\nbaseurl = http://a/\r\n   http://b/\r\n\r\n; c\n[two] # x\nenabled=0\n",
            expect![[r#"
                [cairn] @2
                  name = "Cairn" @3
                  baseurl = "http://a/\nhttp://b/" @4
                [two] @8
                  enabled = "0" @9
            "#]],
        );
    }

    #[test]
    fn refuses_with_position() {
        check(
            b"name=x\n",
            expect![[r#"
            error: x.repo:1:1: key "name" stands before the first [section]
        "#]],
        );
        check(
            b"[a]\nname=x\nname=y\n",
            expect![[r#"
            error: x.repo:3:1: name: given twice in [a] (first on line 2)
        "#]],
        );
        check(
            b"[a]\nhello\n",
            expect![[r#"
            error: x.repo:2:1: expected `key = value` or `[section]`, found "hello"
        "#]],
        );
        check(
            b"[a\n",
            expect![[r#"
            error: x.repo:1:3: section header without `]`
        "#]],
        );
        check(
            b"[a]\n[a]\n",
            expect![[r#"
            error: x.repo:2:1: section [a] given twice (first on line 1)
        "#]],
        );
        check(
            b"[a]\nn=\xff\n",
            expect![[r#"
            error: x.repo:2:3: text is not UTF-8
        "#]],
        );
        check(
            b"[a]\n x=1\n",
            expect![[r#"
            error: x.repo:2:2: continuation line without a key before it
        "#]],
        );
        let mut long = b"[a]\nx=".to_vec();
        long.resize(1 << 20, b'y');
        check(
            &long,
            expect![[r#"
            error: x.repo:2: line has 1048572 bytes (limit 65536)
        "#]],
        );
    }
}
