//! The state dict: tensors by name, as plain vectors.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::check::{self, Mismatch};
use crate::element::Dtype;
use crate::error::{Problem, WeightsError};

/// The kind of file that a state dict was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `torch.save` since PyTorch 1.6.
    TorchZip,
    /// `torch.save` of PyTorch before 1.6.
    TorchLegacy,
    /// Hugging Face's safetensors.
    Safetensors,
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::TorchZip => "PyTorch zip",
            Self::TorchLegacy => "PyTorch legacy stream",
            Self::Safetensors => "safetensors",
        })
    }
}

/// The elements of a tensor, row-major.
///
/// Floats of every width become `f32`, integers and booleans `i64` (a batch norm's
/// `num_batches_tracked` counts past what a float can hold).
#[derive(Debug, Clone, PartialEq)]
pub enum TensorValues {
    /// Floating point.
    F32(Vec<f32>),
    /// Integers and booleans.
    I64(Vec<i64>),
}

impl TensorValues {
    /// Number of elements.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::I64(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A tensor of a state dict. Its shape always goes with the number of its values, which clones share.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedTensor {
    shape: Vec<usize>,
    values: Arc<TensorValues>,
    stored: Dtype,
}

impl NamedTensor {
    /// A tensor of `shape` (outermost dimension first, empty for a scalar) with its values in
    /// row-major order.
    ///
    /// `None` if the number of values isn't the product of the shape.
    pub fn new(shape: Vec<usize>, values: TensorValues) -> Option<Self> {
        let stored = match values {
            TensorValues::F32(_) => Dtype::F32,
            TensorValues::I64(_) => Dtype::I64,
        };
        Self::stored_as(shape, values, stored)
    }

    pub(crate) fn stored_as(shape: Vec<usize>, values: TensorValues, stored: Dtype) -> Option<Self> {
        let elements = shape
            .iter()
            .try_fold(1_usize, |product, &size| product.checked_mul(size))?;
        (elements == values.len()).then(|| Self {
            shape,
            values: Arc::new(values),
            stored,
        })
    }

    /// Extents, outermost dimension first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The elements, row-major.
    pub fn values(&self) -> &TensorValues {
        &self.values
    }

    /// The elements if they are floats.
    pub fn as_f32(&self) -> Option<&[f32]> {
        match &*self.values {
            TensorValues::F32(values) => Some(values),
            TensorValues::I64(_) => None,
        }
    }

    /// The elements if they are integers.
    pub fn as_i64(&self) -> Option<&[i64]> {
        match &*self.values {
            TensorValues::F32(_) => None,
            TensorValues::I64(values) => Some(values),
        }
    }

    /// The element type that the file had.
    pub fn stored_dtype(&self) -> Dtype {
        self.stored
    }

    /// Shape and elements, for a caller that moves them on; copied only if a clone still has them.
    pub fn into_parts(self) -> (Vec<usize>, TensorValues) {
        (self.shape, Arc::unwrap_or_clone(self.values))
    }
}

/// Tensors by name (in the order of the names), with the metadata of the file that held them.
#[derive(Debug, Clone, Default)]
pub struct StateDict {
    tensors: BTreeMap<String, NamedTensor>,
    source: Option<(PathBuf, Format)>,
    /// Free text by key; only safetensors can hold it.
    pub metadata: BTreeMap<String, String>,
    /// What lay beside the tensors in a file of PyTorch and was passed over: names and kinds, "epoch (an int)".
    pub beside: Vec<String>,
}

impl StateDict {
    /// A state dict without tensors.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn from_file(path: &Path, format: Format) -> Self {
        Self {
            source: Some((path.to_owned(), format)),
            ..Self::default()
        }
    }

    /// Adds a tensor.
    ///
    /// # Errors
    /// [`Problem::DuplicateName`] if there is one of that name; the state dict is left as it was.
    pub fn insert(&mut self, name: impl Into<String>, tensor: NamedTensor) -> Result<(), WeightsError> {
        let name = name.into();
        if self.tensors.contains_key(&name) {
            return Err(self.error(Problem::DuplicateName { tensor: name }));
        }
        self.tensors.insert(name, tensor);
        Ok(())
    }

    /// The tensor of that name.
    pub fn get(&self, name: &str) -> Option<&NamedTensor> {
        self.tensors.get(name)
    }

    /// The shape of the tensor of that name.
    pub fn shape_of(&self, name: &str) -> Option<&[usize]> {
        self.get(name).map(NamedTensor::shape)
    }

    /// Takes the tensor of that name out.
    pub fn remove(&mut self, name: &str) -> Option<NamedTensor> {
        self.tensors.remove(name)
    }

    /// Names and tensors in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &NamedTensor)> {
        self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// The same tensors under the names that `rename` gives; without one, a name stays.
    ///
    /// # Errors
    /// [`Problem::DuplicateName`] if two tensors would have one name.
    pub fn with_names(mut self, rename: impl Fn(&str) -> Option<String>) -> Result<Self, WeightsError> {
        for (name, tensor) in std::mem::take(&mut self.tensors) {
            let name = rename(&name).unwrap_or(name);
            self.insert(name, tensor)?;
        }
        Ok(self)
    }

    /// Number of tensors.
    pub fn len(&self) -> usize {
        self.tensors.len()
    }

    /// Whether there are no tensors.
    pub fn is_empty(&self) -> bool {
        self.tensors.is_empty()
    }

    /// The kind of file it was read from; `None` if it was made in memory.
    pub fn format(&self) -> Option<Format> {
        self.source.as_ref().map(|(_, format)| *format)
    }

    /// The file it was read from; `None` if it was made in memory.
    pub fn path(&self) -> Option<&Path> {
        self.source.as_ref().map(|(path, _)| path.as_path())
    }

    /// Holds the tensors against the names and shapes that a model expects.
    ///
    /// # Errors
    /// [`Problem::Mismatch`] with *all* missing, extra and wrongly shaped tensors.
    pub fn check(&self, expected: &[(String, Vec<usize>)]) -> Result<(), WeightsError> {
        let mismatch: Mismatch = check::compare(&self.tensors, expected);
        if mismatch.is_empty() {
            Ok(())
        } else {
            Err(self.error(Problem::Mismatch(mismatch)))
        }
    }

    fn error(&self, problem: Problem) -> WeightsError {
        WeightsError::new(self.path().unwrap_or(Path::new("state dict in memory")), problem)
    }
}
