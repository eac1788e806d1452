//! Where things are: lower capsules side by side in the lanes.
//!
//! A [`Lanes`] holds one number of each of sixteen lower capsules. Sums over dimensions, and softmaxes over upper
//! capsules, then are sums and softmaxes of whole registers, whatever the dimensions are; only a sum over lower
//! capsules ends in a sum over lanes. Four such blocks make a chunk: the unit of work. Capsules past the last are zero,
//! and so are their votes.
//!
//! ```text
//! weights  [chunk][block][J D][E]                votes   [chunk][sample][block][J D]
//! inputs   [chunk][sample][block][E]             couplings, agreements  [chunk][sample][J][block]
//! ```
//!
//! Samples are taken in tiles of four; the strides are those of whole tiles.

use super::RoutingShape;
use crate::simd::{LANES, Lanes};
use std::ops::Range;

/// Blocks of sixteen lower capsules in a chunk.
pub(super) const BLOCKS: usize = 4;
/// Lower capsules in a chunk.
pub(super) const CHUNK: usize = BLOCKS * LANES;
/// Samples in a tile: the votes of so many are kept at a time.
pub(super) const TILE: usize = 4;
/// Samples whose couplings are kept at a time in the backward pass; whole tiles.
pub(super) const GROUP: usize = 128;

/// Sizes in [`Lanes`].
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) shape: RoutingShape,
    /// Chunks of lower capsules.
    pub(super) chunks: usize,
    /// `J D`.
    pub(super) columns: usize,
    /// Weights of a block.
    pub(super) weights: usize,
    /// Inputs of one sample in a chunk.
    pub(super) inputs: usize,
    /// Votes of one sample in a chunk.
    pub(super) votes: usize,
    /// Couplings of one sample in a chunk.
    pub(super) couplings: usize,
}

impl Layout {
    pub(super) fn new(shape: RoutingShape) -> Self {
        let columns = shape.columns();
        Self {
            shape,
            chunks: shape.lower.div_ceil(CHUNK),
            columns,
            weights: columns * shape.lower_dimensions,
            inputs: BLOCKS * shape.lower_dimensions,
            votes: BLOCKS * columns,
            couplings: BLOCKS * shape.upper,
        }
    }

    /// The lower capsules of a block, counted through all chunks.
    pub(super) fn capsules(&self, block: usize) -> Range<usize> {
        let end = self.shape.lower.min((block + 1) * LANES);
        (block * LANES).min(end)..end
    }

    /// Gathers the weights of a block, `[J D][E]`.
    pub(super) fn gather_weights(&self, w: &[f32], block: usize, out: &mut [Lanes]) {
        let (columns, dimensions) = (self.columns, self.shape.lower_dimensions);
        let capsules = self.capsules(block);
        if capsules.len() < LANES {
            out.fill(Lanes::ZERO);
        }
        if capsules.is_empty() {
            return;
        }
        let rows = &w[capsules.start * dimensions * columns..capsules.end * dimensions * columns];
        for (column, out) in out.chunks_exact_mut(dimensions).enumerate() {
            for (dimension, out) in out.iter_mut().enumerate() {
                let of_capsules = rows[dimension * columns + column..]
                    .iter()
                    .step_by(dimensions * columns);
                for (lane, &value) in out.0.iter_mut().zip(of_capsules) {
                    *lane = value;
                }
            }
        }
    }

    /// The adjoint of [`gather_weights`](Self::gather_weights): writes, or adds, the gradient of a block's weights.
    /// `dw` holds the rows of the block's capsules only.
    pub(super) fn scatter_weights(&self, gradient: &[Lanes], dw: &mut [f32], accumulate: bool) {
        let (columns, dimensions) = (self.columns, self.shape.lower_dimensions);
        for (lane, dw) in dw.chunks_exact_mut(dimensions * columns).enumerate() {
            for (dimension, dw) in dw.chunks_exact_mut(columns).enumerate() {
                let of_columns = gradient[dimension..].iter().step_by(dimensions);
                for (dw, gradient) in dw.iter_mut().zip(of_columns) {
                    *dw = if accumulate { *dw } else { 0.0 } + gradient.0[lane];
                }
            }
        }
    }

    /// Gathers a block of one sample's lower capsules, `[E]`. `u` is that sample.
    pub(super) fn gather_inputs(&self, u: &[f32], block: usize, out: &mut [Lanes]) {
        let dimensions = self.shape.lower_dimensions;
        let capsules = self.capsules(block);
        if capsules.len() < LANES {
            out.fill(Lanes::ZERO);
        }
        let capsules = &u[capsules.start * dimensions..capsules.end * dimensions];
        for (lane, capsule) in capsules.chunks_exact(dimensions).enumerate() {
            for (out, &value) in out.iter_mut().zip(capsule) {
                out.0[lane] = value;
            }
        }
    }

    /// The adjoint of [`gather_inputs`](Self::gather_inputs). `du` holds the block's capsules of one sample only.
    pub(super) fn scatter_inputs(&self, gradient: &[Lanes], du: &mut [f32]) {
        for (lane, du) in du.chunks_exact_mut(self.shape.lower_dimensions).enumerate() {
            for (du, gradient) in du.iter_mut().zip(gradient) {
                *du = gradient.0[lane];
            }
        }
    }
}
