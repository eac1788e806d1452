//! What models say of pictures.

use capsnet_data::prepare::Ground;
use serde::Serialize;

/// What a model says about one image.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prediction {
    /// The class with the largest score.
    pub class: usize,
    /// Each class's probability (LeNet-5) or capsule length (CapsNet) or activation (EM-CapsNet).
    pub scores: Vec<f32>,
    /// The network's plain outputs: logits (LeNet-5) or, again, the scores (CapsNet).
    pub outputs: Vec<f32>,
    /// The decoder's image of the predicted class, row by row, where the model has a decoder.
    #[serde(skip)]
    pub reconstruction: Option<Vec<u8>>,
}

impl Prediction {
    /// The score of the answer.
    #[must_use]
    pub fn score(&self) -> f32 {
        self.scores[self.class]
    }

    /// Whether the answer's score reaches a threshold.
    #[must_use]
    pub fn recognised(&self, threshold: f32) -> bool {
        self.score() >= threshold
    }
}

/// One model's answer to one picture, or why there is none.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PictureAnswer {
    /// The picture as it was named, `-` for standard input.
    pub image: String,
    /// What the model goes by; none where the picture couldn't be read.
    pub model: Option<String>,
    /// The answer in words, where the classes have names.
    pub prediction: Option<String>,
    /// Whether the answer's score reaches the threshold.
    pub recognised: bool,
    /// The answer's score.
    pub score: Option<f32>,
    /// What the scores are: probability, length, activation, length and pose.
    pub unit: Option<&'static str>,
    /// The least score of an answer.
    pub threshold: Option<f32>,
    /// All that the model said.
    #[serde(flatten)]
    pub details: Option<Prediction>,
    /// What the ink was found to lie on, where it was looked for.
    pub ground: Option<Ground>,
    /// The file with what the model saw, where it was asked for.
    pub seen: Option<String>,
    /// The file with the reconstruction, where it was asked for.
    pub reconstruction: Option<String>,
    /// Why there is no answer.
    pub error: Option<String>,
}

impl PictureAnswer {
    /// No answer, for a picture that can't be shown to a model.
    pub fn failed(image: impl Into<String>, error: impl Into<String>) -> Self {
        Self {
            image: image.into(),
            error: Some(error.into()),
            ..Self::default()
        }
    }
}
