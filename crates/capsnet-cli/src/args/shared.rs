//! Flags that several commands share: which model, which weights, which data, what computes.

use std::path::PathBuf;

use capsnet::model::ModelConfig;
use capsnet::routing::{Couplings, Routing, forms};
use capsnet_data::catalog::KnownSet;
use capsnet_data::transform::Normalize;
use clap::{Args, ValueEnum};

use super::value::{iterations, positive};

/// Which model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ModelName {
    /// LeNet-5, 44,426 parameters
    Lenet5,
    /// CapsNet with dynamic routing, 8,215,568 parameters
    Capsnet,
    /// A capsule network that turns with its input, 117,416 parameters
    EquivariantCapsnet,
    /// A plain convolutional network, as large as CapsNet unless --parameters says otherwise
    Cnn,
}

impl ModelName {
    /// The model as it is usually made.
    pub fn config(self) -> ModelConfig {
        ModelConfig::named(self.name()).expect("every model has a name")
    }

    /// As on the command line.
    pub fn name(self) -> &'static str {
        match self {
            ModelName::Lenet5 => "lenet5",
            ModelName::Capsnet => "capsnet",
            ModelName::EquivariantCapsnet => "equivariant-capsnet",
            ModelName::Cnn => "cnn",
        }
    }
}

/// Which CapsNet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Variant {
    /// As in the paper
    Paper,
    /// As in the tutorial's code: softmax over the inputs, softmaxed lengths, batch norm on the input
    Tutorial,
}

/// Where images come from and what computes.
#[derive(Args, Debug, Clone)]
pub struct DataArgs {
    /// Folder with the four IDX files, raw or gzipped [default: $CAPSNET_DATA, the checkout's data/, the user's cache]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The data set to look for where no folder is given
    #[arg(long, default_value = "mnist", value_name = "NAME")]
    pub dataset: KnownSet,
    /// Use the first so many images only
    #[arg(long, value_name = "N", value_parser = positive)]
    pub limit: Option<usize>,
    #[command(flatten)]
    pub compute: ComputeArgs,
}

/// What computes.
#[derive(Args, Debug, Clone)]
pub struct ComputeArgs {
    /// Worker threads [default: one a core]
    #[arg(long, value_name = "N", value_parser = positive)]
    pub threads: Option<usize>,
    /// Where to compute: cpu, or a GPU backend that this build has
    #[arg(long, default_value = "cpu", value_name = "NAME")]
    pub device: String,
}

/// Which weights, and how to read them.
#[derive(Args, Debug, Clone)]
pub struct WeightsArgs {
    /// Weights file, safetensors or PyTorch [default: those that come with capsnet]
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// Read the weights as this CapsNet; files of PyTorch don't say [default: tutorial if there is a batch norm, else paper]
    #[arg(long)]
    pub variant: Option<Variant>,
    #[arg(long, value_name = "NAME", conflicts_with_all = ["couplings", "routing_iterations"],
        help = format!("How capsules' votes are routed, if other than in training: {}", forms()))]
    pub routing: Option<Routing>,
    /// Iterations of dynamic routing, if other than in training
    #[arg(long, value_name = "N", value_parser = iterations)]
    pub routing_iterations: Option<usize>,
    /// Where CapsNet's couplings come from, if not from where they did in training: agreement, uniform or random:SEED
    #[arg(long, value_name = "NAME")]
    pub couplings: Option<Couplings>,
    /// Mean and deviation that pixels in 0..1 are normalised by, if other than in training
    #[arg(long, value_name = "MEAN:STD")]
    pub normalize: Option<Normalize>,
}
