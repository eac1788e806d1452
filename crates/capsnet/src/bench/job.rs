//! What a timed step does: exactly what `capsnet train` does with a batch, or what answering takes.

use burn::prelude::Device;
use capsnet_data::dataset::Dataset;
use capsnet_data::random::Seed;

use super::{BenchError, StepMode};
use crate::Error;
use crate::batch::{Batch, Batcher};
use crate::model::{Architecture, Classifier, FrozenModel, Model, Network, Precision};
use crate::ops::{Way, timed};
use crate::train::{Adam, TrainConfig, train_step};

/// A model at work on one batch of consecutive images after the other, around the data set again and again.
pub(super) struct Job<'a> {
    batcher: Batcher<'a>,
    device: Device,
    work: Work,
    images: usize,
    batch_size: usize,
    epoch: u64,
    next: usize,
}

// There is one of these in a process.
#[allow(clippy::large_enum_variant)]
enum Work {
    Train {
        /// Taken out for the duration of a step, so that its weights have one owner and can be updated in place.
        model: Option<Model>,
        adam: Adam,
        learning_rate: f64,
    },
    Infer(FrozenModel),
}

impl<'a> Job<'a> {
    /// A new model, and `data` in batches as `config` says.
    pub(super) fn new(
        config: &'a TrainConfig,
        data: &'a Dataset,
        mode: StepMode,
        precision: Precision,
        device: &Device,
    ) -> Result<Self, Error> {
        let seed = Seed(config.seed);
        let device = match mode {
            StepMode::Train => device.clone().autodiff(),
            StepMode::Infer => device.clone(),
        };
        let model = Model::new(config.model.clone(), seed, &device)?;
        let work = match mode {
            StepMode::Train => Work::Train {
                model: Some(model),
                adam: Adam::new(config.adam),
                learning_rate: config.learning_rate,
            },
            StepMode::Infer => Work::Infer(FrozenModel::with_precision(&model, precision)),
        };
        Ok(Self {
            batcher: Batcher::new(data, &config.augment, config.model.input().normalize, seed),
            device,
            work,
            images: data.len(),
            batch_size: config.batch_size,
            epoch: 0,
            next: 0,
        })
    }

    /// The number of trainable parameters.
    pub(super) fn parameters(&self) -> usize {
        match &self.work {
            Work::Train { model, .. } => model.as_ref().expect("the model is back after every step").parameters(),
            Work::Infer(model) => model.model().parameters(),
        }
    }

    /// One step, the preparation of its images included; the loss, if it trains.
    pub(super) fn step(&mut self) -> Result<Option<f64>, BenchError> {
        let batch = self.next_batch();
        match &mut self.work {
            Work::Train {
                model,
                adam,
                learning_rate,
            } => {
                let taken = model.take().expect("the model is back after every step");
                let (moved, outcome) = train_step(taken, adam, *learning_rate, batch).map_err(BenchError::Diverged)?;
                *model = Some(moved);
                Ok(Some(outcome.loss))
            }
            Work::Infer(model) => {
                infer(model, batch);
                Ok(None)
            }
        }
    }

    /// The next images; those left at the end of the data set that make no full batch are passed over.
    fn next_batch(&mut self) -> Batch {
        if self.next + self.batch_size > self.images {
            self.epoch += 1;
            self.next = 0;
        }
        let indices: Vec<usize> = (self.next..self.next + self.batch_size).collect();
        self.next += self.batch_size;
        timed("preparing images", Way::Forward, 0.0, || {
            self.batcher.batch(self.epoch, &indices, &self.device)
        })
    }
}

/// The predicted classes and, where there is a decoder, its pictures of them, fetched from the device.
fn infer(model: &FrozenModel, batch: Batch) {
    let output = model.forward(batch.images);
    let predictions = output.predictions();
    let pictures = model.model().reconstruct(&output, predictions.clone());
    std::hint::black_box((predictions.into_data(), pictures.map(|pictures| pictures.into_data())));
}
