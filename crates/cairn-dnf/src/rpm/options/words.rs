// SPDX-License-Identifier: MIT OR Apache-2.0
//! Splits a command line into words, as popt does: `-Uvh`, `--qf=TEXT`, `--qf TEXT`, `-E%_arch`, `--`.

/// One word of the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    /// `-q`
    Short(char),
    /// `--query`, with its value
    Long(String, Option<String>),
    /// Anything else
    Plain(String),
}

/// Short options that take a value.
const SHORT_WITH_VALUE: &[char] = &['r', 'D', 'E'];
/// Long options that take a value.
const LONG_WITH_VALUE: &[&str] = &[
    "root",
    "dbpath",
    "define",
    "eval",
    "queryformat",
    "qf",
    "excludepath",
    "prefix",
    "relocate",
    "undefine",
    "from",
    "rcfile",
    "macros",
    "load",
    "pipe",
    "target",
    "predefine",
];

/// Splits the arguments after the program's name.
pub(super) fn split(arguments: &[String]) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    let mut rest = arguments.iter();
    let mut only_plain = false;
    while let Some(argument) = rest.next() {
        if only_plain || argument == "-" || !argument.starts_with('-') {
            words.push(Word::Plain(argument.clone()));
        } else if argument == "--" {
            only_plain = true;
        } else if let Some(long) = argument.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            let value = match value {
                None if LONG_WITH_VALUE.contains(&name) => {
                    let next = rest.next().ok_or_else(|| format!("--{name}: missing argument"))?;
                    Some(next.clone())
                }
                other => other,
            };
            words.push(Word::Long(name.to_owned(), value));
        } else {
            split_short(argument, &mut rest, &mut words)?;
        }
    }
    Ok(words)
}

fn split_short<'a>(
    argument: &str,
    rest: &mut impl Iterator<Item = &'a String>,
    words: &mut Vec<Word>,
) -> Result<(), String> {
    for (index, letter) in argument.char_indices().skip(1) {
        if !SHORT_WITH_VALUE.contains(&letter) {
            words.push(Word::Short(letter));
            continue;
        }
        let attached = &argument[index + letter.len_utf8()..];
        let value = if attached.is_empty() {
            rest.next().cloned().ok_or_else(|| format!("-{letter}: missing argument"))?
        } else {
            attached.trim_start_matches('=').to_owned()
        };
        words.push(Word::Long(letter.to_string(), Some(value)));
        return Ok(());
    }
    Ok(())
}
