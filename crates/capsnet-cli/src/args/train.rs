//! Flags of `capsnet train`.

use std::path::PathBuf;

use capsnet::train::Schedule;
use capsnet_data::protocol::Protocol;
use capsnet_data::transform::Augment;
use clap::Args;

use super::architecture::ArchitectureArgs;
use super::shared::{DataArgs, Variant, model, of_each_model};
use super::value::{iterations, positive, positive_float, positive_u64};
use capsnet::model::{Architecture, ModelConfig};

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
    #[arg(value_parser = model())]
    pub model: ModelConfig,
    #[command(flatten)]
    pub data: DataArgs,
    /// Train by a protocol of the field: its images, their size and its transform; `capsnet protocols` lists them
    #[arg(long, value_name = "NAME")]
    pub protocol: Option<Protocol>,
    /// Passes over the training images [default: 3]
    #[arg(long, value_name = "N", value_parser = positive_u64)]
    pub epochs: Option<u64>,
    #[arg(long, value_name = "N", value_parser = positive, help = batch_size_help())]
    pub batch_size: Option<usize>,
    #[arg(long, value_name = "X", value_parser = positive_float, help = learning_rate_help())]
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

fn batch_size_help() -> String {
    let defaults = of_each_model(|model| model.usual_training().batch_size);
    format!("Images a step [default: {defaults}]")
}

fn learning_rate_help() -> String {
    let defaults = of_each_model(|model| format!("{:e}", model.usual_training().learning_rate));
    format!("Learning rate to start from [default: {defaults}]")
}
