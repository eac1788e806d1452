//! The softmax of the couplings and its adjoint, over either side.
//!
//! These loops over lanes are left to the compiler's vectoriser, which [`Kernel`] gives the instruction set.

use super::layout::{BLOCKS, Layout, TILE};
use crate::simd::{Kernel, LANES, Lanes, Simd, exp};

/// Turns logits `b[i][j]` into `exp(b[i][j]) / sum over j of exp(b[i][j])`; one chunk of a tile, `[sample][J][block]`.
pub(super) struct SoftmaxOverOutputs<'a> {
    pub(super) layout: &'a Layout,
    pub(super) samples: usize,
    pub(super) logits: &'a mut [Lanes],
}

impl Kernel for SoftmaxOverOutputs<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, _simd: S) {
        let couplings = self.layout.couplings;
        for logits in self.logits.chunks_exact_mut(couplings).take(self.samples) {
            for block in 0..BLOCKS {
                let mut largest = [f32::NEG_INFINITY; LANES];
                for at in (block..couplings).step_by(BLOCKS) {
                    for (largest, &logit) in largest.iter_mut().zip(&logits[at].0) {
                        *largest = if logit > *largest { logit } else { *largest };
                    }
                }
                let mut sum = [0.0; LANES];
                for at in (block..couplings).step_by(BLOCKS) {
                    let mut powers = logits[at].0;
                    for lane in 0..LANES {
                        powers[lane] = exp(powers[lane] - largest[lane]);
                    }
                    for (sum, power) in sum.iter_mut().zip(powers) {
                        *sum += power;
                    }
                    logits[at].0 = powers;
                }
                for sum in &mut sum {
                    *sum = 1.0 / *sum;
                }
                for at in (block..couplings).step_by(BLOCKS) {
                    for (coupling, factor) in logits[at].0.iter_mut().zip(sum) {
                        *coupling *= factor;
                    }
                }
            }
        }
    }
}

/// Turns the gradient of the couplings into that of the logits, `c[i][j] (dc[i][j] - sum over k of c[i][k] dc[i][k])`.
pub(super) struct OverOutputsAdjoint<'a> {
    pub(super) layout: &'a Layout,
    pub(super) samples: usize,
    pub(super) couplings: &'a [Lanes],
    pub(super) gradient: &'a mut [Lanes],
}

impl Kernel for OverOutputsAdjoint<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, _simd: S) {
        let couplings = self.layout.couplings;
        let of_samples = self
            .couplings
            .chunks_exact(couplings)
            .zip(self.gradient.chunks_exact_mut(couplings));
        for (c, gradient) in of_samples.take(self.samples) {
            for block in 0..BLOCKS {
                let mut mean = [0.0; LANES];
                for at in (block..couplings).step_by(BLOCKS) {
                    for ((mean, c), gradient) in mean.iter_mut().zip(c[at].0).zip(gradient[at].0) {
                        *mean += c * gradient;
                    }
                }
                for at in (block..couplings).step_by(BLOCKS) {
                    for ((gradient, c), mean) in gradient[at].0.iter_mut().zip(c[at].0).zip(mean) {
                        *gradient = c * (*gradient - mean);
                    }
                }
            }
        }
    }
}

/// Turns logits `b[i][j]` into `exp(b[i][j]) / sum over i of exp(b[i][j])`; a whole tile, `[sample][J][block]` at the
/// start of every `stride` for a chunk. Capsules past the last get a coupling of zero.
pub(super) struct SoftmaxOverInputs<'a> {
    pub(super) layout: &'a Layout,
    pub(super) samples: usize,
    pub(super) logits: &'a mut [Lanes],
    pub(super) stride: usize,
}

impl Kernel for SoftmaxOverInputs<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, _simd: S) {
        let layout = self.layout;
        for sample in 0..self.samples {
            for j in 0..layout.shape.upper {
                let mut largest = f32::NEG_INFINITY;
                for block in 0..layout.chunks * BLOCKS {
                    for &logit in
                        &self.logits[at(layout, self.stride, sample, j, block)].0[..layout.capsules(block).len()]
                    {
                        largest = if logit > largest { logit } else { largest };
                    }
                }
                let mut sum = [0.0; LANES];
                for block in 0..layout.chunks * BLOCKS {
                    let lanes = &mut self.logits[at(layout, self.stride, sample, j, block)].0;
                    for lane in lanes.iter_mut() {
                        *lane = exp(*lane - largest);
                    }
                    lanes[layout.capsules(block).len()..].fill(0.0);
                    for (sum, &power) in sum.iter_mut().zip(&*lanes) {
                        *sum += power;
                    }
                }
                let factor = 1.0 / Lanes(sum).sum();
                for block in 0..layout.chunks * BLOCKS {
                    for lane in &mut self.logits[at(layout, self.stride, sample, j, block)].0 {
                        *lane *= factor;
                    }
                }
            }
        }
    }
}

/// Turns the gradient of the couplings into that of the logits, `c[i][j] (dc[i][j] - sum over k of c[k][j] dc[k][j])`;
/// a whole tile, couplings and gradient: `[chunk][2][sample][J][block]`.
pub(super) struct OverInputsAdjoint<'a> {
    pub(super) layout: &'a Layout,
    pub(super) samples: usize,
    pub(super) coefficients: &'a mut [Lanes],
}

impl Kernel for OverInputsAdjoint<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, _simd: S) {
        let layout = self.layout;
        let half = TILE * layout.couplings;
        for sample in 0..self.samples {
            for j in 0..layout.shape.upper {
                let mut sum = [0.0; LANES];
                for block in 0..layout.chunks * BLOCKS {
                    let at = at(layout, 2 * half, sample, j, block);
                    let (c, gradient) = (self.coefficients[at].0, self.coefficients[at + half].0);
                    for lane in 0..LANES {
                        sum[lane] += c[lane] * gradient[lane];
                    }
                }
                let mean = Lanes(sum).sum();
                for block in 0..layout.chunks * BLOCKS {
                    let at = at(layout, 2 * half, sample, j, block);
                    let c = self.coefficients[at].0;
                    for (gradient, c) in self.coefficients[at + half].0.iter_mut().zip(c) {
                        *gradient = c * (*gradient - mean);
                    }
                }
            }
        }
    }
}

/// Where a tile keeps the couplings of a block, counted through all chunks, with upper capsule `j`.
#[inline(always)]
fn at(layout: &Layout, stride: usize, sample: usize, j: usize, block: usize) -> usize {
    let (chunk, block) = (block / BLOCKS, block % BLOCKS);
    chunk * stride + sample * layout.couplings + j * BLOCKS + block
}
