//! Two variants of a study on the same images, seed by seed.

use serde::Serialize;

use super::{Over, mean};
use crate::interval::{Interval, student_of_differences};
use crate::paired::Paired;

/// A variant compared with another under one transform, each seed with the same seed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(into = "Fields")]
pub struct Comparison {
    /// The variant.
    pub variant: String,
    /// What it is compared with.
    pub with: String,
    /// As a specification.
    pub transform: String,
    /// Those that both variants were trained with, at least one.
    pub seeds: Vec<u64>,
    /// How both answered the same images, one a seed.
    pub paired: Vec<Paired>,
}

impl Comparison {
    /// The variant's mean accuracy less the other's, -1 to 1.
    #[must_use]
    pub fn difference(&self) -> f64 {
        mean(&self.differences())
    }

    /// The 95 % interval of that difference: by the spread of the seeds' differences (Student), or for a single seed by
    /// the images (Newcombe's for paired answers).
    #[must_use]
    pub fn interval(&self) -> (Interval, Over) {
        match student_of_differences(&self.differences()) {
            Some(interval) => (interval, Over::Seeds),
            None => (self.paired[0].interval(), Over::Images),
        }
    }

    fn differences(&self) -> Vec<f64> {
        self.paired.iter().map(Paired::difference).collect()
    }
}

/// A comparison as it is written.
#[derive(Serialize)]
struct Fields {
    variant: String,
    with: String,
    transform: String,
    seeds: Vec<u64>,
    difference: f64,
    low: f64,
    high: f64,
    interval_over: Over,
    paired: Vec<Paired>,
}

impl From<Comparison> for Fields {
    fn from(comparison: Comparison) -> Self {
        let (Interval { low, high }, interval_over) = comparison.interval();
        Self {
            difference: comparison.difference(),
            low,
            high,
            interval_over,
            variant: comparison.variant,
            with: comparison.with,
            transform: comparison.transform,
            seeds: comparison.seeds,
            paired: comparison.paired,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(first_only: &[u64]) -> Comparison {
        let paired = |&first_only: &u64| Paired {
            both: 150,
            first_only,
            second_only: 5,
            neither: 45 - first_only,
        };
        Comparison {
            variant: "a".to_owned(),
            with: "b".to_owned(),
            transform: "none".to_owned(),
            seeds: (0..first_only.len() as u64).collect(),
            paired: first_only.iter().map(paired).collect(),
        }
    }

    #[test]
    fn a_single_seed_is_compared_by_its_images() {
        let one = comparison(&[25]);
        assert_eq!(one.difference(), 0.1);
        assert_eq!(one.interval(), (one.paired[0].interval(), Over::Images));
        let json = serde_json::to_value(one).unwrap();
        assert_eq!(
            (&json["interval_over"], &json["paired"][0]["first_only"]),
            (&"images".into(), &25.into())
        );
    }

    /// Differences 0.1, 0.05 and 0.075: mean 0.075, deviation 0.025, t(2) = 4.302653.
    #[test]
    fn several_seeds_are_compared_by_their_spread() {
        let three = comparison(&[25, 15, 20]);
        let (Interval { low, high }, over) = three.interval();
        let reach = 4.302_653 * 0.025 / 3f64.sqrt();
        assert!((three.difference() - 0.075).abs() < 1e-12);
        assert!((low - (0.075 - reach)).abs() < 1e-6 && (high - (0.075 + reach)).abs() < 1e-6);
        assert_eq!(over, Over::Seeds);
    }
}
