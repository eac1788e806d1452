//! The one matrix product under the fast convolution: a panel of sixteen columns.
//!
//! ```text
//! target[row][0..16] (+)= sum over segment, step of  left[row, segment, step] * right[segment, step][0..16]
//! ```
//!
//! The left operand is read one float at a time and broadcast, so its strides are free: the same kernel multiplies by a
//! matrix or by its transpose. The depth of the sum has two levels, so that an operand stored in blocks is summed in
//! one visit, with the accumulators in registers throughout. The order of the sum is the order of the loops: it depends
//! on nothing else.

use crate::simd::{LANES, Simd, Vector as _};

/// The broadcast operand: `data[row * row_stride + segment * segment_stride + step * step_stride]`.
#[derive(Clone, Copy)]
pub(crate) struct Left<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) row: usize,
    pub(crate) step: usize,
    pub(crate) segment: usize,
}

/// The vector operand: sixteen floats from `data[segment * segment_stride + step * step_stride]`.
#[derive(Clone, Copy)]
pub(crate) struct Right<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) step: usize,
    pub(crate) segment: usize,
}

/// The result: sixteen floats from `data[row * row_stride]`.
pub(crate) struct Target<'a> {
    pub(crate) data: &'a mut [f32],
    pub(crate) row: usize,
    /// Add to what is there instead of overwriting it.
    pub(crate) accumulate: bool,
}

/// Extent of a panel product.
#[derive(Clone, Copy)]
pub(crate) struct Extent {
    pub(crate) rows: usize,
    pub(crate) segments: usize,
    pub(crate) steps: usize,
}

/// Multiplies one panel.
///
/// # Panics
/// See [`streamed_panel`].
#[inline(always)]
pub(crate) fn panel<S: Simd>(simd: S, extent: Extent, left: Left<'_>, right: Right<'_>, target: Target<'_>) {
    streamed_panel::<S, 0>(simd, extent, left, right, target);
}

/// Multiplies one panel whose right operand comes from memory, and asks for what lies `AHEAD` floats further on,
/// whether it belongs to this panel or to the next.
///
/// # Panics
/// If an operand is too short for the extent and strides, or the extent is empty: a bug of the caller, found before
/// memory is touched.
#[inline(always)]
pub(crate) fn streamed_panel<S: Simd, const AHEAD: usize>(
    simd: S,
    extent: Extent,
    left: Left<'_>,
    right: Right<'_>,
    target: Target<'_>,
) {
    let Extent { rows, segments, steps } = extent;
    assert!(rows > 0 && segments > 0 && steps > 0, "empty panel product");
    let depth = |segment: usize, step: usize| (segments - 1) * segment + (steps - 1) * step;
    assert!(
        (rows - 1) * left.row + depth(left.segment, left.step) < left.data.len(),
        "left operand too short"
    );
    assert!(
        depth(right.segment, right.step) + LANES <= right.data.len(),
        "right operand too short"
    );
    assert!((rows - 1) * target.row + LANES <= target.data.len(), "target too short");

    let mut row = 0;
    while row < rows {
        let tile_rows = S::tile_rows(rows - row);
        // SAFETY: every address that a tile of `tile_rows <= rows - row` rows touches is at most the largest one, and
        // the assertions above hold the largest one of each operand inside its slice.
        unsafe {
            let a = left.data.as_ptr().add(row * left.row);
            let c = target.data.as_mut_ptr().add(row * target.row);
            match (S::PARTS, tile_rows) {
                (1, 16) => tile::<S, 16, 1, AHEAD>(simd, extent, a, left, right, c, &target),
                (1, 8) => tile::<S, 8, 1, AHEAD>(simd, extent, a, left, right, c, &target),
                (1, 4) => tile::<S, 4, 1, AHEAD>(simd, extent, a, left, right, c, &target),
                (1, 2) => tile::<S, 2, 1, AHEAD>(simd, extent, a, left, right, c, &target),
                (1, 1) => tile::<S, 1, 1, AHEAD>(simd, extent, a, left, right, c, &target),
                (2, 6) => tile::<S, 6, 2, AHEAD>(simd, extent, a, left, right, c, &target),
                (2, 4) => tile::<S, 4, 2, AHEAD>(simd, extent, a, left, right, c, &target),
                (2, 2) => tile::<S, 2, 2, AHEAD>(simd, extent, a, left, right, c, &target),
                (2, 1) => tile::<S, 1, 2, AHEAD>(simd, extent, a, left, right, c, &target),
                _ => unreachable!("no micro-kernel of {tile_rows} rows in {} parts", S::PARTS),
            }
        }
        row += tile_rows;
    }
}

/// `ROWS` rows of the panel, in `ROWS * PARTS` accumulators.
///
/// # Safety
/// `a` and `c` are the operands' data advanced to the tile's first row; all addresses of the tile must lie in the
/// operands.
#[inline(always)]
unsafe fn tile<S: Simd, const ROWS: usize, const PARTS: usize, const AHEAD: usize>(
    simd: S,
    extent: Extent,
    a: *const f32,
    left: Left<'_>,
    right: Right<'_>,
    c: *mut f32,
    target: &Target<'_>,
) {
    let width = LANES / PARTS;
    let mut sums = [[simd.splat(0.0); PARTS]; ROWS];
    for segment in 0..extent.segments {
        // SAFETY: pointer arithmetic inside the operands, by the contract of this function.
        let (mut a, mut b) = unsafe {
            (
                a.add(segment * left.segment),
                right.data.as_ptr().add(segment * right.segment),
            )
        };
        for _ in 0..extent.steps {
            // SAFETY: `b` has sixteen readable floats and row `r` of the left operand one, by the contract. The last
            // advance may leave the slice and is not dereferenced, hence `wrapping_add`.
            unsafe {
                if AHEAD > 0 {
                    simd.prefetch(b.wrapping_add(AHEAD));
                }
                let mut b_parts = [simd.splat(0.0); PARTS];
                for (part, value) in b_parts.iter_mut().enumerate() {
                    *value = simd.load_from(b.add(part * width));
                }
                for (r, sums) in sums.iter_mut().enumerate() {
                    let factor = simd.splat(*a.add(r * left.row));
                    for (sum, b_part) in sums.iter_mut().zip(b_parts) {
                        *sum = sum.plus_product(factor, b_part);
                    }
                }
            }
            a = a.wrapping_add(left.step);
            b = b.wrapping_add(right.step);
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        for (part, &sum) in sums.iter().enumerate() {
            // SAFETY: row `r` of the target has sixteen floats, by the contract.
            unsafe {
                let at = c.add(r * target.row + part * width);
                simd.store_to(
                    if target.accumulate {
                        simd.load_from(at) + sum
                    } else {
                        sum
                    },
                    at,
                );
            }
        }
    }
}
