//! What a new run is to be: its settings, and the images that it trains on.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use capsnet::Error;
use capsnet::model::{Architecture, ModelConfig};
use capsnet::settings::{self, ImageSource, Part, Preset, Setting, SettleError, Wanted};
use capsnet::train::TrainConfig;
use capsnet::weights;
use capsnet_data::dataset::{Dataset, Split};
use toml::Value;

use super::TrainArgs;
use crate::args::DataArgs;
use crate::images::{data_folder, read};
use crate::setting::usage;

/// Settings of a new run, from a preset, a file, flags and single keys, and the images that it trains on. Where the
/// settings don't say otherwise, the model is made for these images and their classes.
pub(super) fn settle(args: &TrainArgs) -> Result<(TrainConfig, Dataset)> {
    let mut parts: Vec<Part> = args.preset.into_iter().map(Preset::part).collect();
    if let Some(path) = &args.config {
        let text = settings::read_text(path).context("--config")?;
        parts.push(Part::parse(&text, path.display().to_string())?);
    }
    if let Some(path) = &args.weights {
        parts.insert(0, weights_part(path)?);
    }
    let limit = args
        .data
        .limit
        .map(|limit| Setting::new("limit", limit as i64).asked_as("--limit"));
    let image = args.data.image.map(|size| {
        let sides: Vec<Value> = size.0.iter().map(|&side| Value::Integer(side as i64)).collect();
        Setting::new("image", sides).asked_as("--image")
    });
    let settings: Vec<Setting> = args
        .flags
        .0
        .iter()
        .cloned()
        .chain(limit)
        .chain(image)
        .chain(args.set.clone())
        .collect();
    let wanted = Wanted {
        model: args.model.as_ref().map(Architecture::name),
        parts: &parts,
        settings: &settings,
        threads: args.data.compute.threads,
    };
    wanted.settle(&args.data).map_err(|error| match error {
        SettleError::Images(error) => error.into(),
        error => usage(error).into(),
    })
}

/// The images that the flags name, or else the settings; which they are is said.
impl ImageSource for DataArgs {
    fn find(&self, splits: &[Split], named: Option<&Path>) -> Result<PathBuf, Error> {
        Ok(data_folder(self.dataset, splits, self.data.as_deref().or(named))?)
    }

    fn read(&self, folder: &Path, split: Split, size: Option<[usize; 3]>) -> Result<Dataset, Error> {
        Ok(read(folder, split, size)?)
    }
}

/// The model of a weights file as a part of a configuration.
fn weights_part(path: &Path) -> Result<Part> {
    let state = weights::file::read(path).map_err(Error::from)?;
    let model: ModelConfig = weights::config_of(&state, path)?;
    Ok(Part::of_model(&model, path.display().to_string())?)
}
