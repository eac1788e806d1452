//! Confusion matrices: the row is the truth, the column the prediction.
//!
//! In the picture a cell's shade is the cube root of its share of the row, so that a handful of confusions among a
//! thousand images can be seen. Right predictions are blue, wrong ones orange: the two differ in lightness and are
//! told apart with any colour vision, and the diagonal tells them apart without colour.

use crate::canvas::{Canvas, Rect, Rgb};
use crate::error::ReportError;
use crate::number::{count, percent};
use crate::table::{Column, Table, TableCell};
use crate::text::{self, Font};
use crate::tone::Tone;

/// Shade of a cell that holds all of its row, on the diagonal.
const RIGHT: Rgb = Rgb(0x10, 0x3F, 0x91);
/// Shade of a cell that holds all of its row, off the diagonal.
const WRONG: Rgb = Rgb(0xC4, 0x4E, 0x00);
/// Counts of zero, and what the rows and columns are.
const FAINT: Rgb = Rgb(0x76, 0x76, 0x76);
const GRID_LINE: Rgb = Rgb(0xDD, 0xDD, 0xDD);
const MARGIN: usize = 20;
/// Paper on either side of a cell's text.
const PADDING: usize = 8;
const CELL_HEIGHT: usize = 36;
/// Between the labels and the cells.
const GAP: usize = 10;

/// How often each class was taken for each class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfusionMatrix {
    labels: Vec<String>,
    /// Row by row, `labels.len()` squared.
    counts: Vec<u64>,
}

impl ConfusionMatrix {
    /// A matrix of `counts[truth][prediction]` with one label a class.
    ///
    /// # Errors
    /// [`ReportError::Empty`] without classes, [`ReportError::SizeMismatch`] if the counts are not square or do
    /// not fit the labels.
    pub fn new(labels: impl IntoIterator<Item = impl Into<String>>, counts: &[Vec<u64>]) -> Result<Self, ReportError> {
        let labels: Vec<String> = labels.into_iter().map(Into::into).collect();
        if labels.is_empty() {
            return Err(ReportError::Empty("a confusion matrix"));
        }
        let check = |what: &str, found: usize| match found == labels.len() {
            true => Ok(()),
            false => Err(ReportError::SizeMismatch {
                what: what.to_owned(),
                expected: labels.len(),
                found,
            }),
        };
        check("rows of a confusion matrix", counts.len())?;
        for row in counts {
            check("columns of a confusion matrix", row.len())?;
        }
        Ok(Self {
            counts: counts.concat(),
            labels,
        })
    }

    /// The matrix as a table, with each class's share of right predictions in the last column. Zeros are dots.
    ///
    /// # Errors
    /// None in practice: the table has the columns that its rows need.
    pub fn to_table(&self) -> Result<Table, ReportError> {
        let predictions = self.labels.iter().map(Column::right);
        let mut table = Table::new(
            std::iter::once(Column::left("truth"))
                .chain(predictions)
                .chain([Column::right("right")]),
        );
        for (truth, row) in self.rows().enumerate() {
            let cells = row.iter().enumerate().map(|(prediction, &n)| match n {
                0 => TableCell::from("."),
                n if prediction == truth => TableCell::new(count(n), Tone::Right),
                n => TableCell::new(count(n), Tone::Wrong),
            });
            table.push(
                std::iter::once(TableCell::from(self.labels[truth].as_str()))
                    .chain(cells)
                    .chain([TableCell::from(self.recall(truth))]),
            )?;
        }
        Ok(table)
    }

    /// The matrix as a heat map with its counts, under a title.
    ///
    /// # Errors
    /// [`ReportError::TooLarge`] with thousands of classes.
    pub fn draw(&self, title: &str) -> Result<Canvas, ReportError> {
        let layout = Layout::of(self, title);
        let mut canvas = Canvas::new(layout.width, layout.height)?;
        let ink = Tone::Neutral.ink();
        for (index, line) in layout.title.iter().enumerate() {
            let y = MARGIN + index * Font::Title.height();
            text::draw(&mut canvas, MARGIN, y, line, Font::Title, ink);
        }

        let classes = self.labels.len();
        let middle = layout.left + classes * layout.cell_width / 2;
        let header = layout.top - GAP - Font::Body.height();
        let above = header - Font::Body.height();
        text::draw_centred(&mut canvas, middle, above, "prediction", Font::Body, FAINT);
        text::draw(&mut canvas, MARGIN, header, "truth", Font::Body, FAINT);
        let right = layout.left + classes * layout.cell_width + GAP;
        text::draw(&mut canvas, right, header, "right", Font::Body, FAINT);

        for (truth, row) in self.rows().enumerate() {
            let y = layout.top + truth * CELL_HEIGHT;
            let baseline = y + (CELL_HEIGHT - Font::Body.height()) / 2;
            let label = &self.labels[truth];
            let x = layout.left - GAP - Font::Body.width(label);
            text::draw(&mut canvas, x, baseline, label, Font::Body, ink);
            let x = layout.left + truth * layout.cell_width + layout.cell_width / 2;
            text::draw_centred(&mut canvas, x, header, label, Font::Body, ink);
            for (prediction, &n) in row.iter().enumerate() {
                let rect = Rect {
                    x: layout.left + prediction * layout.cell_width,
                    y,
                    width: layout.cell_width,
                    height: CELL_HEIGHT,
                };
                let full = if prediction == truth { RIGHT } else { WRONG };
                let paper = Rgb::WHITE.mix(full, shade(n, self.total(truth)));
                canvas.fill(rect, paper);
                canvas.frame(rect, 1, GRID_LINE);
                let ink = if n == 0 { FAINT } else { ink_on(paper) };
                let centre = rect.x + rect.width / 2;
                text::draw_centred(&mut canvas, centre, baseline, &count(n), Font::Body, ink);
            }
            let recall = self.recall(truth);
            text::draw(&mut canvas, right, baseline, &recall, Font::Body, ink);
        }
        Ok(canvas)
    }

    fn rows(&self) -> impl Iterator<Item = &[u64]> {
        self.counts.chunks_exact(self.labels.len())
    }

    /// Images whose truth is this class.
    fn total(&self, truth: usize) -> u64 {
        let classes = self.labels.len();
        let row = &self.counts[truth * classes..(truth + 1) * classes];
        row.iter().fold(0, |sum, &n| sum.saturating_add(n))
    }

    /// The share of this class's images that were recognised; "n/a" if there are none.
    fn recall(&self, truth: usize) -> String {
        let right = self.counts[truth * self.labels.len() + truth];
        // Without images this is 0/0, which `percent` shows as "n/a".
        percent(right as f64 / self.total(truth) as f64, 1)
    }
}

/// How dark a cell is, 0 to 255.
fn shade(n: u64, total: u64) -> u8 {
    let share = n as f64 / total.max(1) as f64;
    (share.cbrt() * 255.0).round() as u8
}

/// Black or white, whichever is easier to read.
fn ink_on(paper: Rgb) -> Rgb {
    let black = Rgb(0, 0, 0);
    if paper.contrast(black) >= paper.contrast(Rgb::WHITE) {
        black
    } else {
        Rgb::WHITE
    }
}

/// Where the cells start and how large all is.
struct Layout {
    title: Vec<String>,
    left: usize,
    top: usize,
    cell_width: usize,
    width: usize,
    height: usize,
}

impl Layout {
    fn of(matrix: &ConfusionMatrix, title: &str) -> Self {
        let widest =
            |texts: &mut dyn Iterator<Item = String>| texts.fold(0, |width, text| width.max(Font::Body.width(&text)));
        let label_width = widest(&mut matrix.labels.iter().cloned());
        let count_width = widest(&mut matrix.counts.iter().map(|&n| count(n)));
        let cell_width = label_width.max(count_width) + 2 * PADDING;
        let left = MARGIN + label_width.max(Font::Body.width("truth")) + GAP;
        let classes = matrix.labels.len();
        let cells_right = left.saturating_add(classes.saturating_mul(cell_width));
        let width = cells_right.saturating_add(GAP + Font::Body.width("100.0 %") + MARGIN);
        let title = text::wrap(title, (width - 2 * MARGIN) / Font::Title.advance());
        let title_height = match title.len() {
            0 => 0,
            lines => lines * Font::Title.height() + GAP,
        };
        let top = MARGIN + title_height + 2 * Font::Body.height() + GAP;
        Self {
            title,
            left,
            top,
            cell_width,
            width,
            height: top.saturating_add(classes.saturating_mul(CELL_HEIGHT) + MARGIN),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::TextStyle;

    fn three_classes() -> ConfusionMatrix {
        let counts = [vec![980, 0, 20], vec![0, 1135, 0], vec![0, 0, 0]];
        ConfusionMatrix::new(["0", "1", "coat"], &counts).unwrap()
    }

    #[test]
    fn the_table_has_truths_as_rows() {
        let text = three_classes().to_table().unwrap();
        let expected = "\
truth    0      1  coat    right
-----  ---  -----  ----  -------
0      980      .    20   98.0 %
1        .  1,135     .  100.0 %
coat     .      .     .      n/a
";
        assert_eq!(text.to_text(TextStyle::Plain), expected);
        let ansi = text.to_text(TextStyle::Ansi);
        assert!(ansi.contains("\x1b[32m980\x1b[0m") && ansi.contains("\x1b[31m20\x1b[0m"));
    }

    /// The colour just inside a cell's top left corner, where no text is.
    fn paper(canvas: &Canvas, layout: &Layout, truth: usize, prediction: usize) -> Rgb {
        let x = layout.left + prediction * layout.cell_width + 2;
        let y = layout.top + truth * CELL_HEIGHT + 2;
        canvas.pixel(x, y).unwrap()
    }

    #[test]
    fn shades_run_from_white_to_the_full_colour() {
        let matrix = three_classes();
        let canvas = matrix.draw("a title").unwrap();
        let layout = Layout::of(&matrix, "a title");
        let at = |truth, prediction| paper(&canvas, &layout, truth, prediction);
        assert_eq!(at(1, 1), RIGHT);
        assert_eq!(at(1, 0), Rgb::WHITE);
        assert_eq!(at(2, 2), Rgb::WHITE, "a class without images has no shade");
        // 20 of 1000 has the cube root of 0.02, 27 % of the full shade: 69 of 255.
        assert_eq!(at(0, 2), Rgb::WHITE.mix(WRONG, 69));
        assert_eq!(at(2, 0), Rgb::WHITE, "rows are truths: the transpose is empty");
    }

    #[test]
    fn counts_are_readable_on_every_shade() {
        for full in [RIGHT, WRONG] {
            for shade in 0..=255 {
                let paper = Rgb::WHITE.mix(full, shade);
                assert!(paper.contrast(ink_on(paper)) >= 4.5, "on {paper:?}");
            }
        }
    }

    #[test]
    fn counts_are_written_into_their_cells() {
        let matrix = three_classes();
        let canvas = matrix.draw("").unwrap();
        let layout = Layout::of(&matrix, "");
        for truth in 0..3 {
            for prediction in 0..3 {
                let background = paper(&canvas, &layout, truth, prediction);
                let (x, y) = (
                    layout.left + prediction * layout.cell_width,
                    layout.top + truth * CELL_HEIGHT,
                );
                let inked = (2..CELL_HEIGHT - 2)
                    .flat_map(|dy| (2..layout.cell_width - 2).map(move |dx| (x + dx, y + dy)))
                    .filter(|&(x, y)| canvas.pixel(x, y) != Some(background))
                    .count();
                assert!(inked > 15, "the cell {truth}, {prediction} has no text");
                let edges = (0..CELL_HEIGHT).map(|dy| (x + 2, y + dy.clamp(1, CELL_HEIGHT - 2)));
                for (x, y) in edges {
                    assert_eq!(canvas.pixel(x, y), Some(background), "text touches the edge");
                }
            }
        }
    }

    #[test]
    fn wrong_shapes_are_errors() {
        let none: [&str; 0] = [];
        assert!(matches!(ConfusionMatrix::new(none, &[]), Err(ReportError::Empty(_))));
        let error = ConfusionMatrix::new(["a", "b"], &[vec![1, 2]]).unwrap_err();
        assert_eq!(error.to_string(), "rows of a confusion matrix: expected 2, found 1");
        let error = ConfusionMatrix::new(["a", "b"], &[vec![1, 2], vec![3]]).unwrap_err();
        assert_eq!(error.to_string(), "columns of a confusion matrix: expected 2, found 1");
    }

    #[test]
    fn enormous_counts_and_many_classes_do_not_panic() {
        let matrix = ConfusionMatrix::new(["x"], &[vec![u64::MAX]]).unwrap();
        assert!(matrix.draw("").is_ok());
        let labels: Vec<String> = (0..1200).map(|i| format!("class number {i}")).collect();
        let matrix = ConfusionMatrix::new(labels, &vec![vec![0; 1200]; 1200]).unwrap();
        assert!(matches!(matrix.draw(""), Err(ReportError::TooLarge { .. })));
    }
}
