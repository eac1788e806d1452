//! The share of the variance of `v(T x) - v(x)` that lies on one direction.
//!
//! Choi, Seo, Im and Kang, "Attention Routing Between Capsules" (ICCV workshops 2019), ask whether a transform of the
//! input moves a capsule's vector in one direction, whatever the input. Here: the largest eigenvalue of the second
//! moment of the differences, divided by the sum of all eigenvalues. The moment is taken about zero, so that a
//! displacement that all samples have in common counts as the alignment that it is. For layers with several vectors it
//! is the mean over these.
//!
//! A share is never 0: differences of any kind have a longest direction, and the fewer samples and dimensions, the
//! larger its share. So it has to be read beside that of isotropic noise in as many dimensions and samples
//! ([`chance`]), and beside that of the differences between unrelated samples, which shows how far the layer is from
//! isotropic anyway.

use capsnet_data::random::Seed;

use super::lanczos::largest_eigenvalue;
use super::matrix::{Matrix, squared};
use super::sample::noise;
use super::tally::Mean;

/// Draws of noise that a chance level is the mean of.
const DRAWS: u64 = 8;

/// The share of the rows' second moment on one direction, 0 to 1; `None` if all rows are zero.
pub fn share_on_one_direction(differences: &Matrix) -> Option<f64> {
    let total = squared(differences.values());
    (total > 0.0).then(|| (largest_eigenvalue(differences) / total).min(1.0))
}

/// The mean share of isotropic normal noise in as many samples and dimensions.
pub fn chance(samples: usize, dimensions: usize, seed: Seed) -> f64 {
    let share = |draw| {
        let mut rng = seed.stream("noise of differences", draw, (samples * dimensions) as u64);
        share_on_one_direction(&noise(samples, dimensions, &mut rng)).unwrap_or(1.0)
    };
    (0..DRAWS).map(share).sum::<f64>() / DRAWS as f64
}

/// The mean over a layer's vectors, each with the weight of its samples.
pub(crate) fn mean_share(differences: &Matrix, vector: usize) -> Mean {
    let mut mean = Mean::default();
    for from in (0..differences.columns()).step_by(vector) {
        if let Some(share) = share_on_one_direction(&differences.slice(from, vector)) {
            mean.add_weighted(share, differences.rows() as f64);
        }
    }
    mean
}
