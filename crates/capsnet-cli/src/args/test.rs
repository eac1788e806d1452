//! Flags of `capsnet test`.

use std::path::PathBuf;

use capsnet_data::transform::{Pipeline, Resample};
use clap::Args;

use super::shared::{DataArgs, ModelName, WeightsArgs};
use super::value::angle;

pub const TEST_EXAMPLES: &str = "Examples:
  capsnet test lenet5
  capsnet test capsnet --rotate=-35,-23,15,35 --limit 1000
  capsnet test lenet5 --weights lenet5_trained.pt --rotate 15 --json
  capsnet test lenet5 --transform 'shear=20,noise=30'";

#[derive(Args, Debug)]
pub struct TestArgs {
    /// Which model
    pub model: ModelName,
    #[command(flatten)]
    pub data: DataArgs,
    #[command(flatten)]
    pub weights: WeightsArgs,
    /// Angles in degrees, counter-clockwise, separated by commas: one test each
    #[arg(long, value_name = "A,B,..", value_delimiter = ',', allow_hyphen_values = true, value_parser = angle)]
    pub rotate: Vec<f64>,
    /// What is done to each test image (before a rotation, if any), for example 'shear=20,noise=30'
    #[arg(long, value_name = "SPEC")]
    pub transform: Option<Pipeline>,
    /// How affine transforms read between the pixels
    #[arg(long, value_name = "nearest|bilinear")]
    pub resample: Option<Resample>,
    /// Seed of random transforms
    #[arg(long, value_name = "N", default_value = "1")]
    pub seed: u64,
    /// Folder for the confusion matrices as pictures
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print one JSON object and nothing else on standard output
    #[arg(long)]
    pub json: bool,
}
