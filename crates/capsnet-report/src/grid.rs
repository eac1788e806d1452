//! Grids of digits: each cell shows one image or several side by side, in a frame, with labels under it.
//!
//! Right and wrong differ by more than colour: a wrong cell has a dashed red frame and bold labels, a right one a
//! solid green frame and regular labels.

use crate::canvas::{Canvas, Rect, Rgb};
use crate::error::ReportError;
use crate::grey::GreyImage;
use crate::text::{self, Font};
use crate::tone::Tone;

/// Paper around the whole picture.
const MARGIN: usize = 20;
/// Paper between two cells.
const GAP: usize = 18;
/// Between a frame and its image, and between images that stand side by side.
const MAT: usize = 3;
/// Thickness of a coloured frame.
const FRAME: usize = 3;
/// Length of a dash and of the gap after it.
const DASH: usize = 7;
/// Between a frame and the label under it.
const LABEL_GAP: usize = 3;
/// The frame of a neutral cell, so that an image with a white background has an edge.
const NEUTRAL_FRAME: Rgb = Rgb(0xBB, 0xBB, 0xBB);
/// Captions are less important than labels.
const CAPTION_INK: Rgb = Rgb(0x66, 0x66, 0x66);
/// A title or caption may make a narrow grid this much wider before it is wrapped, in characters.
const WRAP_AT_LEAST: usize = 44;

/// One cell: images side by side, and lines of text under them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    images: Vec<GreyImage>,
    lines: Vec<(String, Tone)>,
}

impl Cell {
    /// A cell with one image.
    #[must_use]
    pub fn new(image: GreyImage) -> Self {
        Self {
            images: vec![image],
            lines: Vec::new(),
        }
    }

    /// Adds an image to the right of those there, for example a reconstruction beside its input.
    #[must_use]
    pub fn beside(mut self, image: GreyImage) -> Self {
        self.images.push(image);
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

    /// Width and height in pixels of the images with their frame.
    fn framed(&self, scale: usize) -> (usize, usize) {
        let border = 2 * (FRAME + MAT);
        let widths = self.images.iter().map(GreyImage::width);
        let heights = self.images.iter().map(GreyImage::height);
        let mats = MAT * (self.images.len() - 1);
        let width = widths.fold(0, usize::saturating_add).saturating_mul(scale);
        let height = heights.fold(0, usize::max).saturating_mul(scale);
        (width.saturating_add(border + mats), height.saturating_add(border))
    }

    fn text_width(&self) -> usize {
        let widths = self.lines.iter().map(|(text, _)| Font::Body.width(text));
        widths.fold(0, usize::max)
    }
}

/// A grid of cells, filled row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigitGrid {
    /// What the grid shows, set above it. May be empty.
    pub title: String,
    /// How it was made (command, seed, angle), set below it. May be empty.
    pub caption: String,
    /// Cells in a row.
    pub columns: usize,
    /// The side of an image pixel in picture pixels; [`DigitGrid::SCALE`] suits digits of 28 x 28.
    pub scale: usize,
    /// The cells.
    pub cells: Vec<Cell>,
}

impl DigitGrid {
    /// The enlargement of a new grid.
    pub const SCALE: usize = 3;

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

    /// Draws the grid. All cells get the size of the largest.
    ///
    /// # Errors
    /// [`ReportError::Empty`] without cells, columns or a scale, [`ReportError::TooLarge`] if the picture would be.
    pub fn draw(&self) -> Result<Canvas, ReportError> {
        if self.cells.is_empty() || self.columns == 0 || self.scale == 0 {
            return Err(ReportError::Empty("a digit grid"));
        }
        let layout = Layout::of(self);
        let mut canvas = Canvas::new(layout.width, layout.height)?;
        let mut y = MARGIN;
        for line in &layout.title {
            let ink = Tone::Neutral.ink();
            text::draw(&mut canvas, MARGIN, y, line, Font::Title, ink);
            y += Font::Title.height();
        }
        for (index, cell) in self.cells.iter().enumerate() {
            let x = MARGIN + index % layout.columns * (layout.cell_width + GAP);
            let y = layout.cells_top + index / layout.columns * (layout.cell_height + GAP);
            self.draw_cell(&mut canvas, &layout, cell, x, y);
        }
        let mut y = layout.caption_top;
        for line in &layout.caption {
            text::draw(&mut canvas, MARGIN, y, line, Font::Body, CAPTION_INK);
            y += Font::Body.height();
        }
        Ok(canvas)
    }

    /// Draws a cell into its slot, whose top left corner is (`x`, `y`).
    fn draw_cell(&self, canvas: &mut Canvas, layout: &Layout, cell: &Cell, x: usize, y: usize) {
        let (width, height) = cell.framed(self.scale);
        let centre = x + layout.cell_width / 2;
        let frame = Rect {
            x: centre - width / 2,
            y: y + (layout.framed_height - height) / 2,
            width,
            height,
        };
        let tone = cell.tone();
        match tone {
            Tone::Neutral => canvas.frame(inset(frame, FRAME - 1), 1, NEUTRAL_FRAME),
            Tone::Right => canvas.frame(frame, FRAME, tone.ink()),
            Tone::Wrong => canvas.dashed_frame(frame, FRAME, DASH, tone.ink()),
        }
        let mut left = frame.x + FRAME + MAT;
        for image in &cell.images {
            canvas.blit(left, frame.y + FRAME + MAT, image, self.scale);
            left += image.width() * self.scale + MAT;
        }
        let mut y = y + layout.framed_height + LABEL_GAP;
        for (line, tone) in &cell.lines {
            let font = if *tone == Tone::Wrong { Font::Strong } else { Font::Body };
            text::draw_centred(canvas, centre, y, line, font, tone.ink());
            y += font.height();
        }
    }
}

/// A rectangle made smaller by `by` pixels on every side.
fn inset(rect: Rect, by: usize) -> Rect {
    Rect {
        x: rect.x + by,
        y: rect.y + by,
        width: rect.width - 2 * by,
        height: rect.height - 2 * by,
    }
}

/// Where everything goes. Sizes saturate: a picture that large is refused by the canvas.
struct Layout {
    columns: usize,
    width: usize,
    height: usize,
    title: Vec<String>,
    caption: Vec<String>,
    cell_width: usize,
    /// Height of a slot.
    cell_height: usize,
    /// Height of the part of a slot that the framed images share.
    framed_height: usize,
    cells_top: usize,
    caption_top: usize,
}

impl Layout {
    fn of(grid: &DigitGrid) -> Self {
        let largest = |size: &dyn Fn(&Cell) -> usize| {
            let sizes = grid.cells.iter().map(size);
            sizes.fold(0, usize::max)
        };
        let framed_height = largest(&|cell| cell.framed(grid.scale).1);
        let cell_width = largest(&|cell| cell.framed(grid.scale).0.max(cell.text_width()));
        let label_height = match largest(&|cell| cell.lines.len()) {
            0 => 0,
            lines => LABEL_GAP + lines * Font::Body.height(),
        };
        let cell_height = framed_height.saturating_add(label_height);

        let columns = grid.columns.min(grid.cells.len());
        let rows = grid.cells.len().div_ceil(columns);
        let span = |count: usize, size: usize| size.saturating_add(GAP).saturating_mul(count).saturating_sub(GAP);
        let cells_width = span(columns, cell_width);
        let wrapped = |text: &str, font: Font| text::wrap(text, (cells_width / font.advance()).max(WRAP_AT_LEAST));
        let title = wrapped(&grid.title, Font::Title);
        let caption = wrapped(&grid.caption, Font::Body);
        let text_width = |lines: &[String], font: Font| {
            let widths = lines.iter().map(|line| font.width(line));
            widths.fold(0, usize::max)
        };
        let inner_width = cells_width
            .max(text_width(&title, Font::Title))
            .max(text_width(&caption, Font::Body));

        let block = |lines: &[String], font: Font| match lines.len() {
            0 => 0,
            count => count * font.height() + GAP,
        };
        let cells_top = MARGIN + block(&title, Font::Title);
        let cells_bottom = cells_top.saturating_add(span(rows, cell_height));
        let caption_height = block(&caption, Font::Body);
        Self {
            columns,
            width: inner_width.saturating_add(2 * MARGIN),
            height: cells_bottom.saturating_add(caption_height + MARGIN),
            title,
            caption,
            cell_width,
            cell_height,
            framed_height,
            cells_top,
            caption_top: cells_bottom.saturating_add(GAP),
        }
    }
}

#[cfg(test)]
mod tests;
