//! Flags of `capsnet bench`.

use capsnet_data::transform::Augment;
use clap::{Args, Subcommand, ValueEnum};

use super::shared::{DataArgs, ModelName};
use super::value::positive;

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
    pub model: ModelName,
    #[command(flatten)]
    pub data: DataArgs,
    /// Train or infer
    #[arg(long, default_value = "train")]
    pub mode: StepMode,
    /// Images a step [default: 8 for LeNet-5, 128 for the others]
    #[arg(long, value_name = "N", value_parser = positive)]
    pub batch_size: Option<usize>,
    /// Steps to time, rounded up to whole blocks [default: 2000 for LeNet-5, 10 for the others]
    #[arg(long, value_name = "N", value_parser = positive)]
    pub steps: Option<usize>,
    /// Steps in a block that is timed as one, at most --steps [default: 100 for LeNet-5, 1 for the others]
    #[arg(long, value_name = "N", value_parser = positive)]
    pub group: Option<usize>,
    /// Steps before the clock runs [default: 100 for LeNet-5, 2 for the others]
    #[arg(long, value_name = "N")]
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
