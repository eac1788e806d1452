//! The forward pass: a round's weighted sums of votes, and the capsules that they become.
//!
//! A unit is one sample and one upper capsule: it has its vote in registers, so that agreements need no other unit, and
//! only the softmax over the upper capsules goes through shared memory. Units beside each other are samples: they read
//! the same weights.

use cubecl::prelude::*;

use super::arithmetic::{copy, dot};
use super::routing::Layer;

/// The weighted sums of the votes of a chunk of lower capsules.
///
/// Grid: chunks of lower capsules, tiles of samples; a cube has `tile` x `J` units.
///
/// - `u`: `[B, I, E]`, `weight`: `[I, E, J, D]`
/// - `totals`: `[r, J, D / N, B, N]`, the sums of the outputs of earlier rounds; not read in the first
/// - `partial`: `[chunks, J, D / N, B, N]`
#[cube(launch_unchecked)]
pub(super) fn weighted_sums<M: Size, N: Size>(
    u: &[Vector<f32, M>],
    weight: &[Vector<f32, N>],
    totals: &[Vector<f32, N>],
    partial: &mut [Vector<f32, N>],
    batch: usize,
    round: usize,
    chunk: usize,
    #[comptime] layer: Layer,
    #[comptime] first: bool,
) {
    let (upper, lower, tile) = comptime!((layer.upper, layer.lower, layer.tile));
    let lower_vectors = comptime!(layer.lower_dimensions / layer.lower_width);
    let vectors = comptime!(layer.upper_dimensions / layer.upper_width);
    let units = comptime!(tile * upper);
    let weights = comptime!(layer.lower_dimensions * upper * vectors);
    let capsules = comptime!(tile * lower_vectors);

    let lane = UNIT_POS_X as usize;
    let j = UNIT_POS_Y as usize;
    let own_sample = CUBE_POS_Y as usize * tile + lane;
    // Units beyond the batch compute the last sample again and write nothing.
    let sample = usize::min(own_sample, batch - 1);
    let start = CUBE_POS_X as usize * chunk;
    let end = usize::min(start + chunk, lower);

    // Two of each: one is read while the next is written.
    let mut w_shared = Shared::<[Vector<f32, N>]>::new_slice(comptime!(2 * weights));
    let mut u_shared = Shared::<[Vector<f32, M>]>::new_slice(comptime!(2 * capsules));
    let mut agreements = Shared::<[f32]>::new_slice(comptime!(2 * units));

    let mut total = Array::<Vector<f32, N>>::new(vectors);
    let mut s = Array::<Vector<f32, N>>::new(vectors);
    #[unroll]
    for q in 0..vectors {
        s[q] = Vector::new(0.0);
        if comptime!(!first) {
            total[q] = totals[((round * upper + j) * vectors + q) * batch + sample];
        }
    }

    fetch(
        u,
        weight,
        start,
        &mut u_shared,
        &mut w_shared,
        0,
        CUBE_POS_Y as usize,
        batch,
        layer,
    );
    sync_cube();
    for i in start..end {
        let here = (i - start) % 2;
        let mut vote = Array::<Vector<f32, N>>::new(vectors);
        votes(
            &u_shared,
            here * capsules,
            &w_shared,
            here * weights,
            &mut vote,
            lane,
            j,
            layer,
        );
        if i + 1 < end {
            fetch(
                u,
                weight,
                i + 1,
                &mut u_shared,
                &mut w_shared,
                1 - here,
                CUBE_POS_Y as usize,
                batch,
                layer,
            );
        }
        if comptime!(first) {
            sync_cube();
            #[unroll]
            for q in 0..vectors {
                s[q] += vote[q];
            }
        } else {
            let agreement = dot(&vote, &total, vectors);
            agreements[here * units + j * tile + lane] = agreement;
            sync_cube();
            let coupling = Vector::<f32, N>::new(softmax(&agreements, here * units + lane, agreement, layer));
            #[unroll]
            for q in 0..vectors {
                s[q] = fma(coupling, vote[q], s[q]);
            }
        }
    }
    if own_sample < batch {
        #[unroll]
        for q in 0..vectors {
            let mut value = s[q];
            if comptime!(first) {
                value *= Vector::new(comptime!(1.0 / layer.sharing as f32));
            }
            partial[((CUBE_POS_X as usize * upper + j) * vectors + q) * batch + sample] = value;
        }
    }
}

/// Copies lower capsule `i` of a tile of samples and its weights to one of two places in shared memory.
#[cube]
pub(super) fn fetch<M: Size, N: Size>(
    u: &[Vector<f32, M>],
    weight: &[Vector<f32, N>],
    i: usize,
    u_to: &mut Shared<[Vector<f32, M>]>,
    weight_to: &mut Shared<[Vector<f32, N>]>,
    place: usize,
    group: usize,
    batch: usize,
    #[comptime] layer: Layer,
) {
    let units = comptime!(layer.tile * layer.upper);
    let capsules = comptime!(layer.tile * layer.lower_dimensions / layer.lower_width);
    let weights = comptime!(layer.lower_dimensions * layer.upper * layer.upper_dimensions / layer.upper_width);
    copy(weight, i * weights, weight_to, place * weights, weights, units);
    copy_capsules(u, i, u_to, place * capsules, group, batch, layer);
}

/// Copies lower capsule `i` of a tile of samples to `[E / M, tile, M]`.
#[cube]
pub(super) fn copy_capsules<M: Size>(
    u: &[Vector<f32, M>],
    i: usize,
    to: &mut Shared<[Vector<f32, M>]>,
    at: usize,
    group: usize,
    batch: usize,
    #[comptime] layer: Layer,
) {
    let (tile, lower) = comptime!((layer.tile, layer.lower));
    let lower_vectors = comptime!(layer.lower_dimensions / layer.lower_width);
    let (count, units) = comptime!((tile * lower_vectors, tile * layer.upper));
    let unit = UNIT_POS as usize;
    #[unroll]
    for k in 0..comptime!(count.div_ceil(units)) {
        let n = unit + k * units;
        if n < count {
            let (lane, e) = (n / lower_vectors, n % lower_vectors);
            let sample = usize::min(group * tile + lane, batch - 1);
            to[at + e * tile + lane] = u[(sample * lower + i) * lower_vectors + e];
        }
    }
}

/// The vote of a lower capsule for upper capsule `j`, of the unit's sample.
#[cube]
pub(super) fn votes<M: Size, N: Size>(
    u: &Shared<[Vector<f32, M>]>,
    u_at: usize,
    weight: &Shared<[Vector<f32, N>]>,
    weight_at: usize,
    vote: &mut Array<Vector<f32, N>>,
    lane: usize,
    j: usize,
    #[comptime] layer: Layer,
) {
    let lower_vectors = comptime!(layer.lower_dimensions / layer.lower_width);
    let vectors = comptime!(layer.upper_dimensions / layer.upper_width);
    #[unroll]
    for q in 0..vectors {
        vote[q] = Vector::new(0.0);
    }
    #[unroll]
    for e in 0..lower_vectors {
        let part = u[u_at + e * comptime!(layer.tile) + lane];
        #[unroll]
        for k in 0..layer.lower_width {
            let x = Vector::<f32, N>::new(part.extract(k));
            let row = weight_at + (comptime!((e * layer.lower_width + k) * layer.upper) + j) * vectors;
            #[unroll]
            for q in 0..vectors {
                vote[q] = fma(x, weight[row + q], vote[q]);
            }
        }
    }
}

/// The softmax of a lower capsule's agreements over the upper ones, for the one whose agreement is `own`.
#[cube]
pub(super) fn softmax(agreements: &Shared<[f32]>, at: usize, own: f32, #[comptime] layer: Layer) -> f32 {
    let mut most = own;
    for k in 0..layer.upper {
        most = f32::max(most, agreements[at + k * layer.tile]);
    }
    let mut all = 0.0f32;
    for k in 0..layer.upper {
        all += f32::exp(agreements[at + k * layer.tile] - most);
    }
    f32::exp(own - most) / all
}

/// Adds up the chunks, squashes, and adds the outputs to the total of the rounds.
///
/// Grid: upper capsules, tiles of samples; a cube has `tile` x `slices` units, of which each adds up `share` chunks
/// at most.
///
/// - `partial`: `[chunks, J, D / N, B, N]`
/// - `sums`, `totals`: `[r, J, D / N, B, N]`; `totals[t]` is the sum of the outputs of rounds before `t`
/// - `v`: `[B, J, D]`
#[cube(launch_unchecked)]
pub(super) fn squash_sums<N: Size>(
    partial: &[Vector<f32, N>],
    sums: &mut [Vector<f32, N>],
    totals: &mut [Vector<f32, N>],
    v: &mut [Vector<f32, N>],
    batch: usize,
    round: usize,
    chunks: usize,
    share: usize,
    #[comptime] layer: Layer,
    #[comptime] slices: usize,
    #[comptime] last: bool,
) {
    let upper = comptime!(layer.upper);
    let vectors = comptime!(layer.upper_dimensions / layer.upper_width);
    let lane = UNIT_POS_X as usize;
    let j = CUBE_POS_X as usize;
    let own_sample = CUBE_POS_Y as usize * layer.tile + lane;
    let sample = usize::min(own_sample, batch - 1);
    let mut s = Array::<Vector<f32, N>>::new(vectors);
    add_chunks(partial, &mut s, sample, j, batch, chunks, share, layer, slices);
    if UNIT_POS_Y == 0 && own_sample < batch {
        let squared = dot(&s, &s, vectors);
        let scale = f32::sqrt(squared + comptime!(crate::SQUASH_EPSILON as f32)) / (squared + 1.0);
        #[unroll]
        for q in 0..vectors {
            let at = ((round * upper + j) * vectors + q) * batch + sample;
            let output = s[q] * Vector::new(scale);
            sums[at] = s[q];
            if comptime!(last) {
                v[(sample * upper + j) * vectors + q] = output;
            } else {
                let mut total = output;
                if round > 0 {
                    total += totals[at];
                }
                totals[at + upper * vectors * batch] = total;
            }
        }
    }
}

/// Adds up the chunks of a sample's upper capsule: each row of units its slice in order, the first row all slices.
#[cube]
pub(super) fn add_chunks<N: Size>(
    partial: &[Vector<f32, N>],
    to: &mut Array<Vector<f32, N>>,
    sample: usize,
    j: usize,
    batch: usize,
    chunks: usize,
    share: usize,
    #[comptime] layer: Layer,
    #[comptime] slices: usize,
) {
    let (upper, tile) = comptime!((layer.upper, layer.tile));
    let vectors = comptime!(layer.upper_dimensions / layer.upper_width);
    let lane = UNIT_POS_X as usize;
    let slice = UNIT_POS_Y as usize;
    let mut shared = Shared::<[Vector<f32, N>]>::new_slice(comptime!(slices * vectors * tile));
    let start = usize::min(slice * share, chunks);
    let end = usize::min(start + share, chunks);
    #[unroll]
    for q in 0..vectors {
        to[q] = Vector::new(0.0);
    }
    for c in start..end {
        #[unroll]
        for q in 0..vectors {
            to[q] += partial[((c * upper + j) * vectors + q) * batch + sample];
        }
    }
    #[unroll]
    for q in 0..vectors {
        shared[(slice * vectors + q) * tile + lane] = to[q];
    }
    sync_cube();
    if slice == 0 {
        for other in 1..slices {
            #[unroll]
            for q in 0..vectors {
                to[q] += shared[(other * vectors + q) * tile + lane];
            }
        }
    }
}
