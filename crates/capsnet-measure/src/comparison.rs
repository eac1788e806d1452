//! Models side by side: each under the same transforms of the same images, and every two of them compared.

use serde::Serialize;

use crate::images::Sample;
use crate::model::ModelEntry;
use crate::paired::{Ahead, Paired};
use crate::score::Score;

/// What a model made of a data set under one transform.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TestResult {
    /// The transform as a heading: "upright" where nothing is done.
    pub label: String,
    /// The transform, as a specification.
    pub transform: String,
    /// The angle of its rotation in degrees, where it has one of its own.
    pub rotate: Option<f64>,
    /// How affine transforms read between the pixels.
    pub resample: String,
    /// How many images were right, and how sure the model was.
    #[serde(flatten)]
    pub score: Score,
    /// The share of each class's images that were right; `None` for a class without images.
    pub class_accuracy: Vec<Option<f64>>,
    /// `confusion[truth][answer]`: numbers of images.
    pub confusion: Vec<Vec<u64>>,
    /// The names of the classes that the first few images were taken for.
    pub first_predictions: Vec<String>,
    /// And of those that they are.
    pub first_labels: Vec<String>,
}

/// Models on the same images.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The data set's name.
    pub dataset: String,
    /// What its classes are called, in the order of their labels.
    pub classes: Vec<String>,
    /// How many of its images were shown.
    pub images: u64,
    /// Where they are a sample.
    pub sample: Option<Sample>,
    /// In the order in which they were named.
    pub models: Vec<ModelResults>,
    /// Every two models under every transform.
    pub comparisons: Vec<PairResult>,
}

/// A model's results.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelResults {
    /// Which model.
    #[serde(flatten)]
    pub entry: ModelEntry,
    /// What was done to its training images, where that is noted.
    pub training_augment: Option<String>,
    /// One a transform.
    pub results: Vec<TestResult>,
}

/// Two models under one transform.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PairResult {
    /// The first model.
    pub first: String,
    /// The second model.
    pub second: String,
    /// The transform, as a specification.
    pub transform: String,
    /// The angle of its rotation in degrees, where it has one of its own.
    pub rotate: Option<f64>,
    /// Which model is ahead, by McNemar's exact test at 5 %.
    pub ahead: Ahead,
    /// How they answered the same images.
    #[serde(flatten)]
    pub paired: Paired,
}
