//! Turning flags into what commands need: threads, a device, a model.

use std::fmt::Display;

use anyhow::{Context, Result};
use burn::prelude::Device;
use capsnet::device::{DeviceError, ThreadsError};
use capsnet::loaded::LoadedModel;
use capsnet::model::{Architecture, Input, ModelConfig};
use capsnet::pretrained;
use capsnet::settings::{Setting, apply_to_model};
use capsnet::train::TrainConfig;
use capsnet_onnx::{AnyModel, OnnxClassifier, starts_as_onnx};
use clap::error::ErrorKind;
use toml::Value;

use crate::args::{ComputeArgs, Variant, WeightsArgs};
use crate::output::note;

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

    /// Checks that a training on so many images can fit into the memory that is free, where that is what computes.
    pub(crate) fn check_memory(&self, config: &TrainConfig, images: usize) -> Result<()> {
        if self.device == "cpu" {
            capsnet::memory::check_memory(config, images)?;
        }
        Ok(())
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
pub(crate) fn start_threads(threads: usize) -> Result<()> {
    capsnet::device::start_threads(threads).map_err(|error| match error {
        ThreadsError::TooMany { .. } => usage(format!("--threads: {error}")).into(),
        ThreadsError::Pool(_) => error.into(),
    })
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

    /// The flag as settings of a model whose weights are there: these tell whether a batch norm stands before the first
    /// layer, which the original of the tutorial's code lacks.
    pub(crate) fn of_weights(self, config: &ModelConfig) -> Vec<Setting> {
        let mut settings = vec![self.setting()];
        if let ModelConfig::CapsNet(config) = config {
            settings.push(Setting::new("model.input_batch_norm", config.input_batch_norm).asked_as("--variant"));
        }
        settings
    }
}

/// Changes a model's configuration.
pub(crate) fn change(config: &mut ModelConfig, settings: &[Setting]) -> Result<()> {
    *config = apply_to_model(config, settings).map_err(usage)?;
    Ok(())
}

impl WeightsArgs {
    /// Reads the model, as these flags want it.
    pub(crate) fn load(&self, model: &str, device: &Device) -> Result<LoadedModel> {
        self.read(model, device, |config, from| {
            let is = config.name();
            if is != model {
                anyhow::bail!("{from} holds a {is} model, not {model}; ask for `{is}`, or give other --weights");
            }
            self.apply(config)
        })
    }

    /// Reads the file that is given, or else the weights of `usual` that come with capsnet, and says which.
    fn read(
        &self,
        usual: &str,
        device: &Device,
        change: impl FnOnce(&mut ModelConfig, &str) -> Result<()>,
    ) -> Result<LoadedModel> {
        let (model, from) = match &self.weights {
            Some(file) => {
                let from = file.path.display().to_string();
                let model = LoadedModel::load_as(&file.path, device, |config| change(config, &from))?;
                let name = file.name.clone().unwrap_or_else(|| model.entry.label.clone());
                (model.called(name), from)
            }
            None => {
                let found = pretrained::find(usual)?;
                let from = found.place.to_string();
                let model = LoadedModel::pretrained_as(&found, device, |config| change(config, &from))?;
                (model, from)
            }
        };
        say_weights([(model.entry.label.as_str(), from)]);
        if self.variant.is_none() && self.routing.is_none() {
            say_guess(&model);
        }
        Ok(model)
    }

    /// The other flags as settings of a model.
    fn settings(&self) -> Vec<Setting> {
        let flag = |name: &str, value: Option<Value>| Some(Setting::new(name, value?).asked_as(format!("--{name}")));
        let iterations = self.routing_iterations.map(|number| Value::Integer(number as i64));
        let couplings = self.couplings.map(|couplings| couplings.to_string().into());
        [
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

    /// The same of whatever can be measured: of no model in particular where none is named, and of an ONNX model where
    /// the file is one.
    pub(crate) fn any(&self, model: Option<&str>, usual: &str, device: &Device) -> Result<AnyModel> {
        let Some(file) = self.weights.as_ref().filter(|file| starts_as_onnx(&file.path)) else {
            let loaded = match model {
                Some(model) => self.load(model, device),
                None => self.load_any(usual, device),
            };
            return loaded.map(AnyModel::from);
        };
        let from = file.path.display();
        if let Some(model) = model {
            return Err(usage(format!(
                "--weights: {from} is an ONNX model, not {model}; leave {model} out"
            ))
            .into());
        }
        if self.variant.is_some() || !self.settings().is_empty() {
            let message = format!("--weights: {from} is an ONNX model, which has its routing in it and no variant");
            return Err(usage(message).into());
        }
        let model = OnnxClassifier::load(&file.path, self.normalize).context("--weights")?;
        let entry = model.entry(file.label());
        say_weights([(entry.label.as_str(), from.to_string())]);
        Ok(AnyModel::Onnx(model, entry))
    }

    /// Reads whichever model the file holds, as these flags want it; `usual` where no file is given.
    pub(crate) fn load_any(&self, usual: &str, device: &Device) -> Result<LoadedModel> {
        self.read(usual, device, |config, _| self.apply(config))
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
        let variant = self.variant.map(|variant| variant.of_weights(config));
        let settings: Vec<_> = variant.into_iter().flatten().chain(self.settings()).collect();
        change(config, &settings)
    }
}

/// Says that the variant of a CapsNet was guessed, where nothing tells it.
pub(crate) fn say_guess(model: &LoadedModel) {
    if let ModelConfig::CapsNet(config) = &model.model.config
        && !model.described
        && !config.input_batch_norm
    {
        note(format_args!(
            "{} doesn't say which CapsNet it is; it is read as the paper's. For weights of the tutorial's code, or of \
             the code that it copied, give --variant tutorial, or note it in the file by `capsnet convert --variant \
             tutorial`",
            model.path.display()
        ));
    }
}

/// Says which weights are used.
pub(crate) fn say_weights<'a>(models: impl IntoIterator<Item = (&'a str, String)>) {
    let models = models.into_iter().map(|(label, from)| format!("{label} {from}"));
    note(format_args!("weights: {}", models.collect::<Vec<_>>().join(", ")));
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
