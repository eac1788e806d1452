//! How a layer lies in memory: sixteen types of parents in a [`Lanes`], everything else one after the other.
//!
//! A unit `q` is a block of sixteen types at a position of parents; a pair is a child in a unit's kernel, offsets
//! outermost.

use super::shape::{EmShape, POSE};
use crate::simd::{LANES, Lanes};

/// `Lanes` that say how a unit stands after an iteration: mean, variance, one over it, mass, the sum of `beta_u +
/// ln(var) / 2`, and the logit of the activation.
pub(super) const STATE: usize = 3 * POSE + 3;
pub(super) const MEAN: usize = 0;
pub(super) const VARIANCE: usize = POSE;
pub(super) const PRECISION: usize = 2 * POSE;
pub(super) const MASS: usize = 3 * POSE;
pub(super) const LEVEL: usize = 3 * POSE + 1;
pub(super) const LOGIT: usize = 3 * POSE + 2;

#[derive(Debug)]
pub(super) struct Layout {
    pub(super) shape: EmShape,
    /// At least 1.
    pub(super) iterations: usize,
    /// Blocks of types.
    pub(super) blocks: usize,
    /// Blocks at all positions.
    pub(super) units: usize,
    /// Children of a parent.
    pub(super) pairs: usize,
    /// Children of a sample.
    pub(super) children: usize,
    /// Of each position and pair, the child.
    pub(super) child: Vec<u32>,
    /// Of each position and pair, and type of child, the group that competes.
    pub(super) rival: Vec<u32>,
    /// Groups that compete.
    pub(super) rivals: usize,
    /// How many further the groups of the next block are; 0 where blocks compete with each other.
    pub(super) rivals_apart: usize,
    /// Of each position and pair, the first share.
    pub(super) first: Vec<f32>,
    /// Of each position and pair, what is added to elements 3 and 7 of a vote.
    pub(super) centres: Vec<[f32; 2]>,
    /// What costs are made of.
    pub(super) costs: Costs,
    /// Of each iteration.
    pub(super) lambda: Vec<f32>,
    pub(super) least_variance: f32,
    /// How much of a mean is that of the iteration before.
    pub(super) old_share: f32,
}

/// As [`EmCosts`](super::form::EmCosts).
#[derive(Clone, Copy, Debug)]
pub(super) struct Costs {
    pub(super) beta_u: f32,
    pub(super) logs: f32,
    pub(super) mass: f32,
    pub(super) beta_a: f32,
}

impl Layout {
    pub(super) fn new(shape: EmShape) -> Self {
        let (offsets, lower) = (shape.offsets(), shape.lower);
        let blocks = shape.upper.div_ceil(LANES);
        let groups = shape.form.rivals(&shape);
        let mut sizes = vec![0; groups.iter().max().map_or(0, |most| most + 1)];
        groups.iter().for_each(|group| sizes[*group] += 1);
        let (types_compete, groups_of_block) = (shape.form.types_compete(), sizes.len() * lower);
        let types = if types_compete { shape.upper } else { 1 };
        let (mut child, mut rival, mut first, mut centres) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for position in 0..shape.positions() {
            for offset in 0..offsets {
                let place = shape.child(position, offset);
                let group = groups[position * offsets + offset];
                let centre = shape
                    .centres
                    .map(|centres| centres.of(place / shape.width, place % shape.width));
                for kind in 0..lower {
                    child.push((place * lower + kind) as u32);
                    rival.push((group * lower + kind) as u32);
                    first.push(1.0 / (sizes[group] * types) as f32);
                    centres.push(centre.unwrap_or_default().map(|place| place as f32));
                }
            }
        }
        let iterations = shape.iterations.max(1);
        let costs = shape.form.costs(&shape);
        Self {
            shape,
            iterations,
            blocks,
            units: shape.positions() * blocks,
            pairs: offsets * lower,
            children: shape.height * shape.width * lower,
            child,
            rival,
            rivals: groups_of_block * if types_compete { 1 } else { blocks },
            rivals_apart: if types_compete { 0 } else { groups_of_block },
            first,
            centres,
            costs: Costs {
                beta_u: costs.beta_u_factor as f32,
                logs: costs.logs_factor as f32,
                mass: costs.mass_factor as f32,
                beta_a: costs.beta_a_factor as f32,
            },
            lambda: (0..iterations).map(|t| shape.lambda(t) as f32).collect(),
            least_variance: shape.form.least_variance() as f32,
            old_share: (1.0 - shape.form.new_share()) as f32,
        }
    }

    /// `Lanes` of what is kept of a sample: states of all iterations, then shares of all but the first.
    pub(super) fn state_len(&self) -> usize {
        self.iterations * self.units * STATE + (self.iterations - 1) * self.units * self.pairs
    }

    /// Where the states of an iteration begin.
    pub(super) fn states(&self, iteration: usize) -> usize {
        iteration * self.units * STATE
    }

    /// Where the shares of an iteration begin that is not the first.
    pub(super) fn shares(&self, iteration: usize) -> usize {
        self.iterations * self.units * STATE + (iteration - 1) * self.units * self.pairs
    }

    /// Matrices of a block: those of all pairs, or of all types of children if they are shared.
    pub(super) fn matrices(&self) -> usize {
        self.shape.weight_offsets() * self.shape.lower
    }

    /// `Lanes` of all matrices.
    pub(super) fn weights_len(&self) -> usize {
        self.blocks * self.matrices() * POSE
    }

    /// The matrices with types of parents innermost, `[block][matrix][16]`.
    pub(super) fn gather_weights(&self, weight: &[f32], lanes: &mut [Lanes]) {
        lanes.fill(Lanes::ZERO);
        let upper = self.shape.upper;
        for (row, poses) in weight.chunks_exact(POSE).enumerate() {
            let (matrix, kind) = (row / upper, row % upper);
            let at = (kind / LANES * self.matrices() + matrix) * POSE;
            for (lanes, value) in lanes[at..at + POSE].iter_mut().zip(poses) {
                lanes.0[kind % LANES] = *value;
            }
        }
    }

    /// Undoes [`gather_weights`](Self::gather_weights).
    pub(super) fn scatter_weights(&self, lanes: &[Lanes], weight: &mut [f32]) {
        let upper = self.shape.upper;
        for (row, poses) in weight.chunks_exact_mut(POSE).enumerate() {
            let (matrix, kind) = (row / upper, row % upper);
            let at = (kind / LANES * self.matrices() + matrix) * POSE;
            for (lanes, value) in lanes[at..at + POSE].iter().zip(poses) {
                *value = lanes.0[kind % LANES];
            }
        }
    }

    /// One row of `[upper]` numbers, padded with zeros.
    pub(super) fn blocks_of(&self, row: &[f32]) -> Vec<Lanes> {
        let mut lanes = vec![Lanes::ZERO; self.blocks];
        Lanes::flat_mut(&mut lanes)[..row.len()].copy_from_slice(row);
        lanes
    }

    /// How many lanes of a block are types of parents.
    pub(super) fn used(&self, block: usize) -> usize {
        (self.shape.upper - block * LANES).min(LANES)
    }
}
