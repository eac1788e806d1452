//! Timing steps of training and of inference.
//!
//! Training steps are those of [`train`](crate::train::train()): a batch is prepared and augmented, the loss and its
//! gradients are computed, and Adam moves the weights. Inference prepares a batch and computes the predicted classes
//! and, where there is a decoder, its pictures of them. Batches are consecutive images.

mod job;
mod profile;

use std::time::{Duration, Instant};

use burn::prelude::Device;
use capsnet_data::dataset::Dataset;
use capsnet_measure::bench::min_and_median_ms;
pub use capsnet_measure::bench::{MachinePeak, ProfileLine, StepMode, StepProfile, StepTimes};

use self::job::Job;
pub use self::profile::machine_peak;
use self::profile::step_profile;
use crate::Error;
use crate::evaluate::check_fits;
use crate::memory::peak_megabytes;
use crate::model::{Architecture, Precision, Timing};
use crate::ops::begin_profile;
use crate::train::{Diverged, TrainConfig};

/// What is timed, and on what.
///
/// ```
/// use capsnet::bench::{Bench, StepMode};
/// use capsnet::model::{LeNet5Config, ModelConfig, Timing};
/// use capsnet::prelude::*;
///
/// let config: TrainConfig = TrainConfig {
///     batch_size: 8,
///     ..TrainConfig::for_model(LeNet5Config::default().into())
/// };
/// let bench = Bench {
///     config: &config,
///     data: &capsnet_data::embedded::digits(),
///     mode: StepMode::Infer,
///     precision: Default::default(),
///     timing: Timing { warmup: 1, group: 2, steps: 4 },
///     device: &Device::flex(),
///     device_name: "cpu",
///     profile: false,
/// };
/// let times = bench.run(&mut |_steps_done| {})?;
/// assert!(times.steps == 4 && times.median_ms >= times.min_ms && times.loss_last.is_none());
/// # Ok::<(), capsnet::bench::BenchError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Bench<'a> {
    /// The training whose steps these are: model, batch size, augmentation, learning rate, seed.
    pub config: &'a TrainConfig,
    /// The images.
    pub data: &'a Dataset,
    /// What a step does.
    pub mode: StepMode,
    /// How the weights of inference are kept; those of training are always in f32.
    pub precision: Precision,
    /// How many steps there are before the clock runs, in a block that is timed as one, and in all; these are rounded
    /// up to whole blocks.
    pub timing: Timing,
    /// What computes.
    pub device: &'a Device,
    /// And its name.
    pub device_name: &'a str,
    /// Whether to say where the time goes, too. Only the CPU's kernels are told apart.
    pub profile: bool,
}

/// Why nothing was timed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// More images in a batch than there are.
    #[error("a batch of {batch_size} is more than the {images} images that there are")]
    TooFewImages {
        /// Images a step.
        batch_size: usize,
        /// Images that there are.
        images: usize,
    },
    /// Training with anything but f32.
    #[error("training computes in f32; bf16 is for the weights of inference")]
    Precision,
    /// A loss or a gradient that is not finite.
    #[error("the training diverged: {0} is not finite")]
    Diverged(Diverged),
    /// Images that the model can't take, or a model that can't be made.
    #[error(transparent)]
    Model(#[from] Error),
}

impl Bench<'_> {
    /// How many steps are made in all, those before the clock runs included.
    pub fn steps(&self) -> usize {
        let Timing { warmup, group, steps } = self.timing;
        warmup + steps.div_ceil(group) * group
    }

    /// Makes the steps and times them; `progress` is told the number of steps done, those before the clock runs
    /// included.
    ///
    /// # Errors
    ///
    /// [`BenchError`].
    ///
    /// # Panics
    ///
    /// If a block has no steps.
    pub fn run(&self, progress: &mut dyn FnMut(usize)) -> Result<StepTimes, BenchError> {
        let (config, data) = (self.config, self.data);
        check_fits(data, config.model.input())?;
        if config.batch_size > data.len() {
            return Err(BenchError::TooFewImages {
                batch_size: config.batch_size,
                images: data.len(),
            });
        }
        if self.mode == StepMode::Train && self.precision != Precision::F32 {
            return Err(BenchError::Precision);
        }
        let Timing { warmup, group, steps } = self.timing;
        let blocks = steps.div_ceil(group);
        let mut job = Job::new(config, data, self.mode, self.precision, self.device)?;
        let parameters = job.parameters();
        let (mut first, mut last) = (None, None);
        let mut step = || {
            last = job.step()?;
            first = first.or(last);
            Ok::<(), BenchError>(())
        };
        for done in 0..warmup {
            step()?;
            progress(done + 1);
        }
        let profiled = self.profile.then(begin_profile);
        let mut times: Vec<Duration> = Vec::with_capacity(blocks);
        for block in 1..=blocks {
            let begin = Instant::now();
            for _ in 0..group {
                step()?;
            }
            times.push(begin.elapsed());
            progress(warmup + block * group);
        }
        // Measuring the machine takes memory of its own.
        let peak_rss_mb = peak_megabytes();
        let profile = profiled.map(|()| step_profile(times.iter().sum(), blocks * group));
        let [min_ms, median_ms] = min_and_median_ms(&times, group);
        Ok(StepTimes {
            model: config.model.name().to_owned(),
            mode: self.mode,
            precision: self.precision.to_string(),
            parameters,
            dataset: data.name().to_owned(),
            augment: config.augment.to_string(),
            batch_size: config.batch_size,
            device: self.device_name.to_owned(),
            threads: rayon::current_num_threads(),
            instruction_set: capsnet_kernels::instruction_set(),
            version: env!("CARGO_PKG_VERSION"),
            warmup,
            steps: blocks * group,
            group,
            min_ms,
            median_ms,
            images_per_s: config.batch_size as f64 * 1e3 / median_ms,
            peak_rss_mb,
            loss_first: first,
            loss_last: last,
            profile,
        })
    }
}
