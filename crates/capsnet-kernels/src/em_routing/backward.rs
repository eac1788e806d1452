//! The adjoint, through all iterations.
//!
//! With `e = v - mu`, `w = R a`, and the gradients `g_mu`, `g_var`, `g_logit` of an iteration's results, of which those
//! of the last iteration are given:
//!
//! ```text
//! g_cost = -lambda g_logit,  g_var += g_cost scale m / (2 var),  g_mu -= 2 g_var mu 1e-8 / m
//! g_w    = sum over d of (g_mu e + g_var (e^2 - var + 1e-6)) / m + g_cost scale level
//! g_v    = w (g_mu + 2 g_var e) / m
//! ```
//!
//! and before it, of the logits `z` that its shares came from:
//!
//! ```text
//! g_z = R (a g_w - sum over the child's other pairs of R a g_w)
//! g_logit = sum of g_z (1 - sigmoid(logit)),  g_mu = sum of g_z e / var,  g_var = sum of g_z (e^2 / var - 1) / (2 var)
//! g_v = -g_z e / var
//! ```
//!
//! By the authors' code `mu` is 0.9 of the weighted mean `mu'` and 0.1 of the `mu` before: then `g_mu` gets
//! `2 g_var (mu - mu')` and a tenth of the `g_mu` of the iteration after, `v` and `w` get 0.9 of it, and `g_w` has
//! `v - mu'` in place of its first `e`.
//!
//! All parts of `g_v` are linear in votes, so that they are added up in the last pass, that of the first iteration.

use super::EmGradients;
use super::forward::{Operands, sigmoid, weigh};
use super::layout::{LEVEL, LOGIT, Layout, MASS, MEAN, PRECISION, STATE, VARIANCE};
use super::passes::{capsule, compete_adjoint, moments, of_unit, product, quadratic, votes};
use super::shape::{CAPSULE, EmShape, POSE};
use crate::scratch::Scratch;
use crate::simd::{Kernel, LANES, Lanes, Simd, Vector, dispatch};
use rayon::prelude::*;

/// `Lanes` a unit has of an iteration's gradients: of the mean and of the variance, over the mass.
const SLOPES: usize = 2 * POSE;

/// Samples of a task, which has sums of its own; they are added up in order.
const GROUP: usize = 8;

/// Computes the gradients. Lengths have been checked.
pub(super) fn backward(
    layout: &Layout,
    scratch: &Scratch,
    operands: Operands<'_>,
    kept: &[Lanes],
    dparents: &[f32],
    gradients: EmGradients<'_>,
) {
    let shape = &layout.shape;
    let mut matrices = scratch.take(layout.weights_len());
    layout.gather_weights(operands.weight, &mut matrices);
    let matrices = &matrices[..];
    let sums_len = layout.weights_len() + 2 * layout.blocks;
    let sample = layout.children * CAPSULE;
    let parents = shape.positions() * shape.upper * CAPSULE;
    let groups = shape.batch.div_ceil(GROUP);
    let mut sums = scratch.take(groups * sums_len);
    operands
        .children
        .par_chunks(GROUP * sample)
        .zip(kept.par_chunks(GROUP * layout.state_len()))
        .zip(dparents.par_chunks(GROUP * parents))
        .zip(gradients.children.par_chunks_mut(GROUP * sample))
        .zip(sums.par_chunks_exact_mut(sums_len))
        .for_each(|((((children, kept), dparents), dchildren), sums)| {
            let mut work = scratch.take(Work::len(layout));
            sums.fill(Lanes::ZERO);
            let (dweight, dbetas) = sums.split_at_mut(layout.weights_len());
            let samples = children
                .chunks_exact(sample)
                .zip(kept.chunks_exact(layout.state_len()))
                .zip(dparents.chunks_exact(parents))
                .zip(dchildren.chunks_exact_mut(sample));
            for (((children, states), dparents), dchildren) in samples {
                dispatch(Sample {
                    layout,
                    children,
                    matrices,
                    states,
                    dparents,
                    dchildren,
                    dweight,
                    dbetas,
                    work: Work::of(layout, &mut work),
                });
            }
        });
    let (total, others) = sums.split_at_mut(sums_len);
    for of_group in others.chunks_exact(sums_len) {
        for (total, of_group) in Lanes::flat_mut(total).iter_mut().zip(Lanes::flat(of_group)) {
            *total += of_group;
        }
    }
    let (dweight, dbetas) = total.split_at(layout.weights_len());
    layout.scatter_weights(dweight, gradients.weight);
    let rows = gradients.betas.chunks_exact_mut(shape.upper);
    for (row, lanes) in rows.zip(dbetas.chunks_exact(layout.blocks)) {
        row.copy_from_slice(&Lanes::flat(lanes)[..shape.upper]);
    }
}

/// Scratch memory of a sample.
struct Work<'a> {
    votes: &'a mut [Lanes],
    weights: &'a mut [Lanes],
    /// Gradients of activations, `[child]`.
    activations: &'a mut [Lanes],
    sums: &'a mut [Lanes],
    /// Of every unit, what the gradient of its mean is beside, by the mean of the iteration after.
    carried: &'a mut [Lanes],
    /// Of every iteration and unit.
    slopes: &'a mut [Lanes],
    /// Gradients of the logits before every iteration but the first, `[unit][pair]`; first those of its shares.
    logits: &'a mut [Lanes],
    /// Weights of a pair and gradients of its logits in every iteration.
    of_pairs: &'a mut [Lanes],
}

impl<'a> Work<'a> {
    fn len(layout: &Layout) -> usize {
        let iterations = layout.iterations;
        layout.pairs * (POSE + 1 + iterations)
            + layout.children
            + layout.rivals
            + layout.units * POSE
            + iterations * layout.units * SLOPES
            + (iterations - 1) * layout.units * layout.pairs
    }

    fn of(layout: &Layout, lanes: &'a mut [Lanes]) -> Self {
        let (votes, rest) = lanes.split_at_mut(layout.pairs * POSE);
        let (weights, rest) = rest.split_at_mut(layout.pairs);
        let (activations, rest) = rest.split_at_mut(layout.children);
        let (sums, rest) = rest.split_at_mut(layout.rivals);
        let (carried, rest) = rest.split_at_mut(layout.units * POSE);
        let (slopes, rest) = rest.split_at_mut(layout.iterations * layout.units * SLOPES);
        let (of_pairs, logits) = rest.split_at_mut(layout.iterations * layout.pairs);
        Self {
            votes,
            weights,
            activations,
            sums,
            carried,
            slopes,
            logits: &mut logits[..(layout.iterations - 1) * layout.units * layout.pairs],
            of_pairs,
        }
    }
}

struct Sample<'a> {
    layout: &'a Layout,
    children: &'a [f32],
    matrices: &'a [Lanes],
    states: &'a [Lanes],
    dparents: &'a [f32],
    dchildren: &'a mut [f32],
    /// Added to.
    dweight: &'a mut [Lanes],
    /// Added to: of `beta_u` and `beta_a`, block by block.
    dbetas: &'a mut [Lanes],
    work: Work<'a>,
}

impl Kernel for Sample<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self {
            layout,
            children,
            states,
            work,
            dchildren,
            ..
        } = self;
        let (pairs, units, last) = (layout.pairs, layout.units, layout.iterations - 1);
        let of_block = layout.matrices() * POSE;
        dchildren.fill(0.0);
        work.activations.fill(Lanes::ZERO);
        work.carried.fill(Lanes::ZERO);
        for iteration in (0..=last).rev() {
            let shares = (iteration > 0).then(|| &states[layout.shares(iteration)..][..units * pairs]);
            if iteration < last {
                let shares = &states[layout.shares(iteration + 1)..][..units * pairs];
                let gradient = &mut work.logits[iteration * units * pairs..][..units * pairs];
                compete_adjoint(layout, shares, gradient, work.sums);
            }
            for unit in 0..units {
                let (position, block) = (unit / layout.blocks, unit % layout.blocks);
                let matrices = &self.matrices[block * of_block..][..of_block];
                votes(
                    simd,
                    layout,
                    position,
                    children,
                    matrices,
                    work.votes,
                    None,
                    &mut [Lanes::ZERO; POSE],
                );
                let state = &states[layout.states(iteration) + unit * STATE..][..STATE];
                let mean = &state[MEAN..MEAN + POSE];
                let slopes = &mut work.slopes[(iteration * units + unit) * SLOPES..][..SLOPES];
                let dlogit = if iteration == last {
                    given(layout, unit, self.dparents, state, slopes)
                } else {
                    let dz = &work.logits[(iteration * units + unit) * pairs..][..pairs];
                    let (mut first, mut second) = ([Lanes::ZERO; POSE], [Lanes::ZERO; POSE]);
                    let sum = moments(simd, work.votes, dz, mean, &mut first, &mut second);
                    of_density(state, &sum, &first, &second, slopes)
                };
                let [du, da] = {
                    let (u, a) = self.dbetas.split_at_mut(layout.blocks);
                    [&mut u[block], &mut a[block]]
                };
                let mut constant = of_costs(layout, iteration, state, &dlogit, slopes, [du, da]);
                if layout.old_share > 0.0 {
                    let before = iteration
                        .checked_sub(1)
                        .map(|t| &states[layout.states(t) + unit * STATE..][..STATE]);
                    let carried = &mut work.carried[unit * POSE..][..POSE];
                    damped(layout, state, before, slopes, carried, &mut constant);
                }
                let (linear, square) = slopes.split_at(POSE);
                quadratic(simd, work.votes, mean, [linear, square], &constant, work.weights);
                // They hold the gradients of the weights now.
                let dweights = &*work.weights;
                match shares {
                    Some(shares) => {
                        let shares = &shares[unit * pairs..][..pairs];
                        let dshares = &mut work.logits[((iteration - 1) * units + unit) * pairs..][..pairs];
                        for (((child, share), dweight), dshare) in
                            of_unit(layout, unit).zip(shares).zip(dweights).zip(dshares)
                        {
                            let activation = capsule(children, *child)[POSE];
                            let sum = &mut work.activations[*child as usize].0;
                            for lane in 0..LANES {
                                dshare.0[lane] = dweight.0[lane] * activation;
                                sum[lane] += dweight.0[lane] * share.0[lane];
                            }
                        }
                    }
                    None => {
                        let first = &layout.first[position * pairs..];
                        for ((child, dweight), first) in of_unit(layout, unit).zip(dweights).zip(first) {
                            let sum = &mut work.activations[*child as usize].0;
                            for lane in 0..LANES {
                                sum[lane] += dweight.0[lane] * first;
                            }
                        }
                    }
                }
                if iteration == 0 {
                    for t in 0..=last {
                        let shares = (t > 0).then(|| &states[layout.shares(t) + unit * pairs..][..pairs]);
                        weigh(layout, unit, children, shares, &mut work.of_pairs[t * pairs..][..pairs]);
                    }
                    let contributions = Contributions {
                        layout,
                        unit,
                        states,
                        weights: work.of_pairs,
                        logits: work.logits,
                        slopes: work.slopes,
                    };
                    let dmatrices = &mut self.dweight[block * of_block..][..of_block];
                    contributions.add(simd, children, matrices, work.votes, dmatrices, dchildren);
                }
            }
        }
        for (sum, child) in work.activations.iter().zip(dchildren.chunks_exact_mut(CAPSULE)) {
            child[POSE] = sum.sum();
        }
    }
}

/// The gradients of the last iteration's results: those of the parents. `slopes` gets those of mean and variance;
/// returns that of the logit.
#[inline(always)]
fn given(layout: &Layout, unit: usize, dparents: &[f32], state: &[Lanes], slopes: &mut [Lanes]) -> Lanes {
    slopes.fill(Lanes::ZERO);
    let (position, block) = (unit / layout.blocks, unit % layout.blocks);
    let at = (position * layout.shape.upper + block * LANES) * CAPSULE;
    let parents = dparents[at..].chunks_exact(CAPSULE).take(layout.used(block));
    let mut dlogit = Lanes::ZERO;
    for (lane, parent) in parents.enumerate() {
        for d in 0..POSE {
            slopes[d].0[lane] = parent[d];
        }
        let activation = sigmoid(state[LOGIT].0[lane]);
        dlogit.0[lane] = parent[POSE] * activation * (1.0 - activation);
    }
    dlogit
}

/// The same of an earlier iteration, from the moments of the gradients of the logits that come of it.
#[inline(always)]
fn of_density(
    state: &[Lanes],
    sum: &Lanes,
    first: &[Lanes; POSE],
    second: &[Lanes; POSE],
    slopes: &mut [Lanes],
) -> Lanes {
    for d in 0..POSE {
        for lane in 0..LANES {
            let precision = state[PRECISION + d].0[lane];
            slopes[d].0[lane] = first[d].0[lane] * precision;
            slopes[POSE + d].0[lane] = 0.5 * precision * (second[d].0[lane] * precision - sum.0[lane]);
        }
    }
    let mut dlogit = Lanes::ZERO;
    for lane in 0..LANES {
        dlogit.0[lane] = sum.0[lane] * sigmoid(-state[LOGIT].0[lane]);
    }
    dlogit
}

/// Takes the costs into account and divides the slopes by the mass. Returns what the gradient of a weight has beside
/// `sum over d of e (g_mu + g_var e) / m`.
#[inline(always)]
fn of_costs(
    layout: &Layout,
    iteration: usize,
    state: &[Lanes],
    dlogit: &Lanes,
    slopes: &mut [Lanes],
    [du, da]: [&mut Lanes; 2],
) -> Lanes {
    let (costs, lambda, least_variance) = (&layout.costs, layout.lambda[iteration], layout.least_variance);
    let mut constant = Lanes::ZERO;
    for lane in 0..LANES {
        let dcost = -lambda * dlogit.0[lane] * costs.mass;
        da.0[lane] += lambda * dlogit.0[lane] * costs.beta_a;
        du.0[lane] += dcost * state[MASS].0[lane] * costs.beta_u;
        constant.0[lane] = dcost * state[LEVEL].0[lane];
    }
    for d in 0..POSE {
        for lane in 0..LANES {
            let (mass, variance) = (state[MASS].0[lane], state[VARIANCE + d].0[lane]);
            let precision = state[PRECISION + d].0[lane];
            let dcost = -lambda * dlogit.0[lane] * costs.mass;
            let of_variance = slopes[POSE + d].0[lane] + 0.5 * costs.logs * dcost * mass * precision;
            let by_mass = 1.0 / mass;
            let of_mean =
                slopes[d].0[lane] - 2.0 * of_variance * state[MEAN + d].0[lane] * EmShape::LEAST_MASS as f32 * by_mass;
            slopes[d].0[lane] = of_mean * by_mass;
            slopes[POSE + d].0[lane] = of_variance * by_mass;
            constant.0[lane] -= of_variance * by_mass * (variance - least_variance);
        }
    }
    constant
}

/// Where a mean has some of the one before: the same of the new part of the mean, which votes and weights go into, from
/// that of the whole; all over the mass. What the mean before gets is carried on to its iteration.
#[inline(always)]
fn damped(
    layout: &Layout,
    state: &[Lanes],
    before: Option<&[Lanes]>,
    slopes: &mut [Lanes],
    carried: &mut [Lanes],
    constant: &mut Lanes,
) {
    let old_share = layout.old_share;
    let new_share = 1.0 - old_share;
    for d in 0..POSE {
        for lane in 0..LANES {
            let (mean, mass) = (state[MEAN + d].0[lane], state[MASS].0[lane]);
            let old = before.map_or(0.0, |before| before[MEAN + d].0[lane]);
            // The new part, which the votes' distances are counted from no more.
            let drift = mean - (mean - old_share * old) / new_share;
            let of_mean = slopes[d].0[lane] + carried[d].0[lane] / mass + 2.0 * slopes[POSE + d].0[lane] * drift;
            carried[d].0[lane] = old_share * of_mean * mass;
            slopes[d].0[lane] = new_share * of_mean;
            constant.0[lane] += slopes[d].0[lane] * drift;
        }
    }
}

/// All that goes into the gradients of a unit's votes.
struct Contributions<'a> {
    layout: &'a Layout,
    unit: usize,
    states: &'a [Lanes],
    /// `[iteration][pair]`
    weights: &'a [Lanes],
    /// `[iteration][unit][pair]`, of all iterations but the last.
    logits: &'a [Lanes],
    /// `[iteration][unit][2][16]`
    slopes: &'a [Lanes],
}

impl Contributions<'_> {
    /// Adds what matrices and poses get by the votes.
    #[inline(always)]
    fn add<S: Simd>(
        &self,
        simd: S,
        children: &[f32],
        matrices: &[Lanes],
        votes: &mut [Lanes],
        dmatrices: &mut [Lanes],
        dchildren: &mut [f32],
    ) {
        let layout = self.layout;
        self.replace_votes(simd, votes);
        let (shared, lower) = (layout.shape.shared, layout.shape.lower);
        for (pair, (child, dvote)) in of_unit(layout, self.unit).zip(votes.chunks_exact(POSE)).enumerate() {
            let pose = capsule(children, *child);
            let at = if shared { pair % lower } else { pair } * POSE;
            let (matrix, dmatrix) = (&matrices[at..at + POSE], &mut dmatrices[at..at + POSE]);
            let mut dpose = [Lanes::ZERO; POSE];
            for part in 0..S::PARTS {
                for k in 0..4 {
                    let mut of_pose = [simd.splat(0.0); 4];
                    for column in 0..4 {
                        let w = simd.load(&matrix[4 * k + column], part);
                        let mut dw = simd.load(&dmatrix[4 * k + column], part);
                        for row in 0..4 {
                            let dvote = simd.load(&dvote[4 * row + column], part);
                            dw = dw.plus(pose[4 * row + k], dvote);
                            of_pose[row] = of_pose[row].plus_product(dvote, w);
                        }
                        simd.store(dw, &mut dmatrix[4 * k + column], part);
                    }
                    for row in 0..4 {
                        simd.store(of_pose[row], &mut dpose[4 * row + k], part);
                    }
                }
            }
            let out = &mut dchildren[*child as usize * CAPSULE..][..POSE];
            for (out, dpose) in out.iter_mut().zip(&dpose) {
                *out += dpose.sum();
            }
        }
    }

    /// Puts the gradients of votes in their place.
    #[inline(always)]
    fn replace_votes<S: Simd>(&self, simd: S, votes: &mut [Lanes]) {
        let layout = self.layout;
        let (pairs, units) = (layout.pairs, layout.units);
        for part in 0..S::PARTS {
            for (pair, votes) in votes.chunks_exact_mut(POSE).enumerate() {
                let mut sums = [simd.splat(0.0); POSE];
                for iteration in 0..layout.iterations {
                    let state = &self.states[layout.states(iteration) + self.unit * STATE..][..STATE];
                    let slopes = &self.slopes[(iteration * units + self.unit) * SLOPES..][..SLOPES];
                    let weight = simd.load(&self.weights[iteration * pairs + pair], part);
                    let dlogit = if iteration + 1 < layout.iterations {
                        simd.load(&self.logits[(iteration * units + self.unit) * pairs + pair], part)
                    } else {
                        simd.splat(0.0)
                    };
                    let twice = weight + weight;
                    for d in 0..POSE {
                        let e = simd.load(&votes[d], part) - simd.load(&state[MEAN + d], part);
                        let precision = simd.load(&state[PRECISION + d], part);
                        let of_square = product(simd, twice, simd.load(&slopes[POSE + d], part));
                        let slope = of_square - product(simd, dlogit, precision);
                        let constant = product(simd, weight, simd.load(&slopes[d], part));
                        sums[d] = (sums[d] + constant).plus_product(slope, e);
                    }
                }
                for (vote, sum) in votes.iter_mut().zip(sums) {
                    simd.store(sum, vote, part);
                }
            }
        }
    }
}
