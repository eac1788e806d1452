//! A study: variants of models, trained with several seeds and tested under several transforms.

mod comparison;
mod robustness;

use serde::{Deserialize, Serialize};

pub use comparison::Comparison;
pub use robustness::{Robustness, RobustnessRecord};

use crate::answers::Answers;
use crate::interval::{Interval, student};
use crate::score::Score;

/// A study's results.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Its heading.
    pub title: String,
    /// What it is for.
    pub about: String,
    /// The data set's name.
    pub dataset: String,
    /// What its classes are called, in the order of their labels.
    pub classes: Vec<String>,
    /// Whether all runs are done.
    pub complete: bool,
    /// In the order of the declaration.
    pub variants: Vec<VariantOutcome>,
    /// Every other variant beside the first one, where both answered the same images and the answers are known.
    pub comparisons: Vec<Comparison>,
}

/// One variant; without seeds if none of its runs is done.
#[derive(Debug, Serialize)]
pub struct VariantOutcome {
    /// What it is called.
    pub name: String,
    /// What is to be said of it.
    pub note: String,
    /// The kind of network.
    pub model: String,
    /// The variant whose weights these are, if not its own.
    pub weights_of: Option<String>,
    /// Trainable parameters.
    pub parameters: usize,
    /// One a run.
    pub seeds: Vec<u64>,
    /// Of training, one a seed.
    pub seconds: Vec<f64>,
    /// Passes over the training images, one a seed; not whole where time ended a run.
    pub epochs: Vec<f64>,
    /// One a transform.
    pub tests: Vec<TestOutcome>,
    /// One a figure of the protocols that were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub robustness: Vec<Robustness>,
}

/// What one run came to under one transform.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestRecord {
    /// As a specification.
    pub transform: String,
    /// Of the run's last weights.
    #[serde(flatten)]
    pub score: Score,
    /// Which images were right; unknown of runs that were tested by earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<Answers>,
}

/// A variant under one transform.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(into = "TestFields")]
pub struct TestOutcome {
    /// As a specification.
    pub transform: String,
    /// One a seed, at least one.
    pub scores: Vec<Score>,
}

/// What an interval speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// How far the mean would move with other seeds: Student's interval.
    Seeds,
    /// How far the accuracy of a single seed would move with other test images: Wilson's interval.
    Images,
}

impl TestOutcome {
    /// One a seed.
    #[must_use]
    pub fn accuracies(&self) -> Vec<f64> {
        self.scores.iter().map(Score::accuracy).collect()
    }

    /// The mean of the accuracies.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        mean(&self.accuracies())
    }

    /// The interval of that mean, and what it speaks of.
    #[must_use]
    pub fn interval(&self) -> (Interval, Over) {
        match student(&self.accuracies()) {
            Some(interval) => (interval, Over::Seeds),
            None => (self.scores[0].interval(), Over::Images),
        }
    }
}

/// The mean of at least one value.
#[must_use]
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// A variant under one transform, as it is written.
#[derive(Serialize)]
struct TestFields {
    transform: String,
    /// Tested by each run.
    images: u64,
    accuracies: Vec<f64>,
    accuracy: f64,
    low: f64,
    high: f64,
    interval_over: Over,
}

impl From<TestOutcome> for TestFields {
    fn from(test: TestOutcome) -> Self {
        let (Interval { low, high }, interval_over) = test.interval();
        Self {
            images: test.scores[0].images,
            accuracies: test.accuracies(),
            accuracy: test.accuracy(),
            low,
            high,
            interval_over,
            transform: test.transform,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(correct: &[u64]) -> TestOutcome {
        TestOutcome {
            transform: "none".to_owned(),
            scores: correct.iter().map(|&correct| Score::new(200, correct)).collect(),
        }
    }

    #[test]
    fn several_seeds_have_students_interval() {
        let json = serde_json::to_value(outcome(&[180, 190, 188])).unwrap();
        assert_eq!(json["accuracies"], serde_json::json!([0.9, 0.95, 0.94]));
        // Mean 0.93, deviation sqrt((0.0009 + 0.0004 + 0.0001) / 2), t(2) = 4.302653.
        let reach = 4.302_653 * (0.0007f64 / 3.0).sqrt();
        let number = |name: &str| json[name].as_f64().unwrap();
        assert!((number("accuracy") - 0.93).abs() < 1e-12);
        assert!((number("low") - (0.93 - reach)).abs() < 1e-6 && (number("high") - (0.93 + reach)).abs() < 1e-6);
        assert_eq!(json["interval_over"], "seeds");
    }

    /// Wilson's ends solve `|p - q| = z sqrt(q (1 - q) / n)`.
    #[test]
    fn a_single_seed_has_wilsons_interval() {
        let test = outcome(&[180]);
        let (Interval { low, high }, over) = test.interval();
        assert_eq!((test.accuracy(), over), (0.9, Over::Images));
        for q in [low, high] {
            assert!(((0.9 - q).abs() - 1.959964 * (q * (1.0 - q) / 200.0).sqrt()).abs() < 1e-6);
        }
    }
}
