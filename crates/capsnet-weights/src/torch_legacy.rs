//! The stream of pickles that `torch.save` wrote before PyTorch 1.6, and still writes if asked to.
//!
//! A magic number, a protocol number, a dict that tells the byte order, the saved object, the list
//! of its storages' keys: each a pickle of its own. Then the storages in the order of that list,
//! each as its number of elements (64 bits) and its bytes. There is no checksum.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use crate::error::{Problem, shown};
use crate::pickle::{self, Heap, Pickle, Value};
use crate::state_dict::{Format, StateDict};
use crate::torch_objects::StorageRef;
use crate::torch_state;

/// 0x1950a86a20f9469cfc6c, little-endian.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const PROTOCOL: i64 = 1001;

/// What every pickle of protocol 2 or later begins with.
pub(crate) const PICKLE_START: u8 = 0x80;

/// Reads the stream `bytes`.
pub(crate) fn parse(path: &Path, bytes: &[u8]) -> Result<StateDict, Problem> {
    let mut rest = bytes;
    if !matches!(next(&mut rest)?.root, Value::Long(digits) if digits == MAGIC) {
        return Err(Problem::NotAStateDict {
            found: "a plain pickle".to_owned(),
        });
    }
    if !matches!(next(&mut rest)?.root, Value::Int(PROTOCOL)) {
        return Err(Problem::malformed("the protocol number of torch.save is wrong"));
    }
    check_byte_order(&next(&mut rest)?)?;
    let saved = next(&mut rest)?;
    let keys = next(&mut rest)?;
    let storages = storages(&saved.heap, &keys, rest)?;
    torch_state::state_dict(path, Format::TorchLegacy, &saved, bytes.len(), |storage| {
        let data = storages.get(storage.key).copied();
        data.map(Cow::Borrowed)
            .ok_or_else(|| Problem::malformed(format!("storage `{}` is not in the file", shown(storage.key))))
    })
}

fn next<'a>(rest: &mut &'a [u8]) -> Result<Pickle<'a>, Problem> {
    let pickle = pickle::read(rest)?;
    *rest = &rest[pickle.length..];
    Ok(pickle)
}

fn check_byte_order(system: &Pickle<'_>) -> Result<(), Problem> {
    let Value::Dict(system_entries) = system.root else {
        return Err(Problem::malformed(
            "the description of the machine that wrote it is missing",
        ));
    };
    let order = system.heap.dicts[system_entries]
        .iter()
        .find_map(|(key, value)| matches!(key, Value::Str("little_endian")).then_some(value));
    match order {
        Some(Value::Bool(true)) => Ok(()),
        Some(Value::Bool(false)) => Err(Problem::big_endian()),
        _ => Err(Problem::malformed(
            "the byte order of the machine that wrote it is missing",
        )),
    }
}

/// The bytes of every storage by its key.
fn storages<'a>(heap: &Heap<'a>, keys: &Pickle<'a>, mut rest: &'a [u8]) -> Result<HashMap<&'a str, &'a [u8]>, Problem> {
    let Value::List(list) = keys.root else {
        return Err(Problem::malformed("the list of its storages is missing"));
    };
    let mut claimed: HashMap<&str, StorageRef<'_>> = HashMap::new();
    for &storage in &heap.storages {
        if *claimed.entry(storage.key).or_insert(storage) != storage {
            let key = shown(storage.key);
            return Err(Problem::malformed(format!(
                "storage `{key}` is described in two different ways"
            )));
        }
    }
    let mut found = HashMap::new();
    for key in &keys.heap.lists[list] {
        let Value::Str(key) = *key else {
            return Err(Problem::malformed(
                "the list of its storages holds something other than their keys",
            ));
        };
        let storage = claimed
            .get(key)
            .ok_or_else(|| Problem::malformed(format!("storage `{}` is listed, but no tensor uses it", shown(key))))?;
        if found.insert(key, split_storage(storage, &mut rest)?).is_some() {
            return Err(Problem::malformed(format!("storage `{}` is listed twice", shown(key))));
        }
    }
    if !rest.is_empty() {
        return Err(Problem::malformed(format!(
            "{} bytes follow the last storage",
            rest.len()
        )));
    }
    Ok(found)
}

/// Splits a storage, its count and its bytes, off the front of `rest`.
fn split_storage<'a>(storage: &StorageRef<'_>, rest: &mut &'a [u8]) -> Result<&'a [u8], Problem> {
    let key = || shown(storage.key);
    let short = || Problem::malformed(format!("it ends within storage `{}`", key()));
    let (count, after) = rest.split_first_chunk::<8>().ok_or_else(short)?;
    if u64::try_from(storage.elements) != Ok(u64::from_le_bytes(*count)) {
        return Err(Problem::malformed(format!(
            "the number of elements of storage `{}` is wrong",
            key()
        )));
    }
    let (data, after) = after.split_at_checked(storage.bytes()?).ok_or_else(short)?;
    *rest = after;
    Ok(data)
}
