//! Flags of `capsnet bench`.

use capsnet_data::transform::Augment;
use clap::{Args, Subcommand, ValueEnum};

use super::shared::{DataArgs, model};
use super::value::positive;
use capsnet::model::{Architecture, ModelConfig};
use capsnet::settings::of_each_model;

pub const BENCH_EXAMPLES: &str = "Examples:
  capsnet bench step capsnet
  capsnet bench step capsnet --mode infer --batch-size 1 --steps 200 --threads 2
  capsnet bench step lenet5 --augment translate=2 --json";

#[derive(Args, Debug)]
pub struct BenchArgs {
    #[command(subcommand)]
    pub command: BenchCommand,
}

#[derive(Subcommand, Debug)]
pub enum BenchCommand {
    /// Time steps of training, or of inference, on the training images
    ///
    /// Training steps are those of `capsnet train`: a batch is prepared (and augmented, with --augment), the loss and its
    /// gradients are computed and Adam moves the weights. Inference prepares a batch and computes the predicted classes and, for
    /// CapsNet, the decoder's pictures of them. Batches are consecutive images. Some steps are made before the clock runs. Steps of
    /// LeNet-5 are short, so many of them are timed together as one block, and its time is divided by their number; minimum and
    /// median are those of the blocks.
    #[command(after_help = BENCH_EXAMPLES)]
    Step(BenchStepArgs),
}

/// What a benchmark's step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StepMode {
    /// Loss, gradients and an update of the weights
    Train,
    /// The predicted classes, and CapsNet's pictures of them
    Infer,
}

#[derive(Args, Debug)]
pub struct BenchStepArgs {
    /// Which model
    #[arg(value_parser = model())]
    pub model: ModelConfig,
    #[command(flatten)]
    pub data: DataArgs,
    /// Train or infer
    #[arg(long, default_value = "train")]
    pub mode: StepMode,
    #[arg(long, value_name = "N", value_parser = positive, help = batch_size_help())]
    pub batch_size: Option<usize>,
    #[arg(long, value_name = "N", value_parser = positive, help = steps_help())]
    pub steps: Option<usize>,
    #[arg(long, value_name = "N", value_parser = positive, help = group_help())]
    pub group: Option<usize>,
    #[arg(long, value_name = "N", help = warmup_help())]
    pub warmup: Option<usize>,
    /// What is done to each training image, as in `capsnet train`; part of the timed step [default: nothing]
    #[arg(long, value_name = "SPEC")]
    pub augment: Vec<Augment>,
    /// Seed of weights and augmentation
    #[arg(long, value_name = "N", default_value = "1")]
    pub seed: u64,
    /// Print one JSON object and nothing else on standard output
    #[arg(long)]
    pub json: bool,
}

fn batch_size_help() -> String {
    let defaults = of_each_model(|model| model.usual_training().batch_size);
    format!("Images a step [default: {defaults}]")
}

fn steps_help() -> String {
    let defaults = of_each_model(|model| model.timing().steps);
    format!("Steps to time, rounded up to whole blocks [default: {defaults}]")
}

fn group_help() -> String {
    let defaults = of_each_model(|model| model.timing().group);
    format!("Steps in a block that is timed as one, at most --steps [default: {defaults}]")
}

fn warmup_help() -> String {
    let defaults = of_each_model(|model| model.timing().warmup);
    format!("Steps before the clock runs [default: {defaults}]")
}
