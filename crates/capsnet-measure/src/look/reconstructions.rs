//! Digits beside what a decoder makes of the true class's capsule and of the predicted one's.

use serde::Serialize;

use super::Size;

/// Digits under one condition after another, with their reconstructions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reconstructions {
    /// The model, in prose.
    #[serde(skip)]
    pub model: String,
    /// The file of its weights.
    pub weights: String,
    /// The data set.
    pub dataset: String,
    /// Images that were tested in the search for mistakes, if there was one.
    pub searched: Option<usize>,
    /// The size of all images.
    #[serde(skip)]
    pub size: Size,
    /// What was done to the digits before they were turned, if anything.
    #[serde(skip)]
    pub transform: Option<String>,
    /// The angles in degrees; all digits at the first one come first in `digits`.
    #[serde(skip)]
    pub angles: Vec<f64>,
    /// The digits.
    pub digits: Vec<Reconstruction>,
}

/// One digit under one condition.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reconstruction {
    /// Its number in the data set.
    pub index: usize,
    /// Its class.
    pub label: usize,
    /// What was done to it.
    pub transform: String,
    /// The class that the model answers.
    pub prediction: usize,
    /// The lengths of all class capsules.
    pub scores: Vec<f32>,
    /// [`squared_error`](super::squared_error) of the digit and `of_true`.
    pub squared_error_true: f64,
    /// The same of the digit and `of_predicted`.
    pub squared_error_predicted: f64,
    /// The digit as the model saw it.
    #[serde(skip)]
    pub input: Vec<u8>,
    /// What the capsule of the true class is decoded to.
    #[serde(skip)]
    pub of_true: Vec<f32>,
    /// What the capsule of the answer is decoded to.
    #[serde(skip)]
    pub of_predicted: Vec<f32>,
}
