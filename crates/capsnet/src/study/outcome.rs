//! From the records of a study's runs to its figures.

use capsnet_data::protocol::Change;
use capsnet_measure::Paired;
use capsnet_measure::study::{Comparison, Outcome, Robustness, TestOutcome, VariantOutcome};

use super::{Origin, Plan, Planned, Record};
use crate::model::Architecture;

impl Plan {
    /// What the records come to, those of each variant in the order of its seeds, on a data set of this name and these
    /// classes.
    pub fn outcome(&self, records: &[Vec<Record>], dataset: &str, classes: &[String]) -> Outcome {
        let variants = self.variants.iter().zip(records).enumerate();
        let done: usize = records.iter().map(Vec::len).sum();
        let comparisons = (1..records.len()).flat_map(|number| self.comparisons(number, records));
        Outcome {
            comparisons: comparisons.collect(),
            title: self.title.clone(),
            about: self.about.clone(),
            dataset: dataset.to_owned(),
            classes: classes.to_vec(),
            complete: done == self.runs().len(),
            variants: variants
                .map(|(number, (planned, records))| self.variant_outcome(number, planned, records))
                .collect(),
        }
    }

    /// A variant beside the first one, a transform at a time.
    fn comparisons(&self, number: usize, records: &[Vec<Record>]) -> Vec<Comparison> {
        let transforms = self.variants[number].tests.iter().map(Change::to_string);
        let comparison = |transform: String| {
            let (seeds, paired): (Vec<u64>, Vec<Paired>) = records[number]
                .iter()
                .filter_map(|record| {
                    let other = records[0].iter().find(|other| other.seed == record.seed)?;
                    Some((record.seed, paired(record, other, &transform)?))
                })
                .unzip();
            (!seeds.is_empty()).then(|| Comparison {
                variant: self.variants[number].name.clone(),
                with: self.variants[0].name.clone(),
                transform,
                seeds,
                paired,
            })
        };
        transforms.filter_map(comparison).collect()
    }

    fn variant_outcome(&self, number: usize, planned: &Planned, records: &[Record]) -> VariantOutcome {
        let tests = records.first().map_or(0, |record| record.tests.len());
        let outcome = |test: usize| TestOutcome {
            transform: records[0].tests[test].transform.clone(),
            scores: records.iter().map(|record| record.tests[test].score).collect(),
        };
        let robustness: Vec<_> = records.iter().map(|record| &record.robustness[..]).collect();
        VariantOutcome {
            robustness: Robustness::of(&robustness),
            name: planned.name.clone(),
            note: planned.note.clone(),
            model: self.trained_model(number).name().to_owned(),
            weights_of: match planned.origin {
                Origin::WeightsOf(of) => Some(self.variants[of].name.clone()),
                Origin::Trained { .. } => None,
            },
            parameters: records.first().map_or(0, |record| record.parameters),
            seeds: records.iter().map(|record| record.seed).collect(),
            seconds: records.iter().map(|record| record.seconds).collect(),
            epochs: records.iter().map(|record| record.epochs).collect(),
            tests: (0..tests).map(outcome).collect(),
        }
    }
}

/// How two runs answered the same images, if both were shown them and the answers are known.
fn paired(record: &Record, other: &Record, transform: &str) -> Option<Paired> {
    let of = |record: &Record| {
        let test = record.tests.iter().find(|test| test.transform == transform)?;
        let answers = test.answers.clone()?;
        let images = test.score.images;
        answers.can_be_of(images).then_some((images, answers))
    };
    let ((images, answers), (others, other)) = (of(record)?, of(other)?);
    (images == others).then(|| answers.paired(&other, images))
}
