//! What a weights file holds.

use serde::Serialize;

/// A model that is known, with a configuration of type `C`, or tensors alone.
#[derive(Clone, Debug, Serialize)]
pub struct WeightsFile<C> {
    /// The file.
    pub file: String,
    /// Its format, where it is said.
    pub format: Option<String>,
    /// The model's name; none where the tensors are those of no known model.
    pub model: Option<String>,
    /// Trainable parameters of the model; of no known one, all floats.
    pub parameters: usize,
    /// Of a network with a decoder: those that its answers need.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters_without_decoder: Option<usize>,
    /// The model's configuration.
    pub configuration: Option<C>,
    /// What the classes are called, where the file says it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub class_names: Vec<String>,
    /// All tensors, in the file's order.
    pub tensors: Vec<TensorEntry>,
    /// What lies beside the tensors and is passed over.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<String>,
    /// The model in words, or why there is none.
    #[serde(skip)]
    pub title: String,
}

/// A tensor of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TensorEntry {
    /// Its name in the file.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// The type that it is stored in.
    pub dtype: String,
    /// The name that it is read as, where that is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_as: Option<String>,
}
