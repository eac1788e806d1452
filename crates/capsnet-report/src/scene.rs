//! A drawing as a list of shapes, so that SVG and PNG come from the same coordinates.
//!
//! `svg` writes the shapes as markup, `raster` paints them on a canvas. Coordinates are SVG's: pixels from the top
//! left corner, of which a raster may have several each.

pub(crate) mod raster;
pub(crate) mod svg;

use crate::canvas::Rgb;
use crate::colour::ColourImage;
use crate::text::Font;

/// A position (x, y).
pub(crate) type Point = (f64, f64);

/// How a line is drawn.
#[derive(Debug, Clone, Copy)]
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
#[derive(Debug, Clone)]
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

/// Something to draw. Classes name the part for tests and style sheets; "" is none.
#[derive(Debug, Clone)]
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
    /// One line of text in a font of the canvas, whose size doesn't depend on the scale; `at` is on the line's top.
    Print {
        at: Point,
        anchor: Anchor,
        font: Font,
        ink: Rgb,
        text: String,
    },
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

/// A drawing.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// What it shows, for people who hear it.
    pub(crate) title: String,
    pub(crate) shapes: Vec<Shape>,
}
