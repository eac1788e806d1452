//! The squash of primary capsules, from a convolution's channels: `capsnet-kernels` on the CPU backend in single
//! precision.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::prelude::*;

use super::flex::{contiguous, tensor, values};
use super::{has_kernels, squash};

/// Reads coordinates as capsules and squashes these.
///
/// # Shapes
///
/// - `coordinates`: `[B, E, I]`
/// - output: `[B, I, E]`, each of the `I` vectors squashed
pub fn squash_coordinates(coordinates: Tensor<3>) -> Tensor<3> {
    if has_kernels(&coordinates) {
        let u = <Dispatch as SquashKernel>::squash_coordinates(coordinates.into_dispatch());
        Tensor::from_dispatch(u)
    } else {
        squash(coordinates.swap_dims(1, 2))
    }
}

/// The fused operation, of backends that [`has_kernels`] names.
#[backend_extension(Flex, Autodiff)]
trait SquashKernel: Backend {
    /// See [`squash_coordinates`].
    fn squash_coordinates(coordinates: FloatTensor<Self>) -> FloatTensor<Self>;
}

impl SquashKernel for Flex {
    fn squash_coordinates(coordinates: FlexTensor) -> FlexTensor {
        let shape @ [batch, dimensions, capsules] = coordinates.shape().dims();
        let coordinates = contiguous(coordinates);
        let mut u = vec![0.0; batch * dimensions * capsules];
        capsnet_kernels::squash_coordinates(shape, values(&coordinates), &mut u)
            .expect("the lengths follow from the shapes");
        tensor(u, &[batch, capsules, dimensions])
    }
}

/// The gradient of the coordinates.
fn adjoint(coordinates: FlexTensor, gradient: FlexTensor) -> FlexTensor {
    let shape: [usize; 3] = coordinates.shape().dims();
    let (coordinates, gradient) = (contiguous(coordinates), contiguous(gradient));
    let mut dx = vec![0.0; shape.iter().product()];
    capsnet_kernels::squash_coordinates_backward(shape, values(&coordinates), values(&gradient), &mut dx)
        .expect("the lengths follow from the shapes");
    tensor(dx, &shape)
}

#[derive(Debug)]
struct SquashBackward;

impl Backward<Flex, 1> for SquashBackward {
    type State = FlexTensor;

    fn backward(self, ops: Ops<FlexTensor, 1>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let [node] = ops.parents;
        let gradient = gradients.consume::<Flex>(&ops.node);
        if let Some(node) = node {
            gradients.register::<Flex>(node.id, adjoint(ops.state, gradient));
        }
    }
}

impl<C: CheckpointStrategy> SquashKernel for Autodiff<Flex, C> {
    fn squash_coordinates(coordinates: FloatTensor<Self>) -> FloatTensor<Self> {
        let x = coordinates.primitive().clone();
        let u = Flex::squash_coordinates(x.clone());
        match SquashBackward
            .prepare::<C>([coordinates.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish(x, u),
            OpsKind::UnTracked(prep) => prep.finish(u),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Distribution, TensorData, Tolerance};

    /// Output and gradient under the loss `sum(u * c)`.
    fn run(squash: impl Fn(Tensor<3>) -> Tensor<3>, x: &Tensor<3>, c: &Tensor<3>) -> [TensorData; 2] {
        let x = x.clone().require_grad();
        let u = squash(x.clone());
        let gradients = (u.clone() * c.clone()).sum().backward();
        [u.into_data(), x.grad(&gradients).unwrap().into_data()]
    }

    #[test]
    fn kernel_and_plain_operations_agree_on_values_and_gradients() {
        let device = Device::flex().autodiff();
        for [batch, dimensions, capsules] in [[1, 8, 36], [7, 5, 33], [2, 1, 3]] {
            let random = |shape| Tensor::<3>::random(shape, Distribution::Normal(0.0, 1.0), &device);
            let (x, c) = (
                random([batch, dimensions, capsules]),
                random([batch, capsules, dimensions]),
            );
            assert!(has_kernels(&x));
            let ours = run(squash_coordinates, &x, &c);
            let plain = run(|x| squash(x.swap_dims(1, 2)), &x, &c);
            for (ours, plain) in ours.iter().zip(&plain) {
                ours.assert_approx_eq::<f32>(plain, Tolerance::rel_abs(1e-5, 1e-6));
            }
        }
    }
}
