//! A configuration and the network that it describes.

use std::path::Path;

use burn::prelude::*;
use capsnet_data::random::Seed;
use capsnet_weights::StateDict;

use super::initial::begin;
use super::{
    Architecture, Classifier, ConfigError, Frozen, ImageShape, Input, ModelConfig, Network, Output, Precision,
    RoutedCapsules, ScoreKind,
};
use crate::Error;
use crate::observe::Observer;
use crate::weights::{Named, class_names_of, is_counter};

/// A configuration and the network that it describes: of one of our models, unless an [`Architecture`] of your own is
/// named.
#[derive(Clone, Debug)]
pub struct Model<A: Architecture = ModelConfig> {
    /// What the network is.
    pub config: A,
    /// Its layers and weights.
    pub network: A::Network,
    /// What its classes are called, one name a class; empty where the weights don't say.
    pub class_names: Vec<String>,
}

impl<A: Architecture> Model<A> {
    /// A new model whose initial weights are drawn from `seed`.
    ///
    /// # Errors
    ///
    /// If the configuration describes no possible network.
    pub fn new(config: A, seed: Seed, device: &Device) -> Result<Self, ConfigError> {
        config.validate()?;
        let network = begin(&config, seed, device);
        Ok(Self {
            config,
            network,
            class_names: Vec::new(),
        })
    }

    /// The same model, which knows what its classes are called; those without a name go by their number.
    #[must_use]
    pub fn with_class_names(mut self, names: &[String]) -> Self {
        let classes = self.config.input().classes;
        let numbers = (names.len()..classes).map(|class| class.to_string());
        self.class_names = names.iter().take(classes).cloned().chain(numbers).collect();
        self
    }

    /// A model with the given weights, and the names of classes that their metadata may hold.
    ///
    /// # Errors
    ///
    /// If the configuration describes no possible network, or a tensor is missing, left over or of another shape.
    pub fn from_weights(config: A, weights: &StateDict, device: &Device) -> Result<Self, Error> {
        config.validate()?;
        let network = config.init(device);
        let class_names = class_names_of(weights, config.input().classes)?;
        let mut model = Self {
            config,
            network,
            class_names,
        };
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
            class_names: self.class_names.clone(),
        }
    }

    /// The weights under their names in a file.
    pub fn state_dict(&self) -> StateDict {
        self.network.export()
    }
}

impl<A: Architecture> Network for Model<A> {
    fn forward_observed(&self, images: Tensor<4>, observer: &mut dyn Observer) -> Output {
        self.network.forward_observed(images, observer)
    }

    fn loss(&self, output: &Output, images: Tensor<4>, classes: Tensor<1, Int>) -> Tensor<1> {
        self.network.loss(output, images, classes)
    }

    fn pair_loss(&self, output: &Output, parts: [Tensor<2>; 2], classes: [Tensor<1, Int>; 2]) -> Tensor<1> {
        self.network.pair_loss(output, parts, classes)
    }

    fn at_step(&mut self, step: u64) {
        self.network.at_step(step);
    }

    fn score_kind(&self) -> ScoreKind {
        self.network.score_kind()
    }

    fn probabilities(&self, output: &Output) -> Tensor<2> {
        self.network.probabilities(output)
    }

    fn reconstruct(&self, output: &Output, classes: Tensor<1, Int>) -> Option<Tensor<2>> {
        self.network.reconstruct(output, classes)
    }

    fn routed(&self, images: Tensor<4>) -> Option<RoutedCapsules> {
        self.network.routed(images)
    }

    fn frozen(&self, image: ImageShape, precision: Precision) -> Option<Frozen> {
        self.network.frozen(image, precision)
    }
}

impl<A: Architecture> Classifier for Model<A> {
    fn input(&self) -> Input {
        self.config.input()
    }

    fn title(&self) -> String {
        self.config.title().to_owned()
    }

    fn parameters(&self) -> usize {
        self.network.trainable()
    }

    fn class_names(&self) -> &[String] {
        &self.class_names
    }
}
