//! Models side by side: the same images under the same transforms, and every two models compared on them.

use burn::prelude::Device;
use capsnet_data::dataset::Dataset;
use capsnet_data::random::Seed;
use capsnet_data::transform::Augment;
use capsnet_measure::comparison::{Comparison, ModelResults, PairResult};
use capsnet_measure::{Example, Paired, Sample};

use crate::Error;
use crate::evaluate::{Condition, Evaluation, Options, evaluate_all};
use crate::loaded::{NamedModel, check_fit};

/// What is compared, on which images.
#[derive(Clone, Copy)]
pub struct Compare<'a> {
    /// The networks, under names that differ.
    pub models: &'a [NamedModel<'a>],
    /// The test images.
    pub data: &'a Dataset,
    /// Where they are a sample.
    pub sample: Option<Sample>,
    /// What is done to the images.
    pub conditions: &'a [Condition],
    /// Of random transforms.
    pub seed: Seed,
    /// What computes.
    pub device: &'a Device,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The figures.
    pub comparison: Comparison,
    /// Every model's answers under every condition.
    pub evaluations: Vec<Vec<Evaluation>>,
}

impl Compare<'_> {
    /// How many images are shown in all.
    pub fn images(&self) -> usize {
        self.models.len() * self.conditions.len() * self.data.len()
    }

    /// Tests every model under every condition; `progress` is told the number of images done, of
    /// [`images`](Self::images), the model and the condition.
    ///
    /// # Errors
    ///
    /// If a model doesn't take the images.
    pub fn run(&self, progress: &mut dyn FnMut(usize, &str, &Condition)) -> Result<Compared, Error> {
        check_fit(self.models, self.data)?;
        let options = Options {
            seed: self.seed,
            ..Options::default()
        };
        let mut evaluations = Vec::new();
        for (number, NamedModel { model, entry }) in self.models.iter().enumerate() {
            let before = number * self.conditions.len() * self.data.len();
            let mut notify = |done, condition: &Condition| progress(before + done, &entry.label, condition);
            let (data, conditions) = (self.data, self.conditions);
            evaluations.push(evaluate_all(
                *model,
                data,
                conditions,
                &options,
                self.device,
                &mut notify,
            )?);
        }
        let models = self.models.iter().zip(&evaluations);
        let models = models.map(|(named, evaluations)| ModelResults {
            entry: named.entry.clone(),
            training_augment: named.entry.trained_with.clone(),
            results: self
                .conditions
                .iter()
                .zip(evaluations)
                .map(|(condition, evaluation)| condition.result(evaluation, self.data))
                .collect(),
        });
        let comparison = Comparison {
            dataset: self.data.name().to_owned(),
            classes: self.data.class_names().to_vec(),
            images: self.data.len() as u64,
            sample: self.sample,
            models: models.collect(),
            comparisons: self.pairs(&evaluations),
        };
        Ok(Compared {
            comparison,
            evaluations,
        })
    }

    /// Every two models under every condition.
    fn pairs(&self, evaluations: &[Vec<Evaluation>]) -> Vec<PairResult> {
        let mut pairs = Vec::new();
        for first in 0..self.models.len() {
            for second in first + 1..self.models.len() {
                for (number, condition) in self.conditions.iter().enumerate() {
                    let [a, b] = [first, second].map(|model| &evaluations[model][number]);
                    let paired = Paired::count(a.right(), b.right());
                    let label = |model: usize| self.models[model].entry.label.clone();
                    pairs.push(PairResult {
                        first: label(first),
                        second: label(second),
                        transform: condition.pipeline.to_string(),
                        rotate: condition.rotate,
                        ahead: paired.ahead(),
                        paired,
                    });
                }
            }
        }
        pairs
    }

    /// The first `count` images under each condition, as the models saw them, with their answers.
    pub fn examples(&self, compared: &Compared, count: usize) -> Vec<Vec<Example>> {
        let conditions = self.conditions.iter().enumerate();
        let row = |(number, condition): (usize, &Condition)| {
            let augment = Augment::from(condition.pipeline.clone());
            let example = |index: usize| Example {
                shape: self.data.shape(),
                pixels: augment.image(self.data, self.seed, 0, index),
                truth: self.data.label(index),
                answers: compared
                    .evaluations
                    .iter()
                    .map(|of_model| of_model[number].predictions[index])
                    .collect(),
            };
            (0..count.min(self.data.len())).map(example).collect()
        };
        conditions.map(row).collect()
    }
}
