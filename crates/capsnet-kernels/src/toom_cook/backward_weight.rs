//! The backward pass to the weight: `dw = sum over images of x * dy`.
//!
//! For a chunk of items:
//!
//! 1. all threads transform the output gradients, as for the data;
//! 2. all threads multiply (a task: sixteen input channels, whose kernels' gradients it alone owns): transform the
//!    input windows of all items; for each block of sixteen output channels multiply every plane, (4 phases x 16
//!    channels) x items x 16, the sum over the items in one visit; then transform back and write the gradients, or add
//!    them to those of earlier chunks.

use super::backward_data::Gradients;
use super::layout::{Chunk, KERNEL, PHASES, PLANES, Planes, Tiling, phase_grid, slots_of};
use super::operands::{FORWARD_KERNELS, TransformWindows, by_block};
use super::staging::{KERNEL_LEN, unload_kernel};
use super::transform::Transforms;
use crate::microkernel::{Extent, Left, Right, Target, panel, two_panels};
use crate::scratch::Scratch;
use crate::simd::{Kernel, LANES, Lanes, Simd, dispatch};
use rayon::prelude::*;
use std::ops::Range;

/// Computes all weight gradients. Lengths have been checked.
pub(crate) fn backward_weight(tiling: &Tiling, scratch: &Scratch, x: &[f32], dy: &[f32], dw: &mut [f32]) {
    let kernel_len = tiling.kernel_len();
    let mut outputs = by_block(dw, tiling.shape.in_channels * kernel_len, LANES * kernel_len);
    for chunk in tiling.chunks() {
        let gradients = Gradients::transform(tiling, scratch, chunk, dy);
        outputs.par_iter_mut().enumerate().for_each(|(in_block, dw)| {
            let windows = Planes {
                rows: chunk.block,
                slots: PHASES.len(),
            };
            let mut transformed = scratch.take(chunk.blocks() * windows.len());
            for (block, out) in transformed.chunks_mut(windows.len()).enumerate() {
                dispatch(TransformWindows {
                    tiling,
                    chunk,
                    block,
                    in_block,
                    x,
                    planes: windows,
                    out,
                });
            }
            let mut products = scratch.take(2 * FORWARD_KERNELS.len());
            dispatch(MultiplyAndWrite {
                tiling,
                chunk,
                in_block,
                gradients: &gradients,
                transformed: &transformed,
                windows,
                products: &mut products,
                dw,
            });
        });
    }
}

/// Gradients of the kernels from sixteen input channels.
struct MultiplyAndWrite<'a, 'w> {
    tiling: &'a Tiling,
    chunk: Chunk,
    in_block: usize,
    gradients: &'a Gradients<'a>,
    transformed: &'a [Lanes],
    windows: Planes,
    products: &'a mut [Lanes],
    dw: &'a mut [&'w mut [f32]],
}

impl Kernel for MultiplyAndWrite<'_, '_> {
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        for group in 0..self.gradients.groups {
            let out_blocks = self.gradients.out_blocks(group);
            for slot in (0..out_blocks.len()).step_by(2) {
                let slots = slot..out_blocks.len().min(slot + 2);
                for plane in 0..PLANES {
                    self.multiply(simd, group, slots.clone(), plane);
                }
                for (number, slot) in slots.enumerate() {
                    self.write(simd, number, out_blocks.start + slot);
                }
            }
        }
    }
}

impl MultiplyAndWrite<'_, '_> {
    /// One plane's gradients, for one or two blocks of sixteen output channels.
    #[inline(always)]
    fn multiply<S: Simd>(&mut self, simd: S, group: usize, slots: Range<usize>, plane: usize) {
        let Self {
            chunk,
            gradients,
            windows,
            ..
        } = *self;
        let phases = slots_of(plane);
        let full = chunk.items / chunk.block;
        // All full blocks in one visit, then what is left.
        for (first, segments, steps) in [(0, full, chunk.block), (full, 1, chunk.items % chunk.block)] {
            if segments == 0 || steps == 0 {
                continue;
            }
            let left = Left {
                data: Lanes::flat(&self.transformed[first * windows.len() + windows.at(plane, 0, phases.start)..]),
                row: 1,
                step: windows.row_stride(),
                segment: windows.len() * LANES,
            };
            let right = Right {
                data: gradients.from(first, group, plane, slots.start),
                step: gradients.planes.row_stride(),
                segment: gradients.block_stride(),
            };
            let target = Target {
                data: Lanes::flat_mut(&mut self.products[FORWARD_KERNELS.at(plane, phases.start * LANES, 0)..]),
                row: LANES,
                accumulate: first > 0,
            };
            let extent = Extent {
                rows: phases.len() * LANES,
                segments,
                steps,
            };
            match slots.len() {
                1 => panel(simd, extent, left, right, target),
                _ => {
                    let apart = [LANES, FORWARD_KERNELS.len() * LANES];
                    two_panels(simd, extent, left, right, target, apart);
                }
            }
        }
    }

    /// Transforms the gradients of sixteen output channels back, which are the first or the second products, and writes
    /// them.
    #[inline(always)]
    fn write<S: Simd>(&mut self, simd: S, number: usize, out_block: usize) {
        let mut transforms = Transforms::new(simd);
        let kernel_len = self.tiling.kernel_len();
        let mut taps = [Lanes::ZERO; KERNEL_LEN];
        let products = &self.products[number * FORWARD_KERNELS.len()..];
        for channel in 0..self.tiling.in_channels(self.in_block).len() {
            for (slot, phase) in PHASES.into_iter().enumerate() {
                let src = (products, FORWARD_KERNELS.grid(slot * LANES + channel, 0));
                transforms.products_to_taps(phase, src, (&mut taps, phase_grid(phase, KERNEL)));
            }
            for (lane, out_channel) in self.tiling.out_channels(out_block).enumerate() {
                let kernel = &mut self.dw[out_channel][channel * kernel_len..][..kernel_len];
                if self.chunk.start == 0 {
                    unload_kernel(self.tiling, &taps, lane, kernel, |out, tap| *out = tap);
                } else {
                    unload_kernel(self.tiling, &taps, lane, kernel, |out, tap| *out += tap);
                }
            }
        }
    }
}
