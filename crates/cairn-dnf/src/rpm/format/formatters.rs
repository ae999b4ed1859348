// SPDX-License-Identifier: MIT OR Apache-2.0
//! The formatters behind the colon: `:date`, `:perms`, `:depflags`, `:humaniec`, …

use super::openpgp::{armored, signature_text};
use super::tags::{Column, TagId, trigger_kind};
use crate::rpm::base64;
use cairn_rpm::macros::Macros;
use cairn_ui::format::{Zone, strftime};

/// Names of all formatters.
pub const NAMES: &[&str] = &[
    "armor",
    "arraysize",
    "base64",
    "date",
    "day",
    "depflags",
    "deptype",
    "expand",
    "fflags",
    "fstate",
    "fstatus",
    "hashalgo",
    "hex",
    "humaniec",
    "humansi",
    "json",
    "octal",
    "permissions",
    "perms",
    "pgpsig",
    "shescape",
    "string",
    "tagname",
    "tagnum",
    "triggertype",
    "vflags",
    "xml",
];

/// Returns an element without a formatter.
pub fn plain(column: &Column, index: usize) -> String {
    match column {
        Column::Numbers(numbers) => numbers.get(index).map_or_else(none, u64::to_string),
        Column::Texts(texts) => texts.get(index).cloned().unwrap_or_else(none),
        Column::Bytes(bytes) if index == 0 => hex_text(bytes),
        Column::Bytes(_) => none(),
    }
}

fn none() -> String {
    "(none)".to_owned()
}

/// Returns an element with a formatter; a value of the wrong type gives rpm's words for it.
pub fn apply(name: &str, column: &Column, index: usize, id: TagId) -> String {
    match name {
        "arraysize" => column.len().to_string(),
        "tagname" => id.display_name(),
        "tagnum" => id.number().to_string(),
        "string" => plain(column, index),
        "json" => json_text(column, index),
        "xml" => xml_text(column, index),
        "shescape" => match column {
            Column::Numbers(_) => plain(column, index),
            Column::Texts(_) => format!("'{}'", plain(column, index).replace('\'', "'\\''")),
            Column::Bytes(_) => "(invalid type)".to_owned(),
        },
        "expand" => match column {
            Column::Texts(_) => Macros::built_in().expand(&plain(column, index)),
            Column::Numbers(_) | Column::Bytes(_) => "(not a string)".to_owned(),
        },
        "armor" => match column {
            Column::Bytes(bytes) => armored("SIGNATURE", bytes),
            Column::Texts(texts) => texts
                .get(index)
                .filter(|text| text.len() % 4 == 0)
                .and_then(|text| base64::decode(text))
                .map_or_else(
                    || "(not base64)".to_owned(),
                    |bytes| armored("PUBLIC KEY BLOCK", &bytes),
                ),
            Column::Numbers(_) => "(invalid type)".to_owned(),
        },
        "base64" | "pgpsig" => match column {
            Column::Bytes(bytes) if name == "base64" => base64::wrapped(bytes),
            Column::Bytes(bytes) => signature_text(bytes),
            // rpm 6 keeps signatures as text.
            Column::Texts(texts) if id == TagId::Stored(cairn_rpm::tag::OPENPGP) => {
                let text = texts.get(index).cloned().unwrap_or_else(none);
                match base64::decode(&text) {
                    Some(bytes) if name == "pgpsig" => signature_text(&bytes),
                    _ => text,
                }
            }
            Column::Texts(_) | Column::Numbers(_) => "(not a blob)".to_owned(),
        },
        _ => match column {
            Column::Numbers(numbers) => {
                numbers.get(index).map_or_else(none, |number| number_text(name, *number))
            }
            Column::Texts(_) | Column::Bytes(_) => "(not a number)".to_owned(),
        },
    }
}

fn number_text(name: &str, number: u64) -> String {
    match name {
        "date" => date_text(number),
        "day" => day_text(number),
        "depflags" => dependency_flags(number),
        "deptype" => dependency_type(number),
        "fflags" => file_flags(number),
        "fstate" => file_state(number).to_owned(),
        "fstatus" => verify_text(number, "."),
        "hashalgo" => hash_name(number).to_owned(),
        "hex" => format!("{number:x}"),
        "humaniec" => human(number, 1024.0),
        "humansi" => human(number, 1000.0),
        "octal" => format!("{number:o}"),
        "perms" | "permissions" => permissions(number as u16),
        "triggertype" => trigger_kind(number as u32).to_owned(),
        "vflags" => verify_text(number, ""),
        _ => number.to_string(),
    }
}

/// Returns a moment as C's `%c`, in the machine's time zone: `Sun Nov 22 23:22:51 2026`.
pub fn date_text(unix: u64) -> String {
    strftime(i64::try_from(unix).unwrap_or(i64::MAX), Zone::Local, "%a %b %e %H:%M:%S %Y")
}

fn day_text(unix: u64) -> String {
    strftime(i64::try_from(unix).unwrap_or(i64::MAX), Zone::Local, "%a %b %d %Y")
}

/// Returns the comparison of dependency flags: `<`, `<=`, `=`, `>=`, `>` or nothing.
pub fn dependency_flags(flags: u64) -> String {
    let mut text = String::new();
    for (bit, sign) in [(2, '<'), (4, '>'), (8, '=')] {
        if flags & bit != 0 {
            text.push(sign);
        }
    }
    text
}

fn dependency_type(flags: u64) -> String {
    let known = [
        (1 << 9, "pre"),
        (1 << 10, "post"),
        (1 << 11, "preun"),
        (1 << 12, "postun"),
        (1 << 13, "verify"),
        (1 << 8, "interp"),
        (1 << 24, "rpmlib"),
        (3 << 14, "auto"),
        (1 << 6, "prereq"),
        (1 << 7, "pretrans"),
        (1 << 5, "posttrans"),
        (1 << 20, "preuntrans"),
        (1 << 21, "postuntrans"),
        (1 << 28, "config"),
        (1 << 19, "missingok"),
        (1 << 29, "meta"),
    ];
    let words: Vec<&str> =
        known.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, word)| *word).collect();
    if words.is_empty() { "manual".to_owned() } else { words.join(",") }
}

/// Returns the letters of file flags: `d` doc, `c` config, `s` spec, `m` missingok, `n` noreplace, `g` ghost, …
pub fn file_flags(flags: u64) -> String {
    let known = [
        (1 << 1, 'd'),
        (1, 'c'),
        (1 << 5, 's'),
        (1 << 3, 'm'),
        (1 << 4, 'n'),
        (1 << 6, 'g'),
        (1 << 7, 'l'),
        (1 << 8, 'r'),
        (1 << 12, 'a'),
    ];
    known.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, letter)| *letter).collect()
}

/// Returns rpm's word for the state of an installed file.
pub fn file_state(state: u64) -> &'static str {
    match state {
        0 => "normal",
        1 => "replaced",
        2 => "not installed",
        3 => "net shared",
        4 => "wrong color",
        255 => "missing",
        _ => "(unknown)",
    }
}

pub(super) fn hash_name(algorithm: u64) -> &'static str {
    match algorithm {
        1 => "MD5",
        2 => "SHA1",
        8 => "SHA256",
        9 => "SHA384",
        10 => "SHA512",
        11 => "SHA224",
        12 => "SHA3-256",
        14 => "SHA3-512",
        _ => "Unknown hash algorithm",
    }
}

/// Returns the letters of `rpm -V` for verification bits; `?` where something could not be read.
fn verify_text(flags: u64, pad: &str) -> String {
    const LINK_UNREADABLE: u64 = 1 << 28;
    const UNREADABLE: u64 = 1 << 29;
    let known = [
        (2, "S", 0),
        (64, "M", 0),
        (1, "5", UNREADABLE),
        (128, "D", 0),
        (4, "L", LINK_UNREADABLE),
        (8, "U", 0),
        (16, "G", 0),
        (32, "T", 0),
        (256, "P", 0),
    ];
    let one = |(bit, letter, unreadable): &(u64, &'static str, u64)| match () {
        () if flags & unreadable != 0 => "?",
        () if flags & bit != 0 => *letter,
        () => pad,
    };
    known.iter().map(|entry| one(entry).to_owned()).collect()
}

fn human(number: u64, base: f64) -> String {
    const UNITS: [&str; 7] = ["", "K", "M", "G", "T", "P", "E"];
    let mut value = number as f64;
    let mut unit = 0;
    while value >= base && unit + 1 < UNITS.len() {
        value /= base;
        unit += 1;
    }
    match number {
        0 => "0".to_owned(),
        _ if value < 10.0 => format!("{value:.1}{}", UNITS[unit]),
        _ => format!("{value:.0}{}", UNITS[unit]),
    }
}

/// Returns the ten characters of `ls -l` for a mode with type bits.
pub fn permissions(mode: u16) -> String {
    let kind = match mode & 0o170_000 {
        0o040_000 => 'd',
        0o120_000 => 'l',
        0o010_000 => 'p',
        0o140_000 => 's',
        0o020_000 => 'c',
        0o060_000 => 'b',
        0o100_000 => '-',
        _ => '?',
    };
    let mut text: Vec<char> = vec![kind];
    for shift in [6, 3, 0] {
        let bits = mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(if bits & 1 != 0 { 'x' } else { '-' });
    }
    for (bit, position, with, without) in
        [(0o4000, 3, 's', 'S'), (0o2000, 6, 's', 'S'), (0o1000, 9, 't', 'T')]
    {
        if mode & bit != 0 {
            text[position] = if text[position] == 'x' { with } else { without };
        }
    }
    text.into_iter().collect()
}

fn json_text(column: &Column, index: usize) -> String {
    match column {
        Column::Numbers(_) => plain(column, index),
        Column::Texts(texts) => {
            serde_json::Value::from(texts.get(index).cloned().unwrap_or_else(none)).to_string()
        }
        Column::Bytes(bytes) => serde_json::Value::from(base64::encode(bytes)).to_string(),
    }
}

fn xml_text(column: &Column, index: usize) -> String {
    match column {
        Column::Numbers(_) => format!("\t<integer>{}</integer>", plain(column, index)),
        Column::Texts(_) => match plain(column, index).as_str() {
            "" => "\t<string/>".to_owned(),
            text => {
                let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                format!("\t<string>{text}</string>")
            }
        },
        Column::Bytes(bytes) => format!("\t<base64>{}</base64>", base64::wrapped(bytes)),
    }
}

pub(super) fn hex_text(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        assert_eq!(permissions(0o100_644), "-rw-r--r--");
        assert_eq!(permissions(0o104_755), "-rwsr-xr-x");
        assert_eq!(permissions(0o041_777), "drwxrwxrwt");
        assert_eq!(dependency_flags(10), "<=");
        assert_eq!(dependency_flags(12), ">=");
        let sizes = [0, 2, 39, 1536, 34_816, 500].map(|size| human(size, 1024.0));
        assert_eq!(sizes, ["0", "2.0", "39", "1.5K", "34K", "500"]);
        assert_eq!(verify_text(39, "."), "S.5.L..T.");
        assert_eq!(verify_text(0xffff_ffff, ""), "SM?D?UGTP");
        assert_eq!(dependency_type(1 << 8 | 1 << 5), "interp,posttrans");
        assert_eq!(file_flags(1 | 16), "cn");
    }
}
