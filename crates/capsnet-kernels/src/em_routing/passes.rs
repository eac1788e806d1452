//! Passes over the children of a unit, in registers that hold sixteen types of parents.

use super::layout::Layout;
use super::shape::{CAPSULE, POSE};
use crate::simd::{Lanes, Simd, Vector, exp};

/// The pose of a child and its activation.
#[inline(always)]
pub(super) fn capsule(children: &[f32], child: u32) -> &[f32; CAPSULE] {
    let at = child as usize * CAPSULE;
    children[at..at + CAPSULE].try_into().expect("as many as asked for")
}

/// The votes of a unit's children, `[pair][16]`, and if wanted their sums with `weights`, `[pair]`.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
pub(super) fn votes<S: Simd>(
    simd: S,
    layout: &Layout,
    position: usize,
    children: &[f32],
    matrices: &[Lanes],
    votes: &mut [Lanes],
    weights: Option<&[Lanes]>,
    sums: &mut [Lanes; POSE],
) {
    let at = position * layout.pairs;
    let child = &layout.child[at..at + layout.pairs];
    let centres = &layout.centres[at..at + layout.pairs];
    let (shared, lower) = (layout.shape.shared, layout.shape.lower);
    for part in 0..S::PARTS {
        let mut mean = [simd.splat(0.0); POSE];
        for (pair, votes) in votes.chunks_exact_mut(POSE).take(layout.pairs).enumerate() {
            let pose = capsule(children, child[pair]);
            let matrix = if shared { pair % lower } else { pair };
            let matrix = &matrices[matrix * POSE..(matrix + 1) * POSE];
            let weight = weights.map(|weights| simd.load(&weights[pair], part));
            for column in 0..4 {
                let mut vote = [simd.splat(0.0); 4];
                for k in 0..4 {
                    let w = simd.load(&matrix[4 * k + column], part);
                    for row in 0..4 {
                        vote[row] = vote[row].plus(pose[4 * row + k], w);
                    }
                }
                if column == 3 {
                    let [down, right] = centres[pair];
                    vote[0] = vote[0] + simd.splat(down);
                    vote[1] = vote[1] + simd.splat(right);
                }
                for row in 0..4 {
                    let d = 4 * row + column;
                    simd.store(vote[row], &mut votes[d], part);
                    if let Some(weight) = weight {
                        mean[d] = mean[d].plus_product(weight, vote[row]);
                    }
                }
            }
        }
        for (sum, lanes) in mean.into_iter().zip(&mut *sums) {
            simd.store(sum, lanes, part);
        }
    }
}

/// `[d]`: the sums of `weights (vote - mean)^2`.
#[inline(always)]
pub(super) fn squares<S: Simd>(simd: S, votes: &[Lanes], weights: &[Lanes], mean: &[Lanes], sums: &mut [Lanes]) {
    for part in 0..S::PARTS {
        let mut sum = [simd.splat(0.0); POSE];
        for (votes, weight) in votes.chunks_exact(POSE).zip(weights) {
            let weight = simd.load(weight, part);
            for d in 0..POSE {
                let e = simd.load(&votes[d], part) - simd.load(&mean[d], part);
                sum[d] = sum[d].plus_product(product(simd, weight, e), e);
            }
        }
        for (sum, lanes) in sum.into_iter().zip(&mut *sums) {
            simd.store(sum, lanes, part);
        }
    }
}

/// `prior - 1/2 sum over d of (vote - mean)^2 / variance` for every pair.
#[inline(always)]
pub(super) fn log_densities<S: Simd>(
    simd: S,
    votes: &[Lanes],
    mean: &[Lanes],
    half_precision: &[Lanes; POSE],
    prior: &Lanes,
    out: &mut [Lanes],
) {
    for part in 0..S::PARTS {
        let prior = simd.load(prior, part);
        for (votes, out) in votes.chunks_exact(POSE).zip(&mut *out) {
            let mut sums = [prior, simd.splat(0.0)];
            for d in 0..POSE {
                let e = simd.load(&votes[d], part) - simd.load(&mean[d], part);
                let scaled = product(simd, e, simd.load(&half_precision[d], part));
                sums[d % 2] = sums[d % 2] - product(simd, scaled, e);
            }
            simd.store(sums[0] + sums[1], out, part);
        }
    }
}

/// The sums over pairs of `weights`, of `weights e[d]` and of `weights e[d]^2`, `e` being `vote - mean`.
#[inline(always)]
pub(super) fn moments<S: Simd>(
    simd: S,
    votes: &[Lanes],
    weights: &[Lanes],
    mean: &[Lanes],
    first: &mut [Lanes; POSE],
    second: &mut [Lanes; POSE],
) -> Lanes {
    const HALF: usize = POSE / 2;
    let mut mass = Lanes::ZERO;
    for part in 0..S::PARTS {
        let mut sum = simd.splat(0.0);
        for weight in weights {
            sum = sum + simd.load(weight, part);
        }
        simd.store(sum, &mut mass, part);
        for half in 0..2 {
            let from = half * HALF;
            let mut sums = [[simd.splat(0.0); HALF]; 2];
            for (votes, weight) in votes.chunks_exact(POSE).zip(weights) {
                let weight = simd.load(weight, part);
                for d in 0..HALF {
                    let e = simd.load(&votes[from + d], part) - simd.load(&mean[from + d], part);
                    let weighted = product(simd, weight, e);
                    sums[0][d] = sums[0][d] + weighted;
                    sums[1][d] = sums[1][d].plus_product(weighted, e);
                }
            }
            for d in 0..HALF {
                simd.store(sums[0][d], &mut first[from + d], part);
                simd.store(sums[1][d], &mut second[from + d], part);
            }
        }
    }
    mass
}

/// `constant + sum over d of e[d] (linear[d] + quadratic[d] e[d])` for every pair.
#[inline(always)]
pub(super) fn quadratic<S: Simd>(
    simd: S,
    votes: &[Lanes],
    mean: &[Lanes],
    [linear, quadratic]: [&[Lanes]; 2],
    constant: &Lanes,
    out: &mut [Lanes],
) {
    for part in 0..S::PARTS {
        let constant = simd.load(constant, part);
        for (votes, out) in votes.chunks_exact(POSE).zip(&mut *out) {
            let mut sums = [constant, simd.splat(0.0)];
            for d in 0..POSE {
                let e = simd.load(&votes[d], part) - simd.load(&mean[d], part);
                let slope = simd
                    .load(&linear[d], part)
                    .plus_product(simd.load(&quadratic[d], part), e);
                sums[d % 2] = sums[d % 2].plus_product(slope, e);
            }
            simd.store(sums[0] + sums[1], out, part);
        }
    }
}

#[inline(always)]
pub(super) fn product<S: Simd>(simd: S, a: S::V, b: S::V) -> S::V {
    simd.splat(0.0).plus_product(a, b)
}

/// Below it a share is none: products with it would only be slow, being too small for ordinary numbers.
const NO_SHARE: f32 = 1e-20;

/// Makes shares of the logits of all units, `[unit][pair]`, in place: a softmax over all that compete. `most` and
/// `sums` are `[rival]`.
#[inline(always)]
pub(super) fn compete(layout: &Layout, logits: &mut [Lanes], most: &mut [Lanes], sums: &mut [Lanes]) {
    let among_types = layout.shape.form.types_compete();
    most.fill(Lanes([-1e30; 16]));
    sums.fill(Lanes::ZERO);
    for_pairs(layout, logits, |rival, block, logit| {
        let used = layout.used(block);
        for (lane, value) in logit.0.iter_mut().enumerate() {
            *value = if lane < used { *value } else { -1e30 };
        }
        for (most, value) in most[rival].0.iter_mut().zip(&logit.0) {
            *most = most.max(*value);
        }
    });
    if among_types {
        for most in &mut *most {
            let largest = most.0.iter().fold(-1e30f32, |largest, value| largest.max(*value));
            most.0 = [largest; 16];
        }
    }
    for_pairs(layout, logits, |rival, _, logit| {
        let (most, sum) = (&most[rival].0, &mut sums[rival].0);
        for ((value, most), sum) in logit.0.iter_mut().zip(most).zip(sum) {
            *value = exp(*value - most);
            *sum += *value;
        }
    });
    for sum in &mut *sums {
        sum.0 = match among_types {
            true => [1.0 / sum.sum(); 16],
            false => sum.0.map(|sum| 1.0 / sum),
        };
    }
    for_pairs(layout, logits, |rival, _, share| {
        for (share, by) in share.0.iter_mut().zip(&sums[rival].0) {
            let value = *share * by;
            *share = if value < NO_SHARE { 0.0 } else { value };
        }
    });
}

/// The gradient of the logits, in place of that of the shares; `sums` is `[rival]`.
#[inline(always)]
pub(super) fn compete_adjoint(layout: &Layout, shares: &[Lanes], gradient: &mut [Lanes], sums: &mut [Lanes]) {
    sums.fill(Lanes::ZERO);
    for (unit, (shares, gradient)) in units(layout, shares).zip(units(layout, gradient)).enumerate() {
        for ((rival, share), gradient) in rivals_of(layout, unit).zip(shares).zip(gradient) {
            for ((sum, share), gradient) in sums[rival].0.iter_mut().zip(&share.0).zip(&gradient.0) {
                *sum += share * gradient;
            }
        }
    }
    if layout.shape.form.types_compete() {
        for sum in &mut *sums {
            sum.0 = [sum.sum(); 16];
        }
    }
    let all = gradient.chunks_exact_mut(layout.pairs);
    for (unit, (shares, gradient)) in units(layout, shares).zip(all).enumerate() {
        for ((rival, share), gradient) in rivals_of(layout, unit).zip(shares).zip(gradient) {
            for ((gradient, share), sum) in gradient.0.iter_mut().zip(&share.0).zip(&sums[rival].0) {
                *gradient = share * (*gradient - sum);
            }
        }
    }
}

fn units<'a>(layout: &Layout, lanes: &'a [Lanes]) -> impl Iterator<Item = &'a [Lanes]> {
    lanes.chunks_exact(layout.pairs)
}

/// The groups that a unit's pairs compete in, pair by pair.
#[inline(always)]
fn rivals_of(layout: &Layout, unit: usize) -> impl Iterator<Item = usize> {
    let at = unit / layout.blocks * layout.pairs;
    let first = unit % layout.blocks * layout.rivals_apart;
    layout.rival[at..at + layout.pairs]
        .iter()
        .map(move |rival| first + *rival as usize)
}

/// The children of a unit, pair by pair.
#[inline(always)]
pub(super) fn of_unit(layout: &Layout, unit: usize) -> impl Iterator<Item = &u32> {
    let at = unit / layout.blocks * layout.pairs;
    layout.child[at..at + layout.pairs].iter()
}

#[inline(always)]
fn for_pairs(layout: &Layout, lanes: &mut [Lanes], mut visit: impl FnMut(usize, usize, &mut Lanes)) {
    for (unit, lanes) in lanes.chunks_exact_mut(layout.pairs).enumerate() {
        for (rival, lanes) in rivals_of(layout, unit).zip(lanes) {
            visit(rival, unit % layout.blocks, lanes);
        }
    }
}
