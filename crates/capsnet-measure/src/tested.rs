//! A model tested on a data set under one transform after the other.

use serde::Serialize;

use crate::comparison::TestResult;
use crate::images::Sample;
use crate::score::ScoreKind;

/// What a model came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tested {
    /// The model's name, as commands know it.
    pub model: String,
    /// The file that its weights are from.
    pub weights: String,
    /// Its trainable parameters.
    pub parameters: usize,
    /// The protocol that the transforms are of, if they are of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// The data set's name.
    pub dataset: String,
    /// How many of its images were shown.
    pub images: usize,
    /// Where those are a sample.
    pub sample: Option<Sample>,
    /// Of random transforms.
    pub seed: u64,
    /// What the rows and columns of the confusion matrices are.
    pub classes: Vec<String>,
    /// A result a transform.
    pub results: Vec<TestResult>,
    /// How often the answers under two of the transforms are the same, where there are several; see
    /// [`consistency`](crate::robustness::consistency).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consistency: Option<f64>,
    /// The model's name in a text: "LeNet-5".
    #[serde(skip)]
    pub title: String,
    /// What the model says of a class.
    #[serde(skip)]
    pub score_kind: ScoreKind,
    /// Where the protocol comes from.
    #[serde(skip)]
    pub source: Option<String>,
}
