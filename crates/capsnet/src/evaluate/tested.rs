//! A model tested under one condition after the other, as one result.

use burn::prelude::Device;
use capsnet_data::dataset::Dataset;
use capsnet_data::random::Seed;
use capsnet_measure::robustness::consistency;
use capsnet_measure::{Sample, Tested};

use super::{Condition, Options, evaluate_all};
use crate::Error;
use crate::loaded::NamedModel;
use crate::protocol::Protocol;

/// A test on a data set: the images, what is done to them, and the seed of what is drawn.
///
/// ```
/// # use capsnet::prelude::*;
/// use capsnet::evaluate::{Condition, Test};
/// use capsnet::loaded::{NamedModel, entry};
///
/// let device = Device::flex();
/// let model = pretrained::lenet5(&device)?;
/// let entry = entry("LeNet-5", &model);
/// let test = Test {
///     data: &capsnet_data::embedded::digits(),
///     sample: None,
///     conditions: &[Condition::new(&Pipeline::identity(), Some(15.0), None)?],
///     protocol: None,
///     seed: Seed(1),
/// };
/// let tested = test.run(NamedModel { model: &model, entry: &entry }, &device, &mut |_, _| {})?;
/// assert!(tested.results[0].label == "rotate=15" && tested.results[0].score.accuracy() > 0.9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct Test<'a> {
    /// The images.
    pub data: &'a Dataset,
    /// What they are a sample of, where they are one.
    pub sample: Option<Sample>,
    /// What is done to them, one test each.
    pub conditions: &'a [Condition],
    /// The protocol that the conditions are of, if they are of one.
    pub protocol: Option<&'static dyn Protocol>,
    /// Of random transforms.
    pub seed: Seed,
}

impl Test<'_> {
    /// Tests a model; `progress` is told the number of images done, of those of the data set times the conditions, and
    /// the condition.
    ///
    /// # Errors
    ///
    /// If the data doesn't fit the model.
    pub fn run(
        &self,
        NamedModel { model, entry }: NamedModel,
        device: &Device,
        progress: &mut dyn FnMut(usize, &Condition),
    ) -> Result<Tested, Error> {
        let data = self.data;
        let options = Options {
            seed: self.seed,
            ..Options::default()
        };
        let evaluations = evaluate_all(model, data, self.conditions, &options, device, progress)?;
        let results = self.conditions.iter().zip(&evaluations);
        // A model may know more classes than the data set names.
        let more = (data.class_names().len()..model.input().classes).map(|class| class.to_string());
        Ok(Tested {
            model: entry.model.clone(),
            weights: entry.weights.clone(),
            parameters: model.parameters(),
            protocol: self.protocol.map(|protocol| protocol.name().to_owned()),
            dataset: data.name().to_owned(),
            images: data.len(),
            sample: self.sample,
            seed: self.seed.0,
            classes: data.class_names().iter().cloned().chain(more).collect(),
            results: results
                .map(|(condition, evaluation)| condition.result(evaluation, data))
                .collect(),
            consistency: {
                let answers = evaluations.iter().map(|evaluation| evaluation.predictions.clone());
                consistency(&answers.collect::<Vec<_>>())
            },
            title: model.title(),
            score_kind: model.score_kind(),
            source: self.protocol.map(|protocol| protocol.about().source.to_owned()),
        })
    }
}
