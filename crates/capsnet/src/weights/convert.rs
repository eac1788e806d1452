//! From one weights file to another.

use std::path::Path;

use burn::prelude::Device;
use capsnet_weights::{FloatDtype, Rename, StateDict};

use super::{Identified, identify, is_counter, note_classes, with_config, write};
use crate::Error;
use crate::model::{Model, ModelConfig};

/// A file's model, with the tensors that it was read from.
#[derive(Debug)]
pub struct Source {
    /// The model.
    pub model: Model,
    /// The tensors, under the names that capsnet and PyTorch know.
    tensors: StateDict,
}

impl Source {
    /// Reads a weights file, safetensors or PyTorch: gives tensors other names, recognises the model, and lets `change`
    /// say in what it is other than it seems. A file whose tensors don't fit the model is refused.
    ///
    /// ```no_run
    /// use capsnet::weights::{Source, file::FloatDtype};
    ///
    /// let source = Source::read("epoch_32.pt".as_ref(), &[], |_| Ok::<(), capsnet::Error>(()))?;
    /// source.save("epoch_32.safetensors".as_ref(), FloatDtype::F16)?;
    /// # Ok::<(), capsnet::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If it can't be read or is of no known model, and what `change` objects to.
    pub fn read<E: From<Error>>(
        path: &Path,
        names: &[Rename],
        change: impl FnOnce(&mut ModelConfig) -> Result<(), E>,
    ) -> Result<Self, E> {
        let state = capsnet_weights::read(path).and_then(|state| state.renamed(names));
        let Identified {
            mut config, weights, ..
        } = identify::<ModelConfig>(state.map_err(Error::from)?, path)?;
        change(&mut config)?;
        Ok(Self {
            model: Model::from_weights(config, &weights, &Device::flex())?,
            tensors: weights,
        })
    }

    /// Writes the model as safetensors with its configuration, whole or not at all.
    ///
    /// # Errors
    ///
    /// If the file can't be written, or a weight doesn't fit into half precision.
    pub fn save(&self, path: &Path, dtype: FloatDtype) -> Result<(), Error> {
        let mut converted = self.model.state_dict();
        for (name, tensor) in self.tensors.iter().filter(|(name, _)| is_counter(name)) {
            // The model has no use for it, so only the file knows its value.
            converted.remove(name);
            converted.insert(name, tensor.clone()).map_err(Error::from)?;
        }
        let mut converted = with_config(converted, &self.model.config, &[]);
        note_classes(&mut converted, &self.model.class_names);
        write(path, &converted, &[], dtype)
    }
}
