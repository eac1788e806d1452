//! `capsnet predict`.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Result;
use burn::prelude::Device;
use capsnet::loaded::{NamedFile, NamedModel};
use capsnet::model::{Architecture, ModelConfig};
use capsnet::predict::{Asked, PictureOptions, Preparation};
use capsnet_data::picture::PictureSource;
use capsnet_onnx::AnyModel;
use capsnet_report::predict::text;
use clap::Args;

use crate::args::{ComputeArgs, ModelsArgs, WeightsArgs, score};
use crate::output::{line, note, place};
use crate::progress::Bars;
use crate::setting::usage;

pub(crate) const EXAMPLES: &str = "Examples:
  capsnet predict capsnet photo.jpg
  capsnet predict --models lenet5,capsnet photo.jpg scans/ --seen seen
  capsnet predict lenet5 --weights runs/mine/best.safetensors - < drawing.png
  capsnet predict --models capsnet,theirs=model.onnx photo.jpg
  capsnet predict --models lenet5,mine=runs/mine/best.safetensors scans/ --json

A picture is prepared as MNIST was made: ink is found on its ground, bright or dark, even or not, cut out, and fitted
with its proportions into a box of 20 of 28 pixels, its centre of mass in the middle. --seen DIR shows what came of it.
A picture that can't be read, or with nothing on it, doesn't stop the others; the exit code is then 1.";

#[derive(Args, Debug)]
pub(crate) struct PredictArgs {
    /// Which model, unless --models names several [default: lenet5 and capsnet], and then pictures: PNG, JPEG, WebP,
    /// BMP, GIF or TIFF files, folders of them, or - for standard input
    #[arg(required = true, value_name = "[MODEL] PICTURE")]
    pub inputs: Vec<PathBuf>,
    /// Models side by side, separated by commas: those that come with capsnet by name, others as [NAME=]FILE
    #[arg(long, value_name = "A,B,..", value_delimiter = ',')]
    pub models: Vec<OsString>,
    #[command(flatten)]
    pub weights: WeightsArgs,
    /// What is done to pictures first: auto, as MNIST was made; none, no more than grey levels stretched to the model's
    /// size, for images that are prepared already [default: auto where the classes are characters by their names]
    #[arg(long, value_name = "auto|none")]
    pub prepare: Option<Preparation>,
    /// Dark ink on a bright ground, whatever is found; with --prepare none, swap dark and bright
    #[arg(long)]
    pub invert: bool,
    /// The least score of an answer; below it nothing is recognised [default: 0.75 for probabilities, 0.6 for lengths
    /// of capsules, 0.9 for activations, 0.4 for lengths and poses]
    #[arg(long, value_name = "SCORE", value_parser = score)]
    pub threshold: Option<f32>,
    /// Folder for what the models saw, one PNG a picture
    #[arg(long, value_name = "DIR")]
    pub seen: Option<PathBuf>,
    /// Folder for the reconstructions, one PNG an answer
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub compute: ComputeArgs,
    /// Show the scores of all classes
    #[arg(long)]
    pub scores: bool,
    /// Print a JSON list, a record a picture and model, and nothing else on standard output
    #[arg(long)]
    pub json: bool,
}

pub(crate) fn run(args: &PredictArgs) -> Result<()> {
    let (model, pictures) = split(args)?;
    let device = args.compute.start()?;
    let models = load(args, model, &device)?;
    let sources = PictureSource::all(pictures, &mut |folder, pictures| {
        let many = if pictures == 1 { "picture" } else { "pictures" };
        note(format_args!("{}: {pictures} {many}", folder.display()));
    });
    for folder in args.out.iter().chain(&args.seen) {
        place(folder)?;
    }
    let named: Vec<NamedModel> = models.iter().map(AnyModel::named).collect();
    let asked = Asked {
        models: &named,
        options: PictureOptions {
            preparation: args.prepare.unwrap_or_default(),
            invert: args.invert,
        },
        threshold: args.threshold,
        seen: args.seen.clone(),
        reconstructions: args.out.clone(),
    };
    for model in asked.unprepared() {
        note(format_args!(
            "{}: pictures are only stretched to its size, as its classes are no characters by their names; --prepare \
             auto prepares them as MNIST was made, --prepare none leaves out this line",
            model.entry.label
        ));
    }
    let mut bars = Bars::default();
    let answers = asked.answers(&sources, &device, &mut |doing, done, total| {
        bars.set(doing, "picture", done, total);
    })?;
    let failed: Vec<&str> = answers.iter().filter_map(|answer| answer.error.as_deref()).collect();
    if args.json {
        line(serde_json::to_string(&answers)?)?;
    } else if failed.len() < answers.len() {
        line(text(&answers, args.scores)?)?;
    }
    match &failed[..] {
        [] => Ok(()),
        [only] if sources.len() == 1 => anyhow::bail!("{only}"),
        several => {
            several.iter().for_each(|error| note(format_args!("error: {error}")));
            anyhow::bail!("no answer for {} of {} pictures", several.len(), sources.len())
        }
    }
}

/// The first of what is named, if it is a model, and the pictures.
fn split(args: &PredictArgs) -> Result<(Option<ModelConfig>, &[PathBuf])> {
    let (first, rest) = args.inputs.split_first().expect("clap asks for one");
    let named = first
        .to_str()
        .and_then(ModelConfig::named)
        .filter(|_| args.models.is_empty());
    if named.is_some() {
        if rest.is_empty() {
            let message = format!("a picture is needed: capsnet predict {} PICTURE", first.display());
            return Err(usage(message).into());
        }
        return Ok((named, rest));
    }
    // A model's name with a slip in it is no file.
    let is_word = first.extension().is_none() && first.components().count() == 1 && first.as_os_str() != "-";
    if args.models.is_empty() && !rest.is_empty() && is_word && !first.exists() {
        let (first, names) = (first.display(), ModelConfig::names().join(", "));
        let message = format!("`{first}` is neither a picture nor a model; the models are {names}");
        return Err(usage(message).into());
    }
    Ok((None, &args.inputs))
}

/// The models that are asked, in the order in which they are named.
fn load(args: &PredictArgs, model: Option<ModelConfig>, device: &Device) -> Result<Vec<AnyModel>> {
    let flags = &args.weights;
    if let Some(model) = model {
        return Ok(vec![flags.any(Some(model.name()), "lenet5", device)?]);
    }
    if args.models.is_empty() {
        if flags.weights.is_some() {
            return Ok(vec![flags.any(None, "lenet5", device)?]);
        }
        let usual = ModelsArgs {
            models: Vec::new(),
            weights: Vec::new(),
            onnx_normalize: None,
        };
        return usual.read(device);
    }
    let mut models = Vec::new();
    for name in &args.models {
        let mut flags = flags.clone();
        if let Some(model) = name.to_str().and_then(ModelConfig::named) {
            flags.weights = None;
            models.push(flags.any(Some(model.name()), "lenet5", device)?);
        } else {
            let file = NamedFile::try_from(name.as_os_str());
            let file = file.map_err(|fault| usage(format!("--models: {fault}")))?;
            if !file.path.exists() {
                let (name, names) = (name.display(), ModelConfig::names().join(", "));
                let message = format!("--models: `{name}` is neither a file nor one of {names}");
                return Err(usage(message).into());
            }
            let label = file.label();
            flags.weights = Some(file);
            models.push(flags.any(None, "lenet5", device)?.called(label));
        }
    }
    if flags.weights.is_some() {
        models.push(flags.any(None, "lenet5", device)?);
    }
    Ok(models)
}
