//! What the runs of a study come to by protocols that test alone: corruptions, shifts, perturbations.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::mean;
use crate::interval::{Interval, student_of_ratios};

/// Figures of a study's table, in its order: the name that protocols write them under, and their heading.
const FIGURES: [(&str, &str); 5] = [
    ("mean_corruption_error", "mean corruption error"),
    ("relative_mean_corruption_error", "relative corruption error"),
    ("mean_flip_rate", "mean flip rate"),
    ("mean_flip_probability", "mean flip probability"),
    ("consistency", "consistency"),
];

/// What one run came to by one protocol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RobustnessRecord {
    /// The protocol's name.
    pub protocol: String,
    /// Test images.
    pub images: u64,
    /// The model that errors are held against, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The figures that exist, by their names.
    pub figures: BTreeMap<String, f64>,
}

impl RobustnessRecord {
    /// Of what a protocol counted, by its own names; see
    /// [`ProtocolOutcome::details`](crate::ProtocolOutcome::details).
    #[must_use]
    pub fn new(protocol: &str, images: u64, counted: &Map<String, Value>) -> Self {
        let figure = |(name, _): (&str, &str)| Some((name.to_owned(), counted.get(name)?.as_f64()?));
        let reference = counted.get("reference").and_then(Value::as_str);
        Self {
            protocol: protocol.to_owned(),
            images,
            reference: reference.map(str::to_owned),
            figures: FIGURES.into_iter().filter_map(figure).collect(),
        }
    }
}

/// A variant by one figure of a protocol.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Robustness {
    /// The protocol's name.
    pub protocol: String,
    /// The figure's name: "mean_corruption_error".
    pub figure: String,
    /// Its heading: "mean corruption error".
    #[serde(skip)]
    pub title: &'static str,
    /// The model that is 100 %, where there is one.
    pub reference: Option<String>,
    /// One a seed, at least one.
    pub values: Vec<f64>,
    /// Their mean.
    pub mean: f64,
    /// Of the mean, by the spread of the seeds; `None` for a single one.
    pub interval: Option<Interval>,
}

impl Robustness {
    /// The figures that all runs of a variant have, in the order of the table; `records` are a run's each.
    #[must_use]
    pub fn of(records: &[&[RobustnessRecord]]) -> Vec<Self> {
        let figure = |(name, title): (&str, &'static str)| {
            let of_run = |records: &&[RobustnessRecord]| {
                records
                    .iter()
                    .find_map(|record| Some((record.clone(), *record.figures.get(name)?)))
            };
            let found: Option<Vec<_>> = records.iter().map(of_run).collect();
            let found = found.filter(|found| !found.is_empty())?;
            let values: Vec<f64> = found.iter().map(|(_, value)| *value).collect();
            Some(Self {
                protocol: found[0].0.protocol.clone(),
                figure: name.to_owned(),
                title,
                reference: found[0].0.reference.clone(),
                mean: mean(&values),
                interval: student_of_ratios(&values),
                values,
            })
        };
        FIGURES.into_iter().filter_map(figure).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(error: f64) -> RobustnessRecord {
        let counted = json!({
            "mean_corruption_error": error, "relative_mean_corruption_error": null, "reference": "LeNet-5",
            "mean_accuracy": 0.9,
        });
        RobustnessRecord::new("corruptions", 40, counted.as_object().unwrap())
    }

    /// Errors of 1.1 and 1.3 times the reference's: t(1) = 12.7062 times half their distance.
    #[test]
    fn figures_are_means_over_the_seeds_and_may_be_more_than_one() {
        let runs = [[record(1.1)], [record(1.3)]];
        let found = Robustness::of(&[&runs[0], &runs[1]]);
        let [error] = &found[..] else { panic!("{found:?}") };
        assert_eq!(
            (error.title, error.reference.as_deref()),
            ("mean corruption error", Some("LeNet-5"))
        );
        assert!((error.mean - 1.2).abs() < 1e-12);
        let interval = error.interval.unwrap();
        assert!(
            interval.low == 0.0 && (interval.high - (1.2 + 12.7062 * 0.1)).abs() < 1e-4,
            "{interval:?}"
        );
        assert_eq!(Robustness::of(&[&runs[0]])[0].interval, None);
        // A figure that one run lacks is no figure of the variant.
        assert!(Robustness::of(&[&runs[0], &[]]).is_empty());
        assert!(Robustness::of(&[]).is_empty());
    }

    #[test]
    fn records_read_back() {
        let text = serde_json::to_string(&record(0.5)).unwrap();
        assert_eq!(serde_json::from_str::<RobustnessRecord>(&text).unwrap(), record(0.5));
        assert!(!text.contains("relative"), "what doesn't exist is left out: {text}");
    }
}
