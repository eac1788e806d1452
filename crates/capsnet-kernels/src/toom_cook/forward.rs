//! The forward pass: `y = relu(conv(x, w) + bias)`.
//!
//! For a chunk of items, in rounds of some blocks of sixteen input channels:
//!
//! 1. all threads transform the round's input windows (a task: one channel block, one block of items);
//! 2. all threads multiply (a task: sixteen output channels or, where there are enough for all threads, thirty-two; it
//!    alone owns their sums): for each input block, transform the kernels into the second-level cache and multiply
//!    every plane, items x (4 phases x 16 channels) x 16 or 32.
//!
//! After the last round each task transforms its sums back, adds the bias and writes the outputs.

use super::layout::{Chunk, PHASES, PLANES, Planes, Tiling, slots_of};
use super::operands::{FORWARD_KERNELS, TILE_GRID, TransformWindows, by_block, transform_kernels};
use super::staging::{TILE_LEN, store_tile};
use super::transform::Transforms;
use crate::microkernel::{Extent, Left, Right, Target, panel, two_panels};
use crate::scratch::Scratch;
use crate::simd::{Kernel, LANES, Lanes, Simd, Vector, dispatch};
use rayon::prelude::*;
use std::ops::Range;

/// Transformed inputs of a round, in `Lanes`: 8 MB, a good part of a last-level cache.
const ROUND_LEN: usize = 128 << 10;

/// Computes all outputs. Lengths have been checked.
pub(crate) fn forward(
    tiling: &Tiling,
    scratch: &Scratch,
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    relu: bool,
    y: &mut [f32],
) {
    let image_len = tiling.shape.out_h() * tiling.shape.out_w();
    let mut outputs = by_block(y, tiling.shape.out_channels * image_len, LANES * image_len);
    for chunk in tiling.chunks() {
        let windows = Planes {
            rows: chunk.block,
            slots: PHASES.len(),
        };
        let sums = Planes {
            rows: chunk.items,
            slots: 1,
        };
        let in_block_len = chunk.blocks() * windows.len();
        let round = (ROUND_LEN / in_block_len).clamp(1, tiling.in_blocks());
        let mut transformed = scratch.take(round * in_block_len);
        let mut all_sums = scratch.take(tiling.out_blocks() * sums.len());
        // The sums are the same in either case.
        let together = match tiling.out_blocks() >= 4 * rayon::current_num_threads() {
            true => 2,
            false => 1,
        };

        for first in (0..tiling.in_blocks()).step_by(round) {
            let in_blocks = first..tiling.in_blocks().min(first + round);
            transformed[..in_blocks.len() * in_block_len]
                .par_chunks_mut(windows.len())
                .enumerate()
                .for_each(|(i, out)| {
                    let (in_block, block) = (first + i / chunk.blocks(), i % chunk.blocks());
                    dispatch(TransformWindows {
                        tiling,
                        chunk,
                        block,
                        in_block,
                        x,
                        planes: windows,
                        out,
                    });
                });
            all_sums
                .par_chunks_mut(together * sums.len())
                .enumerate()
                .for_each(|(task, of_blocks)| {
                    let out_block = task * together;
                    let out_blocks = out_block..out_block + of_blocks.len() / sums.len();
                    let mut kernels = scratch.take(out_blocks.len() * FORWARD_KERNELS.len());
                    let (in_blocks, transformed, kernels) = (in_blocks.clone(), &transformed[..], &mut kernels[..]);
                    dispatch(Multiply {
                        tiling,
                        chunk,
                        in_blocks,
                        out_blocks,
                        transformed,
                        windows,
                        w,
                        kernels,
                        sums: of_blocks,
                    });
                });
        }

        all_sums
            .par_chunks(sums.len())
            .zip(&mut outputs)
            .enumerate()
            .for_each(|(out_block, (products, y))| {
                dispatch(WriteOutputs {
                    tiling,
                    chunk,
                    out_block,
                    products,
                    sums,
                    bias,
                    relu,
                    y,
                });
            });
    }
}

/// Adds the products of some input channels to the sums of one or two blocks of sixteen output channels.
struct Multiply<'a> {
    tiling: &'a Tiling,
    chunk: Chunk,
    in_blocks: Range<usize>,
    out_blocks: Range<usize>,
    transformed: &'a [Lanes],
    windows: Planes,
    w: &'a [f32],
    kernels: &'a mut [Lanes],
    sums: &'a mut [Lanes],
}

impl Kernel for Multiply<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { chunk, windows, .. } = self;
        let sums_layout = Planes {
            rows: chunk.items,
            slots: 1,
        };
        let apart = [FORWARD_KERNELS.len() * LANES, sums_layout.len() * LANES];
        for (in_block, transformed) in self
            .in_blocks
            .zip(self.transformed.chunks(chunk.blocks() * windows.len()))
        {
            let of_blocks = self.kernels.chunks_exact_mut(FORWARD_KERNELS.len());
            for (out_block, kernels) in self.out_blocks.clone().zip(of_blocks) {
                transform_kernels(simd, self.tiling, (in_block, out_block), self.w, kernels);
            }
            for plane in 0..PLANES {
                let slots = slots_of(plane);
                let right = Right {
                    data: Lanes::flat(&self.kernels[FORWARD_KERNELS.at(plane, slots.start * LANES, 0)..]),
                    step: LANES,
                    segment: 0,
                };
                for block in 0..chunk.blocks() {
                    let left = Left {
                        data: Lanes::flat(&transformed[block * windows.len() + windows.at(plane, 0, slots.start)..]),
                        row: windows.row_stride(),
                        step: 1,
                        segment: 0,
                    };
                    let target = Target {
                        data: Lanes::flat_mut(&mut self.sums[sums_layout.at(plane, block * chunk.block, 0)..]),
                        row: LANES,
                        accumulate: in_block > 0,
                    };
                    let extent = Extent {
                        rows: chunk.items_in(block),
                        segments: 1,
                        steps: slots.len() * LANES,
                    };
                    match self.out_blocks.len() {
                        1 => panel(simd, extent, left, right, target),
                        _ => two_panels(simd, extent, left, right, target, apart),
                    }
                }
            }
        }
    }
}

/// Transforms the sums of sixteen output channels back and finishes them.
struct WriteOutputs<'a, 'y> {
    tiling: &'a Tiling,
    chunk: Chunk,
    out_block: usize,
    products: &'a [Lanes],
    sums: Planes,
    bias: Option<&'a [f32]>,
    relu: bool,
    y: &'a mut [&'y mut [f32]],
}

impl Kernel for WriteOutputs<'_, '_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let mut bias = Lanes::ZERO;
        if let Some(all) = self.bias {
            let channels = self.tiling.out_channels(self.out_block);
            bias.0[..channels.len()].copy_from_slice(&all[channels]);
        }
        let mut transforms = Transforms::new(simd);
        let mut tile = [Lanes::ZERO; TILE_LEN];
        for item in 0..self.chunk.items {
            transforms.products_to_tile((self.products, self.sums.grid(item, 0)), (&mut tile, TILE_GRID));
            for pixel in &mut tile {
                for part in 0..S::PARTS {
                    let value = simd.load(pixel, part) + simd.load(&bias, part);
                    simd.store(if self.relu { value.relu() } else { value }, pixel, part);
                }
            }
            let (image, ty, tx) = self.tiling.locate(self.chunk.start + item);
            store_tile(self.tiling, (ty, tx), &tile, self.y[image]);
        }
    }
}
