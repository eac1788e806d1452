//! From the value that a PyTorch pickle has built to a state dict.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;

use crate::element::{Dtype, View, decode};
use crate::error::Problem;
use crate::file::MAX_EXPANSION;
use crate::pickle::{Heap, Pickle, Value};
use crate::state_dict::{Format, NamedTensor, StateDict};
use crate::torch_choice;
use crate::torch_objects::StorageRef;

/// Reads the tensors of the state dict that `pickle` describes, be it the whole value or a part of a checkpoint.
/// Whatever lies beside the tensors (epoch, optimizer) is passed over, as long as the pickle names nothing that it
/// mustn't.
///
/// `bytes_of` gives the bytes of a storage, exactly as many as it claims to have; `file_bytes` is
/// the size of the file.
pub(crate) fn state_dict<'a, 'b>(
    path: &Path,
    format: Format,
    pickle: &Pickle<'a>,
    file_bytes: usize,
    bytes_of: impl Fn(&StorageRef<'a>) -> Result<Cow<'b, [u8]>, Problem>,
) -> Result<StateDict, Problem> {
    let heap = &pickle.heap;
    let choice = torch_choice::state_dict(heap, pickle.root)?;
    let named = named_tensors(heap, choice.dict)?;
    check_expansion(&named, file_bytes)?;
    let mut state = StateDict::from_file(path, format);
    state.beside = choice
        .beside
        .iter()
        .map(|(name, kind)| format!("{name} ({kind})"))
        .collect();
    // Looked up once each, since that computes a checksum and a file may have thousands of tensors
    // on one storage.
    let mut storages: HashMap<&StorageRef<'a>, Cow<'b, [u8]>> = HashMap::new();
    for Named {
        name,
        storage,
        dtype,
        view,
    } in named
    {
        let bytes = match storages.entry(storage) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(bytes_of(storage)?),
        };
        let values = decode(name, dtype, bytes, &view)?;
        let tensor = NamedTensor::stored_as(view.shape().to_vec(), values, dtype);
        let tensor = tensor.ok_or_else(|| Problem::malformed("a tensor contradicts its shape"))?;
        state.insert(name, tensor).map_err(|error| error.problem)?;
    }
    Ok(state)
}

/// A tensor under its name.
struct Named<'h, 'a> {
    name: &'a str,
    storage: &'h StorageRef<'a>,
    dtype: Dtype,
    view: View,
}

fn named_tensors<'h, 'a>(heap: &'h Heap<'a>, dict: usize) -> Result<Vec<Named<'h, 'a>>, Problem> {
    let mut named = Vec::new();
    for &(key, value) in &heap.dicts[dict] {
        let Value::Str(name) = key else { continue };
        match value {
            Value::Tensor(tensor) => {
                let tensor = &heap.tensors[tensor];
                let view = tensor.view(heap).map_err(|detail| Problem::BadLayout {
                    tensor: name.to_owned(),
                    detail,
                })?;
                named.push(Named {
                    name,
                    storage: &heap.storages[tensor.storage],
                    dtype: tensor.dtype,
                    view,
                });
            }
            Value::Opaque(kind) if kind.is_tensor() => {
                return Err(Problem::NotATensor {
                    entry: name.to_owned(),
                    found: kind.text().to_owned(),
                });
            }
            _ => {}
        }
    }
    if named.is_empty() {
        Err(Problem::NoTensors)
    } else {
        Ok(named)
    }
}

/// Tensors may share storages, so that the size of the file alone does not bound what they need
/// together.
fn check_expansion(named: &[Named<'_, '_>], file_bytes: usize) -> Result<(), Problem> {
    let needed = named.iter().try_fold(0_usize, |sum, Named { dtype, view, .. }| {
        view.elements()
            .checked_mul(dtype.size_in_memory())
            .and_then(|bytes| sum.checked_add(bytes))
    });
    match needed {
        Some(bytes) if bytes / MAX_EXPANSION <= file_bytes => Ok(()),
        _ => Err(Problem::Expands),
    }
}
