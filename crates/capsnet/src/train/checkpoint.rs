//! The state of a run in one file: weights, Adam's moments and the position in the data.
//!
//! One file, replaced atomically, so that there is no moment at which weights and position belong to different steps.

use std::path::Path;

use burn::prelude::*;
use capsnet_weights::{Deferred, FloatDtype, NamedTensor, StateDict};
use serde::{Deserialize, Serialize};

use super::adam::Moments;
use super::{Adam, AdamConfig};
use crate::Error;
use crate::model::{Architecture, Model, ModelConfig};
use crate::weights::{self, with_config};

const POSITION_KEY: &str = "capsnet.position";
const MODEL: &str = "model.";
const FIRST: &str = "adam.first.";
const SECOND: &str = "adam.second.";

/// How far a run has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Epochs completed.
    pub epoch: u64,
    /// Steps made in the epoch that is under way.
    pub step_in_epoch: u64,
    /// Steps made in all.
    pub step: u64,
    /// Sum over this epoch's images of their loss.
    pub loss_sum: f64,
    /// This epoch's images classified right so far.
    pub correct: u64,
    /// Seconds of training in this epoch.
    pub epoch_seconds: f64,
    /// Seconds of training in the epochs before.
    pub seconds: f64,
    /// The best criterion so far.
    pub best: Option<f64>,
    /// Epochs since the best one.
    pub since_best: u64,
    /// Whether the run has reached its end.
    pub finished: bool,
}

/// All that a run needs to go on.
pub struct Checkpoint<A: Architecture = ModelConfig> {
    /// The weights.
    pub model: Model<A>,
    /// The optimiser's state.
    pub adam: Adam,
    /// How far the run has come.
    pub position: Position,
}

impl<A: Architecture> Checkpoint<A> {
    /// Writes the checkpoint, replacing the one before.
    ///
    /// # Errors
    ///
    /// If the file can't be written; the one before is then still there.
    pub fn save(model: &Model<A>, adam: &Adam, position: &Position, path: &Path) -> Result<(), Error> {
        let mut state = StateDict::default();
        let mut weights = model.state_dict();
        let names: Vec<String> = weights.iter().map(|(name, _)| name.to_owned()).collect();
        for name in names {
            let tensor = weights.remove(&name).expect("it was listed");
            state.insert(format!("{MODEL}{name}"), tensor)?;
        }
        let position = serde_json::to_string(position).expect("a position is plain data");
        let state = with_config(state, &model.config, &[(POSITION_KEY, position)]);
        let moments = adam.moments.iter().flat_map(|(name, moments)| {
            [
                deferred(format!("{FIRST}{name}"), &moments.first),
                deferred(format!("{SECOND}{name}"), &moments.second),
            ]
        });
        let moments: Vec<_> = moments.collect();
        weights::write(path, &state, &moments, FloatDtype::F32)
    }

    /// Reads a checkpoint of a run with this configuration.
    ///
    /// # Errors
    ///
    /// If the file can't be read or belongs to another run.
    pub fn load(path: &Path, config: &A, adam: AdamConfig, device: &Device) -> Result<Self, Error> {
        let state = capsnet_weights::read(path)?;
        let damaged = |reason: String| Error::RunFolder {
            path: path.to_owned(),
            reason: format!("this checkpoint is damaged ({reason}); start the run anew in another folder"),
        };
        let position = state
            .metadata
            .get(POSITION_KEY)
            .ok_or_else(|| damaged("it has no position".to_owned()))?;
        let position: Position = serde_json::from_str(position).map_err(|e| damaged(e.to_string()))?;
        let moment = |name: String| {
            let values = state.get(&name).and_then(NamedTensor::as_f32);
            let values = values.ok_or_else(|| damaged(format!("it has no `{name}`")))?;
            Ok::<_, Error>(Tensor::from_data(TensorData::from(values), &device.clone().inner()))
        };
        let mut weights = StateDict::default();
        let mut adam = Adam::new(adam);
        adam.steps = position.step;
        for (name, tensor) in state.iter() {
            if let Some(name) = name.strip_prefix(MODEL) {
                weights.insert(name, tensor.clone())?;
            } else if let Some(name) = name.strip_prefix(FIRST) {
                let moments = Moments {
                    first: moment(format!("{FIRST}{name}"))?,
                    second: moment(format!("{SECOND}{name}"))?,
                };
                adam.moments.insert(name.to_owned(), moments);
            }
        }
        let model =
            Model::from_weights(config.clone(), &weights, device).map_err(|error| damaged(error.to_string()))?;
        Ok(Self { model, adam, position })
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
