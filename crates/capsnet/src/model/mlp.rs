//! A multilayer perceptron: two fully connected layers, which know nothing of where a pixel lies.
//!
//! 101,770 parameters on 28 x 28 grey images with 128 hidden units: the smallest network that is worth comparing with.
//! Tensor names: `hidden`, `scores`.

use burn::nn::{Linear, LinearConfig};
use burn::prelude::*;
use capsnet_data::transform::Normalize;
use capsnet_weights::StateDict;
use serde::{Deserialize, Serialize};

use super::architecture::side_of_square;
use super::input::input_fields;
use super::{Architecture, ConfigError, Defaults, ImageShape, Initial, Network, Output, Timing};
use crate::observe::Observer;
use crate::ops::{Activation, linear};
use crate::weights::{Exchange, Named};

/// Makes an [`Mlp`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MlpConfig {
    /// Size of the images.
    pub image: ImageShape,
    /// Number of classes.
    pub classes: usize,
    /// What is done to pixels in 0..1 before the model sees them.
    pub normalize: Normalize,
    /// Units of the hidden layer.
    pub hidden: usize,
}

impl Default for MlpConfig {
    fn default() -> Self {
        Self {
            image: ImageShape::MNIST,
            classes: 10,
            normalize: Normalize::default(),
            hidden: 128,
        }
    }
}

impl Architecture for MlpConfig {
    type Network = Mlp;

    fn name(&self) -> &'static str {
        "mlp"
    }

    fn title(&self) -> &'static str {
        "MLP"
    }

    fn about(&self) -> &'static str {
        "Two fully connected layers, 101,770 parameters"
    }

    input_fields!();

    fn validate(&self) -> Result<(), ConfigError> {
        self.input().validate()?;
        let holds = (1..=65_536).contains(&self.hidden);
        ConfigError::unless(holds, "hidden", self.hidden, "it must be 1 to 65,536")
    }

    fn init(&self, device: &Device) -> Mlp {
        Mlp {
            hidden: LinearConfig::new(self.image.pixels(), self.hidden).init(device),
            scores: LinearConfig::new(self.hidden, self.classes).init(device),
        }
    }

    fn initial(&self, _tensor: &str) -> Initial {
        Initial::PYTORCH
    }

    fn usual_training(&self) -> Defaults {
        Defaults {
            batch_size: 32,
            ..Defaults::default()
        }
    }

    fn timing(&self) -> Timing {
        Timing {
            warmup: 100,
            group: 100,
            steps: 2000,
        }
    }

    /// The images are taken to be grey and square.
    fn recognise(weights: &StateDict) -> Option<Self> {
        let (&[hidden, pixels], &[classes, _]) =
            (weights.shape_of("hidden.weight")?, weights.shape_of("scores.weight")?)
        else {
            return None;
        };
        let side = side_of_square(pixels)?;
        let image = ImageShape {
            channels: 1,
            height: side,
            width: side,
        };
        Some(Self {
            image,
            classes,
            hidden,
            ..Self::default()
        })
    }
}

/// A multilayer perceptron; see this file's header.
#[derive(Module, Debug)]
pub struct Mlp {
    hidden: Linear,
    scores: Linear,
}

impl Network for Mlp {
    fn forward_observed(&self, images: Tensor<4>, observer: &mut dyn Observer) -> Output {
        let hidden = dense(&self.hidden, images.flatten(1, 3), Activation::Relu);
        observer.see("hidden", &hidden);
        let scores = dense(&self.scores, hidden, Activation::Identity);
        observer.see("scores", &scores);
        scores.into()
    }
}

fn dense(layer: &Linear, x: Tensor<2>, activation: Activation) -> Tensor<2> {
    let bias = layer.bias.as_ref().expect("the linear layers have a bias");
    linear(x, layer.weight.val(), bias.val(), activation)
}

impl Named for Mlp {
    fn exchange(&mut self, at: &str, with: &mut impl Exchange) {
        self.hidden.exchange(&format!("{at}hidden"), with);
        self.scores.exchange(&format!("{at}scores"), with);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Classifier, Model, ModelConfig};
    use capsnet_data::random::Seed;

    #[test]
    fn it_is_as_large_as_it_says_and_known_by_its_weights() {
        let config = MlpConfig {
            classes: 7,
            hidden: 5,
            ..MlpConfig::default()
        };
        let model = Model::new(config.clone(), Seed(1), &Device::flex()).unwrap();
        assert_eq!(model.parameters(), 784 * 5 + 5 + 5 * 7 + 7);
        assert_eq!(ModelConfig::recognise(&model.state_dict()), Some(config.into()));
        let usual = Model::new(MlpConfig::default(), Seed(1), &Device::flex()).unwrap();
        assert_eq!(usual.parameters(), 101_770);
    }
}
