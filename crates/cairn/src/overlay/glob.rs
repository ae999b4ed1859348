// SPDX-License-Identifier: MIT OR Apache-2.0
//! Path globs of the overlays: `*` and `?` inside one component, `**` across them, `[abc]`, `[!abc]`, `{a,b}`.
//!
//! A glob that matches a directory covers everything below it ([`Glob::covers`]).

use std::fmt;

/// A parsed glob.
#[derive(Clone, PartialEq, Eq)]
pub struct Glob {
    text: String,
    /// `text` with its braces expanded.
    alternatives: Vec<Alternative>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Alternative {
    /// What every match begins with: most paths differ there.
    prefix: String,
    /// What follows the prefix.
    rest: Vec<Token>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Char(char),
    One,
    Star,
    DoubleStar,
    Set { negated: bool, ranges: Vec<(char, char)> },
}

/// More brace alternatives than any overlay needs.
const MAX_ALTERNATIVES: usize = 256;

impl Glob {
    /// Parses a glob; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let expanded = expand_braces(text)?;
        let alternatives =
            expanded.iter().map(|pattern| Alternative::parse(pattern)).collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), alternatives })
    }

    /// Returns whether the whole of `path` matches.
    pub fn matches(&self, path: &str) -> bool {
        self.alternatives.iter().any(|alternative| alternative.matches(path))
    }

    /// Returns whether `path` or a directory above it matches.
    pub fn covers(&self, path: &str) -> bool {
        let directories = || path.match_indices('/').skip(1).map(|(end, _)| &path[..end]);
        self.alternatives.iter().any(|alternative| {
            path.starts_with(&alternative.prefix)
                && (alternative.matches(path)
                    || directories().any(|above| alternative.matches(above)))
        })
    }

    /// Returns the glob as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Alternative {
    fn parse(pattern: &str) -> Result<Self, String> {
        let mut rest = tokens(pattern)?;
        let n_literal = rest.iter().take_while(|token| matches!(token, Token::Char(_))).count();
        let literal = rest.drain(..n_literal).filter_map(|token| match token {
            Token::Char(c) => Some(c),
            Token::One | Token::Star | Token::DoubleStar | Token::Set { .. } => None,
        });
        Ok(Self { prefix: literal.collect(), rest })
    }

    fn matches(&self, path: &str) -> bool {
        let Some(rest) = path.strip_prefix(&self.prefix) else { return false };
        let chars: Vec<char> = rest.chars().collect();
        matches_at(&self.rest, &chars)
    }
}

impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Glob({:?})", self.text)
    }
}

impl<'de> serde::Deserialize<'de> for Glob {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl serde::Serialize for Glob {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

fn expand_braces(text: &str) -> Result<Vec<String>, String> {
    let Some(open) = text.find('{') else {
        return if text.contains('}') {
            Err(format!("glob `{text}`: `}}` without `{{`"))
        } else {
            Ok(vec![text.to_owned()])
        };
    };
    // `%{name}` is a placeholder, not a set of alternatives.
    if text[..open].ends_with('%') {
        let end =
            text[open..].find('}').ok_or_else(|| format!("glob `{text}`: `%{{` is not closed"))?
                + open;
        let tails = expand_braces(&text[end + 1..])?;
        return Ok(tails.into_iter().map(|tail| format!("{}{tail}", &text[..=end])).collect());
    }
    let close =
        matching_brace(text, open).ok_or_else(|| format!("glob `{text}`: `{{` is not closed"))?;
    let tails = expand_braces(&text[close + 1..])?;
    let mut expanded = Vec::new();
    for alternative in split_alternatives(&text[open + 1..close]) {
        for middle in expand_braces(alternative)? {
            for tail in &tails {
                expanded.push(format!("{}{middle}{tail}", &text[..open]));
            }
        }
    }
    if expanded.len() > MAX_ALTERNATIVES {
        return Err(format!(
            "glob `{text}` has {} alternatives (expected at most {MAX_ALTERNATIVES})",
            expanded.len()
        ));
    }
    Ok(expanded)
}

fn matching_brace(text: &str, open: usize) -> Option<usize> {
    let mut depth = 0;
    for (index, c) in text[open..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return Some(open + index),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn split_alternatives(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (index, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn tokens(pattern: &str) -> Result<Vec<Token>, String> {
    let mut chars = pattern.chars().peekable();
    let mut tokens = Vec::new();
    while let Some(c) = chars.next() {
        tokens.push(match c {
            '*' if chars.next_if_eq(&'*').is_some() => Token::DoubleStar,
            '*' => Token::Star,
            '?' => Token::One,
            '[' => set(&mut chars).ok_or_else(|| format!("glob `{pattern}`: `[` is not closed"))?,
            other => Token::Char(other),
        });
    }
    Ok(tokens)
}

fn set(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<Token> {
    let negated = chars.next_if(|c| matches!(c, '!' | '^')).is_some();
    let mut ranges = Vec::new();
    loop {
        let from = chars.next()?;
        if from == ']' && !ranges.is_empty() {
            return Some(Token::Set { negated, ranges });
        }
        let is_range = chars.peek() == Some(&'-') && chars.clone().nth(1).is_some_and(|c| c != ']');
        let to = if is_range {
            chars.next();
            chars.next()?
        } else {
            from
        };
        ranges.push((from, to));
    }
}

/// Dynamic programming over the tokens: `reachable[i]` says that the tokens so far match `chars[..i]`.
fn matches_at(tokens: &[Token], chars: &[char]) -> bool {
    let mut reachable = vec![false; chars.len() + 1];
    reachable[0] = true;
    for token in tokens {
        let mut next = vec![false; chars.len() + 1];
        match token {
            Token::Star | Token::DoubleStar => {
                let mut running = false;
                for index in 0..=chars.len() {
                    running |= reachable[index];
                    next[index] = running;
                    if *token == Token::Star && chars.get(index) == Some(&'/') {
                        running = false;
                    }
                }
            }
            Token::Char(_) | Token::One | Token::Set { .. } => {
                for (index, &c) in chars.iter().enumerate() {
                    next[index + 1] = reachable[index] && accepts(token, c);
                }
            }
        }
        reachable = next;
    }
    reachable[chars.len()]
}

fn accepts(token: &Token, c: char) -> bool {
    match token {
        Token::Char(expected) => *expected == c,
        Token::One => c != '/',
        Token::Set { negated, ranges } => {
            c != '/' && ranges.iter().any(|&(from, to)| (from..=to).contains(&c)) != *negated
        }
        Token::Star | Token::DoubleStar => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matching() {
        let table = [
            ("/usr/share/man/**", "/usr/share/man/man1/ls.1.gz", true),
            ("/usr/share/man/**", "/usr/share/man", false),
            ("/usr/*/ls", "/usr/bin/ls", true),
            ("/usr/*/ls", "/usr/lib/x/ls", false),
            ("/usr/**/ls", "/usr/lib/x/ls", true),
            ("/etc/cron*", "/etc/cron.d", true),
            ("/etc/cron*", "/etc/cron.d/x", false),
            ("/usr/sbin/{mkfs,fsck}.xfs", "/usr/sbin/fsck.xfs", true),
            ("/usr/sbin/{mkfs,fsck}.xfs", "/usr/sbin/xfs", false),
            ("/a/[a-c]?", "/a/bz", true),
            ("/a/[!a-c]?", "/a/bz", false),
            ("/a/{b{1,2},c}", "/a/b2", true),
        ];
        for (glob, path, expected) in table {
            assert_eq!(Glob::parse(glob).unwrap().matches(path), expected, "{glob} on {path}");
        }
    }

    #[test]
    fn a_directory_covers_its_content() {
        let glob = Glob::parse("/usr/share/{lintian,bug}").unwrap();
        assert!(glob.covers("/usr/share/lintian/overrides/x"));
        assert!(glob.covers("/usr/share/bug"));
        assert!(!glob.covers("/usr/share/bugs/x"));
    }

    #[test]
    fn malformed() {
        for text in ["/a{b", "/a}b", "/a[b"] {
            assert!(Glob::parse(text).is_err(), "{text}");
        }
    }
}
