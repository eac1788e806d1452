//! Shifts: trained on digits where they are, tested on digits shifted to the right by up to 7 pixels; and how
//! consistent the answers under different shifts are.

use capsnet_data::transform::Pipeline;
use capsnet_measure::ProtocolOutcome;
use capsnet_measure::robustness::consistency;
use serde::Serialize;

use super::tester::details;
use super::{About, Protocol, Tester};
use crate::Error;

/// The largest shift, in pixels: a quarter of an image of 28.
const MOST: u8 = 7;

pub(super) struct Translate;

/// What is counted beside the tests.
#[derive(Serialize)]
struct Counted {
    /// How often the answers under two of the shifts are the same, over all pairs of them (Zhang 2019).
    consistency: Option<f64>,
}

impl Protocol for Translate {
    fn about(&self) -> About {
        About {
            name: "translate",
            source: "this library; in the spirit of Kauderer-Abrams, \"Quantifying translation-invariance in \
                     convolutional neural networks\" (2017)",
            caveat: None,
            training: Some("upright digits, where they are"),
            testing: "the test digits, shifted to the right by 0 to 7 pixels, one shift at a time",
        }
    }

    fn conditions(&self) -> Vec<Pipeline> {
        let shifted = |pixels| Pipeline::identity().then_shift(f64::from(pixels), 0.0);
        let shifts = (0..=MOST).map(shifted);
        shifts.map(|shift| shift.expect("whole pixels, and few")).collect()
    }

    fn fits_studies(&self) -> bool {
        true
    }

    fn test(&self, tester: &mut Tester) -> Result<ProtocolOutcome, Error> {
        let mut answers = Vec::new();
        let outcome = tester.test_each(&self.conditions(), &mut |evaluation| {
            answers.push(evaluation.predictions.clone())
        })?;
        let consistency = consistency(&answers);
        let note = |share: f64| {
            let share = 100.0 * share;
            format!("consistency, how often two shifts have the same answer (Zhang 2019): {share:.2} %")
        };
        Ok(ProtocolOutcome {
            notes: consistency.map(note).into_iter().collect(),
            details: details(Counted { consistency }),
            ..outcome
        })
    }
}
