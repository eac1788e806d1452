//! The models, and one type for whichever of them is at hand.
//!
//! A [`ModelConfig`] describes a model completely and is saved beside its weights. [`Model`] pairs a configuration with a
//! network; training, evaluation and the command line work on that and never ask which model it is.

mod capsnet;
mod classifier;
mod cnn;
mod config;
mod equivariant;
mod frozen;
mod initial;
mod lenet5;

pub use capsnet::{CapsNet, CapsNetConfig};
pub use classifier::{Classifier, Output, ScoreKind};
pub use cnn::{Cnn, CnnConfig};
pub use config::{ConfigError, ImageShape, Input, ModelConfig};
pub use equivariant::{EquivariantCapsNet, EquivariantCapsNetConfig};
pub use frozen::FrozenModel;
pub use initial::initial_weights;
pub use lenet5::{LeNet5, LeNet5Config};

use std::path::Path;

use burn::prelude::*;
use burn::tensor::activation::softmax;
use capsnet_data::random::Seed;
use capsnet_data::transform::Normalize;
use capsnet_weights::StateDict;

use crate::Error;
use crate::loss::{MarginLoss, sigmoid_cross_entropy, two_hot};
use crate::observe::Observer;
use crate::ops::cross_entropy;
use crate::weights::{Named, is_counter};

/// A network of one of the known kinds.
// A process holds a few of them, and modules can't be boxed.
#[allow(clippy::large_enum_variant)]
#[derive(Module, Debug)]
pub enum Network {
    /// LeNet-5.
    LeNet5(LeNet5),
    /// CapsNet with dynamic routing.
    CapsNet(CapsNet),
    /// A capsule network that turns with its input.
    EquivariantCapsNet(EquivariantCapsNet),
    /// A plain convolutional network.
    Cnn(Cnn),
}

/// A configuration and the network that it describes.
#[derive(Clone, Debug)]
pub struct Model {
    /// What the network is.
    pub config: ModelConfig,
    /// Its layers and weights.
    pub network: Network,
}

impl Model {
    /// A new model whose initial weights are drawn from `seed`.
    ///
    /// # Errors
    ///
    /// If the configuration describes no possible network.
    pub fn new(config: ModelConfig, seed: Seed, device: &Device) -> Result<Self, ConfigError> {
        let mut model = Self::without_weights(config, device)?;
        let weights = initial_weights(&model.config, &model.network.shapes(), seed);
        model.network.import(&weights, device);
        Ok(model)
    }

    /// A model with the given weights.
    ///
    /// # Errors
    ///
    /// If the configuration describes no possible network, or a tensor is missing, left over or of another shape.
    pub fn from_weights(config: ModelConfig, weights: &StateDict, device: &Device) -> Result<Self, Error> {
        let mut model = Self::without_weights(config, device)?;
        model.load(weights, device)?;
        Ok(model)
    }

    /// Replaces the weights.
    ///
    /// # Errors
    ///
    /// If a tensor is missing, left over, of another shape or not of floats; the model is then unchanged.
    pub fn load(&mut self, weights: &StateDict, device: &Device) -> Result<(), Error> {
        let shapes = self.network.shapes();
        weights.check(&shapes)?;
        let is_float = |name: &str| weights.get(name).is_some_and(|tensor| tensor.as_f32().is_some());
        // A counter has no part in the result, so it may be of any kind.
        let wrong = shapes.iter().find(|(name, _)| !is_counter(name) && !is_float(name));
        if let Some((name, _)) = wrong {
            return Err(Error::NotFloat {
                path: weights.path().unwrap_or(Path::new("weights in memory")).to_owned(),
                tensor: name.clone(),
            });
        }
        self.network.import(weights, device);
        Ok(())
    }

    /// The same model without gradients, for testing.
    pub fn valid(&self) -> Self {
        Self {
            config: self.config.clone(),
            network: self.network.valid(),
        }
    }

    /// The weights under their PyTorch names.
    pub fn state_dict(&self) -> StateDict {
        self.network.export()
    }

    /// Undoes the input normalisation: the decoder's target is the image in 0..1.
    fn pixels_of(&self, images: Tensor<4>) -> Tensor<2> {
        let normalize = self.config.normalize();
        let pixels = images.flatten::<2>(1, 3);
        if normalize == Normalize::default() {
            return pixels;
        }
        pixels * normalize.std() + normalize.mean()
    }

    fn without_weights(config: ModelConfig, device: &Device) -> Result<Self, ConfigError> {
        config.validate()?;
        let network = match &config {
            ModelConfig::LeNet5(config) => Network::LeNet5(config.init(device)),
            ModelConfig::CapsNet(config) => Network::CapsNet(config.init(device)),
            ModelConfig::EquivariantCapsNet(config) => Network::EquivariantCapsNet(config.init(device)),
            ModelConfig::Cnn(config) => Network::Cnn(config.init(device)),
        };
        Ok(Self { config, network })
    }
}

impl Classifier for Model {
    fn input(&self) -> Input {
        self.config.input()
    }

    fn title(&self) -> String {
        self.config.title().to_owned()
    }

    fn parameters(&self) -> usize {
        self.network.trainable()
    }

    fn forward_observed(&self, images: Tensor<4>, observer: &mut dyn Observer) -> Output {
        match &self.network {
            Network::LeNet5(net) => net.forward_observed(images, observer).into(),
            Network::Cnn(net) => net.forward_observed(images, observer).into(),
            Network::CapsNet(net) => {
                let v = net.forward_observed(images, observer);
                Output {
                    scores: net.scores(v.clone()),
                    capsules: Some(v),
                }
            }
            Network::EquivariantCapsNet(net) => {
                let v = net.forward_observed(images, observer);
                Output {
                    scores: net.scores(v.clone()),
                    capsules: Some(v),
                }
            }
        }
    }

    /// Cross-entropy for LeNet-5 and the plain CNN; margin loss for capsules, plus the weighted reconstruction of the true
    /// class for CapsNet.
    fn loss(&self, output: &Output, images: Tensor<4>, classes: Tensor<1, Int>) -> Tensor<1> {
        match (&self.network, &output.capsules) {
            (Network::CapsNet(net), Some(v)) => {
                let pixels = self.pixels_of(images);
                net.loss(v.clone(), output.scores.clone(), pixels, classes)
            }
            (Network::EquivariantCapsNet(net), _) => net.loss(output.scores.clone(), classes),
            _ => cross_entropy(output.scores.clone(), classes),
        }
    }

    /// Margin loss and both reconstructions for CapsNet; for a model of logits, each class's own cross-entropy.
    fn pair_loss(&self, output: &Output, parts: [Tensor<2>; 2], classes: [Tensor<1, Int>; 2]) -> Tensor<1> {
        let scores = output.scores.clone();
        match (&self.network, &output.capsules) {
            (Network::CapsNet(net), Some(v)) => net.pair_loss(v.clone(), scores, parts, classes),
            (Network::EquivariantCapsNet(_), _) => {
                let truth = two_hot(classes, &scores);
                MarginLoss::default().forward_present(scores, truth)
            }
            _ => {
                let truth = two_hot(classes, &scores);
                sigmoid_cross_entropy(scores, truth)
            }
        }
    }

    fn score_kind(&self) -> ScoreKind {
        match &self.config {
            ModelConfig::LeNet5(_) | ModelConfig::Cnn(_) => ScoreKind::Probability,
            ModelConfig::CapsNet(config) if config.softmaxed_lengths => ScoreKind::Probability,
            ModelConfig::CapsNet(_) => ScoreKind::CapsuleLength,
            ModelConfig::EquivariantCapsNet(config) if config.upright_weight > 0.0 => ScoreKind::LengthAndPose,
            ModelConfig::EquivariantCapsNet(_) => ScoreKind::CapsuleLength,
        }
    }

    fn probabilities(&self, output: &Output) -> Tensor<2> {
        match self.network {
            Network::LeNet5(_) | Network::Cnn(_) => softmax(output.scores.clone(), 1),
            Network::CapsNet(_) | Network::EquivariantCapsNet(_) => output.scores.clone(),
        }
    }

    fn reconstruct(&self, output: &Output, classes: Tensor<1, Int>) -> Option<Tensor<2>> {
        match (&self.network, &output.capsules) {
            (Network::CapsNet(net), Some(v)) => net.decoder.as_ref().map(|d| d.forward(v.clone(), classes)),
            _ => None,
        }
    }

    fn frozen(&self) -> Option<Box<dyn Classifier + '_>> {
        Some(Box::new(FrozenModel::new(self)))
    }
}

impl Named for Network {
    fn exchange(&mut self, at: &str, with: &mut impl crate::weights::Exchange) {
        match self {
            Network::LeNet5(net) => net.exchange(at, with),
            Network::CapsNet(net) => net.exchange(at, with),
            Network::EquivariantCapsNet(net) => net.exchange(at, with),
            Network::Cnn(net) => net.exchange(at, with),
        }
    }
}
