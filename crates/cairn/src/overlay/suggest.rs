// SPDX-License-Identifier: MIT OR Apache-2.0
//! Nearest-name suggestions and places (`line:column`) in overlay files.

/// Returns the candidate that is nearest to `name`, if it is near enough to be what was meant.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= limit || is_start_of(name, candidate))
        .min()
        .map(|(_, candidate)| candidate)
}

/// Names such as `description-long` for `description`, or `depends` for nothing at all.
fn is_start_of(name: &str, candidate: &str) -> bool {
    let (short, long) =
        if name.len() < candidate.len() { (name, candidate) } else { (candidate, name) };
    short.len() >= 4 && long.starts_with(short)
}

/// Returns the one-based line and column (in characters) of a byte offset.
pub fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset.min(text.len())).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    (line, column)
}

/// Returns the names between backticks in serde's "unknown field `x`, expected one of `a`, `b`" (the unknown one first).
pub fn quoted_names(message: &str) -> Vec<&str> {
    message.split('`').skip(1).step_by(2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_names() {
        let keys = ["drop", "drop-requires", "requires", "description", "permissions"];
        let table = [
            ("drpo", Some("drop")),
            ("require", Some("requires")),
            ("permission", Some("permissions")),
            ("desciption", Some("description")),
            ("colour", None),
        ];
        for (name, expected) in table {
            assert_eq!(nearest(name, keys), expected, "{name}");
        }
    }

    #[test]
    fn places() {
        assert_eq!(line_and_column("a\nbü c\n", 6), (2, 4));
        assert_eq!(line_and_column("", 0), (1, 1));
    }
}
