// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tables in fixed-width text. Cells are escaped and measured in terminal columns (East Asian characters take two).

use console::measure_text_width;

use crate::escape_control;

/// Which side of a column the text stands at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Left, for words.
    Left,
    /// Right, for numbers.
    Right,
}

/// What happens to text that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overflow {
    /// The column keeps its width, the line may become too long.
    Keep,
    /// The text is cut and ends in `…`.
    Truncate,
    /// The text continues in further lines.
    Wrap,
}

/// A column: its heading and how its cells are set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Heading; the table has no heading line if all are empty.
    pub heading: String,
    /// Which side the text stands at.
    pub align: Align,
    /// What happens if it does not fit.
    pub overflow: Overflow,
}

impl Column {
    /// A column of words that keeps its width.
    pub fn left(heading: &str) -> Self {
        Self { heading: heading.to_owned(), align: Align::Left, overflow: Overflow::Keep }
    }

    /// A column of numbers that keeps its width.
    pub fn right(heading: &str) -> Self {
        Self { heading: heading.to_owned(), align: Align::Right, overflow: Overflow::Keep }
    }

    /// Sets what happens to text that does not fit.
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }
}

/// Rows of text below columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
    indent: usize,
}

/// Spaces between columns.
const GAP: usize = 2;
/// A column is never made narrower than this.
const NARROWEST: usize = 8;

impl Table {
    /// A table without rows.
    pub fn new<I: IntoIterator<Item = Column>>(columns: I) -> Self {
        Self { columns: columns.into_iter().collect(), rows: Vec::new(), indent: 0 }
    }

    /// Sets the number of spaces before each line.
    pub fn indent(mut self, columns: usize) -> Self {
        self.indent = columns;
        self
    }

    /// Adds a row; missing cells are empty, surplus ones are ignored.
    pub fn row<I: IntoIterator<Item: Into<String>>>(&mut self, cells: I) {
        let mut row: Vec<String> =
            cells.into_iter().map(|cell| escape_control(&cell.into()).into_owned()).collect();
        row.resize(self.columns.len(), String::new());
        self.rows.push(row);
    }

    /// Tells whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the text, fitted to `width` terminal columns if given. Lines have no spaces at their end.
    pub fn render(&self, width: Option<usize>) -> String {
        let widths = self.widths(width);
        let mut text = String::new();
        let headings: Vec<String> =
            self.columns.iter().map(|column| column.heading.clone()).collect();
        if headings.iter().any(|heading| !heading.is_empty()) {
            self.write_row(&mut text, &headings, &widths);
        }
        for row in &self.rows {
            self.write_row(&mut text, row, &widths);
        }
        text
    }

    fn widths(&self, limit: Option<usize>) -> Vec<usize> {
        let widest = |(index, column): (usize, &Column)| {
            let cells = self.rows.iter().map(|row| measure_text_width(&row[index]));
            cells.max().unwrap_or(0).max(measure_text_width(&column.heading))
        };
        let mut widths: Vec<usize> = self.columns.iter().enumerate().map(widest).collect();
        let Some(limit) = limit else { return widths };
        let gaps = GAP * widths.len().saturating_sub(1) + self.indent;
        // The widest flexible column gives way first, one terminal column at a time.
        while widths.iter().sum::<usize>() + gaps > limit {
            let flexible = |index: &usize| {
                self.columns[*index].overflow != Overflow::Keep && widths[*index] > NARROWEST
            };
            let Some(index) = (0..widths.len()).filter(flexible).max_by_key(|index| widths[*index])
            else {
                break;
            };
            widths[index] -= 1;
        }
        widths
    }

    fn write_row(&self, text: &mut String, cells: &[String], widths: &[usize]) {
        let lines = |(index, cell): (usize, &String)| match self.columns[index].overflow {
            Overflow::Keep => vec![cell.clone()],
            Overflow::Truncate => {
                vec![console::truncate_str(cell, widths[index], "…").into_owned()]
            }
            Overflow::Wrap => wrap(cell, widths[index]),
        };
        let cells: Vec<Vec<String>> = cells.iter().enumerate().map(lines).collect();
        for number in 0..cells.iter().map(Vec::len).max().unwrap_or(1) {
            let mut line = " ".repeat(self.indent);
            for (index, width) in widths.iter().enumerate() {
                let part = cells[index].get(number).map_or("", String::as_str);
                let padding = " ".repeat(width.saturating_sub(measure_text_width(part)));
                match self.columns[index].align {
                    Align::Left => line.extend([part, &padding]),
                    Align::Right => line.extend([&padding, part]),
                }
                line.push_str(&" ".repeat(GAP));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
}

/// Breaks at spaces; a word wider than the column is broken anywhere.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ') {
        let word_width = measure_text_width(word);
        if used > 0 && used + 1 + word_width > width {
            lines.push(String::new());
            used = 0;
        } else if used > 0 {
            push(&mut lines, " ");
            used += 1;
        }
        for c in word.chars() {
            let c = c.to_string();
            let c_width = measure_text_width(&c);
            if used + c_width > width && used > 0 {
                lines.push(String::new());
                used = 0;
            }
            push(&mut lines, &c);
            used += c_width;
        }
    }
    lines
}

fn push(lines: &mut [String], text: &str) {
    if let Some(line) = lines.last_mut() {
        line.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn sample(overflow: Overflow) -> Table {
        let mut table = Table::new([
            Column::left("Package"),
            Column::right("Size"),
            Column::left("Summary").overflow(overflow),
        ]);
        table.row(["bash", "1.8 MiB", "The GNU Bourne Again shell"]);
        table.row(["日本語", "2 B", "wide\x1b[31m"]);
        table.row(["x"]);
        table
    }

    #[test]
    fn natural_width() {
        expect![[r"
            Package     Size  Summary
            bash     1.8 MiB  The GNU Bourne Again shell
            日本語       2 B  wide\u{1b}[31m
            x
        "]]
        .assert_eq(&sample(Overflow::Wrap).render(None));
    }

    #[test]
    fn narrow_terminals() {
        expect![[r"
            Package     Size  Summary
            bash     1.8 MiB  The GNU
                              Bourne Again
                              shell
            日本語       2 B  wide\u{1b}[3
                              1m
            x
        "]]
        .assert_eq(&sample(Overflow::Wrap).render(Some(30)));
        expect![[r"
            Package     Size  Summary
            bash     1.8 MiB  The GNU Bou…
            日本語       2 B  wide\u{1b}[…
            x
        "]]
        .assert_eq(&sample(Overflow::Truncate).render(Some(30)));
        assert_eq!(sample(Overflow::Keep).render(Some(10)), sample(Overflow::Keep).render(None));
    }
}
