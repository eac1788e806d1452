//! Flags that several commands share: which model, which weights, which data, what computes.

use std::path::PathBuf;

use capsnet::device::known_devices;
use capsnet::loaded::NamedFile;
use capsnet::model::{Architecture, ModelConfig};
use capsnet::routing::{Couplings, Routing, forms};
use capsnet_data::catalog::KnownSet;
use capsnet_data::source::ImageSize;
use capsnet_data::transform::Normalize;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

use super::models::named_file;
use super::value::{DeviceName, iterations, positive};

/// Headings in the help of every command, so that flags of a kind stand together.
pub(crate) const IMAGES: &str = "Images";
pub(crate) const MODELS: &str = "Models and weights";
pub(crate) const COMPUTING: &str = "Computing";

/// Reads a model's name: the model of the library's list, as it is unless other flags change it.
pub(crate) fn model() -> impl TypedValueParser<Value = ModelConfig> {
    let models = ModelConfig::all();
    let names = models
        .iter()
        .map(|model| PossibleValue::new(model.name()).help(model.about()));
    PossibleValuesParser::new(names).map(|name| ModelConfig::named(&name).expect("the name is of the list"))
}

/// Which CapsNet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Variant {
    /// As in the paper
    Paper,
    /// As in the tutorial's code: softmax over the inputs, softmaxed lengths, batch norm on the input
    Tutorial,
}

/// Where images come from and what computes.
#[derive(Args, Debug, Clone)]
pub(crate) struct DataArgs {
    /// Folder or file with the data set: IDX files, a folder of pictures a class, .npz, CSV, .mat [default:
    /// $CAPSNET_DATA, the checkout's data/, the user's cache]
    #[arg(long, value_name = "PATH", help_heading = IMAGES)]
    pub data: Option<PathBuf>,
    /// The data set to look for where no folder is given
    #[arg(long, default_value = "mnist", value_name = "NAME", help_heading = IMAGES)]
    pub dataset: KnownSet,
    /// Make all images of this size, grey (1) or in colour (3) [default: as they are]
    #[arg(long, value_name = "CxHxW", help_heading = IMAGES)]
    pub image: Option<ImageSize>,
    /// Use so many images only: of tests a sample spread over the set by the seed, of training the first
    #[arg(long, value_name = "N", value_parser = positive, help_heading = IMAGES)]
    pub limit: Option<usize>,
    #[command(flatten)]
    pub compute: ComputeArgs,
}

/// What computes.
#[derive(Args, Debug, Clone)]
pub(crate) struct ComputeArgs {
    /// Worker threads [default: one a core]
    #[arg(long, value_name = "N", value_parser = positive, help_heading = COMPUTING)]
    pub threads: Option<usize>,
    #[arg(long, default_value = "cpu", value_name = "NAME", value_parser = DeviceName, help = device_help(),
        help_heading = COMPUTING)]
    pub device: String,
}

/// Names the devices of this build.
fn device_help() -> String {
    let known = known_devices().join(", ");
    format!("Where to compute: {known}, or `list` to see what this machine has of them")
}

/// Which weights, and how to read them.
#[derive(Args, Debug, Clone)]
pub(crate) struct WeightsArgs {
    /// Weights file, safetensors or PyTorch, or for `test` and `predict` an ONNX model, under a name of your own if one
    /// is given [default: those that come with capsnet]
    #[arg(long, value_name = "[NAME=]FILE", value_parser = named_file(), help_heading = MODELS)]
    pub weights: Option<NamedFile>,
    /// Read the weights as this CapsNet, with or without a batch norm on the input; files of PyTorch don't say
    /// [default: tutorial if there is one, else paper]
    #[arg(long, help_heading = MODELS)]
    pub variant: Option<Variant>,
    #[arg(long, value_name = "NAME", conflicts_with_all = ["couplings", "routing_iterations"], help_heading = MODELS,
        help = format!("How capsules' votes are routed, if other than in training: {}", forms()))]
    pub routing: Option<Routing>,
    /// Iterations of dynamic routing, if other than in training
    #[arg(long, value_name = "N", value_parser = iterations, help_heading = MODELS)]
    pub routing_iterations: Option<usize>,
    /// Where CapsNet's couplings come from, if not from where they did in training: agreement, uniform or random:SEED
    #[arg(long, value_name = "NAME", help_heading = MODELS)]
    pub couplings: Option<Couplings>,
    /// Mean and deviation that pixels in 0..1 are normalised by, if other than in training
    #[arg(long, value_name = "MEAN:STD", help_heading = MODELS)]
    pub normalize: Option<Normalize>,
}
