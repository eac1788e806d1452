//! Tiles, planes, and where transformed operands lie.
//!
//! A *plane* is one of the two-dimensional products; in it, the sum over phases and input channels is one matrix
//! product of the items (tiles of images) with the output channels. Planes at infinity only have the phases with five
//! taps in that coordinate; the slots are ordered such that those are neighbours (see `toom_cook::layout`).
//!
//! ```text
//! windows  [block of input channels][plane][item][slot]                            16 input channels each
//! kernels  [plane][block of output channels][block of input channels][slot][16]    16 output channels each
//! sums     [plane][block of output channels][item]                                 16 output channels each
//! ```
//!
//! Kernels are read from beginning to end, once; everything else stays in the cache.

use super::points::{POINTS, TILE};
use crate::shape::ConvShape;
use crate::simd::LANES;
use crate::toom_cook::{KERNEL, PHASES, STRIDE};
use std::ops::Range;

/// Two-dimensional products.
pub(super) const PLANES: usize = POINTS[0] * POINTS[1];
/// `Lanes` of transformed windows between planes: one more than an item's slots, lest planes fall on the same cache
/// sets.
const APART: usize = 1;

/// Slots of the phases that take part in a plane.
pub(super) fn slots_of(plane: usize) -> Range<usize> {
    let at_infinity = [plane / POINTS[1] == POINTS[0] - 1, plane % POINTS[1] == POINTS[1] - 1];
    match at_infinity {
        [false, false] => 0..4,
        [true, false] => 0..2,
        [false, true] => 1..3,
        [true, true] => 1..2,
    }
}

/// The tiles of a convolution, and its channel blocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tiling {
    /// Of one image.
    pub(super) shape: ConvShape,
    /// Rows and columns of tiles.
    pub(super) tiles: [usize; 2],
}

impl Tiling {
    pub(super) fn new(shape: ConvShape) -> Self {
        let tiles = [shape.out_h().div_ceil(TILE[0]), shape.out_w().div_ceil(TILE[1])];
        Self { shape, tiles }
    }

    /// Tiles of an image.
    pub(super) fn items(&self) -> usize {
        self.tiles[0] * self.tiles[1]
    }

    /// Height and width of the pixels that all tiles of an image read, its padding included.
    pub(super) fn staged(&self) -> [usize; 2] {
        [0, 1].map(|axis| STRIDE * (self.tiles[axis] * TILE[axis] - 1) + KERNEL)
    }

    pub(super) fn in_blocks(&self) -> usize {
        self.shape.in_channels.div_ceil(LANES)
    }

    pub(super) fn out_blocks(&self) -> usize {
        self.shape.out_channels.div_ceil(LANES)
    }

    /// Output channels in a block.
    pub(super) fn out_channels(&self, block: usize) -> Range<usize> {
        block * LANES..self.shape.out_channels.min((block + 1) * LANES)
    }

    /// `Lanes` of one plane's kernels to one block of output channels.
    pub(super) fn kernels(&self, plane: usize) -> usize {
        self.in_blocks() * slots_of(plane).len() * LANES
    }
}

/// Where the transformed windows of sixteen input channels lie.
#[derive(Clone, Copy)]
pub(super) struct Windows {
    /// Tiles of all images.
    pub(super) items: usize,
}

impl Windows {
    /// `Lanes` from one plane to the next.
    fn pitch(self) -> usize {
        self.items * PHASES.len() + APART
    }

    /// `Lanes` of all planes.
    pub(super) fn len(self) -> usize {
        PLANES * self.pitch()
    }

    pub(super) fn at(self, plane: usize, item: usize, slot: usize) -> usize {
        plane * self.pitch() + item * PHASES.len() + slot
    }
}
