//! Flags of `capsnet test`.

use std::path::PathBuf;

use capsnet_data::protocol::Values;
use capsnet_data::transform::{Pipeline, Resample};
use clap::Args;

use super::shared::{DataArgs, WeightsArgs, model};
use super::value::variants;
use capsnet::model::ModelConfig;
use capsnet::protocol::Protocol;

pub(super) const TEST_EXAMPLES: &str = "Examples:
  capsnet test lenet5
  capsnet test capsnet --rotate=-35,-23,15,35 --limit 1000
  capsnet test lenet5 --weights lenet5_trained.pt --rotate 15 --json
  capsnet test --weights mine=model.onnx --normalize 0.1307:0.3081
  capsnet test lenet5 --transform 'shear=20,noise=30'
  capsnet test lenet5 --protocol corruptions
  capsnet test capsnet --protocol affnist --weights runs/affnist/last.safetensors --variants 2
  capsnet test capsnet --protocol multimnist --weights runs/pairs/last.safetensors --out pictures";

#[derive(Args, Debug)]
pub(crate) struct TestArgs {
    /// Which model; the file that --weights names says it too
    #[arg(required_unless_present = "weights", value_parser = model())]
    pub model: Option<ModelConfig>,
    #[command(flatten)]
    pub data: DataArgs,
    #[command(flatten)]
    pub weights: WeightsArgs,
    /// Test by a protocol of the field; `capsnet protocols` lists them
    #[arg(long, value_name = "NAME", conflicts_with_all = ["rotate", "transform", "resample"])]
    pub protocol: Option<&'static dyn Protocol>,
    /// Transformed versions of every image [affnist; default: 32], or pairs for every image [multimnist; default: 1]
    #[arg(long, value_name = "N", requires = "protocol", value_parser = variants)]
    pub variants: Option<u64>,
    /// An original affNIST file, such as test.mat, instead of generated images
    #[arg(long, value_name = "FILE", requires = "protocol", conflicts_with = "variants")]
    pub affnist_file: Option<PathBuf>,
    /// Angles in degrees, counter-clockwise, one test each: numbers and from..to:step, separated by commas
    #[arg(long, value_name = "A,B..C:STEP", allow_hyphen_values = true)]
    pub rotate: Option<Values>,
    /// What is done to each test image (before a rotation, if any), for example 'shear=20,noise=30'
    #[arg(long, value_name = "SPEC")]
    pub transform: Option<Pipeline>,
    /// How affine transforms read between the pixels
    #[arg(long, value_name = "nearest|bilinear")]
    pub resample: Option<Resample>,
    /// Seed of random transforms; mnist-rot's split stays what it was in training
    #[arg(long, value_name = "N", default_value = "1")]
    pub seed: u64,
    /// Folder for pictures: confusion matrices, or what a protocol shows
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print one JSON object and nothing else on standard output
    #[arg(long)]
    pub json: bool,
}
