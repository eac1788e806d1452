//! `capsnet info`.

use std::path::{Path, PathBuf};

use anyhow::Result;
use burn::prelude::Device;
use capsnet::Error;
use capsnet::model::{Architecture, Classifier, Model, ModelConfig};
use capsnet::weights::{self, Identified};
use capsnet_report::number::count;
use capsnet_report::{Column, Table};
use capsnet_weights::StateDict;
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
    /// None where the tensors are those of no known model.
    model: Option<String>,
    /// Of the model; of no known one, all floats.
    parameters: usize,
    /// Of a network with a decoder: those that its answers need.
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters_without_decoder: Option<usize>,
    configuration: Option<ModelConfig>,
    /// What the classes are called, where the file says it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    class_names: Vec<String>,
    tensors: Vec<Tensor>,
    /// What lies beside the tensors and is passed over.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    beside: Vec<String>,
}

#[derive(Serialize)]
struct Tensor {
    name: String,
    shape: Vec<usize>,
    dtype: String,
    /// The name that it is read as, where that is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    read_as: Option<String>,
}

pub(crate) fn run(args: &InfoArgs) -> Result<()> {
    let state = capsnet_weights::read(&args.weights)?;
    let (model, renamed, fault) = match fitting(&state, &args.weights) {
        Ok((model, renamed)) => (Some(model), renamed, None),
        // Without the list of tensors, which follows anyway.
        Err(Error::UnknownModel { .. }) => (None, Vec::new(), Some("no model that capsnet knows".to_owned())),
        Err(error) => (None, Vec::new(), Some(error.to_string())),
    };
    let tensor = |(name, tensor): (&str, &capsnet_weights::NamedTensor)| Tensor {
        name: name.to_owned(),
        shape: tensor.shape().to_vec(),
        dtype: tensor.stored_dtype().to_string(),
        read_as: renamed.iter().find(|(from, _)| from == name).map(|(_, to)| to.clone()),
    };
    let floats = || {
        state
            .iter()
            .filter_map(|(_, tensor)| tensor.as_f32())
            .map(<[f32]>::len)
            .sum()
    };
    let parameters = model.as_ref().map_or_else(floats, Model::parameters);
    let of_decoder = model.as_ref().map_or(0, |model| {
        let tensors = model.state_dict();
        let of_decoder = tensors.iter().filter(|(name, _)| name.starts_with("decoder."));
        of_decoder
            .map(|(_, tensor)| tensor.shape().iter().product::<usize>())
            .sum()
    });
    let report = Report {
        file: args.weights.display().to_string(),
        format: state.format().map(|format| format.to_string()),
        model: model.as_ref().map(|model| model.config.name().to_owned()),
        parameters,
        parameters_without_decoder: (of_decoder > 0).then(|| parameters - of_decoder),
        tensors: state.iter().map(tensor).collect(),
        configuration: model.as_ref().map(|model| model.config.clone()),
        class_names: model
            .as_ref()
            .map(|model| model.class_names.clone())
            .unwrap_or_default(),
        beside: state.beside.clone(),
    };
    if args.json {
        line(serde_json::to_string(&report)?)?;
        return Ok(());
    }
    let format = report.format.map(|format| format!(" ({format})")).unwrap_or_default();
    line(format_args!("{}{format}", report.file))?;
    let what = model.map_or_else(|| fault.unwrap_or_default(), |model| model.config.title().to_owned());
    let without = report.parameters_without_decoder;
    let without = without.map(|parameters| format!(" ({} without the decoder)", count(parameters as u64)));
    let (parameters, without) = (count(report.parameters as u64), without.unwrap_or_default());
    line(format_args!("{what}, {parameters} parameters{without}"))?;
    if let Some(configuration) = &report.configuration {
        line(format_args!("\n{}", serde_json::to_string_pretty(configuration)?))?;
    }
    if !report.class_names.is_empty() {
        line(format_args!("classes: {}", report.class_names.join(", ")))?;
    }
    let mut columns = vec![Column::left("tensor"), Column::left("shape"), Column::left("type")];
    if !renamed.is_empty() {
        columns.push(Column::left("read as"));
    }
    let mut table = Table::new(columns);
    for tensor in report.tensors {
        let shape: Vec<String> = tensor.shape.iter().map(ToString::to_string).collect();
        let mut row = vec![tensor.name, shape.join(" x "), tensor.dtype];
        if !renamed.is_empty() {
            row.push(tensor.read_as.unwrap_or_default());
        }
        table.push(row)?;
    }
    line(format_args!("\n{}", table.to_text().trim_end()))?;
    if !report.beside.is_empty() {
        line(format_args!(
            "\nbeside the tensors, passed over: {}",
            report.beside.join(", ")
        ))?;
    }
    Ok(())
}

/// The model that the tensors fit, and which of them are read under other names.
fn fitting(state: &StateDict, path: &Path) -> Result<(Model, Vec<(String, String)>), Error> {
    let Identified {
        config,
        weights,
        renamed,
    } = weights::identify::<ModelConfig>(state.clone(), path)?;
    Ok((Model::from_weights(config, &weights, &Device::flex())?, renamed))
}
