//! The fast algorithm for 3x3 kernels with stride 1: four times fewer products than the definition has.
//!
//! An output tile of 4x4 pixels reads a window of 6x6. As in `toom_cook`, a correlation is a product of polynomials,
//! transposed, and that is known from its values at the points 0, 1, -1, 2, -2 and infinity (Winograd 1980; Lavin and
//! Gray 2016, "Fast algorithms for convolutional neural networks"):
//!
//! ```text
//! y  = A^T [ sum over c of (G w G^T) * (B^T x B) ] A
//! dx = B   [ sum over o of (G w G^T) * (A dy A^T) ] B^T      windows of neighbouring tiles are added
//! dw = G^T [ sum over tiles of (B^T x B) * (A dy A^T) ] G
//! ```
//!
//! Sixteen channels stand in the lanes. A *plane* is one of the 36 products of a tile; in it, the sum over channels
//! (or, for the kernels' gradient, over tiles) is a matrix product. A task of the first two passes takes some images
//! through all three steps in its cache; the third transforms some images at a time and then multiplies, a task for
//! each plane and sixteen output channels. All sums run in an order that the shape alone gives.

mod gradient;
mod linear;
mod passes;
mod staging;

pub(crate) use gradient::backward_weight;
pub(crate) use passes::{backward_data, forward};

use crate::shape::ConvShape;
use crate::simd::{LANES, Lanes};
use rayon::prelude::*;

/// Outputs of a tile, along one dimension.
const TILE: usize = 4;
/// Inputs of a tile, and products, along one dimension.
const WINDOW: usize = 6;
/// Products of a tile.
const PLANES: usize = WINDOW * WINDOW;
/// Side of the kernels.
const KERNEL: usize = 3;
/// Taps of a kernel.
const TAPS: usize = KERNEL * KERNEL;
/// Images of a task at most.
const GROUP: usize = 4;

/// How images are cut into tiles and channels into blocks.
#[derive(Clone, Copy)]
pub(crate) struct Tiling {
    shape: ConvShape,
    /// Tiles in a column and in a row.
    tiles: [usize; 2],
    in_blocks: usize,
    out_blocks: usize,
}

impl Tiling {
    /// Whether the algorithm computes this shape.
    pub(crate) fn supports(shape: &ConvShape) -> bool {
        [shape.kernel_h, shape.kernel_w] == [KERNEL; 2] && [shape.stride_h, shape.stride_w] == [1; 2]
    }

    pub(crate) fn new(shape: ConvShape) -> Self {
        Self {
            shape,
            tiles: [shape.out_h().div_ceil(TILE), shape.out_w().div_ceil(TILE)],
            in_blocks: shape.in_channels.div_ceil(LANES),
            out_blocks: shape.out_channels.div_ceil(LANES),
        }
    }

    /// Tiles of an image.
    fn count(&self) -> usize {
        self.tiles[0] * self.tiles[1]
    }

    /// Tiles of an image by row and column.
    fn each(&self) -> impl Iterator<Item = (usize, [usize; 2])> {
        let [rows, columns] = self.tiles;
        (0..rows * columns).map(move |tile| (tile, [tile / columns, tile % columns]))
    }

    /// Rows and columns of the pixels that the windows of an image cover.
    fn windows(&self) -> [usize; 2] {
        self.tiles.map(|tiles| tiles * TILE + KERNEL - 1)
    }

    /// Rows and columns of the outputs that the tiles of an image cover.
    fn outputs(&self) -> [usize; 2] {
        self.tiles.map(|tiles| tiles * TILE)
    }

    /// Images of a task.
    fn group(&self) -> usize {
        (self.shape.batch / GROUP).clamp(1, GROUP)
    }

    fn input_len(&self) -> usize {
        self.shape.in_channels * self.shape.height * self.shape.width
    }

    fn output_len(&self) -> usize {
        self.shape.out_channels * self.shape.out_h() * self.shape.out_w()
    }

    /// Multiplications that the algorithm needs, counting partial blocks of channels as whole ones.
    pub(crate) fn macs(&self) -> f64 {
        let pairs = (self.in_blocks * self.out_blocks * LANES * LANES) as f64;
        pairs * (PLANES * self.count() * self.shape.batch) as f64
    }
}

/// Which channels of a kernel stand in the lanes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum InLanes {
    Inputs,
    Outputs,
}

/// The transformed kernels: for each block of channels in the lanes, each plane, and each of the other channels.
fn transformed_kernels(tiling: &Tiling, w: &[f32], in_lanes: InLanes, out: &mut [Lanes]) {
    let depth = match in_lanes {
        InLanes::Outputs => tiling.in_blocks * LANES,
        InLanes::Inputs => tiling.out_blocks * LANES,
    };
    out.par_chunks_mut(PLANES * depth).enumerate().for_each(|(block, out)| {
        crate::simd::dispatch(linear::Kernels {
            tiling,
            w,
            in_lanes,
            block,
            depth,
            out,
        });
    });
}
