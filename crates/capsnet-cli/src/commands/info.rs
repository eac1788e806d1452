//! `capsnet info`.

use std::path::PathBuf;

use anyhow::Result;
use capsnet::weights::{Description, describe};
use capsnet_report::number::count;
use capsnet_report::{Column, Table};
use clap::Args;

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

pub(crate) fn run(args: &InfoArgs) -> Result<()> {
    let report = describe(&args.weights)?;
    if args.json {
        return line(serde_json::to_string(&report)?);
    }
    line(text(report)?)
}

/// What the file holds, in lines and a table of its tensors.
fn text(report: Description) -> Result<String> {
    let format = report.format.map(|format| format!(" ({format})")).unwrap_or_default();
    let without = report.parameters_without_decoder;
    let without = without.map(|parameters| format!(" ({} without the decoder)", count(parameters as u64)));
    let (parameters, without) = (count(report.parameters as u64), without.unwrap_or_default());
    let mut text = format!(
        "{}{format}\n{}, {parameters} parameters{without}\n",
        report.file, report.title
    );
    if let Some(configuration) = &report.configuration {
        text += &format!("\n{}\n", serde_json::to_string_pretty(configuration)?);
    }
    if !report.class_names.is_empty() {
        text += &format!("classes: {}\n", report.class_names.join(", "));
    }
    let renamed = report.tensors.iter().any(|tensor| tensor.read_as.is_some());
    let columns = ["tensor", "shape", "type"]
        .into_iter()
        .chain(renamed.then_some("read as"));
    let mut table = Table::new(columns.map(Column::left));
    for tensor in report.tensors {
        let shape: Vec<String> = tensor.shape.iter().map(ToString::to_string).collect();
        let read_as = renamed.then(|| tensor.read_as.unwrap_or_default());
        let row = [tensor.name, shape.join(" x "), tensor.dtype];
        table.push(row.into_iter().chain(read_as))?;
    }
    text += &format!("\n{}", table.to_text().trim_end());
    if !report.beside.is_empty() {
        text += &format!("\n\nbeside the tensors, passed over: {}", report.beside.join(", "));
    }
    Ok(text)
}
