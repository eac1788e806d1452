//! A data set as pictures: examples of every class, and what the images of a class have in common.

use crate::colour::ColourImage;
use crate::drawing::Sheet;
use crate::error::ReportError;
use crate::grid::{Cell, DigitGrid};
use crate::tone::Tone;

/// Images in colour or grey, plane by plane, with what is to be said of each.
pub struct LabelledImages<'a> {
    /// Rows and columns of an image.
    pub size: [usize; 2],
    /// The images, with the line under each.
    pub images: Vec<(&'a [u8], String)>,
}

/// The images side by side, `columns` in a row, under a title.
///
/// # Errors
///
/// [`ReportError`] if there are none, an image has another size, or the picture would be too large.
pub fn images(
    title: impl Into<String>,
    caption: impl Into<String>,
    columns: usize,
    shown: &LabelledImages,
) -> Result<Sheet, ReportError> {
    let [height, width] = shown.size;
    let cell = |(pixels, line): &(&[u8], String)| {
        let image = ColourImage::of_planes(width, height, pixels)?;
        Ok(Cell::new(image).line(line, Tone::Neutral))
    };
    let cells = shown.images.iter().map(cell).collect::<Result<Vec<_>, ReportError>>()?;
    let mut grid = DigitGrid::new(title, columns, cells);
    grid.caption = caption.into();
    // Digits of 28 x 28 have the usual scale; larger images don't fill the page.
    grid.scale = (DigitGrid::SCALE * 28.0 / height.max(width) as f64).clamp(0.25, 8.0);
    if grid.scale > 1.0 {
        grid.scale = grid.scale.round();
    }
    grid.sheet()
}
