//! The same digits at a row of angles, with the models' answers.

use capsnet_measure::look::{AngleAnswers, Angles};

use super::Figure;
use super::parts::{framed, labelled_tile, scored, shown};
use crate::colour::{FAINT, INK};
use crate::drawing::{Anchor, Drawing};
use crate::error::ReportError;
use crate::font::Font;
use crate::number::degrees;
use crate::tone::Tone;

const SCALE: f64 = 3.0;
const GAP: f64 = 8.0;
/// Height of a line of answers.
const LINE: f64 = 21.0;
/// Room for the angles over the first row.
const TOP: f64 = 26.0;

/// Draws digits (rows) at angles (columns) with every model's answer beneath.
///
/// # Errors
/// [`ReportError`] if images are not of the size that the numbers say.
pub fn angles(numbers: &Angles) -> Result<Figure, ReportError> {
    let (width, height) = framed(numbers.size, SCALE);
    let names = numbers.models.iter().map(|model| Font::Small.width(&model.label));
    let left = names.fold(0.0, f64::max) + 12.0;
    let row_height = height + LINE * numbers.models.len() as f64 + 14.0;
    let mut drawing = Drawing::new();
    for (column, &angle) in numbers.angles.iter().enumerate() {
        let centre = left + column as f64 * (width + GAP) + width / 2.0;
        drawing.text((centre, 0.0), Anchor::Middle, Font::Body, INK, degrees(angle));
    }
    for (row, digit) in numbers.digits.iter().enumerate() {
        let y = TOP + row as f64 * row_height;
        let under = y + height + 1.0;
        let mut label = |y, ink, text: String| drawing.text((left - 12.0, y), Anchor::End, Font::Small, ink, text);
        label(y + 4.0, FAINT, format!("no. {}", digit.index));
        label(y + 24.0, FAINT, format!("a {}", digit.label));
        for (line, model) in numbers.models.iter().enumerate() {
            label(under + 2.0 + LINE * line as f64, INK, model.label.clone());
        }
        for (column, image) in digit.images.iter().enumerate() {
            let x = left + column as f64 * (width + GAP);
            let image = shown(numbers.size, image)?;
            let tone = Tone::of_all(digit.answers.iter().map(|answers| tone(digit, answers[column].class)));
            labelled_tile(&mut drawing, (x, y), &image, SCALE, ("", tone));
            for (line, answers) in digit.answers.iter().enumerate() {
                let view = &answers[column];
                let at = (x + width / 2.0, under + LINE * line as f64);
                drawing.note(at, &scored(view.class, &view.scores), self::tone(digit, view.class));
            }
        }
    }
    Ok(Figure {
        name: "angles",
        inked: false,
        alt: "Digits at a row of angles with the answers of the models beneath",
        sheet: drawing.sheet("The same digits at a row of angles", caption(numbers)),
    })
}

fn tone(digit: &AngleAnswers, answer: usize) -> Tone {
    Tone::of(answer == digit.label)
}

fn caption(numbers: &Angles) -> String {
    let total = numbers.digits.len() * numbers.angles.len();
    let right = numbers.models.iter();
    let right = right.map(|model| format!("{} is right in {} of {total}", model.label, model.right));
    let right: Vec<String> = right.collect();
    let transform = match &numbers.transform {
        Some(transform) => format!(" after {transform}"),
        None => String::new(),
    };
    format!(
        "Positive angles turn counter-clockwise. Beneath each digit the models' answers with their probability (for a \
         model with capsules: the length, or activation, of the answer's capsule, and what its pose adds where it has \
         a say); green is right, bold red wrong, and a dashed frame marks a digit that one of the models gets wrong. \
         {}. Test images of {}{transform}. A 6 upside down is a 9: not every mistake is one.",
        right.join(", "),
        numbers.dataset
    )
}
