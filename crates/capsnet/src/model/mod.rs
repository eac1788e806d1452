//! The models, and what it takes to be one.
//!
//! An [`Architecture`] describes a model completely and is saved beside its weights; it makes the [`Network`], and
//! [`Model`] pairs the two. Training works on a model, testing and measuring on any [`Classifier`]; neither asks which
//! model it is.
//!
//! Each of our models has one file, which holds all that is known of it, and one line in the list below.

mod architecture;
mod frozen;
mod initial;
mod input;
#[macro_use]
mod list;
mod names;
mod network;
mod precision;
mod routed;
mod trained;

pub use architecture::{Architecture, Defaults, Timing};
pub use frozen::FrozenModel;
pub use initial::Initial;
pub use input::{ConfigError, ImageShape, Input};
pub(crate) use names::same_class;
pub use names::{class_names, named_by};
pub use network::{Classifier, Frozen, Network, Output, ScoreKind};
pub use precision::{Precision, UnknownPrecision};
pub use routed::{CapsuleMaps, Place, RoutedCapsules};
pub use trained::Model;
pub use transforming_autoencoder::{PIXELS_A_UNIT, Poses};

use burn::prelude::*;
use capsnet_weights::StateDict;
use serde::{Deserialize, Serialize};

use crate::observe::Observer;
use crate::weights::{Exchange, Named};

// rustfmt doesn't find files that are declared so; the gate hands them to it.
models! {
    "lenet5" => lenet5::{LeNet5, LeNet5Config},
    "capsnet" => capsnet::{CapsNet, CapsNetConfig},
    "equivariant-capsnet" => equivariant::{EquivariantCapsNet, EquivariantCapsNetConfig},
    "cnn" => cnn::{Cnn, CnnConfig},
    "mlp" => mlp::{Mlp, MlpConfig},
    "efficient-capsnet" => efficient_capsnet::{EfficientCapsNet, EfficientCapsNetConfig},
    "em-capsnet" => em_capsnet::{EmCapsNet, EmCapsNetConfig},
    "hvc" => hvc::{Hvc, HvcConfig},
    "transforming-autoencoder" => transforming_autoencoder::{TransformingAutoencoder, TransformingAutoencoderConfig},
}

impl ModelConfig {
    /// The model of this name as it is unless said otherwise.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|config| config.name() == name)
    }
}
