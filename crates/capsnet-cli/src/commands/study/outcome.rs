//! From the records of a study's runs to its figures.

use capsnet::model::Architecture;
use capsnet_measure::study::{TestOutcome, VariantOutcome};

use super::plan::{Origin, Planned};
use super::record::Record;

/// Sums the runs of a variant up.
pub fn variant_outcome(plan: &[Planned], planned: &Planned, records: &[Record]) -> VariantOutcome {
    let tests = records.first().map_or(0, |record| record.tests.len());
    let outcome = |test: usize| TestOutcome {
        transform: records[0].tests[test].transform.clone(),
        scores: records.iter().map(|record| record.tests[test].score).collect(),
    };
    VariantOutcome {
        name: planned.name.clone(),
        note: planned.note.clone(),
        model: planned.model.name().to_owned(),
        weights_of: match planned.origin {
            Origin::WeightsOf(of) => Some(plan[of].name.clone()),
            Origin::Trained { .. } => None,
        },
        parameters: records.first().map_or(0, |record| record.parameters),
        seeds: records.iter().map(|record| record.seed).collect(),
        seconds: records.iter().map(|record| record.seconds).collect(),
        epochs: records.iter().map(|record| record.epochs).collect(),
        tests: (0..tests).map(outcome).collect(),
    }
}
