// SPDX-License-Identifier: MIT OR Apache-2.0
//! Boot Loader Specification type 1 entries (uapi-group.org, "Type #1 Boot Loader Specification Entries") and the
//! order they are shown in.

use std::cmp::Ordering;

use super::BootError;

/// One `/boot/loader/entries/ID.conf`. The truth about a boot entry; everything else is derived from it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlsEntry {
    /// File name without `.conf`; identifies the entry everywhere.
    pub id: String,
    /// Text in the menu.
    pub title: String,
    /// Kernel version, by which entries are sorted.
    pub version: String,
    /// Machine identifier of the installation, if entries carry one.
    pub machine_id: Option<String>,
    /// Groups entries of one operating system.
    pub sort_key: Option<String>,
    /// Kernel, absolute inside the `/boot` file system.
    pub linux: String,
    /// Initial RAM disks, absolute inside the `/boot` file system.
    pub initrds: Vec<String>,
    /// Kernel command line.
    pub options: String,
    /// Keys that Cairn does not use, kept as they are.
    pub others: Vec<(String, String)>,
}

impl BlsEntry {
    /// Reads an entry. Unknown keys are kept, comments are not; several `options` lines are joined.
    pub fn parse(id: &str, text: &str) -> Result<Self, BootError> {
        let mut entry = Self { id: id.to_owned(), ..Self::default() };
        for line in
            text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            let (key, value) = line.split_once([' ', '\t']).unwrap_or((line, ""));
            let value = value.trim().to_owned();
            match key {
                "title" => entry.title = value,
                "version" => entry.version = value,
                "machine-id" => entry.machine_id = Some(value),
                "sort-key" => entry.sort_key = Some(value),
                "linux" => entry.linux = value,
                "initrd" => entry.initrds.push(value),
                "options" if entry.options.is_empty() => entry.options = value,
                "options" => entry.options = format!("{} {value}", entry.options),
                _ => entry.others.push((key.to_owned(), value)),
            }
        }
        if entry.linux.is_empty() {
            return Err(BootError::InvalidEntry {
                id: id.to_owned(),
                reason: "has no `linux` line".to_owned(),
            });
        }
        if entry.title.is_empty() {
            id.clone_into(&mut entry.title);
        }
        Ok(entry)
    }

    /// Returns the text of the file.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let mut line = |key: &str, value: &str| {
            if !value.is_empty() {
                text += &format!("{key:<10} {value}\n");
            }
        };
        line("title", &self.title);
        line("version", &self.version);
        line("machine-id", self.machine_id.as_deref().unwrap_or_default());
        line("sort-key", self.sort_key.as_deref().unwrap_or_default());
        line("linux", &self.linux);
        for initrd in &self.initrds {
            line("initrd", initrd);
        }
        line("options", &self.options);
        for (key, value) in &self.others {
            line(key, value);
        }
        text
    }

    /// Compares two entries in menu order: newest version first, then by identifier.
    pub fn menu_order(&self, other: &Self) -> Ordering {
        compare_versions(&other.version, &self.version).then_with(|| self.id.cmp(&other.id))
    }
}

/// Compares kernel versions: runs of digits as numbers, runs of letters as text, separators ignored, `~` before the end.
pub fn compare_versions(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one, other);
    loop {
        one = one.trim_start_matches(is_separator);
        other = other.trim_start_matches(is_separator);
        match (one.strip_prefix('~'), other.strip_prefix('~')) {
            (Some(rest), Some(other_rest)) => {
                (one, other) = (rest, other_rest);
                continue;
            }
            (Some(_), None) => return Ordering::Less,
            (None, Some(_)) => return Ordering::Greater,
            (None, None) => {}
        }
        if one.is_empty() || other.is_empty() {
            return one.len().cmp(&other.len());
        }
        let (segment, rest) = split_segment(one);
        let (other_segment, other_rest) = split_segment(other);
        let order = match (is_number(segment), is_number(other_segment)) {
            (true, true) => compare_numbers(segment, other_segment),
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => segment.cmp(other_segment),
        };
        if order != Ordering::Equal {
            return order;
        }
        (one, other) = (rest, other_rest);
    }
}

fn is_separator(character: char) -> bool {
    !character.is_ascii_alphanumeric() && character != '~'
}

fn is_number(segment: &str) -> bool {
    segment.starts_with(|character: char| character.is_ascii_digit())
}

fn compare_numbers(one: &str, other: &str) -> Ordering {
    let (one, other) = (one.trim_start_matches('0'), other.trim_start_matches('0'));
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

/// Splits off the run of digits or letters at the start.
fn split_segment(text: &str) -> (&str, &str) {
    let digits = is_number(text);
    let same = |character: char| {
        if digits { character.is_ascii_digit() } else { character.is_ascii_alphabetic() }
    };
    text.split_at(text.find(|character| !same(character)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips_with_unknown_keys() {
        let text = "# comment\ntitle Cairn Linux (1)\nversion\t6.12.1\nlinux /cairn/1/linux\ninitrd /a\ninitrd /b\n\
                    options root=LABEL=x ro\noptions quiet\narchitecture x64\n";
        let entry = BlsEntry::parse("cairn-6.12.1", text).unwrap();
        assert_eq!(entry.options, "root=LABEL=x ro quiet");
        assert_eq!(entry.initrds, ["/a", "/b"]);
        expect_test::expect![[r#"
            title      Cairn Linux (1)
            version    6.12.1
            linux      /cairn/1/linux
            initrd     /a
            initrd     /b
            options    root=LABEL=x ro quiet
            architecture x64
        "#]]
        .assert_eq(&entry.to_text());
        assert_eq!(BlsEntry::parse("cairn-6.12.1", &entry.to_text()).unwrap(), entry);
    }

    #[test]
    fn an_entry_needs_a_kernel() {
        let error = BlsEntry::parse("x", "title y\n").unwrap_err();
        assert_eq!(error.to_string(), "`/loader/entries/x.conf` has no `linux` line");
    }

    #[test]
    fn versions() {
        for (one, other, expected) in [
            ("6.12.107+deb13-amd64", "6.12.107+deb13-amd64", Ordering::Equal),
            ("6.12.107", "6.12.99", Ordering::Greater),
            ("6.9", "6.12", Ordering::Less),
            ("6.12", "6.12.1", Ordering::Less),
            ("7.0~rc1", "7.0", Ordering::Less),
            ("7.0~rc2", "7.0~rc10", Ordering::Less),
            ("6.12.1a", "6.12.1", Ordering::Greater),
            ("6.12.010", "6.12.10", Ordering::Equal),
            ("6.12.amd", "6.12.1", Ordering::Less),
            ("é6", "6", Ordering::Equal),
        ] {
            assert_eq!(compare_versions(one, other), expected, "{one} {other}");
            assert_eq!(compare_versions(other, one), expected.reverse(), "{other} {one}");
        }
    }
}
