// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tables and texts in dnf5's own form: columns one blank apart, sizes as `12.3 MiB` with the unit in three places.

use cairn_ui::escape_control;
use std::borrow::Cow;

/// Which side of a column its text stands at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Left.
    Left,
    /// Right.
    Right,
}

/// Returns rows as lines; every column is as wide as its widest cell. Blanks at the end of a line stay away.
pub fn columns(sides: &[Side], rows: &[Vec<String>]) -> Vec<String> {
    let rows: Vec<Vec<Cow<'_, str>>> =
        rows.iter().map(|row| row.iter().map(|cell| escape_control(cell)).collect()).collect();
    let mut widths = vec![0; sides.len()];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    rows.iter().map(|row| line(sides, &widths, row)).collect()
}

/// Returns rows as [`columns`] does, within `width`: where the first cell is too long for that, the rest of its row stands on a
/// second line, under its columns. Nothing is cut.
pub fn fitted(sides: &[Side], rows: &[Vec<String>], width: Option<usize>) -> Vec<String> {
    let lines = columns(sides, rows);
    let Some(width) = width else { return lines };
    let longest = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    if longest <= width {
        return lines;
    }
    let first = |row: &Vec<String>| row.first().map_or(0, |cell| cell.chars().count());
    let column = rows.iter().map(first).max().unwrap_or(0);
    let limit = column.saturating_sub(longest - width).max(12);
    let mut short: Vec<Vec<String>> = rows.to_vec();
    for row in short.iter_mut().filter(|row| first(row) > limit && row.len() > 1) {
        row[0] = String::new();
    }
    let rest = columns(sides, &short);
    let lines = rest.into_iter().zip(rows.iter().zip(&short)).map(|(line, (row, short))| {
        if row.first() == short.first() {
            line
        } else {
            format!("{}\n{line}", escape_control(&row[0]))
        }
    });
    lines.collect()
}

/// Blanks between columns, as many as are written at once.
const BLANKS: &str = "                                                                ";

/// Returns the characters of a cell that is given in parts.
pub fn cell_width(parts: &[&str]) -> usize {
    if is_plain(parts) {
        parts.iter().map(|part| part.len()).sum()
    } else {
        escape_control(&parts.concat()).chars().count()
    }
}

/// Appends a cell, given in parts, and blanks up to `width` characters. For tables with as many rows as a distribution has packages.
pub fn push_cell(out: &mut String, parts: &[&str], width: usize) {
    let start = out.len();
    let own = if is_plain(parts) {
        parts.iter().for_each(|part| out.push_str(part));
        out.len() - start
    } else {
        out.push_str(&escape_control(&parts.concat()));
        out[start..].chars().count()
    };
    let mut missing = width.saturating_sub(own);
    while missing > 0 {
        let some = missing.min(BLANKS.len());
        out.push_str(&BLANKS[..some]);
        missing -= some;
    }
}

fn is_plain(parts: &[&str]) -> bool {
    parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_graphic()))
}

fn line(sides: &[Side], widths: &[usize], row: &[Cow<'_, str>]) -> String {
    let mut text = String::with_capacity(widths.iter().sum::<usize>() + widths.len());
    for (index, cell) in row.iter().enumerate() {
        if index > 0 {
            text.push(' ');
        }
        let padding = widths[index].saturating_sub(cell.chars().count());
        let padding = std::iter::repeat_n(' ', padding);
        match sides[index] {
            Side::Left => {
                text.push_str(cell);
                text.extend(padding);
            }
            Side::Right => {
                text.extend(padding);
                text.push_str(cell);
            }
        }
    }
    text.truncate(text.trim_end().len());
    text
}

/// Returns a size with one decimal, the unit right-aligned in three places: `4.0   B`, `12.9 KiB`.
pub fn size_text(bytes: u64) -> String {
    let (value, unit) = scaled(bytes);
    format!("{value:.1} {unit:>3}")
}

/// Returns a size with one decimal and one blank before the unit: `4.0 B`.
pub fn size_short(bytes: u64) -> String {
    let (value, unit) = scaled(bytes);
    format!("{value:.1} {unit}")
}

/// Returns a size without decimals: `13 KiB`.
pub fn size_rounded(bytes: u64) -> String {
    let (value, unit) = scaled(bytes);
    format!("{value:.0} {unit}")
}

fn scaled(bytes: u64) -> (f64, &'static str) {
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    (value, UNITS[unit])
}

/// Returns keys and values as `Key  : value`; further lines of a value continue under it.
pub fn key_values(pairs: &[(&str, String)]) -> Vec<String> {
    wide_key_values(pairs, 0)
}

/// As [`key_values`], with at least `width` characters for the keys.
pub fn wide_key_values(pairs: &[(&str, String)], width: usize) -> Vec<String> {
    let width = pairs.iter().map(|(key, _)| key.chars().count()).max().unwrap_or(0).max(width);
    let mut lines = Vec::new();
    for (key, value) in pairs {
        let mut parts = value.split('\n');
        let first = parts.next().unwrap_or_default();
        // As dnf5: the blank after the colon stays where there is no value.
        lines.push(format!("{key:<width$} : {}", escape_control(first)));
        for part in parts {
            lines.push(format!("{:<width$} : {}", "", escape_control(part)));
        }
    }
    lines
}

/// Cuts a text to `width` characters.
pub fn cut(text: &str, width: usize) -> String {
    text.chars().take(width).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(size_text(4), "4.0   B");
        assert_eq!(size_text(13_210), "12.9 KiB");
        assert_eq!(size_rounded(13_210), "13 KiB");
        assert_eq!(size_rounded(8), "8 B");
    }

    #[test]
    fn tables() {
        let rows = vec![
            vec!["Package".to_owned(), "Size".to_owned()],
            vec![" foo".to_owned(), "4.0   B".to_owned()],
        ];
        assert_eq!(
            columns(&[Side::Left, Side::Right], &rows),
            ["Package    Size", " foo    4.0   B"]
        );
        let rows = vec![
            vec!["a-very-long-name-of-a-package".to_owned(), "1.0-1".to_owned()],
            vec!["short".to_owned(), "2.0-1".to_owned()],
        ];
        let sides = [Side::Left, Side::Right];
        assert_eq!(
            fitted(&sides, &rows, Some(20)),
            ["a-very-long-name-of-a-package\n      1.0-1", "short 2.0-1"]
        );
        assert_eq!(fitted(&sides, &rows, Some(40)), columns(&sides, &rows));
        assert_eq!(fitted(&sides, &rows, None), columns(&sides, &rows));
        assert_eq!(
            key_values(&[("Name", "a".to_owned()), ("Text", "x\ny".to_owned())]),
            ["Name : a", "Text : x", "     : y"]
        );
    }
}
