//! The backward pass to the data: `dx = conv^T(dy, w)`.
//!
//! For a chunk of items:
//!
//! 1. all threads transform the output gradients (a task: one block of items, one group of output channels);
//! 2. all threads multiply (a task: sixteen input channels, whose gradients it alone owns): for each group of 64 output
//!    channels, transform the transposed kernels and multiply every plane, items x 64 x (4 phases x 16 channels); then
//!    transform back and add the windows, which overlap where an image has several tiles, to `dx`.

use super::layout::{Chunk, PHASES, PLANES, Planes, Tiling, WINDOW, phase_grid, slots_of};
use super::operands::{TransformTiles, by_block, transform_kernels_transposed};
use super::staging::{WINDOW_LEN, add_window};
use super::transform::Transforms;
use crate::microkernel::{Extent, Left, Right, Target, panel, two_panels};
use crate::scratch::{Buffer, Scratch};
use crate::simd::{Kernel, LANES, Lanes, Simd, dispatch};
use rayon::prelude::*;
use std::ops::Range;

/// Blocks of sixteen output channels in a group: the depth of a matrix product, and how often its result is revisited.
const GROUP: usize = 4;

/// Transformed output gradients of a chunk: `[block of items][group of output channels]`, each [`Planes`].
pub(crate) struct Gradients<'s> {
    pub(crate) planes: Planes,
    pub(crate) groups: usize,
    out_blocks: usize,
    lanes: Buffer<'s>,
}

impl<'s> Gradients<'s> {
    /// Transforms the gradients of a chunk on all threads.
    pub(crate) fn transform(tiling: &Tiling, scratch: &'s Scratch, chunk: Chunk, dy: &[f32]) -> Self {
        let out_blocks = tiling.out_blocks();
        let groups = out_blocks.div_ceil(GROUP);
        let planes = Planes {
            rows: chunk.block,
            slots: out_blocks.min(GROUP),
        };
        let mut lanes = scratch.take(chunk.blocks() * groups * planes.len());
        lanes.par_chunks_mut(planes.len()).enumerate().for_each(|(i, out)| {
            let (block, group) = (i / groups, i % groups);
            let out_blocks = group * GROUP..out_blocks.min((group + 1) * GROUP);
            dispatch(TransformTiles {
                tiling,
                chunk,
                block,
                out_blocks,
                dy,
                planes,
                out,
            });
        });
        Self {
            planes,
            groups,
            out_blocks,
            lanes,
        }
    }

    /// Blocks of output channels in a group.
    pub(crate) fn out_blocks(&self, group: usize) -> Range<usize> {
        group * GROUP..self.out_blocks.min((group + 1) * GROUP)
    }

    /// From a block of items, group and position in its planes onwards.
    pub(crate) fn from(&self, block: usize, group: usize, plane: usize, slot: usize) -> &[f32] {
        let start = (block * self.groups + group) * self.planes.len() + self.planes.at(plane, 0, slot);
        Lanes::flat(&self.lanes[start..])
    }

    /// Floats from a block of items to the next.
    pub(crate) fn block_stride(&self) -> usize {
        self.groups * self.planes.len() * LANES
    }
}

/// Computes all input gradients. Lengths have been checked.
pub(crate) fn backward_data(tiling: &Tiling, scratch: &Scratch, w: &[f32], dy: &[f32], dx: &mut [f32]) {
    dx.par_chunks_mut(1 << 16).for_each(|part| part.fill(0.0));
    let image_len = tiling.shape.height * tiling.shape.width;
    let mut inputs = by_block(dx, tiling.shape.in_channels * image_len, LANES * image_len);
    for chunk in tiling.chunks() {
        let gradients = Gradients::transform(tiling, scratch, chunk, dy);
        inputs.par_iter_mut().enumerate().for_each(|(in_block, dx)| {
            let windows = Planes {
                rows: chunk.block,
                slots: PHASES.len(),
            };
            let kernels_layout = Planes {
                rows: gradients.planes.row_stride(),
                slots: PHASES.len(),
            };
            let mut products = scratch.take(chunk.blocks() * windows.len());
            let mut kernels = scratch.take(kernels_layout.len());
            dispatch(MultiplyAndWrite {
                tiling,
                chunk,
                in_block,
                w,
                gradients: &gradients,
                windows,
                kernels: (&mut kernels, kernels_layout),
                products: &mut products,
                dx,
            });
        });
    }
}

/// Gradients of sixteen input channels.
struct MultiplyAndWrite<'a, 'x> {
    tiling: &'a Tiling,
    chunk: Chunk,
    in_block: usize,
    w: &'a [f32],
    gradients: &'a Gradients<'a>,
    windows: Planes,
    kernels: (&'a mut [Lanes], Planes),
    products: &'a mut [Lanes],
    dx: &'a mut [&'x mut [f32]],
}

impl Kernel for MultiplyAndWrite<'_, '_> {
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        for group in 0..self.gradients.groups {
            self.multiply(simd, group);
        }
        let mut transforms = Transforms::new(simd);
        let mut window = [Lanes::ZERO; WINDOW_LEN];
        for item in 0..self.chunk.items {
            let (block, row) = (item / self.chunk.block, item % self.chunk.block);
            let products = &self.products[block * self.windows.len()..];
            for (slot, phase) in PHASES.into_iter().enumerate() {
                let src = (products, self.windows.grid(row, slot));
                transforms.products_to_window(phase, src, (&mut window, phase_grid(phase, WINDOW)));
            }
            let (image, ty, tx) = self.tiling.locate(self.chunk.start + item);
            add_window(self.tiling, (ty, tx), &window, self.dx[image]);
        }
    }
}

impl MultiplyAndWrite<'_, '_> {
    #[inline(always)]
    fn multiply<S: Simd>(&mut self, simd: S, group: usize) {
        let Self {
            tiling,
            chunk,
            gradients,
            windows,
            ..
        } = *self;
        let (kernels, kernels_layout) = (&mut *self.kernels.0, self.kernels.1);
        let out_blocks = gradients.out_blocks(group);
        let out_channels = out_blocks.start * LANES..tiling.out_channels(out_blocks.end - 1).end;
        let depth = out_channels.len();
        transform_kernels_transposed(
            simd,
            tiling,
            self.in_block,
            out_channels,
            self.w,
            (kernels, kernels_layout),
        );
        for plane in 0..PLANES {
            for block in 0..chunk.blocks() {
                let left = Left {
                    data: gradients.from(block, group, plane, 0),
                    row: gradients.planes.row_stride(),
                    step: 1,
                    segment: 0,
                };
                // Two phases at a time; of three the last is left over.
                let slots = slots_of(plane);
                for slot in slots.clone().step_by(2) {
                    let right = Right {
                        data: Lanes::flat(&kernels[kernels_layout.at(plane, 0, slot)..]),
                        step: kernels_layout.row_stride(),
                        segment: 0,
                    };
                    let target = Target {
                        data: Lanes::flat_mut(&mut self.products[block * windows.len() + windows.at(plane, 0, slot)..]),
                        row: windows.row_stride(),
                        accumulate: group > 0,
                    };
                    let extent = Extent {
                        rows: chunk.items_in(block),
                        segments: 1,
                        steps: depth,
                    };
                    match slot + 1 < slots.end {
                        true => two_panels(simd, extent, left, right, target, [LANES; 2]),
                        false => panel(simd, extent, left, right, target),
                    }
                }
            }
        }
    }
}
