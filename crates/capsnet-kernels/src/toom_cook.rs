//! The 9x9 stride-2 convolution with 6.6 times fewer multiplications: polyphase splitting and Toom-Cook transforms.
//! Smaller kernels are computed as such of 9x9 taps, the last of which are zero.
//!
//! Stride 2 splits the convolution into four stride-1 ones (kernel phases of 5x5, 5x4, 4x5 and 4x4 taps on the even and
//! odd rows and columns of the input), whose sums are the outputs. Each is computed in tiles of 6x6 outputs: transform
//! input window and taps, multiply element by element (summing over input channels and phases: 121 matrix products),
//! and transform the sums back. Both backward passes are the transposed pipeline. `docs/kernels.md` derives it.
//!
//! | room | job |
//! |---|---|
//! | `points` | interpolation points and the constants that follow from them |
//! | `linear` | the one-dimensional transforms, on vectors of channels |
//! | `transform` | the two-dimensional ones, phase by phase |
//! | `layout` | memory layout of transformed operands; tiles, chunks and blocks |
//! | `staging` | between NCHW tensors and vectors of channels |
//! | `operands` | transforms of whole blocks: inputs, kernels, output gradients |
//! | `forward`, `backward_data`, `backward_weight` | blocking and matrix products of the three passes |
//!
//! Threads share no output: each element is computed by one task, whose sums run in a fixed order. The results
//! therefore don't depend on the number of threads.

mod backward_data;
mod backward_weight;
mod forward;
mod layout;
mod linear;
mod operands;
mod points;
mod staging;
mod transform;

pub(crate) use backward_data::backward_data;
pub(crate) use backward_weight::backward_weight;
pub(crate) use forward::forward;
pub(crate) use layout::{KERNEL, PHASES, STRIDE, Tiling};
pub(crate) use linear::Linear;
pub(crate) use operands::by_block;
