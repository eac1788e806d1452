//! How poses follow moves: images before and after, as they are and as they are drawn, and true numbers against
//! recovered ones.

use capsnet_measure::look::{Recovered, Recovery};

use super::Figure;
use super::parts::{decoded, framed, labelled_tile};
use crate::colour::{BLUE, ColourImage, FAINT, INK};
use crate::drawing::{Anchor, Drawing};
use crate::error::ReportError;
use crate::font::Font;
use crate::tone::Tone;

const SCALE: f64 = 2.5;
const GAP: f64 = 8.0;
/// Room for the names of rows.
const LEFT: f64 = 70.0;
/// Side of a scatter.
const SIDE: f64 = 230.0;
/// Points of a scatter, at most.
const POINTS: usize = 1500;

/// Draws both.
///
/// # Errors
/// [`ReportError`] if images are not of the size that the numbers say.
pub fn recovery(numbers: &Recovery) -> Result<Figure, ReportError> {
    let mut drawing = Drawing::new();
    let (width, height) = framed(numbers.size, SCALE);
    let names = ["image", "moved", "drawn"];
    for (row, name) in names.iter().enumerate() {
        let y = row as f64 * (height + GAP);
        drawing.text((0.0, y + height / 2.0 - 8.0), Anchor::Start, Font::Small, FAINT, *name);
        for (column, image) in numbers.shown.iter().enumerate() {
            let values = [&image.input, &image.target, &image.output][row];
            let at = (LEFT + column as f64 * (width + GAP), y);
            let image = ColourImage::from(&decoded(numbers.size, values)?);
            labelled_tile(&mut drawing, at, &image, SCALE, ("", Tone::Neutral));
        }
    }
    let top = names.len() as f64 * (height + GAP) + 40.0;
    const COLUMNS: usize = 3;
    for (place, recovered) in numbers.numbers.iter().enumerate() {
        let x = LEFT + (place % COLUMNS) as f64 * (SIDE + 60.0);
        let y = top + (place / COLUMNS) as f64 * (SIDE + 60.0);
        drawing.place((x, y), &scatter(recovered));
    }
    Ok(Figure {
        name: "recovery",
        alt: "Digits before and after a known move, as they are and as drawn; true moves against recovered ones",
        inked: false,
        sheet: drawing.sheet(
            format!(
                "Moves recovered from the poses of {} images, {}",
                numbers.images, numbers.dataset
            ),
            "Above: images, the same after a known move, and what the capsules draw from the first and the move. \
             Below: each image's true number against the one that its poses tell; the line is where both are the same.",
        ),
    })
}

fn scatter(recovered: &Recovered) -> Drawing {
    let mut drawing = Drawing::new();
    let most = recovered.points.iter().map(|point| point[0].abs()).fold(1e-9, f64::max);
    let low = recovered
        .points
        .iter()
        .map(|point| point[0])
        .fold(f64::INFINITY, f64::min);
    let (low, high) = (low - 0.15 * most, low.max(most) + 0.15 * most);
    let at = |value: f64| SIDE * (value.clamp(low, high) - low) / (high - low);
    drawing.frame((0.0, 0.0), (SIDE, SIDE), 1.0, FAINT);
    for [truth, found] in recovered.points.iter().take(POINTS) {
        drawing.disc((at(*truth), SIDE - at(*found)), 1.3, BLUE, "");
    }
    drawing.line(&[(0.0, SIDE), (SIDE, 0.0)], 1.0, INK);
    let text = format!(
        "{}: R2 {:.3}, slope {:.3}, error {:.3}",
        recovered.name, recovered.r_squared, recovered.slope, recovered.error
    );
    drawing.text((0.0, -20.0), Anchor::Start, Font::Small, INK, text);
    drawing.text((SIDE / 2.0, SIDE + 4.0), Anchor::Middle, Font::Small, FAINT, "true");
    drawing
}
