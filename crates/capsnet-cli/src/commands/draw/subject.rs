//! The models whose pictures are drawn, and the images that they take.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::prelude::Device;
use capsnet::evaluate::check_fits;
use capsnet::look::{LookError, View, decode, view};
use capsnet::model::{Model, ModelConfig};
use capsnet_data::dataset::Dataset;
use capsnet_data::protocol::padded;
use clap::ValueEnum;

use crate::args::{ManyWeightsArgs, ModelName, WeightsArgs};
use crate::setting::shipped_weights;

/// A model without gradients, and the file that it came from.
pub struct Subject {
    pub model: Model,
    pub path: PathBuf,
}

impl Subject {
    /// The model with capsules of a weights file; CapsNet where no file is given.
    pub fn load(args: &WeightsArgs, device: &Device) -> Result<Self> {
        let name = match &args.weights {
            Some(path) => model_in(path)?,
            None => ModelName::Capsnet,
        };
        let (model, path) = args.load(name, device)?;
        let model = model.valid();
        let subject = Self { model, path };
        if has_capsules(&subject.model.config) {
            return Ok(subject);
        }
        let model = subject.title();
        Err(subject.explain(LookError::NoCapsules { model }))
    }

    /// The models of several files; LeNet-5 and CapsNet where none is given.
    pub fn load_all(args: &ManyWeightsArgs, device: &Device) -> Result<Vec<Self>> {
        let paths = if args.weights.is_empty() {
            let shipped = [ModelName::Lenet5, ModelName::Capsnet];
            shipped.into_iter().map(shipped_weights).collect::<Result<_>>()?
        } else {
            args.weights.clone()
        };
        let load = |path: PathBuf| {
            let model = capsnet::weights::load(&path, device)?.valid();
            Ok(Self { model, path })
        };
        paths.into_iter().map(load).collect()
    }

    /// In prose.
    pub fn title(&self) -> &'static str {
        self.model.config.title()
    }

    /// The file, as short as a person in this folder can name it.
    pub fn short(&self) -> String {
        let here = std::env::current_dir().unwrap_or_default();
        self.path.strip_prefix(here).unwrap_or(&self.path).display().to_string()
    }

    /// The file.
    pub fn weights(&self) -> String {
        self.path.display().to_string()
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
            self.path.display()
        )
    }

    /// The capsules of a view, or the error that there are none.
    pub fn capsules<'a>(&self, view: &'a View) -> Result<&'a [Vec<f32>]> {
        let model = self.title();
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
    let side = subjects.iter().map(|subject| subject.model.config.image().height).max();
    let side = side.unwrap_or(data.height());
    let data = if side > data.height().max(data.width()) {
        padded(&data, side)?
    } else {
        data
    };
    for subject in subjects {
        check_fits(&data, &subject.model.config).with_context(|| format!("{}", subject.path.display()))?;
    }
    Ok(data)
}

/// Whether such a model has capsules.
fn has_capsules(config: &ModelConfig) -> bool {
    match config {
        ModelConfig::LeNet5(_) | ModelConfig::Cnn(_) => false,
        ModelConfig::CapsNet(_) | ModelConfig::EquivariantCapsNet(_) => true,
    }
}

/// Whether such a model can redraw an image from a capsule.
pub fn has_decoder(config: &ModelConfig) -> bool {
    match config {
        ModelConfig::LeNet5(_) | ModelConfig::Cnn(_) | ModelConfig::EquivariantCapsNet(_) => false,
        ModelConfig::CapsNet(config) => config.decoder.is_some(),
    }
}

/// Which model a weights file holds.
fn model_in(path: &Path) -> Result<ModelName> {
    let state = capsnet_weights::read(path)?;
    let config = capsnet::weights::config_of(&state, path)?;
    let name = ModelName::from_str(config.name(), false);
    name.map_err(|_| {
        anyhow::anyhow!(
            "{} holds a {} model, which can't be drawn",
            path.display(),
            config.name()
        )
    })
}
