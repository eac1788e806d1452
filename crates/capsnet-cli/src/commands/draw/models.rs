//! The models whose pictures are drawn, and the images that they take.

use anyhow::{Context, Result};
use burn::prelude::Device;
use capsnet::evaluate::check_model;
use capsnet::loaded::{LoadedModel, NamedModel};
use capsnet::look::{LookError, redraws};
use capsnet::model::named_by;
use capsnet_data::dataset::Dataset;
use capsnet_data::protocol::padded;
use capsnet_data::random::Seed;
use capsnet_measure::ModelEntry;

use crate::args::WeightsArgs;

/// The seed of the images that `--limit` leaves.
pub(super) const SAMPLE: Seed = Seed(1);

/// The model of a weights file; CapsNet where no file is given.
pub(super) fn load(args: &WeightsArgs, device: &Device) -> Result<LoadedModel> {
    let model = args.load_any("capsnet", device)?;
    let here = std::env::current_dir().unwrap_or_default();
    let path = model
        .path
        .strip_prefix(here)
        .unwrap_or(&model.path)
        .display()
        .to_string();
    Ok(model.shown_as(path))
}

/// As functions of the library take them.
pub(super) fn named(models: &[LoadedModel]) -> Vec<NamedModel<'_>> {
    models.iter().map(LoadedModel::named).collect()
}

/// The images as these models take them: in a larger black frame, if that is what they need.
pub(super) fn data_for(models: &[NamedModel], data: Dataset) -> Result<Dataset> {
    let data = named_by(data, models.iter().map(|named| named.model));
    let side = models.iter().map(|named| named.model.input().image.height).max();
    let side = side.unwrap_or(data.height());
    let data = if side > data.height().max(data.width()) {
        padded(&data, side)?
    } else {
        data
    };
    for NamedModel { model, entry } in models {
        check_model(&data, *model).with_context(|| entry.weights.clone())?;
    }
    Ok(data)
}

/// The first model with capsules and a decoder.
pub(super) fn redrawer(models: &[NamedModel], device: &Device) -> Result<usize> {
    let found = models.iter().position(|named| redraws(named.model, device).is_ok());
    found.ok_or_else(|| {
        anyhow::anyhow!(
            "none of the weights are of a model with capsules and a decoder; name such a file with --weights"
        )
    })
}

/// Names the file and what to do.
pub(super) fn explain(model: &ModelEntry, error: LookError) -> anyhow::Error {
    if let LookError::Transform(error) = error {
        return error.into();
    }
    anyhow::anyhow!(
        "{}: {error}; give --weights of a CapsNet with a decoder, or leave the flag out",
        model.weights
    )
}
