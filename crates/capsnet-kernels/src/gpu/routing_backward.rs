//! The adjoint: the rounds backwards, then the gradients of lower capsules and weights.
//!
//! An agreement is linear in the sum of the outputs so far, so no logits are kept: each pass makes votes and couplings
//! again from the sums of votes that the forward pass kept.

use cubecl::prelude::*;

use super::arithmetic::{copy, dot, sum};
use super::routing::Layer;
use super::routing_forward::{add_chunks, copy_capsules, fetch, votes};

/// The gradient of a round's sums of votes: through the squash from that of its outputs, which is the gradient of the
/// layer's outputs in the last round, and of the totals that later rounds read in the others.
///
/// Grid and layouts as in `squash_sums`; `later`: `[J, D / N, B, N]`, `ds`: as `sums`.
#[cube(launch_unchecked)]
pub(super) fn sums_gradient<N: Size>(
    partial: &[Vector<f32, N>],
    dv: &[Vector<f32, N>],
    sums: &[Vector<f32, N>],
    later: &mut [Vector<f32, N>],
    ds: &mut [Vector<f32, N>],
    batch: usize,
    round: usize,
    chunks: usize,
    share: usize,
    #[comptime] layer: Layer,
    #[comptime] slices: usize,
    #[comptime] last: bool,
    #[comptime] last_but_one: bool,
) {
    let upper = comptime!(layer.upper);
    let vectors = comptime!(layer.upper_dimensions / layer.upper_width);
    let lane = UNIT_POS_X as usize;
    let j = CUBE_POS_X as usize;
    let own_sample = CUBE_POS_Y as usize * layer.tile + lane;
    let sample = usize::min(own_sample, batch - 1);
    let mut gradient = Array::<Vector<f32, N>>::new(vectors);
    if comptime!(last) {
        #[unroll]
        for q in 0..vectors {
            gradient[q] = dv[(sample * upper + j) * vectors + q];
        }
    } else {
        add_chunks(partial, &mut gradient, sample, j, batch, chunks, share, layer, slices);
    }
    if UNIT_POS_Y == 0 && own_sample < batch {
        let mut s = Array::<Vector<f32, N>>::new(vectors);
        #[unroll]
        for q in 0..vectors {
            let at = (j * vectors + q) * batch + sample;
            s[q] = sums[round * upper * vectors * batch + at];
            if comptime!(!last) {
                if comptime!(!last_but_one) {
                    gradient[q] += later[at];
                }
                later[at] = gradient[q];
            }
        }
        // v = f s with f = root / (1 + squared), so ds = f dv + 2 f' <s, dv> s with f' the derivative by `squared`.
        let squared = dot(&s, &s, vectors);
        let along = dot(&s, &gradient, vectors);
        let root = f32::sqrt(squared + comptime!(crate::SQUASH_EPSILON as f32));
        let below = squared + 1.0;
        let slope = 0.5 / (root * below) - root / (below * below);
        let (scale, part) = (
            Vector::<f32, N>::new(root / below),
            Vector::<f32, N>::new(2.0 * slope * along),
        );
        #[unroll]
        for q in 0..vectors {
            ds[((round * upper + j) * vectors + q) * batch + sample] = fma(scale, gradient[q], part * s[q]);
        }
    }
}

/// What a round's couplings say of the gradient of the totals that it read.
///
/// Grid and layouts as in `weighted_sums`.
#[cube(launch_unchecked)]
pub(super) fn totals_gradient<M: Size, N: Size>(
    u: &[Vector<f32, M>],
    weight: &[Vector<f32, N>],
    totals: &[Vector<f32, N>],
    ds: &[Vector<f32, N>],
    partial: &mut [Vector<f32, N>],
    batch: usize,
    round: usize,
    chunk: usize,
    #[comptime] layer: Layer,
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
    let sample = usize::min(own_sample, batch - 1);
    let start = CUBE_POS_X as usize * chunk;
    let end = usize::min(start + chunk, lower);

    let mut w_shared = Shared::<[Vector<f32, N>]>::new_slice(comptime!(2 * weights));
    let mut u_shared = Shared::<[Vector<f32, M>]>::new_slice(comptime!(2 * capsules));
    let mut agreements = Shared::<[f32]>::new_slice(comptime!(2 * units));
    let mut couplings_gradient = Shared::<[f32]>::new_slice(comptime!(2 * units));

    let mut total = Array::<Vector<f32, N>>::new(vectors);
    let mut sum_gradient = Array::<Vector<f32, N>>::new(vectors);
    let mut gradient = Array::<Vector<f32, N>>::new(vectors);
    #[unroll]
    for q in 0..vectors {
        let at = ((round * upper + j) * vectors + q) * batch + sample;
        total[q] = totals[at];
        sum_gradient[q] = ds[at];
        gradient[q] = Vector::new(0.0);
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
        let agreement = dot(&vote, &total, vectors);
        let dc = dot(&vote, &sum_gradient, vectors);
        agreements[here * units + j * tile + lane] = agreement;
        couplings_gradient[here * units + j * tile + lane] = dc;
        sync_cube();
        let (_, da) = softmax_gradient(
            &agreements,
            &couplings_gradient,
            here * units + lane,
            agreement,
            dc,
            layer,
        );
        #[unroll]
        for q in 0..vectors {
            gradient[q] = fma(Vector::new(da), vote[q], gradient[q]);
        }
    }
    if own_sample < batch {
        #[unroll]
        for q in 0..vectors {
            partial[((CUBE_POS_X as usize * upper + j) * vectors + q) * batch + sample] = gradient[q];
        }
    }
}

/// A coupling, and the gradient of its agreement from the gradients of the lower capsule's couplings.
#[cube]
fn softmax_gradient(
    agreements: &Shared<[f32]>,
    couplings_gradient: &Shared<[f32]>,
    at: usize,
    own: f32,
    own_gradient: f32,
    #[comptime] layer: Layer,
) -> (f32, f32) {
    let mut most = own;
    for k in 0..layer.upper {
        most = f32::max(most, agreements[at + k * layer.tile]);
    }
    let mut all = 0.0f32;
    let mut mean = 0.0f32;
    for k in 0..layer.upper {
        let power = f32::exp(agreements[at + k * layer.tile] - most);
        all += power;
        mean = fma(power, couplings_gradient[at + k * layer.tile], mean);
    }
    let coupling = f32::exp(own - most) / all;
    (coupling, coupling * (own_gradient - mean / all))
}

/// The gradients of lower capsules and weights.
///
/// Grid: lower capsules; a cube goes through the samples in `groups` tiles: each sum over samples has one order.
///
/// - `totals`, `ds`: `[r, J, D / N, B, N]`
/// - `du`: `[B, I, E]`, `dw`: `[I, E, J D]`
#[cube(launch_unchecked)]
pub(super) fn operands_gradient<M: Size, N: Size>(
    u: &[Vector<f32, M>],
    weight: &[Vector<f32, N>],
    totals: &[Vector<f32, N>],
    ds: &[Vector<f32, N>],
    du: &mut [Vector<f32, M>],
    dw: &mut [f32],
    batch: usize,
    groups: usize,
    #[comptime] layer: Layer,
    #[comptime] rounds: usize,
) {
    let (upper, lower, tile) = comptime!((layer.upper, layer.lower, layer.tile));
    let dimensions = comptime!(layer.upper_dimensions);
    let lower_vectors = comptime!(layer.lower_dimensions / layer.lower_width);
    let vectors = comptime!(dimensions / layer.upper_width);
    let (units, columns) = comptime!((tile * upper, upper * dimensions));
    let weights = comptime!(layer.lower_dimensions * upper * vectors);
    let capsules = comptime!(tile * lower_vectors);
    // A sample's votes, and one element more: samples beside each other are then in different banks of memory.
    let row = comptime!(columns + 1);
    // What a unit adds up of the weight's gradient: `M` rows of one column, so many times.
    let blocks = comptime!(columns * lower_vectors);
    let own_blocks = comptime!(blocks.div_ceil(units));

    let unit = UNIT_POS as usize;
    let lane = UNIT_POS_X as usize;
    let j = UNIT_POS_Y as usize;
    let i = CUBE_POS_X as usize;

    let mut w_shared = Shared::<[Vector<f32, N>]>::new_slice(weights);
    let mut u_shared = Shared::<[Vector<f32, M>]>::new_slice(capsules);
    let mut agreements = Shared::<[f32]>::new_slice(comptime!(2 * units));
    let mut couplings_gradient = Shared::<[f32]>::new_slice(comptime!(2 * units));
    let mut votes_gradient = Shared::<[f32]>::new_slice(comptime!(tile * row));
    let mut capsules_gradient = Shared::<[Vector<f32, M>]>::new_slice(comptime!(upper * capsules));

    let mut weight_gradient = Array::<Vector<f32, M>>::new(own_blocks);
    #[unroll]
    for k in 0..own_blocks {
        weight_gradient[k] = Vector::new(0.0);
    }
    copy(weight, i * weights, &mut w_shared, 0, weights, units);
    for group in 0..groups {
        let own_sample = group * tile + lane;
        let sample = usize::min(own_sample, batch - 1);
        // The last tile's units beyond the batch add nothing.
        let mut present = 0.0f32;
        if own_sample < batch {
            present = 1.0;
        }
        copy_capsules(u, i, &mut u_shared, 0, group, batch, layer);
        sync_cube();
        let mut vote = Array::<Vector<f32, N>>::new(vectors);
        votes(&u_shared, 0, &w_shared, 0, &mut vote, lane, j, layer);
        let mut dvote = Array::<Vector<f32, N>>::new(vectors);
        let first = Vector::<f32, N>::new(present * comptime!(1.0 / layer.sharing as f32));
        #[unroll]
        for q in 0..vectors {
            dvote[q] = first * ds[(j * vectors + q) * batch + sample];
        }
        #[unroll]
        for round in 1..rounds {
            let mut total = Array::<Vector<f32, N>>::new(vectors);
            let mut sum_gradient = Array::<Vector<f32, N>>::new(vectors);
            #[unroll]
            for q in 0..vectors {
                let at = (comptime!(round * upper) + j) * vectors * batch + q * batch + sample;
                total[q] = totals[at];
                sum_gradient[q] = ds[at];
            }
            let at = comptime!(round % 2 * units);
            let agreement = dot(&vote, &total, vectors);
            let dc = dot(&vote, &sum_gradient, vectors);
            agreements[at + j * tile + lane] = agreement;
            couplings_gradient[at + j * tile + lane] = dc;
            sync_cube();
            let (coupling, da) = softmax_gradient(&agreements, &couplings_gradient, at + lane, agreement, dc, layer);
            let (coupling, da) = (
                Vector::<f32, N>::new(present * coupling),
                Vector::<f32, N>::new(present * da),
            );
            #[unroll]
            for q in 0..vectors {
                dvote[q] = fma(coupling, sum_gradient[q], fma(da, total[q], dvote[q]));
            }
        }
        #[unroll]
        for q in 0..vectors {
            #[unroll]
            for k in 0..layer.upper_width {
                votes_gradient[lane * row + j * dimensions + comptime!(q * layer.upper_width + k)] =
                    dvote[q].extract(k);
            }
        }
        #[unroll]
        for e in 0..lower_vectors {
            let mut part = Vector::<f32, M>::new(0.0);
            #[unroll]
            for k in 0..layer.lower_width {
                let mut products = Vector::<f32, N>::new(0.0);
                let from = (comptime!((e * layer.lower_width + k) * upper) + j) * vectors;
                #[unroll]
                for q in 0..vectors {
                    products = fma(w_shared[from + q], dvote[q], products);
                }
                part.insert(k, sum(products));
            }
            capsules_gradient[(j * lower_vectors + e) * tile + lane] = part;
        }
        sync_cube();
        #[unroll]
        for k in 0..own_blocks {
            let n = unit + k * units;
            if n < blocks {
                let (column, e) = (n % columns, n / columns);
                let mut part = weight_gradient[k];
                for b in 0..tile {
                    let x = Vector::<f32, M>::new(votes_gradient[b * row + column]);
                    part = fma(x, u_shared[e * tile + b], part);
                }
                weight_gradient[k] = part;
            }
        }
        #[unroll]
        for k in 0..comptime!(capsules.div_ceil(units)) {
            let n = unit + k * units;
            let own = group * tile + n % tile;
            if n < capsules && own < batch {
                let mut part = capsules_gradient[n];
                for other in 1..upper {
                    part += capsules_gradient[other * capsules + n];
                }
                du[(own * lower + i) * lower_vectors + n / tile] = part;
            }
        }
        sync_cube();
    }
    #[unroll]
    for k in 0..own_blocks {
        let n = unit + k * units;
        if n < blocks {
            let (column, e) = (n % columns, n / columns);
            #[unroll]
            for m in 0..layer.lower_width {
                dw[(i * comptime!(layer.lower_dimensions) + e * layer.lower_width + m) * columns + column] =
                    weight_gradient[k].extract(m);
            }
        }
    }
}
