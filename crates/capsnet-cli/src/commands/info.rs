//! `capsnet info`.

use std::path::PathBuf;

use anyhow::Result;
use capsnet_onnx::describe;
use capsnet_report::weights_file::text;
use clap::Args;

use crate::output::line;

pub(crate) const EXAMPLES: &str = "Examples:
  capsnet info weights/capsnet.safetensors
  capsnet info epoch_32.pt --json";

#[derive(Args, Debug)]
pub(crate) struct InfoArgs {
    /// A weights file, safetensors or PyTorch, or an ONNX model
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
    line(text(&report)?)
}
