//! What each dimension of a capsule stands for: the decoder's images as one of them is moved.

use capsnet_measure::look::Perturbations;

use super::Figure;
use super::parts::{framed, labelled_tile, redrawn, scored, shown};
use crate::colour::{BLUE, FAINT, INK, ORANGE};
use crate::drawing::{Anchor, Drawing};
use crate::error::ReportError;
use crate::font::Font;
use crate::tone::Tone;

const SCALE: f64 = 3.0;
const GAP: f64 = 4.0;
/// Room for the numbers of the dimensions.
const LEFT: f64 = 40.0;
/// Room for the bars on the right.
const BAR: f64 = 80.0;

/// Draws one digit's true capsule with each of its dimensions moved.
///
/// # Errors
/// [`ReportError`] if images are not of the size that the numbers say.
pub fn perturbations(numbers: &Perturbations) -> Result<Figure, ReportError> {
    let mut drawing = Drawing::new();
    let (tile_width, tile_height) = framed(numbers.size, SCALE);
    let pair = [
        (
            shown(numbers.size, &numbers.input)?,
            format!("no. {}", numbers.index),
            Tone::Neutral,
        ),
        (
            redrawn(numbers.size, &numbers.decoded)?,
            scored(numbers.prediction, &numbers.scores),
            Tone::of(numbers.prediction == numbers.label),
        ),
    ];
    for (column, (image, text, tone)) in pair.iter().enumerate() {
        let at = (LEFT + column as f64 * (tile_width + 10.0), 0.0);
        labelled_tile(&mut drawing, at, image, SCALE, (text, *tone));
    }
    let legend = LEFT + 2.0 * (tile_width + 10.0) + 16.0;
    for (line, text) in [
        "The digit, and what its capsule is decoded to as it is.",
        "Below, one dimension at a time is moved: a row for each",
        "dimension of the capsule, a column for each offset. The bars",
        "say how much the picture changes from one end to the other.",
    ]
    .iter()
    .enumerate()
    {
        let y = 14.0 + 22.0 * line as f64;
        drawing.text((legend, y), Anchor::Start, Font::Small, FAINT, *text);
    }
    drawing.place((0.0, tile_height + 40.0), &table(numbers)?);
    Ok(Figure {
        name: "perturbations",
        inked: false,
        alt: "A table of decoded digits: a row for each dimension of the capsule, a column for each offset",
        sheet: drawing.sheet(
            format!("What the dimensions of a capsule of class {} stand for", numbers.label),
            caption(numbers),
        ),
    })
}

/// The table: dimensions down, offsets across, bars at the right.
fn table(numbers: &Perturbations) -> Result<Drawing, ReportError> {
    const TOP: f64 = 24.0;
    let (width, height) = (numbers.size.width as f64 * SCALE, numbers.size.height as f64 * SCALE);
    let (step_x, step_y) = (width + GAP, height + GAP);
    let mut table = Drawing::new();
    for (column, &offset) in numbers.offsets.iter().enumerate() {
        let left = LEFT + column as f64 * step_x;
        let text = match offset {
            0.0 => "0".to_owned(),
            offset => format!("{offset:+.2}"),
        };
        table.text((left + width / 2.0, 0.0), Anchor::Middle, Font::Small, INK, text);
    }
    let right = LEFT + numbers.offsets.len() as f64 * step_x + 6.0;
    table.text((right, 0.0), Anchor::Start, Font::Small, FAINT, "change");
    let most = numbers.effect.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    for (row, (images, effect)) in numbers.images.iter().zip(&numbers.effect).enumerate() {
        let y = TOP + row as f64 * step_y;
        let at = (LEFT - 10.0, y + height / 2.0 - 10.0);
        table.text(at, Anchor::End, Font::Body, INK, (row + 1).to_string());
        for (column, values) in images.iter().enumerate() {
            let image = redrawn(numbers.size, values)?;
            table.image((LEFT + column as f64 * step_x, y), &image, SCALE);
        }
        let length = (BAR * effect / most).max(1.0);
        table.rectangle((right, y + height / 2.0 - 7.0), (length, 14.0), BLUE);
    }
    // The column where nothing is moved.
    if let Some(middle) = numbers.offsets.iter().position(|&offset| offset == 0.0) {
        let at = (LEFT + middle as f64 * step_x - 2.0, TOP - 2.0);
        let size = (width + 4.0, numbers.images.len() as f64 * step_y);
        table.frame(at, size, 2.0, ORANGE);
    }
    Ok(table)
}

fn caption(numbers: &Perturbations) -> String {
    format!(
        "The capsule of the true class {} of test image {} of {}{}, each of its {} dimensions moved by -0.25 to 0.25 \
         in steps of 0.05 and decoded (Sabour, Frosst and Hinton 2017, figure 4). Dimensions come to stand for \
         thickness, slant, width or the form of a part, which nobody told the network to separate. Weights {}.",
        numbers.label,
        numbers.index,
        numbers.dataset,
        match numbers.transform.as_str() {
            "none" => String::new(),
            transform => format!(" under {transform}"),
        },
        numbers.capsule.len(),
        numbers.weights
    )
}
