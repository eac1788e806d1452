//! Homogeneous vector capsules: convolutions with branches of capsules that are multiplied element by element and never
//! routed (Byerly, Kalganova, Dear 2021).
//!
//! ```text
//! nine convolutions 3x3 without padding and bias, each: batch norm, ReLU; branches after the third, sixth and ninth
//! branch: a capsule x[c] a place, of all filters there; y[k] = relu(batch norm(sum_c x[c] * w[k,c])); score |y[k]|
//! logits[k] = sum over branches of batch norm(weight * score[k])
//! ```
//!
//! `*` is element by element: a capsule's dimension meets its like alone, so that a branch has `classes x places x
//! filters` weights, not that times the filters. All batch norms have an offset and no scale (epsilon 1e-3); a branch's
//! is of each dimension over images and classes, the last one of each branch. The weight of a branch begins at 1 and
//! has its say through the last norm's epsilon alone, as in the authors' code; a single branch has none.
//!
//! 1,513,686 parameters on 28 x 28 grey images with ten classes, 917,025 with the last branch alone. Pixels may be
//! scaled as one likes: the first batch norm takes it back. Running statistics move by 0.1 a step where the authors'
//! move by 0.0003 (`momentum`), which takes them ten epochs. Tensor names: `conv1.weight`, `bn1.bias`,
//! `bn1.running_mean`, `bn1.running_var`, ..; `branch1.weight` `[classes, places, filters]` and `branch1.bn`, ..;
//! `merge.weight` `[branches]` and `merge.bn`.

use burn::module::Param;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::prelude::*;
use burn::tensor::activation::relu;
use capsnet_data::transform::Normalize;
use capsnet_weights::StateDict;
use serde::{Deserialize, Serialize};

use super::architecture::side_of_square;
use super::input::input_fields;
use super::{Architecture, ConfigError, Defaults, ImageShape, Initial, Network, Output};
use crate::layer::{OffsetNorm, lengths};
use crate::observe::Observer;
use crate::ops::conv2d;
use crate::train::Schedule;
use crate::weights::{Exchange, Layout, Named};

const KERNEL: usize = 3;
const EPSILON: f64 = 1e-3;
/// TensorFlow's normal initialiser, which the authors take for all weights.
const DEVIATION: f64 = 0.05;
/// A branch of more weights than this is no network but a slip.
const MOST_WEIGHTS: usize = 1 << 30;

/// Makes an [`Hvc`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HvcConfig {
    /// Size of the images.
    pub image: ImageShape,
    /// Number of classes.
    pub classes: usize,
    /// What is done to pixels in 0..1 before the model sees them.
    pub normalize: Normalize,
    /// Filters of the convolutions, one after the other.
    pub channels: Vec<usize>,
    /// After which convolutions there are branches, counted from 1; the last one has one.
    pub branches: Vec<usize>,
    /// The share by which running statistics move a step.
    pub momentum: f64,
}

impl Default for HvcConfig {
    fn default() -> Self {
        Self {
            image: ImageShape::MNIST,
            classes: 10,
            normalize: Normalize::default(),
            channels: (0..9).map(|layer| 32 + 16 * layer).collect(),
            branches: vec![3, 6, 9],
            momentum: 0.1,
        }
    }
}

impl HvcConfig {
    /// Capsules of the branch after so many convolutions: the places that are left of the image.
    fn places(&self, convolutions: usize) -> usize {
        let left = |side: usize| side.saturating_sub((KERNEL - 1) * convolutions);
        left(self.image.height) * left(self.image.width)
    }
}

impl Architecture for HvcConfig {
    type Network = Hvc;

    fn name(&self) -> &'static str {
        "hvc"
    }

    fn title(&self) -> &'static str {
        "HVC"
    }

    fn about(&self) -> &'static str {
        "Homogeneous vector capsules without routing, 1,513,686 parameters"
    }

    input_fields!();

    fn validate(&self) -> Result<(), ConfigError> {
        self.input().validate()?;
        let channels = format!("{:?}", self.channels);
        let holds = (1..=64).contains(&self.channels.len()) && self.channels.iter().all(|n| (1..=4096).contains(n));
        ConfigError::unless(holds, "channels", channels, "it must be 1 to 64 numbers of 1 to 4096")?;
        let rule = format!(
            "they must rise, from 1 at least to {}, the last convolution",
            self.channels.len()
        );
        let rises = self.branches.windows(2).all(|pair| pair[0] < pair[1]);
        let ends = [self.branches.first(), self.branches.last()];
        let holds = rises && matches!(ends, [Some(1..), Some(last)] if *last == self.channels.len());
        ConfigError::unless(holds, "branches", format!("{:?}", self.branches), rule)?;
        let holds = self.momentum > 0.0 && self.momentum <= 1.0;
        ConfigError::unless(holds, "momentum", self.momentum, "it must be more than 0 and at most 1")?;
        let size = format!("{} x {}", self.image.height, self.image.width);
        let least = (KERNEL - 1) * self.channels.len() + 1;
        let rule = format!("{} convolutions need at least {least} x {least}", self.channels.len());
        ConfigError::unless(self.places(self.channels.len()) > 0, "image", &size, rule)?;
        let weights = |&after: &usize| {
            self.places(after)
                .saturating_mul(self.classes * self.channels[after - 1])
        };
        let holds = self.branches.iter().map(weights).all(|weights| weights <= MOST_WEIGHTS);
        ConfigError::unless(holds, "image", size, "it makes a branch of more than a billion weights")
    }

    fn init(&self, device: &Device) -> Hvc {
        let norm = |channels| OffsetNorm::new(channels, [self.momentum, EPSILON], device);
        let inputs = [&[self.image.channels], &self.channels[..]].concat();
        let convolution = |pair: &[usize]| {
            let config = Conv2dConfig::new([pair[0], pair[1]], [KERNEL; 2]).with_bias(false);
            Convolution {
                conv: config.init(device),
                norm: norm(pair[1]),
            }
        };
        let branch = |&after: &usize| {
            let filters = self.channels[after - 1];
            Branch {
                weight: Param::from_tensor(Tensor::zeros([self.classes, self.places(after), filters], device)),
                norm: norm(filters),
                after,
            }
        };
        let count = self.branches.len();
        Hvc {
            convolutions: inputs.windows(2).map(convolution).collect(),
            branches: self.branches.iter().map(branch).collect(),
            merge: (count > 1).then(|| Param::from_tensor(Tensor::ones([count], device))),
            norm: norm(count),
        }
    }

    /// The authors'.
    fn initial(&self, tensor: &str) -> Initial {
        match tensor {
            "merge.weight" => Initial::Constant(1.0),
            _ if tensor.ends_with(".weight") => Initial::Normal(DEVIATION),
            _ => Initial::of_batch_norm(tensor),
        }
    }

    /// The authors', but for the number of epochs, which is 300 there, and the average of the weights (0.999).
    fn usual_training(&self) -> Defaults {
        Defaults {
            batch_size: 120,
            learning_rate: 1e-3,
            schedule: Schedule::Exponential {
                factor: 0.98,
                floor: 1e-6,
            },
            ..Defaults::default()
        }
    }

    /// The images are taken to be square.
    fn recognise(weights: &StateDict) -> Option<Self> {
        let conv = |number: usize| weights.shape_of(&format!("conv{number}.weight"));
        let channels: Vec<usize> = (1..).map_while(|number| conv(number)?.first().copied()).collect();
        let shapes: Vec<&[usize]> = (1..)
            .map_while(|number| weights.shape_of(&format!("branch{number}.weight")))
            .collect();
        let (&&[classes, places, filters], &[_, image_channels, ..]) = (shapes.last()?, conv(1)?) else {
            return None;
        };
        if channels.last() != Some(&filters) {
            return None;
        }
        let side = side_of_square(places)? + (KERNEL - 1) * channels.len();
        let mut config = Self {
            image: ImageShape {
                channels: image_channels,
                height: side,
                width: side,
            },
            classes,
            channels,
            ..Self::default()
        };
        let after = |shape: &&[usize]| {
            (1..=config.channels.len()).find(|&after| shape[1..] == [config.places(after), config.channels[after - 1]])
        };
        config.branches = shapes.iter().map(after).collect::<Option<_>>()?;
        Some(config)
    }
}

/// Homogeneous vector capsules; see this file's header.
#[derive(Module, Debug)]
pub struct Hvc {
    convolutions: Vec<Convolution>,
    branches: Vec<Branch>,
    /// The branches' weights, where there are several.
    merge: Option<Param<Tensor<1>>>,
    norm: OffsetNorm,
}

#[derive(Module, Debug)]
struct Convolution {
    conv: Conv2d,
    norm: OffsetNorm,
}

/// Capsules that are multiplied element by element.
#[derive(Module, Debug)]
struct Branch {
    /// `[classes, places, filters]`.
    weight: Param<Tensor<3>>,
    norm: OffsetNorm,
    /// Convolutions before it.
    after: usize,
}

impl Convolution {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let weight = self.conv.weight.val();
        let no_bias = Tensor::zeros([weight.dims()[0]], (&x.device(), x.dtype()));
        relu(self.norm.forward(conv2d(x, weight, no_bias, [1, 1])))
    }
}

impl Branch {
    /// # Shapes
    ///
    /// - `x`: `[B, filters, height, width]`
    /// - output: `[B, classes, filters]`
    fn forward(&self, x: Tensor<4>) -> Tensor<3> {
        let [batch, filters, height, width] = x.dims();
        // A product of matrices for each dimension: [B, places] x [places, classes].
        let x = x.reshape([batch, filters, height * width]).swap_dims(0, 1);
        let y = x.matmul(self.weight.val().permute([2, 1, 0])).swap_dims(0, 1); // [B, filters, classes]
        let y = relu(self.norm.forward(y.unsqueeze_dim(3)));
        y.squeeze_dim::<3>(3).swap_dims(1, 2)
    }
}

impl Network for Hvc {
    fn forward_observed(&self, images: Tensor<4>, observer: &mut dyn Observer) -> Output {
        let mut x = images;
        let mut scores: Vec<Tensor<2>> = Vec::new();
        for (number, layer) in (1..).zip(&self.convolutions) {
            x = layer.forward(x);
            observer.see(&format!("conv{number}"), &x);
            if let Some(branch) = self.branches.iter().find(|branch| branch.after == number) {
                let y = branch.forward(x.clone());
                observer.see(&format!("branch{}", scores.len() + 1), &y);
                scores.push(lengths(y));
            }
        }
        let scores: Tensor<3> = Tensor::stack(scores, 1); // [B, branches, classes]
        let scores = match &self.merge {
            Some(weights) => scores * weights.val().reshape([1, -1, 1]),
            None => scores,
        };
        let logits = self.norm.forward(scores.unsqueeze_dim(3)).sum_dim(1);
        let [batch, _, classes, _] = logits.dims();
        let logits = logits.reshape([batch, classes]);
        observer.see("scores", &logits);
        logits.into()
    }
}

impl Named for Hvc {
    fn exchange(&mut self, at: &str, with: &mut impl Exchange) {
        for (number, layer) in (1..).zip(&mut self.convolutions) {
            layer.conv.exchange(&format!("{at}conv{number}"), with);
            layer.norm.exchange(&format!("{at}bn{number}"), with);
        }
        for (number, branch) in (1..).zip(&mut self.branches) {
            with.parameter(format!("{at}branch{number}.weight"), Layout::Plain, &mut branch.weight);
            branch.norm.exchange(&format!("{at}branch{number}.bn"), with);
        }
        if let Some(weights) = &mut self.merge {
            with.parameter(format!("{at}merge.weight"), Layout::Plain, weights);
        }
        self.norm.exchange(&format!("{at}merge.bn"), with);
    }
}
