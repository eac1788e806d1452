//! Line charts as SVG and PNG: losses, accuracies and learning rates by epoch, accuracy by angle.
//!
//! The SVG is written directly: the result is small, has exact coordinates and tooltips, and shows in any browser
//! on its own white paper, in light and dark surroundings. The PNG is painted from the same shapes. Series differ by
//! colour and by dash pattern. The colours are those of Okabe and Ito, "Color universal design" (2008), which people
//! with any colour vision tell apart.

mod axes;
mod layout;

use std::path::Path;

pub(crate) use layout::{COLOURS, Look, colour, dash};

use crate::axis::Axis;
use crate::canvas::Canvas;
use crate::error::{ReportError, save};

/// Pixels of the PNG for a unit of the SVG, so that text comes in a size of the bitmap font.
const PNG_SCALE: f64 = 1.5;

/// A named line.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    /// The name in the legend.
    pub name: String,
    /// Points (x, y) in drawing order. A point that is not finite, or not positive on a logarithmic axis, leaves a
    /// gap in the line.
    pub points: Vec<(f64, f64)>,
    /// The interval (low, high) around each point's y, drawn as a band. Empty for none; a point without an interval,
    /// or with one that cannot be shown, leaves a gap in the band.
    pub band: Vec<(f64, f64)>,
}

impl Series {
    /// A line through the points.
    #[must_use]
    pub fn new(name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        Self {
            name: name.into(),
            points: points.into_iter().collect(),
            band: Vec::new(),
        }
    }

    /// The same line with an interval (low, high) around each of its points.
    #[must_use]
    pub fn with_band(self, band: impl IntoIterator<Item = (f64, f64)>) -> Self {
        Self {
            band: band.into_iter().collect(),
            ..self
        }
    }
}

/// A chart with one or more lines over common axes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LineChart {
    /// What the chart shows.
    pub title: String,
    /// How it was made: command, seed, data. May be empty.
    pub caption: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// The lines.
    pub series: Vec<Series>,
}

impl LineChart {
    /// The chart as an SVG document.
    ///
    /// # Errors
    /// [`ReportError::Empty`] if no series has a point that can be shown.
    pub fn to_svg(&self) -> Result<String, ReportError> {
        Ok(self.scene(&Look::PICTURE)?.0.to_svg())
    }

    /// Saves the chart as an SVG file, replacing one that is there.
    ///
    /// # Errors
    /// As [`LineChart::to_svg`], and [`ReportError::Write`] with the path and the reason.
    pub fn save_svg(&self, path: &Path) -> Result<(), ReportError> {
        save(path, self.to_svg()?.as_bytes())
    }

    /// Paints the chart, with the look and the coordinates of the SVG at one and a half times its size. The bitmap
    /// font covers Latin-1; other characters show as "?".
    ///
    /// # Errors
    /// [`ReportError::Empty`] as [`LineChart::to_svg`], [`ReportError::TooLarge`] if the picture would be.
    pub fn draw(&self) -> Result<Canvas, ReportError> {
        self.scene(&Look::PICTURE)?.0.draw(PNG_SCALE)
    }

    /// Saves the chart as a PNG file, replacing one that is there.
    ///
    /// # Errors
    /// As [`LineChart::draw`], and [`ReportError::Write`] with the path and the reason.
    pub fn save_png(&self, path: &Path) -> Result<(), ReportError> {
        self.draw()?.save_png(path)
    }
}

#[cfg(test)]
mod tests;
