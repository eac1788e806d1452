//! Transforms of whole blocks of an operand into [`Planes`], straight from NCHW tensors.

use super::layout::{Chunk, KERNEL, PHASES, Planes, Tiling, WINDOW, phase_grid};
use super::staging::{KERNEL_LEN, TILE_LEN, WINDOW_LEN, load_kernels, load_tile, load_window};
use super::transform::{Grid, TILE, Transforms};
use crate::simd::{Kernel, LANES, Lanes, Simd};
use std::ops::Range;

/// Layout of a tile of pixels.
pub(crate) const TILE_GRID: Grid = Grid {
    start: 0,
    row: TILE,
    column: 1,
};

/// Transforms sixteen input channels of one block of items; rows are items, slots are phases.
pub(crate) struct TransformWindows<'a> {
    pub(crate) tiling: &'a Tiling,
    pub(crate) chunk: Chunk,
    pub(crate) block: usize,
    pub(crate) in_block: usize,
    pub(crate) x: &'a [f32],
    pub(crate) planes: Planes,
    pub(crate) out: &'a mut [Lanes],
}

impl Kernel for TransformWindows<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let shape = &self.tiling.shape;
        let image_len = shape.height * shape.width;
        let channels = self.tiling.in_channels(self.in_block);
        let mut transforms = Transforms::new(simd);
        let mut window = [Lanes::ZERO; WINDOW_LEN];
        for row in 0..self.chunk.items_in(self.block) {
            let (image, ty, tx) = self
                .tiling
                .locate(self.chunk.start + self.block * self.chunk.block + row);
            let image = &self.x[image * shape.in_channels * image_len..];
            load_window(
                self.tiling,
                (ty, tx),
                &image[channels.start * image_len..channels.end * image_len],
                &mut window,
            );
            for (slot, phase) in PHASES.into_iter().enumerate() {
                let dst = (&mut *self.out, self.planes.grid(row, slot));
                transforms.window_to_products(phase, (&window, phase_grid(phase, WINDOW)), dst);
            }
        }
    }
}

/// Transforms sixteen channels' slots of the output gradients of one block of items; rows are items, slots are blocks
/// of sixteen output channels.
pub(crate) struct TransformTiles<'a> {
    pub(crate) tiling: &'a Tiling,
    pub(crate) chunk: Chunk,
    pub(crate) block: usize,
    pub(crate) out_blocks: Range<usize>,
    pub(crate) dy: &'a [f32],
    pub(crate) planes: Planes,
    pub(crate) out: &'a mut [Lanes],
}

impl Kernel for TransformTiles<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let shape = &self.tiling.shape;
        let image_len = shape.out_h() * shape.out_w();
        let mut transforms = Transforms::new(simd);
        let mut tile = [Lanes::ZERO; TILE_LEN];
        for row in 0..self.chunk.items_in(self.block) {
            let (image, ty, tx) = self
                .tiling
                .locate(self.chunk.start + self.block * self.chunk.block + row);
            let image = &self.dy[image * shape.out_channels * image_len..];
            for (slot, out_block) in self.out_blocks.clone().enumerate() {
                let channels = self.tiling.out_channels(out_block);
                load_tile(
                    self.tiling,
                    (ty, tx),
                    &image[channels.start * image_len..channels.end * image_len],
                    &mut tile,
                );
                transforms.tile_to_products((&tile, TILE_GRID), (self.out, self.planes.grid(row, slot)));
            }
        }
    }
}

/// Transforms the kernels between sixteen input and sixteen output channels, for the forward pass: a plane's row is
/// `slot * 16 + input channel`, its single slot holds the output channels. Rows past the last input channel are zero.
#[inline(always)]
pub(crate) fn transform_kernels<S: Simd>(
    simd: S,
    tiling: &Tiling,
    (in_block, out_block): (usize, usize),
    w: &[f32],
    out: &mut [Lanes],
) {
    let in_channels = tiling.in_channels(in_block);
    let mut transforms = Transforms::new(simd);
    let mut kernels = [Lanes::ZERO; KERNEL_LEN];
    for row in 0..LANES {
        let channel = in_channels.start + row;
        if channel < in_channels.end {
            load_kernels(
                tiling,
                tiling.out_channels(out_block).map(|o| kernel(tiling, w, o, channel)),
                &mut kernels,
            );
        } else {
            kernels.fill(Lanes::ZERO);
        }
        for (slot, phase) in PHASES.into_iter().enumerate() {
            let dst = FORWARD_KERNELS.grid(slot * LANES + row, 0);
            transforms.taps_to_products(phase, (&kernels, phase_grid(phase, KERNEL)), (out, dst));
        }
    }
}

/// Layout of [`transform_kernels`] and of the kernel gradients.
pub(crate) const FORWARD_KERNELS: Planes = Planes {
    rows: PHASES.len() * LANES,
    slots: 1,
};

/// Transforms the kernels between sixteen input channels and some blocks of output channels, for the backward pass to
/// the data: a plane's row is an output channel, its slots are the phases, with the input channels in the lanes.
#[inline(always)]
pub(crate) fn transform_kernels_transposed<S: Simd>(
    simd: S,
    tiling: &Tiling,
    in_block: usize,
    out_channels: Range<usize>,
    w: &[f32],
    (out, planes): (&mut [Lanes], Planes),
) {
    let mut transforms = Transforms::new(simd);
    let mut kernels = [Lanes::ZERO; KERNEL_LEN];
    for (row, out_channel) in out_channels.enumerate() {
        load_kernels(
            tiling,
            tiling.in_channels(in_block).map(|i| kernel(tiling, w, out_channel, i)),
            &mut kernels,
        );
        for (slot, phase) in PHASES.into_iter().enumerate() {
            let dst = planes.grid(row, slot);
            transforms.taps_to_products(phase, (&kernels, phase_grid(phase, KERNEL)), (out, dst));
        }
    }
}

/// The taps from an input channel to an output channel.
fn kernel<'a>(tiling: &Tiling, w: &'a [f32], out_channel: usize, in_channel: usize) -> &'a [f32] {
    let start = (out_channel * tiling.shape.in_channels + in_channel) * tiling.kernel_len();
    &w[start..start + tiling.kernel_len()]
}

/// Splits the rows of `data` (an image or a kernel each) into blocks of `block` elements and collects what belongs to
/// the same block: entry `b` holds, for every row, its block `b`. This is how tasks that own a block of channels get
/// exclusive access to all of it.
pub(crate) fn by_block(data: &mut [f32], row: usize, block: usize) -> Vec<Vec<&mut [f32]>> {
    let mut blocks: Vec<Vec<&mut [f32]>> = (0..row.div_ceil(block))
        .map(|_| Vec::with_capacity(data.len() / row))
        .collect();
    for row in data.chunks_exact_mut(row) {
        for (b, part) in row.chunks_mut(block).enumerate() {
            blocks[b].push(part);
        }
    }
    blocks
}
