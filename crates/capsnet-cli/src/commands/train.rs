//! `capsnet train`.

mod resume;
mod settle;
mod tell;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use burn::prelude::Device;
use capsnet::model::{Architecture, ModelConfig};
use capsnet::settings::{Preset, Setting, UsualImages};
use capsnet::tensorboard::EventLog;
use capsnet::train::{
    Company, Ending, Event, Position, RunFolder, Summary, TrainConfig, check_data, data_warnings, follow, train_with,
};
use capsnet_data::dataset::Dataset;
use capsnet_pictures::training::{save_curves, save_first_images};
use capsnet_report::command::quoted;
use capsnet_report::duration::duration;
use capsnet_report::number::counted;
use clap::Args;
use tell::Teller;

use crate::args::{ComputeArgs, DataArgs, SETTINGS, SettingFlags, model};
use crate::output::{YELLOW, line, note, painted};
use crate::setting::{start_threads, usage};
use crate::stop::{Interrupted, STOP, stop_when_asked};

pub(crate) const EXAMPLES: &str = "Examples:
  capsnet train lenet5 --epochs 3
  capsnet train capsnet --dashboard
  capsnet train capsnet --epochs 3 --schedule cosine --out runs/mine
  capsnet train lenet5 --augment 'translate=2,rotate=-45..45'
  capsnet train capsnet --protocol multimnist --epochs 3 --batch-size 64
  capsnet train cnn --parameters 1000000
  capsnet train capsnet --set model.class_dimensions=8 --set adam.beta_1=0.8
  capsnet train --preset fast --seed 2
  capsnet train --config runs/mine/config.toml --epochs 5
  capsnet train --resume runs/lenet5-1
  capsnet train --resume runs/lenet5-1 --epochs 40
  capsnet train lenet5 --weights runs/lenet5-1/best.safetensors --learning-rate 1e-4
  mpirun -n 4 capsnet train capsnet    (a build with the feature mpi; see docs/clusters.md)

Keys of --set and --config are those of a run's config.toml, its tables with dots: model.routing.iterations. A preset
comes first, then --config, then flags, then --set: what comes later has the last word.

A folder is one command's at a time; a second one is refused. Ctrl-C, SIGTERM and a terminal that hangs up end a
training with a checkpoint and the exit codes 130, 143 and 129; it goes on with --resume, and ends with the bytes of one
that was never stopped if it goes on with the same program on the same instruction set.";

const RUN: &str = "The run";
const SETTINGS_TOGETHER: &str = "Several settings at once";

#[derive(Args, Debug)]
pub(crate) struct TrainArgs {
    /// Which model; --preset and --config may name it too
    #[arg(required_unless_present_any = ["preset", "config", "resume", "weights"], value_parser = model())]
    pub model: Option<ModelConfig>,
    #[command(flatten)]
    pub data: DataArgs,
    #[command(flatten)]
    pub flags: SettingFlags,
    /// Set a key of the run's config.toml, for example epochs=3 or model.routing.iterations=1; none leaves it out
    #[arg(long, value_name = "KEY=VALUE", help_heading = SETTINGS_TOGETHER)]
    pub set: Vec<Setting>,
    /// Begin with the settings in this file: a run's config.toml, or a part of one
    #[arg(long, value_name = "FILE", help_heading = SETTINGS_TOGETHER)]
    pub config: Option<PathBuf>,
    /// Begin with settings that belong together: paper, tutorial or fast; --preset help says what to expect of them
    #[arg(long, value_name = "NAME", value_parser = Preset::wanted, help_heading = SETTINGS_TOGETHER)]
    pub preset: Option<&'static Preset>,
    /// Folder of the run [default: runs/MODEL-1, or the next free number]
    #[arg(long, value_name = "DIR", conflicts_with = "resume", help_heading = RUN)]
    pub out: Option<PathBuf>,
    /// Show bar, curves, the last validation and its mistakes on the whole terminal; q stops with a checkpoint
    #[arg(long, help_heading = RUN)]
    pub dashboard: bool,
    /// Write no event files for TensorBoard into the run's folder
    #[arg(long, help_heading = RUN)]
    pub no_tensorboard: bool,
    /// Begin with the weights in this file, and with its model unless flags change it
    #[arg(long, value_name = "FILE", help_heading = RUN)]
    pub weights: Option<PathBuf>,
    /// Go on with the run in this folder, with its own settings; with --epochs up to so many, also if it had ended
    #[arg(long, value_name = "DIR", help_heading = RUN,
        conflicts_with_all = [SETTINGS, "set", "config", "preset", "limit", "weights"])]
    pub resume: Option<PathBuf>,
    /// Let --resume go on with other images than those that the run was begun with
    #[arg(long, requires = "resume", help_heading = RUN)]
    pub allow_changed_data: bool,
}

pub(crate) fn run(args: &TrainArgs) -> Result<()> {
    let company = Company::join()?;
    if !company.leads() {
        stop_when_asked("")?;
        return Ok(follow::<ModelConfig>(&company, &args.data.compute.open()?, &STOP)?);
    }
    match &args.resume {
        Some(root) => resume::run(args, root, &company),
        None => begin(args, &company),
    }
}

fn begin(args: &TrainArgs, company: &Company) -> Result<()> {
    let (mut config, data) = settle::settle(args)?;
    let compute = &args.data.compute;
    let device = compute.open()?;
    company.cut(&mut config, &device).map_err(usage)?;
    start_threads(company.threads(config.threads))?;
    // A run that can't begin shouldn't leave a folder that is in the way of the next attempt.
    let images = check_data(&config, &data)?;
    compute.check_memory(&config, images)?;
    warn(&config, &data);
    let first = match &args.weights {
        Some(path) => {
            let first = config.first_model(path, &device);
            Some(first.with_context(|| format!("--weights {}", path.display()))?)
        }
        None => None,
    };
    let prepare = |folder: &RunFolder| match &first {
        Some(model) => folder.begin_with(model, &config, &data),
        None => Ok(()),
    };
    let folder = match &args.out {
        Some(out) => RunFolder::create_with(out, &config, &prepare)?,
        None => RunFolder::create_numbered(Path::new("runs"), &config, &prepare)?,
    };
    let summary = run_with_progress(&config, &data, &folder, &device, args.watched(company))?;
    report(&summary, &folder, &config, compute)
}

/// Says what the images lack.
fn warn(config: &TrainConfig, data: &Dataset) {
    for warning in data_warnings(config, data) {
        note(format_args!("{} {warning}", painted("warning:", YELLOW)));
    }
}

/// Where a training goes, beside its folder's files, and who takes part.
#[derive(Clone, Copy)]
pub(crate) struct Watched<'a> {
    pub(crate) company: &'a Company,
    /// Into event files for TensorBoard.
    pub(crate) tensorboard: bool,
    /// On a dashboard, if there is a terminal.
    pub(crate) dashboard: bool,
}

impl TrainArgs {
    fn watched<'a>(&self, company: &'a Company) -> Watched<'a> {
        Watched {
            company,
            tensorboard: !self.no_tensorboard,
            dashboard: self.dashboard,
        }
    }
}

/// Trains, tells how it goes, and draws the curves of every epoch; being asked to stop stops with a checkpoint.
pub(crate) fn run_with_progress(
    config: &TrainConfig,
    data: &Dataset,
    folder: &RunFolder,
    device: &Device,
    watched: Watched<'_>,
) -> Result<Summary> {
    let company = watched.company;
    stop_when_asked(company.stopping())?;
    company.call(config)?;
    if let Some(words) = company.words(folder.root()) {
        note(words);
    }
    let mut log = watched.tensorboard.then(|| EventLog::new(folder.root()));
    let mut teller = Teller::new(config, folder);
    if watched.dashboard {
        teller = teller.on_dashboard(data.class_names());
    }
    let summary = train_with(
        company.ranks(),
        config,
        data,
        Some(folder),
        device,
        &STOP,
        &mut |event| {
            if let Some(Err(error)) = log.as_mut().map(|log| log.hear(&event)) {
                teller.say(format_args!("no more events for TensorBoard: {error}"));
                log = None;
            }
            // Now that nothing stands in the way: a run that is refused stays as it is.
            if let Event::Started { .. } = event
                && let Err(error) = save_first_images(folder, config, data)
            {
                let error = anyhow::Error::from(error);
                teller.say(format_args!("the training images were not drawn: {error:#}"));
            }
            teller.hear(&event);
            if let Event::Epoch(_) = event {
                draw_curves(folder, config, &mut teller);
            }
        },
    );
    if let Ok(summary) = &summary
        && summary.position.epoch > 0
    {
        draw_curves(folder, config, &mut teller);
    }
    Ok(summary?)
}

/// A picture is not worth a training: says what went wrong and goes on.
fn draw_curves(folder: &RunFolder, config: &TrainConfig, teller: &mut Teller) {
    if let Err(error) = save_curves(folder, config) {
        teller.say(format_args!(
            "the curves were not drawn: {:#}",
            anyhow::Error::from(error)
        ));
    }
}

fn report(summary: &Summary, folder: &RunFolder, config: &TrainConfig, compute: &ComputeArgs) -> Result<()> {
    let device = compute.words();
    let root = folder.root().display();
    match summary.ending {
        Ending::Interrupted => {
            // Where nobody reads any more, that it was interrupted is still what is to be told.
            let _ = line(format_args!(
                "stopped after step {}; go on with: capsnet train --resume {root}{device}",
                summary.position.step
            ));
            Err(Interrupted.into())
        }
        Ending::Completed | Ending::StoppedEarly => say_ended(&summary.position, folder, config, compute),
    }
}

/// Says what a run has come to and where its weights are.
fn say_ended(position: &Position, folder: &RunFolder, config: &TrainConfig, compute: &ComputeArgs) -> Result<()> {
    let protocol = config.protocol.map(|protocol| format!(" --protocol {protocol}"));
    let time = duration(Duration::from_secs_f64(position.seconds));
    line(format_args!("trained {} in {time}", counted(position.epoch, "epoch")))?;
    let (best, last) = (folder.best_path(), folder.last_path());
    line(format_args!("weights: {}, {}", best.display(), last.display()))?;
    let weights = ["--weights".to_owned(), best.display().to_string()];
    let words = weights.into_iter().chain(UsualImages::or_flags(config));
    line(format_args!(
        "test them with: capsnet test {}{} {}{}",
        config.model.name(),
        protocol.unwrap_or_default(),
        words.map(|word| quoted(&word)).collect::<Vec<_>>().join(" "),
        compute.words()
    ))
}
