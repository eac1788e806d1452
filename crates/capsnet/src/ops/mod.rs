//! Operations with a kernel of our own on the CPU backend.
//!
//! Each asks [`has_kernels`]: our kernel and its hand-written adjoint where it holds, else plain tensor operations,
//! which Burn differentiates on every backend. Layers call the functions here and don't know which of the two runs.

mod adam;
#[cfg(test)]
mod agreement;
mod batch_norm;
mod conv_block;
mod convolution;
mod cross_entropy;
mod dense;
mod em_routing;
mod flex;
mod frozen;
#[cfg(feature = "gpu")]
mod gpu;
mod loss;
mod margin_loss;
mod norm;
mod profile;
mod routing;
mod squash;
mod squash_coordinates;
mod together;

use burn::prelude::*;
use burn::tensor::DType;

pub use adam::{AdamStep, adam_update};
pub use batch_norm::{Moments, batch_norm};
pub use conv_block::conv_relu_pool;
pub use convolution::{conv2d, conv2d_relu};
pub use cross_entropy::cross_entropy;
pub use dense::{Activation, linear};
pub use em_routing::{EmForm, EmRound, em_rounds, em_routing};
pub use frozen::{CapsuleWeights, FrozenCapsules};
pub use margin_loss::{Margins, margin_loss};
pub use norm::sum_of_squares;
pub(crate) use profile::timed;
pub use profile::{Profile, Spent, Way, begin_profile, end_profile};
pub use routing::route_votes;
pub use squash::{lengths, squash, squash_exponential};
pub use squash_coordinates::squash_coordinates;
pub(crate) use together::{Together, compute_part, in_part};

/// Whether a tensor is where our kernels run: on the CPU backend, in single precision. With or without autodiff is the
/// same.
pub fn has_kernels<const N: usize>(tensor: &Tensor<N>) -> bool {
    tensor.dtype() == DType::F32 && tensor.device() == Device::flex()
}
