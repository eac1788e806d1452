//! From the records of a study's runs to its figures: means over seeds, with intervals.

use capsnet_report::{Interval, student, wilson};
use serde::Serialize;

use super::plan::{Origin, Planned};
use super::record::Record;

/// A study, as `results.json` and `--json` have it.
#[derive(Debug, Serialize)]
pub struct Outcome {
    pub title: String,
    pub about: String,
    pub dataset: String,
    /// Whether all runs are done.
    pub complete: bool,
    pub variants: Vec<VariantOutcome>,
}

/// One variant; without seeds if none of its runs is done.
#[derive(Debug, Serialize)]
pub struct VariantOutcome {
    pub name: String,
    pub note: String,
    pub model: &'static str,
    /// The variant whose weights these are, if not its own.
    pub weights_of: Option<String>,
    pub parameters: usize,
    pub seeds: Vec<u64>,
    /// Of training, one a seed.
    pub seconds: Vec<f64>,
    /// One a seed.
    pub epochs: Vec<f64>,
    pub tests: Vec<TestOutcome>,
}

/// A variant under one transform.
#[derive(Debug, Serialize)]
pub struct TestOutcome {
    pub transform: String,
    /// Tested by each run.
    pub images: usize,
    /// One a seed.
    pub accuracies: Vec<f64>,
    /// Their mean.
    pub accuracy: f64,
    pub low: f64,
    pub high: f64,
    /// What the interval speaks of: `seeds` (Student) or, for a single seed, `images` (Wilson).
    pub interval_over: &'static str,
}

impl VariantOutcome {
    /// Sums the runs of a variant up.
    pub fn new(plan: &[Planned], planned: &Planned, records: &[Record]) -> Self {
        let tests = records.first().map_or(0, |record| record.tests.len());
        Self {
            name: planned.name.clone(),
            note: planned.note.clone(),
            model: planned.model.name(),
            weights_of: match planned.origin {
                Origin::WeightsOf(of) => Some(plan[of].name.clone()),
                Origin::Trained { .. } => None,
            },
            parameters: records.first().map_or(0, |record| record.parameters),
            seeds: records.iter().map(|record| record.seed).collect(),
            seconds: records.iter().map(|record| record.seconds).collect(),
            epochs: records.iter().map(|record| record.epochs).collect(),
            tests: (0..tests).map(|test| TestOutcome::new(records, test)).collect(),
        }
    }
}

impl TestOutcome {
    fn new(records: &[Record], test: usize) -> Self {
        let first = &records[0].tests[test];
        let accuracies: Vec<f64> = records.iter().map(|record| record.tests[test].accuracy()).collect();
        let accuracy = mean(&accuracies);
        let (Interval { low, high }, interval_over) = match student(&accuracies) {
            Some(interval) => (interval, "seeds"),
            None => (wilson(first.correct, first.images as u64), "images"),
        };
        Self {
            transform: first.transform.clone(),
            images: first.images,
            accuracies,
            accuracy,
            low,
            high,
            interval_over,
        }
    }
}

/// Of at least one value.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::super::record::TestRecord;
    use super::*;

    fn record(seed: u64, correct: u64) -> Record {
        Record {
            seed,
            parameters: 7,
            epochs: 2.0,
            seconds: 1.5,
            threads: 2,
            budget_seconds: None,
            settings: String::new(),
            test_settings: String::new(),
            tests: vec![TestRecord {
                transform: "none".to_owned(),
                images: 200,
                correct,
                loss: 0.1,
            }],
        }
    }

    #[test]
    fn several_seeds_have_students_interval() {
        let test = TestOutcome::new(&[record(1, 180), record(2, 190), record(3, 188)], 0);
        assert_eq!(test.accuracies, [0.9, 0.95, 0.94]);
        // Mean 0.93, deviation sqrt((0.0009 + 0.0004 + 0.0001) / 2), t(2) = 4.302653.
        let reach = 4.302_653 * (0.0007f64 / 3.0).sqrt();
        assert!((test.accuracy - 0.93).abs() < 1e-12);
        assert!((test.low - (0.93 - reach)).abs() < 1e-6 && (test.high - (0.93 + reach)).abs() < 1e-6);
        assert_eq!(test.interval_over, "seeds");
    }

    /// Wilson's ends solve `|p - q| = z sqrt(q (1 - q) / n)`.
    #[test]
    fn a_single_seed_has_wilsons_interval() {
        let test = TestOutcome::new(&[record(1, 180)], 0);
        assert_eq!((test.accuracy, test.interval_over), (0.9, "images"));
        for q in [test.low, test.high] {
            assert!(((0.9 - q).abs() - 1.959964 * (q * (1.0 - q) / 200.0).sqrt()).abs() < 1e-6);
        }
    }
}
