//! The state of a run in one file: weights, Adam's moments and the position in the data, with their SHA-256.
//!
//! One file, replaced atomically, so that there is no moment at which weights and position belong to different steps.
//! The one before stays beside it, and is what a run goes on from where the newest was damaged on the disk.

mod made_by;
mod moments;
mod position;
mod seal;
mod store;

use std::path::Path;

use burn::prelude::*;
use capsnet_weights::{Deferred, FloatDtype, NamedTensor, Problem, StateDict, WeightsError, write_safetensors};

use super::adam::Moments;
use super::{Adam, AdamConfig, Average};
use crate::Error;
use crate::model::{Architecture, Model, ModelConfig};
use crate::weights::{self, with_config};

pub use made_by::MadeBy;
pub use position::Position;
pub(super) use store::{Found, load_soundest, put_in_place};

const POSITION_KEY: &str = "capsnet.position";
const MADE_BY_KEY: &str = "capsnet.made_by";
const MODEL: &str = "model.";
const FIRST: &str = "adam.first.";
const SECOND: &str = "adam.second.";
const AVERAGE: &str = "average.";
/// Where a checkpoint without a file is, in messages.
const IN_MEMORY: &str = "the first rank's checkpoint";

/// All that a run needs to go on.
pub struct Checkpoint<A: Architecture = ModelConfig> {
    /// The weights.
    pub model: Model<A>,
    /// The optimiser's state.
    pub adam: Adam,
    /// How far the run has come.
    pub position: Position,
    /// What made it; files of before this was noted don't say.
    pub made_by: Option<MadeBy>,
}

impl<A: Architecture> Checkpoint<A> {
    /// Writes a checkpoint, replacing the one before.
    ///
    /// # Errors
    ///
    /// If the file can't be written; the one before is then still there.
    pub fn save(
        model: &Model<A>,
        adam: &Adam,
        position: &Position,
        made_by: &MadeBy,
        path: &Path,
    ) -> Result<(), Error> {
        let (mut state, moments) = contents(model, adam, position, made_by)?;
        let mut sealer = seal::Sealer::new();
        write_safetensors(&mut sealer, &state, &moments, FloatDtype::F32).map_err(|problem| {
            let path = path.to_owned();
            WeightsError { path, problem }
        })?;
        state.metadata.insert(seal::KEY.to_owned(), sealer.digest());
        weights::write(path, &state, &moments, FloatDtype::F32)
    }

    /// A checkpoint in memory, for another process of the same program.
    pub(super) fn to_bytes(
        model: &Model<A>,
        adam: &Adam,
        position: &Position,
        made_by: &MadeBy,
    ) -> Result<Vec<u8>, Error> {
        let (state, moments) = contents(model, adam, position, made_by)?;
        let mut bytes = Vec::new();
        write_safetensors(&mut bytes, &state, &moments, FloatDtype::F32).map_err(|problem| {
            let path = Path::new(IN_MEMORY).to_owned();
            WeightsError { path, problem }
        })?;
        Ok(bytes)
    }

    /// Reads what [`to_bytes`](Self::to_bytes) made.
    pub(super) fn from_bytes(bytes: &[u8], config: &A, adam: AdamConfig, device: &Device) -> Result<Self, Error> {
        let path = Path::new(IN_MEMORY);
        let state = capsnet_weights::parse(bytes, path)?;
        Self::of(&state, true, path, config, adam, device)
    }

    /// Reads a checkpoint of a run with this configuration.
    ///
    /// # Errors
    ///
    /// If the file can't be read, is not as it was written, says what can't be, or belongs to another run.
    pub fn load(path: &Path, config: &A, adam: AdamConfig, device: &Device) -> Result<Self, Error> {
        let damaged = |reason: String| damaged(path, &reason);
        let sealed = seal::check(path, MADE_BY_KEY).map_err(|error| damaged(error.to_string()))?;
        let state = capsnet_weights::read(path).map_err(|error| damaged(without_advice(error.problem)))?;
        Self::of(&state, sealed, path, config, adam, device)
    }

    fn of(
        state: &StateDict,
        sealed: bool,
        path: &Path,
        config: &A,
        adam: AdamConfig,
        device: &Device,
    ) -> Result<Self, Error> {
        let damaged = |reason: String| damaged(path, &reason);
        let position = position(&state.metadata).map_err(damaged)?;
        let made_by = match state.metadata.get(MADE_BY_KEY) {
            Some(text) => Some(serde_json::from_str(text).map_err(|error| damaged(error.to_string()))?),
            None => None,
        };
        let moment = |name: String| {
            let values = state.get(&name).and_then(NamedTensor::as_f32);
            let values = values.ok_or_else(|| damaged(format!("it has no `{name}`")))?;
            Ok::<_, Error>(Tensor::from_data(TensorData::from(values), &device.clone().inner()))
        };
        let mut weights = StateDict::default();
        let mut average = Average::new(0.0);
        let mut adam = Adam::new(adam);
        adam.steps = position.step;
        for (name, tensor) in state.iter() {
            if let Some(name) = name.strip_prefix(MODEL) {
                weights.insert(name, tensor.clone())?;
            } else if let Some(name) = name.strip_prefix(FIRST) {
                let second = state.get(&format!("{SECOND}{name}")).and_then(NamedTensor::as_f32);
                if second.is_some_and(|values| values.iter().any(|&value| value < 0.0)) {
                    return Err(damaged(format!("`{SECOND}{name}` has negative values")));
                }
                let moments = Moments {
                    first: moment(format!("{FIRST}{name}"))?,
                    second: moment(format!("{SECOND}{name}"))?,
                };
                adam.moments.insert(name.to_owned(), moments);
            } else if let Some(path) = name.strip_prefix(AVERAGE) {
                average.weights.insert(path.to_owned(), moment(name.to_owned())?);
            }
        }
        let model =
            Model::from_weights(config.clone(), &weights, device).map_err(|error| damaged(error.to_string()))?;
        // In a sealed file none is missing: a network may have parameters that no gradient reaches.
        let all = !sealed && position.step > 0;
        if let Some(fault) = moments::fault(&model.network, &adam.moments, all) {
            return Err(damaged(fault));
        }
        if let Some(fault) = moments::fault_of_average(&model.network, &average) {
            return Err(damaged(fault));
        }
        adam.average = (!average.weights.is_empty()).then_some(average);
        Ok(Self {
            model,
            adam,
            position,
            made_by,
        })
    }

    /// The position alone, of which nothing is checked but that it can be.
    ///
    /// # Errors
    ///
    /// If the file can't be read or has no sound position.
    pub fn position(path: &Path) -> Result<Position, Error> {
        let metadata = seal::metadata(path).map_err(|error| damaged(path, &error.to_string()))?;
        position(&metadata).map_err(|reason| damaged(path, &reason))
    }
}

/// The weights with all that a file says of them, and the moments and averages, which are copied one by one.
fn contents<'a, A: Architecture>(
    model: &Model<A>,
    adam: &'a Adam,
    position: &Position,
    made_by: &MadeBy,
) -> Result<(StateDict, Vec<Deferred<'a>>), Error> {
    let mut state = StateDict::default();
    let mut weights = model.state_dict();
    let names: Vec<String> = weights.iter().map(|(name, _)| name.to_owned()).collect();
    for name in names {
        let tensor = weights.remove(&name).expect("it was listed");
        state.insert(format!("{MODEL}{name}"), tensor)?;
    }
    let position = serde_json::to_string(position).expect("a position is plain data");
    let made_by = serde_json::to_string(made_by).expect("it is plain data");
    let notes = [
        (POSITION_KEY, position),
        (MADE_BY_KEY, made_by),
        (seal::KEY, seal::blank()),
    ];
    let state = with_config(state, &model.config, &notes);
    let moments = adam.moments.iter().flat_map(|(name, moments)| {
        [
            deferred(format!("{FIRST}{name}"), &moments.first),
            deferred(format!("{SECOND}{name}"), &moments.second),
        ]
    });
    let averages = adam.average.iter().flat_map(|average| &average.weights);
    let averages = averages.map(|(name, weights)| deferred(format!("{AVERAGE}{name}"), weights));
    let moments: Vec<_> = moments.chain(averages).collect();
    Ok((state, moments))
}

/// What is wrong, without what helps against it in files that people download.
fn without_advice(problem: Problem) -> String {
    match problem {
        Problem::Malformed { detail } => detail,
        Problem::Empty => "it is empty".to_owned(),
        Problem::UnknownFormat => "it is no safetensors file".to_owned(),
        other => other.to_string(),
    }
}

fn damaged(path: &Path, reason: &str) -> Error {
    Error::Checkpoint {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}

fn position(metadata: &std::collections::BTreeMap<String, String>) -> Result<Position, String> {
    let position = metadata.get(POSITION_KEY).ok_or("it has no position")?;
    let position: Position = serde_json::from_str(position).map_err(|error| error.to_string())?;
    match position.fault() {
        None => Ok(position),
        Some(fault) => Err(fault),
    }
}

/// A tensor that is copied when it is written: all moments at once would be twice the size of the model.
fn deferred(name: String, tensor: &Tensor<1>) -> Deferred<'_> {
    let values = || {
        let data = tensor.clone().into_data();
        data.try_into_vec().expect("moments are f32 like the weights")
    };
    Deferred {
        name,
        shape: tensor.dims().to_vec(),
        values: Box::new(values),
    }
}
