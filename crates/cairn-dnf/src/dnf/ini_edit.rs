// SPDX-License-Identifier: MIT OR Apache-2.0
//! Changes single lines of `dnf.conf` and `.repo` files: comments, order and everything else stay, new lines come where dnf5 puts them.

/// Sets `key` of `[section]`; the section is added at the end when there is none.
pub fn set(text: &str, section: &str, key: &str, value: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let entry = format!("{key}={value}");
    match find(&lines, section) {
        None => {
            lines.push(format!("[{section}]"));
            lines.push(entry);
        }
        Some((begin, end)) => {
            if let Some((first, last)) = find_key(&lines, begin, end, key) {
                lines.splice(first..last, [entry]);
            } else {
                lines.insert(end, entry);
            }
        }
    }
    joined(&lines)
}

/// Removes `key` of `[section]`, and the section when it is empty then and `drop_empty`; `None` when there is none.
pub fn unset(text: &str, section: &str, key: &str, empty: EmptySection) -> Option<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let (begin, end) = find(&lines, section)?;
    let (first, last) = find_key(&lines, begin, end, key)?;
    lines.drain(first..last);
    let (begin, end) = find(&lines, section)?;
    if empty == EmptySection::Drop && lines[begin..end].iter().all(|line| line.trim().is_empty()) {
        lines.drain(begin - 1..end);
    }
    Some(joined(&lines))
}

/// Removes `[section]` with its lines.
pub fn remove_section(text: &str, section: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if let Some((begin, end)) = find(&lines, section) {
        lines.drain(begin - 1..end);
    }
    joined(&lines)
}

/// Returns the text with these lines in the place of what stands before its first section.
pub fn with_head(text: &str, head: &str) -> String {
    let is_header = |line: &&str| line.starts_with('[');
    let lines: Vec<&str> = text.lines().skip_while(|line| !is_header(line)).collect();
    let body: String = lines.iter().map(|line| format!("{line}\n")).collect();
    format!("{head}{body}")
}

/// What happens to a section without keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmptySection {
    /// It stays.
    Keep,
    /// It goes.
    Drop,
}

/// Returns the lines of a section's body: the first behind its header, and the one behind its last.
fn find(lines: &[String], section: &str) -> Option<(usize, usize)> {
    let header = format!("[{section}]");
    let begin = lines.iter().position(|line| line.trim() == header)? + 1;
    let length = lines[begin..].iter().position(|line| line.starts_with('['));
    Some((begin, length.map_or(lines.len(), |length| begin + length)))
}

/// Returns the lines of a key: its own and the continuation lines.
fn find_key(lines: &[String], begin: usize, end: usize, key: &str) -> Option<(usize, usize)> {
    let is_key = |line: &String| {
        !line.starts_with([' ', '\t', '#', ';'])
            && line.split_once('=').is_some_and(|(name, _)| name.trim() == key)
    };
    let first = begin + lines[begin..end].iter().position(is_key)?;
    let more =
        lines[first + 1..end].iter().take_while(|line| line.starts_with([' ', '\t'])).count();
    Some((first, first + 1 + more))
}

fn joined(lines: &[String]) -> String {
    let mut text = lines.join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# head\n\n[main]\nbest=1\nexcludepkgs=a\n  b\n\n[r]\nenabled = 1\n";

    #[test]
    fn edits() {
        assert_eq!(
            set(TEXT, "main", "excludepkgs", "c"),
            "# head\n\n[main]\nbest=1\nexcludepkgs=c\n\n[r]\nenabled = 1\n"
        );
        assert_eq!(
            set(TEXT, "main", "keepcache", "1"),
            "# head\n\n[main]\nbest=1\nexcludepkgs=a\n  b\n\nkeepcache=1\n[r]\nenabled = 1\n"
        );
        assert_eq!(set("", "s", "a", "1"), "[s]\na=1\n");
        assert_eq!(set("[r]\na=1\n", "s", "a", "1"), "[r]\na=1\n[s]\na=1\n");
        assert_eq!(
            unset(TEXT, "r", "enabled", EmptySection::Drop).unwrap(),
            "# head\n\n[main]\nbest=1\nexcludepkgs=a\n  b\n\n"
        );
        assert_eq!(unset("[main]\na=1\n", "main", "a", EmptySection::Keep).unwrap(), "[main]\n");
        assert_eq!(unset(TEXT, "r", "nothing", EmptySection::Drop), None);
        assert_eq!(with_head("# a\n\n[r]\n# b\nx=1", "# c\n"), "# c\n[r]\n# b\nx=1\n");
        assert_eq!(with_head("", "# c\n"), "# c\n");
        assert_eq!(remove_section(TEXT, "main"), "# head\n\n[r]\nenabled = 1\n");
    }
}
