//! The transform of the weights, in f64 and rounded once, to f32 or to bfloat16.

use super::layout::{PLANES, Tiling, slots_of};
use super::points::{POINTS, column_taps, row_taps};
use crate::microkernel::Stored;
use crate::simd::{Kernel, LANES, Lanes, Simd, dispatch};
use crate::toom_cook::{KERNEL, PHASES, STRIDE};
use half::bf16;
use rayon::prelude::*;

const KERNEL_LEN: usize = KERNEL * KERNEL;

/// Sixteen numbers in f64, one a lane.
type Wide = [f64; LANES];

/// Kernels of sixteen output channels, side by side.
pub(super) trait Row: Copy + Send + Sync {
    /// How each is stored.
    type Number: Stored;
    const ZERO: Self;

    fn rounded(values: Wide) -> Self;
    fn flat(rows: &[Self]) -> &[Self::Number];
}

impl Row for Lanes {
    type Number = f32;
    const ZERO: Self = Lanes::ZERO;

    #[inline(always)]
    fn rounded(values: Wide) -> Self {
        Self(values.map(|value| value as f32))
    }

    #[inline(always)]
    fn flat(rows: &[Self]) -> &[f32] {
        Lanes::flat(rows)
    }
}

/// In half the memory; half a cache line.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(32))]
pub(super) struct Halves([bf16; LANES]);

impl Row for Halves {
    type Number = bf16;
    const ZERO: Self = Self([bf16::ZERO; LANES]);

    #[inline(always)]
    fn rounded(values: Wide) -> Self {
        Self(values.map(bf16::from_f64))
    }

    #[inline(always)]
    fn flat(rows: &[Self]) -> &[bf16] {
        // SAFETY: `Halves` is `repr(C)` over sixteen numbers without padding (its size equals its alignment), so `n` of
        // them are `16 n` initialised numbers; the lifetime is carried over.
        unsafe { std::slice::from_raw_parts(rows.as_ptr().cast(), rows.len() * LANES) }
    }
}

/// Transforms all kernels.
pub(super) fn transform<K: Row>(tiling: &Tiling, w: &[f32]) -> Vec<K> {
    let planes = 0..PLANES;
    let len: usize = planes.map(|plane| tiling.out_blocks() * tiling.kernels(plane)).sum();
    let mut kernels = vec![K::ZERO; len];
    // The planes of each block of output channels, which one task fills.
    let mut blocks: Vec<Vec<&mut [K]>> = (0..tiling.out_blocks()).map(|_| Vec::new()).collect();
    let mut rest = &mut kernels[..];
    for plane in 0..PLANES {
        for block in &mut blocks {
            let (of_block, after) = rest.split_at_mut(tiling.kernels(plane));
            block.push(of_block);
            rest = after;
        }
    }
    blocks.into_par_iter().enumerate().for_each(|(out_block, planes)| {
        dispatch(Transform {
            tiling,
            w,
            out_block,
            planes,
        });
    });
    kernels
}

struct Transform<'a, 'k, K> {
    tiling: &'a Tiling,
    w: &'a [f32],
    out_block: usize,
    planes: Vec<&'k mut [K]>,
}

impl<K: Row> Kernel for Transform<'_, '_, K> {
    #[inline(always)]
    fn run<S: Simd>(mut self, _simd: S) {
        let channels = self.tiling.shape.in_channels;
        let mut taps = [[0.0; LANES]; KERNEL_LEN];
        for channel in 0..channels {
            for (lane, out) in self.tiling.out_channels(self.out_block).enumerate() {
                let kernel = &self.w[(out * channels + channel) * KERNEL_LEN..][..KERNEL_LEN];
                for (tap, &value) in taps.iter_mut().zip(kernel) {
                    tap[lane] = f64::from(value);
                }
            }
            for (slot, phase) in PHASES.into_iter().enumerate() {
                let start = phase.row * KERNEL + phase.column;
                let place = (channel, slot);
                match [phase.row, phase.column] {
                    [0, 0] => products::<_, 5, 5>(&taps[start..], place, &mut self.planes),
                    [0, _] => products::<_, 5, 4>(&taps[start..], place, &mut self.planes),
                    [_, 0] => products::<_, 4, 5>(&taps[start..], place, &mut self.planes),
                    _ => products::<_, 4, 4>(&taps[start..], place, &mut self.planes),
                }
            }
        }
    }
}

/// Transforms one phase of `R x C` taps, which begins at `taps[0]`, between an input channel and sixteen output
/// channels.
#[inline(always)]
fn products<K: Row, const R: usize, const C: usize>(
    taps: &[Wide],
    (channel, slot): (usize, usize),
    planes: &mut [&mut [K]],
) {
    let (rows, columns) = (const { row_taps::<R>() }, const { column_taps::<C>() });
    // With four taps the last point drops out.
    for (p, row) in rows.iter().take(POINTS[0] + R - 5).enumerate() {
        let mut half = [[0.0; LANES]; C];
        for (j, half) in half.iter_mut().enumerate() {
            for (i, &factor) in row.iter().enumerate() {
                add(half, factor, &taps[i * STRIDE * KERNEL + j * STRIDE]);
            }
        }
        for (q, column) in columns.iter().take(POINTS[1] + C - 5).enumerate() {
            let mut product = [0.0; LANES];
            for (half, &factor) in half.iter().zip(column) {
                add(&mut product, factor, half);
            }
            let plane = p * POINTS[1] + q;
            let slots = slots_of(plane);
            let block = channel / LANES * slots.len() + slot - slots.start;
            planes[plane][block * LANES + channel % LANES] = K::rounded(product);
        }
    }
}

#[inline(always)]
fn add(sum: &mut Wide, factor: f64, term: &Wide) {
    for (sum, term) in sum.iter_mut().zip(term) {
        *sum += factor * term;
    }
}
