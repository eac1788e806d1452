//! `capsnet predict`.

mod inputs;
mod record;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};

use anyhow::Result;
use burn::prelude::Device;
use capsnet::model::{Architecture, Classifier, ImageShape, ModelConfig, class_names};
use capsnet::predict::{
    PictureOptions, Prediction, Preparation, Seen, are_characters, predict, see, unit, usual_threshold,
};
use capsnet_data::picture::{write_png_gray, write_png_rgb};
use capsnet_report::{Column, Table};
use clap::Args;

use crate::args::{ComputeArgs, ModelsArgs, NamedFile, WeightsArgs};
use crate::contestant::Contestant;
use crate::output::{line, note, place};
use crate::progress::Progress;
use crate::setting::usage;
use inputs::{Source, sources};
use record::Record;

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
    pub models: Vec<String>,
    #[command(flatten)]
    pub weights: WeightsArgs,
    /// What is done to pictures first: auto, as MNIST was made; none, no more than grey levels stretched to the model's
    /// size, for images that are prepared already
    #[arg(long, default_value = "auto", value_name = "HOW")]
    pub prepare: Preparation,
    /// Dark ink on a bright ground, whatever is found; with --prepare none, swap dark and bright
    #[arg(long)]
    pub invert: bool,
    /// The least score of an answer; below it nothing is recognised [default: 0.75 for probabilities, 0.6 for lengths
    /// of capsules, 0.4 for lengths and poses]
    #[arg(long, value_name = "SCORE")]
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
    let sources = sources(pictures);
    for folder in args.out.iter().chain(&args.seen) {
        place(folder)?;
    }
    let looks = looks(args, &models, &sources)?;
    let records = records(args, &models, &looks, &device)?;
    let failed: Vec<&str> = records.iter().filter_map(|record| record.error.as_deref()).collect();
    if args.json {
        line(serde_json::to_string(&records)?)?;
    } else if failed.len() < records.len() {
        print(args, &models, &records)?;
    }
    match &failed[..] {
        [] => Ok(()),
        [only] if looks.len() == 1 => anyhow::bail!("{only}"),
        several => {
            several.iter().for_each(|error| note(format_args!("error: {error}")));
            anyhow::bail!("no answer for {} of {} pictures", several.len(), looks.len())
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
        let names: Vec<_> = ModelConfig::all().iter().map(|model| model.name().to_owned()).collect();
        let message = format!(
            "`{}` is neither a picture nor a model; the models are {}",
            first.display(),
            names.join(", ")
        );
        return Err(usage(message).into());
    }
    Ok((None, &args.inputs))
}

/// The models that are asked, in the order in which they are named.
fn load(args: &PredictArgs, model: Option<ModelConfig>, device: &Device) -> Result<Vec<Contestant>> {
    let flags = &args.weights;
    if let Some(model) = model {
        return Ok(vec![flags.contestant(Some(model.name()), "lenet5", device)?]);
    }
    if args.models.is_empty() {
        if flags.weights.is_some() {
            return Ok(vec![flags.contestant(None, "lenet5", device)?]);
        }
        let usual = ModelsArgs {
            models: Vec::new(),
            weights: Vec::new(),
            onnx_normalize: None,
        };
        return usual.contestants(device);
    }
    let mut models = Vec::new();
    for name in &args.models {
        let mut flags = flags.clone();
        if ModelConfig::named(name).is_some() {
            flags.weights = None;
            models.push(flags.contestant(Some(name), "lenet5", device)?);
        } else {
            let file: NamedFile = name.parse().map_err(|fault| usage(format!("--models: {fault}")))?;
            if !file.path.exists() {
                let names: Vec<_> = ModelConfig::all().iter().map(|model| model.name().to_owned()).collect();
                let message = format!("--models: `{name}` is neither a file nor one of {}", names.join(", "));
                return Err(usage(message).into());
            }
            let label = file.label();
            flags.weights = Some(file);
            models.push(flags.contestant(None, "lenet5", device)?.called(label));
        }
    }
    if flags.weights.is_some() {
        models.push(flags.contestant(None, "lenet5", device)?);
    }
    Ok(models)
}

/// A picture as each size of model sees it, or why there is none.
struct Look {
    image: String,
    stem: String,
    seen: Result<HashMap<Form, Seen>, String>,
}

/// What pictures are made into: channels, rows, columns, and whether by preparation.
type Form = (usize, usize, usize, bool);

/// What pictures are made into for a model. Where classes are no characters, there is no ink to prepare.
fn form(args: &PredictArgs, model: &dyn Classifier) -> Form {
    let ImageShape {
        channels,
        height,
        width,
    } = model.input().image;
    let prepared = args.prepare == Preparation::Auto && are_characters(&class_names(model));
    (channels, height, width, prepared)
}

/// Reads and prepares all pictures.
fn looks(args: &PredictArgs, models: &[Contestant], sources: &[Result<Source, String>]) -> Result<Vec<Look>> {
    let mut progress = Progress::new("preparing", "picture", sources.len(), 0);
    let mut looks = Vec::with_capacity(sources.len());
    for (number, source) in sources.iter().enumerate() {
        let seen = source.clone().and_then(|source| {
            let picture = source.read().map_err(|error| format!("{error:#}"))?;
            let mut seen = HashMap::new();
            for model in models {
                let input = model.model().input();
                let form = form(args, model.model());
                let preparation = if form.3 { Preparation::Auto } else { Preparation::None };
                let options = PictureOptions {
                    preparation,
                    invert: args.invert,
                };
                if let Entry::Vacant(place) = seen.entry(form) {
                    place.insert(see(&picture, &input, &options).map_err(|fault| format!("{source}: {fault}"))?);
                }
            }
            Ok(seen)
        });
        let (image, stem) = match source {
            Ok(source) => (source.to_string(), source.stem()),
            Err(error) => (error.split(':').next().unwrap_or_default().to_owned(), String::new()),
        };
        looks.push(Look { image, stem, seen });
        progress.set(number + 1, "");
    }
    progress.clear();
    Ok(looks)
}

/// Asks every model about every picture: a record each, in the order of the pictures.
fn records(args: &PredictArgs, models: &[Contestant], looks: &[Look], device: &Device) -> Result<Vec<Record>> {
    let mut answers: Vec<std::vec::IntoIter<Prediction>> = Vec::new();
    for contestant in models {
        let (model, entry) = (contestant.model(), contestant.entry());
        let shape = form(args, model);
        let images: Vec<Vec<u8>> = looks
            .iter()
            .filter_map(|look| Some(look.seen.as_ref().ok()?[&shape].image.clone()))
            .collect();
        let mut progress = Progress::new(entry.label.clone(), "picture", images.len(), 0);
        let mut predictions = Vec::with_capacity(images.len());
        for images in images.chunks(500) {
            predictions.extend(predict(model, images, device));
            progress.set(predictions.len(), "");
        }
        progress.clear();
        answers.push(predictions.into_iter());
    }
    let mut records = Vec::new();
    for (number, look) in looks.iter().enumerate() {
        let seen = match &look.seen {
            Ok(seen) => seen,
            Err(error) => {
                records.push(Record::failed(look.image.clone(), error.clone()));
                continue;
            }
        };
        let prefix = format!("{:03}-{}", number + 1, look.stem);
        for (model, answers) in models.iter().zip(&mut answers) {
            let prediction = answers.next().expect("every model was asked about every picture");
            let (model, entry) = (model.model(), model.entry());
            let (input, kind, names) = (model.input(), model.score_kind(), class_names(model));
            let seen = &seen[&form(args, model)];
            let threshold = args.threshold.unwrap_or(usual_threshold(kind));
            let name = if models.len() == 1 {
                String::new()
            } else {
                format!("-{}", file_part(&entry.label))
            };
            let reconstruction = format!("{prefix}{name}-reconstruction.png");
            let drawn = save(
                args.out.as_deref(),
                &reconstruction,
                input.image,
                prediction.reconstruction.as_deref(),
            )?;
            let shown = save(
                args.seen.as_deref(),
                &format!("{prefix}{}-seen.png", size_part(models, input.image)),
                input.image,
                Some(&seen.image),
            )?;
            records.push(Record {
                image: look.image.clone(),
                model: Some(entry.label.clone()),
                prediction: Some(names[prediction.class].clone()),
                recognised: prediction.recognised(threshold),
                score: Some(prediction.score()),
                unit: Some(unit(kind)),
                threshold: Some(threshold),
                ground: seen.steps.as_ref().map(|steps| steps.ground),
                details: Some(prediction),
                seen: shown,
                reconstruction: drawn,
                error: None,
            });
        }
    }
    Ok(records)
}

/// Writes an image, if there are a folder and an image; returns the path.
fn save(folder: Option<&Path>, name: &str, shape: ImageShape, image: Option<&[u8]>) -> Result<Option<String>> {
    let Some((folder, image)) = folder.zip(image) else {
        return Ok(None);
    };
    let path = folder.join(name);
    match shape.channels {
        1 => write_png_gray(&path, shape.width, shape.height, image)?,
        _ => {
            let pixels = shape.width * shape.height;
            let rgb: Vec<u8> = (0..pixels)
                .flat_map(|at| [0, 1, 2].map(|plane| image[plane * pixels + at]))
                .collect();
            write_png_rgb(&path, shape.width, shape.height, &rgb)?;
        }
    }
    Ok(Some(path.display().to_string()))
}

/// A label as a part of a file's name.
fn file_part(label: &str) -> String {
    label
        .chars()
        .map(|c| if c.is_alphanumeric() || c == '.' { c } else { '-' })
        .collect()
}

/// The size, where models see different ones.
fn size_part(models: &[Contestant], shape: ImageShape) -> String {
    match models.iter().all(|model| model.model().input().image == shape) {
        true => String::new(),
        false => format!("-{}x{}x{}", shape.channels, shape.width, shape.height),
    }
}

fn print(args: &PredictArgs, models: &[Contestant], records: &[Record]) -> Result<()> {
    let classes = models
        .iter()
        .map(|model| model.model().input().classes)
        .max()
        .unwrap_or(0);
    let mut columns = vec![
        Column::left("picture"),
        Column::left("model"),
        Column::left("answer"),
        Column::left("score"),
    ];
    if args.scores {
        columns.extend((0..classes).map(|class| Column::right(class.to_string())));
    }
    let mut table = Table::new(columns);
    for record in records {
        let Some(details) = &record.details else { continue };
        let (answer, unit) = (
            record.prediction.clone().unwrap_or_default(),
            record.unit.unwrap_or_default(),
        );
        let score = format!("{unit} {:.3}", details.score());
        let [answer, score] = match record.recognised {
            true => [answer, score],
            false => {
                let least = record.threshold.unwrap_or_default();
                [
                    "nothing recognised".to_owned(),
                    format!("{answer}, {score}, is below {least}"),
                ]
            }
        };
        let mut row = vec![
            record.image.clone(),
            record.model.clone().unwrap_or_default(),
            answer,
            score,
        ];
        if args.scores {
            let score = |class| {
                details
                    .scores
                    .get(class)
                    .map_or(String::new(), |score: &f32| format!("{score:.3}"))
            };
            row.extend((0..classes).map(score));
        }
        table.push(row)?;
    }
    line(table.to_text().trim_end())?;
    let written = records
        .iter()
        .flat_map(|record| [&record.seen, &record.reconstruction])
        .flatten();
    let mut last = None;
    for path in written {
        if last.replace(path) != Some(path) {
            line(format_args!("wrote {path}"))?;
        }
    }
    Ok(())
}
