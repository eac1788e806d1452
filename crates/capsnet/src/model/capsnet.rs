//! CapsNet: two convolutions, primary capsules, class capsules with dynamic routing, and a decoder
//! (Sabour, Frosst, Hinton 2017, figures 1 and 2).
//!
//! 8,215,568 parameters on 28 x 28 grey images. [`CapsNetConfig::tutorial`] is the variant of a widely copied public
//! code: batch norm on the input (two parameters more), softmax over the wrong capsules, a second softmax on the
//! lengths. Tensor names: `conv1`, `primary_capsules.capsules.N`, `digit_capsules.route_weights`, `decoder.{0,2,4}`,
//! `batch_norm_0`.

use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::prelude::*;
use burn::tensor::activation::softmax;
use capsnet_data::transform::Normalize;
use capsnet_weights::StateDict;
use serde::{Deserialize, Serialize};

use super::architecture::side_of_square;
use super::input::input_fields;
use super::{
    Architecture, CapsuleMaps, ConfigError, Frozen, ImageShape, Initial, Network, Output, Precision, RoutedCapsules,
    ScoreKind,
};
use crate::layer::{
    ClassCapsules, ClassCapsulesConfig, Decoder, DecoderConfig, PrimaryCapsules, PrimaryCapsulesConfig,
    batch_norm_of_burn, freeze_capsules, lengths,
};
use crate::loss::{MarginLoss, pixels_of, reconstruction_loss, two_hot};
use crate::observe::{Observer, Unobserved};
use crate::ops::{FrozenCapsules, conv2d_relu, has_kernels};
use crate::routing::dynamic::Dynamic;
use crate::routing::{CouplingsOver, MAX_ITERATIONS, Routed, Routing, Upper};
use crate::weights::{Exchange, Named};

/// Makes a [`CapsNet`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CapsNetConfig {
    /// Size of the images.
    pub image: ImageShape,
    /// Number of classes.
    pub classes: usize,
    /// What is done to pixels in 0..1 before the model sees them.
    pub normalize: Normalize,
    /// Whether a batch norm stands before the first convolution.
    pub input_batch_norm: bool,
    /// Channels of the first convolution.
    pub conv_channels: usize,
    /// Side of the kernels of both convolutions.
    pub kernel: usize,
    /// Stride of the first convolution, 1 in the paper; large images take little memory with more.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub conv_stride: usize,
    /// Stride of the primary capsules' convolution.
    pub primary_stride: usize,
    /// Primary capsules at each position.
    pub primary_maps: usize,
    /// Dimensions of a primary capsule.
    pub primary_dimensions: usize,
    /// Dimensions of a class capsule.
    pub class_dimensions: usize,
    /// Standard deviation of the initial vote matrices.
    pub vote_std: f64,
    /// How votes become class capsules.
    pub routing: Routing,
    /// Whether all positions of a map of primary capsules share their vote matrices.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub share_votes: bool,
    /// Whether the lengths pass through a softmax over the classes before they are used.
    pub softmaxed_lengths: bool,
    /// Widths of the decoder's hidden layers; without a decoder there is no reconstruction.
    pub decoder: Option<[usize; 2]>,
    /// Weight of the squared reconstruction error, summed over an image's pixels, in the loss.
    pub reconstruction_weight: f64,
}

fn one() -> usize {
    1
}

fn is_one(number: &usize) -> bool {
    *number == 1
}

impl Default for CapsNetConfig {
    fn default() -> Self {
        Self::paper()
    }
}

impl CapsNetConfig {
    /// The network of the paper, for 28 x 28 grey images of ten classes.
    pub fn paper() -> Self {
        Self {
            image: ImageShape::MNIST,
            classes: 10,
            normalize: Normalize::default(),
            input_batch_norm: false,
            conv_channels: 256,
            kernel: 9,
            conv_stride: 1,
            primary_stride: 2,
            primary_maps: 32,
            primary_dimensions: 8,
            class_dimensions: 16,
            vote_std: 0.05,
            routing: Routing::default(),
            share_votes: false,
            softmaxed_lengths: false,
            decoder: Some([512, 1024]),
            reconstruction_weight: 0.0005,
        }
    }

    /// The variant of the tutorial's code, so that weights made with it load and give the same answers.
    pub fn tutorial() -> Self {
        Self {
            input_batch_norm: true,
            vote_std: 1.0,
            routing: Routing::new(Dynamic::new(3, CouplingsOver::Inputs)),
            softmaxed_lengths: true,
            ..Self::paper()
        }
    }

    /// Sides of the primary capsules' maps, `None` where the image is too small for the kernels.
    fn primary_side(&self, side: usize) -> Option<usize> {
        let first = side.checked_sub(self.kernel)? / self.conv_stride + 1;
        Some(first.checked_sub(self.kernel)? / self.primary_stride + 1)
    }

    /// The number of primary capsules, `None` where the image is too small for the kernels.
    pub fn primary_capsules(&self) -> Option<usize> {
        let height = self.primary_side(self.image.height)?;
        let width = self.primary_side(self.image.width)?;
        Some(self.primary_maps * height * width)
    }
}

impl Architecture for CapsNetConfig {
    type Network = CapsNet;

    fn name(&self) -> &'static str {
        "capsnet"
    }

    fn title(&self) -> &'static str {
        "CapsNet"
    }

    fn about(&self) -> &'static str {
        "CapsNet with dynamic routing, 8,215,568 parameters"
    }

    input_fields!();

    fn validate(&self) -> Result<(), ConfigError> {
        self.input().validate()?;
        let sizes = [
            ("conv_channels", self.conv_channels, 4096),
            ("kernel", self.kernel, 64),
            ("conv_stride", self.conv_stride, 64),
            ("primary_stride", self.primary_stride, 64),
            ("primary_maps", self.primary_maps, 4096),
            ("primary_dimensions", self.primary_dimensions, 1024),
            ("class_dimensions", self.class_dimensions, 1024),
        ];
        for (field, value, limit) in sizes {
            ConfigError::unless(
                (1..=limit).contains(&value),
                field,
                value,
                format!("it must be 1 to {limit}"),
            )?;
        }
        let iterations = self.routing.iterations();
        ConfigError::unless(
            iterations <= MAX_ITERATIONS,
            "routing.iterations",
            iterations,
            "it must be 0 to 100",
        )?;
        for width in self.decoder.into_iter().flatten() {
            ConfigError::unless(
                (1..=65_536).contains(&width),
                "decoder",
                width,
                "each width must be 1 to 65,536",
            )?;
        }
        ConfigError::unless(
            self.vote_std.is_finite() && self.vote_std > 0.0,
            "vote_std",
            self.vote_std,
            "it must be positive and finite",
        )?;
        ConfigError::unless(
            self.reconstruction_weight.is_finite() && self.reconstruction_weight >= 0.0,
            "reconstruction_weight",
            self.reconstruction_weight,
            "it must be finite and not negative",
        )?;
        let size = format!("{} x {}", self.image.height, self.image.width);
        let rule = format!("two {0} x {0} convolutions do not fit into it", self.kernel);
        ConfigError::unless(self.primary_capsules().is_some(), "image", size, rule)
    }

    /// Makes the network with default initial weights.
    ///
    /// # Panics
    ///
    /// If the image is too small for the kernels, which [`validate`](Self::validate) refuses.
    fn init(&self, device: &Device) -> CapsNet {
        let capsules = self
            .primary_capsules()
            .expect("the image is large enough for the kernels");
        let channels = self.image.channels;
        let primary = PrimaryCapsulesConfig::new(self.conv_channels, self.primary_maps, self.primary_dimensions)
            .with_kernel(self.kernel)
            .with_stride(self.primary_stride);
        let class = ClassCapsulesConfig::new(capsules, self.primary_dimensions, self.classes, self.class_dimensions)
            .with_weight_std(self.vote_std)
            .with_routing(self.routing.clone())
            .with_sharing(if self.share_votes {
                capsules / self.primary_maps
            } else {
                1
            });
        CapsNet {
            batch_norm_0: self
                .input_batch_norm
                .then(|| BatchNormConfig::new(channels).init(device)),
            conv1: Conv2dConfig::new([channels, self.conv_channels], [self.kernel; 2])
                .with_stride([self.conv_stride; 2])
                .init(device),
            primary_capsules: primary.init(device),
            digit_capsules: class.init(device),
            decoder: self.decoder.map(|hidden| {
                DecoderConfig::new(self.classes, self.class_dimensions, hidden, self.image.pixels()).init(device)
            }),
            normalize: self.normalize,
            softmaxed_lengths: self.softmaxed_lengths,
            reconstruction_weight: self.reconstruction_weight,
        }
    }

    /// Vote matrices are normal; what the routing trains begins as it says.
    fn initial(&self, tensor: &str) -> Initial {
        match tensor {
            "digit_capsules.route_weights" => Initial::Normal(self.vote_std),
            _ if tensor.starts_with("digit_capsules.") => Initial::AsMade,
            _ if tensor.starts_with("batch_norm_0.") => Initial::of_batch_norm(tensor),
            _ => Initial::PYTORCH,
        }
    }

    fn recognise(weights: &StateDict) -> Option<Self> {
        let votes = weights.shape_of("digit_capsules.route_weights")?;
        let tutorial = weights.get("batch_norm_0.weight").is_some();
        let mut config = if tutorial { Self::tutorial() } else { Self::paper() };
        if let &[classes, _, primary_dimensions, class_dimensions] = votes {
            config.classes = classes;
            config.primary_dimensions = primary_dimensions;
            config.class_dimensions = class_dimensions;
        }
        if let Some(&[conv_channels, channels, kernel, _]) = weights.shape_of("conv1.weight") {
            config.conv_channels = conv_channels;
            config.kernel = kernel;
            config.image.channels = channels;
        }
        if let Some(&[maps, ..]) = weights.shape_of("primary_capsules.capsules.0.weight") {
            config.primary_maps = maps;
        }
        let decoder = ["decoder.0.weight", "decoder.2.weight"].map(|name| weights.shape_of(name));
        config.decoder = match decoder {
            [Some(&[first, _]), Some(&[second, _])] => Some([first, second]),
            _ => None,
        };
        // The decoder draws as many pixels as an image has, which is taken to be square.
        if let Some(&[pixels, _]) = weights.shape_of("decoder.4.weight")
            && let Some(side) = pixels.checked_div(config.image.channels).and_then(side_of_square)
        {
            config.image.height = side;
            config.image.width = side;
        }
        if let &[_, capsules, ..] = votes
            && config.decoder.is_none()
            && capsules != config.primary_maps
            && config.primary_capsules() != Some(capsules)
        {
            // Nothing else tells the size of the images.
            let fits = |side: &usize| {
                let primary = config.primary_side(*side);
                primary.is_some_and(|primary| config.primary_maps * primary * primary == capsules)
            };
            if let Some(side) = (1..=512).find(fits) {
                config.image.height = side;
                config.image.width = side;
            }
        }
        if let &[_, matrices, ..] = votes {
            config.share_votes = matrices == config.primary_maps && config.primary_capsules() != Some(matrices);
        }
        Some(config)
    }

    fn no_pairs(&self) -> Option<&'static str> {
        self.softmaxed_lengths
            .then_some("two lengths can't both be near 1 after a softmax; leave --variant tutorial out")
    }
}

/// CapsNet; see this file's header.
#[derive(Module, Debug)]
pub struct CapsNet {
    /// Batch norm on the input, in the tutorial's variant only.
    pub batch_norm_0: Option<BatchNorm>,
    /// The first convolution.
    pub conv1: Conv2d,
    /// The second convolution, read as capsules.
    pub primary_capsules: PrimaryCapsules,
    /// One capsule a class.
    pub digit_capsules: ClassCapsules,
    /// Redraws the image from a class capsule.
    pub decoder: Option<Decoder>,
    #[module(skip)]
    normalize: Normalize,
    softmaxed_lengths: bool,
    reconstruction_weight: f64,
}

impl CapsNet {
    /// The class capsules and the couplings of every routing iteration.
    pub fn forward_with_couplings(&self, images: Tensor<4>) -> Routed {
        let u = self.primary(images, &mut Unobserved);
        self.digit_capsules.forward_with_couplings(u)
    }

    /// The score of each class, `[B, classes]`: the length of its capsule, or how active the routing says that it is;
    /// softmaxed if so configured.
    pub fn scores(&self, capsules: &Upper) -> Tensor<2> {
        let activation = capsules.activation();
        if self.softmaxed_lengths {
            softmax(activation, 1)
        } else {
            activation
        }
    }

    /// What class capsules, `[B, classes, D]`, say.
    fn output(&self, capsules: Upper) -> Output {
        Output {
            scores: self.scores(&capsules),
            capsules: Some(capsules.v),
        }
    }

    /// The margin loss plus the weighted reconstruction error that `error` finds, given the decoder and the class
    /// capsules.
    fn with_reconstruction(
        &self,
        margin: Tensor<1>,
        output: &Output,
        error: impl FnOnce(&Decoder, &Tensor<3>) -> Tensor<1>,
    ) -> Tensor<1> {
        match (&self.decoder, &output.capsules) {
            (Some(decoder), Some(v)) if self.reconstruction_weight > 0.0 => {
                margin + error(decoder, v) * self.reconstruction_weight
            }
            _ => margin,
        }
    }

    fn primary(&self, images: Tensor<4>, observer: &mut dyn Observer) -> Tensor<3> {
        let u = self.primary_capsules.forward(self.features(images, observer));
        observer.see("primary_capsules", &u);
        u
    }

    /// What the primary capsules are made of: the first convolution's feature map, `[B, conv_channels, height',
    /// width']`.
    fn features(&self, images: Tensor<4>, observer: &mut dyn Observer) -> Tensor<4> {
        let x = match &self.batch_norm_0 {
            Some(norm) => batch_norm_of_burn(norm, images),
            None => images,
        };
        observer.see("input", &x);
        let bias = self.conv1.bias.as_ref().expect("the configuration asks for a bias");
        let x = conv2d_relu(x, self.conv1.weight.val(), bias.val(), self.conv1.stride);
        observer.see("conv1", &x);
        x
    }
}

impl Network for CapsNet {
    fn forward_observed(&self, images: Tensor<4>, observer: &mut dyn Observer) -> Output {
        let u = self.primary(images, observer);
        let capsules = self.digit_capsules.route(u);
        observer.see("digit_capsules", &capsules.v);
        self.output(capsules)
    }

    /// Margin loss plus the weighted error of the true class's reconstruction.
    fn loss(&self, output: &Output, images: Tensor<4>, classes: Tensor<1, Int>) -> Tensor<1> {
        let margin = MarginLoss::default().forward(output.scores.clone(), classes.clone());
        self.with_reconstruction(margin, output, |decoder, v| {
            let image = decoder.forward(v.clone(), classes);
            reconstruction_loss(image, pixels_of(images, self.normalize))
        })
    }

    /// Margin loss with both classes present, plus the weighted errors of both figures' reconstructions, each drawn
    /// from the capsule of its class alone (section 6 of the paper).
    fn pair_loss(&self, output: &Output, parts: [Tensor<2>; 2], classes: [Tensor<1, Int>; 2]) -> Tensor<1> {
        let truth = two_hot(classes.clone(), &output.scores);
        let margin = MarginLoss::default().forward_present(output.scores.clone(), truth);
        self.with_reconstruction(margin, output, |decoder, v| {
            let [first, second] = classes.map(|class| decoder.forward(v.clone(), class));
            let [first_part, second_part] = parts;
            reconstruction_loss(first, first_part) + reconstruction_loss(second, second_part)
        })
    }

    fn score_kind(&self) -> ScoreKind {
        if self.softmaxed_lengths {
            ScoreKind::Probability
        } else {
            ScoreKind::CapsuleLength
        }
    }

    fn probabilities(&self, output: &Output) -> Tensor<2> {
        output.scores.clone()
    }

    fn reconstruct(&self, output: &Output, classes: Tensor<1, Int>) -> Option<Tensor<2>> {
        let (decoder, v) = self.decoder.as_ref().zip(output.capsules.clone())?;
        Some(decoder.forward(v, classes))
    }

    /// The first convolution has stride `q` and kernel `k`, the second stride `s` and kernel `l`: row `r` of a map sees
    /// the rows `q s r` to `q s r + k + q (l - 1) - 1`.
    fn routed(&self, images: Tensor<4>) -> Option<RoutedCapsules> {
        let [_, _, height, width] = images.dims();
        let [_, _, first, _] = self.conv1.weight.dims();
        let [_, _, second, _] = self.primary_capsules.conv.weight.dims();
        let of_first = self.conv1.stride[0];
        let (side, stride) = (
            first + of_first * (second - 1),
            of_first * self.primary_capsules.conv.stride[0],
        );
        let positions = |pixels: usize| (pixels - side) / stride + 1;
        let u = self.primary(images, &mut Unobserved);
        Some(RoutedCapsules {
            lower: lengths(u.clone()),
            over: self.digit_capsules.routing.algorithm().couplings_over(),
            iterations: self.digit_capsules.forward_with_couplings(u).iterations,
            maps: CapsuleMaps {
                rows: positions(height),
                columns: positions(width),
                stride,
                side,
            },
        })
    }

    /// From the feature map to the class capsules in one pass.
    fn frozen(&self, image: ImageShape, precision: Precision) -> Option<Frozen> {
        let [_, _, kernel_h, kernel_w] = self.conv1.weight.dims();
        let [down, across] = self.conv1.stride;
        let features = [
            (image.height - kernel_h) / down + 1,
            (image.width - kernel_w) / across + 1,
        ];
        let capsules = freeze_capsules(&self.primary_capsules, &self.digit_capsules, features, precision)?;
        let net = self.clone();
        Some(Box::new(move |images| {
            let suits = FrozenCapsules::suits(images.dims()[0]) && has_kernels(&images);
            suits.then(|| {
                net.output(Upper::by_length(
                    capsules.forward(net.features(images, &mut Unobserved)),
                ))
            })
        }))
    }
}

impl Named for CapsNet {
    fn exchange(&mut self, at: &str, with: &mut impl Exchange) {
        if let Some(norm) = &mut self.batch_norm_0 {
            norm.exchange(&format!("{at}batch_norm_0"), with);
        }
        self.conv1.exchange(&format!("{at}conv1"), with);
        self.primary_capsules.exchange(&format!("{at}primary_capsules"), with);
        self.digit_capsules.exchange(&format!("{at}digit_capsules"), with);
        if let Some(decoder) = &mut self.decoder {
            decoder.exchange(&format!("{at}decoder"), with);
        }
    }
}
