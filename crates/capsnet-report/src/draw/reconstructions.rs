//! Digits beside what the decoder makes of the true class's capsule and of the predicted one's.

use capsnet_measure::look::{Reconstruction, Reconstructions, Size};

use super::Figure;
use super::parts::{decoded, framed, grey, heading, labelled_tile, redrawn, scored, shown};
use crate::colour::{ColourImage, FAINT};
use crate::drawing::{Anchor, Drawing};
use crate::error::ReportError;
use crate::font::Font;
use crate::number::{count, degrees};
use crate::tone::Tone;

const SCALE: f64 = 4.0;
/// Paper between two groups of columns.
const GROUP_GAP: f64 = 36.0;
const GAP: f64 = 8.0;
/// Room for the headings.
const TOP: f64 = 50.0;
/// From a row to the next, without its images.
const UNDER: f64 = 26.0;
const COLUMNS: [&str; 4] = ["input", "true class", "answer", "difference"];

/// Draws digits (rows) at angles (groups of columns): input, both reconstructions, difference.
///
/// # Errors
/// [`ReportError`] if images are not of the size that the numbers say.
pub fn reconstructions(numbers: &Reconstructions) -> Result<Figure, ReportError> {
    let (width, height) = framed(numbers.size, SCALE);
    let group_width = COLUMNS.len() as f64 * (width + GAP) + GROUP_GAP;
    let rows = numbers.digits.len() / numbers.angles.len().max(1);
    let mut drawing = Drawing::new();
    for (group, (&angle, digits)) in numbers
        .angles
        .iter()
        .zip(numbers.digits.chunks(rows.max(1)))
        .enumerate()
    {
        let x = group as f64 * group_width;
        heading(&mut drawing, (x, 0.0), title(numbers.transform.as_deref(), angle));
        for (column, name) in COLUMNS.iter().enumerate() {
            let centre = x + column as f64 * (width + GAP) + width / 2.0;
            drawing.text((centre, 27.0), Anchor::Middle, Font::Small, FAINT, *name);
        }
        for (row, digit) in digits.iter().enumerate() {
            let y = TOP + row as f64 * (height + UNDER);
            for (column, (image, text, tone)) in tiles(digit, numbers.size)?.iter().enumerate() {
                let at = (x + column as f64 * (width + GAP), y);
                labelled_tile(&mut drawing, at, image, SCALE, (text, *tone));
            }
        }
    }
    Ok(Figure {
        name: "reconstructions",
        inked: false,
        alt: "A table of digits: input, reconstruction from the true and from the predicted class, difference",
        sheet: drawing.sheet(format!("What {} redraws", numbers.model), caption(numbers, rows)),
    })
}

/// The images of a row with the texts under them.
fn tiles(digit: &Reconstruction, size: Size) -> Result<[(ColourImage, String, Tone); 4], ReportError> {
    let difference = ColourImage::difference(&grey(size, &digit.input)?, &decoded(size, &digit.of_true)?)?;
    Ok([
        (
            shown(size, &digit.input)?,
            format!("no. {}", digit.index),
            Tone::Neutral,
        ),
        (
            redrawn(size, &digit.of_true)?,
            scored(digit.label, &digit.scores),
            Tone::Neutral,
        ),
        (
            redrawn(size, &digit.of_predicted)?,
            scored(digit.prediction, &digit.scores),
            Tone::of(digit.prediction == digit.label),
        ),
        (difference, format!("{:.0}", digit.squared_error_true), Tone::Neutral),
    ])
}

fn title(transform: Option<&str>, angle: f64) -> String {
    let rotation = match angle {
        0.0 => "upright".to_owned(),
        angle => format!("rotated {}", degrees(angle)),
    };
    match transform {
        Some(transform) => format!("{transform}, {rotation}"),
        None => rotation,
    }
}

fn caption(numbers: &Reconstructions, digits: usize) -> String {
    let mut caption = format!(
        "Each digit, what the decoder makes of the capsule of its true class, and of the capsule that answers, the \
         longest one; beneath them the class and the length of its capsule, a dashed red frame for a wrong answer. \
         Last the difference to the true class's image: orange ink is left out, blue ink added, with the squared \
         error, summed. Weights {}, test images of {}.",
        numbers.weights, numbers.dataset
    );
    if let Some(searched) = numbers.searched {
        caption += &format!(
            " Digits that the model gets wrong at one of the angles come first; {} of the images were tested to find \
             {digits}.",
            count(searched as u64)
        );
    }
    caption
}
