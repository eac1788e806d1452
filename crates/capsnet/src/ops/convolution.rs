//! The strided convolution: `capsnet-kernels` on the CPU backend, Burn's own elsewhere.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, backend_extension};
use burn::prelude::*;
use burn::tensor::ops::ConvOptions;

/// The convolution of a batch of feature maps, without padding.
///
/// # Shapes
///
/// - `x`: `[B, in, height, width]`
/// - `weight`: `[out, in, kernel_h, kernel_w]`, `bias`: `[out]`
/// - output: `[B, out, height', width']`
pub fn conv2d(x: Tensor<4>, weight: Tensor<4>, bias: Tensor<1>, stride: [usize; 2]) -> Tensor<4> {
    convolve(x, weight, bias, stride, false)
}

/// The same, followed by a ReLU.
pub fn conv2d_relu(x: Tensor<4>, weight: Tensor<4>, bias: Tensor<1>, stride: [usize; 2]) -> Tensor<4> {
    convolve(x, weight, bias, stride, true)
}

fn convolve(x: Tensor<4>, weight: Tensor<4>, bias: Tensor<1>, stride: [usize; 2], relu: bool) -> Tensor<4> {
    let (x, weight, bias) = (x.into_dispatch(), weight.into_dispatch(), bias.into_dispatch());
    Tensor::from_dispatch(<Dispatch as StridedConvolution>::strided_conv2d(
        x, weight, bias, stride, relu,
    ))
}

/// The convolution as an operation of a backend.
#[cfg_attr(not(feature = "gpu"), backend_extension(Flex, Autodiff))]
#[cfg_attr(feature = "gpu", backend_extension(Flex, Cube, Autodiff, Fusion))]
pub trait StridedConvolution: Backend {
    /// See [`conv2d`] and [`conv2d_relu`].
    #[cfg_attr(feature = "gpu", fusion(default))]
    fn strided_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        stride: [usize; 2],
        relu: bool,
    ) -> FloatTensor<Self> {
        plain_forward::<Self>(x, weight, bias, stride, relu)
    }
}

/// What the adjoint of a convolution is computed from.
#[derive(Clone, Debug)]
pub struct Recorded<B: Backend> {
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    /// The output, where a ReLU made it.
    y: Option<FloatTensor<B>>,
    stride: [usize; 2],
}

/// The adjoint of the convolution, on backends without autodiff.
pub trait StridedConvolutionAdjoint: StridedConvolution {
    /// The gradients of input, weight and bias, those that are wanted.
    fn strided_conv2d_backward(
        recorded: Recorded<Self>,
        gradient: FloatTensor<Self>,
        wanted: [bool; 3],
    ) -> [Option<FloatTensor<Self>>; 3] {
        plain_backward::<Self>(recorded, gradient, wanted)
    }
}

fn options(stride: [usize; 2]) -> ConvOptions<2> {
    ConvOptions::new(stride, [0, 0], [1, 1], 1)
}

fn plain_forward<B: Backend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    stride: [usize; 2],
    relu: bool,
) -> FloatTensor<B> {
    let y = B::conv2d(x, weight, Some(bias), options(stride));
    if relu { B::relu(y) } else { y }
}

fn plain_backward<B: Backend>(
    recorded: Recorded<B>,
    gradient: FloatTensor<B>,
    [x_wanted, weight_wanted, bias_wanted]: [bool; 3],
) -> [Option<FloatTensor<B>>; 3] {
    let Recorded {
        x,
        weight,
        bias,
        y,
        stride,
    } = recorded;
    let dz = match y {
        Some(y) => B::relu_backward(y, gradient),
        None => gradient,
    };
    let db = bias_wanted.then(|| B::conv2d_bias_backward(x.clone(), bias, dz.clone()));
    let dw = weight_wanted.then(|| B::conv2d_weight_backward(x.clone(), weight.clone(), dz.clone(), options(stride)));
    let dx = x_wanted.then(|| B::conv2d_x_backward(x, weight, dz, options(stride)));
    [dx, dw, db]
}

#[cfg(feature = "gpu")]
mod gpu {
    use super::{StridedConvolution, StridedConvolutionAdjoint};
    use burn::backend::Cube;
    use burn::backend::fusion::Fusion;

    impl StridedConvolution for Cube {}
    impl StridedConvolutionAdjoint for Cube {}
    impl StridedConvolutionAdjoint for Fusion<Cube> {}
}

mod cpu {
    use std::sync::Arc;

    use burn::backend::flex::FlexTensor;
    use burn::backend::{Flex, TensorMetadata};
    use burn::tensor::DType;
    use capsnet_kernels::{Algorithm, Conv2d, ConvShape};

    use super::super::flex::{Plans, SCRATCH, contiguous, tensor, values};
    use super::{Recorded, StridedConvolution, StridedConvolutionAdjoint, plain_backward, plain_forward};

    static PLANS: Plans<ConvShape, Conv2d> = Plans::for_layers(4);

    fn plan(shape: ConvShape) -> Arc<Conv2d> {
        PLANS.get(shape, || {
            let plan = Conv2d::new(shape, Algorithm::Auto).expect("Burn checked the shapes");
            plan.with_scratch(&SCRATCH)
        })
    }

    fn shape(x: &FlexTensor, weight: &FlexTensor, stride: [usize; 2]) -> ConvShape {
        let [batch, in_channels, height, width] = x.shape().dims();
        let [out_channels, _, kernel_h, kernel_w] = weight.shape().dims();
        ConvShape {
            batch,
            in_channels,
            out_channels,
            height,
            width,
            kernel_h,
            kernel_w,
            stride_h: stride[0],
            stride_w: stride[1],
            pad_h: 0,
            pad_w: 0,
        }
    }

    impl StridedConvolution for Flex {
        fn strided_conv2d(
            x: FlexTensor,
            weight: FlexTensor,
            bias: FlexTensor,
            stride: [usize; 2],
            relu: bool,
        ) -> FlexTensor {
            if x.dtype() != DType::F32 {
                return plain_forward::<Self>(x, weight, bias, stride, relu);
            }
            let shape = shape(&x, &weight, stride);
            let (x, weight, bias) = (contiguous(x), contiguous(weight), contiguous(bias));
            let mut y = vec![0.0; shape.output_len()];
            plan(shape)
                .forward(values(&x), values(&weight), Some(values(&bias)), relu, &mut y)
                .expect("the lengths follow from the shapes");
            tensor(y, &[shape.batch, shape.out_channels, shape.out_h(), shape.out_w()])
        }
    }

    impl StridedConvolutionAdjoint for Flex {
        fn strided_conv2d_backward(
            recorded: Recorded<Self>,
            gradient: FlexTensor,
            wanted: [bool; 3],
        ) -> [Option<FlexTensor>; 3] {
            if gradient.dtype() != DType::F32 {
                return plain_backward::<Self>(recorded, gradient, wanted);
            }
            let shape = shape(&recorded.x, &recorded.weight, recorded.stride);
            let plan = plan(shape);
            let [x, weight, gradient] = [recorded.x, recorded.weight, gradient].map(contiguous);
            let y = recorded.y.map(contiguous);
            let y = y.as_ref().map(values);
            let [x_wanted, weight_wanted, bias_wanted] = wanted;
            let dw_and_db = (weight_wanted || bias_wanted).then(|| {
                let mut dw = vec![0.0; shape.weight_len()];
                let mut db = vec![0.0; shape.out_channels];
                plan.backward_weight(values(&x), y, values(&gradient), &mut dw, Some(&mut db))
                    .expect("the lengths follow from the shapes");
                (tensor(dw, &weight.shape()), tensor(db, &[shape.out_channels]))
            });
            let dx = x_wanted.then(|| {
                let mut dx = vec![0.0; shape.input_len()];
                plan.backward_data(values(&weight), y, values(&gradient), &mut dx)
                    .expect("the lengths follow from the shapes");
                tensor(dx, &x.shape())
            });
            let (dw, db) = dw_and_db.unzip();
            [dx, dw.filter(|_| weight_wanted), db.filter(|_| bias_wanted)]
        }
    }
}

/// Registers the gradients of input, weight and bias.
#[derive(Debug)]
struct ConvolutionBackward;

impl<B: StridedConvolutionAdjoint> Backward<B, 3> for ConvolutionBackward {
    type State = Recorded<B>;

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let found = B::strided_conv2d_backward(ops.state, gradient, wanted);
        for (node, gradient) in ops.parents.into_iter().zip(found) {
            if let (Some(node), Some(gradient)) = (node, gradient) {
                gradients.register::<B>(node.id, gradient);
            }
        }
    }
}

impl<B: StridedConvolutionAdjoint, C: CheckpointStrategy> StridedConvolution for Autodiff<B, C> {
    fn strided_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        stride: [usize; 2],
        relu: bool,
    ) -> FloatTensor<Self> {
        let parents = [x.node(), weight.node(), bias.node()];
        let (x, weight, bias) = (
            x.primitive().clone(),
            weight.primitive().clone(),
            bias.primitive().clone(),
        );
        let y = B::strided_conv2d(x.clone(), weight.clone(), bias.clone(), stride, relu);
        match ConvolutionBackward.prepare::<C>(parents).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let recorded = Recorded {
                    x,
                    weight,
                    bias,
                    y: relu.then(|| y.clone()),
                    stride,
                };
                prep.finish(recorded, y)
            }
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::activation::relu;
    use burn::tensor::{Distribution, Tolerance, module};

    /// Output and gradients of x, weight and bias under the loss `sum(y * c)`.
    fn run(convolve: impl Fn(Tensor<4>, Tensor<4>, Tensor<1>) -> Tensor<4>, inputs: &Inputs) -> Vec<TensorData> {
        let x = inputs.x.clone().require_grad();
        let weight = inputs.weight.clone().require_grad();
        let bias = inputs.bias.clone().require_grad();
        let y = convolve(x.clone(), weight.clone(), bias.clone());
        let gradients = (y.clone() * inputs.c.clone()).sum().backward();
        vec![
            y.into_data(),
            x.grad(&gradients).unwrap().into_data(),
            weight.grad(&gradients).unwrap().into_data(),
            bias.grad(&gradients).unwrap().into_data(),
        ]
    }

    struct Inputs {
        x: Tensor<4>,
        weight: Tensor<4>,
        bias: Tensor<1>,
        c: Tensor<4>,
    }

    #[test]
    fn kernel_and_burn_agree_on_values_and_gradients() {
        let device = Device::flex().autodiff();
        // The second shape is one that the fast algorithm takes.
        for (batch, channels, out, side, kernel, stride) in [(3, 2, 4, 9, 3, 2), (2, 32, 32, 20, 9, 2)] {
            let side_out = (side - kernel) / stride + 1;
            let random = |shape| Tensor::<4>::random(shape, Distribution::Normal(0.0, 1.0), &device);
            let inputs = Inputs {
                x: random([batch, channels, side, side]),
                weight: random([out, channels, kernel, kernel]) / 10.0,
                bias: Tensor::random([out], Distribution::Normal(0.0, 1.0), &device),
                c: random([batch, out, side_out, side_out]),
            };
            let plain = |x, w, b| module::conv2d(x, w, Some(b), options([stride; 2]));
            let pairs = [
                (
                    run(|x, w, b| conv2d(x, w, b, [stride; 2]), &inputs),
                    run(plain, &inputs),
                ),
                (
                    run(|x, w, b| conv2d_relu(x, w, b, [stride; 2]), &inputs),
                    run(|x, w, b| relu(plain(x, w, b)), &inputs),
                ),
            ];
            for (ours, burns) in &pairs {
                for (ours, burns) in ours.iter().zip(burns) {
                    ours.assert_approx_eq::<f32>(burns, Tolerance::rel_abs(1e-4, 1e-3));
                }
            }
        }
    }
}
