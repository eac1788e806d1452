//! What most programs with this library need: `use capsnet::prelude::*;`, which brings Burn's own prelude along.

pub use burn::prelude::*;
pub use capsnet_data::dataset::{Dataset, Split};
pub use capsnet_data::random::Seed;
pub use capsnet_data::transform::{Augment, Normalize, Pipeline};

pub use crate::model::{
    Architecture, Classifier, ImageShape, Initial, Input, Model, ModelConfig, Network, Output, ScoreKind,
};
pub use crate::observe::Observer;
pub use crate::train::{RunFolder, TrainConfig, train};
pub use crate::weights::{Exchange, Named};
pub use crate::{equivariance, evaluate, pretrained, weights};
