//! Flags of `capsnet predict`.

use std::path::PathBuf;

use clap::Args;

use super::shared::{ComputeArgs, WeightsArgs, model};
use capsnet::model::ModelConfig;

pub const PREDICT_EXAMPLES: &str = "Examples:
  capsnet predict capsnet digit.png
  capsnet predict lenet5 --invert scan1.jpg scan2.jpg --json";

#[derive(Args, Debug)]
pub struct PredictArgs {
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
