//! Everything that determines a training run, saved complete as the run's `config.toml`.

use std::path::{Path, PathBuf};

use burn::prelude::Device;
use capsnet_data::transform::{Augment, Pipeline};
use serde::{Deserialize, Serialize};

use super::{AdamConfig, Schedule};
use crate::Error;
use crate::device::max_threads;
use crate::model::{Architecture, Defaults, ImageShape, Input, Model, ModelConfig};
use crate::protocol::Protocol;
use crate::weights;

/// Rows and columns of the images that protocols are made for.
const MNIST_SIZE: [usize; 2] = [28, 28];

/// Epochs that no training will make, and few enough for their steps to be counted.
const MAX_EPOCHS: u64 = 1_000_000_000;

/// Far more than processes that could share a batch with profit.
const MAX_MICRO_BATCHES: usize = 4096;

/// Which images are kept out of training for validation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeldOut {
    /// Those at the end of the training set.
    #[default]
    Last,
    /// A sample in equal shares by class, drawn by the run's seed: see
    /// [`stratified`](capsnet_data::dataset::stratified()).
    Stratified,
}

impl HeldOut {
    fn is_last(&self) -> bool {
        *self == Self::Last
    }
}

/// A training run: with the same data and instruction set, it leads to the same weights bit for bit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound = "")]
pub struct TrainConfig<A: Architecture = ModelConfig> {
    /// Folder of the data set, as it was found.
    #[serde(with = "super::path")]
    pub data: PathBuf,
    /// The protocol that makes the training images out of those of the folder, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<&'static dyn Protocol>,
    /// Passes over the training images.
    pub epochs: u64,
    /// Images a step.
    pub batch_size: usize,
    /// The learning rate that the schedule starts from.
    pub learning_rate: f64,
    /// How the learning rate changes.
    pub schedule: Schedule,
    /// What is done to each training image.
    pub augment: Augment,
    /// Seed of weights, order and augmentation.
    pub seed: u64,
    /// Train on the first so many images only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// So many training images are kept out of training; the best weights are chosen by them, so that the test images
    /// have no part in the choice.
    pub validation: usize,
    /// Which ones; runs from before there was a choice keep the last.
    #[serde(default, skip_serializing_if = "HeldOut::is_last")]
    pub held_out: HeldOut,
    /// Channels, height and width that all images of the data set are made to have, where those aren't their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<[usize; 3]>,
    /// Stop when so many epochs in a row brought no better validation loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience: Option<u64>,
    /// Decay of an exponential average of the weights over the steps; where there is one, the averaged weights are
    /// validated and saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average: Option<f64>,
    /// Cuts each batch into so many parts, a power of two: each is computed by itself, and their gradients are summed
    /// along a fixed tree. The weights then depend on this number, by rounding alone, and not on how many processes
    /// share the parts. Batch norm ([`layer::batch_norm`](crate::layer::batch_norm)) has its statistics over all parts.
    /// Without it a batch is computed at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub micro_batches: Option<usize>,
    /// Worker threads. On the CPU the weights don't depend on their number.
    pub threads: usize,
    /// Seconds between checkpoints within an epoch.
    pub checkpoint_seconds: u64,
    /// Steps between those noted in the run's `record/`, on which nothing depends; 0 records nothing, not even epochs.
    /// Unless said otherwise a hundredth of an epoch, at least 5 steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_steps: Option<u64>,
    /// The optimiser's constants.
    pub adam: AdamConfig,
    /// The model.
    pub model: A,
}

impl<A: Architecture> TrainConfig<A> {
    /// The settings that a model is usually trained with.
    pub fn for_model(model: A) -> Self {
        let Defaults {
            epochs,
            batch_size,
            learning_rate,
            schedule,
        } = model.usual_training();
        Self {
            data: PathBuf::new(),
            protocol: None,
            epochs,
            batch_size,
            learning_rate,
            schedule,
            augment: Pipeline::identity().then_random_shift(2).expect("a small shift").into(),
            seed: 1,
            limit: None,
            validation: 2000,
            held_out: HeldOut::Stratified,
            image: None,
            patience: None,
            average: None,
            micro_batches: None,
            threads: 0,
            checkpoint_seconds: 60,
            record_steps: None,
            adam: AdamConfig::default(),
            model,
        }
    }

    /// Trains by a protocol: with its transform of the training images, and with the size that it makes of images of
    /// the model's size, or of MNIST's if the model's was that of another protocol.
    pub fn set_protocol(&mut self, protocol: &'static dyn Protocol) {
        let ImageShape {
            channels,
            height,
            width,
        } = self.model.input().image;
        let [height, width] = protocol.size(match self.protocol {
            None => [height, width],
            Some(_) => MNIST_SIZE,
        });
        self.protocol = Some(protocol);
        let image = ImageShape {
            channels,
            height,
            width,
        };
        self.model.set_input(Input {
            image,
            ..self.model.input()
        });
        self.augment = protocol.training_transform().unwrap_or_default().into();
    }

    /// The model that a run begins with, of the weights in a file.
    ///
    /// # Errors
    ///
    /// If the file can't be read, or holds no weights of this model.
    pub fn first_model(&self, path: &Path, device: &Device) -> Result<Model<A>, Error> {
        let state = weights::file::read(path)?;
        Model::from_weights(self.model.clone(), &state, &device.clone().autodiff())
    }

    /// Whether the model is shown pairs of overlapping images, as the protocol has it.
    pub fn trains_on_pairs(&self) -> bool {
        self.protocol.is_some_and(|protocol| protocol.trains_on_pairs())
    }

    /// Checks that such a run is possible.
    ///
    /// # Errors
    ///
    /// Names the first setting at fault.
    pub fn validate(&self) -> Result<(), Error> {
        self.model.validate()?;
        require(self.epochs >= 1, "epochs", self.epochs, "at least 1 is needed")?;
        require(
            self.epochs <= MAX_EPOCHS,
            "epochs",
            self.epochs,
            &format!("at most {MAX_EPOCHS} are counted"),
        )?;
        self.validate_numbers()?;
        require(
            (1..=65_536).contains(&self.batch_size),
            "batch-size",
            self.batch_size,
            "it must be 1 to 65,536",
        )?;
        require(
            self.learning_rate.is_finite() && self.learning_rate > 0.0,
            "learning-rate",
            self.learning_rate,
            "it must be positive and finite",
        )?;
        require(
            self.seed <= i64::MAX as u64,
            "seed",
            self.seed,
            "it must be at most 9223372036854775807, the largest number of config.toml",
        )?;
        self.validate_protocol()?;
        let AdamConfig {
            beta_1,
            beta_2,
            epsilon,
        } = self.adam;
        for (field, beta) in [("adam.beta_1", beta_1), ("adam.beta_2", beta_2)] {
            require(
                (0.0..1.0).contains(&beta),
                field,
                beta,
                "a decay is 0 or more and below 1",
            )?;
        }
        require(
            epsilon.is_finite() && epsilon >= 0.0,
            "adam.epsilon",
            epsilon,
            "it must be 0 or more, and finite",
        )?;
        let average = self.average.unwrap_or(0.5);
        require(
            average > 0.0 && average < 1.0,
            "average",
            average,
            "a decay is a number between 0 and 1, for example 0.999",
        )?;
        let micro_batches = self.micro_batches.unwrap_or(1);
        require(
            micro_batches.is_power_of_two() && micro_batches <= MAX_MICRO_BATCHES,
            "micro-batches",
            micro_batches,
            &format!("it must be a power of two, at most {MAX_MICRO_BATCHES}"),
        )?;
        require(self.limit != Some(0), "limit", 0, "at least 1 image is needed")?;
        require(self.patience != Some(0), "patience", 0, "at least 1 epoch is needed")
    }

    /// Checks that so many processes can share a batch.
    ///
    /// # Errors
    ///
    /// If they can't.
    pub(super) fn validate_for(&self, ranks: usize) -> Result<(), Error> {
        let parts = self.micro_batches.unwrap_or(1);
        let counts: Vec<String> = (0..=parts.ilog2()).map(|bit| (1usize << bit).to_string()).collect();
        let counts = counts.join(", ");
        let rule = match ranks.is_power_of_two() {
            true => format!("{ranks} ranks can't share them; start {counts} ranks, or begin a run with more"),
            false => format!("{ranks} ranks can't share them evenly; start {counts} ranks"),
        };
        require(parts.is_multiple_of(ranks), "micro-batches", parts, &rule)
    }

    /// The whole numbers that aren't looked at one by one.
    fn validate_numbers(&self) -> Result<(), Error> {
        let most = max_threads();
        let rule = format!("at most {most} are started on this machine");
        require(self.threads <= most, "threads", self.threads, &rule)?;
        let numbers = [
            ("limit", self.limit.map_or(0, |limit| limit as u64)),
            ("validation", self.validation as u64),
            ("patience", self.patience.unwrap_or(0)),
            ("checkpoint-every", self.checkpoint_seconds),
            ("record-every", self.record_steps.unwrap_or(0)),
        ];
        for (field, number) in numbers {
            require(
                number <= i64::MAX as u64,
                field,
                number,
                "it must be at most 9223372036854775807, the largest number of config.toml",
            )?;
        }
        Ok(())
    }

    fn validate_protocol(&self) -> Result<(), Error> {
        let Some(protocol) = self.protocol else {
            return Ok(());
        };
        require(
            protocol.about().training.is_some(),
            "protocol",
            protocol,
            "it is one of testing; train without it, or with --protocol tutorial",
        )?;
        if !protocol.trains_on_pairs() {
            return Ok(());
        }
        require(
            self.augment == Augment::default(),
            "augment",
            &self.augment,
            &format!("{protocol} shifts its digits itself; leave --augment out"),
        )?;
        let no_pairs = self.model.no_pairs();
        require(no_pairs.is_none(), "protocol", protocol, no_pairs.unwrap_or_default())
    }

    /// The number of images to train on, out of `available`.
    ///
    /// # Errors
    ///
    /// If keeping the validation images out leaves none.
    pub fn training_images(&self, available: usize) -> Result<usize, Error> {
        let rest = available.saturating_sub(self.validation);
        let rule = format!("the training set has only {available} images");
        require(rest > 0, "validation", self.validation, &rule)?;
        Ok(self.limit.map_or(rest, |limit| limit.min(rest)))
    }
}

fn require(holds: bool, field: &'static str, value: impl ToString, rule: &str) -> Result<(), Error> {
    if holds {
        return Ok(());
    }
    Err(Error::Setting {
        field,
        value: value.to_string(),
        rule: rule.to_owned(),
    })
}
