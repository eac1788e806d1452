//! A transforming auto-encoder: capsules that learn poses from pairs of images with a known move between them (Hinton,
//! Krizhevsky, Wang 2011).
//!
//! ```text
//! each capsule: h = sigmoid(R x), U recognition units of the whole image
//!               p = sigmoid(h), how present its thing is;  (x, y) = linear in h, or a 3 x 3 matrix A
//! the move:     (x, y) + (dx, dy), or T A
//!               g = sigmoid of G generation units of the moved pose;  its part of the image = p (linear in g)
//! the moved image: the sum of all parts
//! ```
//!
//! The loss is the squared error of that image, summed over pixels. With `pose_weight` the squared error of the poses
//! is added, between those of the moved image and the moved ones of the image, summed over capsules: the paper has
//! none, and without it poses follow only a part of a move. Poses count [`PIXELS_A_UNIT`] pixels as one. Shown are the
//! images of the data set, which should be jittered (`--augment translate=5`), or else all poses can be the same. The
//! moves are drawn in every step from the number of the step; without gradients always the same ones, so that losses of
//! validations compare. The network knows no classes: its scores are all zero.
//!
//! Tensor names: `recognition`, `presence`, `pose`, `generation`, each capsule beside the other, and `parts.weight`,
//! `parts.bias`.

use burn::module::Param;
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::prelude::*;
use burn::tensor::activation::sigmoid;
use capsnet_data::random::Seed;
use capsnet_data::transform::Normalize;
use capsnet_weights::StateDict;
use serde::{Deserialize, Serialize};

use super::architecture::side_of_square;
use super::input::input_fields;
use super::{Architecture, ConfigError, Defaults, ImageShape, Initial, Network, Output, ScoreKind};
use crate::loss::{pixels_of, reconstruction_loss};
use crate::moves::{Move, MoveKind, moved_images};
use crate::observe::Observer;
use crate::ops::{Activation, linear};
use crate::train::Schedule;
use crate::weights::{Exchange, Layout, Named};

/// Pixels that are 1 in a pose.
pub const PIXELS_A_UNIT: f64 = 10.0;

/// Makes a [`TransformingAutoencoder`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TransformingAutoencoderConfig {
    /// Size of the images.
    pub image: ImageShape,
    /// Number of classes of the data, which are not looked at.
    pub classes: usize,
    /// What is done to pixels in 0..1 before the model sees them.
    pub normalize: Normalize,
    /// What is done to images, and so what a pose is.
    pub moves: MoveKind,
    /// Number of capsules.
    pub capsules: usize,
    /// Recognition units of a capsule.
    pub recognition_units: usize,
    /// Generation units of a capsule.
    pub generation_units: usize,
    /// Weight of the squared error of poses in the loss, 0 in the paper.
    pub pose_weight: f64,
}

impl Default for TransformingAutoencoderConfig {
    fn default() -> Self {
        Self::translation()
    }
}

impl TransformingAutoencoderConfig {
    /// Thirty capsules with a place, as in the paper's first experiment.
    pub fn translation() -> Self {
        Self {
            image: ImageShape::MNIST,
            classes: 10,
            normalize: Normalize::default(),
            moves: MoveKind::Translation,
            capsules: 30,
            recognition_units: 10,
            generation_units: 20,
            pose_weight: 0.0,
        }
    }

    /// Twenty-five larger capsules with a matrix.
    pub fn affine() -> Self {
        Self {
            moves: MoveKind::Affine,
            capsules: 25,
            recognition_units: 40,
            generation_units: 40,
            ..Self::translation()
        }
    }

    fn pose(&self) -> usize {
        match self.moves {
            MoveKind::Translation => 2,
            MoveKind::Affine => 9,
        }
    }
}

impl Architecture for TransformingAutoencoderConfig {
    type Network = TransformingAutoencoder;

    fn name(&self) -> &'static str {
        "transforming-autoencoder"
    }

    fn title(&self) -> &'static str {
        "Transforming auto-encoder"
    }

    fn about(&self) -> &'static str {
        "Capsules that learn poses from moved images, 732,210 parameters; names no classes"
    }

    input_fields!();

    fn validate(&self) -> Result<(), ConfigError> {
        self.input().validate()?;
        let sizes = [
            ("capsules", self.capsules),
            ("recognition_units", self.recognition_units),
            ("generation_units", self.generation_units),
        ];
        for (field, value) in sizes {
            ConfigError::unless((1..=4096).contains(&value), field, value, "it must be 1 to 4096")?;
        }
        let weight = self.pose_weight;
        let holds = (0.0..=1e6).contains(&weight);
        ConfigError::unless(holds, "pose_weight", weight, "it must be 0 to 1,000,000")
    }

    fn init(&self, device: &Device) -> TransformingAutoencoder {
        let (capsules, pose, pixels) = (self.capsules, self.pose(), self.image.pixels());
        let (seen, drawn) = (self.recognition_units, self.generation_units);
        let normal = Initializer::Normal { mean: 0.0, std: 0.1 };
        let zeros = Initializer::Zeros;
        TransformingAutoencoder {
            recognition: LinearConfig::new(pixels, capsules * seen).init(device),
            presence: normal.init([capsules, seen], device),
            presence_bias: zeros.init([capsules], device),
            pose: normal.init([capsules, pose, seen], device),
            pose_bias: zeros.init([capsules, pose], device),
            generation: normal.init([capsules, drawn, pose], device),
            generation_bias: zeros.init([capsules, drawn], device),
            parts: normal.init([capsules * drawn, pixels], device),
            parts_bias: zeros.init([capsules, pixels], device),
            normalize: self.normalize,
            moves: self.moves,
            pose_weight: self.pose_weight,
            classes: self.classes,
            step: 0,
        }
    }

    /// Recognition is PyTorch's; of a pose, generation units see all there is to see from the start.
    fn initial(&self, tensor: &str) -> Initial {
        match tensor {
            "recognition.weight" | "recognition.bias" => Initial::PYTORCH,
            "presence.weight" | "pose.weight" => Initial::Normal((1.0 / self.recognition_units as f64).sqrt()),
            // A place counts ten pixels as one: with weights of 1 a unit would hardly bend over a digit's width.
            "generation.weight" if self.moves == MoveKind::Translation => Initial::Normal(5.0),
            "generation.bias" if self.moves == MoveKind::Translation => Initial::Normal(2.0),
            "generation.weight" | "generation.bias" => Initial::Normal(1.0),
            "parts.weight" => Initial::Normal(0.1 / ((self.capsules * self.generation_units) as f64).sqrt()),
            _ => Initial::Constant(0.0),
        }
    }

    fn usual_training(&self) -> Defaults {
        Defaults {
            epochs: 30,
            learning_rate: 5e-3,
            schedule: Schedule::Cosine,
            ..Defaults::default()
        }
    }

    fn recognise(weights: &StateDict) -> Option<Self> {
        let (&[capsules, generation_units, pose], &[_, recognition_units], &[_, pixels]) = (
            weights.shape_of("generation.weight")?,
            weights.shape_of("presence.weight")?,
            weights.shape_of("parts.bias")?,
        ) else {
            return None;
        };
        let side = side_of_square(pixels)?;
        Some(Self {
            image: ImageShape {
                channels: 1,
                height: side,
                width: side,
            },
            moves: match pose {
                2 => MoveKind::Translation,
                9 => MoveKind::Affine,
                _ => return None,
            },
            capsules,
            recognition_units,
            generation_units,
            ..Self::default()
        })
    }

    fn names_classes(&self) -> bool {
        false
    }

    fn no_pairs(&self) -> Option<&'static str> {
        Some("a transforming auto-encoder names no classes")
    }
}

/// A transforming auto-encoder; see this file's header.
#[derive(Module, Debug)]
pub struct TransformingAutoencoder {
    recognition: Linear,
    presence: Param<Tensor<2>>,
    presence_bias: Param<Tensor<1>>,
    pose: Param<Tensor<3>>,
    pose_bias: Param<Tensor<2>>,
    generation: Param<Tensor<3>>,
    generation_bias: Param<Tensor<2>>,
    parts: Param<Tensor<2>>,
    parts_bias: Param<Tensor<2>>,
    #[module(skip)]
    normalize: Normalize,
    #[module(skip)]
    moves: MoveKind,
    pose_weight: f64,
    classes: usize,
    /// Steps of training made before, from which moves are drawn.
    step: usize,
}

/// What capsules say of a batch.
#[derive(Clone, Debug)]
pub struct Poses {
    /// How present each capsule's thing is, `[B, capsules]`.
    pub presence: Tensor<2>,
    /// Where, `[B, capsules, 2]`, x to the right and y down; or a matrix, `[B, capsules, 9]`.
    pub pose: Tensor<3>,
}

impl TransformingAutoencoder {
    /// What the capsules see in images, `[B, channels, height, width]`.
    pub fn poses(&self, images: Tensor<4>) -> Poses {
        let [batch, ..] = images.dims();
        let pixels = pixels_of(images, self.normalize);
        let bias = self.recognition.bias.as_ref().expect("the layer has a bias");
        let seen = linear(pixels, self.recognition.weight.val(), bias.val(), Activation::Sigmoid);
        let [capsules, pose, units] = self.pose.dims();
        let seen = seen.reshape([batch, capsules, 1, units]);
        let presence = (seen.clone() * self.presence.val().reshape([1, capsules, 1, units])).sum_dim(3);
        let presence = presence.reshape([batch, capsules]) + self.presence_bias.val().unsqueeze_dim(0);
        let found = (seen * self.pose.val().unsqueeze_dim(0)).sum_dim(3);
        Poses {
            presence: sigmoid(presence),
            pose: found.reshape([batch, capsules, pose]) + self.pose_bias.val().unsqueeze_dim(0),
        }
    }

    /// The images that capsules draw at these poses after a move of each sample, `[B, pixels]`.
    pub fn draw(&self, poses: &Poses, moves: &[Move]) -> Tensor<2> {
        let pose = self.moves.apply(poses.pose.clone(), moves);
        let [batch, capsules, dimensions] = pose.dims();
        let [_, units, _] = self.generation.dims();
        let drawn =
            (pose.reshape([batch, capsules, 1, dimensions]) * self.generation.val().unsqueeze_dim(0)).sum_dim(3);
        let drawn = sigmoid(drawn.reshape([batch, capsules, units]) + self.generation_bias.val().unsqueeze_dim(0));
        let present = drawn * poses.presence.clone().unsqueeze_dim(2);
        present.reshape([batch, capsules * units]).matmul(self.parts.val())
            + poses.presence.clone().matmul(self.parts_bias.val())
    }

    /// What is done to images.
    pub fn moves(&self) -> MoveKind {
        self.moves
    }

    /// Pixels in 0..1 of images that the network is shown, `[B, pixels]`.
    pub fn pixels(&self, images: Tensor<4>) -> Tensor<2> {
        pixels_of(images, self.normalize)
    }
}

impl Network for TransformingAutoencoder {
    fn forward_observed(&self, images: Tensor<4>, observer: &mut dyn Observer) -> Output {
        let scores = Tensor::zeros([images.dims()[0], self.classes], (&images.device(), images.dtype()));
        let Poses { presence, pose } = self.poses(images);
        observer.see("presence", &presence);
        observer.see("pose", &pose);
        Output {
            scores,
            capsules: Some(Tensor::cat(vec![presence.unsqueeze_dim(2), pose], 2)),
        }
    }

    /// Of the images after moves of this step.
    fn loss(&self, output: &Output, images: Tensor<4>, _classes: Tensor<1, Int>) -> Tensor<1> {
        let capsules = output.capsules.clone().expect("the network has capsules");
        let [batch, count, numbers] = capsules.dims();
        let poses = Poses {
            presence: capsules.clone().narrow(2, 0, 1).reshape([batch, count]),
            pose: capsules.narrow(2, 1, numbers - 1),
        };
        // Without gradients it is a validation, whose loss is compared to others.
        let step = if images.device().is_autodiff() {
            1 + self.step as u64
        } else {
            0
        };
        let moves: Vec<Move> = (0..batch as u64)
            .map(|index| self.moves.draw(Seed(2011), step, index))
            .collect();
        let moved = moved_images(images, self.normalize, &moves);
        let loss = reconstruction_loss(self.draw(&poses, &moves), pixels_of(moved.clone(), self.normalize));
        if self.pose_weight == 0.0 {
            return loss;
        }
        let astray = self.poses(moved).pose - self.moves.apply(poses.pose, &moves);
        loss + astray.square().sum() * (self.pose_weight / batch as f64)
    }

    fn at_step(&mut self, step: u64) {
        self.step = usize::try_from(step).unwrap_or(usize::MAX);
    }

    fn score_kind(&self) -> ScoreKind {
        ScoreKind::CapsuleLength
    }

    fn probabilities(&self, output: &Output) -> Tensor<2> {
        output.scores.clone()
    }
}

impl Named for TransformingAutoencoder {
    fn exchange(&mut self, at: &str, with: &mut impl Exchange) {
        self.recognition.exchange(&format!("{at}recognition"), with);
        with.parameter(format!("{at}presence.weight"), Layout::Plain, &mut self.presence);
        with.parameter(format!("{at}presence.bias"), Layout::Plain, &mut self.presence_bias);
        with.parameter(format!("{at}pose.weight"), Layout::Plain, &mut self.pose);
        with.parameter(format!("{at}pose.bias"), Layout::Plain, &mut self.pose_bias);
        with.parameter(format!("{at}generation.weight"), Layout::Plain, &mut self.generation);
        with.parameter(format!("{at}generation.bias"), Layout::Plain, &mut self.generation_bias);
        with.parameter(format!("{at}parts.weight"), Layout::Plain, &mut self.parts);
        with.parameter(format!("{at}parts.bias"), Layout::Plain, &mut self.parts_bias);
    }
}
