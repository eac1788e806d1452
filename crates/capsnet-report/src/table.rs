//! Aligned tables as plain text or as Markdown.
//!
//! Own code rather than a table crate: those that measure coloured cells bring a terminal library or an ANSI parser
//! with them, and none writes Markdown's alignment row. The display width of text, which is the hard part, comes
//! from `unicode-width`.

use std::borrow::Cow;

use unicode_width::UnicodeWidthStr;

use crate::error::ReportError;
use crate::tone::Tone;

/// Where a column's text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A column: its heading and its alignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    heading: String,
    align: Align,
}

impl Column {
    /// A column of words.
    #[must_use]
    pub fn left(heading: impl Into<String>) -> Self {
        Self::new(heading, Align::Left)
    }

    /// A column of numbers.
    #[must_use]
    pub fn right(heading: impl Into<String>) -> Self {
        Self::new(heading, Align::Right)
    }

    /// A column with the given alignment.
    #[must_use]
    pub fn new(heading: impl Into<String>, align: Align) -> Self {
        Self {
            heading: printable(&heading.into()),
            align,
        }
    }
}

impl Column {
    pub(crate) fn heading(&self) -> &str {
        &self.heading
    }

    pub(crate) const fn align(&self) -> Align {
        self.align
    }
}

/// A cell: its text and its tone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableCell {
    text: String,
    tone: Tone,
}

impl TableCell {
    /// A cell with a tone. Control characters become spaces, so that a file name cannot steer the terminal.
    #[must_use]
    pub fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self {
            text: printable(&text.into()),
            tone,
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) const fn tone(&self) -> Tone {
        self.tone
    }
}

impl<T: Into<String>> From<T> for TableCell {
    fn from(text: T) -> Self {
        Self::new(text, Tone::Neutral)
    }
}

/// A table: columns with headings, and rows of cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<TableCell>>,
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self {
            columns: columns.into_iter().collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    ///
    /// # Errors
    /// [`ReportError::SizeMismatch`] if the row has not one cell a column.
    pub fn push(&mut self, cells: impl IntoIterator<Item = impl Into<TableCell>>) -> Result<(), ReportError> {
        let row: Vec<TableCell> = cells.into_iter().map(Into::into).collect();
        if row.len() != self.columns.len() {
            return Err(ReportError::SizeMismatch {
                what: "cells in a table row".to_owned(),
                expected: self.columns.len(),
                found: row.len(),
            });
        }
        self.rows.push(row);
        Ok(())
    }

    pub(crate) fn columns(&self) -> &[Column] {
        &self.columns
    }

    pub(crate) fn rows(&self) -> &[Vec<TableCell>] {
        &self.rows
    }

    /// Adds a row that has one cell a column by the way it was made; missing ones are filled up, surplus ones dropped.
    pub(crate) fn push_full(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells = cells.into_iter().map(TableCell::from);
        let filled = cells.chain(std::iter::repeat_with(|| TableCell::from("")));
        self.rows.push(filled.take(self.columns.len()).collect());
    }

    /// The table as aligned text: headings, a rule, the rows; every line ends with a line feed and has no trailing
    /// spaces. A table without columns is the empty string.
    #[must_use]
    pub fn to_text(&self) -> String {
        if self.columns.is_empty() {
            return String::new();
        }
        let widths = self.widths();
        let mut out = String::new();
        self.push_line(
            &mut out,
            &widths,
            self.columns.iter().map(|column| column.heading.as_str()),
        );
        let rules: Vec<String> = widths.iter().map(|&width| "-".repeat(width)).collect();
        out.push_str(rules.join(GAP).trim_end());
        out.push('\n');
        for row in &self.rows {
            self.push_line(&mut out, &widths, row.iter().map(|cell| cell.text.as_str()));
        }
        out
    }

    /// The table in GitHub's Markdown, readable as it is too. A table without columns is the empty string.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        if self.columns.is_empty() {
            return String::new();
        }
        let headings: Vec<Cow<str>> = self.columns.iter().map(|column| escaped(&column.heading)).collect();
        let rows: Vec<Vec<Cow<str>>> = self
            .rows
            .iter()
            .map(|row| row.iter().map(|cell| escaped(&cell.text)).collect())
            .collect();
        // The alignment row needs at least three characters a column.
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|c| {
                let cells = rows.iter().map(|row| row[c].width());
                cells.fold(headings[c].width().max(3), usize::max)
            })
            .collect();
        let rules = self.columns.iter().zip(&widths).map(|(column, &width)| {
            Cow::from(match column.align {
                Align::Left => "-".repeat(width),
                Align::Right => format!("{}:", "-".repeat(width - 1)),
            })
        });
        let mut out = String::new();
        for line in [headings, rules.collect()].iter().chain(&rows) {
            for ((text, column), &width) in line.iter().zip(&self.columns).zip(&widths) {
                out.push_str("| ");
                push_aligned(&mut out, text, width, column.align);
                out.push(' ');
            }
            out.push_str("|\n");
        }
        out
    }

    /// The display width of each column.
    fn widths(&self) -> Vec<usize> {
        (0..self.columns.len())
            .map(|c| {
                let cells = self.rows.iter().map(|row| row[c].text.width());
                cells.fold(self.columns[c].heading.width(), usize::max)
            })
            .collect()
    }

    fn push_line<'a>(&self, out: &mut String, widths: &[usize], cells: impl Iterator<Item = &'a str>) {
        for (c, text) in cells.enumerate() {
            if c > 0 {
                out.push_str(GAP);
            }
            push_aligned(out, text, widths[c], self.columns[c].align);
        }
        out.truncate(out.trim_end_matches(' ').len());
        out.push('\n');
    }
}

/// What stands between two columns.
const GAP: &str = "  ";

/// Appends a text padded to `width`.
fn push_aligned(out: &mut String, text: &str, width: usize, align: Align) {
    let padding = " ".repeat(width.saturating_sub(text.width()));
    let (before, behind) = match align {
        Align::Left => ("", padding.as_str()),
        Align::Right => (padding.as_str(), ""),
    };
    out.extend([before, text, behind]);
}

/// Control characters, which include line feeds and escapes, as spaces.
fn printable(text: &str) -> String {
    let shown = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(shown).collect()
}

/// Text as a Markdown table cell takes it.
fn escaped(text: &str) -> Cow<'_, str> {
    if text.contains('|') {
        Cow::from(text.replace('|', "\\|"))
    } else {
        Cow::from(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn accuracies() -> Table {
        let mut table = Table::new([
            Column::left("test images"),
            Column::right("LeNet-5"),
            Column::right("CapsNet"),
        ]);
        table.push(["upright", "98.68 %", "99.37 %"]).unwrap();
        table
            .push([
                TableCell::from("+35°"),
                TableCell::new("76.05 %", Tone::Wrong),
                TableCell::new("100.00 %", Tone::Right),
            ])
            .unwrap();
        table.push(["", "", ""]).unwrap();
        table
    }

    #[test]
    fn words_stand_left_and_numbers_right() {
        let expected = "\
test images  LeNet-5   CapsNet
-----------  -------  --------
upright      98.68 %   99.37 %
+35°         76.05 %  100.00 %

";
        assert_eq!(accuracies().to_text(), expected);
    }

    #[test]
    fn markdown_says_the_alignment_and_escapes_bars() {
        let mut table = Table::new([Column::left("a"), Column::right("b|c")]);
        table.push(["x | y", "1"]).unwrap();
        let expected = "\
| a      | b\\|c |
| ------ | ---: |
| x \\| y |    1 |
";
        assert_eq!(table.to_markdown(), expected);
    }

    #[test]
    fn wide_characters_take_two_columns() {
        let mut table = Table::new([Column::left("词"), Column::left("n")]);
        table.push(["七", "7"]).unwrap();
        table.push(["seven", "7"]).unwrap();
        assert_eq!(table.to_text(), "词     n\n-----  -\n七     7\nseven  7\n");
    }

    #[test]
    fn control_characters_never_reach_the_terminal() {
        let mut table = Table::new([Column::left("file\n")]);
        table.push(["evil\x1b[2J\r\nname\t.png"]).unwrap();
        let text = table.to_text();
        assert!(text.contains("evil [2J  name .png\n"), "{text:?}");
        assert_eq!(text.lines().count(), 3);
    }

    #[test]
    fn a_row_must_have_a_cell_for_each_column() {
        let mut table = Table::new([Column::left("a"), Column::left("b")]);
        let error = table.push(["only one"]).unwrap_err();
        assert_eq!(error.to_string(), "cells in a table row: expected 2, found 1");
    }

    #[test]
    fn empty_tables_are_empty_or_headings_only() {
        let none = Table::new([]);
        assert_eq!(none.to_text(), "");
        assert_eq!(none.to_markdown(), "");
        let bare = Table::new([Column::right("n")]);
        assert_eq!(bare.to_text(), "n\n-\n");
        assert_eq!(bare.to_markdown(), "|   n |\n| --: |\n");
    }

    proptest! {
        #[test]
        fn all_lines_of_a_bordered_table_are_equally_wide(
            cells in prop::collection::vec(("[ -~é七]{0,9}", "[ -~é七]{0,9}"), 0..6),
        ) {
            let mut table = Table::new([Column::left("left"), Column::right("right")]);
            for (a, b) in &cells {
                table.push([a.as_str(), b.as_str()]).unwrap();
            }
            let markdown = table.to_markdown();
            let widths: Vec<usize> = markdown.lines().map(|line| line.width()).collect();
            prop_assert_eq!(widths.len(), cells.len() + 2);
            prop_assert!(widths.iter().all(|&width| width == widths[0]), "{}", markdown);
            for line in table.to_text().lines() {
                prop_assert!(!line.ends_with(' '));
            }
        }
    }
}
