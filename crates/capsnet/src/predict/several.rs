//! Asking several models about several pictures.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};

use burn::prelude::Device;
use capsnet_data::picture::{PictureError, PictureSource, SourceError, write_png_gray, write_png_rgb};
use capsnet_data::prepare::{Ground, reduced};
use capsnet_measure::{PictureAnswer, Prediction};

use super::{PictureOptions, Preparation, Seen, are_characters, predict, see, unit, usual_threshold};
use crate::loaded::NamedModel;
use crate::model::{Classifier, ImageShape, class_names};

/// Images that a model is asked about between two words of progress.
const CHUNK: usize = 500;

/// Models that are asked about the same pictures.
///
/// ```no_run
/// use capsnet::data::picture::PictureSource;
/// use capsnet::loaded::{NamedModel, entry};
/// use capsnet::predict::{Asked, PictureOptions};
/// use capsnet::prelude::*;
///
/// let device = Device::flex();
/// let model = pretrained::lenet5(&device)?;
/// let entry = entry("LeNet-5", &model);
/// let asked = Asked {
///     models: &[NamedModel { model: &model, entry: &entry }],
///     options: PictureOptions::default(),
///     threshold: None,
///     seen: Some("seen".into()),
///     reconstructions: None,
/// };
/// let sources = PictureSource::all(&["scans".into()], &mut |_, _| {});
/// for answer in asked.answers(&sources, &device, &mut |_, _, _| {})? {
///     println!("{}: {:?}", answer.image, answer.prediction);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Asked<'a> {
    /// The models.
    pub models: &'a [NamedModel<'a>],
    /// What is known of the pictures; those for models whose classes are no characters are not prepared.
    pub options: PictureOptions,
    /// The least score of an answer, if not [`usual_threshold`].
    pub threshold: Option<f32>,
    /// The folder for what the models saw, a PNG a picture.
    pub seen: Option<PathBuf>,
    /// The folder for the reconstructions, a PNG an answer.
    pub reconstructions: Option<PathBuf>,
}

/// Is told what is being done, and how many pictures of how many are.
pub type Told<'a> = dyn FnMut(&str, usize, usize) + 'a;

/// What pictures are made into: a size, and whether by preparation.
type Form = (ImageShape, Preparation);

/// What is kept of a picture in one form: its steps are as large as the picture, and there may be thousands of it.
struct Shown {
    image: Vec<u8>,
    ground: Option<Ground>,
}

/// A picture in every form that a model takes, or why there is none.
type Look = Result<HashMap<Form, Shown>, SourceError>;

impl Asked<'_> {
    /// Reads the pictures and asks every model about each: an answer a picture and model, in the order of the pictures,
    /// and one that says why for a picture that can't be shown.
    ///
    /// # Errors
    ///
    /// If a file can't be written.
    pub fn answers(
        &self,
        sources: &[Result<PictureSource, SourceError>],
        device: &Device,
        progress: &mut Told,
    ) -> Result<Vec<PictureAnswer>, PictureError> {
        let looks = self.looks(sources, progress);
        let mut predicted: Vec<_> = self
            .models
            .iter()
            .map(|model| self.predictions(model, &looks, device, progress).into_iter())
            .collect();
        let mut answers = Vec::new();
        for (number, (source, look)) in sources.iter().zip(&looks).enumerate() {
            match (source, look) {
                (Ok(source), Ok(look)) => {
                    let prefix = format!("{:03}-{}", number + 1, source.stem());
                    for (model, predicted) in self.models.iter().zip(&mut predicted) {
                        let prediction = predicted.next().expect("every model was asked about every picture");
                        let answer = self.answer(model, &look[&self.form(model.model)], prediction, &prefix)?;
                        answers.push(PictureAnswer {
                            image: source.to_string(),
                            ..answer
                        });
                    }
                }
                (Err(error), _) | (_, Err(error)) => {
                    answers.push(PictureAnswer::failed(error.name.clone(), error.to_string()));
                }
            }
        }
        Ok(answers)
    }

    /// What pictures are made into for a model. Where classes are no characters, there is no ink to prepare.
    fn form(&self, model: &dyn Classifier) -> Form {
        let preparation = match self.options.preparation {
            Preparation::ByClasses if are_characters(&class_names(model)) => Preparation::Auto,
            Preparation::ByClasses => Preparation::None,
            given => given,
        };
        (model.input().image, preparation)
    }

    /// The models that take grey pictures which aren't prepared for them, as nobody said so and their classes are no
    /// characters by their names.
    pub fn unprepared(&self) -> impl Iterator<Item = &NamedModel<'_>> {
        let by_classes = self.options.preparation == Preparation::ByClasses;
        self.models.iter().filter(move |named| {
            let (image, preparation) = self.form(named.model);
            by_classes && preparation == Preparation::None && image.channels == 1
        })
    }

    /// Reads and prepares all pictures.
    fn looks(&self, sources: &[Result<PictureSource, SourceError>], progress: &mut Told) -> Vec<Look> {
        let mut looks = Vec::with_capacity(sources.len());
        for source in sources {
            looks.push(source.clone().and_then(|source| self.look(&source)));
            progress("preparing", looks.len(), sources.len());
        }
        looks
    }

    fn look(&self, source: &PictureSource) -> Look {
        let mut picture = source.read()?;
        let mut seen = HashMap::new();
        // Those that take it as it is come first.
        let mut models: Vec<&dyn Classifier> = self.models.iter().map(|named| named.model).collect();
        models.sort_by_key(|model| self.form(*model).1 == Preparation::Auto);
        for model in models {
            let form @ (_, preparation) = self.form(model);
            if preparation == Preparation::Auto {
                picture = reduced(picture);
            }
            let options = PictureOptions {
                preparation,
                ..self.options
            };
            if let Entry::Vacant(place) = seen.entry(form) {
                let Seen { image, steps } =
                    see(&picture, &model.input(), &options).map_err(|fault| source.error(fault))?;
                let ground = steps.map(|steps| steps.ground);
                place.insert(Shown { image, ground });
            }
        }
        Ok(seen)
    }

    fn predictions(
        &self,
        NamedModel { model, entry }: &NamedModel,
        looks: &[Look],
        device: &Device,
        progress: &mut Told,
    ) -> Vec<Prediction> {
        let form = self.form(*model);
        let images = looks.iter().flatten().map(|seen| seen[&form].image.clone());
        let images: Vec<Vec<u8>> = images.collect();
        let mut predictions = Vec::with_capacity(images.len());
        for chunk in images.chunks(CHUNK) {
            predictions.extend(predict(*model, chunk, device));
            progress(&entry.label, predictions.len(), images.len());
        }
        predictions
    }

    /// A model's answer, without the picture's name.
    fn answer(
        &self,
        NamedModel { model, entry }: &NamedModel,
        seen: &Shown,
        prediction: Prediction,
        prefix: &str,
    ) -> Result<PictureAnswer, PictureError> {
        let (shape, kind) = (model.input().image, model.score_kind());
        let threshold = self.threshold.unwrap_or(usual_threshold(kind));
        let name = match self.models.len() {
            1 => String::new(),
            _ => format!("-{}", file_part(&entry.label)),
        };
        let reconstruction = format!("{prefix}{name}-reconstruction.png");
        let drawn = prediction.reconstruction.as_deref();
        let reconstruction = save(self.reconstructions.as_deref(), &reconstruction, shape, drawn)?;
        let shown = format!("{prefix}{}-seen.png", self.size_part(shape));
        let shown = save(self.seen.as_deref(), &shown, shape, Some(&seen.image))?;
        Ok(PictureAnswer {
            image: String::new(),
            model: Some(entry.label.clone()),
            prediction: Some(class_names(*model)[prediction.class].clone()),
            recognised: prediction.recognised(threshold),
            score: Some(prediction.score()),
            unit: Some(unit(kind)),
            threshold: Some(threshold),
            ground: seen.ground,
            details: Some(prediction),
            seen: shown,
            reconstruction,
            error: None,
        })
    }

    /// The size, where models see different ones.
    fn size_part(&self, shape: ImageShape) -> String {
        match self.models.iter().all(|named| named.model.input().image == shape) {
            true => String::new(),
            false => format!("-{}x{}x{}", shape.channels, shape.width, shape.height),
        }
    }
}

/// Writes an image, if there are a folder and an image; returns the path.
fn save(
    folder: Option<&Path>,
    name: &str,
    shape: ImageShape,
    image: Option<&[u8]>,
) -> Result<Option<String>, PictureError> {
    let Some((folder, image)) = folder.zip(image) else {
        return Ok(None);
    };
    let (path, width, height) = (folder.join(name), shape.width, shape.height);
    match shape.channels {
        1 => write_png_gray(&path, width, height, image)?,
        _ => {
            let pixels = width * height;
            let rgb = (0..pixels).flat_map(|at| [0, 1, 2].map(|plane| image[plane * pixels + at]));
            write_png_rgb(&path, width, height, &rgb.collect::<Vec<u8>>())?;
        }
    }
    Ok(Some(path.display().to_string()))
}

/// A label as a part of a file's name.
fn file_part(label: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || c == '.' { c } else { '-' };
    label.chars().map(plain).collect()
}
