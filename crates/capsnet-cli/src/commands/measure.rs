//! What `test` and `compare` share: testing a model under a list of transforms, and the form of the results.

use anyhow::Result;
use burn::prelude::Device;
use capsnet::evaluate::{Evaluation, Options, evaluate};
use capsnet::model::{Architecture, Model};
use capsnet_data::dataset::Dataset;
use capsnet_data::random::Seed;
use capsnet_data::transform::{Pipeline, Resample};
use capsnet_measure::Score;
use capsnet_report::ConfusionMatrix;
use serde::Serialize;

use crate::progress::Progress;

/// How many predictions are printed in words.
pub const FIRST: usize = 8;

/// A transform to test under.
#[derive(Clone, Debug)]
pub struct Condition {
    /// What is done to the images.
    pub pipeline: Pipeline,
    /// The angle of the rotation, where there is one.
    pub rotate: Option<f64>,
}

impl Condition {
    /// The transform, followed by a rotation if an angle is given.
    pub fn new(transform: &Pipeline, rotate: Option<f64>, resample: Option<Resample>) -> Result<Self> {
        let mut pipeline = transform.clone();
        if let Some(angle) = rotate {
            pipeline = pipeline.then_rotate(angle)?;
        }
        if let Some(resample) = resample {
            pipeline = pipeline.with_resample(resample)?;
        }
        Ok(Self { pipeline, rotate })
    }

    /// In a table.
    pub fn label(&self) -> String {
        match self.pipeline.is_identity() {
            true => "upright".to_owned(),
            false => self.pipeline.to_string(),
        }
    }
}

/// The result under one transform, as `--json` prints it.
#[derive(Serialize)]
pub struct ResultEntry {
    transform: String,
    rotate: Option<f64>,
    resample: String,
    #[serde(flatten)]
    score: Score,
    class_accuracy: Vec<Option<f64>>,
    confusion: Vec<Vec<u64>>,
    first_predictions: Vec<String>,
    first_labels: Vec<String>,
}

impl ResultEntry {
    /// The printable form of an evaluation.
    pub fn new(condition: &Condition, evaluation: &Evaluation, data: &Dataset) -> Self {
        Self {
            transform: condition.pipeline.to_string(),
            rotate: condition.rotate,
            resample: condition.pipeline.resample().to_string(),
            score: evaluation.score,
            class_accuracy: evaluation.class_accuracy(),
            confusion: evaluation.confusion.clone(),
            first_predictions: in_words(&evaluation.predictions, data),
            first_labels: in_words(&evaluation.labels, data),
        }
    }
}

/// The table of truth and answers; a model may know more classes than the data set names.
pub fn confusion_matrix(data: &Dataset, confusion: &[Vec<u64>]) -> Result<ConfusionMatrix> {
    let mut names = data.class_names().to_vec();
    names.extend((names.len()..confusion.len()).map(|class| class.to_string()));
    Ok(ConfusionMatrix::new(names, confusion)?)
}

/// The names of the first few classes.
pub fn in_words(classes: &[u8], data: &Dataset) -> Vec<String> {
    let name = |&class: &u8| data.class_names().get(usize::from(class)).cloned();
    classes
        .iter()
        .take(FIRST)
        .map(|class| name(class).unwrap_or_else(|| class.to_string()))
        .collect()
}

/// Tests a model under every condition, with progress on standard error.
pub fn measure(
    model: &Model,
    data: &Dataset,
    conditions: &[Condition],
    seed: u64,
    device: &Device,
) -> Result<Vec<Evaluation>> {
    let options = Options {
        seed: Seed(seed),
        ..Options::default()
    };
    let total = data.len() * conditions.len();
    let mut progress = Progress::new(format!("testing {}", model.config.title()), "images", total, 0);
    let mut evaluations = Vec::with_capacity(conditions.len());
    for (number, condition) in conditions.iter().enumerate() {
        let before = number * data.len();
        let mut notify = |done| progress.set(before + done, &condition.label());
        evaluations.push(evaluate(
            model,
            data,
            &condition.pipeline,
            &options,
            device,
            &mut notify,
        )?);
    }
    progress.clear();
    Ok(evaluations)
}
