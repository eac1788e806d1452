//! Carrying out a protocol's test: the one runner, and what it offers to every protocol.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use burn::prelude::Device;
use capsnet_data::dataset::{Dataset, Split};
use capsnet_data::random::Seed;
use capsnet_data::transform::Pipeline;
use capsnet_measure::{ProtocolOutcome, ProtocolPicture, ProtocolTest};
use serde::Serialize;
use serde_json::{Map, Value};

use super::Protocol;
use crate::Error;
use crate::evaluate::{Evaluation, Options, evaluate};
use crate::model::Classifier;

/// Gives the images of a split of a data set.
pub type Images<'a> = dyn Fn(Split) -> Result<Dataset, Error> + 'a;

/// How to test.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Seed of whatever is drawn for the test.
    pub seed: Seed,
    /// Test on so many of the images only.
    pub limit: Option<NonZeroUsize>,
    /// Versions of every image, if other than [usual](Protocol::variants).
    pub variants: Option<u64>,
    /// An original file to read the images from, by a protocol that [can](Protocol::reads_file).
    pub file: Option<PathBuf>,
}

/// Seed 1, all images.
impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: Seed(1),
            limit: None,
            variants: None,
            file: None,
        }
    }
}

/// How far a test is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// Images done.
    pub done: usize,
    /// Images in all.
    pub total: usize,
    /// What is tested on now.
    pub what: &'a str,
}

/// Tests a model by a protocol; `images` gives a data set's splits, and `notify` is told how far the test is.
///
/// Pass a model without gradients ([`Model::valid`](crate::model::Model::valid)).
///
/// # Errors
///
/// If the images can't be had or don't fit the model, or the protocol can't be carried out on them.
pub fn test(
    protocol: &dyn Protocol,
    images: &Images,
    model: &dyn Classifier,
    device: &Device,
    settings: &Settings,
    notify: &mut dyn FnMut(Progress),
) -> Result<ProtocolOutcome, Error> {
    protocol.test(&mut Tester {
        protocol,
        images,
        model,
        device,
        settings,
        notify,
        done: 0,
        total: 0,
    })
}

/// A model under test by a protocol.
pub struct Tester<'a> {
    protocol: &'a dyn Protocol,
    images: &'a Images<'a>,
    /// The model.
    pub model: &'a dyn Classifier,
    /// Where it computes.
    pub device: &'a Device,
    /// How to test.
    pub settings: &'a Settings,
    notify: &'a mut dyn FnMut(Progress),
    done: usize,
    total: usize,
}

impl Tester<'_> {
    /// All images of a split.
    ///
    /// # Errors
    ///
    /// If they can't be had, or what the protocol makes of them doesn't fit the model.
    pub fn split(&self, split: Split) -> Result<Dataset, Error> {
        let data = (self.images)(split)?;
        let needs = self.protocol.size([data.height(), data.width()]);
        let image = self.model.input().image;
        let takes = [image.height, image.width];
        if needs != takes {
            return Err(Error::ProtocolSize {
                protocol: self.protocol.name(),
                needs,
                takes,
            });
        }
        Ok(data)
    }

    /// The test images, within the limit.
    ///
    /// # Errors
    ///
    /// As for [`split`](Self::split).
    pub fn test_images(&self) -> Result<Dataset, Error> {
        Ok(self.limited(self.split(Split::Test)?))
    }

    /// Those of the images that the limit leaves: a sample spread over the set, drawn by the seed.
    pub fn limited(&self, data: Dataset) -> Dataset {
        match self.settings.limit {
            Some(limit) => data.sample(limit, self.settings.seed),
            None => data,
        }
    }

    /// Says how many images the tests will have in all, for who is told of the progress.
    pub fn expect(&mut self, images: usize) {
        self.total = images;
    }

    /// Tells how far the test under way is; what was done before it counts.
    pub fn progress(&mut self, done: usize, what: &str) {
        (self.notify)(Progress {
            done: self.done + done,
            total: self.total,
            what,
        });
    }

    /// Tests on images under a transform.
    ///
    /// # Errors
    ///
    /// If the images don't fit the model.
    pub fn evaluate(&mut self, what: &str, data: &Dataset, transform: &Pipeline) -> Result<Evaluation, Error> {
        self.evaluate_other(self.model, what, data, transform, self.settings.seed)
    }

    /// The same of another model, by a seed of random transforms.
    ///
    /// # Errors
    ///
    /// If the images don't fit the model.
    pub(super) fn evaluate_other(
        &mut self,
        model: &dyn Classifier,
        what: &str,
        data: &Dataset,
        transform: &Pipeline,
        seed: Seed,
    ) -> Result<Evaluation, Error> {
        let options = Options {
            seed,
            ..Options::default()
        };
        let device = self.device;
        let evaluation = evaluate(model, data, transform, &options, device, &mut |done| {
            self.progress(done, what);
        })?;
        self.done += data.len();
        Ok(evaluation)
    }

    /// Tests on the test images under one transform after another, each of which is held against the first.
    ///
    /// # Errors
    ///
    /// As for [`split`](Self::split).
    pub fn test_conditions(&mut self, conditions: &[Pipeline]) -> Result<ProtocolOutcome, Error> {
        self.test_each(conditions, &mut |_| {})
    }

    /// The same, `seen` being told of every evaluation.
    ///
    /// # Errors
    ///
    /// As for [`split`](Self::split).
    pub fn test_each(
        &mut self,
        conditions: &[Pipeline],
        seen: &mut dyn FnMut(&Evaluation),
    ) -> Result<ProtocolOutcome, Error> {
        let data = self.test_images()?;
        self.expect(data.len() * conditions.len());
        let mut tests = Vec::new();
        for pipeline in conditions {
            let name = match pipeline.is_identity() {
                true => "upright".to_owned(),
                false => pipeline.to_string(),
            };
            let evaluation = self.evaluate(&name, &data, pipeline)?;
            seen(&evaluation);
            tests.push(ProtocolTest::new(name, evaluation.score));
        }
        Ok(ProtocolOutcome {
            against_first: true,
            ..self.outcome(data.name(), tests)
        })
    }

    /// The outcome of tests on images made of `dataset`, without more.
    pub fn outcome(&self, dataset: &str, tests: Vec<ProtocolTest>) -> ProtocolOutcome {
        let about = self.protocol.about();
        ProtocolOutcome {
            protocol: about.name.to_owned(),
            source: about.source.to_owned(),
            caveat: about.caveat.map(str::to_owned),
            title: self.model.title(),
            parameters: self.model.parameters(),
            dataset: dataset.to_owned(),
            seed: self.settings.seed.0,
            tests,
            against_first: false,
            details: Map::new(),
            notes: Vec::new(),
            pictures: Vec::new(),
        }
    }
}

/// What a protocol counts beside its tests, by the names of the fields.
pub(super) fn details(counted: impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(counted) {
        Ok(Value::Object(fields)) => fields,
        other => unreachable!("a struct of plain data is an object: {other:?}"),
    }
}

/// The picture of a confusion matrix; a model may know more classes than the data set names.
pub(super) fn confusion_picture(data: &Dataset, counts: &[Vec<u64>]) -> ProtocolPicture {
    let class = |class| class_name(data, class);
    ProtocolPicture::Confusion {
        classes: (0..counts.len()).map(class).collect(),
        counts: counts.to_vec(),
    }
}

/// The name of a class, or its number where the data set names none.
pub(super) fn class_name(data: &Dataset, class: usize) -> String {
    data.class_names()
        .get(class)
        .cloned()
        .unwrap_or_else(|| class.to_string())
}
