//! Digits along a family of transforms, with every model's answer beneath.

use anyhow::Result;
use capsnet::evaluate::{Evaluation, Options, evaluate};
use capsnet::train::Batcher;
use capsnet_data::transform::{Augment, Normalize, Pipeline, Scratch};
use capsnet_report::{Cell, DigitGrid, GreyImage, Picture, Tone};

use super::Plan;
use super::contestant::Contestant;
use super::measuring::Setting;
use super::record::{Record, Section};
use super::words::listed;

/// Digits in the picture, one a row: the first of the test set, which nobody chose.
const DIGITS: usize = 4;
/// Values in a row where the names are short.
const MOST_VALUES: usize = 9;
/// Letters that a row has room for.
const LETTERS: usize = 90;

/// A picture of each family.
pub fn grids(setting: &Setting, contestants: &[Contestant], plans: &[Plan], record: &Record) -> Result<Vec<Picture>> {
    let pairs = plans.iter().zip(&record.sweeps);
    pairs
        .map(|(plan, section)| grid(setting, contestants, plan, section))
        .collect()
}

fn grid(setting: &Setting, contestants: &[Contestant], plan: &Plan, section: &Section) -> Result<Picture> {
    let labels: Vec<&str> = contestants
        .iter()
        .map(|contestant| contestant.entry.label.as_str())
        .collect();
    let longest = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
    let values = section.sweep.spread((LETTERS / (longest + 2)).clamp(3, MOST_VALUES));
    let digits = setting.data.len().min(DIGITS);
    let mut cells = vec![Vec::new(); digits];
    for &value in &values {
        let pipeline = plan.steps.iter().find(|step| step.0 == value).map(|step| &step.1);
        let pipeline = pipeline.expect("the values of a section are those of its plan");
        let mut evaluations = Vec::new();
        for contestant in contestants {
            let options = Options {
                range: Some(0..digits),
                ..setting.options()
            };
            let Contestant { model, .. } = contestant;
            evaluations.push(evaluate(
                model,
                setting.data,
                pipeline,
                &options,
                setting.device,
                &mut |_| {},
            )?);
        }
        for (index, row) in cells.iter_mut().enumerate() {
            let title = section.sweep.family.value(value);
            row.push(cell(setting, pipeline, index, title, &labels, &evaluations)?);
        }
    }
    let canvas = DigitGrid::new("", values.len(), cells.concat()).draw()?;
    let alt = format!(
        "The first {digits} test images at {} values of the {}, with the answers of {}",
        values.len(),
        section.sweep.family.name,
        listed(&labels)
    );
    let caption = "The first test images as the models were shown them, and each model's answer: right in green, wrong in \
                   red and bold. A dashed frame marks an image that at least one model got wrong.";
    Ok(Picture::new(&canvas, alt, caption)?)
}

fn cell(
    setting: &Setting,
    pipeline: &Pipeline,
    index: usize,
    title: String,
    labels: &[&str],
    evaluations: &[Evaluation],
) -> Result<Cell> {
    let data = setting.data;
    let augment = Augment::from(pipeline.clone());
    let batcher = Batcher::new(data, &augment, Normalize::default(), setting.seed);
    let pixels = batcher.image(0, index, &mut Scratch::default());
    let mut cell = Cell::new(GreyImage::new(data.width(), data.height(), pixels)?).line(title, Tone::Neutral);
    for (label, evaluation) in labels.iter().zip(evaluations) {
        let (answer, truth) = (evaluation.predictions[index], evaluation.labels[index]);
        cell = cell.line(format!("{label} {answer}"), Tone::of(answer == truth));
    }
    Ok(cell)
}
