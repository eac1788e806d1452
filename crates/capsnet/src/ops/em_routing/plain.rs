//! The layer by the backend's own operations, which hold all votes of the batch.
//!
//! Pairs of a position of parents and an offset in the kernel are counted along offsets, then positions. Which pairs
//! compete for a child is a table.

use std::f64::consts::TAU;

use burn::prelude::*;
use burn::tensor::DType;
use burn::tensor::activation::{log_sigmoid, sigmoid};
use capsnet_kernels::EmShape;

use super::EmForm;
use crate::routing::em_official;

/// The shares of an iteration, `[B, positions, offsets * lower, upper]`.
type Shares = Tensor<4>;

/// An iteration, as it is looked at.
pub struct EmRound {
    /// The votes, `[B, positions, offsets * lower, upper, 16]`; the same in all iterations.
    pub votes: Tensor<5>,
    /// The shares that it used, `[B, positions, offsets * lower, upper]`.
    pub shares: Tensor<4>,
    /// The parents that it came to, `[B, positions, upper, 17]`.
    pub parents: Tensor<4>,
}

/// As [`em_routing`](super::em_routing), the batch being in the shape.
pub(in crate::ops) fn em_routing(
    children: Tensor<5>,
    weight: Tensor<4>,
    betas: Tensor<2>,
    shape: EmShape,
) -> Tensor<4> {
    traced(children, weight, betas, shape, None)
}

/// The same, whose iterations are kept where there is room for them.
pub(super) fn traced(
    children: Tensor<5>,
    weight: Tensor<4>,
    betas: Tensor<2>,
    shape: EmShape,
    mut kept: Option<&mut Vec<EmRound>>,
) -> Tensor<4> {
    let (device, form) = (children.device(), shape.form);
    let [batch, height, width, lower, _] = children.dims();
    let (positions, offsets, upper) = (shape.positions(), shape.offsets(), shape.upper);
    let pairs = offsets * lower;
    let options = (&device, children.dtype());
    let child: Vec<usize> = (0..positions)
        .flat_map(|p| (0..offsets).map(move |k| (p, k)))
        .map(|(p, k)| shape.child(p, k))
        .collect();
    let gathered = children
        .reshape([batch, height * width, lower, 17])
        .select(1, integers(&child, &device))
        .reshape([batch, positions, pairs, 17]);
    let poses = gathered.clone().narrow(3, 0, 16);
    let activations = gathered.narrow(3, 16, 1).reshape([batch, positions, pairs, 1, 1]);
    let votes = votes(poses, weight, &shape) + centres(&shape, &child, options);
    let rivals = Rivals::new(&shape, &device);
    let [beta_u, beta_a] = [0, 1].map(|row| betas.clone().narrow(0, row, 1).reshape([1, 1, 1, upper, 1]));

    let mut shares = rivals.first(options).expand([batch, positions, pairs, upper]);
    let mut before: Option<Tensor<5>> = None;
    let rounds = shape.iterations.max(1);
    for round in 0..rounds {
        let used = kept.is_some().then(|| shares.clone());
        let weights = shares.reshape([batch, positions, pairs, upper, 1]) * activations.clone();
        let mass = weights.clone().sum_dim(2) + EmShape::LEAST_MASS; // [B, P, 1, J, 1]
        let mut mean = (weights.clone() * votes.clone()).sum_dim(2) / mass.clone(); // [B, P, 1, J, 16]
        let mut lambda = EmShape::inverse_temperature(round);
        if form == EmForm::Official {
            mean = em_official::damped(mean, before);
            if shape.shared {
                lambda *= form.class_layer();
            }
        }
        let squares = (votes.clone() - mean.clone()).square();
        let variance = (weights * squares.clone()).sum_dim(2) / mass.clone() + form.least_variance();
        let logs = variance.clone().log().sum_dim(4); // [B, P, 1, J, 1]
        let logit = match form {
            EmForm::Paper => {
                let cost = mass * shape.mass_scale() * (beta_u.clone() * 16.0 + logs.clone() / 2.0);
                (beta_a.clone() - cost) * lambda
            }
            EmForm::Official => em_official::logit(mass, logs.clone(), [beta_u.clone(), beta_a.clone()], 16, lambda),
        };
        if let (Some(kept), Some(shares)) = (kept.as_deref_mut(), used) {
            kept.push(EmRound {
                votes: votes.clone(),
                shares,
                parents: Tensor::cat(vec![mean.clone(), sigmoid(logit.clone())], 4).squeeze_dim(2),
            });
        }
        if round + 1 == rounds {
            return Tensor::cat(vec![mean, sigmoid(logit)], 4).squeeze_dim(2);
        }
        let prior = log_sigmoid(logit) - logs / 2.0 - 8.0 * TAU.ln();
        let density = prior - (squares / variance).sum_dim(4) / 2.0; // [B, P, N, J, 1]
        shares = rivals.compete(density.reshape([batch, positions, pairs, upper]), lower);
        before = Some(mean);
    }
    unreachable!("there is a last round")
}

/// `[B, P, N, J, 16]`
fn votes(poses: Tensor<4>, weight: Tensor<4>, shape: &EmShape) -> Tensor<5> {
    let [batch, positions, pairs, _] = poses.dims();
    let upper = shape.upper;
    // [N, 4, J * 4]: a row of the pose times the columns of all matrices.
    let matrices = weight
        .permute([0, 2, 1, 3])
        .reshape([shape.weight_offsets() * shape.lower, 4, upper * 4]);
    let matrices = match shape.shared {
        true => matrices.repeat_dim(0, shape.offsets()),
        false => matrices,
    };
    poses
        .permute([2, 0, 1, 3])
        .reshape([pairs, batch * positions * 4, 4])
        .matmul(matrices)
        .reshape([pairs, batch, positions, 4, upper, 4])
        .permute([1, 2, 0, 4, 3, 5])
        .reshape([batch, positions, pairs, upper, 16])
}

/// What is added to the votes, `[1, P, N, 1, 16]`.
fn centres(shape: &EmShape, child: &[usize], options: (&Device, DType)) -> Tensor<5> {
    let dims = [1, shape.positions(), shape.offsets() * shape.lower, 1, 16];
    let Some(centres) = shape.centres else {
        return Tensor::zeros([1, 1, 1, 1, 1], options);
    };
    let mut added = vec![0.0; child.len() * shape.lower * 16];
    for (row, vote) in added.chunks_exact_mut(16).enumerate() {
        let place = child[row / shape.lower];
        [vote[3], vote[7]] = centres.of(place / shape.width, place % shape.width);
    }
    Tensor::from_data(TensorData::new(added, dims), options)
}

fn integers(values: &[usize], device: &Device) -> Tensor<1, Int> {
    let values: Vec<i64> = values.iter().map(|value| *value as i64).collect();
    Tensor::from_data(TensorData::from(&values[..]), device)
}

/// Which pairs compete.
struct Rivals {
    /// Of each pair, its group, `[pairs]`.
    group: Tensor<1, Int>,
    /// Of each group, its pairs; the number of pairs stands for none. `[groups * most]`
    table: Tensor<1, Int>,
    groups: usize,
    most: usize,
    /// How many pairs each pair's group has.
    sizes: Vec<usize>,
    dims: [usize; 4],
    form: EmForm,
}

impl Rivals {
    fn new(shape: &EmShape, device: &Device) -> Self {
        let form = shape.form;
        let offsets = shape.offsets();
        let of_pair = form.rivals(shape);
        let groups = of_pair.iter().max().map_or(0, |most| most + 1);
        let mut members = vec![Vec::new(); groups];
        for (pair, group) in of_pair.iter().enumerate() {
            members[*group].push(pair);
        }
        let most = members.iter().map(Vec::len).max().unwrap_or(0);
        let mut table = vec![of_pair.len(); groups * most];
        for (row, members) in table.chunks_exact_mut(most).zip(&members) {
            row[..members.len()].copy_from_slice(members);
        }
        Self {
            group: integers(&of_pair, device),
            table: integers(&table, device),
            groups,
            most,
            sizes: of_pair.iter().map(|group| members[*group].len()).collect(),
            dims: [1, shape.positions(), offsets * shape.lower, shape.upper],
            form,
        }
    }

    /// The same share for all rivals.
    fn first(&self, options: (&Device, DType)) -> Shares {
        let [_, _, pairs, upper] = self.dims;
        let types = match self.form {
            EmForm::Paper => upper,
            EmForm::Official => 1,
        };
        let offsets = self.sizes.len() / self.dims[1];
        let share = |size: &usize| vec![1.0 / (*size * types) as f64; pairs / offsets * upper];
        let shares: Vec<f64> = self.sizes.iter().flat_map(share).collect();
        Tensor::from_data(TensorData::new(shares, self.dims), options)
    }

    /// Shares by logits, `[B, P, N, J]`: a softmax over rivals; types compete in the paper's form only.
    fn compete(&self, logits: Shares, lower: usize) -> Shares {
        let [batch, positions, pairs, upper] = logits.dims();
        let offsets = pairs / lower;
        let logits = logits.reshape([batch, positions * offsets, lower, upper]);
        let among_types = self.form == EmForm::Paper;
        let largest = logits.clone().detach();
        let largest = if among_types { largest.max_dim(3) } else { largest };
        let largest = self.among(largest, -1e30, |rivals| rivals.max_dim(2));
        let powers = (logits - largest).exp();
        let sums = powers.clone();
        let sums = if among_types { sums.sum_dim(3) } else { sums };
        let sums = self.among(sums, 0.0, |rivals| rivals.sum_dim(2));
        (powers / sums).reshape([batch, positions, pairs, upper])
    }

    /// Something of all rivals of each pair: `[B, pairs, lower, types]` to the same, by a reduction of the third of
    /// five dimensions.
    fn among(&self, of_pairs: Tensor<4>, nothing: f64, reduce: impl Fn(Tensor<5>) -> Tensor<5>) -> Tensor<4> {
        let [batch, _, lower, types] = of_pairs.dims();
        let nobody = Tensor::full(
            [batch, 1, lower, types],
            nothing,
            (&of_pairs.device(), of_pairs.dtype()),
        );
        let rivals = Tensor::cat(vec![of_pairs, nobody], 1).select(1, self.table.clone());
        let rivals = rivals.reshape([batch, self.groups, self.most, lower, types]);
        reduce(rivals).squeeze_dim::<4>(2).select(1, self.group.clone())
    }
}
