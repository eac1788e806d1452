//! Angular pose error: the angle between the pose of a rotated input and the rotated pose of the input.
//!
//! For capsules whose poses have a known [`Action`] of the rotation this is the measure of Lenssen, Fey and
//! Libuschewski, "Group Equivariant Capsule Networks" (NeurIPS 2018), section 5: the angle between `pose(R x)` and `R
//! pose(x)`, averaged over samples and capsules. A direction that is drawn at random is 90 degrees away on average, in
//! any dimension.
//!
//! Layers of other networks have no such `R`. For them it is learned: [`Expected::LinearMap`] takes the best linear map
//! from
//! `v(x)` to `v(R x)`, fitted with an offset on one half of the samples, and measures on the other half, both vectors
//! taken from the fitted half's mean: angles between vectors that share a large mean would be small without saying
//! anything.

use serde::{Deserialize, Serialize};

use super::action::Action;
use super::matrix::{Matrix, squared};
use super::tally::Mean;

/// The average angle between directions that have nothing to do with each other, in degrees.
pub const CHANCE: f64 = 90.0;

/// Where the expected pose came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// From the known action of the rotation.
    KnownAction,
    /// From the best linear map, fitted on other samples.
    LinearMap,
}

/// A mean angle between poses and what was expected of them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AngularError {
    /// The error in degrees, 0 to 180.
    pub degrees: f64,
    /// What chance gives: 90 degrees, and for a fitted map what the same map fitted to permuted pairs gives.
    pub chance: f64,
    /// The mean angle between v(R x) and v(x) itself: the error of a layer that is taken for invariant.
    pub unmoved: f64,
    /// Where the expected pose came from.
    pub expected: Expected,
    /// The share of angles, 0 to 1, that don't exist because a vector is zero. They count as 90 degrees.
    pub undefined: f64,
}

/// The angle between two vectors in degrees, 0 to 180; `None` if one of them is zero.
///
/// By Kahan's formula, which is exact near 0 and 180 degrees too.
///
/// ```
/// use capsnet_measure::equivariance::pose::angle_between;
///
/// assert_eq!(angle_between(&[2.0, 0.0], &[0.0, 0.1]), Some(90.0));
/// assert_eq!(angle_between(&[1.0, 1.0], &[0.0, 0.0]), None);
/// ```
pub fn angle_between(a: &[f64], b: &[f64]) -> Option<f64> {
    let (length_a, length_b) = (squared(a).sqrt(), squared(b).sqrt());
    if length_a == 0.0 || length_b == 0.0 {
        return None;
    }
    let (mut difference, mut sum) = (0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a / length_a, b / length_b);
        difference += (a - b) * (a - b);
        sum += (a + b) * (a + b);
    }
    Some(2.0 * f64::sqrt(difference).atan2(sum.sqrt()).to_degrees())
}

/// Angles between the vectors of two matrices and how many of them did not exist.
#[derive(Clone, Copy, Default)]
pub(crate) struct Angles {
    pub(crate) degrees: Mean,
    pub(crate) undefined: Mean,
}

impl Angles {
    /// Between the vectors in the same places.
    pub(crate) fn between(a: &Matrix, b: &Matrix, vector: usize) -> Self {
        let mut angles = Angles::default();
        for (a, b) in a.values().chunks_exact(vector).zip(b.values().chunks_exact(vector)) {
            let angle = angle_between(a, b);
            angles.degrees.add(angle.unwrap_or(CHANCE));
            angles.undefined.add(f64::from(u8::from(angle.is_none())));
        }
        angles
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.degrees.merge(other.degrees);
        self.undefined.merge(other.undefined);
    }
}

/// The upright poses as the action of a rotation turns them; `None` if the action is not known.
pub(crate) fn turned(upright: &Matrix, vector: usize, action: &Action, degrees: f64) -> Option<Matrix> {
    let mut expected = upright.clone();
    let known = expected
        .values_mut()
        .chunks_exact_mut(vector)
        .all(|pose| action.apply(pose, degrees));
    known.then_some(expected)
}
