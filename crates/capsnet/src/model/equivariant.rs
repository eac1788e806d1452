//! A capsule network that turns with its input: polar sampling, three polar convolutions, primary capsules in frames of
//! their own, class capsules in the image's frame.
//!
//! The lengths of the class capsules don't change when the image turns; their coordinates turn by known multiples of
//! the angle. The law is exact for turns by a sixteenth of the circle (of the default configuration) on the polar grid,
//! and holds for any angle up to what sampling loses; see [`crate::layer::polar`].
//!
//! Lengths alone can't tell a 6 from a 9 that stands on its head. A capsule's pose can: how far its coordinates of
//! order 1 point where those of upright figures do, which is learned, counts for the class by a fixed weight. A turn by
//! `b` changes that part of a score like `cos b`. Tensor names: `conv1` to `conv3`, `primary_capsules`,
//! `class_capsules.{real,imaginary}`, `upright`.

use burn::module::Param;
use burn::nn::Initializer;
use burn::prelude::*;
use capsnet_data::transform::Normalize;
use serde::{Deserialize, Serialize};

use super::input::input_fields;
use super::{Architecture, ConfigError, Defaults, ImageShape, Initial, Network, Output, ScoreKind, Timing};
use crate::layer::lengths;
use crate::layer::polar::{
    Orders, PolarConv, PolarConvConfig, PolarSampling, PolarSamplingConfig, TurningCapsules, TurningCapsulesConfig,
    halve,
};
use crate::loss::{MarginLoss, two_hot};
use crate::observe::{Action, Observer};
use crate::routing::{MAX_ITERATIONS, Routing};
use crate::weights::{Exchange, Layout, Named};

/// Side of the convolutions' kernels, and of the primary capsules'.
const KERNELS: [usize; 2] = [5, 3];

/// Makes an [`EquivariantCapsNet`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EquivariantCapsNetConfig {
    /// Size of the images.
    pub image: ImageShape,
    /// Number of classes.
    pub classes: usize,
    /// What is done to pixels in 0..1 before the model sees them.
    pub normalize: Normalize,
    /// Radii of the polar grid, a multiple of 4; together they reach as far as the image's half side.
    pub radii: usize,
    /// Angles of the polar grid, a multiple of 8.
    pub angles: usize,
    /// Standard deviation in pixels of the Gaussian before sampling.
    pub smoothing: f64,
    /// Channels of the three convolutions.
    pub channels: [usize; 3],
    /// Whether the convolutions' outputs are batch-normalised.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub batch_norm: bool,
    /// Kinds of primary capsules at each position.
    pub primary_kinds: usize,
    /// Complex coordinates of a primary capsule.
    pub primary_dimensions: usize,
    /// How many complex coordinates of a class capsule turn not at all, with the image, and twice as fast.
    pub orders: Orders,
    /// Weight of a figure's standing upright in its class's score, beside 1 for the capsule's length; with 0 the answer
    /// is the same at all angles.
    pub upright_weight: f64,
    /// Weight of the margin loss of the capsules' lengths alone, beside 1 for that of the scores. Lengths are the same
    /// at all angles: with it they must tell a 6 from a 9 by shape, and `upright_weight` only decides where they can't.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub length_weight: f64,
    /// Standard deviation of the initial vote matrices.
    pub vote_std: f64,
    /// How votes become class capsules.
    pub routing: Routing,
}

impl Default for EquivariantCapsNetConfig {
    fn default() -> Self {
        Self {
            image: ImageShape::MNIST,
            classes: 10,
            normalize: Normalize::default(),
            radii: 16,
            angles: 64,
            smoothing: 0.8,
            channels: [24, 32, 48],
            batch_norm: false,
            primary_kinds: 8,
            primary_dimensions: 4,
            orders: Orders([4, 4, 4]),
            upright_weight: 0.5,
            length_weight: 0.0,
            vote_std: 0.03,
            routing: Routing::default(),
        }
    }
}

impl Architecture for EquivariantCapsNetConfig {
    type Network = EquivariantCapsNet;

    fn name(&self) -> &'static str {
        "equivariant-capsnet"
    }

    fn title(&self) -> &'static str {
        "Equivariant CapsNet"
    }

    fn about(&self) -> &'static str {
        "A capsule network that turns with its input, 117,416 parameters"
    }

    input_fields!();

    fn validate(&self) -> Result<(), ConfigError> {
        self.input().validate()?;
        let multiple = |field, value: usize, of: usize| {
            let holds = (of..=4096).contains(&value) && value.is_multiple_of(of);
            ConfigError::unless(
                holds,
                field,
                value,
                format!("it must be a multiple of {of}, 4,096 at most"),
            )
        };
        // The last convolution works on a quarter of the radii and reaches over two of them.
        multiple("radii", self.radii, 4)?;
        ConfigError::unless(self.radii >= 8, "radii", self.radii, "it must be at least 8")?;
        multiple("angles", self.angles, 8)?;
        let [first, second, third] = self.channels;
        let sizes = [
            ("channels", first),
            ("channels", second),
            ("channels", third),
            ("primary_kinds", self.primary_kinds),
            ("primary_dimensions", self.primary_dimensions),
            ("orders", self.orders.len()),
        ];
        for (field, value) in sizes {
            ConfigError::unless((1..=4096).contains(&value), field, value, "it must be 1 to 4,096")?;
        }
        let positive = [("smoothing", self.smoothing, 32.0), ("vote_std", self.vote_std, 1e6)];
        for (field, value, limit) in positive {
            let holds = value.is_finite() && value >= 1e-3 && value <= limit;
            ConfigError::unless(holds, field, value, format!("it must be 0.001 to {limit}"))?;
        }
        ConfigError::unless(
            (0.0..=1.0).contains(&self.upright_weight),
            "upright_weight",
            self.upright_weight,
            "it must be 0 to 1",
        )?;
        ConfigError::unless(
            (0.0..=100.0).contains(&self.length_weight),
            "length_weight",
            self.length_weight,
            "it must be 0 to 100",
        )?;
        ConfigError::unless(
            self.upright_weight == 0.0 || self.orders.0[1] > 0,
            "upright_weight",
            self.upright_weight,
            "without coordinates of order 1 it must be 0",
        )?;
        ConfigError::unless(
            self.routing.iterations() <= MAX_ITERATIONS,
            "routing.iterations",
            self.routing.iterations(),
            "it must be 100 at most",
        )?;
        ConfigError::unless(
            self.routing.algorithm().keeps_turns(),
            "routing",
            &self.routing,
            "what it comes to doesn't turn with the votes, which this network needs",
        )
    }

    /// Makes the network with default initial weights.
    fn init(&self, device: &Device) -> EquivariantCapsNet {
        let ImageShape {
            channels,
            height,
            width,
        } = self.image;
        // Half a pixel more than half the side: a figure's ink is rarely farther from its centre.
        let reach = height.min(width) as f64 / 2.0 + 0.5;
        let [first, second, third] = self.channels;
        let polar = |input, output| PolarConvConfig::new(input, output).with_batch_norm(self.batch_norm);
        let conv = |input, output| polar(input, output).with_kernel(KERNELS[0]).init(device);
        let primary = 2 * self.primary_kinds * self.primary_dimensions;
        EquivariantCapsNet {
            sampling: PolarSamplingConfig {
                height,
                width,
                radii: self.radii,
                angles: self.angles,
                spacing: reach / self.radii as f64,
                smoothing: self.smoothing,
            }
            .init(device),
            conv1: conv(channels + 1, first),
            conv2: conv(first, second),
            conv3: conv(second, third),
            primary_capsules: polar(third, primary)
                .with_kernel(KERNELS[1])
                .with_relu(false)
                .init(device),
            class_capsules: TurningCapsulesConfig {
                kinds: self.primary_kinds,
                lower_dimensions: self.primary_dimensions,
                radii: self.radii / 4,
                angles: self.angles / 4,
                upper: self.classes,
                orders: self.orders,
                weight_std: self.vote_std,
                routing: self.routing.clone(),
            }
            .init(device),
            upright: (self.upright_weight > 0.0).then(|| {
                let initializer = Initializer::Normal { mean: 0.0, std: 1.0 };
                initializer.init([self.classes, 2 * self.orders.0[1]], device)
            }),
            upright_weight: self.upright_weight,
            length_weight: self.length_weight,
        }
    }

    /// Vote matrices and directions are normal; convolutions follow He: there is nothing else to set the size of
    /// activations right before the squash.
    fn initial(&self, tensor: &str) -> Initial {
        match tensor {
            "upright" => Initial::Normal(1.0),
            _ if tensor.starts_with("class_capsules.") => Initial::Normal(self.vote_std),
            _ if tensor.contains(".norm.") => Initial::of_batch_norm(tensor),
            _ if tensor.ends_with(".bias") => Initial::Constant(0.0),
            _ => Initial::Uniform(6f32.sqrt()),
        }
    }

    fn usual_training(&self) -> Defaults {
        Defaults {
            batch_size: 32,
            learning_rate: 2e-3,
            ..Defaults::default()
        }
    }

    fn timing(&self) -> Timing {
        Timing {
            warmup: 10,
            group: 10,
            steps: 100,
        }
    }
}

/// A capsule network that turns with its input; see this file's header.
#[derive(Module, Debug)]
pub struct EquivariantCapsNet {
    /// From the image to a polar map.
    pub sampling: PolarSampling,
    /// The first convolution, of the map and of the radius itself.
    pub conv1: PolarConv,
    /// The second convolution.
    pub conv2: PolarConv,
    /// The third convolution.
    pub conv3: PolarConv,
    /// A convolution that is read as complex capsules.
    pub primary_capsules: PolarConv,
    /// One capsule a class.
    pub class_capsules: TurningCapsules,
    /// Where the coordinates of order 1 of each class's capsule point when its figures stand upright, `[classes, 2 *
    /// count]`; only directions count.
    pub upright: Option<Param<Tensor<2>>>,
    upright_weight: f64,
    length_weight: f64,
}

fn is_zero(number: &f64) -> bool {
    *number == 0.0
}

impl EquivariantCapsNet {
    /// The score of each class, `[B, classes]`: the length of its capsule, and how upright it stands.
    pub fn scores(&self, v: Tensor<3>) -> Tensor<2> {
        let pose = self.class_capsules.orders.of(1, &v);
        let lengths = lengths(v);
        match (&self.upright, pose) {
            (Some(upright), Some(pose)) => {
                let direction = upright.val();
                let norm = (direction.clone().square().sum_dim(1) + 1e-12).sqrt();
                let upright = (pose * (direction / norm).unsqueeze_dim::<3>(0))
                    .sum_dim(2)
                    .squeeze_dim::<2>(2);
                lengths + upright * self.upright_weight
            }
            _ => lengths,
        }
    }

    /// A loss of the scores, and of the lengths alone by their weight.
    fn with_lengths(&self, output: &Output, loss: impl Fn(Tensor<2>) -> Tensor<1>) -> Tensor<1> {
        let of_scores = loss(output.scores.clone());
        match &output.capsules {
            Some(capsules) if self.length_weight > 0.0 => {
                of_scores + loss(lengths(capsules.clone())) * self.length_weight
            }
            _ => of_scores,
        }
    }

    fn primary(&self, images: Tensor<4>, observer: &mut dyn Observer) -> Tensor<4> {
        let x = self.sampling.forward(images);
        observer.see_polar("polar_map", &x);
        let x = halve(self.conv1.forward(with_radius(x)));
        observer.see_polar("conv1", &x);
        let x = halve(self.conv2.forward(x));
        observer.see_polar("conv2", &x);
        let x = self.conv3.forward(x);
        observer.see_polar("conv3", &x);
        let x = self.primary_capsules.forward(x);
        observer.see_polar("primary_capsules", &x);
        x
    }
}

impl Network for EquivariantCapsNet {
    /// The capsules of the output are `[B, classes, 2 * orders]`, each coordinate a pair (real, imaginary), lowest
    /// order first.
    fn forward_observed(&self, images: Tensor<4>, observer: &mut dyn Observer) -> Output {
        let map = self.primary(images, observer);
        let v = self.class_capsules.forward(map);
        if observer.looks() {
            let orders = self.class_capsules.orders;
            observer.see_pose("class_capsules", &v, Action::Orders(orders.list()));
            for (order, name, action) in [
                (0, "class_capsules.order0", Action::Invariant),
                (1, "class_capsules.order1", Action::Rotates),
            ] {
                if let Some(coordinates) = orders.of(order, &v) {
                    observer.see_pose(name, &coordinates, action);
                }
            }
        }
        Output {
            scores: self.scores(v.clone()),
            capsules: Some(v),
        }
    }

    /// The margin loss of the scores, and of the lengths alone where they have a weight.
    fn loss(&self, output: &Output, _images: Tensor<4>, classes: Tensor<1, Int>) -> Tensor<1> {
        self.with_lengths(output, |scores| MarginLoss::default().forward(scores, classes.clone()))
    }

    /// The margin loss with both classes present.
    fn pair_loss(&self, output: &Output, _parts: [Tensor<2>; 2], classes: [Tensor<1, Int>; 2]) -> Tensor<1> {
        let truth = two_hot(classes, &output.scores);
        self.with_lengths(output, |scores| {
            MarginLoss::default().forward_present(scores, truth.clone())
        })
    }

    fn score_kind(&self) -> ScoreKind {
        if self.upright_weight > 0.0 {
            ScoreKind::LengthAndPose
        } else {
            ScoreKind::CapsuleLength
        }
    }

    fn probabilities(&self, output: &Output) -> Tensor<2> {
        output.scores.clone()
    }
}

/// The map with one channel more that holds the radius, 0 at the centre and 1 at the rim: what is near the centre may
/// be judged differently, whatever its angle.
fn with_radius(map: Tensor<4>) -> Tensor<4> {
    let [batch, _, radii, angles] = map.dims();
    let radius = (Tensor::<1, Int>::arange(0..radii as i64, &map.device()).float() + 0.5) / radii as f64;
    let radius = radius
        .cast(map.dtype())
        .reshape([1, 1, radii, 1])
        .expand([batch, 1, radii, angles]);
    Tensor::cat(vec![map, radius], 1)
}

impl Named for EquivariantCapsNet {
    fn exchange(&mut self, at: &str, with: &mut impl Exchange) {
        self.conv1.exchange(&format!("{at}conv1"), with);
        self.conv2.exchange(&format!("{at}conv2"), with);
        self.conv3.exchange(&format!("{at}conv3"), with);
        self.primary_capsules.exchange(&format!("{at}primary_capsules"), with);
        self.class_capsules.exchange(&format!("{at}class_capsules"), with);
        if let Some(upright) = &mut self.upright {
            with.parameter(format!("{at}upright"), Layout::Plain, upright);
        }
    }
}
