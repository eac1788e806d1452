//! Operations with a kernel of our own on the CPU backend.
//!
//! Each is one backend extension of Burn: our kernel and its hand-written adjoint on the CPU, Burn's own operations on every
//! other backend. Layers call the functions here and don't know which of the two runs.

mod adam;
mod conv_block;
mod convolution;
mod cross_entropy;
mod dense;
mod flex;
mod frozen;
mod loss;
mod margin_loss;
mod routing;
mod squash;
mod squash_coordinates;

use burn::prelude::*;
use burn::tensor::DType;

pub use adam::{AdamStep, adam_update};
pub use conv_block::conv_relu_pool;
pub use convolution::{conv2d, conv2d_relu};
pub use cross_entropy::cross_entropy;
pub use dense::{Activation, linear};
pub use frozen::{CapsuleWeights, FrozenCapsules};
pub use margin_loss::{Margins, margin_loss};
pub use routing::route_votes;
pub use squash::{lengths, squash};
pub use squash_coordinates::squash_coordinates;

/// Whether a tensor is where operations without a body for other backends run: on the CPU backend, in single precision.
pub fn has_kernels<const N: usize>(tensor: &Tensor<N>) -> bool {
    tensor.dtype() == DType::F32 && tensor.device().inner() == Device::flex()
}
