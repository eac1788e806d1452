//! The forward pass: tile by tile, votes and all iterations.
//!
//! The logits of iteration `t` are `<u_hat, v_0 + ... + v_{t-1}>`: the sum of the outputs so far stands for them, so
//! that couplings live only as long as their chunk is in cache.

use super::layout::{Layout, TILE};
use super::tile::{Sharing, Tile};
use crate::scratch::Scratch;
use crate::simd::{LANES, Lanes};
use crate::squash::squash;
use rayon::prelude::*;

/// Computes the upper capsules and, if wanted, the sums of every iteration, with weights from
/// [`gather_weights`](super::tile::gather_weights). Lengths have been checked.
pub(super) fn forward(
    layout: &Layout,
    scratch: &Scratch,
    u: &[f32],
    weights: &[Lanes],
    v: &mut [f32],
    sums: Option<&mut [f32]>,
) {
    let shape = &layout.shape;
    let tiles = shape.batch.div_ceil(TILE);
    let sharing = Sharing::of(tiles);
    let sums: Vec<_> = match sums {
        Some(sums) => sums
            .chunks_mut(TILE * shape.iterations * layout.columns)
            .map(Some)
            .collect(),
        None => (0..tiles).map(|_| None).collect(),
    };
    let of_tiles = u.par_chunks(TILE * shape.lower * shape.lower_dimensions);
    let of_tiles = of_tiles.zip(v.par_chunks_mut(TILE * layout.columns)).zip(sums);
    of_tiles.with_min_len(sharing.tiles()).for_each(|((u, v), sums)| {
        let tile = Tile::new(layout, scratch, sharing, u, weights);
        route_tile(layout, scratch, tile, v, sums);
    });
}

fn route_tile(layout: &Layout, scratch: &Scratch, mut tile: Tile<'_>, v: &mut [f32], mut sums: Option<&mut [f32]>) {
    let (columns, iterations) = (layout.columns, layout.shape.iterations);
    let mut couplings = scratch.take(layout.chunks * TILE * layout.couplings);
    let mut rows = scratch.take((2 * TILE * columns).div_ceil(LANES));
    let (s, rest) = Lanes::flat_mut(&mut rows).split_at_mut(TILE * columns);
    let outputs = &mut rest[..TILE * columns];
    outputs.fill(0.0);
    for iteration in 0..iterations {
        if iteration == 0 {
            tile.sum(s);
            for s in &mut *s {
                *s *= layout.shape.first_coupling();
            }
        } else {
            tile.route(outputs, &mut couplings, s);
        }
        let vectors = s.chunks_exact(layout.shape.upper_dimensions);
        for (v, s) in v.chunks_exact_mut(layout.shape.upper_dimensions).zip(vectors) {
            squash(s, v);
        }
        for (output, v) in outputs.iter_mut().zip(&*v) {
            *output += v;
        }
        if let Some(sums) = &mut sums {
            let of_samples = sums.chunks_exact_mut(iterations * columns).zip(s.chunks_exact(columns));
            for (sums, s) in of_samples {
                sums[iteration * columns..][..columns].copy_from_slice(s);
            }
        }
    }
}
