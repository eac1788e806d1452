//! A model with the file that it came from: read once, digested, named, and with what is noted of its training.

mod named_file;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use burn::prelude::Device;
use capsnet_data::bounded;
use capsnet_data::dataset::Dataset;
use capsnet_data::digest::sha256;
use capsnet_measure::ModelEntry;
pub use named_file::{NamedFile, NamedFileError};
use serde::Deserialize;

use crate::Error;
use crate::evaluate::check_model;
use crate::model::{Architecture, Classifier, Model, ModelConfig};
use crate::pretrained::{Place, Pretrained};
use crate::train::{RunFolder, Summary, TrainConfig};
use crate::weights::{CONFIG_KEY, Identified, identify};

/// What is noted beside weights is a page at most.
const LARGEST: u64 = 1 << 20;

/// A model without gradients, and what results say of it.
#[derive(Debug)]
pub struct LoadedModel<A: Architecture = ModelConfig> {
    /// The model.
    pub model: Model<A>,
    /// What results say of it.
    pub entry: ModelEntry,
    /// The file; of weights inside this library, the path that they have in a checkout.
    pub path: PathBuf,
    /// Whether the file says which model it is; where it doesn't, names and shapes told.
    pub described: bool,
}

/// How a model was trained: what the file `NAME.json` beside weights says, among other things.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Training {
    augment: Option<String>,
    epochs: Option<u64>,
    seconds: Option<f64>,
}

/// A network with what results say of it: what a sweep, a comparison or a measurement takes.
#[derive(Clone, Copy)]
pub struct NamedModel<'a> {
    /// The network, without gradients.
    pub model: &'a dyn Classifier,
    /// What results say of it.
    pub entry: &'a ModelEntry,
}

impl<A: Architecture> LoadedModel<A> {
    /// Reads a weights file; without further ado a model goes by its own name: "LeNet-5".
    ///
    /// # Errors
    ///
    /// As [`weights::load`](crate::weights::load).
    pub fn load(path: &Path, device: &Device) -> Result<Self, Error> {
        Self::load_as(path, device, |_| Ok(()))
    }

    /// The same, for a model that is to be other than in training: `change` is told its configuration first.
    ///
    /// # Errors
    ///
    /// As [`weights::load`](crate::weights::load), and what `change` objects to.
    pub fn load_as<E: From<Error>>(
        path: &Path,
        device: &Device,
        change: impl FnOnce(&mut A) -> Result<(), E>,
    ) -> Result<Self, E> {
        let bytes = capsnet_weights::read_bytes(path).map_err(Error::from)?;
        Self::of(&bytes, path, Training::beside(path), device, change)
    }

    /// The trained weights that come with this library. Readers are told of them by the path that they have in a
    /// checkout, wherever they are.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn pretrained(found: &Pretrained, device: &Device) -> Result<Self, Error> {
        Self::pretrained_as(found, device, |_| Ok(()))
    }

    /// The same, for a model that is to be other than in training, as [`load_as`](Self::load_as).
    ///
    /// # Errors
    ///
    /// As [`load_as`](Self::load_as).
    pub fn pretrained_as<E: From<Error>>(
        found: &Pretrained,
        device: &Device,
        change: impl FnOnce(&mut A) -> Result<(), E>,
    ) -> Result<Self, E> {
        let shown = found.path_in_checkout();
        let (path, training) = match &found.place {
            Place::Inside => (
                &shown,
                found.note_inside().and_then(|note| serde_json::from_str(note).ok()),
            ),
            Place::File(path) => (path, Training::beside(path)),
        };
        let model = Self::of(&found.bytes()?, path, training, device, change)?;
        Ok(model.shown_as(shown.display().to_string()))
    }

    /// Reads a weights file that is in memory already, where there are no files, say. `path` is what readers are told,
    /// `note` what stands in the file `NAME.json` beside it.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn parse(bytes: &[u8], path: &Path, note: Option<&str>, device: &Device) -> Result<Self, Error> {
        let training = note.and_then(|note| serde_json::from_str(note).ok());
        Self::of(bytes, path, training, device, |_| Ok(()))
    }

    /// The last weights of a run that has just been trained, with what there is to note of its training.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn of_run(run: &RunFolder, config: &TrainConfig<A>, done: &Summary, device: &Device) -> Result<Self, Error> {
        let mut model = Self::load(&run.last_path(), device)?;
        model.entry.trained_with = Some(config.augment.to_string());
        model.entry.training_epochs = Some(done.position.epoch);
        model.entry.training_seconds = Some(done.position.seconds);
        Ok(model)
    }

    fn of<E: From<Error>>(
        bytes: &[u8],
        path: &Path,
        training: Option<Training>,
        device: &Device,
        change: impl FnOnce(&mut A) -> Result<(), E>,
    ) -> Result<Self, E> {
        let state = capsnet_weights::parse(bytes, path).map_err(Error::from)?;
        let described = state.metadata.contains_key(CONFIG_KEY);
        let Identified {
            mut config, weights, ..
        } = identify::<A>(state, path)?;
        change(&mut config)?;
        let model = Model::<A>::from_weights(config, &weights, device)?.valid();
        let Training {
            augment,
            epochs,
            seconds,
        } = training.unwrap_or_default();
        let entry = ModelEntry {
            sha256: sha256(&[bytes]),
            weights: path.display().to_string(),
            trained_with: augment,
            training_epochs: epochs,
            training_seconds: seconds,
            model: model.config.name().to_owned(),
            ..entry(model.title(), &model)
        };
        let path = path.to_owned();
        Ok(Self {
            model,
            entry,
            path,
            described,
        })
    }

    /// The same model under another name.
    #[must_use]
    pub fn called(mut self, label: impl Into<String>) -> Self {
        self.entry.label = label.into();
        self
    }

    /// The same model, whose file readers are told under another name than its path.
    #[must_use]
    pub fn shown_as(mut self, weights: impl Into<String>) -> Self {
        self.entry.weights = weights.into();
        self
    }

    /// For a sweep or a comparison.
    pub fn named(&self) -> NamedModel<'_> {
        NamedModel {
            model: &self.model,
            entry: &self.entry,
        }
    }
}

impl Training {
    /// What the file `NAME.json` beside weights says, if it can be read.
    fn beside(weights: &Path) -> Option<Self> {
        let bytes = bounded::read_bytes(&weights.with_extension("json"), LARGEST).ok()?;
        serde_json::from_slice(&bytes).ok()
    }
}

/// What results say of a network that comes from no file: a network of your own.
///
/// ```
/// # use burn::prelude::*;
/// # use capsnet::model::{LeNet5Config, Model};
/// # use capsnet_data::random::Seed;
/// use capsnet::loaded::{NamedModel, entry};
///
/// # let device = Device::flex();
/// # let network = Model::new(LeNet5Config::default(), Seed(1), &device)?;
/// let entry = entry("mine", &network);
/// let named = NamedModel { model: &network, entry: &entry };
/// assert_eq!((named.entry.label.as_str(), named.entry.parameters), ("mine", 44_426));
/// # Ok::<(), capsnet::Error>(())
/// ```
pub fn entry(label: impl Into<String>, model: &dyn Classifier) -> ModelEntry {
    ModelEntry {
        label: label.into(),
        model: model.title(),
        weights: String::new(),
        sha256: String::new(),
        parameters: model.parameters(),
        true_class: model.score_kind(),
        trained_with: None,
        training_epochs: None,
        training_seconds: None,
    }
}

/// Checks that models go by names that differ, as a sweep or a comparison needs.
///
/// # Errors
///
/// [`Error::SameLabel`], with the first name that two have.
pub fn check_labels(models: &[NamedModel]) -> Result<(), Error> {
    let mut labels = HashSet::new();
    let twice = models.iter().find(|named| !labels.insert(&named.entry.label));
    twice.map_or(Ok(()), |named| Err(Error::SameLabel(named.entry.label.clone())))
}

/// Checks that every model takes the images and classes of a data set.
///
/// # Errors
///
/// The label of the first that doesn't, and what differs.
pub fn check_fit(models: &[NamedModel], data: &Dataset) -> Result<(), Error> {
    for NamedModel { model, entry } in models {
        check_model(data, *model).map_err(|error| error.of_model(&entry.label))?;
    }
    Ok(())
}
