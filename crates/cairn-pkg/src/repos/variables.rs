// SPDX-License-Identifier: MIT OR Apache-2.0
//! Variables of repository files: `$releasever`, `$basearch`, `$arch` and the files of `/etc/dnf/vars`.
//!
//! Forms: `$name`, `${name}`, `${name:-word}` (word when empty or undefined), `${name:+word}` (word when set); a
//! backslash keeps the next character as it is.

use std::collections::BTreeMap;

/// Nesting of `${a:-${b:-…}}` accepted.
const DEPTH_LIMIT: usize = 16;

/// Values by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables {
    values: BTreeMap<String, String>,
}

impl Variables {
    /// Returns variables without a value.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets one value; an earlier one is replaced. `releasever` also sets `releasever_major` and `releasever_minor`.
    pub fn set(&mut self, name: &str, value: &str) {
        if name == "releasever" {
            let (major, minor) = value.split_once('.').unwrap_or((value, ""));
            self.values.insert("releasever_major".to_owned(), major.to_owned());
            self.values.insert("releasever_minor".to_owned(), minor.to_owned());
        }
        self.values.insert(name.to_owned(), value.to_owned());
    }

    /// Returns the value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Returns names and values, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Replaces every variable of `text`.
    ///
    /// # Errors
    /// The name of the first variable without a value and without a default.
    pub fn expand(&self, text: &str) -> Result<String, String> {
        self.expand_nested(text, 0)
    }

    fn expand_nested(&self, text: &str, depth: usize) -> Result<String, String> {
        if depth > DEPTH_LIMIT {
            return Err(text.to_owned());
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(position) = rest.find(['$', '\\']) {
            out.push_str(&rest[..position]);
            let marker = rest.as_bytes()[position];
            let after = &rest[position + 1..];
            if marker == b'\\' {
                let mut characters = after.chars();
                match characters.next() {
                    Some(c @ ('$' | '\\' | '}')) => out.push(c),
                    Some(c) => out.extend(['\\', c]),
                    None => out.push('\\'),
                }
                rest = characters.as_str();
            } else if let Some(body) = after.strip_prefix('{') {
                let Some(end) = matching_brace(body) else {
                    out.push('$');
                    rest = after;
                    continue;
                };
                out.push_str(&self.expand_braced(&body[..end], depth)?);
                rest = &body[end + 1..];
            } else {
                let length = name_length(after);
                if length == 0 {
                    out.push('$');
                } else {
                    out.push_str(
                        self.get(&after[..length]).ok_or_else(|| after[..length].to_owned())?,
                    );
                }
                rest = &after[length..];
            }
        }
        out.push_str(rest);
        Ok(out)
    }

    fn expand_braced(&self, body: &str, depth: usize) -> Result<String, String> {
        let name = &body[..name_length(body)];
        let operation = &body[name.len()..];
        let value = self.get(name);
        if operation.is_empty() {
            return value.map(str::to_owned).ok_or_else(|| name.to_owned());
        }
        let is_set = value.is_some_and(|v| !v.is_empty());
        match (operation.strip_prefix(":-"), operation.strip_prefix(":+")) {
            (Some(_), _) if is_set => Ok(value.unwrap_or_default().to_owned()),
            (Some(word), _) => self.expand_nested(word, depth + 1),
            (_, Some(word)) if is_set => self.expand_nested(word, depth + 1),
            (_, Some(_)) => Ok(String::new()),
            (None, None) => Err(body.to_owned()),
        }
    }
}

fn name_length(text: &str) -> usize {
    text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len())
}

fn matching_brace(body: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut skip = false;
    for (index, byte) in body.bytes().enumerate() {
        match byte {
            _ if skip => skip = false,
            b'\\' => skip = true,
            b'{' => depth += 1,
            b'}' if depth == 0 => return Some(index),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expands() {
        let mut variables = Variables::new();
        variables.set("releasever", "9.2");
        variables.set("basearch", "x86_64");
        variables.set("empty", "");
        let table = [
            ("http://h/$releasever/$basearch/os", Ok("http://h/9.2/x86_64/os")),
            ("${releasever_major}-$releasever_minor", Ok("9-2")),
            ("${nothing:-def}/${empty:-e}/${basearch:-no}", Ok("def/e/x86_64")),
            ("${basearch:+yes}${empty:+no}", Ok("yes")),
            ("${nothing:-${basearch}}", Ok("x86_64")),
            ("\\$basearch $ $/ $", Ok("$basearch $ $/ $")),
            ("$nothing/x", Err("nothing")),
            ("${nothing}", Err("nothing")),
            ("${open", Ok("${open")),
        ];
        for (input, expected) in table {
            let found = variables.expand(input);
            assert_eq!(found.as_deref().map_err(String::as_str), expected, "{input}");
        }
    }
}
