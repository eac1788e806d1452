//! A plain convolutional network of any size: what a capsule network has to beat.
//!
//! Three convolutions of 5 x 5 with ReLU, two hidden linear layers with ReLU and one to the logits, as the baseline of
//! Sabour, Frosst and Hinton 2017 (section 5: widths 256, 256, 128 and 328, 192, 35.4 million parameters), but with a
//! stride of two in the second convolution, without dropout, and with other widths, so that it trains faster than
//! CapsNet and not slower: theirs take 900 million multiplications an image, CapsNet's convolutions 200 million, these
//! 28 million. [`CnnConfig::with_parameters`] scales all widths alike, and the first hidden layer a little more or
//! less, until the network has a given number of parameters; by default that is CapsNet's. Tensor names: `convs.N`,
//! `linears.N`.

mod declared;

use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::prelude::*;
use capsnet_data::transform::Normalize;
use capsnet_weights::StateDict;
use serde::{Deserialize, Serialize};

use super::architecture::side_of_square;
use super::{Architecture, ConfigError, ImageShape, Initial, Input, Network, Output};
use crate::observe::Observer;
use crate::ops::{Activation, conv2d_relu, linear};
use crate::weights::{Exchange, Named};

/// Widths are multiples of these over [`UNITS`].
const CHANNELS: [usize; 3] = [32, 64, 128];
const STRIDES: [usize; 3] = [1, 2, 1];
const HIDDEN: [usize; 2] = [1024, 256];
/// The width multiple is a whole number over this; it is the widest layer, so that every step changes the network.
const UNITS: usize = 1024;

/// Makes a [`Cnn`].
///
/// Serde reads it with widths left open too: `parameters = 50000` scales all of them, `channels` brings the usual
/// strides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "declared::Declared")]
pub struct CnnConfig {
    /// Size of the images.
    pub image: ImageShape,
    /// Number of classes.
    pub classes: usize,
    /// What is done to pixels in 0..1 before the model sees them.
    pub normalize: Normalize,
    /// Channels of each convolution.
    pub channels: Vec<usize>,
    /// Stride of each convolution, in both directions.
    pub strides: Vec<usize>,
    /// Side of the kernels.
    pub kernel: usize,
    /// Widths of the hidden linear layers.
    pub hidden: Vec<usize>,
}

impl Default for CnnConfig {
    fn default() -> Self {
        Self::with_parameters(ImageShape::MNIST, 10, Self::OF_CAPSNET)
    }
}

impl CnnConfig {
    /// Trainable parameters of the paper's CapsNet for 28 x 28 grey images.
    pub const OF_CAPSNET: usize = 8_215_568;

    /// The network for these images and classes whose number of parameters comes closest to `target`: all widths are
    /// scaled alike, as far as whole numbers go, and the first hidden layer makes up for the rest.
    ///
    /// # Panics
    ///
    /// If the image is smaller than 17 x 17.
    pub fn with_parameters(image: ImageShape, classes: usize, target: usize) -> Self {
        let parameters = |units| Self::scaled(image, classes, units).parameters();
        // The number grows with the width; twice the width more than doubles it.
        let mut above = 1;
        while parameters(above) < target {
            above *= 2;
        }
        let mut below = above / 2;
        while above - below > 1 {
            let middle = below.midpoint(above);
            if parameters(middle) < target {
                below = middle;
            } else {
                above = middle;
            }
        }
        let closer = |units: &usize| parameters(*units).abs_diff(target);
        let units = [below.max(1), above].into_iter().min_by_key(closer);
        let mut config = Self::scaled(image, classes, units.expect("there are two to choose from"));
        // What one unit more in the first hidden layer costs.
        let wider = Self {
            hidden: vec![config.hidden[0] + 1, config.hidden[1]],
            ..config.clone()
        };
        let (now, cost) = (config.parameters(), wider.parameters() - config.parameters());
        let change = (target.abs_diff(now) + cost / 2) / cost;
        config.hidden[0] = if now < target {
            config.hidden[0] + change
        } else {
            config.hidden[0].saturating_sub(change).max(1)
        };
        config
    }

    /// The network of `units` in [`UNITS`] times the widths.
    fn scaled(image: ImageShape, classes: usize, units: usize) -> Self {
        let scaled = |width: &usize| ((width * units + UNITS / 2) / UNITS).max(1);
        Self {
            image,
            classes,
            normalize: Normalize::default(),
            channels: CHANNELS.iter().map(scaled).collect(),
            strides: STRIDES.to_vec(),
            kernel: 5,
            hidden: HIDDEN.iter().map(scaled).collect(),
        }
    }

    /// The same network with other convolutions, the second of which has a stride of two and the others of one.
    #[must_use]
    pub fn with_channels(mut self, channels: Vec<usize>) -> Self {
        self.strides = (0..channels.len()).map(|k| if k == 1 { 2 } else { 1 }).collect();
        self.channels = channels;
        self
    }

    /// Side of the feature maps after every convolution, `None` where the image is too small for the kernels.
    fn feature_side(&self, side: usize) -> Option<usize> {
        self.strides
            .iter()
            .try_fold(side, |side, stride| Some(side.checked_sub(self.kernel)? / stride + 1))
    }

    /// Inputs of the first linear layer.
    fn features(&self) -> Option<usize> {
        let height = self.feature_side(self.image.height)?;
        let width = self.feature_side(self.image.width)?;
        Some(self.channels.last()? * height * width)
    }

    /// Channels before and after each convolution.
    fn convolutions(&self) -> impl Iterator<Item = [usize; 2]> {
        let before = std::iter::once(&self.image.channels).chain(&self.channels);
        before.zip(&self.channels).map(|(&before, &after)| [before, after])
    }

    /// Inputs and outputs of each linear layer.
    fn linears(&self) -> impl Iterator<Item = [usize; 2]> {
        let features = self.features().expect("the image is large enough for the kernels");
        let before = std::iter::once(features).chain(self.hidden.iter().copied());
        let after = self.hidden.iter().copied().chain([self.classes]);
        before.zip(after).map(|(before, after)| [before, after])
    }

    /// The number of trainable parameters.
    ///
    /// # Panics
    ///
    /// If the image is too small for the kernels.
    pub fn parameters(&self) -> usize {
        let area = self.kernel * self.kernel;
        let convolutions = self.convolutions().map(|[before, after]| (before * area + 1) * after);
        let linears = self.linears().map(|[before, after]| (before + 1) * after);
        convolutions.sum::<usize>() + linears.sum::<usize>()
    }

    /// Multiplications of a forward pass of one image.
    ///
    /// # Panics
    ///
    /// If the image is too small for the kernels.
    pub fn multiplications(&self) -> usize {
        let (mut height, mut width, mut total) = (self.image.height, self.image.width, 0);
        for ([before, after], stride) in self.convolutions().zip(&self.strides) {
            height = (height - self.kernel) / stride + 1;
            width = (width - self.kernel) / stride + 1;
            total += before * after * self.kernel * self.kernel * height * width;
        }
        total + self.linears().map(|[before, after]| before * after).sum::<usize>()
    }
}

impl Architecture for CnnConfig {
    type Network = Cnn;

    fn name(&self) -> &'static str {
        "cnn"
    }

    fn title(&self) -> &'static str {
        "CNN"
    }

    fn about(&self) -> &'static str {
        "A plain convolutional network, as large as CapsNet unless --parameters says otherwise"
    }

    fn input(&self) -> Input {
        Input {
            image: self.image,
            classes: self.classes,
            normalize: self.normalize,
        }
    }

    /// A network that is as large as CapsNet stays so, by other widths.
    fn set_input(&mut self, input: Input) {
        let of_capsnet = |config: &Self| Self {
            normalize: config.normalize,
            ..Self::with_parameters(config.image, config.classes, Self::OF_CAPSNET)
        };
        let fits = |image: ImageShape| self.feature_side(image.height.min(image.width)).is_some();
        let stays = fits(self.image) && fits(input.image) && *self == of_capsnet(self);
        Input {
            image: self.image,
            classes: self.classes,
            normalize: self.normalize,
        } = input;
        if stays {
            *self = of_capsnet(self);
        }
    }

    fn validate(&self) -> Result<(), ConfigError> {
        self.input().validate()?;
        let layers = |count| (1..=16).contains(&count);
        ConfigError::unless(
            layers(self.channels.len()),
            "channels",
            format!("{:?}", self.channels),
            "1 to 16 layers are needed",
        )?;
        let strides = format!("{:?}", self.strides);
        let rule = format!("it must have one for each of the {} convolutions", self.channels.len());
        ConfigError::unless(self.strides.len() == self.channels.len(), "strides", strides, rule)?;
        ConfigError::unless(
            self.hidden.len() <= 16,
            "hidden",
            format!("{:?}", self.hidden),
            "at most 16 layers are possible",
        )?;
        ConfigError::unless(
            (1..=64).contains(&self.kernel),
            "kernel",
            self.kernel,
            "it must be 1 to 64",
        )?;
        let lists = [
            ("channels", &self.channels, 4096),
            ("strides", &self.strides, 64),
            ("hidden", &self.hidden, 65_536),
        ];
        for (field, values, limit) in lists {
            for &value in values {
                ConfigError::unless(
                    (1..=limit).contains(&value),
                    field,
                    value,
                    format!("each must be 1 to {limit}"),
                )?;
            }
        }
        let size = format!("{} x {}", self.image.height, self.image.width);
        let rule = format!(
            "{} convolutions of {1} x {1} do not fit into it",
            self.channels.len(),
            self.kernel
        );
        ConfigError::unless(self.features().is_some(), "image", size, rule)
    }

    /// Makes the network with Burn's default initial weights.
    ///
    /// # Panics
    ///
    /// If the image is too small for the kernels, which [`validate`](Self::validate) refuses.
    fn init(&self, device: &Device) -> Cnn {
        let convolution = |(channels, &stride)| {
            Conv2dConfig::new(channels, [self.kernel; 2])
                .with_stride([stride; 2])
                .init(device)
        };
        Cnn {
            convs: self.convolutions().zip(&self.strides).map(convolution).collect(),
            linears: self
                .linears()
                .map(|[before, after]| LinearConfig::new(before, after).init(device))
                .collect(),
        }
    }

    fn initial(&self, _tensor: &str) -> Initial {
        Initial::PYTORCH
    }

    /// `None` too where no square image leads to as many features as the first linear layer takes.
    fn recognise(weights: &StateDict) -> Option<Self> {
        let first = weights.shape_of("convs.0.weight")?;
        let outputs = |layers: &str| -> Vec<usize> {
            let shape = |number| weights.shape_of(&format!("{layers}.{number}.weight"));
            (0..).map_while(|number| shape(number)?.first().copied()).collect()
        };
        let mut config = Self::default().with_channels(outputs("convs"));
        if let &[_, channels, kernel, _] = first {
            config.image.channels = channels;
            config.kernel = kernel;
        }
        config.hidden = outputs("linears");
        config.classes = config.hidden.pop()?;
        let &[_, features] = weights.shape_of("linears.0.weight")? else {
            return None;
        };
        let maps = side_of_square(features / config.channels.last()?)?;
        // Several sides lead to the same maps where the stride is not one.
        let usual = ImageShape::MNIST.height;
        let side = std::iter::once(usual)
            .chain(1..=512)
            .find(|&side| config.feature_side(side) == Some(maps))?;
        config.image.height = side;
        config.image.width = side;
        Some(config)
    }
}

/// A plain convolutional network; see this file's header.
#[derive(Module, Debug)]
pub struct Cnn {
    convs: Vec<Conv2d>,
    linears: Vec<Linear>,
}

impl Network for Cnn {
    fn forward_observed(&self, images: Tensor<4>, observer: &mut dyn Observer) -> Output {
        let mut x = images;
        for (number, conv) in self.convs.iter().enumerate() {
            let bias = conv.bias.as_ref().expect("the convolutions have a bias");
            x = conv2d_relu(x, conv.weight.val(), bias.val(), conv.stride);
            observer.see(&format!("convs.{number}"), &x);
        }
        let mut x = x.flatten::<2>(1, 3);
        let last = self.linears.len() - 1;
        for (number, layer) in self.linears.iter().enumerate() {
            let activation = if number < last {
                Activation::Relu
            } else {
                Activation::Identity
            };
            let bias = layer.bias.as_ref().expect("the linear layers have a bias");
            x = linear(x, layer.weight.val(), bias.val(), activation);
            observer.see(&format!("linears.{number}"), &x);
        }
        x.into()
    }
}

impl Named for Cnn {
    fn exchange(&mut self, at: &str, with: &mut impl Exchange) {
        for (number, conv) in self.convs.iter_mut().enumerate() {
            conv.exchange(&format!("{at}convs.{number}"), with);
        }
        for (number, layer) in self.linears.iter_mut().enumerate() {
            layer.exchange(&format!("{at}linears.{number}"), with);
        }
    }
}

#[cfg(test)]
mod tests;
