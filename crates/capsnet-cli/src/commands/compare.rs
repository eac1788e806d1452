//! `capsnet compare`: the main job, and what the program does without a command.

use std::path::{Path, PathBuf};

use anyhow::Result;
use burn::prelude::Device;
use capsnet::compare::Compare;
use capsnet::device::default_threads;
use capsnet::evaluate::Condition;
use capsnet::loaded::{LoadedModel, NamedModel};
use capsnet::model::{Architecture, ModelConfig, named_by};
use capsnet::train::{Company, Ending, RunFolder, TrainConfig};
use capsnet_data::dataset::{Dataset, Split};
use capsnet_data::protocol::Values;
use capsnet_data::random::Seed;
use capsnet_data::transform::Resample;
use capsnet_measure::Comparison;
use capsnet_onnx::AnyModel;
use capsnet_report::page::compare::ComparePage;
use clap::Args;
use serde::Serialize;

use super::train::{Watched, run_with_progress};
use crate::args::value::positive_u64;
use crate::args::{DataArgs, ModelsArgs};
use crate::images::{data_folder, read};
use crate::output::{claim, line, note};
use crate::progress::Progress;
use crate::setting::usage;
use crate::stop::Interrupted;

pub(crate) const COMPARE_EXAMPLES: &str = "Examples:
  capsnet compare
  capsnet compare --rotate=-30,30 --resample bilinear
  capsnet compare --models lenet5,equivariant-capsnet --rotate=-45..45:15
  capsnet compare --weights before=runs/a/best.safetensors after=runs/b/best.safetensors
  capsnet compare --train --epochs 1 --limit 6000
  capsnet compare --limit 1000 --json";

#[derive(Args, Debug)]
pub(crate) struct CompareArgs {
    #[command(flatten)]
    models: ModelsArgs,
    #[command(flatten)]
    data: DataArgs,
    /// Angles in degrees, counter-clockwise: numbers and from..to:step, separated by commas
    #[arg(
        long,
        value_name = "A,B..C:STEP",
        allow_hyphen_values = true,
        default_value = "15,-23,35"
    )]
    rotate: Values,
    /// How a rotation reads between the pixels
    #[arg(long, default_value = "nearest", value_name = "nearest|bilinear")]
    resample: Resample,
    /// Train the models first, instead of taking weights that are there
    #[arg(long, conflicts_with = "weights")]
    train: bool,
    /// Passes over the training images, with --train
    #[arg(long, value_name = "N", requires = "train", value_parser = positive_u64, default_value = "1")]
    epochs: u64,
    /// Seed of the training, of random transforms, and of the sample with --limit
    #[arg(long, value_name = "N", default_value = "1")]
    seed: u64,
    /// Folder for the pictures, and for the runs with --train
    #[arg(long, value_name = "DIR", default_value = "runs/compare")]
    out: PathBuf,
    /// Print one JSON object and nothing else on standard output
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Output {
    #[serde(flatten)]
    comparison: Comparison,
    /// Files.
    pictures: Vec<String>,
}

/// Digits of each picture.
const DIGITS: usize = 32;

pub(crate) fn run(args: &CompareArgs) -> Result<()> {
    let conditions = Condition::upright_and(args.rotate.points(), args.resample);
    let conditions = conditions.map_err(|error| usage(format!("--rotate: {error}")))?;
    let device = args.data.compute.start()?;
    let (data, sample) = args.data.load_sample(Seed(args.seed))?;
    let _alone = claim(&args.out, "a comparison")?;
    let models: Vec<AnyModel> = if args.train {
        trained(args, &device)?.into_iter().map(AnyModel::from).collect()
    } else {
        args.models.read(&device)?
    };
    models.iter().try_for_each(|model| model.check_outputs(&data))?;
    let models: Vec<NamedModel> = models.iter().map(AnyModel::named).collect();
    let data = named_by(data, models.iter().map(|named| named.model));
    let compare = Compare {
        models: &models,
        data: &data,
        sample,
        conditions: &conditions,
        seed: Seed(args.seed),
        device: &device,
    };
    let mut progress = Progress::new("comparing", "image", compare.images(), 0);
    let compared = compare.run(&mut |done, label, condition| {
        progress.set(done, &format!("{label} {}", condition.label()));
    })?;
    progress.clear();
    let examples = compare.examples(&compared, DIGITS);
    let page = ComparePage {
        comparison: &compared.comparison,
        examples: &examples,
        seed: args.seed,
    };
    let pictures = page.save_pictures(&args.out)?;
    let pictures: Vec<String> = pictures.iter().map(|path| path.display().to_string()).collect();
    if args.json {
        let output = Output {
            comparison: compared.comparison,
            pictures,
        };
        return line(serde_json::to_string(&output)?);
    }
    line(page.text()?)?;
    line("pictures:")?;
    pictures
        .iter()
        .try_for_each(|picture| line(format_args!("  {picture}")))
}

/// Trains every model that is named and takes its last weights.
fn trained(args: &CompareArgs, device: &Device) -> Result<Vec<LoadedModel>> {
    let folder = data_folder(args.data.dataset, &[Split::Train], args.data.data.as_deref())?;
    let data = read(&folder, Split::Train, args.data.image.map(|size| size.0))?;
    let models = args.models.named().into_iter();
    models.map(|model| train(args, model, &folder, &data, device)).collect()
}

fn train(
    args: &CompareArgs,
    mut model: ModelConfig,
    folder: &Path,
    data: &Dataset,
    device: &Device,
) -> Result<LoadedModel> {
    model.take(data.shape(), data.class_names().len());
    let config = TrainConfig {
        data: folder.canonicalize()?,
        epochs: args.epochs,
        seed: args.seed,
        limit: args.data.limit,
        image: args.data.image.map(|size| size.0),
        // The last weights are compared, so there is nothing to choose by validation images.
        validation: 0,
        threads: args.data.compute.threads.unwrap_or_else(default_threads),
        ..TrainConfig::for_model(model)
    };
    args.data
        .compute
        .check_memory(&config, config.training_images(data.len())?)?;
    let run = RunFolder::create_numbered(&args.out, &config, &|_| Ok(()))?;
    let watched = Watched {
        company: &Company::alone(),
        tensorboard: true,
        dashboard: false,
    };
    let summary = run_with_progress(&config, data, &run, device, watched)?;
    if summary.ending == Ending::Interrupted {
        let root = run.root().display();
        note(format_args!(
            "stopped while training; go on with: capsnet train --resume {root}"
        ));
        return Err(Interrupted.into());
    }
    Ok(LoadedModel::of_run(&run, &config, &summary, device)?)
}
