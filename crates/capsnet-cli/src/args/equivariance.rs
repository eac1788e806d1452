//! Flags of `capsnet equivariance`.

use std::path::PathBuf;

use capsnet_data::protocol::Values;
use capsnet_data::transform::Resample;
use clap::Args;

use super::models::ModelsArgs;
use super::shared::DataArgs;
use super::value::positive;

pub const EQUIVARIANCE_EXAMPLES: &str = "Examples:
  capsnet equivariance
  capsnet equivariance --models capsnet --rotate=-45..45:5 --limit 1000
  capsnet equivariance --models lenet5 --layers input,conv1,fc3 --rotate 15,90,180
  capsnet equivariance --models capsnet --weights mine=runs/mine/last.safetensors
  capsnet equivariance --limit 300 --json --out runs/equivariance

Layers are named as `capsnet` names them: conv1, primary_capsules, .. `input` is the images themselves, and NAME:true the
capsule of each image's class in the layer NAME.";

#[derive(Args, Debug)]
#[command(mut_arg("limit", |limit| limit.default_value("500")))]
pub struct EquivarianceArgs {
    #[command(flatten)]
    pub models: ModelsArgs,
    #[command(flatten)]
    pub data: DataArgs,
    /// Angles in degrees, counter-clockwise: numbers and from..to:step, separated by commas
    #[arg(
        long,
        value_name = "A,B..C:STEP",
        allow_hyphen_values = true,
        default_value = "-180..180:15"
    )]
    pub rotate: Values,
    /// How a rotation reads between the pixels
    #[arg(long, default_value = "nearest", value_name = "nearest|bilinear")]
    pub resample: Resample,
    /// The layers to measure, separated by commas [default: all]
    #[arg(long, value_name = "A,B,..", value_delimiter = ',')]
    pub layers: Vec<String>,
    /// Measure at most so many units of a layer, a seeded choice in whole capsules
    #[arg(long, value_name = "N", default_value = "512", value_parser = positive)]
    pub units: usize,
    /// Seed of the choice of units, of the halves that maps are fitted and tested on, and of the chance levels
    #[arg(long, value_name = "N", default_value = "1")]
    pub seed: u64,
    /// Folder for the report, the figures as JSON and CSV, and the charts
    #[arg(long, value_name = "DIR", default_value = "runs/equivariance")]
    pub out: PathBuf,
    /// Print one JSON object and nothing else on standard output
    #[arg(long)]
    pub json: bool,
}
