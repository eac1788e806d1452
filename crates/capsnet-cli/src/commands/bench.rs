//! `capsnet bench`.

use anyhow::Result;
use capsnet::bench::{Bench, BenchError, StepMode, machine_peak};
use capsnet::model::{Architecture, ModelConfig, Precision};
use capsnet::settings::of_each_model;
use capsnet::train::TrainConfig;
use capsnet_data::dataset::Split;
use capsnet_data::transform::Augment;
use capsnet_report::bench::{peak_text, text};
use capsnet_report::number::count;
use clap::{Args, Subcommand};

use crate::args::value::positive;
use crate::args::{ComputeArgs, DataArgs, model};
use crate::output::line;
use crate::progress::Progress;
use crate::setting::usage;

pub(crate) const EXAMPLES: &str = "Examples:
  capsnet bench step capsnet
  capsnet bench step capsnet --mode infer --batch-size 1 --steps 200 --threads 2
  capsnet bench step lenet5 --augment translate=2 --json
  capsnet bench step capsnet --batch-size 128 --profile
  capsnet bench peak --threads 2";

#[derive(Args, Debug)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    pub command: BenchCommand,
}

#[derive(Subcommand, Debug)]
pub(crate) enum BenchCommand {
    /// Time steps of training, or of inference, on the training images
    ///
    /// Training steps are those of `capsnet train`: a batch is prepared (and augmented, with --augment), the loss and
    /// its gradients are computed and Adam moves the weights. Inference prepares a batch and computes the predicted
    /// classes and, for CapsNet, the decoder's pictures of them. Batches are consecutive images. Some steps are made
    /// before the clock runs. Steps of LeNet-5 are short, so many of them are timed together as one block, and its time
    /// is divided by their number; minimum and median are those of the blocks.
    #[command(after_help = EXAMPLES)]
    Step(Box<BenchStepArgs>),
    /// Measure what the machine can do at most: multiply-adds in f32, dot products of bf16, reading memory
    ///
    /// With as many threads as commands use. What AMX's tiles could do is no part of it, as no kernel uses them.
    Peak(BenchPeakArgs),
}

#[derive(Args, Debug)]
pub(crate) struct BenchPeakArgs {
    #[command(flatten)]
    pub compute: ComputeArgs,
    /// Print one JSON object and nothing else on standard output
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct BenchStepArgs {
    /// Which model
    #[arg(value_parser = model())]
    pub model: ModelConfig,
    #[command(flatten)]
    pub data: DataArgs,
    /// Loss, gradients and an update of the weights; or the predicted classes, and CapsNet's pictures of them
    #[arg(long, value_name = "train|infer", default_value = "train")]
    pub mode: StepMode,
    /// How weights are kept; bf16 is for inference, and for CapsNet half the memory to read of up to 4 images
    #[arg(long, value_name = "f32|bf16", default_value = "f32")]
    pub precision: Precision,
    #[arg(long, value_name = "N", value_parser = positive)]
    #[arg(help = usual("Images a step", |model| model.usual_training().batch_size))]
    pub batch_size: Option<usize>,
    #[arg(long, value_name = "N", value_parser = positive)]
    #[arg(help = usual("Steps to time, rounded up to whole blocks", |model| model.timing().steps))]
    pub steps: Option<usize>,
    #[arg(long, value_name = "N", value_parser = positive)]
    #[arg(help = usual("Steps in a block that is timed as one, at most --steps", |model| model.timing().group))]
    pub group: Option<usize>,
    #[arg(long, value_name = "N", help = usual("Steps before the clock runs", |model| model.timing().warmup))]
    pub warmup: Option<usize>,
    /// What is done to each training image, as in `capsnet train`; part of the timed step [default: nothing]
    #[arg(long, value_name = "SPEC")]
    pub augment: Vec<Augment>,
    /// Seed of weights and augmentation
    #[arg(long, value_name = "N", default_value = "1")]
    pub seed: u64,
    /// Say where the time goes, kernel by kernel, and what share of the machine's peak that is
    #[arg(long)]
    pub profile: bool,
    /// Print one JSON object and nothing else on standard output
    #[arg(long)]
    pub json: bool,
}

pub(crate) fn run(args: &BenchArgs) -> Result<()> {
    match &args.command {
        BenchCommand::Step(args) => step(args),
        BenchCommand::Peak(args) => peak(args),
    }
}

fn peak(args: &BenchPeakArgs) -> Result<()> {
    args.compute.start()?;
    let peak = machine_peak();
    line(if args.json {
        serde_json::to_string(&peak)?
    } else {
        peak_text(&peak)
    })
}

fn step(args: &BenchStepArgs) -> Result<()> {
    let config = config_from(args)?;
    let device = args.data.compute.start()?;
    let data = args.data.load(Split::Train)?;
    let timing = args.model.timing().with(args.warmup, args.group, args.steps);
    let bench = Bench {
        config: &config,
        data: &data,
        mode: args.mode,
        precision: args.precision,
        timing,
        device: &device,
        device_name: &args.data.compute.device,
        profile: args.profile,
    };
    let mut progress = Progress::new(format!("timing {}", config.model.title()), "step", bench.steps(), 0);
    let times = bench.run(&mut |done| {
        progress.set(done, if done <= timing.warmup { "warming up" } else { "" });
    });
    progress.clear();
    let times = times.map_err(|error| match error {
        BenchError::TooFewImages { batch_size, images } => {
            let (size, images) = (count(batch_size as u64), count(images as u64));
            usage(format!(
                "--batch-size: a batch of {size} is more than the {images} images that there are"
            ))
            .into()
        }
        error => anyhow::Error::from(error),
    })?;
    if args.json {
        return line(serde_json::to_string(&times)?);
    }
    line(text(&times, config.model.title())?)
}

/// The settings of a training, of which the benchmark makes the first steps.
fn config_from(args: &BenchStepArgs) -> Result<TrainConfig> {
    if args.mode == StepMode::Infer && !args.augment.is_empty() {
        return Err(usage("--augment is for --mode train; inference takes images as they are".to_owned()).into());
    }
    let mut config = TrainConfig::for_model(args.model.clone());
    config.batch_size = args.batch_size.unwrap_or(config.batch_size);
    config.augment = Augment::from_specs(args.augment.iter().map(ToString::to_string))?;
    config.seed = args.seed;
    config.validate().map_err(usage)?;
    Ok(config)
}

/// A flag's help, with what is usual for each model.
fn usual(help: &str, number: impl Fn(&ModelConfig) -> usize) -> String {
    format!("{help} [default: {}]", of_each_model(number))
}
