//! Batch normalisation with the statistics of the batch, and its adjoint (Ioffe and Szegedy 2015).
//!
//! For each channel, over the `n` values that a batch of feature maps has of it:
//!
//! ```text
//! mean = sum x / n        variance = sum (x - mean)^2 / n        z = (x - mean) / sqrt(variance + epsilon)
//! y = weight z + bias
//!
//! dbias = sum dy          dweight = sum dy z
//! dx = weight / sqrt(variance + epsilon) (dy - dbias / n - z dweight / n)
//! ```
//!
//! A task owns a channel. Its values are summed in lanes within an image, images one after the other in f64, so that
//! sums depend on nothing but the shape. Both passes can be made of a part of the batch at a time: see `parts`.

mod parts;

use crate::error::{KernelError, expect_len};
use crate::simd::{Kernel, LANES, Simd, dispatch};
use rayon::prelude::*;

/// Values below which a task is not worth the change of the thread.
const SMALL: usize = 1 << 14;

/// Batch normalisation of feature maps `[batch, channels, pixels]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchNorm {
    /// Images.
    pub batch: usize,
    /// Channels, each with statistics of its own.
    pub channels: usize,
    /// Pixels of a feature map.
    pub pixels: usize,
    /// Added to the variance.
    pub epsilon: f32,
}

/// What a pass leaves for its adjoint and for running statistics, one number a channel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchMoments {
    /// Means over the batch.
    pub mean: Vec<f32>,
    /// Variances around them, divided by the number of values.
    pub variance: Vec<f32>,
}

/// Where gradients are written.
#[derive(Debug)]
pub struct BatchNormGradients<'a> {
    /// Of the feature maps, `[batch, channels, pixels]`.
    pub dx: &'a mut [f32],
    /// Of the weight, `[channels]`.
    pub dweight: &'a mut [f32],
    /// Of the bias, `[channels]`.
    pub dbias: &'a mut [f32],
}

impl BatchNorm {
    /// Writes `y` and returns the statistics.
    ///
    /// # Errors
    /// [`KernelError::WrongLength`].
    pub fn forward(&self, x: &[f32], weight: &[f32], bias: &[f32], y: &mut [f32]) -> Result<BatchMoments, KernelError> {
        self.expect_maps("x", x)?;
        self.expect_maps("y", y)?;
        expect_len("weight", weight, self.channels)?;
        expect_len("bias", bias, self.channels)?;
        let moments = self.of_channels(self.planes(y), |channel, mut y| {
            let x: Vec<&[f32]> = self.planes_of(x, channel).collect();
            let (weight, bias) = (weight[channel], bias[channel]);
            let mut moments = (0.0, 0.0);
            let (values, epsilon) = (self.values(), self.epsilon);
            dispatch(Forward {
                x: &x,
                y: &mut y,
                weight,
                bias,
                values,
                epsilon,
                moments: &mut moments,
            });
            moments
        });
        let (mean, variance) = moments.into_iter().unzip();
        Ok(BatchMoments { mean, variance })
    }

    /// Writes the gradients, given that of `y` and the statistics that [`forward`](Self::forward) returned.
    ///
    /// # Errors
    /// [`KernelError::WrongLength`].
    pub fn backward(
        &self,
        x: &[f32],
        weight: &[f32],
        moments: &BatchMoments,
        dy: &[f32],
        gradients: BatchNormGradients<'_>,
    ) -> Result<(), KernelError> {
        let BatchNormGradients { dx, dweight, dbias } = gradients;
        self.expect_maps("x", x)?;
        self.expect_maps("dy", dy)?;
        self.expect_maps("dx", dx)?;
        let per_channel = [
            ("weight", weight),
            ("mean", &moments.mean),
            ("variance", &moments.variance),
        ];
        for (name, values) in per_channel
            .into_iter()
            .chain([("dweight", &*dweight), ("dbias", &*dbias)])
        {
            expect_len(name, values, self.channels)?;
        }
        let sums = self.of_channels(self.planes(dx), |channel, mut dx| {
            let x: Vec<&[f32]> = self.planes_of(x, channel).collect();
            let dy: Vec<&[f32]> = self.planes_of(dy, channel).collect();
            let mean = moments.mean[channel];
            let deviation = 1.0 / (moments.variance[channel] + self.epsilon).sqrt();
            let (weight, values, mut sums) = (weight[channel], self.values(), (0.0, 0.0));
            let (x, dy, dx, sums_out) = (&x[..], &dy[..], &mut dx[..], &mut sums);
            dispatch(Backward {
                x,
                dy,
                dx,
                mean,
                deviation,
                weight,
                values,
                sums: sums_out,
            });
            sums
        });
        for ((dweight, dbias), (of_weight, of_bias)) in dweight.iter_mut().zip(dbias).zip(sums) {
            (*dweight, *dbias) = (of_weight, of_bias);
        }
        Ok(())
    }

    /// `y = scale x + shift` with one of each a channel: the normalisation by statistics that are known.
    ///
    /// # Errors
    /// [`KernelError::WrongLength`].
    pub fn apply(&self, x: &[f32], scale: &[f32], shift: &[f32], y: &mut [f32]) -> Result<(), KernelError> {
        self.expect_maps("x", x)?;
        self.expect_maps("y", y)?;
        expect_len("scale", scale, self.channels)?;
        expect_len("shift", shift, self.channels)?;
        let image = self.channels * self.pixels;
        let whole = |(x, y): (&[f32], &mut [f32])| {
            let planes = x.chunks_exact(self.pixels).zip(y.chunks_exact_mut(self.pixels));
            for ((x, y), (scale, shift)) in planes.zip(scale.iter().zip(shift)) {
                y.iter_mut().zip(x).for_each(|(y, x)| *y = scale * x + shift);
            }
        };
        x.par_chunks_exact(image.max(1))
            .zip(y.par_chunks_exact_mut(image.max(1)))
            .for_each(whole);
        Ok(())
    }

    /// Values of a channel.
    fn values(&self) -> f64 {
        (self.batch * self.pixels) as f64
    }

    fn expect_maps(&self, name: &'static str, values: &[f32]) -> Result<(), KernelError> {
        expect_len(name, values, self.batch * self.channels * self.pixels)
    }

    /// The feature maps of a channel, image by image.
    fn planes_of<'a>(&self, values: &'a [f32], channel: usize) -> impl Iterator<Item = &'a [f32]> {
        values
            .chunks_exact(self.pixels.max(1))
            .skip(channel)
            .step_by(self.channels)
    }

    /// The same of all channels, to be written to.
    fn planes<'a>(&self, values: &'a mut [f32]) -> Vec<Vec<&'a mut [f32]>> {
        let mut channels: Vec<_> = (0..self.channels).map(|_| Vec::with_capacity(self.batch)).collect();
        for (at, plane) in values.chunks_exact_mut(self.pixels.max(1)).enumerate() {
            channels[at % self.channels].push(plane);
        }
        channels
    }

    fn of_channels<T: Send, R: Send>(&self, tasks: Vec<T>, task: impl Fn(usize, T) -> R + Sync) -> Vec<R> {
        let at_least = SMALL.div_ceil((self.batch * self.pixels).max(1));
        let tasks = tasks.into_par_iter().enumerate().with_min_len(at_least);
        tasks.map(|(channel, of)| task(channel, of)).collect()
    }
}

struct Forward<'a, 'b> {
    x: &'a [&'b [f32]],
    y: &'a mut [&'b mut [f32]],
    weight: f32,
    bias: f32,
    values: f64,
    epsilon: f32,
    moments: &'a mut (f32, f32),
}

impl Kernel for Forward<'_, '_> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let mean = (sum(self.x) / self.values) as f32;
        let variance = (squares(self.x, mean) / self.values) as f32;
        let scale = self.weight / (variance + self.epsilon).sqrt();
        normalise(self.x, self.y, mean, scale, self.bias);
        *self.moments = (mean, variance);
    }
}

struct Backward<'a, 'b> {
    x: &'a [&'b [f32]],
    dy: &'a [&'b [f32]],
    dx: &'a mut [&'b mut [f32]],
    mean: f32,
    /// One over the deviation.
    deviation: f32,
    weight: f32,
    values: f64,
    /// Gradients of weight and bias.
    sums: &'a mut (f32, f32),
}

impl Kernel for Backward<'_, '_> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let around = Around {
            mean: self.mean,
            deviation: self.deviation,
        };
        let (of_weight, of_bias) = gradient_sums(self.x, self.dy, around);
        let by = [of_weight, of_bias].map(|sum| (sum / self.values) as f32);
        gradient(self.x, self.dy, self.dx, around, self.weight, by);
        *self.sums = (of_weight as f32, of_bias as f32);
    }
}

/// What values are normalised by.
#[derive(Clone, Copy)]
struct Around {
    mean: f32,
    /// One over the deviation.
    deviation: f32,
}

/// The sum of a channel's values.
#[inline(always)]
fn sum(x: &[&[f32]]) -> f64 {
    let mut sum = 0.0;
    for plane in x {
        sum += lane_sum([plane], |[x]| x);
    }
    sum
}

/// The sum of the squares of their distances to `mean`.
#[inline(always)]
fn squares(x: &[&[f32]], mean: f32) -> f64 {
    let mut squares = 0.0;
    for plane in x {
        squares += lane_sum([plane], |[x]| (x - mean) * (x - mean));
    }
    squares
}

#[inline(always)]
fn normalise(x: &[&[f32]], y: &mut [&mut [f32]], mean: f32, scale: f32, bias: f32) {
    for (x, y) in x.iter().zip(y) {
        for (y, x) in y.iter_mut().zip(*x) {
            *y = (x - mean) * scale + bias;
        }
    }
}

/// The sums of `dy z` and of `dy`: the gradients of weight and bias.
#[inline(always)]
fn gradient_sums(x: &[&[f32]], dy: &[&[f32]], Around { mean, deviation }: Around) -> (f64, f64) {
    let (mut of_weight, mut of_bias) = (0.0, 0.0);
    for (x, dy) in x.iter().zip(dy) {
        of_bias += lane_sum([dy], |[dy]| dy);
        of_weight += lane_sum([x, dy], |[x, dy]| (x - mean) * deviation * dy);
    }
    (of_weight, of_bias)
}

/// The gradient of a channel's values; the gradients of weight and bias over the number of values are `by`.
#[inline(always)]
fn gradient(
    x: &[&[f32]],
    dy: &[&[f32]],
    dx: &mut [&mut [f32]],
    Around { mean, deviation }: Around,
    weight: f32,
    [by_weight, by_bias]: [f32; 2],
) {
    let scale = weight * deviation;
    for ((x, dy), dx) in x.iter().zip(dy).zip(dx) {
        for ((dx, x), dy) in dx.iter_mut().zip(*x).zip(*dy) {
            *dx = scale * (dy - by_bias - (x - mean) * deviation * by_weight);
        }
    }
}

/// The sum of `term` over planes of equal length, in lanes.
#[inline(always)]
fn lane_sum<const N: usize>(planes: [&[f32]; N], term: impl Fn([f32; N]) -> f32) -> f64 {
    let len = planes[0].len();
    let mut lanes = [0.0f32; LANES];
    let whole = len - len % LANES;
    for at in (0..whole).step_by(LANES) {
        let parts = planes.map(|plane| &plane[at..at + LANES]);
        for (lane, sum) in lanes.iter_mut().enumerate() {
            *sum += term(parts.map(|part| part[lane]));
        }
    }
    for (lane, at) in (whole..len).enumerate() {
        lanes[lane] += term(planes.map(|plane| plane[at]));
    }
    lanes.iter().map(|&sum| f64::from(sum)).sum()
}
