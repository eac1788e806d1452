//! Least shapes of values: an axis that a file leaves open, as the batch is, has one element.
//!
//! For the operators by which small values become large ones, an outer product by [`matmul`] or [`broadcast`], and
//! those that only give a value another shape in between.

use crate::proto::ValueInfo;

/// Sizes along the axes; `f64`, so that no product overflows.
pub(crate) type Shape = Vec<f64>;

/// The elements of a shape; none of one that can't be.
pub(crate) fn product(sizes: impl IntoIterator<Item = f64>) -> f64 {
    sizes.into_iter().map(|size| size.max(0.0)).product()
}

/// What a graph is given.
pub(crate) fn of_input(input: &ValueInfo) -> Shape {
    let shape = input
        .kind
        .as_ref()
        .and_then(|kind| kind.tensor.as_ref()?.shape.as_ref());
    let dimensions = shape.map_or(&[][..], |shape| &shape.dimensions).iter();
    dimensions.map(|dimension| dimension.size.unwrap_or(1) as f64).collect()
}

/// So many elements in the shape that is asked for, in which one size may be -1, whatever is left, and 0 is the size
/// that `from` has there.
pub(crate) fn reshape(from: &[f64], asked: &[f64]) -> Shape {
    let kept = asked.iter().enumerate().map(|(axis, &size)| match size {
        0.0 => from.get(axis).copied().unwrap_or(1.0),
        size => size,
    });
    let mut shape: Shape = kept.collect();
    let known = product(shape.iter().copied().filter(|&size| size >= 0.0)).max(1.0);
    if let Some(open) = shape.iter_mut().find(|size| **size < 0.0) {
        *open = (product(from.iter().copied()) / known).max(1.0);
    }
    shape
}

/// Both shapes, aligned at the end, each axis of the longer side.
pub(crate) fn broadcast(a: &[f64], b: &[f64]) -> Shape {
    let rank = a.len().max(b.len());
    let at = |shape: &[f64], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1.0, |axis| shape[axis]);
    (0..rank).map(|axis| at(a, axis).max(at(b, axis))).collect()
}

/// The product of matrices in the last two axes; `None` if one has no two.
pub(crate) fn matmul(a: &[f64], b: &[f64]) -> Option<Shape> {
    let (outer_a, &[rows, _]) = a.split_last_chunk()?;
    let (outer_b, &[_, columns]) = b.split_last_chunk()?;
    let mut shape = broadcast(outer_a, outer_b);
    shape.extend([rows, columns]);
    Some(shape)
}

/// The axes in another order, backwards where none is said.
pub(crate) fn transpose(from: &[f64], order: &[f64]) -> Shape {
    match order {
        [] => from.iter().rev().copied().collect(),
        order => order
            .iter()
            .filter_map(|&axis| from.get(axis as usize).copied())
            .collect(),
    }
}

/// With axes of one element put in, counted in what comes out, from the end if negative.
pub(crate) fn unsqueeze(from: &[f64], axes: &[f64]) -> Shape {
    let rank = from.len() + axes.len();
    let is_new = |axis: usize| axes.iter().any(|&new| new.rem_euclid(rank as f64) == axis as f64);
    let mut left = from.iter();
    (0..rank)
        .map(|axis| {
            if is_new(axis) {
                1.0
            } else {
                left.next().copied().unwrap_or(1.0)
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By NumPy 2: `reshape`, `broadcast_shapes`, `matmul`, `transpose` and `expand_dims` of zeros of these shapes.
    #[test]
    fn shapes_are_those_of_numpy() {
        assert_eq!(reshape(&[1.0, 1.0, 28.0, 28.0], &[-1.0, 1.0]), [784.0, 1.0]);
        assert_eq!(reshape(&[2.0, 3.0, 4.0], &[0.0, -1.0, 2.0]), [2.0, 6.0, 2.0]);
        assert_eq!(broadcast(&[784.0, 1.0], &[1.0, 784.0]), [784.0, 784.0]);
        assert_eq!(broadcast(&[5.0, 1.0, 4.0], &[3.0, 1.0]), [5.0, 3.0, 4.0]);
        assert_eq!(broadcast(&[], &[3.0]), [3.0]);
        assert_eq!(matmul(&[7.0, 2.0, 3.0], &[3.0, 4.0]), Some(vec![7.0, 2.0, 4.0]));
        assert_eq!(matmul(&[3.0], &[3.0, 4.0]), None);
        assert_eq!(transpose(&[2.0, 3.0, 4.0], &[]), [4.0, 3.0, 2.0]);
        assert_eq!(transpose(&[2.0, 3.0, 4.0], &[1.0, 0.0, 2.0]), [3.0, 2.0, 4.0]);
        assert_eq!(unsqueeze(&[2.0, 3.0], &[0.0, -1.0]), [1.0, 2.0, 3.0, 1.0]);
    }
}
