//! Gradients of kernels: transformed inputs times transformed gradients of outputs, summed over tiles.

use super::linear::{CollectTransposed, EvaluateTransposed, Grid, Project, apply};
use super::{KERNEL, PLANES, TAPS, TILE, Tiling, WINDOW};
use crate::microkernel::{Extent, Left, Right, Target, panel};
use crate::scratch::Scratch;
use crate::simd::{Kernel, LANES, Lanes, Simd, dispatch};
use rayon::prelude::*;

/// Images that are transformed before they are multiplied.
const CHUNK: usize = 16;

/// `dw = sum over images of dy unfold(x)^T`. Lengths have been checked.
pub(crate) fn backward_weight(tiling: &Tiling, scratch: &Scratch, x: &[f32], dy: &[f32], dw: &mut [f32]) {
    let depth = tiling.in_blocks * LANES;
    // Of an image: planes of tiles of blocks of channels.
    let of_input = PLANES * tiling.count() * tiling.in_blocks;
    let of_output = PLANES * tiling.count() * tiling.out_blocks;
    let chunk = CHUNK.min(tiling.shape.batch);
    let mut windows = scratch.take(chunk * of_input);
    let mut tiles = scratch.take(chunk * of_output);
    let mut sums = scratch.take(tiling.out_blocks * PLANES * depth);
    let chunks = x
        .chunks(chunk * tiling.input_len())
        .zip(dy.chunks(chunk * tiling.output_len()));
    for (number, (x, dy)) in chunks.enumerate() {
        let images = x.len() / tiling.input_len();
        let (windows, tiles) = (&mut windows[..images * of_input], &mut tiles[..images * of_output]);
        let inputs = x.par_chunks(tiling.input_len()).zip(windows.par_chunks_mut(of_input));
        let outputs = dy.par_chunks(tiling.output_len()).zip(tiles.par_chunks_mut(of_output));
        inputs.zip(outputs).for_each(|((x, windows), (dy, tiles))| {
            let mut staged = scratch.take(tiling.framed_input().len());
            dispatch(Transform {
                tiling,
                x,
                windows,
                dy,
                tiles,
                staged: &mut staged,
            });
        });
        let (windows, tiles) = (&*windows, &*tiles);
        sums.par_chunks_mut(depth).enumerate().for_each(|(task, sums)| {
            let (block, plane) = (task / PLANES, task % PLANES);
            dispatch(Multiply {
                tiling,
                images,
                windows,
                tiles,
                block,
                plane,
                accumulate: number > 0,
                sums,
            });
        });
    }
    let (sums, kernels) = (&sums[..], LANES * tiling.shape.in_channels * TAPS);
    dw.par_chunks_mut(kernels).enumerate().for_each(|(block, dw)| {
        let sums = &sums[block * PLANES * depth..][..PLANES * depth];
        dispatch(Finish { tiling, sums, dw });
    });
}

/// The transforms of an image and of the gradient of its outputs.
struct Transform<'a> {
    tiling: &'a Tiling,
    x: &'a [f32],
    windows: &'a mut [Lanes],
    dy: &'a [f32],
    tiles: &'a mut [Lanes],
    staged: &'a mut [Lanes],
}

impl Kernel for Transform<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let tiling = self.tiling;
        let (blocks, framed) = (tiling.in_blocks, tiling.framed_input());
        for (block, x) in self.x.chunks(LANES * framed.image[0] * framed.image[1]).enumerate() {
            framed.load(x, &mut *self.staged);
            for (tile, place) in tiling.each() {
                let to = Grid::planes(tile * blocks + block, tiling.count() * blocks);
                let from = (&*self.staged, tiling.window(place));
                apply::<S, Project, WINDOW, WINDOW>(simd, from, (&mut *self.windows, to));
            }
        }
        let (blocks, framed) = (tiling.out_blocks, tiling.framed_output());
        let staged = &mut self.staged[..framed.len()];
        for (block, dy) in self.dy.chunks(LANES * framed.image[0] * framed.image[1]).enumerate() {
            framed.load(dy, &mut *staged);
            for (tile, place) in tiling.each() {
                let to = Grid::planes(tile * blocks + block, tiling.count() * blocks);
                let from = (&*staged, tiling.tile(place));
                apply::<S, CollectTransposed, TILE, WINDOW>(simd, from, (&mut *self.tiles, to));
            }
        }
    }
}

/// One plane of one block of output channels.
struct Multiply<'a> {
    tiling: &'a Tiling,
    images: usize,
    windows: &'a [Lanes],
    tiles: &'a [Lanes],
    block: usize,
    plane: usize,
    accumulate: bool,
    sums: &'a mut [Lanes],
}

impl Kernel for Multiply<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (count, inputs, outputs) = (self.tiling.count(), self.tiling.in_blocks, self.tiling.out_blocks);
        let extent = Extent {
            rows: inputs * LANES,
            segments: self.images,
            steps: count,
        };
        let left = Left {
            data: Lanes::flat(&self.windows[self.plane * count * inputs..]),
            row: 1,
            step: inputs * LANES,
            segment: PLANES * count * inputs * LANES,
        };
        let right = Right {
            data: Lanes::flat(&self.tiles[self.plane * count * outputs + self.block..]),
            step: outputs * LANES,
            segment: PLANES * count * outputs * LANES,
        };
        let target = Target {
            data: Lanes::flat_mut(self.sums),
            row: LANES,
            accumulate: self.accumulate,
        };
        panel(simd, extent, left, right, target);
    }
}

/// The gradients of the kernels of one block of output channels.
struct Finish<'a> {
    tiling: &'a Tiling,
    sums: &'a [Lanes],
    dw: &'a mut [f32],
}

impl Kernel for Finish<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let inputs = self.tiling.shape.in_channels;
        let depth = self.tiling.in_blocks * LANES;
        for input in 0..inputs {
            let mut taps = [Lanes::ZERO; TAPS];
            let from = (self.sums, Grid::planes(input, depth));
            apply::<S, EvaluateTransposed, WINDOW, KERNEL>(simd, from, (&mut taps, Grid::rows(0, KERNEL)));
            for (lane, kernels) in self.dw.chunks_exact_mut(inputs * TAPS).enumerate() {
                for (value, tap) in kernels[input * TAPS..][..TAPS].iter_mut().zip(&taps) {
                    *value = tap.0[lane];
                }
            }
        }
    }
}
