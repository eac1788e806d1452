//! Models to and from weights files.
//!
//! There is one form on disk: tensors under the names and in the layouts that PyTorch modules of the same structure
//! use, as safetensors, with the model's configuration in the metadata entry [`CONFIG_KEY`]. So PyTorch loads our files
//! strictly, and a PyTorch state dict loads here; without a configuration beside it, the models are asked which of them
//! knows the names and shapes ([`identify`], [`Architecture::recognise`]).

mod burn_layers;
mod convert;
mod describe;
mod exchange;
mod identify;
mod layout;

pub(crate) use burn_layers::running_statistics;
pub use capsnet_weights as file;
pub use convert::Source;
pub use describe::{Description, describe};
pub use exchange::{Exchange, Named, is_counter};
pub use identify::{Identified, identify};
pub use layout::Layout;

use std::path::Path;

use burn::prelude::*;
use capsnet_data::file::atomic_write;
use capsnet_weights::{Deferred, FloatDtype, StateDict, WeightsError, write_safetensors};

use crate::Error;
use crate::model::{Architecture, Model};

/// The metadata entry that holds the model's configuration as JSON.
pub const CONFIG_KEY: &str = "capsnet.model";

/// The metadata entry that holds the names of the classes as a JSON list, where they are known.
pub const CLASSES_KEY: &str = "capsnet.classes";

/// Writes a model with its configuration and the names of its classes; `notes` are further metadata entries (how it
/// was trained, say).
///
/// # Errors
///
/// If the file can't be written, or a weight doesn't fit into half precision.
pub fn save<A: Architecture>(
    model: &Model<A>,
    path: &Path,
    dtype: FloatDtype,
    notes: &[(&str, String)],
) -> Result<(), Error> {
    let mut weights = with_config(model.state_dict(), &model.config, notes);
    note_classes(&mut weights, &model.class_names);
    write(path, &weights, &[], dtype)
}

/// Writes tensors as a safetensors file, whole or not at all; see [`write_safetensors`].
///
/// # Errors
///
/// If a value can't be written as it is to be, or the file can't be written. What was there before is then still there.
pub fn write(path: &Path, weights: &StateDict, deferred: &[Deferred<'_>], dtype: FloatDtype) -> Result<(), Error> {
    atomic_write(path, |file| write_safetensors(file, weights, deferred, dtype)).map_err(|problem| {
        let path = path.to_owned();
        WeightsError { path, problem }.into()
    })
}

/// Adds a model's configuration and notes to its weights.
pub fn with_config(mut weights: StateDict, config: &impl Architecture, notes: &[(&str, String)]) -> StateDict {
    let json = serde_json::to_string(config).expect("a configuration is plain data");
    weights.metadata.insert(CONFIG_KEY.to_owned(), json);
    for (key, value) in notes {
        weights.metadata.insert((*key).to_owned(), value.clone());
    }
    weights
}

/// Adds the names of the classes to weights, if there are any.
pub fn note_classes(weights: &mut StateDict, names: &[String]) {
    if !names.is_empty() {
        let json = serde_json::to_string(names).expect("a list of names is plain data");
        weights.metadata.insert(CLASSES_KEY.to_owned(), json);
    }
}

/// The names of the classes that weights hold, if they hold any.
///
/// # Errors
///
/// If the entry is no list of as many names as there are classes.
pub fn class_names_of(weights: &StateDict, classes: usize) -> Result<Vec<String>, Error> {
    let Some(json) = weights.metadata.get(CLASSES_KEY) else {
        return Ok(Vec::new());
    };
    let bad = |reason: String| Error::BadConfig {
        path: weights.path().unwrap_or(Path::new("weights in memory")).to_owned(),
        reason: format!("{CLASSES_KEY}: {reason}"),
    };
    let names: Vec<String> = serde_json::from_str(json).map_err(|error| bad(error.to_string()))?;
    if names.len() != classes {
        return Err(bad(format!("{} names for {classes} classes", names.len())));
    }
    Ok(names)
}

/// Reads a model from a safetensors file or a PyTorch state dict: `let model: Model = load(path, &device)?` one of
/// ours.
///
/// # Errors
///
/// If the file can't be read, holds anything but tensors, or doesn't fit the model that it claims to be.
pub fn load<A: Architecture>(path: &Path, device: &Device) -> Result<Model<A>, Error> {
    let weights = capsnet_weights::read(path)?;
    let found: Identified<A> = identify(weights, path)?;
    Model::from_weights(found.config, &found.weights, device)
}

/// The configuration of the model in a weights file: from its metadata, or by its tensors' names as they are. Files of
/// others may have other names: [`identify`].
///
/// # Errors
///
/// If the metadata is damaged, or the tensors are those of no known model.
pub fn config_of<A: Architecture>(weights: &StateDict, path: &Path) -> Result<A, Error> {
    let Some(json) = weights.metadata.get(CONFIG_KEY) else {
        return A::recognise(weights).ok_or_else(|| Error::UnknownModel {
            path: path.to_owned(),
            tensors: String::new(),
        });
    };
    let bad = |reason: String| Error::BadConfig {
        path: path.to_owned(),
        reason,
    };
    let config: A = serde_json::from_str(json).map_err(|error| bad(error.to_string()))?;
    config.validate().map_err(|error| bad(error.to_string()))?;
    Ok(config)
}
