//! Efficient-CapsNet: four convolutions, a depthwise one that is read as sixteen primary capsules, and class capsules
//! by self-attention (Mazzia, Salvetti, Chiaberge 2021).
//!
//! ```text
//! conv1 5x5, conv2 3x3, conv3 3x3, conv4 3x3 stride 2: each without padding, ReLU, then batch norm (epsilon 1e-3)
//! primary: one kernel a channel, as large as what is left; channel E i + e is dimension e of capsule i; squash
//! digit capsules: u_hat[j|i] = u[i] W[i,j], self-attention with a trainable bias, squash
//! squash(s) = (1 - exp(-|s|)) s / |s|
//! ```
//!
//! 161,824 parameters on 28 x 28 grey images, 1,573,168 with the decoder, which only training and pictures need. Tensor
//! names: `conv1` to `conv4`, `bn1` to `bn4`, `primary`, `digit_capsules.weight`, `digit_capsules.bias`,
//! `decoder.{0,2,4}`.

use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::prelude::*;
use capsnet_data::transform::Normalize;
use capsnet_weights::StateDict;
use serde::{Deserialize, Serialize};

use super::input::input_fields;
use super::{Architecture, ConfigError, Defaults, ImageShape, Initial, Network, Output, ScoreKind};
use crate::layer::{ClassCapsules, ClassCapsulesConfig, Decoder, DecoderConfig, batch_norm, squash_exponential};
use crate::loss::{MarginLoss, pixels_of, reconstruction_loss, two_hot};
use crate::observe::{Observer, Unobserved};
use crate::ops::conv2d_relu;
use crate::routing::self_attention::SelfAttention;
use crate::routing::{MAX_ITERATIONS, Routed, Routing, Upper};
use crate::train::Schedule;
use crate::weights::{Exchange, Named};

const KERNELS: [usize; 4] = [5, 3, 3, 3];
const STRIDES: [usize; 4] = [1, 1, 1, 2];
const EPSILON: f64 = 1e-3;
const MOMENTUM: f64 = 0.01;

/// Makes an [`EfficientCapsNet`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EfficientCapsNetConfig {
    /// Size of the images.
    pub image: ImageShape,
    /// Number of classes.
    pub classes: usize,
    /// What is done to pixels in 0..1 before the model sees them.
    pub normalize: Normalize,
    /// Channels of the four convolutions.
    pub channels: [usize; 4],
    /// Dimensions `E` of a primary capsule; it divides the last number of channels.
    pub primary_dimensions: usize,
    /// Dimensions of a class capsule.
    pub class_dimensions: usize,
    /// How votes become class capsules.
    pub routing: Routing,
    /// Widths of the decoder's hidden layers; without a decoder there is no reconstruction.
    pub decoder: Option<[usize; 2]>,
    /// Weight of the squared reconstruction error, averaged over an image's pixels, in the loss.
    pub reconstruction_weight: f64,
}

impl Default for EfficientCapsNetConfig {
    fn default() -> Self {
        Self {
            image: ImageShape::MNIST,
            classes: 10,
            normalize: Normalize::default(),
            channels: [32, 64, 64, 128],
            primary_dimensions: 8,
            class_dimensions: 16,
            routing: Routing::new(SelfAttention),
            decoder: Some([512, 1024]),
            reconstruction_weight: 0.392,
        }
    }
}

impl EfficientCapsNetConfig {
    /// Side of the feature maps after all convolutions, `None` where the image is too small for them.
    fn feature_side(side: usize) -> Option<usize> {
        let mut layers = KERNELS.iter().zip(STRIDES);
        layers.try_fold(side, |side, (kernel, stride)| {
            Some(side.checked_sub(*kernel)? / stride + 1)
        })
    }

    /// Sides of the primary capsules' kernels.
    fn primary_kernel(&self) -> Option<[usize; 2]> {
        Some([
            Self::feature_side(self.image.height)?,
            Self::feature_side(self.image.width)?,
        ])
    }

    /// Number of primary capsules.
    pub fn primary_capsules(&self) -> usize {
        self.channels[3] / self.primary_dimensions
    }
}

impl Architecture for EfficientCapsNetConfig {
    type Network = EfficientCapsNet;

    fn name(&self) -> &'static str {
        "efficient-capsnet"
    }

    fn title(&self) -> &'static str {
        "Efficient-CapsNet"
    }

    fn about(&self) -> &'static str {
        "CapsNet with self-attention routing, 161,824 parameters without its decoder"
    }

    input_fields!();

    fn validate(&self) -> Result<(), ConfigError> {
        self.input().validate()?;
        for channels in self.channels {
            let holds = (1..=4096).contains(&channels);
            ConfigError::unless(
                holds,
                "channels",
                format!("{:?}", self.channels),
                "each must be 1 to 4096",
            )?;
        }
        let dimensions = self.primary_dimensions;
        let holds = (1..=1024).contains(&dimensions) && self.channels[3].is_multiple_of(dimensions);
        let rule = format!(
            "it must divide the {} channels of the last convolution",
            self.channels[3]
        );
        ConfigError::unless(holds, "primary_dimensions", dimensions, rule)?;
        let holds = (1..=1024).contains(&self.class_dimensions);
        ConfigError::unless(holds, "class_dimensions", self.class_dimensions, "it must be 1 to 1024")?;
        let iterations = self.routing.iterations();
        let holds = iterations <= MAX_ITERATIONS;
        ConfigError::unless(holds, "routing.iterations", iterations, "it must be 0 to 100")?;
        for width in self.decoder.into_iter().flatten() {
            let holds = (1..=65_536).contains(&width);
            ConfigError::unless(holds, "decoder", width, "each width must be 1 to 65,536")?;
        }
        let weight = self.reconstruction_weight;
        let holds = weight.is_finite() && weight >= 0.0;
        ConfigError::unless(
            holds,
            "reconstruction_weight",
            weight,
            "it must be finite and not negative",
        )?;
        let size = format!("{} x {}", self.image.height, self.image.width);
        let rule = "Efficient-CapsNet's four convolutions need at least 11 x 11";
        ConfigError::unless(self.primary_kernel().is_some(), "image", size, rule)
    }

    /// Makes the network with Burn's default initial weights.
    ///
    /// # Panics
    ///
    /// If the image is smaller than 11 x 11, which [`validate`](Self::validate) refuses.
    fn init(&self, device: &Device) -> EfficientCapsNet {
        let [c1, c2, c3, c4] = self.channels;
        let conv = |layer: usize, channels: [usize; 2]| {
            Conv2dConfig::new(channels, [KERNELS[layer]; 2])
                .with_stride([STRIDES[layer]; 2])
                .init(device)
        };
        let norm = |channels| {
            BatchNormConfig::new(channels)
                .with_epsilon(EPSILON)
                .with_momentum(MOMENTUM)
                .init(device)
        };
        let kernel = self.primary_kernel().expect("the image has at least 11 x 11 pixels");
        let class = ClassCapsulesConfig::new(
            self.primary_capsules(),
            self.primary_dimensions,
            self.classes,
            self.class_dimensions,
        );
        EfficientCapsNet {
            conv1: conv(0, [self.image.channels, c1]),
            bn1: norm(c1),
            conv2: conv(1, [c1, c2]),
            bn2: norm(c2),
            conv3: conv(2, [c2, c3]),
            bn3: norm(c3),
            conv4: conv(3, [c3, c4]),
            bn4: norm(c4),
            primary: Conv2dConfig::new([c4, c4], kernel).with_groups(c4).init(device),
            digit_capsules: class.with_routing(self.routing.clone()).init(device),
            decoder: self.decoder.map(|hidden| {
                DecoderConfig::new(self.classes, self.class_dimensions, hidden, self.image.pixels()).init(device)
            }),
            primary_dimensions: self.primary_dimensions,
            normalize: self.normalize,
            reconstruction_weight: self.reconstruction_weight,
        }
    }

    /// He's normal initialisation for convolutions and vote matrices (all dimensions but the last being inputs, as the
    /// authors' framework counts them), Glorot's uniform one for the depthwise convolution; biases begin at 0. The
    /// decoder is PyTorch's.
    fn initial(&self, tensor: &str) -> Initial {
        let he = |inputs: usize| Initial::Normal((2.0 / inputs as f64).sqrt());
        let before = [
            self.image.channels,
            self.channels[0],
            self.channels[1],
            self.channels[2],
        ];
        let convolution = |layer: usize| he(KERNELS[layer] * KERNELS[layer] * before[layer]);
        match tensor {
            "conv1.weight" => convolution(0),
            "conv2.weight" => convolution(1),
            "conv3.weight" => convolution(2),
            "conv4.weight" => convolution(3),
            "digit_capsules.weight" => he(self.classes * self.channels[3]),
            // Inputs and outputs of a tap: one channel, and all of them.
            "primary.weight" => Initial::Uniform((6.0 / (1.0 + self.channels[3] as f32)).sqrt()),
            _ if tensor.starts_with("bn") => Initial::of_batch_norm(tensor),
            _ if tensor.starts_with("decoder.") => Initial::PYTORCH,
            _ if tensor.starts_with("digit_capsules.") => Initial::AsMade,
            _ => Initial::Constant(0.0),
        }
    }

    /// The paper's, but for the number of epochs, which is 150 there.
    fn usual_training(&self) -> Defaults {
        Defaults {
            batch_size: 16,
            learning_rate: 5e-4,
            schedule: Schedule::Exponential {
                factor: 0.97,
                floor: 5e-5,
            },
            ..Defaults::default()
        }
    }

    /// Without a decoder the image is taken to have an even number of rows and columns.
    fn recognise(weights: &StateDict) -> Option<Self> {
        let (&[classes, _, primary_dimensions, class_dimensions], &[_, _, rows, columns]) = (
            weights.shape_of("digit_capsules.weight")?,
            weights.shape_of("primary.weight")?,
        ) else {
            return None;
        };
        let outputs = |layer: usize| weights.shape_of(&format!("conv{layer}.weight"))?.first().copied();
        let &[_, channels, ..] = weights.shape_of("conv1.weight")? else {
            return None;
        };
        let decoder = ["decoder.0.weight", "decoder.2.weight"].map(|name| weights.shape_of(name));
        let decoder = match decoder {
            [Some(&[first, _]), Some(&[second, _])] => Some([first, second]),
            _ => None,
        };
        // The last convolution skips every other pixel, so that two sides lead to the same feature map.
        let sides = |side: usize| [2 * side + 10, 2 * side + 9];
        let pixels = weights.shape_of("decoder.4.weight").and_then(|shape| shape.first());
        let sizes = sides(rows).map(|height| sides(columns).map(|width| (height, width)));
        let sizes = sizes.as_flattened();
        let drawn = |&&(height, width): &&(usize, usize)| pixels == Some(&(channels * height * width));
        let &(height, width) = sizes.iter().find(drawn).unwrap_or(&sizes[0]);
        Some(Self {
            image: ImageShape {
                channels,
                height,
                width,
            },
            classes,
            channels: [outputs(1)?, outputs(2)?, outputs(3)?, outputs(4)?],
            primary_dimensions,
            class_dimensions,
            decoder,
            ..Self::default()
        })
    }
}

/// Efficient-CapsNet; see this file's header.
#[derive(Module, Debug)]
pub struct EfficientCapsNet {
    conv1: Conv2d,
    bn1: BatchNorm,
    conv2: Conv2d,
    bn2: BatchNorm,
    conv3: Conv2d,
    bn3: BatchNorm,
    conv4: Conv2d,
    bn4: BatchNorm,
    primary: Conv2d,
    /// One capsule a class.
    pub digit_capsules: ClassCapsules,
    /// Redraws the image from a class capsule.
    pub decoder: Option<Decoder>,
    primary_dimensions: usize,
    #[module(skip)]
    normalize: Normalize,
    reconstruction_weight: f64,
}

impl EfficientCapsNet {
    /// The class capsules and the couplings of every routing iteration.
    pub fn forward_with_couplings(&self, images: Tensor<4>) -> Routed {
        let u = self.primary_capsules(images, &mut Unobserved);
        self.digit_capsules.forward_with_couplings(u)
    }

    /// `[B, I, E]`.
    fn primary_capsules(&self, images: Tensor<4>, observer: &mut dyn Observer) -> Tensor<3> {
        let layers = [
            ("conv1", &self.conv1, &self.bn1),
            ("conv2", &self.conv2, &self.bn2),
            ("conv3", &self.conv3, &self.bn3),
            ("conv4", &self.conv4, &self.bn4),
        ];
        let mut x = images;
        for (name, conv, norm) in layers {
            let bias = conv.bias.as_ref().expect("the convolutions have a bias");
            x = batch_norm(norm, conv2d_relu(x, conv.weight.val(), bias.val(), conv.stride));
            observer.see(name, &x);
        }
        // A kernel as large as the map leaves one number a channel: a scalar product.
        let [batch, channels, height, width] = x.dims();
        let bias = self.primary.bias.as_ref().expect("the convolutions have a bias");
        let kernels = self.primary.weight.val().reshape([1, channels, height * width]);
        let s = (x.reshape([batch, channels, height * width]) * kernels)
            .sum_dim(2)
            .squeeze_dim::<2>(2);
        let s = s + bias.val().unsqueeze_dim(0);
        let dimensions = self.primary_dimensions;
        let u = squash_exponential(s.reshape([batch, channels / dimensions, dimensions]));
        observer.see("primary_capsules", &u);
        u
    }

    /// The margin loss plus the weighted reconstruction error that `error`, a sum over pixels, finds.
    fn with_reconstruction(
        &self,
        margin: Tensor<1>,
        output: &Output,
        pixels: usize,
        error: impl FnOnce(&Decoder, &Tensor<3>) -> Tensor<1>,
    ) -> Tensor<1> {
        match (&self.decoder, &output.capsules) {
            (Some(decoder), Some(v)) if self.reconstruction_weight > 0.0 => {
                margin + error(decoder, v) * (self.reconstruction_weight / pixels as f64)
            }
            _ => margin,
        }
    }
}

impl Network for EfficientCapsNet {
    fn forward_observed(&self, images: Tensor<4>, observer: &mut dyn Observer) -> Output {
        let u = self.primary_capsules(images, observer);
        let capsules: Upper = self.digit_capsules.route(u);
        observer.see("digit_capsules", &capsules.v);
        Output {
            scores: capsules.activation(),
            capsules: Some(capsules.v),
        }
    }

    /// Margin loss plus the weighted error of the true class's reconstruction.
    fn loss(&self, output: &Output, images: Tensor<4>, classes: Tensor<1, Int>) -> Tensor<1> {
        let margin = MarginLoss::default().forward(output.scores.clone(), classes.clone());
        let target = pixels_of(images, self.normalize);
        self.with_reconstruction(margin, output, target.dims()[1], |decoder, v| {
            reconstruction_loss(decoder.forward(v.clone(), classes), target)
        })
    }

    /// Margin loss with both classes present, plus the weighted errors of both figures' reconstructions.
    fn pair_loss(&self, output: &Output, parts: [Tensor<2>; 2], classes: [Tensor<1, Int>; 2]) -> Tensor<1> {
        let truth = two_hot(classes.clone(), &output.scores);
        let margin = MarginLoss::default().forward_present(output.scores.clone(), truth);
        self.with_reconstruction(margin, output, parts[0].dims()[1], |decoder, v| {
            let [first, second] = classes.map(|class| decoder.forward(v.clone(), class));
            let [first_part, second_part] = parts;
            reconstruction_loss(first, first_part) + reconstruction_loss(second, second_part)
        })
    }

    fn score_kind(&self) -> ScoreKind {
        ScoreKind::CapsuleLength
    }

    fn probabilities(&self, output: &Output) -> Tensor<2> {
        output.scores.clone()
    }

    fn reconstruct(&self, output: &Output, classes: Tensor<1, Int>) -> Option<Tensor<2>> {
        let (decoder, v) = self.decoder.as_ref().zip(output.capsules.clone())?;
        Some(decoder.forward(v, classes))
    }
}

impl Named for EfficientCapsNet {
    fn exchange(&mut self, at: &str, with: &mut impl Exchange) {
        let layers = [
            (&mut self.conv1, &mut self.bn1),
            (&mut self.conv2, &mut self.bn2),
            (&mut self.conv3, &mut self.bn3),
            (&mut self.conv4, &mut self.bn4),
        ];
        for (number, (conv, norm)) in (1..).zip(layers) {
            conv.exchange(&format!("{at}conv{number}"), with);
            norm.exchange(&format!("{at}bn{number}"), with);
        }
        self.primary.exchange(&format!("{at}primary"), with);
        self.digit_capsules
            .exchange_as("weight", &format!("{at}digit_capsules"), with);
        if let Some(decoder) = &mut self.decoder {
            decoder.exchange(&format!("{at}decoder"), with);
        }
    }
}
