//! What a training tells while it goes on, and what it came to.

use super::{EpochMetrics, EpochRecord, Notice, Position, StepRecord};
use crate::model::{Architecture, Model, ModelConfig};

/// What a caller is told while training goes on.
pub enum Event<'a> {
    /// Training begins or goes on from a checkpoint.
    Started {
        /// Where it begins.
        position: &'a Position,
        /// Images an epoch.
        images: usize,
        /// Trainable parameters of the model.
        parameters: usize,
    },
    /// A step was made.
    Step {
        /// Where training stands.
        position: &'a Position,
        /// Images of this epoch seen so far.
        images_done: usize,
        /// The step's loss.
        loss: f64,
    },
    /// A step was noted in the run's record: one now and then.
    Noted(&'a StepRecord),
    /// What was seen at the end of an epoch, with its images; comes before [`Epoch`](Self::Epoch).
    Seen(&'a EpochRecord),
    /// An epoch was completed.
    Epoch(&'a EpochMetrics),
    /// A checkpoint was written.
    Checkpoint,
    /// Something that whoever reads the results should know.
    Notice(&'a Notice),
}

/// Why training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All epochs were done.
    Completed,
    /// The validation loss no longer improved.
    StoppedEarly,
    /// The caller asked for a stop; there is a checkpoint to resume from.
    Interrupted,
}

/// What training came to.
pub struct Summary<A: Architecture = ModelConfig> {
    /// The model with its last weights, without gradients.
    pub model: Model<A>,
    /// Why it ended.
    pub ending: Ending,
    /// Where it ended.
    pub position: Position,
}
