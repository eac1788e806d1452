//! `capsnet equivariance`.

mod charts;
mod files;
mod report;
mod tables;

use std::fs;

use anyhow::{Context, Result};
use burn::prelude::Device;
use capsnet::equivariance::{LayerMeasures, Options, Rotation, layer_names, measure};
use capsnet_data::dataset::{Dataset, Split};
use capsnet_data::protocol::Family;
use capsnet_data::random::Seed;
use capsnet_data::transform::Pipeline;
use serde::Serialize;

use super::contestant::{Contestant, ModelEntry, check_all_fit, contestants};
use crate::args::EquivarianceArgs;
use crate::output::line;
use crate::progress::Progress;
use crate::setting::UsageError;

/// All that was measured, as `--json` prints it.
#[derive(Serialize)]
pub struct Report {
    dataset: String,
    images: usize,
    seed: u64,
    rotate: Vec<f64>,
    resample: String,
    /// At most so many units of a layer were measured.
    units: usize,
    models: Vec<Measured>,
    files: Vec<String>,
}

/// A model's measures.
#[derive(Serialize)]
pub struct Measured {
    #[serde(flatten)]
    entry: ModelEntry,
    layers: Vec<LayerMeasures>,
}

pub fn run(args: &EquivarianceArgs) -> Result<()> {
    let rotations = rotations(args)?;
    let device = args.data.compute.start()?;
    let data = args.data.load(Split::Test)?;
    let contestants = contestants(&args.models, &device)?;
    check_all_fit(&contestants, &data)?;
    check_layers(args, &contestants, &data, &device)?;
    fs::create_dir_all(&args.out).with_context(|| format!("can't create the folder {}", args.out.display()))?;
    let mut report = Report {
        dataset: data.name().to_owned(),
        images: data.len(),
        seed: args.seed,
        rotate: args.rotate.points().to_vec(),
        resample: args.resample.to_string(),
        units: args.units,
        models: measure_all(args, &contestants, &data, &rotations, &device)?,
        files: Vec::new(),
    };
    files::write(&mut report, args)?;
    if args.json {
        return line(serde_json::to_string(&report)?);
    }
    tables::print(&report)
}

fn rotations(args: &EquivarianceArgs) -> Result<Vec<Rotation>> {
    let rotation = |&degrees: &f64| {
        let pipeline = Family::Rotation.pipeline(degrees, args.resample)?;
        Ok(Rotation { degrees, pipeline })
    };
    args.rotate.points().iter().map(rotation).collect()
}

/// Every layer asked for has to be one of a model's.
fn check_layers(args: &EquivarianceArgs, contestants: &[Contestant], data: &Dataset, device: &Device) -> Result<()> {
    if args.layers.is_empty() {
        return Ok(());
    }
    let mut known = Vec::new();
    for Contestant { model, entry } in contestants {
        known.push((&entry.label, layer_names(model, data, device)?));
    }
    let is_known = |layer: &String| known.iter().any(|(_, names)| names.contains(layer));
    if let Some(layer) = args.layers.iter().find(|layer| !is_known(layer)) {
        let lists = known
            .iter()
            .map(|(label, names)| format!("{label} has {}", names.join(", ")));
        let lists = lists.collect::<Vec<_>>().join("; ");
        return Err(UsageError(format!("--layers: there is no layer `{layer}`; {lists}")).into());
    }
    Ok(())
}

fn measure_all(
    args: &EquivarianceArgs,
    contestants: &[Contestant],
    data: &Dataset,
    rotations: &[Rotation],
    device: &Device,
) -> Result<Vec<Measured>> {
    let options = Options {
        seed: Seed(args.seed),
        units: args.units,
        layers: (!args.layers.is_empty()).then(|| args.layers.clone()),
        ..Options::default()
    };
    let upright = Pipeline::identity();
    let images = data.len() * (rotations.len() + 1);
    let mut progress = Progress::new("measuring", "images", images * contestants.len(), 0);
    let mut measured = Vec::new();
    for (number, Contestant { model, entry }) in contestants.iter().enumerate() {
        let mut notify = |done| progress.set(number * images + done, &entry.label);
        let layers = measure(model, data, &upright, rotations, &options, device, &mut notify)?;
        measured.push(Measured {
            entry: entry.clone(),
            layers,
        });
    }
    progress.clear();
    Ok(measured)
}
