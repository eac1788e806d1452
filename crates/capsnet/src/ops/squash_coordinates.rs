//! The squash of primary capsules, from a convolution's channels: `capsnet-kernels` on the CPU backend in single
//! precision.

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use burn::prelude::*;

use super::flex::{Kernel, contiguous, tensor, unary, values};
use super::{has_kernels, squash};

/// Reads coordinates as capsules and squashes these.
///
/// # Shapes
///
/// - `coordinates`: `[B, E, I]`
/// - output: `[B, I, E]`, each of the `I` vectors squashed
pub fn squash_coordinates(coordinates: Tensor<3>) -> Tensor<3> {
    if has_kernels(&coordinates) {
        unary(SquashCoordinates, coordinates)
    } else {
        plain(coordinates)
    }
}

/// By the backend's own operations.
pub(super) fn plain(coordinates: Tensor<3>) -> Tensor<3> {
    squash(coordinates.swap_dims(1, 2))
}

#[derive(Clone, Debug)]
struct SquashCoordinates;

impl Kernel<1> for SquashCoordinates {
    /// The coordinates.
    type Kept = FlexTensor;
    const NAME: &'static str = "squash";

    fn forward(&self, [coordinates]: [FlexTensor; 1], _keep: bool) -> (FlexTensor, FlexTensor) {
        let shape @ [batch, dimensions, capsules] = coordinates.shape().dims();
        let coordinates = contiguous(coordinates);
        let mut u = vec![0.0; batch * dimensions * capsules];
        capsnet_kernels::squash_coordinates(shape, values(&coordinates), &mut u)
            .expect("the lengths follow from the shapes");
        (tensor(u, &[batch, capsules, dimensions]), coordinates)
    }

    fn backward(&self, coordinates: FlexTensor, gradient: FlexTensor, _wanted: [bool; 1]) -> [Option<FlexTensor>; 1] {
        let shape: [usize; 3] = coordinates.shape().dims();
        let gradient = contiguous(gradient);
        let mut dx = vec![0.0; shape.iter().product()];
        capsnet_kernels::squash_coordinates_backward(shape, values(&coordinates), values(&gradient), &mut dx)
            .expect("the lengths follow from the shapes");
        [Some(tensor(dx, &shape))]
    }
}
