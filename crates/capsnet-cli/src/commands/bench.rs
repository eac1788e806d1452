//! `capsnet bench`.

mod job;
mod timing;

use std::time::{Duration, Instant};

use anyhow::Result;
use capsnet::evaluate::check_fits;
use capsnet::model::{Architecture, ModelConfig, Timing};
use capsnet::settings::of_each_model;
use capsnet::train::TrainConfig;
use capsnet_data::dataset::{Dataset, Split};
use capsnet_data::transform::Augment;
use capsnet_report::number::{count, measure};
use capsnet_report::{Column, Table};
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use crate::args::value::positive;
use crate::args::{DataArgs, model};
use crate::output::line;
use crate::progress::Progress;
use crate::setting::usage;
use job::Job;
use timing::{Times, peak_rss_mb};

pub(crate) const EXAMPLES: &str = "Examples:
  capsnet bench step capsnet
  capsnet bench step capsnet --mode infer --batch-size 1 --steps 200 --threads 2
  capsnet bench step lenet5 --augment translate=2 --json";

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
    Step(BenchStepArgs),
}

/// What a benchmark's step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StepMode {
    /// Loss, gradients and an update of the weights
    Train,
    /// The predicted classes, and CapsNet's pictures of them
    Infer,
}

#[derive(Args, Debug)]
pub(crate) struct BenchStepArgs {
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

pub(crate) fn run(args: &BenchArgs) -> Result<()> {
    match &args.command {
        BenchCommand::Step(args) => step(args),
    }
}

/// How many steps are made, and how they are timed.
#[derive(Clone, Copy, Debug)]
struct Plan {
    warmup: usize,
    /// Steps in a block.
    group: usize,
    blocks: usize,
}

impl Plan {
    fn from_args(args: &BenchStepArgs) -> Self {
        let Timing { warmup, group, steps } = args.model.timing();
        let steps = args.steps.unwrap_or(steps);
        let group = args.group.unwrap_or(group).min(steps);
        Self {
            warmup: args.warmup.unwrap_or(warmup),
            group,
            blocks: steps.div_ceil(group),
        }
    }

    fn steps(&self) -> usize {
        self.blocks * self.group
    }
}

#[derive(Serialize)]
struct Report {
    model: &'static str,
    mode: &'static str,
    parameters: usize,
    dataset: String,
    augment: String,
    batch_size: usize,
    device: String,
    threads: usize,
    instruction_set: &'static str,
    version: &'static str,
    warmup: usize,
    /// Timed steps.
    steps: usize,
    /// Steps in a block that was timed as one.
    group: usize,
    /// Of a step.
    min_ms: f64,
    /// Of a step.
    median_ms: f64,
    /// At the median.
    images_per_s: f64,
    peak_rss_mb: Option<f64>,
    /// Of the very first step, warm-up included; `null` for inference.
    loss_first: Option<f64>,
    loss_last: Option<f64>,
}

fn step(args: &BenchStepArgs) -> Result<()> {
    let config = config_from(args)?;
    let device = args.data.compute.start()?;
    let data = args.data.load(Split::Train)?;
    check_fits(&data, config.model.input())?;
    if config.batch_size > data.len() {
        let (size, images) = (count(config.batch_size as u64), count(data.len() as u64));
        let message = format!("--batch-size: a batch of {size} is more than the {images} images that there are");
        return Err(usage(message).into());
    }
    let plan = Plan::from_args(args);
    let mut job = Job::new(&config, &data, args.mode, &device)?;
    let parameters = job.parameters();
    let outcome = make_steps(&mut job, &plan, &format!("timing {}", config.model.title()))?;
    let times = Times::of(&outcome.blocks, plan.group);
    let report = Report {
        model: args.model.name(),
        mode: match args.mode {
            StepMode::Train => "train",
            StepMode::Infer => "infer",
        },
        parameters,
        dataset: data.name().to_owned(),
        augment: config.augment.to_string(),
        batch_size: config.batch_size,
        device: args.data.compute.device.clone(),
        threads: rayon::current_num_threads(),
        instruction_set: capsnet_kernels::instruction_set(),
        version: env!("CARGO_PKG_VERSION"),
        warmup: plan.warmup,
        steps: plan.steps(),
        group: plan.group,
        min_ms: times.min_ms,
        median_ms: times.median_ms,
        images_per_s: config.batch_size as f64 * 1e3 / times.median_ms,
        peak_rss_mb: peak_rss_mb(),
        loss_first: outcome.loss_first,
        loss_last: outcome.loss_last,
    };
    if args.json {
        return line(serde_json::to_string(&report)?);
    }
    print(&report, &data, config.model.title())
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

/// What the steps came to.
struct Outcome {
    /// The time of each block.
    blocks: Vec<Duration>,
    /// The loss of the very first step, if it trains.
    loss_first: Option<f64>,
    loss_last: Option<f64>,
}

fn make_steps(job: &mut Job, plan: &Plan, title: &str) -> Result<Outcome> {
    let mut progress = Progress::new(title, "step", plan.warmup + plan.steps(), 0);
    let (mut first, mut last) = (None, None);
    for done in 0..plan.warmup {
        last = job.step()?;
        first = first.or(last);
        progress.set(done + 1, "warming up");
    }
    let mut blocks = Vec::with_capacity(plan.blocks);
    for block in 1..=plan.blocks {
        let begin = Instant::now();
        for _ in 0..plan.group {
            last = job.step()?;
            first = first.or(last);
        }
        blocks.push(begin.elapsed());
        progress.set(plan.warmup + block * plan.group, "");
    }
    progress.clear();
    Ok(Outcome {
        blocks,
        loss_first: first,
        loss_last: last,
    })
}

fn print(report: &Report, data: &Dataset, title: &str) -> Result<()> {
    let (steps, group) = (count(report.steps as u64), report.group);
    let blocks = if group == 1 {
        String::new()
    } else {
        format!(" in blocks of {group}")
    };
    line(format_args!(
        "{title} ({} parameters) on {}, augmentation {}: {} threads, {}, {steps} steps timed{blocks}\n",
        count(report.parameters as u64),
        data.name(),
        report.augment,
        report.threads,
        report.instruction_set,
    ))?;
    let mut table = Table::new(vec![
        Column::left("mode"),
        Column::right("batch"),
        Column::right("min ms"),
        Column::right("median ms"),
        Column::right("images/s"),
        Column::right("peak MB"),
        Column::right("first loss"),
        Column::right("last loss"),
    ]);
    let optional = |value: Option<f64>| value.map_or("-".to_owned(), measure);
    table.push([
        report.mode.to_owned(),
        count(report.batch_size as u64),
        measure(report.min_ms),
        measure(report.median_ms),
        measure(report.images_per_s),
        optional(report.peak_rss_mb),
        optional(report.loss_first),
        optional(report.loss_last),
    ])?;
    line(table.to_text())
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
