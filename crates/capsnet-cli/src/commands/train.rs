//! `capsnet train`.

mod pictures;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use burn::prelude::Device;
use capsnet::model::Architecture;
use capsnet::train::{Ending, Event, RunFolder, Summary, TrainConfig, check_data, train, training_data};
use capsnet_data::dataset::{Dataset, Split};
use capsnet_data::locate::locate;
use capsnet_data::protocol::Protocol;
use capsnet_data::transform::Augment;
use capsnet_report::duration::duration;
use capsnet_report::number::{count, percent};

use crate::architecture::apply_architecture;
use crate::args::{ComputeArgs, TrainArgs};
use crate::output::line;
use crate::progress::Progress;
use crate::setting::{UsageError, config_for, start_threads};

pub fn run(args: &TrainArgs) -> Result<()> {
    let (resumed, mut config) = match &args.resume {
        Some(root) => RunFolder::open(root).map(|(folder, config)| (Some(folder), config))?,
        None => (None, config_from(args)?),
    };
    if let Some(threads) = args.data.compute.threads {
        config.threads = threads;
    }
    if let Some(data) = &args.data.data {
        config.data = data.clone();
    }
    let name = config.model.name();
    if let Some(folder) = &resumed
        && name != args.model.name()
    {
        anyhow::bail!(
            "the run in {} trains {name}; use `capsnet train {name} --resume ..`",
            folder.root().display()
        );
    }
    start_threads(config.threads)?;
    let device = args.data.compute.open()?;
    let data = training_data(&config)?;
    // A run that can't begin shouldn't leave a folder that is in the way of the next attempt.
    check_data(&config, &data)?;
    let folder = match resumed {
        Some(folder) => folder,
        None => RunFolder::create(
            &args
                .out
                .clone()
                .unwrap_or_else(|| free_folder(Path::new("runs"), args.model.name())),
            &config,
        )?,
    };
    let summary = run_with_progress(&config, &data, &folder, &device)?;
    report(&summary, &folder, &config, &args.data.compute)
}

/// Settings of a new run from flags.
pub fn config_from(args: &TrainArgs) -> Result<TrainConfig> {
    let model = config_for(args.model.clone(), args.variant, args.routing_iterations)?;
    let splits: &[Split] = match args.protocol {
        Some(Protocol::MnistRot) => &[Split::Train, Split::Test],
        _ => &[Split::Train],
    };
    let data = locate(args.data.dataset, splits, args.data.data.as_deref())?;
    let mut config = TrainConfig::for_model(model);
    if let Some(protocol) = args.protocol {
        config.set_protocol(protocol);
    }
    // After the protocol: how wide a CNN of so many parameters is depends on the size of the images.
    apply_architecture(&mut config.model, &args.architecture)?;
    // A run may be resumed from another folder.
    config.data = data
        .canonicalize()
        .with_context(|| format!("can't resolve {}", data.display()))?;
    config.epochs = args.epochs.unwrap_or(config.epochs);
    config.batch_size = args.batch_size.unwrap_or(config.batch_size);
    config.learning_rate = args.learning_rate.unwrap_or(config.learning_rate);
    config.schedule = args.schedule.unwrap_or(config.schedule);
    if !args.augment.is_empty() {
        config.augment = Augment::from_specs(args.augment.iter().map(ToString::to_string))?;
    }
    config.seed = args.seed.unwrap_or(config.seed);
    config.limit = args.data.limit;
    config.validation = args.validation.unwrap_or(config.validation);
    config.patience = args.patience;
    config.threads = args.data.compute.threads.unwrap_or_else(default_threads);
    config.checkpoint_seconds = args.checkpoint_every.unwrap_or(config.checkpoint_seconds);
    match config.validate() {
        Err(error) if args.protocol.is_some() => Err(UsageError(error.to_string()).into()),
        result => Ok(result.map(|()| config)?),
    }
}

/// One thread a core.
pub fn default_threads() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// `BASE/MODEL-N` with the first number that is free.
pub fn free_folder(base: &Path, model: &str) -> PathBuf {
    (1..)
        .map(|number| base.join(format!("{model}-{number}")))
        .find(|path| !path.exists())
        .expect("there are more numbers than folders")
}

/// Set by Ctrl-C. There is one for the process: `compare --train` trains twice, and a handler can be installed once.
pub static STOP: AtomicBool = AtomicBool::new(false);

/// Makes Ctrl-C set [`STOP`].
pub fn stop_on_ctrl_c() -> Result<()> {
    let handler = || {
        if STOP.swap(true, Ordering::Relaxed) {
            // Asked twice: the checkpoint of a minute ago has to do.
            std::process::exit(1);
        }
        eprintln!("stopping after this step; press Ctrl-C again to stop at once");
    };
    match ctrlc::set_handler(handler) {
        Err(ctrlc::Error::MultipleHandlers) => Ok(()),
        result => result.context("can't watch for Ctrl-C"),
    }
}

/// Trains with a progress bar; Ctrl-C stops with a checkpoint.
pub fn run_with_progress(config: &TrainConfig, data: &Dataset, folder: &RunFolder, device: &Device) -> Result<Summary> {
    stop_on_ctrl_c()?;
    if !folder.metrics_path().exists() {
        pictures::draw_augmented(folder, config, data)?;
    }
    let mut bar: Option<Progress> = None;
    let mut images = 0;
    let (title, epochs) = (config.model.title(), config.epochs);
    let bar_title = |epoch: u64| format!("{title} epoch {}/{epochs}", epoch + 1);
    let summary = train(config, data, folder, device, &STOP, &mut |event| match event {
        Event::Started {
            position,
            images: total,
            parameters,
        } => {
            images = total;
            let verb = if position.step > 0 { "resuming" } else { "training" };
            eprintln!(
                "{verb} {title} ({} parameters) on {} images, {} held out; {}",
                count(parameters as u64),
                count(total as u64),
                count(config.validation as u64),
                folder.root().display()
            );
        }
        Event::Step {
            position,
            images_done,
            loss,
        } => {
            let bar = bar.get_or_insert_with(|| {
                let before = images_done.saturating_sub(config.batch_size);
                Progress::new(bar_title(position.epoch), "images", images, before)
            });
            bar.set(images_done, &format!("loss {loss:.4}"));
        }
        Event::Epoch(metrics) => {
            if let Some(bar) = bar.take() {
                bar.clear();
            }
            let validation = match (metrics.validation_loss, metrics.validation_accuracy) {
                (Some(loss), Some(accuracy)) => {
                    format!("; validation loss {loss:.4}, accuracy {}", percent(accuracy, 2))
                }
                _ => String::new(),
            };
            eprintln!(
                "epoch {}/{epochs}: loss {:.4}, accuracy {}{validation}{}  ({})",
                metrics.epoch,
                metrics.train_loss,
                percent(metrics.train_accuracy, 2),
                if metrics.best { ", the best so far" } else { "" },
                duration(Duration::from_secs_f64(metrics.seconds)),
            );
            draw_curves(folder, config);
        }
        Event::Checkpoint => {}
    });
    if let Some(bar) = bar {
        bar.clear();
    }
    let summary = summary?;
    if summary.position.epoch > 0 {
        draw_curves(folder, config);
    }
    Ok(summary)
}

/// A picture is not worth a training: says what went wrong and goes on.
fn draw_curves(folder: &RunFolder, config: &TrainConfig) {
    if let Err(error) = pictures::draw_curves(folder, config) {
        eprintln!("the curves were not drawn: {error:#}");
    }
}

fn report(summary: &Summary, folder: &RunFolder, config: &TrainConfig, compute: &ComputeArgs) -> Result<()> {
    let device = compute.words();
    let root = folder.root().display();
    let name = config.model.name();
    let protocol = config.protocol.map(|protocol| format!(" --protocol {protocol}"));
    match summary.ending {
        Ending::Interrupted => line(format_args!(
            "stopped after step {}; go on with: capsnet train {name} --resume {root}{device}",
            summary.position.step
        )),
        Ending::Completed | Ending::StoppedEarly => {
            let time = duration(Duration::from_secs_f64(summary.position.seconds));
            line(format_args!("trained {} epochs in {time}", summary.position.epoch))?;
            line(format_args!(
                "weights: {}, {}",
                folder.best_path().display(),
                folder.last_path().display()
            ))?;
            line(format_args!(
                "test them with: capsnet test {name}{} --weights {}{device}",
                protocol.unwrap_or_default(),
                folder.best_path().display()
            ))
        }
    }
}
