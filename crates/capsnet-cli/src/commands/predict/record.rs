//! What is said of one picture by one model.

use capsnet::predict::Prediction;
use capsnet_data::prepare::Ground;
use serde::Serialize;

/// One entry of `--json`.
#[derive(Debug, Default, Serialize)]
pub(super) struct Record {
    /// The file as it was named, `-` for standard input.
    pub(super) image: String,
    /// What the model goes by; none where the picture couldn't be read.
    pub(super) model: Option<String>,
    /// The answer in words, where the classes have names.
    pub(super) prediction: Option<String>,
    /// Whether the answer's score reaches the threshold.
    pub(super) recognised: bool,
    /// The answer's.
    pub(super) score: Option<f32>,
    /// What the scores are: probability, length, length and pose.
    pub(super) unit: Option<&'static str>,
    pub(super) threshold: Option<f32>,
    #[serde(flatten)]
    pub(super) details: Option<Prediction>,
    /// What the ink was found to lie on, where it was looked for.
    pub(super) ground: Option<Ground>,
    /// The file with what the model saw.
    pub(super) seen: Option<String>,
    /// The file with the reconstruction.
    pub(super) reconstruction: Option<String>,
    /// Why there is no answer.
    pub(super) error: Option<String>,
}

impl Record {
    pub(super) fn failed(image: String, error: String) -> Self {
        Self {
            image,
            error: Some(error),
            ..Self::default()
        }
    }
}
