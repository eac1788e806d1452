//! The gradient of the input: for each pixel, the sum over the taps that read it, then over the lanes.
//!
//! Only taps whose output exists are visited, so that the small images of late layers don't pay for a border of zeros.

use super::layout::Layout;
use crate::simd::{Masks as _, Simd, Vector as _};
use std::ops::Range;

/// Overwrites one image's gradient, `[in_channel][row][column]`.
#[inline(always)]
pub(super) fn write<S: Simd>(simd: S, layout: &Layout, weight: &[f32], dz: &[f32], dx: &mut [f32]) {
    let mut channel = 0;
    while channel < layout.in_channels {
        let left = layout.in_channels - channel;
        channel += match left {
            6.. => channels::<S, 6>(simd, layout, channel, weight, dz, dx),
            4.. => channels::<S, 4>(simd, layout, channel, weight, dz, dx),
            2.. => channels::<S, 2>(simd, layout, channel, weight, dz, dx),
            _ => channels::<S, 1>(simd, layout, channel, weight, dz, dx),
        };
    }
}

/// `COUNT` input channels from `first`; returns how many.
#[inline(always)]
fn channels<S: Simd, const COUNT: usize>(
    simd: S,
    layout: &Layout,
    first: usize,
    weight: &[f32],
    dz: &[f32],
    dx: &mut [f32],
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
    let kernel = kernel_h * kernel_w;
    assert!(first + COUNT <= layout.in_channels && dx.len() == layout.input_len());
    assert!(weight.len() >= layout.blocks * layout.taps() * lanes);
    assert!(dz.len() == layout.blocks * layout.conv_pixels() * lanes);
    for row in 0..height {
        let rows = reading(row, kernel_h, conv_h);
        for column in 0..width {
            let columns = reading(column, kernel_w, conv_w);
            let mut sums = [simd.splat(0.0); COUNT];
            for block in 0..layout.blocks {
                for k in rows.clone() {
                    for l in columns.clone() {
                        let pixel = (block * conv_h + row - k) * conv_w + column - l;
                        let tap = (block * layout.in_channels + first) * kernel + k * kernel_w + l;
                        // SAFETY: `reading` yields taps whose output pixel exists; the channels exist by the assertion.
                        unsafe {
                            let gradient = simd.load_from(dz.as_ptr().add(pixel * lanes));
                            let taps = weight.as_ptr().add(tap * lanes);
                            for (c, sum) in sums.iter_mut().enumerate() {
                                *sum = sum.plus_product(simd.load_from(taps.add(c * kernel * lanes)), gradient);
                            }
                        }
                    }
                }
            }
            for (c, sum) in sums.iter().enumerate() {
                dx[((first + c) * height + row) * width + column] = sum.sum();
            }
        }
    }
    COUNT
}

/// The taps through which outputs `0..outputs` read input `position`.
#[inline(always)]
fn reading(position: usize, kernel: usize, outputs: usize) -> Range<usize> {
    (position + 1).saturating_sub(outputs)..kernel.min(position + 1)
}
