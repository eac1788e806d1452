//! The strided convolution: `capsnet-kernels` on the CPU backend in single precision.

use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use burn::prelude::*;
use burn::tensor::activation::relu;
use burn::tensor::module;
use burn::tensor::ops::ConvOptions;
use capsnet_kernels::{Algorithm, Conv2d, ConvShape};

use super::flex::{Kernel, Plans, SCRATCH, contiguous, tensor, ternary, values};
use super::has_kernels;

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

fn convolve(x: Tensor<4>, weight: Tensor<4>, bias: Tensor<1>, stride: [usize; 2], rectify: bool) -> Tensor<4> {
    if has_kernels(&x) {
        let plan = plan(shape(x.dims(), weight.dims(), stride));
        ternary(Convolution { plan, rectify }, x, weight, bias)
    } else {
        plain(x, weight, bias, stride, rectify)
    }
}

/// By the backend's own operations.
pub(super) fn plain(x: Tensor<4>, weight: Tensor<4>, bias: Tensor<1>, stride: [usize; 2], rectify: bool) -> Tensor<4> {
    #[cfg(feature = "gpu")]
    if super::gpu::is_gpu(&x.device()) && few_taps(&shape(x.dims(), weight.dims(), stride)) {
        return by_product(x, weight, bias, stride, rectify);
    }
    let y = module::conv2d(x, weight, Some(bias), ConvOptions::new(stride, [0, 0], [1, 1], 1));
    if rectify { relu(y) } else { y }
}

/// Whether [`by_product`] is the better way on a GPU: few weights an output, so that windows written out are small.
#[cfg(feature = "gpu")]
fn few_taps(shape: &ConvShape) -> bool {
    let taps = shape.in_channels * shape.kernel_h * shape.kernel_w;
    taps <= 128 && shape.batch * shape.out_h() * shape.out_w() * taps <= 1 << 26
}

/// As one product of matrices, each window of the images a row. For images of one channel Burn's gradient of the
/// weights gathers these windows by one kernel and another for each of their pixels: a sixth of a CapsNet's step on an
/// H200.
#[cfg(any(feature = "gpu", test))]
pub(super) fn by_product(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Tensor<1>,
    stride: [usize; 2],
    rectify: bool,
) -> Tensor<4> {
    let shape = shape(x.dims(), weight.dims(), stride);
    let ConvShape {
        batch,
        in_channels,
        out_channels,
        height,
        width,
        kernel_h,
        kernel_w,
        stride_h,
        stride_w,
        ..
    } = shape;
    let (out_h, out_w) = (shape.out_h(), shape.out_w());
    let taps = in_channels * kernel_h * kernel_w;
    // Where each window begins in an image, and its pixels from there.
    let begin = (0..out_h).flat_map(|oy| (0..out_w).map(move |ox| oy * stride_h * width + ox * stride_w));
    let rows = (0..in_channels * kernel_h).map(|row| (row / kernel_h * height + row % kernel_h) * width);
    let pixels = rows.flat_map(|row| row..row + kernel_w);
    let device = x.device().without_autodiff();
    let places = |places: Vec<usize>| {
        let places: Vec<i32> = places.into_iter().map(|place| place as i32).collect();
        Tensor::<1, Int>::from_data(places.as_slice(), &device)
    };
    let begin = places(begin.collect()).reshape([out_h * out_w, 1]);
    let places = (begin + places(pixels.collect()).reshape([1, taps])).reshape([out_h * out_w * taps]);
    let windows = x
        .reshape([batch, in_channels * height * width])
        .select(1, places)
        .reshape([batch * out_h * out_w, taps]);
    let y = windows.matmul(weight.reshape([out_channels, taps]).transpose()) + bias.reshape([1, out_channels]);
    let y = if rectify { relu(y) } else { y };
    y.reshape([batch, out_h, out_w, out_channels]).permute([0, 3, 1, 2])
}

/// Of a convolution without padding, from the dimensions of its operands.
pub(super) fn shape(x: [usize; 4], weight: [usize; 4], [stride_h, stride_w]: [usize; 2]) -> ConvShape {
    let [batch, in_channels, height, width] = x;
    let [out_channels, _, kernel_h, kernel_w] = weight;
    ConvShape {
        batch,
        in_channels,
        out_channels,
        height,
        width,
        kernel_h,
        kernel_w,
        stride_h,
        stride_w,
        pad_h: 0,
        pad_w: 0,
    }
}

static PLANS: Plans<ConvShape, Conv2d> = Plans::for_layers(4);

fn plan(shape: ConvShape) -> Arc<Conv2d> {
    PLANS.get(shape, || {
        let plan = Conv2d::new(shape, Algorithm::Auto).unwrap_or_else(|error| panic!("{error}"));
        plan.with_scratch(&SCRATCH)
    })
}

#[derive(Clone, Debug)]
struct Convolution {
    plan: Arc<Conv2d>,
    rectify: bool,
}

/// What the adjoint of a convolution is computed from.
#[derive(Clone, Debug)]
struct Kept {
    x: FlexTensor,
    weight: FlexTensor,
    /// The output, where a ReLU made it.
    y: Option<FlexTensor>,
}

impl Kernel<3> for Convolution {
    type Kept = Kept;
    const NAME: &'static str = "convolution";

    fn operations(&self) -> f64 {
        self.plan.shape().operations()
    }

    fn forward(&self, inputs: [FlexTensor; 3], _keep: bool) -> (FlexTensor, Kept) {
        let [x, weight, bias] = inputs.map(contiguous);
        let shape = self.plan.shape();
        let mut y = vec![0.0; shape.output_len()];
        self.plan
            .forward(values(&x), values(&weight), Some(values(&bias)), self.rectify, &mut y)
            .expect("the lengths follow from the shapes");
        let output = tensor(y, &[shape.batch, shape.out_channels, shape.out_h(), shape.out_w()]);
        let y = self.rectify.then(|| output.clone());
        (output, Kept { x, weight, y })
    }

    fn backward(
        &self,
        kept: Kept,
        gradient: FlexTensor,
        [wants_x, wants_weight, wants_bias]: [bool; 3],
    ) -> [Option<FlexTensor>; 3] {
        let Kept { x, weight, y } = kept;
        let (y, gradient) = (y.as_ref().map(values), contiguous(gradient));
        let shape = self.plan.shape();
        let dw_and_db = (wants_weight || wants_bias).then(|| {
            let mut dw = vec![0.0; shape.weight_len()];
            let mut db = vec![0.0; shape.out_channels];
            self.plan
                .backward_weight(values(&x), y, values(&gradient), &mut dw, Some(&mut db))
                .expect("the lengths follow from the shapes");
            (tensor(dw, &weight.shape()), tensor(db, &[shape.out_channels]))
        });
        let dx = wants_x.then(|| {
            let mut dx = vec![0.0; shape.input_len()];
            self.plan
                .backward_data(values(&weight), y, values(&gradient), &mut dx)
                .expect("the lengths follow from the shapes");
            tensor(dx, &x.shape())
        });
        let (dw, db) = dw_and_db.unzip();
        [dx, dw.filter(|_| wants_weight), db.filter(|_| wants_bias)]
    }
}
