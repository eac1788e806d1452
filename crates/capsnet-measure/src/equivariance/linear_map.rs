//! The best linear map from `v(x)` to `v(R x)`, and how well it holds for samples that it has not seen.
//!
//! A layer is linearly equivariant if such a map exists (Lenc and Vedaldi, "Understanding image representations by
//! measuring their equivariance and equivalence", CVPR 2015). It is fitted on one half of the samples, 500 at most, by
//! ridge regression with an offset; the penalty, a power of ten times the largest squared singular value, is chosen on
//! that half by generalised cross-validation (Golub, Heath, Wahba 1979). R² is measured on the other half: 1 minus the
//! squared error over the squared distance from the mean there, all units together.
//!
//! The upright activations are the same at every angle, so they are taken apart once: `X = U S V^T` of the fitted half,
//! through the eigenvectors of the smaller of its two Gram matrices. An angle then costs two products.

use capsnet_data::random::Seed;
use serde::{Deserialize, Serialize};

use super::eigen::eigen;
use super::matrix::{Matrix, add_scaled, squared};

/// More samples than this don't make a map better enough for what they cost.
const MOST_FITTED: usize = 500;
/// Penalties as powers of ten of the largest squared singular value.
const PENALTIES: std::ops::RangeInclusive<i32> = -6..=3;
/// With fewer samples than this, plain cross-validation takes far too small a penalty now and then; a degree of freedom
/// that the map uses then costs more than one (Kim and Gu 2004).
const FEW: usize = 100;
const COST: f64 = 1.4;

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
    /// By a map that was fitted to pairs permuted within each class: what the class alone tells. `None` where classes
    /// are not known or measured one by one.
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

/// Targets of the fitted half as the map sees them.
pub(crate) struct Fit {
    mean: Vec<f64>,
    /// `U^T Y`, and the sum of squares of each row.
    components: Matrix,
    energy: Vec<f64>,
    /// Sum of squares that no map of the sources reaches.
    outside: f64,
}

/// Held-out vectors and what the map made of them, both less the fitted half's mean of the targets.
pub(crate) struct Prediction {
    pub(crate) actual: Matrix,
    pub(crate) predicted: Matrix,
}

impl Prediction {
    pub(crate) fn squared_error(&self) -> f64 {
        self.actual.clone().less_matrix(&self.predicted).energy()
    }
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

    /// Fits the map to targets of the fitted half; the target of sample `i` is row `partner[i]`.
    pub(crate) fn fit(&self, targets: &Matrix, partner: &[usize]) -> Fit {
        let y = targets.pick(&partners_of(&self.fitted, partner));
        let mean = y.mean();
        let y = y.less(&mean);
        let components = self.left.times(&y);
        let energy: Vec<f64> = components.iter().map(squared).collect();
        Fit {
            outside: (squared(y.values()) - energy.iter().sum::<f64>()).max(0.0),
            mean,
            components,
            energy,
        }
    }

    /// The held-out targets as the map with a penalty predicts them.
    pub(crate) fn predict(&self, targets: &Matrix, partner: &[usize], fit: &Fit, power: i32) -> Prediction {
        let mut components = fit.components.clone();
        let penalty = self.penalty(power);
        for (k, square) in self.squares.iter().enumerate() {
            let row = components.row_mut(k);
            row.iter_mut().for_each(|x| *x /= square + penalty);
        }
        Prediction {
            actual: targets.pick(&partners_of(&self.held_out, partner)).less(&fit.mean),
            predicted: self.scores.times(&components),
        }
    }

    fn penalty(&self, power: i32) -> f64 {
        self.squares.first().copied().unwrap_or(1.0) * 10f64.powi(power)
    }

    /// What a penalty leaves of the fitted half: squared residuals, and degrees of freedom for them.
    fn left_over(&self, fit: &Fit, power: i32) -> (f64, f64) {
        let penalty = self.penalty(power);
        let mut residual = fit.outside;
        // The mean is one.
        let mut used = 1.0;
        for (square, energy) in self.squares.iter().zip(&fit.energy) {
            let left = penalty / (square + penalty);
            residual += left * left * energy;
            used += 1.0 - left;
        }
        let cost = if self.fitted.len() < FEW { COST } else { 1.0 };
        (residual, self.fitted.len() as f64 - cost * used)
    }
}

/// The penalty with the least generalised cross-validation error, the same for all maps of a layer.
///
/// Classes that are fitted one by one have few samples each, on which the choice would be a matter of luck.
pub(crate) fn best_power(fits: &[(&LinearMap, &Fit)]) -> i32 {
    let error = |power: i32| {
        let (mut residual, mut freedom) = (0.0, 0.0);
        for (map, fit) in fits {
            let left = map.left_over(fit, power);
            residual += left.0;
            freedom += left.1;
        }
        if freedom > 0.0 {
            residual / (freedom * freedom)
        } else {
            f64::INFINITY
        }
    };
    let errors = PENALTIES.map(|power| (error(power), power));
    let best = errors.min_by(|a, b| a.0.total_cmp(&b.0));
    best.map_or(*PENALTIES.end(), |(_, power)| power)
}

fn partners_of(samples: &[usize], partner: &[usize]) -> Vec<usize> {
    samples.iter().map(|&sample| partner[sample]).collect()
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
