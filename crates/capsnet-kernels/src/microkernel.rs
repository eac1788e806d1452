//! The one matrix product under the fast convolution: a panel of sixteen columns, or two of them.
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
use half::bf16;

/// The broadcast operand: `data[row * row_stride + segment * segment_stride + step * step_stride]`.
#[derive(Clone, Copy)]
pub(crate) struct Left<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) row: usize,
    pub(crate) step: usize,
    pub(crate) segment: usize,
}

/// The numbers that a vector operand may be stored as; products and sums are in f32.
pub(crate) trait Stored: Copy {
    /// Reads a register of them.
    ///
    /// # Safety
    /// `LANES / PARTS` must be readable at `src`.
    unsafe fn load<S: Simd>(simd: S, src: *const Self) -> S::V;
}

impl Stored for f32 {
    #[inline(always)]
    unsafe fn load<S: Simd>(simd: S, src: *const Self) -> S::V {
        // SAFETY: by the contract of this function.
        unsafe { simd.load_from(src) }
    }
}

impl Stored for bf16 {
    #[inline(always)]
    unsafe fn load<S: Simd>(simd: S, src: *const Self) -> S::V {
        // SAFETY: by the contract of this function.
        unsafe { simd.widen_from(src) }
    }
}

/// The vector operand: sixteen numbers from `data[segment * segment_stride + step * step_stride]`.
#[derive(Clone, Copy)]
pub(crate) struct Right<'a, T = f32> {
    pub(crate) data: &'a [T],
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
    streamed_panel::<S, f32, 0>(simd, extent, left, right, target);
}

/// Multiplies one panel whose right operand comes from memory, and asks for what lies `AHEAD` numbers further on,
/// whether it belongs to this panel or to the next.
///
/// # Panics
/// If an operand is too short for the extent and strides, or the extent is empty: a bug of the caller, found before
/// memory is touched.
#[inline(always)]
pub(crate) fn streamed_panel<S: Simd, T: Stored, const AHEAD: usize>(
    simd: S,
    extent: Extent,
    left: Left<'_>,
    right: Right<'_, T>,
    target: Target<'_>,
) {
    check(extent, left, right, &target, [0; 2]);
    let c = target.data.as_mut_ptr();
    let mut row = 0;
    while row < extent.rows {
        let tile_rows = S::tile_rows(extent.rows - row);
        // SAFETY: every address that a tile of `tile_rows <= rows - row` rows touches is at most the largest one, and
        // `check` holds the largest one of each operand inside its slice.
        unsafe {
            let operands = Operands::of_row(row, left, right, (c, &target), [0; 2]);
            single::<S, T, AHEAD>(simd, extent, operands, tile_rows);
        }
        row += tile_rows;
    }
}

/// Multiplies two panels of the same left operand: the second's columns lie `apart` floats after the first's, in the
/// right operand and in the target. The sums are those of two calls of [`panel`], in the same order; but each float of
/// the left operand is read once, and in registers of sixteen floats it meets two vectors.
///
/// # Panics
/// See [`streamed_panel`].
#[inline(always)]
pub(crate) fn two_panels<S: Simd, T: Stored>(
    simd: S,
    extent: Extent,
    left: Left<'_>,
    right: Right<'_, T>,
    target: Target<'_>,
    apart: [usize; 2],
) {
    check(extent, left, right, &target, apart);
    let c = target.data.as_mut_ptr();
    let mut row = 0;
    while row < extent.rows {
        let rows = extent.rows - row;
        let tile_rows = match (S::PARTS, rows) {
            (1, 16) => 8,
            (1, 12..) => 12,
            _ => S::tile_rows(rows),
        };
        // SAFETY: as in `streamed_panel`; `check` counted the second panel.
        unsafe {
            let operands = Operands::of_row(row, left, right, (c, &target), apart);
            let second = Operands {
                b: operands.b.add(apart[0]),
                c: operands.c.add(apart[1]),
                ..operands
            };
            match (S::PARTS, tile_rows) {
                (1, 12) => tile::<S, T, 12, 2, 0>(simd, extent, operands),
                (1, 8) => tile::<S, T, 8, 2, 0>(simd, extent, operands),
                (1, 4) => tile::<S, T, 4, 2, 0>(simd, extent, operands),
                (1, 2) => tile::<S, T, 2, 2, 0>(simd, extent, operands),
                (1, 1) => tile::<S, T, 1, 2, 0>(simd, extent, operands),
                _ => {
                    for operands in [operands, second] {
                        single::<S, T, 0>(simd, extent, operands, tile_rows);
                    }
                }
            }
        }
        row += tile_rows;
    }
}

/// Holds the largest address of each operand inside its slice.
#[inline(always)]
fn check<T>(extent: Extent, left: Left<'_>, right: Right<'_, T>, target: &Target<'_>, apart: [usize; 2]) {
    let Extent { rows, segments, steps } = extent;
    assert!(rows > 0 && segments > 0 && steps > 0, "empty panel product");
    let depth = |segment: usize, step: usize| (segments - 1) * segment + (steps - 1) * step;
    assert!(
        (rows - 1) * left.row + depth(left.segment, left.step) < left.data.len(),
        "left operand too short"
    );
    assert!(
        depth(right.segment, right.step) + apart[0] + LANES <= right.data.len(),
        "right operand too short"
    );
    assert!(
        (rows - 1) * target.row + apart[1] + LANES <= target.data.len(),
        "target too short"
    );
}

/// The operands of a tile, advanced to its first row and panel.
#[derive(Clone, Copy)]
struct Operands<'a, 't, T> {
    a: *const f32,
    left: Left<'a>,
    b: *const T,
    right: Right<'a, T>,
    c: *mut f32,
    target: &'a Target<'t>,
    /// Floats from a panel to the next, in the right operand and in the target.
    apart: [usize; 2],
}

impl<'a, 't, T> Operands<'a, 't, T> {
    /// From a row on; `c` is the target's first float.
    ///
    /// # Safety
    /// The row must be in the left operand and in the target.
    #[inline(always)]
    unsafe fn of_row(
        row: usize,
        left: Left<'a>,
        right: Right<'a, T>,
        (c, target): (*mut f32, &'a Target<'t>),
        apart: [usize; 2],
    ) -> Self {
        // SAFETY: by the contract of this function.
        let (a, c) = unsafe { (left.data.as_ptr().add(row * left.row), c.add(row * target.row)) };
        Self {
            a,
            left,
            b: right.data.as_ptr(),
            right,
            c,
            target,
            apart,
        }
    }
}

/// A tile of `rows` rows of one panel.
///
/// # Safety
/// As [`tile`].
#[inline(always)]
unsafe fn single<S: Simd, T: Stored, const AHEAD: usize>(
    simd: S,
    extent: Extent,
    operands: Operands<'_, '_, T>,
    rows: usize,
) {
    // SAFETY: by the contract of this function.
    unsafe {
        match (S::PARTS, rows) {
            (1, 16) => tile::<S, T, 16, 1, AHEAD>(simd, extent, operands),
            (1, 8) => tile::<S, T, 8, 1, AHEAD>(simd, extent, operands),
            (1, 4) => tile::<S, T, 4, 1, AHEAD>(simd, extent, operands),
            (1, 2) => tile::<S, T, 2, 1, AHEAD>(simd, extent, operands),
            (1, 1) => tile::<S, T, 1, 1, AHEAD>(simd, extent, operands),
            (2, 6) => tile::<S, T, 6, 2, AHEAD>(simd, extent, operands),
            (2, 4) => tile::<S, T, 4, 2, AHEAD>(simd, extent, operands),
            (2, 2) => tile::<S, T, 2, 2, AHEAD>(simd, extent, operands),
            (2, 1) => tile::<S, T, 1, 2, AHEAD>(simd, extent, operands),
            _ => unreachable!("no micro-kernel of {rows} rows in {} parts", S::PARTS),
        }
    }
}

/// `ROWS` rows of a panel, or of two where `REGISTERS` are more than its parts; in `ROWS * REGISTERS` accumulators.
///
/// # Safety
/// All addresses of the tile must lie in the operands.
#[inline(always)]
unsafe fn tile<S: Simd, T: Stored, const ROWS: usize, const REGISTERS: usize, const AHEAD: usize>(
    simd: S,
    extent: Extent,
    operands: Operands<'_, '_, T>,
) {
    let Operands {
        a: left_start,
        left,
        b: right_start,
        right,
        c,
        target,
        apart,
    } = operands;
    let width = LANES / S::PARTS;
    let offset = |register: usize, apart: usize| register / S::PARTS * apart + register % S::PARTS * width;
    let mut sums = [[simd.splat(0.0); REGISTERS]; ROWS];
    for segment in 0..extent.segments {
        // SAFETY: pointer arithmetic inside the operands, by the contract of this function.
        let (mut a, mut b) = unsafe {
            (
                left_start.add(segment * left.segment),
                right_start.add(segment * right.segment),
            )
        };
        for _ in 0..extent.steps {
            // SAFETY: `b` has sixteen readable numbers in each panel and row `r` of the left operand one, by the
            // contract. The last advance may leave the slice and is not dereferenced, hence `wrapping_add`.
            unsafe {
                if AHEAD > 0 {
                    simd.prefetch(b.wrapping_add(AHEAD).cast());
                }
                let mut columns = [simd.splat(0.0); REGISTERS];
                for (register, value) in columns.iter_mut().enumerate() {
                    *value = T::load(simd, b.add(offset(register, apart[0])));
                }
                for (r, sums) in sums.iter_mut().enumerate() {
                    let factor = simd.splat(*a.add(r * left.row));
                    for (sum, column) in sums.iter_mut().zip(columns) {
                        *sum = sum.plus_product(factor, column);
                    }
                }
            }
            a = a.wrapping_add(left.step);
            b = b.wrapping_add(right.step);
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        for (register, &sum) in sums.iter().enumerate() {
            // SAFETY: row `r` of the target has sixteen floats in each panel, by the contract.
            unsafe {
                let at = c.add(r * target.row + offset(register, apart[1]));
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
