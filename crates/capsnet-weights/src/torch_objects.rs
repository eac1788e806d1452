//! The few objects of PyTorch that a state dict is made of, as its pickles describe them.
//!
//! A tensor is pickled as a call of `torch._utils._rebuild_tensor_v2(storage, offset, shape,
//! strides, requires_grad, hooks)`, before 0.4 of `_rebuild_tensor` with the first four, a parameter as
//! `torch._utils._rebuild_parameter(tensor, requires_grad, hooks)`. The bytes lie outside the
//! pickle; it refers to them by a persistent id, `('storage', torch.FloatStorage, key, device, elements)`. Source:
//! `torch/_utils.py` and `torch/serialization.py`.

use crate::element::{Dtype, MAX_DIMENSIONS, View};
use crate::error::{Problem, shown};
use crate::pickle::{Heap, Value};
use crate::torch_names::{Element, Global};

/// A storage that the pickle refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct StorageRef<'a> {
    /// Its name within the file.
    pub key: &'a str,
    pub element: Element,
    /// Number of elements that it claims to have.
    pub elements: usize,
}

impl StorageRef<'_> {
    /// The length in bytes that it claims to have.
    pub(crate) fn bytes(&self) -> Result<usize, Problem> {
        let bytes = self.elements.checked_mul(self.element.size());
        bytes.ok_or_else(|| {
            Problem::malformed(format!(
                "storage `{}` claims {} elements",
                shown(self.key),
                self.elements
            ))
        })
    }
}

/// A tensor that the pickle has built: numbers and positions in the [`Heap`], so that many cost little.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TensorRef {
    /// Position of its storage.
    pub storage: usize,
    pub dtype: Dtype,
    offset: usize,
    /// Positions of tuples.
    shape: usize,
    strides: usize,
}

impl TensorRef {
    /// Whether it has no dimension.
    pub(crate) fn is_scalar(&self, heap: &Heap<'_>) -> bool {
        heap.tuples[self.shape].is_empty()
    }

    /// Where its elements lie, or what is wrong with that.
    pub(crate) fn view(&self, heap: &Heap<'_>) -> Result<View, String> {
        let sizes = |tuple: usize| sizes(&heap.tuples[tuple]).ok_or("has a size that is no number");
        let storage = &heap.storages[self.storage];
        let stored = storage.elements.saturating_mul(storage.element.size()) / self.dtype.size();
        View::new(self.offset, sizes(self.shape)?, sizes(self.strides)?, stored)
    }
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
    let (&Value::Global(Global::Storage(element)), Ok(elements)) = (kind, usize::try_from(*elements)) else {
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
    let storage = StorageRef { key, element, elements };
    storage.bytes()?;
    heap.storages.push(storage);
    Ok(Value::Storage(heap.storages.len() - 1))
}

/// More arguments than any of the functions takes.
const MOST_ARGUMENTS: usize = 16;

/// Carries out a call of one of the known functions.
pub(crate) fn call<'a>(heap: &mut Heap<'a>, callee: Global, arguments: usize) -> Result<Value<'a>, Problem> {
    let called =
        |what: &str| Problem::malformed(format!("its pickle has {what} called in a way that PyTorch does not"));
    let given = heap.tuples[arguments].as_slice();
    if given.len() > MOST_ARGUMENTS {
        return Err(called("a function"));
    }
    // A few small values, so that the heap can grow beside them.
    let given = given.to_vec();
    let or_called = |made: Option<Value<'a>>, what| made.ok_or_else(|| called(what));
    match callee {
        Global::Dict => match *given.as_slice() {
            [] => {
                heap.dicts.push(Vec::new());
                Ok(Value::Dict(heap.dicts.len() - 1))
            }
            // `Counter` is given its entries.
            [Value::Dict(entries)] => Ok(Value::Dict(entries)),
            _ => Err(called("OrderedDict")),
        },
        Global::Size => match *given.as_slice() {
            [Value::Tuple(sizes)] => Ok(Value::Tuple(sizes)),
            _ => Err(called("Size")),
        },
        Global::RebuildTensor => or_called(tensor(heap, &given, &[], None), "_rebuild_tensor"),
        Global::RebuildTensorV2 => {
            let (place, rest) = given.split_at(given.len().min(4));
            or_called(tensor(heap, place, rest, None), "_rebuild_tensor_v2")
        }
        Global::RebuildTensorV3 => match given.as_slice() {
            // The element type stands between the hooks and the flags.
            [
                a,
                b,
                c,
                d,
                gradient,
                hooks,
                Value::Global(Global::Dtype(element)),
                flags @ ..,
            ] => {
                let rest: Vec<_> = [*gradient, *hooks].into_iter().chain(flags.iter().copied()).collect();
                let made = tensor(heap, &[*a, *b, *c, *d], &rest, Some(*element));
                or_called(made, "_rebuild_tensor_v3")
            }
            _ => Err(called("_rebuild_tensor_v3")),
        },
        Global::Parameter => match *given.as_slice() {
            [data @ (Value::Tensor(_) | Value::Opaque(_)), ref rest @ ..] if rest.len() <= 3 => {
                let hooks = rest.get(1).copied().unwrap_or(Value::None);
                if is_empty(heap, hooks) {
                    Ok(data)
                } else {
                    Err(called("_rebuild_parameter"))
                }
            }
            _ => Err(called("_rebuild_parameter")),
        },
        Global::RebuildFromType => match *given.as_slice() {
            // Nested no deeper, so that a file can't make this call itself without end.
            [
                Value::Global(function),
                Value::Global(_),
                Value::Tuple(arguments),
                _state,
            ] if function != Global::RebuildFromType => call(heap, function, arguments),
            _ => Err(called("_rebuild_from_type_v2")),
        },
        Global::Opaque(kind) => Ok(Value::Opaque(kind)),
        Global::Storage(_) => Err(called("a storage class")),
        Global::Dtype(_) => Err(called("an element type")),
    }
}

/// A tensor at a `place` (storage, offset, shape, strides), with what is said beside it: whether it has a gradient,
/// hooks, and flags that would say that the values are to be negated or conjugated.
fn tensor<'a>(
    heap: &mut Heap<'a>,
    place: &[Value<'a>],
    beside: &[Value<'a>],
    element: Option<Element>,
) -> Option<Value<'a>> {
    let &[
        Value::Storage(storage),
        Value::Int(offset),
        Value::Tuple(shape),
        Value::Tuple(strides),
    ] = place
    else {
        return None;
    };
    let plain = match beside {
        [] => true,
        [Value::Bool(_), rest @ ..] if rest.len() <= 2 => rest.iter().all(|&value| is_empty(heap, value)),
        _ => false,
    };
    if !plain {
        return None;
    }
    let dtype = match element.unwrap_or(heap.storages[storage].element) {
        Element::Plain(dtype) => dtype,
        Element::Other(_, kind) => return Some(Value::Opaque(kind)),
    };
    heap.tensors.push(TensorRef {
        storage,
        dtype,
        offset: usize::try_from(offset).ok()?,
        shape,
        strides,
    });
    Some(Value::Tensor(heap.tensors.len() - 1))
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
