// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values of configuration keys: booleans, numbers, periods and lists as dnf5 writes them.

/// Parses a boolean: `1 yes true on enabled` or `0 no false off disabled`, any case.
///
/// # Errors
/// A message that shows the value.
pub fn boolean(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "yes" | "true" | "on" | "enabled" => Ok(true),
        "0" | "no" | "false" | "off" | "disabled" => Ok(false),
        _ => Err(format!("{text:?} is not yes/no")),
    }
}

/// Parses a whole number within `low..=high`.
///
/// # Errors
/// A message that shows the value and the range.
pub fn number(text: &str, low: i64, high: i64) -> Result<i64, String> {
    match text.parse::<i64>() {
        Ok(value) if (low..=high).contains(&value) => Ok(value),
        Ok(value) => Err(format!("{value} is out of range (expected {low} to {high})")),
        Err(_) => Err(format!("{text:?} is not a number")),
    }
}

/// Parses a period in seconds: a number with `s m h d w`, or `-1`/`never`, which give `None`.
///
/// # Errors
/// A message that shows the value.
pub fn period(text: &str) -> Result<Option<u64>, String> {
    if matches!(text, "-1" | "never") {
        return Ok(None);
    }
    let wrong =
        || format!("{text:?} is not a period (expected for example 90, 30m, 6h, 2d or never)");
    let (digits, factor) = match text.chars().last() {
        Some('s' | 'S') => (&text[..text.len() - 1], 1),
        Some('m' | 'M') => (&text[..text.len() - 1], 60),
        Some('h' | 'H') => (&text[..text.len() - 1], 3600),
        Some('d' | 'D') => (&text[..text.len() - 1], 86_400),
        Some('w' | 'W') => (&text[..text.len() - 1], 604_800),
        _ => (text, 1),
    };
    let value: u64 = digits.parse().map_err(|_| wrong())?;
    value.checked_mul(factor).map(Some).ok_or_else(wrong)
}

/// Splits a list at blanks, commas and line ends.
pub fn list(text: &str) -> Vec<String> {
    text.split([' ', '\t', '\n', ',']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Returns the member of `known` nearest to `word`, when it is near enough to be a typing mistake.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_values() {
        assert_eq!(boolean("Yes"), Ok(true));
        assert_eq!(boolean("maybe"), Err("\"maybe\" is not yes/no".to_owned()));
        assert_eq!(period("6h"), Ok(Some(21_600)));
        assert_eq!(period("never"), Ok(None));
        assert!(period("6x").is_err());
        assert!(period("99999999999999999999w").is_err());
        assert_eq!(list("a, b\n c"), ["a", "b", "c"]);
        assert_eq!(
            number("101", 0, 100),
            Err("101 is out of range (expected 0 to 100)".to_owned())
        );
        assert_eq!(nearest("gpgchek", &["gpgcheck", "gpgkey"]), Some("gpgcheck"));
        assert_eq!(nearest("zzz", &["gpgcheck", "gpgkey"]), None);
    }
}
