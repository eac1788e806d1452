//! The pictures of a comparison: digits as the models saw them, with the truth and every model's answer.

use std::path::Path;

use anyhow::Result;
use capsnet::evaluate::Evaluation;
use capsnet_data::dataset::Dataset;
use capsnet_data::random::Seed;
use capsnet_data::transform::Augment;
use capsnet_report::{Cell, DigitGrid, GreyImage, Tone};

use crate::commands::measure::Condition;

const COLUMNS: usize = 8;
const ROWS: usize = 4;

/// Draws a grid for every condition; returns the files' paths.
pub fn draw(
    folder: &Path,
    data: &Dataset,
    conditions: &[Condition],
    names: &[&str],
    evaluations: &[Vec<Evaluation>],
    seed: u64,
) -> Result<Vec<String>> {
    let mut paths = Vec::new();
    for (number, condition) in conditions.iter().enumerate() {
        let of_condition: Vec<&Evaluation> = evaluations.iter().map(|e| &e[number]).collect();
        let title = format!("{}: first test images of {}", condition.label(), data.name());
        let mut grid = DigitGrid::new(title, COLUMNS, cells(data, condition, names, &of_condition, seed)?);
        grid.caption = format!(
            "transform {}, seed {seed}; a dashed frame marks a wrong answer",
            condition.pipeline
        );
        let name = match condition.rotate {
            None => "upright.png".to_owned(),
            Some(angle) => format!("rotated{angle:+}.png"),
        };
        let path = folder.join(name);
        grid.sheet()?.save_png(&path)?;
        paths.push(path.display().to_string());
    }
    Ok(paths)
}

fn cells(
    data: &Dataset,
    condition: &Condition,
    names: &[&str],
    evaluations: &[&Evaluation],
    seed: u64,
) -> Result<Vec<Cell>> {
    let augment = Augment::from(condition.pipeline.clone());
    let mut cells = Vec::new();
    for index in 0..data.len().min(COLUMNS * ROWS) {
        let pixels = augment.image(data, Seed(seed), 0, index);
        let truth = data.label(index);
        let image = GreyImage::new(data.width(), data.height(), pixels)?;
        let mut cell = Cell::new(image).line(format!("truth {truth}"), Tone::Neutral);
        for (name, evaluation) in names.iter().zip(evaluations) {
            let answer = evaluation.predictions[index];
            cell = cell.line(format!("{name} {answer}"), Tone::of(answer == truth));
        }
        cells.push(cell);
    }
    Ok(cells)
}
