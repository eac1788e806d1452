//! Confusion matrices: the row is the truth, the column the prediction.
//!
//! In the picture a cell's shade is the cube root of its share of the row, so that a handful of confusions among a
//! thousand images can be seen. Right predictions are blue, wrong ones orange: the two differ in lightness and are
//! told apart with any colour vision, and the diagonal tells them apart without colour.

use crate::colour::INK;
use crate::drawing::{Anchor, Drawing, Sheet};
use crate::error::ReportError;
use crate::font::Font;
use crate::number::{count, percent};
use crate::png;
use crate::rgb::Rgb;
use crate::table::{Column, Table, TableCell};
use crate::tone::Tone;

/// Shade of a cell that holds all of its row, on the diagonal.
const RIGHT: Rgb = Rgb(0x10, 0x3F, 0x91);
/// Shade of a cell that holds all of its row, off the diagonal.
const WRONG: Rgb = Rgb(0xC4, 0x4E, 0x00);
/// Counts of zero, and what the rows and columns are.
const FAINT: Rgb = Rgb(0x76, 0x76, 0x76);
const GRID_LINE: Rgb = Rgb(0xDD, 0xDD, 0xDD);
/// Paper on either side of a cell's text.
const PADDING: f64 = 8.0;
const CELL_HEIGHT: f64 = 36.0;
/// Between the labels and the cells.
const GAP: f64 = 10.0;

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
    pub fn sheet(&self, title: &str) -> Result<Sheet, ReportError> {
        let layout = Layout::of(self);
        let classes = self.labels.len() as f64;
        let (right, bottom) = (
            layout.left + classes * layout.cell_width,
            layout.top + classes * CELL_HEIGHT,
        );
        png::check_size(right, bottom)?;
        let mut drawing = Drawing::new();
        let mut text = |at, anchor, ink, text: &str| drawing.text(at, anchor, Font::Body, ink, text);
        let header = layout.top - GAP - Font::Body.height();
        let above = header - Font::Body.height();
        text(
            ((layout.left + right) / 2.0, above),
            Anchor::Middle,
            FAINT,
            "prediction",
        );
        text((0.0, header), Anchor::Start, FAINT, "truth");
        text((right + GAP, header), Anchor::Start, FAINT, "right");
        for (truth, label) in self.labels.iter().enumerate() {
            let line = layout.line(truth);
            text((layout.left - GAP, line), Anchor::End, INK, label);
            text((layout.middle(truth), header), Anchor::Middle, INK, label);
            text((right + GAP, line), Anchor::Start, INK, &self.recall(truth));
        }
        for (truth, row) in self.rows().enumerate() {
            for (prediction, &n) in row.iter().enumerate() {
                let full = if prediction == truth { RIGHT } else { WRONG };
                let paper = Rgb::WHITE.mix(full, shade(n, self.total(truth)));
                let (x, y) = layout.corner(truth, prediction);
                drawing.rectangle((x, y), (layout.cell_width, CELL_HEIGHT), paper);
                let inside = (layout.cell_width - 1.0, CELL_HEIGHT - 1.0);
                drawing.frame((x + 0.5, y + 0.5), inside, 1.0, GRID_LINE);
                let ink = if n == 0 { FAINT } else { ink_on(paper) };
                let at = (layout.middle(prediction), layout.line(truth));
                drawing.text(at, Anchor::Middle, Font::Body, ink, count(n));
            }
        }
        Ok(drawing.sheet(title, ""))
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

/// Where the cells are.
struct Layout {
    left: f64,
    top: f64,
    cell_width: f64,
}

impl Layout {
    fn of(matrix: &ConfusionMatrix) -> Self {
        let widest = |texts: &mut dyn Iterator<Item = f64>| texts.fold(0.0, f64::max);
        let label_width = widest(&mut matrix.labels.iter().map(|label| Font::Body.width(label)));
        let count_width = widest(&mut matrix.counts.iter().map(|&n| Font::Body.width(&count(n))));
        Self {
            left: label_width.max(Font::Body.width("truth")) + GAP,
            top: 2.0 * Font::Body.height() + GAP,
            cell_width: label_width.max(count_width) + 2.0 * PADDING,
        }
    }

    /// The top left corner of a cell.
    fn corner(&self, truth: usize, prediction: usize) -> (f64, f64) {
        let x = self.left + prediction as f64 * self.cell_width;
        (x, self.top + truth as f64 * CELL_HEIGHT)
    }

    /// The middle of a column.
    fn middle(&self, prediction: usize) -> f64 {
        self.corner(0, prediction).0 + self.cell_width / 2.0
    }

    /// The top of the text in a row.
    fn line(&self, truth: usize) -> f64 {
        self.corner(truth, 0).1 + (CELL_HEIGHT - Font::Body.height()) / 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(text.to_text(), expected);
        let tones: Vec<Tone> = text.rows()[0].iter().map(TableCell::tone).collect();
        let neutral = Tone::Neutral;
        assert_eq!(tones, [neutral, Tone::Right, neutral, Tone::Wrong, neutral]);
    }

    /// The colours of the picture's pixels, and its width.
    fn painted(matrix: &ConfusionMatrix) -> (usize, Vec<Rgb>) {
        png::read(&matrix.sheet("").unwrap().to_png().unwrap())
    }

    /// A pixel of a cell, from its top left corner; the sheet's margin is 20.
    fn pixel((width, pixels): &(usize, Vec<Rgb>), layout: &Layout, cell: (usize, usize), by: (usize, usize)) -> Rgb {
        let (x, y) = layout.corner(cell.0, cell.1);
        pixels[(20 + y as usize + by.1) * width + 20 + x as usize + by.0]
    }

    #[test]
    fn shades_run_from_white_to_the_full_colour() {
        let matrix = three_classes();
        let (picture, layout) = (painted(&matrix), Layout::of(&matrix));
        // Inside the grid line, where no text is.
        let at = |truth, prediction| pixel(&picture, &layout, (truth, prediction), (2, 2));
        assert_eq!(at(1, 1), RIGHT);
        assert_eq!(at(1, 0), Rgb::WHITE);
        assert_eq!(at(2, 2), Rgb::WHITE, "a class without images has no shade");
        // 20 of 1000 has the cube root of 0.02, 27 % of the full shade: 69 of 255.
        assert_eq!(at(0, 2), Rgb::WHITE.mix(WRONG, 69));
        assert_eq!(at(2, 0), Rgb::WHITE, "rows are truths: the transpose is empty");
        assert_eq!(pixel(&picture, &layout, (1, 1), (0, 0)), GRID_LINE);
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
        let (picture, layout) = (painted(&matrix), Layout::of(&matrix));
        let (width, height) = (layout.cell_width as usize, CELL_HEIGHT as usize);
        for (truth, prediction) in (0..3).flat_map(|truth| (0..3).map(move |prediction| (truth, prediction))) {
            let at = |x, y| pixel(&picture, &layout, (truth, prediction), (x, y));
            let background = at(2, 2);
            let inside = (2..height - 2).flat_map(|y| (2..width - 2).map(move |x| (x, y)));
            let inked = inside.filter(|&(x, y)| at(x, y) != background).count();
            assert!(inked > 15, "the cell {truth}, {prediction} has no text");
            let mut edge = (1..height - 1).flat_map(|y| [(2, y), (width - 3, y)]);
            assert!(edge.all(|(x, y)| at(x, y) == background), "text touches the edge");
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
        assert!(matrix.sheet("").is_ok());
        let labels: Vec<String> = (0..1200).map(|i| format!("class number {i}")).collect();
        let matrix = ConfusionMatrix::new(labels, &vec![vec![0; 1200]; 1200]).unwrap();
        assert!(matches!(matrix.sheet(""), Err(ReportError::TooLarge { .. })));
    }
}
