//! What a weights file holds.

use std::path::Path;

use burn::prelude::Device;
use capsnet_measure::{TensorEntry, WeightsFile};
use capsnet_weights::{NamedTensor, StateDict};

use super::{Identified, identify};
use crate::Error;
use crate::model::{Architecture, Classifier, Model, ModelConfig};

/// What a weights file holds: a model that is known, or tensors alone.
pub type Description = WeightsFile<ModelConfig>;

/// Says what a weights file holds, safetensors or PyTorch.
///
/// ```
/// use capsnet::weights::describe;
///
/// let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../weights/lenet5.safetensors");
/// let description = describe(path.as_ref())?;
/// assert_eq!((description.title.as_str(), description.parameters), ("LeNet-5", 44_426));
/// # Ok::<(), capsnet::Error>(())
/// ```
///
/// # Errors
///
/// If it can't be read.
pub fn describe(path: &Path) -> Result<Description, Error> {
    let state = capsnet_weights::read(path)?;
    let (model, renamed, fault) = match fitting(&state, path) {
        Ok((model, renamed)) => (Some(model), renamed, None),
        // Without the list of tensors, which follows anyway.
        Err(Error::UnknownModel { .. }) => (None, Vec::new(), Some("no model that capsnet knows".to_owned())),
        Err(error) => (None, Vec::new(), Some(error.to_string())),
    };
    let tensor = |(name, tensor): (&str, &NamedTensor)| TensorEntry {
        name: name.to_owned(),
        shape: tensor.shape().to_vec(),
        dtype: tensor.stored_dtype().to_string(),
        read_as: renamed.iter().find(|(from, _)| from == name).map(|(_, to)| to.clone()),
    };
    let floats = || {
        state
            .iter()
            .filter_map(|(_, tensor)| tensor.as_f32())
            .map(<[f32]>::len)
            .sum()
    };
    let parameters = model.as_ref().map_or_else(floats, Model::parameters);
    let of_decoder = model.as_ref().map_or(0, parameters_of_decoder);
    Ok(Description {
        file: path.display().to_string(),
        format: state.format().map(|format| format.to_string()),
        model: model.as_ref().map(|model| model.config.name().to_owned()),
        parameters,
        parameters_without_decoder: (of_decoder > 0).then(|| parameters - of_decoder),
        tensors: state.iter().map(tensor).collect(),
        configuration: model.as_ref().map(|model| model.config.clone()),
        class_names: model
            .as_ref()
            .map(|model| model.class_names.clone())
            .unwrap_or_default(),
        beside: state.beside.clone(),
        title: model.map_or_else(|| fault.unwrap_or_default(), |model| model.config.title().to_owned()),
    })
}

fn parameters_of_decoder(model: &Model) -> usize {
    let tensors = model.state_dict();
    let of_decoder = tensors.iter().filter(|(name, _)| name.starts_with("decoder."));
    of_decoder
        .map(|(_, tensor)| tensor.shape().iter().product::<usize>())
        .sum()
}

/// The model that the tensors fit, and which of them are read under other names.
fn fitting(state: &StateDict, path: &Path) -> Result<(Model, Vec<(String, String)>), Error> {
    let Identified {
        config,
        weights,
        renamed,
    } = identify::<ModelConfig>(state.clone(), path)?;
    Ok((Model::from_weights(config, &weights, &Device::flex())?, renamed))
}
