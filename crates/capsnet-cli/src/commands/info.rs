//! `capsnet info`.

use std::path::PathBuf;

use anyhow::Result;
use burn::prelude::Device;
use capsnet::model::{Architecture, Classifier, Model, ModelConfig};
use capsnet::weights;
use capsnet_report::number::count;
use capsnet_report::{Column, Table};
use clap::Args;
use serde::Serialize;

use crate::output::line;

pub(crate) const EXAMPLES: &str = "Examples:
  capsnet info weights/capsnet.safetensors
  capsnet info epoch_32.pt --json";

#[derive(Args, Debug)]
pub(crate) struct InfoArgs {
    /// A weights file, safetensors or PyTorch
    pub weights: PathBuf,
    /// Print one JSON object and nothing else on standard output
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Report {
    file: String,
    format: Option<String>,
    model: String,
    parameters: usize,
    configuration: ModelConfig,
    /// What the classes are called, where the file says it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    class_names: Vec<String>,
    tensors: Vec<Tensor>,
}

#[derive(Serialize)]
struct Tensor {
    name: String,
    shape: Vec<usize>,
    dtype: String,
}

pub(crate) fn run(args: &InfoArgs) -> Result<()> {
    let state = capsnet_weights::read(&args.weights)?;
    let config: ModelConfig = weights::config_of(&state, &args.weights)?;
    let model = Model::from_weights(config, &state, &Device::flex())?;
    let tensor = |(name, tensor): (&str, &capsnet_weights::NamedTensor)| Tensor {
        name: name.to_owned(),
        shape: tensor.shape().to_vec(),
        dtype: tensor.stored_dtype().to_string(),
    };
    let report = Report {
        file: args.weights.display().to_string(),
        format: state.format().map(|format| format.to_string()),
        model: model.config.name().to_owned(),
        parameters: model.parameters(),
        tensors: state.iter().map(tensor).collect(),
        configuration: model.config.clone(),
        class_names: model.class_names.clone(),
    };
    if args.json {
        line(serde_json::to_string(&report)?)?;
        return Ok(());
    }
    let format = report.format.map(|format| format!(" ({format})")).unwrap_or_default();
    line(format_args!("{}{format}", report.file))?;
    line(format_args!(
        "{}, {} parameters\n",
        model.config.title(),
        count(report.parameters as u64)
    ))?;
    line(serde_json::to_string_pretty(&report.configuration)?)?;
    if !report.class_names.is_empty() {
        line(format_args!("classes: {}", report.class_names.join(", ")))?;
    }
    let mut table = Table::new([Column::left("tensor"), Column::left("shape"), Column::left("type")]);
    for tensor in report.tensors {
        let shape: Vec<String> = tensor.shape.iter().map(ToString::to_string).collect();
        table.push([tensor.name, shape.join(" x "), tensor.dtype])?;
    }
    line(format_args!("\n{}", table.to_text().trim_end()))
}
