//! How the operands of the products lie in memory, and how the work is cut up.
//!
//! An *item* is one output tile of one image; items are the long dimension of the matrix products. A *plane* is one of
//! the 11 x 11 = 121 two-dimensional products. A transformed operand is a [`Planes`]: for each plane a matrix whose
//! rows are items, taps' input channels or taps' output channels, and whose columns are `slots` times sixteen channels.
//!
//! For inputs and kernels the slots of a row are the four phases, so that one matrix product sums over phases and
//! sixteen input channels at once. Planes with a coordinate at infinity take part only in the phases of parity 0 in
//! that coordinate. The phases are ordered such that those are always neighbours:
//!
//! ```text
//! slot   0        1        2        3
//! phase  (0,1)    (0,0)    (1,0)    (1,1)      (parity of row, of column)
//! ```
//!
//! row at infinity: slots 0..2; column at infinity: slots 1..3; both: slot 1.

use super::points::POINTS;
use super::transform::{Grid, Phase, TILE};
use crate::shape::ConvShape;
use crate::simd::LANES;
use std::ops::Range;

/// Largest height and width of a kernel; smaller ones are staged with zeros.
pub(crate) const KERNEL: usize = 9;
/// Step between outputs.
pub(crate) const STRIDE: usize = 2;
/// Height and width of the input window under a tile, for the largest kernel.
pub(crate) const WINDOW: usize = STRIDE * (TILE - 1) + KERNEL;
/// Two-dimensional products.
pub(crate) const PLANES: usize = POINTS * POINTS;
/// The phase in each slot.
pub(crate) const PHASES: [Phase; 4] = [
    Phase { row: 0, column: 1 },
    Phase { row: 0, column: 0 },
    Phase { row: 1, column: 0 },
    Phase { row: 1, column: 1 },
];

/// Slots of the phases that take part in a plane.
pub(crate) fn slots_of(plane: usize) -> Range<usize> {
    let at_infinity = |coordinate: usize| coordinate == POINTS - 1;
    match (at_infinity(plane / POINTS), at_infinity(plane % POINTS)) {
        (false, false) => 0..4,
        (true, false) => 0..2,
        (false, true) => 1..3,
        (true, true) => 1..2,
    }
}

/// The elements of one phase in a window or kernel of `width` columns.
pub(crate) fn phase_grid(phase: Phase, width: usize) -> Grid {
    Grid {
        start: phase.row * width + phase.column,
        row: STRIDE * width,
        column: STRIDE,
    }
}

/// A transformed operand: `PLANES` matrices of `rows` by `slots * 16` floats.
#[derive(Clone, Copy)]
pub(crate) struct Planes {
    pub(crate) rows: usize,
    pub(crate) slots: usize,
}

impl Planes {
    /// `Lanes` from one plane to the next: one more than the matrix, lest all planes of a row fall on the same cache
    /// sets.
    pub(crate) fn pitch(self) -> usize {
        self.rows * self.slots + 1
    }

    /// `Lanes` of all planes.
    pub(crate) fn len(self) -> usize {
        PLANES * self.pitch()
    }

    /// Position of a row and slot in a plane.
    pub(crate) fn at(self, plane: usize, row: usize, slot: usize) -> usize {
        plane * self.pitch() + row * self.slots + slot
    }

    /// All products of a row and slot.
    pub(crate) fn grid(self, row: usize, slot: usize) -> Grid {
        Grid {
            start: self.at(0, row, slot),
            row: POINTS * self.pitch(),
            column: self.pitch(),
        }
    }

    /// Floats from one row to the next.
    pub(crate) fn row_stride(self) -> usize {
        self.slots * LANES
    }
}

/// A consecutive range of items that are transformed and multiplied together, cut into blocks.
///
/// Each block is stored on its own, so that threads can transform blocks into disjoint memory; the matrix products run
/// over all.
#[derive(Clone, Copy)]
pub(crate) struct Chunk {
    /// First item.
    pub(crate) start: usize,
    /// Number of items.
    pub(crate) items: usize,
    /// Items in a block; the last block may have fewer.
    pub(crate) block: usize,
}

impl Chunk {
    /// Number of blocks.
    pub(crate) fn blocks(self) -> usize {
        self.items.div_ceil(self.block)
    }

    /// Items in block number `block`.
    pub(crate) fn items_in(self, block: usize) -> usize {
        self.block.min(self.items - block * self.block)
    }
}

/// The tiles of a convolution, and its channel blocks.
#[derive(Clone, Copy)]
pub(crate) struct Tiling {
    pub(crate) shape: ConvShape,
    tiles_y: usize,
    tiles_x: usize,
}

/// Most images' items in a chunk: bounds the scratch memory, and keeps a transformed channel block in the last-level
/// cache.
const CHUNK_ITEMS: usize = 160;
/// Most items in a block. A multiple of the rows of every micro-kernel.
const BLOCK_ITEMS: usize = 48;

impl Tiling {
    /// Whether the transforms are made for this shape.
    pub(crate) fn supports(shape: &ConvShape) -> bool {
        shape.kernel_h.max(shape.kernel_w) <= KERNEL && [shape.stride_h, shape.stride_w] == [STRIDE; 2]
    }

    /// The tiling of a supported shape.
    pub(crate) fn new(shape: ConvShape) -> Self {
        Self {
            shape,
            tiles_y: shape.out_h().div_ceil(TILE),
            tiles_x: shape.out_w().div_ceil(TILE),
        }
    }

    /// Tiles of an image.
    pub(crate) fn tiles(&self) -> usize {
        self.tiles_y * self.tiles_x
    }

    /// Taps of a kernel.
    pub(crate) fn kernel_len(&self) -> usize {
        self.shape.kernel_h * self.shape.kernel_w
    }

    /// Height and width of what the outputs of a tile read: all of the window, unless the kernel is smaller.
    pub(crate) fn reach(&self) -> [usize; 2] {
        [self.shape.kernel_h, self.shape.kernel_w].map(|kernel| STRIDE * (TILE - 1) + kernel)
    }

    /// Blocks of sixteen input channels.
    pub(crate) fn in_blocks(&self) -> usize {
        self.shape.in_channels.div_ceil(LANES)
    }

    /// Blocks of sixteen output channels.
    pub(crate) fn out_blocks(&self) -> usize {
        self.shape.out_channels.div_ceil(LANES)
    }

    /// Input channels in a block.
    pub(crate) fn in_channels(&self, block: usize) -> Range<usize> {
        block * LANES..self.shape.in_channels.min((block + 1) * LANES)
    }

    /// Output channels in a block.
    pub(crate) fn out_channels(&self, block: usize) -> Range<usize> {
        block * LANES..self.shape.out_channels.min((block + 1) * LANES)
    }

    /// Image of an item, and the tile's row and column.
    pub(crate) fn locate(&self, item: usize) -> (usize, usize, usize) {
        let (image, tile) = (item / self.tiles(), item % self.tiles());
        (image, tile / self.tiles_x, tile % self.tiles_x)
    }

    /// All items in chunks of nearly equal size.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = Chunk> {
        let items = self.shape.batch * self.tiles();
        let size = items.div_ceil(items.div_ceil(CHUNK_ITEMS));
        (0..items).step_by(size).map(move |start| {
            let items = size.min(items - start);
            Chunk {
                start,
                items,
                block: items.min(BLOCK_ITEMS),
            }
        })
    }
}
