//! Batch normalisation by the statistics of the batch: `capsnet-kernels` on the CPU backend in single precision.
//!
//! In a part of a batch the statistics are still those of the whole: see [`together`](super::together).

use std::sync::{Arc, OnceLock};

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use burn::prelude::*;
use burn::tensor::module;
use capsnet_kernels::{BatchMoments, BatchNorm, BatchNormGradients, KernelError};

use super::flex::{Kernel, contiguous, tensor, ternary, values};
use super::has_kernels;
use super::together::{Together, part};

/// The statistics of a batch, without gradients.
#[derive(Clone, Debug)]
pub struct Moments {
    /// The mean of each channel, `[channels]`.
    pub mean: Tensor<1>,
    /// The variance of each channel, `[channels]`, divided by the number of its values.
    pub variance: Tensor<1>,
    /// The number of a channel's values in the batch.
    pub values: f64,
}

/// `weight (x - mean) / sqrt(variance + epsilon) + bias`, mean and variance being those of each channel in the batch;
/// no moments where another part of the batch notes them.
///
/// # Shapes
///
/// - `x` and output: `[B, channels, height, width]`
/// - `weight`, `bias`: `[channels]`
pub fn batch_norm(x: Tensor<4>, weight: Tensor<1>, bias: Tensor<1>, epsilon: f64) -> (Tensor<4>, Option<Moments>) {
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
    let found = Arc::new(OnceLock::new());
    let kernel = Normalisation {
        norm,
        found: found.clone(),
    };
    let y = ternary(kernel, x, weight, bias);
    if part().is_some_and(|part| !part.notes()) {
        return (y, None);
    }
    let Found { moments, values } = found.get().expect("the kernel was run").clone();
    let tensor = |values: Vec<f32>| Tensor::from_data(TensorData::from(&values[..]), &device);
    let moments = Moments {
        mean: tensor(moments.mean),
        variance: tensor(moments.variance),
        values,
    };
    (y, Some(moments))
}

/// By the backend's own operations.
pub(super) fn plain(x: Tensor<4>, weight: Tensor<1>, bias: Tensor<1>, epsilon: f64) -> (Tensor<4>, Option<Moments>) {
    let [batch, _, height, width] = x.dims();
    let result = module::batch_norm_train(x, weight, bias, epsilon);
    let moments = Moments {
        mean: result.mean.detach(),
        variance: result.variance.detach(),
        values: (batch * height * width) as f64,
    };
    (result.output, Some(moments))
}

#[derive(Clone, Debug)]
struct Normalisation {
    norm: BatchNorm,
    /// What the forward pass found.
    found: Arc<OnceLock<Found>>,
}

/// The statistics of a batch.
#[derive(Clone, Debug)]
struct Found {
    moments: BatchMoments,
    /// The number of a channel's values in it.
    values: f64,
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
        let found = match part() {
            None => self
                .norm
                .forward(values(&x), values(&weight), values(&bias), &mut y)
                .map(|moments| Found {
                    moments,
                    values: self.values(),
                }),
            Some(part) => self.forward_part(&*part, values(&x), values(&weight), values(&bias), &mut y),
        };
        let found = found.expect("the lengths follow from the shapes");
        self.found.set(found).expect("a kernel runs once");
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
        let found = self.found.get().expect("the forward pass was run");
        let (x_values, weight, dy) = (values(&x), values(&weight), values(&gradient));
        match part() {
            None => self.norm.backward(x_values, weight, &found.moments, dy, gradients),
            Some(part) => self.backward_part(&*part, x_values, weight, found, dy, gradients),
        }
        .expect("the lengths follow from the shapes");
        let [wants_x, wants_weight, wants_bias] = wanted;
        [
            wants_x.then(|| tensor(dx, &x.shape())),
            wants_weight.then(|| tensor(dweight, &[channels])),
            wants_bias.then(|| tensor(dbias, &[channels])),
        ]
    }
}

impl Normalisation {
    /// The number of a channel's values.
    fn values(&self) -> f64 {
        (self.norm.batch * self.norm.pixels) as f64
    }

    /// Writes `y` of this part by the statistics of all parts.
    fn forward_part(
        &self,
        part: &dyn Together,
        x: &[f32],
        weight: &[f32],
        bias: &[f32],
        y: &mut [f32],
    ) -> Result<Found, KernelError> {
        let mut sums = self.norm.sums(x)?;
        sums.push(self.values());
        let mut sums = sum(part, sums);
        let values = sums.pop().expect("the number of values comes last");
        let over_values = |sums: Vec<f64>| -> Vec<f32> { sums.iter().map(|sum| (sum / values) as f32).collect() };
        let mean = over_values(sums);
        let variance = over_values(sum(part, self.norm.squares(x, &mean)?));
        let moments = BatchMoments { mean, variance };
        self.norm.normalise(x, weight, bias, &moments, y)?;
        Ok(Found { moments, values })
    }

    /// Writes the gradient of this part's values, and its share of those of weight and bias.
    fn backward_part(
        &self,
        part: &dyn Together,
        x: &[f32],
        weight: &[f32],
        found: &Found,
        dy: &[f32],
        gradients: BatchNormGradients<'_>,
    ) -> Result<(), KernelError> {
        let [of_weight, of_bias] = self.norm.gradient_sums(x, &found.moments, dy)?;
        let own = of_weight.iter().zip(&of_bias);
        for ((dweight, dbias), (of_weight, of_bias)) in gradients.dweight.iter_mut().zip(gradients.dbias).zip(own) {
            (*dweight, *dbias) = (*of_weight as f32, *of_bias as f32);
        }
        let sums = sum(part, [of_weight, of_bias].concat());
        // Through the statistics the loss depends on every image but those that have no part in them.
        if !part.counts() {
            return Ok(());
        }
        let sums = sums.split_at(self.norm.channels).into();
        self.norm
            .gradient(x, weight, &found.moments, dy, sums, found.values, gradients.dx)
    }
}

/// The sums over all parts; one whose images aren't of the batch adds nothing.
fn sum(part: &dyn Together, own: Vec<f64>) -> Vec<f64> {
    match part.counts() {
        true => part.sum(own),
        false => part.sum(vec![0.0; own.len()]),
    }
}
