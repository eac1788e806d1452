//! Shapes painted on a canvas, with smooth edges.
//!
//! Each shape is first turned into the share of every pixel that it covers, 0 to 1, and then blended once, so that a
//! translucent line doesn't darken where its pieces meet. Same shapes, same bytes, on every machine that computes in
//! IEEE doubles.

use super::{Anchor, Label, Point, Scene, Shape, Stroke};
use crate::canvas::{Canvas, Rect, Rgb};
use crate::colour::ColourImage;
use crate::error::ReportError;
use crate::text::{self, Font};

/// Lines of samples in a pixel of a filled area.
const SAMPLES: usize = 4;
/// The share of the line height that lies above the base line.
const ASCENT: f64 = 0.78;

impl Scene {
    /// Paints the drawing with `scale` pixels for each of its units.
    ///
    /// # Errors
    /// [`ReportError::TooLarge`] if the canvas would be.
    pub(crate) fn draw(&self, scale: f64) -> Result<Canvas, ReportError> {
        let side = |length: f64| (length * scale).ceil() as usize;
        let mut canvas = Canvas::new(side(self.width), side(self.height))?;
        for shape in &self.shapes {
            paint(&mut canvas, shape, scale);
        }
        Ok(canvas)
    }
}

fn paint(canvas: &mut Canvas, shape: &Shape, scale: f64) {
    let scaled = |points: &[Point]| -> Vec<Point> { points.iter().map(|(x, y)| (x * scale, y * scale)).collect() };
    match shape {
        Shape::Line { from, to, stroke, .. } => paint_stroke(canvas, &scaled(&[*from, *to]), stroke, scale),
        Shape::Path { points, stroke, .. } => paint_stroke(canvas, &scaled(points), stroke, scale),
        Shape::Area {
            points, fill, opacity, ..
        } => {
            let points = scaled(points);
            let mut mask = Mask::around(canvas, &points, 1.0);
            mask.fill(&points);
            mask.blend(canvas, *fill, *opacity);
        }
        Shape::Dot { at, radius, fill, .. } => {
            let centre = scaled(&[*at]);
            let radius = radius * scale;
            let mut mask = Mask::around(canvas, &centre, radius + 1.0);
            mask.disc(centre[0], radius);
            mask.blend(canvas, *fill, 1.0);
        }
        Shape::Text(label) => paint_label(canvas, label, scale),
        Shape::Print {
            at,
            anchor,
            font,
            ink,
            text,
        } => {
            let left = (at.0 * scale - anchor.back(font.width(text) as f64)).round() as usize;
            text::draw(canvas, left, (at.1 * scale).round() as usize, text, *font, *ink);
        }
        Shape::Image { at, scale: side, image } => paint_image(canvas, *at, side * scale, image, scale),
        Shape::Group { shapes, .. } => shapes.iter().for_each(|shape| paint(canvas, shape, scale)),
    }
}

fn paint_stroke(canvas: &mut Canvas, points: &[Point], stroke: &Stroke, scale: f64) {
    let half = 0.5 * stroke.width * scale;
    let mut mask = Mask::around(canvas, points, half + 1.0);
    let mut dash: Vec<f64> = stroke.dash.iter().map(|length| length * scale).collect();
    if dash.iter().sum::<f64>() <= 0.0 {
        dash = vec![f64::INFINITY];
    }
    // Along the whole line: which dash or gap this is, and how much of it is left.
    let (mut part, mut left) = (0, dash[0]);
    for (index, pair) in points.windows(2).enumerate() {
        let (from, to) = (pair[0], pair[1]);
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let at = |along: f64| {
            let share = if length > 0.0 { along / length } else { 0.0 };
            (from.0 + share * (to.0 - from.0), from.1 + share * (to.1 - from.1))
        };
        let inked = |part: usize| part.is_multiple_of(2);
        if index > 0 && inked(part) {
            mask.disc(from, half);
        }
        let mut along = 0.0;
        while along < length {
            let piece = left.min(length - along);
            if inked(part) {
                mask.segment(at(along), at(along + piece), half);
            }
            along += piece;
            left -= piece;
            if left <= 0.0 {
                part = (part + 1) % dash.len();
                left = dash[part];
            }
        }
    }
    mask.blend(canvas, stroke.colour, 1.0);
}

impl Anchor {
    /// How far a text of some width begins before its position.
    fn back(self, width: f64) -> f64 {
        match self {
            Anchor::Start => 0.0,
            Anchor::Middle => width / 2.0,
            Anchor::End => width,
        }
    }
}

/// Squares without gaps: each ends where the next one begins, also where their sides are no whole numbers.
fn paint_image(canvas: &mut Canvas, at: Point, side: f64, image: &ColourImage, scale: f64) {
    let edge = |from: f64, index: usize| (from * scale + side * index as f64).round() as usize;
    for (row, pixels) in image.rows().enumerate() {
        let (top, bottom) = (edge(at.1, row), edge(at.1, row + 1));
        for (column, &colour) in pixels.iter().enumerate() {
            let (x, right) = (edge(at.0, column), edge(at.0, column + 1));
            let square = Rect {
                x,
                y: top,
                width: right - x,
                height: bottom - top,
            };
            canvas.fill(square, colour);
        }
    }
}

/// Text comes in the sizes of the bitmap font, whatever the label asks for, so that it is never blurred.
fn paint_label(canvas: &mut Canvas, label: &Label, scale: f64) {
    let font = match (label.size > 15.0, label.bold) {
        (true, _) => Font::Title,
        (false, true) => Font::Strong,
        (false, false) => Font::Body,
    };
    let (width, height) = (font.width(&label.text) as f64, font.height() as f64);
    let back = label.anchor.back(width);
    let (x, y) = (label.at.0 * scale, label.at.1 * scale);
    // What would begin left of or above the canvas begins at its edge: a saturating cast.
    if label.turned {
        let (left, bottom) = ((x - ASCENT * height).round() as usize, (y + back).round() as usize);
        text::draw_upwards(canvas, left, bottom, &label.text, font, label.ink);
    } else {
        let (left, top) = ((x - back).round() as usize, (y - ASCENT * height).round() as usize);
        text::draw(canvas, left, top, &label.text, font, label.ink);
    }
}

/// The share of each pixel that a shape covers, in the rectangle where it can be more than 0.
struct Mask {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
    coverage: Vec<f64>,
}

impl Mask {
    /// An empty mask around points and what lies within `reach` pixels of them.
    fn around(canvas: &Canvas, points: &[Point], reach: f64) -> Self {
        let range = |values: &mut dyn Iterator<Item = f64>, size: usize| {
            let (low, high) = values.fold((f64::INFINITY, 0.0f64), |(low, high), v| (low.min(v), high.max(v)));
            let (low, high) = ((low - reach).floor() as usize, (high + reach).ceil() as usize);
            let low = low.min(size);
            (low, high.min(size).max(low) - low)
        };
        let (left, width) = range(&mut points.iter().map(|point| point.0), canvas.width());
        let (top, height) = range(&mut points.iter().map(|point| point.1), canvas.height());
        let coverage = vec![0.0; width * height];
        Self {
            left,
            top,
            width,
            height,
            coverage,
        }
    }

    /// Raises every pixel near `centre` to what `share` says of its middle; pieces of one shape do not add up.
    fn raise(&mut self, (low, high): (Point, Point), reach: f64, share: impl Fn(Point) -> f64) {
        let bound = |value: f64, start: usize, size: usize| ((value - start as f64).max(0.0) as usize).min(size);
        let columns = bound(low.0 - reach, self.left, self.width)..bound(high.0 + reach + 1.0, self.left, self.width);
        for row in bound(low.1 - reach, self.top, self.height)..bound(high.1 + reach + 1.0, self.top, self.height) {
            for column in columns.clone() {
                let middle = ((self.left + column) as f64 + 0.5, (self.top + row) as f64 + 0.5);
                let pixel = &mut self.coverage[row * self.width + column];
                *pixel = pixel.max(share(middle).clamp(0.0, 1.0));
            }
        }
    }

    fn disc(&mut self, centre: Point, radius: f64) {
        self.raise((centre, centre), radius + 1.0, |(x, y)| {
            radius + 0.5 - (x - centre.0).hypot(y - centre.1)
        });
    }

    /// A straight piece of a line with square ends.
    fn segment(&mut self, from: Point, to: Point, half: f64) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = dx.hypot(dy);
        if length <= 0.0 {
            return;
        }
        let corners = (
            (from.0.min(to.0), from.1.min(to.1)),
            (from.0.max(to.0), from.1.max(to.1)),
        );
        self.raise(corners, half + 1.0, |(x, y)| {
            let along = ((x - from.0) * dx + (y - from.1) * dy) / length;
            let across = ((x - from.0) * dy - (y - from.1) * dx).abs() / length;
            // The overlap of the pixel with the piece, along and across it.
            let overlap = |low: f64, high: f64, at: f64| (high.min(at + 0.5) - low.max(at - 0.5)).clamp(0.0, 1.0);
            overlap(0.0, length, along) * overlap(-half, half, across)
        });
    }

    /// The inside of a closed outline, by the even-odd rule: exact along a row, sampled down it.
    fn fill(&mut self, outline: &[Point]) {
        for sample in 0..self.height * SAMPLES {
            let y = self.top as f64 + (sample as f64 + 0.5) / SAMPLES as f64;
            let mut crossings: Vec<f64> = outline
                .iter()
                .zip(outline.iter().cycle().skip(1))
                .filter(|(a, b)| (a.1 <= y) != (b.1 <= y))
                .map(|(a, b)| a.0 + (y - a.1) / (b.1 - a.1) * (b.0 - a.0))
                .collect();
            crossings.sort_by(f64::total_cmp);
            let row = &mut self.coverage[sample / SAMPLES * self.width..][..self.width];
            for pair in crossings.chunks_exact(2) {
                let (low, high) = (pair[0] - self.left as f64, pair[1] - self.left as f64);
                let columns = (low.max(0.0) as usize, (high.ceil().max(0.0) as usize).min(self.width));
                let Some(touched) = row.get_mut(columns.0..columns.1) else {
                    continue;
                };
                for (column, covered) in (columns.0..).zip(touched) {
                    let share = high.min(column as f64 + 1.0) - low.max(column as f64);
                    *covered += share.max(0.0) / SAMPLES as f64;
                }
            }
        }
    }

    fn blend(&self, canvas: &mut Canvas, ink: Rgb, opacity: f64) {
        for row in 0..self.height {
            for column in 0..self.width {
                let share = (self.coverage[row * self.width + column].min(1.0) * opacity * 255.0).round() as u8;
                let (x, y) = (self.left + column, self.top + row);
                if let (1.., Some(paper)) = (share, canvas.pixel(x, y)) {
                    canvas.set(x, y, paper.mix(ink, share));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
