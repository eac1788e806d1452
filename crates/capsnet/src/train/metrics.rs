//! What is noted at the end of every epoch, one line of JSON each in `metrics.jsonl`.

use serde::{Deserialize, Serialize};

/// One epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochMetrics {
    /// Counted from 1.
    pub epoch: u64,
    /// Steps made since the start of training.
    pub step: u64,
    /// The learning rate of the epoch's last step.
    pub learning_rate: f64,
    /// Mean loss over the epoch, on augmented images, while the weights moved.
    pub train_loss: f64,
    /// Share of augmented training images classified right, while the weights moved.
    pub train_accuracy: f64,
    /// Mean loss on the validation images, if any were kept out.
    pub validation_loss: Option<f64>,
    /// Share of validation images classified right.
    pub validation_accuracy: Option<f64>,
    /// Whether these are the best weights so far.
    pub best: bool,
    /// Seconds of training in this epoch, without validation.
    pub seconds: f64,
}

impl EpochMetrics {
    /// What the best weights are chosen by: the validation loss, or without validation images the training loss.
    pub fn criterion(&self) -> f64 {
        self.validation_loss.unwrap_or(self.train_loss)
    }
}
