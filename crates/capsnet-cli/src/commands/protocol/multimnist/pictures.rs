//! Pairs of digits beside what the model sees in them: the image, both digits alone, and a reconstruction of each answer.

use std::path::Path;

use anyhow::Result;
use burn::prelude::*;
use capsnet::evaluate::PairEvaluation;
use capsnet::model::{Architecture, Network};
use capsnet::train::PairBatcher;
use capsnet_data::protocol::{MultiMnist, Pair, PairImages};
use capsnet_report::{Cell, DigitGrid, GreyImage, Tone};

use super::super::{Contestant, make_folder};

/// Pairs in a picture, at most.
const MOST: usize = 16;
const COLUMNS: usize = 2;
/// Of five images in a cell.
const SCALE: f64 = 2.0;

/// Draws the first pairs as `multimnist-MODEL.png`, and the first that were answered wrong as `multimnist-MODEL-mistakes.png`;
/// returns the files' paths.
pub fn draw(
    folder: &Path,
    contestant: &Contestant,
    pairs: &MultiMnist,
    batcher: &PairBatcher,
    list: &[Pair],
    evaluation: &PairEvaluation,
    names: &[String],
) -> Result<Vec<String>> {
    make_folder(folder)?;
    let config = &contestant.model.config;
    let first: Vec<usize> = (0..list.len()).take(MOST).collect();
    let mistakes: Vec<usize> = (0..list.len())
        .filter(|&pair| !evaluation.is_right(pair))
        .take(MOST)
        .collect();
    let mut paths = Vec::new();
    for (suffix, what, chosen) in [
        ("", "the first pairs", first),
        ("-mistakes", "its first mistakes", mistakes),
    ] {
        if chosen.is_empty() {
            continue;
        }
        let shown: Vec<Shown> = chosen
            .iter()
            .map(|&at| Shown::new(list[at], evaluation.answers[at]))
            .collect();
        let cells = cells(contestant, pairs, batcher, &shown, names)?;
        let mut grid = DigitGrid::new(format!("{} on MultiMNIST: {what}", config.title()), COLUMNS, cells);
        grid.scale = SCALE;
        grid.caption = match config {
            capsnet::model::ModelConfig::CapsNet(_) => {
                "both digits, each alone, and the reconstructions of the two answers; a dashed frame marks a mistake"
                    .to_owned()
            }
            _ => "both digits, and each alone; a dashed frame marks a mistake".to_owned(),
        };
        let path = folder.join(format!("multimnist-{}{suffix}.png", config.name()));
        grid.sheet()?.save_png(&path)?;
        paths.push(path.display().to_string());
    }
    Ok(paths)
}

/// A pair with the answers in the order of the digits that they name.
struct Shown {
    pair: Pair,
    answers: [u8; 2],
}

impl Shown {
    fn new(pair: Pair, [likelier, other]: [u8; 2]) -> Self {
        let [first, second] = pair.labels;
        let swap = likelier == second || other == first;
        let answers = if swap { [other, likelier] } else { [likelier, other] };
        Self { pair, answers }
    }
}

fn cells(
    contestant: &Contestant,
    pairs: &MultiMnist,
    batcher: &PairBatcher,
    shown: &[Shown],
    names: &[String],
) -> Result<Vec<Cell>> {
    let (width, height) = (pairs.width(), pairs.height());
    let reconstructions = [0, 1].map(|digit| reconstruct(contestant, batcher, shown, digit));
    let mut images = PairImages::default();
    let mut cells = Vec::new();
    for (at, Shown { pair, answers }) in shown.iter().enumerate() {
        pairs.draw(pair, &mut images);
        let mut cell = Cell::new(GreyImage::new(width, height, images.merged.clone())?);
        for part in &images.parts {
            cell = cell.beside(GreyImage::new(width, height, part.clone())?);
        }
        for reconstruction in reconstructions.iter().flatten() {
            let size = width * height;
            let values = &reconstruction[at * size..][..size];
            cell = cell.beside(GreyImage::from_unit(width, height, values)?);
        }
        let name = |class: u8| {
            names
                .get(usize::from(class))
                .cloned()
                .unwrap_or_else(|| class.to_string())
        };
        let [first, second] = pair.labels.map(name);
        cell = cell.line(format!("truth  {first}, {second}"), Tone::Neutral);
        let right = answers == &pair.labels;
        let [first, second] = answers.map(name);
        cells.push(cell.line(format!("answer {first}, {second}"), Tone::of(right)));
    }
    Ok(cells)
}

/// The decoder's images of one answer to each pair, where the model has a decoder.
fn reconstruct(contestant: &Contestant, batcher: &PairBatcher, shown: &[Shown], digit: usize) -> Option<Vec<f32>> {
    let batch = batcher.batch_of(shown.iter().map(|shown| shown.pair), &contestant.device);
    let output = contestant.model.forward(batch.images);
    let classes: Vec<i64> = shown.iter().map(|shown| i64::from(shown.answers[digit])).collect();
    let classes = Tensor::from_data(TensorData::from(classes.as_slice()), &contestant.device);
    let images = contestant.model.reconstruct(&output, classes)?;
    Some(images.into_data().try_into_vec_as::<f32>().expect("images are floats"))
}
