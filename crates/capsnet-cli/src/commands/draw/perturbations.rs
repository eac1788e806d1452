//! `capsnet draw perturbations`.

use anyhow::Result;
use burn::prelude::Device;
use capsnet::look::{perturb, perturbation_offsets};
use capsnet_report::Font;
use capsnet_report::colour::{BLUE, FAINT, INK};
use capsnet_report::{Anchor, ColourImage, Drawing, Tone};
use serde::Serialize;

use super::digits::Digits;
use super::made::Made;
use super::pieces::{answer, decoded, grey, note, tile, tile_size};
use super::subject::Subject;

const SCALE: f64 = 3.0;
const GAP: f64 = 4.0;
/// Room for the numbers of the dimensions.
const LEFT: f64 = 40.0;
/// Room for the bars on the right.
const BAR: f64 = 80.0;

#[derive(Serialize)]
struct Numbers {
    weights: String,
    dataset: String,
    index: usize,
    label: usize,
    transform: String,
    prediction: usize,
    /// The lengths of all class capsules.
    scores: Vec<f32>,
    /// The true class's capsule.
    capsule: Vec<f32>,
    offsets: Vec<f32>,
    /// For each dimension, the mean squared difference of the decoder's images at the two ends from one another, a pixel.
    effect: Vec<f64>,
}

/// Draws one digit's true capsule with each of its dimensions moved.
pub fn make(subject: &Subject, digits: &Digits, rotate: Option<f64>, device: &Device) -> Result<Made> {
    let index = digits.one()?;
    let label = digits.label(index);
    let condition = digits.condition(rotate)?;
    let image = digits.images(&[index], &condition).remove(0);
    let view = subject.view(std::slice::from_ref(&image), device).remove(0);
    let capsule = subject.capsules(&view)?[label].clone();
    let offsets = perturbation_offsets();
    let images = perturb(&subject.model, label, &capsule, &offsets, device).map_err(|error| subject.explain(error))?;
    let effect: Vec<f64> = images.iter().map(|row| effect(row)).collect();

    let side = (digits.data.width(), digits.data.height());
    let mut drawing = Drawing::new();
    let (tile_width, tile_height) = tile_size(side.0, side.1, SCALE);
    let plain = subject.decode(&[(label, capsule.clone())], device)?;
    let pair = [
        (grey(side, &image)?, format!("no. {index}"), Tone::Neutral),
        (decoded(side, &plain[0])?, answer(&view), Tone::of(view.class == label)),
    ];
    for (column, (image, text, tone)) in pair.iter().enumerate() {
        let x = LEFT + column as f64 * (tile_width + 10.0);
        drawing.place((x, 0.0), &tile(&ColourImage::from(image), SCALE, *tone));
        note(&mut drawing, x + tile_width / 2.0, tile_height + 1.0, text, *tone);
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
    let table = sheet_of(&images, &offsets, &effect, side)?;
    drawing.place((0.0, tile_height + 40.0), &table);

    let caption = format!(
        "The capsule of the true class {label} of test image {index} of {}{}, each of its {} dimensions moved by -0.25 to 0.25 in \
         steps of 0.05 and decoded (Sabour, Frosst and Hinton 2017, figure 4). Dimensions come to stand for thickness, slant, \
         width or the form of a part, which nobody told the network to separate. Weights {}.",
        digits.data.name(),
        match condition.label().as_str() {
            "upright" => String::new(),
            transform => format!(" under {transform}"),
        },
        capsule.len(),
        subject.weights()
    );
    let title = format!("What the dimensions of a capsule of class {label} stand for");
    let alt = "A table of decoded digits: a row for each dimension of the capsule, a column for each offset";
    let numbers = Numbers {
        weights: subject.weights().to_owned(),
        dataset: digits.data.name().to_owned(),
        index,
        label,
        transform: condition.pipeline.to_string(),
        prediction: view.class,
        scores: view.scores,
        capsule,
        offsets,
        effect,
    };
    Made::new("perturbations", alt, drawing.sheet(title, caption), &numbers)
}

/// The table: dimensions down, offsets across, bars at the right.
fn sheet_of(images: &[Vec<Vec<f32>>], offsets: &[f32], effect: &[f64], side: (usize, usize)) -> Result<Drawing> {
    const TOP: f64 = 24.0;
    let (width, height) = (side.0 as f64 * SCALE, side.1 as f64 * SCALE);
    let (step_x, step_y) = (width + GAP, height + GAP);
    let mut table = Drawing::new();
    let middle = offsets.iter().position(|&offset| offset == 0.0);
    for (column, offset) in offsets.iter().enumerate() {
        let centre = LEFT + column as f64 * step_x + width / 2.0;
        let text = if *offset == 0.0 {
            "0".to_owned()
        } else {
            format!("{offset:+.2}")
        };
        table.text((centre, 0.0), Anchor::Middle, Font::Small, INK, text);
    }
    let right = LEFT + offsets.len() as f64 * step_x + 6.0;
    table.text((right, 0.0), Anchor::Start, Font::Small, FAINT, "change");
    let most = effect.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    for (row, (images, effect)) in images.iter().zip(effect).enumerate() {
        let y = TOP + row as f64 * step_y;
        let number = (row + 1).to_string();
        table.text(
            (LEFT - 10.0, y + height / 2.0 - 10.0),
            Anchor::End,
            Font::Body,
            INK,
            number,
        );
        for (column, values) in images.iter().enumerate() {
            let image = ColourImage::from(&decoded(side, values)?);
            table.image((LEFT + column as f64 * step_x, y), &image, SCALE);
        }
        let length = BAR * effect / most;
        table.rectangle((right, y + height / 2.0 - 7.0), (length.max(1.0), 14.0), BLUE);
    }
    if let Some(middle) = middle {
        let at = (LEFT + middle as f64 * step_x - 2.0, TOP - 2.0);
        let size = (width + 4.0, images.len() as f64 * step_y);
        table.frame(at, size, 2.0, capsnet_report::colour::ORANGE);
    }
    Ok(table)
}

/// The mean squared difference of the first and the last image.
fn effect(images: &[Vec<f32>]) -> f64 {
    let (Some(first), Some(last)) = (images.first(), images.last()) else {
        return 0.0;
    };
    let squares = first.iter().zip(last).map(|(&a, &b)| f64::from(a - b).powi(2));
    squares.sum::<f64>() / first.len() as f64
}
