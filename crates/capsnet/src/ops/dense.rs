//! The fully connected layer with its activation: `capsnet-kernels` on the CPU backend, Burn's own operations elsewhere.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, backend_extension};
use burn::prelude::*;
pub use capsnet_kernels::Activation;

/// `activation(x weight + bias)`.
///
/// # Shapes
///
/// - `x`: `[B, in]`
/// - `weight`: `[in, out]` as in [`burn::nn::Linear`], `bias`: `[out]`
/// - output: `[B, out]`
pub fn linear(x: Tensor<2>, weight: Tensor<2>, bias: Tensor<1>, activation: Activation) -> Tensor<2> {
    let (x, weight, bias) = (x.into_dispatch(), weight.into_dispatch(), bias.into_dispatch());
    Tensor::from_dispatch(<Dispatch as DenseLayer>::dense(x, weight, bias, activation))
}

/// The fully connected layer as an operation of a backend.
#[cfg_attr(not(feature = "gpu"), backend_extension(Flex, Autodiff))]
#[cfg_attr(feature = "gpu", backend_extension(Flex, Cube, Autodiff, Fusion))]
pub trait DenseLayer: Backend {
    /// See [`linear`].
    #[cfg_attr(feature = "gpu", fusion(default))]
    fn dense(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        activation: Activation,
    ) -> FloatTensor<Self> {
        plain::<Self>(x, weight, bias, activation)
    }
}

/// The layer in Burn's own operations.
fn plain<B: Backend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    activation: Activation,
) -> FloatTensor<B> {
    let z = B::linear(x, weight, Some(bias));
    match activation {
        Activation::Identity => z,
        Activation::Relu => B::relu(z),
        Activation::Sigmoid => B::sigmoid(z),
    }
}

/// The adjoint of the layer, on backends without autodiff.
pub trait DenseLayerAdjoint: DenseLayer {
    /// The gradients of x, weight and bias as far as they are wanted, from that of the output.
    fn dense_backward(
        saved: Saved<FloatTensor<Self>>,
        gradient: FloatTensor<Self>,
        wanted: [bool; 3],
    ) -> [Option<FloatTensor<Self>>; 3] {
        plain_backward::<Self>(saved, gradient, wanted)
    }
}

/// The adjoint in Burn's own operations.
fn plain_backward<B: Backend>(
    saved: Saved<FloatTensor<B>>,
    gradient: FloatTensor<B>,
    [wants_x, wants_weight, wants_bias]: [bool; 3],
) -> [Option<FloatTensor<B>>; 3] {
    let dz = match (saved.activation, saved.y) {
        (Activation::Relu, Some(y)) => B::relu_backward(y, gradient),
        (Activation::Sigmoid, Some(y)) => B::sigmoid_backward(y, gradient),
        _ => gradient,
    };
    let (x, weight) = (saved.x, saved.weight);
    [
        wants_x.then(|| B::linear_x_backward(weight, dz.clone())),
        wants_weight.then(|| B::linear_weight_backward(x, dz.clone())),
        wants_bias.then(|| B::linear_bias_backward(dz)),
    ]
}

/// What the adjoint of the layer needs.
#[derive(Debug, Clone)]
pub struct Saved<T> {
    x: T,
    weight: T,
    /// The output, if there is an activation.
    y: Option<T>,
    activation: Activation,
}

#[cfg(feature = "gpu")]
mod gpu {
    use super::{DenseLayer, DenseLayerAdjoint};
    use burn::backend::Cube;
    use burn::backend::fusion::Fusion;

    impl DenseLayer for Cube {}
    impl DenseLayerAdjoint for Cube {}
    impl DenseLayerAdjoint for Fusion<Cube> {}
}

mod cpu {
    use std::sync::Arc;

    use burn::backend::flex::FlexTensor;
    use burn::backend::{Flex, TensorMetadata};
    use burn::tensor::DType;
    use capsnet_kernels::{Activation, Dense, DenseGradients};

    use super::super::flex::{Plans, SCRATCH, contiguous, tensor, values};
    use super::{DenseLayer, DenseLayerAdjoint, Saved, plain, plain_backward};

    /// A decoder has three layers, as has LeNet-5.
    static PLANS: Plans<([usize; 3], Activation), Dense> = Plans::for_layers(3);

    fn plan(x: &FlexTensor, weight: &FlexTensor, activation: Activation) -> Arc<Dense> {
        let ([batch, inputs], [_, outputs]) = (x.shape().dims(), weight.shape().dims());
        PLANS.get(([batch, inputs, outputs], activation), || {
            let plan = Dense::new(batch, inputs, outputs, activation).expect("tensors that exist");
            plan.with_scratch(&SCRATCH)
        })
    }

    /// Whether the kernel computes the layer: f32, and at least one element.
    fn supported(x: &FlexTensor, weight: &FlexTensor) -> bool {
        x.dtype() == DType::F32 && x.shape().num_elements() > 0 && weight.shape().num_elements() > 0
    }

    impl DenseLayer for Flex {
        fn dense(x: FlexTensor, weight: FlexTensor, bias: FlexTensor, activation: Activation) -> FlexTensor {
            if !supported(&x, &weight) {
                return plain::<Self>(x, weight, bias, activation);
            }
            let (x, weight, bias) = (contiguous(x), contiguous(weight), contiguous(bias));
            let plan = plan(&x, &weight, activation);
            let [batch, _, outputs] = plan.shape();
            let mut y = vec![0.0; batch * outputs];
            plan.forward(values(&x), values(&weight), Some(values(&bias)), &mut y)
                .expect("the lengths follow from the shapes");
            tensor(y, &[batch, outputs])
        }
    }

    impl DenseLayerAdjoint for Flex {
        fn dense_backward(
            saved: Saved<FlexTensor>,
            gradient: FlexTensor,
            wanted: [bool; 3],
        ) -> [Option<FlexTensor>; 3] {
            if !supported(&saved.x, &saved.weight) {
                return plain_backward::<Self>(saved, gradient, wanted);
            }
            let (x, weight) = (contiguous(saved.x), contiguous(saved.weight));
            let (y, gradient) = (saved.y.map(contiguous), contiguous(gradient));
            let plan = plan(&x, &weight, saved.activation);
            let [batch, inputs, outputs] = plan.shape();
            let [wants_x, wants_weight, wants_bias] = wanted;
            let mut dx = wants_x.then(|| vec![0.0; batch * inputs]);
            let mut dw = wants_weight.then(|| vec![0.0; inputs * outputs]);
            let mut db = wants_bias.then(|| vec![0.0; outputs]);
            let gradients = DenseGradients {
                dx: dx.as_deref_mut(),
                dw: dw.as_deref_mut(),
                db: db.as_deref_mut(),
            };
            let y = y.as_ref().map_or(&[][..], values);
            plan.backward(values(&x), values(&weight), y, values(&gradient), gradients)
                .expect("the lengths follow from the shapes");
            [
                dx.map(|dx| tensor(dx, &[batch, inputs])),
                dw.map(|dw| tensor(dw, &[inputs, outputs])),
                db.map(|db| tensor(db, &[outputs])),
            ]
        }
    }
}

/// Registers the gradients of x, weight and bias.
#[derive(Debug)]
struct DenseBackward;

impl<B: DenseLayerAdjoint> Backward<B, 3> for DenseBackward {
    type State = Saved<FloatTensor<B>>;

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let results = B::dense_backward(ops.state, gradient, wanted);
        for (node, result) in ops.parents.into_iter().zip(results) {
            if let (Some(node), Some(result)) = (node, result) {
                gradients.register::<B>(node.id, result);
            }
        }
    }
}

impl<B: DenseLayerAdjoint, C: CheckpointStrategy> DenseLayer for Autodiff<B, C> {
    fn dense(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        activation: Activation,
    ) -> FloatTensor<Self> {
        let ((x, node_x), (weight, node_weight)) = (x.into_parts(), weight.into_parts());
        let (bias, node_bias) = bias.into_parts();
        let parents = [node_x, node_weight, node_bias];
        match DenseBackward.prepare::<C>(parents).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let y = B::dense(x.clone(), weight.clone(), bias, activation);
                let saved = Saved {
                    x,
                    weight,
                    y: (activation != Activation::Identity).then(|| y.clone()),
                    activation,
                };
                prep.finish(saved, y)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::dense(x, weight, bias, activation)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::activation::{relu, sigmoid};
    use burn::tensor::{Distribution, Tolerance, module};

    fn in_plain_operations(x: Tensor<2>, weight: Tensor<2>, bias: Tensor<1>, activation: Activation) -> Tensor<2> {
        let z = module::linear(x, weight, Some(bias));
        match activation {
            Activation::Identity => z,
            Activation::Relu => relu(z),
            Activation::Sigmoid => sigmoid(z),
        }
    }

    /// Output and gradients of x, weight and bias under the loss `sum(y * c)`.
    fn run(
        layer: impl Fn(Tensor<2>, Tensor<2>, Tensor<1>, Activation) -> Tensor<2>,
        (x, weight, bias, c): &(Tensor<2>, Tensor<2>, Tensor<1>, Tensor<2>),
        activation: Activation,
    ) -> [TensorData; 4] {
        // The transposed input is what a layer may get: not contiguous.
        let x = x.clone().require_grad();
        let (weight, bias) = (weight.clone().require_grad(), bias.clone().require_grad());
        let y = layer(x.clone().transpose(), weight.clone(), bias.clone(), activation);
        let gradients = (y.clone() * c.clone()).sum().backward();
        [
            y.into_data(),
            x.grad(&gradients).unwrap().into_data(),
            weight.grad(&gradients).unwrap().into_data(),
            bias.grad(&gradients).unwrap().into_data(),
        ]
    }

    #[test]
    fn kernel_and_plain_operations_agree_on_values_and_gradients() {
        let device = Device::flex().autodiff();
        let random = |shape: [usize; 2]| Tensor::<2>::random(shape, Distribution::Normal(0.0, 0.3), &device);
        for [batch, inputs, outputs] in [[1, 160, 512], [7, 33, 129], [130, 20, 3]] {
            let bias = Tensor::<1>::random([outputs], Distribution::Normal(0.0, 1.0), &device);
            let inputs = (
                random([inputs, batch]),
                random([inputs, outputs]),
                bias,
                random([batch, outputs]),
            );
            for activation in [Activation::Identity, Activation::Relu, Activation::Sigmoid] {
                let ours = run(linear, &inputs, activation);
                let plain = run(in_plain_operations, &inputs, activation);
                for (ours, plain) in ours.iter().zip(&plain) {
                    ours.assert_approx_eq::<f32>(plain, Tolerance::rel_abs(1e-4, 1e-5));
                }
            }
        }
    }

    #[test]
    fn a_frozen_layer_passes_the_gradient_on() {
        let device = Device::flex().autodiff();
        let x = Tensor::<2>::from_floats([[1.0, -2.0]], &device).require_grad();
        let weight = Tensor::<2>::from_floats([[1.0], [3.0]], &device);
        let y = linear(x.clone(), weight, Tensor::from_floats([9.0], &device), Activation::Relu);
        let gradients = y.sum().backward();
        x.grad(&gradients)
            .unwrap()
            .into_data()
            .assert_eq(&TensorData::from([[1.0f32, 3.0]]), true);
    }
}
