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

/// `max(conv2d, 0)`, with one pass over the output forward and backward; shapes as in [`conv2d`].
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
    /// See [`conv2d`], and [`conv2d_relu`] if `relu`.
    #[cfg_attr(feature = "gpu", fusion(default))]
    fn strided_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        stride: [usize; 2],
        relu: bool,
    ) -> FloatTensor<Self> {
        plain::<Self>(x, weight, bias, stride, relu)
    }
}

/// The convolution in Burn's own operations.
fn plain<B: Backend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    stride: [usize; 2],
    relu: bool,
) -> FloatTensor<B> {
    let y = B::conv2d(x, weight, Some(bias), options(stride));
    if relu { B::relu(y) } else { y }
}

/// The adjoint of the convolution, on backends without autodiff.
pub trait StridedConvolutionAdjoint: StridedConvolution {
    /// The gradients of x, weight and bias as far as they are wanted, from that of the output.
    fn strided_conv2d_backward(
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
    let Saved {
        x,
        weight,
        bias,
        y,
        stride,
    } = saved;
    let dz = match y {
        Some(y) => B::relu_backward(y, gradient),
        None => gradient,
    };
    let dx = wants_x.then(|| B::conv2d_x_backward(x.clone(), weight.clone(), dz.clone(), options(stride)));
    let db = wants_bias.then(|| B::conv2d_bias_backward(x.clone(), bias, dz.clone()));
    let dw = wants_weight.then(|| B::conv2d_weight_backward(x, weight, dz, options(stride)));
    [dx, dw, db]
}

/// What the adjoint of the convolution needs.
#[derive(Debug, Clone)]
pub struct Saved<T> {
    x: T,
    weight: T,
    /// Burn's own adjoint asks for it.
    bias: T,
    /// The output, if it is rectified.
    y: Option<T>,
    stride: [usize; 2],
}

fn options(stride: [usize; 2]) -> ConvOptions<2> {
    ConvOptions::new(stride, [0, 0], [1, 1], 1)
}

#[cfg(feature = "gpu")]
mod gpu {
    use super::super::flex::{contiguous, tensor, values};
    use super::{StridedConvolution, StridedConvolutionAdjoint};
    use burn::backend::Cube;
    use burn::backend::fusion::Fusion;

    impl StridedConvolution for Cube {}
    impl StridedConvolutionAdjoint for Cube {}
    impl StridedConvolutionAdjoint for Fusion<Cube> {}
}

mod cpu {
    use std::sync::{Arc, Mutex, PoisonError};

    use burn::backend::flex::FlexTensor;
    use burn::backend::{Flex, TensorMetadata};
    use burn::tensor::DType;
    use capsnet_kernels::{Algorithm, Conv2d, ConvShape};

    use super::super::flex::{contiguous, tensor, values};
    use super::{Saved, StridedConvolution, StridedConvolutionAdjoint, plain, plain_backward};

    /// Plans of the shapes in use (a training has two: full batches and the last one), most recent last. Their buffers are
    /// large and are reused from step to step.
    static PLANS: Mutex<Vec<Arc<Conv2d>>> = Mutex::new(Vec::new());
    const MAX_PLANS: usize = 3;

    fn plan(shape: ConvShape) -> Arc<Conv2d> {
        let mut plans = PLANS.lock().unwrap_or_else(PoisonError::into_inner);
        let known = plans.iter().position(|plan| *plan.shape() == shape);
        let plan = match known {
            Some(position) => plans.remove(position),
            None => Arc::new(Conv2d::new(shape, Algorithm::Auto).expect("Burn checked the shapes")),
        };
        if plans.len() >= MAX_PLANS {
            plans.remove(0);
        }
        plans.push(plan.clone());
        plan
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
                return plain::<Self>(x, weight, bias, stride, relu);
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
            saved: Saved<FlexTensor>,
            gradient: FlexTensor,
            wanted: [bool; 3],
        ) -> [Option<FlexTensor>; 3] {
            if saved.x.dtype() != DType::F32 {
                return plain_backward::<Self>(saved, gradient, wanted);
            }
            let shape = shape(&saved.x, &saved.weight, saved.stride);
            let (x, weight) = (contiguous(saved.x), contiguous(saved.weight));
            let (y, gradient) = (saved.y.map(contiguous), contiguous(gradient));
            let (y, plan) = (y.as_ref().map(values), plan(shape));
            let [wants_x, wants_weight, wants_bias] = wanted;
            let dx = wants_x.then(|| {
                let mut dx = vec![0.0; shape.input_len()];
                plan.backward_data(values(&weight), y, values(&gradient), &mut dx)
                    .expect("the lengths follow from the shapes");
                tensor(dx, &x.shape().to_vec())
            });
            let mut db = wants_bias.then(|| vec![0.0; shape.out_channels]);
            let dw = (wants_weight || wants_bias).then(|| {
                let mut dw = vec![0.0; shape.weight_len()];
                plan.backward_weight(values(&x), y, values(&gradient), &mut dw, db.as_deref_mut())
                    .expect("the lengths follow from the shapes");
                tensor(dw, &weight.shape().to_vec())
            });
            [
                dx,
                dw.filter(|_| wants_weight),
                db.map(|db| tensor(db, &[shape.out_channels])),
            ]
        }
    }
}

/// Registers the gradients of x, weight and bias.
#[derive(Debug)]
struct ConvolutionBackward;

impl<B: StridedConvolutionAdjoint> Backward<B, 3> for ConvolutionBackward {
    type State = Saved<FloatTensor<B>>;

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let results = B::strided_conv2d_backward(ops.state, gradient, wanted);
        for (node, result) in ops.parents.into_iter().zip(results) {
            if let (Some(node), Some(result)) = (node, result) {
                gradients.register::<B>(node.id, result);
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
        let ((x, node_x), (weight, node_weight)) = (x.into_parts(), weight.into_parts());
        let (bias, node_bias) = bias.into_parts();
        let parents = [node_x, node_weight, node_bias];
        match ConvolutionBackward.prepare::<C>(parents).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let y = B::strided_conv2d(x.clone(), weight.clone(), bias.clone(), stride, relu);
                let saved = Saved {
                    x,
                    weight,
                    bias,
                    y: relu.then(|| y.clone()),
                    stride,
                };
                prep.finish(saved, y)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::strided_conv2d(x, weight, bias, stride, relu)),
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
        // The kernel's three ways: matrix products, Toom-Cook transforms, and few input channels.
        let shapes = [
            (3, 40, 4, 9, 3, 2),
            (2, 32, 32, 20, 9, 2),
            (7, 1, 33, 14, 9, 1),
            (1, 1, 33, 28, 9, 1),
        ];
        for (batch, channels, out, side, kernel, stride) in shapes {
            let side_out = (side - kernel) / stride + 1;
            let random = |shape| Tensor::<4>::random(shape, Distribution::Normal(0.0, 1.0), &device);
            let inputs = Inputs {
                x: random([batch, channels, side, side]),
                weight: random([out, channels, kernel, kernel]) / 10.0,
                bias: Tensor::random([out], Distribution::Normal(0.0, 1.0), &device),
                c: random([batch, out, side_out, side_out]),
            };
            let convolution = |x, w, b| module::conv2d(x, w, Some(b), options([stride; 2]));
            let pairs = [
                (
                    run(|x, w, b| conv2d(x, w, b, [stride; 2]), &inputs),
                    run(convolution, &inputs),
                ),
                (
                    run(|x, w, b| conv2d_relu(x, w, b, [stride; 2]), &inputs),
                    run(|x, w, b| relu(convolution(x, w, b)), &inputs),
                ),
            ];
            for (ours, burns) in pairs.iter().flat_map(|(ours, burns)| ours.iter().zip(burns)) {
                ours.assert_approx_eq::<f32>(burns, Tolerance::rel_abs(1e-4, 1e-3));
            }
        }
    }

    #[test]
    fn the_bias_alone_can_be_trained() {
        let device = Device::flex().autodiff();
        let ones = Tensor::<4>::ones([2, 1, 3, 3], &device);
        let weight = Tensor::<4>::ones([1, 1, 2, 2], &device);
        let bias = Tensor::<1>::from_floats([1.0], &device).require_grad();
        let gradients = conv2d_relu(ones, weight, bias.clone(), [1, 1]).sum().backward();
        bias.grad(&gradients)
            .unwrap()
            .into_data()
            .assert_eq(&TensorData::from([8.0f32]), true);
    }
}
