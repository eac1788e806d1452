//! The gradient of the weight: for each tap, the sum over pixels of an input times the gradients of the channels.

use super::layout::Layout;
use crate::simd::{LANES, Simd, Vector as _};

/// Adds one image's part to `dw`, `[in_channel][row][column][lane]`, of one block of channels.
#[inline(always)]
pub(super) fn accumulate<S: Simd>(simd: S, layout: &Layout, x: &[f32], dz: &[f32], dw: &mut [f32]) {
    let &Layout { kernel_h, kernel_w, .. } = layout;
    let accumulators = S::tile_rows(LANES) * S::PARTS;
    for channel in 0..layout.in_channels {
        let mut k = 0;
        while k < kernel_h {
            // A row of five taps fits thrice (AVX-512 has twice the registers that its micro-kernel counts on), twice
            // or once.
            let rows = match (accumulators, kernel_h - k) {
                (16.., 5..) => 5,
                (10.., 2..) => 2,
                _ => 1,
            };
            let mut l = 0;
            while l < kernel_w {
                let at = [channel, k, l];
                l += match (rows, kernel_w - l) {
                    (5, 5..) => taps::<S, 5, 5>(simd, layout, at, x, dz, dw),
                    (5, 3..) => taps::<S, 5, 3>(simd, layout, at, x, dz, dw),
                    (5, 2) => taps::<S, 5, 2>(simd, layout, at, x, dz, dw),
                    (5, _) => taps::<S, 5, 1>(simd, layout, at, x, dz, dw),
                    (2, 5..) => taps::<S, 2, 5>(simd, layout, at, x, dz, dw),
                    (2, 3..) => taps::<S, 2, 3>(simd, layout, at, x, dz, dw),
                    (2, 2) => taps::<S, 2, 2>(simd, layout, at, x, dz, dw),
                    (2, _) => taps::<S, 2, 1>(simd, layout, at, x, dz, dw),
                    (_, 5..) => taps::<S, 1, 5>(simd, layout, at, x, dz, dw),
                    (_, 3..) => taps::<S, 1, 3>(simd, layout, at, x, dz, dw),
                    (_, 2) => taps::<S, 1, 2>(simd, layout, at, x, dz, dw),
                    _ => taps::<S, 1, 1>(simd, layout, at, x, dz, dw),
                };
            }
            k += rows;
        }
    }
}

/// `ROWS x COLUMNS` taps from `[channel, row, column]`, in as many accumulators; returns the columns.
#[inline(always)]
fn taps<S: Simd, const ROWS: usize, const COLUMNS: usize>(
    simd: S,
    layout: &Layout,
    [channel, k, l]: [usize; 3],
    x: &[f32],
    dz: &[f32],
    dw: &mut [f32],
) -> usize {
    let &Layout {
        height,
        width,
        kernel_h,
        kernel_w,
        lanes,
        ..
    } = layout;
    let (conv_h, conv_w) = (layout.conv_h(), layout.conv_w());
    assert!(channel < layout.in_channels && k + ROWS <= kernel_h && l + COLUMNS <= kernel_w);
    assert!(x.len() == layout.input_len() && dz.len() == layout.conv_pixels() * lanes);
    assert!(dw.len() == layout.taps() * lanes && conv_h + kernel_h <= height + 1 && conv_w + kernel_w <= width + 1);
    let mut sums = [[simd.splat(0.0); COLUMNS]; ROWS];
    for i in 0..conv_h {
        for j in 0..conv_w {
            // SAFETY: pixel `(i, j)` exists in `dz`; input row `i + k + r < conv_h + kernel_h - 1 <= height`, and
            // columns likewise.
            unsafe {
                let gradient = simd.load_from(dz.as_ptr().add((i * conv_w + j) * lanes));
                let inputs = x.as_ptr().add((channel * height + i + k) * width + j + l);
                for (r, sums) in sums.iter_mut().enumerate() {
                    for (c, sum) in sums.iter_mut().enumerate() {
                        *sum = sum.plus_product(simd.splat(*inputs.add(r * width + c)), gradient);
                    }
                }
            }
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        for (c, &sum) in sums.iter().enumerate() {
            let tap = (channel * kernel_h + k + r) * kernel_w + l + c;
            // SAFETY: `tap` is less than the number of taps, by the first assertion.
            unsafe {
                let at = dw.as_mut_ptr().add(tap * lanes);
                simd.store_to(simd.load_from(at) + sum, at);
            }
        }
    }
    COLUMNS
}
