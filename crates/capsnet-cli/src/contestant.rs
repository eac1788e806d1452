//! What takes part in a comparison: a model of capsnet's own, or somebody's ONNX model.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::Result;
use capsnet::loaded::{LoadedModel, NamedModel};
use capsnet::model::Classifier;
use capsnet_data::dataset::Dataset;
use capsnet_measure::ModelEntry;
use capsnet_onnx::{OnnxClassifier, is_onnx};

/// One of several networks that are measured side by side.
// There are a few of them.
#[allow(clippy::large_enum_variant)]
pub(crate) enum Contestant {
    /// A model of capsnet's own.
    Ours(LoadedModel),
    /// An ONNX model, with what results say of it.
    Onnx(OnnxClassifier, ModelEntry),
}

impl Contestant {
    /// As functions of the library take it.
    pub(crate) fn named(&self) -> NamedModel<'_> {
        match self {
            Self::Ours(model) => model.named(),
            Self::Onnx(model, entry) => NamedModel { model, entry },
        }
    }

    /// The network.
    pub(crate) fn model(&self) -> &dyn Classifier {
        self.named().model
    }

    /// What results say of it.
    pub(crate) fn entry(&self) -> &ModelEntry {
        self.named().entry
    }

    /// The same under another name.
    pub(crate) fn called(self, label: impl Into<String>) -> Self {
        match self {
            Self::Ours(model) => Self::Ours(model.called(label)),
            Self::Onnx(model, entry) => Self::Onnx(
                model,
                ModelEntry {
                    label: label.into(),
                    ..entry
                },
            ),
        }
    }

    /// Its file; of weights inside the program, the path that they have in a checkout.
    pub(crate) fn file(&self) -> String {
        match self {
            Self::Ours(model) => model.path.display().to_string(),
            Self::Onnx(_, entry) => entry.weights.clone(),
        }
    }
}

impl From<LoadedModel> for Contestant {
    fn from(model: LoadedModel) -> Self {
        Self::Ours(model)
    }
}

/// Checks that what ONNX models say of an image can be scores of these classes.
pub(crate) fn check_outputs<'a>(models: impl IntoIterator<Item = &'a Contestant>, data: &Dataset) -> Result<()> {
    for model in models {
        if let Contestant::Onnx(model, _) = model {
            model.check_classes(data.class_names().len())?;
        }
    }
    Ok(())
}

/// Whether the file is an ONNX model, by its first bytes; what can't be read is told by whoever reads it whole.
pub(crate) fn starts_as_onnx(path: &Path) -> bool {
    let mut start = Vec::new();
    let is_file = path.is_file();
    let read = is_file.then(|| File::open(path).and_then(|file| file.take(16).read_to_end(&mut start)));
    matches!(read, Some(Ok(_))) && is_onnx(&start)
}
