// SPDX-License-Identifier: MIT OR Apache-2.0
//! Makes untrusted text safe for a terminal.

use std::borrow::Cow;

/// Replaces control characters (escape sequences, line breaks, bidirectional overrides) by visible escapes such as `\u{1b}` and `\n`,
/// so that a package name or server answer cannot repaint the terminal or forge a line.
pub fn escape_control(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_dangerous) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_dangerous(c) { escaped.extend(c.escape_default()) } else { escaped.push(c) }
    }
    Cow::Owned(escaped)
}

fn is_dangerous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::escape_control;

    #[test]
    fn table() {
        for (text, expected) in [
            ("plain ü 日本", "plain ü 日本"),
            ("a\x1b[2Jb", r"a\u{1b}[2Jb"),
            ("x\ny\r\tz", r"x\ny\r\tz"),
            ("rtl\u{202e}gpj", r"rtl\u{202e}gpj"),
            ("\u{9b}31m", r"\u{9b}31m"),
        ] {
            assert_eq!(escape_control(text), expected);
        }
    }
}
