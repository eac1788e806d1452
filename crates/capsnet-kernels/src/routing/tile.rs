//! The votes of a tile of samples, and what a whole iteration does with them.

use super::CouplingsOver;
use super::layout::{BLOCKS, Layout, TILE};
use super::normalise::{OverInputsAdjoint, OverOutputsAdjoint, SoftmaxOverInputs, SoftmaxOverOutputs};
use super::passes::{Agree, Combine, Project, Reduce};
use crate::scratch::{Buffer, Scratch};
use crate::simd::{Lanes, dispatch};
use rayon::prelude::*;

/// `Lanes` of all weights, gathered.
pub(super) fn weights_len(layout: &Layout) -> usize {
    layout.chunks * BLOCKS * layout.weights
}

/// Gathers all weights, `[chunk][block][J D][E]`, into as many `Lanes` as [`weights_len`] says.
pub(super) fn gather_weights(layout: &Layout, w: &[f32], weights: &mut [Lanes]) {
    let blocks = weights.par_chunks_exact_mut(layout.weights).enumerate();
    blocks.for_each(|(block, out)| layout.gather_weights(w, block, out));
}

/// How work is shared among threads. Every sum has its order from the shape alone, so that this can depend on the
/// threads.
#[derive(Clone, Copy)]
pub(super) enum Sharing {
    /// A task is a tile of samples.
    Tiles,
    /// A task is a chunk of lower capsules; tiles come one after the other. For small batches.
    Chunks,
}

impl Sharing {
    pub(super) fn of(tiles: usize) -> Self {
        if tiles >= 4 * rayon::current_num_threads() {
            Self::Tiles
        } else {
            Self::Chunks
        }
    }

    /// The shortest run of tiles that may become a task.
    pub(super) fn tiles(self) -> usize {
        match self {
            Self::Tiles => 1,
            Self::Chunks => usize::MAX,
        }
    }

    /// The shortest run of chunks that may become a task.
    fn chunks(self) -> usize {
        match self {
            Self::Tiles => usize::MAX,
            Self::Chunks => 1,
        }
    }
}

/// The votes of up to [`TILE`] samples.
pub(super) struct Tile<'a> {
    layout: &'a Layout,
    sharing: Sharing,
    samples: usize,
    /// `[chunk][sample][block][J D]`
    votes: Buffer<'a>,
    /// Sums over the lower capsules of a chunk, lane by lane: `[chunk][sample][J D]`.
    partial: Buffer<'a>,
}

impl<'a> Tile<'a> {
    /// Forms the votes of samples `u` `[sample, I, E]`.
    pub(super) fn new(
        layout: &'a Layout,
        scratch: &'a Scratch,
        sharing: Sharing,
        u: &[f32],
        weights: &[Lanes],
    ) -> Self {
        let sample_len = layout.shape.lower * layout.shape.lower_dimensions;
        let samples = u.len() / sample_len;
        let mut votes = scratch.take(layout.chunks * TILE * layout.votes);
        let partial = scratch.take(layout.chunks * TILE * layout.columns);
        let chunks = votes
            .par_chunks_exact_mut(TILE * layout.votes)
            .zip(weights.par_chunks_exact(BLOCKS * layout.weights));
        let chunks = chunks.with_min_len(sharing.chunks()).enumerate();
        chunks.for_each(|(chunk, (votes, weights))| {
            let mut inputs = scratch.take(TILE * layout.inputs);
            for (sample, u) in u.chunks_exact(sample_len).enumerate() {
                let inputs = inputs[sample * layout.inputs..].chunks_exact_mut(layout.shape.lower_dimensions);
                for (block, inputs) in inputs.take(BLOCKS).enumerate() {
                    layout.gather_inputs(u, chunk * BLOCKS + block, inputs);
                }
            }
            dispatch(Project {
                layout,
                samples,
                inputs: &inputs,
                weights,
                votes,
            });
        });
        Self {
            layout,
            sharing,
            samples,
            votes,
            partial,
        }
    }

    /// `s[j] = sum over i of u_hat[i,j]`; `sums` is `[sample][J D]`.
    pub(super) fn sum(&mut self, sums: &mut [f32]) {
        let (layout, samples) = (self.layout, self.samples);
        let chunks = self.votes.par_chunks_exact(TILE * layout.votes);
        let chunks = chunks.zip(self.partial.par_chunks_exact_mut(TILE * layout.columns));
        chunks.with_min_len(self.sharing.chunks()).for_each(|(votes, sums)| {
            dispatch(Combine {
                layout,
                samples,
                votes,
                coefficients: None,
                sums,
            });
        });
        self.reduce(sums);
    }

    /// One iteration: couplings from the sum of the outputs so far, `c = softmax of <u_hat, outputs>`, and the sums of
    /// votes weighted with them. `outputs` and `sums` are `[sample][J D]`; `couplings` is `[chunk][sample][J][block]`.
    pub(super) fn route(&mut self, outputs: &[f32], couplings: &mut [Lanes], sums: &mut [f32]) {
        let (layout, samples) = (self.layout, self.samples);
        match layout.shape.couplings_over {
            CouplingsOver::Outputs => self.visit(couplings, |votes, couplings, sums| {
                agree(layout, samples, votes, outputs, couplings);
                let logits = couplings;
                dispatch(SoftmaxOverOutputs {
                    layout,
                    samples,
                    logits,
                });
                combine(layout, samples, votes, logits, sums);
            }),
            CouplingsOver::Inputs => {
                self.visit(couplings, |votes, logits, _| {
                    agree(layout, samples, votes, outputs, logits)
                });
                dispatch(SoftmaxOverInputs {
                    layout,
                    samples,
                    logits: couplings,
                    stride: TILE * layout.couplings,
                });
                self.visit(couplings, |votes, couplings, sums| {
                    combine(layout, samples, votes, couplings, sums);
                });
            }
        }
        self.reduce(sums);
    }

    /// The adjoint of one iteration, given the gradient `ds` of its weighted sums: its couplings `c` again, the
    /// gradient `db` of its logits, and that of the outputs in them, `sum over i of db[i,j] u_hat[i,j]`.
    ///
    /// `outputs`, `ds` and `gradient` are `[sample][J D]`; `coefficients` gets `c` and `db`,
    /// `[chunk][2][sample][J][block]`.
    pub(super) fn route_adjoint(
        &mut self,
        outputs: &[f32],
        ds: &[f32],
        coefficients: &mut [Lanes],
        gradient: &mut [f32],
    ) {
        let (layout, samples) = (self.layout, self.samples);
        let half = TILE * layout.couplings;
        match layout.shape.couplings_over {
            CouplingsOver::Outputs => self.visit(coefficients, |votes, coefficients, sums| {
                let (couplings, gradient) = coefficients.split_at_mut(half);
                agree(layout, samples, votes, outputs, couplings);
                let logits = &mut *couplings;
                dispatch(SoftmaxOverOutputs {
                    layout,
                    samples,
                    logits,
                });
                agree(layout, samples, votes, ds, gradient);
                dispatch(OverOutputsAdjoint {
                    layout,
                    samples,
                    couplings,
                    gradient,
                });
                combine(layout, samples, votes, gradient, sums);
            }),
            CouplingsOver::Inputs => {
                self.visit(coefficients, |votes, coefficients, _| {
                    let (couplings, gradient) = coefficients.split_at_mut(half);
                    agree(layout, samples, votes, outputs, couplings);
                    agree(layout, samples, votes, ds, gradient);
                });
                dispatch(SoftmaxOverInputs {
                    layout,
                    samples,
                    logits: coefficients,
                    stride: 2 * half,
                });
                dispatch(OverInputsAdjoint {
                    layout,
                    samples,
                    coefficients,
                });
                self.visit(coefficients, |votes, coefficients, sums| {
                    combine(layout, samples, votes, &coefficients[half..], sums);
                });
            }
        }
        self.reduce(gradient);
    }

    /// Calls `task` with the votes, the coefficients and the sums of every chunk.
    fn visit(&mut self, coefficients: &mut [Lanes], task: impl Fn(&[Lanes], &mut [Lanes], &mut [Lanes]) + Sync) {
        let layout = self.layout;
        let of_chunk = coefficients.len() / layout.chunks;
        let chunks = self.votes.par_chunks_exact(TILE * layout.votes);
        let chunks = chunks.zip(coefficients.par_chunks_exact_mut(of_chunk));
        let chunks = chunks.zip(self.partial.par_chunks_exact_mut(TILE * layout.columns));
        let chunks = chunks.with_min_len(self.sharing.chunks());
        chunks.for_each(|((votes, coefficients), sums)| task(votes, coefficients, sums));
    }

    fn reduce(&self, sums: &mut [f32]) {
        dispatch(Reduce {
            layout: self.layout,
            samples: self.samples,
            partial: &self.partial,
            sums,
        });
    }
}

fn agree(layout: &Layout, samples: usize, votes: &[Lanes], directions: &[f32], agreements: &mut [Lanes]) {
    dispatch(Agree {
        layout,
        samples,
        votes,
        directions,
        agreements,
    });
}

fn combine(layout: &Layout, samples: usize, votes: &[Lanes], coefficients: &[Lanes], sums: &mut [Lanes]) {
    dispatch(Combine {
        layout,
        samples,
        votes,
        coefficients: Some(coefficients),
        sums,
    });
}
