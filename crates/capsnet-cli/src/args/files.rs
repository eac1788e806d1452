//! Flags of the commands on files: `capsnet convert`, `info` and `fetch`.

use std::path::PathBuf;

use capsnet_data::catalog::KnownSet;
use capsnet_data::transform::Normalize;
use clap::Args;

use super::shared::Variant;

pub const CONVERT_EXAMPLES: &str = "Examples:
  capsnet convert epoch_32.pt epoch_32.safetensors
  capsnet convert --half runs/capsnet-1/best.safetensors capsnet.safetensors";

pub const INFO_EXAMPLES: &str = "Examples:
  capsnet info weights/capsnet.safetensors
  capsnet info epoch_32.pt --json";

pub const FETCH_EXAMPLES: &str = "Examples:
  capsnet fetch fashion-mnist
  capsnet fetch mnist --base-url http://localhost:8000/mnist/";

#[derive(Args, Debug)]
pub struct ConvertArgs {
    /// A PyTorch state dict (.pt, .pth; zip or legacy) or a safetensors file
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// The safetensors file to write
    #[arg(value_name = "OUT")]
    pub output: PathBuf,
    /// Store half precision: half the size, three digits
    #[arg(long)]
    pub half: bool,
    /// Read the weights as this CapsNet; files of PyTorch don't say [default: tutorial if there is a batch norm, else paper]
    #[arg(long)]
    pub variant: Option<Variant>,
    /// Mean and deviation that the model's input is normalised by, to be noted in the file
    #[arg(long, value_name = "MEAN:STD")]
    pub normalize: Option<Normalize>,
}

#[derive(Args, Debug)]
pub struct InfoArgs {
    /// A weights file, safetensors or PyTorch
    pub weights: PathBuf,
    /// Print one JSON object and nothing else on standard output
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct FetchArgs {
    /// mnist or fashion-mnist
    pub dataset: KnownSet,
    /// Where to download from, instead of the data set's usual mirror
    #[arg(long, value_name = "URL", env = "CAPSNET_BASE_URL")]
    pub base_url: Option<String>,
    /// Folder to put the files into [default: the user's cache]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}
