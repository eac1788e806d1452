//! What the page asks: a question's name and JSON in, JSON out. It knows nothing of HTTP.
//!
//! Pictures go back and forth as lists of levels 0 to 255, row by row, of the models' size. A transform is a line as
//! everywhere in capsnet, `rotate=35,noise=20`.

mod capsules;
mod crowd;
mod doorway;
mod input;
mod predict;
mod routing;

use burn::prelude::Device;
use capsnet::loaded::{LoadedModel, check_fit};
use capsnet::look::redraws;
use capsnet::model::{Classifier, ModelConfig};
use capsnet_data::dataset::Dataset;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Error;

/// Models and digits that the page asks about.
pub struct Lab {
    pub(crate) models: Vec<LoadedModel>,
    pub(crate) digits: Dataset,
    pub(crate) device: Device,
    /// What the page is told first, which takes a forward pass of every model.
    about: Option<String>,
}

/// A question that has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// There is no such question.
    #[error("there is no question `{0}`")]
    Unknown(String),
    /// What was asked makes no sense.
    #[error("{0}")]
    Bad(String),
}

impl Fault {
    pub(crate) fn bad(reason: impl ToString) -> Self {
        Self::Bad(reason.to_string())
    }
}

#[derive(Serialize)]
struct About<'a> {
    version: &'static str,
    models: Vec<AboutModel<'a>>,
    /// The names of the models that can be trained.
    trainable: Vec<&'static str>,
    data: AboutData<'a>,
}

#[derive(Serialize)]
struct AboutModel<'a> {
    label: &'a str,
    /// Its name in commands.
    model: &'a str,
    title: String,
    weights: &'a str,
    sha256: &'a str,
    parameters: usize,
    /// What its scores are, in words.
    unit: String,
    trained_with: Option<&'a str>,
    capsules: bool,
    decoder: bool,
    routing: bool,
}

#[derive(Serialize)]
struct AboutData<'a> {
    name: &'a str,
    count: usize,
    height: usize,
    width: usize,
    classes: &'a [String],
}

#[derive(Deserialize)]
struct Number {
    index: usize,
}

#[derive(Serialize)]
struct Digit<'a> {
    pixels: &'a [u8],
    label: u8,
}

impl Lab {
    /// A lab of these models, without gradients, and of images that they take.
    ///
    /// # Errors
    ///
    /// If there is no model, or one takes other images or classes.
    pub fn new(models: Vec<LoadedModel>, digits: Dataset, device: Device) -> Result<Self, Error> {
        if models.is_empty() {
            return Err(Error::NoModels);
        }
        let named: Vec<_> = models.iter().map(LoadedModel::named).collect();
        check_fit(&named, &digits)?;
        Ok(Self {
            models,
            digits,
            device,
            about: None,
        })
    }

    /// The answer to a question, as JSON.
    ///
    /// # Errors
    ///
    /// [`Fault`] if there is no such question, or it makes no sense.
    pub fn answer(&mut self, question: &str, body: &[u8]) -> Result<String, Fault> {
        match question {
            "lab" => {
                let about = match self.about.take() {
                    Some(about) => about,
                    None => json(&self.about())?,
                };
                Ok(self.about.insert(about).clone())
            }
            "digit" => {
                let Number { index } = read(body)?;
                if index >= self.digits.len() {
                    return Err(Fault::bad(format!("there are {} digits", self.digits.len())));
                }
                let (pixels, label) = (self.digits.image(index), self.digits.label(index));
                json(&Digit { pixels, label })
            }
            "prepare" => json(&input::prepare(self, &read(body)?)?),
            "predict" => json(&predict::predict(self, &read(body)?)?),
            "curve" => json(&predict::curve(self, &read(body)?)?),
            "capsules" => json(&capsules::capsules(self, &read(body)?)?),
            "decode" => json(&capsules::decoded(self, &read(body)?)?),
            "poses" => json(&capsules::poses(self, &read(body)?)?),
            "routing" => json(&routing::routing(self, &read(body)?)?),
            "crowd" => json(&crowd::crowd(self, &read(body)?)?),
            "doorway" => json(&doorway::doorway(self, &read(body)?)?),
            other => Err(Fault::Unknown(other.to_owned())),
        }
    }

    fn about(&self) -> About<'_> {
        let black = vec![0; self.digits.size()];
        let models = self.models.iter().map(|LoadedModel { model, entry, .. }| AboutModel {
            label: &entry.label,
            model: &entry.model,
            title: model.title(),
            weights: &entry.weights,
            sha256: &entry.sha256,
            parameters: entry.parameters,
            unit: entry.true_class.title().to_owned(),
            trained_with: entry.trained_with.as_deref(),
            capsules: self.poses_of(model, &black).is_some(),
            decoder: redraws(model, &self.device).is_ok(),
            routing: capsnet::look::couplings(model, &black, &self.device).is_ok(),
        });
        About {
            version: env!("CARGO_PKG_VERSION"),
            models: models.collect(),
            trainable: ModelConfig::names(),
            data: AboutData {
                name: self.digits.name(),
                count: self.digits.len(),
                height: self.digits.height(),
                width: self.digits.width(),
                classes: self.digits.class_names(),
            },
        }
    }

    /// The class capsules that a model says an image is.
    pub(crate) fn poses_of(&self, model: &dyn Classifier, image: &[u8]) -> Option<Vec<Vec<f32>>> {
        let view = capsnet::look::view(model, &[image.to_vec()], &self.device);
        view.into_iter().next()?.capsules
    }

    /// The model of this number.
    pub(crate) fn model(&self, number: usize) -> Result<&LoadedModel, Fault> {
        let count = self.models.len();
        let model = self.models.get(number);
        model.ok_or_else(|| Fault::bad(format!("there are {count} models, counted from 0")))
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(Fault::bad)
}

fn json(answer: &impl Serialize) -> Result<String, Fault> {
    serde_json::to_string(answer).map_err(Fault::bad)
}
