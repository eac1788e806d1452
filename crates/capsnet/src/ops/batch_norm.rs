//! Batch normalisation by the statistics of the batch: `capsnet-kernels` on the CPU backend in single precision.

use std::sync::{Arc, OnceLock};

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use burn::prelude::*;
use burn::tensor::module;
use capsnet_kernels::{BatchMoments, BatchNorm, BatchNormGradients};

use super::flex::{Kernel, contiguous, tensor, ternary, values};
use super::has_kernels;

/// The statistics of a batch, without gradients.
#[derive(Clone, Debug)]
pub struct Moments {
    /// The mean of each channel, `[channels]`.
    pub mean: Tensor<1>,
    /// The variance of each channel, `[channels]`, divided by the number of its values.
    pub variance: Tensor<1>,
}

/// `weight (x - mean) / sqrt(variance + epsilon) + bias`, mean and variance being those of each channel in the batch.
///
/// # Shapes
///
/// - `x` and output: `[B, channels, height, width]`
/// - `weight`, `bias`: `[channels]`
pub fn batch_norm(x: Tensor<4>, weight: Tensor<1>, bias: Tensor<1>, epsilon: f64) -> (Tensor<4>, Moments) {
    if !has_kernels(&x) {
        return plain(x, weight, bias, epsilon);
    }
    let ([batch, channels, height, width], device) = (x.dims(), x.device());
    let norm = BatchNorm {
        batch,
        channels,
        pixels: height * width,
        epsilon: epsilon as f32,
    };
    let moments = Arc::new(OnceLock::new());
    let kernel = Normalisation {
        norm,
        moments: moments.clone(),
    };
    let y = ternary(kernel, x, weight, bias);
    let BatchMoments { mean, variance } = moments.get().expect("the kernel was run").clone();
    let [mean, variance] = [mean, variance].map(|values| Tensor::from_data(TensorData::from(&values[..]), &device));
    (y, Moments { mean, variance })
}

/// By the backend's own operations.
pub(super) fn plain(x: Tensor<4>, weight: Tensor<1>, bias: Tensor<1>, epsilon: f64) -> (Tensor<4>, Moments) {
    let result = module::batch_norm_train(x, weight, bias, epsilon);
    let (mean, variance) = (result.mean.detach(), result.variance.detach());
    (result.output, Moments { mean, variance })
}

#[derive(Clone, Debug)]
struct Normalisation {
    norm: BatchNorm,
    /// What the forward pass found.
    moments: Arc<OnceLock<BatchMoments>>,
}

/// What the adjoint needs.
#[derive(Clone, Debug)]
struct Kept {
    x: FlexTensor,
    weight: FlexTensor,
}

impl Kernel<3> for Normalisation {
    type Kept = Kept;
    const NAME: &'static str = "batch norm";

    fn forward(&self, inputs: [FlexTensor; 3], _keep: bool) -> (FlexTensor, Kept) {
        let [x, weight, bias] = inputs.map(contiguous);
        let mut y = vec![0.0; values(&x).len()];
        let moments = self.norm.forward(values(&x), values(&weight), values(&bias), &mut y);
        let moments = moments.expect("the lengths follow from the shapes");
        self.moments.set(moments).expect("a kernel runs once");
        (tensor(y, &x.shape()), Kept { x, weight })
    }

    fn backward(&self, kept: Kept, gradient: FlexTensor, wanted: [bool; 3]) -> [Option<FlexTensor>; 3] {
        let (Kept { x, weight }, gradient) = (kept, contiguous(gradient));
        let channels = self.norm.channels;
        let (mut dx, mut dweight, mut dbias) = (vec![0.0; values(&x).len()], vec![0.0; channels], vec![0.0; channels]);
        let gradients = BatchNormGradients {
            dx: &mut dx,
            dweight: &mut dweight,
            dbias: &mut dbias,
        };
        let moments = self.moments.get().expect("the forward pass was run");
        self.norm
            .backward(values(&x), values(&weight), moments, values(&gradient), gradients)
            .expect("the lengths follow from the shapes");
        let [wants_x, wants_weight, wants_bias] = wanted;
        [
            wants_x.then(|| tensor(dx, &x.shape())),
            wants_weight.then(|| tensor(dweight, &[channels])),
            wants_bias.then(|| tensor(dbias, &[channels])),
        ]
    }
}
