// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which index rows a package has: rpm's rules for keys and their `idx`, as observed in databases that rpm 4.20 wrote.

use std::collections::BTreeSet;

use cairn_rpm::dependency::{RichDependency, sense};
use cairn_rpm::header::Header;
use cairn_rpm::tag;

use super::schema::{Shape, Table};

/// A key of an index row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key<'a> {
    Text(std::borrow::Cow<'a, str>),
    Bytes(Vec<u8>),
}

/// Flags that make a requirement matter during installation only, and those that make it matter again at removal.
const INSTALL_ONLY: u32 =
    sense::SCRIPT_PRE | sense::SCRIPT_POST | sense::RPMLIB | (1 << 26) | sense::PRETRANS | (1 << 5);
const ERASE_ONLY: u32 = sense::SCRIPT_PREUN | sense::SCRIPT_POSTUN | (1 << 20) | (1 << 21);

/// Returns the rows of one table: (key, position in the tag's array).
pub(super) fn rows<'a>(header: &'a Header, table: &Table) -> Vec<(Key<'a>, u32)> {
    match table.tag {
        tag::INSTALLTID => header
            .u32s(table.tag)
            .first()
            .map(|tid| (Key::Bytes(tid.to_le_bytes().to_vec()), 0))
            .into_iter()
            .collect(),
        _ if table.shape == Shape::Blob => header
            .binary(table.tag)
            .map(|bytes| (Key::Bytes(bytes.to_vec()), 0))
            .into_iter()
            .collect(),
        tag::GROUP => vec![(text(first_string(header, tag::GROUP).unwrap_or("Unknown")), 0)],
        tag::REQUIRENAME => requirements(header),
        tag::TRIGGERNAME => triggers(header),
        tag::FILETRIGGERNAME => file_triggers(header, table.tag, tag::FILETRIGGERINDEX),
        tag::TRANSFILETRIGGERNAME => file_triggers(header, table.tag, tag::TRANSFILETRIGGERINDEX),
        tag::CONFLICTNAME
        | tag::RECOMMENDNAME
        | tag::SUGGESTNAME
        | tag::SUPPLEMENTNAME
        | tag::ENHANCENAME => {
            let names = header.strings(table.tag);
            names
                .into_iter()
                .enumerate()
                .flat_map(|(at, name)| with_rich_members(name, at as u32))
                .collect()
        }
        _ if table.shape == Shape::Text => {
            first_string(header, table.tag).map(|value| (text(value), 0)).into_iter().collect()
        }
        _ => header
            .strings(table.tag)
            .into_iter()
            .enumerate()
            .map(|(at, name)| (text(name), at as u32))
            .collect(),
    }
}

fn text(value: &str) -> Key<'_> {
    Key::Text(value.into())
}

fn first_string(header: &Header, tag: u32) -> Option<&str> {
    header.string(tag).or_else(|| header.strings(tag).first().copied())
}

/// Requirements that only matter while installing are not indexed.
fn requirements(header: &Header) -> Vec<(Key<'_>, u32)> {
    let flags = header.u32s(tag::REQUIREFLAGS);
    let names = header.strings(tag::REQUIRENAME);
    let mut rows = Vec::new();
    for (at, name) in names.into_iter().enumerate() {
        let flags = flags.get(at).copied().unwrap_or(0);
        if flags & INSTALL_ONLY != 0 && flags & ERASE_ONLY == 0 {
            continue;
        }
        rows.extend(with_rich_members(name, at as u32));
    }
    rows
}

/// A trigger's target is indexed once, at its first position.
fn triggers(header: &Header) -> Vec<(Key<'_>, u32)> {
    let mut seen = BTreeSet::new();
    let names = header.strings(tag::TRIGGERNAME).into_iter().enumerate();
    names.filter(|(_, name)| seen.insert(*name)).map(|(at, name)| (text(name), at as u32)).collect()
}

/// The `idx` of a file trigger's prefix is the number of the trigger script, not the position of the prefix.
fn file_triggers(header: &Header, names: u32, scripts: u32) -> Vec<(Key<'_>, u32)> {
    header
        .strings(names)
        .into_iter()
        .zip(header.u32s(scripts))
        .map(|(name, script)| (text(name), script))
        .collect()
}

/// A rich dependency is indexed as the whole text and by each member; members that count against it are marked with `!`.
fn with_rich_members(name: &str, at: u32) -> Vec<(Key<'_>, u32)> {
    let mut rows = vec![(text(name), at)];
    if name.starts_with('(')
        && let Ok(parsed) = RichDependency::parse(name)
    {
        let mut members = BTreeSet::new();
        rich_members(&parsed, false, &mut members);
        // Positive members sort before negated ones, as with rpm's ' ' and '!' prefixes.
        rows.extend(members.into_iter().map(|(negated, member)| {
            (Key::Text(if negated { format!("!{member}").into() } else { member.into() }), at)
        }));
    }
    rows
}

fn rich_members(
    dependency: &RichDependency,
    negated: bool,
    members: &mut BTreeSet<(bool, String)>,
) {
    match dependency {
        RichDependency::Simple(simple) => {
            if !simple.name.starts_with("rpmlib(") {
                members.insert((negated, simple.name.clone()));
            }
        }
        RichDependency::And(parts) | RichDependency::Or(parts) | RichDependency::With(parts) => {
            for part in parts {
                rich_members(part, negated, members);
            }
        }
        RichDependency::Without(first, second) => {
            rich_members(first, negated, members);
            rich_members(second, negated, members);
        }
        RichDependency::If { requirement, condition, otherwise }
        | RichDependency::Unless { requirement, condition, otherwise } => {
            rich_members(requirement, negated, members);
            rich_members(condition, !negated, members);
            if let Some(otherwise) = otherwise {
                rich_members(condition, negated, members);
                rich_members(otherwise, negated, members);
            }
        }
    }
}
