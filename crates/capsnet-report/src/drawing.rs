//! What every picture is: images, shapes, arrows and lines of text, each at its place.
//!
//! A [`Drawing`] grows to the right and downwards as things are put into it, and one may be put into another, so that a
//! picture is composed of parts that know nothing of each other. A [`Sheet`] is a drawing with a title over it and a
//! caption under it, ready to be saved as SVG and as the PNG that is made from it. Coordinates are pixels, from the top
//! left.
//!
//! ```
//! use capsnet_report::colour::INK;
//! use capsnet_report::{Anchor, ColourImage, Drawing, Font, GreyImage};
//!
//! let digit = GreyImage::new(28, 28, vec![0; 28 * 28])?;
//! let mut drawing = Drawing::new();
//! drawing.image((0.0, 0.0), &ColourImage::from(&digit), 4.0);
//! drawing.text((56.0, 116.0), Anchor::Middle, Font::Body, INK, "seven");
//! let sheet = drawing.sheet("A digit", "As the model sees it.");
//! let (svg, png): (String, Vec<u8>) = (sheet.to_svg(), sheet.to_png()?);
//! # Ok::<(), capsnet_report::ReportError>(())
//! ```

mod sheet;
mod tile;

pub use crate::shape::Anchor;
pub use sheet::Sheet;
pub use tile::tile_size;

use crate::colour::ColourImage;
use crate::font::Font;
use crate::rgb::Rgb;
use crate::shape::{Label, Point, Shape, Stroke};

/// Lengths of a dash and of the gap after it.
const DASH: &[f64] = &[7.0, 5.0];
/// Corners of the outline of a ring.
const RING: usize = 48;

/// Shapes at their places, and the size of what they take.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Drawing {
    pub(crate) shapes: Vec<Shape>,
    width: f64,
    height: f64,
}

impl Drawing {
    /// An empty drawing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How far it reaches to the right.
    #[must_use]
    pub const fn width(&self) -> f64 {
        self.width
    }

    /// How far it reaches downwards.
    #[must_use]
    pub const fn height(&self) -> f64 {
        self.height
    }

    /// Makes the drawing reach at least as far as this point.
    pub fn reach(&mut self, (x, y): (f64, f64)) {
        self.width = self.width.max(x);
        self.height = self.height.max(y);
    }

    /// Draws an image with its top left corner at `at`, each of its pixels as a square of the side `scale`.
    pub fn image(&mut self, at: (f64, f64), image: &ColourImage, scale: f64) {
        let (width, height) = (image.width() as f64 * scale, image.height() as f64 * scale);
        self.reach((at.0 + width, at.1 + height));
        let image = image.clone();
        self.shapes.push(Shape::Image { at, scale, image });
    }

    /// Writes a line of text; `at` is on the line's top.
    pub fn text(&mut self, at: (f64, f64), anchor: Anchor, font: Font, ink: Rgb, text: impl Into<String>) {
        self.text_of_class("", at, anchor, font, ink, text.into());
    }

    /// The same with a class, which tells the parts of the SVG apart.
    pub(crate) fn text_of_class(
        &mut self,
        class: &'static str,
        at: Point,
        anchor: Anchor,
        font: Font,
        ink: Rgb,
        text: String,
    ) {
        let width = font.width(&text);
        let right = match anchor {
            Anchor::Start => at.0 + width,
            Anchor::Middle => at.0 + width / 2.0,
            Anchor::End => at.0,
        };
        self.reach((right, at.1 + font.height()));
        self.shapes.push(Shape::Text(Label {
            class,
            at: (at.0, at.1 + font.ascent()),
            anchor,
            turned: false,
            size: font.size(),
            bold: font.is_bold(),
            ink,
            text,
        }));
    }

    /// Draws a line through points.
    pub fn line(&mut self, points: &[(f64, f64)], width: f64, colour: Rgb) {
        self.stroke(points, Stroke::solid(colour, width));
    }

    /// Draws a line of dashes through points.
    pub fn dashed(&mut self, points: &[(f64, f64)], width: f64, colour: Rgb) {
        let dash = DASH;
        self.stroke(points, Stroke { colour, width, dash });
    }

    fn stroke(&mut self, points: &[Point], stroke: Stroke) {
        if points.len() < 2 {
            return;
        }
        self.reach_all(points, stroke.width / 2.0);
        let points = points.to_vec();
        self.shapes.push(Shape::Path {
            class: "",
            points,
            stroke,
        });
    }

    /// Draws an arrow; its head is as long as four widths, and at most half of it.
    pub fn arrow(&mut self, from: (f64, f64), to: (f64, f64), width: f64, colour: Rgb) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = dx.hypot(dy);
        if length <= 0.0 {
            return;
        }
        let head = (4.0 * width + 4.0).min(length / 2.0);
        let (along, across) = ((dx / length, dy / length), (-dy / length, dx / length));
        let base = (to.0 - head * along.0, to.1 - head * along.1);
        self.line(&[from, base], width, colour);
        let half = 0.45 * head;
        let corner = |side: f64| (base.0 + side * half * across.0, base.1 + side * half * across.1);
        self.area(&[to, corner(1.0), corner(-1.0)], colour, 1.0);
    }

    /// Fills a closed outline; `opacity` is 0 to 1.
    pub fn area(&mut self, points: &[(f64, f64)], fill: Rgb, opacity: f64) {
        self.reach_all(points, 0.0);
        let points = points.to_vec();
        self.shapes.push(Shape::Area {
            class: "",
            points,
            fill,
            opacity,
        });
    }

    /// Fills a rectangle with its top left corner at `at`.
    pub fn rectangle(&mut self, at: (f64, f64), size: (f64, f64), fill: Rgb) {
        self.area(&corners(at, size), fill, 1.0);
    }

    /// Draws the frame of a rectangle, the line's middle on its edge.
    pub fn frame(&mut self, at: (f64, f64), size: (f64, f64), width: f64, colour: Rgb) {
        let corners = corners(at, size);
        // Half a line more closes the corner.
        let end = (at.0, at.1 - width / 2.0);
        self.line(&[corners[0], corners[1], corners[2], corners[3], end], width, colour);
    }

    /// The same in dashes.
    pub fn dashed_frame(&mut self, at: (f64, f64), size: (f64, f64), width: f64, colour: Rgb) {
        let [a, b, c, d] = corners(at, size);
        self.dashed(&[a, b, c, d, a], width, colour);
    }

    /// Fills a disc; `tip` appears where the mouse rests on it, in the SVG.
    pub fn disc(&mut self, at: (f64, f64), radius: f64, fill: Rgb, tip: impl Into<String>) {
        self.reach_all(&[at], radius);
        let tip = tip.into();
        self.shapes.push(Shape::Dot { at, radius, fill, tip });
    }

    /// Draws a circle.
    pub fn ring(&mut self, (x, y): (f64, f64), radius: f64, width: f64, colour: Rgb) {
        let points: Vec<Point> = (0..=RING)
            .map(|corner| (corner as f64 / RING as f64 * std::f64::consts::TAU).sin_cos())
            .map(|(sin, cos)| (x + radius * cos, y + radius * sin))
            .collect();
        self.line(&points, width, colour);
    }

    /// Puts a copy of another drawing into this one, with its origin at `at`.
    pub fn place(&mut self, at: (f64, f64), other: &Self) {
        self.reach((at.0 + other.width, at.1 + other.height));
        self.shapes.extend(other.shapes.iter().map(|shape| shape.moved(at)));
    }

    /// This drawing with a title over it and a caption under it; either may be empty.
    #[must_use]
    pub fn sheet(self, title: impl Into<String>, caption: impl Into<String>) -> Sheet {
        Sheet::new(self, title.into(), caption.into())
    }

    fn reach_all(&mut self, points: &[Point], margin: f64) {
        for &(x, y) in points {
            self.reach((x + margin, y + margin));
        }
    }
}

fn corners((x, y): Point, (width, height): (f64, f64)) -> [Point; 4] {
    [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
}

#[cfg(test)]
mod tests;
