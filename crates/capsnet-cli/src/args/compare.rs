//! Flags of `capsnet compare`.

use std::path::PathBuf;

use capsnet_data::transform::Resample;
use clap::Args;

use super::shared::DataArgs;
use super::value::{angle, positive_u64};

pub const COMPARE_EXAMPLES: &str = "Examples:
  capsnet compare
  capsnet compare --rotate=-30,30 --resample bilinear
  capsnet compare --train --epochs 1 --limit 6000
  capsnet compare --limit 1000 --json";

#[derive(Args, Debug)]
pub struct CompareArgs {
    #[command(flatten)]
    pub data: DataArgs,
    #[command(flatten)]
    pub rotation: RotationArgs,
    /// Train both models first, instead of taking the weights that come with capsnet
    #[arg(long)]
    pub train: bool,
    /// Passes over the training images, with --train
    #[arg(long, value_name = "N", requires = "train", value_parser = positive_u64, default_value = "1")]
    pub epochs: u64,
    /// Seed of the training and of random transforms
    #[arg(long, value_name = "N", default_value = "1")]
    pub seed: u64,
    /// Folder for the pictures, and for the runs with --train
    #[arg(long, value_name = "DIR", default_value = "runs/compare")]
    pub out: PathBuf,
    /// Print one JSON object and nothing else on standard output
    #[arg(long)]
    pub json: bool,
}

/// By which angles to rotate, and how.
#[derive(Args, Debug, Clone)]
pub struct RotationArgs {
    /// Angles in degrees, counter-clockwise, separated by commas
    #[arg(long, value_name = "A,B,..", value_delimiter = ',', allow_hyphen_values = true, default_value = "15,-23,35", value_parser = angle)]
    pub rotate: Vec<f64>,
    /// How a rotation reads between the pixels
    #[arg(long, default_value = "nearest", value_name = "nearest|bilinear")]
    pub resample: Resample,
}
