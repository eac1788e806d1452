//! The best linear map from `v(x)` to `v(R x)`, and how well it holds for samples that it has not seen.
//!
//! A layer is linearly equivariant if such a map exists (Lenc and Vedaldi, "Understanding image representations by measuring
//! their equivariance and equivalence", CVPR 2015). It is fitted on one half of the samples by ridge regression with an offset;
//! the penalty is chosen on that half by generalised cross-validation (Golub, Heath, Wahba 1979). R² is measured on the other
//! half: 1 minus the squared error over the squared distance from the mean there, all units together.
//!
//! The upright activations are the same at every angle, so they are taken apart once: `X = U S V^T` of the fitted half, through
//! the eigenvectors of the smaller of its two Gram matrices. An angle then costs two products.

use capsnet_data::random::Seed;
use serde::{Deserialize, Serialize};

use crate::eigen::eigen;
use crate::matrix::{Matrix, add_scaled, squared};

/// More samples than this don't make a map better enough for what they cost.
const MOST_FITTED: usize = 500;
/// Penalties as powers of ten of the largest squared singular value.
const PENALTIES: std::ops::RangeInclusive<i32> = -12..=3;

/// The share of the variance of v(R x) in the held-out samples that each way of predicting it explains, at most 1.
///
/// Below 0 a prediction is worse than the mean of the held-out samples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RSquared {
    /// By the linear map: equivariance.
    pub linear: f64,
    /// By v(x) itself: invariance.
    pub identity: f64,
    /// By the fitted half's mean of v(R x).
    pub mean: f64,
    /// By a map that was fitted to permuted pairs: chance.
    pub permuted: f64,
    /// By a map that was fitted to pairs permuted within each class: what the class alone tells. `None` where classes are not
    /// known or measured one by one.
    pub within_class: Option<f64>,
}

/// Upright samples, taken apart so that they can be mapped to anything.
pub(crate) struct LinearMap {
    pub(crate) fitted: Vec<usize>,
    pub(crate) held_out: Vec<usize>,
    /// `U^T`: a row a singular value.
    left: Matrix,
    /// `S^2`.
    squares: Vec<f64>,
    /// `X_held V S`: a row a held-out sample.
    scores: Matrix,
}

/// Held-out vectors and what the map made of them, both less the fitted half's mean of the targets.
pub(crate) struct Prediction {
    pub(crate) actual: Matrix,
    pub(crate) predicted: Matrix,
}

impl LinearMap {
    /// Halves the samples and takes the first half apart.
    pub(crate) fn new(sources: &Matrix, seed: Seed) -> Self {
        let mut fitted = seed.permutation(sources.rows(), "halves", 0);
        let mut held_out = fitted.split_off((sources.rows() / 2).min(MOST_FITTED));
        fitted.sort_unstable();
        held_out.sort_unstable();
        let x = sources.pick(&fitted);
        let mean = x.mean();
        let (x, held) = (x.less(&mean), sources.pick(&held_out).less(&mean));
        let (squares, left, scores) = if x.rows() <= x.columns() {
            let (squares, left) = eigen(x.times_transposed(&x));
            let scores = held.times_transposed(&x).times_transposed(&left);
            (squares, left, scores)
        } else {
            let columns = x.transposed();
            let (squares, right) = eigen(columns.times_transposed(&columns));
            let mut left = right.times(&columns);
            let mut scores = held.times_transposed(&right);
            for (k, square) in squares.iter().enumerate() {
                left.row_mut(k).iter_mut().for_each(|x| *x /= square.sqrt());
            }
            for row in 0..scores.rows() {
                let scaled = scores.row_mut(row).iter_mut().zip(&squares);
                scaled.for_each(|(x, square)| *x *= square.sqrt());
            }
            (squares, left, scores)
        };
        Self {
            fitted,
            held_out,
            left,
            squares,
            scores,
        }
    }

    /// Whether a sample is in the half that is predicted.
    pub(crate) fn holds_out(&self, sample: usize) -> bool {
        self.held_out.binary_search(&sample).is_ok()
    }

    /// Fits the map to the targets and predicts the held-out ones; the target of sample `i` is row `partner(i)`.
    pub(crate) fn predict(&self, targets: &Matrix, partner: impl Fn(usize) -> usize) -> Prediction {
        let rows = |samples: &[usize]| samples.iter().map(|&sample| partner(sample)).collect::<Vec<_>>();
        let y = targets.pick(&rows(&self.fitted));
        let mean = y.mean();
        let y = y.less(&mean);
        let mut components = self.left.times(&y);
        let penalty = self.penalty(&components, squared(y.values()));
        for (k, square) in self.squares.iter().enumerate() {
            let row = components.row_mut(k);
            row.iter_mut().for_each(|x| *x /= square + penalty);
        }
        Prediction {
            actual: targets.pick(&rows(&self.held_out)).less(&mean),
            predicted: self.scores.times(&components),
        }
    }

    /// The penalty with the least generalised cross-validation error, given `U^T Y` and the sum of squares of `Y`.
    fn penalty(&self, components: &Matrix, total: f64) -> f64 {
        let energy: Vec<f64> = components.iter().map(squared).collect();
        let outside = (total - energy.iter().sum::<f64>()).max(0.0);
        let largest = self.squares.first().copied().unwrap_or(1.0);
        let error = |penalty: f64| {
            let mut residual = outside;
            // One degree of freedom goes to the mean.
            let mut freedom = (self.fitted.len() - 1 - self.squares.len().min(self.fitted.len() - 1)) as f64;
            for (square, energy) in self.squares.iter().zip(&energy) {
                let left = penalty / (square + penalty);
                residual += left * left * energy;
                freedom += left;
            }
            residual / (freedom * freedom)
        };
        let penalties = PENALTIES.map(|power| largest * 10f64.powi(power));
        penalties
            .map(|penalty| (error(penalty), penalty))
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map_or(largest, |(_, penalty)| penalty)
    }
}

/// Squared errors over the held-out samples, of which classes' are added up.
#[derive(Clone, Copy, Default)]
pub(crate) struct SquaredErrors {
    pub(crate) linear: f64,
    pub(crate) identity: f64,
    pub(crate) mean: f64,
    pub(crate) permuted: f64,
    pub(crate) within_class: Option<f64>,
    /// From the held-out samples' own mean.
    pub(crate) total: f64,
}

impl SquaredErrors {
    pub(crate) fn merge(&mut self, other: &Self) {
        let mut sums = [self.linear, self.identity, self.mean, self.permuted, self.total];
        let more = [other.linear, other.identity, other.mean, other.permuted, other.total];
        add_scaled(&mut sums, 1.0, &more);
        [self.linear, self.identity, self.mean, self.permuted, self.total] = sums;
        if let Some(more) = other.within_class {
            *self.within_class.get_or_insert(0.0) += more;
        }
    }

    /// `None` if the held-out targets are all the same.
    pub(crate) fn r_squared(&self) -> Option<RSquared> {
        let share = |error: f64| 1.0 - error / self.total;
        (self.total > 0.0).then(|| RSquared {
            linear: share(self.linear),
            identity: share(self.identity),
            mean: share(self.mean),
            permuted: share(self.permuted),
            within_class: self.within_class.map(share),
        })
    }
}
