//! The few objects of PyTorch that a state dict is made of, as its pickles describe them.
//!
//! A tensor is pickled as a call of `torch._utils._rebuild_tensor_v2(storage, offset, shape,
//! strides, requires_grad, hooks)`, a parameter as `torch._utils._rebuild_parameter(tensor,
//! requires_grad, hooks)`. The bytes lie outside the pickle; it refers to them by a persistent id,
//! `('storage', torch.FloatStorage, key, device, elements)`. Source: `torch/_utils.py` and
//! `torch/serialization.py`.

use crate::element::{Dtype, MAX_DIMENSIONS, View};
use crate::error::{Problem, shown};
use crate::pickle::{Heap, Value};

/// The classes and functions that a state dict may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Storage(Dtype),
}

impl Global {
    /// The class or function `module.name`, if it may occur in a state dict.
    pub(crate) fn find(module: &str, name: &str) -> Result<Self, Problem> {
        Ok(match (module, name) {
            ("collections", "OrderedDict") => Self::OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2") => Self::RebuildTensor,
            ("torch._utils", "_rebuild_parameter") => Self::RebuildParameter,
            ("torch", "DoubleStorage") => Self::Storage(Dtype::F64),
            ("torch", "FloatStorage") => Self::Storage(Dtype::F32),
            ("torch", "HalfStorage") => Self::Storage(Dtype::F16),
            ("torch", "BFloat16Storage") => Self::Storage(Dtype::Bf16),
            ("torch", "LongStorage") => Self::Storage(Dtype::I64),
            ("torch", "IntStorage") => Self::Storage(Dtype::I32),
            ("torch", "ShortStorage") => Self::Storage(Dtype::I16),
            ("torch", "CharStorage") => Self::Storage(Dtype::I8),
            ("torch", "ByteStorage") => Self::Storage(Dtype::U8),
            ("torch", "BoolStorage") => Self::Storage(Dtype::Bool),
            _ => {
                return Err(Problem::ForbiddenGlobal {
                    global: format!("{module}.{name}"),
                });
            }
        })
    }
}

/// A storage that the pickle refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct StorageRef<'a> {
    /// Its name within the file.
    pub key: &'a str,
    pub dtype: Dtype,
    /// Number of elements that it claims to have.
    pub elements: usize,
}

impl StorageRef<'_> {
    /// The length in bytes that it claims to have.
    pub(crate) fn bytes(&self) -> Result<usize, Problem> {
        let bytes = self.elements.checked_mul(self.dtype.size());
        bytes.ok_or_else(|| {
            Problem::malformed(format!(
                "storage `{}` claims {} elements",
                shown(self.key),
                self.elements
            ))
        })
    }
}

/// A tensor that the pickle has built.
///
/// Its name isn't known yet, so a layout that doesn't fit the storage is kept until it is.
#[derive(Debug, Clone)]
pub(crate) struct TensorRef {
    /// Position of its storage in [`Heap::storages`].
    pub storage: usize,
    /// Where its elements lie, or what is wrong with that.
    pub view: Result<View, String>,
}

/// Resolves a persistent id.
pub(crate) fn storage<'a>(heap: &mut Heap<'a>, id: Value<'a>) -> Result<Value<'a>, Problem> {
    let strange = || Problem::malformed("its pickle refers to data in a way that PyTorch does not");
    let Value::Tuple(id) = id else {
        return Err(strange());
    };
    let [
        Value::Str("storage"),
        kind,
        Value::Str(key),
        Value::Str(_device),
        Value::Int(elements),
        view @ ..,
    ] = heap.tuples[id].as_slice()
    else {
        return Err(strange());
    };
    let (&Value::Global(Global::Storage(dtype)), Ok(elements)) = (kind, usize::try_from(*elements)) else {
        return Err(strange());
    };
    match view {
        [] | [Value::None] => {}
        // PyTorch 0.4 to 1.5 added (key, offset, elements) of a view, which always was the whole
        // storage.
        [Value::Tuple(view)] => match heap.tuples[*view].as_slice() {
            [_, Value::Int(0), Value::Int(viewed)] if usize::try_from(*viewed) == Ok(elements) => {}
            _ => {
                return Err(Problem::Unsupported {
                    what: "a view of a storage, as PyTorch before 0.4 wrote them".to_owned(),
                    advice: "load and save it again with a newer PyTorch",
                });
            }
        },
        _ => return Err(strange()),
    }
    let storage = StorageRef { key, dtype, elements };
    storage.bytes()?;
    heap.storages.push(storage);
    Ok(Value::Storage(heap.storages.len() - 1))
}

/// Carries out a call of one of the known functions.
pub(crate) fn call<'a>(heap: &mut Heap<'a>, callee: Global, arguments: usize) -> Result<Value<'a>, Problem> {
    let called =
        |what: &str| Problem::malformed(format!("its pickle has {what} called in a way that PyTorch does not"));
    match callee {
        Global::RebuildTensor => {
            let tensor = rebuild_tensor(heap, &heap.tuples[arguments]).ok_or_else(|| called("_rebuild_tensor_v2"))?;
            heap.tensors.push(tensor);
            Ok(Value::Tensor(heap.tensors.len() - 1))
        }
        Global::RebuildParameter => match heap.tuples[arguments].as_slice() {
            [Value::Tensor(tensor), Value::Bool(_), hooks] if is_empty(heap, *hooks) => Ok(Value::Tensor(*tensor)),
            _ => Err(called("_rebuild_parameter")),
        },
        Global::OrderedDict => Err(called("OrderedDict")),
        Global::Storage(_) => Err(called("a storage class")),
    }
}

fn rebuild_tensor(heap: &Heap<'_>, arguments: &[Value<'_>]) -> Option<TensorRef> {
    let [
        Value::Storage(storage),
        Value::Int(offset),
        Value::Tuple(shape),
        Value::Tuple(strides),
        Value::Bool(_),
        hooks,
        flags @ ..,
    ] = arguments
    else {
        return None;
    };
    // The flags would say that the values are to be negated or conjugated.
    let plain = match flags {
        [] => true,
        [flags] => is_empty(heap, *flags),
        _ => false,
    };
    if !plain || !is_empty(heap, *hooks) {
        return None;
    }
    let view = View::new(
        usize::try_from(*offset).ok()?,
        sizes(&heap.tuples[*shape])?,
        sizes(&heap.tuples[*strides])?,
        heap.storages[*storage].elements,
    );
    Some(TensorRef {
        storage: *storage,
        view,
    })
}

/// The numbers of a shape or of strides; of more than can be valid, no more than shows that there
/// are too many.
fn sizes(values: &[Value<'_>]) -> Option<Vec<usize>> {
    values
        .iter()
        .take(MAX_DIMENSIONS + 1)
        .map(|value| match value {
            Value::Int(size) => usize::try_from(*size).ok(),
            _ => None,
        })
        .collect()
}

fn is_empty(heap: &Heap<'_>, value: Value<'_>) -> bool {
    match value {
        Value::None => true,
        Value::Dict(dict) => heap.dicts[dict].is_empty(),
        _ => false,
    }
}
