// SPDX-License-Identifier: MIT OR Apache-2.0
//! Shell patterns: `*`, `?`, `[abc]`, `[a-z]`, `[!a]` and `{a,b}` outside of file names; `*` also matches `/`.

/// Returns whether `text` has a character with a meaning in patterns.
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// Returns whether `pattern` matches the whole of `text`; case counts.
pub fn matches(pattern: &str, text: &str) -> bool {
    if !is_pattern(pattern) {
        return pattern == text;
    }
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    match_at(&pattern, &text)
}

/// Returns whether `pattern` matches the whole of `text` with ASCII case ignored.
pub fn matches_ignoring_case(pattern: &str, text: &str) -> bool {
    matches(&pattern.to_lowercase(), &text.to_lowercase())
}

/// Matches with one point to come back to, the last `*`: linear in most cases, quadratic at worst.
fn match_at(pattern: &[char], text: &[char]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if p < pattern.len() && pattern[p] == '*' {
            retry = Some((p + 1, t));
            p += 1;
            continue;
        }
        if t == text.len() {
            return p == pattern.len();
        }
        let step = if p < pattern.len() { match_one(&pattern[p..], text[t]) } else { None };
        if let Some(length) = step {
            p += length;
            t += 1;
        } else if let Some((after_star, from)) = retry {
            p = after_star;
            t = from + 1;
            retry = Some((after_star, from + 1));
        } else {
            return false;
        }
    }
}

/// Returns how many pattern characters stand for the one text character, when they match it.
fn match_one(pattern: &[char], character: char) -> Option<usize> {
    match pattern[0] {
        '?' => Some(1),
        '[' => match_set(pattern, character),
        '\\' if pattern.len() > 1 => (pattern[1] == character).then_some(2),
        other => (other == character).then_some(1),
    }
}

fn match_set(pattern: &[char], character: char) -> Option<usize> {
    let negated = matches!(pattern.get(1), Some('!' | '^'));
    let start = if negated { 2 } else { 1 };
    let end = (start + 1..pattern.len()).find(|i| pattern[*i] == ']');
    let Some(end) = end else {
        return (character == '[').then_some(1);
    };
    let mut found = false;
    let mut i = start;
    while i < end {
        if i + 2 < end && pattern[i + 1] == '-' {
            found |= (pattern[i]..=pattern[i + 2]).contains(&character);
            i += 3;
        } else {
            found |= pattern[i] == character;
            i += 1;
        }
    }
    (found != negated).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let table = [
            ("foo", "foo", true),
            ("foo", "foobar", false),
            ("foo*", "foobar", true),
            ("*bar", "foobar", true),
            ("*", "", true),
            ("f?o", "foo", true),
            ("[a-f]oo", "foo", true),
            ("[!a-f]oo", "foo", false),
            ("*a*b*c", "xxaxxbxxbxxc", true),
            ("*a*b*c", "xxaxxbxx", false),
            ("a[", "a[", true),
            ("/usr/*/x", "/usr/a/b/x", true),
            ("", "", true),
            ("?", "", false),
        ];
        for (pattern, text, expected) in table {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
        assert!(matches_ignoring_case("FOO*", "foobar"));
    }

    #[test]
    fn no_blow_up() {
        assert!(!matches(&"*a".repeat(200), &"a".repeat(150)));
    }
}
