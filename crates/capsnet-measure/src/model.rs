//! A model as results note it.

use serde::{Deserialize, Serialize};

use crate::score::ScoreKind;

/// Which model it was that something was measured of, and where its weights came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelEntry {
    /// What it is called in the legend.
    pub label: String,
    /// The kind of network: "lenet5".
    pub model: String,
    /// The file that the weights came from, as a reader is told.
    pub weights: String,
    /// SHA-256 of that file: what results belong to, whatever the file or the label is called. Empty for weights that
    /// come from no file.
    pub sha256: String,
    /// Trainable parameters.
    pub parameters: usize,
    /// What its mean of the true class is a mean of.
    pub true_class: ScoreKind,
    /// What was done to the training images, where a note beside the weights says it.
    pub trained_with: Option<String>,
    /// Passes over the training images, where it says that.
    #[serde(default)]
    pub training_epochs: Option<u64>,
    /// Seconds of training, where it says that.
    #[serde(default)]
    pub training_seconds: Option<f64>,
}

impl ModelEntry {
    /// Whether these are the same weights of the same kind of network, under whatever name.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        !self.sha256.is_empty() && self.sha256 == other.sha256 && self.model == other.model
    }
}
