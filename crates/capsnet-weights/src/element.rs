//! Element types, and the way from the bytes of a file to values.

use std::fmt;

use half::{bf16, f16};

use crate::error::Problem;
use crate::state_dict::TensorValues;

/// Element type of a tensor as it is stored in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names say it
pub enum Dtype {
    F64,
    F32,
    F16,
    Bf16,
    I64,
    I32,
    I16,
    I8,
    U32,
    U16,
    U8,
    Bool,
}

impl Dtype {
    /// Size of an element in bytes.
    pub const fn size(self) -> usize {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::F16 | Self::Bf16 | Self::I16 | Self::U16 => 2,
            Self::I8 | Self::U8 | Self::Bool => 1,
        }
    }

    /// Whether the elements are floating-point numbers.
    pub const fn is_float(self) -> bool {
        matches!(self, Self::F64 | Self::F32 | Self::F16 | Self::Bf16)
    }

    /// Size in bytes of an element once it is read (see [`TensorValues`]).
    pub(crate) const fn size_in_memory(self) -> usize {
        if self.is_float() {
            size_of::<f32>()
        } else {
            size_of::<i64>()
        }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::F64 => "F64",
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::Bf16 => "BF16",
            Self::I64 => "I64",
            Self::I32 => "I32",
            Self::I16 => "I16",
            Self::I8 => "I8",
            Self::U32 => "U32",
            Self::U16 => "U16",
            Self::U8 => "U8",
            Self::Bool => "BOOL",
        })
    }
}

/// Which elements of a storage make up a tensor: element `i` is `storage[offset + sum over d of
/// i[d] * strides[d]]`.
///
/// [`View::new`] has checked that every element lies within the storage.
#[derive(Debug, Clone)]
pub(crate) struct View {
    offset: usize,
    shape: Vec<usize>,
    strides: Vec<usize>,
    elements: usize,
}

/// Most dimensions of a tensor; PyTorch's own limit is 64, a capsule layer has 4.
pub(crate) const MAX_DIMENSIONS: usize = 16;

impl View {
    /// A view of a storage of `stored` elements, or what is wrong with it.
    ///
    /// A tensor with more elements than its storage (made by `expand`, with a stride of 0) is
    /// refused, so that a small file cannot ask for a lot of memory.
    pub(crate) fn new(offset: usize, shape: Vec<usize>, strides: Vec<usize>, stored: usize) -> Result<Self, String> {
        if shape.len() > MAX_DIMENSIONS {
            return Err(format!("has {} dimensions, more than {MAX_DIMENSIONS}", shape.len()));
        }
        if shape.len() != strides.len() {
            return Err(format!("has {} dimensions but {} strides", shape.len(), strides.len()));
        }
        let elements = shape
            .iter()
            .try_fold(1_usize, |product, &size| product.checked_mul(size));
        let elements = elements
            .filter(|&elements| elements <= stored)
            .ok_or_else(|| format!("of shape {shape:?} has more elements than the {stored} that are stored for it"))?;
        if elements > 0 {
            let last = shape
                .iter()
                .zip(&strides)
                .try_fold(offset, |position, (&size, &stride)| {
                    (size - 1)
                        .checked_mul(stride)
                        .and_then(|step| position.checked_add(step))
                });
            if last.is_none_or(|last| last >= stored) {
                return Err(format!(
                    "of shape {shape:?}, strides {strides:?} and offset {offset} \
                     reaches beyond the {stored} elements that are stored for it"
                ));
            }
        }
        Ok(Self {
            offset,
            shape,
            strides,
            elements,
        })
    }

    /// A view of a whole storage in row-major order.
    pub(crate) fn contiguous(shape: Vec<usize>, stored: usize) -> Result<Self, String> {
        let mut strides = vec![1_usize; shape.len()];
        for dimension in (1..shape.len()).rev() {
            strides[dimension - 1] = strides[dimension].saturating_mul(shape[dimension]);
        }
        Self::new(0, shape, strides, stored)
    }

    pub(crate) fn shape(&self) -> &[usize] {
        &self.shape
    }

    pub(crate) fn elements(&self) -> usize {
        self.elements
    }

    /// Positions within the storage, in row-major order of the tensor.
    fn positions(&self) -> impl Iterator<Item = usize> {
        let mut index = vec![0_usize; self.shape.len()];
        let mut next = self.offset;
        (0..self.elements).map(move |_| {
            let position = next;
            for dimension in (0..index.len()).rev() {
                index[dimension] += 1;
                if index[dimension] < self.shape[dimension] {
                    next += self.strides[dimension];
                    break;
                }
                next -= (self.shape[dimension] - 1) * self.strides[dimension];
                index[dimension] = 0;
            }
            position
        })
    }
}

/// Reads the tensor `name` out of the little-endian bytes of its storage.
///
/// `storage` must hold as many elements as the view was made for.
///
/// # Errors
/// [`Problem::NotFinite`] with the position of the first NaN, infinity, or double beyond the range
/// of `f32`.
pub(crate) fn decode(name: &str, dtype: Dtype, storage: &[u8], view: &View) -> Result<TensorValues, Problem> {
    let bytes_of = |position: usize| &storage[position * dtype.size()..][..dtype.size()];
    if !dtype.is_float() {
        let values = view
            .positions()
            .map(|position| integer(dtype, bytes_of(position)))
            .collect();
        return Ok(TensorValues::I64(values));
    }
    let mut values = Vec::with_capacity(view.elements);
    for position in view.positions() {
        let wide = float(dtype, bytes_of(position));
        let value = wide as f32;
        if !value.is_finite() {
            let index = unravel(values.len(), &view.shape);
            return Err(Problem::NotFinite {
                tensor: name.to_owned(),
                index,
                value: wide,
            });
        }
        values.push(value);
    }
    Ok(TensorValues::F32(values))
}

fn float(dtype: Dtype, bytes: &[u8]) -> f64 {
    match dtype {
        Dtype::F64 => f64::from_le_bytes(array(bytes)),
        Dtype::F16 => f16::from_le_bytes(array(bytes)).to_f64(),
        Dtype::Bf16 => bf16::from_le_bytes(array(bytes)).to_f64(),
        _ => f64::from(f32::from_le_bytes(array(bytes))),
    }
}

fn integer(dtype: Dtype, bytes: &[u8]) -> i64 {
    match dtype {
        Dtype::I32 => i64::from(i32::from_le_bytes(array(bytes))),
        Dtype::I16 => i64::from(i16::from_le_bytes(array(bytes))),
        Dtype::I8 => i64::from(i8::from_le_bytes(array(bytes))),
        Dtype::U32 => i64::from(u32::from_le_bytes(array(bytes))),
        Dtype::U16 => i64::from(u16::from_le_bytes(array(bytes))),
        Dtype::U8 => i64::from(bytes[0]),
        Dtype::Bool => i64::from(bytes[0] != 0),
        _ => i64::from_le_bytes(array(bytes)),
    }
}

/// The bytes of one element; their number is [`Dtype::size`], which is that of the number made of
/// them.
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(bytes);
    array
}

/// The index of the `flat`-th element of a tensor of `shape`.
pub(crate) fn unravel(mut flat: usize, shape: &[usize]) -> Vec<usize> {
    let mut index = vec![0; shape.len()];
    for (position, &size) in index.iter_mut().zip(shape).rev() {
        *position = flat % size;
        flat /= size;
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_gathered_in_row_major_order() {
        // numpy: numpy.arange(24).reshape(2, 3, 4).transpose(2, 0, 1)[1:, :, ::2].flatten()
        let view = View::new(1, vec![3, 2, 2], vec![1, 12, 8], 24).unwrap();
        let positions: Vec<usize> = view.positions().collect();
        assert_eq!(positions, [1, 9, 13, 21, 2, 10, 14, 22, 3, 11, 15, 23]);
    }

    #[test]
    fn scalars_and_empty_tensors_have_one_and_no_element() {
        assert_eq!(
            View::contiguous(vec![], 1).unwrap().positions().collect::<Vec<_>>(),
            [0]
        );
        assert_eq!(View::contiguous(vec![0, 3], 0).unwrap().positions().count(), 0);
    }

    #[test]
    fn views_beyond_their_storage_are_refused() {
        assert!(View::new(0, vec![4], vec![1], 4).is_ok());
        assert!(View::new(1, vec![4], vec![1], 4).is_err());
        assert!(View::new(0, vec![2, 2], vec![3, 1], 4).is_err());
        assert!(View::new(0, vec![5], vec![0], 4).is_err());
        assert!(View::new(0, vec![1 << 40, 1 << 40], vec![0, 0], 4).is_err());
        assert!(View::new(0, vec![2], vec![usize::MAX], 4).is_err());
        assert!(View::new(0, vec![1; 17], vec![1; 17], 4).is_err());
        assert!(View::new(0, vec![1], vec![], 4).is_err());
    }

    #[test]
    fn flat_positions_turn_into_indices() {
        assert_eq!(unravel(17, &[2, 3, 4]), [1, 1, 1]);
        assert_eq!(unravel(0, &[]), Vec::<usize>::new());
    }
}
