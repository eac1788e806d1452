//! Digits along a family of transforms, with every model's answer beneath.

use anyhow::Result;
use capsnet::evaluate::{Evaluation, Options, evaluate};
use capsnet_data::transform::{Augment, Pipeline};
use capsnet_report::{Cell, DigitGrid, GreyImage, Picture, Tone};

use super::Plan;
use super::measuring::Setting;
use super::record::{Record, Section};
use super::words::listed;
use crate::commands::contestant::Contestant;

/// Digits in the picture, one a row: the first of the test set, which nobody chose.
const DIGITS: usize = 4;
/// Values in a row.
const VALUES: usize = 9;
/// A row has room for names of so many letters; longer ones are replaced by A, B, C.
const SHORT: usize = 9;

const CAPTION: &str = "The first test images as the models were shown them, and each model's answer: right in green, \
    wrong in red and bold. A dashed frame marks an image that at least one model got wrong.";

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
    let names = names(&labels);
    let values = section.sweep.spread(VALUES);
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
            let title = capsnet_report::sweep::value(&section.sweep.family, value);
            row.push(cell(setting, pipeline, index, title, &names, &evaluations)?);
        }
    }
    let sheet = DigitGrid::new("", values.len(), cells.concat()).sheet()?;
    let alt = format!(
        "The first {digits} test images at {} values of the {}, with the answers of {}",
        values.len(),
        section.sweep.family.name,
        listed(&labels)
    );
    let mut caption = CAPTION.to_owned();
    if names.iter().ne(&labels) {
        let pairs = names
            .iter()
            .zip(&labels)
            .map(|(name, label)| format!("{name} is {label}"));
        caption += &format!(" {}.", pairs.collect::<Vec<_>>().join("; "));
    }
    Ok(Picture::new(&sheet, alt, caption)?)
}

fn cell(
    setting: &Setting,
    pipeline: &Pipeline,
    index: usize,
    title: String,
    names: &[String],
    evaluations: &[Evaluation],
) -> Result<Cell> {
    let data = setting.data;
    let augment = Augment::from(pipeline.clone());
    let pixels = augment.image(data, setting.seed, 0, index);
    let mut cell = Cell::new(GreyImage::new(data.width(), data.height(), pixels)?).line(title, Tone::Neutral);
    for (name, evaluation) in names.iter().zip(evaluations) {
        let (answer, truth) = (evaluation.predictions[index], evaluation.labels[index]);
        cell = cell.line(format!("{name} {answer}"), Tone::of(answer == truth));
    }
    Ok(cell)
}

/// The labels, or a letter for each where one is too long to stand under an image.
fn names(labels: &[&str]) -> Vec<String> {
    if labels.iter().all(|label| label.chars().count() <= SHORT) {
        return labels.iter().map(|&label| label.to_owned()).collect();
    }
    let letter = |index: usize| match u8::try_from(index) {
        Ok(index @ 0..26) => char::from(b'A' + index).to_string(),
        _ => (index + 1).to_string(),
    };
    (0..labels.len()).map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_become_letters() {
        assert_eq!(names(&["LeNet-5", "CapsNet"]), ["LeNet-5", "CapsNet"]);
        assert_eq!(names(&["LeNet-5", "sheared/last"]), ["A", "B"]);
        let many = names(&["a long name"; 27]);
        assert_eq!((many[25].as_str(), many[26].as_str()), ("Z", "27"));
    }
}
