//! A model of capsnet's own, or somebody's ONNX model, read from whichever file it is.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use burn::prelude::Device;
use capsnet::loaded::{LoadedModel, NamedModel};
use capsnet::model::Classifier;
use capsnet_data::dataset::Dataset;
use capsnet_data::transform::Normalize;
use capsnet_measure::ModelEntry;
use capsnet_weights::is_onnx;

use crate::{LoadError, OnnxClassifier};

/// One of several networks that are measured side by side.
///
/// ```no_run
/// use capsnet::prelude::*;
/// use capsnet_onnx::AnyModel;
///
/// let device = Device::flex();
/// for path in ["lenet5.safetensors", "theirs.onnx"] {
///     let model = AnyModel::load(path.as_ref(), None, &device)?;
///     println!("{}: {} parameters", model.entry().label, model.model().parameters());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
// There are a few of them.
#[allow(clippy::large_enum_variant)]
pub enum AnyModel {
    /// A model of capsnet's own.
    Ours(LoadedModel),
    /// An ONNX model, with what results say of it.
    Onnx(OnnxClassifier, ModelEntry),
}

/// A file that is no model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnyError {
    /// A weights file that can't be read, or is of no known model.
    #[error(transparent)]
    Ours(#[from] capsnet::Error),
    /// An ONNX file that can't be run as a classifier.
    #[error(transparent)]
    Onnx(#[from] LoadError),
}

impl AnyModel {
    /// Reads a file, of which its first bytes tell whether it is an ONNX model; that has its pixels normalised by
    /// `normalize`, if there is one. It goes by the model's own name, or the file's.
    ///
    /// # Errors
    ///
    /// As [`LoadedModel::load`] and [`OnnxClassifier::load`].
    pub fn load(path: &Path, normalize: Option<Normalize>, device: &Device) -> Result<Self, AnyError> {
        if !starts_as_onnx(path) {
            return Ok(Self::Ours(LoadedModel::load(path, device)?));
        }
        let model = OnnxClassifier::load(path, normalize)?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let entry = model.entry(stem.into_owned());
        Ok(Self::Onnx(model, entry))
    }

    /// As functions of the library take it.
    pub fn named(&self) -> NamedModel<'_> {
        match self {
            Self::Ours(model) => model.named(),
            Self::Onnx(model, entry) => NamedModel { model, entry },
        }
    }

    /// The network.
    pub fn model(&self) -> &dyn Classifier {
        self.named().model
    }

    /// What results say of it.
    pub fn entry(&self) -> &ModelEntry {
        self.named().entry
    }

    /// The same under another name.
    #[must_use]
    pub fn called(mut self, label: impl Into<String>) -> Self {
        match &mut self {
            Self::Ours(model) => model.entry.label = label.into(),
            Self::Onnx(_, entry) => entry.label = label.into(),
        }
        self
    }

    /// Its file; of weights inside the library, the path that they have in a checkout.
    pub fn file(&self) -> String {
        match self {
            Self::Ours(model) => model.path.display().to_string(),
            Self::Onnx(_, entry) => entry.weights.clone(),
        }
    }

    /// Checks that what an ONNX model says of an image can be scores of a data set's classes; ours know theirs.
    ///
    /// # Errors
    ///
    /// How many it says, and how many are needed.
    pub fn check_outputs(&self, data: &Dataset) -> Result<(), LoadError> {
        match self {
            Self::Ours(_) => Ok(()),
            Self::Onnx(model, _) => model.check_classes(data.class_names().len()),
        }
    }
}

impl From<LoadedModel> for AnyModel {
    fn from(model: LoadedModel) -> Self {
        Self::Ours(model)
    }
}

/// Whether a file is an ONNX model, by its first bytes; what can't be read is told by whoever reads it whole.
pub fn starts_as_onnx(path: &Path) -> bool {
    let mut start = Vec::new();
    let is_file = path.is_file();
    let read = is_file.then(|| File::open(path).and_then(|file| file.take(16).read_to_end(&mut start)));
    matches!(read, Some(Ok(_))) && is_onnx(&start)
}
