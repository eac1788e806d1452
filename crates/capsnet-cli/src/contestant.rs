//! What takes part in a comparison: a model of capsnet's own, or somebody's ONNX model.

use capsnet::loaded::{LoadedModel, NamedModel};
use capsnet_measure::ModelEntry;
use capsnet_onnx::OnnxClassifier;

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

    /// What results say of it.
    pub(crate) fn entry(&self) -> &ModelEntry {
        self.named().entry
    }
}

impl From<LoadedModel> for Contestant {
    fn from(model: LoadedModel) -> Self {
        Self::Ours(model)
    }
}
