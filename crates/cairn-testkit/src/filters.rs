// SPDX-License-Identifier: MIT OR Apache-2.0
//! Replaces what differs from run to run, so that output can be compared with a snapshot.

/// A list of replacements, applied in order.
#[derive(Debug, Clone, Default)]
pub struct Filters {
    literal: Vec<(String, String)>,
}

impl Filters {
    /// The general filters: SHA-256 digests become `[SHA256]`, dates with times `[TIME]`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces each occurrence of `text`, for example a temporary directory by `[TMP]`. Empty text is ignored.
    pub fn literal(mut self, text: impl Into<String>, replacement: &str) -> Self {
        let text = text.into();
        if !text.is_empty() {
            self.literal.push((text, replacement.to_owned()));
        }
        self
    }

    /// Returns `text` with everything replaced.
    pub fn apply(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (from, to) in &self.literal {
            text = text.replace(from, to);
        }
        replace_times(&replace_digests(&text))
    }
}

/// Replaces runs of exactly 64 hexadecimal digits.
fn replace_digests(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
        let length =
            rest[start..].find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len() - start);
        let word = &rest[start..start + length];
        result.push_str(&rest[..start]);
        let is_digest = length == 64
            && word.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        result.push_str(if is_digest { "[SHA256]" } else { word });
        rest = &rest[start + length..];
    }
    result + rest
}

/// Replaces `2026-11-22 23:04:05` and `2026-11-22T23:04:05Z`.
fn replace_times(text: &str) -> String {
    const SHAPE: &[u8] = b"dddd-dd-dd_dd:dd:dd";
    let matches = |bytes: &[u8]| {
        bytes.len() >= SHAPE.len()
            && bytes.iter().zip(SHAPE).all(|(byte, shape)| match shape {
                b'd' => byte.is_ascii_digit(),
                b'_' => matches!(byte, b' ' | b'T'),
                _ => byte == shape,
            })
    };
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        if matches(rest.as_bytes()) {
            result.push_str("[TIME]");
            rest = &rest[SHAPE.len()..];
            rest = rest.strip_prefix('Z').unwrap_or(rest);
        } else {
            let length = rest.chars().next().map_or(0, char::len_utf8);
            result.push_str(&rest[..length]);
            rest = &rest[length..];
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::Filters;

    #[test]
    fn table() {
        let digest = "0123456789abcdef".repeat(4);
        for (text, expected) in [
            (format!("sha256:{digest}."), "sha256:[SHA256]."),
            (
                format!("{digest}0"),
                "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0",
            ),
            (
                "at 2026-11-22 23:04:05, 2026-11-22T23:04:05Z über".to_owned(),
                "at [TIME], [TIME] über",
            ),
            ("2026-11-22 only".to_owned(), "2026-11-22 only"),
            ("/tmp/.x1/file".to_owned(), "[TMP]/file"),
        ] {
            assert_eq!(
                Filters::new().literal("/tmp/.x1", "[TMP]").literal("", "?").apply(&text),
                expected
            );
        }
    }
}
