//! Flags of `capsnet train`.

use std::path::PathBuf;

use capsnet::train::Schedule;
use capsnet_data::protocol::Protocol;
use capsnet_data::transform::Augment;
use clap::Args;

use super::architecture::ArchitectureArgs;
use super::shared::{DataArgs, ModelName, Variant};
use super::value::{iterations, positive, positive_float, positive_u64};

pub const TRAIN_EXAMPLES: &str = "Examples:
  capsnet train lenet5 --epochs 3
  capsnet train capsnet --epochs 3 --schedule cosine --out runs/mine
  capsnet train lenet5 --augment 'translate=2,rotate=-45..45'
  capsnet train capsnet --protocol multimnist --epochs 3 --batch-size 64
  capsnet train cnn --parameters 1000000
  capsnet train lenet5 --resume runs/lenet5-1";

#[derive(Args, Debug)]
pub struct TrainArgs {
    /// Which model
    pub model: ModelName,
    #[command(flatten)]
    pub data: DataArgs,
    /// Train by a protocol of the field: its images, their size and its transform; `capsnet protocols` lists them
    #[arg(long, value_name = "NAME")]
    pub protocol: Option<Protocol>,
    /// Passes over the training images [default: 3]
    #[arg(long, value_name = "N", value_parser = positive_u64)]
    pub epochs: Option<u64>,
    /// Images a step [default: 8 for LeNet-5, 128 for CapsNet and the CNN, 32 for the equivariant CapsNet]
    #[arg(long, value_name = "N", value_parser = positive)]
    pub batch_size: Option<usize>,
    /// Learning rate to start from [default: 1e-4 for LeNet-5, 1e-3 for CapsNet and the CNN, 2e-3 for the equivariant CapsNet]
    #[arg(long, value_name = "X", value_parser = positive_float)]
    pub learning_rate: Option<f64>,
    /// Learning-rate schedule: constant, exponential:FACTOR (an epoch), capsnet (the official one), cosine [default: constant]
    #[arg(long, value_name = "NAME")]
    pub schedule: Option<Schedule>,
    /// What is done to each training image, for example 'translate=2,rotate=-15..15'; of several (or of parts between
    /// bars) every image draws one [default: translate=2, or the protocol's]
    #[arg(long, value_name = "SPEC")]
    pub augment: Vec<Augment>,
    /// Seed of weights, order and augmentation [default: 1]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Keep the last so many training images out, and choose the best weights by them [default: 2000]
    #[arg(long, value_name = "N")]
    pub validation: Option<usize>,
    /// Stop early when the validation loss has not improved for so many epochs
    #[arg(long, value_name = "EPOCHS", value_parser = positive_u64)]
    pub patience: Option<u64>,
    /// Which CapsNet [default: paper]
    #[arg(long)]
    pub variant: Option<Variant>,
    /// Iterations of dynamic routing; 0 and 1 both mean equal couplings [default: 3]
    #[arg(long, value_name = "N", value_parser = iterations)]
    pub routing_iterations: Option<usize>,
    #[command(flatten)]
    pub architecture: ArchitectureArgs,
    /// Seconds between checkpoints within an epoch [default: 60]
    #[arg(long, value_name = "SECONDS")]
    pub checkpoint_every: Option<u64>,
    /// Folder of the run [default: runs/MODEL-1, or the next free number]
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    pub out: Option<PathBuf>,
    /// Go on with the run in this folder, with its own settings
    #[arg(long, value_name = "DIR", conflicts_with_all = ["protocol", "epochs", "batch_size", "learning_rate", "schedule", "augment", "seed",
        "validation", "patience", "variant", "routing_iterations", "limit", "checkpoint_every", "ArchitectureArgs"])]
    pub resume: Option<PathBuf>,
}
