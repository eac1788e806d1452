//! Matrix capsules with EM routing (Hinton, Sabour, Frosst 2018): a convolution, primary capsules, two convolutional
//! layers of capsules and one of classes.
//!
//! ```text
//! conv1 5x5 stride 2, A channels, ReLU
//! primary: 1x1; channel 16 i + d of `primary.pose` is element d of capsule i's pose; activations through a sigmoid
//! capsules1 3x3 stride 2, C types; capsules2 3x3, D types: matrices and betas of their own for all types
//! classes: all positions with the same matrices; the place of a child is added to elements 3 and 7 of its votes
//! ```
//!
//! No layer is padded. The place is row and column of the centre of what the child sees, scaled to 0..1. Small: A = 64,
//! B = 8, C = D = 16. Full: 32 each. Tensor names: `conv1`, `primary.pose`, `primary.activation`, and `weight`,
//! `beta_u`, `beta_a` of `capsules1`, `capsules2` and `classes`.

use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::prelude::*;
use burn::tensor::activation::sigmoid;
use capsnet_data::transform::Normalize;
use capsnet_weights::StateDict;
use serde::{Deserialize, Serialize};

use super::input::input_fields;
use super::{
    Architecture, CapsuleMaps, ConfigError, Defaults, ImageShape, Initial, Network, Output, RoutedCapsules, ScoreKind,
    Timing,
};
use crate::layer::{Centres, MatrixCapsules, MatrixCapsulesConfig, batch_norm, em_form_of};
use crate::loss::SpreadLoss;
use crate::observe::{Observer, Unobserved};
use crate::ops::{EmForm, conv2d, conv2d_relu};
use crate::routing::em::Em;
use crate::routing::{CouplingsOver, MAX_ITERATIONS, Routing};
use crate::train::Schedule;
use crate::weights::{Exchange, Named};

const CONV_KERNEL: usize = 5;
const KERNEL: usize = 3;
const STRIDE: usize = 2;

/// Makes an [`EmCapsNet`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmCapsNetConfig {
    /// Size of the images.
    pub image: ImageShape,
    /// Number of classes.
    pub classes: usize,
    /// What is done to pixels in 0..1 before the model sees them.
    pub normalize: Normalize,
    /// Channels `A` of the convolution.
    pub conv_channels: usize,
    /// Whether what the convolution gives is batch-normalised.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub batch_norm: bool,
    /// Types `B`, `C` and `D` of capsules at each position of the three layers before the classes.
    pub types: [usize; 3],
    /// Standard deviation of the initial vote matrices.
    pub vote_std: f64,
    /// What the tensors `beta_a` are counted in by the paper's equations, so that they can be learned: see
    /// [`MatrixCapsulesConfig::beta_a_unit`].
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub beta_a_unit: f64,
    /// `em:N` or `em-official:N`.
    pub routing: Routing,
    /// Steps in which the spread loss's margin grows; see [`SpreadLoss`].
    pub margin_steps: usize,
}

impl Default for EmCapsNetConfig {
    /// The small network as it is best trained: `beta_a` in thousands, and a margin that is full after 12,000 steps.
    fn default() -> Self {
        Self {
            beta_a_unit: 1000.0,
            margin_steps: 1500,
            ..Self::small()
        }
    }
}

impl EmCapsNetConfig {
    /// The small network, for 28 x 28 grey images of ten classes.
    pub fn small() -> Self {
        Self {
            image: ImageShape::MNIST,
            classes: 10,
            normalize: Normalize::default(),
            conv_channels: 64,
            batch_norm: false,
            types: [8, 16, 16],
            vote_std: 0.5,
            beta_a_unit: 1.0,
            routing: Routing::new(Em { iterations: 2 }),
            margin_steps: SpreadLoss::default().margin_steps,
        }
    }

    /// The network of the paper, with three iterations.
    pub fn full() -> Self {
        Self {
            conv_channels: 32,
            types: [32; 3],
            routing: Routing::new(Em { iterations: 3 }),
            ..Self::small()
        }
    }

    /// Rows, or columns, of the maps of primary capsules, `capsules1` and `capsules2`.
    fn sides(side: usize) -> Option<[usize; 3]> {
        let after = |side: usize, kernel: usize, stride: usize| Some(side.checked_sub(kernel)? / stride + 1);
        let primary = after(side, CONV_KERNEL, STRIDE)?;
        let first = after(primary, KERNEL, STRIDE)?;
        Some([primary, first, after(first, KERNEL, 1)?])
    }

    /// The maps of the three layers before the classes.
    fn maps(&self) -> Option<[[usize; 2]; 3]> {
        let (rows, columns) = (Self::sides(self.image.height)?, Self::sides(self.image.width)?);
        Some([0, 1, 2].map(|layer| [rows[layer], columns[layer]]))
    }
}

impl Architecture for EmCapsNetConfig {
    type Network = EmCapsNet;

    fn name(&self) -> &'static str {
        "em-capsnet"
    }

    fn title(&self) -> &'static str {
        "EM-CapsNet"
    }

    fn about(&self) -> &'static str {
        "Matrix capsules with EM routing"
    }

    input_fields!();

    fn validate(&self) -> Result<(), ConfigError> {
        self.input().validate()?;
        let channels = self.conv_channels;
        let holds = (1..=4096).contains(&channels);
        ConfigError::unless(holds, "conv_channels", channels, "it must be 1 to 4096")?;
        let holds = self.types.iter().all(|types| (1..=1024).contains(types));
        let types = format!("{:?}", self.types);
        ConfigError::unless(holds, "types", types, "each must be 1 to 1024")?;
        let holds = self.vote_std.is_finite() && self.vote_std > 0.0;
        ConfigError::unless(holds, "vote_std", self.vote_std, "it must be positive and finite")?;
        let holds = self.beta_a_unit.is_finite() && self.beta_a_unit > 0.0;
        ConfigError::unless(holds, "beta_a_unit", self.beta_a_unit, "it must be positive and finite")?;
        let form = em_form_of(&self.routing);
        let rule = "matrix capsules are routed by em:N or em-official:N";
        ConfigError::unless(form.is_some(), "routing", &self.routing, rule)?;
        let iterations = self.routing.iterations();
        let holds = iterations <= MAX_ITERATIONS;
        ConfigError::unless(holds, "routing.iterations", iterations, "it must be 0 to 100")?;
        let steps = self.margin_steps;
        ConfigError::unless(steps > 0, "margin_steps", steps, "it must be at least 1")?;
        let size = format!("{} x {}", self.image.height, self.image.width);
        let rule = "EM-CapsNet's convolution and layers of capsules need at least 17 x 17";
        ConfigError::unless(self.maps().is_some(), "image", size, rule)
    }

    /// Makes the network with Burn's default initial weights.
    ///
    /// # Panics
    ///
    /// If the image is smaller than 17 x 17 or the routing isn't EM, which [`validate`](Self::validate) refuses.
    fn init(&self, device: &Device) -> EmCapsNet {
        let [primary, first, second] = self.maps().expect("the image has at least 17 x 17 pixels");
        let [b, c, d] = self.types;
        let layer = |children, lower, upper| MatrixCapsulesConfig {
            children,
            lower,
            upper,
            kernel: [KERNEL; 2],
            stride: 1,
            classes_at: None,
            routing: self.routing.clone(),
            weight_std: self.vote_std,
            beta_a_unit: self.beta_a_unit,
        };
        let capsules1 = MatrixCapsulesConfig {
            stride: STRIDE,
            ..layer(primary, b, c)
        };
        // A step in each layer is two pixels, then four; the field grows by half of kernel - 1 steps on each side.
        let centre = CONV_KERNEL / 2 + (KERNEL / 2) * STRIDE + (KERNEL / 2) * STRIDE * STRIDE;
        let classes = MatrixCapsulesConfig {
            kernel: second,
            classes_at: Some(Centres {
                first: [centre; 2],
                step: STRIDE * STRIDE,
                size: [self.image.height, self.image.width],
            }),
            ..layer(second, d, self.classes)
        };
        let conv = |channels: [usize; 2], kernel: usize, stride: usize| {
            Conv2dConfig::new(channels, [kernel; 2])
                .with_stride([stride; 2])
                .init(device)
        };
        EmCapsNet {
            conv1: conv([self.image.channels, self.conv_channels], CONV_KERNEL, STRIDE),
            bn1: self.batch_norm.then(|| {
                BatchNormConfig::new(self.conv_channels)
                    .with_epsilon(1e-3)
                    .with_momentum(0.1)
                    .init(device)
            }),
            pose: conv([self.conv_channels, 16 * b], 1, 1),
            activation: conv([self.conv_channels, b], 1, 1),
            capsules1: capsules1.init(device),
            capsules2: layer(first, c, d).init(device),
            classes: classes.init(device),
            margin_steps: self.margin_steps,
            step: 0,
        }
    }

    /// He's uniform initialisation for the convolutions of ReLU and pose, normal vote matrices. What no data come to
    /// should not be active: by the paper's equations `beta_a` begins where activations are near a half with the data
    /// of all alike. Biases, `beta_u`, and the authors' `beta_a`, which is a cost of thousands, begin at 0.
    fn initial(&self, tensor: &str) -> Initial {
        let paper = matches!(em_form_of(&self.routing), Some((EmForm::Paper, _)));
        match tensor {
            "conv1.weight" | "primary.pose.weight" => Initial::Uniform(6f32.sqrt()),
            "primary.activation.weight" => Initial::PYTORCH,
            _ if tensor.starts_with("bn1.") => Initial::of_batch_norm(tensor),
            "classes.beta_a" if paper => Initial::Constant((-2000.0 / self.beta_a_unit) as f32),
            _ if paper && tensor.ends_with("beta_a") => Initial::Constant((-1000.0 / self.beta_a_unit) as f32),
            _ if tensor.ends_with("weight") => Initial::Normal(self.vote_std),
            _ => Initial::Constant(0.0),
        }
    }

    fn usual_training(&self) -> Defaults {
        Defaults {
            batch_size: 64,
            learning_rate: 6e-3,
            schedule: Schedule::Cosine,
            ..Defaults::default()
        }
    }

    fn timing(&self) -> Timing {
        Timing::default()
    }

    /// Nothing tells the size of the images or the iterations.
    fn recognise(weights: &StateDict) -> Option<Self> {
        let (&[_, b, c, 4, 4], &[_, _, d, 4, 4], &[_, classes, 4, 4]) = (
            weights.shape_of("capsules1.weight")?,
            weights.shape_of("capsules2.weight")?,
            weights.shape_of("classes.weight")?,
        ) else {
            return None;
        };
        let &[conv_channels, channels, ..] = weights.shape_of("conv1.weight")? else {
            return None;
        };
        let image = ImageShape {
            channels,
            ..ImageShape::MNIST
        };
        Some(Self {
            image,
            classes,
            conv_channels,
            batch_norm: weights.get("bn1.weight").is_some(),
            types: [b, c, d],
            ..Self::small()
        })
    }
}

fn one() -> f64 {
    1.0
}

fn is_one(unit: &f64) -> bool {
    *unit == 1.0
}

/// Matrix capsules with EM routing; see this file's header.
#[derive(Module, Debug)]
pub struct EmCapsNet {
    conv1: Conv2d,
    bn1: Option<BatchNorm>,
    pose: Conv2d,
    activation: Conv2d,
    /// The first convolutional layer of capsules.
    pub capsules1: MatrixCapsules,
    /// The second.
    pub capsules2: MatrixCapsules,
    /// One capsule a class.
    pub classes: MatrixCapsules,
    margin_steps: usize,
    /// Steps of training made before, which the margin of the loss depends on.
    step: usize,
}

impl EmCapsNet {
    /// Poses and activations of the primary capsules, `[B, height, width, types, 17]`.
    fn primary_capsules(&self, features: Tensor<4>) -> Tensor<5> {
        let [batch, _, height, width] = features.dims();
        let convolve = |conv: &Conv2d| {
            let bias = conv.bias.as_ref().expect("the convolutions have a bias");
            conv2d(features.clone(), conv.weight.val(), bias.val(), conv.stride)
        };
        let activation = sigmoid(convolve(&self.activation));
        let types = activation.dims()[1];
        let pose = convolve(&self.pose).reshape([batch, types, 16, height * width]);
        let capsules = Tensor::cat(vec![pose, activation.reshape([batch, types, 1, height * width])], 2);
        capsules
            .permute([0, 3, 1, 2])
            .reshape([batch, height, width, types, 17])
    }

    fn loss_of(&self) -> SpreadLoss {
        SpreadLoss {
            margin_steps: self.margin_steps,
        }
    }

    /// Without weights that can learn it is a validation, in which the margin is full: or else losses would grow with
    /// it, and the best weights be those of the first epoch.
    fn step(&self) -> u64 {
        match self.conv1.weight.val().device().is_autodiff() {
            true => self.step as u64,
            false => u64::MAX,
        }
    }
}

impl EmCapsNet {
    /// The capsules that vote for the classes'.
    fn below_classes(&self, images: Tensor<4>, observer: &mut dyn Observer) -> Tensor<5> {
        let bias = self.conv1.bias.as_ref().expect("the convolutions have a bias");
        let mut features = conv2d_relu(images, self.conv1.weight.val(), bias.val(), self.conv1.stride);
        if let Some(norm) = &self.bn1 {
            features = batch_norm(norm, features);
        }
        observer.see("conv1", &features);
        let mut capsules = self.primary_capsules(features);
        observer.see("primary_capsules", &capsules);
        for (name, layer) in [("capsules1", &self.capsules1), ("capsules2", &self.capsules2)] {
            capsules = layer.forward(capsules);
            observer.see(name, &capsules);
        }
        capsules
    }
}

impl Network for EmCapsNet {
    fn forward_observed(&self, images: Tensor<4>, observer: &mut dyn Observer) -> Output {
        let capsules = self.classes.forward(self.below_classes(images, observer));
        observer.see("classes", &capsules);
        let [batch, _, _, classes, _] = capsules.dims();
        let scores = capsules.narrow(4, 16, 1).reshape([batch, classes]);
        // Poses are no capsules whose length says anything.
        Output::from(scores)
    }

    fn loss(&self, output: &Output, _images: Tensor<4>, classes: Tensor<1, Int>) -> Tensor<1> {
        let step = self.step();
        self.loss_of().forward(output.scores.clone(), classes, step)
    }

    fn pair_loss(&self, output: &Output, _parts: [Tensor<2>; 2], classes: [Tensor<1, Int>; 2]) -> Tensor<1> {
        let step = self.step();
        self.loss_of().forward_pairs(output.scores.clone(), classes, step)
    }

    fn at_step(&mut self, step: u64) {
        self.step = usize::try_from(step).unwrap_or(usize::MAX);
    }

    fn score_kind(&self) -> ScoreKind {
        ScoreKind::Activation
    }

    fn probabilities(&self, output: &Output) -> Tensor<2> {
        output.scores.clone()
    }

    fn routed(&self, images: Tensor<4>) -> Option<RoutedCapsules> {
        let capsules = self.below_classes(images, &mut Unobserved);
        let [batch, rows, columns, types, _] = capsules.dims();
        let active = capsules.clone().narrow(4, 16, 1).permute([0, 4, 3, 1, 2]);
        Some(RoutedCapsules {
            lower: active.reshape([batch, types * rows * columns]),
            // In the authors' code nothing competes for a child of the last layer: each class has all of it.
            over: (self.classes.form() == EmForm::Paper).then_some(CouplingsOver::Outputs),
            iterations: self.classes.forward_with_couplings(capsules),
            maps: CapsuleMaps {
                rows,
                columns,
                stride: STRIDE * STRIDE,
                side: CONV_KERNEL + (KERNEL - 1) * STRIDE + (KERNEL - 1) * STRIDE * STRIDE,
            },
        })
    }
}

impl Named for EmCapsNet {
    fn exchange(&mut self, at: &str, with: &mut impl Exchange) {
        self.conv1.exchange(&format!("{at}conv1"), with);
        if let Some(norm) = &mut self.bn1 {
            norm.exchange(&format!("{at}bn1"), with);
        }
        self.pose.exchange(&format!("{at}primary.pose"), with);
        self.activation.exchange(&format!("{at}primary.activation"), with);
        self.capsules1.exchange(&format!("{at}capsules1"), with);
        self.capsules2.exchange(&format!("{at}capsules2"), with);
        self.classes.exchange(&format!("{at}classes"), with);
    }
}
