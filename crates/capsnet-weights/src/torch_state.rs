//! From the value that a PyTorch pickle has built to a state dict.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;

use crate::element::{View, decode};
use crate::error::Problem;
use crate::file::MAX_EXPANSION;
use crate::pickle::{Heap, Pickle, Value};
use crate::state_dict::{Format, NamedTensor, StateDict};
use crate::torch_objects::StorageRef;

/// Names under which training scripts keep the state dict within a checkpoint.
const WRAPPERS: [&str; 3] = ["state_dict", "model_state_dict", "model"];

/// Reads the tensors of the state dict that `pickle` describes.
///
/// A checkpoint that holds its state dict under one of [`WRAPPERS`] is accepted for that state
/// dict; whatever lies beside it (epoch, optimizer) is ignored, as long as the pickle names nothing
/// but tensors.
///
/// `bytes_of` gives the bytes of a storage, exactly as many as it claims to have; `file_bytes` is
/// the size of the file.
pub(crate) fn state_dict<'a>(
    path: &Path,
    format: Format,
    pickle: &Pickle<'a>,
    file_bytes: usize,
    bytes_of: impl Fn(&StorageRef<'a>) -> Result<&'a [u8], Problem>,
) -> Result<StateDict, Problem> {
    let named = named_tensors(&pickle.heap, pickle.root)?;
    check_expansion(&named, file_bytes)?;
    let mut state = StateDict::from_file(path, format);
    // Looked up once each, since that computes a checksum and a file may have thousands of tensors
    // on one storage.
    let mut storages: HashMap<&StorageRef<'a>, &'a [u8]> = HashMap::new();
    for (name, storage, view) in named {
        let bytes = match storages.entry(storage) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(unknown) => *unknown.insert(bytes_of(storage)?),
        };
        let values = decode(name, storage.dtype, bytes, view)?;
        let tensor = NamedTensor::stored_as(view.shape().to_vec(), values, storage.dtype);
        let tensor = tensor.ok_or_else(|| Problem::malformed("a tensor contradicts its shape"))?;
        state.insert(name, tensor).map_err(|error| error.problem)?;
    }
    Ok(state)
}

type Named<'h, 'a> = (&'a str, &'h StorageRef<'a>, &'h View);

fn named_tensors<'h, 'a>(heap: &'h Heap<'a>, root: Value<'a>) -> Result<Vec<Named<'h, 'a>>, Problem> {
    let entries = entries(heap, root)?;
    if entries.is_empty() {
        return Err(Problem::NoTensors);
    }
    entries
        .iter()
        .map(|&(key, value)| {
            let Value::Str(name) = key else {
                return Err(Problem::NotAStateDict {
                    found: format!("a dict whose keys include {}", key.kind()),
                });
            };
            let Value::Tensor(tensor) = value else {
                return Err(Problem::NotATensor {
                    entry: name.to_owned(),
                    found: value.kind().to_owned(),
                });
            };
            let tensor = &heap.tensors[tensor];
            let view = tensor.view.as_ref();
            let view = view.map_err(|detail| Problem::BadLayout {
                tensor: name.to_owned(),
                detail: detail.clone(),
            })?;
            Ok((name, &heap.storages[tensor.storage], view))
        })
        .collect()
}

/// The entries of the state dict, be it the whole value or a part of a checkpoint.
fn entries<'h, 'a>(heap: &'h Heap<'a>, root: Value<'a>) -> Result<&'h [(Value<'a>, Value<'a>)], Problem> {
    let Value::Dict(dict) = root else {
        return Err(Problem::NotAStateDict {
            found: root.kind().to_owned(),
        });
    };
    let entries = heap.dicts[dict].as_slice();
    let mut wrapped = entries.iter().filter_map(|&(key, value)| match (key, value) {
        (Value::Str(name), Value::Dict(dict)) if WRAPPERS.contains(&name) => Some(dict),
        _ => None,
    });
    match (wrapped.next(), wrapped.next()) {
        (None, _) => Ok(entries),
        (Some(dict), None) => Ok(&heap.dicts[dict]),
        (Some(_), Some(_)) => Err(Problem::NotAStateDict {
            found: "more than one state dict".to_owned(),
        }),
    }
}

/// Tensors may share storages, so that the size of the file alone does not bound what they need
/// together.
fn check_expansion(named: &[Named<'_, '_>], file_bytes: usize) -> Result<(), Problem> {
    let needed = named.iter().try_fold(0_usize, |sum, (_, storage, view)| {
        view.elements()
            .checked_mul(storage.dtype.size_in_memory())
            .and_then(|bytes| sum.checked_add(bytes))
    });
    match needed {
        Some(bytes) if bytes / MAX_EXPANSION <= file_bytes => Ok(()),
        _ => Err(Problem::Expands),
    }
}
