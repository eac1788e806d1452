//! Grids of digits: each cell shows one image or several side by side, in a frame, with labels under it.
//!
//! Right and wrong differ by more than colour: a wrong cell has a dashed red frame and bold labels, a right one a
//! solid green frame and regular labels.

use crate::colour::ColourImage;
use crate::drawing::{Drawing, Sheet, tile_size};
use crate::error::ReportError;
use crate::font::Font;
use crate::png;
use crate::tone::Tone;

/// Paper between two cells.
const GAP: f64 = 18.0;
/// Between a frame and the label under it.
const LABEL_GAP: f64 = 3.0;

/// One cell: images side by side, and lines of text under them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    images: Vec<ColourImage>,
    lines: Vec<(String, Tone)>,
}

impl Cell {
    /// A cell with one image.
    #[must_use]
    pub fn new(image: impl Into<ColourImage>) -> Self {
        Self {
            images: vec![image.into()],
            lines: Vec::new(),
        }
    }

    /// Adds an image to the right of those there, for example a reconstruction beside its input.
    #[must_use]
    pub fn beside(mut self, image: impl Into<ColourImage>) -> Self {
        self.images.push(image.into());
        self
    }

    /// Adds a line of text. One wrong line makes the cell wrong; else one right line makes it right.
    #[must_use]
    pub fn line(mut self, text: impl Into<String>, tone: Tone) -> Self {
        self.lines.push((text.into(), tone));
        self
    }

    fn tone(&self) -> Tone {
        Tone::of_all(self.lines.iter().map(|(_, tone)| *tone))
    }

    /// Width and height of the framed images.
    fn framed(&self, scale: f64) -> (f64, f64) {
        let sides: Vec<(usize, usize)> = self
            .images
            .iter()
            .map(|image| (image.width(), image.height()))
            .collect();
        tile_size(&sides, scale)
    }

    fn text_width(&self) -> f64 {
        let widths = self.lines.iter().map(|(text, _)| Font::Body.width(text));
        widths.fold(0.0, f64::max)
    }

    /// Draws the cell into a slot whose top left corner is (`x`, `y`).
    fn draw(&self, drawing: &mut Drawing, slot: &Slot, scale: f64, (x, y): (f64, f64)) {
        let (width, height) = self.framed(scale);
        // Images stand on whole pixels.
        let corner = (
            x + ((slot.width - width) / 2.0).floor(),
            y + ((slot.framed_height - height) / 2.0).floor(),
        );
        drawing.tile(corner, &self.images, scale, self.tone());
        for (number, (line, tone)) in self.lines.iter().enumerate() {
            let y = y + slot.framed_height + LABEL_GAP + number as f64 * Font::Body.height();
            drawing.note((x + slot.width / 2.0, y), line, *tone);
        }
    }
}

/// The size of all cells of a grid: that of the largest.
struct Slot {
    width: f64,
    height: f64,
    /// Height of the part that the framed images share.
    framed_height: f64,
}

impl Slot {
    fn of(grid: &DigitGrid) -> Self {
        let largest = |size: &dyn Fn(&Cell) -> f64| grid.cells.iter().map(size).fold(0.0, f64::max);
        let framed_height = largest(&|cell| cell.framed(grid.scale).1);
        let lines = largest(&|cell| cell.lines.len() as f64);
        let labels = if lines > 0.0 {
            LABEL_GAP + lines * Font::Body.height()
        } else {
            0.0
        };
        Self {
            width: largest(&|cell| cell.framed(grid.scale).0.max(cell.text_width())),
            height: framed_height + labels,
            framed_height,
        }
    }
}

/// A grid of cells, filled row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct DigitGrid {
    /// What the grid shows, set above it. May be empty.
    pub title: String,
    /// How it was made (command, seed, angle), set below it. May be empty.
    pub caption: String,
    /// Cells in a row.
    pub columns: usize,
    /// The side of an image pixel in picture pixels; [`DigitGrid::SCALE`] suits digits of 28 x 28.
    pub scale: f64,
    /// The cells.
    pub cells: Vec<Cell>,
}

impl DigitGrid {
    /// The enlargement of a new grid.
    pub const SCALE: f64 = 3.0;

    /// A grid without caption, enlarged by [`DigitGrid::SCALE`].
    #[must_use]
    pub fn new(title: impl Into<String>, columns: usize, cells: Vec<Cell>) -> Self {
        Self {
            title: title.into(),
            caption: String::new(),
            columns,
            scale: Self::SCALE,
            cells,
        }
    }

    /// The grid as a picture. All cells get the size of the largest.
    ///
    /// # Errors
    /// [`ReportError::Empty`] without cells, columns or a scale, [`ReportError::TooLarge`] if the picture would be.
    pub fn sheet(&self) -> Result<Sheet, ReportError> {
        if self.cells.is_empty() || self.columns == 0 || self.scale <= 0.0 {
            return Err(ReportError::Empty("a digit grid"));
        }
        let slot = Slot::of(self);
        let columns = self.columns.min(self.cells.len());
        let rows = self.cells.len().div_ceil(columns);
        png::check_size(columns as f64 * slot.width, rows as f64 * slot.height)?;
        let mut drawing = Drawing::new();
        for (index, cell) in self.cells.iter().enumerate() {
            let (row, column) = (index / columns, index % columns);
            let x = column as f64 * (slot.width + GAP);
            let y = row as f64 * (slot.height + GAP);
            cell.draw(&mut drawing, &slot, self.scale, (x, y));
            drawing.reach((x + slot.width, y + slot.height));
        }
        Ok(drawing.sheet(self.title.clone(), self.caption.clone()))
    }
}

#[cfg(test)]
mod tests;
