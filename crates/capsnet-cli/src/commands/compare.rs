//! `capsnet compare`: the main job.

mod pictures;

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use burn::prelude::Device;
use capsnet::evaluate::Evaluation;
use capsnet::model::{Architecture, Classifier, Model, ModelConfig};
use capsnet::train::{Ending, RunFolder, TrainConfig};
use capsnet_data::dataset::{Dataset, Split};
use capsnet_data::locate::locate;
use capsnet_data::random::Seed;
use capsnet_data::transform::Pipeline;
use capsnet_report::duration::duration;
use capsnet_report::number::{count, percent};
use capsnet_report::page::images_shown;
use capsnet_report::{Column, Table};
use serde::{Deserialize, Serialize};

use super::measure::{Condition, ResultEntry, in_words, measure};
use super::train::{default_threads, free_folder, run_with_progress};
use crate::args::CompareArgs;
use crate::output::line;
use crate::setting::shipped_weights;

const MODELS: [&str; 2] = ["lenet5", "capsnet"];

/// A model in the comparison.
struct Contestant {
    model: Model,
    weights: String,
    /// How it was trained; `None` for weights that come without such a note.
    training: Option<Training>,
}

/// How a model was trained: what the file `NAME.json` beside shipped weights says, among other things.
#[derive(Clone, Serialize, Deserialize)]
struct Training {
    epochs: u64,
    /// Seconds of training.
    seconds: f64,
    /// What was done to the training images.
    augment: String,
}

#[derive(Serialize)]
struct Report {
    dataset: String,
    images: usize,
    models: Vec<ModelReport>,
    pictures: Vec<String>,
}

#[derive(Serialize)]
struct ModelReport {
    model: String,
    weights: String,
    parameters: usize,
    training_epochs: Option<u64>,
    training_seconds: Option<f64>,
    training_augment: Option<String>,
    results: Vec<ResultEntry>,
}

pub fn run(args: &CompareArgs) -> Result<()> {
    let device = args.data.compute.start()?;
    let (data, sample) = args.data.load_sample(Split::Test, Seed(args.seed))?;
    let conditions = conditions(args)?;
    fs::create_dir_all(&args.out).with_context(|| format!("can't create the folder {}", args.out.display()))?;
    let contestants = contestants(args, &device)?;
    let mut evaluations = Vec::new();
    for contestant in &contestants {
        evaluations.push(measure(&contestant.model, &data, &conditions, args.seed, &device)?);
    }
    let names: Vec<&str> = contestants.iter().map(|c| c.model.config.title()).collect();
    let pictures = pictures::draw(&args.out, &data, &conditions, &names, &evaluations, args.seed)?;
    if args.json {
        let models = contestants.iter().zip(&evaluations);
        let report = Report {
            dataset: data.name().to_owned(),
            images: data.len(),
            models: models.map(|(c, e)| model_report(c, &conditions, e, &data)).collect(),
            pictures,
        };
        line(serde_json::to_string(&report)?)?;
        return Ok(());
    }
    line(format_args!(
        "{}, {} resampling\n",
        images_shown(data.len() as u64, data.name(), sample),
        args.rotation.resample
    ))?;
    let table = table(&contestants, &conditions, &evaluations)?;
    line(table.to_text().trim_end())?;
    print_augmentation(&contestants)?;
    print_first_predictions(&data, &conditions, &names, &evaluations)?;
    line("\npictures:")?;
    for picture in pictures {
        line(format_args!("  {picture}"))?;
    }
    Ok(())
}

/// Upright first, then every angle.
fn conditions(args: &CompareArgs) -> Result<Vec<Condition>> {
    let upright = Pipeline::identity();
    let angles = args.rotation.rotate.iter().copied().map(Some);
    std::iter::once(None)
        .chain(angles)
        .map(|angle| Condition::new(&upright, angle, Some(args.rotation.resample)))
        .collect()
}

fn contestants(args: &CompareArgs, device: &Device) -> Result<Vec<Contestant>> {
    if !args.train {
        return MODELS.iter().map(|&name| shipped(name, device)).collect();
    }
    let folder = locate(args.data.dataset, &[Split::Train], args.data.data.as_deref())?;
    let data = Dataset::load(&folder, Split::Train)?;
    MODELS
        .iter()
        .map(|&name| trained(args, name, &folder, &data, device))
        .collect()
}

fn shipped(name: &str, device: &Device) -> Result<Contestant> {
    let path = shipped_weights(name)?;
    let model: Model = capsnet::weights::load(&path, device)?;
    let note = fs::read(path.with_extension("json")).ok();
    Ok(Contestant {
        model: model.valid(),
        weights: path.display().to_string(),
        training: note.and_then(|bytes| serde_json::from_slice(&bytes).ok()),
    })
}

fn trained(args: &CompareArgs, name: &str, folder: &Path, data: &Dataset, device: &Device) -> Result<Contestant> {
    let config = TrainConfig {
        data: folder.canonicalize()?,
        epochs: args.epochs,
        seed: args.seed,
        limit: args.data.limit,
        // The last weights are compared, so there is nothing to choose by validation images.
        validation: 0,
        threads: args.data.compute.threads.unwrap_or_else(default_threads),
        ..TrainConfig::for_model(ModelConfig::named(name).expect("the model is of the list"))
    };
    let run = RunFolder::create(&free_folder(&args.out, name), &config)?;
    let summary = run_with_progress(&config, data, &run, device)?;
    if summary.ending == Ending::Interrupted {
        let (root, device) = (run.root().display(), args.data.compute.words());
        anyhow::bail!("stopped while training; go on with: capsnet train {name} --resume {root}{device}");
    }
    Ok(Contestant {
        model: summary.model,
        weights: run.last_path().display().to_string(),
        training: Some(Training {
            epochs: summary.position.epoch,
            seconds: summary.position.seconds,
            augment: config.augment.to_string(),
        }),
    })
}

fn model_report(
    contestant: &Contestant,
    conditions: &[Condition],
    evaluations: &[Evaluation],
    data: &Dataset,
) -> ModelReport {
    let training = contestant.training.as_ref();
    let results = conditions.iter().zip(evaluations);
    ModelReport {
        model: contestant.model.config.name().to_owned(),
        weights: contestant.weights.clone(),
        parameters: contestant.model.parameters(),
        training_epochs: training.map(|t| t.epochs),
        training_seconds: training.map(|t| t.seconds),
        training_augment: training.map(|t| t.augment.clone()),
        results: results.map(|(c, e)| ResultEntry::new(c, e, data)).collect(),
    }
}

/// One column a model.
fn table(contestants: &[Contestant], conditions: &[Condition], evaluations: &[Vec<Evaluation>]) -> Result<Table> {
    let headings = contestants.iter().map(|c| Column::right(c.model.config.title()));
    let mut table = Table::new(std::iter::once(Column::left("")).chain(headings));
    let mut row = |label: &str, cell: &dyn Fn(usize) -> String| -> Result<()> {
        let cells = (0..contestants.len()).map(cell);
        Ok(table.push(std::iter::once(label.to_owned()).chain(cells))?)
    };
    row("parameters", &|m| count(contestants[m].model.parameters() as u64))?;
    row("training time", &|m| match &contestants[m].training {
        Some(training) => duration(Duration::from_secs_f64(training.seconds)),
        None => "unknown".to_owned(),
    })?;
    row("training epochs", &|m| match &contestants[m].training {
        Some(training) => training.epochs.to_string(),
        None => "unknown".to_owned(),
    })?;
    for (number, condition) in conditions.iter().enumerate() {
        let label = match condition.rotate {
            None => "accuracy, upright".to_owned(),
            Some(angle) => format!("accuracy, rotated {}", capsnet_report::number::degrees(angle)),
        };
        row(&label, &|m| percent(evaluations[m][number].score.accuracy(), 2))?;
    }
    Ok(table)
}

/// What the models were trained on decides what their figures under rotation mean.
fn print_augmentation(contestants: &[Contestant]) -> Result<()> {
    line("")?;
    for contestant in contestants {
        let augment = contestant
            .training
            .as_ref()
            .map_or("unknown", |training| &training.augment);
        line(format_args!(
            "{} was trained on images with: {augment}",
            contestant.model.config.title()
        ))?;
    }
    Ok(())
}

fn print_first_predictions(
    data: &Dataset,
    conditions: &[Condition],
    names: &[&str],
    evaluations: &[Vec<Evaluation>],
) -> Result<()> {
    let width = names.iter().map(|name| name.len()).max().unwrap_or(0);
    for (number, condition) in conditions.iter().enumerate() {
        line(format_args!("\nfirst predictions, {}", condition.label()))?;
        let truth = in_words(&evaluations[0][number].labels, data);
        line(format_args!("  {:width$}  {}", "truth", truth.join(" ")))?;
        for (name, evaluations) in names.iter().zip(evaluations) {
            let words = in_words(&evaluations[number].predictions, data);
            line(format_args!("  {name:width$}  {}", words.join(" ")))?;
        }
    }
    Ok(())
}
