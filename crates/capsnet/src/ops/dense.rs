//! The fully connected layer with its activation: `capsnet-kernels` on the CPU backend in single precision.

use std::sync::Arc;

use burn::backend::flex::FlexTensor;
use burn::prelude::*;
use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::module;
pub use capsnet_kernels::Activation;
use capsnet_kernels::{Dense, DenseGradients};

use super::flex::{Kernel, Plans, SCRATCH, contiguous, tensor, ternary, values};
use super::has_kernels;

/// `activation(x weight + bias)`.
///
/// # Shapes
///
/// - `x`: `[B, in]`
/// - `weight`: `[in, out]` as in [`burn::nn::Linear`], `bias`: `[out]`
/// - output: `[B, out]`
pub fn linear(x: Tensor<2>, weight: Tensor<2>, bias: Tensor<1>, activation: Activation) -> Tensor<2> {
    let ([batch, inputs], [_, outputs]) = (x.dims(), weight.dims());
    // The kernel wants at least one element.
    if has_kernels(&x) && batch * inputs * outputs > 0 {
        let plan = plan([batch, inputs, outputs], activation);
        ternary(FullyConnected { plan, activation }, x, weight, bias)
    } else {
        plain(x, weight, bias, activation)
    }
}

/// By the backend's own operations.
pub(super) fn plain(x: Tensor<2>, weight: Tensor<2>, bias: Tensor<1>, activation: Activation) -> Tensor<2> {
    let z = module::linear(x, weight, Some(bias));
    match activation {
        Activation::Identity => z,
        Activation::Relu => relu(z),
        Activation::Sigmoid => sigmoid(z),
    }
}

/// A decoder has three layers, as has LeNet-5.
static PLANS: Plans<([usize; 3], Activation), Dense> = Plans::for_layers(3);

fn plan(shape @ [batch, inputs, outputs]: [usize; 3], activation: Activation) -> Arc<Dense> {
    PLANS.get((shape, activation), || {
        let plan = Dense::new(batch, inputs, outputs, activation).expect("no side is zero");
        plan.with_scratch(&SCRATCH)
    })
}

#[derive(Clone, Debug)]
struct FullyConnected {
    plan: Arc<Dense>,
    activation: Activation,
}

/// What the adjoint of the layer needs.
#[derive(Clone, Debug)]
struct Kept {
    x: FlexTensor,
    weight: FlexTensor,
    /// The output, if there is an activation.
    y: Option<FlexTensor>,
}

impl Kernel<3> for FullyConnected {
    type Kept = Kept;
    const NAME: &'static str = "dense";

    fn operations(&self) -> f64 {
        self.plan.shape().into_iter().map(|side| side as f64).product::<f64>() * 2.0
    }

    fn forward(&self, inputs: [FlexTensor; 3], _keep: bool) -> (FlexTensor, Kept) {
        let [x, weight, bias] = inputs.map(contiguous);
        let [batch, _, outputs] = self.plan.shape();
        let mut y = vec![0.0; batch * outputs];
        self.plan
            .forward(values(&x), values(&weight), Some(values(&bias)), &mut y)
            .expect("the lengths follow from the shapes");
        let output = tensor(y, &[batch, outputs]);
        let y = (self.activation != Activation::Identity).then(|| output.clone());
        (output, Kept { x, weight, y })
    }

    fn backward(&self, kept: Kept, gradient: FlexTensor, wanted: [bool; 3]) -> [Option<FlexTensor>; 3] {
        let Kept { x, weight, y } = kept;
        let gradient = contiguous(gradient);
        let [batch, inputs, outputs] = self.plan.shape();
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
        self.plan
            .backward(values(&x), values(&weight), y, values(&gradient), gradients)
            .expect("the lengths follow from the shapes");
        [
            dx.map(|dx| tensor(dx, &[batch, inputs])),
            dw.map(|dw| tensor(dw, &[inputs, outputs])),
            db.map(|db| tensor(db, &[outputs])),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::TensorData;

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
