//! `capsnet draw reconstructions`.

use anyhow::Result;
use burn::prelude::Device;
use capsnet::look::View;
use capsnet_report::Font;
use capsnet_report::colour::FAINT;
use capsnet_report::number::{count, degrees};
use capsnet_report::{Anchor, ColourImage, Drawing, Tone};
use serde::Serialize;

use super::digits::Digits;
use super::made::Made;
use super::pieces::{answer, decoded, grey, heading, note, scored, squared_error, tile, tile_size};
use super::subject::Subject;
use crate::progress::Progress;
use capsnet::evaluate::Condition;

const SCALE: f64 = 4.0;
const COUNT: usize = 6;
/// Paper between two groups of columns.
const GROUP_GAP: f64 = 36.0;
const GAP: f64 = 8.0;
/// Room for the headings.
const TOP: f64 = 50.0;
const COLUMNS: [&str; 4] = ["input", "true class", "answer", "difference"];
/// Images tested at a time in the search for mistakes.
const SEARCH: usize = 100;

#[derive(Serialize)]
struct Numbers {
    weights: String,
    dataset: String,
    /// Images that were tested in the search for mistakes.
    searched: Option<usize>,
    digits: Vec<Entry>,
}

/// One digit under one condition.
#[derive(Serialize)]
struct Entry {
    index: usize,
    label: usize,
    transform: String,
    prediction: usize,
    /// The lengths of all class capsules.
    scores: Vec<f32>,
    /// Summed squared differences of the input and what the true class's capsule and the predicted one's decode to.
    squared_error_true: f64,
    squared_error_predicted: f64,
}

/// Draws digits (rows) at angles (groups of columns): input, both reconstructions, difference.
pub fn make(subject: &Subject, digits: &Digits, angles: &[f64], mistakes: bool, device: &Device) -> Result<Made> {
    let conditions: Vec<Condition> = angles
        .iter()
        .map(|&angle| digits.condition((angle != 0.0).then_some(angle)))
        .collect::<Result<_>>()?;
    let (chosen, searched) = if mistakes {
        let (chosen, searched) = mistakes_first(subject, digits, &conditions, device)?;
        (chosen, Some(searched))
    } else {
        (digits.chosen(COUNT)?, None)
    };
    let side = (digits.data.width(), digits.data.height());
    let (width, height) = tile_size(side.0, side.1, SCALE);
    let (row_height, group_width) = (height + 26.0, 4.0 * (width + GAP));
    let mut drawing = Drawing::new();
    let mut entries = Vec::new();
    for (group, (condition, &angle)) in conditions.iter().zip(angles).enumerate() {
        let x = group as f64 * (group_width + GROUP_GAP);
        heading(&mut drawing, (x, 0.0), title_of(digits, angle));
        for (column, name) in COLUMNS.iter().enumerate() {
            let centre = x + column as f64 * (width + GAP) + width / 2.0;
            drawing.text((centre, 27.0), Anchor::Middle, Font::Small, FAINT, *name);
        }
        let images = digits.images(&chosen, condition);
        let views = subject.view(&images, device);
        for (row, ((&index, image), view)) in chosen.iter().zip(&images).zip(&views).enumerate() {
            let label = digits.label(index);
            let capsules = subject.capsules(view)?;
            let pair = [label, view.class].map(|class| (class, capsules[class].clone()));
            let [of_true, of_predicted] = &subject.decode(&pair, device)?[..] else {
                unreachable!("two capsules were decoded")
            };
            entries.push(Entry {
                index,
                label,
                transform: condition.pipeline.to_string(),
                prediction: view.class,
                scores: view.scores.clone(),
                squared_error_true: squared_error(image, of_true),
                squared_error_predicted: squared_error(image, of_predicted),
            });
            let (input, redrawn) = (grey(side, image)?, decoded(side, of_true)?);
            let difference = ColourImage::difference(&input, &redrawn)?;
            let redrawn_answer = decoded(side, of_predicted)?;
            let error = format!("{:.0}", squared_error(image, of_true));
            let y = TOP + row as f64 * row_height;
            let tone = Tone::of(view.class == label);
            let tiles = [
                (ColourImage::from(&input), Tone::Neutral, format!("no. {index}")),
                (ColourImage::from(&redrawn), Tone::Neutral, scored(view, label)),
                (ColourImage::from(&redrawn_answer), tone, answer(view)),
                (difference, Tone::Neutral, error),
            ];
            for (column, (image, tone, text)) in tiles.iter().enumerate() {
                let x = x + column as f64 * (width + GAP);
                drawing.place((x, y), &tile(image, SCALE, *tone));
                note(&mut drawing, x + width / 2.0, y + height + 1.0, text, *tone);
            }
        }
    }
    let mut caption = format!(
        "Each digit, what the decoder makes of the capsule of its true class, and of the capsule that answers, the \
            longest one; beneath them the class and the length of its capsule, a dashed red frame for a wrong \
            answer. Last the difference to the true class's image: orange ink is left out, blue ink added, with the \
            squared error, summed. Weights {}, test images of {}.",
        subject.weights(),
        digits.data.name()
    );
    if let Some(searched) = searched {
        let found = chosen.len();
        caption += &format!(
            " Digits that the model gets wrong at one of the angles come first; {} of the images were tested to find {found}.",
            count(searched as u64)
        );
    }
    let sheet = drawing.sheet(format!("What {} redraws", subject.label()), caption);
    let numbers = Numbers {
        weights: subject.weights().to_owned(),
        dataset: digits.data.name().to_owned(),
        searched,
        digits: entries,
    };
    let alt = "A table of digits: input, reconstruction from the true and from the predicted class, difference";
    Made::new("reconstructions", alt, sheet, &numbers)
}

fn title_of(digits: &Digits, angle: f64) -> String {
    let rotation = match angle {
        0.0 => "upright".to_owned(),
        angle => format!("rotated {}", degrees(angle)),
    };
    match &digits.args.transform {
        Some(transform) => format!("{transform}, {rotation}"),
        None => rotation,
    }
}

/// Digits that are wrong under any of the conditions, then others; and how many were tested.
fn mistakes_first(
    subject: &Subject,
    digits: &Digits,
    conditions: &[Condition],
    device: &Device,
) -> Result<(Vec<usize>, usize)> {
    let candidates = digits.candidates()?;
    let wanted = digits.args.count.unwrap_or(COUNT);
    let (mut wrong, mut right, mut searched) = (Vec::new(), Vec::new(), 0);
    let mut progress = Progress::new("looking for mistakes", "images", candidates.len(), 0);
    for chunk in candidates.chunks(SEARCH) {
        let views: Vec<Vec<View>> = conditions
            .iter()
            .map(|condition| subject.view(&digits.images(chunk, condition), device))
            .collect();
        for (at, &index) in chunk.iter().enumerate() {
            let is_wrong = views.iter().any(|views| views[at].class != digits.label(index));
            if is_wrong { &mut wrong } else { &mut right }.push(index);
        }
        searched += chunk.len();
        progress.set(searched, "");
        if wrong.len() >= wanted {
            break;
        }
    }
    progress.clear();
    let chosen = wrong.into_iter().chain(right).take(wanted).collect();
    Ok((chosen, searched))
}
