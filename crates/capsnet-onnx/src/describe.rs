//! What a file of a model holds, without running it.

use std::path::Path;

use capsnet::weights::{self, Description};
use capsnet_measure::TensorEntry;
use capsnet_weights::read_bytes;
use prost::Message;

use crate::any::{AnyError, starts_as_onnx};
use crate::classifier::LoadError;
use crate::proto::{Graph, Model};
use crate::sound;

/// The types that ONNX numbers, by their numbers, as safetensors calls them.
const TYPES: [(i32, &str); 13] = [
    (1, "F32"),
    (2, "U8"),
    (3, "I8"),
    (4, "U16"),
    (5, "I16"),
    (6, "I32"),
    (7, "I64"),
    (9, "BOOL"),
    (10, "F16"),
    (11, "F64"),
    (12, "U32"),
    (13, "U64"),
    (16, "BF16"),
];

/// Says what a file holds: a weights file as [`capsnet::weights::describe`] does, an ONNX model by its constants and
/// its operators. Nothing of it is run.
///
/// # Errors
///
/// If it can't be read.
pub fn describe(path: &Path) -> Result<Description, AnyError> {
    if !starts_as_onnx(path) {
        return Ok(weights::describe(path)?);
    }
    let bytes = read_bytes(path).map_err(LoadError::from)?;
    let unreadable = |reason: String| LoadError::Model {
        path: path.to_owned(),
        reason,
    };
    sound::check(&bytes).map_err(unreadable)?;
    let model = Model::decode(&*bytes).map_err(|error| unreadable(error.to_string()))?;
    let graph = model.graph.unwrap_or_default();
    let tensors: Vec<TensorEntry> = constants(&graph);
    let floats = tensors
        .iter()
        .filter(|tensor| ["F32", "F16", "F64", "BF16"].contains(&&*tensor.dtype));
    let producer = [model.producer_name, model.producer_version].join(" ");
    Ok(Description {
        file: path.display().to_string(),
        format: Some("ONNX".to_owned()),
        model: None,
        parameters: floats.fold(0, |sum, tensor| {
            let size = tensor
                .shape
                .iter()
                .fold(1_usize, |product, &size| product.saturating_mul(size));
            sum.saturating_add(size)
        }),
        parameters_without_decoder: None,
        configuration: None,
        class_names: Vec::new(),
        tensors,
        beside: Vec::new(),
        title: format!("an ONNX model of {} operators by {}", graph.node.len(), producer.trim()),
    })
}

fn constants(graph: &Graph) -> Vec<TensorEntry> {
    let entry = |tensor: &crate::proto::Tensor| {
        let known = TYPES.iter().find(|(number, _)| *number == tensor.data_type);
        TensorEntry {
            name: tensor.name.clone(),
            shape: tensor.dims.iter().map(|&size| size.max(0) as usize).collect(),
            dtype: known.map_or_else(|| format!("type {}", tensor.data_type), |(_, name)| (*name).to_owned()),
            read_as: None,
        }
    };
    graph.initializer.iter().map(entry).collect()
}
