//! Turning flags into what commands need: threads, a device, data, a model.

use std::fmt::Display;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::{Context, Result};
use burn::prelude::Device;
use capsnet::device::DeviceError;
use capsnet::loaded::LoadedModel;
use capsnet::model::{Architecture, Input, ModelConfig};
use capsnet::settings::{Setting, apply_to_model};
use capsnet_data::dataset::{Dataset, Split};
use capsnet_data::locate::locate;
use capsnet_data::random::Seed;
use capsnet_measure::Sample;
use clap::error::ErrorKind;
use toml::Value;

use crate::args::{ComputeArgs, DataArgs, Variant, WeightsArgs};

/// Flags that don't go together or make no sense: exit code 2.
pub(crate) fn usage(message: impl Display) -> clap::Error {
    clap::Error::raw(ErrorKind::ValueValidation, format!("{message}\n"))
}

impl ComputeArgs {
    /// Starts the worker threads and opens the device.
    pub(crate) fn start(&self) -> Result<Device> {
        start_threads(self.threads.unwrap_or(0))?;
        self.open()
    }

    /// What a command that goes on with this one's work is told: the device, where it isn't the usual one.
    pub(crate) fn words(&self) -> String {
        if self.device == "cpu" {
            String::new()
        } else {
            format!(" --device {}", self.device)
        }
    }

    /// Opens the device.
    pub(crate) fn open(&self) -> Result<Device> {
        capsnet::device::device(&self.device).map_err(|error| match error {
            DeviceError::Unknown { .. } => usage(format!("--device: {error}")).into(),
            DeviceError::Missing(_) => error.into(),
        })
    }
}

/// Starts the process's worker threads, 0 for as many as the machine has; may be called once.
///
/// The calling thread is one of them: it takes part in the kernels that it calls instead of handing them over and going
/// to sleep, which costs more than the smallest of them.
pub(crate) fn start_threads(threads: usize) -> Result<()> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .use_current_thread()
        .build_global()
        .context("can't start the worker threads")
}

impl DataArgs {
    /// Finds and reads one split of the data set, within the limit.
    pub(crate) fn load(&self, split: Split) -> Result<Dataset> {
        let folder = locate(self.dataset, &[split], self.data.as_deref())?;
        let data = Dataset::load(&folder, split)?;
        Ok(match self.limit.and_then(NonZeroUsize::new) {
            Some(limit) => data.take(limit),
            None => data,
        })
    }

    /// Finds and reads one split of the data set to test on; within a limit it is a sample.
    pub(crate) fn load_sample(&self, split: Split, seed: Seed) -> Result<(Dataset, Option<Sample>)> {
        let folder = locate(self.dataset, &[split], self.data.as_deref())?;
        let data = Dataset::load(&folder, split)?;
        Ok(match self.limit.and_then(NonZeroUsize::new) {
            Some(limit) if limit.get() < data.len() => {
                let sample = Sample {
                    of: data.len() as u64,
                    seed: seed.0,
                };
                (data.sample(limit, seed), Some(sample))
            }
            _ => (data, None),
        })
    }
}

impl Variant {
    /// The flag as a setting.
    pub(crate) fn setting(self) -> Setting {
        let name = match self {
            Variant::Paper => "paper",
            Variant::Tutorial => "tutorial",
        };
        Setting::new("variant", name).asked_as("--variant")
    }
}

/// Changes a model's configuration.
pub(crate) fn change(config: &mut ModelConfig, settings: &[Setting]) -> Result<()> {
    *config = apply_to_model(config, settings).map_err(usage)?;
    Ok(())
}

impl WeightsArgs {
    /// The weights file: the one given, or the one that comes with capsnet.
    pub(crate) fn path(&self, model: &str) -> Result<PathBuf> {
        match &self.weights {
            Some(path) => Ok(path.clone()),
            None => shipped_weights(model),
        }
    }

    /// Reads the model, as these flags want it.
    pub(crate) fn load(&self, model: &str, device: &Device) -> Result<LoadedModel> {
        let path = self.path(model)?;
        LoadedModel::load_as(&path, device, |config: &mut ModelConfig| {
            let is = config.name();
            if is != model {
                anyhow::bail!(
                    "{} holds a {is} model, not {model}; ask for `{is}`, or give other --weights",
                    path.display()
                );
            }
            self.apply(config)
        })
    }

    /// The flags as settings of a model.
    fn settings(&self) -> Vec<Setting> {
        let flag = |name: &str, value: Option<Value>| Some(Setting::new(name, value?).asked_as(format!("--{name}")));
        let iterations = self.routing_iterations.map(|number| Value::Integer(number as i64));
        let couplings = self.couplings.map(|couplings| couplings.to_string().into());
        [
            self.variant.map(Variant::setting),
            flag("routing-iterations", iterations),
            flag("couplings", couplings),
            flag(
                "routing",
                self.routing.as_ref().map(|routing| routing.to_string().into()),
            ),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Reads whichever model the file holds, as these flags want it; `usual` where no file is given.
    pub(crate) fn load_any(&self, usual: &str, device: &Device) -> Result<LoadedModel> {
        LoadedModel::load_as(&self.path(usual)?, device, |config: &mut ModelConfig| {
            self.apply(config)
        })
    }

    /// Changes what the flags say is other than in training.
    pub(crate) fn apply(&self, config: &mut ModelConfig) -> Result<()> {
        if let Some(normalize) = self.normalize {
            let input = Input {
                normalize,
                ..config.input()
            };
            config.set_input(input);
        }
        change(config, &self.settings())
    }
}

/// The weights of a model that come with capsnet.
pub(crate) fn shipped_weights(model: &str) -> Result<PathBuf> {
    capsnet::pretrained::path(model).context("--weights")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_goes_on_names_a_device_that_is_not_the_usual_one() {
        let words = |device: &str| {
            let device = device.to_owned();
            ComputeArgs {
                threads: Some(1),
                device,
            }
            .words()
        };
        assert_eq!(words("cpu"), "");
        assert_eq!(words("cuda:1"), " --device cuda:1");
    }
}
