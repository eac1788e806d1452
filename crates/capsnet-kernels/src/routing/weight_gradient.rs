//! The end of the adjoint: gradients of inputs and weights, one block of sixteen lower capsules at a time.
//!
//! The gradient of a vote is a sum of few products, `c_0 ds_0 + sum over t of (c_t ds_t + db_t V_t)`. It is formed for
//! eight samples and one upper capsule at a time, in the first-level cache, and used twice:
//!
//! ```text
//! dw[i][e][c] = sum over samples of u[i][e] du_hat[i][c]        du[i][e] = sum over c of w[i][e][c] du_hat[i][c]
//! ```
//!
//! A task owns a block, and takes the samples in their order.

use super::layout::{BLOCKS, Layout, TILE};
use crate::scratch::Scratch;
use crate::simd::{Kernel, LANES, Lanes, Simd, Vector as _, dispatch};

/// Samples whose vote gradients are formed at a time.
const SAMPLES: usize = 8;

/// What tiles leave behind.
#[derive(Clone, Copy)]
pub(super) struct Kept<'a> {
    /// `c_t` and `db_t`, t = 1, 2, ...: `[tile][t][chunk][2][sample][J][block]`.
    pub(super) coefficients: &'a [Lanes],
    /// `c_0 ds_0`, then `ds_t` and `V_t`, t = 1, 2, ...: `[tile][2 r - 1][sample][J D]` floats.
    pub(super) vectors: &'a [Lanes],
}

impl Kept<'_> {
    /// Coefficients of a tile.
    pub(super) fn coefficients(layout: &Layout) -> usize {
        (layout.shape.iterations - 1) * layout.chunks * 2 * TILE * layout.couplings
    }

    /// Vectors of a tile, in [`Lanes`].
    pub(super) fn vectors(layout: &Layout) -> usize {
        ((2 * layout.shape.iterations - 1) * TILE * layout.columns).div_ceil(LANES)
    }
}

/// One block of lower capsules, counted through all chunks.
pub(super) struct Scatter<'a> {
    pub(super) layout: &'a Layout,
    pub(super) block: usize,
    pub(super) kept: Kept<'a>,
    /// `[sample, I, E]`
    pub(super) u: &'a [f32],
    /// `[J D][E]`
    pub(super) weights: &'a [Lanes],
}

impl Scatter<'_> {
    /// Writes `du` (the block's part of every sample) and writes or adds to `dw` (the block's rows).
    pub(super) fn run(self, scratch: &Scratch, mut du: Vec<&mut [f32]>, dw: &mut [f32], accumulate: bool) {
        let Layout { shape, weights, .. } = self.layout;
        let [inputs, votes] = [SAMPLES * shape.lower_dimensions, SAMPLES * shape.upper_dimensions];
        let mut buffer = scratch.take(weights + 2 * inputs + votes);
        let (dweights, rest) = buffer.split_at_mut(*weights);
        let (inputs, rest) = rest.split_at_mut(inputs);
        let (dinputs, dvotes) = rest.split_at_mut(inputs.len());
        dweights.fill(Lanes::ZERO);
        let sample_len = shape.lower * shape.lower_dimensions;
        let samples = self.u.chunks(SAMPLES * sample_len).zip(du.chunks_mut(SAMPLES));
        for (first, (u, du)) in samples.enumerate() {
            let of_samples = u
                .chunks_exact(sample_len)
                .zip(inputs.chunks_exact_mut(shape.lower_dimensions));
            for (u, inputs) in of_samples {
                self.layout.gather_inputs(u, self.block, inputs);
            }
            dinputs.fill(Lanes::ZERO);
            dispatch(Step {
                scatter: &self,
                first: first * SAMPLES,
                samples: du.len(),
                inputs,
                dinputs,
                dweights,
                dvotes,
            });
            for (du, dinputs) in du.iter_mut().zip(dinputs.chunks_exact(shape.lower_dimensions)) {
                self.layout.scatter_inputs(dinputs, du);
            }
        }
        self.layout.scatter_weights(dweights, dw, accumulate);
    }
}

/// Up to eight samples.
struct Step<'a> {
    scatter: &'a Scatter<'a>,
    first: usize,
    samples: usize,
    /// `[sample][E]`
    inputs: &'a [Lanes],
    /// `[sample][E]`
    dinputs: &'a mut [Lanes],
    /// `[J D][E]`
    dweights: &'a mut [Lanes],
    /// `[sample][D]`
    dvotes: &'a mut [Lanes],
}

impl Kernel for Step<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Layout { shape, .. } = self.scatter.layout;
        let (dimensions, lower_dimensions) = (shape.upper_dimensions, shape.lower_dimensions);
        let inputs = &self.inputs[..self.samples * lower_dimensions];
        let dinputs = &mut self.dinputs[..self.samples * lower_dimensions];
        let dvotes = &mut self.dvotes[..self.samples * dimensions];
        for j in 0..shape.upper {
            for (sample, dvotes) in dvotes.chunks_exact_mut(dimensions).enumerate() {
                vote_gradients(simd, self.scatter, self.first + sample, j, dvotes);
            }
            let of_j = j * dimensions * lower_dimensions..(j + 1) * dimensions * lower_dimensions;
            let (weights, dweights) = (&self.scatter.weights[of_j.clone()], &mut self.dweights[of_j]);
            let mut e = 0;
            while e < lower_dimensions {
                match lower_dimensions - e {
                    8.. => {
                        add_products::<S, 8>(simd, lower_dimensions, e, inputs, dvotes, dweights);
                        add_products_by_sample::<S, 8>(simd, lower_dimensions, e, weights, dvotes, dinputs);
                        e += 8;
                    }
                    4.. => {
                        add_products::<S, 4>(simd, lower_dimensions, e, inputs, dvotes, dweights);
                        add_products_by_sample::<S, 4>(simd, lower_dimensions, e, weights, dvotes, dinputs);
                        e += 4;
                    }
                    _ => {
                        add_products::<S, 1>(simd, lower_dimensions, e, inputs, dvotes, dweights);
                        add_products_by_sample::<S, 1>(simd, lower_dimensions, e, weights, dvotes, dinputs);
                        e += 1;
                    }
                }
            }
        }
    }
}

/// The gradients of one sample's votes for upper capsule `j`, `[D]`.
#[inline(always)]
fn vote_gradients<S: Simd>(simd: S, scatter: &Scatter<'_>, sample: usize, j: usize, dvotes: &mut [Lanes]) {
    let (layout, kept) = (scatter.layout, scatter.kept);
    let dimensions = layout.shape.upper_dimensions;
    let (tile, sample) = (sample / TILE, sample % TILE);
    let len = TILE * layout.columns;
    let vectors = &Lanes::flat(kept.vectors)[tile * Kept::vectors(layout) * LANES..];
    let vectors = &vectors[sample * layout.columns + j * dimensions..];
    let half = TILE * layout.couplings;
    let coefficients = &kept.coefficients[tile * Kept::coefficients(layout)..];
    let (chunk, block) = (scatter.block / BLOCKS, scatter.block % BLOCKS);
    let at = chunk * 2 * half + sample * layout.couplings + j * BLOCKS + block;
    for part in 0..S::PARTS {
        for (dvote, &ds) in dvotes.iter_mut().zip(vectors) {
            simd.store(simd.splat(ds), dvote, part);
        }
        for iteration in 1..layout.shape.iterations {
            let at = (iteration - 1) * layout.chunks * 2 * half + at;
            let coupling = simd.load(&coefficients[at], part);
            let dlogit = simd.load(&coefficients[at + half], part);
            let ds = &vectors[(2 * iteration - 1) * len..][..dimensions];
            let outputs = &vectors[2 * iteration * len..][..dimensions];
            for ((dvote, &ds), &output) in dvotes.iter_mut().zip(ds).zip(outputs) {
                let sum = simd.load(dvote, part).plus(ds, coupling).plus(output, dlogit);
                simd.store(sum, dvote, part);
            }
        }
    }
}

/// `dw[d][e..e+N] += sum over samples of u[e..e+N] du_hat[d]`.
#[inline(always)]
fn add_products<S: Simd, const N: usize>(
    simd: S,
    stride: usize,
    e: usize,
    inputs: &[Lanes],
    dvotes: &[Lanes],
    dweights: &mut [Lanes],
) {
    let samples = inputs.len() / stride;
    let dimensions = dweights.len() / stride;
    for d in 0..dimensions {
        let dweights = &mut dweights[d * stride + e..][..N];
        for part in 0..S::PARTS {
            let mut sums = [simd.splat(0.0); N];
            for (sum, dweight) in sums.iter_mut().zip(&*dweights) {
                *sum = simd.load(dweight, part);
            }
            for sample in 0..samples {
                let dvote = simd.load(&dvotes[sample * dimensions + d], part);
                let inputs = &inputs[sample * stride + e..][..N];
                for (sum, input) in sums.iter_mut().zip(inputs) {
                    *sum = sum.plus_product(dvote, simd.load(input, part));
                }
            }
            for (sum, dweight) in sums.iter().zip(&mut *dweights) {
                simd.store(*sum, dweight, part);
            }
        }
    }
}

/// `du[e..e+N] += sum over d of w[d][e..e+N] du_hat[d]` for each sample.
#[inline(always)]
fn add_products_by_sample<S: Simd, const N: usize>(
    simd: S,
    stride: usize,
    e: usize,
    weights: &[Lanes],
    dvotes: &[Lanes],
    dinputs: &mut [Lanes],
) {
    let dimensions = weights.len() / stride;
    for (dinputs, dvotes) in dinputs.chunks_exact_mut(stride).zip(dvotes.chunks_exact(dimensions)) {
        let dinputs = &mut dinputs[e..][..N];
        for part in 0..S::PARTS {
            let mut sums = [simd.splat(0.0); N];
            for (sum, dinput) in sums.iter_mut().zip(&*dinputs) {
                *sum = simd.load(dinput, part);
            }
            for (dvote, weights) in dvotes.iter().zip(weights.chunks_exact(stride)) {
                let dvote = simd.load(dvote, part);
                for (sum, weight) in sums.iter_mut().zip(&weights[e..][..N]) {
                    *sum = sum.plus_product(dvote, simd.load(weight, part));
                }
            }
            for (sum, dinput) in sums.iter().zip(&mut *dinputs) {
                simd.store(*sum, dinput, part);
            }
        }
    }
}
