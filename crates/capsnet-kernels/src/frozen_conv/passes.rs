//! The three steps of a forward pass: transform the windows, multiply, transform the sums back.

use super::kernels::Row;
use super::layout::{PLANES, Tiling, Windows, slots_of};
use super::points::{COLUMN_OUTPUTS, COLUMN_WINDOW, POINTS, ROW_OUTPUTS, ROW_WINDOW, TILE};
use crate::microkernel::{Extent, Left, Right, Target, streamed_panel, two_panels};
use crate::simd::{Kernel, LANES, Lanes, Simd, Vector};
use crate::toom_cook::{PHASES, STRIDE};

/// Floats by which kernels are asked for ahead of their use.
const AHEAD: usize = 2048;

/// From so many items on, two blocks of output channels are multiplied together.
const MANY_ITEMS: usize = 16;

/// Transforms sixteen input channels of all images.
pub(super) struct TransformWindows<'a> {
    pub(super) tiling: &'a Tiling,
    pub(super) x: &'a [f32],
    pub(super) in_block: usize,
    /// Room for the pixels of [`Tiling::staged`].
    pub(super) staged: &'a mut [Lanes],
    pub(super) windows: Windows,
    pub(super) out: &'a mut [Lanes],
}

impl Kernel for TransformWindows<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self {
            tiling, windows, out, ..
        } = self;
        let [tiles_y, tiles_x] = tiling.tiles;
        let [_, width] = tiling.staged();
        let image_len = tiling.shape.height * tiling.shape.width;
        let first = self.in_block * LANES;
        let channels = LANES.min(tiling.shape.in_channels - first);
        for (image, x) in self.x.chunks_exact(tiling.shape.in_channels * image_len).enumerate() {
            stage(tiling, &x[first * image_len..][..channels * image_len], self.staged);
            for tile in 0..tiling.items() {
                let item = image * tiling.items() + tile;
                let (ty, tx) = (tile / tiles_x, tile % tiles_x);
                debug_assert!(ty < tiles_y);
                for (slot, phase) in PHASES.into_iter().enumerate() {
                    let row = STRIDE * TILE[0] * ty + phase.row;
                    let window = &self.staged[row * width + STRIDE * TILE[1] * tx + phase.column..];
                    let to = Place { windows, item, slot };
                    const R: usize = POINTS[0];
                    const C: usize = POINTS[1];
                    match [phase.row, phase.column] {
                        [0, 0] => factors::<S, R, C>(simd, window, width, to, out),
                        [0, _] => factors::<S, R, { C - 1 }>(simd, window, width, to, out),
                        [_, 0] => factors::<S, { R - 1 }, C>(simd, window, width, to, out),
                        _ => factors::<S, { R - 1 }, { C - 1 }>(simd, window, width, to, out),
                    }
                }
            }
        }
    }
}

/// Puts the pixels of some channels side by side, with zeros outside the image and past the last channel.
fn stage(tiling: &Tiling, channels: &[f32], staged: &mut [Lanes]) {
    let shape = &tiling.shape;
    let [height, width] = tiling.staged();
    // What lies beyond the last tile isn't read.
    let (rows, columns) = (
        shape.height.min(height.saturating_sub(shape.pad_h)),
        shape.width.min(width.saturating_sub(shape.pad_w)),
    );
    staged.fill(Lanes::ZERO);
    for (lane, plane) in channels.chunks_exact(shape.height * shape.width).enumerate() {
        for (y, pixels) in plane.chunks_exact(shape.width).take(rows).enumerate() {
            let staged = &mut staged[(y + shape.pad_h) * width + shape.pad_w..][..columns];
            for (staged, &pixel) in staged.iter_mut().zip(pixels) {
                staged.0[lane] = pixel;
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Place {
    windows: Windows,
    item: usize,
    slot: usize,
}

/// Transforms the `R x C` pixels of one phase of a window.
#[inline(always)]
fn factors<S: Simd, const R: usize, const C: usize>(
    simd: S,
    window: &[Lanes],
    width: usize,
    to: Place,
    out: &mut [Lanes],
) {
    for part in 0..S::PARTS {
        let mut half = [[simd.splat(0.0); C]; R];
        for j in 0..C {
            let mut column = [simd.splat(0.0); R];
            for (i, value) in column.iter_mut().enumerate() {
                *value = simd.load(&window[STRIDE * (i * width + j)], part);
            }
            for (p, half) in half.iter_mut().enumerate() {
                half[j] = inner(&ROW_WINDOW[p], column);
            }
        }
        for (p, half) in half.into_iter().enumerate() {
            for (q, coefficients) in COLUMN_WINDOW.iter().take(C).enumerate() {
                let at = to.windows.at(p * POINTS[1] + q, to.item, to.slot);
                simd.store(inner(coefficients, half), &mut out[at], part);
            }
        }
    }
}

/// The sum of `coefficients[i] x[i]` over the elements of `x`. Coefficients that the compiler knows to be zero cost
/// nothing.
#[inline(always)]
fn inner<V: Vector, const N: usize>(coefficients: &[f32], x: [V; N]) -> V {
    let mut sum = x[0] * coefficients[0];
    for i in 1..N {
        if coefficients[i] != 0.0 {
            sum = sum.plus(coefficients[i], x[i]);
        }
    }
    sum
}

/// Multiplies the windows by the kernels of one plane, for some blocks of output channels.
pub(super) struct Multiply<'a, K> {
    pub(super) tiling: &'a Tiling,
    pub(super) windows: Windows,
    pub(super) plane: usize,
    pub(super) transformed: &'a [Lanes],
    /// Kernels of those blocks.
    pub(super) kernels: &'a [K],
    /// Sums of those blocks.
    pub(super) sums: &'a mut [Lanes],
}

impl<K: Row> Kernel for Multiply<'_, K> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { windows, plane, .. } = self;
        let slots = slots_of(plane);
        let extent = Extent {
            rows: windows.items,
            segments: 1,
            steps: slots.len() * LANES,
        };
        let of_block = self.tiling.kernels(plane);
        // Of few rows the kernels are all that is read, and one stream of them is read fastest.
        let together = if windows.items < MANY_ITEMS { 1 } else { 2 };
        let of_blocks = self.kernels.chunks(together * of_block);
        for (kernels, sums) in of_blocks.zip(self.sums.chunks_mut(together * windows.items)) {
            // The sums of each block of input channels are added up: rounding errors of one long sum would be larger.
            for in_block in 0..of_block / extent.steps {
                let transformed = &self.transformed[in_block * windows.len()..][..windows.len()];
                let left = Left {
                    data: Lanes::flat(&transformed[windows.at(plane, 0, slots.start)..]),
                    row: PHASES.len() * LANES,
                    step: 1,
                    segment: 0,
                };
                let right = Right {
                    data: K::flat(&kernels[in_block * extent.steps..]),
                    step: LANES,
                    segment: 0,
                };
                let target = Target {
                    data: Lanes::flat_mut(sums),
                    row: LANES,
                    accumulate: in_block > 0,
                };
                match kernels.len() > of_block {
                    true => {
                        let apart = [of_block * LANES, windows.items * LANES];
                        two_panels(simd, extent, left, right, target, apart);
                    }
                    false => streamed_panel::<S, K::Number, AHEAD>(simd, extent, left, right, target),
                }
            }
        }
    }
}

/// Transforms the sums of sixteen output channels back, adds the bias and rectifies.
pub(super) struct WriteOutputs<'a, 'y> {
    pub(super) tiling: &'a Tiling,
    pub(super) items: usize,
    pub(super) out_block: usize,
    /// Of all planes and blocks.
    pub(super) sums: &'a [Lanes],
    pub(super) bias: &'a Lanes,
    pub(super) relu: bool,
    /// These output channels of each image.
    pub(super) y: Vec<&'y mut [f32]>,
}

impl Kernel for WriteOutputs<'_, '_> {
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let of_plane = self.tiling.out_blocks() * self.items;
        let mut tile = [[Lanes::ZERO; TILE[1]]; TILE[0]];
        for item in 0..self.items {
            let first = self.out_block * self.items + item;
            for part in 0..S::PARTS {
                let mut half = [[simd.splat(0.0); POINTS[1]]; TILE[0]];
                for q in 0..POINTS[1] {
                    let mut column = [simd.splat(0.0); POINTS[0]];
                    for (p, value) in column.iter_mut().enumerate() {
                        *value = simd.load(&self.sums[(p * POINTS[1] + q) * of_plane + first], part);
                    }
                    for (half, coefficients) in half.iter_mut().zip(&ROW_OUTPUTS) {
                        half[q] = inner(coefficients, column);
                    }
                }
                for (half, line) in half.into_iter().zip(&mut tile) {
                    for (coefficients, pixel) in COLUMN_OUTPUTS.iter().zip(line) {
                        let value = inner(coefficients, half) + simd.load(self.bias, part);
                        simd.store(if self.relu { value.relu() } else { value }, pixel, part);
                    }
                }
            }
            let tiles = self.tiling.items();
            self.tiling.store(item % tiles, &tile, self.y[item / tiles]);
        }
    }
}

impl Tiling {
    /// Writes a tile to the planes of some channels of an image; outputs outside the image are dropped.
    fn store(&self, tile: usize, values: &[[Lanes; TILE[1]]; TILE[0]], channels: &mut [f32]) {
        let [height, width] = [self.shape.out_h(), self.shape.out_w()];
        let [top, left] = [tile / self.tiles[1] * TILE[0], tile % self.tiles[1] * TILE[1]];
        for (lane, plane) in channels.chunks_exact_mut(height * width).enumerate() {
            for (line, values) in plane.chunks_exact_mut(width).skip(top).zip(values) {
                for (pixel, value) in line[left..].iter_mut().zip(values) {
                    *pixel = value.0[lane];
                }
            }
        }
    }
}

const _: () = assert!(PLANES == POINTS[0] * POINTS[1]);
