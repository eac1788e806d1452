//! `capsnet predict`.

use crate::args::{ComputeArgs, WeightsArgs, model};
use capsnet::model::ModelConfig;
use clap::Args;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use capsnet::model::{Architecture, Classifier, class_names};
use capsnet::predict::{Prediction, predict};
use capsnet_data::picture::{read_picture, write_png_gray};
use capsnet_report::{Column, Table};
use serde::Serialize;

use crate::output::line;

pub(crate) const EXAMPLES: &str = "Examples:
  capsnet predict capsnet digit.png
  capsnet predict lenet5 --invert scan1.jpg scan2.jpg --json";

#[derive(Args, Debug)]
pub(crate) struct PredictArgs {
    /// Which model
    #[arg(value_parser = model())]
    pub model: ModelConfig,
    /// PNG or JPEG files; a light digit on a dark ground, unless --invert
    #[arg(required = true, value_name = "IMAGE")]
    pub images: Vec<PathBuf>,
    #[command(flatten)]
    pub weights: WeightsArgs,
    /// Swap dark and light first: for dark ink on white paper
    #[arg(long)]
    pub invert: bool,
    /// Folder for the reconstructions, one PNG an image
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub compute: ComputeArgs,
    /// Print a JSON list and nothing else on standard output
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Entry {
    image: String,
    /// In words, where the classes have names.
    prediction: String,
    #[serde(flatten)]
    details: Prediction,
    reconstruction: Option<String>,
}

pub(crate) fn run(args: &PredictArgs) -> Result<()> {
    let device = args.compute.start()?;
    let model = args.weights.load(args.model.name(), &device)?.model;
    let shape = model.input().image;
    anyhow::ensure!(
        shape.channels == 1,
        "these weights take colour images; predict reads grey ones"
    );
    let read = |path: &PathBuf| read_picture(path, shape.height, shape.width, args.invert);
    // Read all before computing any: a bad path among many shouldn't cost the wait for the others.
    let pixels: Vec<Vec<u8>> = args.images.iter().map(read).collect::<Result<_, _>>()?;
    if let Some(folder) = &args.out {
        fs::create_dir_all(folder).with_context(|| format!("can't create the folder {}", folder.display()))?;
    }
    let names = class_names(&model);
    let predictions = predict(&model, &pixels, &device);
    let mut entries = Vec::with_capacity(predictions.len());
    for (number, (path, prediction)) in args.images.iter().zip(predictions).enumerate() {
        let saved = match (&args.out, &prediction.reconstruction) {
            (Some(folder), Some(image)) => {
                let out = folder.join(reconstruction_name(number, path));
                write_png_gray(&out, shape.width, shape.height, image)?;
                Some(out.display().to_string())
            }
            _ => None,
        };
        entries.push(Entry {
            image: path.display().to_string(),
            prediction: names[prediction.class].clone(),
            details: prediction,
            reconstruction: saved,
        });
    }
    if args.json {
        line(serde_json::to_string(&entries)?)?;
        return Ok(());
    }
    print(&entries, &names)
}

/// Numbered, as images in different folders may share a name.
fn reconstruction_name(number: usize, image: &Path) -> String {
    let stem = image.file_stem().unwrap_or_default().to_string_lossy();
    format!("{:03}-{stem}-reconstruction.png", number + 1)
}

fn print(entries: &[Entry], names: &[String]) -> Result<()> {
    let mut columns = vec![Column::left("image"), Column::left("prediction")];
    columns.extend(names.iter().map(Column::right));
    let mut table = Table::new(columns);
    for entry in entries {
        let mut row = vec![entry.image.clone(), entry.prediction.clone()];
        row.extend(entry.details.scores.iter().map(|score| format!("{score:.3}")));
        table.push(row)?;
    }
    line(table.to_text().trim_end())?;
    for path in entries.iter().filter_map(|entry| entry.reconstruction.as_ref()) {
        line(format_args!("wrote {path}"))?;
    }
    Ok(())
}
