//! The three inner loops over votes: make them, compare them with a vector, add them up. Each does one chunk of a tile.

use super::layout::{BLOCKS, Layout, TILE};
use crate::simd::{Kernel, Lanes, Simd, Vector as _};

/// `votes[i][c] = sum over e of u[i][e] w[i][e][c]`.
pub(super) struct Project<'a> {
    pub(super) layout: &'a Layout,
    pub(super) samples: usize,
    /// `[sample][block][E]`
    pub(super) inputs: &'a [Lanes],
    /// `[block][J D][E]`
    pub(super) weights: &'a [Lanes],
    /// `[sample][block][J D]`
    pub(super) votes: &'a mut [Lanes],
}

impl Kernel for Project<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let dimensions = self.layout.shape.lower_dimensions;
        for block in 0..BLOCKS {
            let weights = &self.weights[block * self.layout.weights..][..self.layout.weights];
            let inputs = &self.inputs[block * dimensions..];
            let votes = &mut self.votes[block * self.layout.columns..];
            if self.samples == TILE {
                project::<S, TILE>(simd, self.layout, weights, inputs, votes);
            } else {
                for sample in 0..self.samples {
                    let inputs = &inputs[sample * self.layout.inputs..];
                    let votes = &mut votes[sample * self.layout.votes..];
                    project::<S, 1>(simd, self.layout, weights, inputs, votes);
                }
            }
        }
    }
}

/// One block of `N` samples, two columns at a time.
#[inline(always)]
fn project<S: Simd, const N: usize>(
    simd: S,
    layout: &Layout,
    weights: &[Lanes],
    inputs: &[Lanes],
    votes: &mut [Lanes],
) {
    let mut column = 0;
    while column + 2 <= layout.columns {
        project_columns::<S, N, 2>(simd, layout, weights, inputs, column, votes);
        column += 2;
    }
    if column < layout.columns {
        project_columns::<S, N, 1>(simd, layout, weights, inputs, column, votes);
    }
}

#[inline(always)]
fn project_columns<S: Simd, const N: usize, const C: usize>(
    simd: S,
    layout: &Layout,
    weights: &[Lanes],
    inputs: &[Lanes],
    column: usize,
    votes: &mut [Lanes],
) {
    let dimensions = layout.shape.lower_dimensions;
    // Slices of the very length of the loop spare it the checks of bounds.
    let mut of_columns = [&weights[..0]; C];
    for (c, weights_of) in of_columns.iter_mut().enumerate() {
        *weights_of = &weights[(column + c) * dimensions..][..dimensions];
    }
    let mut of_samples = [&inputs[..0]; N];
    for (n, inputs_of) in of_samples.iter_mut().enumerate() {
        *inputs_of = &inputs[n * layout.inputs..][..dimensions];
    }
    for part in 0..S::PARTS {
        let mut sums = [[simd.splat(0.0); C]; N];
        for e in 0..dimensions {
            let mut factors = [simd.splat(0.0); C];
            for (factor, weights) in factors.iter_mut().zip(of_columns) {
                *factor = simd.load(&weights[e], part);
            }
            for (sums, inputs) in sums.iter_mut().zip(of_samples) {
                let input = simd.load(&inputs[e], part);
                for (sum, factor) in sums.iter_mut().zip(factors) {
                    *sum = sum.plus_product(input, factor);
                }
            }
        }
        for (n, sums) in sums.iter().enumerate() {
            for (c, &sum) in sums.iter().enumerate() {
                simd.store(sum, &mut votes[n * layout.votes + column + c], part);
            }
        }
    }
}

/// `agreements[i][j] = sum over d of votes[i][j][d] direction[j][d]`.
pub(super) struct Agree<'a> {
    pub(super) layout: &'a Layout,
    pub(super) samples: usize,
    /// `[sample][block][J D]`
    pub(super) votes: &'a [Lanes],
    /// `[sample][J D]`
    pub(super) directions: &'a [f32],
    /// `[sample][J][block]`
    pub(super) agreements: &'a mut [Lanes],
}

impl Kernel for Agree<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let layout = self.layout;
        let tiles = self
            .votes
            .chunks_exact(layout.votes)
            .zip(self.directions.chunks_exact(layout.columns));
        let samples = tiles.zip(self.agreements.chunks_exact_mut(layout.couplings));
        for ((votes, directions), agreements) in samples.take(self.samples) {
            agree(simd, layout, votes, directions, agreements);
        }
    }
}

#[inline(always)]
fn agree<S: Simd>(simd: S, layout: &Layout, votes: &[Lanes], directions: &[f32], agreements: &mut [Lanes]) {
    let dimensions = layout.shape.upper_dimensions;
    for j in 0..layout.shape.upper {
        let direction = &directions[j * dimensions..][..dimensions];
        let of_blocks = votes_of_blocks(layout, votes, j);
        for part in 0..S::PARTS {
            let mut sums = [simd.splat(0.0); BLOCKS];
            for d in 0..dimensions {
                let factor = simd.splat(direction[d]);
                for (sum, votes) in sums.iter_mut().zip(of_blocks) {
                    *sum = sum.plus_product(factor, simd.load(&votes[d], part));
                }
            }
            for (block, &sum) in sums.iter().enumerate() {
                simd.store(sum, &mut agreements[j * BLOCKS + block], part);
            }
        }
    }
}

/// The votes of each block for upper capsule `j`, `[D]`.
#[inline(always)]
fn votes_of_blocks<'a>(layout: &Layout, votes: &'a [Lanes], j: usize) -> [&'a [Lanes]; BLOCKS] {
    let dimensions = layout.shape.upper_dimensions;
    let mut of_blocks = [&votes[..0]; BLOCKS];
    for (block, votes_of) in of_blocks.iter_mut().enumerate() {
        *votes_of = &votes[block * layout.columns + j * dimensions..][..dimensions];
    }
    of_blocks
}

/// `sums[j][d] = sum over the blocks of coefficients[i][j] votes[i][j][d]`, lane by lane; without coefficients, they
/// are one.
pub(super) struct Combine<'a> {
    pub(super) layout: &'a Layout,
    pub(super) samples: usize,
    /// `[sample][block][J D]`
    pub(super) votes: &'a [Lanes],
    /// `[sample][J][block]`
    pub(super) coefficients: Option<&'a [Lanes]>,
    /// `[sample][J D]`
    pub(super) sums: &'a mut [Lanes],
}

impl Kernel for Combine<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let layout = self.layout;
        for sample in 0..self.samples {
            let votes = &self.votes[sample * layout.votes..][..layout.votes];
            let sums = &mut self.sums[sample * layout.columns..][..layout.columns];
            for j in 0..layout.shape.upper {
                let mut coefficients = [&ONE; BLOCKS];
                if let Some(of_samples) = self.coefficients {
                    let at = &of_samples[sample * layout.couplings + j * BLOCKS..][..BLOCKS];
                    for (coefficient, lanes) in coefficients.iter_mut().zip(at) {
                        *coefficient = lanes;
                    }
                }
                combine(simd, layout, votes, coefficients, j, sums);
            }
        }
    }
}

static ONE: Lanes = Lanes([1.0; crate::simd::LANES]);

#[inline(always)]
fn combine<S: Simd>(
    simd: S,
    layout: &Layout,
    votes: &[Lanes],
    coefficients: [&Lanes; BLOCKS],
    j: usize,
    sums: &mut [Lanes],
) {
    let dimensions = layout.shape.upper_dimensions;
    let of_blocks = votes_of_blocks(layout, votes, j);
    let sums = &mut sums[j * dimensions..][..dimensions];
    for part in 0..S::PARTS {
        let mut factors = [simd.splat(0.0); BLOCKS];
        for (factor, lanes) in factors.iter_mut().zip(coefficients) {
            *factor = simd.load(lanes, part);
        }
        for d in 0..dimensions {
            let mut sum = simd.splat(0.0);
            for (factor, votes) in factors.iter().zip(of_blocks) {
                sum = sum.plus_product(*factor, simd.load(&votes[d], part));
            }
            simd.store(sum, &mut sums[d], part);
        }
    }
}

/// Adds the sums of all chunks, in their order, and then their lanes.
pub(super) struct Reduce<'a> {
    pub(super) layout: &'a Layout,
    pub(super) samples: usize,
    /// `[chunk][sample][J D]`
    pub(super) partial: &'a [Lanes],
    /// `[sample][J D]`
    pub(super) sums: &'a mut [f32],
}

impl Kernel for Reduce<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let columns = self.layout.columns;
        for (at, out) in self.sums[..self.samples * columns].iter_mut().enumerate() {
            let mut total = Lanes::ZERO;
            for part in 0..S::PARTS {
                let mut sum = simd.load(&self.partial[at], part);
                for chunk in 1..self.layout.chunks {
                    sum = sum + simd.load(&self.partial[chunk * TILE * columns + at], part);
                }
                simd.store(sum, &mut total, part);
            }
            *out = total.sum();
        }
    }
}
