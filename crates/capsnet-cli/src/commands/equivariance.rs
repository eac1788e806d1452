//! `capsnet equivariance`: how every layer of the models answers to rotations and other moves.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use capsnet::Error;
use capsnet::equivariance::{
    Assertion, Measurements, Options, check_layers, failures, images_shown, measure_models, moves,
};
use capsnet::loaded::NamedModel;
use capsnet::model::named_by;
use capsnet_data::protocol::{Family, Sweep, Values};
use capsnet_data::random::Seed;
use capsnet_data::transform::Resample;
use capsnet_onnx::AnyModel;
use capsnet_report::page::equivariance::EquivariancePage;
use clap::Args;
use serde::Serialize;

use super::again::command_line;
use crate::args::value::positive;
use crate::args::{DataArgs, ModelsArgs};
use crate::output::{claim, line, open};
use crate::progress::Progress;
use crate::setting::usage;

pub(crate) const EQUIVARIANCE_EXAMPLES: &str = "Examples:
  capsnet equivariance
  capsnet equivariance --models capsnet --weights mine=runs/mine/last.safetensors --rotate=-45..45:5
  capsnet equivariance --limit 300 --along scale=0.7..1.3:0.1 --lie --json --out runs/equivariance
  capsnet equivariance --models equivariant-capsnet --layers class_capsules --assert 'class_capsules.angular_error < 30'

Layers are named as `capsnet` names them: conv1, primary_capsules, .. `input` is the images themselves, and NAME:true
the capsule of each image's class in the layer NAME.

An assertion is [LAYER.]MEASURE < NUMBER at every angle, or mean([LAYER.]MEASURE) < NUMBER, with <, <=, > or >=;
without a layer it is of the last one. Measures are angular_error, direction_share, variance_ratio, r_squared_linear,
distance, same_equivariance, firing_rate.";

#[derive(Args, Debug)]
#[command(mut_arg("limit", |limit| limit.default_value("500")))]
pub(crate) struct EquivarianceArgs {
    #[command(flatten)]
    models: ModelsArgs,
    #[command(flatten)]
    data: DataArgs,
    /// Angles in degrees, counter-clockwise: numbers and from..to:step, separated by commas
    #[arg(
        long,
        value_name = "A,B..C:STEP",
        allow_hyphen_values = true,
        default_value = "-180..180:15"
    )]
    rotate: Values,
    /// Move images along this instead: shift-x, shift-y, shift-diagonal, scale or shear, as in shear=-30..30:10
    #[arg(long, value_name = "FAMILY=VALUES", conflicts_with = "rotate")]
    along: Option<Sweep>,
    /// Also take Lie derivatives along seven generators, of every layer and of the answer
    #[arg(long)]
    lie: bool,
    /// How a rotation reads between the pixels
    #[arg(long, default_value = "nearest", value_name = "nearest|bilinear")]
    resample: Resample,
    /// The layers to measure, separated by commas [default: all]
    #[arg(long, value_name = "A,B,..", value_delimiter = ',')]
    layers: Vec<String>,
    /// Measure at most so many units of a layer, a seeded choice in whole capsules
    #[arg(long, value_name = "N", default_value = "512", value_parser = positive)]
    units: usize,
    /// Seed of the choice of units, of the halves that maps are fitted and tested on, and of the chance levels
    #[arg(long, value_name = "N", default_value = "1")]
    seed: u64,
    /// Fail, with exit code 1, unless this holds for every model: distance < 0.2, say; may be given several times
    #[arg(long = "assert", value_name = "EXPRESSION")]
    assertions: Vec<Assertion>,
    /// Folder for the report, the figures as JSON and CSV, and the charts
    #[arg(long, value_name = "DIR", default_value = "runs/equivariance")]
    out: PathBuf,
    /// Show the page in the browser
    #[arg(long)]
    open: bool,
    /// Print one JSON object and nothing else on standard output
    #[arg(long)]
    json: bool,
}

/// All that was measured, as `--json` prints it.
#[derive(Serialize)]
struct Output<'a> {
    #[serde(flatten)]
    measured: &'a Measurements,
    files: Vec<String>,
}

pub(crate) fn run(args: &EquivarianceArgs) -> Result<()> {
    let (family, values) = (Family::Rotation, args.rotate.clone());
    let along = args.along.clone().unwrap_or(Sweep { family, values });
    let rotations = moves(&along, args.resample).map_err(|error| usage(format!("--along or --rotate: {error}")))?;
    let device = args.data.compute.start()?;
    let (data, sample) = args.data.load_sample(Seed(args.seed))?;
    let models = args.models.read(&device)?;
    models.iter().try_for_each(|model| model.check_outputs(&data))?;
    let models: Vec<NamedModel> = models.iter().map(AnyModel::named).collect();
    let data = named_by(data, models.iter().map(|named| named.model));
    let options = Options {
        seed: Seed(args.seed),
        units: args.units,
        layers: (!args.layers.is_empty()).then(|| args.layers.clone()),
        along: Some(along.family),
        lie: args.lie,
        ..Options::default()
    };
    check_layers(&models, &data, &options, &device).map_err(|error| match error {
        Error::NoLayer { .. } => usage(format!("--layers: {error}")).into(),
        error => anyhow::Error::from(error),
    })?;
    let _alone = claim(&args.out, "a measurement of equivariance")?;
    let images = images_shown(&data, &rotations, &options) * models.len();
    let mut progress = Progress::new("measuring", "image", images, 0);
    let (rotations, mut notify) = ((&rotations[..], args.resample), |done, label: &str| {
        progress.set(done, label)
    });
    let measured = measure_models(&models, &data, rotations, &options, &device, &mut notify);
    progress.clear();
    let measured = measured?;
    let page = EquivariancePage {
        measured: &measured,
        angles: &along.values.to_string(),
        sample,
        command: &command_line(),
    };
    let json = args.out.join("equivariance.json");
    let mut files = page.save(&args.out)?;
    if args.open {
        open(&files[0]);
    }
    files.insert(1, json.clone());
    let output = Output {
        measured: &measured,
        files: files.iter().map(|file| file.display().to_string()).collect(),
    };
    let text = serde_json::to_string_pretty(&output)?;
    fs::write(&json, text).with_context(|| format!("can't write {}", json.display()))?;
    if args.json {
        line(serde_json::to_string(&output)?)?;
        return assert(&args.assertions, &measured);
    }
    line(page.text()?)?;
    line("files:")?;
    output
        .files
        .iter()
        .try_for_each(|file| line(format_args!("  {file}")))?;
    assert(&args.assertions, &measured)
}

/// Fails with all that speaks against the assertions.
fn assert(assertions: &[Assertion], measured: &Measurements) -> Result<()> {
    let broken = failures(assertions, measured);
    ensure!(broken.is_empty(), "--assert: {}", broken.join("; "));
    Ok(())
}
