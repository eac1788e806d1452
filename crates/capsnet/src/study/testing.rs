//! Testing a run's weights: under transforms, and by protocols.

use std::num::NonZeroUsize;
use std::path::Path;

use capsnet_data::dataset::Dataset;
use capsnet_data::random::Seed;
use capsnet_measure::study::{RobustnessRecord, TestRecord};

use super::{Event, Planned, Run, Study, StudyError};
use crate::evaluate::{Options, evaluate_under};
use crate::model::{Model, ModelConfig};
use crate::protocol::{self, Progress};
use crate::settings::apply_to_model;
use crate::weights;

/// The seed of the images that a limit leaves to test on: the same for all runs.
const TEST_SAMPLE: Seed = Seed(1);

impl Study<'_> {
    /// The model of a run's weights, as it is tested.
    fn model(&self, planned: &Planned, path: &Path) -> Result<Model, StudyError> {
        let state = capsnet_weights::read(path).map_err(crate::Error::from)?;
        let config: ModelConfig = weights::config_of(&state, path)?;
        let config = apply_to_model(&config, &planned.test)?;
        Ok(Model::from_weights(config, &state, self.device)?.valid())
    }

    /// Those of the test images that a variant is tested on.
    fn test_images(&self, planned: &Planned) -> Dataset {
        match planned.test_limit.and_then(NonZeroUsize::new) {
            Some(limit) => self.test.sample(limit, TEST_SAMPLE),
            None => self.test.clone(),
        }
    }

    /// Tests a run's weights by every protocol.
    pub(super) fn robustness(
        &self,
        run: Run,
        path: &Path,
        notify: &mut dyn FnMut(Event),
    ) -> Result<Vec<RobustnessRecord>, StudyError> {
        let planned = &self.plan.variants[run.variant];
        let (model, data) = (self.model(planned, path)?, self.test_images(planned));
        let images = |_| Ok(data.clone());
        let mut records = Vec::new();
        for protocol in &planned.protocols {
            let mut testing = |Progress { done, total, what }: Progress| {
                notify(Event::Testing { run, done, total, what });
            };
            let settings = protocol::Settings::default();
            let outcome = protocol::test(*protocol, &images, &model, self.device, &settings, &mut testing)?;
            records.push(RobustnessRecord::new(
                protocol.name(),
                data.len() as u64,
                &outcome.details,
            ));
        }
        Ok(records)
    }

    /// Tests a run's weights under every transform.
    pub(super) fn tests(
        &self,
        run: Run,
        path: &Path,
        notify: &mut dyn FnMut(Event),
    ) -> Result<Vec<TestRecord>, StudyError> {
        let planned = &self.plan.variants[run.variant];
        let (model, data) = (self.model(planned, path)?, &self.test_images(planned));
        let total = data.len() * planned.tests.len();
        let mut tests = Vec::new();
        for (number, transform) in planned.tests.iter().enumerate() {
            let what = &transform.to_string();
            let mut testing = |done: usize| {
                let done = number * data.len() + done;
                notify(Event::Testing { run, done, total, what });
            };
            let options = Options::default();
            let evaluation = evaluate_under(&model, data, transform, &options, self.device, &mut testing)?;
            if evaluation.score.loss.is_none_or(|loss| !loss.is_finite()) {
                return Err(StudyError::NotFinite);
            }
            tests.push(TestRecord {
                transform: transform.to_string(),
                score: evaluation.score,
                answers: Some(evaluation.right().collect()),
            });
        }
        notify(Event::Tested { run, tests: &tests });
        Ok(tests)
    }
}
