//! The forward pass: sample by sample, unit by unit, votes made anew in every iteration.

use std::f32::consts::TAU;

use super::layout::{LEVEL, LOGIT, Layout, MASS, MEAN, PRECISION, STATE, VARIANCE};
use super::passes::{capsule, compete, log_densities, of_unit, squares, votes};
use super::shape::{CAPSULE, EmShape, POSE};
use crate::scratch::Scratch;
use crate::simd::{Kernel, LANES, Lanes, Simd, dispatch, exp, ln};
use rayon::prelude::*;

#[derive(Clone, Copy)]
pub(super) struct Operands<'a> {
    pub(super) children: &'a [f32],
    pub(super) weight: &'a [f32],
    pub(super) betas: &'a [f32],
}

/// Computes the parents and, if wanted, all states. Lengths have been checked.
pub(super) fn forward(
    layout: &Layout,
    scratch: &Scratch,
    operands: Operands<'_>,
    parents: &mut [f32],
    kept: Option<&mut [Lanes]>,
) {
    let shape = &layout.shape;
    let mut matrices = scratch.take(layout.weights_len());
    layout.gather_weights(operands.weight, &mut matrices);
    let betas = Betas::new(layout, operands.betas);
    let samples = operands
        .children
        .par_chunks_exact(layout.children * CAPSULE)
        .zip(parents.par_chunks_exact_mut(shape.positions() * shape.upper * CAPSULE));
    let work = Work::len(layout);
    let matrices = &matrices[..];
    let route = |children: &[f32], parents: &mut [f32], states: &mut [Lanes]| {
        let mut work = scratch.take(work);
        dispatch(Sample {
            layout,
            children,
            matrices,
            betas: &betas,
            states,
            parents,
            work: Work::of(layout, &mut work),
        });
    };
    match kept {
        Some(kept) => samples
            .zip(kept.par_chunks_exact_mut(layout.state_len()))
            .for_each(|((children, parents), states)| route(children, parents, states)),
        None => samples.for_each(|(children, parents)| {
            let mut states = scratch.take(layout.state_len());
            route(children, parents, &mut states);
        }),
    }
}

/// What costs are counted from, block by block.
pub(super) struct Betas {
    pub(super) u: Vec<Lanes>,
    pub(super) a: Vec<Lanes>,
}

impl Betas {
    pub(super) fn new(layout: &Layout, betas: &[f32]) -> Self {
        let (u, a) = betas.split_at(layout.shape.upper);
        Self {
            u: layout.blocks_of(u),
            a: layout.blocks_of(a),
        }
    }
}

/// Scratch memory of a sample.
struct Work<'a> {
    votes: &'a mut [Lanes],
    weights: &'a mut [Lanes],
    most: &'a mut [Lanes],
    sums: &'a mut [Lanes],
}

impl<'a> Work<'a> {
    fn len(layout: &Layout) -> usize {
        layout.pairs * (POSE + 1) + 2 * layout.rivals
    }

    fn of(layout: &Layout, lanes: &'a mut [Lanes]) -> Self {
        let (votes, rest) = lanes.split_at_mut(layout.pairs * POSE);
        let (weights, rest) = rest.split_at_mut(layout.pairs);
        let (most, sums) = rest.split_at_mut(layout.rivals);
        Self {
            votes,
            weights,
            most,
            sums,
        }
    }
}

struct Sample<'a> {
    layout: &'a Layout,
    children: &'a [f32],
    matrices: &'a [Lanes],
    betas: &'a Betas,
    states: &'a mut [Lanes],
    parents: &'a mut [f32],
    work: Work<'a>,
}

impl Kernel for Sample<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { layout, work, .. } = self;
        let of_block = layout.matrices() * POSE;
        for iteration in 0..layout.iterations {
            let (states, shares) = self.states.split_at_mut(layout.shares(1));
            for unit in 0..layout.units {
                let (position, block) = (unit / layout.blocks, unit % layout.blocks);
                let shares_of = |iteration: usize| {
                    let at = layout.shares(iteration) - layout.shares(1) + unit * layout.pairs;
                    at..at + layout.pairs
                };
                let before = (iteration > 0).then(|| &shares[shares_of(iteration)]);
                weigh(layout, unit, self.children, before, work.weights);
                let (before, now) = states.split_at_mut(layout.states(iteration));
                let state = &mut now[unit * STATE..][..STATE];
                let matrices = &self.matrices[block * of_block..][..of_block];
                let mut sums = [Lanes::ZERO; POSE];
                let weights = Some(&*work.weights);
                votes(
                    simd,
                    layout,
                    position,
                    self.children,
                    matrices,
                    work.votes,
                    weights,
                    &mut sums,
                );
                let mass = add(work.weights, EmShape::LEAST_MASS as f32);
                for d in 0..POSE {
                    for lane in 0..LANES {
                        state[MEAN + d].0[lane] = sums[d].0[lane] / mass.0[lane];
                    }
                }
                if layout.old_share > 0.0 {
                    let before = iteration
                        .checked_sub(1)
                        .map(|t| &before[layout.states(t) + unit * STATE..][..STATE]);
                    damp(
                        &mut state[MEAN..MEAN + POSE],
                        before.map(|state| &state[MEAN..]),
                        layout.old_share,
                    );
                }
                squares(simd, work.votes, work.weights, &state[MEAN..MEAN + POSE], &mut sums);
                let betas = [&self.betas.u[block], &self.betas.a[block]];
                let level = settle(layout, iteration, state, &sums, &mass, betas);
                if iteration + 1 < layout.iterations {
                    let (half_precision, prior) = density(state, &level);
                    let out = &mut shares[shares_of(iteration + 1)];
                    let mean = &state[MEAN..MEAN + POSE];
                    log_densities(simd, work.votes, mean, &half_precision, &prior, out);
                }
            }
            if iteration + 1 < layout.iterations {
                let at = layout.shares(iteration + 1) - layout.shares(1);
                let logits = &mut shares[at..at + layout.units * layout.pairs];
                compete(layout, logits, work.most, work.sums);
            }
        }
        let last = &self.states[layout.states(layout.iterations - 1)..];
        write_parents(layout, last, self.parents);
    }
}

/// `weights[pair]`: share times activation.
#[inline(always)]
pub(super) fn weigh(layout: &Layout, unit: usize, children: &[f32], shares: Option<&[Lanes]>, weights: &mut [Lanes]) {
    let first = &layout.first[unit / layout.blocks * layout.pairs..];
    for (pair, (child, weight)) in of_unit(layout, unit).zip(weights).enumerate() {
        let activation = capsule(children, *child)[POSE];
        match shares {
            Some(shares) => {
                for (weight, share) in weight.0.iter_mut().zip(&shares[pair].0) {
                    *weight = share * activation;
                }
            }
            None => weight.0 = [first[pair] * activation; LANES],
        }
    }
}

/// `start + sum of lanes`.
#[inline(always)]
fn add(lanes: &[Lanes], start: f32) -> Lanes {
    let mut sum = [start; LANES];
    for lanes in lanes {
        for (sum, value) in sum.iter_mut().zip(&lanes.0) {
            *sum += value;
        }
    }
    Lanes(sum)
}

/// The mean with some of that of the iteration before.
#[inline(always)]
fn damp(mean: &mut [Lanes], before: Option<&[Lanes]>, old_share: f32) {
    for d in 0..POSE {
        for lane in 0..LANES {
            let old = before.map_or(0.0, |before| before[d].0[lane]);
            mean[d].0[lane] = (1.0 - old_share) * mean[d].0[lane] + old_share * old;
        }
    }
}

/// Variance, mass and logit of a unit, from the sums of squares; returns half the sum of the logarithms of variances.
#[inline(always)]
fn settle(
    layout: &Layout,
    iteration: usize,
    state: &mut [Lanes],
    squares: &[Lanes; POSE],
    mass: &Lanes,
    [beta_u, beta_a]: [&Lanes; 2],
) -> Lanes {
    let (costs, lambda) = (&layout.costs, layout.lambda[iteration]);
    let mut half_logs = [0.0; LANES];
    for d in 0..POSE {
        for lane in 0..LANES {
            let variance = squares[d].0[lane] / mass.0[lane] + layout.least_variance;
            state[VARIANCE + d].0[lane] = variance;
            state[PRECISION + d].0[lane] = 1.0 / variance;
            half_logs[lane] += 0.5 * ln(variance);
        }
    }
    for lane in 0..LANES {
        let level = costs.beta_u * beta_u.0[lane] + costs.logs * half_logs[lane];
        let cost = costs.mass * mass.0[lane] * level;
        state[LEVEL].0[lane] = level;
        state[LOGIT].0[lane] = lambda * (costs.beta_a * beta_a.0[lane] - cost);
    }
    state[MASS] = *mass;
    Lanes(half_logs)
}

/// `1 / (2 variance)`, and what the logarithm of a density begins with.
#[inline(always)]
fn density(state: &[Lanes], half_logs: &Lanes) -> ([Lanes; POSE], Lanes) {
    let mut half_precision = [Lanes::ZERO; POSE];
    for d in 0..POSE {
        for lane in 0..LANES {
            half_precision[d].0[lane] = 0.5 * state[PRECISION + d].0[lane];
        }
    }
    let mut prior = Lanes::ZERO;
    for lane in 0..LANES {
        let logit = state[LOGIT].0[lane];
        // The logarithm of the logistic function, whose exponential never overflows.
        let log_sigmoid = logit.min(0.0) - ln(1.0 + exp(-logit.abs()));
        prior.0[lane] = log_sigmoid - half_logs.0[lane] - 0.5 * POSE as f32 * ln(TAU);
    }
    (half_precision, prior)
}

#[inline(always)]
pub(super) fn sigmoid(x: f32) -> f32 {
    let small = exp(-x.abs());
    (if x < 0.0 { small } else { 1.0 }) / (1.0 + small)
}

fn write_parents(layout: &Layout, states: &[Lanes], parents: &mut [f32]) {
    let positions = parents.chunks_exact_mut(layout.shape.upper * CAPSULE);
    for (position, parents) in positions.enumerate() {
        for (kind, parent) in parents.chunks_exact_mut(CAPSULE).enumerate() {
            let state = &states[(position * layout.blocks + kind / LANES) * STATE..][..STATE];
            for d in 0..POSE {
                parent[d] = state[MEAN + d].0[kind % LANES];
            }
            parent[POSE] = sigmoid(state[LOGIT].0[kind % LANES]);
        }
    }
}
