//! `capsnet draw angles`.

use anyhow::Result;
use burn::prelude::Device;
use capsnet::look::View;
use capsnet::model::Architecture;
use capsnet_report::Font;
use capsnet_report::colour::{FAINT, INK};
use capsnet_report::number::degrees;
use capsnet_report::{Anchor, ColourImage, Drawing, Tone};
use serde::Serialize;

use super::digits::Digits;
use super::made::Made;
use super::pieces::{answer, grey, note, tile, tile_size};
use super::subject::Subject;
use crate::progress::Progress;

const SCALE: f64 = 3.0;
const COUNT: usize = 4;
const GAP: f64 = 8.0;
/// Height of a line of answers.
const LINE: f64 = 21.0;
/// Room for the angles over the first row.
const TOP: f64 = 26.0;

#[derive(Serialize)]
struct Numbers {
    dataset: String,
    angles: Vec<f64>,
    models: Vec<ModelEntry>,
    digits: Vec<DigitEntry>,
}

#[derive(Serialize)]
struct ModelEntry {
    model: &'static str,
    weights: String,
    /// Answers that are right, of all digits at all angles.
    right: usize,
}

#[derive(Serialize)]
struct DigitEntry {
    index: usize,
    label: usize,
    /// For each model, for each angle.
    answers: Vec<Vec<View>>,
}

/// Draws digits (rows) at angles (columns) with every model's answer beneath.
pub fn make(subjects: &[Subject], digits: &Digits, angles: &[f64], device: &Device) -> Result<Made> {
    let chosen = digits.chosen(COUNT)?;
    let side = (digits.data.width(), digits.data.height());
    let (width, height) = tile_size(side.0, side.1, SCALE);
    let names = subjects.iter().map(|subject| Font::Small.width(subject.label()));
    let left = names.fold(0.0, f64::max) + 12.0;
    let row_height = height + LINE * subjects.len() as f64 + 14.0;
    let mut drawing = Drawing::new();
    for (column, &angle) in angles.iter().enumerate() {
        let centre = left + column as f64 * (width + GAP) + width / 2.0;
        drawing.text((centre, 0.0), Anchor::Middle, Font::Body, INK, degrees(angle));
    }
    let mut entries: Vec<DigitEntry> = Vec::new();
    let mut progress = Progress::new("asking the models", "digits", chosen.len(), 0);
    for (row, &index) in chosen.iter().enumerate() {
        let label = digits.label(index);
        let images: Vec<Vec<u8>> = angles
            .iter()
            .map(|&angle| Ok(digits.images(&[index], &digits.condition(Some(angle))?).remove(0)))
            .collect::<Result<_>>()?;
        let answers: Vec<Vec<View>> = subjects.iter().map(|subject| subject.view(&images, device)).collect();
        let y = TOP + row as f64 * row_height;
        let under = y + height + 1.0;
        drawing.text(
            (left - 12.0, y + 4.0),
            Anchor::End,
            Font::Small,
            FAINT,
            format!("no. {index}"),
        );
        drawing.text(
            (left - 12.0, y + 24.0),
            Anchor::End,
            Font::Small,
            FAINT,
            format!("a {label}"),
        );
        for (line, subject) in subjects.iter().enumerate() {
            let at = (left - 12.0, under + 2.0 + LINE * line as f64);
            drawing.text(at, Anchor::End, Font::Small, INK, subject.label());
        }
        for (column, image) in images.iter().enumerate() {
            let x = left + column as f64 * (width + GAP);
            let tones = answers.iter().map(|answers| Tone::of(answers[column].class == label));
            let image = ColourImage::from(&grey(side, image)?);
            drawing.place((x, y), &tile(&image, SCALE, Tone::of_all(tones)));
            for (line, answers) in answers.iter().enumerate() {
                let view = &answers[column];
                let tone = Tone::of(view.class == label);
                note(
                    &mut drawing,
                    x + width / 2.0,
                    under + LINE * line as f64,
                    answer(view),
                    tone,
                );
            }
        }
        entries.push(DigitEntry { index, label, answers });
        progress.set(row + 1, "");
    }
    progress.clear();
    let models: Vec<ModelEntry> = subjects
        .iter()
        .enumerate()
        .map(|(number, subject)| {
            let right = |digit: &DigitEntry| {
                let answers = digit.answers[number].iter();
                answers.filter(|view| view.class == digit.label).count()
            };
            ModelEntry {
                model: subject.model.config.name(),
                weights: subject.weights().to_owned(),
                right: entries.iter().map(right).sum(),
            }
        })
        .collect();
    let caption = caption(subjects, digits, &models, chosen.len() * angles.len());
    let numbers = Numbers {
        dataset: digits.data.name().to_owned(),
        angles: angles.to_vec(),
        models,
        digits: entries,
    };
    let alt = "Digits at a row of angles with the answers of the models beneath";
    let sheet = drawing.sheet("The same digits at a row of angles", caption);
    Made::new("angles", alt, sheet, &numbers)
}

fn caption(subjects: &[Subject], digits: &Digits, models: &[ModelEntry], total: usize) -> String {
    let right = subjects
        .iter()
        .zip(models)
        .map(|(subject, entry)| format!("{} is right in {} of {total}", subject.label(), entry.right));
    let right: Vec<String> = right.collect();
    let transform = match &digits.args.transform {
        Some(transform) => format!(" after {transform}"),
        None => String::new(),
    };
    format!(
        "Positive angles turn counter-clockwise. Beneath each digit the models' answers with their probability (for a model \
         with capsules: the length of the answer's capsule, and what its pose adds where it has a say); green is right, bold red wrong, and a dashed frame marks a digit \
         that one of the models gets wrong. {}. Test images of {}{transform}. A 6 upside down is a 9: not every mistake is one.",
        right.join(", "),
        digits.data.name()
    )
}
