// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which locations inside a repository are safe to fetch.

use super::error::RepodataProblem;

/// Longest accepted location, in bytes.
const LENGTH_LIMIT: usize = 4096;

/// Checks that `href` names a file inside the repository and nothing else.
///
/// Refuses absolute paths, URLs, `..` components (also percent-encoded), backslashes, queries,
/// fragments, NUL and other control characters.
pub fn check_location(href: &str) -> Result<(), RepodataProblem> {
    let decoded = percent_decode(href);
    let is_safe = !href.is_empty() && href.len() <= LENGTH_LIMIT && is_safe(href) && {
        // What a server or a URL parser would make of it must be safe too.
        decoded.as_deref().is_some_and(is_safe)
    };
    if is_safe { Ok(()) } else { Err(RepodataProblem::UnsafeLocation { href: href.to_owned() }) }
}

fn is_safe(path: &str) -> bool {
    let bad_character = |c: char| c.is_control() || matches!(c, '\\' | '?' | '#');
    let first = path.split('/').next().unwrap_or_default();
    !path.starts_with('/')
        && !path.ends_with('/')
        && !path.contains(bad_character)
        && !has_scheme(first)
        && path.split('/').all(|component| component != "..")
}

/// Says whether the first component starts like a URL (`http:`, `file:`).
fn has_scheme(component: &str) -> bool {
    component.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    })
}

/// Decodes `%xx`; `None` where the result is not UTF-8. A lone `%` stays.
fn percent_decode(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let code = (bytes[i] == b'%')
            .then(|| text.get(i + 1..i + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(code) = code {
            decoded.push(code);
            i += 3;
        } else {
            decoded.push(bytes[i]);
            i += 1;
        }
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn safe_locations() {
        for href in [
            "repodata/primary.xml.zst",
            "Packages/b/bash-5.2-1.x86_64.rpm",
            "a..b/c..rpm",
            "Packages/a-1:2-3.rpm",
            "./a.rpm",
            "libstdc++-14^git~1-1.x86_64.rpm",
            "100%/a.rpm",
        ] {
            assert_eq!(check_location(href), Ok(()), "{href}");
        }
    }

    #[test]
    fn unsafe_locations() {
        for href in [
            "",
            "../../x",
            "a/../../x",
            "/etc/x",
            "//host/x",
            "file:///etc/x",
            "file:x",
            "http://other/x",
            "a\0b",
            "a\\..\\b",
            "%2e%2e/x",
            "%2Fetc/x",
            "a/%00",
            "%ff",
            "a/..",
            "a?b",
            "a#b",
            "dir/",
            "a\nb",
        ] {
            let error = check_location(href).unwrap_err();
            assert!(error.to_string().starts_with("unsafe location \""), "{href}");
        }
        let error = check_location("../../x").unwrap_err();
        assert_eq!(error.to_string(), "unsafe location \"../../x\"");
    }
}
