//! LeNet-5 in the form that tutorials use: two 5x5 convolutions with ReLU and average pooling, three linear layers.
//!
//! 44,426 parameters on 28 x 28 grey images. Unlike LeCun's of 1998 it has ReLU instead of tanh, a full second
//! convolution and no padding. Tensor names: `conv0`, `conv1`, `fc2`, `fc3`, `fc4`.

use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::prelude::*;
use capsnet_data::transform::Normalize;
use capsnet_weights::StateDict;
use serde::{Deserialize, Serialize};

use super::architecture::side_of_square;
use super::input::input_fields;
use super::{Architecture, ConfigError, Defaults, ImageShape, Initial, Network, Output, Timing};
use crate::observe::Observer;
use crate::ops::{Activation, conv_relu_pool, linear};
use crate::weights::{Exchange, Named};

const KERNEL: usize = 5;
const POOL: usize = 2;
const CHANNELS: [usize; 2] = [6, 16];
const HIDDEN: [usize; 2] = [120, 84];

/// Makes a [`LeNet5`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeNet5Config {
    /// Size of the images.
    pub image: ImageShape,
    /// Number of classes.
    pub classes: usize,
    /// What is done to pixels in 0..1 before the model sees them.
    pub normalize: Normalize,
}

impl Default for LeNet5Config {
    fn default() -> Self {
        Self {
            image: ImageShape::MNIST,
            classes: 10,
            normalize: Normalize::new(0.5, 0.5).expect("a valid normalisation"),
        }
    }
}

/// LeNet-5; see this file's header.
#[derive(Module, Debug)]
pub struct LeNet5 {
    conv0: Conv2d,
    conv1: Conv2d,
    fc2: Linear,
    fc3: Linear,
    fc4: Linear,
}

impl LeNet5Config {
    /// Side lengths after both convolutions and poolings, `None` where the image is too small.
    fn features(side: usize) -> Option<usize> {
        let pooled = |side: usize| side.checked_sub(KERNEL - 1).map(|s| s / POOL).filter(|&s| s > 0);
        pooled(side).and_then(pooled)
    }
}

impl Architecture for LeNet5Config {
    type Network = LeNet5;

    fn name(&self) -> &'static str {
        "lenet5"
    }

    fn title(&self) -> &'static str {
        "LeNet-5"
    }

    fn about(&self) -> &'static str {
        "LeNet-5, 44,426 parameters"
    }

    input_fields!();

    fn validate(&self) -> Result<(), ConfigError> {
        self.input().validate()?;
        for (field, side) in [("image.height", self.image.height), ("image.width", self.image.width)] {
            ConfigError::unless(Self::features(side).is_some(), field, side, "LeNet-5 needs at least 16")?;
        }
        Ok(())
    }

    /// Makes the network with Burn's default initial weights.
    ///
    /// # Panics
    ///
    /// If the image is smaller than 16 x 16, which [`validate`](Self::validate) refuses.
    fn init(&self, device: &Device) -> LeNet5 {
        let side = |s| Self::features(s).expect("the image has at least 16 x 16 pixels");
        let flat = CHANNELS[1] * side(self.image.height) * side(self.image.width);
        LeNet5 {
            conv0: Conv2dConfig::new([self.image.channels, CHANNELS[0]], [KERNEL; 2]).init(device),
            conv1: Conv2dConfig::new(CHANNELS, [KERNEL; 2]).init(device),
            fc2: LinearConfig::new(flat, HIDDEN[0]).init(device),
            fc3: LinearConfig::new(HIDDEN[0], HIDDEN[1]).init(device),
            fc4: LinearConfig::new(HIDDEN[1], self.classes).init(device),
        }
    }

    fn initial(&self, _tensor: &str) -> Initial {
        Initial::PYTORCH
    }

    /// The tutorial's.
    fn usual_training(&self) -> Defaults {
        Defaults {
            batch_size: 8,
            learning_rate: 1e-4,
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

    fn recognise(weights: &StateDict) -> Option<Self> {
        let first = weights.shape_of("conv0.weight")?;
        let mut config = Self::default();
        if let &[_, channels, _, _] = first {
            config.image.channels = channels;
        }
        if let Some(&[classes, _]) = weights.shape_of("fc4.weight") {
            config.classes = classes;
        }
        // The flattened features are so many maps of (side - 12) / 4 squared.
        if let Some(&[_, features]) = weights.shape_of("fc2.weight")
            && let Some(side) = side_of_square(features / CHANNELS[1])
        {
            config.image.height = 4 * side + 12;
            config.image.width = config.image.height;
        }
        Some(config)
    }
}

impl Network for LeNet5 {
    fn forward_observed(&self, images: Tensor<4>, observer: &mut dyn Observer) -> Output {
        let x = pooled(&self.conv0, images);
        observer.see("conv0", &x);
        let x = pooled(&self.conv1, x);
        observer.see("conv1", &x);
        let x = dense(&self.fc2, x.flatten::<2>(1, 3), Activation::Relu);
        observer.see("fc2", &x);
        let x = dense(&self.fc3, x, Activation::Relu);
        observer.see("fc3", &x);
        let logits = dense(&self.fc4, x, Activation::Identity);
        observer.see("fc4", &logits);
        logits.into()
    }
}

/// The average over windows of 2 x 2 of the rectified convolution.
fn pooled(conv: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    let bias = conv.bias.as_ref().expect("the convolutions have a bias");
    conv_relu_pool(x, conv.weight.val(), bias.val(), POOL)
}

fn dense(layer: &Linear, x: Tensor<2>, activation: Activation) -> Tensor<2> {
    let bias = layer.bias.as_ref().expect("the linear layers have a bias");
    linear(x, layer.weight.val(), bias.val(), activation)
}

impl Named for LeNet5 {
    fn exchange(&mut self, at: &str, with: &mut impl Exchange) {
        self.conv0.exchange(&format!("{at}conv0"), with);
        self.conv1.exchange(&format!("{at}conv1"), with);
        self.fc2.exchange(&format!("{at}fc2"), with);
        self.fc3.exchange(&format!("{at}fc3"), with);
        self.fc4.exchange(&format!("{at}fc4"), with);
    }
}
