//! Operations with a kernel of our own on the CPU backend.
//!
//! Each is one backend extension of Burn: our kernel and its hand-written adjoint on the CPU, Burn's own operations on every
//! other backend. Layers call the functions here and don't know which of the two runs.

mod conv_block;
mod convolution;
mod cross_entropy;

pub use conv_block::conv_relu_pool;
pub use convolution::conv2d;
pub use cross_entropy::cross_entropy;
