//! Line charts: losses, accuracies and learning rates by epoch, accuracy by angle.
//!
//! The SVG is small, has exact coordinates and tooltips, and shows in any browser on its own white paper, in light and
//! dark surroundings. Series differ by colour and by dash pattern. The colours are those of Okabe and Ito, "Color
//! universal design" (2008), which people with any colour vision tell apart.

mod axes;
mod layout;

pub(crate) use layout::{COLOURS, Look, colour, stroke};

use crate::axis::Axis;
use crate::drawing::Sheet;
use crate::error::ReportError;

/// A chart in a file of its own is shown so much larger than in a page.
const ZOOM: f64 = 1.5;

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
    /// The chart as a picture, with its legend.
    ///
    /// # Errors
    /// [`ReportError::Empty`] if no series has a point that can be shown.
    pub fn sheet(&self) -> Result<Sheet, ReportError> {
        let (drawing, _) = self.plot(&Look::PICTURE)?;
        Ok(drawing.sheet(self.title.clone(), self.caption.clone()).zoomed(ZOOM))
    }
}

#[cfg(test)]
mod tests;
