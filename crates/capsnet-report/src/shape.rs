//! What drawings are made of, in SVG's coordinates: pixels from the top left corner.

use crate::colour::ColourImage;
use crate::font::ADVANCE;
use crate::rgb::Rgb;

/// A position (x, y).
pub(crate) type Point = (f64, f64);

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Stroke {
    pub(crate) colour: Rgb,
    pub(crate) width: f64,
    /// Lengths of dashes and gaps in turn; empty for a solid line.
    pub(crate) dash: &'static [f64],
}

impl Stroke {
    pub(crate) const fn solid(colour: Rgb, width: f64) -> Self {
        let dash = &[];
        Self { colour, width, dash }
    }
}

/// Which part of a text stands at its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// Its beginning.
    Start,
    /// Its middle.
    Middle,
    /// Its end.
    End,
}

/// One line of text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Label {
    pub(crate) class: &'static str,
    /// The anchor on the base line.
    pub(crate) at: Point,
    pub(crate) anchor: Anchor,
    /// A quarter turn counterclockwise around `at`.
    pub(crate) turned: bool,
    pub(crate) size: f64,
    pub(crate) bold: bool,
    pub(crate) ink: Rgb,
    pub(crate) text: String,
}

impl Label {
    /// How wide the text is in the pictures' font.
    pub(crate) fn width(&self) -> f64 {
        self.text.chars().count() as f64 * self.size * ADVANCE
    }
}

/// Something to draw. Classes name the part for tests and style sheets; "" is none.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    Line {
        class: &'static str,
        from: Point,
        to: Point,
        stroke: Stroke,
    },
    Path {
        class: &'static str,
        points: Vec<Point>,
        stroke: Stroke,
    },
    /// A closed outline, filled.
    Area {
        class: &'static str,
        points: Vec<Point>,
        fill: Rgb,
        opacity: f64,
    },
    /// A disc; `tip` appears where the mouse rests on it.
    Dot {
        at: Point,
        radius: f64,
        fill: Rgb,
        tip: String,
    },
    Text(Label),
    /// An image with its top left corner at `at`, each of its pixels a square of the side `scale`.
    Image {
        at: Point,
        scale: f64,
        image: ColourImage,
    },
    /// Shapes that belong together; `index` says which of several.
    Group {
        class: &'static str,
        index: usize,
        shapes: Vec<Shape>,
    },
}

impl Shape {
    /// The same shape elsewhere.
    pub(crate) fn moved(&self, by: Point) -> Self {
        let there = |at: &mut Point| *at = (at.0 + by.0, at.1 + by.1);
        let mut shape = self.clone();
        match &mut shape {
            Self::Line { from, to, .. } => [from, to].into_iter().for_each(there),
            Self::Path { points, .. } | Self::Area { points, .. } => points.iter_mut().for_each(there),
            Self::Dot { at, .. } | Self::Image { at, .. } => there(at),
            Self::Text(label) => there(&mut label.at),
            Self::Group { shapes, .. } => shapes.iter_mut().for_each(|inner| *inner = inner.moved(by)),
        }
        shape
    }
}
