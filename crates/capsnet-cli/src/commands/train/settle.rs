//! What a new run is to be: its settings, and the images that it trains on.

use std::path::Path;

use anyhow::{Context, Result};
use capsnet::Error;
use capsnet::model::{Architecture, ModelConfig};
use capsnet::settings::{self, Part, Preset, Setting, configure, configure_for};
use capsnet::train::{TrainConfig, training_set};
use capsnet::weights;
use capsnet_data::dataset::{Dataset, Split};
use toml::Value;

use super::{TrainArgs, default_threads};
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
    let usage = |error: &dyn std::error::Error| usage(error);
    let model = args.model.as_ref().map(Architecture::name);
    let asked = configure(model, &parts, &settings).map_err(|error| usage(&error))?;
    let splits = asked
        .protocol
        .map_or(&[Split::Train][..], |protocol| protocol.training_splits());
    let named = (!asked.data.as_os_str().is_empty()).then_some(asked.data.as_path());
    // What is wrong whatever the images are is said first; the model's own settings may be right for these images.
    match asked.validate() {
        Err(Error::Config(_)) | Ok(()) => {}
        Err(error) => return Err(usage(&error).into()),
    }
    let folder = data_folder(args.data.dataset, splits, args.data.data.as_deref().or(named));
    let folder = match (folder, asked.validate()) {
        (Err(_), Err(error)) => return Err(usage(&error).into()),
        (folder, _) => folder?,
    };
    let images = |split| Ok(read(&folder, split, asked.image)?);
    let train = images(Split::Train)?;
    let mut config = configure_for(model, Some(&train), &parts, &settings).map_err(|error| usage(&error))?;
    // A run may be resumed from another folder.
    config.data = folder
        .canonicalize()
        .with_context(|| format!("can't resolve {}", folder.display()))?;
    if let Some(threads) = args.data.compute.threads {
        config.threads = threads;
    }
    if config.threads == 0 {
        config.threads = default_threads();
    }
    config.validate().map_err(|error| usage(&error))?;
    let data = match config.protocol {
        None => train,
        Some(_) => training_set(&config, &|split| match split {
            Split::Train => Ok(train.clone()),
            Split::Test => images(split),
        })?,
    };
    Ok((config, data))
}

/// The model of a weights file as a part of a configuration.
fn weights_part(path: &Path) -> Result<Part> {
    let state = weights::file::read(path).map_err(capsnet::Error::from)?;
    let model: ModelConfig = weights::config_of(&state, path)?;
    let text = toml::to_string(&std::collections::BTreeMap::from([("model", model)]))?;
    Ok(Part::parse(&text, path.display().to_string())?)
}
