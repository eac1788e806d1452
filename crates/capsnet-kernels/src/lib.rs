//! CPU kernels for capsule networks, on plain `f32` slices.
//!
//! Slices and shapes in, slices out: no tensor library, no allocation in hot loops, no global state but the rayon pool
//! that the caller is in. Every forward pass has its hand-written adjoint. Results don't depend on the number of
//! threads. The mathematics is in `docs/kernels.md` of the repository.
//!
//! - [`Conv2d`]: strided 2-D convolution; the 9x9 stride-2 convolution of the CapsNet runs with 6.6 times fewer
//!   multiplications than its definition has, 3x3 ones with stride 1 with 4 times fewer.
//! - [`FrozenConv2d`]: the same for few images by weights that don't change, which are transformed once.
//! - [`Dense`]: fully connected layer with its activation.
//! - [`AdamStep`]: the optimiser's update of a parameter and its moments, in one pass.
//! - [`VoteRouting`]: votes of lower capsules and dynamic routing to upper ones, without materialising the votes.
//! - [`FrozenVoteRouting`]: the same by weights that don't change.
//! - [`EmRouting`]: convolutional matrix capsules with EM routing, without materialising the votes.
//! - [`squash_coordinates`]: the squash of primary capsules, from a convolution's channels to one vector a capsule.
//! - [`ConvBlock`]: a small convolution with bias, ReLU and average pooling in one visit to each image.
//! - [`BatchNorm`]: batch normalisation by the batch's own statistics.
//! - [`cross_entropy`]: the loss of a classifier and its gradient.
//! - [`margin_loss`]: the loss of capsule lengths and its gradient.
//! - [`sum_of_squares`]: what a gradient's norm is the root of.
//! - [`peak()`]: what the machine can do at most, to compare with.
//! - [`instruction_set`]: what the kernels run on; the environment variable `CAPSNET_SIMD` caps it.

#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

mod adam;
mod batch_norm;
mod conv;
mod conv_block;
mod cross_entropy;
mod dense;
mod direct;
mod em_routing;
mod error;
mod frozen_conv;
#[cfg(feature = "gpu")]
pub mod gpu;
mod margin_loss;
mod matmul;
mod microkernel;
mod norm;
mod peak;
mod routing;
mod scratch;
mod shape;
mod simd;
mod squash;
mod toom_cook;
mod winograd;

pub use adam::AdamStep;
pub use batch_norm::{BatchMoments, BatchNorm, BatchNormGradients};
pub use conv::{Algorithm, Conv2d, Pass};
pub use conv_block::{ConvBlock, ConvBlockGradients};
pub use cross_entropy::cross_entropy;
pub use dense::{Activation, Dense, DenseGradients};
pub use em_routing::{Centres, EmForm, EmGradients, EmKept, EmRouting, EmShape};
pub use error::KernelError;
pub use frozen_conv::FrozenConv2d;
pub use margin_loss::{Margins, margin_loss};
pub use norm::sum_of_squares;
pub use peak::{Peak, peak};
pub use routing::{CouplingsOver, FrozenVoteRouting, RoutingShape, VoteRouting};
pub use scratch::Scratch;
pub use shape::ConvShape;
pub use simd::{INSTRUCTION_SETS, SIMD_VARIABLE, UnknownInstructionSet, check_environment, instruction_set};
pub use squash::{SQUASH_EPSILON, squash_coordinates, squash_coordinates_backward};

/// The examples of the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
