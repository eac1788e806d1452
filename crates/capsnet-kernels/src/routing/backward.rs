//! The adjoint, through all iterations.
//!
//! With `V_t = v_0 + ... + v_{t-1}`, iteration `t` computes `b_t = <u_hat, V_t>`, `c_t = softmax(b_t)`, `s_t = sum c_t
//! u_hat` and `v_t = squash(s_t)`; `c_0` is a constant. Backwards from the last iteration, where `dv` is given:
//!
//! ```text
//! ds_t = adjoint of squash at s_t, of dv_t
//! dc_t = <u_hat, ds_t>
//! db_t = adjoint of softmax at c_t, of dc_t
//! dv_k = sum over t > k of sum over i of db_t u_hat        for k before the last
//! du_hat = c_0 ds_0 + sum over t > 0 of (c_t ds_t + db_t V_t)
//! ```
//!
//! Tiles of samples do all but the last line. It has few numbers for a sample and iteration (`c_t`, `db_t`, `ds_t`,
//! `V_t`), which are kept; `weight_gradient` forms it where it is used.

use super::layout::{GROUP, Layout, TILE};
use super::tile::{Sharing, Tile, gather_weights, weights_len};
use super::weight_gradient::{Kept, Scatter};
use crate::scratch::Scratch;
use crate::simd::{LANES, Lanes};
use crate::squash::{squash, squash_adjoint};
use crate::toom_cook::by_block;
use rayon::prelude::*;

/// What the adjoint reads.
#[derive(Clone, Copy)]
pub(super) struct Operands<'a> {
    pub(super) u: &'a [f32],
    pub(super) w: &'a [f32],
    /// `[B, r, J, D]`
    pub(super) sums: &'a [f32],
    /// `[B, J, D]`
    pub(super) dv: &'a [f32],
}

/// Computes both gradients. Lengths have been checked.
pub(super) fn backward(layout: &Layout, scratch: &Scratch, operands: Operands<'_>, du: &mut [f32], dw: &mut [f32]) {
    let shape = &layout.shape;
    let sample_len = shape.lower * shape.lower_dimensions;
    let mut weights = scratch.take(weights_len(layout));
    gather_weights(layout, operands.w, &mut weights);
    let samples = shape.batch.min(GROUP).next_multiple_of(TILE);
    let mut coefficients = scratch.take(samples / TILE * Kept::coefficients(layout).max(1));
    let mut vectors = scratch.take(samples / TILE * Kept::vectors(layout));

    let groups = operands
        .u
        .chunks(GROUP * sample_len)
        .zip(du.chunks_mut(GROUP * sample_len));
    for (group, (u, du)) in groups.enumerate() {
        let sums = &operands.sums[group * GROUP * shape.iterations * layout.columns..];
        let dv = &operands.dv[group * GROUP * layout.columns..];
        let tiles = u
            .par_chunks(TILE * sample_len)
            .zip(sums.par_chunks(TILE * shape.iterations * layout.columns))
            .zip(dv.par_chunks(TILE * layout.columns))
            .zip(coefficients.par_chunks_exact_mut(Kept::coefficients(layout).max(1)))
            .zip(vectors.par_chunks_exact_mut(Kept::vectors(layout)));
        let sharing = Sharing::of(tiles.len());
        let tiles = tiles.with_min_len(sharing.tiles());
        tiles.for_each(|((((u, sums), dv), coefficients), vectors)| {
            let tile = || Tile::new(layout, scratch, sharing, u, &weights);
            adjoint_of_tile(layout, scratch, tile, sums, dv, coefficients, Lanes::flat_mut(vectors));
        });

        let kept = Kept {
            coefficients: &coefficients,
            vectors: &vectors,
        };
        let block_len = LANES * shape.lower_dimensions;
        by_block(du, sample_len, block_len)
            .into_par_iter()
            .zip(dw.par_chunks_mut(block_len * layout.columns))
            .zip(weights.par_chunks_exact(layout.weights))
            .enumerate()
            .for_each(|(block, ((du, dw), weights))| {
                let scatter = Scatter {
                    layout,
                    block,
                    kept,
                    u,
                    weights,
                };
                scatter.run(scratch, du, dw, group > 0);
            });
    }
    const { assert!(GROUP.is_multiple_of(TILE), "a group is made of whole tiles") };
}

/// Fills in what is kept of one tile. `tile` forms its votes, which one iteration alone doesn't need.
fn adjoint_of_tile<'a>(
    layout: &Layout,
    scratch: &Scratch,
    tile: impl FnOnce() -> Tile<'a>,
    sums: &[f32],
    dv: &[f32],
    coefficients: &mut [Lanes],
    vectors: &mut [f32],
) {
    let (columns, iterations) = (layout.columns, layout.shape.iterations);
    let dimensions = layout.shape.upper_dimensions;
    let len = TILE * columns;
    let rows = |iteration: usize| (2 * iteration - 1) * len;
    // V_1, V_2, ...: each the previous one and the next output.
    for iteration in 1..iterations {
        let (before, after) = vectors.split_at_mut(rows(iteration) + len);
        let total = &mut after[..len];
        for (sample, sums) in sums.chunks_exact(iterations * columns).enumerate() {
            let total = &mut total[sample * columns..][..columns];
            let s = &sums[(iteration - 1) * columns..][..columns];
            for (total, s) in total.chunks_exact_mut(dimensions).zip(s.chunks_exact(dimensions)) {
                squash(s, total);
            }
            if iteration > 1 {
                let previous = &before[rows(iteration) - len + sample * columns..];
                for (total, previous) in total.iter_mut().zip(previous) {
                    *total += previous;
                }
            }
        }
    }

    let mut buffer = scratch.take((2 * len).div_ceil(LANES));
    let (gradient, rest) = Lanes::flat_mut(&mut buffer).split_at_mut(len);
    let of_iteration = &mut rest[..len];
    gradient[..dv.len()].copy_from_slice(dv);
    if iterations > 1 {
        let mut tile = tile();
        for iteration in (1..iterations).rev() {
            let (before, outputs) = vectors.split_at_mut(rows(iteration) + len);
            let ds = &mut before[rows(iteration)..];
            squash_adjoints(layout, sums, iteration, gradient, ds);
            let of_coefficients = coefficients.len() / (iterations - 1);
            let coefficients = &mut coefficients[(iteration - 1) * of_coefficients..][..of_coefficients];
            tile.route_adjoint(&outputs[..len], ds, coefficients, of_iteration);
            if iteration + 1 == iterations {
                gradient.copy_from_slice(of_iteration);
            } else {
                for (gradient, of_iteration) in gradient.iter_mut().zip(&*of_iteration) {
                    *gradient += of_iteration;
                }
            }
        }
    }
    squash_adjoints(layout, sums, 0, gradient, &mut vectors[..len]);
    for ds in &mut vectors[..len] {
        *ds *= layout.shape.first_coupling();
    }
}

/// `ds` of one iteration for the samples of a tile.
fn squash_adjoints(layout: &Layout, sums: &[f32], iteration: usize, dv: &[f32], ds: &mut [f32]) {
    let (columns, dimensions) = (layout.columns, layout.shape.upper_dimensions);
    for (sample, sums) in sums.chunks_exact(layout.shape.iterations * columns).enumerate() {
        let s = &sums[iteration * columns..][..columns];
        for (j, s) in s.chunks_exact(dimensions).enumerate() {
            let at = sample * columns + j * dimensions;
            squash_adjoint(s, &dv[at..at + dimensions], &mut ds[at..at + dimensions]);
        }
    }
}
