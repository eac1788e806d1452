//! `capsnet draw`: pictures of what capsules do, with the numbers behind them.
//!
//! One file a picture, with its flags: `capsnet-pictures` asks the models and draws what they say, and this file lists
//! the pictures and saves one.

mod all;
mod angles;
mod couplings;
mod crowding;
mod digits;
mod doorway;
mod perturbations;
mod reconstructions;

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use burn::prelude::Device;
use capsnet::loaded::{LoadedModel, NamedModel};
use capsnet::look::LookError;
use capsnet_data::dataset::Dataset;
use capsnet_data::random::Seed;
use capsnet_pictures::{ChoiceError, Drawn, Error, Step, fitted};
use clap::{Args, Subcommand};

use crate::args::{DataArgs, WeightsArgs};
use crate::output::{line, place};
use crate::progress::Bars;
use crate::setting::usage;

pub(crate) const DRAW_EXAMPLES: &str = "Examples:
  capsnet draw all
  capsnet draw reconstructions --mistakes --rotate=0 --count 6
  capsnet draw perturbations --class 5
  capsnet draw couplings --index 8 --rotate=35 --json";

#[derive(Args, Debug)]
pub(crate) struct DrawArgs {
    #[command(subcommand)]
    drawing: Picture,
}

/// The list of the pictures.
#[derive(Subcommand, Debug)]
enum Picture {
    /// Digits beside what the decoder makes of the true class's capsule and of the predicted one's
    #[command(after_help = reconstructions::EXAMPLES)]
    Reconstructions(reconstructions::Flags),
    /// What each dimension of a capsule stands for: the decoder's images as one of them is moved
    #[command(after_help = perturbations::EXAMPLES)]
    Perturbations(perturbations::Flags),
    /// The same digits at a row of angles, with the models' answers
    #[command(after_help = angles::EXAMPLES)]
    Angles(angles::Flags),
    /// Where the strongest primary capsules send their votes, iteration by iteration, over the image
    #[command(after_help = couplings::EXAMPLES)]
    Couplings(couplings::Flags),
    /// Two digits in one image, of different classes and of the same, at a row of distances
    #[command(after_help = crowding::EXAMPLES)]
    Crowding(crowding::Flags),
    /// Routing step by step on a toy: squares and quarter discs whose votes for a doorway agree or disagree
    #[command(after_help = doorway::EXAMPLES)]
    Doorway(doorway::Flags),
    /// All of them, and a page that shows them
    #[command(after_help = all::EXAMPLES)]
    All(all::Flags),
}

/// Where pictures go.
#[derive(Args, Debug, Clone)]
struct OutArgs {
    /// A .png or .svg file, or a folder for both
    #[arg(long, value_name = "PATH", default_value = "runs/draw")]
    out: PathBuf,
    /// Print one JSON object, with the numbers behind the picture, and nothing else on standard output
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &DrawArgs) -> Result<()> {
    let (drawn, out) = match &args.drawing {
        Picture::Reconstructions(flags) => (reconstructions::draw(flags)?, &flags.out),
        Picture::Perturbations(flags) => (perturbations::draw(flags)?, &flags.out),
        Picture::Angles(flags) => (angles::draw(flags)?, &flags.out),
        Picture::Couplings(flags) => (couplings::draw(flags)?, &flags.out),
        Picture::Crowding(flags) => (crowding::draw(flags)?, &flags.out),
        Picture::Doorway(flags) => (doorway::draw(flags)?, &flags.out),
        Picture::All(flags) => return all::run(flags),
    };
    let files = save(&drawn, &out.out)?;
    if out.json {
        return line(serde_json::to_string(&drawn.entry(&files))?);
    }
    line(drawn.figure.sheet.caption())?;
    for file in files {
        line(format_args!("wrote {file}"))?;
    }
    Ok(())
}

/// Saves a picture in a folder that nobody has to itself.
fn save(drawn: &Drawn, out: &Path) -> Result<Vec<String>> {
    for path in drawn.files(out) {
        match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => place(folder)?,
            _ => place(Path::new("."))?,
        }
    }
    let files = drawn.save(out)?;
    Ok(files.iter().map(|path| path.display().to_string()).collect())
}

/// The model of a weights file, by its path from here; CapsNet where no file is given.
fn load(args: &WeightsArgs, device: &Device) -> Result<LoadedModel> {
    let model = args.load_any("capsnet", device)?;
    let here = std::env::current_dir().unwrap_or_default();
    let path = model.path.strip_prefix(here).unwrap_or(&model.path);
    let path = path.display().to_string();
    Ok(model.shown_as(path))
}

/// As functions of the library take them.
fn named(models: &[LoadedModel]) -> Vec<NamedModel<'_>> {
    models.iter().map(LoadedModel::named).collect()
}

/// The test images as these models take them; `--limit` leaves a sample.
fn images(flags: &DataArgs, models: &[NamedModel]) -> Result<Dataset> {
    let (data, _) = flags.load_sample(Seed(1))?;
    fitted(data, models).map_err(explain)
}

/// Says which flag it is about, and what to do.
fn explain(error: impl Into<Error>) -> anyhow::Error {
    match error.into() {
        Error::Model { weights, source } => explain_look(&weights, source),
        Error::NoDecoder => anyhow!("{}; name such a file with --weights", Error::NoDecoder),
        Error::Choice(error @ ChoiceError::NoImage { .. }) => usage(format!("--index: {error}")).into(),
        Error::Choice(error @ ChoiceError::NoClass { .. }) => usage(format!("--class: {error}")).into(),
        Error::Choice(ChoiceError::Several(_)) => {
            usage("this picture shows one digit: give one --index, or --class without --count").into()
        }
        error => error.into(),
    }
}

fn explain_look(weights: &str, error: LookError) -> anyhow::Error {
    anyhow!("{weights}: {error}; give --weights of a CapsNet with a decoder, or leave the flag out")
}

/// Shows how far a picture is.
fn shown() -> impl FnMut(Step) {
    let mut bars = Bars::default();
    move |step| bars.set(step.doing, step.unit, step.done, step.total)
}
