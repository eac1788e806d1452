//! A convolution with its bias, ReLU and average pooling: one visit to each image by `capsnet-kernels` on the CPU
//! backend in single precision.

use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use burn::prelude::*;
use burn::tensor::module;
use burn::tensor::ops::AvgPoolOptions;
use capsnet_kernels::{ConvBlock, ConvBlockGradients, ConvShape};

use super::flex::{Kernel, Plans, SCRATCH, contiguous, tensor, ternary, values};
use super::{convolution, has_kernels};

/// `avg_pool(relu(conv(x, weight) + bias))`, with stride 1 and no padding. Windows of `pool x pool` don't overlap, and
/// outputs of the convolution that fill none are dropped.
///
/// # Shapes
///
/// - `x`: `[B, in, height, width]`
/// - `weight`: `[out, in, kernel_h, kernel_w]`, `bias`: `[out]`
/// - output: `[B, out, (height - kernel_h + 1) / pool, (width - kernel_w + 1) / pool]`
pub fn conv_relu_pool(x: Tensor<4>, weight: Tensor<4>, bias: Tensor<1>, pool: usize) -> Tensor<4> {
    let plan = if has_kernels(&x) {
        plan(x.dims(), weight.dims(), pool)
    } else {
        None
    };
    match plan {
        Some(plan) => ternary(Block { plan }, x, weight, bias),
        None => plain(x, weight, bias, pool),
    }
}

/// By the backend's own operations.
pub(super) fn plain(x: Tensor<4>, weight: Tensor<4>, bias: Tensor<1>, pool: usize) -> Tensor<4> {
    let rectified = convolution::plain(x, weight, bias, [1, 1], true);
    module::avg_pool2d(rectified, AvgPoolOptions::new([pool; 2]))
}

/// The pooling that the kernel does.
const POOL: usize = 2;

static PLANS: Plans<ConvShape, ConvBlock> = Plans::for_layers(2);

/// The plan, where the kernel takes the shape.
pub(super) fn plan(x: [usize; 4], weight: [usize; 4], pool: usize) -> Option<Arc<ConvBlock>> {
    let shape = convolution::shape(x, weight, [1, 1]);
    let supported = pool == POOL && shape.check().is_ok() && ConvBlock::supports(&shape);
    supported.then(|| {
        PLANS.get(shape, || {
            let plan = ConvBlock::new(shape).expect("the shape was checked");
            plan.with_scratch(&SCRATCH)
        })
    })
}

#[derive(Clone, Debug)]
struct Block {
    plan: Arc<ConvBlock>,
}

/// What the adjoint of the block needs.
#[derive(Clone, Debug)]
struct Kept {
    x: FlexTensor,
    weight: FlexTensor,
    /// Where the ReLU let values through; empty if no gradient is wanted.
    mask: Vec<u8>,
}

impl Kernel<3> for Block {
    type Kept = Kept;
    const NAME: &'static str = "convolution, ReLU and pooling";

    fn operations(&self) -> f64 {
        self.plan.shape().operations()
    }

    fn forward(&self, inputs: [FlexTensor; 3], keep: bool) -> (FlexTensor, Kept) {
        let [x, weight, bias] = inputs.map(contiguous);
        let mut y = vec![0.0; self.plan.output_len()];
        let mut mask = vec![0; if keep { self.plan.mask_len() } else { 0 }];
        let wanted = keep.then_some(&mut mask[..]);
        self.plan
            .forward(values(&x), values(&weight), values(&bias), &mut y, wanted)
            .expect("the lengths follow from the shapes");
        let shape = self.plan.shape();
        let pooled = [shape.out_h() / POOL, shape.out_w() / POOL];
        let y = tensor(y, &[shape.batch, shape.out_channels, pooled[0], pooled[1]]);
        (y, Kept { x, weight, mask })
    }

    fn backward(&self, kept: Kept, gradient: FlexTensor, wanted: [bool; 3]) -> [Option<FlexTensor>; 3] {
        let Kept { x, weight, mask } = kept;
        let gradient = contiguous(gradient);
        let shape = self.plan.shape();
        let mut dx = wanted[0].then(|| vec![0.0; shape.input_len()]);
        let mut dw = vec![0.0; shape.weight_len()];
        let mut db = vec![0.0; shape.out_channels];
        let gradients = ConvBlockGradients {
            x: dx.as_deref_mut(),
            w: &mut dw,
            bias: &mut db,
        };
        self.plan
            .backward(values(&x), values(&weight), &mask, values(&gradient), gradients)
            .expect("the lengths follow from the shapes");
        [
            dx.map(|dx| tensor(dx, &x.shape())),
            Some(tensor(dw, &weight.shape())),
            Some(tensor(db, &[shape.out_channels])),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::normal;

    /// A failure in a layer must be seen there, not be rectified away.
    #[test]
    fn nan_passes_through() {
        let device = Device::flex();
        let weight = normal([6, 1, 5, 5], 1, &device);
        let nan = Tensor::<4>::full([1, 1, 8, 8], f32::NAN, &device);
        let y = conv_relu_pool(nan, weight, Tensor::zeros([6], &device), 2);
        assert!(y.into_data().iter::<f32>().all(f32::is_nan));
    }
}
