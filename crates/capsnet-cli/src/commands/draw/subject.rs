//! The models whose pictures are drawn, and the images that they take.

use std::path::Path;

use anyhow::{Context, Result};
use burn::prelude::Device;
use capsnet::evaluate::check_fits;
use capsnet::loaded::LoadedModel;
use capsnet::look::{LookError, View, decode, view};
use capsnet::model::{Architecture, Classifier, Model, ModelConfig};
use capsnet_data::dataset::Dataset;
use capsnet_data::protocol::padded;

use crate::args::{ModelsArgs, WeightsArgs};

/// A model without gradients, what it is called, and the file that it came from.
pub struct Subject {
    pub model: Model,
    label: String,
    weights: String,
}

impl Subject {
    /// The model with capsules of a weights file; CapsNet where no file is given.
    pub fn load(args: &WeightsArgs, device: &Device) -> Result<Self> {
        let name = match &args.weights {
            Some(path) => model_in(path)?,
            None => "capsnet",
        };
        let LoadedModel { model, path, .. } = args.load(name, device)?;
        let here = std::env::current_dir().unwrap_or_default();
        let subject = Self {
            label: model.config.title().to_owned(),
            weights: path.strip_prefix(here).unwrap_or(&path).display().to_string(),
            model,
        };
        if has_capsules(&subject.model.config) {
            return Ok(subject);
        }
        let model = subject.model.title();
        Err(subject.explain(LookError::NoCapsules { model }))
    }

    /// Several models.
    pub fn load_all(args: &ModelsArgs, device: &Device) -> Result<Vec<Self>> {
        let subject = |LoadedModel { model, entry, .. }| Self {
            model,
            label: entry.label,
            weights: entry.weights,
        };
        Ok(args.load(device)?.into_iter().map(subject).collect())
    }

    /// What pictures call it.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The file.
    pub fn weights(&self) -> &str {
        &self.weights
    }

    /// What the model says of images.
    pub fn view(&self, images: &[Vec<u8>], device: &Device) -> Vec<View> {
        view(&self.model, images, device)
    }

    /// The decoder's images of `(class, capsule)`.
    pub fn decode(&self, capsules: &[(usize, Vec<f32>)], device: &Device) -> Result<Vec<Vec<f32>>> {
        decode(&self.model, capsules, device).map_err(|error| self.explain(error))
    }

    /// Names the file and what to do.
    pub fn explain(&self, error: LookError) -> anyhow::Error {
        anyhow::anyhow!(
            "{}: {error}; give --weights of a CapsNet with a decoder, or leave the flag out",
            self.weights
        )
    }

    /// The capsules of a view, or the error that there are none.
    pub fn capsules<'a>(&self, view: &'a View) -> Result<&'a [Vec<f32>]> {
        let model = self.model.title();
        let capsules = view.capsules.as_deref();
        capsules.ok_or_else(|| self.explain(LookError::NoCapsules { model }))
    }

    /// The images as this model takes them.
    pub fn data_for(&self, data: Dataset) -> Result<Dataset> {
        data_for_all(std::slice::from_ref(self), data)
    }
}

/// The images as these models take them: in a larger black frame, if that is what they need.
pub fn data_for_all(subjects: &[Subject], data: Dataset) -> Result<Dataset> {
    let side = subjects.iter().map(|subject| subject.model.input().image.height).max();
    let side = side.unwrap_or(data.height());
    let data = if side > data.height().max(data.width()) {
        padded(&data, side)?
    } else {
        data
    };
    for subject in subjects {
        check_fits(&data, subject.model.config.input()).with_context(|| subject.weights.clone())?;
    }
    Ok(data)
}

/// Whether such a model has capsules.
fn has_capsules(config: &ModelConfig) -> bool {
    matches!(config, ModelConfig::CapsNet(_) | ModelConfig::EquivariantCapsNet(_))
}

/// Whether such a model can redraw an image from a capsule.
pub fn has_decoder(config: &ModelConfig) -> bool {
    matches!(config, ModelConfig::CapsNet(config) if config.decoder.is_some())
}

/// Which model a weights file holds.
fn model_in(path: &Path) -> Result<&'static str> {
    let state = capsnet_weights::read(path)?;
    let config: ModelConfig = capsnet::weights::config_of(&state, path)?;
    Ok(config.name())
}
