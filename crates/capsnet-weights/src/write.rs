//! Writing safetensors, the same bytes for the same tensors every time.
//!
//! The header is written here: the crate `safetensors` keeps the metadata in a hash map, whose
//! order differs from run to run. Tensors are laid out as that crate does, widest elements first
//! and then by name, so that every tensor is aligned to its element size; metadata is in the order
//! of its keys; spaces pad the header to a multiple of 8 bytes.

use std::collections::HashSet;
use std::io::Write;

use half::f16;
use serde_json::{Map, Value, json};

use crate::element::{Dtype, unravel};
use crate::error::Problem;
use crate::file::MAX_HEADER_BYTES;
use crate::safetensors_file::METADATA_KEY;
use crate::state_dict::{NamedTensor, StateDict, TensorValues};

/// Element type that floats are written as. Integers are always written as `I64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FloatDtype {
    /// Single precision, which loses nothing.
    #[default]
    F32,
    /// Half precision, rounded to nearest: half the size, 11 significant bits.
    F16,
}

/// A tensor of floats whose values are fetched when they are written.
pub struct Deferred<'a> {
    /// Its name.
    pub name: String,
    /// Its extents, outermost dimension first.
    pub shape: Vec<usize>,
    /// Fetches its values, row-major: as many as the product of the shape.
    pub values: Box<dyn Fn() -> Vec<f32> + 'a>,
}

/// Writes a state dict with its metadata, and `deferred` tensors of which there is one at a time in memory: the same
/// bytes for equal contents, whichever of the two a tensor is in.
///
/// # Errors
/// [`Problem::NotFinite`] if a value is NaN or infinite, [`Problem::HalfOverflow`] if one is too
/// large for half precision, [`Problem::ReservedName`] if a tensor has the name of the metadata,
/// [`Problem::DuplicateName`] if two have one name, [`Problem::NoTensors`] if there is none,
/// [`Problem::HeaderTooLarge`] if names and metadata are too long to be read again, and
/// [`Problem::Unwritable`] with the error of `out`.
///
/// # Panics
/// If a deferred tensor has another number of values than its shape says.
pub fn write_safetensors(
    out: &mut impl Write,
    state: &StateDict,
    deferred: &[Deferred<'_>],
    floats: FloatDtype,
) -> Result<(), Problem> {
    let here = state.iter().map(|(name, tensor)| Entry {
        name,
        shape: tensor.shape(),
        dtype: written_dtype(tensor, floats),
        source: Source::Here(tensor.values()),
    });
    let later = deferred.iter().map(|tensor| Entry {
        name: &tensor.name,
        shape: &tensor.shape,
        dtype: float_dtype(floats),
        source: Source::Later(&tensor.values),
    });
    let mut tensors: Vec<Entry<'_>> = here.chain(later).collect();
    tensors.sort_by(|a, b| (b.dtype.size(), a.name).cmp(&(a.dtype.size(), b.name)));
    if tensors.is_empty() {
        return Err(Problem::NoTensors);
    }
    let mut names = HashSet::new();
    if let Some(twice) = tensors.iter().find(|tensor| !names.insert(tensor.name)) {
        let tensor = twice.name.to_owned();
        return Err(Problem::DuplicateName { tensor });
    }

    let header = header(state, &tensors)?;
    let length = (header.len() as u64).to_le_bytes();
    let written = out.write_all(&length).and_then(|()| out.write_all(header.as_bytes()));
    written.map_err(Problem::Unwritable)?;
    for tensor in tensors {
        match tensor.source {
            Source::Here(TensorValues::I64(values)) => in_blocks(out, values, i64::to_le_bytes)?,
            Source::Here(TensorValues::F32(values)) => append(out, &tensor, values, floats)?,
            Source::Later(values) => {
                let values = values();
                assert_eq!(values.len(), tensor.elements(), "values of `{}`", tensor.name);
                append(out, &tensor, &values, floats)?;
            }
        }
    }
    Ok(())
}

/// A tensor on its way into a file.
struct Entry<'a> {
    name: &'a str,
    shape: &'a [usize],
    dtype: Dtype,
    source: Source<'a>,
}

enum Source<'a> {
    Here(&'a TensorValues),
    Later(&'a dyn Fn() -> Vec<f32>),
}

impl Entry<'_> {
    fn elements(&self) -> usize {
        self.shape.iter().product()
    }
}

fn written_dtype(tensor: &NamedTensor, floats: FloatDtype) -> Dtype {
    match tensor.values() {
        TensorValues::I64(_) => Dtype::I64,
        TensorValues::F32(_) => float_dtype(floats),
    }
}

fn float_dtype(floats: FloatDtype) -> Dtype {
    match floats {
        FloatDtype::F32 => Dtype::F32,
        FloatDtype::F16 => Dtype::F16,
    }
}

/// The JSON header, padded with spaces. Its entries are written one by one, in the order of the
/// data.
fn header(state: &StateDict, tensors: &[Entry<'_>]) -> Result<String, Problem> {
    let mut entries = Vec::with_capacity(tensors.len() + 1);
    if !state.metadata.is_empty() {
        let metadata: Map<String, Value> = state
            .metadata
            .iter()
            .map(|(key, text)| (key.clone(), json!(text)))
            .collect();
        entries.push(format!("{}:{}", json!(METADATA_KEY), Value::Object(metadata)));
    }
    let mut start = 0;
    for tensor in tensors {
        let Entry { name, shape, dtype, .. } = tensor;
        if *name == METADATA_KEY {
            return Err(Problem::ReservedName {
                tensor: (*name).to_owned(),
            });
        }
        let end = start + tensor.elements() * dtype.size();
        entries.push(format!(
            r#"{}:{{"dtype":"{dtype}","shape":{},"data_offsets":[{start},{end}]}}"#,
            json!(name),
            json!(shape),
        ));
        start = end;
    }
    let mut header = format!("{{{}}}", entries.join(","));
    let padded = header.len().next_multiple_of(8);
    header.extend(std::iter::repeat_n(' ', padded - header.len()));
    if header.len() > MAX_HEADER_BYTES {
        Err(Problem::HeaderTooLarge)
    } else {
        Ok(header)
    }
}

/// Appends the little-endian bytes of a tensor of floats.
fn append(out: &mut impl Write, tensor: &Entry<'_>, values: &[f32], floats: FloatDtype) -> Result<(), Problem> {
    let place = |flat| (tensor.name.to_owned(), unravel(flat, tensor.shape));
    if let Some(flat) = values.iter().position(|value| !value.is_finite()) {
        let (tensor, index) = place(flat);
        return Err(Problem::NotFinite {
            tensor,
            index,
            value: f64::from(values[flat]),
        });
    }
    match floats {
        FloatDtype::F32 => in_blocks(out, values, f32::to_le_bytes)?,
        FloatDtype::F16 => {
            let overflows = |&value: &f32| f16::from_f32(value).is_infinite();
            if let Some(flat) = values.iter().position(overflows) {
                let (tensor, index) = place(flat);
                let value = values[flat];
                return Err(Problem::HalfOverflow { tensor, index, value });
            }
            in_blocks(out, values, |value| f16::from_f32(value).to_le_bytes())?;
        }
    }
    Ok(())
}

/// Writes the bytes of many values, with a buffer of a size that caches like.
fn in_blocks<T: Copy, const N: usize>(
    out: &mut impl Write,
    values: &[T],
    bytes_of: impl Fn(T) -> [u8; N],
) -> Result<(), Problem> {
    const BLOCK: usize = 1 << 13;
    let mut bytes = Vec::with_capacity(BLOCK.min(values.len()) * N);
    for block in values.chunks(BLOCK) {
        bytes.clear();
        bytes.extend(block.iter().flat_map(|&value| bytes_of(value)));
        out.write_all(&bytes).map_err(Problem::Unwritable)?;
    }
    Ok(())
}
