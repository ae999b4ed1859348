// SPDX-License-Identifier: MIT OR Apache-2.0
//! The formatters behind the colon: `:date`, `:perms`, `:depflags`, `:humaniec`, …

use super::tags::{Column, TagId, trigger_kind};
use crate::rpm::base64;
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

/// Returns an element with a formatter.
pub fn apply(name: &str, column: &Column, index: usize, id: TagId) -> String {
    let number = match column {
        Column::Numbers(numbers) => numbers.get(index).copied(),
        Column::Texts(_) | Column::Bytes(_) => None,
    };
    match name {
        "arraysize" => return column.len().to_string(),
        "tagname" => return capitalised(id.name()),
        "tagnum" => return if let TagId::Stored(n) = id { n.to_string() } else { none() },
        "string" | "expand" => return plain(column, index),
        "shescape" => return shell_escaped(&plain(column, index), number.is_some()),
        "json" => return json_text(column, index),
        "xml" => return xml_text(column, index),
        "base64" | "armor" => return binary_text(name, column, index),
        "pgpsig" => {
            let Column::Bytes(bytes) = column else {
                return "(not an OpenPGP signature)".to_owned();
            };
            return signature_text(bytes);
        }
        "fstatus" => return plain(column, index),
        "hex" if number.is_none() => return plain(column, index),
        _ => {}
    }
    let Some(number) = number else {
        return if plain(column, index) == "(none)" { none() } else { "(not a number)".to_owned() };
    };
    match name {
        "date" => date_text(number),
        "day" => day_text(number),
        "depflags" => dependency_flags(number),
        "deptype" => dependency_type(number),
        "fflags" => file_flags(number),
        "fstate" => file_state(number).to_owned(),
        "hashalgo" => hash_name(number).to_owned(),
        "hex" => format!("{number:x}"),
        "humaniec" => human(number, 1024.0, &["", "K", "M", "G", "T", "P", "E"]),
        "humansi" => human(number, 1000.0, &["", "K", "M", "G", "T", "P", "E"]),
        "octal" => format!("{number:o}"),
        "perms" | "permissions" => permissions(number as u16),
        "triggertype" => trigger_kind(number as u32).to_owned(),
        "vflags" => verify_flags(number),
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
        (1 << 5, "posttrans"),
        (1 << 7, "pretrans"),
        (1 << 28, "config"),
        (1 << 24, "rpmlib"),
        (1 << 19, "missingok"),
        (1 << 29, "meta"),
        (1 << 6, "prereq"),
        (1 << 14, "auto"),
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

fn hash_name(algorithm: u64) -> &'static str {
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

fn verify_flags(flags: u64) -> String {
    let known = [
        (1, '5'),
        (2, 'S'),
        (4, 'L'),
        (8, 'U'),
        (16, 'G'),
        (32, 'T'),
        (64, 'M'),
        (128, 'D'),
        (256, 'P'),
    ];
    known.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, letter)| *letter).collect()
}

fn human(number: u64, base: f64, units: &[&str]) -> String {
    if (number as f64) < base {
        return number.to_string();
    }
    let mut value = number as f64;
    let mut unit = 0;
    while value >= base && unit + 1 < units.len() {
        value /= base;
        unit += 1;
    }
    // As rpm and ls: one decimal below ten, rounded up.
    let shown = if value < 10.0 {
        format!("{:.1}", (value * 10.0).ceil() / 10.0)
    } else {
        format!("{}", value.ceil())
    };
    format!("{shown}{}", units[unit])
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
        _ => '-',
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

fn shell_escaped(text: &str, is_number: bool) -> String {
    if is_number { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
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
        Column::Texts(_) => {
            let text = plain(column, index)
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;");
            format!("\t<string>{text}</string>")
        }
        Column::Bytes(bytes) => format!("\t<base64>{}</base64>", base64::encode(bytes)),
    }
}

fn binary_text(name: &str, column: &Column, index: usize) -> String {
    let bytes = match column {
        Column::Bytes(bytes) => bytes.clone(),
        Column::Texts(texts) if name == "base64" => {
            // Signatures are stored as base64 text since rpm 6.
            return texts.get(index).cloned().unwrap_or_else(none);
        }
        Column::Texts(_) | Column::Numbers(_) => return "(not base64)".to_owned(),
    };
    if name == "armor" {
        let body = base64::encode(&bytes);
        let lines: Vec<String> = body
            .as_bytes()
            .chunks(64)
            .map(|chunk| String::from_utf8_lossy(chunk).into_owned())
            .collect();
        return format!(
            "-----BEGIN PGP SIGNATURE-----\n\n{}\n-----END PGP SIGNATURE-----\n",
            lines.join("\n")
        );
    }
    base64::encode(&bytes)
}

fn hex_text(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn capitalised(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let mut characters = lower.chars();
    characters.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(characters).collect()
}

/// Describes a binary OpenPGP v4 signature packet as rpm does: `RSA/SHA256, Sun Nov 22 23:22:51 2026, Key ID 0123…`.
fn signature_text(bytes: &[u8]) -> String {
    describe_signature(bytes).unwrap_or_else(|| "(not an OpenPGP signature)".to_owned())
}

fn describe_signature(bytes: &[u8]) -> Option<String> {
    let body = packet_body(bytes)?;
    if *body.first()? != 4 {
        return None;
    }
    let algorithm = match *body.get(2)? {
        1 | 3 => "RSA",
        17 => "DSA",
        19 => "ECDSA",
        22 | 27 => "EdDSA",
        _ => "Unknown public key algorithm",
    };
    let hash = hash_name(u64::from(*body.get(3)?));
    let hashed_length = usize::from(u16::from_be_bytes([*body.get(4)?, *body.get(5)?]));
    let hashed = body.get(6..6 + hashed_length)?;
    let after = body.get(6 + hashed_length..)?;
    let unhashed_length = usize::from(u16::from_be_bytes([*after.first()?, *after.get(1)?]));
    let unhashed = after.get(2..2 + unhashed_length)?;
    let (mut time, mut key) = (None, None);
    for area in [hashed, unhashed] {
        for (kind, data) in subpackets(area) {
            match kind {
                2 if data.len() == 4 => {
                    time = Some(u32::from_be_bytes([data[0], data[1], data[2], data[3]]));
                }
                16 if data.len() == 8 => key = Some(hex_text(data)),
                33 if data.len() == 21 && key.is_none() => key = Some(hex_text(&data[13..])),
                _ => {}
            }
        }
    }
    let time = time.map_or_else(none, |t| date_text(u64::from(t)));
    Some(format!(
        "{algorithm}/{hash}, {time}, Key ID {}",
        key.unwrap_or_else(|| "0000000000000000".to_owned())
    ))
}

fn packet_body(bytes: &[u8]) -> Option<&[u8]> {
    let header = *bytes.first()?;
    let (tag_number, start, length): (u8, usize, usize) = if header & 0x40 != 0 {
        let first = usize::from(*bytes.get(1)?);
        match first {
            0..=191 => (header & 0x3f, 2, first),
            192..=223 => {
                (header & 0x3f, 3, ((first - 192) << 8) + usize::from(*bytes.get(2)?) + 192)
            }
            255 => {
                (header & 0x3f, 6, u32::from_be_bytes(bytes.get(2..6)?.try_into().ok()?) as usize)
            }
            _ => return None,
        }
    } else {
        let number = (header >> 2) & 0xf;
        match header & 3 {
            0 => (number, 2, usize::from(*bytes.get(1)?)),
            1 => (number, 3, usize::from(u16::from_be_bytes([*bytes.get(1)?, *bytes.get(2)?]))),
            2 => (number, 5, u32::from_be_bytes(bytes.get(1..5)?.try_into().ok()?) as usize),
            _ => return None,
        }
    };
    if tag_number != 2 {
        return None;
    }
    bytes.get(start..start.checked_add(length)?)
}

fn subpackets(mut area: &[u8]) -> Vec<(u8, &[u8])> {
    let mut found = Vec::new();
    while let Some(first) = area.first().copied() {
        let (start, length) = match usize::from(first) {
            short @ 0..=191 => (1, short),
            255 => break,
            long => {
                let Some(second) = area.get(1) else { break };
                (2, ((long - 192) << 8) + usize::from(*second) + 192)
            }
        };
        let Some(body) = area.get(start..start + length) else { break };
        if let Some((kind, data)) = body.split_first() {
            found.push((kind & 0x7f, data));
        }
        area = &area[start + length..];
    }
    found
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
        assert_eq!(human(1536, 1024.0, &["", "K", "M"]), "1.5K");
        assert_eq!(human(500, 1024.0, &["", "K", "M"]), "500");
        assert_eq!(capitalised("NAME"), "Name");
        assert_eq!(file_flags(1 | 16), "cn");
    }
}
