//! Operations with a kernel of our own on the CPU backend.
//!
//! Each is one backend extension of Burn: our kernel and its hand-written adjoint on the CPU, Burn's own operations on every
//! other backend. Layers call the functions here and don't know which of the two runs.

mod convolution;
mod dense;
mod flex;

pub use convolution::{conv2d, conv2d_relu};
pub use dense::{Activation, linear};
