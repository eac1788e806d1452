//! Reading safetensors: a JSON header that describes the tensors, then their bytes
//! (<https://github.com/huggingface/safetensors#format>).
//!
//! The crate `safetensors` validates the header (every byte belongs to exactly one tensor) but
//! keeps the last of two entries of one name, and adds up offsets that it has not yet held against
//! the file. Both are looked at here first.

use std::collections::HashSet;
use std::fmt;
use std::path::Path;

use safetensors::SafeTensors;
use safetensors::tensor::Dtype as SafeDtype;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::element::{Dtype, View, decode};
use crate::error::{Problem, shown};
use crate::file::{MAX_EXPANSION, MAX_HEADER_BYTES};
use crate::state_dict::{Format, NamedTensor, StateDict};

/// Length in bytes of the number in front of the header, which is the header's length.
pub(crate) const LENGTH_BYTES: usize = 8;

/// Key of the header that holds the metadata rather than a tensor.
pub(crate) const METADATA_KEY: &str = "__metadata__";

/// Whether this is meant to be safetensors: nothing else has a brace after eight bytes.
pub(crate) fn recognises(bytes: &[u8]) -> bool {
    bytes.get(LENGTH_BYTES) == Some(&b'{')
}

/// Reads the safetensors file `bytes`.
pub(crate) fn parse(path: &Path, bytes: &[u8]) -> Result<StateDict, Problem> {
    check_header(bytes)?;
    let broken = |error| Problem::malformed(format!("its safetensors header is wrong ({error})"));
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(broken)?;
    let file = SafeTensors::deserialize(bytes).map_err(broken)?;
    if file.is_empty() {
        return Err(Problem::NoTensors);
    }
    let mut state = StateDict::from_file(path, Format::Safetensors);
    state.metadata = header
        .metadata()
        .iter()
        .flatten()
        .map(|(key, text)| (key.clone(), text.clone()))
        .collect();
    for (name, tensor) in file.iter() {
        let dtype = dtype(name, tensor.dtype())?;
        let shape = tensor.shape().to_vec();
        let data = tensor.data();
        let view = View::contiguous(shape.clone(), data.len() / dtype.size());
        let view = view.map_err(|detail| Problem::BadLayout {
            tensor: name.to_owned(),
            detail,
        })?;
        let values = decode(name, dtype, data, &view)?;
        let tensor = NamedTensor::stored_as(shape, values, dtype);
        let tensor = tensor.ok_or_else(|| Problem::malformed("a tensor contradicts its shape"))?;
        state.insert(name, tensor).map_err(|error| error.problem)?;
    }
    Ok(state)
}

// No byte is shared in safetensors, so that the widest conversion, from one byte to eight, bounds
// the memory.
const _: () = assert!(size_of::<i64>() <= MAX_EXPANSION);

fn dtype(name: &str, stored: SafeDtype) -> Result<Dtype, Problem> {
    Ok(match stored {
        SafeDtype::F64 => Dtype::F64,
        SafeDtype::F32 => Dtype::F32,
        SafeDtype::F16 => Dtype::F16,
        SafeDtype::BF16 => Dtype::Bf16,
        SafeDtype::I64 => Dtype::I64,
        SafeDtype::I32 => Dtype::I32,
        SafeDtype::I16 => Dtype::I16,
        SafeDtype::I8 => Dtype::I8,
        SafeDtype::U32 => Dtype::U32,
        SafeDtype::U16 => Dtype::U16,
        SafeDtype::U8 => Dtype::U8,
        SafeDtype::BOOL => Dtype::Bool,
        other => {
            return Err(Problem::Unsupported {
                what: format!("the tensor `{}` of type {other}", shown(name)),
                advice: "convert it to float32 before saving",
            });
        }
    })
}

/// Refuses what the crate would let pass: a name twice, an offset beyond the file, a header without
/// bounds.
fn check_header(bytes: &[u8]) -> Result<(), Problem> {
    let cut = || Problem::malformed("it ends within its safetensors header");
    let (length, rest) = bytes.split_first_chunk::<LENGTH_BYTES>().ok_or_else(cut)?;
    let length = u64::from_le_bytes(*length);
    let length = usize::try_from(length)
        .ok()
        .filter(|&length| length <= rest.len())
        .ok_or_else(cut)?;
    if length > MAX_HEADER_BYTES {
        return Err(Problem::HeaderTooLarge);
    }
    let (header, data) = rest.split_at(length);
    let Header(entries) = serde_json::from_slice(header)
        .map_err(|error| Problem::malformed(format!("its safetensors header is no valid JSON ({error})")))?;
    let mut names = HashSet::new();
    for (name, entry) in &entries {
        if !names.insert(name) {
            return Err(Problem::DuplicateName { tensor: name.clone() });
        }
        if entry.data_offsets.is_some_and(|(_, end)| end > data.len() as u64) {
            return Err(Problem::malformed(format!(
                "tensor `{}` reaches beyond the end of the file",
                shown(name)
            )));
        }
    }
    Ok(())
}

/// The entries of a header in the order of the file, repeated names included.
struct Header(Vec<(String, Entry)>);

/// What is looked at of an entry; of the metadata, nothing.
#[derive(Deserialize)]
struct Entry {
    data_offsets: Option<(u64, u64)>,
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = Header;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a safetensors header")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Header, M::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            let entry = if key == METADATA_KEY {
                map.next_value::<serde::de::IgnoredAny>()?;
                Entry { data_offsets: None }
            } else {
                map.next_value()?
            };
            entries.push((key, entry));
        }
        Ok(Header(entries))
    }
}
