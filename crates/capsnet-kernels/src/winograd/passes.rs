//! Outputs, and gradients of inputs: some images a task, through all three steps.

use super::linear::{Collect, CollectTransposed, Grid, Project, ProjectTransposed, add, apply};
use super::staging::Framed;
use super::{InLanes, PLANES, TILE, Tiling, WINDOW, transformed_kernels};
use crate::microkernel::{Extent, Left, Right, Target, panel, two_panels};
use crate::scratch::Scratch;
use crate::simd::{Kernel, LANES, Lanes, Simd, Vector as _, dispatch};
use rayon::prelude::*;

impl Tiling {
    /// An image under the windows.
    pub(super) fn framed_input(&self) -> Framed {
        Framed {
            image: [self.shape.height, self.shape.width],
            frame: self.windows(),
            at: [self.shape.pad_h, self.shape.pad_w],
        }
    }

    /// Outputs under the tiles.
    pub(super) fn framed_output(&self) -> Framed {
        Framed {
            image: [self.shape.out_h(), self.shape.out_w()],
            frame: self.outputs(),
            at: [0, 0],
        }
    }

    /// The first pixel of a tile's window.
    pub(super) fn window(&self, [row, column]: [usize; 2]) -> Grid {
        let width = self.windows()[1];
        Grid::rows(row * TILE * width + column * TILE, width)
    }

    /// The first output of a tile.
    pub(super) fn tile(&self, [row, column]: [usize; 2]) -> Grid {
        let width = self.outputs()[1];
        Grid::rows(row * TILE * width + column * TILE, width)
    }
}

/// `y = relu(conv(x, w) + bias)`. Lengths have been checked.
pub(crate) fn forward(
    tiling: &Tiling,
    scratch: &Scratch,
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    relu: bool,
    y: &mut [f32],
) {
    let depth = tiling.in_blocks * LANES;
    let mut kernels = scratch.take(tiling.out_blocks * PLANES * depth);
    transformed_kernels(tiling, w, InLanes::Outputs, &mut kernels);
    let (kernels, group) = (&kernels[..], tiling.group());
    x.par_chunks(group * tiling.input_len())
        .zip(y.par_chunks_mut(group * tiling.output_len()))
        .for_each(|(x, y)| {
            let planes = Planes::new(tiling, x.len() / tiling.input_len());
            let mut windows = scratch.take(PLANES * planes.of_inputs);
            let mut sums = scratch.take(PLANES * planes.of_outputs);
            let mut staged = scratch.take(tiling.framed_input().len());
            dispatch(Forward {
                tiling,
                planes,
                x,
                kernels,
                bias,
                relu,
                windows: &mut windows,
                sums: &mut sums,
                staged: &mut staged,
                y,
            });
        });
}

/// `dx = conv^T(dy, w)`. Lengths have been checked.
pub(crate) fn backward_data(tiling: &Tiling, scratch: &Scratch, w: &[f32], dy: &[f32], dx: &mut [f32]) {
    let depth = tiling.out_blocks * LANES;
    let mut kernels = scratch.take(tiling.in_blocks * PLANES * depth);
    transformed_kernels(tiling, w, InLanes::Inputs, &mut kernels);
    let (kernels, group) = (&kernels[..], tiling.group());
    dy.par_chunks(group * tiling.output_len())
        .zip(dx.par_chunks_mut(group * tiling.input_len()))
        .for_each(|(dy, dx)| {
            let planes = Planes::new(tiling, dy.len() / tiling.output_len());
            let mut tiles = scratch.take(PLANES * planes.of_outputs);
            let mut sums = scratch.take(PLANES * planes.of_inputs);
            let mut staged = scratch.take(tiling.framed_input().len());
            dispatch(BackwardData {
                tiling,
                planes,
                dy,
                kernels,
                tiles: &mut tiles,
                sums: &mut sums,
                staged: &mut staged,
                dx,
            });
        });
}

/// Sizes of a task's planes.
#[derive(Clone, Copy)]
struct Planes {
    /// Tiles of all images of the task.
    rows: usize,
    /// From a plane of transformed inputs to the next. A line more than it takes, lest all planes' values of a tile
    /// fall on one set of the cache.
    of_inputs: usize,
    /// The same of outputs.
    of_outputs: usize,
}

impl Planes {
    fn new(tiling: &Tiling, images: usize) -> Self {
        let rows = images * tiling.count();
        Self {
            rows,
            of_inputs: rows * tiling.in_blocks + 1,
            of_outputs: rows * tiling.out_blocks + 1,
        }
    }
}

struct Forward<'a> {
    tiling: &'a Tiling,
    planes: Planes,
    x: &'a [f32],
    kernels: &'a [Lanes],
    bias: Option<&'a [f32]>,
    relu: bool,
    windows: &'a mut [Lanes],
    sums: &'a mut [Lanes],
    staged: &'a mut [Lanes],
    y: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { tiling, planes, .. } = self;
        let (blocks, framed) = (tiling.in_blocks, tiling.framed_input());
        for (image, x) in self.x.chunks_exact(tiling.input_len()).enumerate() {
            for (block, x) in x.chunks(LANES * framed.image[0] * framed.image[1]).enumerate() {
                framed.load(x, &mut *self.staged);
                for (tile, place) in tiling.each() {
                    let row = image * tiling.count() + tile;
                    let to = Grid::planes(row * blocks + block, planes.of_inputs);
                    let from = (&*self.staged, tiling.window(place));
                    apply::<S, Project, WINDOW, WINDOW>(simd, from, (&mut *self.windows, to));
                }
            }
        }
        let left = (&*self.windows, planes.of_inputs, blocks);
        multiply(
            simd,
            planes.rows,
            left,
            self.kernels,
            (&mut *self.sums, planes.of_outputs, tiling.out_blocks),
        );
        let (blocks, framed) = (tiling.out_blocks, tiling.framed_output());
        let staged = &mut self.staged[..framed.len()];
        for (image, y) in self.y.chunks_exact_mut(tiling.output_len()).enumerate() {
            for (block, y) in y.chunks_mut(LANES * framed.image[0] * framed.image[1]).enumerate() {
                for (tile, place) in tiling.each() {
                    let row = image * tiling.count() + tile;
                    let from = Grid::planes(row * blocks + block, planes.of_outputs);
                    apply::<S, Collect, WINDOW, TILE>(simd, (&*self.sums, from), (&mut *staged, tiling.tile(place)));
                }
                let mut bias = Lanes::ZERO;
                if let Some(all) = self.bias {
                    bias.0
                        .iter_mut()
                        .zip(&all[block * LANES..])
                        .for_each(|(lane, bias)| *lane = *bias);
                }
                for value in &mut *staged {
                    for part in 0..S::PARTS {
                        let sum = simd.load(value, part) + simd.load(&bias, part);
                        simd.store(if self.relu { sum.relu() } else { sum }, value, part);
                    }
                }
                framed.store(staged, y);
            }
        }
    }
}

struct BackwardData<'a> {
    tiling: &'a Tiling,
    planes: Planes,
    dy: &'a [f32],
    kernels: &'a [Lanes],
    tiles: &'a mut [Lanes],
    sums: &'a mut [Lanes],
    staged: &'a mut [Lanes],
    dx: &'a mut [f32],
}

impl Kernel for BackwardData<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { tiling, planes, .. } = self;
        let (blocks, framed) = (tiling.out_blocks, tiling.framed_output());
        for (image, dy) in self.dy.chunks_exact(tiling.output_len()).enumerate() {
            for (block, dy) in dy.chunks(LANES * framed.image[0] * framed.image[1]).enumerate() {
                let staged = &mut self.staged[..framed.len()];
                framed.load(dy, &mut *staged);
                for (tile, place) in tiling.each() {
                    let row = image * tiling.count() + tile;
                    let to = Grid::planes(row * blocks + block, planes.of_outputs);
                    let from = (&*staged, tiling.tile(place));
                    apply::<S, CollectTransposed, TILE, WINDOW>(simd, from, (&mut *self.tiles, to));
                }
            }
        }
        let left = (&*self.tiles, planes.of_outputs, blocks);
        multiply(
            simd,
            planes.rows,
            left,
            self.kernels,
            (&mut *self.sums, planes.of_inputs, tiling.in_blocks),
        );
        let (blocks, framed) = (tiling.in_blocks, tiling.framed_input());
        for (image, dx) in self.dx.chunks_exact_mut(tiling.input_len()).enumerate() {
            for (block, dx) in dx.chunks_mut(LANES * framed.image[0] * framed.image[1]).enumerate() {
                self.staged.fill(Lanes::ZERO);
                for (tile, place) in tiling.each() {
                    let row = image * tiling.count() + tile;
                    let from = Grid::planes(row * blocks + block, planes.of_inputs);
                    let to = (&mut *self.staged, tiling.window(place));
                    add::<S, ProjectTransposed, WINDOW, WINDOW>(simd, (&*self.sums, from), to);
                }
                framed.store(self.staged, dx);
            }
        }
    }
}

/// In every plane: `rows` tiles of some channels, times the kernels, are tiles of other channels. Values, the distance
/// of planes and blocks of channels of both.
#[inline(always)]
fn multiply<S: Simd>(
    simd: S,
    rows: usize,
    (left, left_plane, left_blocks): (&[Lanes], usize, usize),
    kernels: &[Lanes],
    (sums, sums_plane, sums_blocks): (&mut [Lanes], usize, usize),
) {
    let depth = left_blocks * LANES;
    let extent = Extent {
        rows,
        segments: 1,
        steps: depth,
    };
    for plane in 0..PLANES {
        let left = Left {
            data: Lanes::flat(&left[plane * left_plane..][..rows * left_blocks]),
            row: depth,
            step: 1,
            segment: 0,
        };
        let sums = &mut sums[plane * sums_plane..][..rows * sums_blocks];
        for block in (0..sums_blocks).step_by(2) {
            let right = Right {
                data: Lanes::flat(&kernels[(block * PLANES + plane) * depth..]),
                step: LANES,
                segment: 0,
            };
            let target = Target {
                data: Lanes::flat_mut(&mut sums[block..]),
                row: sums_blocks * LANES,
                accumulate: false,
            };
            match block + 1 < sums_blocks {
                true => two_panels(simd, extent, left, right, target, [PLANES * depth * LANES, LANES]),
                false => panel(simd, extent, left, right, target),
            }
        }
    }
}
