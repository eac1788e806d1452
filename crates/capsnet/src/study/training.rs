//! The training of one run of a study, until its epochs or its time end.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use capsnet_weights::FloatDtype;

use super::execute::{Event, Study};
use super::record::{Record, begin, expect_same};
use super::{Run, StudyError};
use crate::model::Classifier;
use crate::train::{self, Ending, RunFolder, Summary, TrainConfig, train};
use crate::weights;

/// A run that is trained, not tested.
pub(super) struct Training<'a> {
    pub(super) study: &'a Study<'a>,
    pub(super) run: Run,
    pub(super) config: TrainConfig,
    /// Seconds that it may take, if time ends it.
    pub(super) budget: Option<f64>,
}

impl Training<'_> {
    /// The record of the training, without tests: what is known of it, or what it comes to now.
    pub(super) fn record(
        &self,
        folder: &Path,
        known: Option<&Record>,
        stop: &AtomicBool,
        notify: &mut dyn FnMut(Event),
    ) -> Result<Option<Record>, StudyError> {
        let wanted = self.study.settings(&self.config, self.run.seed);
        if let Some(known) = known {
            let seconds = |budget: Option<f64>| format!("{budget:?} seconds of training");
            expect_same(folder, &seconds(known.budget_seconds), &seconds(self.budget))?;
            return Ok(Some(known.clone()));
        }
        let folder = if folder.join("config.toml").is_file() {
            let (folder, there): (RunFolder, TrainConfig) = RunFolder::open(folder)?;
            expect_same(folder.root(), &self.study.settings(&there, there.seed), &wanted)?;
            folder
        } else {
            let folder = RunFolder::create(folder, &self.config)?;
            begin(folder.root(), &wanted)?;
            folder
        };
        let summary = self.train(&folder, stop, notify)?;
        notify(Event::Trained(self.run));
        if summary.ending == Ending::Interrupted {
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            weights::save(&summary.model, &folder.last_path(), FloatDtype::F32, &[])?;
        }
        let images = self.config.training_images(self.study.train.len())?;
        let steps_an_epoch = images.div_ceil(self.config.batch_size);
        Ok(Some(Record {
            seed: self.run.seed,
            parameters: summary.model.parameters(),
            epochs: summary.position.step as f64 / steps_an_epoch as f64,
            seconds: summary.position.seconds + summary.position.epoch_seconds,
            threads: self.config.threads,
            budget_seconds: self.budget,
            settings: wanted,
            test_settings: String::new(),
            tests: Vec::new(),
            robustness: Vec::new(),
        }))
    }

    /// Trains to the end of the epochs or of the time.
    fn train(
        &self,
        folder: &RunFolder,
        stop: &AtomicBool,
        notify: &mut dyn FnMut(Event),
    ) -> Result<Summary, StudyError> {
        let enough = AtomicBool::new(stop.load(Ordering::Relaxed));
        let (run, batch_size, epochs) = (self.run, self.config.batch_size, self.config.epochs as usize);
        let mut images = 0;
        let mut on_event = |event: train::Event| match event {
            train::Event::Started { images: total, .. } => images = total,
            train::Event::Step {
                position,
                images_done,
                loss,
            } => {
                let seconds = position.seconds + position.epoch_seconds;
                if stop.load(Ordering::Relaxed) || self.budget.is_some_and(|budget| seconds >= budget) {
                    enough.store(true, Ordering::Relaxed);
                }
                // A run that time ends has no number of images; its seconds are what progresses.
                let (unit, total, done) = match self.budget {
                    Some(budget) => ("second", budget.ceil() as usize, seconds as usize),
                    None => ("image", images * epochs, position.epoch as usize * images + images_done),
                };
                notify(Event::Training {
                    run,
                    done,
                    total,
                    unit,
                    batch_size,
                    loss,
                });
            }
            train::Event::Notice(notice) => notify(Event::Notice { run, notice }),
            train::Event::Noted(_) | train::Event::Seen(_) | train::Event::Epoch(_) | train::Event::Checkpoint => {}
        };
        let study = self.study;
        let summary = train(&self.config, study.train, folder, study.device, &enough, &mut on_event)?;
        Ok(summary)
    }
}
