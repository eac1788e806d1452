//! A description that makes a network. All that is known of a model stands in its [`Architecture`], in the model's own
//! file.

use std::fmt::Debug;

use burn::prelude::*;
use capsnet_weights::StateDict;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{ConfigError, ImageShape, Initial, Input, Network};
use crate::train::Schedule;
use crate::weights::Named;

/// What a model is, in a form that is saved beside its weights and in a run's `config.toml`.
///
/// Ours are listed in [`ModelConfig`](super::ModelConfig), which is one itself; a network of your own needs one to be
/// trained, saved and loaded: see `examples/own_network.rs`.
pub trait Architecture: Clone + Debug + PartialEq + Serialize + DeserializeOwned {
    /// What it makes.
    type Network: Network + Module + Named;

    /// Its name in commands and folders: "lenet5".
    fn name(&self) -> &'static str;

    /// Its name in prose: "LeNet-5".
    fn title(&self) -> &'static str {
        self.name()
    }

    /// What is worth knowing about it, in a line.
    fn about(&self) -> &'static str {
        self.title()
    }

    /// What the network takes and tells apart.
    fn input(&self) -> Input;

    /// The same architecture for other images or classes; it needs weights of its own.
    fn set_input(&mut self, input: Input);

    /// Makes it one for images of these channels, rows and columns and for so many classes, as a data set has them: see
    /// [`set_input`](Self::set_input).
    fn take(&mut self, [channels, height, width]: [usize; 3], classes: usize) {
        self.set_input(Input {
            image: ImageShape {
                channels,
                height,
                width,
            },
            classes,
            ..self.input()
        });
    }

    /// Whether such a network can exist. An implementation begins with `self.input().validate()?`.
    ///
    /// # Errors
    ///
    /// Names the first field at fault.
    fn validate(&self) -> Result<(), ConfigError> {
        self.input().validate()
    }

    /// Makes the network.
    ///
    /// # Panics
    ///
    /// Perhaps, where [`validate`](Self::validate) refuses.
    fn init(&self, device: &Device) -> Self::Network;

    /// How the tensor of this name in a weights file begins; as [`init`](Self::init) made it unless said otherwise.
    fn initial(&self, _tensor: &str) -> Initial {
        Initial::AsMade
    }

    /// What it is usually trained with.
    fn usual_training(&self) -> Defaults {
        Defaults::default()
    }

    /// How a benchmark times its steps.
    fn timing(&self) -> Timing {
        Timing::default()
    }

    /// The description of the network that these weights are of, where their names and shapes tell it: files of PyTorch
    /// hold no more.
    ///
    /// A shape that doesn't fit the guess is left for the check that follows, which names the tensor.
    fn recognise(_weights: &StateDict) -> Option<Self> {
        None
    }

    /// Configurations whose shapes are held against tensors with unknown names, those of other sizes of image and
    /// numbers of classes included.
    fn usual() -> Vec<Self> {
        Vec::new()
    }

    /// Whether the network's answer to an image is its class. How good one is that names none is told by its loss
    /// alone: its trainings have no accuracy.
    fn names_classes(&self) -> bool {
        true
    }

    /// Why the network can't name two figures in one image, if it can't.
    fn no_pairs(&self) -> Option<&'static str> {
        None
    }
}

/// Settings of a training that fit a model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Defaults {
    /// Passes over the training images.
    pub epochs: u64,
    /// Images a step.
    pub batch_size: usize,
    /// The learning rate that the schedule starts from.
    pub learning_rate: f64,
    /// How the learning rate changes.
    pub schedule: Schedule,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            epochs: 3,
            batch_size: 128,
            learning_rate: 1e-3,
            schedule: Schedule::Constant,
        }
    }
}

/// How a benchmark times a model's training steps: short ones are timed many together, for the clock's sake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Steps before the clock runs.
    pub warmup: usize,
    /// Steps that are timed as one.
    pub group: usize,
    /// Steps in all.
    pub steps: usize,
}

impl Timing {
    /// The same with other numbers where there are any; no block has more steps than there are.
    #[must_use]
    pub fn with(self, warmup: Option<usize>, group: Option<usize>, steps: Option<usize>) -> Self {
        let steps = steps.unwrap_or(self.steps);
        Self {
            warmup: warmup.unwrap_or(self.warmup),
            group: group.unwrap_or(self.group).min(steps),
            steps,
        }
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            warmup: 2,
            group: 1,
            steps: 10,
        }
    }
}

/// The side of a square of so many pixels, where there is one.
pub(super) fn side_of_square(pixels: usize) -> Option<usize> {
    let side = pixels.isqrt();
    (side > 0 && side * side == pixels).then_some(side)
}
