//! A network as an ONNX file: pixels in 0..1 in, scores out, the batch of any size. A transforming auto-encoder has a
//! move as a second input, and gives the moved image and what its capsules see.
//!
//! What is done to the pixels first is part of the graph, and so is every iteration of the routing, one after the
//! other; the decoder is not. The scores are those of [`Network`](capsnet::model::Network): logits, or the lengths or
//! activations of class capsules. The entries `capsnet.model` and `capsnet.scores` of the file's metadata say which
//! network it is and what its scores are; `capsnet.classes` holds the names of the classes, where the weights' metadata
//! does.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use capsnet::model::{Architecture, Input, ModelConfig};
use capsnet::weights::{CLASSES_KEY, CONFIG_KEY, note_classes};
use capsnet_data::file::atomic_write;
use capsnet_weights::StateDict;
use prost::Message;

mod capsules;
mod em;
mod graph;
mod homogeneous;
mod matrix;
mod moving;
mod plain;
mod routing;
mod self_routing;
mod squash;
mod turning;

use crate::proto::{Model, OperatorSet, StringEntry};
use graph::{Builder, Value};

/// The set of operators that the files are written for; onnxruntime knows it since 1.10 (2021).
pub const OPSET: i64 = 15;

/// The version of the file's format that belongs to it.
const IR_VERSION: i64 = 8;

/// The metadata entry that says what the scores are: one of [`Scores`].
pub(crate) const SCORES_KEY: &str = "capsnet.scores";

/// What the scores of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scores {
    /// To be softmaxed.
    Logits,
    /// Of class capsules.
    Lengths,
    /// Of class capsules whose poses have no length; files of earlier versions say lengths.
    Activations,
    /// Lengths, with how upright each figure stands.
    LengthsAndPoses,
    /// They sum to one.
    Probabilities,
}

impl Scores {
    pub(crate) const ALL: [Self; 5] = [
        Self::Logits,
        Self::Lengths,
        Self::Activations,
        Self::LengthsAndPoses,
        Self::Probabilities,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Logits => "logits",
            Self::Lengths => "lengths",
            Self::Activations => "activations",
            Self::LengthsAndPoses => "lengths and poses",
            Self::Probabilities => "probabilities",
        }
    }
}

/// A network that can't be written as ONNX.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A model or a routing without a form in ONNX here.
    #[error("{what} can't be written as ONNX; {advice}")]
    Unsupported {
        /// The model or the routing.
        what: String,
        /// What can be.
        advice: String,
    },
    /// A file that can't be written.
    #[error("can't write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Weights that the configuration's network can't be made of.
    #[error(transparent)]
    Weights(#[from] capsnet::Error),
    /// A tensor that the configuration asks for and the weights lack.
    #[error("the weights have no tensor `{0}` of floats")]
    Missing(String),
}

/// Writes a model as an ONNX file with the names of its classes, whole or not at all.
///
/// # Errors
///
/// As [`export`], and if the file can't be written.
pub fn save(path: &Path, model: &capsnet::model::Model) -> Result<(), ExportError> {
    let mut state = model.state_dict();
    note_classes(&mut state, &model.class_names);
    let bytes = export(&model.config, &state)?;
    atomic_write(path, |file| file.write_all(&bytes)).map_err(|source| ExportError::Write {
        path: path.to_owned(),
        source,
    })
}

/// The bytes of an ONNX file of the network with these weights, which are those that
/// [`Model::state_dict`](capsnet::model::Model::state_dict) gives.
///
/// # Errors
///
/// [`ExportError`] for a model or a routing that has no form in ONNX here.
pub fn export(config: &ModelConfig, weights: &StateDict) -> Result<Vec<u8>, ExportError> {
    let Input {
        image,
        classes,
        normalize,
    } = config.input();
    let mut builder = Builder::new(weights);
    let size = [image.channels, image.height, image.width];
    let pixels = builder.input("pixels", &size);
    let kind = if let ModelConfig::TransformingAutoencoder(config) = config {
        moving::transforming_autoencoder(&mut builder, &pixels, config)?;
        None
    } else {
        let x = builder.normalized(pixels, normalize);
        let (scores, kind) = scored(&mut builder, x, config)?;
        builder.output(scores, "scores", &[classes]);
        Some(kind)
    };
    let text = serde_json::to_string(config).expect("a configuration is plain data");
    let names = weights.metadata.get(CLASSES_KEY);
    let entry = |key: &str, value: &str| StringEntry {
        key: key.to_owned(),
        value: value.to_owned(),
    };
    let model = Model {
        ir_version: IR_VERSION,
        producer_name: "capsnet".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        graph: Some(builder.finish(config.name())),
        opset_import: vec![OperatorSet {
            domain: String::new(),
            version: OPSET,
        }],
        metadata: std::iter::once(entry(CONFIG_KEY, &text))
            .chain(kind.map(|kind| entry(SCORES_KEY, kind.name())))
            .chain(names.map(|names| entry(CLASSES_KEY, names)))
            .collect(),
    };
    Ok(model.encode_to_vec())
}

/// The scores of normalised images, and what they are.
fn scored(builder: &mut Builder, x: Value, config: &ModelConfig) -> Result<(Value, Scores), ExportError> {
    Ok(match config {
        ModelConfig::LeNet5(_) => (plain::lenet5(builder, x)?, Scores::Logits),
        ModelConfig::Mlp(_) => (plain::mlp(builder, x)?, Scores::Logits),
        ModelConfig::Cnn(config) => (plain::cnn(builder, x, config)?, Scores::Logits),
        ModelConfig::CapsNet(config) => {
            let scores = capsules::capsnet(builder, x, config)?;
            let kind = if config.softmaxed_lengths {
                Scores::Probabilities
            } else {
                Scores::Lengths
            };
            (scores, kind)
        }
        ModelConfig::EfficientCapsNet(config) => (capsules::efficient(builder, x, config)?, Scores::Lengths),
        ModelConfig::Hvc(config) => (homogeneous::hvc(builder, x, config)?, Scores::Logits),
        ModelConfig::EmCapsNet(config) => (matrix::em_capsnet(builder, &x, config)?, Scores::Activations),
        ModelConfig::EquivariantCapsNet(config) => {
            let scores = turning::equivariant(builder, &x, config)?;
            let kind = if config.upright_weight > 0.0 {
                Scores::LengthsAndPoses
            } else {
                Scores::Lengths
            };
            (scores, kind)
        }
        // A model that is new to the list.
        #[allow(unreachable_patterns)]
        other => {
            return Err(ExportError::Unsupported {
                what: other.title().to_owned(),
                advice: "it has no form in ONNX yet".to_owned(),
            });
        }
    })
}
