//! A convolution with its bias, ReLU and average pooling: one visit to each image on the CPU backend, Burn's operations
//! elsewhere.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, backend_extension};
use burn::prelude::*;
use burn::tensor::ops::ConvOptions;

/// `avg_pool(relu(conv(x, weight) + bias))`, with stride 1 and no padding. Windows of `pool x pool` don't overlap, and outputs
/// of the convolution that fill none are dropped.
///
/// # Shapes
///
/// - `x`: `[B, in, height, width]`
/// - `weight`: `[out, in, kernel_h, kernel_w]`, `bias`: `[out]`
/// - output: `[B, out, (height - kernel_h + 1) / pool, (width - kernel_w + 1) / pool]`
pub fn conv_relu_pool(x: Tensor<4>, weight: Tensor<4>, bias: Tensor<1>, pool: usize) -> Tensor<4> {
    let (x, weight, bias) = (x.into_dispatch(), weight.into_dispatch(), bias.into_dispatch());
    Tensor::from_dispatch(<Dispatch as ConvReluPool>::conv_relu_pool(x, weight, bias, pool))
}

/// The block as an operation of a backend.
#[cfg_attr(not(feature = "gpu"), backend_extension(Flex, Autodiff))]
#[cfg_attr(feature = "gpu", backend_extension(Flex, Cube, Autodiff, Fusion))]
pub trait ConvReluPool: Backend {
    /// See [`conv_relu_pool`].
    #[cfg_attr(feature = "gpu", fusion(default))]
    fn conv_relu_pool(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        pool: usize,
    ) -> FloatTensor<Self> {
        plain_forward::<Self>(x, weight, bias, pool).0
    }
}

/// The gradients of the block's inputs.
#[derive(Clone, Debug)]
pub struct BlockGradients<T> {
    /// Of the input, if it was asked for.
    pub x: Option<T>,
    /// Of the weight.
    pub weight: T,
    /// Of the bias.
    pub bias: T,
}

/// The block and its adjoint, on backends without autodiff.
pub trait ConvReluPoolAdjoint: ConvReluPool {
    /// The output, and what the adjoint wants to know of the forward pass. What that is, the backend decides.
    fn conv_relu_pool_saving(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        pool: usize,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        plain_forward::<Self>(x, weight, bias, pool)
    }

    /// The gradients, that of `x` only if `wants_x`.
    fn conv_relu_pool_backward(
        inputs: [FloatTensor<Self>; 3],
        saved: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        pool: usize,
        wants_x: bool,
    ) -> BlockGradients<FloatTensor<Self>> {
        plain_backward::<Self>(inputs, saved, gradient, pool, wants_x)
    }
}

fn convolution() -> ConvOptions<2> {
    ConvOptions::new([1, 1], [0, 0], [1, 1], 1)
}

/// By the backend's own operations: the output, and the ReLU's.
fn plain_forward<B: Backend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    pool: usize,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let rectified = B::relu(B::conv2d(x, weight, Some(bias), convolution()));
    let pooled = B::avg_pool2d(rectified.clone(), [pool; 2], [pool; 2], [0; 2], true, false);
    (pooled, rectified)
}

fn plain_backward<B: Backend>(
    [x, weight, bias]: [FloatTensor<B>; 3],
    rectified: FloatTensor<B>,
    gradient: FloatTensor<B>,
    pool: usize,
    wants_x: bool,
) -> BlockGradients<FloatTensor<B>> {
    let gradient = B::avg_pool2d_backward(rectified.clone(), gradient, [pool; 2], [pool; 2], [0; 2], true, false);
    let gradient = B::relu_backward(rectified, gradient);
    BlockGradients {
        bias: B::conv2d_bias_backward(x.clone(), bias, gradient.clone()),
        weight: B::conv2d_weight_backward(x.clone(), weight.clone(), gradient.clone(), convolution()),
        x: wants_x.then(|| B::conv2d_x_backward(x, weight, gradient, convolution())),
    }
}

#[cfg(feature = "gpu")]
mod gpu {
    use super::{ConvReluPool, ConvReluPoolAdjoint};
    use burn::backend::Cube;
    use burn::backend::fusion::Fusion;

    impl ConvReluPool for Cube {}
    impl ConvReluPoolAdjoint for Cube {}
    impl ConvReluPoolAdjoint for Fusion<Cube> {}
}

mod cpu {
    use std::sync::Arc;

    use burn::backend::flex::FlexTensor;
    use burn::backend::{Flex, TensorMetadata};
    use burn::tensor::{DType, TensorData};
    use capsnet_kernels::{ConvBlock, ConvBlockGradients, ConvShape};

    use super::super::flex::{Plans, SCRATCH, contiguous, tensor, values};
    use super::{BlockGradients, ConvReluPool, ConvReluPoolAdjoint, plain_backward, plain_forward};

    /// The pooling that the kernel does.
    const POOL: usize = 2;

    static PLANS: Plans<ConvShape, ConvBlock> = Plans::for_layers(2);

    /// The plan, where the kernel takes it.
    fn plan(x: &FlexTensor, weight: &FlexTensor, pool: usize) -> Option<Arc<ConvBlock>> {
        if pool != POOL || [x, weight].iter().any(|tensor| tensor.dtype() != DType::F32) {
            return None;
        }
        let [batch, in_channels, height, width] = x.shape().dims();
        let [out_channels, _, kernel_h, kernel_w] = weight.shape().dims();
        let shape = ConvShape {
            kernel_h,
            kernel_w,
            ..ConvShape::square(batch, [in_channels, out_channels], [height, width], 1, 1)
        };
        let supported = shape.check().is_ok() && ConvBlock::supports(&shape);
        supported.then(|| {
            PLANS.get(shape, || {
                let plan = ConvBlock::new(shape).expect("the shape was checked");
                plan.with_scratch(&SCRATCH)
            })
        })
    }

    /// The output; the mask is written if there is room for one.
    fn forward(plan: &ConvBlock, inputs: [FlexTensor; 3], mask: Option<&mut [u8]>) -> FlexTensor {
        let [x, weight, bias] = inputs.map(contiguous);
        let mut y = vec![0.0; plan.output_len()];
        plan.forward(values(&x), values(&weight), values(&bias), &mut y, mask)
            .expect("the lengths follow from the shapes");
        let shape = plan.shape();
        let pooled = [shape.out_h() / POOL, shape.out_w() / POOL];
        tensor(y, &[shape.batch, shape.out_channels, pooled[0], pooled[1]])
    }

    impl ConvReluPool for Flex {
        fn conv_relu_pool(x: FlexTensor, weight: FlexTensor, bias: FlexTensor, pool: usize) -> FlexTensor {
            match plan(&x, &weight, pool) {
                Some(plan) => forward(&plan, [x, weight, bias], None),
                None => plain_forward::<Self>(x, weight, bias, pool).0,
            }
        }
    }

    impl ConvReluPoolAdjoint for Flex {
        /// Saves the kernel's mask as a tensor of bytes.
        fn conv_relu_pool_saving(
            x: FlexTensor,
            weight: FlexTensor,
            bias: FlexTensor,
            pool: usize,
        ) -> (FlexTensor, FlexTensor) {
            let Some(plan) = plan(&x, &weight, pool) else {
                return plain_forward::<Self>(x, weight, bias, pool);
            };
            let mut mask = vec![0u8; plan.mask_len()];
            let y = forward(&plan, [x, weight, bias], Some(&mut mask));
            let len = mask.len();
            (y, FlexTensor::from_data(TensorData::new(mask, [len])))
        }

        fn conv_relu_pool_backward(
            inputs: [FlexTensor; 3],
            saved: FlexTensor,
            gradient: FlexTensor,
            pool: usize,
            wants_x: bool,
        ) -> BlockGradients<FlexTensor> {
            let [x, weight, bias] = &inputs;
            let Some(plan) = plan(x, weight, pool) else {
                return plain_backward::<Self>(inputs, saved, gradient, pool, wants_x);
            };
            let shapes = [x, weight, bias].map(|tensor| tensor.shape().to_vec());
            let [x, weight, _] = inputs.map(contiguous);
            let gradient = contiguous(gradient);
            let mut dx = wants_x.then(|| vec![0.0; plan.shape().input_len()]);
            let mut dw = vec![0.0; plan.shape().weight_len()];
            let mut db = vec![0.0; plan.shape().out_channels];
            let gradients = ConvBlockGradients {
                x: dx.as_deref_mut(),
                w: &mut dw,
                bias: &mut db,
            };
            let mask = saved.as_slice::<u8>().expect("the mask is as the forward pass made it");
            plan.backward(values(&x), values(&weight), mask, values(&gradient), gradients)
                .expect("the lengths follow from the shapes");
            BlockGradients {
                x: dx.map(|dx| tensor(dx, &shapes[0])),
                weight: tensor(dw, &shapes[1]),
                bias: tensor(db, &shapes[2]),
            }
        }
    }
}

/// Registers the gradients of input, weight and bias.
#[derive(Debug)]
struct BlockBackward;

impl<B: ConvReluPoolAdjoint> Backward<B, 3> for BlockBackward {
    /// Input, weight and bias; what was saved; the pooling.
    type State = ([FloatTensor<B>; 3], FloatTensor<B>, usize);

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let [node_x, node_weight, node_bias] = ops.parents;
        let gradient = gradients.consume::<B>(&ops.node);
        let (inputs, saved, pool) = ops.state;
        let found = B::conv_relu_pool_backward(inputs, saved, gradient, pool, node_x.is_some());
        if let Some(node) = node_bias {
            gradients.register::<B>(node.id, found.bias);
        }
        if let Some(node) = node_weight {
            gradients.register::<B>(node.id, found.weight);
        }
        if let (Some(node), Some(dx)) = (node_x, found.x) {
            gradients.register::<B>(node.id, dx);
        }
    }
}

impl<B: ConvReluPoolAdjoint, C: CheckpointStrategy> ConvReluPool for Autodiff<B, C> {
    fn conv_relu_pool(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        pool: usize,
    ) -> FloatTensor<Self> {
        let parents = [x.node(), weight.node(), bias.node()];
        let [x, weight, bias] = [&x, &weight, &bias].map(|tensor| tensor.primitive().clone());
        match BlockBackward.prepare::<C>(parents).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let (y, saved) = B::conv_relu_pool_saving(x.clone(), weight.clone(), bias.clone(), pool);
                prep.finish(([x, weight, bias], saved, pool), y)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::conv_relu_pool(x, weight, bias, pool)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::activation::relu;
    use burn::tensor::ops::AvgPoolOptions;
    use burn::tensor::{DType, Distribution, Tolerance, module};

    struct Inputs {
        x: Tensor<4>,
        weight: Tensor<4>,
        bias: Tensor<1>,
        c: Tensor<4>,
    }

    impl Inputs {
        fn random(batch: usize, [ic, oc]: [usize; 2], side: usize, kernel: usize, pool: usize) -> Self {
            let device = Device::flex().autodiff();
            let random = |shape| Tensor::<4>::random(shape, Distribution::Normal(0.0, 1.0), &device);
            let pooled = (side - kernel + 1) / pool;
            Self {
                x: random([batch, ic, side, side]),
                weight: random([oc, ic, kernel, kernel]),
                bias: Tensor::random([oc], Distribution::Normal(0.0, 1.0), &device),
                c: random([batch, oc, pooled, pooled]),
            }
        }
    }

    /// Output and gradients of x, weight and bias under the loss `sum(y * c)`.
    fn run(block: impl Fn(Tensor<4>, Tensor<4>, Tensor<1>) -> Tensor<4>, inputs: &Inputs) -> Vec<TensorData> {
        let x = inputs.x.clone().require_grad();
        let weight = inputs.weight.clone().require_grad();
        let bias = inputs.bias.clone().require_grad();
        let y = block(x.clone(), weight.clone(), bias.clone());
        let gradients = (y.clone() * inputs.c.clone()).sum().backward();
        vec![
            y.into_data(),
            x.grad(&gradients).unwrap().into_data(),
            weight.grad(&gradients).unwrap().into_data(),
            bias.grad(&gradients).unwrap().into_data(),
        ]
    }

    fn plain(x: Tensor<4>, weight: Tensor<4>, bias: Tensor<1>, pool: usize) -> Tensor<4> {
        let rectified = relu(module::conv2d(x, weight, Some(bias), convolution()));
        module::avg_pool2d(rectified, AvgPoolOptions::new([pool; 2]))
    }

    #[test]
    fn kernel_and_burn_agree_on_values_and_gradients() {
        // The blocks of LeNet-5, odd outputs, and a pooling that the kernel doesn't do.
        let shapes = [
            (3, [1, 6], 28, 5, 2),
            (7, [6, 16], 12, 5, 2),
            (2, [3, 20], 9, 3, 2),
            (2, [3, 4], 11, 3, 3),
        ];
        for (batch, channels, side, kernel, pool) in shapes {
            let inputs = Inputs::random(batch, channels, side, kernel, pool);
            let ours = run(|x, w, b| conv_relu_pool(x, w, b, pool), &inputs);
            let burns = run(|x, w, b| plain(x, w, b, pool), &inputs);
            for (ours, burns) in ours.iter().zip(&burns) {
                ours.assert_approx_eq::<f32>(burns, Tolerance::rel_abs(1e-4, 1e-3));
            }
        }
    }

    /// In f64 there is no kernel, but the adjoint by hand.
    #[test]
    fn the_adjoint_of_the_plain_path_is_burns() {
        let Inputs { x, weight, bias, c } = Inputs::random(2, [2, 3], 9, 3, 2);
        let inputs = Inputs {
            x: x.cast(DType::F64),
            weight: weight.cast(DType::F64),
            bias: bias.cast(DType::F64),
            c: c.cast(DType::F64),
        };
        let ours = run(|x, w, b| conv_relu_pool(x, w, b, 2), &inputs);
        let burns = run(|x, w, b| plain(x, w, b, 2), &inputs);
        for (ours, burns) in ours.iter().zip(&burns) {
            ours.assert_approx_eq::<f64>(burns, Tolerance::rel_abs(1e-12, 1e-12));
        }
    }

    /// A failure in a layer must be seen there, not be rectified away.
    #[test]
    fn nan_passes_through() {
        let inputs = Inputs::random(1, [1, 6], 8, 5, 2);
        let nan = inputs.x.clone() * f32::NAN;
        let y = conv_relu_pool(nan, inputs.weight, inputs.bias, 2);
        assert!(y.into_data().iter::<f32>().all(f32::is_nan));
    }
}
